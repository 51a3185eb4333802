//! Squash a container image archive into one small layer, and strip what it does not need.

pub mod archive;
pub mod cancel;
pub mod error;
pub mod image;
pub mod layer;
pub mod options;
pub mod rootfs;
pub mod rules;
pub mod warning;
