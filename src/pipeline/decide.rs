//! All decisions about one image, on values: what the layers show together, what a rule takes, in which order the
//! rest is written.

use super::layers::{Layers, bounded};
use crate::error::{Error, escape};
use crate::image::{Command, Image};
use crate::layer::codec::Codec;
use crate::layer::layer_size;
use crate::options::{Compression, History, Options};
use crate::report::{Accounting, ImageReport, Refusal, RuleDrops, SecretFinding, Sizes, by_preset};
use crate::rootfs::{Descend, InodeKind, LayerId, Merge, Merged, Plan, RootPath, Tally, Tree, Upper};
use crate::rules::{Drops, Facts};
use crate::secrets;
use crate::warning::Warnings;

/// What is decided about an image.
#[derive(Debug)]
pub(super) struct Decision {
    /// What stays.
    pub(super) tree: Tree,
    /// How it is written.
    pub(super) plan: Plan,
    /// How many layers stay as they are, below the one that is written.
    pub(super) kept: usize,
    /// Never [`Compression::Keep`].
    pub(super) compression: Compression,
    /// What the report says of it so far.
    pub(super) report: ImageReport,
    pub(super) warnings: Warnings,
}

/// Decides about an image whose layers are read and of which the first `kept` stay as they are.
pub(super) fn decide((image, kept): (&Image, usize), layers: &Layers, options: &Options) -> Result<Decision, Error> {
    let (base, Merged { mut tree, ledger, warnings }) = merge((image, kept), layers, options)?;
    let facts = facts(image, &tree, options);
    let drops = options
        .rules
        .judge(&tree, &facts, base.as_ref().map_or(0, Tree::node_bound))
        .decide(crate::rules::Claims::default());
    let kept_for = refusals(&drops);
    let dropped_by: Vec<RuleDrops> = drops
        .apply(&mut tree)
        .into_iter()
        .map(|rule| RuleDrops {
            preset: escape(rule.source.as_bytes()),
            rule: escape(rule.rule.as_bytes()),
            reason: escape(rule.reason.as_bytes()),
            dropped: rule.tally,
        })
        .collect();
    let order: Vec<_> = layers.of(image).map(|(id, ..)| id).collect();
    let position = |id| order.iter().position(|other| *other == id).and_then(|index| u32::try_from(index).ok());
    let position = |id| position(id).unwrap_or(u32::MAX);
    let plan = match &base {
        Some(base) => Plan::above(base, &tree, position, options.mtime),
        None => Plan::new(&tree, position, options.mtime),
    };
    let secrets = secrets(image, kept, &tree, layers, options)?;
    let expanded: u64 = layers.of(image).take(kept).map(|(_, _, read)| read.expanded).sum();
    let mut dropped = ledger.metadata;
    dropped_by.iter().for_each(|rule| dropped += rule.dropped);
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
            added: Tally::default(),
        },
        dropped_by_preset: by_preset(&dropped_by),
        dropped_by,
        kept_for,
        secrets,
        ..ImageReport::default()
    };
    Ok(Decision { compression: compression(image, layers, options), tree, plan, kept, report, warnings })
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
        merge.add(upper).and_then(|()| bounded(merge.tree(), limits)).map_err(|error| error.in_layer(layer()))?;
        if position.checked_add(1) == Some(kept) {
            base = Some(merge.tree().clone());
        }
    }
    Ok((base, merge.finish()))
}

/// What the image's config says that bears on the rules.
pub(super) fn facts(image: &Image, tree: &Tree, options: &Options) -> Facts {
    let command = Command::of(&image.config);
    let mut directories = command.volumes.clone();
    directories.push(command.working_dir.clone());
    directories.extend(command.variable("HOME").map(|home| RootPath::clamped(home.as_bytes())));
    let languages =
        command.env.iter().filter(|(name, _)| name.starts_with("LC_") || name == "LANG" || name == "LANGUAGE");
    Facts {
        protected: command.files(tree, options.limits.symlinks),
        directories,
        languages: languages.map(|(_, value)| value.as_bytes().into()).collect(),
        hops: options.limits.symlinks,
    }
}

/// What the preset `secrets` is there for.
fn secrets(
    image: &Image,
    kept: usize,
    tree: &Tree,
    layers: &Layers,
    options: &Options,
) -> Result<Vec<SecretFinding>, Error> {
    if !options.rules.looks_for_secrets() {
        return Ok(Vec::new());
    }
    let stack: Vec<(LayerId, &Upper)> = layers.of(image).map(|(id, upper, _)| (id, upper)).collect();
    let words = secrets::Words::of(&image.config, kept, options.history == History::Keep);
    let found = secrets::find(&secrets::Held { tree, layers: &stack, kept }, &words, layers)?;
    Ok(found.iter().map(SecretFinding::from).collect())
}

fn refusals(drops: &Drops) -> Vec<Refusal> {
    let refusals = drops.kept().iter();
    refusals.map(|kept| Refusal { rule: kept.rule.clone(), path: kept.path.clone(), why: kept.why.clone() }).collect()
}

/// What of the input is still there: names that an entry gave, and the bytes of each inode once.
pub(super) fn remaining(tree: &Tree) -> Tally {
    let mut kept = Tally::default();
    let mut seen = vec![false; tree.inode_bound()];
    tree.walk(&mut |_, id| {
        let node = tree.node(id);
        kept.entries = kept.entries.saturating_add(u64::from(node.origin.is_some()));
        if let (InodeKind::File(content), Some(seen)) = (&tree.inode(node.inode).kind, seen.get_mut(node.inode.index()))
            && !std::mem::replace(seen, true)
        {
            kept.bytes = kept.bytes.saturating_add(content.size);
        }
        Descend::Yes
    });
    kept
}

fn compression(image: &Image, layers: &Layers, options: &Options) -> Compression {
    let has = |codec| layers.of(image).any(|(_, _, read)| read.codec == codec);
    match options.compression {
        Compression::Keep if has(Codec::Zstd) => Compression::Zstd(None),
        Compression::Keep if has(Codec::Gzip) => Compression::Gzip(None),
        Compression::Keep => Compression::None,
        asked => asked,
    }
}
