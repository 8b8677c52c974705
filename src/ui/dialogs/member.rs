//! A member's card: who they are, and what one may do with them.

use egui::{Button, Label, RichText, Ui};
use jiff::tz::TimeZone;

use super::DialogContext;
use crate::id::{ChatId, MemberId};
use crate::model::{Chat, ChatCommand, ChatKind, Deed, Event, Member, Role, Tag};
use crate::ui::action::Action;
use crate::ui::icons::Icon;
use crate::ui::identicon::identicon_ui;
use crate::ui::members::role_icon;
use crate::ui::theme;
use crate::ui::widgets::{
    allowed_button, copyable_ui, dialog_buttons, done_ui, error_ui, hint_ui, labelled_button, note_ui,
    presence_dot, with_reason,
};

/// A member's card.
#[derive(Debug)]
pub struct MemberCard {
    chat: ChatId,
    member: MemberId,
    error: Option<String>,
    pub(super) done: Option<String>,
    pub(super) waiting: Option<Tag>,
}

impl MemberCard {
    /// Of this member.
    pub fn new(chat: ChatId, member: MemberId) -> Self {
        Self {
            chat,
            member,
            error: None,
            done: None,
            waiting: None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let chat = context.chats.get(self.chat);
        let member = chat.and_then(|chat| chat.members.get(self.member));
        self.who_ui(ui, chat, member, context.chats.zone());
        if let Some((chat, member)) = chat.zip(member) {
            standing_ui(ui, chat, member);
        }
        ui.add_space(4.0);
        let shown = fingerprint(self.member);
        if copyable_ui(ui, "Fingerprint", &shown).is_some() {
            actions.push(Action::Copy {
                text: shown,
                what: "the fingerprint".to_owned(),
            });
        }
        if let Some(done) = &self.done {
            done_ui(ui, done);
        }
        let classic = chat.is_some_and(|chat| chat.kind == ChatKind::Classic);
        hint_ui(ui, if classic { CLASSIC_HINT } else { SIGNED_HINT });
        if let Some((chat, member)) = chat.zip(member).filter(|(_, member)| !member.own) {
            if !classic && member.role != Role::Founder {
                self.roles_ui(ui, chat, member, &mut actions);
            }
            if let Some(error) = &self.error {
                error_ui(ui, error);
            }
            dialog_buttons(ui, |ui| self.buttons_ui(ui, chat, member, &mut actions));
        }
        actions
    }

    fn who_ui(&self, ui: &mut Ui, chat: Option<&Chat>, member: Option<&Member>, zone: &TimeZone) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 14.0;
            identicon_ui(ui, &self.member.0, 56.0);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 4.0;
                let tokens = theme::tokens(ui);
                let color = theme::nick_color(&self.member.0, tokens);
                let former = chat.and_then(|chat| chat.members.nick_of(self.member));
                let nick = former.unwrap_or("Somebody who is not here any more");
                ui.add(Label::new(RichText::new(nick).font(theme::header()).color(color)).truncate());
                let Some((chat, member)) = chat.zip(member) else {
                    if former.is_some() {
                        hint_ui(ui, "Not a member any more");
                    }
                    return;
                };
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = 6.0;
                    presence_dot(ui, member);
                    let own = if member.own { " – this is you" } else { "" };
                    let words = format!("{} · {}{own}", member.presence(), member.role.name());
                    ui.label(RichText::new(words).color(tokens.weak));
                });
                if let Some(words) = origin(chat, member, zone) {
                    hint_ui(ui, words);
                }
            });
        });
    }

    /// The roles to choose from, with the one that they have.
    fn roles_ui(&self, ui: &mut Ui, chat: &Chat, member: &Member, actions: &mut Vec<Action>) {
        let weak = theme::tokens(ui).weak;
        ui.add_space(4.0);
        ui.label(RichText::new("Role").font(theme::meta_strong()).color(weak));
        let choices = [Role::Moderator, Role::Member, Role::Observer]
            .map(|role| (role, chat.may_set_role(member, role)));
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            for (role, may) in &choices {
                let has = member.role == *role;
                let may = if self.waiting.is_some() {
                    &Err("Waiting for the last change.".to_owned())
                } else {
                    may
                };
                if role_button(ui, *role, has, may) && !has {
                    actions.push(Action::Submit(
                        ChatCommand::SetRole {
                            member: self.member,
                            role: *role,
                        }
                        .to(self.chat),
                    ));
                }
            }
        });
        let mut reasons: Vec<&String> = choices
            .iter()
            .filter(|(role, _)| member.role != *role)
            .filter_map(|(_, may)| may.as_ref().err())
            .collect();
        reasons.dedup();
        if let [reason] = reasons[..] {
            hint_ui(ui, reason);
        }
    }

    fn buttons_ui(&self, ui: &mut Ui, chat: &Chat, member: &Member, actions: &mut Vec<Action>) {
        let (chat_id, id) = (self.chat, self.member);
        if member.ban.is_none() && labelled_button(ui, Icon::AtSign, "Mention", true).clicked() {
            actions.push(Action::Mention(chat_id, member.nick.clone()));
            actions.push(Action::CloseDialog);
        }
        let ignored = member.ignored;
        let (icon, name) = if ignored {
            (Icon::Eye, "Show again")
        } else {
            (Icon::EyeOff, "Ignore")
        };
        let ignore = labelled_button(ui, icon, name, self.waiting.is_none());
        if ignore
            .on_hover_text("What they say is hidden from you alone.")
            .clicked()
        {
            actions.push(Action::Submit(
                ChatCommand::Ignore {
                    member: id,
                    ignored: !ignored,
                }
                .to(chat_id),
            ));
        }
        if chat.kind == ChatKind::Classic {
            return;
        }
        if member.ban.is_some() {
            let may = chat.may_to(Deed::Lift, member);
            if allowed_button(ui, Icon::Undo2, "Lift the ban", &may) {
                actions.push(Action::Submit(ChatCommand::Unban { member: id }.to(chat_id)));
            }
        } else {
            let may = chat.may_to(Deed::Ban, member);
            if allowed_button(ui, Icon::Ban, "Ban…", &may) {
                actions.push(Action::OpenBan(chat_id, id));
            }
        }
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        self.waiting = None;
        self.error = match event {
            Event::Error { message, .. } => Some(message.clone()),
            _ => None,
        };
        Some(Vec::new())
    }
}

