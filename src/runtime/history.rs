//! Reading stored messages, without those that bans and equivocation hide.

use super::actor::{Actor, Errand};
use super::chat::Chat;
use super::failure::Failure;
use crate::id::ChatId;
use crate::model::{ChatEvent, Event, Message, Tag};
use crate::store::{HistoryPage, HistoryQuery, MAX_PAGE_LEN, StoreError, StoredMessage};

/// The store caches fingerprints by the hour, since nodes compare hours.
const _: () = assert!(crate::store::HOUR == crate::node::HOUR);

/// A question for history.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) chat: ChatId,
    tag: Option<Tag>,
    query: HistoryQuery,
    /// At most so many messages.
    pub(super) limit: u32,
    /// Whether others were asked for what is not stored.
    has_fetched: bool,
    /// Whether others might have had older messages when the store was asked. The last of them may have come before it
    /// answers: then it is asked again.
    may_lack_older: bool,
}

/// An answer in the making. Hidden messages leave room in a page; then the store is asked for more.
pub(super) struct Reading {
    question: Question,
    /// What the store is asked for now.
    query: HistoryQuery,
    /// How many messages may still be shown.
    room: usize,
    /// Shown so far, the oldest first.
    shown: Vec<Message>,
    /// What the first page said of the other side than the one that is read on.
    more_behind: Option<bool>,
}

impl Actor {
    /// Asks the store for a page of a chat's history.
    pub(super) fn history(
        &mut self,
        id: ChatId,
        query: HistoryQuery,
        limit: u32,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        let question = Question {
            chat: id,
            tag,
            query,
            limit: limit.min(MAX_PAGE_LEN),
            has_fetched: false,
            may_lack_older: self.chat(id)?.may_fetch_older(),
        };
        let limit = question.limit;
        self.read_on(Reading::of(question), limit)
    }

    /// Asks the store again, after others were asked for what was not stored.
    pub(super) fn ask_again(&mut self, question: Question) {
        let (id, tag, limit) = (question.chat, question.tag.clone(), question.limit);
        let question = Question {
            has_fetched: true,
            may_lack_older: self.chats.get(&id).is_some_and(Chat::may_fetch_older),
            ..question
        };
        if let Err(failure) = self.read_on(Reading::of(question), limit) {
            self.outlet.command_failed("history", Some(id), tag, failure);
        }
    }

    fn read_on(&self, reading: Reading, limit: u32) -> Result<(), Failure> {
        let permit = self.errand_permit()?;
        let store = self.outlet.store.clone();
        self.send_for(permit, async move {
            let result = store.history(reading.question.chat, reading.query, limit).await;
            Errand::HistoryRead {
                reading: Box::new(reading),
                result,
            }
        });
        Ok(())
    }

    /// A page has come. What may be shown of it is reported, unless there is room for more.
    pub(super) fn history_read(&mut self, mut reading: Reading, result: Result<HistoryPage, StoreError>) {
        let question = reading.question.clone();
        let (id, tag) = (question.chat, question.tag.clone());
        let told = result.map_err(Failure::from).and_then(|page| {
            let chat = self.chat(id)?;
            match reading.take(page, |stored| chat.shows(stored)) {
                Some(event) => self.answer_history(event, question),
                // Whole pages from here on: if much is hidden, fewer questions find the rest.
                None => self.read_on(reading, MAX_PAGE_LEN)?,
            }
            Ok(())
        });
        if let Err(failure) = told {
            self.outlet.command_failed("history", Some(id), tag, failure);
        }
    }

    /// Tells what is stored; first has what came before it fetched from others, if it was asked for and is not all here.
    fn answer_history(&mut self, mut event: Event, question: Question) {
        let (
            Event::Chat {
                event:
                    ChatEvent::History {
                        messages,
                        more_before,
                        ..
                    },
                ..
            },
            Some(chat),
        ) = (&mut event, self.chats.get(&question.chat))
        else {
            return;
        };
        if !*more_before && question.may_lack_older && !chat.may_fetch_older() {
            return self.ask_again(question);
        }
        if !*more_before && chat.may_fetch_older() {
            let is_short = messages.len() < question.limit as usize;
            let wants_older = matches!(question.query, HistoryQuery::Before(_)) && !question.has_fetched;
            if is_short && wants_older && chat.has_room_to_wait() {
                return self.fetch_older(question);
            }
            *more_before = true;
        }
        self.outlet.report(event, question.tag);
    }
}

impl Reading {
    fn of(question: Question) -> Self {
        Self {
            query: question.query,
            room: question.limit as usize,
            shown: Vec::new(),
            more_behind: None,
            question,
        }
    }

    /// Takes what may be shown of a page. Returns the answer, or `None` if the store has to be asked again, with the query as it is
    /// then.
    fn take(&mut self, page: HistoryPage, shows: impl Fn(&StoredMessage) -> bool) -> Option<Event> {
        let forwards = matches!(self.query, HistoryQuery::After(_) | HistoryQuery::Oldest);
        let end = if forwards {
            page.messages.last()
        } else {
            page.messages.first()
        };
        let end = end.map(|stored| stored.message.id);
        let mut shown: Vec<Message> = page
            .messages
            .into_iter()
            .filter(&shows)
            .map(|stored| stored.message)
            .collect();
        // A further page may have more than there is room for.
        let over = shown.len().saturating_sub(self.room);
        if forwards {
            shown.truncate(self.room);
        } else {
            shown.drain(..over);
        }
        self.room -= shown.len();
        if forwards {
            self.shown.append(&mut shown);
        } else {
            shown.append(&mut self.shown);
            self.shown = shown;
        }
        let (ahead, behind) = if forwards {
            (page.more_after, page.more_before)
        } else {
            (page.more_before, page.more_after)
        };
        let more_behind = *self.more_behind.get_or_insert(behind);
        if let Some(end) = end
            && self.asks_on(ahead)
        {
            self.query = if forwards {
                HistoryQuery::After(end)
            } else {
                HistoryQuery::Before(end)
            };
            return None;
        }
        let more_ahead = ahead || over > 0;
        let (more_before, more_after) = if forwards {
            (more_behind, more_ahead)
        } else {
            (more_ahead, more_behind)
        };
        Some(
            ChatEvent::History {
                messages: std::mem::take(&mut self.shown),
                more_before,
                more_after,
            }
            .of(self.question.chat),
        )
    }

