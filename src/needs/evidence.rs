//! Whether a program holds a text, such as the directory that it reads zone data from. In: a member and what to look for. Out: what was
//! found. A file is read in pieces, each once.
//!
//! A Go program that never loads a zone does not hold `/usr/share/zoneinfo/`: the linker leaves the function out, and its texts with it.

use super::growth::{Growth, Member};
use crate::error::Error;
use crate::rootfs::InodeKind;
use std::collections::BTreeSet;

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// Bytes of a text that is taken out of a file; a path is at most that long.
const LONGEST: usize = 4096;

/// Texts of one kind that are taken out of a file.
const TEXTS: usize = 4096;

impl Growth<'_> {
    /// Which of these texts a file holds.
    pub(super) fn holds(&self, member: &Member, texts: &[&[u8]]) -> Result<Vec<bool>, Error> {
        let mut found = vec![false; texts.len()];
        self.pieces(member, &mut |piece| {
            for (text, found) in texts.iter().zip(&mut found).filter(|(_, found)| !**found) {
                *found = position(piece, text).is_some();
            }
            found.contains(&false)
        })?;
        Ok(found)
    }

    /// The texts in a file that begin with `start`, up to the first byte that stands in no path.
    pub(super) fn strings(&self, member: &Member, start: &[u8]) -> Result<BTreeSet<Vec<u8>>, Error> {
        let mut found = BTreeSet::new();
        self.pieces(member, &mut |piece| {
            let mut rest = piece;
            while let Some(at) = position(rest, start) {
                rest = rest.get(at..).unwrap_or_default();
                let is_end = |byte: &u8| !(byte.is_ascii_alphanumeric() || b"/._-@+~".contains(byte));
                let length = rest.iter().take(LONGEST).position(is_end);
                // One that the piece cuts off stands whole in the next piece.
                if let Some(text) = length.and_then(|length| rest.get(..length)) {
                    found.insert(text.to_vec());
                }
                rest = rest.get(start.len()..).unwrap_or_default();
            }
            found.len() < TEXTS
        })?;
        Ok(found)
    }

    /// Shows a file piece by piece, each with the end of the one before it, as long as `show` wants more.
    fn pieces(&self, member: &Member, show: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Error> {
        let InodeKind::File(content) = &self.tree().inode_of(member.node).kind else { return Ok(()) };
        let mut buffer = vec![0; PIECE];
        let mut at = 0u64;
        let step = PIECE.saturating_sub(LONGEST) as u64;
        while at < content.size {
            let count =
                self.files.read_at(content, at, &mut buffer).map_err(|error| error.at_entry(member.path.as_bytes()))?;
            if count == 0 || !show(buffer.get(..count).unwrap_or_default()) {
                break;
            }
            at = at.saturating_add(step);
        }
        Ok(())
    }
}

/// Where a text begins. The first byte is looked for alone, which is quick.
fn position(bytes: &[u8], text: &[u8]) -> Option<usize> {
    let (&first, rest) = text.split_first()?;
    let mut from = 0usize;
    loop {
        let at = from.saturating_add(bytes.get(from..)?.iter().position(|&byte| byte == first)?);
        from = at.saturating_add(1);
        if bytes.get(from..)?.starts_with(rest) {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_it_begins() {
        assert_eq!(position(b"aabaac", b"aac"), Some(3));
        assert_eq!(position(b"aab", b"aac"), None);
        assert_eq!(position(b"", b"a"), None);
        assert_eq!(position(b"xa", b"a"), Some(1));
    }
}
