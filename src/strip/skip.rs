//! Why a file is left as it is. In: nothing, these are values. Out: for each reason a name for reports and its text.

use crate::error::Error;
use serde::Serialize;

/// Why a file is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Skip {
    /// It does not begin with the ELF magic: a text, a picture, an archive of objects (`.a`).
    NotElf,
    /// 32-bit or big-endian: not tested, so not touched.
    NotElf64Le,
    /// For a machine that is none of x86-64, AArch64, RISC-V, POWER and LoongArch. A CUDA or AMD GPU program is an ELF file
    /// whose loader looks kernels up in `.symtab`.
    Machine,
    /// `ET_REL`: an object file or a kernel module, which is linked by its symbol table and its sections.
    Object,
    /// Neither a program nor a shared object, or nothing of it is loaded: a core dump, a supplementary file of dwz.
    NotLoaded,
    /// A separate debug file, as `objcopy --only-keep-debug` makes it: its code is `SHT_NOBITS`. The preset `debug` drops it whole.
    DebugFile,
    /// Sparse, or made of pieces by another decision: a sparse file's holes would be lost.
    NotOneRun,
    /// Nothing in it may go, or less than one block of a tar.
    NothingToGain,
    /// What may go lies before the last byte of a segment, as in files that patchelf laid out anew; moving segments is what breaks them.
    DebugInside,
    /// Bytes follow the last section, segment and header table: programs that carry their data behind themselves find it
    /// from the end of the file (AppImage, PyInstaller, nexe, the single files of .NET, Deno and Bun).
    AppendedPayload,
    /// Bytes between what goes and the end of the file belong to nothing, and are more than padding.
    UnknownBytes,
    /// A section of no known meaning would have to move, and its program may know its place in the file.
    UnknownSection,
    /// A section that stays speaks of one that goes: relocations that `ld --emit-relocs` left, a group, a second symbol table.
    LinkedSection,
    /// So many sections or segments that their number stands in section 0.
    ExtendedNumbering,
    /// More sections, segments or names than any known file has; they would have to be held in memory.
    TooLarge,
    /// Its headers contradict each other or the length of the file. The loader may still take it.
    Malformed,
    /// The plan did not stand the comparison with the file. It is a mistake of this crate, or the file is stranger than it looks.
    Unproven(Difference),
}

/// In what a stripped file differs from what it was, beyond what went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Difference {
    /// It cannot be read again as an ELF file.
    Unreadable,
    /// A field of the ELF header other than the place and number of the section headers.
    Header,
    /// A program header.
    ProgramHeaders,
    /// A byte of a segment, the dynamic section among them.
    Segment,
    /// The sections that stay are not the same ones in the same order, or one that is mapped has another number.
    Sections,
    /// The header of a section that stays: its address, size, flags, or what it links to.
    SectionHeader,
    /// A byte of a section that stays.
    SectionBytes,
    /// A section that should have gone.
    StillThere,
    /// Sections or header tables lie one over the other, or bytes follow the last of them.
    Layout,
}

impl Skip {
    /// A stable name for scripts.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotElf => "not-elf",
            Self::NotElf64Le => "not-elf64-le",
            Self::Machine => "machine",
            Self::Object => "object",
            Self::NotLoaded => "not-loaded",
            Self::DebugFile => "debug-file",
            Self::NotOneRun => "not-one-run",
            Self::NothingToGain => "nothing-to-gain",
            Self::DebugInside => "debug-inside",
            Self::AppendedPayload => "appended-payload",
            Self::UnknownBytes => "unknown-bytes",
            Self::UnknownSection => "unknown-section",
            Self::LinkedSection => "linked-section",
            Self::ExtendedNumbering => "extended-numbering",
            Self::TooLarge => "too-large",
            Self::Malformed => "malformed",
            Self::Unproven(_) => "unproven",
        }
    }

    /// What it means, in a few words.
    pub fn text(self) -> &'static str {
        match self {
            Self::NotElf => "not an ELF file",
            Self::NotElf64Le => "32-bit or big-endian",
            Self::Machine => "for a machine whose loader may read the symbol table",
            Self::Object => "an object file or a kernel module, linked by its symbols",
            Self::NotLoaded => "neither a program nor a shared object",
            Self::DebugFile => "a separate debug file",
            Self::NotOneRun => "sparse, or rewritten by another decision",
            Self::NothingToGain => "nothing in it to strip",
            Self::DebugInside => "its debug sections lie before the end of a segment",
            Self::AppendedPayload => "it carries data behind its end",
            Self::UnknownBytes => "bytes of no known meaning lie among its debug sections",
            Self::UnknownSection => "a section of no known meaning would have to move",
            Self::LinkedSection => "a section that stays speaks of one that would go",
            Self::ExtendedNumbering => "more than 65,279 sections",
            Self::TooLarge => "more sections, segments or names than are read",
            Self::Malformed => "its headers contradict each other",
            Self::Unproven(_) => "the result did not compare with the file",
        }
    }

    /// Whether it is worth a line in a report: there was, or may have been, something to strip.
    pub fn is_telling(self) -> bool {
        !matches!(self, Self::NotElf | Self::NothingToGain | Self::Object | Self::NotLoaded)
    }
}

/// Why a step did not come to its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file is left as it is.
    Skip(Skip),
    /// It cannot be read.
    Error(Error),
}

impl From<Skip> for Stop {
    fn from(skip: Skip) -> Self {
        Self::Skip(skip)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Sets the reasons apart from the errors.
pub(super) fn settle<T>(result: Result<T, Stop>) -> Result<Result<T, Skip>, Error> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Stop::Skip(skip)) => Ok(Err(skip)),
        Err(Stop::Error(error)) => Err(error),
    }
}
