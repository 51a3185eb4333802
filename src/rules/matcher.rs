//! Many globs against one path, in one pass.
//!
//! In: patterns, each with a number that means something to the caller. Out: the numbers of those that match a path in
//! either of its spellings: `/bin/x` is `/usr/bin/x` on a system whose `/bin` is a link, so a rule that knows one
//! must know the other (rules.md 7). Paths are bytes; nothing is decoded.

use super::glob::Pattern;
use crate::error::Error;
use globset::{Candidate, GlobSet};

/// The directories that merged systems keep in `/usr`.
const MERGED: &[&[u8]] = &[b"bin", b"sbin", b"lib", b"lib32", b"lib64", b"libx32"];

const USR: &[u8] = b"/usr";

/// A path under way: bytes that grow and shrink with a walk.
#[derive(Debug, Clone)]
pub(super) struct PathBuffer {
    /// `/usr`, then the absolute path; so `/bin/x` has its other spelling in front of it.
    bytes: Vec<u8>,
}

impl PathBuffer {
    /// The root.
    pub(super) fn root() -> Self {
        Self { bytes: USR.to_vec() }
    }

    /// Goes down to a name.
    pub(super) fn push(&mut self, name: &[u8]) {
        self.bytes.push(b'/');
        self.bytes.extend_from_slice(name);
    }

    /// How long it is, to come back to.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Goes back to where it was `len` long.
    pub(super) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// The absolute path; empty for the root.
    pub(super) fn path(&self) -> &[u8] {
        self.bytes.get(USR.len()..).unwrap_or_default()
    }

    /// The path, and its other spelling if it has one.
    pub(super) fn spellings(&self) -> impl Iterator<Item = &[u8]> {
        [Some(self.path()), self.merged().or_else(|| self.unmerged())].into_iter().flatten()
    }

    /// The path in `/usr` where it stands in one of the merged directories, and `None` elsewhere.
    fn merged(&self) -> Option<&[u8]> {
        is_merged(self.path()).then_some(self.bytes.as_slice())
    }

    /// The path without `/usr` where that leaves one in a merged directory.
    fn unmerged(&self) -> Option<&[u8]> {
        self.path().strip_prefix(USR).filter(|rest| is_merged(rest))
    }
}

fn is_merged(path: &[u8]) -> bool {
    path.strip_prefix(b"/").is_some_and(|path| {
        MERGED.iter().any(|name| path.strip_prefix(*name).is_some_and(|rest| matches!(rest, [] | [b'/', ..])))
    })
}

/// A set of globs, each with its number.
#[derive(Debug, Clone, Default)]
pub(super) struct Matcher {
    /// Every glob, in parts small enough to compile.
    all: Vec<Part>,
    /// Those that may begin with a merged directory: few, so that looking at `/usr/lib/x` as `/lib/x` is cheap.
    unmerged: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Part {
    set: GlobSet,
    /// For each glob of the set, the caller's number and whether only directories match.
    numbers: Vec<(usize, bool)>,
}

/// Room that a match needs, kept from path to path.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch(Vec<usize>);

impl Matcher {
    /// Compiles the patterns.
    pub(super) fn new<'a>(patterns: impl Iterator<Item = (&'a Pattern, usize)>) -> Result<Self, Error> {
        let patterns: Vec<(&Pattern, usize)> = patterns.collect();
        let is_unmerged = |pattern: &&(&Pattern, usize)| {
            let glob = pattern.0.glob.glob();
            let first = pattern.0.prefix.as_bytes();
            glob.starts_with('/') && (first.is_empty() || is_merged(first))
        };
        let unmerged: Vec<_> = patterns.iter().filter(is_unmerged).copied().collect();
        Ok(Self { all: compile(&patterns)?, unmerged: compile(&unmerged)? })
    }

    /// Whether nothing ever matches.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Adds the number of each glob that matches; one may come twice.
    pub(super) fn matches(&self, path: &PathBuffer, directory: bool, scratch: &mut Scratch, into: &mut Vec<usize>) {
        add(&self.all, path.path(), directory, scratch, into);
        if let Some(other) = path.merged() {
            add(&self.all, other, directory, scratch, into);
        } else if let Some(other) = path.unmerged() {
            add(&self.unmerged, other, directory, scratch, into);
        }
    }
}

