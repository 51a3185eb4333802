//! Which packages go. In: packages, what rules ask for, what must stay. Out: what goes, what was refused, and why.

use super::package::{Package, PackageId};
use globset::GlobSet;

/// What one rule asks for.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The rule's number, as the caller counts them.
    pub rule: usize,
    /// Names of packages that go.
    pub packages: GlobSet,
    /// Names of packages that never go by this rule, neither asked for nor because nobody needs them any more.
    pub never: GlobSet,
}

/// A package that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Which.
    pub id: PackageId,
    /// The rule that takes it.
    pub rule: usize,
    /// The package for which it was installed, where the rule does not name it itself.
    pub because: Option<PackageId>,
}

/// A package that a rule names and that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub id: PackageId,
    /// The rule that asked for it.
    pub rule: usize,
    /// Who needs it, down to what must stay.
    pub why: String,
}

/// The decision about all packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// What goes, ascending.
    pub dropped: Vec<Dropped>,
    /// What was asked for and stays, ascending.
    pub refused: Vec<Refused>,
}

/// Decides.
pub(super) fn select(all: &[Package], seeds: &[Seed], roots: &[(PackageId, String)]) -> Selection {
    let _ = (all, seeds, roots);
    Selection::default()
}
