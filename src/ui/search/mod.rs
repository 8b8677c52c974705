//! The search: what is typed, what was found, and which hit is shown. It asks by itself a moment after the last key. An
//! answer to an older question is recognised by its tag, and dropped.

mod panel;
mod terms;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::id::{ChatId, MemberId, MessageId};
use crate::model::{Chats, Command, Message, Tag, shown_nick, shown_text};

/// How long after the last key the search begins. A guess: the time between two keys of a slow typist.
const SEARCH_AFTER: Duration = Duration::from_millis(150);

/// How many hits come at a time. A guess: some screens full.
const PAGE_LEN: u32 = 50;

/// The most hits that are kept. Somebody who has seen so many changes the search.
const MAX_HITS: usize = 1_000;

/// A search, while it is open.
#[derive(Debug)]
pub struct Search {
    text: String,
    /// In this chat only.
    scope: Option<ChatId>,
    /// The chat from which it was opened: "this chat".
    origin: Option<ChatId>,
    /// Whether the panel is shown where it covers the chat.
    is_shown: bool,
    is_focus_wanted: bool,
    due: Option<Duration>,
    /// The question that waits for its answer, and whether it is for older hits than those that are here.
    asked: Option<(Tag, bool)>,
    /// Whether what is here answers what is typed.
    is_answered: bool,
    words: Vec<String>,
    hits: Vec<Hit>,
    has_more: bool,
    chosen: Option<usize>,
    /// The next hit is to be shown as soon as older ones have come.
    goes_on: bool,
    /// The row of the chosen hit is to be scrolled into sight; without one, the first.
    is_scroll_wanted: bool,
    error: Option<String>,
    /// The chats in which hits were shown.
    visited: BTreeSet<ChatId>,
}

/// Something that was found, ready to be painted.
#[derive(Debug)]
struct Hit {
    chat: ChatId,
    chat_name: String,
    message: MessageId,
    member: MemberId,
    nick: String,
    when: String,
    /// A line of the text, and where in it the words stand.
    excerpt: String,
    found: Vec<std::ops::Range<usize>>,
}

impl Search {
    /// In the chat in front or in all.
    pub fn new(chat: Option<ChatId>, everywhere: bool) -> Self {
        Self {
            text: String::new(),
            scope: chat.filter(|_| !everywhere),
            origin: chat,
            is_shown: true,
            is_focus_wanted: true,
            due: None,
            asked: None,
            is_answered: false,
            words: Vec::new(),
            hits: Vec::new(),
            has_more: false,
            chosen: None,
            goes_on: false,
            is_scroll_wanted: false,
            error: None,
            visited: BTreeSet::new(),
        }
    }

    /// Comes to the front again, perhaps to search elsewhere than before.
    pub fn show(&mut self, chat: Option<ChatId>, everywhere: bool, now: Duration) {
        (self.is_shown, self.is_focus_wanted) = (true, true);
        self.origin = chat;
        self.set_scope(chat.filter(|_| !everywhere), now);
    }

    /// Searches for this at once.
    pub fn search_for(&mut self, text: &str, now: Duration) {
        text.clone_into(&mut self.text);
        self.changed(now);
        self.due = self.due.map(|_| now);
    }

    /// Whether the panel is to be painted where it covers the chat.
    pub fn is_shown(&self) -> bool {
        self.is_shown
    }

    /// The chats in which hits were shown, and the one from which it was opened.
    pub fn visited(&self) -> (&BTreeSet<ChatId>, Option<ChatId>) {
        (&self.visited, self.origin)
    }

    /// When it is to be asked, if something is.
    pub fn due(&self) -> Option<Duration> {
        self.due
    }

    /// What is to be asked now, if it is time.
    pub fn take_due(&mut self, now: Duration) -> Option<Command> {
        self.due.take_if(|due| *due <= now)?;
        Some(self.command(None))
    }

    /// What asks for older hits than those that are here, if there are any.
    pub fn older(&self) -> Option<Command> {
        let last = self
            .hits
            .last()
            .filter(|_| self.has_more && self.asked.is_none())?;
        Some(self.command(Some(last.message)))
    }

    /// A question went out under this tag.
    pub fn asked(&mut self, tag: Tag, for_older: bool) {
        self.asked = Some((tag, for_older));
    }

