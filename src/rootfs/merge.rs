//! The union of layers: first all removals of a layer, then all its additions, oldest layer first (merge.md, "the
//! model").
//!
//! In: [`Upper`] trees, lowest first. Out: the root filesystem that a container of the image shows, a ledger
//! of what went and why, and warnings where engines differ.

use super::entry::Meta;
use super::ledger::Ledger;
use super::origin::Origin;
use super::path::RootPath;
use super::tree::{InodeId, InodeKind, NodeId, Tree};
use super::upper::{Upper, differs};
use crate::error::Error;
use crate::options::SymlinkParents;
use crate::warning::{WarningKind, Warnings};
use std::collections::{BTreeMap, VecDeque};

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

/// What a directory of the upper layer meets.
enum Meets {
    /// A directory.
    Directory(NodeId),
    /// Nothing, or nothing any more.
    Nothing,
    /// A symlink to follow.
    Symlink,
}

/// The lower directory in which a whiteout or an opaque mark counts.
enum Marked {
    /// This one.
    Directory(NodeId),
    /// None, and the layer has none of this path either.
    Nowhere,
    /// None: the layer puts a new directory there.
    Replaced,
}

/// A directory whose entries are still to be added.
struct Open {
    /// It, in the upper layer.
    above: NodeId,
    /// Where its entries go.
    below: NodeId,
    /// The path of `below`.
    path: RootPath,
    /// Whether a lower symlink led there, so that entries have other paths than their headers say.
    moved: bool,
}

impl Merge {
    /// Nothing yet. A symlink chain longer than `hops` leads nowhere.
    pub fn new(symlink_parents: SymlinkParents, hops: u64) -> Self {
        Self { merged: Merged::default(), symlink_parents, hops, layers: 0 }
    }

    /// Lays a layer over what is there.
    pub fn add(&mut self, upper: &Upper) -> Result<(), Error> {
        if self.layers == 0 {
            return self.begin(upper.clone());
        }
        self.merged.ledger += upper.ledger;
        self.merged.warnings.merge(&upper.warnings);
        // A link's target counts before the whiteouts of its layer (M54, M55).
        let links = self.resolve_links(upper)?;
        self.removals(upper)?;
        self.layers = self.layers.saturating_add(1);
        self.additions(upper, &links)?;
        let Merged { tree, ledger, .. } = &mut self.merged;
        for inode in links.into_values() {
            tree.release(inode, &mut ledger.whited_out);
        }
        Ok(())
    }

    /// Begins with the lowest layer: there is nothing below, so its tree is the result so far, and not copied.
    pub fn begin(&mut self, lowest: Upper) -> Result<(), Error> {
        if self.layers > 0 {
            return self.add(&lowest);
        }
        self.resolve_links(&lowest)?; // to lower layers: there are none, and any is an error
        self.layers = 1;
        let Upper { tree, whiteouts, opaques, ledger, warnings } = lowest;
        self.merged = Merged { tree, ledger, warnings };
        for path in whiteouts.iter().chain(&opaques) {
            self.merged.warnings.add(WarningKind::BaseWhiteout, path);
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
            let kind = if is_hidden(upper, target) { WarningKind::LinkToWhiteout } else { WarningKind::LowerLink };
            self.merged.warnings.add(kind, &path);
            if links.insert(inode, below).is_none() {
                tree.hold(below);
            }
        }
        Ok(links)
    }

    fn removals(&mut self, upper: &Upper) -> Result<(), Error> {
        for path in &upper.whiteouts {
            let Some((parent, name)) = path.split_last() else { continue };
            if let Marked::Directory(directory) = self.marked_directory(upper, &parent, path)? {
                let Merged { tree, ledger, .. } = &mut self.merged;
                tree.remove(directory, name, &mut ledger.whited_out);
            }
        }
        for path in &upper.opaques {
            if let Marked::Directory(directory) = self.marked_directory(upper, path, path)? {
                let Merged { tree, ledger, .. } = &mut self.merged;
                let names: Vec<Box<[u8]>> = tree.children(directory).map(|(name, _)| name.clone()).collect();
                for name in names {
                    tree.remove(directory, &name, &mut ledger.whited_out);
                }
            }
        }
        Ok(())
    }

