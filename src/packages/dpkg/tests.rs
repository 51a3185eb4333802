//! The database as a whole: small root filesystems in text, read, changed, and broken.

use super::super::package::{Fixed, Package, PackageId, numbered};
use super::super::select::Seed;
use super::super::testing::{Owned, ids, shelf, tree};
use super::super::{Edit, Packages};
use super::*;
use crate::error::{ErrorKind, escape};
use crate::rootfs::{InodeKind, Source, Tree};
use crate::warning::{WarningKind, Warnings};
use globset::{Glob, GlobSetBuilder};
use proptest::prelude::*;
use std::collections::BTreeSet;

const ADMIN: &str = "var/lib/dpkg";

/// Files by path, and more lines of a tree.
#[derive(Clone, Default)]
struct Image {
    files: Vec<(String, Vec<u8>)>,
    lines: String,
}

impl Image {
    fn file(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.files.retain(|(other, _)| other != path);
        self.files.push((path.into(), text.as_ref().into()));
        self
    }

    fn admin(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.file(&format!("{ADMIN}/{path}"), text)
    }

    fn lines(mut self, lines: &str) -> Self {
        self.lines.push_str(lines);
        self
    }

    /// A package with its paragraph, its list, and its files.
    fn package(self, name: &str, fields: &str, paths: &str) -> Self {
        let status = self.text("status").unwrap_or_default();
        let paragraph =
            format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-1\n{fields}\n");
        let files: Vec<&str> = paths.split_whitespace().filter(|path| !path.ends_with('/')).collect();
        let list: String = ["/."]
            .into_iter()
            .chain(paths.split_whitespace())
            .map(|path| format!("{}\n", path.trim_end_matches('/')))
            .collect();
        let sums: String =
            files.iter().map(|path| format!("0123456789abcdef0123456789abcdef  {}\n", &path[1..])).collect();
        let image = self.admin("status", status + &paragraph).admin(&format!("info/{name}.list"), list);
        let image = image.admin(&format!("info/{name}.md5sums"), sums);
        files.iter().fold(image, |image, path| if path.contains("->") { image } else { image.file(&path[1..], "x") })
    }

    fn text(&self, path: &str) -> Option<String> {
        let path = format!("{ADMIN}/{path}");
        self.files.iter().find(|(other, _)| *other == path).map(|(_, text)| String::from_utf8(text.clone()).unwrap())
    }

    fn tree(&self) -> Tree {
        let line = |(path, text): &(String, Vec<u8>)| {
            format!("{} = {}\n", path.replace(' ', "\\x20"), escape(text).replace(' ', "\\x20"))
        };
        tree(&(self.files.iter().map(line).collect::<String>() + &self.lines))
    }

    fn read(&self) -> Result<Option<(Vec<Package>, Database)>, Error> {
        read(&shelf(&self.tree()))
    }

    fn packages(&self) -> Packages {
        let mut warnings = Warnings::default();
        Packages::read(&self.tree(), &Owned, 40, &mut warnings).unwrap().unwrap()
    }

    /// What dropping packages changes: `- path` and `path = content`.
    fn without(&self, names: &[&str]) -> String {
        let packages = self.packages();
        shown(&packages.without(&self.tree(), &Owned, &ids(packages.all(), names)).unwrap())
    }
}

fn shown(edit: &Edit) -> String {
    let mut lines: Vec<String> = edit.remove.iter().map(|(path, _)| format!("- {path}\n")).collect();
    lines.extend(edit.write.iter().map(|write| match &write.kind {
        InodeKind::File(content) => match &content.source {
            Source::Owned(bytes) => format!("{} = {}\n", write.path, escape(bytes)),
            _ => panic!("a decision writes its own bytes"),
        },
        InodeKind::Symlink(target) => format!("{} -> {}\n", write.path, escape(target)),
        _ => panic!("a decision writes files and links"),
    }));
    lines.sort();
    lines.concat()
}

fn two() -> Image {
    Image::default().package("a", "Depends: b (>= 1) | c\n", "/usr/ /usr/bin/ /usr/bin/a").package(
        "b",
        "",
        "/usr/bin/b",
    )
}

