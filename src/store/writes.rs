//! Each [`Write`] as SQL. A write about a chat that is not stored finds no row and changes nothing.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::archive;
use super::record::{ChatRecord, FactRecord, InviteRecord, PartRecord, Write};
use super::vault::Vault;
use super::{MAX_HEARSAY, MAX_MEMBERS, MAX_PEERS};
use crate::id::{ChatId, ClientId, FactId, MessageId};
use crate::model::{ChatKind, DeliveryState, Message, MessageBody, Retention, Settings, Workspace};

const HOUR_MS: i64 = 3_600_000;

/// Carries out a write, inside the caller's transaction.
pub(super) fn apply(connection: &Connection, write: &Write, vault: &Vault) -> rusqlite::Result<()> {
    let run = |sql, values: &[&dyn ToSql]| run(connection, sql, values);
    match write {
        Write::PutChat(record) => put_chat(connection, record, vault),
        Write::SetNick { chat, nick } => {
            run("UPDATE chat SET nick = ?2 WHERE id = ?1", params![chat.0, nick])
        }
        Write::SetTopic { chat, topic, by } => run(
            "UPDATE chat SET topic = ?2, topic_by = ?3 WHERE id = ?1",
            params![chat.0, topic, by.map(|by| by.0)],
        ),
        Write::SetPort { chat, port } => {
            run("UPDATE chat SET port = ?2 WHERE id = ?1", params![chat.0, port])
        }
        Write::SetJoined { chat, keep_invite } => run(
            "UPDATE chat SET joined = 1, invite = iif(?2, invite, NULL) WHERE id = ?1",
            params![chat.0, keep_invite],
        ),
        Write::SetCredential { chat, credential } => run(
            "UPDATE chat SET credential = ?2 WHERE id = ?1",
            params![chat.0, credential],
        ),
        Write::SetCharter { chat, name, charter } => run(
            "UPDATE chat SET name = ?2, charter = ?3 WHERE id = ?1",
            params![chat.0, name, charter],
        ),
        Write::AddMessage {
            message,
            client_id,
            signed,
        } => add_message(connection, message, client_id, signed),
        Write::SayAgain {
            id,
            message,
            client_id,
            signed,
        } => say_again(connection, id, message, client_id, signed),
        Write::AddPart { chat, part } => add_part(connection, chat, part),
        Write::SetHistoryHeld {
            chat,
            since,
            is_whole,
        } => run(
            "UPDATE chat SET history_since = ?2, history_whole = ?3 WHERE id = ?1",
            params![chat.0, since.to_be_bytes(), is_whole],
        ),
        Write::SetRetention { chat, retention } => set_retention(connection, chat, *retention),
        Write::Forget { chat, before_hour } => forget(connection, chat, *before_hour),
        Write::ClearHistory { chat, since } => clear_history(connection, chat, *since),
        Write::SetDelivery { chat, id, state } => run(
            "UPDATE message SET delivery = ?3 WHERE chat = (SELECT key FROM chat WHERE id = ?1) AND id = ?2 AND own",
            params![chat.0, id.0, delivery_name(*state)],
        ),
        Write::AddMember {
            chat,
            member,
            credential,
        } => put_member(
            connection,
            chat,
            ADD_MEMBER,
            params![chat.0, member.0, credential],
        ),
        Write::SetMemberNick { chat, member, nick } => {
            put_member(connection, chat, SET_MEMBER_NICK, params![chat.0, member.0, nick])
        }
        Write::SawPeer { chat, address, at_ms } => {
            saw_peer(connection, params![chat.0, address.to_string(), to_i64(*at_ms)])
        }
        Write::HeardOfPeer { chat, address, at_ms } => {
            heard_of_peer(connection, params![chat.0, address.to_string(), to_i64(*at_ms)])
        }
        Write::AddInvite { chat, invite } => add_invite(connection, chat, invite),
        Write::PutFacts { chat, added, removed } => put_facts(connection, chat, added, removed),
        Write::SetIgnored {
            chat,
            member,
            ignored,
        } => run(
            if *ignored { ADD_IGNORED } else { REMOVE_IGNORED },
            params![chat.0, member.0],
        ),
        Write::SaveDraft { chat, text } => {
            run("UPDATE chat SET draft = ?2 WHERE id = ?1", params![chat.0, text])
        }
        Write::MarkRead { chat, message } => run(MARK_READ, params![chat.0, message.0]),
        Write::SaveSettings(settings) => save_settings(connection, settings),
        Write::SaveWorkspace(workspace) => save_workspace(connection, workspace),
        Write::RemoveChat { chat } => run("DELETE FROM chat WHERE id = ?1", params![chat.0]),
    }
}

