//! Where the deflate blocks of a gzip layer lie, and which of them a run of kept bytes can take over. Pure.
//!
//! In: boundaries, in the order of the stream. Out: the row of blocks that can be copied for a range of the uncompressed bytes. A
//! block refers to up to 32 KiB before it (RFC 1951, 2), never to what lies before its gzip member: it can be copied where those
//! bytes are kept, too. Memory: 24 bytes a block, and no more blocks than one for every 4 KiB.

use std::ops::Range;

/// How far back a deflate block may refer, in bytes.
const HISTORY: u64 = 32 << 10;
/// A layer whose blocks hold less than this on average is not worth an index: compressors end a block after 5,000
/// bytes at the least, most after 16,000 symbols.
const LEAST_MEAN: u64 = 4 << 10;
/// So many blocks are remembered in any case.
const ALWAYS: u64 = 4 << 10;
/// A copy of less does not pay for the two cuts around it.
const LEAST_COPY: u64 = 16 << 10;

/// One deflate block that holds something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where it lies in the compressed bytes, in bits; its own header of three bits included.
    pub bits: Range<u64>,
    /// Where its content begins in the uncompressed bytes. It ends where the next one begins.
    pub start: u64,
}

/// The deflate blocks of a layer, in order; those without content are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocks {
    blocks: Vec<Block>,
    /// Where gzip members begin in the uncompressed bytes.
    members: Vec<u64>,
    /// How many uncompressed bytes there are.
    size: u64,
    /// Where the open block begins: in bits, and in uncompressed bytes.
    open: Option<(u64, u64)>,
    /// Whether there were more than are worth it.
    given_up: bool,
}

impl Blocks {
    /// A gzip member begins.
    pub(super) fn member(&mut self) {
        if self.members.last() != Some(&self.size) {
            self.members.push(self.size);
        }
        self.open = None;
        self.check();
    }

    /// The first block of a member begins at this bit, or one ended there and the next one begins, if it was not the last. `size` is the
    /// number of uncompressed bytes so far.
    pub(super) fn boundary(&mut self, bit: u64, size: u64, last: bool) {
        if let Some((from, start)) = self.open
            && size > start
            && !self.given_up
        {
            self.blocks.push(Block { bits: from..bit, start });
        }
        self.size = size;
        self.open = (!last).then_some((bit, size));
        self.check();
    }

    fn check(&mut self) {
        let count = self.blocks.len().saturating_add(self.members.len()) as u64;
        if count > ALWAYS.saturating_add(self.size / LEAST_MEAN) {
            self.given_up = true;
            self.members = Vec::new();
        }
        if self.given_up {
            self.blocks = Vec::new();
        }
    }

    /// The blocks with these numbers.
    pub fn get(&self, numbers: Range<usize>) -> &[Block] {
        self.blocks.get(numbers).unwrap_or_default()
    }

    /// All of them.
    pub fn all(&self) -> &[Block] {
        &self.blocks
    }

    /// The uncompressed bytes of the block with this number.
    pub fn content(&self, number: usize) -> Range<u64> {
        let start = self.blocks.get(number).map_or(self.size, |block| block.start);
        let end = number.checked_add(1).and_then(|next| self.blocks.get(next)).map_or(self.size, |next| next.start);
        start..end
    }

    /// The numbers of the blocks that can be copied where this range of the uncompressed bytes is kept, and the range of the uncompressed
    /// bytes that they hold.
    pub fn within(&self, range: &Range<u64>) -> Option<(Range<usize>, Range<u64>)> {
        let first = self.blocks.partition_point(|block| self.history(block.start) < range.start);
        // The block before the first that begins at or after the end is the last that can end there.
        let behind = self.blocks.partition_point(|block| block.start < range.end);
        let last = behind.checked_sub(1)?;
        let end = if self.content(last).end <= range.end { behind } else { last };
        let held = self.content(first).start..self.content(end.checked_sub(1)?).end;
        (first < end && held.end.saturating_sub(held.start) >= LEAST_COPY).then_some((first..end, held))
    }

