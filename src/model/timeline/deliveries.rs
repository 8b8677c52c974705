//! How far own messages have got, kept beside the rows: a message may be loaded after that is told, dropped, and loaded
//! again.

use std::collections::{HashMap, VecDeque};

use super::Delivery;
use crate::id::MessageId;

/// So many messages are remembered, those that were told of last (a guess: more than anyone says in a run).
const MAX_KNOWN: usize = 1_024;

/// How far own messages have got.
#[derive(Debug, Clone, Default)]
pub(super) struct Deliveries {
    /// Only looked up, never walked.
    known: HashMap<MessageId, Delivery>,
    /// The names of those, the longest known first.
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
