//! Every gzip encoder that images are made with: what we write from its deflate blocks is, to other decoders, what the diff_id says.
//!
//! In: files of this machine as a layer, compressed by Go, pigz, gzip, zopfli and zlib in each of its ways. Asked: gzip, pigz,
//! Python's zlib, Go (skopeo decompresses, umoci unpacks), and two Dockers, which check the diff_id themselves.

use crate::docker::Docker;
use crate::engine::{Turn, reach, run};
use crate::layout::{Layout, hex};
use crate::merge::squash_only;
use crate::tarball;
use crate::umoci::Umoci;
use crate::view::STARTED;
use imgstrip::cancel::Cancel;
use imgstrip::options::{Compression, Input, Options, Output};
use imgstrip::progress::Watch;
use imgstrip::report::LayerReport;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Commands that compress their standard input; a name each.
const ENCODERS: &[(&str, &[&str])] = &[
    ("gzip-1", &["gzip", "-1"]),
    ("gzip-6-named", &["gzip", "-6", "--rsyncable"]),
    ("gzip-9", &["gzip", "-9"]),
    ("pigz", &["pigz", "-p", "4"]),
    ("pigz-b-128", &["pigz", "-p", "4", "-b", "128"]),
    ("pigz-independent", &["pigz", "-p", "4", "-b", "64", "-i"]),
    ("pigz-rsyncable", &["pigz", "-p", "4", "-R"]),
    ("pigz-11", &["pigz", "-11", "-I", "1"]),
    ("pigz-stored", &["pigz", "-0"]),
    ("zopfli", &["sh", "-ec", "f=$(mktemp); cat >$f; zopfli --i1 -c $f; rm $f"]),
    ("zlib-default", &["python3", "-c", ZLIB, "6", "0"]),
    ("zlib-filtered", &["python3", "-c", ZLIB, "9", "1"]),
    ("zlib-huffman-only", &["python3", "-c", ZLIB, "6", "2"]),
    ("zlib-rle", &["python3", "-c", ZLIB, "1", "3"]),
    ("zlib-fixed", &["python3", "-c", ZLIB, "6", "4"]),
];

