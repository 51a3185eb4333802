//! The tar header blocks of one entry, made from its metadata: ustar, and one PAX header before it for what does
//! not fit.
//!
//! In: a path and an inode. Out: bytes that depend on nothing else; the content and its padding are the caller's.
//! Never a GNU extension, never a name outside the root, never a whiteout that was not asked for. A name that is no ASCII stands raw
//! in the ustar field where it fits: all readers take it from there, while PAX declares it to be UTF-8, and bsdtar refuses it in a locale
//! that cannot spell it, composes its letters (`e\u{308}` becomes `\u{eb}`) and loses a link target that is none. Only a longer one
//! stands there, under `hdrcharset=BINARY`, which GNU tar tells that it ignores.

use crate::error::{Error, escape};
use crate::rootfs::{Content, Device, InodeKind, Meta, RootPath, Source, Time};
use std::borrow::Cow;
use std::sync::Arc;
use tar::{EntryType, Header};

/// The size of a tar block.
pub(super) const BLOCK: u64 = 512;

/// What an octal field of eight bytes holds at most.
const MAX_SHORT: u64 = (1 << 21) - 1;
/// What an octal field of twelve bytes holds at most.
const MAX_LONG: u64 = (1 << 33) - 1;
/// The longest PAX header that Go's archive/tar reads (CVE-2022-2879).
const MAX_PAX: usize = 1 << 20;
const WHITEOUT: &[u8] = b".wh.";
/// Says that names are bytes: for libarchive, which else takes them for UTF-8 and composes their letters.
const CHARSET: &[u8] = b"hdrcharset";

/// One PAX header under construction.
#[derive(Debug, Default)]
struct Pax<'a>(Vec<(&'a [u8], Cow<'a, [u8]>)>);

/// The header blocks of an entry. `link` is the name that a hard link to this inode points to; no time is later
/// than `clamp`, in seconds since 1970.
///
/// A hard link carries the attributes of its inode too: Docker and containerd apply the owner of a link's header,
/// the kernel clears `security.capability` then, and only the link's own record brings it back.
pub(crate) fn headers(
    path: &RootPath,
    kind: &InodeKind,
    meta: &Meta,
    link: Option<&RootPath>,
    clamp: Option<i64>,
) -> Result<Vec<u8>, Error> {
    if is_mark(path) {
        return Err(Error::malformed("its name would be read as a whiteout").at_entry(path.as_bytes()));
    }
    encode(path, kind, meta, link, clamp).map_err(|error| error.at_entry(path.as_bytes()))
}

/// The header block of the mark that `path` of the layers below is gone: an empty file without rights, owner 0, 1970.
pub(crate) fn whiteout(path: &RootPath) -> Result<Vec<u8>, Error> {
    let refuse = |what| Err(Error::unsupported(what).at_entry(path.as_bytes()));
    let Some((parent, name)) = path.split_last() else { return refuse("the root directory cannot be whited out") };
    if is_mark(path) {
        // `.wh..wh.` begins a name of AUFS's own (M27).
        return refuse("no whiteout can name a directory of the kept base that is called as a whiteout is");
    }
    let kind = InodeKind::File(Content { size: 0, source: Source::Owned(Arc::default()) });
    let mark = parent.join(&[WHITEOUT, name].concat());
    encode(&mark, &kind, &Meta::default(), None, None).map_err(|error| error.at_entry(mark.as_bytes()))
}

fn is_mark(path: &RootPath) -> bool {
    path.components().next_back().is_some_and(|name| name.starts_with(WHITEOUT))
}

