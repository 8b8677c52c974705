//! The dialog that sets, changes or removes the passphrase of the profile.

use egui::Ui;

use super::DialogContext;
use crate::model::{Code, Command, Event, Passphrase, Tag};
use crate::ui::action::Action;
use crate::ui::secret_field::{NewPassphrase, SecretField};
use crate::ui::widgets::{
    above_buttons, dialog_buttons, done_ui, error_ui, hint_ui, paragraph_ui, primary_button, secondary_button,
};

/// The dialog that sets, changes or removes the passphrase of the profile.
#[derive(Debug, Default)]
pub struct PassphraseDialog {
    old: SecretField,
    new: NewPassphrase,
    error: Option<String>,
    done: Option<String>,
    pub(super) waiting: Option<Tag>,
}

impl PassphraseDialog {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let (is_set, idle) = (context.passphrase_set, self.waiting.is_none());
        let mut actions = Vec::new();
        above_buttons(ui, |ui| {
            paragraph_ui(
                ui,
                if is_set {
                    "Throng asks for the passphrase at every start."
                } else {
                    "With a passphrase your keys are sealed on this computer, and Throng asks for it at every start."
                },
            );
            hint_ui(
                ui,
                "Sealed: the keys of your chats and your own, and invites that you came by. Not sealed: what was said, names, \
                 members and addresses. Who reads this computer's disk can read those, but can't be you. Encrypt the \
                 disk to keep them as well.",
            );
            ui.add_space(4.0);
            if is_set {
                self.old.ui(ui, "The passphrase now");
            }
            self.new.ui(ui, if is_set { "The new one" } else { "Passphrase" });
            if !idle {
                hint_ui(ui, "Working…");
            }
            if let Some(error) = &self.error {
                error_ui(ui, error);
            }
            if let Some(done) = &self.done {
                done_ui(ui, done);
            }
        });
        let new = self.new.agreed();
        let has_old = !is_set || !self.old.is_empty();
        dialog_buttons(ui, |ui| {
            let name = if is_set { "Change" } else { "Set passphrase" };
            if primary_button(ui, name, idle && has_old && new.is_some()).clicked() {
                actions.extend(new.map(|new| self.submit(new)));
            }
            if secondary_button(ui, "Done", true).clicked() {
                actions.push(Action::CloseDialog);
            }
            if is_set && secondary_button(ui, "Remove it", idle && has_old).clicked() {
                actions.push(self.submit(Passphrase::default()));
            }
        });
        actions
    }

    fn submit(&mut self, new: Passphrase) -> Action {
        (self.error, self.done) = (None, None);
        Action::Submit(Command::SetPassphrase {
            old: self.old.passphrase(),
            new,
        })
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::PassphraseChanged { set } => {
                let done = if *set {
                    "The keys are sealed. Throng will ask for this passphrase when it starts."
                } else {
                    "The passphrase is removed, and the keys lie unsealed."
                };
                self.done = Some(done.to_owned());
                (self.old, self.new) = (SecretField::default(), NewPassphrase::default());
            }
            Event::Error { code, message, .. } => {
                if *code == Code::WrongPassphrase {
                    self.old.clear();
                }
                self.error = Some(message.clone());
            }
            _ => return None,
        }
        self.waiting = None;
        Some(Vec::new())
    }
}
