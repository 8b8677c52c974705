//! Whom we are linked to, and whether they are still there.
//!
//! Six links are wanted: the neighbour on either side of the ring, which hold the chat together, and the others at
//! random, which keep it small across. (Linking to the six nearest keys, as the historic implementation did,
//! splits a large chat.) Ring places are client_ids in a classic chat; in a signed one a hash of chat, member and
//! day, so that a place near somebody cannot be ground out.

use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::rand_core::RngCore;

use super::bucket::Bucket;
use super::tokens::Tokens;
use super::{Kind, Node, NodeEvent};
use crate::id::{ClientId, MemberId};
use crate::wire::{LinkOp, Packet, TokenCounter};

/// Links wanted (the document).
pub(super) const WANTED: usize = 6;

/// Links that we bear at most (the document).
pub(super) const MAX_LINKS: usize = 12;

/// Links that we bear beside those for peers who have no other: where one member alone can be reached from outside, all
/// others hang on it. A guess: a copy to each of them is still little.
const MAX_ONLY_LINKS: usize = 32;

/// Links to sessions of one member: an earlier one may not have ended yet.
const MAX_LINKS_OF_ONE: usize = 2;

/// With so many links, none is anybody's only one any more. A guess: two could end at once.
const NOT_ONLY: usize = 3;

/// In the reason of a link that is opened: "I have no other".
pub(super) const ONLY: u8 = 1;

/// Links past this cost copies and bring nothing: in a chat with more members than links, they are ended one by one. A
/// guess: enough over what is wanted that ending one here does not make another there.
const PLENTY: usize = 8;

/// So seldom.
const TRIM_EVERY: Duration = Duration::from_secs(30);

/// Links are chosen at most so often.
const CHOOSE_EVERY: Duration = Duration::from_secs(1);

/// A look around through a random link: seldom when all is well, often while links are missing. Guesses.
const LOOK_AROUND: Duration = Duration::from_secs(60);
const LOOK_AROUND_LONELY: Duration = Duration::from_secs(5);

/// A link so old is no newcomer's only one any more. A guess.
const SETTLED: Duration = Duration::from_secs(30);

/// A peer that is linked to us asks at least so often: two keepalives, and some. A guess.
const MUTUAL_WITHIN: Duration = Duration::from_secs(40);

/// A peer that proved its address so recently needs no second proof to become a link. A guess.
const FRESH: Duration = Duration::from_secs(60);

/// A peer that has proved its address and hears our broadcasts from us.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) member: MemberId,
    pub(super) address: SocketAddr,
    pub(super) round_trip: Option<Duration>,
    /// Signed chats only.
    pub(super) tokens: Option<Tokens>,
    pub(super) roster: super::roster::Asking,
    pub(super) facts: super::facts::Agreeing,
    pub(super) repair: super::repair::Repairing,
    pub(super) history: super::history::LinkHistory,
    /// How far its clock was ahead of ours when it came.
    pub(super) ahead_ms: Option<i64>,
    /// When it ends, because its member may not be here any more.
    pub(super) ends_at: Option<Duration>,
    pub(super) linked_at: Duration,
    /// Whether we said hello, and not the peer.
    pub(super) is_dialled: bool,
    /// The peer says that it has no other.
    pub(super) is_only: bool,
    /// Next to us on the ring.
    pub(super) is_neighbour: bool,
    /// By lot: those of the greatest are passed on to first.
    pub(super) rank: u64,
    /// We said so.
    pub(super) said_only: bool,
    /// When the peer last asked us for nodes: in a classic chat the only sign that we are its link, too.
    pub(super) asked_us_at: Option<Duration>,
    /// When either side last asked the other.
    pub(super) asked_at: Duration,
    pub(super) unanswered: u8,
    /// What it may ask and answer of that.
    pub(super) keepalives: Option<Bucket>,
    looked_around_at: Duration,
}

impl Link {
    pub(super) fn new(member: MemberId, address: SocketAddr, tokens: Option<Tokens>, now: Duration) -> Self {
        Self {
            member,
            address,
            round_trip: None,
            tokens,
            roster: super::roster::Asking::default(),
            facts: super::facts::Agreeing::default(),
            repair: super::repair::Repairing::default(),
            history: super::history::LinkHistory::default(),
            ahead_ms: None,
            ends_at: None,
            linked_at: now,
            is_dialled: true,
            is_only: false,
            is_neighbour: false,
            rank: 0,
            said_only: false,
            asked_us_at: None,
            asked_at: now,
            unanswered: 0,
            keepalives: None,
            looked_around_at: now,
        }
    }

