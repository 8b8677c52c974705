//! The picture of all chats, built up from reports alone.

use proptest::prelude::*;
use throng::id::ClientId;
use throng::model::*;

use crate::events::*;
use crate::picture::*;

#[test]
fn the_limits_are_those_of_the_layers_below() {
    assert_eq!(
        max_text_len(ChatKind::Classic),
        throng::wire::MAX_BROADCAST_DATA_LEN
    );
    assert_eq!(
        max_text_len(ChatKind::Private),
        4096,
        "what a pasted text may have"
    );
    assert_eq!(MAX_NICK_LEN, throng::wire::MAX_NAME_LEN);
    assert_eq!(MAX_TOPIC_LEN, throng::wire::MAX_TOPIC_LEN);
}

#[test]
fn a_chat_that_opens_is_asked_for_its_members_and_what_was_said() {
    let mut picture = Picture::new();
    let ready = Event::Ready {
        version: String::new(),
        listen: address(),
        passphrase: false,
    };
    assert_eq!(picture.take(ready).commands, [Command::LoadWorkspace]);
    let asked = picture
        .take(opened(1, "friends", ChatKind::Private, "Robin", Role::Founder))
        .commands;
    assert!(asked.contains(&ChatCommand::Members.to(chat_id(1))));
    assert!(asked.iter().any(|command| matches!(
        command,
        Command::Chat {
            command: ChatCommand::History { before: None, .. },
            ..
        }
    )));
}

#[test]
fn a_reader_that_fell_behind_asks_for_everything_again() {
    let (mut picture, chat) = Picture::with_chat();
    let asked = picture.take(Event::Lagged).commands;
    assert!(asked.contains(&ChatCommand::Members.to(chat)) && asked.contains(&ChatCommand::Stats.to(chat)));
    picture.take(
        ChatEvent::PeerLinked {
            client_id: ClientId([1; 32]),
            member: member(1),
            address: address(),
        }
        .of(chat),
    );
    picture.take(
        ChatEvent::Stats {
            stats: Stats::default(),
        }
        .of(chat),
    );
    assert_eq!(
        picture.chat(chat).connection(now()),
        Connection::Looking,
        "the link was lost unheard"
    );
}

#[test]
fn unread_messages_and_mentions_are_counted_until_they_are_read() {
    let (mut picture, chat) = Picture::with_chat();
    picture.hear(chat, 1, 1, "hello");
    picture.hear(chat, 1, 2, "robin, are you there?");
    picture.hear(chat, 1, 2, "robin, are you there?");
    let mut own_message = message(chat, own(chat), "Robin", 3, 3, "I am");
    own_message.own = true;
    picture.take(Event::Message(own_message));
    picture.hear(chat, 1, 4, "good");
    assert_eq!((picture.chat(chat).unread, picture.chat(chat).mentions), (3, 1));
    assert_eq!(picture.0.unread(), 3);

    let second = message(chat, member(1), "Ann", 2, 2, "").id;
    assert_eq!(
        picture.0.mark_read(chat, second),
        Some(ChatCommand::MarkRead { message: second }.to(chat))
    );
    assert_eq!((picture.chat(chat).unread, picture.chat(chat).mentions), (1, 0));
    let last = picture.chat(chat).timeline.last_message().expect("said");
    assert!(picture.0.mark_read(chat, last).is_some());
    assert_eq!(picture.chat(chat).unread, 0);
    assert_eq!(picture.0.mark_read(chat, last), None, "it is kept already");
    assert_eq!(picture.0.mark_read(chat, second), None, "reading never goes back");
    assert_eq!(picture.chat(chat).unread, 0);
}

