//! PURE. The root filesystem as a value: paths, entries, a tree of names and inodes, the merge, the plan, the
//! differences between two trees.

mod above;
mod content;
mod diff;
mod entry;
mod follow;
mod ledger;
mod merge;
mod origin;
mod path;
mod plan;
#[cfg(test)]
pub(crate) mod testing;
pub mod text;
mod tree;
mod upper;

pub use content::{Content, Extent, Files, Run, Source, read_whole};
pub use diff::{Aspect, Change, Detail, Difference, diff};
pub use entry::{Device, Entry, EntryKind, LayerId, Meta, OwnerNames, Record, Time};
pub use follow::Way;
pub use ledger::{Ledger, Tally};
pub use merge::{Merge, Merged};
pub use origin::{Origin, Span};
pub use path::RootPath;
pub use plan::{Item, Plan, Step};
pub use tree::{Descend, Inode, InodeId, InodeKind, Node, NodeId, Tree};
pub use upper::{Upper, UpperBuilder};
