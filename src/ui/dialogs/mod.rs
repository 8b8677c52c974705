//! The dialogs: panels over the window that ask for something or show something, one at a time. Each keeps what is
//! typed into it, shows what failed in place, and returns actions.

mod backup;
mod ban;
mod connection;
mod create;
mod day;
mod door;
mod export;
mod export_chat;
mod file_wait;
mod history;
mod import;
mod invites;
mod leave;
mod member;
mod moderation_log;
mod nick;
mod passphrase;
mod rights;
mod settings;
mod shortcuts;

use std::time::Duration;

use egui::{Event as InputEvent, Key, Response, Ui};
use jiff::Timestamp;

pub use self::backup::{BackupDialog, RestoreDialog};
pub use self::ban::BanDialog;
pub use self::connection::ConnectionDialog;
pub use self::create::CreateDialog;
pub use self::day::DayDialog;
pub use self::door::DoorDialog;
pub use self::export::{ExportDialog, why_not_invite};
pub use self::export_chat::{ExportChatDialog, exported_words};
pub use self::history::HistoryDialog;
pub use self::import::ImportDialog;
pub use self::invites::InvitesDialog;
pub use self::leave::LeaveDialog;
pub use self::member::MemberCard;
pub use self::moderation_log::ModerationLogDialog;
pub use self::nick::NickDialog;
pub use self::passphrase::PassphraseDialog;
pub use self::rights::RightsDialog;
pub use self::settings::ZOOM_PERCENT;

use super::action::Action;
use super::files::FileAnswer;
use super::widgets::dialog_ui;
use crate::id::ChatId;
use crate::model::{Chats, Event, Settings, Tag};

/// The dialog that is open.
#[derive(Debug)]
pub enum Dialog {
    /// Creates a chat.
    Create(CreateDialog),
    /// Exports an invite.
    Export(ExportDialog),
    /// Imports an invite.
    Import(ImportDialog),
    /// The invites of a chat.
    Invites(InvitesDialog),
    /// How strangers come into a public chat.
    Door(DoorDialog),
    /// Who may do what.
    Rights(RightsDialog),
    /// A member's card.
    Member(MemberCard),
    /// Bans a member.
    Ban(BanDialog),
    /// Who did what in a chat.
    ModerationLog(ModerationLogDialog),
    /// How a chat is connected, and what to do about it.
    Connection(ConnectionDialog),
    /// How much is kept of a chat, and what newcomers see.
    History(HistoryDialog),
    /// Asks to which day to go.
    Day(DayDialog),
    /// Changes one's nick in a chat.
    Nick(NickDialog),
    /// Asks before a chat is left.
    Leave(LeaveDialog),
    /// Writes a chat to a file.
    ExportChat(ExportChatDialog),
    /// Writes the profile to a sealed file.
    Backup(BackupDialog),
    /// Takes the profile out of a backup.
    Restore(RestoreDialog),
    /// Sets, changes or removes the passphrase of the profile.
    Passphrase(PassphraseDialog),
    /// The settings.
    Settings,
    /// The list of shortcuts.
    Shortcuts,
}

/// What a dialog may look at.
#[derive(Debug, Clone, Copy)]
pub struct DialogContext<'a> {
    /// All chats.
    pub chats: &'a Chats,
    /// What the user chose.
    pub settings: &'a Settings,
    /// Whether a passphrase seals the profile's keys.
    pub passphrase_set: bool,
    /// What time it is.
    pub now: Timestamp,
    /// The same by a clock that never goes back.
    pub elapsed: Duration,
}

impl Dialog {
    /// Paints it.
    pub fn ui(&mut self, ui: &Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let (title, width) = (self.title(), self.width());
        let (mut actions, closed) = dialog_ui(ui, title, width, |ui| match self {
            Self::Create(dialog) => dialog.ui(ui),
            Self::Export(dialog) => dialog.ui(ui, context),
            Self::Import(dialog) => dialog.ui(ui, context),
            Self::Invites(dialog) => dialog.ui(ui, context),
            Self::Door(dialog) => dialog.ui(ui, context),
            Self::Rights(dialog) => dialog.ui(ui),
            Self::Member(card) => card.ui(ui, context),
            Self::Ban(dialog) => dialog.ui(ui, context),
            Self::ModerationLog(dialog) => dialog.ui(ui, context),
            Self::Connection(dialog) => dialog.ui(ui, context),
            Self::History(dialog) => dialog.ui(ui, context),
            Self::Day(dialog) => dialog.ui(ui),
            Self::Nick(dialog) => dialog.ui(ui),
            Self::Leave(dialog) => dialog.ui(ui, context),
            Self::ExportChat(dialog) => dialog.ui(ui, context),
            Self::Backup(dialog) => dialog.ui(ui, context),
            Self::Restore(dialog) => dialog.ui(ui, context),
            Self::Passphrase(dialog) => dialog.ui(ui, context),
            Self::Settings => settings::settings_ui(ui, context.settings),
            Self::Shortcuts => shortcuts::shortcuts_ui(ui),
        });
        if closed {
            actions.push(Action::CloseDialog);
        }
        actions
    }

