//! What a decision says: which names go and by which rule, which rules were not applied, and what was kept from one.
//!
//! In: made by `decide.rs`. Out: the tree without those names, and a tally for each rule.

use super::build::{Compiled, Rule};
use crate::rootfs::{NodeId, RootPath, Tally, Tree};
use serde::Serialize;
use std::sync::Arc;

/// A rule of the [`Rules`](super::Rules) that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(super) usize);

/// A name that goes, with all below it that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The directory that it stands in.
    pub parent: NodeId,
    /// The path; its last component is the name.
    pub path: RootPath,
    /// The rule that takes it.
    pub rule: RuleId,
}

/// A rule that a path of the image's own is safe from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The path that the image runs or names, escaped.
    pub path: String,
    /// The rule, as `preset/rule`.
    pub rule: String,
    /// Whether the rule was left out of the run; false where the user's own drop took the path all the same.
    pub refused: bool,
    /// Why, in a few words.
    pub why: String,
}

/// What one rule took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// The preset, the rules file, or `--drop`.
    pub source: String,
    /// The rule's name; for `--drop`, its glob.
    pub rule: String,
    /// Its reason.
    pub reason: String,
    /// The names and bytes that went with it.
    pub tally: Tally,
}

/// The decision for one tree.
#[derive(Debug, Clone)]
pub struct Drops {
    pub(super) rules: Arc<Compiled>,
    pub(super) removals: Vec<Removal>,
    /// By [`NodeId::index`]: the rule that takes it.
    pub(super) gone: Vec<Option<u32>>,
    pub(super) truncated: Vec<Removal>,
    pub(super) kept: Vec<Kept>,
}

impl Drops {
    /// The names that go, what is below a directory before it; a name whose directory goes by the same rule is not
    /// listed.
    pub fn removals(&self) -> &[Removal] {
        &self.removals
    }

    /// The rule that takes a name, however it goes.
    pub fn gone(&self, node: NodeId) -> Option<RuleId> {
        let rule = self.gone.get(node.index()).copied().flatten()?;
        usize::try_from(rule).ok().map(RuleId)
    }

    /// The files that stay without their content.
    pub fn truncated(&self) -> &[Removal] {
        &self.truncated
    }

    /// What the image's own paths were kept from, and what that left out.
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Whether nothing goes.
    pub fn is_empty(&self) -> bool {
        self.removals.is_empty()
    }

    /// A rule as `preset/rule`.
    pub fn rule_name(&self, rule: RuleId) -> String {
        self.rules.title(rule.0)
    }

    /// Why the rule's author says that nothing misses what it takes.
    pub fn reason(&self, rule: RuleId) -> &str {
        self.rules.rules.get(rule.0).map_or("", |rule| &rule.reason)
    }

    /// Takes the names out of the tree that was decided on. What each rule took, the user's own first, then preset by
    /// preset; rules that took nothing are left out. The sum of the tallies is all that went.
    pub fn apply(self, tree: &mut Tree) -> Vec<Dropped> {
        let mut tallies = vec![Tally::default(); self.rules.rules.len()];
        for removal in &self.removals {
            if let (Some((_, name)), Some(tally)) = (removal.path.split_last(), tallies.get_mut(removal.rule.0)) {
                tree.remove(removal.parent, name, tally);
            }
        }
        let named = self.rules.rules.iter().zip(tallies).filter(|(_, tally)| *tally != Tally::default());
        named.map(|(rule, tally)| rule.dropped(tally)).collect()
    }

    /// A rule, and what the caller counted for it.
    pub fn counted(&self, rule: RuleId, tally: Tally) -> Option<Dropped> {
        self.rules.rules.get(rule.0).map(|rule| rule.dropped(tally))
    }
}

impl Rule {
    fn dropped(&self, tally: Tally) -> Dropped {
        Dropped { source: self.source.clone(), rule: self.name.clone(), reason: self.reason.clone(), tally }
    }
}

impl Compiled {
    /// A rule as `preset/rule`.
    pub(super) fn title(&self, rule: usize) -> String {
        self.rules.get(rule).map(|rule| format!("{}/{}", rule.source, rule.name)).unwrap_or_default()
    }
}
