//! What is inside an archive, as data, and as text for a terminal. In: what the pipeline counted. Out: one value that
//! is shown as text or as JSON. Every string that comes from an archive is escaped already; sizes are bytes, and the
//! order of the fields is part of the JSON's contract.

use super::data::{Artifact, Warning};
use super::escape::line;
use super::table::Table;
use super::text::short;
use super::unit::{count, size};
use crate::rootfs::Tally;
use serde::Serialize;
use std::fmt::Write;

/// How much of a step of the history a line shows.
const STEP: usize = 60;

/// What an archive holds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Inspection {
    /// The version of imgstrip.
    pub version: &'static str,
    /// The archive.
    pub input: Artifact,
    /// `docker`, `oci`, or `docker+oci` for both over the same blobs.
    pub layout: &'static str,
    /// One for each image and platform, in the order of the archive.
    pub images: Vec<InspectedImage>,
    /// The warnings, by class.
    pub warnings: Vec<Warning>,
}

/// One image of one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InspectedImage {
    /// Its names as Docker shows them, joined by a comma; a short image ID for an untagged image.
    pub name: String,
    /// Such as `linux/arm64/v8`.
    pub platform: String,
    /// The image ID: the digest of its config.
    pub id: String,
    /// The layers, lowest first.
    pub layers: Vec<InspectedLayer>,
    /// Everything that the layers hold; whiteouts and opaque marks are marks, not entries.
    pub input: Tally,
    /// What a squash without any rule frees.
    pub waste: Waste,
    /// What each preset alone would free of the rest, by name.
    pub presets: Vec<PresetGain>,
}

/// One layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InspectedLayer {
    /// Where it stands, 1 for the lowest.
    pub number: u64,
    /// The digest of the blob, where a manifest names it, else that of the tar.
    pub digest: String,
    /// `tar`, `gzip` or `zstd`, by its bytes.
    pub codec: String,
    /// Bytes of the blob.
    pub blob_bytes: u64,
    /// Bytes of the uncompressed tar.
    pub tar_bytes: u64,
    /// Entries of the tar, marks among them.
    pub entries: u64,
    /// The command of the step of the history that made it, on one line, where it can be told.
    pub created_by: Option<String>,
}

/// What the image's own layers hide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Waste {
    /// All of it.
    pub total: Tally,
    /// Gone because a later entry took the place.
    pub replaced: Tally,
    /// Gone because of a whiteout or an opaque mark.
    pub whited_out: Tally,
    /// Engines' notes about the layers.
    pub metadata: Tally,
}

/// What a preset would free if it were the only one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PresetGain {
    /// Its name.
    pub preset: &'static str,
    /// Whether it is on by default.
    pub default: bool,
    /// What would go.
    #[serde(flatten)]
    pub freed: Tally,
}

/// The tables of an inspection, without its warnings.
pub fn render(inspection: &Inspection) -> String {
    let Inspection { input, layout, images, .. } = inspection;
    let mut text = format!("{}  {layout}  {}\n", line(&input.name), size(input.bytes));
    for image in images {
        let _ = writeln!(text, "\n{}  {}  {}", line(&image.name), line(&image.platform), line(short(&image.id)));
        text.push_str(&layers(&image.layers));
        text.push_str("  a squash alone frees\n");
        let whole = image.input.bytes;
        let mut table = Table::default();
        table.tally("replaced", image.waste.replaced, whole, "by a later layer");
        table.tally("whited out", image.waste.whited_out, whole, "by a later layer");
        if image.waste.metadata != Tally::default() {
            table.tally("engine notes", image.waste.metadata, whole, "which describe the layers");
        }
        table.tally("together", image.waste.total, whole, "");
        text.push_str(&table.render());
        text.push_str("  each preset alone would free of the rest (* is on by default)\n");
        let mut table = Table::default();
        for gain in &image.presets {
            let mark = if gain.default { '*' } else { ' ' };
            table.tally(&format!("{mark} {}", gain.preset), gain.freed, whole, "");
        }
        text.push_str(&table.render());
    }
    text
}

fn layers(layers: &[InspectedLayer]) -> String {
    let mut table = Table::default();
    table.row(["layer", "digest", "kind", "blob", "as tar", "entries"].map(str::to_owned), "made by");
    for layer in layers {
        let cells = [
            layer.number.to_string(),
            line(short(&layer.digest)),
            line(&layer.codec),
            size(layer.blob_bytes),
            size(layer.tar_bytes),
            count(layer.entries),
        ];
        table.row(cells, layer.created_by.as_deref().map(step).unwrap_or_default());
    }
    table.render()
}

