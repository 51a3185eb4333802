//! Where an engine and our output are known to disagree, one row a disagreement.
//!
//! A row names the case, the engines, what they do, and why. `refuses` is a refusal of the input (`imgstrip` stands
//! among the engines); anything else is the difference, line by line and parted by `; `, as `View::diff` tells it: `-`
//! what only the engine shows, `+` what only our output shows, `~` what differs. A row that is no longer true fails.

/// A row: the case, the engines, what they do, why.
pub(crate) type Row = (&'static str, &'static str, &'static str, &'static str);

/// What is known of this case and engine.
pub(crate) fn known(case: &str, engine: &str) -> Option<&'static str> {
    let mut rows =
        KNOWN.iter().filter(|(name, engines, ..)| *name == case && engines.split(' ').any(|one| one == engine));
    rows.next().map(|(_, _, what, _)| *what)
}

/// All of them.
pub(crate) const KNOWN: &[Row] = &[];
