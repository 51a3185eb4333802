//! The union of layers: first all removals of a layer, then all its additions, oldest layer first (merge.md, "the
//! model").
//!
//! In: [`Upper`] trees, lowest first. Out: the root filesystem that a container of the image shows, a ledger
//! of what went and why, and warnings where engines differ.

use super::entry::Meta;
use super::ledger::Ledger;
use super::path::RootPath;
use super::tree::{InodeId, InodeKind, NodeId, Tree};
use super::upper::{Upper, differs};
use crate::error::Error;
use crate::options::SymlinkParents;
use crate::warning::{WarningKind, Warnings};
use std::collections::BTreeMap;

/// A merge under way.
#[derive(Debug)]
pub struct Merge {
    merged: Merged,
    symlink_parents: SymlinkParents,
    hops: u64,
    layers: u64,
}

/// What a merge yields.
#[derive(Debug, Clone, Default)]
pub struct Merged {
    /// The root filesystem.
    pub tree: Tree,
    /// Where the entries and bytes went.
    pub ledger: Ledger,
    /// Where engines differ, and more.
    pub warnings: Warnings,
}

/// What the entries of a directory of the upper layer meet.
enum Meets {
    /// A directory of the same name, or of the name that a symlink leads to.
    Directory(NodeId),
    /// Nothing.
    Nothing,
}

impl Merge {
    /// Nothing yet. A symlink chain longer than `hops` leads nowhere.
    pub fn new(symlink_parents: SymlinkParents, hops: u64) -> Self {
        Self { merged: Merged::default(), symlink_parents, hops, layers: 0 }
    }

    /// Lays a layer over what is there.
    pub fn add(&mut self, upper: &Upper) -> Result<(), Error> {
        self.merged.ledger += upper.ledger;
        self.merged.warnings.merge(&upper.warnings);
        if self.layers == 0 {
            for path in upper.whiteouts.iter().chain(&upper.opaques) {
                self.merged.warnings.add(WarningKind::BaseWhiteout, path);
            }
        }
        self.layers = self.layers.saturating_add(1);
        // A link's target counts before the whiteouts of its layer (M54, M55).
        let links = self.resolve_links(upper)?;
        for path in &upper.whiteouts {
            self.white_out(upper, path)?;
        }
        for path in &upper.opaques {
            self.make_opaque(upper, path)?;
        }
        self.additions(upper, &links)?;
        let Merged { tree, ledger, .. } = &mut self.merged;
        for inode in links.into_values() {
            tree.release(inode, &mut ledger.whited_out);
        }
        Ok(())
    }

    /// The root filesystem of the layers so far. A name that stays keeps its number, and every later one gets a
    /// higher one: a copy of this tree tells what layers to come add and take away.
    pub fn tree(&self) -> &Tree {
        &self.merged.tree
    }

    /// The root filesystem of all layers so far.
    pub fn finish(self) -> Merged {
        self.merged
    }

    /// Finds the inodes below that hard links of this layer name, and holds on to them.
    fn resolve_links(&mut self, upper: &Upper) -> Result<BTreeMap<InodeId, InodeId>, Error> {
        let mut links = BTreeMap::new();
        for (path, inode, target) in lower_links(&upper.tree) {
            let missing = || {
                let what = format!("the hard link's target {target} does not exist");
                Error::malformed(what).at_entry(path.as_bytes())
            };
            let (parent, name) = target.split_last().ok_or_else(missing)?;
            let tree = &mut self.merged.tree;
            let node = tree
                .resolve(&parent, true, self.hops)
                .and_then(|(_, directory)| tree.child(directory, name))
                .ok_or_else(missing)?;
            if tree.is_directory(node) {
                let what = format!("a hard link to the directory {target}");
                return Err(Error::malformed(what).at_entry(path.as_bytes()));
            }
            let below = tree.node(node).inode;
            if differs(&upper.tree.inode(inode).meta, &tree.inode(below).meta) {
                self.merged.warnings.add(WarningKind::LinkMetadata, &path);
            }
            let hidden = upper.whiteouts.contains(target);
            let kind = if hidden { WarningKind::LinkToWhiteout } else { WarningKind::LowerLink };
            self.merged.warnings.add(kind, &path);
            if links.insert(inode, below).is_none() {
                tree.hold(below);
            }
        }
        Ok(links)
    }

