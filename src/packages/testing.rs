//! What the tests of packages share: trees from text, their bytes, and packages in a line.

use super::package::{Package, PackageId, numbered};
use crate::error::Error;
use crate::options::SymlinkParents;
use crate::rootfs::{Content, Files, Merge, RootPath, Run, Tree, text};
use std::collections::BTreeSet;

/// Bytes that the tree holds itself.
pub(super) struct Owned;

impl Files for Owned {
    fn read_at(&self, content: &Content, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        match content.run_at(at)? {
            Some(Run::Bytes(bytes)) => {
                let count = bytes.len().min(buffer.len());
                buffer[..count].copy_from_slice(&bytes[..count]);
                Ok(count)
            }
            Some(_) => panic!("a test holds its bytes itself"),
            None => Ok(0),
        }
    }
}

/// A tree from its text form.
pub(super) fn tree(lines: &str) -> Tree {
    let mut merge = Merge::new(SymlinkParents::Overlay, 40);
    merge.add(&text::upper(lines).unwrap()).unwrap();
    merge.finish().tree
}

/// A package that owns these paths.
pub(super) fn owning(name: &str, paths: &str) -> Package {
    let paths = paths.split_whitespace().map(|path| RootPath::clamped(path.as_bytes())).collect();
    Package { name: name.into(), paths, ..Package::default() }
}

/// The numbers of packages by name.
pub(super) fn ids(all: &[Package], names: &[&str]) -> BTreeSet<PackageId> {
    numbered(all).filter(|(_, package)| names.contains(&&*package.name)).map(|(id, _)| id).collect()
}