    /// Whether a question is under way.
    pub(super) fn is_waiting(&self) -> bool {
        self.unanswered > 0 || self.roster.is_waiting() || self.facts.is_waiting() || self.ends_at.is_some()
    }

    /// It was heard at its address, freshly.
    pub(super) fn heard(&mut self) {
        self.unanswered = 0;
    }

    /// The next token and counter to send under. `None` in a classic chat.
    pub(super) fn next_token(&mut self) -> Option<TokenCounter> {
        self.tokens.as_mut().map(Tokens::next)
    }
}

impl Node {
    pub(super) fn is_link_at(&self, client_id: &ClientId, from: SocketAddr) -> bool {
        self.links.get(client_id).is_some_and(|link| link.address == from)
    }

    /// The place on the ring, if it is known.
    pub(super) fn place(&self, client_id: &ClientId) -> Option<[u8; 32]> {
        match &self.kind {
            Kind::Classic(_) => Some(client_id.0),
            Kind::Signed(signed) => signed.place(client_id, self.now_ms()),
        }
    }

    fn own_place(&self) -> [u8; 32] {
        match &self.kind {
            Kind::Classic(_) => self.client_id.0,
            Kind::Signed(signed) => signed.place_of(&self.member, self.now_ms()),
        }
    }

    /// A link stands. What had waited for one goes out.
    pub(super) fn add_link(&mut self, client_id: ClientId, mut link: Link) {
        let event = NodeEvent::PeerLinked {
            client_id,
            member: link.member,
            address: link.address,
        };
        self.proved_quietly(client_id, link.address);
        let first = self.links.is_empty();
        let before = self.links.remove(&client_id);
        let known = before.is_some();
        if let Some(before) = before {
            link.repair = super::repair::Repairing::after(before.repair);
        }
        link.rank = self.rng.next_u64();
        self.links.insert(client_id, link);
        self.set_clock();
        if !known {
            self.emit(event);
        }
        if first {
            tracing::debug!(peer = %client_id.short(), "first link");
            self.first_link_stands();
        }
        self.choose_links_soon();
    }

    fn proved_quietly(&mut self, client_id: ClientId, address: SocketAddr) {
        let evict = self.rng.next_u64();
        self.peers.proved(client_id, address, self.now.elapsed, evict);
    }

    /// Ends a link. A signed peer is told, so that it need not wait for silence.
    pub(super) fn end_link(&mut self, client_id: &ClientId, tell: bool) -> Option<Link> {
        let mut link = self.links.remove(client_id)?;
        if let (true, Some(t)) = (tell, link.next_token()) {
            let close = crate::wire::Link {
                t,
                op: LinkOp::Close,
                tree: 0,
                reason: 0,
            };
            self.send(link.address, *client_id, &Packet::Link(close));
        }
        self.emit(NodeEvent::PeerLost {
            client_id: *client_id,
            member: link.member,
        });
        self.history_unlinked(client_id, &link.member);
        self.choose_links_soon();
        Some(link)
    }

    /// Looks for nodes through a random link: once a minute, more often while links are missing.
    pub(super) fn look_around(&mut self) {
        let now = self.now.elapsed;
        let is_lonely = self.links.len() < WANTED && self.knows_more_than(self.links.len());
        let every = if is_lonely {
            LOOK_AROUND_LONELY
        } else {
            LOOK_AROUND
        };
        let due: Vec<ClientId> = self
            .links
            .iter()
            .filter(|(_, link)| now.saturating_sub(link.looked_around_at) >= every * self.links.len() as u32)
            .map(|(client_id, _)| *client_id)
            .collect();
        if due.is_empty() {
            return;
        }
        let client_id = due[self.random_below(due.len())];
        if let Some(link) = self.links.get_mut(&client_id) {
            link.looked_around_at = now;
            let address = link.address;
            self.ask_link_for_nodes(client_id, address);
        }
    }

    /// Whether there are more than so many others that could be linked to.
    pub(super) fn knows_more_than(&self, count: usize) -> bool {
        match &self.kind {
            Kind::Classic(classic) => classic.count() > count,
            Kind::Signed(signed) => signed.has_more_online_than(count),
        }
    }

    /// Has links chosen at the next look at the deadlines, soon.
    pub(super) fn choose_links_soon(&mut self) {
        self.wake_soon();
    }

