//! Signals at any moment: the run ends with 128 and the signal's number and leaves nothing, or was done already.

use crate::inputs::{KINDS, Kind};
use crate::place::{OLD, Place, assert_says, said};
use crate::shim::{Fault, When, count, shim};
use crate::some;
use std::fs::File;
use std::process::{Command, Stdio};

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGPIPE: i32 = 13;
const SIGTERM: i32 = 15;

#[test]
fn a_signal_at_any_call_ends_the_run_and_leaves_nothing() {
    if shim().is_none() {
        return;
    }
    let mut ends = [0, 0];
    for (signal, kind) in [SIGINT, SIGTERM, SIGHUP].into_iter().zip(KINDS) {
        let place = Place::new(kind);
        let most = count(&place, &place.path(""), "rwtsno");
        for number in some(most, 10) {
            let what = format!("signal:{signal}");
            let (ran, _) = Fault { path: place.path(""), calls: "rwtsno", when: When::Call(number), what }.run(&place);
            let what = format!("{kind:?}, signal {signal} at call {number} of {most}");
            // It may come when the work is done.
            if ran.status.success() {
                place.assert_good(&ran, &what);
            } else {
                place.assert_failed(&ran, (128 + signal, &format!("stopped by signal {signal}")), &what);
            }
            ends[usize::from(ran.status.success())] += 1;
            place.reset();
        }
    }
    eprintln!("{} runs were stopped, {} were done", ends[0], ends[1]);
}

#[test]
fn a_signal_ends_a_run_that_waits_for_its_input() {
    let place = Place::new(Kind::Plain);
    let fifo = place.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let run = place.command_of(&fifo, place.output()).stderr(Stdio::piped()).spawn().unwrap();
        // Opens once the run has it open, and then says nothing.
        let silent = File::options().write(true).open(&fifo).unwrap();
        assert!(Command::new("kill").arg(format!("-{signal}")).arg(run.id().to_string()).status().unwrap().success());
        let ran = run.wait_with_output().unwrap();
        drop(silent);
        assert_eq!(ran.status.code(), Some(128 + signal), "{}", said(&ran));
        assert!(said(&ran).contains(&format!("stopped by signal {signal}")) && place.holds() == OLD);
        place.assert_clean("a silent input");
    }
}

#[test]
fn the_signal_of_a_closed_pipe_ends_nothing() {
    if shim().is_none() {
        return;
    }
    let place = Place::new(Kind::Gzip);
    let what = format!("signal:{SIGPIPE}");
    let (ran, met) = Fault { path: place.path(""), calls: "rw", when: When::Always, what }.run(&place);
    assert!(met > 0);
    place.assert_good(&ran, "SIGPIPE");
}

/// SIGXFSZ ends a process that does not handle it.
#[test]
fn a_limit_of_file_sizes_is_an_error_at_any_size() {
    let mut tried = 0;
    for kind in KINDS {
        let place = Place::new(kind);
        for step in some(place.good.len() / 1013, 4) {
            let most = step * 1013;
            let mut limited = Command::new("prlimit");
            let plain = place.command();
            limited.arg(format!("--fsize={most}")).arg(plain.get_program()).args(plain.get_args());
            let ran = limited.output().unwrap();
            let what = format!("{kind:?}, at most {most} bytes");
            assert_says(&ran, "File too large", &what);
            place.assert_failed(&ran, (1, "File too large"), &what);
            tried += 1;
        }
    }
    eprintln!("{tried} limits of the file size");
}
