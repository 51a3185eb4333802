//! Trees in the text form, and what differs between them, one line a path.

use super::*;
use crate::rootfs::{Source, text};

fn tree(lines: &str) -> Tree {
    text::tree(lines).unwrap()
}

fn same(_: &RootPath, a: &Content, b: &Content) -> Result<bool, Error> {
    match (&a.source, &b.source) {
        (Source::Owned(a), Source::Owned(b)) => Ok(a == b),
        _ => Err(Error::malformed("no bytes at hand")),
    }
}

fn shown(a: &str, b: &str) -> String {
    let mut lines = Vec::new();
    for Difference { path, change, details } in diff(&tree(a), &tree(b), &mut same).unwrap() {
        let mut line = format!("{change:?} {path}");
        for Detail { what, before, after } in details {
            line.push_str(&format!("; {} {before} -> {after}", what.name()));
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[test]
fn a_tree_equals_itself_whatever_the_order_of_its_entries() {
    let lines =
        "./ [0700]\nd/ [0711 5:6 @77]\nd/a [4755 user.k=v] = one\nd/s -> ../x\ndev char 1:3\nf = x\ng => f\np fifo\n";
    assert_eq!(shown(lines, lines), "");
    assert_eq!(shown("a = x\nb => a\nc/d = y", "c/d = y\nb = x\na => b"), "");
}

#[test]
fn a_directory_that_is_only_implied_equals_one_that_says_the_same() {
    assert_eq!(shown("d/e/f", "d/\nd/e/\nd/e/f"), "");
    assert_eq!(shown("d/f", "d/ [0700]\nd/f"), "Changed /d; mode 0755 -> 0700");
}

#[test]
fn what_only_one_tree_has_is_told_with_all_below_it_in_order() {
    assert_eq!(shown("a/b/c\na/z\nk", "a/z\nk\nn/m -> x"), "Removed /a/b\nRemoved /a/b/c\nAdded /n\nAdded /n/m");
    // By name, not by the bytes of the path, where `-` comes before `/`.
    assert_eq!(shown("", "a-b\na/b"), "Added /a\nAdded /a/b\nAdded /a-b");
}

#[test]
fn every_aspect_of_a_path_is_told_with_both_values() {
    let cases = [
        ("f = one", "f = two", "content  -> "),
        ("f = one", "f = three", "size 3 -> 5"),
        ("f", "f [4755]", "mode 0644 -> 4755"),
        ("f", "f [1:2]", "owner 0:0 -> 1:2"),
        ("f [@1]", "f [@1+5]", "mtime 1 -> 1+000000005"),
        ("f -> a", "f -> b\\n", "link-target a -> b\\n"),
        ("f char 1:3", "f char 1:5", "device 1:3 -> 1:5"),
        ("f block 1:3", "f block 2:3", "device 1:3 -> 2:3"),
        ("f [user.a=1 user.b=2]", "f [user.a=1 user.b=3 user.c=]", "xattrs user.b=2 -> user.b=3 user.c="),
        ("f [0644] fifo", "f [0644]", "type fifo -> file"),
        ("f [0755] char 1:3", "f [0755] block 1:3", "type character device -> block device"),
    ];
    for (a, b, expected) in cases {
        assert_eq!(shown(a, b), format!("Changed /f; {expected}"), "{a} | {b}");
    }
    assert_eq!(shown("f [@1] = a", "f [1:1 @2] = b"), "Changed /f; owner 0:0 -> 1:1; mtime 1 -> 2; content  -> ");
}

#[test]
fn a_directory_that_became_a_file_is_changed_and_what_was_in_it_removed() {
    assert_eq!(shown("d/x\n", "d [0755]"), "Changed /d; type directory -> file\nRemoved /d/x");
}

#[test]
fn a_long_attribute_is_cut_where_it_is_shown() {
    let long = "x".repeat(100);
    let told = shown("f", &format!("f [user.a={long}]"));
    assert_eq!(told, format!("Changed /f; xattrs  -> user.a={}...", "x".repeat(32)));
}

#[test]
fn a_broken_hard_link_is_told_by_each_of_its_names() {
    assert_eq!(
        shown("a = x\nb => a", "a = x\nb = x"),
        "Changed /a; hard-links 2 names from /a on -> 1 name\nChanged /b; hard-links 2 names from /a on -> 1 name"
    );
    assert_eq!(shown("a = x\nb = x", "a = x\nb => a").matches("hard-links 1 name ->").count(), 2);
}

#[test]
fn links_that_were_dealt_out_anew_differ_although_the_numbers_are_the_same() {
    let told = shown("a = x\nb => a\nc = x\nd => c", "a = x\nc => a\nb = x\nd => b");
    assert_eq!(told.lines().count(), 4, "{told}");
    assert!(told.contains("Changed /b; hard-links 2 names from /a on -> 2 names from /b on"), "{told}");
}

#[test]
fn a_removed_name_does_not_change_the_names_it_shared_an_inode_with() {
    assert_eq!(shown("a = x\nb => a\nc => a", "b = x\nc => b"), "Removed /a");
    assert_eq!(shown("a = x\nb => a", "b = x"), "Removed /a");
}

#[test]
fn contents_are_asked_for_once_a_pair_of_inodes_and_only_where_sizes_are_equal() {
    let mut asked = Vec::new();
    let (a, b) = (tree("a = x\nb => a\nc = yy\nd = z"), tree("a = x\nb => a\nc = y\nd = z"));
    let mut same = |path: &RootPath, _: &Content, _: &Content| {
        asked.push(path.to_string());
        Ok(true)
    };
    let differences = diff(&a, &b, &mut same).unwrap();
    assert_eq!((asked.join(" "), differences.len()), ("/a /d".into(), 1));
}

#[test]
fn an_error_of_the_comparison_of_bytes_ends_it() {
    let mut fails = |_: &RootPath, _: &Content, _: &Content| Err(Error::integrity("cut off"));
    assert!(diff(&tree("a = x"), &tree("a = y"), &mut fails).is_err());
}

#[test]
fn three_thousand_directories_inside_one_another_need_no_stack() {
    let deep = format!("{}f", "d/".repeat(3_000));
    assert_eq!(shown(&deep, &deep), "");
}
