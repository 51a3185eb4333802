//! Who owns a name. In: packages and a tree. Out: for each name that is no directory, the packages that list it, wherever symlinks of
//! directories lead (`/bin/x` is `/usr/bin/x` on a merged tree). Linear in the paths; each directory is resolved once.

use super::package::{Package, PackageId, numbered};
use crate::rootfs::{Descend, NodeId, RootPath, Tree};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The owners of every name of a tree.
#[derive(Debug)]
pub(super) struct Owners {
    /// Where the owners of a name begin in `owners`, by [`NodeId::index`]; one more at the end.
    starts: Vec<usize>,
    owners: Vec<PackageId>,
}

impl Owners {
    /// Looks all paths up.
    pub(super) fn new(tree: &Tree, all: &[Package], hops: u64) -> Self {
        let mut places = Places::new(tree, hops);
        let mut pairs: Vec<(usize, PackageId)> = Vec::new();
        for (id, package) in numbered(all) {
            pairs.extend(owned(package, tree, &mut places).into_iter().map(|(_, node)| (node.index(), id)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = Vec::with_capacity(tree.node_bound().saturating_add(1));
        let mut at = 0;
        for index in 0..=tree.node_bound() {
            while pairs.get(at).is_some_and(|(node, _)| *node < index) {
                at = at.saturating_add(1);
            }
            starts.push(at);
        }
        Self { starts, owners: pairs.into_iter().map(|(_, id)| id).collect() }
    }

    /// The owners of a name, ascending.
    pub(super) fn of(&self, node: NodeId) -> &[PackageId] {
        let ends = (self.starts.get(node.index()), self.starts.get(node.index().saturating_add(1)));
        let (Some(&start), Some(&end)) = ends else { return &[] };
        self.owners.get(start..end).unwrap_or_default()
    }

    /// By [`NodeId::index`]: whether anybody owns a name.
    pub(super) fn table(&self) -> Arc<[bool]> {
        self.starts.windows(2).map(|ends| ends.first() != ends.last()).collect()
    }

    /// The owners of a name, all of which are in `dropped`: the first of them; `None` where nobody owns it, or somebody who stays.
    pub(super) fn gone(&self, node: NodeId, dropped: &BTreeSet<PackageId>) -> Option<PackageId> {
        let owners = self.of(node);
        owners.first().copied().filter(|_| owners.iter().all(|owner| dropped.contains(owner)))
    }

    /// The packages that own a name for which `stays` holds.
    pub(super) fn owning(&self, tree: &Tree, stays: &dyn Fn(NodeId) -> bool) -> BTreeSet<PackageId> {
        let mut owning = BTreeSet::new();
        tree.walk(&mut |_, node| {
            let owners = self.of(node);
            if !owners.is_empty() && stays(node) {
                owning.extend(owners);
            }
            Descend::Yes
        });
        owning
    }
}

/// The names of a tree that a package owns, and what the database calls them. What it lists something below is a directory for it, even
/// where a symlink stands there: else each package that has a file in `/lib` would own the link `/lib -> usr/lib` (rules.md 3, step 2).
fn owned<'a>(package: &'a Package, tree: &Tree, places: &mut Places<'_>) -> Vec<(&'a RootPath, NodeId)> {
    let mut parents: HashSet<&[u8]> = HashSet::new();
    let mut last: &[u8] = b"";
    for (parent, _) in package.paths.iter().filter_map(RootPath::parts) {
        // A list is sorted: most names stand in the directory of the one before.
        if parent != last {
            parents.insert(parent);
            last = parent;
        }
    }
    let standing = package.paths.iter().filter_map(|path| {
        let node = places.node(path).filter(|node| !tree.is_directory(*node))?;
        (!parents.contains(path.as_bytes())).then_some((path, node))
    });
    standing.collect()
}

/// Looks paths up: symlinks on the way are followed, the last component's own is not. Remembers each directory.
#[derive(Debug)]
pub(super) struct Places<'a> {
    tree: &'a Tree,
    hops: u64,
    directories: HashMap<Box<[u8]>, Option<NodeId>>,
}

impl<'a> Places<'a> {
    /// Knows no directory yet.
    pub(super) fn new(tree: &'a Tree, hops: u64) -> Self {
        Self { tree, hops, directories: HashMap::new() }
    }

    /// What stands at a path.
    pub(super) fn node(&mut self, path: &RootPath) -> Option<NodeId> {
        let (parent, name) = path.parts()?;
        let directory = self.directory(parent)?;
        self.tree.child(directory, name)
    }

    fn directory(&mut self, path: &[u8]) -> Option<NodeId> {
        if let Some(known) = self.directories.get(path) {
            return *known;
        }
        let place = self.tree.resolve(&RootPath::clamped(path), true, self.hops).map(|(_, node)| node);
        self.directories.insert(path.into(), place);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::testing::{owning, tree};

    fn owners(tree: &Tree, all: &[Package], path: &str) -> Vec<String> {
        let owners = Owners::new(tree, all, 40);
        let node = tree.lookup(&RootPath::clamped(path.as_bytes())).unwrap();
        owners.of(node).iter().map(|id| all[id.index()].name.clone()).collect()
    }

    #[test]
    fn a_path_is_found_where_symlinks_of_directories_lead() {
        let tree = tree("bin -> usr/bin\nusr/bin/x = x\nusr/bin/y -> x\n");
        let all = [owning("one", "/bin /bin/x"), owning("two", "/usr /usr/bin /usr/bin/y /usr/bin/x")];
        assert_eq!(owners(&tree, &all, "usr/bin/x"), ["one", "two"]);
        assert_eq!(owners(&tree, &all, "usr/bin/y"), ["two"]);
    }

    #[test]
    fn on_a_tree_that_is_not_merged_the_two_are_apart() {
        let tree = tree("bin/x = x\nusr/bin/x = x\n");
        let all = [owning("one", "/bin /bin/x"), owning("two", "/usr/bin/x")];
        assert_eq!(
            (owners(&tree, &all, "bin/x"), owners(&tree, &all, "usr/bin/x")),
            (vec!["one".into()], vec!["two".into()])
        );
    }

    #[test]
    fn the_link_of_a_directory_is_not_everyones() {
        let tree = tree("lib -> usr/lib\nusr/lib/x = x\ndoc -> usr/lib\n");
        let all = [owning("x", "/lib /lib/x"), owning("base", "/lib"), owning("x-doc", "/doc")];
        assert_eq!(owners(&tree, &all, "lib"), ["base"]);
        assert_eq!(owners(&tree, &all, "doc"), ["x-doc"]);
        assert!(owners(&tree, &all, "usr").is_empty());
    }

    #[test]
    fn a_package_owns_something_that_stays() {
        let tree = tree("a = x\nb = x\n");
        let all = [owning("one", "/a"), owning("two", "/b")];
        let b = tree.lookup(&RootPath::clamped(b"b")).unwrap();
        let owners = Owners::new(&tree, &all, 40);
        assert_eq!(owners.owning(&tree, &|node| node == b), [PackageId(1)].into());
        assert_eq!(owners.gone(b, &[PackageId(1)].into()), Some(PackageId(1)));
        assert_eq!(owners.gone(b, &[PackageId(0)].into()), None);
    }
}
