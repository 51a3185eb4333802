//! What happened, as data; text, JSON, Markdown and HTML from the same data.

mod data;

pub use data::{
    Accounting, Artifact, ImageReport, LayerReport, PresetDrops, Refusal, Report, RuleDrops, Sizes, Timing, Warning,
    by_preset,
};
