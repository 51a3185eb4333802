//! A root filesystem: a tree of names over a set of inodes. An inode may have several names.
//!
//! In: entries that the merge places. Out: lookups and walks. Every removal is tallied, so that each byte and
//! each entry of the input is accounted for. Nothing here recurses: a hostile tree may be ten thousand deep.

use super::content::Content;
use super::entry::{Device, EntryKind, Meta, Time};
use super::ledger::Tally;
use super::origin::Origin;
use super::path::RootPath;
use std::collections::{BTreeMap, btree_map};

/// A name in a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

/// An inode in a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InodeId(u32);

/// A name: which inode it stands for, which entry gave it, and what is below it.
#[derive(Debug, Clone)]
pub struct Node {
    /// The inode.
    pub inode: InodeId,
    /// The directory that it stands in, or stood in; the root's is the root.
    parent: NodeId,
    /// The entry that gave this name; `None` for a directory that is only implied by its children.
    pub origin: Option<Origin>,
    /// Bytes of its path.
    length: u32,
    /// Boxed, since most names are files and a million of them are kept.
    children: Option<Box<Children>>,
}

type Children = BTreeMap<Box<[u8]>, NodeId>;

static NO_CHILDREN: Children = BTreeMap::new();

/// What a name stands for.
#[derive(Debug, Clone)]
pub struct Inode {
    /// What it is.
    pub kind: InodeKind,
    /// Its metadata.
    pub meta: Meta,
    /// Bytes of the input that it still holds, where a decision changed or made it.
    held: Option<Box<u64>>,
    names: u32,
}

/// What an inode is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InodeKind {
    /// A regular file.
    File(Content),
    /// A directory.
    Directory,
    /// A symbolic link and its target.
    Symlink(Box<[u8]>),
    /// A character device.
    CharDevice(Device),
    /// A block device.
    BlockDevice(Device),
    /// A named pipe.
    Fifo,
    /// Only in a layer on its own: the inode that a lower layer has at this path (M50).
    Lower(RootPath),
}

impl InodeKind {
    /// The inode that an entry defines; `None` for a hard link, which defines none.
    pub fn of(kind: EntryKind) -> Option<Self> {
        Some(match kind {
            EntryKind::File(content) => Self::File(content),
            EntryKind::Directory => Self::Directory,
            EntryKind::Symlink(target) => Self::Symlink(target),
            EntryKind::CharDevice(device) => Self::CharDevice(device),
            EntryKind::BlockDevice(device) => Self::BlockDevice(device),
            EntryKind::Fifo => Self::Fifo,
            EntryKind::HardLink(_) => return None,
        })
    }

    /// The bytes of content that it stands for.
    pub fn size(&self) -> u64 {
        if let Self::File(content) = self { content.size } else { 0 }
    }
}

/// The mode of a directory that no layer has an entry for: 0755, root, 1970 (M82).
const IMPLIED_MODE: u16 = 0o755;

/// A root filesystem. Its root always exists.
#[derive(Debug, Clone)]
pub struct Tree {
    nodes: Vec<Node>,
    inodes: Vec<Inode>,
    path_bytes: u64,
}

impl Default for Tree {
    fn default() -> Self {
        let mut tree = Self { nodes: Vec::new(), inodes: Vec::new(), path_bytes: 0 };
        let inode = tree.add_inode(InodeKind::Directory, implied_meta());
        tree.add_node(inode, Self::ROOT, None, 0);
        tree
    }
}

fn implied_meta() -> Meta {
    Meta { mode: IMPLIED_MODE, ..Meta::default() }
}

// Ids are only made by `add_node` and `add_inode` and never taken back, and a tree holds at most the entries
// that `Limits::entries` allows, so an id that indexes nothing is a mistake of this file.
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
impl Tree {
    /// The root directory.
    pub const ROOT: NodeId = NodeId(0);

    /// The name with this id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// The inode with this id.
    pub fn inode(&self, id: InodeId) -> &Inode {
        &self.inodes[id.0 as usize]
    }

    fn inode_mut(&mut self, id: InodeId) -> &mut Inode {
        &mut self.inodes[id.0 as usize]
    }

