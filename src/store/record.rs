//! The records that the store keeps, and its writes.

use std::fmt;
use std::net::SocketAddr;

use zeroize::Zeroizing;

use crate::id::{ChatId, ClientId, FactId, InviteId, MemberId, MessageId};
use crate::model::{ChatKind, DeliveryState, Message, Retention, Settings, Workspace};

/// A chat of the profile: everything that its node needs to start again, except the session's key, which is never stored.
#[derive(Debug, Clone)]
pub struct ChatRecord {
    /// Which.
    pub chat: ChatId,
    /// Its kind.
    pub kind: ChatKind,
    /// Its name.
    pub name: String,
    /// What we are called there.
    pub nick: String,
    /// Its topic; empty: none.
    pub topic: String,
    /// Who set the topic, if that is known.
    pub topic_by: Option<MemberId>,
    /// When it came into the profile, in ms since 1970.
    pub created_ms: u64,
    /// The port that its socket had last.
    pub port: Option<u16>,
    /// Whether we were ever let in.
    pub joined: bool,
    /// Its keys.
    pub secrets: ChatSecrets,
    /// What admits us, as in [`crate::invite`].
    pub credential: Option<Vec<u8>>,
    /// Its charter, once it is known.
    pub charter: Option<Vec<u8>>,
    /// The number of the next invite made here.
    pub next_invite: u32,
    /// The credentials of the known members, the oldest first. Kept by [`Write::AddMember`], not by [`Write::PutChat`].
    pub admitted: Vec<Vec<u8>>,
    /// Where members were last seen, the newest first, at most [`super::MAX_PEERS`]. Kept by [`Write::SawPeer`], not
    /// by [`Write::PutChat`].
    pub peers: Vec<SocketAddr>,
    /// What members were last called, by member. Kept by [`Write::SetMemberNick`], not by [`Write::PutChat`].
    pub nicks: Vec<(MemberId, String)>,
    /// Its signed facts, by id. Kept by [`Write::PutFacts`], not by [`Write::PutChat`].
    pub facts: Vec<FactRecord>,
    /// The members whom the user ignores. Kept by [`Write::SetIgnored`], not by [`Write::PutChat`].
    pub ignored: Vec<MemberId>,
    /// The invites made here, by number. Kept by [`Write::AddInvite`], not by [`Write::PutChat`].
    pub invites: Vec<InviteRecord>,
    /// The hlc from which on everything is held, as far as others had it; `None` if nothing is yet. Kept by
    /// [`Write::SetHistoryHeld`], not by [`Write::PutChat`].
    pub history_since: Option<u64>,
    /// Whether there is nothing older to fetch. Kept with the field above.
    pub history_is_whole: bool,
    /// How much of what was said is kept. Kept by [`Write::SetRetention`], not by [`Write::PutChat`].
    pub retention: Retention,
}

/// A signed fact of a chat. The store does not read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactRecord {
    /// Its id.
    pub id: FactId,
    /// All of it.
    pub fact: Vec<u8>,
    /// The credential of its issuer, as in [`crate::invite`], where the fact needs it.
    pub credential: Option<Vec<u8>>,
}

/// A fragment of a long message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRecord {
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

/// An invite made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRecord {
    /// Which.
    pub invite: InviteId,
    /// Its number among the chat's invites.
    pub number: u32,
    /// What empowers it, without its secret.
    pub certificate: Vec<u8>,
    /// How many may come in by it; 0: any number.
    pub uses: u16,
    /// Until when, in ms since 1970; 0: for ever.
    pub until_ms: u64,
    /// Since when, in ms since 1970.
    pub created_ms: u64,
}

/// The keys of a chat. They are in the profile, which only its user can read, and are sealed there if it has a passphrase.
#[derive(Clone, Default)]
pub struct ChatSecrets {
    /// The seed of the chat's key, 32 bytes. Only the founder has it.
    pub chat_seed: Option<Zeroizing<[u8; 32]>>,
    /// The seed of our member key, 32 bytes; a classic chat has none.
    pub member_seed: Option<Zeroizing<[u8; 32]>>,
    /// The text of the invite with which we join, until we are in. In a public chat the text of its link, for good.
    pub invite: Option<Zeroizing<Vec<u8>>>,
    /// The rendezvous secret, 16 bytes.
    pub rendezvous: Option<Zeroizing<[u8; 16]>>,
}

impl fmt::Debug for ChatSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChatSecrets(…)")
    }
}

