//! Wants looked up in a tree: what one file needs, and where that stands. In: a tree, the wants of its files, what the config says. Out:
//! [`Need`]s. What a program decides while it runs (dlopen, imports, data files) is not seen.

use super::environment::Environment;
use super::guard::Known;
use super::need::{Need, NeedKind};
use super::places::Places;
use super::script;
use super::search::{Around, Search, expand, is_musl, is_musl_itself};
use super::system::System;
use super::want::{Elf, Want};
use super::wants::Wants;
use crate::error::Error;
use crate::rootfs::{Files, InodeKind, NodeId, RootPath, Tree, Way};
use std::collections::{HashMap, HashSet};

/// What glibc's loader knows the directories of `ld.so.conf` by.
const CACHE: &[u8] = b"/etc/ld.so.cache";

/// The needs of the files of a tree.
#[derive(Debug)]
pub struct Needs<'a> {
    pub(super) around: Around<'a>,
    wants: &'a Wants,
    pub(super) places: Places<'a>,
    /// Where names that some file calls a library stand.
    by_name: HashMap<&'a [u8], Vec<NodeId>>,
    pub(super) known: Known,
}

/// Something to look up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) kind: NeedKind,
    pub(super) wanted: Box<[u8]>,
    pub(super) how: How,
}

/// How something is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum How {
    /// As a path.
    Path,
    /// On PATH, unless it has a slash.
    Program,
    /// By the loader.
    Library,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// One, or several of which any will do; with no end where nothing is there.
    pub(super) needs: Vec<Need>,
    /// Whether the loader only finds it by its cache.
    pub(super) cached: bool,
}

impl<'a> Needs<'a> {
    /// Looks up what every file wants, so that [`lost`](super::lost) has little to do. `hops`: symlinks that may be followed to resolve one path.
    ///
    /// # Errors
    ///
    /// As [`Files::read_at`], from reading the configuration of the loaders; `Limit` where the files ask for more lookups than those of any
    /// real image.
    pub fn new(
        tree: &'a Tree,
        wants: &'a Wants,
        files: &dyn Files,
        environment: &Environment,
        hops: u64,
    ) -> Result<Self, Error> {
        let system = System::read(tree, files, hops)?;
        let places = Places::of(tree);
        let around = Around { tree, environment: environment.clone(), system, hops };
        let by_name = by_name(tree, wants, &places);
        let mut needs = Self { around, wants, places, by_name, known: Known::default() };
        needs.known = Known::of(&needs)?;
        Ok(needs)
    }

