//! Bytes to packets and back: no keys, no signatures, no judgement. `docs/protocol.md` has every layout in bytes.
//!
//! [`split_datagram`] gives the [`Header`] and the box, [`crate::crypto`] opens the box, and [`Packet::decode`] reads what
//! was in it. [`Packet::encode`] and [`join_datagram`] go the other way.
//!
//! A packet has exactly one form: [`Packet::encode`] gives back to the byte what [`Packet::decode`] accepts. So padding
//! that is not zero, spare bytes at the end and unassigned flags are all refused.
//!
//! Any address and any 32 bytes as a key are accepted here. The node decides which of them are worth a packet.

mod body;
mod broadcast;
mod datagram;
mod error;
mod extension;
mod history;
mod kinds;
mod nodes;
mod packet;
mod reader;
mod repair;
mod say;

pub use body::{Body, MAX_NAME_LEN, MAX_PART_TEXT_LEN, MAX_PARTS, MAX_TOPIC_LEN, Part};
pub use broadcast::{Broadcast, MAX_BROADCAST_DATA_LEN};
pub use datagram::{Header, MAX_DATAGRAM_LEN, MAX_PLAIN_LEN, OVERHEAD_LEN, join_datagram, split_datagram};
pub use error::WireError;
pub use extension::{
    Facts, FactsAsk, Hello, Keepalive, Link, LinkOp, MAX_FACTS, MAX_KNOWN_SESSIONS, MAX_WELCOME_NODES,
    Roster, RosterAsk, ShortSessionState, Slow, TokenCounter, VERSION, Welcome, WelcomeStatus,
};
pub use history::{
    History, HistoryAnswer, HistoryAsk, HistoryAuthor, HistoryMember, HistoryQuestion, HistorySay,
    HistoryStatus, MAX_COMPARED, ShortSession,
};
pub use kinds::{KindRules, MeterKind};
pub use nodes::{MAX_NODES, NodeAddress, NodeFormat, PingId, SendNodes};
pub use packet::Packet;
pub use repair::{
    Digest, Items, MAX_RANGE, MAX_RANGES, MAX_REACHED, MAX_SHORT_IDS, NotHeld, NumberRange, ShortId, Want,
};
pub use say::{MAX_SAY_DATA_LEN, Say, SignedSay};

pub(crate) use nodes::{read_address, write_address};
pub(crate) use reader::Reader;

/// A length in the one or two bytes before what it counts. If it does not fit, it becomes the greatest number, which no
/// receiver accepts.
pub(crate) fn saturated<T: TryFrom<usize>>(len: usize, greatest: T) -> T {
    T::try_from(len).unwrap_or(greatest)
}

/// Writes what [`Reader::varint`] reads. Numbers of 63 bits and more get a form that no receiver accepts.
pub(crate) fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
