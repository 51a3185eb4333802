//! The program itself where the system is hostile: what a caller sees, and what is left behind.

use std::fs;
use std::process::Command;

#[test]
fn a_file_size_limit_is_an_error_and_leaves_nothing() {
    // SIGXFSZ ended the process at once, without a word; one that was writing the output left its temporary file. Here
    // it is the spill file that meets the limit.
    let directory = tempfile::tempdir().unwrap();
    let run = Command::new("sh")
        .args(["-c", "ulimit -f 1; exec \"$0\" --temp-dir \"$3\" \"$1\" \"$2\""])
        .arg(env!("CARGO_BIN_EXE_imgstrip"))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/images/demo/demo.tar.gz"))
        .arg(directory.path().join("out.tar"))
        .arg(directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!((run.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
