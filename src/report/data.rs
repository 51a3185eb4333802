//! What happened, as data. In: what the pipeline counted. Out: one value that text, JSON, Markdown and HTML show.
//!
//! Every string that comes from an archive is already escaped ([`crate::error::escape`]). Sizes are bytes, field
//! order is the order of the JSON and part of its contract.

use super::packages::PackagesReport;
use super::secrets::SecretFinding;
use crate::rootfs::Tally;
use crate::warning::Warnings;
use serde::Serialize;

/// What a run did, or would do.
///
/// The library has no clock and starts no engine: `load`, `milliseconds`, `timings` and `peak_memory` are for the
/// caller to fill in.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The version of imgstrip.
    pub version: &'static str,
    /// The archive that was read.
    pub input: Artifact,
    /// What was written; `None` for a dry run.
    pub output: Option<Artifact>,
    /// The command that loads the output into an engine: [`super::load_command`].
    pub load: Option<String>,
    /// One for each image and platform, in the order of the archive.
    pub images: Vec<ImageReport>,
    /// What was read back and compared; `None` where that was not asked for.
    pub verified: Option<Verified>,
    /// The warnings, by class.
    pub warnings: Vec<Warning>,
    /// What else the user should know, one line each.
    pub notes: Vec<String>,
    /// How long the whole run took.
    pub milliseconds: u64,
    /// How long each phase took, in their order.
    pub timings: Vec<Timing>,
    /// The most memory that the process held, in bytes, where the system tells it.
    pub peak_memory: Option<u64>,
    /// Bytes of spill files: layers and archives that had to be decompressed, what came or went through a pipe.
    pub temp_bytes: u64,
}

/// An archive that was read or written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Artifact {
    /// Its path, escaped; `-` for a stream.
    pub name: String,
    /// Its length; for a directory, that of its files together.
    pub bytes: u64,
}

/// What was read back from the written archive and found to be the input without what was dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Images of the written archive.
    pub images: u64,
    /// Their layers, a shared one once; each was held against its digests.
    pub layers: u64,
    /// Names in them, directories among them, whose type and metadata were compared.
    pub entries: u64,
    /// Regular files whose bytes were compared; one with several names counts once.
    pub files: u64,
    /// Bytes of those files.
    pub bytes: u64,
}

/// What became of one image of one platform.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ImageReport {
    /// The names of the result as Docker shows them, joined by a comma; a short image ID for an untagged image.
    pub name: String,
    /// Such as `linux/arm64/v8`.
    pub platform: String,
    /// How many layers it had.
    pub layers_before: u64,
    /// How many it has.
    pub layers_after: u64,
    /// Its layers in the input.
    pub before: Sizes,
    /// Its layers in the output; for a dry run, an estimate.
    pub after: Sizes,
    /// Where each entry and each byte of the input went.
    pub accounting: Accounting,
    /// What each preset dropped: [`by_preset`] of `dropped_by`.
    pub dropped_by_preset: Vec<PresetDrops>,
    /// What each rule dropped.
    pub dropped_by: Vec<RuleDrops>,
    /// What a rule named and something needs, so it stays.
    pub kept_for: Vec<Refusal>,
    /// What became of the packages; `None` where there is no package database, or no rule looked at it.
    pub packages: Option<PackagesReport>,
    /// What `--only-needed` found that the image runs; `None` without it.
    pub needed: Option<Needed>,
    /// What `--strip-debug` did; `None` without it.
    pub stripped: Option<Stripped>,
    /// The secrets that were found, where the preset `secrets` asks for them.
    pub secrets: Vec<SecretFinding>,
    /// The layer that was written; `None` for a dry run.
    pub layer: Option<LayerReport>,
    /// The digest of the written config: the image ID.
    pub config_digest: Option<String>,
    /// The digest of the written manifest.
    pub manifest_digest: Option<String>,
}

/// The sizes of an image's layers together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Bytes of the tars.
    pub uncompressed: u64,
    /// Bytes of the blobs; `None` where nothing was written.
    pub compressed: Option<u64>,
}

/// Where each entry and each byte of an image went. `input` = `kept` + `replaced` + `whited_out` + `dropped`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Accounting {
    /// Everything that the layers hold; whiteouts and opaque marks are marks, not entries.
    pub input: Tally,
    /// Stays in the image.
    pub kept: Tally,
    /// Gone because a later entry took the place.
    pub replaced: Tally,
    /// Gone because of a whiteout or an opaque mark.
    pub whited_out: Tally,
    /// Gone because of a rule, or an engine's note about the old layers.
    pub dropped: Tally,
    /// Of `dropped`: engines' notes about the old layers.
    pub metadata: Tally,
    /// In the image and in no layer of the input: records of packages written anew. The image holds `kept` + `added`.
    pub added: Tally,
}

/// What `--only-needed` started from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Needed {
    /// The languages whose run-time trees stay, each with its place.
    pub languages: Vec<String>,
}

/// What `--strip-debug` did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stripped {
    /// Files that lost their debug sections.
    pub files: u64,
    /// Bytes of those sections.
    pub bytes: u64,
    /// Why ELF files were left as they are, and how many each.
    pub left: Vec<Left>,
}

/// ELF files that `--strip-debug` left as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Why.
    pub why: String,
    /// How many.
    pub files: u64,
}

/// What one preset dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PresetDrops {
    /// Its name; for the user's own, the rules file or the option.
    pub preset: String,
    /// What went.
    #[serde(flatten)]
    pub dropped: Tally,
}

/// What one rule dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RuleDrops {
    /// The preset that it stands in; for the user's own, the rules file or the option.
    pub preset: String,
    /// The rule, as its file spells it.
    pub rule: String,
    /// Why that is not needed.
    pub reason: String,
    /// What went.
    #[serde(flatten)]
    pub dropped: Tally,
}

