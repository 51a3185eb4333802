//! What programs read without naming it: users, certificates, zone data, the parts of the C library that it loads by itself. In: a closure
//! that holds all programs. Out: more members. By ablation on real programs: rules.md section 4.

use super::closure::{below, path};
use super::except::{Except, NOTHING};
use super::growth::{Cause, Grip, Growth, Member};
use super::hierarchy::fits;
use super::need::NeedKind;
use crate::error::Error;
use crate::rootfs::{InodeKind, RootPath};

/// For any program; each costs next to nothing. A trailing slash would mean a tree: these are files, links, and directories as such.
const ANY: &[&str] = &[
    // Users and groups by name: Go reads them itself. The shadow file only serves a login.
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    // Names of ports and protocols, types of files: Go and Python read them.
    "/etc/services",
    "/etc/protocols",
    "/etc/mime.types",
    // The certificates as one file: Debian, Fedora, SUSE, Alpine (Go's crypto/x509/root_linux.go has the same list).
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
    // The zone of the machine.
    "/etc/localtime",
    "/etc/timezone",
    // What scanners recognise a distribution by.
    "/etc/os-release",
    "/usr/lib/os-release",
    "/etc/debian_version",
    "/etc/alpine-release",
    "/etc/redhat-release",
    "/etc/lsb-release",
    // Where a runtime mounts, and where programs write.
    "/dev",
    "/proc",
    "/sys",
    "/run",
    "/tmp",
    "/var/tmp",
    "/var/run",
    // The links of a merged /usr: a program may name any file by the short path.
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
];

/// Zone data; `posix` and `right` are copies of it.
const ZONES: Except = Except { id: "zones", top: &["posix", "right"], directories: &[], files: &[] };

/// Where zone data stands, as programs hold it in themselves.
const ZONE_TEXT: &[u8] = b"/usr/share/zoneinfo";

/// Encodings that glibc loads, beside those that it has built in. Others are for texts that an image of today does not meet.
const ENCODINGS: &[&str] =
    &["UTF-16.so", "UTF-32.so", "UTF-7.so", "UNICODE.so", "ISO8859-1.so", "ISO8859-15.so", "CP1252.so"];

/// Parts of glibc, which hold the texts that are looked for in programs, whether or not a program uses them.
const LIBC: &[&str] = &[
    "libc.so*",
    "libc-2*",
    "ld-linux*",
    "ld-2*",
    "ld-musl*",
    "libc.musl*",
    "libstdc++*",
    "libpthread*",
    "libm.so*",
    "ldconfig*",
];

impl Growth<'_> {
    /// Adds what the members read without naming it.
    pub(super) fn implicit(&mut self) -> Result<(), Error> {
        let cause = |rule: &str| Cause::rule(None, NeedKind::Implicit, rule);
        self.keep_all(ANY, &cause("for any program"));
        let is_interpreted = !self.runtimes.is_empty();
        let mut reads = Reads { zones: is_interpreted, locale: is_interpreted, encodings: is_interpreted };
        if self
            .start
            .env
            .iter()
            .any(|(name, value)| (**name == *b"LANG" || name.starts_with(b"LC_")) && !value.is_empty())
        {
            reads.locale = true;
        }
        if !is_interpreted {
            self.scan(&mut reads)?;
        }
        if reads.zones {
            self.keep_tree(&path("/usr/share/zoneinfo"), &ZONES, &cause("zone data"));
        }
        if let Some(zone) = self.start.variable(b"TZ") {
            let zone = zone.strip_prefix(b":").unwrap_or(zone);
            self.keep(
                &path("/usr/share/zoneinfo").link_target(zone),
                &Cause::new(None, NeedKind::Environment, b"TZ", Grip::Part),
            );
        }
        let libraries: Vec<(usize, RootPath, bool)> = self.c_libraries();
        for (index, directory, is_old) in libraries {
            self.c_library(index, &directory, is_old, &reads)?;
        }
        Ok(())
    }

    /// Looks into programs for what they hold.
    fn scan(&self, reads: &mut Reads) -> Result<(), Error> {
        let texts: [&[u8]; 3] = [ZONE_TEXT, b"iconv_open", b"setlocale"];
        for member in self.members.iter().filter(|member| member.grip == Grip::Run && !is_libc(member)) {
            let Some(elf) = self.needs.wants().elf(self.tree(), member.node) else { continue };
            if !matches!(self.tree().inode_of(member.node).kind, InodeKind::File(_)) {
                continue;
            }
            let found = self.holds(member, &texts)?;
            let has = |text: usize| found.get(text).copied().unwrap_or_default();
            reads.zones |= has(0);
            reads.encodings |= has(1);
            // Only a program chooses a locale; libraries ask which one it is.
            reads.locale |= has(2) && elf.interpreter.is_some();
        }
        Ok(())
    }

    /// The C libraries among the members: which, where, and whether it is glibc before 2.34, which has its lookups in files of their own.
    fn c_libraries(&self) -> Vec<(usize, RootPath, bool)> {
        let of = |(index, member): (usize, &Member)| {
            let (directory, name) = member.path.split_last()?;
            let is_file = matches!(self.tree().inode_of(member.node).kind, InodeKind::File(_));
            let is_old = name.starts_with(b"libc-2.");
            (is_file && (is_old || name == b"libc.so.6")).then_some((index, directory, is_old))
        };
        self.members.iter().enumerate().filter_map(of).collect()
    }

    fn c_library(&mut self, index: usize, directory: &RootPath, is_old: bool, reads: &Reads) -> Result<(), Error> {
        let cause = Cause::rule(Some(index), NeedKind::Implicit, "loaded by glibc");
        // pthread_cancel and pthread_exit load it, and abort without it (reproduced).
        let mut names: Vec<Vec<u8>> = vec![b"libgcc_s.so.1".into()];
        if is_old {
            names.extend([&b"libnss_files.so.2"[..], b"libnss_dns.so.2"].map(Into::into));
        }
        let switch = self.text(&path("/etc/nsswitch.conf"), SWITCH)?.unwrap_or_default();
        for service in services(&switch) {
            names.push([b"libnss_", service, b".so.2"].concat());
        }
        // Of a /usr that is not merged, one part may stand in /lib and the other in /usr/lib.
        let twin = match directory.as_bytes().strip_prefix(b"usr/") {
            Some(short) => RootPath::clamped(short),
            None => RootPath::clamped(&[b"usr/", directory.as_bytes()].concat()),
        };
        for name in names {
            let _ = self.keep(&directory.join(&name), &cause) || self.keep(&twin.join(&name), &cause);
        }
        if reads.locale {
            self.keep_all(&["/usr/lib/locale/C.utf8/", "/usr/lib/locale/C.UTF-8/"], &cause);
            self.locales(&cause);
        }
        if reads.encodings {
            for root in [directory, &twin] {
                let gconv = below(root, "gconv");
                if self.directory_at(&gconv).is_none() {
                    continue;
                }
                for encoding in ENCODINGS {
                    self.keep(&below(&gconv, encoding), &cause);
                }
                for list in ["gconv-modules", "gconv-modules.cache"] {
                    self.keep(&below(&gconv, list), &cause);
                }
                self.keep_tree(&below(&gconv, "gconv-modules.d"), &NOTHING, &cause);
            }
        }
        Ok(())
    }

    /// The locales that the config's variables name.
    fn locales(&mut self, cause: &Cause) {
        let start = self.start;
        for (_, value) in start.env.iter().filter(|(name, _)| **name == *b"LANG" || name.starts_with(b"LC_")) {
            let end = value.iter().position(|&byte| byte == b'.' || byte == b'@').unwrap_or(value.len());
            let name = value.get(..end).unwrap_or_default();
            if matches!(name, b"" | b"C" | b"POSIX") || name.contains(&b'/') {
                continue;
            }
            self.keep(&path("/usr/lib/locale/locale-archive"), cause);
            for locale in self.expand(&[b"/usr/lib/locale/", name, b".*"].concat()) {
                self.keep_tree(&locale, &NOTHING, cause);
            }
        }
    }
}

