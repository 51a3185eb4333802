//! Why a path is in the result or is not, as data, and as text for a terminal. In: what the pipeline found. Out: one value that is shown as text
//! or as JSON. Every string that comes from an archive is escaped already; the order of the fields is part of the JSON's contract.

use super::data::{Artifact, Warning};
use super::escape::line;
use super::unit::{counted, entries, size};
use crate::rootfs::Tally;
use serde::Serialize;
use std::fmt::Write;

/// How many needers are shown on a terminal.
const SHOWN: usize = 10;

/// Why a path is in the result or is not.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Explanation {
    /// The version of imgstrip.
    pub version: &'static str,
    /// The archive.
    pub input: Artifact,
    /// The path that was asked about.
    pub path: String,
    /// One for each image and platform, in the order of the archive.
    pub images: Vec<ExplainedImage>,
    /// The warnings, by class.
    pub warnings: Vec<Warning>,
}

/// What there is to say about a path in one image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExplainedImage {
    /// Its names as Docker shows them, joined by a comma; a short image ID for an untagged image.
    pub name: String,
    /// Such as `linux/arm64/v8`.
    pub platform: String,
    /// The path with the symlinks above it followed.
    pub path: String,
    /// What the layers together show there: `a file`, `a directory`, `a symlink to x`; `None` where nothing is.
    pub shows: Option<String>,
    /// What it holds: for a directory all below it.
    pub holds: Tally,
    /// The layers that touched it, lowest first.
    pub layers: Vec<Touch>,
    /// The packages that own it.
    pub packages: Vec<String>,
    /// What becomes of it, in one sentence.
    pub verdict: String,
    /// Whether it is in the result.
    pub stays: bool,
    /// What goes from a directory that stays, by rule.
    pub drops: Vec<Drop>,
    /// Who needs it, and what they ask for.
    pub needed_by: Vec<Needer>,
    /// From the path back to the image's config: who asked for it, and who for that one.
    pub chain: Vec<Link>,
}

/// What one layer did to a path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Touch {
    /// The layer's place, from 1.
    pub layer: u64,
    /// What it did.
    pub what: String,
    /// The step of the history that made it, on one line.
    pub created_by: Option<String>,
}

/// What a rule takes from a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Drop {
    /// The rule, as `preset/rule`.
    pub rule: String,
    /// What goes.
    #[serde(flatten)]
    pub dropped: Tally,
}

/// A file that needs a path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Needer {
    /// The file.
    pub path: String,
    /// How it spells what it needs.
    pub wanted: String,
}

/// A link of the chain from a path to the config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Who asks; `the config` or `the command line` at the end.
    pub by: String,
    /// For what, as it spells it.
    pub wanted: String,
    /// How: `library`, `interpreter`, `command`...
    pub how: String,
}

/// The explanation for a terminal.
pub fn render(explanation: &Explanation) -> String {
    let mut text = String::new();
    for image in &explanation.images {
        render_image(&mut text, image);
    }
    text
}

fn render_image(text: &mut String, image: &ExplainedImage) {
    let _ = writeln!(text, "{}  {}", line(&image.name), line(&image.platform));
    let holds = match (&image.shows, image.holds.entries) {
        (None, _) => String::new(),
        (Some(_), 0 | 1) => format!(", {}", size(image.holds.bytes)),
        (Some(_), number) => format!(", {} in {}", size(image.holds.bytes), entries(number)),
    };
    let shows = image.shows.as_deref().unwrap_or("nothing");
    let _ = writeln!(text, "  {}: {}{holds}", line(&image.path), line(shows));
    let _ = writeln!(text, "  {}", line(&image.verdict));
    for package in &image.packages {
        let _ = writeln!(text, "  package {}", line(package));
    }
    for touch in &image.layers {
        let step = touch.created_by.as_deref().map(|step| format!("  {}", line(step))).unwrap_or_default();
        let _ = writeln!(text, "  layer {} {}{step}", touch.layer, line(&touch.what));
    }
    for drop in &image.drops {
        let what = format!("{} in {}", size(drop.dropped.bytes), entries(drop.dropped.entries));
        let _ = writeln!(text, "  rule {} takes {what}", line(&drop.rule));
    }
    for needer in image.needed_by.iter().take(SHOWN) {
        let _ = writeln!(text, "  {} needs it as {}", line(&needer.path), line(&needer.wanted));
    }
    let rest = image.needed_by.len().saturating_sub(SHOWN);
    if rest > 0 {
        let _ = writeln!(text, "  and {} more (--json shows them)", counted(rest as u64, "file"));
    }
    for (depth, link) in image.chain.iter().enumerate() {
        let indent = "  ".repeat(depth.saturating_add(1).min(SHOWN));
        let _ = writeln!(text, "{indent}asked for by {}: {} ({})", line(&link.by), line(&link.wanted), line(&link.how));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_sees_what_where_from_and_why() {
        let image = ExplainedImage {
            name: "app:1.0".into(),
            platform: "linux/amd64".into(),
            path: "/usr/lib/libz.so.1".into(),
            shows: Some("a file".into()),
            holds: Tally { entries: 1, bytes: 120_000 },
            layers: vec![Touch { layer: 2, what: "adds a file".into(), created_by: Some("RUN apt-get".into()) }],
            packages: vec!["zlib1g 1:1.2".into()],
            verdict: "stays: /app/x needs it".into(),
            stays: true,
            drops: vec![],
            needed_by: vec![Needer { path: "/app/x".into(), wanted: "libz.so.1".into() }],
            chain: vec![
                Link { by: "/app/x".into(), wanted: "libz.so.1".into(), how: "library".into() },
                Link { by: "the config".into(), wanted: "x\n".into(), how: "command".into() },
            ],
        };
        let shown = render(&Explanation { images: vec![image], ..Explanation::default() });
        let expected = "\
app:1.0  linux/amd64
  /usr/lib/libz.so.1: a file, 120 kB
  stays: /app/x needs it
  package zlib1g 1:1.2
  layer 2 adds a file  RUN apt-get
  /app/x needs it as libz.so.1
  asked for by /app/x: libz.so.1 (library)
    asked for by the config: x\\n (command)
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn of_a_path_that_is_not_there_the_layers_are_told() {
        let image = ExplainedImage {
            path: "/gone".into(),
            verdict: "is not in the image".into(),
            layers: vec![Touch { layer: 3, what: "whites it out".into(), created_by: None }],
            ..ExplainedImage::default()
        };
        let shown = render(&Explanation { images: vec![image], ..Explanation::default() });
        assert!(shown.contains("  /gone: nothing\n  is not in the image\n  layer 3 whites it out\n"), "{shown}");
    }
}
