//! The path that a user named in, the place where the result is built and how it gets there out.
//!
//! A file and a directory are built beside their place and renamed into it; anything that cannot be renamed over (a
//! FIFO, a device, standard output) gets the bytes once they are complete. Never writes through a symlink by accident,
//! never over the input.

use crate::cancel::{Cancel, Pending};
use crate::error::Error;
use crate::options::Output;
use std::ffi::OsString;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Symlinks followed at most; Linux stops at 40.
const HOPS: usize = 40;
/// Bytes of the target's name in a temporary name: `NAME_MAX` is 255, and a point, the pid and the rest need 40.
const NAME: usize = 200;

/// Where the result is built.
#[derive(Debug)]
pub(super) enum Target<'a> {
    /// A file beside its place.
    File { file: File, pending: Pending<'a>, path: PathBuf },
    /// An unlinked file whose bytes go to a stream in the end.
    Stream { spool: File, stream: File, shown: String },
    /// A directory beside its place.
    Directory { pending: Pending<'a>, path: PathBuf },
}

/// Opens what `output` names; `input` is the device and inode of the archive that is read.
pub(super) fn open<'a>(
    output: &Output,
    input: Option<(u64, u64)>,
    temp_dir: &Path,
    cancel: &'a Cancel,
) -> Result<Target<'a>, Error> {
    let not_input = |found: &Metadata| match input {
        Some(input) if input == (found.dev(), found.ino()) => {
            Err(Error::usage("the output is the input").hint("write to another path, and rename it once it is there"))
        }
        _ => Ok(()),
    };
    let (asked, directory) = match output {
        Output::Stdout => return stream(standard_output()?, "standard output".into(), not_input, temp_dir),
        Output::File(path) => (path, false),
        Output::Directory(path) => (path, true),
    };
    let shown = asked.display().to_string();
    let place = resolve(asked).map_err(|error| error.in_archive(&shown))?;
    let path = match place {
        Place::StandardOutput => return stream(standard_output()?, shown, not_input, temp_dir),
        Place::Descriptor(path) => return stream(open_stream(&path)?, shown, not_input, temp_dir),
        Place::Path(path) => path,
    };
    let found = match fs::metadata(&path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io("look at the output", error).in_archive(shown)),
    };
    found.as_ref().map_or(Ok(()), not_input).map_err(|error| error.in_archive(&shown))?;
    match (found, directory) {
        (Some(found), false) if found.is_dir() => Err(Error::usage("the output is a directory")
            .hint("name a file, or end the path with / to write an OCI layout into it")
            .in_archive(shown)),
        (Some(found), true) if !found.is_dir() => Err(Error::usage("the output is not a directory")
            .hint("leave out the / at its end to write an archive file")
            .in_archive(shown)),
        (Some(found), false) if !found.is_file() => stream(open_stream(&path)?, shown, not_input, temp_dir),
        (found, true) => {
            if found.is_some() {
                super::directory::refuse_strangers(&path).map_err(|error| error.in_archive(&shown))?;
            }
            let ((), pending) = make_beside(&path, cancel, make_directory).map_err(|error| error.in_archive(shown))?;
            Ok(Target::Directory { pending, path })
        }
        (_, false) => {
            let (file, pending) = make_beside(&path, cancel, make_file).map_err(|error| error.in_archive(shown))?;
            Ok(Target::File { file, pending, path })
        }
    }
}

enum Place {
    StandardOutput,
    /// A descriptor of a process, below `/proc`: no rename reaches what it leads to.
    Descriptor(PathBuf),
    /// A path that is no symlink; there may be nothing.
    Path(PathBuf),
}

/// Follows symlinks by hand: the last may lead to nothing yet, and one through `/proc` leads to an open file whose
/// name must not be replaced under the shell that opened it (`/dev/stdout > out.tar`).
fn resolve(asked: &Path) -> Result<Place, Error> {
    let mut path = asked.to_owned();
    for _ in 0..=HOPS {
        let (parent, name) = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => (if parent.as_os_str().is_empty() { Path::new(".") } else { parent }, name),
            // `..`, `/`: only a directory that is there has such a name.
            _ => {
                return fs::canonicalize(&path)
                    .map(Place::Path)
                    .map_err(|error| Error::io("look at the output", error));
            }
        };
        let parent = fs::canonicalize(parent).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::io("open the directory of the output", error).hint("make it first"),
            _ => Error::io("open the directory of the output", error),
        })?;
        path = parent.join(name);
        if parent.starts_with("/proc") {
            let own = Path::new("/proc").join(std::process::id().to_string()).join("fd/1");
            return Ok(if path == own { Place::StandardOutput } else { Place::Descriptor(path) });
        }
        match fs::read_link(&path) {
            Ok(target) => path = parent.join(target),
            // Not a symlink, or nothing there.
            Err(_) => return Ok(Place::Path(path)),
        }
    }
    Err(Error::usage("the output is a symlink that leads nowhere: too many of them follow one another"))
}

