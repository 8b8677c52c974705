//! Rebuilding a damaged database from what can be read of it. The damaged file stays beside the new one.
//!
//! The database is read page by page into a new one. The old one is moved only when the new one is complete. If no chat's keys
//! can be read, nothing is rebuilt: without them you would be somebody else in every chat.
//!
//! A file `damaged` in the profile says what the next start has to do. If it is empty: rebuild (damage was found at a time when
//! that was not possible). If it has the name of a kept file in it: a new database was about to replace the old one.

mod pages;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};

use self::pages::Pages;
use self::tables::{Table, Value};
use super::profile::{DATABASE, Profile};
use super::scratch::Scratch;
use super::vault::Vault;
use super::{StoreError, archive, schema, writes};

/// The file that says what the next start has to do.
pub(super) const MARK: &str = "damaged";

/// The result of rebuilding a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Where the damaged database is now, with its log, if it had one, beside it.
    pub kept: PathBuf,
    /// Chats in the new one.
    pub chats: u32,
    /// Chats of which something could be read, but not their keys.
    pub lost_chats: u32,
    /// Messages in the new one.
    pub messages: u64,
}

impl fmt::Display for Rebuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: u64, thing| format!("{count} {thing}{}", if count == 1 { "" } else { "s" });
        write!(
            f,
            "The profile was damaged and was rebuilt from what could be read of it, {} and {}; the damaged file is kept \
             as {}.",
            counted(u64::from(self.chats), "chat"),
            counted(self.messages, "message"),
            self.kept.display()
        )?;
        if self.lost_chats > 0 {
            let lost = counted(u64::from(self.lost_chats), "chat");
            write!(
                f,
                " The keys of {lost} could not be read: ask there for an invite, or restore a backup."
            )?;
        }
        Ok(())
    }
}

/// Opens the database of a profile, after rebuilding it if it is damaged.
pub(super) fn open(profile: &Profile) -> Result<(Connection, Option<Rebuilt>), StoreError> {
    let io = |error: io::Error| StoreError::from_io(profile.folder(), &error);
    let database = profile.folder().join(DATABASE);
    let is_empty = fs::metadata(&database).map_or(true, |metadata| metadata.len() == 0);
    match read_mark(profile).map_err(io)? {
        // The damaged database was moved away to start afresh.
        Some(_) if is_empty => unmark(profile),
        Some(kept) if kept.is_empty() => {
            return rebuild(profile, &database, None, "it was found so when it was open last");
        }
        Some(kept) => {
            let kept = profile.folder().join(kept);
            if is_same(&kept, &database).unwrap_or(false) {
                let detail = "Throng ended while it was rebuilt";
                return rebuild(profile, &kept, Some(kept.clone()), detail);
            }
            // The new one is there already.
            unmark(profile);
        }
        None => {}
    }
    let opened = profile.connect().and_then(|connection| {
        let vault = Vault::load(&connection);
        vault.map_err(|error| StoreError::from_sqlite(profile.folder(), &error))?;
        Ok(connection)
    });
    match opened {
        Err(StoreError::Damaged { detail, .. }) => rebuild(profile, &database, None, &detail),
        opened => Ok((opened?, None)),
    }
}

/// Makes the next start rebuild the database, which was found to be damaged.
pub(super) fn mark(profile: &Profile) {
    // If the disk is full, the file is made when the damage is met again.
    if let Err(error) = fs::write(profile.folder().join(MARK), "") {
        tracing::warn!("that the database is damaged was not noted: {error}");
    }
}

