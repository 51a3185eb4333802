//! PURE. The package databases of a root filesystem as values: who owns a path, who needs whom, and the database without a package.
//!
//! In: a [`Tree`], and [`Files`] to read the database with. Out: [`Package`]s, a selection of those
//! that go, and the [`Edit`] that makes the database say so. Nothing here changes a tree.

mod apk;
mod budget;
mod bytecode;
mod dpkg;
mod edit;
mod file;
#[cfg(test)]
mod files_testing;
mod graph;
mod legal;
mod owners;
mod package;
mod pinned;
mod rpm;
mod select;
mod shelf;
#[cfg(test)]
mod testing;

pub use edit::{Edit, Write};
pub use package::{AnyOf, Fixed, Manager, Package, PackageId};
pub use select::{Dropped, Held, Refused, Seed, Selection};

use crate::error::{Error, ErrorKind};
use crate::rootfs::{Files, NodeId, RootPath, Tree};
use crate::warning::{WarningKind, Warnings};
use graph::Graph;
use owners::Owners;
use shelf::{Gone, Left, Shelf};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The packages of a root filesystem, as its one database lists them.
#[derive(Debug)]
pub struct Packages {
    all: Vec<Package>,
    database: Database,
    owners: Owners,
    graph: Graph,
    hops: u64,
}

/// What a manager's folder remembers of its files.
#[derive(Debug)]
enum Database {
    Dpkg(dpkg::Database),
    Apk(apk::Database),
    Rpm(rpm::Database),
}

impl Packages {
    /// Reads the database; `None` where there is none, or none with a package. One that is broken, of an unknown format or too large counts as
    /// none, with a warning: a guess could drop what is needed. At most `hops` symlinks are followed to resolve a path.
    ///
    /// # Errors
    ///
    /// `Integrity` and `Io`, as [`Files::read_at`].
    pub fn read(tree: &Tree, files: &dyn Files, hops: u64, warnings: &mut Warnings) -> Result<Option<Self>, Error> {
        let shelf = Shelf { tree, files, hops };
        let dpkg = readable(dpkg::read(&shelf), "dpkg", warnings)?;
        let dpkg = dpkg.map(|(all, database)| (all, Database::Dpkg(database)));
        let apk = readable(apk::read(&shelf), "apk", warnings)?;
        let apk = apk.map(|(all, database)| (all, Database::Apk(database)));
        let rpm = readable(rpm::read(&shelf), "rpm", warnings)?;
        let rpm = rpm.map(|(all, database)| (all, Database::Rpm(database)));
        // A distribution may have another one's manager installed, whose database then is empty.
        let mut found = [dpkg, apk, rpm].into_iter().flatten().filter(|(all, _)| !all.is_empty());
        let Some((all, database)) = found.next() else { return Ok(None) };
        for package in all.iter().filter(|package| package.fixed == Some(Fixed::NoFileList)) {
            warnings.add(WarningKind::PackageDatabase, format!("{}: {}", package.name, Fixed::NoFileList.text()));
        }
        let owners = Owners::new(tree, &all, hops);
        let mut owners_of = |path: &str| {
            let place = tree.resolve(&RootPath::clamped(path.as_bytes()), false, hops);
            place.map(|(_, node)| owners.of(node).to_vec()).unwrap_or_default()
        };
        let graph = Graph::new(&all, &mut owners_of);
        Ok(Some(Self { all, database, owners, graph, hops }))
    }

    /// Who keeps the database.
    pub fn manager(&self) -> Manager {
        match self.database {
            Database::Dpkg(_) => Manager::Dpkg,
            Database::Apk(_) => Manager::Apk,
            Database::Rpm(_) => Manager::Rpm,
        }
    }

    /// Every package, in the order of the database: a [`PackageId`] is a position here.
    pub fn all(&self) -> &[Package] {
        &self.all
    }

    /// The package of this number.
    pub fn get(&self, id: PackageId) -> Option<&Package> {
        self.all.get(id.index())
    }

    /// Name and version, as a report shows them: `gcc-12 12.2.0-14`.
    pub fn title(&self, id: PackageId) -> String {
        self.get(id).map(|package| format!("{} {}", package.name, package.version)).unwrap_or_default()
    }

    /// The packages that own a name that is no directory, ascending. A symlink is owned by those that list it as a name of its own, not by those
    /// that list something below it: `/lib` is not everyone's.
    pub fn owners(&self, node: NodeId) -> &[PackageId] {
        self.owners.of(node)
    }

    /// By [`NodeId::index`]: whether a package owns a name.
    pub fn owned(&self) -> Arc<[bool]> {
        self.owners.table()
    }

