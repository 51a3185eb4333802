//! What a reader sees in a tar: its entries, in order, and how it ended.
//!
//! In: the lines of the programs beside this file: kind, mode, owner, time, size, name, link, names of the owners, device, digest,
//! attributes, parted by tabs, names in hexadecimal digits; `#` and the digest of all contents at the end; `!` and why it refuses.
//! Names and the targets of hard links are compared as paths of the root filesystem: `./a`, `/a` and `a/` are one place.

use std::collections::{BTreeMap, BTreeSet};

/// One entry; what a reader does not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Item {
    /// `f`, `d`, `l`, `h` (hard link), `c`, `b`, `p`.
    pub(crate) kind: String,
    pub(crate) mode: String,
    pub(crate) owner: String,
    pub(crate) time: String,
    pub(crate) size: String,
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) names: Option<String>,
    pub(crate) device: String,
    pub(crate) digest: Option<String>,
    pub(crate) attributes: Option<String>,
}

/// A whole tar.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub(crate) items: Vec<Item>,
    /// The digest of the contents of all files, one after the other.
    pub(crate) content: String,
    pub(crate) error: Option<String>,
}

impl Listing {
    /// The listings that a program prints, by the path of the tar.
    pub(crate) fn parse(text: &str) -> BTreeMap<String, Self> {
        let mut found = BTreeMap::new();
        for part in text.split("=\t").skip(1) {
            let mut lines = part.lines();
            let mut listing = Self::default();
            let path = lines.next().unwrap().to_owned();
            for line in lines {
                let fields: Vec<&str> = line.split('\t').collect();
                match fields[..] {
                    ["#", digest] => digest.clone_into(&mut listing.content),
                    ["!", why] => listing.error = Some(String::from_utf8_lossy(&unhex(why)).into_owned()),
                    _ => listing.items.push(Item::parse(&fields)),
                }
            }
            found.insert(path, listing);
        }
        found
    }

    /// In what the other one differs.
    pub(crate) fn diff(&self, other: &Self) -> BTreeSet<&'static str> {
        if other.error.is_some() {
            return BTreeSet::from(["refuses"]);
        }
        if self.items.len() != other.items.len() {
            return BTreeSet::from(["entries"]);
        }
        let mut found: BTreeSet<_> = self.items.iter().zip(&other.items).flat_map(|(a, b)| a.diff(b)).collect();
        if self.content != other.content {
            found.insert("content");
        }
        found
    }
}

impl Item {
    fn parse(fields: &[&str]) -> Self {
        let [kind, mode, owner, time, size, name, link, names, device, digest, attributes] = fields[..] else {
            panic!("no line of a listing: {fields:?}");
        };
        Self {
            kind: kind.into(),
            mode: mode.into(),
            owner: owner.into(),
            time: time.into(),
            size: size.into(),
            name: unhex(name),
            link: unhex(link),
            names: Some(names.into()),
            device: device.into(),
            digest: Some(digest.into()),
            attributes: Some(without_overlay(attributes)),
        }
    }

    pub(crate) fn diff(&self, other: &Self) -> Vec<&'static str> {
        let told = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        let link = |item: &Self| if item.kind == "h" { target(&item.link) } else { item.link.clone() };
        let differences = [
            ("type", self.kind != other.kind),
            ("name", clean(&self.name) != clean(&other.name)),
            ("mode", self.mode != other.mode),
            ("owner", self.owner != other.owner),
            ("time", !same_time(&self.time, &other.time)),
            ("size", self.size != other.size),
            ("link", link(self) != link(other)),
            ("names", told(&self.names, &other.names)),
            ("device", self.device != other.device),
            ("content", told(&self.digest, &other.digest)),
            ("attributes", told(&self.attributes, &other.attributes)),
        ];
        differences.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

/// Python's times are floating point numbers, marked by a `~`; ours count nanoseconds forward from the second below.
fn same_time(a: &str, b: &str) -> bool {
    let Some(float) = b.strip_prefix('~') else { return a == b };
    let (seconds, nanos) = a.split_once('.').unwrap();
    let a = seconds.parse::<f64>().unwrap() + nanos.parse::<f64>().unwrap() / 1e9;
    (a - float.parse::<f64>().unwrap()).abs() <= 1e-6 + a.abs() * 1e-15
}

/// A path of the root filesystem; one that climbs above it keeps its dots.
pub(crate) fn clean(name: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join(&b'/')
}

/// What a hard link stands for: it stays below the root, as in a chroot (M67).
pub(crate) fn target(link: &[u8]) -> Vec<u8> {
    let clean = clean(link);
    clean.split(|byte| *byte == b'/').skip_while(|part| *part == b"..").collect::<Vec<_>>().join(&b'/')
}

/// Without the attributes of overlayfs, which imgstrip leaves out (M92).
fn without_overlay(attributes: &str) -> String {
    let overlay = [hex(b"trusted.overlay."), hex(b"user.overlay.")];
    let kept = attributes.split(',').filter(|one| !overlay.iter().any(|overlay| one.starts_with(overlay)));
    kept.collect::<Vec<_>>().join(",")
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_difference_is_found_in_every_field() {
    let line = "f\t644\t1:2\t3.000000000\t4\t61\t\t75:67\t-\taa\t";
    let parse = |line: &str| Listing::parse(&format!("=\tx\n{line}\n#\tbb\n")).remove("x").unwrap();
    for (from, to, what) in [
        ("f\t", "d\t", "type"),
        ("644", "645", "mode"),
        ("1:2", "1:3", "owner"),
        ("3.000000000", "3.000000001", "time"),
        ("\t4\t", "\t5\t", "size"),
        ("\t61\t", "\t62\t", "name"),
        ("61\t\t", "61\t62\t", "link"),
        ("75:67", "75:68", "names"),
        ("-\taa", "1,2\taa", "device"),
        ("aa\t", "ab\t", "content"),
        ("aa\t", "aa\t6b=6c", "attributes"),
    ] {
        assert_eq!(parse(line).diff(&parse(&line.replacen(from, to, 1))), BTreeSet::from([what]));
    }
    assert!(parse(line).diff(&parse(&line.replacen("\t61\t", "\t2e2f612f\t", 1))).is_empty());
}
