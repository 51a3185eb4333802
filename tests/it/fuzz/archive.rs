//! Archive resolution: the images of an archive are those that it was made of, in each layout, plain or compressed, as one file or as a
//! directory; one that was tampered with is refused, or its images are whole.
//!
//! In: an archive's members as text (`# ` first), a tar, or bytes that choose images, a layout, and what is wrong with it.

use super::choices::Choices;
use super::tar::text;
use crate::image::{hex, member};
use crate::tar::{Raw, archive};
use imgstrip::archive::{Archive, open};
use imgstrip::error::{Error, ErrorKind};
use imgstrip::options::{Input, Options};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::Path;

pub fn check(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"# ") {
        return text(bytes).is_some_and(|tar| opened(&tar).is_some());
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return opened(bytes).is_some();
    }
    let choices = &mut Choices(bytes);
    let made = made(choices);
    let broken = choices.rarely(2);
    let mut members = made.members;
    if broken {
        tamper(choices, &mut members);
    }
    let tar = archive(&members);
    let Some(archive) = opened(&tar) else {
        assert!(broken, "refused: {:?}", opening(&tar).map(|_| ()));
        return false;
    };
    if !broken {
        assert_eq!(seen(&archive), made.images);
        assert!(archive.others.is_empty());
        let packed = packed(choices, &tar);
        assert_eq!(seen(&opening(&packed).expect("compressed")), made.images);
    }
    if made.is_layout {
        as_directory(&members, &archive);
    }
    true
}

/// The names and the layers' bytes of an image.
type Seen = (BTreeSet<String>, String, Vec<Vec<u8>>);

fn seen(archive: &Archive) -> Vec<Seen> {
    let mut all: Vec<Seen> = archive
        .images
        .iter()
        .map(|image| {
            let names = image.references.iter().map(|name| name.familiar.clone()).collect();
            let layers = image.layers.iter().map(|layer| {
                let mut bytes = Vec::new();
                layer.blob.reader().read_to_end(&mut bytes).unwrap();
                bytes
            });
            (names, image.config_digest.to_string(), layers.collect())
        })
        .collect();
    all.sort();
    all
}

fn opening(bytes: &[u8]) -> Result<Archive, Error> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    open(&Input::Path(file.path().to_owned()), &Options::default())
}

/// What is opened, after all that can be said of it was.
fn opened(tar: &[u8]) -> Option<Archive> {
    let archive = match opening(tar) {
        Ok(archive) => archive,
        Err(error) => {
            assert!(!matches!(error.kind(), ErrorKind::Io | ErrorKind::Usage | ErrorKind::Gate), "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
            return None;
        }
    };
    assert!(!archive.images.is_empty());
    for image in archive.images.iter().chain(&archive.others) {
        let diff_ids = image.config["rootfs"]["diff_ids"].as_array().map_or(0, Vec::len);
        assert_eq!(image.layers.len(), diff_ids, "a layer for each diff_id");
        let names: BTreeSet<&String> = image.references.iter().map(|name| &name.full).collect();
        assert_eq!(names.len(), image.references.len(), "no name twice");
    }
    Some(archive)
}

fn packed(choices: &mut Choices<'_>, tar: &[u8]) -> Vec<u8> {
    match choices.few(2) {
        0 => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(tar).unwrap();
            encoder.finish().unwrap()
        }
        _ => zstd::encode_all(tar, 1).unwrap(),
    }
}

/// The same members as files of a directory, where a directory can hold them: the same images, or a refusal by both.
fn as_directory(members: &[Raw], archive: &Archive) {
    let directory = tempfile::tempdir().unwrap();
    let mut names = BTreeSet::new();
    for member in members {
        let name = String::from_utf8(member.name.clone()).unwrap();
        let plain = name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        if !plain || member.typeflag != b'0' || !names.insert(name.clone()) {
            return;
        }
        let path = directory.path().join(name);
        if std::fs::create_dir_all(path.parent().unwrap()).is_err() || std::fs::write(path, &member.body).is_err() {
            return;
        }
    }
    if !Path::exists(&directory.path().join("index.json")) {
        return;
    }
    let again = open(&Input::Path(directory.path().into()), &Options::default()).expect("as a directory");
    assert_eq!(seen(&again), seen(archive));
}

struct Made {
    members: Vec<Raw>,
    images: Vec<Seen>,
    /// It has an `index.json`.
    is_layout: bool,
}

