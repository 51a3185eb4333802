//! Paths inside a root filesystem: bytes, clean, without a leading slash.
//!
//! In: a raw name as a tar or a rule spells it. Out: one key per place (merge.md M72: `./a`, `/a`, `a//b`,
//! `x/../b`). Never a text conversion, never a look at the host's filesystem.

use crate::error::{Error, escape};
use serde::{Serialize, Serializer};
use std::fmt;

/// A clean path from the root: components joined by one `/`; the root itself is empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RootPath(Box<[u8]>);

impl RootPath {
    /// The root directory.
    pub fn root() -> Self {
        Self::default()
    }

    /// Cleans a name of an archive entry. A `..` that would climb above the root is an error (M73), and so are
    /// an empty name (M74) and a NUL.
    pub fn from_entry_name(raw: &[u8]) -> Result<Self, Error> {
        if raw.is_empty() {
            return Err(Error::malformed("the entry has an empty name"));
        }
        if raw.contains(&0) {
            return Err(Error::malformed("the entry's name contains a NUL byte"));
        }
        Self::clean(raw, |_| Err(Error::malformed("the entry's name climbs above the root with \"..\"")))
    }

    /// Cleans a link target or a user's path; a `..` above the root stays at the root, as in a chroot (M67).
    pub fn clamped(raw: &[u8]) -> Self {
        Self::clean(raw, |_| Ok::<_, Error>(())).unwrap_or_default()
    }

    fn clean<E>(raw: &[u8], above: impl Fn(()) -> Result<(), E>) -> Result<Self, E> {
        let mut clean: Vec<&[u8]> = Vec::new();
        for component in raw.split(|&byte| byte == b'/') {
            match component {
                b"" | b"." => {}
                b".." => {
                    if clean.pop().is_none() {
                        above(())?;
                    }
                }
                name => clean.push(name),
            }
        }
        Ok(Self(clean.join(&b'/').into_boxed_slice()))
    }

    /// The bytes, without a leading or trailing slash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root directory.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The names on the way, outermost first; none for the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/').filter(|name| !name.is_empty())
    }

    /// The parent directory and the last name; `None` for the root.
    pub fn split_last(&self) -> Option<(RootPath, &[u8])> {
        self.parts().map(|(parent, name)| (Self(parent.into()), name))
    }

    /// As [`RootPath::split_last`], with the bytes of the parent as they stand here.
    pub(crate) fn parts(&self) -> Option<(&[u8], &[u8])> {
        if self.is_root() {
            return None;
        }
        Some(match self.0.iter().rposition(|&byte| byte == b'/') {
            Some(slash) => {
                let (parent, name) = self.0.split_at(slash);
                (parent, name.get(1..).unwrap_or_default())
            }
            None => (b"", &self.0),
        })
    }

    /// The path of `name` inside this directory; `name` is one component.
    #[must_use]
    pub fn join(&self, name: &[u8]) -> Self {
        if self.is_root() { Self(name.into()) } else { Self([&self.0, name].join(&b'/').into_boxed_slice()) }
    }

    /// Where a symlink `target` that stands in this directory leads, clamped to the root. Only lexical: it does
    /// not follow further links.
    #[must_use]
    pub fn link_target(&self, target: &[u8]) -> Self {
        if target.first() == Some(&b'/') {
            Self::clamped(target)
        } else {
            Self::clamped(&[&self.0, target].join(&b'/'))
        }
    }
}

impl fmt::Display for RootPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", escape(&self.0))
    }
}

impl Serialize for RootPath {
    /// As it is shown: escaped, with a leading slash.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for RootPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(raw: &str) -> String {
        RootPath::from_entry_name(raw.as_bytes()).unwrap().to_string()
    }

    #[test]
    fn every_spelling_of_a_path_is_one_key() {
        for raw in ["a/b", "./a/b", "/a/b", "a//b", "a/./b/", "x/../a/b"] {
            assert_eq!(cleaned(raw), "/a/b", "{raw}");
        }
        assert_eq!(cleaned("./"), "/");
    }

    #[test]
    fn a_name_above_the_root_is_refused_and_a_link_target_is_clamped() {
        assert!(RootPath::from_entry_name(b"a/../../evil").is_err());
        assert!(RootPath::from_entry_name(b"").is_err());
        assert!(RootPath::from_entry_name(b"a\0b").is_err());
        assert_eq!(RootPath::clamped(b"a/../../evil").as_bytes(), b"evil");
    }

    #[test]
    fn a_link_target_is_seen_from_the_directory_of_the_link() {
        let directory = RootPath::clamped(b"usr/bin");
        assert_eq!(directory.link_target(b"../lib/x").as_bytes(), b"usr/lib/x");
        assert_eq!(directory.link_target(b"/lib/x").as_bytes(), b"lib/x");
        assert_eq!(directory.link_target(b"../../../x").as_bytes(), b"x");
    }
}
