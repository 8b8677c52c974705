//! Keeping order in a chat, by the names of the window's controls, before a played node.

use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::kittest::NodeT as _;
use egui_kittest::kittest::Queryable;
use throng::id::{ChatId, FactId};
use throng::model::*;

use crate::stage::*;

/// A chat in which we are `role`, founded by Zoe if not by us, with Ann and Ben in it.
pub(crate) fn chat_as(role: Role) -> (Window, ChatId) {
    let mut window = Window::open();
    let chat = chat_id(1);
    window
        .node
        .report(opened(1, "friends", ChatKind::Private, "Robin", role));
    window.node.report(ChatEvent::Joined.of(chat));
    let mut members = vec![
        info(member(1), "Ann", Role::Member, Status::Online, true),
        info(member(2), "Ben", Role::Member, Status::Online, true),
        MemberInfo {
            own: true,
            ..info(own(chat), "Robin", role, Status::Online, true)
        },
    ];
    if role != Role::Founder {
        members.push(info(member(9), "Zoe", Role::Founder, Status::Online, true));
    }
    window.node.report(ChatEvent::Members { members }.of(chat));
    window.node.report(
        ChatEvent::PeerLinked {
            client_id: throng::id::ClientId([1; 32]),
            member: member(1),
            address: address(),
        }
        .of(chat),
    );
    window.harness.run();
    window.go_to("friends");
    // Long enough that what comes is news.
    window.pass(Duration::from_secs(10));
    window.node.take_sent();
    (window, chat)
}

fn is_enabled(window: &Window, name: &str) -> bool {
    !window.control(name).accesskit_node().is_disabled()
}

fn description(window: &Window, name: &str) -> Option<String> {
    window.control(name).accesskit_node().description()
}

pub(crate) fn say(window: &mut Window, words: &str) {
    window.fill("Message", words);
    window.press(Modifiers::NONE, Key::Enter);
}

pub(crate) fn composer_text(window: &Window) -> String {
    window.control("Message").value().unwrap_or_default()
}

#[test]
fn a_member_is_banned_with_a_reason_and_the_ban_is_undone() {
    let (mut window, chat) = chat_as(Role::Founder);
    window.hear(chat, 2, "Ben", 1, "Buy my boats");
    window.click("Ben, online");
    window.click("Ban…");
    window.fill("Reason", "spam");
    assert_eq!(description(&window, "Reason").as_deref(), Some("96 left"));
    window.click("Hide what they said");
    window.click("Ban");
    assert!(
        window.node.was_sent(
            &ChatCommand::Ban {
                member: member(2),
                reason: "spam".to_owned(),
                with_invite: false,
                hide_all: true
            }
            .to(chat)
        )
    );
    assert!(!window.has("Reason"), "the dialog is closed");
    assert!(window.shows("You banned Ben: spam. What they said is hidden."));
    assert!(!window.shows("Buy my boats"));
    assert!(!window.has("Ben, online") && !window.has("Ben, banned"));
    window.click("Show the banned, 1");
    window.control("Ben, banned");

    assert!(window.has("Ben is banned."));
    window.click("Undo");
    assert!(
        window
            .node
            .was_sent(&ChatCommand::Unban { member: member(2) }.to(chat))
    );
    assert!(window.shows("You lifted the ban on Ben"));
    assert!(window.shows("Buy my boats"));
    assert!(!window.has("Undo"), "it was used");
    window.control("Ben, offline");
}

#[test]
fn a_reason_that_is_too_long_is_not_sent_and_one_that_failed_stays() {
    let (mut window, _) = chat_as(Role::Moderator);
    window.click("Ben, online");
    window.click("Ban…");
    window.fill("Reason", &"ž".repeat(51));
    assert_eq!(description(&window, "Reason").as_deref(), Some("2 too long"));
    assert!(!is_enabled(&window, "Ban"));
    window.fill("Reason", "spam");
    *window.node.refuse.borrow_mut() = Some((Code::Busy, "Too many facts. Wait a while.".to_owned()));
    window.click("Ban");
    assert!(window.has("Too many facts. Wait a while."));
    assert_eq!(window.control("Reason").value().as_deref(), Some("spam"));
    window.click("Ban");
    assert!(window.shows("You banned Ben: spam"));
}

