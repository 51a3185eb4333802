//! Stacks of layers, one a case, as lines of `imgstrip::rootfs::text` and the words of `tarball.rs`.
//!
//! The numbers are those of the merge rules; a letter tells variants apart. Layers stand lowest first, entries are
//! parted by `; `. Directories are written out as real layers have them, except where their absence is the case.

/// A case: its name, and its layers.
pub(crate) type Case = (&'static str, &'static [&'static str]);

/// Every case that engines may accept or refuse.
pub(crate) const CASES: &[Case] = &[
    // Whiteouts and opaque directories.
    ("M1", &["a/; a/x; a/y", "a/; a/.wh.x"]),
    ("M2", &["a/; a/x; b/; b/z", ".wh.a"]),
    ("M3", &["a/; a/x", "a/; a/.wh.nope; .wh.none"]),
    ("M4", &["f", "nodir/.wh.nope"]),
    ("M5", &["a/; a/x", "a/; a/.wh..wh..opq; a/y"]),
    ("M6", &["a/; a/x", "a/; a/y; a/.wh..wh..opq"]),
    ("M7", &["a/; a/b/; a/b/old", "a/; a/b/; a/b/c/; a/b/c/foo; a/.wh..wh..opq"]),
    ("M8", &["a/; a/b/; a/b/old", "a/b/new; a/.wh..wh..opq"]),
    ("M9", &["a/ [0700]; a/x", "a/.wh..wh..opq; a/y"]),
    ("M10", &["f", "a/.wh..wh..opq"]),
    ("M11", &["k; a/; a/x", ".wh..wh..opq; n"]),
    ("M12", &["f = old", ".wh.f; f = new"]),
    ("M13", &["f = old", "f = new; .wh.f"]),
    ("M14", &["g", "f = new; .wh.f"]),
    ("M15", &["d/; d/old", ".wh.d; d/; d/new"]),
    ("M16", &["d/; d/old", "d/; d/new; .wh.d"]),
    ("M17", &["d/; d/old", ".wh.d; d/new"]),
    ("M18", &["f; d/; d/old", ".wh.d; d/.wh.old"]),
    ("M19", &["d/; d/old", "d/; d/.wh..wh..opq; d/.wh.old; d/new"]),
    ("M20", &["d/; d/x; d/y", "e/; d -> e", "d/; d/z"]),
    ("M21", &["a/; a/x", ".wh.a", "a/; a/y"]),
    ("M22", &["a; .wh.b"]),
    ("M23a", &["f; g", ".wh.f = not empty"]),
    ("M23b", &["f; g", ".wh.f/"]),
    ("M23c", &["f; g", ".wh.f -> g"]),
    ("M24", &["d/; d/f", "d/; d/.wh."]),
    ("M25a", &["d/; d/f", "d/; d/.wh.."]),
    ("M25b", &["d/; d/f", "d/; d/.wh..."]),
    ("M26", &["f", ".wh.f/; .wh.f/y"]),
    ("M27", &["f", ".wh..wh.aufs; .wh..wh.orph/; .wh..wh.foo; g"]),
    ("M28", &["f", ".wh..wh.plnk/; .wh..wh.plnk/1.2 = text; n => .wh..wh.plnk/1.2"]),
    ("M29", &["q/; p -> q", ".wh.p"]),
    ("M30", &["a/; a/x; a/b/; a/b/y", "a/; a/.wh..wh..opq; a/b/; a/b/.wh..wh..opq; a/b/z"]),
    // Changes of type, and symlinks as parents.
    ("M31", &["p", "p/; p/x"]),
    ("M32", &["p", "p/x"]),
    ("M33", &["p/; p/x", "p = file", "p = again"]),
    ("M34", &["q/; p/; p/x", "p -> q"]),
    ("M35", &["q/; q/y; p -> q", "p/; p/x"]),
    ("M36", &["usr/; usr/lib/; usr/lib/old; lib -> usr/lib", "lib/x"]),
    ("M37", &["usr/; usr/lib/; usr/lib/old; lib -> /usr/lib", "lib/x"]),
    ("M38a", &["f", "usr/; usr/lib/; lib -> usr/lib; lib/x"]),
    ("M38b", &["f", "usr/; usr/lib/; lib -> /usr/lib; lib/x"]),
    ("M39", &["lib -> nowhere", "lib/x"]),
    ("M40", &["f; lib -> f", "lib/x"]),
    ("M41", &["lib -> ../../../../etc/imgstrip", "lib/x"]),
    ("M42a", &["l1 -> l2; l2 -> l1", "l1/x"]),
    ("M42b", &["f", "l1 -> l2; l2 -> l1; l1/x"]),
    ("M43", &["usr/; usr/lib/; usr/lib/old; lib -> usr/lib", "lib/.wh.old"]),
    ("M44", &["usr/; usr/lib/; usr/lib/old; lib -> usr/lib", "lib/.wh..wh..opq; lib/new"]),
    ("M45a", &["f", "./ -> etc"]),
    ("M45b", &["f", ". = root"]),
    ("M46", &["d/; d/x", "d = file", ".wh.d", "d/"]),
    // Hard links.
    ("M50", &["a = data", "b => a"]),
    ("M51", &["a = data", "b => a", ".wh.a"]),
    ("M52", &["a = old", "b => a", "a = new"]),
    ("M53", &["t2 = old; t1 => t2; t3 => t2", "t1 = new"]),
    ("M54", &["a = data", "b => a; .wh.a"]),
    ("M55", &["a = data; c", ".wh.a; b => a"]),
    ("M56", &["a = data; b => a; c => b", ".wh.a; .wh.b"]),
    ("M57", &["f", "b => a; a"]),
    ("M58", &["a = old", "b => a; a = new"]),
    ("M59", &["f", "b => nowhere"]),
    ("M60", &["f", "d/; b => d"]),
    ("M61", &["f; s -> f; t => s"]),
    ("M62a", &["f", "a => a"]),
    ("M62b", &["a = data", "a => a"]),
    ("M63", &["a = data; b = other", "a = data; b => a"]),
    ("M64", &["a = old; b => a", "b = new"]),
    ("M65a", &["a = data; b [own] [0777 5:6 @5] => a"]),
    ("M65b", &["a [user.k=v] = data; b [own] [0777 user.k=w] => a"]),
    ("M66", &["r/; s -> r; r/f [@9] = data; b [own] [@9] => s/f"]),
    ("M67a", &["d/; d/a = data; d/b => /d/a"]),
    ("M67b", &["d/; d/a = data; d/b => ../../d/a"]),
    ("M68", &["a = 1; b => a; a = 2"]),
    // Duplicates, names, metadata.
    ("M71a", &["f = 1; f = 2"]),
    ("M71b", &["d/ [0700]; d/f; d/ [0711]"]),
    ("M71c", &["p = file; p/; p/x"]),
    ("M71d", &["p/; p/x; p = file"]),
    ("M72a", &["./; ./a; ./d/; ./d/f", "./; ./a = new"]),
    ("M72b", &["/a; /d/; /d/f", "a = new; d/; d//f = new"]),
    ("M72c", &["a; x/", "x/; x/../b; x/./c"]),
    ("M73", &["f", "a/../../evil"]),
    ("M74", &["f", " = nameless"]),
    ("M75", &["f", "a\\x00b = nul"]),
    ("M76", &["f; a\\x00b [gnu] = nul"]),
    ("M77", &["na\\xefve\\x20\\xff; \\xf0\\x9f\\x8d\\xba/; d\\x0a/; d\\x0a/\\x09"]),
    ("M78", &["f/ = slash"]),
    ("M79", &["d/ [0700 5:6]; d/f", "d/ [1777 7:8]"]),
    ("M80", &["d/ [user.a=1 user.b=2]; d/f", "d/ [user.b=3]"]),
    ("M81", &["f [user.a=1]", "f [user.b=2]"]),
    ("M82", &["a/b/f", "a/c/f"]),
    ("M83", &["d/ [0700 5:6 @77]; d/f", "d/g"]),
    ("M84", &["./ [0700 5:6 @77]; f", "./ [0711 7:8 @88]; g"]),
    ("M85", &["f [@-5]"]),
    ("M86", &["f [@1581300122+123456789]"]),
    ("M87", &["f [3000000:4000000]; d/ [2147483647:2147483646]"]),
    ("M88", &["f [4755]; g [2755]; d/ [7777]; h [6711 5:6]"]),
    ("M89", &["null [0666] char 1:3; disk [0660 0:6] block 8:0; far char 300:70000; pipe [0600] fifo"]),
    ("M91", &["f; g", "f char 0:0"]),
    ("M92a", &["d/; d/f", "d/ [trusted.overlay.opaque=y]; d/g"]),
    ("M92b", &["d/; d/f", "d/ [user.overlay.opaque=y]; d/g"]),
    ("M96a", &["f", "", "g"]),
    ("M96b", &["", "f"]),
    ("M98", &["a/; a/f", "a/; a/.wh.f", "a/; a/f", "a/; a/.wh.f"]),
    ("M99", &["f; stargz.index.json = {}; .prefetch.landmark = x"]),
    // Attributes: file capabilities whose value holds a line feed and NUL bytes, `user.*`, POSIX ACLs.
    (
        "M93a",
        &[
            "d/ [system.posix_acl_default=\\x02\\x00\\x00\\x00\\x01\\x00\\x07\\x00\\xff\\xff\\xff\\xff\\x04\\x00\\x05\\x00\\xff\\xff\\xff\\xff\\x20\\x00\\x05\\x00\\xff\\xff\\xff\\xff]",
        ],
    ),
    (
        "M93b",
        &[
            "f [0674 system.posix_acl_access=\\x02\\x00\\x00\\x00\\x01\\x00\\x06\\x00\\xff\\xff\\xff\\xff\\x02\\x00\\x04\\x00\\x0a\\x00\\x00\\x00\\x04\\x00\\x04\\x00\\xff\\xff\\xff\\xff\\x10\\x00\\x07\\x00\\xff\\xff\\xff\\xff\\x20\\x00\\x04\\x00\\xff\\xff\\xff\\xff]; g => f",
        ],
    ),
    ("M93c", &["f [user.a=1 user.empty= user.bytes=\\x00\\x0a\\xff]; d/ [user.d=v]"]),
    (
        "M94a",
        &[
            "f [0755 security.capability=\\x01\\x00\\x00\\x02\\x0a\\x20\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00] = ping",
        ],
    ),
    (
        "M94b",
        &[
            "f [0755 5:6 security.capability=\\x01\\x00\\x00\\x02\\x0a\\x20\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00 user.k=\\x0a\\x00\\x0a] = ping; g => f; h => f",
        ],
    ),
    (
        "M94c",
        &[
            "f [0755 5:6 security.capability=\\x01\\x00\\x00\\x02\\x0a\\x20\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00 user.k=\\x0a\\x00\\x0a] = ping; g [bare] => f; h [bare] => f",
        ],
    ),
    (
        "M94d",
        &[
            "a; f [0755 security.capability=\\x01\\x00\\x00\\x02\\x0a\\x20\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00] = ping; g => f",
            ".wh.f",
        ],
    ),
    ("M95", &["f [user.a=1] = data; g [own] [user.b=2] => f"]),
];

#[test]
fn each_case_stands_once() {
    let names: std::collections::BTreeSet<_> = CASES.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), CASES.len());
}
