//! H34 to H41, H44: what is small and becomes large, or takes long.

use super::{MEMORY, case, gzip, large, many, zstd};
use crate::image::{config, docker, hex, member};
use crate::lines::layer;
use crate::outer::{LAYER, Oci, descriptor, named};
use crate::tar::{Raw, archive};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Zeros that are written at once.
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// The tar of one file of so many zeros, into anything.
fn zeros(size: u64, to: &mut dyn Write) {
    let mut header = Raw::new(b"zeros", b'0').pax(b"size", size.to_string().as_bytes()).bytes();
    header.truncate(1536);
    to.write_all(&header).unwrap();
    let padded = size.next_multiple_of(512) + 1024;
    for at in (0..padded).step_by(ZEROS.len()) {
        to.write_all(&ZEROS[..(padded - at).min(ZEROS.len() as u64) as usize]).unwrap();
    }
}

/// Hashes what goes through.
#[derive(Default)]
struct Hashed(Sha256);

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An OCI archive of one compressed layer of so many zeros; the layer is small.
fn bomb(name: &str, size: u64) -> Vec<u8> {
    let mut hashed = Hashed::default();
    zeros(size, &mut hashed);
    let diff_id: String = hashed.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let packed = if name == "gzip" {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        zeros(size, &mut encoder);
        encoder.finish().unwrap()
    } else {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        zeros(size, &mut encoder);
        encoder.finish().unwrap()
    };
    let mut oci = Oci::default();
    let one = oci.blob(&format!("{LAYER}+{name}"), &packed);
    let mut config = config(&[Vec::new()]);
    config["rootfs"]["diff_ids"] = json!([format!("sha256:{diff_id}")]);
    let image = named(oci.manifest(&config, &[one]));
    oci.archive(&[image])
}

/// An OCI archive of this layer blob, whose tar is another.
fn packed(name: &str, blob: &[u8], tar: &[u8]) -> Vec<u8> {
    let mut oci = Oci::default();
    let one = oci.blob(&format!("{LAYER}{name}"), blob);
    let image = named(oci.manifest(&config(&[tar.to_vec()]), &[one]));
    oci.archive(&[image])
}

#[test]
fn h34_bombs_of_every_compression() {
    let size = many(66 << 20, 10_000_000_000);
    // Deflate cannot exceed 1032: what is within it may be a file of zeros, and takes disk, not memory.
    case(34, "gzip, 1000 to 1", &bomb("gzip", size))
        .with(&["--limit", "expanded=64MiB"])
        .refuses(6, &["layer 1/1", "--limit expanded"]);
    case(34, "gzip, 1000 to 1, a lower ratio", &bomb("gzip", size))
        .with(&["--limit", "ratio=900"])
        .refuses(6, &["layer 1/1", "--limit ratio"]);
    case(34, "zstd, 30 000 to 1", &bomb("zstd", size))
        .refuses(6, &["layer 1/1", "more than 1100 times", "--limit ratio"]);
    case(34, "zstd, allowed", &bomb("zstd", 66 << 20))
        .memory(2 * MEMORY)
        .with(&["--limit", "ratio=100000", "--limit", "expanded=100MiB"])
        .accepts();
    // Two stages of 1000 to 1 are a million to one.
    for (what, outer) in [("gzip in gzip", gzip as fn(&[u8]) -> Vec<u8>), ("gzip in zstd", zstd)] {
        let twice = outer(&bomb("gzip", 66 << 20));
        case(34, format!("{what}, a million to one"), &twice).refuses(6, &["1100 times", "--limit ratio"]);
    }
    let whole = |pack: fn(&[u8]) -> Vec<u8>| {
        let mut tar = Vec::new();
        zeros(66 << 20, &mut tar);
        pack(&tar)
    };
    case(34, "a whole archive in zstd", &whole(zstd)).refuses(6, &["--limit ratio"]);
    case(34, "a whole archive in gzip", &whole(gzip))
        .with(&["--limit", "expanded=64MiB"])
        .refuses(6, &["--limit expanded"]);
    let xz = |bytes: &[u8]| liblzma::encode_all(bytes, 6).unwrap();
    case(34, "a whole archive in xz", &whole(xz)).refuses(6, &["--limit ratio"]);
}

