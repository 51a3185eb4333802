//! Image archives for the tests: built as `docker save` builds them, and read back without the crate's help.

use crate::tar::{Raw, Seen};
use imgstrip::cancel::Cancel;
use imgstrip::error::Error;
use imgstrip::options::{Input, Options, Output};
use imgstrip::progress::Watch;
use imgstrip::report::Report;
use imgstrip::rules::Rules;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Options that squash and drop nothing.
pub fn squash() -> Options {
    Options { rules: Rules::none(), ..Options::default() }
}

pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A config for layers with these tars.
pub fn config(layers: &[Vec<u8>]) -> Value {
    let diff_ids: Vec<String> = layers.iter().map(|layer| format!("sha256:{}", hex(layer))).collect();
    let history: Vec<Value> = layers.iter().map(|_| json!({"created_by": "a test"})).collect();
    json!({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/true"]}, "created": "1970-01-01T00:00:00Z",
        "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history,
    })
}

/// A member of an archive.
pub fn member(name: &str, body: &[u8]) -> Raw {
    Raw::new(name.as_bytes(), b'0').body(body)
}

/// What `docker save` writes for an image of these layers. A layer that stands twice is one member.
pub fn docker(layers: &[Vec<u8>]) -> Vec<u8> {
    docker_with(layers, &config(layers))
}

pub fn docker_with(layers: &[Vec<u8>], config: &Value) -> Vec<u8> {
    let config = config.to_string();
    let name = format!("{}.json", hex(config.as_bytes()));
    let names: Vec<String> = layers.iter().map(|layer| format!("{}/layer.tar", hex(layer))).collect();
    let manifest = json!([{"Config": name, "RepoTags": ["app:1.0"], "Layers": names}]).to_string();
    let mut members = vec![member(&name, config.as_bytes())];
    for (at, (name, layer)) in names.iter().zip(layers).enumerate() {
        if !names[..at].contains(name) {
            members.push(member(name, layer));
        }
    }
    members.push(member("manifest.json", manifest.as_bytes()));
    crate::tar::archive(&members)
}

/// The archive and the report of a run.
#[derive(Debug)]
pub struct Squashed {
    pub archive: Vec<u8>,
    pub report: Report,
}

/// Runs the crate over an archive, and has each result verified. A run that fails must leave nothing behind.
pub fn strip(archive: &[u8], options: &Options) -> Result<Squashed, Error> {
    run(archive, &Options { verify: true, ..options.clone() })
}

/// As [`strip`]; whether the result is verified is for `options` to say.
pub fn run(archive: &[u8], options: &Options) -> Result<Squashed, Error> {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("in.tar"), directory.path().join("out.tar"));
    std::fs::write(&from, archive).unwrap();
    let cancel = Cancel::default();
    let report = imgstrip::strip(&Input::Path(from), &Output::File(to.clone()), options, &Watch::silent(&cancel));
    let left = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, if report.is_ok() { 2 } else { 1 }, "a run leaves its output, a failed run nothing");
    report.map(|report| Squashed { archive: std::fs::read(to).unwrap(), report })
}

impl Squashed {
    /// The single layer's tar, for an uncompressed layer; its digests are checked.
    pub fn layer_tar(&self) -> Vec<u8> {
        let members = crate::tar::read(&self.archive);
        let find = |name: &str| -> &Seen {
            let found = members.iter().find(|member| member.name == name.as_bytes());
            found.unwrap_or_else(|| panic!("the archive has a member {name}"))
        };
        let manifest: Value = serde_json::from_slice(&find("manifest.json").body).unwrap();
        let layers = manifest[0]["Layers"].as_array().unwrap();
        assert_eq!((manifest.as_array().unwrap().len(), layers.len()), (1, 1), "one image of one layer");
        let layer = find(layers[0].as_str().unwrap()).body.clone();
        let config: Value = serde_json::from_slice(&find(manifest[0]["Config"].as_str().unwrap()).body).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"], json!([format!("sha256:{}", hex(&layer))]));
        layer
    }

    /// The single layer's entries.
    pub fn entries(&self) -> Vec<Seen> {
        crate::tar::read(&self.layer_tar())
    }

    /// The single layer as a text tree.
    pub fn text(&self) -> String {
        crate::lines::show(&self.entries())
    }

    /// The codes of the warnings, sorted.
    pub fn warnings(&self) -> Vec<String> {
        let mut codes: Vec<String> = self.report.warnings.iter().map(|warning| warning.code.clone()).collect();
        codes.sort();
        codes
    }
}
