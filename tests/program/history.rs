//! What was said while one was away, by JSON lines over real sockets: programs that come and go, latecomers, words that
//! waited for a link over a restart.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::process::{Program, text};
use crate::scene::{create, folder, import_text, invite, members_until, online, say, stored};

/// A member of a chat, whether their program runs or not.
struct Member {
    nick: &'static str,
    profile: PathBuf,
    program: Option<Program>,
}

impl Member {
    fn new(nick: &'static str, folder: &Path) -> Self {
        Self {
            nick,
            profile: folder.join(nick),
            program: None,
        }
    }

    fn start(&mut self) -> &mut Program {
        let program = Program::start(self.nick, &self.profile);
        self.program.insert(program)
    }

    fn stop(&mut self) {
        if let Some(program) = self.program.take() {
            program.shut_down();
        }
    }

    fn kill(&mut self) {
        if let Some(program) = self.program.take() {
            program.kill();
        }
    }

    fn program(&mut self) -> &mut Program {
        self.program.as_mut().expect("it runs")
    }
}

/// So many in a chat, all running.
fn friends(folder: &Path, nicks: &[&'static str]) -> (String, Vec<Member>) {
    let mut members: Vec<Member> = nicks.iter().map(|nick| Member::new(nick, folder)).collect();
    let chat = create(members[0].start(), "Friends", nicks[0]);
    let more = json!({ "uses": nicks.len() });
    let link = text(&invite(members[0].program(), &chat, &more), "link");
    for member in &mut members[1..] {
        let nick = member.nick;
        import_text(member.start(), &link, nick);
        member.program().event("joined", &chat);
    }
    for member in &mut members {
        members_until(member.program(), &chat, |list| online(list).len() == nicks.len());
        // Who is to be found again has to have been met: everyone is linked to everyone.
        let mut linked = BTreeSet::new();
        while linked.len() + 1 < nicks.len() {
            linked.insert(text(&member.program().event("peer_linked", &chat), "member"));
        }
    }
    (chat, members)
}

/// The texts that a program has of a chat, each as often as it stands there.
fn texts(program: &mut Program, chat: &str) -> Vec<String> {
    let mut texts: Vec<String> = stored(program, chat)
        .values()
        .map(|message| text(message, "text"))
        .collect();
    texts.sort();
    texts
}

#[test]
fn what_was_said_while_one_was_away_comes_from_whoever_heard_it() {
    let folder = folder();
    let (chat, mut members) = friends(folder.path(), &["ann", "bob", "eve"]);
    members[1].stop();
    let said = say(members[0].program(), &chat, "bob is away");
    members[2].program().hears("bob is away");
    // Whoever said it is gone when bob comes back.
    members[0].stop();
    let bob = members[1].start();
    bob.event("chat_opened", &chat);
    let heard = bob.hears("bob is away");
    for field in ["id", "member", "number", "at", "text"] {
        assert_eq!(heard[field], said[field], "{field}");
    }
    assert_eq!((&heard["history"], &heard["own"]), (&json!(true), &json!(false)));
    let progress = bob.expect("the end of the round", |event| {
        event["event"] == "history_progress" && event["done"] == true
    });
    assert_eq!(progress["chat"], json!(chat));
    assert_eq!(texts(members[1].program(), &chat), ["bob is away"]);
}

#[test]
fn of_three_any_two_are_there_at_a_time_and_everything_reaches_everyone() {
    let folder = folder();
    let (chat, mut members) = friends(folder.path(), &["ann", "bob", "eve"]);
    let mut expected = Vec::new();
    for round in 0..6 {
        let (away, here, other) = (round % 3, (round + 1) % 3, (round + 2) % 3);
        members[away].stop();
        for by in [here, other] {
            let words = format!("{} in round {round}", members[by].nick);
            say(members[by].program(), &chat, &words);
            let hearer = if by == here { other } else { here };
            members[hearer].program().hears(&words);
            expected.push(words);
        }
        members[away].start().event("chat_opened", &chat);
        for words in &expected[expected.len() - 2..] {
            members[away].program().hears(words);
        }
    }
    expected.sort();
    let all: Vec<_> = members
        .iter_mut()
        .map(|member| stored(member.program(), &chat))
        .collect();
    for (member, stored) in members.iter_mut().zip(&all) {
        assert_eq!(
            stored.keys().collect::<Vec<_>>(),
            all[0].keys().collect::<Vec<_>>(),
            "the same ids at {}",
            member.nick
        );
        assert_eq!(texts(member.program(), &chat), expected, "at {}", member.nick);
    }
}

#[test]
fn a_latecomer_gets_the_newest_at_once_and_the_rest_by_scrolling_up() {
    let folder = folder();
    let (chat, mut members) = friends(folder.path(), &["ann", "bob"]);
    // Not faster than one may speak: what is over it waits.
    for number in 0..130 {
        say(members[0].program(), &chat, &format!("message {number:03}"));
    }
    members[1].program().hears("message 129");
    let link = text(&invite(members[0].program(), &chat, &json!({})), "link");
    let mut late = Member::new("late", folder.path());
    import_text(late.start(), &link, "late");
    let program = late.program();
    program.event("joined", &chat);
    let heard = program.hears("message 129");
    assert_eq!(heard["history"], json!(true), "{heard}");
    program.hears("message 030");
    let page = json!({ "command": "history", "chat": chat, "limit": 200 });
    let page = program.done(page, "history");
    let texts_of = |page: &Value| -> BTreeSet<String> {
        let messages = page["messages"].as_array().expect("a list");
        messages.iter().map(|message| text(message, "text")).collect()
    };
    let numbers = |numbers: std::ops::Range<u32>| numbers.map(|number| format!("message {number:03}"));
    // What was said in the last seconds comes by repair as well.
    assert!(texts_of(&page).is_superset(&numbers(30..130).collect()), "{page}");
    assert!(
        texts_of(&page).len() == 130 || page["more_before"] == json!(true),
        "{page}"
    );

    let oldest = &page["messages"][0]["id"];
    let older = json!({ "command": "history", "chat": chat, "before": oldest, "limit": 200 });
    let older = program.done(older, "history");
    assert_eq!(older["more_before"], json!(false), "nobody has anything older");
    let all = json!({ "command": "history", "chat": chat, "limit": 200 });
    let all = program.done(all, "history");
    assert_eq!(texts_of(&all), numbers(0..130).collect());
}

#[test]
fn the_founder_says_what_of_the_past_newcomers_get() {
    let folder = folder();
    let (chat, mut members) = friends(folder.path(), &["ann", "bob"]);
    let rule = json!({ "command": "set_history_rule", "chat": chat, "mode": "from_joining" });
    let (code, _) = members[1].program().fails(rule.clone());
    assert_eq!(code, "not_allowed");
    let changed = members[0].program().done(rule, "history_rule_changed");
    assert_eq!(changed["mode"], json!("from_joining"));
    members[1].program().event("history_rule_changed", &chat);
    say(members[0].program(), &chat, "between us");
    members[1].program().hears("between us");

    let link = text(&invite(members[0].program(), &chat, &json!({})), "link");
    let mut late = Member::new("late", folder.path());
    import_text(late.start(), &link, "late");
    late.program().event("joined", &chat);
    say(members[1].program(), &chat, "welcome");
    late.program().hears("welcome");
    late.program().expect("the end of the round", |event| {
        event["event"] == "history_progress" && event["done"] == true
    });
    assert_eq!(texts(late.program(), &chat), ["welcome"]);
}

#[test]
fn what_waits_for_a_link_is_kept_over_a_restart_and_comes_once() {
    let folder = folder();
    let (chat, mut members) = friends(folder.path(), &["ann", "bob"]);
    let kept_state = |program: &mut Program| {
        let page = json!({ "command": "history", "chat": chat, "limit": 9 });
        text(&program.done(page, "history")["messages"][0], "delivery")
    };
    members[1].stop();
    let ann = members[0].program();
    ann.event("peer_lost", &chat);
    let said = say(ann, &chat, "into the void");
    let waiting = ann.event("delivery", &chat);
    assert_eq!(
        (&waiting["id"], &waiting["state"]),
        (&said["id"], &json!("waiting"))
    );
    members[0].kill();

    members[0].start().event("chat_opened", &chat);
    assert_eq!(kept_state(members[0].program()), "waiting");
    members[1].start();
    let heard = members[1].program().hears("into the void");
    assert_eq!(heard["id"], said["id"], "the same message");
    let sent = members[0].program().expect("that it went out", |event| {
        event["event"] == "delivery" && event["state"] == "sent"
    });
    assert_eq!(sent["id"], said["id"]);
    assert_eq!(kept_state(members[0].program()), "sent");
    for member in &mut members {
        assert_eq!(texts(member.program(), &chat), ["into the void"]);
    }
}

#[test]
fn what_was_said_is_found_by_its_words() {
    let folder = folder();
    let (chat, mut members) = friends(folder.path(), &["ann", "bob"]);
    say(members[0].program(), &chat, "The boat leaves at noon");
    say(members[0].program(), &chat, "明日は晴れです");
    members[1].program().hears("明日は晴れです");
    say(members[1].program(), &chat, "No boat for me, \"OR\" what?");
    let ann = members[0].program();
    ann.hears("No boat for me, \"OR\" what?");
    let mut found = |words: &str| -> Vec<String> {
        let search = json!({ "command": "search", "text": words, "limit": 10 });
        let results = ann.done(search, "search_results");
        let messages = results["messages"].as_array().expect("a list");
        messages.iter().map(|message| text(message, "text")).collect()
    };
    let (noon, weather, no_boat) = (
        "The boat leaves at noon",
        "明日は晴れです",
        "No boat for me, \"OR\" what?",
    );
    assert_eq!(found("BOAT"), [no_boat, noon], "the newest first");
    assert_eq!(found("boat noon"), [noon]);
    assert_eq!(
        found("晴れ"),
        [weather],
        "two letters, within a text without spaces"
    );
    assert_eq!(found("boat from:bob"), [no_boat]);
    assert_eq!(found("or\" boat"), [no_boat], "what people type is no syntax");
    assert_eq!(found("boat in:friend after:2020-01-01"), [no_boat, noon]);
    assert_eq!(found("boat before:2020-01-01"), [""; 0]);
    assert_eq!(found("submarine"), [""; 0]);
    let first = json!({ "command": "search", "text": "boat", "chat": chat, "limit": 1 });
    let first = ann.done(first, "search_results");
    assert_eq!(first["more"], json!(true));
    let before = &first["messages"][0]["id"];
    let older = json!({ "command": "search", "text": "boat", "chat": chat, "before": before, "limit": 1 });
    let older = ann.done(older, "search_results");
    assert_eq!(
        (&older["messages"][0]["text"], &older["more"]),
        (&json!(noon), &json!(false))
    );
    let (code, sentence) = ann.fails(json!({ "command": "search", "text": "x before:soon", "limit": 1 }));
    assert_eq!(code, "bad_command");
    assert!(sentence.contains("before:2026-11-20"), "{sentence}");
    let (code, _) = ann.fails(json!({ "command": "search", "text": "x in:nowhere", "limit": 1 }));
    assert_eq!(code, "not_found");
}

#[test]
fn what_is_cleared_is_gone_here_and_is_not_fetched_again() {
    let folder = folder();
    let (chat, mut members) = friends(folder.path(), &["ann", "bob"]);
    say(members[0].program(), &chat, "quicksilver secret");
    members[1].program().hears("quicksilver secret");
    let bob = members[1].program();
    bob.done(
        json!({ "command": "clear_history", "chat": chat }),
        "history_cleared",
    );
    assert_eq!(texts(bob, &chat), [""; 0]);
    let search = json!({ "command": "search", "text": "quicksilver", "limit": 9 });
    assert_eq!(bob.done(search, "search_results")["messages"], json!([]));
    members[1].stop();
    for file in std::fs::read_dir(folder.path().join("bob")).expect("a profile") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("its bytes");
        for word in ["quicksilver", "qui", "ksi"] {
            let is_there = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!is_there || word.len() == 3, "{word} is left");
        }
    }
    let bob = members[1].start();
    bob.event("chat_opened", &chat);
    say(members[0].program(), &chat, "and on");
    members[1].program().hears("and on");
    assert_eq!(texts(members[1].program(), &chat), ["and on"]);
    assert_eq!(
        texts(members[0].program(), &chat),
        ["and on", "quicksilver secret"]
    );
}