/// The name of a kind in the database.
pub(super) fn kind_name(kind: ChatKind) -> &'static str {
    match kind {
        ChatKind::Private => "private",
        ChatKind::Public => "public",
        ChatKind::Classic => "classic",
    }
}

/// A time as the database has it: in ms since 1970.
pub(super) fn to_ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

const PUT_CHAT: &str = "
    INSERT INTO chat (id, kind, name, nick, topic, topic_by, created_ms, port, joined,
        chat_seed, member_seed, invite, rendezvous, credential, charter, next_invite)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name, nick = excluded.nick,
        topic = excluded.topic, topic_by = excluded.topic_by, created_ms = excluded.created_ms, port = excluded.port, joined = excluded.joined,
        chat_seed = excluded.chat_seed, member_seed = excluded.member_seed, invite = excluded.invite,
        rendezvous = excluded.rendezvous, credential = excluded.credential, charter = excluded.charter,
        next_invite = excluded.next_invite";

/// The row's key stays, and so does the read mark.
const SAY_AGAIN: &str = "
    UPDATE OR IGNORE message
    SET id = ?3, member = ?4, nick = ?5, client_id = ?6, number = ?7, at_ms = ?8, signed = ?9, hlc = ?10, place = ?11
    WHERE chat = (SELECT key FROM chat WHERE id = ?1) AND id = ?2 AND own";

const ADD_MESSAGE: &str = "
    INSERT INTO message (chat, id, member, nick, client_id, number, at_ms, action, text, own, history, signed,
        delivery, hlc, place)
    SELECT key, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15 FROM chat WHERE id = ?1
    ON CONFLICT (chat, id) DO NOTHING";

const OWN_MESSAGE: &str = "
    SELECT at_ms, signed FROM message WHERE chat = (SELECT key FROM chat WHERE id = ?1) AND id = ?2 AND own";

const ADD_PART: &str = "
    INSERT INTO part (chat, id, member, client_id, number, first, signed, hlc)
    SELECT key, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM chat WHERE id = ?1
    AND NOT EXISTS (SELECT 1 FROM message WHERE message.chat = chat.key AND message.id = ?2)
    ON CONFLICT (chat, id) DO NOTHING";

/// A complete message has its first fragment in its own row.
const REMOVE_FIRST_PART: &str = "
    DELETE FROM part WHERE chat = (SELECT key FROM chat WHERE id = ?1) AND id = ?2";

const PARTS_ARE_COMPLETE: &str = "
    UPDATE part SET complete = 1
    WHERE chat = (SELECT key FROM chat WHERE id = ?1) AND client_id = ?2 AND first = ?3";

/// Notes that an hour has changed. Its fingerprint is made when it is asked for.
const CHANGE_HOUR: &str = "
    INSERT INTO hour (chat, hour, bytes) SELECT key, ?2, ?3 FROM chat WHERE id = ?1
    ON CONFLICT (chat, hour) DO UPDATE SET bytes = bytes + excluded.bytes, fingerprint = NULL";

const ADD_MEMBER: &str = "
    INSERT INTO member (chat, member, place, credential)
    SELECT key, ?2, 1 + coalesce((SELECT max(place) FROM member WHERE chat = key), 0), ?3 FROM chat WHERE id = ?1
    ON CONFLICT (chat, member) DO UPDATE SET credential = excluded.credential";

const SET_MEMBER_NICK: &str = "
    INSERT INTO member (chat, member, place, nick)
    SELECT key, ?2, 1 + coalesce((SELECT max(place) FROM member WHERE chat = key), 0), ?3 FROM chat WHERE id = ?1
    ON CONFLICT (chat, member) DO UPDATE SET nick = excluded.nick";

const FORGET_OLD_MEMBERS: &str = "
    DELETE FROM member WHERE chat = (SELECT key FROM chat WHERE id = ?1)
    AND place <= (SELECT max(place) FROM member WHERE chat = (SELECT key FROM chat WHERE id = ?1)) - ?2";

