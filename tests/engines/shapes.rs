//! Each shape of archive on each engine: what it shows for the archive that a real tool wrote equals what it shows for
//! our output, image by image and platform by platform.

use crate::docker::{Docker, Views};
use crate::engine::{Turn, run};
use crate::known::known;
use crate::merge::{squash_only, strip};
use crate::umoci::Umoci;
use crate::view::STARTED;
use imgstrip::options::Output;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A shape: its name, the archive, and our output, or why there is none.
struct Shape {
    name: String,
    input: PathBuf,
    output: Result<PathBuf, String>,
}

/// The shapes, made once. They stay below the build directory until the next run: nothing tells the last test of it.
static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shapes");
    let _ = std::fs::remove_dir_all(&directory);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engines/shapes");
    let lines = run(Command::new(script).arg(&directory)).unwrap();
    let outputs = directory.join("outputs");
    std::fs::create_dir(&outputs).unwrap();
    let shape = |line: &str| {
        let (name, input) = line.split_once(' ').unwrap();
        let (input, output) = (PathBuf::from(input.trim()), outputs.join(format!("{name}.tar")));
        let result = strip(&input, &Output::File(output.clone()), &squash_only());
        Shape { name: name.to_owned(), input, output: result.map(|()| output) }
    };
    let shapes = lines.lines().map(shape).collect();
    // Every file of the shapes is older than this.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let _ = *STARTED;
    shapes
});

#[test]
fn docker_20_shows_our_output_as_it_shows_each_shape() {
    docker(Docker::docker20());
}

#[test]
fn docker_26_shows_our_output_as_it_shows_each_shape() {
    docker(Docker::docker26());
}

#[test]
fn docker_26_with_the_containerd_store_shows_our_output_as_it_shows_each_shape() {
    docker(Docker::docker26c());
}

#[test]
fn umoci_shows_our_output_as_it_shows_each_shape() {
    if Umoci::reach().is_some() {
        check("umoci", &Umoci::views);
    }
}

fn docker(docker: Option<Turn<Docker>>) {
    if let Some(Turn { engine, .. }) = &docker {
        check(engine.name, &|archive| engine.views(archive));
    }
}

fn check(engine: &str, show: &dyn Fn(&Path) -> Result<Views, String>) {
    let mut wrong = Vec::new();
    for Shape { name, input, output } in &*SHAPES {
        let ours = output.as_ref().err().map(|_| "refuses");
        if ours != known(name, "imgstrip") {
            wrong.push(format!("{name} imgstrip: {output:?}"));
        }
        let found = match output {
            Ok(output) => compare(show(input), || show(output)),
            Err(_) => continue,
        };
        let (what, why) = &found;
        let expected = known(name, engine).unwrap_or_default();
        if what != expected {
            let why = why.lines().last().unwrap_or_default();
            wrong.push(format!("{name} {engine}: known '{expected}', found '{what}' {why}"));
        }
    }
    assert!(wrong.is_empty(), "{engine}:\n{}", wrong.join("\n"));
}

/// What differs, and the reason where there is one.
fn compare(input: Result<Views, String>, output: impl FnOnce() -> Result<Views, String>) -> (String, String) {
    let input = match input {
        Ok(views) => views,
        Err(why) => return ("refuses".into(), why),
    };
    if let Some(why) = input.values().find_map(|view| view.as_ref().err()) {
        return ("refuses".into(), why.clone());
    }
    let output = match output() {
        Ok(views) => views,
        Err(why) => return ("refuses our output".into(), why),
    };
    if !input.keys().eq(output.keys()) {
        return (format!("images {:?}>{:?}", input.keys(), output.keys()), String::new());
    }
    let mut lines = Vec::new();
    for (input, output) in input.values().zip(output.values()) {
        match (input, output) {
            (Ok(input), Ok(output)) => lines.extend(input.diff(output)),
            (_, Err(why)) => return ("refuses our output".into(), why.clone()),
            (Err(_), _) => {}
        }
    }
    (lines.join("; "), String::new())
}
