//! Squash a container image archive into one small layer, and strip what it does not need.

pub mod archive;
pub mod cancel;
pub mod error;
pub mod image;
pub mod layer;
pub mod options;
mod pipeline;
pub mod progress;
pub mod report;
pub mod rootfs;
pub mod rules;
pub mod warning;
pub use pipeline::{diff, inspect, strip};
