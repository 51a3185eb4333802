//! A SQLite database that anyone may have made, in memory. In: its bytes. Out: a connection on which only our own statements run, and which ends
//! them when they take longer than its size can explain.
//!
//! It opens no file: the database is deserialised, journals and temporary tables are in memory. The schema may hold nothing that computes.

use crate::error::{Error, ErrorKind, escape};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ffi};

/// Bytes of one value. A header takes 330 bytes for each file of its package (measured on Mariner 2): room for 200,000.
const VALUE: i32 = 64 << 20;

/// How many of SQLite's instructions pass between two looks at the count.
const STEP: i32 = 100_000;

/// Instructions that each byte of a database may cost. To check Mariner's 124 packages in 3.4 MB, read them, and rebuild the database without
/// half of them costs less than one.
const BY_BYTE: u64 = 16;

/// Instructions that any database may cost.
const LEAST: u64 = 10_000_000;

/// Opens a database from its bytes, with any log already put back, and checks it: what it says of its tables is read by `is_known` first.
pub(super) fn open(bytes: &[u8], is_known: impl Fn(&Entry) -> bool) -> Result<Connection, Error> {
    if !bytes.starts_with(b"SQLite format 3\0") {
        return Err(Error::malformed("it is no SQLite database"));
    }
    let connection = prepare(bytes).map_err(broken)?;
    for entry in schema(&connection).map_err(broken)? {
        if !is_known(&entry) {
            let shown = escape(entry.name.get(..100).unwrap_or(&entry.name).as_bytes());
            return Err(Error::unsupported(format!(
                "its {} \"{shown}\" is not one that the format knows",
                entry.kind.text()
            )));
        }
    }
    // Each page once, by the tree's own links: a tree that refers to a page twice could be walked for ever.
    let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(broken)?;
    if check != "ok" {
        return Err(Error::malformed(format!("SQLite finds it broken: {}", shown(&check))));
    }
    Ok(connection)
}

fn prepare(bytes: &[u8]) -> Result<Connection, rusqlite::Error> {
    let mut connection = Connection::open_in_memory()?;
    for (config, is_on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false),
    ] {
        connection.set_db_config(config, is_on)?;
    }
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE)?;
    let mut left = (bytes.len() as u64).saturating_mul(BY_BYTE).saturating_add(LEAST);
    let ends = move || {
        left = left.saturating_sub(u64::from(STEP.unsigned_abs()));
        left == 0
    };
    connection.progress_handler(STEP, Some(ends))?;
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;")?;
    connection.deserialize_read_exact("main", bytes, bytes.len(), false)?;
    connection.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(()))?;
    Ok(connection)
}

/// What an entry of the schema is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A table.
    Table,
    /// An index.
    Index,
    /// A view, a trigger, or what a later SQLite has.
    Other,
}

impl Kind {
    fn text(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Index => "index",
            Self::Other => "view or trigger",
        }
    }
}

/// An entry of the schema.
#[derive(Debug)]
pub(super) struct Entry {
    /// What it is.
    pub(super) kind: Kind,
    /// Its name.
    pub(super) name: String,
    /// The table that it belongs to.
    pub(super) table: String,
    /// The statement that made it, in lower case, without white space and quotes; empty for an index that SQLite made itself.
    pub(super) made_by: String,
}

/// All entries of the schema.
pub(super) fn schema(connection: &Connection) -> Result<Vec<Entry>, rusqlite::Error> {
    let mut statement = connection.prepare("SELECT type, name, tbl_name, sql FROM main.sqlite_master")?;
    let entries = statement.query_map([], |row| {
        let kind = match row.get_ref(0)?.as_str()? {
            "table" => Kind::Table,
            "index" => Kind::Index,
            _ => Kind::Other,
        };
        let made_by: Option<String> = row.get(3)?;
        Ok(Entry { kind, name: row.get(1)?, table: row.get(2)?, made_by: plain(&made_by.unwrap_or_default()) })
    })?;
    entries.collect()
}

/// A statement in lower case, without white space and quotes.
pub(super) fn plain(statement: &str) -> String {
    let is_left = |c: &char| !c.is_ascii_whitespace() && !matches!(c, '\'' | '"' | '`' | '[' | ']');
    statement.chars().filter(is_left).map(|c| c.to_ascii_lowercase()).collect()
}

/// SQLite's error as one of ours.
pub(super) fn broken(error: rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ffi::ErrorCode::OperationInterrupted | ffi::ErrorCode::TooBig | ffi::ErrorCode::OutOfMemory) => {
            ErrorKind::Limit
        }
        _ => ErrorKind::Malformed,
    };
    Error::new(kind, format!("SQLite finds it broken: {}", shown(&error.to_string())))
}

/// The start of a message, which may quote the database.
fn shown(message: &str) -> String {
    escape(message.as_bytes().get(..160).unwrap_or(message.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(statements: &str) -> Vec<u8> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(statements).unwrap();
        connection.serialize("main").unwrap().to_vec()
    }

    #[test]
    fn what_the_format_does_not_know_is_not_looked_at() {
        let bytes = bytes("create table t(n); create trigger evil after delete on t begin delete from t; end;");
        let error = open(&bytes, |entry| entry.kind == Kind::Table).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.to_string(), "its view or trigger \"evil\" is not one that the format knows");
    }

    #[test]
    fn a_statement_is_compared_without_its_spelling() {
        let bytes = bytes("CREATE TABLE IF NOT EXISTS 'Name' (key 'TEXT' NOT NULL,\n hnum INTEGER)");
        let connection = open(&bytes, |_| true).unwrap();
        assert_eq!(schema(&connection).unwrap()[0].made_by, "createtablename(keytextnotnull,hnuminteger)");
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let connection = open(&bytes("create table t(n)"), |_| true).unwrap();
        let count = "with recursive c(n) as (select 1 union all select n + 1 from c) select count(*) from c";
        let error = connection.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap_err();
        assert_eq!(broken(error).kind(), ErrorKind::Limit);
    }

    #[test]
    fn a_page_that_two_trees_share_is_found() {
        let whole = bytes("create table a(n); create table b(n); insert into a values (1); insert into b values (2);");
        let connection = Connection::open_in_memory().unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
        let mut connection = connection;
        connection.deserialize_read_exact("main", &whole[..], whole.len(), false).unwrap();
        connection.execute_batch("pragma writable_schema = on; update sqlite_master set rootpage = 2").unwrap();
        let shared = connection.serialize("main").unwrap().to_vec();
        assert_eq!(open(&shared, |_| true).unwrap_err().kind(), ErrorKind::Malformed);
        assert_eq!(open(b"nonsense", |_| true).unwrap_err().kind(), ErrorKind::Malformed);
    }
}
