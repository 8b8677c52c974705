//! Messages as they come into a chat, live, from the store or from others; what is unread, and how far the user has read.

use jiff::Timestamp;

use super::chat::{Chat, Fetching};
use super::message::{Message, MessageBody};
use super::text::{mentions, shown_nick, shown_text};
use super::timeline::{Page, Row, RowKey};
use crate::id::MessageId;

impl Chat {
    pub(super) fn message_came(&mut self, message: &Message) {
        let key = RowKey::of(message);
        if self.timeline.key_of(message.id).is_some() {
            return;
        }
        let is_news = !message.own && self.read_at.is_none_or(|read| key > read);
        let is_shown = self.timeline.insert(message.clone());
        if self.timeline.is_beyond(key) {
            // It is loaded when the reader goes there.
            if !message.history {
                self.last_line = line_of(&message.nick, message.body, message.own, &message.text);
            }
            if is_news && !self.timeline.is_hidden(message.member) {
                self.timeline.count_beyond();
                self.count_unread(message);
            }
            return;
        }
        self.renew_last_line();
        if is_shown && is_news {
            if !message.history {
                self.timeline.mark_if_late(message.id);
            }
            self.count_unread(message);
        }
    }

    fn count_unread(&mut self, message: &Message) {
        self.unread = self.unread.saturating_add(1);
        if mentions(&message.text, &self.nick) {
            self.mentions = self.mentions.saturating_add(1);
        }
    }

    pub(super) fn history_came(
        &mut self,
        page: Option<Page>,
        messages: &[Message],
        more_before: bool,
        more_after: bool,
    ) {
        match page {
            Some(page) => self.timeline.load(page, messages, more_before, more_after),
            // The newest page is asked for without the user: when a chat is opened, or events were missed.
            None if !more_after => self.timeline.join_newest(messages, more_before),
            None => {}
        }
        if self.read_at.is_none() {
            self.read_at = self.read.and_then(|read| self.timeline.key_of(read));
        }
        self.renew_last_line();
        if self.read.is_some() && !self.timeline.more_after() {
            self.mentions = self.unread_after_read().1.min(self.unread);
        }
    }

    pub(super) fn history_progressed(
        &mut self,
        fetched: u32,
        back_to: Option<Timestamp>,
        done: bool,
        more: bool,
    ) {
        self.fetching = (!done).then_some(Fetching { fetched, back_to });
        if done && more && fetched > 0 {
            self.timeline.set_more_before(true);
            self.timeline.older_may_come();
        }
    }

    pub(super) fn history_cleared(&mut self) {
        self.timeline.forget_all();
        (self.read, self.read_at) = (None, None);
        (self.unread, self.mentions) = (0, 0);
        self.last_line.clear();
    }

    /// Takes the newest message from the rows, if they reach to the end.
    pub(super) fn renew_last_line(&mut self) {
        if self.timeline.more_after() {
            return;
        }
        let said = self.timeline.rows().rev().find_map(Row::said);
        self.last_line = said.map_or_else(String::new, |said| {
            line_of(&said.nick, said.body, said.own, &said.text)
        });
    }

    /// Moves the "new" line to what is unread now. Until then it stays where reading stopped before.
    pub fn forget_new_line(&mut self) {
        self.timeline.set_read_mark(self.read);
    }

    /// Marks as read up to `message`, and returns whether that is news. A "new" line stays where it is, for the reader to find.
    pub(super) fn mark_read(&mut self, message: MessageId) -> bool {
        if self.read == Some(message) && self.unread == 0 {
            return false;
        }
        let row = self.timeline.key_of(message);
        let goes_on = match (row, self.read_at) {
            // The read mark never goes back: what the last frame showed may be older than what was read since.
            (Some(row), Some(read)) => row >= read,
            // Far up it is not known whether the message comes before or after the read mark.
            _ => self.read.is_none() || !self.timeline.more_after(),
        };
        if !goes_on {
            return false;
        }
        let before = std::mem::replace(&mut self.read_at, row);
        self.read = Some(message);
        if self.timeline.more_after() {
            // Messages after the loaded rows are still unread.
            let (unread, mentions) = row.map_or((0, 0), |row| self.unread_between(before, row));
            self.unread = self.unread.saturating_sub(unread);
            self.mentions = self.mentions.saturating_sub(mentions).min(self.unread);
        } else {
            (self.unread, self.mentions) = self.unread_after_read();
        }
        if self.timeline.new_line().is_none() {
            self.forget_new_line();
        }
        true
    }

    /// How many messages of others are in the loaded rows after the read mark, and how many of them mention us.
    pub(super) fn unread_after_read(&self) -> (u32, u32) {
        let after = |row: &&Row| self.read_at.is_none_or(|read| row.key > read);
        count(self.timeline.rows().rev().take_while(after))
    }

    fn unread_between(&self, before: Option<RowKey>, to: RowKey) -> (u32, u32) {
        let from = before.map_or(0, |before| self.timeline.index_at(before));
        let passed = self.timeline.rows_from(from).take_while(|row| row.key <= to);
        count(passed.filter(|row| before.is_none_or(|before| row.key > before)))
    }
}

/// How many messages of others, and how many of them mention the reader.
fn count<'a>(rows: impl Iterator<Item = &'a Row>) -> (u32, u32) {
    let (mut others, mut mentioned) = (0, 0);
    for said in rows.filter_map(Row::said) {
        others += u32::from(!said.own);
        mentioned += u32::from(said.mentions_own);
    }
    (others, mentioned)
}

/// A message as one line, for the chat list.
fn line_of(nick: &str, body: MessageBody, own: bool, text: &str) -> String {
    let (nick, text) = (shown_nick(nick), shown_text(text));
    let line = text.lines().next().unwrap_or_default();
    match (body, own) {
        (MessageBody::Action, _) => format!("{nick} {line}"),
        (MessageBody::Message, true) => format!("You: {line}"),
        (MessageBody::Message, false) => format!("{nick}: {line}"),
    }
}
