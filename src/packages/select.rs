//! Which packages go (rules.md 3). In: packages, what rules ask for, what must stay. Out: what goes, what was refused, and for whom the rest stays.
//!
//! What may go is what rules ask for, and what came automatically for that and for nothing else that a person chose. All else is a root, and
//! what roots depend on stays. So whatever stays has all that it depended on, and no package goes only to be called back.

use super::graph::{Graph, Kind, Name};
use super::package::{Package, PackageId, numbered};
use super::pinned::pinned;
use globset::GlobSet;
use std::borrow::Cow;

/// What one rule asks for.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The rule's number, as the caller counts them.
    pub rule: usize,
    /// Names of packages that go.
    pub packages: GlobSet,
    /// Names of packages that never go by this rule, neither asked for nor because nobody needs them any more.
    pub never: GlobSet,
}

/// A package that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// Which.
    pub id: PackageId,
    /// The rule that takes it.
    pub rule: usize,
    /// The package for which it was installed, where the rule does not name it itself.
    pub because: Option<PackageId>,
}

/// A package that a rule names and that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub id: PackageId,
    /// The rule that asked for it.
    pub rule: usize,
    /// Who needs it, down to what must stay: `maven-core needs it, maven needs maven-core: the image runs /usr/bin/mvn`.
    pub why: String,
}

/// What keeps a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// It stays by itself, for this reason.
    Root(Cow<'static, str>),
    /// This package depends on it.
    Needed(PackageId),
    /// This package recommends it, and was itself chosen.
    Recommended(PackageId),
    /// It came for packages that stay, of which this is the last (`install_if`).
    Completes(PackageId),
}

/// The decision about all packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// What goes, ascending.
    pub dropped: Vec<Dropped>,
    /// What was asked for and stays, ascending.
    pub refused: Vec<Refused>,
    /// By [`PackageId::index`]: what keeps a package; `None` for what goes.
    pub held: Vec<Option<Held>>,
}

/// How often the candidates are looked for anew, once it is known what stays. Each time there are fewer; the second time is nearly always the last.
const ROUNDS: usize = 8;

/// How many packages of a chain a reason names.
const SHOWN: usize = 8;

impl Selection {
    /// Who keeps a package: the package that needs it, the one that needs that, and so on, and why the last one stays. `None` for one that goes.
    pub fn chain(&self, id: PackageId) -> Option<(Vec<PackageId>, &str)> {
        let mut chain = Vec::new();
        let mut here = id;
        // Each step leads to a package that was held earlier; the bound is for a value that somebody else made.
        for _ in 0..=self.held.len() {
            match self.held.get(here.index())?.as_ref()? {
                Held::Root(why) => return Some((chain, why)),
                Held::Needed(by) | Held::Recommended(by) | Held::Completes(by) => {
                    chain.push(*by);
                    here = *by;
                }
            }
        }
        None
    }

    /// The chain as a sentence.
    pub fn why(&self, all: &[Package], id: PackageId) -> Option<String> {
        let (chain, root) = self.chain(id)?;
        let name = |id: &PackageId| all.get(id.index()).map_or("", |package| &package.name);
        let mut steps = Vec::new();
        let mut here = id;
        for by in chain.iter().take(SHOWN) {
            let it = if here == id { "it" } else { name(&here) };
            let verb = match self.held.get(here.index()) {
                Some(Some(Held::Recommended(_))) => "recommends",
                Some(Some(Held::Completes(_))) => "comes with",
                _ => "needs",
            };
            steps.push(format!("{} {verb} {it}", name(by)));
            here = *by;
        }
        if chain.len() > SHOWN {
            steps.push(format!("and so on {} times", chain.len().saturating_sub(SHOWN)));
        }
        Some(if steps.is_empty() { root.to_owned() } else { format!("{}: {root}", steps.join(", ")) })
    }
}

/// Decides.
pub(super) fn select(all: &[Package], graph: &Graph, seeds: &[Seed], roots: &[(PackageId, String)]) -> Selection {
    let mut choice = Choice::new(all, graph, seeds, roots);
    let mut held = vec![None; all.len()];
    for _ in 0..ROUNDS {
        let before = choice.may_go.iter().flatten().count();
        choice.look_for_candidates(&held);
        held = choice.closure();
        if choice.may_go.iter().flatten().count() == before {
            break;
        }
    }
    choice.finish(held)
}

/// A decision under way.
struct Choice<'a> {
    all: &'a [Package],
    graph: &'a Graph,
    seeds: &'a [Seed],
    /// By package: which of the seeds asks for it.
    asked: Vec<Option<usize>>,
    /// The packages that the caller holds.
    given: Vec<PackageId>,
    /// Packages that stay whatever goes, and why.
    firm: Vec<Option<Held>>,
    /// Whether a person chose a package, so that it keeps what it recommends.
    chosen: Vec<bool>,
    /// By package: for what it came, and by which of the seeds it may go.
    may_go: Vec<Option<(usize, PackageId)>>,
}

