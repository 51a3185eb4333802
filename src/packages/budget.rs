//! How much a database may ask for. In: what its records declare. Out: a refusal before memory is taken. A directory is named once for all its
//! files in apk's and in rpm's databases, so that a small hostile one could spell terabytes of paths.

use crate::error::Error;
use crate::rootfs::RootPath;

const MIB: u64 = 1 << 20;

/// Bytes of all paths of a database, and of what it takes to hold each. A desktop with 2,000 packages has 400,000 files of 60 bytes.
const PATHS: u64 = 256 * MIB;

/// Bytes to hold one path beside its own: the pointer, the length, the allocation's.
const HELD: u64 = 32;

/// Bytes of one path; Linux stops there.
const PATH: usize = 4096;

/// What is left for the paths of a database.
#[derive(Debug)]
pub(super) struct PathBudget(u64);

impl PathBudget {
    /// All is left.
    pub(super) fn new() -> Self {
        Self(PATHS)
    }

    /// The path of a name in a directory, both as the database spells them.
    pub(super) fn join(&mut self, directory: &[u8], name: &[u8]) -> Result<RootPath, Error> {
        let length = directory.len().saturating_add(name.len());
        if length > PATH || directory.contains(&0) || name.contains(&0) {
            return Err(Error::malformed("the package database has a path that no system can have"));
        }
        let size = HELD.saturating_add(length as u64);
        self.0 = self.0.checked_sub(size).ok_or_else(|| Error::limit("the package database lists too many paths"))?;
        Ok(RootPath::clamped(&[directory, name].join(&b'/')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_directory_and_a_name_make_a_path() {
        let mut budget = PathBudget::new();
        assert_eq!(budget.join(b"/usr/bin/", b"sh").unwrap().to_string(), "/usr/bin/sh");
        assert_eq!(budget.join(b"", b"init").unwrap().to_string(), "/init");
        assert_eq!(budget.join(b"etc", b"").unwrap().to_string(), "/etc");
    }

    #[test]
    fn what_a_database_spells_is_bounded() {
        let mut budget = PathBudget::new();
        assert_eq!(budget.join(&[b'a'; 5000], b"").unwrap_err().kind(), ErrorKind::Malformed);
        let error = (0..).find_map(|_| budget.join(&[b'a'; 4000], b"x").err()).unwrap();
        assert_eq!(error.kind(), ErrorKind::Limit);
    }
}
