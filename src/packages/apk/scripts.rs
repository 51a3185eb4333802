//! The tar of the packages' scripts, `NAME-VERSION.CHECKSUM.post-install` each; apk 3 compresses it. In: its bytes. Out: the same members
//! without those of packages that went, each with the headers that belong to it.

use zlib_rs::{DeflateConfig, InflateConfig, ReturnCode, compress_bound, compress_slice, decompress_slice};

const BLOCK: usize = 512;

/// 15 bits of window, and 16 for gzip's header and checksum.
const GZIP: i32 = 15 + 16;

/// The tar without the members whose package, `NAME-VERSION`, `goes` names. `None` where it is no tar that apk writes: apk runs no script whose
/// package is not installed, so that it may stay as it is.
pub(super) fn tar(tar: &[u8], goes: &dyn Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(tar.len());
    let mut rest = tar;
    let mut long_name: Option<Vec<u8>> = None;
    let mut member = 0usize;
    while let Some(header) =
        rest.get(member..).and_then(|rest| rest.get(..BLOCK)).filter(|header| header.iter().any(|&byte| byte != 0))
    {
        let size = number(header.get(124..136)?)?;
        let start = member.checked_add(BLOCK)?;
        let data = rest.get(start..start.checked_add(size)?)?;
        let end = start.checked_add(size.checked_next_multiple_of(BLOCK)?)?;
        match header.get(156)? {
            b'L' => long_name = Some(text(data).to_vec()),
            b'x' => long_name = path_record(data).map(<[u8]>::to_vec).or(long_name),
            b'g' | b'K' => {}
            _ => {
                let name = long_name.take().unwrap_or_else(|| text(header.get(..100).unwrap_or_default()).to_vec());
                let (whole, after) = rest.split_at_checked(end)?;
                if !package(&name).is_some_and(goes) {
                    kept.extend_from_slice(whole);
                }
                rest = after;
                member = 0;
                continue;
            }
        }
        // A header about the next member: both go or stay.
        member = end;
    }
    kept.extend_from_slice(rest);
    Some(kept)
}

/// As [`tar`], of a tar that gzip compressed and that has at most `limit` bytes.
pub(super) fn tar_gz(bytes: &[u8], limit: usize, goes: &dyn Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let size = bytes.last_chunk().map(|size| u32::from_le_bytes(*size))?;
    let size = usize::try_from(size).ok().filter(|size| *size <= limit)?;
    let mut plain = vec![0; size];
    let (plain, code) = decompress_slice(&mut plain, bytes, InflateConfig { window_bits: GZIP });
    if code != ReturnCode::Ok || plain.len() != size {
        return None;
    }
    let kept = tar(plain, goes)?;
    let mut packed = vec![0; compress_bound(kept.len()).checked_add(BLOCK)?];
    let config = DeflateConfig { window_bits: GZIP, ..DeflateConfig::default() };
    let (packed, code) = compress_slice(&mut packed, &kept, config);
    (code == ReturnCode::Ok).then(|| packed.to_vec())
}

/// `NAME-VERSION` of a script's name.
fn package(name: &[u8]) -> Option<&[u8]> {
    name.rsplitn(3, |&byte| byte == b'.').nth(2)
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// An octal number; larger ones than octal digits have room for are no script's size.
fn number(field: &[u8]) -> Option<usize> {
    let digits = text(field).trim_ascii();
    digits.iter().try_fold(0usize, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        value.checked_mul(8)?.checked_add(usize::from(digit))
    })
}

/// The path that a PAX header gives the next member.
fn path_record(mut records: &[u8]) -> Option<&[u8]> {
    let mut path = None;
    while !records.is_empty() {
        let space = records.iter().position(|&byte| byte == b' ')?;
        let digits = std::str::from_utf8(records.get(..space)?).ok()?;
        let (record, after) = records.split_at_checked(digits.parse().ok().filter(|length| *length > space)?)?;
        if let Some(value) = record.get(space..)?.strip_prefix(b" path=") {
            path = value.strip_suffix(b"\n");
        }
        records = after;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn member(name: &str, kind: u8, data: &[u8]) -> Vec<u8> {
        let mut header = [0; BLOCK];
        header[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
        header[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        header[156] = kind;
        let mut member = header.to_vec();
        member.extend_from_slice(data);
        member.resize(member.len().next_multiple_of(BLOCK), 0);
        member
    }

    fn gone(name: &[u8]) -> bool {
        name == b"gcc-13.2-r0"
    }

    #[test]
    fn a_script_goes_with_its_package_and_the_others_keep_their_bytes() {
        let stays = member("gcc-13.2-r0.1.Q1a/b+=.post-install", b'0', b"#!/bin/sh\n");
        let long = format!("{}-1.0-r0.Q1c=.pre-upgrade", "n".repeat(120));
        let pax =
            [member("x", b'x', format!("{} path={long}\n", long.len() + 10).as_bytes()), member("short", b'0', b"y")];
        let goes = member("gcc-13.2-r0.Q1d=.trigger", b'0', &[b'x'; 600]);
        let end = vec![0; 2 * BLOCK];
        let all = [&stays[..], &goes, &pax[0], &pax[1], &end].concat();
        assert_eq!(tar(&all, &gone).unwrap(), [&stays[..], &pax[0], &pax[1], &end].concat());
        let is_long = |name: &[u8]| name.starts_with(b"nnn") && name.ends_with(b"-1.0-r0");
        assert_eq!(tar(&all, &is_long).unwrap(), [&stays[..], &goes, &end].concat());
    }

    #[test]
    fn a_compressed_tar_is_compressed_again() {
        let (stays, goes) = (member("a-1.Q1=.trigger", b'0', b"x"), member("gcc-13.2-r0.Q1=.trigger", b'0', b"y"));
        let end = vec![0; 2 * BLOCK];
        let mut packed = vec![0; 4096];
        let config = DeflateConfig { window_bits: GZIP, ..DeflateConfig::default() };
        let (packed, _) = compress_slice(&mut packed, &[&stays[..], &goes, &end].concat(), config);
        let less = tar_gz(packed, 1 << 20, &gone).unwrap();
        let mut plain = vec![0; 4096];
        let (plain, code) = decompress_slice(&mut plain, &less, InflateConfig { window_bits: GZIP });
        assert_eq!((code, &*plain), (ReturnCode::Ok, &[&stays[..], &end].concat()[..]));
        assert_eq!(tar_gz(packed, 100, &gone), None);
    }

    #[test]
    fn what_is_no_tar_stays_as_it_is() {
        assert_eq!(tar(&[b'x'; 700], &gone), None);
        assert_eq!(tar(b"", &gone), Some(Vec::new()));
        assert_eq!(tar_gz(b"nonsense", 1 << 20, &gone), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..2000), at in 0usize..1500) {
            let real = member("gcc-13.2-r0.Q1=.trigger", b'x', b"12 path=abc\n");
            let _ = tar(&bytes, &gone);
            let _ = tar_gz(&bytes, 1 << 20, &gone);
            let at = at.min(bytes.len());
            bytes.splice(at..at, real);
            let _ = tar(&bytes, &gone);
        }
    }
}
