//! Telling a link what was said: out of what the archive finds, within a budget, as far back as the link may know.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::authors::short;
use super::fetch::PAGE;
use super::{Below, History, Look};
use crate::facts::HistoryRule;
use crate::id::{ClientId, MemberId, MessageId};
use crate::node::archive::{ArchiveAnswer, ArchiveQuery, ArchivedSay, ShortMessageId};
use crate::node::bucket::{Bucket, Rate, try_take};
use crate::node::members::Members;
use crate::node::rights::Rights;
use crate::wire::{
    self, HistoryAnswer, HistoryAsk, HistoryAuthor, HistoryMember, HistoryQuestion, HistorySay,
    HistoryStatus, MAX_PLAIN_LEN, Packet, ShortSession, SignedSay,
};

/// Questions that one link, and all together, may ask: each is a look-up. Guesses: ten pages of 100 messages a second.
const ASKS_OF_ONE: Rate = Rate::per_second(10.0, 40.0);
const ASKS: Rate = Rate::per_second(40.0, 120.0);

/// Datagrams of answers for one link, and for all. Guesses: some 200 KB a second, and 800.
const PARTS_OF_ONE: Rate = Rate::per_second(200.0, 600.0);
const PARTS: Rate = Rate::per_second(800.0, 2_000.0);

/// Bytes of says on a page: up to some 70 datagrams.
const PAGE_BYTES: usize = 32 * 1_024;

/// What a part has beside its says or authors: kind, T, ask, op; and of says the time.
const PART_LEN: usize = 1 + 12 + 4 + 1;
const SAYS_LEN: usize = PART_LEN + 6;

const DAY_MS: u64 = 86_400_000;

/// What may be asked and sent yet.
#[derive(Debug, Default)]
pub(super) struct Budget {
    asks: Option<Bucket>,
    parts: Option<Bucket>,
}

impl Budget {
    fn try_take_ask(&mut self, asks: Rate, parts: Rate, now: std::time::Duration) -> bool {
        let left = self.parts.get_or_insert_with(|| Bucket::full(parts, now));
        left.level(parts, now) >= 1.0 && try_take(&mut self.asks, asks, now)
    }

    fn spend(&mut self, count: usize, rate: Rate, now: std::time::Duration) {
        let bucket = self.parts.get_or_insert_with(|| Bucket::full(rate, now));
        for _ in 0..count {
            bucket.spend(rate, now);
        }
    }
}

/// A question that waits for the archive.
pub(super) struct Answering {
    link: ClientId,
    ask: u32,
    held_from: u64,
    what: What,
}

enum What {
    /// Which of the spans asked for were looked up, and their fingerprints on the other side.
    Compare {
        count: usize,
        looked_up: Vec<(usize, [u8; 16])>,
    },
    Fetch {
        span: Range<u64>,
        with_credentials: bool,
        known: BTreeSet<ShortSession>,
    },
}

impl History {
    /// Answers a link that asks what was said.
    pub(in crate::node) fn on_ask(&mut self, below: &mut Below<'_>, sender: ClientId, asked: HistoryAsk) {
        let now = below.core.now();
        let Some(member) = below.overlay.member_of(&sender) else {
            return;
        };
        let Some(link) = self.links.get_mut(&sender) else {
            return;
        };
        let may_ask = link.answers.try_take_ask(ASKS_OF_ONE, PARTS_OF_ONE, now);
        if !may_ask || !self.answers.try_take_ask(ASKS, PARTS, now) {
            return below.core.drop_packet("history_budget");
        }
        if below.rights.may_read(below.members, &member).is_err() {
            return below.core.drop_packet("banned");
        }
        let held_from = self.told_from(below.members, below.rights, &member);
        let ask = asked.ask;
        match asked.question {
            HistoryQuestion::Compare { from, spans } => {
                self.compare_for(below, sender, ask, held_from, from, &spans);
            }
            HistoryQuestion::Fetch {
                from,
                to,
                limit,
                with_credentials,
                known,
                held,
            } => {
                let span = from.max(held_from)..to;
                let what = What::Fetch {
                    span: span.clone(),
                    with_credentials,
                    known: known.into_iter().collect(),
                };
                let answering = Answering {
                    link: sender,
                    ask,
                    held_from,
                    what,
                };
                if span.is_empty() {
                    return self.send_page(below, answering, &[], HistoryStatus::NotHeld);
                }
                let query = ArchiveQuery::Says {
                    span,
                    except: held.into_iter().collect::<BTreeSet<ShortMessageId>>(),
                    limit: usize::from(limit.min(PAGE)),
                    max_bytes: PAGE_BYTES,
                };
                if self.look(below, Look::Answer(answering), query).is_none() {
                    below.core.drop_packet("history_budget");
                }
            }
        }
    }

