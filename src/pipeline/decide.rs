//! All decisions about one image, on values: what the layers show together, what a rule takes, in which order the
//! rest is written.

use super::change::{self, Change};
use super::choose::{Choice, choose};
use super::keep;
use super::layers::{Layers, bounded};
use super::secrets;
use super::survey::{Known, Survey};
use crate::error::{Error, escape};
use crate::image::Image;
use crate::layer::{Encoding, layer_size};
use crate::options::Options;
use crate::progress::Watch;
use crate::report::{Accounting, ImageReport, Needed, PackagesReport, Refusal, RuleDrops, Sizes, Stripped, by_preset};
use crate::rootfs::{Descend, InodeKind, LayerId, Merge, Merged, Plan, Tally, Tree};
use crate::rules::{Dropped, Kept};
use crate::warning::Warnings;
use std::collections::HashMap;
use std::sync::Arc;

/// What is decided about an image.
#[derive(Debug)]
pub(super) struct Decision {
    /// What stays.
    pub(super) tree: Tree,
    /// How it is written.
    pub(super) plan: Plan,
    /// How many layers stay as they are, below the one that is written.
    pub(super) kept: usize,
    pub(super) encoding: Encoding,
    /// What the layers showed before anything was decided, and what those show that stay; only with `--verify`.
    pub(super) before: Option<(Tree, Option<Tree>)>,
    /// What the report says of it so far.
    pub(super) report: ImageReport,
    pub(super) warnings: Warnings,
}

/// What the layers of an image show together.
#[derive(Debug)]
pub(super) struct Shown {
    /// What the first `kept` layers show, where any stay as they are.
    pub(super) base: Option<Tree>,
    kept: usize,
    pub(super) merged: Merged,
}

/// Lays the layers of an image over each other; the first `kept` stay as they are.
pub(super) fn show((image, kept): (&Image, usize), layers: &Layers, options: &Options) -> Result<Shown, Error> {
    let (base, merged) = merge((image, kept), layers, options)?;
    Ok(Shown { base, kept, merged })
}

/// Decides about an image.
pub(super) fn decide(
    image: &Image,
    shown: Shown,
    layers: &Layers,
    options: &Options,
    watch: &Watch<'_>,
) -> Result<Decision, Error> {
    let Shown { base, kept, merged: Merged { mut tree, ledger, mut warnings } } = shown;
    let before = options.verify.then(|| tree.clone());
    let outcome = strip(image, &mut tree, base.as_ref(), layers, options, (&mut warnings, watch))?;
    // Asked for every name; a layer that the image has twice counts where it stands first.
    let mut order: HashMap<LayerId, u32> = HashMap::new();
    for ((id, ..), position) in layers.of(image).zip(0..) {
        order.entry(id).or_insert(position);
    }
    let position = |id| order.get(&id).copied().unwrap_or(u32::MAX);
    let plan = match &base {
        Some(base) => Plan::above(base, &tree, position, options.mtime),
        None => Plan::new(&tree, position, options.mtime),
    };
    let secrets = secrets::find(image, kept, &tree, layers, options)?;
    let expanded: u64 = layers.of(image).take(kept).map(|(_, _, read)| read.expanded).sum();
    let mut dropped = ledger.metadata;
    outcome.dropped_by.iter().for_each(|rule| dropped += rule.dropped);
    let report = ImageReport {
        name: name(image),
        platform: image.platform.to_string(),
        layers_before: image.layers.len() as u64,
        layers_after: (kept as u64).saturating_add(1),
        before: Sizes {
            uncompressed: layers.of(image).map(|(_, _, read)| read.expanded).sum(),
            compressed: Some(image.layers.iter().map(|layer| layer.blob.len()).sum()),
        },
        after: Sizes {
            uncompressed: layer_size(&plan, &tree, options.mtime)?.saturating_add(expanded),
            compressed: None,
        },
        accounting: Accounting {
            input: ledger.input,
            kept: remaining(&tree),
            replaced: ledger.replaced,
            whited_out: ledger.whited_out,
            dropped,
            metadata: ledger.metadata,
            added: outcome.added,
        },
        dropped_by_preset: by_preset(&outcome.dropped_by),
        dropped_by: outcome.dropped_by,
        kept_for: outcome.kept_for,
        packages: outcome.packages,
        needed: outcome.needed,
        stripped: outcome.stripped,
        secrets,
        ..ImageReport::default()
    };
    let has = |codec| layers.of(image).any(|(_, _, read)| read.codec == codec);
    let encoding = Encoding::new(options.compression, has)?;
    let before = before.map(|before| (before, base));
    Ok(Decision { encoding, tree, plan, kept, before, report, warnings })
}

/// What stripping a tree did.
#[derive(Debug, Default)]
struct Outcome {
    dropped_by: Vec<RuleDrops>,
    kept_for: Vec<Refusal>,
    packages: Option<PackagesReport>,
    needed: Option<Needed>,
    stripped: Option<Stripped>,
    added: Tally,
}

