//! merge.md, 2.3: hard links. A hard link is a second name of an inode, not a pointer to a path.

use crate::case::{case, tar_case};
use crate::image::{docker, squash, strip};
use crate::lines::{layer, raw};
use crate::tar::{Raw, archive};
use imgstrip::rules::Rules;

#[test]
fn m50_a_hard_link_to_a_lower_file_shares_its_inode() {
    case(["a = data", "b => a"]).warns("lower-link").shows("a = data; b => a");
    case(["d/; d/a = data", "e/; e/b => d/a; c => e/b"])
        .warns("lower-link")
        .shows("c = data; d/; d/a => c; e/; e/b => c");
}

#[test]
fn m51_the_link_keeps_the_data_when_its_target_is_whited_out() {
    case(["a = data", "b => a", ".wh.a"]).warns("lower-link").shows("b = data");
}

#[test]
fn m52_the_link_keeps_the_old_data_when_its_target_is_replaced() {
    case(["a = old", "b => a", "a = new"]).warns("lower-link").shows("a = new; b = old");
}

#[test]
fn m53_replacing_one_of_three_names_leaves_the_other_two() {
    case(["t2 = old; t1 => t2; t3 => t2", "t1 = new"]).shows("t1 = new; t2 = old; t3 => t2");
    case(["t2 = old; t1 => t2; t3 => t2", "t2 = new"]).shows("t1 = old; t2 = new; t3 => t1");
}

#[test]
fn m54_a_link_may_precede_the_whiteout_of_its_target() {
    case(["a = data", "b => a; .wh.a"]).warns("link-to-whiteout").shows("b = data");
}

#[test]
fn m55_a_link_may_follow_the_whiteout_of_its_target() {
    case(["a = data", ".wh.a; b => a"]).warns("link-to-whiteout").shows("b = data");
    case(["d/; d/a = data", ".wh.d; b => d/a"]).warns("link-to-whiteout").shows("b = data");
    case(["d/; d/a = data", "d/.wh..wh..opq; b => d/a"]).warns("link-to-whiteout").shows("b = data; d/");
}

#[test]
fn m56_the_last_of_a_chain_of_links_is_a_regular_file() {
    case(["a = data; b => a; c => b", ".wh.a; .wh.b"]).shows("c = data");
}

#[test]
fn m57_a_link_before_its_target_is_refused() {
    case(["b => a; a = data"]).refuses("entry \"b\": the hard link's target /a does not exist");
}

#[test]
fn m58_a_link_before_a_new_target_names_the_lower_one() {
    case(["a = old", "b => a; a = new"]).warns("lower-link").shows("a = new; b = old");
}

#[test]
fn m59_a_link_to_nothing_is_refused() {
    case(["b => a"]).refuses("entry \"b\": the hard link's target /a does not exist");
    case(["a", ".wh.a", "b => a"]).refuses("entry \"b\"");
    case(["f", "b => f/x"]).refuses("entry \"b\"");
    case(["f; b => f/x"]).refuses("entry \"b\"");
}

#[test]
fn m60_a_link_to_a_directory_is_refused() {
    case(["d/; b => d"]).refuses("directory");
    case(["d/", "b => d"]).refuses("directory");
}

#[test]
fn m61_a_link_to_a_symlink_is_the_symlink() {
    case(["f = x; s -> f; h [0777] => s"]).shows("f = x; h -> f; s => h");
    case(["f = x; s -> f", "h [0777] => s"]).warns("lower-link").shows("f = x; h -> f; s => h");
    case(["p fifo; q => p"]).shows("p fifo; q => p");
    case(["p char 1:3; q => p"]).shows("p char 1:3; q => p");
}

#[test]
fn m62_a_link_to_itself_needs_a_lower_file() {
    case(["a => a"]).refuses("entry \"a\"");
    case(["a = data", "a => a"]).warns("lower-link").shows("a = data");
    case(["a = data; a => a"]).warns("duplicate").shows("a = data");
    case(["a = data; b => a; a => a"]).warns("duplicate").shows("a = data; b => a");
}

#[test]
fn m63_a_link_replaces_what_has_its_name() {
    case(["a = a; b = b", "b => a"]).warns("lower-link").shows("a = a; b => a");
    case(["a = a; b/; b/x", "b => a"]).warns("lower-link").shows("a = a; b => a");
    case(["a = a; b = b; b => a"]).warns("duplicate").shows("a = a; b => a");
}

#[test]
fn m64_writing_to_one_name_never_changes_the_other() {
    case(["a = old; b => a", "b = new"]).shows("a = old; b = new");
}

