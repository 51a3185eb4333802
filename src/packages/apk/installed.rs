//! The file `installed`: a paragraph a package, a line a field, `F:` a directory and `R:` a file of the directory before.
//!
//! In: its bytes. Out: packages, or the same lines without some. Lines that stay keep their bytes; `Z:` and `a:` go with their `R:`, `M:` with
//! its `F:`, and no `R:` stays without its `F:` (apko#1807).

use super::names::names;
use crate::error::Error;
use crate::packages::budget::Budget;
use crate::packages::package::{AnyOf, Fixed, Package};
use crate::rootfs::RootPath;

/// A package, and how the files beside `installed` call it.
#[derive(Debug)]
pub(super) struct Record {
    /// The package.
    pub(super) package: Package,
    /// `C:`, by which `triggers` names it.
    pub(super) checksum: Box<[u8]>,
}

/// The paragraphs, each with the empty line that ends it.
pub(super) fn paragraphs(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut length = 0usize;
        let mut is_blank = true;
        for line in rest.split_inclusive(|&byte| byte == b'\n') {
            // As apk reads it: whatever is shorter than a field's name ends a package.
            let ends = line.strip_suffix(b"\n").unwrap_or(line).len() < 2;
            if ends && is_blank {
                rest = rest.get(line.len()..)?;
                continue;
            }
            is_blank = false;
            length = length.saturating_add(line.len());
            if ends {
                break;
            }
        }
        let (paragraph, after) = rest.split_at_checked(length).filter(|_| length > 0)?;
        rest = after;
        Some(paragraph)
    })
}

/// The fields of a paragraph, with their lines.
fn fields(paragraph: &[u8]) -> impl Iterator<Item = Result<(u8, &[u8], &[u8]), Error>> {
    paragraph.split_inclusive(|&byte| byte == b'\n').filter(|line| line.trim_ascii_end().len() > 1).map(|line| {
        match line.strip_suffix(b"\n").unwrap_or(line) {
            [field, b':', value @ ..] => Ok((*field, value, line)),
            _ => Err(Error::malformed("a line of apk's database is no field")),
        }
    })
}

/// Reads a paragraph.
pub(super) fn record(paragraph: &[u8], budget: &mut Budget) -> Result<Record, Error> {
    let mut package = Package::default();
    let mut checksum: Box<[u8]> = Box::default();
    let mut directory = None;
    for field in fields(paragraph) {
        let (field, value, _) = field?;
        match field {
            b'P' => package.name = budget.name(value)?.into(),
            b'V' => package.version = budget.name(value)?.into(),
            b'A' => package.architecture = budget.name(value)?.into(),
            b'C' => checksum = value.into(),
            b'D' => package.depends = alone(names(value, budget)?),
            b'i' => package.installed_if = alone(names(value, budget)?),
            b'p' => package.provides = names(value, budget)?,
            b'f' if value.iter().any(|flag| b"fsx".contains(flag)) => package.fixed = Some(Fixed::Unfinished),
            b'F' => {
                directory = Some(value);
                if !value.is_empty() {
                    package.paths.push(budget.path(value, b"")?);
                }
            }
            b'R' => package.paths.push(budget.path(directory.ok_or_else(no_directory)?, value)?),
            _ => {}
        }
    }
    if package.name.is_empty() {
        return Err(Error::malformed("a paragraph of apk's database has no name"));
    }
    Ok(Record { package, checksum })
}

fn alone(names: Vec<Box<str>>) -> Vec<AnyOf> {
    names.into_iter().map(|name| [name].into()).collect()
}

fn no_directory() -> Error {
    Error::malformed("a file of apk's database stands in no directory")
}

