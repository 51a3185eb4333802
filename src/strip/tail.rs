//! What lies behind the mapped part of an ELF file: what goes, what moves, and whether every byte of it is accounted for.
//!
//! In: the headers. Out: where the copied part ends, and the sections that follow it anew. Never a byte of a segment,
//! and of the tail only the padding, to see that it is padding.

use super::elf::{Elf, fill};
use super::section::{Section, is_debug, may_move};
use super::skip::{Skip, Stop};
use crate::rootfs::{Content, Files};
use std::ops::Range;

/// Padding between two sections is zeros, and less than a page.
const PADDING: usize = 4096;
/// So many sections may move; the most that were seen are 4.
const MOST_MOVED: usize = 64;

/// What becomes of the part behind the segments.
#[derive(Debug)]
pub(super) struct Tail {
    /// The file is copied up to here.
    pub(super) cut: u64,
    /// The sections that lie behind it, and stay, in the order of their bytes; the one that names sections is not among them.
    pub(super) moved: Vec<usize>,
    /// Whether the section that names sections lies behind the cut, and is written anew.
    pub(super) renamed: bool,
}

impl Tail {
    /// Finds out what goes and what moves.
    pub(super) fn find(files: &dyn Files, content: &Content, elf: &Elf) -> Result<Self, Stop> {
        let table = elf.section_table();
        let names = elf.names_section().and_then(Section::bytes).ok_or(Skip::Malformed)?;
        // Go's own linker puts the section headers and their names into the first segments; there they stay, unused.
        let renamed = names.start >= elf.mapped;
        let mut cut = None;
        let mut inside = false;
        for (index, section) in elf.sections.iter().enumerate() {
            if elf.goes(index) {
                cut = Some(cut.unwrap_or(u64::MAX).min(section.offset()));
            } else if section.bytes().is_some() {
                inside |= is_debug(elf.name(section)?, section) && !elf.is_names(index);
            }
        }
        let Some(mut cut) = cut else {
            return Err(if inside { Skip::DebugInside } else { Skip::NothingToGain }.into());
        };
        for start in [names.start, table.start] {
            cut = if start >= elf.mapped { cut.min(start) } else { cut };
        }
        account(files, content, elf, cut)?;
        Ok(Self { cut, moved: moved(elf, cut)?, renamed })
    }
}

/// The sections that stay and lie behind the cut.
fn moved(elf: &Elf, cut: u64) -> Result<Vec<usize>, Stop> {
    let mut moved = Vec::new();
    for (index, section) in elf.sections.iter().enumerate() {
        if section.bytes().is_none_or(|bytes| bytes.start < cut) || elf.goes(index) || elf.is_names(index) {
            continue;
        }
        if section.numbers_sections() {
            return Err(Skip::LinkedSection.into());
        }
        if !may_move(elf.name(section)?, section) {
            // Relocations of what goes are of no use without it, but whether anything else reads them is not known.
            let links = section.target().is_some() || elf.goes(usize::try_from(section.link()).unwrap_or(usize::MAX));
            return Err(if links { Skip::LinkedSection } else { Skip::UnknownSection }.into());
        }
        moved.push((section.offset(), index));
    }
    if moved.len() > MOST_MOVED {
        return Err(Skip::TooLarge.into());
    }
    moved.sort_unstable();
    Ok(moved.into_iter().map(|(_, index)| index).collect())
}

/// Every byte behind the cut belongs to one section, to the section headers, or is padding.
fn account(files: &dyn Files, content: &Content, elf: &Elf, cut: u64) -> Result<(), Stop> {
    let mut claims: Vec<Range<u64>> = elf.sections.iter().filter_map(Section::bytes).collect();
    claims.push(elf.section_table());
    claims.retain(|claim| claim.end > cut);
    claims.sort_unstable_by_key(|claim| (claim.start, claim.end));
    let end = claims.iter().map(|claim| claim.end).max().unwrap_or(cut);
    if end < content.size {
        return Err(Skip::AppendedPayload.into());
    }
    let mut at = cut;
    for claim in claims {
        let gap = claim.start.checked_sub(at).ok_or(Skip::Malformed)?;
        let mut padding = vec![0; usize::try_from(gap).ok().filter(|gap| *gap < PADDING).ok_or(Skip::UnknownBytes)?];
        fill(files, content, at, &mut padding)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Skip::UnknownBytes.into());
        }
        at = claim.end;
    }
    Ok(())
}