    fn white_out(&mut self, upper: &Upper, path: &RootPath) -> Result<(), Error> {
        let Some((parent, name)) = path.split_last() else { return Ok(()) };
        match self.marked_directory(upper, &parent, path)? {
            Some(directory) => {
                let Merged { tree, ledger, .. } = &mut self.merged;
                tree.remove(directory, name, &mut ledger.whited_out);
            }
            None => self.merged.warnings.add(WarningKind::WhiteoutParent, path),
        }
        Ok(())
    }

    fn make_opaque(&mut self, upper: &Upper, path: &RootPath) -> Result<(), Error> {
        let Some(directory) = self.marked_directory(upper, path, path)? else {
            if upper.tree.lookup(path).is_none() {
                self.merged.warnings.add(WarningKind::WhiteoutParent, path);
            }
            return Ok(());
        };
        let Merged { tree, ledger, .. } = &mut self.merged;
        let names: Vec<Box<[u8]>> = tree.children(directory).map(|(name, _)| name.clone()).collect();
        for name in names {
            tree.remove(directory, &name, &mut ledger.whited_out);
        }
        Ok(())
    }

    /// The lower directory that a mark stands in. Where the way leads through something that is no directory,
    /// overlay engines put a directory there (M43, M44), unless the layer itself puts something there anyway.
    fn marked_directory(&mut self, upper: &Upper, path: &RootPath, mark: &RootPath) -> Result<Option<NodeId>, Error> {
        let mut directory = Tree::ROOT;
        let mut above = Some(Tree::ROOT);
        for name in path.components() {
            above = above.and_then(|above| upper.tree.child(above, name));
            let tree = &mut self.merged.tree;
            let Some(child) = tree.child(directory, name) else { return Ok(None) };
            if tree.is_directory(child) {
                directory = child;
                continue;
            }
            if above.is_some() {
                return Ok(None);
            }
            let is_symlink = matches!(tree.inode_of(child).kind, InodeKind::Symlink(_));
            match self.symlink_parents {
                SymlinkParents::Error if is_symlink => return Err(below_symlink(mark)),
                SymlinkParents::Follow if is_symlink => {
                    let led = tree.resolve(path, true, self.hops);
                    return Ok(led.map(|(_, node)| node).filter(|&node| tree.is_directory(node)));
                }
                _ => {
                    tree.remove(directory, name, &mut self.merged.ledger.replaced);
                    tree.attach_implied(directory, name);
                    let kind = if is_symlink { WarningKind::SymlinkWhiteout } else { WarningKind::FileParent };
                    self.merged.warnings.add(kind, mark);
                    return Ok(None);
                }
            }
        }
        Ok(Some(directory))
    }

    fn additions(&mut self, upper: &Upper, links: &BTreeMap<InodeId, InodeId>) -> Result<(), Error> {
        // Names of one inode of the layer are names of one inode of the result.
        let mut inodes: BTreeMap<InodeId, InodeId> = links.clone();
        self.redefine(upper, Tree::ROOT, Tree::ROOT);
        let mut open = vec![(Tree::ROOT, Tree::ROOT, RootPath::root())];
        while let Some((above, below, path)) = open.pop() {
            for (name, &node) in upper.tree.children(above) {
                if upper.tree.is_directory(node) {
                    let path = path.join(name);
                    let directory = match self.meet(upper, node, below, name, &path)? {
                        Meets::Directory(directory) => {
                            self.redefine(upper, node, directory);
                            directory
                        }
                        Meets::Nothing => self.attach_directory(upper, node, below, name),
                    };
                    open.push((node, directory, path));
                    continue;
                }
                let Merged { tree, ledger, .. } = &mut self.merged;
                let number = upper.tree.node(node).inode;
                let inode = *inodes.entry(number).or_insert_with(|| {
                    let inode = upper.tree.inode(number);
                    tree.add_inode(inode.kind.clone(), inode.meta.clone())
                });
                tree.hold(inode);
                tree.remove(below, name, &mut ledger.replaced);
                let mut origin = upper.tree.node(node).origin.clone();
                if links.contains_key(&number)
                    && upper.tree.inode(number).meta != tree.inode(inode).meta
                    && let Some(origin) = &mut origin
                {
                    origin.verbatim = None;
                }
                tree.attach(below, name, inode, origin);
                tree.release(inode, &mut ledger.replaced);
            }
        }
        Ok(())
    }

