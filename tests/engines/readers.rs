//! Who reads our output: every engine and tool, for every shape and compression that we write. What it shows equals
//! what it shows for the input, which all of them read.

use crate::containerd::Containerd;
use crate::docker::{Docker, Views};
use crate::engine::{Turn, reach, run};
use crate::known::known;
use crate::layout::Layout;
use crate::merge::{squash_only, strip};
use crate::tarball;
use crate::umoci::Umoci;
use crate::view::{STARTED, View};
use imgstrip::options::{Compression, Format, Options, Output};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use tempfile::TempDir;

/// An image with whatever a reader may lose: links, capabilities, owners, times, names that are no text.
const STACK: &[&str] = &[
    "./ [0711 1:2 @5]; bin/; bin/ping [0755 5:6 security.capability=\\x01\\x00\\x00\\x02\\x0a\\x20\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00] = ping; \
     bin/pong => bin/ping; s -> bin; gone",
    ".wh.gone; na\\xefve\\x20\\xff = bytes; half [4755 3000000:7 @1581300122+123456789]; pipe fifo; null char 1:3",
];

/// The names of what we write.
pub(crate) const NAMES: &[&str] = &[
    "auto-plain",
    "auto-gzip",
    "auto-zstd",
    "docker-plain",
    "docker-gzip",
    "docker-zstd",
    "oci-plain",
    "oci-gzip",
    "oci-zstd",
    "directory-plain",
    "directory-gzip",
    "directory-zstd",
];

/// The archives: the input and what we wrote, by name.
fn archives() -> (TempDir, PathBuf, BTreeMap<String, PathBuf>) {
    let _ = *STARTED;
    let directory = tempfile::tempdir().unwrap();
    let nonce = directory.path().display().to_string();
    let stack = tarball::layers(STACK, &nonce);
    let input = Layout::write(&directory.path().join("input"), &[("reader".into(), stack)]).tar;
    let mut outputs = BTreeMap::new();
    let compressions = [
        ("plain", Compression::None),
        ("gzip", Compression::Gzip(None)),
        ("zstd", Compression::Zstd { level: None, long: false }),
    ];
    for (suffix, compression) in compressions {
        for (prefix, format) in [("auto", Format::Auto), ("docker", Format::Docker), ("oci", Format::Oci)] {
            let name = format!("{prefix}-{suffix}");
            let path = directory.path().join(&name).with_extension("tar");
            write(&input, &Output::File(path.clone()), compression, format);
            outputs.insert(name, path);
        }
        let path = directory.path().join(suffix);
        write(&input, &Output::Directory(path.clone()), compression, Format::Auto);
        outputs.insert(format!("directory-{suffix}"), path);
    }
    assert!(NAMES.iter().all(|name| outputs.contains_key(*name)) && outputs.len() == NAMES.len());
    (directory, input, outputs)
}

fn write(input: &Path, output: &Output, compression: Compression, format: Format) {
    strip(input, output, &Options { compression, format, ..squash_only() }).unwrap();
}

/// Holds what a reader shows for each output against what it shows for the input.
fn check(reader: &str, show: &dyn Fn(&Path) -> Result<View, String>) {
    let (_directory, input, outputs) = archives();
    let expected = show(&input).unwrap_or_else(|why| panic!("{reader} refuses the input: {why}"));
    let mut wrong = Vec::new();
    for (name, path) in outputs {
        let known = known(&name, reader).unwrap_or_default();
        // A daemon is given archives only.
        if path.is_dir() && !["umoci", "skopeo-oci"].contains(&reader) {
            continue;
        }
        let (found, why) = match show(&path) {
            Ok(view) => (expected.diff(&view).join("; "), String::new()),
            Err(why) => ("refuses".to_owned(), why),
        };
        if found != known {
            wrong.push(format!(
                "{name} {reader}: known '{known}', found '{found}' {}",
                why.lines().last().unwrap_or("")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn only(views: Views) -> Result<View, String> {
    views.into_values().next().unwrap_or_else(|| Err("no image".into()))
}

fn docker(docker: Option<Turn<Docker>>) {
    if let Some(Turn { engine, .. }) = &docker {
        check(engine.name, &|archive| engine.views(archive).and_then(only));
    }
}

#[test]
fn docker_20_reads_what_we_write() {
    docker(Docker::docker20());
}

#[test]
fn docker_26_reads_what_we_write() {
    docker(Docker::docker26());
}

#[test]
fn docker_26_with_the_containerd_store_reads_what_we_write() {
    docker(Docker::docker26c());
}

#[test]
fn containerd_reads_what_we_write() {
    if let Some(Turn { engine, .. }) = &Containerd::alone() {
        check("containerd", &|archive| engine.import(archive));
    }
}

#[test]
fn umoci_reads_what_we_write() {
    if Umoci::reach().is_some() {
        check("umoci", &|archive| Umoci::views(archive).and_then(only));
    }
}

#[test]
fn podman_reads_what_we_write() {
    static TURN: Mutex<()> = Mutex::new(());
    let podman = |arguments: &[&str]| run(Command::new("podman").args(arguments));
    let turn = reach("podman", "CONTAINERS_STORAGE_CONF", &TURN, |_| podman(&["--version"]));
    if turn.is_some() {
        check("podman", &|archive| {
            let text = podman(&["load", "--quiet", "--input", &archive.display().to_string()])?;
            let name = text.trim().rsplit_once("image: ").map(|(_, name)| name.to_owned());
            let name = name.ok_or_else(|| format!("no image: {text}"))?;
            let view = podman(&["image", "mount", &name]).map(|at| View::of(Path::new(at.trim())));
            podman(&["image", "umount", &name])?;
            podman(&["rmi", "--force", &name])?;
            view
        });
    }
}

/// skopeo shows nothing itself; that it copies each blob and checks its digest is what is asked of it.
#[test]
fn skopeo_reads_what_we_write() {
    static TURN: Mutex<()> = Mutex::new(());
    if reach("skopeo", "IMGSTRIP_ENGINES_DIR", &TURN, |_| run(Command::new("skopeo").arg("--version"))).is_some() {
        for (reader, transport) in [("skopeo-docker", "docker-archive"), ("skopeo-oci", "oci-archive")] {
            check(reader, &|archive| {
                let copy = tempfile::tempdir().unwrap();
                let transport = if archive.is_dir() { "oci" } else { transport };
                let source = format!("{transport}:{}", archive.display());
                run(Command::new("skopeo")
                    .args(["copy", "--quiet", &source])
                    .arg(format!("dir:{}", copy.path().display())))?;
                Ok(View::default())
            });
        }
    }
}
