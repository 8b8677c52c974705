use super::body::short;
use super::{HeldFact, ShortFactId};
use crate::crypto;
use crate::id::FactId;

/// Of a fork two are kept, which prove it.
const MAX_OF_A_FORK: usize = 2;

/// The facts of one issuer without a gap, from seq 1 on: one at each seq, or several, by id.
#[derive(Debug, Clone, Default)]
pub(super) struct Chain {
    positions: Vec<Vec<HeldFact>>,
    len_bytes: usize,
}

impl Chain {
    /// The last seq; 0 if there is none.
    pub(super) fn last(&self) -> u32 {
        u32::try_from(self.positions.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn len_bytes(&self) -> usize {
        self.len_bytes
    }

    /// What stands at a seq: nothing, a fact, or two.
    pub(super) fn at(&self, seq: u32) -> &[HeldFact] {
        index(seq)
            .and_then(|index| self.positions.get(index))
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn facts(&self) -> impl Iterator<Item = &HeldFact> {
        self.positions.iter().flatten()
    }

    pub(super) fn facts_from(&self, seq: u32) -> impl Iterator<Item = &HeldFact> {
        let from = index(seq).unwrap_or(0).min(self.positions.len());
        self.positions[from..].iter().flatten()
    }

    /// The first seq under which there are two.
    pub(super) fn forked_at(&self) -> Option<u32> {
        let index = self.positions.iter().position(|facts| facts.len() > 1)?;
        u32::try_from(index + 1).ok()
    }

    /// Whether a fact follows the one before it. In a fork there is no telling, so none does.
    pub(super) fn links(&self, seq: u32, prev: &ShortFactId) -> bool {
        match seq {
            0 => false,
            1 => *prev == [0; 16],
            _ => matches!(self.at(seq - 1), [before] if short(&before.id) == *prev),
        }
    }

    /// Whether a fact would be kept at its seq, where there are two at most.
    pub(super) fn has_room(&self, seq: u32, id: &FactId) -> bool {
        let facts = self.at(seq);
        facts.len() < MAX_OF_A_FORK || facts.iter().any(|held| held.id > *id)
    }

    /// Puts a fact at its seq, which is from 1 to one past the last.
    pub(super) fn put(&mut self, held: HeldFact) {
        let Some(index) = index(held.fact.place.seq) else {
            return;
        };
        self.len_bytes += held.len_bytes;
        if index >= self.positions.len() {
            self.positions.push(Vec::new());
        }
        if let Some(facts) = self.positions.get_mut(index) {
            let at = facts.partition_point(|other| other.id < held.id);
            facts.insert(at, held);
        }
    }

    /// Takes off what is one too many of a fork: that of the greatest id.
    pub(super) fn take_over_fork(&mut self, seq: u32) -> Option<HeldFact> {
        let facts = self.positions.get_mut(index(seq)?)?;
        if facts.len() <= MAX_OF_A_FORK {
            return None;
        }
        let over = facts.pop()?;
        self.len_bytes -= over.len_bytes;
        Some(over)
    }

    /// Takes off the last fact: at the last seq that of the greatest id.
    pub(super) fn pop(&mut self) -> Option<HeldFact> {
        let facts = self.positions.last_mut()?;
        let last = facts.pop()?;
        if facts.is_empty() {
            self.positions.pop();
        }
        self.len_bytes -= last.len_bytes;
        Some(last)
    }

    /// Bytes of all but the last fact.
    pub(super) fn len_bytes_before_last(&self) -> usize {
        let last = self.positions.last().and_then(|facts| facts.last());
        self.len_bytes - last.map_or(0, |held| held.len_bytes)
    }

    /// Takes off all after a seq.
    pub(super) fn cut_after(&mut self, seq: u32) -> Vec<HeldFact> {
        let from = usize::try_from(seq)
            .unwrap_or(usize::MAX)
            .min(self.positions.len());
        let cut: Vec<HeldFact> = self.positions.split_off(from).into_iter().flatten().collect();
        self.len_bytes -= cut.iter().map(|held| held.len_bytes).sum::<usize>();
        cut
    }

    /// Bytes of what stands at the last seq.
    pub(super) fn last_len_bytes(&self) -> usize {
        self.at(self.last()).iter().map(|held| held.len_bytes).sum()
    }

    /// A digest of all up to each seq, under a salt.
    pub(super) fn digests(&self, salt: &[u8; 8]) -> Vec<[u8; 8]> {
        let mut state = crypto::hash(&[b"throng/1 chain\0", salt]);
        let digests = self.positions.iter().map(|facts| {
            for held in facts {
                state = crypto::hash(&[&state, &held.id.0]);
            }
            state = crypto::hash(&[&state]);
            *state.first_chunk().expect("8 is less than 32")
        });
        digests.collect()
    }
}

fn index(seq: u32) -> Option<usize> {
    usize::try_from(seq.checked_sub(1)?).ok()
}
