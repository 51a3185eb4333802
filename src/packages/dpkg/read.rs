//! Reading the database. In: a tree, and the door to its files. Out: its packages in the order of `status`, then of `status.d`, and where each
//! of them is recorded. Whatever dpkg itself would refuse, or would first repair, is an error.

use super::super::package::{Fixed, Package};
use super::super::shelf::Shelf;
use super::catalogue::{Catalogue, Raw};
use super::diversions::Diversions;
use super::files::{FILE, Info, LISTS, STATUS, digests, file_list};
use super::paragraph::{Paragraph, paragraphs};
use super::relation;
use super::states::{self, Automatic};
use super::{Database, Home, Record};
use crate::error::{Error, escape};
use crate::rootfs::RootPath;
use std::collections::{HashMap, HashSet};

/// Where dpkg keeps it.
const ADMIN: &[u8] = b"var/lib/dpkg";

/// How many names all relations may have together: those of 1,000 packages have 10,000.
const NAMES: usize = 2_000_000;

/// As [`super::super::Packages::read`] wants it.
pub(in super::super) fn read(shelf: &Shelf<'_>) -> Result<Option<(Vec<Package>, Database)>, Error> {
    let admin = shelf.tree.resolve(&RootPath::clamped(ADMIN), true, shelf.hops);
    let Some((admin, _)) = admin.filter(|(_, node)| shelf.tree.is_directory(*node)) else { return Ok(None) };
    if shelf.children(&admin.join(b"updates")).iter().any(|(name, _)| name.iter().all(u8::is_ascii_digit)) {
        return Err(Error::malformed("dpkg was interrupted: there is a journal in updates"));
    }
    if let Some(format) = shelf.read(&admin.join(b"info").join(b"format"), FILE)?
        && format.trim_ascii() != b"1"
    {
        return Err(Error::unsupported(format!("info has format {}", escape(format.trim_ascii()))));
    }
    let status = shelf.read(&admin.join(b"status"), STATUS)?;
    let text = status.as_deref().unwrap_or_default();
    if !text.is_empty() && !text.ends_with(b"\n\n") {
        return Err(Error::malformed("status ends within a paragraph"));
    }
    let parts = status_d(shelf, &admin)?;
    let info = Info::new(shelf, &admin);
    let raw = recorded(text, &parts, &info)?;
    if raw.is_empty() {
        return Ok(None);
    }
    let diversions = shelf.read(&admin.join(b"diversions"), FILE)?.unwrap_or_default();
    let automatic = shelf.read(&RootPath::clamped(states::PATH), FILE)?.unwrap_or_default();
    let catalogue = Catalogue::new(&raw)?;
    let automatic = Automatic::parse(&automatic)?;
    let native = native(&raw);
    let mut names = 0usize;
    let mut all = Vec::with_capacity(raw.len());
    for raw in &raw {
        let package = catalogue.package(raw, raw.is_automatic(&automatic, native))?;
        let groups = package.depends.iter().chain(&package.recommends).chain(&package.weak);
        let count: usize = groups.map(|group| group.len()).sum();
        names = names.saturating_add(count).saturating_add(package.provides.len());
        if names > NAMES {
            return Err(Error::limit(format!("the packages depend on more than {NAMES} names")));
        }
        all.push(package);
    }
    let records = own(&mut all, raw, &info, &admin, shelf)?;
    divert(&mut all, &Diversions::parse(&diversions)?);
    await_triggers(&mut all, &paragraphs(text)?);
    Ok(Some((all, Database { admin, records })))
}

/// A file of `status.d`: its name and its text.
type Part = (Box<[u8]>, Vec<u8>);

/// The files of `status.d` that hold a paragraph.
fn status_d(shelf: &Shelf<'_>, admin: &RootPath) -> Result<Vec<Part>, Error> {
    let mut found = Vec::new();
    let mut left = STATUS;
    let directory = admin.join(b"status.d");
    for (name, node) in shelf.children(&directory) {
        if name.ends_with(b".md5sums") || name.ends_with(b".list") || name.ends_with(b".conffiles") {
            continue;
        }
        if let Some(text) = shelf.read_in(&directory, (name, node), left)? {
            left = left.saturating_sub(text.len() as u64);
            found.push((name.into(), text));
        }
    }
    Ok(found)
}

/// The packages that have files here.
fn recorded<'a>(text: &'a [u8], parts: &'a [Part], info: &Info<'_>) -> Result<Vec<Raw<'a>>, Error> {
    let mut found = Vec::new();
    let mut known: HashSet<&[u8]> = HashSet::new();
    let mut unique = HashSet::new();
    let mut add = |paragraph: Paragraph<'a>, home: Home| -> Result<(), Error> {
        let name = paragraph.word("Package")?;
        if !relation::is_name(name) {
            return Err(Error::malformed(format!("not a package's name: {}", escape(name.as_bytes()))));
        }
        known.insert(name.as_bytes());
        let Some(is_finished) = state(&paragraph, &home)? else { return Ok(()) };
        let architecture = paragraph.field("Architecture").map_or(Ok(""), |_| paragraph.word("Architecture"))?;
        if !unique.insert((name, architecture)) {
            return Err(Error::malformed(format!("{name} is there twice")));
        }
        let version = paragraph.word("Version")?;
        found.push(Raw { name, version, architecture, paragraph, home, is_finished });
        Ok(())
    };
    for paragraph in paragraphs(text)? {
        let range = paragraph.range.clone();
        add(paragraph, Home::Status(range))?;
    }
    for (name, text) in parts {
        let mut inside = paragraphs(text)?;
        let (Some(paragraph), true) = (inside.pop(), inside.is_empty()) else {
            return Err(Error::malformed(format!("status.d/{} is not one paragraph", escape(name))));
        };
        add(paragraph, Home::File(name.clone()))?;
    }
    for stem in info.listed() {
        let name = stem.split(|&byte| byte == b':').next().unwrap_or_default();
        if !known.contains(name) {
            return Err(Error::malformed(format!(
                "there is a file list of {}, which status does not know",
                escape(stem)
            )));
        }
    }
    Ok(found)
}

