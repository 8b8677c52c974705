//! What can go wrong with a profile, as sentences for its user.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};

use crate::model::Code;

/// Why something could not be read or kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// Another program has the profile open.
    Locked {
        /// The profile.
        folder: PathBuf,
    },
    /// A newer program wrote the profile. Nothing was changed.
    NewerVersion {
        /// The profile.
        folder: PathBuf,
    },
    /// The database is damaged. Nothing more is written to it; the next start rebuilds it.
    Damaged {
        /// The profile.
        folder: PathBuf,
        /// What was found, for those who look into it.
        detail: String,
    },
    /// The database is damaged, and no chat's keys can be read from it. Nothing was changed.
    KeysLost {
        /// The profile.
        folder: PathBuf,
        /// What was found, for those who look into it.
        detail: String,
    },
    /// The folder can't be made or written to.
    NotWritable {
        /// The profile.
        folder: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The disk is full.
    DiskFull {
        /// The profile.
        folder: PathBuf,
    },
    /// The disk accepts no writes, for this reason. They wait in memory and are tried again.
    HeldInMemory(Box<StoreError>),
    /// So much waits in memory that the oldest messages of others are dropped.
    MemoryFull {
        /// The profile.
        folder: PathBuf,
    },
    /// The program ends while writes still wait in memory.
    NeverKept(Box<StoreError>),
    /// Anything else that the system or SQLite refused.
    Failed {
        /// The profile.
        folder: PathBuf,
        /// What they said.
        detail: String,
    },
    /// No such chat or message is stored.
    NotFound,
    /// The keys are sealed, and the passphrase was not given yet.
    PassphraseNeeded,
    /// The passphrase is wrong.
    WrongPassphrase,
    /// A backup can be restored only into a profile without chats.
    NotEmpty,
    /// The same operation is under way already.
    Busy,
    /// The store was closed before it got to this.
    Closed,
}

impl StoreError {
    /// The same for programs.
    pub fn code(&self) -> Code {
        match self {
            Self::Locked { .. } => Code::Locked,
            Self::NewerVersion { .. } => Code::NewerVersion,
            Self::Damaged { .. } | Self::KeysLost { .. } => Code::Damaged,
            Self::DiskFull { .. } | Self::MemoryFull { .. } => Code::DiskFull,
            Self::HeldInMemory(why) | Self::NeverKept(why) => why.code(),
            Self::NotFound => Code::NotFound,
            Self::PassphraseNeeded => Code::PassphraseNeeded,
            Self::WrongPassphrase => Code::WrongPassphrase,
            Self::NotEmpty => Code::Already,
            Self::Busy => Code::Busy,
            Self::NotWritable { .. } | Self::Failed { .. } | Self::Closed => Code::File,
        }
    }

    /// What the file system said about `folder` or a file in it.
    pub(super) fn from_io(folder: &Path, error: &io::Error) -> Self {
        let (folder, detail) = (folder.to_owned(), error.to_string());
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { folder },
            _ => Self::NotWritable { folder, detail },
        }
    }

    /// An error of SQLite about the database in `folder`. A value that the program can't have written is damage. A missing row
    /// means that the chat or message that was asked for is not stored.
    pub(super) fn from_sqlite(folder: &Path, error: &rusqlite::Error) -> Self {
        let (folder, detail) = (folder.to_owned(), error.to_string());
        match error {
            rusqlite::Error::QueryReturnedNoRows => Self::NotFound,
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => Self::Damaged { folder, detail },
            _ => match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                    Self::Damaged { folder, detail }
                }
                Some(ErrorCode::DiskFull) => Self::DiskFull { folder },
                // SQLite says this when there is no room for the log's index.
                _ if error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_SHMSIZE) => {
                    Self::DiskFull { folder }
                }
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                    Self::NotWritable { folder, detail }
                }
                _ => Self::Failed { folder, detail },
            },
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { folder } => write!(
                f,
                "Throng is already running with the profile in {}. Close it there first, or start with another \
                 folder (--profile DIR).",
                folder.display()
            ),
            Self::NewerVersion { folder } => write!(
                f,
                "The profile in {} was written by a newer version of Throng. Nothing was changed; install that \
                 version, or start with another folder (--profile DIR).",
                folder.display()
            ),
            Self::Damaged { folder, detail } => write!(
                f,
                "The profile in {} is damaged ({detail}), so nothing more is kept. Close Throng and start it again: it \
                 then rebuilds the profile from what can be read, and keeps the damaged file beside it.",
                folder.display()
            ),
            Self::KeysLost { folder, detail } => write!(
                f,
                "The profile in {} is damaged or is not Throng's ({detail}), and its keys can't be read. Nothing was \
                 changed. Put back a copy of the folder, or restore a backup into another one (--profile DIR), or move \
                 this one away to start anew as somebody else.",
                folder.display()
            ),
            Self::NotWritable { folder, detail } => write!(
                f,
                "Throng can't write to its folder {} ({detail}). Make it writable, or start with another folder \
                 (--profile DIR).",
                folder.display()
            ),
            Self::DiskFull { folder } => write!(
                f,
                "The disk that holds {} is full, so what is said now can't be kept. Make room on it.",
                folder.display()
            ),
            Self::HeldInMemory(why) => {
                write_why(f, why)?;
                f.write_str(
                    " What is said is held in memory until then, as long as Throng stays open.",
                )
            }
            Self::MemoryFull { folder } => write!(
                f,
                "The disk that holds {} still takes nothing, and no more can be held in memory: the oldest of what \
                 others said is let go. It is fetched from them again after the next start. Make room on the disk.",
                folder.display()
            ),
            Self::NeverKept(why) => {
                write_why(f, why)?;
                f.write_str(
                    " What was said since it began is not kept here. What others have of it is fetched from them \
                     after the next start.",
                )
            }
            Self::Failed { folder, detail } => write!(
                f,
                "The profile in {} could not be used ({detail}). Check the disk and start Throng again.",
                folder.display()
            ),
            Self::PassphraseNeeded => f.write_str("This profile is locked. Give its passphrase first."),
            Self::WrongPassphrase => f.write_str("This is not the passphrase of this profile. Nothing was changed."),
            Self::NotEmpty => f.write_str(
                "This profile has chats already, and a backup goes only into an empty one. Start Throng with another \
                 folder (--profile DIR) and restore it there.",
            ),
            Self::Busy => f.write_str("Throng is doing this already. Wait for the end of that."),
            Self::NotFound => f.write_str("No such chat or message is stored here."),
            Self::Closed => f.write_str("Throng is closing and keeps nothing more."),
        }
    }
}

/// Why the disk accepts no writes, and what to do about it.
fn write_why(f: &mut fmt::Formatter<'_>, why: &StoreError) -> fmt::Result {
    match why {
        StoreError::DiskFull { folder } => {
            write!(
                f,
                "The disk that holds {} is full. Make room on it.",
                folder.display()
            )
        }
        StoreError::Failed { folder, detail } | StoreError::NotWritable { folder, detail } => write!(
            f,
            "The disk that holds {} takes nothing ({detail}). Look whether it is full, broken or read-only.",
            folder.display()
        ),
        other => write!(f, "{other}"),
    }
}

impl std::error::Error for StoreError {}

/// A write was not queued: the store is too far behind, or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueFull;

impl fmt::Display for QueueFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The disk is too slow to keep all that is said.")
    }
}

impl std::error::Error for QueueFull {}
