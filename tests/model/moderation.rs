//! What the founder and the moderators do, as the picture of a chat tells it.

use std::time::Duration;

use jiff::tz::TimeZone;
use throng::id::{ChatId, FactId, InviteId, MemberId};
use throng::model::*;

use crate::events::*;
use crate::picture::*;

/// A chat of Zoe's in which Ann, Ben and we are members, and have been for long.
struct Town {
    picture: Picture,
    chat: ChatId,
}

impl Town {
    fn new() -> Self {
        let chat = chat_id(1);
        let mut picture = Self {
            picture: Picture::new(),
            chat,
        };
        let mut event = opened(1, "friends", ChatKind::Private, "Robin", Role::Member);
        if let Event::Chat {
            event: ChatEvent::ChatOpened { joined, .. },
            ..
        } = &mut event
        {
            *joined = true;
        }
        picture.take(event);
        picture.take(
            ChatEvent::Members {
                members: members(chat),
            }
            .of(chat),
        );
        picture
    }

    fn take(&mut self, event: Event) -> Effects {
        self.picture.take(event)
    }

    fn chat(&self) -> &Chat {
        self.picture.chat(self.chat)
    }

    fn hear(&mut self, by: u8, number: u32, text: &str) {
        let said = message(self.chat, member(by), "Somebody", number, i64::from(number), text);
        self.take(Event::Message(said));
    }

    fn words(&self) -> Vec<String> {
        let rows = self.chat().timeline.rows();
        rows.filter_map(Row::said).map(|said| said.text.clone()).collect()
    }

    fn notices(&self) -> Vec<String> {
        self.picture.notices(self.chat)
    }

    fn banned(&self, who: MemberId, by: u8, reason: &str, hide_all: bool) -> Event {
        ChatEvent::Banned {
            member: who,
            by: member(by),
            reason: reason.to_owned(),
            hide_all,
        }
        .of(self.chat)
    }

    fn unbanned(&self, who: MemberId, by: u8) -> Event {
        ChatEvent::Unbanned {
            member: who,
            by: member(by),
        }
        .of(self.chat)
    }

    fn role(&self, who: MemberId, role: Role, by: Option<u8>) -> Event {
        ChatEvent::RoleChanged {
            member: who,
            role,
            by: by.map(member),
        }
        .of(self.chat)
    }

    fn ignored(&self, who: u8, ignored: bool) -> Event {
        ChatEvent::IgnoreChanged {
            member: member(who),
            ignored,
        }
        .of(self.chat)
    }
}

fn members(chat: ChatId) -> Vec<MemberInfo> {
    let named = |number: u8, nick: &str, role| info(member(number), nick, role, Status::Online, true);
    vec![
        named(1, "Ann", Role::Member),
        named(2, "Ben", Role::Member),
        named(9, "Zoe", Role::Founder),
        MemberInfo {
            own: true,
            ..info(own(chat), "Robin", Role::Member, Status::Online, true)
        },
    ]
}

#[test]
fn deeds_are_told_once_and_only_if_they_are_news() {
    let mut picture = Town::new();
    let (chat, ben, robin) = (picture.chat, member(2), own(picture.chat));
    let topic = |topic: &str, locked| Event::Chat {
        chat,
        event: ChatEvent::TopicChanged {
            topic: topic.to_owned(),
            locked,
            by: member(1),
        },
    };
    let door = |mode| Event::Chat {
        chat,
        event: ChatEvent::DoorChanged {
            door: Door { mode, ..Door::OPEN },
            by: Some(member(9)),
        },
    };
    let closed = ChatEvent::InviteClosed {
        invite: InviteId([1; 32]),
        by: Some(member(1)),
    }
    .of(chat);
    for event in [
        picture.role(member(1), Role::Moderator, Some(9)),
        picture.role(member(1), Role::Moderator, Some(9)),
        picture.banned(ben, 1, "spam", true),
        picture.banned(ben, 9, "spam again", true),
        picture.unbanned(ben, 9),
        picture.unbanned(ben, 9),
        topic("Boats", false),
        topic("Boats", true),
        topic("", false),
        picture.role(ben, Role::Observer, None),
        picture.role(robin, Role::Observer, None),
        picture.role(robin, Role::Member, None),
        closed.clone(),
        picture.role(robin, Role::Moderator, Some(9)),
        closed,
        door(DoorMode::Approval),
        door(DoorMode::Approval),
        ChatEvent::Forked { member: member(2) }.of(chat),
        ChatEvent::ClockOff { by_ms: -3_780_000 }.of(chat),
    ] {
        picture.take(event);
    }
    let told = picture.notices();
    let wanted = [
        "Zoe made Ann a moderator",
        "Ann banned Ben: spam. What they said is hidden.",
        "Zoe lifted the ban on Ben",
        "Ann changed the topic: Boats",
        "Ann locked the topic",
        "Ann cleared the topic",
        "Ann unlocked the topic",
        // Ben's role is another because of something else: perhaps for many at once.
        "You only read here now",
        "You may write here now",
        // Told to those alone who could have closed it.
        "Zoe made you a moderator",
        "Ann closed an invite",
        "Zoe changed the door: newcomers only read until a moderator lets them write",
    ];
    assert_eq!(told[..wanted.len()], wanted);
    assert!(
        told[wanted.len()].starts_with("Two different messages under one number came from Ben's program.")
    );
    assert!(told[wanted.len() + 1].starts_with("This computer's clock is 1 h 3 min fast, by what"));
    assert_eq!(told.len(), wanted.len() + 2);
}

