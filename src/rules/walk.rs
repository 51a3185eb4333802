//! The walk: a verdict for every name of a tree, a directory's after those of what it holds.
//!
//! In: a [`Judge`]. Out: [`Verdicts`]. One path buffer, one stack of open directories, no recursion.

use super::drops::{Removal, RuleId};
use super::judge::{Here, Judge, State};
use super::matcher::PathBuffer;
use crate::rootfs::{InodeKind, NodeId, RootPath, Tree};
use std::collections::btree_map;

/// What becomes of a directory when it has nothing more in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnEmpty {
    /// It stays.
    Stays,
    /// It goes with the rule that took the last of it.
    Follows,
    /// It goes with this rule, which matched it.
    Goes(usize),
}

/// A verdict for each name.
#[derive(Debug)]
pub(super) struct Verdicts {
    /// By [`NodeId::index`]: the rule that takes it.
    gone: Vec<Option<u32>>,
    /// By [`NodeId::index`]: how many names of a directory stay.
    live: Vec<u32>,
    on_empty: Vec<OnEmpty>,
    /// The symlinks that no rule took by its globs.
    pub(super) links: Vec<(RootPath, NodeId)>,
}

struct Open<'t> {
    node: NodeId,
    above: NodeId,
    name: &'t [u8],
    children: btree_map::Iter<'t, Box<[u8]>, NodeId>,
    /// The length of the path of the directory above.
    back: usize,
    state: State,
    own: Option<usize>,
    /// The rule that takes everything below, so that nothing need be matched.
    whole: Option<usize>,
    licences: bool,
    live: u32,
    /// The rule that last took something out of it.
    emptied_by: Option<usize>,
}

/// Judges every name.
pub(super) fn walk(judge: &Judge<'_>) -> Verdicts {
    let tree = judge.tree;
    let mut verdicts = Verdicts::new(tree);
    let mut path = PathBuffer::root();
    let mut open = vec![Open {
        node: Tree::ROOT,
        above: Tree::ROOT,
        name: b"",
        children: tree.children(Tree::ROOT),
        back: path.len(),
        state: State::default(),
        own: None,
        whole: None,
        licences: false,
        live: 0,
        emptied_by: None,
    }];
    while let Some(directory) = open.last_mut() {
        let Some((name, &node)) = directory.children.next() else {
            close(judge, &mut verdicts, &mut open, &mut path);
            continue;
        };
        let back = path.len();
        path.push(name);
        let here = Here { node, name, path: &path, above: (directory.node, directory.above) };
        let (state, own) = match directory.whole {
            Some(rule) => {
                let spared = !judge.is_user(rule) && judge.is_floor(directory.licences, here);
                (State::default(), (!spared).then_some(rule))
            }
            None => {
                let state = judge.state(&directory.state, here);
                let own = judge.pick(&state, here);
                (state, own)
            }
        };
        let in_base = judge.is_base(node);
        if tree.is_directory(node) {
            let whole = directory.whole.or_else(|| own.filter(|&rule| judge.wholesale(rule, &path)));
            let licences = directory.licences || state.in_licences() || super::floor::is_licence_directory(name);
            let children = tree.children(node);
            let above = directory.node;
            open.push(Open {
                node,
                above,
                name,
                children,
                back,
                state,
                own,
                whole,
                licences,
                live: 0,
                emptied_by: None,
            });
            continue;
        }
        match own.filter(|_| !in_base) {
            Some(rule) => verdicts.take(node, rule, &mut directory.emptied_by),
            None => {
                directory.live = directory.live.saturating_add(1);
                if !in_base && matches!(tree.inode_of(node).kind, InodeKind::Symlink(_)) {
                    verdicts.links.push((RootPath::clamped(path.path()), node));
                }
            }
        }
        path.truncate(back);
    }
    verdicts
}

/// Judges a directory when all that it holds is judged.
fn close(judge: &Judge<'_>, verdicts: &mut Verdicts, open: &mut Vec<Open<'_>>, path: &mut PathBuffer) {
    let Some(done) = open.pop() else { return };
    let Some(parent) = open.last_mut() else { return };
    let here = Here { node: done.node, name: done.name, path, above: (done.above, parent.above) };
    let held = judge.tree.children(done.node).len();
    let on_empty = match done.own {
        _ if judge.is_base(done.node) => OnEmpty::Stays,
        Some(rule) if judge.is_user(rule) || !judge.stays(here) => OnEmpty::Goes(rule),
        Some(_) => OnEmpty::Stays,
        None if held == 0 || done.state.is_kept() || judge.stays(here) => OnEmpty::Stays,
        None => OnEmpty::Follows,
    };
    verdicts.note(done.node, done.live, on_empty);
    let rule = if done.live == 0 { verdicts.when_empty(judge, done.node, done.emptied_by) } else { None };
    match rule {
        Some(rule) => verdicts.take(done.node, rule, &mut parent.emptied_by),
        None => parent.live = parent.live.saturating_add(1),
    }
    path.truncate(done.back);
}

