//! Catching up with what was said before, and telling others: anti-entropy by range-based set reconciliation (Meyer, 2022).
//!
//! A node compares what it holds with a link: soon after that stands, when a link seems to hold more, and now and then. It
//! makes one **round** at a time, with one link: spans are compared, what differs is cut until little of our own is in it,
//! and that is fetched, newest first (`round`, `fetch`, `spans`). Each say is checked like one heard live, and counted
//! (`take`, `quota`). Who is asked answers out of what its archive finds (`answer`).
//!
//! What comes this way is not passed on: others compare as well. It moves no clock and nobody's presence.

mod answer;
mod authors;
mod fetch;
mod quota;
mod round;
mod spans;
mod take;
mod when;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use hashlink::LruCache;

use self::quota::Quotas;
use self::round::{Round, RoundKind};
use super::NodeEvent;
use super::archive::{ArchiveAnswer, ArchiveQuery, HistoryState};
use super::bucket::Bucket;
use super::core::Core;
use super::gossip::Gossip;
use super::members::Members;
use super::overlay::Overlay;
use super::rights::Rights;
use crate::id::{ClientId, MemberId, MessageId};
use crate::invite::Credential;

/// After some time alone so many members are compared with, as their links stand: one alone may withhold something. Links after
/// these bring nothing that the first do not, and what is said from then on is passed on.
const COMPARED_WITH: usize = 2;

/// A round with the link that was not compared with for longest: after so long; four times as long after each that found
/// nothing, up to the most. Guesses: what links withhold or lost comes within a day, at the cost of a datagram.
const EVERY: Duration = Duration::from_secs(600);
const EVERY_AT_MOST: Duration = Duration::from_secs(24 * 3_600);

/// What a newcomer gets at once.
const NEWEST: u32 = 100;

/// Look-ups under way at a time, and how long one may take. Guesses.
const MAX_LOOKS: usize = 64;
const LOOK_WITHIN: Duration = Duration::from_secs(30);

/// Members of whom is remembered how comparing went, and says that came lately. Guesses.
const MAX_PARTNERS: usize = 256;
const MAX_CAME: usize = 4_096;

/// Spans that are left alone with one member. A guess.
const MAX_LEFT_ALONE: usize = 16;

/// A span that still differed after all was fetched is left alone for so long, then for twice as long each time, until it is the
/// same. Guesses.
const LEFT_ALONE: Duration = Duration::from_secs(60);
const LEFT_ALONE_AT_MOST: Duration = Duration::from_secs(86_400);

/// The machines below this one.
pub(super) struct Below<'a> {
    pub(super) core: &'a mut Core,
    pub(super) overlay: &'a mut Overlay,
    pub(super) members: &'a mut Members,
    pub(super) rights: &'a Rights,
    pub(super) gossip: &'a mut Gossip,
}

/// What is under way.
pub(super) struct History {
    links: BTreeMap<ClientId, LinkHistory>,
    state: HistoryState,
    round: Option<Round>,
    /// What the archive was asked, by ticket.
    looks: BTreeMap<u64, (Look, Duration)>,
    last_ticket: u64,
    last_ask: u32,
    partners: LruCache<MemberId, Partner>,
    /// Ids of what came this way lately.
    came: LruCache<[u8; 32], ()>,
    quotas: Quotas,
    /// Somebody scrolls up: so many more are wanted.
    wants_older: Option<u32>,
    /// Credentials of authors that may be checked.
    credentials: Option<Bucket>,
    /// What all links together may have.
    answers: answer::Budget,
    /// When the next regular round is due, and how long after that the next.
    due_at: Option<Duration>,
    every: Duration,
    /// It was put off, since a link asked and all was the same. Not twice: the link may be one that withholds.
    was_put_off: bool,
    /// Since when there are links, or none; and whether a new session of ours is why there are none.
    linked_since: Duration,
    alone_since: Duration,
    renews: bool,
    /// How many are to be compared with as their links stand, and who was.
    wanted: usize,
    compared: BTreeSet<MemberId>,
}

/// What an answer of the archive is for.
enum Look {
    /// The round's.
    Round,
    Answer(answer::Answering),
}

