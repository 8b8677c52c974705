//! Lines like those of an IRC log. A line that begins with a digit is the first of a message. One that begins with four
//! spaces continues the message above it. One that begins with `#` is the file's own.

use std::io::{self, Write};

use jiff::Zoned;

use super::{About, Before, day, kind_words, moment, new_day};
use crate::model::{Message, MessageBody, isolated, shown_nick, shown_text};

/// The beginning of a message's further lines.
const GO_ON: &str = "    ";

pub(super) fn head(out: &mut impl Write, about: &About) -> io::Result<()> {
    let exported_at = about.exported_at.to_zoned(about.zone.clone());
    writeln!(
        out,
        "# {}, {}",
        isolated(&shown_nick(&about.name)),
        kind_words(about.kind)
    )?;
    if !about.topic.is_empty() {
        writeln!(out, "# Topic: {}", isolated(&shown_nick(&about.topic)))?;
    }
    writeln!(out, "# Chat {}", about.chat)?;
    writeln!(out, "# Exported from Throng on {}", moment(&exported_at))
}

pub(super) fn message(
    out: &mut impl Write,
    message: &Message,
    at: &Zoned,
    before: Option<&Before>,
) -> io::Result<()> {
    if new_day(at, before) {
        writeln!(out, "\n# {}", day(at))?;
    }
    let who = format!("{} {}", message.member.short(), name(&message.nick));
    match message.body {
        MessageBody::Message => write!(out, "{} <{who}> ", moment(at))?,
        MessageBody::Action => write!(out, "{} * {who}> ", moment(at))?,
    }
    let text = shown_text(&message.text);
    for (number, line) in text.split('\n').enumerate() {
        let go_on = if number == 0 { "" } else { GO_ON };
        writeln!(out, "{go_on}{}", isolated(line))?;
    }
    Ok(())
}

/// A nick without anything that could be mistaken for its end.
fn name(nick: &str) -> String {
    let nick = shown_nick(nick).replace('\\', "\\\\").replace('>', "\\>");
    isolated(&nick).into_owned()
}
