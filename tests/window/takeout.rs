//! Exports, backups and the passphrase in the window, by the names of its controls, before a played node; and pictures of them.

use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::SnapshotResults;
use throng::model::*;
use throng::ui::files::{FileKind, FileRequest};

use crate::stage::*;

const WORDS: &str = "lamp river oak tin window seven";

/// Chooses from the menu, which scrolls where it is low; where it is narrow it is with the list of chats.
fn choose(window: &mut Window, entry: &str) {
    if !window.has("Menu") {
        window.click("Chats");
    }
    window.click("Menu");
    window.control(entry).scroll_to_me();
    window.harness.run();
    window.click(entry);
}

fn failed(code: Code, command: &str, message: &str) -> Event {
    Event::Error {
        chat: None,
        command: command.to_owned(),
        code,
        message: message.to_owned(),
    }
}

#[test]
fn a_chat_is_exported_with_its_progress_and_where_it_went() {
    let (mut window, chat) = Window::with_chat("friends");
    window.harness.event(egui::Event::Text("/export".to_owned()));
    window.press(Modifiers::NONE, Key::Enter);
    window.click("Text");
    window.files.will_choose("/home/robin/friends.txt");
    window.node.take_sent();
    window.click("Choose where to save it…");
    assert_eq!(
        window.files.requests.borrow()[..],
        [FileRequest::ChooseTarget {
            kind: FileKind::Chat(ExportFormat::Text),
            file_name: "friends.txt".to_owned()
        }]
    );
    let path = std::path::PathBuf::from("/home/robin/friends.txt");
    let export = ChatCommand::Export {
        path: path.clone(),
        format: ExportFormat::Text,
    }
    .to(chat);
    assert!(window.node.was_sent(&export));
    let progress = |messages| Event::Chat {
        chat,
        event: ChatEvent::ExportProgress { messages, of: 4_000 },
    };
    window.node.report(progress(1_000));
    window.harness.run();
    assert!(window.shows("1000 of 4000 messages"));
    window.click("Cancel");
    assert!(window.node.was_sent(&ChatCommand::CancelExport.to(chat)));
    window.node.answer_last(failed(
        Code::Cancelled,
        "export",
        "The export was cancelled; nothing was written.",
    ));
    window.harness.run();
    assert!(window.shows("nothing was written") && !window.shows("of 4000"));

    // Once more, with the dialog closed in the middle: it is told all the same.
    window.fill("Or type where to save it", "/no/such/folder/friends.txt");
    window.click("Save");
    window.node.report(progress(2_000));
    window.harness.run();
    window.click("Done");
    window.node.answer_last(
        ChatEvent::Exported {
            path,
            messages: 3_999,
        }
        .of(chat),
    );
    window.harness.run();
    assert!(window.shows("Saved 3999 messages in /home/robin/friends.txt."));
}

#[test]
fn a_typed_path_loses_no_file() {
    let (mut window, _) = Window::with_chat("friends");
    let folder = tempfile::tempdir().expect("a folder");
    let there = folder.path().join("there.html");
    std::fs::write(&there, "kept").expect("written");
    window.harness.event(egui::Event::Text("/export".to_owned()));
    window.press(Modifiers::NONE, Key::Enter);
    window.node.take_sent();
    window.fill("Or type where to save it", &there.display().to_string());
    window.click("Save");
    assert!(window.shows("already. Type another name."));
    assert!(!window.node.take_sent().iter().any(|command| matches!(
        command,
        Command::Chat {
            command: ChatCommand::Export { .. },
            ..
        }
    )));
}

#[test]
fn a_backup_needs_its_passphrase_twice() {
    let (mut window, _) = Window::with_chat("friends");
    choose(&mut window, "Back up…");
    window.fill("Where to save it", "/no/such/folder/mine.backup");
    window.fill("Passphrase of this backup", "hello");
    assert!(window.shows("Weak: a computer guesses this."));
    window.fill("Passphrase of this backup", WORDS);
    assert!(window.shows("Long enough"));
    window.fill("The same again", "lamp");
    assert!(window.shows("not the same yet"));
    window.node.take_sent();
    window.click("Back up");
    assert!(window.node.take_sent().is_empty(), "the two differ");
    window.fill("The same again", WORDS);
    window.click("Back up");
    let backup = Command::Backup {
        path: "/no/such/folder/mine.backup".into(),
        passphrase: WORDS.into(),
    };
    assert!(window.node.was_sent(&backup));
    window.node.answer_last(Event::BackedUp {
        path: "/no/such/folder/mine.backup".into(),
    });
    window.harness.run();
    assert!(window.shows("The backup is in /no/such/folder/mine.backup."));
}

