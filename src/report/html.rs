//! A report as one HTML page that needs nothing else: no script, no font, no request. Everything that is not
//! written in this file goes through `escape::html`.

use super::data::{ImageReport, Report};
use super::escape::html;
use super::packages::{PackageDrop, PackageRefusal, PackagesReport};
use super::text::last_line;
use super::unit::{count, counted, duration, share, size};
use crate::rootfs::Tally;
use std::fmt::Write;

/// The policy forbids every request and every script, should an escape ever be forgotten.
const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>imgstrip report</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .2rem .8rem; border-bottom: 1px solid #8884; text-align: left; vertical-align: top }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
code { overflow-wrap: anywhere }
.bar { display: flex; height: 1.2rem; border-radius: .3rem; overflow: hidden; background: #8882 }
.bar span { display: block }
.kept { background: #2a7 } .replaced { background: #888 } .white { background: #aaa } .dropped { background: #d63 }
</style>
</head>
<body>
"#;

/// The report as one page.
pub fn render(report: &Report) -> String {
    let mut page = String::from(HEAD);
    let _ = writeln!(page, "<h1>imgstrip {}</h1>", html(report.version));
    let _ = writeln!(page, "<p><code>{}</code></p>", html(&last_line(report)));
    let mut archives = vec![row(&[code(&report.input.name), size(report.input.bytes)], 1)];
    if let Some(output) = &report.output {
        archives.push(row(&[code(&output.name), size(output.bytes)], 1));
    }
    table(&mut page, &["archive", "size"], 1, &archives);
    if let Some(verified) = &report.verified {
        let _ = writeln!(page, "<p>Verified: {}.</p>", html(&super::verified::text(verified)));
    }
    for image in &report.images {
        render_image(&mut page, image);
    }
    if !report.warnings.is_empty() {
        page.push_str("<h2>Warnings</h2>\n<ul>\n");
        for warning in &report.warnings {
            let places = warning.examples.iter().map(|place| code(place)).collect::<Vec<_>>().join(", ");
            let _ = writeln!(page, "<li>{} {}: {places}</li>", count(warning.count), html(&warning.text));
        }
        page.push_str("</ul>\n");
    }
    if !report.notes.is_empty() {
        page.push_str("<h2>Notes</h2>\n<ul>\n");
        for note in &report.notes {
            let _ = writeln!(page, "<li>{}</li>", html(note));
        }
        page.push_str("</ul>\n");
    }
    let time = |timing: &super::Timing| row(&[html(&timing.phase), duration(timing.milliseconds)], 1);
    let times: Vec<String> = report.timings.iter().map(time).collect();
    if !times.is_empty() {
        table(&mut page, &["phase", "time"], 1, &times);
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn render_image(page: &mut String, image: &ImageReport) {
    let _ = writeln!(page, "<h2>{} {}</h2>", code(&image.name), html(&image.platform));
    let account = &image.accounting;
    let whole = account.input.bytes;
    page.push_str("<div class=\"bar\">");
    let parts = [
        ("kept", account.kept),
        ("dropped", account.dropped),
        ("white", account.whited_out),
        ("replaced", account.replaced),
    ];
    for (class, tally) in parts {
        let _ = write!(page, "<span class=\"{class}\" style=\"width:{}\"></span>", share(tally.bytes, whole));
    }
    page.push_str("</div>\n");
    let line = |label: &str, tally: Tally| {
        row(&[html(label), size(tally.bytes), share(tally.bytes, whole), count(tally.entries)], 1)
    };
    let mut rows = vec![
        line("input", account.input),
        line("replaced by a later layer", account.replaced),
        line("whited out by a later layer", account.whited_out),
    ];
    rows.extend(
        image.dropped_by_preset.iter().map(|preset| line(&format!("dropped: {}", preset.preset), preset.dropped)),
    );
    if account.metadata != Tally::default() {
        rows.push(line("dropped: engine notes", account.metadata));
    }
    rows.push(line("kept", account.kept));
    if account.added != Tally::default() {
        rows.push(line("added: records of packages", account.added));
    }
    table(page, &["where it went", "bytes", "share", "entries"], 1, &rows);
    let before = counted(image.layers_before, "layer");
    let _ = writeln!(page, "<p>{before} before, {} after.</p>", count(image.layers_after));
    render_digests(page, image);
    let rule = |rule: &super::RuleDrops| {
        let (bytes, entries) = (size(rule.dropped.bytes), count(rule.dropped.entries));
        row(&[html(&rule.preset), code(&rule.rule), html(&rule.reason), bytes, entries], 3)
    };
    let rules: Vec<String> = image.dropped_by.iter().map(rule).collect();
    if !rules.is_empty() {
        page.push_str("<h3>Rules</h3>\n");
        table(page, &["preset", "rule", "reason", "bytes", "entries"], 3, &rules);
    }
    let refusal = |refusal: &super::Refusal| row(&[code(&refusal.path), code(&refusal.rule), html(&refusal.why)], 3);
    let refusals: Vec<String> = image.kept_for.iter().map(refusal).collect();
    if !refusals.is_empty() {
        page.push_str("<h3>Kept for a need</h3>\n");
        table(page, &["path", "rule", "why"], 3, &refusals);
    }
    if let Some(packages) = &image.packages {
        render_packages(page, packages);
    }
    render_needed(page, image);
    render_secrets(page, image);
}

fn render_packages(page: &mut String, packages: &PackagesReport) {
    let (dropped, manager) = (count(packages.dropped.len() as u64), html(&packages.manager));
    let _ = writeln!(page, "<h3>Packages</h3>\n<p>{dropped} of {} dropped ({manager}).</p>", count(packages.installed));
    let drop = |package: &PackageDrop| {
        let because = package.because.as_deref().map(code).unwrap_or_default();
        row(&[code(&package.package), code(&package.rule), because], 3)
    };
    let dropped: Vec<String> = packages.dropped.iter().map(drop).collect();
    if !dropped.is_empty() {
        table(page, &["dropped", "rule", "came with"], 3, &dropped);
    }
    let refusal = |package: &PackageRefusal| row(&[code(&package.package), code(&package.rule), html(&package.why)], 3);
    let refused: Vec<String> = packages.refused.iter().map(refusal).collect();
    if !refused.is_empty() {
        table(page, &["stays", "rule", "why"], 3, &refused);
    }
}

fn render_needed(page: &mut String, image: &ImageReport) {
    if let Some(needed) = &image.needed {
        let languages = needed.languages.iter().map(|language| format!("<li>kept whole: {}</li>", html(language)));
        let items: String = languages.collect();
        let _ = writeln!(page, "<h3>Only what is needed</h3>\n<ul>{items}</ul>");
    }
    if let Some(stripped) = &image.stripped {
        let (files, bytes) = (counted(stripped.files, "file"), size(stripped.bytes));
        let left = stripped.left.iter().map(|left| row(&[html(&left.why), count(left.files)], 1));
        let _ = writeln!(page, "<h3>Debug sections</h3>\n<p>{files} stripped: {bytes}.</p>");
        table(page, &["left as it is", "files"], 1, &left.collect::<Vec<_>>());
    }
}

fn render_secrets(page: &mut String, image: &ImageReport) {
    let secret = |secret: &super::SecretFinding| {
        let place = format!("{} {}", code(&secret.place), html(&secret.position()));
        row(&[place, html(&secret.title()), html(secret.fate())], 3)
    };
    let secrets: Vec<String> = image.secrets.iter().map(secret).collect();
    if !secrets.is_empty() {
        page.push_str("<h3>Secrets</h3>\n");
        table(page, &["where", "what", "state"], 3, &secrets);
    }
}

fn render_digests(page: &mut String, image: &ImageReport) {
    let known: Vec<String> = image.digests().map(|(name, digest)| row(&[html(name), code(digest)], 2)).collect();
    if !known.is_empty() {
        table(page, &["what", "digest"], 2, &known);
    }
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", html(text))
}

/// A row of cells that are HTML already; from the column `numbers` on they are numbers.
fn row(cells: &[String], numbers: usize) -> String {
    cells_of("td", cells.iter().map(String::as_str), numbers)
}

fn cells_of<'a>(tag: &str, cells: impl Iterator<Item = &'a str>, numbers: usize) -> String {
    let mut row = String::from("<tr>");
    for (column, cell) in cells.enumerate() {
        let class = if column >= numbers { " class=\"n\"" } else { "" };
        let _ = write!(row, "<{tag}{class}>{cell}</{tag}>");
    }
    row + "</tr>\n"
}

fn table(page: &mut String, head: &[&str], numbers: usize, rows: &[String]) {
    let head = cells_of("th", head.iter().copied(), numbers);
    let _ = writeln!(page, "<table>\n{head}{}</table>", rows.concat());
}

#[cfg(test)]
mod tests {
    use super::super::example::report;
    use super::*;

    #[test]
    fn no_name_and_no_reason_is_markup() {
        let evil = "<script>alert('1')</script>\"&";
        let mut report = report();
        let image = &mut report.images[0];
        (image.name, image.platform) = (evil.into(), evil.into());
        image.dropped_by[0].rule = evil.into();
        image.dropped_by[0].reason = evil.into();
        image.dropped_by_preset[0].preset = evil.into();
        image.config_digest = Some(evil.into());
        image.kept_for[0] = super::super::Refusal { rule: evil.into(), path: evil.into(), why: evil.into() };
        report.input.name = evil.into();
        report.load = Some(evil.into());
        report.warnings[0].examples[0] = evil.into();
        report.notes[0] = evil.into();
        let page = render(&report);
        assert!(!page.contains("<script"));
        assert!(page.matches("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;").count() >= 12);
    }

    #[test]
    fn each_tag_that_opens_closes() {
        let page = render(&report());
        for tag in ["table", "tr", "td", "th", "code", "ul", "li", "div", "span", "h2", "body", "html"] {
            let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert!(!page.contains("http://") && !page.contains("https://"));
    }
}
