//! The rendezvous keys of a chat, one a day: what hellos are sealed to when nobody's client_id is known, and the mark by which
//! one hash tells them from anybody's packets, before any key agreement.

use rand_chacha::rand_core::RngCore;

use crate::crypto::{self, GATE_MARK_LEN, Nonce, SharedKeys};
use crate::id::ClientId;

/// Shared keys kept for each: a caller repeats itself once or twice.
const KEYS_OF_A_DAY: usize = 64;

const DAY_MS: u64 = 86_400_000;

/// Zero bits that a mark begins with in a public chat, whose rendezvous everybody knows: some 4,096 hashes (a few
/// milliseconds) for who knocks, and none for who is knocked at. A guess.
const PUBLIC_MARK_BITS: u32 = 12;

/// Hashes tried for a mark at most: that none of them will do happens once in 10^111 times.
const MAX_TRIES: u32 = 1 << 20;

/// Those of yesterday, today and tomorrow: clocks differ.
pub(super) struct Rendezvous {
    rendezvous: [u8; 16],
    keys: Vec<DayKey>,
}

/// The key of a day.
struct DayKey {
    day: u64,
    keys: SharedKeys,
}

impl Rendezvous {
    pub(super) fn new(rendezvous: [u8; 16]) -> Self {
        Self {
            rendezvous,
            keys: Vec::new(),
        }
    }

    /// The key to seal a hello to, and the nonce with the mark of `sender` for it.
    pub(super) fn knock(
        &mut self,
        unix_ms: u64,
        sender: &ClientId,
        is_public: bool,
        rng: &mut impl RngCore,
    ) -> (ClientId, Nonce) {
        let rendezvous = self.rendezvous;
        let key = &self.at(unix_ms)[0];
        let mut nonce = [0; 24];
        let (random, mark) = nonce.split_at_mut(24 - GATE_MARK_LEN);
        rng.fill_bytes(random);
        let first = u64::from_be_bytes(random[8..].try_into().unwrap_or_default());
        for step in 0..MAX_TRIES {
            random[8..].copy_from_slice(&first.wrapping_add(step.into()).to_be_bytes());
            mark.copy_from_slice(&crypto::gate_mark(&rendezvous, key.day, sender, random));
            if has_bits(mark, is_public) {
                break;
            }
        }
        (key.keys.client_id(), nonce)
    }

    /// Whether that is one of the keys.
    pub(super) fn is_key(&mut self, unix_ms: u64, client_id: &ClientId) -> bool {
        self.at(unix_ms)
            .iter()
            .any(|key| key.keys.client_id() == *client_id)
    }

    /// Whether a packet to such a key bears its sender's mark. Costs one hash.
    pub(super) fn is_marked(
        &mut self,
        unix_ms: u64,
        key: &ClientId,
        sender: &ClientId,
        nonce: &Nonce,
        is_public: bool,
    ) -> bool {
        let (random, mark) = nonce.split_at(24 - GATE_MARK_LEN);
        let rendezvous = self.rendezvous;
        let Some(key) = self.of_day(unix_ms, key) else {
            return false;
        };
        has_bits(mark, is_public) && crypto::gate_mark(&rendezvous, key.day, sender, random)[..] == *mark
    }

    /// Opens what was sealed to such a key: a key agreement, but for who has just knocked.
    pub(super) fn open(
        &mut self,
        unix_ms: u64,
        key: &ClientId,
        sender: &ClientId,
        nonce: &Nonce,
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        self.of_day(unix_ms, key)?.keys.open(sender, nonce, sealed)
    }

    fn of_day(&mut self, unix_ms: u64, client_id: &ClientId) -> Option<&mut DayKey> {
        self.at(unix_ms)
            .iter_mut()
            .find(|key| key.keys.client_id() == *client_id)
    }

    fn at(&mut self, unix_ms: u64) -> &mut [DayKey] {
        let day = unix_ms / DAY_MS;
        if self.keys.first().is_none_or(|key| key.day != day) {
            self.keys = [day, day.saturating_sub(1), day + 1]
                .map(|day| DayKey {
                    day,
                    keys: SharedKeys::new(crypto::gate(&self.rendezvous, day), KEYS_OF_A_DAY),
                })
                .into();
        }
        &mut self.keys
    }
}

impl Drop for Rendezvous {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.rendezvous);
    }
}

/// Whether a mark begins with the zero bits that its kind of chat asks for.
fn has_bits(mark: &[u8], is_public: bool) -> bool {
    let first = mark
        .first_chunk()
        .map_or(0, |first| u32::from_be_bytes(*first).leading_zeros());
    !is_public || first >= PUBLIC_MARK_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    const NOON: u64 = 20_000 * DAY_MS + DAY_MS / 2;

    #[test]
    fn a_mark_is_its_senders_for_its_gate_and_chat() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (own, other) = (ClientId([1; 32]), ClientId([2; 32]));
        for is_public in [false, true] {
            let mut keys = Rendezvous::new([7; 16]);
            let (gate, nonce) = keys.knock(NOON, &own, is_public, &mut rng);
            assert!(keys.is_marked(NOON, &gate, &own, &nonce, is_public));
            assert!(!keys.is_marked(NOON, &gate, &other, &nonce, is_public));
            assert!(!keys.is_marked(NOON, &own, &own, &nonce, is_public), "no gate");
            for at in 0..nonce.len() {
                let mut changed = nonce;
                changed[at] ^= 1;
                assert!(!keys.is_marked(NOON, &gate, &own, &changed, is_public), "{at}");
            }
            for other_day in [NOON - DAY_MS, NOON + DAY_MS] {
                let mut late = Rendezvous::new([7; 16]);
                assert!(late.is_marked(other_day, &gate, &own, &nonce, is_public));
            }
            assert!(!Rendezvous::new([8; 16]).is_marked(NOON, &gate, &own, &nonce, is_public));
        }
    }

    #[test]
    fn in_a_public_chat_a_mark_is_worth_some_thousand_hashes() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut keys = Rendezvous::new([7; 16]);
        let own = ClientId([1; 32]);
        let mut is_good = || {
            let (gate, nonce) = keys.knock(NOON, &own, false, &mut rng);
            keys.is_marked(NOON, &gate, &own, &nonce, true)
        };
        let good = (0..100).filter(|_| is_good()).count();
        assert!(good < 3, "{good} of 100 without work");
    }
}
