//! The database as a whole, over trees of text.

use super::header::tag;
use super::header::tests::{Value, header};
use super::*;
use crate::error::ErrorKind;
use crate::packages::files_testing::{tree, written};
use crate::packages::testing::{going, shelf, staying};
use proptest::prelude::*;
use rusqlite::Connection;
use std::collections::BTreeSet;

fn toy() -> Vec<Vec<u8>> {
    let named =
        |name| [(tag::NAME, Value::One(name)), (tag::VERSION, Value::One("1.2")), (tag::RELEASE, Value::One("3"))];
    let with = |name, more: Vec<(u32, Value<'_>)>| header(&named(name).into_iter().chain(more).collect::<Vec<_>>());
    vec![
        with("gpg-pubkey", vec![]),
        with(
            "toy",
            vec![
                (tag::EPOCH, Value::Numbers(&[1])),
                (tag::ARCH, Value::One("x86_64")),
                (tag::REQUIRES, Value::Many(&["toy-libs", "/bin/sh", "rpmlib(X)", "(bash or zsh)", "old"])),
                (tag::REQUIRE_FLAGS, Value::Numbers(&[8, 0, 1 << 24, 0, 1 << 19])),
                (tag::RECOMMENDS, Value::Many(&["toy-doc"])),
                (tag::DIR_NAMES, Value::Many(&["/usr/bin/", "/"])),
                (tag::DIR_INDEXES, Value::Numbers(&[0, 1])),
                (tag::BASE_NAMES, Value::Many(&["toy", "toy.conf"])),
            ],
        ),
        with(
            "bash",
            vec![
                (tag::PROVIDES, Value::Many(&["bash", "bash(x86-64)"])),
                (tag::DIR_NAMES, Value::Many(&["/usr/bin/"])),
                (tag::DIR_INDEXES, Value::Numbers(&[0])),
                (tag::BASE_NAMES, Value::Many(&["sh"])),
            ],
        ),
        with("toy-devel", vec![(tag::SUPPLEMENTS, Value::Many(&["(toy and make)"]))]),
        with("toy-lang", vec![(tag::SUPPLEMENTS, Value::Many(&["toy", "(bash and make)"]))]),
    ]
}

fn bytes(headers: &[Vec<u8>]) -> Vec<u8> {
    rows::tests::database(headers).serialize("main").unwrap().to_vec()
}

const LINES: &str = "bin -> usr/bin\nusr/bin/toy = x\nusr/bin/sh = x\n";
const PLACE: &str = "usr/lib/sysimage/rpm/rpmdb.sqlite";

/// The whole of it.
fn without(database: &Database, gone: &Gone<'_>) -> Result<Edit, Error> {
    let mut edit = database.without(gone)?;
    if !gone.dropped.is_empty() {
        edit.write.insert(0, gone.left(|left| database.rebuilt(left))?);
    }
    Ok(edit)
}

fn clauses(of: &[&[&str]]) -> Vec<crate::packages::AnyOf> {
    of.iter().map(|names| names.iter().map(|name| (*name).into()).collect()).collect()
}

#[test]
fn a_header_is_a_package() {
    let (all, _) = read(&shelf(&tree(LINES, &[(PLACE, &bytes(&toy()))]))).unwrap().unwrap();
    let toy = &all[1];
    assert_eq!((&*toy.name, &*toy.version, &*toy.architecture), ("toy", "1:1.2-3", "x86_64"));
    assert_eq!(toy.depends, clauses(&[&["toy-libs"], &["/bin/sh"], &["bash", "zsh"]]));
    assert_eq!(toy.weak, clauses(&[&["old"]]));
    assert_eq!(toy.recommends, clauses(&[&["toy-doc"]]));
    assert_eq!(toy.paths.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/usr/bin/toy", "/toy.conf"]);
    assert_eq!(all[3].installed_if, clauses(&[&["toy"], &["make"]]));
    assert_eq!(all[4].installed_if, clauses(&[&["bash", "make", "toy"]]));
    let essential: Vec<&str> = all.iter().filter(|package| package.essential).map(|package| &*package.name).collect();
    assert_eq!(essential, ["gpg-pubkey", "bash"]);
}

#[test]
fn the_owner_of_a_required_path_answers_to_it_wherever_links_lead() {
    let (all, _) = read(&shelf(&tree(LINES, &[(PLACE, &bytes(&toy()))]))).unwrap().unwrap();
    assert_eq!(all[2].provides, ["bash(x86-64)".into(), "/bin/sh".into()]);
    assert!(all[1].provides.is_empty());
}

#[test]
fn a_package_leaves_the_database_and_the_log_leaves_with_it() {
    let lines = "var/lib/rpm -> ../../usr/lib/sysimage/rpm\n";
    let files: [(&str, &[u8]); 3] =
        [(PLACE, &bytes(&toy())), (&format!("{PLACE}-wal"), b""), (&format!("{PLACE}-shm"), b"x")];
    let tree = tree(lines, &files);
    let (all, database) = read(&shelf(&tree)).unwrap().unwrap();
    let edit = going(&tree, &all, &[PackageId(3)].into(), |gone| without(&database, gone)).unwrap();
    let removed: Vec<String> = edit.remove.iter().map(|(path, id)| format!("{path} {}", id.0)).collect();
    assert_eq!(removed, [format!("/{PLACE}-wal 3"), format!("/{PLACE}-shm 3")]);
    let after = self::tree("", &[(PLACE, &written(&edit, PLACE).unwrap())]);
    let (left, _) = read(&shelf(&after)).unwrap().unwrap();
    let names: Vec<&str> = left.iter().map(|package| &*package.name).collect();
    assert_eq!(names, ["gpg-pubkey", "toy", "bash", "toy-lang"]);
    assert_eq!(going(&tree, &all, &BTreeSet::new(), |gone| without(&database, gone)).unwrap(), Edit::default());
    let reduced = staying(&tree, &all, (&|id| id.0 != 3, &|_| false), |left| database.reduced(left)).unwrap();
    assert_eq!(reduced, edit);
}

#[test]
fn what_is_only_in_the_log_is_read_and_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    let (first, second) = (toy()[..2].to_vec(), toy()[2..].to_vec());
    rows::tests::make(&connection, &first);
    connection.execute_batch("pragma wal_checkpoint(truncate)").unwrap();
    for header in &second {
        connection.execute("insert into Packages (blob) values (?1)", [header]).unwrap();
    }
    let (base, log) = (std::fs::read(&path).unwrap(), std::fs::read(directory.path().join("db-wal")).unwrap());
    let tree = tree("", &[("var/lib/rpm/rpmdb.sqlite", &base), ("var/lib/rpm/rpmdb.sqlite-wal", &log)]);
    let (all, database) = read(&shelf(&tree)).unwrap().unwrap();
    assert_eq!(all.len(), 5);
    let edit = going(&tree, &all, &[PackageId(0)].into(), |gone| without(&database, gone)).unwrap();
    let after = self::tree("", &[("var/lib/rpm/rpmdb.sqlite", &written(&edit, "var/lib/rpm/rpmdb.sqlite").unwrap())]);
    assert_eq!(read(&shelf(&after)).unwrap().unwrap().0.len(), 4);
}

#[test]
fn other_formats_are_named() {
    for (path, expected) in [
        ("var/lib/rpm/Packages", "/var/lib/rpm/Packages is a Berkeley DB, the format of rpm before 4.16"),
        ("usr/lib/sysimage/rpm/Packages.db", "/usr/lib/sysimage/rpm/Packages.db is an NDB database, SUSE's format"),
    ] {
        let error = read(&shelf(&tree("", &[(path, b"x")]))).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Unsupported, expected.into()));
    }
    let both = tree("", &[("usr/share/rpm/rpmdb.sqlite", b"x"), ("var/lib/rpm/rpmdb.sqlite", b"x")]);
    assert_eq!(read(&shelf(&both)).unwrap_err().kind(), ErrorKind::Unsupported);
    let beside = tree("", &[("var/lib/rpm/rpmdb.sqlite", &bytes(&toy())), ("var/lib/rpm/Packages", b"x")]);
    assert!(read(&shelf(&beside)).is_ok());
    assert!(read(&shelf(&tree("", &[]))).unwrap().is_none());
}

