//! Package databases of all three managers: the packages are those that the database was made of; without some of them it holds the others,
//! as they were; and what a selection takes, nothing that stays needs.
//!
//! In: a root filesystem as text (`# ` first), or bytes that choose packages, a manager, and what is broken.

use super::choices::{Choices, mutated};
use globset::{Glob, GlobSetBuilder};
use imgstrip::error::Error;
use imgstrip::packages::{Fixed, Package, PackageId, Packages, Seed, Write};
use imgstrip::rootfs::{Content, Files, InodeKind, Meta, RootPath, Run, Tally, Tree, text};
use imgstrip::warning::Warnings;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

pub fn check(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"# ") {
        let tree = std::str::from_utf8(bytes).ok().and_then(|lines| text::tree(lines).ok());
        return tree.is_some_and(|tree| consistent(&tree, &mut Choices(b"")).is_some());
    }
    let choices = &mut Choices(bytes);
    let made: Vec<Made> = (0..1 + choices.few(6)).map(|number| Made::chosen(choices, number)).collect();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for path in made.iter().flat_map(|package| &package.files) {
        files.insert(path.clone(), b"x".to_vec());
    }
    files.extend(match choices.few(5) {
        0 | 1 => dpkg(&made),
        2 | 3 => apk(&made),
        _ => rpm(&made),
    });
    let broken = choices.rarely(3);
    if broken {
        let names: Vec<String> = files
            .keys()
            .filter(|name| name.contains("/db/") || name.contains("dpkg") || name.contains("rpm"))
            .cloned()
            .collect();
        let name = choices.of(&names);
        let damaged = mutated(&files[&name], choices);
        files.insert(name, damaged);
    }
    let mut tree = text::tree("usr/bin/\nbin -> usr/bin\nusr/share/doc/").unwrap();
    for (path, bytes) in &files {
        let kind = InodeKind::File(Content::owned(&bytes[..]));
        tree.insert(&RootPath::clamped(path.as_bytes()), kind, Meta::default()).unwrap();
    }
    let all = consistent(&tree, choices);
    if !broken {
        let expected: Vec<_> = made.iter().map(Made::seen).collect();
        let all = all.as_ref().expect("a database that is whole");
        assert_eq!(all.iter().map(seen).collect::<Vec<_>>(), expected);
        for (found, made) in all.iter().zip(&made) {
            let needed: BTreeSet<&str> = found.depends.iter().flat_map(|any| any.iter().map(|name| &**name)).collect();
            assert_eq!(needed, made.needs.iter().map(String::as_str).collect(), "{found:?}");
        }
    }
    all.is_some()
}

/// A package, as all managers can say it.
struct Made {
    name: String,
    version: String,
    files: Vec<String>,
    needs: Vec<String>,
}

/// Name, version and the files that are no directories.
type Seen = (String, String, BTreeSet<String>);

impl Made {
    fn chosen(choices: &mut Choices<'_>, number: usize) -> Self {
        let file = |choices: &mut Choices<'_>, at: usize| {
            let directory = choices.of(&["usr/bin", "usr/share/doc", "usr/lib/p"]);
            format!("{directory}/f{number}-{at}")
        };
        Self {
            name: format!("p{number}{}", choices.of(&["", "-dev", "+x", ".2"])),
            version: format!("{}.{}-r{}", choices.few(10), choices.few(10), choices.few(3)),
            files: (0..1 + choices.few(4)).map(|at| file(choices, at)).collect(),
            // Whoever is not there is needed by name alone.
            needs: (0..choices.few(3)).map(|_| format!("p{}", choices.few(8))).collect(),
        }
    }

    fn seen(&self) -> Seen {
        (self.name.clone(), self.version.clone(), self.files.iter().cloned().collect())
    }
}

fn seen(package: &Package) -> Seen {
    let paths = package.paths.iter().map(|path| path.as_bytes().escape_ascii().to_string());
    // What the generator calls files.
    (package.name.clone(), package.version.clone(), paths.filter(|path| path.contains("/f")).collect())
}

type Database = BTreeMap<String, Vec<u8>>;

