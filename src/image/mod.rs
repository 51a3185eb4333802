//! An image as a value: names, platform, config, layers; and how config and manifest are rewritten.

mod command;
pub(crate) mod config;
mod diff;
mod platform;
mod reference;
pub mod rewrite;

pub use command::Command;
pub use diff::config_differences;
pub use platform::Platform;
pub use reference::Reference;

use crate::archive::Blob;
use oci_spec::image::Digest;
use serde_json::Value;

/// One image of one platform, as the archive describes it.
#[derive(Debug, Clone)]
pub struct Image {
    /// The names it is known by, without duplicates; none for an untagged image.
    pub references: Vec<Reference>,
    /// The platform that the index or the config names.
    pub platform: Platform,
    /// The config, parsed strictly; key order and number spelling as in the file.
    pub config: Value,
    /// The digest of the config's bytes: the image ID.
    pub config_digest: Digest,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
    /// The manifest as it stands in an OCI layout; `None` where only `manifest.json` describes the image.
    pub manifest: Option<Value>,
    /// The annotations of the image's descriptor in its index, without the names; an object or null.
    pub annotations: Value,
    /// Which top-level entry of the archive it came from: images of one multi-platform index share a number.
    pub group: usize,
}

/// A layer blob and what the documents claim about it; each claim is checked while the blob is read.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The bytes.
    pub blob: Blob,
    /// The blob's digest, where a manifest names it.
    pub digest: Option<Digest>,
    /// The blob's size in bytes, where a manifest names it.
    pub size: Option<u64>,
    /// Its media type, where a manifest names it.
    pub media_type: Option<String>,
    /// The digest of the uncompressed tar, from the config.
    pub diff_id: Digest,
}
