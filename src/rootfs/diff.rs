//! What differs between two root filesystems. In: two trees, and a way to tell contents apart. Out: one change a
//! path, in the order of a walk. Never a look at a byte of content.
//!
//! Owners are compared by number: a container knows no other. Names of owners are not part of a root filesystem.

use super::entry::{Content, Device, Meta, Record, Time};
use super::path::RootPath;
use super::tree::{InodeKind, NodeId, Tree};
use crate::error::{Error, escape};
use std::collections::{BTreeSet, HashMap};

/// Which of two trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

/// A path that is not the same in both trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: RootPath,
    /// In which way.
    pub what: What,
}

/// In which way a path differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Only the second tree has it; what it is there.
    Added(&'static str),
    /// Only the first tree has it; what it is there.
    Removed(&'static str),
    /// Both have it, and these aspects differ; never empty.
    Changed(Vec<Aspect>),
}

/// One thing about a path that differs. Values are shown, and escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aspect {
    /// Such as `mode` or `xattr user.k`.
    pub name: String,
    /// In the first tree.
    pub a: String,
    /// In the second tree.
    pub b: String,
}

/// The PAX prefix under which an extended attribute travels.
const XATTR: &[u8] = b"SCHILY.xattr.";
/// Bytes of a record's value that are shown.
const SHOWN: usize = 40;

/// Compares two trees. `digest` is asked for the contents of regular files of equal size; what it returns is equal
/// where the bytes are.
///
/// # Errors
///
/// Those of `digest`.
pub fn compare<D: PartialEq>(
    a: &Tree,
    b: &Tree,
    digest: &mut dyn FnMut(Side, &Content) -> Result<D, Error>,
) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    let mut links = Links::default();
    // Not a recursion: a hostile tree may be ten thousand deep.
    let mut open = vec![(RootPath::root(), Some(Tree::ROOT), Some(Tree::ROOT))];
    while let Some((path, in_a, in_b)) = open.pop() {
        for (name, below_a, below_b) in below(a, b, in_a, in_b).into_iter().rev() {
            open.push((path.join(name), below_a, below_b));
        }
        let what = match (in_a, in_b) {
            (Some(in_a), Some(in_b)) => {
                let mut aspects = aspects(a, b, in_a, in_b, digest)?;
                aspects.extend(links.compare(a, b, in_a, in_b, &path));
                if aspects.is_empty() {
                    continue;
                }
                What::Changed(aspects)
            }
            (Some(in_a), None) => What::Removed(kind(&a.inode_of(in_a).kind)),
            (None, Some(in_b)) => What::Added(kind(&b.inode_of(in_b).kind)),
            (None, None) => continue,
        };
        changes.push(Change { path, what });
    }
    Ok(changes)
}

type Below<'a> = (&'a [u8], Option<NodeId>, Option<NodeId>);

/// The names in a directory of either tree, sorted.
fn below<'a>(a: &'a Tree, b: &'a Tree, in_a: Option<NodeId>, in_b: Option<NodeId>) -> Vec<Below<'a>> {
    fn names(tree: &Tree, directory: Option<NodeId>) -> impl Iterator<Item = &[u8]> {
        directory.into_iter().flat_map(|directory| tree.children(directory)).map(|(name, _)| &**name)
    }
    let names: BTreeSet<&[u8]> = names(a, in_a).chain(names(b, in_b)).collect();
    let child = |tree: &Tree, directory: Option<NodeId>, name: &[u8]| tree.child(directory?, name);
    names.into_iter().map(|name| (name, child(a, in_a, name), child(b, in_b, name))).collect()
}