    /// What a directory of the layer meets; what cannot stay is removed.
    fn meet(
        &mut self,
        upper: &Upper,
        node: NodeId,
        below: NodeId,
        name: &[u8],
        path: &RootPath,
    ) -> Result<Meets, Error> {
        let Merged { tree, ledger, warnings } = &mut self.merged;
        let Some(there) = tree.child(below, name) else { return Ok(Meets::Nothing) };
        if tree.is_directory(there) {
            return Ok(Meets::Directory(there));
        }
        if upper.tree.node(node).origin.is_none() {
            let is_symlink = matches!(tree.inode_of(there).kind, InodeKind::Symlink(_));
            match self.symlink_parents {
                SymlinkParents::Error if is_symlink => return Err(below_symlink(path)),
                SymlinkParents::Follow if is_symlink => {
                    let led = tree.resolve(path, true, self.hops).map(|(_, node)| node);
                    if let Some(directory) = led.filter(|&led| tree.is_directory(led)) {
                        return Ok(Meets::Directory(directory));
                    }
                    warnings.add(WarningKind::SymlinkParent, path);
                }
                _ if is_symlink => warnings.add(WarningKind::SymlinkParent, path),
                _ => warnings.add(WarningKind::FileParent, path),
            }
        }
        tree.remove(below, name, &mut ledger.replaced);
        Ok(Meets::Nothing)
    }

    /// A directory entry over a directory gives it its metadata; one that is only implied changes nothing (M83).
    fn redefine(&mut self, upper: &Upper, node: NodeId, below: NodeId) {
        let Merged { tree, ledger, .. } = &mut self.merged;
        if let origin @ Some(_) = upper.tree.node(node).origin.clone() {
            let meta = upper.tree.inode_of(node).meta.clone();
            tree.redefine(below, meta, origin, &mut ledger.replaced);
        }
    }

    fn attach_directory(&mut self, upper: &Upper, node: NodeId, below: NodeId, name: &[u8]) -> NodeId {
        let tree = &mut self.merged.tree;
        match upper.tree.node(node).origin.clone() {
            None => tree.attach_implied(below, name),
            origin => {
                let meta: Meta = upper.tree.inode_of(node).meta.clone();
                let inode = tree.add_inode(InodeKind::Directory, meta);
                tree.attach(below, name, inode, origin)
            }
        }
    }
}

fn below_symlink(path: &RootPath) -> Error {
    Error::malformed("the entry lies below a lower layer's symlink, where engines differ")
        .hint("choose with --symlink-parents=overlay or follow")
        .at_entry(path.as_bytes())
}

/// The names in a layer that are hard links to lower layers: path, inode, target.
fn lower_links(tree: &Tree) -> Vec<(RootPath, InodeId, &RootPath)> {
    let mut links = Vec::new();
    let mut open = vec![(RootPath::root(), Tree::ROOT)];
    while let Some((path, directory)) = open.pop() {
        for (name, &node) in tree.children(directory) {
            let inode = tree.node(node).inode;
            match &tree.inode(inode).kind {
                InodeKind::Directory => open.push((path.join(name), node)),
                InodeKind::Lower(target) => links.push((path.join(name), inode, target)),
                _ => {}
            }
        }
    }
    links
}
