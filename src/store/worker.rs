//! The thread that has the database. Jobs come in one queue, so that a read sees every write queued before it.

use std::slice;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::profile::Profile;
use super::vault::{Lock, Vault};
use super::{ChatRecord, StoreError, Write, reads, rebuild, writes};

/// The most writes of one transaction, so that no one waits long for theirs. A guess.
const MAX_GROUP_LEN: usize = 1024;

/// Up to this size, in bytes, the database is written anew when a chat or what was said in it is removed. SQLite overwrites what it deletes,
/// but not the copies that it left in unused parts of pages when it moved rows about. Larger ones, which would take
/// seconds, do without. A guess: half a second of work on a slow disk.
const MAX_VACUUM_LEN: u64 = 64 << 20;

/// What the thread is asked for.
pub(super) enum Job {
    /// To keep something.
    Write(QueuedWrite),
    /// To look something up; sends the answer itself.
    Read(Box<dyn FnOnce(&mut Worker) + Send>),
    /// To do what is queued, and end.
    Close(oneshot::Sender<()>),
}

/// A write, and who waits for it. Without one, its error goes to [`super::Store::errors`].
pub(super) struct QueuedWrite {
    pub(super) write: Box<Write>,
    pub(super) done: Option<oneshot::Sender<Result<(), StoreError>>>,
}

/// What the thread has.
pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) profile: Profile,
    /// What opens and seals the chats' secrets.
    pub(super) vault: Vault,
    errors: mpsc::Sender<StoreError>,
    /// How many writes that nobody waits for are done with.
    settled: watch::Sender<u64>,
    pub(super) synced: bool,
    /// Set once damage was found: what is damaged is not written to.
    pub(super) damage: Option<StoreError>,
}

impl Worker {
    pub(super) fn open(
        connection: Connection,
        profile: Profile,
        errors: mpsc::Sender<StoreError>,
        settled: watch::Sender<u64>,
    ) -> Result<Self, StoreError> {
        let vault = Vault::load(&connection);
        let vault = vault.map_err(|error| StoreError::from_sqlite(profile.folder(), &error))?;
        Ok(Self {
            connection,
            profile,
            vault,
            errors,
            settled,
            synced: true,
            damage: None,
        })
    }

