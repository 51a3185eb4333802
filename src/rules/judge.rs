//! The verdict on one name: every rule that matches it, and everything that speaks for it.
//!
//! In: compiled rules, a tree, the facts of its image, claims. Out: the rule that takes a name, if one does. The tree is only read, and
//! each path is matched once (rules.md 7).

use super::build::{Compiled, USER};
use super::claims::Claims;
use super::drops::Kept;
use super::facts::Facts;
use super::file::LANG;
use super::floor;
use super::glob::Pattern;
use super::matcher::{Matcher, PathBuffer, Scratch};
use super::skeleton;
use super::states::States;
use crate::rootfs::{InodeId, InodeKind, NodeId, RootPath, Tree};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

/// Where programs stand that are many under one name.
const MULTI_CALL: &[&[u8]] =
    &[b"bin/busybox", b"usr/bin/busybox", b"bin/toybox", b"usr/bin/toybox", b"usr/bin/coreutils", b"bin/coreutils"];

/// What is known of a path from the directories above it.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// The rules whose drop matches it or a directory above it, in order.
    rules: Rc<[usize]>,
    /// A bit for each group that keeps it or a directory above it.
    kept: u64,
    /// Whether it stands in a directory of licences.
    licences: bool,
}

/// Everything a verdict needs.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    pub(super) rules: &'a Compiled,
    pub(super) tree: &'a Tree,
    pub(super) facts: &'a Facts,
    /// Names below this number are a kept base's.
    base: usize,
    pub(super) claims: Claims,
    pub(super) active: Vec<bool>,
    languages: Matcher,
    /// Names that the user keeps because a path of his leads through them.
    user_kept: HashSet<NodeId>,
    pub(super) protected: HashSet<NodeId>,
    directories: HashSet<NodeId>,
    /// Programs that are many under one name, and each of their applets a link.
    multi_call: HashSet<InodeId>,
    user_drops: bool,
    user_keeps: bool,
    scratch: RefCell<(Scratch, Vec<usize>)>,
    states: RefCell<States>,
}

/// A name and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) node: NodeId,
    pub(super) name: &'a [u8],
    pub(super) path: &'a PathBuffer,
    /// The directory that it stands in, and the one above that.
    pub(super) above: (NodeId, NodeId),
}

impl<'a> Judge<'a> {
    pub(super) fn new(rules: &'a Compiled, tree: &'a Tree, facts: &'a Facts, base: usize) -> Self {
        let user_kept = user_places(rules, tree, facts.hops);
        Self {
            active: vec![true; rules.rules.len()],
            languages: languages(rules, facts),
            user_drops: rules.rules.iter().any(|rule| rule.group == USER),
            user_keeps: !user_kept.is_empty() || rules.groups.get(USER).is_some_and(|group| !group.keep.is_empty()),
            user_kept,
            multi_call: MULTI_CALL
                .iter()
                .filter_map(|path| tree.resolve(&RootPath::clamped(path), true, facts.hops))
                .filter(|(_, node)| !tree.is_directory(*node))
                .map(|(_, node)| tree.node(node).inode)
                .collect(),
            protected: places(tree, facts.protected.iter().cloned(), facts.hops),
            directories: places(tree, facts.directories.iter().cloned(), facts.hops),
            rules,
            tree,
            facts,
            base,
            claims: Claims::default(),
            scratch: RefCell::default(),
            states: RefCell::new(States::new(tree)),
        }
    }

    /// Whether a name belongs to a base that is kept as it is.
    pub(super) fn is_base(&self, node: NodeId) -> bool {
        node.index() < self.base
    }

    pub(super) fn is_user(&self, rule: usize) -> bool {
        self.rules.rules.get(rule).is_some_and(|rule| rule.group == USER)
    }

