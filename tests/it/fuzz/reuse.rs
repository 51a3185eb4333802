//! gzip layers of every make, cut anywhere and written again with their deflate blocks copied: other decoders find the bytes
//! that were asked for, and what can be copied is copied.
//!
//! In: any bytes; they choose what the layers hold, how each piece is compressed, and what is cut out. `fuzz/` feeds the same
//! check for as long as one likes (tests/README.md).

use super::choices::{Choices, noise};
use flate2::{Compress, Compression, Crc, FlushCompress};
use imgstrip::archive::Blob;
use imgstrip::layer::codec::{Codec, Decoder};
use imgstrip::layer::deflate::Blocks;
use imgstrip::layer::{Encoding, Segment, Stored, Written, write_layer};
use imgstrip::options::Limits;
use imgstrip::rootfs::LayerId;
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use sha2::Digest;
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use zlib_rs::{DeflateConfig, Method, Strategy};

/// How far back a block may refer, and the least that is copied; said here again, as what is tested says it, too.
const HISTORY: usize = 32 << 10;
const LEAST: usize = 16 << 10;

fn content(choices: &mut Choices<'_>) -> Vec<u8> {
    let seed = u32::from(choices.byte());
    match choices.byte() % 6 {
        0 => text(seed, choices.below(60_000)),
        1 => noise(seed, choices.below(70_000)),
        2 => vec![0; choices.below(150_000)],
        3 => {
            // What repeats just within, at, or just out of reach.
            let once = noise(seed, HISTORY - 3 + choices.below(7));
            [&once[..], &once[..300 + choices.below(20_000)]].concat()
        }
        4 => [(); 40].map(|()| choices.byte()).to_vec(),
        _ => Vec::new(),
    }
}

/// Words that compress.
fn text(seed: u32, len: usize) -> Vec<u8> {
    const WORDS: [&str; 8] = ["usr/", "share/", "lib", "doc", ".so", "\n", "python3.11/", "changelog"];
    let words = noise(seed, len / 2);
    words.iter().flat_map(|byte| WORDS[usize::from(byte >> 5)].bytes()).take(len).collect()
}

/// A gzip stream in the making, down to the bit.
#[derive(Default)]
struct Gzip {
    bytes: Vec<u8>,
    /// Bits of the last byte that are taken, 0 for all.
    bits: u32,
    content: Vec<u8>,
    /// Where the members begin in the content.
    members: Vec<usize>,
    /// What blocks made here hold.
    known: Vec<Range<u64>>,
}

