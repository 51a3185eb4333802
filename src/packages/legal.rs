//! The licences of packages: files that stay as long as anything of the package does.
//!
//! In: packages and a tree. Out: names, with the symlinks on the way. Reads copyright files, to find the common licences that they refer to.

use super::package::{Package, PackageId};
use super::shelf::Shelf;
use crate::error::Error;
use crate::rootfs::{InodeKind, NodeId, RootPath, read_whole};
use std::collections::{BTreeMap, BTreeSet};

/// Where Debian has the licences that many packages share, and how copyright files refer to them.
const COMMON: &[u8] = b"usr/share/common-licenses/";

/// The longest copyright file that is looked into; a longer one names no common licence.
const LONGEST: u64 = 4 << 20;

/// Finds them.
pub(super) fn legal(
    all: &[Package],
    shelf: &Shelf<'_>,
    packages: &BTreeSet<PackageId>,
) -> Result<Vec<(RootPath, NodeId)>, Error> {
    let Shelf { tree, files, hops } = *shelf;
    let mut kept: BTreeMap<RootPath, NodeId> = BTreeMap::new();
    let mut ahead: Vec<RootPath> = Vec::new();
    for package in packages.iter().filter_map(|id| all.get(id.index())) {
        ahead.push(RootPath::clamped(&[b"usr/share/doc/", package.name.as_bytes(), b"/copyright"].concat()));
        ahead.extend(package.paths.iter().filter(|path| is_licence(path)).cloned());
    }
    while let Some(path) = ahead.pop() {
        let way = tree.follow(&path, true, hops, |_| true);
        // A directory of licences is not kept whole: its files are in the list themselves.
        let Some((place, node)) = way.end.clone().filter(|(_, node)| !tree.is_directory(*node)) else { continue };
        let is_new = !kept.contains_key(&place);
        kept.extend(way.places().cloned());
        if let InodeKind::File(content) = &tree.inode_of(node).kind
            && is_new
            && place.as_bytes().ends_with(b"/copyright")
            && let Some(text) = read_whole(files, content, LONGEST)?
        {
            ahead.extend(common(&text));
        }
    }
    Ok(kept.into_iter().collect())
}

/// `usr/share/doc/X/copyright` and what stands below `usr/share/licenses`.
fn is_licence(path: &RootPath) -> bool {
    let path = path.as_bytes();
    path.starts_with(b"usr/share/licenses/") || (path.starts_with(b"usr/share/doc/") && path.ends_with(b"/copyright"))
}

/// The common licences that a copyright file names.
fn common(text: &[u8]) -> BTreeSet<RootPath> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = position(rest, COMMON) {
        let after = rest.get(at.saturating_add(COMMON.len())..).unwrap_or_default();
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'+');
        let name: Vec<u8> = after.iter().copied().take_while(is_name).collect();
        // A full stop after the name ends the sentence.
        let end = name.iter().rposition(|&byte| byte != b'.').map_or(0, |last| last.saturating_add(1));
        if let Some(name @ [_, ..]) = name.get(..end) {
            found.insert(RootPath::clamped(&[COMMON, name].concat()));
        }
        rest = after;
    }
    found
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::testing::{ids, owning, shelf, tree};

    #[test]
    fn copyright_stays_through_links_and_with_the_licence_it_names() {
        let tree = tree(
            "usr/share/doc/libx -> libx-base\nusr/share/doc/libx-base/copyright = see /usr/share/common-licenses/GPL.\n\
             usr/share/common-licenses/GPL -> GPL-3\nusr/share/common-licenses/GPL-3 = text\nusr/share/common-licenses/BSD = text\n\
             usr/share/doc/other/copyright = x\nusr/share/licenses/y/COPYING = x\n",
        );
        let all =
            [owning("libx", "/usr/share/doc/libx"), owning("y", "/usr/share/licenses/y /usr/share/licenses/y/COPYING")];
        let kept = legal(&all, &shelf(&tree), &ids(&all, &["libx", "y"])).unwrap();
        let kept: Vec<String> = kept.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(
            kept,
            [
                "/usr/share/common-licenses/GPL",
                "/usr/share/common-licenses/GPL-3",
                "/usr/share/doc/libx",
                "/usr/share/doc/libx-base/copyright",
                "/usr/share/licenses/y/COPYING",
            ]
        );
    }
}
