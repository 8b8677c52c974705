//! A round with a link: comparing, cutting, fetching.

use std::ops::Range;
use std::time::Duration;

use super::authors::Authors;
use super::fetch::Fetch;
use super::{Below, EVERY, EVERY_AT_MOST, History, Look, spans};
use crate::id::{ClientId, MemberId};
use crate::node::NodeEvent;
use crate::node::archive::{ArchiveAnswer, ArchiveQuery, ShortMessageId};
use crate::wire::{HistoryAsk, HistoryQuestion, Packet};

/// So many own ids fit beside a question, with those of a page that came in part.
pub(super) const FEW: usize = 30;

/// Ids that are looked up to cut an hour by: one comparison of pieces with few each, and more.
const MANY: usize = 3_400;

/// A question is asked again after so long, then after twice as long each time, so many times in all. Guesses.
const ASK_AGAIN: Duration = Duration::from_millis(1_000);
const TRIES: u8 = 5;

/// Pages fetched in one round. A guess: 200,000 messages. After that others get their turn.
const MAX_PAGES: u32 = 2_000;

/// A round lasts no longer, and a page not either. Guesses: 1,000 pages and more; then another link gets its turn, so that one
/// that is slow on purpose does not keep us from the others.
const ROUND_WITHIN: Duration = Duration::from_secs(300);
const PAGE_WITHIN: Duration = Duration::from_secs(20);

/// Spans waiting to be looked at in a round. A guess.
const MAX_WORK: usize = 512;

/// Sessions that stand and are taken as known to us at the start, where they are so few. A guess.
const FEW_SESSIONS: usize = 40;

/// Links that are asked for older ones at most. A guess.
pub(super) const OLDER_SOURCES: usize = 3;

/// What a round is for.
pub(super) enum RoundKind {
    /// A newcomer's first.
    Newest,
    /// What was missed.
    CatchUp,
    /// What is older than all that is held.
    Older {
        limit: u32,
        /// Who was asked before in this fetch.
        asked: Vec<MemberId>,
        /// One of them said that there is nothing older.
        said_whole: bool,
    },
}

/// A round.
pub(super) struct Round {
    pub(super) link: ClientId,
    pub(super) member: MemberId,
    pub(super) kind: RoundKind,
    /// It is one of those that come now and then, whatever happens.
    pub(super) is_regular: bool,
    /// What is left to do; the last is next.
    work: Vec<Work>,
    doing: Doing,
    /// Messages that came.
    pub(super) fetched: u32,
    /// How many more are wanted.
    pub(super) left: u32,
    pub(super) pages: u32,
    pub(super) authors: Authors,
    /// The link said that there is nothing older than what it sent.
    pub(super) said_whole: bool,
    began_at: Option<Duration>,
}

/// A step of a round.
pub(super) enum Work {
    /// Spans that follow on each other.
    Compare(Vec<Range<u64>>),
    /// A span that differs: fetched if little of ours is in it, else cut and compared again.
    Examine(Range<u64>),
    Fetch(Fetch),
    /// A span that is the same on both sides: own messages in it have gone out.
    Confirm(Range<u64>),
}

enum Doing {
    Nothing,
    Looking(u64, Work),
    Asked(Asked),
}

/// A question to the link.
struct Asked {
    ask: u32,
    at: Duration,
    /// When it was first asked like this.
    since: Duration,
    tries: u8,
    what: Question,
}

enum Question {
    Compare(Vec<(Range<u64>, [u8; 16])>),
    Fetch(Fetch),
}

impl Round {
    fn new(link: ClientId, member: MemberId, kind: RoundKind, work: Work, left: u32) -> Self {
        Self {
            link,
            member,
            kind,
            is_regular: false,
            work: vec![work],
            doing: Doing::Nothing,
            fetched: 0,
            left,
            pages: 0,
            authors: Authors::default(),
            said_whole: false,
            began_at: None,
        }
    }

