//! Full-text search over trigrams (SQLite FTS5).
//!
//! Words are looked up in the trigram index, words of one or two letters among the trigrams that begin with them, and authors
//! in an index of nicks. A word in very many messages is found quickly by walking from the newest message back. If it is not,
//! because all those messages are old, the index is asked for everything it has. Slow are only words in very many messages
//! that are all old, and words that are rare only in combination.

mod letters;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use self::letters::starts;
use super::StoredMessage;
use super::reads::{Place, chat_key, message, place};
use super::schema::BELIEVED_AHEAD_MS;
use crate::id::{ChatId, MessageId};

/// A search for the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchOrder {
    /// The chats to search. Chats that are not stored are ignored.
    pub chats: Vec<ChatId>,
    /// Words in lower case, all of which must occur.
    pub words: Vec<String>,
    /// In lower case: a part of the author's nick.
    pub from: Option<String>,
    /// Only what was said before this, in ms since 1970.
    pub before_ms: Option<i64>,
    /// Only what was said at this time or later.
    pub after_ms: Option<i64>,
    /// Only what is older than this message.
    pub older_than: Option<(ChatId, MessageId)>,
    /// The most hits to return.
    pub limit: usize,
}

/// The length of the index's entries, in letters.
const INDEXED_LEN: usize = 3;

/// If more nicks than this match, all messages are walked instead of those of each. A guess.
const MAX_AUTHORS: usize = 100;

/// How far each way of searching goes before another is tried.
struct Limits {
    /// Hits in the index, each of which is looked at.
    few: usize,
    /// Hits in the index, if walking does not find them.
    many: usize,
    /// Messages that are walked.
    walked: usize,
    /// Nicks, from all chats, that are looked through for a part of one.
    nicks: usize,
}

/// Guesses, each for some 10 ms; `many` for 0.2 s, a third of what walking a million messages takes.
const LIMITS: Limits = Limits {
    few: 5_000,
    many: 200_000,
    walked: 10_000,
    nicks: 10_000,
};

/// Rows that [`message`] reads, then the chat's key.
const COLUMNS: &str =
    "member, nick, id, number, at_ms, action, text, own, history, client_id, delivery, place, chat";

/// The messages of a chat before a position, the newest first.
const SAID: &str = "
    SELECT COLUMNS FROM message WHERE chat = ?1 AND (place, id) < (?2, ?3) AND place >= ?4
    ORDER BY place DESC, id DESC";

/// The same for one author; it can't tell about the message at that position itself.
const SAID_BY: &str = "
    SELECT COLUMNS FROM message INDEXED BY message_nick
    WHERE chat = ?1 AND place <= ?2 AND ?3 IS NOT NULL AND place >= ?4 AND nick = ?5
    ORDER BY place DESC, id DESC";

/// The next nick after one in a chat, in two halves, each of which jumps over everything that one author has said.
const NEXT_AUTHOR: &str = "
    SELECT * FROM (SELECT nick, chat FROM message WHERE nick = ?1 AND chat > ?2 ORDER BY chat LIMIT 1)
    UNION ALL
    SELECT * FROM (SELECT nick, chat FROM message WHERE nick > ?1 ORDER BY nick, chat LIMIT 1)
    LIMIT 1";

type Found = Vec<StoredMessage>;

/// The nicks that a part of one matches, by the key of the chat.
type Authors = Vec<(i64, String)>;

/// The newest first, and whether there are more.
pub(super) fn search(connection: &Connection, order: &SearchOrder) -> rusqlite::Result<(Found, bool)> {
    let mut found = Search::new(connection, order, &LIMITS)?.run()?;
    found.sort_by_key(|stored| Reverse((stored.message.place(), stored.message.id)));
    let more = found.len() > order.limit;
    found.truncate(order.limit);
    Ok((found, more))
}

/// In which chat a message is stored. Ids are indexed by chat, of which there are few.
pub(super) fn chat_of(connection: &Connection, id: MessageId) -> rusqlite::Result<ChatId> {
    connection
        .prepare_cached(
            "SELECT chat.id FROM chat WHERE EXISTS (SELECT 1 FROM message AS m WHERE m.chat = chat.key AND m.id = ?1)",
        )?
        .query_row(params![id.0], |row| Ok(ChatId(row.get(0)?)))
}

