//! The merge again, slow and obvious: a list of paths, removed by comparing prefixes.
//!
//! It shares no code with the crate. Names are plain words, so that paths are strings. `--symlink-parents=overlay` only.

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One entry of a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    File(String, String),
    Dir(String, u32),
    Symlink(String, String),
    Link(String, String),
    Fifo(String),
    Whiteout(String),
    Opaque(String),
    Device(String),
}

impl fmt::Display for Op {
    /// As a line of the text form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::File(path, text) => write!(f, "{path} = {text}"),
            Op::Dir(path, mode) => write!(f, "{path}/ [{mode:04o}]"),
            Op::Symlink(path, target) => write!(f, "{path} -> {target}"),
            Op::Link(path, target) => write!(f, "{path} => {target}"),
            Op::Fifo(path) => write!(f, "{path} fifo"),
            Op::Whiteout(path) => write!(f, "{}", beside(path, &format!(".wh.{}", last(path)))),
            Op::Opaque(path) => write!(f, "{path}/.wh..wh..opq"),
            Op::Device(path) => write!(f, "{path} char 0:0"),
        }
    }
}

/// Stacks of layers over so few names that they collide all the time; most of them are accepted.
pub fn stacks() -> impl Strategy<Value = Vec<Vec<Op>>> {
    let name = prop::sample::select(vec!["a", "b", "c", "d"]);
    let path = prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"));
    let target = (prop::sample::select(vec!["", "/", "../", "c/../"]), path.clone())
        .prop_map(|(way, path)| way.to_owned() + &path);
    let op = prop_oneof![
        4 => path.clone().prop_map(|path| Op::File(path, String::new())),
        3 => (path.clone(), prop::sample::select(vec![0o700, 0o755, 0o1777])).prop_map(|(path, mode)| Op::Dir(path, mode)),
        2 => (path.clone(), target).prop_map(|(path, target)| Op::Symlink(path, target)),
        4 => (path.clone(), path.clone()).prop_map(|(path, target)| Op::Link(path, target)),
        1 => path.clone().prop_map(Op::Fifo),
        2 => path.clone().prop_map(Op::Whiteout),
        1 => path.clone().prop_map(Op::Opaque),
        1 => path.prop_map(Op::Device),
    ];
    let layers = prop::collection::vec(prop::collection::vec(op, 0..8), 1..7);
    (layers, 0..10).prop_map(|(mut layers, dice)| {
        // Every file has a text of its own, so that a tree tells which one it is. Most links name something.
        let mut targets = Vec::new();
        for (number, layer) in layers.iter_mut().enumerate() {
            for (index, op) in layer.iter_mut().enumerate() {
                match op {
                    Op::File(path, text) => {
                        *text = format!("content-{number}-{index}-{}", "x".repeat(index));
                        targets.push(path.clone());
                    }
                    Op::Symlink(path, _) | Op::Fifo(path) => targets.push(path.clone()),
                    Op::Link(_, target) if (number + index) % 4 != 0 && !targets.is_empty() => {
                        *target = targets[(7 * number + 3 * index) % targets.len()].clone();
                    }
                    _ => {}
                }
            }
        }
        // One random stack in a hundred would be free of entries that are refused.
        if dice == 0 { layers } else { accepted(&layers) }
    })
}

/// The layers without the entries that make them be refused.
pub fn accepted(layers: &[Vec<Op>]) -> Vec<Vec<Op>> {
    let mut merged = World::default();
    let accept = |layer: &Vec<Op>| {
        let (mut upper, mut kept) = (World::default(), Vec::new());
        for op in layer {
            let mut next = upper.clone();
            if next.apply(op).is_some() && merged.clone().lay(&next).is_some() {
                upper = next;
                kept.push(op.clone());
            }
        }
        upper.remove_ghosts();
        merged.lay(&upper).map(|()| kept).unwrap_or_default()
    };
    layers.iter().map(accept).collect()
}

/// The layers as text.
pub fn texts(layers: &[Vec<Op>]) -> Vec<String> {
    layers.iter().map(|layer| layer.iter().map(|op| format!("{op}\n")).collect()).collect()
}

#[derive(Clone, Debug)]
enum Thing {
    File(String),
    Symlink(String),
    Fifo,
    Lower(String),
}

#[derive(Clone, Debug)]
enum At {
    /// A directory, and its mode if an entry names it.
    Dir(Option<u32>),
    /// A name of the inode with this number.
    Inode(usize),
}

