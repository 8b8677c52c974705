//! Budgets: so many at once, and so many a second in the long run.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How much a bucket takes and gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    /// In the long run.
    pub(super) per_second: f64,
    /// After a pause, at least 1.
    pub(super) at_once: f64,
}

impl Rate {
    pub(super) const fn per_second(per_second: f64, at_once: f64) -> Self {
        Self { per_second, at_once }
    }

    /// So many times as much.
    pub(super) fn times(self, factor: f64) -> Self {
        Self::per_second(self.per_second * factor, self.at_once * factor)
    }
}

/// A bucket of tokens that fills with time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    tokens: f64,
    filled_at: Duration,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn full(rate: Rate, now: Duration) -> Self {
        Self {
            tokens: rate.at_once,
            filled_at: now,
        }
    }

    /// Tokens that are in it now.
    pub(super) fn level(&self, rate: Rate, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        (self.tokens + passed * rate.per_second).min(rate.at_once)
    }

    /// Takes a token, if there is one.
    pub(super) fn try_take(&mut self, rate: Rate, now: Duration) -> bool {
        self.tokens = self.level(rate, now);
        self.filled_at = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }

    /// Takes a token, or what is left of one.
    pub(super) fn spend(&mut self, rate: Rate, now: Duration) {
        self.tokens = (self.level(rate, now) - 1.0).max(0.0);
        self.filled_at = now;
    }

    /// How long until so many tokens are in it.
    pub(super) fn wait_for(&self, tokens: f64, rate: Rate, now: Duration) -> Duration {
        let missing = (tokens - self.level(rate, now)).max(0.0);
        // A day is longer than any rate that a door can ask for makes one wait.
        Duration::try_from_secs_f64(missing / rate.per_second).unwrap_or(Duration::from_secs(86_400))
    }
}

/// Takes a token of a bucket that is full before its first use, if there is one.
pub(super) fn try_take(bucket: &mut Option<Bucket>, rate: Rate, now: Duration) -> bool {
    let bucket = bucket.get_or_insert_with(|| Bucket::full(rate, now));
    bucket.try_take(rate, now)
}

/// Answers that one network gets before it has proved its address (a guess: 5 a second), and so many at once
/// after a pause: a household that starts its programs together. Guesses.
const ANSWERS: Rate = Rate::per_second(5.0, 20.0);

/// Networks watched at a time. Past that, all others share one bucket.
const MAX_NETWORKS: usize = 1_024;

/// A bucket of answers for each network: /24 of IPv4, /56 of IPv6.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    networks: BTreeMap<IpAddr, Bucket>,
}

impl Buckets {
    /// Whether one more answer may go to that address.
    pub(super) fn try_take(&mut self, address: SocketAddr, now: Duration) -> bool {
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
            .or_insert_with(|| Bucket::full(ANSWERS, now));
        bucket.try_take(ANSWERS, now)
    }
}

/// The /24 or /56 that an address lies in.
pub(super) fn network_of(ip: IpAddr) -> IpAddr {
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
            .filter(|&host| buckets.try_take(near(host), Duration::ZERO))
            .count();
        assert_eq!(given, 20, "hosts of one /24 share a bucket");
        assert!(
            buckets.try_take(SocketAddr::from(([198, 51, 100, 1], 1)), Duration::ZERO),
            "another network has its own"
        );
        let later = Duration::from_secs(1);
        assert_eq!(
            (0..100)
                .filter(|&host| buckets.try_take(near(host), later))
                .count(),
            5,
            "it fills with time"
        );
    }

    #[test]
    fn a_flood_of_networks_takes_bounded_room() {
        let mut buckets = Buckets::default();
        for n in 0..100_000_u32 {
            let [a, b, c, _] = (n << 8).to_be_bytes();
            buckets.try_take(SocketAddr::from(([a | 1, b, c, 1], 1)), Duration::ZERO);
        }
        assert!(buckets.networks.len() <= MAX_NETWORKS + 1);
    }
}
