//! H45 to H50, H59, H60: where the output goes, and where the input comes from.

use super::{MEMORY, OLD, Place, Ran, many, refused};
use crate::image::docker;
use crate::lines::layer;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn good() -> Vec<u8> {
    docker(&[layer("a/; a/x = old; b"), layer("a/.wh.x; a/y = new")])
}

/// A place with a good input, and the bytes that a run writes for it.
fn place() -> (Place, Vec<u8>) {
    let place = Place::with(&good());
    let run = place.run(MEMORY, words(&place.input(), &place.output()));
    assert_eq!(run.code, Some(0), "{}", run.said);
    let bytes = fs::read(place.output()).unwrap();
    fs::remove_file(place.output()).unwrap();
    (place, bytes)
}

fn words(input: &Path, output: &Path) -> [OsString; 3] {
    ["--preset=none".into(), input.into(), output.into()]
}

/// A run from here to there is refused as a wrong call.
#[track_caller]
fn refuses(number: u8, what: &str, place: &Place, (input, output): (&Path, &Path), code: i32, part: &str) {
    refused((number, what), place, code, &[part], || place.run(MEMORY, words(input, output)));
}

fn named_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn h45_an_output_that_is_the_input() {
    let (place, _) = place();
    let input = place.input();
    fs::hard_link(&input, place.path("in/hard.tar")).unwrap();
    symlink("in.tar", place.path("in/soft.tar")).unwrap();
    symlink("../in", place.path("out/way")).unwrap();
    for (what, output) in [
        ("the same path", "in/in.tar"),
        ("by a detour", "in/./../in/in.tar"),
        ("a hard link", "in/hard.tar"),
        ("a symlink", "in/soft.tar"),
        ("through a symlink to its directory", "out/way/in.tar"),
    ] {
        refuses(45, what, &place, (&input, &place.path(output)), 2, "the output is the input");
        refuses(
            45,
            &format!("{what}, the other way"),
            &place,
            (&place.path(output), &input),
            2,
            "the output is the input",
        );
    }
    let from_pipe = |place: &Place| {
        let input = File::open(place.input()).unwrap();
        let run = place.bounded(MEMORY).arg("-").arg(place.input()).stdin(input).output().unwrap();
        Ran { code: run.status.code(), said: String::from_utf8(run.stderr).unwrap(), stdout: run.stdout }
    };
    refused((45, "as standard input"), &place, 2, &["the output is the input"], || from_pipe(&place));
}

#[test]
fn h46_an_output_that_is_a_directory() {
    let (place, _) = place();
    fs::create_dir(place.path("out/dir")).unwrap();
    symlink("dir", place.path("out/link")).unwrap();
    for name in ["out/dir", "out/link", "out", "."] {
        refuses(46, name, &place, (&place.input(), &place.path(name)), 2, "the output is a directory");
    }
    refuses(46, "/", &place, (&place.input(), Path::new("/")), 2, "the output directory holds");
    fs::write(place.path("out/dir/mine"), "x").unwrap();
    refuses(46, "one that holds other things", &place, (&place.input(), &place.path("out/dir/")), 2, "holds \"mine\"");
    fs::write(place.path("out/file"), "x").unwrap();
    refuses(46, "a file as a directory", &place, (&place.input(), &place.path("out/file/")), 2, "not a directory");
}

#[test]
fn h47_an_output_whose_directory_is_not_there() {
    let (place, _) = place();
    refuses(47, "no parent", &place, (&place.input(), &place.path("out/no/out.tar")), 1, "make it first");
    fs::write(place.path("out/file"), "x").unwrap();
    refuses(47, "a file as parent", &place, (&place.input(), &place.path("out/file/out.tar")), 1, "Not a directory");
    let long = place.path("out").join("n".repeat(300));
    refuses(47, "a name that no file may have", &place, (&place.input(), &long), 1, "File name too long");
    refuses(47, "no parent of a layout", &place, (&place.input(), &place.path("out/no/dir/")), 1, "make it first");
}