fn encode(
    path: &RootPath,
    kind: &InodeKind,
    meta: &Meta,
    link: Option<&RootPath>,
    clamp: Option<i64>,
) -> Result<Vec<u8>, Error> {
    let (entry_type, target) = match (link, kind) {
        (Some(link), _) => (EntryType::Link, link.as_bytes()),
        (None, InodeKind::File(_)) => (EntryType::Regular, &b""[..]),
        (None, InodeKind::Directory) => (EntryType::Directory, &b""[..]),
        (None, InodeKind::Symlink(target)) => (EntryType::Symlink, &**target),
        (None, InodeKind::CharDevice(_)) => (EntryType::Char, &b""[..]),
        (None, InodeKind::BlockDevice(_)) => (EntryType::Block, &b""[..]),
        (None, InodeKind::Fifo) => (EntryType::Fifo, &b""[..]),
        (None, InodeKind::Lower(target)) => {
            return Err(Error::malformed(format!("the hard link's target {target} does not exist")));
        }
    };
    if path.is_root() && entry_type != EntryType::Directory {
        return Err(Error::malformed("the root of the filesystem is not a directory"));
    }
    if target.is_empty() && matches!(entry_type, EntryType::Link | EntryType::Symlink) {
        return Err(Error::malformed("the link has no target"));
    }

    let mut header = Header::new_ustar();
    let mut pax = Pax::default();
    header.set_entry_type(entry_type);
    header.set_mode(u32::from(meta.mode) & 0o7777);
    let name: Cow<'_, [u8]> = match entry_type {
        EntryType::Directory if path.is_root() => Cow::Borrowed(b"./"),
        EntryType::Directory => Cow::Owned([path.as_bytes(), b"/"].concat()),
        _ => Cow::Borrowed(path.as_bytes()),
    };
    set_name(&mut header, &mut pax, &name)?;
    set_numbers(&mut header, &mut pax, meta, clamp);
    let size = if link.is_some() { 0 } else { kind.size() };
    header.set_size(pax.number(b"size", size, MAX_LONG));
    let ustar = header.as_ustar_mut().ok_or_else(|| Error::malformed("not a ustar header"))?;
    pax.text(b"linkpath", target, &mut ustar.linkname, 100)?;
    if !target.is_empty() && ustar.linkname.first() == Some(&0) {
        // libarchive 3.6 loses the PAX target where this field is empty: bsdtar makes an empty file of a symlink.
        let stub = ascii(target);
        copy(&mut ustar.linkname, if stub.is_empty() { b"_" } else { &stub });
    }
    // POSIX wants these two to end in a NUL, unlike the others.
    pax.text(b"uname", &meta.owner.user, &mut ustar.uname, 31)?;
    pax.text(b"gname", &meta.owner.group, &mut ustar.gname, 31)?;
    let device = match kind {
        InodeKind::CharDevice(Device { major: 0, minor: 0 }) => {
            return Err(Error::malformed("a character device 0:0 would be read as a whiteout"));
        }
        InodeKind::CharDevice(device) | InodeKind::BlockDevice(device) if link.is_none() => *device,
        _ => Device { major: 0, minor: 0 },
    };
    ustar.dev_major = pax.device(b"SCHILY.devmajor", device.major);
    ustar.dev_minor = pax.device(b"SCHILY.devminor", device.minor);
    header.set_cksum();

    let mut bytes = pax.finish(path, meta)?;
    bytes.extend_from_slice(header.as_bytes());
    Ok(bytes)
}

/// Owner, group and time.
fn set_numbers<'a>(header: &mut Header, pax: &mut Pax<'a>, meta: &'a Meta, clamp: Option<i64>) {
    header.set_uid(pax.number(b"uid", meta.uid.into(), MAX_SHORT));
    header.set_gid(pax.number(b"gid", meta.gid.into(), MAX_SHORT));
    let clamp = clamp.map(|seconds| Time { seconds, nanos: 0 });
    let mtime = clamp.map_or(meta.mtime, |clamp| clamp.min(meta.mtime));
    match u64::try_from(mtime.seconds) {
        Ok(seconds) if seconds <= MAX_LONG => {
            header.set_mtime(seconds);
            if mtime.nanos != 0 {
                pax.push(b"mtime", decimal(mtime));
            }
        }
        _ => pax.push(b"mtime", decimal(mtime)),
    }
}

/// The name, split at a slash if it is too long for its field, else in the PAX header.
fn set_name<'a>(header: &mut Header, pax: &mut Pax<'a>, name: &[u8]) -> Result<(), Error> {
    let ustar = header.as_ustar_mut().ok_or_else(|| Error::malformed("not a ustar header"))?;
    if let Some((prefix, rest)) = split(name) {
        copy(&mut ustar.prefix, prefix);
        copy(&mut ustar.name, rest);
        return Ok(());
    }
    pax.text(b"path", name, &mut ustar.name, 100)?;
    // What a reader without PAX shows; a slash at its end would make a file a directory.
    let mut stub = ascii(name);
    stub.truncate(100);
    while stub.last() == Some(&b'/') {
        stub.pop();
    }
    copy(&mut ustar.name, if stub.is_empty() { b"_" } else { &stub });
    Ok(())
}

/// Prefix and name as the ustar fields hold them.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= 100 {
        return Some((b"", name));
    }
    let inner = name.strip_suffix(b"/").unwrap_or(name);
    let slash = inner.iter().take(156).rposition(|&byte| byte == b'/')?;
    let (prefix, rest) = (name.get(..slash)?, name.get(slash.checked_add(1)?..)?);
    (!prefix.is_empty() && rest.len() <= 100).then_some((prefix, rest))
}

fn ascii(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(u8::is_ascii).collect()
}