#[test]
fn a_first_start_can_restore_a_backup() {
    let mut window = Window::open_as(Setting {
        nick: "",
        ..Setting::default()
    });
    window.click("Restore a backup…");
    window.files.will_choose("/home/robin/mine.backup");
    window.click("Choose file…");
    window.fill("Its passphrase", "wrong");
    window.click("Restore");
    let restore = |passphrase: &str| Command::Restore {
        path: "/home/robin/mine.backup".into(),
        passphrase: passphrase.into(),
    };
    assert!(window.node.was_sent(&restore("wrong")));
    window.node.answer_last(failed(
        Code::WrongPassphrase,
        "restore",
        "The backup was sealed with another passphrase. Nothing was changed; try again.",
    ));
    window.harness.run();
    assert!(window.shows("sealed with another passphrase"));
    window.fill("Its passphrase", WORDS);
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.node.was_sent(&restore(WORDS)));
    window.node.settings.borrow_mut().nick = "Robin".to_owned();
    window.node.answer_last(Event::Restored {
        path: "/home/robin/mine.backup".into(),
        chats: 1,
        passphrase: false,
    });
    window.harness.run();
    window.add_chat(1, "friends");
    window.go_to("friends");
    assert!(window.title().contains("friends"), "{}", window.title());
}

#[test]
fn a_locked_profile_asks_until_the_passphrase_is_right() {
    let mut window = Window::open();
    window.node.report(Event::PassphraseNeeded { wrong: false });
    window.harness.run();
    assert!(window.shows("This profile is locked"));
    window.fill("Passphrase", "wrong");
    window.press(Modifiers::NONE, Key::Enter);
    let unlock = |passphrase: &str| Command::Unlock {
        passphrase: passphrase.into(),
    };
    assert!(window.node.was_sent(&unlock("wrong")));
    assert!(window.shows("Opening…"));
    window.node.report(Event::PassphraseNeeded { wrong: true });
    window.harness.run();
    assert!(window.shows("That is not the passphrase."));
    window.fill("Passphrase", WORDS);
    window.click("Unlock");
    assert!(window.node.was_sent(&unlock(WORDS)));
    window.node.report(Event::Unlocked);
    window.harness.run();
    // The settings have come.
    window.harness.run();
    assert!(window.shows("Hello, Robin"));
}

#[test]
fn a_passphrase_is_set_changed_and_removed() {
    let (mut window, _) = Window::with_chat("friends");
    let open = |window: &mut Window| {
        choose(window, "Passphrase…");
    };
    open(&mut window);
    assert!(
        window.shows("Not sealed: what was said"),
        "what is not sealed is said"
    );
    window.fill("Passphrase", WORDS);
    window.fill("The same again", WORDS);
    window.click("Set passphrase");
    let set = |old: &str, new: &str| Command::SetPassphrase {
        old: old.into(),
        new: new.into(),
    };
    assert!(window.node.was_sent(&set("", WORDS)));
    window.node.answer_last(Event::PassphraseChanged { set: true });
    window.harness.run();
    assert!(window.shows("The keys are sealed."));
    window.fill("The passphrase now", "wrong");
    window.click("Remove it");
    assert!(window.node.was_sent(&set("wrong", "")));
    window.node.answer_last(failed(
        Code::WrongPassphrase,
        "set_passphrase",
        "This is not the passphrase of this profile. Nothing was changed.",
    ));
    window.harness.run();
    assert!(window.shows("not the passphrase of this profile"));
    window.fill("The passphrase now", WORDS);
    window.click("Remove it");
    window.node.answer_last(Event::PassphraseChanged { set: false });
    window.harness.run();
    assert!(window.shows("The passphrase is removed"));
}

