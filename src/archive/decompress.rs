//! A stream in, its plain bytes in an unlinked spill file out.
//!
//! Every gzip member, zstd frame and xz stream is read; zeros may follow a gzip stream, anything else is refused.
//! Bounded by `limits.expanded`, by `limits.ratio` once 64 MiB are written, and by `limits.window`.

use crate::error::Error;
use crate::options::Limits;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::rc::Rc;

/// From here on the ratio counts: a small file of zeros is no attack.
const RATIO_FROM: u64 = 64 << 20;

/// How a stream is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Plain,
    Gzip,
    Zstd,
    Xz,
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
pub(super) fn to_spill(source: impl BufRead, codec: Codec, temp_dir: &Path, limits: &Limits) -> Result<Spill, Error> {
    let read = Rc::new(Cell::new(0));
    let source = Counted { inner: source, read: Rc::clone(&read) };
    let mut file = tempfile::tempfile_in(temp_dir)
        .map_err(|cause| Error::io("make a spill file", cause).hint("choose another --temp-dir"))?;
    let len = match codec {
        Codec::Plain => copy(source, &mut file, &read, limits),
        Codec::Gzip => copy(Gzip { inner: Some(flate2::bufread::GzDecoder::new(source)) }, &mut file, &read, limits),
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(source)
                .map_err(|cause| Error::io("start the zstd decoder", cause))?;
            decoder
                .window_log_max(limits.window.max(1).ilog2())
                .map_err(|cause| Error::io("set the window of the zstd decoder", cause))?;
            copy(decoder, &mut file, &read, limits)
        }
        Codec::Xz => {
            // The dictionary is a window, too; 16 MiB is for the decoder itself.
            let memory = limits.window.saturating_add(16 << 20);
            let stream = liblzma::stream::Stream::new_stream_decoder(memory, liblzma::stream::CONCATENATED)
                .map_err(|cause| Error::io("start the xz decoder", cause.into()))?;
            copy(liblzma::bufread::XzDecoder::new_stream(source, stream), &mut file, &read, limits)
        }
    }?;
    Ok(Spill { file, len, read: read.get() })
}

fn copy(mut from: impl Read, to: &mut File, read: &Cell<u64>, limits: &Limits) -> Result<u64, Error> {
    let mut buffer = vec![0; 1 << 18];
    let mut len = 0u64;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(len),
            Ok(count) => count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(broken(cause)),
        };
        len = len.saturating_add(count as u64);
        if len > limits.expanded {
            return Err(Error::limit(format!("the input unpacks to more than {} bytes", limits.expanded))
                .hint("raise --limit expanded=BYTES"));
        }
        if len > RATIO_FROM && len > read.get().saturating_mul(limits.ratio) {
            return Err(Error::limit(format!("the input unpacks to more than {} times its size", limits.ratio))
                .hint("raise --limit ratio=N"));
        }
        to.write_all(buffer.get(..count).unwrap_or_default())
            .map_err(|cause| Error::io("write the spill file", cause).hint("choose another --temp-dir"))?;
    }
}

/// An error of the operating system has a number; any other comes from the decoder.
fn broken(cause: io::Error) -> Error {
    if cause.raw_os_error().is_some() {
        return Error::io("read the input", cause);
    }
    let why = crate::error::escape(cause.to_string().as_bytes());
    Error::malformed(format!("the compressed input is damaged or cut off: {why}"))
}

/// Counts what was taken from a reader.
#[derive(Debug)]
struct Counted<R> {
    inner: R,
    read: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.set(self.read.get().saturating_add(count as u64));
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.read.set(self.read.get().saturating_add(count as u64));
        self.inner.consume(count);
    }
}

/// Every member of a gzip stream. flate2's own `MultiGzDecoder` refuses the zeros that tapes and `dd` leave
/// behind the last one.
#[derive(Debug)]
struct Gzip<R> {
    inner: Option<flate2::bufread::GzDecoder<R>>,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(decoder) = &mut self.inner else { return Ok(0) };
            let count = decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(mut rest) = self.inner.take().map(flate2::bufread::GzDecoder::into_inner) else { return Ok(0) };
            match rest.fill_buf()?.first() {
                None => {}
                Some(0) => zeros_to_the_end(rest)?,
                Some(_) => self.inner = Some(flate2::bufread::GzDecoder::new(rest)),
            }
        }
    }
}

fn zeros_to_the_end(mut rest: impl BufRead) -> io::Result<()> {
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.iter().any(|&byte| byte != 0) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "other bytes follow the gzip stream"));
        }
        let count = bytes.len();
        rest.consume(count);
    }
}
