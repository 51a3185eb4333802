//! A compressed layer, read by stages on threads of their own, so that nothing waits behind the decoder:
//!
//! ```text
//! blob, digest -> decode -> diff_id -> spill and scan, on the caller's thread
//! ```
//! In: the layer and its claims. Out: its entries, and the spill file. Errors travel down the queues in the order of
//! the bytes, so that the scanner meets them where it would without threads. A few blocks of each stage are in memory.

use super::queue::{Filler, Queued, queue};
use super::{BLOB, TAR, damage_or};
use crate::archive::Blob;
use crate::error::Error;
use crate::image::Layer;
use crate::layer::codec::{Codec, Decoder};
use crate::layer::deflate::Blocks;
use crate::layer::digest::{Hasher, HashingReader};
use crate::layer::input::StreamInput;
use crate::layer::scan::{ScanEnd, scan};
use crate::layer::stage::{join, spawn};
use crate::options::Limits;
use crate::rootfs::{Entry, LayerId};
use crate::warning::Warnings;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread::scope;

/// Compressed bytes that are read at once.
const BLOB_BLOCK: usize = 128 << 10;
/// Bytes of the tar that go through the stages at once.
const TAR_BLOCK: usize = 512 << 10;

/// Reads a compressed layer; as [`super::read`].
pub(super) fn read(
    layer: &Layer,
    (id, codec): (LayerId, Codec),
    limits: &Limits,
    temp: Option<&Path>,
    warnings: &mut Warnings,
    push: &mut dyn FnMut(Entry) -> Result<(), Error>,
) -> Result<(Blob, ScanEnd, Option<Arc<Blocks>>), Error> {
    let hasher = layer.digest.as_ref().map(Hasher::new).transpose()?;
    let source = HashingReader::new(layer.blob.reader(), hasher);
    let file = match temp {
        Some(directory) => tempfile::tempfile_in(directory),
        None => tempfile::tempfile(),
    };
    let file = file.map_err(|error| Error::io("create a spill file", error))?;
    let mut tar_hasher = Hasher::new(&layer.diff_id)?;
    let (source, tar_hasher, result) = scope(|scope| {
        let (filler, compressed) = queue(BLOB_BLOCK);
        let (decoded, queued) = queue(TAR_BLOCK);
        let (tap, queued) = queued.tap();
        let reading = spawn(scope, "read", move || {
            let mut source = source;
            filler.run(&mut source);
            source
        })?;
        let decoding = spawn(scope, "decode", move || decode(compressed, codec, limits, &decoded))?;
        let hashing = spawn(scope, "diff_id", move || {
            tap.run(|bytes| tar_hasher.update(bytes));
            tar_hasher
        })?;
        let mut input = StreamInput::new(Spill { queued, file, written: 0 });
        let result = scan(&mut input, id, limits, warnings, push);
        // What was not read ends the stages before it.
        let Spill { queued, file, written } = input.into_inner();
        drop(queued);
        let blocks = join(decoding)?;
        Ok((join(reading)?, join(hashing)?, result.map(|end| (file, written, end, blocks))))
    })?;
    // A failed run reads on as well: the digest tells whether the blob is damaged or was made like this.
    let checked = match (source.finish()?, &layer.digest) {
        (Some(hasher), Some(digest)) => hasher.check(digest, BLOB),
        _ => Ok(()),
    };
    let (file, written, end, blocks) = match result {
        Ok(done) => done,
        Err(error) => return Err(damage_or(error, checked)),
    };
    checked?;
    tar_hasher.check(&layer.diff_id, TAR)?;
    Ok((Blob::new(Arc::new(file), 0, written), end, blocks.map(Arc::new)))
}

/// Hands on what the decoder yields; at the end, where the deflate blocks of a gzip layer lie.
fn decode(compressed: Queued, codec: Codec, limits: &Limits, decoded: &Filler) -> Option<Blocks> {
    match Decoder::new(compressed, codec, limits) {
        Ok(mut decoder) => {
            decoded.run(&mut decoder);
            decoder.into_blocks()
        }
        Err(error) => {
            decoded.fail(error.into());
            None
        }
    }
}

/// Keeps a copy of the uncompressed tar on disk as it goes by.
struct Spill {
    queued: Queued,
    file: File,
    written: u64,
}

impl BufRead for Spill {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let is_new = self.queued.is_used_up();
        let bytes = self.queued.fill_buf()?;
        if is_new {
            self.file.write_all(bytes).map_err(|error| Error::io("write a spill file", error))?;
            self.written = self.written.saturating_add(bytes.len() as u64);
        }
        Ok(bytes)
    }

    fn consume(&mut self, n: usize) {
        self.queued.consume(n);
    }
}

impl Read for Spill {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut from = self.fill_buf()?;
        let read = from.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}
