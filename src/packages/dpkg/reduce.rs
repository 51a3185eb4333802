//! The database of what stays in keep mode, in the form of distroless images (rules.md 4): `status.d/NAME` holds a package's paragraph,
//! `status.d/NAME.md5sums` the digests of its files that are there. syft and trivy read both.
//!
//! In: which packages and names stay. Out: the files to write. `status` and `info` are no part of this form and go with all else.

use super::files::{FILE, Info, STATUS, digests};
use super::paragraph::lines;
use super::purge::tolerate;
use super::{Database, Home};
use crate::error::Error;
use crate::packages::edit::Edit;
use crate::packages::owners::Places;
use crate::packages::package::numbered;
use crate::packages::shelf::Left;
use crate::rootfs::{NodeId, RootPath};
use std::collections::HashMap;

/// Writes them.
pub(super) fn reduce(database: &Database, left: &Left<'_>) -> Result<Edit, Error> {
    let Left { shelf, all, has, has_name } = *left;
    let mut edit = Edit::default();
    let mut namesakes: HashMap<&str, usize> = HashMap::new();
    for package in all {
        let count = namesakes.entry(&package.name).or_default();
        *count = count.saturating_add(1);
    }
    let status = shelf.read(&database.admin.join(b"status"), STATUS)?.unwrap_or_default();
    let directory = database.admin.join(b"status.d");
    let info = Info::new(&shelf, &database.admin);
    let mut places = shelf.places();
    for ((id, package), record) in numbered(all).zip(&database.records) {
        if !has(id) {
            continue;
        }
        let (name, text) = match &record.paragraph {
            Home::Status(range) => {
                let text = status.get(range.clone()).unwrap_or_default();
                let qualifier = [":", &package.architecture].concat();
                let is_alone = namesakes.get(&*package.name) == Some(&1);
                let name = [&*package.name, if is_alone { "" } else { &qualifier }].concat();
                (name.into_bytes(), conffiles(text, &mut places, has_name))
            }
            Home::File(name) => {
                let text = shelf.read(&directory.join(name), STATUS)?.unwrap_or_default();
                (name.to_vec(), conffiles(&text, &mut places, has_name))
            }
        };
        let beside = directory.join(&[&*name, b".md5sums"].concat());
        let sums = match record.stem.as_ref().filter(|stem| info.has(stem, ".md5sums")) {
            Some(stem) => tolerate(info.read(&shelf, (stem, ".md5sums"), FILE))?.flatten(),
            None => tolerate(shelf.read(&beside, FILE))?.flatten(),
        };
        edit.set(directory.join(&name), text);
        if let Some(sums) = sums
            && let Ok(sums) = digests(&sums)
        {
            let mut there = |path: &RootPath| places.node(path).is_some_and(has_name);
            let kept: Vec<&[u8]> = sums.iter().filter(|(_, path)| there(path)).map(|(line, _)| *line).collect();
            if !kept.is_empty() {
                edit.set(beside, kept.concat());
            }
        }
    }
    Ok(edit)
}

/// A paragraph without the configuration files that are not there, and without the blank lines after it.
fn conffiles(text: &[u8], places: &mut Places<'_>, has_name: &dyn Fn(NodeId) -> bool) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut head: Option<&[u8]> = None;
    let mut inside = false;
    for line in lines(text).filter(|line| !line.trim_ascii().is_empty()) {
        let goes_on = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if !goes_on {
            inside = line.get(..10).is_some_and(|name| name.eq_ignore_ascii_case(b"conffiles:"));
            head = inside.then_some(line);
        }
        let path = line.trim_ascii().split(|&byte| byte == b' ').next().unwrap_or_default();
        match (inside, goes_on) {
            (true, false) => {}
            (true, true) if !places.node(&RootPath::clamped(path)).is_some_and(has_name) => {}
            (true, true) => {
                kept.extend_from_slice(head.take().unwrap_or_default());
                kept.extend_from_slice(line);
            }
            _ => kept.extend_from_slice(line),
        }
    }
    if kept.last() != Some(&b'\n') {
        kept.push(b'\n');
    }
    kept
}
