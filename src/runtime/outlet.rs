//! Where everything that happens goes: to the store, and to the reader, who is told nothing that is not kept yet.

use std::collections::VecDeque;

use tokio::sync::{mpsc, watch};

use super::cause::Cause;
use super::failure::Failure;
use super::reports::ReportSender;
use crate::id::ChatId;
use crate::model::{Code, Event, Report, Tag};
use crate::store::{Settled, Store, StoreError, Write};

/// Reports that may wait for the store: as many as it has room for jobs. A guess.
const MAX_HELD_REPORTS: usize = 4096;

/// What is told when the disk takes again what is to be kept.
const RECOVERED: &str = "The disk takes again what is to be kept, and has all that was held in memory.";

/// What happens is told in the order in which it happened, and each thing only after the store is done with all that
/// was to be kept until the end of the turn in which it happened.
pub(super) struct Outlet {
    pub(super) store: Store,
    reports: ReportSender,
    /// Told in this turn.
    turn: Vec<Report>,
    /// Told in turns before, and how many writes the store has to be done with first.
    held: VecDeque<(u64, Report)>,
    /// How far the store has got.
    settled: watch::Receiver<Settled>,
    /// How often it was told that the disk takes again what is to be kept.
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
            // Nobody has asked for the errors before; a closed channel would mean as much as no errors.
            errors: store.errors().unwrap_or_else(|| mpsc::channel(1).1),
            store,
            reports,
            recoveries: 0,
            turn: Vec::new(),
            held: VecDeque::new(),
            keeps_up: true,
        }
    }

    /// Tells the reader, with the tag of the command that this answers.
    pub(super) fn report(&mut self, event: Event, tag: Option<Tag>) {
        let waiting = self.held.len() + self.turn.len();
        if waiting < MAX_HELD_REPORTS {
            self.turn.push(Report { event, tag });
        } else if waiting == MAX_HELD_REPORTS {
            tracing::warn!("the disk fell behind what is to be told");
            self.turn.push(Event::Lagged.into());
        }
    }

    /// Answers a command, unless that was done before.
    pub(super) fn answer(&mut self, event: Event, cause: &mut Cause) {
        if let Some(tag) = cause.unanswered() {
            self.report(event, tag);
        }
    }

    /// Tells the reader that a command failed.
    pub(super) fn command_failed(
        &mut self,
        command: &'static str,
        chat: Option<ChatId>,
        tag: Option<Tag>,
        failure: Failure,
    ) {
        self.report(error(command, chat, failure), tag);
    }

    /// Tells the reader of a failure that no command caused.
    pub(super) fn failed(&mut self, chat: Option<ChatId>, failure: Failure) {
        self.command_failed("", chat, None, failure);
    }

    /// Keeps something. If the store is too far behind it is not kept, and the reader is told, once until the store
    /// takes something again.
    pub(super) fn keep(&mut self, write: Write) {
        let kept = self.store.write(write);
        if let Err(error) = kept
            && self.keeps_up
        {
            self.failed(None, Failure::new(Code::Busy, error.to_string()));
        }
        self.keeps_up = kept.is_ok();
    }

    /// Ends a turn: lets out what is kept by now.
    pub(super) fn end_turn(&mut self) {
        let queued = self.store.queued();
        self.held
            .extend(self.turn.drain(..).map(|report| (queued, report)));
        // A store that is gone will keep nothing more.
        let is_gone = self.settled.has_changed().is_err();
        let settled = *self.settled.borrow_and_update();
        // Of what is not kept the store says so first, then that it is done with it.
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

    /// Wakes whoever waits for the store to be done with something, or to have failed.
    pub(super) fn watch_store(&self) -> watch::Receiver<Settled> {
        self.settled.clone()
    }

    /// Whether the reader has to be told that it missed something, by [`Self::catch_up`].
    pub(super) fn is_behind(&self) -> bool {
        self.reports.is_behind()
    }

    /// Waits until the reader has made room, and tells it. May be cancelled.
    pub(super) async fn catch_up(&mut self) {
        self.reports.catch_up().await;
    }

    /// Flushes and closes the store, tells all that is left to be told, and says the last word.
    pub(super) async fn finish(mut self, bye: Report) {
        self.store.clone().close().await;
        self.end_turn();
        // Nothing is left: the store is gone, and with it all that waited for it.
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
