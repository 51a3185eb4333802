//! What goes from an image by rules: globs, packages, and the guard that takes back what something would miss.
//!
//! In: rules and what is known of an image. Out: a [`Choice`]. Nothing is changed yet. Each round decides with all that is known so far; the guard
//! looks at the result, and what would be lost joins the needs of the next round, until nothing is.

use super::survey::Known;
use crate::error::{Error, escape};
use crate::needs;
use crate::packages::{self, Edit, PackageId, Packages, Selection};
use crate::progress::Watch;
use crate::report::{PackageDrop, PackageRefusal, PackagesReport, Refusal};
use crate::rootfs::{Descend, InodeKind, NodeId, RootPath};
use crate::rules::{Claims, Drops, Judgement, RuleId, Rules, Seed};
use crate::warning::{WarningKind, Warnings};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// After so many rounds no package goes at all: only a made-up database needs more than three.
const ROUNDS: usize = 32;

/// What goes, and why something does not.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) drops: Drops,
    /// What the package database has to say afterwards.
    pub(super) edit: Edit,
    pub(super) packages: Option<PackagesReport>,
    /// What the guard took back.
    pub(super) taken_back: Vec<Refusal>,
    /// By package: the rule that takes it.
    pub(super) gone: HashMap<PackageId, RuleId>,
}

/// Decides.
pub(super) fn choose(
    rules: &Rules,
    known: &Known<'_>,
    base: usize,
    warnings: &mut Warnings,
    watch: &Watch<'_>,
) -> Result<Choice, Error> {
    let mut judgement = rules.judge(known.tree, &known.facts, base);
    let mut round = Round::first(rules, known, &mut judgement, base);
    let mut rounds = 0usize;
    loop {
        let decided = watch.phase("decide", None, || round.decide(&mut judgement, known))?;
        let lost =
            watch.phase("guard", None, || Ok(needs::lost(&known.needs, &|node| decided.drops.gone(node).is_some())))?;
        if !round.take_back(&lost, &decided, &judgement, known) {
            round.own_losses.iter().for_each(|loss| warnings.add(WarningKind::LostNeed, loss));
            return round.finish(decided, known);
        }
        rounds = rounds.saturating_add(1);
        if rounds > ROUNDS {
            round.seeds.clear();
        }
    }
}

/// What is known at the beginning of a round.
struct Round {
    seeds: Vec<Seed>,
    /// Packages that stay, and why.
    roots: Vec<(PackageId, String)>,
    needed: HashSet<NodeId>,
    taken_back: Vec<Refusal>,
    /// Losses by the user's own word.
    own_losses: BTreeSet<String>,
}

/// What a round decided.
struct Decided {
    selection: Selection,
    gone: HashMap<PackageId, RuleId>,
    edit: Edit,
    drops: Drops,
}

impl Round {
    fn first(rules: &Rules, known: &Known<'_>, judgement: &mut Judgement<'_>, base: usize) -> Self {
        let mut round = Self {
            seeds: Vec::new(),
            roots: Vec::new(),
            needed: HashSet::new(),
            taken_back: Vec::new(),
            own_losses: BTreeSet::new(),
        };
        if let Some(packages) = &known.packages {
            round.seeds = judgement.seeds();
            // Nobody asks what stays where no rule names a package.
            if !round.seeds.is_empty() {
                round.roots = roots(rules, known, packages, judgement, base);
            }
        }
        round
    }

    fn decide(&self, judgement: &mut Judgement<'_>, known: &Known<'_>) -> Result<Decided, Error> {
        let mut selection = Selection::default();
        let mut edit = Edit::default();
        let mut gone = HashMap::new();
        let mut taken = HashMap::new();
        if let Some(packages) = known.packages.as_ref().filter(|_| !self.seeds.is_empty()) {
            selection = packages.select(&named(&self.seeds), &self.roots);
            gone =
                selection.dropped.iter().filter_map(|package| Some((package.id, self.rule(package.rule)?))).collect();
            let ids: BTreeSet<PackageId> = gone.keys().copied().collect();
            let files = packages.files_of(known.tree, &ids);
            taken.extend(files.iter().filter_map(|(node, package)| Some((*node, *gone.get(package)?))));
            if !ids.is_empty() {
                edit = packages.without(known.tree, known.layers, &ids)?;
            }
            let records = edit.remove.iter();
            taken.extend(records.filter_map(|(path, package)| Some((known.tree.lookup(path)?, *gone.get(package)?))));
        }
        let claims = Claims { owned: Arc::clone(&known.owned), taken: Arc::new(taken), needed: self.needed.clone() };
        Ok(Decided { selection, gone, edit, drops: judgement.decide(claims) })
    }

    fn rule(&self, seed: usize) -> Option<RuleId> {
        self.seeds.get(seed).map(|seed| seed.rule)
    }

