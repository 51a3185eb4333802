//! An installed package, whatever manager installed it. In: a database's record, read by that manager's folder. Out: what all of them say alike.

use crate::rootfs::RootPath;
use serde::Serialize;

/// Who keeps a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// Debian's.
    Dpkg,
    /// Alpine's.
    Apk,
    /// That of Fedora, Red Hat and SUSE.
    Rpm,
}

impl Manager {
    /// Its name, as a shell knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
        }
    }
}

/// The number of a package in its database, in the order in which the database lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(pub u32);

/// One dependency: any of these names satisfies it, and every installed package that answers to one is kept for it. Versions are not looked
/// at: to keep one package too many is no harm, to keep the wrong one is. A manager that compares versions lists only the name that counts.
pub type AnyOf = Box<[Box<str>]>;

/// An installed package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// Its name, without the architecture.
    pub name: String,
    /// Its version, as the database spells it.
    pub version: String,
    /// Its architecture; may be empty.
    pub architecture: String,
    /// Whether the distribution says that every system has it (`Essential`, `Important`, `Priority: required`).
    pub essential: bool,
    /// Whether it came only because another one asked for it.
    pub automatic: bool,
    /// What it does not work without (`Pre-Depends`, `Depends`; `D:`; `Requires`).
    pub depends: Vec<AnyOf>,
    /// What it comes with in all but unusual installations (`Recommends`): a package that somebody installed by name, or that the image runs, keeps it.
    pub recommends: Vec<AnyOf>,
    /// What may have come for it and nothing else holds (`Suggests`, other alternatives).
    pub weak: Vec<AnyOf>,
    /// It came because all of these are there (`install_if`, `Supplements`); empty for most.
    pub installed_if: Vec<AnyOf>,
    /// Other names that it answers to, its own left out.
    pub provides: Vec<Box<str>>,
    /// What it owns, as the database spells it: symlinks on the way not followed, directories among it.
    pub paths: Vec<RootPath>,
    /// Why it never goes, where the database itself says so; none for most.
    pub fixed: Option<Fixed>,
}

/// Why a package never goes, whatever a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fixed {
    /// The database does not say which files are its own, so that taking it would leave them behind.
    NoFileList,
    /// It is half installed, not configured, or waits for a trigger: its manager has work to do with it.
    Unfinished,
    /// A package that is [`Fixed::Unfinished`] waits for it.
    Awaited,
    /// It moved a file of another package out of the way (`dpkg-divert`), which only its own scripts put back.
    Diverts,
}

impl Fixed {
    /// The reason, as a report says it.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoFileList => "its file list is missing",
            Self::Unfinished => "its installation is not finished",
            Self::Awaited => "another package waits for its trigger",
            Self::Diverts => "it diverts a file of another package",
        }
    }
}

impl PackageId {
    /// Its position in the list.
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Every package with its number.
pub(super) fn numbered(all: &[Package]) -> impl Iterator<Item = (PackageId, &Package)> {
    (0u32..).map(PackageId).zip(all)
}
