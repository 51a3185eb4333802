//! One block of a layer at a time, compressed so that the blocks in a row are one valid stream.
//!
//! In: a block, and for gzip the 32 KiB before it. Out: bytes that depend on nothing but these, so that any
//! number of threads writes the same layer. gzip is one member: raw deflate blocks, each ended by a sync flush,
//! then an empty last one. zstd is one frame a block, with its size and a checksum.

use super::fill::Block;
use crate::error::Error;
use crate::options::Compression;
use flate2::{Compress, Crc, FlushCompress, Status};
use std::io;
use zstd::zstd_safe::{CParameter, compress_bound};

const MIB: usize = 1 << 20;

/// How a layer's blocks are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// Not at all.
    Plain,
    /// gzip at this level.
    Gzip(u32),
    /// zstd at this level.
    Zstd(i32),
}

impl Codec {
    /// Checks what the user asked for.
    pub(super) fn new(compression: Compression) -> Result<Self, Error> {
        match compression {
            Compression::None => Ok(Self::Plain),
            Compression::Gzip(level) => match level.unwrap_or(6) {
                level @ 1..=9 => Ok(Self::Gzip(level)),
                level => Err(Error::usage(format!("gzip has no level {level}")).hint("choose 1 to 9")),
            },
            Compression::Zstd(level) => match level.unwrap_or(3) {
                level @ 1..=22 => Ok(Self::Zstd(level)),
                level => Err(Error::usage(format!("zstd has no level {level}")).hint("choose 1 to 22")),
            },
            Compression::Keep => Err(Error::usage("the layer's compression is still open")),
        }
    }

    /// How many bytes are compressed on their own.
    pub(super) fn block_size(self) -> usize {
        match self {
            Self::Plain | Self::Gzip(_) => MIB,
            Self::Zstd(_) => 8 * MIB,
        }
    }

    /// How many bytes before a block its compressor can refer to.
    pub(super) fn dictionary_size(self) -> usize {
        if matches!(self, Self::Gzip(_)) { 32 << 10 } else { 0 }
    }

    /// What comes before the first block: for gzip a header without name and time, of an unknown system.
    pub(super) fn head(self) -> Vec<u8> {
        match self {
            Self::Gzip(_) => vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff],
            _ => Vec::new(),
        }
    }

    /// What comes after the last block, given the checksum and the number of all bytes.
    pub(super) fn tail(self, crc: &Crc, size: u64) -> Result<Vec<u8>, Error> {
        match self {
            Self::Gzip(_) => {
                let [a, b, c, d, ..] = size.to_le_bytes(); // RFC 1952: the size modulo 2^32
                Ok([&[3, 0], &crc.sum().to_le_bytes()[..], &[a, b, c, d]].concat())
            }
            // A reader takes an empty file for damage, not for an empty layer.
            Self::Zstd(_) if size == 0 => Compressor::new(self)?.compress(&Block::default()),
            _ => Ok(Vec::new()),
        }
    }
}

/// Compresses blocks; each thread has its own.
pub(super) enum Compressor {
    /// Raw deflate.
    Deflate(Compress),
    /// zstd frames.
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Compressor {
    pub(super) fn new(codec: Codec) -> Result<Self, Error> {
        match codec {
            Codec::Zstd(level) => zstd::bulk::Compressor::new(level)
                .and_then(|mut compressor| {
                    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
                    Ok(Self::Zstd(compressor))
                })
                .map_err(|error| Error::io("start zstd", error)),
            Codec::Plain => Ok(Self::Deflate(Compress::new(flate2::Compression::none(), false))),
            Codec::Gzip(level) => Ok(Self::Deflate(Compress::new(flate2::Compression::new(level), false))),
        }
    }

    /// One block, compressed on its own.
    pub(super) fn compress(&mut self, block: &Block) -> Result<Vec<u8>, Error> {
        match self {
            Self::Deflate(deflate) => deflate_block(deflate, block).map_err(|error| Error::io("deflate", error)),
            Self::Zstd(zstd) => {
                let mut out = Vec::with_capacity(compress_bound(block.data().len()));
                zstd.compress_to_buffer(block.data(), &mut out)
                    .map_err(|error| Error::io("compress with zstd", error))?;
                Ok(out)
            }
        }
    }
}

fn deflate_block(deflate: &mut Compress, block: &Block) -> io::Result<Vec<u8>> {
    let data = block.data();
    deflate.reset();
    if !block.dictionary.is_empty() {
        deflate.set_dictionary(&block.dictionary).map_err(io::Error::other)?;
    }
    // Level 1 of zlib-rs may write nine bits a byte. With room for all, one call does it: a second one would add
    // a second flush.
    let bound = data.len().saturating_add(data.len() >> 3).saturating_add(1024);
    let mut out = Vec::with_capacity(bound);
    let status = deflate.compress_vec(data, &mut out, FlushCompress::Sync).map_err(io::Error::other)?;
    if status != Status::Ok || deflate.total_in() != data.len() as u64 || out.len() == out.capacity() {
        return Err(io::Error::other("the block did not fit into its bound"));
    }
    Ok(out)
}
