//! Why packages were installed, which rpm does not know and the tools before it do: dnf5 in `packages.toml`, dnf 4 in `history.sqlite`, zypper in
//! `AutoInstalled`. In: a tree. Out: what came only because another package asked for it. A file that cannot be read says nothing: then all
//! packages were asked for, and stay unless a rule names them.

use super::package::by_architecture;
use super::sqlite::{self, Entry, Kind, broken};
use super::wal;
use crate::error::{Error, ErrorKind};
use crate::packages::edit::Edit;
use crate::packages::file::File;
use crate::packages::package::{Package, PackageId, numbered};
use crate::packages::shelf::{Left, Shelf};
use crate::rootfs::{Files, RootPath};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};

const DNF5: &[u8] = b"usr/lib/sysimage/libdnf5/packages.toml";
const DNF5_VERSIONS: &[u8] = b"usr/lib/sysimage/libdnf5/nevras.toml";
const DNF4: &[u8] = b"var/lib/dnf/history.sqlite";
const ZYPP: &[u8] = b"var/lib/zypp/AutoInstalled";

/// Bytes of a history.
const HISTORY: u64 = 64 << 20;

/// Bytes of a list. dnf5 takes some 50 of them for a package.
const FILE: u64 = 8 << 20;

/// Marks the packages that came only for another one.
pub(super) fn mark(all: &mut [Package], shelf: &Shelf<'_>) -> Result<(), Error> {
    let (files, find) = (shelf.files, |path: &[u8]| shelf.find(&RootPath::clamped(path)));
    let log = || find(&[DNF4, b"-wal"].concat());
    let automatic = if let Some(file) = find(DNF5) {
        said(file.read(files, FILE).and_then(|bytes| dnf5(&bytes)))?
    } else if let Some(file) = find(DNF4) {
        said(dnf4(&file, log().as_ref(), files))?
    } else if let Some(file) = find(ZYPP) {
        said(file.read(files, FILE).map(|bytes| zypp(&bytes)))?
    } else {
        return Ok(());
    };
    let named: Vec<(String, PackageId)> = by_architecture(all).collect();
    for (package, (name, _)) in all.iter_mut().zip(named) {
        package.automatic = automatic.contains(name.as_bytes()) || automatic.contains(package.name.as_bytes());
    }
    Ok(())
}

/// What a file says; nothing where it is broken.
fn said(read: Result<HashSet<Vec<u8>>, Error>) -> Result<HashSet<Vec<u8>>, Error> {
    match read {
        Err(error) if matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Unsupported | ErrorKind::Limit) => {
            Ok(HashSet::new())
        }
        other => other,
    }
}

/// `packages.toml`: `"git.x86_64" = {reason = "User"}`.
#[derive(Deserialize)]
struct Stated {
    packages: BTreeMap<String, State>,
}

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    reason: String,
}

fn dnf5(bytes: &[u8]) -> Result<HashSet<Vec<u8>>, Error> {
    let wrong = || Error::malformed("it is no list of packages");
    let stated: Stated = toml::from_str(std::str::from_utf8(bytes).map_err(|_| wrong())?).map_err(|_| wrong())?;
    let is_automatic = |state: &State| matches!(&*state.reason, "Dependency" | "Weak Dependency");
    Ok(stated
        .packages
        .into_iter()
        .filter(|(_, state)| is_automatic(state))
        .map(|(name, _)| name.into_bytes())
        .collect())
}

/// Each name by the last transaction that installed or marked it.
fn dnf4(file: &File, log: Option<&File>, files: &dyn Files) -> Result<HashSet<Vec<u8>>, Error> {
    let mut bytes = file.read(files, HISTORY)?;
    let log = log.map(|log| log.read(files, HISTORY)).transpose()?;
    wal::apply(&mut bytes, log.as_deref().unwrap_or_default(), HISTORY)?;
    let connection = sqlite::open(&bytes, computes_nothing)?;
    let query = || -> Result<HashSet<Vec<u8>>, rusqlite::Error> {
        // Not joined: a hostile table could make every row meet every other one.
        let mut names: HashMap<i64, Vec<u8>> = HashMap::new();
        let mut statement = connection.prepare("SELECT item_id, name, arch FROM main.rpm")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let name = [row.get_ref(1)?.as_bytes()?, b".", row.get_ref(2)?.as_bytes()?].concat();
            names.insert(row.get(0)?, name);
        }
        // Without what went: replaced by a downgrade, obsoleted, replaced by an upgrade, removed, replaced by itself.
        let items = "SELECT item_id, reason FROM main.trans_item WHERE action NOT IN (3, 5, 7, 8, 10) ORDER BY id";
        let mut reasons: HashMap<&[u8], i64> = HashMap::new();
        let mut statement = connection.prepare(items)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(name) = names.get(&row.get(0)?) {
                reasons.insert(name, row.get(1)?);
            }
        }
        // A dependency, what would go as one, a weak dependency.
        let automatic = reasons.into_iter().filter(|(_, reason)| matches!(reason, 1 | 3 | 4));
        Ok(automatic.map(|(name, _)| name.to_vec()).collect())
    };
    query().map_err(broken)
}

fn computes_nothing(entry: &Entry) -> bool {
    let is_plain = entry.kind == Kind::Table && entry.made_by.starts_with("createtable");
    let is_index = entry.kind == Kind::Index;
    (is_plain || is_index) && !["as(", "check(", "default("].iter().any(|word| entry.made_by.contains(word))
}

/// A name a line.
fn zypp(bytes: &[u8]) -> HashSet<Vec<u8>> {
    let lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")).map(<[u8]>::to_vec).collect()
}

