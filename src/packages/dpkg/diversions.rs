//! Diversions (dpkg-divert(1)): a file of one package is put under another name, so that another package may put its own there.
//!
//! In: `diversions`, three lines a record: the name, the other name, the package that asked, `:` where the user did. Out: where a
//! package's path really is, and the text without some records.

use crate::error::Error;
use crate::rootfs::RootPath;
use std::collections::HashMap;

/// All records.
#[derive(Debug, Default)]
pub(super) struct Diversions(HashMap<RootPath, (RootPath, Box<[u8]>)>);

impl Diversions {
    /// Reads the file.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Error> {
        let mut found = HashMap::new();
        for [from, to, by] in records(text)? {
            let is_path = |path: &[u8]| path.first() == Some(&b'/') && !path.contains(&0);
            if !is_path(bare(from)) || !is_path(bare(to)) || bare(by).is_empty() {
                return Err(Error::malformed("a diversion is no pair of paths"));
            }
            found.insert(RootPath::clamped(bare(from)), (RootPath::clamped(bare(to)), bare(by).into()));
        }
        Ok(Self(found))
    }

    /// The diversion of a path that a package lists: where its file really is, and who asked; `None` where it is in its place.
    pub(super) fn of(&self, path: &RootPath, package: &str) -> Option<(&RootPath, &[u8])> {
        let (to, by) = self.0.get(path)?;
        (**by != *package.as_bytes()).then_some((to, &**by))
    }
}

/// The text without the records of packages for which `goes` holds; `None` where nothing goes.
pub(super) fn without(text: &[u8], goes: &dyn Fn(&[u8]) -> bool) -> Result<Option<Vec<u8>>, Error> {
    let mut kept = Vec::with_capacity(text.len());
    for record in records(text)? {
        if !goes(bare(record[2])) {
            record.iter().for_each(|line| kept.extend_from_slice(line));
        }
    }
    Ok((kept.len() != text.len()).then_some(kept))
}

fn records(text: &[u8]) -> Result<Vec<[&[u8]; 3]>, Error> {
    let broken = || Error::malformed("the diversions are not three lines each");
    if !text.is_empty() && text.last() != Some(&b'\n') {
        return Err(broken());
    }
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    lines.chunks(3).map(|lines| lines.try_into().map_err(|_| broken())).collect()
}

fn bare(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"/bin/sh\n/bin/sh.distrib\ndash\n/usr/bin/man\n/usr/bin/man.REAL\n:\n";

    #[test]
    fn a_diverted_path_is_elsewhere_for_all_but_who_asked() {
        let diversions = Diversions::parse(TEXT).unwrap();
        let sh = RootPath::clamped(b"bin/sh");
        assert_eq!(diversions.of(&sh, "dash"), None);
        assert_eq!(diversions.of(&sh, "bash"), Some((&RootPath::clamped(b"bin/sh.distrib"), &b"dash"[..])));
        assert!(diversions.of(&RootPath::clamped(b"usr/bin/man"), "man-db").is_some());
    }

    #[test]
    fn records_go_whole_and_a_broken_file_is_an_error() {
        let kept = without(TEXT, &|by| by == b"dash").unwrap().unwrap();
        assert_eq!(kept, b"/usr/bin/man\n/usr/bin/man.REAL\n:\n");
        assert_eq!(without(TEXT, &|_| false).unwrap(), None);
        for end in 1..TEXT.len() {
            let whole = end == 29;
            assert_eq!(Diversions::parse(&TEXT[..end]).is_ok(), whole, "{end}");
        }
    }
}
