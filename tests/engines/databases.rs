//! The package databases, held to their own tools: what rpm and apk say of a database that lost packages.
//!
//! rpm is installed by `setup`. No Debian has apk: where `IMGSTRIP_APK` names one (2.14 or 3), it is asked, else that test says it was skipped.

use crate::engine::{self, run};
use imgstrip::error::Error;
use imgstrip::packages::{Edit, Package, PackageId, Packages};
use imgstrip::rootfs::{
    Content, Entry, EntryKind, Files, InodeKind, LayerId, Merge, Meta, RootPath, Run, Tree, UpperBuilder,
};
use imgstrip::warning::Warnings;
use sha2::Digest;
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// rpm's configuration and keyring are shared.
static RPM: Mutex<()> = Mutex::new(());

const HOPS: u64 = 40;

/// Files whose bytes the tree holds.
struct AtHand;

impl Files for AtHand {
    fn read_at(&self, content: &Content, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        let Some(Run::Bytes(bytes)) = content.run_at(at)? else { return Ok(0) };
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }
}

/// A directory as the root filesystem of an image.
fn tree(root: &Path) -> Tree {
    let mut builder = UpperBuilder::new(LayerId(0), HOPS);
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = RootPath::from_entry_name(path.strip_prefix(root).unwrap().as_os_str().as_bytes()).unwrap();
            let kind = if path.is_symlink() {
                EntryKind::Symlink(std::fs::read_link(&path).unwrap().as_os_str().as_bytes().into())
            } else if path.is_dir() {
                open.push(path.clone());
                EntryKind::Directory
            } else if path.is_file() {
                EntryKind::File(Content::owned(std::fs::read(&path).unwrap()))
            } else {
                EntryKind::Fifo // apk makes devices, which have no end
            };
            builder.push(Entry { path: name, kind, meta: Meta::default(), verbatim: None }).unwrap();
        }
    }
    let mut merge = Merge::new(imgstrip::options::SymlinkParents::Overlay, HOPS);
    merge.add(&builder.finish()).unwrap();
    merge.finish().tree
}

/// Does to a directory what an edit says.
fn apply(edit: &Edit, root: &Path) {
    for (path, _) in &edit.remove {
        std::fs::remove_file(place(root, path)).unwrap();
    }
    for write in &edit.write {
        let InodeKind::File(content) = &write.kind else { panic!("{} is no file", write.path) };
        let mut bytes = vec![0; usize::try_from(content.size).unwrap()];
        AtHand.read_at(content, 0, &mut bytes).unwrap();
        std::fs::write(place(root, &write.path), bytes).unwrap();
    }
}

fn place(root: &Path, path: &RootPath) -> PathBuf {
    root.join(std::ffi::OsStr::from_bytes(path.as_bytes()))
}

/// Drops packages from a directory: their files, and what the database says of them.
fn drop_packages(root: &Path, names: &[&str]) -> Vec<Package> {
    let tree = tree(root);
    let mut warnings = Warnings::default();
    let packages = Packages::read(&tree, &AtHand, HOPS, &mut warnings).unwrap().expect("a database");
    assert!(warnings.is_empty(), "{warnings:?}");
    let goes = |package: &Package| names.contains(&&*package.name);
    let numbered = || (0u32..).map(PackageId).zip(packages.all());
    let dropped: BTreeSet<PackageId> = numbered().filter(|(_, package)| goes(package)).map(|(id, _)| id).collect();
    assert_eq!(dropped.len(), names.len(), "{names:?} are installed");
    let kept: BTreeSet<&RootPath> =
        packages.all().iter().filter(|package| !goes(package)).flat_map(|package| &package.paths).collect();
    let gone = packages.all().iter().filter(|package| goes(package)).flat_map(|package| &package.paths);
    for path in gone.filter(|path| !kept.contains(path)).collect::<BTreeSet<_>>().into_iter().rev() {
        let path = place(root, path);
        let _ = if path.is_dir() { std::fs::remove_dir(&path) } else { std::fs::remove_file(&path) };
    }
    let mut edit = packages.without(&tree, &AtHand, &dropped).unwrap();
    edit.write.splice(0..0, packages.rebuilt(&tree, &AtHand, &dropped).unwrap());
    apply(&edit, root);
    packages.all().to_vec()
}

