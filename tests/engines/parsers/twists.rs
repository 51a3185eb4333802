//! What makes a tar ambiguous, one named twist each. In: an entry. Out: the entry with one thing odd.
//!
//! A twist changes one entry (`TWISTS`) or the whole tar behind its last entry (`ENDS`). Some do nothing to some entries.

use crate::parsers::draft::{Draft, Sum, base256, octal, record, special};
use crate::parsers::sparse::SPARSE;

/// A name and what it does.
pub(crate) type Twist = (&'static str, fn(&mut Draft));
pub(crate) type End = (&'static str, fn(&mut Vec<u8>));

/// An entry that no reader may see: bodies hold it, so that who counts bytes wrongly shows it.
pub(crate) fn hidden() -> Vec<u8> {
    let mut hidden = Draft::new(b"hidden", b'0');
    hidden.body = b"nobody may see this".to_vec();
    hidden.bytes()
}

pub(crate) fn long(name: &[u8]) -> Vec<u8> {
    special(b'L', &[name, b"\0"].concat()).bytes()
}

fn long_link(name: &[u8]) -> Vec<u8> {
    special(b'K', &[name, b"\0"].concat()).bytes()
}

fn extended(records: &[(&str, &[u8])]) -> Vec<u8> {
    special(b'x', &records.iter().map(|(key, value)| record(key.as_bytes(), value)).collect::<Vec<_>>().concat())
        .bytes()
}

fn global(records: &[(&str, &[u8])]) -> Vec<u8> {
    special(b'g', &records.iter().map(|(key, value)| record(key.as_bytes(), value)).collect::<Vec<_>>().concat())
        .bytes()
}

fn size_of(d: &Draft) -> String {
    d.body.len().to_string()
}

/// A PAX header with one more record, in the form of each number.
macro_rules! pax {
    ($key:literal, $value:expr) => {
        (concat!("pax ", $key, "=", stringify!($value)), |d: &mut Draft| d.pax($key, $value))
    };
}

/// Bytes at a place of the header.
macro_rules! put {
    ($name:literal, $at:literal, $bytes:expr) => {
        ($name, |d: &mut Draft| d.put($at, $bytes))
    };
}

/// A field of each number, at its place and of its width, in every form that somebody reads.
macro_rules! numbers {
    ($field:literal, $at:literal, $room:literal) => {
        [
            (concat!($field, " octal and a space"), |d: &mut Draft| {
                d.put($at, &[&b"00000000000"[12 - $room..], b" "].concat())
            }),
            (concat!($field, " without an end"), |d: &mut Draft| d.put($at, &b"000000000123"[12 - $room..])),
            (concat!($field, " after spaces"), |d: &mut Draft| d.put($at, &b"         17\0"[12 - $room..])),
            (concat!($field, " after zero bytes"), |d: &mut Draft| {
                d.put($at, &b"\0\0\0\0\0\0\0\x00017\0"[12 - $room..])
            }),
            (concat!($field, " after a tab"), |d: &mut Draft| d.put($at, &b"        \t17\0"[12 - $room..])),
            (concat!($field, " of zero bytes"), |d: &mut Draft| d.put($at, &[0; $room])),
            (concat!($field, " of spaces"), |d: &mut Draft| d.put($at, &[b' '; $room])),
            (concat!($field, " with a NUL inside"), |d: &mut Draft| d.put($at, &b"017\x00777\0\0\0\0\0"[..$room])),
            (concat!($field, " with a space inside"), |d: &mut Draft| d.put($at, &b"017 777\0\0\0\0\0"[..$room])),
            (concat!($field, " with rubbish behind"), |d: &mut Draft| d.put($at, &b"017\0x\0\0\0\0\0\0\0"[..$room])),
            (concat!($field, " with a minus"), |d: &mut Draft| d.put($at, &b"-17\0\0\0\0\0\0\0\0\0"[..$room])),
            (concat!($field, " with a plus"), |d: &mut Draft| d.put($at, &b"+17\0\0\0\0\0\0\0\0\0"[..$room])),
            (concat!($field, " with a nine"), |d: &mut Draft| d.put($at, &b"0000009\0\0\0\0\0"[..$room])),
            (concat!($field, " with letters"), |d: &mut Draft| d.put($at, &b"17abc\0\0\0\0\0\0\0"[..$room])),
            (concat!($field, " in base 64"), |d: &mut Draft| d.put($at, &b"+BCDEFGHIJKL"[..$room])),
            (concat!($field, " in base 256"), |d: &mut Draft| d.put($at, &base256(15, $room))),
            (concat!($field, " of 2^31 in base 256"), |d: &mut Draft| d.put($at, &base256(1 << 31, $room))),
            (concat!($field, " of 2^32 in base 256"), |d: &mut Draft| d.put($at, &base256(1 << 32, $room))),
            (concat!($field, " below zero in base 256"), |d: &mut Draft| d.put($at, &base256(-5, $room))),
            (concat!($field, " beyond 2^63 in base 256"), |d: &mut Draft| {
                d.put($at, &[&[0x80][..], &[0xff; $room - 1]].concat())
            }),
            (concat!($field, " with the mark alone"), |d: &mut Draft| {
                d.put($at, &[&[0x80][..], &[0; $room - 1]].concat())
            }),
            (concat!($field, " with a wide mark"), |d: &mut Draft| {
                d.put($at, &[&[0x81][..], &[0; $room - 1]].concat())
            }),
            (concat!($field, " with a sign bit"), |d: &mut Draft| d.put($at, &[&[0xc0][..], &[0; $room - 1]].concat())),
        ]
    };
}

const MODES: [Twist; 23] = numbers!("mode", 100, 8);
const OWNERS: [Twist; 23] = numbers!("uid", 108, 8);
const GROUPS: [Twist; 23] = numbers!("gid", 116, 8);
const SIZES: [Twist; 23] = numbers!("size", 124, 12);
const TIMES: [Twist; 23] = numbers!("mtime", 136, 12);
const MAJORS: [Twist; 23] = numbers!("major", 329, 8);
const MINORS: [Twist; 23] = numbers!("minor", 337, 8);
const ATIMES: [Twist; 23] = numbers!("GNU atime", 345, 12);

/// All twists of an entry, by what they are about.
pub(crate) const TWISTS: &[&[Twist]] =
    &[&MODES, &OWNERS, &GROUPS, &SIZES, &TIMES, &MAJORS, &MINORS, &ATIMES, HEADERS, NAMES, PAX, LONG, SPARSE];

/// The block itself: magic, checksum, type, size against body, link.
const HEADERS: &[Twist] = &[
    ("magic v7", |d| d.magic = [0; 8]),
    ("magic gnu", |d| d.magic = *b"ustar  \0"),
    ("magic star", |d| d.put(508, b"tar\0")),
    ("magic without version", |d| d.magic = *b"ustar\0\0\0"),
    ("magic of version 01", |d| d.magic = *b"ustar\x0001"),
    ("magic of spaces", |d| d.magic = *b"ustar   "),
    ("magic in capitals", |d| d.magic = *b"USTAR\x0000"),
    ("magic and zeros as digits", |d| d.magic = *b"ustar000"),
    ("magic unknown", |d| d.magic = *b"qwerty\0\0"),
    ("magic v7 with names behind", |d| {
        d.magic = [0; 8];
        d.put(265, b"user");
        d.put(345, b"prefix");
    }),
    ("sum signed", |d| d.sum = Sum::Signed),
    ("sum signed over high bytes", |d| {
        d.name = b"n\xe4me".to_vec();
        d.sum = Sum::Signed;
    }),
    ("sum wrong", |d| d.sum = Sum::Wrong),
    ("sum padded", |d| d.sum = Sum::Padded),
    ("sum full", |d| d.sum = Sum::Full),
    ("type NUL", |d| d.typeflag = 0),
    ("type NUL and a slash", |d| {
        d.typeflag = 0;
        d.name.push(b'/');
    }),
    ("type 0", |d| d.typeflag = b'0'),
    ("type 1", |d| d.typeflag = b'1'),
    ("type 2", |d| d.typeflag = b'2'),
    ("type 3", |d| d.typeflag = b'3'),
    ("type 4", |d| d.typeflag = b'4'),
    ("type 5", |d| d.typeflag = b'5'),
    ("type 6", |d| d.typeflag = b'6'),
    ("type 7", |d| d.typeflag = b'7'),
    ("type 8", |d| d.typeflag = b'8'),
    ("type A", |d| d.typeflag = b'A'),
    ("type D", |d| d.typeflag = b'D'),
    ("type I", |d| d.typeflag = b'I'),
    ("type M", |d| d.typeflag = b'M'),
    ("type N", |d| d.typeflag = b'N'),
    ("type S", |d| d.typeflag = b'S'),
    ("type V", |d| d.typeflag = b'V'),
    ("type X", |d| d.typeflag = b'X'),
    ("type Z", |d| d.typeflag = b'Z'),
    ("type of a high byte", |d| d.typeflag = 0xff),
    ("type x", |d| d.typeflag = b'x'),
    ("type L", |d| d.typeflag = b'L'),
    ("body hides an entry", |d| d.body = hidden()),
    ("body and its size", |d| d.body = b"a body of its own".to_vec()),
    ("size 0 before a body", |d| {
        d.body = hidden();
        d.size = Some(0);
    }),
    ("size of 512 without a body", |d| d.size = Some(512)),
    ("size one block short", |d| {
        d.body = [hidden(), hidden()].concat();
        d.size = Some(1024);
    }),
    ("size one byte long", |d| d.size = Some(d.body.len() as u64 + 1)),
    ("size of 1 without a body", |d| {
        d.body.clear();
        d.size = Some(1);
    }),
    ("size in base 256 and right", |d| d.size_form = |size| base256(size.cast_signed(), 12)),
    ("size padded with spaces", |d| d.size_form = |size| format!("{size:>11o} ").into_bytes()),
    ("size in twelve digits", |d| d.size_form = |size| octal(size, 12)),
    ("fill is no zeros", |d| d.fill = b'x'),
    ("body of one byte and odd fill", |d| {
        d.body = b"1".to_vec();
        d.fill = 0xff;
    }),
    ("mode with type bits", |d| d.put(100, b"0100755")),
    ("mode with other type bits", |d| d.put(100, b"0040755")),
    ("mode setuid", |d| d.put(100, b"0006755")),
    ("mode of seven digits", |d| d.put(100, b"7777777")),
    ("link for everybody", |d| d.link = b"elsewhere".to_vec()),
    ("link empty", |d| d.link.clear()),
    ("link absolute", |d| d.link = b"/first".to_vec()),
    ("link with dots", |d| d.link = b"./dir/../first".to_vec()),
    ("link beyond the root", |d| d.link = b"../../first".to_vec()),
    ("link with a slash", |d| d.link = b"first/".to_vec()),
    ("link to itself", |d| d.link = d.name.clone()),
    ("link to a later name", |d| d.link = b"last".to_vec()),
    ("link to nothing", |d| d.link = b"nowhere".to_vec()),
    ("link of full width", |d| d.link = b"t".repeat(100)),
    ("link with a NUL inside", |d| d.link = b"first\0tail".to_vec()),
    ("link no text", |d| d.link = b"t\xff\xfe".to_vec()),
    ("link in UTF-8", |d| d.link = "zi\u{00eb}l".as_bytes().to_vec()),
    put!("user no text", 265, b"us\xff\xfer"),
    put!("user in UTF-8", 265, "us\u{00eb}r".as_bytes()),
    put!("user of full width", 265, &[b'u'; 32]),
    put!("group of full width", 297, &[b'g'; 32]),
    put!("user with a NUL inside", 265, b"user\0tail"),
    put!("device numbers", 329, b"0000001\x000000002\0"),
    put!("device numbers of zero", 329, b"0000000\x000000000\0"),
    put!("tail of the block", 500, b"tail"),
    ("GNU times", |d| {
        d.magic = *b"ustar  \0";
        d.put(345, b"07346545000\x0007346545000\0");
    }),
    ("GNU prefix", |d| {
        d.magic = *b"ustar  \0";
        d.prefix = b"prefix".to_vec();
    }),
    ("GNU prefix no text", |d| {
        d.magic = *b"ustar  \0";
        d.prefix = b"pr\xe4fix".to_vec();
    }),
    ("GNU multivolume offset", |d| {
        d.magic = *b"ustar  \0";
        d.put(369, b"00000001000\0");
    }),
    ("star times", |d| {
        d.put(476, b"07346545000 07346545000 ");
        d.put(508, b"tar\0");
    }),
    ("star prefix beyond its field", |d| {
        d.prefix = b"p".repeat(140);
        d.put(508, b"tar\0");
    }),
];

/// The name and its prefix.
const NAMES: &[Twist] = &[
    ("name with a slash", |d| d.name.push(b'/')),
    ("name with two slashes", |d| d.name.extend(b"//")),
    ("name without its slash", |d| d.name = b"entry".to_vec()),
    ("name after ./", |d| d.name = [b"./", &d.name[..]].concat()),
    ("name after a slash", |d| d.name = [b"/", &d.name[..]].concat()),
    ("name after two slashes", |d| d.name = [b"//", &d.name[..]].concat()),
    ("name with // inside", |d| d.name = b"dir//entry".to_vec()),
    ("name with . inside", |d| d.name = b"dir/./entry".to_vec()),
    ("name with .. inside", |d| d.name = b"dir/../entry".to_vec()),
    ("name beyond the root", |d| d.name = b"../entry".to_vec()),
    ("name of dots", |d| d.name = b"..".to_vec()),
    ("name of the root", |d| d.name = b"./".to_vec()),
    ("name of one dot", |d| d.name = b".".to_vec()),
    ("name ending in a dot", |d| d.name = b"entry/.".to_vec()),
    ("name empty", |d| d.name.clear()),
    ("name of a slash", |d| d.name = b"/".to_vec()),
    ("name with a NUL inside", |d| d.name = b"entry\0tail".to_vec()),
    ("name of full width", |d| d.name = b"n".repeat(100)),
    ("name of full width and a slash", |d| d.name = [&b"n".repeat(99)[..], b"/"].concat()),
    ("name no text", |d| d.name = b"n\xff\xfe".to_vec()),
    ("name in UTF-8", |d| d.name = "n\u{00eb}me".as_bytes().to_vec()),
    ("name of half a letter", |d| d.name = b"n\xc3".to_vec()),
    ("name of a surrogate", |d| d.name = b"n\xed\xa0\x80".to_vec()),
    ("name overlong", |d| d.name = b"n\xc0\xaf".to_vec()),
    ("name in UTF-8 beyond 16 bits", |d| d.name = "n\u{1f980}".as_bytes().to_vec()),
    ("name decomposed", |d| d.name = "ne\u{0308}".as_bytes().to_vec()),
    ("name with a newline", |d| d.name = b"n\nm".to_vec()),
    ("name with a backslash", |d| d.name = b"n\\m".to_vec()),
    ("name with an escape", |d| d.name = b"n\x1b[1m".to_vec()),
    ("name with spaces around", |d| d.name = b" n ".to_vec()),
    ("name of the first", |d| d.name = b"first".to_vec()),
    ("name of the first again", |d| d.name = b"./first".to_vec()),
    ("name of the last", |d| d.name = b"last".to_vec()),
    ("name of the directory", |d| d.name = b"dir".to_vec()),
    ("name below the directory", |d| d.name = b"dir/entry".to_vec()),
    ("name below nothing", |d| d.name = b"none/entry".to_vec()),
    ("name of a whiteout", |d| d.name = b"dir/.wh.entry".to_vec()),
    ("name after C:", |d| d.name = b"C:\\entry".to_vec()),
    ("name of a volume", |d| d.name = b"._entry".to_vec()),
    ("prefix", |d| d.prefix = b"prefix".to_vec()),
    ("prefix with a slash", |d| d.prefix = b"prefix/".to_vec()),
    ("prefix of a slash", |d| d.prefix = b"/".to_vec()),
    ("prefix of a dot", |d| d.prefix = b".".to_vec()),
    ("prefix of full width", |d| d.prefix = b"p".repeat(155)),
    ("prefix no text", |d| d.prefix = b"p\xff".to_vec()),
    ("prefix in UTF-8", |d| d.prefix = "p\u{00eb}".as_bytes().to_vec()),
    ("prefix with a NUL inside", |d| d.prefix = b"prefix\0tail".to_vec()),
    ("prefix before an empty name", |d| {
        d.prefix = b"prefix".to_vec();
        d.name.clear();
    }),
    ("prefix before a slash", |d| {
        d.prefix = b"prefix".to_vec();
        d.name = b"/entry".to_vec();
    }),
    ("prefix beyond the root", |d| d.prefix = b"../x".to_vec()),
];

/// Records, and how a header of them can be written.
const PAX: &[Twist] = &[
    pax!("path", b"long"),
    pax!("path", b"long/"),
    pax!("path", b""),
    pax!("path", b"."),
    pax!("path", b"/abs/long"),
    pax!("path", b"../long"),
    pax!("path", b"a\0b"),
    pax!("path", b"n\xff\xfe"),
    ("pax path in UTF-8", |d| d.pax("path", "n\u{00eb}me".as_bytes())),
    ("pax path decomposed", |d| d.pax("path", "ne\u{0308}me".as_bytes())),
    ("pax path long and decomposed", |d| d.pax("path", "e\u{0308}".repeat(100).as_bytes())),
    ("pax path long and no text", |d| d.pax("path", &[0xff; 300])),
    pax!("path", b"with\nnewline"),
    pax!("path", b"with=equals"),
    pax!("path", b" spaces "),
    ("pax path of 300 bytes", |d| d.pax("path", &[b'n'; 300])),
    ("pax path of 200 directories", |d| d.pax("path", &b"d/".repeat(200)[..399])),
    pax!("linkpath", b"first"),
    pax!("linkpath", b"/first"),
    pax!("linkpath", b"first/"),
    pax!("linkpath", b""),
    pax!("linkpath", b"a\0b"),
    pax!("linkpath", b"t\xff"),
    ("pax linkpath in UTF-8", |d| d.pax("linkpath", "zi\u{00eb}l".as_bytes())),
    ("pax linkpath decomposed", |d| d.pax("linkpath", "zie\u{0308}l".as_bytes())),
    ("pax linkpath long and no text", |d| d.pax("linkpath", &[0xff; 300])),
    ("pax linkpath of 300 bytes", |d| d.pax("linkpath", &[b't'; 300])),
    pax!("uid", b"7"),
    pax!("uid", b"4294967295"),
    pax!("uid", b"4294967296"),
    pax!("uid", b"-1"),
    pax!("uid", b"+7"),
    pax!("uid", b" 7"),
    pax!("uid", b"7 "),
    pax!("uid", b"07"),
    pax!("uid", b"0x7"),
    pax!("uid", b"7.5"),
    pax!("uid", b""),
    pax!("uid", b"abc"),
    pax!("uid", b"9223372036854775808"),
    pax!("gid", b"8"),
    pax!("gid", b"3000000000"),
    pax!("gid", b""),
    pax!("uname", b"other"),
    pax!("uname", b""),
    pax!("uname", b"a\0b"),
    pax!("uname", b"u\xff"),
    ("pax uname in UTF-8", |d| d.pax("uname", "us\u{00eb}r".as_bytes())),
    ("pax gname of 100 bytes", |d| d.pax("gname", &[b'g'; 100])),
    pax!("gname", b""),
    pax!("mtime", b"12"),
    pax!("mtime", b"12.5"),
    pax!("mtime", b"12."),
    pax!("mtime", b".5"),
    pax!("mtime", b"12.123456789"),
    pax!("mtime", b"12.1234567891234"),
    pax!("mtime", b"-12"),
    pax!("mtime", b"-12.5"),
    pax!("mtime", b"-0.5"),
    pax!("mtime", b"-0"),
    pax!("mtime", b"+12"),
    pax!("mtime", b" 12"),
    pax!("mtime", b"12 "),
    pax!("mtime", b"1e3"),
    pax!("mtime", b"0x10"),
    pax!("mtime", b"nan"),
    pax!("mtime", b"12,5"),
    pax!("mtime", b"12.-5"),
    pax!("mtime", b"8589934592"),
    pax!("mtime", b"253402300800"),
    pax!("mtime", b"9223372036854775807"),
    pax!("mtime", b"-62135596801"),
    pax!("mtime", b""),
    pax!("mtime", b"\0"),
    pax!("atime", b"12"),
    pax!("atime", b"x"),
    pax!("ctime", b"12.5"),
    pax!("ctime", b""),
    pax!("size", b""),
    pax!("size", b"0"),
    pax!("size", b"512"),
    pax!("size", b"1024"),
    pax!("size", b"-1"),
    pax!("size", b"+1024"),
    pax!("size", b"1024.0"),
    pax!("size", b"1024 "),
    pax!("size", b"01024"),
    pax!("size", b"abc"),
    pax!("size", b"9223372036854775807"),
    pax!("size", b"9223372036854775808"),
    pax!("size", b"18446744073709551616"),
    pax!("comment", b"no more"),
    pax!("comment", b""),
    pax!("comment", b"with\nnewline\0and NUL"),
    pax!("hdrcharset", b"BINARY"),
    pax!("hdrcharset", b"ISO-IR 10646 2000 UTF-8"),
    pax!("hdrcharset", b"LATIN-1"),
    pax!("charset", b"BINARY"),
    pax!("SCHILY.xattr.user.k", b"value"),
    pax!("SCHILY.xattr.user.k", b""),
    pax!("SCHILY.xattr.user.k", b"a\nb\0c=d\xff"),
    pax!("SCHILY.xattr.user.a.b", b"dotted"),
    pax!("SCHILY.xattr.", b"nameless"),
    ("pax attribute with a name no text", |d| d.records.push(record(b"SCHILY.xattr.user.\xff", b"no text"))),
    pax!("SCHILY.xattr.trusted.overlay.opaque", b"y"),
    pax!("LIBARCHIVE.xattr.user.k", b"dmFsdWU="),
    pax!("LIBARCHIVE.xattr.user.%6b", b"dmFsdWU"),
    pax!("LIBARCHIVE.xattr.user.k", b"!no base 64!"),
    pax!("LIBARCHIVE.creationtime", b"12"),
    pax!("LIBARCHIVE.symlinktype", b"dir"),
    pax!("SCHILY.acl.access", b"user::rw-,group::r--,other::r--"),
    pax!("SCHILY.acl.access", b"no list"),
    pax!("SCHILY.acl.access", b"user::rwx,group::---,other::---"),
    pax!("RHT.security.selinux", b"system_u:object_r:bin_t:s0\0"),
    pax!("SCHILY.fflags", b"nodump"),
    pax!("SCHILY.dev", b"7"),
    pax!("SCHILY.ino", b"7"),
    pax!("SCHILY.nlink", b"2"),
    pax!("SCHILY.filetype", b"sparse"),
    pax!("SCHILY.realsize", b"2048"),
    pax!("SCHILY.offset", b"512"),
    pax!("SCHILY.devmajor", b"9"),
    pax!("SCHILY.devminor", b"9"),
    pax!("SCHILY.devmajor", b"0"),
    pax!("SUN.holesdata", b" 0 512 1024"),
    pax!("SUN.devmajor", b"9"),
    pax!("GNU.volume.filename", b"volume"),
    pax!("GNU.volume.size", b"512"),
    pax!("GNU.volume.offset", b"512"),
    pax!("GNU.dumpdir", b"Yfile\0\0"),
    pax!("VENDOR.key", b"value"),
    pax!("SIZE", b"0"),
    ("pax key before a space", |d| d.pax("path ", b"spaced")),
    ("pax key after a space", |d| d.pax(" path", b"spaced")),
    ("pax header of gnu magic", |d| {
        d.pax("path", b"long");
        d.pax_edits.push((257, b"ustar  \0".to_vec()));
    }),
    ("pax header of v7 magic", |d| {
        d.pax("path", b"long");
        d.pax_edits.push((257, vec![0; 8]));
    }),
    ("pax header with a negative mtime", |d| {
        d.pax("path", b"long");
        d.pax_edits.push((136, base256(-1, 12)));
    }),
    ("pax header with an odd owner", |d| {
        d.pax("path", b"long");
        d.pax_edits.push((108, b"xyz\0\0\0\0\0".to_vec()));
    }),
    ("pax header of base 256", |d| {
        d.pax("path", b"long");
        let size = d.records.concat().len() as i64;
        d.pax_edits.push((124, base256(size, 12)));
    }),
    ("pax header with a slash", |d| {
        d.pax("path", b"long");
        d.pax_edits.push((0, b"PaxHeaders/\0".to_vec()));
    }),
    ("pax header of two names", |d| {
        d.pax("path", b"one");
        d.pax("path", b"two");
    }),
    ("pax header of a name and none", |d| {
        d.pax("path", b"one");
        d.pax("path", b"");
    }),
    ("pax header of none and a name", |d| {
        d.pax("path", b"");
        d.pax("path", b"two");
    }),
    ("pax header of two sizes", |d| {
        d.pax("size", b"0");
        let size = size_of(d);
        d.pax("size", size.as_bytes());
    }),
    ("pax header of two times", |d| {
        d.pax("mtime", b"1");
        d.pax("mtime", b"2.5");
    }),
    ("pax header of two attributes", |d| {
        d.pax("SCHILY.xattr.user.k", b"1");
        d.pax("SCHILY.xattr.user.k", b"2");
    }),
    ("pax header empty", |d| d.before.push(special(b'x', b"").bytes())),
    ("pax size right", |d| {
        let size = size_of(d);
        d.pax("size", size.as_bytes());
    }),
    ("pax size right, header 0", |d| {
        let size = size_of(d);
        d.pax("size", size.as_bytes());
        d.size = Some(0);
    }),
    ("pax size right, header larger", |d| {
        let size = size_of(d);
        d.pax("size", size.as_bytes());
        d.size = Some(d.body.len() as u64 + 512);
    }),
    ("pax size 0 and a smuggled entry", |d| {
        d.body = hidden();
        d.pax("size", b"0");
    }),
    ("pax size and a smuggled entry, header 0", |d| {
        d.body = hidden();
        d.pax("size", b"1024");
        d.size = Some(0);
    }),
    ("pax size in leading zeros", |d| {
        let size = format!("000{}", d.body.len());
        d.pax("size", size.as_bytes());
    }),
    ("pax record too long", |d| d.records.push(b"30 comment=x\n".to_vec())),
    ("pax record too short", |d| d.records.push(b"9 comment=x\n".to_vec())),
    ("pax record without newline", |d| d.records.push(b"12 comment=x".to_vec())),
    ("pax record without equals", |d| d.records.push(b"11 comment\n".to_vec())),
    ("pax record without a key", |d| d.records.push(b"5 =x\n".to_vec())),
    ("pax record with a NUL in the key", |d| d.records.push(b"14 com\0ment=x\n".to_vec())),
    ("pax record without length", |d| d.records.push(b"comment=x\n".to_vec())),
    ("pax record of length 0", |d| d.records.push(b"0 comment=x\n".to_vec())),
    ("pax record of negative length", |d| d.records.push(b"-13 comment=x\n".to_vec())),
    ("pax record of signed length", |d| d.records.push(b"+14 comment=x\n".to_vec())),
    ("pax record of zeros before its length", |d| d.records.push(b"0014 path=long\n".to_vec())),
    ("pax record after a space", |d| d.records.push(b" 14 comment=x\n".to_vec())),
    ("pax record after a tab", |d| d.records.push(b"13\tcomment=x\n".to_vec())),
    ("pax record of two spaces", |d| d.records.push(b"14  comment=x\n".to_vec())),
    ("pax record of 2^64 bytes", |d| d.records.push(b"18446744073709551629 comment=x\n".to_vec())),
    ("pax record in octal", |d| d.records.push(b"015 comment=x\n".to_vec())),
    ("pax record in hexadecimal", |d| d.records.push(b"0xd comment=x\n".to_vec())),
    ("pax records and zeros", |d| {
        d.pax("path", b"long");
        d.pax_tail = vec![0; 40];
    }),
    ("pax records and one zero", |d| {
        d.pax("path", b"long");
        d.pax_tail = vec![0];
    }),
    ("pax records and a newline", |d| {
        d.pax("path", b"long");
        d.pax_tail = b"\n".to_vec();
    }),
    ("pax records and rubbish", |d| {
        d.pax("path", b"long");
        d.pax_tail = b"rubbish".to_vec();
    }),
    ("pax records to the last byte", |d| d.pax("comment", &[b'c'; 500])),
    ("pax records of many blocks", |d| {
        d.pax("comment", &[b'c'; 5000]);
        d.pax("path", b"long");
    }),
];

/// Headers before headers.
const LONG: &[Twist] = &[
    ("L", |d| d.before.push(long(b"gnu-long"))),
    ("L of 300 bytes", |d| d.before.push(long(&[b'l'; 300]))),
    ("L with a slash", |d| d.before.push(long(b"gnu-long/"))),
    ("L no text", |d| d.before.push(long(b"l\xff\xfe"))),
    ("L in UTF-8", |d| d.before.push(long("l\u{00eb}ng".as_bytes()))),
    ("L empty", |d| d.before.push(special(b'L', b"").bytes())),
    ("L of a NUL", |d| d.before.push(special(b'L', b"\0").bytes())),
    ("L without NUL", |d| d.before.push(special(b'L', b"gnu-long").bytes())),
    ("L without NUL to the last byte", |d| d.before.push(special(b'L', &[b'l'; 512]).bytes())),
    ("L with more behind its NUL", |d| d.before.push(special(b'L', b"gnu-long\0tail\0").bytes())),
    ("L with odd fill", |d| {
        let mut header = special(b'L', b"gnu-long");
        header.fill = b'x';
        d.before.push(header.bytes());
    }),
    ("L of ustar magic", |d| {
        let mut header = special(b'L', b"gnu-long\0");
        header.magic = *b"ustar\x0000";
        d.before.push(header.bytes());
    }),
    ("L of v7 magic", |d| {
        let mut header = special(b'L', b"gnu-long\0");
        header.magic = [0; 8];
        d.before.push(header.bytes());
    }),
    ("L of base 256", |d| {
        let mut header = special(b'L', b"gnu-long\0");
        header.size_form = |size| base256(size.cast_signed(), 12);
        d.before.push(header.bytes());
    }),
    ("L and gnu magic", |d| {
        d.before.push(long(b"gnu-long"));
        d.magic = *b"ustar  \0";
    }),
    ("L beyond the root", |d| d.before.push(long(b"../gnu-long"))),
    ("K", |d| d.before.push(long_link(b"first"))),
    ("K of 300 bytes", |d| d.before.push(long_link(&[b'k'; 300]))),
    ("K no text", |d| d.before.push(long_link(b"k\xff"))),
    ("K empty", |d| d.before.push(special(b'K', b"").bytes())),
    ("K with more behind its NUL", |d| d.before.push(special(b'K', b"first\0tail\0").bytes())),
    ("K and L", |d| d.before.extend([long_link(b"first"), long(b"gnu-long")])),
    ("L and K", |d| d.before.extend([long(b"gnu-long"), long_link(b"first")])),
    ("L and L", |d| d.before.extend([long(b"one"), long(b"two")])),
    ("K and K", |d| d.before.extend([long_link(b"first"), long_link(b"dir")])),
    ("L twice the same", |d| d.before.extend([long(b"one"), long(b"one")])),
    ("x twice without records", |d| d.before.extend([extended(&[]), extended(&[])])),
    ("x and x", |d| d.before.extend([extended(&[("path", b"one")]), extended(&[("path", b"two")])])),
    ("x and another x", |d| d.before.extend([extended(&[("path", b"one")]), extended(&[("mtime", b"2")])])),
    ("x and L", |d| d.before.extend([extended(&[("path", b"pax-name")]), long(b"gnu-long")])),
    ("L and x", |d| d.before.extend([long(b"gnu-long"), extended(&[("path", b"pax-name")])])),
    ("x without a name and L", |d| d.before.extend([extended(&[("mtime", b"5")]), long(b"gnu-long")])),
    ("x with an empty name and L", |d| d.before.extend([extended(&[("path", b"")]), long(b"gnu-long")])),
    ("L between x and its entry", |d| {
        d.pax("mtime", b"7");
        d.between.push(long(b"gnu-long"));
    }),
    ("K between x and its entry", |d| {
        d.pax("linkpath", b"first");
        d.between.push(long_link(b"dir"));
    }),
    ("x with a size and L", |d| {
        d.body = hidden();
        d.before.extend([extended(&[("size", b"0")]), long(b"gnu-long")]);
    }),
    ("x with a large size and L", |d| {
        d.before.extend([extended(&[("size", b"1536")]), long(b"gnu-long")]);
    }),
    ("g with a comment", |d| d.before.push(global(&[("comment", b"c")]))),
    ("g with mtime", |d| d.before.push(global(&[("mtime", b"77")]))),
    ("g with uid", |d| d.before.push(global(&[("uid", b"77")]))),
    ("g with gid", |d| d.before.push(global(&[("gid", b"77")]))),
    ("g with uname", |d| d.before.push(global(&[("uname", b"global")]))),
    ("g with gname", |d| d.before.push(global(&[("gname", b"global")]))),
    ("g with path", |d| d.before.push(global(&[("path", b"global")]))),
    ("g with linkpath", |d| d.before.push(global(&[("linkpath", b"first")]))),
    ("g with size", |d| d.before.push(global(&[("size", b"0")]))),
    ("g with an empty path", |d| d.before.push(global(&[("path", b"")]))),
    ("g with hdrcharset", |d| d.before.push(global(&[("hdrcharset", b"BINARY")]))),
    ("g with an attribute", |d| d.before.push(global(&[("SCHILY.xattr.user.g", b"global")]))),
    ("g with a device", |d| d.before.push(global(&[("SCHILY.devmajor", b"9"), ("SCHILY.devminor", b"9")]))),
    ("g with realsize", |d| d.before.push(global(&[("SCHILY.realsize", b"0")]))),
    ("g with a sparse map", |d| {
        d.before.push(global(&[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"), ("GNU.sparse.realsize", b"9")]));
    }),
    ("g with a sparse name", |d| d.before.push(global(&[("GNU.sparse.name", b"global")]))),
    ("g empty", |d| d.before.push(special(b'g', b"").bytes())),
    ("g broken", |d| d.before.push(special(b'g', b"99 comment=c\n").bytes())),
    ("g twice", |d| d.before.extend([global(&[("comment", b"c")]), global(&[("comment", b"d")])])),
    ("g with mtime, then x", |d| {
        d.before.push(global(&[("mtime", b"77")]));
        d.pax("mtime", b"78.5");
    }),
    ("g with mtime, then an empty one", |d| {
        d.before.push(global(&[("mtime", b"77")]));
        d.pax("mtime", b"");
    }),
    ("g between x and its entry", |d| {
        d.pax("path", b"long");
        d.between.push(global(&[("comment", b"c")]));
    }),
    ("g between L and its entry", |d| {
        d.before.push(long(b"gnu-long"));
        d.between.push(global(&[("comment", b"c")]));
    }),
    ("g between K and its entry", |d| {
        d.before.push(long_link(b"first"));
        d.between.push(global(&[("comment", b"c")]));
    }),
    ("two zero blocks before it", |d| d.before.push(vec![0; 1024])),
    ("one zero block before it", |d| d.before.push(vec![0; 512])),
    ("two zero blocks between x and it", |d| {
        d.pax("path", b"long");
        d.between.push(vec![0; 1024]);
    }),
    ("a block of rubbish before it", |d| d.before.push(vec![b'r'; 512])),
    ("a type of Solaris before it", |d| d.before.push(special(b'X', &record(b"path", b"solaris")).bytes())),
    ("a volume label before it", |d| {
        let mut header = Draft::new(b"label", b'V');
        header.magic = *b"ustar  \0";
        d.before.push(header.bytes());
    }),
    ("GNU's old long name before it", |d| {
        let mut header = Draft::new(b"././@MaNgLeD", b'N');
        header.magic = *b"ustar  \0";
        header.body = b"Rename entry to mangled\n".to_vec();
        d.before.push(header.bytes());
    }),
];

/// What follows the last entry.
pub(crate) const ENDS: &[End] = &[
    ("end of two blocks", |tar| tar.extend([0; 1024])),
    ("end of a record", |tar| tar.resize((tar.len() + 1024).next_multiple_of(10_240), 0)),
    ("end of one block", |tar| tar.extend([0; 512])),
    ("end of nothing", |_| ()),
    ("end of half a block", |tar| tar.extend([0; 256])),
    ("end and half a block", |tar| tar.extend([0; 1280])),
    ("end of three blocks", |tar| tar.extend([0; 1536])),
    ("end and rubbish", |tar| tar.extend([[0; 512], [0; 512], [b'r'; 512]].concat())),
    ("end and an odd rest", |tar| tar.extend([&[0; 1024][..], b"rest"].concat())),
    ("end and another tar", |tar| tar.extend([vec![0; 1024], hidden(), vec![0; 1024]].concat())),
    ("end of one block and another tar", |tar| tar.extend([vec![0; 512], hidden(), vec![0; 1024]].concat())),
    ("end after x", |tar| tar.extend([extended(&[("path", b"nobody")]), vec![0; 1024]].concat())),
    ("end after L", |tar| tar.extend([long(b"nobody"), vec![0; 1024]].concat())),
    ("end after g", |tar| tar.extend([global(&[("comment", b"c")]), vec![0; 1024]].concat())),
    ("end within a header", |tar| tar.extend(&hidden()[..300])),
    ("end within a body", |tar| tar.extend(&hidden()[..520])),
    ("end within the fill", |tar| tar.extend(&hidden()[..600])),
    ("end before the fill", |tar| tar.extend(&hidden()[..531])),
    ("end before the body", |tar| tar.extend(&hidden()[..512])),
    ("end within x", |tar| tar.extend(&extended(&[("path", b"nobody")])[..514])),
    ("end of rubbish", |tar| tar.extend([b'r'; 512])),
    ("end of a byte", |tar| tar.push(0)),
];
