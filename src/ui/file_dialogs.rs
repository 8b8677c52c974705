//! The system's file dialogs, asked for without ever waiting for them.
//!
//! A dialog may be chosen in, cancelled, not to be had (no portal, no D-Bus), or silent for ever. rfd answers `None`
//! for the middle two: they are told apart by the time they take. Whoever asks must offer another way beside it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use raw_window_handle::{HasDisplayHandle, HasWindowHandle};

/// Nobody cancels a dialog faster than this, and a missing portal answers within 50 ms (measured).
const UNAVAILABLE_WITHIN: Duration = Duration::from_millis(250);

/// The ending of an invite's file, without the dot.
pub const INVITE_EXTENSION: &str = "throng";

/// Which dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRequest {
    /// Where to write an invite, with the file name to begin with.
    SaveInvite {
        /// What the file is to be called unless the user says otherwise.
        file_name: String,
    },
    /// Which invite to read.
    OpenInvite,
}

impl FileRequest {
    /// What stands above the dialog.
    pub fn title(&self) -> &'static str {
        match self {
            Self::SaveInvite { .. } => "Export the invite",
            Self::OpenInvite => "Import an invite",
        }
    }
}

/// What came of a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileAnswer {
    /// A file was chosen.
    Chosen(PathBuf),
    /// The user closed it.
    Cancelled,
    /// The system has no file dialog to show.
    Unavailable,
}

/// Opens file dialogs and hears what came of them later. A trait, so that tests can answer in the user's place.
pub trait FileDialogs {
    /// Opens a dialog; its answer comes from [`Self::poll`] with the same ticket.
    fn open(&mut self, ticket: u64, request: FileRequest);

    /// An answer that has come, if one has.
    fn poll(&mut self) -> Option<(u64, FileAnswer)>;
}

/// The system's own dialogs.
pub struct SystemFileDialogs {
    dialog: rfd::AsyncFileDialog,
    executor: tokio::runtime::Handle,
    wake: Arc<dyn Fn() + Send + Sync>,
    sender: mpsc::Sender<(u64, FileAnswer)>,
    answers: mpsc::Receiver<(u64, FileAnswer)>,
}

impl SystemFileDialogs {
    /// Dialogs that stand before `parent`, are waited for on `executor`, and call `wake` when one is answered.
    pub fn new(
        parent: &(impl HasWindowHandle + HasDisplayHandle),
        executor: tokio::runtime::Handle,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        let (sender, answers) = mpsc::channel();
        Self { dialog: rfd::AsyncFileDialog::new().set_parent(parent), executor, wake, sender, answers }
    }
}

impl FileDialogs for SystemFileDialogs {
    fn open(&mut self, ticket: u64, request: FileRequest) {
        let dialog = self
            .dialog
            .clone()
            .set_title(request.title())
            .add_filter("Throng invites", &[INVITE_EXTENSION])
            .add_filter("All files", &["*"]);
        let (sender, wake) = (self.sender.clone(), Arc::clone(&self.wake));
        self.executor.spawn(async move {
            let asked = Instant::now();
            let file = match request {
                FileRequest::SaveInvite { file_name } => dialog.set_file_name(file_name).save_file().await,
                FileRequest::OpenInvite => dialog.pick_file().await,
            };
            let answer = match file {
                Some(file) => FileAnswer::Chosen(file.path().to_path_buf()),
                None if asked.elapsed() < UNAVAILABLE_WITHIN => FileAnswer::Unavailable,
                None => FileAnswer::Cancelled,
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

/// A file name for an invite to the chat of this name: what file systems refuse is replaced.
pub fn invite_file_name(chat_name: &str) -> String {
    let name: String = chat_name
        .chars()
        .map(|c| if c.is_control() || r#"/\:*?"<>|"#.contains(c) { '-' } else { c })
        .collect();
    let name = name.trim().trim_matches('.');
    let name = if name.is_empty() { "invite" } else { name };
    format!("{name}.{INVITE_EXTENSION}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_hold_nothing_that_leads_elsewhere() {
        assert_eq!(invite_file_name("friends"), "friends.throng");
        assert_eq!(invite_file_name("../../etc/passwd"), "-..-etc-passwd.throng");
        assert_eq!(invite_file_name(".. "), "invite.throng");
        assert_eq!(invite_file_name("a\0b"), "a-b.throng");
    }
}
