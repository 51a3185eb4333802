//! What a strip may do to a file, told slowly: both files whole in memory, read by offsets. It shares no code with the check.

/// A section header, as far as the model looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: Vec<u8>,
    pub(super) kind: u32,
    pub(super) flags: u64,
    pub(super) address: u64,
    pub(super) offset: usize,
    pub(super) size: usize,
    pub(super) link: usize,
    pub(super) info: usize,
}

fn number(file: &[u8], at: usize, width: usize) -> usize {
    file[at..at + width].iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte))
}

/// The sections of a file.
pub(super) fn rows(file: &[u8]) -> Vec<Row> {
    let (table, count, names) = (number(file, 40, 8), number(file, 60, 2), number(file, 62, 2));
    let names = number(file, table + 64 * names + 24, 8);
    let rows = (0..count).map(|index| {
        let row = table + 64 * index;
        let name = &file[names + number(file, row, 4)..];
        Row {
            name: name[..name.iter().position(|byte| *byte == 0).unwrap()].to_vec(),
            kind: number(file, row + 4, 4) as u32,
            flags: number(file, row + 8, 8) as u64,
            address: number(file, row + 16, 8) as u64,
            offset: number(file, row + 24, 8),
            size: number(file, row + 32, 8),
            link: number(file, row + 40, 4),
            info: number(file, row + 44, 4),
        }
    });
    rows.collect()
}

impl Row {
    pub(super) fn bytes<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        if matches!(self.kind, 0 | 8) || self.size == 0 { &[] } else { &file[self.offset..self.offset + self.size] }
    }

    pub(super) fn is_debug(&self) -> bool {
        let starts = |start: &str| self.name.starts_with(start.as_bytes());
        let kinds: &[u32] = match self.name.as_slice() {
            b".symtab" => &[2],
            b".strtab" => &[3],
            b".gdb_index" => &[1],
            _ if starts(".debug") || starts(".zdebug") => &[1],
            _ if starts(".stab") => &[1, 3],
            _ => &[],
        };
        self.flags & 2 == 0 && kinds.contains(&self.kind)
    }
}

/// Holds a stripped file to the file that it was.
pub(super) fn compare(before: &[u8], after: &[u8]) {
    assert!(after.len() + 512 <= before.len(), "it is not smaller");
    let unchanged =
        |range: std::ops::Range<usize>| assert_eq!(before[range.clone()], after[range.clone()], "{range:?}");
    unchanged(0..40);
    unchanged(48..60);
    let (start, count) = (number(before, 32, 8), number(before, 56, 2));
    unchanged(start..start + 56 * count);
    let mut mapped = start + 56 * count;
    for row in (0..count).map(|index| start + 56 * index) {
        let (at, size) = (number(before, row + 8, 8), number(before, row + 32, 8));
        if size > 0 {
            mapped = mapped.max(at + size);
            for at in (at..at + size).filter(|at| !(40..48).contains(at) && !(60..64).contains(at)) {
                assert_eq!(before[at], after[at], "mapped byte {at}");
            }
        }
    }
    let (old, new) = (rows(before), rows(after));
    let names = number(before, 62, 2);
    assert!(!new.iter().any(|row| row.is_debug() && row.offset >= mapped && row.name != old[names].name));
    let mut rest = new.iter().enumerate().filter(|(_, row)| row.kind != 0);
    for (index, row) in old.iter().enumerate().filter(|(_, row)| row.kind != 0) {
        if row.is_debug() && row.offset >= mapped && index != names {
            continue;
        }
        let (number_now, now) = rest.next().expect("a section is lost");
        assert_eq!((&row.name, row.kind, row.flags, row.address), (&now.name, now.kind, now.flags, now.address));
        if row.flags & 2 != 0 {
            assert_eq!((index, row.offset), (number_now, now.offset), "a mapped section has moved");
        }
        if index != names {
            assert_eq!(row.bytes(before), now.bytes(after));
        }
        let linked = |file: &[Row], link: usize| file.get(link).map(|row| row.name.clone());
        assert!(linked(&old, row.link) == linked(&new, now.link) || now.link == 0);
        if matches!(row.kind, 4 | 9) || row.flags & 0x40 != 0 {
            assert_eq!(linked(&old, row.info), linked(&new, now.info));
        }
    }
    assert!(rest.next().is_none(), "a section is new");
    assert_eq!(number(after, 40, 8) + 64 * new.len(), after.len(), "the section headers end the file");
}