#[test]
fn who_came_by_the_same_invite_can_be_banned_along() {
    let (mut window, _) = chat_as(Role::Founder);
    let user = |number: u8, nick: &str| InviteUser {
        member: member(number),
        nick: nick.to_owned(),
        confirmed: true,
    };
    *window.node.invites.borrow_mut() = vec![InviteInfo {
        invite: throng::id::InviteId([3; 32]),
        number: 3,
        rights: Rights::Member,
        uses: 5,
        used_by: vec![user(1, "Ann"), user(2, "Ben")],
        created_at: None,
        expires_at: None,
        closed: false,
        public_link: false,
    }];
    window.harness.run();
    window.click("Ben, online");
    // The answer to what was asked for the card.
    window.harness.run();
    assert!(window.shows("came by invite 3"));
    window.click("Ban…");
    window.click("Also everyone who came by the same invite");
    assert!(window.shows("That is 1 other beside them."));
    window.click("Ban");
    assert!(
        window
            .node
            .take_sent()
            .iter()
            .any(|sent| matches!(sent, Command::Chat { command: ChatCommand::Ban { with_invite: true, reason, .. }, .. } if reason.is_empty()))
    );
}

#[test]
fn roles_are_given_on_the_card_and_taken_back() {
    let (mut window, chat) = chat_as(Role::Founder);
    window.click("Ann, online");
    window.control("Is member");
    window.click("Make moderator");
    let set = |role| Command::Chat {
        chat,
        command: ChatCommand::SetRole {
            member: member(1),
            role,
        },
    };
    assert!(window.node.was_sent(&set(Role::Moderator)));
    window.control("Is moderator");
    assert!(window.has("Ann is a moderator now."));
    window.click("Close");
    window.control("Ann, online, moderator");
    assert!(window.shows("You made Ann a moderator"));
    window.click("Undo");
    assert!(window.node.was_sent(&set(Role::Member)));
    window.control("Ann, online");
}

#[test]
fn what_one_may_not_do_is_disabled_and_says_why() {
    let (mut window, _) = chat_as(Role::Member);
    window.click("Ben, online");
    for name in ["Make moderator", "Make observer", "Ban…"] {
        assert!(!is_enabled(&window, name), "{name}");
        assert!(
            description(&window, name).is_some_and(|why| why.contains("founder")),
            "{name}"
        );
    }
    assert!(is_enabled(&window, "Ignore") && is_enabled(&window, "Mention"));
    window.click("Close");

    let (mut window, chat) = chat_as(Role::Moderator);
    window.click("Ben, online");
    assert!(!is_enabled(&window, "Make moderator"), "the founder alone may");
    assert!(is_enabled(&window, "Make observer") && is_enabled(&window, "Ban…"));
    window.node.report(
        ChatEvent::RoleChanged {
            member: member(2),
            role: Role::Moderator,
            by: Some(member(9)),
        }
        .of(chat),
    );
    window.harness.run();
    assert!(!is_enabled(&window, "Make observer") && !is_enabled(&window, "Ban…"));
    let why = description(&window, "Ban…").expect("a reason");
    assert!(why.contains("below yours"), "{why}");
    window.click("Close");
    window.click("Zoe, online, founder");
    assert!(!window.has("Make observer"), "the founder is founder");
}

