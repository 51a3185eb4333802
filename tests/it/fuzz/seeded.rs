//! Every target for a bounded time, without a fuzzer: its corpus, mutations of it, and bytes from a seed. `IMGSTRIP_LONG=1` tries a hundred
//! times as many. A failure shows the input as a line to put into a test.

use super::choices::{Choices, mutated, noise};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

/// How many cases, and how many of a hundred are at least accepted, and refused: a target that takes none, or all, checks nothing.
struct Bounds {
    cases: usize,
    accepted: usize,
    refused: usize,
}

fn run(target: &str, check: fn(&[u8]) -> bool, bounds: Bounds) {
    let corpus = corpus(target);
    let mut counts = [0usize; 2];
    let mut one = |input: &[u8]| match catch_unwind(AssertUnwindSafe(|| check(input))) {
        Ok(accepted) => counts[usize::from(accepted)] += 1,
        Err(panic) => {
            eprintln!("{target}: the input is b\"{}\"", input.escape_ascii());
            resume_unwind(panic);
        }
    };
    one(b"");
    for (_, input) in &corpus {
        one(input);
    }
    let times = if std::env::var_os("IMGSTRIP_LONG").is_some() { 100 } else { 1 };
    for seed in 0..(bounds.cases * times) as u32 {
        let noise = noise(seed, 16 + seed as usize % 7 * 60);
        match corpus.get(seed as usize / 2 % corpus.len().max(1)) {
            Some((_, known)) if seed % 2 == 0 => one(&mutated(known, &mut Choices(&noise))),
            _ => one(&noise),
        }
    }
    let [refused, accepted] = counts.map(|count| count * 100 / (counts[0] + counts[1]));
    println!("{target}: {} cases, {accepted} % accepted", counts[0] + counts[1]);
    assert!(accepted >= bounds.accepted && refused >= bounds.refused, "{target}: {accepted} % accepted");
}

/// The named inputs of a target.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut found: Vec<(String, Vec<u8>)> = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|file| {
            let path = file.unwrap().path();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{target} has a corpus");
    found
}

#[test]
fn a_tar_is_read_as_go_reads_it_or_refused() {
    run("tar", super::tar::check, Bounds { cases: 500, accepted: 20, refused: 20 });
}

#[test]
fn pax_records_and_sparse_maps_are_read_as_go_reads_them_or_refused() {
    run("pax", super::pax::check, Bounds { cases: 500, accepted: 20, refused: 20 });
}

#[test]
fn a_merge_is_what_the_slow_model_says() {
    run("merge", super::merge::check, Bounds { cases: 400, accepted: 30, refused: 2 });
}

#[test]
fn an_archive_is_resolved_to_the_images_it_was_made_of() {
    run("archive", super::archive::check, Bounds { cases: 150, accepted: 20, refused: 10 });
}

#[test]
fn a_config_is_rewritten_where_it_must_be_and_nowhere_else() {
    run("config", super::config::check, Bounds { cases: 500, accepted: 20, refused: 10 });
}

#[test]
fn a_stream_is_inflated_within_its_limits() {
    run("codec", super::codec::check, Bounds { cases: 300, accepted: 20, refused: 20 });
}

#[test]
fn a_glob_means_what_its_parts_say() {
    run("rules", super::rules::check, Bounds { cases: 150, accepted: 20, refused: 10 });
}

#[test]
fn a_file_needs_what_it_was_made_with() {
    run("elf", super::elf::check, Bounds { cases: 2000, accepted: 20, refused: 5 });
}

#[test]
fn a_run_shows_what_the_model_says_or_leaves_nothing() {
    run("squash", super::squash::check, Bounds { cases: 40, accepted: 20, refused: 5 });
}

#[test]
fn a_package_database_without_some_holds_the_others() {
    run("packages", super::packages::check, Bounds { cases: 300, accepted: 30, refused: 3 });
}

#[test]
fn every_target_of_libfuzzer_is_driven_from_a_seed_too() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |directory: &str| -> Vec<String> {
        let files = std::fs::read_dir(root.join(directory)).unwrap();
        let names = files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    let targets = names("fuzz/fuzz_targets");
    assert_eq!(targets, names("fuzz/corpus"), "a corpus for each");
    let manifest = std::fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    for target in targets {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "cargo-fuzz knows {target}");
        let run = include_str!("seeded.rs").contains(&format!("run(\"{target}\", super::{target}::check"));
        assert!(run || target == "reuse", "{target} has no seeded form"); // reuse.rs has its own, which counts what is copied
    }
}
