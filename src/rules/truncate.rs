//! Files whose content goes and whose name stays: an empty `machine-id` is made anew, a missing one is not.
//!
//! In: the verdicts of the walk. Out: the files among what stays. One more walk, and only where a rule asks for it.

use super::drops::{Removal, RuleId};
use super::judge::Judge;
use super::matcher::PathBuffer;
use super::walk::Verdicts;
use crate::rootfs::{InodeKind, NodeId, RootPath, Tree};
use std::collections::btree_map;

struct Open<'t> {
    node: NodeId,
    children: btree_map::Iter<'t, Box<[u8]>, NodeId>,
    back: usize,
}

/// The files that lose their content. A base's are left: a copy of a name in a layer above frees nothing.
pub(super) fn truncated(judge: &Judge<'_>, verdicts: &Verdicts) -> Vec<Removal> {
    let mut found = Vec::new();
    if judge.rules.truncate.is_empty() {
        return found;
    }
    let mut path = PathBuffer::root();
    let mut open = vec![Open { node: Tree::ROOT, children: judge.tree.children(Tree::ROOT), back: path.len() }];
    while let Some(directory) = open.last_mut() {
        let Some((name, &node)) = directory.children.next() else {
            path.truncate(directory.back);
            open.pop();
            continue;
        };
        if verdicts.rule(node).is_some() {
            continue;
        }
        let (parent, back) = (directory.node, path.len());
        path.push(name);
        if judge.tree.is_directory(node) {
            open.push(Open { node, children: judge.tree.children(node), back });
            continue;
        }
        let has_content = matches!(&judge.tree.inode_of(node).kind, InodeKind::File(content) if content.size > 0);
        if has_content
            && !judge.is_base(node)
            && let Some(rule) = judge.truncating(&path)
        {
            found.push(Removal { parent, path: RootPath::clamped(path.path()), rule: RuleId(rule) });
        }
        path.truncate(back);
    }
    found
}
