//! An ELF file, read by position: its headers, its dynamic section, the strings that this names. In: the file's first bytes, and a door to the
//! rest. Out: an [`Elf`], or nothing where the file is none that a loader would take. Never the whole file: each part is bounded by what the
//! kernel or the loader takes, and all names together by the size of the file, so that a short file cannot ask for much.

use super::want::Elf;
use crate::error::Error;
use crate::rootfs::{Content, Files};
use object::Endianness;
use object::elf::{
    DT_FILTER, DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, ET_DYN, ET_EXEC, FileHeader32,
    FileHeader64, PN_XNUM, PT_DYNAMIC, PT_INTERP, PT_LOAD,
};
use object::pod::slice_from_bytes;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

/// How many bytes of a file are read first: they hold the headers and the interpreter of nearly every program.
pub(super) const HEAD: usize = 1024;

/// Bytes of all program headers; Linux refuses a program with more (`load_elf_phdrs`).
const SEGMENTS: usize = 65_536;

/// Bytes of an interpreter's path, as Linux has it (`PATH_MAX`).
const NAME: usize = 4096;

/// Bytes of a dynamic section that are looked at; libraries of Chromium have 1,000.
const DYNAMIC: usize = 65_536;

/// Libraries that one file needs, and directories that it searches; the largest programs have 150.
const NAMES: usize = 512;

/// Bytes of all names of one file; an RPATH of Nix or Spack has 10,000.
const TEXT: usize = 65_536;

/// How much is read at once to find strings.
const WINDOW: usize = 8192;

/// Reads an ELF file whose first bytes are `head`. `None`: it is no program and no shared object, or it is malformed, and could not run either way.
pub(super) fn read(files: &dyn Files, content: &Content, head: &[u8]) -> Result<Option<Elf>, Error> {
    let mut bytes = Bytes { files, content, at: 0, window: head.into() };
    // The fifth byte is the class.
    match head.get(4) {
        Some(1) => parse::<FileHeader32<Endianness>>(&mut bytes),
        Some(2) => parse::<FileHeader64<Endianness>>(&mut bytes),
        _ => Ok(None),
    }
}

/// A part of the file as the program headers tell it.
#[derive(Debug, Clone, Copy)]
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

fn parse<Header: FileHeader<Endian = Endianness>>(bytes: &mut Bytes<'_>) -> Result<Option<Elf>, Error> {
    let Ok(&header) = Header::parse(&*bytes.window) else { return Ok(None) };
    let Ok(endian) = header.endian() else { return Ok(None) };
    if !matches!(header.e_type(endian), ET_EXEC | ET_DYN) {
        return Ok(None);
    }
    let Some(segments) = segments(&header, endian, bytes)? else { return Ok(None) };
    let mut elf = Elf { is_64: header.is_type_64(), machine: header.e_machine(endian), ..Elf::default() };
    let find = |kind| segments.iter().find(|segment| segment.kind == kind);
    if let Some(segment) = find(PT_INTERP) {
        let Some(name) = interpreter(bytes, segment)? else { return Ok(None) };
        elf.interpreter = Some(name);
    }
    let Some(segment) = find(PT_DYNAMIC) else { return Ok(Some(elf)) };
    let Some(dynamic) = dynamic::<Header>(bytes, segment, endian)? else { return Ok(None) };
    Ok(names(bytes, &segments, &dynamic, &mut elf)?.then_some(elf))
}

fn segments<Header: FileHeader<Endian = Endianness>>(
    header: &Header,
    endian: Endianness,
    bytes: &mut Bytes<'_>,
) -> Result<Option<Vec<Segment>>, Error> {
    let count = header.e_phnum(endian);
    let size = usize::from(header.e_phentsize(endian));
    let total = usize::from(count).saturating_mul(size);
    if count == PN_XNUM || size != size_of::<Header::ProgramHeader>() || total > SEGMENTS {
        return Ok((count == 0).then(Vec::new));
    }
    let Some(table) = bytes.exactly(header.e_phoff(endian).into(), total)? else { return Ok(None) };
    let Ok((table, _)) = slice_from_bytes::<Header::ProgramHeader>(table, usize::from(count)) else { return Ok(None) };
    let segments = table.iter().map(|segment| Segment {
        kind: segment.p_type(endian),
        offset: segment.p_offset(endian).into(),
        address: segment.p_vaddr(endian).into(),
        size: segment.p_filesz(endian).into(),
    });
    Ok(Some(segments.filter(|segment| matches!(segment.kind, PT_LOAD | PT_INTERP | PT_DYNAMIC)).collect()))
}

/// `None` where Linux would not start the program.
fn interpreter(bytes: &mut Bytes<'_>, segment: &Segment) -> Result<Option<Box<[u8]>>, Error> {
    let Some(size) = usize::try_from(segment.size).ok().filter(|size| (2..=NAME).contains(size)) else {
        return Ok(None);
    };
    let Some(name) = bytes.exactly(segment.offset, size)? else { return Ok(None) };
    Ok(name.split(|&byte| byte == 0).next().filter(|name| !name.is_empty() && name.len() < size).map(Into::into))
}

/// What a dynamic section says, its strings as offsets into their table.
#[derive(Debug, Default)]
struct Dynamic {
    needed: Vec<u64>,
    rpath: Option<u64>,
    runpath: Option<u64>,
    strings: Option<u64>,
    strings_size: Option<u64>,
}

