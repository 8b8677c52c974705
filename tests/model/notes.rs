//! What the picture tells of who comes, goes and changes, and of the connection.

use std::time::Duration;

use throng::id::ClientId;
use throng::model::*;

use crate::events::*;
use crate::picture::*;

#[test]
fn a_newcomer_is_not_told_as_news_what_was_so_before() {
    let mut picture = Picture::new();
    let chat = chat_id(1);
    picture.take(opened(1, "friends", ChatKind::Private, "Robin", Role::Member));
    let joined = |number: u8, nick: &str| Event::Chat {
        chat,
        event: ChatEvent::MemberJoined {
            member: member(number),
            nick: nick.to_owned(),
            role: Role::Member,
            status: Status::Online,
        },
    };
    let linked = ChatEvent::PeerLinked {
        client_id: ClientId([1; 32]),
        member: member(1),
        address: std::net::SocketAddr::from(([127, 0, 0, 1], 4_000)),
    }
    .of(chat);
    let topic = ChatEvent::TopicChanged {
        topic: "Tea".to_owned(),
        locked: false,
        by: member(1),
    }
    .of(chat);
    for event in [
        joined(1, "Ann"),
        linked,
        ChatEvent::Joined.of(chat),
        joined(2, "Ben"),
        topic,
    ] {
        picture.take(event);
    }
    assert!(picture.notices(chat).is_empty());
    assert_eq!(picture.chat(chat).topic, "Tea");
    let later = now() + jiff::SignedDuration::from_secs(4);
    picture.0.apply(&joined(3, "Cleo").into(), later);
    assert_eq!(picture.notices(chat), ["Cleo joined"]);
}

#[test]
fn who_comes_and_goes_is_noted_once_and_only_if_it_is_news() {
    let (mut picture, chat) = Picture::with_chat();
    let joined = |number: u8, nick: &str| Event::Chat {
        chat,
        event: ChatEvent::MemberJoined {
            member: member(number),
            nick: nick.to_owned(),
            role: Role::Member,
            status: Status::Online,
        },
    };
    let left = |number: u8, nick: &str, why: LeftWhy| Event::Chat {
        chat,
        event: ChatEvent::MemberLeft {
            member: member(number),
            nick: nick.to_owned(),
            why,
        },
    };
    picture.take(joined(2, "Ben"));
    assert!(
        picture.notices(chat).is_empty(),
        "it is we who came back, not Ben"
    );
    picture.take(joined(3, "Cleo"));
    picture.take(left(3, "Cleo", LeftWhy::Quit));
    picture.take(joined(3, "Cleo"));
    picture.take(left(1, "Ann", LeftWhy::Lost));
    let wanted = [
        "Cleo joined",
        "Cleo left",
        "Cleo is back",
        "Ann can't be reached any more",
    ];
    assert_eq!(picture.notices(chat), wanted);
    let here: Vec<&str> = picture
        .chat(chat)
        .members
        .iter()
        .map(|member| member.nick.as_str())
        .collect();
    assert_eq!(
        here,
        ["Robin", "Ben", "Cleo", "Ann"],
        "those who are there first, of these the founder, then by nick"
    );
    assert_eq!(picture.chat(chat).members.online(), 3);
}

