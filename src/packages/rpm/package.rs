//! A package of rpm's database. In: its header. Out: a [`Package`]. A required path is provided by whoever owns it, which only all packages
//! together tell: see [`answer_paths`].

use super::header::{Header, tag};
use super::rich;
use crate::error::Error;
use crate::packages::budget::Budget;
use crate::packages::package::{AnyOf, Package, numbered};
use crate::packages::shelf::Shelf;
use crate::rootfs::{NodeId, RootPath};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// `RPMSENSE_MISSINGOK`: a requirement that may be missing, as it was spelled before `Recommends`.
const MISSING_OK: u32 = 1 << 19;

/// `RPMSENSE_RPMLIB`: a requirement of rpm itself.
const RPMLIB: u32 = 1 << 24;

/// What each system has: the base of Fedora, Red Hat, Amazon Linux and SUSE, and rpm with what stands before it. rpm marks none.
const ESSENTIAL: [&str; 24] = [
    "aaa_base",
    "basesystem",
    "bash",
    "ca-certificates",
    "coreutils",
    "coreutils-single",
    "crypto-policies",
    "dnf",
    "dnf5",
    "filesystem",
    "glibc",
    "glibc-common",
    "glibc-minimal-langpack",
    "libgcc",
    "libgcc_s1",
    "microdnf",
    "rpm",
    "setup",
    "system-release",
    "system-user-root",
    "tdnf",
    "tzdata",
    "yum",
    "zypper",
];

/// Keys that rpm imported, one a package without files: what they signed can still be checked.
const KEY: &str = "gpg-pubkey";

/// Reads a header.
pub(super) fn package(bytes: &[u8], budget: &mut Budget) -> Result<Package, Error> {
    let header = Header::read(bytes)?;
    let mut word =
        |tag| Ok::<_, Error>(header.string(tag)?.map(|word| budget.name(word)).transpose()?.map(String::from));
    let name = word(tag::NAME)?.ok_or_else(|| Error::malformed("a package of the rpm database has no name"))?;
    let version = [word(tag::VERSION)?.unwrap_or_default(), word(tag::RELEASE)?.unwrap_or_default()].join("-");
    let architecture = word(tag::ARCH)?.unwrap_or_default();
    let version = match header.numbers(tag::EPOCH)?.first() {
        Some(epoch) => format!("{epoch}:{version}"),
        None => version,
    };
    let mut package = Package { name, version, architecture, ..Package::default() };
    for name in header.strings(tag::PROVIDES)?.into_iter().filter(|provided| *provided != package.name.as_bytes()) {
        package.provides.push(budget.name(name)?);
    }
    let flags = header.numbers(tag::REQUIRE_FLAGS)?;
    for (index, required) in header.strings(tag::REQUIRES)?.into_iter().enumerate() {
        let flags = flags.get(index).copied().unwrap_or_default();
        if flags & RPMLIB == 0 && !required.starts_with(b"rpmlib(") {
            let clauses = rich::clauses(required, budget)?;
            if flags & MISSING_OK == 0 { &mut package.depends } else { &mut package.weak }.extend(clauses);
        }
    }
    for wanted in header.strings(tag::RECOMMENDS)? {
        package.recommends.extend(rich::clauses(wanted, budget)?);
    }
    for wanted in header.strings(tag::SUGGESTS)? {
        package.weak.extend(rich::clauses(wanted, budget)?);
    }
    package.installed_if = supplements(&header.strings(tag::SUPPLEMENTS)?, budget)?;
    package.paths = paths(&header, budget)?;
    package.essential = package.name == KEY
        || ESSENTIAL.contains(&&*package.name)
        || package.provides.iter().any(|provided| &**provided == "system-release");
    Ok(package)
}

/// What it came for. Of several reasons each alone is enough: then any name in any of them is.
fn supplements(reasons: &[&[u8]], budget: &mut Budget) -> Result<Vec<AnyOf>, Error> {
    if let [reason] = reasons {
        return rich::clauses(reason, budget);
    }
    let mut any: BTreeSet<Box<str>> = BTreeSet::new();
    for reason in reasons {
        any.extend(rich::clauses(reason, budget)?.into_iter().flatten());
    }
    Ok(if any.is_empty() { Vec::new() } else { vec![any.into_iter().collect()] })
}

fn paths(header: &Header<'_>, budget: &mut Budget) -> Result<Vec<RootPath>, Error> {
    let mut paths = Vec::new();
    for path in header.strings(tag::OLD_FILE_NAMES)? {
        paths.push(budget.path(b"", path)?);
    }
    let directories = header.strings(tag::DIR_NAMES)?;
    let (names, indexes) = (header.strings(tag::BASE_NAMES)?, header.numbers(tag::DIR_INDEXES)?);
    if names.len() != indexes.len() {
        return Err(Error::malformed("a package of the rpm database has files without a directory"));
    }
    for (name, index) in names.into_iter().zip(indexes) {
        let directory = usize::try_from(index).ok().and_then(|index| directories.get(index));
        let directory = directory
            .ok_or_else(|| Error::malformed("a package of the rpm database has a file without a directory"))?;
        paths.push(budget.path(directory, name)?);
    }
    Ok(paths)
}

/// Makes the owners of paths that packages require, directories among them, answer to them. `/bin/sh` is `/usr/bin/sh` where the one directory is a link to the other.
pub(super) fn answer_paths(all: &mut [Package], shelf: &Shelf<'_>) {
    let wanted =
        all.iter().flat_map(|package| [&package.depends, &package.recommends, &package.weak, &package.installed_if]);
    let wanted: HashSet<Box<str>> = wanted.flatten().flatten().filter(|name| name.starts_with('/')).cloned().collect();
    let mut places = shelf.places();
    let mut literal: HashMap<RootPath, Vec<Box<str>>> = HashMap::new();
    let mut standing: HashMap<NodeId, Vec<Box<str>>> = HashMap::new();
    let mut last: HashSet<Vec<u8>> = HashSet::new();
    for name in wanted {
        let path = RootPath::clamped(name.as_bytes());
        last.extend(path.components().next_back().map(<[u8]>::to_vec));
        if let Some(node) = places.node(&path) {
            standing.entry(node).or_default().push(name.clone());
        }
        literal.entry(path).or_default().push(name);
    }
    let mut answers: BTreeMap<usize, BTreeSet<Box<str>>> = BTreeMap::new();
    for (index, package) in all.iter().enumerate() {
        for path in
            package.paths.iter().filter(|path| path.components().next_back().is_some_and(|name| last.contains(name)))
        {
            let node = places.node(path);
            let names = literal.get(path).into_iter().chain(node.and_then(|node| standing.get(&node))).flatten();
            answers.entry(index).or_default().extend(names.cloned());
        }
    }
    for (index, package) in all.iter_mut().enumerate() {
        let known: HashSet<Box<str>> = package.provides.iter().cloned().collect();
        let new = answers.remove(&index).unwrap_or_default();
        package.provides.extend(new.into_iter().filter(|name| !known.contains(name)));
    }
}

/// The packages as `name.architecture`, which is what dnf calls them.
pub(super) fn by_architecture(all: &[Package]) -> impl Iterator<Item = (String, crate::packages::PackageId)> {
    numbered(all).map(|(id, package)| (format!("{}.{}", package.name, package.architecture), id))
}
