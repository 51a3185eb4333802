//! `manifest.json`, as `docker save` and everyone after it writes it: the members of an archive in, its images out.
//!
//! `Parent` and `LayerSources` are not read: the first is a stale v1 ID, the second describes blobs that are there
//! (Docker 25) and never foreign ones. A path is a name inside the archive, nothing else (CVE-2014-9356).

use super::draft::{Claim, Config, Draft, check_layers};
use super::members::{Members, named_path};
use super::{digest, json};
use crate::error::{Error, escape};
use crate::image::Reference;
use crate::options::Limits;
use crate::rootfs::RootPath;
use oci_spec::image::Digest;
use serde_json::{Map, Value};

const WHAT: &str = "manifest.json";

/// The images that `manifest.json` names; `None` where there is no such member.
pub(super) fn read(members: &Members, limits: &Limits) -> Result<Option<Vec<Draft>>, Error> {
    let Some(blob) = members.find(&RootPath::clamped(WHAT.as_bytes()))? else { return Ok(None) };
    let document = json::parse(&json::bytes(&blob, limits.manifest, WHAT)?, limits.json_depth, WHAT)?;
    let items = match &document {
        Value::Array(items) if items.is_empty() => return Err(Error::malformed("manifest.json names no image")),
        Value::Array(items) => items,
        Value::Object(map) if map.contains_key("schemaVersion") => {
            return Err(Error::unsupported("manifest.json is the manifest of a registry, as skopeo's dir: has it")
                .hint("copy the image with skopeo to docker-archive: or oci-archive:"));
        }
        _ => return Err(Error::malformed("manifest.json is not a list of images")),
    };
    if items.len() as u64 > limits.images {
        return Err(Error::limit(format!("manifest.json names {} images, more than {}", items.len(), limits.images))
            .hint("raise --limit images=N"));
    }
    items
        .iter()
        .enumerate()
        .map(|(group, item)| image(item, group, members, limits))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn image(item: &Value, group: usize, members: &Members, limits: &Limits) -> Result<Draft, Error> {
    let map = json::object(item, "an image in manifest.json")?;
    let references = names(map)?;
    let place = || match references.first() {
        Some(name) => name.to_string(),
        None => format!("image {}", group.saturating_add(1)),
    };
    let (config, layers) = parts(map, members, limits).map_err(|error| error.in_image(place()))?;
    let mut draft = Draft {
        references: Vec::new(),
        aliases: Vec::new(),
        digests: vec![config.digest.clone()],
        platform: config.platform.clone(),
        config,
        layers,
        manifest: None,
        annotations: Value::Null,
        group,
    };
    draft.add_names(&references);
    Ok(draft)
}

fn names(map: &Map<String, Value>) -> Result<Vec<Reference>, Error> {
    let mut references = Vec::new();
    for tag in json::list(map, "RepoTags", WHAT)? {
        let text =
            tag.as_str().ok_or_else(|| Error::malformed("a name in RepoTags of manifest.json is not a string"))?;
        // What old engines write for an image without a name.
        if text != "<none>:<none>" {
            references.push(Reference::parse(text)?);
        }
    }
    Ok(references)
}

fn parts(map: &Map<String, Value>, members: &Members, limits: &Limits) -> Result<(Config, Vec<Claim>), Error> {
    let text = json::text(map, "Config", WHAT)?
        .ok_or_else(|| Error::malformed("an image in manifest.json names no config"))?;
    let path = named_path(text, WHAT)?;
    let blob = members.find(&path)?.ok_or_else(|| missing("config", text))?;
    let config = Config::read(&blob, config_digest(text)?.as_ref(), limits)?;

    let list = json::list(map, "Layers", WHAT)?;
    check_layers(list.len(), limits)?;
    let mut layers = Vec::new();
    for layer in list {
        let text = layer.as_str().ok_or_else(|| Error::malformed("a layer in manifest.json is not a string"))?;
        let path = named_path(text, WHAT)?;
        let blob = members.find(&path)?.ok_or_else(|| missing("layer", text))?;
        layers.push(Claim { blob, digest: layout_digest(text)?, size: None, media_type: None });
    }
    Ok((config, layers))
}

/// The digest that a path in an OCI layout stands for: `blobs/sha256/<hex>`.
fn layout_digest(path: &str) -> Result<Option<Digest>, Error> {
    let path = path.trim_start_matches("./");
    match path.strip_prefix("blobs/").and_then(|rest| rest.split_once('/')) {
        Some((algorithm, encoded)) => digest::parse(&format!("{algorithm}:{encoded}"), WHAT).map(Some),
        None => Ok(None),
    }
}

/// The digest that a config's name claims: `<hex>.json` by Docker and podman, `sha256:<hex>` by kaniko and crane.
fn config_digest(path: &str) -> Result<Option<Digest>, Error> {
    if let Some(digest) = layout_digest(path)? {
        return Ok(Some(digest));
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = name.strip_suffix(".json").unwrap_or(name);
    let hex = name.strip_prefix("sha256:").unwrap_or(name);
    Ok(format!("sha256:{hex}").parse().ok())
}

fn missing(what: &str, path: &str) -> Error {
    let path = escape(path.as_bytes());
    Error::malformed(format!("the {what} \"{path}\" that manifest.json names is not in the archive"))
        .hint("save the image again")
}

#[cfg(test)]
#[path = "docker_tests.rs"]
mod tests;
