//! PAX records: the body of an extended header as a value.
//!
//! In: the whole body, already within its limit. Out: what it says about the next entry, all of it bytes. A
//! record that is not well formed refuses the archive (T7); of a key that stands twice the last record holds
//! (T4), as in every reader but one. Never applies itself: `scan` merges it with the header.

use super::attributes;
use super::number::{decimal, time};
use super::sparse::{self, SparseForm};
use crate::error::{Error, escape};
use crate::options::Limits;
use crate::rootfs::{Record, Time};

/// What an extended header says about the entry that follows.
#[derive(Debug, Default)]
pub(crate) struct Pax {
    pub(crate) path: Option<Box<[u8]>>,
    pub(crate) linkpath: Option<Box<[u8]>>,
    pub(crate) user: Option<Box<[u8]>>,
    pub(crate) group: Option<Box<[u8]>>,
    pub(crate) size: Option<u64>,
    pub(crate) uid: Option<u64>,
    pub(crate) gid: Option<u64>,
    pub(crate) mtime: Option<Time>,
    pub(crate) major: Option<u64>,
    pub(crate) minor: Option<u64>,
    /// Attributes to keep, sorted by key, unique.
    pub(crate) records: Vec<Record>,
    /// How many attributes of overlayfs were left out (M92).
    pub(crate) overlay: u64,
    pub(crate) sparse: Option<SparseForm>,
    /// Whether every record is one that we keep or read, and every reader reads alike.
    pub(crate) regular: bool,
}

type Pair<'a> = (&'a [u8], &'a [u8]);

impl Pax {
    /// Reads the body of a header of type `x`.
    pub(crate) fn parse(body: &[u8], limits: &Limits) -> Result<Self, Error> {
        let all = pairs(body)?;
        let (runs, mut pairs): (Vec<Pair<'_>>, Vec<Pair<'_>>) =
            all.into_iter().partition(|(key, _)| sparse::is_run(key));
        let mut pax = Self { regular: true, ..Self::default() };
        pairs.sort_by_key(|(key, _)| *key); // stable: equal keys stay in their order
        let mut last: Vec<Pair<'_>> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            match last.last_mut() {
                Some(before) if before.0 == pair.0 => {
                    *before = pair;
                    pax.regular = false;
                }
                _ => last.push(pair),
            }
        }
        let sparse: Vec<Pair<'_>> = last.iter().copied().filter(|(key, _)| key.starts_with(b"GNU.sparse.")).collect();
        pax.sparse = sparse::from_records(&sparse, &runs, limits)?;
        pax.regular &= sparse.is_empty() && runs.is_empty();
        let mut attributes = Vec::new();
        for (key, value) in last {
            if attributes::is_kept(key) {
                attributes.push((key, value));
            } else {
                pax.apply(key, value)?;
            }
        }
        let kept = attributes::select(&attributes, limits)?;
        pax.regular &= kept.records.len() == attributes.len();
        (pax.records, pax.overlay) = (kept.records, kept.overlay);
        Ok(pax)
    }

    /// One record that is no attribute. An empty value says nothing: the header's own field holds, as in Go (T9).
    fn apply(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        if value.is_empty() {
            self.regular = false;
            return Ok(());
        }
        let flaw =
            || Error::malformed(format!("the pax record \"{}\" has the value \"{}\"", escape(key), escape(value)));
        let number = || decimal(value).ok_or_else(flaw);
        // bsdtar refuses such a name where its locale cannot spell it, or it is no UTF-8, and composes its letters.
        self.regular &= value.is_ascii();
        match key {
            b"path" => self.path = Some(value.into()),
            b"linkpath" => self.linkpath = Some(value.into()),
            b"uname" => self.user = Some(value.into()),
            b"gname" => self.group = Some(value.into()),
            b"size" => self.size = Some(number()?),
            b"uid" => self.uid = Some(number()?),
            b"gid" => self.gid = Some(number()?),
            b"mtime" => self.mtime = Some(time(value).ok_or_else(flaw)?),
            b"atime" | b"ctime" => {
                time(value).ok_or_else(flaw)?;
                self.regular = false;
            }
            b"SCHILY.devmajor" => {
                self.major = Some(number()?);
                self.regular = false;
            }
            b"SCHILY.devminor" => {
                self.minor = Some(number()?);
                self.regular = false;
            }
            // Vendors' keys, comments, and `hdrcharset`, which no reader needs where names are bytes.
            _ => self.regular = false,
        }
        Ok(())
    }
}

/// Checks a global header (type `g`): what it says is not applied (T10), so what readers would apply
/// differently is refused (T11).
pub(crate) fn check_global(body: &[u8]) -> Result<(), Error> {
    for (key, _) in pairs(body)? {
        if matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse.") {
            let what =
                format!("a global pax header sets \"{}\" for all entries, which readers take differently", escape(key));
            return Err(Error::malformed(what));
        }
    }
    Ok(())
}

