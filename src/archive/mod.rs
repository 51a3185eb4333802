//! The outer file: what an archive holds, and the archive that is written.

mod blob;
mod decompress;
mod descriptor;
pub(crate) mod digest;
mod docker;
mod draft;
pub(crate) mod json;
mod layout;
mod media;
mod members;
mod oci;
mod open;
mod outer;
mod reopen;
mod resolve;
mod select;
mod unchanged;

pub mod write;

#[cfg(test)]
mod fixture;

pub use blob::{Blob, BlobReader};
pub use open::{Archive, SourceLayout, open};
pub use outer::FileIdentity;
pub(crate) use reopen::reopen;
