//! When an entry's own tar bytes may be copied.

use super::{only, read};
use crate::layer::testing::{Head, Tar, scanned};
use std::ops::Range;

fn copied(tar: Tar) -> Option<Range<u64>> {
    only(tar).verbatim
}

#[test]
fn plain_entries_of_every_kind_are_copied_with_their_padding() {
    let tar = Tar::new()
        .file("f", "abc")
        .directory("./d/")
        .head(Head::new(b'2', "s").link("../any//target"))
        .head(Head::new(b'1', "./h").link("./f"))
        .head(Head::new(b'3', "c").number(329, 8, 1).number(337, 8, 3))
        .head(Head::gnu(b'6', "p"))
        .directory("./");
    let ranges: Vec<_> = read(tar).entries.into_iter().map(|entry| entry.verbatim.unwrap()).collect();
    assert_eq!(ranges, [0..1024, 1024..1536, 1536..2048, 2048..2560, 2560..3072, 3072..3584, 3584..4096]);
}

#[test]
fn an_extended_header_is_copied_with_its_entry() {
    let long = "n".repeat(200);
    let pax: &[(&str, &[u8])] =
        &[("path", long.as_bytes()), ("mtime", b"1.5"), ("SCHILY.xattr.user.x", b"\n"), ("size", b"3")];
    assert_eq!(copied(Tar::new().pax(pax).file("n", "abc")), Some(0..2048));
    assert_eq!(copied(Tar::new().long(b'L', &long).body(Head::gnu(b'0', "n"), "abc")), Some(0..2048));
    let both = Tar::new().long(b'K', &long).long(b'L', &long).head(Head::gnu(b'2', "n").link("n"));
    assert_eq!(copied(both), Some(0..2560));
    let second = read(Tar::new().file("f", "").pax(pax).file("n", "abc")).entries.remove(1);
    assert_eq!(second.verbatim, Some(512..2560));
}

#[test]
fn large_numbers_in_base_256_are_copied() {
    let head = Head::gnu(b'0', "f").at(108, [0x80, 0, 0, 0, 0, 0xff, 0, 1]).at(136, [255; 12]);
    assert!(copied(Tar::new().head(head)).is_some());
}

#[test]
fn anything_odd_in_the_header_is_written_afresh() {
    let odd = [
        ("an unclean name", Head::new(b'0', "a//b")),
        ("an absolute name", Head::new(b'0', "/a")),
        ("two dots and slashes", Head::new(b'0', "././a")),
        ("a directory without its slash", Head::new(b'5', "d")),
        ("a directory with two", Head::new(b'5', "d//")),
        ("the root without its dot", Head::new(b'5', "/")),
        ("a type of old", Head::new(0, "a")),
        ("type 7", Head::new(b'7', "a")),
        ("mode bits of another type", Head::new(b'5', "d/").mode(0o100_755)),
        ("an absolute link target", Head::new(b'1', "a").link("/b")),
        ("an unclean link target", Head::new(b'1', "a").link("b/")),
        ("a link target on a file", Head::new(b'0', "a").link("b")),
        ("device numbers on a file", Head::new(b'0', "a").number(329, 8, 1)),
        ("bytes after the name", Head::new(b'0', "a\0b")),
        ("bytes after the link target", Head::new(b'2', "a").link("b\0c")),
        ("bytes after the prefix", Head::new(b'0', "a").at(345, "p\0q")),
        ("bytes after the owner", Head::new(b'0', "a").at(265, "u\0v")),
        ("an owner without its NUL", Head::new(b'0', "a").at(265, [b'u'; 32])),
        ("bytes at the end of the block", Head::new(b'0', "a").at(500, "x")),
        ("GNU times", Head::gnu(b'0', "a").number(345, 12, 7)),
        ("a GNU prefix", Head::gnu(b'0', "a").at(345, "p")),
        ("spaces before a number", Head::new(b'0', "a").at(100, "    644\0")),
        ("an empty number", Head::new(b'0', "a").at(136, [0; 12])),
        ("an odd base 256", Head::new(b'0', "a").at(108, [0xc0, 255, 255, 255, 0, 0, 0, 0])),
        ("an odd version", Head::new(b'0', "a").at(263, [0; 2])),
        ("no magic", Head::new(b'0', "a").at(257, [0; 8])),
        ("star", Head::new(b'0', "a").at(508, b"tar\0")),
    ];
    assert!(copied(Tar::new().head(Head::new(b'0', "a"))).is_some());
    // Docker writes the type bits into every mode.
    assert!(copied(Tar::new().head(Head::new(b'5', "d/").mode(0o40_755))).is_some());
    for (what, head) in odd {
        match scanned(&Tar::new().head(head).end()) {
            Ok(mut scanned) => assert_eq!(scanned.entries.remove(0).verbatim, None, "{what}"),
            Err(error) => assert_eq!(what, "an odd base 256", "{error}"),
        }
    }
}

#[test]
fn anything_odd_around_the_header_is_written_afresh() {
    let x = |records: &[(&str, &[u8])]| Tar::new().pax(records);
    let odd = [
        ("an access time", x(&[("atime", b"1")]).file("a", "")),
        ("an unknown key", x(&[("comment", b"1")]).file("a", "")),
        ("a key that stands twice", x(&[("mtime", b"1"), ("mtime", b"1")]).file("a", "")),
        ("an empty value", x(&[("uname", b"")]).file("a", "")),
        ("sizes that differ", x(&[("size", b"3")]).head(Head::new(b'0', "a").size(4)).data("abc")),
        ("a dropped attribute", x(&[("SCHILY.xattr.user.overlay.x", b"1")]).file("a", "")),
        ("a pax header before a GNU one", x(&[("mtime", b"1")]).head(Head::gnu(b'0', "a"))),
        ("a long name before a POSIX header", Tar::new().long(b'L', "a").file("a", "")),
        ("a long target alone", Tar::new().long(b'K', "t").head(Head::gnu(b'2', "a"))),
        ("a pax target alone", x(&[("linkpath", b"t")]).head(Head::new(b'2', "a"))),
        (
            "an owner beyond 32 bits",
            x(&[("uid", b"1")]).head(Head::new(b'0', "a").at(108, [0x80, 0, 1, 0, 0, 0, 0, 0])),
        ),
        ("a pax header beside a long name", x(&[("mtime", b"1")]).long(b'L', "a").head(Head::gnu(b'0', "a"))),
        (
            "a pax header that is odd itself",
            Tar::new().body(Head::new(b'x', "x").mode(0).at(500, "x"), "11 mtime=1\n").file("a", ""),
        ),
        ("padding that is not zero", Tar::new().head(Head::new(b'0', "a").size(3)).raw([b'x'; 512])),
        (
            "pax padding that is not zero",
            Tar::new().head(Head::new(b'x', "x").size(11)).raw(padded("11 mtime=1\n")).file("a", ""),
        ),
    ];
    for (what, tar) in odd {
        assert_eq!(copied(tar), None, "{what}");
    }
}

fn padded(body: &str) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    bytes.resize(512, b'x');
    bytes
}

#[test]
fn an_entry_whose_padding_is_lost_is_written_afresh() {
    let tar = Tar::new().file("a", "abc").0;
    let scanned = scanned(&tar[..tar.len() - 1]).unwrap();
    assert_eq!(scanned.entries[0].verbatim, None);
}
