//! Says of the last minutes, as they would be sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::id::{ClientId, MessageId};

/// A say is kept for so long: 10 minutes, a guess.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// And all of them in so many bytes: 8 MiB, a guess.
const MAX_BYTES: usize = 8 << 20;

/// What one costs beside its own bytes: its places in three maps. A guess.
const OVERHEAD: usize = 256;

/// The order in which says came, counted from 0.
pub(super) type Place = u64;

/// A say that went out, by us or passed on.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) id: MessageId,
    pub(super) client_id: ClientId,
    pub(super) number: u32,
    pub(super) at: Duration,
    /// The packet, to be sealed for those who want it.
    pub(super) plain: Vec<u8>,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Cache {
    says: BTreeMap<Place, Kept>,
    by_id: BTreeMap<MessageId, Place>,
    by_number: BTreeSet<(ClientId, u32, Place)>,
    next: Place,
    bytes: usize,
}

impl Cache {
    /// Keeps a say; the oldest leave for it. Its place.
    pub(super) fn insert(&mut self, say: Kept) -> Place {
        if let Some(place) = self.by_id.get(&say.id) {
            return *place;
        }
        self.forget_old(say.at);
        self.bytes += say.plain.len() + OVERHEAD;
        let place = self.next;
        self.next += 1;
        self.by_id.insert(say.id, place);
        self.by_number.insert((say.client_id, say.number, place));
        self.says.insert(place, say);
        while self.bytes > MAX_BYTES && self.says.len() > 1 {
            self.forget_first();
        }
        place
    }

    pub(super) fn get(&self, place: Place) -> Option<&Kept> {
        self.says.get(&place)
    }

    pub(super) fn place_of(&self, id: &MessageId) -> Option<Place> {
        self.by_id.get(id).copied()
    }

    /// What a session said under a number: two says, if it said two.
    pub(super) fn numbered(&self, client_id: ClientId, number: u32) -> impl Iterator<Item = &Kept> {
        self.by_number
            .range((client_id, number, 0)..=(client_id, number, Place::MAX))
            .filter_map(|(_, _, place)| self.says.get(place))
    }

    fn forget_old(&mut self, now: Duration) {
        while let Some((_, first)) = self.says.first_key_value()
            && now.saturating_sub(first.at) > KEPT_FOR
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((place, say)) = self.says.pop_first() {
            self.bytes -= say.plain.len() + OVERHEAD;
            self.by_id.remove(&say.id);
            self.by_number.remove(&(say.client_id, say.number, place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(number: u32, len: usize, at_secs: u64) -> Kept {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        Kept {
            id: MessageId(id),
            client_id: ClientId([1; 32]),
            number,
            at: Duration::from_secs(at_secs),
            plain: vec![0; len],
        }
    }

    #[test]
    fn the_cache_stays_within_its_bytes_and_its_minutes() {
        let mut cache = Cache::default();
        for number in 1..=20_000 {
            cache.insert(say(number, 900, 0));
            assert!(cache.bytes <= MAX_BYTES);
        }
        assert!(
            cache.numbered(ClientId([1; 32]), 1).next().is_none(),
            "the oldest left"
        );
        assert!(cache.numbered(ClientId([1; 32]), 20_000).next().is_some());
        cache.insert(say(20_001, 900, 601));
        assert_eq!(
            (
                cache.says.len(),
                cache.by_id.len(),
                cache.by_number.len(),
                cache.bytes
            ),
            (1, 1, 1, 900 + OVERHEAD)
        );
    }
}
