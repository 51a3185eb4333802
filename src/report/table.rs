//! Rows of cells as aligned lines of a terminal. Only the first cell of a row may hold other than ASCII.

use super::escape::line;
use super::unit::{entries, share, size};
use crate::rootfs::Tally;

/// Rows whose columns line up: the first to the left, the others to the right.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<(Vec<String>, String)>,
}

impl Table {
    /// Adds a row: aligned cells, and a text that follows them unaligned.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>, rest: impl Into<String>) {
        self.rows.push((cells.into_iter().collect(), rest.into()));
    }

    /// Adds a row that says how much of `whole` bytes a tally is.
    pub(super) fn tally(&mut self, label: &str, tally: Tally, whole: u64, rest: &str) {
        let cells = [line(label), size(tally.bytes), share(tally.bytes, whole), entries(tally.entries)];
        self.row(cells, line(rest));
    }

    /// The lines, each indented by two spaces.
    pub(super) fn render(&self) -> String {
        let columns = self.rows.iter().map(|(cells, _)| cells.len()).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|(cells, _)| cells.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for (cells, rest) in &self.rows {
            let mut line = String::from(" ");
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let gap = if column == 0 { " " } else { "  " };
                line.push_str(gap);
                match column {
                    0 => line.push_str(&format!("{cell:<width$}")),
                    _ => line.push_str(&format!("{cell:>width$}")),
                }
            }
            if !rest.is_empty() {
                line.push_str("  ");
                line.push_str(rest);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::default();
        table.row(["kept".into(), "1 B".into()], "rest");
        table.row(["whited out".into(), "100 MB".into()], "");
        assert_eq!(table.render(), "  kept           1 B  rest\n  whited out  100 MB\n");
    }
}
