//! Properties over random stacks of layers. `PROPTEST_CASES` raises how many are tried.

use crate::case::{HOPS, merge};
use crate::image::{docker, squash, strip};
use crate::lines::layer;
use crate::model::{Op, stacks, texts};
use imgstrip::options::{Options, SymlinkParents};
use imgstrip::rootfs::{
    Descend, Entry, EntryKind, Inode, InodeKind, Item, LayerId, Merge, Merged, Plan, Step, Tally, Tree, Upper,
    UpperBuilder, text,
};
use imgstrip::warning::WarningKind;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;

/// So many cases of a property that costs this much, unless the environment asks for more.
pub fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|value| value.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(usual), ..ProptestConfig::default() }
}

pub fn show(merged: &Merged) -> String {
    text::show(&merged.tree, &mut text::owned)
}

/// The entries of the layer that a plan writes, as the next reader reads them.
pub fn written(tree: &Tree, plan: Plan) -> Vec<Entry> {
    let write = |item: Item| {
        let (Step::Copy { inode, .. } | Step::Encode { inode } | Step::Link { inode, .. }) = item.step else {
            let (parent, name) = item.path.split_last().unwrap();
            let mark = parent.join(&[b".wh.", name].concat());
            return text::parse(std::str::from_utf8(mark.as_bytes()).unwrap()).unwrap().remove(0);
        };
        let Inode { kind, meta, .. } = tree.inode(inode);
        let kind = match (&item.step, kind.clone()) {
            (Step::Link { target, .. }, _) => EntryKind::HardLink(target.clone()),
            (_, InodeKind::File(content)) => EntryKind::File(content),
            (_, InodeKind::Directory) => EntryKind::Directory,
            (_, InodeKind::Symlink(target)) => EntryKind::Symlink(target),
            (_, InodeKind::CharDevice(device)) => EntryKind::CharDevice(device),
            (_, InodeKind::BlockDevice(device)) => EntryKind::BlockDevice(device),
            (_, InodeKind::Fifo) => EntryKind::Fifo,
            (_, InodeKind::Lower(target)) => panic!("a merged tree has no link to a lower layer: {target}"),
        };
        Entry { path: item.path, kind, meta: meta.clone(), verbatim: None }
    };
    plan.items.into_iter().map(write).collect()
}

/// The entries of a squash.
pub fn squashed(tree: &Tree) -> Vec<Entry> {
    written(tree, Plan::new(tree, |layer| layer.0, None))
}

pub fn upper(entries: Vec<Entry>) -> Upper {
    let mut builder = UpperBuilder::new(LayerId(0), HOPS);
    entries.into_iter().for_each(|entry| builder.push(entry).unwrap());
    builder.finish()
}

pub fn kept(tree: &Tree) -> Tally {
    let mut kept = Tally::default();
    let mut seen = BTreeSet::new();
    tree.walk(&mut |_, id| {
        let node = tree.node(id);
        kept.entries += u64::from(node.origin.is_some());
        if seen.insert(node.inode.index()) {
            kept.bytes += tree.inode(node.inode).kind.size();
        }
        Descend::Yes
    });
    kept
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn the_merge_is_what_the_slow_model_says(layers in stacks()) {
        let merged = merge(&texts(&layers), SymlinkParents::Overlay);
        match (crate::model::merge(&layers), merged) {
            (Some(expected), Ok(merged)) => prop_assert_eq!(show(&merged), expected),
            (None, Err(_)) => {}
            (expected, merged) => {
                let merged = merged.map(|merged| show(&merged)).map_err(|error| error.to_string());
                prop_assert!(false, "the model says {expected:?}, the merge {merged:?}");
            }
        }
    }

    #[test]
    fn every_entry_and_byte_is_accounted_for(layers in stacks(), follow: bool) {
        let parents = if follow { SymlinkParents::Follow } else { SymlinkParents::Overlay };
        if let Ok(Merged { tree, ledger, .. }) = merge(&texts(&layers), parents) {
            let mut sum = kept(&tree);
            for part in [ledger.replaced, ledger.whited_out, ledger.metadata] {
                sum += part;
            }
            prop_assert_eq!(sum, ledger.input);
        }
    }

    #[test]
    fn names_of_an_inode_are_counted_right(layers in stacks(), follow: bool) {
        let parents = if follow { SymlinkParents::Follow } else { SymlinkParents::Overlay };
        if let Ok(Merged { tree, .. }) = merge(&texts(&layers), parents) {
            let mut names = vec![0u32; tree.inode_bound()];
            tree.walk(&mut |_, id| {
                names[tree.node(id).inode.index()] += 1;
                Descend::Yes
            });
            tree.walk(&mut |path, id| {
                assert_eq!(names[tree.node(id).inode.index()], tree.inode_of(id).names(), "{path}");
                Descend::Yes
            });
        }
    }

    #[test]
    fn forbidding_refuses_exactly_what_is_warned_of(layers in stacks()) {
        let texts = texts(&layers);
        if let Ok(merged) = merge(&texts, SymlinkParents::Overlay) {
            let warned = [WarningKind::SymlinkParent, WarningKind::SymlinkWhiteout];
            let warned = warned.into_iter().any(|kind| merged.warnings.count(kind) > 0);
            prop_assert_eq!(merge(&texts, SymlinkParents::Error).is_err(), warned);
        }
    }

    #[test]
    fn a_squash_of_a_squash_is_that_squash(layers in stacks()) {
        if let Ok(merged) = merge(&texts(&layers), SymlinkParents::Overlay) {
            let entries = squashed(&merged.tree);
            let mut again = Merge::new(SymlinkParents::Error, HOPS);
            again.add(&upper(entries.clone())).unwrap();
            let again = again.finish();
            prop_assert_eq!(show(&again), show(&merged));
            prop_assert!(again.warnings.is_empty(), "{:?}", again.warnings);
            prop_assert_eq!(squashed(&again.tree), entries);
        }
    }

    #[test]
    fn squashing_any_prefix_first_changes_nothing(layers in stacks(), cut in 0usize..6, follow: bool) {
        let parents = if follow { SymlinkParents::Follow } else { SymlinkParents::Overlay };
        let texts = texts(&layers);
        let cut = cut.min(texts.len());
        if let (Ok(all), Ok(prefix)) = (merge(&texts, parents), merge(&texts[..cut], parents)) {
            let mut in_two = Merge::new(parents, HOPS);
            in_two.add(&upper(squashed(&prefix.tree))).unwrap();
            for text in &texts[cut..] {
                in_two.add(&text::upper(text).unwrap()).unwrap();
            }
            prop_assert_eq!(show(&in_two.finish()), show(&all));
        }
    }
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn a_layer_above_a_base_shows_what_all_layers_show(layers in stacks(), cut in 1usize..6, follow: bool) {
        let parents = if follow { SymlinkParents::Follow } else { SymlinkParents::Overlay };
        let uppers: Result<Vec<Upper>, _> = texts(&layers).iter().map(|text| text::upper(text)).collect();
        let cut = cut.min(layers.len());
        let mut all = Merge::new(parents, HOPS);
        let Ok(uppers) = uppers else { return Ok(()) };
        if uppers[..cut].iter().any(|upper| all.add(upper).is_err()) {
            return Ok(());
        }
        let base = all.tree().clone();
        if uppers[cut..].iter().any(|upper| all.add(upper).is_err()) {
            return Ok(());
        }
        let all = all.finish();
        // What is written on top is read alike by every engine: there is no symlink to follow and no lower link.
        let top = upper(written(&all.tree, Plan::above(&base, &all.tree, |layer| layer.0, None)));
        prop_assert!(top.warnings.is_empty() && top.opaques.is_empty(), "{:?}", top.warnings);
        let mut again = Merge::new(SymlinkParents::Error, HOPS);
        again.add(&upper(squashed(&base))).unwrap();
        again.add(&top).unwrap();
        let again = again.finish();
        prop_assert!(again.warnings.is_empty(), "{:?}", again.warnings);
        prop_assert_eq!(show(&again), show(&all));
    }
}