#[test]
fn h48_a_directory_that_cannot_be_written_to() {
    let (place, _) = place();
    // Root may write to any directory of a real disk, nobody may make a file here.
    refuses(48, "of the kernel", &place, (&place.input(), Path::new("/sys/imgstrip-out.tar")), 1, "/sys");
    refuses(48, "of the kernel, a layout", &place, (&place.input(), Path::new("/sys/imgstrip-out/")), 1, "/sys");
    fs::create_dir(place.path("out/shut")).unwrap();
    fs::set_permissions(place.path("out/shut"), PermissionsExt::from_mode(0o555)).unwrap();
    if File::create(place.path("out/shut/try")).is_err() {
        refuses(
            48,
            "without permission",
            &place,
            (&place.input(), &place.path("out/shut/out.tar")),
            1,
            "Permission denied",
        );
    }
}

#[test]
fn h49_an_output_that_is_a_symlink() {
    let (place, bytes) = place();
    fs::create_dir(place.path("out/real")).unwrap();
    let (link, target) = (place.path("out/link"), place.path("out/real/out.tar"));
    symlink("real/out.tar", &link).unwrap();
    for old in [false, true] {
        if old {
            fs::write(&target, OLD).unwrap();
        }
        let run = place.run(MEMORY, words(&place.input(), &link));
        assert_eq!((run.code, fs::read(&target).unwrap()), (Some(0), bytes.clone()), "{}", run.said);
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("real/out.tar"), "the link stays");
        assert_eq!(fs::read_dir(place.path("out/real")).unwrap().count(), 1);
        place.is_clean();
        println!("case H49 to {}: exit 0", if old { "a file" } else { "nothing yet" });
        fs::remove_file(&target).unwrap();
    }
    fs::write(&target, OLD).unwrap();
    fs::write(place.path("in/bad.tar"), b"no tar").unwrap();
    refuses(49, "a failed run leaves what it leads to", &place, (&place.path("in/bad.tar"), &link), 3, "not a tar");
    symlink("b", place.path("out/a")).unwrap();
    symlink("a", place.path("out/b")).unwrap();
    refuses(49, "in a circle", &place, (&place.input(), &place.path("out/a")), 2, "leads nowhere");
    symlink("gone/out.tar", place.path("out/c")).unwrap();
    refuses(
        49,
        "into a directory that is not there",
        &place,
        (&place.input(), &place.path("out/c")),
        1,
        "make it first",
    );
}

#[test]
fn h50_an_output_that_is_a_pipe_or_a_device() {
    let (place, bytes) = place();
    let pipe = place.path("out/pipe");
    named_pipe(&pipe);
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::read(pipe).unwrap())
    };
    let run = place.run(MEMORY, words(&place.input(), &pipe));
    assert_eq!((run.code, reader.join().unwrap()), (Some(0), bytes.clone()), "{}", run.said);
    println!("case H50 a named pipe: exit 0");
    for (what, path) in
        [("standard output", "-"), ("/dev/stdout", "/dev/stdout"), ("/proc/self/fd/1", "/proc/self/fd/1")]
    {
        let run = place.run(MEMORY, words(&place.input(), Path::new(path)));
        assert_eq!((run.code, &run.stdout), (Some(0), &bytes), "{what}: {}", run.said);
        println!("case H50 {what}: exit 0");
    }
    let run = place.run(MEMORY, words(&place.input(), Path::new("/dev/null")));
    assert_eq!(run.code, Some(0), "{}", run.said);
    let kept = fs::symlink_metadata("/dev/null").unwrap();
    assert!(!kept.is_file(), "a device is never replaced");
    println!("case H50 /dev/null: exit 0");
    // `> file` through /dev/stdout: the file that the shell opened is written to, not replaced.
    let into = place.path("out/shell.tar");
    let file = File::create(&into).unwrap();
    let status = place
        .bounded(MEMORY)
        .args(words(&place.input(), Path::new("/dev/stdout")))
        .stdout(file)
        .stderr(Stdio::null())
        .status();
    assert_eq!((status.unwrap().code(), fs::read(&into).unwrap()), (Some(0), bytes));
    place.is_clean();
    // A run that fails writes nothing into a pipe.
    fs::write(place.path("in/bad.tar"), &good()[..3000]).unwrap();
    let bad = place.path("in/bad.tar");
    refuses(50, "a cut-off input to standard output", &place, (&bad, Path::new("-")), 3, "truncated");
    refuses(50, "a full device", &place, (&place.input(), Path::new("/dev/full")), 1, "No space left");
}

