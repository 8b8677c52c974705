//! One chat as a state machine without I/O: bytes and commands in, bytes and events out.
//!
//! It has no clock, socket, thread or async, and its randomness is handed in, so that the simulator
//! (`node::sim`) and the runtime drive the very same code. To be called in this order:
//!
//! 1. [`Node::handle`] with what has happened and what time it is;
//! 2. [`Node::poll_output`] until it has nothing more;
//! 3. wait until [`Node::poll_timeout`], or until something happens, and start again.
//!
//! A node is a classic or a signed chat. A signed chat is made of machines, each of which owns its state and knows only those
//! below it: `core` (time, randomness, who we are, what is to be done), `overlay` (whom we know and are linked to), `members` (who is
//! there), `rights` (who may do what), then `entry` (the way in), `gossip` (what is said) and above that `history` (what was
//! said before). `signed` owns them all and carries out what one asks of the others (`effect`). A classic chat has the first two.

mod archive;
mod bucket;
mod classic;
mod clock;
mod config;
mod core;
mod effect;
mod entry;
mod gossip;
mod history;
mod io;
mod members;
mod overlay;
mod rights;
mod signed;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim")]
mod sim_archive;
#[cfg(test)]
mod testing;

use std::time::Duration;

pub use self::archive::{ArchiveAnswer, ArchiveQuery, ArchivedSay, HOUR, HistoryState, ShortMessageId};
pub use self::config::{ClassicState, NodeConfig, NodeKind, SignedState};
pub use self::io::{
    Input, Moderation, NodeEvent, NodeLink, NodeMember, NodeMessage, NodePart, NodeStats, Now, Output,
    Refusal, StoredFact,
};
pub use self::members::SESSION_VALID_MS;

use self::classic::Classic;
use self::core::Core;
use self::members::Member;
use self::overlay::Overlay;
use self::signed::Signed;
use crate::facts::{Action, Admitted, Denied, Role, State};
use crate::id::{ClientId, MemberId, MessageId};
use crate::invite::Office;
use crate::wire::{self, Header};

/// Ids of broadcasts remembered as seen: at the 20 a second of a busy chat, over 10 minutes. A guess.
pub const SEEN: usize = 16_384;

/// One chat. See the [module](self) for how it is driven.
pub struct Node {
    chat: Chat,
    has_quit: bool,
}

/// The kinds of chat.
enum Chat {
    Classic(Box<Classic>),
    Signed(Box<Signed>),
}

impl Node {
    /// A node that knows nobody yet. `seed` makes its session's key and all its random choices: 32 bytes that
    /// nobody can guess, never used twice.
    pub fn new(config: NodeConfig, seed: [u8; 32], now: Now) -> Self {
        let core = Core::new(seed, now, config.nick, config.status);
        let chat = match config.kind {
            NodeKind::Classic(state) => Chat::Classic(Box::new(Classic::new(core, state))),
            NodeKind::Signed(state) => Chat::Signed(Box::new(Signed::new(core, *state))),
        };
        Self {
            chat,
            has_quit: false,
        }
    }

