//! The presets that are part of the program, and the list of them that a user writes.
//!
//! In: `rules/*.toml`, embedded, and a text such as `default,tests,-locales`. Out: names, in order. Never a rule
//! that does not stand in one of those files.

use super::file::{Risk, RuleFile};
use crate::error::Error;
use std::collections::BTreeSet;

macro_rules! presets {
    ($($name:literal,)*) => {
        /// Each preset's name and its TOML, sorted by name.
        pub(super) const TEXTS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../rules/", $name, ".toml"))),)*];
    };
}

presets! {
    "build-tools", "bytecode", "caches", "debug", "dev-files", "docs", "editor-junk", "gconv", "identity", "lang-java",
    "lang-node", "lang-python", "locales", "logs", "secrets", "tests", "tmp", "vcs", "zoneinfo-dup",
}

/// Those that are on where the user says nothing, as their files say; every run asks, and reading all files takes as
/// long as squashing a small image.
const DEFAULT: [&str; 8] = ["build-tools", "caches", "debug", "docs", "editor-junk", "locales", "logs", "vcs"];

/// The preset without rules: it switches the look for secrets on ([`crate::secrets`]).
pub(super) const SECRETS: &str = "secrets";

/// A preset, as `imgstrip rules` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// Its name, as `--preset` takes it.
    pub name: &'static str,
    /// Whether it is on where the user says nothing.
    pub default: bool,
    /// How likely it is that something misses what it drops.
    pub risk: Risk,
    /// What it drops, in one line.
    pub summary: String,
    /// Its TOML, to copy and edit.
    pub text: &'static str,
}

/// Every preset, sorted by name.
pub fn all() -> Vec<Preset> {
    // A test reads each of them, so that none is ever left out here.
    TEXTS.iter().filter_map(|(name, text)| describe(name, text).ok()).collect()
}

fn describe(name: &'static str, text: &'static str) -> Result<Preset, Error> {
    let file = RuleFile::parse(name, text)?;
    let missing = |key| Error::usage(format!("{name}: a preset without {key}"));
    Ok(Preset {
        name,
        default: file.default.ok_or_else(|| missing("default"))?,
        risk: file.risk.ok_or_else(|| missing("risk"))?,
        summary: file.summary.ok_or_else(|| missing("summary"))?,
        text,
    })
}

/// The preset with this name.
pub fn find(name: &str) -> Result<Preset, Error> {
    let known = TEXTS.iter().find(|(known, _)| *known == name);
    known.map_or_else(|| Err(unknown(name)), |(name, text)| describe(name, text))
}

/// A set of presets. [`Selection::default`] is the presets that are on by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection(BTreeSet<&'static str>);

impl Default for Selection {
    fn default() -> Self {
        Self(BTreeSet::from(DEFAULT))
    }
}

impl Selection {
    /// No preset at all: squash only.
    pub fn none() -> Self {
        Self(BTreeSet::new())
    }

    /// Reads a list, from left to right: `default`, `all`, `none` (which forgets what stands before it), a name
    /// to add, `-name` to take out. Spaces around a word do not matter.
    pub fn parse(list: &str) -> Result<Self, Error> {
        let mut chosen = Self::none();
        for (nth, word) in list.split(',').map(str::trim).enumerate() {
            let (taken, name) = word.strip_prefix('-').map_or((false, word), |name| (true, name));
            if name.is_empty() {
                return Err(Error::usage(format!(
                    "an empty word in the list of presets \"{}\"",
                    crate::error::escape(list.as_bytes())
                ))
                .hint("separate names with one comma, as in default,tests,-locales"));
            }
            if taken && nth == 0 {
                return Err(Error::usage(format!(
                    "the list of presets begins with \"{word}\", which takes it out of nothing"
                ))
                .hint("begin with a set to take it from, as in default,-locales"));
            }
            let names = match name {
                "default" => Self::default().0,
                "all" => TEXTS.iter().map(|(name, _)| *name).collect(),
                "none" if !taken => {
                    chosen.0.clear();
                    continue;
                }
                _ => BTreeSet::from([known(name)?]),
            };
            if taken {
                chosen.0.retain(|name| !names.contains(name));
            } else {
                chosen.0.extend(names);
            }
        }
        Ok(chosen)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }

