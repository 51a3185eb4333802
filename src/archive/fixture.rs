//! Archives made in memory, for tests only: members and documents in, an opened archive or its error out.

use super::{Archive, digest, open};
use crate::error::Error;
use crate::options::{Input, Options};
use serde_json::{Value, json};
use std::io::Write;

pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// An archive in the making.
#[derive(Default, Clone)]
pub(super) struct Tar(Vec<u8>);

impl Tar {
    /// A member of any type; `link` is its target.
    pub(super) fn member(mut self, kind: u8, name: &str, link: &str, bytes: &[u8]) -> Self {
        let mut header = tar::Header::new_ustar();
        let block = header.as_mut_bytes();
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[157..157 + link.len()].copy_from_slice(link.as_bytes());
        block[156] = kind;
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(super) fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.member(b'0', name, "", bytes.as_ref())
    }

    pub(super) fn json(self, name: &str, document: &Value) -> Self {
        self.file(name, document.to_string())
    }

    pub(super) fn symlink(self, name: &str, target: &str) -> Self {
        self.member(b'2', name, target, b"")
    }

    pub(super) fn hard_link(self, name: &str, target: &str) -> Self {
        self.member(b'1', name, target, b"")
    }

    /// A blob of an OCI layout; its digest comes back.
    pub(super) fn blob(&mut self, bytes: impl AsRef<[u8]>) -> String {
        let digest = sha256(bytes.as_ref());
        *self = std::mem::take(self).file(&blob_path(&digest), bytes);
        digest
    }

    /// A blob with a document; its descriptor comes back.
    pub(super) fn document(&mut self, media_type: &str, document: &Value) -> Value {
        let bytes = document.to_string();
        json!({"mediaType": media_type, "digest": self.blob(&bytes), "size": bytes.len()})
    }

    /// An OCI image with these layers; the descriptor of its manifest comes back.
    pub(super) fn image(&mut self, architecture: &str, layers: &[&str]) -> Value {
        let config = self.document(CONFIG, &config(architecture, layers));
        let layers: Vec<Value> = layers
            .iter()
            .map(|layer| json!({"mediaType": LAYER, "digest": sha256(layer.as_bytes()), "size": layer.len()}))
            .collect();
        self.document(MANIFEST, &json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}))
    }

    /// The blobs of layers.
    pub(super) fn layers(&mut self, layers: &[&str]) {
        for layer in layers {
            self.blob(layer);
        }
    }

    /// `oci-layout` and an `index.json` with these descriptors.
    pub(super) fn layout(self, manifests: &[Value]) -> Self {
        self.json("oci-layout", &json!({"imageLayoutVersion": "1.0.0"}))
            .json("index.json", &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}))
    }

    /// The members of another archive behind these.
    pub(super) fn append(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.0.clone();
        bytes.extend([0; 1024]);
        bytes
    }

    pub(super) fn open(&self) -> Result<Archive, Error> {
        self.open_with(&Options::default())
    }

    pub(super) fn open_with(&self, options: &Options) -> Result<Archive, Error> {
        open_bytes(&self.bytes(), options)
    }

    /// The message of the error, without the name of the archive.
    pub(super) fn refusal(&self) -> String {
        let text = self.open().expect_err("a refusal").to_string();
        text.split_once(": ").expect("a place").1.to_owned()
    }
}

pub(super) fn open_bytes(bytes: &[u8], options: &Options) -> Result<Archive, Error> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    open(&Input::Path(file.path().to_owned()), options)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    digest::of(bytes).unwrap().to_string()
}

pub(super) fn blob_path(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

/// A config whose diff_ids are the digests of these layers.
pub(super) fn config(architecture: &str, layers: &[&str]) -> Value {
    let diff_ids: Vec<String> = layers.iter().map(|layer| sha256(layer.as_bytes())).collect();
    json!({"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}})
}

/// A descriptor with one more key.
pub(super) fn with(mut descriptor: Value, key: &str, value: Value) -> Value {
    descriptor[key] = value;
    descriptor
}

/// What `docker save` before 25 writes: one image, layers `one` and `two`, the second a symlink where it repeats.
pub(super) fn docker_save(manifest: &Value) -> Tar {
    let config = config("amd64", &["one", "two", "one"]).to_string();
    Tar::default()
        .member(b'5', "aaa/", "", b"")
        .file("aaa/layer.tar", "one")
        .file("bbb/layer.tar", "two")
        .symlink("ccc/layer.tar", "../aaa/layer.tar")
        .file("config.json", config)
        .json("manifest.json", manifest)
}

/// The `manifest.json` of [`docker_save`].
pub(super) fn docker_manifest() -> Value {
    json!([{
        "Config": "config.json",
        "RepoTags": ["app:1.0"],
        "Layers": ["aaa/layer.tar", "bbb/layer.tar", "ccc/layer.tar"],
    }])
}
