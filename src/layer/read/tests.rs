//! Layers with true and false claims about them.

use super::*;
use crate::layer::testing::{Tar, blob};
use crate::rootfs::Source;
use flate2::Compression;
use flate2::write::GzEncoder;
use oci_spec::image::Digest;
use std::io::Write;
use std::str::FromStr;

fn sha256(bytes: &[u8]) -> Digest {
    let zeros = Digest::from_str(&format!("sha256:{}", "0".repeat(64))).unwrap();
    let mut hasher = Hasher::new(&zeros).unwrap();
    hasher.update(bytes);
    Digest::from_str(&format!("sha256:{}", hasher.finish())).unwrap()
}

fn tar() -> Vec<u8> {
    Tar::new().directory("d/").file("d/f", vec![b'x'; 70_000]).file("last", "abc").end()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    zstd::encode_all(data, 1).unwrap()
}

/// A layer whose claims are true.
fn layer(bytes: &[u8], tar: &[u8]) -> Layer {
    Layer {
        blob: blob(bytes),
        digest: Some(sha256(bytes)),
        size: Some(bytes.len() as u64),
        media_type: None,
        diff_id: sha256(tar),
    }
}

fn run(layer: &Layer) -> Result<(ReadLayer, Vec<Entry>), Error> {
    let mut entries = Vec::new();
    let mut push = |entry| {
        entries.push(entry);
        Ok(())
    };
    let read = read(layer, LayerId(3), &Limits::default(), None, &mut push)?;
    Ok((read, entries))
}

fn verify(layer: &Layer) -> Result<(), Error> {
    super::verify(layer, &|| Ok(()))
}

fn kind(layer: &Layer) -> ErrorKind {
    run(layer).unwrap_err().kind()
}

#[test]
fn a_layer_reads_the_same_however_it_is_compressed() {
    let tar = tar();
    let (plain, entries) = run(&layer(&tar, &tar)).unwrap();
    assert_eq!(
        (plain.codec, plain.entries, plain.expanded, plain.verified),
        (Codec::Plain, 3, tar.len() as u64, false)
    );
    for (bytes, codec) in [(gzip(&tar), Codec::Gzip), (zstd(&tar), Codec::Zstd)] {
        let (read, same) = run(&layer(&bytes, &tar)).unwrap();
        assert_eq!((read.codec, read.entries, read.expanded, read.verified), (codec, 3, tar.len() as u64, true));
        assert_eq!(same, entries);
        let EntryKind::File(content) = &same[2].kind else { panic!() };
        let Source::Layer(LayerId(3), offset) = content.source else { panic!() };
        let mut data = [0; 3];
        read.tar.read_exact_at(&mut data, offset).unwrap();
        assert_eq!(&data, b"abc", "positions lie in the uncompressed tar");
    }
}

#[test]
fn a_plain_layer_is_its_own_tar_and_nothing_is_copied() {
    let tar = tar();
    let layer = layer(&tar, &tar);
    assert!(run(&layer).unwrap().0.tar.is_same(&layer.blob));
    assert!(verify(&layer).is_ok());
}

