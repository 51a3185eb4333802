//! Where the loaders of a root filesystem look for libraries beside what a file itself says: glibc's `ld.so.conf` with what it includes and its
//! built-in directories, musl's path file. In: a tree, and a door to its files. Out: directories, in the order of the search.

use crate::error::Error;
use crate::rootfs::{Files, InodeKind, NodeId, RootPath, Tree, read_whole};
use globset::GlobBuilder;
use object::elf::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_S390, EM_SPARCV9, EM_X86_64,
};
use std::collections::BTreeMap;

/// Bytes of one file of a loader's configuration; that of Debian has 34.
const FILE: u64 = 65_536;

/// Files that `ld.so.conf` may include, one inside another or side by side.
const FILES: usize = 256;

/// Lines that may include files.
const INCLUDES: usize = 64;

/// Directories that a loader's configuration may name.
const DIRECTORIES: usize = 256;

/// Where musl looks where no path file says otherwise (`ldso/dynlink.c`).
const MUSL: [&str; 3] = ["/lib", "/usr/local/lib", "/usr/lib"];

/// The directories of the system.
#[derive(Debug, Default)]
pub(super) struct System {
    /// Those of `ld.so.conf`.
    pub(super) configured: Vec<RootPath>,
    /// Those of `etc/ld-musl-ARCH.path`, by the name of the architecture.
    musl: BTreeMap<Box<[u8]>, Vec<RootPath>>,
}

impl System {
    /// Reads the configuration of both loaders.
    pub(super) fn read(tree: &Tree, files: &dyn Files, hops: u64) -> Result<Self, Error> {
        let mut system = Self::default();
        let reader = Reader { tree, files, hops };
        let mut ahead = vec![RootPath::clamped(b"etc/ld.so.conf")];
        let (mut read, mut includes) = (0usize, INCLUDES);
        while let Some(path) = ahead.pop() {
            read = read.saturating_add(1);
            if read > FILES {
                break;
            }
            let Some(text) = reader.text(&path)? else { continue };
            let included = system.configure(&reader, &path, &text, &mut includes);
            ahead.extend(included.into_iter().rev());
        }
        for (name, path) in reader.matching(&RootPath::clamped(b"etc"), "ld-musl-*.path") {
            let arch = name.strip_prefix(b"ld-musl-").and_then(|name| name.strip_suffix(b".path"));
            if let (Some(arch), Some(text)) = (arch, reader.text(&path)?) {
                let parts = text.split(|byte| matches!(byte, b':' | b'\n')).filter(|part| !part.is_empty());
                system.musl.insert(arch.into(), parts.take(DIRECTORIES).map(RootPath::clamped).collect());
            }
        }
        Ok(system)
    }

    /// Takes the directories of one file of `ld.so.conf`; the files that it includes. They are searched after its own directories, while ldconfig
    /// has them where the line stands: which of two directories is first does not matter to what they hold together.
    fn configure(&mut self, reader: &Reader<'_>, path: &RootPath, text: &[u8], includes: &mut usize) -> Vec<RootPath> {
        let mut included = Vec::new();
        let here = path.split_last().map(|(parent, _)| parent).unwrap_or_default();
        for line in text.split(|&byte| byte == b'\n') {
            let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
            let mut words =
                line.split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b':' | b',')).filter(|w| !w.is_empty());
            let Some(first) = words.next() else { continue };
            match first {
                b"include" => {
                    for pattern in words {
                        let Some(left) = includes.checked_sub(1) else { break };
                        *includes = left;
                        let whole = here.link_target(pattern);
                        let Some((directory, name)) = whole.split_last() else { continue };
                        if let Ok(name) = std::str::from_utf8(name) {
                            included.extend(reader.matching(&directory, name).into_iter().map(|(_, path)| path));
                        }
                    }
                }
                b"hwcap" => {}
                _ => {
                    // A directory may end in `=libc6`, which is history.
                    let named = std::iter::once(first).chain(words);
                    let named = named.filter_map(|word| word.split(|&byte| byte == b'=').next());
                    let named = named.filter(|word| word.first() == Some(&b'/')).map(RootPath::clamped);
                    for directory in named {
                        if self.configured.len() < DIRECTORIES && !self.configured.contains(&directory) {
                            self.configured.push(directory);
                        }
                    }
                }
            }
        }
        included
    }

    /// Where musl looks for the libraries of a program whose interpreter is this.
    pub(super) fn musl(&self, interpreter: Option<&[u8]>) -> Vec<RootPath> {
        let name = interpreter.and_then(|path| path.rsplit(|&byte| byte == b'/').next());
        let arch = name
            .and_then(|name| name.strip_prefix(b"ld-musl-"))
            .and_then(|name| name.split(|&byte| byte == b'.').next());
        // A library names no interpreter; a tree with musl has one architecture.
        let known = arch.map_or_else(|| self.musl.values().next(), |arch| self.musl.get(arch));
        known.cloned().unwrap_or_else(|| MUSL.iter().map(|path| RootPath::clamped(path.as_bytes())).collect())
    }
}

