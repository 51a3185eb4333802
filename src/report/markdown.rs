//! A report as Markdown, for a pull request or a job's summary page. Every name stands in a code span, every other
//! text is escaped.

use super::data::{ImageReport, Report};
use super::escape::{markdown, markdown_code};
use super::packages::PackagesReport;
use super::text::last_line;
use super::unit::{count, duration, share, size};
use crate::rootfs::Tally;
use std::fmt::Write;

/// The report as one Markdown document.
pub fn render(report: &Report) -> String {
    let mut text = format!("# imgstrip {}\n\n{}\n", markdown(report.version), markdown_code(&last_line(report)));
    let _ = writeln!(text, "\n| archive | size |\n| --- | ---: |");
    let _ = writeln!(text, "| read {} | {} |", markdown_code(&report.input.name), size(report.input.bytes));
    if let Some(output) = &report.output {
        let _ = writeln!(text, "| written {} | {} |", markdown_code(&output.name), size(output.bytes));
    }
    if let Some(verified) = &report.verified {
        let _ = writeln!(text, "\nVerified: {}.", markdown(&super::verified::text(verified)));
    }
    for image in &report.images {
        render_image(&mut text, image);
    }
    if !report.warnings.is_empty() {
        let _ = writeln!(text, "\n## Warnings\n\n| count | what | where |\n| ---: | --- | --- |");
        for warning in &report.warnings {
            let places = warning.examples.iter().map(|place| markdown_code(place)).collect::<Vec<_>>().join(", ");
            let _ = writeln!(text, "| {} | {} | {places} |", count(warning.count), markdown(&warning.text));
        }
    }
    if !report.notes.is_empty() {
        let _ = writeln!(text, "\n## Notes\n");
        for note in &report.notes {
            let _ = writeln!(text, "- {}", markdown(note));
        }
    }
    if !report.timings.is_empty() {
        let _ = writeln!(text, "\n## Time\n\n| phase | time |\n| --- | ---: |");
        for timing in &report.timings {
            let _ = writeln!(text, "| {} | {} |", markdown(&timing.phase), duration(timing.milliseconds));
        }
    }
    text
}

fn render_image(text: &mut String, image: &ImageReport) {
    let _ = writeln!(text, "\n## {} {}\n", markdown_code(&image.name), markdown(&image.platform));
    let account = &image.accounting;
    let row = |text: &mut String, label: &str, tally: Tally| {
        let (bytes, part) = (size(tally.bytes), share(tally.bytes, account.input.bytes));
        let _ = writeln!(text, "| {} | {bytes} | {part} | {} |", markdown(label), count(tally.entries));
    };
    text.push_str("| where it went | bytes | share | entries |\n| --- | ---: | ---: | ---: |\n");
    row(text, "input", account.input);
    row(text, "replaced by a later layer", account.replaced);
    row(text, "whited out by a later layer", account.whited_out);
    for preset in &image.dropped_by_preset {
        row(text, &format!("dropped: {}", preset.preset), preset.dropped);
    }
    if account.metadata != Tally::default() {
        row(text, "dropped: engine notes", account.metadata);
    }
    row(text, "kept", account.kept);
    if account.added != Tally::default() {
        row(text, "added: records of packages", account.added);
    }
    let _ = writeln!(text, "\n{} layers before, {} after.", count(image.layers_before), count(image.layers_after));
    render_digests(text, image);
    if !image.dropped_by.is_empty() {
        text.push_str(
            "\n### Rules\n\n| preset | rule | bytes | entries | reason |\n| --- | --- | ---: | ---: | --- |\n",
        );
        for rule in &image.dropped_by {
            let (bytes, entries) = (size(rule.dropped.bytes), count(rule.dropped.entries));
            let (preset, name) = (markdown(&rule.preset), markdown_code(&rule.rule));
            let _ = writeln!(text, "| {preset} | {name} | {bytes} | {entries} | {} |", markdown(&rule.reason));
        }
    }
    if !image.kept_for.is_empty() {
        text.push_str("\n### Kept for a need\n\n| path | rule | why |\n| --- | --- | --- |\n");
        for refusal in &image.kept_for {
            let (path, rule) = (markdown_code(&refusal.path), markdown_code(&refusal.rule));
            let _ = writeln!(text, "| {path} | {rule} | {} |", markdown(&refusal.why));
        }
    }
    if let Some(packages) = &image.packages {
        render_packages(text, packages);
    }
    render_needed(text, image);
    render_secrets(text, image);
}

