//! What the rows of each table look like, in every version. A row's table is recognised by the number and content of its
//! columns. A row that the program can't have written is not taken over.

use std::net::SocketAddr;

use jiff::Timestamp;
use rusqlite::types::ValueRef;

use super::pages::Layout;
use crate::model::Settings;

/// A table.
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// How its rows are kept.
    pub(super) layout: Layout,
    /// Its columns, in the order in which they were added.
    pub(super) columns: &'static [Column],
    /// How many columns the oldest rows have.
    least: usize,
}

/// A column.
pub(super) struct Column {
    /// Its name.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) value: Value,
    may_be_null: bool,
}

/// What a column holds.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// The row's number, which is not in the row itself.
    Key,
    /// A whole number in this range.
    Number(i64, i64),
    /// In ms since 1970.
    Time,
    /// Text.
    Text,
    /// One of these.
    Word(&'static [&'static str]),
    /// Any bytes.
    Bytes,
    /// So many bytes.
    Sized(usize),
    /// An address of a member.
    Address,
    /// Settings as JSON.
    Settings,
    /// Something that no newer version has.
    Dropped,
}

use Value::{Bytes, Dropped, Key, Number, Sized, Text, Time, Word};

const ID: Value = Sized(32);
const FLAG: Value = Number(0, 1);
const U32: Value = Number(0, u32::MAX as i64);
/// The number of a chat's row.
const CHAT: Value = Number(1, i64::MAX);
const ANY: Value = Number(i64::MIN, i64::MAX);
const KIND: Value = Word(&["private", "public", "classic"]);

const fn some(name: &'static str, value: Value) -> Column {
    let may_be_null = false;
    Column {
        name,
        value,
        may_be_null,
    }
}

const fn maybe(name: &'static str, value: Value) -> Column {
    let may_be_null = true;
    Column {
        name,
        value,
        may_be_null,
    }
}

/// All tables that are taken over. Hours are counted anew, and words are indexed anew.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "profile_key",
        layout: Layout::Numbered,
        columns: &[
            some("key", Key),
            some("stretch", Bytes),
            some("salt", Sized(crate::crypto::SALT_LEN)),
            some("sealed", Bytes),
        ],
        least: 4,
    },
    Table {
        name: "settings",
        layout: Layout::Numbered,
        columns: &[some("key", Key), some("json", Value::Settings)],
        least: 2,
    },
    Table {
        name: "chat",
        layout: Layout::Numbered,
        columns: CHAT_COLUMNS,
        least: 19,
    },
    Table {
        name: "chat",
        layout: Layout::Numbered,
        columns: FIRST_CHAT_COLUMNS,
        least: 20,
    },
    Table {
        name: "member",
        layout: Layout::Numbered,
        columns: &[
            some("chat", CHAT),
            some("member", ID),
            some("place", ANY),
            maybe("credential", Bytes),
            maybe("nick", Text),
        ],
        least: 5,
    },
    Table {
        name: "peer",
        layout: Layout::Sorted,
        columns: &[
            some("chat", CHAT),
            some("address", Value::Address),
            some("seen_ms", ANY),
            some("hearsay", FLAG),
        ],
        least: 3,
    },
    Table {
        name: "invite",
        layout: Layout::Numbered,
        columns: &[
            some("chat", CHAT),
            some("id", ID),
            some("number", U32),
            some("certificate", Bytes),
            some("uses", U32),
            some("until_ms", ANY),
            some("created_ms", ANY),
        ],
        least: 7,
    },
    Table {
        name: "tab",
        layout: Layout::Numbered,
        columns: &[some("position", Key), some("chat", CHAT), some("selected", FLAG)],
        least: 3,
    },
    Table {
        name: "fact",
        layout: Layout::Numbered,
        columns: &[
            some("chat", CHAT),
            some("id", ID),
            some("fact", Bytes),
            maybe("credential", Bytes),
        ],
        least: 4,
    },
    Table {
        name: "ignored",
        layout: Layout::Sorted,
        columns: &[some("chat", CHAT), some("member", ID)],
        least: 2,
    },
    Table {
        name: "message",
        layout: Layout::Numbered,
        columns: MESSAGE_COLUMNS,
        least: 14,
    },
    Table {
        name: "part",
        layout: Layout::Numbered,
        columns: &[
            some("key", Key),
            some("chat", CHAT),
            some("id", ID),
            some("member", ID),
            some("client_id", ID),
            some("number", U32),
            some("first", U32),
            some("complete", FLAG),
            some("signed", Bytes),
            maybe("hlc", Sized(8)),
        ],
        least: 10,
    },
];

