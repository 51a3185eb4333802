//! What is asked of a closure: how the image's config starts its programs, and what the user wants kept. In: nothing, these are values.

use super::need::NeedKind;
use crate::rootfs::{NodeId, RootPath};

/// The name of a variable, and its value.
pub type Variable = (Box<[u8]>, Box<[u8]>);

/// What the config of an image says about how it starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// `Entrypoint`, word by word; of the shell form, the shell, its options and the text.
    pub entrypoint: Vec<Box<[u8]>>,
    /// `Cmd`, likewise; the arguments of the entrypoint where there is one.
    pub cmd: Vec<Box<[u8]>>,
    /// What `Healthcheck` runs, likewise.
    pub healthcheck: Vec<Box<[u8]>>,
    /// The variables of `Env`, in order.
    pub env: Vec<Variable>,
    /// `WorkingDir`; the root where there is none.
    pub working_dir: RootPath,
    /// `User`, as the config spells it; empty for root.
    pub user: Box<[u8]>,
    /// The mount points of `Volumes`.
    pub volumes: Vec<RootPath>,
}

/// What the user wants kept, whatever the config says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Programs, by a name on PATH or by a path (`--keep-bin`).
    pub programs: Vec<Box<[u8]>>,
    /// Names that a glob matched (`--keep`); what they need is kept too.
    pub nodes: Vec<(RootPath, NodeId)>,
}

/// How far a closure reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Only what is certain: command words, heads of shell commands, what ELF files, `#!` lines, links and jars name.
    Programs,
    /// All that the programs may read while they run: the trees of their languages, data of libraries, what the config's environment names.
    Everything,
}

/// One step of the way from a file back to the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The file.
    pub path: RootPath,
    /// Why it is kept.
    pub kind: NeedKind,
    /// As what asked for it spells it, or the name of the rule.
    pub wanted: Box<[u8]>,
}

/// A run-time system that was recognised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Runtime {
    /// Such as `python 3.11`.
    pub name: String,
    /// Where its own files are.
    pub path: RootPath,
}

/// A word of a command line that is longer holds no path.
const LONGEST: usize = 64 << 10;

impl Start {
    /// Each command with its arguments: what a container runs, and what checks it.
    pub(super) fn command_lines(&self) -> impl Iterator<Item = Vec<&[u8]>> {
        let main = self.entrypoint.iter().chain(&self.cmd).map(|word| &**word).collect::<Vec<_>>();
        let check = self.healthcheck.iter().map(|word| &**word).collect::<Vec<_>>();
        [main, check].into_iter().filter(|words| !words.is_empty())
    }

    /// The value of a variable; the last one of a name holds.
    pub(super) fn variable(&self, name: &[u8]) -> Option<&[u8]> {
        self.env.iter().rev().find(|(key, _)| **key == *name).map(|(_, value)| &**value)
    }
}

/// The absolute paths in a word such as `/a`, `/a:/b`, `-Dconfig=/a` or `-javaagent:/a=x`.
pub(super) fn paths_in(word: &[u8]) -> impl Iterator<Item = &[u8]> {
    let word = if word.len() > LONGEST { &[] } else { word };
    let parts = word.split(|byte| b":=,;@".contains(byte) || byte.is_ascii_whitespace());
    let paths = parts.filter(|part| part.len() > 1 && part.first() == Some(&b'/'));
    // A URL such as http://host/x is none.
    paths.filter(|part| !part.starts_with(b"//"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(word: &str) -> Vec<String> {
        paths_in(word.as_bytes()).map(|path| String::from_utf8(path.to_vec()).unwrap()).collect()
    }

    #[test]
    fn paths_are_found_in_lists_and_behind_options() {
        assert_eq!(paths("/a/b"), ["/a/b"]);
        assert_eq!(paths("-Dx=/a/b:/c"), ["/a/b", "/c"]);
        assert_eq!(paths("-javaagent:/a.jar=/b"), ["/a.jar", "/b"]);
        assert_eq!(paths("-I/a http://host/x / sub/dir"), Vec::<String>::new());
    }

    #[test]
    fn the_arguments_of_an_entrypoint_are_its_own_line() {
        let word = |text: &str| text.as_bytes().into();
        let start = Start {
            entrypoint: vec![word("a")],
            cmd: vec![word("b")],
            healthcheck: vec![word("c")],
            ..Start::default()
        };
        assert_eq!(start.command_lines().collect::<Vec<_>>(), [vec![&b"a"[..], b"b"], vec![b"c"]]);
    }
}
