//! `imgstrip IN OUT`. In: its flags. Out: the report, where it was asked for, and the last line.

use super::flags::Strip;
use super::progress::watched;
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
    let Request { input, output, options } = &request;
    let run = |watch: &Watch<'_>| imgstrip::strip(input, output, options, watch);
    let (mut report, timings, milliseconds) = watched(&flags.running, around, cancel, run)?;
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
    use std::path::Path;

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
    fn a_plain_layer_is_reported_as_not_compressed() {
        let dir = tempfile::tempdir().unwrap();
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/demo/demo.tar.gz");
        for (how, expected) in [("none", "none"), ("gzip", "gzip"), ("zstd", "zstd")] {
            let out = dir.path().join(how);
            let words = [
                "imgstrip".as_ref(),
                "--json".as_ref(),
                "-z".as_ref(),
                how.as_ref(),
                demo.as_os_str(),
                out.as_os_str(),
            ];
            let outcome = super::super::run(words.map(Into::into), &Surroundings::default(), &Cancel::new());
            let report: serde_json::Value = serde_json::from_slice(&outcome.stdout).unwrap();
            assert_eq!(report["images"][0]["layer"]["compression"], expected);
        }
    }
}