#[test]
fn h34_windows_that_need_memory() {
    // A frame that asks for 2 GiB: magic, a header without anything, the window, one raw block of nothing.
    let window = b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00";
    case(34, "zstd, a layer's window of 2 GiB", &packed("+zstd", window, b""))
        .refuses(6, &["layer 1/1", "--limit window"]);
    case(34, "zstd, the archive's window of 2 GiB", window).refuses(6, &["--limit window"]);
    let mut options = liblzma::stream::LzmaOptions::new_preset(6).unwrap();
    options.dict_size(1 << 30);
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(&options);
    // Only the header says so; the encoder itself would take ten times as much.
    let mut xz = liblzma::encode_all(&docker(&[layer("a")])[..], 6).unwrap();
    let block = 12;
    let (header, props) = (usize::from(xz[block]) * 4 + 4, block + 4);
    assert_eq!(xz[block + 2..props], [0x21, 1], "an LZMA2 filter of one byte");
    xz[props] = 36; // 1 GiB
    let sum = crc32(&xz[block..block + header - 4]);
    xz[block + header - 4..block + header].copy_from_slice(&sum.to_le_bytes());
    case(34, "xz, a dictionary of 1 GiB", &xz).refuses(6, &["--limit window"]);
}

/// The checksum of an xz block's header.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn h34_sparse_files_that_are_mostly_holes() {
    let file = |body: &[u8], records: &[(&str, &str)]| {
        let mut entry = Raw::new(b"GNUSparseFile.0/s", b'0').body(body);
        for (key, value) in records {
            entry = entry.pax(format!("GNU.sparse.{key}").as_bytes(), value.as_bytes());
        }
        docker(&[archive(&[entry])])
    };
    let map = |text: &str| [text.as_bytes(), &vec![0; text.len().next_multiple_of(512) - text.len()]].concat();
    let one = [("major", "1"), ("minor", "0"), ("name", "s")];
    for (what, size, part) in [
        ("8 EiB", "9223372036854775807", "--limit ratio"),
        ("a TiB", "1099511627776", "--limit ratio"),
        ("100 GB", "100000000000", "--limit ratio"),
    ] {
        let records = [&one[..], &[("realsize", size)]].concat();
        case(34, format!("sparse, {what}"), &file(&map("0\n"), &records)).refuses(6, &["layer 1/1", "entry", part]);
    }
    // CVE-2025-58183: a count, and a map that goes on as long as there is data.
    let long = format!("2000000\n{}", "0\n0\n".repeat(1_000_001));
    let records = [&one[..], &[("realsize", "1000")]].concat();
    case(34, "sparse, a map of 2 million runs", &file(&map(&long), &records)).refuses(6, &["entry", "--limit sparse"]);
    case(34, "sparse, a count of 2^64-1", &file(&map("18446744073709551615\n"), &records))
        .refuses(3, &["entry", "the map"]);
    case(34, "sparse, a number of 600 digits", &file(&map(&"9".repeat(600)), &records))
        .refuses(3, &["entry", "the map"]);
    let runs: String = (0..70_000).map(|n| format!("{n},0,")).collect();
    let records = [("size", "70000"), ("numblocks", "70000"), ("map", runs.trim_end_matches(',')), ("name", "s")];
    case(34, "sparse 0.1, a lower limit", &file(b"", &records))
        .with(&["--limit", "sparse=1000"])
        .refuses(6, &["--limit sparse"]);
    // CVE-2026-32288: an old header whose map goes on in block after block.
    let mut old = Raw { magic: *b"ustar  \0", ..Raw::new(b"s", b'S') }.bytes();
    old[482] = 1;
    old[483..495].copy_from_slice(b"00000001000\0");
    old[148..156].fill(b' ');
    let sum: u32 = old.iter().map(|&byte| u32::from(byte)).sum();
    old[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut more: Vec<u8> = b"00000000000\0".repeat(42);
    more.resize(504, 0);
    more.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    let endless = [old, more.repeat(50_000)].concat();
    case(34, "an old sparse header without an end", &docker(&[endless])).refuses(6, &["entry \"s\"", "--limit sparse"]);
}