    /// Links to the ring neighbours, and to others at random up to the number wanted; drops what is too many.
    pub(super) fn choose_links(&mut self) {
        let now = self.now.elapsed;
        if now.saturating_sub(self.links_chosen_at) < CHOOSE_EVERY && self.links_chosen_at != Duration::ZERO {
            return;
        }
        self.links_chosen_at = now;
        let mut candidates: Vec<ClientId> = self
            .peers
            .iter()
            .filter(|(client_id, peer)| !self.links.contains_key(*client_id) && peer.is_worth_a_try(now))
            .map(|(client_id, _)| *client_id)
            .collect();
        let neighbours = self.ring_neighbours(&candidates);
        candidates.retain(|client_id| !neighbours.contains(client_id));
        for client_id in &neighbours {
            if !self.links.contains_key(client_id) {
                self.approach(*client_id);
            }
        }
        // A node that is not in our roster is a newcomer, or of a part of the chat that has lost us: meet it.
        let unmet = candidates.iter().position(|client_id| !self.is_met(client_id));
        if let Some(at) = unmet {
            self.approach(candidates.swap_remove(at));
        }
        let mut missing = WANTED.saturating_sub(self.links.len());
        while missing > 0 && !candidates.is_empty() {
            let at = self.random_below(candidates.len());
            let client_id = candidates.swap_remove(at);
            if self.approach(client_id) {
                missing -= 1;
            }
        }
        self.make_mutual(&neighbours, &candidates);
        self.drop_surplus(&neighbours);
        self.say_which_is_only();
        for (client_id, link) in &mut self.links {
            link.is_neighbour = neighbours.contains(client_id);
        }
    }

    /// A classic link is one-sided, so by chance some members are few others' link, and miss messages when datagrams
    /// get lost. So a link to one who is not linked to us gives way to one who is, or else to another try: in time
    /// all have six who send to them. Signed links are mutual by their handshake.
    fn make_mutual(&mut self, neighbours: &[ClientId], candidates: &[ClientId]) {
        let now = self.now.elapsed;
        if !matches!(self.kind, Kind::Classic(_)) || self.links.len() < WANTED || candidates.is_empty() {
            return;
        }
        let one_sided = self.links.iter().find(|(client_id, link)| {
            let is_asked = link
                .asked_us_at
                .is_some_and(|at| now.saturating_sub(at) < MUTUAL_WITHIN);
            !is_asked
                && now.saturating_sub(link.linked_at) >= MUTUAL_WITHIN
                && !neighbours.contains(client_id)
        });
        let Some((&leaving, _)) = one_sided else { return };
        let asking: Vec<ClientId> = candidates
            .iter()
            .filter(|client_id| {
                self.peers
                    .get(client_id)
                    .is_some_and(|peer| peer.is_asking(now, MUTUAL_WITHIN))
            })
            .copied()
            .collect();
        let pool = if asking.is_empty() { candidates } else { &asking };
        let client_id = pool[self.random_below(pool.len())];
        if self.approach(client_id) {
            self.end_link(&leaving, false);
        }
    }

    /// Whether a session is known and stands. In a classic chat there is no telling.
    fn is_met(&self, client_id: &ClientId) -> bool {
        match &self.kind {
            Kind::Classic(_) => true,
            Kind::Signed(signed) => signed.is_session_online(client_id),
        }
    }

    /// The nearest on either side, of the links and those worth a try.
    fn ring_neighbours(&self, candidates: &[ClientId]) -> Vec<ClientId> {
        let own = self.own_place();
        let places = candidates
            .iter()
            .chain(self.links.keys())
            .filter_map(|client_id| Some((self.place(client_id)?, *client_id)))
            .filter(|(place, _)| *place != own);
        // Round the ring from our own place: who is met first, and who last.
        let mut nearest: Option<[(bool, [u8; 32], ClientId); 2]> = None;
        for (place, client_id) in places {
            let at = (place < own, place, client_id);
            let [after, before] = nearest.get_or_insert([at; 2]);
            *after = at.min(*after);
            *before = at.max(*before);
        }
        let mut neighbours: Vec<ClientId> = nearest.into_iter().flatten().map(|(_, _, id)| id).collect();
        neighbours.dedup();
        neighbours
    }

    /// Takes the steps to a link with a peer. Whether one was taken.
    fn approach(&mut self, client_id: ClientId) -> bool {
        if self.peers.is_probing(&client_id) {
            return true;
        }
        let now = self.now.elapsed;
        let Some(peer) = self.peers.get(&client_id) else {
            return false;
        };
        let (address, proved_at) = (peer.address, peer.proved_at);
        let is_fresh = proved_at.is_some_and(|at| now.saturating_sub(at) <= FRESH);
        if let (Kind::Classic(_), true) = (&self.kind, is_fresh) {
            self.add_link(
                client_id,
                Link::new(MemberId::from(client_id), address, None, now),
            );
            return true;
        }
        self.probe(Some(client_id), address, proved_at.is_none())
    }

