//! PURE. What to drop: presets, own rules, globs, and the decision for a whole tree.

/// What to drop and what to keep.
#[derive(Debug, Clone, Default)]
pub struct Rules;