    fn marked_directory(&mut self, upper: &Upper, path: &RootPath, mark: &RootPath) -> Result<Marked, Error> {
        let marked = self.find_marked(upper, path, mark)?;
        if matches!(marked, Marked::Nowhere) {
            if upper.tree.lookup(path).is_some() {
                return Ok(Marked::Replaced);
            }
            self.merged.warnings.add(WarningKind::WhiteoutParent, mark);
        }
        Ok(marked)
    }

    /// Where the way to a mark leads through something that is no directory, overlay engines put a directory there
    /// (M43, M44), unless the layer itself puts something there anyway.
    fn find_marked(&mut self, upper: &Upper, path: &RootPath, mark: &RootPath) -> Result<Marked, Error> {
        let (mut directory, mut here) = (Tree::ROOT, RootPath::root());
        let mut above = Some(Tree::ROOT);
        for name in path.components() {
            above = above.and_then(|above| upper.tree.child(above, name));
            let tree = &mut self.merged.tree;
            let Some(child) = tree.child(directory, name) else { return Ok(Marked::Nowhere) };
            here = here.join(name);
            if tree.is_directory(child) {
                directory = child;
                continue;
            }
            let implied = |node| upper.tree.is_directory(node) && upper.tree.node(node).origin.is_none();
            if above.is_some_and(|node| !implied(node)) {
                return Ok(Marked::Replaced);
            }
            let is_symlink = matches!(tree.inode_of(child).kind, InodeKind::Symlink(_));
            match self.symlink_parents {
                SymlinkParents::Follow if is_symlink => match tree.resolve(&here, true, self.hops) {
                    Some((path, node)) if tree.is_directory(node) => (here, directory) = (path, node),
                    _ => return Ok(Marked::Nowhere),
                },
                _ if above.is_some() => return Ok(Marked::Replaced),
                SymlinkParents::Error if is_symlink => return Err(below_symlink(mark)),
                _ => {
                    tree.remove(directory, name, &mut self.merged.ledger.replaced);
                    tree.attach_implied(directory, name);
                    let kind = if is_symlink { WarningKind::SymlinkWhiteout } else { WarningKind::FileParent };
                    self.merged.warnings.add(kind, mark);
                    return Ok(Marked::Replaced);
                }
            }
        }
        Ok(Marked::Directory(directory))
    }

    fn additions(&mut self, upper: &Upper, links: &BTreeMap<InodeId, InodeId>) -> Result<(), Error> {
        // Names of one inode of the layer are names of one inode of the result.
        let mut inodes: BTreeMap<InodeId, InodeId> = links.clone();
        self.redefine(upper, Tree::ROOT, Tree::ROOT, false);
        let mut open = vec![Open { above: Tree::ROOT, below: Tree::ROOT, path: RootPath::root(), moved: false }];
        // Symlinks are followed when the rest of the layer stands: they may lead to what it replaces.
        let mut symlinks = VecDeque::new();
        loop {
            while let Some(directory) = open.pop() {
                for (name, &node) in upper.tree.children(directory.above) {
                    if !upper.tree.is_directory(node) {
                        self.attach_inode(upper, node, &directory, name, &mut inodes);
                        continue;
                    }
                    let path = directory.path.join(name);
                    let (below, moved) = match self.meet(upper, node, directory.below, name, &path)? {
                        Meets::Symlink => {
                            symlinks.push_back((node, path));
                            continue;
                        }
                        Meets::Directory(there) => {
                            self.redefine(upper, node, there, directory.moved);
                            (there, directory.moved)
                        }
                        Meets::Nothing => (self.attach_directory(upper, node, &directory, name), directory.moved),
                    };
                    open.push(Open { above: node, below, path, moved });
                }
            }
            let Some((above, path)) = symlinks.pop_front() else { break };
            open.push(self.follow(above, path)?);
        }
        let Merged { tree, ledger, .. } = &mut self.merged;
        for (number, inode) in inodes {
            if !links.contains_key(&number) {
                tree.release(inode, &mut ledger.replaced);
            }
        }
        Ok(())
    }

