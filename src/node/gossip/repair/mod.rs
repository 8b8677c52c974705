//! Repair while talking: what a datagram's loss took is found out and fetched within seconds, by digests (Plumtree's IHAVE) and
//! wants (its GRAFT).
//!
//! After something was said each link either shows to have it (it sends it as well, tells of it in a digest, or reports how many
//! it reached), or is told of it in a digest, again and again until it answers: with what it lacks, or that it lacks
//! nothing. Most it was sent before (`push`). What is missing in the numbers of a session is asked for by number (`gaps`). In a
//! quiet chat nothing is sent.
//!
//! Nobody can have us chase what does not exist, or send much for little: see the bounds below.

mod tell;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::cache::{Cache, Kept, Place};
use super::gaps::Gaps;
use super::{Gossip, Overlay};
use crate::crypto;
use crate::id::{ClientId, MessageId};
use crate::node::bucket::{Bucket, Rate, try_take};
use crate::node::core::Core;
use crate::node::members::Members;
use crate::node::overlay::Link;
use crate::wire::{Digest, Items, MAX_SHORT_IDS, NotHeld, Packet, Say, ShortId, Want};

/// A digest goes out so long after what it tells of, and up to that much later, so that not all tell at once. A guess:
/// most other ways to show to have something take less.
const TELL_AFTER: Duration = Duration::from_millis(500);
const JITTER_MS: usize = 150;

/// What came so lately is not in a digest: the other side may just be sending it. A guess: a slow round trip.
const GRACE: Duration = Duration::from_millis(350);

/// A digest that is not answered is said again after so long (or one and a half round trips). A guess.
const REPEAT: Duration = Duration::from_millis(400);

/// After so many rounds of digests that a link did not answer the next one waits twice as long, and so on: who never
/// answers is not worth more. Loss of 20 % each way makes one row of 460 so long. A guess.
const UNANSWERED: u32 = 6;

/// And is of so few says: once it is answered, the others are told of. A guess: half of what a digest has beside them.
const TOLD_UNANSWERED: usize = 8;

/// But no longer than so: who was out of reach for a few seconds is told what was said meanwhile. A guess.
const REPEAT_AT_LEAST: Duration = Duration::from_secs(2);

/// After so many rounds, a minute's, it is told no counts any more: they don't grow old by themselves as says do. A guess.
const GIVEN_UP: u32 = 30;

/// What came longer ago is told no more: history has it. A guess.
const TOLD_FOR: Duration = Duration::from_secs(8);

/// Digests of 64 that go out at once over a link. A guess.
const MAX_AT_ONCE: usize = 4;

/// Says owed to one link. A guess: four digests' worth twice over.
const MAX_OWED: usize = 512;

/// Reports that one link has not confirmed. A guess: sixteen digests' worth.
const MAX_REPORTS: usize = 256;

/// Digests that an answer is awaited for, of one link. A guess: those of some two seconds in a busy chat.
const MAX_SENT: usize = 16;

/// Ids known lately, so as to tell what a digest names. A guess: a minute of a busy chat.
const MAX_KNOWN: usize = 4_096;
const KNOWN_FOR: Duration = Duration::from_secs(60);

/// What one link announced and has not sent, or sent to no avail. A guess: four digests' worth.
const MAX_LACKING: usize = 256;
const LACKING_FOR: Duration = Duration::from_secs(30);

/// Times that what was announced is asked for. At 20 % loss both ways one of 280 comes in none of them.
const MAX_TRIES: u8 = 6;

/// Digests, and wants, of one link that are looked into. A guess: five times what an honest one sends.
const PACKETS: Rate = Rate::per_second(20.0, 60.0);

/// Says that a link may have us send again: 64 KB a second at most. A guess: what is lost of a busy chat.
const ANSWERS: Rate = Rate::per_second(64.0, 128.0);

/// What a link may announce and then not have. A guess: loss alone makes one of 280 wants fail.
const BROKEN: Rate = Rate::per_second(0.5, 64.0);

/// What of the repair is not a link's.
#[derive(Debug, Default)]
pub(super) struct Repair {
    pub(super) cache: Cache,
    /// What came lately and held, whether it was passed on or not.
    known: VecDeque<(Duration, MessageId)>,
    pub(super) gaps: Gaps,
    /// When something is to be done.
    due: Option<Duration>,
}

impl Repair {
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Where an own or passed on say stands among those that are kept.
    pub(super) fn place_of(&self, id: &MessageId) -> Option<Place> {
        self.cache.place_of(id)
    }