fn dpkg(all: &[Made]) -> Database {
    let mut files = Database::new();
    let mut status = String::new();
    for Made { name, version, files: paths, needs } in all {
        status += &format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\nDescription: x\n more\n"
        );
        if !needs.is_empty() {
            status += &format!("Depends: {}\n", needs.join(", "));
        }
        status.push('\n');
        let list: String = paths.iter().map(|path| format!("/{path}\n")).collect();
        files.insert(format!("var/lib/dpkg/info/{name}.list"), format!("/.\n/usr\n{list}").into_bytes());
        files.insert(format!("var/lib/dpkg/info/{name}.prerm"), b"#!/bin/sh\n".to_vec());
    }
    files.insert("var/lib/dpkg/status".into(), status.into_bytes());
    files.insert("var/lib/dpkg/triggers/File".into(), format!("/usr/lib {}\n", all[0].name).into_bytes());
    files.insert("var/lib/dpkg/statoverride".into(), format!("root root 755 /{}\n", all[0].files[0]).into_bytes());
    files
}

fn apk(all: &[Made]) -> Database {
    let mut installed = String::new();
    for (number, Made { name, version, files, needs }) in all.iter().enumerate() {
        installed += &format!("C:Q1{number}=\nP:{name}\nV:{version}\nA:x86_64\n");
        if !needs.is_empty() {
            installed += &format!("D:{}\n", needs.join(" "));
        }
        let mut by_directory: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for path in files {
            let (directory, name) = path.rsplit_once('/').unwrap();
            by_directory.entry(directory).or_default().push(name);
        }
        for (directory, names) in by_directory {
            installed += &format!("F:{directory}\nM:0:0:755\n");
            installed.extend(names.iter().map(|name| format!("R:{name}\nZ:Q1x=\n")));
        }
        installed.push('\n');
    }
    Database::from([
        ("lib/apk/db/installed".into(), installed.into_bytes()),
        ("lib/apk/db/triggers".into(), b"Q10= /usr/lib\nQ11= /usr/share\n".to_vec()),
        ("etc/apk/world".into(), format!("{}\n", all[0].name).into_bytes()),
    ])
}

fn rpm(all: &[Made]) -> Database {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL);
             CREATE TABLE 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL, FOREIGN KEY (hnum) REFERENCES 'Packages' (hnum));
             CREATE INDEX 'Name_key_idx' ON 'Name'(key ASC);",
        )
        .unwrap();
    for package in all {
        connection.execute("INSERT INTO Packages (blob) VALUES (?1)", [header(package)]).unwrap();
        connection
            .execute("INSERT INTO Name VALUES (?1, ?2, 0)", (&package.name, connection.last_insert_rowid()))
            .unwrap();
    }
    Database::from([("usr/lib/sysimage/rpm/rpmdb.sqlite".into(), connection.serialize("main").unwrap().to_vec())])
}

