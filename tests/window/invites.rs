//! Invites, doors and public chats in the window, by the names of its controls, before a played node.

use std::time::Duration;

use egui::{Key, Modifiers};
use throng::id::{ChatId, InviteId};
use throng::model::*;
use throng::runtime::InviteSource;
use throng::ui::files::FileRequest;

use crate::stage::*;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A window so high that nothing in a dialog has to be scrolled to.
fn tall() -> Window {
    Window::open_as(Setting {
        size: [1080.0, 1400.0],
        ..Setting::default()
    })
}

/// A private chat that we founded, in front.
fn friends() -> (Window, ChatId) {
    let mut window = tall();
    let chat = window.add_chat(1, "friends");
    window.go_to("friends");
    (window, chat)
}

/// A public chat in which we are this, in front.
fn public(role: Role, door: Door) -> (Window, ChatId) {
    let mut window = tall();
    let chat = open_public(&mut window, role, door);
    (window, chat)
}

fn sent_exports(window: &Window) -> Vec<Command> {
    let sent = window.node.take_sent().into_iter();
    sent.filter(|command| {
        matches!(
            command,
            Command::Chat {
                command: ChatCommand::ExportInvite { .. },
                ..
            }
        )
    })
    .collect()
}

#[test]
fn a_public_chat_is_created_with_its_door() {
    let mut window = tall();
    window.click("Create a chat");
    window.fill("Name", "town square");
    assert!(!window.has("By approval"), "a private chat has no door");
    window.click("Public");
    assert!(window.shows("they don't hold"), "what public means is said");
    window.click("Open, with work");
    window.click("Heavy: 1 minute");
    assert!(window.shows("On an ordinary computer"));
    window.click("Create");
    let door = Door {
        mode: DoorMode::Work,
        work_bits: 29,
        ..Door::OPEN
    };
    assert!(window.node.was_sent(&Command::CreateChat {
        name: "town square".to_owned(),
        kind: ChatKind::Public,
        nick: "Robin".to_owned(),
        door: Some(door)
    }));
}

#[test]
fn a_chat_that_is_not_public_is_created_without_a_door() {
    let mut window = tall();
    window.click("Create a chat");
    window.fill("Name", "friends");
    window.click("Public");
    window.click("Closed");
    window.click("Private");
    window.press(Modifiers::NONE, Key::Enter);
    let sent = window.node.take_sent();
    assert!(sent.iter().any(|command| matches!(
        command,
        Command::CreateChat {
            kind: ChatKind::Private,
            door: None,
            ..
        }
    )));
}

#[test]
fn the_link_of_a_public_chat_is_shown_at_once_with_its_picture() {
    let (mut window, chat) = public(Role::Member, Door::OPEN);
    window.node.take_sent();
    window.click("Export invite…");
    let wanted = ChatCommand::ExportInvite {
        path: None,
        uses: None,
        expires_in: None,
        rights: Rights::Member,
    }
    .to(chat);
    assert_eq!(sent_exports(&window), [wanted]);
    let link = window.control("The chat's link").value();
    assert_eq!(link.as_deref(), Some("throng:YW4gaW52aXRl"));
    assert!(window.has("The link as a QR code"));
    assert!(window.shows("It names network addresses"));
    window.click("Copy link");
    assert!(window.shows("Copied the chat's link."));
    assert_eq!(sent_exports(&window), [], "one link for all ways");
    assert!(
        !window.has("An invite past the door"),
        "the founder alone makes those"
    );
}

#[test]
fn the_picture_is_saved_by_the_dialog_or_by_a_typed_path() {
    let (mut window, _) = public(Role::Founder, Door::OPEN);
    window.click("Export invite…");
    let folder = tempfile::tempdir().expect("a folder");
    let (chosen, typed) = (folder.path().join("chosen.png"), folder.path().join("typed.png"));
    window.files.will_choose(&chosen);
    window.click("Save picture…");
    // The file is written when the next frame hears of its name.
    window.harness.run();
    assert!(window.shows("Saved as"));
    assert!(matches!(
        &window.files.requests.borrow()[0],
        FileRequest::ChooseTarget { file_name, .. } if file_name == "town square.png"
    ));
    let path = typed.display().to_string();
    window.fill("Or type where to save it", &path);
    window.click("Save");
    for path in [chosen, typed] {
        let picture = std::fs::read(path).expect("written");
        assert!(picture.starts_with(b"\x89PNG"));
    }
    let invite = folder.path().join("square.throng").display().to_string();
    window.fill("Or type where to save it", &invite);
    window.click("Save");
    let text = std::fs::read_to_string(invite).expect("written");
    assert!(text.contains("BEGIN THRONG INVITE"));
}

