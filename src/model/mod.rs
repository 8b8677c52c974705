//! What the program can be told to do ([`Command`]), what happens ([`Event`]), and the chats that events build up. Pure: no
//! clock, no socket, no file, no toolkit. It names only [`crate::id`] and [`crate::facts`], for roles and rights.
//!
//! The window, the headless mode and the tests all use one pair of bounded channels: [`Request`]s in, [`Report`]s out.

mod answer;
mod chat;
mod chats;
mod command;
mod entry;
mod event;
mod history;
mod in_chat;
mod limits;
mod log;
mod members;
mod message;
mod moderation;
mod passphrase;
mod search;
mod settings;
mod text;
mod timeline;

pub use crate::facts::{Deed, Denied, Door, DoorMode, HistoryRule, RIGHTS, Role, Rule};
pub use answer::{InviteInfo, InviteUser, LinkInfo, LogEntry, LoggedDeed, MemberInfo, Stats};
pub use chat::{Chat, Connection, Fetching, Join};
pub use chats::{Chats, Effects, Trouble};
pub use command::{ChatCommand, ChatKind, Command, ExportFormat, Request, Rights, Status, Tag};
pub use entry::{Hurdle, Work};
pub use event::{ChatEvent, Code, Event, LeftWhy, Report};
pub use limits::{
    MAX_BAN_REASON_LEN, MAX_CHAT_NAME_LEN, MAX_NICK_LEN, MAX_TOPIC_LEN, check_chat_name, check_nick,
    max_text_len, within,
};
pub use log::LogLine;
pub use members::{BanInfo, Member, Members};
pub use message::{DeliveryState, Message, MessageBody, place_at};
pub use moderation::{CameBy, ReadsOnly, SHORT_FINGERPRINT, door_words, history_rule_words};
pub use passphrase::{MAX_PASSPHRASE_LEN, Passphrase, Strength};
pub use search::SearchQuery;
pub use settings::{OpenChat, Retention, Settings, Theme, Workspace};
pub use text::{isolated, mentions, nick_key, shown_nick, shown_text};
pub use timeline::{
    Chunk, Delivery, MAX_ROWS, Older, Page, Row, RowContent, RowId, RowKey, SaidRow, Timeline,
};
