//! Alternatives without the programs that go (update-alternatives(1), `--remove`).
//!
//! In: what goes. Out: the groups that change: a choice that goes is struck out, a link that led to it leads to the best one that is left, and
//! where none is left the whole group goes, with its links. A group that cannot be read, and a link that does not lead where the group says, are
//! somebody else's and stay as they are.

use super::alternatives::{Choice, Group};
use super::files::FILE;
use super::purge::tolerate;
use crate::error::Error;
use crate::packages::edit::Edit;
use crate::packages::package::PackageId;
use crate::packages::shelf::Gone;
use crate::rootfs::{InodeKind, RootPath};

/// Where the links lead through.
const DIRECTORY: &[u8] = b"etc/alternatives";

/// Changes all groups.
pub(super) fn strike_out(gone: &Gone<'_>, admin: &RootPath, edit: &mut Edit) -> Result<(), Error> {
    let directory = admin.join(b"alternatives");
    for (name, node) in gone.shelf.children(&directory) {
        let Some(text) = tolerate(gone.shelf.read_in(&directory, (name, node), FILE))?.flatten() else { continue };
        let Ok(mut group) = Group::parse(&text) else { continue };
        let Some(by) = group.choices.iter().find_map(|choice| gone.led_to(choice.path)) else { continue };
        let link = Link { gone, name, by };
        let current = link.leads_to();
        group.choices.retain(|choice| gone.led_to(choice.path).is_none());
        let file = directory.join(name);
        let Some(best) = group.best(&|path| gone.is_there(path)).cloned() else {
            edit.remove.push((file, by));
            link.remove(group.link, edit);
            for (slave, at) in &group.slaves {
                Link { gone, name: slave, by }.remove(at, edit);
            }
            continue;
        };
        if current.is_some_and(|current| gone.led_to(&current).is_some()) {
            group.is_automatic = true;
            link.turn(&group, &best, edit);
        }
        edit.set(file, group.text());
    }
    Ok(())
}

/// A link through `/etc/alternatives`.
struct Link<'a> {
    gone: &'a Gone<'a>,
    name: &'a [u8],
    by: PackageId,
}

impl Link<'_> {
    fn path(&self) -> RootPath {
        RootPath::clamped(DIRECTORY).join(self.name)
    }

    fn leads_to(&self) -> Option<Box<[u8]>> {
        self.gone.link(&self.path()).map(|(_, target)| target)
    }

    /// Takes the link away, and the one in `/etc/alternatives`, if they are what the group says.
    fn remove(&self, at: &[u8], edit: &mut Edit) {
        if let Some((place, _)) = self.gone.link(&self.path()) {
            edit.remove.push((place, self.by));
        }
        if let Some((place, target)) = self.gone.link(&RootPath::clamped(at))
            && place.split_last().is_some_and(|(parent, _)| parent.link_target(&target) == self.path())
        {
            edit.remove.push((place, self.by));
        }
    }

    /// Leads the link to another choice, and what changes with it.
    fn turn(&self, group: &Group<'_>, best: &Choice<'_>, edit: &mut Edit) {
        edit.link(self.gone.shelf.place(&self.path()), best.path);
        for ((name, at), to) in group.slaves.iter().zip(&best.slaves) {
            let slave = Link { gone: self.gone, name, by: self.by };
            if to.is_empty() || !self.gone.is_there(to) {
                slave.remove(at, edit);
                continue;
            }
            edit.link(self.gone.shelf.place(&slave.path()), to);
            let at = RootPath::clamped(at);
            let parent = at
                .split_last()
                .and_then(|(parent, _)| self.gone.shelf.tree.resolve(&parent, true, self.gone.shelf.hops));
            if self.gone.shelf.tree.resolve(&at, false, self.gone.shelf.hops).is_none()
                && parent.is_some_and(|(_, node)| self.gone.shelf.tree.is_directory(node))
            {
                edit.link(self.gone.shelf.place(&at), &[b"/", slave.path().as_bytes()].concat());
            }
        }
    }
}

impl Gone<'_> {
    /// A symlink: where it is, and its target.
    fn link(&self, path: &RootPath) -> Option<(RootPath, Box<[u8]>)> {
        let (place, node) = self.shelf.tree.resolve(path, false, self.shelf.hops)?;
        match &self.shelf.tree.inode_of(node).kind {
            InodeKind::Symlink(target) => Some((place, target.clone())),
            _ => None,
        }
    }

    /// The package with which something goes that a path leads through.
    fn led_to(&self, path: &[u8]) -> Option<PackageId> {
        let way = self.shelf.tree.follow(&RootPath::clamped(path), true, self.shelf.hops, |_| true);
        way.places().find_map(|(_, node)| self.owners.gone(*node, self.dropped))
    }

    /// Whether a path leads to something that stays.
    fn is_there(&self, path: &[u8]) -> bool {
        let end = self.shelf.tree.resolve(&RootPath::clamped(path), true, self.shelf.hops);
        end.is_some() && self.led_to(path).is_none()
    }
}