#[test]
fn the_founder_of_a_public_chat_makes_invites_past_the_door() {
    let (mut window, chat) = public(Role::Founder, Door::OPEN);
    window.click("Export invite…");
    window.node.take_sent();
    window.click("An invite past the door");
    assert!(!window.has("Any number"), "that is the link");
    window.click("Read only");
    window.click("QR picture");
    assert!(window.has("The link as a QR code"));
    let wanted = ChatCommand::ExportInvite {
        path: None,
        uses: Some(1),
        expires_in: Some(7 * 86_400),
        rights: Rights::Observer,
    }
    .to(chat);
    assert_eq!(sent_exports(&window), [wanted]);
    window.click("5 people");
    assert!(
        !window.has("The link as a QR code"),
        "other terms are another invite"
    );
}

#[test]
fn invites_are_listed_with_who_came_by_them() {
    let (mut window, chat) = friends();
    *window.node.invites.borrow_mut() = invites();
    window.click("Invites, and who came by them");
    assert!(window.node.was_sent(&ChatCommand::Invites.to(chat)));
    for shown in [
        "2 of 5 came in · expires in 3 days",
        "1 of 1 came in",
        "expired 2 days ago",
        "Lets in any number, 8 so far",
    ] {
        assert!(window.shows(shown), "{shown}");
    }
    for state in ["Open", "Used up", "Expired", "Closed"] {
        assert!(window.has(state), "{state}");
    }
    assert!(window.has("Eva") && window.has("not confirmed yet"));
    assert!(!window.has("Person 7"));
    window.click("and 4 more");
    assert!(window.has("Person 7"));
    assert!(
        window.shows("its secret is kept by nobody"),
        "why it can't be copied"
    );
    window.click("Show the link…");
    assert!(window.has("Copy link"));
}

#[test]
fn closing_an_invite_offers_a_new_one() {
    let (mut window, chat) = friends();
    *window.node.invites.borrow_mut() = invites();
    window.click("Invites, and who came by them");
    let invite = InviteId([2; 32]);
    let close = ChatCommand::CloseInvite { invite }.to(chat);
    // Its one user is confirmed, so nobody is put out.
    window.click("Close invite 2");
    assert!(window.node.was_sent(&close));
    assert!(!window.has("Close invite 2"), "it is closed in the list");
    window.click("New invite");
    assert!(window.has("Copy link"));
}

#[test]
fn closing_one_whose_users_are_not_confirmed_asks_first() {
    let (mut window, chat) = friends();
    *window.node.invites.borrow_mut() = invites();
    window.click("Invites, and who came by them");
    let invite = InviteId([3; 32]);
    let close = ChatCommand::CloseInvite { invite }.to(chat);
    window.click("Close invite 3");
    assert!(window.shows("Eva is not confirmed yet"));
    window.click("Keep it open");
    assert!(!window.node.was_sent(&close));
    window.click("Close invite 3");
    window.click("Close it all the same");
    assert!(window.node.was_sent(&close));
}

#[test]
fn a_refused_close_is_said_in_the_list() {
    let (mut window, _) = friends();
    *window.node.invites.borrow_mut() = invites();
    window.click("Invites, and who came by them");
    *window.node.refuse.borrow_mut() = Some((Code::NotAllowed, "You are no moderator any more.".to_owned()));
    window.click("Close invite 2");
    assert!(window.has("You are no moderator any more."));
    window.control("Close invite 2");
}

#[test]
fn no_invites_yet_leads_to_the_first() {
    let (mut window, _) = friends();
    window.click("Menu");
    window.click("Invites…");
    assert!(window.has("No invites yet"));
    // The header's button of that name is behind the dialog.
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.has("No invites yet"));
}

#[test]
fn who_may_not_see_invites_is_told_why() {
    let (mut window, chat) = public(Role::Member, Door::OPEN);
    assert!(!window.has("Invites, and who came by them"));
    window.click("Menu");
    window.click("Invites…");
    assert!(window.shows("Only moderators and the founder may do that."));
    assert!(!window.node.was_sent(&ChatCommand::Invites.to(chat)));
    window.click("Who may do what");
    assert!(window.has("See and close invites: Moderator: yes"));
}

#[test]
fn the_door_is_set_and_set_back() {
    let (mut window, chat) = public(Role::Moderator, Door::OPEN);
    window.click("Menu");
    window.click("Door…");
    assert!(window.has("Now: open."));
    window.click("By approval");
    window.click("Slow mode");
    window.click("Set the door");
    let door = Door {
        mode: DoorMode::Approval,
        rate: 6,
        ..Door::OPEN
    };
    assert!(window.node.was_sent(&ChatCommand::SetDoor { door }.to(chat)));
    assert!(!window.has("Set the door"), "the dialog is closed");
    assert!(window.shows("The door is set: by approval; slow mode, 6 messages a minute."));
    window.click("Undo");
    let before = ChatCommand::SetDoor { door: Door::OPEN }.to(chat);
    assert!(window.node.was_sent(&before));
}

