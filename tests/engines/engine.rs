//! Where the engines are, and how a program is run. In: the variables that `setup` wrote. Out: commands' output.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// An engine that is there, ours alone as long as this lives: what one test loads must not be another's.
pub(crate) struct Turn<T> {
    /// The engine.
    pub(crate) engine: T,
    _turn: MutexGuard<'static, ()>,
}

/// Two runs on one machine would load the same names: the second waits until the first process has ended.
static ALONE: LazyLock<Option<File>> = LazyLock::new(|| {
    let file = File::create(Path::new(&std::env::var_os("IMGSTRIP_ENGINES_DIR")?).join("tests.lock")).ok()?;
    file.lock().ok()?;
    Some(file)
});

/// The engine whose address is in `variable`, or `None`, said aloud, where it may be missing and is.
pub(crate) fn reach<T>(
    name: &str,
    variable: &str,
    turn: &'static Mutex<()>,
    make: impl FnOnce(&str) -> Result<T, String>,
) -> Option<Turn<T>> {
    // Before the engine is looked at: `make` removes what a stopped run left, and must not take another test's images.
    let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    let found = match std::env::var(variable) {
        Err(_) => Err(format!("{variable} is not set")),
        Ok(_) if !is_root() => Err("that needs root".to_owned()),
        Ok(address) => {
            let _alone = &*ALONE;
            make(&address)
        }
    };
    optional(name, found).map(|engine| Turn { engine, _turn: turn })
}

/// What was found, or `None`, said aloud, where it may be missing and is.
pub(crate) fn optional<T>(name: &str, found: Result<T, String>) -> Option<T> {
    let required = std::env::var("IMGSTRIP_ENGINES").is_ok_and(|value| value == "required");
    match found {
        Ok(found) => Some(found),
        Err(why) if required => panic!("{name} cannot be reached: {why}; see tests/engines/README.md"),
        Err(why) => {
            // Past the capture of a test's output: a skipped test must not look like one that ran.
            let _ = writeln!(std::io::stderr(), "skipped: {name} is not there: {why} (see tests/engines/README.md)");
            None
        }
    }
}

/// Runs a program to its end; what it printed, or why it failed.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let Output { status, stdout, stderr } = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&stdout).into_owned();
    if status.success() {
        Ok(text)
    } else {
        Err(format!("{text}{}", String::from_utf8_lossy(&stderr)).trim().to_owned())
    }
}

/// A file system that is mounted as long as this lives.
pub(crate) struct Mounted<'a>(pub(crate) &'a Path);

impl<'a> Mounted<'a> {
    /// These directories, uppermost first, as overlayfs shows them.
    pub(crate) fn overlay(directories: &str, at: &'a Path) -> Result<Self, String> {
        let options = format!("ro,lowerdir={directories}");
        run(Command::new("mount").args(["-t", "overlay", "overlay", "-o", &options]).arg(at))?;
        Ok(Self(at))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // Lazily: a child that another test is just starting may hold our open directories for a moment.
        run(Command::new("umount").arg("--lazy").arg(self.0)).unwrap();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
