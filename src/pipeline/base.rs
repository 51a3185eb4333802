//! `--keep-base`: how many layers of an image stay as they are, and their blobs, copied.
//!
//! In: the archive and the user's wish, then layers that were read. Out: a number, and layers of the result whose
//! bytes are the input's, each held against its digest once more while it is copied.

use super::layers::Layers;
use crate::archive::Archive;
use crate::archive::write::ArchiveWriter;
use crate::error::{Error, escape};
use crate::image::rewrite::NewLayer;
use crate::image::{Image, Layer};
use crate::layer::codec::Codec;
use crate::layer::digest::Hasher;
use crate::options::{KeepBase, Options};
use crate::rootfs::LayerId;
use std::io::{Read, Write};

/// Bytes that are copied at once.
const CHUNK: usize = 1 << 20;

/// How many layers of an image stay as they are.
pub(super) fn kept(archive: &Archive, image: &Image, options: &Options) -> Result<usize, Error> {
    let kept = match &options.keep_base {
        None | Some(KeepBase::Layers(0)) => return Ok(0),
        Some(KeepBase::Layers(kept)) => *kept,
        Some(KeepBase::Image(name)) => layers_of(archive, image, name)?,
    };
    if kept > 0 && kept >= image.layers.len() {
        let what =
            format!("nothing to squash: --keep-base keeps {kept} layers, and the image has {}", image.layers.len());
        return Err(Error::usage(what).hint("keep fewer, or choose another image with --image"));
    }
    Ok(kept)
}

/// The number of layers of the image called `name`; of several, as those of an index, of one that fits.
fn layers_of(archive: &Archive, image: &Image, name: &str) -> Result<usize, Error> {
    let shown = escape(name.as_bytes());
    let mut found = false;
    let diff_ids = |image: &Image| image.layers.iter().map(|layer| layer.diff_id.clone()).collect::<Vec<_>>();
    let own = diff_ids(image);
    for base in archive.named(name) {
        found = true;
        if own.starts_with(&diff_ids(base)) {
            return Ok(base.layers.len());
        }
    }
    Err(if found {
        Error::usage(format!("\"{shown}\" is no base of the image: its layers are not the image's first ones"))
    } else {
        Error::usage(format!("no image of the archive is called \"{shown}\", as --keep-base says"))
            .hint("save it into the same archive, or give a number of layers")
    })
}

/// The base layers that are written so far: images may share them.
#[derive(Debug, Default)]
pub(super) struct Bases(Vec<(LayerId, NewLayer)>);

impl Bases {
    /// Copies the first `kept` layers of an image, those that are not there yet, and tells which they are.
    /// `progress` is told of each piece in bytes.
    pub(super) fn copy(
        &mut self,
        (image, kept): (&Image, usize),
        layers: &Layers,
        writer: &mut ArchiveWriter<'_>,
        progress: &dyn Fn(u64) -> Result<(), Error>,
    ) -> Result<Vec<NewLayer>, Error> {
        let mut copied = Vec::with_capacity(kept);
        for (position, (layer, (id, _, read))) in image.layers.iter().zip(layers.of(image)).take(kept).enumerate() {
            let known = self.0.iter().find(|(known, _)| *known == id).map(|(_, layer)| layer.clone());
            let new = match known {
                Some(new) => new,
                None => {
                    let new = copy(layer, read.codec, writer, progress).map_err(|error| {
                        error.in_layer(format!("layer {}/{}", position.saturating_add(1), image.layers.len()))
                    })?;
                    self.0.push((id, new.clone()));
                    new
                }
            };
            copied.push(new);
        }
        Ok(copied)
    }
}

fn copy(
    layer: &Layer,
    codec: Codec,
    writer: &mut ArchiveWriter<'_>,
    progress: &dyn Fn(u64) -> Result<(), Error>,
) -> Result<NewLayer, Error> {
    // What names these bytes: the manifest, or the config where they are the tar itself.
    let claim = layer.digest.as_ref().or((codec == Codec::Plain).then_some(&layer.diff_id));
    let mut claimed = claim.map(Hasher::new).transpose()?;
    let mut own = Hasher::sha256();
    let mut sink = writer.layer()?;
    let mut reader = layer.blob.reader();
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::io("read the layer", error)),
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        own.update(bytes);
        if let Some(hasher) = &mut claimed {
            hasher.update(bytes);
        }
        sink.write_all(bytes).map_err(|error| Error::io("write the layer", error))?;
        progress(read as u64)?;
    }
    if let (Some(hasher), Some(claim)) = (claimed, claim) {
        hasher.check(claim, "the layer blob")?;
    }
    let digest = own.digest()?;
    let size = sink.finish(&digest)?;
    Ok(NewLayer { digest, size, diff_id: layer.diff_id.clone(), kind: codec })
}
