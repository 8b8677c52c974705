//! The rows of a chat's timeline, prepared as events come.

use jiff::{Timestamp, civil, tz::TimeZone};

use super::{DeliveryState, Message};
use crate::id::{MemberId, MessageId};

/// Names a row as long as the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub u64);

/// Where a row stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    at: Timestamp,
    message: Option<MessageId>,
    sequence: u64,
}

/// How far an own message has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// How far.
    pub state: DeliveryState,
    /// Over how many links.
    pub links: u32,
}

/// A row, ready to be painted.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub id: RowId,
    /// When, in the reader's time zone.
    pub local: civil::DateTime,
    /// What.
    pub content: RowContent,
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
    pub id: MessageId,
    /// By whom.
    pub member: MemberId,
}

/// The rows of a chat.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    rows: Vec<Row>,
}

impl Timeline {
    /// Without rows; times are shown in `zone`.
    pub fn new(zone: TimeZone) -> Self {
        let _ = zone;
        Self::default()
    }

    /// Puts a message in its place, by time and id. False: it was there already, or is older than what is kept.
    pub fn insert(&mut self, message: Message) -> bool {
        let _ = message;
        false
    }

    /// How far an own message has got. False: there is no such message.
    pub fn set_delivery(&mut self, id: MessageId, state: DeliveryState, links: u32) -> bool {
        let _ = (id, state, links);
        false
    }

    /// Puts in a line about something that happened: who joined, who left, the new topic.
    pub fn insert_notice(&mut self, at: Timestamp, text: String) {
        let _ = (at, text);
    }

    /// What the reader is called: messages with that word are tinted.
    pub fn set_own_nick(&mut self, nick: &str) {
        let _ = nick;
    }

    /// Where reading stopped: the "new" line stands above the first message of somebody else after it.
    pub fn set_read_mark(&mut self, mark: Option<MessageId>) {
        let _ = mark;
    }

    /// Whether older messages are stored than the first one here.
    pub fn set_more_before(&mut self, more: bool) {
        let _ = more;
    }

    /// Keeps the newest rows only.
    pub fn trim(&mut self, keep: usize) {
        let _ = keep;
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All rows, the oldest first.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// The oldest message: what comes before it is asked for next.
    pub fn first_message(&self) -> Option<MessageId> {
        None
    }

    /// The newest message: reading up to it leaves nothing unread.
    pub fn last_message(&self) -> Option<MessageId> {
        None
    }
}
