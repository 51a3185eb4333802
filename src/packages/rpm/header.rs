//! The header of an installed package, as rpm keeps it: how many entries and how many bytes of data, the entries, the data.
//!
//! In: the bytes of one row. Out: the values of the tags that are asked for. Each entry's type, offset and count is checked before it is
//! followed, and nothing is allocated for what the data cannot hold.

use crate::error::Error;
use std::collections::HashMap;

/// Tags, by their numbers in rpm's `rpmtag.h`.
pub(super) mod tag {
    pub(in super::super) const NAME: u32 = 1000;
    pub(in super::super) const VERSION: u32 = 1001;
    pub(in super::super) const RELEASE: u32 = 1002;
    pub(in super::super) const EPOCH: u32 = 1003;
    pub(in super::super) const ARCH: u32 = 1022;
    pub(in super::super) const OLD_FILE_NAMES: u32 = 1027;
    pub(in super::super) const PROVIDES: u32 = 1047;
    pub(in super::super) const REQUIRE_FLAGS: u32 = 1048;
    pub(in super::super) const REQUIRES: u32 = 1049;
    pub(in super::super) const DIR_INDEXES: u32 = 1116;
    pub(in super::super) const BASE_NAMES: u32 = 1117;
    pub(in super::super) const DIR_NAMES: u32 = 1118;
    pub(in super::super) const RECOMMENDS: u32 = 5046;
    pub(in super::super) const SUGGESTS: u32 = 5049;
    pub(in super::super) const SUPPLEMENTS: u32 = 5052;
}

const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// Bytes of an entry: tag, type, offset, count.
const ENTRY: usize = 16;

/// Entries of a header; rpm stops there (`hdrchkTags`).
const ENTRIES: usize = 0xffff;

/// Strings of one tag. Without a limit, a tag whose strings are all empty would take 16 times its bytes of memory.
const STRINGS: usize = 1 << 20;

/// A header whose frame is sound.
#[derive(Debug)]
pub(super) struct Header<'a> {
    /// Type, offset and count of each tag.
    entries: HashMap<u32, [u32; 3]>,
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads the frame.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let (sizes, rest) = bytes.split_first_chunk::<8>().ok_or_else(broken)?;
        let [count, length] =
            [number(sizes.get(..4))?, number(sizes.get(4..))?].map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        let index = count.checked_mul(ENTRY).filter(|_| count <= ENTRIES).ok_or_else(broken)?;
        let (index, data) = rest.split_at_checked(index).filter(|(_, data)| data.len() == length).ok_or_else(broken)?;
        let mut entries = HashMap::with_capacity(count);
        for entry in index.chunks_exact(ENTRY) {
            let tag = number(entry.get(..4))?;
            let place = [number(entry.get(4..8))?, number(entry.get(8..12))?, number(entry.get(12..16))?];
            // The region that was signed comes first: what was added at installation does not replace it.
            entries.entry(tag).or_insert(place);
        }
        Ok(Self { entries, data })
    }

    /// The one string of a tag.
    pub(super) fn string(&self, tag: u32) -> Result<Option<&'a [u8]>, Error> {
        let Some((kind, bytes, _)) = self.place(tag)? else { return Ok(None) };
        match kind {
            STRING | STRING_ARRAY | I18N_STRING => Ok(Some(split(bytes)?.0)),
            _ => Err(broken()),
        }
    }

    /// All strings of a tag, in order; none where it is not there.
    pub(super) fn strings(&self, tag: u32) -> Result<Vec<&'a [u8]>, Error> {
        let Some((kind, mut bytes, count)) = self.place(tag)? else { return Ok(Vec::new()) };
        if !matches!(kind, STRING | STRING_ARRAY | I18N_STRING) || count > bytes.len().min(STRINGS) {
            return Err(broken());
        }
        let mut strings = Vec::with_capacity(count);
        for _ in 0..count {
            let (string, rest) = split(bytes)?;
            strings.push(string);
            bytes = rest;
        }
        Ok(strings)
    }

    /// All numbers of a tag, in order; none where it is not there.
    pub(super) fn numbers(&self, tag: u32) -> Result<Vec<u32>, Error> {
        let Some((kind, bytes, count)) = self.place(tag)? else { return Ok(Vec::new()) };
        let bytes = count.checked_mul(4).and_then(|length| bytes.get(..length)).filter(|_| kind == INT32);
        bytes.ok_or_else(broken)?.chunks_exact(4).map(|bytes| number(Some(bytes))).collect()
    }

    fn place(&self, tag: u32) -> Result<Option<Place<'a>>, Error> {
        let Some([kind, offset, count]) = self.entries.get(&tag) else { return Ok(None) };
        let bytes = usize::try_from(*offset).ok().and_then(|offset| self.data.get(offset..)).ok_or_else(broken)?;
        Ok(Some((*kind, bytes, usize::try_from(*count).map_err(|_| broken())?)))
    }
}

