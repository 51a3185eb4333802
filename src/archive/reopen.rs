//! A written archive that is not in its place yet, read as an input is.
//!
//! In: what the writer finished. Out: its images, with every document held against its digest. Stricter than for an input: nothing may be
//! odd about our own documents, and no file may lie in the archive that no image names. Reads no layer.

use super::draft::Draft;
use super::layout::Directory;
use super::members::Members;
use super::open::documents;
use super::write::Sealed;
use crate::error::Error;
use crate::image::Image;
use crate::options::Limits;
use crate::rootfs::RootPath;
use std::sync::Arc;

/// What every archive may have beside blobs.
const DOCUMENTS: &[&[u8]] = &[b"index.json", b"manifest.json", b"oci-layout"];

/// Reads the documents of a written archive.
///
/// # Errors
///
/// As [`open`](super::open); `Integrity` where the archive has not the size that was written, or holds what no image names.
pub(crate) fn reopen(written: &Sealed<'_>, limits: &Limits) -> Result<Vec<Image>, Error> {
    let members = match (written.file(), written.directory()) {
        (Some(file), _) => {
            let reading = |error| Error::io("read the written archive", error);
            let len = file.metadata().map_err(reading)?.len();
            if len != written.bytes() {
                return Err(Error::integrity(format!(
                    "the archive has {len} bytes, and {} were written",
                    written.bytes()
                )));
            }
            Members::of_tar(&Arc::new(file.try_clone().map_err(reading)?), len, limits)?
        }
        (None, Some(directory)) => Members::of_directory(Directory::new(directory.to_owned()), limits),
        (None, None) => return Err(Error::integrity("the archive was never written")),
    };
    let (_, drafts, warnings) = documents(&members, limits)?;
    if let Some((kind, group)) = warnings.iter().next() {
        let place = group.examples.first().map(String::as_str).unwrap_or_default();
        return Err(Error::integrity(format!(
            "its documents have {} {} ({place})",
            group.count,
            kind.text(group.count)
        )));
    }
    refuse_strays(&members, &drafts, limits)?;
    drafts.into_iter().map(Draft::finish).collect()
}

/// A forgotten blob would carry what the squash removed.
fn refuse_strays(members: &Members, drafts: &[Draft], limits: &Limits) -> Result<(), Error> {
    let mut known: Vec<RootPath> = DOCUMENTS.iter().map(|name| RootPath::clamped(name)).collect();
    for draft in drafts {
        for digest in draft.digests.iter().chain([&draft.config.digest]) {
            known.push(RootPath::clamped(format!("blobs/{}/{}", digest.algorithm(), digest.digest()).as_bytes()));
            known.push(RootPath::clamped(format!("{}.json", digest.digest()).as_bytes()));
        }
    }
    known.sort();
    for path in members.files(limits)? {
        if known.binary_search(&path).is_ok() {
            continue;
        }
        let blob = members.find(&path)?;
        let is_layer = |draft: &Draft| {
            draft.layers.iter().any(|layer| blob.as_ref().is_some_and(|blob| blob.is_same(&layer.blob)))
        };
        if !drafts.iter().any(is_layer) {
            return Err(
                Error::integrity("the archive holds this file, and no image names it").at_entry(path.as_bytes())
            );
        }
    }
    Ok(())
}