    /// Has the repair looked after by then.
    pub(super) fn wake_at(&mut self, at: Duration) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

/// The repair over one link.
#[derive(Debug, Default)]
pub(super) struct Repairing {
    /// What the peer has not shown to have.
    owed: BTreeSet<Place>,
    /// How many have messages by us that came by the peer, until it has confirmed that.
    reports: BTreeMap<MessageId, u32>,
    seq: u32,
    sent: VecDeque<SentDigest>,
    digest_at: Option<Duration>,
    /// Rounds of digests since the peer last answered one.
    unanswered: u32,
    /// No round before that, since those before got no answer.
    waits_until: Duration,
    lacking: BTreeMap<ShortId, Lacking>,
    digests: Option<Bucket>,
    wants: Option<Bucket>,
    answers: Option<Bucket>,
    broken: Option<Bucket>,
}

#[derive(Debug)]
struct SentDigest {
    seq: u32,
    held: Vec<(ShortId, Place)>,
    reports: Vec<(MessageId, u32)>,
}

/// Something that the peer has announced.
#[derive(Debug, Clone, Copy)]
struct Lacking {
    seq: u32,
    asked_at: Duration,
    tries: u8,
    /// It came and was of no use, or never came: it is not asked for again.
    is_settled: bool,
}

impl Repairing {
    /// A link that takes the place of another to the same session: what is owed stays so.
    pub(super) fn after(other: Self) -> Self {
        Self {
            owed: other.owed,
            reports: other.reports,
            seq: other.seq,
            digest_at: other.digest_at,
            digests: other.digests,
            wants: other.wants,
            answers: other.answers,
            broken: other.broken,
            ..Self::default()
        }
    }

    /// The peer has sent what stands there: it need not be told of it.
    pub(super) fn is_shown(&mut self, place: Place) {
        self.owed.remove(&place);
    }

    fn owe(&mut self, place: Place, at: Duration) {
        if self.owed.len() >= MAX_OWED {
            self.owed.pop_first();
        }
        self.owed.insert(place);
        self.tell_at(at);
    }

    /// How many have a message by us is told at that time, and again until it is confirmed.
    pub(super) fn report(&mut self, id: MessageId, members: u32, at: Duration) {
        if self.reports.len() < MAX_REPORTS || self.reports.contains_key(&id) {
            self.reports.insert(id, members);
            self.tell_at(at);
        }
    }

    fn tell_at(&mut self, at: Duration) {
        let at = at.max(self.waits_until);
        self.digest_at = Some(self.digest_at.map_or(at, |due| due.min(at)));
    }

    /// A round of digests has gone out: when the next is due, if this one gets no answer. `repeat`: how long an answer may take.
    fn after_round(&mut self, now: Duration, repeat: Duration) -> Duration {
        self.unanswered = self.unanswered.saturating_add(1);
        let doublings = (self.unanswered + 1).saturating_sub(UNANSWERED).min(8);
        let wait = (repeat * (1 << doublings)).min(REPEAT_AT_LEAST);
        if doublings > 0 {
            self.waits_until = now + wait;
        }
        now + wait
    }

    /// The peer has answered a digest. When it is told of the rest, if that had waited.
    fn answered(&mut self, now: Duration) -> Option<Duration> {
        let has_waited = std::mem::take(&mut self.waits_until) > now;
        self.unanswered = 0;
        let at = now + REPEAT;
        (has_waited && self.digest_at.is_some()).then(|| {
            self.tell_at(at);
            at
        })
    }

    fn settle(&mut self, short: ShortId, now: Duration) {
        if self.lacking.len() >= MAX_LACKING && !self.lacking.contains_key(&short) {
            return;
        }
        let settled = Lacking {
            seq: 0,
            asked_at: now,
            tries: 0,
            is_settled: true,
        };
        self.lacking.insert(short, settled);
    }

