//! gzip members one after the other, as pigz and eStargz write them, then zeros (tape padding), then nothing.
//!
//! In: compressed bytes. Out: what is in them, every checksum checked, and where the deflate blocks lie. Anything else behind
//! the last member is an error, as is an end within one.

use super::blocks::Blocks;
use super::zlib::{Inflate, Stop, Wrapper};
use crate::error::{Error, ErrorKind};
use std::io::{self, BufRead, Read};

/// Reads what gzip members hold.
pub(in crate::layer) struct Gunzip<R> {
    reader: R,
    inflate: Inflate,
    place: Place,
    /// Compressed and uncompressed bytes so far.
    consumed: u64,
    produced: u64,
    blocks: Blocks,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a member, which the data must have.
    Start,
    Member,
    Between,
    Padding,
    End,
}

impl<R: BufRead> Gunzip<R> {
    /// Reads `reader` from the first member on.
    ///
    /// # Errors
    ///
    /// Where there is no memory for it.
    pub(in crate::layer) fn new(reader: R) -> io::Result<Self> {
        let inflate = Inflate::new(Wrapper::Gzip)?;
        Ok(Self { reader, inflate, place: Place::Start, consumed: 0, produced: 0, blocks: Blocks::default() })
    }

    /// The blocks of what was read.
    pub(in crate::layer) fn into_blocks(self) -> Blocks {
        self.blocks
    }

    /// Inflates once; the number of bytes.
    fn inflate(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let input = fill(&mut self.reader)?;
        if input.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let step = self.inflate.run(input, room)?;
        self.reader.consume(step.consumed);
        self.consumed = self.consumed.saturating_add(step.consumed as u64);
        self.produced = self.produced.saturating_add(step.produced as u64);
        match step.stop {
            Stop::Within => {}
            Stop::Boundary { ahead, last } => {
                let bit = self.consumed.saturating_mul(8).saturating_sub(u64::from(ahead));
                self.blocks.boundary(bit, self.produced, last);
            }
            Stop::End => self.place = Place::Between,
        }
        Ok(step.produced)
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0_usize;
        while let Some(room) = buffer.get_mut(done..).filter(|room| !room.is_empty()) {
            match self.place {
                Place::Start => {
                    self.blocks.member();
                    self.place = Place::Member;
                }
                Place::Member => match self.inflate(room) {
                    Ok(produced) => done = done.saturating_add(produced),
                    // It comes again at the next call.
                    Err(_) if done > 0 => break,
                    Err(error) => return Err(error),
                },
                Place::Between => match fill(&mut self.reader)?.first() {
                    None => self.place = Place::End,
                    Some(0) => self.place = Place::Padding,
                    Some(0x1f) => {
                        self.inflate.reset();
                        self.place = Place::Start;
                    }
                    Some(_) => return Err(garbage()),
                },
                Place::Padding => {
                    let zeros = fill(&mut self.reader)?;
                    if zeros.iter().any(|byte| *byte != 0) {
                        return Err(garbage());
                    }
                    let len = zeros.len();
                    if len == 0 {
                        self.place = Place::End;
                    }
                    self.reader.consume(len);
                }
                Place::End => break,
            }
        }
        Ok(done)
    }
}

/// Reads on, whatever signal arrives meanwhile: between members, an error of it would lose what is in the room already.
fn fill<R: BufRead>(reader: &mut R) -> io::Result<&[u8]> {
    let is_end = loop {
        match reader.fill_buf() {
            Ok(bytes) => break bytes.is_empty(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    // What is buffered is not read again; an end would be.
    if is_end { Ok(&[]) } else { reader.fill_buf() }
}

fn garbage() -> io::Error {
    Error::new(ErrorKind::Malformed, "the gzip data is followed by something else").into()
}
