//! Who needs whom. In: packages, and who owns what stands at a path. Out: edges from packages to names, and from names to the packages that
//! answer to them. Names stand between, so that a name with many providers and many dependants costs their sum and not their product.

use super::package::{Package, PackageId, numbered};
use std::collections::HashMap;

/// The number of a name.
pub(super) type Name = usize;

/// Packages, names, and what leads from one to the other.
#[derive(Debug)]
pub(super) struct Graph {
    edges: Vec<Edges>,
    names: Vec<Named>,
}

/// What one package leads to.
#[derive(Debug, Default)]
struct Edges {
    depends: Box<[Name]>,
    recommends: Box<[Name]>,
    weak: Box<[Name]>,
    /// The names that it answers to.
    named: Box<[Name]>,
    /// How many conditions brought it here.
    conditions: usize,
}

/// What one name leads to.
#[derive(Debug, Default)]
struct Named {
    /// The packages that answer to it.
    answers: Vec<PackageId>,
    /// The packages that came because it is there, and which of their conditions it meets.
    meets: Vec<(PackageId, usize)>,
}

/// Why a package leads to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It does not work without.
    Depends,
    /// It comes with it.
    Recommends,
    /// It may have come for it.
    Weak,
}

impl Graph {
    /// Numbers the names. `owners` says who owns what stands at a path, for dependencies on paths.
    pub(super) fn new(all: &[Package], owners: &mut dyn FnMut(&str) -> Vec<PackageId>) -> Self {
        let mut numbers: HashMap<&str, Name> = HashMap::new();
        let mut names: Vec<Named> = Vec::new();
        let mut number = |name, names: &mut Vec<Named>| {
            *numbers.entry(name).or_insert_with(|| {
                let answers = if name.starts_with('/') { owners(name) } else { Vec::new() };
                names.push(Named { answers, meets: Vec::new() });
                names.len().saturating_sub(1)
            })
        };
        let mut edges = Vec::with_capacity(all.len());
        for (id, package) in numbered(all) {
            let own = std::iter::once(package.name.as_str()).chain(package.provides.iter().map(|name| &**name));
            let mut of = Edges { named: own.map(|name| number(name, &mut names)).collect(), ..Edges::default() };
            for &name in &of.named {
                if let Some(name) = names.get_mut(name)
                    && name.answers.last() != Some(&id)
                {
                    name.answers.push(id);
                }
            }
            for (groups, place) in [
                (&package.depends, &mut of.depends),
                (&package.recommends, &mut of.recommends),
                (&package.weak, &mut of.weak),
            ] {
                *place = groups.iter().flatten().map(|name| number(name, &mut names)).collect();
            }
            of.conditions = package.installed_if.len();
            for (condition, group) in package.installed_if.iter().enumerate() {
                for name in group {
                    let name = number(name, &mut names);
                    if let Some(name) = names.get_mut(name) {
                        name.meets.push((id, condition));
                    }
                }
            }
            edges.push(of);
        }
        Self { edges, names }
    }

    /// How many names there are.
    pub(super) fn names(&self) -> usize {
        self.names.len()
    }

    /// The names that a package leads to.
    pub(super) fn leads(&self, id: PackageId, kind: Kind) -> &[Name] {
        let Some(edges) = self.of(id) else { return &[] };
        match kind {
            Kind::Depends => &edges.depends,
            Kind::Recommends => &edges.recommends,
            Kind::Weak => &edges.weak,
        }
    }

    /// The packages that answer to a name.
    pub(super) fn answers(&self, name: Name) -> &[PackageId] {
        self.names.get(name).map(|name| &*name.answers).unwrap_or_default()
    }

    /// The names that a package answers to.
    pub(super) fn named(&self, id: PackageId) -> &[Name] {
        self.of(id).map(|edges| &*edges.named).unwrap_or_default()
    }

    /// The packages that came because a name is there, and which of their conditions it meets.
    pub(super) fn meets(&self, name: Name) -> &[(PackageId, usize)] {
        self.names.get(name).map(|name| &*name.meets).unwrap_or_default()
    }

    /// How many conditions brought a package here.
    pub(super) fn conditions(&self, id: PackageId) -> usize {
        self.of(id).map_or(0, |edges| edges.conditions)
    }

    fn of(&self, id: PackageId) -> Option<&Edges> {
        self.edges.get(id.index())
    }
}
