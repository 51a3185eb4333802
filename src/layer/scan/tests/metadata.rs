//! Names and metadata: the cases of merge.md 2.4 that the reader decides.

use super::{file, only, paths, read, refused};
use crate::layer::testing::{Head, Tar};
use crate::rootfs::{EntryKind, Time};
use crate::warning::WarningKind;
use std::sync::Arc;

#[test]
fn m72_every_spelling_of_a_name_is_one_path() {
    for name in ["a/b", "./a/b", "/a/b", "a//b", "x/../a/b"] {
        assert_eq!(only(Tar::new().file(name, "")).path.to_string(), "/a/b");
    }
}

#[test]
fn m73_m74_a_name_above_the_root_and_an_empty_one_are_refused() {
    assert!(refused(Tar::new().file("a/../../evil", "")).starts_with("entry \"a/../../evil\": "));
    assert!(refused(Tar::new().file("", "")).contains("empty name"));
}

#[test]
fn m75_a_nul_in_a_pax_path_is_refused() {
    assert!(refused(Tar::new().pax(&[("path", b"a\0/etc")]).file("x", "")).contains("NUL"));
}

#[test]
fn m76_a_long_name_ends_at_its_first_nul() {
    let entry = only(Tar::new().body(Head::gnu(b'L', "l"), "name\0tail\0").body(Head::gnu(b'0', "x"), ""));
    assert_eq!((entry.path.to_string(), entry.verbatim), ("/name".into(), None));
    let unterminated = only(Tar::new().body(Head::gnu(b'L', "l"), "name").body(Head::gnu(b'0', "x"), ""));
    assert_eq!((unterminated.path.to_string(), unterminated.verbatim), ("/name".into(), None));
    assert!(refused(Tar::new().body(Head::gnu(b'L', "l"), "\0tail").file("x", "")).contains("long name is empty"));
    let link = only(Tar::new().long(b'K', vec![b't'; 200]).head(Head::gnu(b'2', "x").link("t")));
    assert_eq!(link.kind, EntryKind::Symlink([b't'; 200].into()));
}

#[test]
fn m77_a_name_that_is_no_text_keeps_its_bytes() {
    let name = b"caf\xe9\xff\x01";
    for tar in [
        Tar::new().file(name, ""),
        Tar::new().pax(&[("path", name)]).file("x", ""),
        Tar::new().pax(&[("hdrcharset", b"BINARY"), ("path", name)]).file("x", ""),
        Tar::new().long(b'L', name).body(Head::gnu(b'0', "x"), ""),
    ] {
        assert_eq!(only(tar).path.as_bytes(), name);
    }
}

#[test]
fn m78_an_old_file_with_a_slash_is_a_directory_and_a_regular_one_stays_a_file() {
    assert_eq!(only(Tar::new().head(Head::new(0, "d/"))).kind, EntryKind::Directory);
    assert_eq!(only(Tar::new().head(Head::new(0, "f"))).kind, file(0, 512));
    for flag in [b'0', b'7'] {
        let read = read(Tar::new().body(Head::new(flag, "f/"), "abc"));
        assert_eq!((paths(&read), &read.entries[0].kind), (vec!["/f".into()], &file(3, 512)));
        assert_eq!((read.warnings.count(WarningKind::SlashFile), &read.entries[0].verbatim), (1, &None));
    }
    let long = Tar::new().long(b'L', "long/").head(Head::gnu(0, "x"));
    assert_eq!(only(long).kind, EntryKind::Directory, "the final name decides");
}

#[test]
fn m85_m86_times_may_be_negative_and_finer_than_a_second() {
    let time = |value: &[u8]| only(Tar::new().pax(&[("mtime", value)]).file("f", "")).meta.mtime;
    assert_eq!(time(b"-1.5"), Time { seconds: -2, nanos: 500_000_000 });
    assert_eq!(time(b"1700000000.123456789"), Time { seconds: 1_700_000_000, nanos: 123_456_789 });
    assert_eq!(time(b""), Time { seconds: 0, nanos: 0 });
    assert!(refused(Tar::new().pax(&[("mtime", b"1e3")]).file("f", "")).contains("mtime"));
    assert!(refused(Tar::new().pax(&[("atime", b"x")]).file("f", "")).contains("atime"));
}

