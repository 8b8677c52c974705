//! The invites of a chat: who came by each, and closing one.

use std::collections::BTreeSet;
use std::time::Duration;

use egui::{Align, Color32, CornerRadius, Frame, Label, Layout, Margin, RichText, Stroke, Ui};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::DialogContext;
use super::door::door_terms;
use super::export::why_not_invite;
use crate::id::{ChatId, InviteId};
use crate::model::{
    ChatCommand, ChatEvent, ChatKind, Deed, Door, Event, InviteInfo, InviteUser, Rights, Tag,
};
use crate::ui::action::Action;
use crate::ui::icons::Icon;
use crate::ui::identicon::identicon_ui;
use crate::ui::theme::{self, Tokens};
use crate::ui::time_words::span_words;
use crate::ui::widgets::{
    above_buttons, dialog_buttons, error_ui, hint_ui, labelled_button, paragraph_ui, primary_button,
    secondary_button,
};

/// Of those who came by an invite, so many are shown before one asks for more.
const FEW_USERS: usize = 4;

/// And so many at most: a public chat's link may have let in thousands, who stand in the list of members.
const MOST_USERS: usize = 100;

/// Why there is no way to copy an invite again.
const SHOWN_ONCE: &str = "An invite is shown once, when it is made: its secret is kept by nobody but those who hold \
    it. For somebody else, make a new one.";

/// The invites of a chat.
#[derive(Debug)]
pub struct InvitesDialog {
    chat: ChatId,
    /// The one that closes if the user says so once more.
    closing: Option<InviteId>,
    /// Those whose users are all shown.
    expanded: BTreeSet<InviteId>,
    error: Option<String>,
    pub(super) waiting: Option<Tag>,
}

impl InvitesDialog {
    /// Of this chat.
    pub fn new(chat: ChatId) -> Self {
        Self {
            chat,
            closing: None,
            expanded: BTreeSet::new(),
            error: None,
            waiting: None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let Some(chat) = context.chats.get(self.chat) else {
            return vec![Action::CloseDialog];
        };
        let may_not = chat.may(Deed::CloseInvite).err();
        if let Some(reason) = may_not.as_deref().or(self.error.as_deref()) {
            error_ui(ui, reason);
        }
        if let Some(invites) = chat.invites.as_deref().filter(|_| may_not.is_none()) {
            above_buttons(ui, |ui| {
                if invites.is_empty() {
                    empty_ui(ui);
                    return;
                }
                hint_ui(ui, SHOWN_ONCE);
                for invite in invites {
                    let card = Card {
                        invite,
                        door: &chat.door,
                        now: context.now,
                        zone: context.chats.zone(),
                    };
                    actions.extend(self.card_ui(ui, &card));
                }
            });
        }
        dialog_buttons(ui, |ui| {
            let may_invite = why_not_invite(chat).is_none();
            if may_invite && primary_button(ui, "Export invite…", true).clicked() {
                actions.push(Action::ExportInvite(self.chat));
            }
            if secondary_button(ui, "Done", true).clicked() {
                actions.push(Action::CloseDialog);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 16.0;
                if ui.link("Who may do what").clicked() {
                    actions.push(Action::ShowRights(Some(self.chat)));
                }
                if chat.kind == ChatKind::Public && ui.link("Door…").clicked() {
                    actions.push(Action::ShowDoor(self.chat));
                }
            });
        });
        actions
    }

