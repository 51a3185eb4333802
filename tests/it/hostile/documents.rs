//! H11 to H20: the config, and digests.

use super::{MEMORY, case, gzip, zstd};
use crate::image::{config, docker_with, hex, member};
use crate::lines::layer;
use crate::outer::{CONFIG, LAYER, MANIFEST, Oci, descriptor, named};
use crate::tar::archive;
use serde_json::{Value, json};
use sha2::{Digest, Sha384, Sha512};

/// A docker archive of one layer whose config is changed.
fn with(change: impl Fn(&mut Value)) -> Vec<u8> {
    let layers = [layer("a")];
    let mut config = config(&layers);
    change(&mut config);
    docker_with(&layers, &config)
}

/// The descriptors of an OCI image, and its index.
struct Parts {
    oci: Oci,
    layer: Value,
    config: Value,
}

impl Parts {
    fn new() -> Self {
        let mut oci = Oci::default();
        let layer = oci.blob(LAYER, &layer("a"));
        let config = oci.document(CONFIG, &config(&[crate::lines::layer("a")]));
        Self { oci, layer, config }
    }

    fn manifest(&mut self, extra: &Value) -> Value {
        let mut manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": self.config, "layers": [self.layer]});
        for (key, value) in extra.as_object().unwrap() {
            manifest[key] = value.clone();
        }
        named(self.oci.document(MANIFEST, &manifest))
    }

    fn archive(mut self) -> Vec<u8> {
        let manifest = self.manifest(&json!({}));
        self.oci.archive(&[manifest])
    }
}

/// An OCI archive in which one descriptor is changed: of the config, the layer or the manifest.
fn described(of: &str, change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut parts = Parts::new();
    match of {
        "config" => change(&mut parts.config),
        "layer" => change(&mut parts.layer),
        _ => {}
    }
    let mut manifest = parts.manifest(&json!({}));
    if of == "manifest" {
        change(&mut manifest);
    }
    parts.oci.archive(&[manifest])
}

/// The three documents and blobs that a digest names.
const NAMED: [&str; 3] = ["config", "layer", "manifest"];

#[test]
fn h11_a_config_that_is_missing() {
    let one = member("l.tar", &layer("a"));
    let manifest = br#"[{"Config":"c.json","RepoTags":["app:1.0"],"Layers":["l.tar"]}]"#;
    case(11, "of a docker archive", &archive(&[one, member("manifest.json", manifest)]))
        .refuses(3, &["app:1.0", "the config \"c.json\"", "not in the archive", "save the image again"]);
    case(11, "of an OCI image", &described("config", |config| *config = descriptor(CONFIG, b"gone")))
        .refuses(3, &["the config sha256:", "not in the archive"]);
}

#[test]
fn h12_a_config_larger_than_its_limit() {
    let padded = with(|config| config["config"]["Env"] = json!([" ".repeat(9 << 20)]));
    case(12, "9 MiB", &padded).refuses(6, &["the config has", "--limit config"]);
    case(12, "9 MiB, allowed", &padded).with(&["--limit", "config=16MiB"]).memory(3 * MEMORY).accepts();
    case(12, "a lower limit", &with(|_| {})).with(&["--limit", "config=100"]).refuses(6, &["more than 100"]);
    let steps = with(|config| config["history"] = vec![json!({}); super::many(100_000, 2_000_000) as usize].into());
    case(12, "empty steps without number", &steps[..])
        .memory(super::many(2, 8) * MEMORY)
        .with(&["--strict"])
        .refuses(7, &["history"]);
}

