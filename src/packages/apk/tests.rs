//! The database as a whole, over trees of text.

use super::*;
use crate::error::ErrorKind;
use crate::packages::files_testing::{tree, written};
use crate::packages::package::PackageId;
use crate::packages::testing::{going, shelf, staying};
use proptest::prelude::*;
use std::collections::BTreeSet;

const INSTALLED: &str = "C:Q1musl=\nP:musl\nV:1.2.5-r0\nA:x86_64\np:so:libc.musl-x86_64.so.1=1\nF:lib\nR:ld-musl-x86_64.so.1\nZ:Q1x=\n\n\
    C:Q1utils=\nP:musl-utils\nV:1.2.5-r0\nA:x86_64\nD:scanelf so:libc.musl-x86_64.so.1\np:libc-utils=0.7 cmd:ldd=1\nF:usr/bin\nR:ldd\nZ:Q1y=\n\n\
    C:Q1ssl=\nP:ssl_client\nV:1.36-r0\nA:x86_64\nD:so:libc.musl-x86_64.so.1\ni:busybox libssl3\nF:usr/bin\nR:ssl_client\nZ:Q1z=\n\n\
    C:Q1gcc=\nP:gcc\nV:13.2-r0\nA:x86_64\nD:binutils so:libc.musl-x86_64.so.1 !gcc-old\np:cmd:gcc=13.2-r0\nF:usr/bin\nR:gcc\na:0:0:755\nZ:Q1g=\n\n\
    C:Q1deps=\nP:.build-deps\nV:20240101.000000\nA:noarch\nD:gcc>13\n\n";

const WORLD: &str = ".build-deps=20240101.000000\nlibc-utils\nmusl\n";

fn lines(extra: &str) -> String {
    let own = |text: &str| text.replace('\n', "\\n");
    format!(
        "lib/apk/db/installed = {}\netc/apk/world = {}\nlib/apk/db/triggers = Q1gcc= /usr/lib/*\\nQ1musl= /lib\\n\n\
         lib/ld-musl-x86_64.so.1 = x\nusr/bin/ldd = x\nusr/bin/ssl_client = x\nusr/bin/gcc = x\n{extra}",
        own(INSTALLED),
        own(WORLD)
    )
}

fn ids(all: &[Package], names: &[&str]) -> BTreeSet<PackageId> {
    numbered(all).filter(|(_, package)| names.contains(&&*package.name)).map(|(id, _)| id).collect()
}

#[test]
fn packages_are_read_with_what_world_asks_for_by_any_name() {
    let (all, _) = read(&shelf(&tree(&lines(""), &[]))).unwrap().unwrap();
    let automatic: Vec<&str> = all.iter().filter(|package| package.automatic).map(|package| &*package.name).collect();
    assert_eq!(automatic, ["ssl_client", "gcc"]);
    let essential: Vec<&str> = all.iter().filter(|package| package.essential).map(|package| &*package.name).collect();
    assert_eq!(essential, ["musl"]);
    assert_eq!(all[2].installed_if, [["busybox".into()].into(), ["libssl3".into()].into()]);
    assert_eq!(all[3].depends, [["binutils".into()].into(), ["so:libc.musl-x86_64.so.1".into()].into()]);
    assert!(all[4].paths.is_empty() && !all[4].automatic);
}

#[test]
fn without_a_world_everything_was_asked_for() {
    let tree = tree("usr/lib/apk/db/installed = P:a\\nV:1\\n\\n\n", &[]);
    let (all, _) = read(&shelf(&tree)).unwrap().unwrap();
    assert!(!all[0].automatic);
}

#[test]
fn a_dropped_package_leaves_every_file_of_the_database() {
    let tree = tree(&lines(""), &[]);
    let (all, database) = read(&shelf(&tree)).unwrap().unwrap();
    let dropped = ids(&all, &["gcc", ".build-deps", "musl-utils"]);
    let edit = going(&tree, &all, &dropped, |gone| database.without(gone)).unwrap();
    let left = String::from_utf8(written(&edit, "lib/apk/db/installed").unwrap()).unwrap();
    let expected: Vec<&str> = INSTALLED.split_inclusive("\n\n").collect();
    assert_eq!(left, [expected[0], expected[2]].concat());
    assert_eq!(written(&edit, "etc/apk/world").unwrap(), b"musl\n");
    assert_eq!(written(&edit, "lib/apk/db/triggers").unwrap(), b"Q1musl= /lib\n");
    assert!(edit.remove.is_empty());
}

