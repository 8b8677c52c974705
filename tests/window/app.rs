//! The window by the names of its controls, before a played node.

use std::time::Duration;

use egui::{Key, Modifiers};
use throng::id::ClientId;
use throng::model::*;

use crate::stage::*;

const ALT_SHIFT: Modifiers = Modifiers::ALT.plus(Modifiers::SHIFT);

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn a_chat_is_created_and_its_tab_opens() {
    let mut window = Window::open();
    window.click("Create a chat");
    window.fill("Name", "friends");
    window.click("Create");
    assert!(!window.has("Kind"), "the dialog is closed");
    assert_eq!(window.title(), "friends — Throng");
    window.control("friends");
    let sent = window.node.take_sent();
    assert!(sent.contains(&Command::CreateChat {
        door: None,
        name: "friends".to_owned(),
        kind: ChatKind::Private,
        nick: "Robin".to_owned()
    }));
    assert!(
        sent.iter().any(
            |command| matches!(command, Command::SaveWorkspace { workspace } if workspace.tabs.len() == 1)
        )
    );
}

#[test]
fn what_fails_in_a_dialog_is_said_there_and_nothing_typed_is_lost() {
    let mut window = Window::open();
    window.press(Modifiers::COMMAND, Key::O);
    window.fill("Or paste the invite's text or link", "throng:nonsense");
    *window.node.refuse.borrow_mut() = Some((Code::Damaged, "This invite is cut off.".to_owned()));
    window.click("Import");
    assert!(window.has("This invite is cut off."));
    let text = window.control("Or paste the invite's text or link").value();
    assert_eq!(text.as_deref(), Some("throng:nonsense"));
    window.click("Import");
    assert_eq!(window.title(), "Imported — Throng");
}

#[test]
fn the_status_is_set_in_the_status_bar() {
    let (mut window, chat) = Window::with_chat("friends");
    window.click("You are Robin, online");
    window.click("Busy");
    assert!(
        window
            .node
            .was_sent(&ChatCommand::SetStatus { status: Status::Busy }.to(chat))
    );
    window.control("You are Robin, busy");
    window.press(Modifiers::NONE, Key::Escape);
    window.click("You are Robin, busy");
    window.click("Change your nick…");
    window.fill("Your nick in this chat", "Robbie");
    window.click("Change");
    window.control("You are Robbie, busy");
    assert!(window.shows("You are Robbie now"));
}

#[test]
fn esc_marks_as_read_unless_something_stands_before_the_chat() {
    let (mut window, chat) = Window::with_chat("friends");
    // Nobody looks, so it is not read by being shown.
    window.harness.input_mut().focused = false;
    window.hear(chat, 1, "Ann", 1, "hello");
    assert_eq!(window.title(), "(1) friends — Throng");
    window.press(Modifiers::COMMAND, Key::Comma);
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.has("Zoom"));
    assert_eq!(
        window.title(),
        "(1) friends — Throng",
        "it closed the settings and no more"
    );
    window.press(Modifiers::NONE, Key::Escape);
    assert_eq!(window.title(), "friends — Throng");
}

#[test]
fn what_is_unread_is_counted_and_found() {
    let (mut window, _) = Window::with_chat("one");
    let other = window.add_chat(2, "two");
    window.hear(other, 1, "Ann", 1, "hello");
    window.hear(other, 1, "Ann", 2, "Robin: are you there?");
    assert_eq!(window.title(), "(2) one — Throng");
    assert!(window.shows("two, 2 unread, 1 mention"));
    window.press(ALT_SHIFT, Key::ArrowDown);
    assert_eq!(window.title(), "two — Throng", "shown to the end, so it is read");
    assert!(window.node.take_sent().iter().any(|sent| matches!(
        sent,
        Command::Chat {
            command: ChatCommand::MarkRead { .. },
            ..
        }
    )));
}

