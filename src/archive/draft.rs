//! An image while its archive is still being read: what each document says, before names are merged, one is chosen
//! and the counts are checked.

use super::members::Members;
use super::{Blob, digest, json};
use crate::error::{Error, ErrorKind};
use crate::image::{Image, Layer, Platform, Reference, config};
use crate::options::Limits;
use crate::rootfs::RootPath;
use crate::warning::Warnings;
use oci_spec::image::Digest;
use serde_json::Value;

/// An image that one document describes.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) references: Vec<Reference>,
    /// What `ref.name` says where it is no name of an image.
    pub(super) aliases: Vec<String>,
    /// The digests under which a user may know it: of config, manifest and index.
    pub(super) digests: Vec<Digest>,
    pub(super) platform: Platform,
    pub(super) config: Config,
    pub(super) layers: Vec<Claim>,
    pub(super) manifest: Option<Value>,
    pub(super) annotations: Value,
    pub(super) group: usize,
}

/// A config and what was read from it.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) value: Value,
    pub(super) digest: Digest,
    pub(super) diff_ids: Vec<Digest>,
    pub(super) platform: Platform,
    pub(super) warnings: Warnings,
}

/// A layer as a manifest names it.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) blob: Blob,
    pub(super) digest: Option<Digest>,
    pub(super) size: Option<u64>,
    pub(super) media_type: Option<String>,
}

impl Config {
    /// Reads the config's blob; with a digest it is held against it.
    pub(super) fn read(blob: &Blob, claimed: Option<&Digest>, limits: &Limits) -> Result<Self, Error> {
        let bytes = json::bytes(blob, limits.config, "the config")?;
        let digest = match claimed {
            Some(claimed) => {
                digest::verify(&bytes, claimed, "the config")?;
                claimed.clone()
            }
            None => digest::of(&bytes)?,
        };
        let what = format!("the config {}", digest::short(&digest));
        let value = json::parse(&bytes, limits.json_depth, &what)?;
        let mut warnings = Warnings::default();
        let read = config::read(&value, &what, &mut warnings)?;
        Ok(Self { value, digest, diff_ids: read.diff_ids, platform: read.platform, warnings })
    }
}

impl Draft {
    /// How messages call it: its first name, or its short ID; already escaped.
    pub(super) fn label(&self) -> String {
        match self.references.first() {
            Some(name) => format!("{name} ({})", self.platform),
            None => format!("{} ({})", digest::short(&self.config.digest), self.platform),
        }
    }

    /// Adds names that another document gives, without duplicates. A bare tag gives way to a name that has it.
    pub(super) fn add_names(&mut self, names: &[Reference]) {
        for name in names {
            if !self.references.contains(name) {
                self.references.push(name.clone());
            }
        }
        let named: Vec<String> =
            self.references.iter().filter(|name| !name.is_tag_only()).map(|name| name.tag.clone()).collect();
        self.references.retain(|name| !name.is_tag_only() || !named.contains(&name.tag));
    }

    /// Checks that config and layers belong together.
    pub(super) fn finish(self) -> Result<Image, Error> {
        let label = self.label();
        self.checked().map_err(|error| error.in_image(label))
    }

    fn checked(self) -> Result<Image, Error> {
        let os = &self.platform.os;
        if os.eq_ignore_ascii_case("windows") || self.config.platform.os.eq_ignore_ascii_case("windows") {
            return Err(Error::unsupported("a Windows image needs its base layer as it is and cannot be squashed")
                .hint("choose another platform with --platform"));
        }
        if self.layers.len() != self.config.diff_ids.len() {
            let (layers, diff_ids) = (self.layers.len(), self.config.diff_ids.len());
            return Err(Error::malformed(format!("the manifest has {layers} layers, the config {diff_ids} diff_ids")));
        }
        let layers = self.layers.into_iter().zip(self.config.diff_ids).map(|(claim, diff_id)| Layer {
            blob: claim.blob,
            digest: claim.digest,
            size: claim.size,
            media_type: claim.media_type,
            diff_id,
        });
        Ok(Image {
            layers: layers.collect(),
            references: self.references,
            platform: self.platform,
            config: self.config.value,
            config_digest: self.config.digest,
            manifest: self.manifest,
            annotations: self.annotations,
            group: self.group,
        })
    }
}

/// Refuses more layers than the limit, before their blobs are looked up.
pub(super) fn check_layers(count: usize, limits: &Limits) -> Result<(), Error> {
    if count as u64 > limits.layers {
        return Err(Error::new(ErrorKind::Limit, format!("the image has {count} layers, more than {}", limits.layers))
            .hint("raise --limit layers=N"));
    }
    Ok(())
}

/// The blob of this digest in an OCI layout.
pub(super) fn find_blob(members: &Members, digest: &Digest) -> Result<Option<Blob>, Error> {
    members.find(&RootPath::clamped(format!("blobs/{}/{}", digest.algorithm(), digest.digest()).as_bytes()))
}
