//! Backup, restore, and the passphrase of the profile's keys.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use super::actor::{Actor, Errand, random};
use super::backup_file::{self, OpenError};
use super::failure::Failure;
use super::failure::bad_command;
use super::whole_file::{WholeFile, write_failed};
use crate::model::{Code, Command, Event, MAX_PASSPHRASE_LEN, Passphrase, Tag};
use crate::store::{Lock, OwnFiles, Scratch, Store, StoreError};

impl Actor {
    /// Opens all chats of the store, or asks for the passphrase first.
    ///
    /// # Errors
    /// Those of the store. Then nothing can be done.
    pub(super) async fn open_profile(&mut self, tag: Option<Tag>) -> Result<(), StoreError> {
        let lock = self.outlet.store.lock().await?;
        self.locked = lock == Lock::Locked;
        if self.locked {
            self.outlet.report(Event::PassphraseNeeded { wrong: false }, tag);
            return Ok(());
        }
        let records = self.outlet.store.chats().await?;
        self.tell_ready(lock == Lock::Unlocked);
        self.open_chats(records).await;
        Ok(())
    }

    /// Reports the result of rebuilding a damaged profile.
    pub(super) fn tell_rebuilt(&mut self) {
        if let Some(rebuilt) = self.outlet.store.rebuilt() {
            let event = Event::Rebuilt {
                path: rebuilt.kept.clone(),
                chats: rebuilt.chats,
                lost_chats: rebuilt.lost_chats,
                messages: rebuilt.messages,
                message: rebuilt.to_string(),
            };
            self.outlet.report(event, None);
        }
    }

    /// Whether a command can be carried out while the profile is locked.
    pub(super) fn check_lock(&self, command: &Command) -> Result<(), Failure> {
        match command {
            Command::Unlock { .. } | Command::Shutdown => Ok(()),
            _ if self.locked => Err(StoreError::PassphraseNeeded.into()),
            _ => Ok(()),
        }
    }

    /// Tries a passphrase. Nothing else goes on until it is right.
    pub(super) async fn unlock(&mut self, passphrase: Passphrase, tag: Option<Tag>) -> Result<(), Failure> {
        if !self.locked {
            return Err(Failure::new(Code::Already, "The profile is not locked."));
        }
        check_passphrase(&passphrase)?;
        if !self.outlet.store.unlock(passphrase).await? {
            self.outlet.report(Event::PassphraseNeeded { wrong: true }, tag);
            return Ok(());
        }
        self.outlet.report(Event::Unlocked, tag);
        Ok(self.open_profile(None).await?)
    }

    /// Sets, changes or removes the passphrase.
    pub(super) fn set_passphrase(
        &mut self,
        old: Passphrase,
        new: Passphrase,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        check_passphrase(&old)?;
        check_passphrase(&new)?;
        let store = self.outlet.store.clone();
        self.ask_store("set_passphrase", None, tag, async move {
            let set = !new.is_empty();
            store.set_passphrase(old, new).await?;
            Ok(Event::PassphraseChanged { set })
        })
    }

    /// Writes the profile to a sealed file.
    pub(super) fn backup(
        &mut self,
        path: PathBuf,
        passphrase: Passphrase,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        if passphrase.is_empty() {
            return Err(bad_command(
                "A backup needs a passphrase: whoever has it has your keys.",
            ));
        }
        check_passphrase(&passphrase)?;
        let permit = self.errand_permit()?;
        let store = self.outlet.store.clone();
        self.send_for(permit, async move {
            let written = write_backup(&store, path, passphrase).await;
            Errand::Answer {
                command: "backup",
                chat: None,
                tag,
                result: written.map(|path| Box::new(Event::BackedUp { path })),
            }
        });
        Ok(())
    }

    /// Puts what a sealed file holds into the profile.
    pub(super) fn restore(
        &mut self,
        path: PathBuf,
        passphrase: Passphrase,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        check_passphrase(&passphrase)?;
        let permit = self.errand_permit()?;
        let store = self.outlet.store.clone();
        self.send_for(permit, async move {
            let result = read_backup(&store, path, passphrase).await;
            Errand::Restored { tag, result }
        });
        Ok(())
    }

