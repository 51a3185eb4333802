//! What is in an archive, and how two differ: the reading half of a run, and nothing is written.

use super::decide::{self, facts, merge, remaining};
use super::layers::Layers;
use super::read;
use crate::archive::{self, Archive, SourceLayout};
use crate::error::{Error, escape};
use crate::image::{Command, Image};
use crate::layer::codec::Codec;
use crate::layer::content_digest;
use crate::options::{Input, Options};
use crate::progress::Watch;
use crate::report::config_diff::{self, LAYER_KEYS};
use crate::report::{Artifact, Difference, ImageInspection, Inspection, LayerInspection, PresetInspection, Sizes};
use crate::rootfs::diff::{Side, compare};
use crate::rootfs::{Merged, Tally};
use crate::rules::preset::{self, Preset, Selection};
use crate::rules::{Facts, Rules};
use rayon::prelude::*;
use serde_json::Value;

/// Tells what is inside an archive: images, layers, waste, and what each preset would free by itself.
///
/// # Errors
///
/// As [`super::strip`], but for those of writing.
pub fn inspect(input: &Input, options: &Options, watch: &Watch<'_>) -> Result<Inspection, Error> {
    super::pool(options)?.install(|| {
        let archive = archive::open(input, options)?;
        inspect_opened(&archive, options, watch).map_err(|error| error.in_archive(archive.name.as_str()))
    })
}

fn inspect_opened(archive: &Archive, options: &Options, watch: &Watch<'_>) -> Result<Inspection, Error> {
    let layers = read(archive, options, watch)?;
    layers.verify()?;
    let mut warnings = archive.warnings.clone();
    let mut images = Vec::new();
    for image in &archive.images {
        let (_, merged) = merge((image, 0), &layers, options).map_err(|error| error.in_image(decide::name(image)))?;
        warnings.merge(&merged.warnings);
        images.push(inspect_image(image, &layers, &merged, options)?);
    }
    let layout = match archive.source_layout {
        SourceLayout::Docker => "docker",
        SourceLayout::Oci => "oci",
        SourceLayout::Hybrid => "docker and oci",
    };
    Ok(Inspection {
        version: env!("CARGO_PKG_VERSION"),
        input: Artifact { name: archive.name.clone(), bytes: archive.bytes },
        layout: layout.into(),
        images,
        warnings: (&warnings).into(),
    })
}

fn inspect_image(image: &Image, layers: &Layers, merged: &Merged, options: &Options) -> Result<ImageInspection, Error> {
    let facts = facts(image, &merged.tree, options);
    let presets: Vec<Result<PresetInspection, Error>> =
        preset::all().par_iter().map(|preset| frees(preset, merged, &facts)).collect();
    let command = Command::of(&image.config).words;
    let text = |value: &Value| value.as_str().map(|text| escape(text.as_bytes()));
    Ok(ImageInspection {
        name: decide::name(image),
        platform: image.platform.to_string(),
        config_digest: image.config_digest.to_string(),
        created: image.config.get("created").and_then(text),
        command: command.iter().map(|word| escape(word.as_bytes())).collect(),
        size: Sizes {
            uncompressed: layers.of(image).map(|(_, _, read)| read.expanded).sum(),
            compressed: Some(image.layers.iter().map(|layer| layer.blob.len()).sum()),
        },
        input: merged.ledger.input,
        visible: remaining(&merged.tree),
        replaced: merged.ledger.replaced,
        whited_out: merged.ledger.whited_out,
        layers: inspect_layers(image, layers),
        presets: presets.into_iter().collect::<Result<_, _>>()?,
    })
}

/// The layers, each with the step of the history that made it, where the history counts them.
fn inspect_layers(image: &Image, layers: &Layers) -> Vec<LayerInspection> {
    let history = image.config.get("history").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_empty = |step: &&Value| step.get("empty_layer").and_then(Value::as_bool) == Some(true);
    let steps: Vec<&Value> = history.iter().filter(|step| !is_empty(step)).collect();
    let step = |index: usize| {
        let step = steps.get(index).filter(|_| steps.len() == image.layers.len())?;
        Some(escape(step.get("created_by")?.as_str()?.as_bytes()))
    };
    let read = layers.of(image).zip(&image.layers).enumerate();
    read.map(|(index, ((_, _, read), layer))| LayerInspection {
        diff_id: layer.diff_id.to_string(),
        size: layer.blob.len(),
        tar_size: read.expanded,
        compression: if read.codec == Codec::Plain { "none".into() } else { read.codec.to_string() },
        created_by: step(index),
    })
    .collect()
}

fn frees(preset: &Preset, merged: &Merged, facts: &Facts) -> Result<PresetInspection, Error> {
    let rules: Rules = Rules::builder().presets(Selection::parse(preset.name)?).build()?;
    let mut tree = merged.tree.clone();
    let mut frees = Tally::default();
    rules.decide(&tree, facts).apply(&mut tree).iter().for_each(|rule| frees += rule.tally);
    Ok(PresetInspection { preset: preset.name.into(), default: preset.default, frees })
}

/// Compares two images: their configs but for layers and history, and their root filesystems.
///
/// # Errors
///
/// As [`inspect`]; `Usage` where an archive holds several images and `options` choose none.
pub fn diff(a: &Input, b: &Input, options: &Options, watch: &Watch<'_>) -> Result<Difference, Error> {
    super::pool(options)?.install(|| {
        let (a, b) = (Opened::new(a, options, watch)?, Opened::new(b, options, watch)?);
        let rootfs = compare(&a.merged.tree, &b.merged.tree, &mut |side, content| {
            watch.cancel.check()?;
            let layers = if side == Side::A { &a.layers } else { &b.layers };
            content_digest(content, &|id| layers.tar(id))
        })?;
        Ok(Difference { config: config_diff::compare(&a.config, &b.config, LAYER_KEYS), rootfs })
    })
}

/// The one image of an archive.
struct Opened {
    layers: Layers,
    merged: Merged,
    config: Value,
}

impl Opened {
    fn new(input: &Input, options: &Options, watch: &Watch<'_>) -> Result<Self, Error> {
        let archive = archive::open(input, options)?;
        let open = || {
            let [image] = archive.images.as_slice() else {
                let names: Vec<String> = archive.images.iter().take(10).map(decide::name).collect();
                let what = format!("the archive holds {} images: {}", archive.images.len(), names.join(", "));
                return Err(Error::usage(what).hint("choose one with --image or --platform"));
            };
            let layers = read(&archive, options, watch)?;
            layers.verify()?;
            let (_, merged) =
                merge((image, 0), &layers, options).map_err(|error| error.in_image(decide::name(image)))?;
            Ok(Self { merged, config: image.config.clone(), layers })
        };
        open().map_err(|error| error.in_archive(archive.name.as_str()))
    }
}
