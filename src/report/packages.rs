//! What became of an image's packages, as data, and as lines for a terminal. In: what the pipeline decided. Every string that comes from an
//! archive is escaped already; the order of the fields is part of the JSON's contract.

use super::escape::line;
use super::unit::{count, counted};
use serde::Serialize;
use std::fmt::Write;

/// How many refusals are shown where not everything is.
const SHOWN: usize = 10;

/// The packages of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PackagesReport {
    /// `dpkg`, `apk` or `rpm`.
    pub manager: String,
    /// How many were installed.
    pub installed: u64,
    /// Those that went, with their files and their record.
    pub dropped: Vec<PackageDrop>,
    /// Those that a rule names and that stay.
    pub refused: Vec<PackageRefusal>,
}

/// A package that went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PackageDrop {
    /// Its name and version.
    pub package: String,
    /// The rule, as `preset/rule`.
    pub rule: String,
    /// The package that it came with, where the rule does not name it itself.
    pub because: Option<String>,
}

/// A package that a rule names and that stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PackageRefusal {
    /// Its name and version.
    pub package: String,
    /// The rule.
    pub rule: String,
    /// Who needs it.
    pub why: String,
}

/// The packages as lines of an image's report; `all` lists each.
pub(super) fn text(report: &PackagesReport, all: bool) -> String {
    let mut text = String::new();
    let whole = counted(report.installed, "package");
    let dropped = report.dropped.len() as u64;
    if dropped == 0 && report.refused.is_empty() {
        return text;
    }
    let _ = writeln!(text, "  {} of {whole} dropped ({})", count(dropped), line(&report.manager));
    if all {
        for package in &report.dropped {
            let because = package.because.as_ref().map(|because| format!(", came with {}", line(because)));
            let (name, rule) = (line(&package.package), line(&package.rule));
            let _ = writeln!(text, "    {name} (rule {rule}{})", because.unwrap_or_default());
        }
    }
    if !report.refused.is_empty() {
        let refused = counted(report.refused.len() as u64, "package");
        let _ = writeln!(text, "  {refused} that rules name stay:");
        let shown = if all { usize::MAX } else { SHOWN };
        for package in report.refused.iter().take(shown) {
            let _ = writeln!(text, "    {}: {}", line(&package.package), line(&package.why));
        }
        let rest = report.refused.len().saturating_sub(shown);
        if rest > 0 {
            let _ = writeln!(text, "    and {} (-v shows them)", counted(rest as u64, "package"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_sees_how_many_went_and_why_some_stay() {
        let refusal = |name: &str| PackageRefusal {
            package: name.into(),
            rule: "build-tools/make".into(),
            why: "the image runs it".into(),
        };
        let report = PackagesReport {
            manager: "dpkg".into(),
            installed: 194,
            dropped: vec![PackageDrop {
                package: "cpp 12".into(),
                rule: "build-tools/gcc".into(),
                because: Some("gcc 12".into()),
            }],
            refused: (0..12).map(|n| refusal(&format!("p{n}"))).collect(),
        };
        let short = text(&report, false);
        assert!(
            short.starts_with(
                "  1 of 194 packages dropped (dpkg)\n  12 packages that rules name stay:\n    p0: the image"
            )
        );
        assert!(short.ends_with("    and 2 packages (-v shows them)\n"), "{short}");
        let long = text(&report, true);
        assert!(long.contains("    cpp 12 (rule build-tools/gcc, came with gcc 12)\n") && long.contains("p11"));
        assert_eq!(text(&PackagesReport { installed: 3, ..PackagesReport::default() }, true), "");
    }
}
