//! Finding messages by their words.
//!
//! Words of three letters and more are looked up in an index of all that stand three in a row. Where that gives very many, or
//! the words are shorter, messages are walked from the newest back instead, which soon finds what stands in many of them.
//! Rare words of one or two letters are the slow case: for those the whole time asked for is walked.

use rusqlite::{Connection, ToSql, params};

use super::StoredMessage;
use super::reads::{Place, message, place};
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

/// Rows that [`message`] reads, then the chat's id and the message's key.
const COLUMNS: &str =
    "member, m.nick, m.id, number, at_ms, action, text, own, history, client_id, delivery, chat.id, m.key";

/// The newest first, and whether there are more.
pub(super) fn search(
    connection: &Connection,
    order: &SearchOrder,
) -> rusqlite::Result<(Vec<StoredMessage>, bool)> {
    let end = match &order.older_than {
        Some((chat, id)) => place(connection, super::reads::chat_key(connection, *chat)?, *id)?,
        None => Place::END,
    };
    let mut found = match indexed(connection, order, end)? {
        Some(found) => found,
        None => walked(connection, order, end)?,
    };
    found.sort_by_key(|(place, _)| std::cmp::Reverse((place.at_ms, place.key)));
    let more = found.len() > order.limit;
    found.truncate(order.limit);
    Ok((found.into_iter().map(|(_, stored)| stored).collect(), more))
}

/// In which chat a message is stored. Ids are known by chat, of which there are few.
pub(super) fn chat_of(connection: &Connection, id: MessageId) -> rusqlite::Result<ChatId> {
    connection
        .prepare_cached(
            "SELECT chat.id FROM chat WHERE EXISTS (SELECT 1 FROM message AS m WHERE m.chat = chat.key AND m.id = ?1)",
        )?
        .query_row(params![id.0], |row| Ok(ChatId(row.get(0)?)))
}

type Found = Vec<(Place, StoredMessage)>;

/// What the index finds; none if it can't tell, or finds too much.
fn indexed(connection: &Connection, order: &SearchOrder, end: Place) -> rusqlite::Result<Option<Found>> {
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
fn walked(connection: &Connection, order: &SearchOrder, end: Place) -> rusqlite::Result<Found> {
    let sql = format!(
        "SELECT {COLUMNS} FROM chat JOIN message AS m ON m.chat = chat.key
        WHERE chat.id = ?1 AND (m.at_ms, m.key) < (?2, ?3) AND m.at_ms >= ?4
        ORDER BY m.at_ms DESC, m.key DESC"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let latest = order.before_ms.unwrap_or(i64::MAX).min(end.at_ms);
    let earliest = order.after_ms.unwrap_or(i64::MIN);
    let mut found = Vec::new();
    for chat in &order.chats {
        let values: [&dyn ToSql; 4] = [&chat.0, &latest, &end.key, &earliest];
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
fn hit(
    row: &rusqlite::Row<'_>,
    order: &SearchOrder,
    end: Place,
) -> rusqlite::Result<Option<(Place, StoredMessage)>> {
    let chat = ChatId(row.get(11)?);
    let place = Place {
        at_ms: row.get(4)?,
        key: row.get(12)?,
    };
    let in_time = order.before_ms.is_none_or(|before| place.at_ms < before)
        && order.after_ms.is_none_or(|after| place.at_ms >= after);
    if !in_time || (place.at_ms, place.key) >= (end.at_ms, end.key) || !order.chats.contains(&chat) {
        return Ok(None);
    }
    let stored = message(row, chat)?;
    let text = stored.message.text.to_lowercase();
    let is_from = |nick: &String| stored.message.nick.to_lowercase().contains(nick);
    let is_hit =
        order.words.iter().all(|word| text.contains(word)) && order.from.as_ref().is_none_or(is_from);
    Ok(is_hit.then_some((place, stored)))
}
