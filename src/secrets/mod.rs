//! PURE. Secrets that an image carries: private keys, tokens, files of credentials, passwords in its config.
//!
//! In: the tree that stays, the layers that it came from, a door to their files, and the words of the config. Out:
//! [`Finding`]s: what, where, in which layer, and whether it is still there. Never the secret itself, in no form: a
//! finding holds its place and its kind. Never a change to the tree: an application may read what looks like a leak.
//!
//! A file is chosen by its path (`look.rs`), then read up to [`READ`] bytes. What an earlier layer held and the
//! result does not is looked into as well: anybody who has the original image can still take it out of there.

mod command;
mod config;
mod finding;
mod held;
mod known;
mod look;
mod pem;
mod scan;
mod shapes;
mod values;
mod words;

pub use config::{Step, Words};
pub use finding::{Finding, Kind, Place, State};
pub use held::{Held, find};

/// Bytes of a file that is looked into; a larger one is data.
pub const SIZE: u64 = 1 << 20;
/// Bytes of it that are read.
pub const READ: usize = 256 << 10;
