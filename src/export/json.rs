//! One JSON object. Its messages are as in the headless mode's `history`, a line each.

use std::io::{self, Write};

use serde::Serialize;

use super::About;
use crate::id::ChatId;
use crate::model::{ChatKind, Message};

/// The version of this form. Fields may be added to it; readers ignore those that they don't know.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Head<'a> {
    format: &'static str,
    version: u32,
    chat: ChatId,
    name: &'a str,
    kind: ChatKind,
    topic: &'a str,
    exported_at: jiff::Timestamp,
}

pub(super) fn head(out: &mut impl Write, about: &About) -> io::Result<()> {
    let head = serde_json::to_string(&Head {
        format: "throng-chat",
        version: VERSION,
        chat: about.chat,
        name: &about.name,
        kind: about.kind,
        topic: &about.topic,
        exported_at: about.exported_at,
    })?;
    // The object stays open for the messages that follow.
    let open = head.strip_suffix('}').unwrap_or(&head);
    write!(out, "{open},\"messages\":[")
}

pub(super) fn message(out: &mut impl Write, message: &Message, first: bool) -> io::Result<()> {
    out.write_all(if first { b"\n" } else { b",\n" })?;
    serde_json::to_writer(out, message)?;
    Ok(())
}

pub(super) fn end(out: &mut impl Write, messages: u64) -> io::Result<()> {
    writeln!(out, "\n],\"count\":{messages}}}")
}
