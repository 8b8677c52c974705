//! Fields for passphrases: what is typed does not show, is wiped on drop, and is printed nowhere.

use std::fmt;

use egui::text_edit::TextEditState;
use egui::{Margin, Response, RichText, TextEdit, Ui};
use zeroize::Zeroizing;

use super::theme;
use super::widgets::{field_with, hint_ui};
use crate::model::{Passphrase, Strength};

/// A field for a passphrase.
#[derive(Default)]
pub(super) struct SecretField(Zeroizing<String>);

impl SecretField {
    /// Paints it under its label.
    pub(super) fn ui(&mut self, ui: &mut Ui, label: &str) -> Response {
        let field = field_with(ui, label, |ui| {
            ui.add(
                TextEdit::singleline(&mut *self.0)
                    .password(true)
                    .desired_width(f32::INFINITY)
                    .margin(Margin::symmetric(8, 6)),
            )
        });
        // The toolkit would keep earlier states of it for Undo.
        if let Some(mut state) = TextEditState::load(ui.ctx(), field.id) {
            state.clear_undoer();
            state.store(ui.ctx(), field.id);
        }
        field
    }

    /// What was typed.
    pub(super) fn passphrase(&self) -> Passphrase {
        Passphrase::new(self.0.clone())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl PartialEq for SecretField {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for SecretField {}

impl fmt::Debug for SecretField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretField(…)")
    }
}

/// A new passphrase, typed twice.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NewPassphrase {
    first: SecretField,
    again: SecretField,
}

impl NewPassphrase {
    /// Paints both fields, and what can be said of what is in them.
    pub(super) fn ui(&mut self, ui: &mut Ui, label: &str) -> [Response; 2] {
        let first = self.first.ui(ui, label);
        self.strength_ui(ui);
        let again = self.again.ui(ui, "The same again");
        if !self.again.is_empty() && self.first != self.again {
            hint_ui(ui, "The two are not the same yet.");
        }
        [first, again]
    }

    /// What was typed, if it was typed twice.
    pub(super) fn agreed(&self) -> Option<Passphrase> {
        (!self.first.is_empty() && self.first == self.again).then(|| self.first.passphrase())
    }

    fn strength_ui(&self, ui: &mut Ui) {
        let tokens = theme::tokens(ui);
        let strength = (!self.first.is_empty()).then(|| Strength::of(&self.first.0));
        let (color, words) = match strength {
            None => (
                tokens.weak,
                "Best: five or more words drawn by chance. Nobody can recover it for you.",
            ),
            Some(Strength::Weak) => (
                tokens.red,
                "Weak: a computer guesses this. Make it longer, with words that don't belong together.",
            ),
            Some(Strength::Fair) => (
                tokens.amber,
                "Fair: it holds unless somebody tries hard. Another word helps.",
            ),
            Some(Strength::Good) => (
                tokens.green,
                "Long enough, if it stands in no book or song and you use it nowhere else.",
            ),
        };
        ui.label(RichText::new(words).font(theme::meta()).color(color));
    }
}
