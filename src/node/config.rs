//! What a node is told when it is made.

use std::time::Duration;

use super::{HistoryState, StoredFact};
use crate::crypto::SigningKey;
use crate::id::{ChatId, ClientId};
use crate::invite::{Charter, Credential, InviteKey};

/// What a node is told when it is made.
pub struct NodeConfig {
    /// Which kind of chat, and what is known of it.
    pub kind: NodeKind,
    /// What we are called, up to 128 bytes; empty: nothing is announced.
    pub nick: String,
    /// 0 online, 1 away, 2 busy.
    pub status: u8,
}

/// The kind of a chat, and what is known of it.
pub enum NodeKind {
    /// The base protocol and nothing else.
    Classic(ClassicState),
    /// Private and public chats.
    Signed(Box<SignedState>),
}

/// What is known of a classic chat.
pub struct ClassicState {
    /// Keys that are in the chat, as far as known beforehand.
    pub known: Vec<ClientId>,
    /// How often we broadcast a ping: "every ~60 s from everyone". Larger only in simulations.
    pub ping_every: Duration,
}

impl Default for ClassicState {
    fn default() -> Self {
        Self {
            known: Vec::new(),
            ping_every: Duration::from_secs(60),
        }
    }
}

/// What is known of a signed chat.
pub struct SignedState {
    /// The chat.
    pub chat: ChatId,
    /// Its charter; `None` until a welcome has brought it.
    pub charter: Option<Charter>,
    /// Our member key.
    pub member_key: SigningKey,
    /// What admits us.
    pub credential: Credential,
    /// The invite that we come by, until we are in: another slot may have to be signed.
    pub invite_key: Option<InviteKey>,
    /// From which the gates are derived.
    pub rendezvous: [u8; 16],
    /// Whether we were ever let in.
    pub joined: bool,
    /// Encoded [`Credential`]s of members met before, the first first.
    pub admitted: Vec<Vec<u8>>,
    /// The facts of the chat, in any order.
    pub facts: Vec<StoredFact>,
    /// How far back what was said is held.
    pub history: HistoryState,
}
