//! Layer bytes and rewritten documents in, the finished archive in its place out.
//!
//! Every blob once and no blob unnamed; the same members in the same order for the same input. Until
//! [`Sealed::commit`] the output path is as it was, and whatever ends the run before leaves nothing beside it.

mod directory;
mod documents;
mod tar;
mod target;
mod writeback;

pub use documents::Root;

use crate::cancel::Cancel;
use crate::error::Error;
use crate::image::rewrite::Rewritten;
use crate::options::{Format, Output};
use crate::warning::Warnings;
use directory::Layout;
use oci_spec::image::{Digest, DigestAlgorithm};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use tar::{Tar, writing};
use target::{Names, Target};

/// Bytes that go from the spill file to a stream at once.
const CHUNK: usize = 1 << 20;

/// An archive being written: layers first, one after the other, then [`ArchiveWriter::finish`].
#[derive(Debug)]
pub struct ArchiveWriter<'a> {
    medium: Medium,
    place: Place<'a>,
    format: Format,
    /// Digests and sizes of the layers so far.
    layers: BTreeMap<String, u64>,
    cancel: &'a Cancel,
}

#[derive(Debug)]
enum Medium {
    Tar(Tar),
    Layout(Layout),
}

/// [`Target`] without the file that the medium has.
#[derive(Debug)]
enum Place<'a> {
    File { pending: crate::cancel::Pending<'a>, path: std::path::PathBuf },
    Stream { stream: File, shown: String },
    Directory { pending: crate::cancel::Pending<'a>, path: std::path::PathBuf },
}

impl<'a> ArchiveWriter<'a> {
    /// Opens the output. `input` is the device and inode of the archive that is read, `temp_dir` takes the spill file
    /// of an output that is a stream.
    ///
    /// # Errors
    /// Usage, where the output is the input, a terminal, a directory that is not asked for or that holds other things
    /// than an OCI layout, or where the format does not fit a directory; I/O, where nothing can be made there.
    pub fn create(
        output: &Output,
        format: Format,
        input: Option<(u64, u64)>,
        temp_dir: &Path,
        cancel: &'a Cancel,
    ) -> Result<Self, Error> {
        let directory = matches!(output, Output::Directory(_));
        let format = match (directory, format) {
            (true, Format::Docker) => {
                return Err(Error::usage("a docker archive is a file, and the output is a directory")
                    .hint("leave out the / at its end, or write --format oci"));
            }
            // No engine reads manifest.json from a directory.
            (true, _) => Format::Oci,
            (false, format) => format,
        };
        let (medium, place) = match target::open(output, input, temp_dir, cancel)? {
            Target::File { file, pending, path } => {
                (Medium::Tar(Tar::new(file).written_back()), Place::File { pending, path })
            }
            Target::Stream { spool, stream, shown } => (Medium::Tar(Tar::new(spool)), Place::Stream { stream, shown }),
            Target::Directory { pending, path } => {
                (Medium::Layout(Layout::new(pending.path())), Place::Directory { pending, path })
            }
        };
        let mut writer = Self { medium, place, format, layers: BTreeMap::new(), cancel };
        if format != Format::Docker {
            writer.member(documents::MARKER.0, documents::MARKER.1)?;
            writer.member("blobs/", b"")?;
            writer.member("blobs/sha256/", b"")?;
        }
        Ok(writer)
    }

    /// Begins a layer blob, of which neither size nor digest need be known. One that was begun and never finished is
    /// taken back.
    pub fn layer(&mut self) -> Result<LayerSink<'_, 'a>, Error> {
        self.cancel.check()?;
        match &mut self.medium {
            Medium::Tar(tar) => tar.open()?,
            Medium::Layout(layout) => layout.open()?,
        }
        Ok(LayerSink { writer: self })
    }

    /// Writes the documents of these images. The layers that they name are exactly the layers that were written.
    ///
    /// # Errors
    /// Usage, where two images would have one name, or a docker archive several platforms of an image; integrity,
    /// where layers are missing or left over; I/O.
    pub fn finish(mut self, images: &[Rewritten], warnings: &mut Warnings) -> Result<Sealed<'a>, Error> {
        documents::account_for(images, &self.layers)?;
        let documents = documents::write(images, self.format, warnings)?;
        for (name, bytes) in &documents.members {
            self.cancel.check()?;
            self.member(name, bytes)?;
        }
        let Self { medium, place, cancel, .. } = self;
        let (file, bytes) = match medium {
            Medium::Tar(tar) => tar.finish().map(|(file, bytes)| (Some(file), bytes))?,
            Medium::Layout(layout) => (None, layout.finish()?),
        };
        Ok(Sealed { file, place, cancel, bytes, roots: documents.roots })
    }

    fn member(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.medium {
            Medium::Tar(tar) => tar.member(name, bytes),
            Medium::Layout(layout) => layout.member(name, bytes),
        }
    }
}

