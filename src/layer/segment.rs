//! A plan as runs of bytes: what is copied from the layers, what is made here, what is zero.
//!
//! In: a plan and its tree. Out: segments in output order, one long copy where entries lie side by side in a
//! layer, two zero blocks at the end. It reads nothing: sizes are exact before a byte moves (`--dry-run`).

use super::encode::{BLOCK, headers, whiteout};
use crate::error::Error;
use crate::rootfs::{Content, InodeKind, Item, LayerId, Plan, Run, Step, Tree};
use std::iter::Peekable;
use std::ops::Range;
use std::slice;

/// The end of a tar. Go's writers stop here too; GNU tar's record of 10,240 bytes says nothing more.
const END: u64 = 2 * BLOCK;

/// A run of bytes of the layer that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Bytes of the uncompressed tar of a layer of the input.
    Copy {
        /// The layer.
        layer: LayerId,
        /// Where they lie.
        range: Range<u64>,
    },
    /// Bytes made here: headers, and files that a decision rewrote.
    Bytes(Vec<u8>),
    /// So many zeros: padding, holes of sparse files, the end.
    Zeros(u64),
}

impl Segment {
    /// How many bytes it stands for.
    pub fn size(&self) -> u64 {
        match self {
            Self::Copy { range, .. } => range.end.saturating_sub(range.start),
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(count) => *count,
        }
    }
}

/// The segments of a layer, in order. No time in headers made here is later than `clamp`, in seconds since 1970.
///
/// Errors: a plan that cannot be written as a tar that every reader reads alike.
pub fn segments<'a>(plan: &'a Plan, tree: &'a Tree, clamp: Option<i64>) -> Segments<'a> {
    let pieces = Pieces { tree, clamp, items: plan.items.iter(), content: None, ended: false };
    Segments { pieces: pieces.peekable() }
}

/// The exact size of the uncompressed layer in bytes.
pub fn layer_size(plan: &Plan, tree: &Tree, clamp: Option<i64>) -> Result<u64, Error> {
    let mut pieces = Pieces { tree, clamp, items: plan.items.iter(), content: None, ended: false };
    pieces.try_fold(0_u64, |sum, segment| {
        sum.checked_add(segment?.size()).ok_or_else(|| Error::malformed("the layer has more than 2^64 bytes"))
    })
}

/// An iterator over [`segments`].
#[derive(Debug)]
pub struct Segments<'a> {
    pieces: Peekable<Pieces<'a>>,
}

impl Iterator for Segments<'_> {
    type Item = Result<Segment, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut segment = match self.pieces.next()? {
            Ok(segment) => segment,
            Err(error) => return Some(Err(error)),
        };
        if let Segment::Copy { layer, range } = &mut segment {
            let follows = |next: &Result<Segment, Error>, end| matches!(next, Ok(Segment::Copy { layer: other, range }) if other == layer && range.start == end);
            while let Some(Ok(Segment::Copy { range: next, .. })) = self.pieces.next_if(|next| follows(next, range.end))
            {
                range.end = next.end;
            }
        }
        Some(Ok(segment))
    }
}

/// The segments before copies that lie side by side become one.
#[derive(Debug)]
struct Pieces<'a> {
    tree: &'a Tree,
    clamp: Option<i64>,
    items: slice::Iter<'a, Item>,
    content: Option<(&'a Item, Contents<'a>)>,
    ended: bool,
}

/// The segments of one file's content, filled up to whole blocks.
#[derive(Debug)]
pub(super) struct Contents<'a> {
    content: &'a Content,
    /// How much of the file is listed.
    at: u64,
}

impl<'a> Contents<'a> {
    pub(super) fn new(content: &'a Content) -> Self {
        Self { content, at: 0 }
    }
}

impl Iterator for Contents<'_> {
    type Item = Result<Segment, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.segment().transpose()
    }
}

impl Iterator for Pieces<'_> {
    type Item = Result<Segment, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((item, content)) = &mut self.content {
                match content.next() {
                    Some(Ok(segment)) if segment.size() == 0 => continue,
                    Some(segment) => return Some(segment.map_err(|error| error.at_entry(item.path.as_bytes()))),
                    None => self.content = None,
                }
            }
            let Some(item) = self.items.next() else {
                return (!std::mem::replace(&mut self.ended, true)).then_some(Ok(Segment::Zeros(END)));
            };
            return Some(self.begin(item).map_err(|error| error.at_entry(item.path.as_bytes())));
        }
    }
}

impl<'a> Pieces<'a> {
    fn begin(&mut self, item: &'a Item) -> Result<Segment, Error> {
        match &item.step {
            Step::Copy { layer, range, .. } => {
                let size = range.end.saturating_sub(range.start);
                if size == 0 || size % BLOCK != 0 {
                    return Err(Error::malformed("its tar bytes are not whole blocks"));
                }
                Ok(Segment::Copy { layer: *layer, range: range.clone() })
            }
            Step::Encode { inode } => {
                let inode = self.tree.inode(*inode);
                if let InodeKind::File(content) = &inode.kind {
                    self.content = Some((item, Contents::new(content)));
                }
                headers(&item.path, &inode.kind, &inode.meta, None, self.clamp).map(Segment::Bytes)
            }
            Step::Whiteout => whiteout(&item.path).map(Segment::Bytes),
            Step::Link { target, inode } => {
                let inode = self.tree.inode(*inode);
                headers(&item.path, &inode.kind, &inode.meta, Some(target), self.clamp).map(Segment::Bytes)
            }
        }
    }
}

impl Contents<'_> {
    /// The next piece of content, which may be empty; padding last.
    fn segment(&mut self) -> Result<Option<Segment>, Error> {
        let size = self.content.size;
        if self.at >= size {
            let padded = size.checked_next_multiple_of(BLOCK).ok_or_else(out_of_file)?;
            let padding = padded.saturating_sub(self.at);
            self.at = padded;
            return Ok((padding > 0).then_some(Segment::Zeros(padding)));
        }
        let run = self.content.run_at(self.at)?.ok_or_else(out_of_file)?;
        let reached = self.at.checked_add(run.size()).ok_or_else(out_of_file)?;
        let segment = match run {
            Run::Layer(layer, range) => Segment::Copy { layer, range },
            Run::Bytes(bytes) => Segment::Bytes(bytes.to_vec()),
            Run::Zeros(count) => Segment::Zeros(count),
        };
        if reached > size {
            return Err(out_of_file());
        }
        self.at = reached;
        Ok(Some(segment))
    }
}

fn out_of_file() -> Error {
    Error::malformed("its data does not fit into its size")
}

#[cfg(test)]
mod tests;
