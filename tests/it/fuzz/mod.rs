//! Each part that reads what strangers wrote, fed with whatever a stranger might write, and held to what it promises.
//!
//! In: any bytes. A target's `check` makes an input of them: text or a file of the format itself is taken as it stands, anything else chooses
//! what a generator writes. Out: whether the input was accepted; a broken promise is a panic. It is one function for both that drive it: here
//! a seed, the corpus and so many mutations of it; in `fuzz/` libFuzzer, for as long as one likes (tests/README.md).

pub mod archive;
pub mod choices;
pub mod codec;
pub mod config;
pub mod elf;
pub mod go;
pub mod merge;
pub mod packages;
pub mod pax;
pub mod reuse;
pub mod rules;
pub mod squash;
pub mod tar;

#[cfg(test)]
mod seeded;
