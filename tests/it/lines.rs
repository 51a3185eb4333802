//! The text form of trees (`imgstrip::rootfs::text`) to and from tar entries, by code that is not the crate's.

use crate::tar::{Raw, Seen};
use std::collections::BTreeMap;

/// The lines of a text tree: one a line, or several on one line with `; ` between them.
pub fn lines(text: &str) -> Vec<&str> {
    let lines = text.split('\n').flat_map(|line| line.split("; ")).map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The tar of a layer in text form.
pub fn layer(text: &str) -> Vec<u8> {
    crate::tar::archive(&lines(text).into_iter().map(raw).collect::<Vec<_>>())
}

/// The tar entry of one line.
pub fn raw(line: &str) -> Raw {
    let (name, mut rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut entry = Raw::new(&unescape(name), if name.ends_with('/') { b'5' } else { b'0' });
    let mut attributes = "";
    if let Some(inner) = rest.strip_prefix('[') {
        (attributes, rest) = inner.split_once(']').unwrap();
        rest = rest.trim_start();
    }
    let (sign, value) = rest.split_once(' ').unwrap_or((rest, ""));
    match sign {
        "" => {}
        "=" => entry.body = unescape(value),
        "->" => (entry.typeflag, entry.link) = (b'2', unescape(value)),
        "=>" => (entry.typeflag, entry.link) = (b'1', unescape(value)),
        "char" => (entry.typeflag, entry.device) = (b'3', pair(value)),
        "block" => (entry.typeflag, entry.device) = (b'4', pair(value)),
        "fifo" => entry.typeflag = b'6',
        _ => panic!("not a line of a tree: {line}"),
    }
    entry.mode = default_mode(entry.typeflag);
    for word in attributes.split_whitespace() {
        if let Some(time) = word.strip_prefix('@') {
            let (seconds, nanos) = time.split_once('+').unwrap_or((time, "0"));
            entry.mtime = (seconds.parse().unwrap(), nanos.parse().unwrap());
        } else if let Some((key, value)) = word.split_once('=') {
            entry.pax.push(([&b"SCHILY.xattr."[..], &unescape(key)].concat(), unescape(value)));
        } else if word.contains(':') {
            (entry.uid, entry.gid) = pair(word);
        } else {
            entry.mode = u32::from_str_radix(word, 8).unwrap();
        }
    }
    entry
}

fn pair(text: &str) -> (u64, u64) {
    let (a, b) = text.split_once(':').unwrap();
    (a.parse().unwrap(), b.parse().unwrap())
}

fn default_mode(typeflag: u8) -> u32 {
    match typeflag {
        b'5' => 0o755,
        b'2' => 0o777,
        _ => 0o644,
    }
}

pub fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next().unwrap() {
                b'n' => out.push(b'\n'),
                b't' => out.push(b'\t'),
                b'r' => out.push(b'\r'),
                b'x' => {
                    let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                    out.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                }
                other => out.push(other),
            },
            _ => out.push(byte),
        }
    }
    out
}

pub fn escape(bytes: &[u8], space: bool) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                ' ' if space => out.push_str("\\x20"),
                c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
                c => out.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    out
}

