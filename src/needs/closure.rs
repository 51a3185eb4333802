//! The closure of a config: everything that its programs need, and what asked for it. In: the needs of the files of a tree, the
//! config, what the user asks for. Out: a [`Closure`]. What a program decides while it runs is not seen; for the languages and libraries that
//! are known to do so, tables say what to keep.

use super::growth::{Cause, Grip, Growth, Member};
use super::jar;
use super::need::NeedKind;
use super::needs::Needs;
use super::scripts::absolute;
use super::shell::SHELLS;
use super::start::{Asked, Reach, Runtime, Start, Step};
use super::want::{Script, Want};
use crate::error::Error;
use crate::rootfs::{Files, InodeKind, NodeId, RootPath};
use crate::warning::{WarningKind, Warnings};
use std::collections::HashMap;

/// What must stay.
#[derive(Debug, Clone, Default)]
pub struct Closure {
    members: Vec<Kept>,
    index: HashMap<NodeId, usize>,
    runtimes: Vec<Runtime>,
    warnings: Warnings,
}

#[derive(Debug, Clone)]
struct Kept {
    node: NodeId,
    from: Option<usize>,
    step: Step,
}

/// What the programs of a config need, as far as `reach` says, and what the user asks for with its own needs.
///
/// # Errors
///
/// As [`Files::read_at`]; `Usage` where a program that was asked for is not there, and with [`Reach::Everything`] where the config names no
/// program and nothing was asked for.
pub fn closure(needs: &Needs, files: &dyn Files, start: &Start, asked: &Asked, reach: Reach) -> Result<Closure, Error> {
    let mut growth = Growth::new(needs, files, start, reach);
    growth.seed(asked)?;
    growth.drain()?;
    if growth.everything() {
        growth.implicit()?;
        growth.drain()?;
        growth.unnamed_scripts();
        growth.drain()?;
        // The interpreter of such a script may bring a language, and that the files it reads.
        growth.implicit()?;
        growth.drain()?;
    }
    Ok(growth.finish())
}

impl Closure {
    /// Whether a name must stay: a file, a symlink on the way to one, or a directory that must exist even if it is empty. A directory above
    /// of these is none for that alone.
    pub fn contains(&self, node: NodeId) -> bool {
        self.index.contains_key(&node)
    }

    /// What must stay, in the order in which it was found.
    pub fn files(&self) -> impl Iterator<Item = (&RootPath, NodeId)> {
        self.members.iter().map(|kept| (&kept.step.path, kept.node))
    }

    /// Why a name must stay: itself first, the one that the config or the user names last. Empty for one that need not.
    pub fn chain(&self, node: NodeId) -> Vec<Step> {
        let first = self.index.get(&node).and_then(|&index| self.members.get(index));
        let steps = std::iter::successors(first, |kept| kept.from.and_then(|index| self.members.get(index)));
        steps.map(|kept| kept.step.clone()).collect()
    }

    /// The run-time systems that were recognised, sorted.
    pub fn languages(&self) -> &[Runtime] {
        &self.runtimes
    }

    /// What could not be followed.
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }
}

