//! An invite as text, in armour as PGP has it (RFC 9580) or as a link, and finding either in what people paste.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use zeroize::Zeroizing;

use super::form::Form;
use super::{InviteError, InviteKey};

/// The longest text or file in which we look for an invite, in bytes. An invite takes about 1 KiB; the rest is room for
/// the letter around it.
pub const MAX_INVITE_FILE_LEN: usize = 16 * 1024;

const BEGIN: &str = "BEGIN THRONG INVITE";
const END: &str = "END THRONG INVITE";
const SCHEME: &str = "throng:";

/// Base64 characters per line. Mail programs leave lines of this length alone.
const LINE_LEN: usize = 64;

/// How many lines a mail program may have broken a link into. The longest link, a moderator's with three addresses, has 785
/// characters: 20 lines of 40.
const MAX_LINK_LINES: usize = 24;

impl InviteKey {
    /// The text of a `.throng` file: a line in words, then the invite in base64. It holds the invite's secret.
    pub fn to_armour(&self) -> String {
        armour(
            self.charter.as_ref().map(|charter| charter.name.as_str()),
            &self.encode(Form::File),
        )
    }

    /// The `throng:` link. It holds the invite's secret.
    pub fn to_link(&self) -> String {
        link(&self.encode(Form::Link))
    }

    /// Finds the invite, in either form, in a text as people paste or mail it.
    ///
    /// # Errors
    /// All of [`InviteError`].
    pub fn parse(text: &str) -> Result<Self, InviteError> {
        find(text)
    }
}

/// The text of a `.throng` file.
pub(super) fn armour(chat_name: Option<&str>, bytes: &[u8]) -> String {
    let chat = match chat_name {
        Some(name) => format!("the Throng chat “{}”", printable(name)),
        None => "a Throng chat".to_owned(),
    };
    let mut text = format!(
        "This is an invite to {chat}. Whoever holds it can come in, and it names addresses of members. Open it in \
         Throng with “Import invite…”.\n\n-----{BEGIN}-----\n"
    );
    let base64 = Zeroizing::new(BASE64.encode(bytes));
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_LEN));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----{END}-----\n"));
    text
}

/// The text of a link.
fn link(bytes: &[u8]) -> String {
    format!("{SCHEME}{}", BASE64URL_NOPAD.encode(bytes))
}

/// The invite in a text: an armoured one if there is one, otherwise that of the first link with a whole invite.
fn find(text: &str) -> Result<InviteKey, InviteError> {
    if text.len() > MAX_INVITE_FILE_LEN {
        return Err(InviteError::TooLarge);
    }
    if text.lines().any(|line| marker(line).is_some()) {
        find_armoured(text)
    } else {
        find_link(text)
    }
}

fn find_armoured(text: &str) -> Result<InviteKey, InviteError> {
    let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
    let mut lines = text
        .lines()
        .skip_while(|line| marker(line) != Some(BEGIN))
        .skip(1);
    loop {
        // Without an end marker the text was cut.
        let line = lines.next().ok_or(InviteError::Damaged)?;
        if marker(line) == Some(END) {
            break;
        }
        base64.extend(unquoted(line).chars().filter(|c| !c.is_whitespace()));
    }
    let bytes = Zeroizing::new(
        BASE64
            .decode(base64.as_bytes())
            .map_err(|_| InviteError::Damaged)?,
    );
    InviteKey::decode(&bytes, Form::File)
}

fn find_link(text: &str) -> Result<InviteKey, InviteError> {
    let mut first_error = None;
    for after in behind_schemes(text) {
        match parse_link(after) {
            Ok(invite) => return Ok(invite),
            // Just the word, as in a letter that explains what to look for.
            Err(InviteError::NotAnInvite) => {}
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or(InviteError::NotAnInvite))
}

/// The rest of the text after each `throng:`, in upper or lower case.
fn behind_schemes(text: &str) -> impl Iterator<Item = &str> {
    let windows = text.as_bytes().windows(SCHEME.len()).enumerate();
    windows
        .filter(|(_, window)| window.eq_ignore_ascii_case(SCHEME.as_bytes()))
        .map(|(at, _)| &text[at + SCHEME.len()..])
}

/// A link, given everything after its scheme: to the end of its line or, where a mail program broke it, as many lines on as
/// it takes.
fn parse_link(text: &str) -> Result<InviteKey, InviteError> {
    let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
    for line in text.lines().take(MAX_LINK_LINES) {
        let line = if base64.is_empty() { line } else { unquoted(line) };
        let run = line.split(|c: char| !is_link_char(c)).next().unwrap_or_default();
        if run.is_empty() {
            break;
        }
        base64.push_str(run);
        let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(base64.as_bytes()).unwrap_or_default());
        match InviteKey::decode(&bytes, Form::Link) {
            Err(InviteError::Damaged) if run.len() == line.trim_end().len() => {}
            result => return result,
        }
    }
    if base64.is_empty() {
        Err(InviteError::NotAnInvite)
    } else {
        Err(InviteError::Damaged)
    }
}

fn is_link_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// Whether a line is a marker, the first or the last of an armoured invite.
fn marker(line: &str) -> Option<&'static str> {
    let words = unquoted(line).trim_matches(|c: char| matches!(c, '-' | '–' | '—') || c.is_whitespace());
    [BEGIN, END].into_iter().find(|marker| *marker == words)
}

/// A line without the marks that a mail program puts before quoted lines.
fn unquoted(line: &str) -> &str {
    line.trim_start_matches(|c: char| c == '>' || c == '\u{FEFF}' || c.is_whitespace())
}

/// A chat's name without anything that could leave its line or change the text around it.
fn printable(name: &str) -> String {
    let steers = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    name.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}