/// The tar of many entries of one kind, packed as it is made; then with what it holds.
fn numbered(count: u64, entry: impl Fn(u64) -> Raw) -> Vec<u8> {
    let mut tar = Vec::new();
    for n in 0..count {
        tar.extend(entry(n).bytes());
    }
    tar.extend([0; 1024]);
    tar
}

fn empty(n: u64) -> Raw {
    Raw::new(format!("d{}/f{n}", n % 100).as_bytes(), b'0')
}

/// MiB that a run over so many entries may take: 1 KiB for each.
fn per_entry(count: u64) -> u64 {
    MEMORY + count / 1024
}

#[test]
fn h35_a_million_empty_files() {
    let count = many(10_000, 1_000_000);
    let tar = numbered(count, empty);
    let made = case(35, format!("{count} empty files"), &docker(&[tar])).memory(per_entry(count)).accepts();
    assert_eq!(made.entries(), count + 100);
    let count = many(10_000, 10_000_000);
    let packed = |name: &str| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        let mut hashed = Hashed::default();
        for n in 0..count {
            let bytes = empty(n).bytes();
            encoder.write_all(&bytes).unwrap();
            hashed.write_all(&bytes).unwrap();
        }
        for to in [&mut encoder as &mut dyn Write, &mut hashed] {
            to.write_all(&[0; 1024]).unwrap();
        }
        let diff_id: String = hashed.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut oci = Oci::default();
        let one = oci.blob(&format!("{LAYER}+{name}"), &encoder.finish().unwrap());
        let mut config = config(&[Vec::new()]);
        config["rootfs"]["diff_ids"] = json!([format!("sha256:{diff_id}")]);
        let image = named(oci.manifest(&config, &[one]));
        oci.archive(&[image])
    };
    let limit = count / 2;
    case(35, format!("{count} empty files, {limit} allowed"), &packed("zstd"))
        .with(&["--limit", &format!("entries={limit}")])
        .memory(per_entry(limit))
        .refuses(6, &["layer 1/1", "entries"]);
}

#[test]
fn h35_the_entries_of_all_layers_together_are_bounded_while_they_are_read() {
    let (layers, each) = (20, many(1_000, 50_000));
    let tars: Vec<Vec<u8>> =
        (0..layers).map(|layer| numbered(each, move |n| Raw::new(format!("l{layer}/f{n}").as_bytes(), b'0'))).collect();
    let limit = (each * 2).to_string();
    case(35, format!("{layers} layers of {each} entries, {limit} allowed"), &docker(&tars))
        .with(&["--limit", &format!("entries={limit}")])
        .memory(per_entry(each * 3))
        .refuses(6, &["app:1.0", &format!("more than {limit} entries"), "--limit entries"]);
}