    /// Notes for the next round what this one would lose; false where that is nothing that may be taken back.
    fn take_back(
        &mut self,
        lost: &[needs::Lost],
        decided: &Decided,
        judgement: &Judgement<'_>,
        known: &Known<'_>,
    ) -> bool {
        let mut changed = false;
        let mut ahead: Vec<(RootPath, needs::Need)> =
            lost.iter().rev().map(|loss| (loss.needer.clone(), loss.need.clone())).collect();
        while let Some((needer, need)) = ahead.pop() {
            let why = format!("{needer} needs {}", escape(&need.wanted));
            for (path, node) in need.way.places() {
                let Some(rule) = decided.drops.gone(*node) else { continue };
                if judgement.is_own(rule) {
                    self.own_losses.insert(format!("{path}: {why}"));
                    continue;
                }
                if !self.needed.insert(*node) {
                    continue;
                }
                changed = true;
                let rule = decided.drops.rule_name(rule);
                self.taken_back.push(Refusal { rule, path: path.to_string(), why: why.clone() });
                let owners = known.packages.as_ref().map_or(&[][..], |packages| packages.owners(*node));
                let owners = owners.iter().filter(|id| decided.gone.contains_key(id));
                self.roots.extend(owners.map(|id| (*id, why.clone())));
                // What stays now has needs of its own: a chain of them is one round's work.
                let own = known.needs.of(path, *node, &|_| true);
                ahead.extend(own.into_iter().map(|need| (path.clone(), need)));
            }
        }
        changed
    }

    fn finish(self, decided: Decided, known: &Known<'_>) -> Result<Choice, Error> {
        let Decided { selection, gone, mut edit, drops } = decided;
        let mut report = None;
        if let Some(packages) = &known.packages {
            let ids = gone.keys().copied().collect();
            edit.write.splice(0..0, packages.rebuilt(known.tree, known.layers, &ids)?);
            report = Some(self.report(packages, &selection, &drops));
        }
        Ok(Choice { drops, edit, packages: report, taken_back: self.taken_back, gone })
    }

    fn report(&self, packages: &Packages, selection: &Selection, drops: &Drops) -> PackagesReport {
        let title = |id: PackageId| escape(packages.title(id).as_bytes());
        let rule = |seed: usize| self.rule(seed).map(|rule| drops.rule_name(rule)).unwrap_or_default();
        PackagesReport {
            manager: packages.manager().name().into(),
            installed: packages.all().len() as u64,
            dropped: selection
                .dropped
                .iter()
                .map(|package| PackageDrop {
                    package: title(package.id),
                    rule: rule(package.rule),
                    because: package.because.map(title),
                })
                .collect(),
            refused: selection
                .refused
                .iter()
                .map(|package| PackageRefusal {
                    package: title(package.id),
                    rule: rule(package.rule),
                    why: escape(package.why.as_bytes()),
                })
                .collect(),
        }
    }
}

/// The rules' wishes, numbered by their place.
fn named(seeds: &[Seed]) -> Vec<packages::Seed> {
    let numbered = seeds.iter().enumerate();
    numbered
        .map(|(rule, seed)| packages::Seed { rule, packages: seed.packages.clone(), never: seed.never.clone() })
        .collect()
}

/// The packages that stay whatever a rule says (rules.md 3, step 2): what the image runs, what the user keeps, what a kept base holds, and
/// what the files need that no package owns.
fn roots(
    rules: &Rules,
    known: &Known<'_>,
    packages: &Packages,
    judgement: &mut Judgement<'_>,
    base: usize,
) -> Vec<(PackageId, String)> {
    let mut roots: Vec<(PackageId, String)> = Vec::new();
    let mut seen = HashSet::new();
    // With an interpreter that is run, what its scripts import.
    let mut root = |node: NodeId, path: &RootPath, is_run: bool, why: &dyn Fn() -> String| {
        // A link to a directory, as /lib is on a merged system, is listed by every package with something below it, and needed by all (rules.md
        // 3, step 2).
        let is_link = matches!(known.tree.inode_of(node).kind, InodeKind::Symlink(_));
        let end = known.tree.resolve(path, true, known.facts.hops).filter(|_| is_link);
        if end.is_some_and(|(_, end)| known.tree.is_directory(end)) {
            return;
        }
        for &id in packages.owners(node) {
            for id in std::iter::once(id).chain(packages.rest_of(id).filter(|_| is_run)) {
                if seen.insert(id) {
                    roots.push((id, why()));
                }
            }
        }
    };
    for (path, node) in known.runs.files() {
        root(node, path, true, &|| format!("the image runs {path}"));
    }
    for (path, node) in rules.kept_by_user(known.tree, known.facts.hops) {
        root(node, &path, true, &|| format!("--keep names {path}"));
    }
    if base > 0 {
        known.tree.walk(&mut |path, node| {
            if node.index() < base {
                root(node, path, false, &|| format!("{path} is in the base that is kept"));
            }
            Descend::Yes
        });
    }
    // What globs take anyway has no say: the sample hooks of a .git directory hold no Perl.
    let globs = judgement.decide(Claims { owned: Arc::clone(&known.owned), ..Claims::default() });
    for (needer, node, need) in known.needs.met() {
        if !packages.owners(node).is_empty() || globs.gone(node).is_some() {
            continue;
        }
        // dpkg's own scripts make do with what is essential (Debian policy 3.8).
        let is_run = !needer.as_bytes().starts_with(b"var/lib/dpkg/");
        for (path, place) in need.way.places() {
            root(*place, path, is_run, &|| format!("{needer} needs {}", escape(&need.wanted)));
        }
    }
    roots
}
