//! The files of the input as they were when they were opened in, whether they still are that out.
//!
//! Digests are checked by one read and bytes are copied by another, so a file that changes between the two would give a layer
//! that nobody checked (hostile.md 58). What the kernel says of size and times is asked again before anything is put in
//! place. Reads no content; pipes and files of /proc, whose times say nothing, are read only once.

use crate::error::{Error, ErrorKind};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

/// A regular file of the input.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    file: Arc<File>,
    found: Stamp,
    /// Its path below a layout directory.
    name: Option<Vec<u8>>,
}

impl Opened {
    /// Remembers a file that was found like this before it was read.
    pub(super) fn new(file: Arc<File>, found: &Metadata) -> Self {
        Self { file, found: Stamp::of(found), name: None }
    }

    /// Says which file of a directory it is.
    pub(super) fn named(self, name: &[u8]) -> Self {
        Self { name: Some(name.to_vec()), ..self }
    }

    /// Fails where the content may have changed.
    ///
    /// Errors: `Integrity` where it has, `Io` where nobody can tell.
    pub(super) fn check(&self) -> Result<(), Error> {
        let found = self.file.metadata().map_err(|error| Error::io("look at the input again", error));
        let checked = match found {
            Ok(found) if self.found.is_kept_by(&Stamp::of(&found)) => return Ok(()),
            Ok(_) => {
                Error::integrity("the input changed while it was read").hint("run again once nothing writes to it")
            }
            Err(error) => error,
        };
        Err(match &self.name {
            Some(name) => checked.at_entry(name),
            None => checked,
        })
    }
}

/// The reason of an error: damage may be the change of a file that was sound when it was opened.
pub(super) fn reason(opened: &[Opened], error: Error) -> Error {
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<io::Error>());
    let is_short = source.is_some_and(|source| source.kind() == io::ErrorKind::UnexpectedEof);
    let is_damage =
        matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Integrity | ErrorKind::Unsupported | ErrorKind::Limit);
    match opened.iter().try_for_each(Opened::check) {
        Err(changed) if is_damage || is_short => changed,
        _ => error,
    }
}

/// What a write to a file moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: (i64, i64),
    /// Moved by every write, too, and nobody can set it back.
    changed: (i64, i64),
    /// Links, mode and owners: what else moves the time of change.
    about: (u64, u32, u32, u32),
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self {
            size: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            about: (found.nlink(), found.mode(), found.uid(), found.gid()),
        }
    }

    /// A file that is removed, replaced by a rename, linked or given away while it is read still has its content, so a time
    /// of change that this explains is none.
    fn is_kept_by(&self, now: &Self) -> bool {
        let explained = self.changed == now.changed || self.about != now.about;
        (self.size, self.modified) == (now.size, now.modified) && explained
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::time::Duration;

    type Change = fn(&Path);

    /// What `change` does to a file that was opened before.
    fn after(change: impl FnOnce(&Path)) -> Result<(), Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.tar");
        fs::write(&path, b"0123456789").unwrap();
        let file = File::open(&path).unwrap();
        let opened = Opened::new(Arc::new(file.try_clone().unwrap()), &file.metadata().unwrap());
        assert!(opened.check().is_ok());
        // The clock of file times has ticks of up to 10 ms.
        std::thread::sleep(Duration::from_millis(30));
        change(&path);
        opened.check()
    }

    fn write(path: &Path) -> File {
        File::options().write(true).open(path).unwrap()
    }

    #[test]
    fn a_file_that_is_written_to_is_found_out() {
        use std::os::unix::fs::FileExt;
        let changes: [(&str, Change); 5] = [
            ("in place", |path| write(path).write_all_at(b"x", 3).unwrap()),
            ("cut", |path| write(path).set_len(9).unwrap()),
            ("grown", |path| write(path).write_all_at(b"x", 10).unwrap()),
            ("written anew", |path| fs::write(path, b"9876543210").unwrap()),
            ("with its time set back", |path| {
                let times = fs::metadata(path).unwrap().modified().unwrap();
                write(path).write_all_at(b"x", 3).unwrap();
                write(path).set_modified(times).unwrap();
            }),
        ];
        for (what, change) in changes {
            let error = after(change).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Integrity, "{what}");
            assert!(error.to_string().starts_with("the input changed"), "{error}");
        }
    }

    #[test]
    fn a_file_that_keeps_its_content_is_not() {
        let changes: [(&str, Change); 5] = [
            ("read", |path| drop(fs::read(path).unwrap())),
            ("removed", |path| fs::remove_file(path).unwrap()),
            ("linked", |path| fs::hard_link(path, path.with_extension("old")).unwrap()),
            ("made read-only", |path| fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap()),
            ("replaced", |path| {
                fs::write(path.with_extension("new"), b"new").unwrap();
                fs::rename(path.with_extension("new"), path).unwrap();
            }),
        ];
        for (what, change) in changes {
            assert!(after(change).is_ok(), "{what}");
        }
    }

    #[test]
    fn a_file_of_a_directory_is_named() {
        let file = tempfile::tempfile().unwrap();
        let opened = Opened::new(Arc::new(file.try_clone().unwrap()), &file.metadata().unwrap()).named(b"blobs/x");
        file.set_len(1).unwrap();
        assert!(opened.check().unwrap_err().to_string().starts_with("entry \"blobs/x\": the input changed"));
    }
}
