//! What the tests of packages share: trees from text, their bytes, and packages in a line.

use super::owners::Owners;
use super::package::{Package, PackageId, numbered};
use super::shelf::{Gone, Left, Shelf};
pub(super) use crate::rootfs::testing::Owned;
use crate::rootfs::{NodeId, RootPath, Tree, text};
use std::collections::BTreeSet;

/// A tree from its text form.
pub(super) fn tree(lines: &str) -> Tree {
    text::tree(lines).unwrap()
}

/// A tree whose files are in memory.
pub(super) fn shelf(tree: &Tree) -> Shelf<'_> {
    Shelf { tree, files: &Owned, hops: 40 }
}

/// Asks about a database without these packages.
pub(super) fn going<T>(
    tree: &Tree,
    all: &[Package],
    dropped: &BTreeSet<PackageId>,
    ask: impl FnOnce(&Gone<'_>) -> T,
) -> T {
    ask(&Gone { shelf: shelf(tree), all, owners: &Owners::new(tree, all, 40), dropped })
}

/// Asks about the database of what stays.
pub(super) fn staying<T>(
    tree: &Tree,
    all: &[Package],
    (has, has_name): (&dyn Fn(PackageId) -> bool, &dyn Fn(NodeId) -> bool),
    ask: impl FnOnce(&Left<'_>) -> T,
) -> T {
    ask(&Left { shelf: shelf(tree), all, has, has_name })
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
