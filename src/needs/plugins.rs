//! What libraries and servers load or read by names that they compute, as a table: plugins by dlopen, data, configuration. In: a member.
//! Out: more members. A host that the table does not know misses its plugins; `--keep` adds them.

use super::growth::{Cause, Grip, Growth, Member};
use super::hierarchy::fits;
use super::need::NeedKind;
use crate::rootfs::RootPath;

/// A host and what it reads.
struct Host {
    /// Names of files, with `*`.
    names: &'static [&'static str],
    /// Paths with `*`; a trailing slash means the whole tree, `@` at the beginning the directory of the host.
    reads: &'static [&'static str],
}

/// Sorted by what they are for. The paths are Debian's and Alpine's; other systems share most of them.
const HOSTS: &[Host] = &[
    // Encryption: configuration, providers, and the directory of certificates that is searched by hash.
    Host {
        names: &["libcrypto.so*", "openssl"],
        reads: &[
            "/etc/ssl/openssl.cnf",
            "/etc/ssl/certs/",
            "/etc/pki/tls/",
            "/usr/lib/ssl/openssl.cnf",
            "/usr/lib/ssl/certs",
            "/usr/lib/ssl/cert.pem",
            "/etc/ssl1.1/",
            "/etc/crypto-policies/",
            "@ossl-modules/",
            "@engines-*/",
        ],
    },
    Host { names: &["libgnutls.so*"], reads: &["/etc/gnutls/"] },
    Host {
        names: &["libp11-kit.so*"],
        reads: &["/etc/pkcs11/", "/usr/share/p11-kit/modules/", "@pkcs11/p11-kit-trust.so"],
    },
    Host {
        names: &["libnss3.so"],
        reads: &["@libsoftokn3.so", "@libfreebl*.so", "@libnssckbi.so", "@libnssdbm3.so", "@nss/", "/etc/pki/nssdb/"],
    },
    // Who somebody is.
    Host {
        names: &["libpam.so*"],
        reads: &[
            "/etc/pam.d/",
            "/etc/pam.conf",
            "/etc/security/",
            "/etc/shadow",
            "/etc/login.defs",
            "/etc/environment",
            "@security/",
            "/lib/*/security/",
            "/lib/security/",
            "/lib64/security/",
        ],
    },
    Host { names: &["libsasl2.so*"], reads: &["@sasl2/"] },
    Host {
        names: &["libkrb5.so*", "libgssapi_krb5.so*"],
        reads: &["/etc/krb5.conf", "/etc/krb5.conf.d/", "/etc/gss/", "@krb5/plugins/"],
    },
    Host { names: &["libldap.so*", "libldap-2*"], reads: &["/etc/ldap/ldap.conf", "/etc/openldap/ldap.conf"] },
    // Databases.
    Host { names: &["libodbc.so*"], reads: &["/etc/odbc*.ini", "@odbc/"] },
    Host {
        names: &["libmariadb.so*", "libmysqlclient.so*"],
        reads: &["/etc/mysql/", "/etc/my.cnf", "/etc/my.cnf.d/", "@libmariadb3/plugin/", "@mariadb*/plugin/"],
    },
    Host {
        names: &["postgres", "initdb"],
        reads: &[
            "/usr/lib/postgresql/",
            "/usr/local/lib/postgresql/",
            "/usr/local/share/postgresql/",
            "/usr/share/postgresql/",
            "/usr/share/postgresql-common/",
            "/etc/postgresql/",
            "/etc/postgresql-common/",
            "/run/postgresql",
            "/var/lib/postgresql",
        ],
    },
    Host {
        names: &["mysqld", "mariadbd"],
        reads: &[
            "/etc/mysql/",
            "/usr/share/mysql*/",
            "/usr/lib/mysql/",
            "/usr/lib64/mysql/",
            "/var/lib/mysql/",
            "/run/mysqld",
            "/var/log/mysql",
        ],
    },
    Host {
        names: &["redis-server", "valkey-server"],
        reads: &["/etc/redis/", "/etc/valkey/", "/var/lib/redis", "/var/log/redis"],
    },
    // Servers.
    Host {
        names: &["nginx"],
        reads: &[
            "/etc/nginx/",
            "/usr/lib/nginx/",
            "/usr/share/nginx/",
            "/var/lib/nginx/",
            "/var/cache/nginx/",
            "/var/log/nginx/",
            "/var/www/",
        ],
    },
    Host {
        names: &["apache2", "httpd"],
        reads: &[
            "/etc/apache2/",
            "/etc/httpd/",
            "/usr/lib/apache2/",
            "/usr/lib64/httpd/",
            "/usr/share/apache2/",
            "/usr/local/apache2/",
            "/var/www/",
            "/var/log/apache2/",
            "/var/log/httpd/",
            "/var/cache/apache2/",
            "/run/apache2",
            "/run/httpd",
            "/run/lock",
        ],
    },
    Host { names: &["haproxy"], reads: &["/etc/haproxy/", "/var/lib/haproxy"] },
    Host {
        names: &["sshd"],
        reads: &["/etc/ssh/", "/usr/lib/openssh/", "/usr/lib/ssh/", "/usr/libexec/openssh/", "/run/sshd", "/var/empty"],
    },
    // What starts other programs: its configuration says which, and they are not looked up there.
    Host { names: &["supervisord"], reads: &["/etc/supervisor/", "/etc/supervisord.conf", "/etc/supervisord.d/"] },
    Host { names: &["cron", "crond"], reads: &["/etc/crontab", "/etc/crontabs/", "/etc/cron.*/", "/var/spool/cron/"] },
    // Media: loaders of formats, and what draws text.
    Host {
        names: &["libMagickCore*.so*"],
        reads: &["/etc/ImageMagick*/", "@ImageMagick*/", "/usr/share/ImageMagick*/"],
    },
    Host {
        names: &["libgdk_pixbuf*.so*"],
        reads: &["@gdk-pixbuf-2.0/", "/usr/share/mime/magic", "/usr/share/mime/mime.cache"],
    },
    Host {
        names: &["libfontconfig.so*"],
        reads: &[
            "/etc/fonts/",
            "/usr/share/fontconfig/",
            "/usr/share/fonts/",
            "/usr/local/share/fonts/",
            "/usr/share/xml/fontconfig/",
            "/var/cache/fontconfig",
        ],
    },
    Host { names: &["libgstreamer-1*.so*"], reads: &["@gstreamer-1.0/", "@gstreamer1.0/"] },
    Host { names: &["libvips.so*"], reads: &["@vips-modules*/"] },
    Host { names: &["libheif.so*"], reads: &["@libheif/"] },
    Host { names: &["libgs.so*"], reads: &["/usr/share/ghostscript/", "/var/lib/ghostscript/", "/usr/share/poppler/"] },
    Host { names: &["libpoppler.so*"], reads: &["/usr/share/poppler/"] },
    Host { names: &["libtesseract.so*"], reads: &["/usr/share/tesseract-ocr/", "/usr/share/tessdata/"] },
    Host { names: &["libQt5Core.so*"], reads: &["@qt5/plugins/", "/usr/share/qt5/"] },
    Host { names: &["libQt6Core.so*"], reads: &["@qt6/plugins/", "/usr/share/qt6/"] },
    Host {
        names: &["libmagic.so*"],
        reads: &["/usr/lib/file/", "/usr/share/misc/magic*", "/usr/share/file/", "/etc/magic*"],
    },
    // Words.
    Host {
        names: &["libhunspell*.so*", "libenchant*.so*"],
        reads: &["/usr/share/hunspell/", "/usr/share/myspell/", "/usr/share/enchant*/", "@enchant*/"],
    },
    Host { names: &["libaspell.so*"], reads: &["/usr/lib/aspell/", "/usr/share/aspell/", "/var/lib/aspell/"] },
    // Maps.
    Host { names: &["libgdal.so*"], reads: &["/usr/share/gdal/", "@gdalplugins/"] },
    Host { names: &["libproj.so*"], reads: &["/usr/share/proj/"] },
    // Numbers on many machines.
    Host { names: &["libmkl_core.so*"], reads: &["@libmkl_*.so*"] },
    Host { names: &["libcudnn.so*"], reads: &["@libcudnn_*.so*"] },
    Host { names: &["libmpi.so*"], reads: &["/etc/openmpi/", "/usr/share/openmpi/", "@openmpi/", "@openmpi3/"] },
    Host { names: &["libibverbs.so*"], reads: &["/etc/libibverbs.d/", "@libibverbs/"] },
    // Terminals: the few that a container is attached to.
    Host {
        names: &["libtinfo*.so*", "libncurses*.so*"],
        reads: &[
            "/lib/terminfo/?/xterm*",
            "/lib/terminfo/?/linux",
            "/lib/terminfo/?/vt100",
            "/lib/terminfo/?/screen*",
            "/lib/terminfo/?/tmux*",
            "/lib/terminfo/?/dumb",
            "/usr/share/terminfo/?/xterm",
            "/usr/share/terminfo/?/xterm-256color",
            "/usr/share/terminfo/?/linux",
            "/usr/share/terminfo/?/vt100",
            "/usr/share/terminfo/?/screen",
            "/usr/share/terminfo/?/dumb",
            "/etc/terminfo/?/xterm*",
        ],
    },
    // Shells: what `-l` reads.
    Host { names: &["bash"], reads: &["/etc/profile", "/etc/profile.d/", "/etc/bash.bashrc", "/etc/bashrc"] },
    // Tools that are many programs.
    Host {
        names: &["git"],
        reads: &["/usr/lib/git-core/", "/usr/libexec/git-core/", "/usr/share/git-core/", "/etc/gitconfig"],
    },
    Host {
        names: &["gcc", "gcc-*", "*-gcc-*", "g++-*", "*-g++-*", "clang", "clang-*"],
        reads: &[
            "/usr/lib/gcc/",
            "/usr/libexec/gcc/",
            "/usr/lib/clang/",
            "/usr/lib/llvm-*/lib/clang/",
            "/usr/include/",
            "/usr/local/include/",
            "/usr/bin/as",
            "/usr/bin/ld",
            "/usr/bin/ld.*",
            "/usr/bin/ar",
            "/usr/bin/*-linux-gnu-as",
            "/usr/bin/*-linux-gnu-ld",
            "/usr/lib/*-linux-*/*.o",
            "/usr/lib/*-linux-*/lib*.so",
            "/usr/lib/*-linux-*/lib*.a",
            "/usr/lib/*.o",
            "/usr/lib/lib*.so",
            "/usr/lib/lib*.a",
            "/usr/lib64/*.o",
            "/usr/lib64/lib*.so",
            "/usr/lib64/lib*.a",
        ],
    },
];