/// The paragraph with the paths that stay, and all its other lines.
pub(super) fn reduced(paragraph: &[u8], stays: &mut dyn FnMut(&RootPath) -> bool) -> Result<Vec<u8>, Error> {
    let mut budget = Budget::new();
    let mut kept = Vec::with_capacity(paragraph.len());
    // The lines of a directory, until something below it stays.
    let mut waiting: Vec<u8> = Vec::new();
    let mut directory = None;
    let mut is_file = false;
    let mut file_stays = false;
    for field in fields(paragraph) {
        let (field, value, line) = field?;
        match field {
            b'F' => {
                waiting = line.to_vec();
                is_file = false;
                directory = Some(value);
                if stays(&budget.path(value, b"")?) {
                    kept.append(&mut waiting);
                }
            }
            b'R' => {
                is_file = true;
                file_stays = stays(&budget.path(directory.ok_or_else(no_directory)?, value)?);
                if file_stays {
                    kept.append(&mut waiting);
                    kept.extend_from_slice(line);
                }
            }
            b'M' if !waiting.is_empty() => waiting.extend_from_slice(line),
            b'Z' | b'a' if is_file && !file_stays => {}
            _ => kept.extend_from_slice(line),
        }
    }
    kept.push(b'\n');
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSYBOX: &str = "C:Q1a=\nP:busybox\nV:1.36-r0\nA:x86_64\nD:so:libc.musl-x86_64.so.1\np:cmd:sh=1.36-r0 /bin/sh\n\
                           F:bin\nM:0:0:755\nR:busybox\na:0:0:4755\nZ:Q1b=\nR:sh\na:0:0:777\nZ:Q1c=\nF:etc\nF:etc/network\nM:0:0:1777\nR:up\nZ:Q1d=\n\n";

    fn read(text: &str) -> Result<Record, Error> {
        record(text.as_bytes(), &mut Budget::new())
    }

    #[test]
    fn a_paragraph_is_a_package() {
        let Record { package, checksum } = read(BUSYBOX).unwrap();
        assert_eq!((&*package.name, &*package.version, &*package.architecture), ("busybox", "1.36-r0", "x86_64"));
        assert_eq!(&*checksum, b"Q1a=");
        assert_eq!(package.provides, ["cmd:sh".into(), "/bin/sh".into()]);
        assert_eq!(package.depends, [AnyOf::from(["so:libc.musl-x86_64.so.1".into()])]);
        let paths: Vec<String> = package.paths.iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["/bin", "/bin/busybox", "/bin/sh", "/etc", "/etc/network", "/etc/network/up"]);
    }

    #[test]
    fn the_root_directory_is_a_directory_without_a_name() {
        let package = read("P:a\nF:\nR:init\n").unwrap().package;
        assert_eq!(package.paths, [RootPath::clamped(b"init")]);
    }

    #[test]
    fn what_apk_calls_a_broken_database_is_refused() {
        for text in ["P:a\nnonsense\n", "P:a\nR:x\n", "V:1\n", "P:\nV:1\n"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_unfinished_installation_never_goes() {
        assert_eq!(read("P:a\nf:s\n").unwrap().package.fixed, Some(Fixed::Unfinished));
        assert_eq!(read("P:a\nf:S\n").unwrap().package.fixed, None);
    }

    #[test]
    fn paragraphs_end_at_an_empty_line_and_at_the_end() {
        let found: Vec<&[u8]> = paragraphs(b"\n\nP:a\nV:1\n\n\nP:b\n").collect();
        assert_eq!(found, [&b"P:a\nV:1\n\n"[..], b"P:b\n"]);
        assert_eq!(paragraphs(b"\n\n").count() + paragraphs(b"").count(), 0);
    }

    #[test]
    fn a_file_goes_with_its_lines_and_a_directory_with_its_last_file() {
        let mut stays = |path: &RootPath| path.as_bytes() == b"bin/sh";
        let kept = reduced(BUSYBOX.as_bytes(), &mut stays).unwrap();
        let expected = "C:Q1a=\nP:busybox\nV:1.36-r0\nA:x86_64\nD:so:libc.musl-x86_64.so.1\np:cmd:sh=1.36-r0 /bin/sh\n\
                        F:bin\nM:0:0:755\nR:sh\na:0:0:777\nZ:Q1c=\n\n";
        assert_eq!(String::from_utf8(kept).unwrap(), expected);
        let all = reduced(BUSYBOX.as_bytes(), &mut |_| true).unwrap();
        assert_eq!(String::from_utf8(all).unwrap(), BUSYBOX);
    }
}
