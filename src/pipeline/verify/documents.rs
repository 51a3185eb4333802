//! What a written archive says of its images, held against the input's own documents and what was asked for.
//!
//! In: images of the input, and images as the written archive describes them. Out: which became which, or what is not as it should
//! be. Never compares with the documents that the writer made: those are what is doubted.

use super::Decision;
use crate::archive::digest;
use crate::error::{Error, escape};
use crate::image::rewrite::is_stale;
use crate::image::{Image, Layer, Reference, config_differences};
use crate::options::{Format, History, Options};
use crate::pipeline::layers::Layers;
use crate::warning::{WarningKind, Warnings};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// How much of a value of a config is shown.
const SHOWN: usize = 80;

/// Holds the names of the written images against those of the input, or the one that was asked for.
pub(super) fn names(
    input: &[Image],
    written: &[Image],
    tags: &Option<Vec<Reference>>,
    options: &Options,
) -> Result<(), Error> {
    // A digest in a name was that of the old manifest.
    let cut = |text: &str| text.split('@').next().unwrap_or_default().to_owned();
    let own = input.iter().flat_map(|image| tags.as_ref().unwrap_or(&image.references));
    let own: Vec<(String, &str)> = own
        .filter(|reference| !reference.tag.is_empty())
        .map(|reference| (cut(&reference.full), reference.tag.as_str()))
        .collect();
    let found = || written.iter().flat_map(|image| &image.references);
    for (full, tag) in &own {
        let is_there = match full.is_empty() {
            // `manifest.json` has no place for a tag without a name.
            true => options.format == Format::Docker || found().any(|reference| reference.tag == *tag),
            false => found().any(|reference| reference.full == *full),
        };
        if !is_there {
            let name = escape(if full.is_empty() { tag.as_bytes() } else { full.as_bytes() });
            return Err(Error::integrity(format!("the written archive lacks the name {name}")));
        }
    }
    match found().find(|found| !own.iter().any(|(full, tag)| *full == found.full && *tag == found.tag)) {
        None => Ok(()),
        Some(name) => {
            Err(Error::integrity(format!("the written archive has the name {name}, which the input has not")))
        }
    }
}

/// For each image of the input, which of the written ones it became.
pub(super) fn pair(input: &[Image], decisions: &[Decision], written: &[Image]) -> Result<Vec<usize>, Error> {
    let mut became: Vec<usize> = Vec::with_capacity(input.len());
    for (image, decision) in input.iter().zip(decisions) {
        let id = decision.report.config_digest.as_deref().unwrap_or_default();
        let same = || written.iter().enumerate().filter(|(_, other)| other.config_digest.to_string() == id);
        let free = same().find(|(index, other)| !became.contains(index) && other.platform.is_same(&image.platform));
        match free.or_else(|| same().next()) {
            Some((index, _)) => became.push(index),
            None => {
                let error = Error::integrity(format!("the written archive lacks the image {id}"));
                return Err(error.in_image(super::name(image)));
            }
        }
    }
    let is_known = |image: &&Image| {
        let id = image.config_digest.to_string();
        decisions.iter().any(|decision| decision.report.config_digest.as_ref() == Some(&id))
    };
    match written.iter().find(|image| !is_known(image)) {
        None => Ok(became),
        Some(image) => Err(Error::integrity(format!("the written archive has the image {} too", image.config_digest))),
    }
}

/// Holds a written config against the input's: everything but what tells of layers is the same.
pub(super) fn config(input: &Image, written: &Image, kept: usize, options: &Options) -> Result<(), Error> {
    let differ = |pointer: &str, found: &str, expected: &str| {
        let pointer = escape(pointer.as_bytes());
        Err(Error::integrity(format!("config {pointer}: {found} in the written image, not {expected}")))
    };
    let created = "/created";
    for difference in config_differences(&input.config, &written.config) {
        if difference.pointer != created || options.created.is_none() {
            return differ(&difference.pointer, &shown(difference.after.as_ref()), &shown(difference.before.as_ref()));
        }
    }
    if let Some(seconds) = options.created {
        let found = written.config.get("created");
        let time = found.and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
        if time.map(Timestamp::as_second) != Some(seconds) {
            return differ(created, &shown(found), &seconds.to_string());
        }
    }
    let keys = written.config.as_object().into_iter().flat_map(Map::keys);
    if let Some(key) = keys.into_iter().find(|key| is_stale(key)) {
        return differ(&format!("/{key}"), "it is", "there, since it tells of the old layers");
    }
    let layers = kept.saturating_add(1);
    if written.layers.len() != layers {
        return differ("/rootfs/diff_ids", &format!("{} layers", written.layers.len()), &layers.to_string());
    }
    let kind = written.config.get("rootfs").and_then(|rootfs| rootfs.get("type"));
    if kind.and_then(Value::as_str) != Some("layers") {
        return differ("/rootfs/type", &shown(kind), "layers");
    }
    history(input, written, (kept, options.history)).or_else(|what| differ("/history", &what, "as asked for"))
}