#[test]
fn who_has_just_come_in_is_not_told_what_was_so_before() {
    let mut picture = Town::new();
    let chat = chat_id(2);
    picture.take(opened(2, "others", ChatKind::Private, "Robin", Role::Member));
    picture.take(ChatEvent::Joined.of(chat));
    picture.chat = chat;
    for event in [
        picture.banned(member(2), 1, "spam", false),
        picture.role(member(1), Role::Moderator, Some(9)),
        ChatEvent::TopicChanged {
            topic: "Boats".to_owned(),
            locked: true,
            by: member(1),
        }
        .of(chat),
    ] {
        picture.take(event);
    }
    assert_eq!(picture.notices(), [""; 0]);
    let found = picture.chat();
    assert!(found.topic_locked && found.members.banned_len() == 1);
}

#[test]
fn words_of_the_ignored_go_and_come_back_in_their_places() {
    let mut picture = Town::new();
    for (by, number, text) in [
        (1, 1, "one"),
        (2, 2, "two"),
        (1, 3, "three"),
        (2, 4, "Robin: four"),
    ] {
        picture.hear(by, number, text);
    }
    assert_eq!((picture.chat().unread, picture.chat().mentions), (4, 1));
    picture.take(picture.ignored(2, true));
    assert_eq!(picture.words(), ["one", "three"]);
    assert_eq!((picture.chat().unread, picture.chat().mentions), (2, 0));
    assert_eq!(picture.chat().last_line, "Somebody: three");
    picture.hear(2, 5, "five");
    assert_eq!(picture.chat().unread, 2, "nobody hears it");
    // A nick that comes anew does not end it.
    picture.take(
        ChatEvent::MemberJoined {
            member: member(2),
            nick: "Benny".to_owned(),
            role: Role::Member,
            status: Status::Online,
        }
        .of(picture.chat),
    );
    assert_eq!(picture.words(), ["one", "three"]);
    picture.take(picture.ignored(2, false));
    assert_eq!(picture.words(), ["one", "two", "three", "Robin: four", "five"]);
    assert_eq!((picture.chat().unread, picture.chat().mentions), (5, 1));
}

#[test]
fn what_was_read_stays_read_when_the_last_word_is_hidden() {
    let mut picture = Town::new();
    picture.hear(1, 1, "one");
    picture.hear(2, 2, "two");
    let two = picture.chat().timeline.last_message().expect("said");
    picture.picture.0.mark_read(picture.chat, two);
    picture.take(picture.ignored(2, true));
    picture.hear(1, 3, "three");
    assert_eq!(picture.chat().unread, 1);
    let three = picture.chat().timeline.last_message().expect("said");
    assert!(picture.picture.0.mark_read(picture.chat, three).is_some());
    assert_eq!(picture.chat().unread, 0);
    picture.take(picture.ignored(2, false));
    assert_eq!(picture.chat().unread, 0);
}

#[test]
fn a_restart_keeps_the_ignored_hidden() {
    let mut picture = Town::new();
    picture.hear(2, 1, "one");
    let mut members = members(picture.chat);
    members[1].ignored = true;
    picture.take(ChatEvent::Members { members }.of(picture.chat));
    assert_eq!(picture.words(), [""; 0]);
    assert!(
        picture
            .chat()
            .members
            .get(member(2))
            .is_some_and(|ben| ben.ignored)
    );
}

