//! PURE. The root filesystem as a value: paths, entries, a tree of names and inodes, the merge, the plan.

mod entry;
mod ledger;
mod path;
mod tree;

pub use entry::{Content, Device, Entry, EntryKind, Extent, LayerId, Meta, OwnerNames, Record, Source, Time};
pub use ledger::{Ledger, Tally};
pub use path::RootPath;
pub use tree::{Descend, Inode, InodeId, InodeKind, Node, NodeId, Origin, Tree};
