//! One text form for layers and trees: fixtures, expectations and output are the same lines.
//!
//! ```text
//! usr/ [0700 5:6 @77]            a directory: mode, owner:group, mtime in seconds
//! usr/f [user.k=v] = some text   a file with an extended attribute
//! usr/s -> f                     a symlink
//! usr/h => usr/f                 a hard link
//! dev/null char 1:3              a device (or block), a fifo is `p fifo`
//! usr/.wh.gone                   a whiteout, which is an empty file by its name
//! ```
//!
//! What is left out is 0755 for a directory, 0644 for a file, 0777 for a symlink, 0:0 and @0. A space in a name is
//! written `\x20`; other bytes as [`crate::error::escape`] shows them. Lines that begin with `#` are comments.

use super::content::{Content, Source};
use super::entry::{Device, Entry, EntryKind, Meta, Record, Time};
use super::path::RootPath;
use super::tree::{Descend, InodeKind, Tree};
use crate::error::{Error, escape};
use std::collections::HashMap;
use std::fmt::Write;

/// The PAX prefix under which an extended attribute travels.
const XATTR: &[u8] = b"SCHILY.xattr.";

/// Reads the entries of a layer, one a line.
pub fn parse(text: &str) -> Result<Vec<Entry>, Error> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| parse_line(line).ok_or_else(|| Error::usage(format!("not a line of a tree: {line}")))).collect()
}

fn parse_line(line: &str) -> Option<Entry> {
    let (name, mut rest) = line.split_once(' ').unwrap_or((line, ""));
    let raw = unescape(name)?;
    let mut kind = if name.ends_with('/') { EntryKind::Directory } else { file(b"") };
    let mut attributes = "";
    if let Some(inner) = rest.strip_prefix('[') {
        (attributes, rest) = inner.split_once(']')?;
        rest = rest.trim_start();
    }
    let (sign, value) = rest.split_once(' ').unwrap_or((rest, ""));
    match sign {
        "" => {}
        "=" => kind = file(&unescape(value)?),
        "->" => kind = EntryKind::Symlink(unescape(value)?.into()),
        "=>" => kind = EntryKind::HardLink(RootPath::clamped(&unescape(value)?)),
        "char" => kind = EntryKind::CharDevice(device(value)?),
        "block" => kind = EntryKind::BlockDevice(device(value)?),
        "fifo" => kind = EntryKind::Fifo,
        _ => return None,
    }
    let mode = default_mode(matches!(kind, EntryKind::Directory), matches!(kind, EntryKind::Symlink(_)));
    let meta = parse_meta(attributes, mode)?;
    Some(Entry { path: RootPath::from_entry_name(&raw).ok()?, kind, meta, verbatim: None })
}

fn file(bytes: &[u8]) -> EntryKind {
    EntryKind::File(Content::owned(bytes))
}

fn default_mode(is_directory: bool, is_symlink: bool) -> u16 {
    match (is_directory, is_symlink) {
        (true, _) => 0o755,
        (_, true) => 0o777,
        _ => 0o644,
    }
}

fn device(value: &str) -> Option<Device> {
    let (major, minor) = value.split_once(':')?;
    Some(Device { major: major.parse().ok()?, minor: minor.parse().ok()? })
}

fn parse_meta(attributes: &str, mode: u16) -> Option<Meta> {
    let mut meta = Meta { mode, ..Meta::default() };
    let mut records = Vec::new();
    for word in attributes.split_whitespace() {
        if let Some(seconds) = word.strip_prefix('@') {
            let (seconds, nanos) = seconds.split_once('+').unwrap_or((seconds, "0"));
            meta.mtime = Time { seconds: seconds.parse().ok()?, nanos: nanos.parse().ok()? };
        } else if let Some((key, value)) = word.split_once('=') {
            let key = [XATTR, &unescape(key)?].concat().into();
            records.push(Record { key, value: unescape(value)?.into() });
        } else if let Some((uid, gid)) = word.split_once(':') {
            (meta.uid, meta.gid) = (uid.parse().ok()?, gid.parse().ok()?);
        } else {
            meta.mode = u16::from_str_radix(word, 8).ok()?;
        }
    }
    records.sort();
    meta.records = records.into();
    Some(meta)
}

