//! Queries. A row that [`super::writes`] can't have written is damage.

use std::net::SocketAddr;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, Type, ValueRef};
use rusqlite::{Connection, Row, ToSql, params};
use zeroize::Zeroizing;

use super::record::{ChatRecord, ChatSecrets, FactRecord, InviteRecord};
use super::vault::Vault;
use super::{HistoryPage, HistoryQuery, MAX_PAGE_LEN, StoredMessage};
use crate::id::{ChatId, ClientId, FactId, InviteId, MemberId, MessageId};
use crate::model::{ChatKind, DeliveryState, Message, MessageBody, OpenChat, Retention, Settings, Workspace};

/// All chats, in the order of their creation.
pub(super) fn chats(connection: &Connection, vault: &Vault) -> rusqlite::Result<Vec<ChatRecord>> {
    let mut statement = connection.prepare_cached(
        "SELECT key, id, kind, name, nick, topic, topic_by, created_ms, port, joined, chat_seed,
            member_seed, invite, rendezvous, credential, charter, next_invite, history_since, history_whole,
            keep_days, keep_mib FROM chat ORDER BY key",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get("key")?, chat_record(row, vault)?)))?;
    let mut records: Vec<(i64, ChatRecord)> = rows.collect::<rusqlite::Result<_>>()?;
    for (key, record) in &mut records {
        record.admitted = rows_of(
            connection,
            "SELECT credential FROM member WHERE chat = ?1 AND credential IS NOT NULL ORDER BY place",
            *key,
            |row| row.get(0),
        )?;
        record.nicks = rows_of(
            connection,
            "SELECT member, nick FROM member WHERE chat = ?1 AND nick IS NOT NULL ORDER BY member",
            *key,
            |row| Ok((MemberId(row.get(0)?), row.get(1)?)),
        )?;
        record.peers = rows_of(
            connection,
            "SELECT address FROM peer WHERE chat = ?1 AND NOT hearsay ORDER BY seen_ms DESC, address",
            *key,
            |row| parsed::<SocketAddr>(row, 0),
        )?;
        record.facts = rows_of(
            connection,
            "SELECT id, fact, credential FROM fact WHERE chat = ?1 ORDER BY id",
            *key,
            fact,
        )?;
        record.ignored = rows_of(
            connection,
            "SELECT member FROM ignored WHERE chat = ?1 ORDER BY member",
            *key,
            |row| Ok(MemberId(row.get(0)?)),
        )?;
        record.invites = rows_of(
            connection,
            "SELECT id, number, certificate, uses, until_ms, created_ms FROM invite WHERE chat = ?1 \
             ORDER BY number, id",
            *key,
            invite,
        )?;
    }
    Ok(records.into_iter().map(|(_, record)| record).collect())
}

/// A page of a chat's history.
pub(super) fn history(
    connection: &Connection,
    chat: ChatId,
    query: HistoryQuery,
    limit: u32,
) -> rusqlite::Result<HistoryPage> {
    let limit = limit.min(MAX_PAGE_LEN);
    let key = chat_key(connection, chat)?;
    match query {
        HistoryQuery::Newest => {
            let (messages, more_before) = older(connection, chat, key, &Place::end(), limit)?;
            Ok(HistoryPage {
                messages,
                more_before,
                more_after: false,
            })
        }
        HistoryQuery::Oldest => {
            let (messages, more_after) = newer(connection, chat, key, &Place::start(), limit)?;
            Ok(HistoryPage {
                messages,
                more_before: false,
                more_after,
            })
        }
        HistoryQuery::Before(id) => {
            let place = place(connection, key, id)?;
            let (messages, more_before) = older(connection, chat, key, &place, limit)?;
            Ok(HistoryPage {
                messages,
                more_before,
                more_after: true,
            })
        }
        HistoryQuery::After(id) => {
            let place = place(connection, key, id)?;
            let (messages, more_after) = newer(connection, chat, key, &place, limit)?;
            Ok(HistoryPage {
                messages,
                more_before: true,
                more_after,
            })
        }
        HistoryQuery::At(at) => {
            let place = Place::at(at);
            let (mut messages, more_before) = older(connection, chat, key, &place, limit / 2)?;
            let (after, more_after) = newer(connection, chat, key, &place, limit - limit / 2)?;
            messages.extend(after);
            Ok(HistoryPage {
                messages,
                more_before,
                more_after,
            })
        }
        HistoryQuery::Around(id) => {
            let place = place(connection, key, id)?;
            let side = limit.saturating_sub(1) / 2;
            // Half of the page ends with the message itself.
            let (mut messages, more_before) =
                older(connection, chat, key, &place.right_after(), side + limit.min(1))?;
            let (after, more_after) = newer(connection, chat, key, &place, side)?;
            messages.extend(after);
            Ok(HistoryPage {
                messages,
                more_before,
                more_after,
            })
        }
    }
}

/// How many messages are stored.
pub(super) fn message_count(connection: &Connection, chat: ChatId) -> rusqlite::Result<u64> {
    let key = chat_key(connection, chat)?;
    connection
        .prepare_cached("SELECT count(*) FROM message WHERE chat = ?1")?
        .query_row([key], |row| row.get(0).map(i64::cast_unsigned))
}

/// How many bytes of the database hold something.
pub(super) fn used_len(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0).map(u64::from));
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(pages * pragma("page_size")?)
}

