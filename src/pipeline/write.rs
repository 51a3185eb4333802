//! From decisions to an archive: each image's layer, its config and manifest, and the archive around them. Nothing is put
//! in place before the digests of all input layers are checked.

use super::base::Bases;
use super::checks::Checks;
use super::decide::Decision;
use super::layers::Layers;
use super::verify::verify;
use crate::archive::Archive;
use crate::archive::write::ArchiveWriter;
use crate::error::{Error, ErrorKind};
use crate::image::rewrite::{Change, NewLayer, Rewritten, rewrite};
use crate::image::{Image, Reference};
use crate::layer::codec::Codec;
use crate::layer::{Encoding, Progress, Segments, Stored, Written, segments, write_layer};
use crate::options::{Options, Output};
use crate::progress::{Event, Watch};
use crate::report::{LayerReport, ReusedLayer, Verified};
use crate::warning::Warnings;
use std::io::Write;
use std::num::NonZeroUsize;

/// The new names, where `--tag` gives one.
pub(super) fn tags(archive: &Archive, options: &Options) -> Result<Option<Vec<Reference>>, Error> {
    let Some(tag) = &options.tag else { return Ok(None) };
    let first = archive.images.first().map(|image| image.group);
    if archive.images.iter().any(|image| Some(image.group) != first) {
        let what = format!("--tag names one image, and the archive has {}", archive.images.len());
        return Err(Error::usage(what).hint("choose one with --image"));
    }
    let reference = Reference::parse(tag).map_err(|error| Error::usage(format!("--tag: {error}")))?;
    Ok(Some(vec![reference]))
}

/// Who makes the bytes of the result. A test puts a broken one here, to see that [`verify`] finds out.
#[derive(Clone, Copy)]
pub(super) struct Writers<'a> {
    pub(super) layer: &'a LayerWriter<'a>,
    pub(super) documents: &'a DocumentWriter<'a>,
}

/// As [`write_layer`].
pub(super) type LayerWriter<'a> = dyn Fn(Segments<'_>, Stored<'_>, Encoding, NonZeroUsize, &mut dyn Write, Progress<'_>) -> Result<Written, Error>
    + Sync
    + 'a;
/// As [`rewrite`].
pub(super) type DocumentWriter<'a> = dyn Fn(&Image, &Change, &mut Warnings) -> Result<Rewritten, Error> + Sync + 'a;

impl Writers<'_> {
    pub(super) const OWN: Writers<'static> = Writers {
        layer: &|segments, stored, encoding, threads, sink, progress| {
            write_layer(segments, stored, encoding, threads, sink, progress)
        },
        documents: &rewrite,
    };
}

/// What was written.
#[derive(Debug)]
pub(super) struct Done {
    /// The size of the archive.
    pub(super) bytes: u64,
    /// What spill files took.
    pub(super) temp_bytes: u64,
    pub(super) verified: Option<Verified>,
}

