//! A layer's tar from lines of text, odd names and all. In: lines as `imgstrip::rootfs::text` reads them. Out: bytes.
//!
//! Written without the crate's own encoder, which is what these tests judge. Three words more are known inside the
//! brackets: `bare` writes a hard link's header without the target's PAX records, `own` with its own values (a link
//! else repeats its target's), and `gnu` a GNU long name.

use imgstrip::rootfs::text;
use imgstrip::rootfs::{Content, Entry, EntryKind, Meta, Source, Time};
use std::collections::HashMap;
use tar::{EntryType, Header};

/// What a time is where the line gives none: each entry has another one, so a view tells which entry it shows.
pub(crate) const EPOCH: i64 = 1_000_000_000;

/// The tars of a stack, lowest first. `nonce` makes them unknown to every engine.
pub(crate) fn layers(stack: &[&str], nonce: &str) -> Vec<Vec<u8>> {
    let mut known = HashMap::new();
    stack.iter().zip(0..).map(|(lines, number)| layer(lines, number, nonce, &mut known)).collect()
}

fn layer(lines: &str, number: i64, nonce: &str, known: &mut HashMap<Vec<u8>, Meta>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let lines = lines.split("; ").filter(|line| !line.is_empty());
    for (line, seconds) in lines.zip(EPOCH + number * 100..) {
        let line = Line::parse(line, seconds, known);
        let nonce = if bytes.is_empty() && !line.gnu { nonce } else { "" };
        line.write(&mut bytes, nonce);
        known.insert(line.key(), line.meta);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

struct Line {
    name: Vec<u8>,
    kind: EntryKind,
    meta: Meta,
    link: Vec<u8>,
    gnu: bool,
}

impl Line {
    fn parse(line: &str, seconds: i64, known: &HashMap<Vec<u8>, Meta>) -> Self {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (own_words, words): (Vec<&str>, Vec<&str>) =
            rest.split(' ').partition(|word| ["[bare]", "[own]", "[gnu]"].contains(word));
        let [bare, own, gnu] = ["[bare]", "[own]", "[gnu]"].map(|word| own_words.contains(&word));
        let rest = words.join(" ");
        // The crate's form knows clean names only.
        let slash = if name.ends_with('/') { "/" } else { "" };
        let entry = text::parse(&format!("n{slash} {rest}")).unwrap_or_else(|error| panic!("{line}: {error}"));
        let [Entry { kind, mut meta, .. }] = entry.try_into().unwrap();
        let link = match &kind {
            EntryKind::HardLink(_) => unescape(rest.rsplit_once("=> ").unwrap().1),
            EntryKind::Symlink(target) => target.to_vec(),
            _ => Vec::new(),
        };
        if meta.mtime == Time::default() && !rest.contains('@') {
            meta.mtime.seconds = seconds;
        }
        if let (EntryKind::HardLink(_), false, Some(target)) = (&kind, own, known.get(&key(&link))) {
            meta = target.clone();
            if bare {
                meta.records = Default::default();
            }
        }
        Self { name: unescape(name), kind, meta, link, gnu }
    }

    fn key(&self) -> Vec<u8> {
        key(&self.name)
    }

    fn write(&self, out: &mut Vec<u8>, nonce: &str) {
        let Meta { mode, uid, gid, mtime, records, .. } = &self.meta;
        let mut pax = Vec::new();
        if !nonce.is_empty() {
            record(&mut pax, b"comment", nonce.as_bytes());
        }
        if self.gnu {
            let data = [self.name.as_slice(), b"\0"].concat();
            block(out, b"././@LongLink", EntryType::GNULongName, &data, |_| ());
        } else if self.name.len() > 100 || self.name.contains(&0) {
            record(&mut pax, b"path", &self.name);
        }
        if mtime.seconds < 0 || mtime.nanos > 0 {
            let fraction = f64::from(mtime.nanos) / 1e9;
            let text = match mtime.nanos {
                0 => mtime.seconds.to_string(),
                _ => format!("{}{}", mtime.seconds, fraction.to_string().trim_start_matches('0')),
            };
            record(&mut pax, b"mtime", text.as_bytes());
        }
        records.iter().for_each(|pair| record(&mut pax, &pair.key, &pair.value));
        if !pax.is_empty() {
            block(out, b"PaxHeaders/entry", EntryType::XHeader, &pax, |_| ());
        }
        let (kind, device, data) = match &self.kind {
            EntryKind::Directory => (EntryType::Directory, None, &[][..]),
            EntryKind::File(Content { source: Source::Owned(bytes), .. }) => (EntryType::Regular, None, bytes.as_ref()),
            EntryKind::File(_) => panic!("a line holds its bytes"),
            EntryKind::Symlink(_) => (EntryType::Symlink, None, &[][..]),
            EntryKind::HardLink(_) => (EntryType::Link, None, &[][..]),
            EntryKind::CharDevice(device) => (EntryType::Char, Some(device), &[][..]),
            EntryKind::BlockDevice(device) => (EntryType::Block, Some(device), &[][..]),
            EntryKind::Fifo => (EntryType::Fifo, None, &[][..]),
        };
        block(out, &self.name, kind, data, |header| {
            header.set_mode(u32::from(*mode));
            header.set_uid((*uid).into());
            header.set_gid((*gid).into());
            header.set_mtime(mtime.seconds.max(0).cast_unsigned());
            fill(&mut header.as_old_mut().linkname, &self.link);
            if let Some(device) = device {
                header.set_device_major(device.major).unwrap();
                header.set_device_minor(device.minor).unwrap();
            }
        });
    }
}

fn key(name: &[u8]) -> Vec<u8> {
    let start = name.iter().position(|byte| !b"./".contains(byte)).unwrap_or(name.len());
    let name = &name[start..];
    name.strip_suffix(b"/").unwrap_or(name).to_vec()
}

fn block(out: &mut Vec<u8>, name: &[u8], kind: EntryType, data: &[u8], set: impl FnOnce(&mut Header)) {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(data.len() as u64);
    fill(&mut header.as_old_mut().name, name);
    set(&mut header);
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(512), 0);
}

fn fill(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
}

/// A PAX record: its own length, which counts the digits of the length too.
fn record(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    length = rest + length.to_string().len();
    out.extend_from_slice(format!("{length} ").as_bytes());
    out.extend_from_slice(&[key, b"=", value, b"\n"].concat());
}

/// `\xNN`, as in the crate's text form.
fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

#[test]
fn the_tar_that_is_written_is_read_as_the_lines_say() {
    let stack = layers(&["d/ [0700 5:6]; d/f [user.k=a\\x0ab] = text; l => d/f"], "nonce");
    let mut archive = tar::Archive::new(&*stack[0]);
    let entries: Vec<_> = archive.entries().unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0].header().uid().unwrap(), 5);
    assert_eq!(entries[2].header().mtime().unwrap(), EPOCH.cast_unsigned() + 1);
    assert_eq!(&*entries[2].link_name_bytes().unwrap(), b"d/f");
}