impl<'a> Choice<'a> {
    fn new(all: &'a [Package], graph: &'a Graph, seeds: &'a [Seed], roots: &[(PackageId, String)]) -> Self {
        let asks = |package: &Package| {
            seeds.iter().position(|seed| seed.packages.is_match(&package.name) && !seed.never.is_match(&package.name))
        };
        let asked: Vec<Option<usize>> = all.iter().map(asks).collect();
        let root = |why: &'static str| Some(Held::Root(why.into()));
        let firm_by_itself = |(package, asked): (&Package, &Option<usize>)| match (package.fixed, pinned(&package.name))
        {
            (Some(fixed), _) => root(fixed.text()),
            _ if package.essential => root("every system of the distribution has it"),
            _ if asked.is_some() => None,
            (_, Some(why)) => root(why),
            _ if !package.automatic => root("it was installed by name"),
            _ => None,
        };
        let mut firm: Vec<Option<Held>> = all.iter().zip(&asked).map(firm_by_itself).collect();
        for ((id, package), _) in numbered(all).zip(&asked).filter(|(_, asked)| asked.is_some()) {
            for library in libraries(all, graph, id, package).filter(|library| !is_some(&asked, *library)) {
                if let Some(firm @ None) = firm.get_mut(library.index()) {
                    *firm = Some(Held::Root(
                        format!("programs may load it: {} was installed by name", package.name).into(),
                    ));
                }
            }
        }
        let mut chosen: Vec<bool> =
            all.iter().zip(&asked).map(|(package, asked)| asked.is_none() && !package.automatic).collect();
        for (id, why) in roots.iter().rev() {
            if let (Some(firm), Some(chosen)) = (firm.get_mut(id.index()), chosen.get_mut(id.index())) {
                *firm = Some(Held::Root(why.clone().into()));
                *chosen = true;
            }
        }
        let given = roots.iter().map(|(id, _)| *id).collect();
        Self { all, graph, seeds, asked, given, firm, chosen, may_go: vec![None; all.len()] }
    }

    /// Finds the automatic packages that came for something asked for, through packages that may go themselves. `held` are
    /// those of which it is known that they stay.
    fn look_for_candidates(&mut self, held: &[Option<Held>]) {
        let mut found: Vec<Option<(usize, PackageId)>> = vec![None; self.all.len()];
        let mut seen_names = vec![usize::MAX; self.graph.names()];
        let mut seen = vec![usize::MAX; self.all.len()];
        for (number, seed) in self.seeds.iter().enumerate() {
            let stays = |id: PackageId| is_some(held, id) || is_some(&self.firm, id);
            let sources =
                numbered(self.all).zip(&self.asked).filter(|((id, _), asked)| **asked == Some(number) && !stays(*id));
            let mut ahead: Vec<(PackageId, PackageId)> = sources.map(|((id, _), _)| (id, id)).collect();
            ahead.reverse();
            while let Some((here, source)) = ahead.pop() {
                for kind in [Kind::Depends, Kind::Recommends, Kind::Weak] {
                    for &name in self.graph.leads(here, kind) {
                        if !first(&mut seen_names, name, number) {
                            continue;
                        }
                        for &next in self.graph.answers(name) {
                            let Some(package) = self.all.get(next.index()) else { continue };
                            let goes = package.automatic && !stays(next) && !is_some(&self.asked, next);
                            if !goes || seed.never.is_match(&package.name) || !first(&mut seen, next.index(), number) {
                                continue;
                            }
                            if let Some(found) = found.get_mut(next.index()) {
                                found.get_or_insert((number, source));
                            }
                            ahead.push((next, source));
                        }
                    }
                }
            }
        }
        self.may_go = found;
    }

    /// What stays: all that may not go, and what that depends on. What the image runs comes first, then what stays by itself, then the rest,
    /// so that each package has the most telling of its reasons.
    fn closure(&self) -> Vec<Option<Held>> {
        let mut reach = Reach::new(self);
        for id in &self.given {
            reach.hold(*id, self.firm.get(id.index()).cloned().flatten());
        }
        reach.run();
        for (id, _) in numbered(self.all) {
            reach.hold(id, self.firm.get(id.index()).cloned().flatten());
        }
        reach.run();
        for (id, _) in numbered(self.all).filter(|(id, _)| !is_some(&self.asked, *id) && !is_some(&self.may_go, *id)) {
            reach.hold(id, Some(Held::Root("it did not come for anything that goes".into())));
        }
        reach.run();
        reach.held
    }

