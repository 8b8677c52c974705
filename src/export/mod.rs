//! A chat as a file to keep or to pass on: plain text, one HTML page, or JSON. Pure: it writes to what it is given, message
//! by message, so that no more than one is in memory.
//!
//! People choose what they write, so nothing of it may become part of the file's own form:
//!
//! - in text, a message's first line begins with the time, and its further lines begin with spaces;
//! - in HTML, all five special characters are escaped, right-to-left text stays within its own element, and the page
//!   forbids scripts and everything that would be loaded (Content-Security-Policy);
//! - in JSON, by the rules of JSON.
//!
//! Text and HTML show nicks and messages as the window does ([`shown_text`](crate::model::shown_text)). JSON has them as
//! they were signed.

mod html;
mod json;
mod text;

use std::io::{self, Write};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::id::{ChatId, MemberId};
use crate::model::{ChatKind, ExportFormat, Message};

/// What the head of the file says.
#[derive(Debug, Clone)]
pub struct About {
    /// Which chat.
    pub chat: ChatId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ChatKind,
    /// Its topic; empty if there is none.
    pub topic: String,
    /// When the file is written.
    pub exported_at: Timestamp,
    /// The time zone of the times in text and HTML. JSON has UTC.
    pub zone: TimeZone,
}

/// Writes a chat. Begin with [`Exporter::begin`], hand in the messages, the oldest first, and end with
/// [`Exporter::finish`]; without that the file is incomplete.
#[derive(Debug)]
pub struct Exporter<W> {
    out: W,
    format: ExportFormat,
    about: About,
    messages: u64,
    before: Option<Before>,
}

/// The message before the one that is written.
#[derive(Debug)]
struct Before {
    member: MemberId,
    nick: String,
    at: Timestamp,
    day: Date,
}

impl<W: Write> Exporter<W> {
    /// Writes the head.
    ///
    /// # Errors
    /// Those of `out`, as in all methods that follow.
    pub fn begin(mut out: W, format: ExportFormat, about: About) -> io::Result<Self> {
        match format {
            ExportFormat::Text => text::head(&mut out, &about)?,
            ExportFormat::Html => html::head(&mut out, &about)?,
            ExportFormat::Json => json::head(&mut out, &about)?,
        }
        Ok(Self {
            out,
            format,
            about,
            messages: 0,
            before: None,
        })
    }

    /// Writes a message.
    ///
    /// # Errors
    /// As above.
    pub fn message(&mut self, message: &Message) -> io::Result<()> {
        let at = message.at.to_zoned(self.about.zone.clone());
        let before = self.before.as_ref();
        match self.format {
            ExportFormat::Text => text::message(&mut self.out, message, &at, before)?,
            ExportFormat::Html => html::message(&mut self.out, message, &at, before)?,
            ExportFormat::Json => json::message(&mut self.out, message, self.messages == 0)?,
        }
        self.messages += 1;
        self.before = Some(Before {
            member: message.member,
            nick: message.nick.clone(),
            at: message.at,
            day: at.date(),
        });
        Ok(())
    }

    /// How many messages were written.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Writes the end, and returns the writer.
    ///
    /// # Errors
    /// As above.
    pub fn finish(mut self) -> io::Result<W> {
        match self.format {
            ExportFormat::Text => {}
            ExportFormat::Html => html::end(&mut self.out, self.messages)?,
            ExportFormat::Json => json::end(&mut self.out, self.messages)?,
        }
        Ok(self.out)
    }
}

/// The kind of a chat in words.
fn kind_words(kind: ChatKind) -> &'static str {
    match kind {
        ChatKind::Private => "a private chat",
        ChatKind::Public => "a public chat",
        ChatKind::Classic => "a classic chat, whose messages nobody signed",
    }
}

/// "2026-11-25 16:23:35 +01:00": an unambiguous time.
fn moment(at: &Zoned) -> impl std::fmt::Display {
    at.strftime("%Y-%m-%d %H:%M:%S %:z")
}

/// "Wednesday, 25 November 2026".
fn day(at: &Zoned) -> impl std::fmt::Display {
    at.strftime("%A, %-d %B %Y")
}

/// The day, if the message before was from another.
fn new_day(at: &Zoned, before: Option<&Before>) -> bool {
    before.is_none_or(|before| before.day != at.date())
}
