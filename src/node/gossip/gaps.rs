//! Gaps in the numbers of a session: what is missing among the last 64 is asked for, never more, and one request at a
//! time. A number may be missing for good; then nobody has it, and that ends it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::{Gossip, Overlay};
use crate::id::ClientId;
use crate::node::core::Core;
use crate::node::members::{Member, Members};
use crate::node::overlay::Link;
use crate::wire::{Items, MAX_RANGES, NumberRange};

/// Sessions with gaps that are looked after. A guess.
const MAX_GAPS: usize = 256;

/// Links asked about one gap.
const MAX_ANNOUNCERS: usize = 4;

/// Times that a gap is asked for, of all links together. A guess: at 20 % loss both ways one of 280 comes in none.
const MAX_TRIES: u8 = 6;

/// Which of the last 64 numbers of a session have come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Numbers {
    /// 0: none has.
    highest: u32,
    /// Bit n: `highest - n` has come, or is not asked for.
    come: u64,
}

impl Numbers {
    /// A number came. What came before the first is not missed. Whether a later one than before came.
    fn take(&mut self, number: u32) -> bool {
        if self.highest == 0 {
            (self.highest, self.come) = (number, u64::MAX);
            return true;
        }
        if number <= self.highest {
            self.settle(number);
            return false;
        }
        let ahead = number - self.highest;
        self.come = self.come.checked_shl(ahead).unwrap_or(0) | 1;
        self.highest = number;
        true
    }

    fn settle(&mut self, number: u32) {
        if let Some(bit) = self
            .highest
            .checked_sub(number)
            .and_then(|behind| 1_u64.checked_shl(behind))
        {
            self.come |= bit;
        }
    }

    fn lacks(&self, number: u32) -> bool {
        let behind = self.highest.checked_sub(number);
        number != 0
            && behind
                .and_then(|behind| 1_u64.checked_shl(behind))
                .is_some_and(|bit| self.come & bit == 0)
    }

    /// First and last of each row of what is missing.
    fn missing(&self) -> Vec<(u32, u32)> {
        let lacking = (self.highest.saturating_sub(63)..=self.highest).filter(|number| self.lacks(*number));
        rows(lacking)
    }
}

/// First and last of each row among ascending numbers.
fn rows(numbers: impl Iterator<Item = u32>) -> Vec<(u32, u32)> {
    let mut rows: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match rows.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => rows.push((number, number)),
        }
    }
    rows
}

/// The gaps of all sessions.
#[derive(Debug, Default)]
pub(super) struct Gaps(BTreeMap<ClientId, Gap>);

impl Gaps {
    pub(super) fn due(&self) -> Option<Duration> {
        self.0.values().map(|gap| gap.due).min()
    }
}

#[derive(Debug)]
struct Gap {
    /// Links that brought a later number; the next to ask stands first.
    announcers: VecDeque<ClientId>,
    asked: Option<ClientId>,
    due: Duration,
    tries: u8,
}

impl Gossip {
    /// A session's say was taken. What its number jumped over is asked for, if it does not come by itself.
    pub(in crate::node) fn look_for_gap(
        &mut self,
        core: &Core,
        overlay: &Overlay,
        sender: ClientId,
        (origin, number): (ClientId, u32),
        is_live: bool,
    ) {
        let numbers = self.numbers.entry(origin).or_default();
        // Names that were said long ago say nothing of what was missed since.
        if numbers.highest == 0 && !is_live || !numbers.take(number) || numbers.missing().is_empty() {
            return;
        }
        let patience = overlay.link(&sender).map(Link::patience);
        let due = core.now() + patience.unwrap_or_default();
        let gaps = &mut self.repair.gaps.0;
        if gaps.len() < MAX_GAPS || gaps.contains_key(&origin) {
            let gap = gaps.entry(origin).or_insert_with(|| Gap {
                announcers: VecDeque::new(),
                asked: None,
                due,
                tries: 0,
            });
            // What is missing now is more than it was.
            gap.tries = 0;
            self.repair.wake_at(due);
        }
        self.announces(sender, &origin);
    }

    /// A link brought something of a session that has a gap: it may have what is missing.
    pub(in crate::node) fn announces(&mut self, sender: ClientId, origin: &ClientId) {
        if let Some(gap) = self.repair.gaps.0.get_mut(origin)
            && gap.announcers.len() < MAX_ANNOUNCERS
            && !gap.announcers.contains(&sender)
        {
            gap.announcers.push_back(sender);
        }
    }

    /// A number of a session that its own link said and was refused: it is said again by itself.
    pub(super) fn number_refused(&mut self, origin: &ClientId, number: u32) {
        if let Some(numbers) = self.numbers.get_mut(origin)
            && numbers.highest != 0
        {
            numbers.take(number);
        }
    }

    pub(super) fn is_gap_asked_of(&self, sender: &ClientId, origin: &ClientId, number: u32) -> bool {
        let gap = self.repair.gaps.0.get(origin);
        gap.is_some_and(|gap| gap.asked.is_some_and(|asked| asked == *sender))
            && self.numbers_of(origin).lacks(number)
    }

