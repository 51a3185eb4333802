//! The tables of rpm's database. In: a connection. Out: the header of each package, or the bytes of a database without some.
//!
//! Only tables that rpm makes are known, by their statements (`lib/backend/sqlite.cc` of rpm 4.16 to 6.0): they compute nothing.

use super::sqlite::{self, Entry, Kind, broken, plain};
use crate::error::Error;
use rusqlite::Connection;

/// The database of these bytes, if it is one of rpm's.
pub(super) fn open(bytes: &[u8]) -> Result<Connection, Error> {
    sqlite::open(bytes, is_known)
}

fn is_known(entry: &Entry) -> bool {
    let Entry { kind, name, table, made_by } = entry;
    let statements = match kind {
        Kind::Other => return false,
        Kind::Index if made_by.is_empty() => return true,
        Kind::Index => ["key", "hnum"].map(|column| format!("CREATE INDEX {name} ON {table} ({column} ASC)")).to_vec(),
        Kind::Table => match name.as_str() {
            "Packages" => {
                vec!["CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)".into()]
            }
            "sqlite_sequence" => vec!["CREATE TABLE sqlite_sequence (name, seq)".into()],
            "sqlite_stat1" => vec!["CREATE TABLE sqlite_stat1 (tbl, idx, stat)".into()],
            "sqlite_stat4" => vec!["CREATE TABLE sqlite_stat4 (tbl, idx, neq, nlt, ndlt, sample)".into()],
            name => ["TEXT", "BLOB"].map(|key| index_table(name, key)).to_vec(),
        },
    };
    is_word(name) && is_word(table) && statements.iter().any(|statement| plain(statement) == *made_by)
}

fn index_table(name: &str, key: &str) -> String {
    let columns = "hnum INTEGER NOT NULL, idx INTEGER NOT NULL, FOREIGN KEY (hnum) REFERENCES Packages (hnum)";
    format!("CREATE TABLE {name} (key {key} NOT NULL, {columns})")
}

/// Whether a name is what a tag is called, so that it may stand in a statement.
fn is_word(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Hands out the number and the header of each package, in the order of their numbers.
pub(super) fn each(
    connection: &Connection,
    mut visit: impl FnMut(i64, &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut statement = connection.prepare("SELECT hnum, blob FROM main.Packages ORDER BY hnum").map_err(broken)?;
    let mut rows = statement.query([]).map_err(broken)?;
    let wrong = || Error::malformed("a row of its table Packages is no package");
    while let Some(row) = rows.next().map_err(broken)? {
        let number: i64 = row.get(0).map_err(broken)?;
        let value = row.get_ref(1).map_err(broken)?;
        visit(number, value.as_bytes().map_err(|_| wrong())?)?;
    }
    Ok(())
}

/// The database without the packages of these numbers, packed anew.
pub(super) fn without(connection: &Connection, numbers: &[i64]) -> Result<Vec<u8>, Error> {
    let remove = || -> Result<Vec<u8>, rusqlite::Error> {
        connection.execute_batch("BEGIN; CREATE TEMP TABLE gone (number INTEGER PRIMARY KEY);")?;
        {
            let mut insert = connection.prepare("INSERT INTO temp.gone VALUES (?1)")?;
            for number in numbers {
                insert.execute([number])?;
            }
        }
        // `Packages` last: the others refer to it.
        let tables = sqlite::schema(connection)?.into_iter().filter(|entry| entry.kind == Kind::Table);
        let (packages, indexes): (Vec<Entry>, Vec<Entry>) =
            tables.filter(|entry| !entry.name.starts_with("sqlite_")).partition(|entry| entry.name == "Packages");
        for table in indexes.iter().chain(&packages) {
            let name = &table.name;
            connection
                .execute(&format!("DELETE FROM main.'{name}' WHERE hnum IN (SELECT number FROM temp.gone)"), [])?;
        }
        connection.execute_batch("COMMIT; VACUUM;")?;
        Ok(connection.serialize("main")?.to_vec())
    };
    remove().map_err(broken)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// A database of rpm with these headers, and an index table that names each package.
    pub(in super::super) fn database(headers: &[Vec<u8>]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        make(&connection, headers);
        connection
    }

    pub(in super::super) fn make(connection: &Connection, headers: &[Vec<u8>]) {
        let index = index_table("'Name'", "'TEXT'").replace("Packages", "'Packages'");
        connection
            .execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL);\n\
                 {index}; CREATE INDEX IF NOT EXISTS 'Name_key_idx' ON 'Name'(key ASC); ANALYZE;"
            ))
            .unwrap();
        for header in headers {
            connection.execute("INSERT INTO Packages (blob) VALUES (?1)", [header]).unwrap();
            connection
                .execute("INSERT INTO Name VALUES ('x', ?1, 0), ('y', ?1, 1)", [connection.last_insert_rowid()])
                .unwrap();
        }
    }

    fn bytes(connection: &Connection) -> Vec<u8> {
        connection.serialize("main").unwrap().to_vec()
    }

    fn numbers(connection: &Connection) -> Vec<i64> {
        let mut numbers = Vec::new();
        each(connection, |number, _| {
            numbers.push(number);
            Ok(())
        })
        .unwrap();
        numbers
    }

    #[test]
    fn a_package_leaves_every_table() {
        let full = bytes(&database(&[vec![b'a'; 20_000], vec![b'b'; 20_000], vec![b'c'; 10]]));
        let less = without(&open(&full).unwrap(), &[1, 2]).unwrap();
        assert!(less.len() < full.len() - 30_000, "the pages are given back");
        assert!(!less.windows(100).any(|window| window == [b'b'; 100]));
        let connection = open(&less).unwrap();
        assert_eq!(numbers(&connection), [3]);
        let left: i64 = connection.query_row("select count(*) from Name", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 2);
        assert_eq!(without(&open(&full).unwrap(), &[1, 2]).unwrap(), less, "the same bytes each time");
    }

    #[test]
    fn a_table_that_rpm_did_not_make_is_refused() {
        for statement in [
            "create table Other (key text not null, hnum integer not null, idx integer default (randomblob(9)))",
            "create table Other (n, v as (zeroblob(1000000000)))",
            "create view Other as select * from Packages",
            "create trigger Other after delete on Packages begin delete from Name; end",
            "create index Other on Name (abs(hnum))",
        ] {
            let connection = database(&[]);
            connection.execute_batch(statement).unwrap();
            assert_eq!(open(&bytes(&connection)).unwrap_err().kind(), ErrorKind::Unsupported, "{statement}");
        }
        assert!(open(&bytes(&database(&[]))).is_ok());
    }

    #[test]
    fn a_database_without_packages_is_no_database_of_rpm() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                &index_table("Name", "TEXT").replace("REFERENCES Packages (hnum)", "REFERENCES 'Packages'(hnum)"),
            )
            .unwrap();
        let opened = open(&bytes(&connection)).unwrap();
        assert!(each(&opened, |_, _| Ok(())).is_err());
    }
}
