//! Members in, the outer tar out: every header the same but for name and size, so the same input gives the same bytes.
//!
//! A member's size is known only when its bytes are: the header is written at the end, over the place kept for it.
//! A member can be taken back as long as it is the last.

use super::writeback::Writeback;
use crate::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

const BLOCK: u64 = 512;
/// Bytes of the two zero blocks that end an archive.
const END: usize = 1024;
/// The first size that eleven octal digits cannot write.
const OCTAL_END: u64 = 1 << 33;

/// The tar being written into a file that this is alone to write.
#[derive(Debug)]
pub(super) struct Tar {
    file: File,
    /// Where the last complete member ends.
    end: u64,
    /// Bytes of the open member so far, without its header.
    open: u64,
    /// Where the file is to last.
    writeback: Option<Writeback>,
}

impl Tar {
    pub(super) fn new(file: File) -> Self {
        Self { file, end: 0, open: 0, writeback: None }
    }

    /// Writes the file out to the disk while it grows.
    pub(super) fn written_back(self) -> Self {
        Self { writeback: Some(Writeback::default()), ..self }
    }

    /// Opens a member, and takes back one that was never closed.
    pub(super) fn open(&mut self) -> Result<(), Error> {
        self.open = 0;
        self.file.set_len(self.end.saturating_add(BLOCK)).map_err(writing)
    }

    /// Adds bytes to the open member.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let position = self.end.checked_add(BLOCK).and_then(|start| start.checked_add(self.open));
        let written = self.file.write_at(bytes, position.ok_or(io::ErrorKind::FileTooLarge)?)?;
        self.open = self.open.saturating_add(written as u64);
        if let Some(writeback) = &mut self.writeback {
            writeback.wrote(written, &self.file);
        }
        Ok(written)
    }

    /// Bytes of the open member.
    pub(super) fn size(&self) -> u64 {
        self.open
    }

    /// Closes the open member under this name.
    pub(super) fn close(&mut self, name: &str) -> Result<(), Error> {
        self.file.write_all_at(header(name, self.open)?.as_bytes(), self.end).map_err(writing)?;
        let padded = self.open.checked_next_multiple_of(BLOCK);
        let end = padded.and_then(|size| size.checked_add(BLOCK)).and_then(|size| size.checked_add(self.end));
        self.end = end.ok_or_else(|| writing(io::ErrorKind::FileTooLarge.into()))?;
        self.open = 0;
        // Longer, not shorter: the padding is zeros, and a full disk shows when they are written out, not here.
        self.file.set_len(self.end).map_err(writing)
    }

    /// A whole member at once; a name that ends in a slash is a directory.
    pub(super) fn member(&mut self, name: &str, mut bytes: &[u8]) -> Result<(), Error> {
        self.open()?;
        while !bytes.is_empty() {
            let written = match self.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result.map_err(writing)?,
            };
            bytes =
                bytes.get(written..).filter(|_| written > 0).ok_or_else(|| writing(io::ErrorKind::WriteZero.into()))?;
        }
        self.close(name)
    }

    /// Ends the archive with two zero blocks; its file and its size in bytes.
    pub(super) fn finish(mut self) -> Result<(File, u64), Error> {
        self.file.set_len(self.end).map_err(writing)?;
        self.file.write_all_at(&[0; END], self.end).map_err(writing)?;
        self.file.flush().map_err(writing)?;
        self.writeback.map_or(Ok(()), Writeback::finish)?;
        Ok((self.file, self.end.saturating_add(END as u64)))
    }
}

/// An error of the disk below the output.
pub(super) fn writing(error: io::Error) -> Error {
    Error::io("write the output", error)
}

/// Go, docker 20.10, GNU tar and Python all read a base-256 size; a PAX size would need its place before the
/// size is known.
fn header(name: &str, size: u64) -> Result<tar::Header, Error> {
    let mut header = if size < OCTAL_END { tar::Header::new_ustar() } else { tar::Header::new_gnu() };
    header.set_path(name).map_err(writing)?;
    let directory = name.ends_with('/');
    header.set_entry_type(if directory { tar::EntryType::Directory } else { tar::EntryType::Regular });
    header.set_mode(if directory { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::io::Read;
    use std::os::unix::fs::MetadataExt;

    fn read(file: File) -> Vec<(String, Vec<u8>)> {
        let size = file.metadata().unwrap().len();
        let mut bytes = vec![0; usize::try_from(size).unwrap()];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert!(bytes.ends_with(&[0; 1024]) && size.is_multiple_of(512));
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (String::from_utf8(entry.path_bytes().into_owned()).unwrap(), content)
        });
        entries.collect()
    }

    #[test]
    fn members_come_back_and_an_open_one_is_taken_back() {
        let mut tar = Tar::new(tempfile::tempfile().unwrap());
        tar.member("blobs/", b"").unwrap();
        tar.open().unwrap();
        tar.write(&[1; 5000]).unwrap();
        tar.member("a", &[2; 513]).unwrap();
        tar.open().unwrap();
        tar.write(&[3; 5000]).unwrap();
        let (file, size) = tar.finish().unwrap();
        assert_eq!(size, file.metadata().unwrap().len());
        assert_eq!(read(file), [("blobs/".to_owned(), vec![]), ("a".to_owned(), vec![2; 513])]);
    }

    #[test]
    fn bytes_of_a_longer_member_that_was_taken_back_do_not_pad_the_next() {
        let mut tar = Tar::new(tempfile::tempfile().unwrap());
        tar.open().unwrap();
        tar.write(&[0xee; 4096]).unwrap();
        tar.member("a", b"x").unwrap();
        let (file, _) = tar.finish().unwrap();
        let mut bytes = Vec::new();
        io::Seek::rewind(&mut &file).unwrap();
        (&file).read_to_end(&mut bytes).unwrap();
        assert!(!bytes.contains(&0xee));
    }

    #[test]
    fn a_member_beyond_eight_gibibytes_has_a_size_that_others_read() {
        let size = OCTAL_END + 5;
        let large = header("blobs/sha256/x", size).unwrap();
        assert_eq!((large.entry_size().unwrap(), large.as_bytes()[124]), (size, 0x80));
        let largest = header("x", OCTAL_END - 1).unwrap();
        assert_eq!(&largest.as_bytes()[124..136], b"77777777777\0");
        assert!(largest.as_ustar().is_some());
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let full = File::options().read(true).write(true).open("/dev/full").unwrap();
        assert_eq!(full.metadata().unwrap().size(), 0);
        let mut tar = Tar::new(full);
        assert_eq!(tar.write(b"x").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(tar.close("x").unwrap_err().kind(), ErrorKind::Io);
    }
}