    /// The directory that a lower symlink leads to, or one in its place where it leads to none (M39, M40, M42).
    fn follow(&mut self, above: NodeId, path: RootPath) -> Result<Open, Error> {
        let Merged { tree, ledger, warnings } = &mut self.merged;
        if let Some((path, below)) = tree.resolve(&path, true, self.hops).filter(|(_, node)| tree.is_directory(*node)) {
            return Ok(Open { above, below, path, moved: true });
        }
        let parent = path.split_last().and_then(|(parent, name)| Some((tree.lookup(&parent)?, name)));
        let Some((directory, name)) = parent.filter(|(directory, _)| tree.is_directory(*directory)) else {
            let what = "the layer has an entry below a path that it also replaces";
            return Err(Error::malformed(what).at_entry(path.as_bytes()));
        };
        warnings.add(WarningKind::SymlinkParent, &path);
        tree.remove(directory, name, &mut ledger.replaced);
        let below = tree.attach_implied(directory, name);
        Ok(Open { above, below, path, moved: true })
    }

    fn attach_inode(
        &mut self,
        upper: &Upper,
        node: NodeId,
        directory: &Open,
        name: &[u8],
        inodes: &mut BTreeMap<InodeId, InodeId>,
    ) {
        let Merged { tree, ledger, .. } = &mut self.merged;
        let number = upper.tree.node(node).inode;
        let above = upper.tree.inode(number);
        let inode = *inodes.entry(number).or_insert_with(|| {
            let inode = tree.add_inode(above.kind.clone(), above.meta.clone());
            // Until all names are there: behind a followed symlink one may take the place of another.
            tree.hold(inode);
            inode
        });
        tree.hold(inode);
        tree.remove(directory.below, name, &mut ledger.replaced);
        let mut origin = origin(upper, node, directory.moved);
        if let Some(origin) = &mut origin
            && above.meta != tree.inode(inode).meta
        {
            origin.verbatim = None; // a link to a lower layer, whose header says something else
        }
        tree.attach(directory.below, name, inode, origin);
        tree.release(inode, &mut ledger.replaced);
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
                SymlinkParents::Follow if is_symlink => return Ok(Meets::Symlink),
                _ if is_symlink => warnings.add(WarningKind::SymlinkParent, path),
                _ => warnings.add(WarningKind::FileParent, path),
            }
        }
        tree.remove(below, name, &mut ledger.replaced);
        Ok(Meets::Nothing)
    }

    /// A directory entry over a directory gives it its metadata; one that is only implied changes nothing (M83).
    fn redefine(&mut self, upper: &Upper, node: NodeId, below: NodeId, moved: bool) {
        let Merged { tree, ledger, .. } = &mut self.merged;
        if let origin @ Some(_) = origin(upper, node, moved) {
            let meta = upper.tree.inode_of(node).meta.clone();
            tree.redefine(below, meta, origin, &mut ledger.replaced);
        }
    }

    fn attach_directory(&mut self, upper: &Upper, node: NodeId, parent: &Open, name: &[u8]) -> NodeId {
        let tree = &mut self.merged.tree;
        match origin(upper, node, parent.moved) {
            None => tree.attach_implied(parent.below, name),
            origin => {
                let meta: Meta = upper.tree.inode_of(node).meta.clone();
                let inode = tree.add_inode(InodeKind::Directory, meta);
                tree.attach(parent.below, name, inode, origin)
            }
        }
    }
}

/// The entry that gave a name. What was moved cannot be copied as it is: its header has the old path.
fn origin(upper: &Upper, node: NodeId, moved: bool) -> Option<Origin> {
    let mut origin = upper.tree.node(node).origin.clone()?;
    if moved {
        origin.verbatim = None;
    }
    Some(origin)
}

/// Whether a layer removes what it links to, directly or with a directory above it.
fn is_hidden(upper: &Upper, target: &RootPath) -> bool {
    let mut path = Some(target.clone());
    let above = std::iter::from_fn(|| {
        let here = path.take()?;
        path = here.split_last().map(|(parent, _)| parent);
        Some(here)
    });
    upper.whiteouts.contains(target)
        || above.skip(1).any(|path| upper.whiteouts.contains(&path) || upper.opaques.contains(&path))
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
