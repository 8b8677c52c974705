//! The dialog that exports an invite: for how many, for how long; then as a file, as text or as a link. The invite is
//! made once, when it is first asked for, and all the ways give the same one.

use std::path::PathBuf;

use egui::{RichText, Ui};
use lucide_icons::Icon;

use super::DialogContext;
use super::file_wait::FileWait;
use crate::id::ChatId;
use crate::model::{Command, Event, Rights, Tag};
use crate::ui::action::Action;
use crate::ui::files::{FileAnswer, FileRequest, invite_file_name, typed_path};
use crate::ui::theme;
use crate::ui::widgets::{
    area_ui, choice_style, dialog_buttons, done_ui, error_ui, field_with_button, hint_ui, labelled_button,
    paragraph_ui, secondary_button,
};

/// Seconds of a day.
const DAY_SECS: u64 = 24 * 60 * 60;

/// The dialog that exports an invite.
#[derive(Debug)]
pub struct ExportDialog {
    chat: ChatId,
    chat_name: String,
    terms: Terms,
    made: Option<Made>,
    /// What is to be done with the invite as soon as it is made.
    then: Option<Way>,
    path: String,
    error: Option<String>,
    pub(super) done: Option<String>,
    pub(super) file: FileWait,
    pub(super) waiting: Option<Tag>,
}

/// Whom the invite lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Terms {
    /// 0: any number.
    uses: u16,
    /// Nothing: always.
    valid_secs: Option<u64>,
}

/// An invite.
#[derive(Debug)]
struct Made {
    text: String,
    link: String,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    ChooseFile,
    WriteTo(PathBuf),
    CopyText,
    CopyLink,
}

impl ExportDialog {
    /// For a chat of this name.
    pub fn new(chat: ChatId, chat_name: &str) -> Self {
        Self {
            chat,
            chat_name: chat_name.to_owned(),
            terms: Terms {
                uses: 1,
                valid_secs: Some(7 * DAY_SECS),
            },
            made: None,
            then: None,
            path: String::new(),
            error: None,
            done: None,
            file: FileWait::default(),
            waiting: None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let before = self.terms;
        paragraph_ui(
            ui,
            &format!(
                "An invite to {} is a small file, or a text, that lets people in.",
                self.chat_name
            ),
        );
        self.terms_ui(ui);
        if self.terms != before {
            // Other terms are another invite.
            (self.made, self.done) = (None, None);
        }
        let way = self.ways_ui(ui, context);
        if let Some(error) = &self.error {
            error_ui(ui, error);
        }
        if let Some(done) = &self.done {
            done_ui(ui, done);
        }
        if let Some(made) = &mut self.made {
            let mut shown = made.text.clone();
            area_ui(ui, "The invite's text", "", 4, &mut shown);
        }
        hint_ui(
            ui,
            "Whoever holds the invite can come in, so hand it to nobody else. \
             It tells at which network addresses you can be reached.",
        );
        let mut actions: Vec<Action> = way.map(|way| self.go(way)).unwrap_or_default();
        dialog_buttons(ui, |ui| {
            if secondary_button(ui, "Done", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    fn terms_ui(&mut self, ui: &mut Ui) {
        let uses = [
            (1, "1 person"),
            (5, "5 people"),
            (25, "25 people"),
            (0, "Any number"),
        ];
        choices_ui(ui, "Lets in", &uses, &mut self.terms.uses);
        let valid = [
            (Some(DAY_SECS), "A day"),
            (Some(7 * DAY_SECS), "A week"),
            (None, "Always"),
        ];
        choices_ui(ui, "Valid for", &valid, &mut self.terms.valid_secs);
    }

    fn ways_ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Option<Way> {
        let mut way = None;
        let idle = self.waiting.is_none();
        ui.horizontal_wrapped(|ui| {
            let may_ask = idle && self.file.may_ask(context.elapsed);
            if labelled_button(ui, Icon::Save, "Save as file…", may_ask).clicked() {
                way = Some(Way::ChooseFile);
            }
            if labelled_button(ui, Icon::Copy, "Copy text", idle).clicked() {
                way = Some(Way::CopyText);
            }
            if labelled_button(ui, Icon::Link, "Copy link", idle).clicked() {
                way = Some(Way::CopyLink);
            }
        });
        if let Some(hint) = self
            .file
            .hint(context.elapsed, "Type a path below, or copy the text.")
        {
            let amber = theme::tokens(ui).amber;
            ui.label(RichText::new(hint).color(amber));
        }
        let hint = format!("~/{}", invite_file_name(&self.chat_name));
        if field_with_button(
            ui,
            "Or type where to save it",
            &hint,
            &mut self.path,
            "Save",
            idle,
        ) {
            let home = std::env::home_dir();
            way = Some(Way::WriteTo(typed_path(&self.path, home.as_deref())));
        }
        way
    }

    /// Goes a way, by making the invite first if there is none yet.
    fn go(&mut self, way: Way) -> Vec<Action> {
        (self.error, self.done) = (None, None);
        let Some(made) = &self.made else {
            self.then = Some(way);
            return vec![Action::Submit(Command::ExportInvite {
                chat: self.chat,
                path: None,
                uses: Some(self.terms.uses),
                expires_in: self.terms.valid_secs,
                rights: Rights::Member,
            })];
        };
        vec![match way {
            Way::ChooseFile => Action::AskFile(FileRequest::ChooseTarget {
                file_name: invite_file_name(&self.chat_name),
            }),
            Way::WriteTo(path) => Action::AskFile(FileRequest::Write {
                path,
                text: made.text.clone(),
                replace: false,
            }),
            Way::CopyText => Action::Copy {
                text: made.text.clone(),
                what: "the invite's text".to_owned(),
            },
            Way::CopyLink => Action::Copy {
                text: made.link.clone(),
                what: "the invite's link".to_owned(),
            },
        }]
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::InviteExported { text, link, .. } => {
                self.waiting = None;
                self.made = Some(Made {
                    text: text.clone(),
                    link: link.clone(),
                });
                Some(self.then.take().map(|way| self.go(way)).unwrap_or_default())
            }
            Event::Error { message, .. } => {
                (self.waiting, self.then) = (None, None);
                self.error = Some(message.clone());
                Some(Vec::new())
            }
            _ => None,
        }
    }

    pub(super) fn file_answered(&mut self, ticket: u64, answer: FileAnswer) -> Vec<Action> {
        if !self.file.ends(ticket, &answer) {
            return Vec::new();
        }
        match (answer, &self.made) {
            // The system's dialog has asked whether a file may be replaced.
            (FileAnswer::Chosen(path), Some(made)) => {
                return vec![Action::AskFile(FileRequest::Write {
                    path,
                    text: made.text.clone(),
                    replace: true,
                })];
            }
            (FileAnswer::Written(path), _) => self.done = Some(format!("Saved as {}.", path.display())),
            (FileAnswer::NotWritten(why), _) => self.error = Some(why),
            _ => {}
        }
        Vec::new()
    }
}

fn choices_ui<T: PartialEq + Copy>(ui: &mut Ui, label: &str, choices: &[(T, &str)], chosen: &mut T) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        choice_style(ui);
        let weak = theme::tokens(ui).weak;
        ui.label(RichText::new(label).font(theme::meta_strong()).color(weak));
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 16.0;
            for (value, name) in choices {
                ui.radio_value(chosen, *value, *name);
            }
        });
    });
}
