//! The dialog that creates a chat.

use egui::{RichText, Ui};

use super::door::{DoorForm, choice_list_style, indented};
use crate::model::{ChatEvent, ChatKind, Command, Door, Event, Tag, check_chat_name, check_nick};
use crate::ui::action::Action;
use crate::ui::theme;
use crate::ui::widgets::{
    above_buttons, dialog_buttons, error_ui, field_ui, hint_ui, primary_button, secondary_button,
};

/// The dialog that creates a chat.
#[derive(Debug)]
pub struct CreateDialog {
    name: String,
    kind: ChatKind,
    door: DoorForm,
    nick: String,
    error: Option<String>,
    focused: bool,
    pub(super) waiting: Option<Tag>,
}

impl CreateDialog {
    /// With the nick to offer.
    pub fn new(nick: &str) -> Self {
        Self {
            name: String::new(),
            kind: ChatKind::Private,
            door: DoorForm::new(Door::OPEN),
            nick: nick.to_owned(),
            error: None,
            focused: false,
            waiting: None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui) -> Vec<Action> {
        let mut actions = Vec::new();
        let problem = check_chat_name(&self.name).and(check_nick(&self.nick)).err();
        let (name, nick) = above_buttons(ui, |ui| {
            let name = field_ui(ui, "Name", "What the chat is called", &mut self.name);
            let nick = field_ui(ui, "Your nick in this chat", "Your nick", &mut self.nick);
            self.kind_ui(ui);
            if self.kind == ChatKind::Public {
                self.door.mode_ui(ui);
            }
            (name, nick)
        });
        if !std::mem::replace(&mut self.focused, true) {
            name.request_focus();
        }
        // What keeps it from being created stands by the button.
        let problem_shown = problem.filter(|_| !self.name.trim().is_empty());
        if let Some(error) = self.error.as_deref().or(problem_shown) {
            error_ui(ui, error);
        }
        let ready = problem.is_none() && self.waiting.is_none();
        let enter = super::enter_pressed(ui, &[&name, &nick]);
        dialog_buttons(ui, |ui| {
            if primary_button(ui, "Create", ready).clicked() || (enter && ready) {
                self.error = None;
                actions.push(Action::Submit(Command::CreateChat {
                    name: self.name.trim().to_owned(),
                    kind: self.kind,
                    nick: self.nick.trim().to_owned(),
                    door: (self.kind == ChatKind::Public).then(|| self.door.door()),
                }));
            }
            if secondary_button(ui, "Cancel", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    fn kind_ui(&mut self, ui: &mut Ui) {
        ui.vertical(|ui| {
            choice_list_style(ui);
            let weak = theme::tokens(ui).weak;
            ui.label(RichText::new("Kind").font(theme::meta_strong()).color(weak));
            let kinds = [
                (ChatKind::Private, "Private", "Only people with an invite of yours come in, and nobody can speak in another's name."),
                (ChatKind::Public, "Public", "Whoever has its link comes in, and can hand it on. Bans slow people down there, they don't hold: who is banned can come back as somebody new."),
                (ChatKind::Classic, "Classic", "For other programs that speak the plain protocol. Anyone in the chat can speak in anyone's name."),
            ];
            for (kind, name, what) in kinds {
                ui.radio_value(&mut self.kind, kind, name);
                indented(ui, |ui| _ = hint_ui(ui, what));
            }
        });
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::Chat {
                event: ChatEvent::ChatOpened { .. },
                ..
            } => Some(vec![Action::CloseDialog]),
            Event::Error { message, .. } => {
                self.waiting = None;
                self.error = Some(message.clone());
                Some(Vec::new())
            }
            _ => None,
        }
    }
}
