//! The cases of merge.md 2.5, by number, and those of 2.4 that a reader decides.

use crate::error::ErrorKind;
use crate::layer::testing::{Head, Scanned, Tar, record, scanned, scanned_within};
use crate::options::Limits;
use crate::rootfs::{Content, Device, Entry, EntryKind, LayerId, Source};
use crate::warning::WarningKind;

mod hostile;
mod metadata;
mod sparse;
mod verbatim;

/// The one entry of a tar that lacks only its end marker.
fn only(tar: Tar) -> Entry {
    let mut entries = read(tar).entries;
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

fn read(tar: Tar) -> Scanned {
    scanned(&tar.end()).unwrap()
}

/// The message with which a tar is refused as malformed.
fn refused(tar: Tar) -> String {
    let error = scanned(&tar.end()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
    error.to_string()
}

fn paths(scanned: &Scanned) -> Vec<String> {
    scanned.entries.iter().map(|entry| entry.path.to_string()).collect()
}

fn file(size: u64, offset: u64) -> EntryKind {
    EntryKind::File(Content { size, source: Source::Layer(LayerId(0), offset) })
}

#[test]
fn t1_a_pax_size_wins_over_a_smaller_one_in_the_header() {
    // TARmageddon (CVE-2025-62518): a reader that believes the header finds an entry inside the data.
    let hidden = Head::new(b'0', "hidden").block();
    let read = read(Tar::new().pax(&[("size", b"512")]).head(Head::new(b'0', "outer")).data(hidden).file("after", ""));
    assert_eq!(paths(&read), ["/outer", "/after"]);
    assert_eq!(read.entries[0].kind, file(512, 1536));
}

#[test]
fn t2_a_pax_size_of_zero_wins_over_a_larger_one_in_the_header() {
    let read = read(Tar::new().pax(&[("size", b"0")]).head(Head::new(b'0', "empty").size(512)).file("next", ""));
    assert_eq!(paths(&read), ["/empty", "/next"]);
}

#[test]
fn t3_a_pax_size_is_never_applied_to_a_long_name() {
    // GHSA-3pv8-6f4r-ffg2: applied to the long name, the file would swallow nothing and the rest would shift.
    let tar = Tar::new().pax(&[("size", b"0")]).long(b'L', "long").body(Head::gnu(b'0', "short"), "a body");
    assert!(refused(tar).contains("malformed"));
}

#[test]
fn t4_the_last_of_two_equal_pax_keys_wins() {
    let entry = only(Tar::new().pax(&[("path", b"one"), ("path", b"two")]).file("x", ""));
    assert_eq!((entry.path.to_string(), entry.verbatim), ("/two".into(), None));
}

#[test]
fn t5_an_attribute_may_hold_newlines_and_nuls() {
    let value = b"a\nb\0c=\n\n";
    let entry = only(Tar::new().pax(&[("SCHILY.xattr.user.x", value)]).file("x", ""));
    assert_eq!(&*entry.meta.records[0].value, value);
}

#[test]
fn t6_a_nul_in_a_pax_name_is_refused() {
    for key in ["path", "linkpath", "uname", "gname"] {
        let message = refused(Tar::new().pax(&[(key, b"a\0b")]).file("x", ""));
        assert!(message.contains("NUL"), "{message}");
    }
}

#[test]
fn t7_a_broken_pax_record_refuses_the_layer() {
    for body in ["11 path=a/b\n", "13 path=a/b\n", "12 path=a/b ", "junk"] {
        assert!(refused(Tar::new().body(Head::new(b'x', "x"), body).file("f", "")).contains("broken record"));
    }
}

#[test]
fn t8_a_size_that_is_no_plain_number_is_refused() {
    for size in ["abc", "-1", "+1", "9223372036854775808", "0x1", "1.0"] {
        assert!(refused(Tar::new().pax(&[("size", size.as_bytes())]).file("f", "")).contains("size"));
    }
    assert!(refused(Tar::new().head(Head::new(b'0', "f").at(124, "abc"))).contains("the size is not a number"));
}

#[test]
fn t9_an_empty_pax_path_leaves_the_headers_name() {
    let entry = only(Tar::new().pax(&[("path", b""), ("linkpath", b"")]).head(Head::new(b'2', "name").link("target")));
    assert_eq!((entry.path.to_string(), entry.kind), ("/name".into(), EntryKind::Symlink((*b"target").into())));
}

#[test]
fn t10_a_global_comment_is_ignored_and_no_entry() {
    // `git archive` begins with one.
    let tar = Tar::new().body(Head::new(b'g', "pax_global_header"), "13 comment=x\n").file("f", "");
    assert_eq!(paths(&read(tar)), ["/f"]);
}

#[test]
fn t11_a_global_path_or_size_is_refused_and_a_global_owner_is_not_applied() {
    for key in ["path", "linkpath", "size"] {
        let tar = Tar::new().body(Head::new(b'g', "g"), record(key, b"1")).file("f", "");
        assert!(refused(tar).contains("for all entries"));
    }
    assert_eq!(only(Tar::new().body(Head::new(b'g', "g"), "9 uid=77\n").file("f", "")).meta.uid, 0);
}

#[test]
fn t11_a_global_header_between_an_entry_and_its_pax_header_is_refused() {
    let tar = Tar::new().pax(&[("path", b"a")]).body(Head::new(b'g', "g"), "13 comment=x\n").file("f", "");
    assert!(refused(tar).contains("global"));
}

#[test]
fn t12_an_extended_header_without_its_entry_is_refused() {
    for tar in [Tar::new().pax(&[("path", b"a")]), Tar::new().long(b'L', "a"), Tar::new().file("f", "").long(b'K', "a")]
    {
        assert!(scanned(&tar.0).is_err());
        assert!(refused(tar).contains("extended header"));
    }
}

#[test]
fn t13_two_pax_headers_or_two_long_names_are_refused() {
    assert!(refused(Tar::new().pax(&[("path", b"a")]).pax(&[("path", b"b")]).file("f", "")).contains("two"));
    assert!(refused(Tar::new().long(b'L', "a").long(b'L', "b").file("f", "")).contains("two"));
    assert!(refused(Tar::new().long(b'K', "a").long(b'K', "b").file("f", "")).contains("two"));
}

#[test]
fn t14_a_pax_path_and_a_long_name_are_refused_together() {
    assert!(refused(Tar::new().pax(&[("path", b"a")]).long(b'L', "b").file("f", "")).contains("both"));
    assert!(refused(Tar::new().long(b'L', "b").pax(&[("path", b"a")]).file("f", "")).contains("both"));
    let links = Tar::new().pax(&[("linkpath", b"a")]).long(b'K', "b").head(Head::new(b'2', "l"));
    assert!(refused(links).contains("both"));
    let apart = Tar::new().pax(&[("mtime", b"5")]).long(b'L', "b").body(Head::gnu(b'0', "f"), "");
    assert_eq!(only(apart).path.to_string(), "/b");
}

#[test]
fn t17_a_directory_with_a_size_is_refused() {
    let hidden = Tar::new().head(Head::new(b'5', "d/").size(512)).file("hidden", "").file("after", "");
    assert!(refused(hidden).contains("only a file has data"));
    let legacy = Tar::new().head(Head::new(0, "d/").size(512)).zeros(512);
    assert!(refused(legacy).contains("only a file has data"));
    assert!(refused(Tar::new().pax(&[("size", b"0")]).head(Head::new(b'5', "d/").size(512))).contains("only a file"));
    assert!(refused(Tar::new().pax(&[("size", b"1")]).head(Head::new(b'5', "d/"))).contains("only a file"));
}

#[test]
fn t18_a_symlink_or_device_with_a_size_is_refused() {
    for flag in [b'2', b'3', b'4', b'6'] {
        assert!(refused(Tar::new().head(Head::new(flag, "x").link("y").size(512)).zeros(512)).contains("only a file"));
    }
}

#[test]
fn t19_a_hard_link_with_a_size_is_refused() {
    assert!(refused(Tar::new().head(Head::new(b'1', "x").link("y").size(512)).zeros(512)).contains("only a file"));
}

#[test]
fn t20_type_7_is_a_file_and_an_unknown_type_is_refused_by_name() {
    assert_eq!(only(Tar::new().body(Head::new(b'7', "f"), "abc")).kind, file(3, 512));
    for flag in [b'V', b'M', b'D', b'Z', b'X', b'N', b'A', b'8', 255] {
        let error = scanned(&Tar::new().head(Head::new(flag, "f")).end()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let shown = crate::error::escape(&[flag]);
        assert!(error.to_string().contains(&format!("entry \"f\": the entry type \"{shown}\"")), "{error}");
    }
}

#[test]
fn t21_a_base_256_size_is_read_and_a_negative_or_overflowing_one_refused() {
    let binary = |bytes: [u8; 12]| Tar::new().head(Head::new(b'0', "f").at(124, bytes)).data("abc");
    assert_eq!(only(binary([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3])).kind, file(3, 512));
    assert!(refused(binary([255; 12])).contains("negative"));
    assert!(refused(binary([0x80, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 3])).contains("not a number"));
}

#[test]
fn t22_a_base_256_time_may_be_negative() {
    let time = [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 251];
    assert_eq!(only(Tar::new().head(Head::new(b'0', "f").at(136, time))).meta.mtime.seconds, -5);
}

#[test]
fn t23_empty_number_fields_are_zero() {
    let entry = only(Tar::new().head(Head::new(b'0', "f").at(124, [0; 24])));
    assert_eq!((entry.kind, entry.meta.mtime.seconds), (file(0, 512), 0));
}

#[test]
fn t24_numbers_may_begin_with_spaces() {
    assert_eq!(only(Tar::new().head(Head::new(b'0', "f").at(124, "          3 ")).data("abc")).kind, file(3, 512));
}

#[test]
fn t25_the_octal_digit_9_is_refused() {
    assert!(refused(Tar::new().head(Head::new(b'0', "f").at(124, "00000000009\0"))).contains("not a number"));
}

#[test]
fn t26_a_bad_checksum_is_refused_and_a_signed_one_is_read() {
    let head = Head::new(b'0', "caf\u{e9}");
    let sums = |signed: bool| {
        let blank = head.clone().at(148, b"        ");
        let bytes = blank.checksum(0);
        let sum = bytes.iter().enumerate().map(|(at, byte)| match at {
            148..156 => 32,
            _ if signed => i64::from(byte.cast_signed()),
            _ => i64::from(*byte),
        });
        u32::try_from(sum.sum::<i64>()).unwrap()
    };
    let signed = only(Tar::new().raw(head.clone().checksum(sums(true))));
    assert_eq!((signed.path.to_string(), signed.verbatim), ("/caf\u{e9}".into(), None));
    assert!(only(Tar::new().raw(head.clone().checksum(sums(false)))).verbatim.is_some());
    let message = refused(Tar::new().file("ok", "").raw(head.clone().checksum(sums(true) + 1)));
    assert_eq!(message, "the tar header at offset 512 is malformed: the checksum is wrong");
    assert!(refused(Tar::new().raw(head.block()).raw([b'x'; 512])).contains("the checksum is not a number"));
}

#[test]
fn t27_one_zero_block_and_then_more_is_refused() {
    assert!(
        refused(Tar::new().file("a", "").zeros(512).file("b", "")).contains("a single block of zeros at offset 512")
    );
}

#[test]
fn t28_what_follows_the_end_marker_is_not_read_as_entries() {
    let first = Tar::new().file("a", "").zeros(1024);
    let read = scanned(&first.file("b", "").end()).unwrap();
    assert_eq!((paths(&read), read.end.end), (vec!["/a".into()], 512));
    assert_eq!(read.warnings.count(WarningKind::TrailingData), 1);
}

#[test]
fn t29_a_missing_or_half_end_marker_is_a_warning() {
    for zeros in [0, 512] {
        let read = scanned(&Tar::new().file("a", "x").zeros(zeros).0).unwrap();
        assert_eq!((paths(&read).len(), read.warnings.count(WarningKind::EndMarker)), (1, 1));
    }
}

#[test]
fn t30_zeros_after_the_end_are_silent_and_garbage_is_a_warning() {
    let padded = Tar::new().file("a", "").zeros(10_240 + 7);
    assert!(scanned(&padded.0).unwrap().warnings.is_empty());
    let read = scanned(&padded.raw("garbage").0).unwrap();
    assert_eq!((paths(&read).len(), read.warnings.count(WarningKind::TrailingData)), (1, 1));
}

#[test]
fn t32_v7_headers_have_no_owner_names_and_no_prefix() {
    let head = Head::new(b'0', "f").at(257, [0; 8]).at(265, "user").at(345, "prefix").at(329, "junk");
    let entry = only(Tar::new().head(head));
    assert_eq!((entry.path.to_string(), &*entry.meta.owner.user, entry.verbatim), ("/f".into(), &b""[..], None));
}

#[test]
fn t32_a_ustar_prefix_goes_before_the_name() {
    let entry = only(Tar::new().head(Head::new(b'0', "f").at(345, "some/where")));
    assert_eq!(entry.path.to_string(), "/some/where/f");
}

#[test]
fn t32_a_prefix_in_gnu_time_fields_is_read_as_go_does() {
    let name = |at: usize, bytes: &[u8]| only(Tar::new().head(Head::gnu(b'0', "f").at(at, bytes))).path.to_string();
    assert_eq!(name(345, b"some/where"), "/some/where/f");
    assert_eq!(name(345, b"00000000017\x0000000000017\0"), "/f", "times");
    assert_eq!(name(345, b"caf\xe9"), "/f", "neither times nor ASCII");
}

#[test]
fn t32_an_odd_version_is_a_warning_and_an_unknown_magic_refused() {
    let read = read(Tar::new().head(Head::new(b'0', "f").at(257, b"ustar\0\0\0").at(345, "p")));
    assert_eq!((paths(&read), read.warnings.count(WarningKind::OddMagic)), (vec!["/p/f".into()], 1));
    assert!(refused(Tar::new().head(Head::new(b'0', "f").at(257, b"ustar x0"))).contains("magic"));
}

#[test]
fn t32_a_star_header_has_a_shorter_prefix() {
    let head = Head::new(b'0', "f").at(345, [b'p'; 131]).at(476, "00000000001\x0000000000001\0").at(508, b"tar\0");
    assert_eq!(only(Tar::new().head(head.clone())).path.as_bytes().len(), 133);
    assert!(refused(Tar::new().head(head.at(476, "x"))).contains("access time"));
}

#[test]
fn t33_an_extended_header_beyond_its_limit_is_refused_before_it_is_read() {
    for flag in [b'x', b'g', b'L', b'K'] {
        let tar = Tar::new().head(Head::new(flag, "x").size((1 << 20) + 1));
        assert_eq!(scanned(&tar.0).unwrap_err().kind(), ErrorKind::Limit);
    }
    let value = vec![b'v'; 900_000];
    assert_eq!(
        only(Tar::new().pax(&[("SCHILY.xattr.user.x", &value)]).file("f", "")).meta.records[0].value.len(),
        900_000
    );
}

#[test]
fn t34_sizes_beyond_2_to_the_63_are_refused_whatever_they_sum_to() {
    let most = i64::MAX.to_string();
    let huge = || Tar::new().pax(&[("size", most.as_bytes())]).file("f", "");
    assert!(scanned(&huge().end()).is_err());
    let hole: &[(&str, &[u8])] =
        &[("GNU.sparse.size", most.as_bytes()), ("GNU.sparse.numblocks", b"1"), ("GNU.sparse.map", b"0,0")];
    let unlimited = Limits { expanded: u64::MAX - 1, ..Limits::default() };
    let three = Tar::new().pax(hole).file("a", "").pax(hole).file("b", "").pax(hole).file("c", "").end();
    assert_eq!(scanned_within(&three, &unlimited).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn m89_devices_keep_their_numbers_and_pax_may_not_contradict_them() {
    let head = Head::new(b'3', "d").number(329, 8, 5).number(337, 8, 1);
    assert_eq!(only(Tar::new().head(head.clone())).kind, EntryKind::CharDevice(Device { major: 5, minor: 1 }));
    let records: &[(&str, &[u8])] = &[("SCHILY.devmajor", b"5"), ("SCHILY.devminor", b"1")];
    assert_eq!(
        only(Tar::new().pax(records).head(head.clone())).kind,
        EntryKind::CharDevice(Device { major: 5, minor: 1 })
    );
    assert!(refused(Tar::new().pax(&[("SCHILY.devminor", b"2")]).head(head.clone())).contains("different devices"));
    let beyond = head.at(329, [0x80, 0, 0, 1, 0, 0, 0, 0]);
    assert!(refused(Tar::new().head(beyond)).contains("32 bits"));
    assert_eq!(only(Tar::new().head(Head::new(b'6', "p"))).kind, EntryKind::Fifo);
}

#[test]
fn m96_an_empty_layer_has_no_entries() {
    for (zeros, warnings) in [(0, 0), (512, 1), (1024, 0), (10_240, 0)] {
        let read = scanned(&vec![0; zeros]).unwrap();
        assert_eq!((read.end.entries, read.warnings.count(WarningKind::EndMarker)), (0, warnings), "{zeros}");
    }
}
