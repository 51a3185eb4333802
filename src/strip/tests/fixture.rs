//! Builds small ELF files in the shapes that linkers give them, and reads them back through the door.

use crate::error::Error;
use crate::rootfs::{Content, Files, LayerId, Run, Source};
use crate::strip::{Skip, strip_debug};
use std::sync::Mutex;

/// Where linkers put the section headers and their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// At the end of the file, as all do today.
    Last,
    /// Before `.symtab`, as GNU ld did until 2.26.
    BeforeSymbols,
    /// In the first segment, as Go's own linker does.
    Mapped,
}

/// One section; what it links to is named.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) name: Vec<u8>,
    pub(super) kind: u32,
    pub(super) flags: u64,
    pub(super) align: u64,
    pub(super) link: &'static str,
    pub(super) info: &'static str,
    pub(super) data: Vec<u8>,
}

pub(super) const PROGBITS: u32 = 1;
pub(super) const SYMTAB: u32 = 2;
pub(super) const STRTAB: u32 = 3;
pub(super) const RELA: u32 = 4;
pub(super) const NOTE: u32 = 7;
pub(super) const NOBITS: u32 = 8;
pub(super) const WRITE: u64 = 1;
pub(super) const ALLOC: u64 = 2;
pub(super) const EXEC: u64 = 4;

pub(super) fn part(name: &str, kind: u32, flags: u64, align: u64, data: impl Into<Vec<u8>>) -> Part {
    Part { name: name.into(), kind, flags, align, link: "", info: "", data: data.into() }
}

fn bytes(seed: u8, count: usize) -> Vec<u8> {
    (0..count).map(|i| seed.wrapping_add((i % 7) as u8) | 1).collect()
}

/// An ELF file to be built.
#[derive(Debug, Clone)]
pub(super) struct Build {
    pub(super) kind: u16,
    pub(super) machine: u16,
    pub(super) shape: Shape,
    pub(super) parts: Vec<Part>,
    /// Bytes behind the end.
    pub(super) payload: Vec<u8>,
    /// A second segment over the section of this name.
    pub(super) segment_over: &'static str,
}

impl Build {
    /// A shared object as `cc -g -shared` makes it, in small.
    pub(super) fn usual() -> Self {
        let linked = |link, part| Part { link, ..part };
        let parts = vec![
            part(".dynsym", 11, ALLOC, 8, bytes(1, 48)),
            part(".text", PROGBITS, ALLOC | EXEC, 16, bytes(2, 300)),
            part(".dynamic", 6, ALLOC | WRITE, 8, bytes(3, 64)),
            part(".bss", NOBITS, ALLOC | WRITE, 8, vec![0; 40]),
            part(".comment", PROGBITS, 0x30, 1, bytes(4, 27)),
            part(".debug_info", PROGBITS, 0, 1, bytes(5, 1001)),
            part(".debug_str", PROGBITS, 0x30, 1, bytes(6, 333)),
            part(".gnu_debuglink", PROGBITS, 0, 4, bytes(7, 20)),
            linked(".strtab", part(".symtab", SYMTAB, 0, 8, bytes(8, 240))),
            part(".strtab", STRTAB, 0, 1, bytes(9, 77)),
            part(".shstrtab", STRTAB, 0, 1, []),
        ];
        Self { kind: 3, machine: 62, shape: Shape::Last, parts, payload: Vec::new(), segment_over: "" }
    }

    pub(super) fn shaped(shape: Shape) -> Self {
        let mut this = Self { shape, ..Self::usual() };
        if shape == Shape::Mapped {
            // Go gives its build ID, which is mapped, a number behind those of the debug sections.
            this.parts.insert(8, part(".note.go.buildid", NOTE, ALLOC, 4, bytes(10, 36)));
        }
        this
    }

