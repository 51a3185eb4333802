//! The names that go with packages: their own, and the bytecode that Python made from those when they were installed or run.
//!
//! In: who owns what, a tree, which packages go. Out: names, none of them a directory's. Bytecode is recognised by its name beside its source (PEP 3147,
//! PEP 488), so that a program that ships without sources keeps it.

use super::owners::Owners;
use super::package::PackageId;
use crate::rootfs::{NodeId, Tree};
use std::collections::{BTreeSet, HashMap};

/// The directory that bytecode is put into.
const CACHE: &[u8] = b"__pycache__";

/// Finds them, directory by directory.
pub(super) fn files_of(owners: &Owners, tree: &Tree, dropped: &BTreeSet<PackageId>) -> Vec<(NodeId, PackageId)> {
    let mut found = Vec::new();
    let mut made = vec![false; tree.node_bound()];
    let mut open = vec![Tree::ROOT];
    while let Some(directory) = open.pop() {
        // The modules that go from here, by their stems.
        let mut modules: HashMap<&[u8], PackageId> = HashMap::new();
        for (name, &node) in tree.children(directory) {
            if tree.is_directory(node) {
                open.push(node);
            } else if let Some(id) = owners.gone(node, dropped) {
                found.push((node, id));
                modules.extend(name.strip_suffix(b".py").map(|stem| (stem, id)));
            }
        }
        if modules.is_empty() {
            continue;
        }
        let mut take = |stem: Option<&[u8]>, node: NodeId| {
            let Some(&id) = stem.and_then(|stem| modules.get(stem)) else { return };
            if let Some(made) = made.get_mut(node.index()).filter(|made| !**made)
                && owners.of(node).is_empty()
                && !tree.is_directory(node)
            {
                *made = true;
                found.push((node, id));
            }
        };
        tree.children(directory).for_each(|(name, node)| take(beside_stem(name), *node));
        if let Some(cache) = tree.child(directory, CACHE) {
            tree.children(cache).for_each(|(name, node)| take(cached_stem(name), *node));
        }
    }
    found
}

/// `x` of `x.cpython-311.pyc` and `x.cpython-311.opt-1.pyc`.
fn cached_stem(name: &[u8]) -> Option<&[u8]> {
    let (rest, tag) = split_dot(name.strip_suffix(b".pyc")?)?;
    if tag.starts_with(b"opt-") { split_dot(rest).map(|(stem, _)| stem) } else { Some(rest) }
}

/// `x` of `x.pyc` and `x.pyo`, as Python 2 puts them.
fn beside_stem(name: &[u8]) -> Option<&[u8]> {
    name.strip_suffix(b".pyc").or_else(|| name.strip_suffix(b".pyo"))
}

fn split_dot(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = name.iter().rposition(|&byte| byte == b'.')?;
    Some((name.get(..dot)?, name.get(dot.saturating_add(1)..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::package::Package;
    use crate::packages::testing::{ids, owning, tree};
    use crate::rootfs::Descend;

    fn gone(tree: &Tree, all: &[Package], names: &[&str]) -> Vec<String> {
        let found = files_of(&Owners::new(tree, all, 40), tree, &ids(all, names));
        let mut gone = Vec::new();
        tree.walk(&mut |path, node| {
            gone.extend(found.iter().filter(|(other, _)| *other == node).map(|_| path.to_string()));
            Descend::Yes
        });
        gone
    }

    #[test]
    fn what_a_package_that_stays_owns_too_does_not_go() {
        let tree = tree("bin -> usr/bin\nusr/bin/a = x\nusr/bin/b = x\nusr/bin/c = x\n");
        let all = [owning("one", "/bin /bin/a /usr/bin/b"), owning("two", "/usr /usr/bin /bin/b /usr/bin/c")];
        assert_eq!(gone(&tree, &all, &["one"]), ["/usr/bin/a"]);
        assert_eq!(gone(&tree, &all, &["one", "two"]), ["/usr/bin/a", "/usr/bin/b", "/usr/bin/c"]);
    }

    #[test]
    fn bytecode_goes_with_its_source_and_no_other() {
        let tree = tree(
            "l/m.py = x\nl/n.py = x\nl/__pycache__/m.cpython-311.pyc = x\nl/__pycache__/m.cpython-311.opt-2.pyc = x\n\
             l/__pycache__/n.cpython-311.pyc = x\nl/__pycache__/m.pyc/\nl/m.pyo = x\nl/mm.pyc = x\nl/__pycache__/m.n.cpython-311.pyc = x\n",
        );
        let all = [owning("m", "/l /l/m.py"), owning("n", "/l/n.py /l/__pycache__/n.cpython-311.pyc")];
        let went = gone(&tree, &all, &["m"]);
        assert_eq!(
            went,
            ["/l/__pycache__/m.cpython-311.opt-2.pyc", "/l/__pycache__/m.cpython-311.pyc", "/l/m.py", "/l/m.pyo"]
        );
    }

    #[test]
    fn bytecode_that_a_package_that_stays_owns_stays() {
        let tree = tree("l/m.py = x\nl/__pycache__/m.cpython-311.pyc = x\n");
        let all = [owning("m", "/l/m.py"), owning("n", "/l/__pycache__/m.cpython-311.pyc")];
        assert_eq!(gone(&tree, &all, &["m"]), ["/l/m.py"]);
    }
}
