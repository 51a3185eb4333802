//! Small stacks of layers: what stays, what a later layer takes away, what a rule drops.

use super::*;
use crate::options::SymlinkParents;
use crate::rootfs::testing::Owned;
use crate::rootfs::{Merge, Tally, text};
use crate::secrets::Step;
use proptest::prelude::*;

fn uppers(layers: &[&str]) -> Vec<Upper> {
    layers.iter().map(|lines| text::upper(lines).unwrap()).collect()
}

fn merged(uppers: &[Upper]) -> Tree {
    let mut merge = Merge::new(SymlinkParents::Overlay, 40);
    uppers.iter().for_each(|upper| merge.add(upper).unwrap());
    merge.finish().tree
}

fn found(tree: &Tree, uppers: &[Upper], kept: usize, words: &Words) -> Vec<Finding> {
    let layers: Vec<(LayerId, &Upper)> = (0u32..).map(LayerId).zip(uppers).collect();
    find(&Held { tree, layers: &layers, kept }, words, &Owned).unwrap()
}

fn show(findings: &[Finding]) -> Vec<String> {
    let show = |finding: &Finding| {
        let (line, layer) = (finding.line.unwrap_or(0), finding.layer.unwrap_or(0));
        format!("{} {}:{line} {} {layer}", finding.state.code(), finding.place, finding.kind.code())
    };
    findings.iter().map(show).collect()
}

fn shown(layers: &[&str], kept: usize) -> Vec<String> {
    let uppers = uppers(layers);
    show(&found(&merged(&uppers), &uppers, kept, &Words::default()))
}

const ENV: &str = "app/.env = A=1\\nDB_PASSWORD=hunter2";

#[test]
fn what_a_later_layer_deletes_or_replaces_is_removed_by_the_squash() {
    assert_eq!(shown(&[ENV], 0), ["present /app/.env:2 variable 0"]);
    assert_eq!(shown(&[ENV, "app/.wh..env"], 0), ["removed /app/.env:2 variable 1"]);
    assert_eq!(shown(&["a = x", ENV, "app/.wh..wh..opq"], 0), ["removed /app/.env:2 variable 2"]);
    assert_eq!(shown(&[ENV, "app/.env = PORT=80"], 0), ["removed /app/.env:2 variable 1"]);
}

#[test]
fn what_a_kept_layer_holds_is_hidden_at_best() {
    assert_eq!(shown(&[ENV, "app/.wh..env"], 1), ["hidden /app/.env:2 variable 1"]);
    assert_eq!(shown(&["a = x", ENV, "app/.wh..env"], 1), ["removed /app/.env:2 variable 2"]);
}

#[test]
fn what_a_rule_drops_is_removed_too() {
    let uppers = uppers(&[ENV]);
    let mut tree = merged(&uppers);
    assert!(tree.remove(Tree::ROOT, b"app", &mut Tally::default()));
    assert_eq!(show(&found(&tree, &uppers, 0, &Words::default())), ["removed /app/.env:2 variable 1"]);
}

#[test]
fn a_secret_that_stays_elsewhere_is_not_removed() {
    // chmod in a later layer copies the file up.
    assert_eq!(shown(&[ENV, "app/.env [0600] = A=1\\nDB_PASSWORD=hunter2"], 0), ["present /app/.env:2 variable 0"]);
    assert_eq!(shown(&[ENV, "app/.wh..env\nsrv/.env = DB_PASSWORD=hunter2"], 0), ["present /srv/.env:1 variable 0"]);
    // Two names of one file, one of which goes.
    assert_eq!(
        shown(&["a/.env = DB_PASSWORD=hunter2\nb/.env => a/.env", "a/.wh..env"], 0),
        ["present /b/.env:1 variable 0"]
    );
}

#[test]
fn a_secret_that_two_layers_held_is_told_once() {
    let again = "app/.env = A=2\\nDB_PASSWORD=hunter2";
    assert_eq!(shown(&[ENV, again, "app/.wh..env"], 0).len(), 1);
}

#[test]
fn what_is_still_there_comes_first_and_then_the_places_in_order() {
    let words = Words {
        steps: vec![Step { text: "A_TOKEN=hunter3x".into(), layer: Some(1), stays: false }],
        ..Words::default()
    };
    let uppers =
        uppers(&["z/.env = A_TOKEN=hunter21\nb/.env = A_TOKEN=hunter22\na/.env = A_TOKEN=hunter23", "a/.wh..env"]);
    let expected = [
        "present /b/.env:1 variable 0",
        "present /z/.env:1 variable 0",
        "removed /a/.env:1 variable 1",
        "removed history step 1:0 variable 1",
    ];
    assert_eq!(show(&found(&merged(&uppers), &uppers, 0, &words)), expected);
}

#[test]
fn an_error_of_reading_is_an_error_and_names_the_file() {
    struct Broken;
    impl Files for Broken {
        fn read_at(&self, _: &Content, _: u64, _: &mut [u8]) -> Result<usize, Error> {
            Err(Error::malformed("the layer ends"))
        }
    }
    let uppers = uppers(&[ENV]);
    let layers = [(LayerId(0), &uppers[0])];
    let tree = merged(&uppers);
    let error = find(&Held { tree: &tree, layers: &layers, kept: 0 }, &Words::default(), &Broken).unwrap_err();
    assert!(error.to_string().contains("app/.env"), "{error}");
}

proptest! {
    /// Whatever the secret is, no form of a finding has it.
    #[test]
    fn the_text_of_a_secret_is_in_no_finding(secret in "[a-zA-Z0-9]{12,40}") {
        prop_assume!(crate::secrets::words::is_secret_value(secret.as_bytes()));
        let layers = [
            format!("root/.npmrc = //r/:_authToken={secret}\nroot/.netrc = machine\\x20h\\x20password\\x20{secret}\napp/.env = A_TOKEN={secret}\n\
                root/.git-credentials = https://u:{secret}@h\nroot/.vault-token = {secret}{secret}\nroot/.pgpass = h:1:d:u:{secret}"),
            "app/.wh..env".into(),
        ];
        let uppers = uppers(&layers.each_ref().map(String::as_str));
        let words = Words {
            env: vec![("A_TOKEN".into(), secret.clone()), ("U".into(), format!("https://u:{secret}@h"))],
            steps: vec![Step { text: format!("|1 B_TOKEN={secret}1 curl -u a:{secret}2 --password {secret}3"), layer: None, stays: true }],
            ..Words::default()
        };
        let findings = found(&merged(&uppers), &uppers, 0, &words);
        prop_assert!(findings.len() >= 8, "{:?}", findings);
        let text = format!("{findings:?} {:?}", show(&findings));
        prop_assert!(!text.contains(&secret));
    }
}
