//! H51 to H58, H61 to H64: a system that fails, and surroundings that must not matter. Deeper forms of the faults, at each write and at random
//! moments, stand in the tests of faults.

use super::{MEMORY, OLD, Place, Ran, case, gzip, many, ran, refused};
use crate::image::{config, docker, docker_with, member};
use crate::lines::layer;
use crate::outer::{LAYER, Oci, named};
use crate::tar::{Raw, archive};
use serde_json::json;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// An archive of a layer that takes a moment to write.
fn sizeable() -> Vec<u8> {
    let body: String = (0..40_000).map(|n| format!("{n:x}")).collect();
    docker(&[layer(&format!("a/; a/x = {body}; b")), layer("a/y = new")])
}

/// The same, its layers in gzip, so that a spill file is written.
fn compressed() -> Vec<u8> {
    let tar = layer(&format!("a = {}", "text ".repeat(50_000)));
    let mut oci = Oci::default();
    let one = oci.blob(&format!("{LAYER}+gzip"), &gzip(&tar));
    let image = named(oci.manifest(&config(&[tar]), &[one]));
    oci.archive(&[image])
}

fn words(place: &Place) -> [OsString; 3] {
    ["--preset=none".into(), place.input().into(), place.output().into()]
}

/// What a good run writes.
fn written(place: &Place) -> Vec<u8> {
    let run = place.run(MEMORY, words(place));
    assert_eq!(run.code, Some(0), "{}", run.said);
    let bytes = fs::read(place.output()).unwrap();
    fs::remove_file(place.output()).unwrap();
    bytes
}

/// The program, behind what a shell does first.
fn run_after(place: &Place, before: &str) -> Ran {
    ran(place.within(before).args(words(place)))
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Waits until a process sleeps in a system call, and has done so for a while.
fn wait_until_it_waits(child: &Child) {
    let stat = || fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    let mut last = stat();
    for _ in 0..600 {
        sleep(Duration::from_millis(100));
        let now = stat();
        // The times stand in it: an equal line is a process that did nothing.
        if now == last && now.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S')) {
            return;
        }
        last = now;
    }
}

/// A run that has read half of its input from standard input and waits for more.
fn half_way(place: &Place, input: &[u8]) -> Child {
    let mut command = place.bounded(MEMORY);
    command.args(["--preset=none", "-"]).arg(place.output());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(&input[..input.len() / 2]).unwrap();
    wait_until_it_waits(&child);
    child
}

fn ended(child: Child) -> Ran {
    let run = child.wait_with_output().unwrap();
    Ran { code: run.status.code(), said: String::from_utf8(run.stderr).unwrap(), stdout: run.stdout }
}

#[test]
fn h51_a_full_disk() {
    let place = Place::with(&sizeable());
    let to_full = ["--preset=none".into(), place.input().into_os_string(), "/dev/full".into()];
    refused((51, "a full device"), &place, 1, &["/dev/full", "No space left on device"], || place.run(MEMORY, to_full));
    // What a quota does, at several places of the output: 512 bytes a block.
    for blocks in [0, 1, 2, 8, 64, 256] {
        let what = format!("an output of {blocks} blocks at most");
        let limited = format!("ulimit -f {blocks}");
        fs::remove_file(place.output()).ok();
        refused((51, &what), &place, 1, &["File too large"], || run_after(&place, &limited));
        fs::write(place.output(), OLD).unwrap();
        refused((51, &format!("{what}, over an old one")), &place, 1, &["File too large"], || {
            run_after(&place, &limited)
        });
    }
    let place = Place::with(&compressed());
    refused((51, "a spill file"), &place, 1, &["spill file", "File too large"], || run_after(&place, "ulimit -f 8"));
}

