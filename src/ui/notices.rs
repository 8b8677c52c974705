//! Notices above the composer: why the user can't write, or only slowly, and what to do about it.

use std::time::Duration;

use egui::{Color32, CornerRadius, Frame, Margin, Ui, vec2};
use jiff::Timestamp;

use super::action::Action;
use super::icons::Icon;
use super::theme::{self, Tokens, size};
use super::widgets::{line_icon, paragraph_ui, secondary_button};
use crate::model::{BanInfo, Chat, Join, ReadsOnly, Role};

/// A notice.
struct Notice {
    icon: Icon,
    color: Color32,
    sentence: String,
    steps: Vec<(&'static str, Action)>,
    /// Whether it is read out when it appears: not what changes every second.
    is_announced: bool,
}

/// Room between two buttons.
const BUTTON_GAP: f32 = 8.0;

/// The text gets at least this width beside the buttons, in points.
const WORDS_WIDTH: f32 = 320.0;

/// Paints the notice above the composer, if there is one.
pub(super) fn notices_ui(ui: &mut Ui, chat: &Chat, now: Timestamp) -> Option<Action> {
    let tokens = theme::tokens(ui);
    let notices = notices(chat, now, tokens);
    if notices.is_empty() {
        return None;
    }
    let frame = Frame::new()
        .fill(tokens.panel)
        .corner_radius(CornerRadius::same(8))
        .inner_margin(Margin::symmetric(12, 8))
        .outer_margin(Margin {
            left: 16,
            right: 16,
            top: 4,
            bottom: 4,
        });
    let mut action = None;
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 6.0;
        for notice in &notices {
            action = action.take().or(notice.ui(ui));
        }
    });
    action
}

/// What the empty composer says if the user may not write.
pub(super) fn why_not_write(chat: &Chat, now: Timestamp) -> Option<&'static str> {
    if chat.own_ban().is_some() {
        return Some("You are banned from this chat.");
    }
    match chat.reads_only(now)? {
        ReadsOnly::Newcomer { .. } => Some("You can write here soon."),
        ReadsOnly::AwaitsApproval => Some("You can write here once you are let."),
        ReadsOnly::Observer => Some("You may read here, but not write."),
    }
}

fn notices(chat: &Chat, now: Timestamp, tokens: &Tokens) -> Vec<Notice> {
    let mut notices = Vec::new();
    if let Some(ban) = chat.own_ban() {
        return vec![banned(chat, ban, tokens)];
    }
    if let Some(why) = chat.reads_only(now) {
        notices.push(Notice {
            icon: if why == ReadsOnly::Observer {
                Icon::Eye
            } else {
                Icon::Hourglass
            },
            color: tokens.weak,
            sentence: reads_only_words(why),
            steps: Vec::new(),
            is_announced: true,
        });
    }
    if let Some(rest) = chat.slow_for(now) {
        notices.push(Notice {
            icon: Icon::Hourglass,
            color: tokens.amber,
            sentence: format!("Slow mode: what you wrote last goes out in {}.", in_words(rest)),
            steps: Vec::new(),
            is_announced: false,
        });
    }
    if chat.is_moderation_stale {
        notices.push(Notice {
            icon: Icon::ShieldAlert,
            color: tokens.amber,
            sentence: "No member has lately confirmed roles and bans; they may be out of date.".to_owned(),
            steps: Vec::new(),
            is_announced: true,
        });
    }
    notices
}

fn banned(chat: &Chat, ban: &BanInfo, tokens: &Tokens) -> Notice {
    Notice {
        icon: Icon::Ban,
        color: tokens.red,
        sentence: banned_words(chat, ban),
        steps: vec![
            ("Leave the chat", Action::Leave(chat.id)),
            ("Try again", Action::Retry(chat.id)),
        ],
        is_announced: true,
    }
}

