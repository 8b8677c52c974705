//! Backup, restore and passphrase, as far as the database goes.

use std::mem;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::scratch::Scratch;
use super::vault::{Lock, Vault};
use super::worker::Worker;
use super::{Store, StoreError};
use crate::model::Passphrase;

/// Up to this size, in bytes, the database is rewritten when its keys are sealed, which takes as much memory. A larger one is
/// not; deleted data is overwritten there, too. A guess.
const MAX_REBUILD_LEN: u64 = 512 << 20;

impl Store {
    /// Whether the profile's keys can be read.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub async fn lock(&self) -> Result<Lock, StoreError> {
        self.on_thread(|worker| Ok(worker.vault.lock())).await
    }

    /// Opens the profile's keys. Returns false if the passphrase is wrong.
    ///
    /// # Errors
    /// What the disk reports, as in all methods below.
    pub async fn unlock(&self, passphrase: Passphrase) -> Result<bool, StoreError> {
        self.on_thread(move |worker| {
            let unlocked = worker.vault.unlock(&worker.connection, &passphrase);
            unlocked.map_err(|error| worker.error(&error))
        })
        .await
    }

    /// Sets, changes or removes the passphrase; an empty one stands for none. Keys that were readable before are wiped from the
    /// files.
    ///
    /// # Errors
    /// [`StoreError::WrongPassphrase`] if `old` is not the profile's passphrase.
    pub async fn set_passphrase(&self, old: Passphrase, new: Passphrase) -> Result<(), StoreError> {
        self.on_thread(move |worker| worker.set_passphrase(&old, &new))
            .await
    }

    /// Copies the database as it is now, sealed as it is, to a file in the profile's folder.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if one is being made.
    pub async fn snapshot(&self) -> Result<Scratch, StoreError> {
        self.on_thread(Worker::snapshot).await
    }

    /// How many chats there are, even while their keys are locked.
    ///
    /// # Errors
    /// As above.
    pub async fn chat_count(&self) -> Result<u32, StoreError> {
        self.on_thread(Worker::chat_count).await
    }

    /// Makes a file in the profile's folder, for a database that is to be adopted.
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

    /// Replaces the profile's database by another, whole or not at all, after migrating it to the newest version.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`] if the profile has chats; or the database is damaged, or a newer version's. Then nothing has
    /// changed.
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
        // The passphrase holds from here on. If the disk had no room to wipe, that is reported separately.
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
        // Writes that wait for this database must not get into the other.
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
        // If it was not replaced, this is the old one, as it was.
        self.connection = self.profile.connect()?;
        self.synced = true;
        self.vault = Vault::load(&self.connection).map_err(|error| self.error(&error))?;
        replaced
    }
}
