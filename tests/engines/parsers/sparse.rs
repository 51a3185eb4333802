//! Sparse files in their four forms, right and wrong. In: an entry. Out: the entry, sparse.

use crate::parsers::draft::{Draft, base256, octal};
use crate::parsers::twists::{Twist, long};

/// A sparse file by the records of 0.0 or 0.1 and these runs; the stored data is `data`.
fn sparse(d: &mut Draft, form: u8, runs: &[(u64, u64)], size: u64, data: &[u8]) {
    let list: Vec<String> = runs.iter().flat_map(|(at, length)| [at.to_string(), length.to_string()]).collect();
    match form {
        0 => {
            d.pax("GNU.sparse.size", size.to_string().as_bytes());
            d.pax("GNU.sparse.numblocks", runs.len().to_string().as_bytes());
            for (at, length) in runs {
                d.pax("GNU.sparse.offset", at.to_string().as_bytes());
                d.pax("GNU.sparse.numbytes", length.to_string().as_bytes());
            }
        }
        1 => {
            d.pax("GNU.sparse.size", size.to_string().as_bytes());
            d.pax("GNU.sparse.numblocks", runs.len().to_string().as_bytes());
            d.pax("GNU.sparse.map", list.join(",").as_bytes());
            d.pax("GNU.sparse.name", b"sparse-name");
        }
        _ => {
            d.pax("GNU.sparse.major", b"1");
            d.pax("GNU.sparse.minor", b"0");
            d.pax("GNU.sparse.name", b"sparse-name");
            d.pax("GNU.sparse.realsize", size.to_string().as_bytes());
        }
    }
    d.body.clear();
    if form > 1 {
        d.body = format!("{}\n{}\n", runs.len(), list.join("\n")).into_bytes();
        d.body.resize(512, 0);
    }
    d.body.extend(data);
}

/// A sparse file by GNU's old header; each run of `runs` in a place of the block.
fn old(d: &mut Draft, runs: &[(u64, u64)], size: u64, data: &[u8]) {
    d.typeflag = b'S';
    d.magic = *b"ustar  \0";
    for (at, (start, length)) in (386..).step_by(24).zip(runs.iter().take(4)) {
        d.put(at, &octal(*start, 11));
        d.put(at + 12, &octal(*length, 11));
    }
    d.put(483, &octal(size, 11));
    if runs.len() > 4 {
        d.put(482, &[1]);
        d.more = vec![0; 512];
        for (at, (start, length)) in (0..).step_by(24).zip(&runs[4..]) {
            d.more[at..at + 11].copy_from_slice(&octal(*start, 11));
            d.more[at + 12..at + 23].copy_from_slice(&octal(*length, 11));
        }
    }
    d.body = data.to_vec();
}

const RUNS: &[(u64, u64)] = &[(0, 3), (600, 5)];
const DATA: &[u8] = b"onethree";

