//! Trees of text lines and of files with any bytes, for tests of the databases; and what an edit writes.

use super::edit::Edit;
use super::testing::Owned;
use crate::rootfs::{Content, Files, InodeKind, Meta, RootPath, Tree, text};

/// The tree of these lines, and of files with these bytes.
pub(super) fn tree(lines: &str, files: &[(&str, &[u8])]) -> Tree {
    let mut tree = text::tree(lines).unwrap();
    for (path, bytes) in files {
        let kind = InodeKind::File(Content::owned(*bytes));
        tree.insert(&RootPath::clamped(path.as_bytes()), kind, Meta::default()).unwrap();
    }
    tree
}

/// What an edit writes to a path.
pub(super) fn written(edit: &Edit, path: &str) -> Option<Vec<u8>> {
    let write = edit.write.iter().find(|write| write.path == RootPath::clamped(path.as_bytes()))?;
    let InodeKind::File(content) = &write.kind else { panic!("{path} is no file") };
    let mut bytes = vec![0; usize::try_from(content.size).unwrap()];
    Owned.read_at(content, 0, &mut bytes).unwrap();
    Some(bytes)
}
