//! hostile.md: bad inputs and a hostile system, through the program itself. The groups are called `h01_` to `h64_`, in the order of the list.
//!
//! A case says what is wrong with an input; [`Case::refuses`] holds the program to all that a refusal must be, so that no case can
//! forget one: the exit code, one line on standard error that says where and why, the output as it was, whether there was one or
//! not, nothing left beside it or in a directory for temporary files, and memory and processor time within bounds.
//!
//! `IMGSTRIP_LONG=1` makes the large ones larger. `tests/README.md` says how to count and list the cases.

mod blobs;
mod bombs;
mod documents;
mod headers;
mod outer;
mod paths;
mod system;

use crate::image::Squashed;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// MiB that a run may have of its own, all its threads' stacks among them. Most cases take a quarter of it.
const MEMORY: u64 = 64;

/// Seconds of processor time, in a debug build; no time on the clock, which a busy machine would break.
const SECONDS: u64 = 300;

/// What the output path held before a run that must leave it alone.
const OLD: &[u8] = b"the old output";

/// `short`, or `long` where the long forms are asked for.
pub fn many(short: u64, long: u64) -> u64 {
    if std::env::var_os("IMGSTRIP_LONG").is_some() { long } else { short }
}

/// Directories of a run's own: for the input, the output, and temporary files of both kinds.
pub struct Place {
    root: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub said: String,
    pub stdout: Vec<u8>,
}

/// What stands at a path.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    Directory,
    File { inode: u64, len: u64, mtime: (i64, i64), mode: u32, start: Vec<u8> },
    Symlink(PathBuf),
    Other,
}

impl Place {
    pub fn new() -> Self {
        let place = Self { root: tempfile::tempdir().unwrap() };
        for name in ["in", "out", "spill", "tmp"] {
            fs::create_dir(place.path(name)).unwrap();
        }
        place
    }

    /// With this input.
    pub fn with(input: &[u8]) -> Self {
        let place = Self::new();
        fs::write(place.input(), input).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn input(&self) -> PathBuf {
        self.path("in/in.tar")
    }

    pub fn output(&self) -> PathBuf {
        self.path("out/out.tar")
    }

    /// Everything below the root.
    pub fn snapshot(&self) -> BTreeMap<PathBuf, Found> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.root.path().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let meta = fs::symlink_metadata(&path).unwrap();
                let seen = if meta.is_dir() {
                    open.push(path.clone());
                    Found::Directory
                } else if meta.is_file() {
                    let start = if meta.len() < 1 << 20 { fs::read(&path).unwrap() } else { Vec::new() };
                    let mtime = (meta.mtime(), meta.mtime_nsec());
                    Found::File { inode: meta.ino(), len: meta.len(), mtime, mode: meta.mode(), start }
                } else if meta.is_symlink() {
                    Found::Symlink(fs::read_link(&path).unwrap())
                } else {
                    Found::Other
                };
                found.insert(path, seen);
            }
        }
        found
    }

    /// The program within bounds, without any words yet. One that is replaced in the shell keeps the shell's process number.
    pub fn bounded(&self, memory: u64) -> Command {
        self.within(&format!("ulimit -d {} && ulimit -t {SECONDS}", memory << 10))
    }

    /// The program behind what a shell is to do first.
    pub fn within(&self, before: &str) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{before} && exec \"$@\"")).arg("sh").arg(env!("CARGO_BIN_EXE_imgstrip"));
        command.arg("--temp-dir").arg(self.path("spill")).env("TMPDIR", self.path("tmp"));
        // Without memory, std's own message of a panic waits for itself where it prints a backtrace.
        command.env_remove("RUST_BACKTRACE");
        command
    }

    /// Runs the program with these words.
    pub fn run<S: AsRef<OsStr>>(&self, memory: u64, words: impl IntoIterator<Item = S>) -> Ran {
        let mut command = self.bounded(memory);
        command.args(words);
        if !command.get_args().any(|word| word == "-j1") {
            command.arg("-j2"); // whatever the machine has
        }
        ran(&mut command)
    }

    /// No temporary file is left anywhere.
    #[track_caller]
    pub fn is_clean(&self) {
        for name in ["spill", "tmp"] {
            assert_eq!(fs::read_dir(self.path(name)).unwrap().count(), 0, "{name} holds something");
        }
        for entry in fs::read_dir(self.path("out")).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(!name.as_encoded_bytes().starts_with(b"."), "{} is left beside the output", name.display());
        }
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn ran(command: &mut Command) -> Ran {
    let run = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(run.stderr).expect("what is said is text");
    Ran { code: run.status.code(), said, stdout: run.stdout }
}

/// An input, and how the program is called for it.
#[must_use]
pub struct Case {
    number: u8,
    what: String,
    place: Place,
    words: Vec<OsString>,
    memory: u64,
}

/// A case of the group `number` with this archive.
pub fn case(number: u8, what: impl Into<String>, archive: &[u8]) -> Case {
    Case { number, what: what.into(), place: Place::with(archive), words: Vec::new(), memory: MEMORY }
}