/// A step of the history without what every step of its builder has, and cut.
fn step(command: &str) -> String {
    let command = command.trim().trim_end_matches("# buildkit");
    let command = match command.strip_prefix("/bin/sh -c #(nop)") {
        Some(instruction) => instruction.to_owned(),
        None => match command.strip_prefix("RUN ").unwrap_or(command).strip_prefix("/bin/sh -c ") {
            Some(shell) => format!("RUN {shell}"),
            None => command.to_owned(),
        },
    };
    let command = line(&command.split_whitespace().collect::<Vec<_>>().join(" "));
    if command.chars().count() <= STEP {
        return command;
    }
    let start: String = command.chars().take(STEP.saturating_sub(3)).collect();
    format!("{}...", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(entries: u64, bytes: u64) -> Tally {
        Tally { entries, bytes }
    }

    fn inspection() -> Inspection {
        let layer = |number, created_by: &str| InspectedLayer {
            number,
            digest: format!("sha256:{number}123456789abcdef"),
            codec: "gzip".into(),
            blob_bytes: 30_000,
            tar_bytes: 100_000,
            entries: 1_234,
            created_by: Some(created_by.into()),
        };
        let image = InspectedImage {
            name: "app:1.0".into(),
            platform: "linux/amd64".into(),
            id: "sha256:abcdef0123456789".into(),
            layers: vec![layer(1, "/bin/sh -c #(nop) ADD base in / "), layer(2, "RUN /bin/sh -c make  all # buildkit")],
            input: tally(100, 200_000),
            waste: Waste {
                total: tally(3, 20_000),
                replaced: tally(1, 5_000),
                whited_out: tally(2, 15_000),
                metadata: tally(0, 0),
            },
            presets: vec![
                PresetGain { preset: "docs", default: true, freed: tally(7, 10_000) },
                PresetGain { preset: "tests", default: false, freed: tally(0, 0) },
            ],
        };
        let input = Artifact { name: "in.tar".into(), bytes: 60_000 };
        Inspection { version: "0.1.0", input, layout: "docker", images: vec![image], ..Inspection::default() }
    }

    #[test]
    fn an_inspection_shows_layers_waste_and_what_each_preset_would_free() {
        let expected = "\
in.tar  docker  60.0 kB

app:1.0  linux/amd64  sha256:abcdef012345
  layer               digest  kind     blob  as tar  entries  made by
  1      sha256:112345678 9ab  gzip  30.0 kB  100 kB    1,234  ADD base in /
  2      sha256:212345678 9ab  gzip  30.0 kB  100 kB    1,234  RUN make all
  a squash alone frees
  replaced    5.00 kB   2.5%    1 entry  by a later layer
  whited out  15.0 kB   7.5%  2 entries  by a later layer
  together    20.0 kB  10.0%  3 entries
  each preset alone would free of the rest (* is on by default)
  * docs   10.0 kB  5.0%  7 entries
    tests      0 B  0.0%  0 entries
";
        assert_eq!(render(&inspection()), expected.replace("2345678 9ab", "23456789ab"));
    }

    #[test]
    fn a_step_is_one_short_line_without_control_characters() {
        assert_eq!(step("/bin/sh -c apt-get update \t &&\n true"), "RUN apt-get update && true");
        assert_eq!(step("COPY a b # buildkit"), "COPY a b");
        let long = step(&"x\x1b ".repeat(100));
        assert!(long.ends_with("...") && long.chars().count() <= STEP && !long.contains('\x1b'), "{long}");
    }

    #[test]
    fn no_control_character_of_a_name_reaches_the_terminal() {
        let mut inspection = inspection();
        inspection.images[0].name = "a\x1b]0;owned\x07b".into();
        inspection.input.name = "b\x1bc".into();
        assert!(!render(&inspection).contains(['\x1b', '\x07']));
    }

    #[test]
    fn the_shape_of_the_json_is_a_contract() {
        let json = super::super::json::render(&inspection()).unwrap();
        let keys: Vec<&str> =
            json.lines().filter_map(|line| line.trim().strip_prefix('"')?.split('"').next()).collect();
        let image = "name platform id layers number digest codec blob_bytes tar_bytes entries created_by";
        assert!(keys.join(" ").starts_with(&format!("version input name bytes layout images {image}")), "{json}");
        assert!(
            json.contains("\"preset\": \"docs\",\n          \"default\": true,\n          \"entries\": 7"),
            "{json}"
        );
    }
}
