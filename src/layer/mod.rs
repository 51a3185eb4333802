//! Tar bytes and entries: one read half, one write half, codecs and digests.

mod assemble;
mod attributes;
pub mod codec;
mod compare;
mod compress;
mod cut;
pub mod deflate;
pub mod digest;
mod encode;
mod encoding;
mod extended;
pub(crate) mod fill;
mod header;
mod input;
mod number;
mod pax;
pub mod read;
mod scan;
mod segment;
mod sparse;
mod stage;
mod verbatim;
mod write;

pub use compare::{Half, same_content};
pub use cut::Deflates;
pub use encoding::Encoding;
pub use fill::{Origin, Sources};
pub(crate) use header::{BLOCK, Header};
pub use input::{BlobInput, StreamInput, TarInput};
pub use scan::{ScanEnd, scan};
pub use segment::{Segment, Segments, layer_size, segments};
pub use write::{Progress, Stored, Written, write_layer};

#[cfg(test)]
pub(crate) mod testing;
