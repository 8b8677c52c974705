//! The thread that owns the database. All jobs come through one queue, so a read sees every write queued before it.

use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::backlog::Backlog;
use super::profile::Profile;
use super::vault::{Lock, Vault};
use super::{ChatRecord, StoreError, Write, reads, rebuild, writes};

/// The most writes in one transaction, so that no write waits long. A guess.
const MAX_GROUP_LEN: usize = 1024;

/// When a chat or its messages are removed and no more than this is left, in bytes, the database is rewritten. SQLite
/// overwrites what it deletes, but not copies that it left in unused parts of pages when it moved rows. A larger database is
/// not rewritten, since that would take seconds. A guess: half a second of work on a slow disk.
const MAX_VACUUM_LEN: u64 = 64 << 20;

/// After how long writes that the disk did not accept are tried again. A guess: soon after somebody has made room.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// A job for the thread.
pub(super) enum Job {
    /// Keep something.
    Write(QueuedWrite),
    /// Look something up. The closure sends the answer itself.
    Read(Box<dyn FnOnce(&mut Worker) + Send>),
    /// Carry out what is queued, and end.
    Close(oneshot::Sender<()>),
}

/// A write, and the caller who waits for it. If nobody waits, its error goes to [`super::Store::errors`].
pub(super) struct QueuedWrite {
    pub(super) write: Box<Write>,
    pub(super) done: Option<oneshot::Sender<Result<(), StoreError>>>,
}

/// How far the thread has got with writes for which nobody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settled {
    /// How many writes, in the order of the queue, are kept, or [`super::Store::errors`] has said why not (because they wait in
    /// memory, for example).
    pub writes: u64,
    /// How often everything that waited in memory could be kept in the end.
    pub recoveries: u32,
}

/// Why something was not kept.
#[derive(Debug)]
struct NotKept {
    error: StoreError,
    /// A later attempt may succeed.
    may_pass: bool,
}

/// What to do next.
enum Next {
    Job(Job),
    /// Try again what waits.
    Later,
    End,
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Whether the disk is at fault, and not the write.
fn may_pass(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::DatabaseBusy
                | ErrorCode::OutOfMemory
        )
    )
}

/// The thread's state.
pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) profile: Profile,
    /// Opens and seals the chats' secrets.
    pub(super) vault: Vault,
    errors: mpsc::Sender<StoreError>,
    settled: watch::Sender<Settled>,
    /// Writes that wait for the disk.
    pub(super) backlog: Backlog,
    /// Why they wait, or why the last attempt failed.
    pub(super) why_waiting: Option<StoreError>,
    retry_at: Instant,
    /// Whether a waiting write was dropped.
    has_lost: bool,
    pub(super) synced: bool,
    /// Set once damage was found: a damaged database is not written to.
    pub(super) damage: Option<StoreError>,
}

impl Worker {
    pub(super) fn open(
        connection: Connection,
        profile: Profile,
        errors: mpsc::Sender<StoreError>,
        settled: watch::Sender<Settled>,
    ) -> Result<Self, StoreError> {
        let vault = Vault::load(&connection);
        let vault = vault.map_err(|error| StoreError::from_sqlite(profile.folder(), &error))?;
        Ok(Self {
            connection,
            profile,
            vault,
            errors,
            settled,
            backlog: Backlog::default(),
            why_waiting: None,
            retry_at: Instant::now(),
            has_lost: false,
            synced: true,
            damage: None,
        })
    }

