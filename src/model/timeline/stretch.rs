//! Which stretch of a chat's history is loaded. Pages are added at either end, or replace everything, and rows far from the
//! reader are dropped. So a history of a million messages takes no more memory than one of some thousand.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Chunk, MAX_ROWS, MOST_ROWS, Row, RowContent, RowKey, Timeline};
use crate::id::{ChatId, MessageId};
use crate::model::{ChatCommand, Command, Message, Tag};

/// How many notices outside of the loaded rows are kept. A guess: those of some days.
const MAX_NOTICES: usize = 512;

/// A request for a page of stored messages. It is the command's tag, so that the answer says where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// The newest messages.
    Newest,
    /// Those before the first that is loaded.
    Before(MessageId),
    /// Those after the last that is loaded.
    After(MessageId),
    /// A message and those around it.
    Around(MessageId),
    /// The first message from a time on and those around it.
    At(Timestamp),
}

impl Page {
    /// The command that asks for it, for at most `limit` messages.
    pub fn command(self, chat: ChatId, limit: u32) -> Command {
        let (mut before, mut after, mut around, mut at) = (None, None, None, None);
        match self {
            Self::Newest => {}
            Self::Before(id) => before = Some(id),
            Self::After(id) => after = Some(id),
            Self::Around(id) => around = Some(id),
            Self::At(time) => at = Some(time),
        }
        ChatCommand::History {
            before,
            after,
            around,
            at,
            limit,
        }
        .to(chat)
    }

    /// The tag of that command.
    pub fn tag(self) -> Tag {
        json!({ "page": self })
    }

    /// The page that a tag stands for, if it is one.
    pub fn of(tag: &Tag) -> Option<Self> {
        serde_json::from_value(tag.get("page")?.clone()).ok()
    }
}

/// Whether messages older than the first row are being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Older {
    /// Nothing was asked for.
    #[default]
    Idle,
    /// They were asked for.
    Asked,
    /// None came for now, though somebody may have some.
    Nobody,
}

impl Timeline {
    /// Takes in a page of stored messages, the oldest first. `more_before`, `more_after`: whether there are others
    /// before and after these. An answer to an outdated request changes nothing.
    pub fn load(&mut self, page: Page, messages: &[Message], more_before: bool, more_after: bool) {
        match page {
            Page::Before(id) => {
                if self.first_message() == Some(id) {
                    self.load_before(messages, more_before);
                }
            }
            Page::After(id) => {
                if self.last_message() == Some(id) {
                    self.load_after(messages, more_after);
                }
            }
            Page::Newest => {
                let first = messages.first().map(RowKey::of);
                let is_apart = more_before
                    && first
                        .zip(self.last_key())
                        .is_some_and(|(first, last)| first > last);
                if is_apart {
                    self.replace(messages, more_before, false);
                } else {
                    self.join_newest(messages, more_before);
                }
            }
            Page::Around(_) | Page::At(_) if messages.is_empty() => {
                // There is no such message: the reader stays.
                self.older_round += 1;
                self.touch();
            }
            Page::Around(_) | Page::At(_) => self.replace(messages, more_before, more_after),
        }
        self.take_back_notices();
    }

    /// Notes that older messages are being asked for.
    pub fn ask_older(&mut self) {
        if self.older != Older::Asked {
            self.older = Older::Asked;
            self.touch();
        }
    }

    /// Notes that asking for older messages again may bring some.
    pub fn older_may_come(&mut self) {
        if self.older != Older::Idle {
            self.older = Older::Idle;
            self.older_round += 1;
            self.touch();
        }
    }

    /// Notes that older messages could not be had.
    pub(in crate::model) fn older_failed(&mut self) {
        self.older = Older::Nobody;
        self.touch();
    }

    /// Whether messages older than the first row are being asked for.
    pub fn older(&self) -> Older {
        self.older
    }

    /// A number that changes whenever asking for older rows may bring some that it did not bring before.
    pub fn older_round(&self) -> u32 {
        self.older_round
    }

    /// Whether there are older messages than the first one here.
    pub fn set_more_before(&mut self, more: bool) {
        self.more_before = more;
    }

    /// Whether there are older messages than the first one here.
    pub fn more_before(&self) -> bool {
        self.more_before
    }

