//! rpm's package database: SQLite, in one of three places, with the log beside it that holds what was not put back.
//!
//! In: a tree, and the bytes of these files. Out: packages, and a database without some of them, rebuilt, in one file. The databases of rpm before
//! 4.16 and of SUSE are other formats, which are named and not read.

mod alternatives;
mod header;
mod package;
mod reasons;
mod rich;
mod rows;
mod sqlite;
mod wal;

use super::budget::Budget;
use super::edit::{Edit, Write};
use super::file::File;
use super::package::{Package, PackageId, numbered};
use super::shelf::{Gone, Left, Shelf};
use crate::error::Error;
use crate::rootfs::RootPath;

/// Where the database may be: of Fedora since 36 and SUSE, of all before, of rpm-ostree.
const PLACES: [&[u8]; 3] = [b"usr/lib/sysimage/rpm", b"var/lib/rpm", b"usr/share/rpm"];

/// Other formats, by the name of their file.
const OTHERS: [(&[u8], &str); 2] =
    [(b"Packages", "a Berkeley DB, the format of rpm before 4.16"), (b"Packages.db", "an NDB database, SUSE's format")];

/// Bytes of the database, and of its log. A package takes 27 KB of it (measured on Mariner 2): room for 9,000. While it is rebuilt, three of it
/// are in memory, and none before and after.
const DATABASE: u64 = 256 << 20;

/// What a rollback journal that must be played back begins with.
const JOURNAL: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// What is remembered of the database: where it is, not what it holds.
#[derive(Debug)]
pub(super) struct Database {
    file: File,
    log: Option<File>,
    /// The number that the database gives each package.
    numbers: Vec<i64>,
}

/// Reads the database; `None` where there is none.
pub(super) fn read(shelf: &Shelf<'_>) -> Result<Option<(Vec<Package>, Database)>, Error> {
    let Some(file) = place(shelf)? else { return Ok(None) };
    if let Some(journal) = beside(&file, b"-journal", shelf) {
        let mut start = [0; JOURNAL.len()];
        if shelf.files.read_at(&journal.content, 0, &mut start)? == start.len() && start == JOURNAL {
            return Err(Error::unsupported(format!("{} has a transaction that was not ended", file.path)));
        }
    }
    let log = beside(&file, b"-wal", shelf);
    let mut database = Database { file, log, numbers: Vec::new() };
    let mut all = Vec::new();
    let mut budget = Budget::new();
    let connection = database.open(shelf)?;
    let mut last = i64::MIN;
    let each = rows::each(&connection, |number, header| {
        if number <= last {
            return Err(Error::malformed("its packages are out of order"));
        }
        last = number;
        all.push(package::package(header, &mut budget)?);
        database.numbers.push(number);
        Ok(())
    });
    drop(connection);
    each.map_err(|error| error.at_entry(database.file.path.as_bytes()))?;
    package::answer_paths(&mut all, shelf);
    reasons::mark(&mut all, shelf)?;
    Ok(Some((all, database)))
}

/// The one database, if it is in a format that can be read.
fn place(shelf: &Shelf<'_>) -> Result<Option<File>, Error> {
    let find = |place: &[u8], name: &[u8]| {
        let file = shelf.find(&RootPath::clamped(place).join(name));
        file.filter(|file| file.content.size > 0)
    };
    let found = PLACES.iter().filter_map(|place| find(place, b"rpmdb.sqlite"));
    if let Some(only) = File::only(found, "rpm")? {
        return Ok(Some(only));
    }
    let others = PLACES.iter().flat_map(|place| OTHERS.map(|(name, format)| (find(place, name), format)));
    match others.into_iter().find_map(|(file, format)| Some((file?, format))) {
        Some((file, format)) => Err(Error::unsupported(format!("{} is {format}", file.path))),
        None => Ok(None),
    }
}

/// The file that SQLite keeps beside another one.
fn beside(file: &File, suffix: &[u8], shelf: &Shelf<'_>) -> Option<File> {
    let (directory, name) = file.path.split_last()?;
    shelf.find(&directory.join(&[name, suffix].concat()))
}

impl Database {
    /// The database with its log, opened in memory.
    fn open(&self, shelf: &Shelf<'_>) -> Result<rusqlite::Connection, Error> {
        let open = || {
            let mut bytes = self.file.read(shelf.files, DATABASE)?;
            let log = self.log.as_ref().map(|log| log.read(shelf.files, DATABASE)).transpose()?;
            wal::apply(&mut bytes, log.as_deref().unwrap_or_default(), DATABASE)?;
            rows::open(&bytes)
        };
        open().map_err(|error| error.at_entry(self.file.path.as_bytes()))
    }

    /// What the files beside the database say as if packages had been erased; [`Database::rebuilt`] is the rest.
    pub(super) fn without(&self, gone: &Gone<'_>) -> Result<Edit, Error> {
        if gone.dropped.is_empty() {
            return Ok(Edit::default());
        }
        let mut edit = gone.left(|left| self.beside(left))?;
        alternatives::without(gone, &mut edit)?;
        Ok(edit)
    }

    /// The database of what stays; its headers list all files of a package, as they are signed.
    pub(super) fn reduced(&self, left: &Left<'_>) -> Result<Edit, Error> {
        let mut edit = self.beside(left)?;
        edit.write.insert(0, self.rebuilt(left)?);
        Ok(edit)
    }

    /// The database itself with what stays.
    pub(super) fn rebuilt(&self, left: &Left<'_>) -> Result<Write, Error> {
        let gone = numbered(left.all).zip(&self.numbers).filter(|((id, _), _)| !(left.has)(*id));
        let gone: Vec<i64> = gone.map(|(_, number)| *number).collect();
        let bytes = rows::without(&self.open(&left.shelf)?, &gone);
        Ok(self.file.with(bytes.map_err(|error| error.at_entry(self.file.path.as_bytes()))?))
    }

    fn beside(&self, left: &Left<'_>) -> Result<Edit, Error> {
        let first = numbered(left.all).map(|(id, _)| id).find(|id| !(left.has)(*id)).unwrap_or(PackageId(0));
        // What the log said is in the database now, and its index is of the log.
        let logs = [b"-wal", b"-shm"].into_iter().filter_map(|suffix| beside(&self.file, suffix, &left.shelf));
        let mut edit = Edit { remove: logs.map(|file| (file.path, first)).collect(), write: Vec::new() };
        reasons::without(left, &mut edit)?;
        Ok(edit)
    }
}

#[cfg(test)]
mod tests;
