//! The list of all chats, at the left.

use egui::{Align, Layout, RichText, ScrollArea, Ui, WidgetInfo};
use jiff::Timestamp;

use super::action::Action;
use super::commands::{Group, TABLE, UiCommand};
use super::dialogs::why_not_invite;
use super::icons::Icon;
use super::theme;
use super::widgets::{
    BADGE_WIDTH, badge_text, badge_ui, connection_color, icon_button, plain_label, row_ui, unread_words,
};
use crate::id::ChatId;
use crate::model::{Chat, ChatKind, Connection, Deed};

/// Height of a chat's row in points: two lines.
const ROW_HEIGHT: f32 = 48.0;

/// Paints the list: its head with the menu, then a row for every chat.
pub fn chat_list_ui<'a>(
    ui: &mut Ui,
    chats: impl Iterator<Item = &'a Chat>,
    selected: Option<ChatId>,
    now: Timestamp,
) -> Vec<Action> {
    let mut actions = Vec::new();
    ui.horizontal(|ui| {
        ui.set_height(theme::size::TABS_HEIGHT - 4.0);
        actions.extend(menu_button_ui(ui, selected.is_some()));
        plain_label(ui, RichText::new("Chats").font(theme::nick()));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            if icon_button(ui, Icon::Plus, "Create a chat").clicked() {
                actions.push(Action::Do(UiCommand::NewChat));
            }
            if icon_button(ui, Icon::MailOpen, "Import an invite").clicked() {
                actions.push(Action::Do(UiCommand::ImportInvite));
            }
        });
    });
    ScrollArea::vertical()
        .id_salt("chats")
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            for chat in chats {
                let row = chat_row_ui(ui, chat, selected == Some(chat.id), now);
                if row.clicked() {
                    actions.push(Action::Select(chat.id));
                }
                row.context_menu(|ui| actions.extend(chat_menu_ui(ui, chat)));
            }
        });
    actions
}

/// The button whose menu holds the commands.
pub fn menu_button_ui(ui: &mut Ui, has_chat: bool) -> Option<Action> {
    let mut action = None;
    let button = icon_button(ui, Icon::Menu, "Menu");
    egui::Popup::menu(&button)
        .accessible_name("Menu")
        .width(320.0)
        .show(|ui| {
            ui.spacing_mut().button_padding = egui::vec2(10.0, 4.0);
            // In a low window the last entries stay in reach.
            let most = (ui.ctx().content_rect().height() - 64.0).max(120.0);
            ScrollArea::vertical().max_height(most).show(ui, |ui| {
                for (index, group) in Group::ALL.into_iter().enumerate() {
                    if index > 0 {
                        ui.separator();
                    }
                    for entry in TABLE.iter().filter(|entry| entry.in_menu && entry.group == group) {
                        let shortcut = entry.keys().next().unwrap_or_default();
                        let weak = theme::tokens(ui).weak;
                        let keys = RichText::new(shortcut).font(theme::meta()).color(weak);
                        let row = egui::Button::new(entry.name)
                            .right_text(keys)
                            .min_size(egui::vec2(ui.available_width(), 28.0));
                        let enabled = has_chat || !entry.needs_chat;
                        let row = ui.add_enabled(enabled, row);
                        row.widget_info(|| WidgetInfo::labeled(egui::Role::MenuItem, enabled, entry.name));
                        if row.clicked() {
                            action = Some(Action::Do(entry.command));
                        }
                    }
                }
            });
        });
    action
}

/// What can be done with a chat wherever its name stands.
pub fn chat_menu_ui(ui: &mut Ui, chat: &Chat) -> Option<Action> {
    ui.set_min_width(180.0);
    ui.spacing_mut().button_padding = egui::vec2(10.0, 4.0);
    let mut action = None;
    if ui.button("Open").clicked() {
        action = Some(Action::Select(chat.id));
    }
    if ui
        .add_enabled(chat.unread > 0, egui::Button::new("Mark as read"))
        .clicked()
    {
        action = Some(Action::MarkRead(chat.id));
    }
    if chat.kind != ChatKind::Classic {
        action = action.take().or(admission_menu_ui(ui, chat));
    }
    ui.separator();
    if ui.button("Leave the chat").clicked() {
        action = Some(Action::Leave(chat.id));
    }
    action
}

/// What the menu of a chat has on who comes in.
fn admission_menu_ui(ui: &mut Ui, chat: &Chat) -> Option<Action> {
    ui.separator();
    let is_public = chat.kind == ChatKind::Public;
    let item = |ui: &mut Ui, name: &str, refusal: Option<String>| {
        ui.add_enabled(refusal.is_none(), egui::Button::new(name))
            .on_disabled_hover_text(refusal.unwrap_or_default())
            .clicked()
    };
    if item(ui, "Export invite…", why_not_invite(chat)) {
        return Some(Action::ExportInvite(chat.id));
    }
    if item(ui, "Invites…", chat.may(Deed::CloseInvite).err()) {
        return Some(Action::ShowInvites(chat.id));
    }
    (is_public && item(ui, "Door…", chat.may(Deed::SetDoor).err())).then_some(Action::ShowDoor(chat.id))
}

fn chat_row_ui(ui: &mut Ui, chat: &Chat, selected: bool, now: Timestamp) -> egui::Response {
    let connection = chat.connection(now);
    let state = state_line(chat, connection);
    let name = format!("{}{}", chat.name, unread_words(chat.unread, chat.mentions));
    let info = WidgetInfo::selected(egui::Role::ListItem, true, selected, format!("{name}. {state}"));
    row_ui(ui, ROW_HEIGHT, selected, info, |ui| {
        let tokens = theme::tokens(ui);
        let badge = if badge_text(chat.unread, chat.mentions).is_some() {
            BADGE_WIDTH
        } else {
            0.0
        };
        ui.spacing_mut().item_spacing.x = 10.0;
        let icon = match chat.kind {
            ChatKind::Private => Icon::Lock,
            ChatKind::Public => Icon::Globe,
            ChatKind::Classic => Icon::Radio,
        };
        ui.add(egui::Label::new(theme::icon(icon).color(tokens.weak)).selectable(false));
        ui.allocate_ui_with_layout(
            egui::vec2(ui.available_width() - badge, ROW_HEIGHT - 4.0),
            Layout::top_down(Align::Min),
            |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                ui.add_space(4.0);
                let font = if chat.unread > 0 {
                    theme::nick()
                } else {
                    theme::body()
                };
                plain_label(ui, RichText::new(&chat.name).font(font));
                let color = match connection {
                    Connection::Nobody | Connection::Refused => connection_color(connection, tokens),
                    _ => tokens.weak,
                };
                plain_label(ui, RichText::new(&state).font(theme::meta()).color(color));
            },
        );
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            badge_ui(ui, chat.unread, chat.mentions);
        });
    })
}

/// The second line of a chat's row: what is wrong, else what was typed and not sent, else the last message.
fn state_line(chat: &Chat, connection: Connection) -> String {
    match connection {
        _ if chat.own_ban().is_some() => "Banned".to_owned(),
        Connection::Refused => "Not let in".to_owned(),
        Connection::Nobody => "Nobody reachable".to_owned(),
        _ if chat.join == crate::model::Join::Asking => "Asking to be let in…".to_owned(),
        _ if !chat.draft.trim().is_empty() => format!("Draft: {}", first_line(&chat.draft)),
        _ if !chat.last_line.is_empty() => chat.last_line.clone(),
        Connection::Alone => "Only you are here".to_owned(),
        _ => chat.topic.clone(),
    }
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}