#[test]
fn a_ban_that_hides_all_is_undone_by_lifting_it() {
    let mut picture = Town::new();
    picture.hear(2, 1, "one");
    picture.take(picture.banned(member(2), 9, "", true));
    assert_eq!(picture.words(), [""; 0]);
    let asked = picture.take(picture.unbanned(member(2), 9)).commands;
    assert_eq!(picture.words(), ["one"]);
    assert!(
        matches!(
            asked[..],
            [Command::Chat {
                command: ChatCommand::History { .. },
                ..
            }]
        ),
        "what was never handed over comes too: {asked:?}"
    );
    // A ban that hides nothing hides nothing, and the members that come anew don't forget who banned.
    picture.take(picture.banned(member(2), 9, "spam", false));
    let mut infos = members(picture.chat);
    infos[1].banned = true;
    picture.take(ChatEvent::Members { members: infos }.of(picture.chat));
    assert_eq!(picture.words(), ["one"]);
    let ben = picture.chat().members.get(member(2)).expect("known");
    assert_eq!(
        ben.ban,
        Some(BanInfo {
            by: Some(member(9)),
            reason: "spam".to_owned(),
            hide_all: false
        })
    );
}

#[test]
fn our_own_ban_is_known_until_it_is_lifted() {
    let mut picture = Town::new();
    let robin = own(picture.chat);
    picture.take(picture.banned(robin, 9, "noise", false));
    let chat = picture.chat();
    assert_eq!(chat.own_ban().map(|ban| ban.reason.as_str()), Some("noise"));
    assert_eq!(chat.connection(now()), Connection::Refused);
    for deed in [Deed::Speak, Deed::SetTopic, Deed::Ban] {
        assert!(chat.may(deed).is_err(), "{deed:?}");
    }
    assert_eq!(picture.notices(), ["Zoe banned you: noise"]);
    picture.take(picture.unbanned(robin, 9));
    let chat = picture.chat();
    assert!(chat.own_ban().is_none() && chat.may(Deed::Speak).is_ok());
    assert_eq!(chat.connection(now()), Connection::Looking);
}

#[test]
fn who_left_or_was_banned_is_still_called_by_name() {
    let mut picture = Town::new();
    let chat = picture.chat;
    // The next list does not have Ann any more.
    let rest = members(chat).split_off(1);
    picture.take(ChatEvent::Members { members: rest }.of(chat));
    picture.take(picture.banned(member(2), 9, "", false));
    assert!(picture.chat().members.get(member(1)).is_none());
    assert_eq!(picture.chat().nick_of(member(1)), "Ann");
    assert_eq!(picture.chat().nick_of(member(2)), "Ben");
    // One who shares the nick is told apart where it matters.
    picture.take(
        ChatEvent::NickChanged {
            member: member(2),
            nick: "zoe".to_owned(),
        }
        .of(chat),
    );
    picture.take(picture.role(member(2), Role::Observer, Some(9)));
    let told = picture.notices().pop().expect("told");
    assert_eq!(
        told,
        format!(
            "Zoe ({}) made zoe ({}) an observer",
            member(9).short(),
            member(2).short()
        )
    );
}

#[test]
fn names_of_those_who_left_are_bounded() {
    let mut chats = Chats::new(TimeZone::UTC);
    let chat = chat_id(1);
    chats.apply(
        &opened(1, "ring", ChatKind::Classic, "robin", Role::Member).into(),
        now(),
    );
    let session = |n: u32| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&n.to_be_bytes());
        MemberId(id)
    };
    for n in 0..3_000 {
        let (member, nick) = (session(n), format!("nick{n}"));
        for event in [
            ChatEvent::MemberJoined {
                member,
                nick: nick.clone(),
                role: Role::Member,
                status: Status::Online,
            }
            .of(chat),
            ChatEvent::MemberLeft {
                member,
                nick,
                why: LeftWhy::Quit,
            }
            .of(chat),
        ] {
            chats.apply(&event.into(), now());
        }
    }
    let members = &chats.get(chat).expect("open").members;
    let known = (0..3_000)
        .filter(|n| members.nick_of(session(*n)).is_some())
        .count();
    assert_eq!(known, 1_024);
    assert_eq!(members.nick_of(session(2_999)), Some("nick2999"));
}

#[test]
fn the_table_of_rights_is_what_the_window_goes_by() {
    let mut picture = Town::new();
    let (robin, ben) = (own(picture.chat), member(2));
    let may = |picture: &Town, role| {
        let chat = picture.chat();
        chat.may_set_role(chat.members.get(ben).expect("known"), role)
    };
    assert!(may(&picture, Role::Observer).is_err());
    picture.take(picture.role(robin, Role::Moderator, Some(9)));
    assert!(may(&picture, Role::Observer).is_ok());
    assert!(may(&picture, Role::Moderator).is_err(), "the founder alone may");
    picture.take(picture.role(ben, Role::Moderator, Some(9)));
    assert!(may(&picture, Role::Observer).is_err(), "an equal");
    assert!(may(&picture, Role::Member).is_err(), "an equal");
    let chat = picture.chat();
    let zoe = chat.members.get(member(9)).expect("known");
    for role in [Role::Observer, Role::Member, Role::Moderator] {
        assert!(chat.may_set_role(zoe, role).is_err(), "the founder, for good");
    }
    assert!(chat.may_to(Deed::Ban, zoe).is_err());
    let ann = chat.members.get(member(1)).expect("known");
    assert!(chat.may_to(Deed::Ban, ann).is_ok());
    picture.take(picture.banned(member(1), 9, "", false));
    let ann = picture.chat().members.get(member(1)).expect("known");
    assert!(picture.chat().may_to(Deed::Lift, ann).is_err(), "by the founder");
    assert!(picture.chat().may_to(Deed::Ban, ann).is_err(), "already");
}

