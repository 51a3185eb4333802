//! PURE. Takes the debug sections and the symbol table off the tail of an ELF file; nothing that is mapped moves.
//!
//! In: one file, looked into through [`Files`]. Out: a content that copies the file's own bytes up to what goes, with new
//! section headers behind them, and only if it was read again and proven alike; else the reason why the file stays as it is.
//! Never the bytes of a file in memory, never a guess: GNU `strip` lays segments out anew, and files that patchelf had laid
//! out before then no longer load, without an error or a warning of it (numpy#20101, the manylinux wheels of numpy).

mod check;
mod elf;
mod plan;
mod section;
mod skip;
mod tail;
#[cfg(test)]
mod tests;

pub use check::check;
pub use skip::{Difference, Skip};

use crate::error::Error;
use crate::rootfs::{Content, Files, Source};
use elf::Elf;
use skip::Stop;

/// Plans the strip of one file: what it is without its debug sections and its `.symtab`, or why it stays as it is.
///
/// The new content is made of the file's own runs, and of a few KiB at hand: the ELF header, the names of the sections and
/// their headers. A file that is no ELF file costs one read of 64 bytes.
///
/// It decides from the bytes alone. A caller that knows the names leaves out what is signed or hashed as a whole: a file
/// beside which `.NAME.hmac` or `NAME.chk` stands (libgcrypt, GnuTLS, NSS), an OpenSSL `fips.so`, one with a `security.ima` attribute.
///
/// What is lost is for those who look at a program from outside, and why this is off by default: line numbers and names of
/// functions that are not exported, in debuggers and profilers (gdb with threads, perf, async-profiler, `jhsdb`), in the backtraces of
/// Rust and C++ programs, and for valgrind, which wants the symbols of the loader. Go's panics and `go version -m`
/// need none of it.
///
/// # Errors
///
/// As [`Files::read_at`]: only where the file cannot be read. An ELF file that makes no sense is a [`Skip`].
pub fn strip_debug(files: &dyn Files, content: &Content) -> Result<Result<Content, Skip>, Error> {
    strip_by(files, content, plan::plan)
}

/// As [`strip_debug`], by another plan; the tests give wrong ones, to see the check refuse them.
fn strip_by(
    files: &dyn Files,
    content: &Content,
    planner: impl FnOnce(&dyn Files, &Content, &Elf) -> Result<Content, Stop>,
) -> Result<Result<Content, Skip>, Error> {
    let stripped = || {
        let header = elf::header(files, content)?;
        if !matches!(content.source, Source::Layer(..)) {
            return Err(Skip::NotOneRun.into());
        }
        let before = Elf::read(files, content, header)?;
        let after = planner(files, content, &before)?;
        match check::compare(files, (content, &before), &after)? {
            Ok(()) => Ok(after),
            Err(difference) => Err(Skip::Unproven(difference).into()),
        }
    };
    skip::settle(stripped())
}
