//! Where messages are written.

use egui::Ui;

/// What is being written in a chat, kept between frames.
#[derive(Debug, Default)]
pub struct Composer {
    text: String,
}

impl Composer {
    /// With what was typed before and not sent.
    pub fn with_draft(draft: String) -> Self {
        Self { text: draft }
    }

    /// What stands in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Puts something in at the cursor, as a nick to speak to, and takes the keyboard.
    pub fn insert(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Takes the keyboard in the next frame.
    pub fn focus(&mut self) {}
}

/// What the composer has to know of its chat.
#[derive(Debug, Clone, Copy)]
pub struct ComposerContext<'a> {
    /// The nicks to complete, best first.
    pub nicks: &'a [String],
    /// Whether one may write; otherwise `placeholder` says why not.
    pub enabled: bool,
    /// Shown while it is empty.
    pub placeholder: &'a str,
    /// Longest message in bytes.
    pub limit_bytes: usize,
}

/// What the writer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComposerAction {
    /// Wants this sent or done. The composer is empty again.
    Submit(Submission),
    /// The text is another: keep it as the draft.
    DraftChanged(String),
}

/// What was written, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// Say it.
    Say(String),
    /// Do it (/me).
    Act(String),
    /// A command.
    Command(SlashCommand),
}

/// The commands that can be typed, apart from /me.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlashCommand {
    /// /nick NAME
    Nick(String),
    /// /topic TEXT; without a text it is cleared.
    Topic(String),
    /// /away
    Away,
    /// /back
    Back,
    /// /busy
    Busy,
    /// /invite: export an invite of this chat.
    Invite,
    /// /join TEXT: an invite as text or link; empty: the dialog.
    Join(String),
    /// /leave
    Leave,
    /// /clear: empty the timeline, forget nothing.
    Clear,
    /// /help
    Help,
}

/// Paints the composer: as wide as there is room, 1 to 8 lines high.
pub fn composer_ui(
    ui: &mut Ui,
    composer: &mut Composer,
    context: &ComposerContext<'_>,
) -> Vec<ComposerAction> {
    let _ = (ui, composer, context);
    Vec::new()
}