/// Whether dpkg is done with a package; `None` where it has no files here. A paragraph of `status.d` may leave its state out: it is there.
fn state(paragraph: &Paragraph<'_>, home: &Home) -> Result<Option<bool>, Error> {
    let status = match (paragraph.field("Status"), home) {
        (Some(status), _) => status,
        (None, Home::File(_)) => return Ok(Some(true)),
        (None, Home::Status(_)) => return Err(Error::malformed("a paragraph has no Status")),
    };
    let words: Vec<&[u8]> = status.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let [_, flag, state] = *words else { return Err(Error::malformed(format!("not a state: {}", escape(status)))) };
    match state {
        b"installed" => Ok(Some(flag == b"ok")),
        b"not-installed" | b"config-files" => Ok(None),
        b"half-installed" | b"unpacked" | b"half-configured" | b"triggers-awaited" | b"triggers-pending" => {
            Ok(Some(false))
        }
        _ => Err(Error::malformed(format!("not a state: {}", escape(status)))),
    }
}

/// The machine's own architecture: that of dpkg, or what most packages have.
fn native<'a>(raw: &[Raw<'a>]) -> &'a str {
    if let Some(dpkg) = raw.iter().find(|raw| raw.name == "dpkg" && raw.architecture != "all") {
        return dpkg.architecture;
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for raw in raw.iter().filter(|raw| raw.architecture != "all") {
        let count = counts.entry(raw.architecture).or_default();
        *count = count.saturating_add(1);
    }
    counts.into_iter().max_by_key(|&(name, count)| (count, name)).map_or("", |(name, _)| name)
}

impl Raw<'_> {
    /// Whether it came by itself. One on hold was chosen: apt does not take it away either.
    fn is_automatic(&self, automatic: &Automatic<'_>, native: &str) -> bool {
        let on_hold = self.paragraph.field("Status").is_some_and(|status| status.starts_with(b"hold"));
        !on_hold && automatic.has(self.name, self.architecture, native)
    }
}

/// Gives each package its paths.
fn own(
    all: &mut [Package],
    raw: Vec<Raw<'_>>,
    info: &Info<'_>,
    admin: &RootPath,
    shelf: &Shelf<'_>,
) -> Result<Vec<Record>, Error> {
    let mut namesakes: HashMap<&str, usize> = HashMap::new();
    for raw in &raw {
        let count = namesakes.entry(raw.name).or_default();
        *count = count.saturating_add(1);
    }
    let mut left = LISTS;
    let mut records = Vec::with_capacity(raw.len());
    for (package, raw) in all.iter_mut().zip(raw) {
        let with_architecture = [raw.name, ":", raw.architecture].concat();
        let is_alone = namesakes.get(raw.name) == Some(&1);
        let has_list = |stem: &str| info.has(stem.as_bytes(), ".list");
        let stem = if has_list(&with_architecture) {
            Some(with_architecture.as_str())
        } else {
            Some(raw.name).filter(|name| is_alone && has_list(name))
        };
        let limit = left.min(FILE);
        let beside = || match &raw.home {
            Home::File(name) => shelf.read(&admin.join(b"status.d").join(&[name, &b".md5sums"[..]].concat()), limit),
            Home::Status(_) => Ok(None),
        };
        let text = match stem {
            Some(stem) => info.read(shelf, (stem.as_bytes(), ".list"), limit)?,
            None => beside()?,
        };
        left = left.saturating_sub(text.as_ref().map_or(0, |text| text.len() as u64));
        let parse = if stem.is_some() { file_list } else { listed_digests };
        match text.as_deref().and_then(parse) {
            Some(paths) => package.paths = paths,
            None => package.fixed = Some(Fixed::NoFileList),
        }
        records.push(Record { paragraph: raw.home, stem: stem.map(|stem| stem.as_bytes().into()) });
    }
    if all.iter().all(|package| package.fixed == Some(Fixed::NoFileList)) {
        return Err(Error::malformed("no package has a file list"));
    }
    Ok(records)
}

/// distroless lists regular files only, and those by their digests.
fn listed_digests(text: &[u8]) -> Option<Vec<RootPath>> {
    digests(text).ok().map(|lines| lines.into_iter().map(|(_, path)| path).collect())
}

/// Puts diverted paths where they are.
fn divert(all: &mut [Package], diversions: &Diversions) {
    let mut hiding: HashSet<Box<[u8]>> = HashSet::new();
    for package in all.iter_mut() {
        for path in &mut package.paths {
            if let Some((to, by)) = diversions.of(path, &package.name) {
                hiding.insert(by.into());
                *path = to.clone();
            }
        }
    }
    for package in all.iter_mut().filter(|package| hiding.contains(package.name.as_bytes())) {
        package.fixed.get_or_insert(Fixed::Diverts);
    }
}

/// Marks the packages that another one waits for.
fn await_triggers(all: &mut [Package], paragraphs: &[Paragraph<'_>]) {
    let awaited: HashSet<&[u8]> = paragraphs
        .iter()
        .filter_map(|paragraph| paragraph.field("Triggers-Awaited"))
        .flat_map(|names| names.split(u8::is_ascii_whitespace))
        .map(|name| name.split(|&byte| byte == b':').next().unwrap_or_default())
        .collect();
    for package in all.iter_mut().filter(|package| awaited.contains(package.name.as_bytes())) {
        package.fixed.get_or_insert(Fixed::Awaited);
    }
}
