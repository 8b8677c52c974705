//! The dialog that bans a member.

use egui::{Checkbox, Key, Label, RichText, Ui};

use super::DialogContext;
use crate::id::{ChatId, MemberId};
use crate::model::{Chat, ChatCommand, ChatEvent, Deed, Event, MAX_BAN_REASON_LEN, Tag};
use crate::ui::action::Action;
use crate::ui::identicon::identicon_ui;
use crate::ui::theme;
use crate::ui::widgets::{
    choice_style, counted_field_ui, dialog_buttons, error_ui, hint_ui, primary_button, secondary_button,
    with_reason,
};

/// The dialog that bans a member.
#[derive(Debug)]
pub struct BanDialog {
    chat: ChatId,
    member: MemberId,
    reason: String,
    with_invite: bool,
    hide_all: bool,
    error: Option<String>,
    focused: bool,
    pub(super) waiting: Option<Tag>,
}

impl BanDialog {
    /// Of this member.
    pub fn new(chat: ChatId, member: MemberId) -> Self {
        Self {
            chat,
            member,
            reason: String::new(),
            with_invite: false,
            hide_all: false,
            error: None,
            focused: false,
            waiting: None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let Some(chat) = context.chats.get(self.chat) else {
            ui.label("This chat was left.");
            return actions;
        };
        self.who_ui(ui, chat);
        ui.add_space(4.0);
        let hint = "What others read about it; may be left empty";
        let reason = counted_field_ui(ui, "Reason", hint, &mut self.reason, MAX_BAN_REASON_LEN);
        if !std::mem::replace(&mut self.focused, true) {
            reason.request_focus();
        }
        ui.add_space(4.0);
        self.choices_ui(ui, chat);
        ui.add_space(4.0);
        hint_ui(
            ui,
            "Everyone in the chat is told who was banned, by whom and why. The ban can be lifted at any time.",
        );
        let denied = chat
            .members
            .get(self.member)
            .and_then(|member| chat.may_to(Deed::Ban, member).err());
        let problem = self.error.as_deref().or(denied.as_deref());
        if let Some(problem) = problem {
            error_ui(ui, problem);
        }
        let fits = self.reason.trim().len() <= MAX_BAN_REASON_LEN;
        let ready = denied.is_none() && fits && self.waiting.is_none();
        let enter = reason.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        dialog_buttons(ui, |ui| {
            if primary_button(ui, "Ban", ready).clicked() || (enter && ready) {
                actions.push(Action::Submit(
                    ChatCommand::Ban {
                        member: self.member,
                        reason: self.reason.trim().to_owned(),
                        with_invite: self.with_invite,
                        hide_all: self.hide_all,
                    }
                    .to(self.chat),
                ));
            }
            if secondary_button(ui, "Cancel", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    fn who_ui(&self, ui: &mut Ui, chat: &Chat) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            identicon_ui(ui, &self.member.0, 32.0);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                let tokens = theme::tokens(ui);
                let color = theme::nick_color(&self.member.0, tokens);
                let nick = chat.nick_of(self.member);
                ui.add(Label::new(RichText::new(nick).font(theme::nick()).color(color)).truncate());
                let where_from = format!("in {}", chat.name);
                ui.add(
                    Label::new(RichText::new(where_from).font(theme::meta()).color(tokens.weak)).truncate(),
                );
            });
        });
    }

    fn choices_ui(&mut self, ui: &mut Ui, chat: &Chat) {
        ui.scope(|ui| {
            choice_style(ui);
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.spacing_mut().interact_size.y = 24.0;
            let came_by = chat.came_by(self.member);
            let by_link = came_by.is_some_and(|came_by| came_by.public_link);
            self.with_invite &= !by_link;
            let all = Checkbox::new(&mut self.with_invite, "Also everyone who came by the same invite");
            let all = ui.add_enabled(!by_link, all);
            with_reason(all, by_link.then_some(BY_LINK));
            if self.with_invite {
                let closes = "Nobody new comes in by that invite while the ban stands.";
                let words = match came_by {
                    Some(came_by) => {
                        let others = people(came_by.people.saturating_sub(1));
                        format!("That is {others} beside them. {closes}")
                    }
                    None => closes.to_owned(),
                };
                indented_hint_ui(ui, &words);
            } else if by_link {
                indented_hint_ui(ui, BY_LINK);
            }
            ui.add(Checkbox::new(&mut self.hide_all, "Hide what they said"));
            if self.hide_all {
                indented_hint_ui(ui, "For everyone in the chat, until the ban is lifted.");
            }
        });
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::Chat {
                event: ChatEvent::Banned { .. },
                ..
            } => Some(vec![Action::CloseDialog]),
            Event::Error { message, .. } => {
                self.waiting = None;
                self.error = Some(message.clone());
                Some(Vec::new())
            }
            _ => None,
        }
    }
}

/// Why those who came by the link can't be banned together.
const BY_LINK: &str = "They came by the chat's link, as others did: that would ban those, too. The door keeps more of \
    them out.";

/// A hint under the words of a check box.
fn indented_hint_ui(ui: &mut Ui, words: &str) {
    ui.horizontal_top(|ui| {
        ui.add_space(ui.spacing().icon_width + ui.spacing().icon_spacing);
        ui.vertical(|ui| hint_ui(ui, words));
    });
}

fn people(number: usize) -> String {
    match number {
        0 => "nobody else".to_owned(),
        1 => "1 other".to_owned(),
        number => format!("{number} others"),
    }
}
