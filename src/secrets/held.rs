//! What the layers held and what of it is still there.
//!
//! In: the tree that stays and the layers that it came from, each on its own. Out: findings of files, then those of the
//! config. Files are read in the order in which they lie in their layers, each content once however many names it has.

use super::config::{self, Words};
use super::finding::{Finding, Kind, Place, Secret, State};
use super::look::{Look, look};
use super::{READ, scan};
use crate::error::Error;
use crate::rootfs::{Content, Descend, Files, InodeKind, LayerId, RootPath, Source, Tree, Upper};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An image, before and after.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// What stays, after all drops.
    pub tree: &'a Tree,
    /// The layers, lowest first.
    pub layers: &'a [(LayerId, &'a Upper)],
    /// How many of them, from the lowest on, the result has as they are: what they hold is hidden at best.
    pub kept: usize,
}

/// Where a content lies: two names with the same place are one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Layer(LayerId, u64),
    /// Bytes at hand, by their address.
    Owned(usize),
}

/// A file to look into.
struct Candidate<'a> {
    key: Option<Key>,
    content: &'a Content,
    path: RootPath,
    look: Look,
    state: State,
    /// From 1 on.
    layer: Option<u64>,
}

/// Looks for secrets: in the files that stay, in those that an earlier layer held, and in the words of the config.
/// Sorted: what is still there first.
///
/// # Errors
///
/// As [`Files::read_at`].
pub fn find(held: &Held<'_>, words: &Words, files: &dyn Files) -> Result<Vec<Finding>, Error> {
    let mut candidates = candidates(held);
    // Those that stay first: what else has the same secret tells nothing new.
    candidates.sort_by(|a, b| (a.state, a.key, &a.path).cmp(&(b.state, b.key, &b.path)));
    let mut findings = Vec::new();
    let mut known: BTreeSet<Secret> = BTreeSet::new();
    let mut buffer = Vec::new();
    for candidate in candidates {
        let size = usize::try_from(candidate.content.size).unwrap_or(READ).min(READ);
        buffer.resize(size, 0);
        let read = files
            .read_at(candidate.content, 0, &mut buffer)
            .map_err(|error| error.at_entry(candidate.path.as_bytes()))?;
        for (line, hit) in scan::file(buffer.get(..read).unwrap_or_default(), candidate.look.check) {
            if known.insert(hit.secret) || candidate.state == State::Present {
                findings.push(Finding {
                    state: candidate.state,
                    place: Place::File(candidate.path.clone()),
                    // A store has no lines.
                    line: (hit.kind != Kind::KeyStore).then_some(line),
                    kind: hit.kind,
                    name: hit.name,
                    layer: candidate.layer,
                });
            }
        }
    }
    findings.extend(config::findings(words));
    findings.sort();
    Ok(findings)
}

fn candidates<'a>(held: &Held<'a>) -> Vec<Candidate<'a>> {
    let mut positions: BTreeMap<LayerId, u64> = BTreeMap::new();
    for (number, (id, _)) in (1u64..).zip(held.layers) {
        positions.entry(*id).or_insert(number);
    }
    let mut seen = BTreeSet::new();
    let mut candidates = Vec::new();
    files(held.tree, &mut |path, content| {
        add(
            &mut candidates,
            &mut seen,
            path,
            content,
            State::Present,
            layer(content).and_then(|id| positions.get(&id).copied()),
        );
    });
    for (position, (_, upper)) in held.layers.iter().enumerate() {
        let state = if position < held.kept { State::Hidden } else { State::Removed };
        files(&upper.tree, &mut |path, content| {
            add(&mut candidates, &mut seen, path, content, state, Some((position as u64).saturating_add(1)));
        });
    }
    candidates
}

fn add<'a>(
    candidates: &mut Vec<Candidate<'a>>,
    seen: &mut BTreeSet<Key>,
    path: &RootPath,
    content: &'a Content,
    state: State,
    layer: Option<u64>,
) {
    let key = key(content);
    if key.is_none_or(|key| seen.insert(key))
        && let Some(look) = look(path, content.size)
    {
        candidates.push(Candidate { key, content, path: path.clone(), look, state, layer });
    }
}

/// Every regular file of a tree, by each of its names.
fn files<'a>(tree: &'a Tree, visit: &mut impl FnMut(&RootPath, &'a Content)) {
    tree.walk(&mut |path, node| {
        if let InodeKind::File(content) = &tree.inode_of(node).kind {
            visit(path, content);
        }
        Descend::Yes
    });
}

/// `None` for what a decision joined: its parts have places of their own.
fn key(content: &Content) -> Option<Key> {
    match &content.source {
        Source::Layer(layer, offset) => Some(Key::Layer(*layer, *offset)),
        Source::Sparse(layer, extents) => Some(Key::Layer(*layer, extents.first().map_or(0, |extent| extent.offset))),
        Source::Owned(bytes) => Some(Key::Owned(Arc::as_ptr(bytes).cast::<u8>().addr())),
        Source::Joined(_) => None,
    }
}

fn layer(content: &Content) -> Option<LayerId> {
    match &content.source {
        Source::Layer(layer, _) | Source::Sparse(layer, _) => Some(*layer),
        Source::Owned(_) => None,
        Source::Joined(parts) => parts.iter().find_map(layer),
    }
}

#[cfg(test)]
mod tests;