#[test]
fn h52_an_input_that_cannot_be_read() {
    let place = Place::new();
    let input = ["/proc/self/mem".into(), place.output().into_os_string()];
    refused((52, "an error of the disk"), &place, 1, &["/proc/self/mem: read the input", "error"], || {
        place.run(MEMORY, input)
    });
    // The file ends where its headers say that there is more: somebody cut it.
    let whole = sizeable();
    let place = Place::with(&whole);
    let pipe = held_open(&place);
    let input = File::options().write(true).open(place.input()).unwrap();
    let child = pipe.start(&place);
    input.set_len(whole.len() as u64 / 2).unwrap();
    let before = place.snapshot();
    let run = pipe.finish(child);
    assert!(matches!(run.code, Some(1 | 3 | 4)), "{run:?}");
    assert_eq!(before, place.snapshot());
    place.is_clean();
    println!("case H52 an input that gets shorter: exit {:?}: {}", run.code, run.said.trim_end());
}

#[test]
fn h53_system_calls_that_are_interrupted() {
    let place = Place::with(&sizeable());
    let good = written(&place);
    let input = sizeable();
    let mut child = half_way(&place, &input);
    for piece in input[input.len() / 2..].chunks(input.len() / many(20, 400) as usize) {
        send(&child, "-STOP");
        child.stdin.as_mut().unwrap().write_all(piece).unwrap();
        send(&child, "-CONT");
        sleep(Duration::from_millis(2));
    }
    drop(child.stdin.take());
    let run = ended(child);
    assert_eq!((run.code, fs::read(place.output()).unwrap() == good), (Some(0), true), "{}", run.said);
    place.is_clean();
    println!("case H53 stopped and continued: exit 0");
}

#[test]
fn h54_writes_and_reads_that_come_short() {
    let place = Place::with(&sizeable());
    let good = written(&place);
    let mut command = place.bounded(MEMORY);
    command.arg("--preset=none").arg(place.input()).arg("-").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (mut read, mut piece) = (Vec::<u8>::new(), [0; 997]);
    loop {
        match stdout.read(&mut piece).unwrap() {
            0 => break,
            count => read.extend(&piece[..count]),
        }
    }
    let run = ended(child);
    assert!(run.code == Some(0) && read == good, "{}", run.said);
    println!("case H54 a reader that takes 997 bytes at a time: exit 0");
    let mut child = half_way(&place, &sizeable());
    for piece in sizeable()[sizeable().len() / 2..].chunks(311) {
        child.stdin.as_mut().unwrap().write_all(piece).unwrap();
    }
    drop(child.stdin.take());
    assert_eq!(ended(child).code, Some(0));
    assert!(fs::read(place.output()).unwrap() == good);
    println!("case H54 a writer that gives 311 bytes at a time: exit 0");
}

#[test]
fn h55_a_run_that_is_killed() {
    let place = Place::with(&sizeable());
    let good = written(&place);
    let mut child = half_way(&place, &sizeable());
    child.kill().unwrap();
    child.wait().unwrap();
    place.is_clean();
    assert!(!place.output().exists());
    println!("case H55 while it reads: the output is absent");
    for attempt in 0..many(10, 200) {
        let mut child = place.bounded(MEMORY).args(words(&place)).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(attempt % 10 * 3));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!place.output().exists() || fs::read(place.output()).unwrap() == good, "half an output");
        for entry in fs::read_dir(place.path("out")).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            assert!(name == "out.tar" || name.starts_with(".out.tar.imgstrip-"), "{name}");
            fs::remove_file(entry.path()).unwrap();
        }
        for name in ["spill", "tmp"] {
            assert_eq!(fs::read_dir(place.path(name)).unwrap().count(), 0);
        }
        println!("case H55 killed after {} ms: absent or whole", attempt % 10 * 3);
    }
}

