//! Fetching a span, page by page, newest first.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use super::authors::{Authors, short};
use super::round::{RoundKind, short_id};
use super::take::Taken;
use super::{Below, History};
use crate::id::{ClientId, MemberId};
use crate::node::NodeEvent;
use crate::node::archive::ShortMessageId;
use crate::wire::{HistoryQuestion, HistorySay, HistoryStatus, MAX_PLAIN_LEN, ShortSession};

/// Messages on a page: so few that their ids fit beside the next question, should a part of the page be lost.
pub(super) const PAGE: u16 = 100;

/// What a question has beside sessions and ids: kind, T, ask, op, span, limit, flags, count of sessions.
const QUESTION_LEN: usize = 1 + 12 + 4 + 1 + 16 + 2 + 1 + 1;

/// Ids in a question at most: the rest is left for sessions.
const MAX_HELD: usize = 130;

/// More parts than any page has: whoever sends them wastes our time.
const MAX_PARTS: u32 = u8::MAX as u32;

/// The parts of a page that come after its end. A guess: more than packets part on their way.
const AFTER_END: Duration = Duration::from_millis(400);

/// Pages in a row of which nothing was taken, though it was signed. A guess: the quota of a day and more, so that what lies
/// below one author's flood is found.
const MAX_BARREN: u32 = 150;

/// Times that one page is asked for because of what did not come with it. A guess: at 20 % loss each way some two.
const MAX_INCOMPLETE: u8 = 10;

/// A span that is fetched.
pub(super) struct Fetch {
    span: Range<u64>,
    /// What we hold of it, with the hlc.
    held: Vec<(u64, ShortMessageId)>,
    with_credentials: bool,
    page: Page,
    /// Came of it so far.
    took: u32,
    barren: u32,
    incomplete: u8,
    /// The rest of a span that is fetched further: nothing coming of it says nothing.
    is_rest: bool,
    /// Sessions that have to be introduced though we thought we knew them.
    doubted: BTreeSet<ShortSession>,
}

/// What came of a page.
#[derive(Default)]
struct Page {
    parts: u32,
    end: Option<End>,
    /// Says of sessions that were not introduced yet.
    waiting: Vec<Vec<HistorySay>>,
    said: u32,
    took: u32,
    lacks_authors: bool,
    introduced: BTreeSet<ShortSession>,
}

#[derive(Clone, Copy)]
struct End {
    status: HistoryStatus,
    parts: u8,
    down_to: u64,
    held_from: u64,
    at: Duration,
}

impl Fetch {
    pub(super) fn new(span: Range<u64>, held: Vec<(u64, ShortMessageId)>, with_credentials: bool) -> Self {
        Self {
            span,
            held,
            with_credentials,
            page: Page::default(),
            took: 0,
            barren: 0,
            incomplete: 0,
            is_rest: false,
            doubted: BTreeSet::new(),
        }
    }

    pub(super) fn question(&self, left: u32, authors: &Authors) -> HistoryQuestion {
        let in_span = self.held.iter().filter(|(hlc, _)| self.span.contains(hlc));
        let mut held: Vec<ShortMessageId> = in_span.map(|(_, id)| *id).rev().take(MAX_HELD).collect();
        held.sort_unstable();
        held.dedup();
        let room = (MAX_PLAIN_LEN - QUESTION_LEN - held.len() * 6) / 3;
        let mut known = authors.known(room.min(255));
        known.retain(|short| !self.doubted.contains(short));
        HistoryQuestion::Fetch {
            from: self.span.start,
            to: self.span.end,
            limit: PAGE.min(u16::try_from(left).unwrap_or(PAGE)).max(1),
            with_credentials: self.with_credentials,
            known,
            held,
        }
    }

    /// To be asked for anew: nothing more will come of this page.
    pub(super) fn again(self) -> Self {
        Self {
            page: Page::default(),
            ..self
        }
    }

    /// All that will come of the page has come.
    pub(super) fn is_late(&self, now: Duration) -> bool {
        self.page
            .end
            .is_some_and(|end| now.saturating_sub(end.at) >= AFTER_END)
    }

    fn is_page_whole(&self) -> bool {
        self.page
            .end
            .is_some_and(|end| self.page.parts >= u32::from(end.parts))
            && self.page.waiting.is_empty()
    }
}