#[test]
fn a_ban_by_somebody_higher_is_not_ours_to_lift() {
    let (mut window, chat) = chat_as(Role::Moderator);
    let ban = |number: u8, by| Event::Chat {
        chat,
        event: ChatEvent::Banned {
            member: member(number),
            by,
            reason: "spam".to_owned(),
            hide_all: false,
        },
    };
    window.node.report(ban(2, member(9)));
    window.node.report(ban(1, own(chat)));
    window.harness.run();
    window.click("Show the banned, 2");
    window.click("Ben, banned");
    assert!(window.has("Banned by Zoe: spam"));
    assert!(!is_enabled(&window, "Lift the ban"));
    assert!(!window.has("Mention"), "they don't hear it");
    window.click("Close");
    window.click("Ann, banned");
    assert!(window.has("Banned by you: spam"));
    window.click("Lift the ban");
    assert!(
        window
            .node
            .was_sent(&ChatCommand::Unban { member: member(1) }.to(chat))
    );

    // Who can't lift bans does not see the list of them.
    window.node.report(
        ChatEvent::RoleChanged {
            member: own(chat),
            role: Role::Member,
            by: Some(member(9)),
        }
        .of(chat),
    );
    window.harness.run();
    window.click("Close");
    assert!(!window.has("Hide the banned, 1") && !window.has("Ben, banned"));
}

#[test]
fn the_ignored_are_hidden_at_once_and_shown_again() {
    let (mut window, chat) = chat_as(Role::Member);
    window.hear(chat, 2, "Ben", 1, "Hey hey");
    window.click("Ben, online");
    window.click("Ignore");
    assert!(
        window.node.was_sent(
            &ChatCommand::Ignore {
                member: member(2),
                ignored: true
            }
            .to(chat)
        )
    );
    assert!(window.shows("You ignore them"));
    window.click("Close");
    assert!(!window.shows("Hey hey"));
    window.hear(chat, 2, "Ben", 2, "Anybody?");
    assert!(!window.shows("Anybody?"));
    window.control("Ben, online, ignored");
    window.click("Undo");
    assert!(window.shows("Hey hey") && window.shows("Anybody?"));
}

#[test]
fn a_message_has_its_author_ignored_or_banned() {
    let (mut window, chat) = chat_as(Role::Moderator);
    window.hear(chat, 2, "Ben", 1, "Hey hey");
    let menu_of = |window: &mut Window, words: &str| {
        let shown = window.harness.query_all_by_label_contains(words);
        shown
            .last()
            .expect("after the list of chats, the message")
            .click_secondary();
        window.harness.run();
    };
    menu_of(&mut window, "Hey hey");
    window.click("Ban Ben…");
    assert!(window.has("Reason"), "they are asked why");
    window.click("Cancel");
    menu_of(&mut window, "Hey hey");
    window.click("Ignore Ben");
    assert!(
        window.node.was_sent(
            &ChatCommand::Ignore {
                member: member(2),
                ignored: true
            }
            .to(chat)
        )
    );
    assert!(!window.shows("Hey hey"));

    let (mut window, chat) = chat_as(Role::Member);
    window.hear(chat, 2, "Ben", 1, "Hey hey");
    menu_of(&mut window, "Hey hey");
    assert!(window.has("Ignore Ben") && !window.has("Ban Ben…"));
}

#[test]
fn the_log_is_read_and_read_again_when_something_changes() {
    let (mut window, chat) = chat_as(Role::Member);
    window.click("Menu");
    window.click("Moderation log…");
    assert!(window.shows("Nothing was moderated here yet."));
    let entry = |number: u8, by: u8, nick: &str, deed, denied: Option<&str>| LogEntry {
        id: FactId([number; 32]),
        by: member(by),
        nick: nick.to_owned(),
        at: jiff::Timestamp::from_second(NOW + i64::from(number)).expect("in range"),
        deed,
        denied: denied.map(str::to_owned),
    };
    *window.node.log.borrow_mut() = vec![
        entry(
            1,
            9,
            "Zoe",
            LoggedDeed::RoleSet {
                member: member(1),
                role: Role::Moderator,
            },
            None,
        ),
        entry(
            2,
            1,
            "Ann",
            LoggedDeed::Banned {
                member: member(2),
                reason: "spam".to_owned(),
                with_invite: true,
                holds: false,
            },
            None,
        ),
        entry(
            3,
            2,
            "Ben",
            LoggedDeed::Banned {
                member: own(chat),
                reason: String::new(),
                with_invite: false,
                holds: false,
            },
            Some("Only moderators and the founder may do that."),
        ),
    ];
    window.node.report(
        ChatEvent::RoleChanged {
            member: member(1),
            role: Role::Moderator,
            by: Some(member(9)),
        }
        .of(chat),
    );
    window.harness.run();
    // The answer to what was asked for because of that.
    window.harness.run();
    assert!(window.has("Zoe made Ann a moderator"));
    assert!(window.shows("Ann banned Ben and everyone who came by the same invite: spam (no longer holds)"));
    assert!(window.shows("Without effect: Only moderators and the founder may do that."));
}

