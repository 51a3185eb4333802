//! Compressed parts, in order, into one stream.
//!
//! In: what the compressors made and which blocks of the input are copied. Out: pieces of the compressed layer. gzip is one member of
//! spliced deflate blocks; zstd is one frame after the other, or one long frame that is compressed here.

use super::cut::{Deflates, Reused};
use super::deflate::{Deflated, Emit, Splicer, Window};
use super::encoding::Encoding;
use crate::error::Error;
use std::io::Write;

/// The window of a long zstd frame, as `zstd --long` has it: 128 MiB, the most that decoders take unasked.
const LONG: u32 = 27;

/// A part of the layer.
pub(super) enum Part {
    /// Bytes of the stream, or of the layer where it is compressed in one go.
    Bytes(Vec<u8>),
    /// Fresh deflate blocks.
    Deflated(Deflated),
    /// Deflate blocks of the input.
    Reused(Reused),
    /// The end: the checksum and the number of all bytes of the layer.
    End {
        /// CRC-32.
        crc: u32,
        /// Bytes.
        size: u64,
    },
}

/// Puts parts together.
pub(super) enum Assembler<'a> {
    /// One after the other.
    AsIs,
    Gzip(Splicer, Deflates<'a>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl<'a> Assembler<'a> {
    pub(super) fn new(encoding: Encoding, deflates: Deflates<'a>) -> Result<Self, Error> {
        match encoding {
            Encoding::Plain | Encoding::Zstd { long: false, .. } => Ok(Self::AsIs),
            Encoding::Gzip { .. } => {
                let mut splicer = Splicer::default();
                // No name, no time, of an unknown system (RFC 1952, 2.3).
                splicer.bytes(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
                Ok(Self::Gzip(splicer, deflates))
            }
            Encoding::Zstd { level, long: true } => {
                let start = |error| Error::io("start zstd", error);
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level).map_err(start)?;
                encoder.include_checksum(true).map_err(start)?;
                encoder.long_distance_matching(true).map_err(start)?;
                encoder.window_log(LONG).map_err(start)?;
                Ok(Self::Zstd(encoder))
            }
        }
    }

    /// Adds a part; false where nobody wants more.
    pub(super) fn add(&mut self, part: Part, emit: Emit<'_>) -> Result<bool, Error> {
        match (self, part) {
            (Self::Gzip(splicer, _), Part::Deflated(Deflated { bytes, blocks })) => {
                splicer.append(&mut Window::of_bytes(bytes), blocks.all(), emit)
            }
            (Self::Gzip(splicer, deflates), Part::Reused(Reused { layer, blocks: numbers })) => {
                let place = || format!("layer blob {}", layer.0.saturating_add(1));
                let missing = || Error::malformed("its deflate blocks are not at hand").in_layer(place());
                let (blob, blocks) = deflates(layer).ok_or_else(missing)?;
                let added = splicer.append(&mut Window::of_blob(blob), blocks.get(numbers), emit);
                added.map_err(|error| error.in_layer(place()))
            }
            (Self::Gzip(splicer, _), Part::End { crc, size }) => {
                splicer.end();
                splicer.bytes(&crc.to_le_bytes());
                let [a, b, c, d, ..] = size.to_le_bytes(); // RFC 1952: the size modulo 2^32
                splicer.bytes(&[a, b, c, d]);
                Ok(splicer.finish(emit))
            }
            (Self::Zstd(encoder), Part::Bytes(bytes)) => {
                encoder.write_all(&bytes).map_err(|error| Error::io("compress with zstd", error))?;
                Ok(hand_on(encoder.get_mut(), emit))
            }
            (Self::Zstd(encoder), Part::End { .. }) => {
                encoder.do_finish().map_err(|error| Error::io("compress with zstd", error))?;
                Ok(hand_on(encoder.get_mut(), emit))
            }
            (Self::AsIs, Part::Bytes(mut bytes)) => Ok(emit(&mut bytes)),
            // A reader takes an empty file for damage, not for an empty layer.
            (Self::AsIs, Part::End { size: 0, .. }) => {
                let frame = zstd::bulk::compress(&[], 0);
                frame.map(|mut frame| emit(&mut frame)).map_err(|error| Error::io("compress with zstd", error))
            }
            (Self::AsIs, Part::End { .. }) => Ok(true),
            _ => Err(Error::malformed("a part of another compression")),
        }
    }
}

fn hand_on(piece: &mut Vec<u8>, emit: Emit<'_>) -> bool {
    let wanted = emit(piece);
    piece.clear();
    wanted
}
