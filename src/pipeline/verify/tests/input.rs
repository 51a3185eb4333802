//! The archives that the broken writers are given: an entry of each kind, with metadata of each kind, over two layers.

use crate::archive::digest;
use crate::layer::testing::{Head, Tar};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

/// Two million bytes that deflate well enough, and no two blocks alike.
fn big() -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"abcdefgh"[(state >> 29) as usize]
    };
    (0..2_000_000).map(|_| next()).collect()
}

fn lower() -> Vec<u8> {
    let owned = Head::new(b'0', "etc/passwd").number(100, 8, 0o640).number(108, 8, 7).number(116, 8, 7).mtime(1234);
    Tar::new()
        .directory("etc/")
        .body(owned.at(265, b"root\0"), b"line\n")
        .file("etc/gone", b"gone")
        .head(Head::new(b'2', "etc/link").link("passwd"))
        .directory("dev/")
        .head(Head::new(b'3', "dev/null").number(329, 8, 1).number(337, 8, 3))
        .end()
}

fn upper() -> Vec<u8> {
    Tar::new()
        .directory("bin/")
        .pax(&[("SCHILY.xattr.security.capability", b"\x01B")])
        .file("bin/ping", b"\x7fELF.\n")
        .directory("usr/")
        .file("usr/one", b"same")
        .head(Head::new(b'1', "usr/two").link("usr/one"))
        .body(Head::new(b'0', "big").mtime(2000), big())
        .file("etc/.wh.gone", b"")
        .head(Head::new(b'2', "etc/shadow").link("passwd"))
        .end()
}

/// An archive as `docker save` writes it.
fn docker(images: &[(&str, Vec<Vec<u8>>)], pack: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut archive = Tar::new();
    let mut manifest = Vec::new();
    let mut written = Vec::new();
    for (name, layers) in images {
        let diff_ids: Vec<String> = layers.iter().map(|layer| digest::of(layer).unwrap().to_string()).collect();
        let history: Vec<Value> = layers.iter().map(|_| json!({"created_by": "x"})).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:00Z",
            "config": {"Env": ["A=1"], "User": "7"}, "history": history,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = config.to_string();
        let config_name = format!("{}.json", digest::of(config.as_bytes()).unwrap().digest());
        let mut names = Vec::new();
        for layer in layers {
            let name = format!("{}/layer.tar", digest::of(layer).unwrap().digest());
            if !written.contains(&name) {
                archive = archive.file(&name, pack(layer));
                written.push(name.clone());
            }
            names.push(name);
        }
        archive = archive.file(&config_name, config);
        manifest.push(json!({"Config": config_name, "RepoTags": [name], "Layers": names}));
    }
    archive.file("manifest.json", Value::from(manifest).to_string()).end()
}

/// One image of two layers: eleven names below the root, and `bin`.
pub(super) fn archive() -> Vec<u8> {
    docker(&[("app:1.0", vec![lower(), upper()])], <[u8]>::to_vec)
}

/// The same with gzip layers.
pub(super) fn zipped() -> Vec<u8> {
    docker(&[("app:1.0", vec![lower(), upper()])], |bytes| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    })
}

/// Two images that share a layer.
pub(super) fn two_images() -> Vec<u8> {
    let second = Tar::new().file("second", b"2").end();
    docker(&[("app:1.0", vec![lower(), upper()]), ("other:1.0", vec![lower(), second])], <[u8]>::to_vec)
}
