//! A report, or what an inspection found, as JSON: indented, the fields in the order in which the data names them.

use crate::error::{Error, ErrorKind};
use serde::Serialize;

/// The JSON text, which ends in a newline.
pub fn render(value: &impl Serialize) -> Result<String, Error> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::new(ErrorKind::Io, format!("write the report as JSON: {error}")))?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::example::report;
    use super::*;

    #[test]
    fn the_shape_of_the_json_is_a_contract() {
        let mut report = report();
        report.images[0].dropped_by.truncate(1);
        report.images[0].dropped_by_preset.truncate(1);
        assert_eq!(render(&report).unwrap(), include_str!("example.json"));
    }
}