/// The twists.
pub(crate) const SPARSE: &[Twist] = &[
    ("sparse 0.0", |d| sparse(d, 0, RUNS, 700, DATA)),
    ("sparse 0.1", |d| sparse(d, 1, RUNS, 700, DATA)),
    ("sparse 1.0", |d| sparse(d, 2, RUNS, 700, DATA)),
    ("sparse old", |d| old(d, RUNS, 700, DATA)),
    ("sparse old of six runs", |d| {
        old(d, &[(0, 1), (10, 1), (20, 1), (30, 1), (40, 2), (700, 2)], 800, DATA);
    }),
    ("sparse old with an end run", |d| old(d, &[(0, 3), (600, 5), (700, 0)], 700, DATA)),
    ("sparse old of no runs", |d| old(d, &[], 700, b"")),
    ("sparse old without a map", |d| {
        d.typeflag = b'S';
        d.magic = *b"ustar  \0";
    }),
    ("sparse old of ustar magic", |d| {
        old(d, RUNS, 700, DATA);
        d.magic = *b"ustar\x0000";
    }),
    ("sparse old overlapping", |d| old(d, &[(0, 4), (2, 4)], 700, DATA)),
    ("sparse old descending", |d| old(d, &[(600, 5), (0, 3)], 700, DATA)),
    ("sparse old beyond its end", |d| old(d, RUNS, 602, DATA)),
    ("sparse old with too much data", |d| old(d, RUNS, 700, b"onethreemore")),
    ("sparse old with too little data", |d| old(d, RUNS, 700, b"one")),
    ("sparse old and a pax size", |d| {
        old(d, RUNS, 700, DATA);
        d.pax("size", b"8");
    }),
    ("sparse old and another pax size", |d| {
        old(d, RUNS, 700, DATA);
        d.pax("size", b"700");
    }),
    ("sparse old with a size in base 256", |d| {
        old(d, RUNS, 700, DATA);
        d.put(483, &base256(700, 12));
    }),
    ("sparse old with an empty extension", |d| {
        old(d, RUNS, 700, DATA);
        d.put(482, &[1]);
        d.more = vec![0; 512];
    }),
    ("sparse old with a gap in its map", |d| {
        old(d, RUNS, 700, DATA);
        d.put(386 + 24, &[0; 24]);
        d.put(386 + 48, b"00000001130\x0000000000005\0");
    }),
    ("sparse 0.0 with numbytes first", |d| {
        sparse(d, 0, RUNS, 700, DATA);
        d.records.swap(2, 3);
    }),
    ("sparse 0.0 with a wrong count", |d| {
        sparse(d, 0, RUNS, 700, DATA);
        d.pax("GNU.sparse.numblocks", b"3");
    }),
    ("sparse 0.0 with a map too", |d| {
        sparse(d, 0, RUNS, 700, DATA);
        d.pax("GNU.sparse.map", b"0,3,600,5");
    }),
    ("sparse 0.1 with an empty map", |d| {
        sparse(d, 1, RUNS, 700, DATA);
        d.pax("GNU.sparse.map", b"");
    }),
    ("sparse 0.1 of no runs", |d| sparse(d, 1, &[], 700, b"")),
    ("sparse 0.1 without a size", |d| {
        sparse(d, 1, RUNS, 700, DATA);
        d.records.remove(0);
    }),
    ("sparse 0.1 without a count", |d| {
        sparse(d, 1, RUNS, 700, DATA);
        d.records.remove(1);
    }),
    ("sparse 0.1 with signs", |d| {
        sparse(d, 1, RUNS, 700, DATA);
        d.pax("GNU.sparse.map", b"+0,3,600,5");
    }),
    ("sparse 0.1 with two sizes", |d| {
        sparse(d, 1, RUNS, 700, DATA);
        d.pax("GNU.sparse.realsize", b"800");
    }),
    ("sparse 0.1 with versions", |d| {
        sparse(d, 1, RUNS, 700, DATA);
        d.pax("GNU.sparse.major", b"0");
        d.pax("GNU.sparse.minor", b"1");
    }),
    ("sparse 0.1 with a pax name", |d| {
        sparse(d, 1, RUNS, 700, DATA);
        d.pax("path", b"pax-name");
    }),
    ("sparse 0.1 and a long name", |d| {
        sparse(d, 1, RUNS, 700, DATA);
        d.before.push(long(b"gnu-long"));
    }),
    ("sparse 0.1 overlapping", |d| sparse(d, 1, &[(0, 4), (2, 4)], 700, DATA)),
    ("sparse 0.1 touching", |d| sparse(d, 1, &[(0, 4), (4, 4)], 700, DATA)),
    ("sparse 0.1 beyond its end", |d| sparse(d, 1, RUNS, 602, DATA)),
    ("sparse 0.1 with too much data", |d| sparse(d, 1, RUNS, 700, b"onethreemore")),
    ("sparse 0.1 with a pax size", |d| {
        sparse(d, 1, RUNS, 700, DATA);
        d.pax("size", b"8");
    }),
    ("sparse 1.0 of no runs", |d| {
        sparse(d, 2, &[], 700, b"");
        d.body = b"0\n".to_vec();
        d.body.resize(512, 0);
    }),
    ("sparse 1.0 of another version", |d| {
        sparse(d, 2, RUNS, 700, DATA);
        d.pax("GNU.sparse.minor", b"1");
    }),
    ("sparse 1.0 without a minor", |d| {
        sparse(d, 2, RUNS, 700, DATA);
        d.records.remove(1);
    }),
    ("sparse 1.0 with a list too", |d| {
        sparse(d, 2, RUNS, 700, DATA);
        d.pax("GNU.sparse.map", b"0,3,600,5");
    }),
    ("sparse 1.0 with a count too large", |d| {
        sparse(d, 2, RUNS, 700, DATA);
        d.body[0] = b'9';
    }),
    ("sparse 1.0 with a count too small", |d| {
        sparse(d, 2, RUNS, 700, DATA);
        d.body[0] = b'1';
    }),
    ("sparse 1.0 with spaces", |d| {
        sparse(d, 2, RUNS, 700, DATA);
        d.body[1] = b' ';
    }),
    ("sparse 1.0 with rubbish behind its map", |d| {
        sparse(d, 2, RUNS, 700, DATA);
        d.body[500] = b'x';
    }),
    ("sparse 1.0 with a short block", |d| {
        sparse(d, 2, RUNS, 700, b"");
        d.body.truncate(100);
    }),
    ("sparse 1.0 with a pax size", |d| {
        sparse(d, 2, RUNS, 700, DATA);
        d.pax("size", b"520");
        d.size = Some(0);
    }),
    ("sparse 1.0 below an old directory", |d| {
        sparse(d, 2, RUNS, 700, DATA);
        d.typeflag = 0;
        d.name = b"old/".to_vec();
    }),
    ("sparse name alone", |d| d.pax("GNU.sparse.name", b"sparse-name")),
    ("sparse size alone", |d| d.pax("GNU.sparse.size", b"700")),
    ("sparse realsize alone", |d| d.pax("GNU.sparse.realsize", b"700")),
    ("sparse major alone", |d| d.pax("GNU.sparse.major", b"1")),
    ("sparse offset alone", |d| d.pax("GNU.sparse.offset", b"0")),
    ("sparse key unknown", |d| d.pax("GNU.sparse.other", b"0")),
];
