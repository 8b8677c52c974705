//! Leaving a chat: asked about where more than the chat would be gone, and undone while it can be.

use std::time::Duration;

use super::carry_out::UNDO_WITHIN;
use super::{Action, App};
use crate::id::ChatId;
use crate::model::{Chat, ChatCommand, ChatKind, Role};
use crate::ui::dialogs::{Dialog, LeaveDialog};
use crate::ui::toasts::Kind;

/// How far leaving a chat has come. Until it is gone the window does not show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    /// It can be undone until then.
    Until(Duration),
    /// The command is sent.
    Sent,
}

impl App {
    /// Leaves a chat. Asks first where that loses what nobody can give back: the founder's key, or words that nobody has
    /// got yet.
    pub(super) fn ask_to_leave(&mut self, chat: ChatId) {
        let Some(found) = self.chats.get(chat) else { return };
        if loses_more_than_the_chat(found) {
            self.open(Dialog::Leave(LeaveDialog::new(chat)));
        } else {
            self.leave(chat);
        }
    }

    /// Leaves a chat, with Undo for a while.
    pub(super) fn leave(&mut self, chat: ChatId) {
        let Some(name) = self.chats.get(chat).map(|chat| chat.name.clone()) else {
            return;
        };
        let until = self.clock.elapsed() + UNDO_WITHIN;
        self.leaving.insert(chat, Leaving::Until(until));
        self.toasts.offer(
            format!("You left {name}."),
            "Undo",
            Action::UndoLeave(chat),
            until,
        );
        self.change_tabs(|tabs| tabs.close(chat));
    }

    /// Stays in a chat after all, and brings it to the front.
    pub(super) fn undo_leave(&mut self, chat: ChatId) {
        if self.stay(chat) {
            self.select(chat);
        }
    }

    /// Whoever brings a chat to the front wants to stay in it, in whatever way they do it.
    pub(super) fn stay_in_front(&mut self) {
        if let Some(chat) = self.tabs.selected() {
            self.stay(chat);
        }
    }

    /// Undoes leaving. False: it is too late, or the chat was not being left.
    fn stay(&mut self, chat: ChatId) -> bool {
        if !matches!(self.leaving.get(&chat), Some(Leaving::Until(_))) {
            return false;
        }
        self.leaving.remove(&chat);
        self.toasts.dismiss_about(&Action::UndoLeave(chat));
        true
    }

    /// Leaves the chats of which that can't be undone any more.
    pub(super) fn leave_what_is_due(&mut self, now: Duration) {
        for (chat, leaving) in &mut self.leaving {
            if matches!(leaving, Leaving::Until(at) if *at <= now) {
                *leaving = Leaving::Sent;
                // No tab of it can be opened again.
                self.tabs.forget(*chat);
                self.outbox.send(ChatCommand::LeaveChat.to(*chat));
            }
        }
    }

    /// When the next one is left.
    pub(super) fn next_leave(&self) -> Option<Duration> {
        let times = self.leaving.values().filter_map(|leaving| match leaving {
            Leaving::Until(at) => Some(*at),
            Leaving::Sent => None,
        });
        times.min()
    }

    /// A chat could not be left: it is shown again.
    pub(super) fn leaving_failed(&mut self, chat: ChatId) {
        self.leaving.remove(&chat);
    }

    /// A chat is open that was on its way out: somebody joined it again.
    pub(super) fn joined_again(&mut self, chat: ChatId) {
        if self.leaving.get(&chat) == Some(&Leaving::Sent) {
            self.leaving.remove(&chat);
        }
    }

    /// The window closes: what could still be undone is undone, and stands as it stood.
    pub(super) fn stay_everywhere(&mut self) {
        let chats: Vec<ChatId> = self.leaving.keys().copied().collect();
        for chat in chats {
            if self.stay(chat) {
                self.tabs.open_behind(chat);
            }
        }
    }

    /// A chat is gone. What was lost with it is said.
    pub(super) fn left(&mut self, chat: ChatId, unsent: u32) {
        let name = self.chats.get(chat).map(|chat| chat.name.clone());
        if let (Some(name), 1..) = (name, unsent) {
            let words = if unsent == 1 {
                format!("1 message of yours had not gone out. It is gone with {name}.")
            } else {
                format!("{unsent} messages of yours had not gone out. They are gone with {name}.")
            };
            self.toasts.show(Kind::Info, words, self.clock.elapsed());
        }
    }
}

fn loses_more_than_the_chat(chat: &Chat) -> bool {
    let is_founder = chat.role == Role::Founder && chat.kind != ChatKind::Classic;
    is_founder || chat.timeline.waiting() > 0
}
