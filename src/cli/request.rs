//! From flags to what the library takes. In: parsed flags, the environment's SOURCE_DATE_EPOCH, and which of the
//! standard streams are terminals. Out: input, output, options. Reads rules files, and nothing else.

use super::flags::{Choice, Running, Strip, What};
use super::values;
use imgstrip::error::{Error, escape};
use imgstrip::options::{Gates, Input, Options, Output};
use imgstrip::rules::{Rules, preset::Selection};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// What the process finds around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    /// `SOURCE_DATE_EPOCH`.
    pub(crate) source_date_epoch: Option<OsString>,
    /// Whether standard input is a terminal.
    pub(crate) input_is_terminal: bool,
    /// Whether standard output is a terminal.
    pub(crate) output_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub(crate) error_is_terminal: bool,
}

/// A run that writes an image, or would.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) input: Input,
    pub(crate) output: Output,
    pub(crate) options: Options,
}

impl Request {
    /// What `imgstrip IN OUT` asks for.
    pub(crate) fn new(flags: &Strip, around: &Surroundings) -> Result<Self, Error> {
        let input = flags.input.as_deref().ok_or_else(|| Error::usage("no input is given"))?;
        let input = self::input(input, around)?;
        let output = match &flags.output {
            Some(path) => self::output(path),
            // A dry run opens no output.
            None if flags.dry_run => Output::Stdout,
            None => return Err(Error::usage("no output is given").hint("give one, or --dry-run")),
        };
        if output == Output::Stdout && !flags.dry_run {
            if flags.json {
                return Err(Error::usage("the image and the report cannot both go to standard output")
                    .hint("give --report FILE.json"));
            }
            if around.output_is_terminal {
                return Err(Error::usage("will not write an image to a terminal").hint("redirect it, or name a file"));
            }
        }
        let mut options = options(&flags.choice, &flags.running);
        self::what(&flags.what, &mut options)?;
        options.tag.clone_from(&flags.tag);
        options.compression = flags.compress.unwrap_or_default();
        options.format = flags.format.map(Into::into).unwrap_or_default();
        options.history = flags.history.map(Into::into).unwrap_or_default();
        options.strict = flags.strict;
        options.dry_run = flags.dry_run;
        options.verify = flags.verify;
        options.gates = Gates { max_size: flags.max_size, min_saving: flags.min_saving };
        options.created = source_date_epoch(around)?;
        options.mtime = flags.mtime.or(options.created);
        Ok(Self { input, output, options })
    }
}

/// The options that every task has.
pub(crate) fn options(choice: &Choice, running: &Running) -> Options {
    let mut options = Options {
        image: choice.image.clone(),
        platform: choice.platform.clone(),
        symlink_parents: choice.symlink_parents.map(Into::into).unwrap_or_default(),
        threads: running.threads,
        temp_dir: running.temp_dir.clone(),
        ..Options::default()
    };
    for (name, value) in &running.limit {
        options.limits.set(name, *value);
    }
    options
}

/// What goes and what stays.
pub(crate) fn what(flags: &What, options: &mut Options) -> Result<(), Error> {
    options.rules = rules_from_flags(flags)?;
    options.keep_base.clone_from(&flags.keep_base);
    options.only_needed = flags.only_needed;
    options.keep_programs.clone_from(&flags.keep_bin);
    options.strip_debug = flags.strip_debug;
    Ok(())
}

/// Where an archive is read from.
pub(crate) fn input(path: &Path, around: &Surroundings) -> Result<Input, Error> {
    if path.as_os_str() != "-" {
        return Ok(Input::Path(path.into()));
    }
    if around.input_is_terminal {
        return Err(Error::usage("will not read an image from a terminal").hint("redirect one, or name a file"));
    }
    Ok(Input::Stdin)
}

fn output(path: &Path) -> Output {
    match path.as_os_str().as_encoded_bytes() {
        b"-" => Output::Stdout,
        bytes if bytes.ends_with(b"/") => Output::Directory(path.into()),
        _ => Output::File(path.into()),
    }
}

/// <https://reproducible-builds.org/specs/source-date-epoch/>: a number of seconds, or the run must fail. An empty
/// value counts as none, as other tools take it.
fn source_date_epoch(around: &Surroundings) -> Result<Option<i64>, Error> {
    let Some(value) = around.source_date_epoch.as_ref().filter(|value| !value.is_empty()) else { return Ok(None) };
    let seconds = value.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match seconds.and_then(|text| text.parse().ok()) {
        Some(seconds) => Ok(Some(seconds)),
        None => {
            let shown = escape(value.as_encoded_bytes());
            Err(Error::usage(format!("SOURCE_DATE_EPOCH is \"{shown}\", which is no number of seconds since 1970")))
        }
    }
}

/// The rules of `--preset`, `--rules`, `--drop` and `--keep`. Their order does not matter: keep beats drop.
fn rules_from_flags(flags: &What) -> Result<Rules, Error> {
    let mut builder = Rules::builder();
    if let Some(list) = &flags.preset {
        builder = builder.presets(Selection::parse(list)?);
    }
    for path in &flags.rules {
        builder = builder.file(&name(path), &read_rules(path)?)?;
    }
    for glob in &flags.drop {
        builder = builder.drop(glob)?;
    }
    for glob in &flags.keep {
        builder = builder.keep(glob)?;
    }
    builder.build()
}

fn read_rules(path: &PathBuf) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::io(format!("read the rules file {}", name(path)), error))
}

fn name(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

/// The form of a report that a path asks for; clap has refused every other path.
pub(crate) fn report_form(path: &Path) -> Result<values::ReportForm, Error> {
    values::ReportForm::of(path).ok_or_else(|| Error::usage("the report's name ends in .json, .md or .html"))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
