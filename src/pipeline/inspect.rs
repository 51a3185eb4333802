//! What is inside an archive: its layers, what they hide, and what each preset alone would free.
//!
//! In: an archive. Out: an [`Inspection`]. Nothing is written; every digest is checked all the same.

use super::choose::choose;
use super::decide::{merge, name};
use super::layers::Layers;
use super::lent::Keep;
use super::survey::{Known, Survey};
use super::{look_into, read_checked};
use crate::archive::{Archive, SourceLayout};
use crate::error::{Error, escape};
use crate::image::{Image, config};
use crate::options::{Input, Options};
use crate::progress::Watch;
use crate::report::{Artifact, InspectedImage, InspectedLayer, Inspection, PresetGain, Waste};
use crate::rootfs::{Merged, Tally};
use crate::rules::Rules;
use crate::rules::preset::{self, Preset, Selection};
use crate::warning::Warnings;

/// Looks into an archive. Of `options` it reads what says which images are meant and how they are read.
///
/// # Errors
///
/// As [`strip`](super::strip), without those of writing.
pub fn inspect(input: &Input, options: &Options, watch: &Watch<'_>) -> Result<Inspection, Error> {
    look_into(input, options, |archive| run(archive, options, watch))
}

fn run(archive: &Archive, options: &Options, watch: &Watch<'_>) -> Result<Inspection, Error> {
    let layers = read_checked(archive, options, Keep::UntilMerged, watch)?;
    let presets = presets()?;
    let mut warnings = archive.warnings.clone();
    let images = watch.phase("try the presets", None, || {
        let images = archive.images.iter().map(|image| {
            let look = look(image, &layers, &presets, options, &mut warnings, watch);
            look.map_err(|error| error.in_image(name(image)))
        });
        images.collect::<Result<Vec<_>, _>>()
    })?;
    Ok(Inspection {
        version: env!("CARGO_PKG_VERSION"),
        input: Artifact { name: archive.name.clone(), bytes: archive.bytes },
        layout: match archive.source_layout {
            SourceLayout::Docker => "docker",
            SourceLayout::Oci => "oci",
            SourceLayout::Hybrid => "docker+oci",
        },
        images,
        warnings: (&warnings).into(),
    })
}

/// Every preset that takes something, and the rules of it alone.
fn presets() -> Result<Vec<(Preset, Rules)>, Error> {
    let alone = |preset: Preset| {
        let rules = Rules::builder().presets(Selection::parse(preset.name)?).build()?;
        Ok((preset, rules))
    };
    let all = preset::all().into_iter().map(alone);
    all.filter(|preset| !matches!(preset, Ok((_, rules)) if rules.is_none())).collect()
}

fn look(
    image: &Image,
    layers: &Layers,
    presets: &[(Preset, Rules)],
    options: &Options,
    warnings: &mut Warnings,
    watch: &Watch<'_>,
) -> Result<InspectedImage, Error> {
    let (_, merged) = merge((image, 0), layers, options)?;
    warnings.merge(&merged.warnings);
    let Merged { tree, ledger, .. } = merged;
    let survey = Survey::of(image, &tree, layers)?;
    let known = Known::new(image, (&survey, &tree), layers, options, warnings)?;
    // Warnings about what one preset alone would do are none about the image.
    let (mut unsaid, quiet) = (Warnings::default(), Watch::silent(watch.cancel));
    let gains = presets.iter().map(|(preset, rules)| {
        let mut freed = Tally::default();
        let drops = choose(rules, &known, 0, &mut unsaid, &quiet)?.drops;
        drops.apply(&mut tree.clone()).iter().for_each(|rule| freed += rule.tally);
        Ok(PresetGain { preset: preset.name, default: preset.default, freed })
    });
    let gains: Vec<Result<PresetGain, Error>> = gains.collect();
    let mut total = ledger.replaced;
    total += ledger.whited_out;
    total += ledger.metadata;
    Ok(InspectedImage {
        name: name(image),
        platform: image.platform.to_string(),
        id: image.config_digest.to_string(),
        layers: list(image, layers),
        input: ledger.input,
        waste: Waste { total, replaced: ledger.replaced, whited_out: ledger.whited_out, metadata: ledger.metadata },
        presets: gains.into_iter().collect::<Result<_, _>>()?,
    })
}

pub(super) fn list(image: &Image, layers: &Layers) -> Vec<InspectedLayer> {
    let mut steps = config::layer_steps(&image.config, image.layers.len()).into_iter();
    let both = image.layers.iter().zip(layers.of(image));
    let mut list = Vec::with_capacity(image.layers.len());
    for (number, (layer, (_, _, read))) in (1u64..).zip(both) {
        list.push(InspectedLayer {
            number,
            digest: layer.digest.as_ref().unwrap_or(&layer.diff_id).to_string(),
            codec: read.codec.to_string(),
            blob_bytes: layer.blob.len(),
            tar_bytes: read.expanded,
            entries: read.entries,
            created_by: steps.next().flatten().map(one_line),
        });
    }
    list
}

/// A command on one line, escaped.
fn one_line(command: &str) -> String {
    escape(command.split_whitespace().collect::<Vec<_>>().join(" ").as_bytes())
}
