//! Where a path leads when symlinks are followed as inside a chroot, and through which of them.
//!
//! In: a tree and a path. Out: a [`Way`]. A `..` goes up from where a link led, never above the root.

use super::path::RootPath;
use super::tree::{InodeKind, NodeId, Tree};

/// What a path leads through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// The symlinks, in the order in which they are followed.
    pub links: Vec<(RootPath, NodeId)>,
    /// What stands at its end; `None` where nothing is, where the way leads through something that is no directory,
    /// or after too many symlinks.
    pub end: Option<(RootPath, NodeId)>,
}

impl Way {
    /// Every place that must stay so that the path leads where it does: the symlinks, and the end.
    pub fn places(&self) -> impl Iterator<Item = &(RootPath, NodeId)> + Clone {
        self.links.iter().chain(&self.end)
    }
}

impl Tree {
    /// Where a path leads, at most `hops` symlinks far; the last component's own symlink is only followed if
    /// `follow_last`.
    pub fn resolve(&self, path: &RootPath, follow_last: bool, hops: u64) -> Option<(RootPath, NodeId)> {
        self.follow(path, follow_last, hops, |_| true).end
    }

    /// Where a path leads, as [`Tree::resolve`], with the symlinks on the way, and as if only names existed that are
    /// `alive`.
    pub fn follow(&self, path: &RootPath, follow_last: bool, hops: u64, alive: impl Fn(NodeId) -> bool) -> Way {
        let mut way = Way::default();
        let mut ahead: Vec<Box<[u8]>> = path.components().rev().map(Into::into).collect();
        let mut here: Vec<(Box<[u8]>, NodeId)> = Vec::new();
        let mut left = hops;
        while let Some(name) = ahead.pop() {
            let directory = here.last().map_or(Self::ROOT, |(_, node)| *node);
            if *name == *b".." {
                if !self.is_directory(directory) {
                    return way;
                }
                here.pop();
                continue;
            }
            let Some(child) = self.child(directory, &name).filter(|child| alive(*child)) else { return way };
            match &self.inode_of(child).kind {
                InodeKind::Symlink(target) if follow_last || !ahead.is_empty() => {
                    way.links.push((joined(&here).join(&name), child));
                    let Some(fewer) = left.checked_sub(1) else { return way };
                    left = fewer;
                    if target.first() == Some(&b'/') {
                        here.clear();
                    }
                    ahead.extend(link_components(target).rev().map(Into::into));
                }
                _ => here.push((name, child)),
            }
        }
        way.end = Some((joined(&here), here.last().map_or(Self::ROOT, |(_, node)| *node)));
        way
    }
}

/// The components of a symlink target, `..` among them.
pub(super) fn link_components(target: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    target.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".")
}

fn joined(here: &[(Box<[u8]>, NodeId)]) -> RootPath {
    let names: Vec<&[u8]> = here.iter().map(|(name, _)| &**name).collect();
    RootPath::clamped(&names.join(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::text;

    fn tree(lines: &str) -> Tree {
        text::tree(lines).unwrap()
    }

    fn path(text: &str) -> RootPath {
        RootPath::clamped(text.as_bytes())
    }

    #[test]
    fn every_link_on_the_way_is_a_place_that_must_stay() {
        let tree = tree("bin -> usr/bin\nusr/bin/sh -> ../lib/dash\nusr/lib/dash = x\n");
        let way = tree.follow(&path("bin/sh"), true, 40, |_| true);
        let places: Vec<String> = way.places().map(|(path, _)| path.to_string()).collect();
        assert_eq!(places, ["/bin", "/usr/bin/sh", "/usr/lib/dash"]);
        let (_, dash) = way.end.unwrap();
        assert_eq!(tree.follow(&path("bin/sh"), true, 40, |node| node != dash).end, None);
        assert_eq!(tree.follow(&path("bin/sh"), false, 40, |_| true).links.len(), 1);
    }

    #[test]
    fn a_loop_and_a_file_on_the_way_lead_nowhere() {
        let tree = tree("a -> b\nb -> a\nf = x\n");
        assert_eq!(tree.resolve(&path("a"), true, 40), None);
        assert_eq!(tree.resolve(&path("f/x"), true, 40), None);
        assert_eq!(tree.resolve(&path("/"), true, 40), Some((RootPath::root(), Tree::ROOT)));
    }
}
