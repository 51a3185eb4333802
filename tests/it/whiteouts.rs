//! merge.md, 2.1: whiteouts and opaque directories.

use crate::case::{case, tar_case};
use crate::tar::{Raw, archive};

#[test]
fn m01_a_whiteout_hides_a_file_of_a_lower_layer() {
    case(["a/; a/x; a/y", "a/.wh.x"]).shows("a/; a/y");
}

#[test]
fn m02_a_whiteout_hides_a_whole_subtree() {
    case(["a/; a/x; a/d/; a/d/e; b/z", ".wh.a"]).shows("b/; b/z");
}

#[test]
fn m03_a_whiteout_of_nothing_is_ignored() {
    case(["a", ".wh.nope"]).shows("a");
    case(["d/", "d/.wh.nope"]).shows("d/");
    case(["a", "new/; new/.wh.nope; new/f"]).shows("a; new/; new/f");
}

#[test]
fn m04_a_whiteout_without_a_parent_makes_no_directory() {
    case(["a", "nodir/.wh.nope"]).warns("whiteout-parent").shows("a");
}

#[test]
fn m05_an_opaque_directory_hides_what_is_below() {
    case(["a/; a/x", "a/; a/.wh..wh..opq; a/y"]).shows("a/; a/y");
}

#[test]
fn m06_an_opaque_mark_counts_wherever_it_stands() {
    case(["a/; a/x", "a/; a/y; a/.wh..wh..opq"]).shows("a/; a/y");
}

#[test]
fn m07_an_opaque_mark_spares_all_of_its_own_layer() {
    case(["a/; a/b/; a/b/old", "a/; a/b/; a/b/c/; a/b/c/foo; a/.wh..wh..opq"]).shows("a/; a/b/; a/b/c/; a/b/c/foo");
}

#[test]
fn m08_an_opaque_mark_spares_entries_whose_parents_are_only_implied() {
    case(["a/b/old", "a/b/new; a/.wh..wh..opq"]).shows("a/; a/b/; a/b/new");
    case(["a/; a/b/ [0700]; a/b/old", "a/b/new; a/.wh..wh..opq"]).shows("a/; a/b/; a/b/new");
}

#[test]
fn m09_an_opaque_directory_without_an_entry_keeps_its_lower_metadata() {
    case(["a/ [0700]; a/x", "a/.wh..wh..opq; a/y"]).shows("a/ [0700]; a/y");
}

#[test]
fn m10_an_opaque_mark_in_a_missing_directory_makes_none() {
    case(["f", "a/.wh..wh..opq"]).warns("whiteout-parent").shows("f");
}

#[test]
fn m11_an_opaque_root_hides_everything_below() {
    case(["k; a/; a/x", ".wh..wh..opq; n"]).warns("opaque-root").shows("n");
}

#[test]
fn m12_a_file_may_replace_the_one_that_its_layer_whites_out() {
    case(["f = old", ".wh.f; f = new"]).shows("f = new");
}

#[test]
fn m13_a_whiteout_never_hides_its_own_layer() {
    case(["f = old", "f = new; .wh.f"]).warns("whiteout-beside-entry").shows("f = new");
}

#[test]
fn m14_a_whiteout_never_hides_its_own_layer_even_if_nothing_is_below() {
    case(["", "f = new; .wh.f"]).warns("whiteout-beside-entry").shows("f = new");
    case(["f = new; .wh.f"]).warns("whiteout-beside-entry base-whiteout").shows("f = new");
}

#[test]
fn m15_a_directory_that_replaces_a_whited_out_one_starts_empty() {
    case(["d/; d/old", ".wh.d; d/; d/new"]).warns("whiteout-beside-directory").shows("d/; d/new");
}

#[test]
fn m16_a_directory_starts_empty_even_if_its_whiteout_comes_last() {
    case(["d/; d/old", "d/; d/new; .wh.d"]).warns("whiteout-beside-entry").shows("d/; d/new");
}

#[test]
fn m17_a_whited_out_directory_may_be_implied_again() {
    case(["d/ [0700]; d/old", ".wh.d; d/new"]).warns("whiteout-beside-directory").shows("d/; d/new");
}

#[test]
fn m18_a_directory_and_its_content_may_both_be_whited_out() {
    case(["d/; d/old", ".wh.d; d/.wh.old"]).warns("whiteout-parent").shows("");
    case(["d/; d/old", "d/.wh.old; .wh.d"]).warns("whiteout-parent").shows("");
}

