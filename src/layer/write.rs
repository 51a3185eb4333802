//! Writes a layer: blocks flow through threads with short queues between them, the digests beside.
//!
//! ```text
//! fill -> diff_id -> compress (n threads, order kept) -> assemble -> digest -> the sink, on the caller's thread
//!           `------> deflate blocks of the input --------^
//! fill -> digest ---------------------------------------------------------^     without compression
//! ```
//! In: segments, blobs, a sink. Out: the two digests and sizes. At most a few blocks a thread are in memory, and
//! the bytes do not depend on the number of threads. The first error of any thread ends all of them: a stage whose
//! neighbour is gone stops, so nobody waits forever.

use super::assemble::{Assembler, Part};
use super::compress::Compressor;
use super::cut::{Cut, Deflates, Piece};
use super::digest::Hasher;
use super::encoding::Encoding;
use super::fill::{Block, Filler, Origin, Sources, Way};
use super::segment::Segment;
use super::stage::{Failure, QUEUE, join, lock, spawn};
use crate::error::Error;
use flate2::Crc;
use oci_spec::image::Digest;
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The digest of the uncompressed tar.
    pub diff_id: Digest,
    /// The digest of the bytes that the sink got.
    pub digest: Digest,
    /// How many bytes the sink got.
    pub size: u64,
    /// How many bytes the uncompressed tar has.
    pub tar_size: u64,
    /// Where the bytes of the input's layers went, the lowest layer first.
    pub origins: Vec<Origin>,
}

/// Where the bytes lie that a layer is written from.
#[derive(Clone, Copy)]
pub struct Stored<'a> {
    /// The uncompressed layers.
    pub sources: Sources<'a>,
    /// Their gzip form.
    pub deflates: Deflates<'a>,
}

impl std::fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored").finish_non_exhaustive()
    }
}

/// Told, from another thread, of each piece of the uncompressed tar that was read, in bytes; an error of it ends
/// the run, as a signal does.
pub type Progress<'a> = &'a (dyn Fn(u64) -> Result<(), Error> + Sync);

