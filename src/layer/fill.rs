//! Segments into blocks of one size: the only place of the write half that reads the input.
//!
//! In: segments and the blobs that they point into. Out: full blocks, the last one shorter. Positioned reads go
//! straight into the block; a blob that ends too early is an integrity error, never a shorter layer.

use super::segment::Segment;
use crate::archive::Blob;
use crate::error::Error;
use crate::rootfs::LayerId;
use std::io;

/// Finds the uncompressed tar of a layer.
pub type Sources<'a> = &'a (dyn Fn(LayerId) -> Option<&'a Blob> + Sync);

/// A part of the layer on its way through the threads; its memory is used again.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// The last bytes before this block, for a compressor to refer to.
    pub(super) dictionary: Vec<u8>,
    bytes: Vec<u8>,
    used: usize,
}

impl Block {
    /// The bytes.
    pub(super) fn data(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }
}

/// Fills blocks from segments.
pub(super) struct Filler<'a, I> {
    segments: I,
    sources: Sources<'a>,
    segment: Option<Segment>,
    /// How much of the segment is written.
    done: u64,
    /// The end of the block before.
    tail: Vec<u8>,
}

impl<'a, I: Iterator<Item = Result<Segment, Error>>> Filler<'a, I> {
    pub(super) fn new(segments: I, sources: Sources<'a>) -> Self {
        Self { segments, sources, segment: None, done: 0, tail: Vec::new() }
    }

    /// Fills a block with the next `size` bytes, fewer only at the end; false where nothing is left. The block
    /// remembers up to `dictionary` bytes before it.
    pub(super) fn fill(&mut self, block: &mut Block, size: usize, dictionary: usize) -> Result<bool, Error> {
        block.bytes.resize(size, 0);
        block.used = 0;
        block.dictionary.clear();
        block.dictionary.extend_from_slice(&self.tail);
        while let Some(room) = block.bytes.get_mut(block.used..).filter(|room| !room.is_empty()) {
            let Some(segment) = &self.segment else {
                match self.segments.next() {
                    None => break,
                    Some(next) => self.segment = Some(next?),
                }
                self.done = 0;
                continue;
            };
            let left = segment.size().saturating_sub(self.done);
            if left == 0 {
                self.segment = None;
                continue;
            }
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(room.len());
            put(segment, self.done, room.get_mut(..count).unwrap_or_default(), self.sources)?;
            self.done = self.done.saturating_add(count as u64);
            block.used = block.used.saturating_add(count);
        }
        self.tail.clear();
        let start = block.used.saturating_sub(dictionary);
        self.tail.extend_from_slice(block.data().get(start..).unwrap_or_default());
        Ok(block.used > 0)
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
