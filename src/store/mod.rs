//! What a profile keeps between runs: chats and their keys, messages, settings, tabs. SQLite on a thread of its own; no other
//! thread waits for the disk.
//!
//! A profile is a folder that only its user can read (mode 0700, its files 0600). One program at a time has it open, and
//! holds a lock file for as long as it runs. The folder contains:
//!
//! | file | what |
//! |---|---|
//! | `lock` | empty; locked while a program has the profile open |
//! | `throng.sock` | where the program that has the profile listens for later starts; there only while it is open, or after a crash |
//! | `throng.db` | the database |
//! | `backup.tmp`, `restore.tmp`, `rebuild.tmp` | a database on its way into a backup, out of one, or made anew; wiped when that is done, or at the next start |
//! | `throng.db.damaged-2026-11-25` | a database that was found damaged on that day, as it was; what could be read of it is in `throng.db` |
//! | `damaged` | there if the database is to be rebuilt at the next start |
//! | `throng.db-wal`, `throng.db-shm` | its log of what was written last; there only while it is open, or after a crash |
//!
//! The key of a session is never stored. A passphrase can seal the other keys, but not messages. Deleted data is overwritten;
//! a program can't reach older states of a file that the disk or a backup keeps.

mod archive;
mod backlog;
mod error;
mod own_files;
mod profile;
mod reads;
mod rebuild;
mod record;
mod schema;
mod scratch;
mod search;
mod takeout;
mod vault;
mod worker;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

pub use archive::{Archived, HOUR};
pub use error::{QueueFull, StoreError};
pub use own_files::OwnFiles;
pub use profile::SOCKET;
pub use rebuild::Rebuilt;
pub use record::{ChatRecord, ChatSecrets, FactRecord, InviteRecord, PartRecord, Write};
pub use scratch::Scratch;
pub use search::SearchOrder;
pub use vault::Lock;
pub use worker::Settled;

use self::profile::Profile;
use self::worker::{Job, QueuedWrite, Worker};
use crate::id::{ChatId, ClientId, MessageId};
use crate::model::{Message, OpenChat, Settings, Workspace};

/// The most messages of one [`HistoryPage`].
pub const MAX_PAGE_LEN: u32 = 1000;

/// How many addresses of members a chat keeps.
pub const MAX_PEERS: u32 = 32;

/// How many addresses a chat keeps at which members are said to be: some may be lies. A guess.
pub const MAX_HEARSAY: u32 = 16;

/// How many members' credentials and nicks a chat keeps; the oldest make room for new ones. Twice the largest crowd that
/// Throng is meant for. What is forgotten comes again with its member.
pub const MAX_MEMBERS: u32 = 20_000;

/// How many fragments of incomplete messages are read at a start; the others come again from other members. A guess: a
/// hundred long messages that each lack a fragment.
const MAX_ORPHANS: usize = 1000;

/// How many jobs can wait for the thread. A guess: some seconds of a slow disk in a busy chat.
const QUEUE_LEN: usize = 4096;

/// How many errors can wait for their reader. More would tell it nothing new.
const ERROR_QUEUE_LEN: usize = 16;

/// The default profile: the system's folder for this user's data of this program (`~/.local/share/throng` on Linux). `None`
/// if the user has no home.
pub fn default_profile() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "Throng")?;
    Some(folders.data_dir().to_owned())
}

/// Which page of a chat's history. Messages are in the order of [`Message::place`], then of their ids: the same order at
/// every member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryQuery {
    /// The newest.
    Newest,
    /// The oldest.
    Oldest,
    /// The ones right before a message.
    Before(MessageId),
    /// The ones right after a message.
    After(MessageId),
    /// A message, and as many on either side.
    Around(MessageId),
    /// The first message from a time on, and as many on either side.
    At(Timestamp),
}

/// A page of a chat's history.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistoryPage {
    /// The oldest first.
    pub messages: Vec<StoredMessage>,
    /// Whether older ones than these are stored.
    pub more_before: bool,
    /// Whether newer ones than these are stored.
    pub more_after: bool,
}

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMessage {
    /// What was said.
    pub message: Message,
    /// In which session of its author.
    pub client_id: ClientId,
}

/// An open profile. All clones share it. [`Store::close`] closes it, or dropping the last clone does, some time later.
#[derive(Debug, Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    errors: Arc<Mutex<Option<mpsc::Receiver<StoreError>>>>,
    /// How many writes were queued by [`Store::write`].
    queued: Arc<Mutex<u64>>,
    settled: watch::Receiver<Settled>,
    rebuilt: Option<Rebuilt>,
    own_files: OwnFiles,
}

