//! The outer tar, indexed: a blob of tar bytes in, its members and where their bytes lie out.
//!
//! As strict as the reader of layers (merge.md T1 to T34): what two readers would read differently is refused.
//! Reads headers only, never a member's bytes.

use super::Blob;
use crate::error::Error;
use crate::options::Limits;

const BLOCK: u64 = 512;

/// A member as its header says it.
#[derive(Debug)]
pub(super) struct RawMember {
    pub(super) name: Vec<u8>,
    pub(super) kind: RawKind,
}

/// What a member is.
#[derive(Debug)]
pub(super) enum RawKind {
    /// A regular file: its first byte in the blob, and its length.
    File(u64, u64),
    Directory,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    /// Anything else, in words.
    Other(&'static str),
}

/// Whether these bytes begin with a tar header, or with the zero blocks of an empty tar.
pub(super) fn is_tar(head: &[u8]) -> bool {
    matches!(head.first_chunk::<512>(), Some(block) if is_zero(block) || checksum_holds(block))
}

/// Calls `each` for every member, in order.
pub(super) fn members(
    tar: &Blob,
    limits: &Limits,
    mut each: impl FnMut(RawMember) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut at = 0u64;
    let mut next = Next::default();
    loop {
        let Some(block) = block(tar, at)? else { break };
        if is_zero(&block) {
            if let Some(second) = self::block(tar, at.saturating_add(BLOCK))?
                && !is_zero(&second)
            {
                return Err(bad(at, "one zero block stands between members"));
            }
            break;
        }
        if !checksum_holds(&block) {
            return Err(bad(at, "the header checksum is wrong"));
        }
        let header = tar::Header::from_byte_slice(&block);
        let kind = header.as_bytes().get(156).copied().unwrap_or_default();
        let declared =
            number(block.get(124..136).unwrap_or_default()).ok_or_else(|| bad(at, "the size is not a number"))?;
        let is_extension = matches!(kind, b'x' | b'g' | b'L' | b'K');
        let size = if is_extension { declared } else { next.size.unwrap_or(declared) };
        let body = at.saturating_add(BLOCK);
        let end = body.checked_add(size).filter(|&end| end <= tar.len()).ok_or_else(|| {
            bad(at, format!("a member of {size} bytes is cut off: the archive has {} bytes", tar.len()))
        })?;
        let following = end.checked_next_multiple_of(BLOCK).ok_or_else(|| bad(at, "the sizes overflow"))?;
        if is_extension {
            let limit = if matches!(kind, b'L' | b'K') { limits.name } else { limits.pax };
            let extension = extension(tar, body, size, limit)?;
            next.take(kind, extension).map_err(|what| bad(at, what))?;
        } else {
            let member = std::mem::take(&mut next).member(kind, header, body, size).map_err(|what| bad(at, what))?;
            for name in [Some(&member.name), member.target()].into_iter().flatten() {
                if name.len() as u64 > limits.name {
                    return Err(Error::limit(format!(
                        "a member's name has {} bytes, more than {}",
                        name.len(),
                        limits.name
                    ))
                    .hint("raise --limit name=BYTES"));
                }
            }
            each(member)?;
        }
        at = following;
    }
    if next.is_used() {
        return Err(bad(at, "an extended header stands at the end, without a member"));
    }
    Ok(())
}

impl RawMember {
    fn target(&self) -> Option<&Vec<u8>> {
        match &self.kind {
            RawKind::Symlink(target) | RawKind::HardLink(target) => Some(target),
            _ => None,
        }
    }
}

/// What extended headers say about the member that follows.
#[derive(Debug, Default)]
struct Next {
    pax: bool,
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    gnu_name: Option<Vec<u8>>,
    gnu_target: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Next {
    fn is_used(&self) -> bool {
        self.pax || self.gnu_name.is_some() || self.gnu_target.is_some()
    }

    fn take(&mut self, kind: u8, bytes: Vec<u8>) -> Result<(), String> {
        match kind {
            b'x' => {
                if std::mem::replace(&mut self.pax, true) {
                    return Err("two extended headers stand before one member".to_owned());
                }
                records(&bytes, |key, value| self.record(key, value))
            }
            b'g' => records(&bytes, |key, _| match key {
                b"path" | b"linkpath" | b"size" => Err("a global header names a path or a size".to_owned()),
                _ => Ok(()),
            }),
            _ => {
                let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
                let place = if kind == b'L' { &mut self.gnu_name } else { &mut self.gnu_target };
                match place.replace(text) {
                    Some(_) => Err("two long names stand before one member".to_owned()),
                    None => Ok(()),
                }
            }
        }
    }

    fn record(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        match key {
            b"path" | b"linkpath" => {
                if value.contains(&0) {
                    return Err("an extended header's path contains a NUL byte".to_owned());
                }
                let place = if key == b"path" { &mut self.name } else { &mut self.target };
                *place = (!value.is_empty()).then(|| value.to_vec());
            }
            b"size" => {
                let digits =
                    std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                let size = digits.and_then(|text| text.parse().ok()).filter(|&size: &u64| i64::try_from(size).is_ok());
                self.size = Some(size.ok_or("an extended header's size is not a number")?);
            }
            _ if key.starts_with(b"GNU.sparse.") => return Err("a member is stored sparsely".to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn member(self, kind: u8, header: &tar::Header, body: u64, size: u64) -> Result<RawMember, String> {
        for (pax, gnu) in [(&self.name, &self.gnu_name), (&self.target, &self.gnu_target)] {
            if pax.is_some() && gnu.is_some() {
                return Err("a member has both a PAX and a GNU long name".to_owned());
            }
        }
        let name = self.name.or(self.gnu_name).unwrap_or_else(|| header.path_bytes().into_owned());
        let target = self.target.or(self.gnu_target);
        let target = || target.or_else(|| header.link_name_bytes().map(|bytes| bytes.into_owned())).unwrap_or_default();
        let kind = match kind {
            b'0' | b'7' => RawKind::File(body, size),
            // Before POSIX a directory was a file whose name ends in a slash.
            0 if !name.ends_with(b"/") => RawKind::File(body, size),
            b'1' => RawKind::HardLink(target()),
            b'2' => RawKind::Symlink(target()),
            0 | b'5' => RawKind::Directory,
            b'3' => RawKind::Other("a character device"),
            b'4' => RawKind::Other("a block device"),
            b'6' => RawKind::Other("a named pipe"),
            b'S' => return Err("a member is stored sparsely".to_owned()),
            other => return Err(format!("a member has the unknown type {:?}", char::from(other))),
        };
        if size != 0 && !matches!(kind, RawKind::File(..)) {
            // T17 to T19: readers differ in whether a body follows.
            return Err("a member that is no file declares a size".to_owned());
        }
        Ok(RawMember { name, kind })
    }
}

/// Calls `each` for every PAX record `LENGTH KEY=VALUE\n`.
fn records(mut bytes: &[u8], mut each: impl FnMut(&[u8], &[u8]) -> Result<(), String>) -> Result<(), String> {
    let wrong = || "an extended header has a malformed record".to_owned();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|&byte| byte == b' ').filter(|&digits| digits < 20).ok_or_else(wrong)?;
        let digits = bytes.get(..space).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(wrong)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let len: usize = digits.parse().map_err(|_| wrong())?;
        let record =
            bytes.get(space.saturating_add(1)..len).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(wrong)?;
        let equals = record.iter().position(|&byte| byte == b'=').filter(|&at| at > 0).ok_or_else(wrong)?;
        let (key, value) = record.split_at(equals);
        each(key, value.get(1..).unwrap_or_default())?;
        bytes = bytes.get(len..).unwrap_or_default();
    }
    Ok(())
}

fn extension(tar: &Blob, at: u64, size: u64, limit: u64) -> Result<Vec<u8>, Error> {
    let len = usize::try_from(size).ok().filter(|_| size <= limit).ok_or_else(|| {
        Error::limit(format!("an extended header has {size} bytes, more than {limit}")).hint("raise --limit pax=BYTES")
    })?;
    let mut bytes = vec![0; len];
    tar.read_exact_at(&mut bytes, at).map_err(|cause| Error::io("read an extended header", cause))?;
    Ok(bytes)
}

/// The block at `at`; `None` at the end of the tar, which may come without zero blocks (T29).
fn block(tar: &Blob, at: u64) -> Result<Option<[u8; 512]>, Error> {
    if at >= tar.len() {
        return Ok(None);
    }
    if tar.len().saturating_sub(at) < BLOCK {
        return Err(bad(at, "a header is cut off"));
    }
    let mut block = [0; 512];
    tar.read_exact_at(&mut block, at).map_err(|cause| Error::io(format!("read the header at offset {at}"), cause))?;
    Ok(Some(block))
}

fn is_zero(block: &[u8; 512]) -> bool {
    block.iter().all(|&byte| byte == 0)
}

/// Whether the header's checksum is right, as unsigned or as signed bytes (T26).
fn checksum_holds(block: &[u8; 512]) -> bool {
    let Some(stored) = number(block.get(148..156).unwrap_or_default()) else { return false };
    let bytes = block.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { b' ' } else { byte });
    let unsigned: u64 = bytes.clone().map(u64::from).sum();
    let signed: i64 = bytes.map(|byte| i64::from(byte.cast_signed())).sum();
    stored == unsigned || i64::try_from(stored) == Ok(signed)
}

/// A number field: octal, blanks around it, or base-256; empty is 0 (T21 to T25). At most `i64::MAX`.
fn number(field: &[u8]) -> Option<u64> {
    let value = if let Some((&first, rest)) = field.split_first().filter(|(first, _)| **first & 0x80 != 0) {
        let start = u64::from(first & 0x7f);
        rest.iter().try_fold(start, |sum, &byte| sum.checked_mul(256)?.checked_add(u64::from(byte)))?
    } else {
        let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
        if text.is_empty() {
            return Some(0);
        }
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        digits.then(|| u64::from_str_radix(text, 8).ok())??
    };
    i64::try_from(value).is_ok().then_some(value)
}

fn bad(at: u64, what: impl std::fmt::Display) -> Error {
    Error::malformed(format!("the tar is damaged at offset {at}: {what}"))
}

#[cfg(test)]
#[path = "tar_tests.rs"]
mod tests;