#[test]
fn m87_owners_may_be_large_and_their_names_any_bytes() {
    let records: &[(&str, &[u8])] =
        &[("uid", b"4294967295"), ("gid", b"3000000"), ("uname", b"\xffu"), ("gname", b"g")];
    let meta = only(Tar::new().pax(records).file("f", "")).meta;
    assert_eq!(
        (meta.uid, meta.gid, &*meta.owner.user, &*meta.owner.group),
        (u32::MAX, 3_000_000, &b"\xffu"[..], &b"g"[..])
    );
    let binary = Head::new(b'0', "f").at(108, [0x80, 0, 0, 0, 0xff, 0, 0, 1]).at(265, "user").at(297, "group");
    let meta = only(Tar::new().head(binary)).meta;
    assert_eq!((meta.uid, &*meta.owner.user, &*meta.owner.group), (0xff00_0001, &b"user"[..], &b"group"[..]));
    assert!(refused(Tar::new().pax(&[("uid", b"4294967296")]).file("f", "")).contains("owner 4294967296"));
    assert!(refused(Tar::new().head(Head::new(b'0', "f").at(116, [255; 8]))).contains("group -1"));
    let overridden = Tar::new().pax(&[("gid", b"7")]).head(Head::new(b'0', "f").at(116, [255; 8]));
    assert_eq!(only(overridden).meta.gid, 7);
}

#[test]
fn m88_mode_bits_beyond_07777_are_cut_off() {
    let entry = only(Tar::new().head(Head::new(b'0', "f").mode(0o204_755)));
    assert_eq!((entry.meta.mode, entry.verbatim), (0o4755, None));
}

#[test]
fn m92_overlay_attributes_are_left_out_with_a_warning() {
    let records: &[(&str, &[u8])] = &[
        ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
        ("SCHILY.xattr.user.overlay.whiteout", b"y"),
        ("SCHILY.xattr.user.kept", b"y"),
    ];
    let read = read(Tar::new().pax(records).directory("d/"));
    assert_eq!(read.warnings.count(WarningKind::OverlayXattr), 2);
    assert_eq!((read.entries[0].meta.records.len(), &read.entries[0].verbatim), (1, &None));
}

#[test]
fn m93_attributes_acls_and_labels_are_carried_byte_for_byte_and_sorted() {
    let records: &[(&str, &[u8])] = &[
        ("SCHILY.xattr.user.b", b"\0\xff"),
        ("RHT.security.selinux", b"system_u:object_r:bin_t:s0\0"),
        ("SCHILY.acl.default", b"user::rwx"),
        ("LIBARCHIVE.xattr.user.only%20here", b"eA=="),
        ("LIBARCHIVE.xattr.user.b", b"AP8="),
        ("SCHILY.acl.access", b"user::rwx"),
        ("SCHILY.fflags", b"nodump"),
        ("vendor.key", b"x"),
    ];
    let entry = only(Tar::new().pax(records).file("f", ""));
    let kept: Vec<_> = entry.meta.records.iter().map(|record| (&*record.key, &*record.value)).collect();
    let expected: [(&[u8], &[u8]); 5] = [
        (b"LIBARCHIVE.xattr.user.only%20here", b"eA=="),
        (b"RHT.security.selinux", b"system_u:object_r:bin_t:s0\0"),
        (b"SCHILY.acl.access", b"user::rwx"),
        (b"SCHILY.acl.default", b"user::rwx"),
        (b"SCHILY.xattr.user.b", b"\0\xff"),
    ];
    assert_eq!(kept, expected);
}

#[test]
fn m94_file_capabilities_survive_with_newlines_and_nuls() {
    let capability = b"\x01\0\0\x02\0\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let entry = only(Tar::new().pax(&[("SCHILY.xattr.security.capability", capability)]).file("ping", ""));
    assert_eq!(&*entry.meta.records[0].value, capability);
    assert!(entry.verbatim.is_some());
}

#[test]
fn m67_a_link_needs_a_target_and_a_hard_links_is_clamped_to_the_root() {
    assert!(refused(Tar::new().head(Head::new(b'2', "l"))).contains("no target"));
    assert!(refused(Tar::new().head(Head::new(b'1', "l"))).contains("no target"));
    let EntryKind::HardLink(target) = only(Tar::new().head(Head::new(b'1', "l").link("/../../a"))).kind else {
        panic!()
    };
    assert_eq!(target.to_string(), "/a");
    let symlink = only(Tar::new().head(Head::new(b'2', "l").link("../../../a//"))).kind;
    assert_eq!(symlink, EntryKind::Symlink((*b"../../../a//").into()));
}

#[test]
fn entries_share_the_values_that_repeat() {
    let records: &[(&str, &[u8])] = &[("SCHILY.xattr.user.x", b"1")];
    let owned = |name| Head::new(b'0', name).at(265, "user");
    let tar = Tar::new().pax(records).head(owned("a")).pax(records).head(owned("b")).head(owned("c"));
    let entries = read(tar).entries;
    assert!(Arc::ptr_eq(&entries[0].meta.owner, &entries[2].meta.owner));
    assert!(Arc::ptr_eq(&entries[0].meta.records, &entries[1].meta.records));
    assert!(entries[2].meta.records.is_empty());
}
