//! What was copied as it was compressed, as lines of the report.

use super::{LayerReport, ReusedLayer};
use crate::report::unit::size;
use std::fmt::Write;

/// In: the layer that was written. Out: how much of it was copied, and which layers were too much in pieces; with `full` each layer's figures.
pub(super) fn text(layer: &LayerReport, full: bool) -> String {
    let mut text = String::new();
    let copied: u64 = layer.reused.iter().map(|reused| reused.copied).sum();
    if copied > 0 {
        let _ = writeln!(text, "  {} of the tar copied as it was compressed, the rest encoded", size(copied));
    }
    for ReusedLayer { layer, copied, encoded } in &layer.reused {
        if full || copied < encoded {
            let copied = if *copied == 0 { String::new() } else { format!("{} copied, ", size(*copied)) };
            let _ = writeln!(text, "    layer {layer}: {copied}{} encoded afresh", size(*encoded));
        }
    }
    text
}
