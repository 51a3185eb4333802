//! What a shell script that is run needs, with the files that it sources. In: a script that is a member, or a text of the config.
//! Out: members. The scripts that it runs are looked at in their turn.

use super::except::APPLICATION;
use super::growth::{Cause, Grip, Growth, Member};
use super::hierarchy::{self, Wish};
use super::need::NeedKind;
use super::shell::{self, Finding, Script, Variables, World, findings};
use crate::error::Error;
use crate::rootfs::{NodeId, RootPath};
use crate::warning::WarningKind;
use std::collections::BTreeSet;

/// Bytes of a script that is followed; its tokens are bounded, too.
const SCRIPT: u64 = 1 << 20;

/// Bytes of shell text that one image may make us read, what several scripts source once for each: those of the images in `tests/images` have 2 MB.
pub(super) const TEXTS: u64 = 32 << 20;

/// Tokens of all shell text of one image, which may all be in memory at once: those of the images in `tests/images` have half a million.
pub(super) const TOKENS: u64 = 2_000_000;

/// Files that one script may source, and those that they source.
const SOURCED: usize = 64;

/// How often assignments are read: one may use a variable that a later line, or a sourced file, assigns.
const ROUNDS: usize = 3;

/// A text among those that share their variables.
struct Unit {
    /// The member whose text it is; the config's text is none.
    member: Option<usize>,
    script: Script,
}

impl World for Growth<'_> {
    fn program(&self, name: &[u8]) -> Option<Vec<u8>> {
        // Where it is called, not where the links lead: `dirname $(which java)` is the directory on PATH.
        let directories = self.needs.environment().path.iter();
        let mut paths = directories.map(|directory| directory.link_target(name));
        let path = paths.find(|path| self.at(path).is_some_and(|(_, node)| !self.tree().is_directory(node)))?;
        Some(absolute(&path))
    }

    fn real(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.at(&RootPath::clamped(path)).map(|(path, _)| absolute(&path))
    }
}

