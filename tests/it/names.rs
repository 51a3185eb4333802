//! merge.md, 2.4: duplicates, names, metadata. Much of it can only be said in tar bytes.

use crate::case::{case, tar_case};
use crate::image::{docker, squash, strip};
use crate::lines::{layer, raw};
use crate::tar::{Raw, Seen, archive};

/// The single entry of the given name in what a squash of these layers writes.
fn entry(layers: &[Vec<u8>], name: &[u8]) -> Seen {
    let squashed = strip(&docker(layers), &squash()).unwrap();
    let entry = squashed.entries().into_iter().find(|entry| entry.name == name);
    entry.unwrap_or_else(|| panic!("{} stands in the output: {}", name.escape_ascii(), squashed.text()))
}

#[test]
fn m71_the_last_of_two_entries_of_one_path_holds() {
    case(["f = 1; f = 2"]).warns("duplicate").shows("f = 2");
    case(["f = 1; f/; f/x"]).warns("duplicate").shows("f/; f/x");
    case(["f/; f/x; f = 2"]).warns("duplicate").shows("f = 2");
    case(["d/ [0700]; d/x; d/ [0711]"]).warns("duplicate").shows("d/ [0711]; d/x");
    case(["./ [0700]; ./ [0711]; x"]).warns("duplicate").shows("./ [0711]; x");
    case(["d/x; d = file"]).shows("d = file");
}

#[test]
fn m72_every_spelling_of_a_path_is_one_path() {
    for spelling in ["./a", "/a", "a", ".//a", "x/../a", "./x/./../a"] {
        tar_case([layer("a = old"), archive(&[Raw::new(spelling.as_bytes(), b'0').body(b"new")])]).shows("a = new");
    }
    for spelling in ["d//f", "./d/./f", "/d/e/../f", "d/f"] {
        tar_case([layer("d/; d/f = old"), archive(&[Raw::new(spelling.as_bytes(), b'0').body(b"new")])])
            .shows("d/; d/f = new");
    }
    case(["a/; a/x", "./a/.wh.x"]).shows("a/");
}

#[test]
fn m73_a_name_that_climbs_above_the_root_is_refused() {
    for name in ["a/../../evil", "../evil", ".."] {
        tar_case([archive(&[Raw::new(name.as_bytes(), b'0')])]).refuses("climbs above the root");
    }
}

#[test]
fn m74_an_empty_name_is_refused() {
    tar_case([archive(&[Raw::new(b"", b'0')])]).refuses("name");
}

#[test]
fn m75_a_nul_in_a_pax_path_is_refused() {
    tar_case([archive(&[Raw::new(b"a", b'0').pax(b"path", b"a\0b")])]).refuses("NUL");
}

#[test]
fn m76_a_gnu_long_name_ends_at_its_first_nul() {
    let long = Raw::new(b"././@LongLink", b'L').body(b"name\0tail\0");
    tar_case([archive(&[long, Raw::new(b"short", b'0').body(b"x")])]).shows("name = x");
}

#[test]
fn m77_a_name_that_is_no_text_survives() {
    let name = b"caf\xe9/\xff\xfe";
    let plain = Raw::new(name, b'0').body(b"x");
    tar_case([archive(std::slice::from_ref(&plain))]).shows("caf\\xe9/; caf\\xe9/\\xff\\xfe = x");
    let long: Vec<u8> = [&[0xff; 90][..], b"/", &[0xfe; 90]].concat();
    let tar = archive(&[Raw::new(&long, b'0').body(b"x"), Raw { link: long.clone(), ..Raw::new(b"h", b'1') }]);
    let seen = entry(&[tar], &long);
    assert_eq!(seen.body, b"x");
    let target = entry(&[archive(&[Raw { link: long.clone(), mode: 0o777, ..Raw::new(b"s", b'2') }])], b"s").link;
    assert_eq!(target, long);
}

#[test]
fn m78_a_regular_entry_with_a_slash() {
    tar_case([archive(&[Raw { mode: 0o755, ..Raw::new(b"d/", 0) }])]).shows("d/");
    tar_case([archive(&[Raw::new(b"f/", b'0').body(b"x")])]).warns("slash-file").shows("f = x");
}

#[test]
fn m79_a_directory_entry_updates_metadata_and_keeps_the_children() {
    case(["d/ [0700 1:2 @3]; d/x", "d/ [0711 5:6 @77]"]).shows("d/ [0711 5:6 @77]; d/x");
}