fn render_packages(text: &mut String, packages: &PackagesReport) {
    let dropped = count(packages.dropped.len() as u64);
    let (manager, installed) = (markdown(&packages.manager), count(packages.installed));
    let _ = writeln!(text, "\n### Packages\n\n{dropped} of {installed} dropped ({manager}).");
    if !packages.dropped.is_empty() {
        text.push_str("\n| dropped | rule | came with |\n| --- | --- | --- |\n");
        for package in &packages.dropped {
            let because = package.because.as_deref().map(markdown_code).unwrap_or_default();
            let (name, rule) = (markdown_code(&package.package), markdown_code(&package.rule));
            let _ = writeln!(text, "| {name} | {rule} | {because} |");
        }
    }
    if !packages.refused.is_empty() {
        text.push_str("\n| stays | rule | why |\n| --- | --- | --- |\n");
        for package in &packages.refused {
            let (name, rule) = (markdown_code(&package.package), markdown_code(&package.rule));
            let _ = writeln!(text, "| {name} | {rule} | {} |", markdown(&package.why));
        }
    }
}

fn render_needed(text: &mut String, image: &ImageReport) {
    if let Some(needed) = &image.needed {
        text.push_str("\n### Only what is needed\n\n");
        for language in &needed.languages {
            let _ = writeln!(text, "- kept whole: {}", markdown(language));
        }
    }
    if let Some(stripped) = &image.stripped {
        let (files, bytes) = (count(stripped.files), size(stripped.bytes));
        let _ = writeln!(text, "\n### Debug sections\n\n- {files} files stripped: {bytes}");
        for left in &stripped.left {
            let _ = writeln!(text, "- {} left: {}", count(left.files), markdown(&left.why));
        }
    }
}

fn render_secrets(text: &mut String, image: &ImageReport) {
    if !image.secrets.is_empty() {
        text.push_str("\n### Secrets\n\n| where | what | state |\n| --- | --- | --- |\n");
        for secret in &image.secrets {
            let (place, position) = (markdown_code(&secret.place), markdown(&secret.position()));
            let _ = writeln!(text, "| {place} {position} | {} | {} |", markdown(&secret.title()), secret.fate());
        }
    }
}

fn render_digests(text: &mut String, image: &ImageReport) {
    let known: Vec<_> = image.digests().collect();
    if known.is_empty() {
        return;
    }
    text.push_str("\n| what | digest |\n| --- | --- |\n");
    for (name, digest) in known {
        let _ = writeln!(text, "| {} | {} |", markdown(name), markdown_code(digest));
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::report;
    use super::*;

    #[test]
    fn every_table_keeps_its_shape_whatever_a_name_holds() {
        let mut report = report();
        report.images[0].name = "a|b\n| --- |".into();
        report.images[0].dropped_by[0].reason = "x | y\n## z".into();
        let text = render(&report);
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        let mut header = None;
        for line in text.lines() {
            if !line.starts_with('|') {
                header = None;
                continue;
            }
            assert_eq!(bars(line), *header.get_or_insert(bars(line)), "{line}");
        }
        assert!(!text.contains("\n## z"));
    }

    #[test]
    fn a_name_is_no_markup() {
        let text = render(&report());
        assert!(text.contains("| ``/usr/share/doc/x\\n<b>\\|`@me`` | `/usr/share/doc/**` | the entrypoint names it |"));
        assert!(text.contains("| kept | 350 MB | 40.7% | 35,999 |"));
        assert!(text.contains("| image ID | `sha256:0123456789abcdef0123456789abcdef` |"));
    }
}
