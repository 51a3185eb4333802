//! Where a database stands, and what is asked of it. In: a tree, the door to its files, which packages go or what stays. Out: where paths lead, and
//! the bytes of files, never more of them than the caller allows.

use super::file::File;
use super::owners::{Owners, Places};
use super::package::{Package, PackageId};
use crate::error::Error;
use crate::rootfs::{Files, NodeId, RootPath, Tree};
use std::collections::BTreeSet;

/// A tree that can be read.
#[derive(Clone, Copy)]
pub(super) struct Shelf<'a> {
    pub(super) tree: &'a Tree,
    pub(super) files: &'a dyn Files,
    /// Symlinks that may be followed to resolve one path.
    pub(super) hops: u64,
}

/// The packages that go.
#[derive(Clone, Copy)]
pub(super) struct Gone<'a> {
    pub(super) shelf: Shelf<'a>,
    pub(super) all: &'a [Package],
    pub(super) owners: &'a Owners,
    pub(super) dropped: &'a BTreeSet<PackageId>,
}

/// What stays: packages, and names.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub(super) shelf: Shelf<'a>,
    pub(super) all: &'a [Package],
    pub(super) has: &'a dyn Fn(PackageId) -> bool,
    pub(super) has_name: &'a dyn Fn(NodeId) -> bool,
}

impl Gone<'_> {
    /// The same, as what stays.
    pub(super) fn left<T>(&self, ask: impl FnOnce(&Left<'_>) -> T) -> T {
        let has = |id| !self.dropped.contains(&id);
        ask(&Left { shelf: self.shelf, all: self.all, has: &has, has_name: &|_| true })
    }
}

impl<'a> Shelf<'a> {
    /// The regular file to which a path leads.
    pub(super) fn find(&self, path: &RootPath) -> Option<File> {
        let (path, node) = self.tree.resolve(path, true, self.hops)?;
        File::at(self.tree, path, node)
    }

    /// The bytes of a regular file; `None` where there is none. A longer one is an error.
    pub(super) fn read(&self, path: &RootPath, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        self.find(path).map(|file| file.read(self.files, limit)).transpose()
    }

    /// The bytes of a name in a directory, if it is a regular file.
    pub(super) fn read_in(
        &self,
        directory: &RootPath,
        (name, node): (&[u8], NodeId),
        limit: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        File::at(self.tree, directory.join(name), node).map(|file| file.read(self.files, limit)).transpose()
    }

    /// What is in a directory: names and what they stand for, sorted; nothing where there is none.
    pub(super) fn children(&self, path: &RootPath) -> Vec<(&'a [u8], NodeId)> {
        let found = self.tree.resolve(path, true, self.hops).filter(|(_, node)| self.tree.is_directory(*node));
        found
            .map(|(_, node)| self.tree.children(node).map(|(name, node)| (&**name, *node)).collect())
            .unwrap_or_default()
    }

    /// Where a path leads, without symlinks on the way; what does not exist yet stands below what does.
    pub(super) fn place(&self, path: &RootPath) -> RootPath {
        let (parent, name) = path.split_last().unwrap_or_default();
        match self.tree.resolve(&parent, true, self.hops) {
            Some((parent, _)) => parent.join(name),
            None => path.clone(),
        }
    }

    /// Where a file is that may be reached through a symlink.
    pub(super) fn end(&self, path: &RootPath) -> RootPath {
        self.tree.resolve(path, true, self.hops).map_or_else(|| path.clone(), |(end, _)| end)
    }

    /// A table to look many paths up.
    pub(super) fn places(&self) -> Places<'a> {
        Places::new(self.tree, self.hops)
    }
}