    /// The rule that empties a file, if one does and nothing keeps it.
    pub(super) fn truncating(&self, path: &PathBuffer) -> Option<usize> {
        let mut scratch = self.scratch.borrow_mut();
        let (scratch, hits) = &mut *scratch;
        hits.clear();
        self.rules.keep.matches(path, false, scratch, hits);
        let kept = hits.iter().fold(0, |kept, &group| kept | bit(group));
        hits.clear();
        self.rules.truncate.matches(path, false, scratch, hits);
        let mut rules = hits.iter().copied();
        rules.find(|&rule| {
            let group = self.rules.rules.get(rule).map(|rule| rule.group);
            self.active.get(rule) == Some(&true) && group.is_some_and(|group| kept & (bit(group) | bit(USER)) == 0)
        })
    }

    /// Whether something needs a name, so that no preset takes it.
    pub(super) fn is_needed(&self, node: NodeId) -> bool {
        self.claims.needed.contains(&node)
    }

    /// Whether a rule takes regular files only.
    pub(super) fn files_only(&self, rule: usize) -> bool {
        self.rules.rules.get(rule).is_some_and(|rule| rule.flags.files_only)
    }

    /// Leaves out every rule of a preset that would take a path of the image's own, and what that rule needs.
    pub(super) fn protect(&mut self) -> Vec<Kept> {
        let mut kept = Vec::new();
        let mut seen = BTreeSet::new();
        for path in &self.facts.protected {
            for (place, _) in self.tree.follow(path, true, self.facts.hops, |_| true).places() {
                if !seen.insert(place.clone()) {
                    continue;
                }
                while let Some(rule) = self.along(place).and_then(|(_, rule)| rule) {
                    let refused = !self.is_user(rule);
                    let why =
                        if refused { "the image runs it" } else { "the image runs it, but --drop or --rules takes it" };
                    kept.push(Kept { path: place.to_string(), rule: self.rules.title(rule), refused, why: why.into() });
                    if !refused {
                        break;
                    }
                    self.refuse(rule, place, &mut kept);
                }
            }
        }
        kept
    }

    fn refuse(&mut self, rule: usize, place: &RootPath, kept: &mut Vec<Kept>) {
        let mut ahead = vec![rule];
        while let Some(rule) = ahead.pop() {
            let Some(active) = self.active.get_mut(rule).filter(|active| **active) else { continue };
            *active = false;
            let Some(known) = self.rules.rules.get(rule) else { continue };
            for &needed in known.needs.iter().rev() {
                if self.active.get(needed) == Some(&true) && !self.is_user(needed) {
                    let why = format!("{} needs it", known.name);
                    kept.push(Kept { path: place.to_string(), rule: self.rules.title(needed), refused: true, why });
                    ahead.push(needed);
                }
            }
        }
    }

    /// The state and the verdict of one path, found from the root; `None` where nothing stands.
    pub(super) fn along(&self, path: &RootPath) -> Option<(State, Option<usize>)> {
        let mut buffer = PathBuffer::root();
        let mut state = State::default();
        let mut verdict = None;
        let mut above = (Tree::ROOT, Tree::ROOT);
        for name in path.components() {
            let node = self.tree.child(above.0, name)?;
            buffer.push(name);
            let here = Here { node, name, path: &buffer, above };
            state = self.enter(&state, here, true);
            verdict = self.pick(&state, here);
            above = (node, above.0);
        }
        Some((state, verdict))
    }

    /// The state of a name from that of its directory. What keeps a file is only looked up where `keeps`, or where
    /// something would drop it.
    pub(super) fn enter(&self, above: &State, here: Here<'_>, keeps: bool) -> State {
        let directory = self.tree.is_directory(here.node);
        let mut scratch = self.scratch.borrow_mut();
        let (scratch, hits) = &mut *scratch;
        hits.clear();
        self.rules.drop.matches(here.path, directory, scratch, hits);
        hits.retain(|rule| self.active.get(*rule) == Some(&true) && !above.rules.contains(rule));
        let mut state = above.clone();
        if !hits.is_empty() {
            hits.extend_from_slice(&above.rules);
            hits.sort_unstable();
            hits.dedup();
            state.rules = hits.as_slice().into();
        }
        if keeps || directory || !state.rules.is_empty() {
            hits.clear();
            self.rules.keep.matches(here.path, directory, scratch, hits);
            self.languages.matches(here.path, directory, scratch, hits);
            state.kept = hits.iter().fold(state.kept, |kept, &group| kept | bit(group));
            if self.user_kept.contains(&here.node) {
                state.kept |= bit(USER);
            }
        }
        state.licences |= directory && floor::is_licence_directory(here.name);
        state
    }

