//! The member list, at the right.

use egui::{Align, Id, Layout, RichText, ScrollArea, Ui, WidgetInfo};

use super::action::Action;
use super::icons::Icon;
use super::identicon::identicon_ui;
use super::theme;
use super::widgets::{plain_label, presence_dot, row_ui};
use crate::model::{Chat, Deed, Member, Role};

/// Height of a member's row in points.
const ROW_HEIGHT: f32 = 32.0;

/// Paints the members of a chat, those who are online first. Below them are the banned, folded, for users who may lift bans.
/// Only the rows in view are laid out.
pub fn members_ui(ui: &mut Ui, chat: &Chat) -> Option<Action> {
    let mut action = None;
    ui.horizontal(|ui| {
        ui.set_height(theme::size::HEADER_HEIGHT - 8.0);
        let weak = theme::tokens(ui).weak;
        plain_label(
            ui,
            RichText::new(counts(chat)).font(theme::meta_strong()).color(weak),
        );
    });
    ui.spacing_mut().item_spacing.y = 2.0;
    let members = &chat.members;
    let banned = if chat.may(Deed::Lift).is_ok() {
        members.banned_len()
    } else {
        0
    };
    let fold = Id::unique(("banned members", chat.id));
    let mut unfolded: bool = ui.data(|data| data.get_temp(fold).unwrap_or_default());
    let heading = usize::from(banned > 0);
    let rows = members.len() + heading + if unfolded { banned } else { 0 };
    ScrollArea::vertical()
        .id_salt("members")
        .auto_shrink(false)
        .show_rows(ui, ROW_HEIGHT, rows, |ui, range| {
            let mut row = |ui: &mut Ui, member: &Member| {
                if member_row_ui(ui, member, members.shared_nicks().contains(&member.id)) {
                    action = Some(Action::OpenMember(chat.id, member.id));
                }
            };
            for member in members.iter().skip(range.start).take(range.len()) {
                row(ui, member);
            }
            if heading > 0 && range.contains(&members.len()) && heading_ui(ui, banned, unfolded) {
                unfolded = !unfolded;
                ui.data_mut(|data| data.insert_temp(fold, unfolded));
            }
            let below = members.len() + heading;
            let seen = range.end.saturating_sub(below.max(range.start));
            for member in members
                .banned()
                .skip(range.start.saturating_sub(below))
                .take(seen)
            {
                row(ui, member);
            }
        });
    action
}

/// The heading over the banned, that folds them; whether it was clicked.
fn heading_ui(ui: &mut Ui, banned: usize, unfolded: bool) -> bool {
    let words = format!("Banned – {banned}");
    let name = if unfolded {
        format!("Hide the banned, {banned}")
    } else {
        format!("Show the banned, {banned}")
    };
    let info = WidgetInfo::labeled(egui::Role::Button, true, name);
    let row = row_ui(ui, ROW_HEIGHT, false, info, |ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let weak = theme::tokens(ui).weak;
        let icon = if unfolded {
            Icon::ChevronDown
        } else {
            Icon::ChevronRight
        };
        plain_label(ui, theme::icon(icon).color(weak));
        plain_label(ui, RichText::new(words).font(theme::meta_strong()).color(weak));
    });
    row.clicked()
}

/// How many are online, in words.
pub fn counts(chat: &Chat) -> String {
    let (online, all) = (chat.members.online(), chat.members.len());
    if online == all {
        format!("Members – {all}")
    } else {
        format!("Members – {online} of {all} here")
    }
}

fn member_row_ui(ui: &mut Ui, member: &Member, shares_nick: bool) -> bool {
    let mut label = format!("{}, {}", member.nick, member.presence().to_lowercase());
    if let Some(role) = shown_role(member) {
        label += &format!(", {}", role.name().to_lowercase());
    }
    if member.ignored {
        label += ", ignored";
    }
    if shares_nick {
        label += &format!(", {}", member.id.short());
    }
    if member.own {
        label += ", you";
    }
    let info = WidgetInfo::labeled(egui::Role::Button, true, label);
    let row = row_ui(ui, ROW_HEIGHT, false, info, |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        if !member.online || member.ignored {
            ui.set_opacity(0.6);
        }
        identicon_ui(ui, &member.id.0, 20.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            if member.ban.is_some() {
                sign_ui(ui, Icon::Ban, "Banned");
            } else {
                presence_dot(ui, member);
            }
            if let Some((role, icon)) = shown_role(member).zip(role_icon(member.role)) {
                sign_ui(ui, icon, role.name());
            }
            if member.ignored {
                sign_ui(ui, Icon::EyeOff, "Ignored: you don't see what they say");
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                let tokens = theme::tokens(ui);
                let color = theme::nick_color(&member.id.0, tokens);
                plain_label(ui, RichText::new(&member.nick).font(theme::nick()).color(color));
                if member.own {
                    plain_label(ui, RichText::new("you").font(theme::meta()).color(tokens.weak));
                } else if shares_nick {
                    plain_label(
                        ui,
                        RichText::new(member.id.short())
                            .font(theme::meta())
                            .color(tokens.weak),
                    );
                }
            });
        });
    });
    let mut words = format!("{} – {}", member.nick, member.presence());
    if let Some(role) = shown_role(member) {
        words += &format!(", {}", role.name().to_lowercase());
    }
    row.on_hover_text(words).clicked()
}

/// A small icon with the word for it under the pointer.
fn sign_ui(ui: &mut Ui, icon: Icon, word: &str) {
    let weak = theme::tokens(ui).weak;
    let sign = RichText::new(icon.unicode())
        .font(theme::icon_font(13.0))
        .color(weak);
    ui.label(sign).on_hover_text(word);
}

/// The role, where it is worth a word: plain members have none, and who is banned has nothing of theirs.
fn shown_role(member: &Member) -> Option<Role> {
    (member.role != Role::Member && member.ban.is_none()).then_some(member.role)
}

/// The icon of a role; none for plain members.
pub fn role_icon(role: Role) -> Option<Icon> {
    match role {
        Role::Founder => Some(Icon::Crown),
        Role::Moderator => Some(Icon::Shield),
        Role::Observer => Some(Icon::Eye),
        Role::Member => None,
    }
}
