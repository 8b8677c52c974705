//! Publishing events once they are kept, as a transactional outbox does: writes go to the store, and events to the reader only
//! after the store has committed the writes that belong to them.

use std::collections::VecDeque;

use tokio::sync::{mpsc, watch};

use super::cause::Cause;
use super::failure::Failure;
use super::reports::ReportSender;
use crate::id::ChatId;
use crate::model::{ChatEvent, Code, Event, Report, Tag};
use crate::store::{Settled, Store, StoreError, Write};

/// How many reports can wait for the store: as many as it has room for jobs. A guess.
const MAX_HELD_REPORTS: usize = 4096;

/// The sentence when the disk accepts writes again.
const RECOVERED: &str = "The disk takes again what is to be kept, and has all that was held in memory.";

/// Reports go out in their order, and each only after the store is done with all writes until the end of its turn.
pub(super) struct Outlet {
    pub(super) store: Store,
    reports: ReportSender,
    /// Reports of this turn.
    turn: Vec<Report>,
    /// Reports of earlier turns, each with how many writes the store has to be done with first.
    held: VecDeque<(u64, Report)>,
    /// How far the store has got.
    settled: watch::Receiver<Settled>,
    /// How many recoveries of the disk were reported.
    recoveries: u32,
    /// What could not be kept.
    errors: mpsc::Receiver<StoreError>,
    /// The store took the last write.
    keeps_up: bool,
}

impl Outlet {
    /// An outlet to an open store.
    pub(super) fn new(store: Store, reports: ReportSender) -> Self {
        Self {
            settled: store.settled(),
            // Nobody has asked for the errors before. A closed channel would mean no errors.
            errors: store.errors().unwrap_or_else(|| mpsc::channel(1).1),
            store,
            reports,
            recoveries: 0,
            turn: Vec::new(),
            held: VecDeque::new(),
            keeps_up: true,
        }
    }

    /// Reports an event, with the tag of the command that it answers.
    pub(super) fn report(&mut self, event: Event, tag: Option<Tag>) {
        let waiting = self.held.len() + self.turn.len();
        if waiting < MAX_HELD_REPORTS {
            self.turn.push(Report { event, tag });
        } else if waiting == MAX_HELD_REPORTS {
            tracing::warn!("the disk fell behind what is to be told");
            self.turn.push(Event::Lagged.into());
        }
    }

    /// Reports an event of a chat.
    pub(super) fn report_in(&mut self, chat: ChatId, event: ChatEvent, tag: Option<Tag>) {
        self.report(event.of(chat), tag);
    }

    /// Answers a command about a chat, unless it was answered before.
    pub(super) fn answer_in(&mut self, chat: ChatId, event: ChatEvent, cause: &mut Cause) {
        if let Some(tag) = cause.take_unanswered() {
            self.report_in(chat, event, tag);
        }
    }

    /// Reports that a command failed.
    pub(super) fn command_failed(
        &mut self,
        command: &'static str,
        chat: Option<ChatId>,
        tag: Option<Tag>,
        failure: Failure,
    ) {
        self.report(error(command, chat, failure), tag);
    }

    /// Reports a failure that no command caused.
    pub(super) fn failed(&mut self, chat: Option<ChatId>, failure: Failure) {
        self.command_failed("", chat, None, failure);
    }

    /// Queues a write. If the store is too far behind, the write is lost and an error is reported, once until the store accepts
    /// writes again.
    pub(super) fn keep(&mut self, write: Write) {
        let kept = self.store.write(write);
        if let Err(error) = kept
            && self.keeps_up
        {
            self.failed(None, Failure::new(Code::Busy, error.to_string()));
        }
        self.keeps_up = kept.is_ok();
    }

    /// Ends a turn: publishes what is kept by now.
    pub(super) fn end_turn(&mut self) {
        let queued = self.store.queued();
        self.held
            .extend(self.turn.drain(..).map(|report| (queued, report)));
        // A store that is gone will keep nothing more.
        let is_gone = self.settled.has_changed().is_err();
        let settled = *self.settled.borrow_and_update();
        // The store first reports a failed write, then that it is done with it.
        while let Ok(failed) = self.errors.try_recv() {
            self.reports.put(error("", None, failed.into()).into());
        }
        if self.recoveries != settled.recoveries {
            self.recoveries = settled.recoveries;
            self.reports.put(
                Event::DiskRecovered {
                    message: RECOVERED.to_owned(),
                }
                .into(),
            );
        }
        while let Some((_, report)) = self
            .held
            .pop_front_if(|(needed, _)| is_gone || *needed <= settled.writes)
        {
            self.reports.put(report);
        }
    }

    /// A channel that wakes when the store is done with something, or has failed.
    pub(super) fn watch_store(&self) -> watch::Receiver<Settled> {
        self.settled.clone()
    }

    /// Whether the reader has to be told that it missed something, by [`Self::catch_up`].
    pub(super) fn is_behind(&self) -> bool {
        self.reports.is_behind()
    }

    /// Waits until the reader has made room, and tells it that it missed something. Cancel-safe.
    pub(super) async fn catch_up(&mut self) {
        self.reports.catch_up().await;
    }

    /// Flushes and closes the store, and publishes the remaining reports and the last one.
    pub(super) async fn finish(mut self, bye: Report) {
        self.store.clone().close().await;
        self.end_turn();
        // The store is gone, so nothing waits for it any more.
        self.reports.finish(bye).await;
    }
}

fn error(command: &str, chat: Option<ChatId>, failure: Failure) -> Event {
    let Failure { code, message } = failure;
    Event::Error {
        chat,
        command: command.to_owned(),
        code,
        message,
    }
}
