//! Where readers are known to see something else than imgstrip, and what it refuses though they agree; a row a reason.
//!
//! A row of `INPUTS` and `OUTPUTS` names the readers, the fields in which they differ (`refuses`: they end with an error;
//! `entries`: they see another number), the twists that bring it about, and why. Twists are parted by `; `, one may end in `*`, and
//! `a & b` stands for both. Each twist of a row must bring it about alone, on some kind of entry and for each reader of
//! the row: what is no longer true fails. Go stands in no row of `INPUTS`: with it there is no disagreement.

use std::collections::BTreeSet;

/// Readers, fields, twists, why.
pub(crate) type Row = (&'static str, &'static str, &'static str, &'static str);

/// What they see in tars that imgstrip takes. What several twists do together is counted and needs no row, but for Go.
pub(crate) const INPUTS: &[Row] = &[
    (
        "gnutar bsdtar python",
        "mode owner time device",
        "mode after zero bytes; uid after zero bytes; gid after zero bytes; mtime after zero bytes; major after zero bytes; minor after zero bytes",
        "a number ends at its first NUL, so this is 0; Go jumps over leading ones",
    ),
    ("gnutar bsdtar python", "refuses entries", "size after zero bytes", "as above: the body is taken for headers"),
    (
        "gnutar",
        "refuses",
        "mode of spaces; uid of spaces; gid of spaces; mtime of spaces; size of spaces; major of spaces; minor of spaces",
        "blanks are no number",
    ),
    ("gnutar python", "refuses entries", "mode with a wide mark; mode with a sign bit", "a mode in base 256"),
    (
        "python",
        "entries refuses",
        "major with a wide mark; major with a sign bit; minor with a wide mark; minor with a sign bit; file of v7 & major *; file of v7 & minor *",
        "device numbers are read, and wrong ones end the tar, whatever the entry is",
    ),
    ("gnutar", "refuses", "major of 2^31 in base 256; minor of 2^31 in base 256", "a device number has 31 bits"),
    (
        "gnutar bsdtar",
        "name",
        "GNU atime *; GNU prefix",
        "Go takes what is no time for a prefix, as its own writer once wrote it (golang/go#12594)",
    ),
    (
        "gnutar bsdtar",
        "name type content size refuses",
        "file of gnu & prefix*; file of gnu & star prefix*; hard link of gnu & prefix*",
        "as above",
    ),
    (
        "python",
        "name",
        "GNU atime *; GNU times; GNU prefix no text; file of gnu & prefix no text; file of gnu & prefix in UTF-8",
        "the prefix field is read whatever the magic says",
    ),
    (
        "python",
        "name names",
        "magic v7 with names behind; file of v7 & user *; file of v7 & group *",
        "fields that v7 has not are read",
    ),
    (
        "gnutar bsdtar",
        "type content size entries refuses",
        "name with a slash; name of the root; name of full width and a slash; pax path=b\"long/\"; L with a slash; name with two slashes; prefix before an empty name",
        "a slash makes a directory of a file, and its body is taken for headers (M78)",
    ),
    ("gnutar bsdtar", "type size content", "directory & type 0", "as above"),
    ("bsdtar", "type content size entries refuses", "name of a slash; directory & type 7", "as above"),
    ("gnutar", "refuses", "name with .. inside", "it does not unpack such a name"),
    (
        "gnutar python",
        "name link",
        "pax linkpath=b\"\"; pax path=b\"\"; pax header of a name and none; x with an empty name and L",
        "an empty record empties the name; Go takes the header's (T9)",
    ),
    (
        "gnutar",
        "refuses",
        "pax uid=b\"\"; pax gid=b\"\"; pax mtime=b\"\"; pax ctime=b\"\"; pax size=b\"\"; g with mtime, then an empty one",
        "an empty record is no number",
    ),
    (
        "bsdtar python",
        "owner time refuses entries",
        "pax uid=b\"\"; pax gid=b\"\"; pax mtime=b\"\"; pax size=b\"\"",
        "an empty record is 0; Go takes the header's",
    ),
    ("python", "names", "pax uname=b\"\"; pax gname=b\"\"", "an empty record empties the name; Go takes the header's"),
    ("gnutar", "name", "pax key after a space", "it jumps over spaces before a key"),
    (
        "gnutar bsdtar",
        "time",
        "pax mtime=b\"-12.5\"; pax mtime=b\"-0.5\"",
        "the fraction counts forward: -11.5 and 0.5",
    ),
    (
        "bsdtar",
        "refuses",
        "pax path=b\"n\\xff\\xfe\"; pax path long and no text; pax linkpath=b\"t\\xff\"; pax linkpath long and no text; pax uname=b\"u\\xff\"",
        "a name in PAX must be UTF-8",
    ),
    (
        "bsdtar",
        "name link",
        "pax path decomposed; pax path long and decomposed; pax linkpath decomposed",
        "it composes the letters of PAX names",
    ),
    (
        "bsdtar",
        "attributes",
        "pax LIBARCHIVE.xattr.*; pax RHT.security.selinux*",
        "attributes that only libarchive reads",
    ),
    ("bsdtar", "mode", "pax SCHILY.acl.access*", "a list of who may do what is applied to the mode"),
    ("bsdtar", "attributes", "pax header of two attributes", "it shows both, Go the last one"),
    ("bsdtar", "content size", "pax SCHILY.realsize=b\"2048\"", "it takes star's size of a sparse file for this one's"),
    (
        "gnutar python",
        "owner time",
        "g with mtime; g with uid; g with gid; g with mtime, then x",
        "a global header is applied; Go leaves that to its caller, and no engine does it (T10)",
    ),
    ("python", "names attributes", "g with uname; g with gname; g with an attribute", "as above"),
    ("bsdtar python", "time", "g with mtime, then an empty one", "as above, or the empty record is 0"),
    ("gnutar python", "name", "L with odd fill", "a long name without NUL runs into the fill of its block"),
    (
        "gnutar",
        "refuses content size type entries",
        "sparse *",
        "it cannot write holes into a pipe, which is how it is asked here",
    ),
    (
        "bsdtar",
        "content size type",
        "sparse 1.0 of no runs; sparse old of no runs",
        "a file that is one hole has no data",
    ),
    (
        "bsdtar",
        "refuses content size type",
        "sparse 0.1 with versions; directory & sparse old*",
        "it wants another form of the map",
    ),
    (
        "python",
        "content size",
        "sparse 0.1 with a pax size; sparse old and a pax size",
        "the record is taken for the length with its holes",
    ),
    (
        "python",
        "entries",
        "sparse 1.0 with a pax size",
        "the record is taken for the length with its holes, and what follows for headers",
    ),
    ("python", "name", "sparse 0.1 with a pax name", "the record wins over GNU.sparse.name"),
    (
        "gnutar bsdtar python",
        "refuses",
        "end within the fill; end before the fill",
        "the fill of the last block is wanted (T31)",
    ),
    ("python", "refuses", "end after g", "a tar may not end behind a global header"),
];

