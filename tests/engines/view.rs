//! The root filesystem that an engine shows: a directory in, one value a path out, and what differs between two.
//!
//! Everything that `lstat`, `readlink`, `llistxattr` and the bytes tell. A time that an engine made up while it
//! unpacked is shown as `engine`, so that two views can be held against each other.

use imgstrip::error::escape;
use rustix::fs::{lgetxattr, llistxattr};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::LazyLock;

/// What one path shows, each with its name.
type Fields = Vec<(String, String)>;

/// A root filesystem: paths from its root, `.` for the root itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View(BTreeMap<String, Fields>);

/// The time since which times are made up by engines, in seconds; by the clock of the file system that they write to.
pub(crate) static STARTED: LazyLock<i64> = LazyLock::new(|| {
    let file = tempfile::tempfile().unwrap();
    file.metadata().unwrap().mtime()
});

impl View {
    /// Walks `root`.
    pub(crate) fn of(root: &Path) -> Self {
        let mut found = Found::default();
        found.walk(root, "");
        for paths in found.groups.into_values().filter(|paths| paths.len() > 1) {
            for path in &paths {
                found.view.0.get_mut(path).unwrap().push(("links".into(), paths.join("=")));
            }
        }
        found.view
    }

    /// What `other` has differently, a line a path: `-x` it lacks, `+x` it has more, `~x` it shows otherwise.
    ///
    /// A directory that no layer defines (M82) gets its time from the engine; ours is always 1970.
    pub(crate) fn diff(&self, other: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, fields) in &self.0 {
            match other.0.get(path) {
                None if fields[0].1 == "ghost" => lines.push(format!("-{path} ghost")),
                None => lines.push(format!("-{path}")),
                Some(others) => {
                    let changes: Vec<String> =
                        names(fields, others).filter_map(|name| change(name, fields, others)).collect();
                    if !changes.is_empty() {
                        lines.push(format!("~{path} {}", changes.join(" ")));
                    }
                }
            }
        }
        lines.extend(other.0.keys().filter(|path| !self.0.contains_key(*path)).map(|path| format!("+{path}")));
        lines
    }
}

fn names<'a>(a: &'a Fields, b: &'a Fields) -> impl Iterator<Item = &'a str> {
    let more = b.iter().filter(|(name, _)| a.iter().all(|(other, _)| other != name));
    a.iter().chain(more).map(|(name, _)| name.as_str())
}

fn change(name: &str, a: &Fields, b: &Fields) -> Option<String> {
    let value = |fields: &Fields| {
        let found = fields.iter().find(|(other, _)| other == name);
        found.map_or("none".to_owned(), |(_, value)| value.clone())
    };
    let (old, new) = (value(a), value(b));
    let undefined = name == "mtime" && old == "engine" && new == "0" && a[0].1 == "directory";
    (old != new && !undefined).then(|| format!("{name} {old}>{new}"))
}

#[derive(Default)]
struct Found {
    view: View,
    /// The names of each inode that is no directory.
    groups: BTreeMap<(u64, u64), Vec<String>>,
}

impl Found {
    fn walk(&mut self, path: &Path, name: &str) {
        let shown = if name.is_empty() { "." } else { name };
        let Ok(metadata) = fs::symlink_metadata(path) else {
            // overlayfs lists a whiteout that hides nothing (M19), but there is no file.
            self.view.0.insert(shown.into(), vec![("type".into(), "ghost".into())]);
            return;
        };
        if !metadata.is_dir() && metadata.nlink() > 1 {
            self.groups.entry((metadata.dev(), metadata.ino())).or_default().push(shown.into());
        }
        self.view.0.insert(shown.into(), fields(path, &metadata));
        if metadata.is_dir() {
            let mut names: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            for child in names {
                let slash = if name.is_empty() { "" } else { "/" };
                self.walk(&path.join(&child), &format!("{name}{slash}{}", escape(child.as_bytes())));
            }
        }
    }
}

fn fields(path: &Path, metadata: &fs::Metadata) -> Fields {
    let kind = metadata.file_type();
    let mut fields: Fields = Vec::new();
    let device = || format!("{}:{}", rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()));
    let (kind, more) = if kind.is_dir() {
        ("directory", None)
    } else if kind.is_symlink() {
        ("symlink", Some(("target", escape(fs::read_link(path).unwrap().as_os_str().as_bytes()))))
    } else if kind.is_char_device() {
        ("char", Some(("device", device())))
    } else if kind.is_block_device() {
        ("block", Some(("device", device())))
    } else if kind.is_fifo() {
        ("fifo", None)
    } else if kind.is_file() {
        ("file", Some(("content", content(path))))
    } else {
        ("other", None)
    };
    let mode = format!("{:04o}", metadata.mode() & 0o7777);
    let owner = format!("{}:{}", metadata.uid(), metadata.gid());
    let fixed = [("type", kind.into()), ("mode", mode), ("owner", owner), ("mtime", time(metadata))];
    fields.extend(fixed.into_iter().chain(more).map(|(name, value)| (name.into(), value)));
    fields.extend(xattrs(path));
    fields
}

fn time(metadata: &fs::Metadata) -> String {
    match (metadata.mtime(), metadata.mtime_nsec()) {
        (seconds, _) if seconds >= *STARTED => "engine".into(),
        (seconds, 0) => seconds.to_string(),
        (seconds, nanos) => format!("{seconds}+{nanos}"),
    }
}

fn content(path: &Path) -> String {
    shown(&fs::read(path).unwrap())
}

/// Short bytes as they are, the rest by length and digest.
fn shown(bytes: &[u8]) -> String {
    if bytes.len() <= 16 {
        return format!("'{}'", escape(bytes));
    }
    let digest: String = Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("({} bytes, {digest})", bytes.len())
}

/// The extended attributes, each a field.
fn xattrs(path: &Path) -> Fields {
    let mut names = vec![0; 1 << 16];
    // A file system that has no attributes for a kind of file has none to compare.
    let length = llistxattr(path, &mut names).unwrap_or(0);
    let mut fields: Fields = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let mut value = vec![0; 1 << 16];
            let length = lgetxattr(path, name, &mut value).unwrap();
            (escape(name), shown(&value[..length]))
        })
        .collect();
    fields.sort();
    fields
}

#[test]
fn a_difference_is_told_by_path_and_field() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (root, text) in [(&old, "one"), (&new, "two")] {
        fs::write(root.path().join("f"), text).unwrap();
        fs::hard_link(root.path().join("f"), root.path().join("g")).unwrap();
        fs::write(root.path().join(text), "").unwrap();
    }
    fs::remove_file(new.path().join("g")).unwrap();
    let lines = View::of(old.path()).diff(&View::of(new.path()));
    assert_eq!(lines, ["~f content 'one'>'two' links f=g>none", "-g", "-one", "+two"]);
    assert!(View::of(old.path()).diff(&View::of(old.path())).is_empty());
}