impl Growth<'_> {
    /// The needs of a member that is a shell script.
    pub(super) fn shell_script(&mut self, index: usize, path: &RootPath, node: NodeId) -> Result<(), Error> {
        let Some(text) = self.text_of(path, node, SCRIPT)? else {
            self.warnings.add(WarningKind::ComputedCommand, path);
            return Ok(());
        };
        let mut own = vec![absolute(path)];
        // `$0` is the name by which it was called, which may be a link to it.
        if let Some(member) = self.members.get(index).filter(|member| member.wanted.first() == Some(&b'/')) {
            own.push(member.wanted.to_vec());
        }
        let script = self.parse(&text, path);
        self.units(Unit { member: Some(index), script }, &own)
    }

    /// The needs of a text that the config gives to a shell.
    pub(super) fn shell_text(&mut self, text: &[u8]) -> Result<(), Error> {
        let script = self.parse(text, &"the command of the config");
        self.units(Unit { member: None, script }, &[])
    }

    /// Reads a text; one that is too long, or one too many, counts as one that computes what it runs.
    fn parse(&mut self, text: &[u8], place: &dyn std::fmt::Display) -> Script {
        let (size, tokens) = (text.len() as u64, shell::tokens(text));
        let left = self.texts.checked_sub(size).zip(self.tokens.checked_sub(tokens));
        match left.filter(|_| size <= SCRIPT && tokens <= shell::TOKENS) {
            Some((texts, tokens)) => {
                (self.texts, self.tokens) = (texts, tokens);
                Script::parse(text)
            }
            None => {
                self.warnings.add(WarningKind::ComputedCommand, place);
                Script::default()
            }
        }
    }

    fn units(&mut self, first: Unit, own: &[Vec<u8>]) -> Result<(), Error> {
        let environment = self.start.env.iter().map(|(name, value)| (&**name, &**value));
        let mut variables = Variables::new(environment, own, absolute(&self.start.working_dir), self.values);
        let mut seen: BTreeSet<NodeId> = BTreeSet::new();
        let mut units = vec![first];
        let mut found: Vec<Vec<Finding>>;
        loop {
            for unit in (0..ROUNDS).flat_map(|_| &units) {
                variables.learn(&unit.script, self);
            }
            found = units.iter().map(|unit| findings(&unit.script, &variables, self)).collect();
            let mut sourced = Vec::new();
            for (unit, found) in units.iter().zip(&found) {
                for finding in found {
                    let Finding::Source(path) = finding else { continue };
                    // `for f in /entrypoint.d/*.sh; do . "$f"; done`.
                    for place in self.expand(path) {
                        let way = self.follow(&place);
                        let Some((end, node)) = way.end.clone().filter(|(_, node)| seen.insert(*node)) else {
                            continue;
                        };
                        if units.len().saturating_add(sourced.len()) >= SOURCED {
                            continue;
                        }
                        let Some(text) = self.text_of(&end, node, SCRIPT)? else { continue };
                        self.add_way(&way, &Cause::new(unit.member, kind_of(unit), path, Grip::Part));
                        self.sourced.insert(node);
                        let member = self.index.get(&node).copied();
                        let script = self.parse(&text, &end);
                        sourced.push(Unit { member, script });
                    }
                }
            }
            if sourced.is_empty() {
                break;
            }
            units.extend(sourced);
        }
        self.values = variables.left.get();
        for (unit, found) in units.iter().zip(found) {
            found.into_iter().for_each(|finding| self.finding(unit, finding));
        }
        Ok(())
    }

    fn finding(&mut self, unit: &Unit, finding: Finding) {
        let cause = |wanted: &[u8], grip| Cause::new(unit.member, kind_of(unit), wanted, grip);
        match finding {
            Finding::Program(name) => {
                let way = self.needs.program(&name, &|_| true);
                if !self.add_way(&way, &cause(&name, Grip::Run)) && unit.member.is_none() {
                    self.warnings.add(WarningKind::CommandNotFound, crate::error::escape(&name));
                }
            }
            Finding::Run(path) => {
                let way = self.follow(&RootPath::clamped(&path));
                if way.end.as_ref().is_some_and(|(_, node)| !self.tree().is_directory(*node)) {
                    self.add_way(&way, &cause(&path, Grip::Run));
                }
            }
            Finding::Script(path) => self.shell_file(&RootPath::clamped(&path), &cause(&path, Grip::Run)),
            // What another script names, too, is there already: a thousand scripts that list their own directory would list it a thousand times.
            Finding::Mention(path) if !self.mentioned.insert(path.clone()) => {}
            Finding::Mention(path) => {
                for path in self.expand(&path) {
                    self.run_directory(&path, &cause(&absolute(&path), Grip::Run));
                    self.named(&path, &cause(&absolute(&path), Grip::Run));
                }
            }
            Finding::Output(path) => {
                if self.everything()
                    && let Some((parent, _)) = RootPath::clamped(&path).split_last()
                {
                    self.keep(&parent, &cause(&path, Grip::Part));
                }
            }
            Finding::Computed(text) => {
                if self.everything() {
                    let place =
                        unit.member.and_then(|index| self.members.get(index)).map(|member| member.path.to_string());
                    let place = place.unwrap_or_else(|| "the image's command".into());
                    self.warnings
                        .add(WarningKind::ComputedCommand, format!("{place}: {}", crate::error::escape(&text)));
                }
            }
            Finding::Source(_) => {}
        }
    }

    /// Keeps a file that a shell is given to read, as in `sh FILE`: it needs neither `#!` nor a mode.
    pub(super) fn shell_file(&mut self, path: &RootPath, cause: &Cause) {
        let way = self.follow(path);
        let Some((_, node)) = way.end.clone().filter(|(_, node)| !self.tree().is_directory(*node)) else { return };
        self.add_way(&way, cause);
        if let (Some(&index), false) = (self.index.get(&node), self.shell_files.contains_key(&node)) {
            self.shell_files.insert(node, false);
            self.queue.push_back(index);
        }
    }

    /// Reads such a file, once. One that is a shell's script by itself is read as that.
    pub(super) fn read_by_shell(&mut self, index: usize, member: &Member) -> Result<(), Error> {
        let Some(is_read @ false) = self.shell_files.get_mut(&member.node) else { return Ok(()) };
        *is_read = true;
        if self.is_shell_script(member.node) || self.sourced.contains(&member.node) {
            return Ok(());
        }
        self.shell_script(index, &member.path, member.node)
    }

    /// What a script runs that names a directory such as `/docker-entrypoint.d`: the scripts in it.
    fn run_directory(&mut self, path: &RootPath, cause: &Cause) {
        let Some((end, directory)) = self.directory_at(path) else { return };
        let name = end.components().next_back().unwrap_or_default();
        if !name.ends_with(b".d") || !hierarchy::is_own(&end, Wish::Word) || !self.is_first("scripts.d", &end) {
            return;
        }
        for (name, &node) in self.tree().children(directory) {
            let is_program = self.tree().inode_of(node).meta.mode & 0o111 != 0;
            if name.ends_with(b".sh") || name.ends_with(b".envsh") {
                self.shell_file(&end.join(name), cause);
            } else if is_program && !self.tree().is_directory(node) {
                self.keep(&end.join(name), cause);
            }
        }
    }

    /// Keeps what a word or a variable names: a file and what it needs, or a directory, with what is in it where that is its own.
    pub(super) fn named(&mut self, path: &RootPath, cause: &Cause) -> bool {
        let Some((end, node)) = self.at(path) else { return false };
        if !self.tree().is_directory(node) {
            return self.keep(path, cause);
        }
        if !self.everything() {
            return false;
        }
        if hierarchy::is_own(&end, Wish::Word) {
            self.keep_tree(path, &APPLICATION, &cause.gripped(Grip::Own))
        } else {
            self.keep(path, cause)
        }
    }
}

fn kind_of(unit: &Unit) -> NeedKind {
    if unit.member.is_some() { NeedKind::Word } else { NeedKind::Command }
}

/// A path as a program spells it.
pub(super) fn absolute(path: &RootPath) -> Vec<u8> {
    [b"/", path.as_bytes()].concat()
}