#[test]
fn a_database_in_the_middle_of_a_transaction_is_not_read() {
    let journal = format!("{PLACE}-journal");
    let tree = tree("", &[(PLACE, &bytes(&toy())), (&journal, &[&JOURNAL[..], b"..."].concat())]);
    assert_eq!(read(&shelf(&tree)).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_broken_database_is_named() {
    let error = read(&shelf(&tree("", &[(PLACE, b"nonsense")]))).unwrap_err();
    assert_eq!(error.to_string(), format!("entry \"{PLACE}\": it is no SQLite database"));
    let error = read(&shelf(&tree("", &[(PLACE, &bytes(&[vec![0; 9]]))]))).unwrap_err();
    assert_eq!(error.to_string(), format!("entry \"{PLACE}\": a header of the rpm database is broken"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_bytes_make_it_panic(changes in proptest::collection::vec((any::<u16>(), any::<u8>()), 0..6), cut in 0usize..40_000) {
        let mut bytes = bytes(&toy());
        let length = bytes.len();
        for (at, byte) in changes {
            bytes[usize::from(at) % length] = byte;
        }
        if cut < length {
            bytes.truncate(cut);
        }
        let tree = tree(LINES, &[(PLACE, &bytes)]);
        if let Ok(Some((all, database))) = read(&shelf(&tree)) {
            let _ = going(&tree, &all, &[PackageId(1)].into(), |gone| without(&database, gone));
        }
    }
}
