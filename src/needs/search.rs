//! The directories in which the libraries of one ELF file are looked for, in order (ld.so(8)). In: what the file says, where it stands, what the
//! image and the system say. Out: a [`Search`], which files share that say the same.

use super::environment::Environment;
use super::system::{self, System};
use super::want::Elf;
use crate::rootfs::{NodeId, RootPath, Tree};

/// Directories that one file may add with its RPATH, after its variables are replaced; more are left out.
const DIRECTORIES: usize = 256;

/// Bytes of a path whose variables are replaced, as Linux takes none that is longer (`PATH_MAX`).
const PATH: usize = 4096;

/// Where to look, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Search {
    /// A library of the other class is none.
    pub(super) is_64: bool,
    /// A library for another machine is none.
    pub(super) machine: u16,
    /// The directories that are there, in order.
    pub(super) directories: Vec<Directory>,
}

/// A directory that is searched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Directory {
    /// As it is spelled: symlinks on the way must stay.
    pub(super) path: RootPath,
    /// Where that leads.
    pub(super) node: NodeId,
    /// Whether the loader finds it by `ld.so.cache` only.
    pub(super) cached: bool,
}

/// What is the same for every file of an image.
#[derive(Debug)]
pub(super) struct Around<'a> {
    pub(super) tree: &'a Tree,
    pub(super) environment: Environment,
    pub(super) system: System,
    pub(super) hops: u64,
}

impl Search {
    /// Where the loader looks for the libraries of the file at `path`.
    pub(super) fn of(elf: &Elf, path: &RootPath, around: &Around<'_>) -> Self {
        let environment = &around.environment;
        let own = |list: &[Box<[u8]>]| -> Vec<RootPath> {
            let expanded = list.iter().flat_map(|part| expand(part, path, elf));
            expanded.map(|part| environment.working_dir.link_target(&part)).take(DIRECTORIES).collect()
        };
        let mut search = Self { is_64: elf.is_64, machine: elf.machine, directories: Vec::new() };
        let mut add = |directories: &[RootPath], cached: bool| search.add(directories, cached, around);
        if is_musl(elf) {
            add(&environment.library_path, false);
            add(&own(&elf.rpath), false);
            add(&own(&elf.runpath), false);
            add(&around.system.musl(elf.interpreter.as_deref()), false);
            return search;
        }
        let built_in = system::built_in(elf.is_64, elf.machine);
        add(&own(&elf.rpath), false);
        add(&environment.library_path, false);
        add(&own(&elf.runpath), false);
        for directory in &around.system.configured {
            add(std::slice::from_ref(directory), !built_in.contains(directory));
        }
        add(&built_in, false);
        search
    }

    fn add(&mut self, directories: &[RootPath], cached: bool, around: &Around<'_>) {
        for path in directories {
            if !self.directories.iter().any(|known| known.path == *path)
                && let Some((_, node)) = around.tree.resolve(path, true, around.hops)
                && around.tree.is_directory(node)
            {
                self.directories.push(Directory { path: path.clone(), node, cached });
            }
        }
    }
}

/// Whether musl loads the file: its interpreter says so, or what it calls the C library.
pub(super) fn is_musl(elf: &Elf) -> bool {
    match &elf.interpreter {
        Some(path) => path.rsplit(|&byte| byte == b'/').next().is_some_and(|name| name.starts_with(b"ld-musl-")),
        None => elf.needed.iter().any(|name| **name == *b"libc.so" || name.starts_with(b"libc.musl-")),
    }
}

/// Whether musl takes a name for itself: it holds all of the C library (`load_library` of `ldso/dynlink.c`).
pub(super) fn is_musl_itself(name: &[u8]) -> bool {
    const PARTS: [&[u8]; 7] = [b"c.", b"pthread.", b"rt.", b"m.", b"dl.", b"util.", b"xnet."];
    name.strip_prefix(b"lib").is_some_and(|rest| PARTS.iter().any(|part| rest.starts_with(part)))
}

/// A path with its variables replaced, once for each value that they may have; none where it gets too long. `$ORIGIN` is the directory of the
/// file.
pub(super) fn expand(text: &[u8], path: &RootPath, elf: &Elf) -> Vec<Vec<u8>> {
    let origin = path.split_last().map(|(parent, _)| parent).unwrap_or_default();
    let mut texts = vec![text.to_vec()];
    if !text.contains(&b'$') {
        return texts;
    }
    let platforms = system::platforms(elf.machine).iter().map(|name| (*name).to_owned()).collect();
    let values: [(&[u8], Vec<Vec<u8>>); 3] = [
        (b"ORIGIN", vec![[b"/", origin.as_bytes()].concat()]),
        (b"LIB", bytes(system::lib(elf.is_64, elf.machine))),
        (b"PLATFORM", bytes(platforms)),
    ];
    for (name, values) in values {
        texts = texts.iter().flat_map(|text| replace(text, name, &values)).take(DIRECTORIES).collect();
    }
    texts
}

fn bytes(names: Vec<String>) -> Vec<Vec<u8>> {
    names.into_iter().map(String::into_bytes).collect()
}

/// A text for each value that `$NAME` or `${NAME}` has; the text alone where it has neither.
fn replace(text: &[u8], name: &[u8], values: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let braced = [b"${", name, b"}"].concat();
    let plain = [b"$", name].concat();
    // One value for every place in the text: all of them mean the same.
    let with = |value: &[u8]| {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        let mut found = false;
        while let Some((&first, tail)) = rest.split_first() {
            let after = rest.strip_prefix(&*braced).or_else(|| {
                let after = rest.strip_prefix(&*plain)?;
                // `$LIBRARY` is no `$LIB`.
                let goes_on = after.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
                (!goes_on).then_some(after)
            });
            match after {
                _ if out.len() > PATH => return (None, true),
                Some(after) => {
                    out.extend_from_slice(value);
                    (rest, found) = (after, true);
                }
                None => {
                    out.push(first);
                    rest = tail;
                }
            }
        }
        (Some(out), found)
    };
    match with(b"") {
        (_, false) => vec![text.to_vec()],
        _ => values.iter().filter_map(|value| with(value).0).collect(),
    }
}
