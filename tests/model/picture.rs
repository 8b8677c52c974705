//! A picture of all chats that tests build up from reports.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use throng::id::{ChatId, ClientId};
use throng::model::*;

use crate::events::*;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("in range")
}

pub(crate) fn later(secs: u64) -> Timestamp {
    now() + Duration::from_secs(secs)
}

/// Chats to which reports are handed in.
pub(crate) struct Picture(pub(crate) Chats);

impl Picture {
    pub(crate) fn new() -> Self {
        Self(Chats::new(TimeZone::UTC))
    }

    /// With a private chat of our own, in which Ann and Ben are.
    pub(crate) fn with_chat() -> (Self, ChatId) {
        let mut picture = Self::new();
        let chat = chat_id(1);
        picture.take(opened(1, "friends", ChatKind::Private, "Robin", Role::Founder));
        let mut members = vec![
            info(own(chat), "Robin", Role::Founder, Status::Online, true),
            info(member(1), "Ann", Role::Member, Status::Online, true),
            info(member(2), "Ben", Role::Member, Status::Away, false),
        ];
        members[0].own = true;
        picture.take(ChatEvent::Members { members }.of(chat));
        (picture, chat)
    }

    pub(crate) fn take(&mut self, event: Event) -> Effects {
        self.0.apply(&event.into(), now())
    }

    pub(crate) fn hear(&mut self, chat: ChatId, by: u8, number: u32, text: &str) {
        let said = message(chat, member(by), "Ann", number, i64::from(number), text);
        self.take(Event::Message(said));
    }

    pub(crate) fn chat(&self, chat: ChatId) -> &Chat {
        self.0.get(chat).expect("open")
    }

    pub(crate) fn notices(&self, chat: ChatId) -> Vec<String> {
        let rows = self.chat(chat).timeline.rows();
        rows.filter_map(|row| match &row.content {
            RowContent::Notice(text) => Some(text.clone()),
            RowContent::Said(_) => None,
        })
        .collect()
    }
}

/// A page of a chat's history, as the answer to a question for it.
pub(crate) fn page(picture: &mut Picture, page: Page, messages: Vec<Message>, more: (bool, bool)) {
    let chat = messages[0].chat;
    let report = Report {
        event: ChatEvent::History {
            messages,
            more_before: more.0,
            more_after: more.1,
        }
        .of(chat),
        tag: Some(page.tag()),
    };
    picture.0.apply(&report, now());
}

pub(crate) fn any_event() -> impl Strategy<Value = Event> {
    let chat = || (0u8..2).prop_map(chat_id);
    let who = || (0u8..4).prop_map(member);
    let nick = || "[a-c\u{202E}]{0,3}";
    prop_oneof![
        (0u8..2, nick()).prop_map(|(n, nick)| opened(n, "x", ChatKind::Classic, &nick, Role::Member)),
        chat().prop_map(|chat| Event::Chat {
            chat,
            event: ChatEvent::ChatClosed { unsent: 0 }
        }),
        (chat(), who(), nick()).prop_map(|(chat, member, nick)| Event::Chat {
            chat,
            event: ChatEvent::MemberJoined {
                member,
                nick,
                role: Role::Member,
                status: Status::Online
            }
        }),
        (chat(), who(), nick()).prop_map(|(chat, member, nick)| Event::Chat {
            chat,
            event: ChatEvent::MemberLeft {
                member,
                nick,
                why: LeftWhy::Lost
            }
        }),
        (chat(), who(), nick()).prop_map(|(chat, member, nick)| Event::Chat {
            chat,
            event: ChatEvent::NickChanged { member, nick }
        }),
        (chat(), who(), 0u32..9, nick()).prop_map(|(chat, by, number, text)| {
            Event::Message(message(chat, by, "", number, i64::from(number % 3), &text))
        }),
        (chat(), who(), 0u8..3).prop_map(|(chat, member, n)| Event::Chat {
            chat,
            event: ChatEvent::PeerLinked {
                client_id: ClientId([n; 32]),
                member,
                address: address()
            }
        }),
        (chat(), who(), 0u8..3).prop_map(|(chat, member, n)| Event::Chat {
            chat,
            event: ChatEvent::PeerLost {
                client_id: ClientId([n; 32]),
                member
            }
        }),
        (chat(), who(), who(), any::<bool>()).prop_map(|(chat, member, by, hide_all)| Event::Chat {
            chat,
            event: ChatEvent::Banned {
                member,
                by,
                reason: String::new(),
                hide_all
            }
        }),
        (chat(), who(), who()).prop_map(|(chat, member, by)| Event::Chat {
            chat,
            event: ChatEvent::Unbanned { member, by }
        }),
        (chat(), who(), any::<bool>()).prop_map(|(chat, member, ignored)| Event::Chat {
            chat,
            event: ChatEvent::IgnoreChanged { member, ignored }
        }),
        Just(Event::Lagged),
    ]
}
