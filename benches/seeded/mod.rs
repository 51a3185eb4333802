//! Seeded content for benches and synthetic archives: the same bytes on every machine, from a number.
//!
//! In: a seed and a length. Out: text-like, binary-like or incompressible bytes, or a mix of the three that deflates about 3:1, as the layers of
//! real images do (2.8 at level 1, 3.7 at level 6 on a Debian `/usr`). Nothing is read from disk, and no crate for random numbers may change it.

#![allow(
    dead_code,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "shared by benches; nothing here meets an input"
)]

pub(crate) mod extreme;
pub(crate) mod shape;
pub(crate) mod tape;

use std::ops::Range;

/// `SplitMix64`: small, fast, and fixed for good.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of the range.
    pub(crate) fn of(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }
}

/// What a content is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Like {
    /// Words of a vocabulary, the first ones most often, in lines.
    Text,
    /// Records of few shapes with small numbers in them, as code and tables have them.
    Binary,
    /// What is compressed already.
    Noise,
}

/// A third of a word is enough to make names and texts of.
const SYLLABLES: [&str; 32] = [
    "ra", "ten", "lo", "mi", "sta", "con", "ver", "per", "ti", "on", "al", "es", "pro", "de", "in", "re", "un", "tor",
    "sys", "net", "io", "ex", "map", "key", "set", "log", "arg", "buf", "ent", "ire", "ab", "qu",
];

/// A word, always the same for a number.
pub(crate) fn word(number: u64) -> String {
    let mut random = Random::new(number);
    let length = random.of(1..5);
    (0..length).map(|_| SYLLABLES[(random.next() % 32) as usize]).collect()
}

/// `length` bytes.
pub(crate) fn content(like: Like, length: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(length + 64);
    match like {
        Like::Text => {
            let words: Vec<String> = (0..4096).map(word).collect();
            while bytes.len() < length {
                // Twice a random number below another is small more often than not, as the frequent words are.
                let most = random.of(1..4097);
                bytes.extend_from_slice(words[random.of(0..most) as usize].as_bytes());
                bytes.extend_from_slice(if random.of(0..9) == 0 { b";\n    " } else { b" " });
            }
        }
        Like::Binary => {
            let shapes: Vec<u64> = (0..256).map(|_| random.next()).collect();
            while bytes.len() < length {
                let most = random.of(1..257);
                bytes.extend_from_slice(&shapes[random.of(0..most) as usize].to_le_bytes());
                bytes.extend_from_slice(&(random.of(0..1 << 12) as u32).to_le_bytes());
            }
        }
        Like::Noise => {
            while bytes.len() < length {
                bytes.extend_from_slice(&random.next().to_le_bytes());
            }
        }
    }
    bytes.truncate(length);
    bytes
}

/// `length` bytes of all three, in pieces of 1 to 64 KiB as files are.
pub(crate) fn mix(length: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(length + (64 << 10));
    while bytes.len() < length {
        let like = match random.of(0..100) {
            0..4 => Like::Noise,
            4..40 => Like::Binary,
            _ => Like::Text,
        };
        bytes.extend(content(like, random.of(1 << 10..64 << 10) as usize, random.next()));
    }
    bytes.truncate(length);
    bytes
}
