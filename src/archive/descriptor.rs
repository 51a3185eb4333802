//! Descriptors of an index or a manifest: a JSON object in, checked values out.

use super::{digest, json};
use crate::error::{Error, escape};
use crate::image::{Platform, Reference};
use oci_spec::image::Digest;
use serde_json::{Map, Value};

/// containerd's annotation with the full name of an image.
const FULL_NAME: &str = "io.containerd.image.name";
/// The specification's annotation with a tag, or with whatever the writer took for a name.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// A descriptor: what a blob is, and by which digest and size it is known.
#[derive(Debug, Clone)]
pub(super) struct Descriptor {
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) media_type: Option<String>,
    pub(super) artifact_type: Option<String>,
    pub(super) platform: Option<Platform>,
    pub(super) annotations: Map<String, Value>,
    pub(super) urls: Vec<String>,
}

/// What the annotations of a descriptor call its image.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub(super) references: Vec<Reference>,
    pub(super) aliases: Vec<String>,
}

impl Descriptor {
    /// Reads a descriptor; `what` says where it stands, already escaped.
    pub(super) fn read(value: &Value, what: &str) -> Result<Self, Error> {
        let what = &format!("a descriptor in {what}");
        let map = json::object(value, what)?;
        let absent = |key: &str| Error::malformed(format!("{what} has no {key}"));
        let digest = digest::parse(json::text(map, "digest", what)?.ok_or_else(|| absent("digest"))?, what)?;
        let size = json::size(map, "size", what)?.ok_or_else(|| absent("size"))?;
        let annotations = match json::field(map, "annotations", what)? {
            Some(annotations) => json::object(annotations, &format!("\"annotations\" of {what}"))?.clone(),
            None => Map::new(),
        };
        let platform = match json::field(map, "platform", what)? {
            Some(platform) => Some(read_platform(json::object(platform, &format!("\"platform\" of {what}"))?, what)?),
            None => None,
        };
        let urls = json::list(map, "urls", what)?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let owned =
            |key| json::text(map, key, what).map(|text| text.filter(|text| !text.is_empty()).map(str::to_owned));
        Ok(Self {
            digest,
            size,
            media_type: owned("mediaType")?,
            artifact_type: owned("artifactType")?,
            platform,
            annotations,
            urls,
        })
    }

    /// Whether it describes an attestation of BuildKit, which says something about another manifest.
    pub(super) fn is_attestation(&self) -> bool {
        let unknown = |platform: &Platform| platform.os == "unknown" && platform.architecture == "unknown";
        self.annotations.contains_key("vnd.docker.reference.type") || self.platform.as_ref().is_some_and(unknown)
    }

    /// The names that its annotations give.
    pub(super) fn names(&self) -> Names {
        let text = |key: &str| self.annotations.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let mut names = Names::default();
        if let Some(text) = text(FULL_NAME) {
            names.add(text, Reference::parse(text).ok());
        }
        if let Some(text) = text(REF_NAME) {
            // A tag by the specification, a whole name by buildah and podman.
            let name =
                if text.contains(['/', ':', '@']) { Reference::parse(text).ok() } else { Reference::from_tag(text) };
            names.add(text, name);
        }
        names
    }

    /// Its annotations without those that are names; null where none are left.
    pub(super) fn other_annotations(&self) -> Value {
        let mut others = self.annotations.clone();
        others.retain(|key, _| key != FULL_NAME && key != REF_NAME);
        if others.is_empty() { Value::Null } else { Value::Object(others) }
    }

    /// The hosts that its URLs name, for a message; nothing is ever fetched (CVE-2020-15157).
    pub(super) fn hosts(&self) -> String {
        let host = |url: &String| {
            let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host: String = authority.rsplit('@').next().unwrap_or_default().chars().take(80).collect();
            escape(host.as_bytes())
        };
        self.urls.iter().take(3).map(host).collect::<Vec<_>>().join(", ")
    }
}

impl Names {
    fn add(&mut self, text: &str, name: Option<Reference>) {
        self.aliases.push(text.to_owned());
        self.references.extend(name);
    }
}

fn read_platform(map: &Map<String, Value>, what: &str) -> Result<Platform, Error> {
    let text = |key: &str| json::text(map, key, what).map(|text| text.unwrap_or_default().to_owned());
    Ok(Platform { os: text("os")?, architecture: text("architecture")?, variant: text("variant")? })
}
