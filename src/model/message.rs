//! What was said, and how far it has got.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{ChatId, MemberId, MessageId};

/// Whether something was said or done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageBody {
    /// Said.
    Message,
    /// Done (/me).
    Action,
}

/// Something said in a chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Where.
    pub chat: ChatId,
    /// By whom.
    pub member: MemberId,
    /// Their nick then.
    pub nick: String,
    /// Its id.
    pub id: MessageId,
    /// Its number in its author's session, from 1.
    pub number: u32,
    /// When its author says it was said (classic chats: when it came).
    pub at: Timestamp,
    /// Said or done.
    pub body: MessageBody,
    /// The text.
    pub text: String,
    /// One's own.
    pub own: bool,
    /// Whether it came as history, not live.
    pub history: bool,
    /// How far it has got, if it is the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryState>,
    /// Its position among the others (those with equal positions are ordered by id): the hlc of its author, ms since 1970 in the
    /// upper 48 bits, then a counter. 0 means by time and number.
    #[serde(skip)]
    pub place: u64,
}

impl Message {
    /// Its position among the others. Of two at the same position the one with the lower id comes first.
    pub fn place(&self) -> u64 {
        match self.place {
            0 => place_at(self.at) | u64::from(self.number.min(0xFFFF)),
            place => place,
        }
    }
}

/// The first position of a time; for times before 1970 the first of all.
pub fn place_at(at: Timestamp) -> u64 {
    at.as_millisecond().max(0).cast_unsigned() << 16
}

/// How far an own message has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// No link is up. It goes out with the first one.
    Waiting,
    /// It went out.
    Sent,
    /// Given up.
    Failed,
}
