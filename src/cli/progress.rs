//! A bar on standard error, and how long each phase took. In: the events of a run. Out: timings; the drawing is
//! indicatif's. This is where the clock of a run is.

use super::flags::{Running, When};
use super::request::Surroundings;
use imgstrip::cancel::Cancel;
use imgstrip::error::Error;
use imgstrip::progress::{Event, Watch};
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
    /// A phase that runs once an image is one phase all the same.
    over: Vec<(&'static str, Duration)>,
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
                // The thread that ticks is a panic where the system gives none.
                if !self.bar.is_hidden() {
                    self.bar.enable_steady_tick(TICK);
                }
            }
            Event::Advanced(bytes) => self.bar.inc(bytes),
            Event::PhaseEnded => {
                let mut phases = self.phases();
                if let Some((name, start)) = phases.running.take() {
                    let took = start.elapsed();
                    match phases.over.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, time)) => *time = time.saturating_add(took),
                        None => phases.over.push((name, took)),
                    }
                }
            }
        }
    }

    /// Takes the bar away. What each phase took, and the run as a whole, in milliseconds.
    pub(crate) fn finish(&self) -> (Vec<Timing>, u64) {
        self.bar.finish_and_clear();
        let timings = std::mem::take(&mut self.phases().over).into_iter();
        let timing = |(name, time): (&str, Duration)| Timing { phase: name.into(), milliseconds: milliseconds(time) };
        (timings.map(timing).collect(), milliseconds(self.start.elapsed()))
    }

    fn phases(&self) -> MutexGuard<'_, Phases> {
        self.phases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a task under a bar. What it yields, what each phase took, and the whole in milliseconds.
pub(crate) fn watched<T>(
    running: &Running,
    around: &Surroundings,
    cancel: &Cancel,
    run: impl FnOnce(&Watch<'_>) -> Result<T, Error>,
) -> Result<(T, Vec<Timing>, u64), Error> {
    let progress = Progress::new(draws(running.progress.unwrap_or_default(), running.quiet, around));
    let result = run(&Watch { progress: &|event| progress.tell(event), cancel });
    let (timings, milliseconds) = progress.finish();
    result.map(|yielded| (yielded, timings, milliseconds))
}

/// Whether the bar is drawn.
fn draws(when: When, quiet: bool, around: &Surroundings) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => around.error_is_terminal && !quiet,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
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

    #[test]
    fn a_bar_is_drawn_on_a_terminal_or_on_demand() {
        let terminal = Surroundings { error_is_terminal: true, ..Surroundings::default() };
        let pipe = Surroundings::default();
        assert!(draws(When::Auto, false, &terminal) && draws(When::Always, true, &pipe));
        assert!(!draws(When::Auto, false, &pipe) && !draws(When::Auto, true, &terminal));
        assert!(!draws(When::Never, false, &terminal));
    }
}
