//! An OCI layout: the members of an archive or a directory in, the images of its indexes out.
//!
//! Every document is held against the size and the digest of its descriptor before it is believed. What is no image
//! (attestations, signatures, charts, caches) is left out with a warning. Never fetches anything (M97).

use super::descriptor::{Descriptor, Names};
use super::draft::{Claim, Config, Draft, check_layers, find_blob};
use super::media::{self, DocumentKind, LayerKind};
use super::members::Members;
use super::{digest, json};
use crate::error::{Error, ErrorKind, escape};
use crate::image::Platform;
use crate::options::Limits;
use crate::rootfs::RootPath;
use crate::warning::{WarningKind, Warnings};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// What an index yields.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) drafts: Vec<Draft>,
    /// What was left out because it is no image.
    pub(super) others: u64,
    pub(super) warnings: Warnings,
}

/// The images that `index.json` names.
pub(super) fn read(members: &Members, limits: &Limits) -> Result<Found, Error> {
    check_version(members, limits)?;
    let Some(blob) = members.find(&RootPath::clamped(b"index.json"))? else {
        return Err(Error::malformed("the layout has no index.json").hint("save the image again"));
    };
    let what = "index.json";
    let index = json::parse(&json::bytes(&blob, limits.manifest, what)?, limits.json_depth, what)?;
    let map = json::object(&index, what)?;
    if document_kind(map, None, what)? != DocumentKind::Index {
        return Err(Error::malformed("index.json is a manifest, not an index"));
    }
    let mut walk = Walk { members, limits, found: Found::default(), documents: 0 };
    let mut groups: HashMap<String, usize> = HashMap::new();
    let mut absent = None;
    for child in json::list(map, "manifests", what)? {
        let top = Descriptor::read(child, what)?;
        let names = top.names();
        // `docker save a:1 a:2` describes one manifest twice.
        if let Some(&group) = groups.get(top.digest.as_ref()) {
            for draft in walk.found.drafts.iter_mut().filter(|draft| draft.group == group) {
                draft.add_names(&names.references);
                draft.aliases.extend(names.aliases.iter().cloned());
            }
            continue;
        }
        let group = groups.len();
        groups.insert(top.digest.to_string(), group);
        if let Some(error) = walk.group(top, names, group)? {
            absent.get_or_insert(error);
        }
    }
    match absent {
        Some(error) if walk.found.drafts.is_empty() => Err(error),
        _ => Ok(walk.found),
    }
}

fn check_version(members: &Members, limits: &Limits) -> Result<(), Error> {
    let what = "oci-layout";
    let Some(blob) = members.find(&RootPath::clamped(what.as_bytes()))? else { return Ok(()) };
    let document = json::parse(&json::bytes(&blob, limits.manifest, what)?, limits.json_depth, what)?;
    match json::text(json::object(&document, what)?, "imageLayoutVersion", what)? {
        Some("1.0.0") => Ok(()),
        Some(other) => Err(Error::unsupported(format!("the layout has version \"{}\"", escape(other.as_bytes())))),
        None => Err(Error::malformed("oci-layout has no imageLayoutVersion")),
    }
}

/// What a document is, by its content, which must agree with what it and its descriptor say (CVE-2021-41190).
fn document_kind(map: &Map<String, Value>, described: Option<&str>, what: &str) -> Result<DocumentKind, Error> {
    let has = |key: &str| json::field(map, key, what).map(|value| value.is_some());
    if has("fsLayers")? || map.get("schemaVersion").and_then(Value::as_u64) == Some(1) {
        return Err(schema1(what));
    }
    if map.get("schemaVersion").is_some_and(|version| version.as_u64() != Some(2)) {
        return Err(Error::unsupported(format!("{what} has an unknown schemaVersion")));
    }
    let is_index = has("manifests")?;
    if is_index && (has("layers")? || has("config")?) {
        return Err(Error::malformed(format!("{what} is an index and a manifest at once (CVE-2021-41190)")));
    }
    let own = json::text(map, "mediaType", what)?.filter(|own| !own.is_empty());
    if let (Some(own), Some(described)) = (own, described)
        && own != described
    {
        let (own, described) = (escape(own.as_bytes()), escape(described.as_bytes()));
        return Err(Error::malformed(format!("{what} says that it is {own}, its descriptor says {described}")));
    }
    let said = own.or(described).map(media::document);
    // Go writes an empty list as null, so an index without manifests is known by its type alone.
    let kind = match (is_index, has("config")? || has("layers")?, said) {
        (true, ..) => DocumentKind::Index,
        (false, true, _) => DocumentKind::Manifest,
        (false, false, Some(said)) => said,
        (false, false, None) if map.contains_key("manifests") => DocumentKind::Index,
        (false, false, None) => {
            return Err(Error::malformed(format!(
                "{what} is neither an index nor a manifest: it has no manifests, no config"
            )));
        }
    };
    match said {
        Some(said) if said != kind => {
            Err(Error::malformed(format!("{what} has the content of another kind than its media type says")))
        }
        _ => Ok(kind),
    }
}

