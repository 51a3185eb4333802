//! Layers and annotations in, an OCI manifest and the platform of its descriptor out.
//!
//! Always OCI, also for an image that came with Docker's media types: umoci and zstd know no others. Built anew, so
//! that `subject`, `urls`, `data`, artifact types and annotations of old layers cannot survive.

use super::NewLayer;
use super::config::BASE;
use crate::error::{Error, escape};
use crate::image::Image;
use oci_spec::image::Digest;
use serde_json::{Map, Value, json};

/// The media type of an OCI manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an OCI index.
pub const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";

/// Annotations that name the image, set anew on its descriptor in `index.json` and valid nowhere else.
const NAMES: &[&str] = &["io.containerd.image.name", "org.opencontainers.image.ref.name"];
/// Beginnings of annotations about old blobs: where they may be mounted from, what they attest, how they are cut.
const ABOUT_BLOBS: &[&str] = &[
    "containerd.io/distribution.source.",
    "containerd.io/snapshot/",
    "io.github.containers.zstd-chunked.",
    "vnd.docker.reference.",
];

/// The manifest of a config and layers, with what stays of the old manifest's annotations.
pub(super) fn write(
    config: &[u8],
    config_digest: &Digest,
    layers: &[NewLayer],
    old: Option<&Value>,
) -> Result<Value, Error> {
    let describe = |media_type: &str, digest: &Digest, size: u64| json!({"mediaType": media_type, "digest": digest.to_string(), "size": size});
    let layers = layers.iter().map(|layer| describe(layer.kind.media_type(), &layer.digest, layer.size));
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": describe(CONFIG_TYPE, config_digest, config.len() as u64),
        "layers": layers.collect::<Vec<_>>(),
    });
    let annotations = annotations(old)?;
    if let (Some(manifest), false) = (manifest.as_object_mut(), annotations.is_empty()) {
        manifest.insert("annotations".into(), annotations.into());
    }
    Ok(manifest)
}

/// The annotations without those about names, the base, or old blobs.
pub(super) fn annotations(old: Option<&Value>) -> Result<Map<String, Value>, Error> {
    let old = match old {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(old)) => old,
        Some(_) => return Err(Error::malformed("annotations are not a JSON object")),
    };
    if let Some((key, _)) = old.iter().find(|(_, value)| !value.is_string()) {
        return Err(Error::malformed(format!("the annotation \"{}\" is not a string", escape(key.as_bytes()))));
    }
    let stale = |key: &str| {
        BASE.contains(&key) || NAMES.contains(&key) || ABOUT_BLOBS.iter().any(|beginning| key.starts_with(beginning))
    };
    Ok(old.iter().filter(|(key, _)| !stale(key)).map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The platform for the descriptor: the index's words where it has some, else the config's; null without both
/// required keys.
pub(super) fn platform(image: &Image) -> Value {
    let mut platform = Map::new();
    let own = &image.platform;
    for (key, known) in [("architecture", &own.architecture), ("os", &own.os)] {
        match image.config.get(key).and_then(Value::as_str) {
            _ if !known.is_empty() => platform.insert(key.into(), known.as_str().into()),
            Some(text) if !text.is_empty() => platform.insert(key.into(), text.into()),
            _ => return Value::Null,
        };
    }
    let non_empty = |value: &&Value| value.as_str().is_some_and(|text| !text.is_empty());
    let features =
        |value: &&Value| value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string));
    if let Some(version) = image.config.get("os.version").filter(non_empty) {
        platform.insert("os.version".into(), version.clone());
    }
    if let Some(list) = image.config.get("os.features").filter(features) {
        platform.insert("os.features".into(), list.clone());
    }
    if !own.variant.is_empty() {
        platform.insert("variant".into(), own.variant.as_str().into());
    } else if let Some(variant) = image.config.get("variant").filter(non_empty) {
        platform.insert("variant".into(), variant.clone());
    }
    Value::Object(platform)
}

#[cfg(test)]
mod tests {
    use super::super::tests::image;
    use super::*;
    use crate::image::Platform;

    #[test]
    fn annotations_about_the_base_the_names_and_old_blobs_go_and_others_stay_in_order() {
        let old = json!({
            "org.opencontainers.image.title": "t",
            "org.opencontainers.image.base.name": "debian",
            "org.opencontainers.image.base.digest": "sha256:x",
            "org.opencontainers.image.created": "2020",
            "io.containerd.image.name": "a",
            "org.opencontainers.image.ref.name": "a",
            "containerd.io/distribution.source.docker.io": "library/a",
            "own": "kept"
        });
        let kept = Value::Object(annotations(Some(&old)).unwrap()).to_string();
        assert_eq!(
            kept,
            r#"{"org.opencontainers.image.title":"t","org.opencontainers.image.created":"2020","own":"kept"}"#
        );
        assert!(annotations(Some(&json!({"a": 1}))).is_err() && annotations(Some(&json!([]))).is_err());
    }

    #[test]
    fn windows_keeps_its_version_and_arm_its_variant() {
        let mut image = image(json!({"os": "x", "os.version": "10.0", "os.features": ["win32k"], "variant": "v7"}));
        image.platform = Platform { os: "windows".into(), architecture: "arm".into(), variant: String::new() };
        let expected = json!({"architecture": "arm", "os": "windows", "os.version": "10.0", "os.features": ["win32k"], "variant": "v7"});
        assert_eq!(platform(&image), expected);
        image.platform = Platform::default();
        assert_eq!(platform(&image), Value::Null);
    }
}
