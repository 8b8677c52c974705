//! The database as a whole: a copy of it for a backup, one from a backup in its place, and the passphrase.

use std::mem;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::scratch::Scratch;
use super::vault::{Lock, Vault};
use super::worker::Worker;
use super::{Store, StoreError};
use crate::model::Passphrase;

/// Up to this size, in bytes, the database is written anew when its keys are sealed, which takes as much memory. A larger one
/// goes without; what is deleted is overwritten there, too. A guess.
const MAX_REBUILD_LEN: u64 = 512 << 20;

impl Store {
    /// Whether the profile's keys can be read.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub async fn lock(&self) -> Result<Lock, StoreError> {
        self.on_thread(|worker| Ok(worker.vault.lock())).await
    }

    /// Opens the profile's keys. False: the passphrase is another.
    ///
    /// # Errors
    /// As the disk has them; so for all below.
    pub async fn unlock(&self, passphrase: Passphrase) -> Result<bool, StoreError> {
        self.on_thread(move |worker| {
            let unlocked = worker.vault.unlock(&worker.connection, &passphrase);
            unlocked.map_err(|error| worker.error(&error))
        })
        .await
    }

    /// Sets, changes or removes the passphrase; an empty one is none. What was readable before is wiped from the files.
    ///
    /// # Errors
    /// [`StoreError::WrongPassphrase`] if `old` is not the one that the profile has.
    pub async fn set_passphrase(&self, old: Passphrase, new: Passphrase) -> Result<(), StoreError> {
        self.on_thread(move |worker| worker.set_passphrase(&old, &new))
            .await
    }

    /// A copy of the database as it is now, sealed as it is, in a file of the profile's folder.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if one is being made.
    pub async fn snapshot(&self) -> Result<Scratch, StoreError> {
        self.on_thread(Worker::snapshot).await
    }

    /// How many chats there are, also while their keys are locked.
    ///
    /// # Errors
    /// As above.
    pub async fn chat_count(&self) -> Result<u32, StoreError> {
        self.on_thread(Worker::chat_count).await
    }

    /// A file in the profile's folder, for a database that is to be adopted.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if there is one, [`StoreError::NotEmpty`] if the profile has chats.
    pub async fn make_room(&self) -> Result<Scratch, StoreError> {
        self.on_thread(|worker| {
            worker.is_empty()?;
            worker.scratch("restore")
        })
        .await
    }

    /// Puts a database in the place of the profile's, whole or not at all. It is brought to the newest version before.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`] if the profile has chats; that the database is damaged or a newer version's. Nothing has
    /// changed then.
    pub async fn adopt(&self, database: Scratch) -> Result<(), StoreError> {
        self.on_thread(move |worker| worker.adopt(database.path())).await
    }
}

impl Worker {
    fn set_passphrase(&mut self, old: &Passphrase, new: &Passphrase) -> Result<(), StoreError> {
        if let Some(damage) = &self.damage {
            return Err(damage.clone());
        }
        let vault = self
            .try_set_passphrase(old, new)
            .map_err(|error| self.error(&error))?;
        self.vault = vault.ok_or(StoreError::WrongPassphrase)?;
        // The passphrase holds from here on; that the disk had no room to wipe is told beside it.
        let wiped = self.wipe(
            self.profile
                .database_len()
                .is_ok_and(|len| len <= MAX_REBUILD_LEN),
        );
        self.report(None, wiped);
        Ok(())
    }

    fn try_set_passphrase(&mut self, old: &Passphrase, new: &Passphrase) -> rusqlite::Result<Option<Vault>> {
        self.set_synced(true)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let vault = self.vault.with_passphrase(&transaction, old, new)?;
        if vault.is_some() {
            transaction.commit()?;
        }
        Ok(vault)
    }

    fn scratch(&self, name: &str) -> Result<Scratch, StoreError> {
        Scratch::create(self.profile.folder(), name).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::Busy,
            _ => StoreError::from_io(self.profile.folder(), &error),
        })
    }

    fn snapshot(&mut self) -> Result<Scratch, StoreError> {
        let scratch = self.scratch("backup")?;
        let path = scratch.path().to_string_lossy().into_owned();
        let written = self.connection.execute("VACUUM INTO ?1", params![path]);
        written.map_err(|error| self.error(&error))?;
        Ok(scratch)
    }

    fn chat_count(&mut self) -> Result<u32, StoreError> {
        self.read(|connection| connection.query_row("SELECT count(*) FROM chat", [], |row| row.get(0)))
    }

    fn is_empty(&mut self) -> Result<(), StoreError> {
        match self.chat_count()? {
            0 => Ok(()),
            _ => Err(StoreError::NotEmpty),
        }
    }

    fn adopt(&mut self, database: &Path) -> Result<(), StoreError> {
        // Nothing that waits for this database may come into the other.
        if let Some(why) = &self.why_waiting {
            return Err(why.clone());
        }
        self.is_empty()?;
        self.profile.prepare(database)?;
        let none = Connection::open_in_memory().map_err(|error| self.error(&error))?;
        if let Err((connection, error)) = mem::replace(&mut self.connection, none).close() {
            self.connection = connection;
            return Err(self.error(&error));
        }
        let replaced = self.profile.replace(database);
        // If it was not replaced this is the old one, as it was.
        self.connection = self.profile.connect()?;
        self.synced = true;
        self.vault = Vault::load(&self.connection).map_err(|error| self.error(&error))?;
        replaced
    }
}
