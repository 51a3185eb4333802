//! What happened, as data; text, JSON, Markdown and HTML from the same data.

pub mod comparison;
mod data;
mod escape;
#[cfg(test)]
mod example;
pub mod explanation;
pub mod html;
pub mod inspection;
pub mod json;
mod load;
pub mod markdown;
mod packages;
mod reused;
mod secrets;
mod table;
pub mod text;
mod unit;
mod verified;

pub use comparison::{Comparison, ConfigDifference, ImageComparison};
pub use data::{
    Accounting, Artifact, ImageReport, LayerReport, Left, Needed, PresetDrops, Refusal, Report, ReusedLayer, RuleDrops,
    Sizes, Stripped, Timing, Verified, Warning, by_preset,
};
pub use explanation::{ExplainedImage, Explanation};
pub use inspection::{InspectedImage, InspectedLayer, Inspection, PresetGain, Waste};
pub use load::load_command;
pub use packages::{PackageDrop, PackageRefusal, PackagesReport};
pub use secrets::SecretFinding;
pub use unit::size;