#[test]
fn h36_a_name_of_a_mebibyte() {
    let named = |len: usize| docker(&[archive(&[Raw::new(&vec![b'n'; len], b'0')])]);
    let parts =
        |len: usize| docker(&[archive(&[Raw::new(&[&[b'n'; 255][..], b"/"].concat().repeat(len / 256), b'5')])]);
    case(36, "1 MiB", &named(1 << 20)).refuses(6, &["layer 1/1", "--limit pax"]);
    case(36, "1 MiB, pax allowed", &named(1 << 20))
        .with(&["--limit", "pax=2MiB"])
        .refuses(6, &["bytes ...]", "the name is longer than 65536"]);
    case(36, "64 KiB and one", &named((64 << 10) + 1)).refuses(6, &["the name is longer than 65536", "--limit name"]);
    case(36, "64 KiB", &named(64 << 10)).accepts();
    case(36, "64 KiB of directories", &parts(64 << 10)).accepts();
    let target = |len: usize| docker(&[archive(&[Raw { link: vec![b't'; len], ..Raw::new(b"l", b'2') }])]);
    case(36, "a target of 64 KiB and one", &target((64 << 10) + 1))
        .refuses(6, &["the link target is longer than 65536"]);
    case(36, "a target of 64 KiB", &target(64 << 10)).accepts();
    let gnu = |flag: u8| {
        let long = Raw { magic: *b"ustar  \0", ..Raw::new(b"././@LongLink", flag) }.body(&[b'n'; 70_000]);
        docker(&[archive(&[long, Raw { link: b"t".to_vec(), ..Raw::new(b"l", b'2') }])])
    };
    case(36, "a GNU name of 70 000", &gnu(b'L')).refuses(6, &["the name is longer"]);
    case(36, "a GNU target of 70 000", &gnu(b'K')).refuses(6, &["the link target is longer"]);
    case(36, "a member of the archive", &archive(&[Raw::new(&[b'm'; 70_000], b'0')]))
        .refuses(6, &["the name is longer"]);
}

#[test]
fn h37_a_path_of_4096_directories() {
    let deep =
        |depth: usize| docker(&[archive(&[Raw::new(&[&b"d/".repeat(depth)[..], b"f"].concat(), b'0').body(b"x")])]);
    let made = case(37, "4096 deep", &deep(4096)).accepts();
    assert_eq!(made.entries(), 4097);
    case(37, "30 000 deep", &deep(30_000)).refuses(6, &["layer 1/1", "--limit paths"]);
    case(37, "30 000 deep, 1000 entries allowed", &deep(30_000))
        .with(&["--limit", "entries=1000"])
        .refuses(6, &["--limit entries"]);
    // Each directory is an entry whose name is all of its path: the square of the depth is what there is to write.
    let depth = many(500, 30_000) as usize;
    let deep = case(37, format!("{depth} deep, allowed"), &deep(depth)).with(&["--limit", "paths=2GiB"]);
    deep.memory(many(1, 40) * MEMORY).accepts();
    let both = [layer(&"d/".repeat(1024)), layer(&format!("{}.wh.d", "d/".repeat(1023)))];
    assert_eq!(case(37, "deleted again", &docker(&both)).accepts().entries(), 1023);
}

#[test]
fn h38_a_hundred_thousand_links() {
    let count = many(5_000, 1_000_000);
    let star = numbered(count, |n| match n {
        0 => Raw::new(b"f", b'0').body(b"x"),
        n => Raw { link: b"f".to_vec(), ..Raw::new(format!("l{n}").as_bytes(), b'1') },
    });
    let made = case(38, format!("{count} hard links to one file"), &docker(&[star])).memory(per_entry(count)).accepts();
    assert_eq!(made.entries(), count);
    let count = many(3_000, 100_000);
    let chain = |flag: u8| {
        numbered(count, move |n| match n {
            0 => Raw::new(b"l0", b'0').body(b"x"),
            n => Raw { link: format!("l{}", n - 1).into(), ..Raw::new(format!("l{n}").as_bytes(), flag) },
        })
    };
    let made =
        case(38, format!("a chain of {count} hard links"), &docker(&[chain(b'1')])).memory(per_entry(count)).accepts();
    assert_eq!(made.text().matches(" => l0").count() as u64, count - 1);
    case(38, format!("a chain of {count} symlinks"), &docker(&[chain(b'2')])).memory(per_entry(count)).accepts();
    for (what, tar) in
        [("to itself", layer("l => l")), ("in a circle", layer("a => b; b => a")), ("to nothing", layer("l => gone"))]
    {
        case(38, format!("a hard link {what}"), &docker(&[tar])).refuses(3, &["layer 1/1", "entry"]);
    }
    case(38, "a hard link to a directory", &docker(&[layer("d/; l => d")])).refuses(3, &["layer 1/1", "entry \"l\""]);
}