fn add(parts: &[Part], path: &[u8], directory: bool, scratch: &mut Scratch, into: &mut Vec<usize>) {
    if parts.is_empty() {
        return;
    }
    let candidate = Candidate::from_bytes(path);
    for part in parts {
        part.set.matches_candidate_into(&candidate, &mut scratch.0);
        let hits = scratch.0.iter().filter_map(|&hit| part.numbers.get(hit));
        into.extend(hits.filter(|(_, directories)| directory || !directories).map(|(number, _)| *number));
    }
}

/// Compiles the patterns as one set, or, where that exceeds what the compiler grants one set, as halves.
fn compile(patterns: &[(&Pattern, usize)]) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    let mut ahead = vec![patterns];
    while let Some(patterns) = ahead.pop() {
        match (GlobSet::new(patterns.iter().map(|(pattern, _)| &pattern.glob)), patterns) {
            (_, []) => {}
            (Ok(set), _) => {
                let numbers = patterns.iter().map(|(pattern, number)| (*number, pattern.directories)).collect();
                parts.push(Part { set, numbers });
            }
            (Err(_), [(pattern, _)]) => {
                return Err(Error::usage(format!("the glob {:?} is too large to compile", pattern.written)));
            }
            (Err(_), _) => {
                let (left, right) = patterns.split_at(patterns.len() / 2);
                ahead.extend([right, left]);
            }
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(globs: &[&str], path: &[u8], directory: bool) -> Vec<usize> {
        let patterns: Vec<Pattern> = globs.iter().map(|glob| Pattern::new(glob).unwrap()).collect();
        let matcher = Matcher::new(patterns.iter().zip(0..)).unwrap();
        let mut buffer = PathBuffer::root();
        path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).for_each(|name| buffer.push(name));
        let mut into = Vec::new();
        matcher.matches(&buffer, directory, &mut Scratch::default(), &mut into);
        into.sort_unstable();
        into.dedup();
        into
    }

    #[test]
    fn both_spellings_of_a_merged_directory_match() {
        let globs = ["/bin/x", "/usr/bin/x", "/{bin,sbin}/x", "/lib64/**", "/usr/lib64/**", "/b*/x"];
        assert_eq!(hits(&globs, b"/bin/x", false), [0, 1, 2, 5]);
        assert_eq!(hits(&globs, b"/usr/bin/x", false), [0, 1, 2, 5]);
        assert_eq!(hits(&globs, b"/lib64/a/b", false), [3, 4]);
        assert_eq!(hits(&globs, b"/usr/lib64/a/b", false), [3, 4]);
    }

    #[test]
    fn other_directories_have_one_spelling() {
        assert!(hits(&["/share/x", "/*/x"], b"/usr/share/x", false).is_empty());
        assert!(hits(&["/usr/app/x", "/usr/binary/x"], b"/app/x", false).is_empty());
        assert!(hits(&["/usr/binary/x"], b"/binary/x", false).is_empty());
    }

    #[test]
    fn names_that_are_no_text_match() {
        assert_eq!(hits(&["/a/*.c", "*.c", "/a/?.c"], b"/a/\xff.c", false), [0, 1, 2]);
        assert_eq!(hits(&["/\u{e9}"], "/\u{e9}".as_bytes(), false), [0]);
    }

    #[test]
    fn a_slash_at_the_end_asks_for_a_directory() {
        assert_eq!(hits(&["x/"], b"/a/x", true), [0]);
        assert!(hits(&["x/"], b"/a/x", false).is_empty());
    }
}
