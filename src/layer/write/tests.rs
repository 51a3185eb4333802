use super::*;
use crate::error::{ErrorKind, escape};
use crate::layer::fill::tests::{blob, noise, random_segments, spelled_out};
use crate::layer::{layer_size, segments};
use crate::options::SymlinkParents;
use crate::rootfs::{LayerId, Merge, Plan, UpperBuilder, text};
use proptest::prelude::*;
use sha2::Digest as _;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

const ENCODINGS: [Encoding; 8] = [
    Encoding::Plain,
    gzip(1),
    gzip(6),
    gzip(9),
    Encoding::Gzip { level: 6, reuse: true },
    zstd(1),
    zstd(3),
    Encoding::Zstd { level: 3, long: true },
];

const fn gzip(level: u32) -> Encoding {
    Encoding::Gzip { level, reuse: false }
}

const fn zstd(level: i32) -> Encoding {
    Encoding::Zstd { level, long: false }
}

fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// No gzip layers.
fn stored(sources: Sources<'_>) -> Stored<'_> {
    Stored { sources, deflates: &|_| None }
}

fn hash(bytes: &[u8]) -> Digest {
    let hex: String = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}").parse().unwrap()
}

/// A few blocks of every codec: half of it text that compresses, half of it noise.
fn sample() -> Vec<u8> {
    let line = b"usr/share/doc/package/changelog.gz and more of the like\n";
    let mut bytes = noise(9 << 20);
    for (at, half) in bytes.chunks_mut(100_000).enumerate() {
        half.iter_mut().take(50_000).enumerate().for_each(|(n, byte)| *byte = line[(n + at) % line.len()]);
    }
    bytes
}

fn run(segments: &[Segment], layer: &[u8], encoding: Encoding, count: usize) -> (Vec<u8>, Written) {
    let (blob, mut out, told) = (blob(layer), Vec::new(), AtomicU64::new(0));
    let progress = |bytes| {
        told.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    };
    let segments = segments.iter().cloned().map(Ok);
    let written =
        write_layer(segments, stored(&|_| Some(&blob)), encoding, threads(count), &mut out, &progress).unwrap();
    assert_eq!(told.into_inner(), written.tar_size);
    (out, written)
}

fn expand(bytes: &[u8], encoding: Encoding) -> Vec<u8> {
    let mut all = Vec::new();
    match encoding {
        Encoding::Gzip { .. } => {
            flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut all).unwrap();
            let mut one = Vec::new();
            flate2::read::GzDecoder::new(bytes).read_to_end(&mut one).unwrap();
            assert_eq!(one.len(), all.len(), "one member only");
        }
        Encoding::Zstd { .. } => {
            zstd::stream::copy_decode(bytes, &mut all).unwrap();
        }
        _ => all.extend_from_slice(bytes),
    }
    all
}

#[test]
fn any_number_of_threads_writes_the_same_bytes() {
    let layer = sample();
    let segments = [Segment::Copy { layer: LayerId(0), range: 0..layer.len() as u64 }, Segment::Zeros(1024)];
    let tar = spelled_out(&segments, &layer);
    for encoding in ENCODINGS {
        let (bytes, written) = run(&segments, &layer, encoding, 1);
        assert!(expand(&bytes, encoding) == tar, "{encoding:?}");
        let (digest, size) = (hash(&bytes), bytes.len() as u64);
        let origins = vec![Origin { layer: LayerId(0), reused: 0, encoded: layer.len() as u64 }];
        assert_eq!(written, Written { diff_id: hash(&tar), digest, size, tar_size: tar.len() as u64, origins });
        for count in [2, 3, 8] {
            let (again, same) = run(&segments, &layer, encoding, count);
            assert!(again == bytes && same == written, "{encoding:?} with {count} threads");
        }
    }
}

#[test]
fn a_layer_of_nothing_is_a_whole_stream() {
    for encoding in ENCODINGS {
        let (bytes, written) = run(&[], b"", encoding, 2);
        assert_eq!((expand(&bytes, encoding), written.tar_size), (Vec::new(), 0));
        assert_eq!(bytes.is_empty(), encoding == Encoding::Plain);
    }
}

