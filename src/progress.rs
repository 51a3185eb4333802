//! What a run tells while it works. In: nothing. Out: events for a callback; the library never draws them.

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