const CHAT_COLUMNS: &[Column] = &[
    some("key", Key),
    some("id", ID),
    some("kind", KIND),
    some("name", Text),
    some("nick", Text),
    some("topic", Text),
    maybe("topic_by", ID),
    some("created_ms", ANY),
    maybe("port", Number(0, u16::MAX as i64)),
    some("joined", FLAG),
    maybe("chat_seed", Bytes),
    maybe("member_seed", Bytes),
    maybe("invite", Bytes),
    maybe("rendezvous", Bytes),
    maybe("credential", Bytes),
    maybe("charter", Bytes),
    some("next_invite", U32),
    some("draft", Text),
    maybe("read_message", ANY),
    maybe("history_since", Sized(8)),
    some("history_whole", FLAG),
    maybe("keep_days", Number(0, u16::MAX as i64)),
    maybe("keep_mib", U32),
];

/// Before facts were signed.
const FIRST_CHAT_COLUMNS: &[Column] = &[
    some("key", Key),
    some("id", ID),
    some("kind", KIND),
    some("name", Text),
    some("nick", Text),
    some("topic", Text),
    maybe("topic_by", ID),
    maybe("topic_fact", Dropped),
    some("created_ms", ANY),
    maybe("port", Number(0, u16::MAX as i64)),
    some("joined", FLAG),
    maybe("chat_seed", Bytes),
    maybe("member_seed", Bytes),
    maybe("invite", Bytes),
    maybe("rendezvous", Bytes),
    maybe("credential", Bytes),
    maybe("charter", Bytes),
    some("next_invite", U32),
    some("draft", Text),
    maybe("read_message", ANY),
];

const MESSAGE_COLUMNS: &[Column] = &[
    some("key", Key),
    some("chat", CHAT),
    some("id", ID),
    some("member", ID),
    some("nick", Text),
    some("client_id", ID),
    some("number", U32),
    some("at_ms", Time),
    some("action", FLAG),
    some("text", Text),
    some("own", FLAG),
    some("history", FLAG),
    maybe("delivery", Word(&["waiting", "sent", "failed"])),
    some("signed", Bytes),
    maybe("hlc", Sized(8)),
    some("place", Number(0, i64::MAX)),
];

/// The table of a row.
pub(super) fn table_of(layout: Layout, row: &[ValueRef<'_>]) -> Option<&'static Table> {
    TABLES.iter().find(|table| {
        layout == table.layout
            && (table.least..=table.columns.len()).contains(&row.len())
            && table
                .columns
                .iter()
                .zip(row)
                .all(|(column, value)| column.fits(*value))
    })
}

impl Column {
    fn fits(&self, value: ValueRef<'_>) -> bool {
        let text = |value: &[u8]| str::from_utf8(value).is_ok_and(|text| self.value.fits_text(text));
        match (value, self.value) {
            (ValueRef::Null, Key) => true,
            (ValueRef::Null, _) => self.may_be_null,
            (ValueRef::Integer(number), Number(least, most)) => (least..=most).contains(&number),
            (ValueRef::Integer(ms), Time) => ms >= 0 && Timestamp::from_millisecond(ms).is_ok(),
            (ValueRef::Text(bytes), _) => text(bytes),
            (ValueRef::Blob(bytes), Sized(len)) => bytes.len() == len,
            (ValueRef::Blob(_), Bytes | Dropped) => true,
            _ => false,
        }
    }
}

impl Value {
    fn fits_text(self, text: &str) -> bool {
        match self {
            Text => true,
            Word(words) => words.contains(&text),
            Self::Address => text.parse::<SocketAddr>().is_ok(),
            Self::Settings => serde_json::from_str::<Settings>(text).is_ok(),
            _ => false,
        }
    }
}
