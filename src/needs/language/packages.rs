//! Packages of Node and what they depend on, as their package.json says. In: a directory of a package, or a name and where it is asked for.
//! Out: members. Debian keeps packages of the whole system in `/usr/share/nodejs`.

use super::super::closure::below;
use super::super::except::APPLICATION;
use super::super::growth::{Cause, Grip, Growth};
use super::super::need::NeedKind;
use crate::error::Error;
use crate::rootfs::RootPath;
use serde_json::Value;

/// Where packages of the whole system are, in the order in which Debian's Node looks there. Those of npm's own prefix are no search path.
const SYSTEM: &[&str] = &["/usr/lib/*-linux-gnu*/nodejs", "/usr/share/nodejs", "/usr/lib/nodejs"];

/// Bytes of a package.json; those in real packages have less than 1 MiB.
const TEXT: u64 = 4 << 20;

impl Growth<'_> {
    /// Where Node looks for a package that no `node_modules` above the one that asks has.
    pub(super) fn system_packages(&self) -> Vec<RootPath> {
        let mut directories: Vec<RootPath> =
            SYSTEM.iter().flat_map(|pattern| self.expand(pattern.as_bytes())).collect();
        if let Some(more) = self.start.variable(b"NODE_PATH") {
            directories.extend(more.split(|&byte| byte == b':').filter(|part| !part.is_empty()).map(RootPath::clamped));
        }
        directories
    }

    /// A package of the whole system by its name, with what it depends on.
    pub(super) fn system_package(&mut self, name: &str, cause: &Cause) -> Result<(), Error> {
        if name.is_empty() || name.starts_with('.') || name.starts_with('/') {
            return Ok(());
        }
        for directory in self.system_packages() {
            let package = below(&directory, name);
            if self.at(&package).is_some() {
                return self.package(&package, cause);
            }
            // Debian has packages that are one file.
            for file in [format!("{name}.js"), format!("{name}.json"), format!("{name}.node")] {
                self.keep(&below(&directory, &file), cause);
            }
        }
        Ok(())
    }

    /// A package and what it depends on, by a list of work as they may go in circles.
    pub(super) fn package(&mut self, directory: &RootPath, cause: &Cause) -> Result<(), Error> {
        let mut ahead = vec![(directory.clone(), cause.clone())];
        while let Some((package, cause)) = ahead.pop() {
            let Some((end, node)) = self.at(&package) else { continue };
            self.keep(&package, &cause);
            if !self.tree().is_directory(node) || !self.is_first("node package", &end) {
                continue;
            }
            self.keep_tree(&end, &APPLICATION, &cause);
            let from = self.index.get(&node).copied();
            for name in self.dependencies(&end)? {
                let cause = Cause::new(from, NeedKind::Language, name.as_bytes(), Grip::Part);
                ahead.extend(self.find_package(&end, &name).map(|found| (found, cause)));
            }
        }
        Ok(())
    }

    /// Where a package that is asked for in a directory is: in a `node_modules` above, or among those of the system.
    pub(super) fn find_package(&self, from: &RootPath, name: &str) -> Option<RootPath> {
        let mut directory = Some(from.clone());
        while let Some(above) = directory {
            let is_modules = above.components().next_back() == Some(b"node_modules");
            let found = below(&above, &format!("node_modules/{name}"));
            if !is_modules && self.at(&found).is_some() {
                return Some(found);
            }
            directory = above.split_last().map(|(parent, _)| parent);
        }
        let system = self.system_packages().into_iter();
        system.map(|directory| below(&directory, name)).find(|package| self.at(package).is_some())
    }

    /// What a package.json names as dependencies, those that may be missing among them.
    pub(super) fn dependencies(&self, package: &RootPath) -> Result<Vec<String>, Error> {
        let json = self.package_json(package)?;
        let mut names = Vec::new();
        for key in ["dependencies", "optionalDependencies", "peerDependencies"] {
            let map = json.get(key).and_then(Value::as_object);
            names.extend(map.into_iter().flat_map(|map| map.keys().cloned()));
        }
        Ok(names)
    }

    pub(super) fn package_json(&self, package: &RootPath) -> Result<Value, Error> {
        let text = self.text(&below(package, "package.json"), TEXT)?.unwrap_or_default();
        Ok(serde_json::from_slice(&text).unwrap_or_default())
    }
}