fn banned_words(chat: &Chat, ban: &BanInfo) -> String {
    let Some(by) = ban.by else {
        // The member who refused us knows more about it.
        return match &chat.join {
            Join::Failed(sentence) => sentence.clone(),
            _ => "You are banned from this chat. A moderator or the founder can lift the ban.".to_owned(),
        };
    };
    let by_name = chat.called(by);
    let why = if ban.reason.is_empty() {
        ".".to_owned()
    } else {
        format!(": “{}”.", ban.reason)
    };
    let is_founder = chat.members.get(by).is_some_and(|by| by.role == Role::Founder);
    let ask = if is_founder {
        by_name.clone()
    } else {
        format!("{by_name} or the founder")
    };
    format!(
        "{by_name} banned you from this chat{why} What was said stays readable here. If it is a mistake, ask {ask} to \
         lift the ban, then try again."
    )
}

fn reads_only_words(why: ReadsOnly) -> String {
    match why {
        ReadsOnly::Observer => {
            "You are an observer: you read here, but don't write. A moderator or the founder can change that."
                .to_owned()
        }
        ReadsOnly::AwaitsApproval => {
            "Newcomers read here until a moderator lets them write. You don't have to do anything.".to_owned()
        }
        ReadsOnly::Newcomer { minutes, rest } => {
            let left = rest.as_secs().div_ceil(60);
            let minutes = if minutes == 1 {
                "first minute".to_owned()
            } else {
                format!("first {minutes} minutes")
            };
            let left = if left == 1 {
                "1 minute".to_owned()
            } else {
                format!("{left} minutes")
            };
            format!("Newcomers only read here for the {minutes}. You can write in {left}.")
        }
    }
}

/// "12 s", "3 min 5 s": rounded up, so that it is never over before it is.
fn in_words(rest: Duration) -> String {
    let seconds = rest.as_secs() + u64::from(rest.subsec_nanos() > 0);
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

impl Notice {
    fn ui(&self, ui: &mut Ui) -> Option<Action> {
        let buttons: f32 = self.steps.iter().map(|(name, _)| button_width(ui, name)).sum();
        // Beside the words where there is room, below them where there is not.
        let beside = ui.available_width() - buttons >= WORDS_WIDTH;
        let mut action = None;
        ui.horizontal_top(|ui| {
            let room = ui.available_width() - if beside { buttons } else { 0.0 };
            ui.allocate_ui(vec2(room, 0.0), |ui| {
                ui.set_width(room);
                ui.horizontal_top(|ui| self.words_ui(ui));
            });
            if beside {
                action = self.steps_ui(ui);
            }
        });
        if !beside {
            action = ui.horizontal(|ui| self.steps_ui(ui)).inner;
        }
        action
    }

    fn words_ui(&self, ui: &mut Ui) {
        line_icon(ui, self.icon, self.color, size::BODY_LINE);
        let words = paragraph_ui(ui, &self.sentence);
        if self.is_announced {
            ui.ctx().accesskit_node_builder(words.id, |node| {
                node.set_live(egui::accesskit::Live::Polite);
            });
        }
    }

    fn steps_ui(&self, ui: &mut Ui) -> Option<Action> {
        let mut action = None;
        ui.spacing_mut().item_spacing.x = BUTTON_GAP;
        for (name, step) in &self.steps {
            if secondary_button(ui, name, true).clicked() {
                action = Some(step.clone());
            }
        }
        action
    }
}

/// The room that a button takes, with the gap before it.
fn button_width(ui: &Ui, name: &str) -> f32 {
    let words = ui
        .painter()
        .layout_no_wrap(name.to_owned(), theme::nick(), Color32::PLACEHOLDER);
    (words.size().x + 2.0 * ui.spacing().button_padding.x).max(80.0) + BUTTON_GAP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_words() {
        for (millis, words) in [
            (1, "1 s"),
            (11_001, "12 s"),
            (12_000, "12 s"),
            (60_000, "1 min"),
            (185_000, "3 min 5 s"),
        ] {
            assert_eq!(in_words(Duration::from_millis(millis)), words);
        }
    }
}
