//! SQLite's write-ahead log: pages that were changed and not yet put back. In: a database and its `-wal`. Out: the database as its last
//! transaction left it, in a journal mode that a database in memory can have. The format is that of sqlite.org/fileformat2.html, section 4.

use crate::error::Error;
use std::collections::BTreeMap;

const HEADER: usize = 32;
const FRAME: usize = 24;

/// Where a database's header says how it is written and read: 2 is by a write-ahead log, 1 is not (section 1.3.3).
const MODES: std::ops::Range<usize> = 18..20;

/// Puts the pages of a log into their database, which may get as long as `limit`. A log whose header is broken is an empty one, and what comes
/// after the last sound frame that ends a transaction was never committed: as SQLite reads it.
pub(super) fn apply(database: &mut Vec<u8>, log: &[u8], limit: u64) -> Result<(), Error> {
    if let Some(committed) = committed(log) {
        let own =
            database.get(16..18).and_then(|size| size.try_into().ok()).map(|size| match u16::from_be_bytes(size) {
                1 => 65536,
                size => usize::from(size),
            });
        if own.is_some_and(|own| own != committed.page_size) {
            return Err(Error::malformed("the database and its log have pages of different sizes"));
        }
        let length = committed.page_size.checked_mul(committed.pages).filter(|length| *length as u64 <= limit);
        let length =
            length.ok_or_else(|| Error::limit(format!("the database with its log has more than {limit} bytes")))?;
        database.resize(length, 0);
        for (page, data) in committed.frames {
            // A page after the new end was cut off again.
            let at = page
                .checked_mul(committed.page_size)
                .and_then(|at| database.get_mut(at..)?.get_mut(..committed.page_size));
            if let Some(at) = at {
                at.copy_from_slice(data);
            }
        }
    }
    if let Some(modes) = database.get_mut(MODES) {
        modes.fill(1);
    }
    Ok(())
}

/// What the transactions of a log left.
struct Committed<'a> {
    page_size: usize,
    /// Pages of the database.
    pages: usize,
    /// The newest data of each page that was changed, numbered from 0.
    frames: BTreeMap<usize, &'a [u8]>,
}

fn committed(log: &[u8]) -> Option<Committed<'_>> {
    let (header, mut rest) = log.split_at_checked(HEADER)?;
    let big_endian = match word(header, 0)? {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return None,
    };
    let page_size =
        usize::try_from(word(header, 8)?).ok().filter(|size| size.is_power_of_two() && (512..=65536).contains(size))?;
    let salts = header.get(16..24)?;
    let mut sum = checksum([0, 0], header.get(..24)?, big_endian)?;
    if word(header, 4)? != 3_007_000 || sum != [word(header, 24)?, word(header, 28)?] {
        return None;
    }
    let mut frames = BTreeMap::new();
    let mut open = BTreeMap::new();
    let mut pages = None;
    while let Some((frame, after)) = rest.split_at_checked(FRAME.checked_add(page_size)?) {
        let (head, data) = frame.split_at_checked(FRAME)?;
        sum = checksum(checksum(sum, head.get(..8)?, big_endian)?, data, big_endian)?;
        let page = usize::try_from(word(head, 0)?).ok()?.checked_sub(1);
        let Some(page) = page.filter(|_| {
            head.get(8..16) == Some(salts) && Some(sum) == word(head, 16).zip(word(head, 20)).map(|(a, b)| [a, b])
        }) else {
            break;
        };
        open.insert(page, data);
        let size = usize::try_from(word(head, 4)?).ok()?;
        if size > 0 {
            pages = Some(size);
            frames.append(&mut open);
        }
        rest = after;
    }
    pages.map(|pages| Committed { page_size, pages, frames })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_be_bytes(*word))
}

/// The log's running checksum over pairs of words.
fn checksum([mut first, mut second]: [u32; 2], bytes: &[u8], big_endian: bool) -> Option<[u32; 2]> {
    let read = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
    for pair in bytes.chunks_exact(8) {
        first = first.wrapping_add(read(*pair.first_chunk()?)).wrapping_add(second);
        second = second.wrapping_add(read(*pair.last_chunk()?)).wrapping_add(first);
    }
    Some([first, second])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;

    const LIMIT: u64 = 1 << 24;

    /// A database and its log, with the numbers that it shows; the last transaction is only in the log.
    fn logged() -> (Vec<u8>, Vec<u8>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "journal_mode", "wal").unwrap();
        connection
            .execute_batch("create table t(n integer); insert into t values (1); pragma wal_checkpoint(truncate);")
            .unwrap();
        connection.execute_batch("insert into t values (2); insert into t values (100), (200);").unwrap();
        (std::fs::read(&path).unwrap(), std::fs::read(directory.path().join("db-wal")).unwrap())
    }

    fn numbers(bytes: &[u8]) -> Result<Vec<i64>, rusqlite::Error> {
        let mut connection = Connection::open_in_memory()?;
        connection.deserialize_read_exact("main", bytes, bytes.len(), true)?;
        let mut statement = connection.prepare("select n from t order by n")?;
        statement.query_map([], |row| row.get(0))?.collect()
    }

    #[test]
    fn a_log_holds_what_the_database_does_not_say_yet() {
        let (mut database, log) = logged();
        let mut alone = database.clone();
        apply(&mut alone, b"", LIMIT).unwrap();
        assert_eq!(numbers(&alone).unwrap(), [1]);
        apply(&mut database, &log, LIMIT).unwrap();
        assert_eq!(numbers(&database).unwrap(), [1, 2, 100, 200]);
    }

    #[test]
    fn what_was_not_committed_is_not_there() {
        let (database, log) = logged();
        for cut in [1, 5000] {
            let mut database = database.clone();
            apply(&mut database, &log[..log.len() - cut], LIMIT).unwrap();
            let found = numbers(&database).unwrap();
            assert!(found == [1, 2] || found == [1], "{found:?}");
        }
        let mut flipped = log.clone();
        let at = flipped.len() - 100;
        flipped[at] ^= 1;
        let mut database = database.clone();
        apply(&mut database, &flipped, LIMIT).unwrap();
        assert_eq!(numbers(&database).unwrap(), [1, 2]);
    }

    #[test]
    fn a_log_cannot_ask_for_more_than_the_limit() {
        let (mut database, log) = logged();
        assert!(apply(&mut database, &log, 4096).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_log_makes_it_panic(at in 0usize..20_000, byte: u8, cut in 0usize..20_000) {
            let (mut database, mut log) = logged();
            let length = log.len();
            log[at % length] = byte;
            log.truncate(length - cut % length);
            let _ = apply(&mut database, &log, LIMIT);
        }
    }
}
