//! Very much of one thing: all of it is there in the end, no stack grows with it, and memory only so far for each of them.
//!
//! Seconds are measured elsewhere, by `benches/scaling/extremes`. `IMGSTRIP_LONG=1` takes ten times as many of each thing.

use crate::image::docker;
use crate::tar::{Raw, archive};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// The stack of every thread. A frame for each level of the input would not fit.
const STACK: usize = 256 << 10;

fn times() -> usize {
    if std::env::var_os("IMGSTRIP_LONG").is_some_and(|value| value != "0") { 10 } else { 1 }
}

/// Runs the program on little stack.
fn run(directory: &Path, input: &[u8], flags: &[&str]) -> Output {
    std::fs::write(directory.join("in.tar"), input).unwrap();
    let mut command = Command::new("prlimit");
    command
        .arg(format!("--stack={STACK}"))
        .arg(env!("CARGO_BIN_EXE_imgstrip"))
        .env("RUST_MIN_STACK", STACK.to_string());
    command.args(["--quiet", "--json", "-j", "2"]).args(flags);
    command.arg(directory.join("in.tar")).arg(directory.join("out.tar")).output().unwrap()
}

/// Peak memory in bytes, and the entries of the result.
fn report(layers: &[Vec<u8>], flags: &[&str]) -> (u64, u64) {
    let directory = tempfile::tempdir().unwrap();
    let ran = run(directory.path(), &docker(layers), flags);
    assert!(ran.status.success(), "{:?} {}", ran.status, String::from_utf8(ran.stderr).unwrap());
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let accounting = &report["images"][0]["accounting"];
    let sum = |parts: &[&str]| parts.iter().map(|part| accounting[*part]["entries"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum(&["input"]), sum(&["kept", "replaced", "whited_out", "dropped", "metadata"]), "{accounting}");
    (report["peak_memory"].as_u64().unwrap(), sum(&["kept", "added"]))
}

/// As [`report`]; memory above that of an empty image is at most `each` bytes an entry of the input.
fn bounded(layers: &[Vec<u8>], flags: &[&str], (entries, each): (usize, u64)) -> u64 {
    let (floor, _) = report(&[archive(&[file("f")])], flags);
    let (peak, kept) = report(layers, flags);
    // A MiB or two is what an allocator and a thread more or less make of it.
    let most = floor + (4 << 20) + each * entries as u64;
    assert!(peak < most, "{entries} entries: {peak} bytes of memory, {floor} without them");
    kept
}

fn file(name: &str) -> Raw {
    Raw::new(name.as_bytes(), b'0')
}

fn files(count: usize, name: impl Fn(usize) -> String) -> Vec<u8> {
    archive(&(0..count).map(|at| file(&name(at))).collect::<Vec<_>>())
}

#[test]
fn a_directory_may_have_very_many_files() {
    let count = 10_000 * times();
    let kept = bounded(&[files(count, |at| format!("d/{at}"))], &[], (count, 1_500));
    assert_eq!(kept, count as u64);
}

#[test]
fn directories_may_stand_very_deep_inside_one_another_whether_named_or_not() {
    let count = 600 * times();
    let paths: Vec<String> = (1..=count).map(|depth| "d/".repeat(depth)).collect();
    let entries: Vec<Raw> = paths.iter().map(|path| Raw::new(path.as_bytes(), b'5')).collect();
    // Each has a path as long as it is deep.
    assert_eq!(bounded(&[archive(&entries)], &[], (count, 1_500 + count as u64)), count as u64);
    let deepest = format!("{}f", "d/".repeat(count));
    assert_eq!(bounded(&[archive(&[file(&deepest)])], &[], (count, 1_500 + count as u64)), 1);
    // And all of it goes with one whiteout.
    assert_eq!(report(&[archive(&entries), archive(&[file(".wh.d")])], &[]).1, 0);
}

#[test]
fn a_file_may_have_very_many_names() {
    let count = 8_000 * times();
    let mut entries = vec![file("f").body(b"content")];
    let link = |at: usize| Raw { link: b"f".to_vec(), ..Raw::new(format!("l/{at}").as_bytes(), b'1') };
    entries.extend((0..count).map(link));
    assert_eq!(bounded(&[archive(&entries)], &[], (count, 1_500)), 1 + count as u64);
    // A chain of them has one file at its end, too.
    let chain =
        |at: usize| Raw { link: format!("c/{at}").into(), ..Raw::new(format!("c/{}", at + 1).as_bytes(), b'1') };
    let mut entries = vec![file("c/0").body(b"content")];
    entries.extend((0..count).map(chain));
    assert_eq!(bounded(&[archive(&entries)], &[], (count, 1_500)), 1 + count as u64);
}

#[test]
fn an_image_may_have_as_many_layers_as_the_limit_says() {
    let layers =
        |count: usize| -> Vec<Vec<u8>> { (0..count).map(|at| files(2, |file| format!("d/{}", at + file))).collect() };
    assert_eq!(bounded(&layers(127), &[], (127, 20_000)), 128);
    assert_eq!(bounded(&layers(1_000), &["--limit", "layers=1000"], (1_000, 20_000)), 1_001);
    let directory = tempfile::tempdir().unwrap();
    let ran = run(directory.path(), &docker(&layers(501)), &[]);
    assert_eq!(ran.status.code(), Some(6));
}

#[test]
fn a_name_may_have_64_kibibytes_and_no_more() {
    let name = |length: usize| format!("{}{}", "n/".repeat(length / 2), "n".repeat(length % 2));
    let long = format!("{}/{}", "n".repeat((64 << 10) - 4), "abc");
    assert_eq!(report(&[archive(&[file(&long)])], &[]).1, 1);
    let directory = tempfile::tempdir().unwrap();
    for long in [format!("{long}d"), name((64 << 10) + 1)] {
        let ran = run(directory.path(), &docker(&[archive(&[file(&long)])]), &[]);
        assert_eq!(ran.status.code(), Some(6), "{}", String::from_utf8(ran.stderr).unwrap());
    }
}

#[test]
fn very_many_whiteouts_may_stand_over_as_many_entries() {
    let count = 8_000 * times();
    let lower = files(count, |at| format!("d/{at}"));
    let upper = files(count, |at| format!("d/.wh.{at}"));
    assert_eq!(bounded(&[lower, upper], &[], (2 * count, 1_500)), 0);
    let lower = files(count / 4, |at| format!("d/{at}/f"));
    let upper = files(count / 4, |at| format!("d/{at}/.wh..wh..opq"));
    assert_eq!(bounded(&[lower, upper], &[], (count, 1_500)), 0);
}

#[test]
fn very_many_rules_are_bounded_by_their_number() {
    let count = 300 * times();
    let rule =
        |at: usize| format!("[[rule]]\nname = \"r{at}\"\nreason = \"a test\"\ndrop = [\"/opt/{at}\", \"*.{at}\"]\n");
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("rules.toml");
    std::fs::write(&rules, (0..count).map(rule).collect::<String>()).unwrap();
    let flags = ["--preset", "none", "--rules", rules.to_str().unwrap()];
    let (floor, kept) = report(&[files(10, |at| format!("opt/{at}"))], &["--preset", "none"]);
    assert_eq!(kept, 10);
    let (peak, kept) = report(&[files(10, |at| format!("opt/{at}"))], &flags);
    assert_eq!(kept, 0);
    assert!(
        peak < floor + (4 << 20) + 20_000 * count as u64,
        "{count} rules: {peak} bytes of memory, {floor} without them"
    );
}
