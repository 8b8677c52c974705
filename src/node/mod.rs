//! One chat as a state machine without I/O: bytes and commands in, bytes and events out.
//!
//! It has no clock, socket, thread or async, and its randomness is handed in, so that the simulator
//! (`node::sim`) and the runtime drive the very same code. To be called in this order:
//!
//! 1. [`Node::handle`] with what has happened and what time it is;
//! 2. [`Node::poll_output`] until it has nothing more;
//! 3. wait until [`Node::poll_timeout`], or until something happens, and start again.
//!
//! The parts, a file each: `peers` (addresses heard of, probes and their budgets), `lookup` (get_nodes and
//! send_nodes), `links` (whom to be linked to, and whether they still are), `history` (catching up with what was said before), `broadcast` (numbers, what was seen,
//! passing on), `parts` (long messages), `outbox` (own words at the pace allowed), `metering` (what others may say), `repair` (telling links what
//! one has, and asking for what one lacks), `gaps` (what is missing by number), `cache` (what was said lately), `reached` (how many have a
//! message), `classic` (who is in a classic chat), `strangers` (what they may cost), `gate`, `door` (the work that it asks for), `handshake` (hello, welcome), `clock`, `membership` (sessions,
//! members and slots of a signed chat), `presence` (who of them is there), `roster` (telling a new link who is there), `facts` (bringing
//! them to be the same everywhere), `moderation` (who may do what, and what follows from it).

mod archive;
mod broadcast;
mod bucket;
mod cache;
mod classic;
mod clock;
mod config;
mod door;
mod facts;
mod fork;
mod gaps;
mod gate;
mod handshake;
mod history;
mod io;
mod keepalive;
mod links;
mod lookup;
mod membership;
mod metering;
mod moderation;
mod outbox;
mod parts;
mod peers;
mod presence;
mod reached;
mod repair;
mod rights;
mod roster;
mod say;
mod signed;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim")]
mod sim_archive;
mod spread;
mod strangers;
mod tokens;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use hashlink::LruCache;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

pub use self::archive::{ArchiveAnswer, ArchiveQuery, ArchivedSay, HOUR, HistoryState, ShortMessageId};
pub use self::config::{ClassicState, NodeConfig, NodeKind, SignedState};
pub use self::membership::SESSION_VALID_MS;

pub use self::io::{
    Input, Moderation, NodeEvent, NodeLink, NodeMember, NodeMessage, NodePart, NodeStats, Now, Output,
    Refusal, StoredFact,
};

use self::bucket::Buckets;
use self::classic::Classic;
use self::clock::Clock;
use self::door::Doorstep;
use self::links::Link;
use self::metering::Meters;
use self::outbox::Outbox;
use self::peers::Peers;
use self::reached::Reaches;
use self::repair::Repair;
use self::signed::Signed;
use self::spread::Flooding;
use self::strangers::Strangers;
use crate::crypto::{BoxKeyPair, Nonce, SharedKeys};
use crate::facts::{Action, Denied, Role, State};
use crate::id::{ClientId, MemberId};
use crate::wire::{self, Header, Packet};

/// Shared keys kept: some for each link, each peer in a look-up, and a crowd in passing. 32 + 100 bytes each; a
/// guess.
const SHARED_KEYS: usize = 512;

/// Ids of broadcasts remembered as seen: at the 20 a second of a busy chat, over 10 minutes. A guess.
pub const SEEN: usize = 16_384;

/// Datagrams and events that may wait to be polled; past that the caller has stopped polling. A guess.
const MAX_OUTPUTS: usize = 65_536;

/// While something is under way, deadlines are looked at this often.
const TICK_BUSY: Duration = Duration::from_millis(250);

/// And this often while nothing is.
const TICK_IDLE: Duration = Duration::from_secs(5);

/// One chat. See the [module](self) for how it is driven.
pub struct Node {
    now: Now,
    rng: ChaCha20Rng,
    client_id: ClientId,
    member: MemberId,
    keys: SharedKeys,
    nick: String,
    status: u8,
    /// The number of our last broadcast in this session.
    number: u32,
    kind: Kind,
    peers: Peers,
    links: BTreeMap<ClientId, Link>,
    seen: LruCache<[u8; 32], ()>,
    outbox: Outbox,
    repair: Repair,
    flooding: Flooding,
    reaches: Reaches,
    answers: Buckets,
    clock: Clock,
    doorstep: Doorstep,
    meters: Meters,
    strangers: Strangers,
    joined: bool,
    quit: bool,
    outputs: VecDeque<Output>,
    stats: NodeStats,
    next_tick: Duration,
    links_chosen_at: Duration,
    links_trimmed_at: Duration,
}

