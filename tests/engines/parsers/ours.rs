//! What imgstrip reads in a tar, as a listing; and the root filesystem that a listing of one layer makes.

use crate::parsers::listing::{Item, Listing, clean, hex, target};
use imgstrip::layer::{StreamInput, scan};
use imgstrip::options::Limits;
use imgstrip::rootfs::{Content, Entry, EntryKind, LayerId, Run, Time};
use imgstrip::warning::Warnings;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Our reading.
pub(crate) fn list(tar: &[u8]) -> Listing {
    let (mut listing, mut whole) = (Listing::default(), Sha256::new());
    let mut push = |entry: Entry| {
        listing.items.push(item(&entry, tar, &mut whole));
        Ok(())
    };
    let ended = scan(&mut StreamInput::new(tar), LayerId(0), &Limits::default(), &mut Warnings::default(), &mut push);
    listing.error = ended.err().map(|error| error.to_string());
    listing.content = hex(&whole.finalize());
    listing
}

fn item(entry: &Entry, tar: &[u8], whole: &mut Sha256) -> Item {
    let meta = &entry.meta;
    let attributes = meta.records.iter().filter_map(|record| {
        Some(format!("{}={}", hex(record.key.strip_prefix(b"SCHILY.xattr.")?), hex(&record.value)))
    });
    let mut item = Item {
        mode: format!("{:o}", meta.mode),
        owner: format!("{}:{}", meta.uid, meta.gid),
        time: time(meta.mtime),
        size: "-".into(),
        name: entry.path.as_bytes().to_vec(),
        names: Some(format!("{}:{}", hex(&meta.owner.user), hex(&meta.owner.group))),
        device: "-".into(),
        digest: Some("-".into()),
        attributes: Some(attributes.collect::<Vec<_>>().join(",")),
        ..Item::default()
    };
    let kind = match &entry.kind {
        EntryKind::File(content) => {
            let bytes = bytes(content, tar);
            whole.update(&bytes);
            item.size = content.size.to_string();
            item.digest = Some(hex(&Sha256::digest(&bytes)));
            "f"
        }
        EntryKind::Directory => "d",
        EntryKind::Symlink(target) => {
            item.link = target.to_vec();
            "l"
        }
        EntryKind::HardLink(target) => {
            item.link = target.as_bytes().to_vec();
            "h"
        }
        EntryKind::CharDevice(device) | EntryKind::BlockDevice(device) => {
            item.device = format!("{},{}", device.major, device.minor);
            if matches!(entry.kind, EntryKind::CharDevice(_)) { "c" } else { "b" }
        }
        EntryKind::Fifo => "p",
    };
    item.kind = kind.into();
    item
}

pub(crate) fn time(Time { seconds, nanos }: Time) -> String {
    format!("{seconds}.{nanos:09}")
}

fn bytes(content: &Content, tar: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(run) = content.run_at(bytes.len() as u64).unwrap() {
        match run {
            Run::Layer(_, range) => bytes.extend(&tar[range.start as usize..range.end as usize]),
            Run::Bytes(run) => bytes.extend(run),
            Run::Zeros(count) => bytes.resize(bytes.len() + count as usize, 0),
        }
    }
    bytes
}

/// The files of a root filesystem by path, hard links as what they stand for; `None` where what an engine makes of it is
/// the merge's business (`cases.rs`), such as a name below a symlink.
pub(crate) fn tree(listing: &Listing) -> Option<BTreeMap<Vec<u8>, Item>> {
    let mut tree: BTreeMap<Vec<u8>, Item> = BTreeMap::new();
    for item in &listing.items {
        let path = clean(&item.name);
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        if item.kind == "c" && item.device == "0,0" || path.starts_with(b"..") {
            return None;
        }
        if parts.iter().any(|part| part.starts_with(b".wh.")) {
            continue; // One layer has nothing below it to hide.
        }
        for length in 1..parts.len() {
            let above = parts[..length].join(&b'/');
            let implied = Item {
                kind: "d".into(),
                mode: "755".into(),
                owner: "0:0".into(),
                time: "0.000000000".into(),
                ..Item::default()
            };
            if tree.entry(above).or_insert(implied).kind != "d" {
                return None;
            }
        }
        let mut made = item.clone();
        if item.kind == "h" {
            let target = tree.get(&target(&item.link))?;
            if target.kind == "d" {
                return None;
            }
            made = target.clone();
        }
        if made.kind != "d" {
            let below = [&path[..], b"/"].concat();
            tree.retain(|name, _| !name.starts_with(&below));
        }
        made.name.clear();
        tree.insert(path, made);
    }
    for item in tree.values_mut() {
        (item.names, item.attributes, item.digest) = (
            item.names.take().or(Some(":".into())),
            item.attributes.take().or(Some(String::new())),
            item.digest.take().or(Some("-".into())),
        );
        for text in [&mut item.size, &mut item.device] {
            if text.is_empty() {
                *text = "-".into();
            }
        }
    }
    Some(tree)
}