    pub(super) fn newest(link: ClientId, member: MemberId, count: u32) -> Self {
        let fetch = Fetch::new(0..u64::MAX, Vec::new(), true);
        Self::new(link, member, RoundKind::Newest, Work::Fetch(fetch), count)
    }

    pub(super) fn catch_up(link: ClientId, member: MemberId, spans: Vec<Range<u64>>) -> Self {
        Self::new(link, member, RoundKind::CatchUp, Work::Compare(spans), u32::MAX)
    }

    pub(super) fn older(
        link: ClientId,
        member: MemberId,
        kind: RoundKind,
        since: u64,
        left: u32,
        fetched: u32,
    ) -> Self {
        let work = Work::Examine(0..since.max(1));
        Self {
            fetched,
            ..Self::new(link, member, kind, work, left)
        }
    }

    fn push(&mut self, work: Work) {
        if self.work.len() < MAX_WORK {
            self.work.push(work);
        }
    }

    /// The fetch under way, if that is its question.
    pub(super) fn fetch_asked(&mut self, ask: u32) -> Option<&mut Fetch> {
        match &mut self.doing {
            Doing::Asked(asked) if asked.ask == ask => match &mut asked.what {
                Question::Fetch(fetch) => Some(fetch),
                Question::Compare(_) => None,
            },
            _ => None,
        }
    }

    /// A part of the answer to this question came: the rest will.
    pub(super) fn heard(&mut self, ask: u32, now: Duration) {
        if let Doing::Asked(asked) = &mut self.doing
            && asked.ask == ask
        {
            asked.at = now;
            asked.tries = 0;
        }
    }

    /// Takes the fetch out that is under way.
    pub(super) fn take_fetch(&mut self) -> Option<Fetch> {
        match std::mem::replace(&mut self.doing, Doing::Nothing) {
            Doing::Asked(Asked {
                what: Question::Fetch(fetch),
                ..
            }) => Some(fetch),
            other => {
                self.doing = other;
                None
            }
        }
    }

    pub(super) fn fetch_next(&mut self, fetch: Fetch) {
        self.push(Work::Fetch(fetch));
    }
}

impl History {
    pub(super) fn start(&mut self, below: &mut Below<'_>, mut round: Round) {
        if below.members.session_count() <= FEW_SESSIONS {
            for (client_id, session) in below.members.sessions() {
                round.authors.add(*client_id, session.member());
            }
        }
        round.began_at = Some(below.core.now());
        self.round = Some(round);
        self.go_on(below);
        below.core.wake_soon();
    }

    /// The next step of the round.
    pub(super) fn go_on(&mut self, below: &mut Below<'_>) {
        let now = below.core.now();
        let Some(round) = self.round.as_mut() else { return };
        if !matches!(round.doing, Doing::Nothing) {
            return;
        }
        let is_long = round
            .began_at
            .is_some_and(|at| now.saturating_sub(at) >= ROUND_WITHIN);
        let Some(work) = round.work.pop().filter(|_| round.left > 0) else {
            return self.round_over(below);
        };
        if is_long || round.pages >= MAX_PAGES {
            return self.round_failed(below);
        }
        match work {
            Work::Fetch(fetch) => self.ask(below, Question::Fetch(fetch), 0),
            Work::Compare(spans) => {
                let query = ArchiveQuery::Fingerprints(spans.clone());
                self.look_in_round(below, Work::Compare(spans), query);
            }
            Work::Examine(span) | Work::Confirm(span) if span.start >= span.end => self.go_on(below),
            Work::Examine(ref span) | Work::Confirm(ref span) => {
                let query = ArchiveQuery::Ids {
                    span: span.clone(),
                    limit: MANY,
                };
                self.look_in_round(below, work, query);
            }
        }
    }

