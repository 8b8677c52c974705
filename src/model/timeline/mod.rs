//! The rows of a chat's timeline, prepared as events come: in order, cleaned, with what is above each (a day, the "new"
//! line, the author's nick) worked out. Painting only reads them.
//!
//! Rows are in chunks of bounded size, as in an unrolled linked list. So a row in the middle of 100,000 costs a chunk and
//! not the list, and a view can keep sums by chunk: a chunk's version says whether it has changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

use super::text::{mentions, nick_look, shown_nick, shown_text};
use super::{DeliveryState, Message};
use crate::id::{MemberId, MessageId};

mod deliveries;
mod hidden;
mod row;
mod stretch;
#[cfg(test)]
mod tests;

use self::deliveries::Deliveries;
pub use row::{Delivery, Row, RowContent, RowId, RowKey, SaidRow};
pub use stretch::{Older, Page};

/// A message that comes now and is this much older than the newest one came late. A guess: longer than any datagram is on
/// its way, and than most computers' clocks differ.
const LATE: SignedDuration = SignedDuration::from_mins(2);

/// A chunk is split when it holds more rows.
const CHUNK_ROWS: usize = 256;

/// How many rows are loaded of a history of any length, around where the user reads. What is beyond them is asked for when
/// needed. A guess: some screens full in each direction, and 2 MB of messages of usual length.
pub const MAX_ROWS: usize = 4_096;

/// How many rows may be loaded while the user reads elsewhere, since nothing may be dropped under their eyes.
const MOST_ROWS: usize = 2 * MAX_ROWS;

/// The rows of a chat, the oldest first: a stretch of its history without gaps.
#[derive(Debug, Clone)]
pub struct Timeline {
    zone: TimeZone,
    chunks: Vec<Chunk>,
    /// The index of each chunk's first row; as long as `chunks`.
    starts: Vec<usize>,
    len: usize,
    /// By id, the position of each message, also of hidden ones. Only looked up, never walked.
    keys: HashMap<MessageId, RowKey>,
    /// The members whose messages are hidden.
    hidden: BTreeSet<MemberId>,
    /// Their messages, by position.
    withheld: BTreeMap<RowKey, SaidRow>,
    /// By [`nick_look`], who uses it in how many rows.
    nicks: BTreeMap<Arc<str>, BTreeMap<MemberId, u32>>,
    own_nick: String,
    read_mark: Option<MessageId>,
    /// The row with the "new" line above it.
    new_line: Option<RowKey>,
    more_before: bool,
    more_after: bool,
    /// How many messages of others have come that belong after the last loaded row.
    beyond: u32,
    older: Older,
    /// A number that changes whenever asking for older rows may bring some that it did not bring before.
    older_round: u32,
    /// Notices outside of the loaded rows. They are stored nowhere else.
    notices: BTreeMap<RowKey, String>,
    deliveries: Deliveries,
    /// Counts rows, chunks and changes: each gets a number that none had before.
    counter: u64,
    version: u64,
}

/// Some consecutive rows, at least one. A view caches what it knows of them by `id` and `version`.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Its id.
    pub id: u64,
    /// A number that changes whenever one of its rows changes, comes or goes.
    pub version: u64,
    rows: Vec<Row>,
}