/// The entries of a written layer as a text tree. What every written layer must be is checked on the way: clean
/// unique names, parents first, link targets earlier, nothing that a reader could take for a whiteout.
pub fn show(entries: &[Seen]) -> String {
    let mut inodes: Vec<&Seen> = Vec::new();
    let mut names: BTreeMap<Vec<Vec<u8>>, usize> = BTreeMap::new();
    for entry in entries {
        let raw = entry.name.strip_prefix(b"./").unwrap_or(&entry.name);
        let raw = raw.strip_suffix(b"/").unwrap_or(raw);
        let shown = escape(&entry.name, false);
        let path = split(raw);
        assert_eq!(path.join(&b'/'), raw, "{shown}: a clean name");
        assert_eq!(
            entry.typeflag == b'5',
            entry.name.ends_with(b"/"),
            "{shown}: directories end in a slash, nothing else"
        );
        assert!(path.iter().all(|name| name != b".." && name != b"."), "{shown}: a clean name");
        let last = path.last().cloned().unwrap_or_default();
        assert!(!last.starts_with(b".wh."), "{shown}: no whiteout in the output");
        let parents = (1..path.len()).map(|n| &path[..n]);
        for parent in parents.filter(|parent| !parent.last().unwrap().starts_with(b".wh.")) {
            let there = names.get(parent).unwrap_or_else(|| panic!("{shown}: its parent comes first"));
            assert_eq!(inodes[*there].typeflag, b'5', "{shown}: its parent is a directory");
        }
        let inode = if entry.typeflag == b'1' {
            assert!(!entry.link.starts_with(b"/"), "{shown}: a link target is relative");
            *names
                .get(&split(entry.link.strip_prefix(b"./").unwrap_or(&entry.link)))
                .unwrap_or_else(|| panic!("{shown}: its link target comes first"))
        } else {
            inodes.push(entry);
            inodes.len() - 1
        };
        assert!(names.insert(path, inode).is_none(), "{shown}: stands once");
    }
    // A directory whose own name would read as a whiteout has no entry (M26).
    let missing: Vec<Vec<Vec<u8>>> =
        names.keys().flat_map(|path| (1..path.len()).map(|n| path[..n].to_vec())).collect();
    let implied = Seen { name: Vec::new(), ..crate::tar::read(&layer("d/")).remove(0) };
    inodes.push(&implied);
    for parent in missing {
        names.entry(parent).or_insert(inodes.len() - 1);
    }
    let mut first: BTreeMap<usize, String> = BTreeMap::new();
    let mut out = String::new();
    for (path, &inode) in &names {
        let entry = inodes[inode];
        let name = escape(&path.join(&b'/'), true);
        let meta = show_meta(entry);
        if path.is_empty() {
            if !meta.is_empty() {
                out.push_str(&format!("./{meta}\n"));
            }
            continue;
        }
        if entry.typeflag != b'5'
            && let Some(first) = first.get(&inode)
        {
            out.push_str(&format!("{name} => {first}\n"));
            continue;
        }
        first.insert(inode, name.clone());
        let kind = match entry.typeflag {
            b'0' if entry.body.is_empty() => String::new(),
            b'0' => format!(" = {}", escape(&entry.body, false)),
            b'5' => String::new(),
            b'2' => format!(" -> {}", escape(&entry.link, false)),
            b'3' => format!(" char {}:{}", entry.device.0, entry.device.1),
            b'4' => format!(" block {}:{}", entry.device.0, entry.device.1),
            b'6' => " fifo".into(),
            other => panic!("{name}: type {other}"),
        };
        let slash = if entry.typeflag == b'5' { "/" } else { "" };
        out.push_str(&format!("{name}{slash}{meta}{kind}\n"));
    }
    out
}

fn split(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
}

fn show_meta(entry: &Seen) -> String {
    let mut words = Vec::new();
    if entry.mode != u64::from(default_mode(entry.typeflag)) {
        words.push(format!("{:04o}", entry.mode));
    }
    if (entry.uid, entry.gid) != (0, 0) {
        words.push(format!("{}:{}", entry.uid, entry.gid));
    }
    match entry.mtime {
        (0, 0) => {}
        (seconds, 0) => words.push(format!("@{seconds}")),
        (seconds, nanos) => words.push(format!("@{seconds}+{nanos}")),
    }
    let mut records = entry.records.clone();
    records.sort();
    for (key, value) in &records {
        let key = key.strip_prefix(b"SCHILY.xattr.").unwrap_or(key);
        words.push(format!("{}={}", escape(key, true), escape(value, true).replace(']', "\\x5d")));
    }
    if words.is_empty() { String::new() } else { format!(" [{}]", words.join(" ")) }
}