fn schema1(what: &str) -> Error {
    Error::unsupported(format!("{what} is of Docker's schema 1"))
        .hint("pull the image with a newer engine and save it again")
}

struct Walk<'a> {
    members: &'a Members,
    limits: &'a Limits,
    found: Found,
    documents: u64,
}

/// What stands behind a descriptor of an index.
enum Behind {
    Index(Vec<Descriptor>),
    Image(Box<Draft>),
    /// No image.
    Other,
    /// Some of its blobs are not in the archive; the error that says so where nothing else is there.
    Absent(Error),
}

impl Walk<'_> {
    /// Reads what one descriptor of `index.json` leads to. An error comes back where nothing but absent platforms
    /// is there and `index.json` itself may be the index of a multi-platform image.
    fn group(&mut self, top: Descriptor, names: Names, group: usize) -> Result<Option<Error>, Error> {
        let before = self.found.drafts.len();
        let may_be_absent = top.platform.is_some();
        let top_digest = top.digest.clone();
        let mut seen = HashSet::from([top.digest.to_string()]);
        let mut ahead = vec![(top, 0u64)];
        let mut absent: Vec<(String, Error)> = Vec::new();
        while let Some((descriptor, depth)) = ahead.pop() {
            let short = digest::short(&descriptor.digest);
            match self.behind(&descriptor).map_err(|error| error.in_image(short.clone()))? {
                Behind::Other => {
                    self.found.others = self.found.others.saturating_add(1);
                    self.found.warnings.add(WarningKind::Attestation, short);
                }
                Behind::Absent(error) if depth == 0 && !may_be_absent => return Err(error),
                Behind::Absent(error) => {
                    let shown = descriptor.platform.as_ref().map_or(short, Platform::to_string);
                    absent.push((shown, error));
                }
                Behind::Image(mut draft) => {
                    draft.group = group;
                    draft.digests.push(top_digest.clone());
                    let inner = descriptor.names();
                    draft.add_names(&names.references);
                    draft.add_names(&inner.references);
                    draft.aliases.extend(names.aliases.iter().chain(&inner.aliases).cloned());
                    self.found.drafts.push(*draft);
                }
                Behind::Index(children) => {
                    let depth = depth.saturating_add(1);
                    let deepest = self.limits.index_depth;
                    if depth > deepest {
                        return Err(Error::limit(format!("more than {deepest} indexes stand inside one another"))
                            .hint("raise --limit index_depth=N"));
                    }
                    for child in children.into_iter().rev() {
                        if seen.insert(child.digest.to_string()) {
                            ahead.push((child, depth));
                        }
                    }
                }
            }
        }
        if self.found.drafts.len() == before
            && let Some((_, error)) = absent.pop()
        {
            return if may_be_absent { Ok(Some(error)) } else { Err(error) };
        }
        for (shown, _) in absent {
            self.found.warnings.add(WarningKind::AbsentPlatform, shown);
        }
        Ok(None)
    }

    fn behind(&mut self, descriptor: &Descriptor) -> Result<Behind, Error> {
        let described = descriptor.media_type.as_deref();
        match described.map(media::document) {
            Some(DocumentKind::Other) => return Ok(Behind::Other),
            Some(DocumentKind::Schema1) => return Err(schema1("the manifest")),
            _ if descriptor.is_attestation() || descriptor.artifact_type.is_some() => return Ok(Behind::Other),
            _ => {}
        }
        self.documents = self.documents.saturating_add(1);
        if self.documents > self.limits.images {
            return Err(Error::limit(format!("the archive names more than {} images", self.limits.images))
                .hint("raise --limit images=N"));
        }
        let what = format!("the manifest {}", digest::short(&descriptor.digest));
        let Some(blob) = find_blob(self.members, &descriptor.digest)? else {
            return Ok(Behind::Absent(absent("the manifest", descriptor)));
        };
        check_size(blob.len(), descriptor, &what)?;
        let bytes = json::bytes(&blob, self.limits.manifest, &what)?;
        digest::verify(&bytes, &descriptor.digest, &what)?;
        let document = json::parse(&bytes, self.limits.json_depth, &what)?;
        let map = json::object(&document, &what)?;
        match document_kind(map, described, &what)? {
            DocumentKind::Index => {
                let children = json::list(map, "manifests", &what)?;
                children.iter().map(|child| Descriptor::read(child, &what)).collect::<Result<_, _>>().map(Behind::Index)
            }
            _ => self.manifest(map, &document, descriptor, &what),
        }
    }

    fn manifest(
        &self,
        map: &Map<String, Value>,
        document: &Value,
        descriptor: &Descriptor,
        what: &str,
    ) -> Result<Behind, Error> {
        let Some(config) = json::field(map, "config", what)? else {
            return Err(Error::malformed(format!("{what} has no config")));
        };
        let config = Descriptor::read(config, what)?;
        let list = json::list(map, "layers", what)?;
        check_layers(list.len(), self.limits)?;
        let layers = list.iter().map(|layer| Descriptor::read(layer, what)).collect::<Result<Vec<_>, _>>()?;
        let kind = |layer: &Descriptor| layer.media_type.as_deref().map_or(LayerKind::Image, media::layer);
        let is_artifact = json::text(map, "artifactType", what)?.is_some_and(|kind| !kind.is_empty())
            || config.media_type.as_deref().is_some_and(|media_type| !media::is_image_config(media_type))
            || (!layers.is_empty() && layers.iter().all(|layer| kind(layer) == LayerKind::Other));
        if is_artifact {
            return Ok(Behind::Other);
        }
        let Some(blob) = find_blob(self.members, &config.digest)? else {
            return Ok(Behind::Absent(absent("the config", &config)));
        };
        check_size(blob.len(), &config, "the config")?;
        let mut claims = Vec::new();
        for layer in layers {
            let kind = kind(&layer);
            let short = digest::short(&layer.digest);
            let shown = escape(layer.media_type.as_deref().unwrap_or_default().as_bytes());
            match kind {
                LayerKind::Encrypted => {
                    return Err(Error::unsupported(format!("layer {short} is encrypted ({shown})")));
                }
                LayerKind::Other => {
                    return Err(Error::unsupported(format!("layer {short} has the unknown media type {shown}")));
                }
                LayerKind::Image | LayerKind::Foreign => {}
            }
            let Some(blob) = find_blob(self.members, &layer.digest)? else {
                let is_foreign = kind == LayerKind::Foreign || !layer.urls.is_empty();
                return Ok(Behind::Absent(if is_foreign { foreign(&layer) } else { absent("the layer", &layer) }));
            };
            claims.push(Claim {
                blob,
                digest: Some(layer.digest),
                size: Some(layer.size),
                media_type: layer.media_type,
            });
        }
        let config = Config::read(&blob, Some(&config.digest), self.limits)?;
        let named = descriptor.platform.clone().filter(|named| !named.os.is_empty() && !named.architecture.is_empty());
        Ok(Behind::Image(Box::new(Draft {
            references: Vec::new(),
            aliases: Vec::new(),
            digests: vec![config.digest.clone(), descriptor.digest.clone()],
            platform: named.unwrap_or_else(|| config.platform.clone()),
            config,
            layers: claims,
            manifest: Some(document.clone()),
            annotations: descriptor.other_annotations(),
            group: 0,
        })))
    }
}

fn check_size(found: u64, descriptor: &Descriptor, what: &str) -> Result<(), Error> {
    if found == descriptor.size {
        return Ok(());
    }
    let size = descriptor.size;
    Err(Error::integrity(format!("{what} has {found} bytes, its descriptor says {size}")))
}

fn absent(what: &str, descriptor: &Descriptor) -> Error {
    Error::malformed(format!("{what} {} is not in the archive", descriptor.digest))
        .hint("save the image again, with all of its blobs")
}

fn foreign(layer: &Descriptor) -> Error {
    let what = format!("the foreign layer {} is not in the archive, only a link to {}", layer.digest, layer.hosts());
    Error::new(ErrorKind::Unsupported, what).hint("save the image together with its foreign layers")
}

#[cfg(test)]
#[path = "oci_tests.rs"]
mod tests;
