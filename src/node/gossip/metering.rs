//! How fast members may speak. All sessions of a member share a meter. At the first hop, where the author itself is
//! the link, what is over the rate is refused, and the author is told to wait; everybody else lets twice as much
//! pass and drops the rest in silence. So nodes don't disagree about what exists: an author who keeps to the rate is
//! never dropped anywhere, and one who does not is stopped where it speaks (docs/security.md).

use std::time::Duration;

use hashlink::LruCache;

use super::{Gossip, Overlay};
use crate::id::{ClientId, MemberId, MessageId};
use crate::node::bucket::{Bucket, Rate};
use crate::node::core::Core;
use crate::node::rights::Rights;
use crate::wire::{Body, MeterKind, Packet, SignedSay, Slow};

/// Messages and actions in a private chat (a guess).
const PRIVATE: Rate = Rate::per_second(5.0, 30.0);

/// And in a public one, where many speak (a guess).
const PUBLIC: Rate = Rate::per_second(1.0, 10.0);

/// Everything else that members say: names, statuses, who is gone, that one is there. A guess: more than a node has
/// to say, should all its links end at once.
const OTHERS: Rate = Rate::per_second(1.0, 20.0);

/// At the first hop so much more passes at once than the author allows itself, in seconds of its rate: packets don't
/// all take the same time. A guess: the spread of a bad connection.
const SLACK_SECS: f64 = 2.0;

/// What others than the author's own links let pass, beside what these do.
const FARTHER: f64 = 2.0;

/// And what was asked for because it had been lost: as much as can be asked for by number.
const LATE: f64 = 64.0;

/// Members with a meter, some 200 bytes each; who spoke longest ago leaves, with a full one. A guess: as many as could
/// speak in the 10 s that most meters take to fill.
const MAX_METERS: usize = 4_096;

/// Words with false signatures or chains that one link may bring: each costs some checks of signatures, and who
/// passes on only what holds brings none. A guess.
const FORGED: Rate = Rate::per_second(1.0, 20.0);

/// Refused words of its own that one link may bring before it ends: an author who keeps to the rate brings hardly any. A
/// guess.
const REFUSED: Rate = Rate::per_second(1.0, 30.0);

/// Members whose refused and forged words are counted. A guess.
const MAX_COUNTED: usize = 256;

/// The meters of all members.
pub(super) struct Meters {
    members: LruCache<MemberId, Meter>,
    /// Links' own members, and what they may yet bring of what does not hold.
    forged: LruCache<MemberId, Bucket>,
    /// And of what they were told to wait with.
    refused: LruCache<MemberId, Bucket>,
}

/// What a member has left.
#[derive(Debug, Clone, Copy)]
struct Meter {
    messages: Buckets,
    others: Buckets,
}

/// For what comes from the author's own link, and for what comes by others.
#[derive(Debug, Clone, Copy)]
struct Buckets {
    near: Bucket,
    far: Bucket,
    /// For what was asked for.
    late: Bucket,
}

impl Buckets {
    fn full(rate: Rate, now: Duration) -> Self {
        Self {
            near: Bucket::full(near(rate), now),
            far: Bucket::full(rate.times(FARTHER), now),
            late: Bucket::full(late(rate), now),
        }
    }

    /// How long until one more may come; none: at once.
    fn wait(&self, rate: Rate, is_near: bool, now: Duration) -> Option<Duration> {
        let (bucket, rate) = if is_near {
            (&self.near, near(rate))
        } else {
            (&self.far, rate.times(FARTHER))
        };
        Some(bucket.wait_for(1.0, rate, now)).filter(|wait| !wait.is_zero())
    }

    /// Counts one that came, by whatever way.
    fn spend(&mut self, rate: Rate, was_asked_for: bool, now: Duration) {
        if was_asked_for {
            return self.late.spend(late(rate), now);
        }
        self.near.spend(near(rate), now);
        self.far.spend(rate.times(FARTHER), now);
    }
}

fn late(rate: Rate) -> Rate {
    Rate::per_second(rate.per_second, LATE)
}

fn near(rate: Rate) -> Rate {
    Rate::per_second(rate.per_second, rate.at_once + SLACK_SECS * rate.per_second)
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            members: LruCache::new(MAX_METERS),
            forged: LruCache::new(MAX_COUNTED),
            refused: LruCache::new(MAX_COUNTED),
        }
    }
}

/// How fast one may say something like that in this chat.
pub(super) fn rate_of(rights: &Rights, body: &Body) -> Rate {
    match body.rules().meter {
        MeterKind::Messages => message_rate(rights),
        MeterKind::Others | MeterKind::Unmetered => OTHERS,
    }
}

/// How fast one may speak in this chat.
pub(super) fn message_rate(rights: &Rights) -> Rate {
    let usual = if rights.is_public() { PUBLIC } else { PRIVATE };
    match rights.door().rate {
        0 => usual,
        // Ten seconds' worth at once, as in a public chat, and one message at least.
        a_minute => {
            let per_second = f64::from(a_minute) / 60.0;
            Rate::per_second(per_second, (10.0 * per_second).clamp(1.0, PRIVATE.at_once))
        }
    }
}

