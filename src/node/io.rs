//! What goes into a node and what comes out of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::archive::{ArchiveAnswer, ArchiveQuery};
use crate::facts::{Door, HistoryRule, Role};
use crate::id::{ClientId, FactId, InviteId, MemberId, MessageId};
use crate::invite::InviteKey;

/// What time it is, by both of the clocks that a node needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Since some fixed moment; never goes back. For time-outs.
    pub elapsed: Duration,
    /// Milliseconds since 1970 by the computer's clock, which may jump. For what others get to see.
    pub unix_ms: u64,
}

/// What a node is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram came.
    Datagram {
        /// From where.
        from: SocketAddr,
        /// All of it.
        bytes: &'a [u8],
    },
    /// An address to try: of a certain session (classic), or of whoever of the chat is there (signed).
    Connect {
        /// Whose, if that is known.
        client_id: Option<ClientId>,
        /// Where.
        address: SocketAddr,
    },
    /// An address that [`NodeEvent::PeerHeardOf`] told at an earlier start: tried like [`Self::Connect`], within the
    /// budgets of hearsay, since nobody has proved to be there (signed chats).
    ConnectToHeardOf(SocketAddr),
    /// The invite by which to come in is this one from now on, as long as we are not in: another slot is signed
    /// ([`NodeEvent::CredentialChanged`]).
    TakeInvite(Box<InviteKey>),
    /// Broadcast that this key is in the chat now (classic chats).
    Admit(ClientId),
    /// Say something.
    Say {
        /// The words, checked for their length by [`Node::max_text_len`](super::Node::max_text_len).
        text: String,
        /// Whether it is an action (/me).
        action: bool,
    },
    /// Be called this, 1 to 128 bytes.
    SetNick(String),
    /// Set the topic.
    SetTopic {
        /// 0 to 512 bytes; empty: none.
        topic: String,
        /// Whether only moderators and the founder may set it from now on; none: as it was.
        locked: Option<bool>,
    },
    /// Do something as the founder or a moderator, if [`Node::may`](super::Node::may) allows it; else nothing happens.
    Moderate(Moderation),
    /// The work that [`NodeEvent::WorkAsked`] asked for is done: the encoded credential with it
    /// ([`crate::invite::InviteKey::admit`]). Whoever asked is asked again.
    WorkDone(Vec<u8>),
    /// Be so: 0 online, 1 away, 2 busy.
    SetStatus(u8),
    /// The computer slept, or its addresses changed: prove every link again, at once.
    NetworkChanged,
    /// Fetch what was said before all that is held; [`NodeEvent::HistoryProgress`] tells when that is over.
    FetchOlder {
        /// At least so many messages, if others have them.
        limit: usize,
    },
    /// What was said before this hlc is not kept any more, and not fetched again.
    KeepFrom(u64),
    /// What [`Output::Look`] asked for.
    Found {
        /// Its ticket.
        ticket: u64,
        /// What was found.
        answer: ArchiveAnswer,
    },
    /// Say an own message again that has [failed](NodeEvent::DeliveryFailed).
    Resend(MessageId),
    /// Say goodbye. Nothing else is to be handed in afterwards.
    Quit,
    /// The deadline of [`Node::poll_timeout`](super::Node::poll_timeout) has come.
    Timeout,
}

/// What the founder and moderators do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moderation {
    /// Give a member a role: moderator, member or observer.
    SetRole(MemberId, Role),
    /// Ban a member.
    Ban {
        /// Whom.
        member: MemberId,
        /// 0 to 100 bytes.
        reason: String,
        /// Close the invite by which they came, and ban all who came by it.
        with_invite: bool,
        /// Show none of their words any more.
        hide_all: bool,
    },
    /// End the office of the moderator who did this, and take it back with all that they did after it.
    UndoFrom(FactId),
    /// Lift all bans that keep a member out, as far as we may.
    Unban(MemberId),
    /// Close an invite.
    CloseInvite(InviteId),
    /// Set the door.
    SetDoor(Door),
    /// Say what of the past newcomers get.
    SetHistoryRule(HistoryRule),
}

/// What a node wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send a datagram.
    Transmit {
        /// To where.
        to: SocketAddr,
        /// All of it, at most 1,024 bytes.
        bytes: Vec<u8>,
    },
    /// Look something up in what is kept of the chat, and hand in [`Input::Found`].
    Look {
        /// Comes back with the answer.
        ticket: u64,
        /// What to look up.
        query: ArchiveQuery,
    },
    /// Something happened.
    Event(NodeEvent),
}

