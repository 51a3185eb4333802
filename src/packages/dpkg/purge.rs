//! The database as if packages had been purged. In: which. Out: an [`Edit`]. What is not about them keeps its bytes and its order; what
//! cannot be read, beyond `status` itself, stays as it is.
//!
//! Not undone, because only maintainer scripts know of it: accounts and groups, debconf's answers, `ucf`'s registry, `/etc/shells`, and files
//! that no package owns. Links to files that went lead nowhere, and go with the other links that do: `/etc/rc?.d`, `*.wants`, `/etc/fonts/conf.d`.

use super::files::{FILE, Info, STATUS};
use super::paragraph::{self, paragraphs};
use super::{Database, Home, choices, diversions, services, states, triggers};
use crate::error::{Error, ErrorKind};
use crate::packages::edit::Edit;
use crate::packages::package::{Package, PackageId, numbered};
use crate::packages::shelf::Gone;
use crate::rootfs::RootPath;
use std::collections::HashMap;

/// Changes every file of the database.
pub(super) fn purge(database: &Database, gone: &Gone<'_>) -> Result<Edit, Error> {
    let mut edit = Edit::default();
    if gone.dropped.is_empty() {
        return Ok(edit);
    }
    let admin = &database.admin;
    let names = Names::new(gone);
    records(database, gone, &mut edit)?;
    let by_name = |name: &[u8]| names.going(name).is_some();
    let by_architecture = |name: &str, architecture: &str| names.exactly(name, architecture).is_some();
    gone.change(&admin.join(b"status-old"), STATUS, &mut edit, |text| old(text, &by_architecture))?;
    gone.change(&admin.join(b"diversions"), FILE, &mut edit, |text| diversions::without(text, &by_name))?;
    gone.change(&admin.join(b"statoverride"), FILE, &mut edit, |text| Ok(overrides(text, gone)))?;
    gone.change(&RootPath::clamped(states::PATH), FILE, &mut edit, |text| states::without(text, &by_architecture))?;
    let directory = admin.join(b"triggers");
    for (name, node) in gone.shelf.children(&directory) {
        let Some(text) = tolerate(gone.shelf.read_in(&directory, (name, node), FILE))?.flatten() else { continue };
        let left = match name {
            b"File" => triggers::file_triggers(&text, &by_name),
            b"Unincorp" => triggers::pulled(&text, &by_name),
            _ => triggers::named_trigger(&text, &by_name),
        };
        let path = directory.join(name);
        match left {
            // dpkg removes the file of a trigger that nobody is interested in.
            Some(left) if left.is_empty() && name != b"File" && name != b"Unincorp" => {
                let first = text.split(|byte| matches!(byte, b'\n' | b'/')).next().unwrap_or_default();
                edit.remove.extend(names.going(first).map(|id| (path, id)));
            }
            Some(left) => edit.set(path, left),
            None => {}
        }
    }
    choices::strike_out(gone, admin, &mut edit)?;
    services::forget(gone, &mut edit)?;
    Ok(edit)
}

/// What a read of something beside `status` gave; `None` where it cannot be read.
pub(super) fn tolerate<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Limit | ErrorKind::Unsupported) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The paragraphs, and the files in `info`.
fn records(database: &Database, gone: &Gone<'_>, edit: &mut Edit) -> Result<(), Error> {
    let info = Info::new(&gone.shelf, &database.admin);
    let mut ranges = Vec::new();
    for &id in gone.dropped {
        let Some(record) = database.records.get(id.index()) else { continue };
        match &record.paragraph {
            Home::Status(range) => ranges.push(range.clone()),
            Home::File(name) => {
                let directory = database.admin.join(b"status.d");
                edit.remove.push((directory.join(name), id));
                let beside = directory.join(&[name, &b".md5sums"[..]].concat());
                edit.remove.extend(gone.shelf.tree.lookup(&beside).map(|_| (beside, id)));
            }
        }
        let names = record.stem.as_ref().map(|stem| info.names(stem)).unwrap_or_default();
        edit.remove.extend(names.iter().map(|name| (database.admin.join(b"info").join(name), id)));
    }
    ranges.sort_by_key(|range| range.start);
    let path = database.admin.join(b"status");
    if let Some(text) = gone.shelf.read(&path, STATUS)?
        && let Some(left) = paragraph::without(&text, &ranges)
    {
        edit.set(gone.shelf.end(&path), left);
    }
    Ok(())
}

