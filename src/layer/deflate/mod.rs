//! gzip layers as rows of deflate blocks: found while a layer is inflated, copied bit for bit where a layer is written
//! (performance.md, "how", 1).
//!
//! ```text
//! gzip -> Gunzip -> tar bytes
//!            `----> Blocks: where each block lies, in bits, and what it holds, in bytes
//! Blocks + a run of kept bytes -> the whole blocks in it -> Splicer -> gzip
//! what no whole block holds -> deflate() -> Blocks of its own -> Splicer
//! ```
//! `blocks` and `bits` are pure. `zlib` is the one place of the crate with unsafe code: no safe binding says where a
//! block ends.

mod bits;
mod blocks;
mod encode;
mod gunzip;
mod splice;
mod zlib;

pub use blocks::{Block, Blocks};
pub(super) use encode::{Deflate, Deflated};
pub(super) use gunzip::Gunzip;
pub(super) use splice::{Emit, Splicer, Window};

#[cfg(test)]
mod tests;