#[test]
fn m80_attributes_of_a_directory_are_replaced_not_merged() {
    case(["d/ [user.a=1 user.b=2]; d/x", "d/ [user.b=3]"]).shows("d/ [user.b=3]; d/x");
    case(["d/ [user.a=1]; d/x", "d/"]).shows("d/; d/x");
}

#[test]
fn m81_attributes_of_a_file_are_replaced() {
    case(["f [user.a=1] = x", "f [user.b=2] = x"]).shows("f [user.b=2] = x");
}

#[test]
fn m82_a_parent_that_no_layer_names_is_made() {
    case(["d/e/f"]).shows("d/; d/e/; d/e/f");
}

#[test]
fn m83_an_implied_directory_keeps_the_lower_ones_metadata() {
    case(["d/ [0700 5:0 @77 user.k=v]", "d/x"]).shows("d/ [0700 5:0 @77 user.k=v]; d/x");
    case(["d/x", "d/ [0700]", "d/y"]).shows("d/ [0700]; d/x; d/y");
}

#[test]
fn m84_the_root_has_an_entry_if_a_layer_had_one() {
    case(["./ [0700 1:2]; a", "./ [0711]", "b"]).shows("./ [0711]; a; b");
    for (text, roots) in [("./; a", 1), ("a", 0), ("./ [0700]", 1)] {
        let squashed = strip(&docker(&[layer(text)]), &squash()).unwrap();
        let found = squashed.entries().iter().filter(|entry| entry.name == b"./").count();
        assert_eq!(found, roots, "{text}");
    }
}

#[test]
fn m85_a_negative_time_is_kept() {
    case(["f [@-5] = x; d/ [@-1]"]).shows("d/ [@-1]; f [@-5] = x");
}

#[test]
fn m86_a_fraction_of_a_second_is_kept() {
    case(["f [@7+123456789] = x; g [@-5+250000000] = y"]).shows("f [@7+123456789] = x; g [@-5+250000000] = y");
}

#[test]
fn m87_large_owners_and_their_names_are_kept() {
    case(["f [3000000000:4294967294] = x"]).shows("f [3000000000:4294967294] = x");
    let named = Raw { user: b"b\xfcrger".to_vec(), group: b"users".to_vec(), ..Raw::new(b"f", b'0') };
    let long = Raw::new(b"g", b'0').pax(b"uname", &[b'u'; 40]);
    let tar = archive(&[named, long]);
    let seen = entry(std::slice::from_ref(&tar), b"f");
    assert_eq!((&seen.user[..], &seen.group[..]), (&b"b\xfcrger"[..], &b"users"[..]));
    assert_eq!(entry(&[tar], b"g").user, [b'u'; 40]);
}

#[test]
fn m88_special_bits_are_kept_and_type_bits_are_not() {
    case(["f [4755] = x; d/ [1777]; g [2711] = y"]).shows("d/ [1777]; f [4755] = x; g [2711] = y");
    tar_case([archive(&[Raw { mode: 0o100_644, ..Raw::new(b"f", b'0') }])]).shows("f");
}

#[test]
fn m89_devices_and_pipes_pass_through() {
    case(["n char 1:3; b [0660 0:6] block 8:1; p [0600] fifo"])
        .shows("b [0660 0:6] block 8:1; n char 1:3; p [0600] fifo");
    let device = |minor: u64| archive(&[Raw { device: (1, minor), ..Raw::new(b"n", b'3') }]);
    assert_eq!(entry(&[device(u32::MAX.into())], b"n").device, (1, u32::MAX.into()));
    tar_case([device(1 << 32)]).refuses("entry \"n\"");
    // Go reads the header's numbers, libarchive the records.
    let record = Raw { device: (1, 3), ..Raw::new(b"n", b'3') }.pax(b"SCHILY.devminor", b"4");
    tar_case([archive(&[record])]).refuses("entry \"n\"");
}

#[test]
fn m90_a_type_that_tar_does_not_have_is_refused() {
    // A socket has no type of its own: what stands for one in old archives is an unknown type (T20).
    tar_case([archive(&[Raw::new(b"s", b'Z')])]).refuses_as(5, "entry \"s\"");
}

#[test]
fn m91_a_character_device_0_0_is_a_whiteout() {
    case(["f; g", "f char 0:0"]).warns("overlay-whiteout").shows("g");
    case(["d/; d/x; g", "d char 0:0"]).warns("overlay-whiteout").shows("g");
    case(["g", "nodir/f char 0:0"]).warns("overlay-whiteout whiteout-parent").shows("g");
    case(["f; g; h char 0:0"]).warns("overlay-whiteout base-whiteout").shows("f; g");
}