impl Timeline {
    /// An empty timeline that shows times in `zone`.
    pub fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            chunks: Vec::new(),
            starts: Vec::new(),
            len: 0,
            keys: HashMap::new(),
            hidden: BTreeSet::new(),
            withheld: BTreeMap::new(),
            nicks: BTreeMap::new(),
            own_nick: String::new(),
            read_mark: None,
            new_line: None,
            more_before: false,
            more_after: false,
            beyond: 0,
            older: Older::default(),
            older_round: 0,
            notices: BTreeMap::new(),
            deliveries: Deliveries::default(),
            counter: 0,
            version: 0,
        }
    }

    /// Inserts a message, by [`Message::place`] and id. Returns false if it was there already, its author's messages are hidden,
    /// or it is outside of the loaded stretch.
    pub fn insert(&mut self, message: Message) -> bool {
        let key = RowKey::of(&message);
        if self.keys.contains_key(&message.id) || self.is_outside(key) {
            return false;
        }
        self.keys.insert(message.id, key);
        let said = self.said(message);
        if self.hidden.contains(&said.member) {
            self.withhold(key, said);
            return false;
        }
        self.count_nick(&said);
        self.insert_row(key, RowContent::Said(said));
        self.place_new_line(key);
        true
    }

    /// Marks a message that has just come, if it belongs long before others that were here already. Its author may have been cut
    /// off, or may want to plant it among messages that were read long ago.
    pub fn mark_if_late(&mut self, id: MessageId) {
        let newest = self.rows().rev().find(|row| row.said().is_some());
        let (Some(newest), Some(index)) = (newest.map(|row| row.key), self.index_of(id)) else {
            return;
        };
        let is_late = |row: &Row| newest.at.duration_since(row.key.at) > LATE;
        if self.row(index).is_some_and(is_late) {
            self.change(index, |row| {
                let RowContent::Said(said) = &mut row.content else {
                    return false;
                };
                !std::mem::replace(&mut said.late, true)
            });
            self.refresh(index);
            self.refresh(index + 1);
        }
    }

    /// Inserts a notice about something that happened: who joined, who left, the new topic.
    pub fn insert_notice(&mut self, at: Timestamp, text: String) {
        let key = RowKey {
            notice: self.next(),
            ..RowKey::from(at)
        };
        let text = shown_text(&text);
        if self.is_outside(key) {
            self.keep_notice(key, text);
        } else {
            self.insert_row(key, RowContent::Notice(text));
        }
    }

    /// Notes how far an own message has got, also for when it is loaded later. Returns false if it is not loaded now.
    pub fn set_delivery(&mut self, id: MessageId, delivery: Delivery) -> bool {
        self.deliveries.set(id, delivery);
        let Some(index) = self.index_of(id) else {
            return false;
        };
        self.change(index, |row| {
            let RowContent::Said(said) = &mut row.content else {
                return false;
            };
            said.delivery.replace(delivery) != Some(delivery)
        });
        true
    }

    /// How many of the reader's own messages among the rows have not gone out.
    pub fn waiting(&self) -> usize {
        let waits = |said: &SaidRow| {
            said.own
                && said
                    .delivery
                    .is_some_and(|delivery| delivery.state == DeliveryState::Waiting)
        };
        self.rows()
            .filter_map(Row::said)
            .filter(|said| waits(said))
            .count()
    }

    /// The reader's nick: messages that mention it are tinted.
    pub fn set_own_nick(&mut self, nick: &str) {
        if self.own_nick == nick {
            return;
        }
        self.own_nick = nick.to_owned();
        for index in 0..self.len {
            let said = self.row(index).and_then(Row::said);
            let mentions_own = said.is_some_and(|said| self.mentions_own(&said.text, said.own));
            self.change(index, |row| {
                let RowContent::Said(said) = &mut row.content else {
                    return false;
                };
                std::mem::replace(&mut said.mentions_own, mentions_own) != mentions_own
            });
        }
    }

    /// Sets where reading stopped. The "new" line is above the first message of somebody else after that. Without a read mark, or
    /// while that message is not loaded, there is no line.
    pub fn set_read_mark(&mut self, mark: Option<MessageId>) {
        self.read_mark = mark;
        let line = mark.and_then(|mark| self.key_of(mark)).and_then(|mark| {
            let mut after = self.rows_from(self.index_at(mark)).filter(|row| row.key > mark);
            after.find(|row| row.is_from_others()).map(|row| row.key)
        });
        self.move_new_line(line);
    }

    /// When something happened, in the reader's time zone.
    pub fn local(&self, at: Timestamp) -> civil::DateTime {
        self.zone.to_datetime(at)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A number that changes whenever anything does.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// All rows, the oldest first.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.chunks.iter().flat_map(|chunk| &chunk.rows)
    }

    /// The rows from an index on.
    pub fn rows_from(&self, index: usize) -> impl Iterator<Item = &Row> {
        let (chunk, offset) = self.locate(index);
        self.chunks
            .iter()
            .skip(chunk)
            .flat_map(|chunk| &chunk.rows)
            .skip(offset)
    }

    /// The row at an index, the oldest at 0.
    pub fn row(&self, index: usize) -> Option<&Row> {
        let (chunk, offset) = self.locate(index);
        self.chunks.get(chunk)?.rows.get(offset)
    }

    /// The chunks, the oldest first.
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The index of a chunk's first row.
    pub fn chunk_start(&self, chunk: usize) -> usize {
        self.starts.get(chunk).copied().unwrap_or(self.len)
    }

    /// The chunk of a row, and its index there. Past the end, the chunk after the last.
    pub fn locate(&self, index: usize) -> (usize, usize) {
        if index >= self.len {
            return (self.chunks.len(), 0);
        }
        let chunk = self.starts.partition_point(|start| *start <= index) - 1;
        (chunk, index - self.starts[chunk])
    }

    /// The index of the first row at a position or after it; the number of rows if there is none.
    pub fn index_at(&self, key: RowKey) -> usize {
        let chunk = self
            .chunks
            .partition_point(|chunk| chunk.rows.last().is_some_and(|last| last.key < key));
        let Some(rows) = self.chunks.get(chunk).map(|chunk| &chunk.rows) else {
            return self.len;
        };
        self.starts[chunk] + rows.partition_point(|row| row.key < key)
    }

    /// The index of a loaded message.
    pub fn index_of(&self, message: MessageId) -> Option<usize> {
        let index = self.index_at(self.key_of(message)?);
        let found = self
            .row(index)
            .is_some_and(|row| row.key.message == Some(message));
        found.then_some(index)
    }

    /// The position of a message, also of a hidden one.
    pub fn key_of(&self, message: MessageId) -> Option<RowKey> {
        self.keys.get(&message).copied()
    }

    /// The row with the "new" line above it.
    pub fn new_line(&self) -> Option<RowKey> {
        self.new_line
    }

    /// Where reading stopped, by the message last read.
    pub fn read_mark(&self) -> Option<MessageId> {
        self.read_mark
    }

    /// Whether another member spoke under a nick that looks the same.
    pub fn shares_nick(&self, said: &SaidRow) -> bool {
        self.nicks
            .get(&said.nick_look)
            .is_some_and(|members| members.len() > 1)
    }

    fn next(&mut self) -> u64 {
        self.counter += 1;
        self.version = self.counter;
        self.counter
    }

    fn said(&self, message: Message) -> SaidRow {
        let key: Arc<str> = nick_look(&message.nick).into();
        let key = self
            .nicks
            .get_key_value(&key)
            .map_or(key, |(known, _)| Arc::clone(known));
        let text = shown_text(&message.text);
        let delivery = self.deliveries.of(message.id);
        SaidRow {
            message: message.id,
            member: message.member,
            nick: shown_nick(&message.nick),
            body: message.body,
            mentions_own: self.mentions_own(&text, message.own),
            text,
            own: message.own,
            late: false,
            delivery: delivery.or(message.delivery.map(Delivery::of)),
            nick_look: key,
        }
    }

    fn mentions_own(&self, text: &str, own: bool) -> bool {
        !own && !self.own_nick.is_empty() && mentions(text, &self.own_nick)
    }

    /// Notes who uses which nick, so that two who share one are told apart.
    fn count_nick(&mut self, said: &SaidRow) {
        let members = self.nicks.entry(Arc::clone(&said.nick_look)).or_default();
        *members.entry(said.member).or_default() += 1;
    }

    fn insert_row(&mut self, key: RowKey, content: RowContent) {
        let row = Row {
            id: RowId(self.next()),
            key,
            local: self.local(key.at),
            starts_day: false,
            starts_new: false,
            starts_group: false,
            content,
            version: self.version,
        };
        let index = self.index_at(key);
        if self.chunks.is_empty() {
            self.chunks.push(Chunk {
                id: self.version,
                version: 0,
                rows: Vec::new(),
            });
        }
        // One past the end belongs to the last chunk.
        let (mut chunk, mut offset) = self.locate(index);
        if chunk == self.chunks.len() {
            chunk -= 1;
            offset = self.chunks[chunk].rows.len();
        }
        self.chunks[chunk].rows.insert(offset, row);
        self.chunks[chunk].version = self.version;
        if self.chunks[chunk].rows.len() > CHUNK_ROWS {
            self.split(chunk);
        }
        self.len += 1;
        self.index_chunks(chunk);
        self.refresh(index);
        self.refresh(index + 1);
    }

    /// Splits a full chunk in halves, or at its end if it is the last, where most rows come.
    fn split(&mut self, chunk: usize) {
        let at = if chunk + 1 == self.chunks.len() {
            CHUNK_ROWS
        } else {
            CHUNK_ROWS / 2
        };
        let rows = self.chunks[chunk].rows.split_off(at);
        let id = self.next();
        self.chunks.insert(
            chunk + 1,
            Chunk {
                id,
                version: id,
                rows,
            },
        );
    }

    /// Updates the first index of each chunk, from one chunk on.
    fn index_chunks(&mut self, from: usize) {
        self.starts.truncate(from);
        let mut start = match from.checked_sub(1) {
            Some(before) => self.starts[before] + self.chunks[before].rows.len(),
            None => 0,
        };
        for chunk in &self.chunks[from.min(self.chunks.len())..] {
            self.starts.push(start);
            start += chunk.rows.len();
        }
    }

    /// Updates what is above a row. That depends on the row before it and on nothing else, so rows are the same in whatever
    /// order they came.
    fn refresh(&mut self, index: usize) {
        let Some(row) = self.row(index) else { return };
        let before = index.checked_sub(1).and_then(|before| self.row(before));
        let starts_day = before.is_none_or(|before| before.local.date() != row.local.date());
        let starts_new = self.new_line == Some(row.key);
        let starts_group = starts_day || starts_new || before.is_none_or(|before| !row.continues(before));
        self.change(index, |row| {
            let old = (row.starts_day, row.starts_new, row.starts_group);
            (row.starts_day, row.starts_new, row.starts_group) = (starts_day, starts_new, starts_group);
            old != (starts_day, starts_new, starts_group)
        });
    }

    /// Changes a row with `change`, which returns whether it did anything.
    fn change(&mut self, index: usize, change: impl FnOnce(&mut Row) -> bool) {
        let (chunk, offset) = self.locate(index);
        let Some(row) = self
            .chunks
            .get_mut(chunk)
            .and_then(|chunk| chunk.rows.get_mut(offset))
        else {
            return;
        };
        if change(row) {
            self.counter += 1;
            self.version = self.counter;
            row.version = self.version;
            self.chunks[chunk].version = self.version;
        }
    }

    /// After a row has come: moves the "new" line above it if it belongs there.
    fn place_new_line(&mut self, came: RowKey) {
        let Some(mark) = self.read_mark else { return };
        if came.message == Some(mark) {
            self.set_read_mark(self.read_mark);
            return;
        }
        let is_after_mark = self.keys.get(&mark).is_some_and(|mark| *mark < came);
        let is_first = self.new_line.is_none_or(|line| came < line);
        if is_after_mark && is_first && self.row(self.index_at(came)).is_some_and(Row::is_from_others) {
            self.move_new_line(Some(came));
        }
    }

    fn move_new_line(&mut self, line: Option<RowKey>) {
        let old = std::mem::replace(&mut self.new_line, line);
        for key in [old, line].into_iter().flatten() {
            let index = self.index_at(key);
            self.refresh(index);
        }
    }

    fn discount_nick(&mut self, said: &SaidRow) {
        if let Some(members) = self.nicks.get_mut(&said.nick_look) {
            if let Some(rows) = members.get_mut(&said.member) {
                *rows -= 1;
                if *rows == 0 {
                    members.remove(&said.member);
                }
            }
            if members.is_empty() {
                self.nicks.remove(&said.nick_look);
            }
        }
    }
}
