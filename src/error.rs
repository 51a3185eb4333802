//! The one error type: where (archive, image, layer, entry), what is wrong, and the cause.
//!
//! Every kind has its exit code (hostile.md, "exit codes"). A message is one line, lower case, without a full
//! stop; bytes that come from an archive are escaped before they are shown.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// What went wrong, as a class with an exit code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused a read or a write: exit code 1.
    Io,
    /// The call itself makes no sense: a bad option, an output that is the input: exit code 2.
    Usage,
    /// The input breaks its format, or two readers would read it differently: exit code 3.
    Malformed,
    /// A digest or a size does not match: exit code 4.
    Integrity,
    /// The input is well formed and imgstrip does not handle it: exit code 5.
    Unsupported,
    /// A limit was exceeded: exit code 6.
    Limit,
    /// A gate that the caller set was not met (`--max-size`, `--min-saving`, `--strict`): exit code 7.
    Gate,
    /// A signal, whose number this is, ended the run: exit code 128 + n.
    Signal(u8),
}

impl ErrorKind {
    /// The process exit code of this class.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Io => 1,
            Self::Usage => 2,
            Self::Malformed => 3,
            Self::Integrity => 4,
            Self::Unsupported => 5,
            Self::Limit => 6,
            Self::Gate => 7,
            Self::Signal(number) => 128u8.saturating_add(number),
        }
    }
}

/// Which part of the input an error is about; each part is filled in by the ring that knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    archive: Option<String>,
    image: Option<String>,
    layer: Option<String>,
    entry: Option<String>,
}

/// An error of this crate: one line that says where, what, and what to do.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    place: Place,
    what: String,
    hint: Option<&'static str>,
    source: Option<io::Error>,
}

impl Error {
    /// An error of `kind` that says `what` is wrong, with no place yet.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, place: Place::default(), what: what.into(), hint: None, source: None }))
    }

    /// An I/O error, where `doing` names the action, as in `read the spill file`. An error of ours that
    /// travelled through an `io::Read` comes out as it went in.
    pub fn io(doing: impl Into<String>, source: io::Error) -> Self {
        if source.get_ref().is_some_and(|inner| inner.is::<Error>()) {
            if let Some(inner) = source.into_inner()
                && let Ok(error) = inner.downcast::<Error>()
            {
                return *error;
            }
            return Self::new(ErrorKind::Io, doing);
        }
        Self(Box::new(Inner {
            kind: ErrorKind::Io,
            place: Place::default(),
            what: doing.into(),
            hint: None,
            source: Some(source),
        }))
    }

    /// A [`ErrorKind::Malformed`] error.
    pub fn malformed(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed, what)
    }

    /// A [`ErrorKind::Integrity`] error.
    pub fn integrity(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Integrity, what)
    }

    /// A [`ErrorKind::Unsupported`] error.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, what)
    }

    /// A [`ErrorKind::Limit`] error.
    pub fn limit(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, what)
    }

    /// A [`ErrorKind::Usage`] error.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, what)
    }

    /// Says what the user can do about it, as in `give --image`.
    #[must_use]
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.0.hint = Some(hint);
        self
    }

    /// Whether this is what it says the user can do.
    pub(crate) fn has_hint(&self, hint: &str) -> bool {
        self.0.hint == Some(hint)
    }

    /// At the place of another error, whose cause this one tells better.
    pub(crate) fn in_place_of(mut self, other: Self) -> Self {
        self.0.place = other.0.place;
        self
    }

    /// Names the archive, unless an inner ring did.
    #[must_use]
    pub fn in_archive(mut self, archive: impl Into<String>) -> Self {
        self.0.place.archive.get_or_insert_with(|| archive.into());
        self
    }

    /// Names the image, unless an inner ring did.
    #[must_use]
    pub fn in_image(mut self, image: impl Into<String>) -> Self {
        self.0.place.image.get_or_insert_with(|| image.into());
        self
    }

    /// Names the layer (`layer 3/7 sha256:...`), unless an inner ring did.
    #[must_use]
    pub fn in_layer(mut self, layer: impl Into<String>) -> Self {
        self.0.place.layer.get_or_insert_with(|| layer.into());
        self
    }

    /// Names the entry by its raw bytes, unless an inner ring did; of a long name only the start and the end.
    #[must_use]
    pub fn at_entry(mut self, name: &[u8]) -> Self {
        self.0.place.entry.get_or_insert_with(|| escape_short(name));
        self
    }

    /// The class of this error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { place, what, hint, source, .. } = &*self.0;
        for part in [&place.archive, &place.image, &place.layer].into_iter().flatten() {
            write!(f, "{}: ", shown(part))?;
        }
        if let Some(entry) = &place.entry {
            write!(f, "entry \"{entry}\": ")?;
        }
        f.write_str(&shown(what))?;
        if let Some(source) = source {
            write!(f, ": {}", shown(&source.to_string()))?;
        }
        if let Some(hint) = hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

