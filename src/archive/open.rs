//! An archive, opened: the input in, its images as values out. No layer is read yet.

use super::draft::Draft;
use super::members::Members;
use super::outer::{self, FileIdentity, Outer};
use super::unchanged::{self, Opened};
use super::{docker, layout, oci, resolve, select};
use crate::error::{Error, escape};
use crate::image::Image;
use crate::options::{Input, Limits, Options};
use crate::rootfs::RootPath;
use crate::warning::Warnings;
use std::os::unix::ffi::OsStrExt;

/// How the input describes its images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceLayout {
    /// `manifest.json` alone.
    Docker,
    /// `index.json` alone.
    Oci,
    /// Both, over the same blobs.
    Hybrid,
}

/// An opened archive. Its blobs stay readable as long as they live.
#[derive(Debug)]
pub struct Archive {
    /// How errors name it, already escaped: the path as given, or `standard input`.
    pub name: String,
    /// The images that `--image` and `--platform` mean, in the order of the archive; never empty.
    pub images: Vec<Image>,
    /// The other images of the archive, as far as they can be read; one of them may be a base.
    pub others: Vec<Image>,
    /// How the input describes its images.
    pub source_layout: SourceLayout,
    /// The size of the input as it was given, compressed or not; of a directory, the bytes of its files.
    pub bytes: u64,
    /// The size of the spill file that holds the archive where it is compressed or came through a pipe.
    pub temp_bytes: u64,
    /// What was odd about the images that are meant.
    pub warnings: Warnings,
    /// Which file or directory the input is: an output must not be the same one.
    pub file_identity: FileIdentity,
    /// The files of the input.
    opened: Vec<Opened>,
}

impl Archive {
    /// The images of this name, image ID or bare tag, whether they are meant or not, in no case an error.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Image> {
        let id = name.rsplit('@').next().unwrap_or(name);
        self.images
            .iter()
            .chain(&self.others)
            .filter(move |image| select::is_named(&image.references, name) || select::is_id(&image.config_digest, id))
    }

    /// Fails where the input is no longer what was opened: what was read before and after the change does not fit together.
    ///
    /// # Errors
    ///
    /// [`Integrity`](crate::error::ErrorKind::Integrity) where size or times moved, [`Io`](crate::error::ErrorKind::Io) where
    /// nobody can tell.
    pub fn check_unchanged(&self) -> Result<(), Error> {
        self.opened.iter().try_for_each(Opened::check)
    }

    /// Why a run over this archive failed: damage may be the change of a file that was sound when it was opened.
    pub(crate) fn reason(&self, error: Error) -> Error {
        unchanged::reason(&self.opened, error)
    }
}

/// Opens an archive or a layout directory and reads its documents. Of `options` it reads `image`, `platform`,
/// `limits` and `temp_dir`.
///
/// # Errors
///
/// All but [`Signal`](crate::error::ErrorKind::Signal) and [`Gate`](crate::error::ErrorKind::Gate); each names the
/// archive.
pub fn open(input: &Input, options: &Options) -> Result<Archive, Error> {
    let name = match input {
        Input::Path(path) => escape(path.as_os_str().as_bytes()),
        Input::Stdin => "standard input".to_owned(),
    };
    let temp_dir = options.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
    let opened = outer::open(input, &temp_dir, &options.limits).and_then(|(outer, file)| {
        let file: Vec<Opened> = file.into_iter().collect();
        let mut archive = read(outer, options, &name).map_err(|error| unchanged::reason(&file, error))?;
        archive.opened.extend(file);
        Ok(archive)
    });
    opened.map_err(|error| error.in_archive(name))
}

fn read(outer: Outer, options: &Options, name: &str) -> Result<Archive, Error> {
    let limits = &options.limits;
    let mut temp_bytes = 0;
    let (members, bytes, file_identity) = match outer {
        Outer::Tar { file, len, bytes, spilled, identity } => {
            temp_bytes = if spilled { len } else { 0 };
            (Members::of_tar(&file, len, limits)?, bytes, identity)
        }
        Outer::Directory { root, identity } => {
            let bytes = layout::total_bytes(&root, limits)?;
            let members = Members::of_directory(layout::Directory::new(root), limits);
            if !has(&members, "index.json")? {
                return Err(Error::malformed("the directory is no OCI layout: it has no index.json")
                    .hint("give an OCI layout or an archive, as skopeo writes to oci: or docker-archive:"));
            }
            (members, bytes, identity)
        }
    };
    let (source_layout, drafts, mut warnings) = documents(&members, limits)?;
    let chosen = select::select(&drafts, options.image.as_deref(), options.platform.as_ref())?;
    let (mut images, mut others) = (Vec::new(), Vec::new());
    for (draft, chosen) in drafts.into_iter().zip(chosen) {
        if chosen {
            warnings.merge(&draft.config.warnings);
            images.push(draft.finish()?);
        } else {
            others.extend(draft.finish());
        }
    }
    let (name, opened) = (name.to_owned(), members.opened());
    Ok(Archive { name, images, others, source_layout, bytes, temp_bytes, warnings, file_identity, opened })
}

fn has(members: &Members, name: &str) -> Result<bool, Error> {
    members.find(&RootPath::clamped(name.as_bytes())).map(|blob| blob.is_some())
}

/// All that the documents describe; never nothing.
pub(super) fn documents(members: &Members, limits: &Limits) -> Result<(SourceLayout, Vec<Draft>, Warnings), Error> {
    let is_layout = has(members, "oci-layout")?;
    let has_index = has(members, "index.json")?;
    let docker = docker::read(members, limits)?;
    match docker {
        Some(docker) if !has_index && !is_layout => Ok((SourceLayout::Docker, docker, Warnings::default())),
        None if !has_index && !is_layout => Err(nothing(members)?),
        docker => {
            let oci::Found { drafts, others, mut warnings } = oci::read(members, limits)?;
            let layout = if docker.is_some() { SourceLayout::Hybrid } else { SourceLayout::Oci };
            let drafts = resolve::merge(drafts, docker.unwrap_or_default(), &mut warnings)?;
            if !drafts.is_empty() {
                return Ok((layout, drafts, warnings));
            }
            Err(if others > 0 {
                Error::unsupported("not a container image: the archive holds artifacts or attestations only")
            } else {
                Error::malformed("index.json names no image")
            })
        }
    }
}

fn nothing(members: &Members) -> Result<Error, Error> {
    Ok(if members.is_empty() {
        Error::malformed("the archive is an empty tar").hint("save the image again")
    } else if has(members, "repositories")? {
        Error::unsupported("the archive has repositories and no manifest.json, as Docker before 1.10 wrote it")
            .hint("load it into an engine and save it again")
    } else {
        Error::malformed("the tar is no image archive: it has no manifest.json and no index.json")
            .hint("give what docker save wrote; the result of docker export is not an image")
    })
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
