//! Answers to lookups: members, invites, the moderation log, figures.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::command::{Rights, Status};
use crate::facts::{Door, HistoryRule, Role};
use crate::id::{ClientId, FactId, InviteId, MemberId};

/// A member of a chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberInfo {
    /// Who.
    pub member: MemberId,
    /// What they are called.
    pub nick: String,
    /// What they may do.
    pub role: Role,
    /// Their status, as they say it.
    pub status: Status,
    /// Whether they have a live session.
    pub online: bool,
    /// Oneself.
    pub own: bool,
    /// When they were admitted, by their own clock then; `None` in a classic chat.
    pub since: Option<Timestamp>,
    /// Whether a ban keeps them out.
    pub banned: bool,
    /// Whether the user does not want to see what they say.
    pub ignored: bool,
    /// Until when they can only read, after joining by a door that asks for it. Set for the user alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads_until: Option<Timestamp>,
}

/// An invite, for those who may manage invites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InviteInfo {
    /// Which.
    pub invite: InviteId,
    /// The issuer's count of invites.
    pub number: u32,
    /// What those who join with it may do.
    pub rights: Rights,
    /// How many members it admits; 0 for any number.
    pub uses: u16,
    /// Who joined with it, as far as is known here.
    pub used_by: Vec<InviteUser>,
    /// When it was made; `None` if it was made on another computer.
    pub created_at: Option<Timestamp>,
    /// When it expires; `None` if it is good until it is closed.
    pub expires_at: Option<Timestamp>,
    /// Whether a fact has closed it, so that nobody new joins with it.
    pub closed: bool,
    /// Whether it is the door's invite, the one in a public chat's link.
    pub public_link: bool,
}

/// A member who joined with an invite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InviteUser {
    /// Who.
    pub member: MemberId,
    /// What they are called.
    pub nick: String,
    /// Whether a moderator has confirmed them, so that nothing takes their slot away.
    pub confirmed: bool,
}

/// Something that the founder or a moderator did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The fact.
    pub id: FactId,
    /// Who.
    pub by: MemberId,
    /// What they are called.
    pub nick: String,
    /// When, by their clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub deed: LoggedDeed,
    /// Why it has no effect, as a sentence; `None` if it has one.
    pub denied: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum LoggedDeed {
    /// Somebody was given a role.
    RoleSet {
        /// Who.
        member: MemberId,
        /// Which.
        role: Role,
    },
    /// Somebody was banned.
    Banned {
        /// Who.
        member: MemberId,
        /// Why, in the words of the one who did it.
        reason: String,
        /// Whether everybody who used the same invite was banned with them.
        with_invite: bool,
        /// Whether it still holds.
        holds: bool,
    },
    /// Bans were lifted.
    Unbanned {
        /// Whose.
        members: Vec<MemberId>,
    },
    /// The topic was set.
    TopicSet {
        /// The new topic; empty for none.
        topic: String,
        /// Whether members may not set another.
        locked: bool,
    },
    /// Members who joined with an invite were confirmed. Moderators' programs do this by themselves.
    Confirmed {
        /// Which invite.
        invite: InviteId,
        /// Who.
        members: Vec<MemberId>,
    },
    /// An invite was closed.
    InviteClosed {
        /// Which.
        invite: InviteId,
    },
    /// The door was set.
    DoorSet {
        /// How.
        #[serde(flatten)]
        door: Door,
    },
    /// The history rule was set.
    HistoryRuleSet {
        /// What they get.
        #[serde(flatten)]
        rule: HistoryRule,
    },
    /// The founder vouched for all facts so far.
    Checkpoint,
}

/// A link of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkInfo {
    /// The peer's session.
    pub client_id: ClientId,
    /// Whose it is.
    pub member: MemberId,
    /// Where it proved to be.
    pub address: SocketAddr,
    /// The last measured round trip.
    pub round_trip_ms: Option<u32>,
}

/// The figures of a chat's node, since it was started.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Stats {
    /// How many links are up.
    pub links: u32,
    /// Each of them.
    pub peers: Vec<LinkInfo>,
    /// Known members, the user included.
    pub members: u32,
    /// Datagrams received.
    pub packets_in: u64,
    /// Their bytes, without IP and UDP headers.
    pub bytes_in: u64,
    /// Datagrams sent.
    pub packets_out: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Broadcasts that had come before already.
    pub duplicates: u64,
    /// Messages that repair fetched.
    pub repaired: u64,
    /// Datagrams dropped, by cause.
    pub dropped: BTreeMap<String, u64>,
}