#[test]
fn most_random_stacks_are_accepted_and_show_much() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let shown: Vec<String> =
        (0..200).filter_map(|_| crate::model::merge(&stacks().new_tree(&mut runner).unwrap().current())).collect();
    let lines: usize = shown.iter().map(|text| text.lines().count()).sum();
    let links = shown.iter().filter(|text| text.contains(" => ")).count();
    assert!(shown.len() > 150 && lines > 1000 && links > 30, "{} {lines} {links}", shown.len());
}

proptest! {
    #![proptest_config(cases(30))]

    #[test]
    fn an_archive_shows_what_the_slow_model_says(layers in stacks()) {
        let tars: Vec<Vec<u8>> = texts(&layers).iter().map(|text| layer(text)).collect();
        match (crate::model::merge(&layers), strip(&docker(&tars), &squash())) {
            (Some(expected), Ok(squashed)) => {
                prop_assert_eq!(squashed.text(), expected);
                prop_assert!(squashed.report.images[0].accounting.balances());
            }
            (None, Err(error)) => prop_assert_eq!(error.kind().exit_code(), 3),
            (expected, squashed) => prop_assert!(false, "the model says {expected:?}, the run {squashed:?}"),
        }
    }

    #[test]
    fn a_squashed_archive_squashes_to_the_same_bytes(layers in stacks()) {
        let tars: Vec<Vec<u8>> = texts(&layers).iter().map(|text| layer(text)).collect();
        if let Ok(once) = strip(&docker(&tars), &squash()) {
            let twice = strip(&once.archive, &squash()).unwrap();
            prop_assert_eq!(twice.layer_tar(), once.layer_tar());
        }
    }

    #[test]
    fn any_number_of_threads_writes_the_same_bytes(layers in stacks()) {
        let tars: Vec<Vec<u8>> = texts(&layers).iter().map(|text| layer(text)).collect();
        let archive = docker(&tars);
        let with = |threads| strip(&archive, &Options { threads: NonZeroUsize::new(threads), ..squash() });
        match (with(1), with(2), with(7)) {
            (Ok(one), Ok(two), Ok(seven)) => prop_assert!(one.archive == two.archive && one.archive == seven.archive),
            (Err(one), Err(two), Err(seven)) => {
                let tail = |error: imgstrip::error::Error| error.to_string().split_once("in.tar").unwrap().1.to_owned();
                let (one, two, seven) = (tail(one), tail(two), tail(seven));
                prop_assert!(one == two && one == seven, "{one} {two} {seven}");
            }
            _ => prop_assert!(false, "refused by some"),
        }
    }

    #[test]
    fn nothing_that_is_gone_is_in_the_output(layers in stacks()) {
        let tars: Vec<Vec<u8>> = texts(&layers).iter().map(|text| layer(text)).collect();
        if let Some(expected) = crate::model::merge(&layers) {
            let archive = strip(&docker(&tars), &squash()).unwrap().archive;
            for op in layers.iter().flatten() {
                if let Op::File(_, text) = op {
                    let stays = expected.lines().any(|line| line.ends_with(&format!(" = {text}")));
                    let marker = format!("{text}\0");
                    let found = archive.windows(marker.len()).any(|window| window == marker.as_bytes());
                    prop_assert_eq!(found, stays, "{}", text);
                }
            }
        }
    }
}