#[test]
fn nicks_topics_and_bans_are_noted() {
    let (mut picture, chat) = Picture::with_chat();
    picture.take(
        ChatEvent::NickChanged {
            member: member(1),
            nick: "Anna".to_owned(),
        }
        .of(chat),
    );
    picture.take(
        ChatEvent::NickChanged {
            member: own(chat),
            nick: "Robbie".to_owned(),
        }
        .of(chat),
    );
    picture.take(
        ChatEvent::TopicChanged {
            topic: "The boat".to_owned(),
            locked: false,
            by: member(1),
        }
        .of(chat),
    );
    picture.take(
        ChatEvent::TopicChanged {
            topic: "The boat".to_owned(),
            locked: false,
            by: member(1),
        }
        .of(chat),
    );
    picture.take(
        ChatEvent::TopicChanged {
            topic: String::new(),
            locked: false,
            by: own(chat),
        }
        .of(chat),
    );
    let (reason, by) = ("noise".to_owned(), own(chat));
    picture.take(
        ChatEvent::Banned {
            member: member(2),
            by,
            reason,
            hide_all: false,
        }
        .of(chat),
    );
    let wanted = [
        "Ann is Anna now",
        "You are Robbie now",
        "Anna changed the topic: The boat",
        "You cleared the topic",
        "You banned Ben: noise",
    ];
    assert_eq!(picture.notices(chat), wanted);
    let members = &picture.chat(chat).members;
    assert_eq!((members.len(), members.banned_len()), (2, 1));
    assert_eq!(
        members.nick_of(member(2)),
        Some("Ben"),
        "who is banned stays known"
    );
    picture.hear(chat, 1, 1, "Robbie!");
    assert_eq!(picture.chat(chat).mentions, 1, "by the new nick");
}

#[test]
fn members_with_one_nick_are_told_apart() {
    let (mut picture, chat) = Picture::with_chat();
    assert!(picture.chat(chat).members.shared_nicks().is_empty());
    picture.take(
        ChatEvent::NickChanged {
            member: member(2),
            nick: "ann".to_owned(),
        }
        .of(chat),
    );
    assert_eq!(picture.chat(chat).members.shared_nicks().len(), 2);
    picture.take(
        ChatEvent::NickChanged {
            member: member(1),
            nick: "Annette".to_owned(),
        }
        .of(chat),
    );
    assert!(picture.chat(chat).members.shared_nicks().is_empty());
}

#[test]
fn connections_are_told_in_words() {
    let (mut picture, chat) = Picture::with_chat();
    assert_eq!(picture.chat(chat).connection(now()), Connection::Looking);
    let link = |n: u8, member| Event::Chat {
        chat,
        event: ChatEvent::PeerLinked {
            client_id: ClientId([n; 32]),
            member,
            address: address(),
        },
    };
    picture.take(link(1, member(1)));
    picture.take(link(2, member(1)));
    assert_eq!(
        picture.chat(chat).connection(now()),
        Connection::Linked(1),
        "two sessions of one member"
    );
    for n in [1, 2] {
        picture.take(
            ChatEvent::PeerLost {
                client_id: ClientId([n; 32]),
                member: member(1),
            }
            .of(chat),
        );
    }
    assert_eq!(picture.chat(chat).connection(later(19)), Connection::Looking);
    assert_eq!(
        picture.chat(chat).gives_up_in(later(19)),
        Some(Duration::from_secs(1))
    );
    assert_eq!(picture.chat(chat).connection(later(20)), Connection::Nobody);
    assert_eq!(picture.chat(chat).gives_up_in(later(20)), None);

    let message = "Nobody answers.".to_owned();
    picture.take(
        ChatEvent::JoinFailed {
            code: Code::Unreachable,
            message: message.clone(),
        }
        .of(chat),
    );
    assert_eq!(picture.chat(chat).connection(now()), Connection::Nobody);
    assert_eq!(
        picture.chat(chat).join,
        Join::Unanswered(message),
        "it goes on asking"
    );
    picture.0.get_mut(chat).expect("open").look_again(now());
    assert_eq!(picture.chat(chat).connection(now()), Connection::Looking);

    let message = "This invite is spent.".to_owned();
    picture.take(
        ChatEvent::JoinFailed {
            code: Code::Spent,
            message: message.clone(),
        }
        .of(chat),
    );
    assert_eq!(picture.chat(chat).connection(now()), Connection::Refused);
    assert_eq!(picture.chat(chat).join, Join::Failed(message));
    picture.take(link(1, member(1)));
    assert_eq!(picture.chat(chat).connection(now()), Connection::Linked(1));
}
