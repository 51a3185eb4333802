//! Writes a layer: blocks flow through threads with short queues between them, the digests beside.
//!
//! ```text
//! fill -> diff_id -> compress (n threads, order kept) -> digest -> the sink, on the caller's thread
//! fill -> digest ---------------------------------------------^     without compression
//! ```
//! In: segments, blobs, a sink. Out: the two digests and sizes. At most a few blocks a thread are in memory, and
//! the bytes do not depend on the number of threads. The first error of any thread ends all of them: a stage whose
//! neighbour is gone stops, so nobody waits forever.

use super::compress::{Codec, Compressor};
use super::digest::Hasher;
use super::fill::{Block, Filler, Sources};
use super::segment::Segment;
use super::stage::{Failure, QUEUE, join, lock, spawn};
use crate::error::Error;
use crate::options::Compression;
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
}

/// Told, from another thread, of each piece of the uncompressed tar that was read, in bytes; an error of it ends
/// the run, as a signal does.
pub type Progress<'a> = &'a (dyn Fn(u64) -> Result<(), Error> + Sync);

/// Writes the layer that `segments` describe into `sink`, compressed by `threads` threads.
///
/// Errors: what `segments` or `progress` returned; `Integrity` where a source is shorter than it was; `Io` where
/// the sink or a source fails; `Usage` for a level that does not exist, or [`Compression::Keep`]. The sink may hold
/// a part of the layer then.
pub fn write_layer(
    segments: impl Iterator<Item = Result<Segment, Error>> + Send,
    sources: Sources<'_>,
    compression: Compression,
    threads: NonZeroUsize,
    sink: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<Written, Error> {
    let codec = Codec::new(compression)?;
    let failure = Failure::default();
    let written = std::thread::scope(|scope| {
        let filler = Filler::new(segments, sources);
        let (used, unused) = channel();
        let (filled, blocks) = sync_channel(QUEUE);
        let failure = &failure;
        spawn(scope, "fill", move || fill(filler, codec, &unused, &filled, progress, failure))?;
        if codec == Codec::Plain {
            let (hashed, ready) = sync_channel(QUEUE);
            let digest = spawn(scope, "digest", move || digest(blocks.into_iter(), Block::data, &hashed))?;
            // The reader may have ended already.
            let size = drain(ready, sink, failure, Block::data, |block| drop(used.send(block)))?;
            let digest = join(digest)??;
            return Ok(Written { diff_id: digest.clone(), digest, size, tar_size: size });
        }
        let (todo, jobs) = sync_channel(1);
        // As many blocks as there are compressors, and one to go on with while the sink is slow.
        let (promised, promises) = sync_channel(threads.get().saturating_add(1));
        let (hashed, ready) = sync_channel(QUEUE);
        let tar = spawn(scope, "diff_id", move || dispatch(blocks, codec, &todo, &promised, failure))?;
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..threads.get() {
            let (jobs, used) = (jobs.clone(), used.clone());
            spawn(scope, "compress", move || compress(codec, &jobs, &used, failure))?;
        }
        drop((jobs, used));
        let kept = promises.into_iter().map_while(|promise: Promise| promise.recv().ok());
        let digest = spawn(scope, "digest", move || digest(kept, Vec::as_slice, &hashed))?;
        let size = drain(ready, sink, failure, Vec::as_slice, drop)?;
        let (diff_id, tar_size) = join(tar)??;
        Ok(Written { diff_id, digest: join(digest)??, size, tar_size })
    });
    failure.into_result()?;
    written
}

/// A block that a compressor works on.
type Promise = Receiver<Vec<u8>>;

struct Job {
    block: Block,
    done: SyncSender<Vec<u8>>,
}

fn fill<I: Iterator<Item = Result<Segment, Error>>>(
    mut filler: Filler<'_, I>,
    codec: Codec,
    unused: &Receiver<Block>,
    filled: &SyncSender<Block>,
    progress: Progress<'_>,
    failure: &Failure,
) {
    loop {
        let mut block = unused.try_recv().unwrap_or_default();
        let more = filler.fill(&mut block, codec.block_size(), codec.dictionary_size());
        let told = more.and_then(|more| progress(block.data().len() as u64).map(|()| more));
        match told {
            Ok(true) if filled.send(block).is_ok() => {}
            Ok(_) => return,
            Err(error) => return failure.set(error),
        }
    }
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

/// Hashes the blocks, hands them to the compressors and notes their order; the stream's head and tail go with it.
fn dispatch(
    blocks: Receiver<Block>,
    codec: Codec,
    todo: &SyncSender<Job>,
    promised: &SyncSender<Promise>,
    failure: &Failure,
) -> Result<(Digest, u64), Error> {
    let (mut sha, mut crc, mut size) = (Hasher::sha256(), Crc::new(), 0_u64);
    let mut go_on = promise(promised, codec.head());
    for block in blocks {
        if !go_on {
            break;
        }
        sha.update(block.data());
        crc.update(block.data());
        size = size.saturating_add(block.data().len() as u64);
        let (done, promise) = sync_channel(1);
        go_on = promised.send(promise).is_ok() && todo.send(Job { block, done }).is_ok();
    }
    // A stream without its end is never mistaken for a whole one.
    if go_on && !failure.is_set() {
        promise(promised, codec.tail(&crc, size)?);
    }
    Ok((sha.digest()?, size))
}

/// Puts bytes that are ready into the order.
fn promise(promised: &SyncSender<Promise>, bytes: Vec<u8>) -> bool {
    let (done, promise) = sync_channel(1);
    done.send(bytes).is_ok() && promised.send(promise).is_ok()
}

fn compress(codec: Codec, jobs: &Mutex<Receiver<Job>>, used: &Sender<Block>, failure: &Failure) {
    let mut compressor = match Compressor::new(codec) {
        Ok(compressor) => compressor,
        Err(error) => return failure.set(error),
    };
    loop {
        let Ok(Job { block, done }) = lock(jobs).recv() else { return };
        match compressor.compress(&block) {
            // Whoever waited for it, or for the block, may have ended already.
            Ok(bytes) => drop((done.send(bytes), used.send(block))),
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