    /// The number of inodes ever made: every [`InodeId::index`] is below it.
    pub fn inode_bound(&self) -> usize {
        self.inodes.len()
    }

    /// The number of names ever made: every [`NodeId::index`] is below it.
    pub fn node_bound(&self) -> usize {
        self.nodes.len()
    }

    /// All names ever made, those that are gone among them, by their [`NodeId::index`].
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        (0..self.nodes.len()).map(|index| NodeId(index as u32))
    }

    /// Bytes of the paths of all names ever made. A plan holds each path in full, and an entry of a few KiB can imply
    /// a directory for every second byte of its name.
    pub fn path_bytes(&self) -> u64 {
        self.path_bytes
    }

    /// Adds an inode without a name.
    pub(super) fn add_inode(&mut self, kind: InodeKind, meta: Meta) -> InodeId {
        self.inodes.push(Inode { kind, meta, held: None, names: 0 });
        InodeId((self.inodes.len() - 1) as u32)
    }

    fn add_node(&mut self, inode: InodeId, parent: NodeId, origin: Option<Origin>, length: u32) -> NodeId {
        self.inode_mut(inode).names += 1;
        self.path_bytes = self.path_bytes.saturating_add(length.into());
        self.nodes.push(Node { inode, parent, origin, length, children: None });
        NodeId((self.nodes.len() - 1) as u32)
    }

    /// Counts one more name of an inode before it has it, so that removing the others does not free its bytes.
    pub(super) fn hold(&mut self, inode: InodeId) {
        self.inode_mut(inode).names += 1;
    }

    /// Takes back what [`Tree::hold`] counted.
    pub(super) fn release(&mut self, inode: InodeId, tally: &mut Tally) {
        let inode = self.inode_mut(inode);
        inode.names -= 1;
        if inode.names == 0 {
            tally.bytes += inode.held();
        }
    }

    /// Puts a name where none is.
    pub(super) fn attach(&mut self, directory: NodeId, name: &[u8], inode: InodeId, origin: Option<Origin>) -> NodeId {
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
        let length = self.node(directory).length.saturating_add(1).saturating_add(length);
        let node = self.add_node(inode, directory, origin, length);
        let replaced = self.node_mut(directory).children.get_or_insert_default().insert(name.into(), node);
        debug_assert!(replaced.is_none(), "attach replaces nothing");
        node
    }

    /// Puts a directory that no entry names where nothing is.
    pub(super) fn attach_implied(&mut self, directory: NodeId, name: &[u8]) -> NodeId {
        let inode = self.add_inode(InodeKind::Directory, implied_meta());
        self.attach(directory, name, inode, None)
    }

    /// Gives a directory new metadata and the entry that says so; an entry that said so before is replaced.
    pub(super) fn redefine(&mut self, directory: NodeId, meta: Meta, origin: Option<Origin>, replaced: &mut Tally) {
        let inode = self.node(directory).inode;
        self.inode_mut(inode).meta = meta;
        if std::mem::replace(&mut self.node_mut(directory).origin, origin).is_some() {
            replaced.entries += 1;
        }
    }

    /// Removes a name and all below it; what is gone with it is tallied.
    pub fn remove(&mut self, directory: NodeId, name: &[u8], tally: &mut Tally) -> bool {
        let Some(node) = self.node_mut(directory).children.as_mut().and_then(|children| children.remove(name)) else {
            return false;
        };
        let mut doomed = vec![node];
        while let Some(id) = doomed.pop() {
            let node = self.node_mut(id);
            tally.entries += u64::from(node.origin.is_some());
            let inode = node.inode;
            doomed.extend(node.children.take().into_iter().flat_map(|children| children.into_values()));
            self.release(inode, tally);
        }
        true
    }

    /// The names in a directory, sorted by their bytes.
    pub fn children(&self, directory: NodeId) -> btree_map::Iter<'_, Box<[u8]>, NodeId> {
        self.node(directory).children.as_deref().unwrap_or(&NO_CHILDREN).iter()
    }

    /// The directory that a name stands in; the root stands in itself.
    pub fn parent(&self, node: NodeId) -> NodeId {
        self.node(node).parent
    }

    /// Marks a name and every directory above it in a table by [`NodeId::index`]. One that is marked has its directories marked already, so that
    /// marking any number of names costs no more than the table has places.
    pub fn mark(&self, node: NodeId, marked: &mut [bool]) {
        let mut at = node;
        while let Some(mark) = marked.get_mut(at.index()).filter(|mark| !**mark) {
            *mark = true;
            at = self.parent(at);
        }
    }

    /// What is called `name` in a directory.
    pub fn child(&self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        self.node(directory).children.as_ref()?.get(name).copied()
    }

    /// The inode that a name stands for.
    pub fn inode_of(&self, node: NodeId) -> &Inode {
        self.inode(self.node(node).inode)
    }

    /// Whether a name is a directory.
    pub fn is_directory(&self, node: NodeId) -> bool {
        self.inode_of(node).kind == InodeKind::Directory
    }

    /// What stands at a path; symlinks on the way are not followed.
    pub fn lookup(&self, path: &RootPath) -> Option<NodeId> {
        path.components().try_fold(Self::ROOT, |node, name| self.child(node, name))
    }

    /// Gives a file other content, or a symlink another target. Of what it holds of the input as much stays as the new content has
    /// bytes; how many went is returned.
    pub fn rewrite(&mut self, node: NodeId, kind: InodeKind) -> u64 {
        let inode = self.node(node).inode;
        let inode = self.inode_mut(inode);
        let before = inode.held();
        let after = before.min(kind.size());
        (inode.kind, inode.held) = (kind, Some(after.into()));
        before - after
    }

    /// Makes the time of an inode no later than `latest`.
    pub fn clamp(&mut self, inode: InodeId, latest: Time) {
        let meta = &mut self.inode_mut(inode).meta;
        meta.mtime = meta.mtime.min(latest);
    }

    /// Puts something at a path where nothing is, with the directories above that are missing; `None` where
    /// something is, or something above is no directory.
    pub fn insert(&mut self, path: &RootPath, kind: InodeKind, meta: Meta) -> Option<NodeId> {
        let (parent, name) = path.split_last()?;
        let mut directory = Self::ROOT;
        for name in parent.components() {
            directory = match self.child(directory, name) {
                Some(node) => node,
                None => self.attach_implied(directory, name),
            };
            if !self.is_directory(directory) {
                return None;
            }
        }
        if self.child(directory, name).is_some() {
            return None;
        }
        let inode = self.add_inode(kind, meta);
        self.inode_mut(inode).held = Some(0.into());
        Some(self.attach(directory, name, inode, None))
    }

    /// Calls `visit` for every name, the root first, a directory before what is in it, in the order of the bytes.
    pub fn walk(&self, visit: &mut impl FnMut(&RootPath, NodeId) -> Descend) {
        let mut open = Vec::new();
        if visit(&RootPath::root(), Self::ROOT) == Descend::Yes {
            open.push((RootPath::root(), self.children(Self::ROOT)));
        }
        while let Some((directory, children)) = open.last_mut() {
            let Some((name, &node)) = children.next() else {
                open.pop();
                continue;
            };
            let path = directory.join(name);
            if visit(&path, node) == Descend::Yes && self.node(node).children.is_some() {
                open.push((path, self.children(node)));
            }
        }
    }
}

/// Whether [`Tree::walk`] goes on below a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descend {
    /// Goes on.
    Yes,
    /// Leaves out what is below.
    No,
}

impl NodeId {
    /// A number below [`Tree::node_bound`], for tables over names.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl InodeId {
    /// A number below [`Tree::inode_bound`], for tables over inodes.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Inode {
    /// Bytes of the input that it holds: those of its content, unless a decision changed that.
    pub fn held(&self) -> u64 {
        self.held.as_deref().copied().unwrap_or_else(|| self.kind.size())
    }

    /// Whether a decision changed or made it, so that no layer's bytes are its own.
    pub fn is_rewritten(&self) -> bool {
        self.held.is_some()
    }

    /// How many names it has.
    pub fn names(&self) -> u32 {
        self.names
    }
}

#[cfg(test)]
mod tests;
