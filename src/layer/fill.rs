//! Pieces into blocks of one size: the only place of the write half that reads the input.
//!
//! In: pieces and the blobs that they point into. Out: full blocks, the last one shorter, as is one before reused bytes. Positioned reads go
//! straight into the block; a blob that ends too early is an integrity error, never a shorter layer.

use super::cut::{Piece, Reused};
use super::segment::Segment;
use crate::archive::Blob;
use crate::error::Error;
use crate::rootfs::LayerId;
use std::collections::BTreeMap;
use std::io;

/// Finds the uncompressed tar of a layer.
pub type Sources<'a> = &'a (dyn Fn(LayerId) -> Option<&'a Blob> + Sync);

/// A part of the layer on its way through the threads; its memory is used again.
#[derive(Debug, Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    used: usize,
    /// Where it goes.
    pub(super) way: Way,
}

/// What becomes of a block after its bytes were hashed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Way {
    /// It is encoded.
    #[default]
    Encode,
    /// Deflate blocks of the input hold it. Those of a whole run go with the run's first block.
    Reuse(Option<Reused>),
}

impl Block {
    /// The bytes.
    pub(super) fn data(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }
}

/// Where the bytes of a layer of the input went, in bytes of its uncompressed tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The layer.
    pub layer: LayerId,
    /// Bytes whose deflate blocks were copied.
    pub reused: u64,
    /// Bytes that were encoded.
    pub encoded: u64,
}

/// Fills blocks from pieces.
pub(super) struct Filler<'a, I> {
    pieces: I,
    sources: Sources<'a>,
    piece: Option<Piece>,
    /// How much of the piece is written.
    done: u64,
    origins: BTreeMap<LayerId, Origin>,
}

impl<'a, I: Iterator<Item = Result<Piece, Error>>> Filler<'a, I> {
    pub(super) fn new(pieces: I, sources: Sources<'a>) -> Self {
        Self { pieces, sources, piece: None, done: 0, origins: BTreeMap::new() }
    }

    /// Fills a block with the next `size` bytes, fewer only at the end and where bytes that are encoded and bytes that are reused
    /// meet; false where nothing is left.
    pub(super) fn fill(&mut self, block: &mut Block, size: usize) -> Result<bool, Error> {
        block.bytes.resize(size, 0);
        (block.used, block.way) = (0, Way::Encode);
        while let Some(room) = block.bytes.get_mut(block.used..).filter(|room| !room.is_empty()) {
            let Some(Piece { segment, reused }) = &self.piece else {
                match self.pieces.next().transpose()? {
                    None => break,
                    Some(next) => self.begin(next),
                }
                continue;
            };
            let left = segment.size().saturating_sub(self.done);
            if left == 0 {
                self.piece = None;
                continue;
            }
            if let Some(reused) = reused {
                if block.used > 0 {
                    break;
                }
                block.way = Way::Reuse((self.done == 0).then(|| reused.clone()));
            }
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(room.len());
            put(segment, self.done, room.get_mut(..count).unwrap_or_default(), self.sources)?;
            self.done = self.done.saturating_add(count as u64);
            block.used = block.used.saturating_add(count);
            if reused.is_some() {
                break;
            }
        }
        Ok(block.used > 0)
    }

    /// Where the bytes so far went, the lowest layer first.
    pub(super) fn into_origins(self) -> Vec<Origin> {
        self.origins.into_values().collect()
    }

    fn begin(&mut self, piece: Piece) {
        if let Segment::Copy { layer, range } = &piece.segment {
            let origin = self.origins.entry(*layer).or_insert(Origin { layer: *layer, reused: 0, encoded: 0 });
            let bytes = if piece.reused.is_some() { &mut origin.reused } else { &mut origin.encoded };
            *bytes = bytes.saturating_add(range.end.saturating_sub(range.start));
        }
        (self.piece, self.done) = (Some(piece), 0);
    }
}

/// Writes the bytes of a segment from `done` on.
pub(super) fn put(segment: &Segment, done: u64, room: &mut [u8], sources: Sources<'_>) -> Result<(), Error> {
    match segment {
        Segment::Copy { layer, range } => read(*layer, range.start.saturating_add(done), room, sources),
        Segment::Zeros(_) => {
            room.fill(0);
            Ok(())
        }
        Segment::Bytes(bytes) => {
            let start = usize::try_from(done).unwrap_or(usize::MAX);
            let wanted = start.checked_add(room.len()).and_then(|end| bytes.get(start..end));
            room.copy_from_slice(wanted.ok_or_else(|| Error::malformed("a segment is shorter than it says"))?);
            Ok(())
        }
    }
}

/// Reads bytes of the uncompressed tar of a layer from `at` on.
///
/// Errors: `Integrity` where it ends too early, `Io` where it cannot be read.
pub(crate) fn read(layer: LayerId, at: u64, room: &mut [u8], sources: Sources<'_>) -> Result<(), Error> {
    let place = || format!("layer blob {}", layer.0.saturating_add(1));
    let blob = sources(layer).ok_or_else(|| Error::malformed("its data is not at hand").in_layer(place()))?;
    blob.read_exact_at(room, at).map_err(|error| {
        let error = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::integrity(format!("its data ends before offset {}", at.saturating_add(room.len() as u64)))
                    .hint("do not change the input while it is read")
            }
            _ => Error::io("read its data", error),
        };
        error.in_layer(place())
    })
}

#[cfg(test)]
pub(super) mod tests;
