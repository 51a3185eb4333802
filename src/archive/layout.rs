//! A layout directory: its path in, what stands at each path below it out.
//!
//! Opens regular files only, each once, so that two images share the blob of a shared layer. Never follows a
//! symlink by itself: links go through [`super::members`], which keeps them inside the directory.

use super::Blob;
use super::members::Node;
use super::unchanged::Opened;
use crate::error::Error;
use crate::options::Limits;
use crate::rootfs::RootPath;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How deep directories may stand inside one another; a layout has three levels.
const DEEPEST: usize = 64;

/// A directory and the files of it that were opened, by device and inode.
#[derive(Debug)]
pub(super) struct Directory {
    root: PathBuf,
    opened: RefCell<HashMap<(u64, u64), (Blob, Opened)>>,
}

impl Directory {
    /// A view of the directory at this path.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, opened: RefCell::default() }
    }

    /// The paths of all that is no directory.
    pub(super) fn files(&self, limits: &Limits) -> Result<Vec<RootPath>, Error> {
        let mut found = Vec::new();
        each_file(&self.root, limits, &mut |path, _| {
            if let Ok(path) = path.strip_prefix(&self.root) {
                found.push(RootPath::clamped(path.as_os_str().as_bytes()));
            }
        })?;
        Ok(found)
    }

    /// What stands at a clean path whose parents are known to be no symlinks.
    pub(super) fn node(&self, path: &RootPath) -> Result<Option<Node>, Error> {
        let place = self.root.join(OsStr::from_bytes(path.as_bytes()));
        let failed = |cause| Error::io("read the layout directory", cause);
        let meta = match fs::symlink_metadata(&place) {
            Ok(meta) => meta,
            Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(cause) => return Err(failed(cause)),
        };
        let kind = meta.file_type();
        if kind.is_dir() {
            return Ok(Some(Node::Directory));
        }
        if kind.is_symlink() {
            let target = fs::read_link(&place).map_err(failed)?;
            return Ok(Some(Node::Symlink(target.into_os_string().into_vec())));
        }
        if !kind.is_file() {
            return Ok(Some(Node::Other("a device, a pipe or a socket")));
        }
        let key = (meta.dev(), meta.ino());
        if let Some((blob, _)) = self.opened.borrow().get(&key) {
            return Ok(Some(Node::File(blob.clone())));
        }
        let file = File::open(&place).map_err(failed)?;
        let opened = file.metadata().map_err(failed)?;
        if (opened.dev(), opened.ino()) != key {
            return Err(Error::new(crate::error::ErrorKind::Io, "the layout directory changes while it is read"));
        }
        let file = Arc::new(file);
        let blob = Blob::new(Arc::clone(&file), 0, opened.len());
        let opened = Opened::new(file, &opened).named(path.as_bytes());
        self.opened.borrow_mut().insert(key, (blob.clone(), opened));
        Ok(Some(Node::File(blob)))
    }

    /// The files that were opened.
    pub(super) fn opened(self) -> Vec<Opened> {
        self.opened.into_inner().into_values().map(|(_, opened)| opened).collect()
    }
}

/// The bytes of all regular files below a directory; links are not followed.
pub(super) fn total_bytes(root: &Path, limits: &Limits) -> Result<u64, Error> {
    let mut bytes = 0u64;
    each_file(root, limits, &mut |_, meta| {
        if meta.is_file() {
            bytes = bytes.saturating_add(meta.len());
        }
    })?;
    Ok(bytes)
}

/// Visits all that is no directory below a directory; links are not followed.
fn each_file(root: &Path, limits: &Limits, visit: &mut dyn FnMut(&Path, &Metadata)) -> Result<(), Error> {
    let failed = |cause| Error::io("list the layout directory", cause);
    let mut files = 0u64;
    let mut ahead = vec![(root.to_path_buf(), 0usize)];
    while let Some((directory, depth)) = ahead.pop() {
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            files = files.saturating_add(1);
            if files > limits.members || depth > DEEPEST {
                return Err(Error::limit(format!(
                    "the directory has more than {} files or is too deep",
                    limits.members
                ))
                .hint("raise --limit members=N"));
            }
            let meta = fs::symlink_metadata(entry.path()).map_err(failed)?;
            if meta.is_dir() {
                ahead.push((entry.path(), depth.saturating_add(1)));
            } else {
                visit(&entry.path(), &meta);
            }
        }
    }
    Ok(())
}