#[test]
fn world_keeps_a_name_that_another_package_answers_to() {
    let text = "P:a\nV:1\np:mta\n\nP:b\nV:1\np:mta\n\n".replace('\n', "\\n");
    let tree = tree(&format!("lib/apk/db/installed = {text}\netc/apk/world = mta\\na\\n\n"), &[]);
    let (all, database) = read(&shelf(&tree)).unwrap().unwrap();
    let edit = going(&tree, &all, &ids(&all, &["a"]), |gone| database.without(gone)).unwrap();
    assert_eq!(written(&edit, "etc/apk/world").unwrap(), b"mta\n");
}

#[test]
fn nothing_dropped_changes_nothing() {
    let tree = tree(&lines(""), &[]);
    let (all, database) = read(&shelf(&tree)).unwrap().unwrap();
    assert_eq!(going(&tree, &all, &BTreeSet::new(), |gone| database.without(gone)).unwrap(), Edit::default());
}

#[test]
fn keep_mode_lists_what_is_there_and_leaves_apk_its_files_only_where_they_stay() {
    let usrmerged = lines("").replace("lib/", "usr/lib/").replace("usr/usr/", "usr/") + "lib -> usr/lib\n";
    let tree = tree(&usrmerged, &[]);
    let (all, database) = read(&shelf(&tree)).unwrap().unwrap();
    let musl = tree.lookup(&RootPath::clamped(b"usr/lib/ld-musl-x86_64.so.1")).unwrap();
    let stays = ids(&all, &["musl"]);
    let edit =
        staying(&tree, &all, (&|id| stays.contains(&id), &|node| node == musl), |left| database.reduced(left)).unwrap();
    assert_eq!(edit.write.len(), 1);
    let left = written(&edit, "usr/lib/apk/db/installed").unwrap();
    let expected: Vec<&str> = INSTALLED.split_inclusive("\n\n").collect();
    assert_eq!(String::from_utf8(left).unwrap(), expected[0]);

    let edit = staying(&tree, &all, (&|id| stays.contains(&id), &|_| true), |left| database.reduced(left)).unwrap();
    assert_eq!(written(&edit, "etc/apk/world").unwrap(), b"musl\n");
}

#[test]
fn two_databases_are_a_question_that_only_the_user_can_answer() {
    let text = "P:a\\nV:1\\n\\n";
    let tree = tree(&format!("lib/apk/db/installed = {text}\nusr/lib/apk/db/installed = {text}\n"), &[]);
    assert_eq!(read(&shelf(&tree)).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_broken_database_is_named() {
    let error = read(&shelf(&tree("lib/apk/db/installed = nonsense\n", &[]))).unwrap_err();
    assert_eq!(error.to_string(), "entry \"lib/apk/db/installed\": a line of apk's database is no field");
}

#[test]
fn no_database_is_no_error() {
    assert!(read(&shelf(&tree("lib/apk/db/installed\nlib/apk/db/triggers = x\n", &[]))).unwrap().is_none());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(cut in 0..INSTALLED.len(), at in 0..INSTALLED.len(), byte: u8, dropped in 0u32..6) {
        let mut bytes = INSTALLED.as_bytes().to_vec();
        bytes[at] = byte;
        bytes.truncate(cut);
        let tree = tree(&lines("").lines().skip(1).collect::<Vec<_>>().join("\n"), &[("lib/apk/db/installed", &bytes)]);
        if let Ok(Some((all, database))) = read(&shelf(&tree)) {
            let _ = going(&tree, &all, &[PackageId(dropped)].into(), |gone| database.without(gone));
            let _ = staying(&tree, &all, (&|id| id.0 != dropped, &|_| true), |left| database.reduced(left));
        }
    }
}
