//! The root filesystem of a written image, held against what it should be.
//!
//! In: what the input's layers showed before anything was decided, what was decided to stay, and the tree that was read back. Out: what
//! was compared, or the first entry that differs. Expected is the first without the names that the second lacks, which must be as many as the rules'
//! own counts say; of the second only what a decision wrote itself is taken: records of packages, files without debug sections. Memory
//! grows with the number of entries.

use super::Decision;
use crate::cancel::Cancel;
use crate::error::{Error, escape};
use crate::layer::{Half, same_content};
use crate::pipeline::decide::remaining;
use crate::pipeline::layers::Layers;
use crate::report::{Accounting, Verified};
use crate::rootfs::{
    Aspect, Change, Content, Descend, Detail, Difference, InodeId, NodeId, RootPath, Tally, Time, Tree, diff,
};
use rayon::prelude::*;

/// Where the bytes of both sides lie.
pub(super) struct Sides<'a> {
    pub(super) input: &'a Layers,
    pub(super) written: &'a Layers,
    pub(super) cancel: &'a Cancel,
}

/// What was compared.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    entries: u64,
    files: u64,
    bytes: u64,
}

impl Counted {
    pub(super) fn add_to(self, verified: &mut Verified) {
        verified.entries = verified.entries.saturating_add(self.entries);
        verified.files = verified.files.saturating_add(self.files);
        verified.bytes = verified.bytes.saturating_add(self.bytes);
    }
}

/// Compares a written image with its input. Takes what `decision` kept for it.
pub(super) fn compare(
    decision: &mut Decision,
    written: &Tree,
    sides: &Sides<'_>,
    clamp: Option<i64>,
) -> Result<Counted, Error> {
    let Some((before, base)) = decision.before.take() else {
        return Err(Error::integrity("nothing is known of what the input showed"));
    };
    let mut expected = expect(before, &decision.tree, &decision.report.accounting)?;
    if let Some(seconds) = clamp {
        clamp_times(&mut expected, base.as_ref(), written, Time { seconds, nanos: 0 });
    }
    let mut contents = Contents::new(sides);
    let differences = diff(&expected, written, &mut |path, one, other| contents.add(path, one, other))?;
    contents.compare()?;
    let mut counted = Counted { files: contents.files, bytes: contents.bytes, entries: 0 };
    let first = differences.iter().map(|difference| (&difference.path, told(difference)));
    let first = first.min_by(|one, other| one.0.components().cmp(other.0.components()));
    let of_content = contents.differs.as_ref().map(|path| (path, CONTENT.to_owned()));
    let of_owner = owners(&expected, written);
    let of_owner = of_owner.as_ref().map(|(path, what)| (path, what.clone()));
    let all = [first, of_content, of_owner].into_iter().flatten();
    if let Some((path, what)) = all.min_by(|one, other| one.0.components().cmp(other.0.components())) {
        return Err(Error::integrity(what).at_entry(path.as_bytes()));
    }
    written.walk(&mut |path, _| {
        counted.entries = counted.entries.saturating_add(u64::from(!path.is_root()));
        Descend::Yes
    });
    Ok(counted)
}

/// What should be there: `tree` without what `decided` lacks, and with what a decision wrote.
fn expect(mut tree: Tree, decided: &Tree, account: &Accounting) -> Result<Tree, Error> {
    let shown = remaining(&tree);
    let mut gone = Tally::default();
    for (directory, name) in lacking(&tree, decided) {
        tree.remove(directory, &name, &mut gone);
    }
    let by_rules = |part: fn(&Tally) -> u64| part(&account.dropped).saturating_sub(part(&account.metadata));
    let (entries, bytes) = (by_rules(|tally| tally.entries), by_rules(|tally| tally.bytes));
    if gone.entries != entries {
        let what = format!("{} entries of the input are gone, and the rules dropped {entries}", gone.entries);
        return Err(Error::integrity(what));
    }
    // Bytes also go from files that stay.
    let missing = shown.bytes.saturating_sub(account.kept.bytes);
    if missing != bytes {
        let what = format!("{missing} bytes of the input are gone, and the rules dropped {bytes}");
        return Err(Error::integrity(what));
    }
    decided.walk(&mut |path, node| {
        let inode = decided.inode_of(node);
        if inode.is_rewritten() && !decided.is_directory(node) {
            match tree.lookup(path) {
                Some(node) if tree.is_directory(node) => {}
                Some(node) => drop(tree.rewrite(node, inode.kind.clone())),
                None => drop(tree.insert(path, inode.kind.clone(), inode.meta.clone())),
            }
        }
        Descend::Yes
    });
    Ok(tree)
}

