//! What a bot may write wrong: it is told what is wrong, and nothing changes.

use serde_json::{Value, json};

use crate::process::{Program, text};
use crate::scene::{create, folder};

#[test]
fn what_is_not_a_command_changes_nothing() {
    let folder = folder();
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let chat = create(&mut ann, "Alone", "ann");
    let long = vec![b'x'; 100 << 10];
    let lines: [&[u8]; 10] = [
        b"nonsense",
        b"{",
        b"[]",
        b"\xFF\xFE",
        b"{}",
        br#"{"command":"dance"}"#,
        br#"{"command":"say"}"#,
        br#"{"command":"say","chat":"abc","text":"x"}"#,
        br#"{"command":"create_chat","name":"X","kind":"secret","nick":"x"}"#,
        &long,
    ];
    for line in lines {
        ann.line(line);
        let error = ann.next("an error");
        assert_eq!(
            (&error["event"], &error["code"]),
            (&json!("error"), &json!("bad_command")),
            "{error}"
        );
        assert!(text(&error, "message").ends_with('.'), "{error}");
    }
    ann.line(b"");
    ann.line(br#"{"command":"say","tag":{"a":[1]}}"#);
    let error = ann.next("an error");
    assert_eq!(error["tag"], json!({ "a": [1] }));
    assert!(
        text(&error, "message").contains("`chat`"),
        "it names what is missing: {error}"
    );

    let none = "00".repeat(32);
    let cases = [
        (
            json!({ "command": "say", "chat": none, "text": "x" }),
            "not_found",
        ),
        (
            json!({ "command": "history", "chat": none, "limit": 1 }),
            "not_found",
        ),
        (
            json!({ "command": "history", "chat": chat, "limit": 1, "before": none }),
            "not_found",
        ),
        (
            json!({ "command": "history", "chat": chat, "limit": 1, "before": none, "after": none }),
            "bad_command",
        ),
        (
            json!({ "command": "say", "chat": chat, "text": "" }),
            "bad_command",
        ),
        (
            json!({ "command": "say", "chat": chat, "text": "x".repeat(4097) }),
            "too_long",
        ),
        (
            json!({ "command": "set_nick", "chat": chat, "nick": "" }),
            "bad_command",
        ),
        (
            json!({ "command": "set_nick", "chat": chat, "nick": "x".repeat(129) }),
            "too_long",
        ),
        (
            json!({ "command": "set_topic", "chat": chat, "topic": "x".repeat(513) }),
            "too_long",
        ),
        (
            json!({ "command": "admit", "chat": chat, "client_id": none }),
            "not_allowed",
        ),
        (
            json!({ "command": "connect", "chat": chat, "client_id": none, "address": "127.0.0.1:0" }),
            "bad_command",
        ),
        (
            json!({ "command": "create_chat", "name": "", "kind": "private", "nick": "x" }),
            "bad_command",
        ),
        (
            json!({ "command": "create_chat", "name": "x".repeat(65), "kind": "private", "nick": "x" }),
            "too_long",
        ),
        (
            json!({ "command": "create_chat", "name": "X", "kind": "private", "nick": "x", "door": { "mode": "closed" } }),
            "bad_command",
        ),
        (
            json!({ "command": "export_invite", "chat": chat, "path": folder.path().join("no/such/folder/x") }),
            "file",
        ),
    ];
    for (command, code) in cases {
        assert_eq!(ann.fails(command.clone()).0, code, "{command}");
    }
    let history = ann.done(
        json!({ "command": "history", "chat": chat, "limit": 10 }),
        "history",
    );
    assert_eq!(history["messages"], json!([]));
    assert_eq!(ann.unclaimed(), [] as [Value; 0]);
    ann.shut_down();
    let mut again = Program::start("ann again", &folder.path().join("ann"));
    assert_eq!(text(&again.next("the one chat"), "chat"), chat);
    again.shut_down();
}