#[test]
fn a_chat_keeps_as_much_as_it_is_told_to() {
    let folder = folder();
    let (chat, mut members) = friends(folder.path(), &["ann", "bob"]);
    let ann = members[0].program();
    say(ann, &chat, "of today");
    let keep = |keep: Value| {
        let mut command = json!({ "command": "set_retention", "chat": chat });
        for (field, value) in keep.as_object().expect("an object") {
            command[field] = value.clone();
        }
        command
    };
    let (code, _) = ann.fails(keep(json!({ "keep": "days", "days": 0 })));
    assert_eq!(code, "bad_command");
    let changed = ann.done(keep(json!({ "keep": "days", "days": 1 })), "retention_changed");
    assert_eq!((&changed["keep"], &changed["days"]), (&json!("days"), &json!(1)));
    ann.done(keep(json!({ "keep": "mib", "mib": 1 })), "retention_changed");
    assert_eq!(texts(ann, &chat), ["of today"]);
    members[0].stop();
    let opened = members[0].start().event("chat_opened", &chat);
    assert_eq!(opened["retention"], json!({ "keep": "mib", "mib": 1 }));
}

#[test]
fn a_long_text_comes_whole_and_a_longer_one_is_refused() {
    let folder = folder();
    let (chat, mut members) = friends(folder.path(), &["ann", "bob"]);
    let long = "ß".repeat(2048);
    say(members[0].program(), &chat, &long);
    assert_eq!(members[1].program().hears(&long)["history"], json!(false));
    let longer = json!({ "command": "say", "chat": chat, "text": format!("{long}!") });
    assert_eq!(members[0].program().fails(longer).0, "too_long");
    members[1].stop();
    let other = "한".repeat(1365);
    say(members[0].program(), &chat, &other);
    members[1].start().event("chat_opened", &chat);
    members[1].program().hears(&other);
}