    /// Takes the answer to what it submitted. Whether it was for this dialog; what is to be done then.
    pub fn answered(&mut self, tag: &Tag, event: &Event) -> Option<Vec<Action>> {
        if self.waiting().as_ref() != Some(tag) {
            return None;
        }
        match self {
            Self::Create(dialog) => dialog.answered(event),
            Self::Export(dialog) => dialog.answered(event),
            Self::Import(dialog) => dialog.answered(event),
            Self::Invites(dialog) => dialog.answered(event),
            Self::Door(dialog) => dialog.answered(event),
            Self::History(dialog) => dialog.answered(event),
            Self::Connection(dialog) => dialog.answered(event),
            Self::Nick(dialog) => dialog.answered(event),
            Self::ExportChat(dialog) => dialog.answered(event),
            Self::Backup(dialog) => dialog.answered(event),
            Self::Restore(dialog) => dialog.answered(event),
            Self::Passphrase(dialog) => dialog.answered(event),
            Self::Member(card) => card.answered(event),
            Self::Ban(dialog) => dialog.answered(event),
            Self::ModerationLog(_)
            | Self::Rights(_)
            | Self::Day(_)
            | Self::Leave(_)
            | Self::Settings
            | Self::Shortcuts => None,
        }
    }

    /// What it submitted goes out under this tag.
    pub fn submitted(&mut self, tag: Tag) {
        match self {
            Self::Create(dialog) => dialog.waiting = Some(tag),
            Self::Export(dialog) => dialog.waiting = Some(tag),
            Self::Import(dialog) => dialog.waiting = Some(tag),
            Self::Invites(dialog) => dialog.waiting = Some(tag),
            Self::Door(dialog) => dialog.waiting = Some(tag),
            Self::History(dialog) => dialog.waiting = Some(tag),
            Self::Connection(dialog) => dialog.last = Some(tag),
            Self::Nick(dialog) => dialog.waiting = Some(tag),
            Self::ExportChat(dialog) => dialog.waiting = Some(tag),
            Self::Backup(dialog) => dialog.waiting = Some(tag),
            Self::Restore(dialog) => dialog.waiting = Some(tag),
            Self::Passphrase(dialog) => dialog.waiting = Some(tag),
            Self::Member(card) => card.waiting = Some(tag),
            Self::Ban(dialog) => dialog.waiting = Some(tag),
            Self::ModerationLog(_)
            | Self::Rights(_)
            | Self::Day(_)
            | Self::Leave(_)
            | Self::Settings
            | Self::Shortcuts => {}
        }
    }

    /// The file that it asked for goes under this ticket.
    pub fn file_requested(&mut self, ticket: u64, now: Duration) {
        match self {
            Self::Export(dialog) => dialog.file.begin(ticket, now),
            Self::Import(dialog) => dialog.file.begin(ticket, now),
            Self::ExportChat(dialog) => dialog.file.begin(ticket, now),
            Self::Backup(dialog) => dialog.file.begin(ticket, now),
            Self::Restore(dialog) => dialog.file.begin(ticket, now),
            _ => {}
        }
    }

    /// Takes what came of a file that it asked for.
    pub fn file_answered(&mut self, ticket: u64, answer: FileAnswer) -> Vec<Action> {
        match self {
            Self::Export(dialog) => dialog.file_answered(ticket, answer),
            Self::Import(dialog) => dialog.file_answered(ticket, answer),
            Self::ExportChat(dialog) => dialog.file_answered(ticket, answer),
            Self::Backup(dialog) => dialog.file_answered(ticket, answer),
            Self::Restore(dialog) => dialog.file_answered(ticket, answer),
            _ => Vec::new(),
        }
    }

    /// Hears what happened, whoever asked for it.
    pub fn told(&mut self, event: &Event) {
        if let Self::ExportChat(dialog) = self {
            dialog.told(event);
        }
    }

