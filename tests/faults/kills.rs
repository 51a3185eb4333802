//! `kill -9`: at each call that changes a disk, and at any moment, on every file system that can be mounted here.
//!
//! The output is the old one or the good one. What is left behind can be known by its name, and a file without a name goes with the process.

use crate::inputs::{KINDS, Kind};
use crate::mount::all;
use crate::place::{OLD, Place, names};
use crate::shim::{Fault, When, count, shim};
use crate::{is_long, some};
use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What kills left.
#[derive(Debug, Default)]
struct Survived {
    old: usize,
    good: usize,
    leftovers: usize,
}

impl Survived {
    /// Looks at what a killed run left, and tidies up.
    fn look(&mut self, place: &Place, what: &str) {
        let holds = fs::read(place.output()).unwrap();
        assert!(holds == OLD || holds == place.good, "{what}: the output has {} bytes", holds.len());
        self.old += usize::from(holds == OLD);
        self.good += usize::from(holds == place.good);
        assert_eq!(names(&place.temp_dir()), [""; 0], "{what}");
        for name in names(&place.out_dir()).into_iter().filter(|name| name != "out.tar") {
            assert!(name.starts_with(".out.tar.imgstrip-"), "{what}: {name}");
            fs::remove_file(place.out_dir().join(name)).unwrap();
            self.leftovers += 1;
        }
        fs::write(place.output(), OLD).unwrap();
    }
}

#[test]
fn a_kill_at_any_call_leaves_the_old_output_or_the_good_one() {
    if shim().is_none() {
        return;
    }
    let mut survived = Survived::default();
    for kind in KINDS {
        let place = Place::new(kind);
        let most = count(&place, &place.path(""), "wtsno");
        for number in some(most, 10) {
            let what = "signal:9".to_owned();
            let (ran, met) = Fault { path: place.path(""), calls: "wtsno", when: When::Call(number), what }.run(&place);
            assert!(met == 0 || ran.status.code().is_none());
            survived.look(&place, &format!("{kind:?}, call {number} of {most}"));
        }
    }
    eprintln!("killed at a call: {survived:?}");
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_output_or_the_good_one_on_any_file_system() {
    for (system, disk) in all() {
        let mut survived = Survived::default();
        let kills = if is_long() { 200 } else { 6_usize };
        for kind in KINDS {
            let place = Place::sized(kind, 200_000, disk.path());
            let start = Instant::now();
            assert!(place.command().output().unwrap().status.success());
            let usual = start.elapsed();
            fs::write(place.output(), OLD).unwrap();
            let mut state = 0x9e37_79b9_7f4a_7c15_u64;
            for _ in 0..kills.div_ceil(KINDS.len()) {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Up to a little later than a run usually takes.
                let wait = usual.mul_f64(1.1 * (state >> 40) as f64 / (1 << 24) as f64);
                let mut run = place.command().stderr(Stdio::null()).spawn().unwrap();
                sleep(wait.min(Duration::from_secs(5)));
                run.kill().unwrap();
                run.wait().unwrap();
                survived.look(&place, &format!("{kind:?} on {system:?}, after {wait:?}"));
            }
        }
        eprintln!("killed at a moment on {system:?}: {survived:?}");
    }
}

#[test]
fn the_next_run_after_a_kill_is_a_good_one() {
    if shim().is_none() {
        return;
    }
    let place = Place::new(Kind::Gzip);
    let most = count(&place, &place.path("out"), "w");
    let what = "signal:9".to_owned();
    Fault { path: place.path("out"), calls: "w", when: When::Call(most / 2), what }.run(&place);
    let left = names(&place.out_dir());
    assert_eq!(left.len(), 2, "a temporary file is left: {left:?}");
    assert!(place.command().output().unwrap().status.success());
    assert!(place.holds() == place.good && names(&place.out_dir()) == left);
}
