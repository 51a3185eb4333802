//! Python: the standard library, installed packages, virtual environments, and the modules beside a program. In: a member that is an
//! interpreter, its library, or a program in Python. Out: members.
//!
//! Left out: the library's own tests and tools ([`PYTHON`]), pip and wheel, and setuptools unless something imports it: an image that runs pip
//! names it, and the program then keeps its own directory.

use super::super::closure::{below, path};
use super::super::except::{APPLICATION, NOTHING, PYTHON, PYTHON_PACKAGES, PYTHON_PACKAGES_WITH_SETUPTOOLS};
use super::super::growth::{Cause, Grip, Growth, Member};
use super::super::hierarchy::{self, Wish};
use super::super::need::NeedKind;
use super::super::want::Want;
use super::is_version;
use crate::error::Error;
use crate::rootfs::{InodeKind, RootPath};

/// Bytes of a `.pth` file, of `pyvenv.cfg`, or of a module that is looked through.
const TEXT: u64 = 1 << 20;

/// What programs in Python use beside Python's own files.
const BESIDE: &[&str] = &[
    // subprocess and os.system
    "/bin/sh",
    // ctypes.util.find_library asks it; without it, or without the cache, it finds nothing (measured)
    "/sbin/ldconfig",
    "/usr/sbin/ldconfig.real",
    "/etc/ld.so.cache",
    // Debian's list of what `python3` is
    "/etc/python3*/",
];

/// Directories of installed packages below a prefix; `*` is the version.
const SITES: &[&str] = &["lib/python*/site-packages", "lib/python*/dist-packages", "lib64/python*/site-packages"];

/// Those that every Python of the system reads (Debian's site.py).
const SYSTEM_SITES: &[&str] = &["/usr/lib/python3/dist-packages", "/usr/local/lib/python3/dist-packages"];

