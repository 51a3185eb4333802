//! Whether an entry's tar bytes may be copied as they are.
//!
//! In: a parsed entry and the forms its blocks had. Out: true only where Go, GNU tar, bsdtar and Python all read
//! these bytes as exactly this entry; anything odd is written afresh instead. Never changes the entry.

use super::extended::Extended;
use super::header::{Format, Header};
use crate::rootfs::{EntryKind, RootPath};

/// `name` and `linkname` are the raw ones, after extended headers were applied.
pub(super) fn suits_every_reader(
    header: &Header<'_>,
    extended: &Extended,
    (name, linkname): (&[u8], &[u8]),
    (path, kind): (&RootPath, &EntryKind),
) -> bool {
    header.regular
        && matches!(header.typeflag, b'0'..=b'6')
        && is_mode_of(header)
        // GNU tar refuses these even where a PAX record gives the owner.
        && [header.uid, header.gid].into_iter().all(|id| u32::try_from(id).is_ok())
        && suits_extended(header, extended)
        && is_clean(name, path, matches!(kind, EntryKind::Directory))
        && match kind {
            EntryKind::HardLink(target) => has_own_link(header) && is_clean(linkname, target, false),
            EntryKind::Symlink(_) => has_own_link(header),
            _ => linkname.is_empty(),
        }
        && (matches!(kind, EntryKind::CharDevice(_) | EntryKind::BlockDevice(_))
            || (header.major, header.minor) == (0, 0))
}

/// Permissions alone, or under the type bits of the same type, as Docker has written them in every layer since Go 1.8.
fn is_mode_of(header: &Header<'_>) -> bool {
    let type_bits = match header.typeflag {
        b'2' => 0o120_000,
        b'3' => 0o020_000,
        b'4' => 0o060_000,
        b'5' => 0o040_000,
        b'6' => 0o010_000,
        _ => 0o100_000,
    };
    matches!(header.mode, 0..=0o7777) || header.mode & !0o7777 == type_bits
}

/// libarchive 3.6 loses a target of an extended header, PAX or GNU, where the entry's own field is empty.
fn has_own_link(header: &Header<'_>) -> bool {
    !header.linkname.is_empty()
}

/// PAX goes with POSIX headers and long names with GNU's; readers differ where they are mixed (T14).
fn suits_extended(header: &Header<'_>, extended: &Extended) -> bool {
    let long = extended.long_name.is_some() || extended.long_link.is_some();
    let format = match (&extended.pax, long) {
        (None, false) => true,
        (Some(pax), false) => {
            let size_agrees = pax.size.is_none_or(|size| size == header.size);
            header.format == Format::Ustar && pax.regular && size_agrees
        }
        (None, true) => header.format == Format::Gnu,
        (Some(_), true) => false,
    };
    format && extended.regular
}

/// A clean spelling: at most one `./` before it, a slash after it exactly for directories.
fn is_clean(raw: &[u8], path: &RootPath, directory: bool) -> bool {
    let raw = raw.strip_prefix(b"./").unwrap_or(raw);
    if path.is_root() {
        return directory && raw.is_empty();
    }
    let raw = if directory { raw.strip_suffix(b"/") } else { Some(raw) };
    raw == Some(path.as_bytes())
}
