//! Secrets in the config of an image: variables, labels, the command, the history.
//!
//! In: its words as [`Words`]. Out: findings. A secret that a variable has is not told again for the step that set it, nor
//! for each later step, since the history repeats build arguments.

use super::command;
use super::finding::{Finding, Hit, Kind, Place, Secret, State};
use super::scan;
use super::words::{is_secret_name, is_secret_value, url_passwords};
use serde_json::Value;
use std::collections::BTreeSet;

/// The words of a config that may hold secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The variables of `Env`.
    pub env: Vec<(String, String)>,
    /// The labels.
    pub labels: Vec<(String, String)>,
    /// Entrypoint, command and health check, one text each.
    pub commands: Vec<String>,
    /// The steps of the history.
    pub steps: Vec<Step>,
}

/// A step of the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// What made it: `created_by` and `comment`.
    pub text: String,
    /// The layer that it made, from 1 on.
    pub layer: Option<u64>,
    /// Whether the result's history has it.
    pub stays: bool,
}

impl Words {
    /// Reads a config; `stays` says whether the history that is above the first `kept` layers stays.
    pub fn of(config: &Value, kept: usize, stays: bool) -> Self {
        let at = |pointer| config.pointer(pointer).unwrap_or(&Value::Null);
        let text = |value: &Value| match value {
            Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let env = at("/config/Env").as_array().into_iter().flatten().filter_map(Value::as_str);
        let labels = at("/config/Labels").as_object().into_iter().flatten();
        let mut words = Self {
            env: env
                .filter_map(|variable| variable.split_once('='))
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            labels: labels.map(|(name, value)| (name.clone(), text(value))).collect(),
            commands: ["/config/Entrypoint", "/config/Cmd", "/config/Healthcheck/Test", "/config/OnBuild"]
                .map(|pointer| text(at(pointer)))
                .into(),
            steps: Vec::new(),
        };
        let mut layers = 0usize;
        for step in at("/history").as_array().into_iter().flatten() {
            let part = |key| step.get(key).and_then(Value::as_str).unwrap_or_default();
            // As `rewrite` counts: a step stays with the layers below it.
            let in_base = layers < kept;
            let filled = step.get("empty_layer").and_then(Value::as_bool) != Some(true);
            layers = layers.saturating_add(usize::from(filled));
            words.steps.push(Step {
                text: format!("{} {}", part("created_by"), part("comment")),
                layer: filled.then_some(layers as u64),
                stays: stays || in_base,
            });
        }
        words
    }
}

/// The findings in the words.
pub(super) fn findings(words: &Words) -> Vec<Finding> {
    let mut found = Found::default();
    for (name, value) in &words.env {
        found.add(Place::Variable(name.clone()), variable(name, value), State::Present, None);
    }
    for (name, value) in &words.labels {
        found.add(Place::Label(name.clone()), variable(name, value), State::Present, None);
    }
    for text in &words.commands {
        found.add(Place::Command, command::hits(text), State::Present, None);
    }
    for (number, step) in (1u64..).zip(&words.steps) {
        let state = if step.stays { State::Present } else { State::Removed };
        found.add(Place::Step(number), command::hits(&step.text), state, step.layer);
    }
    found.findings
}

/// What a variable or a label holds; its place is its name.
fn variable(name: &str, value: &str) -> Vec<Hit> {
    let mut hits = scan::text(value.as_bytes());
    hits.extend(url_passwords(value.as_bytes()));
    if hits.is_empty() && is_secret_name(name.as_bytes()) && is_secret_value(value.as_bytes()) {
        hits.push(Hit::new(Kind::Variable, 0, value.trim().as_bytes()));
    }
    hits.truncate(1);
    hits
}

#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    known: BTreeSet<Secret>,
}

impl Found {
    fn add(&mut self, place: Place, hits: Vec<Hit>, state: State, layer: Option<u64>) {
        for hit in hits {
            if self.known.insert(hit.secret) {
                let place = place.clone();
                self.findings.push(Finding { state, place, line: None, kind: hit.kind, name: hit.name, layer });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(config: &Value, kept: usize, stays: bool) -> Vec<String> {
        let show = |finding: &Finding| {
            format!(
                "{} {} {} {}",
                finding.place,
                finding.kind.code(),
                finding.name.as_deref().unwrap_or("-"),
                finding.state.code()
            )
        };
        findings(&Words::of(config, kept, stays)).iter().map(show).collect()
    }

    #[test]
    fn a_secret_is_told_once_where_it_is_easiest_to_find() {
        let config = json!({
            "config": {"Env": ["PATH=/bin", "API_TOKEN=hunter2x", "DB=postgres://a:s3cr3tpw@db/x"], "Labels": {"deploy.token": "t0kenvalue"},
                       "Cmd": ["app", "--password", "cmdpass1"]},
            "history": [
                {"created_by": "ADD base"},
                {"created_by": "ENV API_TOKEN=hunter2x", "empty_layer": true},
                {"created_by": "|1 KEY_TOKEN=buildarg1 /bin/sh -c a"},
                {"created_by": "|1 KEY_TOKEN=buildarg1 /bin/sh -c b"},
            ],
        });
        let expected = [
            "ENV API_TOKEN variable - present",
            "ENV DB url-password - present",
            "LABEL deploy.token variable - present",
            "command command-password --password present",
            "history step 3 variable KEY_TOKEN removed",
        ];
        assert_eq!(shown(&config, 0, false), expected);
        assert_eq!(shown(&config, 0, true)[4], "history step 3 variable KEY_TOKEN present");
    }

    #[test]
    fn a_step_of_the_kept_base_stays_with_it() {
        let config = json!({"history": [{"created_by": "A_TOKEN=hunter2x"}, {"created_by": "B_TOKEN=hunter3x"}]});
        let expected = ["history step 1 variable A_TOKEN present", "history step 2 variable B_TOKEN removed"];
        assert_eq!(shown(&config, 1, false), expected);
    }

    #[test]
    fn an_overwritten_variable_is_still_in_the_history() {
        let config = json!({"config": {"Env": ["API_TOKEN="]}, "history": [{"created_by": "ENV API_TOKEN=hunter2x"}]});
        assert_eq!(shown(&config, 0, true), ["history step 1 variable API_TOKEN present"]);
    }

    #[test]
    fn a_config_of_any_shape_is_read() {
        for config in [
            json!(null),
            json!({"config": [], "history": {}}),
            json!({"config": {"Env": [7], "Labels": {"a": 7}, "Cmd": "x"}, "history": [null, {"created_by": 7}]}),
        ] {
            assert!(shown(&config, 0, true).is_empty());
        }
    }
}