    fn look_in_round(&mut self, below: &mut Below<'_>, work: Work, query: ArchiveQuery) {
        match self.look(below, Look::Round, query) {
            Some(ticket) => {
                if let Some(round) = self.round.as_mut() {
                    round.doing = Doing::Looking(ticket, work);
                }
            }
            None => self.round_failed(below),
        }
    }

    pub(super) fn round_found(&mut self, below: &mut Below<'_>, ticket: u64, answer: ArchiveAnswer) {
        let Some(round) = self.round.as_mut() else { return };
        let work = match std::mem::replace(&mut round.doing, Doing::Nothing) {
            Doing::Looking(of, work) if of == ticket => work,
            other => {
                round.doing = other;
                return;
            }
        };
        match (work, answer) {
            (Work::Compare(spans), ArchiveAnswer::Fingerprints(found)) if found.len() == spans.len() => {
                let spans = spans.into_iter().zip(found).collect();
                self.ask(below, Question::Compare(spans), 0);
            }
            (Work::Examine(span), ArchiveAnswer::Ids(ids)) => {
                self.examine(
                    below,
                    span,
                    ids.iter().map(|(hlc, id)| (*hlc, short_id(&id.0))).collect(),
                );
            }
            (Work::Confirm(_), ArchiveAnswer::Ids(ids)) => {
                let ids: Vec<_> = ids.into_iter().map(|(_, id)| id).collect();
                self.has_reached(below, &ids);
                self.go_on(below);
            }
            _ => self.round_failed(below),
        }
    }

    fn examine(&mut self, below: &mut Below<'_>, span: Range<u64>, held: Vec<(u64, ShortMessageId)>) {
        let now_ms = below.core.now_ms();
        let Some(round) = self.round.as_mut() else { return };
        let is_older = matches!(round.kind, RoundKind::Older { .. });
        let by_hours = spans::by_hours(&span, now_ms);
        if held.len() <= FEW || is_older {
            round.push(Work::Fetch(Fetch::new(span, held, is_older)));
        } else if let Some(pieces) = by_hours {
            round.push(Work::Compare(pieces));
        } else {
            let hlcs: Vec<u64> = held.iter().map(|(hlc, _)| *hlc).collect();
            match spans::by_counts(&span, &hlcs, FEW - 5) {
                pieces if pieces.len() > 1 => round.push(Work::Compare(pieces)),
                // All at one moment: it can't be cut any more.
                _ => round.push(Work::Fetch(Fetch::new(span, held, false))),
            }
        }
        self.go_on(below);
    }

    fn ask(&mut self, below: &mut Below<'_>, what: Question, tries: u8) {
        let now = below.core.now();
        self.last_ask = self.last_ask.wrapping_add(1);
        let ask = self.last_ask;
        let Some(round) = &mut self.round else { return };
        let question = match &what {
            Question::Compare(spans) => HistoryQuestion::Compare {
                from: spans.first().map_or(0, |(span, _)| span.start),
                spans: spans.iter().map(|(span, print)| (span.end, *print)).collect(),
            },
            Question::Fetch(fetch) => fetch.question(round.left, &round.authors),
        };
        let client_id = round.link;
        round.doing = Doing::Asked(Asked {
            ask,
            at: now,
            since: now,
            tries,
            what,
        });
        let Some((address, t)) = below.overlay.next_token(&client_id) else {
            return self.round_failed(below);
        };
        below.core.send_history(
            address,
            client_id,
            &Packet::HistoryAsk(HistoryAsk { t, ask, question }),
        );
        below.core.wake_soon();
    }