fn standard_output() -> Result<File, Error> {
    let descriptor = io::stdout().as_fd().try_clone_to_owned();
    Ok(File::from(descriptor.map_err(|error| Error::io("open standard output", error))?))
}

fn open_stream(path: &Path) -> Result<File, Error> {
    File::options().write(true).open(path).map_err(|error| Error::io(format!("open {}", path.display()), error))
}

fn stream<'a>(
    stream: File,
    shown: String,
    not_input: impl Fn(&Metadata) -> Result<(), Error>,
    temp_dir: &Path,
) -> Result<Target<'a>, Error> {
    let found = stream.metadata().map_err(|error| Error::io("look at the output", error).in_archive(&shown))?;
    // A device can be its own output; a file cannot.
    if !found.file_type().is_char_device() {
        not_input(&found).map_err(|error| error.in_archive(&shown))?;
    }
    if stream.is_terminal() {
        return Err(Error::usage("the output is a terminal").hint("redirect it to a file or a pipe").in_archive(shown));
    }
    let spool = tempfile::tempfile_in(temp_dir)
        .map_err(|error| Error::io(format!("make a spill file in {}", temp_dir.display()), error))?;
    Ok(Target::Stream { spool, stream, shown })
}

/// Makes a temporary path beside `path`, named after it: `.out.tar.imgstrip-<pid>-XXXX`.
fn make_beside<'a, T>(
    path: &Path,
    cancel: &'a Cancel,
    make: fn(&tempfile::Builder<'_, '_>, &Path) -> io::Result<(T, PathBuf)>,
) -> Result<(T, Pending<'a>), Error> {
    let (parent, prefix) = beside(path)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).rand_bytes(6).disable_cleanup(true);
    let failed = |error| Error::io(format!("make a file in {}", parent.display()), error);
    cancel.make(|| make(&builder, parent).map_err(failed))
}

/// The directory of a path, and the beginning of temporary names in it.
pub(super) fn beside(path: &Path) -> Result<(&Path, OsString), Error> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::usage("the output has no directory to stand in"));
    };
    let mut prefix = vec![b'.'];
    prefix.extend(name.as_encoded_bytes().iter().take(NAME));
    prefix.extend(format!(".imgstrip-{}-", std::process::id()).bytes());
    Ok((parent, OsString::from_vec(prefix)))
}

/// The umask takes its bits away, as from any new file.
fn make_file(builder: &tempfile::Builder<'_, '_>, parent: &Path) -> io::Result<(File, PathBuf)> {
    let mut builder = builder.clone();
    let (file, path) = builder.permissions(Permissions::from_mode(0o644)).tempfile_in(parent)?.into_parts();
    Ok((file, path.to_path_buf()))
}

fn make_directory(builder: &tempfile::Builder<'_, '_>, parent: &Path) -> io::Result<((), PathBuf)> {
    let mut builder = builder.clone();
    Ok(((), builder.permissions(Permissions::from_mode(0o755)).tempdir_in(parent)?.keep()))
}

/// A directory whose names are to last. Opened before a name in it changes: one that cannot be opened stops the run in time.
#[derive(Debug)]
pub(super) struct Names<'a> {
    path: &'a Path,
    directory: File,
}

impl<'a> Names<'a> {
    pub(super) fn of(path: &'a Path) -> Result<Self, Error> {
        let directory = File::open(path).map_err(|error| syncing(path, error))?;
        Ok(Self { path, directory })
    }

    /// Writes the names to the disk.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.directory.sync_all().map_err(|error| syncing(self.path, error))
    }
}

fn syncing(path: &Path, error: io::Error) -> Error {
    Error::io(format!("sync {}", path.display()), error)
}
