//! The index of deflate blocks against a slow model, and what hostile, huge and changing streams do to it and to what is
//! written from it. `tests/it/fuzz/reuse.rs` has the streams of real encoders.

#![allow(clippy::cast_possible_truncation)] // sizes of a test fit

use super::bits::BitWriter;
use super::*;
use crate::archive::Blob;
use crate::error::{Error, ErrorKind};
use crate::layer::fill::tests::{blob, noise};
use crate::layer::{Encoding, Progress, Segment, Stored, Written, write_layer};
use crate::rootfs::LayerId;
use flate2::{Compress, Compression, Crc, FlushCompress};
use proptest::prelude::*;
use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const KIB: usize = 1 << 10;

fn property(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A raw deflate stream as a gzip member.
fn member(raw: &[u8], content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    [&header[..], raw, &crc.sum().to_le_bytes(), &crc.amount().to_le_bytes()].concat()
}

/// Deflates pieces; each but the last one ends with this flush.
fn flushed(level: u32, pieces: &[&[u8]], flush: FlushCompress) -> Vec<u8> {
    let mut compress = Compress::new(Compression::new(level), false);
    let mut raw = Vec::with_capacity(2 * pieces.concat().len() + 1000 * pieces.len());
    for (number, piece) in pieces.iter().enumerate() {
        let flush = if number + 1 == pieces.len() { FlushCompress::Finish } else { flush };
        compress.compress_vec(piece, &mut raw, flush).unwrap();
    }
    raw
}

/// A raw stream made by hand.
#[derive(Default)]
struct Raw(BitWriter);

impl Raw {
    fn stored(&mut self, bytes: &[u8]) {
        let len = u16::try_from(bytes.len()).unwrap();
        self.0.push(0, 3);
        self.0.align();
        [&len.to_le_bytes()[..], &(!len).to_le_bytes(), bytes].into_iter().for_each(|bytes| self.0.extend(bytes));
    }

    /// A Huffman code: its first bit first (RFC 1951, 3.1.1).
    fn code(&mut self, code: u8, count: u32) {
        self.0.push(code.reverse_bits() >> (8 - count), count);
    }

    /// A block of fixed codes (RFC 1951, 3.2.6).
    fn fixed(&mut self, codes: impl FnOnce(&mut Self)) {
        self.0.push(0b010, 3);
        codes(self);
        self.0.push(0, 7);
    }

    fn finish(mut self) -> Vec<u8> {
        self.fixed(|_| ());
        self.0.push(0b011, 3);
        self.0.push(0, 7);
        self.0.align();
        self.0.take()
    }
}

/// What a gzip stream holds, and its blocks, read into rooms of this size.
fn read_into(gzip: &[u8], room: usize) -> io::Result<(Vec<u8>, Blocks)> {
    let mut gunzip = Gunzip::new(gzip)?;
    let (mut all, mut buffer) = (Vec::new(), vec![0; room]);
    loop {
        match gunzip.read(&mut buffer)? {
            0 => return Ok((all, gunzip.into_blocks())),
            read => all.extend_from_slice(&buffer[..read]),
        }
    }
}

fn read(gzip: &[u8], room: usize) -> (Vec<u8>, Blocks) {
    read_into(gzip, room).unwrap()
}

/// Writes a part of a layer from its blocks.
fn write(
    range: Range<u64>,
    (tar, gzip, blocks): (&Blob, &Blob, &Blocks),
    threads: usize,
    sink: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<Written, Error> {
    let segments = [Ok(Segment::Copy { layer: LayerId(0), range })].into_iter();
    let stored = Stored { sources: &|_| Some(tar), deflates: &|_| Some((gzip, blocks)) };
    let encoding = Encoding::Gzip { level: 6, reuse: true };
    write_layer(segments, stored, encoding, NonZeroUsize::new(threads).unwrap(), sink, progress)
}

/// A part of a layer that is written and read again; how much of it was copied.
fn written_right(gzip: &[u8], range: Range<usize>) -> u64 {
    let (content, blocks) = read(gzip, 1 << 20);
    let mut out = Vec::new();
    let bytes = range.start as u64..range.end as u64;
    let written = write(bytes, (&blob(&content), &blob(gzip), &blocks), 2, &mut out, &|_| Ok(())).unwrap();
    assert!(read(&out, 1 << 20).0 == content[range]);
    written.origins[0].reused
}

/// A row of blocks, some without content; a member begins before some.
fn random_blocks() -> impl Strategy<Value = Vec<(bool, u64)>> {
    let size = prop_oneof![Just(0_u64), 1_u64..300, 8_000_u64..40_000, Just(32 << 10), Just(16 << 10)];
    prop::collection::vec((prop::bool::weighted(0.15), size), 1..40)
}

proptest! {
    #![proptest_config(property(400))]
    #[test]
    fn what_can_be_copied_is_found_as_a_slow_model_finds_it(
        sizes in random_blocks(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), -1_i64..2, -1_i64..2, any::<bool>()), 20),
    ) {
        let mut blocks = Blocks::default();
        // Of each block with content: its bits, its bytes, and where its member begins.
        let mut model: Vec<(Range<u64>, Range<u64>, u64)> = Vec::new();
        let (mut bit, mut size, mut begin) = (0, 0, 0);
        let mut places = vec![0];
        for (number, (begins, len)) in sizes.iter().enumerate() {
            if *begins || number == 0 {
                blocks.member();
                bit += 80;
                begin = size;
                blocks.boundary(bit, size, false);
            }
            let last = sizes.get(number + 1).is_none_or(|(begins, _)| *begins);
            let (from, start) = (bit, size);
            (bit, size) = (bit + 10 + len, size + len);
            blocks.boundary(bit, size, last);
            bit += if last { 64 } else { 0 };
            if *len > 0 {
                model.push((from..from + 10 + len, start..size, begin));
                places.extend([start.saturating_sub(32 << 10), size]);
            }
        }
        let found: Vec<Block> = model.iter().map(|(bits, bytes, _)| Block { bits: bits.clone(), start: bytes.start }).collect();
        prop_assert_eq!(blocks.all(), found);
        for (a, b, before, after, near) in cuts {
            // Near a border, or anywhere.
            let [a, b] = if near { [*a.get(&places), *b.get(&places)] } else { [a, b].map(|at| at.index(size as usize + 1) as u64) };
            let (a, b) = (a.saturating_add_signed(before).min(size), b.saturating_add_signed(after).min(size));
            let range = a.min(b)..a.max(b);
            // By definition: each block of the row lies in the range, with the 32 KiB before it that its member has.
            let fits = |(_, bytes, begin): &(Range<u64>, Range<u64>, u64)| {
                bytes.end <= range.end && bytes.start.saturating_sub(32 << 10).max(*begin) >= range.start
            };
            let mut best = 0..0;
            for from in 0..model.len() {
                let row = model[from..].iter().take_while(|block| fits(block)).count();
                if row > best.len() {
                    best = from..from + row;
                }
            }
            let held = best.end.checked_sub(1).map(|last| model[best.start].1.start..model[last].1.end);
            let expected = held.filter(|held| held.end - held.start >= 16 << 10).map(|held| (best, held));
            prop_assert_eq!(blocks.within(&range), expected, "{:?}", range);
        }
    }
}

