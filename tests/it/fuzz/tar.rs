//! The tar reader: what it accepts, Go reads alike, down to each file's bytes; a blob and a stream are read alike; what may be copied verbatim
//! is that entry again when it stands alone; a limit that is met is no error, and one that is exceeded is one.
//!
//! In: a layer as text (`# ` first), a tar, whose checksums are set right, or bytes that choose entries with odd headers.

use super::choices::Choices;
use super::go;
use crate::lines;
use crate::tar::Raw;
use imgstrip::archive::Blob;
use imgstrip::error::{Error, ErrorKind};
use imgstrip::layer::{BlobInput, ScanEnd, StreamInput, TarInput, scan};
use imgstrip::options::Limits;
use imgstrip::rootfs::{Content, Entry, EntryKind, LayerId, RootPath, Source};
use imgstrip::warning::Warnings;
use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::sync::Arc;

pub fn check(bytes: &[u8]) -> bool {
    match form(bytes) {
        Form::Regular(tar) => {
            let read = agrees(&tar);
            assert!(read.is_ok(), "a regular tar is refused: {read:?}");
            true
        }
        Form::Any(tar) => agrees(&tar).is_ok(),
        Form::None => false,
    }
}

enum Form {
    /// It must be accepted.
    Regular(Vec<u8>),
    Any(Vec<u8>),
    None,
}

fn form(bytes: &[u8]) -> Form {
    if bytes.starts_with(b"# ") {
        return text(bytes).map_or(Form::None, Form::Regular);
    }
    if bytes.len() >= 512 && bytes[257..].starts_with(b"ustar") {
        return Form::Any(with_checksums(bytes));
    }
    let choices = &mut Choices(bytes);
    let odd = choices.byte() % 4 != 0;
    let mut tar = Vec::new();
    for number in 0..choices.few(6) {
        tar.extend(entry(choices, number, odd));
    }
    tar.extend([0; 1024]);
    if odd {
        end(choices, &mut tar);
    }
    if odd { Form::Any(tar) } else { Form::Regular(tar) }
}

/// The tar of a layer in text form; nothing where the text is none, or names an entry that no tar may hold.
pub fn text(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let lines = lines::lines(text);
    let entries: Vec<Entry> =
        lines.iter().map(|line| imgstrip::rootfs::text::parse(line)).collect::<Result<Vec<_>, _>>().ok()?.concat();
    let fits = |entry: &Entry| {
        let link = match &entry.kind {
            EntryKind::Symlink(target) => !target.is_empty() && !target.contains(&0),
            EntryKind::HardLink(target) => !target.is_root() && !target.as_bytes().contains(&0),
            _ => true,
        };
        // A header holds its kind's name in 100 bytes, and a record no key with a `=` or a NUL.
        link && entry
            .meta
            .records
            .iter()
            .all(|record| record.key.len() > 13 && record.key[13..].iter().all(|byte| !matches!(byte, b'=' | 0)))
    };
    // A name that ends in a slash is a directory's, whatever follows.
    let clean = lines.iter().zip(&entries).all(|(line, entry)| {
        let name = line.split(' ').next().unwrap_or_default();
        !name.contains('\\') && (!name.ends_with('/') || entry.kind == EntryKind::Directory)
    });
    (clean && entries.len() == lines.len() && entries.iter().all(fits)).then(|| lines::layer(text))
}

/// The tar with the checksum of whatever stands where a header would.
pub fn with_checksums(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    let mut at = 0;
    while at + 512 <= tar.len() {
        if tar[at..at + 512] == [0; 512] {
            break;
        }
        sum(&mut tar[at..at + 512]);
        let size = std::str::from_utf8(&tar[at + 124..at + 135]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size.trim_matches([' ', '\0']), 8).ok()).unwrap_or(0);
        at = at.saturating_add(512).saturating_add(size).checked_next_multiple_of(512).unwrap_or(usize::MAX);
        if at > tar.len() {
            break;
        }
    }
    tar
}