    /// The state of a name from that of its directory, once the rules that apply are known: found by globs the first time only.
    pub(super) fn state(&self, above: &State, here: Here<'_>) -> State {
        let mut states = self.states.borrow_mut();
        if let Some(known) = states.of(here.node) {
            return known.clone();
        }
        let state = self.enter(above, here, false);
        states.note(here.node, &state, (here.above.0, above));
        state
    }

    /// The rule that takes a name: the first that may.
    pub(super) fn pick(&self, state: &State, here: Here<'_>) -> Option<usize> {
        let taken = self.claims.taken.get(&here.node).map(|rule| rule.0);
        if (state.rules.is_empty() && taken.is_none()) || state.kept & bit(USER) != 0 {
            return None;
        }
        let needed = self.claims.needed.contains(&here.node);
        let owned = self.claims.is_owned(here.node);
        let mut floor = None;
        let mut rules = state.rules.iter().copied();
        if let Some(rule) = taken.filter(|_| !needed) {
            return Some(rules.find(|&rule| self.is_user(rule)).unwrap_or(rule));
        }
        rules.find(|&rule| {
            let Some(known) = self.rules.rules.get(rule) else { return false };
            if known.group != USER && (needed || (owned && !known.packages.is_empty())) {
                return false;
            }
            state.kept & bit(known.group) == 0
                && (known.group == USER || !*floor.get_or_insert_with(|| self.is_floor(state.licences, here)))
                && self.applies(known.flags, here)
                && (known.group == USER || !self.is_applet(here))
        })
    }

    /// Whether no preset may take a name: it is a licence text.
    pub(super) fn is_floor(&self, in_licences: bool, here: Here<'_>) -> bool {
        if self.tree.is_directory(here.node) {
            return false;
        }
        (in_licences && !floor::is_code(here.name)) || floor::is_licence(here.name)
    }

    fn applies(&self, flags: super::file::Flags, here: Here<'_>) -> bool {
        let kind = &self.tree.inode_of(here.node).kind;
        if flags.files_only && !matches!(kind, InodeKind::File(_) | InodeKind::Lower(_)) {
            return false;
        }
        if flags.only_if_source && !self.has_source(here) {
            return false;
        }
        let spared = flags.keep_directory_links && matches!(kind, InodeKind::Symlink(_)) && {
            let end = self.tree.resolve(&RootPath::clamped(here.path.path()), true, self.facts.hops);
            end.is_some_and(|(_, node)| self.tree.is_directory(node))
        };
        !spared
    }

    /// Whether a name is a link, hard or symbolic, to a program that is many: Alpine's `strings` and `patch` are
    /// busybox, and to take the name frees nothing.
    fn is_applet(&self, here: Here<'_>) -> bool {
        let is = |node: NodeId| self.multi_call.contains(&self.tree.node(node).inode);
        !self.multi_call.is_empty()
            && match self.tree.inode_of(here.node).kind {
                InodeKind::Symlink(_) => self
                    .tree
                    .resolve(&RootPath::clamped(here.path.path()), true, self.facts.hops)
                    .is_some_and(|(_, node)| is(node)),
                _ => is(here.node),
            }
    }