/// `pigz -b 128` ends a block after every 128 KiB, which is where a room of 512 KiB ends, too.
#[test]
fn a_block_that_ends_where_the_room_ends_is_found() {
    let zeros = [0; 4096];
    for flush in [FlushCompress::Sync, FlushCompress::Full, FlushCompress::Partial] {
        for level in [0, 1, 6, 9] {
            let content = zeros.repeat(8);
            let gzip = member(&flushed(level, &[&zeros[..]; 8], flush), &content);
            let (all, blocks) = read(&gzip, 1 << 20);
            assert_eq!((all, blocks.all().len()), (content.clone(), 8), "level {level}, {flush:?}");
            for room in [4096, 2048, 1024, 1] {
                assert_eq!(read(&gzip, room), (content.clone(), blocks.clone()), "level {level}, {flush:?}, {room}");
            }
        }
    }
}

#[test]
fn a_block_may_refer_to_the_very_first_byte_that_is_kept() {
    let (before, once) = (noise(1000), noise(32 * KIB));
    let mut raw = Raw::default();
    raw.stored(&before);
    raw.stored(&once);
    raw.fixed(|raw| {
        for _ in 0..100 {
            // 258 bytes, and the last of the distances from 24,577 on: 32,768 back.
            raw.code(0b1100_0101, 8);
            raw.code(29, 5);
            raw.0.push(0xff, 8);
            raw.0.push(0xff, 5);
        }
    });
    let content = [&before[..], &once, &once[..25_800]].concat();
    let gzip = member(&raw.finish(), &content);
    assert_eq!(read(&gzip, 1 << 20).0, content);
    // The second block may refer to the first: it cannot know that it does not.
    assert_eq!(written_right(&gzip, 1000..content.len()), 25_800);
    assert_eq!(written_right(&gzip, 1001..content.len()), 0);
    assert_eq!(written_right(&gzip, 0..content.len()), content.len() as u64);
    assert_eq!(written_right(&gzip, 0..content.len() - 1), 1000 + 32 * KIB as u64);
}