/// A path that a rule names and that stays all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The rule.
    pub rule: String,
    /// The path, escaped.
    pub path: String,
    /// What needs it.
    pub why: String,
}

/// The layer that was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LayerReport {
    /// The digest of the tar.
    pub diff_id: String,
    /// The digest of the blob.
    pub digest: String,
    /// Bytes of the blob.
    pub size: u64,
    /// Bytes of the tar.
    pub tar_size: u64,
    /// `none`, `gzip` or `zstd`.
    pub compression: String,
    /// What became of the input's gzip layers, where deflate blocks are copied; the lowest layer first.
    pub reused: Vec<ReusedLayer>,
}

/// What of an input layer was copied as it was compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ReusedLayer {
    /// The layer's place in the image, 1 for the lowest.
    pub layer: u64,
    /// Bytes of its tar whose deflate blocks were copied.
    pub copied: u64,
    /// Bytes of its tar that were encoded afresh.
    pub encoded: u64,
}

/// One class of warnings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// A stable name for scripts.
    pub code: String,
    /// What it means.
    pub text: String,
    /// How often.
    pub count: u64,
    /// The first few places, escaped.
    pub examples: Vec<String>,
}

/// How long a phase took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Timing {
    /// The phase.
    pub phase: String,
    /// Its time.
    pub milliseconds: u64,
}

impl Accounting {
    /// Whether every entry and every byte of the input is accounted for.
    pub fn balances(&self) -> bool {
        let parts = [self.kept, self.replaced, self.whited_out, self.dropped];
        let sum = |of: fn(&Tally) -> u64| parts.iter().try_fold(0u64, |sum, part| sum.checked_add(of(part)));
        sum(|tally| tally.entries) == Some(self.input.entries)
            && sum(|tally| tally.bytes) == Some(self.input.bytes)
            && self.metadata.entries <= self.dropped.entries
            && self.metadata.bytes <= self.dropped.bytes
    }
}

impl ImageReport {
    /// The digests that are known, each with what it is the digest of.
    pub(super) fn digests(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let layer = self.layer.as_ref();
        let digests = [
            ("image ID", self.config_digest.as_ref()),
            ("manifest", self.manifest_digest.as_ref()),
            ("layer", layer.map(|layer| &layer.digest)),
            ("diff_id", layer.map(|layer| &layer.diff_id)),
        ];
        digests.into_iter().filter_map(|(name, digest)| Some((name, digest?.as_str())))
    }
}

impl Sizes {
    /// How many percent smaller the tars of `after` are; negative where they grew.
    pub fn saving(&self, after: &Self) -> f64 {
        if self.uncompressed == 0 {
            return 0.0;
        }
        // Exact up to 2^53 bytes, far above `Limits::expanded`.
        #[allow(clippy::cast_precision_loss)]
        let ratio = after.uncompressed as f64 / self.uncompressed as f64;
        (1.0 - ratio) * 100.0
    }
}

/// Adds up what the rules of each preset dropped, in the order in which the presets first occur.
pub fn by_preset(rules: &[RuleDrops]) -> Vec<PresetDrops> {
    let mut presets: Vec<PresetDrops> = Vec::new();
    for rule in rules {
        match presets.iter_mut().find(|preset| preset.preset == rule.preset) {
            Some(preset) => preset.dropped += rule.dropped,
            None => presets.push(PresetDrops { preset: rule.preset.clone(), dropped: rule.dropped }),
        }
    }
    presets
}

impl From<&Warnings> for Vec<Warning> {
    fn from(warnings: &Warnings) -> Self {
        let show = |(kind, group): (crate::warning::WarningKind, &crate::warning::Group)| Warning {
            code: kind.code().into(),
            text: kind.text(group.count).into(),
            count: group.count,
            examples: group.examples.clone(),
        };
        warnings.iter().map(show).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(entries: u64, bytes: u64) -> Tally {
        Tally { entries, bytes }
    }

    #[test]
    fn an_account_balances_only_if_every_entry_and_byte_is_somewhere() {
        let good = Accounting {
            input: tally(10, 100),
            kept: tally(4, 40),
            replaced: tally(3, 30),
            whited_out: tally(2, 20),
            dropped: tally(1, 10),
            metadata: tally(1, 0),
            added: tally(7, 7),
        };
        assert!(good.balances());
        assert!(!Accounting { kept: tally(4, 41), ..good }.balances());
        assert!(!Accounting { kept: tally(5, 40), ..good }.balances());
        assert!(!Accounting { metadata: tally(2, 0), ..good }.balances());
        assert!(!Accounting { kept: tally(u64::MAX, 40), ..good }.balances());
    }

    #[test]
    fn presets_add_up_their_rules() {
        let rule =
            |preset: &str, bytes| RuleDrops { preset: preset.into(), dropped: tally(1, bytes), ..RuleDrops::default() };
        let presets = by_preset(&[rule("docs", 5), rule("logs", 1), rule("docs", 7)]);
        let shown: Vec<_> = presets.iter().map(|p| (p.preset.as_str(), p.dropped)).collect();
        assert_eq!(shown, [("docs", tally(2, 12)), ("logs", tally(1, 1))]);
    }

    #[test]
    fn a_saving_is_a_share_of_what_was_there() {
        let sizes = |uncompressed| Sizes { uncompressed, compressed: None };
        assert!((sizes(200).saving(&sizes(50)) - 75.0).abs() < 1e-9);
        assert!((sizes(100).saving(&sizes(110)) + 10.0).abs() < 1e-9);
        assert!(sizes(0).saving(&sizes(10)).abs() < 1e-9);
    }
}
