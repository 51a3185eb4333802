//! The directories that no preset takes, however empty they get.
//!
//! In: a path. Out: yes or no. Each stands for an image that broke without it: an empty directory costs 512 bytes
//! in a tar, a missing one stops a daemon.

/// Directories that stay, as components behind the root; `*` is any one name, `**` at the end whatever is below.
const STAY: &[&[&str]] = &[
    // The file hierarchy itself: packages own these and expect them.
    &["bin"],
    &["boot"],
    &["dev"],
    &["etc"],
    &["home"],
    &["home", "*"],
    &["lib*"],
    &["media"],
    &["mnt"],
    &["opt"],
    &["proc"],
    &["root"],
    // Pid files and sockets: postgresql, mysql, php-fpm do not make their directories.
    &["run", "**"],
    &["sbin"],
    &["srv"],
    &["sys"],
    &["tmp"],
    &["usr"],
    &["usr", "bin"],
    &["usr", "games"],
    &["usr", "include"],
    &["usr", "lib*"],
    &["usr", "local"],
    &["usr", "local", "bin"],
    &["usr", "local", "etc"],
    &["usr", "local", "games"],
    &["usr", "local", "include"],
    &["usr", "local", "lib*"],
    &["usr", "local", "man"],
    &["usr", "local", "sbin"],
    &["usr", "local", "share"],
    &["usr", "local", "src"],
    &["usr", "sbin"],
    &["usr", "share"],
    &["usr", "src"],
    &["var"],
    &["var", "*"],
    // apt makes neither (debuerreotype `.tar-exclude`).
    &["var", "cache", "apt", "archives"],
    &["var", "cache", "apt", "archives", "partial"],
    &["var", "lib", "apt", "lists"],
    &["var", "lib", "apt", "lists", "partial"],
    &["var", "lib", "apt", "mirrors", "partial"],
    // The packages' own caches and states have owners and modes that a new directory would not have.
    &["var", "cache", "*"],
    &["var", "lib", "*"],
    &["var", "spool", "**"],
    // nginx does not start without its log directory (docker-puppetmaster#15).
    &["var", "log", "**"],
    &["var", "run", "**"],
    // update-alternatives fails without man1 (debuerreotype#10, #116; docker-brew-debian#65).
    &["usr", "share", "man"],
    &["usr", "share", "man", "man*"],
    &["usr", "local", "share", "man"],
    &["usr", "local", "share", "man", "man*"],
    &["usr", "local", "man", "man*"],
    &["usr", "share", "doc"],
    &["usr", "share", "info"],
    &["usr", "share", "locale"],
];

/// Whether the directory at this absolute path stays.
pub(super) fn stays(path: &[u8]) -> bool {
    let parts = || path.split(|&byte| byte == b'/').filter(|part| !part.is_empty());
    STAY.iter().any(|known| {
        let mut ahead = parts();
        for wanted in *known {
            match (*wanted, ahead.next()) {
                ("**", _) => return true,
                (_, None) => return false,
                ("*", Some(_)) => {}
                (wanted, Some(part)) => match wanted.strip_suffix('*') {
                    Some(stem) if part.starts_with(stem.as_bytes()) => {}
                    None if part == wanted.as_bytes() => {}
                    _ => return false,
                },
            }
        }
        ahead.next().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hierarchy_and_what_daemons_expect_stay() {
        for path in [
            "/opt",
            "/usr/src",
            "/var/log",
            "/var/log/nginx",
            "/run/mysqld/x",
            "/usr/share/man/man1",
            "/usr/local/include",
            "/tmp",
            "/var/lib/apt/lists/partial",
        ] {
            assert!(stays(path.as_bytes()), "{path}");
        }
        for path in [
            "/opt/maven",
            "/.git",
            "/usr/lib/gcc",
            "/usr/share/man/de",
            "/usr/share/doc/x",
            "/usr/local/go/bin",
            "/var/cache/yum/x",
        ] {
            assert!(!stays(path.as_bytes()), "{path}");
        }
    }
}
