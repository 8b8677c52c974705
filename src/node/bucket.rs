//! Budgets: so many at once, and so many a second in the long run.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A bucket of tokens that fills with time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    tokens: f64,
    filled_at: Duration,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn full(capacity: f64, now: Duration) -> Self {
        Self {
            tokens: capacity,
            filled_at: now,
        }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, capacity: f64, per_second: f64, now: Duration) -> bool {
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + passed * per_second).min(capacity);
        self.filled_at = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

/// Answers that one network gets a second before it has proved its address (threats.md, row 3). A guess.
const ANSWERS_PER_SECOND: f64 = 5.0;

/// And so many at once after a pause: a household that starts its programs together. A guess.
const ANSWERS_AT_ONCE: f64 = 20.0;

/// Networks watched at a time. Past that, all others share one bucket.
const MAX_NETWORKS: usize = 1_024;

/// A bucket of answers for each network: /24 of IPv4, /56 of IPv6.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    networks: BTreeMap<IpAddr, Bucket>,
}

impl Buckets {
    /// Whether one more answer may go to that address.
    pub(super) fn take(&mut self, address: SocketAddr, now: Duration) -> bool {
        let mut network = network_of(address.ip());
        if !self.networks.contains_key(&network) && self.networks.len() >= MAX_NETWORKS {
            self.networks
                .retain(|_, bucket| now.saturating_sub(bucket.filled_at) < Duration::from_secs(2));
            if self.networks.len() >= MAX_NETWORKS {
                network = IpAddr::from([0, 0, 0, 0]);
            }
        }
        let bucket = self
            .networks
            .entry(network)
            .or_insert_with(|| Bucket::full(ANSWERS_AT_ONCE, now));
        bucket.take(ANSWERS_AT_ONCE, ANSWERS_PER_SECOND, now)
    }
}

/// The /24 or /56 that an address lies in.
fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::from([a, b, c, 0])
        }
        IpAddr::V6(v6) => {
            let mut bytes = v6.octets();
            bytes[7..].fill(0);
            IpAddr::from(bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_gets_its_answers_and_no_more() {
        let mut buckets = Buckets::default();
        let near = |host: u8| SocketAddr::from(([192, 0, 2, host], 1));
        let given = (0..100)
            .filter(|&host| buckets.take(near(host), Duration::ZERO))
            .count();
        assert_eq!(given, 20, "hosts of one /24 share a bucket");
        assert!(
            buckets.take(SocketAddr::from(([198, 51, 100, 1], 1)), Duration::ZERO),
            "another network has its own"
        );
        let later = Duration::from_secs(1);
        assert_eq!(
            (0..100).filter(|&host| buckets.take(near(host), later)).count(),
            5,
            "it fills with time"
        );
    }

    #[test]
    fn a_flood_of_networks_takes_bounded_room() {
        let mut buckets = Buckets::default();
        for n in 0..100_000_u32 {
            let [a, b, c, _] = (n << 8).to_be_bytes();
            buckets.take(SocketAddr::from(([a | 1, b, c, 1], 1)), Duration::ZERO);
        }
        assert!(buckets.networks.len() <= MAX_NETWORKS + 1);
    }
}
