//! How many a message reached. Everyone remembers by which link a message came first, and tells that link how many have it
//! by themselves, themselves counted; so the counts run back to the author along the ways that the message took. Nobody
//! is counted twice, as long as nobody lies.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Gossip;
use super::repair::short_id;
use crate::id::{ClientId, MessageId};
use crate::node::NodeEvent;
use crate::node::core::Core;
use crate::node::members::Members;
use crate::wire::ShortId;

/// Messages of which it is known by whom they came. A guess: what a busy chat says in a minute.
const MAX_MESSAGES: usize = 256;

/// Links that one message is counted by; more links than that there never are.
const MAX_CHILDREN: usize = 64;

/// What changed is told after so long, together with what changes meanwhile. Guesses: before the other side would ask by a
/// digest; in a crowd later, so that few reports do.
const REPORT_AFTER: Duration = Duration::from_millis(250);
const REPORT_AFTER_IN_A_CROWD: Duration = Duration::from_millis(450);

/// Above so many members the count is an estimate, and need not be quick. A guess.
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

impl Gossip {
    /// A message came by that link first, or is our own.
    pub(in crate::node) fn came_by(
        &mut self,
        core: &mut Core,
        members: &Members,
        id: MessageId,
        parent: Option<ClientId>,
    ) {
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
        self.report_reach(core, members, &id);
    }

    /// Links tell how many have messages by them.
    pub(super) fn take_reports(
        &mut self,
        core: &mut Core,
        members: &Members,
        sender: ClientId,
        token: &[u8; 8],
        reached: &[(ShortId, u32)],
    ) {
        if reached.is_empty() {
            return;
        }
        let most = u32::try_from(members.others_online()).unwrap_or(u32::MAX);
        let names = self.reaches.order.iter().map(|id| (short_id(token, id), *id));
        let names: BTreeMap<ShortId, MessageId> = names.collect();
        for (short, count) in reached {
            let Some(id) = names.get(short) else { continue };
            self.note_shown(&sender, id);
            let Some(reach) = self.reaches.messages.get_mut(id) else {
                continue;
            };
            let count = (*count).clamp(1, most.max(1));
            let is_full = reach.children.len() >= MAX_CHILDREN && !reach.children.contains_key(&sender);
            if reach.parent == Some(sender) || is_full {
                continue;
            }
            if reach.children.insert(sender, count) != Some(count) {
                self.report_reach(core, members, id);
            }
        }
    }

    /// Tells those who are to know how many have a message by us. Of an own message only once all its fragments have gone out.
    pub(super) fn report_reach(&mut self, core: &mut Core, members: &Members, id: &MessageId) {
        let of = members.others_online();
        let Some(reach) = self.reaches.messages.get(id) else {
            return;
        };
        let total = reach.total();
        let Some(parent) = reach.parent else {
            if total > 0 && !self.outbox.is_waiting(id) {
                let of = u32::try_from(of).unwrap_or(u32::MAX).max(total);
                core.emit(NodeEvent::Reached {
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
        let at = core.now() + wait;
        if let Some(repairing) = self.repairing.get_mut(&parent) {
            repairing.report(*id, total, at);
            self.repair.wake_at(at);
        }
    }
}