fn aspects<D: PartialEq>(
    a: &Tree,
    b: &Tree,
    in_a: NodeId,
    in_b: NodeId,
    digest: &mut dyn FnMut(Side, &Content) -> Result<D, Error>,
) -> Result<Vec<Aspect>, Error> {
    let (a, b) = (a.inode_of(in_a), b.inode_of(in_b));
    let mut aspects = Vec::new();
    let mut differ = |name: &str, a: String, b: String| aspects.push(Aspect { name: name.into(), a, b });
    match (&a.kind, &b.kind) {
        (InodeKind::File(a), InodeKind::File(b)) if a.size != b.size => {
            differ("size", a.size.to_string(), b.size.to_string());
        }
        (InodeKind::File(a), InodeKind::File(b)) => {
            // One place in one archive is the same bytes; only the caller knows whether it is one archive.
            let same = a.size == 0 || digest(Side::A, a)? == digest(Side::B, b)?;
            if !same {
                differ("content", format!("{} bytes", a.size), "as many, others".into());
            }
        }
        (InodeKind::Symlink(a), InodeKind::Symlink(b)) if a != b => differ("target", escape(a), escape(b)),
        (InodeKind::CharDevice(a), InodeKind::CharDevice(b))
        | (InodeKind::BlockDevice(a), InodeKind::BlockDevice(b))
            if a != b =>
        {
            differ("device", device(*a), device(*b));
        }
        (a, b) if kind(a) != kind(b) => differ("type", kind(a).into(), kind(b).into()),
        _ => {}
    }
    aspects.extend(meta(&a.meta, &b.meta));
    Ok(aspects)
}

fn meta(a: &Meta, b: &Meta) -> Vec<Aspect> {
    let mut aspects = Vec::new();
    let mut differ = |name: String, a: String, b: String| {
        if a != b {
            aspects.push(Aspect { name, a, b });
        }
    };
    differ("mode".into(), format!("{:04o}", a.mode), format!("{:04o}", b.mode));
    differ("owner".into(), format!("{}:{}", a.uid, a.gid), format!("{}:{}", b.uid, b.gid));
    differ("mtime".into(), time(a.mtime), time(b.mtime));
    let find = |records: &[Record], key: &[u8]| records.iter().find(|record| *record.key == *key).cloned();
    let keys: BTreeSet<&[u8]> = a.records.iter().chain(b.records.iter()).map(|record| &*record.key).collect();
    for key in keys {
        let (a, b) = (find(&a.records, key), find(&b.records, key));
        if a == b {
            continue;
        }
        let name = match key.strip_prefix(XATTR) {
            Some(name) => format!("xattr {}", escape(name)),
            None => escape(key),
        };
        aspects.push(Aspect { name, a: value(a.as_ref()), b: value(b.as_ref()) });
    }
    aspects
}

/// Hard links: names of one inode in one tree and of two in the other. Only names that both trees have count, so
/// that a name that is gone is not told twice.
#[derive(Debug, Default)]
struct Links {
    a: HashMap<usize, RootPath>,
    b: HashMap<usize, RootPath>,
}

impl Links {
    fn compare(&mut self, a: &Tree, b: &Tree, in_a: NodeId, in_b: NodeId, path: &RootPath) -> Option<Aspect> {
        let (first_a, first_b) = (first(a, in_a, path, &mut self.a), first(b, in_b, path, &mut self.b));
        let shown = |first: &RootPath| if first == path { "none before".into() } else { first.to_string() };
        let differ = first_a != first_b;
        differ.then(|| Aspect { name: "hard link".into(), a: shown(&first_a), b: shown(&first_b) })
    }
}

/// The first name of an inode among those that were compared.
fn first(tree: &Tree, node: NodeId, path: &RootPath, firsts: &mut HashMap<usize, RootPath>) -> RootPath {
    let inode = tree.inode_of(node);
    if inode.kind == InodeKind::Directory || inode.names() < 2 {
        return path.clone();
    }
    firsts.entry(tree.node(node).inode.index()).or_insert_with(|| path.clone()).clone()
}

fn kind(kind: &InodeKind) -> &'static str {
    match kind {
        InodeKind::File(_) => "file",
        InodeKind::Directory => "directory",
        InodeKind::Symlink(_) => "symlink",
        InodeKind::CharDevice(_) => "character device",
        InodeKind::BlockDevice(_) => "block device",
        InodeKind::Fifo => "fifo",
        InodeKind::Lower(_) => "hard link to a lower layer",
    }
}

fn device(device: Device) -> String {
    format!("{}:{}", device.major, device.minor)
}

fn time(time: Time) -> String {
    if time.nanos == 0 { time.seconds.to_string() } else { format!("{}+{}ns", time.seconds, time.nanos) }
}

