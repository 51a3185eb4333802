//! A place to run the program in: a directory each for the input, the output and temporary files; and what must be so afterwards.

use crate::inputs::{self, Kind};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// What stood at the output's path before.
pub const OLD: &[u8] = b"the old output";

pub struct Place {
    root: TempDir,
    /// What a run that nothing disturbs writes.
    pub good: Vec<u8>,
    input: Vec<u8>,
    /// Another directory for the output, as one on another file system.
    out: Option<PathBuf>,
    /// Another directory for temporary files.
    temp: Option<PathBuf>,
}

impl Place {
    pub fn new(kind: Kind) -> Self {
        Self::sized(kind, 60_000, &std::env::temp_dir())
    }

    /// With six files of `size` bytes, in a new directory below this one.
    pub fn sized(kind: Kind, size: usize, below: &Path) -> Self {
        Self::of(inputs::input(kind, size), below)
    }

    pub fn of(input: Vec<u8>, below: &Path) -> Self {
        // The shim knows files by their paths as the kernel tells them.
        let root = tempfile::tempdir_in(fs::canonicalize(below).unwrap()).unwrap();
        let mut place = Self { root, good: Vec::new(), input, out: None, temp: None };
        for directory in [place.path("in"), place.path("out"), place.path("temp")] {
            fs::create_dir(directory).unwrap();
        }
        place.reset();
        let ran = place.command().output().unwrap();
        assert!(ran.status.success(), "{}", said(&ran));
        place.good = fs::read(place.output()).unwrap();
        assert!(place.good.len() > 1024 && place.good != OLD);
        place.reset();
        place
    }

    /// Writes to another directory from now on.
    pub fn out(mut self, directory: &Path) -> Self {
        self.out = Some(directory.to_owned());
        self
    }

    /// Has temporary files in another directory from now on.
    pub fn temp(mut self, directory: &Path) -> Self {
        self.temp = Some(directory.to_owned());
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn input(&self) -> PathBuf {
        self.path("in").join("in.tar")
    }

    pub fn out_dir(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| self.path("out"))
    }

    pub fn temp_dir(&self) -> PathBuf {
        self.temp.clone().unwrap_or_else(|| self.path("temp"))
    }

    pub fn output(&self) -> PathBuf {
        self.out_dir().join("out.tar")
    }

    /// The input as it was, the old output, and nothing else.
    pub fn reset(&self) {
        fs::write(self.input(), &self.input).unwrap();
        for entry in fs::read_dir(self.path("in")).unwrap().map(|entry| entry.unwrap().path()) {
            if entry != self.input() {
                fs::remove_file(entry).unwrap();
            }
        }
        fs::write(self.output(), OLD).unwrap();
    }

    pub fn command(&self) -> Command {
        self.command_of(self.input(), self.output())
    }

    pub fn command_of(&self, input: impl AsRef<OsStr>, output: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imgstrip"));
        command
            .args(["--quiet", "--preset", "none", "-j", "2", "--temp-dir"])
            .arg(self.temp_dir())
            .arg(input)
            .arg(output);
        command
    }

    /// What the output's path holds.
    pub fn holds(&self) -> Vec<u8> {
        fs::read(self.output()).unwrap()
    }

    /// The run did its work and nothing else.
    pub fn assert_good(&self, ran: &Output, what: &str) {
        assert!(ran.status.success(), "{what}: {:?} {}", ran.status, said(ran));
        assert!(self.holds() == self.good, "{what}: another output");
        self.assert_clean(what);
    }

    /// The run failed with this code, said why in one line that has this word, and touched nothing.
    pub fn assert_failed(&self, ran: &Output, (code, word): (i32, &str), what: &str) {
        assert_eq!(ran.status.code(), Some(code), "{what}: {:?} {}", ran.status, said(ran));
        assert!(self.holds() == OLD, "{what}: the output is no longer the old one");
        assert_says(ran, word, what);
        self.assert_clean(what);
    }

    /// Nothing is beside the output, and nothing among the temporary files.
    pub fn assert_clean(&self, what: &str) {
        assert_eq!(names(&self.out_dir()), ["out.tar"], "{what}: beside the output");
        assert_eq!(names(&self.temp_dir()), [""; 0], "{what}: among the temporary files");
    }
}

/// One line of ours that has this word.
pub fn assert_says(ran: &Output, word: &str, what: &str) {
    let said = said(ran);
    assert!(said.starts_with("imgstrip: ") && said.lines().count() == 1, "{what}: {said:?}");
    assert!(said.contains(word), "{what}: no \"{word}\" in {said:?}");
}

pub fn said(ran: &Output) -> String {
    String::from_utf8(ran.stderr.clone()).unwrap()
}

/// The names in a directory, sorted. A new file system's own is not counted.
pub fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "lost+found").collect();
    names.sort();
    names
}