    /// The tree.
    pub fn tree(&self) -> &'a Tree {
        self.around.tree
    }

    /// What every file wants.
    pub fn wants(&self) -> &'a Wants {
        self.wants
    }

    /// Where programs and libraries are looked up.
    pub fn environment(&self) -> &Environment {
        &self.around.environment
    }

    /// Symlinks that may be followed to resolve one path.
    pub fn hops(&self) -> u64 {
        self.around.hops
    }

    /// The path of a name.
    pub fn path(&self, node: NodeId) -> RootPath {
        self.places.path(node)
    }

    /// The needs of the file at `path`, looked up as if only names existed that are `alive`. One whose way has no end is not met. A library
    /// that the loader does not find by itself is found by the program that loads its user, which nobody knows: every file of that name is a
    /// need then, and any of them will do.
    pub fn of(&self, path: &RootPath, node: NodeId, alive: &dyn Fn(NodeId) -> bool) -> Vec<Need> {
        let search = self.wants.elf(self.tree(), node).map(|elf| Search::of(elf, path, &self.around));
        let mut needs = Vec::new();
        let mut cached = false;
        for question in self.questions(path, node) {
            let found = self.answer(&question, search.as_ref(), alive);
            cached |= found.cached;
            needs.extend(found.needs);
        }
        if cached {
            needs.extend(self.answer(&cache(), None, alive).needs);
        }
        needs
    }

    /// What the loader is asked for beside libraries that stand where only its cache knows.
    pub(super) fn cache_question() -> Question {
        cache()
    }

    /// Where a program is that is called by `name`: on PATH, or from the working directory where the name has a slash.
    pub fn program(&self, name: &[u8], alive: &dyn Fn(NodeId) -> bool) -> Way {
        let environment = &self.around.environment;
        if name.contains(&b'/') {
            return self.file(&environment.working_dir.link_target(name), alive);
        }
        let ways = environment.path.iter().filter(|_| !name.is_empty()).map(|directory| {
            let way = self.file(&directory.link_target(name), alive);
            // A file that may not be executed is passed over (execvp(3)).
            let runs = way.end.as_ref().is_some_and(|(_, node)| self.tree().inode_of(*node).meta.mode & 0o111 != 0);
            if runs { way } else { Way::default() }
        });
        ways.into_iter().find(|way| way.end.is_some()).unwrap_or_default()
    }

    /// Where a path leads, if to a file.
    fn file(&self, path: &RootPath, alive: &dyn Fn(NodeId) -> bool) -> Way {
        let way = self.tree().follow(path, true, self.around.hops, alive);
        let is_file =
            way.end.as_ref().is_some_and(|(_, node)| matches!(self.tree().inode_of(*node).kind, InodeKind::File(_)));
        if is_file { way } else { Way::default() }
    }

    /// What the file at `path` asks for.
    pub(super) fn questions(&self, path: &RootPath, node: NodeId) -> Vec<Question> {
        match self.wants.at(self.tree(), node) {
            Some(Want::Elf(elf)) => self.elf_questions(path, elf),
            Some(Want::Script(script)) => {
                let interpreter =
                    Question { kind: NeedKind::Interpreter, wanted: script.interpreter.clone(), how: How::Path };
                let program = script::program(script);
                let program = program.map(|wanted| Question { kind: NeedKind::Program, wanted, how: How::Program });
                std::iter::once(interpreter).chain(program).collect()
            }
            None => Vec::new(),
        }
    }

    fn elf_questions(&self, path: &RootPath, elf: &Elf) -> Vec<Question> {
        let interpreter = elf.interpreter.iter();
        let interpreter =
            interpreter.map(|wanted| Question { kind: NeedKind::Loader, wanted: wanted.clone(), how: How::Path });
        let musl = is_musl(elf);
        let needed = elf.needed.iter().filter(|name| !(musl && is_musl_itself(name)));
        let libraries = needed.filter_map(|name| {
            let kind = NeedKind::Library;
            if name.contains(&b'/') {
                let wanted = expand(name, path, elf).into_iter().next()?.into();
                return Some(Question { kind, wanted, how: How::Path });
            }
            Some(Question { kind, wanted: name.clone(), how: How::Library })
        });
        interpreter.chain(libraries).collect()
    }

    /// Looks something up; `search` is that of the file that asks, if it is an ELF file.
    pub(super) fn answer(&self, question: &Question, search: Option<&Search>, alive: &dyn Fn(NodeId) -> bool) -> Found {
        let need = |way| Need { kind: question.kind, wanted: question.wanted.clone(), way };
        let way = match (question.how, search) {
            (How::Path, _) => self.file(&self.around.environment.working_dir.link_target(&question.wanted), alive),
            (How::Program, _) => self.program(&question.wanted, alive),
            (How::Library, Some(search)) => {
                let (ways, cached) = self.library(&question.wanted, search, alive);
                return Found { needs: ways.into_iter().map(need).collect(), cached };
            }
            (How::Library, None) => Way::default(),
        };
        Found { needs: vec![need(way)], cached: false }
    }

    fn library(&self, name: &[u8], search: &Search, alive: &dyn Fn(NodeId) -> bool) -> (Vec<Way>, bool) {
        let nothing = (vec![Way::default()], false);
        let Some(candidates) = self.by_name.get(name) else { return nothing };
        if let Some((way, cached)) = self.searched(name, search, alive) {
            return (vec![way], cached);
        }
        // What the loader found by itself before it does not find elsewhere now.
        if self.searched(name, search, &|_| true).is_some() {
            return nothing;
        }
        let elsewhere = candidates.iter().filter_map(|node| self.fitting(&self.places.path(*node), search, alive));
        let ways: Vec<Way> = elsewhere.collect();
        if ways.is_empty() { nothing } else { (ways, false) }
    }

    /// The first hit of the loader's own search.
    fn searched(&self, name: &[u8], search: &Search, alive: &dyn Fn(NodeId) -> bool) -> Option<(Way, bool)> {
        let holding = search.directories.iter().filter(|directory| self.tree().child(directory.node, name).is_some());
        holding.into_iter().find_map(|directory| {
            let way = self.fitting(&directory.path.join(name), search, alive)?;
            Some((way, directory.cached))
        })
    }

    /// Where a path leads, if to an ELF file of the class and machine that is searched for.
    fn fitting(&self, path: &RootPath, search: &Search, alive: &dyn Fn(NodeId) -> bool) -> Option<Way> {
        let way = self.tree().follow(path, true, self.around.hops, alive);
        let (_, node) = way.end.as_ref()?;
        let elf = self.wants.elf(self.tree(), *node)?;
        ((elf.is_64, elf.machine) == (search.is_64, search.machine)).then_some(way)
    }

    /// How many names a question for a library may lead to, at most.
    pub(super) fn candidates(&self, name: &[u8]) -> usize {
        self.by_name.get(name).map_or(0, Vec::len)
    }
}

fn cache() -> Question {
    Question { kind: NeedKind::Implicit, wanted: CACHE.into(), how: How::Path }
}

/// The names that some file calls a library, and where an ELF file or a symlink is called so.
fn by_name<'a>(tree: &'a Tree, wants: &'a Wants, places: &Places<'a>) -> HashMap<&'a [u8], Vec<NodeId>> {
    let called: HashSet<&[u8]> = wants
        .iter()
        .filter_map(|want| if let Want::Elf(elf) = want { Some(elf) } else { None })
        .flat_map(|elf| elf.needed.iter().map(|name| &**name))
        .collect();
    let mut by_name: HashMap<&[u8], Vec<NodeId>> = HashMap::new();
    for &node in &places.order {
        let name = places.name(node);
        if called.contains(name)
            && (matches!(tree.inode_of(node).kind, InodeKind::Symlink(_)) || wants.elf(tree, node).is_some())
        {
            by_name.entry(name).or_default().push(node);
        }
    }
    by_name
}
