//! A stream in, its plain bytes in an unlinked spill file out.
//!
//! Plain, gzip and zstd streams go through the decoder of layers; xz, which no layer uses, has its own. Bounded by
//! `limits.expanded`, by `limits.ratio` once 64 MiB are written, and by `limits.window`.

use crate::error::Error;
use crate::layer::codec::{self, Decoder, RATIO_FROM};
use crate::options::Limits;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::rc::Rc;

/// How a whole archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// As layers may be, or not at all.
    Layer(codec::Codec),
    Xz,
}

impl Packing {
    pub(super) const PLAIN: Self = Self::Layer(codec::Codec::Plain);
}

/// An unlinked file with the plain bytes.
#[derive(Debug)]
pub(super) struct Spill {
    pub(super) file: File,
    /// Its bytes.
    pub(super) len: u64,
    /// The bytes that were read to make it.
    pub(super) read: u64,
}

/// Writes what `source` holds into a spill file in `temp_dir`.
pub(super) fn to_spill(source: impl Read, packing: Packing, temp_dir: &Path, limits: &Limits) -> Result<Spill, Error> {
    let read = Rc::new(Cell::new(0));
    let source = Counted { inner: source, read: Rc::clone(&read) };
    let mut file = tempfile::tempfile_in(temp_dir)
        .map_err(|cause| Error::io("make a spill file", cause).hint("choose another --temp-dir"))?;
    let len = match packing {
        Packing::Layer(codec) => copy(Decoder::new(source, codec, limits)?, &mut file, &read, limits),
        Packing::Xz => copy(xz(BufReader::with_capacity(1 << 17, source), limits)?, &mut file, &read, limits),
    }?;
    Ok(Spill { file, len, read: read.get() })
}

/// Every stream of an xz file, the zeros between them too.
fn xz<R: BufRead>(source: R, limits: &Limits) -> Result<liblzma::bufread::XzDecoder<R>, Error> {
    // The dictionary is a window, too; 16 MiB is for the decoder itself.
    let memory = limits.window.saturating_add(16 << 20);
    let stream = liblzma::stream::Stream::new_stream_decoder(memory, liblzma::stream::CONCATENATED)
        .map_err(|cause| Error::io("start the xz decoder", cause.into()))?;
    Ok(liblzma::bufread::XzDecoder::new_stream(source, stream))
}

fn copy(mut from: impl Read, to: &mut File, read: &Cell<u64>, limits: &Limits) -> Result<u64, Error> {
    let mut buffer = vec![0; 1 << 18];
    let mut len = 0u64;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(len),
            Ok(count) => count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(broken(cause, limits)),
        };
        len = len.saturating_add(count as u64);
        // The decoder of layers has the same two limits; xz has these.
        if len > limits.expanded {
            return Err(Error::limit(format!("the input unpacks to more than {} bytes", limits.expanded))
                .hint("raise it with --limit expanded=BYTES"));
        }
        if len > RATIO_FROM && len > read.get().saturating_mul(limits.ratio) {
            return Err(Error::limit(format!("the input unpacks to more than {} times its size", limits.ratio))
                .hint("raise it with --limit ratio=N"));
        }
        to.write_all(buffer.get(..count).unwrap_or_default())
            .map_err(|cause| Error::io("write the spill file", cause).hint("choose another --temp-dir"))?;
    }
}

/// An error of ours stays one; any other comes from the xz decoder.
fn broken(cause: io::Error, limits: &Limits) -> Error {
    let Some(inner) = cause.get_ref() else { return damaged(&cause) };
    if inner.is::<Error>() {
        return Error::io("read the input", cause);
    }
    if matches!(inner.downcast_ref(), Some(liblzma::stream::Error::MemLimit)) {
        let what = format!("the xz data asks for a dictionary of more than {} bytes", limits.window);
        return Error::limit(what).hint("raise it with --limit window=BYTES");
    }
    damaged(&cause)
}

fn damaged(cause: &io::Error) -> Error {
    let why = crate::error::escape(cause.to_string().as_bytes());
    Error::malformed(format!("the xz data is damaged or truncated: {why}"))
}

/// Counts what was taken from a reader, and marks an error of the file as one, lest it pass for damaged data.
#[derive(Debug)]
struct Counted<R> {
    inner: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(count) => {
                self.read.set(self.read.get().saturating_add(count as u64));
                Ok(count)
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => Err(cause),
            Err(cause) => Err(Error::io("read the input", cause).into()),
        }
    }
}
