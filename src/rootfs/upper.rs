//! One layer read alone: its entries applied in tar order to an empty directory, and beside that tree the marks
//! that touch lower layers only (merge.md, "the model"; overlayfs calls such a tree an upper directory).
//!
//! In: entries, in tar order. Out: an [`Upper`] that [`super::Merge`] lays over lower ones. It never looks at
//! another layer, so all layers of an image can be read at once.

use super::entry::{Device, Entry, EntryKind, LayerId, Meta};
use super::follow::link_components;
use super::ledger::{Ledger, Tally};
use super::origin::{Origin, Span};
use super::path::RootPath;
use super::tree::{Descend, InodeId, InodeKind, NodeId, Tree};
use crate::error::Error;
use crate::warning::{WarningKind, Warnings};
use std::collections::BTreeSet;
use std::num::NonZeroU32;

/// The prefix of a whiteout's name (OCI layer.md, "Whiteouts").
const WHITEOUT: &[u8] = b".wh.";
/// The name of the mark that makes a directory opaque.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Names with this prefix are an AUFS branch's own (M27, M28).
const AUFS: &[u8] = b".wh..wh.";
/// Table of contents and landmarks of eStargz, at the root of a layer (M99).
const STARGZ: [&[u8]; 3] = [b"stargz.index.json", b".prefetch.landmark", b".no.prefetch.landmark"];

/// A layer on its own.
#[derive(Debug, Clone, Default)]
pub struct Upper {
    /// What it adds. A hard link to a lower layer's file is an [`InodeKind::Lower`].
    pub tree: Tree,
    /// Paths that disappear from lower layers, with all below them.
    pub whiteouts: BTreeSet<RootPath>,
    /// Directories whose lower content disappears.
    pub opaques: BTreeSet<RootPath>,
    /// What the layer holds, and what of it was gone before any other layer was looked at.
    pub ledger: Ledger,
    /// What the user should know about it.
    pub warnings: Warnings,
}

/// Builds an [`Upper`] from the entries of a layer.
#[derive(Debug)]
pub struct UpperBuilder {
    upper: Upper,
    layer: LayerId,
    index: u32,
    hops: u64,
    has_aufs: bool,
    /// Whether a directory may be implied by nothing that stays.
    has_ghosts: bool,
    /// Where a character device 0:0 stood, which later hard links may name.
    devices: BTreeSet<RootPath>,
    /// Whiteouts that came after an entry of their path.
    late: BTreeSet<RootPath>,
    /// The last entry's parent, which the next entry most often shares.
    parent: Option<(RootPath, Parent)>,
}

/// A path of the layer without symlinks: each name, and what the layer has there.
struct Way {
    steps: Vec<(Box<[u8]>, Option<NodeId>)>,
    /// Whether a symlink was followed.
    moved: bool,
}

/// The directory that an entry goes to.
#[derive(Debug, Clone, Copy)]
struct Parent {
    node: NodeId,
    /// Whether a symlink led there, so that it has another path than the entry's name says.
    moved: bool,
}

impl UpperBuilder {
    /// An empty layer; a path that leads through more than `hops` symlinks of the layer is an error (M42).
    pub fn new(layer: LayerId, hops: u64) -> Self {
        Self {
            upper: Upper::default(),
            layer,
            index: 0,
            hops,
            has_aufs: false,
            has_ghosts: false,
            devices: BTreeSet::new(),
            late: BTreeSet::new(),
            parent: None,
        }
    }

    /// Applies the next entry.
    pub fn push(&mut self, mut entry: Entry) -> Result<(), Error> {
        self.index = self.index.saturating_add(1);
        let Some((parent, name)) = entry.path.split_last() else { return self.root(entry) };
        let name: Box<[u8]> = name.into();
        let refuse = |error: Error| error.at_entry(entry.path.as_bytes());
        // The mark's own name as a directory in the way.
        if parent.components().any(|name| name == OPAQUE) {
            return Err(refuse(Error::malformed("an opaque mark is used as a directory")));
        }
        let in_aufs = entry.path.components().any(|name| name.starts_with(AUFS) && name != OPAQUE);
        if name.starts_with(WHITEOUT) && !in_aufs {
            return self.mark(&parent, &name, &entry);
        }
        if self.is_device(&entry).map_err(refuse)? {
            let path = self.seen_from_below(&parent).map_err(refuse)?.join(&name);
            self.device(path, &entry.path);
            return Ok(());
        }
        self.has_aufs |= in_aufs;
        let directory = self.parent(&parent).map_err(refuse)?;
        if directory.moved {
            entry.verbatim = None; // its header names the way through the symlink
        }
        if !in_aufs && parent.components().any(|name| name.starts_with(WHITEOUT)) {
            self.upper.warnings.add(WarningKind::WhiteoutDirectory, &entry.path);
        }
        self.upper.ledger.input.entries += 1;
        self.place(directory.node, name, entry)
    }

