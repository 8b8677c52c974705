//! A member's card.

use egui::{Label, RichText, Ui};
use lucide_icons::Icon;

use super::DialogContext;
use crate::id::{ChatId, MemberId};
use crate::model::ChatKind;
use crate::ui::action::Action;
use crate::ui::identicon::identicon_ui;
use crate::ui::theme;
use crate::ui::widgets::{copyable_ui, dialog_buttons, done_ui, hint_ui, labelled_button, presence_dot};

/// A member's card.
#[derive(Debug)]
pub struct MemberCard {
    chat: ChatId,
    member: MemberId,
    pub(super) done: Option<String>,
}

impl MemberCard {
    /// Of this member.
    pub fn new(chat: ChatId, member: MemberId) -> Self {
        Self {
            chat,
            member,
            done: None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let chat = context.chats.get(self.chat);
        let member = chat.and_then(|chat| chat.members.get(self.member));
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 14.0;
            identicon_ui(ui, &self.member.0, 56.0);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 4.0;
                let tokens = theme::tokens(ui);
                let color = theme::nick_color(&self.member.0, tokens);
                let nick = member.map_or("Somebody who is not here any more", |member| member.nick.as_str());
                ui.add(Label::new(RichText::new(nick).font(theme::header()).color(color)).truncate());
                if let Some(member) = member {
                    ui.horizontal(|ui| {
                        ui.spacing_mut().item_spacing.x = 6.0;
                        presence_dot(ui, member);
                        let own = if member.own { " – this is you" } else { "" };
                        let words = format!("{} · {}{own}", member.presence(), member.role.name());
                        ui.label(RichText::new(words).color(tokens.weak));
                    });
                }
            });
        });
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
        dialog_buttons(ui, |ui| {
            let Some(member) = member.filter(|member| !member.own) else {
                return;
            };
            if labelled_button(ui, Icon::AtSign, "Mention", true).clicked() {
                actions.push(Action::Mention(self.chat, member.nick.clone()));
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }
}

const SIGNED_HINT: &str = "A nick can be copied, a fingerprint can't. To be sure who this is, compare it with them \
    by another way: it stays the same for as long as they are in this chat.";

const CLASSIC_HINT: &str = "In a classic chat nothing is signed: anyone in it can speak in this member's name, and \
    the fingerprint changes whenever they come back.";

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
