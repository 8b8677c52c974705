//! What the program is told to do ([`Command`]) and what happens ([`Event`]). Pure: no clock, no socket, no file,
//! no toolkit; names nobody but [`crate::id`].
//!
//! The window, the headless mode and the tests are three users of one thing: a bounded channel of [`Request`]s in,
//! a bounded channel of [`Report`]s out.

mod command;
mod event;
mod settings;
mod text;
mod timeline;

pub use command::{ChatKind, Command, Request, Rights, Status, Tag};
pub use event::{
    Code, DeliveryState, Event, LeftWhy, LinkInfo, MemberInfo, Message, MessageBody, Report, Role, Stats,
};
pub use settings::{OpenChat, Settings, Theme, Workspace};
pub use text::{isolated, mentions, nick_key, shown_nick, shown_text};
pub use timeline::{Chunk, Delivery, MAX_ROWS, Row, RowContent, RowId, RowKey, SaidRow, Timeline};