    /// Asks again what was not answered.
    pub(super) fn ask_again_in_round(&mut self, below: &mut Below<'_>) {
        let now = below.core.now();
        let Some(round) = self.round.as_mut() else { return };
        let Doing::Asked(asked) = &mut round.doing else {
            return;
        };
        if let Question::Fetch(fetch) = &asked.what
            && fetch.is_late(now)
        {
            return self.page_over(below);
        }
        if now.saturating_sub(asked.since) >= PAGE_WITHIN {
            return self.round_failed(below);
        }
        if now.saturating_sub(asked.at) < ASK_AGAIN * (1 << asked.tries) {
            return;
        }
        let tries = asked.tries + 1;
        if tries >= TRIES {
            return self.round_failed(below);
        }
        match std::mem::replace(&mut round.doing, Doing::Nothing) {
            Doing::Asked(asked) => {
                let what = match asked.what {
                    Question::Fetch(fetch) => Question::Fetch(fetch.again()),
                    other => other,
                };
                self.ask(below, what, tries);
            }
            other => round.doing = other,
        }
    }

    /// The answer to a comparison.
    pub(super) fn compared(&mut self, below: &mut Below<'_>, ask: u32, held_from: u64, differing: &[u8]) {
        let (now, now_ms) = (below.core.now(), below.core.now_ms());
        let has_unsent = !self.state.unsent.is_empty();
        let Some(round) = &mut self.round else { return };
        let spans = match std::mem::replace(&mut round.doing, Doing::Nothing) {
            Doing::Asked(Asked {
                ask: of,
                what: Question::Compare(spans),
                ..
            }) if of == ask && differing.len() == spans.len().div_ceil(8) => spans,
            other => {
                round.doing = other;
                return below.core.drop_packet("unasked");
            }
        };
        let member = round.member;
        // A link that says something else each time is not compared with for ever.
        round.pages += 1;
        let partner = self
            .partners
            .entry(member)
            .or_insert_with(super::Partner::default);
        partner.held_from = held_from;
        // Whoever said that there is nothing older was wrong, or lied.
        let is_not_whole = self.state.is_whole && self.state.since.is_some_and(|since| held_from < since);
        self.state.is_whole &= !is_not_whole;
        let bit = |at: usize| differing[at / 8] & (1 << (at % 8)) != 0;
        let differs = |(at, (span, _)): &(usize, &(Range<u64>, [u8; 16]))| {
            bit(*at) && span.start >= held_from && !partner.leaves_alone(span, now)
        };
        let different = spans
            .iter()
            .enumerate()
            .filter(differs)
            .map(|(_, (span, print))| (span.clone(), *print == [0; 16]));
        let different = spans::join_empty(different);
        let same = |(at, (span, print)): &(usize, &(Range<u64>, [u8; 16]))| {
            !bit(*at) && span.start >= held_from && *print != [0; 16]
        };
        let same: Vec<Range<u64>> = spans
            .iter()
            .enumerate()
            .filter(same)
            .map(|(_, (span, _))| span.clone())
            .collect();
        // What the link holds only in part is compared from there on.
        let in_part = spans
            .iter()
            .find(|(span, _)| span.start < held_from && held_from < span.end);
        let in_part = in_part.map(|(span, _)| spans::from(std::slice::from_ref(span), held_from));
        if let Some(pieces) = in_part.filter(|_| held_from <= now_ms << 16) {
            round.push(Work::Compare(pieces));
        }
        if has_unsent {
            for span in &same {
                round.push(Work::Confirm(span.clone()));
            }
        }
        for span in &same {
            partner.is_same(span);
        }
        for span in different {
            round.push(Work::Examine(span));
        }
        self.go_on(below);
    }

    fn round_over(&mut self, below: &mut Below<'_>) {
        let now = below.core.now();
        let Some(round) = self.round.take() else { return };
        let partner = self.partner(&round.member);
        partner.compared_at = Some(now);
        match round.kind {
            RoundKind::Older {
                limit,
                mut asked,
                said_whole,
            } => {
                asked.push(round.member);
                self.begin_older(below, limit, asked, round.fetched, said_whole || round.said_whole);
            }
            RoundKind::CatchUp | RoundKind::Newest => {
                self.was_compared_with(round.member);
                self.caught_up(below, &round);
            }
        }
        below.core.wake_soon();
    }

