//! The dialog about what was said in a chat: how much is kept here, what newcomers see of it, and forgetting all of it.

use egui::{DragValue, RichText, Ui};

use super::DialogContext;
use super::door::{choice_list_style, indented};
use crate::id::ChatId;
use crate::model::{
    Chat, ChatCommand, ChatEvent, ChatKind, Event, HistoryRule, Retention, Role, Tag, history_rule_words,
};
use crate::ui::action::Action;
use crate::ui::theme;
use crate::ui::time_words::counted;
use crate::ui::widgets::{
    above_buttons, danger_button, dialog_buttons, done_ui, error_ui, hint_ui, paragraph_ui, primary_button,
    secondary_button,
};

/// Days and MiB to begin with (guesses).
const DAYS: u16 = 365;
const MIB: u32 = 100;

/// Days of the past for newcomers to begin with (a guess).
const RULE_DAYS: u16 = 7;

/// A choice with a number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Forever,
    Days,
    Mib,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    All,
    Days,
    FromJoining,
}

/// The dialog about what was said in a chat.
#[derive(Debug)]
pub struct HistoryDialog {
    chat: ChatId,
    keep: Keep,
    days: u16,
    mib: u32,
    past: Past,
    past_days: u16,
    /// Whether it asks if everything is to be forgotten.
    asks_to_clear: bool,
    done: Option<String>,
    error: Option<String>,
    pub(super) waiting: Option<Tag>,
}

impl HistoryDialog {
    /// Of this chat.
    pub fn new(chat: &Chat) -> Self {
        let (keep, days, mib) = match chat.retention {
            Retention::Forever => (Keep::Forever, DAYS, MIB),
            Retention::Days { days } => (Keep::Days, days, MIB),
            Retention::Mib { mib } => (Keep::Mib, DAYS, mib),
        };
        let (past, past_days) = match chat.history_rule {
            HistoryRule::All => (Past::All, RULE_DAYS),
            HistoryRule::Days { days } => (Past::Days, days),
            HistoryRule::FromJoining => (Past::FromJoining, RULE_DAYS),
        };
        Self {
            chat: chat.id,
            keep,
            days,
            mib,
            past,
            past_days,
            asks_to_clear: false,
            done: None,
            error: None,
            waiting: None,
        }
    }

    /// Asks at once whether everything is to be forgotten.
    pub fn clear(chat: &Chat) -> Self {
        Self {
            asks_to_clear: true,
            ..Self::new(chat)
        }
    }

    pub(super) fn title(&self) -> &'static str {
        if self.asks_to_clear {
            "Clear this chat's history?"
        } else {
            "History"
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        match context.chats.get(self.chat) {
            Some(chat) if self.asks_to_clear => self.clear_ui(ui, chat),
            Some(chat) => self.settings_ui(ui, chat),
            None => vec![Action::CloseDialog],
        }
    }

