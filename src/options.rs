//! Everything a run can be asked to do, each field documented with its default. No flag parsing here.

use crate::image::Platform;
use crate::rules::Rules;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Where the image archive comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// An archive file, or an OCI layout directory.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

/// Where the result goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A file, written beside its place, synced, and renamed.
    File(PathBuf),
    /// An OCI layout directory, written the same way.
    Directory(PathBuf),
    /// Standard output.
    Stdout,
}

/// What to do. `Options::default()` is what `imgstrip in.tar out.tar` does.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What to drop and what to keep. Default: the presets that are on by default.
    pub rules: Rules,
    /// Only the image with this name, image ID or index annotation. Default: every image of the archive.
    pub image: Option<String>,
    /// Only this platform. Default: every platform of the archive.
    pub platform: Option<Platform>,
    /// The name of the result. Default: the names that the input has.
    pub tag: Option<String>,
    /// How the written layer is compressed. Default: as the input's layers are.
    pub compression: Compression,
    /// The shape of the written archive. Default: one that every engine reads.
    pub format: Format,
    /// What becomes of the history. Default: old steps stay as empty layers.
    pub history: History,
    /// No time in the layer is later than this, in seconds since 1970. Default: times stay.
    pub mtime: Option<i64>,
    /// The image's `created` time, in seconds since 1970 (`SOURCE_DATE_EPOCH`). Default: the input's stays.
    pub created: Option<i64>,
    /// An entry below a lower layer's symlink (merge.md M36). Default: as overlay engines do.
    pub symlink_parents: SymlinkParents,
    /// Leave the first layers as they are and squash the rest into one on top. Default: squash all.
    pub keep_base: Option<KeepBase>,
    /// Keep what the image's command needs, and nothing else. Default: no.
    pub only_needed: bool,
    /// Programs that stay with all they need, by name on the image's PATH or by path. Default: none.
    pub keep_programs: Vec<String>,
    /// Cut debug sections off the end of ELF files. Default: no.
    pub strip_debug: bool,
    /// Every warning is an error. Default: no.
    pub strict: bool,
    /// Decide and report, write no image. Default: no.
    pub dry_run: bool,
    /// Read the written archive back before it is put in its place, and hold it against the input. Default: no.
    pub verify: bool,
    /// The gates that a caller sets on the result. Default: none.
    pub gates: Gates,
    /// How many threads work. Default: one a core.
    pub threads: Option<NonZeroUsize>,
    /// Where spill files go, which are unlinked at once. Default: the system's directory for temporary files.
    pub temp_dir: Option<PathBuf>,
    /// What a hostile input may cost at most. Default: [`Limits::default`].
    pub limits: Limits,
}

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// As the input's layers: zstd if any of them is, else gzip if any is, as with `Gzip(None)`, else not at all.
    #[default]
    Keep,
    /// Not at all.
    None,
    /// gzip at this level, 1 to 9; where none is given, deflate blocks of gzip layers are copied and the rest is encoded at 6.
    Gzip(Option<u32>),
    /// zstd.
    Zstd {
        /// 1 to 22; 3 where none is given.
        level: Option<i32>,
        /// Matches are looked for in the last 128 MiB: smaller where files repeat, and on one thread.
        long: bool,
    },
}

/// The shape of the written archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// The OCI layout and `manifest.json` over the same blobs: every engine reads it (formats.md).
    #[default]
    Auto,
    /// `manifest.json` and the files it names, nothing of OCI.
    Docker,
    /// The OCI layout alone.
    Oci,
}

/// What becomes of the image's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum History {
    /// Every old step stays, marked as an empty layer, and one new step stands for the layer.
    #[default]
    Keep,
    /// One new step, nothing of the old.
    Single,
    /// No history at all.
    Drop,
}

/// What an entry means whose parent is a symlink of a lower layer (merge.md M36, M43, M44).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SymlinkParents {
    /// A directory takes the symlink's place, as overlayfs shows it, and a warning says so.
    #[default]
    Overlay,
    /// The entry goes where the symlink leads, as umoci and the vfs driver do; where it leads to no directory, as
    /// with [`SymlinkParents::Overlay`].
    Follow,
    /// The input is refused.
    Error,
}

