//! PAX records, and sparse files in each of the four ways to write one: the file's bytes are those that were meant, and what is accepted, Go reads
//! alike.
//!
//! In: records as text, one `key=value` a line, `# ` first; or bytes that choose records, or a sparse file.

use super::choices::Choices;
use super::tar::{agrees, sum};
use crate::tar::Raw;
use imgstrip::rootfs::{Content, EntryKind, Run};

pub fn check(bytes: &[u8]) -> bool {
    if let Some(text) = bytes.strip_prefix(b"# ") {
        let lines = text.split(|&byte| byte == b'\n').skip(1).filter(|line| !line.is_empty());
        return agrees(&tar(&lines.flat_map(record).collect::<Vec<u8>>(), b'0', &[b'x'; 700])).is_ok();
    }
    let choices = &mut Choices(bytes);
    if choices.byte() % 2 == 0 {
        let body = body(choices);
        let kind = choices.of(b"00123567");
        let data = if kind == b'0' { choices.bytes(40).repeat(choices.few(30)) } else { Vec::new() };
        return agrees(&tar(&body, kind, &data)).is_ok();
    }
    sparse(choices)
}

/// A record of a line, with the length that it has.
fn record(line: &[u8]) -> Vec<u8> {
    let mut len = line.len() + 3;
    while len.to_string().len() + 2 + line.len() != len {
        len = len.to_string().len() + 2 + line.len();
    }
    [len.to_string().as_bytes(), b" ", line, b"\n"].concat()
}

/// A PAX header with this body, and the entry.
fn tar(body: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
    let mut entry = Raw::new(b"plain", kind).body(data);
    entry.link = if matches!(kind, b'1' | b'2') { b"to".to_vec() } else { Vec::new() };
    crate::tar::archive(&[Raw::new(b"PaxHeaders/plain", b'x').body(body), entry, Raw::new(b"after", b'0').body(b"1")])
}

/// The body of a PAX header, most of it well formed.
pub fn body(choices: &mut Choices<'_>) -> Vec<u8> {
    const KEYS: [&[u8]; 28] = [
        b"path",
        b"linkpath",
        b"size",
        b"uid",
        b"gid",
        b"uname",
        b"gname",
        b"mtime",
        b"atime",
        b"ctime",
        b"SCHILY.xattr.user.a",
        b"SCHILY.xattr.trusted.overlay.opaque",
        b"LIBARCHIVE.xattr.user.a",
        b"LIBARCHIVE.xattr.user.%61",
        b"SCHILY.acl.access",
        b"RHT.security.selinux",
        b"SCHILY.devmajor",
        b"SCHILY.devminor",
        b"GNU.sparse.major",
        b"GNU.sparse.minor",
        b"GNU.sparse.name",
        b"GNU.sparse.size",
        b"GNU.sparse.realsize",
        b"GNU.sparse.numblocks",
        b"GNU.sparse.offset",
        b"GNU.sparse.numbytes",
        b"GNU.sparse.map",
        b"comment",
    ];
    let mut body = Vec::new();
    for _ in 0..choices.few(6) {
        let key = if choices.rarely(12) { choices.bytes(12) } else { choices.of(&KEYS).to_vec() };
        let value = match choices.few(9) {
            0 => choices.number().to_string().into_bytes(),
            1 => choices.byte().to_string().into_bytes(),
            2 => choices
                .of(&[
                    &b"0"[..],
                    b"1",
                    b"",
                    b"-1",
                    b"+1",
                    b"1.5",
                    b"-1.25",
                    b"9223372036854775808",
                    b"1.x",
                    b".5",
                    b"-0.5",
                ])
                .to_vec(),
            3 => choices.of(&[&b"a/b"[..], b"../a", b"/a/", b".", b"a\0b", b"\xff"]).to_vec(),
            4 => (0..choices.few(8)).map(|_| choices.byte().to_string()).collect::<Vec<_>>().join(",").into_bytes(),
            5 => vec![b'v'; choices.below(3000)],
            _ => choices.bytes(12),
        };
        let mut record = record(&[&key[..], b"=", &value].concat());
        if choices.rarely(24) {
            let at = choices.below(record.len());
            record[at] = choices.of(b" =\n\x000+-9a");
        }
        body.extend(record);
    }
    body
}

