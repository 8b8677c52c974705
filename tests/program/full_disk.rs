//! A disk that takes nothing more, under the real program: it says so once, goes on, and keeps all when there is room.

#![cfg(target_os = "linux")]

use serde_json::{Value, json};

use crate::process::{Program, text};
use crate::scene::{create, folder, import_text, invite, members_until, online, say};

/// What the system lets a program write into one file, in bytes: less than the smallest database has, so nothing.
/// SQLite takes it for a disk that fails: how a disk without room is told apart is seen in `store::worker`.
const NO_ROOM: u64 = 4096;

#[test]
fn what_is_said_while_the_disk_takes_nothing_is_kept_once_it_does() {
    let folder = folder();
    let profile = folder.path().join("bob");
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let mut bob = Program::start_without_signal("bob", &profile, "XFSZ");
    let chat = create(&mut ann, "Friends", "ann");
    let link = text(&invite(&mut ann, &chat, &json!({})), "link");
    import_text(&mut bob, &link, "bob");
    bob.event("joined", &chat);
    for program in [&mut ann, &mut bob] {
        members_until(program, &chat, |list| online(list).len() == 2);
    }
    say(&mut ann, &chat, "before");
    bob.hears("before");

    bob.limit_files(Some(NO_ROOM));
    say(&mut ann, &chat, "one");
    bob.hears("one");
    let error = bob.expect("that the disk takes nothing", |event| event["event"] == "error");
    let sentence = text(&error, "message");
    assert!(sentence.contains("held in memory"), "{sentence}");
    say(&mut bob, &chat, "two");
    ann.hears("two");
    say(&mut ann, &chat, "three");
    bob.hears("three");
    let others = create(&mut bob, "Others", "bob");
    let is_told = |event: &Value| event["event"] == "error" && event["tag"].is_null();
    assert!(!bob.unclaimed().iter().any(is_told), "it is told once");

    bob.limit_files(None);
    bob.expect("that the disk takes it again", |event| {
        event["event"] == "disk_recovered"
    });
    bob.kill();
    let mut bob = Program::start("bob", &profile);
    let history = bob.done(
        json!({ "command": "history", "chat": chat, "limit": 9 }),
        "history",
    );
    let messages = history["messages"].as_array().expect("a list");
    let texts: Vec<&str> = messages
        .iter()
        .filter_map(|message| message["text"].as_str())
        .collect();
    assert_eq!(texts, ["before", "one", "two", "three"]);
    bob.done(
        json!({ "command": "history", "chat": others, "limit": 9 }),
        "history",
    );
    bob.shut_down();
    ann.shut_down();
}