    /// When the next of what was asked for is asked for again.
    fn ask_at(&self, patience: Duration) -> Option<Duration> {
        let asked = self.lacking.values().filter(|lacking| !lacking.is_settled);
        asked.map(|lacking| lacking.asked_at + patience).min()
    }
}

/// What a say is called in what goes to the peer of a link, and in what comes from it.
fn short_ids(link: &Link, id: &MessageId) -> Option<(ShortId, ShortId)> {
    let tokens = link.tokens()?;
    Some((short_id(tokens.theirs(), id), short_id(tokens.ours(), id)))
}

/// "The first 6 bytes of the hash of token and id."
pub(super) fn short_id(token: &[u8; 8], id: &MessageId) -> ShortId {
    let hash = crypto::hash(&[b"throng/1 short\0", token, &id.0]);
    let mut short = [0; 6];
    short.copy_from_slice(&hash[..6]);
    short
}

impl Gossip {
    /// Keeps a say, and has the links but one told of it that don't show to have it.
    pub(super) fn owe_to_links(&mut self, core: &mut Core, say: Kept, except: Option<ClientId>) {
        let jitter = Duration::from_millis(core.random_below(JITTER_MS) as u64);
        let at = core.now() + TELL_AFTER + jitter;
        let place = self.repair.cache.insert(say);
        for (client_id, repairing) in &mut self.repairing {
            if Some(*client_id) != except {
                repairing.owe(place, at);
                self.repair.wake_at(at);
            }
        }
    }

    /// A say is known and holds: nobody needs to be asked for it.
    pub(in crate::node) fn note_known(&mut self, core: &Core, overlay: &Overlay, id: MessageId) {
        let now = core.now();
        let known = &mut self.repair.known;
        while known.len() >= MAX_KNOWN
            || known
                .front()
                .is_some_and(|(at, _)| now.saturating_sub(*at) > KNOWN_FOR)
        {
            known.pop_front();
        }
        known.push_back((now, id));
        for (client_id, repairing) in &mut self.repairing {
            if !repairing.lacking.is_empty()
                && let Some(link) = overlay.link(client_id)
                && let Some((_, theirs)) = short_ids(link, &id)
            {
                repairing.lacking.remove(&theirs);
            }
        }
    }

    /// Whether a say comes because this link was asked for it.
    pub(in crate::node) fn is_asked_for(
        &self,
        overlay: &Overlay,
        sender: &ClientId,
        id: &MessageId,
        say: &Say,
    ) -> bool {
        let (Some(link), Some(repairing)) = (overlay.link(sender), self.repairing.get(sender)) else {
            return false;
        };
        let is_asked = |short: &ShortId| {
            let lacking = repairing.lacking.get(short);
            lacking.is_some_and(|lacking| !lacking.is_settled)
        };
        !repairing.lacking.is_empty() && short_ids(link, id).is_some_and(|(_, theirs)| is_asked(&theirs))
            || self.is_gap_asked_of(sender, &say.signed.client_id, say.signed.number)
    }

    /// A link brought what we do not take: it is not asked for that again.
    pub(in crate::node) fn decline(
        &mut self,
        core: &Core,
        overlay: &Overlay,
        sender: &ClientId,
        id: &MessageId,
    ) {
        if let Some(link) = overlay.link(sender)
            && let Some((_, theirs)) = short_ids(link, id)
            && let Some(repairing) = self.repairing.get_mut(sender)
        {
            repairing.settle(theirs, core.now());
        }
    }

    /// Whether something is due to be told, asked or asked again.
    pub(in crate::node) fn is_repair_due(&self, now: Duration) -> bool {
        self.repair.due.is_some_and(|due| due <= now)
    }

    /// Tells a link what is due, and asks it.
    pub(in crate::node) fn repair_over(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        client_id: &ClientId,
    ) {
        self.tell_what_is_held(core, overlay, client_id);
        self.ask_for_lacking_again(core, overlay, client_id);
    }

    /// What is due beside what is told to each link, and when the repair is to be looked after next.
    pub(in crate::node) fn end_repair(&mut self, core: &mut Core, overlay: &mut Overlay) {
        self.ask_for_gaps(core, overlay);
        let of_links = self.repairing.iter().filter_map(|(client_id, repairing)| {
            let patience = overlay.link(client_id)?.patience();
            Some([repairing.digest_at, repairing.ask_at(patience)])
        });
        let due = of_links.flatten().flatten().chain(self.repair.gaps.due()).min();
        // Never at once, and what is due at nearly the same time is done at once.
        self.repair.due = due.map(|due| due.max(core.now() + Duration::from_millis(25)));
    }

