//! Exported chats, over the real program.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use throng::id::{ClientId, MemberId, MessageId};
use throng::model::{Message, MessageBody};
use throng::store::{Store, Write};

use crate::process::Program;
use crate::scene::{create, folder};

#[test]
fn a_chat_is_exported_in_each_form() {
    let folder = folder();
    let mut alice = Program::start("alice", &folder.path().join("alice"));
    let chat = create(&mut alice, "Friends", "alice");
    for word in ["one", "<b>two</b>", "three\nfour"] {
        alice.done(json!({ "command": "say", "chat": chat, "text": word }), "message");
    }
    let path = |name: &str| folder.path().join(name);
    for (format, file, expected) in [
        ("text", "chat.txt", "> three\n    four\n"),
        ("html", "chat.html", "<bdi>&lt;b&gt;two&lt;/b&gt;</bdi>"),
        ("json", "chat.json", r#""text":"three\nfour""#),
    ] {
        let command = json!({ "command": "export", "chat": chat, "path": path(file), "format": format });
        alice.tell(&command);
        let progress = alice.event("export_progress", &chat);
        assert_eq!((&progress["messages"], &progress["of"]), (&json!(0), &json!(3)));
        let exported = alice.event("exported", &chat);
        assert_eq!(exported["messages"], 3, "{exported}");
        assert_eq!(exported["path"], json!(path(file)));
        let written = fs::read_to_string(path(file)).expect("written");
        assert!(written.contains(expected), "{format}: {written}");
    }
    let object: Value =
        serde_json::from_slice(&fs::read(path("chat.json")).expect("written")).expect("one object");
    let history = alice.done(
        json!({ "command": "history", "chat": chat, "limit": 10 }),
        "history",
    );
    assert_eq!(object["messages"], history["messages"], "as in the history");
    alice.shut_down();
}

#[test]
fn an_export_that_fails_says_so_and_leaves_no_file() {
    let folder = folder();
    let mut alice = Program::start("alice", &folder.path().join("alice"));
    let chat = create(&mut alice, "Friends", "alice");
    let export = |path: &Path| json!({ "command": "export", "chat": chat, "path": path, "format": "text" });
    let (code, sentence) = alice.fails(export(&folder.path().join("none/chat.txt")));
    assert_eq!(code, "file");
    assert!(sentence.contains("there is no such folder"), "{sentence}");
    let there = folder.path().join("there");
    fs::create_dir(&there).expect("made");
    assert_eq!(alice.fails(export(&there)).0, "file");
    let (code, _) = alice.fails(json!({ "command": "cancel_export", "chat": chat }));
    assert_eq!(code, "not_found");
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 2, "the profile and the folder: {left:?}");
    alice.shut_down();
}

#[test]
fn an_export_can_be_cancelled_and_leaves_no_file() {
    let folder = folder();
    let profile = folder.path().join("alice");
    let mut alice = Program::start("alice", &profile);
    let chat = create(&mut alice, "Friends", "alice");
    alice.shut_down();
    fill(&profile, &chat, 100_000);

    let mut alice = Program::start("alice", &profile);
    let path = folder.path().join("chat.json");
    let export = json!({ "command": "export", "chat": chat, "path": path, "format": "json", "tag": "it" });
    alice.tell(&export);
    alice.event("export_progress", &chat);
    let (code, _) = alice.fails(json!({ "command": "export", "chat": chat, "path": path, "format": "json" }));
    assert_eq!(code, "busy", "one at a time");
    alice.done(
        json!({ "command": "cancel_export", "chat": chat }),
        "export_cancelled",
    );
    let ended = alice.expect("the end of the export", |event| {
        event["tag"] == "it" && event["event"] != "export_progress"
    });
    assert_eq!(
        (&ended["event"], &ended["code"]),
        (&json!("error"), &json!("cancelled")),
        "{ended}"
    );
    assert_eq!(
        fs::read_dir(folder.path()).expect("a folder").count(),
        1,
        "the profile alone"
    );

    // The next one goes to its end, telling how far it is.
    alice.tell(&export);
    let ended = alice.event("exported", &chat);
    assert_eq!(ended["messages"], 100_000, "{ended}");
    let object: Value = serde_json::from_slice(&fs::read(&path).expect("written")).expect("one object");
    assert_eq!(object["count"], 100_000);
    let texts = object["messages"].as_array().expect("messages");
    assert!(
        texts
            .iter()
            .enumerate()
            .all(|(number, message)| message["text"] == format!("message {number}"))
    );
    alice.shut_down();
}

/// Puts so many messages into a chat of a profile that no program has open.
fn fill(profile: &Path, chat: &str, messages: u32) {
    let chat = chat.parse().expect("an id");
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(async {
            let store = Store::open(profile).expect("opened");
            for number in 0..messages {
                let mut id = [0; 32];
                id[..4].copy_from_slice(&number.to_be_bytes());
                let message = Message {
                    chat,
                    member: MemberId([7; 32]),
                    nick: "bob".to_owned(),
                    id: MessageId(id),
                    number: number + 1,
                    at: jiff::Timestamp::from_second(1_700_000_000 + i64::from(number)).expect("in range"),
                    body: MessageBody::Message,
                    text: format!("message {number}"),
                    own: false,
                    history: true,
                    delivery: None,
                    place: 0,
                };
                let write = Write::AddMessage {
                    message,
                    client_id: ClientId([7; 32]),
                    signed: Vec::new(),
                };
                if number % 1000 == 0 {
                    store.save(write).await.expect("kept");
                } else {
                    store.write(write).expect("room");
                }
            }
            store.close().await;
        });
}
