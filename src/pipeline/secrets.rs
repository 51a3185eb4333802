//! The look for secrets, where the preset `secrets` asks for it. In: an image, its layers and what stays. Out: findings for the report; nothing
//! is changed.

use super::layers::Layers;
use crate::error::Error;
use crate::image::Image;
use crate::options::{History, Options};
use crate::report::SecretFinding;
use crate::rootfs::{LayerId, Tree, Upper};
use crate::secrets;
use std::sync::Arc;

/// What the preset `secrets` is there for.
pub(super) fn find(
    image: &Image,
    kept: usize,
    tree: &Tree,
    layers: &Layers,
    options: &Options,
) -> Result<Vec<SecretFinding>, Error> {
    if !options.rules.looks_for_secrets() {
        return Ok(Vec::new());
    }
    let uppers: Vec<(LayerId, Arc<Upper>)> =
        layers.of(image).map(|(id, upper, _)| Ok((id, upper.borrow()?))).collect::<Result<_, Error>>()?;
    let stack: Vec<(LayerId, &Upper)> = uppers.iter().map(|(id, upper)| (*id, &**upper)).collect();
    let words = secrets::Words::of(&image.config, kept, options.history == History::Keep);
    let found = secrets::find(&secrets::Held { tree, layers: &stack, kept }, &words, layers)?;
    Ok(found.iter().map(SecretFinding::from).collect())
}
