//! Tar bytes and entries: one read half, one write half, codecs and digests.

mod attributes;
pub mod codec;
pub mod digest;
mod extended;
mod header;
mod input;
mod number;
mod pax;
pub mod read;
mod scan;
mod sparse;
mod verbatim;

pub use input::{BlobInput, StreamInput, TarInput};
pub use scan::{ScanEnd, scan};

#[cfg(test)]
pub(crate) mod testing;
