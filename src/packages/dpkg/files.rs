//! The files of the database, by name. In: the directory. Out: which of them belong to which package, how long each may be, and the lists that
//! they hold.

use crate::error::{Error, escape};
use crate::packages::shelf::Shelf;
use crate::rootfs::{NodeId, RootPath};
use std::collections::BTreeMap;

/// The longest `status`: 1,000 packages take 1 MiB.
pub(super) const STATUS: u64 = 32 << 20;

/// The longest of all other files: a list of 100,000 paths.
pub(super) const FILE: u64 = 8 << 20;

/// What all file lists may have together.
pub(super) const LISTS: u64 = 96 << 20;

/// The files in `info` by what stands before their last dot: `gcc-12` or `libc6:amd64`.
#[derive(Debug)]
pub(super) struct Info<'a> {
    directory: RootPath,
    stems: BTreeMap<&'a [u8], Vec<(&'a [u8], NodeId)>>,
}

impl<'a> Info<'a> {
    /// Looks at the names in the directory.
    pub(super) fn new(shelf: &Shelf<'a>, admin: &RootPath) -> Self {
        let mut stems: BTreeMap<&[u8], Vec<(&[u8], NodeId)>> = BTreeMap::new();
        let directory = admin.join(b"info");
        for (name, node) in shelf.children(&directory) {
            if let Some(dot) = name.iter().rposition(|&byte| byte == b'.')
                && let Some((stem, extension)) = name.split_at_checked(dot)
            {
                stems.entry(stem).or_default().push((extension, node));
            }
        }
        Self { directory, stems }
    }

    /// Whether a stem has a file with an extension such as `.list`.
    pub(super) fn has(&self, stem: &[u8], extension: &str) -> bool {
        self.file(stem, extension).is_some()
    }

    /// The bytes of the file of a stem with an extension.
    pub(super) fn read(
        &self,
        shelf: &Shelf<'_>,
        (stem, extension): (&[u8], &str),
        limit: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(node) = self.file(stem, extension) else { return Ok(None) };
        shelf.read_in(&self.directory, (&[stem, extension.as_bytes()].concat(), node), limit)
    }

    fn file(&self, stem: &[u8], extension: &str) -> Option<NodeId> {
        let files = self.stems.get(stem)?;
        files.iter().find(|(other, _)| *other == extension.as_bytes()).map(|(_, node)| *node)
    }

    /// The names of all files of a stem.
    pub(super) fn names(&self, stem: &[u8]) -> Vec<Vec<u8>> {
        let files = self.stems.get(stem).map(|files| &**files).unwrap_or_default();
        files.iter().map(|(extension, _)| [stem, extension].concat()).collect()
    }

    /// The stems that have a file list.
    pub(super) fn listed(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        let has_list = |files: &[(&[u8], NodeId)]| files.iter().any(|(extension, _)| *extension == b".list");
        self.stems.iter().filter(move |(_, files)| has_list(files)).map(|(stem, _)| *stem)
    }
}

/// Reads a file list: absolute paths, one a line. `None` where it is empty or broken off: every package lists at least `/.`.
pub(super) fn file_list(text: &[u8]) -> Option<Vec<RootPath>> {
    let text = text.strip_suffix(b"\n")?;
    let lines = text.split(|&byte| byte == b'\n');
    let paths: Option<Vec<RootPath>> = lines
        .map(|line| (line.first() == Some(&b'/') && !line.contains(&0)).then(|| RootPath::clamped(line)))
        .collect();
    paths.map(|paths| paths.into_iter().filter(|path| !path.is_root()).collect())
}

/// Reads digests: `0123...  usr/bin/x`, one a line, and gives each line with its path.
pub(super) fn digests(text: &[u8]) -> Result<Vec<(&[u8], RootPath)>, Error> {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    lines
        .map(|line| {
            let bare = line.strip_suffix(b"\n").unwrap_or(line);
            let (digest, path) = bare.split_at_checked(32).ok_or_else(|| odd(bare))?;
            let path = path.strip_prefix(b"  ").or_else(|| path.strip_prefix(b" *")).filter(|path| !path.is_empty());
            let path = path.filter(|path| !path.contains(&0) && digest.iter().all(u8::is_ascii_hexdigit));
            Ok((line, RootPath::clamped(path.ok_or_else(|| odd(bare))?)))
        })
        .collect()
}

fn odd(line: &[u8]) -> Error {
    Error::malformed(format!(
        "not a line of digests: \"{}\"",
        escape(line.get(..line.len().min(80)).unwrap_or_default())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_list_that_ends_within_a_line_is_none() {
        assert_eq!(file_list(b"/.\n/usr\n").unwrap(), [RootPath::clamped(b"usr")]);
        assert_eq!(file_list(b"/.\n").unwrap(), []);
        for broken in [&b""[..], b"/.\n/us", b"/.\n\n/usr\n", b"x\n", b"/\0\n"] {
            assert_eq!(file_list(broken), None);
        }
    }

    #[test]
    fn a_line_of_digests_is_kept_as_it_is() {
        let line = b"0123456789abcdef0123456789abcdef  usr/a b\n";
        assert_eq!(digests(line).unwrap(), [(&line[..], RootPath::clamped(b"usr/a b"))]);
        assert!(digests(b"0123  usr\n").is_err() && digests(b"0123456789abcdef0123456789abcdef usr\n").is_err());
    }
}