    fn settings_ui(&mut self, ui: &mut Ui, chat: &Chat) -> Vec<Action> {
        let mut actions = Vec::new();
        above_buttons(ui, |ui| {
            self.keep_ui(ui);
            if chat.kind != ChatKind::Classic {
                ui.add_space(8.0);
                self.past_ui(ui, chat);
            }
        });
        self.outcome_ui(ui);
        let (retention, rule) = (self.retention(), self.rule());
        let mut commands = Vec::new();
        if retention != chat.retention {
            commands.push(ChatCommand::SetRetention { retention }.to(chat.id));
        }
        if chat.role == Role::Founder && chat.kind != ChatKind::Classic && rule != chat.history_rule {
            commands.push(ChatCommand::SetHistoryRule { rule }.to(chat.id));
        }
        let ready = !commands.is_empty() && self.waiting.is_none();
        let enter = super::enter_pressed(ui, &[]);
        dialog_buttons(ui, |ui| {
            if primary_button(ui, "Set", ready).clicked() || (enter && ready) {
                (self.done, self.error) = (None, None);
                actions.extend(commands.into_iter().map(Action::Submit));
            }
            if secondary_button(ui, "Done", true).clicked() {
                actions.push(Action::CloseDialog);
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                if secondary_button(ui, "Clear history…", true).clicked() {
                    self.asks_to_clear = true;
                    (self.done, self.error) = (None, None);
                }
            });
        });
        actions
    }

    fn keep_ui(&mut self, ui: &mut Ui) {
        ui.vertical(|ui| {
            choice_list_style(ui);
            heading_ui(ui, "How much of this chat is kept here");
            ui.radio_value(&mut self.keep, Keep::Forever, "All of it, for ever");
            ui.radio_value(&mut self.keep, Keep::Days, "What was said in the last days");
            if self.keep == Keep::Days {
                indented(ui, |ui| {
                    number_ui(ui, "Days to keep", "days", |ui| {
                        ui.add(DragValue::new(&mut self.days).range(1..=u16::MAX).speed(0.5))
                    });
                });
            }
            ui.radio_value(&mut self.keep, Keep::Mib, "The newest messages, up to a size");
            if self.keep == Keep::Mib {
                indented(ui, |ui| {
                    number_ui(ui, "MiB to keep", "MiB", |ui| {
                        ui.add(DragValue::new(&mut self.mib).range(1..=u32::MAX).speed(0.5))
                    });
                });
            }
            hint_ui(ui, retention_words(self.retention()));
        });
    }

    fn past_ui(&mut self, ui: &mut Ui, chat: &Chat) {
        ui.vertical(|ui| {
            choice_list_style(ui);
            heading_ui(ui, "What newcomers see of the past");
            if chat.role != Role::Founder {
                let now = history_rule_words(chat.history_rule);
                hint_ui(ui, format!("Now: {now}. Only the founder can change that."));
                return;
            }
            ui.radio_value(&mut self.past, Past::All, "All of it");
            ui.radio_value(&mut self.past, Past::Days, "The last days before they joined");
            if self.past == Past::Days {
                indented(ui, |ui| {
                    number_ui(ui, "Days that newcomers see", "days", |ui| {
                        ui.add(DragValue::new(&mut self.past_days).range(1..=u16::MAX).speed(0.2))
                    });
                });
            }
            ui.radio_value(
                &mut self.past,
                Past::FromJoining,
                "Nothing from before they joined",
            );
            hint_ui(
                ui,
                "Members' programs keep to it. Who has been there all along can still tell.",
            );
        });
    }

    fn clear_ui(&mut self, ui: &mut Ui, chat: &Chat) -> Vec<Action> {
        let mut actions = Vec::new();
        let name = &chat.name;
        paragraph_ui(
            ui,
            &format!(
                "Everything that was said in {name} is deleted from this computer, for good. There is no undo."
            ),
        );
        ui.add_space(4.0);
        paragraph_ui(
            ui,
            "The others keep theirs, and nothing is deleted there. You stay in the chat.",
        );
        self.outcome_ui(ui);
        let ready = self.waiting.is_none() && self.done.is_none();
        dialog_buttons(ui, |ui| {
            if danger_button(ui, "Clear history", ready).clicked() {
                actions.push(Action::Submit(ChatCommand::ClearHistory.to(chat.id)));
            }
            if secondary_button(ui, "Cancel", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    fn outcome_ui(&self, ui: &mut Ui) {
        if let Some(error) = &self.error {
            error_ui(ui, error);
        } else if let Some(done) = &self.done {
            done_ui(ui, done);
        }
    }

    fn retention(&self) -> Retention {
        match self.keep {
            Keep::Forever => Retention::Forever,
            Keep::Days => Retention::Days { days: self.days },
            Keep::Mib => Retention::Mib { mib: self.mib },
        }
    }

    fn rule(&self) -> HistoryRule {
        match self.past {
            Past::All => HistoryRule::All,
            Past::Days => HistoryRule::Days { days: self.past_days },
            Past::FromJoining => HistoryRule::FromJoining,
        }
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        self.waiting = None;
        match event {
            Event::Chat {
                event: ChatEvent::RetentionChanged { .. },
                ..
            }
            | Event::Chat {
                event: ChatEvent::HistoryRuleChanged { .. },
                ..
            } => {
                self.done = Some("It is set.".to_owned());
                Some(Vec::new())
            }
            Event::Chat {
                event: ChatEvent::HistoryCleared,
                ..
            } => Some(vec![Action::CloseDialog]),
            Event::Error { message, .. } => {
                self.error = Some(message.clone());
                Some(Vec::new())
            }
            _ => None,
        }
    }
}

fn heading_ui(ui: &mut Ui, words: &str) {
    let weak = theme::tokens(ui).weak;
    ui.label(RichText::new(words).font(theme::meta_strong()).color(weak));
}

fn number_ui(ui: &mut Ui, name: &str, unit: &str, add: impl FnOnce(&mut Ui) -> egui::Response) {
    ui.horizontal(|ui| {
        ui.name_inputs(name, add);
        ui.label(unit);
    });
}

/// What becomes of what is over the limit.
fn retention_words(retention: Retention) -> String {
    match retention {
        Retention::Forever => "Nothing is deleted. A year of a busy chat takes some 100 MiB.".to_owned(),
        Retention::Days { days } => format!(
            "What is older than {} is deleted from this computer, now and from now on. The others keep theirs.",
            counted(days.into(), "day")
        ),
        Retention::Mib { mib } => format!(
            "What is over {mib} MiB is deleted from this computer, the oldest first, now and from now on. The others keep \
             theirs."
        ),
    }
}