    /// Takes in what has happened.
    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        if self.has_quit {
            return;
        }
        self.has_quit = matches!(input, Input::Quit);
        match &mut self.chat {
            Chat::Classic(classic) => {
                classic.core_mut().advance(now);
                classic.handle(input);
            }
            Chat::Signed(signed) => {
                signed.core_mut().advance(now);
                signed.handle(input);
            }
        }
    }

    /// What is to be done now; `None` when there is nothing more.
    pub fn poll_output(&mut self) -> Option<Output> {
        match &mut self.chat {
            Chat::Classic(classic) => classic.core_mut().poll_output(),
            Chat::Signed(signed) => signed.core_mut().poll_output(),
        }
    }

    /// When to call [`Self::handle`] with [`Input::Timeout`] at the latest, in terms of [`Now::elapsed`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        let due = match &self.chat {
            Chat::Classic(classic) => classic.core().next_tick(),
            Chat::Signed(signed) => signed.due(),
        };
        (!self.has_quit).then_some(due)
    }

    fn core(&self) -> &Core {
        match &self.chat {
            Chat::Classic(classic) => classic.core(),
            Chat::Signed(signed) => signed.core(),
        }
    }

    fn overlay(&self) -> &Overlay {
        match &self.chat {
            Chat::Classic(classic) => classic.overlay(),
            Chat::Signed(signed) => signed.overlay(),
        }
    }

    fn signed(&self) -> Option<&Signed> {
        match &self.chat {
            Chat::Classic(_) => None,
            Chat::Signed(signed) => Some(signed),
        }
    }

    /// Our session's key.
    pub fn client_id(&self) -> ClientId {
        self.core().client_id()
    }

    /// Who we are in this chat.
    pub fn member(&self) -> MemberId {
        self.core().member()
    }

    /// Bytes of UTF-8 that one message can have: what fits into one datagram, in a signed chat into six.
    pub fn max_text_len(&self) -> usize {
        match &self.chat {
            Chat::Classic(_) => wire::MAX_BROADCAST_DATA_LEN,
            Chat::Signed(_) => gossip::MAX_TEXT_LEN,
        }
    }

    /// Whether one more message of so many bytes can be said: not while very many wait.
    pub fn has_room_to_say(&self, text_len: usize) -> bool {
        match &self.chat {
            Chat::Classic(classic) => classic.has_room_to_say(),
            Chat::Signed(signed) => signed.gossip().has_room_to_say(text_len),
        }
    }

    /// The topic; empty: none.
    pub fn topic(&self) -> &str {
        match &self.chat {
            Chat::Classic(classic) => classic.topic(),
            Chat::Signed(_) => self
                .state()
                .and_then(State::topic)
                .map_or("", |topic| &topic.text),
        }
    }

    /// Everyone known, oneself first, then by id.
    pub fn members(&self) -> Vec<NodeMember> {
        let core = self.core();
        let own = NodeMember {
            member: core.member(),
            nick: core.nick().to_owned(),
            role: self
                .signed()
                .map_or(Role::Member, |signed| signed.rights().own_role(signed.members())),
            status: core.status(),
            online: true,
            own: true,
            since_ms: self
                .signed()
                .and_then(|signed| signed.members().member(&core.member()))
                .map_or(0, Member::since_ms),
            banned: self.may(Action::Read) == Err(Denied::Banned),
        };
        let others = match &self.chat {
            Chat::Classic(classic) => classic.members(),
            Chat::Signed(signed) => signed.rights().others(signed.members()),
        };
        std::iter::once(own).chain(others).collect()
    }

    /// The links that stand, by key.
    pub fn links(&self) -> Vec<NodeLink> {
        self.overlay()
            .links()
            .map(|(client_id, link)| NodeLink {
                client_id: *client_id,
                member: link.member(),
                address: link.address(),
                round_trip: link.round_trip(),
            })
            .collect()
    }

    /// Figures since the start.
    pub fn stats(&self) -> NodeStats {
        self.core().stats()
    }

    /// These were said before this start: should they come again, they are not taken as new. (In a signed chat; a classic
    /// one has other keys at each start.)
    pub fn has_seen(&mut self, messages: impl IntoIterator<Item = MessageId>) {
        if let Chat::Signed(signed) = &mut self.chat {
            signed.note_said_before(messages);
        }
    }

    /// Parts that were kept when their message was not complete.
    pub fn has_parts(&mut self, parts: impl IntoIterator<Item = NodePart>) {
        if let Chat::Signed(signed) = &mut self.chat {
            signed.note_kept(parts);
        }
    }

    /// What holds in the chat; none in a classic one, and before the charter has come.
    pub fn state(&self) -> Option<&State> {
        self.signed()?.rights().state()
    }

    /// The root of the facts that hold; zeros if there are none.
    pub fn facts_root(&self) -> [u8; 32] {
        self.signed().map_or([0; 32], |signed| signed.rights().root())
    }

    /// What the credential of a member says of them; none of those never met.
    pub fn admitted(&self, member: &MemberId) -> Option<Admitted> {
        Some(*self.signed()?.members().member(member)?.admitted())
    }

    /// All whom we know to be admitted, oneself among them, by id.
    pub fn all_admitted(&self) -> Vec<Admitted> {
        let Some(signed) = self.signed() else {
            return Vec::new();
        };
        let members = signed.members().iter();
        members.map(|(_, member)| *member.admitted()).collect()
    }

    /// What empowers us to issue invites as a moderator, if we are one.
    pub fn own_office(&self) -> Option<Office> {
        self.signed()?.rights().office_of(&self.member())
    }

    /// What a member is now; none of those never met, and in a classic chat.
    pub fn role_of(&self, member: &MemberId) -> Option<Role> {
        let signed = self.signed()?;
        signed.rights().role_of(signed.members(), member)
    }

    /// Whether we may do something. In a classic chat everyone may speak and set the topic, and nothing else.
    ///
    /// # Errors
    /// Why not: a sentence for who wanted it.
    pub fn may(&self, action: Action) -> Result<(), Denied> {
        match &self.chat {
            Chat::Signed(signed) => {
                let now_ms = self.core().now_ms();
                signed
                    .rights()
                    .may(signed.members(), &self.member(), action, now_ms)
            }
            Chat::Classic(_) => match action {
                Action::Read | Action::Speak | Action::SetTopic => Ok(()),
                _ => Err(Denied::FounderOnly),
            },
        }
    }

    /// For how many minutes more we only read, having just come in.
    pub fn minutes_to_read(&self) -> u64 {
        let now_ms = self.core().now_ms();
        self.signed().map_or(0, |signed| {
            signed
                .rights()
                .minutes_to_read(signed.members(), &self.member(), now_ms)
        })
    }

    /// How far back what was said is held, and what others have not got yet.
    pub fn history_state(&self) -> HistoryState {
        self.signed()
            .map_or_else(HistoryState::default, |signed| signed.history().state().clone())
    }

    /// The link that is being asked for what was said before.
    pub fn history_source(&self) -> Option<ClientId> {
        self.signed()?.history().source()
    }
}

/// Takes a datagram apart, if it may be one for us. Counts it, and the drop.
fn split<'a>(core: &mut Core, bytes: &'a [u8]) -> Option<(Header, &'a [u8])> {
    core.count_received(bytes.len());
    match wire::split_datagram(bytes) {
        Ok((header, _)) if header.sender == core.client_id() => {
            core.drop_packet("own");
            None
        }
        Ok(parts) => Some(parts),
        Err(error) => {
            core.drop_packet(error.cause());
            None
        }
    }
}
