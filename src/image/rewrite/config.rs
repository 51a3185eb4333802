//! A config in, the same config about other layers out.
//!
//! Key order, unknown keys and numbers of any size stay (serde_json writes an exponent as `e+9`); what changes is
//! `rootfs.diff_ids`, `history`, `created` where a time is given, and keys that describe a build step or a cache of the
//! old layers. The `config` object, with its labels and Docker's extensions, is never touched.

use super::{Change, history};
use crate::error::{Error, escape};
use crate::options::History;
use crate::warning::{WarningKind, Warnings};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Keys about the old layers: the build container, image-format v1 ids, BuildKit's inline cache and build info.
const STALE: &[&str] = &[
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

/// Labels that name the image whose lowest layers are shared: after a squash none is.
pub(super) const BASE: &[&str] = &["org.opencontainers.image.base.digest", "org.opencontainers.image.base.name"];

/// Whether a key of a config tells of the old layers or their build: no rewritten config has it.
pub(crate) fn is_stale(key: &str) -> bool {
    STALE.contains(&fold(key).as_str())
}

/// Rewrites a config for the layers of `change`.
pub(super) fn rewrite(config: &Value, change: &Change, warnings: &mut Warnings) -> Result<Value, Error> {
    let Value::Object(config) = config else {
        return Err(Error::malformed("the config is not a JSON object"));
    };
    let mut config = config.clone();
    for key in ["created", "history", "rootfs"] {
        one_spelling(&config, key)?;
    }
    config.retain(|key, _| !is_stale(key));
    if let Some(seconds) = change.created {
        config.insert("created".into(), rfc3339(seconds)?.into());
    }
    rootfs(&mut config, change)?;
    if change.history == History::Drop {
        config.shift_remove("history");
    } else {
        let steps = history::rewrite(config.get("history"), config.get("created"), change)?;
        config.insert("history".into(), steps);
    }
    let labels = config.get("config").and_then(|inner| inner.get("Labels")).and_then(Value::as_object);
    for label in labels.into_iter().flat_map(Map::keys).filter(|label| BASE.contains(&label.as_str())) {
        warnings.add(WarningKind::StaleLabel, escape(label.as_bytes()));
    }
    Ok(Value::Object(config))
}

/// The layers: replaced where they stand, other keys of `rootfs` as they are.
fn rootfs(config: &mut Map<String, Value>, change: &Change) -> Result<(), Error> {
    let diff_ids: Vec<Value> = change.layers.iter().map(|layer| layer.diff_id.to_string().into()).collect();
    match config.entry("rootfs").or_insert(Value::Null) {
        missing @ Value::Null => *missing = json!({"type": "layers", "diff_ids": diff_ids}),
        Value::Object(rootfs) => {
            one_spelling(rootfs, "type")?;
            one_spelling(rootfs, "diff_ids")?;
            // "MUST be set to layers. Implementations MUST generate an error if they encounter an unknown value."
            match rootfs.get("type") {
                None | Some(Value::Null) => rootfs.insert("type".into(), "layers".into()),
                Some(Value::String(layers)) if layers == "layers" => None,
                Some(_) => return Err(Error::malformed("the config's rootfs.type is not \"layers\"")),
            };
            rootfs.insert("diff_ids".into(), diff_ids.into());
        }
        _ => return Err(Error::malformed("the config's rootfs is not a JSON object")),
    }
    Ok(())
}

/// Go matches keys without regard to case and takes the last: a second spelling would undo what we write.
pub(super) fn one_spelling(object: &Map<String, Value>, key: &str) -> Result<(), Error> {
    match object.keys().find(|other| *other != key && fold(other) == key) {
        None => Ok(()),
        Some(other) => Err(Error::malformed(format!(
            "the config has a key \"{}\", which some readers take for \"{key}\"",
            escape(other.as_bytes())
        ))),
    }
}

/// Go's case folding, as far as it reaches ASCII: the long s and the Kelvin sign fold to letters.
fn fold(key: &str) -> String {
    key.chars()
        .map(|character| match character {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

fn rfc3339(seconds: i64) -> Result<String, Error> {
    let time = Timestamp::from_second(seconds);
    time.map(|time| time.to_string())
        .map_err(|_| Error::usage(format!("the created time {seconds} is outside the years that RFC 3339 can write")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{change, layer};
    use super::*;
    use crate::error::ErrorKind;
    use crate::layer::codec::Codec;

    fn rewritten(config: &str, change: &Change) -> String {
        let config: Value = serde_json::from_str(config).unwrap();
        rewrite(&config, change, &mut Warnings::default()).unwrap().to_string()
    }

    fn refused(config: Value) -> ErrorKind {
        rewrite(&config, &change(vec![layer(1, Codec::Plain)]), &mut Warnings::default()).unwrap_err().kind()
    }

    #[test]
    fn order_unknown_keys_and_numbers_stay_and_only_the_layers_change() {
        let mut change = change(vec![layer(1, Codec::Plain)]);
        change.history = History::Drop;
        let config = r#"{"zeta":1e+400,"os":"linux","config":{"Healthcheck":{"StartInterval":18446744073709551616},"OnBuild":["é\u0001"],"Memory":1.0},"rootfs":{"extra":null,"diff_ids":["sha256:old"],"type":"layers"},"history":[{}],"architecture":"amd64"}"#;
        let diff_id = layer(1, Codec::Plain).diff_id;
        let expected = config.replace("sha256:old", diff_id.as_ref()).replace(r#""history":[{}],"#, "");
        assert_eq!(rewritten(config, &change), expected);
    }

    #[test]
    fn what_describes_the_build_is_dropped_and_the_rest_keeps_its_order() {
        let mut change = change(vec![layer(1, Codec::Plain)]);
        change.history = History::Drop;
        let config = r#"{"id":"a","author":"b","parent":"c","container":"d","container_config":{},"docker_version":"e","throwaway":true,"layer_id":"f","moby.buildkit.cache.v0":"g","moby.buildkit.buildinfo.v1":"h","moby.other":"i","os":"linux","config":{"Image":"sha256:x"},"rootfs":null}"#;
        let out = rewritten(config, &change);
        assert!(out.starts_with(r#"{"author":"b","moby.other":"i","os":"linux","config":{"Image":"sha256:x"},"rootfs":{"type":"layers","diff_ids":["sha256:"#), "{out}");
    }

    #[test]
    fn created_changes_only_when_asked_and_never_by_the_clock() {
        let mut change = change(vec![layer(1, Codec::Plain)]);
        let config = r#"{"created":"2020-01-02T03:04:05.678901234+02:00"}"#;
        assert!(rewritten(config, &change).starts_with(r#"{"created":"2020-01-02T03:04:05.678901234+02:00","#));
        change.created = Some(0);
        assert!(rewritten(config, &change).starts_with(r#"{"created":"1970-01-01T00:00:00Z","#));
        change.created = Some(i64::MAX);
        let error = rewrite(&json!({}), &change, &mut Warnings::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
    }

    #[test]
    fn a_label_about_the_base_stays_with_a_warning() {
        let config = json!({"config": {"Labels": {"a": "b", "org.opencontainers.image.base.name": "debian"}}});
        let mut warnings = Warnings::default();
        let out = rewrite(&config, &change(vec![layer(1, Codec::Plain)]), &mut warnings).unwrap();
        assert_eq!(out["config"], config["config"]);
        assert_eq!(warnings.count(WarningKind::StaleLabel), 1);
    }

    #[test]
    fn a_key_that_go_would_take_for_ours_is_refused() {
        for key in ["RootFS", "Hi\u{17f}tory", "CREATED"] {
            assert_eq!(refused(json!({ key: {} })), ErrorKind::Malformed, "{key}");
        }
        assert_eq!(refused(json!({"rootfs": {"Diff_IDs": []}})), ErrorKind::Malformed);
        assert_eq!(refused(json!({"rootfs": {"type": "bogus"}})), ErrorKind::Malformed);
        assert_eq!(refused(json!([])), ErrorKind::Malformed);
    }
}
