//! A report for a terminal: one small table an image, the warnings, and a last line that says it all.

use super::data::{ImageReport, Report, Sizes, Warning};
use super::escape::line;
use super::secrets;
use super::table::Table;
use super::unit::{change, count, counted, duration, size};
use crate::rootfs::Tally;
use std::fmt::Write;

/// How much a report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// What each preset dropped.
    #[default]
    Normal,
    /// Also what each rule dropped, what stays for a need, every secret, digests and times.
    Full,
}

/// How many paths that stay for a need are shown.
const REFUSALS: usize = 10;
/// How many digits of a digest tell images apart, as `docker images` shows them.
const SHORT_DIGEST: usize = 12;

/// The tables, warnings and notes of a report, without its last line.
pub fn render(report: &Report, detail: Detail) -> String {
    let mut text = String::new();
    for image in &report.images {
        render_image(&mut text, image, detail);
    }
    if let Some(verified) = &report.verified {
        let _ = writeln!(text, "verified: {}", super::verified::text(verified));
    }
    text.push_str(&warnings(&report.warnings));
    for note in &report.notes {
        let _ = writeln!(text, "note: {}", line(note));
    }
    if detail == Detail::Full {
        render_costs(&mut text, report);
    }
    text
}

/// Warnings, one a line.
pub fn warnings(list: &[Warning]) -> String {
    let mut text = String::new();
    for warning in list {
        let places = warning.examples.iter().map(|place| line(place)).collect::<Vec<_>>().join(", ");
        let more = if warning.count > warning.examples.len() as u64 { ", ..." } else { "" };
        let _ = write!(text, "warning: {} {}", count(warning.count), line(&warning.text));
        let _ = if places.is_empty() { writeln!(text) } else { writeln!(text, " ({places}{more})") };
    }
    text
}

fn render_image(text: &mut String, image: &ImageReport, detail: Detail) {
    let _ = writeln!(text, "{}  {}", line(&image.name), line(&image.platform));
    let account = &image.accounting;
    let whole = account.input.bytes;
    let mut table = Table::default();
    table.tally("input", account.input, whole, &counted(image.layers_before, "layer"));
    table.tally("replaced", account.replaced, whole, "by a later layer");
    table.tally("whited out", account.whited_out, whole, "by a later layer");
    for preset in &image.dropped_by_preset {
        table.tally(&preset.preset, preset.dropped, whole, "dropped");
        if detail == Detail::Full {
            for rule in image.dropped_by.iter().filter(|rule| rule.preset == preset.preset) {
                table.tally("", rule.dropped, whole, &format!("{}: {}", rule.rule, rule.reason));
            }
        }
    }
    if account.metadata != Tally::default() {
        table.tally("engine notes", account.metadata, whole, "dropped: they describe the old layers");
    }
    table.tally("kept", account.kept, whole, &counted(image.layers_after, "layer"));
    if account.added != Tally::default() {
        table.tally("added", account.added, whole, "records of packages, written anew");
    }
    text.push_str(&table.render());
    if let Some(packages) = &image.packages {
        text.push_str(&super::packages::text(packages, detail == Detail::Full));
    }
    render_needed(text, image);
    if let Some(layer) = &image.layer {
        let tar = size(layer.tar_size);
        let _ = match layer.compression.as_str() {
            "none" => writeln!(text, "  the layer is {tar}"),
            codec => writeln!(text, "  the layer is {tar} as tar, {} as {}", size(layer.size), line(codec)),
        };
        text.push_str(&super::reused::text(layer, detail == Detail::Full));
        if detail == Detail::Full {
            let _ = writeln!(text, "  layer {}\n  diff_id {}", line(&layer.digest), line(&layer.diff_id));
        }
    }
    if detail == Detail::Full {
        for (name, digest) in [("config", &image.config_digest), ("manifest", &image.manifest_digest)] {
            if let Some(digest) = digest {
                let _ = writeln!(text, "  {name} {}", line(digest));
            }
        }
        for refusal in &image.kept_for {
            let (path, why) = (line(&refusal.path), line(&refusal.why));
            let _ = writeln!(text, "  stays: {path} (rule {}): {why}", line(&refusal.rule));
        }
    } else if !image.kept_for.is_empty() {
        let _ = writeln!(text, "  {} that rules name stay, since something needs them:", paths(image.kept_for.len()));
        for refusal in image.kept_for.iter().take(REFUSALS) {
            let _ = writeln!(text, "    {}: {}", line(&refusal.path), line(&refusal.why));
        }
        let rest = image.kept_for.len().saturating_sub(REFUSALS);
        if rest > 0 {
            let _ = writeln!(text, "    and {} (-v shows them)", paths(rest));
        }
    }
    text.push_str(&secrets::render(&image.secrets, detail));
    if !account.balances() {
        let _ = writeln!(text, "  the account does not balance: this is a mistake of imgstrip, please report it");
    }
}