const SAW_PEER: &str = "
    INSERT INTO peer (chat, address, seen_ms) SELECT key, ?2, ?3 FROM chat WHERE id = ?1
    ON CONFLICT (chat, address) DO UPDATE SET seen_ms = max(iif(hearsay, 0, seen_ms), excluded.seen_ms), hearsay = 0";

const FORGET_OLD_PEERS: &str = "
    DELETE FROM peer WHERE (chat, address) IN (
        SELECT chat, address FROM peer WHERE chat = (SELECT key FROM chat WHERE id = ?1) AND hearsay = ?3
        ORDER BY seen_ms DESC, address LIMIT -1 OFFSET ?2)";

const HEARD_OF_PEER: &str = "
    INSERT INTO peer (chat, address, seen_ms, hearsay) SELECT key, ?2, ?3, 1 FROM chat WHERE id = ?1
    ON CONFLICT (chat, address) DO UPDATE SET seen_ms = max(seen_ms, excluded.seen_ms) WHERE hearsay";

const ADD_INVITE: &str = "
    INSERT INTO invite (chat, id, number, certificate, uses, until_ms, created_ms)
    SELECT key, ?2, ?3, ?4, ?5, ?6, ?7 FROM chat WHERE id = ?1
    ON CONFLICT (chat, id) DO NOTHING";

const PUT_FACT: &str = "
    INSERT INTO fact (chat, id, fact, credential) SELECT key, ?2, ?3, ?4 FROM chat WHERE id = ?1
    ON CONFLICT (chat, id) DO UPDATE SET fact = excluded.fact, credential = excluded.credential";

const REMOVE_FACT: &str = "DELETE FROM fact WHERE chat = (SELECT key FROM chat WHERE id = ?1) AND id = ?2";

const ADD_IGNORED: &str = "
    INSERT INTO ignored (chat, member) SELECT key, ?2 FROM chat WHERE id = ?1 ON CONFLICT DO NOTHING";

const REMOVE_IGNORED: &str =
    "DELETE FROM ignored WHERE chat = (SELECT key FROM chat WHERE id = ?1) AND member = ?2";

const MARK_READ: &str = "
    UPDATE chat SET read_message = message.key FROM message
    WHERE chat.id = ?1 AND message.chat = chat.key AND message.id = ?2";

const SAVE_SETTINGS: &str = "
    INSERT INTO settings (key, json) VALUES (1, ?1) ON CONFLICT (key) DO UPDATE SET json = excluded.json";

const ADD_TAB: &str = "
    INSERT OR IGNORE INTO tab (position, chat, selected) SELECT ?2, key, ?3 FROM chat WHERE id = ?1";

const FORGET_MESSAGES: &str = "
    DELETE FROM message WHERE chat = (SELECT key FROM chat WHERE id = ?1)
    AND iif(hlc IS NULL, at_ms < ?3, hlc < ?2) AND delivery IS NOT 'waiting'";

const FORGET_PARTS: &str = "DELETE FROM part WHERE chat = (SELECT key FROM chat WHERE id = ?1) AND hlc < ?2";

const FORGET_HOURS: &str = "DELETE FROM hour WHERE chat = (SELECT key FROM chat WHERE id = ?1) AND hour < ?2";

