//! merge.md, 2.2: type changes and symlinked parents.

use crate::case::{case, tar_case};
use crate::tar::{Raw, archive};

#[test]
fn m31_a_directory_replaces_a_file() {
    case(["p = file", "p/; p/x"]).shows("p/; p/x");
}

#[test]
fn m32_an_implied_directory_replaces_a_file() {
    case(["p = file", "p/x"]).warns("file-parent").shows("p/; p/x");
    case(["p fifo", "p/x/y"]).warns("file-parent").shows("p/; p/x/; p/x/y");
}

#[test]
fn m33_a_file_replaces_a_directory_and_all_below_it() {
    case(["p/; p/x; p/d/; p/d/y", "p = file"]).shows("p = file");
}

#[test]
fn m34_a_symlink_replaces_a_directory_and_moves_nothing() {
    case(["q/; p/; p/x", "p -> q"]).shows("p -> q; q/");
}

#[test]
fn m35_an_explicit_directory_replaces_a_symlink() {
    case(["q/; q/y; p -> q", "p/; p/x"]).shows("p/; p/x; q/; q/y");
    case(["q/; q/y; p -> q", "p/; p/x"]).follow().shows("p/; p/x; q/; q/y");
    case(["q/; q/y; p -> q", "p/; p/x"]).forbid().shows("p/; p/x; q/; q/y");
}

const USRMERGE: &str = "usr/; usr/lib/; usr/lib/old; lib -> usr/lib";

#[test]
fn m36_an_implied_directory_replaces_a_lower_symlink() {
    case([USRMERGE, "lib/x"]).warns("symlink-parent").shows("lib/; lib/x; usr/; usr/lib/; usr/lib/old");
    case([USRMERGE, "lib/x"]).follow().shows("lib -> usr/lib; usr/; usr/lib/; usr/lib/old; usr/lib/x");
    case([USRMERGE, "lib/x"]).forbid().refuses("--symlink-parents");
}

#[test]
fn m36_following_goes_on_below_the_symlink() {
    case([USRMERGE, "lib/a/b/x; lib/old = new"])
        .follow()
        .shows("lib -> usr/lib; usr/; usr/lib/; usr/lib/a/; usr/lib/a/b/; usr/lib/a/b/x; usr/lib/old = new");
    case(["r/; s -> t; t -> r; r/u -> /v; v/", "s/u/x"]).follow().shows("r/; r/u -> /v; s -> t; t -> r; v/; v/x");
}

#[test]
fn m36_following_lands_in_what_the_layer_itself_makes_of_the_target() {
    case([USRMERGE, "lib/x; .wh.usr; usr/; usr/lib/; usr/lib/new"])
        .follow()
        .warns("whiteout-beside-directory")
        .shows("lib -> usr/lib; usr/; usr/lib/; usr/lib/new; usr/lib/x");
    case([USRMERGE, "lib/x; usr/lib -> ../other; other/"])
        .follow()
        .shows("lib -> usr/lib; other/; other/x; usr/; usr/lib -> ../other");
    case([USRMERGE, "lib/x; usr = file"]).follow().warns("symlink-parent").shows("lib/; lib/x; usr = file");
}

#[test]
fn m37_an_absolute_symlink_is_treated_alike() {
    let lower = "usr/lib/old; lib -> /usr/lib";
    case([lower, "lib/x"]).warns("symlink-parent").shows("lib/; lib/x; usr/; usr/lib/; usr/lib/old");
    case([lower, "lib/x"]).follow().shows("lib -> /usr/lib; usr/; usr/lib/; usr/lib/old; usr/lib/x");
    case([lower, "lib/x"]).forbid().refuses("--symlink-parents");
}

#[test]
fn m38_a_symlink_of_the_same_layer_is_followed() {
    for target in ["usr/lib", "/usr/lib", "./usr//lib/", "../usr/lib"] {
        let layer = format!("usr/; usr/lib/; lib -> {target}; lib/x");
        case([&layer]).shows(&format!("lib -> {target}; usr/; usr/lib/; usr/lib/x"));
        case(["usr/lib/old", &layer])
            .forbid()
            .shows(&format!("lib -> {target}; usr/; usr/lib/; usr/lib/old; usr/lib/x"));
    }
    case(["d/e/; d/s -> ../f; f/; d/e/t -> ../s/g; d/e/t/x"])
        .shows("d/; d/e/; d/e/t -> ../s/g; d/s -> ../f; f/; f/g/; f/g/x");
}

#[test]
fn m38_a_dotdot_in_a_symlink_makes_no_directory_on_the_way() {
    case(["s -> m/../t; s/x"]).shows("s -> m/../t; t/; t/x");
    case(["k/; m -> k", "s -> m/../t; s/x"]).shows("k/; m -> k; s -> m/../t; t/; t/x");
}

#[test]
fn m38_a_name_that_a_symlink_only_passes_is_no_directory() {
    // Found by the slow model: the way through `c` left a directory there, which no link may name.
    case(["c char 0:0; a -> c/../b; a/x = new; a => c"])
        .warns("base-whiteout duplicate overlay-whiteout")
        .shows("b/; b/x = new");
}

#[test]
fn m36_an_entry_that_meets_itself_behind_a_symlink_is_counted_once() {
    let lower = "q/; q/a -> t; d -> q";
    case([lower, "d/a/a = x; q/a => d/a/a"]).follow().warns("file-parent").shows("d -> q; q/; q/a/; q/a/a = x");
}

#[test]
fn m38_a_whiteout_through_a_symlink_of_its_own_layer_goes_where_the_symlink_leads() {
    case(["usr/lib/old; usr/lib/keep", "lib -> usr/lib; lib/.wh.old"])
        .shows("lib -> usr/lib; usr/; usr/lib/; usr/lib/keep");
}