#[test]
fn a_gzip_stream_names_no_file_no_time_and_no_system() {
    let (bytes, _) = run(&[Segment::Zeros(3)], b"", gzip(6), 1);
    assert_eq!(bytes[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
}

#[test]
fn a_zstd_frame_has_its_size_and_a_checksum() {
    let (bytes, _) = run(&[Segment::Zeros(1 << 20)], b"", zstd(3), 1);
    // RFC 8878, 3.1.1.1.1: frame content size flag 2, single segment or not, checksum flag set.
    assert_eq!((bytes[4] >> 6, bytes[4] & 4), (2, 4));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_segments_are_read_back(
        segments in random_segments(900_000), encoding in 0..ENCODINGS.len(), count in 1_usize..5
    ) {
        let layer = noise(900_000);
        let tar = spelled_out(&segments, &layer);
        let (bytes, written) = run(&segments, &layer, ENCODINGS[encoding], count);
        prop_assert!(expand(&bytes, ENCODINGS[encoding]) == tar);
        prop_assert_eq!((written.diff_id, written.digest), (hash(&tar), hash(&bytes)));
    }
}

/// A sink that takes so many writes and then fails.
struct Failing(usize);

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The outcome of a layer of 24 MiB in pieces.
fn broken(
    encoding: Encoding,
    count: usize,
    sink: &mut dyn Write,
    progress: Progress<'_>,
    pieces: usize,
) -> Result<Written, Error> {
    // What does not get smaller: several writes for any compression.
    let piece = noise(1 << 20);
    let segments =
        (0..24).map(|n| if n == pieces { Err(Error::limit("piece")) } else { Ok(Segment::Bytes(piece.clone())) });
    write_layer(segments, stored(&|_| None), encoding, threads(count), sink, progress)
}

#[test]
fn a_sink_that_fails_at_any_write_ends_the_run() {
    for encoding in [Encoding::Plain, gzip(1), zstd(1), Encoding::Zstd { level: 1, long: true }] {
        for count in [1, 3] {
            let mut at = 0;
            loop {
                match broken(encoding, count, &mut Failing(at), &|_| Ok(()), usize::MAX) {
                    Ok(_) => break,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Io, "{error}"),
                }
                at += 1;
            }
            assert!(at >= 3, "{encoding:?} {at}");
        }
    }
}

#[test]
fn a_source_that_fails_anywhere_ends_the_run() {
    for encoding in [Encoding::Plain, gzip(1), zstd(1), Encoding::Zstd { level: 1, long: true }] {
        for at in 0..24 {
            let mut out = Vec::new();
            let error = broken(encoding, 2, &mut out, &|_| Ok(()), at).unwrap_err();
            assert_eq!(error.to_string(), "piece");
            // What was written must not pass for a layer.
            if let Encoding::Gzip { .. } = encoding {
                assert!(flate2::read::MultiGzDecoder::new(&*out).read_to_end(&mut Vec::new()).is_err());
            }
        }
    }
}

#[test]
fn a_signal_ends_the_run() {
    for encoding in [Encoding::Plain, gzip(1), zstd(1), Encoding::Zstd { level: 1, long: true }] {
        let left = AtomicU64::new(2);
        let cancel = |_| match left.fetch_sub(1, Ordering::Relaxed) {
            1 => Err(Error::new(ErrorKind::Signal(2), "interrupted")),
            _ => Ok(()),
        };
        let error = broken(encoding, 2, &mut io::sink(), &cancel, usize::MAX).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Signal(2));
    }
}

#[test]
fn a_written_tree_is_a_tar_that_others_read() {
    let lower = text::parse("d/\nd/old = gone\nd/f [0600 5:6 @77] = data\nd/s -> f").unwrap();
    let upper = text::parse("a => d/f\nd/.wh.old\nnew/deep/é = x").unwrap();
    let mut merge = Merge::new(SymlinkParents::Overlay, 40);
    for (layer, entries) in [lower, upper].into_iter().enumerate() {
        let mut builder = UpperBuilder::new(LayerId(u32::try_from(layer).unwrap()), 40);
        entries.into_iter().for_each(|entry| builder.push(entry).unwrap());
        merge.add(&builder.finish()).unwrap();
    }
    let tree = merge.finish().tree;
    let plan = Plan::new(&tree, |layer| layer.0, Some(50));
    let (mut out, all) = (Vec::new(), segments(&plan, &tree, Some(50)));
    let written = write_layer(all, stored(&|_| None), Encoding::Plain, threads(2), &mut out, &|_| Ok(())).unwrap();
    assert_eq!(written.tar_size, layer_size(&plan, &tree, Some(50)).unwrap());
    let mut archive = tar::Archive::new(&*out);
    let mut shown = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let (name, mut data) = (escape(&entry.path_bytes()), String::new());
        let link = entry.link_name_bytes().map(|link| escape(&link)).unwrap_or_default();
        entry.read_to_string(&mut data).unwrap();
        let header = entry.header();
        shown.push(format!("{name} {link}{data} {:o} @{}", header.mode().unwrap(), header.mtime().unwrap()));
    }
    shown.sort(); // the order is the plan's
    let wanted = [
        "a d/f 600 @50",
        "d/  755 @0",
        "d/f data 600 @50",
        "d/s f 777 @0",
        "new/  755 @0",
        "new/deep/  755 @0",
        "new/deep/é x 644 @0",
    ];
    assert_eq!(shown, wanted);
}