fn render_needed(text: &mut String, image: &ImageReport) {
    if let Some(needed) = &image.needed {
        let languages = needed.languages.iter().map(|language| line(language)).collect::<Vec<_>>().join(", ");
        if !languages.is_empty() {
            let _ = writeln!(text, "  kept whole: {languages}");
        }
    }
    if let Some(stripped) = &image.stripped {
        let (files, bytes) = (counted(stripped.files, "file"), size(stripped.bytes));
        let _ = writeln!(text, "  debug sections of {files} stripped: {bytes}");
        for left in &stripped.left {
            let _ = writeln!(text, "    {} left: {}", counted(left.files, "file"), line(&left.why));
        }
    }
}

fn paths(number: usize) -> String {
    counted(number as u64, "path")
}

fn render_costs(text: &mut String, report: &Report) {
    let phase = |timing: &super::Timing| format!("{} {}", line(&timing.phase), duration(timing.milliseconds));
    let times = report.timings.iter().map(phase).collect::<Vec<_>>().join(", ");
    if !times.is_empty() {
        let _ = writeln!(text, "time: {times}");
    }
    if let Some(peak) = report.peak_memory {
        let _ = writeln!(text, "memory: {} at most, {} of spill files", size(peak), size(report.temp_bytes));
    }
}

/// The last line of a good run, as in
/// `app:1.0  867 MB -> 353 MB (-59%)  5 layers -> 1  2.1 s  sha256:0123456789ab  docker load -i out.tar`.
pub fn last_line(report: &Report) -> String {
    let mut words = Vec::new();
    let sum = |of: fn(&ImageReport) -> u64| report.images.iter().map(of).fold(0, u64::saturating_add);
    let before = Sizes { uncompressed: sum(|image| image.before.uncompressed), compressed: None };
    let after = Sizes { uncompressed: sum(|image| image.after.uncompressed), compressed: None };
    words.push(match report.images.as_slice() {
        [image] => line(&image.name),
        images => counted(images.len() as u64, "image"),
    });
    let about = if report.output.is_none() { "about " } else { "" };
    let saving = change(before.saving(&after));
    words.push(format!("{} -> {about}{} ({saving})", size(before.uncompressed), size(after.uncompressed)));
    let layers_after = count(sum(|image| image.layers_after));
    words.push(format!("{} -> {layers_after}", counted(sum(|image| image.layers_before), "layer")));
    words.push(duration(report.milliseconds));
    if let [ImageReport { config_digest: Some(digest), .. }] = report.images.as_slice() {
        words.push(line(short(digest)));
    }
    match (&report.output, &report.load) {
        (None, _) => words.push("dry run: nothing written".into()),
        // A shell word is escaped for the shell already, and has no control character.
        (Some(_), Some(load)) => words.push(line(load)),
        (Some(_), None) => {}
    }
    words.join("  ")
}