fn copy(field: &mut [u8], text: &[u8]) {
    for (to, from) in field.iter_mut().zip(text) {
        *to = *from;
    }
}

/// Seconds with a fraction as POSIX writes them: toward zero, so -2 s and half a second forward is `-1.5`.
fn decimal(time: Time) -> Vec<u8> {
    let Time { seconds, nanos } = time;
    if nanos == 0 {
        return seconds.to_string().into_bytes();
    }
    let text = if seconds < 0 {
        let whole = seconds.saturating_add(1).unsigned_abs();
        format!("-{whole}.{:09}", 1_000_000_000_u32.saturating_sub(nanos))
    } else {
        format!("{seconds}.{nanos:09}")
    };
    text.trim_end_matches('0').into()
}

impl<'a> Pax<'a> {
    fn push(&mut self, key: &'a [u8], value: Vec<u8>) {
        self.0.push((key, Cow::Owned(value)));
    }

    /// What the octal field holds: the number, or 0 if the number must stand here.
    fn number(&mut self, key: &'a [u8], number: u64, max: u64) -> u64 {
        if number <= max {
            return number;
        }
        self.push(key, number.to_string().into_bytes());
        0
    }

    /// Puts a text into its field, or here if that cannot hold it.
    fn text(&mut self, key: &'a [u8], text: &[u8], field: &mut [u8], room: usize) -> Result<(), Error> {
        if text.contains(&0) {
            let what = format!("its {} contains a NUL byte, which Go's readers refuse", escape(key));
            return Err(Error::malformed(what));
        }
        if text.len() <= room {
            copy(field, text);
        } else {
            if !text.is_ascii() && self.0.iter().all(|(key, _)| *key != CHARSET) {
                self.push(CHARSET, b"BINARY".to_vec());
            }
            self.push(key, text.to_vec());
        }
        Ok(())
    }

    /// A device number. Go reads only the field, so that a large one is said there in base 256 as well: a field
    /// of zeros would make the device a whiteout.
    fn device(&mut self, key: &'a [u8], number: u32) -> [u8; 8] {
        if u64::from(number) > MAX_SHORT {
            self.push(key, number.to_string().into_bytes());
            let [a, b, c, d] = number.to_be_bytes();
            return [0x80, 0, 0, 0, a, b, c, d];
        }
        let mut field = [0; 8];
        copy(&mut field, format!("{number:07o}").as_bytes());
        field
    }

    /// The blocks of the PAX header, empty if nothing needs one; the records of the inode as they are.
    fn finish(mut self, path: &RootPath, meta: &'a Meta) -> Result<Vec<u8>, Error> {
        for record in &*meta.records {
            if record.key.is_empty() || record.key.iter().any(|byte| matches!(byte, b'=' | 0)) {
                let what = format!("the PAX record \"{}\" has a key that cannot be written", escape(&record.key));
                return Err(Error::malformed(what));
            }
            self.0.push((&record.key, Cow::Borrowed(&record.value)));
        }
        self.0.sort_by(|a, b| a.0.cmp(b.0));
        if let Some(((key, _), _)) = self.0.iter().zip(self.0.iter().skip(1)).find(|(a, b)| a.0 == b.0) {
            return Err(Error::malformed(format!("the PAX record \"{}\" stands twice", escape(key))));
        }
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let mut body = Vec::new();
        for (key, value) in &self.0 {
            record(&mut body, key, value);
        }
        if body.len() > MAX_PAX {
            let what = format!("its attributes need {} bytes, more than the 1 MiB that Go's readers take", body.len());
            return Err(Error::unsupported(what));
        }
        let name = path.components().next_back().unwrap_or(b"_");
        let mut name = [b"PaxHeaders/", &*ascii(name)].concat();
        name.truncate(100);
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::XHeader);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(body.len() as u64);
        let ustar = header.as_ustar_mut().ok_or_else(|| Error::malformed("not a ustar header"))?;
        copy(&mut ustar.name, &name);
        copy(&mut ustar.dev_major, b"0000000");
        copy(&mut ustar.dev_minor, b"0000000");
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.append(&mut body);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        Ok(bytes)
    }
}

/// `LEN KEY=VALUE\n`, where LEN counts its own digits.
fn record(body: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len().saturating_add(value.len()).saturating_add(3);
    let mut len = rest;
    while len != rest.saturating_add(digits(len)) {
        len = rest.saturating_add(digits(len));
    }
    body.extend_from_slice(format!("{len} ").as_bytes());
    body.extend_from_slice(key);
    body.push(b'=');
    body.extend_from_slice(value);
    body.push(b'\n');
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log.saturating_add(1) as usize)
}

#[cfg(test)]
mod read_back;
#[cfg(test)]
mod tests;