impl Growth<'_> {
    /// Adds what a member is known to read.
    pub(super) fn plugins(&mut self, index: usize, member: &Member) {
        let Some((directory, name)) = member.path.split_last() else { return };
        // A program counts where it is run, a library wherever it is loaded.
        if member.grip != Grip::Run && !name.windows(3).any(|window| window == b".so") {
            return;
        }
        for host in HOSTS.iter().filter(|host| host.names.iter().any(|pattern| fits(name, pattern.as_bytes()))) {
            let Some(first) = host.names.first() else { continue };
            if !self.is_first(first, &directory) {
                continue;
            }
            let cause = Cause::rule(Some(index), NeedKind::Implicit, "known to be read by it");
            for pattern in host.reads {
                let (root, pattern) = match pattern.strip_prefix('@') {
                    Some(rest) => (directory.clone(), rest),
                    None => (RootPath::root(), *pattern),
                };
                self.keep_below(&root, pattern, &cause);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_host_stands_twice_and_every_path_is_absolute_or_beside_the_host() {
        let mut seen = HashSet::new();
        for host in HOSTS {
            assert!(!host.reads.is_empty());
            assert!(host.names.iter().all(|name| seen.insert(*name)), "{:?}", host.names);
            assert!(host.reads.iter().all(|read| read.starts_with(['/', '@'])), "{:?}", host.reads);
        }
    }
}
