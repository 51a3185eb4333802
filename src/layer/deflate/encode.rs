//! Fresh deflate blocks, for what no block of the input holds.
//!
//! In: a chunk of the layer. Out: deflate blocks that refer to nothing before the chunk, and where they lie. libdeflate is the fastest
//! encoder and the one with the best ratio (benches/RESULTS.md), and makes whole streams only; so the stream is inflated again, which finds its
//! blocks, and proves it.

use super::blocks::Blocks;
use super::zlib::{Inflate, Stop, Wrapper};
use libdeflater::{CompressionLvl, Compressor};
use std::io;

/// Deflates chunks; each thread has its own.
pub(in crate::layer) struct Deflate {
    compressor: Compressor,
    inflate: Inflate,
    /// Room for the compressed bytes, and for what they inflate to.
    room: Vec<u8>,
    again: Vec<u8>,
}

/// A chunk as deflate blocks.
pub(in crate::layer) struct Deflated {
    /// The compressed bytes.
    pub(in crate::layer) bytes: Vec<u8>,
    /// All of their blocks.
    pub(in crate::layer) blocks: Blocks,
}

impl Deflate {
    /// At this level, 1 to 9.
    ///
    /// # Errors
    ///
    /// Where there is no such level, or no memory.
    pub(in crate::layer) fn new(level: u32) -> io::Result<Self> {
        let level = i32::try_from(level).ok().and_then(|level| CompressionLvl::new(level).ok());
        let level = level.ok_or_else(|| io::Error::other("no such level of deflate"))?;
        Ok(Self {
            compressor: Compressor::new(level),
            inflate: Inflate::new(Wrapper::None)?,
            room: Vec::new(),
            again: Vec::new(),
        })
    }

    /// Deflates a chunk.
    ///
    /// # Errors
    ///
    /// Where the result does not inflate to the chunk.
    pub(in crate::layer) fn run(&mut self, chunk: &[u8]) -> io::Result<Deflated> {
        let bound = self.compressor.deflate_compress_bound(chunk.len());
        self.room.resize(bound.max(self.room.len()), 0);
        let len = self.compressor.deflate_compress(chunk, &mut self.room).map_err(io::Error::other)?;
        let bytes = self.room.get(..len).unwrap_or_default().to_vec();
        let blocks = self.blocks(&bytes, chunk)?;
        Ok(Deflated { bytes, blocks })
    }

    fn blocks(&mut self, bytes: &[u8], chunk: &[u8]) -> io::Result<Blocks> {
        self.inflate.reset();
        self.again.resize(chunk.len().saturating_add(1).max(self.again.len()), 0);
        let mut blocks = Blocks::default();
        blocks.member();
        blocks.boundary(0, 0, false);
        let (mut consumed, mut produced) = (0_usize, 0_usize);
        loop {
            let rest = bytes.get(consumed..).unwrap_or_default();
            let step = self.inflate.run(rest, self.again.get_mut(produced..).unwrap_or_default())?;
            consumed = consumed.saturating_add(step.consumed);
            produced = produced.saturating_add(step.produced);
            match step.stop {
                Stop::Boundary { ahead, last } => {
                    let bit = (consumed as u64).saturating_mul(8).saturating_sub(u64::from(ahead));
                    blocks.boundary(bit, produced as u64, last);
                }
                Stop::End if self.again.get(..produced) == Some(chunk) => return Ok(blocks),
                _ => return Err(io::Error::other("the deflated bytes do not inflate to what they were")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_chunk_is_whole_blocks_from_its_first_bit_on() {
        let chunk: Vec<u8> = (0..300_000_u32).flat_map(|n| (n / 7).wrapping_mul(n).to_le_bytes()).collect();
        for level in 1..=9 {
            let Deflated { bytes, blocks } = Deflate::new(level).unwrap().run(&chunk).unwrap();
            assert_eq!((blocks.all()[0].bits.start, blocks.all()[0].start), (0, 0));
            assert!(blocks.all().windows(2).all(|pair| pair[0].bits.end == pair[1].bits.start));
            assert_eq!(bytes.len() as u64, blocks.all().last().unwrap().bits.end.div_ceil(8));
            let mut again = Vec::new();
            flate2::read::DeflateDecoder::new(bytes.as_slice()).read_to_end(&mut again).unwrap();
            assert!(again == chunk);
        }
    }

    #[test]
    fn nothing_is_no_block() {
        assert!(Deflate::new(6).unwrap().run(b"").unwrap().blocks.all().is_empty());
        assert!(Deflate::new(0).is_err() || Deflate::new(99).is_err());
    }
}