/// Writes the archive and completes the reports.
pub(super) fn write(
    (archive, layers, checks): (&Archive, &Layers, &Checks<'_, '_>),
    decisions: &mut [Decision],
    (output, tags, writers): (&Output, &Option<Vec<Reference>>, Writers<'_>),
    options: &Options,
    warnings: &mut Warnings,
    watch: &Watch<'_>,
) -> Result<Done, Error> {
    let temp_dir = options.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
    let mut writer = ArchiveWriter::create(
        output,
        options.format,
        Some((archive.file_identity.device, archive.file_identity.inode)),
        &temp_dir,
        watch.cancel,
    )?;
    let total = decisions.iter().map(|decision| decision.report.after.uncompressed).sum();
    let mut bases = Bases::default();
    let written = watch.phase("write layers", Some(total), || {
        let images = archive.images.iter().zip(decisions.iter_mut());
        let write = |(image, decision): (&Image, &mut Decision)| {
            let mut written = base(&mut bases, (image, decision.kept), layers, &mut writer, watch, checks)?;
            let base: u64 = written.iter().map(|layer| layer.size).sum();
            let new = write_one((layers, writers.layer), (image, decision), &mut writer, options, watch, checks)?;
            written.push(new);
            let sizes = &mut decision.report.after;
            sizes.compressed = sizes.compressed.map(|size| size.saturating_add(base));
            documents((image, writers.documents), written, tags, decision, options, warnings)
        };
        let written = images.map(write).collect::<Result<Vec<Rewritten>, Error>>();
        checks.wait()?;
        written
    })?;
    let sealed = watch.phase("finish the archive", None, || {
        let sealed = writer.finish(&written, warnings)?;
        if options.strict {
            warnings.refuse()?;
        }
        let bytes = sealed.bytes();
        if let Some(most) = options.gates.max_size.filter(|most| bytes > *most) {
            let what = format!("the archive would have {bytes} bytes, more than the {most} of --max-size");
            return Err(Error::new(ErrorKind::Gate, what));
        }
        Ok(sealed)
    })?;
    let mut done = Done { bytes: sealed.bytes(), temp_bytes: sealed.temp_bytes(), verified: None };
    if options.verify {
        let (verified, temp_bytes) = verify(&sealed, (archive, layers), decisions, tags, options, watch)
            .map_err(|error| error.in_archive(super::name(output)))?;
        done.temp_bytes = done.temp_bytes.saturating_add(temp_bytes);
        done.verified = Some(verified);
    }
    archive.check_unchanged()?;
    watch.phase("put it in place", None, || sealed.commit())?;
    Ok(done)
}

/// The layers that stay as they are.
fn base(
    bases: &mut Bases,
    image: (&Image, usize),
    layers: &Layers,
    writer: &mut ArchiveWriter<'_>,
    watch: &Watch<'_>,
    checks: &Checks<'_, '_>,
) -> Result<Vec<NewLayer>, Error> {
    bases.copy(image, layers, writer, &|bytes| advance(bytes, watch, checks))
}

/// Tells of bytes that were read, and ends the run where it is to end.
fn advance(bytes: u64, watch: &Watch<'_>, checks: &Checks<'_, '_>) -> Result<(), Error> {
    watch.tell(Event::Advanced(bytes));
    watch.cancel.check()?;
    match checks.found_damage() {
        true => Err(Error::new(ErrorKind::Integrity, "a layer of the input is damaged")),
        false => Ok(()),
    }
}

fn write_one(
    (layers, write_layer): (&Layers, &LayerWriter<'_>),
    (image, decision): (&Image, &mut Decision),
    writer: &mut ArchiveWriter<'_>,
    options: &Options,
    watch: &Watch<'_>,
    checks: &Checks<'_, '_>,
) -> Result<NewLayer, Error> {
    let threads = options.threads.or(std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let progress = |bytes| advance(bytes, watch, checks);
    let mut sink = writer.layer()?;
    let written = write_layer(
        segments(&decision.plan, &decision.tree, options.mtime),
        Stored { sources: &|id| layers.tar(id), deflates: &|id| layers.deflate_blocks(id) },
        decision.encoding,
        threads,
        &mut sink,
        &progress,
    )?;
    sink.finish(&written.digest)?;
    let kind = decision.encoding.codec();
    decision.report.after.compressed = Some(written.size);
    decision.report.layer = Some(LayerReport {
        diff_id: written.diff_id.to_string(),
        digest: written.digest.to_string(),
        size: written.size,
        tar_size: written.tar_size,
        compression: if kind == Codec::Plain { "none".into() } else { kind.to_string() },
        reused: reused(&written, (image, decision.encoding), layers),
    });
    Ok(NewLayer { digest: written.digest, size: written.size, diff_id: written.diff_id, kind })
}

/// What of each layer of an image was copied as it was compressed, where that was tried.
fn reused(written: &Written, (image, encoding): (&Image, Encoding), layers: &Layers) -> Vec<ReusedLayer> {
    if !matches!(encoding, Encoding::Gzip { reuse: true, .. }) {
        return Vec::new();
    }
    let numbered = (1..).zip(layers.of(image));
    let origin = |id| written.origins.iter().find(|origin| origin.layer == id);
    numbered
        .filter_map(|(layer, (id, ..))| origin(id).map(|origin| (layer, origin)))
        .map(|(layer, origin)| ReusedLayer { layer, copied: origin.reused, encoded: origin.encoded })
        .collect()
}

fn documents(
    (image, rewrite): (&Image, &DocumentWriter<'_>),
    layers: Vec<NewLayer>,
    tags: &Option<Vec<Reference>>,
    decision: &mut Decision,
    options: &Options,
    warnings: &mut Warnings,
) -> Result<Rewritten, Error> {
    let change = Change {
        layers,
        kept: decision.kept,
        history: options.history,
        created: options.created,
        created_by: format!("imgstrip {}", env!("CARGO_PKG_VERSION")),
        comment: format!("squashed from {} layers", image.layers.len().saturating_sub(decision.kept)),
        references: tags.clone(),
    };
    let rewritten = rewrite(image, &change, warnings)?;
    decision.report.config_digest = Some(rewritten.config_digest.to_string());
    decision.report.manifest_digest = Some(rewritten.manifest_digest.to_string());
    if let Some(tags) = tags {
        decision.report.name = tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    }
    Ok(rewritten)
}
