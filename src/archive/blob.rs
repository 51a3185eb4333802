//! A run of bytes of the input that can be opened any number of times, by several threads at once.
//!
//! Positioned reads, never a map: a mapped archive counts as resident memory and kills a limited container.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A part of a file of the input: a member of the archive, a file of a layout directory, a spill file.
#[derive(Debug, Clone)]
pub struct Blob {
    file: Arc<File>,
    offset: u64,
    len: u64,
}

impl Blob {
    /// The `len` bytes of `file` from `offset`.
    pub fn new(file: Arc<File>, offset: u64, len: u64) -> Self {
        Self { file, offset, len }
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether this is the same run of the same opened file.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file) && (self.offset, self.len) == (other.offset, other.len)
    }

    /// Reads bytes from `at` on; 0 at the end.
    pub fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        let position = self.offset.checked_add(at).ok_or(io::ErrorKind::InvalidInput)?;
        self.file.read_at(buffer, position)
    }

    /// Fills the buffer from `at` on, or says that the file ends too early.
    pub fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        let mut reader = BlobReader { blob: self, position: at };
        reader.read_exact(buffer)
    }

    /// A reader over the whole blob with a position of its own.
    pub fn reader(&self) -> BlobReader<'_> {
        BlobReader { blob: self, position: 0 }
    }
}

/// Reads a [`Blob`] from its start to its end.
#[derive(Debug)]
pub struct BlobReader<'a> {
    blob: &'a Blob,
    position: u64,
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.blob.read_at(buffer, self.position)?;
        self.position = self.position.saturating_add(read as u64);
        if read == 0 && self.position < self.blob.len && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than its headers say"));
        }
        Ok(read)
    }
}
