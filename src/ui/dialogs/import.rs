//! The dialog that imports an invite: a file chosen, dropped or typed, or a text pasted.

use std::path::PathBuf;

use egui::{RichText, Ui};

use super::DialogContext;
use super::file_wait::FileWait;
use crate::model::{ChatEvent, Command, Event, Tag, check_nick};
use crate::runtime::InviteSource;
use crate::ui::action::Action;
use crate::ui::files::{FileAnswer, FileRequest, typed_path};
use crate::ui::icons::Icon;
use crate::ui::theme;
use crate::ui::widgets::{
    area_ui, dialog_buttons, error_ui, field_ui, hint_ui, labelled_button, primary_button, secondary_button,
};

/// The dialog that imports an invite.
#[derive(Debug)]
pub struct ImportDialog {
    nick: String,
    text: String,
    path: String,
    error: Option<String>,
    focused: bool,
    pub(super) file: FileWait,
    pub(super) waiting: Option<Tag>,
}

impl ImportDialog {
    /// With the nick to offer.
    pub fn new(nick: &str) -> Self {
        Self {
            nick: nick.to_owned(),
            text: String::new(),
            path: String::new(),
            error: None,
            focused: false,
            file: FileWait::default(),
            waiting: None,
        }
    }

    /// Whether an invite is in it that was not imported yet.
    pub(in crate::ui) fn is_in_use(&self) -> bool {
        self.waiting.is_some() || self.command().is_some()
    }

    /// Fills in an invite that was dropped or pasted.
    pub fn fill(&mut self, source: InviteSource) {
        // The keyboard goes to what is to be done next.
        (self.error, self.focused) = (None, false);
        match source {
            InviteSource::Path(path) => {
                self.path = path.display().to_string();
                self.text.clear();
            }
            InviteSource::Text(text) => {
                self.text = text;
                self.path.clear();
            }
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        ui.horizontal(|ui| {
            let may_ask = self.file.may_ask(context.elapsed) && self.waiting.is_none();
            if labelled_button(ui, Icon::FolderOpen, "Choose file…", may_ask).clicked() {
                actions.push(Action::AskFile(FileRequest::ChooseInvite));
            }
            hint_ui(ui, "or drop a .throng file on this window");
        });
        if let Some(hint) = self.file.hint(
            context.elapsed,
            "Paste the invite's text, type the file's path, or drop it here.",
        ) {
            let amber = theme::tokens(ui).amber;
            ui.label(RichText::new(hint).color(amber));
        }
        let text = area_ui(
            ui,
            "Or paste the invite's text or link",
            "throng:…",
            4,
            &mut self.text,
        );
        let path = field_ui(
            ui,
            "Or type the file's path",
            "~/Downloads/friends.throng",
            &mut self.path,
        );
        let nick = field_ui(ui, "Your nick in this chat", "Your nick", &mut self.nick);
        if let Some(error) = &self.error {
            error_ui(ui, error);
        }
        let problem = check_nick(&self.nick).err();
        if let Some(problem) = problem {
            error_ui(ui, problem);
        }
        let command = self.command();
        let ready = problem.is_none() && self.waiting.is_none() && command.is_some();
        let is_fresh = !std::mem::replace(&mut self.focused, true);
        let enter = super::enter_pressed(ui, &[&text, &path, &nick]);
        dialog_buttons(ui, |ui| {
            let import = primary_button(ui, "Import", ready);
            match (is_fresh, problem, command.is_some()) {
                (false, ..) => {}
                (true, Some(_), _) => nick.request_focus(),
                (true, None, true) => import.request_focus(),
                (true, None, false) => text.request_focus(),
            }
            if import.clicked() || (enter && ready) {
                self.error = None;
                actions.extend(command.map(Action::Submit));
            }
            if secondary_button(ui, "Cancel", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    fn command(&self) -> Option<Command> {
        let nick = self.nick.trim().to_owned();
        let (text, path) = (self.text.trim(), self.path.trim());
        let home = std::env::home_dir();
        match (text.is_empty(), path.is_empty()) {
            (false, _) => Some(Command::ImportInvite {
                path: None,
                text: Some(text.to_owned()),
                nick,
            }),
            (true, false) => Some(Command::ImportInvite {
                path: Some(typed_path(path, home.as_deref())),
                text: None,
                nick,
            }),
            (true, true) => None,
        }
    }

    pub(super) fn file_answered(&mut self, ticket: u64, answer: FileAnswer) -> Vec<Action> {
        if !self.file.ends(ticket, &answer) {
            return Vec::new();
        }
        match answer {
            FileAnswer::Chosen(path) => self.chosen(path),
            _ => Vec::new(),
        }
    }

    /// A file was chosen: nothing else is missed, so it is imported at once.
    fn chosen(&mut self, path: PathBuf) -> Vec<Action> {
        self.fill(InviteSource::Path(path.clone()));
        match check_nick(&self.nick) {
            Ok(()) => {
                let nick = self.nick.trim().to_owned();
                vec![Action::Submit(Command::ImportInvite {
                    path: Some(path),
                    text: None,
                    nick,
                })]
            }
            Err(_) => Vec::new(),
        }
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::Chat {
                event: ChatEvent::ChatOpened { .. },
                ..
            } => Some(vec![Action::CloseDialog]),
            Event::Error { message, .. }
            | Event::Chat {
                event: ChatEvent::JoinFailed { message, .. },
                ..
            } => {
                self.waiting = None;
                self.error = Some(message.clone());
                Some(Vec::new())
            }
            _ => None,
        }
    }
}
