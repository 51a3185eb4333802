//! `cargo bench`: what each part of a run does a second, on one input that a seed makes.
//!
//! In: `cargo bench -- scan` runs what has that word in its name, `cargo bench -- --test` everything once and unmeasured. Out: time and throughput:
//! entries for what works on values, bytes of the uncompressed tar for what moves bytes. Inputs lie in the system's directory for temporary files
//! and are read from the page cache.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a bench stops where something is wrong")]

mod seeded;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use imgstrip::archive::{self, Archive, Blob};
use imgstrip::image::Layer;
use imgstrip::layer::read::{ReadLayer, read};
use imgstrip::layer::{BlobInput, Encoding, Segment, Stored, scan, write_layer};
use imgstrip::options::{Input, Limits, Options, SymlinkParents};
use imgstrip::rootfs::{LayerId, Merge, Merged, Plan, Upper, UpperBuilder};
use imgstrip::rules::{Facts, Rules};
use imgstrip::warning::Warnings;
use seeded::shape::Shape;
use seeded::tape;
use seeded::{Like, content, mix};
use std::fs::File;
use std::hint::black_box;
use std::io::{self, Seek, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

const SEED: u64 = 1;
const ENTRIES: u64 = 100_000;
const MIB: usize = 1 << 20;

/// An archive of so many entries and layers, opened.
fn synthetic(bytes: u64, entries: u64, layers: u64) -> Archive {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut tape = tape::Archive::create(file.path(), None, SEED).unwrap();
    Shape { bytes, entries, layers, overwritten: 10, whiteouts: 5 }.write(&mut tape).unwrap();
    tape.finish().unwrap();
    // The opened archive holds on to the file.
    archive::open(&Input::Path(file.path().into()), &Options::default()).unwrap()
}

fn layers(archive: &Archive) -> &[Layer] {
    &archive.images.first().unwrap().layers
}

fn upper(layer: &Layer, id: u32) -> Upper {
    let limits = Limits::default();
    let mut builder = UpperBuilder::new(LayerId(id), limits.symlinks);
    let mut push = |entry| builder.push(entry);
    scan(&mut BlobInput::new(&layer.blob), LayerId(id), &limits, &mut Warnings::default(), &mut push).unwrap();
    builder.finish()
}

fn merged(uppers: &[Upper]) -> Merged {
    let mut merge = Merge::new(SymlinkParents::Overlay, Limits::default().symlinks);
    uppers.iter().for_each(|upper| merge.add(upper).unwrap());
    merge.finish()
}

/// Headers to entries, entries to the tree of a layer.
fn scanning(criterion: &mut Criterion) {
    let archive = synthetic(0, ENTRIES, 1);
    let layer = layers(&archive).first().unwrap();
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Elements(ENTRIES)).sample_size(20);
    group.bench_function("headers", |bencher| {
        bencher.iter(|| {
            let (limits, mut count) = (Limits::default(), 0_u64);
            let mut push = |entry| {
                black_box(entry);
                count += 1;
                Ok(())
            };
            let mut input = BlobInput::new(&layer.blob);
            scan(&mut input, LayerId(0), &limits, &mut Warnings::default(), &mut push).unwrap();
            count
        });
    });
    group.bench_function("headers to a tree", |bencher| bencher.iter(|| upper(layer, 0)));
    group.finish();
}

/// What is done on values, once all layers are read.
fn deciding(criterion: &mut Criterion) {
    for count in [8, 127] {
        let archive = synthetic(0, ENTRIES, count);
        let uppers: Vec<Upper> = layers(&archive).iter().zip(0..).map(|(layer, id)| upper(layer, id)).collect();
        let Merged { tree, .. } = merged(&uppers);
        let mut group = criterion.benchmark_group("decide");
        group.throughput(Throughput::Elements(ENTRIES)).sample_size(20);
        group.bench_function(BenchmarkId::new("merge, layers", count), |bencher| {
            bencher.iter_with_large_drop(|| merged(&uppers));
        });
        group.bench_function(BenchmarkId::new("plan, layers", count), |bencher| {
            bencher.iter_with_large_drop(|| Plan::new(&tree, |layer| layer.0, None));
        });
        if count == 8 {
            let (rules, facts) = (Rules::default(), Facts::default());
            group.bench_function("rules, default presets", |bencher| {
                bencher.iter_with_large_drop(|| rules.decide(&tree, &facts));
            });
        }
        group.finish();
    }
    criterion.benchmark_group("decide").bench_function("compile the default presets", |bencher| {
        bencher.iter_with_large_drop(Rules::default);
    });
}

/// A blob of bytes in an unlinked file.
fn blob(bytes: &[u8]) -> Blob {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Blob::new(Arc::new(file), 0, bytes.len() as u64)
}

