//! What a decision about packages changes in a tree. In: made by the managers' folders. Out: names to take away, names to write.

use super::package::PackageId;
use crate::rootfs::{Content, InodeKind, RootPath};

/// Changes to a tree. Paths are those of the tree as it was, symlinks on the way already followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// Names that go beside the packages' own files, each with the package it goes for: records of the database, links to what went,
    /// bytecode made from it.
    pub remove: Vec<(RootPath, PackageId)>,
    /// Names whose content changes, or that are new.
    pub write: Vec<Write>,
}

/// A name that is written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Where.
    pub path: RootPath,
    /// A file whose content is at hand, or a symlink.
    pub kind: InodeKind,
    /// The mode of a name that is new; one that is there keeps its metadata.
    pub mode: u16,
}

impl Edit {
    /// A file has this content, whether it is there or not.
    pub(super) fn set(&mut self, path: RootPath, bytes: Vec<u8>) {
        self.write.push(Write { path, kind: InodeKind::File(Content::owned(bytes)), mode: 0o644 });
    }

    /// A symlink leads there, whether it is there or not.
    pub(super) fn link(&mut self, path: RootPath, target: &[u8]) {
        self.write.push(Write { path, kind: InodeKind::Symlink(target.into()), mode: 0o777 });
    }
}
