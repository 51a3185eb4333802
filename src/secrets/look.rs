//! Which files are looked into, by path and size.
//!
//! In: a path and a size. Out: how the file is read, if it is. An image has a hundred thousand files, most of them the
//! distribution's: of those only the ones are read whose names say that they hold a secret.

use super::SIZE;
use super::known::{Check, check};
use crate::rootfs::RootPath;

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// What its name says that it is.
    pub(super) check: Option<Check>,
}

/// Directories of the distribution. What is put there by hand, such as a web page in `/usr/share/nginx` or a program
/// in `/usr/src/app`, is not among them.
const DISTRIBUTION: &[&str] = &[
    "usr/include",
    "usr/games",
    "usr/libexec",
    "usr/sbin",
    "usr/share/X11",
    "usr/share/aclocal",
    "usr/share/bash-completion",
    "usr/share/common-licenses",
    "usr/share/cmake",
    "usr/share/fonts",
    "usr/share/gcc",
    "usr/share/i18n",
    "usr/share/icons",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/maven-repo",
    "usr/share/mime",
    "usr/share/perl",
    "usr/share/perl5",
    "usr/share/terminfo",
    "usr/share/unicode",
    "usr/share/vim",
    "usr/share/zoneinfo",
    "usr/lib/gcc",
    "usr/lib/locale",
    "usr/lib/modules",
    "usr/lib/firmware",
    "usr/lib/systemd",
    "usr/lib/udev",
    "usr/lib/jvm",
    "usr/lib/rustlib",
    "var/lib/dpkg",
    "var/lib/apt/lists",
    "var/lib/rpm",
    "lib/apk/db",
    "usr/lib/apk/db",
    "usr/lib/sysimage",
    "etc/ssl/certs",
    "usr/share/ca-certificates",
    "usr/local/share/ca-certificates",
    "proc",
    "sys",
    "dev",
];

/// Endings of files that hold no text, or none of their own.
const BINARY: &[&str] = &[
    "so", "a", "o", "la", "pyc", "pyo", "class", "jar", "war", "whl", "zip", "gz", "xz", "bz2", "zst", "tgz", "deb",
    "rpm", "apk", "gem", "png", "jpg", "jpeg", "gif", "ico", "webp", "woff", "woff2", "ttf", "otf", "eot", "pdf", "mo",
    "gmo", "mp3", "mp4", "node", "wasm", "dll", "exe", "h", "hpp", "jmod", "jsa", "nib", "npz", "npy", "dat", "db",
    "crt", "cer", "pub", "svg", "map", "po", "pot", "html", "d.ts",
];

/// Trees of installed libraries and of documentation.
const LIBRARIES: &[&str] = &[
    "site-packages",
    "dist-packages",
    "node_modules",
    "gems",
    "doc",
    "perl5",
    "vendor_perl",
    "nodejs",
    "vendor",
    "third_party",
    "rubygems",
];

/// What libraries call the directories of their tests and examples.
const TESTS: &[&str] = &[
    "test",
    "tests",
    "testing",
    "testdata",
    "test_data",
    "__tests__",
    "spec",
    "specs",
    "fixture",
    "fixtures",
    "example",
    "examples",
    "sample",
    "samples",
    "demo",
    "demos",
    "doc",
    "docs",
    "t",
    "testcert",
    "mock",
    "mocks",
];

/// How the file at a path is read; `None` where it is not.
pub(super) fn look(path: &RootPath, size: u64) -> Option<Look> {
    if size == 0 || size > SIZE || is_public(path) {
        return None;
    }
    if let Some(check) = check(path) {
        return Some(Look { check: Some(check) });
    }
    let bytes = path.as_bytes();
    let within =
        |directory: &str| bytes.strip_prefix(directory.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'));
    let name = path.components().next_back().unwrap_or_default();
    let ending = name.iter().rposition(|&byte| byte == b'.').and_then(|dot| name.get(dot.saturating_add(1)..));
    let binary = ending.is_some_and(|ending| BINARY.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(ending)));
    (!binary && !DISTRIBUTION.iter().any(|directory| within(directory))).then_some(Look { check: None })
}