#[test]
fn the_founder_takes_back_what_a_moderator_did_from_one_deed_on() {
    let (mut window, chat) = chat_as(Role::Founder);
    let fact = FactId([7; 32]);
    *window.node.log.borrow_mut() = vec![LogEntry {
        id: fact,
        by: member(1),
        nick: "Ann".to_owned(),
        at: jiff::Timestamp::from_second(NOW).expect("in range"),
        deed: LoggedDeed::Banned {
            member: member(2),
            reason: String::new(),
            with_invite: false,
            holds: true,
        },
        denied: None,
    }];
    window.click("Menu");
    window.click("Moderation log…");
    window.harness.run();
    window.click("Undo from here…");
    assert!(window.shows("all that Ann did after it counts no more"));
    window.click("Leave it");
    window.click("Undo from here…");
    window.click("Take it back");
    assert!(window.node.was_sent(&ChatCommand::UndoFrom { fact }.to(chat)));
}

#[test]
fn the_banned_are_told_by_whom_and_why() {
    let (mut window, chat) = chat_as(Role::Member);
    window.node.report(
        ChatEvent::Banned {
            member: own(chat),
            by: member(1),
            reason: "spam".to_owned(),
            hide_all: false,
        }
        .of(chat),
    );
    window.harness.run();
    assert!(window.shows("Ann banned you from this chat: “spam”."));
    assert!(window.shows("Ann banned you: spam"));
    window.fill("Message", "But why?");
    assert_eq!(composer_text(&window), "", "one can't write");
    window.click("Try again");
    assert!(window.node.was_sent(&ChatCommand::Retry.to(chat)));
    window.node.report(
        ChatEvent::Unbanned {
            member: own(chat),
            by: member(9),
        }
        .of(chat),
    );
    window.node.report(ChatEvent::Joined.of(chat));
    window.harness.run();
    assert!(!window.shows("banned you from this chat"));
    assert!(window.shows("Zoe lifted the ban on you"));
    window.fill("Message", "Thanks");
    assert_eq!(composer_text(&window), "Thanks");
}