/// What differs between the kinds of chat.
enum Kind {
    Classic(Classic),
    Signed(Box<Signed>),
}

impl Node {
    /// A node that knows nobody yet. `seed` makes its session's key and all its random choices: 32 bytes that
    /// nobody can guess, never used twice.
    pub fn new(config: NodeConfig, seed: [u8; 32], now: Now) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let session = BoxKeyPair::generate(&mut rng);
        let client_id = session.client_id();
        let (member, joined, kind) = match config.kind {
            NodeKind::Classic(state) => (
                MemberId::from(client_id),
                true,
                Kind::Classic(Classic::new(state, &now)),
            ),
            NodeKind::Signed(state) => {
                let joined = state.joined;
                let signed = Signed::new(*state, client_id, &now);
                (signed.member(), joined, Kind::Signed(Box::new(signed)))
            }
        };
        Self {
            now,
            rng,
            client_id,
            member,
            keys: SharedKeys::new(session, SHARED_KEYS),
            nick: config.nick,
            status: config.status,
            number: 0,
            kind,
            peers: Peers::default(),
            links: BTreeMap::new(),
            seen: LruCache::new(SEEN),
            outbox: Outbox::default(),
            repair: Repair::default(),
            flooding: Flooding::default(),
            reaches: Reaches::default(),
            answers: Buckets::default(),
            clock: Clock::new(&now),
            doorstep: Doorstep::default(),
            meters: Meters::default(),
            strangers: Strangers::new(now.elapsed),
            joined,
            quit: false,
            outputs: VecDeque::new(),
            stats: NodeStats::default(),
            next_tick: now.elapsed,
            links_chosen_at: Duration::ZERO,
            links_trimmed_at: now.elapsed,
        }
    }

    /// Takes in what has happened.
    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        self.now = Now {
            elapsed: now.elapsed.max(self.now.elapsed),
            unix_ms: now.unix_ms,
        };
        if self.quit {
            return;
        }
        self.look_for_jump();
        match input {
            Input::Datagram { from, bytes } => self.handle_datagram(from, bytes),
            Input::Connect { client_id, address } => self.connect(client_id, address, false),
            Input::ConnectToHeardOf(address) => self.connect(None, address, true),
            Input::TakeInvite(invite) => self.take_invite(*invite),
            Input::Admit(client_id) => self.admit(client_id),
            Input::Say { text, action } => self.say(text, action),
            Input::SetNick(nick) => self.set_nick(nick),
            Input::SetTopic { topic, locked } => self.set_topic(topic, locked),
            Input::Moderate(deed) => self.moderate(deed),
            Input::WorkDone(credential) => self.work_done(&credential),
            Input::SetStatus(status) => self.set_status(status),
            Input::NetworkChanged => self.prove_links_again(),
            Input::KeepFrom(since) => self.keep_from(since),
            Input::FetchOlder { limit } => self.fetch_older(limit),
            Input::Found { ticket, answer } => self.found(ticket, answer),
            Input::Resend(id) => self.resend(id),
            Input::Quit => self.say_goodbye(),
            Input::Timeout => {}
        }
        if self.now.elapsed >= self.next_tick {
            self.tick();
        }
        self.look_after_repair();
    }

    /// What is to be done now; `None` when there is nothing more.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle`] with [`Input::Timeout`] at the latest, in terms of [`Now::elapsed`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        let next = self
            .repair
            .due()
            .map_or(self.next_tick, |due| due.min(self.next_tick));
        (!self.quit).then_some(next)
    }

    /// Our session's key.
    pub fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// Who we are in this chat.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// Bytes of UTF-8 that one message can have: what fits into one datagram, in a signed chat into six.
    pub fn max_text_len(&self) -> usize {
        match self.kind {
            Kind::Classic(_) => wire::MAX_BROADCAST_DATA_LEN,
            Kind::Signed(_) => parts::MAX_TEXT_LEN,
        }
    }

    /// The topic; empty: none.
    pub fn topic(&self) -> &str {
        match &self.kind {
            Kind::Classic(classic) => classic.topic(),
            Kind::Signed(signed) => signed
                .state()
                .and_then(State::topic)
                .map_or("", |topic| &topic.text),
        }
    }

    /// Everyone known, oneself first, then by id.
    pub fn members(&self) -> Vec<NodeMember> {
        let own = NodeMember {
            member: self.member,
            nick: self.nick.clone(),
            role: match &self.kind {
                Kind::Classic(_) => Role::Member,
                Kind::Signed(signed) => signed.own_role(),
            },
            status: self.status,
            online: true,
            own: true,
            since_ms: self.since_ms(),
            banned: self.may(Action::Read) == Err(Denied::Banned),
        };
        let others = match &self.kind {
            Kind::Classic(classic) => classic.members(),
            Kind::Signed(signed) => signed.members(),
        };
        std::iter::once(own).chain(others).collect()
    }

    fn since_ms(&self) -> u64 {
        match &self.kind {
            Kind::Signed(signed) => signed.members.get(&self.member).map_or(0, |own| own.since_ms),
            Kind::Classic(_) => 0,
        }
    }

    /// The links that stand, by key.
    pub fn links(&self) -> Vec<NodeLink> {
        self.links
            .iter()
            .map(|(client_id, link)| NodeLink {
                client_id: *client_id,
                member: link.member,
                address: link.address,
                round_trip: link.round_trip,
            })
            .collect()
    }

    /// Figures since the start.
    pub fn stats(&self) -> NodeStats {
        self.stats.clone()
    }

    fn handle_datagram(&mut self, from: SocketAddr, bytes: &[u8]) {
        self.stats.packets_in += 1;
        self.stats.bytes_in += bytes.len() as u64;
        let (header, sealed) = match wire::split_datagram(bytes) {
            Ok(parts) => parts,
            Err(error) => return self.drop_packet(error.cause()),
        };
        if header.sender == self.client_id {
            return self.drop_packet("own");
        }
        match &self.kind {
            Kind::Classic(_) => self.handle_classic(from, &header, sealed),
            Kind::Signed(_) => self.handle_signed(from, &header, sealed),
        }
    }

    /// "A packet is taken only if it is addressed to our client_id, opens, comes from a client_id that is in the
    /// chat, and its body has exactly the form above." The cheap checks come first.
    fn handle_classic(&mut self, from: SocketAddr, header: &Header, sealed: &[u8]) {
        let Kind::Classic(classic) = &self.kind else {
            return;
        };
        if header.receiver != self.client_id {
            return self.drop_packet("not_for_us");
        }
        if !classic.is_in_chat(&header.sender) {
            return self.drop_packet("not_in_chat");
        }
        let Some(packet) = self.open(header, sealed) else {
            return;
        };
        match packet {
            Packet::GetNodes { ping_id } => self.handle_get_nodes(from, header.sender, ping_id),
            Packet::SendNodes(answer) => self.handle_send_nodes(from, header.sender, answer),
            Packet::Broadcast(broadcast) => self.handle_broadcast(from, header.sender, broadcast),
            _ => self.drop_packet("kind_of_signed_chats"),
        }
    }

    fn handle_signed(&mut self, from: SocketAddr, header: &Header, sealed: &[u8]) {
        if header.receiver != self.client_id {
            return self.handle_at_gate(from, header, sealed);
        }
        if !self.is_expected(from, &header.sender) && !self.may_be_opened(from, &header.sender, &header.nonce)
        {
            return;
        }
        let Some(packet) = self.open(header, sealed) else {
            return;
        };
        let sender = header.sender;
        match packet {
            Packet::Hello(hello) => {
                self.greeted(sender, header.nonce);
                self.settle_claim(&sender, &hello.chain);
                self.handle_hello(from, sender, hello);
            }
            Packet::Welcome(welcome) => self.handle_welcome(from, sender, welcome),
            Packet::Link(link) => self.handle_link(from, sender, link),
            Packet::Keepalive(keepalive) => self.handle_keepalive(from, sender, keepalive),
            Packet::RosterAsk(ask) => self.handle_roster_ask(from, sender, ask),
            Packet::Roster(roster) => self.handle_roster(from, sender, roster),
            Packet::Facts(facts) => self.handle_facts(from, sender, facts),
            Packet::Digest(digest) => self.handle_digest(from, sender, digest),
            Packet::Want(want) => self.handle_want(from, sender, &want),
            Packet::NotHeld(not_held) => self.handle_not_held(from, sender, &not_held),
            Packet::Slow(slow) => self.handle_slow(from, sender, &slow),
            Packet::HistoryAsk(ask) => self.handle_history_ask(from, sender, ask),
            Packet::History(history) => self.handle_history(from, sender, history),
            Packet::FactsAsk(ask) => self.handle_facts_ask(from, sender, ask),
            Packet::Say(say) => self.handle_say(from, sender, say),
            // In signed chats only links look up and are looked up: everybody else has to say hello.
            Packet::GetNodes { ping_id } if self.is_link_at(&sender, from) => {
                self.handle_get_nodes(from, sender, ping_id);
            }
            Packet::SendNodes(answer) if self.is_link_at(&sender, from) => {
                self.handle_send_nodes(from, sender, answer);
            }
            Packet::GetNodes { .. } | Packet::SendNodes(_) => self.drop_packet("not_linked"),
            Packet::Broadcast(_) => self.drop_packet("kind_of_classic_chats"),
        }
    }

    fn open(&mut self, header: &Header, sealed: &[u8]) -> Option<Packet> {
        let Some(plain) = self.keys.open(&header.sender, &header.nonce, sealed) else {
            self.drop_packet("does_not_open");
            return None;
        };
        match Packet::decode(&plain) {
            Ok(packet) => Some(packet),
            Err(error) => {
                self.drop_packet(error.cause());
                None
            }
        }
    }

    /// Everything that happens by itself: late answers, silent links, too few links, announcements.
    fn tick(&mut self) {
        self.forget_late_probes();
        self.try_targets();
        self.look_after_links();
        self.look_after_clock();
        self.choose_links();
        match &self.kind {
            Kind::Classic(_) => self.look_after_classic(),
            Kind::Signed(_) => self.look_after_signed(),
        }
        let wait = if self.is_busy() { TICK_BUSY } else { TICK_IDLE };
        self.next_tick = self.now.elapsed + wait;
        self.empty_outbox();
    }

    /// Whether something is under way that a quick look at the deadlines serves.
    fn is_busy(&self) -> bool {
        self.links.is_empty() && self.peers.has_targets()
            || self.peers.is_waiting()
            || self.links.values().any(Link::is_waiting)
            || self.is_history_busy()
    }

    /// Has the deadlines looked at soon.
    fn wake_soon(&mut self) {
        self.next_tick = self.next_tick.min(self.now.elapsed + TICK_BUSY);
    }

    fn emit(&mut self, event: NodeEvent) {
        if self.outputs.len() < MAX_OUTPUTS {
            self.outputs.push_back(Output::Event(event));
        }
    }

    /// Seals a packet and hands it out.
    fn send(&mut self, to: SocketAddr, receiver: ClientId, packet: &Packet) {
        let plain = packet.encode();
        self.send_plain(to, receiver, &plain);
    }

    fn send_plain(&mut self, to: SocketAddr, receiver: ClientId, plain: &[u8]) {
        let nonce = self.random();
        self.send_with_nonce(to, receiver, nonce, plain);
    }

    fn send_with_nonce(&mut self, to: SocketAddr, receiver: ClientId, nonce: Nonce, plain: &[u8]) {
        let Some(sealed) = self.keys.seal(&receiver, &nonce, plain) else {
            return self.drop_packet("low_order_key");
        };
        self.transmit(
            to,
            &Header {
                receiver,
                sender: self.client_id,
                nonce,
            },
            &sealed,
            plain.first().copied().unwrap_or_default(),
        );
    }

    fn transmit(&mut self, to: SocketAddr, header: &Header, sealed: &[u8], kind: u8) {
        let bytes = wire::join_datagram(header, sealed);
        let (datagrams, of_kind) = self.stats.sent.entry(kind).or_default();
        *datagrams += 1;
        *of_kind += bytes.len() as u64;
        debug_assert!(bytes.len() <= wire::MAX_DATAGRAM_LEN, "{} bytes", bytes.len());
        self.stats.packets_out += 1;
        self.stats.bytes_out += bytes.len() as u64;
        if self.outputs.len() < MAX_OUTPUTS {
            self.outputs.push_back(Output::Transmit { to, bytes });
        }
    }

    fn drop_packet(&mut self, cause: &'static str) {
        *self.stats.dropped.entry(cause).or_default() += 1;
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// A random number below `bound`, which is not 0. The bias of a remainder of 64 bits does not matter here.
    fn random_below(&mut self, bound: usize) -> usize {
        (self.rng.next_u64() % bound as u64) as usize
    }
}