/// Which layers stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepBase {
    /// The first so many layers.
    Layers(usize),
    /// The layers that this image of the same archive has.
    Image(String),
}

/// What the result must satisfy; exit code 7 where it does not.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Gates {
    /// The written archive has at most this many bytes.
    pub max_size: Option<u64>,
    /// The written rootfs is smaller by at least this many percent.
    pub min_saving: Option<f64>,
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])* $name:ident: $default:expr,)*) => {
        /// What an input may cost at most; each is changed with `--limit NAME=VALUE` (hostile.md, "default limits").
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits { $($(#[doc = $doc])* pub $name: u64,)* }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            /// The names, as `--limit` spells them, sorted.
            pub const NAMES: &[&str] = &[$(stringify!($name),)*];

            /// Each limit: its name, its default, and what it bounds with where the number comes from, as the manual says it.
            pub const ALL: &[(&str, u64, &str)] = &[$((stringify!($name), $default, concat!($($doc),*)),)*];

            /// Sets the limit of this name; false where there is none of it. `-` and `_` are the same.
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name.replace('-', "_").as_str() {
                    $(stringify!($name) => self.$name = value,)*
                    _ => return false,
                }
                true
            }
        }
    };
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

limits! {
    /// Bytes of an image's config; containers/image stops at 4 MiB.
    config: 8 * MIB,
    /// Entries of one image, over all its layers; large images have half a million.
    entries: 5_000_000,
    /// Bytes of all layers of an image, uncompressed; no disk of today holds as much twice.
    expanded: 1 << 40,
    /// Images in one archive, over all indexes; docker save writes those that it is given.
    images: 1_000,
    /// Indexes inside one another; buildx writes two.
    index_depth: 8,
    /// Objects and arrays inside one another in a JSON document, at most 127; a config has 6.
    json_depth: 64,
    /// Layers of one image; overlayfs stops at 500 lower directories.
    layers: 500,
    /// Bytes of a manifest, an index or `manifest.json`; containers/image stops at 4 MiB.
    manifest: 4 * MIB,
    /// Members of the outer archive, and files of a layout directory; 1,000 images of 100 layers each have as many.
    members: 100_000,
    /// Bytes of a path, or of a link target; Linux opens no path of more than 4 KiB at once.
    name: 64 * KIB,
    /// Bytes of all paths of one image, those of directories without an entry of their own among them; 5 million of 100 bytes.
    paths: 512 * MIB,
    /// Bytes of one PAX header; Go's archive/tar stops at 1 MiB (CVE-2022-2879).
    pax: MIB,
    /// How many times larger a layer, or all of them, may get than what was read, once 64 MiB are written; deflate cannot exceed 1032.
    ratio: 1_100,
    /// Data runs of one sparse file; Go's archive/tar had no bound for them (CVE-2025-58183).
    sparse: 1_000_000,
    /// Symlinks followed to resolve one path; Linux stops at 40.
    symlinks: 40,
    /// Bytes of the window that a zstd frame asks for, or an xz stream for its dictionary; zstd itself stops at 128 MiB.
    window: 128 * MIB,
    /// Bytes of all extended attributes of one entry; Linux stops at 64 KiB for each.
    xattrs: 16 * MIB,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_sorted_and_each_can_be_set() {
        assert!(Limits::NAMES.is_sorted());
        let mut limits = Limits::default();
        assert!(Limits::NAMES.iter().all(|name| limits.set(name, 7)));
        assert_eq!((limits.json_depth, limits.window), (7, 7));
        assert!(limits.set("json-depth", 8) && limits.json_depth == 8);
        assert!(!limits.set("jokes", 1));
    }

    #[test]
    fn every_limit_says_what_it_bounds_and_where_its_number_comes_from() {
        let mut limits = Limits::default();
        for (name, default, about) in Limits::ALL {
            assert!(Limits::NAMES.contains(name) && limits.set(name, *default), "{name}");
            assert!(about.contains(';') || about.contains(','), "{name}: {about}");
        }
        assert_eq!((limits, Limits::ALL.len()), (Limits::default(), Limits::NAMES.len()));
    }
}
