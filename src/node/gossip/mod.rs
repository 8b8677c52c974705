//! What is said, by us and by others: gossip by eager push over some links and lazy push over the rest, as in Plumtree (Leitão,
//! Pereira and Rodrigues, 2007), with repair of what gets lost.
//!
//! `say` is our own words and what names them, `outbox` the pace at which they go out, `fragments` long messages, `push` over
//! which links a say goes at once, `repair` telling the others of it and asking for what is missing (with `cache` and `gaps`),
//! `reached` how many have it, `metering` how fast members may speak, `equivocation` two things said under one number.

mod cache;
mod equivocation;
mod fragments;
mod gaps;
mod metering;
mod outbox;
mod push;
mod reached;
mod repair;
mod say;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use hashlink::LruCache;

pub(super) use self::fragments::MAX_TEXT_LEN;
pub(super) use self::say::{MAX_AHEAD_MS, SAY, id_of, place};

use self::equivocation::{Said, nothing_said};
use self::fragments::Fragments;
use self::gaps::Numbers;
use self::metering::Meters;
use self::outbox::Outbox;
use self::push::Flooding;
use self::reached::Reaches;
use self::repair::{Repair, Repairing};
use super::SEEN;
use super::core::Core;
use super::overlay::Overlay;
use crate::id::{ClientId, MessageId};
use crate::wire::Say;

/// Says held until their session is met, and of those that one link brought. Guesses.
const MAX_HELD: usize = 64;
const MAX_HELD_OF_ONE: usize = 16;

/// See the [module](self).
pub(super) struct Gossip {
    /// What has come and was verified, or was said by ourselves.
    seen: LruCache<[u8; 32], ()>,
    /// The hybrid clock: milliseconds and a counter.
    hlc: u64,
    /// The first 8 bytes of the id of the newest message.
    last_message: [u8; 8],
    held: VecDeque<Held>,
    said: Said,
    fragments: Fragments,
    outbox: Outbox,
    repair: Repair,
    /// The repair over each link.
    repairing: BTreeMap<ClientId, Repairing>,
    /// Which numbers of a session have come lately.
    numbers: BTreeMap<ClientId, Numbers>,
    flooding: Flooding,
    reaches: Reaches,
    meters: Meters,
}

/// A say whose session is not known yet.
#[derive(Debug, Clone)]
pub(super) struct Held {
    id: MessageId,
    sender: ClientId,
    say: Say,
    /// Since when.
    at: Duration,
}

impl Gossip {
    /// `start_ms`: when our session began.
    pub(super) fn new(start_ms: u64) -> Self {
        Self {
            seen: LruCache::new(SEEN),
            hlc: start_ms << 16,
            last_message: [0; 8],
            held: VecDeque::new(),
            said: nothing_said(),
            fragments: Fragments::default(),
            outbox: Outbox::default(),
            repair: Repair::default(),
            repairing: BTreeMap::new(),
            numbers: BTreeMap::new(),
            flooding: Flooding::default(),
            reaches: Reaches::default(),
            meters: Meters::default(),
        }
    }

    /// A link stands. If it takes the place of another to the same session, what is owed to that stays so.
    pub(super) fn link_up(&mut self, client_id: ClientId, is_again: bool) {
        let before = self.repairing.remove(&client_id).filter(|_| is_again);
        let repairing = before.map(Repairing::after).unwrap_or_default();
        self.repairing.insert(client_id, repairing);
    }

    pub(super) fn link_down(&mut self, client_id: &ClientId) {
        self.repairing.remove(client_id);
    }

    pub(super) fn session_forgotten(&mut self, client_id: &ClientId) {
        self.numbers.remove(client_id);
    }

    /// A new session takes the place of ours.
    pub(super) fn renew(&mut self, start_ms: u64) {
        self.hlc = self.hlc.max(start_ms << 16);
    }

    /// These were said before this start: should they come again, they are not taken as new.
    pub(super) fn note_said_before(&mut self, messages: impl IntoIterator<Item = MessageId>) {
        for id in messages {
            self.note_seen(&id);
        }
    }

    /// Whether a say has come before. Before it is verified it only counts as seen when the true one was.
    pub(super) fn has_seen(&self, id: &MessageId) -> bool {
        self.seen.peek(&id.0).is_some()
    }

    pub(super) fn note_seen(&mut self, id: &MessageId) {
        self.seen.insert(id.0, ());
    }

    /// Keeps a say until its session is met; the oldest leaves, of the same link if that has brought many.
    pub(super) fn hold(&mut self, core: &Core, id: MessageId, sender: ClientId, say: Say) {
        let at = core.now();
        let of_link = |other: &Held| other.sender == sender;
        if self.held.iter().filter(|other| of_link(other)).count() >= MAX_HELD_OF_ONE {
            let oldest = self.held.iter().position(of_link);
            oldest.map(|at| self.held.remove(at));
        }
        if self.held.len() >= MAX_HELD {
            self.held.pop_front();
        }
        self.held.push_back(Held { id, sender, say, at });
    }

