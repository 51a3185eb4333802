//! Two descriptions of one archive into one: the images of `index.json` and those of `manifest.json`.
//!
//! The OCI layout holds, as containerd reads it. `manifest.json`, which Docker's classic store reads, may name fewer
//! images and give more tags; where both describe an image differently, two engines would load two images, and the
//! archive is refused (merge.md 2.7).

use super::draft::Draft;
use crate::error::{Error, escape};
use crate::warning::{WarningKind, Warnings};

/// Holds both descriptions against each other.
pub(super) fn merge(mut oci: Vec<Draft>, docker: Vec<Draft>, warnings: &mut Warnings) -> Result<Vec<Draft>, Error> {
    if oci.is_empty() {
        return Ok(docker);
    }
    for theirs in docker {
        let label = theirs.label();
        agree(&mut oci, theirs, warnings).map_err(|error| error.in_image(label))?;
    }
    Ok(oci)
}

fn agree(oci: &mut [Draft], theirs: Draft, warnings: &mut Warnings) -> Result<(), Error> {
    let is_same = |ours: &Draft| ours.config.digest == theirs.config.digest;
    for name in &theirs.references {
        let groups: Vec<usize> =
            oci.iter().filter(|ours| ours.references.contains(name)).map(|ours| ours.group).collect();
        if !groups.is_empty() && !oci.iter().any(|ours| groups.contains(&ours.group) && is_same(ours)) {
            let name = escape(name.familiar.as_bytes());
            return Err(differ(&format!("under the name {name} manifest.json has another config than index.json")));
        }
    }
    if !oci.iter().any(is_same) {
        return Err(differ("manifest.json names an image that index.json does not"));
    }
    for ours in oci.iter_mut().filter(|ours| ours.config.digest == theirs.config.digest) {
        if ours.layers.is_empty() && !theirs.layers.is_empty() {
            warnings.add(WarningKind::EmptyManifest, theirs.label());
            ours.layers.clone_from(&theirs.layers);
            ours.manifest = None;
        }
        // A layer of another path is the same one where both match the config's diff_id, which the reader checks.
        let is_other = |(ours, theirs): (&super::draft::Claim, &super::draft::Claim)| {
            !ours.blob.is_same(&theirs.blob) && theirs.digest.is_some() && ours.digest != theirs.digest
        };
        if ours.layers.len() != theirs.layers.len() || ours.layers.iter().zip(&theirs.layers).any(is_other) {
            return Err(differ("manifest.json has other layers than index.json"));
        }
    }
    // A name belongs to all platforms of its index.
    let groups: Vec<usize> = oci.iter().filter(|ours| is_same(ours)).map(|ours| ours.group).collect();
    for ours in oci.iter_mut().filter(|ours| groups.contains(&ours.group)) {
        ours.add_names(&theirs.references);
    }
    Ok(())
}

fn differ(what: &str) -> Error {
    Error::malformed(format!("{what}: engines would load different images")).hint("save the image again")
}
