//! When to compare, and with whom: after time without links, when a part of the chat is met again, when a comparison showed that
//! something is missing, and now and then.

use std::ops::Range;
use std::time::Duration;

use super::super::links::Link;
use super::super::signed::Signed;
use super::super::{Kind, Node};
use super::COMPARED_WITH;
use crate::id::{ClientId, MemberId};

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

impl Node {
    /// A link stands: what was said while none did is asked for.
    pub(in crate::node) fn history_linked(&mut self, client_id: ClientId) {
        let (now, now_ms) = (self.now.elapsed, self.now_ms());
        let is_first = self.links.len() == 1;
        let due = self
            .links
            .iter()
            .filter(|(_, link)| link.history.due_at.is_some());
        let due = due.filter(|(id, _)| **id != client_id).count();
        let (soon, later) = (self.random_in(SOON), self.random_in(LATER));
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let history = &mut signed.history;
        if is_first {
            // Whoever has a new session compares by itself.
            let began_ms = signed
                .sessions
                .get(&client_id)
                .map_or(0, |session| session.start_ms);
            let is_new = now_ms.saturating_sub(began_ms) <= BRIEFLY.as_millis() as u64;
            let is_brief =
                now.saturating_sub(history.alone_since) <= BRIEFLY && history.linked_since > Duration::ZERO;
            let is_enough = is_brief && (history.renews || is_new);
            history.wanted = if is_enough { 0 } else { COMPARED_WITH };
            history.compared.clear();
            if is_enough && history.renews {
                history.due_at = Some(now + later);
            }
            (history.linked_since, history.renews) = (now, false);
        }
        let under_way = usize::from(history.round.is_some());
        let wait = if history.compared.len() + due + under_way < history.wanted {
            soon
        } else if signed.is_of_another_part(&client_id, now, now_ms) {
            later
        } else {
            return;
        };
        if let Some(link) = self.links.get_mut(&client_id) {
            link.history.due_at = Some(now + wait);
        }
        self.wake_soon();
    }

    /// A new session takes the place of ours: the links are made anew.
    pub(in crate::node) fn history_renewed(&mut self) {
        if let Some(history) = self.history() {
            history.renews = true;
        }
    }

    fn random_in(&mut self, range: Range<u64>) -> Duration {
        let over = self.random_below((range.end - range.start) as usize) as u64;
        Duration::from_millis(range.start + over)
    }

    /// A link seems to hold something that we do not, or the other way round.
    pub(super) fn compare_soon(&mut self, client_id: ClientId) {
        let now = self.now.elapsed;
        let wait = self.random_in(AFTER_NEWS);
        let Some(member) = self.links.get(&client_id).map(|link| link.member) else {
            return;
        };
        let Some(history) = self.history() else { return };
        let compared_at = history
            .partners
            .peek(&member)
            .and_then(|partner| partner.compared_at);
        let at = compared_at.map_or(now, |at| (at + NOT_WITHIN).max(now)) + wait;
        if let Some(link) = self.links.get_mut(&client_id) {
            link.history.differs = true;
            link.history.due_at = Some(link.history.due_at.map_or(at, |due| due.min(at)));
        }
    }

    /// A link asked, and holds the same as we do: we need not ask it.
    pub(super) fn is_same_as(&mut self, client_id: ClientId) {
        let now = self.now.elapsed;
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let Some(link) = self.links.get_mut(&client_id) else {
            return;
        };
        let history = &mut signed.history;
        // What was said alone is known to have gone out by an answer.
        let must_ask =
            link.history.differs || history.state.since.is_none() || !history.state.unsent.is_empty();
        if must_ask {
            return;
        }
        link.history.due_at = None;
        let member = link.member;
        history.partner(&member).compared_at = Some(now);
        history.was_compared_with(member);
        if !std::mem::replace(&mut history.was_put_off, true) {
            history.due_at = None;
        }
    }

    /// A link ended: the round goes on with another.
    pub(in crate::node) fn history_unlinked(&mut self, client_id: &ClientId, member: &MemberId) {
        let (now, is_alone) = (self.now.elapsed, self.links.is_empty());
        let Some(history) = self.history() else { return };
        if is_alone {
            history.alone_since = now;
        }
        // What is said until they are linked again is missed.
        if let Some(partner) = history.partners.get_mut(member) {
            partner.compared_at = None;
        }
        if history
            .round
            .as_ref()
            .is_some_and(|round| round.link == *client_id)
        {
            self.round_failed();
        }
        self.forget_older_without_links();
    }

    pub(super) fn begin_round(&mut self) {
        let now = self.now.elapsed;
        let every = match &self.kind {
            Kind::Signed(signed) if signed.history.round.is_none() => signed.history.every,
            _ => return,
        };
        if self.links.is_empty() || !self.joined {
            return;
        }
        let older = self.history().and_then(|history| history.wants_older);
        let holds_some = self
            .history()
            .is_some_and(|history| history.state.since.is_some());
        if let (Some(limit), true) = (older, holds_some) {
            return self.begin_older(limit, Vec::new(), 0, false);
        }
        let due = self
            .links
            .iter()
            .filter_map(|(id, link)| Some((link.history.due_at?, *id)));
        if let Some((_, client_id)) = due.min().filter(|(at, _)| *at <= now) {
            return self.begin_catch_up(client_id, false);
        }
        // Now and then with any link: somewhat later than others do, or earlier.
        let jitter = every + every.mul_f64(self.random_below(1_000) as f64 / 2_000.0);
        let Some(history) = self.history() else { return };
        let due_at = *history.due_at.get_or_insert(now + jitter);
        if due_at <= now {
            history.due_at = None;
            if let Some(client_id) = self.longest_not_compared() {
                self.begin_catch_up(client_id, true);
            }
        }
    }

    /// The link that was not compared with for longest, or at random one of those that never were.
    fn longest_not_compared(&mut self) -> Option<ClientId> {
        let Kind::Signed(signed) = &self.kind else {
            return None;
        };
        let compared_at = |link: &Link| {
            let partner = signed.history.partners.peek(&link.member);
            partner.and_then(|partner| partner.compared_at)
        };
        let least = self.links.values().map(compared_at).min()?;
        let those = self.links.iter().filter(|(_, link)| compared_at(link) == least);
        let those: Vec<ClientId> = those.map(|(client_id, _)| *client_id).collect();
        let at = self.random_below(those.len());
        those.get(at).copied()
    }
}

impl Signed {
    /// Whether a session came to stand lately that began long before, while we had links: what it heard may never have come
    /// our way.
    fn is_of_another_part(&self, client_id: &ClientId, now: Duration, now_ms: u64) -> bool {
        let Some(session) = self.sessions.get(client_id) else {
            return false;
        };
        let stands_for = now.saturating_sub(session.stands_since);
        let age = Duration::from_millis(now_ms.saturating_sub(session.start_ms));
        let is_new_to_us = session.stands_since >= self.history.linked_since + BRIEFLY;
        is_new_to_us && stands_for <= LATELY && age > stands_for + BRIEFLY
    }
}
