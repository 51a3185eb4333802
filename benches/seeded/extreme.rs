//! Images that have very much of one thing, and nothing else, for `benches/scaling/extremes`.
//!
//! In: which thing, and how many of it. Out: entries, layer after layer. Files are empty: only what an entry costs is measured.

use super::Random;
use super::tape::{Archive, Layer};
use clap::ValueEnum;
use std::io;
use tar::EntryType;

/// What there is so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Extreme {
    /// Files in one directory.
    Directory,
    /// Directories inside one another, each an entry of its own.
    Deep,
    /// Hard links to one file.
    Links,
    /// Layers of a hundred files, of which each replaces some of the one below.
    Layers,
    /// Files with names of 64 KiB.
    Names,
    /// Whiteouts, each over a file of the layer below.
    Whiteouts,
    /// Opaque directories, each over a directory with a file of the layer below.
    Opaques,
}

/// The longest name that is read without another limit.
const NAME: usize = 64 << 10;
/// What the file system of a container takes of one component.
const COMPONENT: usize = 255;

impl Extreme {
    pub(crate) fn write(self, archive: &mut Archive, count: u64) -> io::Result<()> {
        match self {
            Self::Directory => archive.layer(|tar| (0..count).try_for_each(|at| empty(tar, &format!("d/{at:08}")))),
            Self::Deep => archive.layer(|tar| {
                let mut path = String::new();
                (0..count).try_for_each(|_| {
                    path.push_str("d/");
                    tar.named(&path, EntryType::Directory, "")
                })
            }),
            Self::Links => archive.layer(|tar| {
                empty(tar, "file")?;
                (0..count).try_for_each(|at| tar.named(&format!("l/{at:08}"), EntryType::Link, "file"))
            }),
            Self::Layers => (0..count).try_for_each(|layer| {
                archive.layer(|tar| (layer..layer + 100).try_for_each(|at| empty(tar, &format!("d/{at:08}"))))
            }),
            Self::Names => archive.layer(|tar| {
                let shared = format!("{}/", "n".repeat(COMPONENT)).repeat(NAME / (COMPONENT + 1) - 1);
                (0..count).try_for_each(|at| empty(tar, &format!("{shared}{at:0COMPONENT$}")))
            }),
            Self::Whiteouts => {
                archive.layer(|tar| (0..count).try_for_each(|at| empty(tar, &format!("d/{at:08}"))))?;
                archive.layer(|tar| (0..count).try_for_each(|at| empty(tar, &format!("d/.wh.{at:08}"))))
            }
            Self::Opaques => {
                archive.layer(|tar| (0..count).try_for_each(|at| empty(tar, &format!("d/{at:08}/f"))))?;
                archive.layer(|tar| (0..count).try_for_each(|at| empty(tar, &format!("d/{at:08}/.wh..wh..opq"))))
            }
        }
    }
}

fn empty(tar: &mut Layer<'_>, path: &str) -> io::Result<()> {
    match path.len() {
        0..=100 => tar.file(path, 0o644, 0, &[], &mut Random::new(0)),
        _ => tar.named(path, EntryType::Regular, ""),
    }
}