impl Gzip {
    fn push(&mut self, bits: usize, count: u32) {
        for bit in 0..count {
            if self.bits == 0 {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((bits >> bit & 1) as u8) << self.bits;
            self.bits = (self.bits + 1) % 8;
        }
    }

    /// A Huffman code: its first bit first (RFC 1951, 3.1.1).
    fn push_code(&mut self, code: usize, count: u32) {
        (0..count).rev().for_each(|bit| self.push(code >> bit & 1, 1));
    }

    fn grow(&mut self, bytes: &[u8]) {
        let start = self.content.len() as u64;
        self.content.extend_from_slice(bytes);
        if !bytes.is_empty() {
            self.known.push(start..self.content.len() as u64);
        }
    }

    fn stored(&mut self, bytes: &[u8], last: bool) {
        let bytes = &bytes[..bytes.len().min(0xffff)];
        self.push(usize::from(last), 3);
        self.bits = 0;
        self.bytes.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
        self.bytes.extend_from_slice(&(!bytes.len() as u16).to_le_bytes());
        self.bytes.extend_from_slice(bytes);
        self.grow(bytes);
    }

    fn empty(&mut self, last: bool) {
        self.push(0b010 | usize::from(last), 3);
        self.push_code(0, 7);
    }

    /// A block of fixed codes: 258 bytes from so far back, again and again.
    fn matches(&mut self, times: usize, distance: usize) {
        // The codes of the distances from 16,385 and from 24,577 on, whose offset has 13 bits (RFC 1951, 3.2.5).
        let (code, base) = if distance < 24_577 { (28, 16_385) } else { (29, 24_577) };
        self.push(0b010, 3);
        let start = self.content.len();
        for _ in 0..times {
            self.push_code(0b1100_0101, 8);
            self.push_code(code, 5);
            self.push(distance - base, 13);
        }
        self.push_code(0, 7);
        let bytes: Vec<u8> = (0..times * 258).map(|at| self.content[start - distance + at % distance]).collect();
        self.grow(&bytes);
    }

    /// A stream of another encoder; it begins at a byte, and none of its blocks is known.
    fn stream(&mut self, raw: &[u8], content: &[u8]) {
        if self.bits != 0 {
            self.stored(b"", false);
        }
        self.bytes.extend_from_slice(raw);
        self.content.extend_from_slice(content);
    }

    fn part(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() % 5 {
            0 => self.stored(&content(choices), false),
            1 => (0..choices.below(9)).for_each(|_| self.empty(false)),
            2 => (0..choices.below(3)).for_each(|_| self.stored(b"", false)),
            3 => {
                let reach = (self.content.len() - self.members.last().unwrap()).min(HISTORY);
                let distance = reach.saturating_sub(choices.below(3));
                if distance > 16_385 {
                    self.matches(choices.below(256), distance);
                }
            }
            _ => {
                let mut compress = Compress::new(Compression::new(choices.below(10) as u32), false);
                for _ in 0..1 + choices.below(4) {
                    let content = content(choices);
                    let flush = match choices.byte() % 4 {
                        0 => FlushCompress::None,
                        1 => FlushCompress::Partial,
                        2 => FlushCompress::Sync,
                        _ => FlushCompress::Full,
                    };
                    let raw = flushed(&mut compress, &content, flush);
                    self.stream_on(&raw, &content);
                }
                let raw = flushed(&mut compress, b"", FlushCompress::Full);
                self.stream_on(&raw, b"");
            }
        }
    }

    /// More of a stream.
    fn stream_on(&mut self, raw: &[u8], content: &[u8]) {
        self.stream(raw, content);
        self.bits = 0;
    }

    fn last_part(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() % 4 {
            0 => self.empty(true),
            1 => self.stored(&content(choices), true),
            2 => {
                let content = content(choices);
                let level = CompressionLvl::new(choices.below(13) as i32).unwrap();
                let mut compressor = Compressor::new(level);
                let mut raw = vec![0; compressor.deflate_compress_bound(content.len())];
                let len = compressor.deflate_compress(&content, &mut raw).unwrap();
                self.stream(&raw[..len], &content);
            }
            _ => {
                let content = content(choices);
                let strategies =
                    [Strategy::Default, Strategy::Filtered, Strategy::HuffmanOnly, Strategy::Rle, Strategy::Fixed];
                let config = DeflateConfig {
                    level: choices.below(10) as i32,
                    method: Method::Deflated,
                    window_bits: -9 - choices.below(7) as i32,
                    mem_level: 1 + choices.below(9) as i32,
                    strategy: strategies[choices.below(5)],
                };
                let mut raw = vec![0; content.len() * 2 + 1000];
                let (raw, code) = zlib_rs::compress_slice(&mut raw, &content, config);
                assert_eq!(code, zlib_rs::ReturnCode::Ok);
                self.stream(raw, &content);
            }
        }
        self.bits = 0;
    }

    fn member(&mut self, choices: &mut Choices<'_>) {
        let start = self.content.len();
        self.members.push(start);
        let (head, flags) = (self.bytes.len(), choices.byte() & 0b1_1111);
        self.bytes.extend_from_slice(&[0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3]);
        for (flag, field) in [(4, &b"\x04\0ab\0\0"[..]), (8, b"name\0"), (16, b"a comment\0")] {
            self.bytes.extend_from_slice(if flags & flag != 0 { field } else { b"" });
        }
        if flags & 2 != 0 {
            let [a, b, ..] = crc(&self.bytes[head..]);
            self.bytes.extend_from_slice(&[a, b]);
        }
        (0..choices.below(4)).for_each(|_| self.part(choices));
        self.last_part(choices);
        let size = (self.content.len() - start) as u32;
        self.bytes.extend_from_slice(&crc(&self.content[start..]));
        self.bytes.extend_from_slice(&size.to_le_bytes());
    }
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

fn flushed(compress: &mut Compress, content: &[u8], flush: FlushCompress) -> Vec<u8> {
    let before = (compress.total_in(), compress.total_out());
    let mut raw = Vec::with_capacity(content.len() * 2 + (300 << 10)); // what was held back comes, too
    compress.compress_vec(content, &mut raw, flush).unwrap();
    assert_eq!(
        (compress.total_in() - before.0, compress.total_out() - before.1),
        (content.len() as u64, raw.len() as u64)
    );
    raw
}

/// A layer of the input, and what reading it found.
struct Layer {
    content: Vec<u8>,
    members: Vec<usize>,
    gzip: Blob,
    tar: Blob,
    blocks: Blocks,
}

impl Layer {
    fn new(choices: &mut Choices<'_>) -> Self {
        let mut gzip = Gzip::default();
        (0..=choices.below(5)).for_each(|_| gzip.member(choices));
        let Gzip { mut bytes, content, members, known, .. } = gzip;
        bytes.resize(bytes.len() + choices.below(1500), 0);
        let (found, blocks) = gunzip(&bytes, 1 << 20);
        assert!(found == content, "the layer itself is read wrong");
        for known in known {
            let number = blocks.all().partition_point(|block| block.start < known.start);
            assert_eq!(blocks.content(number), known, "a block of {} is not found", blocks.all().len());
        }
        // However it is read, it is read alike.
        assert!(gunzip(&bytes, 1 + choices.below(70_000)) == (found, blocks.clone()));
        Self { gzip: blob(&bytes), tar: blob(&content), content, members, blocks }
    }

    /// How much of a range can be copied: the longest row of blocks of which each lies in it, with all that it may refer to.
    fn copyable(&self, range: &Range<u64>) -> u64 {
        let (mut longest, mut row) = (0, 0);
        for number in 0..self.blocks.all().len() {
            let content = self.blocks.content(number);
            let member = self.members.iter().rfind(|member| **member as u64 <= content.start).unwrap();
            let reach = content.start.saturating_sub(HISTORY as u64).max(*member as u64);
            let fits = range.start <= reach && content.end <= range.end;
            row = if fits { row + content.end - content.start } else { 0 };
            longest = longest.max(row);
        }
        if longest >= LEAST as u64 { longest } else { 0 }
    }
}

fn blob(bytes: &[u8]) -> Blob {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Blob::new(Arc::new(file), 0, bytes.len() as u64)
}

fn gunzip(gzip: &[u8], room: usize) -> (Vec<u8>, Blocks) {
    let mut decoder = Decoder::new(gzip, Codec::Gzip, &Limits::default()).unwrap();
    let (mut all, mut buffer) = (Vec::new(), vec![0; room]);
    loop {
        match decoder.read(&mut buffer).unwrap() {
            0 => return (all, decoder.into_blocks().unwrap()),
            read => all.extend_from_slice(&buffer[..read]),
        }
    }
}

fn segment(layers: &[Layer], choices: &mut Choices<'_>) -> Segment {
    match choices.byte() % 8 {
        0 => Segment::Zeros(choices.below(100_000) as u64),
        1 => Segment::Bytes(content(choices)),
        kind => {
            let number = choices.below(layers.len());
            let len = layers[number].content.len() as u64;
            let mut at = || choices.below(len as usize + 1) as u64;
            let (a, b) = match kind {
                2 => (0, len),
                3 => (at(), len),
                4 => (0, at()),
                _ => (at(), at()),
            };
            Segment::Copy { layer: LayerId(number as u32), range: a.min(b)..a.max(b) }
        }
    }
}

fn write(segments: &[Segment], layers: &[Layer], threads: usize) -> (Vec<u8>, Written) {
    let find = |id: LayerId| layers.get(id.0 as usize);
    let sources = |id| find(id).map(|layer| &layer.tar);
    let deflates = |id| find(id).map(|layer| (&layer.gzip, &layer.blocks));
    let stored = Stored { sources: &sources, deflates: &deflates };
    let (mut out, encoding) = (Vec::new(), Encoding::Gzip { level: 6, reuse: true });
    let segments = segments.iter().cloned().map(Ok);
    let threads = NonZeroUsize::new(threads).unwrap();
    let written = write_layer(segments, stored, encoding, threads, &mut out, &|_| Ok(())).unwrap();
    (out, written)
}

fn sha256(bytes: &[u8]) -> String {
    let hex: String = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// What these bytes choose is written right; the share of it that was copied, in bytes.
pub fn check(bytes: &[u8]) -> u64 {
    let choices = &mut Choices(bytes);
    let layers: Vec<Layer> = (0..=choices.below(2)).map(|_| Layer::new(choices)).collect();
    let segments: Vec<Segment> = (0..choices.below(9)).map(|_| segment(&layers, choices)).collect();
    let mut tar = Vec::new();
    let mut copyable = vec![(0, 0); layers.len()];
    for segment in &segments {
        match segment {
            Segment::Copy { layer, range } => {
                let number = layer.0 as usize;
                tar.extend_from_slice(&layers[number].content[range.start as usize..range.end as usize]);
                copyable[number].0 += layers[number].copyable(range);
                copyable[number].1 += range.end - range.start;
            }
            Segment::Bytes(bytes) => tar.extend_from_slice(bytes),
            Segment::Zeros(count) => tar.resize(tar.len() + *count as usize, 0),
        }
    }
    let (gzip, written) = write(&segments, &layers, 1);
    let again = write(&segments, &layers, [2, 3, 8][choices.below(3)]);
    assert!(again == (gzip.clone(), written.clone()), "other threads, other bytes");
    assert_eq!((written.tar_size, written.size), (tar.len() as u64, gzip.len() as u64));
    assert_eq!(written.diff_id.to_string(), sha256(&tar));
    assert_eq!(written.digest.to_string(), sha256(&gzip));

    assert!(gunzip(&gzip, 1 << 20).0 == tar, "our own decoder");
    let [mut one, mut all] = [Vec::new(), Vec::new()];
    flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut one).unwrap();
    flate2::read::MultiGzDecoder::new(&gzip[..]).read_to_end(&mut all).unwrap();
    assert!(one == tar && all == tar, "flate2, and one member");
    let mut other = vec![0; tar.len()];
    assert_eq!(Decompressor::new().gzip_decompress(&gzip, &mut other), Ok(tar.len()));
    assert!(other == tar, "libdeflate");

    let mut reused = 0;
    for (number, (copyable, all)) in (0..).zip(copyable) {
        let origin = written.origins.iter().find(|origin| origin.layer == LayerId(number));
        let found = origin.map_or((0, 0), |origin| (origin.reused, origin.encoded));
        assert_eq!(found, (copyable, all - copyable), "layer {number}: what can be copied is copied");
        reused += found.0;
    }
    reused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::cases;
    use proptest::prelude::*;
    use proptest::test_runner::{TestRng, TestRunner};
    use std::cell::Cell;

    #[test]
    fn copied_deflate_blocks_are_the_bytes_that_were_asked_for() {
        let (copied, config) = (Cell::new(0), cases(96));
        let expected = u64::from(config.cases) * 20_000;
        let rng = TestRng::deterministic_rng(config.rng_algorithm);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let strategy = prop::collection::vec(any::<u8>(), 50..600);
        let run = runner.run(&strategy, |bytes| {
            copied.set(copied.get() + check(&bytes));
            Ok(())
        });
        run.unwrap();
        assert!(copied.get() > expected, "{} bytes were copied, which is hardly any", copied.get());
    }

    #[test]
    fn choices_that_end_early_are_as_good_as_any() {
        assert_eq!(check(b""), 0);
    }
}
