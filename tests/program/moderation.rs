//! A chat that defends itself, as bots live it: programs over loopback, driven by JSON lines.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::process::{DEADLINE, Program, text};
use crate::scene::{folder, import_text, invite, members_until, online, say};

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

#[test]
fn each_role_may_do_what_is_its_own_and_is_told_why_not() {
    let folder = folder();
    let mut ann = founder(folder.path());
    let several = export(&mut ann, json!({ "uses": 5 }));
    let reading = export(&mut ann, json!({ "rights": "observer" }));
    let mut max = Person::come("max", folder.path(), &several);
    let mut bob = Person::come("bob", folder.path(), &several);
    let mut eve = Person::come("eve", folder.path(), &reading);
    for person in [&mut ann, &mut max, &mut bob, &mut eve] {
        let chat = person.chat.clone();
        members_until(&mut person.program, &chat, |list| {
            online(list) == ["ann", "bob", "eve", "max"]
        });
    }
    let of = |person: &Person, more: Value| {
        let mut fields = more;
        fields["member"] = json!(person.member);
        fields
    };

    let promoted = ann.does(
        "set_role",
        of(&max, json!({ "role": "moderator" })),
        "role_changed",
    );
    assert_eq!(
        (&promoted["member"], &promoted["role"], &promoted["by"]),
        (&json!(max.member), &json!("moderator"), &json!(ann.member))
    );
    for person in [&mut max, &mut bob, &mut eve] {
        let changed = person.event_about("role_changed", &text(&promoted, "member"));
        assert_eq!(changed["role"], "moderator");
    }
    // Once more: nothing to tell, but an answer.
    ann.does(
        "set_role",
        of(&max, json!({ "role": "moderator" })),
        "role_changed",
    );

    // Who reads.
    eve.is_denied("say", json!({ "text": "no" }));
    eve.is_denied("act", json!({ "text": "no" }));
    eve.is_denied("set_topic", json!({ "topic": "no" }));
    // Whoever is no moderator.
    let any_invite = "11".repeat(32);
    for person in [&mut bob, &mut eve] {
        person.is_denied("ban", of(&ann, json!({})));
        person.is_denied("ban", of(&max, json!({ "reason": "no" })));
        person.is_denied("unban", of(&max, json!({})));
        person.is_denied("set_role", of(&max, json!({ "role": "member" })));
        person.is_denied("set_topic", json!({ "topic": "no", "locked": true }));
        person.is_denied("close_invite", json!({ "invite": any_invite }));
        person.is_denied("export_invite", json!({}));
        person.is_denied("set_door", json!({ "mode": "closed" }));
    }
    // Who keeps order, but has not founded the chat.
    max.is_denied("ban", of(&ann, json!({})));
    max.is_denied("set_role", of(&ann, json!({ "role": "member" })));
    max.is_denied("set_role", of(&bob, json!({ "role": "moderator" })));
    export(&mut max, json!({}));
    max.is_denied("ban", json!({ "member": max.member }));
    // Nobody at all.
    let nobody = json!({ "member": "22".repeat(32), "role": "member" });
    for command in ["ban", "unban", "set_role"] {
        assert_eq!(ann.fails(command, nobody.clone()).0, "not_found", "{command}");
    }
    assert_eq!(ann.fails("unban", of(&bob, json!({}))).0, "already");
    assert_eq!(
        ann.fails("close_invite", json!({ "invite": any_invite })).0,
        "not_found"
    );
    assert_eq!(
        ann.fails("set_role", of(&bob, json!({ "role": "founder" }))).0,
        "bad_command"
    );
    ann.is_denied("set_door", json!({ "mode": "closed" }));
    assert_eq!(
        ann.fails("ban", of(&bob, json!({ "reason": "x".repeat(101) }))).0,
        "too_long"
    );

    // What a moderator may do: let somebody speak, lock the topic.
    max.does("set_role", of(&eve, json!({ "role": "member" })), "role_changed");
    let own = eve.member.clone();
    assert_eq!(eve.event_about("role_changed", &own)["role"], "member");
    eve.says("I can speak");
    bob.program.hears("I can speak");
    let topic = max.does(
        "set_topic",
        json!({ "topic": "Order", "locked": true }),
        "topic_changed",
    );
    assert_eq!(topic["locked"], true);
    assert_eq!(bob.event("topic_changed")["locked"], true);
    bob.is_denied("set_topic", json!({ "topic": "no" }));
    max.does(
        "set_topic",
        json!({ "topic": "Order", "locked": false }),
        "topic_changed",
    );
    bob.event("topic_changed");
    bob.does("set_topic", json!({ "topic": "Horses" }), "topic_changed");

    // An office ends.
    ann.does("set_role", of(&max, json!({ "role": "member" })), "role_changed");
    let own = max.member.clone();
    assert_eq!(max.event_about("role_changed", &own)["role"], "member");
    max.is_denied("ban", of(&bob, json!({})));

    let log = ann.does("moderation_log", json!({}), "moderation_log");
    let deeds: Vec<_> = log["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| (text(entry, "nick"), text(entry, "deed")))
        .filter(|(_, deed)| deed != "confirmed")
        .collect();
    let deeds: Vec<_> = deeds
        .iter()
        .map(|(nick, deed)| (nick.as_str(), deed.as_str()))
        .collect();
    assert_eq!(
        deeds,
        [
            ("ann", "role_set"),
            ("max", "role_set"),
            ("max", "topic_set"),
            ("max", "topic_set"),
            ("ann", "role_set"),
        ],
        "{log}"
    );
}

#[test]
fn a_founder_takes_back_what_a_moderator_gone_bad_did() {
    let folder = folder();
    let mut ann = founder(folder.path());
    let several = export(&mut ann, json!({ "uses": 2 }));
    let mut max = Person::come("max", folder.path(), &several);
    let bob = Person::come("bob", folder.path(), &several);
    let chat = ann.chat.clone();
    members_until(&mut ann.program, &chat, |list| {
        online(list) == ["ann", "bob", "max"]
    });
    ann.does(
        "set_role",
        json!({ "member": max.member, "role": "moderator" }),
        "role_changed",
    );
    let own = max.member.clone();
    max.event_about("role_changed", &own);
    let reason = json!({ "member": bob.member, "reason": "I don't like you" });
    max.does("ban", reason, "banned");
    ann.event_about("banned", &bob.member);
    let log = ann.does("moderation_log", json!({}), "moderation_log");
    let entries = log["entries"].as_array().expect("a list");
    let deed = entries.iter().find(|entry| entry["deed"] == "banned");
    let fact = json!({ "fact": deed.expect("the ban")["id"] });

    max.is_denied("undo_from", fact.clone());
    let nothing = json!({ "fact": "11".repeat(32) });
    assert_eq!(ann.fails("undo_from", nothing).0, "not_found");
    let undone = ann.does("undo_from", fact, "role_changed");
    assert_eq!(
        (&undone["member"], &undone["role"]),
        (&json!(max.member), &json!("member"))
    );
    ann.event_about("unbanned", &bob.member);
    let log = ann.does("moderation_log", json!({}), "moderation_log");
    let entries = log["entries"].as_array().expect("a list");
    assert!(entries.iter().all(|entry| entry["deed"] != "banned"), "{log}");
}

#[test]
fn in_a_classic_chat_nobody_decides() {
    let folder = folder();
    let command = json!({ "command": "create_chat", "name": "Old", "kind": "classic", "nick": "ann" });
    let mut ann = Person::found("ann", folder.path(), command);
    let member = json!({ "member": ann.member, "role": "member" });
    for command in ["ban", "unban", "set_role", "facts", "moderation_log", "invites"] {
        ann.is_denied(command, member.clone());
    }
    ann.is_denied("set_door", json!({ "mode": "open" }));
    ann.is_denied("set_topic", json!({ "topic": "x", "locked": true }));
    ann.does("set_topic", json!({ "topic": "x" }), "topic_changed");
}

#[test]
fn a_ban_holds_over_restarts_and_for_latecomers_until_it_is_lifted() {
    let folder = folder();
    let mut ann = founder(folder.path());
    let several = export(&mut ann, json!({ "uses": 5 }));
    let mut bob = Person::come("bob", folder.path(), &several);
    let mut eve = Person::come("eve", folder.path(), &several);
    eve.says("buy this");
    bob.program.hears("buy this");
    ann.program.hears("buy this");

    let banned = ann.does(
        "ban",
        json!({ "member": eve.member, "reason": "sells things" }),
        "banned",
    );
    let member = eve.member.clone();
    for person in [&mut bob, &mut eve] {
        let heard = person.event_about("banned", &member);
        assert_eq!(
            (&heard["by"], &heard["reason"]),
            (&banned["by"], &json!("sells things"))
        );
    }
    let failed = eve.event("join_failed");
    assert_eq!(failed["code"], "banned");
    for part in ["ann", "sells things"] {
        assert!(text(&failed, "message").contains(part), "{failed}");
    }
    assert_eq!(bob.event_about("member_left", &member)["why"], "banned");
    assert_eq!(bob.sees(&member)["banned"], true);
    eve.is_denied("say", json!({ "text": "and this" }));
    assert_eq!(eve.history(), ["buy this"], "what was said stays readable");
    assert_eq!(bob.history(), ["buy this"]);

    // The banned comes back with another client_id.
    let eves = eve.stop();
    let mut eve = Person::start("eve", folder.path(), eves);
    assert_eq!(eve.event("join_failed")["code"], "banned");
    eve.is_denied("say", json!({ "text": "still" }));
    assert_eq!(eve.sees(&member)["banned"], true);

    // Those who banned restart, too.
    let (anns, bobs) = (ann.stop(), bob.stop());
    let mut ann = Person::start("ann", folder.path(), anns);
    let mut bob = Person::start("bob", folder.path(), bobs);
    bob.event("peer_linked");
    // Somebody who never met the banned, and is asked by them alone.
    let mut dan = Person::come("dan", folder.path(), &several);
    agree(&mut [&mut ann, &mut bob, &mut dan]);
    let listen = {
        let dans = dan.stop();
        let mut program = Program::start("dan", &folder.path().join("dan"));
        let opened = program.event("chat_opened", &dans.1);
        dan = Person {
            program,
            member: dans.0,
            chat: dans.1,
        };
        (text(&opened, "listen"), text(&opened, "client_id"))
    };
    let (anns, bobs) = (ann.stop(), bob.stop());
    let connect = json!({ "client_id": listen.1, "address": listen.0 });
    let connect = eve.command("connect", connect);
    eve.program.tell(&connect);
    let retry = eve.command("retry", json!({}));
    eve.program.tell(&retry);
    assert_eq!(eve.event("join_failed")["code"], "banned");
    assert!(
        !dan.program
            .unclaimed()
            .iter()
            .any(|event| event["event"] == "peer_linked" && event["member"] == json!(member)),
        "dan does not take who was banned before his time"
    );

    let mut ann = Person::start("ann", folder.path(), anns);
    let mut bob = Person::start("bob", folder.path(), bobs);
    ann.event("peer_linked");
    bob.event("peer_linked");
    ann.does("unban", json!({ "member": member }), "unbanned");
    assert_eq!(bob.event_about("unbanned", &member)["by"], banned["by"]);
    let retry = eve.command("retry", json!({}));
    eve.program.tell(&retry);
    eve.event("peer_linked");
    eve.event_about("unbanned", &member);
    eve.says("thank you");
    bob.program.hears("thank you");
}

#[test]
fn what_a_ban_hides_is_in_no_history_until_it_is_lifted() {
    let folder = folder();
    let mut ann = founder(folder.path());
    let several = export(&mut ann, json!({ "uses": 5 }));
    let mut bob = Person::come("bob", folder.path(), &several);
    let mut eve = Person::come("eve", folder.path(), &several);
    ann.says("first");
    bob.program.hears("first");
    eve.says("foul");
    bob.program.hears("foul");
    ann.program.hears("foul");
    ann.says("last");
    bob.program.hears("last");

    let ban = json!({ "member": eve.member, "hide_all": true });
    assert_eq!(ann.does("ban", ban, "banned")["hide_all"], true);
    bob.event("banned");
    assert_eq!(ann.history(), ["first", "last"]);
    assert_eq!(bob.history(), ["first", "last"]);
    let page = bob.does("history", json!({ "limit": 2 }), "history");
    assert_eq!(
        page["messages"].as_array().map(Vec::len),
        Some(2),
        "a page is filled"
    );
    let bobs = bob.stop();
    let mut bob = Person::start("bob", folder.path(), bobs);
    assert_eq!(bob.history(), ["first", "last"]);
    bob.event("peer_linked");

    ann.does("unban", json!({ "member": eve.member }), "unbanned");
    bob.event("unbanned");
    assert_eq!(bob.history(), ["first", "foul", "last"]);
}

#[test]
fn invites_are_listed_with_who_came_and_closed() {
    let folder = folder();
    let mut ann = founder(folder.path());
    let several = export(&mut ann, json!({ "uses": 3, "expires_in": 3600 }));
    let reading = export(&mut ann, json!({ "rights": "observer" }));
    let mut bob = Person::come("bob", folder.path(), &several);
    let max = Person::come("max", folder.path(), &several);

    let all_confirmed = |answer: &Value| {
        let users = answer["invites"][1]["used_by"].as_array().expect("a list");
        users.len() == 2 && users.iter().all(|user| user["confirmed"] == true)
    };
    let listed = ann.asks_until("invites", all_confirmed);
    let (second, first) = (&listed["invites"][0], &listed["invites"][1]);
    assert_eq!(
        (
            &first["number"],
            &first["uses"],
            &first["rights"],
            &first["closed"]
        ),
        (&json!(1), &json!(3), &json!("member"), &json!(false))
    );
    let nicks: Vec<_> = first["used_by"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|user| text(user, "nick"))
        .collect();
    assert_eq!(nicks, ["bob", "max"]);
    assert!(
        first["created_at"].is_string() && first["expires_at"].is_string(),
        "{first}"
    );
    assert_eq!(
        (
            &second["number"],
            &second["uses"],
            &second["rights"],
            &second["used_by"],
            &second["expires_at"]
        ),
        (&json!(2), &json!(1), &json!("observer"), &json!([]), &Value::Null)
    );
    // Those who manage none are shown none.
    assert_eq!(bob.does("invites", json!({}), "invites")["invites"], json!([]));

    // One that nobody has come by is known to the founder alone, one that somebody has to moderators, too.
    let (first, second) = (text(first, "invite"), text(second, "invite"));
    ann.does(
        "set_role",
        json!({ "member": bob.member, "role": "moderator" }),
        "role_changed",
    );
    bob.event_about("role_changed", &bob.member.clone());
    let of_bob = bob.does("invites", json!({}), "invites");
    assert_eq!(of_bob["invites"].as_array().map(Vec::len), Some(1));
    assert_eq!(of_bob["invites"][0]["invite"], json!(first));
    assert_eq!(
        bob.fails("close_invite", json!({ "invite": second })).0,
        "not_found"
    );
    let closed = bob.does("close_invite", json!({ "invite": first }), "invite_closed");
    assert_eq!(closed["by"], json!(bob.member));
    assert_eq!(ann.event("invite_closed")["invite"], json!(first));
    bob.does("close_invite", json!({ "invite": first }), "invite_closed");
    ann.does("close_invite", json!({ "invite": second }), "invite_closed");
    let anns = ann.stop();
    let mut ann = Person::start("ann", folder.path(), anns);
    let listed = ann.does("invites", json!({}), "invites");
    for number in [0, 1] {
        assert_eq!(listed["invites"][number]["closed"], true, "{listed}");
    }

    // Nobody new comes in; who was confirmed stays.
    let mut eve = Program::start("eve", &folder.path().join("eve"));
    for link in [several, reading] {
        let opened = import_text(&mut eve, &link, "eve");
        let chat = text(&opened, "chat");
        assert_eq!(eve.event("join_failed", &chat)["code"], "closed");
        eve.done(json!({ "command": "leave_chat", "chat": chat }), "chat_closed");
    }
    bob.event("peer_linked");
    bob.says("still here");
    ann.program.hears("still here");
    drop(max);
}

#[test]
fn moderators_invite_too_as_long_as_they_are_moderators() {
    let folder = folder();
    let mut ann = founder(folder.path());
    let several = export(&mut ann, json!({ "uses": 2 }));
    let mut bob = Person::come("bob", folder.path(), &several);
    bob.is_denied("export_invite", json!({}));
    ann.does(
        "set_role",
        json!({ "member": bob.member, "role": "moderator" }),
        "role_changed",
    );
    bob.event_about("role_changed", &bob.member.clone());
    bob.is_denied("export_invite", json!({ "uses": 0 }));
    let of_bob = export(&mut bob, json!({ "uses": 3 }));
    let mut eve = Person::come("eve", folder.path(), &of_bob);
    eve.says("by bob's invite");
    ann.program.hears("by bob's invite");
    let is_confirmed = |answer: &Value| answer["invites"][0]["used_by"][0]["confirmed"] == true;
    for person in [&mut bob, &mut ann] {
        let listed = person.does("invites", json!({}), "invites");
        let invites = listed["invites"].as_array().expect("a list");
        let found = invites.iter().find(|invite| invite["uses"] == 3);
        let found = found.unwrap_or_else(|| panic!("bob's is in {listed}"));
        assert_eq!(found["used_by"][0]["member"], json!(eve.member));
        assert_eq!(found["closed"], false);
    }
    bob.asks_until("invites", is_confirmed);
    // It holds over a restart, and for who has met neither.
    let eves = eve.stop();
    let mut eve = Person::start("eve", folder.path(), eves);
    eve.event("peer_linked");
    let mut max = Person::come("max", folder.path(), &several);
    max.says("hello eve");
    eve.program.hears("hello eve");

    ann.does(
        "set_role",
        json!({ "member": bob.member, "role": "member" }),
        "role_changed",
    );
    bob.event_about("role_changed", &bob.member.clone());
    bob.is_denied("export_invite", json!({}));
    let mut late = Program::start("late", &folder.path().join("late"));
    let opened = import_text(&mut late, &of_bob, "late");
    let chat = text(&opened, "chat");
    assert_eq!(late.event("join_failed", &chat)["code"], "closed");
    eve.says("still here");
    max.program.hears("still here");
}

#[test]
fn whom_one_ignores_is_marked_and_stays_so() {
    let folder = folder();
    let mut ann = founder(folder.path());
    let several = export(&mut ann, json!({ "uses": 5 }));
    let mut bob = Person::come("bob", folder.path(), &several);
    let anns = ann.member.clone();
    members_until(&mut bob.program, &bob.chat.clone(), |list| {
        online(list) == ["ann", "bob"]
    });
    let ignored = bob.does(
        "ignore",
        json!({ "member": anns, "ignored": true }),
        "ignore_changed",
    );
    assert_eq!(
        (&ignored["member"], &ignored["ignored"]),
        (&json!(anns), &json!(true))
    );
    assert_eq!(bob.sees(&anns)["ignored"], true);
    // What they say still comes: whoever shows it leaves it out.
    ann.says("hello?");
    bob.program.hears("hello?");
    assert_eq!(
        bob.fails("ignore", json!({ "member": bob.member, "ignored": true }))
            .0,
        "bad_command"
    );
    assert_eq!(
        bob.fails("ignore", json!({ "member": "33".repeat(32), "ignored": true }))
            .0,
        "not_found"
    );

    let bobs = bob.stop();
    let mut bob = Person::start("bob", folder.path(), bobs);
    assert_eq!(bob.sees(&anns)["ignored"], true);
    bob.does(
        "ignore",
        json!({ "member": anns, "ignored": false }),
        "ignore_changed",
    );
    assert_eq!(bob.sees(&anns)["ignored"], false);
}

#[test]
fn a_public_chat_is_entered_by_the_link_that_every_member_hands_on() {
    let folder = folder();
    let command = json!({ "command": "create_chat", "name": "Square", "kind": "public", "nick": "ann" });
    let mut ann = Person::found("ann", folder.path(), command);
    let exported = invite(&mut ann.program, &ann.chat.clone(), &json!({}));
    let again = invite(&mut ann.program, &ann.chat.clone(), &json!({}));
    assert_eq!(exported["invite"], again["invite"], "one link for all");
    let mut bob = Person::come("bob", folder.path(), &text(&exported, "link"));
    assert_eq!(
        bob.does("invites", json!({}), "invites")["invites"][0]["public_link"],
        true
    );

    // The file form, and by somebody who did not found the chat, while the founder is away.
    let path = folder.path().join("square.throng");
    let of_bob = invite(&mut bob.program, &bob.chat.clone(), &json!({ "path": path }));
    assert_eq!(of_bob["invite"], exported["invite"]);
    let anns = ann.stop();
    let bobs = bob.stop();
    let mut bob = Person::start("bob", folder.path(), bobs);
    let link = export(&mut bob, json!({}));
    let mut eve = Person::come("eve", folder.path(), &link);
    let mut dan = Program::start("dan", &folder.path().join("dan"));
    let opened = dan.done(
        json!({ "command": "import_invite", "path": path, "nick": "dan" }),
        "chat_opened",
    );
    assert_eq!(
        (&opened["kind"], &opened["name"]),
        (&json!("public"), &json!("Square"))
    );
    dan.event("joined", &text(&opened, "chat"));
    eve.says("hello, square");
    bob.program.hears("hello, square");
    dan.hears("hello, square");

    // Invites with slots are the founder's there, too; and who came by one has no link to hand on.
    bob.is_denied("export_invite", json!({ "uses": 2 }));
    let mut ann = Person::start("ann", folder.path(), anns);
    ann.event("peer_linked");
    let single = export(&mut ann, json!({ "uses": 1 }));
    let mut max = Person::come("max", folder.path(), &single);
    max.is_denied("export_invite", json!({}));
    // All who came by the link can't be banned at once by mistake.
    ann.is_denied("ban", json!({ "member": eve.member, "with_invite": true }));
    ann.does("ban", json!({ "member": eve.member }), "banned");
    assert_eq!(eve.event("join_failed")["code"], "banned");
}

#[test]
fn a_door_asks_for_work_which_is_told_and_can_be_given_up() {
    let folder = folder();
    let command = json!({
        "command": "create_chat", "name": "Square", "kind": "public", "nick": "ann",
        "door": { "mode": "work", "work_bits": 14 },
    });
    let mut ann = Person::found("ann", folder.path(), command);
    let link = export(&mut ann, json!({}));
    let mut bob = Program::start("bob", &folder.path().join("bob"));
    let chat = text(&import_text(&mut bob, &link, "bob"), "chat");
    let working = bob.event("working", &chat);
    assert_eq!((&working["bits"], &working["tried"]), (&json!(14), &json!(0)));
    bob.event("joined", &chat);
    // What was done is done for good: also at the next start, and for whoever else is at the door.
    bob.shut_down();
    let mut bob = Program::start("bob", &folder.path().join("bob"));
    assert_eq!(bob.event("chat_opened", &chat)["joined"], true);
    bob.event("peer_linked", &chat);
    assert!(!bob.unclaimed().iter().any(|event| event["event"] == "working"));

    // More than anybody would wait for: it is told how far it is, and leaving ends it.
    ann.does(
        "set_door",
        json!({ "mode": "work", "work_bits": 32 }),
        "door_changed",
    );
    // Else whom eve asks first may still go by the old door.
    bob.expect("the new door", |event| {
        event["event"] == "door_changed" && event["work_bits"] == 32
    });
    let link = export(&mut ann, json!({}));
    let mut eve = Program::start("eve", &folder.path().join("eve"));
    import_text(&mut eve, &link, "eve");
    let mut tried = 0;
    for _ in 0..3 {
        let working = eve.expect("more tries", |event| {
            event["event"] == "working" && event["tried"].as_u64() > Some(tried)
        });
        assert_eq!(working["bits"], 32);
        tried = working["tried"].as_u64().expect("a number");
    }
    eve.done(json!({ "command": "leave_chat", "chat": chat }), "chat_closed");
    let began_at = Instant::now();
    eve.shut_down();
    assert!(began_at.elapsed().as_secs() < 5, "no work holds up the end");
}

#[test]
fn a_door_can_be_closed_and_opened_again() {
    let folder = folder();
    let command = json!({
        "command": "create_chat", "name": "Square", "kind": "public", "nick": "ann", "door": { "mode": "closed" },
    });
    let mut ann = Person::found("ann", folder.path(), command);
    assert_eq!(ann.event("door_changed")["mode"], "closed");
    let link = export(&mut ann, json!({}));
    let mut bob = Program::start("bob", &folder.path().join("bob"));
    let chat = text(&import_text(&mut bob, &link, "bob"), "chat");
    assert_eq!(bob.event("join_failed", &chat)["code"], "closed");
    ann.does("set_door", json!({ "mode": "open" }), "door_changed");
    ann.does("set_door", json!({ "mode": "open" }), "door_changed");
    bob.tell(&json!({ "command": "retry", "chat": chat }));
    bob.event("joined", &chat);

    // Those who are in are shown another door.
    ann.does("set_door", json!({ "mode": "approval" }), "door_changed");
    assert_eq!(bob.event("door_changed", &chat)["mode"], "approval");
    for bad in [
        json!({ "mode": "work" }),
        json!({ "mode": "work", "work_bits": 33 }),
        json!({ "mode": "read_first" }),
        json!({ "mode": "ajar" }),
    ] {
        assert_eq!(ann.fails("set_door", bad.clone()).0, "bad_command", "{bad}");
    }
    let anns = ann.stop();
    let mut program = Program::start("ann", &folder.path().join("ann"));
    let opened = program.event("chat_opened", &anns.1);
    assert_eq!(opened["door"]["mode"], "approval");
}

#[test]
fn newcomers_read_until_they_may_speak() {
    let folder = folder();
    let command = json!({
        "command": "create_chat", "name": "Square", "kind": "public", "nick": "ann",
        "door": { "mode": "read_first", "minutes": 60 },
    });
    let mut ann = Person::found("ann", folder.path(), command);
    let link = export(&mut ann, json!({}));
    for (nick, door) in [
        ("bob", json!({ "mode": "read_first", "minutes": 60 })),
        ("eve", json!({ "mode": "approval" })),
    ] {
        ann.does("set_door", door, "door_changed");
        let mut newcomer = Person::come(nick, folder.path(), &link);
        agree(&mut [&mut ann, &mut newcomer]);
        newcomer.is_denied("say", json!({ "text": "too early" }));
        ann.says(nick);
        newcomer.program.hears(nick);
        let named = json!({ "member": newcomer.member, "role": "member" });
        ann.does("set_role", named, "role_changed");
        agree(&mut [&mut ann, &mut newcomer]);
        let words = format!("thank you from {nick}");
        newcomer.says(&words);
        ann.program.hears(&words);
    }
}

#[test]
fn a_ban_can_take_along_all_who_came_by_the_same_invite() {
    let folder = folder();
    let mut ann = founder(folder.path());
    let leaked = export(&mut ann, json!({ "uses": 5 }));
    let other = export(&mut ann, json!({ "uses": 5 }));
    let mut bob = Person::come("bob", folder.path(), &other);
    let mut eve = Person::come("eve", folder.path(), &leaked);
    let mut dan = Person::come("dan", folder.path(), &leaked);
    for person in [&mut ann, &mut bob] {
        let chat = person.chat.clone();
        members_until(&mut person.program, &chat, |list| online(list).len() == 4);
    }
    let ban = json!({ "member": eve.member, "reason": "a leak", "with_invite": true });
    let banned = ann.does("ban", ban, "banned");
    assert_eq!(
        banned["member"],
        json!(eve.member),
        "the one who was named is the answer"
    );
    for person in [&mut eve, &mut dan] {
        let own = person.member.clone();
        assert_eq!(person.event_about("banned", &own)["reason"], "a leak");
        assert_eq!(person.event("join_failed")["code"], "banned");
    }
    let mut max = Program::start("max", &folder.path().join("max"));
    let chat = text(&import_text(&mut max, &leaked, "max"), "chat");
    // Whoever comes by it now is banned before they are in.
    assert_eq!(max.event("join_failed", &chat)["code"], "banned");

    // One of them is let back in by name, and the ban of the other stands.
    ann.does("unban", json!({ "member": dan.member }), "unbanned");
    let dans = dan.member.clone();
    bob.event_about("unbanned", &dans);
    assert_eq!(bob.sees(&dans)["banned"], false);
    assert_eq!(bob.sees(&eve.member)["banned"], true);
    let retry = dan.command("retry", json!({}));
    dan.program.tell(&retry);
    dan.event("peer_linked");
    dan.event_about("unbanned", &dans);
    dan.says("back");
    bob.program.hears("back");
}

#[test]
fn halves_of_a_chat_that_never_meet_agree_when_they_do() {
    let folder = folder();
    let mut ann = founder(folder.path());
    let several = export(&mut ann, json!({ "uses": 6 }));
    let mut bob = Person::come("bob", folder.path(), &several);
    let mut max = Person::come("max", folder.path(), &several);
    let mut eve = Person::come("eve", folder.path(), &several);
    let dan = Person::come("dan", folder.path(), &several);
    let promote = json!({ "member": max.member, "role": "moderator" });
    ann.does("set_role", promote, "role_changed");
    for person in [&mut ann, &mut bob, &mut max, &mut eve] {
        let chat = person.chat.clone();
        members_until(&mut person.program, &chat, |list| online(list).len() == 5);
    }
    let dans = dan.stop().0;
    let eves = eve.member.clone();
    max.asks_until("stats", |stats| {
        let peers = stats["peers"].as_array().expect("a list");
        peers.iter().any(|peer| peer["member"] == json!(eves))
    });
    agree(&mut [&mut ann, &mut bob, &mut max, &mut eve]);

    // One half: the founder and a member.
    let (maxs, eves) = (max.stop(), eve.stop());
    ann.does(
        "set_topic",
        json!({ "topic": "one", "locked": false }),
        "topic_changed",
    );
    ann.does(
        "set_role",
        json!({ "member": bob.member, "role": "moderator" }),
        "role_changed",
    );
    bob.event_about("role_changed", &bob.member.clone());
    bob.does(
        "ban",
        json!({ "member": eves.0, "reason": "by the one half" }),
        "banned",
    );
    let one = agree(&mut [&mut ann, &mut bob]);
    let (anns, bobs) = (ann.stop(), bob.stop());

    // The other, which hears nothing of it: a moderator and a member.
    let mut max = Person::start("max", folder.path(), maxs);
    let mut eve = Person::start("eve", folder.path(), eves);
    max.event("peer_linked");
    eve.does("set_topic", json!({ "topic": "two" }), "topic_changed");
    max.event("topic_changed");
    max.does(
        "ban",
        json!({ "member": dans, "reason": "by the other half" }),
        "banned",
    );
    max.does(
        "set_role",
        json!({ "member": bobs.0, "role": "observer" }),
        "role_changed",
    );
    let other = agree(&mut [&mut max, &mut eve]);
    assert_ne!(one, other);

    // All together. Who was banned by the one half is told so, and is out with what they know.
    let mut ann = Person::start("ann", folder.path(), anns);
    let mut bob = Person::start("bob", folder.path(), bobs);
    let eves = eve.member.clone();
    assert_eq!(eve.event_about("banned", &eves)["reason"], "by the one half");
    let whole = agree(&mut [&mut ann, &mut bob, &mut max]);
    assert!(whole != one && whole != other);
    for person in [&mut ann, &mut bob, &mut max] {
        assert_eq!(person.sees(&eves)["banned"], true);
        assert_eq!(person.sees(&dans)["banned"], true);
    }
    let anns = ann.member.clone();
    for person in [&mut bob, &mut max] {
        assert_eq!(person.sees(&anns)["role"], "founder");
    }
    assert_eq!(ann.sees(&bob.member.clone())["role"], "moderator");

    // And it stays so for those who start once more.
    let (anns, maxs) = (ann.stop(), max.stop());
    let mut ann = Person::start("ann", folder.path(), anns);
    let mut max = Person::start("max", folder.path(), maxs);
    assert_eq!(agree(&mut [&mut ann, &mut bob, &mut max]), whole);
}
