//! Alpine's package database: `lib/apk/db`, or `usr/lib/apk/db` where the one is a link to the other or scanners look too; and `etc/apk/world`.
//!
//! In: a tree, and the bytes of these files. Out: packages, and the files without some of them. The formats are those of apk-tools 2.14 and
//! 3.0; lines that stay keep their bytes, and so their order and checksums.

mod beside;
mod installed;
mod names;
mod scripts;

use super::budget::Budget;
use super::edit::Edit;
use super::file::File;
use super::package::{Package, numbered};
use super::shelf::{Gone, Left, Shelf};
use crate::error::Error;
use crate::rootfs::RootPath;
use installed::{Record, paragraphs};
use std::collections::HashSet;

/// Where `installed` may be.
const PLACES: [&[u8]; 2] = [b"lib/apk/db", b"usr/lib/apk/db"];

/// Bytes of each file of the database. A file takes some 70 of them in `installed`: room for 900,000.
const FILE: u64 = 64 << 20;

/// What each system has, as far as its distribution made it: the `alpine-base` of Alpine, the same of Wolfi, and apk with its keys.
const ESSENTIAL: [&str; 18] = [
    "alpine-base",
    "alpine-baselayout",
    "alpine-baselayout-data",
    "alpine-keys",
    "alpine-release",
    "apk-tools",
    "busybox",
    "busybox-binsh",
    "ca-certificates-bundle",
    "chainguard-baselayout",
    "chainguard-keys",
    "glibc",
    "ld-linux",
    "libc-utils",
    "musl",
    "wolfi-base",
    "wolfi-baselayout",
    "wolfi-keys",
];

/// What is remembered of the database.
#[derive(Debug)]
pub(super) struct Database {
    installed: File,
    /// The bytes of `installed`, read once.
    text: Vec<u8>,
    /// What `triggers` calls each package.
    checksums: Vec<Box<[u8]>>,
}

/// Reads the database; `None` where there is none.
pub(super) fn read(shelf: &Shelf<'_>) -> Result<Option<(Vec<Package>, Database)>, Error> {
    let found = PLACES.iter().filter_map(|place| shelf.find(&RootPath::clamped(place).join(b"installed")));
    let Some(installed) = File::only(found.filter(|file| file.content.size > 0), "apk")? else { return Ok(None) };
    let text = installed.read(shelf.files, FILE)?;
    let mut budget = Budget::new();
    let mut all = Vec::new();
    let mut checksums = Vec::new();
    for paragraph in paragraphs(&text) {
        let Record { package, checksum } =
            installed::record(paragraph, &mut budget).map_err(|error| at(&installed, error))?;
        all.push(package);
        checksums.push(checksum);
    }
    let world = world(shelf).map(|file| file.read(shelf.files, FILE)).transpose()?;
    judge(&mut all, world.as_deref());
    Ok(Some((all, Database { installed, text, checksums })))
}

fn at(file: &File, error: Error) -> Error {
    error.at_entry(file.path.as_bytes())
}

fn world(shelf: &Shelf<'_>) -> Option<File> {
    shelf.find(&RootPath::clamped(b"etc/apk/world"))
}

/// Says of each package whether it was asked for, and whether every system has it. Without a `world`, all were asked for.
fn judge(all: &mut [Package], world: Option<&[u8]>) {
    let asked: Option<HashSet<&[u8]>> = world.map(|world| names::words(world).filter_map(names::name).collect());
    for package in all {
        package.essential = ESSENTIAL.contains(&&*package.name);
        let mut called =
            std::iter::once(package.name.as_bytes()).chain(package.provides.iter().map(|name| name.as_bytes()));
        package.automatic = asked.as_ref().is_some_and(|asked| !called.any(|name| asked.contains(name)));
    }
}

/// What the files beside `installed` may call a package that went.
struct Names<'a> {
    /// `NAME-VERSION`.
    titles: HashSet<String>,
    checksums: HashSet<&'a [u8]>,
    /// Names that only packages answer to which went.
    names: HashSet<&'a [u8]>,
}