impl History {
    /// Says of a page came; those whose session is not known yet wait.
    pub(super) fn fetched_says(&mut self, below: &mut Below<'_>, ask: u32, says: Vec<HistorySay>) {
        let now = below.core.now();
        let Some(round) = self.round.as_mut() else {
            return below.core.drop_packet("unasked");
        };
        round.heard(ask, now);
        let Some(fetch) = round.fetch_asked(ask) else {
            return below.core.drop_packet("unasked");
        };
        fetch.page.parts += 1;
        if fetch.page.parts > MAX_PARTS {
            return self.round_failed(below);
        }
        let is_known =
            |round: &super::Round| says.iter().all(|say| !round.authors.of(&say.session).is_empty());
        if is_known(self.round.as_mut().expect("it was there a moment ago")) {
            self.take_says(below, ask, &says);
        } else if let Some(fetch) = self.round.as_mut().and_then(|round| round.fetch_asked(ask)) {
            fetch.page.waiting.push(says);
        }
        self.page_may_be_over(below, ask);
    }

    /// Sessions were introduced.
    pub(super) fn fetched_authors(
        &mut self,
        below: &mut Below<'_>,
        ask: u32,
        authors: Vec<(ClientId, MemberId)>,
    ) {
        let now = below.core.now();
        let Some(round) = self.round.as_mut() else { return };
        round.heard(ask, now);
        for (client_id, member) in &authors {
            round.authors.add(*client_id, *member);
        }
        let Some(fetch) = round.fetch_asked(ask) else {
            return;
        };
        fetch.page.parts += 1;
        if fetch.page.parts > MAX_PARTS {
            return self.round_failed(below);
        }
        let shorts = authors.iter().map(|(client_id, _)| short(client_id));
        fetch.page.introduced.extend(shorts);
        for says in std::mem::take(&mut fetch.page.waiting) {
            let Some(round) = self.round.as_mut() else { return };
            if says.iter().all(|say| !round.authors.of(&say.session).is_empty()) {
                self.take_says(below, ask, &says);
            } else if let Some(fetch) = round.fetch_asked(ask) {
                fetch.page.waiting.push(says);
            }
        }
        self.page_may_be_over(below, ask);
    }

    pub(super) fn fetched_end(
        &mut self,
        below: &mut Below<'_>,
        ask: u32,
        status: HistoryStatus,
        parts: u8,
        down_to: u64,
        held_from: u64,
    ) {
        let at = below.core.now();
        let Some(round) = self.round.as_mut() else { return };
        round.heard(ask, at);
        let Some(fetch) = round.fetch_asked(ask) else {
            return below.core.drop_packet("unasked");
        };
        fetch.page.end = Some(End {
            status,
            parts,
            down_to,
            held_from,
            at,
        });
        self.page_may_be_over(below, ask);
    }

    fn page_may_be_over(&mut self, below: &mut Below<'_>, ask: u32) {
        let is_over = self
            .round
            .as_mut()
            .and_then(|round| round.fetch_asked(ask))
            .is_some_and(|fetch| fetch.is_page_whole());
        if is_over {
            self.page_over(below);
        }
    }

    /// Takes the says of a part, the last first: what an earlier one follows may be the id of the next.
    fn take_says(&mut self, below: &mut Below<'_>, ask: u32, says: &[HistorySay]) {
        let Some(round) = self.round.as_mut() else { return };
        let link = round.link;
        let mut next: Option<[u8; 32]> = None;
        for say in says.iter().rev() {
            let after = say
                .after
                .or_else(|| next.map(|id| *id.first_chunk().expect("8 is less than 32")));
            let Some(round) = self.round.as_mut() else { return };
            let alike = round.authors.of(&say.session).to_vec();
            let taken = match after {
                Some(after) => self.take_past(below, say, after, &alike),
                None => Taken::Unknown,
            };
            if !below.overlay.is_linked(&link) {
                return;
            }
            let Some(round) = self.round.as_mut() else { return };
            let is_new = matches!(taken, Taken::New(_));
            if is_new {
                round.fetched += 1;
                round.left = round.left.saturating_sub(1);
            }
            let Some(fetch) = round.fetch_asked(ask) else {
                return;
            };
            fetch.page.said += 1;
            match taken {
                Taken::New(id) | Taken::Known(id) | Taken::Refused(id) => {
                    if is_new {
                        fetch.took += 1;
                        fetch.page.took += 1;
                    }
                    fetch.held.push((say.hlc, short_id(&id)));
                    next = Some(id);
                }
                // What admits its author is wanted with it.
                Taken::Unknown => {
                    if after.is_some() {
                        fetch.doubted.insert(say.session);
                    }
                    fetch.page.lacks_authors = true;
                    next = None;
                }
                Taken::Forged
                    if fetch.page.introduced.contains(&say.session)
                        || fetch.doubted.contains(&say.session) =>
                {
                    below.gossip.brought_forged(below.core, below.overlay, link, true);
                    next = None;
                }
                // Another session may begin alike.
                Taken::Forged => {
                    fetch.doubted.insert(say.session);
                    fetch.page.lacks_authors = true;
                    next = None;
                }
            }
        }
    }

