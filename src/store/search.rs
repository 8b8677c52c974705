//! Finding messages by their words.
//!
//! Words of three letters and more are looked up in an index of all that stand three in a row. Where that gives very many, or
//! the words are shorter, messages are walked from the newest back instead, which soon finds what stands in many of them.
//! Rare words of one or two letters are the slow case: for those the whole time asked for is walked.

use rusqlite::{Connection, ToSql, params};

use super::StoredMessage;
use super::reads::{Place, message, place};
use super::schema::BELIEVED_AHEAD_MS;
use crate::id::{ChatId, MessageId};

/// What is searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchOrder {
    /// In which chats; none of those that are not stored.
    pub chats: Vec<ChatId>,
    /// In lower case; all have to stand in the text.
    pub words: Vec<String>,
    /// In lower case: a part of the author's nick.
    pub from: Option<String>,
    /// Only what was said before this, in ms since 1970.
    pub before_ms: Option<i64>,
    /// Only what was said at this time or later.
    pub after_ms: Option<i64>,
    /// Only what is older than this message.
    pub older_than: Option<(ChatId, MessageId)>,
    /// At most so many.
    pub limit: usize,
}

/// Letters that stand in the index together.
const INDEXED_LEN: usize = 3;

/// With more hits than that in the index, the messages are walked. A guess: these are sorted in some 10 ms.
const MAX_INDEX_HITS: usize = 5_000;

/// Rows that [`message`] reads, then the chat's id.
const COLUMNS: &str =
    "member, m.nick, m.id, number, at_ms, action, text, own, history, client_id, delivery, m.place, chat.id";

/// The newest first, and whether there are more.
pub(super) fn search(
    connection: &Connection,
    order: &SearchOrder,
) -> rusqlite::Result<(Vec<StoredMessage>, bool)> {
    let end = match &order.older_than {
        Some((chat, id)) => place(connection, super::reads::chat_key(connection, *chat)?, *id)?,
        None => Place::end(),
    };
    let mut found = match indexed(connection, order, &end)? {
        Some(found) => found,
        None => walked(connection, order, &end)?,
    };
    found.sort_by_key(|stored| std::cmp::Reverse((stored.message.place(), stored.message.id)));
    let more = found.len() > order.limit;
    found.truncate(order.limit);
    Ok((found, more))
}

/// In which chat a message is stored. Ids are known by chat, of which there are few.
pub(super) fn chat_of(connection: &Connection, id: MessageId) -> rusqlite::Result<ChatId> {
    connection
        .prepare_cached(
            "SELECT chat.id FROM chat WHERE EXISTS (SELECT 1 FROM message AS m WHERE m.chat = chat.key AND m.id = ?1)",
        )?
        .query_row(params![id.0], |row| Ok(ChatId(row.get(0)?)))
}

type Found = Vec<StoredMessage>;

/// What the index finds; none if it can't tell, or finds too much.
fn indexed(connection: &Connection, order: &SearchOrder, end: &Place) -> rusqlite::Result<Option<Found>> {
    let phrases: Vec<String> = order
        .words
        .iter()
        .filter(|word| word.chars().count() >= INDEXED_LEN)
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect();
    if phrases.is_empty() {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT rowid FROM message_text WHERE message_text MATCH ?1 ORDER BY rowid DESC LIMIT ?2",
    )?;
    let most = MAX_INDEX_HITS as i64 + 1;
    let keys: Vec<i64> = statement
        .query_map(params![phrases.join(" "), most], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    if keys.len() > MAX_INDEX_HITS {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM message AS m JOIN chat ON chat.key = m.chat WHERE m.key = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = Vec::new();
    for key in keys {
        let mut rows = statement.query(params![key])?;
        if let Some(row) = rows.next()? {
            found.extend(hit(row, order, end)?);
        }
    }
    Ok(Some(found))
}

/// Of each chat as many as are wanted, and one more, from the newest back.
fn walked(connection: &Connection, order: &SearchOrder, end: &Place) -> rusqlite::Result<Found> {
    let sql = format!(
        "SELECT {COLUMNS} FROM chat JOIN message AS m ON m.chat = chat.key
        WHERE chat.id = ?1 AND (m.place, m.id) < (?2, ?3) AND m.place >= ?4
        ORDER BY m.place DESC, m.id DESC"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    // A message's place is not before its time, and after it at most by what a clock is believed to be ahead.
    let before = order
        .before_ms
        .map(|ms| Place::at_ms(ms.saturating_add(BELIEVED_AHEAD_MS)));
    let end = before.as_ref().map_or(end, |before| before.min(end));
    let earliest = order.after_ms.map_or(0, |ms| Place::at_ms(ms).place);
    let mut found = Vec::new();
    for chat in &order.chats {
        let values: [&dyn ToSql; 4] = [&chat.0, &end.place, &end.id, &earliest];
        let mut rows = statement.query(values.as_slice())?;
        let mut of_chat = 0;
        while of_chat <= order.limit
            && let Some(row) = rows.next()?
        {
            let hit = hit(row, order, end)?;
            of_chat += usize::from(hit.is_some());
            found.extend(hit);
        }
    }
    Ok(found)
}

/// A row, if it is what is searched for.
fn hit(row: &rusqlite::Row<'_>, order: &SearchOrder, end: &Place) -> rusqlite::Result<Option<StoredMessage>> {
    let (at_ms, chat): (i64, _) = (row.get(4)?, ChatId(row.get(12)?));
    let in_time = order.before_ms.is_none_or(|before| at_ms < before)
        && order.after_ms.is_none_or(|after| at_ms >= after);
    if !in_time || !order.chats.contains(&chat) {
        return Ok(None);
    }
    let stored = message(row, chat)?;
    let (place, id) = (stored.message.place().cast_signed(), stored.message.id.0);
    if (place, id.as_slice()) >= (end.place, end.id.as_slice()) {
        return Ok(None);
    }
    let text = stored.message.text.to_lowercase();
    let is_from = |nick: &String| stored.message.nick.to_lowercase().contains(nick);
    let is_hit =
        order.words.iter().all(|word| text.contains(word)) && order.from.as_ref().is_none_or(is_from);
    Ok(is_hit.then_some(stored))
}
