//! PURE. What the files of a root filesystem need to run, and who needs whom.
//!
//! In: a [`Tree`](crate::rootfs::Tree), and [`Files`](crate::rootfs::Files) to look into files with. Out: [`Want`]s, as a file's own bytes state them;
//! [`Need`]s, which are wants looked up in the tree. It cannot see what a program decides while it runs: dlopen, imports, data files.

mod need;
mod want;

pub use need::{Need, NeedKind};
pub use want::{Elf, Script, Want};
