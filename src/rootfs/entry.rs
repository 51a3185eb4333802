//! One entry of a layer as a value: its path, what it is, its metadata, and where its bytes lie.
//!
//! Never the bytes themselves: memory grows with the number of entries, not with their size.

use super::content::Content;
use super::path::RootPath;
use std::ops::Range;
use std::sync::Arc;

/// A layer blob of the archive, numbered in the order in which the archive's distinct layers are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerId(pub u32);

/// What a tar says about one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The clean path.
    pub path: RootPath,
    /// What stands there.
    pub kind: EntryKind,
    /// Its metadata; for a hard link, what the link's own header says.
    pub meta: Meta,
    /// The entry's tar bytes in the uncompressed layer, from its first header block to the end of its padding,
    /// where any reader reads them as this entry and nothing else, so that they may be copied as they are.
    pub verbatim: Option<Range<u64>>,
}

/// What stands at a path in a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File(Content),
    /// A directory.
    Directory,
    /// A symbolic link and its target, byte for byte.
    Symlink(Box<[u8]>),
    /// Another name of the inode at this path, clamped to the root (M67).
    HardLink(RootPath),
    /// A character device.
    CharDevice(Device),
    /// A block device.
    BlockDevice(Device),
    /// A named pipe.
    Fifo,
}

/// The numbers of a device node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// The driver.
    pub major: u32,
    /// The device of that driver.
    pub minor: u32,
}

/// The metadata of an inode.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    /// Permission, setuid, setgid and sticky bits: `mode & 07777` (M88).
    pub mode: u16,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The time of the last change of the content.
    pub mtime: Time,
    /// The names of owner and group, as bytes (M87).
    pub owner: Arc<OwnerNames>,
    /// Extended attributes, ACLs and labels: the PAX records that carry them, sorted by key, unique (M93).
    pub records: Arc<[Record]>,
}

/// The names of an owner and a group; either may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct OwnerNames {
    /// `uname`.
    pub user: Box<[u8]>,
    /// `gname`.
    pub group: Box<[u8]>,
}

/// One PAX record, such as `SCHILY.xattr.security.capability`; the value is raw bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The key, without the `=`.
    pub key: Box<[u8]>,
    /// The value; may hold NUL and newline bytes (M94, T5).
    pub value: Box<[u8]>,
}

/// A point in time: seconds since 1970, which may be negative (M85), and nanoseconds after that (M86).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// 0 to 999,999,999, always forward in time.
    pub nanos: u32,
}
