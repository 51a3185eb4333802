//! Where each entry and each byte of the input went: kept, replaced, whited out or dropped.

use serde::Serialize;
use std::ops::AddAssign;

/// A number of entries, and of the content bytes that went with them.
///
/// Entries are names: a hard link counts as one. Bytes are those of regular files, holes included, and go with
/// the last name of an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Names.
    pub entries: u64,
    /// Bytes of content.
    pub bytes: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
    }
}

/// What the merge took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Ledger {
    /// Everything that the layers hold, whiteouts and opaque marks left out: they are marks, not entries.
    pub input: Tally,
    /// Gone because a later entry took the place.
    pub replaced: Tally,
    /// Gone because of a whiteout or an opaque mark.
    pub whited_out: Tally,
    /// Notes of old storage drivers and lazy-pulling formats inside the layers (M27, M28, M99), which describe
    /// the old layers.
    pub metadata: Tally,
}

impl AddAssign for Ledger {
    fn add_assign(&mut self, other: Self) {
        self.input += other.input;
        self.replaced += other.replaced;
        self.whited_out += other.whited_out;
        self.metadata += other.metadata;
    }
}
