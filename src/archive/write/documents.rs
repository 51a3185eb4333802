//! The rewritten images in, the documents that tie an archive together out: `index.json`, `manifest.json`, and the
//! members that they name. PURE.
//!
//! Several platforms of one image stand in an index of their own below `index.json`: containerd, Docker's containerd
//! store, skopeo and podman take the name to be that of all platforms, where a flat `index.json` makes the first win.
//! `manifest.json` knows no platforms and a name can stand there once, so it names one of them: linux/amd64, else the
//! first. One descriptor a name, as Docker 25 and containerd write it. No `repositories`: nobody needs it beside
//! `manifest.json`.

use crate::archive::digest;
use crate::error::{Error, escape};
use crate::image::Reference;
use crate::image::rewrite::{INDEX_TYPE, MANIFEST_TYPE, Rewritten, serialise};
use crate::options::Format;
use crate::warning::{WarningKind, Warnings};
use oci_spec::image::Digest;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The marker of an OCI layout.
pub(super) const MARKER: (&str, &[u8]) = ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);

/// What one name, or one nameless image, of the archive leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The names; none for an untagged image.
    pub references: Vec<Reference>,
    /// The digest of the manifest, or of the index where there are several platforms.
    pub digest: Digest,
}

/// Members of the archive beside the layers.
#[derive(Debug)]
pub(super) struct Documents {
    /// Names and bytes, in the order in which they are written, each once.
    pub(super) members: Vec<(String, Vec<u8>)>,
    pub(super) roots: Vec<Root>,
}

/// A name and the platforms that it means.
struct Group<'a> {
    number: usize,
    references: Vec<&'a Reference>,
    images: Vec<&'a Rewritten>,
}

/// The documents of an archive that holds these images.
pub(super) fn write(images: &[Rewritten], format: Format, warnings: &mut Warnings) -> Result<Documents, Error> {
    let groups = group(images);
    refuse_shared_names(&groups)?;
    let mut members = Vec::new();
    let mut roots = Vec::new();
    if format == Format::Docker {
        members.extend(images.iter().map(|image| (config_name(&image.config_digest, format), image.config.clone())));
        for group in &groups {
            let [image] = group.images.as_slice() else {
                return Err(Error::usage("a docker archive holds one platform of an image, and the input has several")
                    .hint("choose one with --platform"));
            };
            roots.push(root(group, image.manifest_digest.clone()));
        }
    } else {
        let mut descriptors = Vec::new();
        for group in &groups {
            let (root, found) = oci(group, &mut members)?;
            descriptors.extend(found);
            roots.push(root);
        }
        for image in images.iter().filter(|image| image.docker_healthcheck) {
            let name = image.references.first().map_or("an image without a name", |reference| &reference.familiar);
            warnings.add(WarningKind::Healthcheck, escape(name.as_bytes()));
        }
        let index = json!({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": descriptors});
        members.push(("index.json".into(), serialise(&index)?));
    }
    if format != Format::Oci {
        members.push(("manifest.json".into(), serialise(&manifest_json(&groups, format, warnings))?));
    }
    // Two names of one image share its documents.
    let mut seen = BTreeSet::new();
    members.retain(|(name, _)| seen.insert(name.clone()));
    Ok(Documents { members, roots })
}

/// Images of one group belong together, and so do platforms that share all their names in a flat index.
fn group(images: &[Rewritten]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for image in images {
        let mut references: Vec<&Reference> = image.references.iter().collect();
        references.sort();
        references.dedup();
        let flat = |group: &Group<'_>| {
            !references.is_empty()
                && group.references == references
                && group.images.iter().all(|other| other.platform != image.platform)
        };
        match groups.iter_mut().find(|group| group.number == image.group || flat(group)) {
            Some(group) => {
                group.images.push(image);
                group.references.extend(references);
                group.references.sort();
                group.references.dedup();
            }
            None => groups.push(Group { number: image.group, references, images: vec![image] }),
        }
    }
    // The same platforms under other names: one root with all the names.
    let mut merged: Vec<Group<'_>> = Vec::new();
    for group in groups {
        let same = |other: &&mut Group<'_>| {
            other
                .images
                .iter()
                .map(|image| &image.manifest_digest)
                .eq(group.images.iter().map(|image| &image.manifest_digest))
        };
        match merged.iter_mut().find(same) {
            Some(other) => {
                other.references.extend(group.references);
                other.references.sort();
                other.references.dedup();
            }
            None => merged.push(group),
        }
    }
    merged
}