/// `status-old`, which dpkg keeps of the run before: it has the same paragraphs in other places.
fn old(text: &[u8], goes: &dyn Fn(&str, &str) -> bool) -> Result<Option<Vec<u8>>, Error> {
    let mut ranges = Vec::new();
    for paragraph in paragraphs(text)? {
        if goes(paragraph.word("Package")?, paragraph.word("Architecture").unwrap_or_default()) {
            ranges.push(paragraph.range);
        }
    }
    Ok(paragraph::without(text, &ranges))
}

/// `statoverride`: owner, group, mode and path a line; the lines go whose path only packages have that go.
fn overrides(text: &[u8], gone: &Gone<'_>) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    let path = |line: &[u8]| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.splitn(4, |&byte| byte == b' ').nth(3).map(RootPath::clamped)
    };
    let mut goes: HashMap<RootPath, Option<bool>> =
        lines.iter().filter_map(|line| path(line)).map(|path| (path, None)).collect();
    for (id, package) in numbered(gone.all) {
        for path in &package.paths {
            if let Some(goes) = goes.get_mut(path) {
                *goes = Some(goes.unwrap_or(true) && gone.dropped.contains(&id));
            }
        }
    }
    let stays = |line: &&&[u8]| path(line).and_then(|path| goes.get(&path).copied().flatten()) != Some(true);
    let kept: Vec<&[u8]> = lines.iter().filter(stays).copied().collect();
    (kept.len() != lines.len()).then(|| kept.concat())
}

impl Gone<'_> {
    /// Rewrites a file, if it is there, can be read, and `without` says that it changes.
    fn change(
        &self,
        path: &RootPath,
        limit: u64,
        edit: &mut Edit,
        without: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, Error>,
    ) -> Result<(), Error> {
        if let Some(text) = tolerate(self.shelf.read(path, limit))?.flatten()
            && let Some(left) = tolerate(without(&text))?.flatten()
        {
            edit.set(self.shelf.end(path), left);
        }
        Ok(())
    }
}

/// The packages by name.
struct Names<'a> {
    gone: &'a Gone<'a>,
    by_name: HashMap<&'a [u8], Vec<PackageId>>,
}

impl<'a> Names<'a> {
    fn new(gone: &'a Gone<'a>) -> Self {
        let mut by_name: HashMap<&[u8], Vec<PackageId>> = HashMap::new();
        for (id, package) in numbered(gone.all) {
            by_name.entry(package.name.as_bytes()).or_default().push(id);
        }
        Self { gone, by_name }
    }

    /// The package that goes of this name, which may have an architecture behind a colon; without one, all of that name must go.
    fn going(&self, name: &[u8]) -> Option<PackageId> {
        let mut parts = name.splitn(2, |&byte| byte == b':');
        let name = parts.next().unwrap_or_default();
        match parts.next() {
            Some(architecture) => self.find(name, |other| other.architecture.as_bytes() == architecture),
            None => {
                let ids = self.by_name.get(name)?;
                ids.first().copied().filter(|_| ids.iter().all(|id| self.gone.dropped.contains(id)))
            }
        }
    }

    /// The package that goes of this name and architecture; apt and old files write the machine's own for `all`.
    fn exactly(&self, name: &str, architecture: &str) -> Option<PackageId> {
        self.find(name.as_bytes(), |other| other.architecture == architecture || other.architecture == "all")
    }

    fn find(&self, name: &[u8], fits: impl Fn(&Package) -> bool) -> Option<PackageId> {
        let mut ids = self.by_name.get(name)?.iter().copied();
        ids.find(|id| self.gone.dropped.contains(id) && self.gone.all.get(id.index()).is_some_and(&fits))
    }
}
