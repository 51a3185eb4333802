//! The static binary alone in an image: no libc, no shell, no directory but an empty `/tmp`, no network, no root, nothing
//! that can be written, 256 MiB of memory with what stands in `/tmp`. It gets an image through a pipe, and hands the squashed one back once it has
//! read it again.

use crate::docker::Docker;
use crate::engine::{Turn, optional, run};
use crate::layout::{LABEL, REPOSITORY};
use imgstrip::cancel::Cancel;
use imgstrip::options::{Input, Options, Output};
use imgstrip::progress::Watch;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the static binary lies; `.ci/run` builds it as the README says.
const BINARY: &str = "IMGSTRIP_STATIC";

fn binary() -> Option<PathBuf> {
    let found = std::env::var_os(BINARY).map(PathBuf::from).ok_or_else(|| format!("{BINARY} is not set"));
    optional("the static binary", found.and_then(|path| path.canonicalize().map_err(|error| error.to_string())))
}

fn runs_alone(docker: Option<Turn<Docker>>) {
    let (Some(docker), Some(binary)) = (docker, binary()) else { return };
    let docker = &docker.engine;
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/demo/demo.tar.gz");
    let image = format!("{REPOSITORY}:alone");
    std::fs::copy(&binary, path("imgstrip")).unwrap();
    run(Command::new("tar").arg("-C").arg(directory.path()).arg("-cf").arg(path("image.tar")).arg("imgstrip")).unwrap();
    let label = format!("LABEL {LABEL}=alone");
    run(docker.command().args(["import", "--change", &label]).arg(path("image.tar")).arg(&image)).unwrap();
    let mut alone = docker.command();
    alone.args(["run", "--rm", "--interactive", "--network", "none", "--read-only", "--tmpfs", "/tmp"]);
    alone.args(["--user", "65534:65534", "--cap-drop", "ALL", "--memory", "256m", "--memory-swap", "256m"]);
    alone.args(["--security-opt", "no-new-privileges", &image, "/imgstrip", "--verify", "-", "-"]);
    alone.stdin(File::open(&demo).unwrap()).stdout(File::create(path("alone.tar")).unwrap());
    let ran = run(&mut alone);
    docker.remove(&[image]);
    ran.unwrap();
    let output = Output::File(path("here.tar"));
    imgstrip::strip(&Input::Path(demo), &output, &Options::default(), &Watch::silent(&Cancel::new())).unwrap();
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    assert!(read("alone.tar") == read("here.tar"), "{}: the same bytes as outside", docker.name);
}

#[test]
fn a_static_binary_runs_alone_in_docker20() {
    runs_alone(Docker::docker20());
}

#[test]
fn a_static_binary_runs_alone_in_docker26() {
    runs_alone(Docker::docker26());
}
