//! The text form of Debian's control data: paragraphs of fields, apart by blank lines (deb-control(5)).
//!
//! In: bytes. Out: the fields that are asked for, and where each paragraph lies. As strict as dpkg where it reads its own files: a line
//! that is no field, or a field twice, is an error, because what is guessed here is dropped later.

use crate::error::{Error, escape};
use std::ops::Range;

/// The fields that this crate reads, as [`Paragraph::field`] takes them.
const KNOWN: [&str; 17] = [
    "Package",
    "Status",
    "Version",
    "Architecture",
    "Multi-Arch",
    "Priority",
    "Essential",
    "Important",
    "Protected",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Auto-Installed",
    "Triggers-Awaited",
    "Conffiles",
];

/// One paragraph.
#[derive(Debug, Clone)]
pub(super) struct Paragraph<'a> {
    /// Where it lies in the text, with the blank lines after it.
    pub(super) range: Range<usize>,
    fields: [Option<&'a [u8]>; KNOWN.len()],
}

impl<'a> Paragraph<'a> {
    /// The value of a field, its further lines included, without blanks around it.
    pub(super) fn field(&self, name: &str) -> Option<&'a [u8]> {
        let known = KNOWN.iter().position(|known| *known == name)?;
        self.fields.get(known).copied().flatten()
    }

    /// A value that must be there and be one word of text.
    pub(super) fn word(&self, name: &str) -> Result<&'a str, Error> {
        let value = self.field(name).ok_or_else(|| Error::malformed(format!("a paragraph has no {name}")))?;
        let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| Error::malformed(format!("{name} is no word: \"{}\"", escape(value))))
    }

    /// Whether a field says `yes`.
    pub(super) fn says_yes(&self, name: &str) -> bool {
        self.field(name).is_some_and(|value| value.eq_ignore_ascii_case(b"yes"))
    }

    fn is_empty(&self) -> bool {
        self.range.is_empty()
    }
}

/// The lines of a text, each with its line feed, if it has one.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n')
}

/// Reads all paragraphs.
pub(super) fn paragraphs(text: &[u8]) -> Result<Vec<Paragraph<'_>>, Error> {
    if text.contains(&0) {
        return Err(Error::malformed("it contains a NUL byte"));
    }
    let mut found: Vec<Paragraph<'_>> = Vec::new();
    let empty = |at| Paragraph { range: at..at, fields: [None; KNOWN.len()] };
    let mut here = empty(0);
    let mut open = None;
    let mut at = 0usize;
    let mut closed = false;
    for line in lines(text) {
        let start = at;
        at = at.saturating_add(line.len());
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        if bare.is_empty() {
            closed = true;
            here.range.end = at;
            continue;
        }
        if std::mem::take(&mut closed) {
            let done = std::mem::replace(&mut here, empty(start));
            // Blank lines at the start belong to no paragraph.
            found.extend((open.is_some()).then_some(done));
            open = None;
        }
        here.range.end = at;
        if bare.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            let Some((field, from)) = open else { return Err(Error::malformed("it begins within a field")) };
            if bare.trim_ascii().is_empty() {
                return Err(Error::malformed("a field has a line of blanks"));
            }
            set(&mut here, field, text.get(from..at));
            continue;
        }
        let colon = bare.iter().position(|&byte| byte == b':').filter(|&colon| colon > 0);
        let (name, _) = colon.and_then(|colon| bare.split_at_checked(colon)).ok_or_else(|| {
            Error::malformed(format!("not a field: \"{}\"", escape(bare.get(..bare.len().min(60)).unwrap_or_default())))
        })?;
        let field = KNOWN.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name));
        if field.and_then(|field| here.fields.get(field)).is_some_and(Option::is_some) {
            return Err(Error::malformed(format!("a paragraph has two fields {}", escape(name))));
        }
        let from = start.saturating_add(name.len()).saturating_add(1);
        set(&mut here, field, text.get(from..at));
        open = Some((field, from));
    }
    if open.is_some() && !here.is_empty() {
        found.push(here);
    }
    Ok(found)
}

fn set<'a>(paragraph: &mut Paragraph<'a>, field: Option<usize>, value: Option<&'a [u8]>) {
    if let Some(place) = field.and_then(|field| paragraph.fields.get_mut(field)) {
        *place = value.map(<[u8]>::trim_ascii);
    }
}

/// The text without some paragraphs; `None` where none of them goes.
pub(super) fn without(text: &[u8], ranges: &[Range<usize>]) -> Option<Vec<u8>> {
    if ranges.is_empty() {
        return None;
    }
    let mut kept = Vec::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        kept.extend_from_slice(text.get(at..range.start).unwrap_or_default());
        at = range.end;
    }
    kept.extend_from_slice(text.get(at..).unwrap_or_default());
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] =
        b"Package: a\nStatus: install ok installed\nDepends: x,\n y\nUnknown: 1\n\nPackage: b\nStatus: s\n\n";

    #[test]
    fn a_value_goes_on_over_lines_and_names_have_no_case() {
        let found = paragraphs(TWO).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].field("Depends"), Some(&b"x,\n y"[..]));
        assert_eq!(found[1].word("Package").unwrap(), "b");
        assert_eq!(paragraphs(b"PACKAGE: a\n").unwrap()[0].field("Package"), Some(&b"a"[..]));
    }

    #[test]
    fn what_is_left_keeps_its_bytes() {
        let found = paragraphs(TWO).unwrap();
        assert_eq!(without(TWO, &[found[0].range.clone()]).unwrap(), b"Package: b\nStatus: s\n\n");
        assert_eq!(without(TWO, &[found[1].range.clone()]).unwrap(), &TWO[..found[0].range.end]);
        assert_eq!(without(TWO, &[]), None);
        assert_eq!(found[1].range.end, TWO.len());
    }

    #[test]
    fn what_dpkg_refuses_is_an_error() {
        for text in [&b" x\n"[..], b"a\n", b": x\n", b"Package: a\n \n", b"Package: a\nPackage: b\n", b"Package: \0\n"]
        {
            assert!(paragraphs(text).is_err(), "{}", escape(text));
        }
        assert!(paragraphs(b"\n\n").unwrap().is_empty());
        assert!(paragraphs(b"Package:\n").unwrap()[0].word("Package").is_err());
    }
}