/// The lists without packages. `history.sqlite` stays as it is: what was done remains true.
pub(super) fn without(what: &Left<'_>, edit: &mut Edit) -> Result<(), Error> {
    let (mut gone, mut left) = (HashSet::new(), HashSet::new());
    for ((name, id), (_, package)) in by_architecture(what.all).zip(numbered(what.all)) {
        let epoch = if package.version.contains(':') { "" } else { "0:" };
        let version = format!("{}-{epoch}{}.{}", package.name, package.version, package.architecture);
        let names = [name, version, package.name.clone()].map(String::into_bytes);
        if (what.has)(id) { &mut left } else { &mut gone }.extend(names);
    }
    for path in [DNF5, DNF5_VERSIONS, ZYPP] {
        let file = what.shelf.find(&RootPath::clamped(path));
        let file = file.filter(|file| (what.has_name)(file.node) && file.content.size <= FILE);
        let Some(file) = file else { continue };
        let text = file.read(what.shelf.files, FILE)?;
        let goes = |line: &&[u8]| named(line).is_some_and(|name| gone.contains(name) && !left.contains(name));
        let kept: Vec<u8> =
            text.split_inclusive(|&byte| byte == b'\n').filter(|line| !goes(line)).flatten().copied().collect();
        if kept != text {
            edit.write.push(file.with(kept));
        }
    }
    Ok(())
}

/// What a line is about: `"NAME" = {...}` as dnf5 writes it, or a name alone.
fn named(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    let Some(quoted) = line.strip_prefix(b"\"") else { return Some(line) };
    let end = quoted.iter().position(|&byte| byte == b'"')?;
    let (name, value) = quoted.split_at_checked(end)?;
    let value = value.get(1..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
    (value.starts_with(b"{") && value.ends_with(b"}")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::files_testing::{tree, written};
    use crate::packages::testing::{shelf, staying};
    use rusqlite::Connection;

    fn packages() -> Vec<Package> {
        [("git", "2.47-1"), ("perl", "4:5.40-2"), ("acl", "2.3-1")]
            .map(|(name, version)| Package {
                name: name.into(),
                version: version.into(),
                architecture: "x86_64".into(),
                ..Package::default()
            })
            .to_vec()
    }

    fn automatic(path: &str, bytes: &[u8]) -> Vec<String> {
        let mut all = packages();
        mark(&mut all, &shelf(&tree("", &[(path, bytes)]))).unwrap();
        all.into_iter().filter(|package| package.automatic).map(|package| package.name).collect()
    }

    const PACKAGES: &str = "version = \"1.0\"\n[packages]\n\"git.x86_64\" = {reason = \"User\"}\n\
                            \"perl.x86_64\" = {reason = \"Dependency\"}\n\"acl.x86_64\" = {reason = \"Weak Dependency\"}\n";

    #[test]
    fn dnf5_says_what_came_for_another_package() {
        assert_eq!(automatic("usr/lib/sysimage/libdnf5/packages.toml", PACKAGES.as_bytes()), ["perl", "acl"]);
        assert!(automatic("usr/lib/sysimage/libdnf5/packages.toml", b"packages = 3").is_empty());
    }

    #[test]
    fn of_dnf_4_the_last_word_counts() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "create table rpm (item_id integer unique not null, name text not null, epoch integer, arch text not null);
                 create table trans_item (id integer primary key autoincrement, item_id integer,
                     action integer not null, /* (enum) */ reason integer not null, state integer not null);
                 insert into rpm values (1, 'git', 0, 'x86_64'), (2, 'perl', 4, 'x86_64'), (3, 'acl', 0, 'x86_64'), (4, 'acl', 0, 'x86_64');
                 insert into trans_item (item_id, action, reason, state) values
                     (1, 1, 1, 1), (2, 1, 1, 1), (3, 1, 2, 1), (1, 11, 2, 1), (4, 6, 4, 1), (3, 7, 2, 1);",
            )
            .unwrap();
        let bytes = connection.serialize("main").unwrap().to_vec();
        assert_eq!(automatic("var/lib/dnf/history.sqlite", &bytes), ["perl", "acl"]);
        connection.execute_batch("create view v as select 1").unwrap();
        let bytes = connection.serialize("main").unwrap().to_vec();
        assert!(automatic("var/lib/dnf/history.sqlite", &bytes).is_empty());
        assert!(automatic("var/lib/dnf/history.sqlite", b"nonsense").is_empty());
    }

    #[test]
    fn zypper_lists_names() {
        assert_eq!(automatic("var/lib/zypp/AutoInstalled", b"# Generated by zypp\n\nperl\n"), ["perl"]);
    }

    #[test]
    fn the_lists_lose_what_went_by_each_of_its_names() {
        let nevras = "version = \"1.0\"\n[nevras]\n\"git-0:2.47-1.x86_64\" = {from_repo = \"f\"}\n\"perl-4:5.40-2.x86_64\" = {from_repo = \"f\"}\n";
        let paths = ["usr/lib/sysimage/libdnf5/packages.toml", "usr/lib/sysimage/libdnf5/nevras.toml"];
        let tree = tree("", &[(paths[0], PACKAGES.as_bytes()), (paths[1], nevras.as_bytes())]);
        let mut edit = Edit::default();
        staying(&tree, &packages(), (&|id| id.0 != 1, &|_| true), |left| without(left, &mut edit)).unwrap();
        for (path, text) in paths.iter().zip([PACKAGES, nevras]) {
            let expected: String = text.split_inclusive('\n').filter(|line| !line.contains("perl")).collect();
            assert_eq!(String::from_utf8(written(&edit, path).unwrap()).unwrap(), expected);
        }
    }
}
