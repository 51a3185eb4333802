//! Where an engine and our output are known to disagree, one row a disagreement.
//!
//! A row names the cases, the engines, what they do, and why. `refuses` is a refusal of the input (`imgstrip` stands
//! among the engines); anything else is the difference, line by line and parted by `; `, as `View::diff` tells it: `-`
//! what only the engine shows, `+` what only our output shows, `~` what differs. A row that is no longer true fails.

/// A row: the cases, the engines, what they do, why.
pub(crate) type Row = (&'static str, &'static str, &'static str, &'static str);

/// What is known of this case and engine.
pub(crate) fn known(case: &str, engine: &str) -> Option<&'static str> {
    let mut rows = KNOWN.iter().filter(|(names, engines, ..)| lists(names, case) && lists(engines, engine));
    rows.next().map(|(_, _, what, _)| *what)
}

fn lists(words: &str, word: &str) -> bool {
    words.split(' ').any(|one| one == word)
}

/// All of them.
pub(crate) const KNOWN: &[Row] = &[
    (
        "M4",
        "docker20 docker26 docker26c",
        "-nodir; -nodir/nope ghost",
        "the layer's directory is made for the whiteout's sake, and its name listed",
    ),
    ("M7", "umoci", "~a/b mtime engine>1000000101", "it removes lower files after it set the directory's time"),
    ("M8", "docker20 docker26 docker26c", "~a mtime engine>1000000000", "an implied directory is made anew (M83)"),
    ("M9", "docker20 docker26", "~a mode 0755>0700 mtime engine>1000000000", "an implied directory is made anew (M83)"),
    (
        "M9",
        "docker26c",
        "~a mtime engine>1000000000",
        "an implied directory takes the lower one's mode, not its time (M83)",
    ),
    ("M10", "docker20 docker26 docker26c", "-a", "the layer's directory is made for the mark's sake"),
    ("M11", "docker20 docker26 docker26c", "-a; -a/x; -k", "an opaque root is ignored, against the specification"),
    (
        "M13 M14 M16",
        "docker20 docker26 docker26c",
        "refuses",
        "a whiteout is made as a device, and the file is in its place",
    ),
    (
        "M15",
        "docker20 docker26 docker26c",
        "-d/old",
        "a directory takes the whiteout's place and hides nothing, against the specification",
    ),
    ("M16", "umoci", "~d mtime engine>1000000100", "it removes lower files after it set the directory's time"),
    (
        "M17 M18",
        "docker20 docker26 docker26c",
        "refuses",
        "a whiteout is made as a device, and nothing can be below it",
    ),
    ("M19", "docker20 docker26 docker26c", "-d/old ghost", "a whiteout in an opaque directory is listed"),
    ("M24 M25a", "docker20 docker26 docker26c imgstrip", "refuses", "it names nothing; umoci removes a directory"),
    ("M25b", "docker20 docker26 docker26c umoci imgstrip", "refuses", "it names nothing"),
    (
        "M28",
        "docker20 docker26 docker26c umoci",
        "-.wh..wh.plnk; -.wh..wh.plnk/1.2; ~n links .wh..wh.plnk/1.2=n>none",
        "the AUFS directory of links is left in place",
    ),
    ("M32 M40", "umoci", "refuses", "an implied directory does not take a file's place"),
    (
        "M36",
        "umoci",
        "~lib type symlink>directory mode 0777>0755 mtime 1000000003>0 target usr/lib>none; -usr/lib/x; +lib/x",
        "lower symlinks are followed: --symlink-parents=follow",
    ),
    (
        "M37",
        "umoci",
        "~lib type symlink>directory mode 0777>0755 mtime 1000000003>0 target /usr/lib>none; -usr/lib/x; +lib/x",
        "as M36",
    ),
    (
        "M39",
        "umoci",
        "~lib type symlink>directory mode 0777>0755 mtime 1000000000>0 target nowhere>none; -nowhere; -nowhere/x; +lib/x",
        "as M36",
    ),
    (
        "M41",
        "umoci",
        "-etc; -etc/imgstrip; -etc/imgstrip/x; ~lib type symlink>directory mode 0777>0755 mtime 1000000000>0 target ../../../../etc/imgstrip>none; +lib/x",
        "as M36, clamped to the root",
    ),
    ("M42a", "docker26c umoci", "refuses", "a loop of lower symlinks is followed"),
    ("M42b", "docker20 docker26 docker26c umoci imgstrip", "refuses", "a loop of the layer's own symlinks"),
    ("M43", "docker20 docker26 docker26c", "-lib/old ghost", "the whiteout hides nothing and is listed"),
    (
        "M43",
        "umoci",
        "~lib type symlink>directory mode 0777>0755 mtime 1000000003>0 target usr/lib>none; +usr/lib/old",
        "as M36",
    ),
    (
        "M44",
        "umoci",
        "~lib type symlink>directory mode 0777>0755 mtime 1000000003>0 target usr/lib>none; -usr/lib/new; +lib/new; +usr/lib/old",
        "as M36",
    ),
    ("M45a M45b", "umoci imgstrip", "refuses", "the root is a directory; Docker leaves the entry out"),
    ("M50 M51 M52 M54 M58", "docker20 docker26 docker26c", "refuses", "a hard link to a lower layer's file"),
    ("M55", "docker20 docker26 docker26c", "+b", "the link's target is the whiteout's device, so both vanish"),
    ("M55", "umoci", "refuses", "the target is removed before the link is made"),
    (
        "M57 M59 M60 M62a",
        "docker20 docker26 docker26c umoci imgstrip",
        "refuses",
        "no such target, or one that cannot be linked to",
    ),
    ("M62b", "docker20 docker26 docker26c umoci", "refuses", "a link to itself, which is removed first"),
    (
        "M65a",
        "docker20 docker26 docker26c",
        "~a mode 0777>0644 owner 5:6>0:0 mtime 5>1000000000; ~b mode 0777>0644 owner 5:6>0:0 mtime 5>1000000000",
        "a link's header is applied to the inode",
    ),
    (
        "M65b",
        "docker20 docker26 docker26c",
        "~a mode 0777>0644 mtime 1000000001>1000000000 user.k 'w'>'v'; ~b mode 0777>0644 mtime 1000000001>1000000000 user.k 'w'>'v'",
        "a link's header is applied to the inode",
    ),
    ("M68 M71a M71b M71c M71d", "docker20 docker26", "refuses", "tar-split knows no duplicates"),
    ("M71d", "docker26c", "~p mtime 1000000000>1000000002", "times of directories are set last, here on the file"),
    ("M73", "imgstrip", "refuses", "a name that climbs above the root; engines clamp it"),
    ("M74", "umoci imgstrip", "refuses", "an empty name; Docker leaves the entry out"),
    ("M75", "docker20 docker26 docker26c umoci imgstrip", "refuses", "a NUL byte in a PAX path"),
    (
        "M83",
        "docker20 docker26",
        "~d mode 0755>0700 owner 0:0>5:6 mtime engine>77",
        "an implied directory is made anew",
    ),
    ("M83", "docker26c", "~d mtime engine>77", "an implied directory takes the lower one's mode, not its time"),
    ("M91", "umoci", "-f", "a character device 0:0 is one, not a whiteout"),
    ("M92a", "docker20 docker26", "+d/f", "the attribute is stored and makes the directory opaque"),
    (
        "M92b",
        "docker20 docker26 docker26c umoci",
        "~d user.overlay.opaque 'y'>none",
        "the attribute is stored and means nothing here",
    ),
    (
        "M94c",
        "docker20 docker26 docker26c",
        "~f security.capability none>(20 bytes, ab94e88136089169); ~g security.capability none>(20 bytes, ab94e88136089169); ~h security.capability none>(20 bytes, ab94e88136089169)",
        "a link's header changes the inode's owner, and the kernel drops the capability",
    ),
    (
        "M95",
        "docker20 docker26 docker26c",
        "~f mtime 1000000001>1000000000 user.b '2'>none; ~g mtime 1000000001>1000000000 user.b '2'>none",
        "a link's header is applied to the inode",
    ),
    (
        "M99",
        "docker20 docker26 docker26c umoci",
        "-.prefetch.landmark; -stargz.index.json",
        "notes about the old layer",
    ),
    // Shapes of archives, of other tools and ours.
    (
        "podman-oci-archive.tar podman-oci-dir buildah-oci.tar skopeo-oci-archive.tar skopeo-oci-gzip skopeo-oci-zstd skopeo-oci-plain skopeo-oci-untagged buildx-oci.tar buildx-oci-attested.tar buildx-oci-zstd.tar buildx-oci-plain.tar buildx-oci-docker-types.tar buildx-oci-platforms.tar",
        "docker20 docker26",
        "refuses",
        "an OCI archive without manifest.json",
    ),
    ("skopeo-oci-zstd buildx-oci-zstd.tar", "umoci", "refuses", "it knows no zstd layers"),
    ("buildx-oci-docker-types.tar", "umoci", "refuses", "skopeo 1.9 finds no tag beside Docker's media types"),
    ("docker20.tar.gz", "umoci", "refuses", "skopeo 1.9 cannot read an archive in gzip, though it can in zstd and xz"),
    ("docker20.tar.zst", "docker20", "refuses", "it knows no zstd"),
    ("docker20.tar.bz2", "imgstrip", "refuses", "bzip2 is not supported"),
    ("skopeo-dir", "imgstrip", "refuses", "no OCI layout"),
    ("auto-zstd docker-zstd", "docker20", "refuses", "it knows no zstd"),
    (
        "oci-plain oci-gzip oci-zstd",
        "docker20 docker26 skopeo-docker",
        "refuses",
        "an OCI archive without manifest.json",
    ),
    ("oci-zstd directory-zstd", "umoci", "refuses", "it knows no zstd layers"),
    ("docker-plain docker-gzip docker-zstd", "skopeo-oci", "refuses", "no OCI layout, as asked for"),
];

#[test]
fn each_row_names_cases_and_engines_and_stands_once() {
    let engines = "docker20 docker26 docker26c umoci containerd podman skopeo-docker skopeo-oci imgstrip";
    // The script that makes the shapes names some by a variable: podman-$format.tar.
    let shapes = include_str!("shapes").replace("$format", "oci-archive").replace('"', "");
    let mut seen = std::collections::BTreeSet::new();
    for (cases, names, ..) in KNOWN {
        for case in cases.split(' ') {
            let is_case = crate::cases::CASES.iter().any(|(name, _)| *name == case);
            let is_shape = shapes.contains(&format!("shape {case} "));
            assert!(is_case || is_shape || crate::readers::NAMES.contains(&case), "{case} is no case");
            for name in names.split(' ') {
                assert!(lists(engines, name), "{case}: {name} is no engine");
                assert!(seen.insert((case, name)), "{case}: {name} stands twice");
            }
        }
    }
}
