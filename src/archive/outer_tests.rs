use super::super::fixture::{docker_manifest, docker_save, open_bytes};
use crate::error::{Error, ErrorKind};
use crate::options::{Input, Limits, Options};
use std::io::Write;
use std::os::unix::fs::MetadataExt;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::stream::encode_all(bytes, 1).unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar() -> Vec<u8> {
    docker_save(&docker_manifest()).bytes()
}

fn refusal(bytes: &[u8]) -> Error {
    open_bytes(bytes, &Options::default()).unwrap_err()
}

#[test]
fn a_whole_archive_may_be_compressed_in_any_number_of_members() {
    let (front, back) = {
        let tar = tar();
        let (front, back) = tar.split_at(700);
        (front.to_vec(), back.to_vec())
    };
    for pack in [gzip, zstd, xz] {
        let packed = [pack(&front), pack(&back)].concat();
        let archive = open_bytes(&packed, &Options::default()).unwrap();
        assert_eq!((archive.images.len(), archive.bytes), (1, packed.len() as u64));
    }
    let padded = [gzip(&tar()), vec![0; 5000]].concat();
    assert!(open_bytes(&padded, &Options::default()).is_ok());
    let skippable = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &zstd(&tar())].concat();
    assert!(open_bytes(&skippable, &Options::default()).is_ok());
}

#[test]
fn a_damaged_or_cut_off_stream_is_refused() {
    for packed in [gzip(&tar()), zstd(&tar()), xz(&tar())] {
        for len in [packed.len() - 1, packed.len() / 2, 20] {
            assert_eq!(refusal(&packed[..len]).kind(), ErrorKind::Malformed);
        }
    }
    let mut flipped = gzip(&tar());
    let crc = flipped.len() - 8;
    flipped[crc] ^= 1;
    assert_eq!(refusal(&flipped).kind(), ErrorKind::Malformed);
    assert_eq!(refusal(&[gzip(&tar()), b"junk".to_vec()].concat()).kind(), ErrorKind::Malformed);
    assert_eq!(refusal(&[gzip(&tar()), b"\0\0junk".to_vec()].concat()).kind(), ErrorKind::Malformed);
}

#[test]
fn a_bomb_stops_at_the_limits() {
    let bomb = zstd(&vec![0; 80 << 20]);
    assert_eq!(refusal(&bomb).kind(), ErrorKind::Limit);
    let limits = Limits { expanded: 1000, ..Limits::default() };
    let error = open_bytes(&gzip(&tar()), &Options { limits, ..Options::default() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn what_is_no_archive_is_named() {
    for (bytes, kind, word) in [
        (&b""[..], ErrorKind::Malformed, "empty"),
        (b"hello", ErrorKind::Malformed, "not a tar"),
        (&[7; 2000], ErrorKind::Malformed, "not a tar"),
        (b"BZh91AY&SY", ErrorKind::Unsupported, "bzip2"),
        (b"PK\x03\x04", ErrorKind::Unsupported, "zip"),
        (&[0; 1024], ErrorKind::Malformed, "empty tar"),
        (&gzip(b""), ErrorKind::Malformed, "empty"),
        (&gzip(&gzip(&tar())), ErrorKind::Unsupported, "twice"),
    ] {
        let error = refusal(bytes);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn a_pipe_is_spooled() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let bytes = gzip(&tar());
    let expected = bytes.len() as u64;
    let thread = std::thread::spawn(move || writer.write_all(&bytes).unwrap());
    let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
    let options = Options { temp_dir: Some(directory.path().to_owned()), ..Options::default() };
    let archive = super::super::open(&Input::Path(path.into()), &options).unwrap();
    thread.join().unwrap();
    assert_eq!((archive.images.len(), archive.bytes), (1, expected));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn the_input_is_known_by_device_and_inode() {
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("a"), directory.path().join("b"));
    std::fs::write(&file, tar()).unwrap();
    std::fs::hard_link(&file, &link).unwrap();
    let open = |path: &std::path::Path| super::super::open(&Input::Path(path.to_owned()), &Options::default()).unwrap();
    assert_eq!(open(&file).file_identity, open(&link).file_identity);
    assert_eq!(open(&file).file_identity.inode, std::fs::metadata(&file).unwrap().ino());
    assert_eq!(open(&file).bytes, std::fs::metadata(&file).unwrap().len());
}

#[test]
fn a_missing_file_is_an_error_of_the_system() {
    let error = super::super::open(&Input::Path("/nowhere/\u{1b}[31m.tar".into()), &Options::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().starts_with("/nowhere/\\x1b[31m.tar: open the input"), "{error}");
}
