//! The order in which the single layer is written.
//!
//! In: a tree. Out: one step a name, parents first, the name that carries an inode's data before its links (M70).
//! Where the tree allows it the order is that of the source layers: reading stays sequential, and long runs can
//! be copied as they are (performance.md, "how", 1).

use super::entry::{LayerId, Time};
use super::path::RootPath;
use super::tree::{Descend, InodeId, InodeKind, NodeId, Tree};
use std::collections::HashMap;
use std::ops::Range;

/// The steps that write a layer, in order.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// One step a name.
    pub items: Vec<Item>,
}

/// How one name is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The name; for a whiteout the one that is gone.
    pub path: RootPath,
    /// What is written for it.
    pub step: Step,
}

/// What is written for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The entry's own tar bytes, headers and padding included.
    Copy {
        /// The layer they lie in.
        layer: LayerId,
        /// Where they lie in its uncompressed tar.
        range: Range<u64>,
        /// The inode that they define or link to.
        inode: InodeId,
    },
    /// Headers made from the inode's metadata, then its content.
    Encode {
        /// The inode.
        inode: InodeId,
    },
    /// A hard link to a name that was written before.
    Link {
        /// That name.
        target: RootPath,
        /// The inode of both.
        inode: InodeId,
    },
    /// A mark that this path of the layers below is gone, with all below it. Only [`Plan::above`] makes it.
    Whiteout,
}

struct Candidate {
    path: RootPath,
    node: NodeId,
    rank: (u32, u32),
}

impl Plan {
    /// Plans a layer. `position` is where a layer stands in the image, 0 for the lowest; no time is later than
    /// `clamp`.
    pub fn new(tree: &Tree, position: impl Fn(LayerId) -> u32, clamp: Option<i64>) -> Self {
        Self::of(tree, position, clamp, |_| true)
    }

    /// Plans a layer of those names that `is_written` tells: with a name all directories above it, and all names of
    /// an inode or none.
    pub(super) fn of(
        tree: &Tree,
        position: impl Fn(LayerId) -> u32,
        clamp: Option<i64>,
        is_written: impl Fn(NodeId) -> bool,
    ) -> Self {
        let mut candidates = Vec::new();
        tree.walk(&mut |path, node| {
            if !is_written(node) {
                return Descend::No;
            }
            candidates.push(Candidate { path: path.clone(), node, rank: (0, 0) });
            Descend::Yes
        });
        rank(tree, &mut candidates, &position);
        let carriers = carriers(tree, &candidates);
        // A directory comes no later than what is in it, a carrier no later than its links: the walk lists
        // parents first, so a stable sort on lowered ranks keeps them in front.
        candidates.sort_by_key(|candidate| candidate.rank);
        let mut links = Vec::new();
        let mut written = vec![false; tree.inode_bound()];
        let mut plan = Self { items: Vec::with_capacity(candidates.len()) };
        for candidate in candidates {
            let inode = tree.node(candidate.node).inode;
            let carrier = carriers.get(&inode);
            match carrier {
                Some(carrier) if *carrier != candidate.path => {
                    if written.get(inode.index()) == Some(&true) {
                        plan.items.push(link(tree, candidate, carrier, clamp));
                    } else {
                        links.push((candidate, carrier));
                    }
                }
                _ => {
                    if let Some(written) = written.get_mut(inode.index()) {
                        *written = true;
                    }
                    plan.push_carrier(tree, candidate, clamp);
                }
            }
        }
        plan.items.extend(links.into_iter().map(|(candidate, carrier)| link(tree, candidate, carrier, clamp)));
        plan
    }

    fn push_carrier(&mut self, tree: &Tree, Candidate { path, node, .. }: Candidate, clamp: Option<i64>) {
        let number = tree.node(node).inode;
        let origin = tree.node(node).origin.as_ref();
        if origin.is_none() && path.is_root() {
            return; // M84: a root entry only if some layer had one
        }
        // M26: such a directory must not be an entry of its own, it would read as a whiteout.
        if path.split_last().is_some_and(|(_, name)| name.starts_with(b".wh.")) {
            return;
        }
        let step = match origin {
            Some(origin)
                if origin.link.is_none()
                    && !tree.inode(number).is_rewritten()
                    && !is_later(tree.inode(number).meta.mtime, clamp) =>
            {
                match origin.verbatim {
                    Some(span) => Step::Copy { layer: origin.layer, range: span.range(), inode: number },
                    None => Step::Encode { inode: number },
                }
            }
            _ => Step::Encode { inode: number },
        };
        self.items.push(Item { path, step });
    }
}

fn link(tree: &Tree, Candidate { path, node, .. }: Candidate, carrier: &RootPath, clamp: Option<i64>) -> Item {
    let inode = tree.node(node).inode;
    let origin = tree.node(node).origin.as_ref();
    let step = match origin {
        Some(origin) if origin.link.as_deref() == Some(carrier) && !is_later(tree.inode(inode).meta.mtime, clamp) => {
            origin.verbatim.map(|span| Step::Copy { layer: origin.layer, range: span.range(), inode })
        }
        _ => None,
    };
    Item { path, step: step.unwrap_or_else(|| Step::Link { target: carrier.clone(), inode }) }
}

fn is_later(time: Time, clamp: Option<i64>) -> bool {
    clamp.is_some_and(|clamp| time > Time { seconds: clamp, nanos: 0 })
}

/// Gives each name the place of its entry; a directory that of its first descendant if that is earlier.
fn rank(tree: &Tree, candidates: &mut [Candidate], position: &impl Fn(LayerId) -> u32) {
    // Directories still open on the way back from the last candidate to the first: their lowest rank so far.
    let mut lowest: HashMap<RootPath, (u32, u32)> = HashMap::new();
    for candidate in candidates.iter_mut().rev() {
        let own = tree.node(candidate.node).origin.as_ref().map(|origin| (position(origin.layer), origin.index.get()));
        let below = lowest.remove(&candidate.path);
        candidate.rank = own.into_iter().chain(below).min().unwrap_or((u32::MAX, u32::MAX));
        if let Some((parent, _)) = candidate.path.split_last() {
            let parent = lowest.entry(parent).or_insert(candidate.rank);
            *parent = candidate.rank.min(*parent);
        }
    }
}

/// For each inode with several names, the one that carries the data: the name whose entry defined the inode if
/// it is still there, else the first one (M69). Few inodes have several, so this is no table over all of them.
fn carriers(tree: &Tree, candidates: &[Candidate]) -> HashMap<InodeId, RootPath> {
    let mut found: HashMap<InodeId, (bool, (u32, u32), &RootPath)> = HashMap::new();
    for candidate in candidates {
        let node = tree.node(candidate.node);
        let inode = tree.inode(node.inode);
        if inode.kind == InodeKind::Directory || inode.names() < 2 {
            continue;
        }
        let defines = node.origin.as_ref().is_some_and(|origin| origin.link.is_none());
        let this = (!defines, candidate.rank, &candidate.path);
        let best = found.entry(node.inode).or_insert(this);
        if (this.0, this.1) < (best.0, best.1) {
            *best = this;
        }
    }
    found.into_iter().map(|(inode, (.., path))| (inode, path.clone())).collect()
}
