//! The scanner: the bytes of one layer's tar to its entries.
//!
//! In: a tar. Out: each entry, in the order of the tar, as a value with the place of its bytes; data itself is
//! jumped over. It agrees with Go's archive/tar, which every engine reads layers with, or refuses: where two
//! readers would see different files there is no right answer (merge.md T1-T34). Memory: one extended header,
//! and what the caller keeps.

use super::codec::EXPANDED;
use super::extended::Extended;
use super::header::{BLOCK, Block, Format, Header};
use super::input::TarInput;
use super::{pax, sparse, verbatim};
use crate::error::{Error, escape};
use crate::options::Limits;
use crate::rootfs::{Content, Device, Entry, EntryKind, LayerId, Meta, OwnerNames, Record, RootPath, Source, Time};
use crate::warning::{WarningKind, Warnings};
use std::sync::Arc;

/// How a tar ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanEnd {
    /// How many entries it has; extended headers are not counted.
    pub entries: u64,
    /// Where its end marker stands, or where it ends without one, in bytes.
    pub end: u64,
}

/// Reads a tar to its end and hands each entry to `push`.
///
/// # Errors
///
/// `Malformed` where the tar breaks its format, is cut off (T31), or means different things to different readers;
/// `Unsupported` for entry types that no engine unpacks (T20); `Limit`; `Io`; and whatever `push` returns.
pub fn scan(
    input: &mut impl TarInput,
    layer: LayerId,
    limits: &Limits,
    warnings: &mut Warnings,
    push: &mut dyn FnMut(Entry) -> Result<(), Error>,
) -> Result<ScanEnd, Error> {
    let mut scanner = Scanner {
        input,
        layer,
        limits,
        warnings,
        entries: 0,
        expanded: 0,
        owners: Vec::new(),
        records: Arc::default(),
    };
    let mut extended = Extended::default();
    loop {
        let at = scanner.input.position();
        let Some(block) = scanner.next_header()? else {
            if extended.start.is_some() {
                return Err(Error::malformed("the tar ends after an extended header, before its entry")); // T12
            }
            scanner.drain()?;
            return Ok(ScanEnd { entries: scanner.entries, end: at });
        };
        let header = Header::parse(&block)
            .map_err(|flaw| Error::malformed(format!("the tar header at offset {at} is malformed: {flaw}")))?;
        match header.typeflag {
            b'x' | b'L' | b'K' => scanner.extend(&mut extended, &header, at)?,
            b'g' => scanner.global(&extended, &header)?,
            _ => {
                let extended = std::mem::take(&mut extended);
                let names = extended.names(&header).map_err(|error| error.at_entry(&header.name))?;
                let entry = scanner.entry((&block, at), &header, &extended, names);
                entry.and_then(&mut *push).map_err(|error| error.at_entry(names.0))?;
            }
        }
    }
}

/// What follows the data of an entry.
#[derive(PartialEq)]
enum Padding {
    Zeros,
    Other,
    /// Lost at the end of the input, which Go accepts (T31).
    Missing,
}

/// How many owners are remembered.
const OWNERS: usize = 16;

struct Scanner<'a, I> {
    input: &'a mut I,
    layer: LayerId,
    limits: &'a Limits,
    warnings: &'a mut Warnings,
    entries: u64,
    expanded: u64,
    /// The owners seen last: most entries share one.
    owners: Vec<Arc<OwnerNames>>,
    /// The attributes of the last entry that had any.
    records: Arc<[Record]>,
}

