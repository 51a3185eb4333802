//! The values that a word may have, as far as the text itself says: literal assignments, the environment, and the few commands with
//! which scripts find their own place (`dirname "$0"`, `cd ... && pwd`, `readlink -f`, `which java`).
//!
//! In: words and a [`World`] to look programs up in. Out: a handful of candidates; none where the text does not tell. It does not know
//! which branch is taken, so every assignment counts, wherever it stands.

use super::{Part, Piece, Script, Simple, Variable, Word};
use std::cell::Cell;
use std::collections::BTreeMap;

/// How many values a word or a variable may have; more say nothing.
const VALUES: usize = 8;

/// Bytes of a value; a path is at most 4096 bytes long, and `x=$x$x` grows without end.
const LENGTH: usize = 4096;

/// What an evaluation may ask of the image.
pub(crate) trait World {
    /// Where a name is found on PATH, as an absolute path.
    fn program(&self, name: &[u8]) -> Option<Vec<u8>>;
    /// Where a path leads, all symlinks followed.
    fn real(&self, path: &[u8]) -> Option<Vec<u8>>;
}

/// What is known of the variables of a script.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables {
    values: BTreeMap<Box<[u8]>, Vec<Vec<u8>>>,
    /// The directories that it may run in.
    pub(crate) directories: Vec<Vec<u8>>,
    /// Bytes of values that may still be made: eight long values in each of a million words would never end.
    pub(crate) left: Cell<u64>,
}

impl Variables {
    /// The variables at the start of a script: the environment, its own path, and the directory it runs in.
    pub(crate) fn new<'a>(
        environment: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        own_path: &[Vec<u8>],
        directory: Vec<u8>,
        left: u64,
    ) -> Self {
        let mut variables = Self { directories: vec![directory], left: Cell::new(left), ..Self::default() };
        for (name, value) in environment {
            variables.values.insert(name.into(), vec![value.into()]);
        }
        for name in [&b"0"[..], b"BASH_SOURCE", b"_"] {
            variables.values.insert(name.into(), own_path.into());
        }
        variables
    }

    /// Notes the assignments of a script. What a later line assigns counts in an earlier one too, as a loop or a function makes it.
    pub(crate) fn learn(&mut self, script: &Script, world: &dyn World) {
        self.learn_list(&script.commands, world);
    }

    fn learn_list(&mut self, commands: &[Simple], world: &dyn World) {
        for simple in commands {
            for (name, value) in &simple.assignments {
                self.assign(name, value, world);
            }
            let Some((head, arguments)) = simple.words.split_first() else { continue };
            match head.literal().as_deref() {
                Some(b"export" | b"readonly" | b"local" | b"declare" | b"typeset" | b"env") => {
                    for (name, value) in arguments.iter().filter_map(Word::assignment) {
                        self.assign(&name, &value, world);
                    }
                }
                Some(b"cd" | b"pushd") => {
                    let to = arguments.iter().find(|word| word.bare().is_none_or(|bare| bare.first() != Some(&b'-')));
                    for value in to.map(|word| self.values(word, world)).unwrap_or_default() {
                        let value = self.absolute(&value);
                        add(&mut self.directories, value);
                    }
                }
                _ => {}
            }
        }
    }

    fn assign(&mut self, name: &[u8], value: &Word, world: &dyn World) {
        let values = self.values(value, world);
        let known = self.values.entry(name.into()).or_default();
        values.into_iter().for_each(|value| add(known, value));
    }

    /// A relative path from the first directory that the script runs in.
    fn absolute(&self, value: &[u8]) -> Vec<u8> {
        match self.directories.first() {
            Some(directory) if value.first() != Some(&b'/') => [directory, value].join(&b'/'),
            _ => value.into(),
        }
    }

    /// What a word may be; empty where that cannot be told. A variable that nothing assigns is empty, as the shell has it.
    pub(crate) fn values(&self, word: &Word, world: &dyn World) -> Vec<Vec<u8>> {
        let mut values = vec![Vec::new()];
        for piece in &word.0 {
            let parts = match piece {
                Piece::Bare(bytes) | Piece::Quoted(bytes) => vec![bytes.clone()],
                Piece::Variable(variable) => self.variable(variable, world),
                Piece::Output(commands) => self.output(commands, world),
                Piece::Unknown(_) => Vec::new(),
            };
            let mut longer: Vec<Vec<u8>> = Vec::new();
            for (value, part) in values.iter().flat_map(|value| parts.iter().map(move |part| (value, part))) {
                let size = value.len().saturating_add(part.len()).saturating_add(1) as u64;
                let Some(left) = self.left.get().checked_sub(size) else { return Vec::new() };
                self.left.set(left);
                add(&mut longer, [value.as_slice(), part].concat());
            }
            values = longer;
        }
        values
    }

    fn variable(&self, variable: &Variable, world: &dyn World) -> Vec<Vec<u8>> {
        let mut values = match &*variable.name {
            b"PWD" => self.directories.clone(),
            name => match self.values.get(name) {
                Some(values) => values.clone(),
                // The parameters of the script are what the caller says.
                None if name.len() == 1 && !name.iter().all(|byte| byte.is_ascii_alphabetic()) => Vec::new(),
                None if variable.fallback.is_none() => vec![Vec::new()],
                None => Vec::new(),
            },
        };
        if let Some(fallback) = &variable.fallback {
            self.values(fallback, world).into_iter().for_each(|value| add(&mut values, value));
        }
        match variable.part {
            Part::Whole => values,
            Part::Directory => values.iter().map(|value| directory(value)).collect(),
            Part::Name => values.iter().map(|value| base(value).into()).collect(),
        }
    }

    /// What commands print, where they only say where something is.
    fn output(&self, commands: &[Simple], world: &dyn World) -> Vec<Vec<u8>> {
        let Some((last, before)) = commands.split_last() else { return vec![Vec::new()] };
        let Some((head, arguments)) = last.words.split_first() else { return Vec::new() };
        let options = arguments.iter().take_while(|word| word.bare().is_some_and(|bare| bare.starts_with(b"-")));
        let arguments = arguments.get(options.count()..).unwrap_or_default();
        let first = || arguments.first().map(|word| self.values(word, world)).unwrap_or_default();
        match head.literal().as_deref() {
            Some(b"pwd") => {
                let moves = before.iter().rev().find_map(|simple| match simple.words.as_slice() {
                    [head, .., to] if head.bare() == Some(b"cd") => Some(to),
                    _ => None,
                });
                match moves {
                    Some(to) => self.values(to, world).iter().map(|value| self.absolute(value)).collect(),
                    None => self.directories.clone(),
                }
            }
            Some(b"dirname") => first().iter().map(|value| directory(value)).collect(),
            Some(b"basename") => first().iter().map(|value| base(value).into()).collect(),
            Some(b"readlink" | b"realpath") => {
                first().iter().filter_map(|value| world.real(&self.absolute(value))).collect()
            }
            Some(b"which" | b"command" | b"type") => first().iter().filter_map(|name| world.program(name)).collect(),
            Some(b"echo" | b"printf") => arguments.last().map(|word| self.values(word, world)).unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

fn add(values: &mut Vec<Vec<u8>>, value: Vec<u8>) {
    if values.len() < VALUES && value.len() <= LENGTH && !values.contains(&value) {
        values.push(value);
    }
}

fn directory(path: &[u8]) -> Vec<u8> {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(0) => b"/".into(),
        Some(slash) => path.get(..slash).unwrap_or_default().into(),
        None => b".".into(),
    }
}

fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}
