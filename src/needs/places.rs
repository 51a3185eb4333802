//! Every name of a tree with the directory that it stands in: paths on demand, and what goes with a directory. In: a tree. Out: tables by
//! [`NodeId::index`].

use crate::rootfs::{NodeId, RootPath, Tree};

/// The names that are there.
#[derive(Debug)]
pub(super) struct Places<'a> {
    /// A directory before what is in it, in the order of the bytes.
    pub(super) order: Vec<NodeId>,
    above: Vec<(NodeId, &'a [u8])>,
}

impl<'a> Places<'a> {
    /// Walks the tree once.
    pub(super) fn of(tree: &'a Tree) -> Self {
        let mut places = Self { order: vec![Tree::ROOT], above: vec![(Tree::ROOT, b"".as_slice()); tree.node_bound()] };
        let mut open = vec![(Tree::ROOT, tree.children(Tree::ROOT))];
        while let Some((directory, children)) = open.last_mut() {
            let Some((name, &node)) = children.next() else {
                open.pop();
                continue;
            };
            places.order.push(node);
            if let Some(above) = places.above.get_mut(node.index()) {
                *above = (*directory, name);
            }
            if tree.is_directory(node) {
                open.push((node, tree.children(node)));
            }
        }
        places
    }

    /// A name without its directory.
    pub(super) fn name(&self, node: NodeId) -> &'a [u8] {
        self.above.get(node.index()).map_or(b"", |(_, name)| name)
    }

    /// The path of a name.
    pub(super) fn path(&self, node: NodeId) -> RootPath {
        let mut names = Vec::new();
        let mut at = node;
        while at != Tree::ROOT
            && let Some(&(above, name)) = self.above.get(at.index())
        {
            names.push(name);
            at = above;
        }
        names.reverse();
        RootPath::clamped(&names.join(&b'/'))
    }

    /// For each name whether it goes, or stands in a directory that does.
    pub(super) fn with_below(&self, gone: &dyn Fn(NodeId) -> bool) -> Vec<bool> {
        let mut all = vec![false; self.above.len()];
        for &node in &self.order {
            let above = self.above.get(node.index()).and_then(|(above, _)| all.get(above.index()));
            let goes = above == Some(&true) || gone(node);
            if let Some(entry) = all.get_mut(node.index()) {
                *entry = goes;
            }
        }
        all
    }
}