/// Leaves in a directory's database what keep mode leaves where only this file stays.
fn keep_one(root: &Path, file: &str) {
    let tree = tree(root);
    let packages = Packages::read(&tree, &AtHand, HOPS, &mut Warnings::default()).unwrap().expect("a database");
    let kept = tree.lookup(&RootPath::clamped(file.as_bytes())).expect("the file is there");
    apply(&packages.reduced(&tree, &AtHand, &|node| node == kept).unwrap(), root);
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

const SPEC: &str = "
Name: toy
Version: 1.2
Release: 3
Epoch: 1
Summary: A program, its library, and what it takes to build with it
License: MIT
Requires: toy-libs = 1:1.2-3
Requires: /usr/bin/toy-sh
Requires: (toy-libs or nothing)
Recommends: toy-devel
%description
toy
%package libs
Summary: The library
Provides: libtoy.so.1()(64bit)
%description libs
toy
%package devel
Summary: The headers
Requires: toy-libs%{?_isa} = %{epoch}:%{version}
Supplements: (toy and make)
%description devel
toy
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/lib64 %{buildroot}/usr/include/toy
echo 'echo toy' >%{buildroot}/usr/bin/toy
echo 'echo sh' >%{buildroot}/usr/bin/toy-sh
echo lib >%{buildroot}/usr/lib64/libtoy.so.1
echo header >%{buildroot}/usr/include/toy/toy.h
ln -s libtoy.so.1 %{buildroot}/usr/lib64/libtoy.so
%files
/usr/bin/toy
%files libs
/usr/bin/toy-sh
/usr/lib64/libtoy.so.1
%files devel
%dir /usr/include/toy
/usr/include/toy/toy.h
/usr/lib64/libtoy.so
";

/// Builds the toy packages.
fn rpms(top: &Path) -> Vec<PathBuf> {
    std::fs::write(top.join("toy.spec"), SPEC).unwrap();
    let define = |value: &str| ["--define".to_owned(), value.to_owned()];
    let mut build = Command::new("rpmbuild");
    build.args(["-bb", "--quiet"]).args(define(&format!("_topdir {}", top.display())));
    build.args(define("_build_id_links none")).args(define("debug_package %{nil}"));
    run(build.arg(top.join("toy.spec"))).unwrap();
    let architectures = std::fs::read_dir(top.join("RPMS")).unwrap();
    let files = architectures.flat_map(|directory| std::fs::read_dir(directory.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

#[test]
fn rpm_finds_its_database_whole_without_a_package() {
    let Some(_turn) =
        engine::reach("rpm", "IMGSTRIP_ENGINES_DIR", &RPM, |_| run(Command::new("rpmbuild").arg("--version")))
    else {
        return;
    };
    let top = tempfile::tempdir().unwrap();
    let files = rpms(top.path());
    assert_eq!(files.len(), 3);
    for place in ["usr/lib/sysimage/rpm", "var/lib/rpm"] {
        for has_log in [false, true] {
            let at = |root: &Path, arguments: &[&str]| {
                let mut rpm = Command::new("rpm");
                run(rpm.arg("--root").arg(root).args(["--dbpath", &format!("/{place}")]).args(arguments))
            };
            let (live, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let rpm = |arguments: &[&str]| at(live.path(), arguments);
            std::fs::create_dir_all(live.path().join(place)).unwrap();
            let names: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
            rpm(&[&["--nodeps", "-i"], &names[..1]].concat()).unwrap();
            let database = live.path().join(place).join("rpmdb.sqlite");
            // A reader that does not end keeps rpm from putting its log back when it closes the database.
            let reader = rusqlite::Connection::open(&database).unwrap();
            if has_log {
                reader.execute_batch("BEGIN; SELECT count(*) FROM Packages;").unwrap();
            }
            rpm(&[&["--nodeps", "-i"], &names[1..]].concat()).unwrap();
            let log = std::fs::metadata(database.with_extension("sqlite-wal")).map_or(0, |log| log.len());
            assert_eq!(log > 0, has_log, "{place}");

            let root = copy.path().join("root");
            run(Command::new("cp").arg("-a").args([live.path(), &root])).unwrap();
            drop(reader);
            let rpm = |arguments: &[&str]| at(&root, arguments);
            let database = root.join(place).join("rpmdb.sqlite");
            let all = drop_packages(&root, &["toy-devel"]);
            let toy = all.iter().find(|package| package.name == "toy").unwrap();
            assert_eq!(toy.version, "1:1.2-3");
            let libs = all.iter().find(|package| package.name == "toy-libs").unwrap();
            assert!(libs.provides.contains(&"/usr/bin/toy-sh".into()));

            assert!(!database.with_extension("sqlite-wal").exists());
            rpm(&["--verifydb"]).unwrap();
            assert_eq!(sorted(&rpm(&["-qa", "--qf", "%{name}\n"]).unwrap()), ["toy", "toy-libs"]);
            assert_eq!(rpm(&["-ql", "toy"]).unwrap(), "/usr/bin/toy\n");
            assert_eq!(rpm(&["-V", "toy-libs"]).unwrap(), "");
            assert!(rpm(&["-q", "toy-devel"]).is_err());
            assert!(rpm(&["-qf", "/usr/lib64/libtoy.so.1"]).unwrap().starts_with("toy-libs-1.2"));
            rpm(&["--nodeps", "-i", names.iter().find(|name| name.contains("devel")).unwrap()]).unwrap();
            keep_one(&root, "usr/bin/toy");
            rpm(&["--verifydb"]).unwrap();
            assert_eq!(rpm(&["-qa", "--qf", "%{name}\n"]).unwrap(), "toy\n");
            rpm(&["-e", "toy"]).unwrap();
            assert_eq!(rpm(&["-qa"]).unwrap(), "");
        }
    }
}

/// An apk package as `abuild` makes one, unsigned: a tar of its control files, without an end, and one of what it installs.
fn apk_package(directory: &Path, info: &str, files: &[&str], scripts: &[&str]) -> PathBuf {
    let name = info.lines().find_map(|line| line.strip_prefix("pkgname = ")).unwrap();
    let mut data: Vec<u8> = Vec::new();
    let mut directories = BTreeSet::new();
    for file in files {
        directories.extend(Path::new(file).ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()));
    }
    for directory in directories {
        data.extend(member(directory.to_str().unwrap(), b'5', b""));
    }
    for file in files {
        std::fs::write(directory.join("file"), file).unwrap();
        let digest = run(Command::new("sha1sum").arg(directory.join("file"))).unwrap();
        let digest = digest.split(' ').next().unwrap();
        let record = format!("APK-TOOLS.checksum.SHA1={digest}\n");
        data.extend(member("header", b'x', format!("{} {record}", record.len() + 3).as_bytes()));
        data.extend(member(file, b'0', file.as_bytes()));
    }
    data.resize(data.len() + 1024, 0);
    let data = gzip(&data);
    let digest: String = sha2::Sha256::digest(&data).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut control = member(".PKGINFO", b'0', format!("{info}datahash = {digest}\n").as_bytes());
    for script in scripts {
        control.extend(member(script, b'0', b"#!/bin/sh\nexit 0\n"));
    }
    let package = directory.join(format!("{name}-1.0-r0.apk"));
    std::fs::write(&package, [gzip(&control), data].concat()).unwrap();
    package
}

fn member(name: &str, kind: u8, data: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).unwrap();
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(data.len() as u64);
    header.set_cksum();
    let mut member = [header.as_bytes(), data].concat();
    member.resize(member.len().next_multiple_of(512), 0);
    member
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The packages whose scripts apk holds, one for each script; apk 3 compresses them.
fn scripts(root: &Path) -> Vec<String> {
    let tar = root.join("lib/apk/db/scripts.tar");
    let tar = if tar.exists() { tar } else { tar.with_extension("tar.gz") };
    let list = run(Command::new("tar").arg("-taf").arg(tar)).unwrap();
    sorted(&list).into_iter().map(|name| name.split("-1.0").next().unwrap().to_owned()).collect()
}

#[test]
fn apk_reads_and_changes_its_database_without_a_package() {
    static APK: Mutex<()> = Mutex::new(());
    if std::env::var_os("IMGSTRIP_APK").is_none() {
        eprintln!("skipped: IMGSTRIP_APK names no apk");
        return;
    }
    let Some(turn) = engine::reach("apk", "IMGSTRIP_APK", &APK, |apk| Ok(apk.to_owned())) else { return };
    let (packages, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = root.path();
    let info = |name: &str, more: &str| {
        format!("pkgname = {name}\npkgver = 1.0-r0\npkgdesc = {name}\narch = x86_64\nsize = 10\nlicense = MIT\n{more}")
    };
    let make = |name: &str, more: &str, files: &[&str], scripts: &[&str]| {
        apk_package(packages.path(), &info(name, more), files, scripts)
    };
    let files = [
        make("libtoy", "provides = so:libtoy.so.1=1\nprovides = toy-api=1\n", &["usr/lib/libtoy.so.1"], &[]),
        make("toy", "depend = so:libtoy.so.1\nprovides = cmd:toy=1.0-r0\n", &["usr/bin/toy"], &[".post-install"]),
        make(
            "toy-dev",
            "depend = libtoy=1.0-r0\nprovides = toy-headers=1\ntriggers = /usr/include/*\n",
            &["usr/include/toy/toy.h"],
            &[".trigger", ".post-install"],
        ),
    ];
    let apk = |arguments: &[&str]| {
        let mut apk = Command::new(&turn.engine);
        apk.arg("--root").arg(root).args(["--arch", "x86_64", "--allow-untrusted", "--no-network", "--no-cache"]);
        run(apk.args(arguments))
    };
    std::fs::create_dir_all(root.join("etc/apk")).unwrap();
    std::fs::write(root.join("etc/apk/repositories"), "").unwrap();
    let names: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    apk(&[&["add", "--initdb", "--no-scripts"], &names[..]].concat()).unwrap();
    apk(&["add", "--no-scripts", "--virtual", ".build-deps", "toy-headers"]).unwrap();
    let world = std::fs::read_to_string(root.join("etc/apk/world")).unwrap();
    assert!(world.contains(".build-deps"), "{world}");
    assert_eq!(scripts(root), ["toy", "toy-dev", "toy-dev"]);

    let audit = apk(&["audit"]).unwrap();
    drop_packages(root, &["toy-dev", ".build-deps"]);
    let world = std::fs::read_to_string(root.join("etc/apk/world")).unwrap();
    assert!(!world.contains("build-deps") && !world.contains("toy-dev"), "{world}");
    assert_eq!(scripts(root), ["toy"]);
    assert_eq!(std::fs::read(root.join("lib/apk/db/triggers")).unwrap(), b"");
    assert_eq!(sorted(&apk(&["info", "-q"]).unwrap()), ["libtoy", "toy"]);
    assert!(apk(&["info", "-L", "toy"]).unwrap().contains("usr/bin/toy"));
    assert_eq!(apk(&["audit"]).unwrap(), audit);
    apk(&["fix", "--no-scripts", "--simulate"]).unwrap();
    apk(&[&["add", "--no-scripts"], &names[2..]].concat()).unwrap();
    assert_eq!(sorted(&apk(&["info", "-q"]).unwrap()), ["libtoy", "toy", "toy-dev"]);
    keep_one(root, "usr/lib/libtoy.so.1");
    assert_eq!(sorted(&apk(&["info", "-q"]).unwrap()), ["libtoy"]);
    assert!(apk(&["info", "-L", "libtoy"]).unwrap().contains("usr/lib/libtoy.so.1"));
    // `world` is apk's own file, which did not stay.
    std::fs::write(root.join("etc/apk/world"), "libtoy\n").unwrap();
    apk(&["del", "--no-scripts", "libtoy"]).unwrap();
    assert_eq!(apk(&["info", "-q"]).unwrap(), "");
}
