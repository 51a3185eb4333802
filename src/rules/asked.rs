//! The names that the user keeps himself: `--keep`, and `keep` in a rules file.
//!
//! In: compiled rules and a tree. Out: the names that a glob of his matches, those below a directory that one does, and those that a path
//! of his leads through. Keep mode starts from them, and their packages stay.

use super::build::{Rules, USER};
use super::judge::user_places;
use super::matcher::{PathBuffer, Scratch};
use crate::rootfs::{NodeId, RootPath, Tree};
use std::collections::btree_map;

struct Open<'t> {
    children: btree_map::Iter<'t, Box<[u8]>, NodeId>,
    back: usize,
    /// Whether the directory is kept, and so all below it.
    kept: bool,
}

impl Rules {
    /// The names that the user keeps, a directory before what is in it; at most `hops` symlinks of a path are followed.
    pub fn kept_by_user(&self, tree: &Tree, hops: u64) -> Vec<(RootPath, NodeId)> {
        let mut found = Vec::new();
        if self.0.groups.get(USER).is_none_or(|group| group.keep.is_empty()) {
            return found;
        }
        let places = user_places(&self.0, tree, hops);
        let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
        let mut path = PathBuffer::root();
        let mut open = vec![Open { children: tree.children(Tree::ROOT), back: path.len(), kept: false }];
        while let Some(directory) = open.last_mut() {
            let Some((name, &node)) = directory.children.next() else {
                path.truncate(directory.back);
                open.pop();
                continue;
            };
            let (mut kept, back) = (directory.kept, path.len());
            path.push(name);
            let is_directory = tree.is_directory(node);
            if !kept {
                hits.clear();
                self.0.keep.matches(&path, is_directory, &mut scratch, &mut hits);
                kept = hits.contains(&USER) || places.contains(&node);
            }
            if kept {
                found.push((RootPath::clamped(path.path()), node));
            }
            if is_directory {
                open.push(Open { children: tree.children(node), back, kept });
            } else {
                path.truncate(back);
            }
        }
        found
    }
}
