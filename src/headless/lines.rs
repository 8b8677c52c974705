//! Reading commands from lines of bounded length.

use std::io::{self, BufRead};

use serde_json::{Map, Value};

use crate::model::{Request, Tag};

/// The longest line that is accepted, in bytes without its end: some 16 times the longest message.
pub(super) const MAX_LINE_LEN: usize = 64 << 10;

/// The longest name of a command that an error repeats.
const MAX_NAME_LEN: usize = 64;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A line without its end.
    Text(&'a [u8]),
    /// A line over [`MAX_LINE_LEN`]. It was skipped and never in memory as a whole.
    TooLong,
    /// There are no more.
    End,
}

/// Reads lines. None takes more memory than the longest allowed.
pub(super) struct Lines<R> {
    reader: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `reader`.
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            line: Vec::new(),
        }
    }

    /// The next line. The last one need not end with a newline.
    pub(super) fn next_line(&mut self) -> io::Result<Line<'_>> {
        self.line.clear();
        let (mut read_any, mut fits) = (false, true);
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                break;
            }
            read_any = true;
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            fits &= self.line.len() + part.len() <= MAX_LINE_LEN;
            if fits {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        Ok(match (read_any, fits) {
            (false, _) => Line::End,
            (true, false) => Line::TooLong,
            (true, true) => Line::Text(&self.line),
        })
    }
}

/// A line that is not a command.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed {
    /// The name that it gives; empty if it gives none.
    pub(super) command: String,
    /// Its tag, if it has one.
    pub(super) tag: Option<Tag>,
    /// What is wrong with it, and what would be right.
    pub(super) message: String,
}

/// The answer to a line over [`MAX_LINE_LEN`].
pub(super) fn too_long() -> Malformed {
    Malformed {
        command: String::new(),
        tag: None,
        message: format!(
            "The line has more than {MAX_LINE_LEN} bytes and was skipped. No command needs as many."
        ),
    }
}

/// The command in a line; `None` for a blank one.
pub(super) fn parse(line: &[u8]) -> Result<Option<Request>, Malformed> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let nameless = |message: String| Malformed {
        command: String::new(),
        tag: None,
        message,
    };
    let object: Map<String, Value> = serde_json::from_slice(line).map_err(|error| {
        nameless(format!(
            "The line is not a JSON object: {error}. Write one command a line, like {EXAMPLE}."
        ))
    })?;
    let tag = object.get("tag").filter(|tag| !tag.is_null()).cloned();
    let command = match object.get("command") {
        Some(Value::String(name)) if name.len() <= MAX_NAME_LEN => name.clone(),
        _ => {
            let message = format!("The line does not name a command. Write one like {EXAMPLE}.");
            return Err(Malformed {
                tag,
                ..nameless(message)
            });
        }
    };
    serde_json::from_value(Value::Object(object))
        .map(Some)
        .map_err(|error| {
            let problem = error.to_string();
            let message = match problem.strip_prefix("unknown variant ") {
                Some(rest) if rest.starts_with(&format!("`{command}`, expected one of `create_chat`")) => {
                    format!("There is no command {command:?}. docs/headless.md lists all commands.")
                }
                _ => format!("The command {command:?} was not understood: {problem}."),
            };
            Malformed {
                command,
                tag,
                message,
            }
        })
}

/// A command that is always valid.
const EXAMPLE: &str = r#"{"command": "shutdown"}"#;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{ChatCommand, Command};

    fn problem(line: &str) -> Malformed {
        parse(line.as_bytes()).expect_err("malformed")
    }

    #[test]
    fn lines_are_bounded_and_the_next_one_is_found_again() {
        let long = "x".repeat(MAX_LINE_LEN);
        let text = format!("one\n\n{long}\n{long}y\ntwo\r\nlast");
        let mut lines = Lines::new(io::BufReader::with_capacity(100, text.as_bytes()));
        assert_eq!(lines.next_line().expect("read"), Line::Text(b"one"));
        assert_eq!(lines.next_line().expect("read"), Line::Text(b""));
        assert_eq!(lines.next_line().expect("read"), Line::Text(long.as_bytes()));
        assert_eq!(lines.next_line().expect("read"), Line::TooLong);
        assert_eq!(lines.next_line().expect("read"), Line::Text(b"two\r"));
        assert_eq!(lines.next_line().expect("read"), Line::Text(b"last"));
        assert_eq!(lines.next_line().expect("read"), Line::End);
    }

    #[test]
    fn commands_and_tags_are_read() {
        let request = parse(br#" {"tag": [1, "a"], "command": "shutdown"} "#)
            .expect("right")
            .expect("a command");
        assert_eq!(
            request,
            Request {
                command: Command::Shutdown,
                tag: Some(json!([1, "a"]))
            }
        );
        assert_eq!(parse(b" \r"), Ok(None));
        let chat = "ab".repeat(32);
        let line = format!(
            r#"{{"command":"export_invite","chat":"{chat}","uses":5,"expires_in":60,"rights":"observer","new":1}}"#
        );
        let request = parse(line.as_bytes()).expect("right").expect("a command");
        assert!(matches!(
            request.command,
            Command::Chat {
                command: ChatCommand::ExportInvite {
                    uses: Some(5),
                    expires_in: Some(60),
                    ..
                },
                ..
            }
        ));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let chat = "ab".repeat(32);
        for line in [
            "nonsense",
            "[]",
            "7",
            "{",
            "\"say\"",
            "{}",
            r#"{"command":7}"#,
            r#"{"command":null}"#,
            "\u{0}",
        ] {
            assert_eq!(problem(line).command, "", "{line}");
        }
        assert!(parse(&[b'{', 0xFF, b'}']).is_err());
        assert!(
            problem(r#"{"command":"say"}"#)
                .message
                .contains("missing field `chat`")
        );
        let line = format!(r#"{{"command":"say","chat":"{chat}","tag":3}}"#);
        let malformed = problem(&line);
        assert!(
            malformed.message.contains("missing field `text`"),
            "{}",
            malformed.message
        );
        assert_eq!(
            (malformed.command.as_str(), malformed.tag),
            ("say", Some(json!(3)))
        );
        assert!(
            problem(r#"{"command":"say","chat":"ab","text":""}"#)
                .message
                .contains("64 hex digits")
        );
        assert!(
            problem(r#"{"command":"dance"}"#)
                .message
                .contains("no command \"dance\"")
        );
        let line = format!(r#"{{"command":"export_invite","chat":"{chat}","uses":70000}}"#);
        assert!(
            problem(&line).message.contains("70000"),
            "{}",
            problem(&line).message
        );
        let line = format!(r#"{{"command":"set_status","chat":"{chat}","status":"asleep"}}"#);
        assert!(
            problem(&line).message.contains("`away`"),
            "{}",
            problem(&line).message
        );
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        assert_eq!(
            problem(&format!(r#"{{"command":"shutdown","tag":{deep}}}"#)).command,
            ""
        );
    }
}
