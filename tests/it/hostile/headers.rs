//! H42 and H43: the traps of tar, T1 to T34 of merge.md, each as the layer of an image. What each of them means to the reader is told in
//! `src/layer/scan/tests`; here stands what the program makes of it.

use super::case;
use crate::image::docker;
use crate::lines::layer;
use crate::tar::{Raw, archive};

/// What the program does.
enum Does {
    /// Exit code, and what the line says beside the layer.
    Refuses(i32, &'static str),
    /// The tree that is written.
    Shows(&'static str),
    /// Likewise, with a warning that says this.
    Warns(&'static str, &'static str),
}
use Does::{Refuses, Shows, Warns};

/// A header block with some of its bytes replaced, and its checksum made right again.
fn patched(entry: &Raw, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut blocks = entry.bytes();
    let header = blocks.len() - 512 - entry.body.len().next_multiple_of(512);
    let block = &mut blocks[header..header + 512];
    block[at..at + bytes.len()].copy_from_slice(bytes);
    summed(block);
    blocks
}

fn summed(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn file(name: &str, body: &str) -> Raw {
    Raw::new(name.as_bytes(), b'0').body(body.as_bytes())
}

/// An extended header with this body as it is.
fn extended(typeflag: u8, body: &[u8]) -> Vec<u8> {
    Raw::new(b"extended", typeflag).body(body).bytes()
}

fn ended(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), vec![0; 1024]].concat()
}

/// A PAX sparse file of one run of these bytes.
fn sparse(body: &[u8], records: &[(&str, &str)]) -> Vec<u8> {
    let mut entry = Raw::new(b"GNUSparseFile.0/s", b'0').body(body);
    for (key, value) in records {
        entry = entry.pax(format!("GNU.sparse.{key}").as_bytes(), value.as_bytes());
    }
    entry.bytes()
}

/// A header of old GNU's, with `magic`.
fn gnu(mut entry: Raw) -> Raw {
    entry.magic = *b"ustar  \0";
    entry
}

const ONE_ZERO: &[(&str, &str)] = &[("major", "1"), ("minor", "0"), ("name", "s")];

fn traps() -> Vec<(u8, &'static str, Vec<u8>, Does)> {
    let x = || file("x", "data").bytes();
    let block = |text: &str| [text.as_bytes(), &vec![0; 512 - text.len()]].concat();
    let with = |parts: &[Vec<u8>]| ended(parts);
    let one = |entry: Raw| archive(&[entry]);
    let map = [block("1\n0\n4\n"), b"data".to_vec()].concat();
    let mut vec = vec![
        (
            1,
            "pax size beyond the header's",
            {
                let mut hidden = file("f", "").pax(b"size", b"4").bytes();
                hidden.extend(block("text"));
                with(&[hidden, x()])
            },
            Shows("f = text; x = data"),
        ),
        (
            2,
            "pax size 0 below the header's",
            with(&[patched(&file("f", "").pax(b"size", b"0"), 124, b"00000001000"), x()]),
            Shows("f; x = data"),
        ),
        (
            3,
            "pax size before a long name",
            with(&[extended(b'x', b"10 size=0\n"), extended(b'L', b"long\0"), file("f", "data").bytes()]),
            Refuses(3, "header"),
        ),
        (4, "a pax key twice", one(file("f", "data").pax(b"path", b"a").pax(b"path", b"b")), Shows("b = data")),
        (
            5,
            "a newline and a NUL in an attribute",
            one(file("f", "data").pax(b"SCHILY.xattr.user.k", b"a\nb\0c")),
            Shows("f [user.k=a\\nb\\x00c] = data"),
        ),
        (6, "a NUL in a pax path", one(file("f", "").pax(b"path", b"a\0b")), Refuses(3, "NUL")),
        (7, "a record that is too long", with(&[extended(b'x', b"99 path=a\n"), x()]), Refuses(3, "broken record")),
        (7, "a record that is too short", with(&[extended(b'x', b"5 path=a\n"), x()]), Refuses(3, "broken record")),
        (7, "a record without its newline", with(&[extended(b'x', b"9 path=ab"), x()]), Refuses(3, "broken record")),
        (9, "an empty pax path", one(file("f", "data").pax(b"path", b"")), Shows("f = data")),
        (10, "a global comment", with(&[extended(b'g', b"13 comment=x\n"), x()]), Shows("x = data")),
        (11, "a global path", with(&[extended(b'g', b"9 path=a\n"), x()]), Refuses(3, "for all entries")),
        (11, "a global size", with(&[extended(b'g', b"10 size=9\n"), x()]), Refuses(3, "for all entries")),
        (12, "a pax header at the end", with(&[x(), extended(b'x', b"9 path=a\n")]), Refuses(3, "before its entry")),
        (12, "a long name at the end", with(&[x(), extended(b'L', b"name\0")]), Refuses(3, "before its entry")),
        (
            13,
            "two pax headers",
            with(&[extended(b'x', b"9 path=a\n"), extended(b'x', b"9 path=b\n"), x()]),
            Refuses(3, "two"),
        ),
        (13, "two long names", with(&[extended(b'L', b"a\0"), extended(b'L', b"b\0"), x()]), Refuses(3, "two")),
        (
            14,
            "a pax path and a long name",
            with(&[extended(b'L', b"a\0"), extended(b'x', b"9 path=b\n"), x()]),
            Refuses(3, ""),
        ),
        (
            15,
            "sparse, pax 1.0",
            with(&[sparse(&map, &[ONE_ZERO, &[("realsize", "8")]].concat())]),
            Shows("s = data\\x00\\x00\\x00\\x00"),
        ),
        (
            15,
            "sparse, pax 0.1",
            with(&[sparse(b"data", &[("size", "8"), ("numblocks", "1"), ("map", "4,4"), ("name", "s")])]),
            Shows("s = \\x00\\x00\\x00\\x00data"),
        ),
        (
            15,
            "a map beyond the file",
            with(&[sparse(&map, &[ONE_ZERO, &[("realsize", "3")]].concat())]),
            Refuses(3, ""),
        ),
        (
            15,
            "a map of other bytes than there are",
            with(&[sparse(b"data", &[("size", "8"), ("numblocks", "1"), ("map", "4,3"), ("name", "s")])]),
            Refuses(3, ""),
        ),
        (
            15,
            "an old sparse header",
            with(&[{
                let mut old = gnu(file("s", "data"));
                old.typeflag = b'S';
                let mut blocks = patched(&old, 386, b"00000000004\x0000000000004\0");
                blocks[483..495].copy_from_slice(b"00000000010\0");
                summed(&mut blocks[..512]);
                blocks
            }]),
            Shows("s = \\x00\\x00\\x00\\x00data"),
        ),
        (16, "a sparse name without a map", with(&[sparse(b"data", &[("name", "other")])]), Refuses(3, "")),
        (
            17,
            "a directory with a size",
            with(&[patched(&Raw::new(b"d/", b'5'), 124, b"00000001000"), x(), vec![0; 512]]),
            Refuses(3, "only a file has data"),
        ),
        (
            18,
            "a symlink with a size",
            with(&[patched(&Raw { link: b"t".to_vec(), ..Raw::new(b"l", b'2') }, 124, b"00000001000"), x()]),
            Refuses(3, "only a file has data"),
        ),
        (
            18,
            "a device with a size",
            with(&[patched(&Raw::new(b"c", b'3'), 124, b"00000001000"), x()]),
            Refuses(3, "only a file has data"),
        ),
        (
            19,
            "a hard link with a size",
            with(&[x(), patched(&Raw { link: b"x".to_vec(), ..Raw::new(b"h", b'1') }, 124, b"00000001000"), x()]),
            Refuses(3, "only a file has data"),
        ),
        (20, "type 7", with(&[patched(&file("f", "data"), 156, b"7")]), Shows("f = data")),
    ];
    for (typeflag, what) in
        [(b'Z', "type Z"), (b'V', "type V"), (b'M', "type M"), (b'D', "type D"), (b'N', "type N"), (0xff, "type 255")]
    {
        vec.push((20, what, with(&[patched(&file("f", ""), 156, &[typeflag])]), Refuses(5, "the entry type")));
    }
    for (what, value) in
        [("abc", "abc"), ("-1", "-1"), ("2^63", "9223372036854775808"), ("+1", "+1"), ("1.5", "1.5"), ("0x1", "0x1")]
    {
        vec.push((8, what, one(file("f", "").pax(b"size", value.as_bytes())), Refuses(3, "size")));
    }
    let base_256 = |bytes: [u8; 12]| with(&[patched(&file("f", ""), 124, &bytes), x()]);
    vec.extend([
        (21, "a size in base 256", base_256([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Shows("f; x = data")),
        (21, "a negative size", base_256([0xff; 12]), Refuses(3, "size")),
        (21, "a size of 2^88", base_256([0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Refuses(3, "size")),
        (
            22,
            "a negative time in base 256",
            with(&[patched(&file("f", "data"), 136, &[[0xff; 11].as_slice(), &[0xfb]].concat())]),
            Shows("f [@-5] = data"),
        ),
        (23, "an empty size", with(&[patched(&file("f", ""), 124, &[0; 12]), x()]), Shows("f; x = data")),
        (23, "an empty time", with(&[patched(&file("f", "data"), 136, &[0; 12])]), Shows("f = data")),
        (24, "spaces before a number", with(&[patched(&file("f", "data"), 124, b"          4\0")]), Shows("f = data")),
        (25, "the digit 9", with(&[patched(&file("f", ""), 124, b"00000000009\0")]), Refuses(3, "malformed")),
        (
            26,
            "a wrong checksum",
            {
                let mut tar = layer("f = data");
                tar[0] ^= 1;
                tar
            },
            Refuses(3, "checksum"),
        ),
        (
            27,
            "one block of zeros, and more",
            [x(), vec![0; 512], x(), vec![0; 1024]].concat(),
            Refuses(3, "a single block of zeros"),
        ),
        (
            28,
            "an archive behind the end",
            [layer("f = data"), layer("g")].concat(),
            Warns("f = data", "after its end marker"),
        ),
        (29, "no end", layer("f = data")[..1024].to_vec(), Warns("f = data", "without the two zero blocks")),
        (29, "half an end", layer("f = data")[..1536].to_vec(), Warns("f = data", "without the two zero blocks")),
        (30, "zeros behind the end", [layer("f = data"), vec![0; 9000]].concat(), Shows("f = data")),
        (
            30,
            "garbage behind the end",
            [layer("f = data"), b"garbage".repeat(99)].concat(),
            Warns("f = data", "after its end marker"),
        ),
        (31, "a header cut off", layer("f = data")[..300].to_vec(), Refuses(3, "truncated at offset 300")),
        (31, "data cut off", layer("f = data")[..514].to_vec(), Refuses(3, "truncated at offset 514")),
        (31, "padding cut off", layer("f = data")[..600].to_vec(), Warns("f = data", "without the two zero blocks")),
        (32, "a v7 header", with(&[patched(&file("f", "data"), 257, &[0; 8])]), Shows("f = data")),
        (32, "a prefix", with(&[patched(&file("f", "data"), 345, b"d")]), Shows("d/; d/f = data")),
        (
            32,
            "a version of zeros",
            one(Raw { magic: *b"ustar\0\0\0", ..file("f", "data") }),
            Warns("f = data", "unusual magic"),
        ),
        (32, "a magic of nobody's", one(Raw { magic: *b"astar\x0000", ..file("f", "data") }), Refuses(3, "magic")),
        (
            33,
            "an extended header beyond 1 MiB",
            with(&[extended(b'x', &vec![b'x'; (1 << 20) + 1]), x()]),
            Refuses(6, "--limit pax"),
        ),
        (
            33,
            "a long name beyond 1 MiB",
            with(&[extended(b'L', &vec![b'x'; (1 << 20) + 1]), x()]),
            Refuses(6, "--limit pax"),
        ),
        (
            34,
            "sizes that sum beyond 2^63",
            with(&[file("f", "").pax(b"size", b"9223372036854775807").bytes(), x()]),
            Refuses(6, "--limit ratio"),
        ),
    ]);
    vec
}

#[test]
fn h42_every_trap_of_tar_as_a_layer() {
    let traps = traps();
    for number in 1..=34 {
        assert!(traps.iter().any(|(trap, ..)| *trap == number), "T{number} stands in the table");
    }
    for (trap, what, tar, does) in traps {
        let made = case(42, format!("T{trap} {what}"), &docker(&[layer("base"), tar]));
        match does {
            Refuses(code, part) => drop(made.refuses(code, &["layer 2/2 sha256:", part])),
            Shows(tree) => {
                let read = made.accepts();
                assert_eq!(read.text().trim_end(), with_base(tree), "T{trap} {what}");
                assert!(!read.said.contains("warning"), "T{trap} {what}: {}", read.said);
            }
            Warns(tree, said) => {
                let read = made.accepts();
                assert_eq!(read.text().trim_end(), with_base(tree), "T{trap} {what}");
                assert!(read.said.contains(said), "T{trap} {what}: {}", read.said);
            }
        }
    }
}

/// The lines of a tree with the file of the lower layer among them.
fn with_base(tree: &str) -> String {
    let mut lines: Vec<&str> = tree.split("; ").chain(["base"]).collect();
    lines.sort_by_key(|line| line.split(' ').next().map(str::to_owned));
    lines.join("\n")
}

#[test]
fn h43_headers_whose_checksum_is_wrong() {
    let spoilt = |mut tar: Vec<u8>, at: usize| {
        tar[at] ^= 1;
        tar
    };
    let good = docker(&[layer("a = 1; b = 2")]);
    case(43, "the first of the archive", &spoilt(good.clone(), 0)).refuses(3, &["not a tar", "checksum"]);
    let later = good.windows(13).position(|window| window == b"manifest.json").unwrap();
    case(43, "a later one of the archive", &spoilt(good, later)).refuses(3, &["header at offset", "checksum"]);
    for (what, at) in
        [("name", 1024), ("mode", 1024 + 100), ("checksum", 1024 + 149), ("type", 1024 + 156), ("padding", 1024 + 511)]
    {
        let tar = spoilt(layer("a = 1; b = 2"), at);
        case(43, format!("a layer's, in its {what}"), &docker(&[tar]))
            .refuses(3, &["layer 1/1 sha256:", "header at offset 1024", "checksum"]);
    }
    let mut none = layer("a = 1");
    none[148..156].fill(0);
    case(43, "a layer's without any", &docker(&[none])).refuses(3, &["layer 1/1", "checksum"]);
    let mut signed = Raw::new("\u{e9}".as_bytes(), b'0').body(b"x").bytes();
    let sum: i64 = signed[..512]
        .iter()
        .enumerate()
        .map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { i64::from(byte as i8) })
        .sum();
    signed[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let signed = case(43, "a signed sum, as old writers made it", &docker(&[ended(&[signed])])).accepts();
    assert_eq!(signed.text(), "\u{e9} = x\n");
}
