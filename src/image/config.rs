//! The config of an image, read: its JSON in, what imgstrip needs of it out; the JSON itself stays as it is.
//!
//! Refused: no `rootfs` of type `layers` (the specification's MUST), a diff_id that is no digest. Tolerated with a
//! warning, as Docker loads them: no architecture or os, a history that does not count the layers.

use super::Platform;
use crate::archive::{digest, json};
use crate::error::Error;
use crate::warning::{WarningKind, Warnings};
use oci_spec::image::Digest;
use serde_json::Value;

/// What a config says about its image.
#[derive(Debug)]
pub(crate) struct Config {
    /// The digests of the uncompressed layers, lowest first.
    pub(crate) diff_ids: Vec<Digest>,
    /// The platform; an absent os is `linux`, an absent architecture stays empty.
    pub(crate) platform: Platform,
}

/// Reads a parsed config; `what` names it, already escaped. Classes that are worth a warning go to `warnings`.
pub(crate) fn read(config: &Value, what: &str, warnings: &mut Warnings) -> Result<Config, Error> {
    let map = json::object(config, what)?;
    let Some(rootfs) = json::field(map, "rootfs", what)? else {
        return Err(Error::malformed(format!("{what} has no \"rootfs\": it is not the config of an image")));
    };
    let rootfs = json::object(rootfs, &format!("\"rootfs\" in {what}"))?;
    match json::text(rootfs, "type", what)? {
        Some("layers") => {}
        _ => return Err(Error::malformed(format!("the rootfs in {what} is not of type \"layers\""))),
    }
    let mut diff_ids = Vec::new();
    for diff_id in json::list(rootfs, "diff_ids", what)? {
        let text = diff_id.as_str().ok_or_else(|| Error::malformed(format!("a diff_id in {what} is not a string")))?;
        diff_ids.push(digest::parse(text, what)?);
    }

    let text = |key: &str| json::text(map, key, what).map(|text| text.unwrap_or_default().to_owned());
    let mut platform = Platform { os: text("os")?, architecture: text("architecture")?, variant: text("variant")? };
    for (key, value) in [("os", &platform.os), ("architecture", &platform.architecture)] {
        if value.is_empty() {
            warnings.add(WarningKind::ConfigKeys, format!("{what}: {key}"));
        }
    }
    if platform.os.is_empty() {
        "linux".clone_into(&mut platform.os);
    }

    let history = json::list(map, "history", what)?;
    let filled = history.iter().filter(|step| has_layer(step)).count();
    if !history.is_empty() && filled != diff_ids.len() {
        warnings.add(WarningKind::History, format!("{what}: {filled} steps, {} layers", diff_ids.len()));
    }
    Ok(Config { diff_ids, platform })
}

/// The command of each step that made a layer, lowest first; none at all where the history does not count the layers,
/// since nothing says then which step made which. `config` is one that [`read`] took.
pub(crate) fn layer_steps(config: &Value, layers: usize) -> Vec<Option<&str>> {
    let steps = config.get("history").and_then(Value::as_array).into_iter().flatten().filter(|step| has_layer(step));
    let steps: Vec<_> = steps.map(|step| step.get("created_by").and_then(Value::as_str)).collect();
    if steps.len() == layers { steps } else { Vec::new() }
}

/// Whether a step of the history made a layer.
fn has_layer(step: &Value) -> bool {
    step.get("empty_layer").and_then(Value::as_bool) != Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use serde_json::json;

    fn id() -> String {
        format!("sha256:{}", "a".repeat(64))
    }

    #[test]
    fn a_config_without_platform_or_with_an_odd_history_is_read_with_a_warning() {
        let mut warnings = Warnings::default();
        let config =
            json!({"rootfs": {"type": "layers", "diff_ids": [id()]}, "history": [{}, {}, {"empty_layer": true}]});
        let read = read(&config, "x", &mut warnings).unwrap();
        assert_eq!((read.diff_ids.len(), read.platform.to_string().as_str()), (1, "linux/unknown"));
        assert_eq!((warnings.count(WarningKind::ConfigKeys), warnings.count(WarningKind::History)), (2, 1));
    }

    #[test]
    fn a_layer_has_a_step_only_where_the_history_counts_the_layers() {
        let config =
            json!({"history": [{"created_by": "a"}, {"empty_layer": true, "created_by": "b"}, {"comment": "c"}]});
        assert_eq!(layer_steps(&config, 2), [Some("a"), None]);
        assert!(layer_steps(&config, 3).is_empty() && layer_steps(&json!({"history": null}), 1).is_empty());
    }

    #[test]
    fn no_layers_are_layers() {
        let config = json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": null}, "history": null});
        let mut warnings = Warnings::default();
        assert!(read(&config, "x", &mut warnings).unwrap().diff_ids.is_empty());
        assert!(warnings.is_empty());
    }

    #[test]
    fn a_rootfs_that_is_not_layers_is_refused() {
        for config in [
            json!({}),
            json!([]),
            json!({"rootfs": {"diff_ids": []}}),
            json!({"rootfs": {"type": "bogus", "diff_ids": []}}),
            json!({"rootfs": {"type": "layers", "diff_ids": ["not a digest"]}}),
            json!({"rootfs": {"type": "layers", "diff_ids": [7]}}),
            json!({"rootfs": {"type": "layers", "diff_ids": {}}}),
        ] {
            let error = read(&config, "x", &mut Warnings::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{config}");
        }
    }
}