/// Takes from a tree what rules take and what is not needed, and writes into it what that asks for.
fn strip(
    image: &Image,
    tree: &mut Tree,
    base: Option<&Tree>,
    layers: &Layers,
    options: &Options,
    (warnings, watch): (&mut Warnings, &Watch<'_>),
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let mut changes: Vec<(Change, [&str; 3])> = Vec::new();
    let bound = base.map_or(0, Tree::node_bound);
    if !options.rules.is_none() || options.only_needed || !options.keep_programs.is_empty() {
        let survey = watch.phase("find needs", None, || Survey::of(image, tree, layers))?;
        let known =
            watch.phase("find needs", None, || Known::new(image, (&survey, tree), layers, options, warnings))?;
        let Choice { drops, edit, packages, taken_back, .. } = choose(&options.rules, &known, bound, warnings, watch)?;
        let database = known.packages;
        outcome.packages = packages;
        outcome.kept_for = drops.kept().iter().map(refusal).chain(taken_back).collect();
        // A name with several paths loses its content once.
        for file in drops.truncated() {
            let tally = change::truncate(tree, &file.path);
            outcome.dropped_by.extend(drops.counted(file.rule, tally).filter(|_| tally.bytes > 0).map(dropped_by));
        }
        outcome.dropped_by.extend(drops.apply(tree).into_iter().map(dropped_by));
        let mut writes = edit.write;
        if options.only_needed {
            let kept = watch.phase("keep what is needed", None, || {
                keep::only_needed(tree, &survey, database.as_ref(), layers, options)
            })?;
            let reason = "nothing that the image runs needs it".into();
            let rest =
                RuleDrops { preset: "only-needed".into(), rule: "the rest".into(), reason, dropped: kept.dropped };
            outcome.dropped_by.push(rest);
            warnings.merge(&kept.warnings);
            outcome.needed = Some(kept.needed);
            writes = kept.writes;
        }
        changes.push((change::write(tree, writes), RECORDS));
    }
    if options.strip_debug {
        let (change, stripped) =
            watch.phase("strip debug sections", None, || change::strip_debug(tree, bound, layers))?;
        outcome.stripped = Some(stripped);
        changes.push((change, STRIPPED));
    }
    for (change, [preset, rule, reason]) in changes {
        outcome.added += change.added;
        outcome.dropped_by.extend(change.as_drops(preset, rule, reason));
    }
    Ok(outcome)
}

/// How the report names what went from files that stay: preset, rule, reason.
const RECORDS: [&str; 3] = ["packages", "records", "the database says what is there"];
const STRIPPED: [&str; 3] = ["strip-debug", "debug sections", "asked for on the command line"];

fn refusal(kept: &Kept) -> Refusal {
    Refusal { rule: kept.rule.clone(), path: kept.path.clone(), why: kept.why.clone() }
}

fn dropped_by(rule: Dropped) -> RuleDrops {
    RuleDrops {
        preset: escape(rule.source.as_bytes()),
        rule: escape(rule.rule.as_bytes()),
        reason: escape(rule.reason.as_bytes()),
        dropped: rule.tally,
    }
}

/// How messages and the report name an image.
pub(super) fn name(image: &Image) -> String {
    let names: Vec<String> = image.references.iter().map(ToString::to_string).collect();
    if names.is_empty() {
        image.config_digest.digest().chars().take(12).collect()
    } else {
        escape(names.join(", ").as_bytes())
    }
}

/// What the first `kept` layers show, where there are any, and what all of them do.
pub(super) fn merge(
    (image, kept): (&Image, usize),
    layers: &Layers,
    options: &Options,
) -> Result<(Option<Tree>, Merged), Error> {
    let limits = &options.limits;
    let (mut entries, mut expanded) = (0u64, 0u64);
    let mut base = None;
    let mut merge = Merge::new(options.symlink_parents, limits.symlinks);
    for (position, (_, upper, read)) in layers.of(image).enumerate() {
        entries = entries.saturating_add(read.entries);
        expanded = expanded.saturating_add(read.expanded);
        if entries > limits.entries {
            let what = format!("the image has more than {} entries", limits.entries);
            return Err(Error::limit(what).hint("raise it with --limit entries=N"));
        }
        if expanded > limits.expanded {
            let what = format!("the layers have more than {} bytes together", limits.expanded);
            return Err(Error::limit(what).hint("raise it with --limit expanded=BYTES"));
        }
        let layer = || format!("layer {}/{}", position.saturating_add(1), image.layers.len());
        let added = upper.borrow().and_then(|upper| match Arc::try_unwrap(upper) {
            Ok(upper) if position == 0 => merge.begin(upper),
            Ok(upper) => merge.add(&upper),
            Err(shared) => merge.add(&shared),
        });
        added.and_then(|()| bounded(merge.tree(), limits)).map_err(|error| error.in_layer(layer()))?;
        if position.checked_add(1) == Some(kept) {
            base = Some(merge.tree().clone());
        }
    }
    Ok((base, merge.finish()))
}

/// What of the input is still there: names that an entry gave, and the bytes of each inode once.
pub(super) fn remaining(tree: &Tree) -> Tally {
    let mut kept = Tally::default();
    let mut seen = vec![false; tree.inode_bound()];
    tree.walk(&mut |_, id| {
        let node = tree.node(id);
        kept.entries = kept.entries.saturating_add(u64::from(node.origin.is_some()));
        if let (InodeKind::File(_), Some(seen)) = (&tree.inode(node.inode).kind, seen.get_mut(node.inode.index()))
            && !std::mem::replace(seen, true)
        {
            kept.bytes = kept.bytes.saturating_add(tree.inode(node.inode).held());
        }
        Descend::Yes
    });
    kept
}
