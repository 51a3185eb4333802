//! Trees with programs in them, for tests: ELF files that are headers, a dynamic section and its strings, and nothing that runs.

use super::{Environment, Need, Needs, Wants, read};
use crate::error::Error;
use crate::rootfs::{Content, Files, InodeId, InodeKind, Meta, NodeId, RootPath, Run, Tree};
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) const X86_64: u16 = 62;
pub(super) const ARM: u16 = 40;
pub(super) const I386: u16 = 3;

/// An ELF file to be written.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) is_64: bool,
    pub(super) big_endian: bool,
    pub(super) machine: u16,
    /// `e_type`: 2 is a program, 3 a shared object.
    pub(super) kind: u16,
    pub(super) interpreter: Option<String>,
    /// Tags of the dynamic section and their strings.
    pub(super) names: Vec<(u64, String)>,
    /// Bytes between the headers and the strings.
    pub(super) gap: usize,
}

/// A shared object for x86-64 that needs nothing.
pub(super) fn object() -> Draft {
    Draft { is_64: true, big_endian: false, machine: X86_64, kind: 3, interpreter: None, names: Vec::new(), gap: 0 }
}

/// A program for x86-64 and glibc.
pub(super) fn program() -> Draft {
    Draft { interpreter: Some("/lib64/ld-linux-x86-64.so.2".into()), ..object() }
}

impl Draft {
    pub(super) fn needs(mut self, names: &[&str]) -> Self {
        self.names.extend(names.iter().map(|name| (1, (*name).to_owned())));
        self
    }

    pub(super) fn rpath(mut self, text: &str) -> Self {
        self.names.push((15, text.into()));
        self
    }

    pub(super) fn runpath(mut self, text: &str) -> Self {
        self.names.push((29, text.into()));
        self
    }

    pub(super) fn of(mut self, is_64: bool, machine: u16) -> Self {
        (self.is_64, self.machine) = (is_64, machine);
        self
    }

    pub(super) fn interpreter(mut self, path: &str) -> Self {
        self.interpreter = Some(path.into());
        self
    }

    fn number(&self, value: u64, size: usize) -> Vec<u8> {
        let little = &value.to_le_bytes()[..size];
        if self.big_endian { little.iter().rev().copied().collect() } else { little.to_vec() }
    }

    fn segment(&self, kind: u64, offset: usize, size: usize) -> Vec<u8> {
        let address = if kind == 1 { BASE } else { BASE + offset as u64 };
        let (offset, size) = (offset as u64, size as u64);
        let fields: &[(u64, usize)] = if self.is_64 {
            &[(kind, 4), (4, 4), (offset, 8), (address, 8), (address, 8), (size, 8), (size, 8), (1, 8)]
        } else {
            &[(kind, 4), (offset, 4), (address, 4), (address, 4), (size, 4), (size, 4), (4, 4), (1, 4)]
        };
        fields.iter().flat_map(|&(value, size)| self.number(value, size)).collect()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let word = if self.is_64 { 8 } else { 4 };
        let (header, segment) = if self.is_64 { (64, 56) } else { (52, 32) };
        let interpreter = self.interpreter.as_ref().map(|path| [path.as_bytes(), b"\0"].concat()).unwrap_or_default();
        let count = 1 + usize::from(self.interpreter.is_some()) + usize::from(!self.names.is_empty());
        let interpreter_at = header + count * segment;
        let dynamic_at = interpreter_at + interpreter.len();
        let dynamic_size = (self.names.len() + 3) * 2 * word;
        let strings_at = dynamic_at + dynamic_size + self.gap;
        let mut strings = vec![0];
        let mut dynamic: Vec<(u64, u64)> = Vec::new();
        for (tag, name) in &self.names {
            dynamic.push((*tag, strings.len() as u64));
            strings.extend_from_slice(name.as_bytes());
            strings.push(0);
        }
        dynamic.extend([(5, BASE + strings_at as u64), (10, strings.len() as u64), (0, 0)]);

        let mut out = vec![0x7f, b'E', b'L', b'F', 1 + u8::from(self.is_64), 1 + u8::from(self.big_endian), 1];
        out.resize(16, 0);
        let e = |value: usize, size| self.number(value as u64, size);
        out.extend([e(self.kind.into(), 2), e(self.machine.into(), 2), e(1, 4)].concat());
        out.extend([e(0, word), e(header, word), e(0, word)].concat());
        out.extend([e(0, 4), e(header, 2), e(segment, 2), e(count, 2), e(0, 2), e(0, 2), e(0, 2)].concat());
        out.extend(self.segment(1, 0, strings_at + strings.len()));
        if self.interpreter.is_some() {
            out.extend(self.segment(3, interpreter_at, interpreter.len()));
        }
        if !self.names.is_empty() {
            out.extend(self.segment(2, dynamic_at, dynamic_size));
        }
        out.extend(interpreter);
        out.extend(
            dynamic.iter().flat_map(|&(tag, value)| [self.number(tag, word), self.number(value, word)].concat()),
        );
        out.resize(strings_at, 0);
        out.extend(strings);
        out
    }
}

