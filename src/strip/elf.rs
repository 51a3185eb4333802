//! The headers of an ELF file: of the file, of its segments, of its sections, and the names of these.
//!
//! In: a file, read at the places that its headers name. Out: the headers, each within the file. Bounded: no more
//! headers and names than any known file has. Never the bytes of a segment or of a section.

use super::section::{Section, is_debug};
use super::skip::{Skip, Stop};
use crate::error::Error;
use crate::rootfs::{Content, Files};
use object::LittleEndian as LE;
use object::elf::{self, FileHeader64, ProgramHeader64, SectionHeader64};
use object::pod::{Pod, bytes_of, bytes_of_mut, bytes_of_slice_mut, from_bytes};
use std::ops::Range;

/// Bytes of an ELF header, of a program header and of a section header.
pub(super) const HEADER: u16 = 64;
const SEGMENT: u16 = 56;
pub(super) const SECTION: u16 = 64;

/// So many sections are read, and so many segments; the largest that were seen have 70 and 15.
const MOST_SECTIONS: u16 = 4096;
const MOST_SEGMENTS: u16 = 512;
/// So many bytes of section names are read, and so many of one name; the longest that were seen have 800 and 35.
pub(super) const MOST_NAMES: u64 = 64 * 1024;
const LONGEST_NAME: usize = 255;

/// Machines whose loaders are known to read nothing that goes.
const MACHINES: [u16; 5] = [elf::EM_X86_64, elf::EM_AARCH64, elf::EM_RISCV, elf::EM_PPC64, elf::EM_LOONGARCH];

/// The headers of an ELF file.
#[derive(Debug)]
pub(super) struct Elf {
    pub(super) header: FileHeader64<LE>,
    pub(super) segments: Vec<ProgramHeader64<LE>>,
    pub(super) sections: Vec<Section>,
    /// The bytes of the section that names sections.
    names: Vec<u8>,
    /// What lies before this offset belongs to the header, the program headers or a segment, or lies among them.
    pub(super) mapped: u64,
    /// For each section whether it goes: it is only for debuggers, and lies behind everything that is mapped.
    goes: Vec<bool>,
}

/// Reads the first 64 bytes; anything but an ELF file ends here.
pub(super) fn header(files: &dyn Files, content: &Content) -> Result<FileHeader64<LE>, Stop> {
    if content.size < u64::from(HEADER) {
        return Err(Skip::NotElf.into());
    }
    let mut header = zeroed::<FileHeader64<LE>>()?;
    fill(files, content, 0, bytes_of_mut(&mut header))?;
    let ident = &header.e_ident;
    match () {
        () if ident.magic != elf::ELFMAG => Err(Skip::NotElf.into()),
        () if (ident.class, ident.data) != (elf::ELFCLASS64, elf::ELFDATA2LSB) => Err(Skip::NotElf64Le.into()),
        () if header.e_type.get(LE) == elf::ET_REL => Err(Skip::Object.into()),
        () if !matches!(header.e_type.get(LE), elf::ET_EXEC | elf::ET_DYN) => Err(Skip::NotLoaded.into()),
        () if !MACHINES.contains(&header.e_machine.get(LE)) => Err(Skip::Machine.into()),
        () => Ok(header),
    }
}

impl Elf {
    /// Reads what the header leads to.
    pub(super) fn read(files: &dyn Files, content: &Content, header: FileHeader64<LE>) -> Result<Self, Stop> {
        let (segment_count, count, names) = (header.e_phnum.get(LE), header.e_shnum.get(LE), header.e_shstrndx.get(LE));
        if header.e_shoff.get(LE) == 0 {
            return Err(Skip::NothingToGain.into());
        }
        if count == 0 || names == elf::SHN_XINDEX || segment_count == elf::PN_XNUM {
            return Err(Skip::ExtendedNumbering.into());
        }
        if count > MOST_SECTIONS || segment_count > MOST_SEGMENTS {
            return Err(Skip::TooLarge.into());
        }
        let sizes = (header.e_ehsize.get(LE), header.e_phentsize.get(LE), header.e_shentsize.get(LE));
        if sizes != (HEADER, SEGMENT, SECTION) {
            return Err(if segment_count == 0 { Skip::NotLoaded } else { Skip::Malformed }.into());
        }
        let segments: Vec<ProgramHeader64<LE>> = table(files, content, header.e_phoff.get(LE), segment_count)?;
        let sections: Vec<SectionHeader64<LE>> = table(files, content, header.e_shoff.get(LE), count)?;
        let sections: Vec<Section> = sections.into_iter().map(Section).collect();
        let mapped = mapped(&header, &segments, content.size)?;
        if sections.first().is_none_or(|first| first.kind() != elf::SHT_NULL)
            || sections.iter().filter_map(Section::bytes).any(|bytes| bytes.end > content.size)
        {
            return Err(Skip::Malformed.into());
        }
        let mut this = Self { header, segments, sections, names: Vec::new(), mapped, goes: Vec::new() };
        if this.is_debug_file() {
            return Err(Skip::DebugFile.into());
        }
        let names = sections_names(this.names_section())?;
        this.names = vec![0; usize::try_from(names.end.saturating_sub(names.start)).map_err(|_| Skip::TooLarge)?];
        fill(files, content, names.start, &mut this.names)?;
        let goes = this.sections.iter().enumerate().map(|(index, section)| {
            Ok(is_debug(this.name(section)?, section) && section.offset() >= mapped && !this.is_names(index))
        });
        this.goes = goes.collect::<Result<_, Stop>>()?;
        Ok(this)
    }

