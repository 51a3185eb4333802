//! The wish to stop, and the temporary paths that must not outlive a run that stops.
//!
//! A caller makes one [`Cancel`] and lends it to the run; a signal thread calls [`Cancel::signal`]. Every long loop
//! asks [`Cancel::check`]. Nothing here installs a handler, ends the process, or is global.

use crate::error::{Error, ErrorKind};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A token that stops a run from outside.
#[derive(Debug, Default)]
pub struct Cancel {
    signal: AtomicU8,
    pending: Mutex<Vec<PathBuf>>,
}

impl Cancel {
    /// A token that nobody has used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to stop; its error is [`ErrorKind::Signal`] with this number, which is not 0.
    pub fn signal(&self, number: u8) {
        self.signal.store(number.max(1), Ordering::Relaxed);
    }

    /// Fails once the run was asked to stop.
    pub fn check(&self) -> Result<(), Error> {
        match self.signal.load(Ordering::Relaxed) {
            0 => Ok(()),
            number => Err(Error::new(ErrorKind::Signal(number), format!("stopped by signal {number}"))),
        }
    }

    /// Removes every temporary path at once, for a caller that is about to end the process because the run hangs
    /// in a system call. Call [`Cancel::signal`] first: from then on no new path is made and none is put in place.
    pub fn remove_pending(&self) {
        for path in self.lock().drain(..) {
            remove(&path);
        }
    }

    /// Makes a temporary path and notes it, with no moment between in which a signal could leave it behind.
    pub(crate) fn make<T>(
        &self,
        make: impl FnOnce() -> Result<(T, PathBuf), Error>,
    ) -> Result<(T, Pending<'_>), Error> {
        let mut pending = self.lock();
        self.check()?;
        let (made, path) = make()?;
        pending.push(path.clone());
        Ok((made, Pending { cancel: self, path }))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A temporary file or directory that is removed unless it is put in place.
#[derive(Debug)]
pub(crate) struct Pending<'a> {
    cancel: &'a Cancel,
    path: PathBuf,
}

impl Pending<'_> {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs the rename that puts the path in place. A signal comes before it or after it, never between.
    pub(crate) fn commit(self, rename: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
        let mut pending = self.cancel.lock();
        self.cancel.check()?;
        rename(&self.path)?;
        pending.retain(|path| *path != self.path);
        Ok(())
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let mut pending = self.cancel.lock();
        // Once renamed, the path is no longer noted, and a file of that name would be somebody else's.
        if let Some(index) = pending.iter().position(|path| *path == self.path) {
            pending.swap_remove(index);
            remove(&self.path);
        }
    }
}

/// Removes what is there. Its own failure has no one to go to: the run has failed already, and says why.
fn remove(path: &Path) {
    if fs::remove_file(path).is_err() {
        let _ = fs::remove_dir_all(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending<'a>(cancel: &'a Cancel, path: &Path) -> Result<Pending<'a>, Error> {
        let make = || {
            fs::write(path, b"x").unwrap();
            Ok(((), path.to_owned()))
        };
        Ok(cancel.make(make)?.1)
    }

    #[test]
    fn a_dropped_path_is_removed_and_a_committed_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (cancel, temp, target) = (Cancel::new(), dir.path().join("temp"), dir.path().join("target"));
        drop(pending(&cancel, &temp).unwrap());
        assert!(!temp.exists());
        let rename = |path: &Path| fs::rename(path, &target).map_err(|error| Error::io("rename", error));
        pending(&cancel, &temp).unwrap().commit(rename).unwrap();
        assert!(target.exists() && cancel.lock().is_empty());
    }

    #[test]
    fn after_a_signal_nothing_is_made_or_put_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let (cancel, temp) = (Cancel::new(), dir.path().join("temp"));
        let waiting = pending(&cancel, &temp).unwrap();
        cancel.signal(15);
        assert_eq!(waiting.commit(|_| Ok(())).unwrap_err().kind(), ErrorKind::Signal(15));
        assert!(!temp.exists());
        assert_eq!(pending(&cancel, &temp).unwrap_err().kind(), ErrorKind::Signal(15));
        assert!(!temp.exists());
    }

    #[test]
    fn a_hanging_run_leaves_nothing_once_pending_paths_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (cancel, temp) = (Cancel::new(), dir.path().join("temp"));
        let waiting = pending(&cancel, &temp).unwrap();
        cancel.remove_pending();
        assert!(!temp.exists());
        fs::write(&temp, b"another run's").unwrap();
        drop(waiting);
        assert!(temp.exists());
    }
}
