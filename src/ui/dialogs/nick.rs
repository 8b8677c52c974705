//! The dialog that changes one's nick in a chat.

use egui::{Key, Ui};

use crate::id::ChatId;
use crate::model::{ChatCommand, ChatEvent, Event, Tag, check_nick};
use crate::ui::action::Action;
use crate::ui::widgets::{dialog_buttons, error_ui, field_ui, hint_ui, primary_button, secondary_button};

/// The dialog that changes one's nick in a chat.
#[derive(Debug)]
pub struct NickDialog {
    chat: ChatId,
    nick: String,
    error: Option<String>,
    focused: bool,
    pub(super) waiting: Option<Tag>,
}

impl NickDialog {
    /// With the nick as it is.
    pub fn new(chat: ChatId, nick: &str) -> Self {
        Self {
            chat,
            nick: nick.to_owned(),
            error: None,
            focused: false,
            waiting: None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui) -> Vec<Action> {
        let mut actions = Vec::new();
        let edit = field_ui(ui, "Your nick in this chat", "Your nick", &mut self.nick);
        if !std::mem::replace(&mut self.focused, true) {
            edit.request_focus();
        }
        hint_ui(ui, "Everyone in the chat sees the change.");
        let problem = check_nick(&self.nick).err();
        if let Some(problem) = self.error.as_deref().or(problem) {
            error_ui(ui, problem);
        }
        let ready = problem.is_none() && self.waiting.is_none();
        let enter = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        dialog_buttons(ui, |ui| {
            if primary_button(ui, "Change", ready).clicked() || (enter && ready) {
                let nick = self.nick.trim().to_owned();
                actions.push(Action::Submit(ChatCommand::SetNick { nick }.to(self.chat)));
            }
            if secondary_button(ui, "Cancel", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::Chat {
                event: ChatEvent::NickChanged { .. },
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