#[test]
fn m19_a_whiteout_in_an_opaque_directory_leaves_no_ghost() {
    case(["d/; d/old; d/older", "d/.wh..wh..opq; d/.wh.old; d/new"]).shows("d/; d/new");
}

#[test]
fn m20_what_a_symlink_replaced_stays_dead_when_the_directory_returns() {
    case(["d/; d/x; d/y", "d -> e; e/", "d/; d/z"]).shows("d/; d/z; e/");
}

#[test]
fn m21_what_a_whiteout_hid_stays_dead_when_the_directory_returns() {
    case(["a/; a/x", ".wh.a", "a/y"]).shows("a/; a/y");
}

#[test]
fn m22_a_whiteout_in_the_base_layer_is_never_written() {
    case(["a; .wh.b"]).warns("base-whiteout").shows("a");
    case(["a; d/.wh.b"]).warns("base-whiteout").shows("a");
    case(["a; d/; d/.wh..wh..opq"]).warns("base-whiteout").shows("a; d/");
}

#[test]
fn m23_the_name_makes_a_whiteout_not_the_type() {
    for odd in [".wh.f = text", ".wh.f/", ".wh.f -> x", ".wh.f fifo"] {
        case(["f; g", odd]).warns("odd-whiteout").shows("g");
    }
}

#[test]
fn m24_a_whiteout_of_no_name_is_refused() {
    case(["a", ".wh."]).refuses("whiteout");
    case(["a", "d/.wh."]).refuses("whiteout");
}

#[test]
fn m25_a_whiteout_of_the_directory_itself_or_its_parent_is_refused() {
    case(["d/; d/x", "d/.wh.."]).refuses("whiteout");
    case(["d/; d/x", "d/.wh..."]).refuses("whiteout");
    case(["d/; d/x", ".wh.."]).refuses("whiteout");
}

#[test]
fn m26_a_directory_named_like_a_whiteout_is_kept_without_an_entry_of_its_own() {
    case(["f = kept", ".wh.f/y = text"]).warns("whiteout-directory").shows(".wh.f/; .wh.f/y = text; f = kept");
}

#[test]
fn m26_an_opaque_mark_is_no_directory() {
    case(["d/", "d/.wh..wh..opq/x"]).refuses("opaque mark");
    case(["d/", "d/.wh..wh..opq/.wh.x"]).refuses("opaque mark");
}

#[test]
fn m27_aufs_metadata_is_dropped() {
    case(["a; .wh..wh.aufs; .wh..wh.orph/; .wh..wh.orph/x = old; .wh..wh.foo"]).shows("a");
    case(["p", "d/.wh..wh.foo"]).shows("p"); // nor does it leave the directory that it implied
    case(["d -> q; q/", "d/.wh..wh.foo"]).shows("d -> q; q/");
}

#[test]
fn m28_an_aufs_hard_link_keeps_its_content() {
    case([".wh..wh.plnk/; .wh..wh.plnk/1.2 = text; n => .wh..wh.plnk/1.2"]).shows("n = text");
    case([".wh..wh.plnk/1.2 = text; n => .wh..wh.plnk/1.2; d/m => .wh..wh.plnk/1.2"]).shows("d/; d/m = text; n => d/m");
}

#[test]
fn m29_a_whiteout_hits_the_symlink_not_its_target() {
    case(["q/; q/x; p -> q", ".wh.p"]).shows("q/; q/x");
}

#[test]
fn m30_nested_opaque_marks_both_apply() {
    case(["a/; a/x; a/b/; a/b/y", "a/; a/.wh..wh..opq; a/b/; a/b/.wh..wh..opq; a/b/n"]).shows("a/; a/b/; a/b/n");
    case(["a/; a/x; a/b/ [0700]; a/b/y", "a/b/.wh..wh..opq"]).shows("a/; a/b/ [0700]; a/x");
}

#[test]
fn a_whiteout_that_aufs_linked_to_one_inode_is_plain() {
    let mut link = Raw::new(b".wh.f", b'1');
    link.link = b".wh..wh.aufs".to_vec();
    let lower = crate::lines::layer("f; g");
    tar_case([lower, archive(&[Raw::new(b".wh..wh.aufs", b'0'), link])]).shows("g");
}

#[test]
fn a_whiteout_below_a_file_makes_a_directory_as_overlay_engines_do() {
    case(["f = x; g", "f/.wh.y"]).warns("file-parent").shows("f/; g");
}
