//! PURE. Two root filesystems compared, name by name.
//!
//! In: two trees, and a function that says whether two files hold the same bytes. Out: what only one of them has
//! and what both have and show differently, in the order of a walk. It compares what a container sees: names of
//! owners, the layer that a name came from, and whether a directory has an entry of its own are not part of it.

use super::content::Content;
use super::entry::{Meta, Record};
use super::path::RootPath;
use super::tree::{InodeId, InodeKind, NodeId, Tree};
use crate::error::{Error, escape};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// One path that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The path; as JSON escaped.
    pub path: RootPath,
    /// Which of the two has it.
    pub change: Change,
    /// For a path that both have: what differs. Never empty then.
    pub details: Vec<Detail>,
}

/// Which of two root filesystems has a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Only the second.
    Added,
    /// Only the first.
    Removed,
    /// Both, and it is not the same.
    Changed,
}

/// What differs about a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// What.
    pub what: Aspect,
    /// How the first has it, escaped; empty for content.
    pub before: String,
    /// How the second has it.
    pub after: String,
}

/// What can differ about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Whether it is a file, a directory, a symlink, a device or a pipe. Nothing else but metadata is compared then.
    Type,
    /// Permission bits.
    Mode,
    /// The numbers of owner and group.
    Owner,
    /// The length of a file; where it differs, so does the content, which is not looked at.
    Size,
    /// The time of the last change.
    Mtime,
    /// The target of a symlink.
    LinkTarget,
    /// The numbers of a device.
    Device,
    /// Extended attributes, ACLs and labels.
    Xattrs,
    /// Which of the names that both have are names of this inode.
    HardLinks,
    /// The bytes of a file.
    Content,
}

impl Aspect {
    /// Its name, as the JSON spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Mode => "mode",
            Self::Owner => "owner",
            Self::Size => "size",
            Self::Mtime => "mtime",
            Self::LinkTarget => "link-target",
            Self::Device => "device",
            Self::Xattrs => "xattrs",
            Self::HardLinks => "hard-links",
            Self::Content => "content",
        }
    }
}

/// How many bytes of an attribute's value are shown.
const SHOWN: usize = 32;

/// Compares `a` with `b`. `same` is asked about files of the same size, once for a pair of inodes that have several
/// names; its first error ends the comparison.
pub fn diff(
    a: &Tree,
    b: &Tree,
    same: &mut dyn FnMut(&RootPath, &Content, &Content) -> Result<bool, Error>,
) -> Result<Vec<Difference>, Error> {
    let names = pair(a, b);
    let groups = Groups::new(a, b, &names);
    let mut known: HashMap<(InodeId, InodeId), bool> = HashMap::new();
    let mut differences = Vec::new();
    for (path, sides) in names {
        let (change, details) = match sides {
            (None, _) => (Change::Added, Vec::new()),
            (_, None) => (Change::Removed, Vec::new()),
            (Some(in_a), Some(in_b)) => {
                let mut details = compare(a, b, (in_a, in_b));
                details.extend(groups.detail(a, b, (in_a, in_b)));
                let (one, other) = (a.inode_of(in_a), b.inode_of(in_b));
                if let (InodeKind::File(x), InodeKind::File(y)) = (&one.kind, &other.kind)
                    && x.size == y.size
                {
                    let inodes = (a.node(in_a).inode, b.node(in_b).inode);
                    let equal = match known.get(&inodes) {
                        Some(&equal) => equal,
                        None => same(&path, x, y)?,
                    };
                    if one.names() > 1 && other.names() > 1 {
                        known.insert(inodes, equal);
                    }
                    if !equal {
                        details.push(detail(Aspect::Content, String::new(), String::new()));
                    }
                }
                (Change::Changed, details)
            }
        };
        if change != Change::Changed || !details.is_empty() {
            differences.push(Difference { path, change, details });
        }
    }
    Ok(differences)
}

/// A name in the first tree and in the second.
type Sides = (Option<NodeId>, Option<NodeId>);

/// Every name of either tree, a directory before what is in it.
fn pair(a: &Tree, b: &Tree) -> Vec<(RootPath, Sides)> {
    let mut names = Vec::new();
    let mut open = vec![(RootPath::root(), (Some(Tree::ROOT), Some(Tree::ROOT)))];
    while let Some((path, (in_a, in_b))) = open.pop() {
        let below = |tree: &Tree, node: Option<NodeId>| -> BTreeSet<Box<[u8]>> {
            node.into_iter().flat_map(|node| tree.children(node)).map(|(name, _)| name.clone()).collect()
        };
        let mut children = below(a, in_a);
        children.extend(below(b, in_b));
        for name in children.into_iter().rev() {
            let child = |tree: &Tree, node: Option<NodeId>| node.and_then(|node| tree.child(node, &name));
            open.push((path.join(&name), (child(a, in_a), child(b, in_b))));
        }
        names.push((path, (in_a, in_b)));
    }
    names
}

fn detail(what: Aspect, before: String, after: String) -> Detail {
    Detail { what, before, after }
}