#[test]
fn m39_an_implied_directory_replaces_a_dangling_symlink() {
    case(["lib -> nowhere", "lib/x"]).warns("symlink-parent").shows("lib/; lib/x");
    case(["lib -> nowhere", "lib/x"]).follow().warns("symlink-parent").shows("lib/; lib/x");
    case(["lib -> nowhere", "lib/x"]).forbid().refuses("--symlink-parents");
}

#[test]
fn m40_an_implied_directory_replaces_a_symlink_to_a_file() {
    case(["f = file; lib -> f", "lib/x"]).warns("symlink-parent").shows("f = file; lib/; lib/x");
    case(["f = file; lib -> f", "lib/x"]).follow().warns("symlink-parent").shows("f = file; lib/; lib/x");
    case(["f = file; lib -> f", "lib/x"]).forbid().refuses("--symlink-parents");
}

#[test]
fn m40_a_symlink_leads_through_no_file_and_through_nothing_missing() {
    for target in ["f/../d", "gone/../d"] {
        let lower = format!("d/; f; lib -> {target}");
        case([&lower, "lib/x"]).follow().warns("symlink-parent").shows("d/; f; lib/; lib/x");
        case([&format!("{lower}; d/y"), "h => lib/y"]).refuses("entry \"h\"");
    }
}

#[test]
fn m41_a_symlink_never_leads_out_of_the_root() {
    let lower = "s -> ../../../../etc; etc/; etc/k";
    case([lower, "s/x"]).warns("symlink-parent").shows("etc/; etc/k; s/; s/x");
    case([lower, "s/x"]).follow().shows("etc/; etc/k; etc/x; s -> ../../../../etc");
    case([lower, "s/x"]).forbid().refuses("--symlink-parents");
    case(["s -> ../../../../etc; s/x"]).shows("etc/; etc/x; s -> ../../../../etc");
}

#[test]
fn m42_a_symlink_loop_is_replaced_across_layers_and_refused_in_one() {
    case(["l1 -> l2; l2 -> l1", "l1/x"]).warns("symlink-parent").shows("l1/; l1/x; l2 -> l1");
    case(["l1 -> l2; l2 -> l1", "l1/x"]).follow().warns("symlink-parent").shows("l1/; l1/x; l2 -> l1");
    case(["l1 -> l2; l2 -> l1", "l1/x"]).forbid().refuses("--symlink-parents");
    case(["l1 -> l2; l2 -> l1; l1/x"]).refuses_as(6, "entry \"l1/x\": too many symlinks");
    case(["l1 -> l2; l2 -> l1; l1/.wh.x"]).refuses_as(6, "too many symlinks");
    case(["l1 -> l2; l2 -> l1; h => l1/x"]).refuses_as(6, "too many symlinks");
}

#[test]
fn m43_a_whiteout_through_a_lower_symlink_replaces_the_symlink() {
    case([USRMERGE, "lib/.wh.old"]).warns("symlink-whiteout").shows("lib/; usr/; usr/lib/; usr/lib/old");
    case([USRMERGE, "lib/.wh.old"]).follow().shows("lib -> usr/lib; usr/; usr/lib/");
    case([USRMERGE, "lib/.wh.old"]).forbid().refuses("--symlink-parents");
}

#[test]
fn m43_a_whiteout_and_an_entry_go_through_a_lower_symlink_alike() {
    case([USRMERGE, "lib/.wh.old; lib/x"]).warns("symlink-parent").shows("lib/; lib/x; usr/; usr/lib/; usr/lib/old");
    case([USRMERGE, "lib/.wh.old; lib/x"]).follow().shows("lib -> usr/lib; usr/; usr/lib/; usr/lib/x");
    case([USRMERGE, "lib/.wh.old; lib/x"]).forbid().refuses("--symlink-parents");
    case([USRMERGE, "lib/; lib/.wh.old; lib/x"]).follow().shows("lib/; lib/x; usr/; usr/lib/; usr/lib/old");
}

#[test]
fn m43_a_symlink_that_the_layer_removes_anyway_forbids_nothing() {
    case(["c/b -> a", "c/.wh..wh..opq; c/b/x; c/b/.wh.y"]).forbid().shows("c/; c/b/; c/b/x");
}

#[test]
fn m44_an_opaque_mark_through_a_lower_symlink_replaces_the_symlink() {
    case([USRMERGE, "lib/.wh..wh..opq"]).warns("symlink-whiteout").shows("lib/; usr/; usr/lib/; usr/lib/old");
    case([USRMERGE, "lib/.wh..wh..opq"]).follow().shows("lib -> usr/lib; usr/; usr/lib/");
    case([USRMERGE, "lib/.wh..wh..opq"]).forbid().refuses("--symlink-parents");
    case([USRMERGE, "lib/.wh..wh..opq; lib/x"]).follow().shows("lib -> usr/lib; usr/; usr/lib/; usr/lib/x");
}

#[test]
fn m45_a_root_that_is_no_directory_is_refused() {
    for typeflag in [b'0', b'2', b'6'] {
        let mut root = Raw::new(b".", typeflag);
        root.link = b"etc".to_vec();
        tar_case([archive(&[root])]).refuses("root");
    }
    let mut root = Raw::new(b".", b'1');
    root.link = b"etc".to_vec();
    tar_case([crate::lines::layer("etc"), archive(&[root])]).refuses("root");
    case(["a", "h => ."]).refuses("root");
}

#[test]
fn m46_a_removed_subtree_is_never_seen_again() {
    case(["d/; d/x", "d = file", ".wh.d", "d/"]).shows("d/");
    case(["d/; d/x", "d -> e", "d/y"]).warns("symlink-parent").shows("d/; d/y");
}
