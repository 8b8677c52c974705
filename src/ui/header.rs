//! The header of the chat in front: name, topic, how many are online, and the most frequent commands.

use egui::{Align, Key, Label, Layout, RichText, Sense, TextEdit, Ui, WidgetInfo};

use super::action::Action;
use super::commands::UiCommand;
use super::dialogs::why_not_invite;
use super::icons::Icon;
use super::theme;
use super::widgets::{flat_button, icon_button, icon_button_sized, plain_label, with_reason};
use crate::model::{Chat, ChatKind, Deed, MAX_TOPIC_LEN, within};

/// A header narrower than this, in points, names no button in words, so that the chat's name and topic have room.
const NARROW: f32 = 440.0;

/// Paints the header. While the topic is being changed, `topic_edit` holds what is typed.
pub fn header_ui(ui: &mut Ui, chat: &Chat, topic_edit: &mut Option<String>) -> Option<Action> {
    let mut action = None;
    let is_narrow = ui.available_width() < NARROW;
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let members = chat.members.online().to_string();
        let count = flat_button(ui, Icon::Users, &members, &format!("Members, {members}"), true);
        if count.on_hover_text("Show or hide the members").clicked() {
            action = Some(Action::Do(UiCommand::ToggleMembers));
        }
        let search = icon_button(ui, Icon::Search, "Search in this chat");
        if search.clicked() {
            action = Some(Action::Do(UiCommand::Find));
        }
        action = action.take().or(invites_button_ui(ui, chat));
        action = action.take().or(invite_button_ui(ui, chat, is_narrow));
        ui.add_space(4.0);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 12.0;
            let room = ui.available_width();
            ui.scope(|ui| {
                ui.set_max_width(room * 0.5);
                let name = plain_label(ui, RichText::new(&chat.name).font(theme::header()));
                name.widget_info(|| WidgetInfo::labeled(egui::Role::Heading, true, &chat.name));
            });
            let topic = match topic_edit {
                Some(text) => topic_edit_ui(ui, text),
                None => {
                    ui.spacing_mut().item_spacing.x = 6.0;
                    let lock = lock_ui(ui, chat);
                    topic_ui(ui, chat).or(lock)
                }
            };
            action = action.take().or(topic);
        });
    });
    action
}

fn invite_button_ui(ui: &mut Ui, chat: &Chat, is_narrow: bool) -> Option<Action> {
    let words = |words| if is_narrow { "" } else { words };
    if chat.kind == ChatKind::Classic {
        let connect = flat_button(ui, Icon::UserPlus, words("Connect…"), "Connect…", true);
        let connect = connect.on_hover_text("Connect to a peer, or admit one");
        return connect.clicked().then_some(Action::Do(UiCommand::ShowConnection));
    }
    let refusal = why_not_invite(chat);
    let invite = flat_button(
        ui,
        Icon::UserPlus,
        words("Export invite…"),
        "Export invite…",
        refusal.is_none(),
    );
    let invite = invite
        .on_hover_text("Let others into this chat")
        .on_disabled_hover_text(refusal.unwrap_or_default());
    invite.clicked().then_some(Action::Do(UiCommand::ExportInvite))
}

/// The way to the invites, for who may see them.
fn invites_button_ui(ui: &mut Ui, chat: &Chat) -> Option<Action> {
    let may_see = chat.kind != ChatKind::Classic && chat.may(Deed::CloseInvite).is_ok();
    let shown = may_see && icon_button(ui, Icon::Ticket, "Invites, and who came by them").clicked();
    shown.then_some(Action::Do(UiCommand::ShowInvites))
}

fn topic_ui(ui: &mut Ui, chat: &Chat) -> Option<Action> {
    let weak = theme::tokens(ui).weak;
    let may = chat.may(Deed::SetTopic);
    let shown = match (chat.topic.as_str(), &may) {
        ("", Ok(())) => "Add a topic",
        ("", Err(_)) => "No topic",
        (topic, _) => topic,
    };
    let sense = if may.is_ok() {
        Sense::click()
    } else {
        Sense::hover()
    };
    let topic = ui.add(
        Label::new(RichText::new(shown).color(weak))
            .truncate()
            .selectable(false)
            .sense(sense),
    );
    topic.widget_info(|| WidgetInfo::labeled(egui::Role::Button, may.is_ok(), format!("Topic: {shown}")));
    super::widgets::focus_ring(ui, &topic);
    let why_not = may.as_ref().err().map(String::as_str);
    with_reason(topic, why_not)
        .on_hover_text(why_not.unwrap_or("Click to change the topic"))
        .clicked()
        .then_some(Action::EditTopic)
}

/// Whether the topic is locked: for those who may, a button that changes it, for others a sign.
fn lock_ui(ui: &mut Ui, chat: &Chat) -> Option<Action> {
    let locked = chat.topic_locked;
    if chat.may(Deed::LockTopic).is_ok() {
        let (icon, name) = if locked {
            (Icon::Lock, "Unlock the topic")
        } else {
            (Icon::LockOpen, "Lock the topic")
        };
        let lock = icon_button_sized(ui, icon, name, 22.0);
        return lock.clicked().then_some(Action::Do(UiCommand::ToggleTopicLock));
    }
    if locked {
        let weak = theme::tokens(ui).weak;
        let sign = RichText::new(Icon::Lock.unicode())
            .font(theme::icon_font(13.0))
            .color(weak);
        let sign = ui.label(sign);
        sign.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, "The topic is locked"));
        sign.on_hover_text("The topic is locked: only moderators and the founder may set it.");
    }
    None
}

fn topic_edit_ui(ui: &mut Ui, text: &mut String) -> Option<Action> {
    let edit = TextEdit::singleline(text)
        .hint_text("What is this chat about?")
        .desired_width(f32::INFINITY);
    let edit = ui.add(edit.char_limit(MAX_TOPIC_LEN));
    edit.widget_info(|| WidgetInfo::labeled(egui::Role::TextInput, true, "Topic"));
    let fresh = ui.data_mut(|data| !std::mem::replace(data.get_temp_mut_or(edit.id, false), true));
    if fresh {
        edit.request_focus();
        return None;
    }
    if !edit.lost_focus() {
        return None;
    }
    ui.data_mut(|data| data.remove::<bool>(edit.id));
    // Leaving the field by the mouse sets nothing: everyone would see it.
    let entered = ui.input(|input| input.key_pressed(Key::Enter));
    let typed = within(text.trim(), MAX_TOPIC_LEN);
    Some(Action::EndTopicEdit(entered.then(|| typed.to_owned())))
}
