//! `imgstrip inspect` and `imgstrip diff`: read, and say what is there. Nothing is written.

use super::Outcome;
use super::flags::{Diff, Inspect, Running};
use super::progress::Progress;
use super::request::{Surroundings, input, options};
use super::strip::draws;
use imgstrip::cancel::Cancel;
use imgstrip::error::Error;
use imgstrip::options::Input;
use imgstrip::progress::Watch;
use imgstrip::report::{difference, inspection, json};

/// The exit code of `diff` where the two differ, as of diff(1).
const DIFFERENT: u8 = 1;

/// Shows what is inside an archive.
pub(crate) fn inspect(flags: &Inspect, around: &Surroundings, cancel: &Cancel) -> Result<Outcome, Error> {
    let input = input(&flags.input, around)?;
    let options = options(&flags.choice, &flags.running);
    let found = watched(&flags.running, around, cancel, |watch| imgstrip::inspect(&input, &options, watch))?;
    let text = if flags.json { json::render(&found)? } else { inspection::render(&found) };
    Ok(Outcome { stdout: text.into_bytes(), ..Outcome::default() })
}

/// Compares two images.
pub(crate) fn diff(flags: &Diff, around: &Surroundings, cancel: &Cancel) -> Result<Outcome, Error> {
    let (a, b) = (input(&flags.a, around)?, input(&flags.b, around)?);
    if a == Input::Stdin && b == Input::Stdin {
        return Err(Error::usage("only one of two inputs can be standard input"));
    }
    let options = options(&flags.choice, &flags.running);
    let found = watched(&flags.running, around, cancel, |watch| imgstrip::diff(&a, &b, &options, watch))?;
    let code = if found.is_empty() { 0 } else { DIFFERENT };
    let stdout = if flags.running.quiet { Vec::new() } else { difference::render(&found).into_bytes() };
    Ok(Outcome { stdout, code, ..Outcome::default() })
}

fn watched<T>(
    running: &Running,
    around: &Surroundings,
    cancel: &Cancel,
    run: impl FnOnce(&Watch<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let progress = Progress::new(draws(running.progress.unwrap_or_default(), running.quiet, around));
    let result = run(&Watch { progress: &|event| progress.tell(event), cancel });
    progress.finish();
    result
}