fn seed(name: &str) -> Seed {
    let set = |word: &str| GlobSetBuilder::new().add(Glob::new(word).unwrap()).build().unwrap();
    Seed { rule: 0, packages: set(name), never: GlobSetBuilder::new().build().unwrap() }
}

fn kind(image: &Image) -> Option<ErrorKind> {
    image.read().err().map(|error| error.kind())
}

#[test]
fn a_package_is_what_its_paragraph_and_its_list_say() {
    let fields = "Priority: required\nProvides: x (= 1), a\nRecommends: r\nSuggests: s | t\n";
    let image = two()
        .package("c", fields, "/c")
        .file("var/lib/apt/extended_states", "Package: b\nArchitecture: amd64\nAuto-Installed: 1\n\n");
    let (all, _) = image.read().unwrap().unwrap();
    let names: Vec<_> = all.iter().map(|package| (&*package.name, package.automatic, package.essential)).collect();
    assert_eq!(names, [("a", false, false), ("b", true, false), ("c", false, true)]);
    assert_eq!(all[0].paths, ["usr", "usr/bin", "usr/bin/a"].map(|path| RootPath::clamped(path.as_bytes())));
    assert_eq!(*all[2].provides, ["x".into(), "a".into()]);
    assert_eq!((all[2].recommends.len(), all[2].weak[0].len()), (1, 2));
}

#[test]
fn of_alternatives_the_first_that_is_there_counts() {
    let depends = |fields: &str| {
        let image = Image::default().package("a", fields, "/a").package("b", "", "/b").package(
            "c",
            "Provides: v (= 2), w\n",
            "/c",
        );
        let (all, _) = image.read().unwrap().unwrap();
        let names = |groups: &[super::super::AnyOf]| -> String {
            groups.iter().map(|group| group.join("|")).collect::<Vec<_>>().join(" ")
        };
        (names(&all[0].depends), names(&all[0].weak))
    };
    let both = |depends: &str, weak: &str| (depends.to_owned(), weak.to_owned());
    assert_eq!(depends("Depends: x | b | c\n"), both("b", "c"));
    assert_eq!(depends("Depends: b (>= 2) | c\n"), both("c", ""));
    assert_eq!(depends("Depends: b (<< 2) | c\n"), both("b", "c"));
    assert_eq!(depends("Depends: w (>= 1) | v (>= 2)\n"), both("v", ""));
    assert_eq!(depends("Pre-Depends: w\nDepends: b:any, x | y\n"), both("w b x|y", ""));
}

#[test]
fn one_on_hold_was_chosen() {
    let image = two().file("var/lib/apt/extended_states", "Package: b\nArchitecture: amd64\nAuto-Installed: 1\n\n");
    let status = image.text("status").unwrap().replace("Package: b\nStatus: install", "Package: b\nStatus: hold");
    assert!(!image.admin("status", status).read().unwrap().unwrap().0[1].automatic);
}

#[test]
fn only_what_has_files_is_a_package_and_what_is_unfinished_never_goes() {
    let status = |state: &str| {
        let text = two().text("status").unwrap().replacen("install ok installed", state, 1);
        two()
            .admin("status", text)
            .read()
            .map(|read| read.unwrap().0)
            .map(|all| all.iter().map(|package| package.fixed).collect::<Vec<_>>())
    };
    assert_eq!(status("deinstall ok config-files").unwrap(), [None]);
    assert_eq!(status("deinstall ok installed").unwrap(), [None, None]);
    assert_eq!(status("install ok half-configured").unwrap(), [Some(Fixed::Unfinished), None]);
    assert_eq!(status("install reinstreq installed").unwrap(), [Some(Fixed::Unfinished), None]);
    assert!(status("install ok").is_err() && status("install ok strange").is_err());
}

#[test]
fn who_is_waited_for_never_goes() {
    let (all, _) = two().package("c", "Triggers-Awaited: a:amd64\n", "/c").read().unwrap().unwrap();
    assert_eq!(all[0].fixed, Some(Fixed::Awaited));
}

