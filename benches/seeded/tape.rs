//! A docker archive that is written once from its start to its end.
//!
//! In: entries, layer after layer. Out: the archive. A layer's own header is written after the layer, over the room that was left for it.

use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use tar::{EntryType, Header};

/// Longer than any window of a compressor at its usual levels, so that what comes twice is not found.
const POOL: usize = 64 << 20;

/// What is in an archive.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
    pub(crate) expanded: u64,
}

pub(crate) struct Archive {
    file: File,
    gzip: Option<u32>,
    pool: Vec<u8>,
    diff_ids: Vec<String>,
    sum: Sum,
}

/// A layer under way.
pub(crate) struct Layer<'a> {
    pool: &'a [u8],
    tar: BufWriter<Hashed>,
    entries: u64,
}

/// The uncompressed layer on its way to the file, and its digest.
struct Hashed {
    sha: Sha256,
    written: u64,
    to: To,
}

enum To {
    Plain(File),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sha.update(bytes);
        self.written += bytes.len() as u64;
        match &mut self.to {
            To::Plain(file) => file.write_all(bytes)?,
            To::Gzip(gzip) => gzip.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Archive {
    pub(crate) fn create(path: &Path, gzip: Option<u32>, seed: u64) -> io::Result<Self> {
        let file = File::create(path)?;
        Ok(Self { file, gzip, pool: super::mix(POOL, seed), diff_ids: Vec::new(), sum: Sum::default() })
    }

    /// Writes a layer whose entries `fill` makes.
    pub(crate) fn layer(&mut self, fill: impl FnOnce(&mut Layer<'_>) -> io::Result<()>) -> io::Result<()> {
        let at = self.file.stream_position()?;
        self.file.write_all(&[0; 512])?;
        let to = match self.gzip {
            None => To::Plain(self.file.try_clone()?),
            Some(level) => {
                let file = BufWriter::with_capacity(1 << 20, self.file.try_clone()?);
                To::Gzip(Box::new(GzEncoder::new(file, flate2::Compression::new(level))))
            }
        };
        let hashed = Hashed { sha: Sha256::new(), written: 0, to };
        let mut layer = Layer { pool: &self.pool, tar: BufWriter::with_capacity(1 << 20, hashed), entries: 0 };
        fill(&mut layer)?;
        layer.tar.write_all(&[0; 1024])?;
        self.sum.entries += layer.entries;
        let hashed = layer.tar.into_inner()?;
        if let To::Gzip(gzip) = hashed.to {
            gzip.finish()?.flush()?;
        }
        self.sum.expanded += hashed.written;
        // A clone of a file shares its position.
        let end = self.file.stream_position()?;
        self.file.seek(SeekFrom::Start(at))?;
        let name = format!("{:064x}/layer.tar", self.diff_ids.len());
        self.file.write_all(header(&name, EntryType::Regular, 0o644, end - at - 512)?.as_bytes())?;
        self.file.seek(SeekFrom::Start(end))?;
        pad(&mut self.file, end)?;
        self.diff_ids.push(hex(&hashed.sha.finalize()));
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<Sum> {
        let diff_ids: Vec<String> = self.diff_ids.iter().map(|digest| format!("\"sha256:{digest}\"")).collect();
        let steps: Vec<String> =
            (0..diff_ids.len()).map(|step| format!(r#"{{"created_by":"synthetic step {step}"}}"#)).collect();
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{"Cmd":["/bin/sh"],"Env":["PATH=/usr/bin:/bin"]}},"rootfs":{{"type":"layers","diff_ids":[{}]}},"history":[{}]}}"#,
            diff_ids.join(","),
            steps.join(",")
        );
        let name = format!("{}.json", hex(&Sha256::digest(&config)));
        let layers: Vec<String> = (0..self.diff_ids.len()).map(|layer| format!("\"{layer:064x}/layer.tar\"")).collect();
        let manifest =
            format!(r#"[{{"Config":"{name}","RepoTags":["synthetic:latest"],"Layers":[{}]}}]"#, layers.join(","));
        for (name, text) in [(name.as_str(), config), ("manifest.json", manifest)] {
            self.file.write_all(header(name, EntryType::Regular, 0o644, text.len() as u64)?.as_bytes())?;
            self.file.write_all(text.as_bytes())?;
            pad(&mut self.file, text.len() as u64)?;
        }
        self.file.write_all(&[0; 1024])?;
        self.sum.bytes = self.file.stream_position()?;
        Ok(self.sum)
    }
}

impl Layer<'_> {
    pub(crate) fn directory(&mut self, path: &str) -> io::Result<()> {
        self.entry(&header(&format!("{path}/"), EntryType::Directory, 0o755, 0)?)
    }

    pub(crate) fn link(&mut self, path: &str, kind: EntryType, target: &str) -> io::Result<()> {
        let mut header = header(path, kind, if kind == EntryType::Link { 0o644 } else { 0o777 }, 0)?;
        header.set_link_name(target)?;
        header.set_cksum();
        self.entry(&header)
    }

    /// A file of `size` bytes: `head`, then pieces of the pool, which `random` chooses.
    pub(crate) fn file(
        &mut self,
        path: &str,
        mode: u32,
        size: u64,
        head: &[u8],
        random: &mut super::Random,
    ) -> io::Result<()> {
        let size = size.max(head.len() as u64);
        self.entry(&header(path, EntryType::Regular, mode, size)?)?;
        self.tar.write_all(head)?;
        let mut left = size - head.len() as u64;
        while left > 0 {
            let rest = random.of(0..self.pool.len() as u64 - 4096);
            let piece = self.pool.get(usize::try_from(rest).unwrap_or(0)..).unwrap_or_default();
            let piece = piece.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(piece);
            self.tar.write_all(piece)?;
            left -= piece.len() as u64;
        }
        pad(&mut self.tar, size)
    }

    /// An entry without content, whose name may be long.
    pub(crate) fn named(&mut self, path: &str, kind: EntryType, target: &str) -> io::Result<()> {
        let mut name = path;
        if path.len() > 100 {
            let rest = path.len() + " path=\n".len();
            let mut length = rest;
            while length != rest + length.to_string().len() {
                length = rest + length.to_string().len();
            }
            let record = format!("{length} path={path}\n");
            let size = record.len() as u64;
            self.tar.write_all(header("PaxHeaders/name", EntryType::XHeader, 0o644, size)?.as_bytes())?;
            self.tar.write_all(record.as_bytes())?;
            pad(&mut self.tar, size)?;
            name = if path.ends_with('/') { "name/" } else { "name" };
        }
        let mut header = header(name, kind, 0o755, 0)?;
        if !target.is_empty() {
            header.set_link_name(target)?;
            header.set_cksum();
        }
        self.entry(&header)
    }

    fn entry(&mut self, header: &Header) -> io::Result<()> {
        self.entries += 1;
        self.tar.write_all(header.as_bytes())
    }
}

fn header(path: &str, kind: EntryType, mode: u32, size: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(path)?;
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_700_000_000);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

fn pad(to: &mut impl Write, size: u64) -> io::Result<()> {
    let rest = usize::try_from(size.next_multiple_of(512) - size).unwrap_or(0);
    to.write_all([0; 512].get(..rest).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