impl Store {
    /// Opens a profile, or makes one where there is none. A damaged one is rebuilt from what can be read. Waits for the
    /// disk.
    ///
    /// # Errors
    /// Another program has it open, it is a newer version's, it is damaged and no keys can be read, it can't be written, or
    /// the disk is full. Then nothing has been changed.
    pub fn open(profile: &Path) -> Result<Self, StoreError> {
        let profile = Profile::open(profile)?;
        let (connection, rebuilt) = rebuild::open(&profile)?;
        let (jobs, queue) = mpsc::channel(QUEUE_LEN);
        let (error_sender, errors) = mpsc::channel(ERROR_QUEUE_LEN);
        let folder = profile.folder().to_owned();
        let own_files = OwnFiles::of(&folder);
        let (settled_sender, settled) = watch::channel(Settled::default());
        let worker = Worker::open(connection, profile, error_sender, settled_sender)?;
        thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || worker.run(queue))
            .map_err(|error| StoreError::Failed {
                folder,
                detail: error.to_string(),
            })?;
        Ok(Self {
            jobs,
            errors: Arc::new(Mutex::new(Some(errors))),
            queued: Arc::new(Mutex::new(0)),
            settled,
            rebuilt,
            own_files,
        })
    }

    /// The result of rebuilding, if the profile was damaged when it was opened.
    pub fn rebuilt(&self) -> Option<&Rebuilt> {
        self.rebuilt.as_ref()
    }

    /// The files of the profile.
    pub fn own_files(&self) -> &OwnFiles {
        &self.own_files
    }

    /// The errors of [`Store::write`]; there may be fewer than failed writes. Only the first call gets them.
    pub fn errors(&self) -> Option<mpsc::Receiver<StoreError>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How many writes [`Store::write`] has queued so far.
    pub fn queued(&self) -> u64 {
        *self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the store has got with them. The channel closes when the store does.
    pub fn settled(&self) -> watch::Receiver<Settled> {
        self.settled.clone()
    }

    /// All chats, in the order of their creation.
    ///
    /// # Errors
    /// [`StoreError::PassphraseNeeded`] if the keys are locked; otherwise, as in all reads, what the disk reports.
    pub async fn chats(&self) -> Result<Vec<ChatRecord>, StoreError> {
        self.on_thread(Worker::chats).await
    }

    /// A page of a chat's history: at most `limit` messages, and never over [`MAX_PAGE_LEN`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the chat or the message asked by is not stored.
    pub async fn history(
        &self,
        chat: ChatId,
        query: HistoryQuery,
        limit: u32,
    ) -> Result<HistoryPage, StoreError> {
        self.read(move |connection| reads::history(connection, chat, query, limit))
            .await
    }

    /// Messages by their words, the newest first, and whether there are more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the message before which to search is not stored.
    pub async fn search(&self, order: SearchOrder) -> Result<(Vec<StoredMessage>, bool), StoreError> {
        self.read(move |connection| search::search(connection, &order))
            .await
    }

    /// The first hour (since 1970) that a chat keeps if it keeps at most `mib` MiB; `None` if everything fits.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the chat is not stored.
    pub async fn first_hour_within(&self, chat: ChatId, mib: u32) -> Result<Option<u32>, StoreError> {
        self.read(move |connection| archive::first_hour_within(connection, chat, mib))
            .await
    }

    /// The oldest hour (since 1970) of which a chat holds anything.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the chat is not stored.
    pub async fn oldest_hour(&self, chat: ChatId) -> Result<Option<u32>, StoreError> {
        self.read(move |connection| archive::oldest_hour(connection, chat))
            .await
    }

    /// In which chat a message is stored.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not.
    pub async fn chat_of(&self, message: MessageId) -> Result<ChatId, StoreError> {
        self.read(move |connection| search::chat_of(connection, message))
            .await
    }

    /// How many messages of a chat are stored.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the chat is not stored.
    pub async fn message_count(&self, chat: ChatId) -> Result<u64, StoreError> {
        self.read(move |connection| reads::message_count(connection, chat))
            .await
    }

    /// Own messages of a chat that were not sent, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the chat is not stored.
    pub async fn waiting(&self, chat: ChatId) -> Result<Vec<Message>, StoreError> {
        self.read(move |connection| reads::waiting(connection, chat))
            .await
    }

    /// The ids of what was said in a chat since a moment, the newest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the chat is not stored.
    pub async fn said_since(
        &self,
        chat: ChatId,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<MessageId>, StoreError> {
        self.read(move |connection| reads::said_since(connection, chat, since, limit))
            .await
    }

    /// The fingerprint of each span of hlc, 16 bytes, as `node::archive` defines it: equal where the same says are held, zeros
    /// where none are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the chat is not stored.
    pub async fn fingerprints(
        &self,
        chat: ChatId,
        spans: Vec<Range<u64>>,
    ) -> Result<Vec<[u8; 16]>, StoreError> {
        self.read(move |connection| archive::fingerprints(connection, chat, &spans))
            .await
    }

    /// The newest signed messages and fragments in a span of hlc, with their hlc, the newest first, at most `limit`.
    ///
    /// # Errors
    /// See [`Self::fingerprints`].
    pub async fn archived_ids(
        &self,
        chat: ChatId,
        span: Range<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, MessageId)>, StoreError> {
        self.read(move |connection| archive::ids(connection, chat, &span, limit))
            .await
    }

    /// The newest signed messages and fragments in a span of hlc, the newest first, without those whose ids begin with one of
    /// `except`; and whether there are more. At most `limit`, and together at most `max_bytes` of signed bytes, but at least
    /// one.
    ///
    /// # Errors
    /// See [`Self::fingerprints`].
    pub async fn archived(
        &self,
        chat: ChatId,
        span: Range<u64>,
        except: BTreeSet<[u8; 6]>,
        limit: usize,
        max_bytes: usize,
    ) -> Result<(Vec<Archived>, bool), StoreError> {
        self.read(move |connection| archive::archived(connection, chat, &span, &except, limit, max_bytes))
            .await
    }

    /// Fragments of incomplete long messages, by number, at most 1,000.
    ///
    /// # Errors
    /// See [`Self::fingerprints`].
    pub async fn orphan_parts(&self, chat: ChatId) -> Result<Vec<PartRecord>, StoreError> {
        self.read(move |connection| archive::orphan_parts(connection, chat, MAX_ORPHANS))
            .await
    }

    /// Where members of a chat are said to be and no link has stood yet; the newest first, at most [`MAX_HEARSAY`].
    ///
    /// # Errors
    /// See [`Self::fingerprints`].
    pub async fn hearsay(&self, chat: ChatId) -> Result<Vec<SocketAddr>, StoreError> {
        self.read(move |connection| reads::hearsay(connection, chat))
            .await
    }

    /// Own signed messages that were not sent, with the fragments of long ones, each with its hlc.
    ///
    /// # Errors
    /// See [`Self::fingerprints`].
    pub async fn unsent(&self, chat: ChatId) -> Result<BTreeMap<MessageId, u64>, StoreError> {
        self.read(move |connection| archive::unsent(connection, chat))
            .await
    }

    /// What the window keeps between runs: settings, tabs, and every chat's draft and number of unread messages.
    ///
    /// # Errors
    /// What the disk reports.
    pub async fn workspace(&self) -> Result<(Settings, Workspace, Vec<OpenChat>), StoreError> {
        self.read(reads::workspace).await
    }

    /// Queues a write and does not wait for it. Its error goes to [`Store::errors`]. While the disk accepts no writes, they wait
    /// in memory, up to 16 MiB, and are tried again in their order.
    ///
    /// # Errors
    /// [`QueueFull`]: it was not queued, and is lost unless the caller tries again.
    pub fn write(&self, write: Write) -> Result<(), QueueFull> {
        let queued = QueuedWrite {
            write: Box::new(write),
            done: None,
        };
        // Locked while the write is queued, so that the numbers are in the order of the queue.
        let mut number = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        self.jobs.try_send(Job::Write(queued)).map_err(|_| QueueFull)?;
        *number += 1;
        Ok(())
    }

    /// Queues a write, waiting for room if necessary, and waits until it is kept. From then on it survives a crash of the
    /// program. (A power cut may take the last messages, never a key.)
    ///
    /// # Errors
    /// Why it was not kept. Then it has changed nothing.
    pub async fn save(&self, write: Write) -> Result<(), StoreError> {
        let (done, outcome) = oneshot::channel();
        let queued = QueuedWrite {
            write: Box::new(write),
            done: Some(done),
        };
        self.queue(Job::Write(queued)).await?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// Carries out what is queued, and closes the profile. When this returns, another program can open it. Other clones get
    /// [`StoreError::Closed`] from now on.
    pub async fn close(self) {
        let (done, closed) = oneshot::channel();
        if self.queue(Job::Close(done)).await.is_ok() {
            // An error would only mean that it is closed already.
            let _ = closed.await;
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.on_thread(move |worker| worker.read(read)).await
    }

    async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Worker) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, answer) = oneshot::channel();
        let job = move |worker: &mut Worker| {
            // The caller may have gone.
            let _ = sender.send(work(worker));
        };
        self.queue(Job::Read(Box::new(job))).await?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    async fn queue(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.send(job).await.map_err(|_| StoreError::Closed)
    }
}
