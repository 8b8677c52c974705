//! The dialog that asks before a chat is left with which more is lost than the chat: the founder's key, or words that
//! nobody has got yet.

use egui::Ui;

use super::DialogContext;
use crate::id::ChatId;
use crate::model::{Chat, ChatKind, Role};
use crate::ui::action::Action;
use crate::ui::commands::UiCommand;
use crate::ui::icons::Icon;
use crate::ui::time_words::counted;
use crate::ui::widgets::{danger_button, dialog_buttons, note_ui, paragraph_ui, secondary_button};

/// The dialog that asks before a chat is left.
#[derive(Debug)]
pub struct LeaveDialog {
    chat: ChatId,
    focused: bool,
}

impl LeaveDialog {
    /// Of this chat.
    pub fn new(chat: ChatId) -> Self {
        Self { chat, focused: false }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let Some(chat) = context.chats.get(self.chat) else {
            ui.label("This chat was left.");
            return actions;
        };
        let is_founder = chat.role == Role::Founder && chat.kind != ChatKind::Classic;
        if is_founder {
            note_ui(ui, Icon::TriangleAlert, &founder_words(chat));
            ui.add_space(4.0);
            paragraph_ui(
                ui,
                "A backup keeps the key. You can restore it later on a computer without a profile.",
            );
            ui.add_space(4.0);
        }
        let waiting = chat.timeline.waiting();
        if waiting > 0 {
            note_ui(ui, Icon::Hourglass, &waiting_words(waiting));
            ui.add_space(4.0);
        }
        paragraph_ui(
            ui,
            &format!(
                "Leaving deletes the history and the keys of {} from this computer.",
                chat.name
            ),
        );
        dialog_buttons(ui, |ui| {
            if danger_button(ui, "Leave the chat", true).clicked() {
                actions.extend([Action::CloseDialog, Action::LeaveUnasked(self.chat)]);
            }
            if is_founder && secondary_button(ui, "Back up first…", true).clicked() {
                actions.push(Action::Do(UiCommand::BackUp));
            }
            let stay = secondary_button(ui, "Stay", true);
            if !std::mem::replace(&mut self.focused, true) {
                stay.request_focus();
            }
            if stay.clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }
}

fn founder_words(chat: &Chat) -> String {
    format!(
        "You are the founder of {}. If you leave, your founder key is deleted. Nobody else can appoint moderators, and \
         you can come back only as a newcomer.",
        chat.name
    )
}

fn waiting_words(waiting: usize) -> String {
    let (messages, are, them) = match waiting {
        1 => ("1 message".to_owned(), "has", "it"),
        many => (counted(many as u64, "message"), "have", "them"),
    };
    format!("{messages} of yours {are} not gone out yet. If you leave, nobody will get {them}.")
}
