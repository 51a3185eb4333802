#![allow(clippy::cast_possible_truncation)] // sizes of a test fit

use super::*;
use crate::error::ErrorKind;
use crate::rootfs::{Content, OwnerNames, Record, Source};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

fn file(size: u64) -> InodeKind {
    InodeKind::File(Content { size, source: Source::Owned(Arc::from(&b""[..])) })
}

fn meta() -> Meta {
    Meta { mode: 0o644, ..Meta::default() }
}

fn path(name: &[u8]) -> RootPath {
    RootPath::from_entry_name(name).unwrap()
}

fn encoded(name: &[u8], kind: &InodeKind, meta: &Meta) -> Vec<u8> {
    headers(&path(name), kind, meta, None, None).unwrap()
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// The last header block, and the PAX records before it.
fn parts(bytes: &[u8]) -> (Header, Pairs) {
    let (before, last) = bytes.split_at(bytes.len() - 512);
    let mut records = Vec::new();
    if !before.is_empty() {
        let size = Header::from_byte_slice(&before[..512]).size().unwrap() as usize;
        assert_eq!(before.len(), 512 + size.next_multiple_of(512));
        let mut body = &before[512..512 + size];
        while !body.is_empty() {
            let space = body.iter().position(|&byte| byte == b' ').unwrap();
            let len: usize = std::str::from_utf8(&body[..space]).unwrap().parse().unwrap();
            let (record, rest) = body.split_at(len);
            let equals = record.iter().position(|&byte| byte == b'=').unwrap();
            assert_eq!(record.last(), Some(&b'\n'));
            records.push((record[space + 1..equals].to_vec(), record[equals + 1..len - 1].to_vec()));
            body = rest;
        }
    }
    (Header::from_byte_slice(last).clone(), records)
}

fn records(bytes: &[u8]) -> Vec<(String, String)> {
    let text = |bytes: Vec<u8>| escape(&bytes);
    parts(bytes).1.into_iter().map(|(key, value)| (text(key), text(value))).collect()
}

fn record_of(key: &str, value: &[u8]) -> Record {
    Record { key: key.as_bytes().into(), value: value.into() }
}

#[test]
fn a_plain_file_has_these_bytes() {
    let meta = Meta {
        mode: 0o4755,
        uid: 1000,
        gid: 100,
        mtime: Time { seconds: 1_700_000_000, nanos: 0 },
        owner: Arc::new(OwnerNames { user: (*b"app").into(), group: (*b"users").into() }),
        records: Arc::from([]),
    };
    let mut golden = vec![0_u8; 512];
    for (at, text) in [
        (0, &b"usr/bin/app"[..]),
        (100, b"0004755\x000001750\x000000144\x0000000012345\x0014524770400\x000013160\x000"),
        (257, b"ustar\x0000app"),
        (297, b"users"),
        (329, b"0000000\x000000000\x00"),
    ] {
        golden[at..at + text.len()].copy_from_slice(text);
    }
    let bytes = encoded(b"usr/bin/app", &file(0o12345), &meta);
    assert_eq!(escape(&bytes), escape(&golden));
}

#[test]
fn names_of_every_length_are_read_back() {
    for len in (1..=4).chain(98..=103).chain(153..=159).chain(254..=260).chain([1000, 40_000]) {
        for slash in [0, 1, 50, 100, 154, 155, 156, 200] {
            let mut name = vec![b'n'; len];
            if slash > 0 && slash + 1 < len {
                name[slash] = b'/';
            }
            for kind in [file(0), InodeKind::Directory] {
                let bytes = encoded(&name, &kind, &meta());
                let mut archive = tar::Archive::new(&*bytes);
                let entry = archive.entries().unwrap().next().unwrap().unwrap();
                let wanted = if kind == InodeKind::Directory { [&name[..], b"/"].concat() } else { name.clone() };
                assert_eq!(escape(&entry.path_bytes()), escape(&wanted));
                let fits = wanted.len() <= 100
                    || slash > 0 && slash + 1 < len && slash <= 155 && wanted.len() - slash - 1 <= 100;
                assert_eq!(bytes.len() == 512, fits, "{len} {slash}");
            }
        }
    }
}

#[test]
fn a_cut_name_never_makes_a_file_a_directory() {
    let name = [&[b'a'; 99][..], b"/", &[b'b'; 200]].concat();
    let (header, _) = parts(&encoded(&name, &file(0), &meta()));
    assert_eq!(header.as_ustar().unwrap().name[..], [&[b'a'; 99][..], b"\0"].concat());
}

/// bsdtar composes the letters of a PAX name: a file `e\u{308}` would come out as another one, `\u{eb}`.
#[test]
fn names_that_are_no_ascii_stay_raw_where_they_fit() {
    for name in ["é", "e\u{308}"] {
        let (header, none) = parts(&encoded(name.as_bytes(), &file(0), &meta()));
        assert!(none.is_empty());
        assert_eq!(&*header.path_bytes(), name.as_bytes());
    }
    let bytes = encoded(b"raw-\xff", &InodeKind::Symlink((*b"to-\xe9").into()), &meta());
    let (header, none) = parts(&bytes);
    assert!(none.is_empty());
    assert_eq!((&*header.path_bytes(), &*header.link_name_bytes().unwrap()), (&b"raw-\xff"[..], &b"to-\xe9"[..]));
    let long = [b'\xff'; 300];
    let binary = (b"hdrcharset".to_vec(), b"BINARY".to_vec());
    assert_eq!(parts(&encoded(&long, &file(0), &meta())).1, [binary, (b"path".to_vec(), long.to_vec())]);
    let link = InodeKind::Symlink(long.into());
    assert_eq!(parts(&encoded(&long, &link, &meta())).1.len(), 3, "said once");
    let ascii = encoded(&[b'n'; 300], &InodeKind::Symlink([b't'; 300].into()), &meta());
    assert!(parts(&ascii).1.iter().all(|(key, _)| *key != CHARSET));
}

#[test]
fn link_targets_are_read_back() {
    for len in [1, 99, 100, 101, 300] {
        let target = vec![b't'; len];
        let symlink = encoded(b"s", &InodeKind::Symlink(target.clone().into()), &meta());
        let hard = headers(&path(b"h"), &file(7), &meta(), Some(&path(&target)), None).unwrap();
        for (bytes, kind) in [(symlink, EntryType::Symlink), (hard, EntryType::Link)] {
            let mut archive = tar::Archive::new(&*bytes);
            let entry = archive.entries().unwrap().next().unwrap().unwrap();
            assert_eq!(entry.link_name().unwrap().unwrap().as_os_str().as_bytes(), target);
            assert_eq!((entry.header().entry_type(), entry.size()), (kind, 0));
            assert_eq!(bytes.len() == 512, len <= 100);
        }
    }
}

#[test]
fn numbers_that_do_not_fit_go_to_pax() {
    let mut meta = meta();
    (meta.uid, meta.gid) = ((1 << 21) - 1, 1 << 21);
    let bytes = encoded(b"f", &file(8 << 30), &meta);
    assert_eq!(records(&bytes), [("gid".into(), "2097152".into()), ("size".into(), "8589934592".into())]);
    let (header, _) = parts(&bytes);
    assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.size().unwrap()), ((1 << 21) - 1, 0, 0));
    assert_eq!(records(&encoded(b"f", &file((8 << 30) - 1), &self::meta())), []);
}

