//! What is inside an archive, as data, and as text for a terminal. In: what the pipeline found. Out: the value that
//! `inspect --json` prints, and its tables.
//!
//! Every string that comes from an archive is already escaped. Sizes are bytes; field order is the order of the JSON.

use super::data::{Artifact, Sizes, Warning};
use super::escape::line;
use super::table::Table;
use super::unit::{count, counted, entries, share, size};
use crate::rootfs::Tally;
use serde::Serialize;
use std::fmt::Write;

/// What is inside an archive.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Inspection {
    /// The version of imgstrip.
    pub version: &'static str,
    /// The archive.
    pub input: Artifact,
    /// How it describes its images: `docker`, `oci`, or `docker and oci`.
    pub layout: String,
    /// Each image and platform, in the order of the archive.
    pub images: Vec<ImageInspection>,
    /// The warnings, by class.
    pub warnings: Vec<Warning>,
}

/// One image of one platform.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ImageInspection {
    /// Its names as Docker shows them, joined by a comma; a short image ID for an untagged image.
    pub name: String,
    /// Such as `linux/arm64/v8`.
    pub platform: String,
    /// The digest of its config: the image ID.
    pub config_digest: String,
    /// When it was made, as its config says.
    pub created: Option<String>,
    /// What it runs: entrypoint and command, one word each.
    pub command: Vec<String>,
    /// Its layers together.
    pub size: Sizes,
    /// Everything that the layers hold.
    pub input: Tally,
    /// What a container of it shows.
    pub visible: Tally,
    /// Hidden because a later layer has the same path.
    pub replaced: Tally,
    /// Hidden because a later layer deletes it.
    pub whited_out: Tally,
    /// Its layers, lowest first.
    pub layers: Vec<LayerInspection>,
    /// What each preset would free by itself, in the order of their names.
    pub presets: Vec<PresetInspection>,
}

/// One layer of an image.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LayerInspection {
    /// The digest of the tar.
    pub diff_id: String,
    /// Bytes of the blob.
    pub size: u64,
    /// Bytes of the tar.
    pub tar_size: u64,
    /// `none`, `gzip` or `zstd`.
    pub compression: String,
    /// The step of the history that made it, if the history says so.
    pub created_by: Option<String>,
}

/// What a preset would free.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PresetInspection {
    /// Its name.
    pub preset: String,
    /// Whether it is on where the user says nothing.
    pub default: bool,
    /// What it would free, alone.
    #[serde(flatten)]
    pub frees: Tally,
}

/// How much of a history step is shown.
const STEP: usize = 60;

/// The tables of an inspection.
pub fn render(inspection: &Inspection) -> String {
    let input = &inspection.input;
    let mut text = format!("{}  {}  {}\n", line(&input.name), size(input.bytes), line(&inspection.layout));
    for image in &inspection.images {
        render_image(&mut text, image);
    }
    for warning in &inspection.warnings {
        let places = warning.examples.iter().map(|place| line(place)).collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "warning: {} {} ({places})", count(warning.count), line(&warning.text));
    }
    text
}

fn render_image(text: &mut String, image: &ImageInspection) {
    let _ = writeln!(text, "\n{}  {}  {}", line(&image.name), line(&image.platform), line(&image.config_digest));
    if let Some(created) = &image.created {
        let _ = writeln!(text, "  created {}", line(created));
    }
    if !image.command.is_empty() {
        let words: Vec<String> = image.command.iter().map(|word| line(word)).collect();
        let _ = writeln!(text, "  runs {}", words.join(" "));
    }
    let _ = writeln!(text, "  {}", counted(image.layers.len() as u64, "layer"));
    let mut table = Table::default();
    for (index, layer) in image.layers.iter().enumerate() {
        let step = layer.created_by.as_deref().map(step).unwrap_or_default();
        let blob = match layer.compression.as_str() {
            "none" => String::new(),
            name => format!("{} {}", size(layer.size), line(name)),
        };
        table.row([(index + 1).to_string(), size(layer.tar_size), blob], step);
    }
    text.push_str(&table.render());
    let whole = image.input.bytes;
    let row = |table: &mut Table, label: &str, tally: Tally, rest: &str| {
        let cells = [line(label), size(tally.bytes), share(tally.bytes, whole), entries(tally.entries)];
        table.row(cells, rest);
    };
    let mut table = Table::default();
    row(&mut table, "all layers", image.input, "");
    row(&mut table, "replaced", image.replaced, "waste: a later layer has the same path");
    row(&mut table, "whited out", image.whited_out, "waste: a later layer deletes it");
    row(&mut table, "visible", image.visible, "what a container shows");
    text.push_str(&table.render());
    let mut table = Table::default();
    for preset in image.presets.iter().filter(|preset| preset.frees != Tally::default()) {
        row(&mut table, &preset.preset, preset.frees, if preset.default { "on by default" } else { "" });
    }
    let presets = table.render();
    if !presets.is_empty() {
        let _ = write!(text, "  each preset alone would free\n{presets}");
    }
}