    fn card_ui(&mut self, ui: &mut Ui, card: &Card<'_>) -> Option<Action> {
        let tokens = theme::tokens(ui);
        let invite = card.invite;
        let mut action = None;
        let frame = Frame::new()
            .fill(tokens.base)
            .stroke(Stroke::new(1.0, tokens.border))
            .corner_radius(CornerRadius::same(8))
            .inner_margin(Margin::symmetric(12, 10));
        frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 4.0;
            ui.horizontal(|ui| {
                ui.set_min_height(32.0);
                ui.label(RichText::new(card.name()).font(theme::nick()));
                card.state().ui(ui, tokens);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    action = self.button_ui(ui, card);
                });
            });
            hint_ui(ui, card.terms());
            self.users_ui(ui, invite);
            if self.closing == Some(invite.invite) {
                action = action.take().or(self.ask_ui(ui, card));
            }
        });
        action
    }

    /// What can be done with an invite, at the right of its name.
    fn button_ui(&mut self, ui: &mut Ui, card: &Card<'_>) -> Option<Action> {
        let invite = card.invite;
        if invite.public_link && !invite.closed {
            let show = labelled_button(ui, Icon::Link, "Show the link…", true);
            return show.clicked().then_some(Action::ExportInvite(self.chat));
        }
        if invite.closed || card.state() == State::Expired || self.closing == Some(invite.invite) {
            return None;
        }
        let close = labelled_button(ui, Icon::X, "Close", self.waiting.is_none());
        let name = format!("Close {}", card.name().to_lowercase());
        close.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
        if !close.on_hover_text("Let nobody in by it any more").clicked() {
            return None;
        }
        if invite.used_by.iter().all(|user| user.confirmed) {
            return Some(self.close(invite.invite));
        }
        self.closing = Some(invite.invite);
        None
    }

    /// Asks whether to close one whose users are not all safe: it can't be undone, and they would be outside.
    fn ask_ui(&mut self, ui: &mut Ui, card: &Card<'_>) -> Option<Action> {
        let mut action = None;
        let unconfirmed: Vec<&str> = card
            .invite
            .used_by
            .iter()
            .filter(|user| !user.confirmed)
            .map(|user| user.nick.as_str())
            .collect();
        paragraph_ui(
            ui,
            &format!(
                "{} not confirmed yet: if it is closed now, they are outside as well. That can't be undone.",
                match unconfirmed.as_slice() {
                    [one] => format!("{one} is"),
                    [one, other] => format!("{one} and {other} are"),
                    [one, rest @ ..] => format!("{one} and {} others are", rest.len()),
                    [] => "All are confirmed; nobody is".to_owned(),
                }
            ),
        );
        ui.horizontal_wrapped(|ui| {
            if secondary_button(ui, "Close it all the same", true).clicked() {
                action = Some(self.close(card.invite.invite));
            }
            if secondary_button(ui, "Keep it open", true).clicked() {
                self.closing = None;
            }
        });
        action
    }

    fn close(&mut self, invite: InviteId) -> Action {
        (self.closing, self.error) = (None, None);
        Action::Submit(ChatCommand::CloseInvite { invite }.to(self.chat))
    }

    fn users_ui(&mut self, ui: &mut Ui, invite: &InviteInfo) {
        let users = &invite.used_by;
        let is_expanded = self.expanded.contains(&invite.invite);
        let most = if is_expanded { MOST_USERS } else { FEW_USERS };
        // One more line for one more member: better the member.
        let shown = if users.len() <= most + 1 {
            users.len()
        } else {
            most
        };
        for user in &users[..shown] {
            user_ui(ui, user);
        }
        let rest = users.len() - shown;
        if rest > 0 && is_expanded {
            hint_ui(ui, format!("and {rest} more, who stand in the list of members"));
        } else if rest > 0 && ui.link(format!("and {rest} more")).clicked() {
            self.expanded.insert(invite.invite);
        }
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        self.waiting = None;
        match event {
            Event::Chat { event: ChatEvent::Invites { .. }, .. } => {
                self.error = None;
                Some(Vec::new())
            }
            Event::Chat { chat, event: ChatEvent::InviteClosed { .. } } => Some(vec![
                Action::Submit(ChatCommand::Invites.to(*chat)),
                Action::Offer {
                    text: "The invite is closed: nobody new comes in by it. That can't be undone, but you can make \
                           another."
                        .to_owned(),
                    button: "New invite",
                    action: Box::new(Action::ExportInvite(*chat)),
                },
            ]),
            Event::Error { message, .. } => {
                self.error = Some(message.clone());
                Some(Vec::new())
            }
            _ => None,
        }
    }
}

/// An invite, and what is needed to say it in words.
struct Card<'a> {
    invite: &'a InviteInfo,
    /// Through which those come who have the chat's link.
    door: &'a Door,
    now: Timestamp,
    zone: &'a TimeZone,
}

/// Whether an invite still lets people in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    UsedUp,
    Expired,
    Closed,
}