pub fn sum(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

const NAMES: [&[u8]; 10] =
    [b"a", b"a/b", b"./a/b", b"a/b/c", b"d/.wh.a", b"d/.wh..wh..opq", b"/a//b/", b"x/../y", b"a\xff b", b"../up"];

fn entry(choices: &mut Choices<'_>, number: usize, odd: bool) -> Vec<u8> {
    let kind = choices.of(b"0000552167340");
    let mut name = if odd { choices.of(&NAMES).to_vec() } else { format!("{number}/{}", choices.few(3)).into_bytes() };
    if choices.rarely(8) {
        name.extend([b'n'; 200].iter().take(choices.few(201)));
    }
    let mut raw = Raw::new(&name, kind);
    if matches!(kind, b'1' | b'2') {
        raw.link = choices.of(&[&b"a"[..], b"../a/b", b"/a/b", &[b'l'; 150], b"x/../y"]).to_vec();
    }
    if matches!(kind, b'0' | b'7') {
        raw.body = choices.bytes(40).repeat(choices.few(32));
    }
    if matches!(kind, b'3' | b'4') {
        raw.device = (choices.number() % 5000, choices.number() % 5000);
    }
    raw.mode = (choices.number() & 0o7777) as u32;
    raw.uid = choices.number() & 0xffff_ffff;
    raw.gid = choices.number() & 0xffff_ffff;
    raw.mtime = (choices.number() as u32 as i32 as i64, u32::from(choices.byte()) * 1000);
    if choices.rarely(4) {
        raw = raw.pax(&[b"SCHILY.xattr.user.", &b"k"[..]].concat(), &choices.bytes(20));
    }
    if !odd {
        return raw.bytes();
    }
    let mut out = Vec::new();
    while choices.rarely(4) {
        out.extend(before(choices));
    }
    let mut bytes = raw.bytes();
    for _ in 0..choices.few(3) {
        oddity(choices, &mut bytes);
    }
    out.extend(bytes);
    out
}

/// A header that says something of the next entry.
fn before(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut raw = Raw::new(b"././@LongLink", choices.of(b"LKxgLx"));
    if choices.rarely(2) {
        raw.magic = *b"ustar  \0";
    }
    raw.body = match raw.typeflag {
        b'L' | b'K' => {
            let mut long = choices.of(&NAMES).repeat(choices.few(40));
            if !choices.rarely(4) {
                long.push(0);
            }
            long
        }
        _ => super::pax::body(choices),
    };
    raw.bytes()
}

/// Something in the header, or in one of the two where a PAX header stands before it, is not as it was.
fn oddity(choices: &mut Choices<'_>, bytes: &mut [u8]) {
    const FIELDS: [(usize, usize); 14] = [
        (100, 8),
        (108, 8),
        (116, 8),
        (124, 12),
        (136, 12),
        (329, 8),
        (337, 8),
        (345, 12),
        (357, 12),
        (476, 12),
        (483, 12),
        (386, 12),
        (398, 12),
        (0, 100),
    ];
    let header = match bytes[156] {
        b'x' if choices.rarely(2) => bytes.len() - 512,
        _ => 0,
    };
    match choices.few(8) {
        0 | 1 => {
            let (at, len) = choices.of(&FIELDS);
            let number = choices.number();
            let mut field = match choices.few(8) {
                0 => format!("{number:o}").into_bytes(),
                1 => format!(" {number:o} \0").into_bytes(),
                2 => format!("{number:0len$o}").into_bytes(),
                3 => [vec![0x80; 1], vec![0; len - 9.min(len)], number.to_be_bytes().to_vec()].concat(),
                4 => [vec![0xff; len.saturating_sub(8)], (!number).to_be_bytes().to_vec()].concat(),
                5 => Vec::new(),
                6 => b"\x00\x00777\x009".to_vec(),
                _ => choices.bytes(12),
            };
            field.resize(len, 0);
            bytes[header + at..header + at + len].copy_from_slice(&field);
        }
        2 => {
            let magic = choices.of(&[*b"ustar  \0", [0; 8], *b"ustar\x0001", *b"ustar\0  ", *b"GNUtar \0"]);
            bytes[header + 257..header + 265].copy_from_slice(&magic);
        }
        3 => bytes[header + 508..header + 512].copy_from_slice(b"tar\0"),
        4 => bytes[header + 156] = choices.of(b"\x000123456789SxgLKVDMN\xff"),
        5 => {
            let prefix = choices.of(&[&b"prefix"[..], b"../..", b"\xff", b"00000000000"]);
            bytes[header + 345..header + 345 + prefix.len()].copy_from_slice(prefix);
        }
        6 => {
            let at = header + choices.below(512);
            bytes[at] = choices.byte();
        }
        _ => {
            // What fills the last block is not zeros.
            let last = bytes.len() - 1;
            bytes[last] ^= u8::from(last >= 512) * 7;
        }
    }
    if bytes[header..header + 512] != [0; 512] {
        sum(&mut bytes[header..header + 512]);
    }
}

fn end(choices: &mut Choices<'_>, tar: &mut Vec<u8>) {
    match choices.few(10) {
        0 => tar.truncate(tar.len() - 1024),
        1 => tar.truncate(tar.len() - 512),
        2 => tar.extend(b"garbage"),
        3 => tar.truncate(choices.below(tar.len() + 1)),
        4 => tar.truncate(tar.len() - 1024 - choices.below(512).min(tar.len() - 1024)),
        5 => {
            let at = choices.below(tar.len() / 512) * 512;
            tar.splice(at..at, [0; 512]);
        }
        _ => {}
    }
}

pub type Scanned = (Vec<Entry>, ScanEnd, Warnings);

fn scanned(input: &mut impl TarInput, limits: &Limits) -> Result<Scanned, Error> {
    let (mut entries, mut warnings) = (Vec::new(), Warnings::default());
    let end = scan(input, LayerId(0), limits, &mut warnings, &mut |entry| {
        entries.push(entry);
        Ok(())
    })?;
    Ok((entries, end, warnings))
}

pub fn of_blob(tar: &[u8], limits: &Limits) -> Result<Scanned, Error> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(tar).unwrap();
    let blob = Blob::new(Arc::new(file), 0, tar.len() as u64);
    scanned(&mut BlobInput::new(&blob), limits)
}

