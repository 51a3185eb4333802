//! `--only-needed`: what the image's command needs, what the user keeps, and nothing else (rules.md 4).
//!
//! In: a tree that the rules are done with. Out: the tree without the rest, and what the package database has to say of what stays.

use super::layers::Layers;
use super::survey::{Survey, programs};
use crate::error::{Error, escape};
use crate::needs::{self, Asked, Closure, Reach};
use crate::options::Options;
use crate::packages::{Packages, Write};
use crate::report::Needed;
use crate::rootfs::{NodeId, Tally, Tree};
use crate::warning::Warnings;

/// What keep mode did.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) dropped: Tally,
    pub(super) writes: Vec<Write>,
    pub(super) needed: Needed,
    pub(super) warnings: Warnings,
}

/// Takes away all that is not needed.
pub(super) fn only_needed(
    tree: &mut Tree,
    survey: &Survey,
    packages: Option<&Packages>,
    layers: &Layers,
    options: &Options,
) -> Result<Kept, Error> {
    let Decided { closure, stays, writes } = decide(tree, survey, packages, layers, options)?;
    let needed = Needed {
        languages: closure
            .languages()
            .iter()
            .map(|runtime| format!("{} at {}", escape(runtime.name.as_bytes()), runtime.path))
            .collect(),
    };
    let warnings = closure.warnings().clone();
    drop(closure);
    Ok(Kept { dropped: stays.apply(tree), writes, needed, warnings })
}

/// What stays, and why.
pub(super) struct Decided {
    pub(super) closure: Closure,
    pub(super) stays: Stays,
    /// What the package database says then.
    writes: Vec<Write>,
}

/// Decides what is needed.
pub(super) fn decide(
    tree: &Tree,
    survey: &Survey,
    packages: Option<&Packages>,
    layers: &Layers,
    options: &Options,
) -> Result<Decided, Error> {
    let closure = closure(tree, survey, layers, options)?;
    let mut stays = Stays { marked: vec![false; tree.node_bound()] };
    stays.mark(tree, [Tree::ROOT]);
    stays.mark(tree, closure.files().map(|(_, node)| node));
    let mut writes = Vec::new();
    if let Some(packages) = packages {
        let owning = packages.owning(tree, &|node| stays.has(node));
        stays.mark(tree, packages.legal(tree, layers, &owning)?.into_iter().map(|(_, node)| node));
        writes = packages.reduced(tree, layers, &|node| stays.has(node))?.write;
        stays.mark(tree, writes.iter().filter_map(|write| tree.lookup(&write.path)));
    }
    Ok(Decided { closure, stays, writes })
}

/// What the image's command needs, and what the user keeps.
fn closure(tree: &Tree, survey: &Survey, layers: &Layers, options: &Options) -> Result<Closure, Error> {
    let hops = options.limits.symlinks;
    let asked = Asked { programs: programs(options), nodes: options.rules.kept_by_user(tree, hops) };
    let needs = survey.needs(tree, layers, options)?;
    needs::closure(&needs, layers, &survey.start, &asked, Reach::Everything)
}

/// By [`NodeId::index`]: whether a name stays.
pub(super) struct Stays {
    marked: Vec<bool>,
}

impl Stays {
    pub(super) fn has(&self, node: NodeId) -> bool {
        self.marked.get(node.index()) == Some(&true)
    }

    /// Marks names and the directories above them.
    fn mark(&mut self, tree: &Tree, nodes: impl IntoIterator<Item = NodeId>) {
        nodes.into_iter().for_each(|node| tree.mark(node, &mut self.marked));
    }

    /// Takes every other name away.
    fn apply(&self, tree: &mut Tree) -> Tally {
        let mut goes: Vec<(NodeId, Box<[u8]>)> = Vec::new();
        let mut open: Vec<NodeId> = vec![Tree::ROOT];
        while let Some(directory) = open.pop() {
            for (name, &node) in tree.children(directory) {
                if !self.has(node) {
                    goes.push((directory, name.clone()));
                } else if tree.is_directory(node) {
                    open.push(node);
                }
            }
        }
        let mut tally = Tally::default();
        for (directory, name) in goes {
            tree.remove(directory, &name, &mut tally);
        }
        tally
    }
}
