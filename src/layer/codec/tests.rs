//! The cases of merge.md 2.6.

use super::*;
use crate::error::ErrorKind;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// One frame with a checksum.
fn zstd_frame(data: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn skippable(data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).unwrap();
    [&0x184d_2a51u32.to_le_bytes()[..], &len.to_le_bytes(), data].concat()
}

fn decode_within(codec: Codec, bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
    let mut decoded = Vec::new();
    let mut decoder = Decoder::new(bytes, codec, limits).unwrap();
    decoder.read_to_end(&mut decoded).map_err(|error| Error::io("decode", error))?;
    Ok(decoded)
}

fn decode(codec: Codec, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    decode_within(codec, bytes, &Limits::default())
}

/// The message of malformed data.
fn refused(codec: Codec, bytes: &[u8]) -> String {
    let error = decode(codec, bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
    error.to_string()
}

#[test]
fn every_gzip_member_is_read() {
    // eStargz, pigz -i and `cat a.gz b.gz`: a plain decoder stops after the first one and says nothing.
    let members = [gzip(b"one "), gzip(b""), gzip(b"two")].concat();
    assert_eq!(decode(Codec::Gzip, &members).unwrap(), b"one two");
}

#[test]
fn zeros_after_gzip_are_padding_and_anything_else_is_refused() {
    let data = gzip(b"data");
    assert_eq!(decode(Codec::Gzip, &[&data[..], &[0; 5000]].concat()).unwrap(), b"data");
    for tail in [&b"garbage"[..], b"\0\0x", b"\x1f", b"\x1f\x8c\x08", b"\0\x1f\x8b\x08"] {
        let message = refused(Codec::Gzip, &[&data[..], tail].concat());
        assert!(message.starts_with("the gzip data is "), "{message}");
    }
}

#[test]
fn gzip_that_is_cut_off_anywhere_is_refused() {
    let data = gzip(&b"some data that is long enough ".repeat(20));
    for len in 3..data.len() {
        assert!(decode(Codec::Gzip, &data[..len]).is_err(), "{len} bytes");
    }
    assert_eq!(refused(Codec::Gzip, &data[..data.len() - 1]), "the gzip data is truncated");
}

#[test]
fn a_wrong_checksum_or_length_in_gzip_is_refused() {
    let data = gzip(b"data");
    for from_end in [1, 4, 5, 8] {
        let mut damaged = data.clone();
        let at = damaged.len() - from_end;
        damaged[at] ^= 1;
        assert!(refused(Codec::Gzip, &damaged).contains("damaged"));
    }
}

#[test]
fn every_zstd_frame_is_read_and_skippable_ones_are_skipped() {
    let (one, two, skip) = (zstd_frame(b"one "), zstd_frame(b"two"), skippable(b"index"));
    for parts in [[&one[..], &two[..], &[]], [&skip, &one, &two], [&one, &skip, &two], [&one, &two, &skip]] {
        assert_eq!(decode(Codec::Zstd, &parts.concat()).unwrap(), b"one two");
    }
    assert_eq!(decode(Codec::Zstd, &[zstd_frame(b""), one].concat()).unwrap(), b"one ");
}

#[test]
fn zstd_that_is_cut_off_anywhere_is_refused() {
    let first = zstd_frame(b"first");
    let data =
        [&first[..], &zstd_frame(&b"some data that is long enough ".repeat(20))[..], &skippable(b"index")].concat();
    let complete: Vec<usize> = (0..data.len()).filter(|len| decode(Codec::Zstd, &data[..*len]).is_ok()).collect();
    assert_eq!(complete, [first.len(), data.len() - 13], "only between frames");
    assert_eq!(refused(Codec::Zstd, &first[..first.len() - 1]), "the zstd data is truncated");
}

#[test]
fn a_wrong_checksum_in_zstd_and_bytes_after_it_are_refused() {
    let mut data = zstd_frame(b"data");
    assert!(refused(Codec::Zstd, &[&data[..], b"garbage"].concat()).contains("damaged"));
    let last = data.len() - 1;
    data[last] ^= 1;
    assert!(refused(Codec::Zstd, &data).contains("damaged"));
}

#[test]
fn a_zstd_window_beyond_the_limit_is_refused_until_a_flag_raises_it() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(28).unwrap();
    encoder.write_all(b"data").unwrap();
    let data = encoder.finish().unwrap();
    let error = decode(Codec::Zstd, &data).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().ends_with("more than 134217728 bytes; raise it with --limit window=BYTES"), "{error}");
    assert_eq!(decode_within(Codec::Zstd, &data, &Limits { window: 1 << 28, ..Limits::default() }).unwrap(), b"data");
}

