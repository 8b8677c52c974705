//! The window's clock. It is a trait, so that pictures can be taken at a fixed moment.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What time it is.
pub trait Clock {
    /// By the computer's clock, which may jump: for what is shown.
    fn timestamp(&self) -> Timestamp;

    /// Since some fixed moment; never goes back: for what goes by itself.
    fn elapsed(&self) -> Duration;

    /// In which times are shown.
    fn zone(&self) -> TimeZone;
}

/// The computer's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Starts counting.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn timestamp(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::system()
    }
}
