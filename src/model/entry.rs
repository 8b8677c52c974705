//! What keeps us out of a chat that we want to join: work to be done, or a refusal.

use std::time::Duration;

use jiff::Timestamp;

use super::chat::{Chat, Join};
use super::event::Code;

/// Proof of work that is being done to join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// How much work is asked for, in leading zero bits.
    pub bits: u8,
    /// Tries so far.
    pub tried: u64,
    /// When it began.
    pub since: Timestamp,
}

/// What keeps us out of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hurdle {
    /// The door asks for work; it is being done.
    Work(Work),
    /// We are not let in, for this reason.
    Refused(Code),
}

/// What is known about our joining.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    work: Option<Work>,
    refused: Option<Code>,
}

impl Work {
    /// How many tries it takes, on average.
    pub fn expected_tries(&self) -> f64 {
        f64::from(self.bits).exp2()
    }

    /// How likely so many tries were to find it, from 0 to below 1. No try brings the end nearer, so nothing more can be said
    /// about progress.
    pub fn likelihood(&self) -> f32 {
        (1.0 - (-(self.tried as f64) / self.expected_tries()).exp()) as f32
    }

    /// For how long it has been going on.
    pub fn so_far(&self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(self.since)).unwrap_or(Duration::ZERO)
    }

    /// How long it takes on this computer, on average; `None` until that can be told.
    pub fn average(&self, now: Timestamp) -> Option<Duration> {
        let so_far = self.so_far(now);
        if so_far < Duration::from_secs(1) || self.tried == 0 {
            return None;
        }
        let secs = self.expected_tries() * so_far.as_secs_f64() / self.tried as f64;
        Duration::try_from_secs_f64(secs).ok()
    }
}

impl Entry {
    pub(super) fn working(&mut self, bits: u8, tried: u64, now: Timestamp) {
        // If more is asked for meanwhile, it begins again.
        let same = self.work.filter(|work| work.bits == bits && work.tried <= tried);
        let since = same.map_or(now, |work| work.since);
        self.work = Some(Work { bits, tried, since });
        self.refused = None;
    }

    pub(super) fn refuse(&mut self, code: Code) {
        (self.work, self.refused) = (None, Some(code));
    }

    /// As far as is known, nothing keeps us out any more.
    pub(super) fn clear(&mut self) {
        (self.work, self.refused) = (None, None);
    }
}

impl Chat {
    /// What keeps us out of the chat, except a ban of which we know by whom and why ([`Self::own_ban`]).
    pub fn hurdle(&self) -> Option<Hurdle> {
        match (&self.join, self.entry.refused, self.entry.work) {
            (Join::Failed(_), Some(code), _) => self.own_ban().is_none().then_some(Hurdle::Refused(code)),
            (_, _, work) => work.map(Hurdle::Work),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_never_said_to_be_nearly_done() {
        let since = Timestamp::UNIX_EPOCH;
        let after = |secs: i64| Timestamp::from_second(secs).expect("in range");
        let work = |tried| Work {
            bits: 20,
            tried,
            since,
        };
        assert_eq!(work(0).likelihood(), 0.0);
        assert!((work(1 << 20).likelihood() - 0.632).abs() < 0.001, "1 - 1/e");
        // With ten times the work that it takes on average, the rest is still as much as at first.
        let average = work(10 << 20).average(after(100));
        assert_eq!(average, Some(Duration::from_secs(10)));
        assert_eq!(work(1 << 19).average(since), None, "no time has gone by");
        assert_eq!(work(0).average(after(9)), None);
        let most = Work {
            bits: u8::MAX,
            tried: 1,
            since,
        };
        assert_eq!(most.average(after(9)), None, "longer than can be told");
    }

    #[test]
    fn other_work_begins_anew() {
        let (mut entry, at) = (Entry::default(), Timestamp::UNIX_EPOCH);
        let later = Timestamp::from_second(9).expect("in range");
        entry.working(20, 0, at);
        entry.working(20, 5, later);
        assert_eq!(entry.work.map(|work| work.since), Some(at));
        entry.working(22, 5, later);
        assert_eq!(entry.work.map(|work| work.since), Some(later));
        entry.refuse(Code::Closed);
        assert_eq!(entry.work, None);
    }
}
