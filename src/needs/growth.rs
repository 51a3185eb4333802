//! A closure while it grows: its members, why each is one, and which of them are still to be looked at.
//!
//! In: paths and trees to keep. Out: members, in the order in which they were found, each with the earlier one that asked for it. Nothing
//! here decides what is needed.

use super::except::{Except, PACKAGES};
use super::hierarchy::{self, Wish};
use super::need::NeedKind;
use super::needs::Needs;
use super::start::{Reach, Runtime, Start};
use crate::error::Error;
use crate::rootfs::{Files, InodeKind, NodeId, RootPath, Tree, Way, read_whole};
use crate::warning::Warnings;
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// How a member is used, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grip {
    /// It is only there: a part of a run-time system, data. Of an ELF file, its libraries are needed.
    Part,
    /// A part of the application: its scripts may be run.
    Own,
    /// Something runs or reads it by name: all that it needs is needed.
    Run,
}

/// A file that stays, and why.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) path: RootPath,
    pub(super) node: NodeId,
    /// The member that asked for it; always an earlier one.
    pub(super) from: Option<usize>,
    pub(super) kind: NeedKind,
    pub(super) wanted: Arc<[u8]>,
    pub(super) grip: Grip,
}

/// Why something is kept.
#[derive(Debug, Clone)]
pub(super) struct Cause {
    pub(super) from: Option<usize>,
    pub(super) kind: NeedKind,
    pub(super) wanted: Arc<[u8]>,
    pub(super) grip: Grip,
}

impl Cause {
    pub(super) fn new(from: Option<usize>, kind: NeedKind, wanted: &[u8], grip: Grip) -> Self {
        Self { from, kind, wanted: wanted.into(), grip }
    }

    /// A rule of this ring, whose name stands for what is wanted.
    pub(super) fn rule(from: Option<usize>, kind: NeedKind, rule: &str) -> Self {
        Self::new(from, kind, rule.as_bytes(), Grip::Part)
    }

    pub(super) fn gripped(&self, grip: Grip) -> Self {
        Self { grip, ..self.clone() }
    }
}

