//! Whom to be linked to: the ring neighbours and others at random, as many as are wanted.

use std::time::Duration;

use super::peers::Peer;
use super::{Overlay, Ring};
use crate::id::{ClientId, MemberId};
use crate::node::core::Core;
use crate::wire::{LinkOp, Packet};

/// Links wanted (the document).
pub(in crate::node) const WANTED: usize = 6;

/// Links that we bear at most (the document).
pub(in crate::node) const MAX_LINKS: usize = 12;

/// Links that we bear beside those for peers who have no other: where one member alone can be reached from outside, all
/// others hang on it. A guess: a copy to each of them is still little.
const MAX_ONLY_LINKS: usize = 32;

/// Links to sessions of one member: an earlier one may not have ended yet.
const MAX_LINKS_OF_ONE: usize = 2;

/// With so many links, none is anybody's only one any more. A guess: two could end at once.
const NOT_ONLY: usize = 3;

/// In the reason of a link that is opened: "I have no other".
const ONLY: u8 = 1;

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

/// Who may be approached, to be linked to.
pub(in crate::node) struct Choice {
    neighbours: Vec<ClientId>,
    /// Others that are worth a try.
    others: Vec<ClientId>,
}

impl Choice {
    /// The nearest on either side of the ring, linked already or not.
    pub(in crate::node) fn neighbours(&self) -> &[ClientId] {
        &self.neighbours
    }

    /// One that is not in our roster: a newcomer, or of a part of the chat that has lost us.
    pub(in crate::node) fn unmet(&mut self, ring: &impl Ring) -> Option<ClientId> {
        let at = self.others.iter().position(|client_id| !ring.is_met(client_id))?;
        Some(self.others.swap_remove(at))
    }

    /// Any other, at random.
    pub(in crate::node) fn any(&mut self, core: &mut Core) -> Option<ClientId> {
        if self.others.is_empty() {
            return None;
        }
        let at = core.random_below(self.others.len());
        Some(self.others.swap_remove(at))
    }
}

impl Overlay {
    /// Who may be linked to; none if that was asked a moment ago.
    pub(in crate::node) fn begin_choice(&mut self, core: &Core, ring: &impl Ring) -> Option<Choice> {
        let now = core.now();
        if now.saturating_sub(self.chosen_at) < CHOOSE_EVERY && self.chosen_at != Duration::ZERO {
            return None;
        }
        self.chosen_at = now;
        let mut others: Vec<ClientId> = self
            .peers
            .iter()
            .filter(|(client_id, peer)| !self.links.contains_key(*client_id) && peer.is_worth_a_try(now))
            .map(|(client_id, _)| *client_id)
            .collect();
        let neighbours = self.ring_neighbours(ring, &others);
        others.retain(|client_id| !neighbours.contains(client_id));
        Some(Choice { neighbours, others })
    }

    /// Notes which links are the ring neighbours.
    pub(in crate::node) fn note_neighbours(&mut self, neighbours: &[ClientId]) {
        for (client_id, link) in &mut self.links {
            link.is_neighbour = neighbours.contains(client_id);
        }
    }

    /// In a chat where links are one-sided: one that gives way to another, and to whom. By chance some members are few
    /// others' link, and miss messages when datagrams get lost. So a link to one who is not linked to us gives way to one
    /// who is, or else to another try: in time all have six who send to them.
    pub(in crate::node) fn one_sided(
        &self,
        core: &mut Core,
        choice: &Choice,
    ) -> Option<(ClientId, ClientId)> {
        let now = core.now();
        if self.links.len() < WANTED || choice.others.is_empty() {
            return None;
        }
        let one_sided = self.links.iter().find(|(client_id, link)| {
            let is_asked = link
                .asked_us_at
                .is_some_and(|at| now.saturating_sub(at) < MUTUAL_WITHIN);
            !is_asked
                && now.saturating_sub(link.linked_at) >= MUTUAL_WITHIN
                && !choice.neighbours.contains(client_id)
        });
        let (leaving, _) = one_sided?;
        let is_asking = |peer: &Peer| peer.is_asking(now, MUTUAL_WITHIN);
        let asking = choice.others.iter();
        let asking = asking.filter(|client_id| self.peers.get(client_id).is_some_and(is_asking));
        let asking: Vec<ClientId> = asking.copied().collect();
        let pool = if asking.is_empty() {
            &choice.others
        } else {
            &asking
        };
        Some((*leaving, pool[core.random_below(pool.len())]))
    }