#[test]
fn the_new_line_stays_while_one_reads_and_never_stands_above_what_is_seen_coming() {
    let (mut window, _) = Window::with_chat("one");
    let other = window.add_chat(2, "two");
    window.go_to("two");
    window.hear(other, 1, "Ann", 1, "hello");
    window.hear(other, 1, "Ann", 2, "seen as it comes");
    assert!(!window.has("New messages"));
    window.go_to("one");
    window.hear(other, 1, "Ann", 3, "while you were elsewhere");
    window.go_to("two");
    assert!(window.has("New messages"), "where reading stopped");
    window.hear(other, 1, "Ann", 4, "and more");
    assert!(window.has("New messages"));
    assert_eq!(window.title(), "two — Throng");
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.has("New messages"), "Esc is done with it");
    window.hear(other, 1, "Ann", 5, "later");
    assert!(!window.has("New messages"));
}

#[test]
fn leaving_can_be_undone_for_a_while() {
    let (mut window, chat) = Window::with_chat("friends");
    let leave = |window: &mut Window| {
        window.click("Menu");
        window.click("Leave the chat");
        // The founder is asked.
        window.click("Leave the chat");
    };
    leave(&mut window);
    assert!(window.shows("You left friends."));
    window.pass(secs(5));
    assert!(!window.node.was_sent(&ChatCommand::LeaveChat.to(chat)));
    window.click("Undo");
    assert_eq!(window.title(), "friends — Throng");
    window.pass(secs(10));
    assert!(!window.node.was_sent(&ChatCommand::LeaveChat.to(chat)));

    leave(&mut window);
    window.pass(secs(7));
    assert!(window.node.was_sent(&ChatCommand::LeaveChat.to(chat)));
    assert!(window.has("Create a chat"), "no chat is left");
}

#[test]
fn the_topic_is_changed_in_the_header() {
    let (mut window, chat) = Window::with_chat("friends");
    window.click("Topic: Add a topic");
    window.fill("Topic", "The boat on Saturday");
    window.press(Modifiers::NONE, Key::Enter);
    let topic = "The boat on Saturday".to_owned();
    assert!(
        window
            .node
            .was_sent(&ChatCommand::SetTopic { topic, locked: None }.to(chat))
    );
    window.control("Topic: The boat on Saturday");
    assert!(window.shows("You changed the topic"));
}

#[test]
fn a_topic_is_shown_set_and_cleared_by_typing_and_never_by_mistake() {
    let (mut window, chat) = Window::with_chat("friends");
    let type_line = |window: &mut Window, line: &str| {
        window.fill("Message", line);
        window.press(Modifiers::NONE, Key::Enter);
    };
    let set = |topic: &str| Command::Chat {
        chat,
        command: ChatCommand::SetTopic {
            topic: topic.to_owned(),
            locked: None,
        },
    };
    type_line(&mut window, "/topic");
    assert!(window.shows("This chat has no topic."));
    type_line(&mut window, "/topic The boat");
    assert!(window.node.was_sent(&set("The boat")));
    type_line(&mut window, "/topic ");
    assert!(window.shows("The topic is: The boat."));
    assert!(!window.node.was_sent(&set("")));
    type_line(&mut window, "/topic -delete");
    assert!(window.node.was_sent(&set("")));
    window.control("Topic: Add a topic");

    for (typed, said) in [("// TODO: sails", "// TODO: sails"), ("/say /topic", "/topic")] {
        type_line(&mut window, typed);
        let say = ChatCommand::Say {
            text: said.to_owned(),
        }
        .to(chat);
        assert!(window.node.was_sent(&say), "{typed}");
    }
}

/// From where to where the messages have room.
fn messages_room(window: &Window) -> egui::Rangef {
    window.control("Messages").rect().y_range()
}