/// Several members with a window and a memory of their own each, flushed in between. No zeros behind them: Go refuses those.
const ZLIB: &str = "
import sys, zlib
data, level, strategy = sys.stdin.buffer.read(), int(sys.argv[1]), int(sys.argv[2])
flushes = [zlib.Z_NO_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH]
for member, at in enumerate(range(0, len(data), 3_000_000)):
    z = zlib.compressobj(level, zlib.DEFLATED, 31 - 3 * (member % 2), 9 - 4 * (member % 2), strategy)
    for piece in range(at, min(at + 3_000_000, len(data)), 200_000):
        sys.stdout.buffer.write(z.compress(data[piece:min(piece + 200_000, at + 3_000_000)]))
        sys.stdout.buffer.write(z.flush(flushes[piece // 200_000 % 4]))
    sys.stdout.buffer.write(z.flush())
";

/// Commands that decompress a file.
const DECODERS: &[&[&str]] = &[
    &["gzip", "-dc"],
    &["pigz", "-dc"],
    &[
        "python3",
        "-c",
        "import sys, zlib; z = zlib.decompressobj(31); sys.stdout.buffer.write(z.decompress(open(sys.argv[1], 'rb').read())); sys.exit(not z.eof or len(z.unused_data))",
    ],
];

/// A layer of files that every Debian has, and one that hides some of them.
fn stack(nonce: &str) -> Vec<Vec<u8>> {
    let files = ["usr/bin/bash", "usr/bin/perl", "usr/share/common-licenses", "usr/share/dpkg", "usr/share/perl5"];
    let tar = Command::new("tar").args(["-C", "/", "--sort=name", "-cf", "-"]).args(files).output().unwrap();
    assert!(tar.status.success() && tar.stdout.len() > 5 << 20, "{tar:?}");
    let upper = "usr/share/perl5/.wh.Debconf; usr/share/dpkg/new = new";
    [vec![tar.stdout], tarball::layers(&[upper], nonce)].concat()
}

/// What a command makes of bytes, or of a file.
fn output(command: &[&str], input: Result<&[u8], &Path>) -> Vec<u8> {
    let mut file = tempfile::tempfile().unwrap();
    let path = match input {
        Ok(bytes) => {
            file.write_all(bytes).unwrap();
            std::io::Seek::rewind(&mut file).unwrap();
            None
        }
        Err(path) => Some(path),
    };
    let output = Command::new(command[0]).args(&command[1..]).args(path).stdin(Stdio::from(file)).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// An image by each encoder, in the order of their names.
fn images(directory: &Path) -> Vec<(&'static str, PathBuf)> {
    let _ = *STARTED;
    let image = |name: &str| [(name.to_owned(), stack(&format!("{name} {}", directory.display())))];
    let mut made: Vec<(&str, PathBuf)> = ENCODERS
        .iter()
        .map(|(name, command)| {
            let compress = |tar: &[u8]| output(command, Ok(tar));
            (*name, Layout::write_as(&directory.join(name), &image(name), "+gzip", &compress).directory)
        })
        .collect();
    // Go's own: skopeo compresses what is not.
    let (plain, go) = (Layout::write(&directory.join("plain"), &image("go")).directory, directory.join("go"));
    let [from, to] = [&plain, &go].map(|layout| format!("oci:{}:go", layout.display()));
    run(Command::new("skopeo").args(["copy", "--quiet", &from, &to])).unwrap();
    made.push(("go", go));
    made
}

/// Squashes an image; the report on its layer.
fn squash(input: &Path, output: &Output, options: &Options) -> LayerReport {
    let cancel = Cancel::new();
    let report = imgstrip::strip(&Input::Path(input.to_owned()), output, options, &Watch::silent(&cancel)).unwrap();
    report.images.into_iter().next().and_then(|image| image.layer).unwrap()
}

fn path(layout: &Path, digest: &str) -> PathBuf {
    layout.join("blobs").join(digest.replace(':', "/"))
}

fn json(path: &Path) -> Value {
    serde_json::from_reader(File::open(path).unwrap()).unwrap()
}

/// The file of the only layer, and its diff_id.
fn layer(layout: &Path) -> (PathBuf, String) {
    let blob = |descriptor: &Value| path(layout, descriptor["digest"].as_str().unwrap());
    let manifest = json(&blob(&json(&layout.join("index.json"))["manifests"][0]));
    let config = json(&blob(&manifest["config"]));
    let (layers, ids) = (manifest["layers"].as_array().unwrap(), config["rootfs"]["diff_ids"].as_array().unwrap());
    assert_eq!((layers.len(), ids.len()), (1, 1));
    (blob(&layers[0]), ids[0].as_str().unwrap().to_owned())
}

fn encoders() -> Option<Turn<()>> {
    static TURN: Mutex<()> = Mutex::new(());
    reach("pigz, zopfli or python3", "IMGSTRIP_ENGINES_DIR", &TURN, |_| {
        let programs =
            [&["gzip", "--version"][..], &["pigz", "--version"], &["zopfli", "-h"], &["python3", "--version"]];
        programs.iter().try_for_each(|words| {
            // zopfli's help is its only answer, and a failure.
            Command::new(words[0])
                .args(&words[1..])
                .output()
                .map(drop)
                .map_err(|error| format!("{}: {error}", words[0]))
        })
    })
}

#[test]
fn what_is_copied_from_any_encoder_is_what_its_diff_id_says() {
    let (Some(_encoders), Some(_umoci)) = (encoders(), Umoci::reach()) else { return };
    let directory = tempfile::tempdir().unwrap();
    for (encoder, input) in images(directory.path()) {
        for (preset, options) in [("none", squash_only()), ("default", Options::default())] {
            let written = directory.path().join(format!("{encoder}-{preset}"));
            let report = squash(&input, &Output::Directory(written.clone()), &options);
            let (blob, diff_id) = layer(&written);
            assert_eq!((report.compression.as_str(), &report.diff_id), ("gzip", &diff_id));
            let (copied, most) = (report.reused.iter().map(|layer| layer.copied).sum::<u64>(), report.tar_size);
            assert!(preset != "none" || copied > most / 2, "{encoder}: {copied} of {most} bytes are copied");
            for decoder in DECODERS {
                let tar = output(decoder, Err(&blob));
                assert_eq!(format!("sha256:{}", hex(&tar)), diff_id, "{encoder}, {preset}, {decoder:?}");
            }
            // Go inflates: skopeo names the file by what it found, and umoci checks the diff_id.
            let copy = directory.path().join("copy");
            let [from, to] = [format!("oci:{}:{encoder}", written.display()), format!("dir:{}", copy.display())];
            run(Command::new("skopeo").args(["copy", "--quiet", "--dest-decompress", &from, &to])).unwrap();
            let tar = fs::read(copy.join(diff_id.replace("sha256:", ""))).unwrap();
            assert_eq!(format!("sha256:{}", hex(&tar)), diff_id, "{encoder}, {preset}, skopeo");
            fs::remove_dir_all(copy).unwrap();
            let view = Umoci::view(&written, encoder).unwrap();
            if preset == "none" {
                assert_eq!(Umoci::view(&input, encoder).unwrap().diff(&view), [""; 0], "{encoder}");
            }
            fs::remove_dir_all(written).unwrap();
        }
    }
}

#[test]
fn docker_loads_what_is_copied_from_any_encoder() {
    let Some(_encoders) = encoders() else { return };
    let directory = tempfile::tempdir().unwrap();
    let images = images(directory.path());
    for docker in [Docker::docker20(), Docker::docker26(), Docker::docker26c()] {
        let Some(Turn { engine, .. }) = &docker else { continue };
        let written = directory.path().join("written.tar");
        let show = |input: &Path, options: &Options| {
            squash(input, &Output::File(written.clone()), options);
            engine.views(&written).and_then(|views| views.into_values().next().unwrap())
        };
        // skopeo leaves a tag without a name, which `docker load` and containerd call differently.
        let copied = Options { tag: Some("reused:latest".into()), ..squash_only() };
        // All of them hold the same files; this one copies no block.
        let anew = Options { compression: Compression::Gzip(Some(6)), ..copied.clone() };
        let expected = show(&images[0].1, &anew).unwrap();
        for (encoder, input) in &images {
            let view = show(input, &copied).unwrap_or_else(|why| panic!("{} {encoder}: {why}", engine.name));
            assert_eq!(expected.diff(&view), [""; 0], "{} {encoder}", engine.name);
        }
    }
}
