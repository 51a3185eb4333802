//! The plan: what every order of writing must satisfy, on random trees and after random drops.

use crate::case::merge;
use crate::model::{stacks, texts};
use imgstrip::options::SymlinkParents;
use imgstrip::rootfs::{Descend, InodeKind, Plan, RootPath, Step, Tree};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Checks a plan, and that it writes all of the tree.
fn check(tree: &Tree, plan: &Plan) {
    let mut written: BTreeMap<RootPath, usize> = BTreeMap::new();
    let mut carriers: BTreeSet<usize> = BTreeSet::new();
    for item in &plan.items {
        let path = &item.path;
        assert!(!path.components().any(|name| name.starts_with(b".wh.")), "{path}: no whiteout");
        assert_eq!(RootPath::from_entry_name(&[b"./", path.as_bytes()].concat()).unwrap(), *path, "a clean name");
        if let Some((parent, _)) = path.split_last().filter(|(parent, _)| !parent.is_root()) {
            assert!(written.contains_key(&parent), "{path}: its parent comes first");
        }
        let (Step::Copy { inode, .. } | Step::Encode { inode } | Step::Link { inode, .. }) = &item.step else {
            panic!("{path}: a whiteout, where nothing lies below");
        };
        match &item.step {
            Step::Link { target, .. } => {
                assert!(!target.as_bytes().starts_with(b"/"), "a relative link target");
                assert_eq!(
                    written.get(target),
                    Some(&inode.index()),
                    "{path}: its target is written, and the same inode"
                );
            }
            Step::Copy { .. } | Step::Whiteout => panic!("text has no bytes to copy, and no whiteouts stay"),
            Step::Encode { .. } => assert!(carriers.insert(inode.index()), "{path}: an inode is carried once"),
        }
        assert!(written.insert(path.clone(), inode.index()).is_none(), "{path}: stands once");
        let there = tree.lookup(path).map(|node| tree.node(node).inode.index());
        assert_eq!(there, Some(inode.index()), "{path}: is in the tree");
    }
    tree.walk(&mut |path, _| {
        assert!(path.is_root() || written.contains_key(path), "{path}: is written");
        Descend::Yes
    });
}

proptest! {
    #![proptest_config(crate::properties::cases(800))]

    #[test]
    fn every_name_is_written_once_after_what_it_needs(layers in stacks(), clamp: bool) {
        if let Ok(merged) = merge(&texts(&layers), SymlinkParents::Overlay) {
            check(&merged.tree, &Plan::new(&merged.tree, |layer| layer.0, clamp.then_some(-1)));
        }
    }

    #[test]
    fn a_plan_holds_after_names_were_removed(layers in stacks(), dice in any::<u64>()) {
        if let Ok(mut merged) = merge(&texts(&layers), SymlinkParents::Follow) {
            let mut paths = Vec::new();
            merged.tree.walk(&mut |path, _| {
                paths.push(path.clone());
                Descend::Yes
            });
            let doomed = paths.iter().enumerate().filter(|(at, _)| dice >> (at % 64) & 1 == 1);
            for (parent, name) in doomed.filter_map(|(_, path)| path.split_last()) {
                if let Some(directory) = merged.tree.lookup(&parent) {
                    merged.tree.remove(directory, name, &mut imgstrip::rootfs::Tally::default());
                }
            }
            check(&merged.tree, &Plan::new(&merged.tree, |layer| layer.0, None));
        }
    }
}

/// The plan of layers in text form, one step a line.
fn steps(layers: &[&str]) -> String {
    let layers: Vec<String> = layers.iter().map(|text| crate::lines::lines(text).join("\n")).collect();
    let tree = merge(&layers, SymlinkParents::Overlay).unwrap().tree;
    let plan = Plan::new(&tree, |layer| layer.0, None);
    let steps = plan.items.iter().map(|item| match &item.step {
        Step::Link { target, .. } => format!("{} => {target}", item.path),
        Step::Encode { inode } if tree.inode(*inode).kind == InodeKind::Directory => format!("{}/", item.path),
        _ => item.path.to_string(),
    });
    steps.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_order_is_that_of_the_layers() {
    assert_eq!(steps(&["z; m; a", "b; n", "m = new"]), "/z /a /b /n /m");
    assert_eq!(steps(&["d/z; d/a; c"]), "/d/ /d/z /d/a /c");
    assert_eq!(steps(&["d/z; c", "d/ [0700]"]), "/d/ /d/z /c");
}

#[test]
fn m69_the_first_name_left_carries_the_data() {
    assert_eq!(steps(&["z = data; y => z; x => y"]), "/z /y => /z /x => /z");
    assert_eq!(steps(&["z = data; y => z; x => y", ".wh.z"]), "/y /x => /y");
    assert_eq!(steps(&["z = data; y => z; x => y", ".wh.z; .wh.y"]), "/x");
}

#[test]
fn m70_a_link_waits_for_the_name_that_carries_its_data() {
    assert_eq!(steps(&["a = 1; z = data", "y => z", "b => y; z = new"]), "/a /y /b => /y /z");
}

#[test]
fn m84_the_root_is_written_if_an_entry_names_it() {
    assert_eq!(steps(&["a; ./"]), "// /a");
    assert_eq!(steps(&["a"]), "/a");
}
