//! The config rewrite: what says something of layers is ours, and Go reads it there; all else stands as it stood, to the byte; a second
//! rewrite changes nothing.
//!
//! In: a config (`{` first), or bytes that choose one.

use super::choices::Choices;
use crate::image::hex;
use imgstrip::image::rewrite::{Change, NewLayer, rewrite};
use imgstrip::image::{Image, Platform};
use imgstrip::layer::codec::Codec;
use imgstrip::options::History;
use imgstrip::warning::Warnings;
use serde_json::{Map, Value};

pub fn check(bytes: &[u8]) -> bool {
    let choices = &mut Choices(bytes);
    let text = if bytes.starts_with(b"{") { bytes.to_vec() } else { document(choices).into_bytes() };
    let Ok(Value::Object(config)) = serde_json::from_slice(&text) else { return false };
    let config = Value::Object(config);
    let change = change(choices);
    let image = image(&config);
    let mut warnings = Warnings::default();
    let Ok(written) = rewrite(&image, &change, &mut warnings) else { return false };
    assert_eq!(written.config_digest.to_string(), format!("sha256:{}", hex(&written.config)));
    assert_eq!(written.manifest_digest.to_string(), format!("sha256:{}", hex(&written.manifest)));
    let after: Value = serde_json::from_slice(&written.config).unwrap();
    untouched(config.as_object().unwrap(), after.as_object().unwrap(), &change);
    layers(&after, &change);
    described(&serde_json::from_slice(&written.manifest).unwrap(), &written.config, &change);

    let again = Change { kept: change.layers.len(), history: History::Keep, ..change };
    let twice =
        rewrite(&self::image(&after), &again, &mut Warnings::default()).expect("what was written is well formed");
    // Where all layers stay, nothing changes; only a dropped history comes back, without words.
    if change.history != History::Drop {
        assert_eq!(String::from_utf8(twice.config), String::from_utf8(written.config));
    }
    true
}

fn image(config: &Value) -> Image {
    Image {
        references: Vec::new(),
        platform: Platform { os: "linux".into(), architecture: "amd64".into(), variant: String::new() },
        config_digest: format!("sha256:{}", hex(config.to_string().as_bytes())).parse().unwrap(),
        config: config.clone(),
        layers: Vec::new(),
        manifest: None,
        annotations: Value::Null,
        group: 0,
    }
}

fn change(choices: &mut Choices<'_>) -> Change {
    let digest = |byte: u8| format!("sha256:{}", hex(&[byte])).parse().unwrap();
    let layer = |at: u8| NewLayer {
        digest: digest(at),
        size: u64::from(at) << 30,
        diff_id: digest(at + 100),
        kind: [Codec::Plain, Codec::Gzip, Codec::Zstd][usize::from(at) % 3],
    };
    let layers: Vec<NewLayer> = (0..1 + choices.few(4) as u8).map(layer).collect();
    Change {
        kept: choices.few(layers.len() + 1),
        layers,
        history: choices.of(&[History::Keep, History::Single, History::Drop]),
        created: choices.rarely(3).then(|| choices.number() as u32 as i64),
        created_by: "imgstrip".into(),
        comment: choices.of(&["", "squashed"]).into(),
        references: None,
    }
}

/// Keys that tell of the old build; said here again.
const STALE: [&str; 9] = [
    "container",
    "container_config",
    "docker_version",
    "id",
    "layer_id",
    "moby.buildkit.buildinfo.v1",
    "moby.buildkit.cache.v0",
    "parent",
    "throwaway",
];

/// As Go's `encoding/json` compares keys.
fn fold(key: &str) -> String {
    key.replace('\u{17f}', "s").replace('\u{212a}', "k").to_ascii_lowercase()
}

fn untouched(before: &Map<String, Value>, after: &Map<String, Value>, change: &Change) {
    let ours = |key: &str| key == "rootfs" || key == "history" || (key == "created" && change.created.is_some());
    let line = |(key, value): (&String, &Value)| format!("{key:?}: {value}");
    let stays = |(key, _): &(&String, &Value)| !ours(key) && !STALE.contains(&fold(key).as_str());
    let [before_lines, after_lines] = [before, after].map(|map| map.iter().filter(stays).map(line).collect::<Vec<_>>());
    assert_eq!(before_lines, after_lines);
    assert!(after.keys().all(|key| !STALE.contains(&fold(key).as_str())), "{after:?}");
    // Nor do ours move.
    let order = |of: &Map<String, Value>, other: &Map<String, Value>| -> Vec<String> {
        of.keys().filter(|key| other.contains_key(*key)).cloned().collect()
    };
    assert_eq!(order(before, after), order(after, before));
}

/// What Go's decoder finds under a key: the last that is spelt so but for case.
fn go<'a>(object: &'a Value, key: &str) -> &'a Value {
    let found = object.as_object().and_then(|map| map.iter().rfind(|(other, _)| fold(other) == key));
    found.map_or(&Value::Null, |(_, value)| value)
}