/// A write. One about a chat or message that is not stored changes nothing.
#[derive(Debug, Clone)]
pub enum Write {
    /// A new chat, or another state of it. Messages, draft, read mark, members, peers and invites stay.
    PutChat(Box<ChatRecord>),
    /// What we are called in a chat.
    SetNick {
        /// Which chat.
        chat: ChatId,
        /// 1 to 128 bytes.
        nick: String,
    },
    /// The topic.
    SetTopic {
        /// Which chat.
        chat: ChatId,
        /// Empty: none.
        topic: String,
        /// Who set it.
        by: Option<MemberId>,
    },
    /// The port of the chat's socket, to be used again at the next start.
    SetPort {
        /// Which chat.
        chat: ChatId,
        /// Not 0.
        port: u16,
    },
    /// We are in.
    SetJoined {
        /// Which chat.
        chat: ChatId,
        /// Whether the invite stays; otherwise it is wiped.
        keep_invite: bool,
    },
    /// Our credential has changed (another slot was signed).
    SetCredential {
        /// Which chat.
        chat: ChatId,
        /// As in [`crate::invite`].
        credential: Vec<u8>,
    },
    /// The charter came, with the name in it.
    SetCharter {
        /// Which chat.
        chat: ChatId,
        /// The name in it.
        name: String,
        /// All of it.
        charter: Vec<u8>,
    },
    /// Something said. Ignored if the chat has a message of that id.
    AddMessage {
        /// What was said; its time is kept to the millisecond.
        message: Message,
        /// In which session of its author.
        client_id: ClientId,
        /// What its author signed, with the signature; of a long message that of its first part. Empty in a classic
        /// chat.
        signed: Vec<u8>,
    },
    /// An own message that was not sent was signed again in another session. It replaces the stored one, and waits as that did.
    SayAgain {
        /// The one that is stored.
        id: MessageId,
        /// What was said, with its new id, number and time.
        message: Message,
        /// In which session.
        client_id: ClientId,
        /// What was signed, with the signature; empty in a classic chat.
        signed: Vec<u8>,
    },
    /// A fragment of a long message that is not complete yet. Ignored if the chat has something of that id.
    AddPart {
        /// Which chat.
        chat: ChatId,
        /// What is kept of it.
        part: PartRecord,
    },
    /// From when on history is held.
    SetHistoryHeld {
        /// Which chat.
        chat: ChatId,
        /// From this hlc on.
        since: u64,
        /// There is nothing older to be had.
        is_whole: bool,
    },
    /// How much of what was said is kept.
    SetRetention {
        /// Which chat.
        chat: ChatId,
        /// How much.
        retention: Retention,
    },
    /// Deletes messages from before an hour.
    Forget {
        /// In which chat.
        chat: ChatId,
        /// Hours since 1970.
        before_hour: u32,
    },
    /// Deletes all messages, so that nothing of them is left in the files.
    ClearHistory {
        /// Which chat.
        chat: ChatId,
        /// The hlc from which on history is held from now on.
        since: u64,
    },
    /// How far an own message has got.
    SetDelivery {
        /// Which chat.
        chat: ChatId,
        /// Which message.
        id: MessageId,
        /// How far.
        state: DeliveryState,
    },
    /// A member's credential.
    AddMember {
        /// Which chat.
        chat: ChatId,
        /// Who.
        member: MemberId,
        /// As in [`crate::invite`].
        credential: Vec<u8>,
    },
    /// A member's nick.
    SetMemberNick {
        /// Which chat.
        chat: ChatId,
        /// Who.
        member: MemberId,
        /// 1 to 128 bytes.
        nick: String,
    },
    /// A member proved to be at an address. The last [`super::MAX_PEERS`] are kept.
    SawPeer {
        /// Which chat.
        chat: ChatId,
        /// Where.
        address: SocketAddr,
        /// When, in ms since 1970.
        at_ms: u64,
    },
    /// Somebody of the chat is said to be at an address. The [`super::MAX_HEARSAY`] last told are kept, until a link
    /// stands there.
    HeardOfPeer {
        /// Which chat.
        chat: ChatId,
        /// Where.
        address: SocketAddr,
        /// When, in ms since 1970.
        at_ms: u64,
    },
    /// An invite made here. The chat's next one gets a higher number.
    AddInvite {
        /// Which chat.
        chat: ChatId,
        /// What is kept of it.
        invite: InviteRecord,
    },
    /// The fact set has changed.
    PutFacts {
        /// Which chat.
        chat: ChatId,
        /// Facts that are in it now.
        added: Vec<FactRecord>,
        /// Facts that no longer are.
        removed: Vec<FactId>,
    },
    /// Whether the user ignores a member.
    SetIgnored {
        /// Which chat.
        chat: ChatId,
        /// Whose words.
        member: MemberId,
        /// They don't.
        ignored: bool,
    },
    /// What was typed and not sent.
    SaveDraft {
        /// Which chat.
        chat: ChatId,
        /// Empty: none.
        text: String,
    },
    /// Up to where a chat was read.
    MarkRead {
        /// Which chat.
        chat: ChatId,
        /// The newest message that was seen.
        message: MessageId,
    },
    /// What the user chose.
    SaveSettings(Settings),
    /// How the window was left.
    SaveWorkspace(Workspace),
    /// Deletes a chat and all that belongs to it, so that nothing of it is left in the files.
    RemoveChat {
        /// Which chat.
        chat: ChatId,
    },
}

impl Write {
    /// Whether nobody could give it back after a power cut, so that the write has to wait for the disk itself.
    pub(super) fn is_irreplaceable(&self) -> bool {
        matches!(
            self,
            Self::PutChat(_)
                | Self::SetJoined { .. }
                | Self::SetCredential { .. }
                | Self::SetCharter { .. }
                | Self::AddInvite { .. }
                // A moderator who forgot an own fact would sign another with its seq, and lose the office for it.
                | Self::PutFacts { .. }
                | Self::RemoveChat { .. }
                | Self::ClearHistory { .. }
        )
    }

    /// Whether the replaced or removed data has to be wiped from the files.
    pub(super) fn wipes(&self) -> bool {
        matches!(
            self,
            Self::SetJoined {
                keep_invite: false,
                ..
            } | Self::RemoveChat { .. }
                | Self::ClearHistory { .. }
        )
    }
}
