//! A layer's own tree, which is there until the last image that has the layer is merged.
//!
//! In: the tree, and how many images ask for it. Out: the tree, as often as that. A million entries cost 200 MB once; kept until the run ends they
//! would cost that twice, beside the merged tree, while everything is decided and written.

use crate::error::{Error, ErrorKind};
use crate::rootfs::Upper;
use std::sync::{Arc, Mutex, PoisonError};

/// How long a layer's tree is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Until the last image is merged.
    UntilMerged,
    /// As long as the run goes on: somebody asks afterwards what each layer did.
    ToTheEnd,
}

/// The tree, and how many more times it is asked for.
#[derive(Debug)]
pub(super) struct Lent(Mutex<(Option<Arc<Upper>>, usize)>);

impl Lent {
    /// A tree for so many images.
    pub(super) fn new(upper: Upper, images: usize, keep: Keep) -> Self {
        let times = if keep == Keep::ToTheEnd { usize::MAX } else { images };
        Self(Mutex::new((Some(Arc::new(upper)), times)))
    }

    /// The tree for one more image: who is the last to have it frees it. An error where it was asked for more often than it was lent for, lest an
    /// image be written without a layer.
    pub(super) fn borrow(&self) -> Result<Arc<Upper>, Error> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (upper, left) = &mut *guard;
        if *left != usize::MAX {
            *left = left.saturating_sub(1);
        }
        let known = if *left == 0 { upper.take() } else { upper.clone() };
        known.ok_or_else(|| {
            Error::new(ErrorKind::Io, "the entries of a layer were asked for again after they were freed")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_gone_when_the_last_image_has_had_it() {
        let lent = Lent::new(Upper::default(), 2, Keep::UntilMerged);
        let watched = Arc::downgrade(&lent.borrow().unwrap());
        assert!(watched.upgrade().is_some());
        drop(lent.borrow().unwrap());
        assert!(watched.upgrade().is_none());
        assert!(lent.borrow().is_err());
    }

    #[test]
    fn a_tree_that_is_asked_about_afterwards_stays() {
        let lent = Lent::new(Upper::default(), 1, Keep::ToTheEnd);
        let watched = Arc::downgrade(&lent.borrow().unwrap());
        drop(lent.borrow().unwrap());
        assert!(watched.upgrade().is_some());
    }
}