/// As a decoder gives it: a few bytes at a time.
fn of_stream(tar: &[u8], room: usize, limits: &Limits) -> Result<Scanned, Error> {
    struct Short<'a>(&'a [u8], usize);
    impl Read for Short<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let len = buffer.len().min(self.1);
            self.0.read(&mut buffer[..len])
        }
    }
    let reader = BufReader::with_capacity(room.max(1), Short(tar, room.max(1)));
    scanned(&mut StreamInput::new(reader), limits)
}

/// The tar as the crate reads it, after all that can be said of that was.
pub fn agrees(tar: &[u8]) -> Result<Vec<Entry>, Error> {
    let limits = Limits::default();
    let read = of_blob(tar, &limits);
    for room in [1 + tar.len() % 700, 1 << 16] {
        match (&read, of_stream(tar, room, &limits)) {
            (Ok(blob), Ok(stream)) => assert!(*blob == stream, "{blob:?}, as a stream {stream:?}"),
            (Err(blob), Err(stream)) => assert_eq!(blob.to_string(), stream.to_string()),
            (blob, stream) => panic!("{blob:?}, as a stream {stream:?}"),
        }
    }
    let (entries, end, _) = read?;
    let go = go::read(tar).unwrap_or_else(|| panic!("Go refuses what was read as {entries:?}"));
    assert_eq!((entries.len(), end.entries), (go.len(), go.len() as u64), "{entries:?} {go:?}");
    for (ours, gos) in entries.iter().zip(&go) {
        same(ours, gos);
    }
    for entry in &entries {
        alone(tar, entry);
    }
    limited(tar, &entries);
    Ok(entries)
}