/// Own messages that were not sent, the oldest first.
pub(super) fn waiting(connection: &Connection, chat: ChatId) -> rusqlite::Result<Vec<Message>> {
    let key = chat_key(connection, chat)?;
    let waiting = messages(connection, chat, WAITING, params![key])?;
    Ok(waiting.into_iter().map(|stored| stored.message).collect())
}

/// What was said since a moment, newest first, at most so many.
pub(super) fn said_since(
    connection: &Connection,
    chat: ChatId,
    since: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<MessageId>> {
    let key = chat_key(connection, chat)?;
    let mut statement = connection.prepare_cached(
        "SELECT id FROM message WHERE chat = ?1 AND place >= ?2 ORDER BY place DESC, id DESC LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ids = statement.query_map(params![key, Place::at(since).place, limit], |row| {
        row.get(0).map(MessageId)
    })?;
    ids.collect()
}

/// What the window keeps between runs.
pub(super) fn workspace(connection: &Connection) -> rusqlite::Result<(Settings, Workspace, Vec<OpenChat>)> {
    let mut statement = connection.prepare_cached("SELECT json FROM settings")?;
    let settings = statement
        .query_map([], |row| from_json(row, 0))?
        .next()
        .transpose()?
        .unwrap_or_default();

    let mut workspace = Workspace::default();
    let mut statement = connection.prepare_cached(
        "SELECT chat.id, selected FROM tab JOIN chat ON chat.key = tab.chat ORDER BY position",
    )?;
    for row in statement.query_map([], |row| Ok((ChatId(row.get(0)?), row.get(1)?)))? {
        let (chat, selected) = row?;
        workspace.tabs.push(chat);
        if selected {
            workspace.selected = Some(chat);
        }
    }

    let mut statement = connection.prepare_cached(OPEN_CHATS)?;
    let chats = statement.query_map([], |row| {
        let read: Option<[u8; 32]> = row.get(2)?;
        Ok(OpenChat {
            chat: ChatId(row.get(0)?),
            draft: row.get(1)?,
            read: read.map(MessageId),
            unread: row.get(3)?,
        })
    })?;
    Ok((settings, workspace, chats.collect::<rusqlite::Result<_>>()?))
}

/// Before a place, the newest first.
const OLDER: &str = "
    SELECT member, nick, id, number, at_ms, action, text, own, history, client_id, delivery, place FROM message
    WHERE chat = ?1 AND (place, id) < (?2, ?3) ORDER BY place DESC, id DESC LIMIT ?4";

/// After a place, the oldest first.
const NEWER: &str = "
    SELECT member, nick, id, number, at_ms, action, text, own, history, client_id, delivery, place FROM message
    WHERE chat = ?1 AND (place, id) > (?2, ?3) ORDER BY place, id LIMIT ?4";

const WAITING: &str = "
    SELECT member, nick, id, number, at_ms, action, text, own, history, client_id, delivery, place FROM message
    WHERE chat = ?1 AND delivery = 'waiting' ORDER BY place, id";

/// Counts the unread messages: those of others after the read mark, or all of them without one.
const OPEN_CHATS: &str = "
    SELECT chat.id, draft, read.id,
        CASE WHEN read.key IS NULL
        THEN (SELECT count(*) FROM message AS m WHERE m.chat = chat.key AND m.own = 0)
        ELSE (SELECT count(*) FROM message AS m WHERE m.chat = chat.key AND m.own = 0
            AND (m.place, m.id) > (read.place, read.id))
        END
    FROM chat LEFT JOIN message AS read ON read.key = chat.read_message
    ORDER BY chat.key";

/// A position in the order of a chat's messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) place: i64,
    /// The id of the message there, or bytes that sort like one.
    pub(super) id: Vec<u8>,
}

impl Place {
    /// Before all messages.
    fn start() -> Self {
        Self {
            place: i64::MIN,
            id: Vec::new(),
        }
    }

    /// After all messages.
    pub(super) fn end() -> Self {
        Self {
            place: i64::MAX,
            id: Vec::new(),
        }
    }

    /// Before the first message that can have this time.
    pub(super) fn at(at: Timestamp) -> Self {
        Self::at_ms(at.as_millisecond())
    }