/// The names of `tree` that `decided` lacks, and those that a decision made anew where a rule had dropped them.
fn lacking(tree: &Tree, decided: &Tree) -> Vec<(NodeId, Box<[u8]>)> {
    let mut found = Vec::new();
    let mut open = vec![(Tree::ROOT, Tree::ROOT)];
    while let Some((directory, of_decided)) = open.pop() {
        for (name, &node) in tree.children(directory) {
            let same = |stays: NodeId| {
                let has_entry = |tree: &Tree, node| tree.node(node).origin.is_some();
                has_entry(tree, node) == has_entry(decided, stays)
                    && tree.is_directory(node) == decided.is_directory(stays)
            };
            let stays = decided.child(of_decided, name).filter(|&stays| same(stays));
            match stays {
                None => found.push((directory, name.clone())),
                Some(stays) if tree.is_directory(node) && decided.is_directory(stays) => open.push((node, stays)),
                Some(_) => {}
            }
        }
    }
    found
}

/// Clamps the times of what was written. A layer that stays keeps its own, and it may have what the new one has too.
fn clamp_times(expected: &mut Tree, base: Option<&Tree>, written: &Tree, latest: Time) {
    let mut later: Vec<InodeId> = Vec::new();
    expected.walk(&mut |path, node| {
        let meta = &expected.inode_of(node).meta;
        if meta.mtime > latest {
            let of_base = base.and_then(|base| base.lookup(path).map(|node| &base.inode_of(node).meta));
            let as_before = || written.lookup(path).is_some_and(|node| written.inode_of(node).meta.mtime == meta.mtime);
            // No layer has an entry for these, so there is nothing that a time could be written into.
            let is_implied = expected.node(node).origin.is_none() && has_no_entry(path);
            if !(is_implied || of_base == Some(meta) && as_before()) {
                later.push(expected.node(node).inode);
            }
        }
        Descend::Yes
    });
    for inode in later {
        expected.clamp(inode, latest);
    }
}

/// The root (M84), and a directory that is called like a whiteout (M26).
fn has_no_entry(path: &RootPath) -> bool {
    path.components().next_back().is_none_or(|name| name.starts_with(b".wh."))
}

/// The first name whose owner is called otherwise: engines show numbers, archives carry both.
fn owners(expected: &Tree, written: &Tree) -> Option<(RootPath, String)> {
    let mut first = None;
    expected.walk(&mut |path, node| {
        let Some(other) = written.lookup(path).filter(|_| first.is_none()) else { return Descend::No };
        let (one, other) = (&expected.inode_of(node).meta.owner, &written.inode_of(other).meta.owner);
        if one != other {
            let show = |names: &crate::rootfs::OwnerNames| format!("{}:{}", escape(&names.user), escape(&names.group));
            first = Some((path.clone(), unlike("owner's name", &show(other), &show(one))));
        }
        Descend::Yes
    });
    first
}

const CONTENT: &str = "the bytes of the file in the written image are not those of the input";

fn unlike(what: &str, found: &str, expected: &str) -> String {
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    format!("{what} {} in the written image, not {}", or_none(found), or_none(expected))
}

fn told(difference: &Difference) -> String {
    match (difference.change, difference.details.first()) {
        (Change::Added, _) => "the written image has it, and should not".into(),
        (Change::Removed, _) | (_, None) => "the written image lacks it".into(),
        (_, Some(Detail { what: Aspect::Content, .. })) => CONTENT.into(),
        (_, Some(Detail { what, before, after })) => unlike(&what.name().replace('-', " "), after, before),
    }
}

/// Files that are still to be compared.
struct Contents<'a> {
    sides: &'a Sides<'a>,
    open: Vec<(RootPath, Content, Content)>,
    /// Their bytes.
    size: u64,
    files: u64,
    bytes: u64,
    differs: Option<RootPath>,
}

/// Files and bytes that are compared side by side at most.
const TOGETHER: (usize, u64) = (1024, 256 << 20);

impl<'a> Contents<'a> {
    fn new(sides: &'a Sides<'a>) -> Self {
        Self { sides, open: Vec::new(), size: 0, files: 0, bytes: 0, differs: None }
    }

    /// Notes a pair of files; says that they are the same, since the answer comes later.
    fn add(&mut self, path: &RootPath, input: &Content, written: &Content) -> Result<bool, Error> {
        self.open.push((path.clone(), input.clone(), written.clone()));
        self.size = self.size.saturating_add(input.size);
        if self.open.len() >= TOGETHER.0 || self.size >= TOGETHER.1 {
            self.compare()?;
        }
        Ok(true)
    }

    /// Compares what is noted, byte for byte.
    fn compare(&mut self) -> Result<(), Error> {
        let sides = self.sides;
        let compared = self.open.par_iter().map(|(path, input, written)| {
            let input = Half { content: input, sources: &|id| sides.input.tar(id), archive: "the input" };
            let written =
                Half { content: written, sources: &|id| sides.written.tar(id), archive: "the written archive" };
            same_content(input, written, &|| sides.cancel.check()).map_err(|error| error.at_entry(path.as_bytes()))
        });
        let compared: Vec<Result<bool, Error>> = compared.collect();
        for ((path, content, _), same) in self.open.drain(..).zip(compared) {
            self.files = self.files.saturating_add(1);
            self.bytes = self.bytes.saturating_add(content.size);
            if !same? {
                self.differs.get_or_insert(path);
            }
        }
        self.size = 0;
        Ok(())
    }
}
