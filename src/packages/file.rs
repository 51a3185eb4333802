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
    /// What stands at a path, if that is a regular file.
    pub(super) fn at(tree: &Tree, path: RootPath, node: NodeId) -> Option<Self> {
        match &tree.inode_of(node).kind {
            InodeKind::File(content) => Some(Self { path, node, content: content.clone() }),
            _ => None,
        }
    }

    /// The one of these files; `Unsupported` where they are two, and nobody can say which of them holds.
    pub(super) fn only(files: impl Iterator<Item = Self>, manager: &str) -> Result<Option<Self>, Error> {
        let mut found: Option<Self> = None;
        for file in files {
            match &found {
                // Several names may lead to one file, as on a merged tree.
                Some(first) if first.node != file.node => {
                    let both = format!("{} and {} are both an {manager} database", first.path, file.path);
                    return Err(Error::unsupported(both));
                }
                Some(_) => {}
                None => found = Some(file),
            }
        }
        Ok(found)
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
