//! What globs say of the names of a tree, remembered: a decision is made in rounds, and in each of them globs say the same.
//!
//! In: states, as they are found. Out: the same, by name. Four bytes a name: names that share the state of their directory share one here.

use super::judge::State;
use crate::rootfs::{NodeId, Tree};

/// The states that are known.
#[derive(Debug)]
pub(super) struct States {
    all: Vec<State>,
    /// By [`NodeId::index`]: a position in `all`, plus one; 0 where nothing is known.
    of: Vec<u32>,
}

impl States {
    /// Knows the root's.
    pub(super) fn new(tree: &Tree) -> Self {
        let mut states = Self { all: Vec::new(), of: vec![0; tree.node_bound()] };
        states.note(Tree::ROOT, &State::default(), (Tree::ROOT, &State::default()));
        states
    }

    /// The state of a name.
    pub(super) fn of(&self, node: NodeId) -> Option<&State> {
        let position = self.of.get(node.index())?.checked_sub(1)?;
        self.all.get(usize::try_from(position).ok()?)
    }

    /// Remembers the state of a name; beside it the directory that it stands in.
    pub(super) fn note(&mut self, node: NodeId, state: &State, (directory, above): (NodeId, &State)) {
        let inherited = self.of.get(directory.index()).copied().filter(|known| *known > 0 && state.is_same(above));
        let position = inherited.or_else(|| {
            self.all.push(state.clone());
            u32::try_from(self.all.len()).ok()
        });
        if let (Some(known), Some(position)) = (self.of.get_mut(node.index()), position) {
            *known = position;
        }
    }
}
