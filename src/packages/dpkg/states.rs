//! What apt knows beyond dpkg: which packages came only because another one asked for them (`extended_states`).
//!
//! In: its text. Out: the packages marked automatic, and the text without some packages.

use super::paragraph::{self, paragraphs};
use crate::error::Error;
use std::collections::HashSet;

/// Where apt keeps it.
pub(super) const PATH: &[u8] = b"var/lib/apt/extended_states";

/// The packages that came by themselves.
#[derive(Debug, Default)]
pub(super) struct Automatic<'a>(HashSet<(&'a str, &'a str)>);

impl<'a> Automatic<'a> {
    /// Reads the file.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, Error> {
        let mut found = HashSet::new();
        for paragraph in paragraphs(text)? {
            if paragraph.field("Auto-Installed") == Some(b"1") {
                found.insert((paragraph.word("Package")?, paragraph.word("Architecture")?));
            }
        }
        Ok(Self(found))
    }

    /// Whether a package is marked. apt writes the machine's own architecture, `native`, for packages of all architectures.
    pub(super) fn has(&self, name: &str, architecture: &str, native: &str) -> bool {
        self.0.contains(&(name, architecture)) || (architecture == "all" && self.0.contains(&(name, native)))
    }
}

/// The text without the paragraphs of the packages for which `goes` holds, asked by name and architecture; `None` where nothing goes.
pub(super) fn without(text: &[u8], goes: &dyn Fn(&str, &str) -> bool) -> Result<Option<Vec<u8>>, Error> {
    let mut ranges = Vec::new();
    for paragraph in paragraphs(text)? {
        if goes(paragraph.word("Package")?, paragraph.word("Architecture")?) {
            ranges.push(paragraph.range);
        }
    }
    Ok(paragraph::without(text, &ranges))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        b"Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: b\nArchitecture: amd64\nAuto-Installed: 0\n\n";

    #[test]
    fn only_what_is_marked_is_automatic() {
        let automatic = Automatic::parse(TEXT).unwrap();
        assert!(automatic.has("a", "amd64", "amd64") && automatic.has("a", "all", "amd64"));
        assert!(!automatic.has("a", "i386", "amd64") && !automatic.has("b", "amd64", "amd64"));
    }

    #[test]
    fn a_package_goes_with_its_paragraph() {
        assert_eq!(without(TEXT, &|name, _| name == "b").unwrap().unwrap(), &TEXT[..50]);
        assert_eq!(without(TEXT, &|_, architecture| architecture == "i386").unwrap(), None);
    }
}