/// A search that is under way.
struct Search<'a> {
    connection: &'a Connection,
    order: &'a SearchOrder,
    limits: &'a Limits,
    /// The chats to search, by key.
    chats: BTreeMap<i64, ChatId>,
    /// Hits are before this position.
    end: Place,
    /// And at this position or after it.
    earliest: i64,
}

impl<'a> Search<'a> {
    fn new(connection: &'a Connection, order: &'a SearchOrder, limits: &'a Limits) -> rusqlite::Result<Self> {
        let mut chats = BTreeMap::new();
        for chat in &order.chats {
            chats.extend(chat_key(connection, *chat).optional()?.map(|key| (key, *chat)));
        }
        let mut end = match &order.older_than {
            Some((chat, id)) => place(connection, chat_key(connection, *chat)?, *id)?,
            None => Place::end(),
        };
        // A message's position is not before its time, and after it at most by as much as a clock may be ahead.
        if let Some(before) = order.before_ms {
            end = end.min(Place::at_ms(before.saturating_add(BELIEVED_AHEAD_MS)));
        }
        Ok(Self {
            connection,
            order,
            limits,
            chats,
            end,
            earliest: order.after_ms.map_or(0, |ms| Place::at_ms(ms).place),
        })
    }

    /// The newest hits, one more than are wanted, in no order; or more.
    fn run(&self) -> rusqlite::Result<Found> {
        let authors = match &self.order.from {
            Some(part) => self.authors(part)?,
            None => None,
        };
        if authors.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        if let Some(keys) = self.keys(self.limits.few)? {
            return self.newest_of(keys);
        }
        let authors = authors.filter(|authors| authors.len() <= MAX_AUTHORS);
        if let Some(found) = self.walk(authors.as_ref(), self.limits.walked)? {
            return Ok(found);
        }
        if let Some(keys) = self.keys(self.limits.many)? {
            return self.newest_of(keys);
        }
        Ok(self.walk(authors.as_ref(), usize::MAX)?.unwrap_or_default())
    }

    /// Whose nick contains a part; `None` if too many nicks would have to be looked through.
    fn authors(&self, part: &str) -> rusqlite::Result<Option<Authors>> {
        let mut next = self.connection.prepare_cached(NEXT_AUTHOR)?;
        let mut authors = Vec::new();
        let mut after: (String, i64) = (String::new(), 0);
        for _ in 0..self.limits.nicks {
            let found = next.query_row(params![after.0, after.1], |row| Ok((row.get(0)?, row.get(1)?)));
            let Some(found) = found.optional()? else {
                return Ok(Some(authors));
            };
            after = found;
            if self.chats.contains_key(&after.1) && after.0.to_lowercase().contains(part) {
                authors.push((after.1, after.0.clone()));
            }
        }
        Ok(None)
    }

    /// The messages in which the words can occur, by an index; `None` if it can't tell, or finds more than `limit`.
    fn keys(&self, limit: usize) -> rusqlite::Result<Option<Vec<i64>>> {
        let (long, short): (Vec<&String>, Vec<&String>) = self
            .order
            .words
            .iter()
            // In lower case "İ" has a dot that it does not have in the index.
            .filter(|word| !word.is_empty() && !word.contains('\u{307}'))
            .partition(|word| word.chars().count() >= INDEXED_LEN);
        let phrases: Vec<String> = long
            .iter()
            .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
            .collect();
        if !phrases.is_empty()
            && let Some(keys) = self.keys_of_phrases(&phrases.join(" "), limit)?
        {
            return Ok(Some(keys));
        }
        for word in short {
            if let Some(keys) = self.keys_of_short(word, limit)? {
                return Ok(Some(keys));
            }
        }
        Ok(None)
    }

