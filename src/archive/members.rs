//! The members of an archive: a clean path in, the bytes that stand there out, whether the input is a tar or a
//! directory.
//!
//! Links are followed inside the input only, as `docker save` writes `../<id>/layer.tar` for a layer that stands
//! twice; never out of it, never in circles (hostile.md 25). A name that stands twice must have the same bytes.

use super::Blob;
use super::layout::Directory;
use super::unchanged::Opened;
use crate::error::{Error, escape};
use crate::layer::{BlobInput, scan};
use crate::options::Limits;
use crate::rootfs::{Content, Entry, EntryKind, LayerId, RootPath, Source};
use crate::warning::Warnings;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::fs::File;
use std::sync::Arc;

/// What stands at a path of the input.
#[derive(Debug, Clone)]
pub(super) enum Node {
    File(Blob),
    Directory,
    /// Where it leads, seen from its own directory.
    Symlink(Vec<u8>),
    /// Where it leads, seen from the root of the archive.
    HardLink(Vec<u8>),
    /// Anything else, in words.
    Other(&'static str),
}

impl Node {
    fn of(kind: EntryKind, file: &Arc<File>) -> Result<Self, Error> {
        Ok(match kind {
            EntryKind::File(Content { size, source: Source::Layer(_, offset) }) => {
                Self::File(Blob::new(Arc::clone(file), offset, size))
            }
            EntryKind::File(_) => {
                return Err(Error::unsupported("the member is stored sparsely").hint("write the tar without -S"));
            }
            EntryKind::Directory => Self::Directory,
            EntryKind::Symlink(target) => Self::Symlink(target.into()),
            EntryKind::HardLink(target) => Self::HardLink(target.as_bytes().to_vec()),
            EntryKind::CharDevice(_) => Self::Other("a character device"),
            EntryKind::BlockDevice(_) => Self::Other("a block device"),
            EntryKind::Fifo => Self::Other("a named pipe"),
        })
    }
}

/// The members of an archive, or the files of a layout directory.
#[derive(Debug)]
pub(super) struct Members {
    tree: Tree,
    hops: u64,
}

#[derive(Debug)]
enum Tree {
    Tar(HashMap<RootPath, Node>),
    Directory(Directory),
}

impl Members {
    /// Indexes a tar, read as strictly as a layer's.
    pub(super) fn of_tar(file: &Arc<File>, len: u64, limits: &Limits) -> Result<Self, Error> {
        let tar = Blob::new(Arc::clone(file), 0, len);
        let mut nodes = HashMap::new();
        let mut count = 0u64;
        let mut push = |entry: Entry| {
            count = count.saturating_add(1);
            if count > limits.members {
                return Err(Error::limit(format!("the archive has more than {} members", limits.members))
                    .hint("raise it with --limit members=N"));
            }
            let node = Node::of(entry.kind, file)?;
            match nodes.entry(entry.path) {
                Place::Vacant(place) => {
                    place.insert(node);
                }
                // Docker takes the last one, containers/image the first (hostile.md 22).
                Place::Occupied(first) if !is_same(first.get(), &node)? => {
                    return Err(Error::malformed("the name stands twice in the archive, with different content"));
                }
                Place::Occupied(_) => {}
            }
            Ok(())
        };
        // What is odd about the outer tar's headers says nothing about an image.
        scan(&mut BlobInput::new(&tar), LayerId(0), limits, &mut Warnings::default(), &mut push)?;
        Ok(Self { tree: Tree::Tar(nodes), hops: limits.symlinks })
    }

    /// Looks into a directory, lazily.
    pub(super) fn of_directory(directory: Directory, limits: &Limits) -> Self {
        Self { tree: Tree::Directory(directory), hops: limits.symlinks }
    }

    /// The files of a directory that were opened.
    pub(super) fn opened(self) -> Vec<Opened> {
        match self.tree {
            Tree::Tar(_) => Vec::new(),
            Tree::Directory(directory) => directory.opened(),
        }
    }

    /// Whether there is nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        matches!(&self.tree, Tree::Tar(nodes) if nodes.is_empty())
    }

    /// The bytes at a path, links followed; `None` where nothing stands there.
    pub(super) fn find(&self, path: &RootPath) -> Result<Option<Blob>, Error> {
        self.follow(path).map_err(|error| error.at_entry(path.as_bytes()))
    }

    /// The paths of all that is no directory, in no order.
    pub(super) fn files(&self, limits: &Limits) -> Result<Vec<RootPath>, Error> {
        match &self.tree {
            Tree::Tar(nodes) => Ok(nodes
                .iter()
                .filter(|(_, node)| !matches!(node, Node::Directory))
                .map(|(path, _)| path.clone())
                .collect()),
            Tree::Directory(directory) => directory.files(limits),
        }
    }

