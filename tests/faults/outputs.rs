//! What stands at the output's path: links, pipes, devices, directories, the input itself; and two runs to one output.

use crate::inputs::Kind;
use crate::is_long;
use crate::place::{OLD, Place, assert_says, names, said};
use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn a_symlink_stays_and_leads_to_the_good_output() {
    let place = Place::new(Kind::Gzip);
    let elsewhere = place.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("there.tar"), OLD).unwrap();
    for target in ["there.tar", "dangling.tar"] {
        fs::remove_file(place.output()).unwrap();
        symlink(Path::new("../elsewhere").join(target), place.output()).unwrap();
        let ran = place.command().output().unwrap();
        place.assert_good(&ran, target);
        assert!(place.output().is_symlink());
        assert!(fs::read(elsewhere.join(target)).unwrap() == place.good);
    }
    assert_eq!(names(&elsewhere), ["dangling.tar", "there.tar"]);
    fs::remove_file(place.output()).unwrap();
    symlink("out.tar", place.output()).unwrap();
    let ran = place.command().output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert_says(&ran, "symlink", "a loop");
    place.assert_clean("a loop");
}

#[test]
fn a_pipe_and_a_device_get_the_whole_archive_or_an_error() {
    let place = Place::new(Kind::Gzip);
    let fifo = place.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::read(fifo).unwrap()
    });
    let ran = place.command_of(place.input(), &fifo).output().unwrap();
    assert!(ran.status.success() && reader.join().unwrap() == place.good, "{}", said(&ran));
    assert!(fs::symlink_metadata(&fifo).unwrap().file_type().is_fifo());
    let ran = place.command_of(place.input(), "-").output().unwrap();
    assert!(ran.status.success() && ran.stdout == place.good);
    let null = place.command_of(place.input(), "/dev/null").output().unwrap();
    assert!(null.status.success(), "{}", said(&null));
    let full = place.command_of(place.input(), "/dev/full").output().unwrap();
    place.assert_failed(&full, (1, "No space left"), "/dev/full");
    for device in ["/dev/null", "/dev/full"] {
        assert!(fs::metadata(device).unwrap().file_type().is_char_device());
    }
}

#[test]
fn a_reader_that_goes_away_is_an_error() {
    let place = Place::new(Kind::Plain);
    // Too large for the pipe to hold.
    for read in [0, 70_000] {
        let mut run =
            place.command_of(place.input(), "-").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = run.stdout.take().unwrap();
        std::io::Read::read_exact(&mut stdout, &mut vec![0; read]).unwrap();
        drop(stdout);
        let ran = run.wait_with_output().unwrap();
        place.assert_failed(&ran, (1, "Broken pipe"), &format!("{read} bytes"));
    }
}

#[test]
fn what_cannot_be_an_output_is_refused() {
    let place = Place::new(Kind::Plain);
    let (input, hard, soft) = (place.input(), place.path("in/hard.tar"), place.path("in/soft.tar"));
    fs::hard_link(&input, &hard).unwrap();
    symlink("in.tar", &soft).unwrap();
    let dotted = place.path("in/../in/./in.tar");
    for output in [&input, &hard, &soft, &dotted] {
        let ran = place.command_of(&input, output).output().unwrap();
        place.assert_failed(&ran, (2, "the output is the input"), &output.display().to_string());
    }
    // The shell opens it, and empties nothing.
    let own = File::options().read(true).write(true).open(&input).unwrap();
    let ran = place.command_of(&input, "-").stdout(own).output().unwrap();
    place.assert_failed(&ran, (2, "the output is the input"), "standard output");
    let ran = place.command_of(&input, place.path("in")).output().unwrap();
    place.assert_failed(&ran, (2, "is a directory"), "a directory");
    let ran = place.command_of(&input, place.path("none/out.tar")).output().unwrap();
    place.assert_failed(&ran, (1, "make it first"), "no directory");
    assert_eq!(names(&place.path("in")), ["hard.tar", "in.tar", "soft.tar"]);
}

#[test]
fn of_two_runs_to_one_output_the_last_wins_whole() {
    let place = Place::new(Kind::Plain);
    let plain = fs::read(place.output()).unwrap() == OLD;
    assert!(plain);
    let other = {
        let ran = place.command().args(["-z", "zstd"]).output().unwrap();
        assert!(ran.status.success());
        place.holds()
    };
    assert!(other != place.good);
    let mut wins = [0, 0];
    for _ in 0..if is_long() { 200 } else { 5 } {
        place.reset();
        let runs =
            [&[][..], &["-z", "zstd"]].map(|flags| place.command().args(flags).stderr(Stdio::piped()).spawn().unwrap());
        for run in runs {
            let ran = run.wait_with_output().unwrap();
            assert!(ran.status.success(), "{}", said(&ran));
        }
        let holds = place.holds();
        assert!(holds == place.good || holds == other);
        wins[usize::from(holds == other)] += 1;
        place.assert_clean("two runs");
    }
    eprintln!("two runs to one output: {wins:?}");
}
