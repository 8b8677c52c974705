//! Leaving a chat, in every way, and staying after all.

use std::time::Duration;

use egui::{Key, Modifiers};
use throng::id::ChatId;
use throng::model::{ChatCommand, ChatEvent, ChatKind, Code, Command, Role, Workspace};

use crate::stage::*;

const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// Longer than leaving can be undone.
const LATE: Duration = Duration::from_secs(7);

/// A window with "boat" in front and "garden" behind it, in which we are members like others.
fn two_chats() -> (Window, ChatId) {
    let mut window = Window::open();
    for (number, name) in [(1, "boat"), (2, "garden")] {
        window
            .node
            .report(opened(number, name, ChatKind::Private, "Robin", Role::Member));
        window.harness.run();
        window.go_to(name);
    }
    window.go_to("boat");
    (window, chat_id(1))
}

fn has_left(window: &Window, chat: ChatId) -> bool {
    window.node.was_sent(&ChatCommand::LeaveChat.to(chat))
}

/// Whether a chat stands in the list and has a tab.
fn stands(window: &Window, name: &str) -> bool {
    window.shows(&format!("{name}. ")) && window.has(name)
}

fn type_command(window: &mut Window, command: &str) {
    window.fill("Message", command);
    window.press(Modifiers::NONE, Key::Enter);
}

fn workspace(window: &Window) -> Workspace {
    let sent = window.node.sent.borrow();
    let kept = sent.iter().rev().find_map(|command| match command {
        Command::SaveWorkspace { workspace } => Some(workspace.clone()),
        _ => None,
    });
    kept.expect("a workspace was kept")
}

#[test]
fn in_whatever_way_a_chat_is_opened_again_it_is_not_left() {
    type Way = (&'static str, fn(&mut Window));
    let ways: [Way; 4] = [
        ("Undo", |window| window.click("Undo")),
        ("the closed tab", |window| window.press(CTRL_SHIFT, Key::T)),
        ("the menu", |window| {
            window.press(Modifiers::COMMAND, Key::K);
            window.harness.event(egui::Event::Text("closed tab".to_owned()));
            window.harness.run();
            window.press(Modifiers::NONE, Key::Enter);
        }),
        ("an invite to it", |window| {
            window
                .node
                .report(opened(1, "boat", ChatKind::Private, "Robin", Role::Member));
            window.harness.run();
            window.press(CTRL_SHIFT, Key::T);
        }),
    ];
    for (way, come_back) in ways {
        let (mut window, boat) = two_chats();
        type_command(&mut window, "/leave");
        assert!(!stands(&window, "boat"), "{way}");
        come_back(&mut window);
        assert!(stands(&window, "boat"), "{way}");
        assert_eq!(window.title(), "boat — Throng", "{way}");
        assert!(!window.has("Undo"), "{way}: there is nothing left to undo");
        window.pass(LATE);
        assert!(!has_left(&window, boat), "{way}");
        // And it can be left after that.
        type_command(&mut window, "/leave");
        window.pass(LATE);
        assert!(has_left(&window, boat), "{way}");
    }
}

#[test]
fn what_is_left_for_good_is_not_opened_again() {
    let (mut window, boat) = two_chats();
    window.node.hold_answers.set(true);
    type_command(&mut window, "/leave");
    window.pass(LATE);
    assert!(has_left(&window, boat));
    window.press(CTRL_SHIFT, Key::T);
    assert_eq!(window.title(), "garden — Throng");
    window.node.release_answers();
    window.harness.run();
    window.press(CTRL_SHIFT, Key::T);
    assert_eq!(window.title(), "garden — Throng");
}

#[test]
fn a_chat_that_could_not_be_left_is_shown_again() {
    let (mut window, _) = two_chats();
    *window.node.refuse.borrow_mut() = Some((Code::Busy, "Try again in a moment.".to_owned()));
    type_command(&mut window, "/leave");
    window.pass(LATE);
    window.harness.run();
    assert!(window.shows("boat. "));
    assert!(window.shows("Try again in a moment."));
}

#[test]
fn closing_the_window_while_it_can_be_undone_undoes_it() {
    let (mut window, boat) = two_chats();
    type_command(&mut window, "/leave");
    assert_eq!(workspace(&window).tabs, [chat_id(2)]);
    window
        .harness
        .state()
        .borrow_mut()
        .as_mut()
        .expect("the app")
        .close();
    assert!(!has_left(&window, boat));
    let kept = workspace(&window);
    assert_eq!(kept.tabs, [chat_id(2), boat]);
    assert_eq!(kept.selected, Some(chat_id(2)));
}

#[test]
fn a_founder_is_asked_before_the_key_is_gone() {
    let (mut window, chat) = Window::with_chat("friends");
    type_command(&mut window, "/leave");
    assert!(window.shows("You are the founder of friends."));
    window.click("Stay");
    window.pass(LATE);
    assert!(!has_left(&window, chat));

    type_command(&mut window, "/leave");
    window.click("Back up first…");
    assert!(window.has("Passphrase of this backup"));
    window.press(Modifiers::NONE, Key::Escape);
    assert!(window.shows("You are the founder of friends."), "it asks still");
    window.click("Leave the chat");
    assert!(window.shows("You left friends."));
    window.pass(LATE);
    assert!(has_left(&window, chat));
}

#[test]
fn words_that_nobody_has_got_are_asked_about() {
    let (mut window, boat) = two_chats();
    type_command(&mut window, "is anybody there?");
    type_command(&mut window, "/leave");
    assert!(window.shows("1 message of yours has not gone out yet."));
    assert!(!window.shows("You are the founder"));
    window.click("Leave the chat");
    window.pass(LATE);
    assert!(has_left(&window, boat));
    // Where more was lost than the window knew of, that is said.
    let (mut window, boat) = two_chats();
    window.node.report(ChatEvent::ChatClosed { unsent: 3 }.of(boat));
    window.harness.run();
    assert!(window.shows("3 messages of yours had not gone out."));
}