/// Whether a file is published: keys that libraries test themselves with, and those of documentation, are in every
/// copy of the library (cpython `Lib/test/*.pem`, Go `crypto/tls/testdata`, twisted, node-forge). Only within
/// libraries: a key in an application's own tests may open something.
fn is_public(path: &RootPath) -> bool {
    let is = |name: &[u8], list: &[&str]| list.iter().any(|known| known.as_bytes() == name);
    let mut library = path.as_bytes().starts_with(b"usr/share/doc/");
    let mut before: &[u8] = b"";
    for name in path.components() {
        if library && (is(name, TESTS) || name.starts_with(b"test_") || name.ends_with(b"_test.go")) {
            return true;
        }
        // The standard library of Python; Go's own sources.
        let language = before == b"lib" && name.starts_with(b"python") || name == b"src" && before.starts_with(b"go");
        library |= language || is(name, LIBRARIES) || before == b"pkg" && name == b"mod";
        before = name;
    }
    // A key that Windows asks each project for, and Google's own API keys: the same in every copy.
    if path.as_bytes().starts_with(b"usr/share/cmake") || path.components().any(|name| name == b"google-cloud-sdk") {
        return true;
    }
    let document = [&b".md"[..], b".rst", b".markdown", b".adoc"].iter().any(|ending| before.ends_with(ending));
    library && document || path.as_bytes().starts_with(b"usr/share/doc/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(path: &str) -> bool {
        look(&RootPath::clamped(path.as_bytes()), 100).is_some()
    }

    #[test]
    fn keys_that_every_copy_of_a_library_has_are_not_looked_at() {
        for path in [
            "/usr/lib/python3.11/test/keycert.pem",
            "/usr/local/lib/python3.12/test/certdata/ssl_key.pem",
            "/usr/lib/python3/dist-packages/twisted/test/server.pem",
            "/app/node_modules/tls/test/fixtures/key.pem",
            "/usr/local/go/src/crypto/tls/testdata/example-key.pem",
            "/usr/lib/go-1.19/src/crypto/x509/x509_test.go",
            "/go/pkg/mod/a.com/b@v1/testdata/key.pem",
            "/usr/share/doc/openssl/key.pem",
            "/usr/lib/ruby/gems/3.1/gems/a-1/spec/key.pem",
            "/app/node_modules/a/README.md",
            "/usr/lib/google-cloud-sdk/platform/gsutil/gslib/kms_api.py",
            "/opt/x/third_party/requests/tests/certs/server.key",
            "/usr/share/cmake-3.25/Templates/Windows/Windows_TemporaryKey.pfx",
        ] {
            assert!(!is_read(path), "{path}");
        }
    }

    #[test]
    fn keys_of_the_system_and_of_the_application_are_looked_at() {
        for path in [
            "/etc/ssl/private/ssl-cert-snakeoil.key",
            "/etc/ssh/ssh_host_rsa_key",
            "/app/tests/key.pem",
            "/app/docs/setup.md",
            "/root/.ssh/id_rsa",
            "/usr/share/nginx/html/config.js",
            "/usr/src/app/server.js",
            "/usr/local/etc/x",
            "/app/node_modules/a/index.js",
            "/usr/lib/python3/dist-packages/a/server.pem",
            "/etc/ssl/certs/own.key",
        ] {
            assert!(is_read(path), "{path}");
        }
    }

    #[test]
    fn what_holds_no_text_is_passed_over() {
        for path in [
            "/usr/include/a.c",
            "/app/lib/libx.so",
            "/app/a.PNG",
            "/var/lib/dpkg/info/a.list",
            "/usr/share/locale/de/a",
        ] {
            assert!(!is_read(path), "{path}");
        }
        assert!(is_read("/usr/includes/a") && is_read("/app/a.dockerfile"));
        let path = RootPath::clamped(b"/app/.env");
        assert!(look(&path, 0).is_none() && look(&path, SIZE + 1).is_none() && look(&path, SIZE).is_some());
    }
}