impl From<Error> for io::Error {
    /// Lets an error of ours travel through an `io::Read`; [`Error::io`] takes it out again.
    fn from(error: Error) -> Self {
        io::Error::other(error)
    }
}

/// How many bytes of a name stand in a message.
const SHOWN: usize = 200;

/// How many bytes of a part of a message are shown: a media type may have a megabyte.
const LONGEST: usize = 1000;

/// A part of a message, with the middle of a long one left out, and nothing that a terminal obeys: paths and other people's messages were
/// never escaped.
fn shown(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() || is_format_character(c);
    if text.len() <= LONGEST && !text.contains(obeyed) {
        return text.into();
    }
    let clean = |c: char| if obeyed(c) { escape(c.encode_utf8(&mut [0; 4]).as_bytes()) } else { c.to_string() };
    if text.len() <= LONGEST {
        return text.chars().map(clean).collect::<String>().into();
    }
    let start: String = text.chars().take(LONGEST / 4).map(clean).collect();
    let end: Vec<String> = text.chars().rev().take(LONGEST / 4).map(clean).collect();
    let left = text.len().saturating_sub(LONGEST / 2);
    format!("{start}[... {left} bytes ...]{}", end.into_iter().rev().collect::<String>()).into()
}

/// As [`escape`], with the middle of a long name left out: a message is one line that a person reads.
fn escape_short(name: &[u8]) -> String {
    let half = SHOWN / 2;
    match (name.get(..half), name.get(name.len().saturating_sub(half)..)) {
        (Some(start), Some(end)) if name.len() > SHOWN => {
            format!("{}[... {} bytes ...]{}", escape(start), name.len().saturating_sub(SHOWN), escape(end))
        }
        _ => escape(name),
    }
}

/// Shows bytes from an archive on one line of a terminal: valid UTF-8 stays, control characters, quotes,
/// backslashes and invalid bytes become `\n`, `\"`, `\\` or `\xNN`.
pub fn escape(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => shown.extend(['\\', character]),
                '\n' => shown.push_str("\\n"),
                '\t' => shown.push_str("\\t"),
                '\r' => shown.push_str("\\r"),
                c if c.is_ascii_control() => shown.push_str(&format!("\\x{:02x}", u32::from(c))),
                // Right-to-left marks and other format characters can make a name lie on a terminal.
                c if c.is_control() || is_format_character(c) => shown.extend(c.escape_unicode()),
                c => shown.push(c),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

fn is_format_character(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_where_then_what_then_what_to_do() {
        let error = Error::malformed("the header checksum is wrong")
            .hint("save the image again")
            .at_entry(b"a/\x1b[31mb\xff")
            .in_layer("layer 3/7 sha256:abcd")
            .in_archive("in.tar");
        assert_eq!(
            error.to_string(),
            "in.tar: layer 3/7 sha256:abcd: entry \"a/\\x1b[31mb\\xff\": the header checksum is wrong; save the image again"
        );
    }

    #[test]
    fn of_a_long_name_only_the_start_and_the_end_are_shown() {
        let error = Error::malformed("x").at_entry(&[b'a'; 1000]);
        assert_eq!(error.to_string(), format!("entry \"{0}[... 800 bytes ...]{0}\": x", "a".repeat(100)));
    }

    #[test]
    fn a_message_is_never_longer_than_a_person_reads() {
        let long = Error::malformed(format!("a{}z", "é".repeat(1 << 20))).in_image("i".repeat(5000)).to_string();
        assert!(
            long.len() < 3000 && long.starts_with("iii") && long.contains(": aéé") && long.ends_with("éz"),
            "{long}"
        );
    }

    #[test]
    fn nothing_in_a_message_reaches_the_terminal_as_it_is() {
        let error = Error::io("open a\x1b[31m\nb", io::Error::other("\x07")).in_archive("in\u{202e}.tar");
        assert_eq!(error.to_string(), "in\\u{202e}.tar: open a\\x1b[31m\\nb: \\x07");
    }

    #[test]
    fn the_innermost_place_wins() {
        let error = Error::malformed("x").in_layer("layer 1/2").in_layer("layer 2/2");
        assert_eq!(error.to_string(), "layer 1/2: x");
    }

    #[test]
    fn an_error_survives_the_trip_through_a_reader() {
        let through: io::Error = Error::limit("too big").into();
        assert_eq!(Error::io("read", through).kind(), ErrorKind::Limit);
    }

    #[test]
    fn every_kind_has_its_exit_code() {
        use ErrorKind::*;
        let codes = [Io, Usage, Malformed, Integrity, Unsupported, Limit, Gate, Signal(2), Signal(15)]
            .map(ErrorKind::exit_code);
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 130, 143]);
    }
}
