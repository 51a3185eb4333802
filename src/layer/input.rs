//! Where the scanner reads a tar from: a blob, of which only headers are read, or a stream.
//!
//! In: bytes. Out: the same bytes, a position, and jumps over data; both kinds end alike, so that a layer scans
//! alike whether it is compressed or not. Memory: one buffer at most.

use crate::archive::Blob;
use crate::error::Error;
use std::io::{BufRead, ErrorKind};

/// A tar that is read once, from its start to its end.
pub trait TarInput {
    /// Fills the buffer; less than all of it only where the tar ends.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;

    /// Jumps over `n` bytes; tells how many there were, fewer only where the tar ends.
    fn skip(&mut self, n: u64) -> Result<u64, Error>;

    /// How many bytes have been read and jumped over.
    fn position(&self) -> u64;

    /// Fills the buffer or says where the tar was cut off (T31).
    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        match self.read(buffer)? {
            read if read == buffer.len() => Ok(()),
            _ => Err(self.truncated()),
        }
    }

    /// The error of a tar that ends here and must not.
    fn truncated(&self) -> Error {
        Error::malformed(format!("the tar is truncated at offset {}", self.position()))
    }
}

/// After a jump this much is read, a page: the next header, and for small files the one after.
const FIRST_READ: usize = 4 << 10;
/// Reads that follow each other grow up to this.
const LONGEST_READ: usize = 64 << 10;

/// A tar in a file: jumps cost nothing.
#[derive(Debug)]
pub struct BlobInput<'a> {
    blob: &'a Blob,
    position: u64,
    buffer: Box<[u8]>,
    /// Where the buffered bytes lie in the blob, and how many they are.
    start: u64,
    filled: usize,
    next_read: usize,
}

impl<'a> BlobInput<'a> {
    /// Reads `blob` from its start.
    pub fn new(blob: &'a Blob) -> Self {
        let buffer = vec![0; LONGEST_READ].into_boxed_slice();
        Self { blob, position: 0, buffer, start: 0, filled: 0, next_read: FIRST_READ }
    }

    /// The buffered bytes from the position on.
    fn buffered(&self) -> &[u8] {
        let filled = self.buffer.get(..self.filled).unwrap_or_default();
        let from = self.position.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        from.and_then(|from| filled.get(from..)).unwrap_or_default()
    }

    fn refill(&mut self) -> Result<(), Error> {
        let goes_on = self.position == self.start.saturating_add(self.filled as u64);
        self.next_read = if goes_on { self.next_read.saturating_mul(2).min(LONGEST_READ) } else { FIRST_READ };
        (self.start, self.filled) = (self.position, 0);
        let buffer = self.buffer.get_mut(..self.next_read).unwrap_or_default();
        self.filled = loop {
            match self.blob.read_at(buffer, self.position) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result.map_err(|error| Error::io("read the layer", error))?,
            }
        };
        if self.filled == 0 && self.position < self.blob.len() {
            return Err(Error::io("read the layer", ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }
}

impl TarInput for BlobInput<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            if self.buffered().is_empty() {
                self.refill()?;
            }
            let copied = copy(self.buffered(), rest);
            if copied == 0 {
                break;
            }
            done = done.saturating_add(copied);
            self.position = self.position.saturating_add(copied as u64);
        }
        Ok(done)
    }

    fn skip(&mut self, n: u64) -> Result<u64, Error> {
        let skipped = n.min(self.blob.len().saturating_sub(self.position));
        self.position = self.position.saturating_add(skipped);
        Ok(skipped)
    }

    fn position(&self) -> u64 {
        self.position
    }
}

/// A tar that comes out of a decoder: jumps read on.
#[derive(Debug)]
pub struct StreamInput<R> {
    reader: R,
    position: u64,
}

impl<R: BufRead> StreamInput<R> {
    /// Reads `reader` to its end.
    pub fn new(reader: R) -> Self {
        Self { reader, position: 0 }
    }

    /// The reader.
    pub fn into_inner(self) -> R {
        self.reader
    }

    fn buffered(&mut self) -> Result<&[u8], Error> {
        let is_end = loop {
            match self.reader.fill_buf() {
                Ok(bytes) => break bytes.is_empty(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read the layer", error)),
            }
        };
        // What is buffered is not read again; an end would be.
        if is_end { Ok(&[]) } else { self.reader.fill_buf().map_err(|error| Error::io("read the layer", error)) }
    }

    fn consume(&mut self, n: usize) {
        self.reader.consume(n);
        self.position = self.position.saturating_add(n as u64);
    }
}

impl<R: BufRead> TarInput for StreamInput<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let copied = copy(self.buffered()?, rest);
            if copied == 0 {
                break;
            }
            done = done.saturating_add(copied);
            self.consume(copied);
        }
        Ok(done)
    }

    fn skip(&mut self, n: u64) -> Result<u64, Error> {
        let mut left = n;
        while left > 0 {
            let buffered = self.buffered()?.len();
            if buffered == 0 {
                break;
            }
            let step = usize::try_from(left).unwrap_or(usize::MAX).min(buffered);
            self.consume(step);
            left = left.saturating_sub(step as u64);
        }
        Ok(n.saturating_sub(left))
    }

    fn position(&self) -> u64 {
        self.position
    }
}

/// Copies as much as fits.
fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let len = from.len().min(to.len());
    if let (Some(from), Some(to)) = (from.get(..len), to.get_mut(..len)) {
        to.copy_from_slice(from);
    }
    len
}