fn layers(after: &Value, change: &Change) {
    let rootfs = go(after, "rootfs");
    assert_eq!(go(rootfs, "type"), "layers");
    let diff_ids: Vec<Value> = change.layers.iter().map(|layer| layer.diff_id.to_string().into()).collect();
    assert_eq!(*go(rootfs, "diff_ids"), Value::Array(diff_ids));
    let history = go(after, "history");
    if change.history == History::Drop {
        assert!(history.is_null(), "{history}");
        return;
    }
    let with_layer = |step: &&Value| *go(step, "empty_layer") != Value::Bool(true);
    assert_eq!(history.as_array().unwrap().iter().filter(with_layer).count(), change.layers.len(), "{history}");
}

fn described(manifest: &Value, config: &[u8], change: &Change) {
    assert_eq!(manifest["config"]["digest"], format!("sha256:{}", hex(config)));
    assert_eq!(manifest["config"]["size"], config.len());
    let listed = manifest["layers"].as_array().unwrap();
    assert_eq!(listed.len(), change.layers.len());
    for (listed, layer) in listed.iter().zip(&change.layers) {
        assert_eq!((&listed["digest"], &listed["size"]), (&layer.digest.to_string().into(), &layer.size.into()));
    }
}

const KEYS: [&str; 30] = [
    "rootfs",
    "history",
    "created",
    "config",
    "os",
    "architecture",
    "variant",
    "os.version",
    "author",
    "Rootfs",
    "HISTORY",
    "hi\u{17f}tory",
    "id",
    "Parent",
    "container",
    "container_config",
    "docker_version",
    "moby.buildkit.cache.v0",
    "type",
    "diff_ids",
    "Diff_IDs",
    "empty_layer",
    "Empty_Layer",
    "created_by",
    "Labels",
    "Cmd",
    "\u{e9}",
    "a b",
    "",
    "throwaway",
];

/// A config, most of it as it should be.
pub fn document(choices: &mut Choices<'_>) -> String {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for _ in 0..choices.few(9) {
        let key = match choices.few(3) {
            0 => choices.of(&KEYS).to_owned(),
            _ => choices.of(&KEYS[3..9]).to_owned(),
        };
        let value = value(choices, 3);
        pairs.push((key, value));
    }
    if !choices.rarely(4) {
        let mut rootfs =
            vec![("type".to_owned(), "\"layers\"".to_owned()), ("diff_ids".into(), "[\"sha256:old\"]".into())];
        if choices.rarely(4) {
            rootfs.push((choices.of(&KEYS).into(), value(choices, 1)));
        }
        pairs.insert(choices.few(pairs.len() + 1), ("rootfs".into(), object(&rootfs)));
    }
    if !choices.rarely(4) {
        let steps: Vec<String> = (0..choices.few(6))
            .map(|_| {
                let mut step = vec![("created_by".to_owned(), value(choices, 0))];
                if choices.rarely(2) {
                    step.push(("empty_layer".into(), choices.of(&["true", "true", "false", "null", "1"]).into()));
                }
                if choices.rarely(6) {
                    step.push((choices.of(&KEYS).into(), value(choices, 1)));
                }
                object(&step)
            })
            .collect();
        pairs.insert(choices.few(pairs.len() + 1), ("history".into(), format!("[{}]", steps.join(","))));
    }
    object(&pairs)
}

/// Without keys that stand twice: the reader refuses those before.
fn object(pairs: &[(String, String)]) -> String {
    let mut seen = Vec::new();
    let pairs = pairs.iter().filter(|(key, _)| {
        let new = !seen.contains(&key);
        seen.push(key);
        new
    });
    let pairs: Vec<String> = pairs.map(|(key, value)| format!("{}:{value}", Value::from(key.as_str()))).collect();
    format!("{{{}}}", pairs.join(","))
}

fn value(choices: &mut Choices<'_>, deep: usize) -> String {
    match choices.few(if deep == 0 { 6 } else { 9 }) {
        0 => Value::from(choices.bytes(12).into_iter().map(char::from).collect::<String>()).to_string(),
        1 => choices.of(&["1e400", "-0", "1.0", "18446744073709551616", "0.1000", "1E+2", "-1"]).into(),
        2 => choices.of(&["null", "true", "false"]).into(),
        3 => format!(
            "\"{}\"",
            choices.of(&["2020-01-01T00:00:00Z", "layers", "linux", "amd64", "sha256:0", "\\u0000", "\\ud83d\\ude00"])
        ),
        4 => choices.number().to_string(),
        5 => "{}".into(),
        6 => format!("[{}]", (0..choices.few(4)).map(|_| value(choices, deep - 1)).collect::<Vec<_>>().join(",")),
        _ => {
            let pairs: Vec<_> =
                (0..choices.few(4)).map(|_| (choices.of(&KEYS).to_owned(), value(choices, deep - 1))).collect();
            object(&pairs)
        }
    }
}
