//! Segments cut where deflate blocks of the input can take over. Pure.
//!
//! In: segments, and the blocks of gzip layers. Out: the same bytes in the same order; each piece is either the content of whole blocks that are
//! copied, or is encoded.

use super::deflate::Blocks;
use super::segment::Segment;
use crate::archive::Blob;
use crate::error::Error;
use crate::rootfs::LayerId;
use std::ops::Range;

/// Finds the gzip bytes of a layer, and the blocks in them; nothing where it is no gzip layer.
pub type Deflates<'a> = &'a (dyn Fn(LayerId) -> Option<(&'a Blob, &'a Blocks)> + Sync);

/// A run of whole deflate blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reused {
    pub(super) layer: LayerId,
    /// The numbers of the blocks.
    pub(super) blocks: Range<usize>,
}

/// A piece of the layer that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its bytes.
    pub(super) segment: Segment,
    /// The blocks that hold exactly these bytes, where they are copied.
    pub(super) reused: Option<Reused>,
}

/// Cuts segments.
pub(super) struct Cut<'a, I> {
    segments: I,
    deflates: Option<Deflates<'a>>,
    /// Pieces of the last segment, the next one last.
    ahead: Vec<Piece>,
}

impl<'a, I: Iterator<Item = Result<Segment, Error>>> Cut<'a, I> {
    /// Without `deflates` all is encoded.
    pub(super) fn new(segments: I, deflates: Option<Deflates<'a>>) -> Self {
        Self { segments, deflates, ahead: Vec::new() }
    }

    fn cut(&mut self, segment: Segment) {
        let copied = match (&segment, self.deflates) {
            (Segment::Copy { layer, range }, Some(deflates)) => deflates(*layer).and_then(|(_, blocks)| {
                let (numbers, held) = blocks.within(range)?;
                Some((*layer, range.clone(), numbers, held))
            }),
            _ => None,
        };
        let Some((layer, range, blocks, held)) = copied else {
            return self.ahead.push(Piece { segment, reused: None });
        };
        let (before, after) = (range.start..held.start, held.end..range.end);
        let reused = Some(Reused { layer, blocks });
        for (range, reused) in [(after, None), (held, reused), (before, None)] {
            if !range.is_empty() {
                self.ahead.push(Piece { segment: Segment::Copy { layer, range }, reused });
            }
        }
    }
}

impl<I: Iterator<Item = Result<Segment, Error>>> Iterator for Cut<'_, I> {
    type Item = Result<Piece, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ahead.is_empty() {
            match self.segments.next()? {
                Ok(segment) => self.cut(segment),
                Err(error) => return Some(Err(error)),
            }
        }
        self.ahead.pop().map(Ok)
    }
}
