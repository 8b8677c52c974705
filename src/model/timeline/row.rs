//! A row of the timeline, and how it reads.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil};

use crate::id::{MemberId, MessageId};
use crate::model::text::isolated;
use crate::model::{DeliveryState, Message, MessageBody, place_at};

/// Messages of one author with less time than this between them share a nick line.
const GROUP_GAP: SignedDuration = SignedDuration::from_mins(5);

/// Identifies a row as long as the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub(super) u64);

/// The position of a row among the others: by [`Message::place`], then by message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    pub(super) place: u64,
    pub(super) message: Option<MessageId>,
    /// Distinguishes notices of the same instant.
    pub(super) notice: u64,
    pub(super) at: Timestamp,
}

/// A row, ready to be painted.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id.
    pub id: RowId,
    /// Its position.
    pub key: RowKey,
    /// When, in the reader's time zone.
    pub local: civil::DateTime,
    /// Whether it is the first of its day.
    pub starts_day: bool,
    /// Whether it is the first unread row.
    pub starts_new: bool,
    /// Whether the author's nick is above it: the row before is somebody else's, or from long ago.
    pub starts_group: bool,
    /// What it shows.
    pub content: RowContent,
    /// A number that changes whenever something that is painted does.
    pub version: u64,
}

/// What a row shows.
#[derive(Debug, Clone, PartialEq)]
pub enum RowContent {
    /// Somebody said or did something.
    Said(SaidRow),
    /// Something happened.
    Notice(String),
}

/// Something said or done.
#[derive(Debug, Clone, PartialEq)]
pub struct SaidRow {
    /// Which message.
    pub message: MessageId,
    /// By whom.
    pub member: MemberId,
    /// Their nick then, cleaned.
    pub nick: String,
    /// Said or done.
    pub body: MessageBody,
    /// The text, cleaned.
    pub text: String,
    /// Whether somebody else mentions the reader in it.
    pub mentions_own: bool,
    /// One's own.
    pub own: bool,
    /// Whether it came late: long after the rows below it, although its author's clock says that it is older.
    pub late: bool,
    /// How far it has got, if it is the reader's own and that is known.
    pub delivery: Option<Delivery>,
    pub(super) nick_look: Arc<str>,
}

/// How far an own message has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// How far.
    pub state: DeliveryState,
    /// How many members have it; while `of` is not known, over how many links it was sent.
    pub reached: u32,
    /// Of how many; 0 if not known.
    pub of: u32,
}

impl Delivery {
    /// A state without counts.
    pub const fn of(state: DeliveryState) -> Self {
        Self {
            state,
            reached: 0,
            of: 0,
        }
    }

    /// Whether all members who are online have it.
    pub fn is_everywhere(&self) -> bool {
        self.state == DeliveryState::Sent && self.of > 0 && self.reached >= self.of
    }

    /// In words: "Reached 7 of 12".
    pub fn words(&self) -> String {
        match (self.state, self.reached, self.of) {
            (DeliveryState::Waiting, ..) => "Waiting to be sent".to_owned(),
            (DeliveryState::Failed, ..) => "Not sent".to_owned(),
            (DeliveryState::Sent, 0, 0) => "Sent".to_owned(),
            (DeliveryState::Sent, 1, 0) => "Sent over 1 link".to_owned(),
            (DeliveryState::Sent, links, 0) => format!("Sent over {links} links"),
            (DeliveryState::Sent, reached, of) => format!("Reached {} of {of}", reached.min(of)),
        }
    }
}

impl RowKey {
    /// The key of a message.
    pub fn of(message: &Message) -> Self {
        Self {
            place: message.place(),
            at: message.at,
            message: Some(message.id),
            notice: 0,
        }
    }

    /// The message, if it is one.
    pub fn message(&self) -> Option<MessageId> {
        self.message
    }

    /// When it was said, or happened.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The first position that a message of this time could have.
    pub fn from(at: Timestamp) -> Self {
        Self {
            place: place_at(at),
            at,
            message: None,
            notice: 0,
        }
    }
}

impl Row {
    /// The message, if somebody said or did something.
    pub fn said(&self) -> Option<&SaidRow> {
        match &self.content {
            RowContent::Said(said) => Some(said),
            RowContent::Notice(_) => None,
        }
    }

    /// The hour and minute, "09:05".
    pub fn time(&self) -> String {
        format!("{:02}:{:02}", self.local.hour(), self.local.minute())
    }

    /// The same as it is shown; it says if the message came late.
    pub fn shown_time(&self) -> String {
        match self.said() {
            Some(said) if said.late => format!("{}, came late", self.time()),
            _ => self.time(),
        }
    }

    /// The row as a line of its own, for the clipboard: "[2026-11-20 09:05] alice: hello".
    pub fn copied(&self) -> String {
        let time = format!("[{} {}]", self.local.date(), self.time());
        match &self.content {
            RowContent::Notice(text) => format!("{time} {text}"),
            RowContent::Said(said) => {
                let (nick, text) = (isolated(&said.nick), isolated(&said.text));
                match said.body {
                    MessageBody::Message => format!("{time} {nick}: {text}"),
                    MessageBody::Action => format!("{time} * {nick} {text}"),
                }
            }
        }
    }

    /// The row as a screen reader speaks it: "alice, 09:05: hello".
    pub fn spoken(&self) -> String {
        let time = self.shown_time();
        match &self.content {
            RowContent::Notice(text) => format!("{time}: {text}"),
            RowContent::Said(said) => {
                let (nick, text) = (isolated(&said.nick), isolated(&said.text));
                match said.body {
                    MessageBody::Message => format!("{nick}, {time}: {text}"),
                    MessageBody::Action => format!("{nick}, {time}: * {nick} {text}"),
                }
            }
        }
    }

    /// Whether it counts as unread for others than its author.
    pub fn is_from_others(&self) -> bool {
        self.said().is_some_and(|said| !said.own)
    }

    /// Whether it continues the row before, without a nick of its own.
    pub(super) fn continues(&self, before: &Self) -> bool {
        let (Some(said), Some(said_before)) = (self.said(), before.said()) else {
            return false;
        };
        said.member == said_before.member
            && said.nick == said_before.nick
            && said.body == MessageBody::Message
            && said_before.body == MessageBody::Message
            && !said.late
            && !said_before.late
            && self.key.at.duration_since(before.key.at) < GROUP_GAP
    }
}
