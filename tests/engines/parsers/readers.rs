//! The other readers: Go's archive/tar, GNU tar, Python's tarfile, libarchive. In: paths of tars. Out: what each sees.
//!
//! Go, Python and libarchive get all tars in one process. GNU tar has a process for each: it lists verbosely into a
//! file while it writes the contents of all files to its output, and to nowhere else.

use crate::engine::{optional, run};
use crate::parsers::listing::{Item, Listing, hex};
use crate::parsers::ours;
use imgstrip::rootfs::Time;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Their names, Go first: it is the one that engines read layers with.
pub(crate) const READERS: [&str; 4] = ["go", "gnutar", "bsdtar", "python"];

/// All four.
pub(crate) struct Readers {
    /// A place of our own, where programs and lists lie.
    pub(crate) directory: tempfile::TempDir,
}

impl Readers {
    pub(crate) fn reach() -> Option<Self> {
        // Thousands of small files: in memory, where there is a place for them.
        let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let directory = memory.unwrap();
        let build = |_| {
            run(Command::new("tar").arg("--version"))?;
            run(Command::new("python3").args(["-c", "import ctypes; ctypes.CDLL('libarchive.so.13')"]))?;
            let (cache, source) = (directory.path().join("cache"), directory.path().join("list.go"));
            fs::write(&source, include_str!("list.go")).unwrap();
            let mut go = Command::new("go");
            go.args(["build", "-o"]).arg(directory.path().join("list")).arg(&source);
            run(go.env("GOCACHE", cache).env("GO111MODULE", "off").env("GOTOOLCHAIN", "local"))
        };
        let named = std::env::var("IMGSTRIP_ENGINES_DIR").map_err(|_| "IMGSTRIP_ENGINES_DIR is not set".to_owned());
        let found = optional("Go, GNU tar, libarchive or Python", named.and_then(build));
        found.map(|_| Self { directory })
    }

    /// Their versions, for the record.
    pub(crate) fn versions() -> String {
        let first = |program: &str, arguments: &[&str]| {
            let text = run(Command::new(program).args(arguments)).unwrap_or_default();
            text.lines().next().unwrap_or_default().to_owned()
        };
        let libarchive = "import ctypes; l = ctypes.CDLL('libarchive.so.13'); l.archive_version_string.restype = ctypes.c_char_p; print(l.archive_version_string().decode())";
        [
            first("go", &["version"]),
            first("tar", &["--version"]),
            first("python3", &["-c", libarchive]),
            first("python3", &["--version"]),
        ]
        .join("; ")
    }

    /// What one of them sees in each tar.
    pub(crate) fn list(&self, reader: &str, tars: &[PathBuf]) -> Vec<Listing> {
        match reader {
            "go" => self.batch(&mut Command::new(self.directory.path().join("list")), reader, tars),
            "python" => self.batch(Command::new("python3").args(["-c", include_str!("tarfile_list.py")]), reader, tars),
            "bsdtar" => {
                self.batch(Command::new("python3").args(["-c", include_str!("libarchive_list.py")]), reader, tars)
            }
            _ => self.gnu(tars),
        }
    }

    fn batch(&self, command: &mut Command, name: &str, tars: &[PathBuf]) -> Vec<Listing> {
        let list = self.directory.path().join(name).with_extension("list");
        fs::write(&list, tars.iter().map(|tar| format!("{}\n", tar.display())).collect::<String>()).unwrap();
        command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("PYTHONIOENCODING", "utf-8");
        let text = run(command.stdin(File::open(&list).unwrap())).unwrap_or_else(|why| panic!("{name}: {why}"));
        let mut found: BTreeMap<String, Listing> = Listing::parse(&text);
        tars.iter().map(|tar| found.remove(&tar.display().to_string()).unwrap()).collect()
    }

