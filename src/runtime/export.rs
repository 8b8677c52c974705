//! Exporting a chat to a file, page by page, while everything else goes on. The pages pass through the actor, which knows what
//! of them may be shown.

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::Instant;

use super::actor::{Actor, Errand};
use super::clock::timestamp;
use super::failure::Failure;
use super::whole_file::{WholeFile, write_failed};
use crate::export::{About, Exporter};
use crate::id::ChatId;
use crate::model::{ChatEvent, Code, Event, ExportFormat, Message, Tag};
use crate::store::{HistoryQuery, MAX_PAGE_LEN, Store, StoreError, StoredMessage};

/// How often the progress of an export is reported. A guess: often enough for a progress bar.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// A page on its way through the actor.
pub(super) struct Sifting {
    chat: ChatId,
    page: Vec<StoredMessage>,
    back: oneshot::Sender<Vec<Message>>,
}

/// What an export works with.
struct Export {
    store: Store,
    errands: mpsc::Sender<Errand>,
    cancelled: Arc<AtomicBool>,
    format: ExportFormat,
    about: About,
    path: PathBuf,
}

type File = Exporter<BufWriter<WholeFile>>;

impl Actor {
    /// Begins to write a chat to a file.
    pub(super) fn export(
        &mut self,
        id: ChatId,
        path: PathBuf,
        format: ExportFormat,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        let chat = self.chat(id)?;
        if self.exports.contains_key(&id) {
            return Err(Failure::new(
                Code::Busy,
                "This chat is being exported already. Wait for the end of that, or cancel it.",
            ));
        }
        let permit = self.errand_permit()?;
        let cancelled = Arc::new(AtomicBool::new(false));
        let export = Export {
            store: self.outlet.store.clone(),
            errands: self.way_back(),
            cancelled: cancelled.clone(),
            format,
            about: About {
                chat: id,
                name: chat.record.name.clone(),
                kind: chat.record.kind,
                topic: chat.record.topic.clone(),
                exported_at: timestamp(self.clock.now().unix_ms),
                zone: TimeZone::system(),
            },
            path,
        };
        self.exports.insert(id, cancelled);
        self.send_for(permit, async move {
            let result = export.run().await;
            Errand::Exported {
                chat: id,
                tag,
                result,
            }
        });
        Ok(())
    }

    /// Stops an export at its next page.
    pub(super) fn cancel_export(&mut self, id: ChatId, tag: Option<Tag>) -> Result<(), Failure> {
        let Some(cancelled) = self.exports.get(&id) else {
            return Err(Failure::new(Code::NotFound, "This chat is not being exported."));
        };
        cancelled.store(true, Ordering::Relaxed);
        self.outlet.report_in(id, ChatEvent::ExportCancelled, tag);
        Ok(())
    }

    /// Stops all exports: the program ends.
    pub(super) fn cancel_exports(&self) {
        for cancelled in self.exports.values() {
            cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Filters a page to what the window would show. If the chat was left meanwhile, there is no answer.
    pub(super) fn sift(&self, sifting: Sifting) {
        let Sifting { chat, page, back } = sifting;
        if let Ok(chat) = self.chat(chat) {
            let shown = page
                .into_iter()
                .filter(|stored| chat.shows(stored) && !chat.record.ignored.contains(&stored.message.member));
            // The export may have given up.
            let _ = back.send(shown.map(|stored| stored.message).collect());
        }
    }

    /// An export has come to its end.
    pub(super) fn exported(&mut self, id: ChatId, tag: Option<Tag>, result: Result<Event, Failure>) {
        self.exports.remove(&id);
        match result {
            Ok(event) => self.outlet.report(event, tag),
            Err(failure) => self.outlet.command_failed("export", Some(id), tag, failure),
        }
    }
}

impl Export {
    async fn run(self) -> Result<Event, Failure> {
        let chat = self.about.chat;
        let of = self.store.message_count(chat).await?;
        let mut file = self.begin().await?;
        let mut query = HistoryQuery::Oldest;
        let mut read = 0;
        let mut told = None;
        loop {
            if told.is_none_or(|told: Instant| told.elapsed() >= PROGRESS_EVERY) {
                told = Some(Instant::now());
                self.tell_progress(read, of).await;
            }
            let page = self.store.history(chat, query, MAX_PAGE_LEN).await;
            let page = page.map_err(|error| self.page_failed(error))?;
            let more = page.more_after;
            if let Some(last) = page.messages.last() {
                query = HistoryQuery::After(last.message.id);
            }
            read += page.messages.len() as u64;
            let shown = self.sifted(page.messages).await?;
            file = self.write(file, shown).await?;
            if self.cancelled.load(Ordering::Relaxed) {
                return Err(cancelled());
            }
            if !more {
                break;
            }
        }
        let messages = file.messages();
        self.finish(file).await?;
        Ok(ChatEvent::Exported {
            path: self.path,
            messages,
        }
        .of(chat))
    }

    async fn begin(&self) -> Result<File, Failure> {
        let (path, format, about) = (self.path.clone(), self.format, self.about.clone());
        let own_files = self.store.own_files().clone();
        let begun = spawn_blocking(move || {
            let file = BufWriter::new(WholeFile::create(&path, &own_files)?);
            Exporter::begin(file, format, about)
        });
        self.written(begun.await)
    }

    async fn write(&self, mut file: File, messages: Vec<Message>) -> Result<File, Failure> {
        let written = spawn_blocking(move || {
            for message in &messages {
                file.message(message)?;
            }
            Ok(file)
        });
        self.written(written.await)
    }

    async fn finish(&self, file: File) -> Result<(), Failure> {
        let finished = spawn_blocking(move || {
            let file = file
                .finish()?
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?;
            file.finish()
        });
        self.written(finished.await)
    }

    fn written<T>(&self, written: Result<io::Result<T>, JoinError>) -> Result<T, Failure> {
        match written {
            Ok(written) => written.map_err(|error| export_failed(&self.path, &error)),
            // The work was broken off, since the program ends.
            Err(_) => Err(cancelled()),
        }
    }

    async fn sifted(&self, page: Vec<StoredMessage>) -> Result<Vec<Message>, Failure> {
        let (back, sifted) = oneshot::channel();
        let sifting = Sifting {
            chat: self.about.chat,
            page,
            back,
        };
        // No answer: the chat was left, or the program ends.
        self.errands
            .send(Errand::Sift(Box::new(sifting)))
            .await
            .map_err(|_| cancelled())?;
        sifted.await.map_err(|_| cancelled())
    }

    async fn tell_progress(&self, messages: u64, of: u64) {
        let event = ChatEvent::ExportProgress { messages, of }.of(self.about.chat);
        // If nobody hears of it the program ends.
        let _ = self.errands.send(Errand::Progress(Box::new(event))).await;
    }

    /// What is gone from the store, which was there a moment ago, was cleared meanwhile.
    fn page_failed(&self, error: StoreError) -> Failure {
        match error {
            StoreError::NotFound => Failure::new(
                Code::NotFound,
                "What was being exported was cleared meanwhile, so nothing was written. Export the chat again.",
            ),
            error => error.into(),
        }
    }
}

fn export_failed(path: &Path, error: &io::Error) -> Failure {
    write_failed("The chat", path, error)
}

fn cancelled() -> Failure {
    Failure::new(Code::Cancelled, "The export was cancelled; nothing was written.")
}
