//! A whole run: the written archive, read by the tests' own reader, shows what the model says; every byte is accounted for; a second run changes
//! nothing and other threads write the same bytes; a refused run leaves nothing; an archive that was damaged is refused, or the damage was
//! nowhere that matters.
//!
//! In: layers as text (as for the merge), or bytes that choose layers, their compression, and what is damaged.

use super::choices::{Choices, mutated};
use super::tar::with_checksums;
use crate::image::{config, docker_with, squash, strip};
use crate::model;
use imgstrip::error::ErrorKind;
use imgstrip::options::{Compression, Format, History, Options};
use std::io::Write;
use std::num::NonZeroUsize;

pub fn check(bytes: &[u8]) -> bool {
    // The first bytes are for the run, the others for the layers.
    let is_text = bytes.starts_with(b"# ");
    let (run, layers) = if is_text { (&[][..], bytes) } else { bytes.split_at(bytes.len().min(24)) };
    let choices = &mut Choices(run);
    let Some(layers) = super::merge::layers(layers) else { return false };
    let expected = model::merge(&layers);
    let tars: Vec<Vec<u8>> = model::texts(&layers).iter().map(|text| crate::lines::layer(text)).collect();
    let blobs: Vec<Vec<u8>> = tars.iter().map(|tar| compressed(choices, tar)).collect();
    let archive = docker_with(&blobs, &config(&tars));
    let options = Options {
        compression: Compression::None,
        format: choices.of(&[Format::Auto, Format::Docker]),
        history: choices.of(&[History::Keep, History::Single, History::Drop]),
        threads: NonZeroUsize::new(1 + choices.few(3)),
        ..squash()
    };
    if choices.rarely(3) {
        return damaged(choices, &archive, expected.as_deref(), &options);
    }
    let squashed = match (strip(&archive, &options), &expected) {
        (Ok(squashed), Some(expected)) => {
            assert_eq!(squashed.text(), *expected);
            squashed
        }
        (Err(error), None) => {
            assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
            return false;
        }
        (run, expected) => panic!("the model says {expected:?}, the run {run:?}"),
    };
    assert!(squashed.report.images.iter().all(|image| image.accounting.balances()), "{:?}", squashed.report.images);
    let others = Options { threads: NonZeroUsize::new(4), ..options.clone() };
    assert!(strip(&archive, &others).unwrap().archive == squashed.archive, "other threads, other bytes");
    let again = strip(&squashed.archive, &options).unwrap();
    assert!(again.layer_tar() == squashed.layer_tar(), "a squash of a squash");
    true
}

fn compressed(choices: &mut Choices<'_>, tar: &[u8]) -> Vec<u8> {
    match choices.few(4) {
        0 | 1 => tar.to_vec(),
        2 => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(tar).unwrap();
            encoder.finish().unwrap()
        }
        _ => zstd::encode_all(tar, 1).unwrap(),
    }
}

/// Every byte of config and layers is covered by a digest, so that what is read after all is what was there before.
fn damaged(choices: &mut Choices<'_>, archive: &[u8], expected: Option<&str>, options: &Options) -> bool {
    let mut archive = mutated(archive, choices);
    if choices.rarely(2) && archive.len() >= 512 {
        archive = with_checksums(&archive);
    }
    match strip(&archive, options) {
        Ok(squashed) => {
            assert_eq!(Some(squashed.text().as_str()), expected);
            true
        }
        Err(error) => {
            assert!((3..=6).contains(&error.kind().exit_code()), "{error}");
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
            false
        }
    }
}
