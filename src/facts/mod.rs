//! Signed facts, and what holds by them: roles, bans, topic, closed invites, slots, the door. Pure: keys and bytes in, yes
//! or no out; no clock, no randomness.
//!
//! - A [`Fact`] is one signed deed of the founder, of a moderator, or (a topic) of a member; a [`Fork`] is the proof that
//!   a member said two things under one number.
//! - A [`FactSet`] holds those that count. Two sets agree when their [`FactSet::root`]s are equal; [`Summary`] and
//!   [`FactSet::missing_for`] bring them there.
//! - A [`State`] is a function of the set alone, whatever order the facts came in. [`State::may`] looks up [`RIGHTS`],
//!   the one table of who may do what.
//!
//! `docs/protocol.md`, "Facts", has the bytes and the rules.

mod body;
mod chain;
mod error;
mod fact;
mod fork;
mod office;
mod rights;
mod rules;
mod set;
mod state;
mod state_bytes;
mod summary;

pub use body::{
    Ban, Body, Door, DoorMode, HistoryRule, MAX_BAN_REASON_LEN, MAX_BAN_SESSIONS, MAX_CONFIRM_SLOTS,
    MAX_LIFTS, MAX_WORK_BITS, ShortFactId,
};
pub use error::{Denied, Malformed, Refused};
pub use fact::{Fact, MAX_FACT_LEN, Place};
pub use fork::{Fork, ForkedSay};
pub use rights::{Action, Circumstances, Deed, RIGHTS, Role, Rule};
pub use set::{
    FactSet, HeldFact, Inserted, MAX_FORKS, MAX_FOUNDER_BYTES, MAX_MEMBER_TOPICS, MAX_MODERATOR_BYTES,
    MAX_MODERATOR_FACTS, MAX_WAITING, MAX_WAITING_OF_ONE, root_of,
};
pub use state::{Admitted, LogEntry, Session, SetTopic, StandingBan, State};
pub use summary::{MAX_SUMMARY_LEN, Summary};
