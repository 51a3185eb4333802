use super::*;
use crate::options::SymlinkParents;
use crate::rootfs::{Entry, EntryKind, Merge, Merged, Upper, UpperBuilder, text};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn layer(number: u32, text: &str) -> Upper {
    let mut builder = UpperBuilder::new(LayerId(number), 40);
    text::parse(text).unwrap().into_iter().for_each(|entry| builder.push(entry).unwrap());
    builder.finish()
}

/// The tree of the first `kept` layers and that of all; `None` where the stack cannot be merged.
fn trees(layers: &[Upper], kept: usize, parents: SymlinkParents) -> Option<(Tree, Merged)> {
    let mut merge = Merge::new(parents, 40);
    let mut base = Tree::default();
    for (number, layer) in layers.iter().enumerate() {
        merge.add(layer).ok()?;
        if number + 1 == kept {
            base = merge.tree().clone();
        }
    }
    Some((base, merge.finish()))
}

fn show(tree: &Tree) -> String {
    text::show(tree, &mut text::owned)
}

/// The layer that a plan writes, as a reader finds it.
fn written(plan: &Plan, tree: &Tree) -> Upper {
    let mut builder = UpperBuilder::new(LayerId(99), 40);
    for Item { path, step } in &plan.items {
        let (path, kind, meta) = match step {
            Step::Whiteout => {
                let (parent, name) = path.split_last().unwrap();
                let entry = &text::parse("x").unwrap()[0];
                (parent.join(&[b".wh.", name].concat()), entry.kind.clone(), entry.meta.clone())
            }
            Step::Link { target, inode } => {
                (path.clone(), EntryKind::HardLink(target.clone()), tree.inode(*inode).meta.clone())
            }
            Step::Encode { inode } | Step::Copy { inode, .. } => {
                let inode = tree.inode(*inode);
                let kind = match inode.kind.clone() {
                    crate::rootfs::InodeKind::File(content) => EntryKind::File(content),
                    crate::rootfs::InodeKind::Directory => EntryKind::Directory,
                    crate::rootfs::InodeKind::Symlink(target) => EntryKind::Symlink(target),
                    other => panic!("not made here: {other:?}"),
                };
                (path.clone(), kind, inode.meta.clone())
            }
        };
        builder.push(Entry { path, kind, meta, verbatim: None }).unwrap();
    }
    builder.finish()
}

/// What the plan writes, one a line.
fn lines(base: &str, above: &[&str]) -> String {
    let layers: Vec<Upper> = std::iter::once(&base).chain(above).zip(0..).map(|(text, n)| layer(n, text)).collect();
    let (base, merged) = trees(&layers, 1, SymlinkParents::Overlay).unwrap();
    let plan = Plan::above(&base, &merged.tree, |id| id.0, None);
    let show = |item: &Item| match &item.step {
        Step::Whiteout => format!("- {}", item.path),
        Step::Link { target, .. } => format!("{} => {target}", item.path),
        _ => item.path.to_string(),
    };
    plan.items.iter().map(show).collect::<Vec<_>>().join(", ")
}

#[test]
fn what_the_base_has_already_is_not_written() {
    assert_eq!(lines("a/\na/x\nb", &["c = 1", ""]), "/c");
    assert_eq!(lines("a/\na/x", &[""]), "");
}

#[test]
fn the_directories_above_a_change_are_entries_with_their_own_metadata() {
    assert_eq!(lines("./ [0700]\na/ [0700]\na/b/ [1777]\na/b/x\nc/", &["a/b/y"]), "/, /a, /a/b, /a/b/y");
    assert_eq!(lines("a/\na/b/\na/b/x", &["a/b/.wh.x"]), "/a, /a/b, - /a/b/x");
}

#[test]
fn only_the_topmost_name_that_is_gone_gets_a_whiteout() {
    assert_eq!(lines("a/\na/b/\na/b/x\na/c", &[".wh.a"]), "- /a");
    assert_eq!(lines("a/\na/b/\na/b/x\na/c", &[".wh.a", "a = file"]), "/a");
}

#[test]
fn a_directory_that_took_the_place_of_another_hides_each_name_it_lacks() {
    assert_eq!(lines("a/\na/x\na/y\na/z/\na/z/q", &[".wh.a", "a/ [0700]\na/y = new"]), "/a, /a/y, - /a/x, - /a/z");
    assert_eq!(lines("a/\na/x", &["a/.wh..wh..opq\na/n"]), "/a, /a/n, - /a/x");
}