/// What of the larger data the programs read.
#[derive(Debug, Default)]
struct Reads {
    zones: bool,
    locale: bool,
    encodings: bool,
}

/// Bytes of `nsswitch.conf`.
const SWITCH: u64 = 1 << 20;

/// Services that glibc has built in since 2.34, and those that ask systemd, which no container runs.
const NOT_LOADED: &[&[u8]] = &[b"files", b"dns", b"systemd", b"mymachines", b"myhostname", b"resolve"];

/// The services that `nsswitch.conf` names and that are libraries of their own.
fn services(text: &[u8]) -> Vec<&[u8]> {
    let lines =
        text.split(|&byte| byte == b'\n').map(|line| line.split(|&byte| byte == b'#').next().unwrap_or_default());
    let values = lines.filter_map(|line| {
        line.iter().position(|&byte| byte == b':').and_then(|colon| line.get(colon.saturating_add(1)..))
    });
    let words = values.flat_map(|value| value.split(|byte| byte.is_ascii_whitespace()));
    let is_service =
        |word: &&[u8]| !word.is_empty() && word.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let mut services: Vec<&[u8]> = words.filter(is_service).filter(|word| !NOT_LOADED.contains(word)).collect();
    services.sort_unstable();
    services.dedup();
    services
}

fn is_libc(member: &Member) -> bool {
    let name = member.path.components().next_back().unwrap_or_default();
    LIBC.iter().any(|pattern| fits(name, pattern.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::needs::testing::Case;

    const SYSTEM: &str = "etc/passwd = x\netc/ssl/certs/ca-certificates.crt -> ../../../usr/share/bundle\nusr/share/bundle = x\netc/shadow = x\n\
        usr/share/zoneinfo/Europe/Rome = x\nusr/share/zoneinfo/Europe/Oslo = x\nusr/share/zoneinfo/right/Oslo = x\ntmp/ [1777]\nserve [0755] = x\n\
        usr/bin/python3.11 [0755] = x\nusr/lib/python3.11/os.py = x\n";

    #[test]
    fn any_program_gets_users_and_certificates_and_no_shadow() {
        let kept = Case::new(SYSTEM, "/serve").kept();
        assert_eq!(kept, ["/etc/passwd", "/etc/ssl/certs/ca-certificates.crt", "/serve", "/tmp", "/usr/share/bundle"]);
    }

    #[test]
    fn zones_stay_for_a_language_and_the_one_that_is_set_for_any_program() {
        let zones = |case: Case| case.kept().into_iter().filter(|path| path.contains("zoneinfo/")).collect::<Vec<_>>();
        assert_eq!(zones(Case::new(SYSTEM, "/serve").env("TZ", "Europe/Rome")), ["/usr/share/zoneinfo/Europe/Rome"]);
        assert_eq!(zones(Case::new(SYSTEM, "python3.11")).len(), 3);
    }

    #[test]
    fn services_are_the_words_behind_a_colon() {
        let text =
            b"# hosts: x\npasswd: files systemd\nhosts:\tfiles mdns4_minimal [NOTFOUND=return] dns # y\nnothing\n";
        assert_eq!(services(text), [&b"mdns4_minimal"[..]]);
    }
}
