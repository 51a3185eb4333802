//! The bytes of one file, read back from where they lie.
//!
//! In: a content and the layers' tars. Out: a digest that is equal where the bytes of two files of one size are.

use super::fill::{Block, Filler, Sources};
use super::segment::Contents;
use crate::error::Error;
use crate::rootfs::Content;
use sha2::{Digest, Sha256};

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// A digest of a file's bytes, padding included.
///
/// # Errors
/// `Integrity` where the input is shorter than it was, `Io`.
pub fn content_digest(content: &Content, sources: Sources<'_>) -> Result<[u8; 32], Error> {
    let mut filler = Filler::new(Contents::new(content), sources);
    let mut block = Block::default();
    let mut hasher = Sha256::new();
    while filler.fill(&mut block, CHUNK, 0)? {
        hasher.update(block.data());
    }
    Ok(hasher.finalize().into())
}
