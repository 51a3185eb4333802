//! `imgstrip IN OUT`. In: its flags. Out: the report, where it was asked for, and the last line.

use super::flags::{Strip, When};
use super::progress::Progress;
use super::request::{Request, Surroundings};
use super::{Outcome, reports};
use imgstrip::cancel::Cancel;
use imgstrip::error::Error;
use imgstrip::progress::Watch;
use imgstrip::report::{Report, json, load_command, text};
use std::fs;

/// Runs it.
pub(crate) fn run(flags: &Strip, around: &Surroundings, cancel: &Cancel) -> Result<Outcome, Error> {
    let request = Request::new(flags, around)?;
    if let Some(path) = &flags.report {
        reports::check(path, &request)?;
    }
    let progress = Progress::new(draws(flags.running.progress.unwrap_or_default(), flags.running.quiet, around));
    let watch = Watch { progress: &|event| progress.tell(event), cancel };
    let result = imgstrip::strip(&request.input, &request.output, &request.options, &watch);
    let (timings, milliseconds) = progress.finish();
    let mut report = result?;
    (report.timings, report.milliseconds, report.peak_memory) = (timings, milliseconds, peak_memory());
    if report.output.is_some() {
        report.load = load_command(&request.output, request.options.format, reference(&report));
    }
    // The image is in place by now: a report that cannot be written is an error all the same.
    if let Some(path) = &flags.report {
        reports::save(path, &report)?;
    }
    let mut outcome = Outcome::default();
    if flags.json {
        outcome.stdout = json::render(&report)?.into_bytes();
    }
    if !flags.running.quiet {
        let detail = if flags.running.verbose { text::Detail::Full } else { text::Detail::Normal };
        outcome.stderr = format!("{}{}\n", text::render(&report, detail), text::last_line(&report));
    }
    Ok(outcome)
}

/// A name of the first image, if it has one: an untagged image is shown by its ID, which is no reference.
fn reference(report: &Report) -> Option<&str> {
    let name = report.images.first()?.name.split(", ").next()?;
    (!name.is_empty() && name.contains(':')).then_some(name)
}

/// Whether the bar is drawn.
pub(crate) fn draws(when: When, quiet: bool, around: &Surroundings) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => around.error_is_terminal && !quiet,
    }
}

/// The most memory that this process held so far, as Linux tells it.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use imgstrip::report::ImageReport;

    #[test]
    fn an_untagged_image_has_no_reference() {
        let named = |name: &str| {
            let image = ImageReport { name: name.into(), ..ImageReport::default() };
            Report { images: vec![image], ..Report::default() }
        };
        assert_eq!(reference(&named("app:1.0, app:latest")), Some("app:1.0"));
        assert_eq!(reference(&named("0123456789ab")), None);
        assert_eq!(reference(&Report::default()), None);
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