/// Takes a picture of one thing in each shape that a window can have.
fn pictures(results: &mut SnapshotResults, name: &str, nick: &'static str, step: impl Fn(&mut Window)) {
    if !can_draw() {
        return;
    }
    for (shape, size, pixels_per_point, theme) in [
        ("wide", [1080.0, 720.0], 1.0, Theme::Dark),
        ("narrow-2x", [420.0, 900.0], 2.0, Theme::Light),
    ] {
        let mut window = Window::open_as(Setting {
            size,
            pixels_per_point,
            theme,
            nick,
            pictures: true,
        });
        step(&mut window);
        window.harness.remove_cursor();
        window.harness.run();
        let _turn = turn_to_draw();
        window.harness.snapshot(format!("takeout-{name}-{shape}"));
        results.extend_harness(&mut window.harness);
    }
}

fn in_chat(window: &mut Window, command: &str) -> throng::id::ChatId {
    let chat = window.add_chat(1, "Allotment friends");
    window.go_to("Allotment");
    for (number, text) in (1..).zip(["The water is back.", "Bring the long hose."]) {
        window.hear(chat, 1, "Ann", number, text);
    }
    if !command.is_empty() {
        window.press(Modifiers::COMMAND, Key::K);
        window.press(Modifiers::NONE, Key::Escape);
        window.harness.event(egui::Event::Text(command.to_owned()));
        window.press(Modifiers::NONE, Key::Enter);
    }
    chat
}

#[test]
fn picture_export() {
    let mut results = SnapshotResults::new();
    pictures(&mut results, "export", "Robin", |window| {
        let chat = in_chat(window, "/export");
        window.fill("Or type where to save it", "/no/such/folder/friends.html");
        window.click("Save");
        window.node.report(
            ChatEvent::ExportProgress {
                messages: 62_000,
                of: 100_000,
            }
            .of(chat),
        );
    });
    pictures(&mut results, "exported", "Robin", |window| {
        let chat = in_chat(window, "/export");
        window
            .files
            .will_choose("/home/robin/Documents/Allotment friends.html");
        window.click("Choose where to save it…");
        window.node.answer_last(
            ChatEvent::Exported {
                path: "/home/robin/Documents/Allotment friends.html".into(),
                messages: 100_000,
            }
            .of(chat),
        );
    });
}

#[test]
fn picture_backup() {
    let mut results = SnapshotResults::new();
    pictures(&mut results, "backup", "Robin", |window| {
        in_chat(window, "");
        choose(window, "Back up…");
        window.fill("Passphrase of this backup", "lamp river oak tin");
        window.fill("The same again", "lamp");
    });
    pictures(&mut results, "restore", "", |window| {
        window.click("Restore a backup…");
        window.files.will_choose("/home/robin/Throng 2026-11-25.backup");
        window.click("Choose file…");
        window.fill("Its passphrase", "lamp river oak");
        window.click("Restore");
        let sentence = "The end of the backup /home/robin/Throng 2026-11-25.backup is missing. Copy it again from where it \
                        was saved; nothing was changed.";
        window
            .node
            .answer_last(failed(Code::Damaged, "restore", sentence));
    });
}

#[test]
fn picture_passphrase() {
    let mut results = SnapshotResults::new();
    pictures(&mut results, "passphrase", "Robin", |window| {
        in_chat(window, "");
        choose(window, "Passphrase…");
        window.fill("Passphrase", "hello");
    });
    pictures(&mut results, "passphrase-set", "Robin", |window| {
        in_chat(window, "");
        window.node.report(Event::PassphraseChanged { set: true });
        choose(window, "Passphrase…");
    });
    pictures(&mut results, "locked", "Robin", |window| {
        window.node.report(Event::PassphraseNeeded { wrong: true });
        window.harness.run();
        window.fill("Passphrase", "lamp river");
    });
}

#[test]
fn that_the_profile_was_rebuilt_stands_until_it_is_dismissed() {
    let (mut window, _) = Window::with_chat("friends");
    let message = "The profile was damaged and was rebuilt from what could be read of it.";
    window.node.report(Event::Rebuilt {
        path: "/home/robin/throng.db.damaged-2026-11-25".into(),
        chats: 1,
        lost_chats: 0,
        messages: 3,
        message: message.to_owned(),
    });
    window.harness.run();
    window.pass(Duration::from_secs(3600));
    assert!(window.shows(message));
    window.click("Dismiss");
    assert!(!window.shows(message));
}
