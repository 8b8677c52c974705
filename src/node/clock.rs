//! What time it is in the chat: our own clock, set right by the median of what our links' clocks show, since what we
//! sign has a time in it and invites expire (threats.md, row 26).
//!
//! In hellos and welcomes stands the sender's clock as it is, not as it was set right here: else all would follow each
//! other.

use super::{Node, NodeEvent, Now};
use crate::id::MemberId;

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
    is_told: bool,
}

impl Clock {
    pub(super) fn new(now: &Now) -> Self {
        Self {
            epoch_ms: epoch_of(now),
            off_ms: 0,
            is_told: false,
        }
    }
}

fn epoch_of(now: &Now) -> i64 {
    let elapsed = now.elapsed.as_millis() as i64;
    i64::try_from(now.unix_ms)
        .unwrap_or(i64::MAX)
        .saturating_sub(elapsed)
}

impl Node {
    /// Milliseconds since 1970, as far as the chat can tell.
    pub(super) fn now_ms(&self) -> u64 {
        self.now.unix_ms.saturating_add_signed(self.clock.off_ms)
    }

    /// How far another's clock is ahead of ours.
    pub(super) fn ahead_ms(&self, time_ms: u64) -> i64 {
        let signed = |ms| i64::try_from(ms).unwrap_or(i64::MAX);
        signed(time_ms).saturating_sub(signed(self.now.unix_ms))
    }

    /// Forgets what other clocks showed when our own has jumped.
    pub(super) fn look_for_jump(&mut self) {
        let epoch_ms = epoch_of(&self.now);
        let before = std::mem::replace(&mut self.clock.epoch_ms, epoch_ms);
        if before.abs_diff(epoch_ms) > JUMP_MS {
            for link in self.links.values_mut() {
                link.ahead_ms = None;
            }
            self.clock.off_ms = 0;
        }
    }

    /// Takes the median of what the clocks of at least three other members show.
    pub(super) fn set_clock(&mut self) {
        let mut clocks: Vec<(MemberId, i64)> = self
            .links
            .values()
            .filter_map(|link| Some((link.member, link.ahead_ms?)))
            .collect();
        clocks.sort_unstable();
        clocks.dedup_by_key(|(member, _)| *member);
        let mut ahead: Vec<i64> = clocks.into_iter().map(|(_, ahead)| ahead).collect();
        ahead.sort_unstable();
        // With fewer, what was found before stands. Of an even number the lower of both in the middle.
        if ahead.len() >= LEAST_CLOCKS {
            self.clock.off_ms = ahead[(ahead.len() - 1) / 2].clamp(-MOST_MS, MOST_MS);
        }
    }

    /// Tells the user when the clock is off.
    pub(super) fn look_after_clock(&mut self) {
        self.set_clock();
        let by_ms = self.clock.off_ms;
        if by_ms.abs() > TOLD_PAST_MS && !std::mem::replace(&mut self.clock.is_told, true) {
            self.emit(NodeEvent::ClockOff { by_ms });
        }
        if by_ms.abs() <= RIGHT_WITHIN_MS {
            self.clock.is_told = false;
        }
    }
}