    fn caught_up(&mut self, below: &mut Below<'_>, round: &Round) {
        let now = below.core.now();
        self.every = match round.fetched {
            0 if round.is_regular => (self.every * 4).min(EVERY_AT_MOST),
            0 => self.every,
            _ => EVERY,
        };
        // Rounds that a link brings about don't put the next one off.
        if round.is_regular {
            (self.due_at, self.was_put_off) = (None, false);
        } else if round.fetched > 0 {
            self.due_at = self.due_at.map(|at| at.min(now + EVERY));
        }
        let is_new = matches!(round.kind, RoundKind::Newest);
        let more = !self.state.is_whole;
        let got_nothing = is_new && self.state.since.is_none();
        // The link has not seen yet that we have something that it lacks.
        let has_unsent = !self.state.unsent.is_empty();
        if round.fetched > 0 || is_new {
            below.core.emit(NodeEvent::HistoryProgress {
                fetched: round.fetched,
                done: true,
                more,
            });
        }
        let others = below.overlay.linked().copied();
        let others: Vec<ClientId> = others.filter(|id| *id != round.link).collect();
        // News to us may be news to others, and a newcomer has yet to compare.
        if round.fetched > 0 || is_new {
            for client_id in others {
                self.compare_soon(below, client_id);
            }
        }
        if got_nothing {
            self.compare_soon(below, round.link);
            self.begin_without_past(below);
        }
        if is_new && has_unsent && self.state.since.is_some() {
            self.put_off(below, Some(round.link));
        }
    }

    /// All who are there have nothing either: what is said from now on is what there is.
    fn begin_without_past(&mut self, below: &mut Below<'_>) {
        let now_ms = below.core.now_ms();
        let has_nothing = |member: &MemberId| {
            let partner = self.partners.peek(member);
            partner.is_some_and(|partner| partner.compared_at.is_some() && partner.held_from == u64::MAX)
        };
        if below.overlay.links().all(|(_, link)| has_nothing(&link.member())) {
            self.hold_since(below, now_ms << 16, false);
        }
    }

    /// The link does not answer, or has ended, or the archive can't be read. Another one is asked.
    pub(super) fn round_failed(&mut self, below: &mut Below<'_>) {
        let Some(round) = self.round.take() else { return };
        self.looks.retain(|_, (look, _)| !matches!(look, Look::Round));
        if let RoundKind::Older {
            limit,
            mut asked,
            said_whole,
        } = round.kind
        {
            asked.push(round.member);
            self.begin_older(below, limit, asked, round.fetched, said_whole);
        } else {
            if round.fetched > 0 {
                below.core.emit(NodeEvent::HistoryProgress {
                    fetched: round.fetched,
                    done: true,
                    more: true,
                });
            }
            let others = below.overlay.linked().copied();
            let others: Vec<ClientId> = others.filter(|id| *id != round.link).collect();
            // The link itself is asked as well, if it is still there, but last.
            let next = match others.len() {
                0 => Some(round.link),
                count => others.get(below.core.random_below(count)).copied(),
            };
            self.put_off(below, next);
        }
        below.core.wake_soon();
    }

    /// The round is begun anew a little later.
    pub(super) fn put_off_round(&mut self, below: &mut Below<'_>) {
        let Some(round) = self.round.take() else { return };
        self.looks.retain(|_, (look, _)| !matches!(look, Look::Round));
        self.put_off(below, Some(round.link));
    }

    fn put_off(&mut self, below: &mut Below<'_>, client_id: Option<ClientId>) {
        let now = below.core.now();
        let link = client_id.and_then(|client_id| self.links.get_mut(&client_id));
        if let Some(link) = link {
            link.due_at = Some(now + ASK_AGAIN);
        }
    }
}

pub(super) fn short_id(id: &[u8; 32]) -> ShortMessageId {
    let mut short = [0; 6];
    short.copy_from_slice(&id[..6]);
    short
}