#[test]
fn a_bomb_is_refused_once_it_is_large_and_zeros_in_small_layers_are_not() {
    let zeros = vec![0; 60 << 20];
    let small = zstd_frame(&zeros);
    assert!(small.len() * 1_100 < zeros.len());
    assert_eq!(decode(Codec::Zstd, &small).unwrap().len(), zeros.len());
    let large = [&small[..], &small].concat();
    assert_eq!(decode(Codec::Zstd, &large).unwrap_err().kind(), ErrorKind::Limit);
    let limits = Limits { expanded: 1 << 20, ..Limits::default() };
    assert_eq!(decode_within(Codec::Zstd, &small, &limits).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn an_error_of_the_file_is_no_damage() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
    for codec in [Codec::Plain, Codec::Gzip, Codec::Zstd] {
        let mut decoder = Decoder::new(Broken, codec, &Limits::default()).unwrap();
        let error = Error::io("decode", decoder.read(&mut [0; 10]).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Io, "{codec}");
    }
}

/// A read that was interrupted at the end of the file lost the last bytes before it: what asks for them again got the end.
#[test]
fn a_read_that_is_interrupted_anywhere_loses_nothing() {
    struct Interrupted<'a>(&'a [u8], usize, usize);
    impl Read for Interrupted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1 == self.2 { Err(io::ErrorKind::Interrupted.into()) } else { self.0.read(buffer) }
        }
    }
    for (codec, bytes) in [
        (Codec::Plain, b"data".to_vec()),
        (Codec::Gzip, [gzip(b"da"), gzip(b"ta"), vec![0; 9]].concat()),
        (Codec::Gzip, gzip(b"data")),
        (Codec::Zstd, zstd_frame(b"data")),
    ] {
        for number in 1..9 {
            let mut decoded = Vec::new();
            let mut decoder = Decoder::new(Interrupted(&bytes, 0, number), codec, &Limits::default()).unwrap();
            decoder.read_to_end(&mut decoded).unwrap();
            assert_eq!(decoded, b"data", "{codec}, read {number}");
        }
    }
}

#[test]
fn magic_bytes_decide() {
    assert_eq!(Codec::sniff(&gzip(b"x")).unwrap(), Codec::Gzip);
    assert_eq!(Codec::sniff(&zstd_frame(b"x")).unwrap(), Codec::Zstd);
    assert_eq!(Codec::sniff(&skippable(b"x")).unwrap(), Codec::Zstd);
    assert_eq!(Codec::sniff(b"").unwrap(), Codec::Plain);
    assert_eq!(Codec::sniff(&[0; 1024]).unwrap(), Codec::Plain);
}

#[test]
fn a_compression_that_only_docker_knows_is_named() {
    for (start, name) in [(&b"BZh91AY"[..], "bzip2"), (b"\xfd7zXZ\0\0", "xz"), (&[4, 0x22, 0x4d, 0x18, 0], "lz4")] {
        let error = Codec::sniff(start).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().starts_with(&format!("unsupported compression {name}")), "{error}");
    }
    let tar = crate::layer::testing::Tar::new().file("BZh91AY", "x").end();
    assert_eq!(Codec::sniff(&tar).unwrap(), Codec::Plain, "a tar whose first file has such a name");
}

#[test]
fn media_types_of_both_families_name_a_codec() {
    for (media_type, codec) in [
        ("application/vnd.oci.image.layer.v1.tar", Some(Codec::Plain)),
        ("application/vnd.oci.image.layer.v1.tar+gzip", Some(Codec::Gzip)),
        ("application/vnd.oci.image.layer.v1.tar+zstd", Some(Codec::Zstd)),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", Some(Codec::Gzip)),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", Some(Codec::Gzip)),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Some(Codec::Gzip)),
        ("application/vnd.docker.image.rootfs.diff.tar.zstd", Some(Codec::Zstd)),
        ("application/octet-stream", None),
    ] {
        assert_eq!(Codec::of_media_type(media_type), codec, "{media_type}");
    }
}
