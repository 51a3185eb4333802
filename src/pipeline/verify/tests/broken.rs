//! Writers with one mistake each. In: what a sound writer makes. Out: the same with the mistake, its digests made to fit, so that
//! nothing but a look at the content can find it.

use crate::archive::digest;
use crate::error::Error;
use crate::image::rewrite::{Rewritten, rewrite};
use crate::layer::testing::record;
use crate::layer::{self, Encoding, write_layer};
use crate::pipeline::write::{DocumentWriter, LayerWriter, Writers};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::Write;
use std::ops::Range;

/// Who makes the bytes, one of them broken.
pub(super) struct Broken<'a> {
    layer: Box<LayerWriter<'a>>,
    documents: Box<DocumentWriter<'a>>,
}

impl Broken<'_> {
    pub(super) fn writers(&self) -> Writers<'_> {
        Writers { layer: &*self.layer, documents: &*self.documents }
    }
}

/// A layer as a tar, to be changed.
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    /// The diff_id is told wrong.
    pub(super) lie: bool,
}

/// A writer whose layers are changed like this.
pub(super) fn layer<'a>(change: &'a (dyn Fn(&mut Written) + Sync)) -> Broken<'a> {
    changed(change, None)
}

/// A writer that compresses in its own way.
pub(super) fn encoded(encoding: Encoding) -> Broken<'static> {
    changed(&|_| (), Some(encoding))
}

fn changed<'a>(change: &'a (dyn Fn(&mut Written) + Sync), own: Option<Encoding>) -> Broken<'a> {
    let write: Box<LayerWriter<'a>> = Box::new(move |segments, stored, encoding, threads, sink, progress| {
        let mut bytes = Vec::new();
        let sound = write_layer(segments, stored, Encoding::Plain, threads, &mut bytes, progress)?;
        let mut tar = Written { bytes, lie: false };
        change(&mut tar);
        let packed = match own.unwrap_or(encoding) {
            Encoding::Plain => tar.bytes.clone(),
            Encoding::Gzip { .. } => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(&tar.bytes).unwrap();
                encoder.finish().unwrap()
            }
            Encoding::Zstd { .. } => zstd::encode_all(tar.bytes.as_slice(), 1).unwrap(),
        };
        sink.write_all(&packed).map_err(|error| Error::io("write", error))?;
        let told = if tar.lie { b"another".as_slice() } else { &tar.bytes };
        Ok(layer::Written {
            diff_id: digest::of(told)?,
            digest: digest::of(&packed)?,
            size: packed.len() as u64,
            tar_size: tar.bytes.len() as u64,
            ..sound
        })
    });
    Broken { layer: write, documents: Box::new(rewrite) }
}

/// A writer whose documents are changed like this, after their digests were made.
pub(super) fn documents<'a>(change: &'a (dyn Fn(&mut Rewritten) + Sync)) -> Broken<'a> {
    let documents: Box<DocumentWriter<'a>> = Box::new(move |image, asked, warnings| {
        let mut written = rewrite(image, asked, warnings)?;
        change(&mut written);
        Ok(written)
    });
    Broken { documents, ..changed(&|_| (), None) }
}

/// A writer whose config is changed like this; the manifest names the changed one.
pub(super) fn config<'a>(change: &'a (dyn Fn(&mut Value) + Sync)) -> Broken<'a> {
    let documents: Box<DocumentWriter<'a>> = Box::new(move |image, asked, warnings| {
        let mut written = rewrite(image, asked, warnings)?;
        let mut config: Value = serde_json::from_slice(&written.config).unwrap();
        change(&mut config);
        let mut manifest: Value = serde_json::from_slice(&written.manifest).unwrap();
        written.config = config.to_string().into_bytes();
        written.config_digest = digest::of(&written.config)?;
        manifest["config"]["digest"] = written.config_digest.to_string().into();
        manifest["config"]["size"] = written.config.len().into();
        written.manifest = manifest.to_string().into_bytes();
        written.manifest_digest = digest::of(&written.manifest)?;
        Ok(written)
    });
    Broken { documents, ..changed(&|_| (), None) }
}

/// Where an entry stands: with its PAX header, its own header block, its data without padding.
struct Place {
    all: Range<usize>,
    header: usize,
    data: Range<usize>,
}

