//! Tabs and drafts: walked, moved, dragged, closed, and there again after a restart.

use std::time::Duration;

use egui::{Key, Modifiers};
use throng::model::*;

use crate::stage::*;

const ALT_SHIFT: Modifiers = Modifiers::ALT.plus(Modifiers::SHIFT);
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

#[test]
fn tabs_are_walked_moved_closed_and_opened_again() {
    let (mut window, first) = Window::with_chat("one");
    for (number, name) in [(2, "two"), (3, "three")] {
        window.add_chat(number, name);
        window.go_to(name);
    }
    assert_eq!(window.title(), "three — Throng");
    window.press(Modifiers::COMMAND, Key::Tab);
    assert_eq!(window.title(), "one — Throng");
    window.press(CTRL_SHIFT, Key::Tab);
    assert_eq!(window.title(), "three — Throng");
    window.press(Modifiers::ALT, Key::Num2);
    assert_eq!(window.title(), "two — Throng");
    window.press(ALT_SHIFT, Key::ArrowRight);
    window.press(Modifiers::COMMAND, Key::Num3);
    assert_eq!(window.title(), "two — Throng");
    window.press(Modifiers::COMMAND, Key::W);
    assert_eq!(window.title(), "three — Throng");
    window.press(CTRL_SHIFT, Key::T);
    assert_eq!(window.title(), "two — Throng");
    let kept = window
        .node
        .take_sent()
        .into_iter()
        .rev()
        .find_map(|command| match command {
            Command::SaveWorkspace { workspace } => Some(workspace),
            _ => None,
        });
    let wanted = Workspace {
        tabs: vec![first, chat_id(3), chat_id(2)],
        selected: Some(chat_id(2)),
    };
    assert_eq!(kept, Some(wanted));
}

#[test]
fn tabs_are_dragged_and_closed_by_the_middle_button() {
    let (mut window, _) = Window::with_chat("one");
    for (number, name) in [(2, "two"), (3, "three")] {
        window.add_chat(number, name);
        window.go_to(name);
    }
    let (from, to) = (tab(&window, "three"), tab(&window, "one").left_center());
    window.harness.drag_at(from.center());
    window.harness.run();
    window.harness.hover_at(to);
    window.harness.run();
    window.harness.drop_at(to);
    window.harness.run();
    assert!(tab(&window, "three").left() < tab(&window, "one").left());
    let at = tab(&window, "one").center();
    window.harness.hover_at(at);
    for pressed in [true, false] {
        let (button, modifiers) = (egui::PointerButton::Middle, Modifiers::NONE);
        window.harness.event(egui::Event::PointerButton {
            pos: at,
            button,
            pressed,
            modifiers,
        });
    }
    window.harness.run();
    let open = Workspace {
        tabs: vec![chat_id(3), chat_id(2)],
        selected: Some(chat_id(3)),
    };
    assert!(window.node.was_sent(&Command::SaveWorkspace { workspace: open }));
}

/// Where a tab is.
fn tab(window: &Window, name: &str) -> egui::Rect {
    use egui_kittest::kittest::Queryable as _;
    window
        .harness
        .get_by_role_and_label(egui::accesskit::Role::Tab, name)
        .rect()
}

#[test]
fn drafts_are_kept_after_a_pause_and_when_the_window_closes() {
    let (mut window, chat) = Window::with_chat("friends");
    window.node.take_sent();
    window.fill("Message", "to be continued");
    let wanted = ChatCommand::SaveDraft {
        text: "to be continued".to_owned(),
    }
    .to(chat);
    assert!(!window.node.was_sent(&wanted));
    window.pass(Duration::from_secs(2));
    assert!(window.node.was_sent(&wanted));
    window.fill("Message", "and more");
    window
        .harness
        .state()
        .borrow_mut()
        .as_mut()
        .expect("made")
        .close();
    assert!(
        window.node.was_sent(
            &ChatCommand::SaveDraft {
                text: "and more".to_owned()
            }
            .to(chat)
        )
    );
}

#[test]
fn a_restart_brings_back_tabs_and_drafts() {
    let node = Played::default();
    *node.settings.borrow_mut() = Settings {
        nick: "Robin".to_owned(),
        ..Settings::default()
    };
    *node.workspace.borrow_mut() = Workspace {
        tabs: vec![chat_id(2), chat_id(1)],
        selected: Some(chat_id(1)),
    };
    *node.open_chats.borrow_mut() = vec![OpenChat {
        chat: chat_id(1),
        draft: "unfinished".to_owned(),
        read: None,
        unread: 0,
    }];
    let mut window = Window::before(node, Setting::default());
    window.add_chat(1, "one");
    window.add_chat(2, "two");
    window.add_chat(3, "three");
    assert_eq!(window.title(), "one — Throng");
    assert_eq!(window.control("Message").value().as_deref(), Some("unfinished"));
    assert!(
        window.has("three. Only you are here") || window.shows("three."),
        "listed without a tab"
    );
}