/// Writes all of a blob as a layer.
fn write(tar: &Blob, encoding: Encoding, threads: usize, sink: &mut dyn Write) -> imgstrip::layer::Written {
    let segments = [Ok(Segment::Copy { layer: LayerId(0), range: 0..tar.len() })];
    let threads = NonZeroUsize::new(threads).unwrap();
    let stored = Stored { sources: &|_| Some(tar), deflates: &|_| None };
    write_layer(segments.into_iter(), stored, encoding, threads, sink, &|_| Ok(())).unwrap()
}

fn gzip(level: u32) -> Encoding {
    Encoding::Gzip { level, reuse: false }
}

fn zstd(level: i32) -> Encoding {
    Encoding::Zstd { level, long: false }
}

/// What is written, at each level, by one thread of compression; the digests have threads of their own.
fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    group.sample_size(10);
    let mut bench = |name: String, encoding, bytes: &[u8]| {
        let tar = blob(bytes);
        group.throughput(Throughput::Bytes(tar.len()));
        group.bench_function(name, |bencher| bencher.iter(|| write(&tar, encoding, 1, &mut io::sink())));
    };
    let mixed = mix(16 * MIB, SEED);
    bench("plain".into(), Encoding::Plain, &mixed);
    for level in [1, 6, 9] {
        bench(format!("gzip {level}"), gzip(level), &mixed);
    }
    for level in [1, 3] {
        bench(format!("zstd {level}"), zstd(level), &mixed);
    }
    // A few MB a second.
    bench("zstd 19".into(), zstd(19), &mix(2 * MIB, SEED));
    for (name, like) in [("text", Like::Text), ("binaries", Like::Binary), ("noise", Like::Noise)] {
        bench(format!("gzip 6 of {name}"), gzip(6), &content(like, 8 * MIB, SEED));
    }
}

/// The tar of `plain` as a compressed layer.
fn compressed(plain: &Layer, encoding: Encoding) -> Layer {
    let mut file: File = tempfile::tempfile().unwrap();
    let written = write(&plain.blob, encoding, 2, &mut file);
    file.rewind().unwrap();
    Layer {
        blob: Blob::new(Arc::new(file), 0, written.size),
        digest: Some(written.digest),
        size: Some(written.size),
        media_type: None,
        diff_id: written.diff_id,
    }
}

fn read_through(layer: &Layer) -> ReadLayer {
    let mut push = |entry| {
        black_box(entry);
        Ok(())
    };
    read(layer, LayerId(0), &Limits::default(), None, &mut push).unwrap()
}

/// A layer of the input: inflated, hashed, kept in a spill file, scanned.
fn reading(criterion: &mut Criterion) {
    let archive = synthetic(48 * MIB as u64, 2_000, 1);
    let plain = layers(&archive).first().unwrap();
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Bytes(plain.blob.len())).sample_size(10);
    for (name, encoding) in [("gzip", gzip(6)), ("zstd", zstd(3))] {
        let layer = compressed(plain, encoding);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| (), |()| read_through(&layer), BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// A gzip layer written again with its deflate blocks, but for 4 KiB cut out of every so many bytes.
fn reusing(criterion: &mut Criterion) {
    const CUT: u64 = 4 << 10;
    let archive = synthetic(48 * MIB as u64, 2_000, 1);
    let layer = compressed(layers(&archive).first().unwrap(), gzip(6));
    let ReadLayer { tar, blocks, .. } = read_through(&layer);
    let blocks = blocks.unwrap();
    let stored = Stored { sources: &|_| Some(&tar), deflates: &|_| Some((&layer.blob, &blocks)) };
    let encoding = Encoding::Gzip { level: 6, reuse: true };
    let mut group = criterion.benchmark_group("reuse");
    group.sample_size(10);
    for (name, every) in
        [("one cut", tar.len()), ("a cut every 8 MiB", 8 << 20), ("every 1 MiB", 1 << 20), ("every 64 KiB", 64 << 10)]
    {
        let starts = (0..tar.len()).step_by(usize::try_from(every).unwrap());
        let runs: Vec<Range<u64>> =
            starts.map(|start| start + CUT..tar.len().min(start + every)).filter(|run| !run.is_empty()).collect();
        group.throughput(Throughput::Bytes(runs.iter().map(|run| run.end - run.start).sum()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let segments = runs.iter().map(|range| Ok(Segment::Copy { layer: LayerId(0), range: range.clone() }));
                write_layer(segments, stored, encoding, NonZeroUsize::MIN, &mut io::sink(), &|_| Ok(())).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(parts, scanning, deciding, encoding, reading, reusing);
criterion_main!(parts);
