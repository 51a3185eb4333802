//! `--image` and `--platform`: the images of an archive and a user's wish in, which of them are meant out.

use super::draft::Draft;
use crate::error::{Error, escape};
use crate::image::{Platform, Reference};
use oci_spec::image::Digest;

/// How many images a message lists.
const LISTED: usize = 10;

/// Says for each image whether it is meant; an error lists what there is where none is.
pub(super) fn select(drafts: &[Draft], image: Option<&str>, platform: Option<&Platform>) -> Result<Vec<bool>, Error> {
    let mut chosen = vec![true; drafts.len()];
    if let Some(image) = image {
        chosen = by_name(drafts, image)?;
    }
    if let Some(platform) = platform {
        by_platform(drafts, &mut chosen, platform)?;
    }
    Ok(chosen)
}

/// Whether `text` is one of an image's names, familiar, full or a bare tag.
pub(super) fn is_named(references: &[Reference], text: &str) -> bool {
    let parsed = Reference::parse(text).ok();
    let names = |name: &Reference| match &parsed {
        _ if name.is_tag_only() => name.tag == text,
        Some(parsed) => parsed.full == name.full,
        None => false,
    };
    references.iter().any(names)
}

/// Whether `text` is an ID of this digest: at least four of its first digits, or all of it.
pub(super) fn is_id(digest: &Digest, text: &str) -> bool {
    let digits = match text.split_once(':') {
        Some((algorithm, _)) if algorithm != digest.algorithm().as_ref() => return false,
        Some((_, digits)) => digits,
        None => text,
    };
    digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) && digest.digest().starts_with(digits)
}

fn by_name(drafts: &[Draft], image: &str) -> Result<Vec<bool>, Error> {
    let named = |draft: &Draft| is_named(&draft.references, image) || draft.aliases.iter().any(|alias| alias == image);
    let chosen: Vec<bool> = drafts.iter().map(named).collect();
    if chosen.contains(&true) {
        return Ok(chosen);
    }
    // `name@digest` is as exact as the digest alone.
    let id = image.rsplit('@').next().unwrap_or(image);
    let chosen: Vec<bool> = drafts.iter().map(|draft| draft.digests.iter().any(|digest| is_id(digest, id))).collect();
    let mut groups: Vec<usize> =
        drafts.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(draft, _)| draft.group).collect();
    groups.dedup();
    let one = || drafts.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(draft, _)| &draft.config.digest);
    match groups.len() {
        0 => Err(none(drafts, &format!("no image is called \"{}\"", escape(image.as_bytes())))),
        1 => Ok(chosen),
        _ if one().all(|digest| Some(digest) == one().next()) => Ok(chosen),
        _ => Err(none(drafts, &format!("several images have an ID that begins with \"{}\"", escape(id.as_bytes())))),
    }
}

fn by_platform(drafts: &[Draft], chosen: &mut [bool], platform: &Platform) -> Result<(), Error> {
    let pick = |is_meant: &dyn Fn(&Platform) -> bool| -> Vec<bool> {
        drafts.iter().zip(chosen.iter()).map(|(draft, chosen)| *chosen && is_meant(&draft.platform)).collect()
    };
    let mut picked = pick(&|own| own.is_same(platform));
    if !picked.contains(&true) && platform.variant.is_empty() {
        picked = pick(&|own| own.is_same_architecture(platform));
    }
    if !picked.contains(&true) {
        return Err(none(drafts, &format!("no image is for {platform}")));
    }
    chosen.copy_from_slice(&picked);
    Ok(())
}

fn none(drafts: &[Draft], what: &str) -> Error {
    let mut list: Vec<String> = drafts.iter().take(LISTED).map(Draft::label).collect();
    let more = drafts.len().saturating_sub(LISTED);
    if more > 0 {
        list.push(format!("{more} more"));
    }
    Error::usage(format!("{what}; the archive has {}", list.join(", ")))
}