    /// Whether there are newer messages than the last one here.
    pub fn more_after(&self) -> bool {
        self.more_after
    }

    /// How many messages of others have come that belong after the last row.
    pub fn beyond(&self) -> u32 {
        self.beyond
    }

    /// Counts one more of them.
    pub(in crate::model) fn count_beyond(&mut self) {
        self.beyond = self.beyond.saturating_add(1);
        self.touch();
    }

    /// Whether a position is after a stretch that does not reach to the newest message.
    pub fn is_beyond(&self, key: RowKey) -> bool {
        self.more_after && self.last_key().is_some_and(|last| key > last)
    }

    /// Keeps the newest rows only.
    pub fn trim(&mut self, keep: usize) {
        if self.len <= keep {
            return;
        }
        self.more_before = true;
        self.older = Older::Idle;
        while self.len > keep {
            let drop = (self.len - keep).min(self.chunks[0].rows.len());
            let dropped: Vec<Row> = self.chunks[0].rows.drain(..drop).collect();
            self.dropped(0, dropped);
        }
        self.index_chunks(0);
        self.refresh(0);
        self.forget_withheld_outside();
    }

    /// Keeps the oldest rows only.
    pub fn trim_newest(&mut self, keep: usize) {
        if self.len <= keep {
            return;
        }
        self.more_after = true;
        while self.len > keep {
            let last = self.chunks.len() - 1;
            let rows = &mut self.chunks[last].rows;
            let at = rows.len() - (self.len - keep).min(rows.len());
            let dropped = rows.split_off(at);
            self.dropped(last, dropped);
        }
        self.index_chunks(0);
        self.forget_withheld_outside();
    }

    /// Drops everything, since it is not stored any more.
    pub fn forget_all(&mut self) {
        let counter = self.counter + 1;
        *self = Self {
            own_nick: std::mem::take(&mut self.own_nick),
            hidden: std::mem::take(&mut self.hidden),
            deliveries: std::mem::take(&mut self.deliveries),
            counter,
            version: counter,
            ..Self::new(self.zone.clone())
        };
    }

    /// The oldest message, hidden ones included. The next page comes before it.
    pub fn first_message(&self) -> Option<MessageId> {
        let shown = self.rows().map(|row| row.key).find(|key| key.message.is_some());
        let withheld = self.withheld.keys().next().copied();
        shown.into_iter().chain(withheld).min()?.message
    }

    /// The newest message, hidden ones included. The next page comes after it, and a reader who has seen it has seen
    /// everything that is loaded.
    pub fn last_message(&self) -> Option<MessageId> {
        let shown = self
            .rows()
            .rev()
            .map(|row| row.key)
            .find(|key| key.message.is_some());
        let withheld = self.withheld.keys().next_back().copied();
        shown.into_iter().chain(withheld).max()?.message
    }

    /// Whether a position is outside of the loaded stretch. The stretch grows at an end beyond which there is no more, as long
    /// as there is room.
    pub(super) fn is_outside(&mut self, key: RowKey) -> bool {
        let (Some(first), Some(last)) = (self.first_key(), self.last_key()) else {
            return false;
        };
        let is_full = self.len >= MOST_ROWS;
        if key < first {
            self.more_before |= is_full;
            self.more_before
        } else if key > last {
            self.more_after |= is_full;
            self.more_after
        } else {
            // It overflows only if two come for each that was there before: there is no such burst.
            false
        }
    }

    /// Keeps a notice outside of the rows.
    pub(super) fn keep_notice(&mut self, key: RowKey, text: String) {
        self.notices.insert(key, text);
        if self.notices.len() > MAX_NOTICES {
            self.notices.pop_first();
        }
    }

    fn load_before(&mut self, messages: &[Message], more_before: bool) {
        // A reader who asks for older rows is at the other end.
        self.trim_newest(MAX_ROWS);
        let before = self.keys.len();
        self.more_before = false;
        self.insert_all(messages);
        self.more_before = more_before;
        let came = self.keys.len() > before;
        self.older = if came || !more_before {
            Older::Idle
        } else {
            Older::Nobody
        };
        self.trim_newest(MAX_ROWS);
        self.touch();
    }

