//! The dialogs that write the profile to a sealed file, and that take it out of one.

use std::path::PathBuf;

use egui::{RichText, Ui};

use super::DialogContext;
use super::export_chat::exported_words;
use super::file_wait::FileWait;
use crate::model::{Code, Command, Event, Tag};
use crate::ui::action::Action;
use crate::ui::files::{FileAnswer, FileKind, FileRequest, file_name, typed_path};
use crate::ui::icons::Icon;
use crate::ui::secret_field::{NewPassphrase, SecretField};
use crate::ui::theme;
use crate::ui::widgets::{
    above_buttons, dialog_buttons, done_ui, error_ui, field_ui, hint_ui, labelled_button, paragraph_ui,
    primary_button, secondary_button,
};

/// The dialog that writes the profile to a sealed file.
#[derive(Debug, Default)]
pub struct BackupDialog {
    passphrase: NewPassphrase,
    path: String,
    /// The system's dialog has asked whether what lies at the path may be lost.
    replaces: Option<PathBuf>,
    error: Option<String>,
    done: Option<String>,
    pub(super) file: FileWait,
    pub(super) waiting: Option<Tag>,
}

impl BackupDialog {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let idle = self.waiting.is_none();
        above_buttons(ui, |ui| {
            paragraph_ui(
                ui,
                "Your chats, keys, history and settings in one file, sealed with a passphrase of its own. Without the \
                 passphrase nobody can open it, and neither can you.",
            );
            ui.add_space(4.0);
            self.passphrase.ui(ui, "Passphrase of this backup");
            ui.add_space(4.0);
            let name = file_name(
                &format!("Throng {}", context.now.strftime("%F")),
                FileKind::Backup,
            );
            field_ui(ui, "Where to save it", &format!("~/{name}"), &mut self.path);
            let may_ask = idle && self.file.may_ask(context.elapsed);
            if labelled_button(ui, Icon::FolderOpen, "Choose where…", may_ask).clicked() {
                actions.push(Action::AskFile(FileRequest::ChooseTarget {
                    kind: FileKind::Backup,
                    file_name: name,
                }));
            }
            file_hint_ui(ui, &self.file, context, "Type the path above.");
            hint_ui(
                ui,
                "To move to another computer, stop Throng here for good before you restore it there: one key in two \
                 running programs puts you at odds with yourself.",
            );
            working_ui(ui, idle);
            if let Some(error) = &self.error {
                error_ui(ui, error);
            }
            if let Some(done) = &self.done {
                done_ui(ui, done);
            }
        });
        let agreed = self
            .passphrase
            .agreed()
            .filter(|_| idle && !self.path.trim().is_empty());
        dialog_buttons(ui, |ui| {
            if primary_button(ui, "Back up", agreed.is_some()).clicked()
                && let Some(passphrase) = agreed
            {
                let path = typed_path(&self.path, std::env::home_dir().as_deref());
                (self.error, self.done) = (None, None);
                if path.exists() && self.replaces.as_ref() != Some(&path) {
                    self.error = Some(format!("There is {} already. Type another name.", path.display()));
                } else {
                    actions.push(Action::Submit(Command::Backup { path, passphrase }));
                }
            }
            if secondary_button(ui, "Done", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    pub(super) fn file_answered(&mut self, ticket: u64, answer: FileAnswer) -> Vec<Action> {
        if self.file.ends(ticket, &answer)
            && let FileAnswer::Chosen(path) = answer
        {
            self.path = path.display().to_string();
            self.replaces = Some(path);
        }
        Vec::new()
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::BackedUp { .. } => {
                self.done = exported_words(event);
                self.passphrase = NewPassphrase::default();
            }
            Event::Error { message, .. } => self.error = Some(message.clone()),
            _ => return None,
        }
        self.waiting = None;
        Some(Vec::new())
    }
}

/// The dialog that takes the profile out of a backup.
#[derive(Debug, Default)]
pub struct RestoreDialog {
    path: String,
    passphrase: SecretField,
    error: Option<String>,
    pub(super) file: FileWait,
    pub(super) waiting: Option<Tag>,
}

impl RestoreDialog {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let idle = self.waiting.is_none();
        let fields = above_buttons(ui, |ui| {
            paragraph_ui(
                ui,
                "Brings back the chats, keys, history and settings of a backup. If it was made on another computer, stop \
                 Throng there first, and don't start it there again.",
            );
            ui.add_space(4.0);
            let path = field_ui(ui, "The backup", "~/Throng.backup", &mut self.path);
            let may_ask = idle && self.file.may_ask(context.elapsed);
            if labelled_button(ui, Icon::FolderOpen, "Choose file…", may_ask).clicked() {
                actions.push(Action::AskFile(FileRequest::ChooseBackup));
            }
            file_hint_ui(ui, &self.file, context, "Type the path above.");
            let passphrase = self.passphrase.ui(ui, "Its passphrase");
            working_ui(ui, idle);
            if let Some(error) = &self.error {
                error_ui(ui, error);
            }
            [path, passphrase]
        });
        let ready = idle && !self.path.trim().is_empty() && !self.passphrase.is_empty();
        let enter = super::enter_pressed(ui, &[&fields[0], &fields[1]]);
        dialog_buttons(ui, |ui| {
            let restore = primary_button(ui, "Restore", ready).clicked();
            if ready && (restore || enter) {
                self.error = None;
                actions.push(Action::Submit(Command::Restore {
                    path: typed_path(&self.path, std::env::home_dir().as_deref()),
                    passphrase: self.passphrase.passphrase(),
                }));
            }
            if secondary_button(ui, "Cancel", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    pub(super) fn file_answered(&mut self, ticket: u64, answer: FileAnswer) -> Vec<Action> {
        if self.file.ends(ticket, &answer)
            && let FileAnswer::Chosen(path) = answer
        {
            self.path = path.display().to_string();
        }
        Vec::new()
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::Restored { .. } => Some(vec![Action::CloseDialog]),
            Event::Error { code, message, .. } => {
                if *code == Code::WrongPassphrase {
                    self.passphrase.clear();
                }
                self.error = Some(message.clone());
                self.waiting = None;
                Some(Vec::new())
            }
            _ => None,
        }
    }
}

fn file_hint_ui(ui: &mut Ui, file: &FileWait, context: &DialogContext<'_>, instead: &str) {
    if let Some(hint) = file.hint(context.elapsed, instead) {
        let amber = theme::tokens(ui).amber;
        ui.label(RichText::new(hint).color(amber));
    }
}

fn working_ui(ui: &mut Ui, idle: bool) {
    if !idle {
        hint_ui(ui, "Working: this takes a few seconds, longer with much history.");
    }
}
