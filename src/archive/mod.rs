//! The outer file: what an archive holds, and the archive that is written.

mod blob;
pub mod write;

pub use blob::{Blob, BlobReader};
