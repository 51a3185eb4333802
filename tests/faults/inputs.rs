//! The archives that the program is given here: plain layers, gzip layers whose blocks are copied, and a packed archive.

use crate::image::{config, docker, docker_with};
use crate::lines::layer;
use crate::tar::{Raw, archive};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// What reads and writes differ by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Plain layers, read where they lie.
    Plain,
    /// gzip layers: a spill file each, and deflate blocks that are copied from the input.
    Gzip,
    /// A gzip file around plain layers: one spill file.
    Packed,
}

pub const KINDS: [Kind; 3] = [Kind::Plain, Kind::Gzip, Kind::Packed];

/// Words in an order that repeats little: they deflate into many blocks.
fn text(seed: u64, len: usize) -> Vec<u8> {
    const WORDS: [&str; 8] = ["usr/", "share ", "lib", "doc", ".so", "\n", "python3.11 ", "changelog"];
    let mut state = seed;
    let mut bytes = Vec::with_capacity(len + 16);
    while bytes.len() < len {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(WORDS[(state >> 61) as usize].as_bytes());
        bytes.extend_from_slice((state >> 40 & 0xff).to_string().as_bytes());
    }
    bytes.truncate(len);
    bytes
}

fn layers(size: usize) -> [Vec<u8>; 3] {
    let file = |name: &str, seed| Raw::new(name.as_bytes(), b'0').body(&text(seed, size));
    [
        archive(&[file("a", 1), file("b", 2), file("gone", 3), file("old", 4)]),
        archive(&[file("c", 5), file("d", 6), Raw::new(b".wh.gone", b'0')]),
        layer("old = new; e; f"),
    ]
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive of six files of `size` bytes.
pub fn input(kind: Kind, size: usize) -> Vec<u8> {
    let layers = layers(size);
    match kind {
        Kind::Plain => docker(&layers),
        Kind::Gzip => docker_with(&layers.each_ref().map(|layer| gzip(layer)), &config(&layers)),
        Kind::Packed => gzip(&docker(&layers)),
    }
}
