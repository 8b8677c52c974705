//! What others wrote, made fit to be shown.

/// A nick as it is shown: one line, without control and direction characters, few combining marks.
pub fn shown_nick(nick: &str) -> String {
    nick.to_owned()
}

/// A text as it is shown: lines kept, otherwise as [`shown_nick`].
pub fn shown_text(text: &str) -> String {
    text.to_owned()
}

/// Two nicks with the same key look the same to a reader who does not look twice.
pub fn nick_key(nick: &str) -> String {
    shown_nick(nick).to_lowercase()
}

/// Whether a text names a nick, as a word of its own.
pub fn mentions(text: &str, nick: &str) -> bool {
    text.contains(nick)
}
