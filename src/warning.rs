//! What a run tells the user without stopping: counted by class, the first few places named.
//!
//! `--strict` turns any of them into an error. Most stand for a case of merge.md where engines differ.

use crate::error::{Error, ErrorKind};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many places of one class are kept.
const EXAMPLES: usize = 3;

macro_rules! warning_kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal: $one:literal, $many:literal;)*) => {
        /// A class of warnings.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum WarningKind { $($(#[$doc])* $name,)* }

        impl WarningKind {
            /// Every class, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// A stable name for scripts.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What it means, in a few words that can follow this count.
            pub fn text(self, count: u64) -> &'static str {
                match self { $(Self::$name => if count == 1 { $one } else { $many },)* }
            }
        }
    };
}

warning_kinds! {
    /// M36, M37, M39, M40, M42: an entry below a lower layer's symlink.
    SymlinkParent = "symlink-parent":
        "entry below a lower layer's symlink: a directory took its place (see --symlink-parents)",
        "entries below a lower layer's symlink: a directory took its place (see --symlink-parents)";
    /// M43, M44: a whiteout below a lower layer's symlink.
    SymlinkWhiteout = "symlink-whiteout":
        "whiteout below a lower layer's symlink: a directory took its place, the files it leads to stay",
        "whiteouts below a lower layer's symlink: a directory took its place, the files it leads to stay";
    /// M32: an entry below a lower layer's file.
    FileParent = "file-parent":
        "entry below a lower layer's file: a directory took its place",
        "entries below a lower layer's file: a directory took its place";
    /// M50, M51: a hard link whose target is only in a lower layer.
    LowerLink = "lower-link":
        "hard link to a lower layer's file, which Docker refuses to load",
        "hard links to a lower layer's file, which Docker refuses to load";
    /// M55: a hard link to a file that the same layer whites out.
    LinkToWhiteout = "link-to-whiteout":
        "hard link to a file that the same layer deletes",
        "hard links to a file that the same layer deletes";
    /// M65: a hard link's header differs from its inode.
    LinkMetadata = "link-metadata":
        "hard link whose own header differs from its inode's: the inode's holds",
        "hard links whose own header differs from their inode's: the inode's holds";
    /// M71: one path twice in a layer.
    Duplicate = "duplicate":
        "path that stands twice in one layer: the last one holds",
        "paths that stand twice in one layer: the last one holds";
    /// M13, M14, M16: a whiteout beside an entry of the same path.
    WhiteoutBesideEntry = "whiteout-beside-entry":
        "whiteout beside an entry of the same path: it hides lower layers only",
        "whiteouts beside an entry of the same path: they hide lower layers only";
    /// M15: a directory that replaces a whited-out one.
    WhiteoutBesideDirectory = "whiteout-beside-directory":
        "whiteout beside a new directory of the same path: overlay engines show its old content",
        "whiteouts beside a new directory of the same path: overlay engines show its old content";
    /// M11: an opaque root.
    OpaqueRoot = "opaque-root":
        "opaque root directory: overlay engines ignore it",
        "opaque root directories: overlay engines ignore them";
    /// M4, M10: a whiteout or opaque mark whose parent is missing.
    WhiteoutParent = "whiteout-parent":
        "whiteout in a directory that does not exist: overlay engines leave it empty",
        "whiteouts in a directory that does not exist: overlay engines leave it empty";
    /// M23: a whiteout that is more than an empty file.
    OddWhiteout = "odd-whiteout":
        "whiteout that is not an empty file",
        "whiteouts that are not empty files";
    /// M22: a whiteout in the lowest layer.
    BaseWhiteout = "base-whiteout":
        "whiteout in the lowest layer, which hides nothing",
        "whiteouts in the lowest layer, which hide nothing";
    /// M26: a directory named like a whiteout.
    WhiteoutDirectory = "whiteout-directory":
        "file in a directory whose name begins with .wh.",
        "files in a directory whose name begins with .wh.";
    /// M91: a character device 0:0.
    OverlayWhiteout = "overlay-whiteout":
        "character device 0:0, taken as a whiteout",
        "character devices 0:0, taken as whiteouts";
    /// M92: overlayfs' own extended attributes.
    OverlayXattr = "overlay-xattr":
        "overlayfs attribute, left out",
        "overlayfs attributes, left out";
    /// M78: a regular file whose name ends in a slash.
    SlashFile = "slash-file":
        "regular file whose name ends in a slash",
        "regular files whose name ends in a slash";
    /// T29: a layer without its end marker.
    EndMarker = "end-marker":
        "layer without the two zero blocks at its end",
        "layers without the two zero blocks at their end";
    /// T28, T30: data after the end marker.
    TrailingData = "trailing-data":
        "layer with data after its end marker, which no engine reads",
        "layers with data after their end marker, which no engine reads";
    /// T32: an unusual magic.
    OddMagic = "odd-magic":
        "tar header with an unusual magic",
        "tar headers with an unusual magic";
    /// A layer whose media type does not say what its bytes are.
    MediaType = "media-type":
        "layer whose media type does not match its bytes",
        "layers whose media type does not match their bytes";
    /// Attestations, signatures and other documents about the old layers.
    Attestation = "attestation":
        "attestation or signature left out: it describes the old layers",
        "attestations or signatures left out: they describe the old layers";
    /// moby#47065: an OCI manifest without the layers that `manifest.json` names.
    EmptyManifest = "empty-manifest":
        "OCI manifest without layers (moby#47065): manifest.json holds",
        "OCI manifests without layers (moby#47065): manifest.json holds";
    /// A config without keys that the specification demands.
    ConfigKeys = "config-keys":
        "config without a key that the specification demands",
        "configs without a key that the specification demands";
    /// A config whose history has more or fewer steps with a layer than there are layers (hostile.md 33).
    History = "history":
        "config whose history does not count its layers",
        "configs whose history does not count their layers";
    /// A platform of an index whose blobs were not saved, as Docker's containerd store leaves them out.
    AbsentPlatform = "absent-platform":
        "platform of an index that is not in the archive",
        "platforms of an index that are not in the archive";
    /// A health check of a Docker image that becomes an OCI image, which has none for podman.
    Healthcheck = "healthcheck":
        "health check that podman does not run from an OCI image (see --format docker)",
        "health checks that podman does not run from an OCI image (see --format docker)";
    /// Several platforms under one name, of which `manifest.json` can name one.
    OnePlatform = "one-platform":
        "name with several platforms: Docker without the containerd store loads one",
        "names with several platforms: Docker without the containerd store loads one";
    /// A drop of the user's own that something which stays needs.
    LostNeed = "lost-need":
        "file that --drop or --rules takes and something that stays needs",
        "files that --drop or --rules takes and something that stays needs";
    /// A label that names the base image's layers.
    StaleLabel = "stale-label":
        "label that describes the old layers",
        "labels that describe the old layers";
    /// A package database that is broken, of another format, too large, or that does not list a package's files.
    PackageDatabase = "package-database":
        "package database that cannot be read: rules go by globs only",
        "package databases that cannot be read: rules go by globs only";
    /// A word of the command that is looked up on PATH and is not there.
    CommandNotFound = "command-not-found":
        "program of the command that is not in the image",
        "programs of the command that are not in the image";
    /// A command name that a shell script makes while it runs, or a program such as make that runs what its own files say.
    ComputedCommand = "computed-command":
        "command that is computed, or stands in a makefile or its like: not followed (see --keep-bin)",
        "commands that are computed, or stand in a makefile or its like: not followed (see --keep-bin)";
    /// A script in the application's directories that no command names.
    UnnamedScript = "unnamed-script":
        "script beside the application that no command names: what it runs is not followed (see --keep-bin)",
        "scripts beside the application that no command names: what they run is not followed (see --keep-bin)";
}