    /// The packages that hold the rest of an interpreter of which this package has only a part: scripts import it, and nothing depends on it.
    pub fn rest_of(&self, id: PackageId) -> impl Iterator<Item = PackageId> {
        let rest = self.get(id).and_then(|package| pinned::rest(&package.name));
        let named = rest.map(|rest| package::numbered(&self.all).filter(move |(_, package)| package.name == rest));
        named.into_iter().flatten().map(|(id, _)| id)
    }

    /// Which packages go when rules ask for some (rules.md 3). Each of `roots` stays with all it needs; its text says why, as in
    /// `the image runs /usr/bin/gcc`.
    pub fn select(&self, seeds: &[Seed], roots: &[(PackageId, String)]) -> Selection {
        select::select(&self.all, &self.graph, seeds, roots)
    }

    /// The names that only dropped packages own, each with one of those, and the bytecode that Python made from them and that nobody who stays
    /// owns; no directories.
    pub fn files_of(&self, tree: &Tree, dropped: &BTreeSet<PackageId>) -> Vec<(NodeId, PackageId)> {
        bytecode::files_of(&self.owners, tree, dropped)
    }

    /// The packages that own a name for which `stays` holds.
    pub fn owning(&self, tree: &Tree, stays: &dyn Fn(NodeId) -> bool) -> BTreeSet<PackageId> {
        self.owners.owning(tree, stays)
    }

    /// The names that must stay so that the licences of these packages do, with the symlinks that lead to them: `copyright` of Debian,
    /// `/usr/share/licenses` of the others, and the common licences that a copyright file refers to.
    ///
    /// # Errors
    ///
    /// `Integrity` and `Io`, as [`Files::read_at`].
    pub fn legal(
        &self,
        tree: &Tree,
        files: &dyn Files,
        packages: &BTreeSet<PackageId>,
    ) -> Result<Vec<(RootPath, NodeId)>, Error> {
        legal::legal(&self.all, &self.shelf(tree, files), packages)
    }

    /// The database as if these packages had been purged, but for what [`Packages::rebuilt`] gives.
    ///
    /// # Errors
    ///
    /// `Integrity` and `Io`, as [`Files::read_at`]; the others where the database is not what it was when it was read.
    pub fn without(&self, tree: &Tree, files: &dyn Files, dropped: &BTreeSet<PackageId>) -> Result<Edit, Error> {
        let gone = self.gone(tree, files, dropped);
        match &self.database {
            Database::Dpkg(database) => database.without(&gone),
            Database::Apk(database) => database.without(&gone),
            Database::Rpm(database) => database.without(&gone),
        }
    }

    /// What of the database as if these packages had been purged takes long: rpm's is one file, and made anew. It is written before what
    /// [`Packages::without`] says; `None` where that is all.
    ///
    /// # Errors
    ///
    /// As [`Packages::without`].
    pub fn rebuilt(
        &self,
        tree: &Tree,
        files: &dyn Files,
        dropped: &BTreeSet<PackageId>,
    ) -> Result<Option<Write>, Error> {
        match &self.database {
            Database::Rpm(database) if !dropped.is_empty() => {
                self.gone(tree, files, dropped).left(|left| database.rebuilt(left)).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The database of an image of which only some names stay: it lists the packages that own one, in a form that scanners read. `stays` says which
    /// names those are.
    ///
    /// # Errors
    ///
    /// As [`Packages::without`].
    pub fn reduced(&self, tree: &Tree, files: &dyn Files, stays: &dyn Fn(NodeId) -> bool) -> Result<Edit, Error> {
        let owning = self.owners.owning(tree, stays);
        let has = |id: PackageId| owning.contains(&id);
        let left = Left { shelf: self.shelf(tree, files), all: &self.all, has: &has, has_name: stays };
        match &self.database {
            Database::Dpkg(database) => database.reduced(&left),
            Database::Apk(database) => database.reduced(&left),
            Database::Rpm(database) => database.reduced(&left),
        }
    }

    fn gone<'a>(&'a self, tree: &'a Tree, files: &'a dyn Files, dropped: &'a BTreeSet<PackageId>) -> Gone<'a> {
        Gone { shelf: self.shelf(tree, files), all: &self.all, owners: &self.owners, dropped }
    }

    fn shelf<'a>(&self, tree: &'a Tree, files: &'a dyn Files) -> Shelf<'a> {
        Shelf { tree, files, hops: self.hops }
    }
}

/// What a manager's folder read; a database that cannot be read is none, with a warning.
fn readable<T>(read: Result<Option<T>, Error>, manager: &str, warnings: &mut Warnings) -> Result<Option<T>, Error> {
    match read {
        Err(error) if matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Unsupported | ErrorKind::Limit) => {
            warnings.add(WarningKind::PackageDatabase, format!("{manager}: {error}"));
            Ok(None)
        }
        other => other,
    }
}
