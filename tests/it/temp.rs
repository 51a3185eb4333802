//! What a run takes of the disk beside its output: the inflated size at most, nothing for a plain archive.

use crate::image::{Squashed, config, docker, run, squash, strip};
use crate::lines::layer;
use crate::outer::{LAYER, Oci, named};
use flate2::Compression;
use flate2::write::GzEncoder;
use imgstrip::cancel::Cancel;
use imgstrip::error::ErrorKind;
use imgstrip::options::{Input, Options, Output};
use imgstrip::progress::Watch;
use std::io::Write;

fn layers() -> [Vec<u8>; 2] {
    [layer("a/; a/x = old; b"), layer("a/.wh.x; a/y = new")]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive whose layers are compressed.
fn compressed(layers: &[Vec<u8>]) -> Vec<u8> {
    let mut oci = Oci::default();
    let blobs: Vec<_> = layers.iter().map(|layer| oci.blob(&format!("{LAYER}+gzip"), &gzip(layer))).collect();
    let image = named(oci.manifest(&config(layers), &blobs));
    oci.archive(&[image])
}

/// No file can be made there, whoever runs the tests.
fn nowhere() -> Options {
    Options { temp_dir: Some("/dev/null".into()), ..squash() }
}

#[test]
fn a_plain_archive_needs_no_room_for_temporary_files() {
    let archive = docker(&layers());
    let Squashed { report, .. } = strip(&archive, &nowhere()).unwrap();
    assert_eq!(report.temp_bytes, 0);
    for archive in [gzip(&archive), compressed(&layers())] {
        assert_eq!(strip(&archive, &nowhere()).unwrap_err().kind(), ErrorKind::Io, "the test can fail");
    }
}

#[test]
fn spill_files_hold_the_inflated_size_and_no_more() {
    let sizes = |layers: &[Vec<u8>]| layers.iter().map(|layer| layer.len() as u64).sum::<u64>();
    let (plain, packed) = (docker(&layers()), compressed(&layers()));
    for (archive, most) in [
        (packed.clone(), sizes(&layers())),
        (gzip(&plain), plain.len() as u64),
        (gzip(&packed), packed.len() as u64 + sizes(&layers())),
    ] {
        assert_eq!(run(&archive, &squash()).unwrap().report.temp_bytes, most);
    }
}

#[test]
fn a_layer_that_stands_twice_is_inflated_once() {
    let [layer, _] = layers();
    let twice = [layer.clone(), layer.clone()];
    assert_eq!(run(&compressed(&twice), &squash()).unwrap().report.temp_bytes, layer.len() as u64);
}

#[test]
fn to_verify_a_compressed_layer_takes_its_inflated_size_once_more() {
    let (plain, packed) = (docker(&layers()), compressed(&layers()));
    assert_eq!(strip(&plain, &squash()).unwrap().report.temp_bytes, 0);
    let without = run(&packed, &squash()).unwrap().report;
    let written = without.images[0].layer.as_ref().unwrap().tar_size;
    assert_eq!(strip(&packed, &squash()).unwrap().report.temp_bytes, without.temp_bytes + written);
}

#[test]
fn what_goes_into_a_pipe_is_written_down_first() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("in.tar");
    std::fs::write(&input, docker(&layers())).unwrap();
    let cancel = Cancel::default();
    let output = Output::File("/dev/null".into());
    let report = imgstrip::strip(&Input::Path(input), &output, &squash(), &Watch::silent(&cancel)).unwrap();
    assert_eq!(report.temp_bytes, report.output.unwrap().bytes);
}
