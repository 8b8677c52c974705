//! The overlay: whom we know, whom we are linked to, and whether they are still there. A partial view of the chat, kin to
//! HyParView's (Leitão, Pereira and Rodrigues, 2007).
//!
//! Six links are wanted: the neighbour on either side of the ring, which hold the chat together, and the others at
//! random, which keep it small across. (Linking to the six nearest keys, as the historic implementation did,
//! splits a large chat.) Ring places are client_ids in a classic chat; in a signed one a hash of chat, member and
//! day, so that a place near somebody cannot be ground out.
//!
//! It has these parts: `peers` (addresses heard of, probes and their budgets), `lookup` (get_nodes and send_nodes), `links`
//! (whom to be linked to), `liveness` (whether they are there), `tokens` (against replay), `strangers` (what those may cost
//! whom we don't know).

mod link;
mod links;
mod liveness;
mod lookup;
mod peers;
mod strangers;
mod tokens;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use hashlink::LruCache;

pub(super) use self::link::Link;
pub(super) use self::links::{Choice, MAX_LINKS, Opening, WANTED};
pub(super) use self::peers::Question;
pub(super) use self::strangers::Strangers;
pub(super) use self::tokens::Tokens;

use self::peers::Peers;
use super::NodeEvent;
use super::bucket::Buckets;
use super::core::Core;
use super::effect::Effect;
use crate::id::{ClientId, MemberId};
use crate::wire::{LinkOp, Packet, TokenCounter};

/// A link that was sent away does not come back for so long. A guess.
const BARRED_FOR: Duration = Duration::from_secs(60);

/// Members so barred that are remembered. A guess.
const MAX_BARRED: usize = 256;

/// What the overlay has to be told of the members of the chat.
pub(super) trait Ring {
    /// The place of a session on the ring, if it is known.
    fn place(&self, client_id: &ClientId) -> Option<[u8; 32]>;

    fn own_place(&self) -> [u8; 32];

    /// Whether there are more than so many others that could be linked to.
    fn has_more_than(&self, count: usize) -> bool;

    /// Whether a session is known and stands. In a classic chat there is no telling.
    fn is_met(&self, client_id: &ClientId) -> bool;
}

/// See the [module](self).
pub(super) struct Overlay {
    links: BTreeMap<ClientId, Link>,
    peers: Peers,
    strangers: Strangers,
    /// What strangers and unproved addresses are answered.
    answers: Buckets,
    barred_until: LruCache<MemberId, Duration>,
    chosen_at: Duration,
    trimmed_at: Duration,
}

/// How a link came to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Added {
    /// There was no other.
    pub(super) is_first: bool,
    /// It takes the place of another to the same session.
    pub(super) is_again: bool,
}