#[test]
fn a_million_tiny_blocks_are_read_and_encoded_anew() {
    let content = noise(1_000_000);
    let mut raw = Raw::default();
    content.iter().for_each(|byte| raw.stored(&[*byte]));
    let gzip = member(&raw.finish(), &content);
    assert_eq!(read(&gzip, 1 << 20).1.all(), []);
    assert_eq!(written_right(&gzip, 0..content.len()), 0);
    // Those without content cost nothing.
    let mut raw = Raw::default();
    (0..1_000_000).for_each(|_| raw.fixed(|_| ()));
    raw.stored(&content[..60_000]);
    assert_eq!(written_right(&member(&raw.finish(), &content[..60_000]), 0..60_000), 60_000);
}

/// Counts what it gets; told apart is only what matters for memory.
#[derive(Default)]
struct Sink {
    all: Vec<u8>,
    largest: usize,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.largest = self.largest.max(bytes.len());
        self.all.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn one_huge_block_is_copied_in_pieces() {
    const ZEROS: u64 = 1 + 258 * 400_000;
    let mut raw = Raw::default();
    raw.fixed(|raw| {
        raw.code(0b0011_0000, 8);
        for _ in 0..400_000 {
            raw.code(0b1100_0101, 8); // 258 bytes
            raw.code(0, 5); // from one byte back
        }
    });
    raw.fixed(|raw| noise(5 << 20).into_iter().for_each(|byte| raw.code(0b0011_0000 + byte % 144, 8)));
    let raw = raw.finish();
    // Spilled as it is inflated; the zeros are a hole.
    let (spill, mut crc, mut at) = (tempfile::tempfile().unwrap(), Crc::new(), 0);
    let tail: Vec<u8> = noise(5 << 20).into_iter().map(|byte| byte % 144).collect();
    let mut decoder = flate2::read::DeflateDecoder::new(&raw[..]);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = decoder.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        crc.update(&buffer[..read]);
        at += read as u64;
    }
    assert_eq!(at, ZEROS + tail.len() as u64);
    spill.set_len(ZEROS).unwrap();
    spill.write_all_at(&tail, ZEROS).unwrap();
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let gzip = [&header[..], &raw, &crc.sum().to_le_bytes(), &crc.amount().to_le_bytes()].concat();

    let mut gunzip = Gunzip::new(&gzip[..]).unwrap();
    assert_eq!(io::copy(&mut gunzip, &mut io::sink()).unwrap(), at);
    let blocks = gunzip.into_blocks();
    assert_eq!(blocks.all().len(), 2);
    let (tar, blob, mut sink) = (Blob::new(Arc::new(spill), 0, at), blob(&gzip), Sink::default());
    let written = write(0..at, (&tar, &blob, &blocks), 2, &mut sink, &|_| Ok(())).unwrap();
    assert_eq!((written.origins[0].reused, written.tar_size), (at, at));
    assert!(sink.largest <= 2 << 20, "{} bytes at once", sink.largest);
    let mut again = flate2::read::MultiGzDecoder::new(&sink.all[..]);
    assert_eq!(io::copy(&mut again, &mut io::sink()).unwrap(), at); // its checksum is that of the content
}

/// A layer of several blocks of several kinds, and what it holds.
fn sample() -> (Vec<u8>, Vec<u8>) {
    let (a, b) = (noise(40_000), b"usr/share/doc/ ".repeat(9_000));
    let one = flushed(6, &[&a, &b, &a[..20_000]], FlushCompress::Sync);
    let mut raw = Raw::default();
    raw.stored(&a);
    raw.stored(&a[..30_000]);
    let first = [&a[..], &b, &a[..20_000]].concat();
    let second = [&a[..], &a[..30_000]].concat();
    ([member(&one, &first), member(&raw.finish(), &second)].concat(), [first, second].concat())
}