/// The warnings of a run so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warnings(BTreeMap<WarningKind, Group>);

/// One class of warnings that occurred.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// How often.
    pub count: u64,
    /// The first few places, already escaped.
    pub examples: Vec<String>,
}

impl Warnings {
    /// Notes one occurrence; `place` is shown as it is, so it must be escaped.
    pub fn add(&mut self, kind: WarningKind, place: impl ToString) {
        let group = self.0.entry(kind).or_default();
        group.count = group.count.saturating_add(1);
        if group.examples.len() < EXAMPLES {
            group.examples.push(place.to_string());
        }
    }

    /// Adds what another part of the run noted.
    pub fn merge(&mut self, other: &Self) {
        for (kind, theirs) in &other.0 {
            let ours = self.0.entry(*kind).or_default();
            ours.count = ours.count.saturating_add(theirs.count);
            let room = EXAMPLES.saturating_sub(ours.examples.len());
            ours.examples.extend(theirs.examples.iter().take(room).cloned());
        }
    }

    /// The classes that occurred.
    pub fn iter(&self) -> impl Iterator<Item = (WarningKind, &Group)> {
        self.0.iter().map(|(kind, group)| (*kind, group))
    }

    /// Whether nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How often a class occurred.
    pub fn count(&self, kind: WarningKind) -> u64 {
        self.0.get(&kind).map_or(0, |group| group.count)
    }

    /// `--strict`: the first warning as an error.
    pub fn refuse(&self) -> Result<(), Error> {
        match self.0.first_key_value() {
            None => Ok(()),
            Some((kind, group)) => {
                let place = group.examples.first().map(String::as_str).unwrap_or_default();
                let what = format!("--strict refuses a warning: {} {} ({place})", group.count, kind.text(group.count));
                Err(Error::new(ErrorKind::Gate, what))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_class_is_told_as_one() {
        let mut warnings = Warnings::default();
        warnings.add(WarningKind::Healthcheck, "app:1.0");
        let refused = "--strict refuses a warning: 1 health check that podman does not run from an OCI image";
        assert!(warnings.refuse().unwrap_err().to_string().starts_with(refused));
        assert!(WarningKind::ALL.iter().all(|kind| kind.text(1) != kind.text(2) && kind.text(0) == kind.text(2)));
    }

    #[test]
    fn warnings_are_counted_and_the_first_places_named() {
        let mut warnings = Warnings::default();
        for n in 0..5 {
            warnings.add(WarningKind::Duplicate, format!("/{n}"));
        }
        let (kind, group) = warnings.iter().next().unwrap();
        assert_eq!((kind.code(), group.count, group.examples.join(" ")), ("duplicate", 5, "/0 /1 /2".into()));
        assert_eq!(warnings.refuse().unwrap_err().kind(), ErrorKind::Gate);
        assert!(Warnings::default().refuse().is_ok());
    }
}