    fn node(&self, path: &RootPath) -> Result<Option<Node>, Error> {
        match &self.tree {
            Tree::Tar(nodes) => Ok(nodes.get(path).cloned()),
            Tree::Directory(directory) => directory.node(path),
        }
    }

    fn follow(&self, path: &RootPath) -> Result<Option<Blob>, Error> {
        let mut done = RootPath::root();
        // What is still to walk, the next component last.
        let mut ahead: Vec<Vec<u8>> = path.components().rev().map(<[u8]>::to_vec).collect();
        let mut seen: Vec<(RootPath, Vec<Vec<u8>>)> = Vec::new();
        while let Some(component) = ahead.pop() {
            match component.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    done = done.split_last().ok_or_else(outside)?.0;
                    continue;
                }
                _ => {}
            }
            let here = done.join(&component);
            let target = match self.node(&here)? {
                // A tar need not name its directories.
                None | Some(Node::Directory) if !ahead.is_empty() => {
                    done = here;
                    continue;
                }
                None => return Ok(None),
                Some(Node::File(_)) if !ahead.is_empty() => return Ok(None),
                Some(Node::File(blob)) => return Ok(Some(blob)),
                Some(Node::Directory) => return Err(no_file("a directory")),
                Some(Node::Other(what)) => return Err(no_file(what)),
                Some(Node::Symlink(target)) if target.first() == Some(&b'/') => return Err(outside()),
                Some(Node::Symlink(target)) => target,
                Some(Node::HardLink(target)) => {
                    done = RootPath::root();
                    target
                }
            };
            let state = (here, ahead.clone());
            if seen.contains(&state) {
                return Err(Error::malformed("the links go round in a circle"));
            }
            seen.push(state);
            if seen.len() as u64 > self.hops {
                return Err(Error::limit(format!("more than {} links on the way to a file", self.hops))
                    .hint("raise --limit symlinks=N"));
            }
            ahead.extend(target.split(|&byte| byte == b'/').rev().map(<[u8]>::to_vec));
        }
        Err(no_file("a directory"))
    }
}

/// The path that a document of the archive names; `what` says where, already escaped.
pub(super) fn named_path(text: &str, what: &str) -> Result<RootPath, Error> {
    let refused = |why: &str| {
        let shown: String = text.chars().take(160).collect();
        Error::malformed(format!("{what} names the path \"{}\", which {why}", escape(shown.as_bytes())))
    };
    if text.is_empty() || text.contains('\0') {
        return Err(refused("is empty or contains a NUL byte"));
    }
    if text.starts_with('/') || text.contains('\\') || text.split('/').any(|part| part == "..") {
        return Err(refused("could leave the archive"));
    }
    let path = RootPath::from_entry_name(text.as_bytes())?;
    let documents: [&[u8]; 5] = [b"", b"manifest.json", b"repositories", b"index.json", b"oci-layout"];
    if documents.contains(&path.as_bytes()) {
        return Err(refused("is a document of the archive itself"));
    }
    Ok(path)
}

fn outside() -> Error {
    Error::malformed("the link leads out of the archive")
}

fn no_file(what: &str) -> Error {
    Error::malformed(format!("a file is expected here, and it is {what}"))
}

fn is_same(one: &Node, other: &Node) -> Result<bool, Error> {
    Ok(match (one, other) {
        (Node::File(one), Node::File(other)) => is_same_content(one, other)?,
        (Node::Directory, Node::Directory) => true,
        (Node::Symlink(one), Node::Symlink(other)) | (Node::HardLink(one), Node::HardLink(other)) => one == other,
        _ => false,
    })
}

fn is_same_content(one: &Blob, other: &Blob) -> Result<bool, Error> {
    if one.len() != other.len() {
        return Ok(false);
    }
    let (mut ours, mut theirs) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut at = 0u64;
    while at < one.len() {
        let len = usize::try_from(one.len().saturating_sub(at)).unwrap_or(usize::MAX).min(ours.len());
        let (Some(ours), Some(theirs)) = (ours.get_mut(..len), theirs.get_mut(..len)) else { break };
        for (blob, bytes) in [(one, &mut *ours), (other, &mut *theirs)] {
            blob.read_exact_at(bytes, at).map_err(|cause| Error::io("compare two members of one name", cause))?;
        }
        if ours != theirs {
            return Ok(false);
        }
        at = at.saturating_add(len as u64);
    }
    Ok(true)
}

#[cfg(test)]
#[path = "members_tests.rs"]
mod tests;
