//! The outer file: a path or standard input in, a file with the plain tar, or a directory, out.
//!
//! A plain tar in a regular file is read where it lies. Anything else, a pipe or a compressed file, is written once
//! into an unlinked spill file. Magic bytes decide, never the file's name.

use super::decompress::{self, Packing};
use super::unchanged::{self, Opened};
use crate::error::{Error, ErrorKind};
use crate::layer::codec::Codec;
use crate::layer::{BLOCK, Header};
use crate::options::{Input, Limits};
use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which file the input is, so that an output can be known to be the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// The number of the device that holds it.
    pub device: u64,
    /// Its inode number there.
    pub inode: u64,
}

/// The input, ready to be read at any place.
#[derive(Debug)]
pub(super) enum Outer {
    /// A plain tar of `len` bytes, in a spill file or where it lies; `bytes` is the size of the input as it was given.
    Tar { file: Arc<File>, len: u64, bytes: u64, spilled: bool, identity: FileIdentity },
    /// A directory.
    Directory { root: PathBuf, identity: FileIdentity },
}

/// Opens the input; spill files go to `temp_dir`. A regular file comes back as it was found, too.
pub(super) fn open(input: &Input, temp_dir: &Path, limits: &Limits) -> Result<(Outer, Option<Opened>), Error> {
    let failed = |cause| Error::io("open the input", cause);
    let mut file = match input {
        Input::Path(path) => File::open(path).map_err(failed)?,
        Input::Stdin => File::from(io::stdin().as_fd().try_clone_to_owned().map_err(failed)?),
    };
    let meta = file.metadata().map_err(failed)?;
    let identity = FileIdentity { device: meta.dev(), inode: meta.ino() };
    if meta.is_dir() {
        return match input {
            Input::Path(path) => Ok((Outer::Directory { root: path.clone(), identity }, None)),
            Input::Stdin => Err(Error::usage("standard input is a directory").hint("name the directory instead of -")),
        };
    }
    // Standard input may have been read by another program before; then only the rest is ours. Files of /proc
    // say that they are empty.
    let in_place = meta.is_file() && meta.len() > 0 && file.stream_position().is_ok_and(|position| position == 0);
    let mut head = [0; 512];
    let head_len = if in_place { fill_at(&file, &mut head) } else { fill(&mut file, &mut head) }
        .map_err(|cause| Error::io("read the input", cause))?;
    let head = head.get(..head_len).unwrap_or_default();
    let packing = recognise(head)?;
    if in_place && packing == Packing::PLAIN {
        let (file, len) = (Arc::new(file), meta.len());
        let opened = Some(Opened::new(Arc::clone(&file), &meta));
        return Ok((Outer::Tar { file, len, bytes: len, spilled: false, identity }, opened));
    }
    let read = if in_place { Vec::new() } else { head.to_vec() };
    let file = Arc::new(file);
    // Read once only, but a document that no digest covers may be of another state of the file than the rest.
    let opened = (meta.is_file() && meta.len() > 0).then(|| Opened::new(Arc::clone(&file), &meta));
    let spill = decompress::to_spill(Cursor::new(read).chain(&*file), packing, temp_dir, limits)
        .map_err(|error| unchanged::reason(opened.as_slice(), error))?;
    if packing != Packing::PLAIN {
        let mut head = [0; 512];
        let len = fill_at(&spill.file, &mut head).map_err(|cause| Error::io("read the spill file", cause))?;
        if recognise(head.get(..len).unwrap_or_default())? != Packing::PLAIN {
            return Err(Error::unsupported("the archive is compressed twice").hint("decompress it once"));
        }
    }
    let file = Arc::new(spill.file);
    Ok((Outer::Tar { file, len: spill.len, bytes: spill.read, spilled: true, identity }, opened))
}

/// Says by its first bytes how a file is packed, or why it is no image archive.
fn recognise(head: &[u8]) -> Result<Packing, Error> {
    // A checksum says more than a magic: the first member's name may look like one.
    if is_tar(head) {
        return Ok(Packing::PLAIN);
    }
    const CODECS: &[(&[u8], Packing)] = &[
        (b"\x1f\x8b", Packing::Layer(Codec::Gzip)),
        (b"\x28\xb5\x2f\xfd", Packing::Layer(Codec::Zstd)),
        (b"\xfd7zXZ\0", Packing::Xz),
    ];
    const OTHERS: &[(&[u8], &str)] = &[
        (b"BZh", "compressed with bzip2"),
        (b"\x04\x22\x4d\x18", "compressed with lz4"),
        (b"LZIP", "compressed with lzip"),
        (b"\x5d\0\0", "compressed with lzma"),
        (b"\x1f\x9d", "compressed with compress"),
        (b"PK\x03\x04", "a zip file"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z file"),
        (b"hsqs", "a squashfs filesystem"),
        (b"QFI\xfb", "a qcow2 disk"),
    ];
    if head.is_empty() {
        return Err(
            Error::malformed("the input is empty").hint("save the image again, as in docker save -o in.tar IMAGE")
        );
    }
    if let Some((_, packing)) = CODECS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Ok(*packing);
    }
    // The magic of a zstd frame that holds no data, as pzstd puts it first.
    if matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) {
        return Ok(Packing::Layer(Codec::Zstd));
    }
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)) {
        let what = format!("the input is {what}");
        return Err(Error::unsupported(what).hint("give a plain tar, or one in gzip, zstd or xz"));
    }
    if head.len() < 512 {
        return Err(Error::malformed("the input is not a tar: it has less than one block of 512 bytes"));
    }
    Err(Error::new(ErrorKind::Malformed, "the input is not a tar: its first header has no valid checksum")
        .hint("give an archive that docker save, podman save, skopeo or buildx wrote"))
}

/// Whether these bytes begin with a tar header, or with the zero blocks of an empty tar.
fn is_tar(head: &[u8]) -> bool {
    head.first_chunk::<BLOCK>().is_some_and(|block| block == &[0; BLOCK] || Header::parse(block).is_ok())
}

fn fill_at(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0usize;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, done as u64) {
            Ok(0) => break,
            Ok(read) => done = done.saturating_add(read),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(done)
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0usize;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => done = done.saturating_add(read),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(done)
}

#[cfg(test)]
#[path = "outer_tests.rs"]
mod tests;
