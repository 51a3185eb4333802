//! Writes a synthetic docker archive of any size by streaming, for the scaling measurements: `synthetic --help`.
//!
//! In: how many bytes, entries and layers, how much of it is overwritten or whited out later, a seed. Out: an archive as `docker save` of old wrote
//! it, and a line about what is in it. Equal arguments give equal bytes. Never more in memory than a pool of content: the sizes and digests that
//! stand before the bytes are patched in after them.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

#[path = "../seeded/mod.rs"]
mod seeded;

use clap::Parser;
use seeded::extreme::Extreme;
use seeded::shape::{self, One, Shape};
use seeded::tape::Archive;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write a synthetic docker archive.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where it goes; has to be able to seek.
    #[arg(long)]
    out: PathBuf,
    /// Bytes of content of all entries.
    #[arg(long, default_value_t = 100 << 20)]
    bytes: u64,
    /// Entries of all layers, whiteouts among them.
    #[arg(long, default_value_t = 10_000)]
    entries: u64,
    /// Layers.
    #[arg(long, default_value_t = 8)]
    layers: u64,
    /// What everything random comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Percent of a layer's entries that replace entries of lower layers.
    #[arg(long, default_value_t = 10)]
    overwritten: u64,
    /// Percent of a layer's entries that delete entries of lower layers.
    #[arg(long, default_value_t = 5)]
    whiteouts: u64,
    /// Compress the layers with gzip at this level.
    #[arg(long)]
    gzip: Option<u32>,
    /// One file that has all the bytes instead of a tree.
    #[arg(long)]
    one: Option<One>,
    /// Very much of one thing, instead of a tree: as many as there are to be entries.
    #[arg(long)]
    extreme: Option<Extreme>,
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let shape = Shape {
        bytes: arguments.bytes,
        entries: arguments.entries,
        layers: arguments.layers.max(1),
        overwritten: arguments.overwritten,
        whiteouts: arguments.whiteouts,
    };
    let mut archive = Archive::create(&arguments.out, arguments.gzip, arguments.seed)?;
    match (arguments.one, arguments.extreme) {
        (Some(one), _) => shape::one(&mut archive, one, shape.bytes)?,
        (None, Some(extreme)) => extreme.write(&mut archive, shape.entries)?,
        (None, None) => shape.write(&mut archive)?,
    }
    let sum = archive.finish()?;
    println!("{} bytes, {} entries, {} bytes of layers uncompressed", sum.bytes, sum.entries, sum.expanded);
    Ok(())
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("synthetic: {error}");
            ExitCode::FAILURE
        }
    }
}
