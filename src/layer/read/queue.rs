//! A queue of blocks between two threads that read: one fills them from a reader, the other sees a reader again.
//!
//! In: bytes. Out: the same bytes, then the error that ended them, if one did. At most [`QUEUE`] blocks wait; their
//! memory goes back and is used again.

use crate::layer::stage::QUEUE;
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// A full block, only the last one shorter, or why there is none.
pub(super) type Filled = io::Result<Vec<u8>>;

/// The end that fills blocks.
#[derive(Debug)]
pub(super) struct Filler {
    size: usize,
    unused: Receiver<Vec<u8>>,
    filled: SyncSender<Filled>,
}

/// The end that reads them.
#[derive(Debug)]
pub(super) struct Queued {
    filled: Receiver<Filled>,
    used: Sender<Vec<u8>>,
    block: Vec<u8>,
    at: usize,
}

/// A queue of blocks of `size` bytes.
pub(super) fn queue(size: usize) -> (Filler, Queued) {
    let (used, unused) = channel();
    let (filler, filled) = sync_channel(QUEUE);
    (Filler { size, unused, filled: filler }, Queued { filled, used, block: Vec::new(), at: 0 })
}

impl Filler {
    /// Hands on what `reader` has, to its end, its error, or until nobody reads any more. An error takes the place of
    /// the block that it broke.
    pub(super) fn run(&self, reader: &mut impl Read) {
        loop {
            let mut block = self.unused.try_recv().unwrap_or_default();
            block.resize(self.size, 0);
            let result = fill(reader, &mut block).map(|read| block.truncate(read)).map(|()| block);
            let is_last = !result.as_ref().is_ok_and(|block| block.len() == self.size);
            if self.filled.send(result).is_err() || is_last {
                return;
            }
        }
    }

    /// Hands on one error in place of everything.
    pub(super) fn fail(&self, error: io::Error) {
        // Whoever read may have ended.
        let _ = self.filled.send(Err(error));
    }
}

/// Fills the buffer; less than all of it only at the end.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A place between both ends, for a thread that only looks.
#[derive(Debug)]
pub(super) struct Tap {
    filled: Receiver<Filled>,
    passed: SyncSender<Filled>,
}

impl Tap {
    /// Shows each block to `look` before it goes on.
    pub(super) fn run(self, mut look: impl FnMut(&[u8])) {
        for result in self.filled {
            if let Ok(block) = &result {
                look(block);
            }
            if self.passed.send(result).is_err() {
                return;
            }
        }
    }
}

impl Queued {
    /// Puts a place in between.
    pub(super) fn tap(self) -> (Tap, Self) {
        let (passed, filled) = sync_channel(QUEUE);
        (Tap { filled: self.filled, passed }, Self { filled, ..self })
    }

    /// Whether the block at hand is used up, so that the next look takes another.
    pub(super) fn is_used_up(&self) -> bool {
        self.at >= self.block.len()
    }
}

impl BufRead for Queued {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.is_used_up() {
            let used = std::mem::take(&mut self.block);
            self.at = 0;
            if used.capacity() > 0 {
                // Whoever fills may have ended.
                let _ = self.used.send(used);
            }
            // A queue without a filler is at its end.
            self.block = self.filled.recv().unwrap_or_else(|_| Ok(Vec::new()))?;
        }
        Ok(self.block.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
    }
}

impl Read for Queued {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut from = self.fill_buf()?;
        let read = from.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