    fn compare_for(
        &mut self,
        below: &mut Below<'_>,
        link: ClientId,
        ask: u32,
        held_from: u64,
        from: u64,
        spans: &[(u64, [u8; 16])],
    ) {
        let starts = std::iter::once(from).chain(spans.iter().map(|(to, _)| *to));
        let mut looked_up = Vec::new();
        let mut query = Vec::new();
        for (at, (start, (to, print))) in starts.zip(spans).enumerate() {
            if start >= held_from {
                looked_up.push((at, *print));
                query.push(start..*to);
            }
        }
        let answering = Answering {
            link,
            ask,
            held_from,
            what: What::Compare {
                count: spans.len(),
                looked_up,
            },
        };
        if query.is_empty() {
            return self.answer_found(below, answering, ArchiveAnswer::Fingerprints(Vec::new()));
        }
        let query = ArchiveQuery::Fingerprints(query);
        if self.look(below, Look::Answer(answering), query).is_none() {
            below.core.drop_packet("history_budget");
        }
    }

    pub(super) fn answer_found(
        &mut self,
        below: &mut Below<'_>,
        answering: Answering,
        answer: ArchiveAnswer,
    ) {
        match (&answering.what, answer) {
            (What::Compare { count, looked_up }, ArchiveAnswer::Fingerprints(found))
                if found.len() == looked_up.len() =>
            {
                let mut differing = vec![0; count.div_ceil(8)];
                for ((at, print), own) in looked_up.iter().zip(found) {
                    if *print != own {
                        differing[at / 8] |= 1 << (at % 8);
                    }
                }
                let differs = differing.iter().any(|byte| *byte != 0);
                let answer = HistoryAnswer::Compared {
                    held_from: answering.held_from,
                    differing,
                };
                self.send_history(below, answering.link, answering.ask, answer);
                // Either side may hold more. Where comparing came to nothing lately it would again, and again.
                if !differs {
                    self.is_same_as(below, answering.link);
                } else if !self.leaves_some_alone(below, answering.link) {
                    self.compare_soon(below, answering.link);
                }
            }
            (What::Fetch { .. }, ArchiveAnswer::Says { says, more }) => {
                let status = if more {
                    HistoryStatus::More
                } else {
                    HistoryStatus::All
                };
                self.send_page(below, answering, &says, status);
            }
            (What::Fetch { .. }, _) => self.send_page(below, answering, &[], HistoryStatus::Later),
            (What::Compare { .. }, _) => below.core.drop_packet("archive_failed"),
        }
    }

    fn leaves_some_alone(&mut self, below: &mut Below<'_>, link: ClientId) -> bool {
        let now = below.core.now();
        let member = below.overlay.member_of(&link);
        let partner = member.and_then(|member| self.partners.peek(&member));
        partner.is_some_and(|partner| partner.leaves_some_alone(now))
    }

    fn send_page(
        &mut self,
        below: &mut Below<'_>,
        answering: Answering,
        says: &[ArchivedSay],
        status: HistoryStatus,
    ) {
        let now = below.core.now();
        let What::Fetch {
            span,
            with_credentials,
            known,
        } = &answering.what
        else {
            return;
        };
        let Some(member) = below.overlay.member_of(&answering.link) else {
            return;
        };
        let page: Vec<Paged> = says.iter().filter_map(Paged::of).collect();
        let oldest = page.last().map_or(span.start, |last| last.say.hlc);
        let status = match status {
            HistoryStatus::All | HistoryStatus::NotHeld
                if self.is_all_told(below.members, below.rights, &member)
                    && span.start <= answering.held_from =>
            {
                HistoryStatus::Whole
            }
            other => other,
        };
        let down_to = match status {
            HistoryStatus::More => oldest + 1,
            _ => span.start,
        };
        let mut parts: Vec<HistoryAnswer> = introduce(below.members, &page, known, *with_credentials)
            .into_iter()
            .map(HistoryAnswer::Authors)
            .collect();
        parts.extend(pack_says(&page).into_iter().map(HistoryAnswer::Says));
        let count = parts.len();
        parts.push(HistoryAnswer::End {
            status,
            parts: u8::try_from(count).unwrap_or(u8::MAX),
            down_to,
            held_from: answering.held_from,
        });
        for part in parts {
            self.send_history(below, answering.link, answering.ask, part);
        }
        if let Some(link) = self.links.get_mut(&answering.link) {
            link.answers.spend(count + 1, PARTS_OF_ONE, now);
        }
        self.answers.spend(count + 1, PARTS, now);
        let ids: Vec<MessageId> = says.iter().map(|say| say.id).collect();
        self.has_reached(below, &ids);
    }

    fn send_history(&mut self, below: &mut Below<'_>, to: ClientId, ask: u32, answer: HistoryAnswer) {
        if let Some((address, t)) = below.overlay.next_token(&to) {
            let packet = Packet::History(wire::History { t, ask, answer });
            below.core.send_history(address, to, &packet);
        }
    }

