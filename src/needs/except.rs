//! What is left out of trees that are kept as a whole: what nothing reads while a program runs. In: a tree's kind, and a name in it.
//! Out: yes or no. Each table names its source.

use super::hierarchy::fits;

/// What to leave out of a tree. Patterns are of one name, with `*`.
#[derive(Debug)]
pub(super) struct Except {
    /// A name for the table.
    pub(super) id: &'static str,
    /// Directly in the root of the tree.
    pub(super) top: &'static [&'static str],
    /// Directories anywhere.
    pub(super) directories: &'static [&'static str],
    /// Files anywhere.
    pub(super) files: &'static [&'static str],
}

impl Except {
    /// The table for a directory in the tree, where what is in it says that it is of another kind.
    pub(super) fn within(&self, has: impl Fn(&[u8]) -> bool) -> Option<&'static Self> {
        let is_application = self.id == APPLICATION.id || self.id == HOME.id;
        MARKS.iter().find(|(mark, _)| is_application && has(mark.as_bytes())).map(|(_, except)| *except)
    }

    /// Whether a name in the tree is left out.
    pub(super) fn leaves_out(&self, name: &[u8], is_top: bool, is_directory: bool) -> bool {
        let fits_one = |table: &[&str]| table.iter().any(|pattern| fits(name, pattern.as_bytes()));
        is_top && fits_one(self.top) || fits_one(if is_directory { self.directories } else { self.files })
    }
}

/// Nothing.
pub(super) const NOTHING: Except = Except { id: "nothing", top: &[], directories: &[], files: &[] };

/// An application: version control, caches of tests and checkers, and the objects that compilers leave between sources and programs.
pub(super) const APPLICATION: Except = Except {
    id: "application",
    top: &[],
    directories: &[
        ".git",
        ".hg",
        ".svn",
        ".bzr",
        ".gradle",
        ".idea",
        ".vscode",
        ".tox",
        ".nox",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".nyc_output",
        ".ccache",
        "CMakeFiles",
    ],
    files: &["*.o", "*.gcda", "*.gcno", "*.rlib", "*.rmeta"],
};

/// A profile of cargo, `target/release`: what stands there beside the programs, to build them faster the next time.
const CARGO: Except = Except {
    id: "cargo profile",
    top: &["build", "deps", "examples", "incremental", ".fingerprint"],
    directories: APPLICATION.directories,
    files: APPLICATION.files,
};

/// A package of Node that was compiled where it stands: its C sources and the objects between. Its `src` and `deps` may hold JavaScript too.
const NODE_NATIVE: Except = Except {
    id: "native node package",
    top: &[],
    directories: &["obj", "obj.target", ".deps", "node_gyp_bins"],
    files: &[
        "*.o", "*.a", "*.c", "*.cc", "*.cpp", "*.cxx", "*.h", "*.hh", "*.hpp", "*.gyp", "*.gypi", "*.mk", "Makefile",
    ],
};

/// A directory that holds this name is a tree of its own kind.
const MARKS: &[(&str, &Except)] = &[(".fingerprint", &CARGO), ("binding.gyp", &NODE_NATIVE)];

/// A home directory: caches, and the stores of package managers and compilers (`presets/caches.toml`).
pub(super) const HOME: Except = Except {
    id: "home",
    top: &[
        ".cache",
        ".npm",
        ".yarn",
        ".m2",
        ".gradle",
        ".ivy2",
        ".sbt",
        ".cargo",
        ".rustup",
        ".nuget",
        "go",
        ".*_history",
        ".wget-hsts",
        ".node-gyp",
        ".ccache",
    ],
    directories: APPLICATION.directories,
    files: APPLICATION.files,
};

/// The standard library of Python: its own tests, its editor, its demos, the installer's wheels, the texts of `help()`, and the library to link
/// with. Debian splits off the same (python3.11-minimal, libpython3.11-testsuite, idle, python3.11-dev).
pub(super) const PYTHON: Except = Except {
    id: "python",
    top: &["test", "idlelib", "turtledemo", "ensurepip", "pydoc_data", "site-packages", "dist-packages"],
    directories: &["idle_test"],
    files: &["*.a", "*.o", "libpython*.so"],
};

/// Installed packages of Python: the installer. Its `pkg_resources` is looked for apart ([`PYTHON_PACKAGES_WITH_SETUPTOOLS`]).
pub(super) const PYTHON_PACKAGES: Except = Except {
    id: "python packages",
    top: &[
        "pip",
        "pip-*",
        "wheel",
        "wheel-*",
        "setuptools",
        "setuptools-*",
        "pkg_resources",
        "_distutils_hack",
        "distutils-precedence.pth",
        "easy_install.py",
    ],
    directories: &[],
    files: &[],
};

/// Likewise, where something imports setuptools or `pkg_resources`.
pub(super) const PYTHON_PACKAGES_WITH_SETUPTOOLS: Except = Except {
    id: "python packages with setuptools",
    top: &["pip", "pip-*", "wheel", "wheel-*"],
    directories: &[],
    files: &[],
};

/// A Java home: what a JDK has and a JRE has not (Debian's openjdk-17-jre-headless against openjdk-17-jdk). Its programs: [`JDK_PROGRAMS`].
pub(super) const JAVA: Except = Except {
    id: "java",
    top: &["bin", "jmods", "include", "man", "demo", "sample", "docs", "src.zip"],
    directories: &[],
    files: &["src.zip", "ct.sym"],
};

/// Programs of a JDK: `presets/lang-java.toml`, and those that talk to its processes.
pub(super) const JDK_PROGRAMS: Except = Except {
    id: "jdk programs",
    top: &[
        "jar",
        "jarsigner",
        "javac",
        "javadoc",
        "javah",
        "javap",
        "jcmd",
        "jconsole",
        "jdb",
        "jdeprscan",
        "jdeps",
        "jfr",
        "jhsdb",
        "jimage",
        "jinfo",
        "jlink",
        "jmap",
        "jmod",
        "jpackage",
        "jps",
        "jrunscript",
        "jshell",
        "jstack",
        "jstat",
        "jstatd",
        "jwebserver",
        "rmic",
        "rmid",
        "serialver",
        "xjc",
        "wsgen",
        "wsimport",
        "schemagen",
    ],
    directories: &[],
    files: &[],
};

/// Directories of packages that others wrote: no command of the application is among their scripts unless something names it.
pub(super) const PACKAGES: &[&[u8]] = &[b"node_modules", b"site-packages", b"dist-packages", b"gems", b"vendor"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_at_the_top_is_left_out_only_there() {
        assert!(PYTHON.leaves_out(b"test", true, true));
        assert!(!PYTHON.leaves_out(b"test", false, true));
        assert!(PYTHON.leaves_out(b"libpython3.11.a", false, false));
        assert!(PYTHON_PACKAGES.leaves_out(b"pip-23.0.1.dist-info", true, true));
        assert!(!PYTHON_PACKAGES.leaves_out(b"pipx", true, true));
    }
}