    /// The nearest on either side, of the links and those worth a try.
    fn ring_neighbours(&self, ring: &impl Ring, candidates: &[ClientId]) -> Vec<ClientId> {
        let own = ring.own_place();
        let places = candidates
            .iter()
            .chain(self.links.keys())
            .filter_map(|client_id| Some((ring.place(client_id)?, *client_id)))
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

    /// Ends a link that is too many, if there is one: past the most that is borne at once, past what is plenty by and by. To be
    /// called again until it ends none.
    pub(in crate::node) fn end_surplus(
        &mut self,
        core: &mut Core,
        ring: &impl Ring,
        neighbours: &[ClientId],
        most: usize,
    ) -> bool {
        let now = core.now();
        if self.ordinary_links() > most && self.end_random_link(core, neighbours, Duration::ZERO) {
            return true;
        }
        let is_time = now.saturating_sub(self.trimmed_at) >= TRIM_EVERY;
        let ends = is_time
            && self.ordinary_links() > PLENTY
            && ring.has_more_than(MAX_LINKS)
            && self.end_random_link(core, neighbours, SETTLED);
        if ends {
            self.trimmed_at = now;
        }
        ends
    }

    /// Ends a link that is no ring neighbour and at least so old, at random. Who has just come may have no other link
    /// yet, and is spared as long as there are others.
    fn end_random_link(&mut self, core: &mut Core, neighbours: &[ClientId], least_age: Duration) -> bool {
        let now = core.now();
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
        let (_, client_id) = surplus[core.random_below(surplus.len())];
        self.end_link(core, &client_id, true)
    }

    /// Links that are nobody's only one.
    fn ordinary_links(&self) -> usize {
        self.links.values().filter(|link| !link.is_only).count()
    }

    /// Whether another link may be taken on when a peer asks for it, beside the callers who are on their way: there is
    /// room; or it would be the peer's only link; or it is a ring neighbour (then [`Self::end_surplus`] makes room).
    pub(in crate::node) fn has_room_for(
        &self,
        ring: &impl Ring,
        client_id: &ClientId,
        is_only: bool,
        on_their_way: usize,
    ) -> bool {
        let count = self.links.len() + on_their_way;
        let ordinary = self.ordinary_links() + on_their_way;
        self.links.contains_key(client_id)
            || count < MAX_LINKS
            || count < MAX_LINKS + MAX_ONLY_LINKS && (is_only || ordinary < MAX_LINKS)
            || count < MAX_LINKS + MAX_ONLY_LINKS + 2
                && self.ring_neighbours(ring, &[*client_id]).contains(client_id)
    }

    /// Ends the oldest link to a member who has as many as one can have.
    pub(in crate::node) fn make_room_for_link_of(
        &mut self,
        core: &mut Core,
        member: &MemberId,
        client_id: &ClientId,
    ) {
        let others = self
            .links
            .iter()
            .filter(|(id, link)| link.member == *member && *id != client_id);
        let count = others.clone().count();
        let oldest = others.min_by_key(|(_, link)| link.linked_at).map(|(id, _)| *id);
        if let Some(oldest) = oldest.filter(|_| count >= MAX_LINKS_OF_ONE) {
            self.end_link(core, &oldest, true);
        }
    }

    /// Opens a link that was welcomed. `is_only`: we have no other.
    pub(in crate::node) fn open_link(core: &mut Core, to: Opening, is_only: bool) {
        let open = crate::wire::Link {
            t: to.t,
            op: LinkOp::Open,
            tree: 0,
            reason: if is_only { ONLY } else { 0 },
        };
        core.send(to.address, to.client_id, &Packet::Link(open));
    }

    /// A peer tells whether its link to us is its only one.
    pub(in crate::node) fn is_told_only(&mut self, client_id: &ClientId, reason: u8) {
        self.set_only(client_id, reason == ONLY);
    }

    /// Notes whether a peer has no other link.
    pub(in crate::node) fn set_only(&mut self, client_id: &ClientId, is_only: bool) {
        if let Some(link) = self.links.get_mut(client_id) {
            link.is_only = is_only;
        }
    }

    /// Notes whether we told a peer that we have no other link.
    pub(in crate::node) fn set_said_only(&mut self, client_id: &ClientId, said_only: bool) {
        if let Some(link) = self.links.get_mut(client_id) {
            link.said_only = said_only;
        }
    }

    /// Tells a peer when its link becomes our only one, and those who were told when it is no more.
    pub(in crate::node) fn say_which_is_only(&mut self, core: &mut Core) {
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
                let (client_id, address) = (*client_id, link.address);
                let opening = link.next_token().map(|t| Opening {
                    client_id,
                    address,
                    t,
                });
                news.extend(opening.map(|opening| (opening, is_only)));
            }
        }
        for (opening, is_only) in news {
            Self::open_link(core, opening, is_only);
        }
    }

    /// Looks for nodes through a random link: once a minute, more often while links are missing.
    pub(in crate::node) fn look_around(&mut self, core: &mut Core, ring: &impl Ring) {
        let now = core.now();
        let is_lonely = self.links.len() < WANTED && ring.has_more_than(self.links.len());
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
        let client_id = due[core.random_below(due.len())];
        if let Some(link) = self.links.get_mut(&client_id) {
            link.looked_around_at = now;
            let address = link.address;
            self.ask_link_for_nodes(core, client_id, address);
        }
    }
}

/// Where a link is opened.
pub(in crate::node) struct Opening {
    pub(in crate::node) client_id: ClientId,
    pub(in crate::node) address: std::net::SocketAddr,
    pub(in crate::node) t: crate::wire::TokenCounter,
}
