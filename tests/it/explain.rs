//! `explain` through the public API: why a path is in the result or is not.

use crate::image::{config, docker_with};
use crate::lines::layer;
use imgstrip::cancel::Cancel;
use imgstrip::options::{Input, Options};
use imgstrip::progress::Watch;
use imgstrip::report::ExplainedImage;
use imgstrip::rules::{Rules, preset::Selection};
use serde_json::json;

const LAYERS: [&str; 3] = [
    r"bin/sh [0755] = sh; usr/bin/make [0755] = make; usr/share/doc/x/README = read; secret = x; srv/old = x",
    r"app/run [0755] = #!/bin/sh\nexec /app/serve\n; app/serve [0755] = #!/bin/sh\n; usr/bin/make [0755] = newer; .wh.secret",
    r".wh.srv",
];

fn explain(path: &str, change: impl FnOnce(&mut Options)) -> ExplainedImage {
    explain_in(&LAYERS, path, change)
}

fn explain_in(layers: &[&str], path: &str, change: impl FnOnce(&mut Options)) -> ExplainedImage {
    let layers: Vec<_> = layers.iter().map(|text| layer(text)).collect();
    let mut config = config(&layers);
    config["config"] = json!({"Cmd": ["/app/run"]});
    if let Some(step) = config["history"].get_mut(1) {
        step["created_by"] = "COPY\n . /app".into();
    }
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("in.tar");
    std::fs::write(&archive, docker_with(&layers, &config)).unwrap();
    let mut options = Options::default();
    change(&mut options);
    let cancel = Cancel::default();
    let told = imgstrip::explain(&Input::Path(archive), path.as_bytes(), &options, &Watch::silent(&cancel)).unwrap();
    assert_eq!(told.images.len(), 1);
    told.images.into_iter().next().unwrap()
}

fn layers(told: &ExplainedImage) -> Vec<(u64, &str)> {
    told.layers.iter().map(|touch| (touch.layer, touch.what.as_str())).collect()
}

#[test]
fn of_what_a_rule_takes_the_rule_is_told_and_every_layer_that_had_it() {
    let told = explain("usr/bin/make", |_| {});
    assert!(!told.stays && told.verdict.starts_with("goes: rule build-tools/make: "), "{}", told.verdict);
    assert_eq!(layers(&told), [(1, "has a file there"), (2, "has a file there")]);
    assert_eq!(told.layers[1].created_by.as_deref(), Some("COPY . /app"));
    assert_eq!(told.holds.bytes, 5);
}

#[test]
fn of_what_the_image_runs_the_chain_back_to_the_config_is_told() {
    let told = explain("/bin/sh", |_| {});
    assert!(told.stays, "{}", told.verdict);
    let needers: Vec<_> = told.needed_by.iter().map(|needer| (needer.path.as_str(), needer.wanted.as_str())).collect();
    assert_eq!(needers, [("/app/run", "/bin/sh"), ("/app/serve", "/bin/sh")]);
    let chain: Vec<_> =
        told.chain.iter().map(|link| (link.by.as_str(), link.wanted.as_str(), link.how.as_str())).collect();
    assert_eq!(chain, [("/app/run", "/bin/sh", "interpreter"), ("the config", "/app/run", "command")]);
}

#[test]
fn of_what_is_not_there_the_layer_that_took_it_is_told() {
    let told = explain("/secret", |_| {});
    assert_eq!((told.shows.as_deref(), told.verdict.as_str()), (None, "is not in the image"));
    assert_eq!(layers(&told), [(1, "has a file there"), (2, "whites it out")]);
    assert_eq!(layers(&explain("/srv/old", |_| {})), [(1, "has a file there"), (3, "whites out /srv")]);
}

#[test]
fn of_a_directory_that_stays_what_goes_below_it_is_told_by_rule() {
    let told = explain("/usr", |_| {});
    assert!(told.stays);
    let drops: Vec<_> = told.drops.iter().map(|drop| (drop.rule.as_str(), drop.dropped.bytes)).collect();
    assert_eq!(drops, [("build-tools/make", 5), ("docs/doc", 4)]);
}

#[test]
fn keep_mode_tells_what_is_not_needed() {
    let told = explain("/usr/bin/make", |options| {
        options.only_needed = true;
        options.rules = imgstrip::rules::Rules::none();
    });
    assert_eq!((told.stays, told.verdict.as_str()), (false, "goes: nothing that the image runs needs it"));
    let told = explain("/app/serve", |options| options.only_needed = true);
    assert!(told.stays && told.verdict.starts_with("stays"), "{}", told.verdict);
    assert_eq!(told.chain.last().unwrap().by, "the config");
}

#[test]
fn keep_mode_tells_the_same_of_licences_and_records_as_it_does() {
    let layer = r"
        app/run [0755] = app; usr/share/doc/app/copyright = bsd; usr/share/doc/app/notes = x; lib/apk/db/installed = P:app\nV:1\nF:app\nR:run\nF:usr/share/doc/app\nR:copyright\n\n
    ";
    let debian = r"
        app/run [0755] = app; usr/share/doc/app/copyright = bsd; usr/share/doc/app/notes = x
        var/lib/dpkg/info/app.list = /app/run\n/usr/share/doc/app/copyright\n/usr/share/doc/app/notes\n
        var/lib/dpkg/status = Package:\x20app\nStatus:\x20install\x20ok\x20installed\nArchitecture:\x20all\nVersion:\x201\nDescription:\x20app\n\n
    ";
    let stays = |layer, path| explain_in(&[layer], path, |options| options.only_needed = true).stays;
    assert!(stays(debian, "/usr/share/doc/app/copyright") && !stays(debian, "/usr/share/doc/app/notes"));
    assert!(!stays(debian, "/var/lib/dpkg/status") && stays(layer, "/lib/apk/db/installed"));
}

#[test]
fn of_a_file_that_loses_its_content_the_rule_is_told() {
    let rules = Rules::builder().presets(Selection::parse("identity").unwrap()).build().unwrap();
    let told =
        explain_in(&["app/run [0755] = app; etc/machine-id = 0123"], "etc/machine-id", |options| options.rules = rules);
    assert!(
        told.stays && told.verdict.starts_with("stays, without content: rule identity/machine-id: "),
        "{}",
        told.verdict
    );
}

#[test]
fn what_the_user_asks_for_is_not_said_to_be_the_configs() {
    let told = explain("usr/bin/make", |options| options.keep_programs = vec!["make".into()]);
    assert_eq!(told.chain.last().unwrap().by, "the command line");
}