    /// The section that names sections.
    pub(super) fn names_section(&self) -> Option<&Section> {
        self.sections.get(usize::from(self.header.e_shstrndx.get(LE)))
    }

    /// Whether a section is the one that names sections.
    pub(super) fn is_names(&self, index: usize) -> bool {
        index == usize::from(self.header.e_shstrndx.get(LE))
    }

    /// What a section is called.
    pub(super) fn name(&self, section: &Section) -> Result<&[u8], Stop> {
        let start = usize::try_from(section.0.sh_name.get(LE)).map_err(|_| Skip::Malformed)?;
        let tail = self.names.get(start..).ok_or(Skip::Malformed)?;
        let end = tail.iter().take(LONGEST_NAME).position(|&byte| byte == 0).ok_or(Skip::Malformed)?;
        Ok(tail.get(..end).unwrap_or_default())
    }

    /// The bytes of the section header table.
    pub(super) fn section_table(&self) -> Range<u64> {
        let start = self.header.e_shoff.get(LE);
        start..start.saturating_add(u64::from(SECTION).saturating_mul(self.sections.len() as u64))
    }

    /// Whether a section goes.
    pub(super) fn goes(&self, index: usize) -> bool {
        self.goes.get(index).is_some_and(|goes| *goes)
    }

    /// A debug file has the headers of the program that it was split from, but no code: code that is `SHT_NOBITS`, or
    /// other sections that are mapped, not written to, and yet have no bytes.
    fn is_debug_file(&self) -> bool {
        self.sections.iter().any(|section| {
            let empty = section.kind() == elf::SHT_NOBITS && section.is_alloc();
            empty && (section.has(elf::SHF_EXECINSTR) || !section.has(elf::SHF_WRITE))
        })
    }
}

fn sections_names(section: Option<&Section>) -> Result<Range<u64>, Stop> {
    let section = section.filter(|section| section.kind() == elf::SHT_STRTAB && !section.is_alloc());
    let names = section.and_then(Section::bytes).ok_or(Skip::Malformed)?;
    if names.end.saturating_sub(names.start) > MOST_NAMES { Err(Skip::TooLarge.into()) } else { Ok(names) }
}

/// The end of what the header, the program headers and the segments take up. Every kind of segment counts: whoever
/// looks at a segment finds it by its offset.
fn mapped(header: &FileHeader64<LE>, segments: &[ProgramHeader64<LE>], size: u64) -> Result<u64, Stop> {
    if !segments.iter().any(|segment| segment.p_type.get(LE) == elf::PT_LOAD && segment.p_filesz.get(LE) > 0) {
        return Err(Skip::NotLoaded.into());
    }
    let table = u64::from(SEGMENT).saturating_mul(segments.len() as u64);
    let mut end = header.e_phoff.get(LE).saturating_add(table).max(u64::from(HEADER));
    for segment in segments.iter().filter(|segment| segment.p_filesz.get(LE) > 0) {
        let ends = segment.p_offset.get(LE).checked_add(segment.p_filesz.get(LE)).ok_or(Skip::Malformed)?;
        end = end.max(ends);
    }
    if end > size { Err(Skip::Malformed.into()) } else { Ok(end) }
}

/// Reads a table of headers; its length is checked against that of the file before there is room for it.
pub(super) fn table<T: Pod>(files: &dyn Files, content: &Content, at: u64, count: u16) -> Result<Vec<T>, Stop> {
    let length = (size_of::<T>() as u64).saturating_mul(u64::from(count));
    if at.checked_add(length).is_none_or(|end| end > content.size) {
        return Err(Skip::Malformed.into());
    }
    let mut rows = vec![zeroed::<T>()?; usize::from(count)];
    fill(files, content, at, bytes_of_slice_mut(&mut rows))?;
    Ok(rows)
}

/// A header of zeros, to be read into.
pub(super) fn zeroed<T: Pod>() -> Result<T, Stop> {
    let zeros = [0u64; 8];
    let (value, _) = from_bytes::<T>(bytes_of(&zeros)).map_err(|()| Skip::Malformed)?;
    Ok(*value)
}

/// Reads bytes that the file has, by what its headers say.
pub(super) fn fill(files: &dyn Files, content: &Content, at: u64, buffer: &mut [u8]) -> Result<(), Stop> {
    if at.checked_add(buffer.len() as u64).is_none_or(|end| end > content.size) {
        return Err(Skip::Malformed.into());
    }
    if files.read_at(content, at, buffer)? == buffer.len() {
        return Ok(());
    }
    Err(Error::integrity("the file ends before the size that its layer gives it").into())
}
