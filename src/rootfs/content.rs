//! Where the bytes of a regular file lie, and the door through which a decision may look at them.
//!
//! In: what a layer or a decision says of a file. Out: its runs of bytes, one after the other. Never the bytes of a layer:
//! [`Files`] fetches those, and the pipeline is what stands behind it.

use super::entry::LayerId;
use crate::error::Error;
use std::ops::Range;
use std::sync::Arc;

/// Where the bytes of a regular file lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The length of the file in bytes, holes included.
    pub size: u64,
    /// The pieces.
    pub source: Source,
}

/// A source is where bytes lie, not the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// One run of `size` bytes in the uncompressed tar of a layer, from this offset.
    Layer(LayerId, u64),
    /// A sparse file: its data runs, ascending and apart; what lies between reads as zeros (T15).
    Sparse(LayerId, Arc<[Extent]>),
    /// Bytes that no layer holds: a file that a decision rewrote, or a test's.
    Owned(Arc<[u8]>),
    /// One content after the other, as a decision cut and joined them; none of them is itself joined.
    Joined(Arc<[Content]>),
}

/// A run of data in a sparse file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Where it lies in the file, in bytes.
    pub at: u64,
    /// How long it is.
    pub len: u64,
    /// Where it lies in the uncompressed tar of its layer.
    pub offset: u64,
}

/// Bytes of a file that lie together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run<'a> {
    /// In the uncompressed tar of a layer.
    Layer(LayerId, Range<u64>),
    /// At hand.
    Bytes(&'a [u8]),
    /// So many zeros.
    Zeros(u64),
}

/// Fetches what files hold. Decisions ask; they open nothing themselves.
pub trait Files: Sync {
    /// Reads the bytes of a file from `at` on, as many as `buffer` has room for; fewer only where the file ends.
    ///
    /// # Errors
    ///
    /// `Integrity` where a layer ends too early, `Io` where it cannot be read.
    fn read_at(&self, content: &Content, at: u64, buffer: &mut [u8]) -> Result<usize, Error>;
}

/// Reads a whole file; `None` where it has more than `limit` bytes.
///
/// # Errors
///
/// As [`Files::read_at`].
pub fn read_whole(files: &dyn Files, content: &Content, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let Some(size) = usize::try_from(content.size).ok().filter(|_| content.size <= limit) else { return Ok(None) };
    let mut bytes = vec![0; size];
    let read = files.read_at(content, 0, &mut bytes)?;
    bytes.truncate(read);
    Ok(Some(bytes))
}

impl Content {
    /// Bytes that a decision made.
    pub fn owned(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self { size: bytes.len() as u64, source: Source::Owned(bytes) }
    }

    /// The run that begins at `at`, as long as it goes on; `None` at the end.
    ///
    /// # Errors
    ///
    /// `Malformed` where the pieces do not make up the size.
    pub fn run_at(&self, at: u64) -> Result<Option<Run<'_>>, Error> {
        if at >= self.size {
            return Ok(None);
        }
        let run = match &self.source {
            Source::Layer(layer, offset) => {
                let start = offset.checked_add(at).ok_or_else(broken)?;
                let end = offset.checked_add(self.size).ok_or_else(broken)?;
                Run::Layer(*layer, start..end)
            }
            Source::Owned(bytes) if bytes.len() as u64 == self.size => {
                Run::Bytes(usize::try_from(at).ok().and_then(|at| bytes.get(at..)).ok_or_else(broken)?)
            }
            Source::Owned(_) => return Err(broken()),
            Source::Sparse(layer, extents) => self.sparse(*layer, extents, at)?,
            Source::Joined(parts) => {
                let mut left = at;
                for part in parts.iter() {
                    match left.checked_sub(part.size) {
                        Some(less) => left = less,
                        None if matches!(part.source, Source::Joined(_)) => return Err(broken()),
                        None => return part.run_at(left),
                    }
                }
                return Err(broken());
            }
        };
        Ok(Some(run))
    }

    fn sparse(&self, layer: LayerId, extents: &[Extent], at: u64) -> Result<Run<'static>, Error> {
        let next = extents.partition_point(|extent| extent.at <= at);
        if let Some(extent) = next.checked_sub(1).and_then(|last| extents.get(last)) {
            let within = at.checked_sub(extent.at).ok_or_else(broken)?;
            let bound = extents.get(next).map_or(self.size, |after| after.at).min(self.size);
            let ends = extent.at.checked_add(extent.len).filter(|&end| end <= bound).ok_or_else(broken)?;
            if at < ends {
                let start = extent.offset.checked_add(within).ok_or_else(broken)?;
                let end = extent.offset.checked_add(extent.len).ok_or_else(broken)?;
                return Ok(Run::Layer(layer, start..end));
            }
        }
        let hole = extents.get(next).map_or(self.size, |extent| extent.at).min(self.size);
        Ok(Run::Zeros(hole.saturating_sub(at)))
    }
}

impl Run<'_> {
    /// How many bytes it is.
    pub fn size(&self) -> u64 {
        match self {
            Self::Layer(_, range) => range.end.saturating_sub(range.start),
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(count) => *count,
        }
    }
}

fn broken() -> Error {
    Error::malformed("its data does not fit into its size")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYER: LayerId = LayerId(3);

    #[test]
    fn joined_contents_follow_one_another() {
        let parts = [Content { size: 4, source: Source::Layer(LAYER, 100) }, Content::owned(&b"xyz"[..])];
        let content = Content { size: 7, source: Source::Joined(parts.into()) };
        assert_eq!(content.run_at(1).unwrap(), Some(Run::Layer(LAYER, 101..104)));
        assert_eq!(content.run_at(5).unwrap(), Some(Run::Bytes(b"yz")));
        assert_eq!(content.run_at(7).unwrap(), None);
    }

    #[test]
    fn pieces_that_do_not_make_up_the_size_are_an_error() {
        let short = Content { size: 5, source: Source::Joined([Content::owned(&b"xyz"[..])].into()) };
        assert!(short.run_at(3).is_err());
        assert!(Content { size: 2, source: Source::Owned(b"xyz"[..].into()) }.run_at(0).is_err());
        let extents = [Extent { at: 0, len: 9, offset: 0 }];
        assert!(Content { size: 5, source: Source::Sparse(LAYER, extents.into()) }.run_at(0).is_err());
    }

    #[test]
    fn a_sparse_file_is_data_and_holes() {
        let extents = [Extent { at: 2, len: 3, offset: 50 }, Extent { at: 8, len: 1, offset: 90 }];
        let content = Content { size: 12, source: Source::Sparse(LAYER, extents.into()) };
        let run = |at| content.run_at(at).unwrap().unwrap();
        assert_eq!([run(0), run(5), run(9)], [Run::Zeros(2), Run::Zeros(3), Run::Zeros(3)]);
        assert_eq!([run(3), run(8)], [Run::Layer(LAYER, 51..53), Run::Layer(LAYER, 90..91)]);
    }
}