    /// Keeps to the number of links. A classic link is ours alone to keep, so its number is kept at what is wanted
    /// as soon as the chat is larger than links can be. A signed one is also the peer's: over the most it is ended at
    /// once, over what is plenty by and by.
    fn drop_surplus(&mut self, neighbours: &[ClientId]) {
        let now = self.now.elapsed;
        let is_large = |node: &Self| node.knows_more_than(MAX_LINKS);
        let most = match &self.kind {
            Kind::Classic(_) if is_large(self) => WANTED,
            Kind::Classic(_) | Kind::Signed(_) => MAX_LINKS,
        };
        while self.ordinary_links() > most && self.end_random_link(neighbours, Duration::ZERO) {}
        let is_time = now.saturating_sub(self.links_trimmed_at) >= TRIM_EVERY;
        if is_time
            && self.ordinary_links() > PLENTY
            && is_large(self)
            && self.end_random_link(neighbours, SETTLED)
        {
            self.links_trimmed_at = now;
        }
    }

    /// Ends a link that is no ring neighbour and at least so old, at random. Who has just come may have no other link
    /// yet, and is spared as long as there are others.
    fn end_random_link(&mut self, neighbours: &[ClientId], least_age: Duration) -> bool {
        let now = self.now.elapsed;
        let mut surplus: Vec<(bool, ClientId)> = self
            .links
            .iter()
            .filter(|(client_id, link)| !link.is_only && !neighbours.contains(client_id))
            .map(|(client_id, link)| (now.saturating_sub(link.linked_at), *client_id))
            .filter(|(age, _)| *age >= least_age)
            .map(|(age, client_id)| (age < SETTLED, client_id))
            .collect();
        if surplus.iter().any(|(is_new, _)| !is_new) {
            surplus.retain(|(is_new, _)| !is_new);
        }
        if surplus.is_empty() {
            return false;
        }
        let (_, client_id) = surplus[self.random_below(surplus.len())];
        self.end_link(&client_id, true);
        true
    }

    /// Links that are nobody's only one.
    fn ordinary_links(&self) -> usize {
        self.links.values().filter(|link| !link.is_only).count()
    }

    /// Whether another link may be taken on when a peer asks for it, beside the callers who are on their way: there is
    /// room; or it would be the peer's only link; or it is a ring neighbour (then [`Self::drop_surplus`] makes room).
    pub(super) fn has_room_for(&self, client_id: &ClientId, is_only: bool, on_their_way: usize) -> bool {
        let count = self.links.len() + on_their_way;
        let ordinary = self.ordinary_links() + on_their_way;
        self.links.contains_key(client_id)
            || count < MAX_LINKS
            || count < MAX_LINKS + MAX_ONLY_LINKS && (is_only || ordinary < MAX_LINKS)
            || count < MAX_LINKS + MAX_ONLY_LINKS + 2
                && self.ring_neighbours(&[*client_id]).contains(client_id)
    }

    /// Ends the oldest link to a member who has as many as one can have.
    pub(super) fn make_room_for_link_of(&mut self, member: &MemberId, client_id: &ClientId) {
        let others = self
            .links
            .iter()
            .filter(|(id, link)| link.member == *member && *id != client_id);
        let count = others.clone().count();
        let oldest = others.min_by_key(|(_, link)| link.linked_at).map(|(id, _)| *id);
        if let Some(oldest) = oldest.filter(|_| count >= MAX_LINKS_OF_ONE) {
            self.end_link(&oldest, true);
        }
    }

    /// Tells a peer when its link becomes our only one, and those who were told when it is no more.
    fn say_which_is_only(&mut self) {
        let count = self.links.len();
        let mut news = Vec::new();
        for (client_id, link) in &mut self.links {
            let is_only = if link.said_only {
                count < NOT_ONLY
            } else {
                count == 1
            };
            if is_only != link.said_only {
                link.said_only = is_only;
                let reason = if is_only { ONLY } else { 0 };
                news.extend(link.next_token().map(|t| (*client_id, link.address, t, reason)));
            }
        }
        for (client_id, address, t, reason) in news {
            let open = crate::wire::Link {
                t,
                op: LinkOp::Open,
                tree: 0,
                reason,
            };
            self.send(address, client_id, &Packet::Link(open));
        }
    }

    /// What is to be done when the first of our links stands.
    fn first_link_stands(&mut self) {
        match &mut self.kind {
            Kind::Classic(classic) => classic.announce_self_soon(self.now.elapsed),
            Kind::Signed(_) => self.introduce_ourselves(),
        }
        self.empty_outbox();
    }
}