#[test]
fn h39_a_hundred_thousand_whiteouts() {
    let count = many(3_000, 100_000);
    let lower = numbered(count, |n| Raw::new(format!("f{n}").as_bytes(), b'0'));
    let upper = numbered(count, |n| Raw::new(format!(".wh.f{n}").as_bytes(), b'0'));
    let made = case(39, format!("{count} whiteouts over as many entries"), &docker(&[lower.clone(), upper.clone()]));
    assert_eq!(made.memory(2 * per_entry(count)).accepts().text(), "");
    let made = case(39, format!("{count} whiteouts of nothing"), &docker(&[layer("a"), upper.clone()]));
    assert_eq!(made.memory(2 * per_entry(count)).accepts().text(), "a\n");
    case(39, "whiteouts count as entries", &docker(&[layer("a"), upper]))
        .with(&["--limit", "entries=1000"])
        .refuses(6, &["entries"]);
    let opaque: Vec<Vec<u8>> = (0..many(50, 400)).map(|n| layer(&format!("d/; d/.wh..wh..opq; d/f{n}"))).collect();
    let last = opaque.len() - 1;
    assert_eq!(
        case(39, "an opaque directory in every layer", &docker(&opaque)).accepts().text(),
        format!("d/\nd/f{last}\n")
    );
}

#[test]
fn h40_ten_thousand_symlinks_of_255_hops() {
    let links = many(50, 10_000);
    let chain = |hops: u64| {
        let mut tar = numbered(links * hops, move |n| {
            let (link, hop) = (n / hops, n % hops);
            let target = if hop + 1 == hops { "end".to_owned() } else { format!("l{link}h{}", hop + 1) };
            Raw { link: target.into(), mode: 0o777, ..Raw::new(format!("l{link}h{hop}").as_bytes(), b'2') }
        });
        tar.truncate(tar.len() - 1024);
        tar
    };
    let below = |hops: u64| {
        let tar = [Raw::new(b"end/", b'5').bytes(), chain(hops)].concat();
        let entries = numbered(links, |n| Raw::new(format!("l{n}h0/f{n}").as_bytes(), b'0'));
        docker(&[[tar, entries].concat()])
    };
    let count = links * 30;
    case(40, format!("{links} paths through 30 hops"), &below(30)).memory(2 * per_entry(count)).accepts();
    case(40, format!("{links} paths through 255 hops"), &below(255))
        .memory(2 * per_entry(links * 255))
        .refuses(6, &["layer 1/1", "entry \"l0h0/f0\"", "--limit symlinks"]);
    let commands = [Raw::new(b"bin/", b'5').bytes(), chain(255), vec![0; 1024]].concat();
    case(40, format!("{links} chains of 255 hops that nothing goes through"), &docker(&[commands]))
        .memory(2 * per_entry(links * 255))
        .with(&["--only-needed", "--keep", "/l0h0"])
        .accepts();
}