/// Type, data from the offset on, and count of a tag.
type Place<'a> = (u32, &'a [u8], usize);

/// A number, which is big-endian.
fn number(bytes: Option<&[u8]>) -> Result<u32, Error> {
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(broken)?;
    Ok(u32::from_be_bytes(bytes))
}

/// A string, and what follows its NUL.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let end = bytes.iter().position(|&byte| byte == 0).ok_or_else(broken)?;
    let (string, rest) = bytes.split_at_checked(end).ok_or_else(broken)?;
    Ok((string, rest.get(1..).unwrap_or_default()))
}

fn broken() -> Error {
    Error::malformed("a header of the rpm database is broken")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A value of a tag.
    pub(in super::super) enum Value<'a> {
        One(&'a str),
        Many(&'a [&'a str]),
        Numbers(&'a [u32]),
    }

    /// A header as rpm writes it.
    pub(in super::super) fn header(values: &[(u32, Value<'_>)]) -> Vec<u8> {
        let (mut index, mut data) = (Vec::new(), Vec::new());
        for (tag, value) in values {
            while matches!(value, Value::Numbers(_)) && data.len() % 4 > 0 {
                data.push(0);
            }
            let offset = data.len();
            let (kind, count) = match value {
                Value::One(text) => {
                    data.extend([text.as_bytes(), &[0]].concat());
                    (STRING, 1)
                }
                Value::Many(texts) => {
                    texts.iter().for_each(|text| data.extend([text.as_bytes(), &[0]].concat()));
                    (STRING_ARRAY, texts.len())
                }
                Value::Numbers(numbers) => {
                    numbers.iter().for_each(|number| data.extend(number.to_be_bytes()));
                    (INT32, numbers.len())
                }
            };
            for number in [*tag, kind, u32::try_from(offset).unwrap(), u32::try_from(count).unwrap()] {
                index.extend(number.to_be_bytes());
            }
        }
        let sizes = [index.len() / ENTRY, data.len()].map(|size| u32::try_from(size).unwrap().to_be_bytes());
        [&sizes[0][..], &sizes[1], &index, &data].concat()
    }

    fn toy() -> Vec<u8> {
        header(&[
            (tag::NAME, Value::One("toy")),
            (tag::REQUIRES, Value::Many(&["libc.so.6()(64bit)", "/bin/sh"])),
            (tag::REQUIRE_FLAGS, Value::Numbers(&[0, 1 << 24])),
        ])
    }

    #[test]
    fn values_come_out_as_they_went_in() {
        let bytes = toy();
        let header = Header::read(&bytes).unwrap();
        assert_eq!(header.string(tag::NAME).unwrap(), Some(&b"toy"[..]));
        assert_eq!(header.strings(tag::REQUIRES).unwrap(), [&b"libc.so.6()(64bit)"[..], b"/bin/sh"]);
        assert_eq!(header.numbers(tag::REQUIRE_FLAGS).unwrap(), [0, 1 << 24]);
        assert_eq!(header.string(tag::ARCH).unwrap(), None);
        assert!(header.numbers(tag::NAME).is_err() && header.strings(tag::REQUIRE_FLAGS).is_err());
    }

    #[test]
    fn a_count_that_the_data_cannot_hold_is_refused_before_anything_is_allocated() {
        let mut bytes = toy();
        bytes[8 + ENTRY + 12..8 + 2 * ENTRY].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(Header::read(&bytes).unwrap().strings(tag::REQUIRES).is_err());
        bytes[..4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(Header::read(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0usize..200, byte: u8, cut in 0usize..200) {
            let mut bytes = toy();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut.saturating_sub(100).min(length));
            if let Ok(header) = Header::read(&bytes) {
                for tag in [tag::NAME, tag::REQUIRES, tag::REQUIRE_FLAGS] {
                    let _ = (header.string(tag), header.strings(tag), header.numbers(tag));
                }
            }
        }
    }
}