    /// The layer so far.
    pub fn tree(&self) -> &Tree {
        &self.upper.tree
    }

    /// Ends the layer: what its storage driver noted in it goes.
    pub fn finish(mut self) -> Upper {
        let upper = &mut self.upper;
        if self.has_aufs {
            for (directory, name) in aufs_names(&upper.tree) {
                upper.tree.remove(directory, &name, &mut upper.ledger.metadata);
            }
        }
        if self.has_aufs || self.has_ghosts {
            remove_ghosts(&mut upper.tree);
        }
        for name in STARGZ {
            upper.tree.remove(Tree::ROOT, name, &mut upper.ledger.metadata);
        }
        for path in upper.whiteouts.difference(&self.late) {
            if upper.tree.lookup(path).is_some_and(|node| upper.tree.is_directory(node)) {
                upper.warnings.add(WarningKind::WhiteoutBesideDirectory, path);
            }
        }
        if upper.opaques.contains(&RootPath::root()) {
            upper.warnings.add(WarningKind::OpaqueRoot, RootPath::root());
        }
        self.upper
    }

    fn root(&mut self, entry: Entry) -> Result<(), Error> {
        if entry.kind != EntryKind::Directory {
            return Err(Error::malformed("the root of the filesystem is not a directory").at_entry(b"./"));
        }
        self.upper.ledger.input.entries += 1;
        if self.upper.tree.node(Tree::ROOT).origin.is_some() {
            self.upper.warnings.add(WarningKind::Duplicate, &entry.path);
        }
        let origin = self.origin(&entry, None);
        self.upper.tree.redefine(Tree::ROOT, entry.meta, Some(origin), &mut self.upper.ledger.replaced);
        Ok(())
    }

    fn origin(&self, entry: &Entry, link: Option<RootPath>) -> Origin {
        Origin {
            layer: self.layer,
            index: NonZeroU32::new(self.index).unwrap_or(NonZeroU32::MIN),
            verbatim: entry.verbatim.as_ref().and_then(Span::of),
            link: link.map(Box::new),
        }
    }

    /// Notes a whiteout or an opaque mark. The name decides, not the type (M23).
    fn mark(&mut self, parent: &RootPath, name: &[u8], entry: &Entry) -> Result<(), Error> {
        let hidden = name.get(WHITEOUT.len()..).unwrap_or_default();
        if matches!(hidden, b"" | b"." | b"..") {
            let what = "the whiteout names no file"; // M24, M25: engines differ, one deleted the parent
            return Err(Error::malformed(what).at_entry(entry.path.as_bytes()));
        }
        match &entry.kind {
            // AUFS made every whiteout a hard link to one file.
            EntryKind::HardLink(_) => {}
            EntryKind::File(content) if content.size == 0 => {}
            _ => self.upper.warnings.add(WarningKind::OddWhiteout, &entry.path),
        }
        let directory = self.seen_from_below(parent).map_err(|error| error.at_entry(entry.path.as_bytes()))?;
        if name == OPAQUE {
            self.upper.opaques.insert(directory);
        } else {
            let path = directory.join(hidden);
            if self.upper.tree.lookup(&path).is_some() {
                self.upper.warnings.add(WarningKind::WhiteoutBesideEntry, &path);
                self.late.insert(path.clone());
            }
            self.upper.whiteouts.insert(path);
        }
        Ok(())
    }

