//! What `--verify` found, as one line of the report. In: what was counted. Out: the words, which hold no name of the archive.

use super::Verified;
use super::unit::{counted, entries, size};

/// As in `read back, 36,001 entries and 350 MB in 30,000 files are the input's without what was dropped`.
pub(super) fn text(verified: &Verified) -> String {
    let (names, files) = (entries(verified.entries), counted(verified.files, "file"));
    let bytes = size(verified.bytes);
    format!("read back, {names} and {bytes} in {files} are the input's without what was dropped")
}