fn same(ours: &Entry, gos: &go::Entry) {
    let meta = &ours.meta;
    assert_eq!(ours.path, RootPath::clamped(&gos.name), "{gos:?}");
    assert_eq!((i64::from(meta.uid), i64::from(meta.gid)), gos.owner, "{gos:?}");
    assert_eq!((i64::from(meta.mode), meta.mtime.seconds), (gos.mode & 0o7777, gos.seconds), "{gos:?}");
    assert_eq!((meta.owner.user.to_vec(), meta.owner.group.to_vec()), gos.names);
    let xattrs = meta.records.iter().filter_map(|record| {
        let name = record.key.strip_prefix(b"SCHILY.xattr.")?;
        Some((name.to_vec(), record.value.to_vec()))
    });
    let of_overlay = |name: &&Vec<u8>| name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.");
    let expected: BTreeMap<_, _> = gos
        .xattrs
        .iter()
        .filter(|(name, _)| !of_overlay(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    assert_eq!(xattrs.collect::<BTreeMap<_, _>>(), expected);
    let device = (i64::from(0u8), 0);
    let (flags, link, device): (&[u8], &[u8], (i64, i64)) = match &ours.kind {
        EntryKind::File(content) => {
            assert_eq!((content.size as i64, runs(content)), (gos.size, gos.data.clone()), "{gos:?}");
            (b"07S", b"", device)
        }
        EntryKind::Directory => (b"5", b"", device),
        EntryKind::Symlink(target) => (b"2", target, device),
        EntryKind::HardLink(target) => {
            assert_eq!(*target, RootPath::clamped(&gos.link));
            (b"1", &gos.link, device)
        }
        EntryKind::CharDevice(numbers) => (b"3", b"", (numbers.major.into(), numbers.minor.into())),
        EntryKind::BlockDevice(numbers) => (b"4", b"", (numbers.major.into(), numbers.minor.into())),
        EntryKind::Fifo => (b"6", b"", device),
    };
    assert!(flags.contains(&gos.typeflag), "{ours:?} {gos:?}");
    if matches!(gos.typeflag, b'1' | b'2') {
        assert_eq!(link, gos.link);
    }
    if matches!(gos.typeflag, b'3' | b'4') {
        assert_eq!(device, gos.device);
    }
}

/// Runs of data; those that touch, in the file and in the tar, are one.
fn runs(content: &Content) -> Vec<go::Data> {
    match &content.source {
        Source::Layer(_, _) if content.size == 0 => Vec::new(),
        Source::Layer(_, offset) => vec![go::Data { at: 0, len: content.size, offset: *offset }],
        Source::Sparse(_, extents) => {
            extents.iter().map(|run| go::Data { at: run.at, len: run.len, offset: run.offset }).collect()
        }
        other => panic!("a layer's bytes lie in the layer: {other:?}"),
    }
}

/// What may be copied is the same entry when nothing stands before it.
fn alone(tar: &[u8], entry: &Entry) {
    let Some(range) = &entry.verbatim else { return };
    let mut copied = tar[range.start as usize..range.end as usize].to_vec();
    copied.extend([0; 1024]);
    let (again, _, _) = of_blob(&copied, &Limits::default()).expect("it was read before");
    let mut expected = entry.clone();
    expected.verbatim = Some(0..range.end - range.start);
    if let EntryKind::File(Content { source: Source::Layer(_, offset), .. }) = &mut expected.kind {
        *offset -= range.start;
    }
    assert_eq!(again, [expected]);
    // Readers that know less than Go see no other name: it is a header with its own checksum, spelt as POSIX has it.
    let regular = [b"ustar\x0000", b"ustar  \0"].iter().any(|magic| &copied[257..265] == *magic);
    assert!(regular, "{entry:?}");
}

fn limited(tar: &[u8], entries: &[Entry]) {
    let count = entries.len() as u64;
    assert!(of_blob(tar, &Limits { entries: count, ..Limits::default() }).is_ok());
    let names = entries.iter().map(|entry| entry.path.as_bytes().len() as u64);
    for limits in [
        count.checked_sub(1).map(|entries| Limits { entries, ..Limits::default() }),
        names.max().and_then(|name| name.checked_sub(1)).map(|name| Limits { name, ..Limits::default() }),
    ]
    .into_iter()
    .flatten()
    {
        assert_eq!(of_blob(tar, &limits).map(|_| ()).unwrap_err().kind(), ErrorKind::Limit, "{limits:?}");
    }
}
