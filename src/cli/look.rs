//! `imgstrip inspect`, `imgstrip explain` and `imgstrip diff`: archives are read, nothing is written. In: flags. Out: what was found, on
//! standard output; warnings beside it.

use super::Outcome;
use super::flags::{Diff, Explain, Inspect, Running};
use super::progress::watched;
use super::request::{Surroundings, input, options, what};
use imgstrip::cancel::Cancel;
use imgstrip::error::Error;
use imgstrip::report::{Warning, comparison, explanation, inspection, json, text};

/// The exit code of a difference.
const DIFFERENT: u8 = 1;

/// Shows what is inside an archive.
pub(crate) fn inspect(flags: &Inspect, around: &Surroundings, cancel: &Cancel) -> Result<Outcome, Error> {
    let (from, options) = (input(&flags.input, around)?, options(&flags.choice, &flags.running));
    let (found, ..) = watched(&flags.running, around, cancel, |watch| imgstrip::inspect(&from, &options, watch))?;
    let shown = if flags.json { json::render(&found)? } else { inspection::render(&found) };
    Ok(outcome(shown, &found.warnings, &flags.running, flags.json))
}

/// Shows why a path is in the result or is not.
pub(crate) fn explain(flags: &Explain, around: &Surroundings, cancel: &Cancel) -> Result<Outcome, Error> {
    let (from, mut options) = (input(&flags.input, around)?, options(&flags.choice, &flags.running));
    what(&flags.what, &mut options)?;
    let path = flags.path.as_encoded_bytes();
    let (found, ..) = watched(&flags.running, around, cancel, |watch| imgstrip::explain(&from, path, &options, watch))?;
    let shown = if flags.json { json::render(&found)? } else { explanation::render(&found) };
    Ok(outcome(shown, &found.warnings, &flags.running, flags.json))
}

/// Shows what differs between two archives.
pub(crate) fn diff(flags: &Diff, around: &Surroundings, cancel: &Cancel) -> Result<Outcome, Error> {
    let (a, b) = (input(&flags.a, around)?, input(&flags.b, around)?);
    let options = options(&flags.choice, &flags.running);
    let (found, ..) = watched(&flags.running, around, cancel, |watch| imgstrip::diff(&a, &b, &options, watch))?;
    let shown = if flags.json { json::render(&found)? } else { comparison::render(&found, flags.running.verbose) };
    let mut outcome = outcome(shown, &found.warnings, &flags.running, flags.json);
    outcome.code = if found.equal { 0 } else { DIFFERENT };
    Ok(outcome)
}

/// Warnings are a part of the JSON already.
fn outcome(shown: String, warnings: &[Warning], running: &Running, json: bool) -> Outcome {
    let stderr = if running.quiet || json { String::new() } else { text::warnings(warnings) };
    Outcome { stdout: shown.into_bytes(), stderr, ..Outcome::default() }
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
