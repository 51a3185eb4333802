//! The digests of plain layers, checked on threads of their own from the moment that a layer's headers are read, while
//! decisions are made and the result is written.
//!
//! In: layers of which only headers were read. Out: the error of the lowest one that is not what its digests say.
//! Nothing may be put in place before [`Checks::wait`] returned well.

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind};
use crate::image::Layer;
use crate::layer::read;
use crate::options::Options;
use crate::progress::Watch;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};

/// The checks that go on beside a run.
#[derive(Debug)]
pub(super) struct Checks<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    state: &'scope State<'env>,
    /// How many threads check at once: all but one, which the run itself keeps busy.
    most: usize,
}

#[derive(Debug)]
struct State<'env> {
    cancel: &'env Cancel,
    jobs: Mutex<Jobs>,
    /// A thread of the checks ended.
    ended: Condvar,
    /// The run is over, and nobody asks for the rest.
    over: AtomicBool,
    damaged: AtomicBool,
}

#[derive(Debug, Default)]
struct Jobs {
    open: Vec<Job>,
    /// By the number of the layer.
    failed: Vec<(usize, Error)>,
    threads: usize,
}

#[derive(Debug)]
struct Job {
    index: usize,
    layer: Layer,
    name: String,
}

/// Runs `run` with checks beside it. Those that it does not wait for end with it.
pub(super) fn beside<T>(
    options: &Options,
    watch: &Watch<'_>,
    run: impl FnOnce(&Checks<'_, '_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let threads = options.threads.or(std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let state = State {
        cancel: watch.cancel,
        jobs: Mutex::default(),
        ended: Condvar::new(),
        over: AtomicBool::new(false),
        damaged: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        let result = run(&Checks { scope, state: &state, most: threads.saturating_sub(1).max(1) });
        state.over.store(true, Ordering::Relaxed);
        result
    })
}

impl Checks<'_, '_> {
    /// Begins to check a layer, the `index`th, which errors call `name`.
    pub(super) fn add(&self, index: usize, layer: Layer, name: String) {
        let mut jobs = self.state.jobs();
        jobs.open.push(Job { index, layer, name });
        if jobs.threads < self.most {
            let state = self.state;
            let started = Builder::new().name("check".into()).spawn_scoped(self.scope, || {
                let _ended = Ended(state);
                state.work();
            });
            // Where the system gives no thread, `wait` does the work.
            jobs.threads = jobs.threads.saturating_add(usize::from(started.is_ok()));
        }
    }

    /// Whether a layer is known to be damaged: the run may end, and [`Checks::wait`] says why.
    pub(super) fn found_damage(&self) -> bool {
        self.state.damaged.load(Ordering::Relaxed)
    }

    /// Waits for all checks, and helps.
    ///
    /// Errors: that of the lowest layer, whichever thread was first; as [`read::verify`], and `Signal`.
    pub(super) fn wait(&self) -> Result<(), Error> {
        self.state.work();
        let mut jobs = self.state.jobs();
        while jobs.threads > 0 {
            jobs = self.state.ended.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
        self.state.cancel.check()?;
        jobs.failed.sort_by_key(|(index, _)| *index);
        match jobs.failed.is_empty() {
            true => Ok(()),
            false => Err(jobs.failed.swap_remove(0).1),
        }
    }
}

/// Counts a thread out, however it ended: one that broke off has checked nothing.
struct Ended<'a>(&'a State<'a>);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut jobs = self.0.jobs();
        jobs.threads = jobs.threads.saturating_sub(1);
        if std::thread::panicking() {
            let error = Error::new(ErrorKind::Io, "a thread that checks digests broke off");
            jobs.failed.push((usize::MAX, error));
        }
        drop(jobs);
        self.0.ended.notify_all();
    }
}

impl State<'_> {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks what is open, the largest first, so that no long one is left for the end.
    fn work(&self) {
        while let Some(Job { index, layer, name }) = self.next() {
            let checked = read::verify(&layer, &|| self.goes_on());
            if let Err(error) = checked
                && self.goes_on().is_ok()
            {
                self.damaged.store(true, Ordering::Relaxed);
                self.jobs().failed.push((index, error.in_layer(name)));
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut jobs = self.jobs();
        let largest = jobs.open.iter().enumerate().max_by_key(|(_, job)| job.layer.blob.len())?.0;
        Some(jobs.open.swap_remove(largest))
    }

    fn goes_on(&self) -> Result<(), Error> {
        self.cancel.check()?;
        match self.over.load(Ordering::Relaxed) {
            true => Err(Error::integrity("nobody waits for this digest")),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::digest;
    use crate::layer::testing::blob;
    use std::time::{Duration, Instant};

    fn layer(bytes: &[u8], claimed: &[u8]) -> Layer {
        let diff_id = digest::of(claimed).unwrap();
        Layer { blob: blob(bytes), digest: None, size: None, media_type: None, diff_id }
    }

    fn check(threads: usize, layers: Vec<Layer>) -> Result<(), Error> {
        let options = Options { threads: NonZeroUsize::new(threads), ..Options::default() };
        beside(&options, &Watch::silent(&Cancel::new()), |checks| {
            for (index, layer) in layers.into_iter().enumerate() {
                checks.add(index, layer, format!("layer {index}"));
            }
            checks.wait()
        })
    }

    #[test]
    fn every_layer_is_checked_and_the_lowest_damage_is_told() {
        for threads in [1, 2, 8] {
            let sound = || layer(b"sound", b"sound");
            assert!(check(threads, (0..20).map(|_| sound()).collect()).is_ok());
            assert!(check(threads, Vec::new()).is_ok());
            // The larger one is looked at first.
            let damaged = [sound(), layer(b"x", b"y"), layer(&[7; 1 << 20], b"y"), sound()];
            let error = check(threads, damaged.into()).unwrap_err();
            assert!(error.to_string().starts_with("layer 1: the uncompressed layer has the digest"), "{error}");
        }
    }

    #[test]
    fn damage_is_known_before_anybody_waits() {
        let options = Options::default();
        let result = beside(&options, &Watch::silent(&Cancel::new()), |checks| {
            checks.add(0, layer(b"x", b"y"), "layer".into());
            let end = Instant::now() + Duration::from_secs(60);
            while !checks.found_damage() && Instant::now() < end {
                std::thread::yield_now();
            }
            assert!(checks.found_damage());
            checks.wait()
        });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Integrity);
    }

    #[test]
    fn a_run_that_fails_or_is_stopped_says_its_own_reason() {
        let cancel = Cancel::new();
        let failed: Result<(), Error> = beside(&Options::default(), &Watch::silent(&cancel), |checks| {
            checks.add(0, layer(b"x", b"y"), "layer".into());
            Err(Error::usage("no such rule"))
        });
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Usage);
        let stopped = beside(&Options::default(), &Watch::silent(&cancel), |checks| {
            cancel.signal(15);
            checks.add(0, layer(b"x", b"y"), "layer".into());
            checks.wait()
        });
        assert_eq!(stopped.unwrap_err().to_string(), "stopped by signal 15");
    }
}