/// The start of a history step, without what the classic builder puts in front.
fn step(text: &str) -> String {
    let shown = line(text);
    let plain = ["/bin/sh -c #(nop) ", "/bin/sh -c "].iter().find_map(|prefix| shown.strip_prefix(prefix));
    let plain = plain.unwrap_or(&shown).trim();
    match plain.char_indices().nth(STEP) {
        Some((end, _)) => format!("{}...", plain.get(..end).unwrap_or(plain)),
        None => plain.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspection() -> Inspection {
        let tally = |entries, bytes| Tally { entries, bytes };
        let layer = |tar_size, step: &str| LayerInspection {
            diff_id: "sha256:d".into(),
            size: tar_size / 2,
            tar_size,
            compression: "gzip".into(),
            created_by: Some(step.into()),
        };
        let preset = |name: &str, default, frees| PresetInspection { preset: name.into(), default, frees };
        let image = ImageInspection {
            name: "app:1.0".into(),
            platform: "linux/amd64".into(),
            config_digest: "sha256:c".into(),
            created: Some("2024-01-01T00:00:00Z".into()),
            command: vec!["/app".into(), "a\x1bb".into()],
            size: Sizes { uncompressed: 220, compressed: Some(110) },
            input: tally(10, 200),
            visible: tally(7, 150),
            replaced: tally(2, 30),
            whited_out: tally(1, 20),
            layers: vec![layer(120, "/bin/sh -c #(nop) ADD file:x in / "), layer(100, "RUN true")],
            presets: vec![
                preset("docs", true, tally(3, 50)),
                preset("tests", false, tally(1, 5)),
                preset("vcs", true, tally(0, 0)),
            ],
        };
        let input = Artifact { name: "in.tar".into(), bytes: 1000 };
        Inspection { version: "0.1.0", input, layout: "docker".into(), images: vec![image], warnings: Vec::new() }
    }

    #[test]
    fn an_inspection_shows_layers_waste_and_what_presets_would_free() {
        let expected = "\
in.tar  1.00 kB  docker

app:1.0  linux/amd64  sha256:c
  created 2024-01-01T00:00:00Z
  runs /app a\\x1bb
  2 layers
  1  120 B  60 B gzip  ADD file:x in /
  2  100 B  50 B gzip  RUN true
  all layers  200 B  100.0%  10 entries
  replaced     30 B   15.0%   2 entries  waste: a later layer has the same path
  whited out   20 B   10.0%     1 entry  waste: a later layer deletes it
  visible     150 B   75.0%   7 entries  what a container shows
  each preset alone would free
  docs   50 B  25.0%  3 entries  on by default
  tests   5 B   2.5%    1 entry
";
        assert_eq!(render(&inspection()), expected);
    }

    #[test]
    fn an_inspection_is_json_too() {
        let json: serde_json::Value =
            serde_json::from_str(&super::super::json::render(&inspection()).unwrap()).unwrap();
        assert_eq!(json["images"][0]["presets"][0]["bytes"], 50);
        assert_eq!(json["images"][0]["layers"][1]["created_by"], "RUN true");
    }

    #[test]
    fn a_long_step_is_cut_between_characters() {
        assert_eq!(step(&"é".repeat(100)), format!("{}...", "é".repeat(STEP)));
    }
}
