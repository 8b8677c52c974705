//! All chats as the window paints them, built from reports alone ([`Chats::apply`]). Everything is sorted, counted and put
//! into words when an event comes, so that painting only reads.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::chat::Chat;
use super::command::{ChatCommand, Command};
use super::event::{ChatEvent, Event, Report};
use super::settings::OpenChat;
use super::timeline::Page;
use crate::id::{ChatId, MessageId};

/// How many messages are asked for when a chat is opened: some screens full (a guess).
const FIRST_HISTORY: u32 = 200;

/// All chats of the profile.
#[derive(Debug)]
pub struct Chats {
    /// The time zone in which times are shown.
    zone: TimeZone,
    chats: BTreeMap<ChatId, Chat>,
    /// In the order in which they were opened.
    order: Vec<ChatId>,
    /// Drafts and read state that came before their chat did.
    saved: BTreeMap<ChatId, OpenChat>,
}

/// What the caller has to do about a report.
#[derive(Debug, Default, PartialEq)]
pub struct Effects {
    /// To be sent.
    pub commands: Vec<Command>,
    /// What failed, to be shown for a while.
    pub errors: Vec<Trouble>,
}

/// Something that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The chat that it is about.
    pub chat: Option<ChatId>,
    /// What failed, and what to do.
    pub sentence: String,
}

impl Chats {
    /// No chats yet; times will be shown in `zone`.
    pub fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            chats: BTreeMap::new(),
            order: Vec::new(),
            saved: BTreeMap::new(),
        }
    }

    /// The time zone in which times are shown.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// All chats, in the order in which they were opened.
    pub fn iter(&self) -> impl Iterator<Item = &Chat> {
        self.order.iter().filter_map(|id| self.chats.get(id))
    }

    /// One of them.
    pub fn get(&self, id: ChatId) -> Option<&Chat> {
        self.chats.get(&id)
    }

    /// One of them, to change the window's own part: the draft, and which stretch of the timeline is loaded.
    pub fn get_mut(&mut self, id: ChatId) -> Option<&mut Chat> {
        self.chats.get_mut(&id)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chats.is_empty()
    }

    /// Unread messages in all chats together.
    pub fn unread(&self) -> u32 {
        self.chats.values().map(|chat| chat.unread).sum()
    }

    /// Takes in what happened at `now`, and returns what is to be done about it.
    pub fn apply(&mut self, report: &Report, now: Timestamp) -> Effects {
        match &report.event {
            Event::Ready { .. }
            | Event::Unlocked
            | Event::Restored {
                passphrase: false, ..
            } => Effects::of(Command::LoadWorkspace),
            Event::Workspace { chats, .. } => self.restore(chats),
            Event::Error { chat, message, .. } => {
                let found = chat.and_then(|chat| self.chats.get_mut(&chat));
                if let (Some(found), Some(Page::Before(_))) = (found, report.tag.as_ref().and_then(Page::of))
                {
                    found.timeline.older_failed();
                }
                Effects::error(*chat, message.clone())
            }
            Event::Lagged => {
                // Answers may be among the events that were dropped.
                for chat in self.chats.values_mut() {
                    chat.timeline.older_may_come();
                }
                self.ask_again()
            }
            Event::Message(message) => {
                if let Some(chat) = self.chats.get_mut(&message.chat) {
                    chat.message_came(message);
                }
                Effects::default()
            }
            Event::Chat { chat, event } => match event {
                ChatEvent::ChatOpened { .. } => self.open(*chat, event, now),
                ChatEvent::ChatClosed { .. } => self.close(*chat),
                ChatEvent::InviteExported { .. } => Effects::default(),
                event => match self.chats.get_mut(chat) {
                    Some(chat) => chat.apply(event, report.tag.as_ref().and_then(Page::of), now),
                    // From a chat that was left: its last reports may still come.
                    None => Effects::default(),
                },
            },
            Event::PassphraseNeeded { .. }
            | Event::PassphraseChanged { .. }
            | Event::BackedUp { .. }
            | Event::Restored { .. }
            | Event::Rebuilt { .. }
            | Event::DiskRecovered { .. }
            | Event::SearchResults { .. }
            | Event::Bye => Effects::default(),
        }
    }

    /// Marks a chat read up to `message`. Returns the command that keeps this, unless it was so already.
    pub fn mark_read(&mut self, chat: ChatId, message: MessageId) -> Option<Command> {
        let found = self.chats.get_mut(&chat)?;
        found
            .mark_read(message)
            .then(|| ChatCommand::MarkRead { message }.to(chat))
    }

    fn open(&mut self, id: ChatId, event: &ChatEvent, now: Timestamp) -> Effects {
        let Some(mut chat) = Chat::opened(id, event, now, self.zone.clone()) else {
            return Effects::default();
        };
        if let Some(saved) = self.saved.remove(&id) {
            chat.restore(&saved);
        }
        if let Some(before) = self.chats.remove(&id) {
            // The same chat again, with a new session: read mark and draft stay.
            chat.inherit(before);
        } else {
            self.order.push(id);
        }
        self.chats.insert(id, chat);
        Effects {
            commands: ask_for(id),
            errors: Vec::new(),
        }
    }

    fn close(&mut self, id: ChatId) -> Effects {
        self.order.retain(|other| *other != id);
        self.chats.remove(&id);
        Effects::default()
    }

    fn restore(&mut self, saved: &[OpenChat]) -> Effects {
        for open in saved {
            match self.chats.get_mut(&open.chat) {
                Some(chat) => chat.restore(open),
                None => drop(self.saved.insert(open.chat, open.clone())),
            }
        }
        Effects::default()
    }

    fn ask_again(&self) -> Effects {
        let stats = self.order.iter().map(|chat| ChatCommand::Stats.to(*chat));
        Effects {
            commands: self
                .order
                .iter()
                .copied()
                .flat_map(ask_for)
                .chain(stats)
                .collect(),
            errors: Vec::new(),
        }
    }
}

/// What to ask about a chat of which nothing is known yet.
fn ask_for(chat: ChatId) -> Vec<Command> {
    vec![
        ChatCommand::Members.to(chat),
        Page::Newest.command(chat, FIRST_HISTORY),
    ]
}

impl Effects {
    pub(super) fn of(command: Command) -> Self {
        Self {
            commands: vec![command],
            errors: Vec::new(),
        }
    }

    fn error(chat: Option<ChatId>, sentence: String) -> Self {
        Self {
            commands: Vec::new(),
            errors: vec![Trouble { chat, sentence }],
        }
    }
}
