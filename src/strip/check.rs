//! The proof of a strip: the file before and the file after, both read through the same door, and compared.
//!
//! In: two contents. Out: in what they differ beyond what was to go. It knows nothing of the plan: neither where
//! the cut is nor which numbers were given out. Never more than two buffers of bytes in memory.

use super::elf::{Elf, HEADER, fill, header};
use super::section::{Section, is_debug};
use super::skip::{Difference, Skip, Stop, settle};
use crate::error::Error;
use crate::rootfs::{Content, Files, Run};
use object::LittleEndian as LE;
use object::elf::{FileHeader64, SHT_NULL};
use object::pod::{bytes_of, bytes_of_slice};
use std::ops::Range;

/// Bytes compared at once, where they are not known to be the same run of a layer.
const CHUNK: usize = 16 * 1024;

type Compared = Result<Result<(), Difference>, Stop>;

/// Reads a file and its stripped form again and compares them: the ELF header but for the place of the section headers,
/// the program headers, every byte of every segment, the sections that stay; and that what goes is gone. Bytes are alike
/// where both contents name the same run of a layer, else where they are read and found alike.
///
/// `Err` says why there is nothing to compare: the first file is none that could have been stripped, or
/// [`Skip::Unproven`] says in what they differ.
///
/// # Errors
///
/// As [`Files::read_at`].
pub fn check(files: &dyn Files, before: &Content, after: &Content) -> Result<Result<(), Skip>, Error> {
    settle(checked(files, before, after))
}

fn checked(files: &dyn Files, before: &Content, after: &Content) -> Result<(), Stop> {
    let elf = Elf::read(files, before, header(files, before)?)?;
    Ok(compare(files, (before, &elf), after)?.map_err(Skip::Unproven)?)
}

/// As [`check`], where the first file is already read.
pub(super) fn compare(files: &dyn Files, (before, old): (&Content, &Elf), after: &Content) -> Compared {
    let new = match header(files, after).and_then(|header| Elf::read(files, after, header)) {
        Ok(new) => new,
        Err(Stop::Skip(_)) => return Ok(Err(Difference::Unreadable)),
        Err(error) => return Err(error),
    };
    if !is_same_header(&old.header, &new.header) {
        return Ok(Err(Difference::Header));
    }
    if bytes_of_slice(&old.segments) != bytes_of_slice(&new.segments) {
        return Ok(Err(Difference::ProgramHeaders));
    }
    for segment in &old.segments {
        // The ELF header is compared by its fields: it lies in the first segment, and three of them are new.
        let start = segment.p_offset.get(LE);
        let end = start.saturating_add(segment.p_filesz.get(LE));
        let range = start.max(u64::from(HEADER))..end;
        if !range.is_empty() && !is_same(files, (before, range.clone()), (after, range))? {
            return Ok(Err(Difference::Segment));
        }
    }
    if let Err(difference) = sections(files, (before, old), (after, &new))? {
        return Ok(Err(difference));
    }
    Ok(if is_well_laid(&new, after.size) { Ok(()) } else { Err(Difference::Layout) })
}

fn is_same_header(old: &FileHeader64<LE>, new: &FileHeader64<LE>) -> bool {
    let mut old = *old;
    (old.e_shoff, old.e_shnum, old.e_shstrndx) = (new.e_shoff, new.e_shnum, new.e_shstrndx);
    bytes_of(&old) == bytes_of(new)
}

/// Pairs the sections that stay with those that are there, and compares each pair.
fn sections(files: &dyn Files, (before, old): (&Content, &Elf), (after, new): (&Content, &Elf)) -> Compared {
    for section in &new.sections {
        if is_debug(new.name(section)?, section) && section.offset() >= new.mapped {
            return Ok(Err(Difference::StillThere));
        }
    }
    let Some(pairs) = pairs(old, new)? else { return Ok(Err(Difference::Sections)) };
    let partner = |number: u32| {
        let index = pairs.binary_search_by_key(&u64::from(number), |(from, _)| *from as u64).ok()?;
        pairs.get(index).map(|(_, to)| *to as u64)
    };
    let is_partner = |from: u32, to: u32| (from, to) == (0, 0) || partner(from) == Some(u64::from(to));
    if !is_partner(u32::from(old.header.e_shstrndx.get(LE)), u32::from(new.header.e_shstrndx.get(LE))) {
        return Ok(Err(Difference::Sections));
    }
    for &(from, to) in &pairs {
        let (Some(a), Some(b)) = (old.sections.get(from), new.sections.get(to)) else {
            return Ok(Err(Difference::Sections));
        };
        let targets = match (a.target(), b.target()) {
            (Some(from), Some(to)) => is_partner(from, to),
            _ => a.0.sh_info.get(LE) == b.0.sh_info.get(LE),
        };
        // What is mapped may lose its link to a symbol table that goes: at run time nothing follows it.
        let is_unlinked = a.is_alloc() && b.link() == 0 && usize::try_from(a.link()).is_ok_and(|link| old.goes(link));
        let links = is_partner(a.link(), b.link()) || is_unlinked;
        if !is_same_section(a, b, old.is_names(from)) || !links || !targets {
            return Ok(Err(Difference::SectionHeader));
        }
        if let (Some(a), Some(b), false) = (a.bytes(), b.bytes(), old.is_names(from))
            && !is_same(files, (before, a), (after, b))?
        {
            return Ok(Err(Difference::SectionBytes));
        }
    }
    Ok(Ok(()))
}

