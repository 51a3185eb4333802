//! Two configs compared. In: their JSON. Out: what differs, by JSON pointer (RFC 6901), in the order of the keys.
//!
//! What tells of the layers or of the build is left out, since every squash changes it: `rootfs`, `history`, and the
//! keys that the rewrite drops.

use super::rewrite::is_stale;
use crate::report::ConfigDifference;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What differs between two configs of images.
pub fn config_differences(a: &Value, b: &Value) -> Vec<ConfigDifference> {
    let is_left_out = |key: &str| matches!(key, "rootfs" | "history") || is_stale(key);
    let mut differences = Vec::new();
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => objects("", a, b, &is_left_out, &mut differences),
        _ => compare("", Some(a), Some(b), &mut differences),
    }
    differences
}

fn objects(
    pointer: &str,
    a: &Map<String, Value>,
    b: &Map<String, Value>,
    is_left_out: &dyn Fn(&str) -> bool,
    differences: &mut Vec<ConfigDifference>,
) {
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).filter(|key| !is_left_out(key)).collect();
    for key in keys {
        let below = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        compare(&below, a.get(key), b.get(key), differences);
    }
}

/// Recurses as deep as the JSON does, which `Limits::json_depth` bounds.
fn compare(pointer: &str, a: Option<&Value>, b: Option<&Value>, differences: &mut Vec<ConfigDifference>) {
    match (a, b) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => objects(pointer, a, b, &|_| false, differences),
        // Lists of another length are told as a whole: an item more would make all behind it differ.
        (Some(Value::Array(a)), Some(Value::Array(b))) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{pointer}/{index}"), Some(a), Some(b), differences);
            }
        }
        _ if a == b => {}
        _ => differences.push(ConfigDifference { pointer: pointer.into(), before: a.cloned(), after: b.cloned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(a: Value, b: Value) -> String {
        let show = |value: Option<Value>| value.map_or("-".to_owned(), |value| value.to_string());
        let line = |d: ConfigDifference| format!("{} {} {}", d.pointer, show(d.before), show(d.after));
        config_differences(&a, &b).into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_order_of_keys_and_what_tells_of_layers_is_no_difference() {
        let a = json!({"os": "linux", "x": {"a": 1, "b": 2}, "rootfs": {"diff_ids": ["a"]}, "history": [1],
            "container_config": {}, "docker_version": "1"});
        let b = json!({"x": {"b": 2, "a": 1}, "os": "linux", "rootfs": {"diff_ids": ["b", "c"]}});
        assert_eq!(shown(a, b), "");
    }

    #[test]
    fn a_key_of_that_name_deeper_inside_counts() {
        assert_eq!(shown(json!({"config": {"history": 1}}), json!({"config": {}})), "/config/history 1 -");
    }

    #[test]
    fn each_key_that_differs_is_told_with_its_pointer_in_order() {
        let a = json!({"config": {"Env": ["A=1", "B=2"], "Cmd": ["x"], "a/b~c": 1}, "created": "t"});
        let b = json!({"config": {"Env": ["A=1", "B=3"], "Cmd": ["x", "y"], "User": null}, "created": "t"});
        assert_eq!(
            shown(a, b),
            "/config/Cmd [\"x\"] [\"x\",\"y\"]\n/config/Env/1 \"B=2\" \"B=3\"\n/config/User - null\n/config/a~1b~0c 1 -"
        );
    }
}
