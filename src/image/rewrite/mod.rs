//! An image and its new layers in, the documents of the result out: config, manifest, and what an index says of it.
//!
//! PURE. The config is the input's own JSON with only the keys changed that describe layers (metadata.md, "what to
//! keep"); the manifest is built anew. Each document is serialised once, and its digest is that of exactly these
//! bytes. No clock: a time comes from the caller or from the image.

mod config;
mod history;
mod manifest;

pub(crate) use config::is_stale;
pub use manifest::{INDEX_TYPE, MANIFEST_TYPE};

use crate::archive::digest;
use crate::error::Error;
use crate::image::{Image, Reference};
use crate::layer::codec::Codec;
use crate::options::History;
use crate::warning::Warnings;
use oci_spec::image::Digest;
use serde_json::Value;

/// A layer of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLayer {
    /// The SHA-256 of the blob.
    pub digest: Digest,
    /// Bytes of the blob.
    pub size: u64,
    /// The SHA-256 of the uncompressed tar.
    pub diff_id: Digest,
    /// What the blob's bytes are.
    pub kind: Codec,
}

/// What becomes of an image.
#[derive(Debug, Clone)]
pub struct Change {
    /// The layers of the result, lowest first.
    pub layers: Vec<NewLayer>,
    /// How many of them, from the lowest on, are layers of the input that stay as they are.
    pub kept: usize,
    /// What becomes of the history.
    pub history: History,
    /// The image's new `created` time in seconds since 1970; the input's stays where none is given.
    pub created: Option<i64>,
    /// `created_by` of the new step, as in `imgstrip 0.1.0`.
    pub created_by: String,
    /// `comment` of the new step; left out where empty.
    pub comment: String,
    /// The names of the result; the input's where none are given.
    pub references: Option<Vec<Reference>>,
}

/// The documents of one image of the result.
#[derive(Debug, Clone)]
pub struct Rewritten {
    /// The names of the result.
    pub references: Vec<Reference>,
    /// Images of one group belong to one multi-platform index ([`Image::group`]).
    pub group: usize,
    /// The `platform` object of the image's descriptor; null where neither index nor config names one.
    pub platform: Value,
    /// The annotations of the image's descriptor, without the names; an object.
    pub annotations: Value,
    /// Whether podman runs the input's health check and would not run the result's: it knows none in an OCI image.
    pub docker_healthcheck: bool,
    /// The layers, lowest first.
    pub layers: Vec<NewLayer>,
    /// The config's bytes.
    pub config: Vec<u8>,
    /// The config's digest: the image ID.
    pub config_digest: Digest,
    /// The OCI manifest's bytes.
    pub manifest: Vec<u8>,
    /// The manifest's digest.
    pub manifest_digest: Digest,
}

/// Rewrites the documents of `image`.
///
/// # Errors
/// Malformed, where the config or the annotations do not have the shape that the specification gives them, or two
/// readers would find different keys in them.
pub fn rewrite(image: &Image, change: &Change, warnings: &mut Warnings) -> Result<Rewritten, Error> {
    let config = serialise(&config::rewrite(&image.config, change, warnings)?)?;
    let config_digest = digest::of(&config)?;
    let annotations = image.manifest.as_ref().and_then(|manifest| manifest.get("annotations"));
    let manifest = serialise(&manifest::write(&config, &config_digest, &change.layers, annotations)?)?;
    let manifest_digest = digest::of(&manifest)?;
    Ok(Rewritten {
        references: without_digests(change.references.as_ref().unwrap_or(&image.references)),
        group: image.group,
        platform: manifest::platform(image),
        annotations: Value::Object(manifest::annotations(Some(&image.annotations))?),
        docker_healthcheck: docker_healthcheck(image),
        layers: change.layers.clone(),
        config,
        config_digest,
        manifest,
        manifest_digest,
    })
}