#[test]
fn the_composer_is_as_high_as_what_stands_in_it() {
    let (mut window, _) = Window::with_chat("friends");
    window.control("Message").focus();
    window.harness.run();
    let empty = messages_room(&window);
    for typed in [
        "one\ntwo\nthree",
        "1\n2\n3\n4\n5\n6\n7\n8",
        "/nothing of the kind",
    ] {
        window.harness.event(egui::Event::Paste(typed.to_owned()));
        window.press(Modifiers::NONE, Key::Enter);
        window.press(Modifiers::COMMAND, Key::A);
        window.press(Modifiers::NONE, Key::Backspace);
        assert_eq!(messages_room(&window), empty, "after {typed:?}");
    }
    window.harness.event(egui::Event::Paste("one\ntwo".to_owned()));
    // In one frame: nothing is painted at a wrong place.
    window.harness.step();
    let two_lines = messages_room(&window);
    assert!(two_lines.max < empty.max);
    window.harness.run();
    assert_eq!(messages_room(&window), two_lines);
    // Another chat has a composer of its own.
    window.add_chat(2, "garden");
    window.go_to("garden");
    assert_eq!(messages_room(&window), empty);
}

#[test]
fn a_banner_takes_no_more_room_than_it_needs() {
    let mut window = Window::open_as(Setting {
        size: [420.0, 700.0],
        ..Setting::default()
    });
    let founded = |number, name| opened(number, name, ChatKind::Private, "Robin", Role::Founder);
    window.node.report(founded(1, "alone"));
    window.harness.run();
    window.go_to("alone");
    let short = messages_room(&window);
    // Of a chat whose members can't be reached the banner is higher.
    let chat = window.add_chat(2, "friends");
    window.node.report(
        ChatEvent::PeerLost {
            client_id: ClientId([1; 32]),
            member: member(1),
        }
        .of(chat),
    );
    window.harness.run();
    window.pass(secs(60));
    window.go_to("friends");
    assert!(window.shows("Nobody can be reached."));
    assert!(messages_room(&window).min > short.min);
    window.go_to("alone");
    assert_eq!(messages_room(&window), short);
}

#[test]
fn members_come_and_go_and_have_cards() {
    let (mut window, chat) = Window::with_chat("friends");
    let (who, nick, role, status) = (member(7), "Cleo".to_owned(), Role::Member, Status::Online);
    window.node.report(
        ChatEvent::MemberJoined {
            member: who,
            nick,
            role,
            status,
        }
        .of(chat),
    );
    window.harness.run();
    assert!(window.shows("Cleo joined"));
    window.click("Cleo, online");
    assert!(window.has("Fingerprint"));
    window.click("Mention");
    assert_eq!(window.control("Message").value().as_deref(), Some("Cleo: "));
    window.node.report(
        ChatEvent::MemberLeft {
            member: who,
            nick: "Cleo".to_owned(),
            why: LeftWhy::Quit,
        }
        .of(chat),
    );
    window.harness.run();
    assert!(window.has("Cleo, offline"));
}

#[test]
fn what_could_not_be_sent_comes_back() {
    let (mut window, _) = Window::with_chat("friends");
    *window.node.refuse.borrow_mut() = Some((Code::TooLong, "This message is too long.".to_owned()));
    window.fill("Message", "a long story");
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.shows("This message is too long."));
    assert_eq!(window.control("Message").value().as_deref(), Some("a long story"));
}

#[test]
fn away_after_idling_and_back_on_input() {
    let (mut window, chat) = Window::with_chat("friends");
    window.pass(secs(9 * 60));
    let away = ChatCommand::SetStatus { status: Status::Away }.to(chat);
    assert!(!window.node.was_sent(&away));
    window.pass(secs(2 * 60));
    assert!(window.node.was_sent(&away));
    window.press(Modifiers::NONE, Key::Space);
    assert!(
        window.node.was_sent(
            &ChatCommand::SetStatus {
                status: Status::Online
            }
            .to(chat)
        )
    );
}

