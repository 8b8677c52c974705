//! What a node asks of whoever keeps what was said: [`Output::Look`](super::Output::Look) with a ticket, answered some
//! time later by [`Input::Found`](super::Input::Found) with the same. Classic chats ask for nothing.
//!
//! An archive holds of each chat the messages, actions and parts of long messages whose signatures held, each by its
//! id, in the order of (hlc, id). A **span** is a range of hlc, the first in it, the last not.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::id::{MemberId, MessageId};

/// An hour in terms of hlc: ms in the upper 48 bits.
pub const HOUR: u64 = 3_600_000 << 16;

/// The first bytes of a message's id: enough to tell those of one span apart.
pub type ShortMessageId = [u8; 6];

/// What is to be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveQuery {
    /// Of each span 16 bytes that are equal where the same is held, and zeros where nothing is.
    ///
    /// Of a span whose ends are whole [`HOUR`]s and which is longer than one: the first 16 bytes of
    /// `SHA-256("throng/1 hours" ‖ 0 ‖ for each of its hours that holds anything, ascending: [hour 4][its 16 bytes])`. Of any
    /// other: of `SHA-256("throng/1 span" ‖ 0 ‖ the ids in it, 32 bytes each, ascending)`.
    Fingerprints(Vec<Range<u64>>),
    /// The newest ids in a span.
    Ids {
        /// Where.
        span: Range<u64>,
        /// At most so many.
        limit: usize,
    },
    /// The newest says in a span.
    Says {
        /// Where.
        span: Range<u64>,
        /// But not these.
        except: BTreeSet<ShortMessageId>,
        /// At most so many.
        limit: usize,
        /// And of so many bytes of [`ArchivedSay::signed`] together; at least one, whatever its size.
        max_bytes: usize,
    },
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveAnswer {
    /// As many as were asked for, in that order.
    Fingerprints(Vec<[u8; 16]>),
    /// The newest first, each with its hlc.
    Ids(Vec<(u64, MessageId)>),
    /// The newest first.
    Says {
        /// As many as were asked for.
        says: Vec<ArchivedSay>,
        /// Whether there are older ones in the span.
        more: bool,
    },
    /// It could not be read.
    Failed,
}

/// What somebody said, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedSay {
    /// Its name.
    pub id: MessageId,
    /// By whom.
    pub member: MemberId,
    /// What its author signed, with the signature, as it stood in the packet: 117 to 915 bytes.
    pub signed: Vec<u8>,
}

/// How far back a node holds what was said, and what it still owes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryState {
    /// Everything from this hlc on has been fetched, as far as others had it; none: nothing yet.
    pub since: Option<u64>,
    /// There is nothing older to be had.
    pub is_whole: bool,
    /// Own messages that have not gone out, by id, each with its hlc: others fetch them.
    pub unsent: BTreeMap<MessageId, u64>,
}

impl HistoryState {
    /// From which hlc on there is something to tell: where what is held begins, or the first own message that waits
    /// if that lies before it. A newcomer who has not compared yet may have words that wait.
    pub(super) fn told_from(&self) -> Option<u64> {
        self.since.into_iter().chain(self.first_unsent()).min()
    }

    /// The hlc of the first own message that has not gone out.
    pub(super) fn first_unsent(&self) -> Option<u64> {
        self.unsent.values().min().copied()
    }
}
