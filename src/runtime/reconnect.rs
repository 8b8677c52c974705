//! When to try which addresses of a chat again: all of them while no link stands, ever more seldom.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::id::ClientId;

/// Addresses kept of a chat, the newest first: as many as the store keeps and an invite names, with room to spare.
const MAX_TARGETS: usize = 64;

/// The first wait, doubled up to [`LAST_WAIT`]. Both are guesses: a restarted peer is back after seconds, and nobody
/// minds one packet a minute.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LAST_WAIT: Duration = Duration::from_secs(60);

/// Somewhere a member may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// Whose address it is, if only that session is to be tried (classic chats).
    pub(super) client_id: Option<ClientId>,
    /// Where.
    pub(super) address: SocketAddr,
}

/// What to try, and when next. Times are those of [`Now::elapsed`](crate::node::Now::elapsed).
#[derive(Debug, Default)]
pub(super) struct Reconnect {
    targets: VecDeque<Target>,
    links: usize,
    /// How often all were tried since the last link stood.
    rounds: u32,
    next: Option<Duration>,
    stopped: bool,
}

impl Reconnect {
    /// Tries all of `targets` from `now` on, those named first being the ones to keep if they are too many.
    pub(super) fn new(targets: impl IntoIterator<Item = Target>, now: Duration) -> Self {
        let mut new = Self { next: Some(now), ..Self::default() };
        for target in targets {
            if new.targets.len() < MAX_TARGETS && !new.targets.contains(&target) {
                new.targets.push_back(target);
            }
        }
        new
    }

    /// Another target, newer than all others. The oldest makes room.
    pub(super) fn add(&mut self, target: Target) {
        self.targets.retain(|known| *known != target);
        self.targets.push_front(target);
        self.targets.truncate(MAX_TARGETS);
    }

    /// When [`Self::take_due`] has something; `None`: not before something changes.
    pub(super) fn next(&self) -> Option<Duration> {
        self.next.filter(|_| self.links == 0 && !self.stopped && !self.targets.is_empty())
    }

    /// What is to be tried now: all or nothing.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<Target> {
        if self.next().is_none_or(|next| next > now) {
            return Vec::new();
        }
        let wait = FIRST_WAIT.saturating_mul(1 << self.rounds.min(5)).min(LAST_WAIT);
        self.rounds += 1;
        self.next = Some(now + wait);
        self.targets.iter().copied().collect()
    }

    /// A link stands.
    pub(super) fn linked(&mut self) {
        self.links += 1;
        self.rounds = 0;
    }

    /// A link is gone. If it was the last, the others are tried in a moment.
    pub(super) fn lost(&mut self, now: Duration) {
        self.links = self.links.saturating_sub(1);
        if self.links == 0 {
            self.rounds = 0;
            self.next = Some(now + FIRST_WAIT);
        }
    }

    /// Whether any link stands.
    pub(super) fn is_linked(&self) -> bool {
        self.links > 0
    }

    /// Tries everything at once, whatever was before: asked for, or another network.
    pub(super) fn restart(&mut self, now: Duration) {
        self.stopped = false;
        self.rounds = 0;
        self.next = Some(now);
    }

    /// Tries nothing more until [`Self::restart`].
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn target(port: u16) -> Target {
        Target { client_id: None, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    #[test]
    fn waits_double_up_to_a_minute_while_no_link_stands() {
        let mut reconnect = Reconnect::new([target(1), target(2), target(1)], secs(0));
        let mut at = Vec::new();
        for _ in 0..8 {
            let now = reconnect.next().expect("no link stands");
            assert_eq!(reconnect.take_due(now), [target(1), target(2)]);
            assert!(reconnect.take_due(now).is_empty());
            at.push(now.as_secs());
        }
        assert_eq!(at, [0, 2, 6, 14, 30, 62, 122, 182]);
        reconnect.linked();
        reconnect.linked();
        reconnect.lost(secs(200));
        assert_eq!(reconnect.next(), None);
        reconnect.lost(secs(201));
        assert_eq!(reconnect.next(), Some(secs(203)));
        reconnect.stop();
        assert_eq!(reconnect.next(), None);
        reconnect.restart(secs(300));
        assert_eq!(reconnect.take_due(secs(300)).len(), 2);
    }

    #[test]
    fn the_newest_targets_are_kept() {
        let mut reconnect = Reconnect::new([], secs(0));
        assert_eq!(reconnect.next(), None, "there is nobody to try");
        for port in 1..=100 {
            reconnect.add(target(port));
        }
        reconnect.add(target(50));
        let tried = reconnect.take_due(secs(0));
        assert_eq!((tried.len(), tried[0], tried[1]), (MAX_TARGETS, target(50), target(100)));
    }
}
