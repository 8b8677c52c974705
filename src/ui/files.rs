//! The system's file dialogs, and writing a chosen file. The window never waits for either.
//!
//! A dialog can return a file, be cancelled, be missing (no portal, no D-Bus), or never answer. rfd answers `None` if it is
//! cancelled or missing; the time that this takes tells which. A caller has to offer another way beside the dialog.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::model::ExportFormat;
use crate::runtime::{OwnFiles, write_file};

/// Nobody cancels a dialog faster than this, and a missing portal answers within 50 ms (measured).
const UNAVAILABLE_WITHIN: Duration = Duration::from_millis(250);

/// The ending of an invite's file, without the dot.
pub const INVITE_EXTENSION: &str = "throng";

/// The ending of a picture, without the dot.
pub const PICTURE_EXTENSION: &str = "png";

/// What kind of file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// An invite.
    Invite,
    /// A picture of an invite's link.
    Picture,
    /// What was said in a chat.
    Chat(ExportFormat),
    /// A backup of the profile.
    Backup,
}

/// What is asked of the file system or of its dialogs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRequest {
    /// Ask where to write a file.
    ChooseTarget {
        /// Of what kind it is.
        kind: FileKind,
        /// What the file is to be called unless the user says otherwise.
        file_name: String,
    },
    /// Ask which invite to read.
    ChooseInvite,
    /// Ask which backup to restore.
    ChooseBackup,
    /// Write a file.
    Write {
        /// Where.
        path: PathBuf,
        /// All of it.
        bytes: Vec<u8>,
        /// Whether a file that is there already may be lost: the user was asked.
        replace: bool,
    },
}

impl FileKind {
    /// The ending of such files, without the dot.
    fn extension(self) -> &'static str {
        match self {
            Self::Invite => INVITE_EXTENSION,
            Self::Picture => PICTURE_EXTENSION,
            Self::Chat(ExportFormat::Html) => "html",
            Self::Chat(ExportFormat::Text) => "txt",
            Self::Chat(ExportFormat::Json) => "json",
            Self::Backup => "backup",
        }
    }
}

