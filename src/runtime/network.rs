//! Noticing that the computer changed its network or slept.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use crate::node::Now;

/// How often to look. A datagram socket that is connected and asked its name costs two system calls.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How far the wall clock may move away from the monotonic one before the computer must have slept: more than any correction
/// of a clock. A guess.
const SLEPT: Duration = Duration::from_secs(30);

/// The addresses from which this computer sends to the rest of the world, as far as it has a route there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct LocalAddresses {
    pub(super) v4: Option<Ipv4Addr>,
    pub(super) v6: Option<Ipv6Addr>,
}

impl LocalAddresses {
    /// Asks the system. Nothing is sent: connecting a datagram socket only chooses a route.
    pub(super) fn look_up() -> Self {
        // Addresses for documentation (RFC 5737, RFC 3849): they are nobody's, and take the default route.
        let v4 = source_towards(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into());
        let v6 = source_towards(
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        );
        Self {
            v4: v4.and_then(|ip| match ip {
                IpAddr::V4(ip) => Some(ip),
                IpAddr::V6(_) => None,
            }),
            v6: v6.and_then(|ip| match ip {
                IpAddr::V6(ip) => Some(ip),
                IpAddr::V4(_) => None,
            }),
        }
    }
}

/// The address that a datagram from `any` to `target` would carry.
fn source_towards(any: IpAddr, target: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(target, 9)).ok()?;
    let source = socket.local_addr().ok()?.ip();
    (!source.is_unspecified()).then_some(source)
}

/// Watches whether the computer slept or changed its network.
#[derive(Debug)]
pub(super) struct NetworkWatch {
    addresses: LocalAddresses,
    looked_at: Now,
}

impl NetworkWatch {
    /// A watch that begins with the present state.
    pub(super) fn new(now: Now) -> Self {
        Self {
            addresses: LocalAddresses::look_up(),
            looked_at: now,
        }
    }

    /// When to look next, in terms of [`Now::elapsed`].
    pub(super) fn next_look(&self) -> Duration {
        self.looked_at.elapsed + LOOK_EVERY
    }

    /// The addresses as last seen.
    pub(super) fn addresses(&self) -> LocalAddresses {
        self.addresses
    }

    /// Whether something has happened since the last look that makes all links unreliable.
    pub(super) fn look(&mut self, now: Now) -> bool {
        self.compare(now, LocalAddresses::look_up())
    }

    fn compare(&mut self, now: Now, addresses: LocalAddresses) -> bool {
        let by_clock = i128::from(now.unix_ms) - i128::from(self.looked_at.unix_ms);
        let by_monotonic = (now.elapsed.saturating_sub(self.looked_at.elapsed)).as_millis() as i128;
        let slept = (by_clock - by_monotonic).unsigned_abs() > SLEPT.as_millis();
        let moved = addresses != self.addresses;
        *self = Self {
            addresses,
            looked_at: now,
        };
        slept || moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_and_another_network_are_noticed_and_nothing_else() {
        let at = |secs, unix_ms| Now {
            elapsed: Duration::from_secs(secs),
            unix_ms,
        };
        let home = LocalAddresses {
            v4: Some(Ipv4Addr::new(10, 0, 0, 7)),
            v6: None,
        };
        let away = LocalAddresses { v4: None, ..home };
        let mut watch = NetworkWatch {
            addresses: home,
            looked_at: at(0, 1_000_000),
        };
        assert!(!watch.compare(at(5, 1_005_000), home));
        assert!(
            !watch.compare(at(10, 1_039_000), home),
            "29 s: a clock that was set right"
        );
        assert!(watch.compare(at(15, 1_075_001), home), "31 s");
        assert!(watch.compare(at(20, 1_000_000), home), "backwards");
        assert!(watch.compare(at(25, 1_005_000), away));
        assert!(!watch.compare(at(30, 1_010_000), away));
        assert!(watch.compare(at(35, 1_015_000), home));
    }
}