/// A file of a few runs of data, written in one of the ways that GNU tar had for it, with something changed now and then.
fn sparse(choices: &mut Choices<'_>) -> bool {
    let (mut content, mut runs, mut data) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..choices.few(8) {
        content.resize(content.len() + choices.below(1500), 0);
        let bytes = choices.bytes(30).repeat(choices.few(40));
        runs.push((content.len(), bytes.len()));
        content.extend_from_slice(&bytes);
        data.extend(bytes);
    }
    content.resize(content.len() + choices.below(900), 0);
    if runs.last().is_none_or(|(at, len)| at + len < content.len()) {
        runs.push((content.len(), 0)); // as GNU tar ends it where a hole does
    }
    let broken = choices.rarely(4);
    let form = choices.few(4);
    if broken && !runs.is_empty() {
        let at = choices.few(runs.len());
        match choices.few(5) {
            0 => runs[at].0 += choices.few(9),
            1 => runs[at].1 = (runs[at].1 + choices.few(9)).saturating_sub(4),
            2 => drop(runs.remove(at)),
            3 => runs.reverse(),
            _ => data.truncate(data.len() / 2),
        }
    }
    let size = content.len();
    let key = |key: &str, value: String| format!("GNU.sparse.{key}={value}").into_bytes();
    let numbers = || runs.iter().flat_map(|&(at, len)| [at, len]);
    let mut records = vec![key(if form == 1 { "realsize" } else { "size" }, size.to_string())];
    let tar = match form {
        0 => {
            records.extend([key("major", "1".into()), key("minor", "0".into()), key("name", "sparse".into())]);
            records[0] = key("realsize", size.to_string());
            let lines = [runs.len()].into_iter().chain(numbers()).map(|number| format!("{number}\n"));
            let mut stored = lines.collect::<String>().into_bytes();
            stored.resize(stored.len().next_multiple_of(512), 0);
            stored.extend(&data);
            self::tar(&records.iter().flat_map(|line| record(line)).collect::<Vec<u8>>(), b'0', &stored)
        }
        1 | 2 => {
            records.push(key("numblocks", runs.len().to_string()));
            if form == 1 {
                records.push(key("map", numbers().map(|number| number.to_string()).collect::<Vec<_>>().join(",")));
                records.extend([key("major", "0".into()), key("minor", "1".into()), key("name", "sparse".into())]);
            } else {
                let run =
                    |&(at, len): &(usize, usize)| [key("offset", at.to_string()), key("numbytes", len.to_string())];
                records.extend(runs.iter().flat_map(run));
            }
            self::tar(&records.iter().flat_map(|line| record(line)).collect::<Vec<u8>>(), b'0', &data)
        }
        _ => old(&runs, size, &data),
    };
    match agrees(&tar) {
        Err(error) => {
            // 0.x has no word for a file of no runs but in Go's eyes an empty map.
            assert!(broken || (matches!(form, 1 | 2) && runs.is_empty()), "{error}");
            false
        }
        Ok(entries) => {
            let EntryKind::File(found) = &entries[0].kind else { panic!("a file") };
            assert!(broken || bytes(found, &tar) == content, "other bytes");
            assert_eq!(bytes(found, &tar).len() as u64, found.size);
            assert_eq!(entries.len(), 2, "the entry after it");
            true
        }
    }
}

/// GNU's own header of type `S`, with as many blocks behind it as it needs.
fn old(runs: &[(usize, usize)], size: usize, data: &[u8]) -> Vec<u8> {
    let mut raw = Raw::new(b"sparse", b'S').body(data);
    raw.magic = *b"ustar  \0";
    let mut tar = raw.bytes();
    let mut map: Vec<u8> = Vec::new();
    for (at, len) in runs {
        map.extend(format!("{at:011o}\0{len:011o}\0").bytes());
    }
    let (head, rest) = map.split_at(map.len().min(96));
    tar[386..386 + head.len()].copy_from_slice(head);
    tar[483..495].copy_from_slice(format!("{size:011o}\0").as_bytes());
    tar[482] = u8::from(!rest.is_empty());
    sum(&mut tar[..512]);
    let mut blocks = Vec::new();
    for (number, part) in rest.chunks(504).enumerate() {
        let mut block = part.to_vec();
        block.resize(512, 0);
        block[504] = u8::from((number + 1) * 504 < rest.len());
        blocks.extend(block);
    }
    tar.splice(512..512, blocks);
    tar.extend(crate::tar::archive(&[Raw::new(b"after", b'0').body(b"1")]));
    tar
}

/// The bytes of a file of a tar.
fn bytes(content: &Content, tar: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    while let Some(run) = content.run_at(out.len() as u64).unwrap() {
        match run {
            Run::Layer(_, range) => out.extend_from_slice(&tar[range.start as usize..range.end as usize]),
            Run::Zeros(count) => out.resize(out.len() + count as usize, 0),
            Run::Bytes(_) => panic!("a layer's bytes lie in the layer"),
        }
    }
    out
}