    fn numbers_of(&self, origin: &ClientId) -> Numbers {
        self.numbers.get(origin).copied().unwrap_or_default()
    }

    /// Asks for what is still missing, "from the next announcer after one more" round trip and a half.
    pub(super) fn ask_for_gaps(&mut self, core: &mut Core, overlay: &mut Overlay) {
        let now = core.now();
        let due = self.repair.gaps.0.iter().filter(|(_, gap)| gap.due <= now);
        let due: Vec<ClientId> = due.map(|(origin, _)| *origin).collect();
        for origin in due {
            let missing = self.numbers_of(&origin).missing();
            let Some(gap) = self.repair.gaps.0.get_mut(&origin) else {
                continue;
            };
            gap.announcers.retain(|link| overlay.is_linked(link));
            let next = gap.announcers.pop_front().filter(|_| gap.tries < MAX_TRIES);
            let (Some(link), false) = (next, missing.is_empty()) else {
                self.give_up_gap(&origin);
                continue;
            };
            gap.announcers.push_back(link);
            gap.tries += 1;
            gap.asked = Some(link);
            gap.due = now + overlay.link(&link).map_or(Duration::ZERO, Link::patience);
            let range = |(first, last): (u32, u32)| NumberRange {
                client_id: origin,
                first,
                last,
            };
            let ranges = missing.into_iter().rev().take(MAX_RANGES).map(range).collect();
            let ids = Vec::new();
            Self::send_want(core, overlay, &link, 0, Items { ids, ranges });
        }
    }

    fn give_up_gap(&mut self, origin: &ClientId) {
        self.repair.gaps.0.remove(origin);
        if let Some(numbers) = self.numbers.get_mut(origin) {
            numbers.come = u64::MAX;
        }
    }

    /// What is held of these numbers and came since; what is not held is added to `missing`.
    pub(super) fn in_ranges(
        &self,
        ranges: &[NumberRange],
        since: Duration,
        missing: &mut Vec<NumberRange>,
    ) -> Vec<Vec<u8>> {
        let mut held = Vec::new();
        for range in ranges {
            let mut lacking = Vec::new();
            for number in range.first..=range.last {
                let before = held.len();
                let says = self.repair.cache.numbered(range.client_id, number);
                let says = says.filter(|say| say.at >= since);
                held.extend(says.map(|say| say.plain.clone()));
                if held.len() == before {
                    lacking.push(number);
                }
            }
            missing.extend(
                rows(lacking.into_iter())
                    .into_iter()
                    .map(|(first, last)| NumberRange {
                        first,
                        last,
                        ..*range
                    }),
            );
        }
        missing.truncate(MAX_RANGES);
        held
    }

    /// A link has none of these numbers: another is asked, or if there is none, nobody any more.
    pub(super) fn end_gaps(&mut self, core: &Core, sender: &ClientId, ranges: &[NumberRange]) {
        let now = core.now();
        for range in ranges {
            let Some(gap) = self.repair.gaps.0.get_mut(&range.client_id) else {
                continue;
            };
            if gap.asked != Some(*sender) {
                continue;
            }
            if gap.announcers.len() > 1 {
                gap.announcers.retain(|link| link != sender);
                (gap.asked, gap.due) = (None, now);
                self.repair.wake_at(now);
                continue;
            }
            let Some(numbers) = self.numbers.get_mut(&range.client_id) else {
                continue;
            };
            for number in range.first..=range.last {
                numbers.settle(number);
            }
        }
    }
}

/// When the member of a link was met: what was said before is history, and as the chat's rule says.
pub(super) fn met_at(core: &Core, overlay: &Overlay, members: &Members, client_id: &ClientId) -> Duration {
    let member = overlay.member_of(client_id);
    let known = member.and_then(|member| members.member(&member));
    let met_ms = known.map_or(0, Member::met_ms);
    let ago = Duration::from_millis(core.now_ms().saturating_sub(met_ms));
    core.now().saturating_sub(ago)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_among_the_last_64() {
        let mut numbers = Numbers::default();
        assert!(numbers.take(100), "the first");
        assert_eq!(numbers.missing(), [], "what came before is not missed");
        numbers.take(103);
        assert_eq!(numbers.missing(), [(101, 102)]);
        numbers.take(101);
        assert_eq!(numbers.missing(), [(102, 102)]);
        numbers.take(165);
        assert_eq!(numbers.missing(), [(102, 102), (104, 164)]);
        numbers.take(2_000_000_000);
        assert_eq!(numbers.missing(), [(1_999_999_937, 1_999_999_999)]);
        numbers.take(1_999_999_936);
        numbers.take(u32::MAX);
        assert_eq!(numbers.missing().len(), 1);
        numbers.take(1);
        assert_eq!(
            numbers.highest,
            u32::MAX,
            "after the last number comes 1: no jump"
        );
    }
}