    /// The same in ms since 1970.
    pub(super) fn at_ms(at_ms: i64) -> Self {
        // Beyond any time that a position can have.
        let at_ms = at_ms.clamp(0, i64::MAX >> 16);
        Self {
            place: at_ms << 16,
            id: Vec::new(),
        }
    }

    /// Between the message here and the next.
    fn right_after(&self) -> Self {
        Self {
            place: self.place,
            id: [self.id.as_slice(), &[0]].concat(),
        }
    }
}

/// The key of a chat's row.
pub(super) fn chat_key(connection: &Connection, chat: ChatId) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT key FROM chat WHERE id = ?1")?
        .query_row(params![chat.0], |row| row.get(0))
}

pub(super) fn place(connection: &Connection, chat_key: i64, id: MessageId) -> rusqlite::Result<Place> {
    connection
        .prepare_cached("SELECT place, id FROM message WHERE chat = ?1 AND id = ?2")?
        .query_row(params![chat_key, id.0], |row| {
            Ok(Place {
                place: row.get(0)?,
                id: row.get(1)?,
            })
        })
}

/// At most `limit` messages right before a position, the oldest first, and whether there are older ones.
fn older(
    connection: &Connection,
    chat: ChatId,
    chat_key: i64,
    place: &Place,
    limit: u32,
) -> rusqlite::Result<(Vec<StoredMessage>, bool)> {
    let mut found = messages(
        connection,
        chat,
        OLDER,
        params![chat_key, place.place, place.id, limit + 1],
    )?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    found.reverse();
    Ok((found, more))
}

/// At most `limit` messages right after a position, the oldest first, and whether there are newer ones.
fn newer(
    connection: &Connection,
    chat: ChatId,
    chat_key: i64,
    place: &Place,
    limit: u32,
) -> rusqlite::Result<(Vec<StoredMessage>, bool)> {
    let mut found = messages(
        connection,
        chat,
        NEWER,
        params![chat_key, place.place, place.id, limit + 1],
    )?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    Ok((found, more))
}

fn messages(
    connection: &Connection,
    chat: ChatId,
    sql: &str,
    values: &[&dyn ToSql],
) -> rusqlite::Result<Vec<StoredMessage>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(values, |row| message(row, chat))?.collect()
}

pub(super) fn message(row: &Row<'_>, chat: ChatId) -> rusqlite::Result<StoredMessage> {
    let at = Timestamp::from_millisecond(row.get(4)?).map_err(|error| damage(4, Type::Integer, error))?;
    let (action, own): (bool, bool) = (row.get(5)?, row.get(7)?);
    let delivery: Option<String> = row.get(10)?;
    let mut message = Message {
        chat,
        member: MemberId(row.get(0)?),
        nick: row.get(1)?,
        id: MessageId(row.get(2)?),
        number: row.get(3)?,
        at,
        body: if action {
            MessageBody::Action
        } else {
            MessageBody::Message
        },
        text: row.get(6)?,
        own,
        history: row.get(8)?,
        delivery: own.then_some(match delivery.as_deref() {
            Some("waiting") => DeliveryState::Waiting,
            Some("failed") => DeliveryState::Failed,
            // Nothing is known to wait for it.
            _ => DeliveryState::Sent,
        }),
        place: 0,
    };
    let place = row.get::<_, i64>(11)?.cast_unsigned();
    if place != message.place() {
        message.place = place;
    }
    Ok(StoredMessage {
        message,
        client_id: ClientId(row.get(9)?),
    })
}

fn fact(row: &Row<'_>) -> rusqlite::Result<FactRecord> {
    Ok(FactRecord {
        id: FactId(row.get(0)?),
        fact: row.get(1)?,
        credential: row.get(2)?,
    })
}

fn invite(row: &Row<'_>) -> rusqlite::Result<InviteRecord> {
    let (until_ms, created_ms): (i64, i64) = (row.get(4)?, row.get(5)?);
    Ok(InviteRecord {
        invite: InviteId(row.get(0)?),
        number: row.get(1)?,
        certificate: row.get(2)?,
        uses: row.get(3)?,
        until_ms: until_ms.max(0).cast_unsigned(),
        created_ms: created_ms.max(0).cast_unsigned(),
    })
}

