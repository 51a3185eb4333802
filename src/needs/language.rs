//! The run-time trees of languages, recognised by the programs and libraries that are reached. In: a member. Out: more members.
//!
//! An interpreter reads its library by names that it computes; so the library stays whole but for what is known not to be read.

mod java;
mod node;
mod packages;
mod python;
#[cfg(test)]
mod tests;
mod whole;

use super::growth::{Growth, Member};
use super::start::Runtime;
use crate::error::Error;
use crate::rootfs::RootPath;

impl Growth<'_> {
    /// What a file that is run brings with it, as a part of a language.
    pub(super) fn language(&mut self, index: usize, member: &Member) -> Result<(), Error> {
        let Some((directory, name)) = member.path.split_last() else { return Ok(()) };
        self.python(index, &directory, name)?;
        self.java(index, &directory, name)?;
        self.node(index, &directory, name)?;
        self.node_script(index, member)?;
        self.python_script(index, member)?;
        self.whole_languages(index, name)
    }

    /// What a symlink brings with it: the interpreter of a virtual environment is one.
    pub(super) fn language_of_link(&mut self, index: usize, member: &Member) -> Result<(), Error> {
        match member.path.split_last() {
            Some((directory, name)) if self.everything() && name.starts_with(b"python") => {
                self.virtual_environment(index, &directory)
            }
            _ => Ok(()),
        }
    }

    /// Notes a run-time system.
    fn recognised(&mut self, name: &str, version: &[u8], path: &RootPath) {
        let version = std::str::from_utf8(version).unwrap_or_default();
        let name = format!("{name} {version}").trim_end().to_owned();
        self.runtimes.insert(Runtime { name, path: path.clone() });
    }
}

/// Whether a program of this name brings a language.
pub(super) fn is_interpreter(name: &[u8]) -> bool {
    name == b"java"
        || name == b"node"
        || name == b"nodejs"
        || name.starts_with(b"python")
        || whole::is_interpreter(name)
}

/// Whether the bytes are a version such as `3.11`: digits and dots, a digit first.
fn is_version(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_digit) && bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}