#[test]
fn a_package_without_a_list_owns_nothing_and_is_refused() {
    let mut image = two();
    image.files.retain(|(path, _)| !path.ends_with("a.list"));
    let mut warnings = Warnings::default();
    let packages = Packages::read(&image.tree(), &Owned, 40, &mut warnings).unwrap().unwrap();
    assert_eq!(warnings.count(WarningKind::PackageDatabase), 1);
    let selection = packages.select(&[seed("a")], &[]);
    assert_eq!(selection.refused[0].why, "its file list is missing");
    image.files.retain(|(path, _)| !path.ends_with(".list"));
    assert_eq!(kind(&image), Some(ErrorKind::Malformed));
}

#[test]
fn architectures_share_a_name_and_have_their_own_lists() {
    let one = |architecture: &str| {
        format!(
            "Package: lib\nStatus: install ok installed\nArchitecture: {architecture}\nMulti-Arch: same\nVersion: 1\n\n"
        )
    };
    let image = Image::default()
        .admin("status", one("amd64") + &one("i386"))
        .admin("info/lib:amd64.list", "/.\n/a\n")
        .admin("info/lib:i386.list", "/.\n/b\n")
        .admin("info/lib:i386.md5sums", "")
        .lines("a = x\nb = x\n");
    let (all, _) = image.read().unwrap().unwrap();
    assert_eq!([&all[0].paths[0], &all[1].paths[0]].map(ToString::to_string), ["/a", "/b"]);
    let packages = image.packages();
    let dropped = [PackageId(1)].into();
    let edit = shown(&packages.without(&image.tree(), &Owned, &dropped).unwrap());
    let expected = format!(
        "- /{ADMIN}/info/lib:i386.list\n- /{ADMIN}/info/lib:i386.md5sums\n/{ADMIN}/status = {}\n",
        escape(one("amd64").as_bytes())
    );
    assert_eq!(edit, expected);
}

#[test]
fn a_diverted_path_is_where_it_was_put_and_who_hides_another_ones_file_stays() {
    let image = two().admin("diversions", "/usr/bin/b\n/usr/bin/b.real\na\n/usr/bin/x\n/usr/bin/y\n:\n").package(
        "x",
        "",
        "/usr/bin/x",
    );
    let (all, _) = image.read().unwrap().unwrap();
    assert_eq!((all[1].paths[0].to_string(), all[0].fixed), ("/usr/bin/b.real".into(), Some(Fixed::Diverts)));
    assert_eq!(all[2].paths[0].to_string(), "/usr/bin/y");
    let alone = two().admin("diversions", "/usr/bin/z\n/usr/bin/z.real\na\n");
    assert_eq!(alone.read().unwrap().unwrap().0[0].fixed, None);
    assert!(alone.without(&["a"]).contains(&format!("/{ADMIN}/diversions = \n")));
}

#[test]
fn what_dpkg_would_repair_or_refuse_is_no_database() {
    assert_eq!(kind(&two()), None);
    assert!(Image::default().lines("usr/x = x\n").read().unwrap().is_none());
    assert!(Image::default().admin("status", "").read().unwrap().is_none());
    let malformed = Some(ErrorKind::Malformed);
    assert_eq!(kind(&two().admin("updates/0001", "Package: a\n")), malformed);
    assert_eq!(kind(&two().admin("info/gone.list", "/.\n")), malformed);
    assert_eq!(kind(&two().admin("status", "")), malformed);
    assert_eq!(kind(&two().admin("diversions", "/a\n/b\n")), malformed);
    assert_eq!(kind(&two().admin("info/format", "2\n")), Some(ErrorKind::Unsupported));
    assert_eq!(kind(&two().admin("info/format", "1\n")), None);
    let twice = two().text("status").unwrap().repeat(2);
    assert_eq!(kind(&two().admin("status", twice)), malformed);
    assert_eq!(kind(&two().package("d", "Depends: ((\n", "/d")), malformed);
    let mut warnings = Warnings::default();
    let broken = two().admin("status", "garbage\n\n");
    assert!(Packages::read(&broken.tree(), &Owned, 40, &mut warnings).unwrap().is_none());
    assert_eq!(warnings.count(WarningKind::PackageDatabase), 1);
}