    fn keys_of_phrases(&self, phrases: &str, limit: usize) -> rusqlite::Result<Option<Vec<i64>>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT rowid FROM message_text WHERE message_text MATCH ?1 ORDER BY rowid DESC LIMIT ?2",
        )?;
        let keys: Vec<i64> = statement
            .query_map(params![phrases, limit as i64 + 1], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        Ok((keys.len() <= limit).then_some(keys))
    }

    /// The same for a word of one or two letters.
    fn keys_of_short(&self, word: &str, limit: usize) -> rusqlite::Result<Option<Vec<i64>>> {
        let mut keys = BTreeSet::new();
        let mut seen = 0;
        for start in starts(word) {
            let end = format!("{start}{0}{0}", char::MAX);
            for terms in ["message_end_terms", "message_text_terms"] {
                let sql = format!("SELECT doc FROM {terms} WHERE term >= ?1 AND term <= ?2 LIMIT ?3");
                let mut statement = self.connection.prepare_cached(&sql)?;
                let rest = (limit + 1 - seen) as i64;
                for key in statement.query_map(params![start, end, rest], |row| row.get(0))? {
                    seen += 1;
                    keys.insert(key?);
                }
                if seen > limit {
                    return Ok(None);
                }
            }
        }
        Ok(Some(keys.into_iter().rev().collect()))
    }

    /// The newest hits among some messages.
    fn newest_of(&self, keys: Vec<i64>) -> rusqlite::Result<Found> {
        let mut placed = Vec::new();
        let mut place_of = self
            .connection
            .prepare_cached("SELECT place, chat FROM message WHERE key = ?1")?;
        for key in keys {
            let row = place_of.query_row([key], |row| Ok((row.get(0)?, row.get(1)?)));
            if let Some((place, chat)) = row.optional()?
                && (self.earliest..=self.end.place).contains(&place)
                && self.chats.contains_key(&chat)
            {
                placed.push((place, key));
            }
        }
        placed.sort_unstable_by_key(|(place, _)| Reverse(*place));

        let sql = format!("SELECT {COLUMNS} FROM message WHERE key = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut found = Found::new();
        let mut last = None;
        for (place, key) in placed {
            // Messages at the same position are in the order of their ids.
            if found.len() > self.order.limit && last != Some(place) {
                break;
            }
            let mut rows = statement.query([key])?;
            if let Some(hit) = rows.next()?.map(|row| self.hit(row)).transpose()?.flatten() {
                last = Some(place);
                found.push(hit);
            }
        }
        Ok(found)
    }

    /// As many hits as are wanted and one more, of each author, or without authors of each chat, from the newest back. `None` if
    /// this took more messages than `limit`.
    fn walk(&self, authors: Option<&Authors>, limit: usize) -> rusqlite::Result<Option<Found>> {
        let (said, said_by) = (
            SAID.replace("COLUMNS", COLUMNS),
            SAID_BY.replace("COLUMNS", COLUMNS),
        );
        let (mut found, mut rest) = (Found::new(), limit);
        let (place, id, earliest) = (&self.end.place, &self.end.id, &self.earliest);
        match authors {
            None => {
                for chat in self.chats.keys() {
                    let values: [&dyn ToSql; 4] = [chat, place, id, earliest];
                    if !self.walk_one(&said, &values, &mut rest, &mut found)? {
                        return Ok(None);
                    }
                }
            }
            Some(authors) => {
                for (chat, nick) in authors {
                    let values: [&dyn ToSql; 5] = [chat, place, id, earliest, nick];
                    if !self.walk_one(&said_by, &values, &mut rest, &mut found)? {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(found))
    }

    /// Returns false if there were more than `rest` messages to walk.
    fn walk_one(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        rest: &mut usize,
        found: &mut Found,
    ) -> rusqlite::Result<bool> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        let mut hits = 0;
        while hits <= self.order.limit
            && let Some(row) = rows.next()?
        {
            if *rest == 0 {
                return Ok(false);
            }
            *rest -= 1;
            let hit = self.hit(row)?;
            hits += usize::from(hit.is_some());
            found.extend(hit);
        }
        Ok(true)
    }

    /// A row, if it is a hit.
    fn hit(&self, row: &Row<'_>) -> rusqlite::Result<Option<StoredMessage>> {
        let order = self.order;
        // The check that most rows fail comes first.
        if !order.words.is_empty() && !has_words(row.get_ref(6)?.as_str()?, &order.words) {
            return Ok(None);
        }
        let at_ms: i64 = row.get(4)?;
        let in_time = order.before_ms.is_none_or(|before| at_ms < before)
            && order.after_ms.is_none_or(|after| at_ms >= after);
        let place: (i64, &[u8]) = (row.get(11)?, row.get_ref(2)?.as_blob()?);
        if !in_time || place >= (self.end.place, self.end.id.as_slice()) {
            return Ok(None);
        }
        if let Some(part) = &order.from
            && !row.get_ref(1)?.as_str()?.to_lowercase().contains(part)
        {
            return Ok(None);
        }
        let chat = self.chats.get(&row.get(12)?);
        chat.map(|chat| message(row, *chat)).transpose()
    }
}

fn has_words(text: &str, words: &[String]) -> bool {
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::{RngCore, SeedableRng};

    use super::*;

    /// Letters with all kinds of case, some of several bytes, and characters that search might misread.
    const LETTERS: [&str; 24] = [
        "a",
        "A",
        "b",
        "q",
        "X",
        "x",
        "é",
        "É",
        "ß",
        "ẞ",
        "σ",
        "ς",
        "Σ",
        "я",
        "Я",
        "東",
        "京",
        "渋",
        "İ",
        "\"",
        "*",
        " ",
        " ",
        "\u{10FFFF}",
    ];
    const NICKS: [&str; 5] = ["Ann", "ANNA", "bob", "Ζωή", "渋谷"];

    fn one_of<'a>(random: &mut ChaCha20Rng, of: &[&'a str]) -> &'a str {
        of[random.next_u32() as usize % of.len()]
    }

    fn text(random: &mut ChaCha20Rng, most: u32) -> String {
        let len = 1 + random.next_u32() % most;
        (0..len).map(|_| one_of(random, &LETTERS)).collect()
    }

    /// What [`Search`] must find, by looking at each message.
    fn all_hits(connection: &Connection, order: &SearchOrder) -> Found {
        let sql = format!("SELECT {COLUMNS} FROM message ORDER BY place DESC, id DESC");
        let mut statement = connection.prepare(&sql).expect("SQL");
        let mut rows = statement.query([]).expect("it can be read");
        let (mut found, mut started) = (Found::new(), order.older_than.is_none());
        while let Some(row) = rows.next().expect("it can be read") {
            let chat = ChatId([row.get::<_, u8>(12).expect("a small key"); 32]);
            let stored = message(row, chat).expect("a message");
            let (said, at_ms) = (&stored.message, stored.message.at.as_millisecond());
            let is_hit = order.chats.contains(&chat)
                && has_words(&said.text, &order.words)
                && order
                    .from
                    .as_ref()
                    .is_none_or(|part| said.nick.to_lowercase().contains(part))
                && order.before_ms.is_none_or(|before| at_ms < before)
                && order.after_ms.is_none_or(|after| at_ms >= after);
            let id = said.id;
            if is_hit && started {
                found.push(stored);
            }
            started |= order.older_than.is_some_and(|(_, older)| older == id);
        }
        found
    }

    /// Messages in three chats, many at the same position, some removed again.
    fn filled(random: &mut ChaCha20Rng) -> Connection {
        let mut connection = Connection::open_in_memory().expect("memory");
        crate::store::schema::migrate(&mut connection).expect("it is new");
        let chat = "INSERT INTO chat (key, id, kind, name, nick, topic, created_ms, joined, next_invite)
            VALUES (?1, ?2, 'private', '', '', '', 0, 1, 1)";
        let message = "INSERT INTO message (chat, id, member, nick, client_id, number, at_ms, action, text, own, history,
            signed, place) VALUES (?1, ?2, zeroblob(32), ?3, zeroblob(32), 0, ?4, 0, ?5, 0, 0, x'', ?6)";
        for key in 1..=3_u8 {
            connection.execute(chat, params![key, [key; 32]]).expect("a chat");
        }
        for _ in 0..300 {
            let mut id = [0; 32];
            random.fill_bytes(&mut id);
            let at_ms = 1_000_000 + i64::from(random.next_u32() % 50);
            let nick = one_of(random, &NICKS);
            let (key, said) = (1 + random.next_u32() % 3, text(random, 7));
            let values = params![key, id, nick, at_ms, said, at_ms << 16];
            connection.execute(message, values).expect("a message");
        }
        connection
            .execute("DELETE FROM message WHERE key % 7 = 0", [])
            .expect("they go");
        connection
    }

    fn random_order(random: &mut ChaCha20Rng, connection: &Connection) -> SearchOrder {
        let mut one_in = |n: u32| random.next_u32().is_multiple_of(n);
        let (with_from, before, after, older) = (one_in(3), one_in(5), one_in(5), one_in(3));
        let words = (0..random.next_u32() % 3)
            .map(|_| text(random, 3).to_lowercase())
            .collect();
        let nick = one_of(random, &["a", "ann", "ζ", "b", "渋", "nobody"]).to_owned();
        let mut ms = || 1_000_000 + i64::from(random.next_u32() % 50);
        let (before_ms, after_ms) = (before.then(&mut ms), after.then(&mut ms));
        let any = "SELECT chat, id FROM message ORDER BY key LIMIT 1 OFFSET ?1";
        let any = connection.query_row(any, [random.next_u32() % 200], |row| {
            Ok((ChatId([row.get(0)?; 32]), MessageId(row.get(1)?)))
        });
        SearchOrder {
            chats: (1..=3)
                .filter(|_| !random.next_u32().is_multiple_of(4))
                .map(|key| ChatId([key; 32]))
                .collect(),
            words,
            from: with_from.then_some(nick),
            before_ms,
            after_ms,
            older_than: older.then(|| any.expect("there are so many")),
            limit: 1 + random.next_u32() as usize % 20,
        }
    }

    #[test]
    fn whatever_way_it_takes_a_search_finds_the_newest_of_all_hits() {
        let seed = 0x5EA2_C401;
        eprintln!("seed {seed:#x}");
        let mut random = ChaCha20Rng::seed_from_u64(seed);
        let ways = [(5_000, 5_000), (3, 5_000), (3, 40), (0, 0)];
        for round in 0..20 {
            let connection = filled(&mut random);
            for _ in 0..100 {
                let order = random_order(&mut random, &connection);
                let expected = all_hits(&connection, &order);
                for (few, many) in ways {
                    let limits = Limits {
                        few,
                        many,
                        walked: 20,
                        nicks: if few == 0 { 3 } else { 100 },
                    };
                    let search = Search::new(&connection, &order, &limits).expect("it is there");
                    let mut found = search.run().expect("it can be read");
                    found.sort_by_key(|stored| Reverse((stored.message.place(), stored.message.id)));
                    let more = found.len() > order.limit;
                    assert_eq!(
                        more,
                        expected.len() > order.limit,
                        "round {round}, {few}: {order:?}"
                    );
                    found.truncate(order.limit);
                    assert_eq!(
                        found,
                        expected[..expected.len().min(order.limit)],
                        "round {round}, {few}: {order:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn short_words_are_found_without_walking() {
        let mut random = ChaCha20Rng::seed_from_u64(7);
        let connection = filled(&mut random);
        let mut texts = connection.prepare("SELECT key, text FROM message").expect("SQL");
        for word in ["x", "σ", "東", "qx", "яя", "京渋", "é\"", " b"] {
            let order = SearchOrder {
                words: vec![word.to_owned()],
                ..SearchOrder::default()
            };
            let search = Search::new(&connection, &order, &LIMITS).expect("it is there");
            let keys = search.keys(LIMITS.few).expect("it can be read").expect("few");
            let rows = texts.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
            let having = rows
                .expect("it can be read")
                .map(|row: rusqlite::Result<(i64, String)>| row.expect("it can be read"))
                .filter(|(_, text)| has_words(text, &order.words))
                .map(|(key, _)| key);
            let having: BTreeSet<i64> = having.collect();
            assert!(!having.is_empty() && having.len() < 200, "{word}");
            let keys: BTreeSet<i64> = keys.into_iter().collect();
            // "ς" is "σ" to the index, and "ß" is not "ẞ".
            assert!(keys.is_superset(&having), "{word}");
            assert!(keys.len() <= having.len() + 80, "{word}");
        }
    }

    #[test]
    fn nicks_and_what_each_has_said_are_ranges_of_their_index() {
        let connection = filled(&mut ChaCha20Rng::seed_from_u64(8));
        for (sql, values) in [(NEXT_AUTHOR, 2), (SAID_BY, 5)] {
            let sql = format!("EXPLAIN QUERY PLAN {}", sql.replace("COLUMNS", COLUMNS));
            let mut statement = connection.prepare(&sql).expect("SQL");
            let values = rusqlite::params_from_iter(std::iter::repeat_n(1, values));
            let steps = statement
                .query_map(values, |row| row.get::<_, String>(3))
                .expect("it runs");
            for step in steps {
                let step = step.expect("a step");
                let reads = step.starts_with("SEARCH") || step.starts_with("SCAN message");
                assert!(!reads || step.contains("INDEX message_nick (nick"), "{step}");
            }
        }
    }
}
