//! Names of images: what a user, `RepoTags` or an annotation says in, the familiar and the full spelling out.
//!
//! The rules are Docker's: no registry is docker.io, one component there is below `library/`, no tag is `latest`.
//! Never looks anything up.

use crate::error::{Error, escape};
use oci_spec::image::Digest;
use std::fmt;

/// The longest name that any registry takes: 255 bytes of repository, 128 of tag, a digest.
const LONGEST: usize = 512;

/// A name of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// As Docker shows it: `app:1.0`, never `docker.io/library/app:1.0`. Empty where a layout knows the tag alone.
    pub familiar: String,
    /// The full name, registry and tag included. Empty where a layout knows the tag alone.
    pub full: String,
    /// The tag alone; empty where the name has a digest instead.
    pub tag: String,
}

impl Reference {
    /// Reads a name: `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`, where no tag and no digest mean `latest`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::split(text).ok_or_else(|| {
            let shown: String = text.chars().take(LONGEST).collect();
            Error::malformed(format!("\"{}\" is not the name of an image", escape(shown.as_bytes())))
                .hint("write it as registry/repository:tag")
        })
    }

    /// The name that is only a tag, as `skopeo copy ... oci:directory:TAG` writes it into an index.
    pub fn from_tag(tag: &str) -> Option<Self> {
        is_tag(tag).then(|| Self { familiar: String::new(), full: String::new(), tag: tag.to_owned() })
    }

    /// Whether only the tag is known, no repository.
    pub fn is_tag_only(&self) -> bool {
        self.full.is_empty()
    }

    fn split(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        if let Some(digest) = digest {
            digest.parse::<Digest>().ok()?;
        }
        // A colon before the last slash is a port.
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        let tag = tag.or(digest.is_none().then_some("latest"));
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return None;
        }
        let (registry, repository) = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => (first, rest),
            _ => ("docker.io", name),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        if !is_repository(repository) || !is_host(registry) {
            return None;
        }
        let mut rest = String::new();
        for (mark, part) in [(':', tag), ('@', digest)] {
            if let Some(part) = part {
                rest.push(mark);
                rest.push_str(part);
            }
        }
        let tag = tag.unwrap_or_default().to_owned();
        if registry != "docker.io" {
            let full = format!("{registry}/{repository}{rest}");
            return Some(Self { familiar: full.clone(), full, tag });
        }
        let short = repository.strip_prefix("library/").filter(|short| !short.contains('/')).unwrap_or(repository);
        let long = if short.contains('/') { short.to_owned() } else { format!("library/{short}") };
        Some(Self { familiar: format!("{short}{rest}"), full: format!("docker.io/{long}{rest}"), tag })
    }
}

impl fmt::Display for Reference {
    /// The familiar name, or the tag where there is no other.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_tag_only() { &self.tag } else { &self.familiar })
    }
}

/// Docker's rule for the first component of a name.
fn is_registry(text: &str) -> bool {
    text == "localhost" || text.contains(['.', ':']) || text.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_host(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let edge = |byte: Option<&u8>| byte.is_some_and(|&byte| byte.is_ascii_alphanumeric() || b"[]".contains(&byte));
    let bytes = text.as_bytes();
    edge(bytes.first()) && edge(bytes.last()) && bytes.iter().copied().all(allowed)
}

fn is_repository(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    text.split('/')
        .map(str::as_bytes)
        .all(|part| edge(part.first()) && edge(part.last()) && part.iter().all(|&byte| allowed(byte)))
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || b".-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> (String, String, String) {
        let Reference { familiar, full, tag } = Reference::parse(text).unwrap();
        (familiar, full, tag)
    }

    fn three(familiar: &str, full: &str, tag: &str) -> (String, String, String) {
        (familiar.into(), full.into(), tag.into())
    }

    #[test]
    fn every_spelling_of_a_name_is_one_name() {
        let app = three("app:1.0", "docker.io/library/app:1.0", "1.0");
        for text in [
            "app:1.0",
            "library/app:1.0",
            "docker.io/app:1.0",
            "docker.io/library/app:1.0",
            "index.docker.io/library/app:1.0",
        ] {
            assert_eq!(names(text), app, "{text}");
        }
        assert_eq!(names("app"), three("app:latest", "docker.io/library/app:latest", "latest"));
        assert_eq!(names("me/app:1"), three("me/app:1", "docker.io/me/app:1", "1"));
        assert_eq!(names("localhost/app"), three("localhost/app:latest", "localhost/app:latest", "latest"));
        assert_eq!(names("reg:5000/a/b"), three("reg:5000/a/b:latest", "reg:5000/a/b:latest", "latest"));
        assert_eq!(names("[::1]:5000/a:2").0, "[::1]:5000/a:2");
    }

    #[test]
    fn a_digest_stands_for_the_tag() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let (familiar, full, tag) = names(&format!("app@{digest}"));
        assert_eq!((familiar, full), (format!("app@{digest}"), format!("docker.io/library/app@{digest}")));
        assert_eq!(tag, "");
        assert_eq!(names(&format!("app:1@{digest}")).2, "1");
    }

    #[test]
    fn what_no_registry_takes_is_refused_and_shown_escaped() {
        for bad in [
            "",
            ":1",
            "App:1",
            "a//b",
            "/a",
            "a/",
            "a:",
            "a b",
            "a:t/u:",
            "a@sha256:ab",
            "<none>:<none>",
            "a:-x",
            "../a",
        ] {
            assert!(Reference::parse(bad).is_err(), "{bad}");
        }
        assert!(Reference::parse("a\x1b[31m").unwrap_err().to_string().contains("\\x1b[31m"));
        assert!(Reference::parse(&"a".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn a_layout_may_know_the_tag_alone() {
        let tag = Reference::from_tag("1.0").unwrap();
        assert!(tag.is_tag_only());
        assert_eq!(tag.to_string(), "1.0");
        assert!(Reference::from_tag("a/b").is_none());
    }
}
