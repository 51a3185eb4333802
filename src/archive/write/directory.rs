//! Blobs and documents in, the files of an OCI layout directory out; and how a finished one takes the place of another.
//!
//! Built in a temporary directory beside its place. What is no OCI layout is never replaced.

use super::tar::writing;
use super::target::{Names, beside};
use super::writeback::Writeback;
use crate::cancel::Pending;
use crate::error::{Error, escape};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What tools put at the top of an OCI layout; anything else is a stranger's and would be lost.
const KNOWN: &[&str] = &["blobs", "index.json", "ingest", "manifest.json", "oci-layout", "repositories"];
/// An open blob's name. It cannot be a digest's.
const OPEN: &str = "open";

/// The layout being written.
#[derive(Debug)]
pub(super) struct Layout {
    root: PathBuf,
    open: Option<File>,
    writeback: Writeback,
    size: u64,
    total: u64,
}

impl Layout {
    /// Begins a layout in this empty directory.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), open: None, writeback: Writeback::default(), size: 0, total: 0 }
    }

    /// Opens a blob, and takes back one that was never closed.
    pub(super) fn open(&mut self) -> Result<(), Error> {
        self.size = 0;
        self.writeback = Writeback::default();
        self.open = Some(File::create(self.root.join(OPEN)).map_err(writing)?);
        Ok(())
    }

    /// Adds bytes to the open blob.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = self.open.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let written = file.write(bytes)?;
        self.writeback.wrote(written, file);
        self.size = self.size.saturating_add(written as u64);
        Ok(written)
    }

    /// Bytes of the open blob.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Closes the open blob under this name; names of directories end in a slash and have no bytes.
    pub(super) fn close(&mut self, name: &str) -> Result<(), Error> {
        if let Some(file) = self.open.take() {
            std::mem::take(&mut self.writeback).finish()?;
            file.sync_all().map_err(writing)?;
            fs::rename(self.root.join(OPEN), self.root.join(name)).map_err(writing)?;
            self.total = self.total.saturating_add(self.size);
        }
        Ok(())
    }

    /// A whole file at once, or a directory.
    pub(super) fn member(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        if name.ends_with('/') {
            return fs::create_dir(self.root.join(name)).map_err(writing);
        }
        self.open()?;
        let file = self.open.as_mut().ok_or_else(|| writing(io::ErrorKind::NotConnected.into()))?;
        file.write_all(bytes).map_err(writing)?;
        self.size = bytes.len() as u64;
        self.close(name)
    }

    /// Takes back what is open and writes the names to the disk; the bytes of all files.
    pub(super) fn finish(mut self) -> Result<u64, Error> {
        self.open = None;
        match fs::remove_file(self.root.join(OPEN)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(writing(error)),
            _ => {}
        }
        for directory in ["blobs/sha256", "blobs", ""] {
            Names::of(&self.root.join(directory))?.sync()?;
        }
        Ok(self.total)
    }
}

/// Refuses a directory that is neither empty nor an OCI layout, or that holds more than one.
pub(super) fn refuse_strangers(path: &Path) -> Result<(), Error> {
    let reading = |error| Error::io("read the output directory", error);
    let names = fs::read_dir(path).map_err(reading)?.map(|entry| Ok(entry.map_err(reading)?.file_name()));
    let names = names.collect::<Result<Vec<_>, Error>>()?;
    let strange = names.iter().find(|name| !name.to_str().is_some_and(|name| KNOWN.contains(&name)));
    if let Some(strange) = strange {
        let what =
            format!("the output directory holds \"{}\", no part of an OCI layout", escape(strange.as_encoded_bytes()));
        return Err(Error::usage(what).hint("name a new or an empty directory"));
    }
    if !names.is_empty() && !names.iter().any(|name| name == "oci-layout") {
        return Err(Error::usage("the output directory is not empty and no OCI layout").hint("name a new directory"));
    }
    Ok(())
}

/// Puts a finished layout in its place. One rename where nothing or an empty directory is there; else two, and the old
/// layout comes back if the second fails. Between the two the place is empty: `rename` replaces no full directory.
pub(super) fn replace(pending: Pending<'_>, path: &Path) -> Result<(), Error> {
    let (parent, prefix) = beside(path)?;
    let moving = |error| Error::io("put the output in its place", error);
    let (mut old, names) = (None, Names::of(parent)?);
    pending.commit(|built| match fs::rename(built, path) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            // Someone may have put a file there since the run began.
            refuse_strangers(path)?;
            let aside = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent).map_err(moving)?;
            let kept = aside.path().join("old");
            fs::rename(path, &kept).map_err(moving)?;
            if let Err(error) = fs::rename(built, path) {
                let back = fs::rename(&kept, path);
                return Err(match back {
                    Ok(()) => moving(error),
                    Err(_) => {
                        let stays = aside.keep();
                        Error::io(format!("put the output in its place; the old one is in {}", stays.display()), error)
                    }
                });
            }
            old = Some(aside);
            Ok(())
        }
        other => other.map_err(moving),
    })?;
    names.sync()?;
    match old.map(tempfile::TempDir::close) {
        Some(Err(error)) => Err(Error::io("remove the old output, which the new one replaced", error)),
        _ => Ok(()),
    }
}
