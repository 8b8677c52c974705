//! Whose sessions the says of a round are: history names sessions by their first bytes alone.

use std::collections::BTreeMap;

use crate::id::{ClientId, MemberId};
use crate::wire::ShortSession;

/// Sessions known to a round, by which says are put together. A guess; 70 bytes each.
const MAX_AUTHORS: usize = 2_048;

/// Sessions whose client_ids begin alike. A guess: more only by somebody's intent.
const MAX_ALIKE: usize = 4;

/// Sessions, by the first bytes of their client_id.
#[derive(Default)]
pub(super) struct Authors {
    by_short: BTreeMap<ShortSession, Vec<(ClientId, MemberId)>>,
    count: usize,
}

impl Authors {
    pub(super) fn add(&mut self, client_id: ClientId, member: MemberId) {
        let alike = self.by_short.entry(short(&client_id)).or_default();
        if self.count >= MAX_AUTHORS || alike.contains(&(client_id, member)) {
            return;
        }
        // What came last is the likeliest to be true.
        alike.insert(0, (client_id, member));
        self.count += 1;
        if alike.len() > MAX_ALIKE {
            alike.pop();
            self.count -= 1;
        }
    }

    pub(super) fn of(&self, short: &ShortSession) -> &[(ClientId, MemberId)] {
        self.by_short.get(short).map_or(&[], Vec::as_slice)
    }

    /// So many, ascending.
    pub(super) fn known(&self, most: usize) -> Vec<ShortSession> {
        let some = self.by_short.iter().filter(|(_, alike)| !alike.is_empty());
        some.map(|(short, _)| *short).take(most).collect()
    }
}

pub(super) fn short(client_id: &ClientId) -> ShortSession {
    [client_id.0[0], client_id.0[1], client_id.0[2]]
}
