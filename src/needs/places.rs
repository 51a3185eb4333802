//! Every name of a tree, in order, with what it is called: paths on demand, and what goes with a directory. In: a tree. Out: tables by
//! [`NodeId::index`].

use crate::rootfs::{NodeId, RootPath, Tree};

/// The names that are there.
#[derive(Debug)]
pub(super) struct Places<'a> {
    tree: &'a Tree,
    /// A directory before what is in it, in the order of the bytes.
    pub(super) order: Vec<NodeId>,
    names: Vec<&'a [u8]>,
}

impl<'a> Places<'a> {
    /// Walks the tree once.
    pub(super) fn of(tree: &'a Tree) -> Self {
        let mut places = Self { tree, order: vec![Tree::ROOT], names: vec![b"".as_slice(); tree.node_bound()] };
        let mut open = vec![tree.children(Tree::ROOT)];
        while let Some(children) = open.last_mut() {
            let Some((name, &node)) = children.next() else {
                open.pop();
                continue;
            };
            places.order.push(node);
            if let Some(known) = places.names.get_mut(node.index()) {
                *known = name;
            }
            if tree.is_directory(node) {
                open.push(tree.children(node));
            }
        }
        places
    }

    /// A name without its directory.
    pub(super) fn name(&self, node: NodeId) -> &'a [u8] {
        self.names.get(node.index()).copied().unwrap_or_default()
    }

    /// The path of a name.
    pub(super) fn path(&self, node: NodeId) -> RootPath {
        let mut names = Vec::new();
        let mut at = node;
        while at != Tree::ROOT {
            names.push(self.name(at));
            at = self.tree.parent(at);
        }
        names.reverse();
        RootPath::clamped(&names.join(&b'/'))
    }

    /// For each name whether it goes, or stands in a directory that does.
    pub(super) fn with_below(&self, gone: &dyn Fn(NodeId) -> bool) -> Vec<bool> {
        let mut all = vec![false; self.names.len()];
        for &node in &self.order {
            let goes = all.get(self.tree.parent(node).index()) == Some(&true) || gone(node);
            if let Some(entry) = all.get_mut(node.index()) {
                *entry = goes;
            }
        }
        all
    }
}