impl Verdicts {
    fn new(tree: &Tree) -> Self {
        let names = tree.node_bound();
        Self { gone: vec![None; names], live: vec![0; names], on_empty: vec![OnEmpty::Stays; names], links: Vec::new() }
    }

    fn take(&mut self, node: NodeId, rule: usize, emptied_by: &mut Option<usize>) {
        if let Some(gone) = self.gone.get_mut(node.index()) {
            *gone = u32::try_from(rule).ok();
        }
        *emptied_by = Some(rule);
    }

    fn note(&mut self, node: NodeId, live: u32, on_empty: OnEmpty) {
        if let Some(known) = self.live.get_mut(node.index()) {
            *known = live;
        }
        if let Some(known) = self.on_empty.get_mut(node.index()) {
            *known = on_empty;
        }
    }

    /// The rule that takes a directory which got empty, if one does.
    fn when_empty(&self, judge: &Judge<'_>, node: NodeId, emptied_by: Option<usize>) -> Option<usize> {
        match self.on_empty.get(node.index())? {
            OnEmpty::Stays => None,
            OnEmpty::Goes(rule) => Some(*rule),
            // A rule for files leaves directories: nginx wants its log directory (docker-nginx#87).
            OnEmpty::Follows => emptied_by.filter(|&rule| !judge.files_only(rule)),
        }
    }

    /// The rule that takes a name.
    pub(super) fn rule(&self, node: NodeId) -> Option<usize> {
        self.gone.get(node.index()).copied().flatten().and_then(|rule| usize::try_from(rule).ok())
    }

    /// Takes one more name, and every directory above that this leaves empty; `taken` hears of each.
    pub(super) fn take_late(&mut self, judge: &Judge<'_>, node: NodeId, rule: usize, taken: &mut Vec<NodeId>) {
        let mut next = Some((node, rule));
        while let Some((node, rule)) = next {
            if self.rule(node).is_some() {
                return;
            }
            self.take(node, rule, &mut None);
            taken.push(node);
            let directory = judge.tree.parent(node);
            let Some(live) = self.live.get_mut(directory.index()) else { return };
            *live = live.saturating_sub(1);
            next = if *live == 0 && directory != Tree::ROOT {
                self.when_empty(judge, directory, Some(rule)).map(|rule| (directory, rule))
            } else {
                None
            };
        }
    }

    /// By [`NodeId::index`]: the rule that takes it.
    pub(super) fn into_gone(self) -> Vec<Option<u32>> {
        self.gone
    }

    /// The names to remove, what is below a directory before it, leaving out what goes with its directory by the same
    /// rule.
    pub(super) fn removals(&self, tree: &Tree) -> Vec<Removal> {
        // Only the directories on the way to something that goes are looked at.
        let mut way = vec![false; tree.node_bound()];
        for (node, _) in tree.nodes().zip(&self.gone).filter(|(_, gone)| gone.is_some()) {
            tree.mark(tree.parent(node), &mut way);
        }
        let mut removals = Vec::new();
        let mut open = vec![(RootPath::root(), Tree::ROOT, tree.children(Tree::ROOT))];
        while let Some((path, directory, children)) = open.last_mut() {
            let Some((name, &node)) = children.next() else {
                let Some((path, node, _)) = open.pop() else { break };
                if let (Some((_, parent, _)), Some(rule)) = (open.last(), self.rule(node))
                    && self.rule(*parent) != Some(rule)
                {
                    removals.push(Removal { parent: *parent, path, rule: RuleId(rule) });
                }
                continue;
            };
            let (parent, rule) = (*directory, self.rule(node));
            let holds = way.get(node.index()) == Some(&true);
            if !holds && (rule.is_none() || rule == self.rule(parent)) {
                continue;
            }
            let path = path.join(name);
            if holds {
                open.push((path, node, tree.children(node)));
            } else if let Some(rule) = rule {
                removals.push(Removal { parent, path, rule: RuleId(rule) });
            }
        }
        removals
    }
}