    pub(super) fn with(mut self, part: Part) -> Self {
        let at = self.parts.iter().position(|part| part.name == b".symtab").unwrap();
        self.parts.insert(at, part);
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.parts.retain(|part| part.name != name.as_bytes());
        self
    }

    pub(super) fn edit(mut self, name: &str, edit: impl Fn(&mut Part)) -> Self {
        self.parts.iter_mut().filter(|part| part.name == name.as_bytes()).for_each(edit);
        self
    }

    fn number(&self, name: &str) -> u32 {
        self.parts.iter().position(|part| part.name == name.as_bytes()).map_or(0, |index| index as u32 + 1)
    }

    /// The file, byte by byte.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut names = vec![0];
        let name_at: Vec<u32> = self.parts.iter().map(|part| add(&mut names, &part.name)).collect();
        let segments = if self.segment_over.is_empty() { 2 } else { 3 };
        let rows = 64 * (self.parts.len() + 1);
        let mut file = vec![0; 64 + 56 * segments];
        let mut table = None;
        if self.shape == Shape::Mapped {
            table = Some(file.len());
            file.resize(file.len() + rows, 0);
        }
        let mut places = vec![(0, 0); self.parts.len()];
        let mut place = |file: &mut Vec<u8>, index: usize, data: &[u8]| {
            let part = &self.parts[index];
            file.resize(file.len().next_multiple_of(part.align.max(1) as usize), 0);
            places[index] = (file.len(), data.len());
            if part.kind != NOBITS {
                file.extend_from_slice(data);
            }
        };
        let is_names = |part: &Part| part.name == b".shstrtab";
        for (index, part) in self.parts.iter().enumerate() {
            if part.flags & ALLOC != 0 {
                place(&mut file, index, &part.data);
            } else if is_names(part) && self.shape == Shape::Mapped {
                place(&mut file, index, &names);
            }
        }
        let mapped = file.len();
        for (index, part) in self.parts.iter().enumerate().filter(|(_, part)| part.flags & ALLOC == 0) {
            if is_names(part) {
                continue;
            }
            if part.name == b".symtab" && self.shape == Shape::BeforeSymbols {
                self.parts
                    .iter()
                    .enumerate()
                    .filter(|(_, part)| is_names(part))
                    .for_each(|(i, _)| place(&mut file, i, &names));
                file.resize(file.len().next_multiple_of(8), 0);
                table = Some(file.len());
                file.resize(file.len() + rows, 0);
            }
            place(&mut file, index, &part.data);
        }
        if self.shape == Shape::Last {
            self.parts
                .iter()
                .enumerate()
                .filter(|(_, part)| is_names(part))
                .for_each(|(i, _)| place(&mut file, i, &names));
        }
        let table = table.unwrap_or_else(|| {
            file.resize(file.len().next_multiple_of(8), 0);
            file.resize(file.len() + rows, 0);
            file.len() - rows
        });
        self.headers(&mut file, table, mapped, &places);
        for (index, part) in self.parts.iter().enumerate() {
            let (at, size) = places[index];
            let row = table + 64 * (index + 1);
            let info = if part.kind == SYMTAB { 3 } else { self.number(part.info) };
            put(&mut file, row, &name_at[index].to_le_bytes());
            put(&mut file, row + 4, &part.kind.to_le_bytes());
            put(&mut file, row + 8, &part.flags.to_le_bytes());
            put(&mut file, row + 16, &(if part.flags & ALLOC == 0 { 0 } else { at as u64 }).to_le_bytes());
            put(&mut file, row + 24, &(at as u64).to_le_bytes());
            put(&mut file, row + 32, &(size as u64).to_le_bytes());
            put(&mut file, row + 40, &self.number(part.link).to_le_bytes());
            put(&mut file, row + 44, &info.to_le_bytes());
            put(&mut file, row + 48, &part.align.to_le_bytes());
        }
        file.extend_from_slice(&self.payload);
        file
    }

    fn headers(&self, file: &mut [u8], table: usize, mapped: usize, places: &[(usize, usize)]) {
        put(file, 0, &[0x7f, b'E', b'L', b'F', 2, 1, 1]);
        put(file, 16, &self.kind.to_le_bytes());
        put(file, 18, &self.machine.to_le_bytes());
        put(file, 20, &1u32.to_le_bytes());
        put(file, 24, &0x1234u64.to_le_bytes());
        put(file, 32, &64u64.to_le_bytes());
        put(file, 40, &(table as u64).to_le_bytes());
        put(file, 48, &7u32.to_le_bytes());
        let segment_count = if self.segment_over.is_empty() { 2 } else { 3 };
        let numbers = [64, 56, segment_count, 64, self.parts.len() as u16 + 1, self.number(".shstrtab") as u16];
        for (index, number) in numbers.into_iter().enumerate() {
            put(file, 52 + 2 * index, &u16::to_le_bytes(number));
        }
        let dynamic = self.number(".dynamic").checked_sub(1).map_or((0, 0), |index| places[index as usize]);
        let mut segments = vec![(1u32, 0, mapped), (2, dynamic.0, dynamic.1)];
        if let Some(over) = self.number(self.segment_over).checked_sub(1).map(|index| places[index as usize]) {
            segments.push((1, over.0, over.1));
        }
        for (index, (kind, at, size)) in segments.into_iter().enumerate() {
            let row = 64 + 56 * index;
            put(file, row, &kind.to_le_bytes());
            for (field, value) in [(8, at), (16, at), (24, at), (32, size), (40, size), (48, 4096)] {
                put(file, row + field, &(value as u64).to_le_bytes());
            }
        }
    }
}

