//! merge.md, M97 to M99: cases that the outer archive decides; and a small maker of OCI archives.

use crate::case::case;
use crate::image::{config, docker, hex, member, squash, strip};
use crate::lines::layer;
use crate::tar::{Raw, archive};
use serde_json::{Value, json};

pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// An OCI archive in the making.
#[derive(Default)]
pub struct Oci {
    pub members: Vec<Raw>,
}

impl Oci {
    /// Adds a blob; its descriptor comes back.
    pub fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let name = format!("blobs/sha256/{}", hex(bytes));
        if !self.members.iter().any(|member| member.name == name.as_bytes()) {
            self.members.push(member(&name, bytes));
        }
        descriptor(media_type, bytes)
    }

    pub fn document(&mut self, media_type: &str, document: &Value) -> Value {
        self.blob(media_type, document.to_string().as_bytes())
    }

    /// Adds a config and a manifest over these layer descriptors; the manifest's descriptor comes back.
    pub fn manifest(&mut self, config: &Value, layers: &[Value]) -> Value {
        let config = self.document(CONFIG, config);
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        self.document(MANIFEST, &manifest)
    }

    /// Adds an image of these layers; the manifest's descriptor comes back, with the name of the image.
    pub fn image(&mut self, layers: &[Vec<u8>]) -> Value {
        let descriptors: Vec<Value> = layers.iter().map(|layer| self.blob(LAYER, layer)).collect();
        named(self.manifest(&config(layers), &descriptors))
    }

    pub fn member(&mut self, name: &str, document: &Value) {
        self.members.push(member(name, document.to_string().as_bytes()));
    }

    /// The archive with these descriptors in its index.
    pub fn archive(mut self, manifests: &[Value]) -> Vec<u8> {
        self.member("oci-layout", &json!({"imageLayoutVersion": "1.0.0"}));
        self.member("index.json", &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}));
        archive(&self.members)
    }
}

pub fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": format!("sha256:{}", hex(bytes)), "size": bytes.len()})
}

pub fn named(mut descriptor: Value) -> Value {
    descriptor["annotations"] =
        json!({"org.opencontainers.image.ref.name": "1.0", "io.containerd.image.name": "docker.io/library/app:1.0"});
    descriptor
}

#[test]
fn an_oci_archive_and_a_docker_archive_show_the_same_tree() {
    let layers = [layer("a/; a/x = old; b"), layer("a/.wh.x; a/y = new")];
    let mut oci = Oci::default();
    let image = oci.image(&layers);
    let squashed = strip(&oci.archive(&[image]), &squash()).unwrap();
    assert_eq!(squashed.text(), strip(&docker(&layers), &squash()).unwrap().text());
    assert!(squashed.warnings().is_empty(), "{:?}", squashed.warnings());
}

/// An image whose second layer is foreign.
fn foreign(present: bool) -> Vec<u8> {
    const FOREIGN: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar";
    let layers = [layer("a"), layer("b")];
    let mut oci = Oci::default();
    let mut second = if present { oci.blob(FOREIGN, &layers[1]) } else { descriptor(FOREIGN, &layers[1]) };
    second["urls"] = json!(["https://user:secret@mcr.example.com/blob"]);
    let first = oci.blob(LAYER, &layers[0]);
    let image = named(oci.manifest(&config(&layers), &[first, second]));
    oci.archive(&[image])
}

#[test]
fn m97_a_foreign_layer_that_is_absent_is_named_and_never_fetched() {
    let error = strip(&foreign(false), &squash()).unwrap_err().to_string();
    let digest = hex(&layer("b"));
    assert!(error.contains(&digest[..12]) && error.contains("mcr.example.com"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn m97_a_foreign_layer_that_is_present_is_used() {
    assert_eq!(strip(&foreign(true), &squash()).unwrap().text(), "a\nb\n");
}

#[test]
fn m98_a_layer_that_stands_twice_is_applied_twice() {
    case(["a = 1; b", "a = 2; .wh.b", "a = 1; b"]).shows("a = 1; b");
    case(["a; .wh.b", "b", "a; .wh.b"]).warns("base-whiteout").shows("a");
    let layers = ["a = 1; b; h => a", "a = 2; .wh.b", "a = 1; b; h => a"].map(layer);
    let mut oci = Oci::default();
    let image = oci.image(&layers);
    assert_eq!(strip(&oci.archive(&[image]), &squash()).unwrap().text(), "a = 1\nb\nh => a\n");
}

#[test]
fn m98_a_duplicate_layer_may_be_a_symlink_as_docker_saves_it() {
    let layers = ["a = 1", "a = 2; c", "a = 1"].map(layer);
    let config = config(&layers).to_string();
    let link = Raw { link: b"../one/layer.tar".to_vec(), ..Raw::new(b"three/layer.tar", b'2') };
    let names = ["one/layer.tar", "two/layer.tar", "three/layer.tar"];
    let manifest = json!([{"Config": "config.json", "RepoTags": ["app:1.0"], "Layers": names}]).to_string();
    let saved = archive(&[
        member("config.json", config.as_bytes()),
        member("one/layer.tar", &layers[0]),
        member("two/layer.tar", &layers[1]),
        link,
        member("manifest.json", manifest.as_bytes()),
    ]);
    assert_eq!(strip(&saved, &squash()).unwrap().text(), "a = 1\nc\n");
}

#[test]
fn m99_the_notes_of_lazy_pulling_formats_are_dropped() {
    case(["a; stargz.index.json = {}; .prefetch.landmark; .no.prefetch.landmark; d/stargz.index.json = mine"])
        .shows("a; d/; d/stargz.index.json = mine");
    let tar = layer("a");
    let mut oci = Oci::default();
    let mut one = oci.blob(LAYER, &tar);
    one["annotations"] = json!({"io.github.containers.zstd-chunked.manifest-position": "1:2:3:4",
        "containerd.io/snapshot/stargz/toc.digest": "sha256:00"});
    let image = named(oci.manifest(&config(&[tar]), &[one]));
    let squashed = strip(&oci.archive(&[image]), &squash()).unwrap();
    assert_eq!(squashed.text(), "a\n");
    for gone in [&b"zstd-chunked"[..], b"toc.digest"] {
        assert!(!squashed.archive.windows(gone.len()).any(|window| window == gone), "{}", gone.escape_ascii());
    }
}
