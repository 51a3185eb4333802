//! Debian's package database.

use super::edit::Edit;
use super::package::{Package, PackageId};
use crate::error::Error;
use crate::rootfs::{Files, NodeId, Tree};
use std::collections::BTreeSet;

/// What is remembered of the database's files.
#[derive(Debug)]
pub(super) struct Database {}

/// Reads the database; `None` where there is none.
pub(super) fn read(tree: &Tree, files: &dyn Files, hops: u64) -> Result<Option<(Vec<Package>, Database)>, Error> {
    let _ = (tree, files, hops);
    Ok(None)
}

impl Database {
    /// The database as if packages had been purged.
    pub(super) fn without(
        &self,
        all: &[Package],
        tree: &Tree,
        files: &dyn Files,
        dropped: &BTreeSet<PackageId>,
    ) -> Result<Edit, Error> {
        let _ = (all, tree, files, dropped);
        Ok(Edit::default())
    }

    /// The database of what stays.
    pub(super) fn reduced(
        &self,
        all: &[Package],
        tree: &Tree,
        files: &dyn Files,
        stays: &dyn Fn(PackageId) -> bool,
        stays_path: &dyn Fn(NodeId) -> bool,
    ) -> Result<Edit, Error> {
        let _ = (all, tree, files, stays, stays_path);
        Ok(Edit::default())
    }
}
