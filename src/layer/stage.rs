//! Threads that work behind one another, for the read half and the write half.
//!
//! In: what a stage does. Out: what it yields, or the first error of any stage. Stages are joined by short bounded
//! queues, and one whose neighbour is gone stops, so nobody waits forever.

use crate::error::{Error, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// How many blocks wait between two threads; with 2, a thread often found its queue full or empty (3.7 s against 3.5 for a gigabyte from gzip
/// to gzip), with 8 it was no faster and took 10 MB more.
pub(super) const QUEUE: usize = 4;

/// Starts a stage.
///
/// Errors: `Io` where the system gives no thread.
pub(super) fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    run: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>, Error> {
    let builder = Builder::new().name(name.to_owned());
    builder.spawn_scoped(scope, run).map_err(|error| Error::io("start a thread", error))
}

/// What a stage yields at its end.
///
/// Errors: `Io` where it ended by a panic.
pub(super) fn join<T>(handle: ScopedJoinHandle<'_, T>) -> Result<T, Error> {
    handle.join().map_err(|_| Error::new(ErrorKind::Io, "a thread that works on the layer broke off"))
}

/// The first error of any thread. A stage sets it before it lets go of its queues.
#[derive(Default)]
pub(super) struct Failure(Mutex<Option<Error>>);

impl Failure {
    pub(super) fn set(&self, error: Error) {
        lock(&self.0).get_or_insert(error);
    }

    pub(super) fn is_set(&self) -> bool {
        lock(&self.0).is_some()
    }

    pub(super) fn into_result(self) -> Result<(), Error> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

/// Locks, whoever broke off while holding it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