/// The closure so far.
pub(super) struct Growth<'a> {
    pub(super) needs: &'a Needs<'a>,
    pub(super) files: &'a dyn Files,
    pub(super) start: &'a Start,
    pub(super) reach: Reach,
    pub(super) members: Vec<Member>,
    pub(super) index: HashMap<NodeId, usize>,
    /// The symlinks through which a file was reached.
    pub(super) links: HashMap<NodeId, Vec<RootPath>>,
    /// Members to look at; one may stand here twice.
    pub(super) queue: VecDeque<usize>,
    /// Scripts of the application that nothing names.
    pub(super) unnamed: Vec<usize>,
    /// Files that scripts read as a part of themselves: alone they lack the variables of those.
    pub(super) sourced: HashSet<NodeId>,
    /// Paths and patterns that scripts name, which were looked up.
    pub(super) mentioned: HashSet<Vec<u8>>,
    /// Files that a shell is given to read, and whether each was looked at.
    pub(super) shell_files: HashMap<NodeId, bool>,
    /// Rules that ran, by name and place.
    ran: BTreeSet<(&'static str, RootPath)>,
    /// Directories that were walked, by the table that was applied.
    walked: HashSet<(NodeId, &'static str, bool)>,
    pub(super) runtimes: BTreeSet<Runtime>,
    pub(super) warnings: Warnings,
    /// Bytes of values that scripts may still make.
    pub(super) values: u64,
    /// Bytes of shell text that may still be read.
    pub(super) texts: u64,
    /// Tokens of shell text that may still be read.
    pub(super) tokens: u64,
    /// Names that patterns may still be compared with.
    names: Cell<u64>,
    /// Whether a pattern was not compared, because too many were.
    pub(super) cut: Cell<bool>,
}

impl<'a> Growth<'a> {
    pub(super) fn new(needs: &'a Needs<'a>, files: &'a dyn Files, start: &'a Start, reach: Reach) -> Self {
        Self {
            needs,
            files,
            start,
            reach,
            members: Vec::new(),
            index: HashMap::new(),
            links: HashMap::new(),
            queue: VecDeque::new(),
            unnamed: Vec::new(),
            sourced: HashSet::new(),
            mentioned: HashSet::new(),
            shell_files: HashMap::new(),
            ran: BTreeSet::new(),
            walked: HashSet::new(),
            runtimes: BTreeSet::new(),
            warnings: Warnings::default(),
            values: VALUES,
            texts: super::scripts::TEXTS,
            tokens: super::scripts::TOKENS,
            cut: Cell::new(false),
            names: Cell::new(NAMES),
        }
    }

    pub(super) fn tree(&self) -> &'a Tree {
        self.needs.tree()
    }

    pub(super) fn everything(&self) -> bool {
        self.reach == Reach::Everything
    }

    /// Whether a rule is asked to run at a place for the first time.
    pub(super) fn is_first(&mut self, rule: &'static str, place: &RootPath) -> bool {
        self.ran.insert((rule, place.clone()))
    }

    /// Where a path leads.
    pub(super) fn follow(&self, path: &RootPath) -> Way {
        self.tree().follow(path, true, self.needs.hops(), |_| true)
    }

    /// What stands at a path, symlinks followed.
    pub(super) fn at(&self, path: &RootPath) -> Option<(RootPath, NodeId)> {
        self.follow(path).end
    }

    /// Whether a path leads to a directory.
    pub(super) fn directory_at(&self, path: &RootPath) -> Option<(RootPath, NodeId)> {
        self.at(path).filter(|(_, node)| self.tree().is_directory(*node))
    }

    /// Makes a name a member. One that is a member already may get a stronger grip; why it is there stays as it was.
    pub(super) fn add(&mut self, path: &RootPath, node: NodeId, cause: &Cause) -> usize {
        if let Some(&index) = self.index.get(&node) {
            if let Some(member) = self.members.get_mut(index).filter(|member| member.grip < cause.grip) {
                member.grip = cause.grip;
                self.queue.push_back(index);
            }
            return index;
        }
        let index = self.members.len();
        self.members.push(Member {
            path: path.clone(),
            node,
            from: cause.from,
            kind: cause.kind,
            wanted: cause.wanted.clone(),
            grip: cause.grip,
        });
        self.index.insert(node, index);
        self.queue.push_back(index);
        index
    }

    /// Keeps every place of a way; whether it leads anywhere.
    pub(super) fn add_way(&mut self, way: &Way, cause: &Cause) -> bool {
        let Some((_, end)) = &way.end else { return false };
        let links = self.links.entry(*end).or_default();
        let new = way
            .links
            .iter()
            .map(|(path, _)| path)
            .filter(|path| !links.contains(path))
            .take(LINKS.saturating_sub(links.len()));
        let new: Vec<RootPath> = new.cloned().collect();
        links.extend(new);
        for (path, node) in way.places().filter(|(path, _)| !path.is_root()) {
            self.add(path, *node, cause);
        }
        true
    }

    /// Keeps what stands at a path and the symlinks on the way; of a directory, only itself.
    pub(super) fn keep(&mut self, path: &RootPath, cause: &Cause) -> bool {
        self.add_way(&self.follow(path), cause)
    }

    /// Likewise for `paths` as a table spells them, of whose names `*` stands for any; a trailing slash means the whole tree.
    pub(super) fn keep_all(&mut self, patterns: &[&str], cause: &Cause) {
        for pattern in patterns {
            self.keep_below(&RootPath::root(), pattern, cause);
        }
    }

    /// Likewise, for one pattern below a directory.
    pub(super) fn keep_below(&mut self, root: &RootPath, pattern: &str, cause: &Cause) {
        let whole = [root.as_bytes(), pattern.as_bytes()].join(&b'/');
        for path in self.expand(&whole) {
            if pattern.ends_with('/') {
                self.keep_tree(&path, &super::except::NOTHING, cause);
            } else {
                self.keep(&path, cause);
            }
        }
    }

    /// Keeps what stands at a path, and of a directory all that is in it but what the table leaves out. Symlinks in it are followed.
    pub(super) fn keep_tree(&mut self, path: &RootPath, except: &'static Except, cause: &Cause) -> bool {
        let way = self.follow(path);
        let Some((path, node)) = way.end.clone() else { return false };
        self.add_way(&way, cause);
        let except = except.within(|mark| self.tree().child(node, mark).is_some()).unwrap_or(except);
        let mut open = vec![(path, node, except, true, cause.clone())];
        while let Some((path, directory, except, is_top, cause)) = open.pop() {
            if !self.tree().is_directory(directory) || !self.walked.insert((directory, except.id, is_top)) {
                continue;
            }
            for (name, &child) in self.tree().children(directory) {
                let kind = &self.tree().inode_of(child).kind;
                if except.leaves_out(name, is_top, *kind == InodeKind::Directory) {
                    continue;
                }
                let below = path.join(name);
                self.add(&below, child, &cause);
                match kind {
                    InodeKind::Directory => {
                        let other = except.within(|mark| self.tree().child(child, mark).is_some());
                        let is_foreign = cause.grip == Grip::Own && PACKAGES.contains(&&**name);
                        let cause = cause.gripped(if is_foreign { Grip::Part } else { cause.grip });
                        open.push((below, child, other.unwrap_or(except), other.is_some(), cause));
                    }
                    InodeKind::Symlink(_) => {
                        let way = self.follow(&below);
                        self.add_way(&way, &cause);
                        open.extend(
                            way.end
                                .filter(|(end, _)| hierarchy::is_own(end, Wish::Word))
                                .map(|(end, node)| (end, node, except, false, cause.clone())),
                        );
                    }
                    _ => {}
                }
            }
        }
        true
    }

    /// The paths that a pattern stands for, `*` and `?` in its names taken as in a shell; those that exist.
    pub(super) fn expand(&self, pattern: &[u8]) -> Vec<RootPath> {
        let mut found = vec![RootPath::root()];
        for name in pattern.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".") {
            let is_pattern = name.contains(&b'*') || name.contains(&b'?');
            let mut deeper = Vec::new();
            for path in &found {
                let Some((_, directory)) = self.directory_at(path) else { continue };
                if name == b".." {
                    deeper.push(path.link_target(name));
                } else if is_pattern {
                    let names = self.tree().children(directory).map(|(name, _)| name);
                    let Some(left) = self.names.get().checked_sub(names.len() as u64) else {
                        self.cut.set(true);
                        return Vec::new();
                    };
                    self.names.set(left);
                    // As in a shell, a star does not stand for a hidden file's dot.
                    let hidden = name.first() == Some(&b'.');
                    let names =
                        names.filter(|child| hierarchy::fits(child, name) && (hidden || child.first() != Some(&b'.')));
                    deeper.extend(names.take(MATCHES).map(|name| path.join(name)));
                } else if self.tree().child(directory, name).is_some() {
                    deeper.push(path.join(name));
                }
            }
            deeper.truncate(MATCHES);
            found = deeper;
        }
        found
    }

    /// The bytes of a file, its symlinks followed; `None` where there is none, or a larger one.
    pub(super) fn text(&self, path: &RootPath, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.at(path) {
            Some((path, node)) => self.text_of(&path, node, limit),
            None => Ok(None),
        }
    }

    /// The bytes of a file; `None` where it is none, or a larger one.
    pub(super) fn text_of(&self, path: &RootPath, node: NodeId, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let InodeKind::File(content) = &self.tree().inode_of(node).kind else { return Ok(None) };
        read_whole(self.files, content, limit).map_err(|error| error.at_entry(path.as_bytes()))
    }
}

/// Names that all patterns together may be compared with: real images take less than a million.
const NAMES: u64 = 200_000_000;

/// Bytes of values that the variables of all scripts together may take: those of a real image take less than one MiB.
const VALUES: u64 = 1 << 30;

/// Symlinks to one file that are remembered.
const LINKS: usize = 8;

/// Paths that one pattern may stand for.
const MATCHES: usize = 4096;