/// The sections that stay, each with the one that it is afterwards: the same names in the same order.
fn pairs(old: &Elf, new: &Elf) -> Result<Option<Vec<(usize, usize)>>, Stop> {
    let is_there = |(_, section): &(usize, &Section)| section.kind() != SHT_NULL;
    let mut there = new.sections.iter().enumerate().filter(is_there);
    let mut pairs = Vec::new();
    for (from, section) in old.sections.iter().enumerate().filter(is_there).filter(|(index, _)| !old.goes(*index)) {
        let Some((to, other)) = there.next() else { return Ok(None) };
        if old.name(section)? != new.name(other)? || (section.is_alloc() && from != to) {
            return Ok(None);
        }
        pairs.push((from, to));
    }
    Ok(if there.next().is_some() { None } else { Some(pairs) })
}

/// Whether two headers say the same; one that is not mapped may say another place, the one of the names another size.
fn is_same_section(old: &Section, new: &Section, is_names: bool) -> bool {
    let has_stayed = old.offset() == new.offset();
    let mut old = *old;
    (old.0.sh_name, old.0.sh_link, old.0.sh_info) = (new.0.sh_name, new.0.sh_link, new.0.sh_info);
    if !old.is_alloc() {
        old.0.sh_offset = new.0.sh_offset;
    }
    if is_names {
        old.0.sh_size = new.0.sh_size;
    }
    let align = new.0.sh_addralign.get(LE).max(1);
    let is_laid = has_stayed || new.bytes().is_none() || new.offset().is_multiple_of(align);
    bytes_of(&old.0) == bytes_of(&new.0) && is_laid
}

/// Whether the section headers end the file, and lie over nothing that is in use.
fn is_well_laid(new: &Elf, size: u64) -> bool {
    let table = new.section_table();
    let mut bytes: Vec<Range<u64>> = new.sections.iter().filter_map(Section::bytes).collect();
    bytes.retain(|bytes| bytes.end > new.mapped);
    bytes.push(table.clone());
    bytes.sort_unstable_by_key(|bytes| (bytes.start, bytes.end));
    let apart = bytes.iter().zip(bytes.iter().skip(1)).all(|(a, b)| a.end <= b.start);
    apart && table.start >= new.mapped && table.end == size
}

/// Whether two ranges of the same length are the same bytes.
fn is_same(
    files: &dyn Files,
    (a, mut at_a): (&Content, Range<u64>),
    (b, mut at_b): (&Content, Range<u64>),
) -> Result<bool, Stop> {
    let mut buffers = (Vec::new(), Vec::new());
    loop {
        let left = at_a.end.saturating_sub(at_a.start);
        if left != at_b.end.saturating_sub(at_b.start) {
            return Ok(false);
        }
        if left == 0 {
            return Ok(true);
        }
        let (Some(run_a), Some(run_b)) = (a.run_at(at_a.start)?, b.run_at(at_b.start)?) else { return Ok(false) };
        let both = run_a.size().min(run_b.size()).min(left);
        let count = match (&run_a, &run_b) {
            (Run::Layer(layer, range), Run::Layer(other, there)) if layer == other && range.start == there.start => {
                both
            }
            _ => {
                let count = usize::try_from(both).unwrap_or(CHUNK).min(CHUNK);
                buffers.0.resize(count, 0);
                buffers.1.resize(count, 0);
                fill(files, a, at_a.start, &mut buffers.0)?;
                fill(files, b, at_b.start, &mut buffers.1)?;
                if buffers.0 != buffers.1 {
                    return Ok(false);
                }
                count as u64
            }
        };
        if count == 0 {
            return Ok(false);
        }
        at_a.start = at_a.start.saturating_add(count);
        at_b.start = at_b.start.saturating_add(count);
    }
}
