//! Which known addresses of a chat its node should try again, and when: all of them at the start, after the last link was
//! lost, and when the network has changed. The node then tries them, with growing pauses, until links are up.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::id::ClientId;

/// How many addresses are kept of a chat: as many as the store keeps and an invite names, with room to spare.
const MAX_TARGETS: usize = 64;

/// How long to wait after the last link was lost: a peer that restarts comes back by itself first. A guess.
const AFTER_LOSS: Duration = Duration::from_secs(2);

/// An address where a member may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// Whose address it is, if only that session is to be tried (classic chats).
    pub(super) client_id: Option<ClientId>,
    /// Where.
    pub(super) address: SocketAddr,
    /// Others say so; no link has stood there yet.
    pub(super) is_hearsay: bool,
}

impl Target {
    /// Somewhere that a member was, or that the user or an invite names.
    pub(super) fn at(address: SocketAddr) -> Self {
        Self {
            client_id: None,
            address,
            is_hearsay: false,
        }
    }

    /// Somewhere that a member is said to be.
    pub(super) fn said_to_be_at(address: SocketAddr) -> Self {
        Self {
            is_hearsay: true,
            ..Self::at(address)
        }
    }

    fn is_same_place(&self, other: &Self) -> bool {
        (self.client_id, self.address) == (other.client_id, other.address)
    }
}

/// What to try, and when. Times are those of [`Now::elapsed`](crate::node::Now::elapsed).
#[derive(Debug, Default)]
pub(super) struct Reconnect {
    /// The newest first.
    targets: VecDeque<Target>,
    links: usize,
    due: Option<Duration>,
}

impl Reconnect {
    /// Tries all of `targets` from `now` on; if they are too many, the first ones.
    pub(super) fn new(targets: impl IntoIterator<Item = Target>, now: Duration) -> Self {
        let mut new = Self {
            due: Some(now),
            ..Self::default()
        };
        for target in targets {
            new.add_last(target);
        }
        new
    }

    /// Adds a target that is tried after all others, if there is room.
    pub(super) fn add_last(&mut self, target: Target) {
        let is_known = self.targets.iter().any(|known| known.is_same_place(&target));
        if !is_known && self.targets.len() < MAX_TARGETS {
            self.targets.push_back(target);
        }
    }

    /// Adds a target, newer than all others. The oldest makes room.
    pub(super) fn add(&mut self, target: Target) {
        self.targets.retain(|known| !known.is_same_place(&target));
        self.targets.push_front(target);
        self.targets.truncate(MAX_TARGETS);
    }

    /// Removes a session that is over.
    pub(super) fn forget(&mut self, client_id: ClientId) {
        self.targets.retain(|target| target.client_id != Some(client_id));
    }

    /// When [`Self::take_due`] has something.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// What the node should try now: all targets or none.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<Target> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.due = None;
        // The node tries first what it was told last.
        self.targets.iter().rev().copied().collect()
    }

    /// A link is up.
    pub(super) fn linked(&mut self) {
        self.links += 1;
        self.due = None;
    }

    /// A link is down. If it was the last, all targets are tried after a pause.
    pub(super) fn lost(&mut self, now: Duration) {
        self.links = self.links.saturating_sub(1);
        if self.links == 0 {
            self.due = Some(now + AFTER_LOSS);
        }
    }

    /// Whether any link is up.
    pub(super) fn is_linked(&self) -> bool {
        self.links > 0
    }

    /// Tries all targets at once.
    pub(super) fn restart(&mut self, now: Duration) {
        self.due = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn target(port: u16) -> Target {
        Target::at(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    #[test]
    fn all_are_tried_at_the_start_and_after_the_last_loss() {
        let mut reconnect = Reconnect::new([target(1), target(2), target(1)], secs(0));
        assert_eq!(reconnect.take_due(secs(0)), [target(2), target(1)]);
        assert!(
            reconnect.take_due(secs(1)).is_empty(),
            "the node goes on by itself"
        );
        reconnect.linked();
        reconnect.linked();
        reconnect.lost(secs(200));
        assert_eq!(reconnect.due(), None);
        reconnect.lost(secs(201));
        assert_eq!(reconnect.due(), Some(secs(203)));
        reconnect.linked();
        assert_eq!(reconnect.due(), None);
        reconnect.restart(secs(300));
        assert_eq!(reconnect.take_due(secs(300)).len(), 2);
    }

    #[test]
    fn the_newest_targets_are_kept() {
        let mut reconnect = Reconnect::new([], secs(0));
        for port in 1..=100 {
            reconnect.add(target(port));
        }
        reconnect.add(target(50));
        let tried = reconnect.take_due(secs(0));
        assert_eq!(
            (tried.len(), tried[63], tried[62]),
            (MAX_TARGETS, target(50), target(100))
        );
    }

    #[test]
    fn a_session_that_is_over_is_not_tried() {
        let client_id = Some(ClientId([1; 32]));
        let mut reconnect = Reconnect::new(
            [
                Target {
                    client_id,
                    ..target(1)
                },
                target(2),
            ],
            secs(0),
        );
        reconnect.forget(ClientId([1; 32]));
        assert_eq!(reconnect.take_due(secs(0)), [target(2)]);
    }
}
