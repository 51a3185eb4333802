//! `--verify` as a user calls it: whatever is asked for, the report says what was compared.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/images/demo/demo.tar.gz");

fn imgstrip(words: &[&str], directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_imgstrip"))
        .args(["--verify", DEMO])
        .args(words)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn every_way_to_write_a_real_image_is_verified() {
    let directory = tempfile::tempdir().unwrap();
    let ways: &[&[&str]] = &[
        &["out.tar"],
        &["out.tar", "--preset", "none", "-z", "zstd:3,long"],
        &["out.tar", "--preset", "all", "-z", "gzip", "-f", "docker", "--mtime", "0"],
        &["out.tar", "--only-needed", "--strip-debug", "-f", "oci", "-z", "gzip:1"],
        &["out/", "--keep-base", "2", "--mtime", "1000000000", "-z", "zstd"],
        &["out/", "--history", "single", "-t", "other:2"],
        &["out.tar", "--history", "drop", "--drop", "/usr/**", "-j", "1"],
    ];
    for way in ways {
        let ran = imgstrip(&[way, &["--json"][..]].concat(), directory.path());
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(0), "{way:?}: {said}");
        let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
        let verified = &report["verified"];
        let kept = &report["images"][0]["accounting"]["kept"];
        assert_eq!(verified["images"], 1, "{way:?}");
        assert!(verified["entries"].as_u64() >= kept["entries"].as_u64(), "{way:?}: {verified} {kept}");
        let added = report["images"][0]["accounting"]["added"]["bytes"].as_u64().unwrap();
        assert_eq!(verified["bytes"].as_u64().unwrap(), kept["bytes"].as_u64().unwrap() + added, "{way:?}");
        assert!(said.contains("\nverified: read back, "), "{said}");
    }
}

#[test]
fn what_goes_into_a_pipe_is_verified_and_is_what_goes_into_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let piped = imgstrip(&["-"], directory.path());
    assert!(piped.status.success());
    assert!(imgstrip(&["out.tar"], directory.path()).status.success());
    assert!(std::fs::read(directory.path().join("out.tar")).unwrap() == piped.stdout);
}

#[test]
fn a_dry_run_has_nothing_to_verify() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(imgstrip(&["--dry-run"], directory.path()).status.code(), Some(2));
}
