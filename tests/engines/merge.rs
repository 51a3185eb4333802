//! Each merge case on each engine: what it shows for the layers equals what it shows for the one layer we write.
//!
//! An engine gets all images that it should accept in one archive, which is what makes a hundred cases cheap; those
//! that it should refuse come alone.

use crate::cases::{CASES, Case};
use crate::docker::{Docker, Views};
use crate::engine::Turn;
use crate::known::known;
use crate::layout::{Layout, REPOSITORY};
use crate::tarball;
use crate::umoci::Umoci;
use crate::view::STARTED;
use imgstrip::cancel::Cancel;
use imgstrip::options::{Input, Options, Output, SymlinkParents};
use imgstrip::progress::Watch;
use imgstrip::rules::Rules;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A case, and why it cannot be squashed.
type Outcome = (&'static str, Result<(), String>);

/// Shows the images of an archive, by tag; an error where the archive as a whole is refused.
type Show<'a> = &'a dyn Fn(&Layout) -> Result<Views, String>;

#[test]
fn docker_20_shows_our_output_as_it_shows_each_case() {
    docker(Docker::docker20());
}

#[test]
fn docker_26_shows_our_output_as_it_shows_each_case() {
    docker(Docker::docker26());
}

#[test]
fn docker_26_with_the_containerd_store_shows_our_output_as_it_shows_each_case() {
    docker(Docker::docker26c());
}

#[test]
fn umoci_shows_our_output_as_it_shows_each_case() {
    if Umoci::reach().is_some() {
        check("umoci", &|layout| {
            let show = |(name, _): &Case| (tag(name), Umoci::view(&layout.directory, &tag(name)));
            let index = std::fs::read_to_string(layout.directory.join("index.json")).unwrap();
            Ok(CASES.iter().filter(|(name, _)| index.contains(&format!("\"{}\"", tag(name)))).map(show).collect())
        });
    }
}

/// What umoci does with lower symlinks is what `--symlink-parents=follow` says. Where one leads to no directory, umoci
/// makes one there (M39, M41), and we put one in the symlink's place, whatever is asked for.
#[test]
fn umoci_shows_a_followed_symlink_as_we_write_it() {
    if Umoci::reach().is_none() {
        return;
    }
    let _ = *STARTED;
    let directory = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for case in CASES.iter().filter(|(name, _)| ["M36", "M37", "M43", "M44"].contains(name)) {
        let input = layout(&directory.path().join(tag(case.0)), &[case]);
        let output = directory.path().join(format!("out-{}", tag(case.0)));
        let options = Options { symlink_parents: SymlinkParents::Follow, ..squash_only() };
        strip(&input.tar, &Output::Directory(output.clone()), &options).unwrap();
        let [input, output] = [&input.directory, &output].map(|layout| Umoci::view(layout, &tag(case.0)).unwrap());
        wrong.extend(input.diff(&output).into_iter().map(|line| format!("{}: {line}", case.0)));
    }
    assert_eq!(wrong, [""; 0]);
}

fn docker(docker: Option<Turn<Docker>>) {
    let Some(Turn { engine, .. }) = &docker else { return };
    check(engine.name, &|layout| {
        let views = engine.views(&layout.tar);
        if views.is_err() {
            // Docker keeps the images before the one that it refuses.
            let names: Vec<String> = CASES.iter().map(|(name, _)| format!("{REPOSITORY}:{}", tag(name))).collect();
            engine.remove(&names);
        }
        let short = |name: String| name.rsplit(':').next().unwrap_or_default().to_owned();
        views.map(|views| views.into_iter().map(|(name, view)| (short(name), view)).collect())
    });
}

fn check(engine: &str, show: Show<'_>) {
    let _ = *STARTED;
    let directory = tempfile::tempdir().unwrap();
    let refused = |(name, _): &&Case| known(name, engine) == Some("refuses");
    let (single, batch): (Vec<&Case>, Vec<&Case>) = CASES.iter().partition(refused);
    let mut inputs = views(&directory.path().join("batch"), &batch, show).unwrap_or_else(|_| {
        let alone = |case: &&Case| alone(directory.path(), case, show);
        batch.iter().flat_map(alone).collect()
    });
    inputs.extend(single.iter().flat_map(|case| alone(directory.path(), case, show)));

    let (squashed, ours) = squash(directory.path(), &CASES.iter().collect::<Vec<_>>());
    let outputs = show(&squashed).unwrap_or_else(|error| panic!("{engine} refuses our output: {error}"));
    let mut wrong = Vec::new();
    for (case, _) in CASES {
        let found = match (&inputs[&tag(case)], outputs.get(&tag(case))) {
            (Err(why), _) => ("refuses".to_owned(), why.clone()),
            (Ok(_), None) => (String::new(), String::new()),
            (Ok(_), Some(Err(why))) => ("refuses our output".to_owned(), why.clone()),
            (Ok(input), Some(Ok(output))) => (input.diff(output).join("; "), String::new()),
        };
        let expected = known(case, engine).unwrap_or_default();
        if found.0 != expected {
            let why = found.1.lines().last().unwrap_or_default();
            wrong.push(format!("{case} {engine}: known '{expected}', found '{}' {why}", found.0));
        }
    }
    for (case, why) in ours {
        let (expected, found) = (known(case, "imgstrip"), why.as_ref().err().map(|_| "refuses"));
        if expected != found {
            wrong.push(format!(
                "{case} imgstrip: known '{}', found '{}' {why:?}",
                expected.unwrap_or(""),
                found.unwrap_or("")
            ));
        }
    }
    assert!(wrong.is_empty(), "{engine}:\n{}", wrong.join("\n"));
}

fn alone(directory: &Path, case: &Case, show: Show<'_>) -> Views {
    let at = directory.join(format!("alone-{}", tag(case.0)));
    let views = views(&at, &[case], show);
    views.unwrap_or_else(|why| BTreeMap::from([(tag(case.0), Err(why))]))
}

fn views(at: &Path, cases: &[&Case], show: Show<'_>) -> Result<Views, String> {
    show(&layout(at, cases))
}

fn layout(at: &Path, cases: &[&Case]) -> Layout {
    let nonce = |name: &str| format!("{name} {}", at.display());
    let image = |(name, stack): &&Case| {
        let mut tars = tarball::layers(stack, &nonce(name));
        // M98 is about one blob that stands twice.
        if *name == "M98" {
            tars = [&tars[..2], &tars[..2]].concat();
        }
        (tag(name), tars)
    };
    Layout::write(at, &cases.iter().map(image).collect::<Vec<_>>())
}

/// A tag may hold no capital of a repository's name, but they are ugly in one anyway.
fn tag(case: &str) -> String {
    case.to_lowercase()
}

/// Each case squashed, all that can be in one archive; and for each case whether it can be.
fn squash(directory: &Path, cases: &[&Case]) -> (Layout, Vec<Outcome>) {
    let mut accepted = Vec::new();
    let mut results = Vec::new();
    for case in cases {
        let one = layout(&directory.join(format!("dry-{}", tag(case.0))), &[case]);
        let result = strip(&one.tar, &Output::Stdout, &Options { dry_run: true, ..squash_only() });
        if result.is_ok() {
            accepted.push(*case);
        }
        results.push((case.0, result));
    }
    let input = layout(&directory.join("accepted"), &accepted);
    let path = |name: &str| -> PathBuf { directory.join(name) };
    strip(&input.tar, &Output::File(path("out.tar")), &squash_only()).unwrap();
    strip(&input.tar, &Output::Directory(path("out")), &squash_only()).unwrap();
    (Layout { directory: path("out"), tar: path("out.tar") }, results)
}

/// Writes what the options ask for, or says why not.
pub(crate) fn strip(input: &Path, output: &Output, options: &Options) -> Result<(), String> {
    let cancel = Cancel::new();
    let report = imgstrip::strip(&Input::Path(input.to_owned()), output, options, &Watch::silent(&cancel));
    report.map(drop).map_err(|error| format!("{error:?}"))
}

/// `--preset none`.
pub(crate) fn squash_only() -> Options {
    Options { rules: Rules::none(), ..Options::default() }
}
