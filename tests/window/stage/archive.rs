//! What a played node has stored, and what it answers of it.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use throng::id::MessageId;
use throng::model::{ChatCommand, ChatEvent, Code, Command, Event, Message};

/// Answers a question for history or a search; nothing for another command.
pub fn answer(stored: &[Message], command: &Command) -> Option<Event> {
    match command {
        Command::Chat {
            chat,
            command: ChatCommand::History { .. },
        } => {
            let of_chat: Vec<&Message> = stored.iter().filter(|message| message.chat == *chat).collect();
            Some(page(&of_chat, command))
        }
        Command::Search {
            text,
            chat,
            before,
            limit,
        } => Some(search(stored, text, *chat, *before, *limit)),
        _ => None,
    }
}

fn page(stored: &[&Message], command: &Command) -> Event {
    let Command::Chat {
        chat,
        command:
            ChatCommand::History {
                before,
                after,
                around,
                at,
                limit,
            },
    } = command
    else {
        panic!("{command:?}")
    };
    let limit = *limit as usize;
    let place = |id: &MessageId| stored.iter().position(|message| message.id == *id);
    let centre = match (around, at) {
        (Some(id), _) => match place(id) {
            Some(place) => Some(place),
            None => {
                return Event::Error {
                    chat: Some(*chat),
                    command: "history".to_owned(),
                    code: Code::NotFound,
                    message: "This message is not stored here.".to_owned(),
                };
            }
        },
        (None, Some(at)) => Some(stored.partition_point(|message| message.at < *at)),
        (None, None) => None,
    };
    let (from, to) = match (
        centre,
        before.as_ref().and_then(place),
        after.as_ref().and_then(place),
    ) {
        (Some(centre), ..) => (centre.saturating_sub(limit / 2), centre + limit / 2),
        (_, Some(before), _) => (before.saturating_sub(limit), before),
        (_, _, Some(after)) => (after + 1, after + 1 + limit),
        _ => (stored.len().saturating_sub(limit), stored.len()),
    };
    let to = to.min(stored.len());
    ChatEvent::History {
        messages: stored[from.min(to)..to].iter().copied().cloned().collect(),
        more_before: from > 0,
        more_after: to < stored.len(),
    }
    .of(*chat)
}

/// Only words are understood, and one wrong date.
fn search(
    stored: &[Message],
    text: &str,
    chat: Option<throng::id::ChatId>,
    before: Option<MessageId>,
    limit: u32,
) -> Event {
    if text.contains("before:soon") {
        return Event::Error {
            chat: None,
            command: "search".to_owned(),
            code: Code::BadCommand,
            message: "“soon” is no date. Write it as 2026-11-20.".to_owned(),
        };
    }
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let newest_first = stored.iter().rev();
    let older = newest_first.skip_while(|message| before.is_some_and(|before| message.id != before));
    let mut found = older
        .skip(usize::from(before.is_some()))
        .filter(|message| chat.is_none_or(|chat| message.chat == chat))
        .filter(|message| {
            let text = message.text.to_lowercase();
            words.iter().all(|word| word.contains(':') || text.contains(word))
        });
    let messages: Vec<Message> = found.by_ref().take(limit as usize).cloned().collect();
    let more = found.next().is_some();
    Event::SearchResults { messages, more }
}
