//! The schema of the database: numbered migrations, and the refusal of anything that they can't have made.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::{StoreError, writes};

/// Each migration takes the database from the version that is its index here to the next, in a transaction of its own. A
/// released migration is never changed; add another one.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_moderation.sql"),
    include_str!("migrations/0003_archive.sql"),
    include_str!("migrations/0004_passphrase.sql"),
    include_str!("migrations/0005_search.sql"),
    include_str!("migrations/0006_order.sql"),
    include_str!("migrations/0007_short_words.sql"),
    include_str!("migrations/0008_hearsay.sql"),
];

/// How far an author's clock may have been ahead when the message came to decide its position. The node's bound.
pub(super) const BELIEVED_AHEAD_MS: i64 = 120_000;

/// The migration after which hours are filled: hlc are numbers for us alone.
const ARCHIVE: u32 = 3;

/// The migration after which places are filled in, and then indexed.
const ORDER: u32 = 6;

/// "Thro", as the first migration sets it.
const APPLICATION_ID: u32 = 0x5468_726F;

/// Checks that the database is empty or one of ours, that we know its version, and that its small tables are sound. Writes
/// nothing. (Reading all messages would take too long at a start. Damage among them shows when they are read.)
pub(super) fn check(connection: &Connection, folder: &Path) -> Result<(), StoreError> {
    let sqlite = |error| StoreError::from_sqlite(folder, &error);
    let damaged = |detail: String| StoreError::Damaged {
        folder: folder.to_owned(),
        detail,
    };

    let application_id: u32 = pragma(connection, "application_id").map_err(sqlite)?;
    let version = version(connection).map_err(sqlite)?;
    let tables = checkable_tables(connection).map_err(sqlite)?;
    if application_id == 0 && version == 0 && tables.is_empty() {
        return Ok(());
    }
    if application_id != APPLICATION_ID {
        return Err(damaged("the database is another program's".to_owned()));
    }
    if version > MIGRATIONS.len() {
        return Err(StoreError::NewerVersion {
            folder: folder.to_owned(),
        });
    }
    for table in tables {
        let verdict: String = connection
            .query_row(&format!("PRAGMA quick_check({table})"), [], |row| row.get(0))
            .map_err(sqlite)?;
        if verdict != "ok" {
            return Err(damaged(verdict));
        }
    }
    Ok(())
}

/// Whether a database with this version is from a newer program.
pub(super) fn is_newer(version: u32) -> bool {
    usize::try_from(version).map_or(true, |version| version > MIGRATIONS.len())
}

/// Checks all of a database from elsewhere that passed [`check`].
pub(super) fn check_all(connection: &Connection, folder: &Path) -> Result<(), StoreError> {
    let sqlite = |error| StoreError::from_sqlite(folder, &error);
    // An empty database is no backup.
    let verdict: String = if version(connection).map_err(sqlite)? == 0 {
        "there is nothing in it".to_owned()
    } else {
        connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(sqlite)?
    };
    if verdict == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged {
            folder: folder.to_owned(),
            detail: verdict,
        })
    }
}

/// Migrates a database that passed [`check`] to the newest version.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let done = version(connection)?;
    for (number, migration) in (1_u32..).zip(MIGRATIONS).skip(done) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        if number == ARCHIVE {
            fill_hours(&transaction)?;
        }
        if number == ORDER {
            fill_places(&transaction)?;
            transaction.execute_batch(include_str!("migrations/0006_order_indexes.sql"))?;
        }
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Counts what every hour holds.
fn fill_hours(connection: &Connection) -> rusqlite::Result<()> {
    let mut hours: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    let mut statement = connection
        .prepare("SELECT chat, hlc, at_ms, length(CAST(text AS BLOB)) + length(signed) FROM message")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let hlc = row.get::<_, Option<[u8; 8]>>(1)?.map(u64::from_be_bytes);
        let hour = writes::hour(hlc, row.get(2)?);
        *hours.entry((row.get(0)?, hour)).or_default() += row.get::<_, i64>(3)?;
    }
    let mut insert = connection.prepare("INSERT INTO hour (chat, hour, bytes) VALUES (?1, ?2, ?3)")?;
    for ((chat, hour), bytes) in hours {
        insert.execute(params![chat, hour, bytes])?;
    }
    Ok(())
}

/// Gives a position to messages that have none yet: by the author's clock, unless it was too far ahead to be believed.
pub(super) fn fill_places(connection: &Connection) -> rusqlite::Result<()> {
    let mut unplaced = connection.prepare(
        "SELECT key, hlc, at_ms, number FROM message WHERE key > ?1 AND place = 0 ORDER BY key LIMIT 1000",
    )?;
    let mut set = connection.prepare("UPDATE message SET place = ?2 WHERE key = ?1")?;
    let mut after = i64::MIN;
    loop {
        let rows: Vec<(i64, i64)> = unplaced
            .query_map([after], |row| {
                let hlc = row.get::<_, Option<[u8; 8]>>(1)?.map(i64::from_be_bytes);
                let (at_ms, number): (i64, i64) = (row.get(2)?, row.get(3)?);
                let by_time = at_ms.max(0) << 16 | number.clamp(0, 0xFFFF);
                let believed = hlc.filter(|hlc| *hlc >> 16 <= at_ms.saturating_add(BELIEVED_AHEAD_MS));
                Ok((row.get(0)?, believed.unwrap_or(by_time)))
            })?
            .collect::<rusqlite::Result<_>>()?;
        for row in &rows {
            set.execute([row.0, row.1])?;
            after = row.0;
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}

/// How many migrations the database has had. A negative number, which none of ours leaves, counts as a newer version.
fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: i64 = pragma(connection, "user_version")?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn pragma<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<T> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// All tables except those with messages, whose size has no bound. Names that need quotes are not ours.
fn checkable_tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'message*' AND name <> 'part' \
               AND name NOT GLOB '*[^a-z_]*' ORDER BY name";
    connection
        .prepare(sql)?
        .query_map([], |row| row.get(0))?
        .collect()
}
