//! A want looked up in a tree. In: nothing, these are values. Out: the places that must stay so that it is met.

use crate::rootfs::Way;
use serde::Serialize;

/// Why a file is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeedKind {
    /// The config names it: entrypoint, command, health check.
    Command,
    /// The config's environment, working directory, user or volumes name it.
    Environment,
    /// The user asked for it: `--keep`, `--keep-bin`.
    Asked,
    /// `PT_INTERP` of an ELF program.
    Loader,
    /// `DT_NEEDED` of an ELF file.
    Library,
    /// The interpreter of a `#!` line.
    Interpreter,
    /// The program that `env` of a `#!` line looks up on PATH.
    Program,
    /// A word of a shell script.
    Word,
    /// `Class-Path` of a jar.
    ClassPath,
    /// The run-time tree of a language.
    Language,
    /// What a kind of program reads without naming it: certificates, zone data, passwd.
    Implicit,
}

impl NeedKind {
    /// How a person says it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Environment => "environment",
            Self::Asked => "asked for",
            Self::Loader => "loader",
            Self::Library => "library",
            Self::Interpreter => "interpreter",
            Self::Program => "program of env",
            Self::Word => "word of a script",
            Self::ClassPath => "class path",
            Self::Language => "run time of a language",
            Self::Implicit => "read without being named",
        }
    }
}

/// Something that a file, or the image itself, needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Why.
    pub kind: NeedKind,
    /// As the file spells it, such as `libssl.so.3` or `/bin/sh`.
    pub wanted: Box<[u8]>,
    /// Where that leads; without an end, nothing is there.
    pub way: Way,
}