#[test]
fn a_door_that_cannot_be_set_says_why() {
    let (mut window, _) = public(Role::Member, Door::OPEN);
    window.click("Menu");
    window.click("Door…");
    assert!(window.shows("Only moderators and the founder may do that."));
    window.press(Modifiers::NONE, Key::Escape);
    let mut window = friends().0;
    window.click("Menu");
    window.click("Door…");
    assert!(window.shows("Only public chats have a door."));

    let (mut window, _) = public(Role::Founder, Door::OPEN);
    window.click("Menu");
    window.click("Door…");
    window.click("Closed");
    *window.node.refuse.borrow_mut() = Some((Code::DiskFull, "The disk is full.".to_owned()));
    window.press(Modifiers::NONE, Key::Tab);
    window.click("Set the door");
    assert!(window.has("The disk is full."));
}

#[test]
fn the_table_says_who_may_do_what() {
    let mut window = tall();
    window.click("Menu");
    window.click("Who may do what");
    for shown in [
        "Read: Observer: yes",
        "Write: Observer: no",
        "Set the topic: Member: yes, unless the topic is locked",
        "Ban somebody: Moderator: yes, to those of a lower role",
        "Make a member a moderator: Moderator: no",
    ] {
        assert!(window.has(shown), "{shown}");
    }
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.has("Read: Observer: yes"));
}

#[test]
fn the_table_is_reached_from_the_log_and_the_help() {
    let (mut window, _) = friends();
    for command in ["Moderation log…", "Keyboard shortcuts"] {
        window.click("Menu");
        window.click(command);
        // At the end of what may be longer than the window.
        window.control("Who may do what").scroll_to_me();
        window.harness.run();
        window.click("Who may do what");
        assert!(window.has("Read: Observer: yes"), "{command}");
        window.press(Modifiers::NONE, Key::Escape);
    }
}

#[test]
fn work_at_the_door_shows_how_far_it_may_be() {
    let mut window = tall();
    let chat = asked_in(&mut window);
    let working = |tried| Event::Chat {
        chat,
        event: ChatEvent::Working { bits: 20, tried },
    };
    window.node.report(working(0));
    window.harness.run();
    assert!(window.has("Working to come in"));
    assert!(window.shows("Just begun."));
    assert!(window.shows("matter of luck"));
    window.clock.pass(secs(10));
    window.node.report(working(1 << 19));
    window.harness.run();
    assert!(window.shows("10 seconds so far. On this computer it takes about 20 seconds on average"));
    // However long it takes, it is never said to be done.
    window.clock.pass(secs(600));
    window.node.report(working(u64::MAX));
    window.harness.run();
    assert!(window.has("Working to come in"));
    window.click("Cancel and leave the chat");
    assert!(window.shows("You left night train."));
    window.click("Undo");
    window.node.report(ChatEvent::Joined.of(chat));
    window.harness.run();
    assert!(!window.has("Working to come in"));
}

#[test]
fn who_is_turned_away_has_a_way_on() {
    let mut window = tall();
    let chat = asked_in(&mut window);
    let turned_away = |code, message: &str| Event::Chat {
        chat,
        event: ChatEvent::JoinFailed {
            code,
            message: message.to_owned(),
        },
    };
    window
        .node
        .report(turned_away(Code::Closed, "Nobody new comes in now."));
    window.harness.run();
    assert!(window.has("The door is closed") && window.has("Nobody new comes in now."));
    window.click("Try again");
    assert!(window.node.was_sent(&ChatCommand::Retry.to(chat)));
    assert!(!window.has("The door is closed"));
    window
        .node
        .report(turned_away(Code::Expired, "It was good until yesterday."));
    window.harness.run();
    assert!(window.has("This invite has expired"));
    assert!(!window.has("Try again"), "that does not pass");
    window.click("Import another invite…");
    window.control("Or paste the invite's text or link");
}

#[test]
fn enter_imports_what_was_offered() {
    let mut window = tall();
    let offer = InviteSource::Text("throng:AQAB".to_owned());
    let app = window.harness.state().clone();
    app.borrow_mut().as_mut().expect("made").open_invite(offer);
    window.harness.run();
    window.press(Modifiers::NONE, Key::Enter);
    let wanted = Command::ImportInvite {
        path: None,
        text: Some("throng:AQAB".to_owned()),
        nick: "Robin".to_owned(),
    };
    assert!(window.node.was_sent(&wanted));
}

#[test]
fn enter_imports_from_each_field() {
    for (field, typed) in [
        ("Or paste the invite's text or link", "throng:AQAB"),
        ("Or type the file's path", "/tmp/friends.throng"),
    ] {
        let mut window = tall();
        window.press(Modifiers::COMMAND, Key::O);
        window.press(Modifiers::NONE, Key::Enter);
        window.control(field);
        window.fill(field, typed);
        window.press(Modifiers::NONE, Key::Enter);
        let sent = window.node.take_sent();
        assert!(
            sent.iter()
                .any(|command| matches!(command, Command::ImportInvite { .. })),
            "{field}"
        );
    }
}

#[test]
fn the_import_dialog_takes_a_paste_at_once() {
    let mut window = tall();
    window.press(Modifiers::COMMAND, Key::O);
    window.harness.event(egui::Event::Paste("throng:AQAB".to_owned()));
    window.harness.run();
    let text = window.control("Or paste the invite's text or link").value();
    assert_eq!(text.as_deref(), Some("throng:AQAB"));
}
