//! Two archives compared, image by image: what their containers see, and what their configs say.
//!
//! In: two archives. Out: a [`Comparison`]. Nothing is written; every digest is checked, and files of one size are
//! compared byte for byte.

use super::decide::{merge, name};
use super::layers::Layers;
use super::lent::Keep;
use super::{look_into, read_checked};
use crate::archive::Archive;
use crate::error::Error;
use crate::image::{Image, config_differences};
use crate::layer::{Half, same_content};
use crate::options::{Input, Options};
use crate::progress::Watch;
use crate::report::{Artifact, Comparison, ImageComparison};
use crate::rootfs::diff as compare_trees;
use crate::warning::Warnings;

/// One of two archives, its layers read.
struct Side<'a> {
    archive: &'a Archive,
    layers: Layers,
}

/// Compares two archives. Images are paired by name and platform, those that are left by platform and place. Of
/// `options` it reads what says which images are meant and how they are read, for both archives alike.
///
/// # Errors
///
/// As [`strip`](super::strip), without those of writing; each names its archive.
pub fn diff(a: &Input, b: &Input, options: &Options, watch: &Watch<'_>) -> Result<Comparison, Error> {
    if (a, b) == (&Input::Stdin, &Input::Stdin) {
        return Err(Error::usage("standard input can be one of the two archives only"));
    }
    look_into(a, options, |a| {
        let a = open(a, options, watch)?;
        look_into(b, options, |b| run(&a, &open(b, options, watch)?, options, watch))
    })
}

fn open<'a>(archive: &'a Archive, options: &Options, watch: &Watch<'_>) -> Result<Side<'a>, Error> {
    let layers = read_checked(archive, options, Keep::UntilMerged, watch)?;
    Ok(Side { archive, layers })
}

fn run(a: &Side<'_>, b: &Side<'_>, options: &Options, watch: &Watch<'_>) -> Result<Comparison, Error> {
    let mut warnings = a.archive.warnings.clone();
    warnings.merge(&b.archive.warnings);
    let artifact = |side: &Side<'_>| Artifact { name: side.archive.name.clone(), bytes: side.archive.bytes };
    let mut comparison =
        Comparison { version: env!("CARGO_PKG_VERSION"), a: artifact(a), b: artifact(b), ..Comparison::default() };
    let label = |image: &Image| format!("{} {}", name(image), image.platform);
    watch.phase("compare", None, || {
        let mut in_b: Vec<Option<&Image>> = b.archive.images.iter().map(Some).collect();
        for (image, partner) in pair(&a.archive.images, &mut in_b) {
            match partner {
                Some(other) => comparison.images.push(compare((a, image), (b, other), options, &mut warnings, watch)?),
                None => comparison.only_in_a.push(label(image)),
            }
        }
        comparison.only_in_b = in_b.into_iter().flatten().map(label).collect();
        Ok(())
    })?;
    comparison.equal = comparison.only_in_a.is_empty()
        && comparison.only_in_b.is_empty()
        && comparison.images.iter().all(|image| image.rootfs.is_empty() && image.config.is_empty());
    comparison.warnings = (&warnings).into();
    Ok(comparison)
}

/// Each image of the first archive with its partner, which is taken out of `others`.
fn pair<'a>(images: &'a [Image], others: &mut [Option<&'a Image>]) -> Vec<(&'a Image, Option<&'a Image>)> {
    let mut pairs: Vec<(&Image, Option<&Image>)> = images.iter().map(|image| (image, None)).collect();
    let has_name = |a: &Image, b: &Image| a.references.iter().any(|name| b.references.contains(name));
    // All names go first: an image further up must not take the namesake of one further down.
    for by_name in [true, false] {
        for (image, partner) in pairs.iter_mut().filter(|(_, partner)| partner.is_none()) {
            let is_partner =
                |other: &Image| other.platform.is_same(&image.platform) && (!by_name || has_name(image, other));
            if let Some(found) = others.iter_mut().find(|other| other.is_some_and(is_partner)) {
                *partner = found.take();
            }
        }
    }
    pairs
}

fn compare(
    (a, image_a): (&Side<'_>, &Image),
    (b, image_b): (&Side<'_>, &Image),
    options: &Options,
    warnings: &mut Warnings,
    watch: &Watch<'_>,
) -> Result<ImageComparison, Error> {
    let merged = |side: &Side<'_>, image: &Image| {
        let merged = merge((image, 0), &side.layers, options).map(|(_, merged)| merged);
        merged.map_err(|error| error.in_image(name(image)).in_archive(side.archive.name.as_str()))
    };
    let (of_a, of_b) = (merged(a, image_a)?, merged(b, image_b)?);
    warnings.merge(&of_a.warnings);
    warnings.merge(&of_b.warnings);
    let rootfs = compare_trees(&of_a.tree, &of_b.tree, &mut |path, in_a, in_b| {
        let one = Half { content: in_a, sources: &|id| a.layers.tar(id), archive: &a.archive.name };
        let other = Half { content: in_b, sources: &|id| b.layers.tar(id), archive: &b.archive.name };
        same_content(one, other, &|| watch.cancel.check()).map_err(|error| error.at_entry(path.as_bytes()))
    })?;
    Ok(ImageComparison {
        name_a: name(image_a),
        name_b: name(image_b),
        platform: image_a.platform.to_string(),
        layers_a: image_a.layers.len() as u64,
        layers_b: image_b.layers.len() as u64,
        rootfs,
        config: config_differences(&image_a.config, &image_b.config),
    })
}
