//! Squash a container image archive into one small layer, and strip what it does not need.
//!
//! Four functions do everything: [`strip()`] writes an archive, [`inspect`] tells what is in one, [`explain`] why a path is in
//! the result or is not, [`diff`] compares two.
//! What to do is one value, [`options::Options`]; its default is what `imgstrip in.tar out.tar` does.
//!
//! ```no_run
//! use imgstrip::cancel::Cancel;
//! use imgstrip::options::{Input, Options, Output};
//! use imgstrip::progress::Watch;
//!
//! let (input, output) = (Input::Path("in.tar".into()), Output::File("out.tar".into()));
//! let cancel = Cancel::new();
//! let report = imgstrip::strip(&input, &output, &Options::default(), &Watch::silent(&cancel))?;
//! for image in &report.images {
//!     println!("{}: {} bytes kept", image.name, image.accounting.kept.bytes);
//! }
//! # Ok::<(), imgstrip::error::Error>(())
//! ```
//!
//! No function prints, ends the process, looks at the clock or keeps anything between two calls.

pub mod archive;
pub mod cancel;
pub mod error;
pub mod image;
pub mod layer;
pub mod needs;
pub mod options;
pub mod packages;
mod pipeline;
pub mod progress;
pub mod report;
pub mod rootfs;
pub mod rules;
pub mod secrets;
pub mod strip;
pub mod warning;

pub use pipeline::{diff, explain, inspect, strip};
