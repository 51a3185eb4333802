//! Faults for single calls of the program, by `shim.c`, which stands between it and the C library.

use crate::place::Place;
use crate::skip;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The shim, compiled once for all tests; `None`, said once, where no C compiler is.
pub fn shim() -> Option<&'static Path> {
    static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
    SHIM.get_or_init(compile).as_deref()
}

fn compile() -> Option<PathBuf> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/shim.c");
    // Beside the tests, lest every run leave a directory; two runs at once write the same.
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("shim-{}.so", std::process::id()));
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let built =
        Command::new(compiler).args(["-shared", "-fPIC", "-O1", "-o"]).arg(&made).arg(source).arg("-ldl").output();
    if !built.is_ok_and(|built| built.status.success()) {
        skip("a C compiler for the GNU C library");
        return None;
    }
    let kept = made.with_file_name("shim.so");
    fs::rename(made, &kept).unwrap();
    Some(kept)
}

/// Which calls are meant, and what happens to them.
#[derive(Clone, Debug)]
pub struct Fault<'a> {
    /// Files whose paths begin like this.
    pub path: PathBuf,
    /// As `shim.c` spells them.
    pub calls: &'a str,
    pub when: When,
    /// As `shim.c` spells it.
    pub what: String,
}

#[derive(Clone, Copy, Debug)]
pub enum When {
    /// Each such call.
    Always,
    /// The how manyth such call.
    Call(usize),
    /// Those behind so many bytes.
    Byte(usize),
}

impl Fault<'_> {
    /// Lets a command meet the fault.
    pub fn meets(&self, command: &mut Command, log: &Path) {
        command.env("LD_PRELOAD", shim().unwrap()).env("SHIM_PATH", &self.path).env("SHIM_CALLS", self.calls);
        command.env("SHIM_DO", &self.what).env("SHIM_LOG", log);
        match self.when {
            When::Always => command.env("SHIM_AT", "0"),
            When::Call(number) => command.env("SHIM_AT", number.to_string()),
            When::Byte(bytes) => command.env("SHIM_BYTE", bytes.to_string()),
        };
    }

    /// Runs the program, and tells how often it met the fault.
    pub fn run(&self, place: &Place) -> (Output, usize) {
        let log = place.path("log");
        let mut command = place.command();
        self.meets(&mut command, &log);
        let ran = command.output().unwrap();
        let met = fs::read(&log).unwrap_or_default().len();
        fs::remove_file(&log).unwrap_or_default();
        (ran, met)
    }
}

/// How many such calls a run makes that nothing disturbs.
pub fn count(place: &Place, path: &Path, calls: &str) -> usize {
    let what = format!("short:{}", u32::MAX);
    let (ran, met) = Fault { path: path.to_owned(), calls, when: When::Always, what }.run(place);
    place.assert_good(&ran, "counted");
    place.reset();
    met
}
