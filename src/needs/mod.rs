//! PURE. What the files of a root filesystem need to run, and who needs whom.
//!
//! In: a [`Tree`](crate::rootfs::Tree), and [`Files`](crate::rootfs::Files) to look into files with. Out: [`Want`]s, as a file's own bytes state them;
//! [`Need`]s, which are wants looked up in the tree; [`Lost`], which are needs that a removal would break. It cannot see what a program decides
//! while it runs: dlopen, imports, data files.

mod closure;
#[cfg(test)]
mod closure_tests;
mod elf;
#[cfg(test)]
mod elf_testing;
mod environment;
mod evidence;
mod except;
mod growth;
mod guard;
#[cfg(test)]
mod guard_tests;
mod hierarchy;
mod implicit;
mod jar;
mod language;
mod need;
#[allow(clippy::module_inception)] // what it holds is what the folder is about
mod needs;
mod places;
mod plugins;
#[cfg(test)]
mod read_tests;
mod script;
mod scripts;
mod search;
#[cfg(test)]
mod search_tests;
mod seeds;
mod shell;
mod start;
mod system;
#[cfg(test)]
mod testing;
mod want;
mod wants;

pub use closure::{Closure, closure};
pub use environment::{DEFAULT_PATH, Environment};
pub use guard::{Lost, lost};
pub use need::{Need, NeedKind};
pub use needs::Needs;
pub use start::{Asked, Reach, Runtime, Start, Step, Variable};
pub use want::{Elf, Script, Want};
pub use wants::{Wants, read};
