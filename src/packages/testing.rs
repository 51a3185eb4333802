//! What the tests of packages share: trees from text, their bytes, and packages in a line.

use super::package::{Package, PackageId, numbered};
pub(super) use crate::rootfs::testing::Owned;
use crate::rootfs::{RootPath, Tree, text};
use std::collections::BTreeSet;

/// A tree from its text form.
pub(super) fn tree(lines: &str) -> Tree {
    text::tree(lines).unwrap()
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