#[test]
fn times_are_kept_or_clamped() {
    let of = |seconds, nanos, clamp| {
        let meta = Meta { mtime: Time { seconds, nanos }, ..meta() };
        let bytes = headers(&path(b"f"), &file(0), &meta, None, clamp).unwrap();
        let (header, _) = parts(&bytes);
        (header.mtime().unwrap(), records(&bytes).pop().map(|(_, value)| value).unwrap_or_default())
    };
    assert_eq!(of(5, 0, None), (5, String::new()));
    assert_eq!(of(5, 500_000_000, None), (5, "5.5".into()));
    assert_eq!(of(0, 1, None), (0, "0.000000001".into()));
    assert_eq!(of(-5, 0, None), (0, "-5".into()));
    assert_eq!(of(-100, 0, None), (0, "-100".into()));
    assert_eq!(of(-2, 500_000_000, None), (0, "-1.5".into()));
    assert_eq!(of(-1, 750_000_000, None), (0, "-0.25".into()));
    assert_eq!(of(1 << 33, 0, None), (0, "8589934592".into()));
    assert_eq!(of(9, 1, Some(9)), (9, String::new()));
    assert_eq!(of(8, 1, Some(9)), (8, "8.000000001".into()));
    assert_eq!(of(i64::MIN, 1, None).1, "-9223372036854775807.999999999");
}

#[test]
fn attributes_keep_every_byte_and_are_sorted() {
    // merge.md M94, T5: a capability holds NUL and newline.
    let value = b"\x01\0\0\x02\n\n=\0 \xff";
    let mut meta = meta();
    meta.mtime.nanos = 10;
    meta.records = Arc::from([record_of("SCHILY.xattr.security.capability", value), record_of("aa", b"")]);
    meta.owner = Arc::new(OwnerNames { user: (*b"j\xc3\xb6").into(), group: [b'g'; 32].into() });
    let (header, records) = parts(&encoded(b"f", &file(0), &meta));
    let keys: Vec<_> = records.iter().map(|(key, _)| escape(key)).collect();
    assert_eq!(keys, ["SCHILY.xattr.security.capability", "aa", "gname", "mtime"]);
    assert_eq!(records[0].1, value);
    assert_eq!((header.username_bytes(), header.groupname_bytes()), (Some("jö".as_bytes()), Some(&b""[..])));
}

#[test]
fn a_record_counts_its_own_digits() {
    for len in 80..120 {
        let meta = Meta { records: Arc::from([record_of("k", &vec![b'v'; len])]), ..meta() };
        assert_eq!(parts(&encoded(b"f", &file(0), &meta)).1[0].1.len(), len);
    }
}

