//! PURE. What to drop: presets, own rules, globs, and the decision for a whole tree.
//!
//! In: TOML and globs, a [`Tree`](crate::rootfs::Tree), and the [`Facts`] of its image. Out: [`Drops`], which say for
//! each name that goes which rule took it. Never a change to the tree before [`Drops::apply`].
//!
//! # Who wins
//!
//! 1. What the user keeps: `--keep`, and `keep` in a `--rules` file, beats every drop. A path without wildcards
//!    that leads through symlinks keeps each of them, and its end.
//! 2. What the user drops: `--drop`, and `drop` in a `--rules` file, is his explicit word: it beats all below,
//!    the legal floor and the entrypoint among it.
//! 3. What something that stays needs ([`Claims::needed`]): no preset takes it.
//! 4. The entrypoint: a preset's rule that would take a protected path, or a link on the way to it, is not applied to
//!    the image at all, nor the rules that it `needs`: a compiler without its assembler is no compiler.
//! 5. A package that goes takes all its files along, licences too; a rule that names packages leaves the files of those
//!    that stay alone ([`Claims`]).
//! 6. The legal floor: licence, copyright and notice files stay, wherever they are (`floor.rs`).
//! 7. A preset's own `keep` limits that preset's drops, and no other's.
//! 8. A preset's `drop`.
//!
//! # What a drop takes
//!
//! A directory goes with all below it, but for what is kept, whose parents stay. A directory that no glob names goes
//! when rules took everything in it, unless a container expects it (`skeleton.rs`, [`Facts::directories`]). A symlink
//! that led somewhere goes, with the rule that took its end; a link that led nowhere before stays. A hard link is a name:
//! the bytes go with the last. `/bin/x` and `/usr/bin/x` are one path (and so for `sbin` and `lib*`), on any tree.

mod asked;
mod build;
mod claims;
mod dangling;
mod decide;
mod drops;
mod facts;
mod file;
mod floor;
mod glob;
mod judge;
mod matcher;
pub mod preset;
mod skeleton;
mod states;
#[cfg(test)]
mod tests;
mod truncate;
mod walk;

pub use build::{Rules, RulesBuilder};
pub use claims::{Claims, Seed};
pub use decide::Judgement;
pub use drops::{Dropped, Drops, Kept, Removal, RuleId};
pub use facts::Facts;
pub use file::Risk;
