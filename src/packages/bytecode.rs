//! The names that go with packages: their own, and the bytecode that Python made from those when they were installed or run.
//!
//! In: packages, a tree, which go. Out: names, none of them a directory's. Bytecode is recognised by its name beside its source (PEP 3147,
//! PEP 488), so that a program that ships without sources keeps it.

use super::owners::{Owners, Places, owned};
use super::package::{Package, PackageId};
use crate::rootfs::{NodeId, RootPath, Tree};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The directory that bytecode is put into.
const CACHE: &[u8] = b"__pycache__";

/// Finds them, package by package.
pub(super) fn files_of(
    all: &[Package],
    owners: &Owners,
    tree: &Tree,
    hops: u64,
    dropped: &BTreeSet<PackageId>,
) -> Vec<(RootPath, NodeId, PackageId)> {
    let mut places = Places::new(tree, hops);
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    // By the directory that they are in: the stems of the modules that go.
    let mut modules: BTreeMap<RootPath, BTreeMap<Box<[u8]>, PackageId>> = BTreeMap::new();
    for &id in dropped {
        let Some(package) = all.get(id.index()) else { continue };
        for (path, node) in owned(package, tree, &mut places) {
            if owners.gone(node, dropped).is_none() || !seen.insert(node) {
                continue;
            }
            let Some((place, _)) = places.place(path) else { continue };
            if let Some((directory, name)) = place.split_last()
                && let Some(stem) = name.strip_suffix(b".py")
            {
                modules.entry(directory).or_default().insert(stem.into(), id);
            }
            found.push((place, node, id));
        }
    }
    for (directory, stems) in modules {
        let Some(node) = tree.lookup(&directory) else { continue };
        let cache = tree.child(node, CACHE).map(|cache| (directory.join(CACHE), cache));
        for (place, parent, in_cache) in [(Some((directory.clone(), node)), false), (cache, true)]
            .into_iter()
            .filter_map(|(place, in_cache)| place.map(|(path, node)| (path, node, in_cache)))
        {
            for (name, &child) in tree.children(parent) {
                let stem = if in_cache { cached_stem(name) } else { beside_stem(name) };
                let Some(&id) = stem.and_then(|stem| stems.get(stem)) else { continue };
                let free = owners.of(child).is_empty() || owners.gone(child, dropped).is_some();
                if free && !tree.is_directory(child) && seen.insert(child) {
                    found.push((place.join(name), child, id));
                }
            }
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
    use crate::packages::package::numbered;
    use crate::packages::testing::{owning, tree};

    fn gone(tree: &Tree, all: &[Package], names: &[&str]) -> Vec<String> {
        let dropped = numbered(all).filter(|(_, package)| names.contains(&&*package.name)).map(|(id, _)| id).collect();
        let mut gone: Vec<String> = files_of(all, &Owners::new(tree, all, 40), tree, 40, &dropped)
            .iter()
            .map(|(path, ..)| path.to_string())
            .collect();
        gone.sort();
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
