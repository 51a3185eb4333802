//! Debian's package database: `/var/lib/dpkg/status`, or a paragraph a file in `status.d`, as distroless images have it.
//!
//! In: a tree, and the door to its files. Out: packages, the database without some of them, the database of what stays. All of it in bytes:
//! what is not changed is never spelled anew.
//!
//! # What is not guessed
//!
//! dpkg's own writer ends `status` with a blank line and keeps a paragraph for every file list, so that a database which ends early is seen;
//! one with a journal in `updates` is not up to date. Such a database counts as none. A package without a file list owns nothing and never
//! goes: its files are nobody's, and globs treat them as on an image without a database. A diversion that hides another package's
//! file is undone only by the scripts of the package that asked for it, so that this package stays.

mod alternatives;
mod catalogue;
mod choices;
mod diversions;
mod files;
mod paragraph;
mod purge;
mod read;
mod reduce;
mod relation;
mod services;
mod states;
mod triggers;
mod version;

use super::edit::Edit;
use super::shelf::{Gone, Left};
use crate::error::Error;
use crate::rootfs::RootPath;
use std::ops::Range;

pub(super) use read::read;

/// What is remembered of the database's files.
#[derive(Debug)]
pub(super) struct Database {
    /// `/var/lib/dpkg`, without symlinks on the way.
    admin: RootPath,
    /// By package.
    records: Vec<Record>,
}

/// Where a package is recorded.
#[derive(Debug)]
struct Record {
    paragraph: Home,
    /// What its files in `info` begin with.
    stem: Option<Box<[u8]>>,
}

/// Where its paragraph is.
#[derive(Debug)]
enum Home {
    /// In `status`, there.
    Status(Range<usize>),
    /// It is the file of this name in `status.d`.
    File(Box<[u8]>),
}

impl Database {
    /// The database as if packages had been purged, but for what only their scripts know of: accounts, caches, debconf's answers, files that
    /// they made and no package owns.
    pub(super) fn without(&self, gone: &Gone<'_>) -> Result<Edit, Error> {
        purge::purge(self, gone)
    }

    /// The database of what stays, as distroless has it: a paragraph a file in `status.d`, and beside it the digests of the names that are there.
    /// All else below the directory has no place beside it.
    pub(super) fn reduced(&self, left: &Left<'_>) -> Result<Edit, Error> {
        reduce::reduce(self, left)
    }
}

#[cfg(test)]
mod tests;
