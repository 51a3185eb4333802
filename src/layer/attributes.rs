//! The PAX records that carry extended attributes, ACLs and labels: which ones an entry keeps.
//!
//! In: records sorted by key, each key once. Out: the kept ones, byte for byte as they stand (M93, M94); an
//! overlayfs attribute never passes (M92).

use crate::error::Error;
use crate::options::Limits;
use crate::rootfs::Record;
use std::borrow::Cow;

const SCHILY: &[u8] = b"SCHILY.xattr.";
const LIBARCHIVE: &[u8] = b"LIBARCHIVE.xattr.";

/// What is kept of an entry's attributes.
pub(crate) struct Kept {
    pub(crate) records: Vec<Record>,
    /// How many attributes of overlayfs were left out.
    pub(crate) overlay: u64,
}

/// Whether records of this key carry an attribute.
pub(crate) fn is_kept(key: &[u8]) -> bool {
    [SCHILY, LIBARCHIVE, b"SCHILY.acl.", b"RHT.security."].iter().any(|prefix| key.starts_with(prefix))
}

/// Leaves out overlayfs' own attributes, and a libarchive record whose attribute has a Schily record too: Go
/// reads only that one.
pub(crate) fn select(pairs: &[(&[u8], &[u8])], limits: &Limits) -> Result<Kept, Error> {
    let mut kept = Kept { records: Vec::new(), overlay: 0 };
    let mut bytes = 0u64;
    for (key, value) in pairs {
        bytes = bytes.saturating_add(key.len() as u64).saturating_add(value.len() as u64);
        if bytes > limits.xattrs {
            let what = format!("the extended attributes are larger than {} bytes", limits.xattrs);
            return Err(Error::limit(what).hint("raise it with --limit xattrs=BYTES"));
        }
        let name = name(key);
        if name.as_ref().is_some_and(|name| name.is_empty()) {
            // No kernel has one: Docker fails to set it, libarchive leaves it out.
            return Err(Error::malformed("the pax header has an attribute without a name"));
        }
        if name.as_ref().is_some_and(|name| is_overlay(name)) {
            kept.overlay = kept.overlay.saturating_add(1);
            continue;
        }
        if let (true, Some(name)) = (key.starts_with(LIBARCHIVE), name) {
            let schily = [SCHILY, &name].concat();
            if pairs.binary_search_by_key(&schily.as_slice(), |(key, _)| key).is_ok() {
                continue;
            }
        }
        kept.records.push(Record { key: (*key).into(), value: (*value).into() });
    }
    Ok(kept)
}

/// The attribute that a record names, where it names one.
fn name(key: &[u8]) -> Option<Cow<'_, [u8]>> {
    if let Some(name) = key.strip_prefix(SCHILY) {
        return Some(Cow::Borrowed(name));
    }
    key.strip_prefix(LIBARCHIVE).map(unescape)
}

/// libarchive writes names as in a URL; a `%` that starts no pair of hex digits stands for itself there.
fn unescape(mut escaped: &[u8]) -> Cow<'_, [u8]> {
    if !escaped.contains(&b'%') {
        return Cow::Borrowed(escaped);
    }
    let mut name = Vec::with_capacity(escaped.len());
    while let Some((byte, rest)) = escaped.split_first() {
        let pair = match (byte, rest) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match pair {
            Some((high, low)) => {
                name.push(high << 4 | low);
                escaped = rest.get(2..).unwrap_or_default();
            }
            None => {
                name.push(*byte);
                escaped = rest;
            }
        }
    }
    Cow::Owned(name)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn is_overlay(name: &[u8]) -> bool {
    name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pairs: &[(&str, &str)]) -> (Vec<String>, u64) {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())).collect();
        let kept = select(&pairs, &Limits::default()).unwrap();
        (kept.records.iter().map(|record| crate::error::escape(&record.key)).collect(), kept.overlay)
    }

    #[test]
    fn m93_schily_wins_over_libarchive_for_one_attribute() {
        let both = [
            ("LIBARCHIVE.xattr.user.a%3db", "eA=="),
            ("LIBARCHIVE.xattr.user.other", "eQ=="),
            ("SCHILY.xattr.user.a=b", "x"),
        ];
        assert_eq!(keys(&both).0, ["LIBARCHIVE.xattr.user.other", "SCHILY.xattr.user.a=b"]);
    }

    #[test]
    fn m92_overlay_attributes_never_pass_however_they_are_spelled() {
        let pairs = [
            ("LIBARCHIVE.xattr.trusted%2Eoverlay.opaque", "eQ=="),
            ("SCHILY.xattr.trusted.overlay.redirect", "/x"),
            ("SCHILY.xattr.user.overlay.opaque", "y"),
            ("SCHILY.xattr.user.overlays", "y"),
        ];
        assert_eq!(keys(&pairs), (vec!["SCHILY.xattr.user.overlays".into()], 3));
    }

    #[test]
    fn an_attribute_without_a_name_is_refused() {
        for key in ["SCHILY.xattr.", "LIBARCHIVE.xattr."] {
            let error = select(&[(key.as_bytes(), b"x")], &Limits::default()).map(|kept| kept.records.len());
            assert!(error.unwrap_err().to_string().contains("without a name"), "{key}");
        }
    }

    #[test]
    fn a_percent_that_is_no_escape_stands_for_itself() {
        assert_eq!(unescape(b"a%zz%4%41").as_ref(), b"a%zz%4A");
    }

    #[test]
    fn attributes_beyond_the_limit_are_refused() {
        let limits = Limits { xattrs: 20, ..Limits::default() };
        assert!(select(&[(b"SCHILY.xattr.user.a", b"12")], &limits).is_err());
    }
}
