//! Layer compression: which one, by magic bytes, and the bytes inside.
//!
//! In: compressed bytes. Out: all of the tar, every gzip member and every zstd frame, each checksum checked; or an
//! error where the data is cut off, damaged, followed by something else, or larger than the limits allow.

use super::deflate::{Blocks, Gunzip};
use super::header::{BLOCK, Block, Header};
use crate::error::Error;
use crate::options::Limits;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a layer's bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Not at all: a tar.
    Plain,
    /// gzip (RFC 1952), any number of members.
    Gzip,
    /// Zstandard (RFC 8878), any number of frames.
    Zstd,
}

impl Codec {
    /// What a media type of a layer says; nothing where it is none of the known ones.
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        [
            ("+gzip", Self::Gzip),
            (".gzip", Self::Gzip),
            ("+zstd", Self::Zstd),
            (".zstd", Self::Zstd),
            (".tar", Self::Plain),
        ]
        .into_iter()
        .find_map(|(suffix, codec)| media_type.ends_with(suffix).then_some(codec))
    }

    /// The media type of such a layer in an OCI manifest. Docker's own media types have no zstd, so they are never
    /// written.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Plain => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }

    /// Looks at the first bytes of a layer, at least 512 where it has them. gzip and zstd are recognised as
    /// containerd does it, by their magic alone.
    ///
    /// # Errors
    ///
    /// `Unsupported` for a compression that Docker may know and imgstrip does not.
    pub fn sniff(start: &[u8]) -> Result<Self, Error> {
        let name = match start {
            [0x1f, 0x8b, 0x08, ..] => return Ok(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => return Ok(Self::Zstd),
            [b'B', b'Z', b'h', ..] => "bzip2",
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "xz",
            [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => "lz4",
            [b'L', b'Z', b'I', b'P', ..] => "lzip",
            [0x1f, 0x9d, ..] => "compress",
            [0x5d, 0, 0, ..] => "lzma",
            _ => return Ok(Self::Plain),
        };
        // A tar may begin with a file of such a name.
        if start.first_chunk::<BLOCK>().is_some_and(|block: &Block| Header::parse(block).is_ok()) {
            return Ok(Self::Plain);
        }
        Err(Error::unsupported(format!("unsupported compression {name}")).hint("compress the layer with gzip or zstd"))
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "tar",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// A layer may expand this far before its ratio is looked at: small layers of zeros are no bombs.
pub(crate) const RATIO_FROM: u64 = 64 << 20;
/// What to do about a layer that is larger than allowed.
pub(crate) const EXPANDED: &str = "raise it with --limit expanded=BYTES";
/// Compressed bytes that are asked for at once.
const READ: usize = 128 << 10;

/// Reads the bytes inside. Its errors carry an [`Error`] that [`Error::io`] takes out again.
pub struct Decoder<R: Read> {
    stage: Stage<R>,
    codec: Codec,
    consumed: Arc<AtomicU64>,
    produced: u64,
    limits: Limits,
}

enum Stage<R: Read> {
    Plain(Counted<R>),
    Gzip(Box<Gunzip<BufReader<Counted<R>>>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<Counted<R>>>),
}

impl<R: Read> Decoder<R> {
    /// Reads `reader` from the start of the compressed bytes to its end.
    ///
    /// # Errors
    ///
    /// `Io` where there is no memory for a decoder.
    pub fn new(reader: R, codec: Codec, limits: &Limits) -> Result<Self, Error> {
        let consumed = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: reader, consumed: Arc::clone(&consumed) };
        let stage = match codec {
            Codec::Plain => Stage::Plain(counted),
            Codec::Gzip => {
                let start = |error| Error::io("start the gzip decoder", error);
                Stage::Gzip(Box::new(Gunzip::new(BufReader::with_capacity(READ, counted)).map_err(start)?))
            }
            Codec::Zstd => {
                let start = |error| Error::io("start the zstd decoder", error);
                let reader = BufReader::with_capacity(READ, counted);
                let mut decoder = zstd::stream::read::Decoder::with_buffer(reader).map_err(start)?;
                decoder.window_log_max(limits.window.max(1).ilog2().clamp(10, 31)).map_err(start)?;
                Stage::Zstd(decoder)
            }
        };
        Ok(Self { stage, codec, consumed, produced: 0, limits: limits.clone() })
    }

    /// Where the deflate blocks of what was read lie; nothing where it is no gzip.
    pub fn into_blocks(self) -> Option<Blocks> {
        match self.stage {
            Stage::Gzip(gunzip) => Some(gunzip.into_blocks()),
            _ => None,
        }
    }

    fn check_limits(&self) -> Result<(), Error> {
        if self.produced > self.limits.expanded {
            let what = format!("the data expands to more than {} bytes", self.limits.expanded);
            return Err(Error::limit(what).hint(EXPANDED));
        }
        let allowed = self.consumed.load(Ordering::Relaxed).saturating_mul(self.limits.ratio);
        if self.codec != Codec::Plain && self.produced > RATIO_FROM && self.produced > allowed {
            let what = format!("the data expands more than {} times", self.limits.ratio);
            return Err(Error::limit(what).hint("raise it with --limit ratio=N"));
        }
        Ok(())
    }

    fn flaw(&self, error: io::Error) -> io::Error {
        let is_ours = error.get_ref().is_some_and(|inner| inner.is::<Error>());
        if is_ours || error.kind() == io::ErrorKind::Interrupted {
            return error;
        }
        let codec = self.codec;
        let text = error.to_string();
        if text.contains("too much memory") {
            let what = format!("a zstd frame asks for a window of more than {} bytes", self.limits.window);
            return Error::limit(what).hint("raise it with --limit window=BYTES").into();
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::malformed(format!("the {codec} data is truncated")),
            _ => Error::malformed(format!("the {codec} data is damaged: {text}")),
        }
        .into()
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.stage {
            Stage::Plain(reader) => reader.read(buffer),
            Stage::Gzip(reader) => reader.read(buffer),
            Stage::Zstd(reader) => reader.read(buffer),
        };
        let read = read.map_err(|error| self.flaw(error))?;
        self.produced = self.produced.saturating_add(read as u64);
        self.check_limits()?;
        Ok(read)
    }
}

impl<R: Read> fmt::Debug for Decoder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("codec", &self.codec).field("produced", &self.produced).finish_non_exhaustive()
    }
}

/// Counts compressed bytes, and marks an error of the file as one, lest it pass for damaged data.
struct Counted<R> {
    inner: R,
    consumed: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(read) => {
                self.consumed.fetch_add(read as u64, Ordering::Relaxed);
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(Error::io("read the layer", error).into()),
        }
    }
}

#[cfg(test)]
mod tests;
