//! What a decision writes into a tree: records of packages, files without content, programs without debug sections.
//!
//! In: a tree whose drops are applied. Out: the tree changed, and a tally of what went from files that stay and of what no layer held: for
//! each file the smaller of its old and new size stays, the rest went or was added.

use super::layers::Layers;
use crate::error::{Error, escape};
use crate::packages::Write;
use crate::report::{Left, RuleDrops, Stripped};
use crate::rootfs::{Content, Descend, InodeKind, Meta, NodeId, RootPath, Tally, Tree};
use crate::strip;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// What changes did to the account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Went from files that stay: bytes alone.
    pub(super) dropped: Tally,
    /// In no layer of the input.
    pub(super) added: Tally,
}

impl Change {
    /// As the report shows it.
    pub(super) fn as_drops(&self, preset: &str, rule: &str, reason: &str) -> Option<RuleDrops> {
        let dropped = self.dropped;
        let shown = RuleDrops { preset: preset.into(), rule: rule.into(), reason: reason.into(), dropped };
        (dropped != Tally::default()).then_some(shown)
    }

    /// Gives a name another kind, and counts what that does.
    fn rewrite(&mut self, tree: &mut Tree, node: NodeId, kind: InodeKind) {
        let gone = tree.rewrite(node, kind);
        let inode = tree.inode_of(node);
        self.dropped.bytes = self.dropped.bytes.saturating_add(gone);
        self.added.bytes = self.added.bytes.saturating_add(inode.kind.size().saturating_sub(inode.held()));
    }
}

/// Writes what packages have to say. What the tree has no room for, because a file stands where a directory should, is left out.
pub(super) fn write(tree: &mut Tree, writes: Vec<Write>) -> Change {
    let mut change = Change::default();
    for Write { path, kind, mode } in writes {
        match tree.lookup(&path) {
            Some(node) if !tree.is_directory(node) => change.rewrite(tree, node, kind),
            Some(_) => {}
            None => {
                let bytes = kind.size();
                if tree.insert(&path, kind, Meta { mode, ..Meta::default() }).is_some() {
                    change.added += Tally { entries: 1, bytes };
                }
            }
        }
    }
    change
}

/// Takes the content of a file; how many bytes that were.
pub(super) fn truncate(tree: &mut Tree, path: &RootPath) -> Tally {
    let node = tree.lookup(path).filter(|node| !tree.is_directory(*node));
    let bytes = node.map(|node| tree.rewrite(node, InodeKind::File(Content::owned(&b""[..]))));
    Tally { entries: 0, bytes: bytes.unwrap_or_default() }
}

/// Whether a file is held against a signature or a hash of all its bytes when it is loaded: by libgcrypt (`.NAME.hmac`), GnuTLS and NSS
/// (`NAME.chk`), OpenSSL (`fips.so`), or the kernel (IMA).
fn is_signed(tree: &Tree, path: &RootPath, node: NodeId) -> bool {
    let Some((directory, name)) = path.split_last() else { return false };
    let stem = name.strip_suffix(b".so").unwrap_or(name);
    let beside = [[b".", name, b".hmac"].concat(), [name, b".chk"].concat(), [stem, b".chk"].concat()];
    let records = &tree.inode_of(node).meta.records;
    name == b"fips.so"
        || beside.iter().any(|name| tree.lookup(&directory.join(name)).is_some())
        || records.iter().any(|record| record.key.ends_with(b"security.ima"))
}

/// Takes the debug sections of every ELF file that is written (`--strip-debug`): names below number `base` stay in layers of their own.
pub(super) fn strip_debug(tree: &mut Tree, base: usize, layers: &Layers) -> Result<(Change, Stripped), Error> {
    let mut files: Vec<(RootPath, NodeId, Content)> = Vec::new();
    let mut seen = vec![false; tree.inode_bound()];
    let mut is_written = vec![false; tree.inode_bound()];
    tree.walk(&mut |path, node| {
        let inode = tree.node(node).inode;
        if let Some(is_written) = is_written.get_mut(inode.index()).filter(|_| node.index() >= base) {
            *is_written = true;
        }
        if let (InodeKind::File(content), Some(seen)) = (&tree.inode(inode).kind, seen.get_mut(inode.index()))
            && !std::mem::replace(seen, true)
            && !is_signed(tree, path, node)
        {
            files.push((path.clone(), node, content.clone()));
        }
        Descend::Yes
    });
    files.retain(|(_, node, _)| is_written.get(tree.node(*node).inode.index()) == Some(&true));
    let planned = files.into_par_iter().map(|(path, node, content)| {
        let planned = strip::strip_debug(layers, &content).map_err(|error| error.at_entry(path.as_bytes()))?;
        Ok((node, planned))
    });
    let planned: Vec<Result<_, Error>> = planned.collect();
    let (mut change, mut stripped, mut left) = (Change::default(), Stripped::default(), BTreeMap::<&str, u64>::new());
    for planned in planned {
        match planned? {
            (node, Ok(content)) => {
                stripped.files = stripped.files.saturating_add(1);
                change.rewrite(tree, node, InodeKind::File(content));
            }
            (_, Err(skip)) if !skip.is_telling() => {}
            (_, Err(skip)) => {
                let count = left.entry(skip.text()).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    stripped.bytes = change.dropped.bytes;
    stripped.left = left.into_iter().map(|(why, files)| Left { why: escape(why.as_bytes()), files }).collect();
    Ok((change, stripped))
}