    /// Whether an entry is overlayfs' own kind of whiteout (M91). Since Linux 5.7 they share an inode, and tar
    /// writes the later ones as hard links to the first.
    fn is_device(&self, entry: &Entry) -> Result<bool, Error> {
        match &entry.kind {
            EntryKind::CharDevice(device) => Ok(*device == Device { major: 0, minor: 0 }),
            EntryKind::HardLink(target) if !self.devices.is_empty() => {
                let Some((parent, name)) = target.split_last() else { return Ok(false) };
                let seen = self.seen_from_below(&parent)?.join(name);
                Ok(self.devices.contains(&seen) && self.upper.tree.lookup(&seen).is_none())
            }
            _ => Ok(false),
        }
    }

    /// Notes a whiteout that is a device. Unlike a mark it has the path itself, so it replaces what stands there.
    fn device(&mut self, path: RootPath, name: &RootPath) {
        let upper = &mut self.upper;
        upper.warnings.add(WarningKind::OverlayWhiteout, name);
        if let Some(node) = upper.tree.lookup(&path)
            && let Some((parent, last)) = path.split_last()
            && let Some(directory) = upper.tree.lookup(&parent)
        {
            if upper.tree.node(node).origin.is_some() {
                upper.warnings.add(WarningKind::Duplicate, name);
            }
            upper.tree.remove(directory, last, &mut upper.ledger.replaced);
            self.parent = None;
            self.has_ghosts = true;
        }
        self.devices.insert(path.clone());
        upper.whiteouts.insert(path);
    }

    fn place(&mut self, directory: NodeId, name: Box<[u8]>, entry: Entry) -> Result<(), Error> {
        let there = self.upper.tree.child(directory, &name);
        if let Some(node) = there {
            let implied = self.upper.tree.node(node).origin.is_none();
            if !implied {
                self.upper.warnings.add(WarningKind::Duplicate, &entry.path);
            }
            if entry.kind == EntryKind::Directory && self.upper.tree.is_directory(node) {
                let origin = self.origin(&entry, None);
                self.upper.tree.redefine(node, entry.meta, Some(origin), &mut self.upper.ledger.replaced);
                return Ok(());
            }
            self.parent = None;
        }
        let (inode, origin) = match &entry.kind {
            EntryKind::HardLink(target) => self.link(target, &entry)?,
            _ => {
                let origin = self.origin(&entry, None);
                let Entry { kind, meta, .. } = entry;
                let Some(kind) = InodeKind::of(kind) else { return Ok(()) };
                self.upper.ledger.input.bytes += kind.size();
                (self.upper.tree.add_inode(kind, meta), origin)
            }
        };
        // The new name counts before the old one goes: a link to itself frees nothing (M62).
        self.upper.tree.hold(inode);
        self.upper.tree.remove(directory, &name, &mut self.upper.ledger.replaced);
        self.upper.tree.attach(directory, &name, inode, Some(origin));
        self.upper.tree.release(inode, &mut self.upper.ledger.replaced);
        Ok(())
    }

    /// The inode that a hard link names: one of this layer as it stands now (M68), else a lower layer's.
    fn link(&mut self, target: &RootPath, entry: &Entry) -> Result<(InodeId, Origin), Error> {
        let refuse = |error: Error| error.at_entry(entry.path.as_bytes());
        let Some((parent, name)) = target.split_last() else {
            return Err(refuse(Error::malformed("a hard link to the root directory")));
        };
        let seen = self.seen_from_below(&parent).map_err(refuse)?.join(name);
        let mut origin = self.origin(entry, Some(target.clone()));
        let Some(node) = self.upper.tree.lookup(&seen) else {
            let inode = self.upper.tree.add_inode(InodeKind::Lower(seen), entry.meta.clone());
            return Ok((inode, origin));
        };
        if self.upper.tree.is_directory(node) {
            return Err(refuse(Error::malformed(format!("a hard link to the directory {seen}"))));
        }
        if differs(&entry.meta, &self.upper.tree.inode_of(node).meta) {
            self.upper.warnings.add(WarningKind::LinkMetadata, &entry.path);
            origin.verbatim = None;
        }
        if entry.meta.records != self.upper.tree.inode_of(node).meta.records {
            origin.verbatim = None; // engines chown by the link's header, which clears a capability that it lacks
        }
        Ok((self.upper.tree.node(node).inode, origin))
    }