    /// Says in place what was copied.
    pub fn copied(&mut self, done: String) {
        match self {
            Self::Export(dialog) => dialog.done = Some(done),
            Self::Connection(dialog) => dialog.done = Some(done),
            Self::Member(card) => card.done = Some(done),
            _ => {}
        }
    }

    /// Whether it waits for an answer, which is to find it in front.
    pub fn is_waiting(&self, now: Duration) -> bool {
        self.waiting().is_some() || self.next_change().is_some_and(|silent_at| now < silent_at)
    }

    /// When it has to be painted again although nothing happens.
    pub fn next_change(&self) -> Option<Duration> {
        match self {
            Self::Export(dialog) => dialog.file.next_change(),
            Self::Import(dialog) => dialog.file.next_change(),
            Self::ExportChat(dialog) => dialog.file.next_change(),
            Self::Backup(dialog) => dialog.file.next_change(),
            Self::Restore(dialog) => dialog.file.next_change(),
            _ => None,
        }
    }

    /// The chat whose moderation log it shows.
    pub fn log_of(&self) -> Option<ChatId> {
        match self {
            Self::ModerationLog(dialog) => Some(dialog.chat),
            _ => None,
        }
    }

    fn waiting(&self) -> Option<Tag> {
        match self {
            Self::Create(dialog) => dialog.waiting.clone(),
            Self::Export(dialog) => dialog.waiting.clone(),
            Self::Import(dialog) => dialog.waiting.clone(),
            Self::Invites(dialog) => dialog.waiting.clone(),
            Self::Door(dialog) => dialog.waiting.clone(),
            Self::History(dialog) => dialog.waiting.clone(),
            Self::Connection(dialog) => dialog.last.clone(),
            Self::Nick(dialog) => dialog.waiting.clone(),
            Self::ExportChat(dialog) => dialog.waiting.clone(),
            Self::Backup(dialog) => dialog.waiting.clone(),
            Self::Restore(dialog) => dialog.waiting.clone(),
            Self::Passphrase(dialog) => dialog.waiting.clone(),
            Self::Member(card) => card.waiting.clone(),
            Self::Ban(dialog) => dialog.waiting.clone(),
            Self::ModerationLog(_)
            | Self::Rights(_)
            | Self::Day(_)
            | Self::Leave(_)
            | Self::Settings
            | Self::Shortcuts => None,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Create(_) => "Create a chat",
            Self::Export(dialog) => dialog.title(),
            Self::Import(_) => "Import an invite",
            Self::Invites(_) => "Invites",
            Self::Door(_) => "The door",
            Self::Rights(_) => "Who may do what",
            Self::Member(_) => "Member",
            Self::Ban(_) => "Ban a member",
            Self::ModerationLog(_) => "Moderation log",
            Self::Connection(_) => "Connection",
            Self::History(dialog) => dialog.title(),
            Self::Day(_) => "Go to a day",
            Self::Nick(_) => "Change your nick",
            Self::Leave(_) => "Leave the chat?",
            Self::ExportChat(_) => "Export this chat",
            Self::Backup(_) => "Back up the profile",
            Self::Restore(_) => "Restore a backup",
            Self::Passphrase(_) => "The profile's passphrase",
            Self::Settings => "Settings",
            Self::Shortcuts => "Keyboard shortcuts",
        }
    }

    fn width(&self) -> f32 {
        match self {
            Self::Day(_) => 320.0,
            Self::Nick(_) => 400.0,
            Self::Member(_) | Self::Ban(_) => 420.0,
            Self::Export(_) => 576.0,
            Self::Create(_)
            | Self::Door(_)
            | Self::Invites(_)
            | Self::Rights(_)
            | Self::ModerationLog(_)
            | Self::Shortcuts => 560.0,
            _ => 500.0,
        }
    }
}

/// Whether Enter asks for what the dialog is for: pressed in one of these fields, or while the keyboard is nowhere. On
/// a button it presses that button. A key that is held down, perhaps since before the dialog, does not count.
fn enter_pressed(ui: &Ui, fields: &[&Response]) -> bool {
    let pressed = ui.input(|input| {
        input.events.iter().any(|event| {
            matches!(
                event,
                InputEvent::Key {
                    key: Key::Enter,
                    pressed: true,
                    repeat: false,
                    modifiers,
                    ..
                } if modifiers.is_none() || modifiers.command_only()
            )
        })
    });
    let in_field = |field: &&Response| field.has_focus() || field.lost_focus();
    pressed && (fields.iter().any(in_field) || ui.memory(|memory| memory.focused().is_none()))
}
