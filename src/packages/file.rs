//! A file of a database. In: a tree and a path. Out: where the file is once symlinks are followed, and its bytes, with a limit.

use super::edit::Write;
use crate::error::{Error, ErrorKind};
use crate::rootfs::{Content, Files, InodeKind, NodeId, RootPath, Tree, read_whole};

/// A regular file.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Where it is, symlinks followed.
    pub(super) path: RootPath,
    /// Its name there.
    pub(super) node: NodeId,
    /// Where its bytes are.
    pub(super) content: Content,
}

impl File {
    /// The regular file to which a path leads.
    pub(super) fn find(tree: &Tree, path: &RootPath, hops: u64) -> Option<Self> {
        let (path, node) = tree.resolve(path, true, hops)?;
        match &tree.inode_of(node).kind {
            InodeKind::File(content) => Some(Self { path, node, content: content.clone() }),
            _ => None,
        }
    }

    /// All of it; `Limit` where it has more than `limit` bytes.
    pub(super) fn read(&self, files: &dyn Files, limit: u64) -> Result<Vec<u8>, Error> {
        let what = || Error::limit(format!("{} has {} bytes, more than {limit}", self.path, self.content.size));
        let bytes = read_whole(files, &self.content, limit)?.ok_or_else(what)?;
        if bytes.len() as u64 == self.content.size {
            return Ok(bytes);
        }
        Err(Error::new(ErrorKind::Integrity, format!("{} ends before its size", self.path)))
    }

    /// The file with other bytes.
    pub(super) fn with(&self, bytes: Vec<u8>) -> Write {
        Write { path: self.path.clone(), kind: InodeKind::File(Content::owned(bytes)), mode: 0o644 }
    }
}