impl Database {
    /// The database as if packages had been removed.
    pub(super) fn without(&self, gone: &Gone<'_>) -> Result<Edit, Error> {
        let mut edit = Edit::default();
        if gone.dropped.is_empty() {
            return Ok(edit);
        }
        let left = paragraphs(&self.text).zip(numbered(gone.all)).filter(|(_, (id, _))| !gone.dropped.contains(id));
        edit.write.push(self.installed.with(left.flat_map(|(paragraph, _)| paragraph).copied().collect()));
        gone.left(|left| self.rest(left, &mut edit))?;
        Ok(edit)
    }

    /// The database of what stays. `installed` is always written, for scanners; what only apk itself reads changes where it stays.
    pub(super) fn reduced(&self, left: &Left<'_>) -> Result<Edit, Error> {
        let mut edit = Edit::default();
        let mut places = left.shelf.places();
        let mut is_left = |path: &RootPath| places.node(path).is_some_and(left.has_name);
        let mut kept = Vec::new();
        for (paragraph, (id, _)) in paragraphs(&self.text).zip(numbered(left.all)) {
            if (left.has)(id) {
                kept.extend(installed::reduced(paragraph, &mut is_left)?);
            }
        }
        edit.write.push(self.installed.with(kept));
        self.rest(left, &mut edit)?;
        Ok(edit)
    }

    /// The files beside `installed`, those of them that stay.
    fn rest(&self, left: &Left<'_>, edit: &mut Edit) -> Result<(), Error> {
        let gone = self.names(left);
        let goes_title = |title: &[u8]| std::str::from_utf8(title).is_ok_and(|title| gone.titles.contains(title));
        let goes_checksum = |checksum: &[u8]| gone.checksums.contains(checksum);
        let goes_name = |name: &[u8]| gone.names.contains(name);
        let limit = usize::try_from(FILE).unwrap_or(usize::MAX);
        let beside = |name: &[u8]| {
            let (directory, _) = self.installed.path.split_last()?;
            left.shelf.find(&directory.join(name))
        };
        let changes: [(Option<File>, Change<'_>); 4] = [
            (world(&left.shelf), &|text| Some(beside::world(text, &goes_name))),
            (beside(b"triggers"), &|text| Some(beside::triggers(text, &goes_checksum))),
            (beside(b"scripts.tar"), &|text| scripts::tar(text, &goes_title)),
            (beside(b"scripts.tar.gz"), &|text| scripts::tar_gz(text, limit, &goes_title)),
        ];
        for (file, change) in changes {
            let file = file.filter(|file| (left.has_name)(file.node) && file.content.size <= FILE);
            let Some(file) = file else { continue };
            let text = file.read(left.shelf.files, FILE)?;
            if let Some(changed) = change(&text).filter(|changed| *changed != text) {
                edit.write.push(file.with(changed));
            }
        }
        Ok(())
    }

    fn names<'a>(&'a self, stays: &Left<'a>) -> Names<'a> {
        let mut gone = Names { titles: HashSet::new(), checksums: HashSet::new(), names: HashSet::new() };
        let mut left: HashSet<&[u8]> = HashSet::new();
        for ((id, package), checksum) in numbered(stays.all).zip(&self.checksums) {
            let goes = !(stays.has)(id);
            let names = if goes { &mut gone.names } else { &mut left };
            names.insert(package.name.as_bytes());
            names.extend(package.provides.iter().map(|name| name.as_bytes()));
            if goes {
                gone.titles.insert(format!("{}-{}", package.name, package.version));
                gone.checksums.insert(checksum);
            }
        }
        gone.names.retain(|name| !left.contains(name));
        gone
    }
}

/// Makes a file's new bytes; `None` where it stays as it is.
type Change<'a> = &'a dyn Fn(&[u8]) -> Option<Vec<u8>>;

#[cfg(test)]
mod tests;