/// A health check in an image that is Docker's own: one with Docker's media types, or none at all.
fn docker_healthcheck(image: &Image) -> bool {
    let test = image.config.get("config").and_then(|config| config.get("Healthcheck")?.get("Test")?.get(0));
    let media_type = image.manifest.as_ref().and_then(|manifest| manifest.get("mediaType")?.as_str());
    // The media type may be missing from an OCI manifest, never from Docker's.
    let docker = image.manifest.is_none() || media_type.is_some_and(|text| text != MANIFEST_TYPE);
    docker && test.and_then(Value::as_str).is_some_and(|test| test != "NONE")
}

/// A digest in a name is that of the old manifest: the tag before it stays, and a name without one goes.
fn without_digests(references: &[Reference]) -> Vec<Reference> {
    let cut = |text: &str| text.split('@').next().unwrap_or_default().to_owned();
    let tagged = references.iter().filter(|reference| !reference.tag.is_empty());
    tagged
        .map(|reference| Reference {
            familiar: cut(&reference.familiar),
            full: cut(&reference.full),
            tag: reference.tag.clone(),
        })
        .collect()
}

/// Compact, key order as it is.
pub(crate) fn serialise(value: &Value) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value)
        .map_err(|error| Error::malformed(format!("a document cannot be written as JSON: {error}")))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::image::Platform;
    use serde_json::json;

    pub(crate) fn layer(byte: u8, kind: Codec) -> NewLayer {
        NewLayer { digest: digest::of(&[byte]).unwrap(), size: 512, diff_id: digest::of(&[byte, 0]).unwrap(), kind }
    }

    pub(crate) fn change(layers: Vec<NewLayer>) -> Change {
        Change {
            kept: layers.len() - 1,
            layers,
            history: History::Keep,
            created: None,
            created_by: "imgstrip 0.1.0".into(),
            comment: "2 layers squashed".into(),
            references: None,
        }
    }

    pub(crate) fn image(config: Value) -> Image {
        Image {
            references: Vec::new(),
            platform: Platform { os: "linux".into(), architecture: "amd64".into(), variant: String::new() },
            config_digest: digest::of(config.to_string().as_bytes()).unwrap(),
            config,
            layers: Vec::new(),
            manifest: None,
            annotations: Value::Null,
            group: 0,
        }
    }

    #[test]
    fn each_digest_is_that_of_the_bytes_and_the_manifest_names_the_config() {
        let image =
            image(json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}}));
        let written = rewrite(&image, &change(vec![layer(1, Codec::Zstd)]), &mut Warnings::default()).unwrap();
        assert_eq!(written.config_digest, digest::of(&written.config).unwrap());
        let manifest: Value = serde_json::from_slice(&written.manifest).unwrap();
        assert_eq!(manifest["config"]["digest"], written.config_digest.to_string());
        assert_eq!(manifest["config"]["size"], written.config.len());
        assert_eq!(manifest["layers"][0]["mediaType"], Codec::Zstd.media_type());
        assert_eq!(written.platform, json!({"architecture": "amd64", "os": "linux"}));
    }
    #[test]
    fn a_health_check_counts_as_lost_only_where_the_input_was_dockers_own() {
        let mut image = image(json!({"config": {"Healthcheck": {"Test": ["CMD", "true"]}}}));
        assert!(docker_healthcheck(&image));
        image.manifest = Some(json!({"mediaType": "application/vnd.docker.distribution.manifest.v2+json"}));
        assert!(docker_healthcheck(&image));
        for manifest in [json!({"mediaType": MANIFEST_TYPE}), json!({"schemaVersion": 2})] {
            image.manifest = Some(manifest);
            assert!(!docker_healthcheck(&image));
        }
        image.manifest = None;
        image.config = json!({"config": {"Healthcheck": {"Test": ["NONE"]}}});
        assert!(!docker_healthcheck(&image));
    }

    #[test]
    fn a_digest_leaves_a_name_and_takes_a_name_without_tag_with_it() {
        let name =
            |familiar: &str, tag: &str| Reference { familiar: familiar.into(), full: familiar.into(), tag: tag.into() };
        let names = without_digests(&[name("a.b/c:1@sha256:0", "1"), name("a.b/c@sha256:0", "")]);
        assert_eq!(names, [name("a.b/c:1", "1")]);
    }
}
