//! The new content of a file: its own bytes up to the cut, the sections that move, their names, their headers.
//!
//! In: the headers, and what becomes of the tail. Out: a content of the file's own runs and of bytes at hand: the ELF
//! header, padding, names, section headers. Never a program header or an address changed, never a section's bytes held.

use super::elf::{Elf, HEADER, MOST_NAMES, table, zeroed};
use super::section::Section;
use super::skip::{Skip, Stop};
use super::tail::Tail;
use crate::rootfs::{Content, Files, Source};
use object::LittleEndian as LE;
use object::elf::{Rela64, SHN_UNDEF, SHT_NULL, SHT_RELA};
use object::pod::bytes_of;

/// Section headers are read as words of eight bytes.
const WORD: u64 = 8;
/// A section that moves keeps to its alignment up to a page.
const MOST_ALIGNED: u64 = 4096;
/// A file in a layer takes up whole blocks of this many bytes; to save less saves nothing.
const WORTHWHILE: u64 = 512;
/// So many mapped relocations without a symbol are read to see that they name none, in so many sections; programs have 20 to 60, in one.
const MOST_RELOCATIONS: u16 = 4096;
const MOST_UNLINKED: usize = 4;

/// Plans the file without what goes.
pub(super) fn plan(files: &dyn Files, content: &Content, elf: &Elf) -> Result<Content, Stop> {
    let tail = Tail::find(files, content, elf)?;
    let fixed = elf.sections.iter().rposition(Section::is_alloc).map_or(0, |last| last.saturating_add(1));
    let numbers = numbers(elf, fixed);
    let mut sections = elf.sections.clone();
    unlink(files, content, elf, &mut sections)?;
    let mut pieces = Pieces::new(content, tail.cut)?;
    for &index in &tail.moved {
        let section = sections.get_mut(index).ok_or(Skip::Malformed)?;
        let bytes = section.bytes().ok_or(Skip::Malformed)?;
        pieces.align(section.0.sh_addralign.get(LE))?;
        section.0.sh_offset.set(LE, pieces.size);
        pieces.copy(bytes.start, bytes.end)?;
    }
    // An empty section that is not mapped lies nowhere; its offset must be one that the file still has.
    for section in sections.iter_mut().filter(|section| !section.is_alloc() && section.bytes().is_none()) {
        section.0.sh_offset.set(LE, section.offset().min(tail.cut));
    }
    if tail.renamed {
        rename(elf, &mut sections, &mut pieces)?;
    }
    pieces.align(WORD)?;
    let mut header = elf.header;
    header.e_shoff.set(LE, pieces.size);
    let mut count = 0u16;
    for (index, section) in sections.iter().enumerate().filter(|(index, _)| *index < fixed || !elf.goes(*index)) {
        let section = if elf.goes(index) { Section(zeroed()?) } else { renumber(section, &numbers)? };
        count = count.checked_add(1).ok_or(Skip::TooLarge)?;
        pieces.push(bytes_of(&section.0));
    }
    header.e_shnum.set(LE, count);
    let names = number_of(&numbers, u32::from(elf.header.e_shstrndx.get(LE)))?;
    header.e_shstrndx.set(LE, u16::try_from(names).map_err(|_| Skip::TooLarge)?);
    let planned = pieces.joined(bytes_of(&header));
    if content.size.saturating_sub(planned.size) < WORTHWHILE {
        return Err(Skip::NothingToGain.into());
    }
    Ok(planned)
}

/// What number each section has afterwards. A symbol of `.dynsym` names its section by number, in bytes that are mapped;
/// so what is mapped keeps its number, and before it an empty header takes the place of a section that goes.
fn numbers(elf: &Elf, fixed: usize) -> Vec<Option<u32>> {
    let mut next = 0u32;
    let numbers = (0..elf.sections.len()).map(|index| {
        let number = next;
        let goes = elf.goes(index);
        next = if goes && index >= fixed { next } else { next.saturating_add(1) };
        (!goes).then_some(number)
    });
    numbers.collect()
}

fn number_of(numbers: &[Option<u32>], number: u32) -> Result<u32, Stop> {
    let known = usize::try_from(number).ok().and_then(|index| numbers.get(index)).ok_or(Skip::Malformed)?;
    Ok(known.ok_or(Skip::LinkedSection)?)
}

/// Takes the link from sections that are mapped and speak of a symbol table that goes, and yet of no symbol: `.rela.plt` of
/// a static program, whose start-up code finds the relocations by their address. glibc's libc.a gives every program one.
fn unlink(files: &dyn Files, content: &Content, elf: &Elf, sections: &mut [Section]) -> Result<(), Stop> {
    let mut found = 0usize;
    let goes = |section: &Section| usize::try_from(section.link()).is_ok_and(|link| elf.goes(link));
    for section in
        sections.iter_mut().filter(|section| section.is_alloc() && section.kind() == SHT_RELA && goes(section))
    {
        found = found.saturating_add(1);
        if found > MOST_UNLINKED || names_a_symbol(files, content, section)? {
            return Err(Skip::LinkedSection.into());
        }
        section.0.sh_link.set(LE, u32::from(SHN_UNDEF));
    }
    Ok(())
}