#[test]
fn a_purged_package_leaves_no_record_and_the_rest_keeps_its_bytes() {
    let image = two()
        .admin("info/a.postinst", "x")
        .admin("info/a-b.list", "/.\n")
        .admin("status-old", "Package: b\nArchitecture: amd64\n\nPackage: a\nArchitecture: amd64\n\n")
        .admin("triggers/File", "/usr/x a/noawait\n/usr/y b\n")
        .admin("triggers/Unincorp", "/usr/x a b\n")
        .admin("triggers/alone", "a\n")
        .admin("triggers/both", "a\nb\n")
        .admin("statoverride", "root x 2755 /usr/bin/a\nroot x 2755 /usr/bin/b\n")
        .admin("available", "Package: a\n")
        .file("var/lib/apt/extended_states", "Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\n");
    let status = image.text("status").unwrap() + "Package: a-b\nStatus: deinstall ok config-files\nVersion: 1\n\n";
    let rest = status[status.find("Package: b").unwrap()..].to_owned();
    let expected = [
        "- /var/lib/dpkg/info/a.list",
        "- /var/lib/dpkg/info/a.md5sums",
        "- /var/lib/dpkg/info/a.postinst",
        "- /var/lib/dpkg/triggers/alone",
        "/var/lib/apt/extended_states = ",
        "/var/lib/dpkg/statoverride = root x 2755 /usr/bin/b\\n",
        &format!("/var/lib/dpkg/status = {}", escape(rest.as_bytes())),
        "/var/lib/dpkg/status-old = Package: b\\nArchitecture: amd64\\n\\n",
        "/var/lib/dpkg/triggers/File = /usr/y b\\n",
        "/var/lib/dpkg/triggers/Unincorp = /usr/x b\\n",
        "/var/lib/dpkg/triggers/both = b\\n",
        "",
    ];
    assert_eq!(image.admin("status", status).without(&["a"]), expected.join("\n"));
}

#[test]
fn nothing_dropped_changes_nothing() {
    assert_eq!(two().without(&[]), "");
}

#[test]
fn the_directory_may_be_reached_through_a_link() {
    let mut image = two();
    for (path, _) in &mut image.files {
        *path = path.replace("var/lib/dpkg", "usr/share/dpkg-db");
    }
    let edit = image.lines("var/lib/dpkg -> /usr/share/dpkg-db\n").without(&["a"]);
    assert!(
        edit.contains("- /usr/share/dpkg-db/info/a.list\n") && edit.contains("/usr/share/dpkg-db/status = "),
        "{edit}"
    );
}

const GROUP: &str =
    "auto\n/usr/bin/e\ne.1\n/man/e.1\n\n/usr/bin/a\n50\n/man/a.1\n/usr/bin/b\n40\n/man/b.1\n/usr/bin/z\n90\n\n\n";

fn with_alternatives(current: &str) -> Image {
    two().admin("alternatives/e", GROUP).lines(&format!(
        "etc/alternatives/e -> {current}\nusr/bin/e -> /etc/alternatives/e\netc/alternatives/e.1 -> /man/a.1\nman/e.1 -> /etc/alternatives/e.1\nman/a.1 = x\nman/b.1 = x\n"
    ))
}