const SIGNED_HINT: &str = "A nick can be copied, a fingerprint can't. To be sure who this is, compare it with them \
    by another way: it stays the same for as long as they are in this chat.";

const CLASSIC_HINT: &str = "In a classic chat nothing is signed: anyone in it can speak in this member's name, and \
    the fingerprint changes whenever they come back.";

/// What is to be known before one acts: that they are banned, or ignored.
fn standing_ui(ui: &mut Ui, chat: &Chat, member: &Member) {
    if let Some(ban) = &member.ban {
        let by = match ban.by {
            Some(by) if by == chat.own => " by you".to_owned(),
            Some(by) => format!(" by {}", chat.called(by)),
            None => String::new(),
        };
        let why = if ban.reason.is_empty() {
            String::new()
        } else {
            format!(": {}", ban.reason)
        };
        note_ui(ui, Icon::Ban, &format!("Banned{by}{why}"));
    }
    if member.ignored {
        note_ui(
            ui,
            Icon::EyeOff,
            "You ignore them: what they say is hidden from you.",
        );
    }
}

/// Since when they are a member, and by what they came in.
fn origin(chat: &Chat, member: &Member, zone: &TimeZone) -> Option<String> {
    let since = member.since.map(|since| {
        let day = since.to_zoned(zone.clone()).strftime("%-d %B %Y").to_string();
        format!("Member since {day}")
    });
    let by = chat.came_by(member.id).map(|came_by| {
        if came_by.public_link {
            "came by the chat's link".to_owned()
        } else {
            format!("came by invite {}", came_by.number)
        }
    });
    match (since, by) {
        (Some(since), Some(by)) => Some(format!("{since}, {by}")),
        (None, Some(by)) => Some(format!("They {by}")),
        (since, None) => since,
    }
}

/// One of the roles; whether it was chosen.
fn role_button(ui: &mut Ui, role: Role, has: bool, may: &Result<(), String>) -> bool {
    let icon = role_icon(role).unwrap_or(Icon::User);
    let button = Button::selectable(has, (theme::icon(icon), role.name())).min_size(egui::vec2(96.0, 30.0));
    let enabled = has || may.is_ok();
    let response = ui.add_enabled(enabled, button);
    let name = if has {
        format!("Is {}", role.name().to_lowercase())
    } else {
        format!("Make {}", role.name().to_lowercase())
    };
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::RadioButton, enabled, has, &name));
    let reason = may.as_ref().err().filter(|_| !has);
    with_reason(response, reason.map(String::as_str)).clicked()
}

/// A member's id as people compare it: groups of four hex digits, eight a line.
pub(super) fn fingerprint(member: MemberId) -> String {
    let hex = member.to_string();
    let groups: Vec<&str> = (0..hex.len()).step_by(4).map(|at| &hex[at..at + 4]).collect();
    groups
        .chunks(8)
        .map(|line| line.join(" "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_in_groups() {
        let shown = fingerprint(MemberId([0xAB; 32]));
        assert_eq!(shown.lines().count(), 2);
        assert_eq!(shown.split_whitespace().count(), 16);
        assert!(shown.starts_with("abab abab"));
    }
}
