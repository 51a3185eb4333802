//! Sparse files in each of their forms (T15), and what makes them malformed.

use super::{only, read, refused};
use crate::error::ErrorKind;
use crate::layer::testing::{Head, Tar, scanned, scanned_within};
use crate::options::Limits;
use crate::rootfs::{Entry, EntryKind, Extent, Source};

/// 512 bytes of data at 0 and 100 at 4096 of a file of 8192 bytes.
const DATA: usize = 612;

fn check(entry: &Entry, data: u64) {
    let EntryKind::File(content) = &entry.kind else { panic!("{entry:?}") };
    let Source::Sparse(_, extents) = &content.source else { panic!("{entry:?}") };
    let expected = [Extent { at: 0, len: 512, offset: data }, Extent { at: 4096, len: 100, offset: data + 512 }];
    assert_eq!((entry.path.to_string(), content.size, &**extents), ("/sparse".into(), 8192, &expected[..]));
    assert_eq!(entry.verbatim, None);
}

#[test]
fn t15_pax_0_0_is_read() {
    let records: &[(&str, &[u8])] = &[
        ("GNU.sparse.size", b"8192"),
        ("GNU.sparse.numblocks", b"3"),
        ("GNU.sparse.offset", b"0"),
        ("GNU.sparse.numbytes", b"512"),
        ("GNU.sparse.offset", b"4096"),
        ("GNU.sparse.numbytes", b"100"),
        ("GNU.sparse.offset", b"8192"),
        ("GNU.sparse.numbytes", b"0"),
    ];
    let read = read(Tar::new().pax(records).file("sparse", vec![b'd'; DATA]).file("next", ""));
    check(&read.entries[0], 1536);
    assert_eq!(read.entries.len(), 2);
}

#[test]
fn t15_pax_0_1_is_read_under_its_own_name() {
    let records: &[(&str, &[u8])] = &[
        ("GNU.sparse.name", b"sparse"),
        ("GNU.sparse.size", b"8192"),
        ("GNU.sparse.numblocks", b"2"),
        ("GNU.sparse.map", b"0,512,4096,100"),
    ];
    check(&only(Tar::new().pax(records).file("./GNUSparseFile.1/sparse", vec![b'd'; DATA])), 1536);
}

#[test]
fn t15_pax_1_0_has_its_map_before_the_data() {
    let tar = |map: &str| Tar::new().pax(&one_zero(b"8192")).file("GNUSparseFile.1/sparse", with_map(map, DATA));
    check(&only(tar("2\n0\n512\n4096\n100\n")), 2048);
    let read = read(tar("2\n0\n512\n4096\n100\n").file("next", ""));
    assert_eq!(read.entries.len(), 2);
    for map in ["", "2\n0\n", "2\n0\n512\n4096\n101\n", "x\n", "99999999999999999999999\n", "-1\n", "1\n0\n512\n"] {
        assert!(scanned(&tar(map).end()).is_err(), "{map:?}");
    }
}

/// Go makes a directory of an old file with a slash before it takes the sparse file's own name, and then refuses it.
#[test]
fn t15_an_old_directory_is_never_a_sparse_file() {
    let body = |flag: u8, name: &str| {
        let map = with_map("2\n0\n512\n4096\n100\n", DATA);
        Tar::new().pax(&one_zero(b"8192")).body(Head::new(flag, name), map)
    };
    check(&only(body(0, "plain")), 2048);
    check(&only(body(b'0', "slash/")), 2048);
    assert!(refused(body(0, "slash/")).contains("only a file"));
}

fn one_zero(size: &[u8]) -> [(&'static str, &[u8]); 4] {
    [
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"sparse"),
        ("GNU.sparse.realsize", size),
    ]
}

fn with_map(map: &str, data: usize) -> Vec<u8> {
    let mut body = map.as_bytes().to_vec();
    body.resize(512, 0);
    body.resize(512 + data, b'd');
    body
}

/// Numbers of 12 bytes each from a place on.
fn runs(head: Head, at: usize, numbers: &[u64]) -> Head {
    numbers.iter().enumerate().fold(head, |head, (index, number)| head.number(at + 12 * index, 12, *number))
}

#[test]
fn t15_an_old_gnu_header_is_read_with_the_blocks_that_continue_it() {
    let old = |numbers: &[u64]| runs(Head::gnu(b'S', "sparse").number(483, 12, 8192), 386, numbers);
    check(&only(Tar::new().body(old(&[0, 512, 4096, 100, 8192, 0]), vec![b'd'; DATA])), 512);
    let continued = |flag: u8| {
        let more = runs(Head::new(0, "").at(0, [0u8; 512]), 0, &[4096, 100, 8192, 0]).at(504, [flag]);
        Tar::new().head(old(&[0, 512]).at(482, [1]).size(DATA as u64)).raw(more.into_raw())
    };
    check(&only(continued(0).data(vec![b'd'; DATA])), 1024);
    check(&only(continued(1).zeros(512).data(vec![b'd'; DATA])), 1536);
    assert!(scanned(&continued(1).0).unwrap_err().to_string().contains("truncated"));
    assert!(refused(Tar::new().body(old(&[0, 512]).at(257, b"ustar\x0000"), vec![b'd'; 512])).contains("GNU"));
    assert!(refused(Tar::new().body(old(&[0, 511]), vec![b'd'; 512])).contains("add up"));
}

#[test]
fn t15_a_sparse_bomb_is_refused() {
    let bomb = Tar::new().pax(&one_zero(b"9223372036854775807")).file("x", with_map("0\n", 0)).end();
    assert_eq!(scanned(&bomb).unwrap_err().kind(), ErrorKind::Limit);
    // CVE-2025-58183: the map is counted before it is kept.
    let limits = Limits { sparse: 3, ..Limits::default() };
    let map = Tar::new().pax(&one_zero(b"8192")).file("x", with_map("1000000000\n0\n0\n0\n0\n0\n0\n0\n0\n", 0)).end();
    assert_eq!(scanned_within(&map, &limits).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn t16_sparse_records_that_are_no_form_are_refused() {
    let forms: [&[(&str, &[u8])]; 7] = [
        &[("GNU.sparse.name", b"x")],
        &[("GNU.sparse.name", b"x"), ("GNU.sparse.size", b"1")],
        &[("GNU.sparse.major", b"2"), ("GNU.sparse.minor", b"0"), ("GNU.sparse.realsize", b"1")],
        &[("GNU.sparse.major", b"1"), ("GNU.sparse.realsize", b"1")],
        &[("GNU.sparse.size", b"1"), ("GNU.sparse.numblocks", b"2"), ("GNU.sparse.map", b"0,1")],
        &[
            ("GNU.sparse.size", b"1"),
            ("GNU.sparse.realsize", b"2"),
            ("GNU.sparse.numblocks", b"1"),
            ("GNU.sparse.map", b"0,1"),
        ],
        &[
            ("GNU.sparse.size", b"1"),
            ("GNU.sparse.numblocks", b"1"),
            ("GNU.sparse.numbytes", b"0"),
            ("GNU.sparse.offset", b"1"),
        ],
    ];
    for form in forms {
        assert!(refused(Tar::new().pax(form).file("f", "x")).contains("sparse"));
    }
    let good: &[(&str, &[u8])] =
        &[("GNU.sparse.size", b"9"), ("GNU.sparse.numblocks", b"1"), ("GNU.sparse.map", b"0,0")];
    assert!(refused(Tar::new().pax(good).directory("d/")).contains("only a file can be sparse"));
    assert!(refused(Tar::new().pax(good).head(Head::gnu(b'S', "s"))).contains("two ways"));
}
