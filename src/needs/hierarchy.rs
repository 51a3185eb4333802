//! Directories that belong to everybody: to be named in an environment or on a command line keeps such a directory, not what is in it.
//!
//! In: the path of a directory, its symlinks followed. Out: whether it may be kept as a tree.

use crate::rootfs::RootPath;

/// Why somebody wants a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// The config starts its programs there: somebody put an application into it.
    WorkingDirectory,
    /// A word or a variable names it, or a link leads there.
    Word,
}

/// The directories of the Filesystem Hierarchy Standard, and those that Debian, Fedora and Alpine share among packages. `*` is one name.
const COMMON: &[&str] = &[
    "bin",
    "boot",
    "dev",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "lost+found",
    "proc",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr",
    "var",
    "dev/*",
    "etc/alternatives",
    "etc/apt",
    "etc/default",
    "etc/init.d",
    "etc/profile.d",
    "lib/*",
    "proc/*",
    "run/*",
    "sys/*",
    "usr/bin",
    "usr/games",
    "usr/include",
    "usr/lib",
    "usr/lib32",
    "usr/lib64",
    "usr/libexec",
    "usr/libx32",
    "usr/local",
    "usr/sbin",
    "usr/share",
    "usr/lib/*-linux-gnu*",
    "usr/lib/*-linux-musl*",
    "usr/lib/gcc",
    "usr/lib/jvm",
    "usr/lib/nodejs",
    "usr/lib/node_modules",
    "usr/lib/python3",
    "usr/lib/python3*",
    "usr/lib/systemd",
    "usr/local/bin",
    "usr/local/etc",
    "usr/local/games",
    "usr/local/include",
    "usr/local/lib",
    "usr/local/lib64",
    "usr/local/lib/*",
    "usr/local/libexec",
    "usr/local/man",
    "usr/local/sbin",
    "usr/local/share",
    "usr/share/applications",
    "usr/share/bash-completion",
    "usr/share/doc",
    "usr/share/doc/*",
    "usr/share/icons",
    "usr/share/info",
    "usr/share/java",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/nodejs",
    "usr/share/perl5",
    "usr/share/php",
    "usr/share/zoneinfo",
    "usr/src",
    "var/backups",
    "var/cache",
    "var/lib",
    "var/lib/apt",
    "var/lib/dpkg",
    "var/lib/rpm",
    "var/local",
    "var/lock",
    "var/log",
    "var/mail",
    "var/opt",
    "var/run",
    "var/spool",
    "var/tmp",
];

/// Directories that are common to words, but that a config may well start its application in.
const SHARED: &[&str] = &["go", "home", "home/*", "media", "mnt", "opt", "root", "srv"];

/// Whether what is in a directory may be kept as a whole because of that wish.
pub(super) fn is_own(path: &RootPath, wish: Wish) -> bool {
    let is_in = |table: &[&str]| table.iter().any(|pattern| matches(path, pattern));
    !path.is_root() && !is_in(COMMON) && !is_in(EVERYWHERE) && (wish == Wish::WorkingDirectory || !is_in(SHARED))
}

/// Where a compiler's or a tool's own tree stands in images of that tool: an application that is built there starts elsewhere.
const EVERYWHERE: &[&str] = &["usr/local/go", "usr/local/cargo", "usr/local/rustup", "root/.cargo", "root/.rustup"];

/// Whether a path is what a pattern of names describes, in which `*` stands for any bytes but a slash.
pub(super) fn matches(path: &RootPath, pattern: &str) -> bool {
    let mut names = path.components();
    let mut patterns = pattern.split('/');
    loop {
        match (names.next(), patterns.next()) {
            (None, None) => return true,
            (Some(name), Some(pattern)) if fits(name, pattern.as_bytes()) => {}
            _ => return false,
        }
    }
}

/// Whether a name fits a pattern in which `*` stands for any bytes and `?` for one.
pub(super) fn fits(name: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut within) = (0usize, 0usize);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&byte) = name.get(at) {
        match pattern.get(within) {
            Some(b'*') => {
                retry = Some((at, within));
                within = within.saturating_add(1);
            }
            Some(&wanted) if wanted == byte || wanted == b'?' => {
                at = at.saturating_add(1);
                within = within.saturating_add(1);
            }
            _ => match retry {
                Some((from, star)) => {
                    at = from.saturating_add(1);
                    within = star.saturating_add(1);
                    retry = Some((at, star));
                }
                None => return false,
            },
        }
    }
    pattern.get(within..).unwrap_or_default().iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(path: &str, wish: Wish) -> bool {
        is_own(&RootPath::clamped(path.as_bytes()), wish)
    }

    #[test]
    fn path_and_etc_are_no_trees_to_keep() {
        for path in
            ["/", "/usr/local/bin", "/etc", "/usr/lib/x86_64-linux-gnu", "/var/lib", "/tmp", "/usr/share/doc/bash"]
        {
            assert!(!own(path, Wish::Word), "{path}");
            assert!(!own(path, Wish::WorkingDirectory), "{path}");
        }
    }

    #[test]
    fn an_application_may_live_in_opt_or_in_a_home_if_it_starts_there() {
        for path in ["/root", "/opt", "/srv", "/home/app"] {
            assert!(own(path, Wish::WorkingDirectory) && !own(path, Wish::Word), "{path}");
        }
        for path in [
            "/app",
            "/opt/x",
            "/usr/src/app",
            "/usr/share/tomcat10",
            "/etc/tomcat10",
            "/var/lib/tomcat10",
            "/usr/local/tomcat",
        ] {
            assert!(own(path, Wish::Word), "{path}");
        }
    }

    #[test]
    fn a_star_in_a_name_stands_for_any_bytes() {
        for (name, pattern, is_fit) in [
            ("libx.so.1", "lib*.so*", true),
            ("a", "*", true),
            ("", "*", true),
            ("abc", "a?c", true),
            ("abc", "a*d", false),
            ("aab", "*ab", true),
        ] {
            assert_eq!(fits(name.as_bytes(), pattern.as_bytes()), is_fit, "{name} {pattern}");
        }
    }
}
