//! What a later layer or a rule took is nowhere in the bytes of the result, whatever is copied of the input as it is.

use crate::image::{config, hex, squash, strip};
use crate::lines::layer;
use crate::outer::{LAYER, Oci, named};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use imgstrip::options::{Compression as Asked, Format, Options};
use imgstrip::rules::{Rules, preset::Selection};
use std::io::{Read, Write};

const SECRETS: [&str; 3] = ["first-PAb6uZ", "second-wq81Tz", "third-0kXv4M"];

/// Three secrets in one layer, between what stays: the next one deletes the first and overwrites the second. Gzip, so that whole deflate blocks
/// are copied.
fn archive() -> Vec<u8> {
    let [first, second, third] = SECRETS;
    let noise = |seed: usize| (seed..seed + 900).map(|n| hex(&n.to_le_bytes())).collect::<String>();
    let (a, b, c) = (noise(1), noise(2000), noise(4000));
    let lower = layer(&format!("a = {a}; deleted = {first}; b = {b}; replaced = {second}; c = {c}; dropped = {third}"));
    let layers = [lower, layer(".wh.deleted; replaced = other")];
    let mut oci = Oci::default();
    let blobs: Vec<_> = layers
        .iter()
        .map(|layer| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
            encoder.write_all(layer).unwrap();
            oci.blob(&format!("{LAYER}+gzip"), &encoder.finish().unwrap())
        })
        .collect();
    let image = named(oci.manifest(&config(&layers), &blobs));
    oci.archive(&[image])
}

/// The members of an archive, inflated where they are gzip.
fn bytes(archive: &[u8]) -> Vec<u8> {
    let mut all = archive.to_vec();
    for member in crate::tar::read(archive) {
        if member.body.starts_with(b"\x1f\x8b") {
            MultiGzDecoder::new(member.body.as_slice()).read_to_end(&mut all).unwrap();
        }
    }
    all
}

fn found(archive: &[u8]) -> Vec<&'static str> {
    let all = bytes(archive);
    SECRETS.into_iter().filter(|text| all.windows(text.len()).any(|window| window == text.as_bytes())).collect()
}

#[test]
fn nothing_of_a_file_that_is_gone_is_in_the_result() {
    let archive = archive();
    assert_eq!(found(&archive), SECRETS, "the test can fail");
    let rules = Rules::builder().presets(Selection::none()).drop("/dropped").unwrap().build().unwrap();
    let formats = [Format::Auto, Format::Docker, Format::Oci];
    for (compression, format) in [Asked::Keep, Asked::Gzip(Some(1)), Asked::None].into_iter().zip(formats) {
        let options = Options { rules: rules.clone(), compression, format, ..squash() };
        let squashed = strip(&archive, &options).unwrap();
        assert!(found(&squashed.archive).is_empty(), "{compression:?}");
        if compression == Asked::Keep {
            let reused = &squashed.report.images[0].layer.as_ref().unwrap().reused;
            assert!(reused.iter().any(|layer| layer.copied > 0), "blocks were copied: {reused:?}");
        }
    }
}