#[test]
fn h41_a_million_attributes() {
    let body = |count: usize| {
        let mut body = String::new();
        for n in 0..count {
            let record = format!(" SCHILY.xattr.user.{n}=\n");
            let len = record.len() + 2;
            let len = if len + usize::from(len >= 99) > 99 { len + 1 } else { len };
            write!(body, "{len}{record}").unwrap();
        }
        body
    };
    let with = |body: &[u8]| docker(&[[Raw::new(b"x", b'x').body(body).bytes(), layer("f")].concat()]);
    let count = many(45_000, 1_000_000) as usize;
    case(41, format!("{count} attributes"), &with(body(count).as_bytes())).refuses(6, &["layer 1/1", "--limit pax"]);
    case(41, "5 000 attributes", &with(body(5_000).as_bytes())).accepts();
    case(41, "5 000 attributes, 20 KiB allowed", &with(body(5_000).as_bytes()))
        .with(&["--limit", "xattrs=20KiB"])
        .refuses(6, &["entry \"x\"", "extended attributes", "--limit xattrs"]);
    for (what, size) in [("1 GiB", 1u64 << 30), ("2 GiB", 2 << 30), ("8 EiB", u64::MAX / 2)] {
        let mut header = Raw::new(b"x", b'x').bytes();
        header[124..136].fill(0);
        header[124] = 0x80;
        header[128..136].copy_from_slice(&size.to_be_bytes());
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        case(
            41,
            format!("a pax header of {what}, of which nothing is there"),
            &docker(&[[header, layer("f")].concat()]),
        )
        .refuses(6, &["layer 1/1", &size.to_string(), "--limit pax"]);
    }
    let one = |size: usize| docker(&[archive(&[Raw::new(b"f", b'0').pax(b"SCHILY.xattr.user.k", &vec![b'v'; size])])]);
    case(41, "an attribute of 900 KiB", &one(900 << 10)).accepts();
    case(41, "an attribute of 17 MiB", &one(17 << 20))
        .with(&["--limit", "pax=32MiB"])
        .memory(3 * MEMORY)
        .refuses(6, &["--limit xattrs"]);
    // Each of many entries within its own limit: 64 MiB of attributes in all.
    let kept: Vec<Raw> = (0..many(4, 64))
        .map(|n| Raw::new(format!("f{n}").as_bytes(), b'0').pax(b"SCHILY.xattr.user.k", &vec![n as u8; 1 << 20]))
        .collect();
    case(41, "an attribute of 1 MiB at each of many files", &docker(&[archive(&kept)]))
        .with(&["--limit", "pax=2MiB"])
        .memory(MEMORY + 4 * kept.len() as u64)
        .accepts();
}

#[test]
fn h44_globs_and_rules_that_take_long() {
    let names: String = (0..200).map(|n| format!("{}; ", "a".repeat(n + 1))).collect();
    let tar = layer(names.trim_end_matches("; "));
    let stars = "*a".repeat(60) + "b";
    let deep = "**/a".repeat(60);
    let braces = "{a,b}".repeat(30);
    let nested = format!("{}a{}", "{a,".repeat(16), "}".repeat(16));
    for glob in [&stars, &deep, &braces, &nested, &format!("/{}", "?".repeat(4000)), &"[a-z]".repeat(800)] {
        let short: String = glob.chars().take(20).collect();
        case(44, format!("{short}..."), &docker(std::slice::from_ref(&tar)))
            .with(&["--drop", glob])
            .memory(4 * MEMORY)
            .accepts();
    }
    for (what, glob) in [
        ("17 braces deep", format!("{}a{}", "{a,".repeat(17), "}".repeat(17))),
        ("of 5000 bytes", "a".repeat(5000)),
        ("that never closes", "/a/[b".into()),
        ("above the root", "/a/../../b".into()),
        ("of nothing", String::new()),
    ] {
        let place = super::Place::with(&docker(std::slice::from_ref(&tar)));
        let words = [format!("--drop={glob}").into(), place.input().into_os_string(), place.output().into()];
        super::refused((44, &format!("a glob {what}")), &place, 2, &["--drop"], || place.run(MEMORY, &words));
    }
    let count = many(2_000, 100_000);
    let mut rules = String::new();
    for n in 0..count {
        writeln!(rules, "[[rule]]\nname = \"r{n}\"\nreason = \"none\"\ndrop = [\"/x{n}/**\", \"*.x{n}\"]").unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rules.toml");
    std::fs::write(&path, format!("summary = \"x\"\n{rules}")).unwrap();
    case(44, format!("{count} rules"), &docker(&[tar]))
        .with(&["--rules", path.to_str().unwrap()])
        .memory(16 * MEMORY + count / 20)
        .accepts();
}

/// Bytes that the helpers of this file make are what they claim to be.
#[test]
fn a_bomb_is_a_layer_like_any_other() {
    let made = case(34, "100 KB of zeros", &bomb("gzip", 100_000)).with(&["-z", "none"]).accepts();
    assert_eq!(made.text().len(), "zeros = ".len() + 4 * 100_000 + 1);
    assert!(descriptor("", b"")["digest"].as_str().unwrap().ends_with(&hex(b"")) && member("a", b"").body.is_empty());
    large(34, "an empty file", |_| {}).refuses(3, &["empty"]);
}
