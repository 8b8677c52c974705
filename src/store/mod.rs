//! What a profile keeps between runs: SQLite on a thread of its own.

mod error;
mod record;

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

pub use error::{QueueFull, StoreError};
pub use record::{ChatRecord, ChatSecrets, Write};

use crate::id::{ChatId, MessageId};
use crate::model::{Message, OpenChat, Settings, Workspace};

/// The most messages of one [`HistoryPage`].
pub const MAX_PAGE_LEN: u32 = 1000;

/// How many addresses of members a chat keeps.
pub const MAX_PEERS: u32 = 32;

/// The profile to use if the user names none: a folder of the system's choice.
pub fn default_profile() -> Option<PathBuf> {
    let dirs = directories::ProjectDirs::from("", "", "Throng")?;
    Some(dirs.data_dir().to_owned())
}

/// Which part of a chat's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryQuery {
    /// The newest.
    Newest,
    /// The ones right before a message.
    Before(MessageId),
    /// The ones right after a message.
    After(MessageId),
    /// A message, and as many on either side.
    Around(MessageId),
}

/// A part of a chat's history.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistoryPage {
    /// The oldest first.
    pub messages: Vec<Message>,
    /// Whether older ones than these are stored.
    pub more_before: bool,
    /// Whether newer ones than these are stored.
    pub more_after: bool,
}

/// An open profile.
#[derive(Debug, Clone)]
pub struct Store;

impl Store {
    /// Opens a profile, or starts one.
    pub fn open(_profile: &Path) -> Result<Self, StoreError> {
        Err(StoreError::Closed)
    }

    /// The errors of [`Store::write`]; to be had once.
    pub fn errors(&self) -> Option<mpsc::Receiver<StoreError>> {
        None
    }

    /// All chats.
    pub async fn chats(&self) -> Result<Vec<ChatRecord>, StoreError> {
        Err(StoreError::Closed)
    }

    /// A part of a chat's history.
    pub async fn history(
        &self,
        _chat: ChatId,
        _query: HistoryQuery,
        _limit: u32,
    ) -> Result<HistoryPage, StoreError> {
        Err(StoreError::Closed)
    }

    /// Own messages that have not gone out, the oldest first.
    pub async fn waiting(&self, _chat: ChatId) -> Result<Vec<Message>, StoreError> {
        Err(StoreError::Closed)
    }

    /// What the window keeps.
    pub async fn workspace(&self) -> Result<(Settings, Workspace, Vec<OpenChat>), StoreError> {
        Err(StoreError::Closed)
    }

    /// Queues a write and does not wait: errors go to [`Store::errors`].
    pub fn write(&self, _write: Write) -> Result<(), QueueFull> {
        Err(QueueFull)
    }

    /// Queues a write and waits until it is kept.
    pub async fn save(&self, _write: Write) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    /// Writes all that is queued and ends.
    pub async fn close(self) {}
}