    /// The directory for an entry whose parent has this name; missing ones are made. Symlinks of this layer are
    /// followed (M38), never above its root.
    fn parent(&mut self, path: &RootPath) -> Result<Parent, Error> {
        if let Some((known, parent)) = &self.parent
            && known == path
        {
            return Ok(*parent);
        }
        let way = self.way(path, true)?;
        let tree = &mut self.upper.tree;
        let mut node = Tree::ROOT;
        for (name, there) in &way.steps {
            node = there.unwrap_or_else(|| tree.attach_implied(node, name));
        }
        let parent = Parent { node, moved: way.moved };
        self.parent = Some((path.clone(), parent));
        Ok(parent)
    }

    /// Where a directory of this name lies for the lower layers: symlinks of this layer are followed, what it
    /// does not have is taken by its name. Makes nothing.
    fn seen_from_below(&self, path: &RootPath) -> Result<RootPath, Error> {
        let names: Vec<Box<[u8]>> = self.way(path, false)?.steps.into_iter().map(|(name, _)| name).collect();
        Ok(RootPath::clamped(&names.join(&b'/')))
    }

    /// Follows the symlinks of this layer. If only `directories` will do, anything else on the way is an error.
    fn way(&self, path: &RootPath, directories: bool) -> Result<Way, Error> {
        let tree = &self.upper.tree;
        let mut way = Way { steps: Vec::new(), moved: false };
        let mut ahead: Vec<Box<[u8]>> = path.components().rev().map(Into::into).collect();
        let mut left = self.hops;
        while let Some(name) = ahead.pop() {
            if *name == *b".." {
                way.steps.pop();
                continue;
            }
            let directory = way.steps.last().map_or(Some(Tree::ROOT), |(_, there)| *there);
            let child = directory.and_then(|directory| tree.child(directory, &name));
            match child.map(|child| &tree.inode_of(child).kind) {
                Some(InodeKind::Symlink(target)) => {
                    left = left.checked_sub(1).ok_or_else(too_many_symlinks)?;
                    way.moved = true;
                    if target.first() == Some(&b'/') {
                        way.steps.clear();
                    }
                    ahead.extend(link_components(target).rev().map(Into::into));
                }
                Some(kind) if directories && *kind != InodeKind::Directory => {
                    return Err(Error::malformed("the layer has an entry below a path that is no directory in it"));
                }
                _ => way.steps.push((name, child)),
            }
        }
        Ok(way)
    }
}

/// The names that AUFS gave, each with its directory.
fn aufs_names(tree: &Tree) -> Vec<(NodeId, Box<[u8]>)> {
    let mut names = Vec::new();
    let mut open = vec![Tree::ROOT];
    while let Some(directory) = open.pop() {
        for (name, &node) in tree.children(directory) {
            if name.starts_with(AUFS) {
                names.push((directory, name.clone()));
            } else {
                open.push(node);
            }
        }
    }
    names
}

/// Removes directories that only an entry implied which is gone.
fn remove_ghosts(tree: &mut Tree) {
    let mut implied = Vec::new();
    tree.walk(&mut |path, node| {
        if tree.is_directory(node) && tree.node(node).origin.is_none() {
            implied.push(path.clone());
        }
        Descend::Yes
    });
    // The walk lists a directory before what is in it.
    for (parent, name) in implied.iter().rev().filter_map(RootPath::split_last) {
        if let Some(directory) = tree.lookup(&parent)
            && let Some(node) = tree.child(directory, name)
            && tree.children(node).next().is_none()
        {
            tree.remove(directory, name, &mut Tally::default());
        }
    }
}

fn too_many_symlinks() -> Error {
    // In a circle there are always more.
    Error::limit("too many symlinks on the way to the entry's directory").hint("raise it with --limit symlinks=N")
}

/// Whether a hard link's header says something else than its inode (M65). Many writers leave the attributes out
/// of a link's header, so only attributes that are there count.
pub(super) fn differs(link: &Meta, inode: &Meta) -> bool {
    (link.mode, link.uid, link.gid, link.mtime) != (inode.mode, inode.uid, inode.gid, inode.mtime)
        || !link.records.is_empty() && link.records != inode.records
}
