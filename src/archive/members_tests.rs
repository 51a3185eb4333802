use super::super::fixture::Tar;
use super::*;
use crate::error::ErrorKind;
use std::io::Write;

fn members(tar: &Tar) -> Result<Members, Error> {
    let mut file = tempfile::tempfile().unwrap();
    let bytes = tar.bytes();
    file.write_all(&bytes).unwrap();
    Members::of_tar(&Arc::new(file), bytes.len() as u64, &Limits::default())
}

fn find(tar: &Tar, path: &str) -> Result<Option<Blob>, Error> {
    members(tar)?.find(&RootPath::clamped(path.as_bytes()))
}

#[test]
fn every_spelling_of_a_member_is_one_member() {
    // hostile.md 23.
    for name in ["./a/b", "a//b", "/a/b", "a/./b"] {
        assert_eq!(find(&Tar::default().file(name, "xy"), "a/b").unwrap().unwrap().len(), 2, "{name}");
    }
    assert!(find(&Tar::default().file("A/b", "xy"), "a/b").unwrap().is_none());
    assert_eq!(members(&Tar::default().file("../a", "")).unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn a_link_leads_to_the_blob_itself() {
    let tar = Tar::default()
        .file("a/layer.tar", "one")
        .symlink("b/layer.tar", "../a/layer.tar")
        .hard_link("c/layer.tar", "./b/layer.tar")
        .symlink("dir", "a");
    let blob = find(&tar, "a/layer.tar").unwrap().unwrap();
    assert_eq!(blob.len(), 3);
    let members = members(&tar).unwrap();
    let one = members.find(&RootPath::clamped(b"a/layer.tar")).unwrap().unwrap();
    for other in ["b/layer.tar", "c/layer.tar", "dir/layer.tar"] {
        assert!(members.find(&RootPath::clamped(other.as_bytes())).unwrap().unwrap().is_same(&one), "{other}");
    }
}

#[test]
fn a_link_out_of_the_archive_or_in_a_circle_is_refused() {
    // hostile.md 25.
    for (tar, why) in [
        (Tar::default().symlink("x", "/etc/passwd"), "out of the archive"),
        (Tar::default().symlink("x", "../etc/passwd"), "out of the archive"),
        (Tar::default().symlink("x", "a/../../etc/passwd"), "out of the archive"),
        (Tar::default().symlink("x", "x"), "circle"),
        (Tar::default().symlink("x", "y").symlink("y", "x"), "circle"),
        (Tar::default().hard_link("x", "y").hard_link("y", "x"), "circle"),
        (Tar::default().symlink("x", "x/y"), "more than 40 links"),
    ] {
        let error = find(&tar, "x").unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let chain = (0..1000).fold(Tar::default(), |tar, n| tar.symlink(&format!("{n}"), &format!("{}", n + 1)));
    assert_eq!(find(&chain, "0").unwrap_err().kind(), ErrorKind::Limit);
    assert!(find(&Tar::default().symlink("x", "y"), "x").unwrap().is_none());
}

#[test]
fn what_is_no_file_is_no_blob() {
    // hostile.md 26.
    for (kind, word) in [(b'3', "character"), (b'4', "block"), (b'5', "directory"), (b'6', "pipe")] {
        let error = find(&Tar::default().member(kind, "x", "", b""), "x").unwrap_err();
        assert!(error.kind() == ErrorKind::Malformed && error.to_string().contains(word), "{error}");
    }
    assert!(find(&Tar::default().file("x", "").file("y", ""), "x/y").unwrap().is_none());
}

#[test]
fn a_name_twice_must_have_the_same_bytes() {
    // hostile.md 22; a re-tarred archive names its directories twice.
    let same = Tar::default().file("x", "one").file("./x", "one").member(b'5', "d", "", b"").member(b'5', "d", "", b"");
    assert!(members(&same).is_ok());
    for other in [Tar::default().file("x", "two"), Tar::default().file("x", "ones"), Tar::default().symlink("x", "y")] {
        let mut bytes = Tar::default().file("x", "one").bytes();
        bytes.truncate(bytes.len() - 1024);
        bytes.extend(other.bytes());
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let error = Members::of_tar(&Arc::new(file), bytes.len() as u64, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("stands twice"), "{error}");
    }
}

#[test]
fn members_are_counted() {
    let limits = Limits { members: 1, ..Limits::default() };
    let bytes = Tar::default().file("a", "").file("b", "").bytes();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let error = Members::of_tar(&Arc::new(file), bytes.len() as u64, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn a_document_names_only_paths_inside_the_archive() {
    // hostile.md 24 and 27.
    for bad in [
        "",
        "/etc/passwd",
        "../../etc/passwd",
        "a/../../b",
        "C:\\x",
        "a\0b",
        "manifest.json",
        "./manifest.json",
        "index.json",
        ".",
    ] {
        assert!(named_path(bad, "x").is_err(), "{bad}");
    }
    assert_eq!(named_path("./a/layer.tar", "x").unwrap().as_bytes(), b"a/layer.tar");
}

#[test]
fn an_archive_that_is_cut_off_is_refused() {
    let whole = Tar::default().file("a", "x".repeat(600)).file("b", "yy").bytes();
    for len in [1, 511, 513, 1000, 1111, 1537, 2047, 2049] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&whole[..len]).unwrap();
        let error = Members::of_tar(&Arc::new(file), len as u64, &Limits::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{len}");
    }
}

#[test]
fn a_sparse_member_is_unsupported() {
    let body = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n";
    let sparse = "28 GNU.sparse.realsize=1024\n21 GNU.sparse.name=x\n";
    let tar = Tar::default()
        .member(b'x', "p", "", format!("{body}{sparse}").as_bytes())
        .file("x", format!("{:\0<512}{:x<512}", "1\n512\n512\n", ""));
    assert_eq!(members(&tar).unwrap_err().kind(), ErrorKind::Unsupported);
}
