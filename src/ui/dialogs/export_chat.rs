//! The dialog that writes a chat to a file.

use std::path::PathBuf;

use egui::{ProgressBar, RichText, Ui};

use super::DialogContext;
use super::file_wait::FileWait;
use crate::id::ChatId;
use crate::model::{Chat, ChatCommand, ChatEvent, Code, Event, ExportFormat, Tag};
use crate::ui::action::Action;
use crate::ui::files::{FileAnswer, FileKind, FileRequest, file_name, typed_path};
use crate::ui::icons::Icon;
use crate::ui::theme::{self, size};
use crate::ui::time_words::counted;
use crate::ui::widgets::{
    above_buttons, choice_style, dialog_buttons, done_ui, error_ui, field_with_button, hint_ui,
    labelled_button, paragraph_ui, secondary_button,
};

/// The dialog that writes a chat to a file.
#[derive(Debug)]
pub struct ExportChatDialog {
    chat: ChatId,
    chat_name: String,
    format: ExportFormat,
    path: String,
    /// Messages looked at, of so many, while it is under way.
    progress: Option<(u64, u64)>,
    error: Option<String>,
    done: Option<String>,
    pub(super) file: FileWait,
    pub(super) waiting: Option<Tag>,
}

impl ExportChatDialog {
    /// For this chat.
    pub fn new(chat: &Chat) -> Self {
        Self {
            chat: chat.id,
            chat_name: chat.name.clone(),
            format: ExportFormat::Html,
            path: String::new(),
            progress: None,
            error: None,
            done: None,
            file: FileWait::default(),
            waiting: None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        above_buttons(ui, |ui| {
            paragraph_ui(
                ui,
                &format!(
                    "Writes what is kept here of {} to a file: all that you can see in it, whoever said it. The file is \
                     not sealed: whoever has it can read it.",
                    self.chat_name
                ),
            );
            ui.add_space(4.0);
            let idle = self.waiting.is_none();
            ui.add_enabled_ui(idle, |ui| self.format_ui(ui));
            ui.add_space(4.0);
            actions.extend(self.place_ui(ui, context));
            self.outcome_ui(ui, &mut actions);
        });
        dialog_buttons(ui, |ui| {
            // It goes on behind a dialog that is closed.
            if secondary_button(ui, "Done", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    fn format_ui(&mut self, ui: &mut Ui) {
        for (format, name, what) in [
            (
                ExportFormat::Html,
                "Web page",
                "One file for any browser. It runs nothing and loads nothing.",
            ),
            (ExportFormat::Text, "Text", "Lines like those of a log."),
            (
                ExportFormat::Json,
                "JSON",
                "For programs, with all that is known of each message.",
            ),
        ] {
            ui.scope(|ui| {
                choice_style(ui);
                ui.radio_value(&mut self.format, format, name);
            });
            ui.add_space(-size::GRID);
            ui.horizontal_top(|ui| {
                // Under the name, beside the round sign before it.
                ui.add_space(16.0);
                ui.vertical(|ui| hint_ui(ui, what));
            });
        }
    }

    fn place_ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Option<Action> {
        let mut action = None;
        let idle = self.waiting.is_none();
        let name = file_name(&self.chat_name, FileKind::Chat(self.format));
        let may_ask = idle && self.file.may_ask(context.elapsed);
        if labelled_button(ui, Icon::Save, "Choose where to save it…", may_ask).clicked() {
            action = Some(Action::AskFile(FileRequest::ChooseTarget {
                kind: FileKind::Chat(self.format),
                file_name: name.clone(),
            }));
        }
        if let Some(hint) = self.file.hint(context.elapsed, "Type a path below.") {
            let amber = theme::tokens(ui).amber;
            ui.label(RichText::new(hint).color(amber));
        }
        let (label, hint) = ("Or type where to save it", format!("~/{name}"));
        if field_with_button(ui, label, &hint, &mut self.path, "Save", idle) {
            let path = typed_path(&self.path, std::env::home_dir().as_deref());
            action = self.save_new(path);
        }
        action
    }

    fn outcome_ui(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        if let Some((messages, of)) = self.progress {
            let part = if of == 0 { 0.0 } else { messages as f32 / of as f32 };
            let accent = theme::tokens(ui).accent_fill;
            ui.add(ProgressBar::new(part).desired_height(8.0).fill(accent));
            ui.horizontal(|ui| {
                hint_ui(ui, format!("{messages} of {}", counted(of, "message")));
                if ui.link("Cancel").clicked() {
                    actions.push(Action::Send(ChatCommand::CancelExport.to(self.chat)));
                }
            });
        }
        if let Some(error) = &self.error {
            error_ui(ui, error);
        }
        if let Some(done) = &self.done {
            done_ui(ui, done);
        }
    }

    /// At a path that was typed nobody has asked whether a file may be lost.
    fn save_new(&mut self, path: PathBuf) -> Option<Action> {
        if path.exists() {
            self.done = None;
            self.error = Some(format!("There is {} already. Type another name.", path.display()));
            return None;
        }
        Some(self.save(path))
    }

    fn save(&mut self, path: PathBuf) -> Action {
        (self.error, self.done) = (None, None);
        Action::Submit(
            ChatCommand::Export {
                path,
                format: self.format,
            }
            .to(self.chat),
        )
    }

    pub(super) fn file_answered(&mut self, ticket: u64, answer: FileAnswer) -> Vec<Action> {
        if !self.file.ends(ticket, &answer) {
            return Vec::new();
        }
        match answer {
            FileAnswer::Chosen(path) => vec![self.save(path)],
            _ => Vec::new(),
        }
    }

    /// Hears how far it is.
    pub(super) fn told(&mut self, event: &Event) {
        if let Event::Chat {
            chat,
            event: ChatEvent::ExportProgress { messages, of },
        } = event
            && *chat == self.chat
            && self.waiting.is_some()
        {
            self.progress = Some((*messages, *of));
        }
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::Chat {
                event: ChatEvent::Exported { .. },
                ..
            } => self.done = exported_words(event),
            Event::Error {
                code: Code::Cancelled,
                message,
                ..
            } => self.done = Some(message.clone()),
            Event::Error { message, .. } => self.error = Some(message.clone()),
            _ => return None,
        }
        (self.waiting, self.progress) = (None, None);
        Some(Vec::new())
    }
}

/// What to say of a file that stands; nothing of other events.
pub fn exported_words(event: &Event) -> Option<String> {
    match event {
        Event::Chat {
            event: ChatEvent::Exported { path, messages },
            ..
        } => Some(format!(
            "Saved {} in {}.",
            counted(*messages, "message"),
            path.display()
        )),
        Event::BackedUp { path } => Some(format!("The backup is in {}.", path.display())),
        _ => None,
    }
}