    /// Two at a time.
    fn gnu(&self, tars: &[PathBuf]) -> Vec<Listing> {
        let half = tars.len().div_ceil(2).max(1);
        std::thread::scope(|scope| {
            let threads: Vec<_> = tars
                .chunks(half)
                .enumerate()
                .map(|(number, tars)| {
                    let place = self.directory.path().join(format!("gnu{number}"));
                    fs::create_dir_all(&place).unwrap();
                    scope.spawn(move || tars.iter().map(|tar| gnu(tar, &place)).collect::<Vec<_>>())
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    }
}

fn gnu(tar: &Path, place: &Path) -> Listing {
    let index = place.with_extension("index");
    let mut command = Command::new("tar");
    command.current_dir(place).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").stdin(Stdio::null());
    command.args(["--full-time", "--numeric-owner", "--quoting-style=escape", "-xvvO"]);
    let mut option = std::ffi::OsString::from("--index-file=");
    option.push(&index);
    let output = command.arg(option).arg("-f").arg(tar).output().unwrap();
    let text = fs::read(&index).unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"block "));
    let mut listing = Listing { content: hex(&Sha256::digest(&output.stdout)), ..Listing::default() };
    let mut width = 16;
    for line in lines {
        match line_of_gnu(line, &mut width) {
            Some(item) => listing.items.push(item),
            None => listing.error = Some(format!("a line: {}", line.escape_ascii())),
        }
    }
    if !output.status.success() {
        listing.error = Some(String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; "));
    }
    // Nothing may be written here: all goes to standard output.
    assert!(fs::read_dir(place).unwrap().next().is_none(), "{} was unpacked", tar.display());
    listing
}

/// `-rw-r--r-- 5/6   15 2001-09-09 01:46:40 entry`; the time is padded to the width of the longest one so far.
fn line_of_gnu(line: &[u8], width: &mut usize) -> Option<Item> {
    let word = |from: usize| {
        let start = from + line.get(from..)?.iter().position(|byte| *byte != b' ')?;
        let end = line[start..].iter().position(|byte| *byte == b' ').map_or(line.len(), |length| start + length);
        Some((start, end, std::str::from_utf8(&line[start..end]).ok()?))
    };
    let (_, end, modes) = word(0)?;
    let (_, end, owner) = word(end)?;
    let (_, end, size) = word(end)?;
    let (start, end, date) = word(end)?;
    let (seconds, end) = match date.rfind('-').filter(|at| *at > 0) {
        Some(_) => {
            let (_, end, clock) = word(end)?;
            (instant(date, clock)?, end)
        }
        None => (Time { seconds: date.parse().ok()?, nanos: 0 }, end),
    };
    *width = (*width).max(end - start);
    let rest = line.get(start + *width + 1..)?;
    let (kind, more) = match modes.as_bytes()[0] {
        b'-' | b'C' => ("f", None),
        b'h' => ("h", Some(&b" link to "[..])),
        b'l' => ("l", Some(&b" -> "[..])),
        b'd' => ("d", None),
        b'c' => ("c", None),
        b'b' => ("b", None),
        b'p' => ("p", None),
        _ => ("?", None),
    };
    let at = more.and_then(|more| rest.windows(more.len()).position(|window| window == more));
    let (name, link) = match (at, more) {
        (Some(at), Some(more)) => (&rest[..at], &rest[at + more.len()..]),
        _ => (rest, &b""[..]),
    };
    let is_device = matches!(kind, "c" | "b");
    Some(Item {
        kind: kind.into(),
        mode: mode(modes)?,
        owner: owner.replace('/', ":"),
        time: ours::time(seconds),
        size: if kind == "f" { size.into() } else { "-".into() },
        name: unescape(name),
        link: unescape(link),
        device: if is_device { size.into() } else { "-".into() },
        ..Item::default()
    })
}

/// `rwsr-xr-t` as octal digits.
fn mode(text: &str) -> Option<String> {
    let mut mode = 0;
    for (at, byte) in text.bytes().skip(1).take(9).enumerate() {
        if !matches!(byte, b'-' | b'S' | b'T') {
            mode |= 0o400 >> at;
        }
        if matches!(byte, b's' | b'S' | b't' | b'T') {
            mode |= 0o4000 >> (at / 3);
        }
    }
    Some(format!("{mode:o}")).filter(|_| text.len() == 10)
}

/// A date and a clock of UTC.
fn instant(date: &str, clock: &str) -> Option<Time> {
    let (rest, day) = date.rsplit_once('-')?;
    let (year, month) = rest.rsplit_once('-')?;
    let (clock, nanos) = clock.split_once('.').unwrap_or((clock, ""));
    let clock: Vec<i64> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (year, month, day): (i64, i64, i64) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    // Days from the civil date: years begin in March, so that the leap day is the last one.
    let year = year - i64::from(month <= 2);
    let (era, month) = (year.div_euclid(400), (month + 9) % 12);
    let of_era = year.rem_euclid(400);
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2];
    Some(Time { seconds, nanos: format!("{nanos:0<9}").parse().ok()? })
}

/// GNU's `--quoting-style=escape`.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((byte, more)) = rest.split_first() {
        rest = more;
        let (b'\\', Some(escaped)) = (*byte, more.first()) else {
            bytes.push(*byte);
            continue;
        };
        let digits = more.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
        if digits == 3 {
            bytes.push(more[..3].iter().fold(0u8, |value, digit| value.wrapping_mul(8).wrapping_add(digit & 7)));
            rest = &more[3..];
        } else {
            bytes.push(match escaped {
                b'a' => 7,
                b'b' => 8,
                b't' => b'\t',
                b'n' => b'\n',
                b'v' => 11,
                b'f' => 12,
                b'r' => b'\r',
                other => *other,
            });
            rest = &more[1..];
        }
    }
    bytes
}

#[test]
fn a_line_of_gnu_tar_is_read() {
    let mut width = 16;
    let mut read = |line: &str| line_of_gnu(line.as_bytes(), &mut width).unwrap();
    let item = read("-rwSr-xr-t 5/6              15 2001-09-09 01:46:40.5 \\303\\244 b\\n");
    assert_eq!((&*item.mode, &*item.owner, &*item.time, &*item.size), ("5655", "5:6", "1000000000.500000000", "15"));
    assert_eq!(item.name, "ä b\n".as_bytes());
    let item = read("hrwxrwsrwx 0/0               0 1901-12-13 20:45:51   b link to a");
    assert_eq!((&*item.kind, &*item.mode, &*item.time), ("h", "2777", "-2147483649.000000000"));
    assert_eq!((&*item.name, &*item.link), (&b"b"[..], &b"a"[..]));
}
