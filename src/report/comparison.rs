//! What differs between two archives, as data, and as text for a terminal. Paths and names are escaped already; the
//! values of configs are JSON. The order of the fields is part of the JSON's contract.

use super::data::{Artifact, Warning};
use super::escape::line;
use super::unit::{count, counted};
use crate::rootfs::{Aspect, Change, Difference};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;

/// How many differences are shown, unless all are asked for.
const LINES: usize = 200;

/// Two archives compared.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Comparison {
    /// The version of imgstrip.
    pub version: &'static str,
    /// Whether root filesystems and configs are the same, image by image.
    pub equal: bool,
    /// The first archive.
    pub a: Artifact,
    /// The second.
    pub b: Artifact,
    /// The images that both have, in the order of the first.
    pub images: Vec<ImageComparison>,
    /// Images of the first that the second has none for: name and platform.
    pub only_in_a: Vec<String>,
    /// Images of the second that the first has none for.
    pub only_in_b: Vec<String>,
    /// The warnings of both, by class.
    pub warnings: Vec<Warning>,
}

/// Two images compared.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ImageComparison {
    /// What the first archive calls it.
    pub name_a: String,
    /// What the second calls it; another name is no difference.
    pub name_b: String,
    /// Such as `linux/arm64/v8`.
    pub platform: String,
    /// How many layers the first has; another number is no difference.
    pub layers_a: u64,
    /// How many the second has.
    pub layers_b: u64,
    /// The paths that differ, in the order of a walk.
    pub rootfs: Vec<Difference>,
    /// The keys of the config that differ.
    pub config: Vec<ConfigDifference>,
}

/// A value of a config that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigDifference {
    /// Where it stands: a JSON pointer.
    pub pointer: String,
    /// How the first has it; `None` where it has none, as JSON `null`.
    pub before: Option<Value>,
    /// How the second has it.
    pub after: Option<Value>,
}

/// A comparison as text; `all` shows every difference, however many.
pub fn render(comparison: &Comparison, all: bool) -> String {
    let mut room = if all { usize::MAX } else { LINES };
    let mut text = String::new();
    for image in &comparison.images {
        let names = if image.name_a == image.name_b {
            line(&image.name_a)
        } else {
            format!("{} and {}", line(&image.name_a), line(&image.name_b))
        };
        let _ = writeln!(text, "{names}  {}", line(&image.platform));
        if image.layers_a != image.layers_b {
            let _ = writeln!(text, "  layers: {} vs {}", count(image.layers_a), count(image.layers_b));
        }
        if image.rootfs.is_empty() {
            text.push_str("  root filesystems equal\n");
        } else {
            let of = |change| count(image.rootfs.iter().filter(|known| known.change == change).count() as u64);
            let [added, removed, changed] = [Change::Added, Change::Removed, Change::Changed].map(of);
            let _ = writeln!(text, "  root filesystems differ: {added} added, {removed} removed, {changed} changed");
        }
        list(&mut text, &mut room, &image.rootfs, path);
        if image.config.is_empty() {
            text.push_str("  configs equal\n");
        } else {
            let _ = writeln!(text, "  configs differ: {}", counted(image.config.len() as u64, "value"));
        }
        list(&mut text, &mut room, &image.config, value);
    }
    for (archive, images) in [(&comparison.a, &comparison.only_in_a), (&comparison.b, &comparison.only_in_b)] {
        for image in images {
            let _ = writeln!(text, "only in {}: {}", line(&archive.name), line(image));
        }
    }
    text
}

fn list<T>(text: &mut String, room: &mut usize, items: &[T], show: fn(&T) -> String) {
    for item in items.iter().take(*room) {
        let _ = writeln!(text, "    {}", show(item));
    }
    let more = items.len().saturating_sub(*room);
    *room = room.saturating_sub(items.len());
    if more > 0 {
        let _ = writeln!(text, "    ... and {} more (-v shows them)", count(more as u64));
    }
}

fn path(difference: &Difference) -> String {
    let path = line(&difference.path.to_string());
    let sign = match difference.change {
        Change::Added => '+',
        Change::Removed => '-',
        Change::Changed => '~',
    };
    let detail = |detail: &crate::rootfs::Detail| match detail.what {
        Aspect::Content => "content".to_owned(),
        what => format!("{} {} -> {}", what.name(), or_none(&detail.before), or_none(&detail.after)),
    };
    let details = difference.details.iter().map(detail).collect::<Vec<_>>().join(", ");
    if details.is_empty() { format!("{sign} {path}") } else { format!("{sign} {path}  {details}") }
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "none".into() } else { line(text) }
}

fn value(difference: &ConfigDifference) -> String {
    let show = |value: &Option<Value>| value.as_ref().map_or("none".to_owned(), |value| line(&value.to_string()));
    format!("~ {}  {} -> {}", line(&difference.pointer), show(&difference.before), show(&difference.after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::{Detail, RootPath};
    use serde_json::json;

    fn path(path: &str, change: Change, details: Vec<Detail>) -> Difference {
        Difference { path: RootPath::clamped(path.as_bytes()), change, details }
    }

    fn comparison() -> Comparison {
        let detail = |what, before: &str, after: &str| Detail { what, before: before.into(), after: after.into() };
        let details = vec![detail(Aspect::Mode, "0644", "0600"), detail(Aspect::Content, "", "")];
        let rootfs = vec![
            path("a\x1b", Change::Added, vec![]),
            path("b", Change::Removed, vec![]),
            path("c", Change::Changed, details),
        ];
        let config =
            vec![ConfigDifference { pointer: "/config/User".into(), before: None, after: Some(json!("u\x1b")) }];
        let names = (String::from("app:1"), String::from("app:2"));
        let image = ImageComparison {
            name_a: names.0,
            name_b: names.1,
            platform: "linux/amd64".into(),
            layers_a: 7,
            layers_b: 1,
            rootfs,
            config,
        };
        let b = Artifact { name: "b.tar".into(), bytes: 2 };
        Comparison { images: vec![image], only_in_b: vec!["x linux/arm64".into()], b, ..Comparison::default() }
    }

    #[test]
    fn a_comparison_shows_each_difference_on_a_line() {
        let expected = "\
app:1 and app:2  linux/amd64
  layers: 7 vs 1
  root filesystems differ: 1 added, 1 removed, 1 changed
    + /a\\x1b
    - /b
    ~ /c  mode 0644 -> 0600, content
  configs differ: 1 value
    ~ /config/User  none -> \"u\\u001b\"
only in b.tar: x linux/arm64
";
        assert_eq!(render(&comparison(), false), expected);
    }

    #[test]
    fn only_so_many_lines_are_shown_unless_all_are_asked_for() {
        let mut comparison = comparison();
        comparison.images[0].rootfs = (0..203).map(|n| path(&format!("{n:03}"), Change::Added, vec![])).collect();
        let text = render(&comparison, false);
        assert!(text.contains("+ /199\n    ... and 3 more") && text.contains("... and 1 more"), "{text}");
        let text = render(&comparison, true);
        assert!(text.contains("+ /202\n") && !text.contains("more"), "{text}");
    }
}