#[test]
fn a_hard_link_carries_the_attributes_of_its_inode() {
    // Docker applies a link's owner with chown, which clears the capability that the data carrier brought.
    let meta = Meta { records: Arc::from([record_of("SCHILY.xattr.security.capability", b"\x01")]), ..meta() };
    let bytes = headers(&path(b"h"), &file(7), &meta, Some(&path(b"f")), None).unwrap();
    assert_eq!(parts(&bytes).1.len(), 1);
}

#[test]
fn the_root_and_directories_end_in_a_slash() {
    let root = headers(&RootPath::root(), &InodeKind::Directory, &meta(), None, None).unwrap();
    assert_eq!(&*parts(&root).0.path_bytes(), b"./");
    assert_eq!(&*parts(&encoded(b"/a//b/", &InodeKind::Directory, &meta())).0.path_bytes(), b"a/b/");
}

#[test]
fn devices_are_kept_and_a_large_number_is_never_read_as_zero() {
    let (header, none) = parts(&encoded(b"d", &InodeKind::CharDevice(Device { major: 1, minor: 3 }), &meta()));
    assert_eq!((header.device_major().unwrap(), header.device_minor().unwrap()), (Some(1), Some(3)));
    assert!(none.is_empty());
    let bytes = encoded(b"d", &InodeKind::BlockDevice(Device { major: 0, minor: u32::MAX }), &meta());
    assert_eq!(records(&bytes), [("SCHILY.devminor".into(), "4294967295".into())]);
    assert_eq!(parts(&bytes).0.as_ustar().unwrap().dev_minor, [0x80, 0, 0, 0, 255, 255, 255, 255]);
}

#[test]
fn what_a_reader_would_take_for_something_else_is_refused() {
    let whiteout = InodeKind::CharDevice(Device { major: 0, minor: 0 });
    let refused = |name: &[u8], kind: &InodeKind| headers(&path(name), kind, &meta(), None, None).unwrap_err();
    assert_eq!(refused(b"a/.wh.b", &file(0)).to_string(), "entry \"a/.wh.b\": its name would be read as a whiteout");
    assert_eq!(refused(b".wh.d", &InodeKind::Directory).kind(), ErrorKind::Malformed);
    assert_eq!(refused(b"c", &whiteout).kind(), ErrorKind::Malformed);
    assert_eq!(refused(b"l", &InodeKind::Lower(path(b"x"))).kind(), ErrorKind::Malformed);
    assert_eq!(refused(b"s", &InodeKind::Symlink((*b"a\0b").into())).kind(), ErrorKind::Malformed);
    assert_eq!(refused(b"s", &InodeKind::Symlink((*b"").into())).kind(), ErrorKind::Malformed);
    assert_eq!(refused(b"/", &file(0)).kind(), ErrorKind::Malformed);
    for (key, value, kind) in [
        ("path", &b"x"[..], ErrorKind::Malformed),
        ("a=b", b"x", ErrorKind::Malformed),
        ("", b"x", ErrorKind::Malformed),
        ("big", &[0; 1 << 20], ErrorKind::Unsupported),
    ] {
        let meta = Meta { records: Arc::from([record_of(key, value), record_of(key, value)]), ..meta() };
        assert_eq!(headers(&path(b"f"), &file(0), &meta, None, None).unwrap_err().kind(), ErrorKind::Malformed);
        let meta = Meta { records: Arc::from([record_of(key, value)]), mtime: Time { seconds: 0, nanos: 1 }, ..meta };
        let name = "é".repeat(200);
        assert_eq!(headers(&path(name.as_bytes()), &file(0), &meta, None, None).unwrap_err().kind(), kind);
    }
}

#[test]
fn a_whiteout_is_an_empty_file_without_rights_that_says_nothing_else() {
    let name = [b'n'; 255];
    for (path, mark) in [(&b"d/gone"[..], &b"d/.wh.gone"[..]), (b"gone", b".wh.gone"), (b"wh.x", b".wh.wh.x")] {
        let bytes = super::whiteout(&RootPath::clamped(path)).unwrap();
        let header = Header::from_byte_slice(&bytes);
        assert_eq!((bytes.len(), &*header.path_bytes(), header.entry_type()), (512, mark, EntryType::Regular));
        let numbers = (header.mode().unwrap(), header.size().unwrap(), header.mtime().unwrap());
        assert_eq!((numbers, header.uid().unwrap(), header.gid().unwrap()), ((0, 0, 0), 0, 0));
    }
    // A name that is longer with its prefix than its field.
    assert!(super::whiteout(&RootPath::clamped(&name)).unwrap().len() > 512);
}

#[test]
fn what_a_whiteout_cannot_name_is_refused() {
    for path in [&b""[..], b".wh.d", b"a/.wh..opq"] {
        assert!(super::whiteout(&RootPath::clamped(path)).is_err(), "{path:?}");
    }
}
