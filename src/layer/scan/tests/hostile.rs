//! Cut-off and mutated tars: an error or an answer, never a panic, and never more than is there.

use crate::error::ErrorKind;
use crate::layer::testing::{Head, Tar, scanned, scanned_within};
use crate::options::Limits;
use crate::rootfs::{EntryKind, Source};
use proptest::prelude::*;

/// A tar with each kind of header.
fn sample() -> Vec<u8> {
    let map: &[(&str, &[u8])] = &[
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"sparse"),
        ("GNU.sparse.realsize", b"9000"),
    ];
    let mut sparse = b"1\n100\n20\n".to_vec();
    sparse.resize(532, 0);
    Tar::new()
        .body(Head::new(b'g', "g"), "13 comment=x\n")
        .directory("d/")
        .file("d/f", vec![b'x'; 700])
        .pax(&[("path", b"a/long/name"), ("mtime", b"-1.25"), ("SCHILY.xattr.user.x", b"\n\0")])
        .file("n", "data")
        .long(b'K', "target")
        .long(b'L', "link")
        .head(Head::gnu(b'2', "l").link("t"))
        .head(Head::new(b'1', "h").link("d/f").at(265, "user").at(297, "group"))
        .pax(&[("linkpath", b"long/target"), ("uid", b"3000000"), ("uname", b"u")])
        .head(Head::new(b'2', "m").link("long"))
        .long(b'L', "long file")
        .body(Head::gnu(b'0', "short").at(108, [0x80, 0, 0, 0, 0, 1, 0, 0]).at(136, [0xff; 12]), "abc")
        .head(Head::new(b'3', "c").number(329, 8, 1).number(337, 8, 3))
        .pax(map)
        .file("s", sparse)
        .body(Head::gnu(b'S', "o").number(386, 12, 0).number(398, 12, 4).number(483, 12, 10), "abcd")
        .end()
}

#[test]
fn t31_a_cut_off_layer_is_refused_unless_only_padding_or_the_end_is_lost() {
    let tar = sample();
    let whole = scanned(&tar).unwrap();
    let accepted: Vec<usize> = (0..=tar.len() / 512)
        .flat_map(|block| [(block * 512).saturating_sub(1), block * 512, block * 512 + 1])
        .filter(|len| *len < tar.len())
        .filter(|len| match scanned(&tar[..*len]) {
            Ok(read) => {
                assert!(read.entries.len() <= whole.entries.len());
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
                false
            }
        })
        .collect();
    // Between entries the tar ends without its marker (T29); within an entry's last block only padding is lost
    // (T31). Nowhere else: not in data, not after an extended header, not inside a block of zeros.
    let ends: Vec<u64> = ends(&tar);
    for len in &accepted {
        let len = *len as u64;
        assert!(ends.iter().any(|end| len <= *end && len + 511 >= *end), "{len} was accepted; entries end at {ends:?}");
    }
    assert!(accepted.len() > 10, "{accepted:?}");
}

/// Where entries end, padding included, and where the first block of the end marker does.
fn ends(tar: &[u8]) -> Vec<u64> {
    let read = scanned(tar).unwrap();
    let data = read.entries.iter().filter_map(|entry| match &entry.kind {
        EntryKind::File(content) => match &content.source {
            Source::Layer(_, offset) => Some(offset + content.size),
            Source::Sparse(_, extents) => extents.last().map(|last| last.offset + last.len),
            Source::Owned(_) | Source::Joined(_) => None,
        },
        _ => entry.verbatim.as_ref().map(|range| range.end),
    });
    let mut ends: Vec<u64> = data.map(|end| end.next_multiple_of(512)).collect();
    ends.extend([0, 1024, read.end.end, read.end.end + 512]);
    ends
}

#[test]
fn t31_a_cut_says_where() {
    let tar = Tar::new().file("f", vec![0; 2000]).end();
    let error = scanned(&tar[..1000]).unwrap_err();
    assert_eq!(error.to_string(), "entry \"f\": the tar is truncated at offset 1000");
    let error = scanned(&tar[..100]).unwrap_err();
    assert_eq!(error.to_string(), "the tar is truncated at offset 100");
    assert!(scanned(&Tar::new().file("f", "").zeros(700).0).is_err(), "half a block of zeros");
    assert!(scanned(&Tar::new().file("f", "abc").0[..515]).is_ok(), "padding alone, as Go");
    assert!(scanned(&Tar::new().file("f", "abc").0[..514]).is_err());
}

#[test]
fn limits_hold_for_names_and_entries() {
    let limits = Limits { name: 300, entries: 2, expanded: 10, ..Limits::default() };
    let kind = |tar: Tar| scanned_within(&tar.end(), &limits).map(drop).map_err(|error| error.kind());
    let long = vec![b'n'; 301];
    assert_eq!(kind(Tar::new().pax(&[("path", &long)]).file("x", "")), Err(ErrorKind::Limit));
    assert_eq!(kind(Tar::new().pax(&[("linkpath", &long)]).head(Head::new(b'2', "x"))), Err(ErrorKind::Limit));
    assert_eq!(kind(Tar::new().file("a", "").file("b", "")), Ok(()));
    assert_eq!(kind(Tar::new().file("a", "").file("b", "").file("c", "")), Err(ErrorKind::Limit));
    assert_eq!(kind(Tar::new().file("a", "123456").file("b", "12345")), Err(ErrorKind::Limit));
}

#[test]
fn an_error_of_the_caller_stops_the_scan_and_names_the_entry() {
    use crate::error::Error;
    let tar = Tar::new().file("a", "").file("b", "").end();
    let (mut seen, mut warnings) = (0, crate::warning::Warnings::default());
    let mut push = |_| {
        seen += 1;
        Err(Error::malformed("no"))
    };
    let mut input = crate::layer::StreamInput::new(&tar[..]);
    let result =
        crate::layer::scan(&mut input, crate::rootfs::LayerId(0), &Limits::default(), &mut warnings, &mut push);
    assert_eq!((result.unwrap_err().to_string().as_str(), seen), ("entry \"a\": no", 1));
}

/// Sets the right checksum of every block that could be a header, so that mutations reach what lies behind it.
fn with_checksums(tar: &mut [u8]) {
    for block in tar.chunks_exact_mut(512).filter(|block| block[257..262] == *b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

proptest! {
    #[test]
    fn a_mutated_tar_never_panics_and_reads_alike_from_a_file_and_a_stream(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        repaired in any::<bool>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut tar = sample();
        for (at, byte) in changes {
            let at = at.index(tar.len());
            tar[at] = byte;
        }
        if repaired {
            with_checksums(&mut tar);
        }
        if let Some(cut) = cut {
            tar.truncate(cut.index(tar.len()));
        }
        if let Ok(read) = scanned(&tar) {
            for entry in read.entries {
                if let EntryKind::File(content) = entry.kind && let Source::Layer(_, offset) = content.source {
                    prop_assert!(offset + content.size <= tar.len() as u64);
                }
            }
        }
    }
}
