//! How strangers come into a public chat: the choices in words, and the dialog that sets them.

use std::time::Duration;

use egui::{DragValue, RichText, Ui};

use super::DialogContext;
use crate::id::ChatId;
use crate::model::{Chat, ChatCommand, ChatEvent, ChatKind, Deed, Door, DoorMode, Event, Tag};
use crate::ui::action::Action;
use crate::ui::theme;
use crate::ui::time_words::{counted, span_words};
use crate::ui::widgets::{
    above_buttons, choice_style, dialog_buttons, error_ui, hint_ui, paragraph_ui, primary_button,
    secondary_button,
};

/// Tries at the work that an ordinary computer makes in a second: one took 88 ns in an optimised build, and some
/// computers are slower.
const TRIES_A_SECOND: f64 = 8_388_608.0;

/// The work to choose from, in leading zero bits: about a second, some seconds, a minute.
const WORKS: [(u8, &str); 3] = [(23, "Light"), (26, "Medium"), (29, "Heavy")];

/// Minutes that newcomers read, unless the user says otherwise (a guess: enough for a moderator to look up).
const MINUTES: u16 = 10;

/// Messages a minute in slow mode, unless the user says otherwise (a guess).
const SLOW_RATE: u16 = 6;

/// The ways in, with their names and what they mean.
const MODES: [(DoorMode, &str, &str); 5] = [
    (DoorMode::Open, "Open", "Whoever has the link comes in at once."),
    (
        DoorMode::Work,
        "Open, with work",
        "A newcomer's computer works for a while first. One hardly minds; who comes a thousand times does.",
    ),
    (
        DoorMode::ReadFirst,
        "Newcomers read first",
        "They come in at once, and can write some minutes later.",
    ),
    (
        DoorMode::Approval,
        "By approval",
        "They come in and read; each can write when a moderator has let them.",
    ),
    (
        DoorMode::Closed,
        "Closed",
        "Nobody comes in by the link. Those who are in stay.",
    ),
];

/// The choice of a door.
#[derive(Debug)]
pub(super) struct DoorForm {
    mode: DoorMode,
    work_bits: u8,
    minutes: u16,
    /// Whether members say no more than `rate` messages a minute.
    slow: bool,
    rate: u16,
    /// Work that somebody chose elsewhere.
    other_work: Option<u8>,
}

impl DoorForm {
    /// Begins with a door as it is.
    pub(super) fn new(door: Door) -> Self {
        let or = |value: u16, otherwise| if value == 0 { otherwise } else { value };
        let is_listed = WORKS.iter().any(|(bits, _)| *bits == door.work_bits);
        Self {
            mode: door.mode,
            work_bits: if door.work_bits == 0 {
                WORKS[1].0
            } else {
                door.work_bits
            },
            minutes: or(door.minutes, MINUTES),
            slow: door.rate > 0,
            rate: or(door.rate, SLOW_RATE),
            other_work: (door.work_bits > 0 && !is_listed).then_some(door.work_bits),
        }
    }

    /// What was chosen.
    pub(super) fn door(&self) -> Door {
        Door {
            mode: self.mode,
            work_bits: if self.mode == DoorMode::Work {
                self.work_bits
            } else {
                0
            },
            minutes: if self.mode == DoorMode::ReadFirst {
                self.minutes
            } else {
                0
            },
            rate: if self.slow { self.rate } else { 0 },
        }
    }

    /// Paints who comes in and how.
    pub(super) fn mode_ui(&mut self, ui: &mut Ui) {
        ui.vertical(|ui| {
            choice_list_style(ui);
            let weak = theme::tokens(ui).weak;
            ui.label(
                RichText::new("How strangers come in")
                    .font(theme::meta_strong())
                    .color(weak),
            );
            for (mode, name, what) in MODES {
                ui.radio_value(&mut self.mode, mode, name);
                indented(ui, |ui| {
                    hint_ui(ui, what);
                    if self.mode == mode {
                        self.details_ui(ui);
                    }
                });
            }
        });
    }

    fn details_ui(&mut self, ui: &mut Ui) {
        match self.mode {
            DoorMode::Work => self.work_ui(ui),
            DoorMode::ReadFirst => {
                ui.horizontal(|ui| {
                    let minutes = DragValue::new(&mut self.minutes).range(1..=1_440).speed(0.2);
                    ui.name_inputs("Minutes that newcomers read", |ui| ui.add(minutes));
                    ui.label("minutes");
                });
            }
            DoorMode::Open | DoorMode::Approval | DoorMode::Closed => {}
        }
    }

    fn work_ui(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 16.0;
            let other = self.other_work.map(|bits| (bits, "As it is"));
            for (bits, name) in WORKS.into_iter().chain(other) {
                let name = format!("{name}: {}", span_words(work_time(bits)));
                ui.radio_value(&mut self.work_bits, bits, name);
            }
        });
        hint_ui(
            ui,
            "On an ordinary computer, on average; longer while many come at once.",
        );
    }

    /// Paints how fast members may write.
    pub(super) fn slow_ui(&mut self, ui: &mut Ui) {
        choice_list_style(ui);
        ui.checkbox(&mut self.slow, "Slow mode");
        indented(ui, |ui| {
            hint_ui(ui, "No member says more messages a minute than these.");
            ui.add_enabled_ui(self.slow, |ui| {
                ui.horizontal(|ui| {
                    let rate = DragValue::new(&mut self.rate).range(1..=600).speed(0.2);
                    ui.name_inputs("Messages a minute", |ui| ui.add(rate));
                    ui.label("messages a minute");
                });
            });
        });
    }
}