fn run(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn put_chat(connection: &Connection, record: &ChatRecord, vault: &Vault) -> rusqlite::Result<()> {
    let secrets = &record.secrets;
    let sealed = |column: &str, secret: Option<&[u8]>| {
        let sealed = secret.map(|secret| vault.seal(&record.chat, column, secret));
        sealed.transpose()
    };
    let chat_seed = sealed(
        "chat_seed",
        secrets.chat_seed.as_ref().map(|seed| seed.as_slice()),
    )?;
    let member_seed = sealed(
        "member_seed",
        secrets.member_seed.as_ref().map(|seed| seed.as_slice()),
    )?;
    let invite = sealed("invite", secrets.invite.as_ref().map(|text| text.as_slice()))?;
    let rendezvous = sealed(
        "rendezvous",
        secrets.rendezvous.as_ref().map(|bytes| bytes.as_slice()),
    )?;
    run(
        connection,
        PUT_CHAT,
        params![
            record.chat.0,
            kind_name(record.kind),
            record.name,
            record.nick,
            record.topic,
            record.topic_by.map(|by| by.0),
            to_i64(record.created_ms),
            record.port,
            record.joined,
            chat_seed.as_ref().map(|sealed| sealed.as_slice()),
            member_seed.as_ref().map(|sealed| sealed.as_slice()),
            invite.as_ref().map(|sealed| sealed.as_slice()),
            rendezvous.as_ref().map(|sealed| sealed.as_slice()),
            record.credential,
            record.charter,
            record.next_invite,
        ],
    )
}

fn add_message(
    connection: &Connection,
    message: &Message,
    client_id: &ClientId,
    signed: &[u8],
) -> rusqlite::Result<()> {
    let chat = message.chat;
    let added = connection.prepare_cached(ADD_MESSAGE)?.execute(params![
        message.chat.0,
        message.id.0,
        message.member.0,
        message.nick,
        client_id.0,
        message.number,
        to_ms(message.at),
        message.body == MessageBody::Action,
        message.text,
        message.own,
        message.history,
        signed,
        message.delivery.map(delivery_name),
        hlc_bytes(signed),
        to_i64(message.place()),
    ])?;
    if added == 0 {
        return Ok(());
    }
    let hour = hour(archive::hlc_of(signed), to_ms(message.at));
    change_hour(connection, &chat, hour, message.text.len() + signed.len())?;
    if signed.is_empty() {
        return Ok(());
    }
    let removed = connection
        .prepare_cached(REMOVE_FIRST_PART)?
        .execute(params![chat.0, message.id.0])?;
    if removed > 0 {
        run(connection, CHANGE_HOUR, params![chat.0, hour, -len(signed.len())])?;
    }
    run(
        connection,
        PARTS_ARE_COMPLETE,
        params![chat.0, client_id.0, message.number],
    )
}

/// With another time, the bytes belong to another hour.
fn say_again(
    connection: &Connection,
    id: &MessageId,
    message: &Message,
    client_id: &ClientId,
    signed: &[u8],
) -> rusqlite::Result<()> {
    let chat = message.chat;
    let before: Option<(i64, Vec<u8>)> = connection
        .prepare_cached(OWN_MESSAGE)?
        .query_row(params![chat.0, id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((was_at, was_signed)) = before else {
        return Ok(());
    };
    let said_again = connection.prepare_cached(SAY_AGAIN)?.execute(params![
        chat.0,
        id.0,
        message.id.0,
        message.member.0,
        message.nick,
        client_id.0,
        message.number,
        to_ms(message.at),
        signed,
        hlc_bytes(signed),
        to_i64(message.place()),
    ])?;
    if said_again == 0 {
        return Ok(());
    }
    let was_in = hour(archive::hlc_of(&was_signed), was_at);
    let was_long = len(message.text.len() + was_signed.len());
    run(connection, CHANGE_HOUR, params![chat.0, was_in, -was_long])?;
    let is_in = hour(archive::hlc_of(signed), to_ms(message.at));
    change_hour(connection, &chat, is_in, message.text.len() + signed.len())
}

fn add_part(connection: &Connection, chat: &ChatId, part: &PartRecord) -> rusqlite::Result<()> {
    let added = connection.prepare_cached(ADD_PART)?.execute(params![
        chat.0,
        part.id.0,
        part.member.0,
        part.client_id.0,
        part.number,
        part.first,
        part.signed,
        hlc_bytes(&part.signed),
    ])?;
    if added > 0 {
        let hour = hour(archive::hlc_of(&part.signed), 0);
        change_hour(connection, chat, hour, part.signed.len())?;
    }
    Ok(())
}

fn change_hour(connection: &Connection, chat: &ChatId, hour: i64, bytes: usize) -> rusqlite::Result<()> {
    run(connection, CHANGE_HOUR, params![chat.0, hour, len(bytes)])
}

/// The hour that something belongs to: by its hlc, if it is signed.
pub(super) fn hour(hlc: Option<u64>, at_ms: i64) -> i64 {
    hlc.map_or(at_ms.div_euclid(HOUR_MS), |hlc| to_i64(hlc / archive::HOUR))
}

fn set_retention(connection: &Connection, chat: &ChatId, retention: Retention) -> rusqlite::Result<()> {
    let (days, mib) = match retention {
        Retention::Forever => (None, None),
        Retention::Days { days } => (Some(days), None),
        Retention::Mib { mib } => (None, Some(mib)),
    };
    run(
        connection,
        "UPDATE chat SET keep_days = ?2, keep_mib = ?3 WHERE id = ?1",
        params![chat.0, days, mib],
    )
}

/// Messages that wait to be sent stay.
fn forget(connection: &Connection, chat: &ChatId, before_hour: u32) -> rusqlite::Result<()> {
    let hlc = u64::from(before_hour) * archive::HOUR;
    let at_ms = i64::from(before_hour) * 3_600_000;
    run(
        connection,
        FORGET_MESSAGES,
        params![chat.0, hlc.to_be_bytes(), at_ms],
    )?;
    run(connection, FORGET_PARTS, params![chat.0, hlc.to_be_bytes()])?;
    run(connection, FORGET_HOURS, params![chat.0, before_hour])
}

fn clear_history(connection: &Connection, chat: &ChatId, since: u64) -> rusqlite::Result<()> {
    for table in ["message", "part", "hour"] {
        let sql = format!("DELETE FROM {table} WHERE chat = (SELECT key FROM chat WHERE id = ?1)");
        run(connection, &sql, params![chat.0])?;
    }
    run(
        connection,
        "UPDATE chat SET history_since = ?2, read_message = NULL WHERE id = ?1",
        params![chat.0, since.to_be_bytes()],
    )
}

fn put_member(
    connection: &Connection,
    chat: &ChatId,
    sql: &str,
    values: &[&dyn ToSql],
) -> rusqlite::Result<()> {
    run(connection, sql, values)?;
    run(connection, FORGET_OLD_MEMBERS, params![chat.0, MAX_MEMBERS])
}

fn saw_peer(connection: &Connection, values: &[&dyn ToSql]) -> rusqlite::Result<()> {
    run(connection, SAW_PEER, values)?;
    run(connection, FORGET_OLD_PEERS, &[values[0], &MAX_PEERS, &false])
}

fn heard_of_peer(connection: &Connection, values: &[&dyn ToSql]) -> rusqlite::Result<()> {
    run(connection, HEARD_OF_PEER, values)?;
    run(connection, FORGET_OLD_PEERS, &[values[0], &MAX_HEARSAY, &true])
}

fn add_invite(connection: &Connection, chat: &ChatId, invite: &InviteRecord) -> rusqlite::Result<()> {
    run(
        connection,
        ADD_INVITE,
        params![
            chat.0,
            invite.invite.0,
            invite.number,
            invite.certificate,
            invite.uses,
            to_i64(invite.until_ms),
            to_i64(invite.created_ms)
        ],
    )?;
    run(
        connection,
        "UPDATE chat SET next_invite = max(next_invite, ?2) WHERE id = ?1",
        params![chat.0, invite.number.saturating_add(1)],
    )
}

/// Removes first, so that a fact that is both removed and added is there afterwards.
fn put_facts(
    connection: &Connection,
    chat: &ChatId,
    added: &[FactRecord],
    removed: &[FactId],
) -> rusqlite::Result<()> {
    for id in removed {
        run(connection, REMOVE_FACT, params![chat.0, id.0])?;
    }
    for FactRecord { id, fact, credential } in added {
        run(connection, PUT_FACT, params![chat.0, id.0, fact, credential])?;
    }
    Ok(())
}

fn save_settings(connection: &Connection, settings: &Settings) -> rusqlite::Result<()> {
    let json = serde_json::to_string(settings)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    run(connection, SAVE_SETTINGS, params![json])
}

fn save_workspace(connection: &Connection, workspace: &Workspace) -> rusqlite::Result<()> {
    run(connection, "DELETE FROM tab", &[])?;
    for (position, chat) in workspace.tabs.iter().enumerate() {
        let selected = workspace.selected == Some(*chat);
        run(connection, ADD_TAB, params![chat.0, position as i64, selected])?;
    }
    Ok(())
}

fn delivery_name(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => "waiting",
        DeliveryState::Sent => "sent",
        DeliveryState::Failed => "failed",
    }
}

/// The hlc of the signed bytes, as the database has it.
fn hlc_bytes(signed: &[u8]) -> Option<[u8; 8]> {
    archive::hlc_of(signed).map(u64::to_be_bytes)
}

fn len(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// SQLite's integers are signed. A larger number is further off than any time that matters.
fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
