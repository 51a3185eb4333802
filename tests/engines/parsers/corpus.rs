//! The generated tars. In: how many random ones. Out: the same tars from run to run, each with what is odd in it.
//!
//! First each twist alone on several kinds of entries, each end behind each kind, then random handfuls of twists.

use crate::parsers::draft::Draft;
use crate::parsers::twists::{ENDS, TWISTS, Twist, hidden};
use std::collections::BTreeSet;

/// One tar.
pub(crate) struct Sample {
    /// What is odd: the kind of the entry, its twists, the end.
    pub(crate) odd: Vec<&'static str>,
    pub(crate) tar: Vec<u8>,
}

/// A name and an entry.
type Base = (&'static str, fn() -> Draft);

/// The entries that are twisted. A body of 15 bytes is what the odd forms of a size say.
const BASES: &[Base] = &[
    ("file", || with_body(Draft::new(b"entry", b'0'), b"fifteen bytes..".to_vec())),
    ("directory", || Draft::new(b"entry/", b'5')),
    ("symlink", || linked(Draft::new(b"entry", b'2'), b"dir/target")),
    ("hard link", || linked(Draft::new(b"entry", b'1'), b"first")),
    ("file of gnu", || {
        let mut draft = with_body(Draft::new(b"entry", b'0'), b"fifteen bytes..".to_vec());
        draft.magic = *b"ustar  \0";
        draft
    }),
    ("file with an entry inside", || with_body(Draft::new(b"entry", b'0'), hidden())),
    ("character device", || Draft::new(b"entry", b'3')),
    ("file of v7", || {
        let mut draft = with_body(Draft::new(b"entry", 0), b"fifteen bytes..".to_vec());
        draft.magic = [0; 8];
        draft
    }),
    ("empty file", || Draft::new(b"entry", b'0')),
    ("block device", || Draft::new(b"entry", b'4')),
    ("fifo", || Draft::new(b"entry", b'6')),
    ("hard link of gnu", || {
        let mut draft = linked(Draft::new(b"entry", b'1'), b"first");
        draft.magic = *b"ustar  \0";
        draft
    }),
];

/// On so many kinds each twist stands alone, besides those that it is about.
const BASES_EACH: usize = 2;

fn with_body(mut draft: Draft, body: Vec<u8>) -> Draft {
    draft.body = body;
    draft
}

fn linked(mut draft: Draft, link: &[u8]) -> Draft {
    draft.link = link.to_vec();
    draft
}

/// Between a directory, a file, and a last file, which tell who lost count.
fn sample(odd: Vec<&'static str>, entries: &[Draft], end: fn(&mut Vec<u8>)) -> Sample {
    let first = with_body(Draft::new(b"first", b'0'), b"the first".to_vec());
    let last = with_body(Draft::new(b"last", b'0'), b"the last".to_vec());
    let mut tar = [Draft::new(b"dir/", b'5').bytes(), first.bytes()].concat();
    tar.extend(entries.iter().flat_map(Draft::bytes));
    tar.extend(last.bytes());
    end(&mut tar);
    Sample { odd, tar }
}

/// All samples; `random` of them are random.
pub(crate) fn samples(random: usize) -> Vec<Sample> {
    let (_, end) = ENDS[0];
    let mut samples = Vec::new();
    for (number, (name, twist)) in TWISTS.concat().into_iter().enumerate() {
        // First on what it is about, then on other kinds in turn.
        let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let about: &[&str] = match name {
            _ if is(&["link", "K"]) => &["file", "symlink", "hard link"],
            _ if is(&["major", "minor", "device"]) => &["file", "character device", "file of v7"],
            _ if is(&["prefix", "user", "group", "GNU"]) => &["file", "file of v7", "file of gnu"],
            _ if is(&["type", "sparse"]) => &["file", "directory"],
            _ => &["file"],
        };
        let about = about.iter().map(|base| BASES.iter().position(|(name, _)| name == base).unwrap());
        let others = (0..BASES_EACH).map(|turn| (number * BASES_EACH + turn) % BASES.len());
        let bases: BTreeSet<usize> = about.chain(others).collect();
        for (base, make) in bases.into_iter().map(|at| BASES[at]) {
            let mut draft = make();
            twist(&mut draft);
            samples.push(sample(vec![base, name], &[draft], end));
        }
    }
    for (base, make) in BASES {
        samples.extend(ENDS.iter().map(|(name, end)| sample(vec![base, name], &[make()], *end)));
    }
    let mut dice = Dice(0x1a67_1e5e_ed00);
    samples.extend((0..random).map(|_| handful(&mut dice)));
    samples
}

fn handful(dice: &mut Dice) -> Sample {
    let mut odd = Vec::new();
    let entries: Vec<Draft> = (0..1 + dice.below(2))
        .map(|_| {
            let (base, make) = BASES[dice.below(BASES.len())];
            odd.push(base);
            let mut draft = make();
            for _ in 0..1 + dice.below(3) {
                let twists: &[Twist] = TWISTS[dice.below(TWISTS.len())];
                let (name, twist) = twists[dice.below(twists.len())];
                odd.push(name);
                twist(&mut draft);
            }
            draft
        })
        .collect();
    let (name, end) = ENDS[if dice.below(4) == 0 { dice.below(ENDS.len()) } else { 0 }];
    odd.push(name);
    sample(odd, &entries, end)
}

/// splitmix64: the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((value ^ (value >> 31)) % end as u64) as usize
    }
}

#[test]
fn each_twist_has_a_name_of_its_own_and_most_change_something() {
    let mut names: Vec<&str> = TWISTS.concat().iter().map(|(name, _)| *name).collect();
    names.extend(ENDS.iter().map(|(name, _)| *name));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    let samples = samples(100);
    let distinct: BTreeSet<&[u8]> = samples.iter().map(|sample| &sample.tar[..]).collect();
    assert!(distinct.len() * 100 > samples.len() * 90, "{} of {}", distinct.len(), samples.len());
}