/// Undoes [`escape`].
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'\\' {
            bytes.push(first);
            continue;
        }
        let (&code, tail) = rest.split_first()?;
        rest = tail;
        bytes.push(match code {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'x' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                rest = tail;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    Some(bytes)
}

/// Writes a tree, one name a line, sorted. The first name of an inode shows it, the others link to that one.
/// `content` shows the bytes of a file.
pub fn show(tree: &Tree, content: &mut dyn FnMut(&Content) -> String) -> String {
    let mut text = String::new();
    let mut first: HashMap<usize, RootPath> = HashMap::new();
    tree.walk(&mut |path, node| {
        let inode = tree.inode_of(node);
        let is_directory = inode.kind == InodeKind::Directory;
        let name = show_word(path.as_bytes());
        if let Some(first) = first.get(&tree.node(node).inode.index()) {
            let _ = writeln!(text, "{name} => {}", show_word(first.as_bytes()));
            return Descend::Yes;
        }
        if !is_directory && inode.names() > 1 {
            first.insert(tree.node(node).inode.index(), path.clone());
        }
        let meta = show_meta(&inode.meta, default_mode(is_directory, matches!(inode.kind, InodeKind::Symlink(_))));
        let kind = match &inode.kind {
            InodeKind::Directory => String::new(),
            InodeKind::File(file) if file.size == 0 => String::new(),
            InodeKind::File(file) => format!(" = {}", content(file)),
            InodeKind::Symlink(target) => format!(" -> {}", escape(target)),
            InodeKind::CharDevice(device) => format!(" char {}:{}", device.major, device.minor),
            InodeKind::BlockDevice(device) => format!(" block {}:{}", device.major, device.minor),
            InodeKind::Fifo => " fifo".into(),
            InodeKind::Lower(target) => format!(" => {}", show_word(target.as_bytes())),
        };
        if path.is_root() {
            if !meta.is_empty() {
                let _ = writeln!(text, "./{meta}");
            }
        } else {
            let _ = writeln!(text, "{name}{}{meta}{kind}", if is_directory { "/" } else { "" });
        }
        Descend::Yes
    });
    text
}

/// The bytes of a file that a text form holds itself; what lies in a layer is shown by its size.
pub fn owned(content: &Content) -> String {
    match &content.source {
        Source::Owned(bytes) => escape(bytes),
        _ => format!("({} bytes)", content.size),
    }
}

fn show_word(bytes: &[u8]) -> String {
    escape(bytes).replace(' ', "\\x20")
}

fn show_meta(meta: &Meta, default: u16) -> String {
    let mut words = Vec::new();
    if meta.mode != default {
        words.push(format!("{:04o}", meta.mode));
    }
    if (meta.uid, meta.gid) != (0, 0) {
        words.push(format!("{}:{}", meta.uid, meta.gid));
    }
    match meta.mtime {
        Time { seconds: 0, nanos: 0 } => {}
        Time { seconds, nanos: 0 } => words.push(format!("@{seconds}")),
        Time { seconds, nanos } => words.push(format!("@{seconds}+{nanos}")),
    }
    for Record { key, value } in meta.records.iter() {
        let key = key.strip_prefix(XATTR).unwrap_or(key);
        words.push(format!("{}={}", show_word(key), show_word(value).replace(']', "\\x5d")));
    }
    if words.is_empty() { String::new() } else { format!(" [{}]", words.join(" ")) }
}

/// The entries as a layer of its own, for tests that need no tar.
pub fn upper(text: &str) -> Result<super::Upper, Error> {
    let mut builder = super::UpperBuilder::new(super::LayerId(0), 40);
    for entry in parse(text)? {
        builder.push(entry)?;
    }
    Ok(builder.finish())
}

/// What a layer of these entries shows, for tests that need no merge.
pub fn tree(text: &str) -> Result<Tree, Error> {
    let mut merge = super::Merge::new(crate::options::SymlinkParents::Overlay, 40);
    merge.add(&upper(text)?)?;
    Ok(merge.finish().tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_written_as_it_was_read() {
        let text = "./ [0700]\nd/ [0711 5:6 @77]\nd/a\\x20b [4755 user.k=v\\x00\\x20w] = one \\\"two\\\"\nd/s -> ../x y\n\
                    dev char 1:3\nf = x\ng => f\np [0600] fifo\nt [@-5+250000000] = y\n";
        assert_eq!(show(&tree(text).unwrap(), &mut owned), text);
    }

    #[test]
    fn a_line_that_means_nothing_is_refused() {
        assert!(parse("a b c").is_err());
        assert!(parse("a [99z] = x").is_err());
    }
}