/// How comparing with a member went.
#[derive(Debug, Clone, Default)]
struct Partner {
    compared_at: Option<Duration>,
    /// From where on it holds anything that we may have.
    held_from: u64,
    left_alone: Vec<LeftAlone>,
}

/// A span that differs for good, it seems.
#[derive(Debug, Clone)]
struct LeftAlone {
    span: Range<u64>,
    until: Duration,
    wait: Duration,
}

/// What of this belongs to a link.
#[derive(Debug, Default)]
struct LinkHistory {
    /// When a round with it is to begin.
    due_at: Option<Duration>,
    /// It seems to hold more, or less.
    differs: bool,
    answers: answer::Budget,
}

impl History {
    pub(super) fn new(mut state: HistoryState, credential: &Credential) -> Self {
        // Whoever made the chat was there from the beginning.
        if let (None, Credential::Founder(_)) = (state.since, credential) {
            state.since = Some(0);
            state.is_whole = true;
        }
        Self {
            links: BTreeMap::new(),
            state,
            round: None,
            looks: BTreeMap::new(),
            last_ticket: 0,
            last_ask: 0,
            partners: LruCache::new(MAX_PARTNERS),
            came: LruCache::new(MAX_CAME),
            quotas: Quotas::new(),
            wants_older: None,
            credentials: None,
            answers: answer::Budget::default(),
            due_at: None,
            every: EVERY,
            was_put_off: false,
            linked_since: Duration::ZERO,
            alone_since: Duration::ZERO,
            renews: false,
            wanted: COMPARED_WITH,
            compared: BTreeSet::new(),
        }
    }

    fn partner(&mut self, member: &MemberId) -> &mut Partner {
        self.partners.entry(*member).or_insert_with(Partner::default)
    }

    fn was_compared_with(&mut self, member: MemberId) {
        if self.compared.len() < COMPARED_WITH {
            self.compared.insert(member);
        }
    }

    /// Whether something is under way that a quick look at the deadlines serves.
    pub(super) fn is_busy(&self) -> bool {
        self.round.is_some() || self.wants_older.is_some()
    }
}

impl Partner {
    fn leaves_alone(&self, span: &Range<u64>, now: Duration) -> bool {
        self.left_alone
            .iter()
            .any(|left| left.until > now && left.span.start <= span.start && span.end <= left.span.end)
    }

    /// Whether anything is left alone.
    fn leaves_some_alone(&self, now: Duration) -> bool {
        self.left_alone.iter().any(|left| left.until > now)
    }

    /// A span is the same on both sides now.
    fn is_same(&mut self, span: &Range<u64>) {
        self.left_alone
            .retain(|left| left.span.start < span.start || span.end < left.span.end);
    }

    /// Nothing came of a span that differed.
    fn leave_alone(&mut self, span: Range<u64>, now: Duration) {
        let overlaps = |left: &LeftAlone| left.span.start < span.end && span.start < left.span.end;
        let before = self.left_alone.iter().filter(|left| overlaps(left));
        let before = before.map(|left| left.wait).max();
        let wait = before.map_or(LEFT_ALONE, |wait| (wait * 2).min(LEFT_ALONE_AT_MOST));
        self.left_alone.retain(|left| !overlaps(left));
        if self.left_alone.len() >= MAX_LEFT_ALONE {
            self.left_alone.remove(0);
        }
        let until = now + wait;
        self.left_alone.push(LeftAlone { span, until, wait });
    }
}

impl History {
    /// How far back what was said is held, and what others have not got yet.
    pub(super) fn state(&self) -> &HistoryState {
        &self.state
    }

    /// The link that is being asked for what was said before.
    pub(super) fn source(&self) -> Option<ClientId> {
        self.round.as_ref().map(|round| round.link)
    }

    /// [`Input::FetchOlder`](super::Input::FetchOlder).
    pub(super) fn fetch_older(&mut self, below: &mut Below<'_>, limit: usize) {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX).max(1);
        let has_links = below.overlay.has_links();
        let (is_whole, waits_for_first) = (self.state.is_whole, self.state.since.is_none());
        if is_whole || !has_links {
            return below.core.emit(NodeEvent::HistoryProgress {
                fetched: 0,
                done: true,
                more: !is_whole,
            });
        }
        self.wants_older = Some(limit);
        // Somebody waits for it: comparing goes on afterwards.
        let round = self.round.as_ref();
        let compares = round.is_some_and(|round| matches!(round.kind, RoundKind::CatchUp));
        if compares && !waits_for_first {
            self.put_off_round(below);
        }
        self.look_after(below);
    }

