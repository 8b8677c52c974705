//! Requests from the window to the backend: sent in order, kept while there is no room. What changes with every key is sent
//! only after a pause (debounced).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::json;

use super::backend::Backend;
use crate::id::ChatId;
use crate::model::{ChatCommand, Command, Page, Report, Request, Settings, Tag};

/// What is typed is kept when the fingers rest for this long (a guess).
const DRAFT_AFTER: Duration = Duration::from_secs(1);

/// Settings are kept when they stay as they are for this long: a zoom is dragged through many values.
const SETTINGS_AFTER: Duration = Duration::from_millis(500);

/// How soon to try again when the backend has no room (a guess).
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// How many messages are loaded at a time: some screens full (a guess).
const PAGE_LEN: u32 = 200;

/// The way to the backend.
pub(super) struct Outbox {
    backend: Box<dyn Backend>,
    queue: VecDeque<Request>,
    drafts: BTreeMap<ChatId, (String, Duration)>,
    settings: Option<(Settings, Duration)>,
    next_tag: u64,
}

impl Outbox {
    pub(super) fn new(backend: Box<dyn Backend>) -> Self {
        Self {
            backend,
            queue: VecDeque::new(),
            drafts: BTreeMap::new(),
            settings: None,
            next_tag: 0,
        }
    }

    /// The next report, if there is one.
    pub(super) fn poll(&mut self) -> Option<Report> {
        self.backend.poll()
    }

    /// Sends a command whose answer is only news.
    pub(super) fn send(&mut self, command: Command) {
        self.queue.push_back(command.into());
    }

    /// Sends a command with a tag by which its answer is known.
    pub(super) fn send_tagged(&mut self, command: Command) -> Tag {
        self.next_tag += 1;
        let tag = json!({ "window": self.next_tag });
        self.queue.push_back(Request {
            command,
            tag: Some(tag.clone()),
        });
        tag
    }

    /// Asks for a part of a chat's history.
    pub(super) fn send_page(&mut self, chat: ChatId, page: Page) {
        self.queue.push_back(Request {
            command: page.command(chat, PAGE_LEN),
            tag: Some(page.tag()),
        });
    }

    /// Sends a command that, if it fails, gives `text` back with the error ([`typed_text`]).
    pub(super) fn send_typed(&mut self, command: Command, text: &str) {
        self.queue.push_back(Request {
            command,
            tag: Some(json!({ "typed": text })),
        });
    }

    /// Keeps a draft, soon.
    pub(super) fn keep_draft(&mut self, chat: ChatId, text: String, now: Duration) {
        self.drafts.insert(chat, (text, now + DRAFT_AFTER));
    }

    /// Keeps the settings, soon.
    pub(super) fn keep_settings(&mut self, settings: Settings, now: Duration) {
        self.settings = Some((settings, now + SETTINGS_AFTER));
    }

    /// Forgets what was to be kept of a chat that is gone.
    pub(super) fn forget(&mut self, chat: ChatId) {
        self.drafts.remove(&chat);
    }

    /// Sends what is due. When to call it again, if that is known.
    pub(super) fn flush(&mut self, now: Duration) -> Option<Duration> {
        self.put_due(now);
        while let Some(request) = self.queue.front() {
            if !self.backend.try_send(request) {
                return Some(now + RETRY_AFTER);
            }
            self.queue.pop_front();
        }
        let drafts = self.drafts.values().map(|(_, due)| *due);
        drafts.chain(self.settings.as_ref().map(|(_, due)| *due)).min()
    }

    /// Sends everything, due or not: the window closes.
    pub(super) fn flush_all(&mut self) {
        self.put_due(Duration::MAX);
        let mut tries = 0;
        while let Some(request) = self.queue.front() {
            if self.backend.try_send(request) {
                self.queue.pop_front();
            } else if tries == 20 {
                // It stands still; a draft is not worth a window that does not close.
                return;
            } else {
                tries += 1;
                std::thread::sleep(RETRY_AFTER);
            }
        }
    }

    fn put_due(&mut self, now: Duration) {
        let due: Vec<ChatId> = self
            .drafts
            .iter()
            .filter(|(_, (_, due))| *due <= now)
            .map(|(chat, _)| *chat)
            .collect();
        for chat in due {
            if let Some((text, _)) = self.drafts.remove(&chat) {
                self.send(ChatCommand::SaveDraft { text }.to(chat));
            }
        }
        if let Some((settings, _)) = self.settings.take_if(|(_, due)| *due <= now) {
            self.send(Command::SaveSettings { settings });
        }
    }
}

/// The text that comes back with the answer to [`Outbox::send_typed`].
pub(super) fn typed_text(tag: &Tag) -> Option<&str> {
    tag.get("typed")?.as_str()
}
