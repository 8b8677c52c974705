//! When to compare, and with whom: after time without links, when a part of the chat is met again, when a comparison showed that
//! something is missing, and now and then.

use std::ops::Range;
use std::time::Duration;

use super::{Below, COMPARED_WITH, History, LinkHistory};
use crate::id::{ClientId, MemberId};
use crate::node::members::Session;

/// Such a round begins so long after its link stands. Guesses: at least a few round trips, so that the link has told who is
/// there; spread, so that a crowd does not ask at once. In ms.
const SOON: Range<u64> = 1_000..3_000;

/// And so long after a link to one who was in another part of the chat, or after a new session of ours. Guesses, in ms.
const LATER: Range<u64> = 15_000..45_000;

/// Links that are back so soon leave hardly anything to miss. A guess: a new session takes some seconds.
const BRIEFLY: Duration = Duration::from_secs(60);

/// A session that came to stand so lately, though it began long before, is of another part of the chat. A guess.
const LATELY: Duration = Duration::from_secs(600);

/// A link that seems to hold more, or less, is compared with after so long: what is under way has come by then. A guess, in ms.
const AFTER_NEWS: Range<u64> = 4_000..12_000;

/// And not more often with one member than so. A guess.
const NOT_WITHIN: Duration = Duration::from_secs(60);

impl History {
    /// A link stands: what was said while none did is asked for.
    pub(in crate::node) fn link_up(&mut self, below: &mut Below<'_>, client_id: ClientId) {
        let (now, now_ms) = (below.core.now(), below.core.now_ms());
        let is_first = below.overlay.link_count() == 1;
        self.links.insert(client_id, LinkHistory::default());
        let due = self.links.values().filter(|link| link.due_at.is_some()).count();
        let (soon, later) = (self.random_in(below, SOON), self.random_in(below, LATER));
        if is_first {
            // Who has a new session compares by itself.
            let session = below.members.session(&client_id);
            let began_ms = session.map_or(0, Session::start_ms);
            let is_new = now_ms.saturating_sub(began_ms) <= BRIEFLY.as_millis() as u64;
            let is_brief =
                now.saturating_sub(self.alone_since) <= BRIEFLY && self.linked_since > Duration::ZERO;
            let is_enough = is_brief && (self.renews || is_new);
            self.wanted = if is_enough { 0 } else { COMPARED_WITH };
            self.compared.clear();
            if is_enough && self.renews {
                self.due_at = Some(now + later);
            }
            (self.linked_since, self.renews) = (now, false);
        }
        let under_way = usize::from(self.round.is_some());
        let wait = if self.compared.len() + due + under_way < self.wanted {
            soon
        } else if self.is_of_another_part(below, &client_id) {
            later
        } else {
            return;
        };
        if let Some(link) = self.links.get_mut(&client_id) {
            link.due_at = Some(now + wait);
        }
        below.core.wake_soon();
    }

    /// A new session takes the place of ours: the links are made anew.
    pub(in crate::node) fn renew(&mut self) {
        self.renews = true;
    }

    fn random_in(&mut self, below: &mut Below<'_>, range: Range<u64>) -> Duration {
        let over = below.core.random_below((range.end - range.start) as usize) as u64;
        Duration::from_millis(range.start + over)
    }

    /// A link seems to hold something that we do not, or the other way round.
    pub(super) fn compare_soon(&mut self, below: &mut Below<'_>, client_id: ClientId) {
        let now = below.core.now();
        let wait = self.random_in(below, AFTER_NEWS);
        let Some(member) = below.overlay.member_of(&client_id) else {
            return;
        };
        let compared_at = self
            .partners
            .peek(&member)
            .and_then(|partner| partner.compared_at);
        let at = compared_at.map_or(now, |at| (at + NOT_WITHIN).max(now)) + wait;
        if let Some(link) = self.links.get_mut(&client_id) {
            link.differs = true;
            link.due_at = Some(link.due_at.map_or(at, |due| due.min(at)));
        }
    }

