//! Node: what the interpreter loads by itself, and the packages that an application needs beside its own `node_modules`. In: a member.
//! Out: members.
//!
//! Left out: npm and whatever else stands in `/usr/share/nodejs` and nothing asks for. Debian's npm alone brings 900 packages.

use super::super::closure::{below, path};
use super::super::except::{APPLICATION, NOTHING};
use super::super::growth::{Cause, Grip, Growth, Member};
use super::super::hierarchy::{self, Wish};
use super::super::need::NeedKind;
use super::super::scripts::absolute;
use super::super::want::Want;
use crate::error::Error;
use crate::rootfs::{InodeKind, RootPath};
use serde_json::Value;

/// Where Debian's Node loads parts of itself from: its binary holds their paths.
const BUILT_IN: &[u8] = b"/usr/share/nodejs/";

/// Bytes of a module that is looked through for what it requires.
const MODULE: u64 = 2 << 20;

/// What runs the scripts of a package.json.
const RUNNERS: &[&[u8]] = &[b"npm", b"yarn", b"yarnpkg", b"pnpm", b"npx"];

impl Growth<'_> {
    /// An interpreter, or the library that is one.
    pub(super) fn node(&mut self, index: usize, directory: &RootPath, name: &[u8]) -> Result<(), Error> {
        if !matches!(name, b"node" | b"nodejs") && !name.starts_with(b"libnode.so") {
            return Ok(());
        }
        let Some(member) = self.members.get(index).cloned() else { return Ok(()) };
        let cause = Cause::rule(Some(index), NeedKind::Language, "node");
        for built_in in self.strings(&member, BUILT_IN)? {
            let name = built_in.get(BUILT_IN.len()..).unwrap_or_default();
            let name = name.split(|&byte| byte == b'/').next().and_then(|name| std::str::from_utf8(name).ok());
            self.system_package(name.unwrap_or_default(), &cause)?;
        }
        if !self.is_first("node", &RootPath::root()) {
            return Ok(());
        }
        self.recognised("node", &[], &directory.join(name));
        // child_process.exec
        self.keep(&path("/bin/sh"), &cause);
        let working_dir = self.start.working_dir.clone();
        self.node_application(&working_dir, &cause)?;
        self.package_scripts(&working_dir)
    }

    /// A program in JavaScript that is run: its package, or the directory that it is the main file of.
    pub(super) fn node_script(&mut self, index: usize, member: &Member) -> Result<(), Error> {
        let is_module =
            [&b".js"[..], b".mjs", b".cjs", b".ts"].iter().any(|ending| member.path.as_bytes().ends_with(ending));
        let is_script = match self.needs.wants().at(self.tree(), member.node) {
            Some(Want::Script(script)) => {
                let words = [&*script.interpreter, b" ", &script.argument].concat();
                words.split(|&byte| byte == b' ' || byte == b'/').any(|word| matches!(word, b"node" | b"nodejs"))
            }
            _ => false,
        };
        if !is_module && !is_script {
            return Ok(());
        }
        let cause = Cause::rule(Some(index), NeedKind::Language, "node application");
        let mut directory = member.path.split_last().map(|(parent, _)| parent);
        while let Some(above) = directory.filter(|above| !above.is_root()) {
            if self.at(&below(&above, "package.json")).is_some() {
                if hierarchy::is_own(&above, Wish::WorkingDirectory) {
                    self.package(&above, &cause)?;
                    return self.node_application(&above, &cause);
                }
                break;
            }
            directory = above.split_last().map(|(parent, _)| parent);
        }
        let Some((directory, _)) = member.path.split_last() else { return Ok(()) };
        if hierarchy::is_own(&directory, Wish::Word) {
            self.keep_tree(&directory, &APPLICATION, &cause.gripped(Grip::Own));
        }
        self.node_application(&directory, &cause)
    }

    /// What an application asks for and its own tree does not have.
    fn node_application(&mut self, directory: &RootPath, cause: &Cause) -> Result<(), Error> {
        let Some((directory, node)) = self.directory_at(directory) else { return Ok(()) };
        if !self.is_first("node application", &directory) {
            return Ok(());
        }
        let mut names = self.dependencies(&directory)?;
        // A directory that is nobody's own (the root, a bin) has its modules beside its programs.
        let is_own = hierarchy::is_own(&directory, Wish::WorkingDirectory);
        let modules = below(&directory, "node_modules");
        if !is_own && !hierarchy::matches(&directory, "usr/local/lib") && !hierarchy::matches(&directory, "usr/lib") {
            self.keep_tree(&modules, &APPLICATION, cause);
        }
        let mut open = vec![(directory.clone(), node)];
        while let Some((directory, node)) = open.pop() {
            for (name, &child) in self.tree().children(node) {
                match &self.tree().inode_of(child).kind {
                    InodeKind::Directory
                        if is_own && **name != *b"node_modules" && !APPLICATION.leaves_out(name, false, true) =>
                    {
                        open.push((directory.join(name), child));
                    }
                    InodeKind::File(_)
                        if [&b".js"[..], b".mjs", b".cjs", b".ts"].iter().any(|ending| name.ends_with(ending)) =>
                    {
                        let text = self.text_of(&directory.join(name), child, MODULE)?.unwrap_or_default();
                        names.extend(required(&text));
                    }
                    _ => {}
                }
            }
        }
        names.sort();
        names.dedup();
        for name in names {
            if let Some(package) = self.find_package(&directory, &name) {
                self.package(&package, &Cause::new(cause.from, NeedKind::Language, name.as_bytes(), Grip::Part))?;
            }
        }
        Ok(())
    }

    /// The scripts that `npm start` and `npm run NAME` of the config run.
    fn package_scripts(&mut self, directory: &RootPath) -> Result<(), Error> {
        let start = self.start;
        let words: Vec<&[u8]> =
            start.command_lines().flatten().flat_map(|word| word.split(|byte| byte.is_ascii_whitespace())).collect();
        if !words.iter().any(|word| RUNNERS.contains(&word.rsplit(|&byte| byte == b'/').next().unwrap_or(word))) {
            return Ok(());
        }
        let json = self.package_json(directory)?;
        let scripts = json.get("scripts").and_then(Value::as_object);
        for (name, script) in scripts.into_iter().flatten() {
            // `npm run build` also runs prebuild and postbuild, `npm start` prestart and poststart.
            let plain = name.strip_prefix("pre").or_else(|| name.strip_prefix("post")).unwrap_or(name);
            if words.iter().any(|word| *word == plain.as_bytes() || *word == name.as_bytes())
                && let Some(text) = script.as_str()
            {
                self.shell_text(text.as_bytes())?;
                for word in super::super::shell::words_of(text.as_bytes()) {
                    let Ok(word) = std::str::from_utf8(&word) else { continue };
                    let program = below(directory, &format!("node_modules/.bin/{word}"));
                    let cause = Cause::new(None, NeedKind::Command, &absolute(&program), Grip::Run);
                    if !word.is_empty() {
                        self.keep(&program, &cause);
                    }
                }
            }
        }
        // npm reads them.
        self.keep_tree(
            &below(directory, "package.json"),
            &NOTHING,
            &Cause::rule(None, NeedKind::Language, "package.json"),
        );
        Ok(())
    }
}