    /// Takes out what was held of a session that has been met, with the links that brought it.
    pub(super) fn take_held(&mut self, client_id: &ClientId) -> Vec<(ClientId, Say)> {
        let (now, later): (VecDeque<Held>, VecDeque<Held>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|held| held.say.signed.client_id == *client_id);
        self.held = later;
        now.into_iter().map(|held| (held.sender, held.say)).collect()
    }

    /// Who brought the oldest of what has been held since then or before.
    pub(super) fn held_since(&self, then: Duration) -> Option<ClientId> {
        let oldest = self.held.front().filter(|held| held.at <= then);
        oldest.map(|held| held.sender)
    }

    /// When something is to be done.
    pub(super) fn due(&self) -> Option<Duration> {
        self.repair.due()
    }

    /// A link has sent what we have: it need not be told of it.
    pub(super) fn note_shown(&mut self, sender: &ClientId, id: &MessageId) {
        if let Some(place) = self.repair.place_of(id)
            && let Some(repairing) = self.repairing.get_mut(sender)
        {
            repairing.is_shown(place);
        }
    }

    /// Sends a sealed copy to these of the links. How many.
    fn send_to(core: &mut Core, overlay: &Overlay, plain: &[u8], is_to: impl Fn(&ClientId) -> bool) -> u32 {
        let mut count = 0;
        for (client_id, link) in overlay.links().filter(|(client_id, _)| is_to(client_id)) {
            core.send_plain(link.address(), *client_id, plain);
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::NodeEvent;
    use crate::node::testing::{Chat, Machines, events, sent};

    fn say(own: &mut Machines, gossip: &mut Gossip, text: &str) {
        let (core, overlay, members) = (&mut own.core, &own.overlay, &mut own.members);
        gossip.say(core, overlay, members, &own.rights, text.into(), false);
    }

    #[test]
    fn what_is_said_alone_waits_and_goes_out_over_the_first_link() {
        let mut chat = Chat::new();
        let (mut own, other) = (chat.founder(), chat.member(2));
        let mut gossip = Gossip::new(own.members.own_start_ms());
        say(&mut own, &mut gossip, "hello");
        let told = events(&mut own.core);
        assert!(matches!(&told[0], NodeEvent::Message(message) if message.own));
        assert!(matches!(&told[1], NodeEvent::Delivery { links: 0, .. }));

        own.link(&other);
        gossip.link_up(other.core.client_id(), false);
        events(&mut own.core);
        let (core, overlay, members) = (&mut own.core, &own.overlay, &mut own.members);
        gossip.empty_outbox(core, overlay, members, &own.rights);
        let told = events(core);
        assert!(matches!(told[..], [NodeEvent::Delivery { links: 1, .. }]));
    }

    #[test]
    fn more_than_the_rate_waits_for_its_turn() {
        let mut chat = Chat::new();
        let (mut own, other) = (chat.founder(), chat.member(2));
        let mut gossip = Gossip::new(own.members.own_start_ms());
        own.link(&other);
        gossip.link_up(other.core.client_id(), false);
        sent(&mut own.core);
        for n in 0..40 {
            say(&mut own, &mut gossip, &n.to_string());
        }
        assert_eq!(
            sent(&mut own.core).len(),
            30,
            "as many at once as a private chat allows"
        );
        own.pass(Duration::from_secs(1));
        let (core, overlay, members) = (&mut own.core, &own.overlay, &mut own.members);
        gossip.empty_outbox(core, overlay, members, &own.rights);
        assert_eq!(sent(core).len(), 5, "then five a second");
    }

    #[test]
    fn words_of_unknown_sessions_are_held_within_bounds() {
        let mut chat = Chat::new();
        let (mut own, author) = (chat.founder(), chat.member(2));
        let mut speaking = Gossip::new(author.members.own_start_ms());
        let Machines {
            core,
            overlay,
            members,
            ..
        } = &mut { author };
        let mut gossip = Gossip::new(own.members.own_start_ms());
        for n in 0..200_u8 {
            let body = crate::wire::Body::Message(n.to_string());
            let (id, say) = speaking.sign(core, overlay, members, body, false);
            gossip.hold(&own.core, id, ClientId([n / 50; 32]), say);
        }
        assert_eq!(gossip.held.len(), MAX_HELD);
        assert_eq!(gossip.take_held(&core.client_id()).len(), MAX_HELD);
        assert!(gossip.held.is_empty());
        own.pass(Duration::from_secs(1));
    }
}