#[test]
fn drafts_and_read_marks_come_before_or_after_their_chat() {
    let open = OpenChat {
        chat: chat_id(1),
        draft: "unfinished".to_owned(),
        read: None,
        unread: 5,
    };
    let workspace = Event::Workspace {
        settings: Settings::default(),
        workspace: Workspace::default(),
        chats: vec![open],
    };
    let opened = opened(1, "friends", ChatKind::Private, "Robin", Role::Founder);
    for events in [[workspace.clone(), opened.clone()], [opened, workspace]] {
        let mut picture = Picture::new();
        for event in events {
            picture.take(event);
        }
        let chat = picture.chat(chat_id(1));
        assert_eq!((chat.draft.as_str(), chat.unread), ("unfinished", 5));
    }
}

#[test]
fn what_is_stored_is_not_counted_as_new() {
    let (mut picture, chat) = Picture::with_chat();
    let messages = (1..=3)
        .map(|n| message(chat, member(1), "Ann", n, i64::from(n), "before"))
        .collect();
    picture.take(
        ChatEvent::History {
            messages,
            more_before: true,
            more_after: false,
        }
        .of(chat),
    );
    assert_eq!(picture.chat(chat).unread, 0);
    assert_eq!(picture.chat(chat).last_line, "Ann: before");
    assert!(picture.chat(chat).timeline.more_before());
    // A page from the middle says nothing about the beginning.
    let messages = vec![message(chat, member(1), "Ann", 2, 2, "before")];
    picture.take(
        ChatEvent::History {
            messages,
            more_before: false,
            more_after: true,
        }
        .of(chat),
    );
    assert!(picture.chat(chat).timeline.more_before());
}

#[test]
fn what_is_read_far_up_and_what_comes_meanwhile_is_counted_right() {
    let (mut picture, chat) = Picture::with_chat();
    let said = |n: u32| message(chat, member(1), "Ann", n, i64::from(n), "said");
    let ids: Vec<_> = (0..600).map(|n| said(n).id).collect();
    let saved = OpenChat {
        chat,
        draft: String::new(),
        read: Some(ids[99]),
        unread: 500,
    };
    picture.take(Event::Workspace {
        settings: Settings::default(),
        workspace: Workspace::default(),
        chats: vec![saved],
    });
    page(
        &mut picture,
        Page::Newest,
        (400..600).map(said).collect(),
        (true, false),
    );
    assert!(picture.chat(chat).has_unread_before());
    assert_eq!(picture.chat(chat).timeline.new_line(), None, "it is farther up");
    assert_eq!(picture.chat(chat).unread, 500);

    // Where reading stopped is loaded; what is read there is read, the rest is not.
    page(
        &mut picture,
        Page::Around(ids[99]),
        (0..200).map(said).collect(),
        (false, true),
    );
    let line = picture
        .chat(chat)
        .timeline
        .new_line()
        .expect("it is among the rows");
    assert_eq!(line.message(), Some(ids[100]));
    assert!(picture.0.mark_read(chat, ids[149]).is_some());
    assert_eq!(picture.chat(chat).unread, 450);
    assert_eq!(
        picture.0.mark_read(chat, ids[20]),
        None,
        "reading never goes back"
    );

    // What comes live or from others meanwhile is not among these rows.
    picture.hear(chat, 1, 700, "news");
    let mut fetched = said(650);
    fetched.history = true;
    picture.take(Event::Message(fetched));
    let mut old = message(chat, member(2), "Ben", 900, -500, "old");
    old.history = true;
    picture.take(Event::Message(old));
    let found = picture.chat(chat);
    assert_eq!((found.unread, found.timeline.beyond()), (452, 2));
    assert_eq!(
        found.timeline.len(),
        201,
        "the old one stands at the beginning, where it belongs"
    );
    assert_eq!(found.last_line, "Ann: news");

    // The end, and everything is read.
    let newest: Vec<_> = (500..600).map(said).chain([said(650), said(700)]).collect();
    page(&mut picture, Page::Newest, newest, (true, false));
    assert_eq!(picture.chat(chat).timeline.beyond(), 0);
    let last = picture.chat(chat).timeline.last_message().expect("said");
    assert!(picture.0.mark_read(chat, last).is_some());
    assert_eq!(picture.chat(chat).unread, 0);
}