#[test]
fn h59_an_input_that_cannot_be_read_twice() {
    let (place, bytes) = place();
    let run = |command: &mut Command, what: &str| {
        let run = command.output().unwrap();
        assert_eq!(run.status.code(), Some(0), "{what}: {}", run.stderr.escape_ascii());
        assert_eq!(fs::read(place.output()).unwrap(), bytes, "{what}");
        fs::remove_file(place.output()).unwrap();
        place.is_clean();
        println!("case H59 {what}: exit 0");
    };
    let through = |what: &str, before: &str, input: &str| {
        let mut command = Command::new("sh");
        let text = format!("{before} \"$0\" --temp-dir \"$1\" --preset=none {input} \"$3\"");
        command.arg("-c").arg(text).arg(env!("CARGO_BIN_EXE_imgstrip")).arg(place.path("spill"));
        command.arg(place.input()).arg(place.output()).env("TMPDIR", place.path("tmp")).stdin(Stdio::null());
        run(&mut command, what);
    };
    through("a pipe", "cat \"$2\" |", "-");
    through("a pipe of single bytes", "dd bs=1 status=none if=\"$2\" |", "-");
    through("a pipe through gzip", "gzip -c \"$2\" |", "-");
    through("/dev/stdin", "cat \"$2\" |", "/dev/stdin");
    let pipe = place.path("in/pipe");
    named_pipe(&pipe);
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::write(pipe, good()))
    };
    run(place.bounded(MEMORY).args(words(&pipe, &place.output())).stdin(Stdio::null()), "a named pipe");
    writer.join().unwrap().unwrap();

    let nowhere = |place: &Place| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imgstrip"));
        command.args(["--temp-dir", "/sys"]).args(["-".into(), place.output()]).stdin(Stdio::null());
        command.stdin(Command::new("cat").arg(place.input()).stdout(Stdio::piped()).spawn().unwrap().stdout.unwrap());
        let run = command.output().unwrap();
        Ran { code: run.status.code(), said: String::from_utf8(run.stderr).unwrap(), stdout: run.stdout }
    };
    refused((59, "a pipe, and no place for a spill file"), &place, 1, &["spill file", "--temp-dir"], || {
        nowhere(&place)
    });
    let cut = |place: &Place| {
        let mut command = place.bounded(MEMORY);
        command.arg("-").arg(place.output());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&good()[..3000]).unwrap();
        drop(stdin);
        let run = child.wait_with_output().unwrap();
        Ran { code: run.status.code(), said: String::from_utf8(run.stderr).unwrap(), stdout: run.stdout }
    };
    refused((59, "a pipe whose writer dies"), &place, 3, &["standard input: ", "truncated"], || cut(&place));
}

#[test]
fn h60_files_of_the_kernel_and_files_with_holes() {
    let place = Place::new();
    for (what, path, code, part) in [
        ("a file of /proc", "/proc/version", 3, "not a tar"),
        ("/dev/null", "/dev/null", 3, "the input is empty"),
        ("a missing file", "/no/such.tar", 1, "No such file"),
        ("memory that cannot be read", "/proc/self/mem", 1, "read the input"),
    ] {
        refuses(60, what, &place, (Path::new(path), &place.output()), code, part);
    }
    // Zeros without an end are a tar as long as the limit allows.
    let endless = ["--limit".into(), "expanded=8MiB".into(), "/dev/zero".into(), place.output().into_os_string()];
    refused((60, "/dev/zero"), &place, 6, &["--limit expanded"], || place.run(MEMORY, endless));
    let size = many(64 << 20, 8 << 30);
    let whole: PathBuf = place.input();
    {
        use std::io::{Seek, SeekFrom};
        let mut file = File::create(&whole).unwrap();
        let mut header = crate::tar::Raw::new(b"unnamed", b'0').pax(b"size", size.to_string().as_bytes()).bytes();
        header.truncate(1536);
        file.write_all(&header).unwrap();
        file.seek(SeekFrom::Current(size as i64)).unwrap();
        file.write_all(&good()).unwrap();
    }
    let run = place.run(MEMORY, words(&whole, &place.output()));
    assert_eq!(run.code, Some(0), "{}", run.said);
    println!("case H60 an input with a hole of {size} bytes: exit 0");
    place.is_clean();
}