    /// Works until it is told to close or every handle is gone.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut next = None;
        let mut closers = Vec::new();
        while let Some(job) = next.take().or_else(|| jobs.blocking_recv()) {
            match job {
                Job::Write(first) => {
                    let mut group = vec![first];
                    while group.len() < MAX_GROUP_LEN && next.is_none() {
                        match jobs.try_recv() {
                            Ok(Job::Write(write)) => group.push(write),
                            Ok(job) => next = Some(job),
                            Err(_) => break,
                        }
                    }
                    self.write(group);
                }
                Job::Read(read) => read(&mut self),
                Job::Close(closer) => {
                    jobs.close();
                    closers.push(closer);
                }
            }
        }
        self.finish();
        for closer in closers {
            // Whoever asked may have gone.
            let _ = closer.send(());
        }
    }

    /// Looks something up.
    pub(super) fn read<T>(
        &mut self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        read(&self.connection).map_err(|error| self.error(&error))
    }

    /// All chats, with their keys.
    pub(super) fn chats(&mut self) -> Result<Vec<ChatRecord>, StoreError> {
        self.check_lock()?;
        reads::chats(&self.connection, &self.vault).map_err(|error| self.error(&error))
    }

    fn check_lock(&self) -> Result<(), StoreError> {
        match self.vault.lock() {
            Lock::Locked => Err(StoreError::PassphraseNeeded),
            Lock::None | Lock::Unlocked => Ok(()),
        }
    }

    /// Keeps a group in one transaction. If one of them can't be kept, each is tried alone, so that it takes no other
    /// with it.
    fn write(&mut self, group: Vec<QueuedWrite>) {
        let writes: Vec<&Write> = group.iter().map(|queued| &*queued.write).collect();
        let outcomes = match self.commit(&writes) {
            Err(_) if writes.len() > 1 => writes
                .iter()
                .map(|write| self.commit(slice::from_ref(write)))
                .collect(),
            outcome => vec![outcome; writes.len()],
        };
        if writes.iter().any(|write| write.wipes()) {
            let removed = writes
                .iter()
                .any(|write| matches!(write, Write::RemoveChat { .. } | Write::ClearHistory { .. }));
            let small = self.profile.database_len().is_ok_and(|len| len <= MAX_VACUUM_LEN);
            let outcome = self.wipe(removed && small);
            self.report(None, outcome);
        }
        let settled = group.iter().filter(|queued| queued.done.is_none()).count() as u64;
        for (queued, outcome) in group.into_iter().zip(outcomes) {
            self.report(queued.done, outcome);
        }
        self.settled.send_modify(|number| *number += settled);
    }

    fn commit(&mut self, writes: &[&Write]) -> Result<(), StoreError> {
        if let Some(damage) = &self.damage {
            return Err(damage.clone());
        }
        self.check_lock()?;
        self.try_commit(writes).map_err(|error| self.error(&error))
    }

    fn try_commit(&mut self, writes: &[&Write]) -> rusqlite::Result<()> {
        self.set_synced(writes.iter().any(|write| write.is_irreplaceable()))?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for write in writes {
            writes::apply(&transaction, write, &self.vault)?;
        }
        transaction.commit()
    }

    /// `synchronous=NORMAL` waits for the disk only now and then. A commit then outlives the program in any case; a
    /// power cut may take the last ones, whole, and leaves the database sound. That will do for what is said, which
    /// the other members have too, and is faster by the time that a disk takes to flush. Keys and what admits us
    /// nobody else has: for those `FULL`, which waits at every commit.
    pub(super) fn set_synced(&mut self, synced: bool) -> rusqlite::Result<()> {
        if self.synced != synced {
            self.connection
                .pragma_update(None, "synchronous", if synced { "FULL" } else { "NORMAL" })?;
            self.synced = synced;
        }
        Ok(())
    }

    /// Sees to it that what was deleted is not left in the log, nor elsewhere in the database.
    pub(super) fn wipe(&mut self, rebuild: bool) -> Result<(), StoreError> {
        if let Some(damage) = &self.damage {
            return Err(damage.clone());
        }
        let rebuilt = if rebuild {
            self.connection.execute_batch("VACUUM")
        } else {
            Ok(())
        };
        rebuilt
            .and_then(|()| self.checkpoint())
            .map_err(|error| self.error(&error))
    }

    /// Brings all that is in the log into the database, and empties the log.
    fn checkpoint(&self) -> rusqlite::Result<()> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    fn finish(self) {
        if let Err(error) = self.checkpoint() {
            tracing::warn!("the store's log stays for the next start: {error}");
        }
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!("the store did not close: {error}");
        }
        drop(self.profile); // Only now may another program open it.
    }

    pub(super) fn report(
        &self,
        done: Option<oneshot::Sender<Result<(), StoreError>>>,
        outcome: Result<(), StoreError>,
    ) {
        match (done, outcome) {
            (Some(done), outcome) => {
                // Whoever asked may have gone.
                let _ = done.send(outcome);
            }
            (None, Err(error)) => {
                tracing::warn!("not kept: {error}");
                // If the reader has a full channel of them, it knows.
                let _ = self.errors.try_send(error);
                self.settled.send_modify(|_| {}); // Wakes it.
            }
            (None, Ok(())) => {}
        }
    }

    pub(super) fn error(&mut self, error: &rusqlite::Error) -> StoreError {
        let error = StoreError::from_sqlite(self.profile.folder(), error);
        if matches!(error, StoreError::Damaged { .. }) && self.damage.is_none() {
            self.damage = Some(error.clone());
            rebuild::mark(&self.profile);
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ChatId;
    use crate::model::{ChatKind, Retention};
    use crate::store::{ChatRecord, ChatSecrets};

    fn put(number: u8, name_len: usize) -> Write {
        Write::PutChat(Box::new(ChatRecord {
            chat: ChatId([number; 32]),
            kind: ChatKind::Classic,
            name: "n".repeat(name_len),
            nick: String::new(),
            topic: String::new(),
            topic_by: None,
            created_ms: 0,
            port: None,
            joined: true,
            secrets: ChatSecrets::default(),
            credential: None,
            charter: None,
            next_invite: 0,
            admitted: Vec::new(),
            peers: Vec::new(),
            nicks: Vec::new(),
            facts: Vec::new(),
            ignored: Vec::new(),
            invites: Vec::new(),
            history_since: None,
            history_is_whole: false,
            retention: Retention::Forever,
        }))
    }

    #[test]
    fn what_does_not_fit_on_the_disk_takes_nothing_else_with_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let profile = Profile::open(folder.path()).expect("nobody else has it");
        let connection = profile.connect().expect("it is new");
        // A disk with room for 100 pages of 4,096 bytes.
        connection
            .pragma_update_and_check(None, "max_page_count", 100, |_| Ok(()))
            .expect("SQLite knows it");
        let (sender, mut errors) = mpsc::channel(9);
        let mut worker = Worker::open(connection, profile, sender, watch::channel(0).0).expect("it is new");

        let (done, mut outcome) = oneshot::channel();
        let queued = |write| QueuedWrite {
            write: Box::new(write),
            done: None,
        };
        let small = QueuedWrite {
            write: Box::new(put(3, 1)),
            done: Some(done),
        };
        worker.write(vec![queued(put(1, 1)), queued(put(2, 1_000_000)), small]);

        let full = StoreError::DiskFull {
            folder: folder.path().to_owned(),
        };
        assert_eq!(errors.try_recv(), Ok(full));
        assert!(errors.try_recv().is_err(), "the other two were kept");
        assert_eq!(outcome.try_recv(), Ok(Ok(())));
        let chats = worker.chats().expect("the database is sound");
        let kept: Vec<u8> = chats.iter().map(|record| record.chat.0[0]).collect();
        assert_eq!(kept, [1, 3]);
    }

    #[test]
    fn only_what_cannot_be_had_again_waits_for_the_disk() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let profile = Profile::open(folder.path()).expect("nobody else has it");
        let connection = profile.connect().expect("it is new");
        let (sender, _errors) = mpsc::channel(9);
        let mut worker = Worker::open(connection, profile, sender, watch::channel(0).0).expect("it is new");
        let draft = Write::SaveDraft {
            chat: ChatId([1; 32]),
            text: String::new(),
        };
        let key = put(1, 1);
        for (writes, full) in [
            (vec![&draft], false),
            (vec![&draft, &key], true),
            (vec![&draft], false),
        ] {
            worker.commit(&writes).expect("it is kept");
            let synchronous: u8 = worker
                .connection
                .pragma_query_value(None, "synchronous", |row| row.get(0))
                .expect("it is a number");
            assert_eq!(synchronous, if full { 2 } else { 1 });
        }
    }
}
