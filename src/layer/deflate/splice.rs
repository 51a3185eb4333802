//! Deflate blocks from several streams as one stream.
//!
//! In: blocks, and the bytes that they lie in. Out: a gzip member's deflate stream, in pieces. Only the last bit of each block's header and
//! the padding of stored blocks are made anew, never an inflated byte looked at: the first bit says "last block", and a stored block's data begins at
//! a byte (RFC 1951, 3.2.3 and 3.2.4).

use super::bits::BitWriter;
use super::blocks::Block;
use crate::archive::Blob;
use crate::error::Error;
use std::io;

/// Compressed bytes are handed on in pieces of about this size.
const PIECE: usize = 1 << 20;
/// Compressed bytes that are read from a blob at once.
const READ: usize = 256 << 10;
/// Bits of a block's header: whether it is the last, and its type.
const HEADER: u64 = 3;
/// Bytes before the data of a stored block: its length, twice.
const LENGTHS: u64 = 4;

/// Takes a finished piece; false where nobody wants more of them. Memory that is used up comes back in its place.
pub(in crate::layer) type Emit<'a> = &'a mut dyn FnMut(&mut Vec<u8>) -> bool;

/// The stream in the making.
#[derive(Debug, Default)]
pub(in crate::layer) struct Splicer {
    out: BitWriter,
}

impl Splicer {
    /// Appends blocks that lie in `window`; false where nobody wants more.
    ///
    /// # Errors
    ///
    /// `Io` where they cannot be read; `Integrity` where they are no longer what they were.
    pub(in crate::layer) fn append(
        &mut self,
        window: &mut Window<'_>,
        blocks: &[Block],
        emit: Emit<'_>,
    ) -> Result<bool, Error> {
        for block in blocks {
            if !self.block(window, block, emit)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Appends bytes as they are.
    pub(in crate::layer) fn bytes(&mut self, bytes: &[u8]) {
        self.out.align();
        self.out.extend(bytes);
    }

    /// Ends the deflate stream with an empty block that says so, up to a whole byte.
    pub(in crate::layer) fn end(&mut self) {
        // Last, fixed codes, and the code for the end: seven zeros (RFC 1951, 3.2.6).
        self.out.push(0b011, 3);
        self.out.push(0, 7);
        self.out.align();
    }

    /// Hands on what is left, up to a whole byte; false where nobody wants it.
    pub(in crate::layer) fn finish(&mut self, emit: Emit<'_>) -> bool {
        self.out.align();
        self.hand_on(emit)
    }

    fn hand_on(&mut self, emit: Emit<'_>) -> bool {
        let mut piece = self.out.take();
        let wanted = emit(&mut piece);
        self.out.replace(piece);
        wanted
    }

    fn block(&mut self, window: &mut Window<'_>, block: &Block, emit: Emit<'_>) -> Result<bool, Error> {
        let (start, end) = (block.bits.start, block.bits.end);
        let header = window.bits(start, HEADER)?;
        // Never the last.
        self.out.push(header & 0b110, 3);
        let body = start.saturating_add(HEADER);
        if header & 0b110 != 0 {
            return self.copy(window, body..end, emit);
        }
        self.out.align();
        let body = body.checked_next_multiple_of(8).unwrap_or(u64::MAX);
        // What zlib has inflated has whole bytes and these lengths; a file that changed since may not.
        let holds = end.saturating_sub(body) / 8;
        let length = u64::from(window.bits(body, 8)?) | u64::from(window.bits(body.saturating_add(8), 8)?) << 8;
        if !end.is_multiple_of(8) || holds.checked_sub(LENGTHS) != Some(length) {
            return Err(changed());
        }
        self.copy(window, body..end, emit)
    }

    fn copy(&mut self, window: &mut Window<'_>, bits: std::ops::Range<u64>, emit: Emit<'_>) -> Result<bool, Error> {
        let mut at = bits.start;
        while at < bits.end {
            let skip = u32::try_from(at % 8).unwrap_or_default();
            let bytes = window.from(at / 8)?;
            let available = (bytes.len() as u64).saturating_mul(8).saturating_sub(u64::from(skip));
            let count = bits.end.saturating_sub(at).min(available);
            self.out.extend_bits(bytes, skip, count);
            at = at.saturating_add(count);
            if self.out.len() >= PIECE && !self.hand_on(emit) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Compressed bytes, of which a part is in memory.
#[derive(Debug)]
pub(in crate::layer) struct Window<'a> {
    blob: Option<&'a Blob>,
    buffer: Vec<u8>,
    /// Where the buffer lies in the blob.
    start: u64,
}

impl<'a> Window<'a> {
    /// Bytes of a blob.
    pub(in crate::layer) fn of_blob(blob: &'a Blob) -> Self {
        Self { blob: Some(blob), buffer: Vec::new(), start: 0 }
    }

    /// Bytes at hand.
    pub(in crate::layer) fn of_bytes(bytes: Vec<u8>) -> Self {
        Self { blob: None, buffer: bytes, start: 0 }
    }

    /// Up to 8 bits from this one on.
    fn bits(&mut self, bit: u64, count: u64) -> Result<u8, Error> {
        let mut bits = BitWriter::default();
        let first = self.from(bit / 8)?.first().copied().unwrap_or_default();
        let skip = u32::try_from(bit % 8).unwrap_or_default();
        bits.extend_bits(&[first], skip, count);
        let rest = count.saturating_sub(8_u64.saturating_sub(u64::from(skip)));
        if rest > 0 {
            let second = self.from((bit / 8).saturating_add(1))?.first().copied().unwrap_or_default();
            bits.extend_bits(&[second], 0, rest);
        }
        bits.align();
        Ok(bits.take().first().copied().unwrap_or_default())
    }

    /// The bytes from this one on; at least one.
    fn from(&mut self, at: u64) -> Result<&[u8], Error> {
        let offset = |start| usize::try_from(at.checked_sub(start)?).ok();
        if offset(self.start).is_none_or(|offset| offset >= self.buffer.len()) {
            let blob = self.blob.ok_or_else(changed)?;
            self.buffer.resize(READ, 0);
            let read = loop {
                match blob.read_at(&mut self.buffer, at) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => break result.map_err(|error| Error::io("read the layer", error))?,
                }
            };
            self.buffer.truncate(read);
            self.start = at;
        }
        let bytes = offset(self.start).and_then(|offset| self.buffer.get(offset..)).unwrap_or_default();
        if bytes.is_empty() { Err(changed()) } else { Ok(bytes) }
    }
}

fn changed() -> Error {
    Error::integrity("its deflate blocks are not where they were").hint("do not change the input while it is read")
}
