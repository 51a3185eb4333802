//! The plan of one layer on top of layers that stay as they are (`--keep-base`).
//!
//! In: the tree of the base, as [`Merge::tree`](super::Merge::tree) showed it when the base was merged and nothing else,
//! and the tree of all layers. Out: the names that the base lacks or has otherwise, and whiteouts for what is gone;
//! laid over the base they give exactly the tree. Never an opaque mark: engines differ on those (M11, M18).

use super::entry::LayerId;
use super::path::RootPath;
use super::plan::{Item, Plan, Step};
use super::tree::{NodeId, Tree};

/// What the layer has to hold.
struct Above<'a> {
    base: &'a Tree,
    tree: &'a Tree,
    /// By [`NodeId::index`]: whether a name is written; if so, all directories above it are.
    written: Vec<bool>,
}

impl Plan {
    /// Plans the layer that makes `tree` of `base`: parents first, whiteouts last. `position` and `clamp` are as for
    /// [`Plan::new`]; names that only the base has keep their times.
    pub fn above(base: &Tree, tree: &Tree, position: impl Fn(LayerId) -> u32, clamp: Option<i64>) -> Self {
        let mut above = Above { base, tree, written: vec![false; tree.node_bound()] };
        above.additions();
        let gone = above.removals();
        let is_written = |node: NodeId| above.written.get(node.index()) == Some(&true);
        let mut plan = Self::of(tree, position, clamp, is_written);
        plan.items.extend(gone.into_iter().map(|path| Item { path, step: Step::Whiteout }));
        plan
    }
}

impl Above<'_> {
    /// Marks what the base lacks or has otherwise.
    fn additions(&mut self) {
        // A new name of an old file: overlayfs would copy the file up and part it from its other names.
        let mut moved = vec![false; self.tree.inode_bound()];
        let mut names = Vec::new();
        let mut open = vec![Tree::ROOT];
        while let Some(directory) = open.pop() {
            for (_, &node) in self.tree.children(directory) {
                if self.tree.is_directory(node) {
                    open.push(node);
                } else {
                    names.push(node);
                    if self.is_new(node)
                        && let Some(moved) = moved.get_mut(self.tree.node(node).inode.index())
                    {
                        *moved = true;
                    }
                }
            }
            if self.is_new(directory) || self.is_redefined(directory) {
                names.push(directory);
            }
        }
        for node in names {
            let is_moved = moved.get(self.tree.node(node).inode.index()) == Some(&true);
            if is_moved || self.tree.is_directory(node) {
                self.write(node);
            }
        }
    }

    fn is_new(&self, node: NodeId) -> bool {
        node.index() >= self.base.node_bound()
    }

    /// Whether a later layer gave a directory of the base new metadata.
    fn is_redefined(&self, directory: NodeId) -> bool {
        let (before, after) = (self.base.node(directory), self.tree.node(directory));
        before.origin != after.origin || self.base.inode_of(directory).meta != self.tree.inode_of(directory).meta
    }

    /// Marks a name and every directory above it: Docker makes a directory that a layer does not list anew, 0755 and
    /// root's, and that one hides the lower one's metadata.
    fn write(&mut self, node: NodeId) {
        self.tree.mark(node, &mut self.written);
    }

    /// The names of the base that are gone while their directory is still one, sorted; marks the directories.
    fn removals(&mut self) -> Vec<RootPath> {
        let mut gone = Vec::new();
        let mut open = vec![(RootPath::root(), Tree::ROOT, Tree::ROOT)];
        while let Some((path, below, directory)) = open.pop() {
            for (name, &before) in self.base.children(below) {
                match self.tree.child(directory, name) {
                    None => {
                        gone.push(path.join(name));
                        self.write(directory);
                    }
                    Some(after) if self.base.is_directory(before) && self.tree.is_directory(after) => {
                        open.push((path.join(name), before, after));
                    }
                    // What stands there now hides the old one by itself.
                    Some(_) => {}
                }
            }
        }
        gone.sort();
        gone
    }
}

#[cfg(test)]
mod tests;
