//! Searching stored messages, without those that bans, equivocation and the user hide.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::actor::{Actor, Errand};
use super::failure::Failure;
use super::failure::bad_command;
use crate::id::{ChatId, MessageId};
use crate::model::{Code, Event, Message, SearchQuery, Tag};
use crate::store::{MAX_PAGE_LEN, SearchOrder, StoreError, StoredMessage};

impl Actor {
    /// Asks the store for messages by their words.
    pub(super) fn search(
        &mut self,
        text: &str,
        chat: Option<ChatId>,
        before: Option<MessageId>,
        limit: u32,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        let query = SearchQuery::parse(text).map_err(bad_command)?;
        if let Some(chat) = chat {
            self.chat(chat)?;
        }
        let is_named = |name: &str| {
            let name = name.to_lowercase();
            query.chat.as_ref().is_none_or(|wanted| name.contains(wanted))
        };
        let chats: Vec<ChatId> = self
            .chats
            .iter()
            .filter(|(id, known)| chat.is_none_or(|chat| chat == **id) && is_named(&known.record.name))
            .map(|(id, _)| *id)
            .collect();
        if let (Some(name), true) = (&query.chat, chats.is_empty()) {
            let sentence = format!("No chat here has “{name}” in its name. Look at the list of chats.");
            return Err(Failure::new(Code::NotFound, sentence));
        }
        let store = self.outlet.store.clone();
        let permit = self.errand_permit()?;
        let limit = limit.min(MAX_PAGE_LEN) as usize;
        self.send_for(permit, async move {
            let older_than = match before {
                Some(id) => store.chat_of(id).await.map(|chat| Some((chat, id))),
                None => Ok(None),
            };
            let order = older_than.map(|older_than| SearchOrder {
                chats,
                words: query.words,
                from: query.from,
                before_ms: query.before.and_then(start_of),
                after_ms: query.after.and_then(start_of),
                older_than,
                limit,
            });
            let result = match order {
                Ok(order) => store.search(order).await,
                Err(error) => Err(error),
            };
            Errand::Searched { tag, result }
        });
        Ok(())
    }

    /// Reports the hits that may be shown.
    pub(super) fn searched(
        &mut self,
        tag: Option<Tag>,
        result: Result<(Vec<StoredMessage>, bool), StoreError>,
    ) {
        let (found, more) = match result {
            Ok(found) => found,
            Err(error) => return self.outlet.command_failed("search", None, tag, error.into()),
        };
        let messages: Vec<Message> = found
            .into_iter()
            .filter(|stored| {
                let chat = self.chats.get(&stored.message.chat);
                chat.is_some_and(|chat| chat.shows(stored) && !chat.ignored.contains(&stored.message.member))
            })
            .map(|stored| stored.message)
            .collect();
        self.outlet.report(Event::SearchResults { messages, more }, tag);
    }
}

/// When a day begins here, in ms since 1970.
fn start_of(day: Date) -> Option<i64> {
    let start = day.to_zoned(TimeZone::system()).ok()?;
    Some(start.timestamp().as_millisecond())
}
