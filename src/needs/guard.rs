//! The guard: who would lose what it needs. In: [`Needs`], each looked up once, and names that are to go. Out: [`Lost`]. Only what was met before
//! can be lost, so a tree that was broken already raises no alarm; a file that goes itself needs nothing.

use super::need::Need;
use super::needs::{How, Needs, Question};
use super::search::{Search, is_musl};
use super::want::Want;
use crate::error::Error;
use crate::rootfs::{NodeId, RootPath};
use std::collections::HashMap;

/// Directories that may be looked into for the libraries of all files together. Debian images of 1 GB take 3,400; where each of 5,000 files has
/// a RUNPATH of 50 directories of its own, as with Nix or Spack, it is 2 million.
const LOOKS: usize = 10_000_000;

/// Bytes of the paths of all that is needed; those images take 23 KB.
const BYTES: usize = 256 << 20;

/// What would be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// A file that stays.
    pub needer: RootPath,
    /// Its name in the tree.
    pub node: NodeId,
    /// What it needs, as that was met before.
    pub need: Need,
}

/// What would be lost if every name went for which `gone` holds, and all that stands below such names: the needs of files that stay, met before
/// and not after. In the order of the paths of those files.
pub fn lost(needs: &Needs<'_>, gone: &dyn Fn(NodeId) -> bool) -> Vec<Lost> {
    let gone = needs.places.with_below(gone);
    let goes = |node: NodeId| gone.get(node.index()) == Some(&true);
    let known = &needs.known;
    let mut lost = Vec::new();
    for met in &known.met {
        let broken = |need: &Need| need.way.places().any(|(_, node)| goes(*node));
        let search = met.search.and_then(|search| known.searches.get(search));
        if !met.needs.iter().all(broken) || needs.is_met(&met.question, search, &|node| !goes(node)) {
            continue;
        }
        let needers = met.needers.iter().filter_map(|&needer| Some((needer, known.needers.get(needer)?)));
        for (number, needer) in needers.filter(|(_, needer)| !goes(needer.node)) {
            if let Some(need) = met.needs.first() {
                lost.push((number, Lost { needer: needer.path.clone(), node: needer.node, need: need.clone() }));
            }
        }
    }
    lost.sort_by_key(|(needer, _)| *needer);
    lost.into_iter().map(|(_, lost)| lost).collect()
}

/// Every need that is met, looked up once for all files that ask alike.
#[derive(Debug, Default)]
pub(super) struct Known {
    needers: Vec<Needer>,
    met: Vec<Met>,
    searches: Vec<Search>,
}

#[derive(Debug)]
struct Needer {
    path: RootPath,
    node: NodeId,
    /// Indices into `met`.
    needs: Vec<usize>,
}

#[derive(Debug)]
struct Met {
    question: Question,
    /// Index into the searches.
    search: Option<usize>,
    /// One, or several of which any will do.
    needs: Vec<Need>,
    /// Indices into the needers.
    needers: Vec<usize>,
}

impl Known {
    /// Looks up what every file needs.
    pub(super) fn of(needs: &Needs<'_>) -> Result<Self, Error> {
        let mut builder = Builder {
            needs,
            known: Self::default(),
            searches: Searches::default(),
            answers: HashMap::new(),
            looks: 0,
            bytes: 0,
        };
        for &node in &needs.places.order {
            if let Some(want) = needs.wants().at(needs.tree(), node) {
                builder.add(node, want)?;
            }
        }
        Ok(Self { searches: builder.searches.all, ..builder.known })
    }
}

impl Needs<'_> {
    /// Every need that is met, with the file that has it, in the order of the paths. Left out are the files that the guard does not ask:
    /// scripts that nobody runs where they stand.
    pub fn met(&self) -> impl Iterator<Item = (&RootPath, NodeId, &Need)> {
        self.known.needers.iter().flat_map(|needer| {
            let met = needer.needs.iter().filter_map(|&met| self.known.met.get(met));
            met.flat_map(|met| &met.needs).map(|need| (&needer.path, needer.node, need))
        })
    }

    fn is_met(&self, question: &Question, search: Option<&Search>, alive: &dyn Fn(NodeId) -> bool) -> bool {
        self.answer(question, search, alive).needs.iter().any(|need| need.way.end.is_some())
    }
}

/// Class, machine, whether musl loads it, and by which interpreter.
type Kind = (bool, u16, bool, Option<Box<[u8]>>);

/// Searches by what they say; most files say nothing of their own, and for them their kind is enough.
#[derive(Debug, Default)]
struct Searches {
    all: Vec<Search>,
    by_kind: HashMap<Kind, usize>,
    by_value: HashMap<Search, usize>,
}

