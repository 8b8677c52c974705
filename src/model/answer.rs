//! What is answered to whoever looks something up: members, invites, the moderation log, figures.

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
    /// What they say of their presence.
    pub status: Status,
    /// Whether a session of theirs stands.
    pub online: bool,
    /// Oneself.
    pub own: bool,
    /// When they were admitted, by their own clock then; none in a classic chat.
    pub since: Option<Timestamp>,
    /// Whether a ban keeps them out.
    pub banned: bool,
    /// Whether the user does not want to see what they say.
    pub ignored: bool,
    /// Until when one only reads, having just come in by a door that asks for it. Told of oneself alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads_until: Option<Timestamp>,
}

/// An invite, as those see it who may manage invites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InviteInfo {
    /// Which.
    pub invite: InviteId,
    /// Counted by who issued it.
    pub number: u32,
    /// What those who come by it may do.
    pub rights: Rights,
    /// How many may come in by it; 0: any number.
    pub uses: u16,
    /// Who came by it, as far as is known here.
    pub used_by: Vec<InviteUser>,
    /// When it was made; none if it was made on another computer.
    pub created_at: Option<Timestamp>,
    /// Until when it is good; none: until it is closed.
    pub expires_at: Option<Timestamp>,
    /// Whether nobody new comes in by it any more, by a fact.
    pub closed: bool,
    /// Whether it is the one that lies in a public chat's link.
    pub public_link: bool,
}

/// Who came by an invite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InviteUser {
    /// Who.
    pub member: MemberId,
    /// What they are called.
    pub nick: String,
    /// Whether a moderator has confirmed them, so that nothing takes their place from them.
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
    /// Why it has no effect, a sentence; none if it has.
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
        /// Why, in the words of who did it.
        reason: String,
        /// Whether all who came by the same invite were banned with them.
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
        /// To what; empty: none.
        topic: String,
        /// Whether members may not set another.
        locked: bool,
    },
    /// Those who came by an invite were confirmed. Programs of moderators do so by themselves.
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
    /// What of the past newcomers get was set.
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
    /// How many links stand.
    pub links: u32,
    /// Each of them.
    pub peers: Vec<LinkInfo>,
    /// Members known, oneself among them.
    pub members: u32,
    /// Datagrams that came, and their bytes without IP and UDP headers.
    pub packets_in: u64,
    /// Bytes that came.
    pub bytes_in: u64,
    /// Datagrams sent.
    pub packets_out: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Broadcasts that had come before.
    pub duplicates: u64,
    /// Messages that a repair brought.
    pub repaired: u64,
    /// Datagrams dropped, by cause.
    pub dropped: BTreeMap<String, u64>,
}