    /// A backup was restored: its chats are opened as at a start.
    pub(super) async fn restored(&mut self, tag: Option<Tag>, result: Result<PathBuf, Failure>) {
        let opened = match result {
            Ok(path) => self.open_restored(path, tag.clone()).await.map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = opened {
            self.outlet.command_failed("restore", None, tag, failure);
        }
    }

    async fn open_restored(&mut self, path: PathBuf, tag: Option<Tag>) -> Result<(), StoreError> {
        let chats = self.outlet.store.chat_count().await?;
        let passphrase = self.outlet.store.lock().await? != Lock::None;
        let restored = Event::Restored {
            path,
            chats,
            passphrase,
        };
        self.outlet.report(restored, tag);
        self.open_profile(None).await
    }
}

async fn write_backup(store: &Store, path: PathBuf, passphrase: Passphrase) -> Result<PathBuf, Failure> {
    let snapshot = store.snapshot().await?;
    let own_files = store.own_files().clone();
    let sealed = spawn_blocking(move || match seal(&snapshot, &path, &own_files, &passphrase) {
        Ok(()) => Ok(path),
        Err(error) => Err(write_failed("The backup", &path, &error)),
    });
    sealed.await.unwrap_or_else(|_| Err(broken_off()))
}

fn seal(snapshot: &Scratch, path: &Path, own_files: &OwnFiles, passphrase: &Passphrase) -> io::Result<()> {
    let mut to = BufWriter::new(WholeFile::create(path, own_files)?);
    let from = File::open(snapshot.path())?;
    let len = from.metadata()?.len();
    backup_file::seal(BufReader::new(from), len, &mut to, passphrase, &random())?;
    to.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
}

async fn read_backup(store: &Store, path: PathBuf, passphrase: Passphrase) -> Result<PathBuf, Failure> {
    let room = store.make_room().await?;
    let opened = spawn_blocking(move || match open(&path, &room, &passphrase) {
        Ok(()) => Ok((path, room)),
        Err(error) => Err(restore_failed(&path, error)),
    });
    let (path, room) = opened.await.unwrap_or_else(|_| Err(broken_off()))?;
    match store.adopt(room).await {
        Ok(()) => Ok(path),
        Err(StoreError::Damaged { .. }) => Err(restore_failed(&path, OpenError::Damaged)),
        Err(StoreError::NewerVersion { .. }) => Err(restore_failed(&path, OpenError::NewerVersion)),
        Err(error) => Err(error.into()),
    }
}

fn open(path: &Path, room: &Scratch, passphrase: &Passphrase) -> Result<(), OpenError> {
    // Checked before opening: a pipe, for example, would wait for its writer for ever.
    if !fs::metadata(path).map_err(OpenError::Read)?.is_file() {
        return Err(OpenError::NotABackup);
    }
    let from = BufReader::new(File::open(path).map_err(OpenError::Read)?);
    let to = OpenOptions::new().write(true).open(room.path());
    let mut to = BufWriter::new(to.map_err(OpenError::Write)?);
    backup_file::open(from, &mut to, passphrase)?;
    let written = to.into_inner().map_err(io::IntoInnerError::into_error);
    written.and_then(|file| file.sync_all()).map_err(OpenError::Write)
}

/// The error for a backup that could not be restored.
fn restore_failed(path: &Path, error: OpenError) -> Failure {
    let file = path.display();
    let (code, sentence) = match error {
        OpenError::NotABackup => (
            Code::Damaged,
            format!("{file} is not a backup of Throng. Choose the file that was saved as one."),
        ),
        OpenError::NewerVersion => (
            Code::NewerVersion,
            format!(
                "The backup {file} was made by a newer version of Throng. Install that version to restore it."
            ),
        ),
        OpenError::WrongPassphrase => (
            Code::WrongPassphrase,
            format!("The backup {file} was sealed with another passphrase. Nothing was changed; try again."),
        ),
        OpenError::Cut => (
            Code::Damaged,
            format!(
                "The end of the backup {file} is missing. Copy it again from where it was saved; nothing was changed."
            ),
        ),
        OpenError::Damaged => (
            Code::Damaged,
            format!("The backup {file} is damaged. Take another copy of it; nothing was changed."),
        ),
        OpenError::Read(error) if error.kind() == io::ErrorKind::NotFound => {
            (Code::NotFound, format!("There is no file {file}."))
        }
        OpenError::Read(error) => (
            Code::File,
            format!("The backup {file} could not be read: {error}."),
        ),
        OpenError::Write(error) if error.kind() == io::ErrorKind::StorageFull => (
            Code::DiskFull,
            "The disk of the profile has no room for what is in the backup. Make room on it, and try again."
                .to_owned(),
        ),
        OpenError::Write(error) => (
            Code::File,
            format!("What is in the backup could not be written to the profile: {error}."),
        ),
    };
    Failure::new(code, sentence)
}

fn check_passphrase(passphrase: &Passphrase) -> Result<(), Failure> {
    if passphrase.as_bytes().len() <= MAX_PASSPHRASE_LEN {
        return Ok(());
    }
    Err(Failure::new(
        Code::TooLong,
        format!("A passphrase can have at most {MAX_PASSPHRASE_LEN} bytes. Give a shorter one."),
    ))
}

fn broken_off() -> Failure {
    Failure::new(
        Code::Cancelled,
        "The work was broken off, since Throng is closing.",
    )
}
