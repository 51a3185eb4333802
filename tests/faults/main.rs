//! The program itself while the machine under it fails: calls that fail or come short, full disks, signals, kills, an input that changes.
//!
//! Whatever happens, the output is the old one or, byte for byte, the good one; a run that fails says why in one line, and leaves nothing
//! beside its output or in its directory for temporary files. What needs root, mounts or a C compiler says so where there is none of it,
//! and fails there where `CI=true`. `IMGSTRIP_LONG=1` tries every call, every size and 200 kills a file system; else a share of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, unreachable_pub, dead_code)]

mod calls;
mod changes;
mod disks;
#[path = "../it/image.rs"]
mod image;
mod inputs;
mod kills;
#[path = "../it/lines.rs"]
mod lines;
mod mount;
mod outputs;
mod place;
mod shim;
mod signals;
#[path = "../it/tar.rs"]
mod tar;

/// Whether all of it is asked for.
fn is_long() -> bool {
    std::env::var_os("IMGSTRIP_LONG").is_some_and(|value| value != "0")
}

/// About `few` numbers from 1 to `most`, both among them; all of them where that is asked for.
fn some(most: usize, few: usize) -> Vec<usize> {
    let step = if is_long() { 1 } else { most.div_ceil(few).max(1) };
    let mut numbers: Vec<usize> = (1..=most).step_by(step).collect();
    if numbers.last().is_some_and(|last| *last < most) {
        numbers.push(most);
    }
    numbers
}

/// Says that a test cannot run here; a failure where nothing may be left out.
fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "CI needs {why}");
    eprintln!("skipped: this needs {why}");
}
