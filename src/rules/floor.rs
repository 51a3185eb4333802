//! The legal floor: the licence, copyright and notice files that no preset takes, wherever they stand.
//!
//! In: names. Out: yes or no. A licence stays although the sources beside it go: a program that was linked from them
//! still needs it. Only a user's own `--drop` or `--rules` crosses the floor (rules.md 1, last line).

/// How such files begin, in lower case.
const STEMS: &[&[u8]] = &[b"copying", b"copyright", b"licence", b"license", b"notice", b"patents", b"unlicense"];

/// Directories whose texts are licences: SPDX/REUSE `LICENSES`, PEP 639 `dist-info/licenses`, Fedora's
/// `/usr/share/licenses` (winpodx#312), Debian's common-licenses, a JDK's `legal`.
const DIRECTORIES: &[&[u8]] =
    &[b"common-licenses", b"legal", b"licences", b"license", b"license_files", b"licenses", b"third-party-licenses"];

/// What a program or its data is called: `license.py` is code about licences, not a licence.
const CODE: &[&[u8]] = &[
    b"bin", b"c", b"cc", b"class", b"cjs", b"cpp", b"cs", b"css", b"cts", b"ejs", b"el", b"exe", b"gif", b"go", b"h",
    b"hpp", b"ico", b"jar", b"java", b"jpg", b"js", b"json", b"jsx", b"kt", b"lua", b"map", b"mjs", b"mo", b"mts",
    b"o", b"php", b"pl", b"pm", b"png", b"po", b"pxd", b"py", b"pyc", b"pyi", b"pyo", b"pyx", b"rb", b"rs", b"scala",
    b"sh", b"so", b"svg", b"swift", b"ts", b"tsx", b"vue", b"yaml", b"yml",
];

/// The endings of texts, which may follow the word.
const TEXTS: &[&[u8]] = &[b".txt", b".md", b".rst", b".html", b".htm", b".gz", b".adoc", b".rtf", b".pdf"];

/// What each of them holds; most names hold none and need no closer look.
const MARKS: &[&[u8]] = &[b"copy", b"licen", b"notice", b"patents"];

/// Whether a file (or a symlink to one) of this name is a licence text.
pub(super) fn is_licence(name: &[u8]) -> bool {
    let marked = MARKS.iter().any(|mark| name.windows(mark.len()).any(|part| part.eq_ignore_ascii_case(mark)));
    if !marked || is_code(name) {
        return false;
    }
    let name = name.to_ascii_lowercase();
    let bare = TEXTS.iter().find_map(|text| name.strip_suffix(*text)).unwrap_or(&name);
    // `MIT-LICENSE.txt`, webpack's `main.js.LICENSE.txt`, `ThirdPartyNotices.txt`, `3RD-PARTY-LICENSES`.
    let bare = bare.strip_suffix(b"s").unwrap_or(bare);
    STEMS.iter().any(|stem| {
        let begins = name.strip_prefix(*stem).is_some_and(|rest| {
            let rest = rest.strip_prefix(b"s").unwrap_or(rest);
            !rest.first().is_some_and(u8::is_ascii_lowercase)
        });
        begins || bare.ends_with(stem)
    })
}

/// Whether everything below a directory of this name is a licence text, programs aside.
pub(super) fn is_licence_directory(name: &[u8]) -> bool {
    DIRECTORIES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a name ends as programs and their data do.
pub(super) fn is_code(name: &[u8]) -> bool {
    let Some(dot) = name.iter().rposition(|&byte| byte == b'.') else { return false };
    let extension = name.get(dot.saturating_add(1)..).unwrap_or_default();
    CODE.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_texts_are_known_by_their_names() {
        for name in [
            "copyright",
            "LICENSE",
            "LICENCE.txt",
            "License",
            "license.md",
            "LICENSE-MIT",
            "LICENSE.APACHE2",
            "COPYING3.LIB",
            "COPYING.LESSER",
            "NOTICE",
            "NOTICE.txt",
            "notices.txt",
            "UNLICENSE",
            "PATENTS",
            "MIT-LICENSE.txt",
            "copyright.gz",
            "main.js.LICENSE.txt",
            "ThirdPartyNotices.txt",
            "3RD-PARTY-LICENSES",
            "LICENSES_bundled.txt",
            "license_apache",
        ] {
            assert!(is_licence(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn code_about_licences_is_no_licence() {
        for name in [
            "license.py",
            "licenses.json",
            "notice.js",
            "copyright.h",
            "licensed",
            "noticeboard.txt",
            "license.cpython-311.pyc",
            "README",
            "changelog",
            "x.pem",
            "LICENSE.js.map",
        ] {
            assert!(!is_licence(name.as_bytes()), "{name}");
        }
        assert!(
            is_licence_directory(b"LICENSES")
                && is_licence_directory(b"legal")
                && !is_licence_directory(b"license-checker")
        );
    }
}
