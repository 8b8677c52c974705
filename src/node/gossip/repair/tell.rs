//! Telling a link by digests what one has that it has not shown to have, and sending again what it wants of that.

use std::net::SocketAddr;
use std::time::Duration;

use super::{
    ANSWERS, GIVEN_UP, GRACE, JITTER_MS, MAX_AT_ONCE, MAX_SENT, PACKETS, Place, REPEAT, SentDigest, TOLD_FOR,
    TOLD_UNANSWERED, UNANSWERED, short_id,
};
use crate::id::{ClientId, MessageId};
use crate::node::bucket::try_take;
use crate::node::core::Core;
use crate::node::gossip::Gossip;
use crate::node::gossip::gaps::met_at;
use crate::node::members::Members;
use crate::node::overlay::{Link, Overlay};
use crate::wire::{Digest, Items, MAX_REACHED, MAX_SHORT_IDS, NotHeld, Packet, ShortId, Want};

impl Gossip {
    pub(super) fn tell_what_is_held(&mut self, core: &mut Core, overlay: &mut Overlay, client_id: &ClientId) {
        let now = core.now();
        let jitter = Duration::from_millis(core.random_below(JITTER_MS) as u64);
        let Some(patience) = overlay.link(client_id).map(Link::patience) else {
            return;
        };
        let Some(repairing) = self.repairing.get_mut(client_id) else {
            return;
        };
        if repairing.digest_at.is_none_or(|at| at > now) {
            return;
        }
        let cache = &self.repair.cache;
        let age = |place: &Place| cache.get(*place).map(|say| now.saturating_sub(say.at));
        repairing
            .owed
            .retain(|place| age(place).is_some_and(|age| age < TOLD_FOR));
        let ripe = repairing
            .owed
            .iter()
            .filter(|place| age(place).is_some_and(|age| age >= GRACE));
        let (most, most_reports) = if repairing.unanswered < UNANSWERED {
            (MAX_AT_ONCE * MAX_SHORT_IDS, MAX_AT_ONCE * MAX_REACHED)
        } else {
            (TOLD_UNANSWERED, TOLD_UNANSWERED)
        };
        if repairing.unanswered >= GIVEN_UP {
            repairing.reports.clear();
        }
        let ripe: Vec<Place> = ripe.take(most).copied().collect();
        let reports = repairing.reports.iter().map(|(id, n)| (*id, *n));
        let reports: Vec<(MessageId, u32)> = reports.take(most_reports).collect();
        let is_quiet = repairing.owed.is_empty() && reports.is_empty();
        let repeat = REPEAT.max(patience);
        let count = ripe
            .len()
            .div_ceil(MAX_SHORT_IDS)
            .max(reports.len().div_ceil(MAX_REACHED));
        let repeat_at = if count == 0 {
            now + repeat
        } else {
            repairing.after_round(now, repeat)
        };
        repairing.digest_at = (!is_quiet).then_some(repeat_at + jitter);
        for n in 0..count {
            let held = ripe.iter().skip(n * MAX_SHORT_IDS).take(MAX_SHORT_IDS);
            let reports = reports.iter().skip(n * MAX_REACHED).take(MAX_REACHED);
            let (held, reports) = (held.copied().collect(), reports.copied().collect());
            self.send_digest(core, overlay, client_id, held, reports);
        }
    }

    fn send_digest(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        client_id: &ClientId,
        places: Vec<Place>,
        reports: Vec<(MessageId, u32)>,
    ) {
        let Some((address, t)) = overlay.next_token(client_id) else {
            return;
        };
        let Some(repairing) = self.repairing.get_mut(client_id) else {
            return;
        };
        let cache = &self.repair.cache;
        let short = |place: Place| Some((short_id(&t.token, &cache.get(place)?.id), place));
        let held: Vec<(ShortId, Place)> = places.into_iter().filter_map(short).collect();
        repairing.seq = repairing.seq.wrapping_add(1).max(1);
        let digest = Digest {
            t,
            seq: repairing.seq,
            held: held.iter().map(|(short, _)| *short).collect(),
            reached: reports
                .iter()
                .map(|(id, members)| (short_id(&t.token, id), *members))
                .collect(),
        };
        if repairing.sent.len() >= MAX_SENT {
            repairing.sent.pop_front();
        }
        repairing.sent.push_back(SentDigest {
            seq: digest.seq,
            held,
            reports,
        });
        core.send(address, *client_id, &Packet::Digest(digest));
    }

    /// A link answers a digest, or asks for numbers.
    pub(in crate::node) fn on_want(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &Members,
        (from, sender): (SocketAddr, ClientId),
        want: &Want,
    ) {
        let now = core.now();
        let Some(repairing) = self.repairing.get_mut(&sender) else {
            return;
        };
        if !try_take(&mut repairing.wants, PACKETS, now) {
            return core.drop_packet("want_budget");
        }
        let mut wanted = Vec::new();
        let mut missing = Items::default();
        let answered = repairing.sent.iter().find(|sent| sent.seq == want.seq);
        for short in &want.items.ids {
            let mut told = answered.iter().flat_map(|sent| &sent.held);
            match told.find(|(told, _)| told == short) {
                Some((_, place)) if self.repair.cache.get(*place).is_some() => wanted.push(*place),
                _ => missing.ids.push(*short),
            }
        }
        if let Some(sent) = answered {
            for (_, place) in sent
                .held
                .iter()
                .filter(|(short, _)| !want.items.ids.contains(short))
            {
                repairing.owed.remove(place);
            }
            for (id, members) in &sent.reports {
                if repairing.reports.get(id) == Some(members) {
                    repairing.reports.remove(id);
                }
            }
            if let Some(at) = repairing.answered(now) {
                self.repair.wake_at(at);
            }
        }
        let mut answers: Vec<Vec<u8>> = wanted
            .into_iter()
            .filter_map(|place| Some(self.repair.cache.get(place)?.plain.clone()))
            .collect();
        let since = met_at(core, overlay, members, &sender);
        answers.extend(self.in_ranges(&want.items.ranges, since, &mut missing.ranges));
        self.send_again(core, from, sender, answers);
        say_not_held(core, overlay, from, sender, missing);
    }

    /// Sends says again, as far as the link may have us do that.
    fn send_again(&mut self, core: &mut Core, to: SocketAddr, client_id: ClientId, says: Vec<Vec<u8>>) {
        let now = core.now();
        let Some(repairing) = self.repairing.get_mut(&client_id) else {
            return;
        };
        for plain in says {
            if !try_take(&mut repairing.answers, ANSWERS, now) {
                return core.drop_packet("repair_budget");
            }
            core.send_plain(to, client_id, &plain);
        }
    }
}

fn say_not_held(core: &mut Core, overlay: &mut Overlay, to: SocketAddr, client_id: ClientId, items: Items) {
    if !items.is_empty()
        && let Some((_, t)) = overlay.next_token(&client_id)
    {
        core.send(to, client_id, &Packet::NotHeld(NotHeld { t, items }));
    }
}