    fn load_after(&mut self, messages: &[Message], more_after: bool) {
        self.trim(MAX_ROWS);
        self.more_after = false;
        self.insert_all(messages);
        self.set_more_after(more_after);
        self.trim(MAX_ROWS);
        self.touch();
    }

    /// Takes in the newest stored messages if that leaves no gap. Otherwise it notes that there are newer ones than those that
    /// are loaded.
    pub fn join_newest(&mut self, messages: &[Message], more_before: bool) {
        let (Some(first), Some(last)) = (self.first_key(), self.last_key()) else {
            return self.replace(messages, more_before, false);
        };
        let Some(page_first) = messages.first().map(RowKey::of) else {
            return;
        };
        if page_first > last && more_before {
            // The reader gets them by going there.
            self.more_after = true;
            return;
        }
        self.trim(MAX_ROWS);
        let reaches_before = page_first <= first;
        let more_before = if reaches_before {
            more_before
        } else {
            self.more_before
        };
        (self.more_before, self.more_after) = (false, false);
        self.insert_all(messages);
        self.more_before = more_before;
        self.set_more_after(false);
        self.touch();
    }

    /// Replaces all rows by a page.
    fn replace(&mut self, messages: &[Message], more_before: bool, more_after: bool) {
        for row in std::mem::take(&mut self.chunks)
            .into_iter()
            .flat_map(|chunk| chunk.rows)
        {
            self.put_aside(row);
        }
        self.withheld.clear();
        self.keys.clear();
        self.nicks.clear();
        self.new_line = None;
        self.len = 0;
        self.index_chunks(0);
        (self.more_before, self.more_after) = (false, false);
        self.insert_all(messages);
        self.more_before = more_before;
        self.set_more_after(more_after);
        self.older = Older::Idle;
        self.older_round += 1;
        self.touch();
    }

    fn insert_all(&mut self, messages: &[Message]) {
        for message in messages {
            // Stored messages are history. How far own ones have got comes in other events.
            self.insert(Message {
                history: true,
                ..message.clone()
            });
        }
    }

    fn set_more_after(&mut self, more: bool) {
        self.more_after = more;
        if !more {
            self.beyond = 0;
        }
    }

    /// Notices that belong among the rows again.
    fn take_back_notices(&mut self) {
        if self.notices.is_empty() {
            return;
        }
        for (key, text) in std::mem::take(&mut self.notices) {
            if self.is_outside(key) {
                self.notices.insert(key, text);
            } else {
                self.insert_row(key, RowContent::Notice(text));
            }
        }
    }

    /// Rows were taken out of a chunk, at one end of all.
    fn dropped(&mut self, chunk: usize, rows: Vec<Row>) {
        let version = self.next();
        self.chunks[chunk].version = version;
        self.len -= rows.len();
        for row in rows {
            self.put_aside(row);
        }
        if self.chunks[chunk].rows.is_empty() {
            self.chunks.remove(chunk);
        }
    }

    /// Forgets what is known about a dropped row. A notice is kept, since it is stored nowhere else.
    fn put_aside(&mut self, row: Row) {
        if self.new_line == Some(row.key) {
            self.new_line = None;
        }
        match row.content {
            RowContent::Notice(text) => self.keep_notice(row.key, text),
            RowContent::Said(said) => {
                self.keys.remove(&said.message);
                self.discount_nick(&said);
            }
        }
    }

    fn first_key(&self) -> Option<RowKey> {
        let withheld = self.withheld.keys().next().copied();
        self.first().map(|row| row.key).into_iter().chain(withheld).min()
    }

    fn last_key(&self) -> Option<RowKey> {
        let withheld = self.withheld.keys().next_back().copied();
        self.last().map(|row| row.key).into_iter().chain(withheld).max()
    }

    pub(super) fn first(&self) -> Option<&Row> {
        self.chunks.first().and_then(|chunk| chunk.rows.first())
    }

    pub(super) fn last(&self) -> Option<&Row> {
        self.chunks.last().and_then(|chunk| chunk.rows.last())
    }

    fn touch(&mut self) {
        self.next();
    }
}

impl Chunk {
    /// Its rows, the oldest first.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}