    /// Whether this tag is that of the question that waits.
    pub fn waits_for(&self, tag: &Tag) -> bool {
        self.asked.as_ref().is_some_and(|(asked, _)| asked == tag)
    }

    /// Its answer. The hit to be shown now, if one is.
    pub fn found(
        &mut self,
        messages: &[Message],
        more: bool,
        chats: &Chats,
        now: Timestamp,
    ) -> Option<(ChatId, MessageId)> {
        let is_for_older = self.asked.take().is_some_and(|(_, for_older)| for_older);
        if !is_for_older {
            (self.hits, self.chosen) = (Vec::new(), None);
            self.is_scroll_wanted = true;
        }
        (self.is_answered, self.error) = (true, None);
        let hits = messages
            .iter()
            .map(|message| Hit::new(message, &self.words, chats, now));
        self.hits.extend(hits);
        self.hits.truncate(MAX_HITS);
        self.has_more = more && !messages.is_empty() && self.hits.len() < MAX_HITS;
        std::mem::take(&mut self.goes_on).then(|| self.step(1)).flatten()
    }

    /// Why there is no answer.
    pub fn failed(&mut self, sentence: &str) {
        (self.asked, self.goes_on) = (None, false);
        (self.hits, self.chosen, self.has_more) = (Vec::new(), None, false);
        self.error = Some(sentence.to_owned());
    }

    /// Goes on to the next hit in the list, or back: the one to be shown. At the end older ones are waited for.
    pub fn step(&mut self, by: isize) -> Option<(ChatId, MessageId)> {
        let last = self.hits.len().checked_sub(1)?;
        let next = match self.chosen {
            None => 0,
            Some(at) => at.saturating_add_signed(by),
        };
        if next > last {
            self.goes_on = self.has_more;
            return None;
        }
        self.choose(next)
    }

    fn choose(&mut self, at: usize) -> Option<(ChatId, MessageId)> {
        let hit = self.hits.get(at)?;
        (self.chosen, self.is_scroll_wanted) = (Some(at), true);
        self.visited.insert(hit.chat);
        Some((hit.chat, hit.message))
    }

    /// Whether older hits are waited for.
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Makes room for the chat with the hit, where the panel covers it.
    pub fn step_aside(&mut self) {
        self.is_shown = false;
    }

    fn set_scope(&mut self, scope: Option<ChatId>, now: Duration) {
        if self.scope != scope {
            self.scope = scope;
            self.changed(now);
        }
    }

    /// What is typed is another: it will be searched.
    fn changed(&mut self, now: Duration) {
        self.words = terms::words(&self.text);
        // Whatever is on its way answers another question.
        (self.asked, self.goes_on, self.is_answered, self.error) = (None, false, false, None);
        if self.text.trim().is_empty() {
            (self.hits, self.chosen, self.has_more) = (Vec::new(), None, false);
            self.due = None;
        } else {
            self.due = Some(now + SEARCH_AFTER);
        }
    }

    fn command(&self, before: Option<MessageId>) -> Command {
        Command::Search {
            text: self.text.trim().to_owned(),
            chat: self.scope,
            before,
            limit: PAGE_LEN,
        }
    }
}

impl Hit {
    fn new(message: &Message, words: &[String], chats: &Chats, now: Timestamp) -> Self {
        let excerpt = terms::excerpt(&shown_text(&message.text), words);
        let name = chats.get(message.chat).map(|chat| chat.name.clone());
        Self {
            chat: message.chat,
            chat_name: name.unwrap_or_default(),
            message: message.id,
            member: message.member,
            nick: shown_nick(&message.nick),
            when: when_words(message.at, now, chats.zone()),
            found: terms::found(&excerpt, words),
            excerpt,
        }
    }
}

/// "14:05" today, "20 Nov 14:05" this year, "20 Nov 2025" before.
fn when_words(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (zone.to_datetime(at), zone.to_datetime(now));
    if at.date() == now.date() {
        at.strftime("%H:%M").to_string()
    } else if at.year() == now.year() {
        at.strftime("%-d %b %H:%M").to_string()
    } else {
        at.strftime("%-d %b %Y").to_string()
    }
}