#[test]
fn waiting_in_slow_mode_ends_by_itself() {
    let mut picture = Town::new();
    let chat = picture.chat;
    picture.take(ChatEvent::Slow { wait_ms: 2_500 }.of(chat));
    let at = |millis: u64| now() + Duration::from_millis(millis);
    let chat = picture.chat();
    assert_eq!(chat.slow_for(at(0)), Some(Duration::from_millis(2_500)));
    assert_eq!(chat.next_change_in(at(0)), Some(Duration::from_millis(500)));
    assert_eq!(chat.next_change_in(at(500)), Some(Duration::from_secs(1)));
    assert_eq!(chat.slow_for(at(2_500)), None);
    assert_eq!(chat.next_change_in(at(2_500)), None);
}

#[test]
fn the_log_reads_as_sentences() {
    let mut picture = Town::new();
    let chat = picture.chat;
    let entry = |by: MemberId, nick: &str, deed, denied: Option<&str>| LogEntry {
        id: FactId([1; 32]),
        by,
        nick: nick.to_owned(),
        at: now(),
        deed,
        denied: denied.map(str::to_owned),
    };
    let many: Vec<MemberId> = (1..8).map(member).collect();
    let invite = InviteId([1; 32]);
    let entries = vec![
        entry(
            own(chat),
            "Robin",
            LoggedDeed::RoleSet {
                member: member(1),
                role: Role::Observer,
            },
            None,
        ),
        // Nobody knows any more who that was but the fact itself.
        entry(
            member(33),
            "Gone",
            LoggedDeed::Unbanned {
                members: vec![member(2), own(chat)],
            },
            None,
        ),
        entry(
            member(9),
            "Zoe",
            LoggedDeed::Confirmed {
                invite,
                members: many,
            },
            None,
        ),
        entry(
            member(9),
            "Zoe",
            LoggedDeed::TopicSet {
                topic: String::new(),
                locked: true,
            },
            None,
        ),
        entry(
            member(2),
            "Ben",
            LoggedDeed::Banned {
                member: member(9),
                reason: "me!".to_owned(),
                with_invite: false,
                holds: false,
            },
            Some("No."),
        ),
        entry(member(9), "Zoe", LoggedDeed::Checkpoint, None),
    ];
    picture.take(ChatEvent::ModerationLog { entries }.of(chat));
    let lines = picture.chat().log.as_ref().expect("came");
    let sentences: Vec<&str> = lines.iter().map(|line| line.sentence.as_str()).collect();
    let unknown = |n: u8| format!("Member {}", member(n).short());
    let confirmed = format!(
        "Zoe let their program confirm Ann, Ben, {}, {} and 3 more",
        unknown(3),
        unknown(4)
    );
    assert_eq!(
        sentences,
        [
            "You made Ann an observer",
            "Gone lifted the ban on Ben and you",
            &confirmed,
            "Zoe cleared the topic, and locked it",
            "Ben banned Zoe: me!",
            "Zoe vouched for everything above",
        ]
    );
    assert_eq!(lines[4].denied.as_deref(), Some("No."));
}

#[test]
fn members_are_found_by_what_is_typed() {
    let mut picture = Town::new();
    let chat = picture.chat;
    picture.take(
        ChatEvent::NickChanged {
            member: member(1),
            nick: "Ann Lee".to_owned(),
        }
        .of(chat),
    );
    let chat = picture.chat();
    let found = |text: &str| {
        let (who, rest) = chat.find_member_before(text).ok()?;
        Some((who.id, rest.to_owned()))
    };
    let ann = |rest: &str| Some((member(1), rest.to_owned()));
    assert_eq!(found("ann lee"), ann(""));
    assert_eq!(found("Ann Lee too much spam"), ann("too much spam"));
    assert_eq!(found("@Ann  spam"), None);
    assert_eq!(found("Ann Lee: spam"), ann("spam"));
    assert_eq!(found(&format!("{} x", member(1).short())), ann("x"));
    assert_eq!(found(""), None);
    assert_eq!(found("  "), None);
}