fn names_a_symbol(files: &dyn Files, content: &Content, section: &Section) -> Result<bool, Stop> {
    let bytes = section.bytes().unwrap_or_default();
    let size = bytes.end.saturating_sub(bytes.start);
    let count = size.checked_div(size_of::<Rela64<LE>>() as u64).and_then(|count| u16::try_from(count).ok());
    let count = count.filter(|count| *count <= MOST_RELOCATIONS).ok_or(Skip::TooLarge)?;
    let rows: Vec<Rela64<LE>> = table(files, content, bytes.start, count)?;
    Ok(rows.iter().any(|row| row.r_sym(LE, false) != 0))
}

/// The header of a section that stays, with the new numbers of those that it speaks of.
fn renumber(section: &Section, numbers: &[Option<u32>]) -> Result<Section, Stop> {
    let mut section = *section;
    if section.kind() == SHT_NULL {
        return Ok(section);
    }
    if section.numbers_sections() {
        return Err(Skip::LinkedSection.into());
    }
    if section.link() != u32::from(SHN_UNDEF) {
        section.0.sh_link.set(LE, number_of(numbers, section.link())?);
    }
    if let Some(target) = section.target().filter(|target| *target != u32::from(SHN_UNDEF)) {
        section.0.sh_info.set(LE, number_of(numbers, target)?);
    }
    Ok(section)
}

/// Writes the names of the sections that stay anew, in the order of the sections.
fn rename(elf: &Elf, sections: &mut [Section], pieces: &mut Pieces) -> Result<(), Stop> {
    let mut names = vec![0];
    for (index, section) in sections.iter_mut().enumerate().filter(|(index, _)| !elf.goes(*index)) {
        let name = elf.name(elf.sections.get(index).ok_or(Skip::Malformed)?)?;
        let start = if name.is_empty() { 0 } else { names.len() };
        section.0.sh_name.set(LE, u32::try_from(start).map_err(|_| Skip::TooLarge)?);
        if !name.is_empty() {
            names.extend_from_slice(name);
            names.push(0);
        }
        if names.len() as u64 > MOST_NAMES {
            return Err(Skip::TooLarge.into());
        }
    }
    let own = sections.iter_mut().enumerate().find(|(index, _)| elf.is_names(*index));
    let (_, own) = own.ok_or(Skip::Malformed)?;
    pieces.align(own.0.sh_addralign.get(LE))?;
    own.0.sh_offset.set(LE, pieces.size);
    own.0.sh_size.set(LE, names.len() as u64);
    pieces.push(&names);
    Ok(())
}

/// The parts of a content, joined one by one behind the ELF header.
#[derive(Debug)]
struct Pieces<'a> {
    content: &'a Content,
    parts: Vec<Content>,
    /// What is at hand and not yet a part.
    pending: Vec<u8>,
    /// Bytes so far, the ELF header among them.
    size: u64,
}

impl<'a> Pieces<'a> {
    fn new(content: &'a Content, cut: u64) -> Result<Self, Stop> {
        let mut this = Self { content, parts: Vec::new(), pending: Vec::new(), size: u64::from(HEADER) };
        this.copy(u64::from(HEADER), cut)?;
        Ok(this)
    }

    /// Takes over bytes of the file.
    fn copy(&mut self, start: u64, end: u64) -> Result<(), Stop> {
        let Source::Layer(layer, offset) = self.content.source else { return Err(Skip::NotOneRun.into()) };
        let size = end.checked_sub(start).ok_or(Skip::Malformed)?;
        if size > 0 {
            self.flush();
            let offset = offset.checked_add(start).ok_or(Skip::Malformed)?;
            self.parts.push(Content { size, source: Source::Layer(layer, offset) });
            self.size = self.size.checked_add(size).ok_or(Skip::Malformed)?;
        }
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.size = self.size.saturating_add(bytes.len() as u64);
    }

    /// Adds zeros up to an alignment; 0 and 1 mean none.
    fn align(&mut self, alignment: u64) -> Result<(), Stop> {
        if alignment > MOST_ALIGNED || !(alignment == 0 || alignment.is_power_of_two()) {
            return Err(Skip::Malformed.into());
        }
        while !self.size.is_multiple_of(alignment.max(1)) {
            self.push(&[0]);
        }
        Ok(())
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            self.parts.push(Content::owned(std::mem::take(&mut self.pending)));
        }
    }

    fn joined(mut self, header: &[u8]) -> Content {
        self.flush();
        self.parts.insert(0, Content::owned(header));
        Content { size: self.size, source: Source::Joined(self.parts.into()) }
    }
}