#[test]
fn observers_and_newcomers_know_why_they_only_read() {
    let (mut window, chat) = chat_as(Role::Member);
    let role = |role, by| Event::Chat {
        chat,
        event: ChatEvent::RoleChanged {
            member: own(chat),
            role,
            by,
        },
    };
    window.node.report(role(Role::Observer, Some(member(9))));
    window.harness.run();
    assert!(window.shows("You are an observer: you read here"));
    assert!(window.shows("Zoe made you an observer"));
    window.node.report(role(Role::Member, Some(member(9))));
    window.harness.run();
    assert!(!window.shows("You are an observer"));

    let mut window = Window::open();
    let open = |door| Event::Chat {
        chat,
        event: ChatEvent::ChatOpened {
            name: "square".to_owned(),
            kind: ChatKind::Public,
            client_id: throng::id::ClientId([7; 32]),
            member: own(chat),
            listen: address(),
            nick: "Robin".to_owned(),
            topic: String::new(),
            role: Role::Observer,
            joined: true,
            topic_locked: true,
            door,
            history_rule: HistoryRule::All,
            retention: Retention::Forever,
        },
    };
    let door = |mode, minutes| Door {
        mode,
        minutes,
        ..Door::OPEN
    };
    window.node.report(open(door(DoorMode::ReadFirst, 10)));
    let until = jiff::Timestamp::from_second(NOW + 480).expect("in range");
    window.node.report(
        ChatEvent::Members {
            members: vec![MemberInfo {
                own: true,
                reads_until: Some(until),
                ..info(own(chat), "Robin", Role::Member, Status::Online, true)
            }],
        }
        .of(chat),
    );
    window.harness.run();
    window.go_to("square");
    assert!(window.shows("Newcomers only read here for the first 10 minutes. You can write in 8 minutes."));
    window.pass(Duration::from_secs(7 * 60));
    assert!(window.shows("You can write in 1 minute."));
    assert_eq!(composer_text(&window), "");
    window.fill("Message", "Soon?");
    assert_eq!(composer_text(&window), "", "one can't write yet");
    window.pass(Duration::from_secs(60));
    assert!(!window.shows("Newcomers"));
    window.fill("Message", "Now!");
    assert_eq!(composer_text(&window), "Now!");

    window.node.report(
        ChatEvent::DoorChanged {
            door: door(DoorMode::Approval, 0),
            by: None,
        }
        .of(chat),
    );
    window.node.report(role(Role::Observer, None));
    window.harness.run();
    assert!(window.shows("Newcomers read here until a moderator lets them write."));
    assert!(window.has("The topic is locked"));
    assert!(!is_enabled(&window, "Topic: No topic"));
}

#[test]
fn slow_mode_counts_down_and_then_costs_nothing() {
    let (mut window, chat) = chat_as(Role::Member);
    window.node.report(ChatEvent::Slow { wait_ms: 12_500 }.of(chat));
    window.harness.run();
    assert!(window.has("Slow mode: what you wrote last goes out in 13 s."));
    let delay =
        |window: &Window| window.harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(delay(&window) <= Duration::from_secs(1), "{:?}", delay(&window));
    assert!(
        delay(&window) >= Duration::from_millis(100),
        "{:?}",
        delay(&window)
    );
    window.pass(Duration::from_secs(4));
    assert!(window.has("Slow mode: what you wrote last goes out in 9 s."));
    window.pass(Duration::from_secs(9));
    assert!(!window.shows("Slow mode"));
    assert!(delay(&window) > Duration::from_secs(60), "{:?}", delay(&window));
}

#[test]
fn what_nobody_confirms_may_be_out_of_date() {
    let (mut window, chat) = chat_as(Role::Member);
    let words = "No member has lately confirmed roles and bans; they may be out of date.";
    for stale in [true, false] {
        window.node.report(ChatEvent::ModerationStale { stale }.of(chat));
        window.harness.run();
        assert_eq!(window.has(words), stale);
    }
}

#[test]
fn the_topic_is_locked_and_then_only_those_who_may_set_it() {
    let (mut window, chat) = chat_as(Role::Moderator);
    window.click("Lock the topic");
    assert!(
        window.node.was_sent(
            &ChatCommand::SetTopic {
                topic: String::new(),
                locked: Some(true)
            }
            .to(chat)
        )
    );
    assert!(window.shows("You locked the topic"));
    window.control("Unlock the topic");
    assert!(is_enabled(&window, "Topic: Add a topic"));

    window.node.report(
        ChatEvent::RoleChanged {
            member: own(chat),
            role: Role::Member,
            by: Some(member(9)),
        }
        .of(chat),
    );
    window.harness.run();
    assert!(window.has("The topic is locked"));
    assert!(!is_enabled(&window, "Topic: No topic"));
    let why = description(&window, "Topic: No topic").expect("a reason");
    assert!(why.contains("locked"), "{why}");
    say(&mut window, "/topic boats");
    assert_eq!(composer_text(&window), "/topic boats", "nothing typed is lost");
    assert!(window.has(&why));
}
