//! How far own messages have got. This is kept beside the rows, since a message may be loaded later, dropped, and loaded
//! again.

use std::collections::{HashMap, VecDeque};

use super::Delivery;
use crate::id::MessageId;

/// How many messages are remembered, the latest. A guess: more than anyone says in a run.
const MAX_KNOWN: usize = 1_024;

/// How far own messages have got.
#[derive(Debug, Clone, Default)]
pub(super) struct Deliveries {
    /// Only looked up, never walked.
    known: HashMap<MessageId, Delivery>,
    /// Their ids, the oldest first.
    order: VecDeque<MessageId>,
}

impl Deliveries {
    pub(super) fn set(&mut self, id: MessageId, delivery: Delivery) {
        if self.known.insert(id, delivery).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > MAX_KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub(super) fn of(&self, id: MessageId) -> Option<Delivery> {
        self.known.get(&id).copied()
    }
}