#[test]
fn h56_signals() {
    for (signal, number) in [("-INT", 2), ("-TERM", 15), ("-HUP", 1)] {
        for old in [false, true] {
            let place = Place::new();
            if old {
                fs::write(place.output(), OLD).unwrap();
            }
            let what = format!("SIG{}{}", &signal[1..], if old { " over an old output" } else { "" });
            let part = format!("stopped by signal {number}");
            let before = place.snapshot();
            let mut child = half_way(&place, &sizeable());
            let writer = child.stdin.take(); // which waits, too
            send(&child, signal);
            let run = ended(child);
            drop(writer);
            assert_eq!((run.code, before), (Some(128 + number), place.snapshot()), "{what}: {}", run.said);
            assert!(run.said.lines().filter(|line| !line.is_empty()).eq([format!("imgstrip: {part}")]), "{}", run.said);
            println!("case H56 {what}: exit {}: {}", 128 + number, run.said.trim());
        }
    }
    // A closed pipe is a failure, not a signal: what was asked for did not arrive.
    let place = Place::with(&sizeable());
    let closed = |place: &Place| {
        let mut command = place.bounded(MEMORY);
        command.arg("--preset=none").arg(place.input()).arg("-").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        ended(child)
    };
    refused((56, "a pipe that nobody reads"), &place, 1, &["standard output: ", "Broken pipe"], || closed(&place));
}

#[test]
fn h57_two_runs_to_one_output() {
    let place = Place::with(&sizeable());
    let good = written(&place);
    for round in 0..many(3, 50) {
        let start = || place.bounded(MEMORY).args(words(&place)).stderr(Stdio::piped()).spawn().unwrap();
        let both = [start(), start(), start()];
        for child in both {
            let run = ended(child);
            assert_eq!(run.code, Some(0), "{}", run.said);
        }
        assert!(fs::read(place.output()).unwrap() == good);
        assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 1);
        println!("case H57 three at once, round {round}: exit 0");
    }
}

/// An output that holds a run up: a named pipe that nobody reads yet. The input was read then, its data was not copied.
struct HeldOpen(PathBuf);

