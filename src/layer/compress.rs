//! One block of a layer at a time, compressed on its own, so that any number of threads writes the same layer.
//!
//! In: a block. Out: for gzip deflate blocks that the [`super::assemble`] stage puts into one member; for zstd a frame, with its size and a
//! checksum. Nothing refers to the block before.

use super::assemble::Part;
use super::deflate::Deflate;
use super::encoding::Encoding;
use super::fill::Block;
use crate::error::Error;
use zstd::zstd_safe::{CParameter, compress_bound};

/// Compresses blocks; each thread has its own.
pub(super) enum Compressor {
    Deflate(Box<Deflate>),
    Zstd(zstd::bulk::Compressor<'static>),
    /// What needs no compression before it is assembled.
    Nothing,
}

impl Compressor {
    pub(super) fn new(encoding: Encoding) -> Result<Self, Error> {
        match encoding {
            Encoding::Plain | Encoding::Zstd { long: true, .. } => Ok(Self::Nothing),
            Encoding::Gzip { level, .. } => {
                let deflate = Deflate::new(level).map_err(|error| Error::io("start deflate", error))?;
                Ok(Self::Deflate(Box::new(deflate)))
            }
            Encoding::Zstd { level, long: false } => zstd::bulk::Compressor::new(level)
                .and_then(|mut compressor| {
                    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
                    Ok(Self::Zstd(compressor))
                })
                .map_err(|error| Error::io("start zstd", error)),
        }
    }

    /// One block, compressed on its own.
    pub(super) fn compress(&mut self, block: &Block) -> Result<Part, Error> {
        match self {
            Self::Deflate(deflate) => {
                deflate.run(block.data()).map(Part::Deflated).map_err(|error| Error::io("deflate", error))
            }
            Self::Zstd(zstd) => {
                let mut out = Vec::with_capacity(compress_bound(block.data().len()));
                zstd.compress_to_buffer(block.data(), &mut out)
                    .map_err(|error| Error::io("compress with zstd", error))?;
                Ok(Part::Bytes(out))
            }
            Self::Nothing => Ok(Part::Bytes(block.data().to_vec())),
        }
    }
}