#[test]
fn a_reader_that_missed_much_is_told_of_the_gap_instead_of_shown_none() {
    let (mut picture, chat) = Picture::with_chat();
    let said = |n: u32| message(chat, member(1), "Ann", n, i64::from(n), "said");
    let newest = |range: std::ops::Range<u32>| Event::Chat {
        chat,
        event: ChatEvent::History {
            messages: range.map(said).collect(),
            more_before: true,
            more_after: false,
        },
    };
    picture.take(newest(0..200));
    picture.take(Event::Lagged);
    picture.take(newest(150..350));
    let timeline = &picture.chat(chat).timeline;
    assert_eq!(
        (timeline.len(), timeline.more_after()),
        (350, false),
        "they overlap"
    );
    picture.take(newest(1_000..1_200));
    let timeline = &picture.chat(chat).timeline;
    assert_eq!((timeline.len(), timeline.more_after()), (350, true));
}

#[test]
fn what_is_cleared_is_gone() {
    let (mut picture, chat) = Picture::with_chat();
    picture.hear(chat, 1, 1, "robin: hello");
    picture.take(ChatEvent::HistoryCleared.of(chat));
    let found = picture.chat(chat);
    assert!(found.timeline.is_empty() && found.last_line.is_empty());
    assert_eq!((found.unread, found.mentions, found.read), (0, 0, None));
    picture.hear(chat, 1, 2, "again");
    assert_eq!(picture.chat(chat).unread, 1);
}

#[test]
fn a_chat_alone_is_alone_and_its_end_is_the_end() {
    let mut picture = Picture::new();
    picture.take(opened(1, "friends", ChatKind::Private, "Robin", Role::Founder));
    assert_eq!(picture.chat(chat_id(1)).connection(later(60)), Connection::Alone);
    picture.take(ChatEvent::ChatClosed { unsent: 0 }.of(chat_id(1)));
    assert!(picture.0.is_empty());
    // Its last words.
    assert_eq!(picture.take(ChatEvent::Joined.of(chat_id(1))), Effects::default());
    assert!(picture.0.is_empty());
}

#[test]
fn a_new_session_of_a_chat_keeps_what_was_read_and_typed() {
    let (mut picture, chat) = Picture::with_chat();
    picture.hear(chat, 1, 1, "hello");
    picture.0.get_mut(chat).expect("open").draft = "unfinished".to_owned();
    picture.take(opened(1, "friends", ChatKind::Private, "Robin", Role::Founder));
    let found = picture.chat(chat);
    assert_eq!(
        (found.unread, found.draft.as_str(), found.timeline.len()),
        (1, "unfinished", 1)
    );
    assert_eq!(picture.0.iter().count(), 1);
}

proptest! {
    #[test]
    fn whatever_happens_the_picture_agrees_with_itself(events in prop::collection::vec(any_event(), 0..80)) {
        let mut picture = Picture::new();
        for event in events {
            picture.take(event);
            for chat in picture.0.iter() {
                prop_assert_eq!(chat.members.iter().count(), chat.members.len());
                prop_assert!(chat.members.iter().all(|member| !member.nick.is_empty()));
                prop_assert!(chat.mentions <= chat.unread);
                let offline_first = chat.members.iter().skip_while(|member| member.online).any(|member| member.online);
                prop_assert!(!offline_first);
                prop_assert_eq!(chat.members.all().count(), chat.members.len() + chat.members.banned_len());
                prop_assert!(chat.members.iter().all(|member| member.ban.is_none()));
                prop_assert!(chat.members.banned().all(|member| member.ban.is_some()));
                let hidden = |said: &SaidRow| chat.members.get(said.member).is_some_and(|member| member.ignored);
                prop_assert!(!chat.timeline.rows().filter_map(Row::said).any(hidden));
                for member in chat.members.all() {
                    let key = nick_key(&member.nick);
                    let alike = chat.members.all().filter(|other| nick_key(&other.nick) == key).count();
                    prop_assert_eq!(alike > 1, chat.members.shared_nicks().contains(&member.id));
                }
            }
        }
    }
}