/// What differs about a name by the two inodes alone.
fn compare(a: &Tree, b: &Tree, (in_a, in_b): (NodeId, NodeId)) -> Vec<Detail> {
    let (one, other) = (a.inode_of(in_a), b.inode_of(in_b));
    let mut details = Vec::new();
    let mut differ = |what, before: String, after: String| details.push(detail(what, before, after));
    match (&one.kind, &other.kind) {
        (InodeKind::File(x), InodeKind::File(y)) if x.size != y.size => {
            differ(Aspect::Size, x.size.to_string(), y.size.to_string());
        }
        (InodeKind::Symlink(x), InodeKind::Symlink(y)) if x != y => differ(Aspect::LinkTarget, escape(x), escape(y)),
        (InodeKind::CharDevice(x), InodeKind::CharDevice(y))
        | (InodeKind::BlockDevice(x), InodeKind::BlockDevice(y))
            if x != y =>
        {
            differ(Aspect::Device, format!("{}:{}", x.major, x.minor), format!("{}:{}", y.major, y.minor));
        }
        (x, y) if kind(x) != kind(y) => differ(Aspect::Type, kind(x).into(), kind(y).into()),
        _ => {}
    }
    metadata(&one.meta, &other.meta, &mut differ);
    details
}

fn metadata(one: &Meta, other: &Meta, differ: &mut dyn FnMut(Aspect, String, String)) {
    if one.mode != other.mode {
        differ(Aspect::Mode, format!("{:04o}", one.mode), format!("{:04o}", other.mode));
    }
    if (one.uid, one.gid) != (other.uid, other.gid) {
        differ(Aspect::Owner, format!("{}:{}", one.uid, one.gid), format!("{}:{}", other.uid, other.gid));
    }
    if one.mtime != other.mtime {
        let show = |meta: &Meta| match meta.mtime.nanos {
            0 => meta.mtime.seconds.to_string(),
            nanos => format!("{}+{nanos:09}", meta.mtime.seconds),
        };
        differ(Aspect::Mtime, show(one), show(other));
    }
    if one.records != other.records {
        differ(Aspect::Xattrs, records(one, other), records(other, one));
    }
}

/// The records of `own` that `other` does not have like this.
fn records(own: &Meta, other: &Meta) -> String {
    let differing = own.records.iter().filter(|record| !other.records.contains(record));
    let show = |Record { key, value }: &Record| {
        let key = key.strip_prefix(b"SCHILY.xattr.").unwrap_or(key);
        let shown = value.get(..SHOWN).unwrap_or(value);
        let more = if shown.len() < value.len() { "..." } else { "" };
        format!("{}={}{more}", escape(key), escape(shown))
    };
    differing.map(show).collect::<Vec<_>>().join(" ")
}

/// What an inode is, in a word.
fn kind(kind: &InodeKind) -> &'static str {
    match kind {
        InodeKind::File(_) => "file",
        InodeKind::Directory => "directory",
        InodeKind::Symlink(_) => "symlink",
        InodeKind::CharDevice(_) => "character device",
        InodeKind::BlockDevice(_) => "block device",
        InodeKind::Fifo => "fifo",
        InodeKind::Lower(_) => "hard link to a lower layer",
    }
}

/// The names of inodes that have several, as far as both trees have those names: a name that is gone is told once,
/// and not again by every name that it shared an inode with.
#[derive(Debug, Default)]
struct Groups {
    /// The first name and the number of names, by inode.
    a: HashMap<InodeId, (RootPath, u64)>,
    b: HashMap<InodeId, (RootPath, u64)>,
    /// How many names have this inode in the first and that in the second.
    both: HashMap<(InodeId, InodeId), u64>,
}

impl Groups {
    fn new(a: &Tree, b: &Tree, names: &[(RootPath, Sides)]) -> Self {
        let mut groups = Self::default();
        for (path, sides) in names {
            let (Some(in_a), Some(in_b)) = *sides else { continue };
            if a.inode_of(in_a).names() < 2 && b.inode_of(in_b).names() < 2 {
                continue;
            }
            let inodes = (a.node(in_a).inode, b.node(in_b).inode);
            for (group, inode) in [(&mut groups.a, inodes.0), (&mut groups.b, inodes.1)] {
                let (_, count) = group.entry(inode).or_insert_with(|| (path.clone(), 0));
                *count = count.saturating_add(1);
            }
            let count = groups.both.entry(inodes).or_default();
            *count = count.saturating_add(1);
        }
        groups
    }

    /// The detail where the names of the one inode are not those of the other: the groups are the same only where
    /// each name of one is a name of the other.
    fn detail(&self, a: &Tree, b: &Tree, (in_a, in_b): (NodeId, NodeId)) -> Option<Detail> {
        let inodes = (a.node(in_a).inode, b.node(in_b).inode);
        let (one, other) = (self.a.get(&inodes.0)?, self.b.get(&inodes.1)?);
        let both = *self.both.get(&inodes)?;
        let show = |(first, count): &(RootPath, u64)| match count {
            1 => "1 name".to_owned(),
            _ => format!("{count} names from {first} on"),
        };
        ((one.1, other.1) != (both, both)).then(|| detail(Aspect::HardLinks, show(one), show(other)))
    }
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
