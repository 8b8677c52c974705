//! How a chat is connected, what to do about it, and, in a classic chat, where peers are told of each other.

use std::net::SocketAddr;

use egui::{RichText, Ui};

use super::DialogContext;
use crate::id::{ChatId, ClientId};
use crate::model::{Chat, ChatCommand, ChatKind, Connection, Event, Join, Tag};
use crate::ui::action::Action;
use crate::ui::icons::Icon;
use crate::ui::status_bar::connection_words;
use crate::ui::theme;
use crate::ui::widgets::{
    connection_color, copyable_ui, dialog_buttons, done_ui, error_ui, field_ui, field_with_button, hint_ui,
    paragraph_ui, secondary_button,
};

/// How a chat is connected, and what to do about it.
#[derive(Debug)]
pub struct ConnectionDialog {
    chat: ChatId,
    peer: String,
    address: String,
    newcomer: String,
    error: Option<String>,
    pub(super) done: Option<String>,
    /// The last command: neither has a prompt answer unless it fails, so nothing waits for it.
    pub(super) last: Option<Tag>,
}

impl ConnectionDialog {
    /// Of this chat.
    pub fn new(chat: ChatId) -> Self {
        Self {
            chat,
            peer: String::new(),
            address: String::new(),
            newcomer: String::new(),
            error: None,
            done: None,
            last: None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let Some(chat) = context.chats.get(self.chat) else {
            ui.label("This chat was left.");
            return actions;
        };
        let connection = chat.connection(context.now);
        ui.horizontal(|ui| {
            let color = connection_color(connection, theme::tokens(ui));
            let icon = if matches!(connection, Connection::Linked(_)) {
                Icon::Link
            } else {
                Icon::Unplug
            };
            ui.label(
                RichText::new(icon.unicode())
                    .font(theme::icon_font(18.0))
                    .color(color),
            );
            let words = connection_words(chat, connection);
            ui.label(RichText::new(words.trim_end_matches(": what to do")).font(theme::nick()));
        });
        paragraph_ui(ui, &what_to_do(chat, connection));
        if chat.kind == ChatKind::Classic {
            self.classic_ui(ui, chat, &mut actions);
        }
        if let Some(error) = &self.error {
            error_ui(ui, error);
        }
        if let Some(done) = &self.done {
            done_ui(ui, done);
        }
        dialog_buttons(ui, |ui| {
            if secondary_button(ui, "Done", true).clicked() {
                actions.push(Action::CloseDialog);
            }
            if secondary_button(ui, "Try again", true).clicked() {
                actions.push(Action::Retry(self.chat));
            }
        });
        actions
    }

    fn classic_ui(&mut self, ui: &mut Ui, chat: &Chat, actions: &mut Vec<Action>) {
        ui.separator();
        ui.label(RichText::new("You, for others to connect to").font(theme::nick()));
        let own = chat.client_id.to_string();
        if let Some(text) = copyable_ui(ui, "Your client_id", &own) {
            actions.push(Action::Copy {
                text,
                what: "your client_id".to_owned(),
            });
        }
        if let Some(text) = copyable_ui(ui, "Your address", &chat.listen.to_string()) {
            actions.push(Action::Copy {
                text,
                what: "your address".to_owned(),
            });
        }
        if chat.listen.ip().is_unspecified() {
            hint_ui(
                ui,
                "Others put the address of your computer before the last colon.",
            );
        }
        ui.separator();
        ui.label(RichText::new("Connect to a peer").font(theme::nick()));
        field_ui(ui, "The peer's client_id", "64 hex digits", &mut self.peer);
        let peer_given = !self.peer.trim().is_empty();
        let hint = "192.0.2.1:40000";
        if field_with_button(
            ui,
            "The peer's address",
            hint,
            &mut self.address,
            "Connect",
            peer_given,
        ) {
            actions.extend(self.connect());
        }
        ui.separator();
        ui.label(RichText::new("Admit a peer").font(theme::nick()));
        hint_ui(
            ui,
            "Tells everyone in the chat to take what this client_id says. They need it to let a newcomer in.",
        );
        let hint = "64 hex digits";
        if field_with_button(
            ui,
            "The newcomer's client_id",
            hint,
            &mut self.newcomer,
            "Admit",
            true,
        ) {
            actions.extend(self.admit());
        }
    }

    fn connect(&mut self) -> Option<Action> {
        (self.error, self.done) = (None, None);
        let (client_id, address) = (
            self.peer.trim().parse::<ClientId>(),
            self.address.trim().parse::<SocketAddr>(),
        );
        match (client_id, address) {
            (Ok(client_id), Ok(address)) => {
                self.done = Some("Trying that peer. The status bar says when you are linked.".to_owned());
                Some(Action::Submit(
                    ChatCommand::Connect { client_id, address }.to(self.chat),
                ))
            }
            (Err(_), _) => {
                self.error = Some("The peer's client_id has to be 64 hex digits.".to_owned());
                None
            }
            (_, Err(_)) => {
                self.error =
                    Some("The address has to look like 192.0.2.1:40000 or [2001:db8::1]:40000.".to_owned());
                None
            }
        }
    }

    fn admit(&mut self) -> Option<Action> {
        (self.error, self.done) = (None, None);
        match self.newcomer.trim().parse::<ClientId>() {
            Ok(client_id) => {
                self.done = Some("Everyone in the chat was told.".to_owned());
                self.newcomer.clear();
                Some(Action::Submit(ChatCommand::Admit { client_id }.to(self.chat)))
            }
            Err(_) => {
                self.error = Some("The newcomer's client_id has to be 64 hex digits.".to_owned());
                None
            }
        }
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::Error { message, .. } => {
                self.done = None;
                self.error = Some(message.clone());
                Some(Vec::new())
            }
            _ => None,
        }
    }
}

/// What a connection means, and what can be done.
fn what_to_do(chat: &Chat, connection: Connection) -> String {
    let classic = chat.kind == ChatKind::Classic;
    match (connection, &chat.join) {
        (_, Join::Failed(sentence)) | (Connection::Nobody, Join::Unanswered(sentence)) => sentence.clone(),
        (Connection::Linked(_), _) => {
            "Messages go from member to member over these links; you need no more than one to reach everyone.".to_owned()
        }
        (Connection::Alone, _) if classic => {
            "Nobody else is known here. Connect to a peer of the chat, or give yours to somebody.".to_owned()
        }
        (Connection::Alone, _) => "Nobody else has come in yet. Export an invite and give it to somebody.".to_owned(),
        (Connection::Looking, _) => {
            "Asking at the places where the others were seen last. That takes a few seconds.".to_owned()
        }
        (Connection::Nobody | Connection::Refused, _) => {
            "None of the others answers where they were seen last. Check that you are online; they may be offline, or \
             have moved to another network. Throng goes on trying. If one of them sends you a fresh invite, importing \
             it tells Throng where they are now."
                .to_owned()
        }
    }
}