/// A digest with as many digits as tell images apart.
pub(super) fn short(digest: &str) -> &str {
    let start = digest.find(':').map_or(0, |colon| colon + 1);
    digest.get(..start + SHORT_DIGEST).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::super::example::report;
    use super::*;

    #[test]
    fn the_last_line_is_short_and_true() {
        assert_eq!(
            last_line(&report()),
            "app:1.0  867 MB -> 353 MB (-59%)  5 layers -> 1  2.1 s  sha256:0123456789ab  docker load -i out.tar"
        );
    }

    #[test]
    fn the_last_line_of_a_dry_run_says_that_nothing_was_written() {
        let mut report = report();
        report.output = None;
        report.images[0].config_digest = None;
        assert_eq!(
            last_line(&report),
            "app:1.0  867 MB -> about 353 MB (-59%)  5 layers -> 1  2.1 s  dry run: nothing written"
        );
    }

    #[test]
    fn the_last_line_of_several_images_adds_them_up() {
        let mut report = report();
        report.images.push(report.images[0].clone());
        assert_eq!(
            last_line(&report),
            "2 images  1.73 GB -> 706 MB (-59%)  10 layers -> 2  2.1 s  docker load -i out.tar"
        );
    }

    #[test]
    fn the_table_says_where_each_byte_went() {
        let expected = "\
app:1.0  linux/amd64
  input          860 MB  100.0%  41,234 entries  5 layers
  replaced      10.0 MB    1.2%     200 entries  by a later layer
  whited out     100 MB   11.6%   1,000 entries  by a later layer
  caches         370 MB   43.0%      34 entries  dropped
  docs          30.0 MB    3.5%   4,000 entries  dropped
  engine notes      0 B    0.0%         1 entry  dropped: they describe the old layers
  kept           350 MB   40.7%  35,999 entries  1 layer
  added         3.00 kB    0.0%       2 entries  records of packages, written anew
  1 of 194 packages dropped (dpkg)
  1 package that rules name stay:
    git|<i> 1:2.39: the image runs /usr/bin/git
  kept whole: python 3.11
  debug sections of 3 files stripped: 40.0 kB
    1 file left: an appended payload
  the layer is 353 MB as tar, 120 MB as gzip
  300 MB of the tar copied as it was compressed, the rest encoded
    layer 3: 40.0 MB encoded afresh
  1 path that rules name stay, since something needs them:
    /usr/share/doc/x\\n<b>|`@me: the entrypoint names it
  1 secret in the image:
    /app/.env, line 3, layer 4: variable named as a secret DB_PASSWORD
  1 secret in the original only: removed by this squash:
    /root/.npmrc, line 1, layer 2: npm token
verified: read back, 36,001 entries and 350 MB in 30,000 files are the input's without what was dropped
warning: 4 paths that stand twice in one layer: the last one holds (/a, /b, /c, ...)
note: the signature was left out
";
        assert_eq!(render(&report(), Detail::Normal), expected);
    }

    #[test]
    fn a_layer_that_is_not_compressed_has_one_size() {
        let mut report = report();
        report.images[0].layer.as_mut().unwrap().compression = "none".into();
        assert!(render(&report, Detail::Normal).contains("\n  the layer is 353 MB\n"));
    }

    #[test]
    fn a_full_report_shows_rules_digests_and_costs() {
        let text = render(&report(), Detail::Full);
        for part in ["/var/cache/**: a cache", "diff_id sha256:dd", "time: read 1.5 s, write 0.60 s", "memory: 64.0 MB"]
        {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn no_control_character_of_a_name_reaches_the_terminal() {
        let mut report = report();
        report.images[0].name = "a\x1b]0;owned\x07b".into();
        report.images[0].dropped_by[0].reason = "two\nlines".into();
        let text = render(&report, Detail::Full) + &last_line(&report);
        assert!(!text.contains(['\x1b', '\x07']) && text.contains("two\\nlines"));
    }
}
