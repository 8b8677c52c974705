//! How many a message reached. Everyone remembers by which link a message came first, and tells that link how many have it
//! by themselves, themselves counted; so the counts run back to the author along the ways that the message took. Nobody
//! is counted twice, as long as nobody lies.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::repair::short_id;
use super::{Kind, Node, NodeEvent};
use crate::id::{ClientId, MemberId, MessageId};
use crate::wire::ShortId;

/// Messages of which it is known by whom they came. A guess: what a busy chat says in a minute.
const MAX_MESSAGES: usize = 256;

/// Links that one message is counted by; more links than that there never are.
const MAX_CHILDREN: usize = 64;

/// What changed is told after so long, together with what changes meanwhile. Guesses: before the other side would ask by a
/// digest; in a crowd later, so that few reports do.
const REPORT_AFTER: Duration = Duration::from_millis(250);
const REPORT_AFTER_IN_A_CROWD: Duration = Duration::from_millis(450);

/// Above so many members the count is an estimate, and need not be quick (design).
const EXACT_TO: usize = 32;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Reaches {
    messages: BTreeMap<MessageId, Reach>,
    order: VecDeque<MessageId>,
}

#[derive(Debug)]
struct Reach {
    /// The link by which it came first; none: it is our own.
    parent: Option<ClientId>,
    children: BTreeMap<ClientId, u32>,
}

impl Reach {
    fn total(&self) -> u32 {
        let sum = self
            .children
            .values()
            .fold(0_u32, |sum, n| sum.saturating_add(*n));
        sum.saturating_add(u32::from(self.parent.is_some()))
    }
}

impl Node {
    /// A message came by that link first, or is our own.
    pub(super) fn came_by(&mut self, id: MessageId, parent: Option<ClientId>) {
        let reaches = &mut self.reaches;
        if reaches.messages.contains_key(&id) {
            return;
        }
        if reaches.order.len() >= MAX_MESSAGES
            && let Some(oldest) = reaches.order.pop_front()
        {
            reaches.messages.remove(&oldest);
        }
        reaches.order.push_back(id);
        let children = BTreeMap::new();
        reaches.messages.insert(id, Reach { parent, children });
        self.report_reach(&id);
    }

    /// Links tell how many have messages by them.
    pub(super) fn take_reports(&mut self, sender: ClientId, token: &[u8; 8], reached: &[(ShortId, u32)]) {
        if reached.is_empty() {
            return;
        }
        let most = u32::try_from(self.others_online()).unwrap_or(u32::MAX);
        let names = self.reaches.order.iter().map(|id| (short_id(token, id), *id));
        let names: BTreeMap<ShortId, MessageId> = names.collect();
        for (short, members) in reached {
            let Some(id) = names.get(short) else { continue };
            self.has_shown(&sender, id);
            let Some(reach) = self.reaches.messages.get_mut(id) else {
                continue;
            };
            let members = (*members).clamp(1, most.max(1));
            let is_full = reach.children.len() >= MAX_CHILDREN && !reach.children.contains_key(&sender);
            if reach.parent == Some(sender) || is_full {
                continue;
            }
            if reach.children.insert(sender, members) != Some(members) {
                self.report_reach(id);
            }
        }
    }

    /// Tells whoever is to know how many have a message by us. Of an own message only once all its parts have gone out.
    pub(super) fn report_reach(&mut self, id: &MessageId) {
        let of = self.others_online();
        let Some(reach) = self.reaches.messages.get(id) else {
            return;
        };
        let total = reach.total();
        let Some(parent) = reach.parent else {
            if total > 0 && !self.outbox.is_waiting(id) {
                let of = u32::try_from(of).unwrap_or(u32::MAX).max(total);
                self.emit(NodeEvent::Reached {
                    id: *id,
                    members: total,
                    of,
                });
            }
            return;
        };
        let wait = if of < EXACT_TO {
            REPORT_AFTER
        } else {
            REPORT_AFTER_IN_A_CROWD
        };
        let at = self.now.elapsed + wait;
        if let Some(link) = self.links.get_mut(&parent) {
            link.repair.report(*id, total, at);
            self.repair.wake_at(at);
        }
    }

    /// Other members that are there.
    fn others_online(&self) -> usize {
        let Kind::Signed(signed) = &self.kind else {
            return 0;
        };
        let online = signed.sessions().filter(|(_, session)| session.online);
        let mut members: Vec<MemberId> = online.map(|(_, session)| session.member).collect();
        members.sort_unstable();
        members.dedup();
        members.len().saturating_sub(1)
    }
}