/// Engines let the last image of a name win, or the first.
fn refuse_shared_names(groups: &[Group<'_>]) -> Result<(), Error> {
    let mut taken = BTreeSet::new();
    // The same tag of two repositories is no clash, only the same full name is; and two nameless tags are.
    for reference in groups.iter().flat_map(|group| &group.references) {
        if !taken.insert(*reference) {
            let name = if reference.full.is_empty() { &reference.tag } else { &reference.familiar };
            let what = format!("two images would have the name \"{}\"", escape(name.as_bytes()));
            return Err(Error::usage(what).hint("choose one with --image or --platform"));
        }
    }
    Ok(())
}

fn root(group: &Group<'_>, digest: Digest) -> Root {
    Root { references: group.references.iter().map(|reference| (*reference).clone()).collect(), digest }
}

/// The blobs of a group, and its descriptors for `index.json`.
fn oci(group: &Group<'_>, members: &mut Vec<(String, Vec<u8>)>) -> Result<(Root, Vec<Value>), Error> {
    let mut leaves = Vec::new();
    for image in &group.images {
        members.push((blob_name(&image.config_digest), image.config.clone()));
        members.push((blob_name(&image.manifest_digest), image.manifest.clone()));
        leaves.push(image);
    }
    let describe = |names: Map<String, Value>, image: &Rewritten| {
        let mut annotations = image.annotations.as_object().cloned().unwrap_or_default();
        annotations.extend(names);
        descriptor(MANIFEST_TYPE, &image.manifest_digest, image.manifest.len(), annotations, image.platform.clone())
    };
    if let [image] = leaves.as_slice() {
        let descriptors = names(group).into_iter().map(|names| describe(names, image)).collect();
        return Ok((root(group, image.manifest_digest.clone()), descriptors));
    }
    let manifests: Vec<Value> = leaves.into_iter().map(|image| describe(Map::new(), image)).collect();
    let index = serialise(&json!({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": manifests}))?;
    let digest = digest::of(&index)?;
    let describe = |names| descriptor(INDEX_TYPE, &digest, index.len(), names, Value::Null);
    let descriptors = names(group).into_iter().map(describe).collect();
    members.push((blob_name(&digest), index));
    Ok((root(group, digest), descriptors))
}

/// The annotations that name a descriptor, once a name; one nameless descriptor where there is no name.
fn names(group: &Group<'_>) -> Vec<Map<String, Value>> {
    let annotate = |reference: &&Reference| {
        let pairs =
            [("io.containerd.image.name", &reference.full), ("org.opencontainers.image.ref.name", &reference.tag)];
        let pairs = pairs.into_iter().filter(|(_, text)| !text.is_empty());
        pairs.map(|(key, text)| (key.to_owned(), text.as_str().into())).collect()
    };
    match group.references.as_slice() {
        [] => vec![Map::new()],
        references => references.iter().map(annotate).collect(),
    }
}

fn descriptor(kind: &str, digest: &Digest, size: usize, annotations: Map<String, Value>, platform: Value) -> Value {
    let mut descriptor = Map::new();
    descriptor.insert("mediaType".into(), kind.into());
    descriptor.insert("digest".into(), digest.to_string().into());
    descriptor.insert("size".into(), size.into());
    if !annotations.is_empty() {
        descriptor.insert("annotations".into(), annotations.into());
    }
    if !platform.is_null() {
        descriptor.insert("platform".into(), platform);
    }
    descriptor.into()
}

fn manifest_json(groups: &[Group<'_>], format: Format, warnings: &mut Warnings) -> Value {
    // One entry an image, as `docker save` writes it, however many roots lead to it.
    let mut entries: Vec<(&Digest, &Rewritten, Vec<&str>)> = Vec::new();
    for group in groups {
        let common = |image: &&&Rewritten| {
            image.platform.get("os") == Some(&json!("linux"))
                && image.platform.get("architecture") == Some(&json!("amd64"))
        };
        let Some(image) = group.images.iter().find(common).or(group.images.first()) else { continue };
        let tags: Vec<&str> = group
            .references
            .iter()
            .map(|reference| reference.familiar.as_str())
            .filter(|tag| !tag.is_empty())
            .collect();
        if group.images.len() > 1 {
            let name = tags.first().copied().unwrap_or("an image without a name");
            warnings.add(WarningKind::OnePlatform, escape(name.as_bytes()));
        }
        match entries.iter_mut().find(|(digest, ..)| **digest == image.manifest_digest) {
            Some((.., all)) => all.extend(tags),
            None => entries.push((&image.manifest_digest, image, tags)),
        }
    }
    let entries = entries.into_iter().map(|(_, image, tags)| {
        let layers: Vec<String> = image.layers.iter().map(|layer| layer_name(&layer.digest, format)).collect();
        let tags = if tags.is_empty() { Value::Null } else { tags.into() };
        json!({"Config": config_name(&image.config_digest, format), "RepoTags": tags, "Layers": layers})
    });
    entries.collect()
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.digest())
}

/// Where a layer stands. In a docker archive as skopeo and podman name it; every reader goes by `manifest.json` and
/// by magic bytes, whatever the name says.
pub(super) fn layer_name(digest: &Digest, format: Format) -> String {
    match format {
        Format::Docker => format!("{}.tar", digest.digest()),
        Format::Auto | Format::Oci => blob_name(digest),
    }
}

fn config_name(digest: &Digest, format: Format) -> String {
    match format {
        Format::Docker => format!("{}.json", digest.digest()),
        Format::Auto | Format::Oci => blob_name(digest),
    }
}

/// Every layer that an image names was written, and nothing else was: a forgotten blob would carry removed secrets.
pub(super) fn account_for(images: &[Rewritten], written: &BTreeMap<String, u64>) -> Result<(), Error> {
    let layers = images.iter().flat_map(|image| &image.layers);
    let named: BTreeMap<String, u64> = layers.map(|layer| (layer.digest.to_string(), layer.size)).collect();
    if let Some((digest, _)) = named.iter().find(|(digest, size)| written.get(*digest) != Some(size)) {
        return Err(Error::integrity(format!("an image names the layer {digest}, which was not written")));
    }
    match written.keys().find(|digest| !named.contains_key(*digest)) {
        Some(digest) => Err(Error::integrity(format!("the layer {digest} was written, and no image names it"))),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "documents_tests.rs"]
mod tests;