fn held_open(place: &Place) -> HeldOpen {
    let pipe = place.path("out/pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    HeldOpen(pipe)
}

impl HeldOpen {
    fn start(&self, place: &Place) -> Child {
        let mut command = place.bounded(MEMORY);
        command.arg("--preset=none").arg(place.input()).arg(&self.0);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_until_it_waits(&child);
        child
    }

    /// Lets it write; what came through the pipe is what it said on standard output.
    fn finish(self, child: Child) -> Ran {
        let stdout = fs::read(&self.0).unwrap();
        Ran { stdout, ..ended(child) }
    }
}

#[test]
fn h58_an_input_that_changes_while_it_is_read() {
    let whole = sizeable();
    let at = whole.windows(9).position(|window| window == b"012345678").unwrap() as u64;
    type Change = fn(&File, u64, &[u8]);
    let changes: [(&str, Change); 3] = [
        ("a byte of a file in a layer", |file, at, _| file.write_all_at(b"X", at).unwrap()),
        ("more behind it", |file, _, whole| file.write_all_at(b"more", whole.len() as u64).unwrap()),
        ("all of it, by zeros", |file, _, whole| file.write_all_at(&vec![0; whole.len()], 0).unwrap()),
    ];
    for (what, change) in changes {
        let place = Place::with(&whole);
        let pipe = held_open(&place);
        let child = pipe.start(&place);
        change(&File::options().write(true).open(place.input()).unwrap(), at, &whole);
        let run = pipe.finish(child);
        assert!(run.stdout.is_empty(), "{what}: nothing of it goes out, {}", run.said);
        assert!(matches!(run.code, Some(1 | 4)), "{what}: {}", run.said);
        assert!(run.said.lines().count() == 1 && run.said.contains("change"), "{what}: {}", run.said);
        place.is_clean();
        println!("case H58 {what}: exit {:?}: {}", run.code, run.said.trim_end());
    }
}

#[test]
fn h61_masks_modes_and_resources() {
    let place = Place::with(&compressed());
    let good = written(&place);
    for (mask, mode) in [("022", 0o644), ("077", 0o600), ("000", 0o644), ("0777", 0o000)] {
        let run = run_after(&place, &format!("umask {mask}"));
        let found = fs::metadata(place.output()).unwrap().permissions().mode() & 0o7777;
        assert_eq!((run.code, found), (Some(0), mode), "umask {mask}: {}", run.said);
        fs::remove_file(place.output()).unwrap();
        println!("case H61 umask {mask}: exit 0, mode {mode:o}");
    }
    // SIGXFSZ once ended the process at once, without a word; the demo's spill file meets the limit.
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/images/demo/demo.tar.gz");
    let demo = fs::read(demo).unwrap();
    let packed = Place::with(&demo);
    refused((61, "files of 512 bytes at most"), &packed, 1, &["File too large"], || run_after(&packed, "ulimit -f 1"));
    refused((61, "no file may be opened"), &packed, 1, &["Too many open files"], || run_after(&packed, "ulimit -n 4"));
    for directory in ["/no/such", "/sys", "/dev/null"] {
        let words = ["--temp-dir".into(), OsString::from(directory), packed.input().into(), packed.output().into()];
        let bin = || ran(Command::new(env!("CARGO_BIN_EXE_imgstrip")).args(&words));
        refused((61, &format!("no spill file in {directory}")), &packed, 1, &["spill file"], bin);
        let by_name = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_imgstrip"));
            ran(command.env("TMPDIR", directory).arg(packed.input()).arg(packed.output()))
        };
        refused((61, &format!("TMPDIR is {directory}")), &packed, 1, &["spill file"], by_name);
        // A plain archive needs none.
        let plain = Place::with(&sizeable());
        let words = ["--temp-dir".into(), OsString::from(directory), plain.input().into(), plain.output().into()];
        assert_eq!(ran(Command::new(env!("CARGO_BIN_EXE_imgstrip")).args(&words)).code, Some(0));
    }
    // As little memory as there may be: it ends, well or not, and leaves nothing that is not whole.
    for memory in [2, 4, 6, 8, 12, 16, 24, 32, 48] {
        let run = place.run(memory, words(&place));
        let whole = fs::read(place.output()).is_ok_and(|bytes| bytes == good);
        assert_eq!(run.code == Some(0), whole, "{memory} MiB: {}", run.said);
        // None where an allocation fails, which ends any Rust program by SIGABRT.
        assert!(matches!(run.code, Some(0 | 1) | None), "{memory} MiB: {run:?}");
        fs::remove_file(place.output()).ok();
        for entry in fs::read_dir(place.path("out")).unwrap() {
            // An allocation that fails ends the process at once: what it was writing has a name that says so.
            let path = entry.unwrap().path();
            assert!(
                path.file_name().unwrap().to_str().unwrap().starts_with(".out.tar.imgstrip-"),
                "{}",
                path.display()
            );
            fs::remove_file(path).unwrap();
        }
        println!("case H61 {memory} MiB of memory: exit {:?}", run.code);
    }
}