    /// Runs until it is told to close or every handle is gone.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut next = None;
        let mut closers = Vec::new();
        loop {
            if self.why_waiting.is_some() && self.retry_at <= Instant::now() {
                self.retry();
            }
            let job = match next.take() {
                Some(job) => job,
                None => match self.next_job(&mut jobs) {
                    Next::Job(job) => job,
                    Next::Later => continue,
                    Next::End => break,
                },
            };
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

    /// Waits for a job, or until it is time to try waiting writes again.
    fn next_job(&self, jobs: &mut mpsc::Receiver<Job>) -> Next {
        if self.why_waiting.is_none() {
            return jobs.blocking_recv().map_or(Next::End, Next::Job);
        }
        let waker = Arc::new(Unpark(thread::current())).into();
        let mut context = Context::from_waker(&waker);
        loop {
            match jobs.poll_recv(&mut context) {
                Poll::Ready(job) => return job.map_or(Next::End, Next::Job),
                Poll::Pending => {}
            }
            let left = self.retry_at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Later;
            }
            thread::park_timeout(left);
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

    /// Keeps a group of writes in one transaction. If one of them fails, each is tried alone, so that the others don't fail with
    /// it. Writes that the disk has no room for wait in memory, and so do later ones: the database never has the later without
    /// the earlier.
    fn write(&mut self, group: Vec<QueuedWrite>) {
        // A caller who waits for an answer gets the latest state.
        if group.iter().any(|queued| queued.done.is_some()) {
            self.retry();
        }
        let settled = group.iter().filter(|queued| queued.done.is_none()).count() as u64;
        if self.why_waiting.is_none() && self.commit_all(&group).is_ok() {
            self.wipe_after(group.iter().map(|queued| &*queued.write));
            for queued in group {
                self.report(queued.done, Ok(()));
            }
        } else {
            group.into_iter().for_each(|queued| self.write_alone(queued));
        }
        self.settled
            .send_modify(|settled_by_now| settled_by_now.writes += settled);
    }

    fn commit_all(&mut self, group: &[QueuedWrite]) -> Result<(), NotKept> {
        let writes: Vec<&Write> = group.iter().map(|queued| &*queued.write).collect();
        self.commit(&writes)
    }

    fn write_alone(&mut self, queued: QueuedWrite) {
        if self.why_waiting.is_none() {
            match self.commit(&[&*queued.write]) {
                Err(NotKept {
                    error,
                    may_pass: true,
                }) => self.begin_waiting(error),
                outcome => {
                    if outcome.is_ok() {
                        self.wipe_after([&*queued.write]);
                    }
                    return self.report(queued.done, outcome.map_err(|not_kept| not_kept.error));
                }
            }
        }
        let Some(why) = &self.why_waiting else { return };
        match queued.done {
            // The caller who waits for it is told that it has changed nothing.
            Some(done) => self.report(Some(done), Err(why.clone())),
            None => self.wait(queued.write),
        }
    }

    fn begin_waiting(&mut self, why: StoreError) {
        tracing::warn!("held in memory until the disk takes it: {why}");
        let told = StoreError::HeldInMemory(Box::new(why.clone()));
        self.why_waiting = Some(why);
        self.has_lost = false;
        self.retry_at = Instant::now() + RETRY_AFTER;
        self.report(None, Err(told));
    }

    fn wait(&mut self, write: Box<Write>) {
        if self.backlog.push(write) && !self.has_lost {
            self.has_lost = true;
            let folder = self.profile.folder().to_owned();
            self.report(None, Err(StoreError::MemoryFull { folder }));
        }
    }

    /// Tries waiting writes again, in their order.
    fn retry(&mut self) {
        if self.why_waiting.is_none() {
            return;
        }
        self.retry_at = Instant::now() + RETRY_AFTER;
        let mut count = MAX_GROUP_LEN;
        while !self.backlog.is_empty() {
            let backlog = std::mem::take(&mut self.backlog);
            let writes = backlog.first(count);
            let outcome = self.commit(&writes);
            let done = writes.len();
            if outcome.is_ok() {
                self.wipe_after(writes);
            }
            self.backlog = backlog;
            match outcome {
                Ok(()) => self.backlog.done(done),
                // There may be room for fewer; and one that fails must not take others with it.
                Err(_) if done > 1 => count = done / 2,
                Err(NotKept { may_pass: true, .. }) => return,
                Err(NotKept { error, .. }) => {
                    self.backlog.done(done);
                    self.report(None, Err(error));
                }
            }
        }
        self.why_waiting = None;
        tracing::info!("the disk takes what is to be kept again");
        self.settled.send_modify(|settled| settled.recoveries += 1);
    }

    /// Wipes from the files what some writes replaced or removed.
    fn wipe_after<'a>(&mut self, writes: impl IntoIterator<Item = &'a Write>) {
        let (mut wipes, mut removes) = (false, false);
        for write in writes {
            wipes |= write.wipes();
            removes |= matches!(write, Write::RemoveChat { .. } | Write::ClearHistory { .. });
        }
        if wipes {
            let is_small = reads::used_len(&self.connection).is_ok_and(|len| len <= MAX_VACUUM_LEN);
            let outcome = self.wipe(removes && is_small);
            self.report(None, outcome);
        }
    }

    fn commit(&mut self, writes: &[&Write]) -> Result<(), NotKept> {
        let for_good = |error| NotKept {
            error,
            may_pass: false,
        };
        if let Some(damage) = &self.damage {
            return Err(for_good(damage.clone()));
        }
        self.check_lock().map_err(for_good)?;
        self.try_commit(writes).map_err(|error| NotKept {
            may_pass: may_pass(&error),
            error: self.error(&error),
        })
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

    /// With `synchronous=NORMAL` SQLite waits for the disk only now and then. A commit survives a crash of the program in any
    /// case; a power cut may take the last commits, whole, and leaves the database sound. That is good enough for messages, which
    /// the other members have too, and saves the time that a disk takes to flush. Nobody else has our keys and credentials: they
    /// get `FULL`, which waits at every commit.
    pub(super) fn set_synced(&mut self, synced: bool) -> rusqlite::Result<()> {
        if self.synced != synced {
            self.connection
                .pragma_update(None, "synchronous", if synced { "FULL" } else { "NORMAL" })?;
            self.synced = synced;
        }
        Ok(())
    }

    /// Wipes deleted data from the log and from the rest of the database.
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

    /// Moves everything from the log into the database, and empties the log.
    fn checkpoint(&self) -> rusqlite::Result<()> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    fn finish(mut self) {
        self.retry();
        if let Some(why) = self.why_waiting.take().filter(|_| !self.backlog.is_empty()) {
            self.report(None, Err(StoreError::NeverKept(Box::new(why))));
        }
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
                // If the channel is full of errors, the reader knows already.
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

    /// How many pages of 4,096 bytes fit on the disk.
    fn set_room(worker: &Worker, pages: u32) {
        worker
            .connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .expect("SQLite knows it");
    }

    fn kept(worker: &mut Worker) -> Vec<u8> {
        let chats = worker.chats().expect("the database is sound");
        chats.iter().map(|record| record.chat.0[0]).collect()
    }

    #[test]
    fn what_finds_no_room_waits_in_its_order_and_is_kept_once_there_is() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let profile = Profile::open(folder.path()).expect("nobody else has it");
        let connection = profile.connect().expect("it is new");
        let (sender, mut errors) = mpsc::channel(9);
        let (settled, seen) = watch::channel(Settled::default());
        let mut worker = Worker::open(connection, profile, sender, settled).expect("it is new");
        set_room(&worker, 100);
        let queued = |write| QueuedWrite {
            write: Box::new(write),
            done: None,
        };
        let full = StoreError::DiskFull {
            folder: folder.path().to_owned(),
        };
        worker.write(vec![
            queued(put(1, 1)),
            queued(put(2, 1_000_000)),
            queued(put(3, 1)),
        ]);
        worker.write(vec![queued(put(4, 1))]);
        let told = StoreError::HeldInMemory(Box::new(full.clone()));
        assert_eq!(errors.try_recv(), Ok(told));
        assert_eq!(kept(&mut worker), [1], "nothing overtakes the second");
        let mut progress = Settled {
            writes: 4,
            recoveries: 0,
        };
        assert_eq!(*seen.borrow(), progress, "they are told all the same");

        let (done, mut outcome) = oneshot::channel();
        worker.write(vec![QueuedWrite {
            write: Box::new(put(5, 1)),
            done: Some(done),
        }]);
        assert_eq!(
            outcome.try_recv(),
            Ok(Err(full.clone())),
            "who waits is told at once"
        );
        assert!(errors.try_recv().is_err(), "it is told once");

        set_room(&worker, 1_000_000);
        worker.retry();
        assert_eq!(kept(&mut worker), [1, 2, 3, 4]);
        progress.recoveries = 1;
        assert_eq!(*seen.borrow(), progress);
        set_room(&worker, 100);
        worker.write(vec![queued(put(6, 1_000_000))]);
        assert!(errors.try_recv().is_ok(), "it is full anew");
        worker.finish();
        assert_eq!(errors.try_recv(), Ok(StoreError::NeverKept(Box::new(full))));
    }

    #[test]
    fn only_what_cannot_be_had_again_waits_for_the_disk() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let profile = Profile::open(folder.path()).expect("nobody else has it");
        let connection = profile.connect().expect("it is new");
        let (sender, _errors) = mpsc::channel(9);
        let mut worker = Worker::open(connection, profile, sender, watch::channel(Settled::default()).0)
            .expect("it is new");
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