/// Why we were not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The invite has been used as often as it may be.
    Spent,
    /// Its time is over.
    Expired,
    /// It was closed.
    Closed,
    /// We are banned.
    Banned,
    /// Our chain does not lead to the chat's key.
    Stranger,
}

/// What happened in a chat.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeEvent {
    /// The first link stands, on both sides.
    Joined,
    /// A member answered and will not have us. Others are still asked, who may know better.
    Refused(Refusal),
    /// A link stands.
    PeerLinked {
        /// The peer's session.
        client_id: ClientId,
        /// Whose it is.
        member: MemberId,
        /// Where.
        address: SocketAddr,
    },
    /// A link is gone.
    PeerLost {
        /// The peer's session.
        client_id: ClientId,
        /// Whose it was.
        member: MemberId,
    },
    /// Somebody is there who was not.
    MemberJoined {
        /// Who.
        member: MemberId,
        /// What they are called; empty if they have not said.
        nick: String,
        /// 0 online, 1 away, 2 busy.
        status: u8,
    },
    /// Somebody is there no more.
    MemberLeft {
        /// Who.
        member: MemberId,
        /// They said goodbye, or nothing is heard of them.
        quit: bool,
    },
    /// Somebody is called something else.
    NickChanged {
        /// Who.
        member: MemberId,
        /// Their nick now.
        nick: String,
    },
    /// Somebody's status is another.
    StatusChanged {
        /// Who.
        member: MemberId,
        /// 0 online, 1 away, 2 busy.
        status: u8,
    },
    /// The topic is another.
    TopicChanged {
        /// The topic; empty: none.
        topic: String,
        /// Whether only moderators and the founder may set it.
        locked: bool,
        /// Who set it.
        by: MemberId,
    },
    /// Somebody was banned; oneself too.
    Banned {
        /// Who.
        member: MemberId,
        /// By whom.
        by: MemberId,
        /// Why, in their words; empty in a classic chat.
        reason: String,
        /// Whether none of the banned's words are to be shown any more.
        hide_all: bool,
    },
    /// Nothing keeps somebody out any more.
    Unbanned {
        /// Who.
        member: MemberId,
        /// By whom.
        by: MemberId,
    },
    /// Somebody's role is another; one's own too.
    RoleChanged {
        /// Whose.
        member: MemberId,
        /// What they may do now.
        role: Role,
        /// Who changed it, if it was done to them by name.
        by: Option<MemberId>,
    },
    /// How strangers come in is another.
    DoorChanged {
        /// How they come in now.
        door: Door,
        /// Who changed it.
        by: Option<MemberId>,
    },
    /// What of the past newcomers get is another.
    HistoryRuleChanged {
        /// What they get now.
        rule: HistoryRule,
        /// Who changed it.
        by: Option<MemberId>,
    },
    /// An invite was closed.
    InviteClosed {
        /// Which.
        invite: InviteId,
        /// Who closed it.
        by: Option<MemberId>,
    },
    /// The set of facts is another: to be kept, and handed in again at the next start
    /// ([`SignedState::facts`](super::SignedState::facts)).
    FactsChanged {
        /// Facts that are in the set now.
        added: Vec<StoredFact>,
        /// Facts that no longer are.
        removed: Vec<FactId>,
    },
    /// Somebody said two different things under one number.
    Forked {
        /// Who.
        member: MemberId,
    },
    /// We speak faster than the chat allows: what was said goes out after so long.
    Slow {
        /// From now.
        wait: Duration,
    },
    /// A public chat lets us in for so much work (leading zero bits): see [`Input::WorkDone`].
    WorkAsked {
        /// How much.
        bits: u8,
    },
    /// Our clock is off by more than two minutes, as the clocks of our links tell. What we sign is set right.
    ClockOff {
        /// What has to be added to our clock, in ms: negative if it is ahead.
        by_ms: i64,
    },
    /// Whether no link has lately confirmed the facts that we go by.
    ModerationStale(bool),
    /// Something was said, by others or by ourselves.
    Message(NodeMessage),
    /// An own message went out, or waits.
    Delivery {
        /// Which.
        id: MessageId,
        /// Over how many links; 0: it waits for the first.
        links: u32,
    },
    /// How many others have an own message that went out, as far as they have said.
    Reached {
        /// Which.
        id: MessageId,
        /// So many members.
        members: u32,
        /// Of so many that are there.
        of: u32,
    },
    /// An own message was refused wherever it went. It is said again by [`Input::Resend`].
    DeliveryFailed {
        /// Which.
        id: MessageId,
    },
    /// A part of a long message came: to be kept. When all are there the [message](Self::Message) follows.
    Part(NodePart),
    /// How far back what was said is held is another: to be kept, and handed in again at the next start
    /// ([`SignedState::history`](super::SignedState::history)).
    HistoryHeld {
        /// From this hlc on.
        since: u64,
        /// There is nothing older to be had.
        is_whole: bool,
    },
    /// What was said before is being fetched, or has been.
    HistoryProgress {
        /// Messages that came so far, in this round.
        fetched: u32,
        /// The round is over.
        done: bool,
        /// Others may have more from before what is held.
        more: bool,
    },
    /// A member was admitted: to be kept, and handed in again at the next start ([`SignedState::admitted`](super::SignedState::admitted)).
    Admitted {
        /// Who.
        member: MemberId,
        /// The certificates that admit them, as in [`crate::invite`].
        chain: Vec<u8>,
    },
    /// Others see us at this address.
    Observed(SocketAddr),
    /// Somebody is said to be at an address, and we have few links yet: to be kept, and handed in again at the next
    /// start ([`Input::ConnectToHeardOf`]) if no link has stood there by then.
    PeerHeardOf(SocketAddr),
    /// The charter of the chat (its name and kind), by a joiner whose invite had none: to be kept.
    CharterLearned(Vec<u8>),
    /// Another slot of the invite was signed: the encoded credential, to be kept in place of the old one.
    CredentialChanged(Vec<u8>),
}

