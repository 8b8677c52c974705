//! The lines of the headless mode: every command and event, byte for byte. Bots depend on them; what a line once was it
//! stays, and new fields come at an end of their own.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use throng::model::{Report, Request};

const COMMANDS: &str = include_str!("json/commands.jsonl");

/// Lines by two: a command as short as it can be written, or otherwise odd, and how it is understood.
const SHORT_COMMANDS: &str = include_str!("json/short_commands.jsonl");

const EVENTS: &str = include_str!("json/events.jsonl");

/// Reads a line and writes what was understood.
fn again<T: DeserializeOwned + Serialize>(line: &str) -> String {
    let read: T = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    let by_value: T = serde_json::from_str::<Value>(line)
        .and_then(serde_json::from_value)
        .unwrap_or_else(|error| panic!("{error} in {line}"));
    let written = serde_json::to_string(&read).expect("JSON");
    assert_eq!(serde_json::to_string(&by_value).expect("JSON"), written);
    written
}

#[test]
fn all_lines_are_written_as_they_are_read() {
    for line in COMMANDS.lines() {
        assert_eq!(again::<Request>(line), line);
    }
    for line in EVENTS.lines() {
        assert_eq!(again::<Report>(line), line);
    }
    let short: Vec<&str> = SHORT_COMMANDS.lines().collect();
    for pair in short.chunks(2) {
        assert_eq!(again::<Request>(pair[0]), pair[1]);
    }
}

#[test]
fn what_is_no_command_says_why() {
    let chat = "c".repeat(64);
    for (line, why) in [
        (r#"{"command":"dance"}"#.to_owned(), "unknown variant `dance`"),
        (r#"{"text":"x"}"#.to_owned(), "missing field `command`"),
        (
            r#"{"command":"say","text":"x"}"#.to_owned(),
            "missing field `chat`",
        ),
        (
            r#"{"command":"say","chat":"5e","text":"x"}"#.to_owned(),
            "64 hex digits",
        ),
        (
            format!(r#"{{"command":"say","chat":"{chat}"}}"#),
            "missing field `text`",
        ),
        (
            format!(r#"{{"command":"set_status","chat":"{chat}","status":"gone"}}"#),
            "unknown variant `gone`",
        ),
        (
            format!(r#"{{"command":"history","chat":"{chat}","limit":-1}}"#),
            "invalid value: integer `-1`",
        ),
        (
            r#"{"command":"backup","path":"x"}"#.to_owned(),
            "missing field `passphrase`",
        ),
    ] {
        let error = serde_json::from_str::<Request>(&line)
            .expect_err(&line)
            .to_string();
        assert!(error.contains(why), "{error:?} should have {why:?}");
    }
}

#[test]
fn no_command_and_no_event_is_left_out() {
    let name = |line: &str, of: &str| {
        let value: Value = serde_json::from_str(line).expect("JSON");
        value[of].as_str().expect("a name").to_owned()
    };
    // Every command and event stands in a row of its own; that page is held to the types.
    let page = include_str!("../../docs/headless.md");
    let rows = |title: &str, next: &str| -> BTreeSet<String> {
        let part = page.split(title).nth(1).expect(title);
        let part = part.split(next).next().expect("a part");
        part.lines()
            .filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned()))
            .collect()
    };
    let commands: BTreeSet<_> = COMMANDS.lines().map(|line| name(line, "command")).collect();
    let events: BTreeSet<_> = EVENTS.lines().map(|line| name(line, "event")).collect();
    assert_eq!(commands, rows("\n## Commands\n", "\n## "));
    assert_eq!(events, rows("\n## Events\n", "\n## "));
}
