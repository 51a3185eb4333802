//! What happened, as data; text, JSON, Markdown and HTML from the same data.

pub mod config_diff;
mod data;
pub mod difference;
mod escape;
#[cfg(test)]
mod example;
pub mod html;
pub mod inspection;
pub mod json;
mod load;
pub mod markdown;
mod table;
pub mod text;
mod unit;

pub use data::{
    Accounting, Artifact, ImageReport, LayerReport, PresetDrops, Refusal, Report, RuleDrops, Sizes, Timing, Warning,
    by_preset,
};
pub use difference::Difference;
pub use inspection::{ImageInspection, Inspection, LayerInspection, PresetInspection};
pub use load::load_command;
pub use unit::size;