#[test]
fn h62_one_core_and_little_memory() {
    let place = Place::with(&compressed());
    let good = written(&place);
    let mut command = Command::new("taskset");
    command.args(["-c", "0", "sh", "-c", "ulimit -d 131072 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_imgstrip")]);
    command
        .args(["-j", "1", "--temp-dir"])
        .arg(place.path("spill"))
        .args(words(&place))
        .env("TMPDIR", place.path("tmp"));
    let run = ran(&mut command);
    assert_eq!((run.code, fs::read(place.output()).unwrap() == good), (Some(0), true), "{}", run.said);
    place.is_clean();
    println!("case H62 one core, 128 MiB: exit 0");
    // CVE-2021-20291: a decoder that waits for a reader that is gone.
    let tar = layer(&format!("a = {}; b", "text ".repeat(500_000)));
    let whole = gzip(&tar);
    for (what, blob) in [
        ("cut off", whole[..whole.len() / 2].to_vec()),
        ("whose tar is broken at its start", gzip(&[vec![7; 600], tar.clone()].concat())),
        ("whose tar ends early, with megabytes behind", gzip(&[layer("a"), vec![7; 9 << 20]].concat())),
    ] {
        let mut oci = Oci::default();
        let one = oci.blob(&format!("{LAYER}+gzip"), &blob);
        let image = named(oci.manifest(&config(std::slice::from_ref(&tar)), &[one]));
        let code = if what.contains("early") { 4 } else { 3 };
        case(62, format!("one thread, a layer {what}"), &oci.archive(&[image]))
            .with(&["-j1"])
            .refuses(code, &["layer 1/1"]);
    }
    // A megabyte of nested commands in a script once took two hundred.
    let nested = "$(".repeat(500_000);
    let flat = "$(a)".repeat(250_000);
    for (what, text) in [("nested", nested), ("one behind the other", flat)] {
        let script = Raw { mode: 0o755, ..Raw::new(b"bin/true", b'0') }.body(format!("#!/bin/sh\n{text}\n").as_bytes());
        let shell = Raw { mode: 0o755, ..Raw::new(b"bin/sh", b'0') }.body(b"x");
        let made = docker(&[archive(&[script, shell])]);
        case(62, format!("substitutions in a script, {what}"), &made)
            .with(&["--only-needed"])
            .memory(2 * MEMORY)
            .accepts();
        let mut config = config(&[layer("bin/; bin/sh [0755] = x")]);
        config["config"]["Cmd"] = json!(["/bin/sh", "-c", text]);
        let made = docker_with(&[layer("bin/; bin/sh [0755] = x")], &config);
        case(62, format!("substitutions in a command, {what}"), &made)
            .with(&["--only-needed"])
            .memory(2 * MEMORY)
            .accepts();
    }
}