#[test]
fn a_check_that_nobody_waits_for_ends() {
    let tar = tar();
    let error = super::verify(&layer(&tar, b"another tar"), &|| Err(Error::limit("enough"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn h16_a_wrong_diff_id_is_found() {
    let tar = tar();
    for bytes in [gzip(&tar), zstd(&tar)] {
        let layer = layer(&bytes, b"another tar");
        assert_eq!(kind(&layer), ErrorKind::Integrity);
        let without_digest = Layer { digest: None, size: None, ..layer };
        assert_eq!(kind(&without_digest), ErrorKind::Integrity);
    }
    let plain = Layer { diff_id: sha256(b"another tar"), ..layer(&tar, &tar) };
    assert_eq!(verify(&plain).unwrap_err().kind(), ErrorKind::Integrity);
    assert_eq!(verify(&Layer { digest: None, ..plain }).unwrap_err().kind(), ErrorKind::Integrity);
}

#[test]
fn h17_a_wrong_blob_digest_is_found() {
    let tar = tar();
    let layer = Layer { digest: Some(sha256(b"x")), ..layer(&gzip(&tar), &tar) };
    let message = run(&layer).unwrap_err().to_string();
    assert!(message.starts_with("the layer blob has the digest sha256:"), "{message}");
    let plain = Layer { blob: blob(&tar), size: None, ..layer };
    assert_eq!(verify(&plain).unwrap_err().kind(), ErrorKind::Integrity);
}

#[test]
fn h18_a_wrong_size_is_found() {
    let tar = tar();
    for size in [0, tar.len() as u64 - 1, tar.len() as u64 + 1] {
        let layer = Layer { size: Some(size), ..layer(&tar, &tar) };
        assert_eq!(kind(&layer), ErrorKind::Integrity);
        assert_eq!(verify(&layer).unwrap_err().kind(), ErrorKind::Integrity);
    }
}

#[test]
fn h20_a_digest_that_cannot_be_checked_refuses_the_layer() {
    let tar = tar();
    for bytes in [tar.clone(), gzip(&tar)] {
        let md5 = Digest::from_str("md5:900150983cd24fb0d6963f7d28e17f72").unwrap();
        let layer = layer(&bytes, &tar);
        assert_eq!(kind(&Layer { digest: Some(md5.clone()), ..layer.clone() }), ErrorKind::Unsupported);
        assert_eq!(kind(&Layer { diff_id: md5, ..layer }), ErrorKind::Unsupported);
    }
}

#[test]
fn damage_is_reported_as_damage_and_not_as_what_it_looks_like() {
    let tar = tar();
    for bytes in [tar.clone(), gzip(&tar), zstd(&tar)] {
        let truth = layer(&bytes, &tar);
        for at in [10, bytes.len() / 2] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            let layer = Layer { blob: blob(&damaged), ..truth.clone() };
            let result = run(&layer).and_then(|(read, _)| if read.verified { Ok(()) } else { verify(&layer) });
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Integrity);
        }
    }
    let bzip2 = Layer { digest: Some(sha256(&tar)), size: None, ..layer(b"BZh91AY", &tar) };
    assert_eq!(kind(&bzip2), ErrorKind::Integrity);
    assert_eq!(kind(&layer(b"BZh91AY", &tar)), ErrorKind::Unsupported);
}

/// Bytes that do not compress: many blocks of every stage.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

#[test]
fn damage_beats_what_was_met_long_before_it() {
    // The first header stops the scan; the digest still covers megabytes that nobody decodes.
    let odd = Tar::new().file("a", "").zeros(512).file("b", noise(5 << 20)).end();
    for bytes in [gzip(&odd), zstd(&odd)] {
        let truth = layer(&bytes, &odd);
        assert_eq!(kind(&truth), ErrorKind::Malformed);
        let mut damaged = bytes.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(kind(&Layer { blob: blob(&damaged), ..truth }), ErrorKind::Integrity);
    }
}

#[test]
fn what_push_refuses_ends_a_long_layer_at_once() {
    let tar = Tar::new().file("a", "").file("b", noise(5 << 20)).end();
    let layer = layer(&gzip(&tar), &tar);
    let refuse = &mut |_| Err(Error::limit("no more"));
    let error = read(&layer, LayerId(0), &Limits::default(), None, refuse).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Limit, "entry \"a\": no more"));
}

#[test]
fn a_long_layer_is_spilled_whole() {
    let tar = Tar::new().file("a", noise(3 << 20)).file("b", noise(700_001)).end();
    for bytes in [gzip(&tar), zstd(&tar)] {
        let (read, entries) = run(&layer(&bytes, &tar)).unwrap();
        let mut spilled = vec![0; tar.len()];
        read.tar.read_exact_at(&mut spilled, 0).unwrap();
        assert!(spilled == tar && entries.len() == 2);
    }
}

#[test]
fn a_layer_that_was_made_wrong_is_malformed() {
    let odd = Tar::new().file("a", "").zeros(512).file("b", "").end();
    for bytes in [odd.clone(), gzip(&odd), zstd(&odd)] {
        assert_eq!(kind(&layer(&bytes, &odd)), ErrorKind::Malformed);
    }
}