fn alternatives(edit: &str) -> String {
    edit.lines()
        .filter(|line| !line.contains("/info/") && !line.contains("/status "))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn a_link_leads_to_the_best_choice_that_is_left() {
    let left = "auto\n/usr/bin/e\ne.1\n/man/e.1\n\n/usr/bin/b\n40\n/man/b.1\n/usr/bin/z\n90\n\n\n";
    let expected = format!(
        "/etc/alternatives/e -> /usr/bin/b\n/etc/alternatives/e.1 -> /man/b.1\n/var/lib/dpkg/alternatives/e = {}\n",
        escape(left.as_bytes())
    );
    assert_eq!(alternatives(&with_alternatives("/usr/bin/a").without(&["a"])), expected);
}

#[test]
fn a_link_that_leads_to_what_stays_is_left_alone() {
    let edit = alternatives(&with_alternatives("/usr/bin/b").without(&["a"]));
    assert!(!edit.contains("->") && edit.starts_with("/var/lib/dpkg/alternatives/e = auto"), "{edit}");
    assert_eq!(alternatives(&with_alternatives("/usr/bin/a").package("q", "", "/q").without(&["q"])), "");
}

#[test]
fn a_group_without_choices_goes_with_its_links() {
    let gone =
        "- /etc/alternatives/e\n- /etc/alternatives/e.1\n- /man/e.1\n- /usr/bin/e\n- /var/lib/dpkg/alternatives/e\n";
    assert_eq!(alternatives(&with_alternatives("/usr/bin/a").without(&["a", "b"])), gone);
}

#[test]
fn a_slave_that_the_next_choice_lacks_goes() {
    let group = GROUP.replace("/man/b.1", "");
    let edit = alternatives(&with_alternatives("/usr/bin/a").admin("alternatives/e", group).without(&["a"]));
    assert!(
        edit.contains("- /etc/alternatives/e.1\n- /man/e.1\n") && edit.contains("/etc/alternatives/e -> /usr/bin/b\n"),
        "{edit}"
    );
}

#[test]
fn a_link_that_the_user_made_is_not_touched() {
    let image = two().admin("alternatives/e", GROUP).lines("etc/alternatives/e -> /usr/bin/a\nusr/bin/e -> /opt/e\n");
    assert!(!image.without(&["a", "b"]).contains("- /usr/bin/e\n"));
}

#[test]
fn notes_about_units_that_go_are_forgotten() {
    let image = two()
        .package("s", "", "/lib/systemd/system/s.service")
        .package("t", "", "/lib/systemd/system/t.service")
        .file("var/lib/systemd/deb-systemd-helper-enabled/s.service.dsh-also", "/etc/systemd/system/x.target.wants/s.service\n/etc/systemd/system/alias.service\n/etc/systemd/system/gone.service\n")
        .file("var/lib/systemd/deb-systemd-helper-enabled/x.target.wants/s.service", "")
        .file("var/lib/systemd/deb-systemd-helper-enabled/x.target.wants/t.service", "")
        .file("var/lib/systemd/deb-systemd-helper-enabled/alias.service", "");
    let edit = alternatives(&image.without(&["s"]));
    let top = "- /var/lib/systemd/deb-systemd-helper-enabled";
    assert_eq!(edit, format!("{top}/alias.service\n{top}/s.service.dsh-also\n{top}/x.target.wants/s.service\n"));
}

#[test]
fn keep_mode_lists_what_owns_something_that_stays() {
    let image =
        two().package("c", "Conffiles:\n /etc/c 0123\n /etc/d 0123 obsolete\nDescription: x\n y\n", "/etc/c /etc/d /c");
    let tree = image.tree();
    let stays = ["usr/bin/b", "etc/d"].map(|path| tree.lookup(&RootPath::clamped(path.as_bytes())).unwrap());
    let edit = image.packages().reduced(&tree, &Owned, &|node| stays.contains(&node)).unwrap();
    let head =
        |name: &str| format!("Package: {name}\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 1-1\\n");
    let sum = "0123456789abcdef0123456789abcdef  ";
    let expected = [
        format!("/{ADMIN}/status.d/b = {}\n", head("b")),
        format!("/{ADMIN}/status.d/b.md5sums = {sum}usr/bin/b\\n\n"),
        format!("/{ADMIN}/status.d/c = {}Conffiles:\\n /etc/d 0123 obsolete\\nDescription: x\\n y\\n\n", head("c")),
        format!("/{ADMIN}/status.d/c.md5sums = {sum}etc/d\\n\n"),
    ];
    assert_eq!(shown(&edit), expected.concat());
}

fn distroless() -> Image {
    let sum = "0123456789abcdef0123456789abcdef  usr/bin/";
    Image::default()
        .admin("status.d/a", "Package: a\nVersion: 1\nArchitecture: amd64\nDepends: b\n")
        .admin("status.d/a.md5sums", format!("{sum}a\n{sum}a2\n"))
        .admin("status.d/b", "Package: b\nVersion: 1\n")
        .admin("status.d/b.md5sums", format!("{sum}b\n"))
        .lines("usr/bin/a = x\nusr/bin/a2 = x\nusr/bin/b = x\n")
}

#[test]
fn a_distroless_database_is_read_purged_and_reduced() {
    let image = distroless();
    let tree = image.tree();
    let packages = image.packages();
    assert_eq!(packages.files_of(&tree, &ids(packages.all(), &["a"])).len(), 2);
    assert_eq!(image.without(&["a"]), format!("- /{ADMIN}/status.d/a\n- /{ADMIN}/status.d/a.md5sums\n"));
    let a2 = tree.lookup(&RootPath::clamped(b"usr/bin/a2")).unwrap();
    let edit = shown(&packages.reduced(&tree, &Owned, &|node| node == a2).unwrap());
    assert!(
        edit.ends_with("status.d/a.md5sums = 0123456789abcdef0123456789abcdef  usr/bin/a2\\n\n")
            && !edit.contains("usr/bin/a\\n"),
        "{edit}"
    );
    assert_eq!(
        kind(&image.admin("status.d/c", "Package: c\nVersion: 1\n\nPackage: d\nVersion: 1\n")),
        Some(ErrorKind::Malformed)
    );
}

/// An image in which much can break.
fn rich() -> Image {
    with_alternatives("/usr/bin/a")
        .package("c", "Depends: a | d, e\nConffiles:\n /etc/c 0123\n", "/etc/c")
        .package("d", "Recommends: c\nProvides: x (= 1)\n", "/usr/bin/d")
        .package("e", "Essential: yes\nSuggests: d\n", "/usr/bin/e2")
        .package("gcc", "Depends: d, f\nStatus-Note: x\n", "/usr/bin/gcc")
        .package("f", "", "/usr/bin/f")
        .admin("triggers/File", "/usr/x a/noawait\n/usr/y gcc\n")
        .admin("triggers/Unincorp", "/usr/x gcc b\n")
        .admin("statoverride", "root x 2755 /usr/bin/gcc\n")
        .file(
            "var/lib/apt/extended_states",
            "Package: d\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: f\nArchitecture: amd64\nAuto-Installed: 1\n\n",
        )
}

/// The packages that go from an image, by name.
fn goes(image: &Image) -> Option<BTreeSet<String>> {
    let (tree, mut warnings) = (image.tree(), Warnings::default());
    let packages = Packages::read(&tree, &Owned, 40, &mut warnings).unwrap();
    assert!(packages.is_some() || warnings.count(WarningKind::PackageDatabase) == 1);
    let packages = packages?;
    let selection = packages.select(&[seed("gcc"), seed("b")], &[]);
    let dropped: BTreeSet<PackageId> = selection.dropped.iter().map(|dropped| dropped.id).collect();
    packages.files_of(&tree, &dropped);
    packages.without(&tree, &Owned, &dropped).unwrap();
    packages.reduced(&tree, &Owned, &|_| true).unwrap();
    packages.legal(&tree, &Owned, &dropped).unwrap();
    Some(
        numbered(packages.all())
            .filter(|(id, _)| dropped.contains(id))
            .map(|(_, package)| package.name.clone())
            .collect(),
    )
}

#[test]
fn a_database_that_is_cut_off_never_drops_more_than_a_whole_one() {
    let whole = goes(&rich()).unwrap();
    assert_eq!(whole.iter().collect::<Vec<_>>(), ["d", "f", "gcc"]);
    for (path, text) in rich().files {
        for end in 0..text.len() {
            let cut = goes(&rich().file(&path, &text[..end])).unwrap_or_default();
            assert!(cut.is_subset(&whole), "{path} {end}: {cut:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(which in 0..40usize, at in 0..400usize, bytes in prop::collection::vec(any::<u8>(), 0..6)) {
        let files = rich().files;
        let (path, mut text) = files[which % files.len()].clone();
        let at = at.min(text.len());
        let end = at.saturating_add(bytes.len() / 2).min(text.len());
        text.splice(at..end, bytes);
        goes(&rich().file(&path, text));
    }
}