struct Builder<'b, 'a> {
    needs: &'b Needs<'a>,
    known: Known,
    searches: Searches,
    /// Where an answer stands; `None` where the question is not met.
    answers: HashMap<(Question, Option<usize>), (Option<usize>, bool)>,
    looks: usize,
    bytes: usize,
}

impl Builder<'_, '_> {
    fn add(&mut self, node: NodeId, want: &Want) -> Result<(), Error> {
        let path = self.needs.path(node);
        if matches!(want, Want::Script(_)) && !is_run(self.needs, &path, node) {
            return Ok(());
        }
        let questions = self.needs.questions(&path, node);
        if questions.is_empty() {
            return Ok(());
        }
        let search = self.search(want, &path);
        let needer = self.known.needers.len();
        let mut needs = Vec::new();
        let mut cached = false;
        for question in questions {
            let (met, by_cache) = self.ask(question, search)?;
            needs.extend(met);
            cached |= by_cache;
        }
        if cached {
            needs.extend(self.ask(Needs::cache_question(), None)?.0);
        }
        for &met in &needs {
            if let Some(met) = self.known.met.get_mut(met) {
                met.needers.push(needer);
            }
        }
        self.known.needers.push(Needer { path, node, needs });
        Ok(())
    }

    fn search(&mut self, want: &Want, path: &RootPath) -> Option<usize> {
        let Want::Elf(elf) = want else { return None };
        let searches = &mut self.searches;
        let plain = elf.rpath.is_empty() && elf.runpath.is_empty();
        let musl = is_musl(elf);
        let interpreter = elf.interpreter.clone().filter(|_| musl);
        let kind = (elf.is_64, elf.machine, musl, interpreter);
        if let Some(known) = searches.by_kind.get(&kind).filter(|_| plain) {
            return Some(*known);
        }
        let search = Search::of(elf, path, &self.needs.around);
        self.looks = self.looks.saturating_add(search.directories.len());
        let next = searches.all.len();
        let number = *searches.by_value.entry(search.clone()).or_insert(next);
        if number == next {
            self.bytes = search
                .directories
                .iter()
                .fold(self.bytes, |sum, directory| sum.saturating_add(directory.path.as_bytes().len()));
            searches.all.push(search);
        }
        if plain {
            searches.by_kind.insert(kind, number);
        }
        Some(number)
    }

    fn ask(&mut self, question: Question, search: Option<usize>) -> Result<(Option<usize>, bool), Error> {
        let search = search.filter(|_| question.how == How::Library);
        let key = (question, search);
        if let Some(known) = self.answers.get(&key) {
            return Ok(*known);
        }
        let (question, _) = &key;
        let directions = search.and_then(|search| self.searches.all.get(search));
        let candidates = self.needs.candidates(&question.wanted);
        if candidates > 0 {
            let directories = directions.map_or(0, |search| search.directories.len());
            self.looks = self.looks.saturating_add(candidates).saturating_add(directories);
        }
        let mut found = self.needs.answer(question, directions, &|_| true);
        found.needs.retain(|need| need.way.end.is_some());
        let places = found.needs.iter().flat_map(|need| need.way.places());
        self.bytes = places.fold(self.bytes, |sum, (path, _)| sum.saturating_add(path.as_bytes().len()));
        if self.looks > LOOKS || self.bytes > BYTES {
            return Err(Error::limit("the programs of the image ask for more libraries than can be looked up"));
        }
        let met = (!found.needs.is_empty()).then_some(self.known.met.len());
        if met.is_some() {
            let question = question.clone();
            self.known.met.push(Met { question, search, needs: found.needs, needers: Vec::new() });
        }
        let answer = (met, found.cached);
        self.answers.insert(key, answer);
        Ok(answer)
    }
}

/// Whether a script is one that somebody runs where it stands.
fn is_run(needs: &Needs<'_>, path: &RootPath, node: NodeId) -> bool {
    // The kernel reads `#!` only where it may execute the file; a module that begins with it is read by its interpreter.
    if needs.tree().inode_of(node).meta.mode & 0o111 == 0 {
        return false;
    }
    let mut above: &[u8] = b"";
    for name in path.components() {
        let aside = match name {
            // Documentation shows scripts for interpreters that nobody installed (rules.md 6: the false alarms seen were of these).
            b"doc" => above == b"share",
            // git copies its samples into every clone, and runs none of them.
            b"hooks" => above == b".git",
            // node-gyp leaves a link to the python that it built with.
            b"node_gyp_bins" => true,
            b"examples" => true,
            _ => false,
        };
        if aside {
            return false;
        }
        above = name;
    }
    true
}
