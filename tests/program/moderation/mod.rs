//! A chat that defends itself, as bots live it: programs over loopback, driven by JSON lines.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::process::{DEADLINE, Program, text};
use crate::scene::{import_text, invite, say};

mod bans;
mod invites;
mod roles;

/// Somebody in a chat.
struct Person {
    program: Program,
    member: String,
    chat: String,
}

impl Person {
    fn found(nick: &str, folder: &Path, command: Value) -> Self {
        let mut program = Program::start(nick, &folder.join(nick));
        let opened = program.done(command, "chat_opened");
        Self {
            member: text(&opened, "member"),
            chat: text(&opened, "chat"),
            program,
        }
    }

    /// Comes in by an invite, and waits until that is so.
    fn come(nick: &str, folder: &Path, invite: &str) -> Self {
        let mut program = Program::start(nick, &folder.join(nick));
        let opened = import_text(&mut program, invite, nick);
        let person = Self {
            member: text(&opened, "member"),
            chat: text(&opened, "chat"),
            program,
        };
        let mut person = person;
        person.event("joined");
        person
    }

    /// Stops in order. What is left can be started again.
    fn stop(self) -> (String, String) {
        self.program.shut_down();
        (self.member, self.chat)
    }

    fn start(nick: &str, folder: &Path, (member, chat): (String, String)) -> Self {
        let mut program = Program::start(nick, &folder.join(nick));
        program.event("chat_opened", &chat);
        Self {
            program,
            member,
            chat,
        }
    }

    fn command(&self, command: &str, more: Value) -> Value {
        let mut whole = json!({ "command": command, "chat": self.chat });
        if let Value::Object(more) = more {
            for (field, value) in more {
                whole[field] = value;
            }
        }
        whole
    }

    fn does(&mut self, command: &str, more: Value, answer: &str) -> Value {
        let command = self.command(command, more);
        self.program.done(command, answer)
    }

    /// What the command is refused with.
    fn fails(&mut self, command: &str, more: Value) -> (String, String) {
        let command = self.command(command, more);
        self.program.fails(command)
    }

    fn is_denied(&mut self, command: &str, more: Value) {
        let (code, sentence) = self.fails(command, more.clone());
        assert_eq!(code, "not_allowed", "{command} {more}: {sentence}");
    }

    fn event(&mut self, name: &str) -> Value {
        self.program.event(name, &self.chat)
    }

    /// The event of that name about a member.
    fn event_about(&mut self, name: &str, member: &str) -> Value {
        let chat = self.chat.clone();
        self.program.expect(&format!("{name} of {member}"), |event| {
            event["event"] == name && event["chat"] == chat && event["member"] == member
        })
    }

    fn says(&mut self, words: &str) {
        say(&mut self.program, &self.chat, words);
    }

    /// What is told of a member.
    fn sees(&mut self, member: &str) -> Value {
        let members = self.does("members", json!({}), "members");
        let list = members["members"].as_array().expect("a list");
        let found = list.iter().find(|info| info["member"] == member);
        found
            .unwrap_or_else(|| panic!("{member} is in {members}"))
            .clone()
    }

    fn history(&mut self) -> Vec<String> {
        let page = self.does("history", json!({ "limit": 100 }), "history");
        let messages = page["messages"].as_array().expect("a list");
        messages.iter().map(|message| text(message, "text")).collect()
    }

    /// Asks until the answer is as wished.
    fn asks_until(&mut self, command: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let answer = self.does(command, json!({}), command);
            if is_it(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{command} stays {answer}");
            std::thread::yield_now();
        }
    }

    fn facts(&mut self) -> (String, String) {
        let facts = self.does("facts", json!({}), "facts");
        (text(&facts, "root"), text(&facts, "state"))
    }
}

fn founder(folder: &Path) -> Person {
    let command = json!({ "command": "create_chat", "name": "Town", "kind": "private", "nick": "ann" });
    Person::found("ann", folder, command)
}

fn export(person: &mut Person, more: Value) -> String {
    let chat = person.chat.clone();
    text(&invite(&mut person.program, &chat, &more), "link")
}

/// Asks all until they agree on the facts and what holds by them.
fn agree(people: &mut [&mut Person]) -> (String, String) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let mut facts: Vec<_> = people.iter_mut().map(|person| person.facts()).collect();
        facts.dedup();
        if facts.len() == 1 {
            return facts.remove(0);
        }
        assert!(Instant::now() < deadline, "they differ: {facts:?}");
    }
}
