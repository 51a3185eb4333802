//! The history of an image in, one whose steps with a layer are as many as the layers of the result out.
//!
//! Docker refuses to show or push an image where the two numbers differ ("too many non-empty layers in History
//! section"), so the number is right whatever the input's was.

use super::{Change, config::one_spelling};
use crate::error::Error;
use crate::options::History;
use serde_json::{Map, Value};

/// Rewrites the steps; `created` is the image's own time, which the new step takes.
pub(super) fn rewrite(steps: Option<&Value>, created: Option<&Value>, change: &Change) -> Result<Value, Error> {
    let steps = match steps {
        None | Some(Value::Null) => &[],
        Some(Value::Array(steps)) => steps.as_slice(),
        Some(_) => return Err(Error::malformed("the config's history is not a list")),
    };
    let mut written = Vec::with_capacity(steps.len().saturating_add(1));
    let mut layers = 0usize;
    for step in steps {
        let Value::Object(step) = step else {
            return Err(Error::malformed("a step of the config's history is not a JSON object"));
        };
        one_spelling(step, "empty_layer")?;
        let in_base = layers < change.kept;
        let empty = step.get("empty_layer") == Some(&Value::Bool(true));
        layers = layers.saturating_add(usize::from(!empty));
        match (in_base, change.history) {
            (true, _) => written.push(Value::Object(step.clone())),
            (false, History::Keep) => {
                let mut step = step.clone();
                step.insert("empty_layer".into(), true.into());
                written.push(Value::Object(step));
            }
            (false, _) => {}
        }
    }
    // Kept layers that the input's history does not know get a step that says nothing; then comes ours.
    let unknown = change.kept.saturating_sub(layers);
    written.extend((0..unknown).map(|_| timed(created).into()));
    let new = change.layers.len().saturating_sub(change.kept);
    written.extend((0..new).map(|_| step(created, change)));
    Ok(Value::Array(written))
}

/// The step that stands for the new layer.
fn step(created: Option<&Value>, change: &Change) -> Value {
    let mut step = timed(created);
    step.insert("created_by".into(), change.created_by.as_str().into());
    if !change.comment.is_empty() {
        step.insert("comment".into(), change.comment.as_str().into());
    }
    Value::Object(step)
}

/// A step with the image's time: without one, `docker history` tells of 292 years and `umoci stat` 0.4.7 panics.
fn timed(created: Option<&Value>) -> Map<String, Value> {
    let created = created.filter(|created| created.is_string());
    created.map(|created| ("created".to_owned(), created.clone())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::NewLayer;
    use super::super::tests::{change, layer};
    use super::*;
    use crate::layer::codec::Codec;
    use serde_json::json;

    fn layers(count: u8) -> Vec<NewLayer> {
        (0..count).map(|n| layer(n, Codec::Plain)).collect()
    }

    fn steps() -> Value {
        json!([
            {"created_by": "ADD base", "x": 1},
            {"created_by": "CMD", "empty_layer": true},
            {"created_by": "COPY", "empty_layer": false},
            {"created_by": "RUN"}
        ])
    }

    fn count(steps: &Value) -> usize {
        steps.as_array().unwrap().iter().filter(|step| step.get("empty_layer") != Some(&json!(true))).count()
    }

    #[test]
    fn old_steps_stay_as_empty_layers_and_one_new_step_has_the_layer() {
        let written = rewrite(Some(&steps()), Some(&json!("2020-01-01T00:00:00Z")), &change(layers(1))).unwrap();
        let expected = json!([
            {"created_by": "ADD base", "x": 1, "empty_layer": true},
            {"created_by": "CMD", "empty_layer": true},
            {"created_by": "COPY", "empty_layer": true},
            {"created_by": "RUN", "empty_layer": true},
            {"created": "2020-01-01T00:00:00Z", "created_by": "imgstrip 0.1.0", "comment": "2 layers squashed"}
        ]);
        assert_eq!(written.to_string(), expected.to_string());
    }

    #[test]
    fn steps_of_a_kept_base_stay_as_they_are() {
        let written = rewrite(Some(&steps()), None, &change(layers(3))).unwrap();
        let (old, all) = (steps(), written.as_array().unwrap());
        assert_eq!(all[..3], old.as_array().unwrap()[..3]);
        assert_eq!(all[3], json!({"created_by": "RUN", "empty_layer": true}));
        assert_eq!((all.len(), count(&written)), (5, 3));
    }

    #[test]
    fn a_single_history_says_nothing_of_the_squashed_steps() {
        let mut change = change(layers(2));
        change.history = History::Single;
        let written = rewrite(Some(&steps()), None, &change).unwrap();
        assert_eq!(written[0]["created_by"], "ADD base");
        assert_eq!((written.as_array().unwrap().len(), count(&written)), (2, 2));
        assert!(!written.to_string().contains("RUN"));
    }

    #[test]
    fn steps_with_a_layer_are_as_many_as_layers_whatever_the_input_says() {
        for old in [None, Some(Value::Null), Some(json!([])), Some(steps()), Some(json!([{"empty_layer": true}]))] {
            for total in 1..6 {
                for history in [History::Keep, History::Single] {
                    let change = Change { history, ..change(layers(total)) };
                    let written = rewrite(old.as_ref(), None, &change).unwrap();
                    assert_eq!(count(&written), usize::from(total), "{old:?} {total}");
                }
            }
        }
    }

    #[test]
    fn a_base_alone_gets_no_new_step() {
        let change = Change { kept: 3, ..change(layers(3)) };
        assert_eq!(rewrite(Some(&steps()), None, &change).unwrap(), steps());
    }

    #[test]
    fn what_is_no_list_of_steps_is_refused() {
        for bad in [json!({}), json!("x"), json!([1]), json!([{"Empty_Layer": true}])] {
            assert!(rewrite(Some(&bad), None, &change(layers(1))).is_err(), "{bad}");
        }
    }
}