#[derive(Clone, Default, Debug)]
struct World {
    names: BTreeMap<String, At>,
    inodes: Vec<Thing>,
    /// Only for a layer on its own.
    whiteouts: BTreeSet<String>,
    opaques: BTreeSet<String>,
    devices: BTreeSet<String>,
}

/// What a `..` may stand behind on the way through a symlink.
#[derive(Clone, Copy)]
enum Behind {
    /// A mark and a link target take names as they are.
    Anything,
    /// An entry makes the directories that are missing.
    NoFile,
    /// A lower layer has what it has.
    Directory,
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn parent(path: &str) -> String {
    path.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned())
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

fn beside(path: &str, name: &str) -> String {
    join(&parent(path), name)
}

fn prefixes(path: &str) -> Vec<String> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.map(|end| path[..end].to_owned()).filter(|prefix| !prefix.is_empty()).collect()
}

impl World {
    fn remove(&mut self, path: &str) {
        self.remove_below(path);
        self.names.remove(path);
    }

    fn remove_below(&mut self, path: &str) {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        self.names.retain(|name, _| !name.starts_with(&prefix));
    }

    fn add(&mut self, thing: Thing) -> At {
        self.inodes.push(thing);
        At::Inode(self.inodes.len() - 1)
    }

    fn symlink(&self, path: &str) -> Option<&str> {
        match self.names.get(path) {
            Some(At::Inode(inode)) => match &self.inodes[*inode] {
                Thing::Symlink(target) => Some(target),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_dir(&self, path: &str) -> bool {
        path.is_empty() || matches!(self.names.get(path), Some(At::Dir(_)))
    }

    /// The path with every symlink on the way, the last name included, replaced by what it says. `None` for a loop,
    /// and for a `..` behind what it must not be behind.
    fn follow(&self, path: &str, behind: Behind) -> Option<String> {
        let mut path = path.to_owned();
        for _ in 0..=crate::case::HOPS {
            let mut clean: Vec<&str> = Vec::new();
            let mut next = None;
            let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
            for (at, name) in names.iter().enumerate() {
                if *name == ".." {
                    let there = clean.join("/");
                    let is_file = !self.is_dir(&there) && self.names.contains_key(&there);
                    let refused = match behind {
                        Behind::Anything => false,
                        Behind::NoFile => is_file,
                        Behind::Directory => !self.is_dir(&there),
                    };
                    if refused {
                        return None;
                    }
                    clean.pop();
                    continue;
                }
                clean.push(name);
                if let Some(target) = self.symlink(&clean.join("/")) {
                    clean.pop();
                    let base = if target.starts_with('/') { String::new() } else { clean.join("/") };
                    next = Some(format!("{base}/{target}/{}", names[at + 1..].join("/")));
                    break;
                }
            }
            match next {
                Some(next) => path = next,
                None => return Some(clean.join("/")),
            }
        }
        None
    }

    /// Applies an entry of a layer to the layer on its own. `None` is a refusal.
    fn apply(&mut self, op: &Op) -> Option<()> {
        match op {
            Op::Whiteout(path) => {
                let directory = self.follow(&parent(path), Behind::Anything)?;
                self.whiteouts.insert(join(&directory, last(path)));
            }
            Op::Opaque(path) => {
                let directory = self.follow(path, Behind::Anything)?;
                self.opaques.insert(directory);
            }
            Op::Device(path) => {
                let directory = self.follow(&parent(path), Behind::Anything)?;
                self.device(&join(&directory, last(path)));
            }
            Op::Link(path, target) => {
                let target = join(&self.follow(&parent(target), Behind::Anything)?, last(target));
                if self.devices.contains(&target) && !self.names.contains_key(&target) {
                    let directory = self.follow(&parent(path), Behind::Anything)?;
                    self.device(&join(&directory, last(path)));
                    return Some(());
                }
                let directory = self.enter(&parent(path))?;
                let at = match self.names.get(&target).cloned() {
                    Some(At::Dir(_)) => return None,
                    Some(at) => at,
                    None if target.is_empty() => return None,
                    None => self.add(Thing::Lower(target)),
                };
                self.put(&join(&directory, last(path)), at);
            }
            Op::Dir(path, mode) => {
                let path = join(&self.enter(&parent(path))?, last(path));
                if !self.is_dir(&path) {
                    self.remove(&path);
                }
                self.names.insert(path, At::Dir(Some(*mode)));
            }
            Op::File(path, _) | Op::Symlink(path, _) | Op::Fifo(path) => {
                let path = join(&self.enter(&parent(path))?, last(path));
                let at = self.add(match op {
                    Op::File(_, text) => Thing::File(text.clone()),
                    Op::Symlink(_, target) => Thing::Symlink(target.clone()),
                    _ => Thing::Fifo,
                });
                self.put(&path, at);
            }
        }
        Some(())
    }

    fn device(&mut self, path: &str) {
        self.remove(path);
        self.devices.insert(path.to_owned());
        self.whiteouts.insert(path.to_owned());
    }

    fn put(&mut self, path: &str, at: At) {
        self.remove(path);
        self.names.insert(path.to_owned(), at);
    }

    /// Where a directory is; what is missing is made.
    fn enter(&mut self, path: &str) -> Option<String> {
        let path = self.follow(path, Behind::NoFile)?;
        for prefix in prefixes(&path) {
            if !self.is_dir(&prefix) && self.names.insert(prefix, At::Dir(None)).is_some() {
                return None; // something else stands there
            }
        }
        Some(path)
    }

    /// A directory that only an entry implied which is gone is none.
    fn remove_ghosts(&mut self) {
        while let Some(ghost) = self.names.iter().find_map(|(path, at)| {
            let below = format!("{path}/");
            let empty = !self.names.keys().any(|other| other.starts_with(&below));
            (matches!(at, At::Dir(None)) && empty).then(|| path.clone())
        }) {
            self.names.remove(&ghost);
        }
    }

    /// Lays a layer over this one.
    fn lay(&mut self, upper: &World) -> Option<()> {
        // Links name what is below before anything of it goes.
        let mut below = BTreeMap::new();
        for at in upper.names.values() {
            if let At::Inode(number) = at
                && let Thing::Lower(target) = &upper.inodes[*number]
            {
                let found = join(&self.follow(&parent(target), Behind::Directory)?, last(target));
                match self.names.get(&found) {
                    Some(At::Inode(inode)) => below.insert(*number, *inode),
                    _ => return None,
                };
            }
        }
        for path in &upper.whiteouts {
            if self.mark(upper, &parent(path)) {
                self.remove(path);
            }
        }
        for path in &upper.opaques {
            if self.mark(upper, path) {
                self.remove_below(path);
            }
        }
        for (path, at) in &upper.names {
            match at {
                At::Dir(mode) => {
                    if !self.is_dir(path) {
                        self.remove(path);
                    }
                    if mode.is_some() || !self.is_dir(path) {
                        self.names.insert(path.clone(), at.clone());
                    }
                }
                At::Inode(number) => {
                    let inode = *below.entry(*number).or_insert_with(|| {
                        self.inodes.push(upper.inodes[*number].clone());
                        self.inodes.len() - 1
                    });
                    self.put(path, At::Inode(inode));
                }
            }
        }
        Some(())
    }

    /// Whether a mark in this directory counts. Something else in the way becomes a directory (M43).
    fn mark(&mut self, upper: &World, directory: &str) -> bool {
        for prefix in prefixes(directory) {
            match self.names.get(&prefix) {
                None => return false,
                Some(At::Dir(_)) => {}
                Some(At::Inode(_)) => {
                    if !upper.names.contains_key(&prefix) {
                        self.names.insert(prefix, At::Dir(None));
                    }
                    return false;
                }
            }
        }
        true
    }

    fn show(&self) -> String {
        let mut names: Vec<(Vec<&str>, &At)> =
            self.names.iter().map(|(path, at)| (path.split('/').collect(), at)).collect();
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut first: BTreeMap<usize, String> = BTreeMap::new();
        let mut out = String::new();
        for (path, at) in names {
            let path = path.join("/");
            let line = match at {
                At::Dir(None | Some(0o755)) => format!("{path}/"),
                At::Dir(Some(mode)) => format!("{path}/ [{mode:04o}]"),
                At::Inode(inode) => {
                    if let Some(first) = first.get(inode) {
                        format!("{path} => {first}")
                    } else {
                        first.insert(*inode, path.clone());
                        match &self.inodes[*inode] {
                            Thing::File(text) => format!("{path} = {text}"),
                            Thing::Symlink(target) => format!("{path} -> {target}"),
                            Thing::Fifo => format!("{path} fifo"),
                            Thing::Lower(_) => unreachable!("a merged tree has no lower links"),
                        }
                    }
                }
            };
            out.push_str(&line);
            out.push('\n');
        }
        out
    }
}

/// The tree that a container shows, or `None` where the stack is refused.
pub fn merge(layers: &[Vec<Op>]) -> Option<String> {
    let mut merged = World::default();
    for layer in layers {
        let mut upper = World::default();
        for op in layer {
            upper.apply(op)?;
        }
        upper.remove_ghosts();
        merged.lay(&upper)?;
    }
    Some(merged.show())
}
