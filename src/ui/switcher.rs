//! The quick switcher, a command palette: type part of a chat's or member's name, or of a command.

use egui::{Key, Modifiers, RichText, ScrollArea, TextEdit, Ui, WidgetInfo};

use super::action::Action;
use super::commands::{TABLE, UiCommand};
use super::icons::Icon;
use super::identicon::identicon_ui;
use super::theme;
use super::widgets::{badge_ui, dialog_ui, plain_label, row_ui};
use crate::id::{ChatId, MemberId};
use crate::model::{Chats, nick_key};

/// No more rows are offered: who sees none of these types on.
const MOST: usize = 30;

/// Height of a row in points.
const ROW_HEIGHT: f32 = 32.0;

/// The quick switcher, while it is open.
#[derive(Debug, Default)]
pub struct Switcher {
    query: String,
    chosen: usize,
    focused: bool,
}

/// Where one can go.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Chat {
        chat: ChatId,
        name: String,
        unread: u32,
        mentions: u32,
    },
    Member {
        chat: ChatId,
        member: MemberId,
        nick: String,
        chat_name: String,
    },
    Command(UiCommand),
}

impl Switcher {
    /// Paints it over the window.
    pub fn ui(&mut self, ui: &Ui, chats: &Chats, selected: Option<ChatId>) -> Vec<Action> {
        let (mut actions, closed) = dialog_ui(ui, "Go to", 480.0, |ui| self.contents_ui(ui, chats, selected));
        if closed {
            actions.push(Action::CloseSwitcher);
        }
        actions
    }

    fn contents_ui(&mut self, ui: &mut Ui, chats: &Chats, selected: Option<ChatId>) -> Vec<Action> {
        // Taken before the text field sees them, for which they mean something else.
        let (down, up, enter) = ui.input_mut(|input| {
            (
                input.count_and_consume_key(Modifiers::NONE, Key::ArrowDown),
                input.count_and_consume_key(Modifiers::NONE, Key::ArrowUp),
                input.consume_key(Modifiers::NONE, Key::Enter),
            )
        });
        let edit = TextEdit::singleline(&mut self.query)
            .desired_width(f32::INFINITY)
            .margin(egui::Margin::symmetric(8, 6));
        let edit = ui.add(edit.hint_text("Chat, member or command"));
        if !std::mem::replace(&mut self.focused, true) {
            edit.request_focus();
        }
        if edit.changed() {
            self.chosen = 0;
        }
        let places = places(chats, selected, &self.query);
        self.chosen = (self.chosen + down)
            .saturating_sub(up)
            .min(places.len().saturating_sub(1));
        let mut gone_to = enter.then(|| places.get(self.chosen)).flatten();
        if places.is_empty() {
            ui.label(RichText::new("Nothing is called that.").color(theme::tokens(ui).weak));
        }
        ScrollArea::vertical()
            .max_height((ROW_HEIGHT + 2.0) * 9.0)
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                for (index, place) in places.iter().enumerate() {
                    let row = place.row_ui(ui, index == self.chosen);
                    if index == self.chosen && (down > 0 || up > 0) {
                        row.scroll_to_me(None);
                    }
                    if row.clicked() {
                        gone_to = Some(place);
                    }
                }
            });
        gone_to
            .map(|place| vec![Action::CloseSwitcher, place.action()])
            .unwrap_or_default()
    }
}

impl Place {
    fn action(&self) -> Action {
        match self {
            Self::Chat { chat, .. } => Action::Select(*chat),
            Self::Member { chat, member, .. } => Action::OpenMember(*chat, *member),
            Self::Command(command) => Action::Do(*command),
        }
    }

    fn row_ui(&self, ui: &mut Ui, chosen: bool) -> egui::Response {
        let name = match self {
            Self::Chat { name, .. } => format!("Chat {name}"),
            Self::Member { nick, chat_name, .. } => format!("Member {nick} in {chat_name}"),
            Self::Command(command) => format!("Command {}", command.entry().name),
        };
        let info = WidgetInfo::selected(egui::Role::ListBoxOption, true, chosen, name);
        row_ui(ui, ROW_HEIGHT, chosen, info, |ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            let weak = theme::tokens(ui).weak;
            match self {
                Self::Chat {
                    name,
                    unread,
                    mentions,
                    ..
                } => {
                    plain_label(ui, theme::icon(Icon::MessagesSquare).color(weak));
                    plain_label(ui, RichText::new(name));
                    badge_ui(ui, *unread, *mentions);
                }
                Self::Member {
                    member,
                    nick,
                    chat_name,
                    ..
                } => {
                    identicon_ui(ui, &member.0, 16.0);
                    plain_label(ui, RichText::new(nick));
                    plain_label(ui, RichText::new(chat_name).font(theme::meta()).color(weak));
                }
                Self::Command(command) => {
                    let entry = command.entry();
                    plain_label(ui, theme::icon(Icon::Zap).color(weak));
                    plain_label(ui, RichText::new(entry.name));
                    let keys = entry.keys().next().unwrap_or_default();
                    plain_label(ui, RichText::new(keys).font(theme::meta()).color(weak));
                }
            }
        })
    }
}

/// Where the typed words can lead: chats first (with nothing typed, those with something unread before the others),
/// then members of the chat in front and of the others, then commands.
fn places(chats: &Chats, selected: Option<ChatId>, query: &str) -> Vec<Place> {
    let query = nick_key(query.trim());
    let mut ranked: Vec<(u8, Place)> = Vec::new();
    let rank = |name: &str| match nick_key(name).find(&query) {
        Some(0) => Some(0),
        Some(_) => Some(1),
        None => None,
    };
    for chat in chats.iter() {
        if let Some(rank) = rank(&chat.name) {
            let read = u8::from(chat.unread == 0);
            let place = Place::Chat {
                chat: chat.id,
                name: chat.name.clone(),
                unread: chat.unread,
                mentions: chat.mentions,
            };
            ranked.push((2 * rank + read, place));
        }
    }
    if !query.is_empty() {
        for chat in chats.iter() {
            let elsewhere = 2 * u8::from(selected != Some(chat.id));
            for member in chat.members.iter().filter(|member| !member.own) {
                if let Some(rank) = rank(&member.nick) {
                    let (nick, chat_name) = (member.nick.clone(), chat.name.clone());
                    let place = Place::Member {
                        chat: chat.id,
                        member: member.id,
                        nick,
                        chat_name,
                    };
                    ranked.push((10 + rank + elsewhere, place));
                }
            }
        }
        for entry in TABLE
            .iter()
            .filter(|entry| selected.is_some() || !entry.needs_chat)
        {
            if entry.command != UiCommand::QuickSwitcher
                && let Some(rank) = rank(entry.name)
            {
                ranked.push((20 + rank, Place::Command(entry.command)));
            }
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().take(MOST).map(|(_, place)| place).collect()
}