    /// Whether the preset of this name is one of them.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

fn known(name: &str) -> Result<&'static str, Error> {
    TEXTS.iter().find(|(known, _)| *known == name).map(|(known, _)| *known).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Error {
    let shown = crate::error::escape(name.as_bytes());
    let near = match nearest(name) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => {
            let names: Vec<&str> = TEXTS.iter().map(|(name, _)| *name).collect();
            format!("there are {}, and default, all, none", names.join(", "))
        }
    };
    Error::usage(format!("there is no preset \"{shown}\": {near}"))
}

/// The name that a typing error is closest to: one that it begins or is begun by, or one a few letters away.
fn nearest(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase().replace('_', "-");
    // A name has at most 12 letters; a longer word is no typing error, and distance costs its square.
    if word.len() > 24 {
        return None;
    }
    let names = TEXTS.iter().map(|(name, _)| *name).chain(["default", "all", "none"]);
    let scored = names.filter_map(|name| {
        let part = word.len() >= 3 && (name.starts_with(&word) || name.ends_with(&word) || word.starts_with(name));
        let away = if part { 0 } else { distance(word.as_bytes(), name.as_bytes()) };
        let close = away.saturating_mul(3) <= name.len().max(3);
        close.then_some((away, name))
    });
    scored.min().map(|(_, name)| name)
}

/// Letters to add, take away or change (Levenshtein).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = i;
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for (y, &above) in b.iter().zip(row.iter().skip(1)) {
            let changed = corner.saturating_add(usize::from(x != y));
            left = changed.min(left.saturating_add(1)).min(above.saturating_add(1));
            next.push(left);
            corner = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(list: &str) -> String {
        Selection::parse(list).unwrap().names().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_presets_are_sorted_complete_and_the_default_ones_are_those_of_the_manual() {
        assert!(TEXTS.is_sorted_by(|a, b| a.0 < b.0));
        for (name, text) in TEXTS {
            if let Err(error) = describe(name, text) {
                panic!("{error}");
            }
        }
        assert_eq!(all().len(), TEXTS.len());
        assert!(all().iter().filter(|preset| preset.default).map(|preset| preset.name).eq(DEFAULT));
        assert_eq!(parsed("default"), "build-tools caches debug docs editor-junk locales logs vcs");
    }

    #[test]
    fn a_list_is_read_from_left_to_right() {
        assert_eq!(parsed("tests"), "tests");
        assert_eq!(parsed("default, tests ,-locales,-build-tools"), "caches debug docs editor-junk logs tests vcs");
        assert_eq!(parsed("none"), "");
        assert_eq!(parsed("all,-default").split(' ').count(), TEXTS.len() - 8);
        assert_eq!(parsed("all,none,docs"), "docs");
        assert_eq!(parsed("default,-tests"), parsed("default"));
    }

    #[test]
    fn a_mistaken_list_names_the_nearest_preset() {
        let message = |list| Selection::parse(list).unwrap_err().to_string();
        assert_eq!(message("default,test"), "there is no preset \"test\": did you mean \"tests\"?");
        for (word, near) in [
            ("cache", "caches"),
            ("buildtools", "build-tools"),
            ("Docs", "docs"),
            ("python", "lang-python"),
            ("lcoales", "locales"),
            ("defualt", "default"),
        ] {
            assert!(message(word).contains(&format!("\"{near}\"?")), "{word}: {}", message(word));
        }
        assert!(message("xyzzy").contains("there are build-tools, bytecode,"));
        assert!(message("-docs").contains("default,-locales"));
        assert!(message("docs,,tests").contains("empty word") && message("").contains("empty word"));
    }
}
