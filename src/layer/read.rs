//! One layer of an image: its bytes checked, inflated and scanned in one pass.
//!
//! In: a blob and what the documents claim about it. Out: its entries, and a blob of the uncompressed tar that
//! their positions refer to: the layer itself where it is plain, else an unlinked spill file. Nothing of it is
//! kept in memory.

mod compressed;
mod queue;

use super::codec::{Codec, EXPANDED, RATIO_FROM};
use super::deflate::Blocks;
use super::digest::Hasher;
use super::header::BLOCK;
use super::input::BlobInput;
use super::scan::{ScanEnd, scan};
use crate::archive::Blob;
use crate::error::{Error, ErrorKind, escape};
use crate::image::Layer;
use crate::options::Limits;
use crate::rootfs::{Entry, EntryKind, LayerId};
use crate::warning::{WarningKind, Warnings};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// What a layer turned out to be.
#[derive(Debug, Clone)]
pub struct ReadLayer {
    /// The uncompressed tar; the entries' positions lie in it.
    pub tar: Blob,
    /// How the layer was compressed, by its bytes.
    pub codec: Codec,
    /// How many entries were handed on.
    pub entries: u64,
    /// The length of the uncompressed tar in bytes.
    pub expanded: u64,
    /// What was odd.
    pub warnings: Warnings,
    /// Where the deflate blocks of the layer lie, where it is a gzip layer.
    pub blocks: Option<Arc<Blocks>>,
    /// Whether digest and diff_id were checked. False for a plain layer, of which only headers were read:
    /// [`verify`] has to follow before its bytes are trusted, at any time and on any thread.
    pub verified: bool,
}

/// Reads a layer; `push` gets its entries in the order of the tar. Spill files go to `temp`, or where the system
/// has them.
///
/// # Errors
///
/// `Integrity` where size, digest or diff_id differ, which goes before whatever the damage looks like; else as
/// [`scan`], and `Malformed`, `Unsupported` or `Limit` for the compression. No error names the layer.
pub fn read(
    layer: &Layer,
    id: LayerId,
    limits: &Limits,
    temp: Option<&Path>,
    push: &mut dyn FnMut(Entry) -> Result<(), Error>,
) -> Result<ReadLayer, Error> {
    check_claims(layer)?;
    let mut start = [0; BLOCK];
    let mut reader = layer.blob.reader().take(BLOCK as u64);
    let mut sniffed = 0;
    while let Some(rest) = start.get_mut(sniffed..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => sniffed = sniffed.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("read the layer", error)),
        }
    }
    let codec = match Codec::sniff(start.get(..sniffed).unwrap_or_default()) {
        Ok(codec) => codec,
        Err(error) => return Err(damage_or(error, check_blob(layer, &|| Ok(())))),
    };
    let mut warnings = Warnings::default();
    if let Some(media_type) = &layer.media_type
        && Codec::of_media_type(media_type).is_some_and(|claimed| claimed != codec)
        && !layer.blob.is_empty()
    {
        warnings.add(WarningKind::MediaType, format!("{} is {codec}", escape(media_type.as_bytes())));
    }
    let allowed = layer.blob.len().saturating_mul(limits.ratio).max(RATIO_FROM);
    let mut content = 0u64;
    let push = &mut |entry: Entry| {
        if let EntryKind::File(file) = &entry.kind {
            content = content.saturating_add(file.size);
        }
        if content > allowed {
            // Only the holes of sparse files get here: 3 KB can claim a TiB, and the layer is written without holes.
            let what = format!("its sparse files make the layer more than {} times larger", limits.ratio);
            return Err(Error::limit(what).hint("raise it with --limit ratio=N"));
        }
        push(entry)
    };
    let (tar, end, blocks) = match codec {
        Codec::Plain => {
            let (tar, end) = read_plain(layer, id, limits, &mut warnings, push)?;
            (tar, end, None)
        }
        _ => compressed::read(layer, (id, codec), limits, temp, &mut warnings, push)?,
    };
    let verified = codec != Codec::Plain;
    Ok(ReadLayer { expanded: tar.len(), tar, codec, entries: end.entries, warnings, blocks, verified })
}

/// Asked again and again by what takes long; its error ends that.
pub type GoOn<'a> = &'a dyn Fn() -> Result<(), Error>;

/// Checks digest and diff_id of a plain layer by reading all of it; once, where both are the same.
///
/// # Errors
///
/// `Integrity` where one differs; `Unsupported` for an unknown algorithm; `Io`; and what `go_on` returns.
pub fn verify(layer: &Layer, go_on: GoOn<'_>) -> Result<(), Error> {
    check_claims(layer)?;
    check_blob(layer, go_on)?;
    if layer.digest.as_ref() == Some(&layer.diff_id) {
        return Ok(());
    }
    hash(&layer.blob, Hasher::new(&layer.diff_id)?, go_on)?.check(&layer.diff_id, TAR)
}

/// How messages name the compressed bytes, and the tar in them.
const BLOB: &str = "the layer blob";
const TAR: &str = "the uncompressed layer";

/// What can be checked without reading: the size, and that the digests can be checked at all.
fn check_claims(layer: &Layer) -> Result<(), Error> {
    if let Some(size) = layer.size.filter(|size| *size != layer.blob.len()) {
        return Err(Error::integrity(format!("{BLOB} has {} bytes, not {size}", layer.blob.len())));
    }
    layer.digest.iter().chain([&layer.diff_id]).try_for_each(|digest| Hasher::new(digest).map(drop))
}

fn check_blob(layer: &Layer, go_on: GoOn<'_>) -> Result<(), Error> {
    match &layer.digest {
        Some(digest) => hash(&layer.blob, Hasher::new(digest)?, go_on)?.check(digest, BLOB),
        None => Ok(()),
    }
}

/// Bytes that are read at once to be hashed: they are still in the core's own cache then.
const HASHED: usize = 256 << 10;

fn hash(blob: &Blob, mut hasher: Hasher, go_on: GoOn<'_>) -> Result<Hasher, Error> {
    let mut reader = blob.reader();
    let mut buffer = vec![0; HASHED];
    loop {
        go_on()?;
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hasher),
            Ok(read) => hasher.update(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("read the layer", error)),
        }
    }
}

/// A damaged blob is reported as such, not as what its damage looks like.
fn damage_or(error: Error, checked: Result<(), Error>) -> Error {
    match (error.kind(), checked) {
        (ErrorKind::Malformed | ErrorKind::Unsupported | ErrorKind::Limit, Err(damage)) => damage,
        _ => error,
    }
}

fn read_plain(
    layer: &Layer,
    id: LayerId,
    limits: &Limits,
    warnings: &mut Warnings,
    push: &mut dyn FnMut(Entry) -> Result<(), Error>,
) -> Result<(Blob, ScanEnd), Error> {
    if layer.blob.len() > limits.expanded {
        let what = format!("the layer has more than {} bytes", limits.expanded);
        return Err(Error::limit(what).hint(EXPANDED));
    }
    match scan(&mut BlobInput::new(&layer.blob), id, limits, warnings, push) {
        Ok(end) => Ok((layer.blob.clone(), end)),
        Err(error) => Err(damage_or(error, verify(layer, &|| Ok(())))),
    }
}

#[cfg(test)]
mod tests;
