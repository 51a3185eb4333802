//! Where a closure begins: the command lines of the config, its environment, and what the user asks for. In: a [`Start`](super::Start)
//! and an [`Asked`]. Out: the first members.

use super::closure::below;
use super::except::{APPLICATION, HOME, NOTHING};
use super::growth::{Cause, Grip, Growth};
use super::hierarchy::{self, Wish};
use super::language;
use super::need::NeedKind;
use super::scripts::absolute;
use super::shell::{SHELLS, is_valued_shell_option, words_of};
use super::start::{Asked, paths_in};
use crate::error::{Error, escape};
use crate::rootfs::RootPath;
use crate::warning::WarningKind;

/// Variables whose directories no program reads while it runs, or whose programs are looked up one by one. What a compiler or a package
/// manager needs is kept where the config runs one of them.
const NOT_READ: &[&[u8]] = &[
    b"PATH",
    b"MANPATH",
    b"INFOPATH",
    b"PWD",
    b"OLDPWD",
    b"HOME",
    b"SHELL",
    b"CPATH",
    b"C_INCLUDE_PATH",
    b"CPLUS_INCLUDE_PATH",
    b"LIBRARY_PATH",
    b"PKG_CONFIG_PATH",
    b"CMAKE_PREFIX_PATH",
    b"ACLOCAL_PATH",
    b"GOPATH",
    b"GOROOT",
    b"GOCACHE",
    b"GOMODCACHE",
    b"GOBIN",
    b"CARGO_HOME",
    b"RUSTUP_HOME",
    b"CARGO_TARGET_DIR",
    b"MAVEN_HOME",
    b"MAVEN_CONFIG",
    b"M2_HOME",
    b"GRADLE_HOME",
    b"GRADLE_USER_HOME",
    b"ANT_HOME",
    b"CCACHE_DIR",
    b"PIP_CACHE_DIR",
    b"UV_CACHE_DIR",
    b"POETRY_CACHE_DIR",
    b"NPM_CONFIG_CACHE",
    b"npm_config_cache",
    b"YARN_CACHE_FOLDER",
    b"COREPACK_HOME",
    b"NVM_DIR",
    b"PNPM_HOME",
    b"COMPOSER_HOME",
    b"DEBIAN_FRONTEND",
];