impl FileRequest {
    /// What stands above the dialog.
    pub fn title(&self) -> &'static str {
        match self {
            Self::ChooseTarget {
                kind: FileKind::Picture,
                ..
            } => "Save the picture",
            Self::ChooseTarget {
                kind: FileKind::Chat(_),
                ..
            } => "Export the chat",
            Self::ChooseTarget {
                kind: FileKind::Backup,
                ..
            } => "Save the backup",
            Self::ChooseBackup => "Restore a backup",
            Self::ChooseTarget { .. } | Self::Write { .. } => "Export the invite",
            Self::ChooseInvite => "Import an invite",
        }
    }

    /// What the dialog offers to show: its name, and the ending of such files.
    fn filter(&self) -> (&'static str, &'static str) {
        match self {
            Self::ChooseTarget {
                kind: FileKind::Picture,
                ..
            } => ("Pictures", PICTURE_EXTENSION),
            Self::ChooseTarget {
                kind: kind @ FileKind::Chat(format),
                ..
            } => match format {
                ExportFormat::Html => ("Web pages", kind.extension()),
                ExportFormat::Text => ("Texts", kind.extension()),
                ExportFormat::Json => ("JSON files", kind.extension()),
            },
            Self::ChooseBackup
            | Self::ChooseTarget {
                kind: FileKind::Backup,
                ..
            } => ("Throng backups", FileKind::Backup.extension()),
            _ => ("Throng invites", INVITE_EXTENSION),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileAnswer {
    /// A file was chosen.
    Chosen(PathBuf),
    /// The user closed the dialog.
    Cancelled,
    /// The system has no file dialog to show.
    Unavailable,
    /// The file stands.
    Written(PathBuf),
    /// It could not be written: why, and what to do.
    NotWritten(String),
}

/// Asks for files, and hears what came of it later. A trait, so that tests can answer in the user's place.
pub trait Files {
    /// Begins; the answer comes from [`Self::poll`] with the same ticket.
    fn request(&mut self, ticket: u64, request: FileRequest);

    /// An answer that has come, if one has.
    fn poll(&mut self) -> Option<(u64, FileAnswer)>;
}

/// The system's own.
pub struct SystemFiles {
    dialog: rfd::AsyncFileDialog,
    executor: tokio::runtime::Handle,
    own_files: OwnFiles,
    wake: Arc<dyn Fn() + Send + Sync>,
    sender: mpsc::Sender<(u64, FileAnswer)>,
    answers: mpsc::Receiver<(u64, FileAnswer)>,
}

impl SystemFiles {
    /// `dialog` has its parent window set; dialogs are waited for on `executor`; `wake` is called when one is
    /// answered.
    pub fn new(
        dialog: rfd::AsyncFileDialog,
        executor: tokio::runtime::Handle,
        own_files: OwnFiles,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        let (sender, answers) = mpsc::channel();
        Self {
            dialog,
            executor,
            own_files,
            wake,
            sender,
            answers,
        }
    }
}

impl Files for SystemFiles {
    fn request(&mut self, ticket: u64, request: FileRequest) {
        let (files, ending) = request.filter();
        let dialog = self
            .dialog
            .clone()
            .set_title(request.title())
            .add_filter(files, &[ending])
            .add_filter("All files", &["*"]);
        let (sender, wake) = (self.sender.clone(), Arc::clone(&self.wake));
        let own_files = self.own_files.clone();
        self.executor.spawn(async move {
            let answer = match request {
                FileRequest::ChooseTarget { file_name, .. } => {
                    choose(dialog.set_file_name(file_name).save_file()).await
                }
                FileRequest::ChooseInvite | FileRequest::ChooseBackup => choose(dialog.pick_file()).await,
                FileRequest::Write { path, bytes, replace } => {
                    // The blocking pool ends with the program; a file half written then is nobody's any more.
                    tokio::task::spawn_blocking(move || write(path, &bytes, replace, &own_files))
                        .await
                        .unwrap_or_else(|_| {
                            FileAnswer::NotWritten("The file could not be written.".to_owned())
                        })
                }
            };
            // The window may be gone by now; then nobody wants the answer.
            let _ = sender.send((ticket, answer));
            wake();
        });
    }

    fn poll(&mut self) -> Option<(u64, FileAnswer)> {
        self.answers.try_recv().ok()
    }
}

async fn choose(dialog: impl Future<Output = Option<rfd::FileHandle>>) -> FileAnswer {
    let asked = Instant::now();
    match dialog.await {
        Some(file) => FileAnswer::Chosen(file.path().to_path_buf()),
        None if asked.elapsed() < UNAVAILABLE_WITHIN => FileAnswer::Unavailable,
        None => FileAnswer::Cancelled,
    }
}

/// Writes a file where the user wants it.
pub fn write(path: PathBuf, bytes: &[u8], replace: bool, own_files: &OwnFiles) -> FileAnswer {
    match write_file(&path, bytes, replace, own_files) {
        Ok(()) => FileAnswer::Written(path),
        Err(error) => FileAnswer::NotWritten(not_written(&path, &error)),
    }
}

fn not_written(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => format!("There is a file {path} already. Type another name."),
        io::ErrorKind::PermissionDenied => format!("You may not write to {path}. Choose another folder."),
        io::ErrorKind::NotFound => format!("There is no such folder: {path}. Choose another one."),
        io::ErrorKind::IsADirectory => format!("{path} is a folder. Add a file name to it."),
        io::ErrorKind::StorageFull => "The disk is full. Make room, or choose another one.".to_owned(),
        _ => format!("{path} could not be written: {error}. Choose another place, or copy the text instead."),
    }
}

/// A file name for something of this name: what file systems refuse is replaced.
pub fn file_name(name: &str, kind: FileKind) -> String {
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_control() || r#"/\:*?"<>|"#.contains(c) {
                '-'
            } else {
                c
            }
        })
        .collect();
    let name = name.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let unnamed = match kind {
        FileKind::Invite | FileKind::Picture => "invite",
        FileKind::Chat(_) => "chat",
        FileKind::Backup => "Throng",
    };
    let name = if name.is_empty() { unnamed } else { name };
    format!("{name}.{}", kind.extension())
}

/// A path as somebody types it: `~` is the home folder, and an invite's ending is added where none stands.
pub fn typed_path(typed: &str, home: Option<&Path>) -> PathBuf {
    let typed = typed.trim().trim_matches('"');
    match (typed.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(typed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_hold_nothing_that_leads_elsewhere() {
        assert_eq!(file_name("friends", FileKind::Invite), "friends.throng");
        assert_eq!(
            file_name("../../etc/passwd", FileKind::Invite),
            "-..-etc-passwd.throng"
        );
        assert_eq!(file_name(".. ", FileKind::Invite), "invite.throng");
        assert_eq!(file_name("a\0b", FileKind::Picture), "a-b.png");
    }

    #[test]
    fn a_file_is_lost_only_where_the_user_was_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.throng");
        let own = OwnFiles::of(&folder.path().join("profile"));
        assert_eq!(
            write(path.clone(), b"one", false, &own),
            FileAnswer::Written(path.clone())
        );
        assert!(matches!(
            write(path.clone(), b"two", false, &own),
            FileAnswer::NotWritten(_)
        ));
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), "one");
        assert_eq!(
            write(path.clone(), b"2", true, &own),
            FileAnswer::Written(path.clone())
        );
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), "2");
        assert!(matches!(
            write(folder.path().join("no/a"), b"", true, &own),
            FileAnswer::NotWritten(_)
        ));
    }

    #[test]
    fn typed_paths_know_the_home_folder() {
        let home = Path::new("/home/ann");
        assert_eq!(
            typed_path(" ~/a.throng ", Some(home)),
            Path::new("/home/ann/a.throng")
        );
        assert_eq!(typed_path("\"/tmp/a b\"", Some(home)), Path::new("/tmp/a b"));
    }
}