#[test]
fn a_new_name_takes_all_names_of_its_file_along() {
    assert_eq!(lines("f = 1\ng => f\nh", &["d/\nd/n => f"]), "/f, /g => /f, /d, /d/n => /f");
    // The file's other name stays as it is when one is gone.
    assert_eq!(lines("f = 1\ng => f", &[".wh.f"]), "- /f");
    assert_eq!(lines("f = 1\ng => f", &[".wh.f\nn => f"]), "/g, /n => /g, - /f");
}

#[test]
fn what_came_and_went_above_the_base_leaves_nothing() {
    assert_eq!(lines("a", &["b/\nb/c", ".wh.b"]), "");
}

/// Paths over two names and two levels; few enough that layers meet.
fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4).prop_map(|names| names.join("/"))
}

fn line() -> impl Strategy<Value = String> {
    let whiteout = path().prop_map(|path| match path.rsplit_once('/') {
        Some((parent, name)) => format!("{parent}/.wh.{name}"),
        None => format!(".wh.{path}"),
    });
    prop_oneof![
        3 => (path(), 0..3u8).prop_map(|(path, text)| format!("{path} [@{text}] = {text}")),
        3 => (path(), 0..3u8).prop_map(|(path, mode)| format!("{path}/ [070{mode}]")),
        1 => Just("./ [0711]".to_owned()),
        1 => (path(), path()).prop_map(|(path, target)| format!("{path} -> {target}")),
        3 => (path(), path()).prop_map(|(path, target)| format!("{path} => {target}")),
        3 => whiteout,
        1 => path().prop_map(|path| format!("{path}/.wh..wh..opq")),
    ]
}

/// Layers without the lines that make no layer.
fn stack() -> impl Strategy<Value = Vec<Upper>> {
    prop::collection::vec(prop::collection::vec(line(), 0..7), 1..6).prop_map(|texts| {
        let mut layers: Vec<Upper> = Vec::new();
        for text in texts {
            let mut kept: Vec<String> = Vec::new();
            for line in text {
                let entries = [kept.clone(), vec![line.clone()]].concat().join("\n");
                let mut builder = UpperBuilder::new(LayerId(u32::try_from(layers.len()).unwrap()), 40);
                let whole = text::parse(&entries)
                    .is_ok_and(|entries| entries.into_iter().all(|entry| builder.push(entry).is_ok()));
                layers.push(builder.finish());
                let merges = whole && trees(&layers, 0, SymlinkParents::Overlay).is_some();
                layers.pop();
                if merges {
                    kept.push(line);
                }
            }
            layers.push(layer(u32::try_from(layers.len()).unwrap(), &kept.join("\n")));
        }
        layers
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn the_base_and_the_layer_on_top_give_the_tree_of_all_layers(
        mut layers in stack(),
        kept in 1..5usize,
        repeat in prop::option::of(0..5usize),
        parents in prop::sample::select(vec![SymlinkParents::Overlay, SymlinkParents::Follow]),
    ) {
        // One blob may stand in an image twice, under one number.
        if let Some(repeated) = repeat.and_then(|index| layers.get(index)).cloned() {
            layers.push(repeated);
        }
        let kept = kept.min(layers.len());
        let Some((base, merged)) = trees(&layers, kept, parents) else { return Ok(()) };
        let plan = Plan::above(&base, &merged.tree, |id| id.0, None);
        let mut again = Merge::new(parents, 40);
        layers[..kept].iter().for_each(|layer| again.add(layer).unwrap());
        again.add(&written(&plan, &merged.tree)).unwrap();
        prop_assert_eq!(show(&again.finish().tree), show(&merged.tree));
    }

    #[test]
    fn each_name_is_written_once_and_below_directories_that_were_written_before(layers in stack(), kept in 1..5usize) {
        let Some((base, merged)) = trees(&layers, kept.min(layers.len()), SymlinkParents::Overlay) else { return Ok(()) };
        let plan = Plan::above(&base, &merged.tree, |id| id.0, None);
        let mut seen = BTreeSet::new();
        for Item { path, step } in &plan.items {
            let parent = path.split_last().map(|(parent, _)| parent).filter(|parent| !parent.is_root());
            prop_assert!(parent.is_none_or(|parent| seen.contains(&parent)), "{:?}", plan);
            if let Step::Link { target, .. } = step {
                prop_assert!(seen.contains(target), "{:?}", plan);
            }
            prop_assert!(seen.insert(path.clone()), "{:?}", plan);
        }
    }
}