fn value(record: Option<&Record>) -> String {
    let Some(record) = record else { return "none".into() };
    match record.value.split_at_checked(SHOWN) {
        Some((start, rest)) if !rest.is_empty() => format!("{}... ({} bytes)", escape(start), record.value.len()),
        _ => format!("\"{}\"", escape(&record.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Source;
    use super::super::{Merge, text};
    use super::*;
    use crate::options::SymlinkParents;

    fn tree(text: &str) -> Tree {
        let mut merge = Merge::new(SymlinkParents::Overlay, 40);
        merge.add(&text::upper(text).unwrap()).unwrap();
        merge.finish().tree
    }

    /// One line a change: `+ path type`, `- path type`, `M path name a -> b, ...`.
    fn compared(a: &str, b: &str) -> Vec<String> {
        let mut digest = |_, content: &Content| match &content.source {
            Source::Owned(bytes) => Ok(bytes.to_vec()),
            _ => Err(Error::malformed("no test has other content")),
        };
        let show = |change: Change| match change.what {
            What::Added(kind) => format!("+ {} {kind}", change.path),
            What::Removed(kind) => format!("- {} {kind}", change.path),
            What::Changed(aspects) => {
                let show = |Aspect { name, a, b }: Aspect| format!("{name} {a} -> {b}");
                format!("M {} {}", change.path, aspects.into_iter().map(show).collect::<Vec<_>>().join(", "))
            }
        };
        compare(&tree(a), &tree(b), &mut digest).unwrap().into_iter().map(show).collect()
    }

    const ALL: &str =
        "./ [0700]\nd/ [0711 5:6 @77]\nd/a [4755 user.k=v] = one\nd/s -> ../x\ndev char 1:3\nf = x\ng => f\np fifo";

    #[test]
    fn a_tree_is_the_same_as_itself() {
        assert_eq!(compared(ALL, ALL), Vec::<String>::new());
    }

    #[test]
    fn each_aspect_that_differs_is_told() {
        let cases = [
            ("f = x", "f = y", "M /f content 1 bytes -> as many, others"),
            ("f = x", "f = xy", "M /f size 1 -> 2"),
            ("f = x", "f/", "M /f type file -> directory, mode 0644 -> 0755"),
            ("f [0600] = x", "f [4600] = x", "M /f mode 0600 -> 4600"),
            ("f [1:2] = x", "f [1:3] = x", "M /f owner 1:2 -> 1:3"),
            ("f [@5] = x", "f [@5+7] = x", "M /f mtime 5 -> 5+7ns"),
            ("s -> a", "s -> b", "M /s target a -> b"),
            ("c char 1:3", "c char 1:5", "M /c device 1:3 -> 1:5"),
            ("c char 1:3", "c block 1:3", "M /c type character device -> block device"),
            ("f [user.k=v] = x", "f [user.l=v] = x", "M /f xattr user.k \"v\" -> none, xattr user.l none -> \"v\""),
            ("./ [0700]", "./ [0755]", "M / mode 0700 -> 0755"),
        ];
        for (a, b, told) in cases {
            assert_eq!(compared(a, b), [told], "{a} against {b}");
        }
    }

    #[test]
    fn a_name_that_one_tree_lacks_is_told_with_all_below_it() {
        assert_eq!(compared("d/\nd/e = x\nf = x", "f = x"), ["- /d directory", "- /d/e file"]);
        assert_eq!(compared("f = x", "d/\nd/e = x\nf = x"), ["+ /d directory", "+ /d/e file"]);
        assert_eq!(compared("d/\nd/e = x", "d = x").len(), 2);
    }

    #[test]
    fn a_hard_link_is_not_a_copy() {
        assert_eq!(compared("a = x\nb => a", "a = x\nb = x"), ["M /b hard link /a -> none before"]);
        assert_eq!(compared("a = x\nb = x", "a = x\nb => a"), ["M /b hard link none before -> /a"]);
        // The same three files with another one linked.
        assert_eq!(compared("a = x\nb => a\nc = x", "a = x\nb = x\nc => a").len(), 2);
    }

    #[test]
    fn a_link_that_is_gone_does_not_change_the_others() {
        assert_eq!(compared("a = x\nb => a\nc => a", "b = x\nc => b"), ["- /a file"]);
    }

    #[test]
    fn a_deep_tree_needs_no_deep_stack() {
        let path: Vec<String> = vec!["d".into(); 10_000];
        let deep = format!("{} = x", path.join("/"));
        assert_eq!(compared(&deep, &deep), Vec::<String>::new());
    }
}