/// The directories that are built into glibc's loader for a class and machine: those of every distribution together, as a library for another
/// machine is no hit anyway. The subdirectories of `glibc-hwcaps` are none: a library there is a second one, for some processors only, and
/// the plain one is needed for the others.
pub(super) fn built_in(is_64: bool, machine: u16) -> Vec<RootPath> {
    let mut directories = Vec::new();
    for part in lib(is_64, machine) {
        directories.extend(["", "usr/"].map(|above| RootPath::clamped(format!("{above}{part}").as_bytes())));
    }
    directories
}

/// What `$LIB` may stand for: it is `lib/TRIPLET` on Debian, `lib64` and `lib` elsewhere.
pub(super) fn lib(is_64: bool, machine: u16) -> Vec<String> {
    let triplets = triplets(machine).iter().map(|triplet| format!("lib/{triplet}"));
    let plain: &[&str] = match (is_64, machine) {
        (true, EM_RISCV) => &["lib64", "lib64/lp64d", "lib"],
        (true, _) => &["lib64", "lib"],
        (false, EM_X86_64) => &["libx32", "lib"],
        (false, EM_386) => &["lib32", "lib/i386-linux-gnu", "lib"],
        (false, _) => &["lib32", "lib"],
    };
    triplets.chain(plain.iter().map(|part| (*part).into())).collect()
}

/// What `$PLATFORM` may stand for.
pub(super) fn platforms(machine: u16) -> &'static [&'static str] {
    match machine {
        EM_X86_64 => &["x86_64", "haswell", "xeon_phi"],
        EM_386 => &["i686", "i586", "i386"],
        EM_AARCH64 => &["aarch64"],
        EM_ARM => &["v7l", "v6l", "v8l"],
        EM_PPC64 => &["power8", "power9", "power10"],
        EM_S390 => &["z13", "z14", "z15", "zEC12"],
        _ => &[],
    }
}

/// Debian's names of the machine.
fn triplets(machine: u16) -> &'static [&'static str] {
    match machine {
        EM_X86_64 => &["x86_64-linux-gnu", "x86_64-linux-gnux32"],
        EM_386 => &["i386-linux-gnu"],
        EM_AARCH64 => &["aarch64-linux-gnu"],
        EM_ARM => &["arm-linux-gnueabihf", "arm-linux-gnueabi"],
        EM_PPC64 => &["powerpc64le-linux-gnu", "powerpc64-linux-gnu"],
        EM_PPC => &["powerpc-linux-gnu"],
        EM_S390 => &["s390x-linux-gnu"],
        EM_RISCV => &["riscv64-linux-gnu"],
        EM_MIPS => &["mips64el-linux-gnuabi64", "mipsel-linux-gnu", "mips-linux-gnu"],
        EM_LOONGARCH => &["loongarch64-linux-gnu"],
        EM_SPARCV9 => &["sparc64-linux-gnu"],
        _ => &[],
    }
}

struct Reader<'r> {
    tree: &'r Tree,
    files: &'r dyn Files,
    hops: u64,
}

impl Reader<'_> {
    /// The text of a file of a sensible size.
    fn text(&self, path: &RootPath) -> Result<Option<Vec<u8>>, Error> {
        let Some((_, node)) = self.tree.resolve(path, true, self.hops) else { return Ok(None) };
        match &self.tree.inode_of(node).kind {
            InodeKind::File(content) => read_whole(self.files, content, FILE),
            _ => Ok(None),
        }
    }

    /// The names in a directory that match a glob, in order.
    fn matching(&self, directory: &RootPath, glob: &str) -> Vec<(Box<[u8]>, RootPath)> {
        let Some((_, node)) = self.tree.resolve(directory, true, self.hops) else { return Vec::new() };
        // To glob(3) a brace is a character, and globset recurses into them.
        let glob = glob.replace('{', "[{]").replace('}', "[}]");
        let Ok(glob) = GlobBuilder::new(&glob).backslash_escape(true).build() else { return Vec::new() };
        let matcher = glob.compile_matcher();
        let names = self.tree.children(node).map(|(name, _): (_, &NodeId)| name);
        let named = names.filter(|name| std::str::from_utf8(name).is_ok_and(|name| matcher.is_match(name)));
        named.take(FILES).map(|name| (name.clone(), directory.join(name))).collect()
    }
}