    /// [`Input::KeepFrom`](super::Input::KeepFrom).
    pub(super) fn keep_from(&mut self, below: &mut Below<'_>, since: u64) {
        // What it asked for may be what is not wanted any more.
        self.put_off_round(below);
        let since = self.state.since.map_or(since, |held| held.max(since));
        (self.state.since, self.state.is_whole) = (Some(since), true);
        below.core.emit(NodeEvent::HistoryHeld {
            since,
            is_whole: true,
        });
    }

    /// Asks the archive; what comes back goes on from there. False: too much is asked already.
    fn look(&mut self, below: &mut Below<'_>, look: Look, query: ArchiveQuery) -> Option<u64> {
        let now = below.core.now();
        if self.looks.len() >= MAX_LOOKS {
            return None;
        }
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        self.looks.insert(ticket, (look, now));
        below.core.look(ticket, query);
        Some(ticket)
    }

    /// [`Input::Found`](super::Input::Found).
    pub(super) fn found(&mut self, below: &mut Below<'_>, ticket: u64, answer: ArchiveAnswer) {
        let Some((look, _)) = self.looks.remove(&ticket) else {
            return;
        };
        match look {
            Look::Round => self.round_found(below, ticket, answer),
            Look::Answer(answering) => self.answer_found(below, answering, answer),
        }
    }

    /// Nobody is left who could be asked.
    fn forget_older_without_links(&mut self, below: &mut Below<'_>) {
        let has_links = below.overlay.has_links();
        if self.wants_older.is_some() && self.round.is_none() && !has_links {
            self.older_over(below, 0, false);
        }
    }

    /// Own messages that have reached a link, one way or another.
    fn has_reached(&mut self, below: &mut Below<'_>, ids: &[MessageId]) {
        let out: Vec<MessageId> = ids
            .iter()
            .copied()
            .filter(|id| self.state.unsent.remove(id).is_some())
            .collect();
        for id in out {
            below.core.emit(NodeEvent::Delivery { id, links: 1 });
        }
    }

    /// All from an hlc on is held now, as far as others had it. Own messages that wait are never left out: what lies
    /// between them and `since` is compared next.
    fn hold_since(&mut self, below: &mut Below<'_>, since: u64, is_whole: bool) {
        let state = &mut self.state;
        let since = state.told_from().map_or(since, |known| known.min(since));
        let is_whole = is_whole || state.is_whole;
        if state.since == Some(since) && state.is_whole == is_whole {
            return;
        }
        state.since = Some(since);
        state.is_whole = is_whole;
        below.core.emit(NodeEvent::HistoryHeld { since, is_whole });
    }

    /// What is kept up by itself: late answers, rounds that are due.
    pub(super) fn look_after(&mut self, below: &mut Below<'_>) {
        let now = below.core.now();
        let late = |at: &Duration| now.saturating_sub(*at) >= LOOK_WITHIN;
        let is_round_late = self
            .looks
            .values()
            .any(|(look, at)| matches!(look, Look::Round) && late(at));
        self.looks.retain(|_, (_, at)| !late(at));
        if is_round_late {
            self.round_failed(below);
        }
        self.ask_again_in_round(below);
        self.begin_round(below);
    }

    /// With a link from the spans that are held, or with the newest if none are.
    fn begin_catch_up(&mut self, below: &mut Below<'_>, client_id: ClientId, is_regular: bool) {
        let Some(link) = self.links.get_mut(&client_id) else {
            return;
        };
        (link.due_at, link.differs) = (None, false);
        let Some(member) = below.overlay.member_of(&client_id) else {
            return;
        };
        let now_ms = below.core.now_ms();
        let mut round = match self.state.since {
            None => Round::newest(client_id, member, NEWEST),
            Some(since) => {
                let since = self.state.told_from().unwrap_or(since);
                let partner = self.partner(&member);
                let spans = spans::all_since(since.max(partner.held_from.min(now_ms << 16)), now_ms);
                Round::catch_up(client_id, member, spans)
            }
        };
        round.is_regular = is_regular;
        self.start(below, round);
    }