    /// A link answers our question.
    pub(in crate::node) fn on_answer(
        &mut self,
        below: &mut Below<'_>,
        sender: ClientId,
        ask: u32,
        answer: HistoryAnswer,
    ) {
        let Some(round) = self.round.as_mut().filter(|round| round.link == sender) else {
            return below.core.drop_packet("unasked");
        };
        match answer {
            HistoryAnswer::Compared { held_from, differing } => {
                self.compared(below, ask, held_from, &differing);
            }
            // Nobody is met because of what was not asked for.
            HistoryAnswer::Authors(_) if round.fetch_asked(ask).is_none() => {
                below.core.drop_packet("unasked");
            }
            HistoryAnswer::Authors(authors) => {
                let met = self.meet_authors(below, authors);
                self.fetched_authors(below, ask, met);
            }
            HistoryAnswer::Says(says) => self.fetched_says(below, ask, says),
            HistoryAnswer::End {
                status,
                parts,
                down_to,
                held_from,
            } => self.fetched_end(below, ask, status, parts, down_to, held_from),
        }
    }

    /// From which hlc on a member is told what was said: from where it is held, and as far back as the founder wants newcomers to know.
    fn told_from(&self, members: &Members, rights: &Rights, member: &MemberId) -> u64 {
        let held_from = match &self.state {
            state if state.is_whole => 0,
            state => state.told_from().unwrap_or(u64::MAX),
        };
        held_from.max(may_know_from(members, rights, member))
    }

    /// Whether there is nothing older than [`Self::told_from`] that the member may have.
    fn is_all_told(&self, members: &Members, rights: &Rights, member: &MemberId) -> bool {
        let state = &self.state;
        let may_know_from = may_know_from(members, rights, member);
        state.is_whole || may_know_from > 0 && state.since.is_some_and(|since| since <= may_know_from)
    }
}

/// By the history rule. When somebody came is what their admission says, which they may have backdated, or when we met them,
/// which may be later than they came: the later of both.
fn may_know_from(members: &Members, rights: &Rights, member: &MemberId) -> u64 {
    let before_ms = match rights.history_rule() {
        HistoryRule::All => return 0,
        HistoryRule::Days { days } => u64::from(days) * DAY_MS,
        HistoryRule::FromJoining => 0,
    };
    let came_ms = members
        .member(member)
        .map_or(u64::MAX >> 16, |known| known.since_ms().max(known.met_ms()));
    came_ms.min(u64::MAX >> 16).saturating_sub(before_ms) << 16
}

/// The sessions of a page that the asker does not know, in as few parts as they fit into.
fn introduce(
    members: &Members,
    page: &[Paged],
    known: &BTreeSet<ShortSession>,
    with_credentials: bool,
) -> Vec<Vec<HistoryAuthor>> {
    let sessions: BTreeMap<ClientId, MemberId> = page
        .iter()
        .filter(|paged| !known.contains(&paged.say.session))
        .map(|paged| (paged.client_id, paged.member))
        .collect();
    let mut introduced = BTreeSet::new();
    let mut parts: Vec<Vec<HistoryAuthor>> = Vec::new();
    let mut room = 0;
    for (client_id, member) in sessions {
        let credential = members
            .credential_of(&member)
            .filter(|_| with_credentials && introduced.insert(member));
        let author = match credential {
            Some(credential) => HistoryMember::Credential(credential.to_vec()),
            None => HistoryMember::Id(member),
        };
        let author = HistoryAuthor { client_id, author };
        let size = author.size();
        match parts.last_mut() {
            Some(part) if size <= room => part.push(author),
            _ => {
                parts.push(vec![author]);
                room = MAX_PLAIN_LEN - PART_LEN;
            }
        }
        room -= size.min(room);
    }
    parts
}

/// A say on a page.
struct Paged {
    id: MessageId,
    client_id: ClientId,
    member: MemberId,
    say: HistorySay,
}

impl Paged {
    /// None if it is not what an archive holds.
    fn of(archived: &ArchivedSay) -> Option<Self> {
        let (bytes, signature) = archived.signed.split_last_chunk()?;
        let signed = SignedSay::decode(bytes).ok()?;
        Some(Self {
            id: archived.id,
            client_id: signed.client_id,
            member: archived.member,
            say: HistorySay {
                session: short(&signed.client_id),
                number: signed.number,
                hlc: signed.hlc,
                after: Some(signed.after),
                body: signed.body,
                signature: *signature,
            },
        })
    }
}

/// Puts says into as few parts as they fit into, in their order. What a say follows is mostly the next one's id, and left out then.
fn pack_says(page: &[Paged]) -> Vec<Vec<HistorySay>> {
    let mut parts: Vec<Vec<HistorySay>> = Vec::new();
    let mut room = 0;
    let mut above: Option<&Paged> = None;
    for paged in page {
        let follows = above.is_some_and(|above| above.say.after.as_ref() == paged.id.0.first_chunk());
        let saved = if follows { 8 } else { 0 };
        let above_ms = above.map_or(paged.say.hlc >> 16, |above| above.say.hlc >> 16);
        let size = paged.say.size(above_ms);
        match parts.last_mut() {
            Some(part) if size <= room + saved => {
                if let (true, Some(last)) = (follows, part.last_mut()) {
                    last.after = None;
                }
                part.push(paged.say.clone());
                room = room + saved - size;
            }
            _ => {
                parts.push(vec![paged.say.clone()]);
                room = (MAX_PLAIN_LEN - SAYS_LEN).saturating_sub(paged.say.size(paged.say.hlc >> 16));
            }
        }
        above = Some(paged);
    }
    parts
}