    /// Whether there is room, and something to fill it. Around a message both sides can be asked for from what is
    /// shown, if anything is.
    fn asks_on(&self, more_ahead: bool) -> bool {
        let is_around = matches!(self.query, HistoryQuery::Around(_) | HistoryQuery::At(_));
        more_ahead && self.room > 0 && (!is_around || self.shown.is_empty())
    }
}

impl Chat {
    /// Whether bans and equivocation let a stored message be shown.
    pub(super) fn shows(&self, stored: &StoredMessage) -> bool {
        let message = &stored.message;
        self.node.state().is_none_or(|state| {
            state.shows(
                &self.admitted_or_named(message.member),
                &stored.client_id,
                message.number,
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::id::{ClientId, MemberId, MessageId};
    use crate::model::MessageBody;

    /// A store of so many messages, numbered from 1.
    const STORED: u32 = 40;

    fn id(number: u32) -> MessageId {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        MessageId(bytes)
    }

    fn stored(number: u32) -> StoredMessage {
        let message = Message {
            chat: ChatId([1; 32]),
            member: MemberId([2; 32]),
            nick: String::new(),
            id: id(number),
            number,
            at: jiff::Timestamp::UNIX_EPOCH,
            body: MessageBody::Message,
            text: String::new(),
            own: false,
            history: false,
            delivery: None,
            place: 0,
        };
        StoredMessage {
            message,
            client_id: ClientId([3; 32]),
        }
    }

    /// What the store answers.
    fn page(query: HistoryQuery, limit: u32) -> HistoryPage {
        let place = |id: MessageId| u32::from_be_bytes(id.0[..4].try_into().expect("4 bytes"));
        let (first, last) = match query {
            HistoryQuery::Oldest => (1, limit.min(STORED)),
            HistoryQuery::Newest => ((STORED + 1).saturating_sub(limit).max(1), STORED),
            HistoryQuery::Before(id) => (place(id).saturating_sub(limit).max(1), place(id) - 1),
            HistoryQuery::After(id) => (place(id) + 1, (place(id) + limit).min(STORED)),
            HistoryQuery::At(_) => unreachable!("asked for by none of these"),
            HistoryQuery::Around(id) => {
                let side = (limit - 1) / 2;
                (
                    place(id).saturating_sub(side).max(1),
                    (place(id) + side).min(STORED),
                )
            }
        };
        HistoryPage {
            messages: (first..=last).map(stored).collect(),
            more_before: first > 1,
            more_after: last < STORED,
        }
    }

    /// The numbers told, and whether there is more on either side.
    fn read(query: HistoryQuery, limit: u32, hidden: &BTreeSet<u32>) -> (Vec<u32>, bool, bool) {
        let mut reading = Reading::of(Question {
            chat: ChatId([1; 32]),
            tag: None,
            query,
            limit,
            has_fetched: false,
            may_lack_older: false,
        });
        let mut ask_for = limit;
        for _ in 0..STORED {
            let shows = |stored: &StoredMessage| !hidden.contains(&stored.message.number);
            let Some(event) = reading.take(page(reading.query, ask_for), shows) else {
                ask_for = 7;
                continue;
            };
            let Event::Chat {
                event:
                    ChatEvent::History {
                        messages,
                        more_before,
                        more_after,
                    },
                ..
            } = event
            else {
                panic!("{event:?}")
            };
            let numbers = messages.iter().map(|message| message.number).collect();
            return (numbers, more_before, more_after);
        }
        panic!("asked on without an end")
    }

    #[test]
    fn pages_are_full_whatever_is_hidden() {
        let hidden: BTreeSet<u32> = (5..=38).collect();
        assert_eq!(
            read(HistoryQuery::Newest, 2, &hidden),
            (vec![39, 40], true, false)
        );
        assert_eq!(
            read(HistoryQuery::Newest, 3, &hidden),
            (vec![4, 39, 40], true, false)
        );
        assert_eq!(
            read(HistoryQuery::Newest, 9, &hidden),
            (vec![1, 2, 3, 4, 39, 40], false, false)
        );
        assert_eq!(
            read(HistoryQuery::Before(id(39)), 2, &hidden),
            (vec![3, 4], true, true)
        );
        assert_eq!(
            read(HistoryQuery::After(id(4)), 1, &hidden),
            (vec![39], true, true)
        );
        assert_eq!(
            read(HistoryQuery::After(id(3)), 9, &hidden),
            (vec![4, 39, 40], true, false)
        );
        assert_eq!(
            read(HistoryQuery::Around(id(39)), 3, &hidden),
            (vec![39, 40], true, false)
        );
        assert_eq!(
            read(HistoryQuery::Around(id(20)), 3, &hidden),
            (vec![2, 3, 4], true, true),
            "what is asked by is hidden, too"
        );
        assert_eq!(
            read(HistoryQuery::Newest, 5, &(1..=STORED).collect()),
            (vec![], false, false)
        );
        assert_eq!(
            read(HistoryQuery::Newest, 3, &BTreeSet::new()),
            (vec![38, 39, 40], true, false)
        );
    }
}