impl Gossip {
    /// How long a member has to wait before it may say this; none: it may. Asked before anything costly is done about it; nobody
    /// pays for what was said in their name until it is [counted](Self::count_said).
    pub(in crate::node) fn wait_of(
        &mut self,
        core: &Core,
        overlay: &Overlay,
        rights: &Rights,
        sender: &ClientId,
        author: &MemberId,
        body: &Body,
    ) -> Option<Duration> {
        let rate = rate_of(rights, body);
        let is_first_hop = overlay.member_of(sender) == Some(*author);
        let meter = self.meters.members.get(author);
        let wait = meter.and_then(|meter| meter.of(body).wait(rate, is_first_hop, core.now()));
        wait.filter(|_| body.rules().meter != MeterKind::Unmetered)
    }

    /// Refuses what came too soon. Its author is told how long to wait, if it is the link itself.
    pub(in crate::node) fn refuse(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        sender: ClientId,
        author: MemberId,
        (id, say): (&MessageId, &SignedSay),
        wait: Duration,
    ) {
        if overlay.member_of(&sender) != Some(author) {
            return core.drop_packet("metered");
        }
        core.drop_packet("slow");
        if say.client_id == sender {
            self.number_refused(&sender, say.number);
        }
        tell_slow(core, overlay, sender, id, wait);
        self.count_refused(core, overlay, sender, author);
    }

    /// Whether something that was asked for may be taken: it was lost when it was said, and counts by itself, so that what
    /// comes late keeps nothing out that is said now.
    pub(in crate::node) fn is_within_late_rate(
        &mut self,
        core: &Core,
        rights: &Rights,
        author: &MemberId,
        body: &Body,
    ) -> bool {
        let (now, rate) = (core.now(), late(rate_of(rights, body)));
        let meter = self.meters.members.get(author);
        meter.is_none_or(|meter| meter.of(body).late.level(rate, now) >= 1.0)
    }

    /// Who does not listen to how fast one may speak is sent away for a while.
    fn count_refused(&mut self, core: &mut Core, overlay: &mut Overlay, sender: ClientId, author: MemberId) {
        let now = core.now();
        let known = self.meters.refused.get(&author).copied();
        let mut bucket = known.unwrap_or_else(|| Bucket::full(REFUSED, now));
        if !bucket.try_take(REFUSED, now) {
            overlay.send_away(core, &sender, author, "link_of_a_flooder");
        }
        self.meters.refused.insert(author, bucket);
    }

    /// Counts what a member has said.
    pub(in crate::node) fn count_said(
        &mut self,
        core: &Core,
        rights: &Rights,
        author: &MemberId,
        body: &Body,
        was_asked_for: bool,
    ) {
        let now = core.now();
        let (messages, rate) = (message_rate(rights), rate_of(rights, body));
        let members = &mut self.meters.members;
        let mut meter = members
            .get(author)
            .copied()
            .unwrap_or_else(|| Meter::full(messages, now));
        meter.of_mut(body).spend(rate, was_asked_for, now);
        // Inserted anew: only that keeps to the capacity.
        members.insert(*author, meter);
    }

    /// Whether a link may bring something else that may not hold: else it is not looked into.
    pub(in crate::node) fn may_bring_forged(
        &self,
        core: &Core,
        overlay: &Overlay,
        sender: &ClientId,
    ) -> bool {
        let member = overlay.member_of(sender);
        let bucket = member.and_then(|member| self.meters.forged.peek(&member));
        bucket.is_none_or(|bucket| bucket.level(FORGED, core.now()) >= 1.0)
    }

    /// A link brought something that does not hold. One that goes on with it is ended, if it must have known.
    pub(in crate::node) fn brought_forged(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        sender: ClientId,
        must_have_known: bool,
    ) {
        let now = core.now();
        let Some(member) = overlay.member_of(&sender) else {
            return;
        };
        let known = self.meters.forged.get(&member).copied();
        let mut bucket = known.unwrap_or_else(|| Bucket::full(FORGED, now));
        if !bucket.try_take(FORGED, now) && must_have_known {
            overlay.send_away(core, &sender, member, "link_of_a_forger");
        }
        self.meters.forged.insert(member, bucket);
    }
}

fn tell_slow(core: &mut Core, overlay: &mut Overlay, client_id: ClientId, id: &MessageId, wait: Duration) {
    let Some((address, t)) = overlay.next_token(&client_id) else {
        return;
    };
    let mut refused = [0; 16];
    refused.copy_from_slice(&id.0[..16]);
    let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1);
    core.send(address, client_id, &Packet::Slow(Slow { t, refused, wait_ms }));
}

impl Meter {
    fn full(messages: Rate, now: Duration) -> Self {
        Self {
            messages: Buckets::full(messages, now),
            others: Buckets::full(OTHERS, now),
        }
    }

    fn of(&self, body: &Body) -> &Buckets {
        match body.rules().meter {
            MeterKind::Messages => &self.messages,
            MeterKind::Others | MeterKind::Unmetered => &self.others,
        }
    }

    fn of_mut(&mut self, body: &Body) -> &mut Buckets {
        match body.rules().meter {
            MeterKind::Messages => &mut self.messages,
            MeterKind::Others | MeterKind::Unmetered => &mut self.others,
        }
    }
}