/// What they see in tars that imgstrip writes.
pub(crate) const OUTPUTS: &[Row] = &[
    (
        "gnutar bsdtar",
        "time",
        "pax mtime=b\"-12.5\"; pax mtime=b\"-0.5\"",
        "a fraction of a second before 1970 counts forward; no record says such a time to them and to Go",
    ),
    (
        "gnutar",
        "refuses",
        "major of 2^31 in base 256; minor of 2^31 in base 256",
        "a device number has 31 bits; no system has such a device",
    ),
    (
        "bsdtar",
        "attributes",
        "pax LIBARCHIVE.xattr.*; pax RHT.security.selinux*",
        "attributes that only libarchive reads stay as they are",
    ),
    (
        "bsdtar",
        "mode",
        "pax SCHILY.acl.access*",
        "a list of who may do what stays as it is; libarchive applies it to the mode, and no engine reads it",
    ),
];

/// What imgstrip refuses though all four read the same; part of its message, and why.
pub(crate) const STRICT: &[(&str, &str)] = &[
    ("a global pax header sets \"linkpath\" for all entries", "on an entry that is no link nobody sees it"),
    ("a long name is empty", "before an entry that is no link nobody sees it"),
    ("both a pax name and a GNU long name", "both say the same, or the entry is no link"),
    ("two long link targets", "the entry is no link"),
    ("two long names", "both say the same"),
    ("two pax headers", "neither says anything"),
    ("a global pax header stands between", "what Go forgets there says nothing about this entry"),
    ("only a file has data", "others jump over such a body, and would over one that hides entries (T17 to T19)"),
    ("the entry has an empty name", "it is a file without a name, which no engine unpacks (M74)"),
    ("the link has no target", "no file system has such a link"),
    ("the size of the file is missing or told twice", "a sparse record without a map, which others overlook (T16)"),
    ("the map is missing or told twice", "as above, with a size that is the file's"),
];

/// Which rows explain a difference: those that name the reader and one of the twists. `None` where fields are left.
pub(crate) fn explain(rows: &[Row], reader: &str, odd: &[&str], fields: &BTreeSet<&str>) -> Option<Vec<usize>> {
    let mut left = fields.clone();
    let mut found = Vec::new();
    for (number, (readers, told, twists, _)) in rows.iter().enumerate() {
        let named = readers.split(' ').any(|one| one == reader) && twists.split("; ").any(|twist| matches(twist, odd));
        if named && told.split(' ').any(|field| fields.contains(field)) {
            left.retain(|field| !told.split(' ').any(|one| one == *field));
            found.push(number);
        }
    }
    left.is_empty().then_some(found)
}

/// Whether all that a row asks for is in the tar.
pub(crate) fn matches(pattern: &str, odd: &[&str]) -> bool {
    pattern.split(" & ").all(|one| {
        odd.iter().any(|twist| one.strip_suffix('*').map_or(*twist == one, |start| twist.starts_with(start)))
    })
}

#[test]
fn a_row_explains_what_it_names_and_nothing_else() {
    let rows: &[Row] = &[("a b", "name type", "x; y*; k & z", "why")];
    let fields = |text: &'static str| text.split(' ').collect::<BTreeSet<_>>();
    assert_eq!(explain(rows, "a", &["k", "x"], &fields("name")), Some(vec![0]));
    assert_eq!(explain(rows, "b", &["k", "yes"], &fields("name type")), Some(vec![0]));
    assert_eq!(explain(rows, "b", &["k", "z"], &fields("type")), Some(vec![0]));
    assert_eq!(explain(rows, "b", &["l", "z"], &fields("type")), None);
    assert_eq!(explain(rows, "c", &["k", "x"], &fields("name")), None);
    assert_eq!(explain(rows, "a", &["k", "x"], &fields("name size")), None);
    assert!(INPUTS.iter().all(|(readers, ..)| !readers.contains("go")));
}