    /// A link tells what it has: it is asked for what we lack, and hears that we have the rest.
    pub(in crate::node) fn on_digest(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &Members,
        sender: ClientId,
        digest: Digest,
    ) {
        let now = core.now();
        let token = digest.t.token;
        let Some(link) = overlay.link(&sender) else { return };
        let Some(repairing) = self.repairing.get_mut(&sender) else {
            return;
        };
        if !try_take(&mut repairing.digests, PACKETS, now) {
            return core.drop_packet("digest_budget");
        }
        let known = self.repair.known.iter().map(|(_, id)| id);
        let known: BTreeSet<ShortId> = known
            .chain(self.held.iter().map(|held| &held.id))
            .map(|id| short_id(&token, id))
            .collect();
        // What it tells of it has, and need not be told of.
        let told: BTreeSet<ShortId> = digest.held.iter().copied().collect();
        let cache = &self.repair.cache;
        repairing.owed.retain(|place| {
            let kept = cache.get(*place);
            kept.is_some_and(|say| !told.contains(&short_id(&token, &say.id)))
        });
        let lacking = &mut repairing.lacking;
        lacking.retain(|_, lacking| now.saturating_sub(lacking.asked_at) < LACKING_FOR);
        let mut ids = Vec::new();
        for short in digest.held {
            if known.contains(&short) || lacking.get(&short).is_some_and(|lacking| lacking.is_settled) {
                continue;
            }
            ids.push(short);
            if lacking.len() < MAX_LACKING {
                let entry = lacking.entry(short).or_insert(Lacking {
                    seq: digest.seq,
                    asked_at: now,
                    tries: 1,
                    is_settled: false,
                });
                (entry.seq, entry.asked_at) = (digest.seq, now);
            }
        }
        if !ids.is_empty() {
            self.repair.wake_at(now + link.patience());
        }
        let ranges = Vec::new();
        Self::send_want(core, overlay, &sender, digest.seq, Items { ids, ranges });
        self.take_reports(core, members, sender, &token, &digest.reached);
    }

    pub(super) fn send_want(core: &mut Core, overlay: &mut Overlay, to: &ClientId, seq: u32, items: Items) {
        if let Some((address, t)) = overlay.next_token(to) {
            core.send(address, *to, &Packet::Want(Want { t, seq, items }));
        }
    }

    /// What a link announced and has not sent is asked for again, some times; then it has broken its promise.
    fn ask_for_lacking_again(&mut self, core: &mut Core, overlay: &mut Overlay, client_id: &ClientId) {
        let now = core.now();
        let Some(patience) = overlay.link(client_id).map(Link::patience) else {
            return;
        };
        let Some(repairing) = self.repairing.get_mut(client_id) else {
            return;
        };
        let mut again: BTreeMap<u32, Vec<ShortId>> = BTreeMap::new();
        let mut broken = 0;
        for (short, lacking) in &mut repairing.lacking {
            if lacking.is_settled || lacking.asked_at + patience > now {
                continue;
            }
            lacking.asked_at = now;
            lacking.tries += 1;
            lacking.is_settled = lacking.tries > MAX_TRIES;
            if lacking.is_settled {
                broken += 1;
            } else {
                again.entry(lacking.seq).or_default().push(*short);
            }
        }
        for (seq, ids) in again {
            for ids in ids.chunks(MAX_SHORT_IDS) {
                let (ids, ranges) = (ids.to_vec(), Vec::new());
                Self::send_want(core, overlay, client_id, seq, Items { ids, ranges });
            }
        }
        self.broke_promises(core, overlay, client_id, broken);
    }

    /// Who announces what does not exist, over and over, is sent away.
    fn broke_promises(&mut self, core: &mut Core, overlay: &mut Overlay, client_id: &ClientId, count: usize) {
        let now = core.now();
        let Some(repairing) = self.repairing.get_mut(client_id) else {
            return;
        };
        let kept = (0..count)
            .filter(|_| try_take(&mut repairing.broken, BROKEN, now))
            .count();
        if kept < count
            && let Some(member) = overlay.member_of(client_id)
        {
            overlay.send_away(core, client_id, member, "link_of_broken_promises");
        }
    }

    /// A link has not what it was asked for.
    pub(in crate::node) fn on_not_held(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        sender: ClientId,
        not_held: &NotHeld,
    ) {
        let now = core.now();
        let Some(repairing) = self.repairing.get_mut(&sender) else {
            return;
        };
        let mut broken = 0;
        for short in &not_held.items.ids {
            if let Some(lacking) = repairing.lacking.get_mut(short)
                && !lacking.is_settled
            {
                (lacking.is_settled, lacking.asked_at) = (true, now);
                broken += 1;
            }
        }
        self.broke_promises(core, overlay, &sender, broken);
        self.end_gaps(core, &sender, &not_held.items.ranges);
    }
}
