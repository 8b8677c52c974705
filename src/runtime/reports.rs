//! The bounded channel of reports to the window or the headless mode. When reports were dropped, it says so.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::model::{Event, Report};

/// How many reports can wait for their reader: some seconds of a chat with hundreds of joins. A guess.
const MAX_WAITING_REPORTS: usize = 1024;

/// How long the last report waits for room.
const LAST_REPORT_WITHIN: Duration = Duration::from_secs(1);

/// A channel whose writer calls `wake` after it has put a report, once until the reader has taken everything.
pub(super) fn channel(wake: impl Fn() + Send + Sync + 'static) -> (ReportSender, ReportReceiver) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING_REPORTS);
    let woken = Arc::new(AtomicBool::new(false));
    let sender = ReportSender {
        sender,
        woken: woken.clone(),
        wake: Box::new(wake),
        dropped: 0,
    };
    (sender, ReportReceiver { receiver, woken })
}

/// The actor's end.
pub(super) struct ReportSender {
    sender: mpsc::Sender<Report>,
    /// `wake` was called and the reader has not taken everything since.
    woken: Arc<AtomicBool>,
    wake: Box<dyn Fn() + Send + Sync>,
    /// Reports dropped that the reader was not told of.
    dropped: u64,
}

impl ReportSender {
    /// Puts a report, or drops it if there is no room; the reader then finds [`Event::Lagged`] in its place.
    pub(super) fn put(&mut self, report: Report) {
        if self.dropped > 0 && !self.put_now(Event::Lagged.into()) {
            self.dropped += 1;
            return;
        }
        self.dropped = 0;
        if !self.put_now(report) {
            self.dropped = 1;
        }
    }

    /// Whether the reader has to be told that it missed something.
    pub(super) fn is_behind(&self) -> bool {
        self.dropped > 0
    }

    /// Waits until there is room again, and tells the reader that it missed something. Cancel-safe.
    pub(super) async fn catch_up(&mut self) {
        if let Ok(room) = self.sender.reserve().await {
            tracing::warn!(dropped = self.dropped, "the reader of the events fell behind");
            room.send(Event::Lagged.into());
        }
        self.dropped = 0;
        self.wake_reader();
    }

    /// Puts the last report, waiting a moment for room, and closes the channel.
    pub(super) async fn finish(self, report: Report) {
        // A reader that is gone or stuck gets no last report.
        let _ = self.sender.send_timeout(report, LAST_REPORT_WITHIN).await;
        self.wake_reader();
    }

    fn put_now(&mut self, report: Report) -> bool {
        match self.sender.try_send(report) {
            Ok(()) => {
                self.wake_reader();
                true
            }
            Err(TrySendError::Full(_)) => false,
            // Nobody reads any more: nothing is missed.
            Err(TrySendError::Closed(_)) => true,
        }
    }

    fn wake_reader(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            (self.wake)();
        }
    }
}

/// The reader's end.
pub(super) struct ReportReceiver {
    receiver: mpsc::Receiver<Report>,
    woken: Arc<AtomicBool>,
}

impl ReportReceiver {
    /// The next report, if there is one.
    pub(super) fn try_recv(&mut self) -> Option<Report> {
        if let Ok(report) = self.receiver.try_recv() {
            return Some(report);
        }
        // Reports that are put from here on wake the reader again; those put just before are taken now.
        self.woken.store(false, Ordering::Release);
        self.receiver.try_recv().ok()
    }

    /// The next report; none after the last.
    pub(super) async fn recv(&mut self) -> Option<Report> {
        self.receiver.recv().await
    }

    /// The next report; none after the last.
    pub(super) fn blocking_recv(&mut self) -> Option<Report> {
        self.receiver.blocking_recv()
    }
}

impl fmt::Debug for ReportReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReportReceiver({} waiting)", self.receiver.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::id::ChatId;
    use crate::model::ChatEvent;

    fn counted() -> (ReportSender, ReportReceiver, Arc<AtomicUsize>) {
        let wakes = Arc::new(AtomicUsize::new(0));
        let counter = wakes.clone();
        let (sender, receiver) = channel(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        (sender, receiver, wakes)
    }

    #[test]
    fn one_wake_until_all_is_taken() {
        let (mut sender, mut receiver, wakes) = counted();
        for _ in 0..3 {
            sender.put(Event::Bye.into());
        }
        assert_eq!(wakes.load(Ordering::Relaxed), 1);
        assert!(receiver.try_recv().is_some());
        sender.put(Event::Bye.into());
        assert_eq!(wakes.load(Ordering::Relaxed), 1, "three still wait");
        while receiver.try_recv().is_some() {}
        sender.put(Event::Bye.into());
        assert_eq!(wakes.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_once_what_it_missed() {
        let (mut sender, mut receiver, _) = counted();
        for _ in 0..MAX_WAITING_REPORTS + 7 {
            sender.put(Event::Bye.into());
        }
        assert!(sender.is_behind());
        for _ in 0..MAX_WAITING_REPORTS {
            assert_eq!(receiver.try_recv(), Some(Event::Bye.into()));
        }
        assert_eq!(receiver.try_recv(), None);
        sender.catch_up().await;
        assert!(!sender.is_behind());
        sender.put(Event::Bye.into());
        assert_eq!(receiver.try_recv(), Some(Event::Lagged.into()));
        assert_eq!(receiver.try_recv(), Some(Event::Bye.into()));
        assert_eq!(receiver.try_recv(), None);
    }

    #[test]
    fn lagged_comes_before_what_is_put_after_the_gap() {
        let (mut sender, mut receiver, _) = counted();
        for _ in 0..MAX_WAITING_REPORTS + 1 {
            sender.put(Event::Bye.into());
        }
        for _ in 0..2 {
            receiver.try_recv();
        }
        sender.put(last().into());
        let left: Vec<_> = std::iter::from_fn(|| receiver.try_recv()).collect();
        assert_eq!(left[left.len() - 2..], [Event::Lagged.into(), last().into()]);
    }

    fn last() -> Event {
        ChatEvent::Joined.of(ChatId([1; 32]))
    }
}
