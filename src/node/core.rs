//! What every machine of a node is handed: the time, randomness, who we are, and the queue of what is to be done. It
//! knows none of the machines.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::archive::ArchiveQuery;
use super::clock::Clock;
use super::effect::Effect;
use super::{NodeEvent, NodeStats, Now, Output};
use crate::crypto::{BoxKeyPair, Nonce, SharedKeys};
use crate::id::{ClientId, MemberId};
use crate::wire::{self, Header, Packet};

/// Shared keys kept: some for each link, each peer in a look-up, and a crowd in passing. 32 + 100 bytes each; a
/// guess.
const SHARED_KEYS: usize = 512;

/// Datagrams and events that may wait to be polled; past that the caller has stopped polling. A guess.
const MAX_OUTPUTS: usize = 65_536;

/// While something is under way, deadlines are looked at this often.
const TICK_BUSY: Duration = Duration::from_millis(250);

/// And this often while nothing is.
const TICK_IDLE: Duration = Duration::from_secs(5);

/// See the [module](self).
pub(super) struct Core {
    now: Now,
    clock: Clock,
    rng: ChaCha20Rng,
    keys: SharedKeys,
    client_id: ClientId,
    member: MemberId,
    nick: String,
    status: u8,
    /// The number of our last broadcast in this session.
    number: u32,
    next_tick: Duration,
    outputs: VecDeque<Output>,
    effects: VecDeque<Effect>,
    stats: NodeStats,
}