/// A fact as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFact {
    /// Its id.
    pub id: FactId,
    /// The fact, as in [`crate::facts`], at most 880 bytes.
    pub fact: Vec<u8>,
    /// What admits its issuer, where the fact needs that beside it.
    pub credential: Option<Vec<u8>>,
}

/// Something said.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeMessage {
    /// Its name.
    pub id: MessageId,
    /// By whom.
    pub member: MemberId,
    /// In which session.
    pub client_id: ClientId,
    /// Under which number.
    pub number: u32,
    /// When, as its author says (classic: when it came), in ms since 1970.
    pub at_ms: u64,
    /// Where it stands among what is said in the chat, the same at every member: its hlc. In a classic chat, and where its author's clock is
    /// too far ahead to be followed, when it came, in the same terms.
    pub place: u64,
    /// Whether it is an action (/me).
    pub action: bool,
    /// The words.
    pub text: String,
    /// Our own.
    pub own: bool,
    /// What its author signed, with the signature, as it stood in the packet; of a long message that of its first
    /// part. Empty in a classic chat.
    pub signed: Vec<u8>,
    /// It was fetched from what others keep, and not heard as it was said.
    pub history: bool,
}

/// A part of a long message. The message has the id and number of its first part; the others have the numbers after
/// that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePart {
    /// Its own name.
    pub id: MessageId,
    /// By whom.
    pub member: MemberId,
    /// In which session.
    pub client_id: ClientId,
    /// Under which number.
    pub number: u32,
    /// The number of the message's first part.
    pub first: u32,
    /// What its author signed, with the signature.
    pub signed: Vec<u8>,
}

/// A member, for the list of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeMember {
    /// Who.
    pub member: MemberId,
    /// What they are called; empty if they have not said.
    pub nick: String,
    /// What they may do.
    pub role: Role,
    /// 0 online, 1 away, 2 busy.
    pub status: u8,
    /// Whether a session of theirs stands.
    pub online: bool,
    /// Oneself.
    pub own: bool,
    /// When they were admitted, ms since 1970 by their own clock then; 0 in a classic chat.
    pub since_ms: u64,
    /// Whether a ban keeps them out.
    pub banned: bool,
}

/// A link that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLink {
    /// The peer's session.
    pub client_id: ClientId,
    /// Whose it is.
    pub member: MemberId,
    /// Where it proved to be.
    pub address: SocketAddr,
    /// The last one measured.
    pub round_trip: Option<Duration>,
}

/// Figures since the node was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeStats {
    /// Datagrams handed in.
    pub packets_in: u64,
    /// Their bytes, without IP and UDP headers.
    pub bytes_in: u64,
    /// Datagrams handed out.
    pub packets_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
    /// Datagrams handed out and their bytes, by the kind of the packet in them.
    pub sent: BTreeMap<u8, (u64, u64)>,
    /// Broadcasts that had come before.
    pub duplicates: u64,
    /// Broadcasts that came because they were asked for: they had been lost on the way.
    pub repaired: u64,
    /// Datagrams handed out that asked for or told what was said before; counted above as well.
    pub history_packets_out: u64,
    /// Their bytes.
    pub history_bytes_out: u64,
    /// Datagrams dropped, by cause.
    pub dropped: BTreeMap<&'static str, u64>,
}