#[test]
fn h13_an_artifact_is_no_container_image() {
    let artifact = |config_type: &str, layer_type: &str, extra: Value| {
        let mut parts = Parts::new();
        parts.config = parts.oci.blob(config_type, b"{}");
        parts.layer = parts.oci.blob(layer_type, b"what it is");
        let manifest = parts.manifest(&extra);
        parts.oci.archive(&[manifest])
    };
    let helm = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    for (what, archive) in [
        ("by its artifactType", artifact(CONFIG, LAYER, json!({"artifactType": "application/vnd.example"}))),
        ("by an empty config", artifact("application/vnd.oci.empty.v1+json", LAYER, json!({}))),
        ("a cache of BuildKit", artifact("application/vnd.buildkit.cacheconfig.v0", LAYER, json!({}))),
        ("a chart", artifact("application/vnd.cncf.helm.config.v1+json", helm, json!({}))),
        ("layers of wasm", artifact(CONFIG, "application/vnd.wasm.content.layer.v1+wasm", json!({}))),
        ("a statement", artifact(CONFIG, "application/vnd.in-toto+json", json!({}))),
    ] {
        case(13, what, &archive).refuses(5, &["not a container image"]);
    }
    let mut parts = Parts::new();
    let mut attestation = descriptor(MANIFEST, b"gone");
    attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    case(13, "attestations alone", &std::mem::take(&mut parts.oci).archive(&[attestation.clone()]))
        .refuses(5, &["not a container image"]);
    let mut parts = Parts::new();
    let image = parts.manifest(&json!({}));
    let beside = case(13, "an attestation beside an image", &parts.oci.archive(&[image, attestation])).accepts();
    assert_eq!(beside.text(), "a\n");
    assert!(beside.said.contains("attestation"), "{}", beside.said);
}

#[test]
fn h14_a_rootfs_that_is_not_of_layers() {
    for (what, rootfs) in [
        ("none", json!(null)),
        ("no object", json!([])),
        ("of no type", json!({"diff_ids": []})),
        ("of another type", json!({"type": "base", "diff_ids": []})),
        ("of a type that is no text", json!({"type": 1, "diff_ids": []})),
        ("of diff_ids that are no list", json!({"type": "layers", "diff_ids": {}})),
        ("of diff_ids that are no texts", json!({"type": "layers", "diff_ids": [7]})),
        ("of diff_ids that are no digests", json!({"type": "layers", "diff_ids": ["abc"]})),
    ] {
        case(14, what, &with(|config| config["rootfs"] = rootfs.clone())).refuses(3, &["the config sha256:"]);
    }
}

#[test]
fn h15_more_or_fewer_diff_ids_than_layers() {
    let id = format!("sha256:{}", hex(&layer("a")));
    for (what, ids) in [("none", json!([])), ("two", json!([id, id]))] {
        let wrong = with(|config| config["rootfs"]["diff_ids"] = ids.clone());
        case(15, format!("{what} for one layer"), &wrong).refuses(3, &["app:1.0", "1 layers", "diff_ids"]);
    }
    let oci = {
        let mut parts = Parts::new();
        let manifest = parts.manifest(&json!({"layers": [parts.layer, parts.layer]}));
        parts.oci.archive(&[manifest])
    };
    case(15, "one for two layers of a manifest", &oci).refuses(3, &["2 layers", "1 diff_ids"]);
}

#[test]
fn h16_a_wrong_diff_id() {
    let tar = layer("a");
    type Pack = fn(&[u8]) -> Vec<u8>;
    for (name, pack) in [("plain", (|tar| tar.to_vec()) as Pack), ("gzip", gzip), ("zstd", zstd)] {
        let mut parts = Parts::new();
        parts.config = parts.oci.document(CONFIG, &config(&[layer("b")]));
        let media_type = if name == "plain" { LAYER.to_owned() } else { format!("{LAYER}+{name}") };
        parts.layer = parts.oci.blob(&media_type, &pack(&tar));
        case(16, name, &parts.archive()).refuses(4, &["layer 1/1 sha256:", "the uncompressed layer", "not"]);
    }
    let wrong = with(|config| config["rootfs"]["diff_ids"] = json!([format!("sha256:{}", hex(b"other"))]));
    case(16, "of a docker archive", &wrong).refuses(4, &["layer 1/1 sha256:"]);
    case(16, "in a dry run", &wrong).with(&["--dry-run"]).refuses(4, &["layer 1/1 sha256:"]);
}

