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

    /// What stays: all that may not go, and what that depends on.
    fn closure(&self) -> Vec<Option<Held>> {
        // What the image runs comes first: of two reasons that are as short, it is the better one.
        let firm = numbered(self.all).map(|(id, _)| id).filter(|id| is_some(&self.firm, *id));
        let ahead = self.given.iter().copied().chain(firm).collect();
        let seen = [vec![false; self.graph.names()], vec![false; self.graph.names()]];
        let mut reach = Reach { choice: self, held: self.firm.clone(), ahead, seen };
        let mut left: Vec<usize> = numbered(self.all).map(|(id, _)| self.graph.conditions(id)).collect();
        let mut unmet: Vec<Vec<bool>> = left.iter().map(|&count| vec![true; count]).collect();
        for (id, _) in numbered(self.all) {
            if !is_some(&self.asked, id) && !is_some(&self.may_go, id) {
                reach.hold(id, Held::Root("it did not come for anything that goes".into()));
            }
        }
        let mut at = 0usize;
        while let Some(&here) = reach.ahead.get(at) {
            at = at.saturating_add(1);
            reach.follow(here, Kind::Depends);
            if self.chosen.get(here.index()) == Some(&true) {
                reach.follow(here, Kind::Recommends);
            }
            for &name in self.graph.named(here) {
                for &(came, condition) in self.graph.meets(name) {
                    let place = unmet.get_mut(came.index()).and_then(|unmet| unmet.get_mut(condition));
                    let (Some(place), Some(left)) = (place, left.get_mut(came.index())) else { continue };
                    *left = left.saturating_sub(usize::from(std::mem::take(place)));
                    if *left == 0 && !is_some(&self.asked, came) {
                        reach.hold(came, Held::Completes(here));
                    }
                }
            }
        }
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
    ahead: Vec<PackageId>,
    /// Names whose packages are held, all of them, and all that no rule asks for.
    seen: [Vec<bool>; 2],
}

impl Reach<'_, '_> {
    fn hold(&mut self, id: PackageId, why: Held) {
        if let Some(held @ None) = self.held.get_mut(id.index()) {
            *held = Some(why);
            self.ahead.push(id);
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
                    Kind::Depends => self.hold(next, Held::Needed(here)),
                    // A recommendation does not hold what a rule asks for by name: perl recommends make.
                    _ if is_some(&self.choice.asked, next) => {}
                    _ => self.hold(next, Held::Recommended(here)),
                }
            }
        }
    }
}

fn is_some<T>(list: &[Option<T>], id: PackageId) -> bool {
    list.get(id.index()).is_some_and(Option::is_some)
}

/// Whether something is seen for the first time in this round; notes that it was.
fn first(seen: &mut [usize], at: Name, round: usize) -> bool {
    seen.get_mut(at).is_some_and(|seen| std::mem::replace(seen, round) != round)
}
