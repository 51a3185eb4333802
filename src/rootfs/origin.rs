//! Where a name comes from: the entry of a layer, and its bytes.
//!
//! In: what a layer's entries say. Out: a value that the plan copies or encodes by. There is one a name and one more in the layer's own tree, so it
//! is kept small.

use super::entry::LayerId;
use super::path::RootPath;
use std::num::{NonZeroU32, NonZeroU64};
use std::ops::Range;

/// The entry of a layer that gave a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The layer.
    pub layer: LayerId,
    /// The entry's number in its layer, from 1 on.
    pub index: NonZeroU32,
    /// The entry's tar bytes, where they may be copied as they are (see [`super::Entry::verbatim`]).
    pub verbatim: Option<Span>,
    /// For a hard link, the target that its header names; `None` for the entry that defines the inode.
    pub link: Option<Box<RootPath>>,
}

/// A range of bytes that is not empty, in two thirds of the memory of an optional [`Range`]: there is one a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u64,
    length: NonZeroU64,
}

impl Span {
    /// `None` for an empty range, which is no entry.
    pub fn of(range: &Range<u64>) -> Option<Self> {
        let length = range.end.checked_sub(range.start).and_then(NonZeroU64::new)?;
        Some(Self { start: range.start, length })
    }

    /// The bytes.
    pub fn range(self) -> Range<u64> {
        self.start..self.start.saturating_add(self.length.get())
    }
}
