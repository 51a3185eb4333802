//! An output file that is written out to the disk while it still grows, so that little is left to sync at its end.
//!
//! In: how many bytes were written. Out: nothing but the error of an early sync, which the disk tells only once. It
//! takes nothing from the sync at the end, which comes all the same.

use super::tar::writing;
use crate::error::{Error, ErrorKind};
use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// So many new bytes are worth a sync of their own; smaller outputs have none.
const STEP: usize = 64 << 20;

/// Syncs a file now and then, on a thread of its own.
#[derive(Debug, Default)]
pub(super) struct Writeback {
    /// Bytes since the last sync began.
    fresh: usize,
    thread: Option<Thread>,
}

#[derive(Debug)]
struct Thread {
    wishes: SyncSender<()>,
    handle: JoinHandle<io::Result<()>>,
}

impl Writeback {
    /// Takes note of bytes that were written into `file`, which is always the same.
    pub(super) fn wrote(&mut self, bytes: usize, file: &File) {
        self.fresh = self.fresh.saturating_add(bytes);
        if self.fresh < STEP {
            return;
        }
        if self.thread.is_none() {
            // Without a thread all is synced at the end.
            self.thread = start(file).ok();
        }
        // One that is still busy is asked again with the next bytes.
        if self.thread.as_ref().is_some_and(|thread| thread.wishes.try_send(()).is_ok()) {
            self.fresh = 0;
        }
    }

    /// Waits for the last early sync.
    ///
    /// Errors: that of any of them.
    pub(super) fn finish(self) -> Result<(), Error> {
        let Some(Thread { wishes, handle }) = self.thread else { return Ok(()) };
        drop(wishes);
        let broke = |_| Error::new(ErrorKind::Io, "the thread that syncs the output broke off");
        handle.join().map_err(broke)?.map_err(writing)
    }
}

fn start(file: &File) -> io::Result<Thread> {
    let file = file.try_clone()?;
    let (wishes, wished) = sync_channel(0);
    let run = move || wished.into_iter().try_for_each(|()| file.sync_data());
    let handle = Builder::new().name("sync".into()).spawn(run)?;
    Ok(Thread { wishes, handle })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_needs_no_thread_and_a_large_one_gets_one() {
        let file = tempfile::tempfile().unwrap();
        let mut writeback = Writeback::default();
        writeback.wrote(STEP - 1, &file);
        assert!(writeback.thread.is_none());
        writeback.wrote(1, &file);
        assert!(writeback.thread.is_some());
        assert!(writeback.finish().is_ok());
    }

    #[test]
    fn the_error_of_an_early_sync_is_not_lost() {
        let (not_a_disk, _other) = io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(not_a_disk));
        let mut writeback = Writeback::default();
        while writeback.thread.as_ref().is_none_or(|thread| !thread.handle.is_finished()) {
            writeback.wrote(STEP, &file);
        }
        assert_eq!(writeback.finish().unwrap_err().kind(), ErrorKind::Io);
    }
}
