//! What those whom we don't know may cost: key agreements and checks of chains, shared out so that neither one
//! network nor one address takes what all have.
//!
//! A refused packet takes from the budgets of its address and network all the same, so who floods stays refused, and
//! those who knock now and then are let through. Against packets that claim more networks than are watched here there
//! is no fairness, only the bound.

use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hashlink::LruCache;

use super::Overlay;
use crate::crypto::Nonce;
use crate::id::ClientId;
use crate::node::bucket::{Bucket, Rate, network_of};
use crate::node::core::Core;

/// Key agreements a second with strangers in all: some 5 % of a core, chains included.
const ALL: Rate = Rate::per_second(150.0, 150.0);

/// Beside those, for networks that have not been heard for a while: a newcomer gets through although many networks
/// flood. Together with [`ALL`] it is 200 a second.
const FRESH: Rate = Rate::per_second(50.0, 50.0);

/// A network is fresh as long as so many of its tokens are missing at most. A guess: a newcomer's first tries.
const FRESH_MISSING: f64 = 3.0;

/// One network's (a guess: 5 a second), and so many at once: a household that starts its programs
/// together. The latter is a guess.
const NETWORK: Rate = Rate::per_second(5.0, 20.0);

/// One address's: a program says hello once a second at most, and has little else to say before it is linked. A guess.
const ADDRESS: Rate = Rate::per_second(2.0, 8.0);

/// Networks and addresses watched at a time, some 100 bytes each; the one heard longest ago leaves. A guess.
const MAX_WATCHED: usize = 4_096;

/// Addresses that we know of ourselves are no strangers': each has this, whatever strangers do.
const REMEMBERED: Rate = Rate::per_second(5.0, 20.0);

/// And all of them together this, since an address can be claimed.
const ALL_REMEMBERED: Rate = Rate::per_second(200.0, 200.0);

/// Hellos remembered, so that a recorded one opens nothing: 20 s of as many as are opened. A guess.
const MAX_GREETED: usize = 4_096;

/// The budgets.
pub(in crate::node) struct Strangers {
    all: Bucket,
    fresh: Bucket,
    networks: LruCache<IpAddr, Bucket>,
    addresses: LruCache<SocketAddr, Bucket>,
    all_remembered: Bucket,
    remembered: LruCache<SocketAddr, Bucket>,
    greeted: LruCache<(ClientId, Nonce), ()>,
}

impl Strangers {
    pub(in crate::node) fn new(now: Duration) -> Self {
        Self {
            all: Bucket::full(ALL, now),
            fresh: Bucket::full(FRESH, now),
            networks: LruCache::new(MAX_WATCHED),
            addresses: LruCache::new(MAX_WATCHED),
            all_remembered: Bucket::full(ALL_REMEMBERED, now),
            remembered: LruCache::new(MAX_WATCHED),
            greeted: LruCache::new(MAX_GREETED),
        }
    }

    /// Whether one more packet from there is worth a key agreement; else what it is dropped for.
    fn try_take(&mut self, from: SocketAddr, now: Duration) -> Result<(), &'static str> {
        if !try_take_of(&mut self.addresses, from, ADDRESS, now) {
            return Err("address_budget");
        }
        let network = network_of(from.ip());
        let bucket = entry(&mut self.networks, network, NETWORK, now);
        let is_fresh = bucket.level(NETWORK, now) >= NETWORK.at_once - FRESH_MISSING;
        if !bucket.try_take(NETWORK, now) {
            return Err("network_budget");
        }
        if self.all.try_take(ALL, now) || is_fresh && self.fresh.try_take(FRESH, now) {
            Ok(())
        } else {
            Err("stranger_budget")
        }
    }

    fn try_take_remembered(&mut self, from: SocketAddr, now: Duration) -> bool {
        try_take_of(&mut self.remembered, from, REMEMBERED, now)
            && self.all_remembered.try_take(ALL_REMEMBERED, now)
    }
}

/// The bucket of somebody; whoever was heard longest ago makes room for it.
fn entry<K: Eq + Hash + Clone>(
    buckets: &mut LruCache<K, Bucket>,
    key: K,
    rate: Rate,
    now: Duration,
) -> &mut Bucket {
    // An entry alone would not keep to the capacity.
    if !buckets.contains_key(&key) {
        buckets.insert(key.clone(), Bucket::full(rate, now));
    }
    buckets.entry(key).or_insert_with(|| Bucket::full(rate, now))
}

