//! The real clocks, and conversions between their times and the model's.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use crate::node::Now;

/// Both clocks, from one starting point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts at 0 now.
    pub(super) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// What time it is.
    pub(super) fn now(&self) -> Now {
        // A clock before 1970 counts as 0.
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            elapsed: self.start.elapsed(),
            unix_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The instant of an `elapsed`. One too far away to be represented is in an hour.
    pub(super) fn instant(&self, elapsed: Duration) -> tokio::time::Instant {
        let instant = self.start.checked_add(elapsed);
        instant
            .unwrap_or_else(|| Instant::now() + Duration::from_secs(3600))
            .into()
    }
}

/// The same moment for the model. A peer can name any number; one beyond the calendar becomes the last moment in it.
pub(super) fn timestamp(unix_ms: u64) -> Timestamp {
    i64::try_from(unix_ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_moment_a_peer_names_has_a_timestamp() {
        assert_eq!(timestamp(0), Timestamp::UNIX_EPOCH);
        assert_eq!(timestamp(1_795_000_000_123).as_millisecond(), 1_795_000_000_123);
        assert_eq!(
            timestamp((1 << 48) - 1),
            Timestamp::from_millisecond((1 << 48) - 1).unwrap_or(Timestamp::MAX)
        );
        assert_eq!(timestamp(u64::MAX), Timestamp::MAX);
    }

    #[test]
    fn no_deadline_is_out_of_range() {
        let _ = Clock::start().instant(Duration::MAX);
    }
}
