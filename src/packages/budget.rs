//! How much a database may ask for. In: what its records declare. Out: a refusal before memory is taken. A directory is named once for all its
//! files in apk's and in rpm's databases, so that a small hostile one could spell terabytes of paths.

use crate::error::{Error, escape};
use crate::rootfs::RootPath;

const MIB: u64 = 1 << 20;

/// Bytes of all paths and names of a database, and of what it takes to hold each: room for two million of 60 bytes.
const ALL: u64 = 256 * MIB;

/// Bytes to hold one path or name beside its own: the pointer, the length, the allocation's.
const HELD: u64 = 48;

/// Bytes of one path; Linux stops there.
const PATH: usize = 4096;

/// What is left for the paths and names of a database.
#[derive(Debug)]
pub(super) struct Budget(u64);

impl Budget {
    /// All is left.
    pub(super) fn new() -> Self {
        Self(ALL)
    }

    /// The path of a name in a directory, both as the database spells them.
    pub(super) fn path(&mut self, directory: &[u8], name: &[u8]) -> Result<RootPath, Error> {
        let length = directory.len().saturating_add(name.len());
        if length > PATH || directory.contains(&0) || name.contains(&0) {
            return Err(Error::malformed("the package database has a path that no system can have"));
        }
        self.take(length)?;
        Ok(RootPath::clamped(&[directory, name].join(&b'/')))
    }

    /// A name as text: all managers' are.
    pub(super) fn name(&mut self, name: &[u8]) -> Result<Box<str>, Error> {
        let shown = name.get(..200).unwrap_or(name);
        let what =
            || Error::malformed(format!("the package database has the name \"{}\", which is no text", escape(shown)));
        self.take(name.len())?;
        Ok(std::str::from_utf8(name).map_err(|_| what())?.into())
    }

    fn take(&mut self, length: usize) -> Result<(), Error> {
        let size = HELD.saturating_add(length as u64);
        self.0 = self.0.checked_sub(size).ok_or_else(|| Error::limit("the package database names too much"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_directory_and_a_name_make_a_path() {
        let mut budget = Budget::new();
        assert_eq!(budget.path(b"/usr/bin/", b"sh").unwrap().to_string(), "/usr/bin/sh");
        assert_eq!(budget.path(b"", b"init").unwrap().to_string(), "/init");
        assert_eq!(budget.path(b"etc", b"").unwrap().to_string(), "/etc");
        assert_eq!(&*budget.name(b"gcc-c++").unwrap(), "gcc-c++");
        assert_eq!(budget.name(b"\xff").unwrap_err().kind(), ErrorKind::Malformed);
    }

    #[test]
    fn what_a_database_spells_is_bounded() {
        let mut budget = Budget::new();
        assert_eq!(budget.path(&[b'a'; 5000], b"").unwrap_err().kind(), ErrorKind::Malformed);
        let error = (0..).find_map(|_| budget.path(&[b'a'; 4000], b"x").err()).unwrap();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(budget.name(&[b'a'; 9000]).is_err());
    }
}
