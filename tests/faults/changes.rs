//! The input changes while it is read: at any read of it, in every way, and never is the output one that nobody checked.

use crate::inputs::{KINDS, Kind};
use crate::place::Place;
use crate::shim::{Fault, When, count, shim};
use crate::some;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What happens to a file.
type Change = fn(&Path);

/// Lets `change` happen before a read of the input.
fn changed_at(place: &Place, number: usize, change: Change) -> Output {
    let wait = place.path("wait");
    let fifo = |end: &str| place.path(&format!("wait.{end}"));
    for end in ["at", "go"] {
        fs::remove_file(fifo(end)).unwrap_or_default();
        assert!(Command::new("mkfifo").arg(fifo(end)).status().unwrap().success());
    }
    let mut command = place.command();
    let what = format!("wait:{}", wait.display());
    let fault = Fault { path: place.input(), calls: "r", when: When::Call(number), what };
    fault.meets(&mut command, &place.path("log"));
    // A run that makes fewer reads than another ends without a word here: this end is opened for both directions.
    let reached = File::options().read(true).write(true).open(fifo("at")).unwrap();
    let mut run = command.stderr(Stdio::piped()).spawn().unwrap();
    let waiter = std::thread::spawn(move || {
        let mut byte = [0];
        std::io::Read::read_exact(&mut &reached, &mut byte).map(|()| byte[0])
    });
    let is_reached = loop {
        if waiter.is_finished() {
            break waiter.join().unwrap().unwrap() == b'x';
        }
        if run.try_wait().unwrap().is_some() {
            // Wakes the waiter.
            fs::write(fifo("at"), b"-").unwrap();
            break waiter.join().unwrap().unwrap() == b'x';
        }
        std::thread::yield_now();
    };
    if is_reached {
        change(&place.input());
        // Opens once the run waits there.
        fs::write(fifo("go"), b"x").unwrap();
    }
    run.wait_with_output().unwrap()
}

fn middle(path: &Path) -> (File, u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let middle = file.metadata().unwrap().len() / 2;
    (file, middle)
}

fn flip(path: &Path) {
    let (file, middle) = middle(path);
    let mut byte = [0];
    file.read_exact_at(&mut byte, middle).unwrap();
    file.write_all_at(&[byte[0] ^ 0x20], middle).unwrap();
}

fn flip_and_back(path: &Path) {
    flip(path);
    flip(path);
}

fn flip_with_the_time_set_back(path: &Path) {
    let before = fs::metadata(path).unwrap().modified().unwrap();
    flip(path);
    middle(path).0.set_modified(before).unwrap();
}

fn cut(path: &Path) {
    let (file, middle) = middle(path);
    file.set_len(middle).unwrap();
}

fn grow(path: &Path) {
    let (file, middle) = middle(path);
    file.write_all_at(b"more", middle * 2 + 2).unwrap();
}

fn write_another(path: &Path) {
    fs::write(path, crate::inputs::input(Kind::Plain, 50_000)).unwrap();
}

fn replace(path: &Path) {
    let new = path.with_extension("new");
    fs::write(&new, crate::inputs::input(Kind::Plain, 50_000)).unwrap();
    fs::rename(new, path).unwrap();
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

#[test]
fn an_input_that_changes_while_it_is_read_is_never_taken_for_one_that_did_not() {
    if shim().is_none() {
        return;
    }
    let writes: [(&str, Change); 6] = [
        ("a byte", flip),
        ("a byte, and back", flip_and_back),
        ("a byte, the time set back", flip_with_the_time_set_back),
        ("cut", cut),
        ("grown", grow),
        ("another archive", write_another),
    ];
    let mut found = 0;
    for kind in KINDS {
        let place = Place::new(kind);
        // The first read comes after the file was looked at.
        for number in some(count(&place, &place.input(), "r"), 3) {
            for (name, change) in writes {
                let what = format!("{kind:?}, {name} at read {number}");
                let ran = changed_at(&place, number, change);
                if ran.status.success() {
                    // Only where it was never reached.
                    assert!(fs::read(place.input()).unwrap() == crate::inputs::input(kind, 60_000), "{what}");
                    place.assert_good(&ran, &what);
                } else {
                    place.assert_failed(&ran, (4, "the input changed while it was read"), &what);
                }
                found += usize::from(!ran.status.success());
                place.reset();
            }
        }
    }
    eprintln!("{found} changes were found");
}

#[test]
fn an_input_that_is_removed_or_replaced_while_it_is_read_is_read_to_its_end() {
    if shim().is_none() {
        return;
    }
    for kind in KINDS {
        let place = Place::new(kind);
        for number in some(count(&place, &place.input(), "r"), 2) {
            for change in [replace, remove] {
                let ran = changed_at(&place, number, change);
                place.assert_good(&ran, &format!("{kind:?} at read {number}"));
                place.reset();
            }
        }
    }
}