/// The dialog that sets the door of a public chat.
#[derive(Debug)]
pub struct DoorDialog {
    chat: ChatId,
    /// The door when the dialog was opened.
    before: Door,
    form: DoorForm,
    error: Option<String>,
    pub(super) waiting: Option<Tag>,
}

impl DoorDialog {
    /// Of this chat.
    pub fn new(chat: &Chat) -> Self {
        Self {
            chat: chat.id,
            before: chat.door,
            form: DoorForm::new(chat.door),
            error: None,
            waiting: None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let Some(chat) = context.chats.get(self.chat) else {
            return vec![Action::CloseDialog];
        };
        if chat.kind != ChatKind::Public {
            paragraph_ui(
                ui,
                "Only public chats have a door. Nobody comes into this one without an invite of its own.",
            );
            dialog_buttons(ui, |ui| {
                if secondary_button(ui, "Done", true).clicked() {
                    actions.push(Action::CloseDialog);
                }
            });
            return actions;
        }
        let refusal = chat.may(Deed::SetDoor).err();
        above_buttons(ui, |ui| {
            paragraph_ui(ui, &format!("Now: {}.", door_terms(&chat.door)));
            ui.add_enabled_ui(refusal.is_none(), |ui| {
                self.form.mode_ui(ui);
                ui.add_space(4.0);
                self.form.slow_ui(ui);
            });
        });
        if let Some(reason) = refusal.as_deref().or(self.error.as_deref()) {
            error_ui(ui, reason);
        }
        let door = self.form.door();
        let ready = refusal.is_none() && self.waiting.is_none() && door != chat.door;
        let enter = super::enter_pressed(ui, &[]);
        dialog_buttons(ui, |ui| {
            if primary_button(ui, "Set the door", ready).clicked() || (enter && ready) {
                (self.error, self.before) = (None, chat.door);
                let chat = self.chat;
                actions.push(Action::Submit(ChatCommand::SetDoor { door }.to(chat)));
            }
            if secondary_button(ui, "Cancel", true).clicked() {
                actions.push(Action::CloseDialog);
            }
        });
        actions
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::Chat {
                chat,
                event: ChatEvent::DoorChanged { door, .. },
            } => Some(vec![
                Action::CloseDialog,
                Action::Offer {
                    text: format!("The door is set: {}.", door_terms(door)),
                    button: "Undo",
                    action: Box::new(Action::Send(ChatCommand::SetDoor { door: self.before }.to(*chat))),
                },
            ]),
            Event::Error { message, .. } => {
                self.waiting = None;
                self.error = Some(message.clone());
                Some(Vec::new())
            }
            _ => None,
        }
    }
}

/// A door in words, to stand within a sentence: "open, with work of about 8 seconds, slow mode".
pub(super) fn door_terms(door: &Door) -> String {
    let mode = match door.mode {
        DoorMode::Open => "open".to_owned(),
        DoorMode::Work => format!(
            "open, with work of about {}",
            span_words(work_time(door.work_bits))
        ),
        DoorMode::ReadFirst => format!(
            "newcomers read for the first {}",
            counted(door.minutes.into(), "minute")
        ),
        DoorMode::Approval => "by approval".to_owned(),
        DoorMode::Closed => "closed".to_owned(),
    };
    match door.rate {
        0 => mode,
        rate => format!("{mode}; slow mode, {} a minute", counted(rate.into(), "message")),
    }
}

/// How long work takes an ordinary computer on average.
fn work_time(bits: u8) -> Duration {
    Duration::try_from_secs_f64(f64::from(bits).exp2() / TRIES_A_SECOND).unwrap_or(Duration::MAX)
}

/// Choices one below the other, each with its sentence.
pub(super) fn choice_list_style(ui: &mut Ui) {
    choice_style(ui);
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.spacing_mut().interact_size.y = 24.0;
}

/// What belongs to the choice above it.
pub(super) fn indented(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    ui.horizontal_top(|ui| {
        ui.add_space(24.0);
        ui.vertical(contents);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_survives_the_form() {
        for door in [
            Door::OPEN,
            Door {
                mode: DoorMode::Work,
                work_bits: 21,
                ..Door::OPEN
            },
            Door {
                mode: DoorMode::ReadFirst,
                minutes: 90,
                rate: 3,
                ..Door::OPEN
            },
        ] {
            assert_eq!(DoorForm::new(door).door(), door);
        }
    }

    #[test]
    fn doors_in_words() {
        let door = Door {
            mode: DoorMode::Work,
            work_bits: 29,
            rate: 1,
            ..Door::OPEN
        };
        assert_eq!(
            door_terms(&door),
            "open, with work of about 1 minute; slow mode, 1 message a minute"
        );
    }
}