    /// Some that are older than all that is held, from a link that was not asked yet.
    fn begin_older(
        &mut self,
        below: &mut Below<'_>,
        limit: u32,
        asked: Vec<MemberId>,
        fetched: u32,
        said_whole: bool,
    ) {
        let since = self.state.since.unwrap_or(u64::MAX);
        let members = &*below.members;
        let invite_of = |member: &MemberId| members.member(member).and_then(|known| known.admitted().by);
        let invites: Vec<_> = asked.iter().map(invite_of).collect();
        // Who is known to hold older ones first, then who came by another invite.
        let next = below
            .overlay
            .links()
            .filter(|(_, link)| !asked.contains(&link.member()))
            .min_by_key(|(client_id, link)| {
                let partner = self.partners.peek(&link.member());
                let held_from = partner.map_or(0, |partner| partner.held_from);
                (
                    held_from >= since,
                    invites.contains(&invite_of(&link.member())),
                    **client_id,
                )
            })
            .map(|(client_id, link)| (*client_id, link.member()));
        match next.filter(|_| asked.len() < round::OLDER_SOURCES && fetched < limit) {
            Some((client_id, member)) => {
                let kind = RoundKind::Older {
                    limit,
                    asked,
                    said_whole,
                };
                self.start(
                    below,
                    Round::older(client_id, member, kind, since, limit - fetched, fetched),
                );
            }
            None => self.older_over(below, fetched, said_whole),
        }
    }

    fn older_over(&mut self, below: &mut Below<'_>, fetched: u32, is_whole: bool) {
        self.wants_older = None;
        if let (true, Some(since)) = (is_whole, self.state.since) {
            self.hold_since(below, since, true);
        }
        let more = !self.state.is_whole;
        below.core.emit(NodeEvent::HistoryProgress {
            fetched,
            done: true,
            more,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::testing::{Chat, Machines, events};

    fn below<'a>(own: &'a mut Machines, gossip: &'a mut Gossip) -> Below<'a> {
        Below {
            core: &mut own.core,
            overlay: &mut own.overlay,
            members: &mut own.members,
            rights: &own.rights,
            gossip,
        }
    }

    #[test]
    fn a_newcomer_asks_its_first_link_for_the_newest_and_a_founder_lacks_nothing() {
        let mut chat = Chat::new();
        let (mut founder, mut newcomer) = (chat.founder(), chat.member(2));
        let credential = |own: &Machines| own.members.chain().credential.clone();
        let of_founder = History::new(HistoryState::default(), &credential(&founder));
        assert_eq!(of_founder.state().since, Some(0));

        let mut history = History::new(HistoryState::default(), &credential(&newcomer));
        let mut gossip = Gossip::new(newcomer.members.own_start_ms());
        newcomer.meet(&founder).expect("a good chain");
        newcomer.link(&founder);
        history.link_up(&mut below(&mut newcomer, &mut gossip), founder.core.client_id());
        assert_eq!(history.source(), None, "not at once");
        newcomer.pass(Duration::from_secs(4));
        history.look_after(&mut below(&mut newcomer, &mut gossip));
        assert_eq!(history.source(), Some(founder.core.client_id()));

        newcomer
            .overlay
            .end_link(&mut newcomer.core, &founder.core.client_id(), false);
        let member = founder.core.member();
        let (mut below, client_id) = (below(&mut newcomer, &mut gossip), founder.core.client_id());
        history.link_down(&mut below, &client_id, &member);
        assert_eq!(history.source(), None, "nobody is left to ask");
        founder.pass(Duration::from_secs(1));
    }

    #[test]
    fn what_is_not_wanted_any_more_is_held_as_whole_from_there_on() {
        let mut chat = Chat::new();
        let mut own = chat.member(2);
        let mut gossip = Gossip::new(own.members.own_start_ms());
        let credential = own.members.chain().credential.clone();
        let mut history = History::new(HistoryState::default(), &credential);
        history.keep_from(&mut below(&mut own, &mut gossip), 77);
        assert_eq!(
            (history.state().since, history.state().is_whole),
            (Some(77), true)
        );
        let held = events(&mut own.core);
        assert!(matches!(
            held[..],
            [NodeEvent::HistoryHeld {
                since: 77,
                is_whole: true
            }]
        ));
    }
}