    fn finish(self, held: Vec<Option<Held>>) -> Selection {
        let mut selection = Selection { held, ..Selection::default() };
        for (((id, _), asked), may_go) in numbered(self.all).zip(&self.asked).zip(&self.may_go) {
            let rule = |number: usize| self.seeds.get(number).map_or(0, |seed| seed.rule);
            match (is_some(&selection.held, id), asked, may_go) {
                (true, Some(number), _) => {
                    let why = selection.why(self.all, id).unwrap_or_default();
                    selection.refused.push(Refused { id, rule: rule(*number), why });
                }
                (false, Some(number), _) => selection.dropped.push(Dropped { id, rule: rule(*number), because: None }),
                (false, None, Some((number, source))) => {
                    selection.dropped.push(Dropped { id, rule: rule(*number), because: Some(*source) });
                }
                _ => {}
            }
        }
        selection
    }
}

/// A closure under way: breadth first, so that each reason is a shortest one.
struct Reach<'c, 'a> {
    choice: &'c Choice<'a>,
    held: Vec<Option<Held>>,
    /// What was held, in this order; from `at` on, what it leads to is not yet looked at.
    order: Vec<PackageId>,
    at: usize,
    /// Names whose packages are held, all of them, and all that no rule asks for.
    seen: [Vec<bool>; 2],
    /// By package: which of its conditions are not met, and how many.
    unmet: Vec<(Vec<bool>, usize)>,
}

impl<'c, 'a> Reach<'c, 'a> {
    fn new(choice: &'c Choice<'a>) -> Self {
        let conditions = numbered(choice.all).map(|(id, _)| choice.graph.conditions(id));
        Self {
            choice,
            held: vec![None; choice.all.len()],
            order: Vec::new(),
            at: 0,
            seen: [vec![false; choice.graph.names()], vec![false; choice.graph.names()]],
            unmet: conditions.map(|count| (vec![true; count], count)).collect(),
        }
    }

    fn hold(&mut self, id: PackageId, why: Option<Held>) {
        if let (Some(held @ None), Some(_)) = (self.held.get_mut(id.index()), &why) {
            *held = why;
            self.order.push(id);
        }
    }

    fn run(&mut self) {
        while let Some(&here) = self.order.get(self.at) {
            self.at = self.at.saturating_add(1);
            self.follow(here, Kind::Depends);
            if self.choice.chosen.get(here.index()) == Some(&true) {
                self.follow(here, Kind::Recommends);
            }
            self.complete(here);
        }
    }

    fn follow(&mut self, here: PackageId, kind: Kind) {
        let graph = self.choice.graph;
        for &name in graph.leads(here, kind) {
            let [all, most] = &mut self.seen;
            let seen = if kind == Kind::Depends { all } else { most };
            if seen.get_mut(name).is_none_or(|seen| std::mem::replace(seen, true)) {
                continue;
            }
            for &next in graph.answers(name) {
                match kind {
                    Kind::Depends => self.hold(next, Some(Held::Needed(here))),
                    // A recommendation does not hold what a rule asks for by name: perl recommends make.
                    _ if is_some(&self.choice.asked, next) => {}
                    _ => self.hold(next, Some(Held::Recommended(here))),
                }
            }
        }
    }

    /// Holds what came for packages of which this is the last to be held.
    fn complete(&mut self, here: PackageId) {
        let graph = self.choice.graph;
        for &(came, condition) in graph.named(here).iter().flat_map(|&name| graph.meets(name)) {
            let Some((unmet, left)) = self.unmet.get_mut(came.index()) else { continue };
            let met = unmet.get_mut(condition).map(std::mem::take);
            *left = left.saturating_sub(usize::from(met == Some(true)));
            if *left == 0 && !is_some(&self.choice.asked, came) {
                self.hold(came, Some(Held::Completes(here)));
            }
        }
    }
}

/// The library of a development package that was installed by name: it may be there for a program that loads it by its name, as python-magic
/// does after `apt-get install libmagic-dev`, and nothing else shows that. Both come from one source and so have one version.
fn libraries<'a>(
    all: &'a [Package],
    graph: &'a Graph,
    id: PackageId,
    package: &'a Package,
) -> impl Iterator<Item = PackageId> + 'a {
    let is_for_building = package.name.ends_with("-dev") || package.name.ends_with("-devel");
    let names = if is_for_building && !package.automatic { graph.leads(id, Kind::Depends) } else { &[] };
    let version = |id: &PackageId| all.get(id.index()).map(|other| &other.version);
    // A name that many answer to is no library's; so the work is linear.
    let answers = names.iter().map(|name| graph.answers(*name)).filter(|answers| answers.len() <= 8);
    answers.flatten().copied().filter(move |other| version(other) == Some(&package.version))
}

fn is_some<T>(list: &[Option<T>], id: PackageId) -> bool {
    list.get(id.index()).is_some_and(Option::is_some)
}

/// Whether something is seen for the first time in this round; notes that it was.
fn first(seen: &mut [usize], at: Name, round: usize) -> bool {
    seen.get_mut(at).is_some_and(|seen| std::mem::replace(seen, round) != round)
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