#[test]
fn damage_is_refused_as_another_decoder_refuses_it() {
    let text = b"some text, some text and more of it".repeat(3);
    let raw = flushed(6, &[&text[..50], &text[50..], b"end"], FlushCompress::Full);
    let content = [&text[..], b"end"].concat();
    let gzip = [member(&raw, &content), member(&flushed(0, &[&text], FlushCompress::Sync), &text)].concat();
    let other = |gzip: &[u8]| {
        let mut all = Vec::new();
        flate2::read::MultiGzDecoder::new(gzip).read_to_end(&mut all).map(|_| all)
    };
    for bit in 0..gzip.len() * 8 {
        let mut damaged = gzip.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let (found, expected) = (read_into(&damaged, 100).map(|(all, _)| all).ok(), other(&damaged).ok());
        // Flags that no one may set (RFC 1952, 2.3.1.2) are an error to zlib only.
        if !(found.is_none() && [3, 3 + raw.len() + 18].contains(&(bit / 8)) && bit % 8 >= 5) {
            assert_eq!(found, expected, "bit {bit}");
        }
    }
    for len in 0..gzip.len() {
        let whole = len == member(&raw, &content).len();
        assert_eq!(read_into(&gzip[..len], 100).is_ok(), whole, "{len} bytes");
    }
}

proptest! {
    #![proptest_config(property(60))]
    /// Not every change shows while bits are copied. What is written then has the checksum of the bytes that were read first,
    /// and their diff_id: nobody takes it for the layer.
    #[test]
    fn a_blob_that_changes_never_gives_another_layer(
        at in any::<prop::sample::Index>(), bytes in prop_oneof![prop::collection::vec(any::<u8>(), 1..4), Just(vec![0; 5_000]), Just(vec![0xff; 5_000])],
        cut in prop::option::weighted(0.3, any::<prop::sample::Index>()), threads in 1_usize..4,
    ) {
        let (gzip, content) = sample();
        let (_, blocks) = read(&gzip, 1 << 20);
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&gzip, 0).unwrap();
        let blob_of = |file: &File| Blob::new(Arc::new(file.try_clone().unwrap()), 0, gzip.len() as u64);
        let changing = blob_of(&file);
        file.write_all_at(&bytes, at.index(gzip.len()) as u64).unwrap();
        if let Some(cut) = cut {
            file.set_len(cut.index(gzip.len()) as u64).unwrap();
        }
        let mut out = Vec::new();
        match write(0..content.len() as u64, (&blob(&content), &changing, &blocks), threads, &mut out, &|_| Ok(())) {
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Integrity, "{}", error),
            Ok(_) => {
                let again = read_into(&out, 1 << 20).map(|(all, _)| all);
                prop_assert!(again.is_err() || again.is_ok_and(|again| again == content));
            }
        }
        // Whatever failed, no end was written.
        prop_assert!(read_into(&out, 1 << 20).is_err() || read(&out, 1 << 20).0 == content);
    }
}

/// Takes so many writes, then fails.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn whatever_fails_while_blocks_are_copied_ends_the_run() {
    let content = noise(8 << 20);
    let gzip = member(&flushed(6, &[&content], FlushCompress::Sync), &content);
    let (_, blocks) = read(&gzip, 1 << 20);
    let (tar, gzip_blob, all) = (blob(&content), blob(&gzip), content.len() as u64);
    for threads in [1, 3] {
        let run = |sink: &mut dyn Write, progress: Progress<'_>| {
            // Fresh blocks before and after those that are copied.
            write(100_000..all - 1_000, (&tar, &gzip_blob, &blocks), threads, sink, progress)
        };
        let fits = |at: usize| match run(&mut Full(at), &|_| Ok(())) {
            Ok(written) => {
                assert!(written.origins[0].reused > 7 << 20);
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Io, "{error}");
                false
            }
        };
        let most = (0..100).find(|at| fits(*at));
        assert!(most.is_some_and(|most| most >= 5), "{most:?}");
        for at in 1..8 {
            let left = AtomicUsize::new(at);
            let error = run(&mut io::sink(), &|_| match left.fetch_sub(1, Ordering::Relaxed) {
                1 => Err(Error::new(ErrorKind::Signal(2), "interrupted")),
                _ => Ok(()),
            });
            assert_eq!(error.unwrap_err().kind(), ErrorKind::Signal(2));
        }
        // The tar or the gzip bytes are shorter than they were.
        for len in [0, 1, all / 2] {
            let short = Blob::new(Arc::new(tempfile::tempfile().unwrap()), 0, 0);
            let half = blob(&content[..len as usize]);
            for sources in [(&half, &gzip_blob, &blocks), (&tar, &short, &blocks)] {
                let error = write(100_000..all, sources, threads, &mut io::sink(), &|_| Ok(())).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
            }
        }
    }
}