fn read_mark(profile: &Profile) -> io::Result<Option<String>> {
    match fs::read_to_string(profile.folder().join(MARK)) {
        Ok(kept) => Ok(Some(kept)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn unmark(profile: &Profile) {
    // The next start looks at it again.
    let _ = fs::remove_file(profile.folder().join(MARK));
}

/// Makes a new database from the one in `source`, and replaces the profile's by it. `kept`: where the damaged one is, if it
/// was moved already.
fn rebuild(
    profile: &Profile,
    source: &Path,
    kept: Option<PathBuf>,
    detail: &str,
) -> Result<(Connection, Option<Rebuilt>), StoreError> {
    let folder = profile.folder();
    let io = |error: io::Error| StoreError::from_io(folder, &error);
    tracing::warn!("the database is damaged ({detail}) and is made anew of what can be read");
    let mut pages = Pages::open(source).map_err(io)?;
    if pages.version().is_some_and(schema::is_newer) {
        return Err(StoreError::NewerVersion {
            folder: folder.to_owned(),
        });
    }
    let new = Scratch::create(folder, "rebuild").map_err(io)?;
    let salvaged = salvage(&mut pages, new.path());
    let lost_chats = salvaged.map_err(|error| StoreError::from_sqlite(folder, &error))?;
    let lost_chats = lost_chats.ok_or_else(|| StoreError::KeysLost {
        folder: folder.to_owned(),
        detail: detail.to_owned(),
    })?;

    let kept = match kept {
        Some(kept) => kept,
        None => keep(profile).map_err(io)?,
    };
    let name = kept.file_name().unwrap_or_default().to_string_lossy();
    fs::write(folder.join(MARK), name.as_bytes()).map_err(io)?;
    profile.replace(new.path())?;
    unmark(profile);

    let connection = profile.connect()?;
    let count = |table| connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
    let counted = count("chat").and_then(|chats: i64| Ok((chats, count("message")?)));
    let (chats, messages): (i64, i64) = counted.map_err(|error| StoreError::from_sqlite(folder, &error))?;
    let rebuilt = Rebuilt {
        kept,
        chats: u32::try_from(chats).unwrap_or(u32::MAX),
        lost_chats,
        messages: messages.cast_unsigned(),
    };
    Ok((connection, Some(rebuilt)))
}

/// Keeps the damaged database and its log under an unused name, by a hard link, or by a copy where links don't work.
fn keep(profile: &Profile) -> io::Result<PathBuf> {
    let folder = profile.folder();
    let today = jiff::Zoned::now().date();
    let named = |number: u32| match number {
        1 => format!("{DATABASE}.damaged-{today}"),
        number => format!("{DATABASE}.damaged-{today}-{number}"),
    };
    let ends = ["", "-wal", "-shm"];
    let is_free = |name: &String| {
        ends.iter()
            .all(|end| !folder.join(format!("{name}{end}")).exists())
    };
    let name = (1..=u32::MAX)
        .map(named)
        .find(is_free)
        .ok_or(io::ErrorKind::AlreadyExists)?;
    let mut made = Vec::new();
    for end in ends {
        let (from, to) = (
            folder.join(format!("{DATABASE}{end}")),
            folder.join(format!("{name}{end}")),
        );
        if !from.exists() {
            continue;
        }
        let kept = fs::hard_link(&from, &to).or_else(|_| copy(&from, &to));
        made.push(to);
        if let Err(error) = kept {
            // The old one stays as it was, and not twice.
            for half in &made {
                let _ = fs::remove_file(half);
            }
            return Err(error);
        }
    }
    Ok(folder.join(name))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    // The mode is copied with it.
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    if fs::metadata(one)?.len() != fs::metadata(other)?.len() {
        return Ok(false);
    }
    let one = BufReader::new(File::open(one)?).bytes();
    let mut other = BufReader::new(File::open(other)?).bytes();
    for byte in one {
        if other.next().transpose()? != Some(byte?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Copies all rows that can be read into a new database. Returns of how many chats the keys are lost; `None` if of all.
fn salvage(pages: &mut Pages, database: &Path) -> rusqlite::Result<Option<u32>> {
    let mut connection = Connection::open(database)?;
    // It is thrown away unless it becomes complete, and synced then.
    connection.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    schema::migrate(&mut connection)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    let transaction = connection.transaction()?;
    let triggers = take_triggers(&transaction)?;
    let mut named_chats = BTreeSet::new();
    for number in 1..=pages.count() {
        for row in pages.rows(number) {
            let Some(columns) = row.columns() else { continue };
            if let Some(table) = tables::table_of(row.layout, &columns) {
                named_chats.extend(take_over(&transaction, table, row.key, &columns)?);
            }
        }
    }
    transaction.execute_batch(MEND)?;
    schema::fill_places(&transaction)?;
    let held: BTreeSet<i64> = transaction
        .prepare("SELECT key FROM chat")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    if held.is_empty() {
        return Ok(None);
    }
    count_hours(&transaction)?;
    triggers
        .iter()
        .try_for_each(|sql| transaction.execute_batch(sql))?;
    for index in ["message_text", "message_end"] {
        transaction.execute_batch(&format!("INSERT INTO {index} ({index}) VALUES ('rebuild')"))?;
    }
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    let lost = named_chats.difference(&held).count();
    Ok(Some(u32::try_from(lost).unwrap_or(u32::MAX)))
}

/// Drops the triggers, and returns the SQL that brings them back. Words are indexed at the end, all at once, which is far
/// faster than in the order of the pages.
fn take_triggers(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let triggers: Vec<(String, String)> = connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (name, _) in &triggers {
        connection.execute_batch(&format!("DROP TRIGGER {name}"))?;
    }
    Ok(triggers.into_iter().map(|(_, sql)| sql).collect())
}

/// Inserts a row into its table. Returns the number of the chat that it is about.
fn take_over(
    connection: &Connection,
    table: &Table,
    key: i64,
    row: &[ValueRef<'_>],
) -> rusqlite::Result<Option<i64>> {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    let mut chat = (table.name == "chat").then_some(key);
    for (column, value) in table.columns.iter().zip(row) {
        match (column.value, *value) {
            (Value::Dropped, _) => continue,
            (Value::Key, _) => values.push(ValueRef::Integer(key)),
            (_, value) => values.push(value),
        }
        names.push(column.name);
        if let ("chat", ValueRef::Integer(number)) = (column.name, *value) {
            chat = Some(number);
        }
    }
    let places = vec!["?"; names.len()].join(", ");
    let sql = format!(
        "INSERT OR IGNORE INTO {} ({}) VALUES ({places})",
        table.name,
        names.join(", ")
    );
    connection
        .prepare_cached(&sql)?
        .execute(params_from_iter(values.iter().map(ToSqlRef)))?;
    Ok(chat)
}

/// A value as it was read, to be written.
struct ToSqlRef<'a>(&'a ValueRef<'a>);

impl rusqlite::ToSql for ToSqlRef<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(rusqlite::types::ToSqlOutput::Borrowed(*self.0))
    }
}

/// Removes or repairs rows that depend on something lost: chats whose secrets are not valid or sealed by a lost key; rows of
/// chats that are not there; read marks on messages that are not there; fragments whose first one is not there, which wait
/// for it. And fills in what versions before the archive did not have.
const MEND: &str = "
    DELETE FROM chat WHERE NOT EXISTS (SELECT 1 FROM profile_key)
        AND (length(chat_seed) <> 32 OR length(member_seed) <> 32 OR length(rendezvous) <> 16);
    DELETE FROM member WHERE chat NOT IN (SELECT key FROM chat);
    DELETE FROM peer WHERE chat NOT IN (SELECT key FROM chat);
    DELETE FROM invite WHERE chat NOT IN (SELECT key FROM chat);
    DELETE FROM tab WHERE chat NOT IN (SELECT key FROM chat);
    DELETE FROM fact WHERE chat NOT IN (SELECT key FROM chat);
    DELETE FROM ignored WHERE chat NOT IN (SELECT key FROM chat);
    DELETE FROM part WHERE chat NOT IN (SELECT key FROM chat);
    DELETE FROM message WHERE chat NOT IN (SELECT key FROM chat);
    UPDATE message SET hlc = substr(signed, 37, 8) WHERE hlc IS NULL AND length(signed) >= 44;
    UPDATE chat SET read_message = (
        SELECT max(message.key) FROM message WHERE message.chat = chat.key AND message.key <= chat.read_message);
    UPDATE part SET complete = 0;
    UPDATE part SET complete = 1 FROM message
        WHERE message.chat = part.chat AND message.client_id = part.client_id AND message.number = part.first;";

/// Counts the messages and fragments of every hour.
fn count_hours(connection: &Connection) -> rusqlite::Result<()> {
    let mut hours: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for sql in [
        "SELECT chat, signed, length(CAST(text AS BLOB)), at_ms FROM message",
        "SELECT chat, signed, 0, 0 FROM part",
    ] {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let signed = row.get_ref(1)?.as_blob()?;
            let hour = writes::hour(archive::hlc_of(signed), row.get(3)?);
            let bytes = row.get::<_, i64>(2)? + i64::try_from(signed.len()).unwrap_or(i64::MAX);
            let held = hours.entry((row.get(0)?, hour)).or_default();
            *held = held.saturating_add(bytes);
        }
    }
    let mut insert = connection.prepare("INSERT INTO hour (chat, hour, bytes) VALUES (?1, ?2, ?3)")?;
    for ((chat, hour), bytes) in hours {
        insert.execute([chat, hour, bytes])?;
    }
    Ok(())
}
