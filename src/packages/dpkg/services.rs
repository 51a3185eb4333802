//! What `deb-systemd-helper` remembers of units: which links it made for them (`/var/lib/systemd/deb-systemd-*`).
//!
//! In: what goes. Out: its notes about units that go. The links themselves, below `/etc/systemd`, lead nowhere then and go as such.

use super::files::FILE;
use super::purge::tolerate;
use crate::error::Error;
use crate::packages::edit::Edit;
use crate::packages::package::PackageId;
use crate::packages::shelf::Gone;
use crate::rootfs::RootPath;
use std::collections::{BTreeMap, HashMap};

/// Where units are.
const UNITS: [&[u8]; 4] =
    [b"lib/systemd/system", b"usr/lib/systemd/system", b"lib/systemd/user", b"usr/lib/systemd/user"];

/// Where the notes are.
const NOTES: &[u8] = b"var/lib/systemd";

/// What a note about a unit ends in; it lists the links, one a line.
const ALSO: &[u8] = b".dsh-also";

/// Takes the notes away.
pub(super) fn forget(gone: &Gone<'_>, edit: &mut Edit) -> Result<(), Error> {
    let units = units(gone);
    if units.is_empty() {
        return Ok(());
    }
    let mut found: BTreeMap<RootPath, PackageId> = BTreeMap::new();
    for (name, _) in gone.shelf.children(&RootPath::clamped(NOTES)) {
        if !name.starts_with(b"deb-systemd-") {
            continue;
        }
        let top = gone.shelf.place(&RootPath::clamped(NOTES)).join(name);
        let mut ahead = vec![top.clone()];
        while let Some(directory) = ahead.pop() {
            for (name, node) in gone.shelf.children(&directory) {
                let path = directory.join(name);
                if gone.shelf.tree.is_directory(node) {
                    ahead.push(path);
                    continue;
                }
                let unit = name.strip_suffix(ALSO).unwrap_or(name);
                let Some(&by) = units.get(unit) else { continue };
                if unit.len() != name.len()
                    && let Some(text) = tolerate(gone.shelf.read_in(&directory, (name, node), FILE))?.flatten()
                {
                    found.extend(links(&text).map(|link| (top.join_all(&link), by)));
                }
                found.insert(path, by);
            }
        }
    }
    edit.remove.extend(found.into_iter().filter(|(path, _)| gone.shelf.tree.lookup(path).is_some()));
    Ok(())
}

/// The units that go.
fn units(gone: &Gone<'_>) -> HashMap<Box<[u8]>, PackageId> {
    let mut places = gone.shelf.places();
    let mut found = HashMap::new();
    for package in gone.dropped.iter().filter_map(|id| gone.all.get(id.index())) {
        for path in &package.paths {
            let Some((parent, name)) = path.split_last() else { continue };
            if UNITS.contains(&parent.as_bytes())
                && let Some(by) = places.node(path).and_then(|node| gone.owners.gone(node, gone.dropped))
            {
                found.insert(name.into(), by);
            }
        }
    }
    found
}

/// The links that a note lists, seen from `/etc/systemd/system` or `/etc/systemd/user`.
fn links(text: &[u8]) -> impl Iterator<Item = RootPath> {
    text.split(|&byte| byte == b'\n').filter_map(|line| {
        let link = line.strip_prefix(b"/etc/systemd/system/").or_else(|| line.strip_prefix(b"/etc/systemd/user/"))?;
        Some(RootPath::clamped(link)).filter(|link| !link.is_root())
    })
}

impl RootPath {
    /// A path below this one.
    fn join_all(&self, below: &RootPath) -> RootPath {
        below.components().fold(self.clone(), |path, name| path.join(name))
    }
}