    /// The first byte that a block which begins here may refer to.
    fn history(&self, start: u64) -> u64 {
        let members = self.members.partition_point(|member| *member <= start);
        let member = members.checked_sub(1).and_then(|last| self.members.get(last)).copied().unwrap_or_default();
        start.saturating_sub(HISTORY).max(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1 << 10;

    /// Blocks of 20 KiB, each compressed to 1,001 bits; a member begins before every number of `members`.
    fn blocks(count: u64, members: &[u64]) -> Blocks {
        let mut blocks = Blocks::default();
        for number in 0..count {
            if members.contains(&number) {
                blocks.member();
                blocks.boundary(number * 1001 + 80, number * 20 * KIB, false);
            }
            let last = number + 1 == count || members.contains(&(number + 1));
            blocks.boundary((number + 1) * 1001, (number + 1) * 20 * KIB, last);
        }
        blocks
    }

    fn within(blocks: &Blocks, range: Range<u64>) -> Option<Range<usize>> {
        blocks.within(&(range.start * KIB..range.end * KIB)).map(|(numbers, held)| {
            assert_eq!(held, blocks.content(numbers.start).start..blocks.content(numbers.end - 1).end);
            assert!(range.start * KIB <= held.start && held.end <= range.end * KIB);
            numbers
        })
    }

    #[test]
    fn a_whole_layer_is_copied_whole() {
        assert_eq!(within(&blocks(10, &[0]), 0..200), Some(0..10));
    }

    #[test]
    fn a_block_is_copied_where_the_32_kib_before_it_are_kept() {
        // Block 2 begins at 40 KiB and may refer to all from 8 KiB on.
        assert_eq!(within(&blocks(10, &[0]), 8..200), Some(2..10));
        assert_eq!(within(&blocks(10, &[0]), 9..200), Some(3..10));
    }

    #[test]
    fn a_block_never_refers_to_what_is_before_its_member() {
        assert_eq!(within(&blocks(10, &[0, 4]), 79..200), Some(4..10));
        assert_eq!(within(&blocks(10, &[0, 4]), 80..200), Some(4..10));
        assert_eq!(within(&blocks(10, &[0, 4]), 81..200), Some(6..10));
    }

    #[test]
    fn a_block_is_copied_whole_or_not_at_all() {
        assert_eq!(within(&blocks(10, &[0]), 0..199), Some(0..9));
        assert_eq!(within(&blocks(10, &[0]), 0..20), Some(0..1));
        assert_eq!(within(&blocks(10, &[0]), 0..19), None);
        assert_eq!(within(&blocks(10, &[0]), 30..70), None);
        assert_eq!(within(&blocks(10, &[0]), 190..200), None);
        assert_eq!(within(&blocks(10, &[0]), 200..200), None);
    }

    #[test]
    fn blocks_without_content_are_left_out() {
        let mut blocks = Blocks::default();
        blocks.member();
        for (bit, size) in [(80, 0), (90, 0), (900, 30_000), (910, 30_000), (2000, 60_000)] {
            blocks.boundary(bit, size, false);
        }
        assert_eq!(blocks.all(), [Block { bits: 90..900, start: 0 }, Block { bits: 910..2000, start: 30_000 }]);
    }

    #[test]
    fn a_layer_of_tiny_blocks_has_no_index() {
        let mut blocks = Blocks::default();
        blocks.member();
        (0..100_000).for_each(|n| blocks.boundary(n * 50, n, false));
        assert!(blocks.all().is_empty() && blocks.blocks.capacity() == 0);
        let mut blocks = Blocks::default();
        for n in 0..100_000 {
            blocks.member();
            blocks.boundary(n * 50, n, true);
        }
        assert!(blocks.members.len() <= 5_000);
    }
}