fn add(names: &mut Vec<u8>, name: &[u8]) -> u32 {
    let at = names.len() as u32;
    names.extend_from_slice(name);
    names.push(0);
    at
}

pub(super) fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A layer whose tar has one file in it, and the reads that were made of it.
#[derive(Debug)]
pub(super) struct Layer {
    tar: Vec<u8>,
    pub(super) reads: Mutex<Vec<(u64, usize)>>,
}

/// Where the file lies in the layer.
const START: usize = 1536;

impl Layer {
    pub(super) fn of(file: &[u8]) -> (Self, Content) {
        let mut tar = vec![0xaa; START];
        tar.extend_from_slice(file);
        tar.extend_from_slice(&[0xbb; 512]);
        let content = Content { size: file.len() as u64, source: Source::Layer(LayerId(0), START as u64) };
        (Self { tar, reads: Mutex::new(Vec::new()) }, content)
    }

    /// All bytes of a content.
    pub(super) fn whole(&self, content: &Content) -> Vec<u8> {
        let mut bytes = vec![0; content.size as usize];
        assert_eq!(self.read_at(content, 0, &mut bytes).unwrap(), bytes.len());
        bytes
    }
}

impl Files for Layer {
    fn read_at(&self, content: &Content, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        self.reads.lock().unwrap().push((at, buffer.len()));
        let mut done = 0;
        while done < buffer.len()
            && let Some(run) = content.run_at(at + done as u64)?
        {
            let count = (run.size() as usize).min(buffer.len() - done);
            match run {
                Run::Layer(LayerId(0), range) => {
                    let start = range.start as usize;
                    buffer[done..done + count].copy_from_slice(&self.tar[start..start + count]);
                }
                Run::Bytes(bytes) => buffer[done..done + count].copy_from_slice(&bytes[..count]),
                other => panic!("no file here has {other:?}"),
            }
            done += count;
        }
        Ok(done)
    }
}

/// What becomes of a file: its new bytes, or why it stays.
pub(super) fn strip(file: &[u8]) -> Result<Vec<u8>, Skip> {
    let (layer, content) = Layer::of(file);
    strip_debug(&layer, &content).unwrap().map(|content| layer.whole(&content))
}