impl Card<'_> {
    fn name(&self) -> String {
        if self.invite.public_link {
            "The chat's link".to_owned()
        } else {
            format!("Invite {}", self.invite.number)
        }
    }

    fn state(&self) -> State {
        let InviteInfo {
            closed,
            expires_at,
            uses,
            used_by,
            ..
        } = self.invite;
        if *closed {
            State::Closed
        } else if expires_at.is_some_and(|at| at <= self.now) {
            State::Expired
        } else if *uses > 0 && used_by.len() >= usize::from(*uses) {
            State::UsedUp
        } else {
            State::Open
        }
    }

    /// Its terms in a line: "1 of 5 came in · read only · expires in 3 days · made 20 November, 14:02".
    fn terms(&self) -> String {
        let invite = self.invite;
        let came = invite.used_by.len();
        let mut parts = vec![match (invite.uses, came) {
            (0, 0) => "Lets in any number, nobody so far".to_owned(),
            (0, came) => format!("Lets in any number, {came} so far"),
            (uses, came) => format!("{came} of {uses} came in"),
        }];
        if invite.rights == Rights::Observer {
            parts.push("they only read".to_owned());
        }
        if invite.public_link {
            parts.push(format!("door: {}", door_terms(self.door)));
        }
        if !invite.closed {
            parts.extend(self.expiry());
        }
        if let Some(at) = invite.created_at {
            let at = at.to_zoned(self.zone.clone());
            parts.push(format!("made {}", at.strftime("%-d %B, %H:%M")));
        }
        parts.join(" · ")
    }

    fn expiry(&self) -> Option<String> {
        let Some(at) = self.invite.expires_at else {
            return (!self.invite.public_link).then(|| "open until closed".to_owned());
        };
        let span = |from: Timestamp, to: Timestamp| {
            span_words(Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO))
        };
        Some(if at > self.now {
            format!("expires in {}", span(self.now, at))
        } else {
            format!("expired {} ago", span(at, self.now))
        })
    }
}

impl State {
    fn ui(self, ui: &mut Ui, tokens: &Tokens) {
        let (icon, name, color): (Icon, &str, Color32) = match self {
            Self::Open => (Icon::DoorOpen, "Open", tokens.green),
            Self::UsedUp => (Icon::CircleCheck, "Used up", tokens.weak),
            Self::Expired => (Icon::Hourglass, "Expired", tokens.weak),
            Self::Closed => (Icon::Ban, "Closed", tokens.weak),
        };
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.add_space(4.0);
        ui.label(
            RichText::new(icon.unicode())
                .font(theme::icon_font(13.0))
                .color(color),
        );
        ui.label(RichText::new(name).font(theme::meta_strong()).color(color));
    }
}

fn user_ui(ui: &mut Ui, user: &InviteUser) {
    let tokens = theme::tokens(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        identicon_ui(ui, &user.member.0, 20.0);
        let (icon, words) = if user.confirmed {
            (Icon::Check, "confirmed")
        } else {
            (Icon::Clock, "not confirmed yet")
        };
        let width = ui.available_width();
        ui.scope(|ui| {
            // A nick is as long as its owner likes.
            ui.set_max_width((width - 140.0).max(60.0));
            let color = theme::nick_color(&user.member.0, tokens);
            let nick = crate::model::shown_nick(&user.nick);
            ui.add(Label::new(RichText::new(nick).font(theme::nick()).color(color)).truncate());
        });
        ui.label(
            RichText::new(icon.unicode())
                .font(theme::icon_font(13.0))
                .color(tokens.weak),
        );
        ui.label(RichText::new(words).font(theme::meta()).color(tokens.weak));
    });
}

fn empty_ui(ui: &mut Ui) {
    ui.add_space(16.0);
    ui.vertical_centered(|ui| {
        let weak = theme::tokens(ui).weak;
        ui.label(
            RichText::new(Icon::Ticket.unicode())
                .font(theme::icon_font(28.0))
                .color(weak),
        );
        ui.add_space(4.0);
        ui.label(RichText::new("No invites yet").font(theme::header()));
        ui.label(RichText::new("Make one, and see here who came in by it.").color(weak));
    });
    ui.add_space(16.0);
}