#[test]
fn h17_a_blob_that_is_not_what_its_digest_says() {
    for of in NAMED {
        let mut parts = Parts::new();
        let manifest = parts.manifest(&json!({}));
        let digest = match of {
            "config" => &parts.config["digest"],
            "layer" => &parts.layer["digest"],
            _ => &manifest["digest"],
        };
        let name = digest.as_str().unwrap().replace("sha256:", "blobs/sha256/");
        let blob = parts.oci.members.iter_mut().find(|member| member.name == name.as_bytes()).unwrap();
        // A digit of a document that no rule is about, and a byte behind the layer's end marker.
        match of {
            "layer" => *blob.body.last_mut().unwrap() = 1,
            _ => blob.body[1] ^= 1,
        }
        let parts = parts.oci.archive(&[manifest]);
        case(17, format!("the {of}"), &parts).refuses(4, &["sha256:"]);
    }
}

#[test]
fn h18_a_blob_of_another_size_than_its_descriptor_says() {
    for of in NAMED {
        for (what, by) in [("shorter", -1), ("longer", 1)] {
            let wrong = described(of, |one| one["size"] = json!(one["size"].as_i64().unwrap() + by));
            case(18, format!("a {of} said to be {what}"), &wrong).refuses(4, &["bytes"]);
        }
    }
}

#[test]
fn h19_digests_that_are_none() {
    let hex = hex(b"x");
    let upper = format!("sha256:{}", hex.to_uppercase());
    let newline = format!("sha256:{hex}\n");
    let nul = format!("sha256:{}\0", &hex[..63]);
    let path = format!("sha256:{}/../../x", &hex[..50]);
    let loud = format!("SHA256:{hex}");
    for digest in [
        "sha256:../../etc/passwd",
        "../../etc/passwd",
        "sha256:",
        "sha256:abcd",
        "",
        &hex,
        &upper,
        &newline,
        &nul,
        &path,
        &loud,
        "sha256:/etc/passwd",
    ] {
        for of in NAMED {
            let wrong = described(of, |one| one["digest"] = json!(digest));
            case(19, format!("{of} {digest:?}"), &wrong).refuses(3, &["digest"]);
        }
    }
    case(19, "no digest", &described("layer", |one| one["digest"] = Value::Null)).refuses(3, &["no digest"]);
    let member = described("layer", |one| one["digest"] = json!(format!("md5:{}", &hex[..32])));
    case(19, "md5", &member).refuses(5, &["unknown algorithm"]);
    let diff_id = with(|config| config["rootfs"]["diff_ids"] = json!(["sha256:../../etc/passwd"]));
    case(19, "a diff_id", &diff_id).refuses(3, &["digest"]);
}

/// An OCI archive that names all its blobs by another digest than SHA-256.
fn by(algorithm: &str, digest: fn(&[u8]) -> String, spoil: bool) -> Vec<u8> {
    let mut oci = Oci::default();
    let mut blob = |media_type: &str, bytes: &[u8], spoil: bool| {
        let digest = digest(bytes);
        let mut bytes = bytes.to_vec();
        if spoil {
            *bytes.last_mut().unwrap() = 1;
        }
        oci.members.push(member(&format!("blobs/{algorithm}/{digest}"), &bytes));
        json!({"mediaType": media_type, "digest": format!("{algorithm}:{digest}"), "size": bytes.len()})
    };
    let tar = layer("a");
    let mut config = config(std::slice::from_ref(&tar));
    config["rootfs"]["diff_ids"] = json!([format!("{algorithm}:{}", digest(&tar))]);
    let layer = blob(LAYER, &tar, spoil);
    let config = blob(CONFIG, config.to_string().as_bytes(), false);
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
    let manifest = named(blob(MANIFEST, manifest.to_string().as_bytes(), false));
    oci.archive(&[manifest])
}

fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn h20_digests_of_other_algorithms_are_checked_or_refused() {
    let sha512 = |bytes: &[u8]| shown(&Sha512::digest(bytes));
    let sha384 = |bytes: &[u8]| shown(&Sha384::digest(bytes));
    for (name, digest) in [("sha512", sha512 as fn(&[u8]) -> String), ("sha384", sha384)] {
        assert_eq!(case(20, name, &by(name, digest, false)).accepts().text(), "a\n");
        case(20, format!("a wrong {name}"), &by(name, digest, true)).refuses(4, &["layer 1/1", name]);
    }
    for name in ["blake3", "sha1", "md5"] {
        case(20, name, &by(name, hex, false)).refuses(5, &["unknown algorithm", name]);
    }
}
