//! Sparse files: GNU's old header (`S`) and its PAX forms 0.0, 0.1 and 1.0, as data runs (T15).
//!
//! In: the numbers of a map, from a header, from PAX records, or from the start of the entry's data. Out: where
//! each run of data lies in the file and in the layer. A map is bounded before it is kept (CVE-2025-58183), and
//! one that is not ascending, or does not add up to the stored size, is refused.

use super::header::{BLOCK, Block, field};
use super::input::TarInput;
use super::number::{decimal, numeric};
use crate::error::Error;
use crate::options::Limits;
use crate::rootfs::Extent;

/// A data run of a map: where in the file, how long.
pub(crate) type Run = (u64, u64);

/// A sparse file as PAX records describe it.
#[derive(Debug)]
pub(crate) struct SparseForm {
    /// The file's own name; `path` is then a stand-in.
    pub(crate) name: Option<Box<[u8]>>,
    /// The length of the file, holes included.
    pub(crate) size: u64,
    /// The map, or nothing where it stands at the start of the data (1.0).
    pub(crate) map: Option<Vec<Run>>,
}

/// Whether a key may stand many times in one header, each with a meaning of its own (0.0).
pub(crate) fn is_run(key: &[u8]) -> bool {
    matches!(key, b"GNU.sparse.offset" | b"GNU.sparse.numbytes")
}

/// Finds out the form from the records, `runs` being those of [`is_run`] in their order.
pub(crate) fn from_records(
    records: &[(&[u8], &[u8])],
    runs: &[(&[u8], &[u8])],
    limits: &Limits,
) -> Result<Option<SparseForm>, Error> {
    if records.is_empty() && runs.is_empty() {
        return Ok(None);
    }
    let value = |key: &str| {
        let found = records.iter().find(|(name, _)| name.strip_prefix(b"GNU.sparse.") == Some(key.as_bytes()));
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    };
    let number = |key| value(key).map(|text| decimal(text).ok_or_else(|| flaw("a number is not one"))).transpose();
    let size = match (number("size")?, number("realsize")?) {
        (Some(size), None) | (None, Some(size)) => size,
        (Some(size), Some(real)) if size == real => size,
        _ => return Err(flaw("the size of the file is missing or told twice")),
    };
    let map = match (value("major"), value("minor")) {
        (Some(b"1"), Some(b"0")) if runs.is_empty() && value("map").is_none() => None,
        (None, None) | (Some(b"0"), Some(b"0" | b"1")) => {
            let map = match (value("map"), runs.is_empty()) {
                (Some(map), true) => map_of_list(map, limits)?,
                (None, false) => map_of_runs(runs, limits)?,
                _ => return Err(flaw("the map is missing or told twice")), // T16
            };
            if number("numblocks")? != Some(map.len() as u64) {
                return Err(flaw("the map has another length than its count"));
            }
            Some(map)
        }
        _ => return Err(flaw("the version is unknown")),
    };
    Ok(Some(SparseForm { name: value("name").map(Into::into), size, map }))
}

fn map_of_list(list: &[u8], limits: &Limits) -> Result<Vec<Run>, Error> {
    let mut numbers =
        list.split(|byte| *byte == b',').map(|text| decimal(text).ok_or_else(|| flaw("the map is no list of numbers")));
    let mut map = Vec::new();
    while let Some(at) = numbers.next() {
        let len = numbers.next().ok_or_else(|| flaw("the map ends within a run"))?;
        push(&mut map, (at?, len?), limits)?;
    }
    Ok(map)
}

fn map_of_runs(records: &[(&[u8], &[u8])], limits: &Limits) -> Result<Vec<Run>, Error> {
    let mut map = Vec::new();
    for pair in records.chunks(2) {
        let [(b"GNU.sparse.offset", at), (b"GNU.sparse.numbytes", len)] = pair else {
            return Err(flaw("offsets and lengths do not alternate"));
        };
        let run = decimal(at).zip(decimal(len)).ok_or_else(|| flaw("the map is no list of numbers"))?;
        push(&mut map, run, limits)?;
    }
    Ok(map)
}

/// Reads the map that stands before the data (1.0): numbers, each on a line, to the end of the last one's block.
/// Tells how many bytes it took of the `stored` ones.
pub(crate) fn map_before_data(
    input: &mut impl TarInput,
    stored: u64,
    limits: &Limits,
) -> Result<(Vec<Run>, u64), Error> {
    let mut numbers = Lines { input, stored, taken: 0, block: [0; BLOCK], at: BLOCK };
    let count = numbers.next()?;
    let mut map = Vec::new();
    for _ in 0..count {
        let run = (numbers.next()?, numbers.next()?);
        push(&mut map, run, limits)?;
    }
    Ok((map, numbers.taken))
}

/// Numbers on lines, read a block at a time.
struct Lines<'a, I> {
    input: &'a mut I,
    stored: u64,
    taken: u64,
    block: Block,
    at: usize,
}