#[test]
fn m65_a_links_own_header_changes_nothing() {
    case(["a [0600 5:6 @7] = x; b [0777 @5] => a"]).warns("link-metadata").shows("a [0600 5:6 @7] = x; b => a");
    case(["a [0600] = x", "b [0777] => a"]).warns("link-metadata lower-link").shows("a [0600] = x; b => a");
    case(["a [user.k=v] = x; b => a"]).shows("a [user.k=v] = x; b => a");
    case(["a [user.k=v] = x; b [user.k=w] => a"]).warns("link-metadata").shows("a [user.k=v] = x; b => a");
    case(["a [0600] = x; b [0777] => a", ".wh.a"]).warns("link-metadata").shows("b [0600] = x");
}

#[test]
fn m66_a_link_target_may_lead_through_a_symlink() {
    case(["r/; r/f = x; s -> r; b => s/f"]).shows("b = x; r/; r/f => b; s -> r");
    case(["r/; r/f = x; s -> /r; b => /s/f"]).shows("b = x; r/; r/f => b; s -> /r");
    case(["r/; r/f = x; s -> r", "b => s/f"]).warns("lower-link").shows("b = x; r/; r/f => b; s -> r");
    case(["r/; r/f = x", "s -> r; b => s/f"]).warns("lower-link").shows("b = x; r/; r/f => b; s -> r");
}

#[test]
fn m67_a_link_target_stays_in_the_root() {
    for target in ["/a", "../../a", "./a", "x/../a", "/../a"] {
        let link = format!("b => {target}");
        case([&format!("a = x; {link}")]).shows("a = x; b => a");
        case(["a = x", &link]).warns("lower-link").shows("a = x; b => a");
    }
}

#[test]
fn m68_a_link_keeps_what_its_target_was_when_it_was_made() {
    case(["a = 1; b => a; a = 2"]).warns("duplicate").shows("a = 2; b = 1");
}

/// A dropped file whose other names stay.
fn dropping(glob: &str, layers: &[&str]) -> String {
    let layers: Vec<Vec<u8>> = layers.iter().map(|text| layer(text)).collect();
    let rules = Rules::builder().drop(glob).unwrap().build().unwrap();
    let squashed = strip(&docker(&layers), &imgstrip::options::Options { rules, ..squash() }).unwrap();
    assert!(squashed.report.images[0].accounting.balances());
    squashed.text()
}

#[test]
fn m69_a_rule_that_takes_the_data_carrier_promotes_the_next_link() {
    let layer = "x/; x/a [0600] = data; x/y; b [0600] => x/a; c [0600] => x/a";
    assert_eq!(dropping("/x/a", &[layer]), "b [0600] = data\nc => b\nx/\nx/y\n");
    assert_eq!(dropping("/b", &[layer]), "c [0600] = data\nx/\nx/a => c\nx/y\n");
    assert_eq!(dropping("/x/a", &["x/a = data; x/y; b => x/a", "c => b", ".wh.b"]), "c = data\nx/\nx/y\n");
}

#[test]
fn m70_the_data_comes_before_its_links_whatever_the_sources_say() {
    // `show` checks on every output that a link's target comes earlier; here the natural order is the wrong one.
    case(["z = data", "a => z", ".wh.z", "b => a; .wh.a"]).warns("lower-link link-to-whiteout").shows("b = data");
    case(["z = data; y => z; x => y", ".wh.z", "w => x"]).warns("lower-link").shows("w = data; x => w; y => w");
    case(["d/; d/f = data; e => d/f", "d/; d/.wh.f; a/; a/g => e"])
        .warns("lower-link")
        .shows("a/; a/g = data; d/; e => a/g");
}

#[test]
fn m70_a_link_of_an_upper_directory_keeps_its_parents_first() {
    case(["f = data", "f2 = x; deep/er/g => f", "deep/ [0700]; f = new"])
        .warns("lower-link")
        .shows("deep/ [0700]; deep/er/; deep/er/g = data; f = new; f2 = x");
}

#[test]
fn a_link_whose_header_has_a_size_is_refused() {
    let link = Raw { link: b"a".to_vec(), body: vec![b'x'; 512], ..Raw::new(b"b", b'1') };
    tar_case([archive(&[raw("a = x"), link])]).refuses("entry \"b\"");
}

#[test]
fn a_thousand_links_are_one_file() {
    let links: Vec<Raw> = (0..1000).map(|n| raw(&format!("l{n:04} => f"))).collect();
    let tar = archive(&[vec![raw("f = once")], links].concat());
    let squashed = strip(&docker(&[tar]), &squash()).unwrap();
    let entries = squashed.entries();
    assert_eq!(entries.iter().filter(|entry| entry.typeflag == b'0').count(), 1);
    assert_eq!(entries.iter().filter(|entry| entry.typeflag == b'1').count(), 1000);
}