fn dynamic<Header: FileHeader<Endian = Endianness>>(
    bytes: &mut Bytes<'_>,
    segment: &Segment,
    endian: Endianness,
) -> Result<Option<Dynamic>, Error> {
    let entry = size_of::<Header::Dyn>();
    let size = usize::try_from(segment.size).unwrap_or(usize::MAX).min(DYNAMIC);
    let Some(count) = size.checked_div(entry) else { return Ok(None) };
    let Some(table) = bytes.exactly(segment.offset, count.saturating_mul(entry))? else { return Ok(None) };
    let Ok((table, _)) = slice_from_bytes::<Header::Dyn>(table, count) else { return Ok(None) };
    let mut dynamic = Dynamic::default();
    for entry in table.iter().take_while(|entry| entry.tag(endian) != DT_NULL) {
        let value = entry.val(endian);
        match entry.tag(endian) {
            // A filter is loaded as a library is, and nothing runs without it.
            DT_NEEDED | DT_FILTER if dynamic.needed.len() < NAMES => dynamic.needed.push(value),
            DT_NEEDED | DT_FILTER => return Ok(None),
            DT_RPATH => dynamic.rpath = Some(value),
            DT_RUNPATH => dynamic.runpath = Some(value),
            DT_STRTAB => dynamic.strings = Some(value),
            DT_STRSZ => dynamic.strings_size = Some(value),
            _ => {}
        }
    }
    Ok(Some(dynamic))
}

/// Reads the names of a dynamic section; false where one of them is not there.
fn names(bytes: &mut Bytes<'_>, segments: &[Segment], dynamic: &Dynamic, elf: &mut Elf) -> Result<bool, Error> {
    if dynamic.needed.is_empty() && dynamic.rpath.is_none() && dynamic.runpath.is_none() {
        return Ok(true);
    }
    let offset_of = |address: u64| {
        segments.iter().filter(|segment| segment.kind == PT_LOAD).find_map(|segment| {
            let within = address.checked_sub(segment.address).filter(|within| *within < segment.size)?;
            segment.offset.checked_add(within)
        })
    };
    let Some(table) = dynamic.strings.and_then(offset_of) else { return Ok(false) };
    let mut left = TEXT.min(usize::try_from(bytes.content.size).unwrap_or(usize::MAX));
    let mut string = |offset: u64| -> Result<Option<Box<[u8]>>, Error> {
        let inside = dynamic.strings_size.is_none_or(|size| offset < size);
        let Some(at) = table.checked_add(offset).filter(|_| inside) else { return Ok(None) };
        let Some(name) = bytes.string(at)? else { return Ok(None) };
        let Some(fewer) = left.checked_sub(name.len()) else { return Ok(None) };
        left = fewer;
        Ok(Some(name))
    };
    for &offset in &dynamic.needed {
        let Some(name) = string(offset)? else { return Ok(false) };
        if !name.is_empty() && !elf.needed.contains(&name) {
            elf.needed.push(name);
        }
    }
    // With a DT_RUNPATH the loader does not look at DT_RPATH (ld.so(8)).
    let (offset, list) = match (dynamic.runpath, dynamic.rpath) {
        (Some(offset), _) => (offset, &mut elf.runpath),
        (None, Some(offset)) => (offset, &mut elf.rpath),
        (None, None) => return Ok(true),
    };
    let Some(text) = string(offset)? else { return Ok(false) };
    list.extend(text.split(|&byte| byte == b':').filter(|part| !part.is_empty()).take(NAMES).map(Box::<[u8]>::from));
    Ok(true)
}

/// The bytes of a file, of which a few are at hand.
struct Bytes<'f> {
    files: &'f dyn Files,
    content: &'f Content,
    /// Where the window lies in the file.
    at: u64,
    window: Vec<u8>,
}

impl Bytes<'_> {
    /// These bytes; `None` where the file ends before.
    fn exactly(&mut self, at: u64, size: usize) -> Result<Option<&[u8]>, Error> {
        let Some(end) = at.checked_add(size as u64).filter(|end| *end <= self.content.size) else { return Ok(None) };
        if at < self.at || end > self.at.saturating_add(self.window.len() as u64) {
            self.load(at, size)?;
        }
        let Some(from) = at.checked_sub(self.at).and_then(|from| usize::try_from(from).ok()) else { return Ok(None) };
        Ok(self.window.get(from..from.saturating_add(size)))
    }

    /// The bytes from here to the next NUL; `None` where there is none for too long.
    fn string(&mut self, at: u64) -> Result<Option<Box<[u8]>>, Error> {
        let left = usize::try_from(self.content.size.saturating_sub(at)).unwrap_or(usize::MAX);
        for size in [64, NAME, TEXT] {
            let Some(bytes) = self.exactly(at, size.min(left))? else { return Ok(None) };
            if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
                return Ok(bytes.get(..end).map(Into::into));
            }
        }
        Ok(None)
    }

    fn load(&mut self, at: u64, size: usize) -> Result<(), Error> {
        // Strings lie on both sides of the one that is asked for first.
        self.at = at.saturating_sub((WINDOW / 2) as u64);
        let before = usize::try_from(at.saturating_sub(self.at)).unwrap_or(0);
        self.window.clear();
        self.window.resize(before.saturating_add(size.max(WINDOW / 2)), 0);
        let read = self.files.read_at(self.content, self.at, &mut self.window)?;
        self.window.truncate(read);
        Ok(())
    }
}