    /// Whether bytecode has the source that it was made from (PEP 3147: `__pycache__/NAME.TAG[.opt-N].pyc`).
    fn has_source(&self, here: Here<'_>) -> bool {
        let stem = here.name.strip_suffix(b".pyc").or_else(|| here.name.strip_suffix(b".pyo"));
        let Some(stem) = stem.filter(|_| !self.tree.is_directory(here.node)) else { return false };
        let in_cache = here.path.path().rsplit(|&byte| byte == b'/').nth(1) == Some(b"__pycache__");
        let (directory, stem) = if in_cache {
            let mut rest = stem;
            if let Some(dot) = rest.iter().rposition(|&byte| byte == b'.')
                && rest.get(dot..).is_some_and(|tail| tail.starts_with(b".opt-"))
            {
                rest = rest.get(..dot).unwrap_or_default();
            }
            let Some(dot) = rest.iter().rposition(|&byte| byte == b'.') else { return false };
            (here.above.1, rest.get(..dot).unwrap_or_default())
        } else {
            (here.above.0, stem)
        };
        self.tree.child(directory, &[stem, b".py"].concat()).is_some()
    }

    /// Whether a preset leaves a directory although it is empty.
    pub(super) fn stays(&self, here: Here<'_>) -> bool {
        if self.directories.contains(&here.node) || skeleton::stays(here.path.path()) {
            return true;
        }
        let mut scratch = self.scratch.borrow_mut();
        let (scratch, hits) = &mut *scratch;
        hits.clear();
        self.rules.keep_dirs.matches(here.path, true, scratch, hits);
        !hits.is_empty()
    }

    /// Whether a directory that `rule` takes goes without another look at what is below, licences aside.
    pub(super) fn wholesale(&self, rule: usize, path: &PathBuffer) -> bool {
        let Some(known) = self.rules.rules.get(rule) else { return false };
        let group = self.rules.groups.get(known.group);
        let reach = |keep: &[Pattern]| keep.iter().any(|glob| path.spellings().any(|path| glob.reaches_below(path)));
        known.flags == super::file::Flags::default()
            && !self.user_keeps
            && self.claims.needed.is_empty()
            && (self.claims.owned.is_empty() || known.packages.is_empty())
            && (!self.user_drops || known.group == USER)
            && group
                .is_some_and(|group| !reach(&group.keep) && (group.keep_lang.is_empty() || self.languages.is_empty()))
    }
}

/// The names that the user's paths without wildcards lead through.
pub(super) fn user_places(rules: &Compiled, tree: &Tree, hops: u64) -> HashSet<NodeId> {
    let kept = rules.kept_paths.iter().map(|path| RootPath::clamped(path.as_bytes()));
    places(tree, kept.filter(|path| !path.is_root()), hops)
}

fn places(tree: &Tree, paths: impl Iterator<Item = RootPath>, hops: u64) -> HashSet<NodeId> {
    let ways = paths.map(|path| tree.follow(&path, true, hops, |_| true));
    ways.flat_map(|way| way.places().map(|(_, node)| *node).collect::<Vec<_>>()).collect()
}

fn bit(group: usize) -> u64 {
    u32::try_from(group).ok().and_then(|group| 1u64.checked_shl(group)).unwrap_or_default()
}

impl State {
    /// Whether it is that of the directory, as it was handed down.
    pub(super) fn is_same(&self, above: &Self) -> bool {
        Rc::ptr_eq(&self.rules, &above.rules) && (self.kept, self.licences) == (above.kept, above.licences)
    }

    /// Whether `group` or the user keeps it.
    pub(super) fn keeps_from(&self, group: usize) -> bool {
        self.kept & (bit(group) | bit(USER)) != 0
    }

    /// Whether anyone keeps it.
    pub(super) fn is_kept(&self) -> bool {
        self.kept != 0
    }

    /// Whether it stands in a directory of licences.
    pub(super) fn in_licences(&self) -> bool {
        self.licences
    }
}

/// What the groups keep because the image's environment names a language.
fn languages(rules: &Compiled, facts: &Facts) -> Matcher {
    let codes = facts.language_codes();
    let mut patterns = Vec::new();
    for (group, known) in rules.groups.iter().enumerate() {
        for glob in &known.keep_lang {
            patterns
                .extend(codes.iter().filter_map(|code| Some((Pattern::new(&glob.replace(LANG, code)).ok()?, group))));
        }
    }
    // A glob that was read with the word in it is no larger without: this compiles.
    Matcher::new(patterns.iter().map(|(glob, group)| (glob, *group))).unwrap_or_default()
}
