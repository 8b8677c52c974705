//! The status bar: how the chat in front is connected, and our nick and status there.

use egui::{Align, Button, Layout, RichText, Ui, WidgetInfo};
use jiff::Timestamp;

use super::action::Action;
use super::commands::UiCommand;
use super::theme;
use super::widgets::{connection_color, status_color};
use crate::model::{Chat, Connection, Older, Status};

/// Paints the status bar.
pub fn status_bar_ui(ui: &mut Ui, chat: Option<&Chat>, now: Timestamp) -> Option<Action> {
    let chat = chat?;
    let mut action = None;
    ui.spacing_mut().button_padding = egui::vec2(6.0, 0.0);
    ui.spacing_mut().interact_size.y = 18.0;
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        action = own_ui(ui, chat);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let connection = chat.connection(now);
            let words = connection_words(chat, connection);
            let color = connection_color(connection, theme::tokens(ui));
            if dotted_button(ui, color, &words, &format!("Connection: {words}")).clicked() {
                action = Some(Action::Do(UiCommand::ShowConnection));
            }
            if let Some(words) = catching_up_words(chat) {
                let weak = theme::tokens(ui).weak;
                ui.label(RichText::new(words).font(theme::meta()).color(weak));
            }
        });
    });
    action
}

/// What is being fetched after having been away; who scrolls up reads of it there.
fn catching_up_words(chat: &Chat) -> Option<String> {
    let fetching = chat.fetching.filter(|_| chat.timeline.older() != Older::Asked)?;
    Some(match fetching.fetched {
        0 => "Catching up…".to_owned(),
        1 => "Catching up: 1 message".to_owned(),
        fetched => format!("Catching up: {fetched} messages"),
    })
}

fn own_ui(ui: &mut Ui, chat: &Chat) -> Option<Action> {
    let mut action = None;
    let color = status_color(chat.status, theme::tokens(ui));
    let word = status_word(chat.status);
    let nick = crate::model::shown_nick(&chat.nick);
    let own = dotted_button(
        ui,
        color,
        &nick,
        &format!("You are {nick}, {}", word.to_lowercase()),
    );
    egui::Popup::menu(&own)
        .accessible_name("You")
        .width(180.0)
        .show(|ui| {
            ui.spacing_mut().button_padding = egui::vec2(10.0, 4.0);
            for status in [Status::Online, Status::Away, Status::Busy] {
                if ui
                    .add(Button::selectable(chat.status == status, status_word(status)))
                    .clicked()
                {
                    action = Some(Action::SetStatus(status));
                }
            }
            ui.separator();
            if ui.button(UiCommand::EditNick.entry().name).clicked() {
                action = Some(Action::Do(UiCommand::EditNick));
            }
        });
    action
}

fn dotted_button(ui: &mut Ui, color: egui::Color32, text: &str, name: &str) -> egui::Response {
    let weak = theme::tokens(ui).weak;
    let atoms = (
        RichText::new("●").font(theme::meta()).color(color),
        RichText::new(text).font(theme::meta()).color(weak),
    );
    let button = ui.add(Button::new(atoms).frame_when_inactive(false).gap(6.0));
    button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, name));
    button
}

/// What a status is called.
pub fn status_word(status: Status) -> &'static str {
    match status {
        Status::Online => "Online",
        Status::Away => "Away",
        Status::Busy => "Busy",
    }
}

/// How a chat is connected, in words.
pub fn connection_words(chat: &Chat, connection: Connection) -> String {
    match connection {
        Connection::Linked(1) => "Linked to 1 member".to_owned(),
        Connection::Linked(members) => format!("Linked to {members} members"),
        Connection::Alone => "Only you are here".to_owned(),
        Connection::Looking if chat.join == crate::model::Join::Asking => "Asking to be let in…".to_owned(),
        Connection::Looking => "Looking for members…".to_owned(),
        Connection::Nobody => "Nobody reachable: what to do".to_owned(),
        Connection::Refused if chat.own_ban().is_some() => "Banned from this chat".to_owned(),
        Connection::Refused => "Not let in: what to do".to_owned(),
    }
}