impl Written {
    fn places(&self) -> Vec<(String, Place)> {
        let mut places = Vec::new();
        let (mut at, mut start) = (0, 0);
        while at + 512 <= self.bytes.len() && self.bytes[at] != 0 {
            let text = |range: Range<usize>| {
                let field = &self.bytes[at + range.start..at + range.end];
                let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
                std::str::from_utf8(&field[..end]).unwrap().to_owned()
            };
            let size = usize::from_str_radix(text(124..136).trim(), 8).unwrap();
            let data = at + 512..at + 512 + size;
            let next = data.end.next_multiple_of(512);
            if self.bytes[at + 156] != b'x' {
                places.push((text(0..100), Place { all: start..next, header: at, data }));
                start = next;
            }
            at = next;
        }
        places
    }

    fn place(&self, name: &str) -> Place {
        let found = self.places().into_iter().find(|(found, _)| found == name);
        found.unwrap_or_else(|| panic!("the layer has {name}")).1
    }

    fn seal(&mut self, header: usize) {
        let block = &mut self.bytes[header..header + 512];
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places().iter().any(|(found, _)| found == name)
    }

    /// Leaves an entry out.
    pub(super) fn cut(&mut self, name: &str) {
        let place = self.place(name);
        self.bytes.drain(place.all);
    }

    /// Writes an entry a second time, at the end, under this name.
    pub(super) fn copy(&mut self, name: &str, other: &str) {
        let place = self.place(name);
        let mut copy = self.bytes[place.all.clone()].to_vec();
        let header = place.header - place.all.start;
        copy[header..header + 100].fill(0);
        copy[header..header + other.len()].copy_from_slice(other.as_bytes());
        let end = self.bytes.len() - 1024;
        self.bytes.splice(end..end, copy);
        self.seal(end + header);
    }

    /// Moves an entry to the end.
    pub(super) fn last(&mut self, name: &str) {
        let entry: Vec<u8> = self.bytes.drain(self.place(name).all).collect();
        let end = self.bytes.len() - 1024;
        self.bytes.splice(end..end, entry);
    }

    /// Writes another number into a field.
    pub(super) fn number(&mut self, name: &str, at: usize, len: usize, number: u64) {
        let text = format!("{number:0width$o}\0", width = len - 1);
        self.text(name, at, text.as_bytes());
    }

    /// Writes other bytes into the header.
    pub(super) fn text(&mut self, name: &str, at: usize, text: &[u8]) {
        let header = self.place(name).header;
        self.bytes[header + at..header + at + text.len()].copy_from_slice(text);
        self.seal(header);
    }

    /// Turns a bit of the content over.
    pub(super) fn flip(&mut self, name: &str, at: usize) {
        let place = self.place(name);
        self.bytes[place.data.start + at] ^= 1;
    }

    /// Puts a byte behind the content, for which the padding has room.
    pub(super) fn longer(&mut self, name: &str) {
        let size = self.place(name).data.len() as u64;
        self.number(name, 124, 12, size + 1);
    }

    /// Changes the value of an attribute.
    pub(super) fn attribute(&mut self, name: &str, value: &[u8], other: &[u8]) {
        let place = self.place(name);
        let found = self.bytes[place.all.start..place.header].windows(value.len()).position(|window| window == value);
        let at = place.all.start + found.unwrap();
        assert!(record("a", value).len() == record("a", other).len());
        self.bytes[at..at + other.len()].copy_from_slice(other);
    }

    /// Leaves the PAX header of an entry out.
    pub(super) fn bare(&mut self, name: &str) {
        let place = self.place(name);
        self.bytes.drain(place.all.start..place.header);
    }

    /// Makes a file of its own of a hard link, or of a file without content one with some.
    pub(super) fn part(&mut self, name: &str, content: &[u8]) {
        let place = self.place(name);
        let mut data = content.to_vec();
        data.resize(content.len().next_multiple_of(512), 0);
        self.bytes.splice(place.data.start..place.data.start, data);
        let header = place.header;
        self.bytes[header + 156] = b'0';
        self.bytes[header + 157..header + 257].fill(0);
        self.bytes[header + 124..header + 136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        self.seal(header);
    }

    /// Makes a hard link of an entry without data.
    pub(super) fn join(&mut self, name: &str, target: &str) {
        let header = self.place(name).header;
        self.bytes[header + 156] = b'1';
        self.bytes[header + 157..header + 257].fill(0);
        self.bytes[header + 157..header + 157 + target.len()].copy_from_slice(target.as_bytes());
        self.seal(header);
    }
}