impl Growth<'_> {
    /// Begins with everything that the config and the user name.
    pub(super) fn seed(&mut self, asked: &Asked) -> Result<(), Error> {
        for name in &asked.programs {
            let way = self.needs.program(name, &|_| true);
            if !self.add_way(&way, &Cause::new(None, NeedKind::Asked, name, Grip::Run)) {
                return Err(Error::usage(format!("--keep-bin {}: the image has no such program", escape(name))));
            }
        }
        for (path, node) in &asked.nodes {
            let cause = Cause::new(None, NeedKind::Asked, &absolute(path), Grip::Run);
            self.add(path, *node, &cause);
            // A link to a directory is asked for alone: `--keep /bin` means no program.
            if self.tree().is_directory(*node) {
                self.keep_tree(path, &NOTHING, &cause);
            } else {
                self.keep(path, &cause);
            }
        }
        let start = self.start;
        for line in start.command_lines() {
            self.command_line(&line)?;
        }
        if self.everything() {
            if self.members.is_empty() {
                let what = if start.command_lines().next().is_none() {
                    "the image names no command"
                } else {
                    "the image's command is not in the image"
                };
                return Err(Error::usage(what).hint("say what to keep with --keep or --keep-bin"));
            }
            self.environment();
            self.directories()?;
        }
        Ok(())
    }

    fn command_line(&mut self, words: &[&[u8]]) -> Result<(), Error> {
        let Some((head, arguments)) = words.split_first() else { return Ok(()) };
        let cause = |word: &[u8]| Cause::new(None, NeedKind::Command, word, Grip::Run);
        let way = self.needs.program(head, &|_| true);
        match way.end.clone() {
            Some((end, _)) => {
                self.add_way(&way, &cause(head));
                self.application_of(&end, &cause(head));
            }
            None => self.warnings.add(WarningKind::CommandNotFound, escape(head)),
        }
        // Any word may be the program that the first one runs: tini, docker-entrypoint.sh, newrelic-admin, bundle exec.
        for word in arguments {
            let way = self.needs.program(word, &|_| true);
            self.add_way(&way, &cause(word));
            self.argument(word, &cause(word));
        }
        for read in read_by_shells(words) {
            let text = match read {
                Read::Text(text) => text,
                Read::File(file) => {
                    self.shell_file(&self.start.working_dir.link_target(file), &cause(file));
                    continue;
                }
            };
            self.shell_text(text)?;
            for word in words_of(text) {
                let way = self.needs.program(&word, &|_| true);
                self.add_way(&way, &cause(&word));
                self.argument(&word, &cause(&word));
            }
        }
        Ok(())
    }

    /// The files that an argument names: from the working directory or the root, alone, in a list or behind an option.
    fn argument(&mut self, word: &[u8], cause: &Cause) {
        let directory = self.start.working_dir.clone();
        let parts = word.split(|&byte| byte == b':').chain(std::iter::once(word));
        let relative = parts
            .filter(|part| !part.is_empty() && part.first() != Some(&b'/'))
            .map(|part| directory.link_target(part));
        let mut paths: Vec<RootPath> = relative.flat_map(|path| self.expand(path.as_bytes())).collect();
        paths.extend(paths_in(word).flat_map(|path| self.expand(path)));
        for path in paths.iter().filter(|path| **path != directory) {
            self.named(path, cause);
        }
    }

    /// The directory of a program that stands in none of the common ones: what it was installed with. Of `/opt/x/bin/x` that is `/opt/x`.
    fn application_of(&mut self, program: &RootPath, cause: &Cause) {
        if !self.everything() {
            return;
        }
        let Some((mut directory, name)) = program.split_last() else { return };
        // Of an interpreter, its language says what belongs to it.
        if language::is_interpreter(name) {
            return;
        }
        if let Some((above, b"bin" | b"sbin" | b"libexec")) = directory.split_last() {
            // The programs of a user or of a Go workspace have no tree in common.
            if !hierarchy::is_own(&directory, Wish::Word) || !hierarchy::is_own(&above, Wish::Word) {
                return;
            }
            directory = above;
        }
        // Environments of Python are looked at by their own rule: conda's has a gigabyte.
        let is_environment =
            ["pyvenv.cfg", "conda-meta"].iter().any(|mark| self.at(&below(&directory, mark)).is_some());
        let is_hidden = directory.components().any(|name| name.first() == Some(&b'.'));
        if hierarchy::is_own(&directory, Wish::Word) && !is_hidden && !is_environment {
            self.keep_tree(&directory, &APPLICATION, &cause.gripped(Grip::Own));
        }
    }

    /// What the variables name.
    fn environment(&mut self) {
        let start = self.start;
        for (name, value) in start.env.iter().filter(|(name, _)| !NOT_READ.contains(&&**name)) {
            let cause = Cause::new(None, NeedKind::Environment, name, Grip::Run);
            // The home of Java is a tree of its own kind (language/java.rs).
            if matches!(&**name, b"JAVA_HOME" | b"JRE_HOME") {
                continue;
            }
            for path in paths_in(value) {
                self.named(&RootPath::clamped(path), &cause);
            }
        }
    }

    /// The directories that the config names: where it starts, its volumes, the home of its user.
    fn directories(&mut self) -> Result<(), Error> {
        let start = self.start;
        let cause = |wanted: &[u8]| Cause::new(None, NeedKind::Environment, wanted, Grip::Own);
        if let Some((end, _)) = self.directory_at(&start.working_dir) {
            let is_home = hierarchy::matches(&end, "root") || hierarchy::matches(&end, "home/*");
            if hierarchy::is_own(&end, Wish::WorkingDirectory) {
                self.keep_tree(&start.working_dir, if is_home { &HOME } else { &APPLICATION }, &cause(b"WorkingDir"));
            } else {
                self.keep(&start.working_dir, &cause(b"WorkingDir"));
            }
        }
        for volume in &start.volumes {
            match self.directory_at(volume) {
                Some((end, _)) if hierarchy::is_own(&end, Wish::WorkingDirectory) => {
                    self.keep_tree(volume, &NOTHING, &cause(b"Volumes"));
                }
                _ => {
                    self.keep(volume, &cause(b"Volumes"));
                }
            }
        }
        if let Some(home) = self.home()? {
            // Root's home holds what the build left there; that of a user of its own is an application's.
            let is_own = !hierarchy::matches(&home, "root") && hierarchy::is_own(&home, Wish::WorkingDirectory);
            if is_own && self.directory_at(&home).is_some() {
                self.keep_tree(&home, &HOME, &cause(b"HOME"));
            } else {
                self.keep(&home, &cause(b"HOME"));
            }
        }
        Ok(())
    }

    /// The home directory of the user that the config starts programs as.
    pub(super) fn home(&self) -> Result<Option<RootPath>, Error> {
        if let Some(home) = self.start.variable(b"HOME").filter(|home| home.first() == Some(&b'/')) {
            return Ok(Some(RootPath::clamped(home)));
        }
        let user = self.start.user.split(|&byte| byte == b':').next().filter(|user| !user.is_empty()).unwrap_or(b"0");
        let passwd = self.text(&RootPath::clamped(b"etc/passwd"), PASSWD)?.unwrap_or_default();
        let line = passwd.split(|&byte| byte == b'\n').find_map(|line| {
            let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
            match fields.as_slice() {
                [name, _, uid, _, _, home, ..] if *name == user || *uid == user => Some(RootPath::clamped(home)),
                _ => None,
            }
        });
        Ok(line.filter(|home| !home.is_root()))
    }
}

/// Bytes of `/etc/passwd`.
const PASSWD: u64 = 4 << 20;

/// What a shell in a command line reads.
#[derive(Debug, PartialEq, Eq)]
enum Read<'a> {
    /// The text of `sh -c TEXT`.
    Text(&'a [u8]),
    /// The file of `sh FILE`.
    File(&'a [u8]),
}

/// What shells read, wherever they stand in a command line.
fn read_by_shells<'a>(words: &[&'a [u8]]) -> Vec<Read<'a>> {
    let mut read = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let base = word.rsplit(|&byte| byte == b'/').next().unwrap_or(word);
        if !SHELLS.contains(&base) {
            continue;
        }
        while let Some(word) = words.next() {
            if !matches!(word.first(), Some(b'-' | b'+')) {
                read.push(Read::File(word));
                break;
            }
            if is_valued_shell_option(word) {
                words.next();
            } else if !word.starts_with(b"--") && word.ends_with(b"c") {
                read.extend(words.next().map(|text| Read::Text(text)));
                break;
            }
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_shell_is_found_behind_its_options_and_other_words() {
        let texts = |words: &[&'static str]| -> Vec<Read<'static>> {
            read_by_shells(&words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>())
        };
        assert_eq!(texts(&["tini", "--", "/bin/bash", "-l", "-ec", "a b"]), [Read::Text(b"a b")]);
        assert_eq!(texts(&["/bin/bash", "-o", "pipefail", "-c", "a | b", "x"]), [Read::Text(b"a | b")]);
        assert_eq!(texts(&["sh", "-e", "script", "-c", "a"]), [Read::File(b"script")]);
        assert_eq!(texts(&["sh", "-c"]), []);
    }
}