fn history(input: &Image, written: &Image, (kept, asked): (usize, History)) -> Result<(), String> {
    let steps = |image: &Image| image.config.get("history").and_then(Value::as_array).cloned();
    let Some(new) = steps(written) else {
        return if asked == History::Drop { Ok(()) } else { Err("no step".into()) };
    };
    let is_empty = |step: &&Value| step.get("empty_layer") == Some(&Value::Bool(true));
    let full = new.iter().filter(|step| !is_empty(step)).count();
    if asked == History::Drop || full != written.layers.len() {
        return Err(format!("{full} steps with a layer for {} layers", written.layers.len()));
    }
    let told = |step: &Value| {
        let mut step = step.clone();
        step.as_object_mut().map(|step| step.shift_remove("empty_layer"));
        step
    };
    let old = steps(input).unwrap_or_default();
    match asked {
        History::Keep if !old.iter().map(told).eq(new.iter().take(old.len()).map(told)) => {
            Err("other old steps".into())
        }
        History::Single if kept == 0 && new.len() != 1 => Err(format!("{} steps", new.len())),
        _ => Ok(()),
    }
}

fn shown(value: Option<&Value>) -> String {
    let text = match value {
        None => return "nothing".into(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    escape(text.chars().take(SHOWN).collect::<String>().as_bytes())
}

/// Holds the layers that an image names against the input's, where they stay, and against the report. What a docker archive does not
/// say, digests and sizes of its blobs, is filled in, so that they are checked while the layers are read.
pub(super) fn claim(input: &Image, decision: &Decision, written: &mut Image) -> Result<(), Error> {
    let count = written.layers.len();
    for (position, layer) in written.layers.iter_mut().enumerate() {
        let expected = match (input.layers.get(position), &decision.report.layer) {
            (Some(base), _) if position < decision.kept => base.clone(),
            (_, Some(new)) => Layer {
                digest: Some(digest::parse(&new.digest, "the report")?),
                size: Some(new.size),
                diff_id: digest::parse(&new.diff_id, "the report")?,
                ..layer.clone()
            },
            (_, None) => return Err(Error::integrity("the report tells of no layer")),
        };
        let differ = |what: &str, found: &str, expected: &str| {
            let error = Error::integrity(format!("{what} {found} in the written image, not {expected}"));
            Err(error.in_layer(format!("layer {}/{count}", position.saturating_add(1))))
        };
        if layer.diff_id != expected.diff_id {
            return differ("diff_id", layer.diff_id.as_ref(), expected.diff_id.as_ref());
        }
        match (&layer.digest, &expected.digest) {
            (Some(found), Some(expected)) if found.algorithm() == expected.algorithm() && found != expected => {
                return differ("digest", found.as_ref(), expected.as_ref());
            }
            (None, _) => layer.digest = expected.digest,
            _ => {}
        }
        match (layer.size, expected.size) {
            (Some(found), Some(expected)) if found != expected => {
                return differ("size", &found.to_string(), &expected.to_string());
            }
            _ => layer.size = layer.size.or(expected.size),
        }
    }
    Ok(())
}

/// Holds the layer that was written against what it should be as a tar: compressed as asked for, and with nothing odd about it.
pub(super) fn layers((image, layers): (&Image, &Layers), decision: &Decision, shown: &Warnings) -> Result<(), Error> {
    let Some((_, _, read)) = layers.of(image).last() else { return Err(Error::integrity("the image has no layer")) };
    let asked = decision.encoding.codec();
    if read.codec != asked {
        return Err(Error::integrity(format!("the written layer is {}, not {asked}", read.codec)));
    }
    // Layers that stay are as odd as they were.
    let odd = if decision.kept == 0 { shown } else { &read.warnings };
    // A directory that is called like a whiteout has no entry of its own, and what is in it still reads as odd (M26).
    match odd.iter().find(|(kind, _)| *kind != WarningKind::WhiteoutDirectory) {
        None => Ok(()),
        Some((kind, group)) => {
            let place = group.examples.first().map(String::as_str).unwrap_or_default();
            Err(Error::integrity(format!("the written layer has {} {} ({place})", group.count, kind.text(group.count))))
        }
    }
}