const OCI: [&str; 3] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar",
];
const DOCKER: [&str; 3] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar",
];
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn made(choices: &mut Choices<'_>) -> Made {
    let (docker, layout) = choices.of(&[(true, false), (false, true), (true, true)]);
    let mut made = Made { members: Vec::new(), images: Vec::new(), is_layout: layout };
    let pool: Vec<Vec<u8>> = (0..4).map(|number| format!("layer {number}").into_bytes()).collect();
    let (mut manifests, mut items) = (Vec::new(), Vec::new());
    for number in 0..=choices.few(3) {
        let layers: Vec<&Vec<u8>> = (0..choices.few(5)).map(|_| &pool[choices.few(4)]).collect();
        let diff_ids: Vec<String> = layers.iter().map(|layer| format!("sha256:{}", hex(layer))).collect();
        let config = json!({"architecture": choices.of(&["amd64", "arm64"]), "os": "linux", "number": number, "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        let config = config.to_string().into_bytes();
        let tags: Vec<String> = (0..choices.few(3)).map(|tag| format!("app{number}:{tag}")).collect();
        let in_blobs = layout || choices.rarely(3);
        let blob = |bytes: &[u8]| format!("blobs/sha256/{}", hex(bytes));
        let mut add = |name: String, bytes: &[u8]| {
            if made.members.iter().all(|member| member.name != name.as_bytes()) {
                made.members.push(member(&name, bytes));
            }
            name
        };
        let named = if in_blobs { blob(&config) } else { format!("{}.json", hex(&config)) };
        let named = add(named, &config);
        let paths: Vec<String> = layers
            .iter()
            .map(|layer| add(if in_blobs { blob(layer) } else { format!("{}/layer.tar", hex(layer)) }, layer))
            .collect();
        items.push(json!({"Config": named, "RepoTags": if tags.is_empty() { Value::Null } else { json!(tags) }, "Layers": paths}));
        if layout {
            let types = choices.of(&[OCI, DOCKER]);
            let describe = |media_type: &str, bytes: &[u8]| json!({"mediaType": media_type, "digest": format!("sha256:{}", hex(bytes)), "size": bytes.len()});
            let list: Vec<Value> = layers.iter().map(|layer| describe(types[2], layer)).collect();
            let manifest = json!({"schemaVersion": 2, "mediaType": types[0], "config": describe(types[1], &config), "layers": list}).to_string();
            add(blob(manifest.as_bytes()), manifest.as_bytes());
            let mut described = describe(types[0], manifest.as_bytes());
            if choices.rarely(3) {
                let nested = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [described]}).to_string();
                add(blob(nested.as_bytes()), nested.as_bytes());
                described = describe(INDEX, nested.as_bytes());
            }
            // One entry a name, as containerd writes it; and one for an image without any.
            for tag in tags.iter().map(Some).chain(tags.is_empty().then_some(None)) {
                let mut entry = described.clone();
                if let Some(tag) = tag {
                    entry["annotations"] = json!({"io.containerd.image.name": format!("docker.io/library/{tag}")});
                }
                manifests.push(entry);
            }
        }
        let expected =
            (tags.into_iter().collect(), format!("sha256:{}", hex(&config)), layers.into_iter().cloned().collect());
        made.images.push(expected);
    }
    made.images.sort();
    if docker {
        made.members.push(member("manifest.json", Value::from(items).to_string().as_bytes()));
    }
    if layout {
        made.members.push(member("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#));
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        made.members.insert(choices.few(made.members.len()), member("index.json", index.to_string().as_bytes()));
    }
    made
}

fn tamper(choices: &mut Choices<'_>, members: &mut Vec<Raw>) {
    for _ in 0..=choices.few(2) {
        if members.is_empty() {
            return;
        }
        let at = choices.few(members.len());
        match choices.few(9) {
            0 => drop(members.remove(at)),
            1 => {
                let mut again = members[at].clone();
                again.body.push(b' ');
                members.push(again);
            }
            2 => members[at].name.splice(..0, *b"./").for_each(drop),
            3 => {
                members[at].link = members[choices.few(members.len())].name.clone();
                (members[at].typeflag, members[at].body) = (choices.of(b"12"), Vec::new());
            }
            4 => members[at].typeflag = choices.of(b"567341"),
            5 => {
                let other = choices.few(members.len());
                let name = members[other].name.clone();
                let name = std::mem::replace(&mut members[at].name, name);
                members[other].name = name;
            }
            6 | 7 => members[at].body = super::choices::mutated(&members[at].body, choices),
            _ => {
                // Something else of the right kind: a digest, a number, a name, in a document.
                let Ok(text) = String::from_utf8(members[at].body.clone()) else { continue };
                let (from, to) = choices.of(&[
                    ("sha256:", "sha512:"),
                    ("sha256:", "sha256:../"),
                    ("\"size\":", "\"size\":1"),
                    ("layers", "Layers"),
                    ("\"Config\"", "\"config\""),
                    ("manifests", "layers"),
                    ("amd64", "unknown"),
                    ("application/vnd.oci", "application/vnd.x"),
                    ("blobs/", "/blobs//"),
                    ("[", "[["),
                    ("\"RepoTags\":", "\"RepoTags\":[\"A b\"],\"RepoTags\":"),
                    ("image.index", "image.manifest"),
                    ("}", ",\"layers\":[]}"),
                ]);
                members[at].body = text.replacen(from, to, 1 + choices.few(3)).into_bytes();
            }
        }
    }
}
