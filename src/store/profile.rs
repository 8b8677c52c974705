//! The folder of a profile: making it, locking it, and opening the database in it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{StoreError, schema, scratch};

/// The names of the files. SQLite adds `-wal` and `-shm` to the database's, and gives them its mode.
pub(super) const DATABASE: &str = "throng.db";
pub(super) const LOCK: &str = "lock";
/// Where the runtime listens for later starts with this profile.
pub const SOCKET: &str = "throng.sock";

/// A profile that no other program can open while this exists.
#[derive(Debug)]
pub(super) struct Profile {
    folder: PathBuf,
    /// The lock ends when this is closed, also if the program dies.
    _lock: File,
}

impl Profile {
    /// Makes the folder if necessary, and takes the lock.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let io = |error| StoreError::from_io(folder, &error);
        make_private_folder(folder).map_err(io)?;
        let lock = open_private_file(&folder.join(LOCK)).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {
                scratch::remove_all(folder).map_err(io)?;
                Ok(Self {
                    folder: folder.to_owned(),
                    _lock: lock,
                })
            }
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
                folder: folder.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The size of the database in bytes, without its log.
    pub(super) fn database_len(&self) -> io::Result<u64> {
        Ok(fs::metadata(self.folder.join(DATABASE))?.len())
    }

    /// Opens the database and migrates it to the newest version. A database that is refused keeps every byte.
    pub(super) fn connect(&self) -> Result<Connection, StoreError> {
        let sqlite = |error| StoreError::from_sqlite(&self.folder, &error);
        let path = self.folder.join(DATABASE);
        // We make the file, since SQLite would make it readable for others.
        open_private_file(&path).map_err(|error| StoreError::from_io(&self.folder, &error))?;
        self.guard_log_files()
            .map_err(|error| StoreError::from_io(&self.folder, &error))?;

        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags).map_err(sqlite)?;
        // On closing, SQLite would write what a crash left in the log into the database. A refused one must not change.
        let log_is_there = self.log_files().any(|log| log.exists());
        hold_log_back(&connection, log_is_there).map_err(sqlite)?;
        schema::check(&connection, &self.folder)?;
        hold_log_back(&connection, false).map_err(sqlite)?;

        configure(&connection).map_err(sqlite)?;
        schema::migrate(&mut connection).map_err(sqlite)?;
        Ok(connection)
    }

    /// Checks all of a database that is to replace this profile's, and migrates it to the newest version.
    pub(super) fn prepare(&self, database: &Path) -> Result<(), StoreError> {
        let sqlite = |error| StoreError::from_sqlite(&self.folder, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(database, flags).map_err(sqlite)?;
        schema::check(&connection, &self.folder)?;
        schema::check_all(&connection, &self.folder)?;
        configure(&connection).map_err(sqlite)?;
        schema::migrate(&mut connection).map_err(sqlite)?;
        // Without its log it is one file, which can be moved.
        connection
            .pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
            .map_err(sqlite)?;
        connection.close().map_err(|(_, error)| sqlite(error))
    }

    /// Replaces this profile's database, which nobody has open, by another.
    pub(super) fn replace(&self, database: &Path) -> Result<(), StoreError> {
        let io = |error| StoreError::from_io(&self.folder, &error);
        // A log belongs to the database for which it was written, and to no other.
        for log in self.log_files().filter(|log| log.exists()) {
            fs::remove_file(log).map_err(io)?;
        }
        File::open(database)
            .and_then(|file| file.sync_all())
            .map_err(io)?;
        fs::rename(database, self.folder.join(DATABASE)).map_err(io)?;
        // A power cut must not bring the old one back. Where a folder can't be synced, it may.
        let _ = File::open(&self.folder).and_then(|folder| folder.sync_all());
        Ok(())
    }

    fn log_files(&self) -> impl Iterator<Item = PathBuf> {
        ["-wal", "-shm"]
            .map(|end| self.folder.join(format!("{DATABASE}{end}")))
            .into_iter()
    }

    /// For a folder that was copied without its modes; new ones get the database's.
    fn guard_log_files(&self) -> io::Result<()> {
        for log in self.log_files().filter(|log| log.exists()) {
            take_rights_from_others(&log)?;
        }
        Ok(())
    }
}

fn hold_log_back(connection: &Connection, hold: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, hold)?;
    Ok(())
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // With the log, a commit is one append. SQLite answers with the mode that it then has.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Deleted data is overwritten with zeros, and nothing is written to the system's temporary folder.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Find damage before following it.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Makes the folder for its user alone. An empty folder that was there becomes private too. One with other files is left as
/// it is, since `--profile` may have named any folder.
fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    if fs::read_dir(folder)?.next().is_none() {
        take_rights_from_others(folder)?;
    }
    Ok(())
}

/// Opens a file to read and write, and makes it if necessary, for its user alone.
fn open_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    take_rights_from_others(path)?;
    Ok(file)
}

/// Takes away the rights of others, and leaves our own as they are: a file that its user made read-only stays so.
#[cfg(unix)]
fn take_rights_from_others(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        fs::set_permissions(path, PermissionsExt::from_mode(mode & 0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn take_rights_from_others(_path: &Path) -> io::Result<()> {
    Ok(()) // The profile lies in a folder that the system keeps for its user.
}