fn try_take_of<K: Eq + Hash + Clone>(
    buckets: &mut LruCache<K, Bucket>,
    key: K,
    rate: Rate,
    now: Duration,
) -> bool {
    entry(buckets, key, rate, now).try_take(rate, now)
}

impl Overlay {
    /// Takes from the budgets for a packet that is neither a link's nor a welcomed caller's and costs a key agreement.
    /// Counts the drop if they are used up.
    pub(in crate::node) fn try_take_opening(
        &mut self,
        core: &mut Core,
        from: SocketAddr,
        sender: &ClientId,
        nonce: &Nonce,
    ) -> bool {
        if self.strangers.greeted.contains_key(&(*sender, *nonce)) {
            core.drop_packet("replayed");
            return false;
        }
        let now = core.now();
        let Err(cause) = self.strangers.try_take(from, now) else {
            return true;
        };
        if self.is_remembered(from, now) && self.strangers.try_take_remembered(from, now) {
            return true;
        }
        core.drop_packet(cause);
        false
    }

    /// Notes a hello that opened: sent again, byte for byte, it opens nothing. (Only then: else a copy with another box
    /// would take its place.)
    pub(in crate::node) fn note_hello(&mut self, sender: ClientId, nonce: Nonce) {
        self.strangers.greeted.insert((sender, nonce), ());
    }

    /// An address that we have of ourselves: a link's, one that has answered, or one that we try.
    fn is_remembered(&self, from: SocketAddr, now: Duration) -> bool {
        self.links.values().any(|link| link.address == from) || self.peers.knows(from, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(network: u16, port: u16) -> SocketAddr {
        let [a, b] = network.to_be_bytes();
        SocketAddr::from(([60, a, b, 1], port))
    }

    #[test]
    fn one_network_gets_its_share_and_leaves_the_others_theirs() {
        let mut strangers = Strangers::new(Duration::ZERO);
        let mut taken = 0;
        for ms in 0..10_000 {
            let from = at(1, 1_000 + ms % 500);
            taken += u32::from(strangers.try_take(from, Duration::from_millis(ms.into())).is_ok());
        }
        assert!((69..=70).contains(&taken), "20 at once and 5 a second: {taken}");
        assert!(strangers.try_take(at(2, 1), Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn one_address_leaves_room_for_others_of_its_network() {
        let mut strangers = Strangers::new(Duration::ZERO);
        for ms in 0..10_000 {
            let _ = strangers.try_take(at(1, 1), Duration::from_millis(ms));
        }
        assert!(strangers.try_take(at(1, 2), Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn a_flood_from_many_networks_is_bounded_and_a_fresh_one_gets_through() {
        let mut strangers = Strangers::new(Duration::ZERO);
        let mut taken = 0;
        for ms in 0..10_000_u32 {
            for network in 0..30 {
                let from = at(1 + (ms * 30 + network) as u16 % 1_000, ms as u16);
                taken += u32::from(strangers.try_take(from, Duration::from_millis(ms.into())).is_ok());
            }
            if ms % 1_000 == 999 {
                let from = at(2_000 + ms as u16 / 1_000, 1);
                assert!(strangers.try_take(from, Duration::from_millis(ms.into())).is_ok());
            }
        }
        assert!(taken <= 200 + 10 * 200, "{taken} in 10 s");
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_room() {
        let mut strangers = Strangers::new(Duration::ZERO);
        for n in 0..20_000_u32 {
            let from = SocketAddr::from(((n << 10).to_be_bytes(), 1));
            let _ = strangers.try_take(from, Duration::ZERO);
            strangers.try_take_remembered(from, Duration::ZERO);
            strangers.greeted.insert((ClientId([0; 32]), nonce(n)), ());
        }
        assert!(strangers.networks.len() <= MAX_WATCHED && strangers.addresses.len() <= MAX_WATCHED);
        assert!(strangers.remembered.len() <= MAX_WATCHED && strangers.greeted.len() <= MAX_GREETED);
    }

    fn nonce(n: u32) -> Nonce {
        let mut nonce = [0; 24];
        nonce[..4].copy_from_slice(&n.to_be_bytes());
        nonce
    }
}