/// Writes the layer that `segments` describe into `sink`, compressed by `threads` threads.
///
/// Errors: what `segments` or `progress` returned; `Integrity` where a source is shorter than it was, or its deflate blocks are not where
/// they were; `Io` where the sink or a source fails. The sink may hold a part of the layer then.
pub fn write_layer(
    segments: impl Iterator<Item = Result<Segment, Error>> + Send,
    stored: Stored<'_>,
    encoding: Encoding,
    threads: NonZeroUsize,
    sink: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<Written, Error> {
    let failure = Failure::default();
    let written = std::thread::scope(|scope| {
        let reuse = matches!(encoding, Encoding::Gzip { reuse: true, .. });
        let filler = Filler::new(Cut::new(segments, reuse.then_some(stored.deflates)), stored.sources);
        let (used, unused) = channel();
        let (filled, blocks) = sync_channel(QUEUE);
        let failure = &failure;
        let filler =
            spawn(scope, "fill", move || fill(filler, encoding.block_size(), &unused, &filled, progress, failure))?;
        if encoding == Encoding::Plain {
            let (hashed, ready) = sync_channel(QUEUE);
            let digest = spawn(scope, "digest", move || digest(blocks.into_iter(), Block::data, &hashed))?;
            // The reader may have ended already.
            let size = drain(ready, sink, failure, Block::data, |block| drop(used.send(block)))?;
            let digest = join(digest)??;
            return Ok(Written { diff_id: digest.clone(), digest, size, tar_size: size, origins: join(filler)? });
        }
        let (todo, jobs) = sync_channel(QUEUE);
        // A block that is encoded takes ten times as long as one that is copied, and few are encoded: what is copied goes on beside it.
        let (promised, promises) = sync_channel(threads.get().saturating_add(PROMISED));
        let (assembled, pieces) = sync_channel(QUEUE);
        let (hashed, ready) = sync_channel(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..threads.get() {
            let (jobs, used) = (jobs.clone(), used.clone());
            spawn(scope, "compress", move || compress(encoding, &jobs, &used, failure))?;
        }
        drop(jobs);
        let tar = spawn(scope, "diff_id", move || dispatch(blocks, &todo, &promised, &used, failure))?;
        let (written, unwritten) = channel();
        spawn(scope, "assemble", move || {
            assemble((encoding, stored.deflates), promises, (&unwritten, &assembled), failure);
        })?;
        let digest = spawn(scope, "digest", move || digest(pieces.into_iter(), Vec::as_slice, &hashed))?;
        // Its memory is used again; the assembler may have ended already.
        let size = drain(ready, sink, failure, Vec::as_slice, |piece| drop(written.send(piece)))?;
        let (diff_id, tar_size) = join(tar)??;
        Ok(Written { diff_id, digest: join(digest)??, size, tar_size, origins: join(filler)? })
    });
    failure.into_result()?;
    written
}

/// How many parts, beside those that the compressors work on, may wait for their turn in the order; a part that is copied is but a range.
const PROMISED: usize = 16;

/// A block that a compressor works on.
type Promise = Receiver<Part>;

struct Job {
    block: Block,
    done: SyncSender<Part>,
}

fn fill<I: Iterator<Item = Result<Piece, Error>>>(
    mut filler: Filler<'_, I>,
    size: usize,
    unused: &Receiver<Block>,
    filled: &SyncSender<Block>,
    progress: Progress<'_>,
    failure: &Failure,
) -> Vec<Origin> {
    loop {
        let mut block = unused.try_recv().unwrap_or_default();
        let more = filler.fill(&mut block, size);
        let told = more.and_then(|more| progress(block.data().len() as u64).map(|()| more));
        match told {
            Ok(true) if filled.send(block).is_ok() => {}
            Ok(_) => break,
            Err(error) => {
                failure.set(error);
                break;
            }
        }
    }
    filler.into_origins()
}

/// Hashes what goes by.
fn digest<T>(
    pieces: impl Iterator<Item = T>,
    bytes: impl Fn(&T) -> &[u8],
    hashed: &SyncSender<T>,
) -> Result<Digest, Error> {
    let mut sha = Hasher::sha256();
    for piece in pieces {
        sha.update(bytes(&piece));
        if hashed.send(piece).is_err() {
            break;
        }
    }
    sha.digest()
}

/// Hashes the blocks, hands them to the compressors and notes their order.
fn dispatch(
    blocks: Receiver<Block>,
    todo: &SyncSender<Job>,
    promised: &SyncSender<Promise>,
    used: &Sender<Block>,
    failure: &Failure,
) -> Result<(Digest, u64), Error> {
    let (mut sha, mut crc, mut size) = (Hasher::sha256(), Crc::new(), 0_u64);
    let mut go_on = true;
    for mut block in blocks {
        // What is reused is copied while it is hashed.
        let way = std::mem::take(&mut block.way);
        if let Way::Reuse(Some(reused)) = &way {
            go_on = promise(promised, Part::Reused(reused.clone()));
        }
        if !go_on {
            break;
        }
        sha.update(block.data());
        crc.update(block.data());
        size = size.saturating_add(block.data().len() as u64);
        if way == Way::Encode {
            let (done, promise) = sync_channel(1);
            go_on = promised.send(promise).is_ok() && todo.send(Job { block, done }).is_ok();
        } else {
            // The reader may have ended already.
            drop(used.send(block));
        }
    }
    // A stream without its end is never mistaken for a whole one.
    if go_on && !failure.is_set() {
        promise(promised, Part::End { crc: crc.sum(), size });
    }
    Ok((sha.digest()?, size))
}

/// Puts a part that is ready into the order.
fn promise(promised: &SyncSender<Promise>, part: Part) -> bool {
    let (done, promise) = sync_channel(1);
    done.send(part).is_ok() && promised.send(promise).is_ok()
}

fn compress(encoding: Encoding, jobs: &Mutex<Receiver<Job>>, used: &Sender<Block>, failure: &Failure) {
    let mut compressor = match Compressor::new(encoding) {
        Ok(compressor) => compressor,
        Err(error) => return failure.set(error),
    };
    loop {
        let Ok(Job { block, done }) = lock(jobs).recv() else { return };
        match compressor.compress(&block) {
            // Whoever waited for it, or for the block, may have ended already.
            Ok(part) => drop((done.send(part), used.send(block))),
            Err(error) => return failure.set(error),
        }
    }
}

/// Puts the parts together in their order.
fn assemble(
    (encoding, deflates): (Encoding, Deflates<'_>),
    promises: Receiver<Promise>,
    (unused, assembled): (&Receiver<Vec<u8>>, &SyncSender<Vec<u8>>),
    failure: &Failure,
) {
    let emit = &mut |piece: &mut Vec<u8>| {
        let unused = unused.try_recv().unwrap_or_default();
        piece.is_empty() || assembled.send(std::mem::replace(piece, unused)).is_ok()
    };
    let mut assembler = match Assembler::new(encoding, deflates) {
        Ok(assembler) => assembler,
        Err(error) => return failure.set(error),
    };
    for part in promises.into_iter().map_while(|promise| promise.recv().ok()) {
        match assembler.add(part, emit) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return failure.set(error),
        }
    }
}

/// Writes what comes; the number of bytes.
fn drain<T>(
    ready: Receiver<T>,
    sink: &mut dyn Write,
    failure: &Failure,
    bytes: impl Fn(&T) -> &[u8],
    mut after: impl FnMut(T),
) -> Result<u64, Error> {
    let mut size = 0_u64;
    for piece in ready {
        if failure.is_set() {
            break;
        }
        sink.write_all(bytes(&piece)).map_err(|error| Error::io("write the layer", error))?;
        size = size.saturating_add(bytes(&piece).len() as u64);
        after(piece);
    }
    Ok(size)
}

#[cfg(test)]
mod tests;
