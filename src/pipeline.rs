//! The whole program, a line a phase: open, read layers, decide, write, report.
//!
//! In: paths and options. Out: the written archive, and a report. The only module that names rayon; it reads no
//! tar, decides nothing and prints nothing itself.

mod account;
mod base;
mod change;
mod checks;
mod choose;
mod decide;
mod diff;
mod explain;
mod inspect;
mod keep;
mod layers;
mod lent;
mod secrets;
mod survey;
mod verify;
mod write;

use crate::archive::{self, Archive};
use crate::error::{Error, ErrorKind, escape};
use crate::options::{Input, Options, Output};
use crate::progress::{Event, Watch};
use crate::report::{Artifact, ImageReport, Report};
use crate::warning::Warnings;
use checks::Checks;
use decide::Decision;
pub use diff::diff;
pub use explain::explain;
pub use inspect::inspect;
use layers::Layers;
use lent::Keep;
use rayon::prelude::*;
use write::Writers;

/// Squashes and strips the images of an archive, and writes them to `output`.
///
/// With `Options::dry_run` everything is decided and reported, and `output` is not touched.
///
/// # Errors
///
/// Every [`ErrorKind`]; a failed run leaves `output` as it was, and nothing beside it.
pub fn strip(input: &Input, output: &Output, options: &Options, watch: &Watch<'_>) -> Result<Report, Error> {
    strip_with(input, (output, Writers::OWN), options, watch)
}

fn strip_with(
    input: &Input,
    output: (&Output, Writers<'_>),
    options: &Options,
    watch: &Watch<'_>,
) -> Result<Report, Error> {
    with_archive(input, options, |archive| {
        checks::beside(options, watch, |checks| run(archive, output, options, watch, checks))
    })
}

/// Opens the archive and runs on as many threads as `options` says; errors name the archive.
fn with_archive<T: Send>(
    input: &Input,
    options: &Options,
    run: impl FnOnce(&Archive) -> Result<T, Error> + Send,
) -> Result<T, Error> {
    pool(options)?.install(|| {
        let archive = archive::open(input, options)?;
        run(&archive).map_err(|error| archive.reason(error).in_archive(archive.name.as_str()))
    })
}

/// As [`with_archive`], for a run that only looks: what it says holds for an input that nobody changed meanwhile.
fn look_into<T: Send>(
    input: &Input,
    options: &Options,
    run: impl FnOnce(&Archive) -> Result<T, Error> + Send,
) -> Result<T, Error> {
    with_archive(input, options, |archive| {
        let seen = run(archive)?;
        archive.check_unchanged().map(|()| seen)
    })
}

fn pool(options: &Options) -> Result<rayon::ThreadPool, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.map_or(0, usize::from)).build();
    pool.map_err(|error| Error::new(ErrorKind::Io, format!("start the threads: {error}")))
}

fn run(
    archive: &Archive,
    (output, writers): (&Output, Writers<'_>),
    options: &Options,
    watch: &Watch<'_>,
    checks: &Checks<'_, '_>,
) -> Result<Report, Error> {
    let tags = write::tags(archive, options)?;
    // Secrets are looked for in what layers held and later ones deleted.
    let keep = if options.rules.looks_for_secrets() { Keep::ToTheEnd } else { Keep::UntilMerged };
    let layers = read(archive, options, (keep, checks), watch)?;
    let mut decisions = decide(archive, &layers, options, watch)?;
    let temp_bytes = archive.temp_bytes.saturating_add(layers.spilled());
    let mut report = Report { version: env!("CARGO_PKG_VERSION"), temp_bytes, ..Report::default() };
    report.input = Artifact { name: archive.name.clone(), bytes: archive.bytes };
    let mut warnings = archive.warnings.clone();
    decisions.iter().for_each(|decision| warnings.merge(&decision.warnings));
    check(&decisions, &warnings, options)?;
    if options.dry_run {
        checks.wait()?;
        archive.check_unchanged()?;
    } else {
        let read = (archive, &layers, checks);
        let output_of = (output, &tags, writers);
        let done = write::write(read, &mut decisions, output_of, options, &mut warnings, watch)?;
        report.temp_bytes = report.temp_bytes.saturating_add(done.temp_bytes);
        report.output = Some(Artifact { name: name(output), bytes: done.bytes });
        report.verified = done.verified;
    }
    report.images = decisions.into_iter().map(|decision| decision.report).collect();
    if report.images.iter().any(looked_at_needs) {
        report.notes.push(UNSEEN.into());
    }
    report.warnings = (&warnings).into();
    Ok(report)
}

fn read(
    archive: &Archive,
    options: &Options,
    beside: (Keep, &Checks<'_, '_>),
    watch: &Watch<'_>,
) -> Result<Layers, Error> {
    let total = archive.images.iter().flat_map(|image| &image.layers).map(|layer| layer.blob.len()).sum();
    watch.phase("read layers", Some(total), || {
        Layers::read((&archive.images, archive.bytes), options, beside, &|bytes| watch.tell(Event::Advanced(bytes)))
    })
}

/// Reads the layers and checks all their digests before it returns.
fn read_checked(archive: &Archive, options: &Options, keep: Keep, watch: &Watch<'_>) -> Result<Layers, Error> {
    checks::beside(options, watch, |checks| {
        let layers = read(archive, options, (keep, checks), watch)?;
        watch.phase("check digests", None, || checks.wait())?;
        Ok(layers)
    })
}

fn decide(archive: &Archive, layers: &Layers, options: &Options, watch: &Watch<'_>) -> Result<Vec<Decision>, Error> {
    let named = |image| move |error: Error| error.in_image(decide::name(image));
    let shown = watch.phase("merge", None, || {
        let show = |image| {
            let shown =
                base::kept(archive, image, options).and_then(|kept| decide::show((image, kept), layers, options));
            shown.map_err(named(image))
        };
        let shown: Vec<Result<_, Error>> = archive.images.par_iter().map(show).collect();
        shown.into_iter().collect::<Result<Vec<_>, _>>()
    })?;
    // One image after the other: each looks into its files side by side.
    let images = archive.images.iter().zip(shown);
    images.map(|(image, shown)| decide::decide(image, shown, layers, options, watch).map_err(named(image))).collect()
}

/// What no look into files can see; who relies on the result should know.
const UNSEEN: &str = "not seen: what a program loads by a name that it makes up (dlopen, imports), and data files. --keep and --keep-bin keep it";

/// Whether something of an image went because nothing was seen to need it.
fn looked_at_needs(image: &ImageReport) -> bool {
    image.needed.is_some() || image.packages.as_ref().is_some_and(|packages| !packages.dropped.is_empty())
}

/// The gates that can be judged before anything is written.
fn check(decisions: &[Decision], warnings: &Warnings, options: &Options) -> Result<(), Error> {
    if options.strict {
        warnings.refuse()?;
    }
    for report in decisions.iter().map(|decision| &decision.report) {
        let saving = report.before.saving(&report.after);
        if options.gates.min_saving.is_some_and(|wanted| saving < wanted) {
            let what = format!("the layers get smaller by {saving:.1} % only, less than --min-saving asks for");
            return Err(Error::new(ErrorKind::Gate, what).in_image(report.name.as_str()));
        }
    }
    Ok(())
}

fn name(output: &Output) -> String {
    match output {
        Output::File(path) | Output::Directory(path) => escape(path.as_os_str().as_encoded_bytes()),
        Output::Stdout => "-".into(),
    }
}
