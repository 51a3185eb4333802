//! A bar on standard error, and how long each phase took. In: the events of a run. Out: timings; the drawing is
//! indicatif's. This is where the clock of a run is.

use imgstrip::progress::Event;
use imgstrip::report::Timing;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a bar without news moves, so that a long phase does not look dead.
const TICK: Duration = Duration::from_millis(120);

/// Watches one run.
#[derive(Debug)]
pub(crate) struct Progress {
    start: Instant,
    /// Outside of the lock: every thread advances it, and it has a lock of its own.
    bar: ProgressBar,
    phases: Mutex<Phases>,
}

#[derive(Debug, Default)]
struct Phases {
    running: Option<(&'static str, Instant)>,
    over: Vec<Timing>,
}

impl Progress {
    /// A watcher that draws only if it is told to.
    pub(crate) fn new(draw: bool) -> Self {
        let target = if draw { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { start: Instant::now(), bar: ProgressBar::with_draw_target(None, target), phases: Mutex::default() }
    }

    /// Takes in an event of the run.
    pub(crate) fn tell(&self, event: Event) {
        match event {
            Event::PhaseStarted { name, total } => {
                self.phases().running = Some((name, Instant::now()));
                self.bar.reset();
                self.bar.set_message(name);
                self.bar.set_style(style(total.is_some()));
                if let Some(total) = total {
                    self.bar.set_length(total);
                }
                self.bar.enable_steady_tick(TICK);
            }
            Event::Advanced(bytes) => self.bar.inc(bytes),
            Event::PhaseEnded => {
                let mut phases = self.phases();
                if let Some((name, start)) = phases.running.take() {
                    phases.over.push(Timing { phase: name.into(), milliseconds: milliseconds(start) });
                }
            }
        }
    }

    /// Takes the bar away. What each phase took, and the run as a whole, in milliseconds.
    pub(crate) fn finish(&self) -> (Vec<Timing>, u64) {
        self.bar.finish_and_clear();
        (std::mem::take(&mut self.phases().over), milliseconds(self.start))
    }

    fn phases(&self) -> MutexGuard<'_, Phases> {
        self.phases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

const SHARE: &str = "{msg:18} [{bar:30}] {decimal_bytes:>10} of {decimal_total_bytes}, {decimal_bytes_per_sec}";
const SPINNER: &str = "{msg:18} {spinner} {elapsed}";

fn style(has_total: bool) -> ProgressStyle {
    let template = if has_total { SHARE } else { SPINNER };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_that_ends_has_its_time() {
        let progress = Progress::new(false);
        progress.tell(Event::PhaseEnded);
        for name in ["read layers", "write"] {
            progress.tell(Event::PhaseStarted { name, total: Some(10) });
            progress.tell(Event::Advanced(10));
            progress.tell(Event::PhaseEnded);
        }
        progress.tell(Event::PhaseStarted { name: "cut off", total: None });
        let (timings, whole) = progress.finish();
        let names: Vec<_> = timings.iter().map(|timing| timing.phase.as_str()).collect();
        assert_eq!(names, ["read layers", "write"]);
        assert!(timings.iter().map(|timing| timing.milliseconds).sum::<u64>() <= whole + 1);
    }

    #[test]
    fn the_templates_are_well_formed() {
        assert!([SHARE, SPINNER].map(ProgressStyle::with_template).iter().all(Result::is_ok));
    }
}
