//! `--verify`: the written archive, before it is put in its place, read back as an input is and held against the input.
//!
//! In: what the writer finished, the input, and what the layers showed before anything was decided. Out: what was counted, or an integrity
//! error that names the first entry that differs. Never asks the plan or the writer what should be there: expected is the merged input
//! without what the rules dropped (`tree`) and the input's own config (`documents`), found is what the reading half makes of the bytes. It sees the
//! bytes as the system gives them back, which need not have reached the disk.

mod documents;
mod tree;

use super::checks;
use super::decide::{Decision, merge, name};
use super::layers::Layers;
use super::lent::Keep;
use crate::archive::write::Sealed;
use crate::archive::{Archive, reopen};
use crate::error::{Error, ErrorKind};
use crate::image::{Image, Reference};
use crate::options::{Limits, Options};
use crate::progress::{Event, Watch};
use crate::report::Verified;

/// What a difference means: no input can be the reason.
const HINT: &str = "nothing was put in place; this is a mistake of imgstrip or of the machine, please report it";

/// Reads a written archive back. Returns what was found to be right, and the bytes of spill files that took.
pub(super) fn verify(
    sealed: &Sealed<'_>,
    input: (&Archive, &Layers),
    decisions: &mut [Decision],
    tags: &Option<Vec<Reference>>,
    options: &Options,
    watch: &Watch<'_>,
) -> Result<(Verified, u64), Error> {
    let options = reading(options);
    let blamed = |error: Error| if error.kind() == ErrorKind::Integrity { error.hint(HINT) } else { error };
    let opened = open(sealed, input.0, decisions, tags, &options).map_err(blamed)?;
    let total = opened.images.iter().flat_map(|image| &image.layers).map(|layer| layer.blob.len()).sum();
    watch.phase("read it back", Some(total), || compare(&opened, input, decisions, &options, watch).map_err(blamed))
}

/// The written images, and for each image of the input which of them it became.
struct Opened {
    images: Vec<Image>,
    became: Vec<usize>,
}

fn open(
    sealed: &Sealed<'_>,
    archive: &Archive,
    decisions: &[Decision],
    tags: &Option<Vec<Reference>>,
    options: &Options,
) -> Result<Opened, Error> {
    let mut images = reopen(sealed, &options.limits).map_err(unreadable)?;
    documents::names(&archive.images, &images, tags, options)?;
    let became = documents::pair(&archive.images, decisions, &images)?;
    for ((image, decision), &index) in archive.images.iter().zip(decisions).zip(&became) {
        let Some(written) = images.get_mut(index) else { continue };
        documents::config(image, written, decision.kept, options)
            .and_then(|()| documents::claim(image, decision, written))
            .map_err(|error| error.in_image(name(image)))?;
    }
    Ok(Opened { images, became })
}

fn compare(
    opened: &Opened,
    (archive, layers): (&Archive, &Layers),
    decisions: &mut [Decision],
    options: &Options,
    watch: &Watch<'_>,
) -> Result<(Verified, u64), Error> {
    checks::beside(options, watch, |checks| {
        let told = |bytes| watch.tell(Event::Advanced(bytes));
        // What was written is no bomb, however small it was made.
        let ours = (opened.images.as_slice(), u64::MAX);
        let written = Layers::read(ours, options, (Keep::UntilMerged, checks), &told).map_err(unreadable)?;
        let mut verified = Verified { layers: written.count(), ..Verified::default() };
        for (index, image) in opened.images.iter().enumerate() {
            verified.images = verified.images.saturating_add(1);
            let (_, shown) = merge((image, 0), &written, options).map_err(unreadable)?;
            let from = archive.images.iter().zip(decisions.iter_mut()).zip(&opened.became);
            for ((before, decision), _) in from.filter(|(_, became)| **became == index) {
                let sides = tree::Sides { input: layers, written: &written, cancel: watch.cancel };
                // The tree first: what is odd about a layer says less than what it makes differ.
                tree::compare(decision, &shown.tree, &sides, options.mtime)
                    .and_then(|counted| {
                        counted.add_to(&mut verified);
                        documents::layers((image, &written), decision, &shown.warnings)
                    })
                    .map_err(|error| error.in_image(name(before)))?;
            }
        }
        checks.wait().map_err(unreadable)?;
        Ok((verified, written.spilled()))
    })
}

/// What our own reader refuses should not have been written.
fn unreadable(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Io | ErrorKind::Signal(_) => error,
        _ => Error::integrity(format!("the written archive cannot be read back: {error}")),
    }
}

/// How the result is read: all of it, and with room for what we add ourselves. The input was read within the limits already, and what is
/// made of it may be larger: a zstd frame of zeros is smaller than any deflate stream, a config has a step more.
fn reading(options: &Options) -> Options {
    let (own, usual) = (&options.limits, Limits::default());
    let limits = Limits {
        config: u64::MAX,
        entries: u64::MAX,
        expanded: u64::MAX,
        images: u64::MAX,
        manifest: u64::MAX,
        members: u64::MAX,
        paths: u64::MAX,
        ratio: u64::MAX,
        layers: own.layers.saturating_add(1),
        json_depth: own.json_depth.max(usual.json_depth),
        name: own.name.max(usual.name),
        pax: own.pax.max(usual.pax),
        symlinks: own.symlinks.max(usual.symlinks),
        window: own.window.max(usual.window),
        xattrs: own.xattrs.max(usual.xattrs),
        ..own.clone()
    };
    Options { image: None, platform: None, keep_base: None, limits, ..options.clone() }
}

#[cfg(test)]
mod tests;