impl<I: TarInput> Lines<'_, I> {
    fn next(&mut self) -> Result<u64, Error> {
        let mut line = Vec::with_capacity(20);
        loop {
            let byte = match self.block.get(self.at) {
                Some(byte) => *byte,
                None => {
                    self.taken = self.taken.saturating_add(BLOCK as u64);
                    if self.taken > self.stored {
                        return Err(flaw("the map is longer than the entry"));
                    }
                    self.input.read_exact(&mut self.block)?;
                    self.at = 0;
                    continue;
                }
            };
            self.at = self.at.saturating_add(1);
            match byte {
                b'\n' => return decimal(&line).ok_or_else(|| flaw("the map is no list of numbers")),
                _ if line.len() < 20 => line.push(byte),
                _ => return Err(flaw("the map is no list of numbers")),
            }
        }
    }
}

/// Reads the map of an old GNU header and of the blocks that continue it; tells the file's length first.
pub(crate) fn map_of_header(
    block: &Block,
    input: &mut impl TarInput,
    limits: &Limits,
) -> Result<(u64, Vec<Run>), Error> {
    let number = |field: &[u8]| {
        let number = numeric(field).and_then(|number| u64::try_from(number).ok());
        number.ok_or_else(|| flaw("a number is not one"))
    };
    let size = number(field(block, 483, 12))?;
    let mut map = Vec::new();
    let mut block = *block;
    let (mut start, mut count, mut flag) = (386usize, 4usize, 482usize);
    loop {
        for run in field(&block, start, count.saturating_mul(24)).chunks_exact(24) {
            let (at, len) = run.split_at(12);
            if at.first() == Some(&0) {
                break;
            }
            push(&mut map, (number(at)?, number(len)?), limits)?;
        }
        if field(&block, flag, 1) == [0] {
            return Ok((size, map));
        }
        input.read_exact(&mut block)?;
        (start, count, flag) = (0, 21, 504);
    }
}

fn push(map: &mut Vec<Run>, run: Run, limits: &Limits) -> Result<(), Error> {
    if map.len() as u64 >= limits.sparse {
        let what = format!("the sparse file has more than {} runs", limits.sparse);
        return Err(Error::limit(what).hint("raise it with --limit sparse=N"));
    }
    map.push(run);
    Ok(())
}

/// Checks a map against the file's `size` and the `stored` bytes, which lie from `offset` on in the layer; empty
/// runs vanish, and runs that touch become one.
pub(crate) fn extents(map: &[Run], size: u64, stored: u64, offset: u64) -> Result<Vec<Extent>, Error> {
    let mut extents: Vec<Extent> = Vec::new();
    let (mut end, mut used) = (0u64, 0u64);
    for &(at, len) in map {
        let next =
            at.checked_add(len).filter(|next| *next <= size).ok_or_else(|| flaw("a run lies beyond the file's end"))?;
        if at < end {
            return Err(flaw("the runs are not in order"));
        }
        let data = offset.checked_add(used).ok_or_else(|| flaw("the runs are too long"))?;
        used = used.checked_add(len).ok_or_else(|| flaw("the runs are too long"))?;
        match extents.last_mut() {
            _ if len == 0 => {}
            Some(last) if at == end && last.at.checked_add(last.len) == Some(at) => {
                last.len = last.len.saturating_add(len)
            }
            _ => extents.push(Extent { at, len, offset: data }),
        }
        end = next;
    }
    if used != stored {
        return Err(flaw("the runs do not add up to the stored size"));
    }
    Ok(extents)
}

fn flaw(what: &str) -> Error {
    Error::malformed(format!("the sparse file is malformed: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t15_a_map_must_ascend_lie_in_the_file_and_add_up() {
        let good = extents(&[(0, 5), (5, 5), (20, 0), (30, 10), (40, 0)], 40, 20, 1000).unwrap();
        assert_eq!(good, [Extent { at: 0, len: 10, offset: 1000 }, Extent { at: 30, len: 10, offset: 1010 }]);
        assert!(extents(&[(10, 5), (0, 5)], 40, 10, 0).is_err(), "descending");
        assert!(extents(&[(0, 5), (4, 5)], 40, 10, 0).is_err(), "overlapping");
        assert!(extents(&[(36, 5)], 40, 5, 0).is_err(), "beyond the end");
        assert!(extents(&[(0, 5)], 40, 6, 0).is_err(), "bytes that belong nowhere");
        assert!(extents(&[(0, 5)], 40, 4, 0).is_err(), "bytes that are missing");
        assert!(extents(&[(u64::MAX, 2)], u64::MAX, 2, 0).is_err(), "overflow");
        assert_eq!(extents(&[], 1 << 50, 0, 0).unwrap(), []);
    }

    #[test]
    fn t16_a_sparse_name_without_a_map_is_refused() {
        let name: &[(&[u8], &[u8])] = &[(b"GNU.sparse.name", b"x"), (b"GNU.sparse.size", b"1")];
        assert!(from_records(name, &[], &Limits::default()).is_err());
    }

    #[test]
    fn a_map_with_too_many_runs_is_refused_before_it_is_kept() {
        let limits = Limits { sparse: 2, ..Limits::default() };
        assert!(map_of_list(b"0,1,2,1", &limits).is_ok());
        assert!(map_of_list(b"0,1,2,1,4,1", &limits).is_err());
        assert!(map_of_list(b"0,1,2", &Limits::default()).is_err(), "an odd list");
        assert!(map_of_list(b"0,1,", &Limits::default()).is_err(), "a trailing comma");
    }
}
