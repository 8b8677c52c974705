//! What time it is in the chat: our own clock, set right by the median of what our links' clocks show, since what we
//! sign has a time in it and invites expire (docs/security.md).
//!
//! In hellos and welcomes stands the sender's clock as it is, not as it was set right here: else all would follow each
//! other.

use std::collections::BTreeMap;

use super::Now;
use crate::id::{ClientId, MemberId};

/// Members whose clocks are asked at least. One may lie, or be wrong.
const LEAST_CLOCKS: usize = 3;

/// "At most ±12 h": beyond that the others are as likely to be wrong.
const MOST_MS: i64 = 12 * 3_600_000;

/// Past this the user is told. A guess: what a clock that is set over the net is never off, and what a reader of
/// timelines would see.
const TOLD_PAST_MS: i64 = 120_000;

/// Told once; and again when it was right in between, by so much at most.
const RIGHT_WITHIN_MS: i64 = 60_000;

/// Our own two clocks part by more than this when somebody sets the one, or the computer slept: what was compared with it
/// before tells nothing any more. A guess.
const JUMP_MS: u64 = 10_000;

/// The chat's clock.
#[derive(Debug)]
pub(super) struct Clock {
    /// What our clock showed when we began to count time.
    epoch_ms: i64,
    /// What has to be added to our clock.
    off_ms: i64,
    /// How far the clocks of links were ahead of ours when they came.
    ahead: BTreeMap<ClientId, (MemberId, i64)>,
    is_told: bool,
}

impl Clock {
    pub(super) fn new(now: &Now) -> Self {
        Self {
            epoch_ms: epoch_of(now),
            off_ms: 0,
            ahead: BTreeMap::new(),
            is_told: false,
        }
    }

    /// A time that our own clock shows, set right.
    pub(super) fn set_right(&self, own_ms: u64) -> u64 {
        own_ms.saturating_add_signed(self.off_ms)
    }

    /// A link stands, whose member's clock is so far ahead of ours, if it has told.
    pub(super) fn linked(&mut self, client_id: ClientId, member: MemberId, ahead_ms: Option<i64>) {
        match ahead_ms {
            Some(ahead_ms) => self.ahead.insert(client_id, (member, ahead_ms)),
            None => self.ahead.remove(&client_id),
        };
        self.set();
    }

    /// A link ended.
    pub(super) fn unlinked(&mut self, client_id: &ClientId) {
        self.ahead.remove(client_id);
    }

    /// Forgets what other clocks showed when our own has jumped.
    pub(super) fn look_for_jump(&mut self, now: &Now) {
        let epoch_ms = epoch_of(now);
        let before = std::mem::replace(&mut self.epoch_ms, epoch_ms);
        if before.abs_diff(epoch_ms) > JUMP_MS {
            self.ahead.clear();
            self.off_ms = 0;
        }
    }

    /// Takes the median of what the clocks of at least three other members show.
    fn set(&mut self) {
        let mut clocks: Vec<(MemberId, i64)> = self.ahead.values().copied().collect();
        clocks.sort_unstable();
        clocks.dedup_by_key(|(member, _)| *member);
        let mut ahead: Vec<i64> = clocks.into_iter().map(|(_, ahead)| ahead).collect();
        ahead.sort_unstable();
        // With fewer, what was found before stands. Of an even number the lower of both in the middle.
        if ahead.len() >= LEAST_CLOCKS {
            self.off_ms = ahead[(ahead.len() - 1) / 2].clamp(-MOST_MS, MOST_MS);
        }
    }

    /// By how much our clock is off, in ms, if that is to be told.
    pub(super) fn look_after(&mut self) -> Option<i64> {
        self.set();
        let by_ms = self.off_ms;
        if by_ms.abs() > TOLD_PAST_MS && !std::mem::replace(&mut self.is_told, true) {
            return Some(by_ms);
        }
        if by_ms.abs() <= RIGHT_WITHIN_MS {
            self.is_told = false;
        }
        None
    }
}

fn epoch_of(now: &Now) -> i64 {
    let elapsed = now.elapsed.as_millis() as i64;
    i64::try_from(now.unix_ms)
        .unwrap_or(i64::MAX)
        .saturating_sub(elapsed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn now(elapsed_s: u64, unix_s: u64) -> Now {
        Now {
            elapsed: Duration::from_secs(elapsed_s),
            unix_ms: unix_s * 1_000,
        }
    }

    fn linked(clock: &mut Clock, n: u8, ahead_s: i64) {
        clock.linked(ClientId([n; 32]), MemberId([n; 32]), Some(ahead_s * 1_000));
    }

    #[test]
    fn three_members_set_it_right_and_one_liar_does_not() {
        let mut clock = Clock::new(&now(0, 1_000));
        linked(&mut clock, 1, 3_600);
        linked(&mut clock, 2, 3_601);
        assert_eq!(clock.set_right(1_000_000), 1_000_000, "two are too few");
        linked(&mut clock, 3, -80_000);
        assert_eq!(clock.set_right(1_000_000), 1_000_000 + 3_600_000);
        assert_eq!(clock.look_after(), Some(3_600_000), "told");
        assert_eq!(clock.look_after(), None, "once");
    }

    #[test]
    fn a_jump_of_our_own_clock_forgets_what_others_showed() {
        let mut clock = Clock::new(&now(0, 1_000));
        for n in 1..=3 {
            linked(&mut clock, n, 500);
        }
        clock.look_for_jump(&now(5, 1_014));
        assert_eq!(clock.set_right(0), 500_000, "nine seconds are no jump");
        clock.look_for_jump(&now(6, 1_600));
        assert_eq!(clock.set_right(0), 0);
    }
}