#[test]
fn m91_an_overlay_whiteout_is_seen_through_its_layers_symlinks() {
    case(["q/; q/f; q/g", "p -> q; p/f char 0:0"]).warns("overlay-whiteout").shows("p -> q; q/; q/g");
    case(["q/; q/f; p -> q", "p/f char 0:0"]).warns("overlay-whiteout symlink-whiteout").shows("p/; q/; q/f");
}

#[test]
fn m91_overlay_whiteouts_that_share_an_inode_are_all_whiteouts() {
    // Since Linux 5.7 overlayfs links its whiteouts to one inode, and tar writes the later ones as hard links.
    case(["f; g; h", "f char 0:0; g => f"]).warns("overlay-whiteout").shows("h");
}

#[test]
fn m91_an_overlay_whiteout_takes_the_place_of_an_earlier_entry_of_its_layer() {
    case(["f = old", "f = new; f char 0:0"]).warns("duplicate overlay-whiteout").shows("");
    case(["f = old", "f char 0:0; f = new"]).warns("overlay-whiteout").shows("f = new");
}

#[test]
fn m92_attributes_of_overlayfs_are_left_out() {
    for key in ["trusted.overlay.opaque", "user.overlay.opaque", "trusted.overlay.redirect"] {
        let upper = format!("d/ [{key}=y user.k=v]; d/y");
        case(["d/; d/x", &upper]).texts_off().warns("overlay-xattr").shows("d/ [user.k=v]; d/x; d/y");
    }
}

#[test]
fn m93_attribute_records_pass_through() {
    case(["f [user.k=v\\x00\\x0aw security.selinux=a:b:c] = x"])
        .shows("f [security.selinux=a:b:c user.k=v\\x00\\nw] = x");
    for (key, value) in
        [("SCHILY.acl.access", "user::rw-\n"), ("RHT.security.selinux", "u:r:t"), ("SCHILY.acl.default", "d")]
    {
        let seen = entry(&[archive(&[raw("f = x").pax(key.as_bytes(), value.as_bytes())])], b"f");
        assert_eq!(seen.records, [(key.into(), value.into())]);
    }
}

#[test]
fn m93_an_attribute_in_two_spellings_is_the_schily_one() {
    let both = raw("f = x").pax(b"LIBARCHIVE.xattr.user.k", b"b2xk").pax(b"SCHILY.xattr.user.k", b"new");
    let seen = entry(&[archive(&[both])], b"f");
    let values: Vec<_> = seen.records.iter().filter(|(key, _)| key.ends_with(b"user.k")).collect();
    assert_eq!(values, [&(b"SCHILY.xattr.user.k".to_vec(), b"new".to_vec())]);
}

#[test]
fn m94_a_file_capability_survives_byte_for_byte() {
    let value = b"\x01\x00\x00\x02\x00\x0a\x00=\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0a";
    let tar = archive(&[raw("ping [0755] = elf").pax(b"SCHILY.xattr.security.capability", value)]);
    for options in [squash(), imgstrip::options::Options { mtime: Some(-1), ..squash() }] {
        let squashed = strip(&docker(std::slice::from_ref(&tar)), &options).unwrap();
        let entries = squashed.entries();
        assert_eq!(entries[0].records, [(b"SCHILY.xattr.security.capability".to_vec(), value.to_vec())]);
    }
}

#[test]
fn m95_attributes_of_a_link_group_stand_on_the_name_that_carries_the_data() {
    case(["a [user.k=v] = x; b [user.k=v] => a", ".wh.a"]).shows("b [user.k=v] = x");
    case(["a [user.k=v] = x; b => a", ".wh.a"]).shows("b [user.k=v] = x");
    let squashed = strip(&docker(&[layer("a [user.k=v] = x; b => a; c => a"), layer(".wh.a")]), &squash()).unwrap();
    let entries = squashed.entries();
    let carrier = entries.iter().find(|entry| entry.typeflag == b'0').unwrap();
    assert_eq!(carrier.records, [(b"SCHILY.xattr.user.k".to_vec(), b"v".to_vec())]);
    let link = entries.iter().find(|entry| entry.typeflag == b'1').unwrap();
    // Engines chown by the link's header, which clears a capability that the header lacks.
    assert_eq!(link.records, carrier.records);
}

#[test]
fn m96_an_empty_layer_changes_nothing() {
    case(["a", "", "b"]).shows("a; b");
    tar_case([layer("a"), vec![0; 1024], layer("b")]).shows("a; b");
}

#[test]
fn m96_a_layer_of_no_bytes_changes_nothing() {
    tar_case([layer("a"), Vec::new(), layer("b")]).shows("a; b");
}
