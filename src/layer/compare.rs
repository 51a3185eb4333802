//! Whether two files hold the same bytes. In: two contents of one size and the blobs they lie in. Out: yes or no.
//!
//! Memory is two buffers; holes that both files have are not read, so a sparse file costs no more than its data.

use super::fill::{Sources, put};
use super::segment::{Contents, Segment};
use crate::error::Error;
use crate::rootfs::Content;

/// Bytes of each file that are held at once.
const CHUNK: usize = 256 << 10;

/// One of two files.
#[derive(Clone, Copy)]
pub struct Half<'a> {
    /// Where its bytes lie.
    pub content: &'a Content,
    /// The layers of its archive.
    pub sources: Sources<'a>,
    /// How errors name its archive, escaped.
    pub archive: &'a str,
}

impl std::fmt::Debug for Half<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Half").field("content", self.content).field("archive", &self.archive).finish_non_exhaustive()
    }
}

/// Compares byte for byte, reading side by side until the first difference. `check` is asked before each read.
///
/// # Errors
///
/// What `check` returns; `Io` or `Integrity` where a layer cannot be read or ends too early.
pub fn same_content(a: Half<'_>, b: Half<'_>, check: &dyn Fn() -> Result<(), Error>) -> Result<bool, Error> {
    if a.content.size != b.content.size {
        return Ok(false);
    }
    let (mut a, mut b) = (Cursor::new(a), Cursor::new(b));
    loop {
        check()?;
        let (left_a, left_b) = (a.left()?, b.left()?);
        let both = left_a.min(left_b);
        if both == 0 {
            return Ok(left_a == left_b);
        }
        let skip = a.is_hole() && b.is_hole();
        if skip {
            (a.done, b.done) = (a.done.saturating_add(both), b.done.saturating_add(both));
        } else {
            let count = usize::try_from(both).unwrap_or(usize::MAX).min(CHUNK);
            if a.read(count)? != b.read(count)? {
                return Ok(false);
            }
        }
    }
}

/// A place in a file.
struct Cursor<'a> {
    half: Half<'a>,
    pieces: Contents<'a>,
    segment: Option<Segment>,
    done: u64,
    buffer: Vec<u8>,
}

impl<'a> Cursor<'a> {
    fn new(half: Half<'a>) -> Self {
        Self { half, pieces: Contents::new(half.content), segment: None, done: 0, buffer: Vec::new() }
    }

    /// How much of the present piece is left; 0 only at the end of the file.
    fn left(&mut self) -> Result<u64, Error> {
        loop {
            let left = self.segment.as_ref().map_or(0, |segment| segment.size().saturating_sub(self.done));
            if left > 0 {
                return Ok(left);
            }
            self.done = 0;
            self.segment = self.pieces.next().transpose().map_err(|error| error.in_archive(self.half.archive))?;
            if self.segment.is_none() {
                return Ok(0);
            }
        }
    }

    fn is_hole(&self) -> bool {
        matches!(self.segment, Some(Segment::Zeros(_)))
    }

    /// The next bytes of the present piece, of which so many are left.
    fn read(&mut self, count: usize) -> Result<&[u8], Error> {
        if self.buffer.len() < count {
            self.buffer.resize(count, 0);
        }
        let room = self.buffer.get_mut(..count).unwrap_or_default();
        if let Some(segment) = &self.segment {
            let read = put(segment, self.done, room, self.half.sources);
            read.map_err(|error| error.in_archive(self.half.archive))?;
        }
        self.done = self.done.saturating_add(count as u64);
        Ok(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Blob;
    use crate::rootfs::{Extent, LayerId, Source};
    use std::fs::File;
    use std::io::Write;
    use std::sync::Arc;

    fn blob(bytes: &[u8]) -> Blob {
        let mut file: File = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Blob::new(Arc::new(file), 0, bytes.len() as u64)
    }

    fn same(a: (&Content, &Blob), b: (&Content, &Blob)) -> Result<bool, Error> {
        let (blob_a, blob_b) = (a.1, b.1);
        same_content(
            Half { content: a.0, sources: &|_| Some(blob_a), archive: "a.tar" },
            Half { content: b.0, sources: &|_| Some(blob_b), archive: "b.tar" },
            &|| Ok(()),
        )
    }

    fn plain(size: u64, offset: u64) -> Content {
        Content { size, source: Source::Layer(LayerId(0), offset) }
    }

    fn sparse(size: u64, extents: &[(u64, u64, u64)]) -> Content {
        let extent = |&(at, len, offset): &(u64, u64, u64)| Extent { at, len, offset };
        Content { size, source: Source::Sparse(LayerId(0), extents.iter().map(extent).collect()) }
    }

    #[test]
    fn the_last_byte_of_a_large_file_counts() {
        let mut bytes: Vec<u8> = (0..CHUNK * 2 + 77).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let a = blob(&bytes);
        let size = bytes.len() as u64;
        assert!(same((&plain(size, 0), &a), (&plain(size, 0), &blob(&bytes))).unwrap());
        *bytes.last_mut().unwrap() ^= 1;
        assert!(!same((&plain(size, 0), &a), (&plain(size, 0), &blob(&bytes))).unwrap());
        assert!(!same((&plain(size, 0), &a), (&plain(size - 1, 0), &a)).unwrap());
    }

    #[test]
    fn a_sparse_file_equals_a_plain_one_with_the_same_zeros() {
        let (holes, whole) = (blob(b"abcd"), blob(b"\0\0ab\0\0\0cd\0"));
        let file = sparse(10, &[(2, 2, 0), (7, 2, 2)]);
        assert!(same((&file, &holes), (&plain(10, 0), &whole)).unwrap());
        assert!(!same((&file, &holes), (&plain(10, 0), &blob(b"\0\0ab\0x\0cd\0"))).unwrap());
    }

    #[test]
    fn holes_that_both_have_cost_nothing() {
        let (a, b) = (blob(b"x"), blob(b"y"));
        let huge = sparse(1 << 60, &[((1 << 60) - 1, 1, 0)]);
        assert!(same((&huge, &a), (&huge, &a)).unwrap());
        assert!(!same((&huge, &a), (&huge, &b)).unwrap());
    }

    #[test]
    fn a_layer_that_ends_too_early_is_an_error_that_names_its_archive() {
        let error = same((&plain(9, 0), &blob(b"123456789")), (&plain(9, 0), &blob(b"1234"))).unwrap_err();
        assert!(error.to_string().starts_with("b.tar: "), "{error}");
    }
}