/// A case whose archive is too large to be held: `write` writes it.
pub fn large(number: u8, what: impl Into<String>, write: impl FnOnce(&mut File)) -> Case {
    let place = Place::new();
    write(&mut File::create_new(place.input()).unwrap());
    Case { number, what: what.into(), place, words: Vec::new(), memory: MEMORY }
}

impl Case {
    /// With more words on the command line.
    pub fn with(mut self, words: &[&str]) -> Self {
        self.words.extend(words.iter().map(OsString::from));
        self
    }

    /// With another bound than [`MEMORY`], in MiB.
    pub fn memory(self, memory: u64) -> Self {
        Self { memory, ..self }
    }

    /// The program ends with this exit code and a line that has these parts; all else is as [`refused`] wants it.
    #[track_caller]
    pub fn refuses(&self, code: i32, parts: &[&str]) -> String {
        let words = || self.words.iter().cloned().chain([self.place.input().into(), self.place.output().into()]);
        let parts: Vec<&str> = parts.iter().copied().chain(["in.tar: "]).collect();
        let what = (self.number, self.what.as_str());
        let said = refused(what, &self.place, code, &parts, || self.place.run(self.memory, words()));
        fs::write(self.place.output(), OLD).unwrap();
        let squash = || std::iter::once("--preset=none".into()).chain(words());
        let again = held(what, &self.place, code, &parts, || self.place.run(self.memory, squash()));
        assert_eq!(said, again, "H{} {}", self.number, self.what);
        said
    }

    /// The program writes an archive of one layer; squash only, unless the case says otherwise.
    #[track_caller]
    pub fn accepts(self) -> Accepted {
        let Self { number, what, place, words, memory } = self;
        let before = place.snapshot();
        let ends = [OsString::from("--preset=none"), place.input().into(), place.output().into()];
        let Ran { code, said, .. } = place.run(memory, words.into_iter().chain(ends));
        assert_eq!(code, Some(0), "H{number} {what}: {said}");
        place.is_clean();
        let mut after = place.snapshot();
        let written = after.remove(&place.output());
        assert!(matches!(written, Some(Found::File { .. })), "H{number} {what}: the output is a file");
        assert_eq!(before, after, "H{number} {what}: nothing but the output changes");
        report(number, &what, 0, said.lines().next_back().unwrap_or_default());
        Accepted { place, said }
    }
}

/// What a good run left.
pub struct Accepted {
    place: Place,
    /// What stood on standard error.
    pub said: String,
}

impl Accepted {
    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.place.output()).unwrap()
    }

    /// The written layer as a text tree.
    pub fn text(&self) -> String {
        self.squashed().text()
    }

    /// How many entries the written layer has.
    pub fn entries(&self) -> u64 {
        self.squashed().entries().len() as u64
    }

    fn squashed(&self) -> Squashed {
        Squashed { archive: self.bytes(), report: imgstrip::report::Report::default() }
    }
}

/// Runs the program, which must refuse: this exit code, one line with these parts, nothing changed below the place.
#[track_caller]
pub fn refused(case: (u8, &str), place: &Place, code: i32, parts: &[&str], run: impl FnOnce() -> Ran) -> String {
    let line = held(case, place, code, parts, run);
    report(case.0, case.1, code, &line);
    line
}

#[track_caller]
fn held((number, what): (u8, &str), place: &Place, code: i32, parts: &[&str], run: impl FnOnce() -> Ran) -> String {
    let before = place.snapshot();
    let Ran { code: ended, said, stdout } = run();
    let shown = format!("H{number} {what}: {said}");
    assert_eq!(ended, Some(code), "{shown}");
    assert_eq!(before, place.snapshot(), "{shown}: everything is as it was");
    assert!(stdout.is_empty(), "{shown}: nothing goes to standard output");
    let line = said.strip_suffix('\n').unwrap_or_else(|| panic!("{shown} ends its line"));
    assert!(!line.contains(|c: char| c.is_control()), "{}", said.escape_debug());
    assert!(line.starts_with("imgstrip: ") && line.len() < 2000, "{shown}");
    for part in parts {
        assert!(line.contains(part), "{shown}: \"{part}\" is not said");
    }
    line.to_owned()
}

/// What `--nocapture` shows of a case: a line that can be counted.
#[allow(clippy::print_stdout)]
fn report(number: u8, what: &str, code: i32, line: &str) {
    println!("case H{number:02} {what}: exit {code}: {line}");
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// How many of the bytes are there.
pub fn cut(bytes: &[u8], len: usize) -> &[u8] {
    &bytes[..len.min(bytes.len())]
}

#[test]
fn every_group_has_a_test_of_its_number() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/hostile");
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let tests: String = files.collect();
    for number in 1..=64 {
        assert!(tests.contains(&format!("\nfn h{number:02}_")), "H{number} has no test");
    }
}

#[test]
fn the_bound_on_memory_binds() {
    let place = Place::with(&crate::image::docker(&[crate::lines::layer("a")]));
    let words = || [place.input().into_os_string(), place.output().into()];
    assert_ne!(place.run(4, words()).code, Some(0), "4 MiB are not enough for anyone");
    assert_eq!(place.run(MEMORY, words()).code, Some(0));
}
