//! One 512-byte tar header block as a value.
//!
//! In: a block that is not all zeros. Out: its fields as Go's archive/tar reads them, and whether every other
//! reader does so too. Never looks at the blocks around it: extended headers are merged by `scan`.

use super::number::{is_regular, is_regular_octal, numeric, octal};
use std::borrow::Cow;

/// Bytes of a tar block.
pub(crate) const BLOCK: usize = 512;

/// A block of a tar.
pub(crate) type Block = [u8; BLOCK];

/// The layout of a header, by its magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Before POSIX: no owner names, no device numbers, no prefix.
    V7,
    /// POSIX, `ustar\0`; with PAX headers before it where there are any.
    Ustar,
    /// `ustar  \0`: times where the prefix would be.
    Gnu,
    /// POSIX with `tar\0` at the end: a shorter prefix, then times.
    Star,
}

/// A parsed header.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    pub(crate) format: Format,
    /// T32: `ustar\0` followed by another version than `00`.
    pub(crate) odd_magic: bool,
    pub(crate) typeflag: u8,
    /// Prefix and name.
    pub(crate) name: Cow<'a, [u8]>,
    pub(crate) linkname: &'a [u8],
    pub(crate) size: u64,
    pub(crate) mode: i64,
    pub(crate) uid: i64,
    pub(crate) gid: i64,
    pub(crate) mtime: i64,
    pub(crate) user: &'a [u8],
    pub(crate) group: &'a [u8],
    pub(crate) major: i64,
    pub(crate) minor: i64,
    /// Whether Go, GNU tar, bsdtar and Python read every field of this block alike.
    pub(crate) regular: bool,
}

impl<'a> Header<'a> {
    /// Reads a block, or says what is wrong with it.
    pub(crate) fn parse(block: &'a Block) -> Result<Self, &'static str> {
        let unsigned = checksum(block)?;
        let (format, odd_magic) = magic(block)?;
        let number = |at, len, flaw| numeric(field(block, at, len)).ok_or(flaw);
        let mut header = Self {
            format,
            odd_magic,
            typeflag: field(block, 156, 1).first().copied().unwrap_or_default(),
            name: Cow::Borrowed(text(field(block, 0, 100))),
            linkname: text(field(block, 157, 100)),
            size: u64::try_from(number(124, 12, "the size is not a number")?).map_err(|_| "the size is negative")?,
            mode: number(100, 8, "the mode is not a number")?,
            uid: number(108, 8, "the owner is not a number")?,
            gid: number(116, 8, "the group is not a number")?,
            mtime: number(136, 12, "the time is not a number")?,
            user: &[],
            group: &[],
            major: 0,
            minor: 0,
            regular: false,
        };
        if format == Format::V7 {
            return Ok(header);
        }
        header.user = text(field(block, 265, 32));
        header.group = text(field(block, 297, 32));
        header.major = number(329, 8, "the device is not a number")?;
        header.minor = number(337, 8, "the device is not a number")?;
        let prefix = match format {
            Format::V7 => &[],
            Format::Ustar => text(field(block, 345, 155)),
            Format::Star => {
                number(476, 12, "the access time is not a number")?;
                number(488, 12, "the change time is not a number")?;
                text(field(block, 345, 131))
            }
            Format::Gnu => prefix_in_gnu_times(block),
        };
        if !prefix.is_empty() {
            header.name = Cow::Owned([prefix, &header.name].join(&b'/'));
        }
        header.regular = unsigned && !odd_magic && has_regular_fields(block, format);
        Ok(header)
    }
}

/// The bytes of a field.
pub(crate) fn field(block: &Block, at: usize, len: usize) -> &[u8] {
    block.get(at..at.saturating_add(len)).unwrap_or_default()
}

/// The bytes up to the first NUL.
pub(crate) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// T26: the sum of all bytes, the checksum itself counted as spaces; old Suns summed signed bytes. True where
/// the sum is the unsigned one.
fn checksum(block: &Block) -> Result<bool, &'static str> {
    let stored = octal(field(block, 148, 8)).ok_or("the checksum is not a number")?;
    let (mut unsigned, mut signed) = (0i64, 0i64);
    for (index, byte) in block.iter().enumerate() {
        let byte = if (148..156).contains(&index) { b' ' } else { *byte };
        unsigned = unsigned.saturating_add(i64::from(byte));
        signed = signed.saturating_add(i64::from(byte.cast_signed()));
    }
    match stored {
        sum if sum == unsigned => Ok(true),
        sum if sum == signed => Ok(false),
        _ => Err("the checksum is wrong"),
    }
}

fn magic(block: &Block) -> Result<(Format, bool), &'static str> {
    match field(block, 257, 8) {
        b"ustar  \0" => Ok((Format::Gnu, false)),
        [b'u', b's', b't', b'a', b'r', 0, version @ ..] => {
            let star = field(block, 508, 4) == b"tar\0";
            Ok((if star { Format::Star } else { Format::Ustar }, version != b"00"))
        }
        [0, 0, 0, 0, 0, 0, 0, 0] => Ok((Format::V7, false)),
        // Go takes the rest for V7 headers, bsdtar some of it for ustar: the names would differ.
        _ => Err("the magic is unknown"),
    }
}

/// T32: Go before 1.8 wrote a prefix into GNU headers, where the times stand (golang/go#12594). Today's Go takes
/// the bytes for a prefix where they are no times and plain ASCII.
fn prefix_in_gnu_times(block: &Block) -> &[u8] {
    let is_time = |at| {
        let field = field(block, at, 12);
        field.first() == Some(&0) || numeric(field).is_some()
    };
    let prefix = text(field(block, 345, 155));
    if is_time(345) && is_time(357) || !prefix.is_ascii() { &[] } else { prefix }
}

fn has_regular_fields(block: &Block, format: Format) -> bool {
    let zero = |at, len| field(block, at, len).iter().all(|byte| *byte == 0);
    let ends_in_zeros = |at, len| {
        let field = field(block, at, len);
        field.iter().skip(text(field).len()).all(|byte| *byte == 0)
    };
    let device = |at| zero(at, 8) || is_regular(field(block, at, 8));
    is_regular_octal(field(block, 100, 8))
        && is_regular(field(block, 108, 8))
        && is_regular(field(block, 116, 8))
        && is_regular(field(block, 124, 12))
        && is_regular(field(block, 136, 12))
        && is_regular_octal(field(block, 148, 8))
        && device(329)
        && device(337)
        && [(0, 100), (157, 100), (265, 32), (297, 32)].into_iter().all(|(at, len)| ends_in_zeros(at, len))
        && zero(296, 1)
        && zero(328, 1)
        && !zero(0, 1)
        && match format {
            Format::Ustar => ends_in_zeros(345, 155) && zero(500, 12),
            Format::Gnu => zero(345, 167),
            Format::V7 | Format::Star => false,
        }
}
