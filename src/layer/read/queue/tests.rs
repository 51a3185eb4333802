//! Queued between two threads.

use super::*;
use std::thread;

/// Gives odd numbers of bytes at once, then an error if it has one.
struct Uneven<'a>(&'a [u8], Option<io::Error>);

impl Read for Uneven<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.len().min(buffer.len()).min(7);
        if read == 0 {
            return self.1.take().map_or(Ok(0), Err);
        }
        self.0.read(&mut buffer[..read])
    }
}

fn run(bytes: &[u8], error: Option<io::Error>) -> (Vec<u8>, Vec<u8>, io::Result<usize>) {
    let (filler, blocks) = queue(16);
    let (tap, mut blocks) = blocks.tap();
    thread::scope(|scope| {
        scope.spawn(move || filler.run(&mut Uneven(bytes, error)));
        let seen = scope.spawn(move || {
            let mut seen = Vec::new();
            tap.run(|bytes| seen.extend_from_slice(bytes));
            seen
        });
        let mut read = Vec::new();
        let result = blocks.read_to_end(&mut read);
        (read, seen.join().unwrap(), result)
    })
}

#[test]
fn every_byte_arrives_once_and_is_seen_on_its_way() {
    let bytes: Vec<u8> = (0..=255).collect();
    for len in [0, 1, 15, 16, 17, 160, 255] {
        let (read, seen, result) = run(&bytes[..len], None);
        assert_eq!((read.as_slice(), seen.as_slice(), result.unwrap()), (&bytes[..len], &bytes[..len], len));
    }
}

#[test]
fn an_error_comes_after_the_whole_blocks_before_it() {
    let bytes = [5; 40];
    let (read, seen, result) = run(&bytes, Some(io::Error::other("the disk is gone")));
    assert_eq!((read.len(), seen.len(), result.unwrap_err().to_string().as_str()), (32, 32, "the disk is gone"));
}

#[test]
fn a_reader_that_ends_early_ends_the_stages_before_it() {
    let (filler, blocks) = queue(16);
    let (tap, mut blocks) = blocks.tap();
    thread::scope(|scope| {
        scope.spawn(move || filler.run(&mut io::repeat(1)));
        scope.spawn(move || tap.run(|_| ()));
        assert_eq!(blocks.fill_buf().unwrap(), [1; 16]);
        drop(blocks); // or the scope never ends
    });
}

#[test]
fn the_memory_of_a_block_is_used_again() {
    let (filler, mut blocks) = queue(16);
    let (mut places, bytes) = (Vec::new(), [0; 16 * 100]);
    thread::scope(|scope| {
        scope.spawn(move || filler.run(&mut &bytes[..]));
        while let Ok([_, ..]) = blocks.fill_buf() {
            places.push(blocks.block.as_ptr() as usize);
            blocks.consume(16);
        }
    });
    assert_eq!(places.len(), 100);
    places.sort_unstable();
    places.dedup();
    // Those that wait, the one that is read, the one that is filled, and one whose return crossed with it.
    assert!(places.len() <= QUEUE + 3, "{}", places.len());
}