    /// A link asked, and holds the same as we do: we need not ask it.
    pub(super) fn is_same_as(&mut self, below: &mut Below<'_>, client_id: ClientId) {
        let now = below.core.now();
        let Some(member) = below.overlay.member_of(&client_id) else {
            return;
        };
        let Some(link) = self.links.get_mut(&client_id) else {
            return;
        };
        // What was said alone is known to have gone out by an answer.
        let must_ask = link.differs || self.state.since.is_none() || !self.state.unsent.is_empty();
        if must_ask {
            return;
        }
        link.due_at = None;
        self.partner(&member).compared_at = Some(now);
        self.was_compared_with(member);
        if !std::mem::replace(&mut self.was_put_off, true) {
            self.due_at = None;
        }
    }

    /// A link ended: the round goes on with another.
    pub(in crate::node) fn link_down(
        &mut self,
        below: &mut Below<'_>,
        client_id: &ClientId,
        member: &MemberId,
    ) {
        self.links.remove(client_id);
        if !below.overlay.has_links() {
            self.alone_since = below.core.now();
        }
        // What is said until they are linked again is missed.
        if let Some(partner) = self.partners.get_mut(member) {
            partner.compared_at = None;
        }
        if self.round.as_ref().is_some_and(|round| round.link == *client_id) {
            self.round_failed(below);
        }
        self.forget_older_without_links(below);
    }

    pub(super) fn begin_round(&mut self, below: &mut Below<'_>) {
        let now = below.core.now();
        if self.round.is_some() || !below.overlay.has_links() || !below.members.is_in() {
            return;
        }
        if let (Some(limit), Some(_)) = (self.wants_older, self.state.since) {
            return self.begin_older(below, limit, Vec::new(), 0, false);
        }
        let due = self
            .links
            .iter()
            .filter_map(|(id, link)| Some((link.due_at?, *id)));
        if let Some((_, client_id)) = due.min().filter(|(at, _)| *at <= now) {
            return self.begin_catch_up(below, client_id, false);
        }
        let every = self.every;
        // Now and then with any link: somewhat later than others do, or earlier.
        let jitter = every + every.mul_f64(below.core.random_below(1_000) as f64 / 2_000.0);
        let due_at = *self.due_at.get_or_insert(now + jitter);
        if due_at <= now {
            self.due_at = None;
            if let Some(client_id) = self.longest_not_compared(below) {
                self.begin_catch_up(below, client_id, true);
            }
        }
    }

    /// The link that was not compared with for longest, or at random one of those that never were.
    fn longest_not_compared(&mut self, below: &mut Below<'_>) -> Option<ClientId> {
        let compared_at = |member: MemberId| {
            let partner = self.partners.peek(&member);
            partner.and_then(|partner| partner.compared_at)
        };
        let links = below.overlay.links();
        let links: Vec<_> = links
            .map(|(client_id, link)| (compared_at(link.member()), *client_id))
            .collect();
        let least = links.iter().map(|(at, _)| *at).min()?;
        let those = links.into_iter().filter(|(at, _)| *at == least);
        let those: Vec<ClientId> = those.map(|(_, client_id)| client_id).collect();
        let at = below.core.random_below(those.len());
        those.get(at).copied()
    }

    /// Whether a session came to stand lately that began long before, while we had links: what it heard may never have come
    /// our way.
    fn is_of_another_part(&self, below: &Below<'_>, client_id: &ClientId) -> bool {
        let (now, now_ms) = (below.core.now(), below.core.now_ms());
        let Some(session) = below.members.session(client_id) else {
            return false;
        };
        let stands_for = now.saturating_sub(session.stands_since());
        let age = Duration::from_millis(now_ms.saturating_sub(session.start_ms()));
        let is_new_to_us = session.stands_since() >= self.linked_since + BRIEFLY;
        is_new_to_us && stands_for <= LATELY && age > stands_for + BRIEFLY
    }
}
