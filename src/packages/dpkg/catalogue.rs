//! What paragraphs say of packages, and which of their relations count. In: all paragraphs. Out: packages without their paths.
//!
//! Versions are compared here, once, so that of `a (>= 2) | b` only the name counts that dpkg counts.

use super::Home;
use super::paragraph::Paragraph;
use super::relation::{self, Alternative};
use crate::error::Error;
use crate::packages::package::{AnyOf, Fixed, Package};
use std::collections::HashMap;

/// How many packages that answer to a name are compared with a version; beyond that, the name counts as satisfied.
const COMPARED: usize = 64;

/// A package as its paragraph tells it.
pub(super) struct Raw<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) architecture: &'a str,
    pub(super) paragraph: Paragraph<'a>,
    pub(super) home: Home,
    /// Whether dpkg has nothing left to do with it.
    pub(super) is_finished: bool,
}

/// Which versions are there of each name.
pub(super) struct Catalogue<'a> {
    real: HashMap<&'a str, Vec<&'a str>>,
    /// Names that packages answer to, with the version if they say one.
    provided: HashMap<&'a str, Vec<Option<&'a str>>>,
}

impl<'a> Catalogue<'a> {
    /// Lists them.
    pub(super) fn new(raw: &[Raw<'a>]) -> Result<Self, Error> {
        let mut catalogue = Self { real: HashMap::new(), provided: HashMap::new() };
        for raw in raw {
            catalogue.real.entry(raw.name).or_default().push(raw.version);
            for provided in relation::parse(raw.paragraph.field("Provides").unwrap_or_default())?.into_iter().flatten()
            {
                let version = provided.constraint.map(|(_, version)| version);
                catalogue.provided.entry(provided.name).or_default().push(version);
            }
        }
        Ok(catalogue)
    }

    /// Whether something installed answers to an alternative (Debian policy 7.5: a version is only answered by a version).
    fn satisfies(&self, wanted: &Alternative<'_>) -> bool {
        let real = self.real.get(wanted.name).map(|found| &**found).unwrap_or_default();
        let provided = self.provided.get(wanted.name).map(|found| &**found).unwrap_or_default();
        real.len().max(provided.len()) > COMPARED
            || real.iter().any(|version| wanted.allows(version))
            || provided.iter().any(|version| match version {
                Some(version) => wanted.allows(version),
                None => wanted.constraint.is_none(),
            })
    }

    /// Of each group, the name that counts: the first that something installed answers to, as apt takes it. The others hold nothing, so that
    /// a program that wants `jre-headless | jre` does not hold the desktop of the second. Where none is answered, all are listed.
    fn groups(&self, raw: &Raw<'_>, field: &str, others: &mut Vec<AnyOf>) -> Result<Vec<AnyOf>, Error> {
        let mut groups = Vec::new();
        for group in relation::parse(raw.paragraph.field(field).unwrap_or_default())? {
            let counts = group.iter().position(|wanted| self.satisfies(wanted));
            let name = |wanted: &Alternative<'_>| -> Box<str> { wanted.name.into() };
            match counts.and_then(|counts| group.get(counts)) {
                Some(wanted) => groups.push([name(wanted)].into()),
                None => groups.push(group.iter().map(name).collect()),
            }
            let rest = counts.map_or(&[][..], |counts| group.get(counts.saturating_add(1)..).unwrap_or_default());
            if !rest.is_empty() {
                others.push(rest.iter().map(name).collect());
            }
        }
        Ok(groups)
    }

    /// The package that a paragraph tells of, but for its paths.
    pub(super) fn package(&self, raw: &Raw<'_>, automatic: bool) -> Result<Package, Error> {
        let mut weak = Vec::new();
        let mut depends = self.groups(raw, "Pre-Depends", &mut weak)?;
        depends.extend(self.groups(raw, "Depends", &mut weak)?);
        let recommends = self.groups(raw, "Recommends", &mut weak)?;
        for group in relation::parse(raw.paragraph.field("Suggests").unwrap_or_default())? {
            weak.push(group.iter().map(|wanted| wanted.name.into()).collect());
        }
        let provides = relation::parse(raw.paragraph.field("Provides").unwrap_or_default())?;
        let says = |field| raw.paragraph.says_yes(field);
        Ok(Package {
            name: raw.name.into(),
            version: raw.version.into(),
            architecture: raw.architecture.into(),
            essential: says("Essential")
                || says("Important")
                || says("Protected")
                || raw.paragraph.field("Priority") == Some(b"required"),
            automatic,
            depends,
            recommends,
            weak,
            provides: provides.iter().flatten().filter(|one| one.name != raw.name).map(|one| one.name.into()).collect(),
            fixed: (!raw.is_finished).then_some(Fixed::Unfinished),
            ..Package::default()
        })
    }
}
