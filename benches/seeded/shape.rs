//! What a synthetic image looks like: which entry stands where, of what kind, how large.
//!
//! In: counts and shares. Out: entries, layer after layer. An entry's path follows from its number alone, so that a layer can replace or delete what
//! a lower one has without anything being remembered.
//!
//! Entries come in groups of 16, a directory and what is in it. The directories are a tree in which each holds up to 20 others, rooted at the
//! places where real images have their files, so that presets find something to take; the files are of the kinds that the survey of needs tells apart.

use super::tape::{Archive, Layer};
use super::{Random, word};
use clap::ValueEnum;
use std::io;
use tar::EntryType;

/// How many entries a group has.
const GROUP: u64 = 16;

/// How many directories a directory holds.
const BRANCHES: u64 = 20;

/// Where the tree has its roots.
const ROOTS: [&str; 20] = [
    "usr/lib/x86_64-linux-gnu",
    "usr/share/doc",
    "usr/share/locale",
    "usr/share/man",
    "usr/lib/python3/dist-packages",
    "app/node_modules",
    "usr/local/lib/python3.12/site-packages",
    "usr/share/perl/5.36.0",
    "opt/tool",
    "etc/tool",
    "usr/include",
    "usr/lib/gcc/x86_64-linux-gnu/12",
    "var/lib/tool",
    "usr/share/fonts",
    "usr/share/zoneinfo",
    "srv/www",
    "home/user/project",
    "usr/lib/jvm/java-17/lib",
    "usr/src/tool",
    "usr/local/share/tool",
];

/// The only file of an image of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum One {
    /// Data that nobody looks into.
    File,
    /// A shared object whose dynamic section claims to be all of it.
    Elf,
    /// A shell script, which the image runs.
    Script,
    /// A jar in name only.
    Jar,
    /// A Python module.
    Python,
}

/// How much of what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
    pub(crate) layers: u64,
    pub(crate) overwritten: u64,
    pub(crate) whiteouts: u64,
}

impl Shape {
    pub(crate) fn write(self, archive: &mut Archive) -> io::Result<()> {
        let groups = (self.entries / GROUP).max(self.layers);
        let mean = self.bytes.checked_div(self.entries).unwrap_or(0);
        let mut made = 0;
        for layer in 0..self.layers {
            let own = groups * (layer + 1) / self.layers - groups * layer / self.layers;
            let share = |percent: u64| (own * percent / 100).min(made);
            let (over, out) = if layer == 0 { (0, 0) } else { (share(self.overwritten), share(self.whiteouts)) };
            let new = own - (over + out).min(own);
            archive.layer(|tar| {
                if layer == 0 {
                    program(tar)?;
                }
                let lower = Lower { groups: made, first: layer.wrapping_mul(7919) };
                for group in lower.spread(over) {
                    files(tar, group, layer, mean)?;
                }
                // Two whiteouts of one name would be a warning each; the next group is one that nothing replaces here.
                let next = Lower { first: lower.first + 1, ..lower };
                for group in next.spread(out) {
                    whiteouts(tar, group)?;
                }
                (made..made + new).try_for_each(|group| files(tar, group, layer, mean))
            })?;
            made += new;
        }
        Ok(())
    }
}

/// The groups that lower layers have.
#[derive(Debug, Clone, Copy)]
struct Lower {
    groups: u64,
    first: u64,
}

impl Lower {
    /// So many different ones, evenly apart.
    fn spread(self, count: u64) -> impl Iterator<Item = u64> {
        let step = self.groups.checked_div(count).unwrap_or(1);
        (0..count).map(move |at| (self.first + at * step) % self.groups)
    }
}

/// An image with one file, which is what its command runs where that makes sense.
pub(crate) fn one(archive: &mut Archive, one: One, bytes: u64) -> io::Result<()> {
    let (path, head) = match one {
        One::File => ("srv/data", Vec::new()),
        One::Elf => ("usr/lib/x86_64-linux-gnu/libone.so.1", elf(&["libmissing.so.1"], Some(bytes))),
        One::Script => ("bin/sh", b"#!/bin/busybox sh\n. /etc/profile\n".to_vec()),
        One::Jar => ("app/one.jar", b"PK\x03\x04\x14\0\0\0\x08\0".to_vec()),
        One::Python => ("app/one.py", b"#!/usr/bin/env python3\nimport os\n".to_vec()),
    };
    archive.layer(|tar| tar.file(path, 0o755, bytes, &head, &mut Random::new(7)))
}

/// What the image's command starts.
fn program(tar: &mut Layer<'_>) -> io::Result<()> {
    let shell = elf(&["libc.so.6"], None);
    tar.directory("usr")?;
    tar.directory("usr/bin")?;
    tar.link("bin", EntryType::Symlink, "usr/bin")?;
    tar.file("usr/bin/sh", 0o755, 0, &shell, &mut Random::new(0))?;
    tar.file("usr/lib/x86_64-linux-gnu/libc.so.6", 0o755, 0, &elf(&[], None), &mut Random::new(0))
}

