//! What the layers of an archive cost together, bounded while they are read side by side: 500 layers within their own limits are no image
//! within its limit.
//!
//! In: what each layer has had so far. Out: the error once an image, or the archive, has had more than its limits allow.

use super::decide;
use crate::error::Error;
use crate::image::Image;
use crate::layer::codec::{EXPANDED, RATIO_FROM};
use crate::options::Limits;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Entries of a layer between two looks at the sums.
const EVERY: u64 = 256;

/// The sums of a run.
#[derive(Debug)]
pub(super) struct Account<'a> {
    limits: &'a Limits,
    /// Entries of each layer so far.
    entries: Vec<AtomicU64>,
    /// The images, and the layers that each has, as often as it has them.
    images: Vec<(&'a Image, Vec<usize>)>,
    /// Bytes of the content of all layers so far, and how many there may be.
    bytes: AtomicU64,
    allowed: u64,
    over: AtomicBool,
}

/// What one layer has had so far.
#[derive(Debug, Default)]
pub(super) struct Spent {
    entries: u64,
    bytes: u64,
}

impl<'a> Account<'a> {
    /// Of these images, whose layers have numbers below `count`; the archive has `size` bytes.
    pub(super) fn new(images: Vec<(&'a Image, Vec<usize>)>, count: usize, size: u64, limits: &'a Limits) -> Self {
        let entries = std::iter::repeat_with(AtomicU64::default).take(count).collect();
        let allowed = size.saturating_mul(limits.ratio).max(RATIO_FROM);
        Self { limits, entries, images, bytes: AtomicU64::new(0), allowed, over: AtomicBool::new(false) }
    }

    /// The limits for one layer alone: none may have more bytes than all together.
    pub(super) fn limits(&self) -> Limits {
        Limits { expanded: self.limits.expanded.min(self.allowed), ..self.limits.clone() }
    }

    /// Names the limit that was met, where [`Account::limits`] lowered one.
    pub(super) fn explain(&self, error: Error) -> Error {
        if error.has_hint(EXPANDED) && self.allowed < self.limits.expanded {
            self.too_large().in_place_of(error)
        } else {
            error
        }
    }

    fn too_large(&self) -> Error {
        // Each stage of compression within its own ratio: gzip in gzip makes a million of one.
        let what = format!("its layers have more than {} times the bytes of the archive", self.limits.ratio);
        Error::limit(what).hint("raise it with --limit ratio=N")
    }

    /// Notes an entry of a layer with this content, after which the layer's tree has so many names.
    ///
    /// Errors: `Limit`, which [`Account::check`] tells better: it knows no layer.
    pub(super) fn note(&self, layer: usize, spent: &mut Spent, content: u64, names: usize) -> Result<(), Error> {
        spent.entries = spent.entries.saturating_add(1);
        spent.bytes = spent.bytes.saturating_add(content);
        if spent.bytes > 0 && (spent.bytes > RATIO_FROM || spent.entries.is_multiple_of(EVERY)) {
            self.bytes.fetch_add(std::mem::take(&mut spent.bytes), Ordering::Relaxed);
        }
        if spent.entries.is_multiple_of(EVERY) || content > RATIO_FROM {
            if let Some(entries) = self.entries.get(layer) {
                entries.store(spent.entries.max(names as u64), Ordering::Relaxed);
            }
            if self.over.load(Ordering::Relaxed) || self.check().is_err() {
                self.over.store(true, Ordering::Relaxed);
                return Err(Error::limit("the layers are too large together"));
            }
        }
        Ok(())
    }

    /// Whether all is within the limits; the error names the image.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.bytes.load(Ordering::Relaxed) > self.allowed {
            return Err(self.too_large());
        }
        for (image, layers) in &self.images {
            let entries = layers.iter().filter_map(|layer| self.entries.get(*layer));
            let entries = entries.fold(0u64, |sum, entries| sum.saturating_add(entries.load(Ordering::Relaxed)));
            if entries > self.limits.entries {
                let what = format!("the image has more than {} entries", self.limits.entries);
                let error = Error::limit(what).hint("raise it with --limit entries=N");
                return Err(error.in_image(decide::name(image)));
            }
        }
        Ok(())
    }
}
