//! Shell text as the commands it would run: which words stand at the head of one, which are arguments, what is only text.
//!
//! In: the bytes of a script, or the text of a `sh -c`. Out: [`Script`], nothing looked up. It reads the grammar that POSIX sh and bash
//! share, is never strict, and takes what no shell would read as far as it goes. It does not know which branch is taken.

mod evaluate;
mod heads;
mod parse;
mod redirect;
#[cfg(test)]
mod tests;
mod word;
mod wrappers;

pub(super) use evaluate::{Variables, World};
pub(super) use heads::{Finding, findings};
pub(super) use wrappers::{SHELLS, is_valued_shell_option};

use std::collections::BTreeSet;

/// A parsed text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Script {
    /// In the order of the text, those of loops, branches and functions among them; those inside a `$( )` stay in their word.
    pub(super) commands: Vec<Simple>,
    /// The functions that it defines.
    pub(super) functions: BTreeSet<Box<[u8]>>,
}

/// One command with its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Simple {
    /// The assignments before the command, and those that stand alone.
    pub(super) assignments: Vec<(Box<[u8]>, Word)>,
    /// The command and its arguments.
    pub(super) words: Vec<Word>,
    /// What it reads beside them: files of `<`, texts of `<<`, the subject of a `case`.
    pub(super) inputs: Vec<Word>,
    /// The files of `>`.
    pub(super) outputs: Vec<Word>,
}

/// A word before its expansion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word(pub(super) Vec<Piece>);

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes as they are, where no quote is around them.
    Bare(Vec<u8>),
    /// Bytes as they are, in quotes.
    Quoted(Vec<u8>),
    /// `$name`, `${name}` and what may stand for it.
    Variable(Variable),
    /// What these commands print.
    Output(Vec<Simple>),
    /// What no reader of the text can know; the word inside is only looked through for commands.
    Unknown(Word),
}

/// A variable in a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Variable {
    /// The name; a digit or a sign for a parameter of the shell.
    pub(super) name: Box<[u8]>,
    /// Of `${name:-word}`.
    pub(super) fallback: Option<Word>,
    /// Which part of its value.
    pub(super) part: Part,
}

/// Which part of a path a variable stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    #[default]
    Whole,
    /// `${name%/*}`.
    Directory,
    /// `${name##*/}`.
    Name,
}

/// Tokens of a text that is read: each costs up to 250 bytes, and a megabyte of `$(a)` has 800,000. A configure script of a megabyte has 250,000.
pub(super) const TOKENS: u64 = 500_000;

/// How many tokens a text has at most.
pub(super) fn tokens(text: &[u8]) -> u64 {
    text.iter().filter(|byte| b" \t\n;&|()<>$`\"'{}".contains(byte)).count() as u64
}

impl Script {
    /// Reads a text. Never fails: what is not understood is skipped, and so is a text of more than [`TOKENS`].
    pub(super) fn parse(text: &[u8]) -> Self {
        if tokens(text) > TOKENS {
            return Self::default();
        }
        let mut parser = parse::Parser::new(text, 0);
        let commands = parser.commands(parse::Closer::End);
        Self { commands, functions: parser.functions }
    }
}

impl Word {
    /// Its bytes, where it is one run of bare ones: only such a word can be a reserved one.
    pub(super) fn bare(&self) -> Option<&[u8]> {
        match self.0.as_slice() {
            [Piece::Bare(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// Its bytes, where all of them stand in the text.
    pub(super) fn literal(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Bare(more) | Piece::Quoted(more) => bytes.extend_from_slice(more),
                _ => return None,
            }
        }
        Some(bytes)
    }

    /// Whether any of it is quoted.
    pub(super) fn is_quoted(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Quoted(_)))
    }

    /// `NAME=value` and `NAME+=value`, taken apart.
    pub(super) fn assignment(&self) -> Option<(Box<[u8]>, Word)> {
        let (Piece::Bare(first), rest) = self.0.split_first()? else { return None };
        let equals = first.iter().position(|&byte| byte == b'=')?;
        let (name, value) = first.split_at_checked(equals)?;
        let name = name.strip_suffix(b"+").unwrap_or(name);
        let name = name.iter().position(|&byte| byte == b'[').and_then(|index| name.get(..index)).unwrap_or(name);
        if !is_name(name) {
            return None;
        }
        let value = value.get(1..).unwrap_or_default();
        let mut pieces = Vec::with_capacity(self.0.len());
        if !value.is_empty() {
            pieces.push(Piece::Bare(value.into()));
        }
        pieces.extend_from_slice(rest);
        Some((name.into(), Word(pieces)))
    }
}

/// The words of a text that stand in it as they are, those that are only printed left out: in a command line of a config any of them may be
/// a program that another one runs.
pub(super) fn words_of(text: &[u8]) -> Vec<Vec<u8>> {
    let script = Script::parse(text);
    let is_printed = |simple: &&Simple| {
        let head = simple.words.first().and_then(Word::bare);
        matches!(head, Some(b"echo" | b"printf" | b"rm" | b"mkdir"))
    };
    let commands = script.commands.iter().filter(|simple| !is_printed(simple));
    commands.flat_map(|simple| simple.words.iter().filter_map(Word::literal)).collect()
}

/// Whether the bytes are the name of a variable.
fn is_name(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| !first.is_ascii_digit()) && bytes.iter().all(|&byte| is_name_byte(byte))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