fn chat_record(row: &Row<'_>, vault: &Vault) -> rusqlite::Result<ChatRecord> {
    let topic_by: Option<[u8; 32]> = row.get("topic_by")?;
    let created_ms: i64 = row.get("created_ms")?;
    let StoredKind(kind) = row.get("kind")?;
    let chat = ChatId(row.get("id")?);
    let secret = |column: &str| secret(row, column, &chat, vault);
    Ok(ChatRecord {
        chat,
        kind,
        name: row.get("name")?,
        nick: row.get("nick")?,
        topic: row.get("topic")?,
        topic_by: topic_by.map(MemberId),
        created_ms: created_ms.max(0).cast_unsigned(),
        port: row.get("port")?,
        joined: row.get("joined")?,
        secrets: ChatSecrets {
            chat_seed: secret("chat_seed")?.map(sized).transpose()?,
            member_seed: secret("member_seed")?.map(sized).transpose()?,
            invite: secret("invite")?,
            rendezvous: secret("rendezvous")?.map(sized).transpose()?,
        },
        credential: row.get("credential")?,
        charter: row.get("charter")?,
        next_invite: row.get("next_invite")?,
        admitted: Vec::new(),
        peers: Vec::new(),
        nicks: Vec::new(),
        facts: Vec::new(),
        ignored: Vec::new(),
        invites: Vec::new(),
        history_since: row
            .get::<_, Option<[u8; 8]>>("history_since")?
            .map(u64::from_be_bytes),
        history_is_whole: row.get("history_whole")?,
        retention: retention(row.get("keep_days")?, row.get("keep_mib")?),
    })
}

/// How much is kept, by the two columns of a chat.
fn retention(days: Option<u16>, mib: Option<u32>) -> Retention {
    match (days, mib) {
        (Some(days), _) => Retention::Days { days },
        (None, Some(mib)) => Retention::Mib { mib },
        (None, None) => Retention::Forever,
    }
}

fn secret(
    row: &Row<'_>,
    column: &str,
    chat: &ChatId,
    vault: &Vault,
) -> rusqlite::Result<Option<Zeroizing<Vec<u8>>>> {
    let stored: Option<Vec<u8>> = row.get(column)?;
    stored
        .map(|stored| vault.open(chat, column, Zeroizing::new(stored)))
        .transpose()
}

/// A secret of a fixed length.
fn sized<const N: usize>(secret: Zeroizing<Vec<u8>>) -> rusqlite::Result<Zeroizing<[u8; N]>> {
    let sized = secret.as_slice().try_into().map(Zeroizing::new);
    sized.map_err(|error| damage(0, Type::Blob, error))
}

/// Where members of a chat are said to be, the newest first.
pub(super) fn hearsay(connection: &Connection, chat: ChatId) -> rusqlite::Result<Vec<SocketAddr>> {
    rows_of(
        connection,
        "SELECT address FROM peer WHERE chat = ?1 AND hearsay ORDER BY seen_ms DESC, address",
        chat_key(connection, chat)?,
        |row| parsed::<SocketAddr>(row, 0),
    )
}

fn rows_of<T>(
    connection: &Connection,
    sql: &str,
    chat_key: i64,
    value: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection
        .prepare_cached(sql)?
        .query_map([chat_key], value)?
        .collect()
}

fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error| damage(column, Type::Text, error))
}

fn from_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| damage(column, Type::Text, error))
}

fn damage(
    column: usize,
    value: Type,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, value, Box::new(error))
}

/// A kind by its name in the database.
struct StoredKind(ChatKind);

impl FromSql for StoredKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "private" => Ok(Self(ChatKind::Private)),
            "public" => Ok(Self(ChatKind::Public)),
            "classic" => Ok(Self(ChatKind::Classic)),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::schema;

    /// SQLite's plan for a query, one line for each step.
    pub(in crate::store) fn plan(sql: &str, values: usize) -> Vec<String> {
        let mut connection = Connection::open_in_memory().expect("a database in memory");
        schema::migrate(&mut connection).expect("an empty database takes the migrations");
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .expect("the query is sound");
        let zeros = vec![0; values];
        let steps = statement
            .query_map(rusqlite::params_from_iter(zeros), |row| row.get("detail"))
            .expect("a plan");
        steps.collect::<rusqlite::Result<_>>().expect("a plan is text")
    }

    // No "USE TEMP B-TREE": the index has the order, and reading ends with the page.
    #[test]
    fn a_page_of_history_is_a_range_of_the_index() {
        let older = plan(OLDER, 4);
        assert_eq!(
            older,
            ["SEARCH message USING INDEX message_order (chat=? AND (place,id)<(?,?))"]
        );
        let newer = plan(NEWER, 4);
        assert_eq!(
            newer,
            ["SEARCH message USING INDEX message_order (chat=? AND (place,id)>(?,?))"]
        );
    }

    #[test]
    fn what_waits_is_found_without_looking_at_what_does_not() {
        assert_eq!(
            plan(WAITING, 1),
            ["SEARCH message USING INDEX message_waiting (chat=?)"]
        );
    }

    #[test]
    fn unread_messages_are_counted_in_the_index_alone() {
        let steps = plan(OPEN_CHATS, 0);
        for step in ["(chat=?)", "(chat=? AND (place,id)>(?,?))"] {
            let wanted = format!("SEARCH m USING COVERING INDEX message_of_others {step}");
            assert!(steps.contains(&wanted), "{wanted} is not in {steps:#?}");
        }
    }
}