/// A header of rpm: tags, types, offsets and counts, then the data.
fn header(package: &Made) -> Vec<u8> {
    let (mut count, mut index, mut data) = (0u32, Vec::new(), Vec::new());
    let mut tag = |tag: u32, kind: u32, values: &[&str]| {
        count += 1;
        index.extend([tag, kind, data.len() as u32, values.len() as u32].into_iter().flat_map(u32::to_be_bytes));
        values.iter().for_each(|value| data.extend([value.as_bytes(), b"\0"].concat()));
    };
    let (version, release) = package.version.split_once('-').unwrap();
    tag(1000, 6, &[&package.name]);
    tag(1001, 6, &[version]);
    tag(1002, 6, &[release]);
    if !package.needs.is_empty() {
        tag(1049, 8, &package.needs.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let (mut directories, mut names) = (Vec::new(), Vec::new());
    for path in &package.files {
        let at = path.rfind('/').unwrap() + 1;
        directories.push(format!("/{}", &path[..at]));
        names.push(&path[at..]);
    }
    tag(1117, 8, &names);
    tag(1118, 8, &directories.iter().map(String::as_str).collect::<Vec<_>>());
    data.resize(data.len().next_multiple_of(4), 0);
    count += 1;
    index.extend([1116, 4, data.len() as u32, names.len() as u32].into_iter().flat_map(u32::to_be_bytes));
    (0..names.len() as u32).for_each(|number| data.extend(number.to_be_bytes()));
    [&count.to_be_bytes()[..], &(data.len() as u32).to_be_bytes(), &index, &data].concat()
}

/// Files whose bytes are at hand.
struct Owned;

impl Files for Owned {
    fn read_at(&self, content: &Content, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut done = 0;
        while done < buffer.len() {
            let Some(run) = content.run_at(at + done as u64)? else { break };
            let Run::Bytes(bytes) = run else { panic!("a file at hand") };
            let len = bytes.len().min(buffer.len() - done);
            buffer[done..done + len].copy_from_slice(&bytes[..len]);
            done += len;
        }
        Ok(done)
    }
}

fn read(tree: &Tree) -> Option<Packages> {
    Packages::read(tree, &Owned, 40, &mut Warnings::default()).expect("a broken database counts as none")
}

/// The packages of a tree, after all that can be said of them was.
fn consistent(tree: &Tree, choices: &mut Choices<'_>) -> Option<Vec<Package>> {
    let packages = read(tree)?;
    let all = packages.all().to_vec();
    assert!(!all.is_empty() && all.iter().all(|package| !package.name.is_empty()));
    let chosen: BTreeSet<PackageId> = (0..all.len() as u32).map(PackageId).filter(|_| choices.rarely(2)).collect();
    for mut dropped in [chosen, BTreeSet::from([PackageId(0)]), BTreeSet::new()] {
        dropped.retain(|id| packages.get(*id).is_some_and(|package| package.fixed.is_none())); // no selection takes those
        without(tree, &packages, &dropped);
    }
    selected(&packages, choices);
    Some(all)
}

/// The database without these packages is one with the others.
fn without(tree: &Tree, packages: &Packages, dropped: &BTreeSet<PackageId>) {
    let rebuilt = packages
        .rebuilt(tree, &Owned, dropped)
        .and_then(|rebuilt| Ok((rebuilt, packages.without(tree, &Owned, dropped)?)));
    // What was read once may still be too broken to be written.
    let Ok((rebuilt, edit)) = rebuilt else { return };
    let mut after = tree.clone();
    for (path, _) in &edit.remove {
        if let Some((parent, name)) = path.split_last()
            && let Some(parent) = after.lookup(&parent)
        {
            after.remove(parent, name, &mut Tally::default());
        }
    }
    for Write { path, kind, .. } in rebuilt.into_iter().chain(edit.write) {
        match after.lookup(&path) {
            Some(node) => drop(after.rewrite(node, kind)),
            None => drop(after.insert(&path, kind, Meta::default())),
        }
    }
    let left = read(&after).map(|packages| packages.all().iter().map(seen).collect::<Vec<_>>()).unwrap_or_default();
    let stays = |id: u32| !dropped.contains(&PackageId(id));
    let expected: Vec<Seen> =
        (0..).zip(packages.all()).filter(|(id, _)| stays(*id)).map(|(_, package)| seen(package)).collect();
    // dpkg itself takes a database without any file list for broken, and so do we.
    let lists = (0..).zip(packages.all()).any(|(id, package)| stays(id) && package.fixed != Some(Fixed::NoFileList));
    assert!(left == expected || (left.is_empty() && !lists), "without {dropped:?}: {left:?}, not {expected:?}");
}

/// Nothing that stays needs what goes: where some package answers to a need, one of those stays.
fn selected(packages: &Packages, choices: &mut Choices<'_>) {
    let all = packages.all();
    let set = |names: &[String]| {
        let mut builder = GlobSetBuilder::new();
        for name in names {
            builder.add(Glob::new(&globset::escape(name)).unwrap());
        }
        builder.build().unwrap()
    };
    let names: Vec<String> = all.iter().filter(|_| choices.rarely(2)).map(|package| package.name.clone()).collect();
    let never: Vec<String> = all.iter().filter(|_| choices.rarely(6)).map(|package| package.name.clone()).collect();
    let root = PackageId(choices.few(all.len().min(200)) as u32);
    let seeds = [Seed { rule: 0, packages: set(&names), never: set(&never) }];
    let selection = packages.select(&seeds, &[(root, "a root".into())]);
    let gone: BTreeSet<PackageId> = selection.dropped.iter().map(|dropped| dropped.id).collect();
    assert!(!gone.contains(&root), "a root goes");
    let answers =
        |package: &Package, name: &str| package.name == name || package.provides.iter().any(|other| &**other == name);
    for (id, package) in (0..).map(PackageId).zip(all) {
        if gone.contains(&id) {
            assert!(
                !never.contains(&package.name) && !package.essential && package.fixed.is_none(),
                "{package:?} goes"
            );
            continue;
        }
        for any in &package.depends {
            let answering =
                (0..).map(PackageId).zip(all).filter(|(_, other)| any.iter().any(|name| answers(other, name)));
            let goes: Vec<bool> = answering.map(|(id, _)| gone.contains(&id)).collect();
            assert!(goes.is_empty() || goes.contains(&false), "{} needs {any:?}, and all of it goes", package.name);
        }
    }
}