/// The directory of a group.
fn directory(group: u64) -> String {
    match group.checked_sub(BRANCHES) {
        None => ROOTS.get(usize::try_from(group).unwrap_or(0)).copied().unwrap_or("srv").to_owned(),
        Some(below) => {
            let above = directory(below / BRANCHES);
            format!("{above}/{}{group}", word(group / 7))
        }
    }
}

/// The name of an entry of a group; every kind has one place in it.
fn name(group: u64, entry: u64) -> String {
    const ENDS: [&str; 15] = [
        ".so.1", ".sh", ".py", ".js", ".json", ".h", ".mo", ".txt", ".lnk", ".png", ".a", ".pyc", ".gz", ".html",
        ".dat",
    ];
    let end = usize::try_from(entry - 1).ok().and_then(|at| ENDS.get(at)).copied().unwrap_or_default();
    format!("{}-{}{end}", word(group ^ entry << 32), group % 100 + entry)
}

/// The size of a file around a mean, as files are: most are small, one in a hundred has a third of all bytes.
fn size(mean: u64, random: &mut Random) -> u64 {
    let hundredths = match random.of(0..100) {
        0..60 => 15,
        60..90 => 60,
        90..99 => 400,
        _ => 3700,
    };
    // Of 16 entries two to three are no files.
    mean * hundredths / 87 + random.of(0..64)
}

fn files(tar: &mut Layer<'_>, group: u64, layer: u64, mean: u64) -> io::Result<()> {
    let mut random = Random::new(group << 16 ^ layer);
    let directory = directory(group);
    tar.directory(&directory)?;
    for entry in 1..GROUP {
        let path = format!("{directory}/{}", name(group, entry));
        let head = match entry {
            1 => elf(&["libc.so.6", &name(random.of(0..BRANCHES), 1)], None),
            2 => format!("#!/bin/sh\nset -e\n. {directory}/{}\nexec sh -c {}\n", name(group, 2), word(group))
                .into_bytes(),
            3 => format!("import os, {}\n", word(group % 97)).into_bytes(),
            9 => {
                tar.link(&path, EntryType::Symlink, &name(group, 1))?;
                continue;
            }
            // A longer target would ask for headers of its own.
            15 if group.is_multiple_of(4) && directory.len() < 70 => {
                tar.link(&path, EntryType::Link, &format!("{directory}/{}", name(group, 8)))?;
                continue;
            }
            _ => Vec::new(),
        };
        let mode = if entry <= 2 { 0o755 } else { 0o644 };
        tar.file(&path, mode, size(mean, &mut random), &head, &mut random)?;
    }
    Ok(())
}

fn whiteouts(tar: &mut Layer<'_>, group: u64) -> io::Result<()> {
    let directory = directory(group);
    (1..=GROUP).try_for_each(|entry| {
        let path = format!("{directory}/.wh.{}", name(group, entry));
        tar.file(&path, 0o644, 0, &[], &mut Random::new(0))
    })
}

/// A shared object that needs these libraries. With `dynamic` its dynamic section claims to have so many bytes.
fn elf(needed: &[&str], dynamic: Option<u64>) -> Vec<u8> {
    const HEADERS: u64 = 64 + 2 * 56;
    let mut strings = vec![0];
    let mut entries: Vec<(u64, u64)> = Vec::new();
    for name in needed {
        entries.push((1, strings.len() as u64)); // DT_NEEDED
        strings.extend(name.bytes().chain([0]));
    }
    let table = HEADERS + (entries.len() as u64 + 3) * 16;
    entries.extend([(5, table), (10, strings.len() as u64), (0, 0)]); // DT_STRTAB, DT_STRSZ, DT_NULL
    let total = dynamic.unwrap_or(table + strings.len() as u64);
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    for (value, width) in
        [(3, 2), (62, 2), (1, 4), (0, 8), (64, 8), (0, 8), (0, 4), (64, 2), (56, 2), (2, 2), (64, 2), (0, 2), (0, 2)]
    {
        put(&mut bytes, value, width);
    }
    // PT_LOAD of the whole file, PT_DYNAMIC.
    for (kind, offset, size) in [(1, 0, total), (2, HEADERS, dynamic.map_or(table - HEADERS, |size| size - HEADERS))] {
        put(&mut bytes, kind, 4);
        put(&mut bytes, 5, 4);
        for value in [offset, offset, offset, size, size, 4096] {
            put(&mut bytes, value, 8);
        }
    }
    for (tag, value) in entries {
        put(&mut bytes, tag, 8);
        put(&mut bytes, value, 8);
    }
    bytes.extend(strings);
    bytes
}

fn put(bytes: &mut Vec<u8>, value: u64, width: usize) {
    bytes.extend(value.to_le_bytes().iter().take(width));
}
