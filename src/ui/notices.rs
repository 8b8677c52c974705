//! What stands above the composer: why one can't write, or why it goes slowly, and what to do about it.

use std::time::Duration;

use egui::{Align, Color32, CornerRadius, Frame, Layout, Margin, RichText, Ui};
use jiff::Timestamp;
use lucide_icons::Icon;

use super::action::Action;
use super::theme::{self, Tokens};
use super::widgets::{paragraph_ui, secondary_button};
use crate::model::{BanInfo, Chat, ReadsOnly};

/// Something to be known before one writes.
struct Notice {
    icon: Icon,
    color: Color32,
    sentence: String,
    steps: Vec<(&'static str, Action)>,
}

/// Paints what stands above the composer, if anything does.
pub(super) fn notices_ui(ui: &mut Ui, chat: &Chat, now: Timestamp) -> Option<Action> {
    let mut action = None;
    for notice in notices(chat, now, theme::tokens(ui)) {
        action = action.take().or(notice.ui(ui));
    }
    action
}

/// What the empty composer says, if one may not write.
pub(super) fn why_not_write(chat: &Chat, now: Timestamp) -> Option<&'static str> {
    if chat.own_ban().is_some() {
        return Some("You are banned from this chat.");
    }
    match chat.reads_only(now)? {
        // Whoever has it in writing that they may speak is not kept from it by what is only guessed here.
        ReadsOnly::Newcomer { .. } if chat.role != crate::model::Role::Observer => None,
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
        });
    }
    if let Some(rest) = chat.slow_for(now) {
        notices.push(Notice {
            icon: Icon::Hourglass,
            color: tokens.amber,
            sentence: format!("Slow mode: what you wrote last goes out in {}.", in_words(rest)),
            steps: Vec::new(),
        });
    }
    if chat.is_moderation_stale {
        notices.push(Notice {
            icon: Icon::ShieldAlert,
            color: tokens.amber,
            sentence: "No member has lately confirmed roles and bans; they may be out of date.".to_owned(),
            steps: Vec::new(),
        });
    }
    notices
}

fn banned(chat: &Chat, ban: &BanInfo, tokens: &Tokens) -> Notice {
    let by = ban.by.map(|by| chat.nick_of(by));
    let who = by.as_ref().map_or_else(
        || "You are banned from this chat".to_owned(),
        |by| format!("{by} banned you from this chat"),
    );
    let why = if ban.reason.is_empty() {
        ".".to_owned()
    } else {
        format!(": “{}”.", ban.reason)
    };
    let ask = by.map_or_else(
        || "a moderator or the founder".to_owned(),
        |by| format!("{by} or the founder"),
    );
    Notice {
        icon: Icon::Ban,
        color: tokens.red,
        sentence: format!(
            "{who}{why} What was said stays readable here. If it is a mistake, ask {ask} to lift the ban, then try \
             again."
        ),
        steps: vec![
            ("Leave the chat", Action::Leave(chat.id)),
            ("Try again", Action::Retry(chat.id)),
        ],
    }
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
    fn ui(self, ui: &mut Ui) -> Option<Action> {
        let mut action = None;
        let tokens = theme::tokens(ui);
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
        frame.show(ui, |ui| {
            // Beside the words where there is room, below them where there is not.
            let narrow = ui.available_width() < 480.0;
            let words = |ui: &mut Ui| {
                ui.label(
                    RichText::new(self.icon.unicode())
                        .font(theme::icon_font(16.0))
                        .color(self.color),
                );
                paragraph_ui(ui, &self.sentence);
            };
            let mut steps = |ui: &mut Ui| {
                for (name, step) in &self.steps {
                    if secondary_button(ui, name, true).clicked() {
                        action = Some(step.clone());
                    }
                }
            };
            if narrow {
                ui.horizontal_top(words);
                if !self.steps.is_empty() {
                    ui.horizontal(&mut steps);
                }
            } else {
                ui.with_layout(Layout::right_to_left(Align::Center).with_main_wrap(false), |ui| {
                    steps(ui);
                    ui.with_layout(Layout::left_to_right(Align::Center), words);
                });
            }
        });
        action
    }
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
