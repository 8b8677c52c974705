//! The history of a chat for other members: messages and fragments by hlc, with fingerprints of spans (range-based set
//! reconciliation, Meyer 2022). `node::archive` defines the questions and the fingerprints.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rusqlite::{Connection, OptionalExtension, params};

use super::reads::chat_key;
use super::record::PartRecord;
use crate::crypto;
use crate::id::{ChatId, ClientId, MemberId, MessageId};

/// An hour in terms of hlc: ms in the upper 48 bits.
pub const HOUR: u64 = 3_600_000 << 16;

/// A stored say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// Its name.
    pub id: MessageId,
    /// By whom.
    pub member: MemberId,
    /// What its author signed, with the signature.
    pub signed: Vec<u8>,
}

/// The hlc in a signed part: bytes 36 to 43. `None` if nothing was signed.
pub(super) fn hlc_of(signed: &[u8]) -> Option<u64> {
    let bytes = signed.get(36..44)?;
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// The fingerprint of each span: 16 bytes, equal where the same says are held, zeros where none are. Those of whole hours
/// are cached.
pub(super) fn fingerprints(
    connection: &Connection,
    chat: ChatId,
    spans: &[Range<u64>],
) -> rusqlite::Result<Vec<[u8; 16]>> {
    let key = chat_key(connection, chat)?;
    // One transaction; otherwise every hour would be a commit.
    let transaction = connection.unchecked_transaction()?;
    let found = spans
        .iter()
        .map(|span| fingerprint(&transaction, key, span))
        .collect::<rusqlite::Result<_>>()?;
    transaction.commit()?;
    Ok(found)
}

/// The first of the newest hours that together have `mib` MiB; `None` if all hours together have less.
pub(super) fn first_hour_within(
    connection: &Connection,
    chat: ChatId,
    mib: u32,
) -> rusqlite::Result<Option<u32>> {
    let key = chat_key(connection, chat)?;
    let mut statement =
        connection.prepare_cached("SELECT hour, bytes FROM hour WHERE chat = ?1 ORDER BY hour DESC")?;
    let mut left = i64::from(mib) << 20;
    let mut first = None;
    let mut rows = statement.query(params![key])?;
    while let Some(row) = rows.next()? {
        left -= row.get::<_, i64>(1)?;
        // The present hour stays, whatever its size.
        if left < 0 && first.is_some() {
            return Ok(first);
        }
        first = Some(row.get(0)?);
    }
    Ok(None)
}

/// The oldest hour of which anything is held.
pub(super) fn oldest_hour(connection: &Connection, chat: ChatId) -> rusqlite::Result<Option<u32>> {
    let key = chat_key(connection, chat)?;
    connection
        .prepare_cached("SELECT min(hour) FROM hour WHERE chat = ?1")?
        .query_row(params![key], |row| row.get(0))
}

/// The newest ids in a span, the newest first.
pub(super) fn ids(
    connection: &Connection,
    chat: ChatId,
    span: &Range<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<(u64, MessageId)>> {
    let key = chat_key(connection, chat)?;
    let mut statement = connection.prepare_cached(NEWEST_IDS)?;
    let (start, end) = ends(span);
    let rows = statement.query_map(params![key, start, end], placed)?;
    rows.take(limit).collect()
}

/// The newest in a span except some, the newest first, and whether there are more.
pub(super) fn archived(
    connection: &Connection,
    chat: ChatId,
    span: &Range<u64>,
    except: &BTreeSet<[u8; 6]>,
    limit: usize,
    max_bytes: usize,
) -> rusqlite::Result<(Vec<Archived>, bool)> {
    let key = chat_key(connection, chat)?;
    let mut statement = connection.prepare_cached(NEWEST_IDS)?;
    let (start, end) = ends(span);
    let (mut found, mut bytes) = (Vec::new(), 0);
    for row in statement.query_map(params![key, start, end], placed)? {
        let (_, id) = row?;
        if id
            .0
            .first_chunk::<6>()
            .is_some_and(|short| except.contains(short))
        {
            continue;
        }
        if found.len() >= limit {
            return Ok((found, true));
        }
        let archived = said(connection, key, id)?;
        bytes += archived.signed.len();
        if bytes > max_bytes && !found.is_empty() {
            return Ok((found, true));
        }
        found.push(archived);
    }
    Ok((found, false))
}

/// Fragments of incomplete messages, by session and number, at most so many.
pub(super) fn orphan_parts(
    connection: &Connection,
    chat: ChatId,
    limit: usize,
) -> rusqlite::Result<Vec<PartRecord>> {
    let key = chat_key(connection, chat)?;
    let mut statement = connection.prepare_cached(ORPHANS)?;
    let rows = statement.query_map(params![key], |row| {
        Ok(PartRecord {
            id: MessageId(row.get(0)?),
            member: MemberId(row.get(1)?),
            client_id: ClientId(row.get(2)?),
            number: row.get(3)?,
            first: row.get(4)?,
            signed: row.get(5)?,
        })
    })?;
    rows.take(limit).collect()
}

/// Own signed messages that were not sent, with their fragments, each with its hlc.
pub(super) fn unsent(connection: &Connection, chat: ChatId) -> rusqlite::Result<BTreeMap<MessageId, u64>> {
    let key = chat_key(connection, chat)?;
    let mut statement = connection.prepare_cached(UNSENT)?;
    let rows = statement.query_map(params![key], |row| {
        let hlc = row.get::<_, Option<[u8; 8]>>(0)?.map(u64::from_be_bytes);
        Ok(hlc.map(|hlc| Ok((MessageId(row.get(1)?), hlc))))
    })?;
    // What was said in a classic chat has none.
    rows.filter_map(Result::transpose).map(Result::flatten).collect()
}

/// Messages and fragments as one list, the newest first.
const NEWEST_IDS: &str = "
    SELECT hlc, id FROM message WHERE chat = ?1 AND hlc >= ?2 AND hlc < ?3
    UNION ALL SELECT hlc, id FROM part WHERE chat = ?1 AND hlc >= ?2 AND hlc < ?3
    ORDER BY 1 DESC, 2 DESC";

const HOURS: &str = "
    SELECT hour, fingerprint FROM hour WHERE chat = ?1 AND hour >= ?2 AND hour < ?3 ORDER BY hour";

const ORPHANS: &str = "
    SELECT id, member, client_id, number, first, signed FROM part
    WHERE chat = ?1 AND complete = 0 ORDER BY first, number";

const UNSENT: &str = "
    SELECT hlc, id FROM message WHERE chat = ?1 AND delivery = 'waiting'
    UNION ALL SELECT part.hlc, part.id FROM message JOIN part ON part.chat = message.chat
        AND part.client_id = message.client_id AND part.first = message.number
    WHERE message.chat = ?1 AND message.delivery = 'waiting'";

fn fingerprint(connection: &Connection, chat_key: i64, span: &Range<u64>) -> rusqlite::Result<[u8; 16]> {
    let is_whole = span.start.is_multiple_of(HOUR) && span.end.is_multiple_of(HOUR);
    if !is_whole || span.end <= span.start {
        return of_ids(connection, chat_key, span);
    }
    let hours = span.start / HOUR..span.end / HOUR;
    let held = of_hours(connection, chat_key, &hours)?;
    if hours.end - hours.start == 1 {
        return Ok(held.first().map_or([0; 16], |(_, fingerprint)| *fingerprint));
    }
    if held.is_empty() {
        return Ok([0; 16]);
    }
    let mut parts: Vec<&[u8]> = vec![b"throng/1 hours\0"];
    for (hour, fingerprint) in &held {
        parts.extend([hour.as_slice(), fingerprint.as_slice()]);
    }
    Ok(first_16(crypto::hash(&parts)))
}

/// Each hour of a range that is not empty (4 bytes, as in fingerprints), with its fingerprint.
fn of_hours(
    connection: &Connection,
    chat_key: i64,
    hours: &Range<u64>,
) -> rusqlite::Result<Vec<([u8; 4], [u8; 16])>> {
    let mut statement = connection.prepare_cached(HOURS)?;
    let values = params![chat_key, hours.start.cast_signed(), hours.end.cast_signed()];
    let rows = statement.query_map(values, |row| {
        Ok((row.get::<_, u32>(0)?, row.get::<_, Option<[u8; 16]>>(1)?))
    })?;
    let known: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    let mut held = Vec::with_capacity(known.len());
    for (hour, kept) in known {
        let fingerprint = match kept {
            Some(fingerprint) => fingerprint,
            None => {
                let start = u64::from(hour) * HOUR;
                let made = of_ids(connection, chat_key, &(start..start + HOUR))?;
                keep(connection, chat_key, hour, &made)?;
                made
            }
        };
        if fingerprint != [0; 16] {
            held.push((hour.to_be_bytes(), fingerprint));
        }
    }
    Ok(held)
}

fn of_ids(connection: &Connection, chat_key: i64, span: &Range<u64>) -> rusqlite::Result<[u8; 16]> {
    let mut statement = connection.prepare_cached(NEWEST_IDS)?;
    let (start, end) = ends(span);
    let rows = statement.query_map(params![chat_key, start, end], |row| row.get::<_, [u8; 32]>(1))?;
    let mut ids: Vec<[u8; 32]> = rows.collect::<rusqlite::Result<_>>()?;
    if ids.is_empty() {
        return Ok([0; 16]);
    }
    ids.sort_unstable();
    let mut parts: Vec<&[u8]> = vec![b"throng/1 span\0"];
    parts.extend(ids.iter().map(<[u8; 32]>::as_slice));
    Ok(first_16(crypto::hash(&parts)))
}

fn keep(connection: &Connection, chat_key: i64, hour: u32, fingerprint: &[u8; 16]) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE hour SET fingerprint = ?3 WHERE chat = ?1 AND hour = ?2")?
        .execute(params![chat_key, hour, fingerprint])?;
    Ok(())
}

fn said(connection: &Connection, chat_key: i64, id: MessageId) -> rusqlite::Result<Archived> {
    let from = |table| {
        connection
            .prepare_cached(&format!(
                "SELECT member, signed FROM {table} WHERE chat = ?1 AND id = ?2"
            ))?
            .query_row(params![chat_key, id.0], |row| {
                Ok(Archived {
                    id,
                    member: MemberId(row.get(0)?),
                    signed: row.get(1)?,
                })
            })
            .optional()
    };
    match from("message")? {
        Some(archived) => Ok(archived),
        None => from("part")?.ok_or(rusqlite::Error::QueryReturnedNoRows),
    }
}

fn placed(row: &rusqlite::Row<'_>) -> rusqlite::Result<(u64, MessageId)> {
    Ok((u64::from_be_bytes(row.get(0)?), MessageId(row.get(1)?)))
}

/// The ends of a span as the database has them.
fn ends(span: &Range<u64>) -> ([u8; 8], [u8; 8]) {
    (span.start.to_be_bytes(), span.end.to_be_bytes())
}

fn first_16(hash: [u8; 32]) -> [u8; 16] {
    *hash.first_chunk().expect("32 bytes begin with 16")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::reads::tests::plan;

    // Each half comes in the order of its index, and the two are merged, so reading stops at the limit.
    #[test]
    fn what_others_compare_is_a_range_of_two_indexes_and_nothing_else() {
        let steps = plan(NEWEST_IDS, 3);
        for step in [
            "SEARCH message USING COVERING INDEX message_archive (chat=? AND hlc>? AND hlc<?)",
            "SEARCH part USING COVERING INDEX part_archive (chat=? AND hlc>? AND hlc<?)",
            "MERGE (UNION ALL)",
        ] {
            assert!(
                steps.iter().any(|made| made == step),
                "{step} is not in {steps:#?}"
            );
        }
        assert_eq!(steps.len(), 5, "and no sorting: {steps:#?}");
        assert_eq!(
            plan(HOURS, 3),
            ["SEARCH hour USING PRIMARY KEY (chat=? AND hour>? AND hour<?)"]
        );
    }

    #[test]
    fn what_is_not_complete_or_not_sent_is_found_without_the_rest() {
        assert_eq!(plan(ORPHANS, 1), ["SEARCH part USING INDEX part_orphan (chat=?)"]);
        let steps = plan(UNSENT, 1);
        for step in [
            "SEARCH message USING INDEX message_waiting (chat=?)",
            "SEARCH part USING INDEX part_of (chat=? AND client_id=? AND first=?)",
        ] {
            assert!(
                steps.iter().any(|made| made == step),
                "{step} is not in {steps:#?}"
            );
        }
        assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:#?}");
    }
}