impl Overlay {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            links: BTreeMap::new(),
            peers: Peers::default(),
            strangers: Strangers::new(now),
            answers: Buckets::default(),
            barred_until: LruCache::new(MAX_BARRED),
            chosen_at: Duration::ZERO,
            trimmed_at: now,
        }
    }

    pub(super) fn link(&self, client_id: &ClientId) -> Option<&Link> {
        self.links.get(client_id)
    }

    /// By key.
    pub(super) fn links(&self) -> impl Iterator<Item = (&ClientId, &Link)> {
        self.links.iter()
    }

    /// The sessions that we are linked to, by key.
    pub(super) fn linked(&self) -> impl Iterator<Item = &ClientId> {
        self.links.keys()
    }

    pub(super) fn is_linked(&self, client_id: &ClientId) -> bool {
        self.links.contains_key(client_id)
    }

    pub(super) fn is_link_at(&self, client_id: &ClientId, from: SocketAddr) -> bool {
        self.links.get(client_id).is_some_and(|link| link.address == from)
    }

    pub(super) fn has_links(&self) -> bool {
        !self.links.is_empty()
    }

    pub(super) fn link_count(&self) -> usize {
        self.links.len()
    }

    pub(super) fn member_of(&self, client_id: &ClientId) -> Option<MemberId> {
        self.links.get(client_id).map(|link| link.member)
    }

    /// Where a link is, and the next token and counter to send it something under. None if there is no such link, and in a
    /// classic chat.
    pub(super) fn next_token(&mut self, client_id: &ClientId) -> Option<(SocketAddr, TokenCounter)> {
        let link = self.links.get_mut(client_id)?;
        Some((link.address, link.next_token()?))
    }

    /// Takes a packet as come over a link; false if it is none, or has come before.
    pub(super) fn try_accept(&mut self, from: SocketAddr, sender: &ClientId, t: &TokenCounter) -> bool {
        let link = self.links.get_mut(sender).filter(|link| link.address == from);
        let Some(link) = link else { return false };
        let is_new = link.tokens.as_mut().is_some_and(|tokens| tokens.try_accept(t));
        if is_new {
            link.unanswered = 0;
        }
        is_new
    }

    /// A link was heard at its address, freshly.
    pub(super) fn heard(&mut self, client_id: &ClientId) {
        if let Some(link) = self.links.get_mut(client_id) {
            link.unanswered = 0;
        }
    }

    /// A link stands on our side.
    pub(super) fn add_link(&mut self, core: &mut Core, client_id: ClientId, mut link: Link) -> Added {
        let event = NodeEvent::PeerLinked {
            client_id,
            member: link.member,
            address: link.address,
        };
        self.proved(core, client_id, link.address);
        let is_first = self.links.is_empty();
        link.rank = core.random_u64();
        core.clock_linked(client_id, link.member, link.ahead_ms);
        let is_again = self.links.insert(client_id, link).is_some();
        if !is_again {
            core.emit(event);
        }
        if is_first {
            tracing::debug!(peer = %client_id.short(), "first link");
        }
        Added { is_first, is_again }
    }

    /// Ends a link; whether there was one. A signed peer is told if so wished, so that it need not wait for silence.
    pub(super) fn end_link(&mut self, core: &mut Core, client_id: &ClientId, tell: bool) -> bool {
        let Some(mut link) = self.links.remove(client_id) else {
            return false;
        };
        if let (true, Some(t)) = (tell, link.next_token()) {
            let close = crate::wire::Link {
                t,
                op: LinkOp::Close,
                tree: 0,
                reason: 0,
            };
            core.send(link.address, *client_id, &Packet::Link(close));
        }
        core.clock_unlinked(client_id);
        core.emit(NodeEvent::PeerLost {
            client_id: *client_id,
            member: link.member,
        });
        core.cause(Effect::LinkDown {
            client_id: *client_id,
            member: link.member,
        });
        core.wake_soon();
        true
    }

    /// Ends a link, whose member may not come back for a while.
    pub(super) fn send_away(
        &mut self,
        core: &mut Core,
        client_id: &ClientId,
        member: MemberId,
        cause: &'static str,
    ) {
        self.barred_until.insert(member, core.now() + BARRED_FOR);
        core.drop_packet(cause);
        self.end_link(core, client_id, true);
    }

    /// Whether a member was sent away lately.
    pub(super) fn is_barred(&self, member: &MemberId, now: Duration) -> bool {
        self.barred_until.peek(member).is_some_and(|until| now < *until)
    }

    /// Whether one more answer may go to an address that has not proved itself.
    pub(super) fn try_take_answer(&mut self, to: SocketAddr, now: Duration) -> bool {
        self.answers.try_take(to, now)
    }

    /// Whether something is under way that a quick look at the deadlines serves.
    pub(super) fn is_busy(&self) -> bool {
        self.links.is_empty() && self.peers.has_targets()
            || self.peers.is_waiting()
            || self.links.values().any(Link::is_silent)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::node::testing::{KeyRing, at, core, events, pass};

    fn key(n: u8) -> ClientId {
        ClientId([n; 32])
    }

    /// Links to the keys 1 to `count`.
    fn linked(core: &mut Core, count: u8) -> Overlay {
        let mut overlay = Overlay::new(core.now());
        for n in 1..=count {
            let link = Link::new(MemberId([n; 32]), at(n), core.now());
            let added = overlay.add_link(core, key(n), link);
            assert_eq!((added.is_first, added.is_again), (n == 1, false));
        }
        overlay
    }

    #[test]
    fn too_many_links_end_one_by_one_and_never_a_ring_neighbour() {
        let mut core = core(1);
        let mut overlay = linked(&mut core, 20);
        let (own, others) = (core.client_id(), 100);
        let ring = KeyRing { own, others };
        let choice = overlay.begin_choice(&core, &ring).expect("it is time");
        let neighbours = choice.neighbours().to_vec();
        events(&mut core);
        while overlay.end_surplus(&mut core, &ring, &neighbours, MAX_LINKS) {
            let effect = core.next_effect();
            assert!(matches!(effect, Some(Effect::LinkDown { .. })), "told above");
        }
        assert_eq!(overlay.link_count(), MAX_LINKS);
        assert!(neighbours.iter().all(|neighbour| overlay.is_linked(neighbour)));
        let lost = events(&mut core).len();
        assert_eq!(lost, 20 - MAX_LINKS, "each is told of once");
    }

    #[test]
    fn a_link_that_never_answers_is_asked_three_times_and_lost() {
        let mut core = core(1);
        let mut overlay = linked(&mut core, 2);
        let mut asked = 0;
        for _ in 0..60 {
            pass(&mut core, Duration::from_secs(1));
            overlay.heard(&key(2));
            let silent = overlay.note_silent(core.now());
            asked += silent
                .ask
                .iter()
                .filter(|client_id| **client_id == key(1))
                .count();
            if silent.lost == [key(1)] {
                assert_eq!(asked, 3);
                return;
            }
            assert!(silent.lost.is_empty(), "the other one is there");
        }
        panic!("it was never given up");
    }

    #[test]
    fn who_was_sent_away_is_barred_for_a_minute() {
        let mut core = core(1);
        let mut overlay = linked(&mut core, 1);
        let member = MemberId([1; 32]);
        overlay.send_away(&mut core, &key(1), member, "link_of_a_forger");
        assert!(!overlay.has_links() && overlay.is_barred(&member, core.now()));
        pass(&mut core, BARRED_FOR);
        assert!(!overlay.is_barred(&member, core.now()));
    }
}