impl Growth<'_> {
    /// An interpreter, or the library that is one.
    pub(super) fn python(&mut self, index: usize, directory: &RootPath, name: &[u8]) -> Result<(), Error> {
        let program = name.strip_prefix(b"python").filter(|version| is_version(version) && version.contains(&b'.'));
        let library = name.strip_prefix(b"libpython").and_then(|rest| {
            let end = rest.windows(3).position(|window| window == b".so")?;
            rest.get(..end).filter(|version| is_version(version) && version.contains(&b'.'))
        });
        let Some(version) = program.or(library) else { return Ok(()) };
        let Ok(version_text) = std::str::from_utf8(version) else { return Ok(()) };
        // The prefix is above bin, or above the lib that the library is in or below.
        let above = |names: &[&[u8]]| {
            let mut path = directory.clone();
            while let Some((parent, name)) = path.split_last() {
                if names.contains(&name) {
                    return Some(parent);
                }
                path = parent;
            }
            None
        };
        let Some(prefix) = above(if program.is_some() { &[b"bin"] } else { &[b"lib", b"lib64"] }) else {
            return Ok(());
        };
        self.virtual_environment(index, directory)?;
        if !self.is_first("python", &below(&prefix, version_text)) {
            return Ok(());
        }
        let cause = Cause::rule(Some(index), NeedKind::Language, &format!("python {version_text}"));
        let mut homes = vec![prefix.clone()];
        if let Some(home) = self.start.variable(b"PYTHONHOME") {
            homes.extend(home.split(|&byte| byte == b':').map(RootPath::clamped));
        }
        let mut sites = Vec::new();
        for home in &homes {
            for lib in ["lib", "lib64"] {
                let library = below(home, &format!("{lib}/python{version_text}"));
                if self.keep_tree(&library, &PYTHON, &cause) {
                    self.recognised("python", version, &library);
                }
                self.keep(&below(home, &format!("{lib}/python{}.zip", version_text.replace('.', ""))), &cause);
            }
            self.conda(home, &cause);
            sites.extend(self.sites_below(home, version_text));
        }
        if hierarchy::matches(&prefix, "usr") {
            sites.extend(SYSTEM_SITES.iter().map(|site| path(site)));
            sites.extend(self.sites_below(&path("/usr/local"), version_text));
        }
        if let Some(home) = self.home()? {
            sites.extend(self.sites_below(&below(&home, ".local"), version_text));
        }
        for site in &sites {
            self.site(site, &cause)?;
        }
        self.keep_all(BESIDE, &cause);
        self.modules_of_working_dir(&cause);
        Ok(())
    }

    fn sites_below(&self, prefix: &RootPath, version: &str) -> Vec<RootPath> {
        let sites = SITES.iter().map(|site| below(prefix, &site.replace('*', version)));
        sites.filter(|site| self.directory_at(site).is_some()).collect()
    }

    /// The libraries of a conda environment: some are loaded by names that they compute (MKL).
    fn conda(&mut self, prefix: &RootPath, cause: &Cause) {
        if self.directory_at(&below(prefix, "conda-meta")).is_some() {
            for library in self.expand(below(prefix, "lib/lib*.so*").as_bytes()) {
                self.keep(&library, cause);
            }
            self.keep_tree(&below(prefix, "ssl"), &NOTHING, cause);
        }
    }

    /// The environment whose `bin` this is, where it is one (PEP 405), and the Python that it was made of.
    pub(super) fn virtual_environment(&mut self, index: usize, bin: &RootPath) -> Result<(), Error> {
        let Some((root, _)) = bin.split_last() else { return Ok(()) };
        let config = below(&root, "pyvenv.cfg");
        let Some(text) = self.text(&config, TEXT)? else { return Ok(()) };
        if !self.is_first("pyvenv", &root) {
            return Ok(());
        }
        let cause = Cause::rule(Some(index), NeedKind::Language, "virtual environment");
        self.keep(&config, &cause);
        self.keep_below(&root, "bin/python*", &cause);
        for site in self.expand(below(&root, "lib*/python*/site-packages").as_bytes()) {
            self.site(&site, &cause)?;
        }
        for line in text.split(|&byte| byte == b'\n') {
            let Some(equals) = line.iter().position(|&byte| byte == b'=') else { continue };
            let (key, value) = line.split_at(equals);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if key.trim_ascii() == b"home" && value.first() == Some(&b'/') {
                // What runs is the interpreter that the links lead to; this one tells where its library is.
                for program in self.expand(below(&RootPath::clamped(value), "python3*").as_bytes()) {
                    self.keep(&program, &cause.gripped(Grip::Run));
                }
            }
        }
        Ok(())
    }

    /// A directory of installed packages, with those that it names and that are elsewhere.
    fn site(&mut self, site: &RootPath, cause: &Cause) -> Result<(), Error> {
        let Some((site, _)) = self.directory_at(site) else { return Ok(()) };
        if !self.is_first("site-packages", &site) {
            return Ok(());
        }
        let has_setuptools =
            ["setuptools", "pkg_resources"].iter().any(|name| self.directory_at(&below(&site, name)).is_some());
        let except = if has_setuptools && self.imports_setuptools(&site)? {
            &PYTHON_PACKAGES_WITH_SETUPTOOLS
        } else {
            &PYTHON_PACKAGES
        };
        self.keep_tree(&site, except, cause);
        for pattern in ["*.pth", "*.egg-link", "__editable__*.py"] {
            for file in self.expand(below(&site, pattern).as_bytes()) {
                let text = self.text(&file, TEXT)?.unwrap_or_default();
                let is_module = pattern.ends_with(".py");
                let named: Vec<&[u8]> = if is_module {
                    // The finder of an editable install holds its directories as strings (setuptools).
                    text.split(|&byte| byte == b'\'' || byte == b'"')
                        .filter(|part| part.first() == Some(&b'/'))
                        .collect()
                } else {
                    text.split(|&byte| byte == b'\n')
                        .map(<[u8]>::trim_ascii)
                        .filter(|line| is_directory_line(line))
                        .collect()
                };
                for directory in named {
                    let target = site.link_target(directory);
                    let is_own =
                        self.at(&target).is_some_and(|(end, _)| hierarchy::is_own(&end, Wish::WorkingDirectory));
                    if is_own {
                        self.keep_tree(&target, &APPLICATION, &cause.gripped(Grip::Own));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a module imports setuptools, `pkg_resources` or, where the library has none, distutils. Only an import at the beginning of a
    /// line counts: one that is indented is prepared to fail (pytz), and build scripts are not run.
    fn imports_setuptools(&self, site: &RootPath) -> Result<bool, Error> {
        let Some((site, root)) = self.directory_at(site) else { return Ok(false) };
        let has_distutils = !self.expand(below(&site, "../distutils").as_bytes()).is_empty()
            || !self.expand(b"usr/lib/python3*/distutils").is_empty();
        let mut directories = vec![(site, root)];
        directories.extend(
            self.directory_at(&self.start.working_dir)
                .filter(|(path, _)| hierarchy::is_own(path, Wish::WorkingDirectory)),
        );
        let mut files = Vec::new();
        while let Some((directory, node)) = directories.pop() {
            for (name, &child) in self.tree().children(node) {
                match &self.tree().inode_of(child).kind {
                    InodeKind::Directory if !is_build_tool(name) => directories.push((directory.join(name), child)),
                    InodeKind::File(_) if name.ends_with(b".py") && **name != *b"setup.py" => {
                        files.push((directory.join(name), child))
                    }
                    _ => {}
                }
            }
        }
        for (file, node) in files {
            let text = self.text_of(&file, node, TEXT)?.unwrap_or_default();
            let mut lines = text
                .split(|&byte| byte == b'\n')
                .filter(|line| line.starts_with(b"import ") || line.starts_with(b"from "));
            if lines.any(|line| {
                let module =
                    line.split(|&byte| !(byte.is_ascii_alphanumeric() || byte == b'_')).nth(1).unwrap_or_default();
                matches!(module, b"setuptools" | b"pkg_resources") || !has_distutils && module == b"distutils"
            }) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Modules beside a program are its own; in a common directory nothing is.
    pub(super) fn python_script(&mut self, index: usize, member: &Member) -> Result<(), Error> {
        let is_python = member.path.as_bytes().ends_with(b".py")
            || match self.needs.wants().at(self.tree(), member.node) {
                Some(Want::Script(script)) => {
                    let interpreter = [&*script.interpreter, b" ", &script.argument].concat();
                    interpreter.windows(b"python".len()).any(|window| window == b"python")
                }
                _ => false,
            };
        let Some((directory, name)) = member.path.split_last().filter(|_| is_python) else { return Ok(()) };
        let cause = Cause::rule(Some(index), NeedKind::Language, "modules beside the program").gripped(Grip::Own);
        let is_bin = matches!(directory.components().next_back(), Some(b"bin" | b"sbin"));
        if !is_bin && hierarchy::is_own(&directory, Wish::Word) {
            self.keep_tree(&directory, &APPLICATION, &cause);
        }
        // An image that runs pip itself needs it; so the program that bears a package's name brings that package.
        let stem = name.strip_suffix(b".py").unwrap_or(name);
        let stem = stem.split(|&byte| byte.is_ascii_digit() || byte == b'.').next().unwrap_or(stem);
        if is_build_tool(stem) {
            for site in self
                .expand(b"usr/*/python3*/*-packages")
                .into_iter()
                .chain(self.expand(b"usr/local/lib/python3*/*-packages"))
            {
                self.keep_tree(&site, &NOTHING, &cause.gripped(Grip::Part));
            }
        }
        Ok(())
    }

    /// `-m package` and `package.module:app` are looked up in the working directory, which may be one that is not kept as a tree.
    fn modules_of_working_dir(&mut self, cause: &Cause) {
        let Some((directory, node)) = self.directory_at(&self.start.working_dir) else { return };
        if hierarchy::is_own(&directory, Wish::WorkingDirectory) {
            return;
        }
        let cause = cause.gripped(Grip::Own);
        let children: Vec<_> = self.tree().children(node).map(|(name, &child)| (directory.join(name), child)).collect();
        for (path, child) in children {
            let is_module = |name: &[u8]| name.ends_with(b".py");
            if self.tree().is_directory(child) {
                let is_package = self.tree().children(child).any(|(name, _)| is_module(name));
                if is_package && hierarchy::is_own(&path, Wish::Word) {
                    self.keep_tree(&path, &APPLICATION, &cause);
                }
            } else if is_module(path.as_bytes()) {
                self.add(&path, child, &cause);
            }
        }
    }
}

/// A line of a `.pth` file that names a directory; others are code or comments.
fn is_directory_line(line: &[u8]) -> bool {
    !line.is_empty() && !line.starts_with(b"import ") && !line.starts_with(b"import\t") && line.first() != Some(&b'#')
}

/// Directories of tools that build packages; what they import is not imported at run time.
fn is_build_tool(name: &[u8]) -> bool {
    matches!(
        name,
        b"pip"
            | b"setuptools"
            | b"pkg_resources"
            | b"wheel"
            | b"_distutils_hack"
            | b"distutils"
            | b"tests"
            | b"test"
            | b"node_modules"
    )
}