impl Core {
    /// With a fresh session. `seed` makes its key and all random choices.
    pub(super) fn new(seed: [u8; 32], now: Now, nick: String, status: u8) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let session = BoxKeyPair::generate(&mut rng);
        let client_id = session.client_id();
        Self {
            now,
            clock: Clock::new(&now),
            rng,
            keys: SharedKeys::new(session, SHARED_KEYS),
            client_id,
            member: MemberId::from(client_id),
            nick,
            status,
            number: 0,
            next_tick: now.elapsed,
            outputs: VecDeque::new(),
            effects: VecDeque::new(),
            stats: NodeStats::default(),
        }
    }

    /// Takes in what time it is. Elapsed time never goes back.
    pub(super) fn advance(&mut self, now: Now) {
        self.now = Now {
            elapsed: now.elapsed.max(self.now.elapsed),
            unix_ms: now.unix_ms,
        };
        self.clock.look_for_jump(&self.now);
    }

    /// Elapsed time.
    pub(super) fn now(&self) -> Duration {
        self.now.elapsed
    }

    /// What our own clock shows, in ms since 1970.
    pub(super) fn own_ms(&self) -> u64 {
        self.now.unix_ms
    }

    /// Milliseconds since 1970, as far as the chat can tell: our own clock, set right by those of our links.
    pub(super) fn now_ms(&self) -> u64 {
        self.clock.set_right(self.now.unix_ms)
    }

    /// How far another's clock is ahead of ours.
    pub(super) fn ahead_ms(&self, time_ms: u64) -> i64 {
        let signed = |ms| i64::try_from(ms).unwrap_or(i64::MAX);
        signed(time_ms).saturating_sub(signed(self.now.unix_ms))
    }

    /// The clock of a link's member is so far ahead of ours, if it has told.
    pub(super) fn clock_linked(&mut self, client_id: ClientId, member: MemberId, ahead_ms: Option<i64>) {
        self.clock.linked(client_id, member, ahead_ms);
    }

    /// A link whose clock counted ended.
    pub(super) fn clock_unlinked(&mut self, client_id: &ClientId) {
        self.clock.unlinked(client_id);
    }

    /// Tells the user when our clock is off.
    pub(super) fn look_after_clock(&mut self) {
        if let Some(by_ms) = self.clock.look_after() {
            self.emit(NodeEvent::ClockOff { by_ms });
        }
    }

    /// Our session's key.
    pub(super) fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// Who we are in this chat.
    pub(super) fn member(&self) -> MemberId {
        self.member
    }

    /// In a signed chat members outlive their sessions.
    pub(super) fn set_member(&mut self, member: MemberId) {
        self.member = member;
    }

    pub(super) fn nick(&self) -> &str {
        &self.nick
    }

    pub(super) fn set_nick(&mut self, nick: String) {
        self.nick = nick;
    }

    /// 0 online, 1 away, 2 busy.
    pub(super) fn status(&self) -> u8 {
        self.status
    }

    pub(super) fn set_status(&mut self, status: u8) {
        self.status = status;
    }

    /// A new session takes the place of ours: another key, and numbers from 1. The old one.
    pub(super) fn renew_session(&mut self) -> ClientId {
        let session = BoxKeyPair::generate(&mut self.rng);
        let old = std::mem::replace(&mut self.client_id, session.client_id());
        self.keys = SharedKeys::new(session, SHARED_KEYS);
        self.number = 0;
        old
    }

    /// "The origin adds 1 to its number for every message; the first is 1; after 2^32-1 comes 1."
    pub(super) fn next_number(&mut self) -> u32 {
        self.number = self.number.checked_add(1).unwrap_or(1);
        self.number
    }

    /// Looks at the deadlines at that time at the latest.
    pub(super) fn wake_at(&mut self, at: Duration) {
        self.next_tick = self.next_tick.min(at);
    }

    /// Looks at the deadlines at once.
    pub(super) fn wake_now(&mut self) {
        self.next_tick = self.now.elapsed;
    }

    /// Looks at the deadlines soon.
    pub(super) fn wake_soon(&mut self) {
        self.wake_at(self.now.elapsed + TICK_BUSY);
    }

    /// The deadlines have been looked at; the next time is soon if something is under way.
    pub(super) fn ticked(&mut self, is_busy: bool) {
        let wait = if is_busy { TICK_BUSY } else { TICK_IDLE };
        self.next_tick = self.now.elapsed + wait;
    }

    /// When the deadlines are to be looked at next.
    pub(super) fn next_tick(&self) -> Duration {
        self.next_tick
    }

    pub(super) fn is_time_to_tick(&self) -> bool {
        self.now.elapsed >= self.next_tick
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn emit(&mut self, event: NodeEvent) {
        if self.outputs.len() < MAX_OUTPUTS {
            self.outputs.push_back(Output::Event(event));
        }
    }

    /// Asks whoever keeps what was said.
    pub(super) fn look(&mut self, ticket: u64, query: ArchiveQuery) {
        self.outputs.push_back(Output::Look { ticket, query });
    }

    /// Asks something of the machines above.
    pub(super) fn cause(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    /// The next thing that a machine has asked for.
    pub(super) fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Seals a packet and hands it out.
    pub(super) fn send(&mut self, to: SocketAddr, receiver: ClientId, packet: &Packet) {
        let plain = packet.encode();
        self.send_plain(to, receiver, &plain);
    }

    /// The same, of what is encoded already.
    pub(super) fn send_plain(&mut self, to: SocketAddr, receiver: ClientId, plain: &[u8]) {
        let nonce = self.random();
        self.send_with_nonce(to, receiver, nonce, plain);
    }

    /// The same, under a nonce that means something.
    pub(super) fn send_with_nonce(&mut self, to: SocketAddr, receiver: ClientId, nonce: Nonce, plain: &[u8]) {
        let Some(sealed) = self.keys.seal(&receiver, &nonce, plain) else {
            return self.drop_packet("low_order_key");
        };
        let header = Header {
            receiver,
            sender: self.client_id,
            nonce,
        };
        let bytes = wire::join_datagram(&header, &sealed);
        let kind = plain.first().copied().unwrap_or_default();
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

    /// Sends what the figures count as history.
    pub(super) fn send_history(&mut self, to: SocketAddr, client_id: ClientId, packet: &Packet) {
        let before = self.stats.bytes_out;
        self.send(to, client_id, packet);
        self.stats.history_packets_out += 1;
        self.stats.history_bytes_out += self.stats.bytes_out - before;
    }

    /// Opens a packet that is addressed to us. Counts the drop if it can't be.
    pub(super) fn open(&mut self, header: &Header, sealed: &[u8]) -> Option<Packet> {
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

    /// Counts a datagram that came.
    pub(super) fn count_received(&mut self, bytes: usize) {
        self.stats.packets_in += 1;
        self.stats.bytes_in += bytes as u64;
    }

    /// Counts a packet, or a part of one, that is not taken.
    pub(super) fn drop_packet(&mut self, cause: &'static str) {
        *self.stats.dropped.entry(cause).or_default() += 1;
    }

    /// Counts a broadcast that had come before.
    pub(super) fn count_duplicate(&mut self) {
        self.stats.duplicates += 1;
    }

    /// Counts a broadcast that had been lost on the way and was fetched.
    pub(super) fn count_repaired(&mut self) {
        self.stats.repaired += 1;
    }

    pub(super) fn stats(&self) -> NodeStats {
        self.stats.clone()
    }

    pub(super) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    pub(super) fn random_u64(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A random number below `bound`, which is not 0. The bias of a remainder of 64 bits does not matter here.
    pub(super) fn random_below(&mut self, bound: usize) -> usize {
        (self.rng.next_u64() % bound as u64) as usize
    }

    pub(super) fn rng(&mut self) -> &mut ChaCha20Rng {
        &mut self.rng
    }
}
