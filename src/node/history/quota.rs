//! How much of one author is taken from what others keep (docs/security.md).

use hashlink::LruCache;

use crate::id::MemberId;

const DAY_MS: u64 = 86_400_000;

/// Messages of one author that were said on one day, by their own hlc, and their bytes. A guess: somebody who says one
/// every nine seconds around the clock stays below.
const OF_A_DAY: Taken = Taken {
    messages: 10_000,
    bytes: 4 << 20,
};

/// Messages of one author, whenever said, that are taken on one day of ours. A guess: a chat of 100,000 messages by one
/// author is whole after three days, and one who makes a million up fills 30 MB a day at most.
const A_DAY: Taken = Taken {
    messages: 40_000,
    bytes: 32 << 20,
};

/// Authors' days that are counted at a time, 64 bytes each. A guess.
const MAX_DAYS: usize = 16_384;

/// What was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Taken {
    messages: u32,
    bytes: usize,
}

impl Taken {
    fn is_below(self, most: Self) -> bool {
        self.messages < most.messages && self.bytes < most.bytes
    }

    fn and(self, bytes: usize) -> Self {
        Self {
            messages: self.messages + 1,
            bytes: self.bytes + bytes,
        }
    }
}

/// Counts what was taken of whom.
pub(super) struct Quotas {
    said: LruCache<(MemberId, u64), Taken>,
    today: LruCache<MemberId, Taken>,
    day: u64,
}

impl Quotas {
    pub(super) fn new() -> Self {
        Self {
            said: LruCache::new(MAX_DAYS),
            today: LruCache::new(MAX_DAYS),
            day: 0,
        }
    }

    /// Whether one more of an author is taken.
    pub(super) fn has_room(&mut self, author: &MemberId, said_ms: u64, now_ms: u64) -> bool {
        let day = now_ms / DAY_MS;
        if std::mem::replace(&mut self.day, day) != day {
            self.today.clear();
        }
        let said = self.said.get(&(*author, said_ms / DAY_MS));
        let today = self.today.get(author);
        said.is_none_or(|taken| taken.is_below(OF_A_DAY)) && today.is_none_or(|taken| taken.is_below(A_DAY))
    }

    /// One was taken.
    pub(super) fn took(&mut self, author: &MemberId, said_ms: u64, bytes: usize) {
        let key = (*author, said_ms / DAY_MS);
        let said = self.said.get(&key).copied().unwrap_or_default();
        self.said.insert(key, said.and(bytes));
        let today = self.today.get(author).copied().unwrap_or_default();
        self.today.insert(*author, today.and(bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_795_350_000_000;

    fn take(quotas: &mut Quotas, author: u8, said_ms: u64, now_ms: u64, most: u32) -> u32 {
        let author = MemberId([author; 32]);
        (0..most)
            .filter(|_| {
                let has_room = quotas.has_room(&author, said_ms, now_ms);
                if has_room {
                    quotas.took(&author, said_ms, 200);
                }
                has_room
            })
            .count() as u32
    }

    #[test]
    fn of_an_authors_day_so_many_are_taken_and_no_more() {
        let mut quotas = Quotas::new();
        assert_eq!(take(&mut quotas, 1, NOW_MS, NOW_MS, 1_000_000), 10_000);
        assert_eq!(take(&mut quotas, 2, NOW_MS, NOW_MS, 50), 50, "another author");
        assert_eq!(
            take(&mut quotas, 1, NOW_MS - DAY_MS, NOW_MS, 50),
            50,
            "another day"
        );
        assert_eq!(
            take(&mut quotas, 1, NOW_MS, NOW_MS + DAY_MS, 50),
            0,
            "that day is over"
        );
    }

    #[test]
    fn backdated_over_many_days_so_many_a_day_are_taken() {
        let mut quotas = Quotas::new();
        let all = |quotas: &mut Quotas, now_ms| -> u32 {
            (0..100)
                .map(|day| take(quotas, 1, NOW_MS - day * DAY_MS, now_ms, 5_000))
                .sum()
        };
        assert_eq!(all(&mut quotas, NOW_MS), 40_000);
        assert!(all(&mut quotas, NOW_MS + DAY_MS) > 0, "the rest tomorrow");
    }
}
