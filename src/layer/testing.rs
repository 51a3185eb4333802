//! A tar builder for tests, and a scanner over bytes.
//!
//! In: what each block shall say, however odd. Out: tar bytes. It checks nothing: writing tars that no writer
//! would write is its purpose.

use super::{BlobInput, ScanEnd, StreamInput, scan};
use crate::archive::Blob;
use crate::error::Error;
use crate::options::Limits;
use crate::rootfs::{Entry, LayerId};
use crate::warning::Warnings;
use std::io::Write;
use std::sync::Arc;

/// A header block in the making: POSIX, mode 0644, owner 0:0, time 0, no data.
#[derive(Debug, Clone)]
pub(crate) struct Head([u8; 512]);

impl Head {
    pub(crate) fn new(typeflag: u8, name: impl AsRef<[u8]>) -> Self {
        let mut head = Self([0; 512]).at(0, name);
        head.0[156] = typeflag;
        head.at(257, b"ustar\x0000").number(100, 8, 0o644).number(108, 8, 0).number(116, 8, 0).size(0).mtime(0)
    }

    pub(crate) fn gnu(typeflag: u8, name: impl AsRef<[u8]>) -> Self {
        Self::new(typeflag, name).at(257, b"ustar  \0")
    }

    /// Any bytes at any place.
    pub(crate) fn at(mut self, at: usize, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Octal digits, as many as fit, and a NUL.
    pub(crate) fn number(self, at: usize, len: usize, number: u64) -> Self {
        self.at(at, format!("{number:0width$o}\0", width = len - 1))
    }

    pub(crate) fn size(self, size: u64) -> Self {
        self.number(124, 12, size)
    }

    pub(crate) fn mtime(self, mtime: u64) -> Self {
        self.number(136, 12, mtime)
    }

    pub(crate) fn mode(self, mode: u64) -> Self {
        self.number(100, 8, mode)
    }

    pub(crate) fn link(self, target: impl AsRef<[u8]>) -> Self {
        self.at(157, target)
    }

    /// The bytes without a checksum.
    pub(crate) fn into_raw(self) -> [u8; 512] {
        self.0
    }

    /// The block with its checksum.
    pub(crate) fn block(self) -> [u8; 512] {
        let sum: u32 = self.clone().at(148, b"        ").0.iter().map(|byte| u32::from(*byte)).sum();
        self.checksum(sum)
    }

    /// The block with any checksum.
    pub(crate) fn checksum(self, sum: u32) -> [u8; 512] {
        self.at(148, format!("{sum:06o}\0 ")).0
    }
}

/// A tar in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tar(pub(crate) Vec<u8>);

impl Tar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    pub(crate) fn zeros(self, count: usize) -> Self {
        self.raw(vec![0; count])
    }

    /// A header as it is.
    pub(crate) fn head(self, head: Head) -> Self {
        self.raw(head.block())
    }

    /// Data and its padding.
    pub(crate) fn data(self, data: impl AsRef<[u8]>) -> Self {
        let padding = data.as_ref().len().next_multiple_of(512) - data.as_ref().len();
        self.raw(data).zeros(padding)
    }

    /// A header with the size of its data, and the data.
    pub(crate) fn body(self, head: Head, data: impl AsRef<[u8]>) -> Self {
        self.head(head.size(data.as_ref().len() as u64)).data(data)
    }

    pub(crate) fn file(self, name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Self {
        self.body(Head::new(b'0', name), data)
    }

    pub(crate) fn directory(self, name: impl AsRef<[u8]>) -> Self {
        self.head(Head::new(b'5', name).mode(0o755))
    }

    /// A PAX header of these records.
    pub(crate) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let body: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
        self.body(Head::new(b'x', "PaxHeaders.0/x"), body)
    }

    /// GNU's long name (`L`) or long link target (`K`).
    pub(crate) fn long(self, typeflag: u8, name: impl AsRef<[u8]>) -> Self {
        self.body(Head::gnu(typeflag, "././@LongLink"), [name.as_ref(), b"\0"].concat())
    }

    /// The end marker, and the bytes.
    pub(crate) fn end(self) -> Vec<u8> {
        self.zeros(1024).0
    }
}

/// One PAX record with its length.
pub(crate) fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let len = (rest..).find(|len| len - len.to_string().len() == rest).unwrap();
    [format!("{len} {key}=").as_bytes(), value, b"\n"].concat()
}

/// Bytes as a blob.
pub(crate) fn blob(bytes: &[u8]) -> Blob {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Blob::new(Arc::new(file), 0, bytes.len() as u64)
}

/// A scanned tar.
#[derive(Debug, PartialEq)]
pub(crate) struct Scanned {
    pub(crate) entries: Vec<Entry>,
    pub(crate) warnings: Warnings,
    pub(crate) end: ScanEnd,
}

/// Scans a tar.
pub(crate) fn scanned(tar: &[u8]) -> Result<Scanned, Error> {
    scanned_within(tar, &Limits::default())
}

/// Scans a tar as a blob and as a stream, which must give the same.
pub(crate) fn scanned_within(tar: &[u8], limits: &Limits) -> Result<Scanned, Error> {
    let collect = |streamed: bool| {
        let (mut entries, mut warnings) = (Vec::new(), Warnings::default());
        let mut push = |entry| {
            entries.push(entry);
            Ok(())
        };
        let end = if streamed {
            scan(&mut StreamInput::new(tar), LayerId(0), limits, &mut warnings, &mut push)?
        } else {
            scan(&mut BlobInput::new(&blob(tar)), LayerId(0), limits, &mut warnings, &mut push)?
        };
        Ok::<_, Error>(Scanned { entries, warnings, end })
    };
    let (one, other) = (collect(false), collect(true));
    match (&one, &other) {
        (Ok(one), Ok(other)) => assert_eq!(one, other),
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        _ => panic!("a blob and a stream are read differently: {one:?} {other:?}"),
    }
    one
}