/// The records in their order: `LENGTH KEY=VALUE\n`, where the length counts the whole record.
fn pairs(mut body: &[u8]) -> Result<Vec<Pair<'_>>, Error> {
    let mut pairs = Vec::new();
    while !body.is_empty() {
        let (pair, rest) = pair(body).ok_or_else(|| Error::malformed("the pax header has a broken record"))?;
        check(pair)?;
        pairs.push(pair);
        body = rest;
    }
    Ok(pairs)
}

fn pair(body: &[u8]) -> Option<(Pair<'_>, &[u8])> {
    let space = body.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(body.get(..space)?)?).ok()?;
    let (record, rest) = body.split_at_checked(length)?;
    let record = record.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    let (key, value) = record.split_at_checked(equals)?;
    Some(((key, value.get(1..)?), rest))
}

/// T6: a NUL ends a name for some readers; in the values of all other keys it is a byte like any other (T5).
fn check((key, value): Pair<'_>) -> Result<(), Error> {
    if key.is_empty() || key.contains(&0) {
        return Err(Error::malformed("the pax header has a record without a proper key"));
    }
    let is_name = matches!(key, b"path" | b"linkpath" | b"uname" | b"gname" | b"GNU.sparse.name");
    if is_name && value.contains(&0) {
        return Err(Error::malformed(format!("the pax record \"{}\" contains a NUL byte", escape(key))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::testing::record;

    fn parse(body: &[u8]) -> Result<Pax, Error> {
        Pax::parse(body, &Limits::default())
    }

    #[test]
    fn t4_the_last_of_two_equal_keys_wins() {
        let pax = parse(b"9 path=a\n9 path=b\n").unwrap();
        assert_eq!((pax.path.as_deref(), pax.regular), (Some(&b"b"[..]), false));
        let pax = parse(b"9 path=a\n8 path=\n").unwrap();
        assert_eq!(pax.path, None, "the last one is empty, and so says nothing");
    }

    #[test]
    fn t7_a_broken_record_is_refused() {
        for body in [
            &b"11 path=a\n"[..],
            b"8 path=a\n",
            b"9 path=ab",
            b"path=a\n",
            b" path=a\n",
            b"+9 path=a\n",
            b"4 a\n",
            b"5 =b\n",
        ] {
            assert!(parse(body).is_err(), "{}", escape(body));
        }
        assert!(parse(b"9 path=a\n\0\0\0").is_err(), "zeros after the last record");
        assert!(parse(b"99999999999999999999999 path=a\n").is_err());
        assert!(parse(b"1 \n").is_err() && parse(b"0 a=b\n").is_err());
    }

    #[test]
    fn t9_an_empty_path_leaves_the_headers_name() {
        assert_eq!(parse(b"8 path=\n").unwrap().path, None);
    }

    #[test]
    fn t11_a_global_path_is_refused_and_a_global_comment_is_not() {
        assert!(check_global(b"13 comment=x\n").is_ok() && check_global(b"9 uid=10\n").is_ok());
        for key in ["path", "linkpath", "size", "GNU.sparse.map"] {
            assert!(check_global(&record(key, b"1")).unwrap_err().to_string().contains("for all entries"));
        }
        assert!(check_global(b"9 path=ab\n").is_err());
    }

    #[test]
    fn m87_large_owners_and_names_are_bytes() {
        let pax = parse(b"18 uid=4000000000\n11 uname=\xff\n12 gname=\xc3\xa9\n").unwrap();
        assert_eq!(
            (pax.uid, pax.user.as_deref(), pax.group.as_deref()),
            (Some(4_000_000_000), Some(&b"\xff"[..]), Some("é".as_bytes()))
        );
        assert!(!pax.regular);
    }

    #[test]
    fn a_name_that_is_no_ascii_is_never_copied_verbatim() {
        for name in ["e\u{308}".as_bytes(), "ë".as_bytes(), b"\xff"] {
            for key in ["path", "linkpath", "uname", "gname"] {
                let pax = parse(&[record(key, name), record("mtime", b"1.5")].concat()).unwrap();
                assert!(!pax.regular, "{key}={}", escape(name));
            }
        }
        assert!(parse(&record("path", b"ascii")).unwrap().regular);
    }

    #[test]
    fn an_unknown_key_is_ignored_and_never_copied_verbatim() {
        let pax = parse(b"21 hdrcharset=BINARY\n").unwrap();
        assert!(!pax.regular && pax.records.is_empty());
        assert!(!parse(b"13 atime=1.5\n").unwrap().regular);
        assert!(parse(b"11 atime=x\n").is_err());
    }
}
