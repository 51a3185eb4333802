//! Every read, write and other call fails once; all of them come short or are interrupted.

use crate::inputs::{KINDS, Kind};
use crate::place::{OLD, Place, assert_says};
use crate::shim::{Fault, When, count, shim};
use crate::{is_long, some};

const EINTR: i32 = 4;
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// What a run meets files of a directory for, by the name of the directory.
const ALL: [(&str, &str); 9] = [
    ("in", "r"),
    ("in", "o"),
    ("temp", "w"),
    ("temp", "r"),
    ("temp", "o"),
    ("out", "w"),
    ("out", "t"),
    ("out", "n"),
    ("out", "o"),
];

#[test]
fn each_call_that_fails_is_told_and_leaves_the_old_output() {
    if shim().is_none() {
        return;
    }
    let mut tried = 0;
    for kind in KINDS {
        let place = Place::new(kind);
        for (directory, calls) in ALL {
            let path = place.path(directory);
            for number in some(count(&place, &path, calls), 3) {
                let (code, word) = if calls == "w" { (ENOSPC, "No space left") } else { (EIO, "Input/output error") };
                let fault = Fault { path: path.clone(), calls, when: When::Call(number), what: code.to_string() };
                let (ran, met) = fault.run(&place);
                let what = format!("{kind:?}, {calls} {number} in {directory}");
                tried += met;
                match ran.status.success() {
                    // Threads come to other numbers of calls from run to run.
                    true if met == 0 => place.assert_good(&ran, &what),
                    true => panic!("{what}: the error went unnoticed"),
                    false => place.assert_failed(&ran, (1, word), &what),
                }
                place.reset();
            }
        }
    }
    eprintln!("{tried} calls failed");
}

/// Once renamed, the output is in its place: only the sync of its directory can fail then.
#[test]
fn each_sync_that_fails_is_told_and_the_output_is_the_old_one_or_the_good_one() {
    if shim().is_none() {
        return;
    }
    let place = Place::new(Kind::Gzip);
    let path = place.path("out");
    let syncs = count(&place, &path, "s");
    assert!(syncs >= 2, "the file and its directory");
    for number in 1..=syncs {
        let fault = Fault { path: path.clone(), calls: "s", when: When::Call(number), what: EIO.to_string() };
        let (ran, _) = fault.run(&place);
        assert_eq!(ran.status.code(), Some(1));
        assert_says(&ran, "Input/output error", "sync");
        place.assert_clean("sync");
        let holds = place.holds();
        assert!(if number < syncs { holds == OLD } else { holds == place.good }, "sync {number}");
        place.reset();
    }
}

#[test]
fn a_disk_that_is_full_after_so_many_bytes_leaves_the_old_output() {
    if shim().is_none() {
        return;
    }
    let mut tried = 0;
    for kind in KINDS {
        let place = Place::new(kind);
        let spilled = if kind == Kind::Plain { 0 } else { 100_000 };
        for (directory, most) in [("out", place.good.len()), ("temp", spilled)] {
            // One byte too few, one byte only, and steps that are no power of two.
            let steps = some(most / 997, 3).into_iter().map(|step| (step - 1) * 997);
            for bytes in steps.chain([1, 511, 513, most - most.min(1)]).filter(|bytes| *bytes < most) {
                let path = place.path(directory);
                let what = format!("{kind:?}, {bytes} bytes in {directory}");
                let fault = Fault { path, calls: "w", when: When::Byte(bytes), what: ENOSPC.to_string() };
                let (ran, met) = fault.run(&place);
                // Zeros at the end of a member are not written; all else is.
                if met == 0 && bytes + 4096 > most {
                    place.assert_good(&ran, &what);
                } else {
                    place.assert_failed(&ran, (1, "No space left"), &what);
                    tried += 1;
                }
                place.reset();
            }
        }
    }
    eprintln!("{tried} disks were full");
}

#[test]
fn reads_and_writes_that_come_short_or_are_interrupted_change_nothing() {
    if shim().is_none() {
        return;
    }
    for kind in KINDS {
        // A byte at a time takes a call for each.
        for (size, pieces) in [(300, &[1, 7][..]), (20_000, &[511, 4097])] {
            let place = Place::sized(kind, if is_long() { 20_000 } else { size }, &std::env::temp_dir());
            let short = pieces.iter().map(|most| format!("short:{most}"));
            for what in short.chain([EINTR.to_string()]) {
                for calls in ["r", "w"] {
                    let fault = Fault { path: place.path(""), calls, when: When::Always, what: what.clone() };
                    let (ran, met) = fault.run(&place);
                    assert!(met > 0);
                    place.assert_good(&ran, &format!("{kind:?}, {calls} {what}"));
                    place.reset();
                }
            }
        }
    }
}
