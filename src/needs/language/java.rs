//! Java: the home of each `java` that is reached, without what only a JDK has. In: a member. Out: members.
//!
//! Jars are followed where they are members ([`super::super::jar`]); a home is recognised by the real path of its launcher.

use super::super::closure::below;
use super::super::except::{JAVA, JDK_PROGRAMS, NOTHING};
use super::super::growth::{Cause, Growth};
use super::super::need::NeedKind;
use crate::error::Error;
use crate::rootfs::RootPath;

impl Growth<'_> {
    /// A launcher, or the machine itself, which a program may embed.
    pub(super) fn java(&mut self, index: usize, directory: &RootPath, name: &[u8]) -> Result<(), Error> {
        let home = match name {
            b"java" => directory.split_last().filter(|(_, bin)| *bin == b"bin").map(|(home, _)| home),
            // lib/server/libjvm.so, and jre/lib/amd64/server/libjvm.so of Java 8
            b"libjvm.so" => {
                let mut above = directory.clone();
                loop {
                    match above.split_last() {
                        Some((home, b"lib")) => break Some(home),
                        Some((parent, _)) => above = parent,
                        None => break None,
                    }
                }
            }
            _ => None,
        };
        let Some(home) = home.filter(|home| !home.is_root()) else { return Ok(()) };
        self.java_home(index, &home);
        // A script may set out from it, and a JDK 8 has its JRE inside.
        for name in [&b"JAVA_HOME"[..], b"JRE_HOME"] {
            if let Some(home) = self.start.variable(name).map(RootPath::clamped)
                && let Some((end, _)) = self.directory_at(&home).filter(|(end, _)| !end.is_root())
            {
                self.keep(&home, &Cause::new(None, NeedKind::Environment, name, super::super::growth::Grip::Part));
                self.java_home(index, &end);
            }
        }
        Ok(())
    }

    fn java_home(&mut self, index: usize, home: &RootPath) {
        // `/usr/bin/java` of GCJ, or a link that is none: a home has its modules, its rt.jar, or a release file.
        let marks = ["lib/modules", "lib/rt.jar", "jre/lib/rt.jar", "release"];
        if !marks.iter().any(|mark| self.at(&below(home, mark)).is_some()) || !self.is_first("java", home) {
            return;
        }
        let cause = Cause::rule(Some(index), NeedKind::Language, "java");
        self.keep_tree(home, &JAVA, &cause);
        self.keep_tree(&below(home, "bin"), &JDK_PROGRAMS, &cause);
        // Debian's certificates for Java; its home links there.
        self.keep_all(&["/etc/ssl/certs/java/", "/etc/pki/ca-trust/extracted/java/"], &cause);
        for configuration in self.expand(b"etc/java-*") {
            let of_this_home = home.components().next_back().is_some_and(|name| {
                configuration.components().next_back().is_some_and(|etc| {
                    let version = etc.strip_prefix(b"java-").and_then(|rest| rest.split(|&byte| byte == b'-').next());
                    version.is_some_and(|version| name.starts_with(&[b"java-", version, b"-"].concat()))
                })
            });
            if of_this_home {
                self.keep_tree(&configuration, &NOTHING, &cause);
            }
        }
        self.recognised("java", &[], home);
    }
}
