//! How long things may be, so that the window can say so before anything is sent. The lower layers check again.

use super::command::ChatKind;

/// Bytes of UTF-8 in the name of a chat (the charter).
pub const MAX_CHAT_NAME_LEN: usize = 64;

/// Bytes of UTF-8 in a nick (the base protocol).
pub const MAX_NICK_LEN: usize = 128;

/// Bytes of UTF-8 in a topic (the base protocol).
pub const MAX_TOPIC_LEN: usize = 512;

/// Bytes of UTF-8 in the reason of a ban.
pub use crate::facts::MAX_BAN_REASON_LEN;

/// Bytes of UTF-8 in one message: as many as fit into one datagram in a classic chat, and into six in the others.
pub fn max_text_len(kind: ChatKind) -> usize {
    match kind {
        ChatKind::Classic => 881,
        ChatKind::Private | ChatKind::Public => 4096,
    }
}

/// Whether this can be a nick; if not, a sentence that says why.
pub fn check_nick(nick: &str) -> Result<(), &'static str> {
    match nick.trim() {
        "" => Err("Type a nick."),
        nick if nick.len() > MAX_NICK_LEN => Err("This nick is too long. Type a shorter one."),
        nick if nick.chars().any(char::is_control) => Err("A nick is one line without control characters."),
        _ => Ok(()),
    }
}

/// Whether this can be the name of a chat; if not, a sentence that says why.
pub fn check_chat_name(name: &str) -> Result<(), &'static str> {
    match name.trim() {
        "" => Err("Type a name for the chat."),
        name if name.len() > MAX_CHAT_NAME_LEN => Err("This name is too long. Type a shorter one."),
        name if name.chars().any(char::is_control) => Err("A name is one line without control characters."),
        _ => Ok(()),
    }
}

/// The longest beginning of a text that has at most so many bytes and ends between two characters.
pub fn within(text: &str, max_len: usize) -> &str {
    &text[..text.floor_char_boundary(max_len)]
}
