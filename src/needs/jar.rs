//! The other jars that a jar's manifest names. In: the bytes of a jar, read where they are asked for. Out: the URLs of `Class-Path`, as
//! they are spelled. What is no jar, or has no manifest, names nothing.
//!
//! Debian's jasper.jar finds the JSP compiler only this way: Tomcat started without it, and no page worked.

use crate::error::Error;
use crate::rootfs::{Content, Files};
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes of a manifest; that of a fat jar lists a digest for every class.
const MANIFEST: u64 = 16 << 20;

/// Bytes that may be read of a jar: its directory takes memory, and the one of the largest real jar has 8 MiB.
const READ: u64 = 48 << 20;

/// Names in one `Class-Path`.
const NAMES: usize = 4096;

/// Bytes read at once: the central directory of a jar is read in small pieces.
const BUFFER: usize = 32 << 10;

/// The words of the `Class-Path` of a jar.
///
/// # Errors
///
/// As [`Files::read_at`]; a broken jar is none.
pub(super) fn class_path(files: &dyn Files, content: &Content) -> Result<Vec<Vec<u8>>, Error> {
    let mut failed = None;
    let manifest = {
        let reader = Reader { files, content, at: 0, left: READ, failed: &mut failed };
        manifest(io::BufReader::with_capacity(BUFFER, reader))
    };
    match failed {
        Some(error) => Err(error),
        None => Ok(manifest.map(|manifest| words(&manifest)).unwrap_or_default()),
    }
}

fn manifest(reader: impl Read + Seek) -> Option<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(reader).ok()?;
    let manifest = archive.by_name("META-INF/MANIFEST.MF").ok()?;
    let mut bytes = Vec::new();
    // A name like any other says nothing about its size: what is read is what counts.
    manifest.take(MANIFEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The words of `Class-Path` in the main section of a manifest. A line that begins with a space continues the one before it.
fn words(manifest: &[u8]) -> Vec<Vec<u8>> {
    let mut value: Option<Vec<u8>> = None;
    for line in manifest.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (&mut value, line.split_first()) {
            (_, None) => break,
            (Some(value), Some((b' ', more))) => value.extend_from_slice(more),
            (Some(_), _) => break,
            (None, _) => {
                let (name, rest) = line.split_at_checked(b"Class-Path:".len()).unwrap_or((line, &[]));
                if name.eq_ignore_ascii_case(b"Class-Path:") {
                    value = Some(rest.into());
                }
            }
        }
    }
    let value = value.unwrap_or_default();
    let words = value.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    words.take(NAMES).map(Into::into).collect()
}

/// Where a URL of a `Class-Path` leads from the directory of the jar: as a path that begins there, or at the root. `None` for another
/// scheme than `file:`.
pub(super) fn path_of(url: &[u8]) -> Option<Vec<u8>> {
    let path = match url.strip_prefix(b"file:") {
        Some(path) => path.strip_prefix(b"//").unwrap_or(path),
        None if url.windows(3).any(|window| window == b"://") => return None,
        None => url,
    };
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.split_at_checked(2).filter(|_| first == b'%').and_then(|(digits, tail)| {
            let code = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            Some((code, tail))
        });
        let (byte, tail) = code.unwrap_or((first, tail));
        bytes.push(byte);
        rest = tail;
    }
    Some(bytes)
}

/// A content as a stream; the first error of the files behind it is kept.
struct Reader<'a> {
    files: &'a dyn Files,
    content: &'a Content,
    at: u64,
    /// Bytes that may still be read.
    left: u64,
    failed: &'a mut Option<Error>,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.content.size {
            return Ok(0);
        }
        if self.left == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match self.files.read_at(self.content, self.at, buffer) {
            Ok(count) => {
                self.at = self.at.saturating_add(count as u64);
                self.left = self.left.saturating_sub(count as u64);
                Ok(count)
            }
            Err(error) => {
                self.failed.get_or_insert(error);
                Err(io::ErrorKind::InvalidData.into())
            }
        }
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.content.size.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::testing::Owned;
    use std::io::Write;

    fn jar(manifest: &[u8]) -> Content {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        for (name, bytes) in [("A.class", &b"x"[..]), ("META-INF/MANIFEST.MF", manifest)] {
            writer.start_file(name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        Content::owned(writer.finish().unwrap().into_inner())
    }

    fn names(manifest: &str) -> Vec<String> {
        let words = class_path(&Owned, &jar(manifest.as_bytes())).unwrap();
        words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn a_class_path_goes_on_behind_the_end_of_its_line() {
        assert_eq!(
            names("Manifest-Version: 1.0\r\nClass-Path: a.jar lib/b\r\n .jar\r\n  c.jar\r\nMain-Class: X\r\n"),
            ["a.jar", "lib/b.jar", "c.jar"]
        );
        assert_eq!(names("class-path: a.jar"), ["a.jar"]);
    }

    #[test]
    fn only_the_main_section_counts() {
        assert_eq!(names("Manifest-Version: 1.0\n\nName: x\nClass-Path: a.jar\n"), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_jar_names_nothing() {
        for bytes in [
            &b""[..],
            b"PK\x03\x04",
            b"PK\x05\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"text",
        ] {
            assert_eq!(class_path(&Owned, &Content::owned(bytes)).unwrap(), Vec::<Vec<u8>>::new());
        }
    }

    #[test]
    fn a_url_is_a_path_from_the_jar_or_from_the_root() {
        assert_eq!(path_of(b"lib/a%20b.jar"), Some(b"lib/a b.jar".to_vec()));
        assert_eq!(path_of(b"file:/usr/share/java/x.jar"), Some(b"/usr/share/java/x.jar".to_vec()));
        assert_eq!(path_of(b"file:///x.jar"), Some(b"/x.jar".to_vec()));
        assert_eq!(path_of(b"http://host/x.jar"), None);
        assert_eq!(path_of(b"100%"), Some(b"100%".to_vec()));
    }
}