const BASE: u64 = 0x1_0000;

/// Fetches bytes that are at hand, and counts them.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) read: AtomicU64,
}

impl Files for Memory {
    fn read_at(&self, content: &Content, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut done = 0;
        while done < buffer.len()
            && let Some(run) = content.run_at(at + done as u64)?
        {
            let count = usize::try_from(run.size()).unwrap().min(buffer.len() - done);
            match run {
                Run::Bytes(bytes) => buffer[done..done + count].copy_from_slice(&bytes[..count]),
                Run::Zeros(_) => buffer[done..done + count].fill(0),
                Run::Layer(..) => panic!("no layers here"),
            }
            done += count;
        }
        self.read.fetch_add(done as u64, Ordering::Relaxed);
        Ok(done)
    }
}

/// A root filesystem with what its config says.
#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) tree: Tree,
    pub(super) environment: Environment,
}

impl Image {
    pub(super) fn new() -> Self {
        Self { tree: Tree::default(), environment: Environment::of(&[], &RootPath::root()) }
    }

    fn put(mut self, path: &str, kind: InodeKind, mode: u16) -> Self {
        let meta = Meta { mode, ..Meta::default() };
        self.tree.insert(&RootPath::clamped(path.as_bytes()), kind, meta).unwrap();
        self
    }

    pub(super) fn elf(self, path: &str, draft: Draft) -> Self {
        self.put(path, InodeKind::File(Content::owned(draft.bytes())), 0o755)
    }

    /// A library for x86-64 that needs nothing at each of these paths.
    pub(super) fn libraries(self, paths: &[&str]) -> Self {
        paths.iter().fold(self, |image, path| image.elf(path, object()))
    }

    pub(super) fn text(self, path: &str, text: &str) -> Self {
        self.put(path, InodeKind::File(Content::owned(text.as_bytes())), 0o644)
    }

    pub(super) fn script(self, path: &str, text: &str) -> Self {
        self.put(path, InodeKind::File(Content::owned(text.as_bytes())), 0o755)
    }

    pub(super) fn link(self, path: &str, target: &str) -> Self {
        self.put(path, InodeKind::Symlink(target.as_bytes().into()), 0o777)
    }

    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment = Environment::of(&[(name.into(), value.into())], &RootPath::clamped(b"app"));
        self
    }

    pub(super) fn node(&self, path: &str) -> NodeId {
        self.tree.lookup(&RootPath::clamped(path.as_bytes())).unwrap()
    }

    pub(super) fn wants(&self) -> Wants {
        let found = |(inode, content): (InodeId, Content)| Some((inode, read(&Memory::default(), &content).unwrap()?));
        Wants::ask(&self.tree).into_iter().filter_map(found).collect()
    }

    pub(super) fn needs<'a>(&'a self, wants: &'a Wants) -> Needs<'a> {
        Needs::new(&self.tree, wants, &Memory::default(), &self.environment, 40).unwrap()
    }

    /// The needs of a file, each as what is wanted and the places that must stay for it.
    pub(super) fn needs_of(&self, path: &str) -> Vec<String> {
        self.needs_without(path, &[])
    }

    /// The needs of a file where these names are gone.
    pub(super) fn needs_without(&self, path: &str, gone: &[&str]) -> Vec<String> {
        let wants = self.wants();
        let gone: Vec<NodeId> = gone.iter().map(|path| self.node(path)).collect();
        let needs = self.needs(&wants);
        let of = needs.of(&RootPath::clamped(path.as_bytes()), self.node(path), &|node| !gone.contains(&node));
        of.iter().map(shown).collect()
    }
}

/// A need on one line.
pub(super) fn shown(need: &Need) -> String {
    let places: Vec<String> = need.way.places().map(|(path, _)| path.to_string()).collect();
    let places = if need.way.end.is_some() { places.join(" ") } else { "-".into() };
    format!("{}: {places}", String::from_utf8(need.wanted.to_vec()).unwrap())
}
