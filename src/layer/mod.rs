//! Tar bytes and entries: one read half, one write half, codecs and digests.

mod compress;
mod encode;
mod fill;
mod segment;
mod write;

pub use fill::Sources;
pub use segment::{Segment, Segments, layer_size, segments};
pub use write::{Progress, Written, write_layer};
