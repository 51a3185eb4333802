//! The secrets that an image carries or carried, as data and as words.
//!
//! In: findings, which never hold a secret's text. Out: what every renderer shows: where, what, and what became of it.

use super::escape::line;
use super::text::Detail;
use super::unit::counted;
use crate::error::escape;
use crate::secrets::{Finding, State};
use serde::Serialize;
use std::fmt::Write;

/// How many of each state are shown.
const SHOWN: usize = 10;

/// How a place in the history begins.
const HISTORY: &str = "history step ";

/// A secret that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SecretFinding {
    /// A stable name of its kind, for scripts.
    pub kind: String,
    /// What it is.
    pub what: String,
    /// Where it stands, escaped: a path, `ENV NAME`, `LABEL NAME`, `command`, `history step N`.
    pub place: String,
    /// The line of a file.
    pub line: Option<u64>,
    /// What it is called there, escaped: a variable, a key of a file.
    pub name: Option<String>,
    /// The layer that holds it, from 1 on, where it can be told.
    pub layer: Option<u64>,
    /// `present`: it stays; `hidden`: a kept layer holds it, although a later one hides it; `removed`: the original
    /// holds it, the result does not.
    pub state: String,
}

impl From<&Finding> for SecretFinding {
    fn from(finding: &Finding) -> Self {
        Self {
            kind: finding.kind.code().into(),
            what: finding.kind.text().into(),
            place: finding.place.to_string(),
            line: finding.line,
            name: finding.name.as_ref().map(|name| escape(name.as_bytes())),
            layer: finding.layer,
            state: finding.state.code().into(),
        }
    }
}

/// The states, in the order in which they are shown, and what each means.
const STATES: [(State, &str); 3] = [
    (State::Present, "in the image"),
    (State::Hidden, "in a layer that stays, hidden by a later one"),
    (State::Removed, "in the original only: removed by this squash"),
];

impl SecretFinding {
    /// What its state means.
    pub(super) fn fate(&self) -> &'static str {
        STATES.iter().find(|(state, _)| state.code() == self.state).map_or("", |(_, text)| text)
    }

    /// What it is and what it is called.
    pub(super) fn title(&self) -> String {
        self.name.as_ref().map_or_else(|| self.what.clone(), |name| format!("{} {name}", self.what))
    }

    /// Its line and its layer, where they are known.
    pub(super) fn position(&self) -> String {
        let part = |name: &str, number: Option<u64>| number.map(|number| format!("{name} {number}"));
        [part("line", self.line), part("layer", self.layer)].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// The lines of a terminal: those of each state, and how many there are.
pub(super) fn render(list: &[SecretFinding], detail: Detail) -> String {
    let mut text = String::new();
    let bound = if detail == Detail::Full { usize::MAX } else { SHOWN };
    for (state, fate) in STATES {
        let of: Vec<&SecretFinding> = list.iter().filter(|finding| finding.state == state.code()).collect();
        if of.is_empty() {
            continue;
        }
        let _ = writeln!(text, "  {} {fate}:", counted(of.len() as u64, "secret"));
        for finding in of.iter().take(bound) {
            let position = finding.position();
            let gap = if position.is_empty() { "" } else { ", " };
            let _ = writeln!(text, "    {}{gap}{position}: {}", line(&finding.place), line(&finding.title()));
        }
        let rest = of.len().saturating_sub(bound);
        if rest > 0 {
            let _ = writeln!(text, "    and {} (-v shows them)", counted(rest as u64, "secret"));
        }
        if state == State::Present && of.iter().any(|finding| finding.place.starts_with(HISTORY)) {
            text.push_str("    --history single leaves the steps out\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::example::report;
    use super::super::{html, json, markdown, text};
    use super::*;
    use crate::rootfs::RootPath;
    use crate::secrets::{Kind, Place};

    #[test]
    fn each_state_has_its_lines() {
        let expected = "  1 secret in the image:\n    /app/.env, line 3, layer 4: variable named as a secret DB_PASSWORD\n  \
                        1 secret in the original only: removed by this squash:\n    /root/.npmrc, line 1, layer 2: npm token\n";
        assert_eq!(render(&report().images[0].secrets, Detail::Normal), expected);
        assert_eq!(render(&[], Detail::Full), "");
    }

    #[test]
    fn a_step_that_stays_can_be_left_out() {
        let finding = Finding {
            place: Place::Step(3),
            state: State::Present,
            line: None,
            kind: Kind::Variable,
            name: None,
            layer: None,
        };
        assert!(render(&[(&finding).into()], Detail::Normal).ends_with("    --history single leaves the steps out\n"));
        let removed = Finding { state: State::Removed, ..finding };
        assert!(!render(&[(&removed).into()], Detail::Normal).contains("--history"));
    }

    #[test]
    fn a_long_list_is_cut_and_a_full_report_has_all_of_it() {
        let list = vec![report().images[0].secrets[0].clone(); SHOWN + 3];
        let normal = render(&list, Detail::Normal);
        assert!(
            normal.starts_with("  13 secrets ") && normal.ends_with("    and 3 secrets (-v shows them)\n"),
            "{normal}"
        );
        assert_eq!(render(&list, Detail::Full).lines().count(), list.len() + 1);
    }

    #[test]
    fn a_name_from_an_image_is_escaped_in_every_form() {
        let finding = Finding {
            state: State::Hidden,
            place: Place::File(RootPath::clamped(b"a\x1b[31m<b>|\n")),
            line: None,
            kind: Kind::PrivateKey,
            name: Some("N\x1b<script>|\n".into()),
            layer: None,
        };
        let mut report = report();
        report.images[0].secrets = vec![(&finding).into()];
        for shown in [
            text::render(&report, Detail::Full),
            markdown::render(&report),
            html::render(&report),
            json::render(&report).unwrap(),
        ] {
            assert!(!shown.contains('\x1b') && shown.contains("hidden"), "{shown}");
        }
        assert!(!html::render(&report).contains("<script>") && !markdown::render(&report).contains("N<script>"));
    }
}
