//! What a run tells while it works. In: nothing. Out: events for a callback; the library never draws them.

use crate::cancel::Cancel;
use crate::error::Error;

/// One step of a run. Phases do not nest: each ends before the next one starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A phase begins.
    PhaseStarted {
        /// What it does, as in `read layers`.
        name: &'static str,
        /// How many bytes it will go through, where that is known.
        total: Option<u64>,
    },
    /// So many more bytes of the running phase are done.
    Advanced(u64),
    /// The running phase is over.
    PhaseEnded,
}

/// Who watches a run, and may stop it.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Told of every event, by any thread.
    pub progress: &'a (dyn Fn(Event) + Sync),
    /// Asked by every long loop.
    pub cancel: &'a Cancel,
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("cancel", self.cancel).finish_non_exhaustive()
    }
}

impl<'a> Watch<'a> {
    /// Tells nobody.
    pub fn silent(cancel: &'a Cancel) -> Self {
        Self { progress: &|_| {}, cancel }
    }

    pub(crate) fn tell(&self, event: Event) {
        (self.progress)(event);
    }

    /// Runs a phase between its two events.
    pub(crate) fn phase<T>(
        &self,
        name: &'static str,
        total: Option<u64>,
        run: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.cancel.check()?;
        self.tell(Event::PhaseStarted { name, total });
        let result = run();
        self.tell(Event::PhaseEnded);
        result
    }
}