/// Takes the bytes of a layer blob. Nothing is buffered: write 256 KiB or more at once.
#[derive(Debug)]
pub struct LayerSink<'w, 'a> {
    writer: &'w mut ArchiveWriter<'a>,
}

impl LayerSink<'_, '_> {
    /// Ends the blob, whose bytes have this digest, and tells its size in bytes. A blob that is there already is
    /// taken back.
    ///
    /// # Errors
    /// Unsupported, where the digest is not a SHA-256; I/O.
    pub fn finish(self, digest: &Digest) -> Result<u64, Error> {
        let Self { writer } = self;
        if *digest.algorithm() != DigestAlgorithm::Sha256 {
            return Err(Error::unsupported(format!(
                "a layer is written under its SHA-256, not its {}",
                digest.algorithm()
            )));
        }
        let size = match &writer.medium {
            Medium::Tar(tar) => tar.size(),
            Medium::Layout(layout) => layout.size(),
        };
        // Left open, it is taken back by whatever is written next.
        if let Some(known) = writer.layers.insert(digest.to_string(), size) {
            if known != size {
                return Err(Error::integrity(format!(
                    "two layers of {known} and {size} bytes have the digest {digest}"
                )));
            }
            return Ok(size);
        }
        let name = documents::layer_name(digest, writer.format);
        match &mut writer.medium {
            Medium::Tar(tar) => tar.close(&name)?,
            Medium::Layout(layout) => layout.close(&name)?,
        }
        Ok(size)
    }
}

impl Write for LayerSink<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.cancel.check()?;
        match &mut self.writer.medium {
            Medium::Tar(tar) => tar.write(bytes),
            Medium::Layout(layout) => layout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A complete archive that is not in its place yet: the moment for gates and for reading it back. Dropped, it is gone.
#[derive(Debug)]
pub struct Sealed<'a> {
    file: Option<File>,
    place: Place<'a>,
    cancel: &'a Cancel,
    bytes: u64,
    roots: Vec<Root>,
}

impl Sealed<'_> {
    /// Bytes of the archive file, or of all files of the directory.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of the spill file that an output which is a stream has.
    pub fn temp_bytes(&self) -> u64 {
        if matches!(self.place, Place::Stream { .. }) { self.bytes } else { 0 }
    }

    /// What the names of the archive lead to, in the order of the input.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// The archive's file, open for reading; `None` for a directory. Read it by position.
    pub fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// The directory where the layout stands until it is committed; `None` for an archive file.
    pub fn directory(&self) -> Option<&Path> {
        match &self.place {
            Place::Directory { pending, .. } => Some(pending.path()),
            _ => None,
        }
    }

    /// Puts the archive in its place: synced and renamed, or copied into the stream.
    ///
    /// # Errors
    /// I/O, also for a pipe that closes early: a cut-off archive is never a success.
    pub fn commit(self) -> Result<(), Error> {
        match (self.place, self.file) {
            (Place::File { pending, path }, Some(file)) => {
                file.sync_all().map_err(writing)?;
                let moving = |error| Error::io(format!("put {} in its place", path.display()), error);
                let names = path.parent().map(Names::of).transpose()?;
                pending.commit(|built| fs::rename(built, &path).map_err(moving))?;
                names.map_or(Ok(()), |names| names.sync())
            }
            (Place::Stream { mut stream, shown }, Some(spool)) => {
                copy(&spool, self.bytes, &mut stream, self.cancel).map_err(|error| error.in_archive(&shown))?;
                match stream.metadata() {
                    Ok(found) if found.is_file() => stream.sync_all().map_err(|error| writing(error).in_archive(shown)),
                    _ => Ok(()),
                }
            }
            (Place::Directory { pending, path }, _) => directory::replace(pending, &path),
            (_, None) => Err(Error::integrity("the archive was never written")),
        }
    }
}

/// Copies a spill file into a stream.
fn copy(spool: &File, bytes: u64, stream: &mut impl Write, cancel: &Cancel) -> Result<(), Error> {
    let mut buffer = vec![0; CHUNK];
    let mut position = 0u64;
    while position < bytes {
        cancel.check()?;
        let wanted = usize::try_from(bytes.saturating_sub(position)).unwrap_or(CHUNK).min(CHUNK);
        let piece = buffer.get_mut(..wanted).unwrap_or_default();
        spool.read_exact_at(piece, position).map_err(|error| Error::io("read the spill file", error))?;
        stream.write_all(piece).map_err(writing)?;
        position = position.saturating_add(wanted as u64);
    }
    stream.flush().map_err(writing)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
