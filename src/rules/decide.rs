//! The decision: one walk over the tree, each path judged once, directories when all below them is.
//!
//! In: compiled rules, a tree, the facts of its image. Out: [`Drops`]. The tree is only read. Nothing recurses, and
//! nothing below a directory is matched again where no `keep` can reach (rules.md 7).

use super::build::Rules;
use super::claims::{Claims, Seed};
use super::drops::{Drops, Kept, RuleId};
use super::facts::Facts;
use super::judge::Judge;
use super::{dangling, truncate, walk};
use crate::rootfs::Tree;
use std::sync::Arc;

impl Rules {
    /// Decides what goes from `tree`, knowing nothing of packages and needs. The same rules, tree and facts always give
    /// the same answer, in the same order.
    pub fn decide(&self, tree: &Tree, facts: &Facts) -> Drops {
        self.judge(tree, facts, 0).decide(Claims::default())
    }

    /// Finds out which rules apply to an image. Every name whose [`NodeId::index`](crate::rootfs::NodeId::index) is below `base` is left: the layers
    /// that gave it stay as they are, and to hide it would save nothing.
    pub fn judge<'a>(&'a self, tree: &'a Tree, facts: &'a Facts, base: usize) -> Judgement<'a> {
        let mut judge = Judge::new(&self.0, tree, facts, base);
        let kept = judge.protect();
        Judgement { rules: self, judge, kept }
    }
}

/// Rules that know their image, and decide as often as they are told something new.
#[derive(Debug)]
pub struct Judgement<'a> {
    rules: &'a Rules,
    judge: Judge<'a>,
    kept: Vec<Kept>,
}

impl Judgement<'_> {
    /// The rules that name packages and are applied to this image, the user's own first.
    pub fn seeds(&self) -> Vec<Seed> {
        let rules = self.rules.0.rules.iter().enumerate();
        let named = rules.filter(|(id, rule)| !rule.packages.is_empty() && self.judge.active.get(*id) == Some(&true));
        named
            .map(|(id, rule)| Seed { rule: RuleId(id), packages: rule.packages.clone(), never: rule.never.clone() })
            .collect()
    }

    /// Whether the user said this rule himself: what it takes goes, whoever needs it.
    pub fn is_own(&self, rule: RuleId) -> bool {
        self.judge.is_user(rule.0)
    }

    /// Decides what goes.
    pub fn decide(&mut self, claims: Claims) -> Drops {
        self.judge.claims = claims;
        let mut verdicts = walk::walk(&self.judge);
        dangling::follow_up(&self.judge, &mut verdicts);
        let removals = verdicts.removals(self.judge.tree);
        let truncated = truncate::truncated(&self.judge, &verdicts);
        let (rules, kept) = (Arc::clone(&**self.rules.0), self.kept.clone());
        Drops { rules, removals, gone: verdicts.into_gone(), truncated, kept }
    }
}
