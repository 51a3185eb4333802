//! PURE. The root filesystem as a value: paths, entries, a tree of names and inodes, the merge, the plan.

mod entry;
mod path;

pub use entry::{Content, Device, Entry, EntryKind, Extent, LayerId, Meta, OwnerNames, Record, Source, Time};
pub use path::RootPath;
