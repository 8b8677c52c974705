//! The list of a chat's members, at the right.

use egui::{Align, Layout, RichText, ScrollArea, Ui, WidgetInfo};
use lucide_icons::Icon;

use super::action::Action;
use super::identicon::identicon_ui;
use super::theme;
use super::widgets::{plain_label, presence_dot, row_ui};
use crate::model::{Chat, Member, Role};

/// Height of a member's row in points.
const ROW_HEIGHT: f32 = 32.0;

/// Paints the members of a chat, those who are there first. Only the rows in view are laid out.
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
    ScrollArea::vertical()
        .id_salt("members")
        .auto_shrink(false)
        .show_rows(ui, ROW_HEIGHT, chat.members.len(), |ui, range| {
            for member in chat.members.iter().skip(range.start).take(range.len()) {
                if member_row_ui(ui, member, chat.members.shared_nicks().contains(&member.id)) {
                    action = Some(Action::OpenMember(chat.id, member.id));
                }
            }
        });
    action
}

/// How many are there, in words.
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
    if member.role != Role::Member {
        label += &format!(", {}", member.role.name().to_lowercase());
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
        if !member.online {
            ui.set_opacity(0.6);
        }
        identicon_ui(ui, &member.id.0, 20.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            presence_dot(ui, member);
            if let Some(icon) = role_icon(member.role) {
                let weak = theme::tokens(ui).weak;
                ui.label(
                    RichText::new(icon.unicode())
                        .font(theme::icon_font(13.0))
                        .color(weak),
                )
                .on_hover_text(member.role.name());
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
    row.on_hover_text(format!("{} – {}", member.nick, member.presence()))
        .clicked()
}

fn role_icon(role: Role) -> Option<Icon> {
    match role {
        Role::Founder => Some(Icon::Crown),
        Role::Moderator => Some(Icon::Shield),
        Role::Observer => Some(Icon::Eye),
        Role::Member => None,
    }
}