/// The packages that a module names in `require("x")`, `import "x"`, `from "x"` and `import("x")`.
fn required(text: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for quote in [b'"', b'\''] {
        let mut parts = text.split(|&byte| byte == quote || byte == b'\n');
        let mut before = parts.next().unwrap_or_default();
        for part in parts {
            let lead = before.trim_ascii_end();
            let lead = lead.strip_suffix(b"(").map_or(lead, <[u8]>::trim_ascii_end);
            if [&b"require"[..], b"import", b"from"].iter().any(|word| lead.ends_with(word)) {
                names.extend(package_name(part));
            }
            before = part;
        }
    }
    names
}

/// The package of `x`, `x/y`, `@scope/x/y`; paths and Node's own modules are none.
fn package_name(module: &[u8]) -> Option<String> {
    let module = std::str::from_utf8(module).ok()?;
    let is_plain = module.chars().all(|c| c.is_ascii_alphanumeric() || "@/._-~".contains(c));
    if module.is_empty() || !is_plain || module.starts_with(['.', '/']) {
        return None;
    }
    let names = if module.starts_with('@') { 2 } else { 1 };
    let parts: Vec<&str> = module.split('/').take(names).collect();
    (parts.len() == names && !parts.iter().any(|part| part.is_empty() || *part == "..")).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_behind_require_and_import() {
        let text = b"const a = require('left-pad/x'), b = require(\"./own\");\nimport c from '@scope/name/deep';\nimport \"side\";\nawait import('lazy');\nsay('other')";
        assert_eq!(required(text), ["side", "left-pad", "@scope/name", "lazy"]);
    }
}
