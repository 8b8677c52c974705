//! Telling a link by digests what one has that it has not shown to have, and sending again what it wants of that.

use std::net::SocketAddr;
use std::time::Duration;

use super::{
    ANSWERS, GIVEN_UP, GRACE, JITTER_MS, MAX_AT_ONCE, MAX_SENT, PACKETS, Place, REPEAT, SentDigest, TOLD_FOR,
    TOLD_UNANSWERED, UNANSWERED, short_id, take,
};
use crate::id::{ClientId, MessageId};
use crate::node::Node;
use crate::node::links::Link;
use crate::wire::{Digest, Items, MAX_REACHED, MAX_SHORT_IDS, NotHeld, Packet, ShortId, Want};

impl Node {
    pub(super) fn tell_what_is_held(&mut self, client_id: &ClientId) {
        let now = self.now.elapsed;
        let jitter = Duration::from_millis(self.random_below(JITTER_MS) as u64);
        let Some(link) = self.links.get_mut(client_id) else {
            return;
        };
        if link.repair.digest_at.is_none_or(|at| at > now) {
            return;
        }
        let cache = &self.repair.cache;
        let age = |place: &Place| cache.get(*place).map(|say| now.saturating_sub(say.at));
        let repair = &mut link.repair;
        repair
            .owed
            .retain(|place| age(place).is_some_and(|age| age < TOLD_FOR));
        let ripe = repair
            .owed
            .iter()
            .filter(|place| age(place).is_some_and(|age| age >= GRACE));
        let (most, most_reports) = if repair.unanswered < UNANSWERED {
            (MAX_AT_ONCE * MAX_SHORT_IDS, MAX_AT_ONCE * MAX_REACHED)
        } else {
            (TOLD_UNANSWERED, TOLD_UNANSWERED)
        };
        if repair.unanswered >= GIVEN_UP {
            repair.reports.clear();
        }
        let ripe: Vec<Place> = ripe.take(most).copied().collect();
        let reports = repair.reports.iter().map(|(id, n)| (*id, *n));
        let reports: Vec<(MessageId, u32)> = reports.take(most_reports).collect();
        let is_quiet = repair.owed.is_empty() && reports.is_empty();
        let repeat = REPEAT.max(link.patience());
        let count = ripe
            .len()
            .div_ceil(MAX_SHORT_IDS)
            .max(reports.len().div_ceil(MAX_REACHED));
        let repeat_at = if count == 0 {
            now + repeat
        } else {
            link.repair.after_round(now, repeat)
        };
        link.repair.digest_at = (!is_quiet).then_some(repeat_at + jitter);
        for n in 0..count {
            let held = ripe.iter().skip(n * MAX_SHORT_IDS).take(MAX_SHORT_IDS);
            let reports = reports.iter().skip(n * MAX_REACHED).take(MAX_REACHED);
            self.send_digest(client_id, held.copied().collect(), reports.copied().collect());
        }
    }

    fn send_digest(&mut self, client_id: &ClientId, places: Vec<Place>, reports: Vec<(MessageId, u32)>) {
        let Some(link) = self.links.get_mut(client_id) else {
            return;
        };
        let Some(t) = link.next_token() else { return };
        let cache = &self.repair.cache;
        let short = |place: Place| Some((short_id(&t.token, &cache.get(place)?.id), place));
        let held: Vec<(ShortId, Place)> = places.into_iter().filter_map(short).collect();
        link.repair.seq = link.repair.seq.wrapping_add(1).max(1);
        let digest = Digest {
            t,
            seq: link.repair.seq,
            held: held.iter().map(|(short, _)| *short).collect(),
            reached: reports
                .iter()
                .map(|(id, members)| (short_id(&t.token, id), *members))
                .collect(),
        };
        if link.repair.sent.len() >= MAX_SENT {
            link.repair.sent.pop_front();
        }
        link.repair.sent.push_back(SentDigest {
            seq: digest.seq,
            held,
            reports,
        });
        let address = link.address;
        self.send(address, *client_id, &Packet::Digest(digest));
    }

    /// A link answers a digest, or asks for numbers.
    pub(in crate::node) fn handle_want(&mut self, from: SocketAddr, sender: ClientId, want: &Want) {
        if !self.accept_token(from, sender, &want.t) {
            return;
        }
        let now = self.now.elapsed;
        let Some(link) = self.links.get_mut(&sender) else {
            return;
        };
        let repair = &mut link.repair;
        if !take(&mut repair.wants, PACKETS, now) {
            return self.drop_packet("want_budget");
        }
        let mut wanted = Vec::new();
        let mut missing = Items::default();
        let answered = repair.sent.iter().find(|sent| sent.seq == want.seq);
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
                repair.owed.remove(place);
            }
            for (id, members) in &sent.reports {
                if repair.reports.get(id) == Some(members) {
                    repair.reports.remove(id);
                }
            }
            if let Some(at) = repair.answered(now) {
                self.repair.wake_at(at);
            }
        }
        let mut answers: Vec<Vec<u8>> = wanted
            .into_iter()
            .filter_map(|place| Some(self.repair.cache.get(place)?.plain.clone()))
            .collect();
        let since = self.met_at(&sender);
        answers.extend(self.in_ranges(&want.items.ranges, since, &mut missing.ranges));
        self.send_again(from, sender, answers);
        self.say_not_held(from, sender, missing);
    }

    /// Sends says again, as far as the link may have us do that.
    fn send_again(&mut self, to: SocketAddr, client_id: ClientId, says: Vec<Vec<u8>>) {
        let now = self.now.elapsed;
        for plain in says {
            let link = self.links.get_mut(&client_id);
            if !link.is_some_and(|link| take(&mut link.repair.answers, ANSWERS, now)) {
                return self.drop_packet("repair_budget");
            }
            self.send_plain(to, client_id, &plain);
        }
    }

    fn say_not_held(&mut self, to: SocketAddr, client_id: ClientId, items: Items) {
        if items.is_empty() {
            return;
        }
        if let Some(t) = self.links.get_mut(&client_id).and_then(Link::next_token) {
            self.send(to, client_id, &Packet::NotHeld(NotHeld { t, items }));
        }
    }
}
