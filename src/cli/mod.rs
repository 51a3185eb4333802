//! Argv in, what to print and the exit code out. Prints nothing and ends nothing: `main` does.

mod flags;
mod look;
mod progress;
mod reports;
mod request;
mod strip;
mod values;

use clap::{CommandFactory, Parser};
use clap_mangen::roff::{Roff, bold, roman};
use flags::{Command, Task};
use imgstrip::cancel::Cancel;
use imgstrip::error::{Error, ErrorKind};
use imgstrip::options::Limits;
use imgstrip::rules::preset;
pub(crate) use request::Surroundings;
use std::ffi::OsString;
use std::io;

/// What a run leaves for `main` to say.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// For standard output.
    pub(crate) stdout: Vec<u8>,
    /// For standard error.
    pub(crate) stderr: String,
    /// The process exit code.
    pub(crate) code: u8,
    /// The exit code of a read or write error, where 1 has another meaning: that archives differ.
    pub(crate) io_code: Option<u8>,
    /// The kind of the error that ended the run.
    pub(crate) failed: Option<ErrorKind>,
}

impl Outcome {
    /// The exit code of a read or write error.
    pub(crate) fn io_code(&self) -> u8 {
        self.io_code.unwrap_or(ErrorKind::Io.exit_code())
    }
}

/// Runs what the words ask for.
pub(crate) fn run(words: impl IntoIterator<Item = OsString>, around: &Surroundings, cancel: &Cancel) -> Outcome {
    let command = match Command::try_parse_from(words) {
        Ok(command) => command,
        Err(error) => return usage(&error),
    };
    let result = match &command.task {
        None => strip::run(&command.strip, around, cancel),
        Some(Task::Inspect(flags)) => look::inspect(flags, around, cancel),
        Some(Task::Explain(flags)) => look::explain(flags, around, cancel),
        Some(Task::Diff(flags)) => look::diff(flags, around, cancel),
        Some(Task::Rules { preset }) => rules(preset.as_deref()),
        Some(Task::Completions { shell }) => Ok(completions(*shell)),
        Some(Task::Man) => man(),
    };
    // Ctrl-C ends the writer of a pipe, too: what its end looks like is not why the run failed.
    let reason = |error| cancel.check().err().unwrap_or(error);
    let mut outcome = result.unwrap_or_else(|error| failed(&reason(error)));
    if matches!(command.task, Some(Task::Diff(_))) {
        outcome.io_code = Some(ErrorKind::Usage.exit_code());
        if outcome.failed == Some(ErrorKind::Io) {
            outcome.code = outcome.io_code();
        }
    }
    outcome
}

/// One line, and the exit code of the error's kind.
pub(crate) fn failed(error: &Error) -> Outcome {
    Outcome {
        stderr: format!("imgstrip: {error}\n"),
        code: error.kind().exit_code(),
        failed: Some(error.kind()),
        ..Outcome::default()
    }
}

/// clap's own messages; `--help` and `--version` are no errors and go to standard output.
fn usage(error: &clap::Error) -> Outcome {
    let text = error.render().to_string();
    if error.use_stderr() {
        Outcome { stderr: text, code: ErrorKind::Usage.exit_code(), ..Outcome::default() }
    } else {
        Outcome { stdout: text.into_bytes(), ..Outcome::default() }
    }
}

fn rules(preset: Option<&str>) -> Result<Outcome, Error> {
    let text = match preset {
        Some(name) => preset::find(name)?.text.to_owned(),
        None => list(&preset::all()),
    };
    Ok(Outcome { stdout: text.into_bytes(), ..Outcome::default() })
}

/// The presets, one a line: `*` marks those that are on by default.
fn list(presets: &[preset::Preset]) -> String {
    let width = presets.iter().map(|preset| preset.name.len()).max().unwrap_or(0);
    let line = |preset: &preset::Preset| {
        let mark = if preset.default { '*' } else { ' ' };
        let risk = format!("{:?}", preset.risk).to_lowercase();
        format!("{mark} {:width$}  {risk:6}  {}\n", preset.name, preset.summary)
    };
    let lines: String = presets.iter().map(line).collect();
    format!("{lines}\n* is on by default. `imgstrip rules PRESET` prints its rules.\n")
}

fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut stdout = Vec::new();
    clap_complete::generate(shell, &mut Command::command(), "imgstrip", &mut stdout);
    Outcome { stdout, ..Outcome::default() }
}

fn man() -> Result<Outcome, Error> {
    let mut stdout = Vec::new();
    let render = |out: &mut Vec<u8>| -> io::Result<()> {
        clap_mangen::Man::new(Command::command()).render(out)?;
        limits().to_writer(out)
    };
    render(&mut stdout).map_err(|error| Error::io("write the manual page", error))?;
    Ok(Outcome { stdout, ..Outcome::default() })
}

/// The manual's section about the limits: each with its default, what it bounds, and where the number comes from.
fn limits() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["LIMITS"]);
    roff.text([roman(
        "What a hostile input may cost at most. Beyond one of them a run ends with exit code 6 and says which; ",
    )]);
    roff.text([bold("--limit NAME=VALUE"), roman(" raises or lowers it, for images that are trusted or are not.")]);
    for (name, default, about) in Limits::ALL {
        roff.control("TP", []);
        roff.text([bold(format!("{name}={}", values::shown(*default)))]);
        roff.text([roman(about.trim())]);
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_words(words: &[&str]) -> Outcome {
        let words = std::iter::once("imgstrip").chain(words.iter().copied()).map(OsString::from);
        run(words, &Surroundings::default(), &Cancel::new())
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for word in ["--help", "-h", "--version"] {
            let outcome = run_words(&[word]);
            assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{word}");
            assert!(!outcome.stdout.is_empty());
        }
    }

    #[test]
    fn a_wrong_call_is_exit_code_2_and_says_nothing_on_standard_output() {
        for words in [vec![], vec!["in"], vec!["in", "out", "more"], vec!["--none"], vec!["rules", "no-such"]] {
            let outcome = run_words(&words);
            assert_eq!((outcome.code, outcome.stdout.as_slice()), (2, &b""[..]), "{words:?}");
            assert!(!outcome.stderr.is_empty());
        }
    }

    #[test]
    fn a_missing_input_is_one_line_and_exit_code_1() {
        let outcome = run_words(&["/no/such.tar", "/no/out.tar"]);
        assert_eq!((outcome.code, outcome.stderr.lines().count()), (1, 1), "{}", outcome.stderr);
        assert!(outcome.stderr.starts_with("imgstrip: /no/such.tar: "));
    }

    #[test]
    fn every_preset_is_listed_and_can_be_printed() {
        let listed = String::from_utf8(run_words(&["rules"]).stdout).unwrap();
        for preset in preset::all() {
            assert!(listed.contains(&format!(" {} ", preset.name)), "{}", preset.name);
            assert_eq!(run_words(&["rules", preset.name]).stdout, preset.text.as_bytes());
        }
    }

    #[test]
    fn completions_and_the_manual_name_the_flags() {
        for words in [&["completions", "bash"][..], &["completions", "zsh"], &["man"]] {
            let text = String::from_utf8(run_words(words).stdout).unwrap().replace('\\', "");
            assert!(text.contains("--symlink-parents"), "{words:?}");
        }
    }

    #[test]
    fn the_manual_tells_every_limit() {
        let text = String::from_utf8(run_words(&["man"]).stdout).unwrap();
        // roff writes an apostrophe as a string of its own.
        let text = text.replace("\\*(Aq", "'").replace('\\', "");
        for (name, default, about) in Limits::ALL {
            assert!(text.contains(&format!("{name}={}", values::shown(*default))), "{name}");
            assert!(text.contains(about.trim()), "{name}: {about}");
        }
    }
}