    /// No more will come of the page: what is missing of it is asked for again, or what lies below.
    pub(super) fn page_over(&mut self, below: &mut Below<'_>) {
        let now = below.core.now();
        let Some(round) = &mut self.round else { return };
        let Some(mut fetch) = round.take_fetch() else {
            return;
        };
        let page = std::mem::take(&mut fetch.page);
        let Some(end) = page.end else { return };
        round.pages += 1;
        let is_whole = page.parts >= u32::from(end.parts) && page.waiting.is_empty() && !page.lacks_authors;
        let more = end.status == HistoryStatus::More;
        let down_to = end.down_to.clamp(fetch.span.start, fetch.span.end);
        if end.status == HistoryStatus::Later {
            return self.round_failed(below);
        }
        if !is_whole && fetch.incomplete < MAX_INCOMPLETE {
            fetch.incomplete += 1;
            fetch.with_credentials |= page.lacks_authors;
            // What lies below waits until this page is here.
            if more && fetch.span.start < down_to && down_to < fetch.span.end {
                let below = fetch.span.start..down_to;
                let held = fetch
                    .held
                    .iter()
                    .copied()
                    .filter(|(hlc, _)| below.contains(hlc))
                    .collect();
                let rest = Fetch {
                    is_rest: true,
                    ..Fetch::new(below, held, fetch.with_credentials)
                };
                fetch.span.start = down_to;
                fetch.is_rest = true;
                round.fetch_next(rest);
            }
            round.fetch_next(fetch);
            return self.page_done(below, page.took, None);
        }
        let barren = if page.took == 0 { fetch.barren + 1 } else { 0 };
        let leads_on = page.said > 0 && down_to < fetch.span.end || page.took > 0;
        if more && leads_on && barren <= MAX_BARREN {
            fetch.span.end = down_to;
            let span = fetch.span.clone();
            fetch.held.retain(|(hlc, _)| span.contains(hlc));
            fetch.barren = barren;
            fetch.incomplete = 0;
            round.fetch_next(fetch);
            return self.page_done(below, page.took, Some((down_to, end)));
        }
        let comes_to_nothing = fetch.took == 0 && !fetch.is_rest;
        if let (RoundKind::CatchUp, true) = (&round.kind, comes_to_nothing || more) {
            let member = round.member;
            self.partner(&member).leave_alone(fetch.span.clone(), now);
        }
        let down_to = if more { down_to } else { fetch.span.start };
        self.page_done(below, page.took, Some((down_to, end)));
    }

    /// Tells how far the round has got, and goes on.
    fn page_done(&mut self, below: &mut Below<'_>, took: u32, reached: Option<(u64, End)>) {
        let Some(round) = &mut self.round else { return };
        let fetched = round.fetched;
        let is_catch_up = matches!(round.kind, RoundKind::CatchUp);
        if let Some((down_to, end)) = reached {
            round.said_whole = end.status == HistoryStatus::Whole;
            let is_whole = round.said_whole;
            let member = round.member;
            self.partner(&member).held_from = end.held_from;
            // With nothing more below, all is held that this link holds.
            let since = match end.status {
                HistoryStatus::More => Some(down_to),
                HistoryStatus::All | HistoryStatus::Whole => Some(end.held_from.max(down_to)),
                HistoryStatus::NotHeld | HistoryStatus::Later => None,
            };
            if let Some(since) = since.filter(|_| !is_catch_up) {
                self.hold_since(below, since, is_whole);
            }
        }
        if took > 0 {
            below.core.emit(NodeEvent::HistoryProgress {
                fetched,
                done: false,
                more: true,
            });
        }
        self.go_on(below);
    }
}