#[test]
fn h63_names_that_would_write_on_the_terminal() {
    let red = "\u{1b}[31mred\u{7}\u{202e}\r\n";
    let one = || member("l.tar", &layer("a"));
    let named = |tag: &str, path: &str| {
        let config = config(&[layer("a")]).to_string();
        let manifest = json!([{"Config": "c.json", "RepoTags": [tag], "Layers": [path]}]).to_string();
        archive(&[one(), member("c.json", config.as_bytes()), member("manifest.json", manifest.as_bytes())])
    };
    case(63, "a tag", &named(red, "l.tar")).refuses(3, &["\\x1b[31mred", "not the name of an image"]);
    case(63, "a path of manifest.json", &named("a:1", red)).refuses(3, &["\\x1b[31mred"]);
    let link = Raw { link: b"gone".to_vec(), ..Raw::new(red.as_bytes(), b'1') };
    case(63, "an entry", &docker(&[archive(&[link])]))
        .refuses(3, &["layer 1/1", "entry \"\\x1b[31mred\\x07\\u{202e}\\r\\n\""]);
    case(
        63,
        "an entry that is no text",
        &docker(&[archive(&[Raw { link: b"x".to_vec(), ..Raw::new(b"\xff\x9b1m", b'1') }])]),
    )
    .refuses(3, &["entry \"\\xff\\x9b1m\""]);
    case(63, "a record", &docker(&[archive(&[Raw::new(b"f", b'0').pax(b"uid", red.as_bytes())])]))
        .refuses(3, &["\\x1b[31mred"]);
    case(63, "a member", &archive(&[Raw::new(red.as_bytes(), b'Z')])).refuses(5, &["entry \"\\x1b[31mred"]);
    let key = format!(r#"[{{"{0}":1,"{0}":2}}]"#, "\\u001b[31mred");
    case(63, "a key", &archive(&[member("manifest.json", key.as_bytes())]))
        .refuses(3, &["\\x1b[31mred", "stands twice"]);
    let media = |media_type: &str| {
        let mut oci = Oci::default();
        let blob = oci.blob(media_type, &layer("a"));
        let other = oci.blob(LAYER, &layer("b"));
        let image = crate::outer::named(oci.manifest(&config(&[layer("a"), layer("b")]), &[blob, other]));
        oci.archive(&[image])
    };
    case(63, "a media type", &media(red)).refuses(5, &["\\x1b[31mred"]);
    case(63, "a media type of a megabyte", &media(&red.repeat(99_999))).refuses(5, &["\\x1b[31mred", "bytes ...]"]);
    let mut platform = config(&[layer("a")]);
    platform["os"] = json!(red);
    case(63, "an os", &docker_with(&[layer("a")], &platform))
        .with(&["--platform", "linux/arm"])
        .refuses(2, &["\\x1b[31mred"]);
    platform["os"] = json!("os".repeat(500_000));
    case(63, "an os of a megabyte", &docker_with(&[layer("a")], &platform))
        .with(&["--platform", "linux/arm"])
        .refuses(2, &["bytes ...]"]);
    // Also where all is well: warnings and the report.
    let made = docker(&[archive(&[Raw::new(red.as_bytes(), b'0'), Raw::new(red.as_bytes(), b'0')])]);
    let read = case(63, "a warning", &made).accepts();
    assert!(read.said.contains("\\x1b[31mred") && !read.said.contains('\u{1b}'), "{}", read.said);
    // The path of the input itself.
    let place = Place::new();
    let strange = place.path("in").join(red.trim_end());
    fs::write(&strange, b"no tar").unwrap();
    refused((63, "the input's own name"), &place, 3, &["\\x1b[31mred"], || {
        place.run(MEMORY, [strange.clone().into_os_string(), place.output().into()])
    });
    let nowhere = place.path("out").join(red.trim_end()).join("x.tar");
    fs::write(place.input(), docker(&[layer("a")])).unwrap();
    refused((63, "the output's own name"), &place, 1, &["\\x1b[31mred"], || {
        place.run(MEMORY, [place.input().into_os_string(), nowhere.clone().into()])
    });
    let taken = place.path("out").join(red.trim_end());
    fs::create_dir(&taken).unwrap();
    refused((63, "an output that is a directory"), &place, 2, &["\\x1b[31mred"], || {
        place.run(MEMORY, [place.input().into_os_string(), taken.clone().into()])
    });
}

#[test]
fn h64_locale_and_time_zone() {
    let place = Place::with(&docker(&[layer("İ = 1; i = 2; I = 3; ä = 4; z = 5; A = 6; d/; d/\\xff = 7")]));
    let good = written(&place);
    for (name, value) in [
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LC_ALL", "C"),
        ("LANG", "ja_JP.eucJP"),
        ("TZ", "Asia/Kathmandu"),
        ("TZ", ":nonsense"),
        ("COLUMNS", "1"),
        ("TERM", "xterm-256color"),
        ("NO_COLOR", "1"),
        ("RUST_BACKTRACE", "full"),
        ("HOME", "/no/such"),
        ("PATH", ""),
    ] {
        let run = ran(Command::new(env!("CARGO_BIN_EXE_imgstrip")).args(words(&place)).env(name, value));
        assert_eq!(
            (run.code, fs::read(place.output()).unwrap() == good),
            (Some(0), true),
            "{name}={value}: {}",
            run.said
        );
        println!("case H64 {name}={value}: exit 0");
        fs::remove_file(place.output()).unwrap();
    }
    let nothing = ran(Command::new(env!("CARGO_BIN_EXE_imgstrip")).args(words(&place)).env_clear().current_dir("/"));
    assert_eq!((nothing.code, fs::read(place.output()).unwrap() == good), (Some(0), true), "{}", nothing.said);
    println!("case H64 no environment: exit 0");
}