impl<I: TarInput> Scanner<'_, I> {
    /// The next block that is a header, or nothing at the end of the tar (T27, T28, T29).
    fn next_header(&mut self) -> Result<Option<Block>, Error> {
        let at = self.input.position();
        let mut block = [0; BLOCK];
        match self.input.read(&mut block)? {
            0 => {
                if at > 0 {
                    self.no_end_marker(at); // an empty blob is an empty layer (M96)
                }
                return Ok(None);
            }
            BLOCK if block != [0; BLOCK] => return Ok(Some(block)),
            BLOCK => {}
            _ => return Err(self.input.truncated()),
        }
        match self.input.read(&mut block)? {
            0 => self.no_end_marker(at),
            BLOCK if block == [0; BLOCK] => {}
            BLOCK => {
                let what = format!("a single block of zeros at offset {at}, where some readers stop and some do not");
                return Err(Error::malformed(what));
            }
            _ => return Err(self.input.truncated()),
        }
        Ok(None)
    }

    fn no_end_marker(&mut self, at: u64) {
        self.warnings.add(WarningKind::EndMarker, format!("offset {at}"));
    }

    /// Reads what stands after the end marker: it belongs to the digest, not to the files (T28, T30).
    fn drain(&mut self) -> Result<(), Error> {
        let at = self.input.position();
        let mut buffer = vec![0; 64 << 10];
        let mut zeros = true;
        loop {
            let read = self.input.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            zeros &= buffer.iter().take(read).all(|byte| *byte == 0);
        }
        if !zeros {
            self.warnings.add(WarningKind::TrailingData, format!("offset {at}"));
        }
        Ok(())
    }

    /// The body of an extended header, bounded before it is read (T33), and its padding.
    fn body(&mut self, header: &Header<'_>) -> Result<(Vec<u8>, Padding), Error> {
        let size = usize::try_from(header.size).ok().filter(|_| header.size <= self.limits.pax);
        let Some(size) = size else {
            let what = format!("an extended header has {} bytes, more than {}", header.size, self.limits.pax);
            return Err(Error::limit(what).hint("raise it with --limit pax=BYTES"));
        };
        let mut body = vec![0; size];
        self.input.read_exact(&mut body)?;
        let padding = self.padding(header.size)?;
        Ok((body, padding))
    }

    fn extend(&mut self, extended: &mut Extended, header: &Header<'_>, at: u64) -> Result<(), Error> {
        extended.start.get_or_insert(at);
        let (body, padding) = self.body(header)?;
        extended.regular &= padding == Padding::Zeros;
        let added = extended.add(header, &body, self.limits);
        added.map_err(|error| error.at_entry(&header.name))
    }

    fn global(&mut self, extended: &Extended, header: &Header<'_>) -> Result<(), Error> {
        if extended.start.is_some() {
            // Go forgets the extended header then, others keep it.
            return Err(Error::malformed("a global pax header stands between an extended header and its entry"));
        }
        let (body, _) = self.body(header)?;
        pax::check_global(&body).map_err(|error| error.at_entry(&header.name))
    }

    /// Reads what fills the last block.
    fn padding(&mut self, size: u64) -> Result<Padding, Error> {
        let used = usize::try_from(size % 512).unwrap_or_default();
        let mut padding = [0; BLOCK];
        let padding = padding.get_mut(used..).filter(|_| used > 0).unwrap_or_default();
        let read = self.input.read(padding)?;
        Ok(match read == padding.len() {
            false => Padding::Missing,
            true if padding.iter().all(|byte| *byte == 0) => Padding::Zeros,
            true => Padding::Other,
        })
    }

    /// The entry of a header, with the input past its padding.
    fn entry(
        &mut self,
        (block, at): (&Block, u64),
        header: &Header<'_>,
        extended: &Extended,
        (name, linkname): (&[u8], &[u8]),
    ) -> Result<Entry, Error> {
        self.entries = self.entries.saturating_add(1);
        const NAME: &str = "raise it with --limit name=BYTES";
        for (value, limit, what, hint) in [
            (self.entries, self.limits.entries, "the tar has more entries than", "raise it with --limit entries=N"),
            (name.len() as u64, self.limits.name, "the name is longer than", NAME),
            (linkname.len() as u64, self.limits.name, "the link target is longer than", NAME),
        ] {
            if value > limit {
                return Err(Error::limit(format!("{what} {limit}")).hint(hint));
            }
        }
        let path = RootPath::from_entry_name(name)?;
        if header.odd_magic {
            self.warnings.add(WarningKind::OddMagic, &path);
        }
        let meta = self.meta(header, extended)?;
        for _ in 0..extended.pax.as_ref().map_or(0, |pax| pax.overlay) {
            self.warnings.add(WarningKind::OverlayXattr, &path);
        }
        let pax_size = extended.pax.as_ref().and_then(|pax| pax.size);
        let size = pax_size.unwrap_or(header.size); // T1, T2
        let kind = match header.typeflag {
            0 if name.ends_with(b"/") || extended.is_slashed(header) => EntryKind::Directory,
            b'0' | 0 | b'7' | b'S' => {
                if name.ends_with(b"/") {
                    self.warnings.add(WarningKind::SlashFile, &path); // M78
                }
                EntryKind::File(self.content(block, header, extended, size)?)
            }
            b'1' | b'2' if linkname.is_empty() => return Err(Error::malformed("the link has no target")),
            b'1' => EntryKind::HardLink(RootPath::clamped(linkname)),
            b'2' => EntryKind::Symlink(linkname.into()),
            b'3' => EntryKind::CharDevice(device(header, extended)?),
            b'4' => EntryKind::BlockDevice(device(header, extended)?),
            b'5' => EntryKind::Directory,
            b'6' => EntryKind::Fifo,
            flag => {
                let what = format!("the entry type \"{}\" is not one that a layer can have", escape(&[flag]));
                return Err(Error::unsupported(what)); // T20
            }
        };
        let padding = if let EntryKind::File(_) = kind {
            self.padding(size)?
        } else if header.size == 0 && size == 0 {
            self.no_sparse(extended)?;
            Padding::Zeros
        } else {
            // T17, T18, T19: some readers jump over that many bytes, and hide what stands there.
            return Err(Error::malformed(format!(
                "only a file has data, this entry claims {} bytes",
                size.max(header.size)
            )));
        };
        let copied = padding == Padding::Zeros
            && !is_sparse(&kind)
            && verbatim::suits_every_reader(header, extended, (name, linkname), (&path, &kind));
        let verbatim = copied.then(|| extended.start.unwrap_or(at)..self.input.position());
        Ok(Entry { path, kind, meta, verbatim })
    }

    fn no_sparse(&self, extended: &Extended) -> Result<(), Error> {
        match extended.pax.as_ref().is_some_and(|pax| pax.sparse.is_some()) {
            true => Err(Error::malformed("only a file can be sparse")),
            false => Ok(()),
        }
    }

    /// The data of a file of `stored` bytes, which are jumped over.
    fn content(
        &mut self,
        block: &Block,
        header: &Header<'_>,
        extended: &Extended,
        stored: u64,
    ) -> Result<Content, Error> {
        let form = extended.pax.as_ref().and_then(|pax| pax.sparse.as_ref());
        let (size, map, left) = match (form, header.typeflag) {
            (None, b'S') if header.format != Format::Gnu || stored != header.size => {
                return Err(Error::malformed("the old sparse header has another format than GNU's"));
            }
            (None, b'S') => {
                let (size, map) = sparse::map_of_header(block, self.input, self.limits)?;
                (size, Some(map), stored)
            }
            (Some(_), b'S') => return Err(Error::malformed("the file is sparse in two ways")),
            (Some(form), _) => match &form.map {
                Some(map) => (form.size, Some(map.clone()), stored),
                None => {
                    let (map, taken) = sparse::map_before_data(self.input, stored, self.limits)?;
                    (form.size, Some(map), stored.saturating_sub(taken))
                }
            },
            (None, _) => (stored, None, stored),
        };
        self.expanded = self.expanded.saturating_add(size); // T34
        if self.expanded > self.limits.expanded {
            let what = format!("the files of the tar have more than {} bytes", self.limits.expanded);
            return Err(Error::limit(what).hint(EXPANDED));
        }
        let offset = self.input.position();
        let source = match map {
            None => Source::Layer(self.layer, offset),
            Some(map) => Source::Sparse(self.layer, sparse::extents(&map, size, left, offset)?.into()),
        };
        if self.input.skip(left)? != left {
            return Err(self.input.truncated());
        }
        Ok(Content { size, source })
    }

    fn meta(&mut self, header: &Header<'_>, extended: &Extended) -> Result<Meta, Error> {
        let pax = extended.pax.as_ref();
        let id = |pax: Option<u64>, header: i64, what: &str| {
            let id = pax.map_or(i128::from(header), i128::from);
            u32::try_from(id).map_err(|_| Error::malformed(format!("the {what} {id} is not a number of 32 bits")))
        };
        let user = pax.and_then(|pax| pax.user.as_deref()).unwrap_or(header.user);
        let group = pax.and_then(|pax| pax.group.as_deref()).unwrap_or(header.group);
        Ok(Meta {
            mode: u16::try_from(header.mode & 0o7777).unwrap_or_default(), // M88
            uid: id(pax.and_then(|pax| pax.uid), header.uid, "owner")?,
            gid: id(pax.and_then(|pax| pax.gid), header.gid, "group")?,
            mtime: pax.and_then(|pax| pax.mtime).unwrap_or(Time { seconds: header.mtime, nanos: 0 }),
            owner: self.owner(user, group),
            records: pax.map_or_else(Arc::default, |pax| self.records(&pax.records)),
        })
    }

    fn owner(&mut self, user: &[u8], group: &[u8]) -> Arc<OwnerNames> {
        let known = self.owners.iter().find(|owner| *owner.user == *user && *owner.group == *group);
        known.cloned().unwrap_or_else(|| {
            let owner = Arc::new(OwnerNames { user: user.into(), group: group.into() });
            self.owners.truncate(OWNERS.saturating_sub(1));
            self.owners.insert(0, Arc::clone(&owner));
            owner
        })
    }

    fn records(&mut self, records: &[Record]) -> Arc<[Record]> {
        if records.is_empty() {
            return Arc::default();
        }
        if *self.records != *records {
            self.records = records.into();
        }
        Arc::clone(&self.records)
    }
}

/// M89. Go reads the header's numbers, libarchive the records: they must agree.
fn device(header: &Header<'_>, extended: &Extended) -> Result<Device, Error> {
    let number = |header: i64, pax: Option<u64>| {
        if pax.is_some_and(|pax| i64::try_from(pax) != Ok(header)) {
            return Err(Error::malformed("the header and its pax records name different devices"));
        }
        u32::try_from(header).map_err(|_| Error::malformed(format!("the device number {header} is not one of 32 bits")))
    };
    let pax = extended.pax.as_ref();
    Ok(Device {
        major: number(header.major, pax.and_then(|pax| pax.major))?,
        minor: number(header.minor, pax.and_then(|pax| pax.minor))?,
    })
}

fn is_sparse(kind: &EntryKind) -> bool {
    matches!(kind, EntryKind::File(Content { source: Source::Sparse(..), .. }))
}

#[cfg(test)]
mod tests;
