//! What differs between two configs. In: two JSON values. Out: one change a key, by JSON pointer, sorted.
//!
//! What must differ between any two builds of the same image (layer digests, history, times) is the caller's to
//! leave out.

use serde_json::Value;
use std::collections::BTreeSet;

/// A place in a config that is not the same in both. Values are JSON on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigChange {
    /// Its JSON pointer (RFC 6901).
    pub pointer: String,
    /// In the first; `None` where it has no such key.
    pub a: Option<String>,
    /// In the second; `None` where it has no such key.
    pub b: Option<String>,
}

/// Keys of a config that describe its layers, and not what a container of the image is like.
pub const LAYER_KEYS: &[&str] = &["created", "history", "rootfs"];

/// Compares two configs; top-level keys in `except` are left out. Objects are compared key by key whatever their
/// order, arrays as a whole. Configs are nested no deeper than `Limits::json_depth`.
pub fn compare(a: &Value, b: &Value, except: &[&str]) -> Vec<ConfigChange> {
    let mut changes = Vec::new();
    walk(String::new(), Some(a), Some(b), except, &mut changes);
    changes
}

fn walk(pointer: String, a: Option<&Value>, b: Option<&Value>, except: &[&str], changes: &mut Vec<ConfigChange>) {
    if a == b {
        return;
    }
    if let (Some(Value::Object(a)), Some(Value::Object(b))) = (a, b) {
        let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for key in keys.into_iter().filter(|key| !except.contains(&key.as_str())) {
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            walk(pointer, a.get(key), b.get(key), &[], changes);
        }
        return;
    }
    changes.push(ConfigChange { pointer, a: a.map(Value::to_string), b: b.map(Value::to_string) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_is_told_by_its_pointer_and_layers_are_left_out() {
        let a = json!({"created": "x", "config": {"Env": ["A=1"], "User": "", "Labels": {"a/b": "1"}}, "os": "linux"});
        let b = json!({"os": "linux", "config": {"Labels": {"a/b": "2"}, "Env": ["A=1", "B=2"]}, "created": "y"});
        let shown: Vec<_> = compare(&a, &b, LAYER_KEYS)
            .into_iter()
            .map(|change| format!("{} {:?} {:?}", change.pointer, change.a, change.b))
            .collect();
        assert_eq!(
            shown,
            [
                r#"/config/Env Some("[\"A=1\"]") Some("[\"A=1\",\"B=2\"]")"#,
                r#"/config/Labels/a~1b Some("\"1\"") Some("\"2\"")"#,
                r#"/config/User Some("\"\"") None"#,
            ]
        );
    }

    #[test]
    fn the_order_of_keys_is_no_difference() {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert!(compare(&read(r#"{"a":1,"b":2}"#), &read(r#"{"b":2,"a":1}"#), &[]).is_empty());
    }
}
