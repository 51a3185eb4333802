//! Symlinks that the drops leave dangling go too: `/usr/bin/cc` -> `/etc/alternatives/cc` -> `/usr/bin/gcc`.
//!
//! In: verdicts by globs. Out: the same with the links whose end, or a link on the way to it, went; each with the rule
//! that took that. A link that led nowhere before is not touched. Linear in the links: each is followed once.

use super::build::USER;
use super::judge::{Here, Judge};
use super::matcher::PathBuffer;
use super::walk::Verdicts;
use crate::rootfs::{NodeId, RootPath};
use std::collections::HashMap;

/// Takes the links.
pub(super) fn follow_up(judge: &Judge<'_>, verdicts: &mut Verdicts) {
    let links = std::mem::take(&mut verdicts.links);
    // What a link leads through, to the links that do: a link or a directory may go later than this look.
    let mut through: HashMap<NodeId, Vec<usize>> = HashMap::new();
    let mut ahead: Vec<(usize, usize)> = Vec::new();
    for (number, (path, node)) in links.iter().enumerate() {
        let way = judge.tree.follow(path, true, judge.facts.hops, |_| true);
        if way.end.is_none() {
            continue;
        }
        let places = way.places().map(|(_, place)| *place).filter(|place| place != node);
        match places.clone().find_map(|place| verdicts.rule(place)) {
            Some(rule) => ahead.push((number, rule)),
            None => places.for_each(|place| through.entry(place).or_default().push(number)),
        }
    }
    ahead.reverse();
    let mut taken = Vec::new();
    while let Some((number, rule)) = ahead.pop() {
        let Some((path, node)) = links.get(number) else { continue };
        if !may_take(judge, path, *node, rule) {
            continue;
        }
        verdicts.take_late(judge, *node, rule, &mut taken);
        for node in taken.drain(..) {
            let rule = verdicts.rule(node).unwrap_or(rule);
            ahead.extend(through.remove(&node).into_iter().flatten().map(|number| (number, rule)));
        }
    }
}

/// Whether a link may go with what it led to.
fn may_take(judge: &Judge<'_>, path: &RootPath, node: NodeId, rule: usize) -> bool {
    let Some(known) = judge.rules.rules.get(rule) else { return false };
    let Some((state, _)) = judge.along(path) else { return false };
    let needed = known.group != USER && judge.is_needed(node);
    if known.flags.files_only || state.keeps_from(known.group) || needed {
        return false;
    }
    let Some((_, name)) = path.split_last() else { return false };
    let above = (crate::rootfs::Tree::ROOT, crate::rootfs::Tree::ROOT);
    let here = Here { node, name, path: &PathBuffer::root(), above };
    known.group == USER || !(judge.protected.contains(&node) || judge.is_floor(state.in_licences(), here))
}
