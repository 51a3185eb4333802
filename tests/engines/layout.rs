//! An archive of many images, as Docker 25 and later write it: an OCI layout and `manifest.json` over the same blobs.
//!
//! In: for each image a tag and its layers' tars. Out: a layout directory for umoci, and the same as one tar for the rest.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The repository of every image that these tests make.
pub(crate) const REPOSITORY: &str = "imgstrip-case";

/// The label of every image that these tests make; its value is the tag.
pub(crate) const LABEL: &str = "org.example.case";

/// One archive in both forms.
pub(crate) struct Layout {
    /// The layout directory.
    pub(crate) directory: PathBuf,
    /// The archive.
    pub(crate) tar: PathBuf,
}

impl Layout {
    /// Writes it to `at` and `at`.tar.
    pub(crate) fn write(at: &Path, images: &[(String, Vec<Vec<u8>>)]) -> Self {
        Self::write_as(at, images, "", &|tar| tar.to_vec())
    }

    /// Writes it with the layers compressed; `suffix` is what their media type ends with, such as `+gzip`.
    pub(crate) fn write_as(
        at: &Path,
        images: &[(String, Vec<Vec<u8>>)],
        suffix: &str,
        compress: &dyn Fn(&[u8]) -> Vec<u8>,
    ) -> Self {
        let blobs = at.join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        let blob = |kind: &str, bytes: &[u8]| {
            let hex = hex(bytes);
            fs::write(blobs.join(&hex), bytes).unwrap();
            json!({"mediaType": kind, "digest": format!("sha256:{hex}"), "size": bytes.len()})
        };
        let (mut manifests, mut entries) = (Vec::new(), Vec::new());
        for (tag, tars) in images {
            let kind = format!("application/vnd.oci.image.layer.v1.tar{suffix}");
            let layers: Vec<Value> = tars.iter().map(|tar| blob(&kind, &compress(tar))).collect();
            let digests: Vec<String> = tars.iter().map(|tar| format!("sha256:{}", hex(tar))).collect();
            let config = json!({
                "architecture": architecture(), "os": "linux",
                "config": {"Cmd": ["/none"], "Labels": {LABEL: tag}},
                "rootfs": {"type": "layers", "diff_ids": digests},
                "history": tars.iter().map(|_| json!({"created_by": "imgstrip's tests"})).collect::<Vec<_>>(),
            });
            let config = blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
            entries.push(json!({
                "Config": path(&config), "Layers": layers.iter().map(path).collect::<Vec<_>>(),
                "RepoTags": [format!("{REPOSITORY}:{tag}")],
            }));
            let kind = "application/vnd.oci.image.manifest.v1+json";
            let manifest = json!({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers});
            let mut manifest = blob(kind, manifest.to_string().as_bytes());
            manifest["annotations"] = json!({
                "io.containerd.image.name": format!("docker.io/library/{REPOSITORY}:{tag}"),
                "org.opencontainers.image.ref.name": tag,
            });
            manifests.push(manifest);
        }
        let kind = "application/vnd.oci.image.index.v1+json";
        let index = json!({"schemaVersion": 2, "mediaType": kind, "manifests": manifests});
        fs::write(at.join("index.json"), index.to_string()).unwrap();
        fs::write(at.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        fs::write(at.join("manifest.json"), Value::from(entries).to_string()).unwrap();
        let tar = at.with_extension("tar");
        let mut builder = tar::Builder::new(fs::File::create(&tar).unwrap());
        builder.append_dir_all("", at).unwrap();
        builder.finish().unwrap();
        Self { directory: at.to_owned(), tar }
    }
}

fn path(descriptor: &Value) -> String {
    format!("blobs/{}", descriptor["digest"].as_str().unwrap().replace(':', "/"))
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// This machine's, as images call it: engines unpack no other one on their own.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