#[test]
fn h4_a_compressed_layer_that_is_cut_off_is_refused() {
    let tar = tar();
    for bytes in [gzip(&tar), zstd(&tar)] {
        for len in (20..bytes.len()).step_by(7) {
            let layer = layer(&bytes[..len], &tar);
            assert_eq!(kind(&layer), ErrorKind::Malformed, "{len} of {}", bytes.len());
        }
    }
}

#[test]
fn the_digest_covers_what_stands_after_the_end_marker() {
    let odd = Tar::new().file("a", "").zeros(1024).raw("trailing").0;
    let (read, _) = run(&layer(&gzip(&odd), &odd)).unwrap();
    assert_eq!((read.expanded, read.warnings.count(WarningKind::TrailingData)), (odd.len() as u64, 1));
    let padded = [&gzip(&odd)[..], &[0; 1000]].concat();
    assert!(run(&layer(&padded, &odd)).is_ok(), "the blob's digest covers the padding after gzip");
}

#[test]
fn a_media_type_only_warns() {
    let tar = tar();
    let warnings = |bytes: &[u8], media_type: Option<&str>| {
        let layer = Layer { media_type: media_type.map(Into::into), ..layer(bytes, &tar) };
        run(&layer).unwrap().0.warnings.count(WarningKind::MediaType)
    };
    assert_eq!(warnings(&tar, Some("application/vnd.oci.image.layer.v1.tar+gzip")), 1);
    assert_eq!(warnings(&zstd(&tar), Some("application/vnd.oci.image.layer.v1.tar+gzip")), 1);
    assert_eq!(warnings(&gzip(&tar), Some("application/vnd.oci.image.layer.v1.tar+gzip")), 0);
    assert_eq!(warnings(&gzip(&tar), None), 0, "docker's own archives name no type");
}

#[test]
fn m96_a_layer_without_a_byte_is_an_empty_layer() {
    let mut empty = layer(b"", b"");
    empty.media_type = Some("application/vnd.docker.image.rootfs.diff.tar.gzip".into());
    let (read, entries) = run(&empty).unwrap();
    assert!(entries.is_empty() && read.warnings.is_empty() && verify(&empty).is_ok());
    let zeros = vec![0; 1024];
    assert!(run(&layer(&gzip(&zeros), &zeros)).unwrap().1.is_empty());
}

#[test]
fn a_spill_file_leaves_no_name_behind() {
    let directory = tempfile::tempdir().unwrap();
    let tar = tar();
    let read = read(&layer(&gzip(&tar), &tar), LayerId(0), &Limits::default(), Some(directory.path()), &mut |_| Ok(()));
    assert_eq!(read.unwrap().tar.len(), tar.len() as u64);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let missing = directory.path().join("missing");
    let error = super::read(&layer(&gzip(&tar), &tar), LayerId(0), &Limits::default(), Some(&missing), &mut |_| Ok(()));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Io);
}

/// A sparse file of `size` bytes, none of which are data.
fn hole(size: u64) -> Vec<u8> {
    let size = size.to_string();
    let records: &[(&str, &[u8])] =
        &[("GNU.sparse.size", size.as_bytes()), ("GNU.sparse.numblocks", b"1"), ("GNU.sparse.map", b"0,0")];
    Tar::new().pax(records).file("sparse", "").end()
}

#[test]
fn holes_count_where_a_layer_gets_larger() {
    // 3 KB with a sparse file of 500 GB would be written for an hour, and fill the disk.
    for size in [0, RATIO_FROM] {
        let tar = hole(size);
        assert!(run(&layer(&tar, &tar)).is_ok(), "{size}");
    }
    for size in [RATIO_FROM + 1, 500 << 30] {
        let tar = hole(size);
        let packed = gzip(&tar);
        assert_eq!(kind(&layer(&tar, &tar)), ErrorKind::Limit, "{size}");
        assert_eq!(kind(&layer(&packed, &tar)), ErrorKind::Limit, "{size}");
    }
}