#[test]
fn connections_in_words_change_with_time_alone() {
    let (mut window, chat) = Window::with_chat("friends");
    window.control("Connection: Linked to 1 member");
    window.node.report(
        ChatEvent::PeerLost {
            client_id: ClientId([1; 32]),
            member: member(1),
        }
        .of(chat),
    );
    window.harness.run();
    window.control("Connection: Looking for members…");
    window.pass(secs(21));
    window.click("Connection: Nobody reachable: what to do");
    window.click("Done");
    window.click("Try again");
    assert!(window.node.was_sent(&ChatCommand::Retry.to(chat)));
    window.control("Connection: Looking for members…");
}

#[test]
fn a_classic_chat_connects_and_admits() {
    let mut window = Window::open();
    window.click("Create a chat");
    window.fill("Name", "ring");
    window.click("Classic");
    window.click("Create");
    window.click("Connect…");
    window.fill("The peer's client_id", "not hex");
    window.fill("The peer's address", "127.0.0.1:9");
    window.click("Connect");
    assert!(window.shows("64 hex digits."));
    let client_id = ClientId([0xAB; 32]);
    window.fill("The peer's client_id", &client_id.to_string());
    window.click("Connect");
    let address = "127.0.0.1:9".parse().expect("an address");
    assert!(
        window
            .node
            .was_sent(&ChatCommand::Connect { client_id, address }.to(chat_id(101)))
    );
}

#[test]
fn settings_take_effect_at_once_and_are_kept() {
    let (mut window, _) = Window::with_chat("friends");
    window.press(Modifiers::COMMAND, Key::Comma);
    window.click("Light");
    assert_eq!(window.harness.ctx.theme(), egui::Theme::Light);
    window.click("Compact rows");
    window.pass(secs(1));
    let kept = window
        .node
        .take_sent()
        .into_iter()
        .rev()
        .find_map(|command| match command {
            Command::SaveSettings { settings } => Some(settings),
            _ => None,
        });
    assert!(kept.is_some_and(|kept| kept.compact && kept.theme == Theme::Light));
}

#[test]
fn nothing_is_lost_while_the_backend_has_no_room() {
    let (mut window, chat) = Window::with_chat("friends");
    window.node.full.set(true);
    window.fill("Message", "patience");
    window.harness.key_press(Key::Enter);
    window.harness.run_steps(3);
    window.node.full.set(false);
    window.clock.pass(secs(1));
    window.harness.run_steps(3);
    assert!(
        window.node.was_sent(
            &ChatCommand::Say {
                text: "patience".to_owned()
            }
            .to(chat)
        )
    );
}

#[test]
fn an_idle_window_asks_for_no_frame() {
    let (window, _) = Window::with_chat("friends");
    let viewport = &window.harness.output().viewport_output[&egui::ViewportId::ROOT];
    // The one thing that time alone brings is being away.
    assert!(viewport.repaint_delay > secs(60), "{:?}", viewport.repaint_delay);
}

#[test]
fn a_narrow_window_has_everything_within_reach() {
    let mut window = Window::open_as(Setting {
        size: [420.0, 640.0],
        ..Setting::default()
    });
    window.add_chat(1, "friends");
    window.go_to("friends");
    assert!(!window.has("Ann, online"));
    window.click("Members, 3");
    window.control("Ann, online");
    window.click("Members, 3");
    window.control("Message");
    window.click("Chats");
    window.click("Menu");
    window.control("Settings…");
}

#[test]
fn the_list_of_shortcuts_shows_every_command() {
    let mut window = Window::open();
    window.press(Modifiers::NONE, Key::F1);
    for entry in throng::ui::commands::TABLE
        .iter()
        .filter(|entry| !entry.shortcuts.is_empty())
    {
        if !matches!(entry.command, throng::ui::commands::UiCommand::SelectTab(_)) {
            assert!(window.has(entry.name.trim_end_matches('…')), "{}", entry.name);
        }
    }
}
