//! What the rules must know of the image beside its tree, and where a path of it leads.
//!
//! In: the config's words, resolved by the caller. Out: the places in the tree that they lead through. Nothing here
//! reads a config.

use crate::rootfs::{InodeKind, NodeId, RootPath, Tree};

/// What an image's config says that bears on the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The programs and files that the entrypoint and the command name. No preset takes them, nor a link on the way
    /// to them; a rule that would is not applied to this image.
    pub protected: Vec<RootPath>,
    /// `WorkingDir`, `Volumes`, `HOME`: directories that stay although they get empty.
    pub directories: Vec<RootPath>,
    /// The values of `LANG`, `LANGUAGE`, `LC_ALL` and its like: their translations stay.
    pub languages: Vec<Box<[u8]>>,
    /// How many symlinks may be followed to resolve one path (`Limits::symlinks`).
    pub hops: u64,
}

impl Default for Facts {
    /// An image that says nothing; 40 symlinks, as Linux.
    fn default() -> Self {
        Self { protected: Vec::new(), directories: Vec::new(), languages: Vec::new(), hops: 40 }
    }
}

impl Facts {
    /// The languages as directories of translations spell them, sorted: `de` of `de_DE.UTF-8`. `C` and `POSIX` are
    /// none.
    pub(super) fn language_codes(&self) -> Vec<String> {
        let values = self.languages.iter().flat_map(|value| value.split(|&byte| byte == b':'));
        let mut codes: Vec<String> = values
            .filter_map(|value| {
                let code = value.split(|byte| !byte.is_ascii_alphabetic()).next()?;
                // ISO 639 codes have two or three letters; anything else names no directory and could be a glob.
                let known = (2..=3).contains(&code.len());
                known.then(|| code.iter().map(|&byte| char::from(byte.to_ascii_lowercase())).collect())
            })
            .collect();
        codes.sort();
        codes.dedup();
        codes
    }
}

/// The places that a path leads through: every symlink on the way, last of all what it leads to, if anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// The symlinks, and the end.
    pub(super) places: Vec<(RootPath, NodeId)>,
    /// Whether the way ends at something.
    pub(super) whole: bool,
}

/// Follows a path as inside a chroot and notes each symlink on the way.
pub(super) fn follow(tree: &Tree, path: &RootPath, hops: u64) -> Chain {
    let mut chain = Chain::default();
    let mut ahead: Vec<Box<[u8]>> = path.components().rev().map(Into::into).collect();
    let mut way: Vec<(Box<[u8]>, NodeId)> = Vec::new();
    let mut left = hops;
    while let Some(name) = ahead.pop() {
        if *name == *b".." {
            way.pop();
            continue;
        }
        let here = way.last().map_or(Tree::ROOT, |(_, node)| *node);
        let Some(child) = tree.child(here, &name) else { return chain };
        if let InodeKind::Symlink(target) = &tree.inode_of(child).kind {
            let names: Vec<&[u8]> = way.iter().map(|(name, _)| &**name).chain([&*name]).collect();
            chain.places.push((RootPath::clamped(&names.join(&b'/')), child));
            let Some(fewer) = left.checked_sub(1) else { return chain };
            left = fewer;
            if target.first() == Some(&b'/') {
                way.clear();
            }
            let parts = target.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && *part != b".");
            ahead.extend(parts.rev().map(Into::into));
        } else {
            way.push((name, child));
        }
    }
    let end = way.last().map_or(Tree::ROOT, |(_, node)| *node);
    let names: Vec<&[u8]> = way.iter().map(|(name, _)| &**name).collect();
    chain.places.push((RootPath::clamped(&names.join(&b'/')), end));
    chain.whole = true;
    chain
}
