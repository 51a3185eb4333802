//! The write half against the read half: whatever is encoded is read back as itself, and clean enough to be
//! copied as it is the next time.

#![allow(clippy::cast_possible_truncation)] // sizes of a test fit

use super::*;
use crate::layer::{StreamInput, scan};
use crate::options::Limits;
use crate::rootfs::{Content, Entry, EntryKind, LayerId, OwnerNames, Record, Source};
use crate::warning::Warnings;
use proptest::prelude::*;
use std::sync::Arc;

/// Bytes of a name: long ones, ones with slashes, ones that are not UTF-8.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![8 => Just(b'n'), 2 => Just(b'/'), 1 => 1_u8..=255];
    prop_oneof![proptest::collection::vec(byte, 1..300), "[a-zé/]{1,160}".prop_map(String::into_bytes)]
}

fn path() -> impl Strategy<Value = RootPath> {
    let clean = |name: Vec<u8>| RootPath::from_entry_name(&name).ok();
    name().prop_filter_map("a name", clean).prop_filter("no root, no whiteout", |path| {
        path.components().all(|name| !name.starts_with(WHITEOUT)) && !path.is_root()
    })
}

fn meta() -> impl Strategy<Value = Meta> {
    let time = prop_oneof![Just(0), -9..9_i64, any::<i64>()];
    let nanos = prop_oneof![Just(0), 0..1_000_000_000_u32];
    let id = prop_oneof![0..9_u32, any::<u32>()];
    let owner = || {
        proptest::collection::vec(prop_oneof![9 => b'a'..=b'z', 1 => 1_u8..=255], 0..40).prop_map(Vec::into_boxed_slice)
    };
    let value = proptest::collection::vec(any::<u8>(), 1..200).prop_map(Vec::into_boxed_slice);
    let records = proptest::collection::btree_map("SCHILY\\.xattr\\.user\\.[a-z]{1,9}", value, 0..3);
    (0..0o10000_u16, id.clone(), id, (time, nanos), (owner(), owner()), records).prop_map(
        |(mode, uid, gid, (seconds, nanos), (user, group), records)| Meta {
            mode,
            uid,
            gid,
            mtime: Time { seconds, nanos },
            owner: Arc::new(OwnerNames { user, group }),
            records: records.into_iter().map(|(key, value)| Record { key: key.into_bytes().into(), value }).collect(),
        },
    )
}

fn kind() -> impl Strategy<Value = EntryKind> {
    let number = || prop_oneof![1..300_u32, any::<u32>()];
    let device = (number(), number()).prop_map(|(major, minor)| Device { major, minor });
    let device = device.prop_filter("no whiteout", |device| (device.major, device.minor) != (0, 0));
    let target = name().prop_filter("a target", |name| !name.contains(&0));
    prop_oneof![
        (0..2000_u64).prop_map(|size| EntryKind::File(Content { size, source: Source::Layer(LayerId(0), 0) })),
        Just(EntryKind::Directory),
        target.prop_map(|target| EntryKind::Symlink(target.into())),
        path().prop_map(EntryKind::HardLink),
        device.clone().prop_map(EntryKind::CharDevice),
        device.prop_map(EntryKind::BlockDevice),
        Just(EntryKind::Fifo),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_is_read_back_and_may_be_copied(path in path(), kind in kind(), meta in meta()) {
        let mut tar = match (&kind, InodeKind::of(kind.clone())) {
            (EntryKind::HardLink(link), _) => headers(&path, &InodeKind::Fifo, &meta, Some(link), None),
            (_, Some(inode)) => headers(&path, &inode, &meta, None, None),
            _ => unreachable!(),
        }.unwrap();
        let (mut kind, start) = (kind, tar.len());
        if let EntryKind::File(content) = &mut kind {
            content.source = Source::Layer(LayerId(0), start as u64);
            tar.resize(start + (content.size as usize).next_multiple_of(512), 0);
        }
        let size = tar.len() as u64;
        tar.resize(tar.len() + 1024, 0);
        let (mut entries, mut warnings) = (Vec::new(), Warnings::default());
        scan(&mut StreamInput::new(&*tar), LayerId(0), &Limits::default(), &mut warnings, &mut |entry| {
            entries.push(entry);
            Ok(())
        }).unwrap();
        prop_assert!(warnings.is_empty());
        let large = |device: &Device| device.major.max(device.minor) >= 1 << 21;
        let odd = matches!(&kind, EntryKind::CharDevice(device) | EntryKind::BlockDevice(device) if large(device));
        // A long name that is no ASCII stands in the PAX header, where bsdtar reads another one.
        let long = |text: &[u8], room: usize| !text.is_ascii() && text.len() > room;
        let slash = if kind == EntryKind::Directory { &b"/"[..] } else { b"" };
        let name = [path.as_bytes(), slash].concat();
        let target = match &kind {
            EntryKind::Symlink(target) => target,
            EntryKind::HardLink(target) => target.as_bytes(),
            _ => b"",
        };
        let odd = odd
            || (!name.is_ascii() && split(&name).is_none())
            || long(target, 100)
            || long(&meta.owner.user, 31)
            || long(&meta.owner.group, 31);
        let verbatim = (!odd).then_some(0..size);
        prop_assert_eq!(entries, [Entry { path, kind, meta, verbatim }]);
    }
}