impl Growth<'_> {
    /// Looks at members until all that they need are members too.
    fn drain(&mut self) -> Result<(), Error> {
        while let Some(index) = self.queue.pop_front() {
            let Some(member) = self.members.get(index).cloned() else { continue };
            let InodeKind::File(content) = &self.tree().inode_of(member.node).kind else {
                self.language_of_link(index, &member)?;
                continue;
            };
            match self.needs.wants().at(self.tree(), member.node) {
                Some(Want::Elf(_)) => self.look_up(index, &member.path, member.node, member.grip.min(Grip::Run)),
                Some(Want::Script(script)) => {
                    let script = script.clone();
                    self.script(index, &script)?;
                }
                None => {}
            }
            self.read_by_shell(index, &member)?;
            if member.path.as_bytes().ends_with(b".jar") && (self.everything() || member.grip == Grip::Run) {
                let names =
                    jar::class_path(self.files, content).map_err(|error| error.at_entry(member.path.as_bytes()))?;
                self.class_path(index, &names);
            }
            if self.everything() {
                self.plugins(index, &member);
                if member.grip == Grip::Run {
                    self.language(index, &member)?;
                    self.warn_of_recipes(&member);
                }
            }
        }
        Ok(())
    }

    /// Programs that run what a file of theirs says are not followed into that file.
    fn warn_of_recipes(&mut self, member: &Member) {
        let name = member.path.components().next_back().unwrap_or_default();
        if matches!(
            name,
            b"make"
                | b"gmake"
                | b"bmake"
                | b"ninja"
                | b"rake"
                | b"just"
                | b"cron"
                | b"crond"
                | b"runsvdir"
                | b"s6-svscan"
                | b"execlineb"
                | b"supervisord"
                | b"systemd"
                | b"monit"
        ) {
            self.warnings.add(WarningKind::ComputedCommand, member.path.to_string());
        }
    }

    /// Keeps what the loader or the kernel looks up for a file.
    fn look_up(&mut self, index: usize, path: &RootPath, node: NodeId, grip: Grip) {
        for need in self.needs.of(path, node, &|_| true) {
            self.add_way(&need.way, &Cause::new(Some(index), need.kind, &need.wanted, grip));
        }
    }

    fn script(&mut self, index: usize, script: &Script) -> Result<(), Error> {
        let Some(member) = self.members.get(index).cloned() else { return Ok(()) };
        match member.grip {
            Grip::Run => {
                self.look_up(index, &member.path, member.node, Grip::Run);
                if is_shell(script) && !self.sourced.contains(&member.node) {
                    self.shell_script(index, &member.path, member.node)?;
                }
            }
            Grip::Own if self.tree().inode_of(member.node).meta.mode & 0o111 != 0 => self.unnamed.push(index),
            Grip::Own | Grip::Part => {}
        }
        Ok(())
    }

    /// Scripts in the application's directories that nothing names. An interpreted application may run them: then they keep their shell. A
    /// compiled one has such scripts from its build: their interpreters must not come with it.
    fn unnamed_scripts(&mut self) {
        let is_interpreted = !self.runtimes.is_empty();
        for index in std::mem::take(&mut self.unnamed) {
            let Some(member) = self.members.get(index).cloned() else { continue };
            let Some(Want::Script(script)) = self.needs.wants().at(self.tree(), member.node) else { continue };
            let needs = self.needs.of(&member.path, member.node, &|_| true);
            let is_there =
                needs.iter().all(|need| need.way.end.as_ref().is_some_and(|(_, node)| self.index.contains_key(node)));
            if is_there || is_interpreted && is_shell(script) {
                for need in needs {
                    self.add_way(&need.way, &Cause::new(Some(index), need.kind, &need.wanted, Grip::Run));
                }
            } else {
                self.warnings.add(WarningKind::UnnamedScript, member.path.to_string());
            }
        }
    }

    /// The jars that a jar names, from where it stands and from where it was reached by a link.
    fn class_path(&mut self, index: usize, names: &[Vec<u8>]) {
        let Some(member) = self.members.get(index).cloned() else { return };
        let mut directories: Vec<RootPath> = vec![member.path.clone()];
        directories.extend(self.links.get(&member.node).into_iter().flatten().cloned());
        for name in names {
            let Some(path) = jar::path_of(name) else { continue };
            for directory in &directories {
                let Some((directory, _)) = directory.split_last() else { continue };
                self.keep(
                    &directory.link_target(&path),
                    &Cause::new(Some(index), NeedKind::ClassPath, name, member.grip),
                );
            }
        }
    }

    fn finish(mut self) -> Closure {
        if self.cut.get() {
            self.warnings.add(WarningKind::ComputedCommand, "patterns that fit too many names");
        }
        let members = self.members.into_iter().map(|member| {
            let step = Step { path: member.path, kind: member.kind, wanted: (&*member.wanted).into() };
            Kept { node: member.node, from: member.from, step }
        });
        Closure {
            members: members.collect(),
            index: self.index,
            runtimes: self.runtimes.into_iter().collect(),
            warnings: self.warnings,
        }
    }
}

impl Growth<'_> {
    /// Whether a file says itself that a shell runs it.
    pub(super) fn is_shell_script(&self, node: NodeId) -> bool {
        matches!(self.needs.wants().at(self.tree(), node), Some(Want::Script(script)) if is_shell(script))
    }
}

fn is_shell(script: &Script) -> bool {
    let words = script.argument.split(|byte| byte.is_ascii_whitespace());
    let mut words = std::iter::once(&*script.interpreter).chain(words);
    // `#!/usr/bin/env bash`, `#!/bin/busybox sh`: the first two words tell.
    words.by_ref().take(2).any(|word| {
        let base = word.rsplit(|&byte| byte == b'/').next().unwrap_or(word);
        SHELLS.contains(&base)
    })
}

/// A path from a rule's text.
pub(super) fn path(text: &str) -> RootPath {
    RootPath::clamped(text.as_bytes())
}

/// A directory's path with a name below it, as a rule's text spells both.
pub(super) fn below(directory: &RootPath, text: &str) -> RootPath {
    RootPath::clamped(&[&absolute(directory), text.as_bytes()].join(&b'/'))
}
