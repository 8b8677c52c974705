//! Three programs over loopback, driven by JSON lines as a bot would drive them.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};
use throng::crypto::SigningKey;
use throng::id::ChatId;
use throng::invite::{InviteKey, Rights};

use crate::process::{DEADLINE, Program, text};
use crate::scene::{create, folder, folder_alone, import_text, invite, members_until, online, say};

/// Three in a chat: by a file, by a link.
fn three(folder: &Path) -> (String, Program, Program, Program) {
    let mut ann = Program::start("ann", &folder.join("ann"));
    let mut bob = Program::start("bob", &folder.join("bob"));
    let mut eve = Program::start("eve", &folder.join("eve"));
    let chat = create(&mut ann, "Friends", "ann");
    let path = folder.join("friends.throng");
    let exported = invite(&mut ann, &chat, &json!({ "uses": 5, "path": path }));
    let file = fs::read_to_string(&path).expect("the invite's file");
    assert_eq!(file, text(&exported, "text"), "the file holds the text");

    let opened = bob.done(
        json!({ "command": "import_invite", "path": path, "nick": "bob" }),
        "chat_opened",
    );
    assert_eq!(
        (&opened["chat"], &opened["name"], &opened["kind"]),
        (&json!(chat), &json!("Friends"), &json!("private"))
    );
    bob.event("joined", &chat);
    import_text(&mut eve, &text(&exported, "link"), "eve");
    eve.event("joined", &chat);
    for program in [&mut ann, &mut bob, &mut eve] {
        members_until(program, &chat, |list| online(list) == ["ann", "bob", "eve"]);
    }
    (chat, ann, bob, eve)
}

#[test]
fn three_programs_talk() {
    let folder = folder();
    let (chat, mut ann, mut bob, mut eve) = three(folder.path());

    // A link leaves the name out; the chat's members tell it.
    let named = eve.expect("the chat's name", |event| {
        event["event"] == "chat_opened" && event["name"] == "Friends"
    });
    assert_eq!(named["chat"], json!(chat));

    let said = say(&mut ann, &chat, "hello, I am ann");
    for program in [&mut bob, &mut eve] {
        let heard = program.hears("hello, I am ann");
        for field in ["chat", "member", "nick", "id", "number", "at", "body"] {
            assert_eq!(heard[field], said[field], "{field}");
        }
        assert_eq!((&heard["own"], &heard["history"]), (&json!(false), &json!(false)));
    }
    assert_eq!(
        (text(&said, "nick"), text(&said, "body")),
        ("ann".to_owned(), "message".to_owned())
    );
    let delivered = ann.event("delivery", &chat);
    assert_eq!(
        (&delivered["id"], &delivered["state"]),
        (&said["id"], &json!("sent"))
    );
    assert!(delivered["reached"].as_u64() >= Some(1));

    say(&mut bob, &chat, "žluťoučký kůň 🐎");
    say(&mut eve, &chat, "and eve");
    for program in [&mut ann, &mut eve] {
        assert_eq!(program.hears("žluťoučký kůň 🐎")["nick"], "bob");
    }
    assert_eq!(bob.hears("and eve")["nick"], "eve");

    eve.done(
        json!({ "command": "act", "chat": chat, "text": "waves" }),
        "message",
    );
    assert_eq!(ann.hears("waves")["body"], "action");

    bob.done(
        json!({ "command": "set_nick", "chat": chat, "nick": "Robert" }),
        "nick_changed",
    );
    assert_eq!(
        ann.expect("the new nick", |event| event["event"] == "nick_changed"
            && event["nick"] == "Robert")["chat"],
        json!(chat)
    );
    eve.expect("the new nick", |event| {
        event["event"] == "nick_changed" && event["nick"] == "Robert"
    });
    say(&mut bob, &chat, "under another name");
    assert_eq!(eve.hears("under another name")["nick"], "Robert");

    let topic = eve.done(
        json!({ "command": "set_topic", "chat": chat, "topic": "Horses" }),
        "topic_changed",
    );
    for program in [&mut ann, &mut bob] {
        let changed = program.expect("the topic", |event| event["event"] == "topic_changed");
        assert_eq!(
            (&changed["topic"], &changed["by"]),
            (&json!("Horses"), &topic["by"])
        );
    }
    ann.done(
        json!({ "command": "set_status", "chat": chat, "status": "busy" }),
        "status_changed",
    );
    for program in [&mut bob, &mut eve] {
        assert_eq!(program.event("status_changed", &chat)["status"], "busy");
    }
    let members = members_until(&mut bob, &chat, |list| list.len() == 3);
    let ann_there = &members["members"][0];
    assert_eq!(
        (
            &ann_there["nick"],
            &ann_there["role"],
            &ann_there["status"],
            &ann_there["own"]
        ),
        (&json!("ann"), &json!("founder"), &json!("busy"), &json!(false))
    );

    let stats = ann.done(json!({ "command": "stats", "chat": chat }), "stats");
    assert_eq!(
        (&stats["links"], &stats["members"]),
        (&json!(2), &json!(3)),
        "{stats}"
    );
    assert!(stats["packets_in"].as_u64() > Some(0) && stats["bytes_out"].as_u64() > Some(0));

    let history = ann.done(
        json!({ "command": "history", "chat": chat, "limit": 2 }),
        "history",
    );
    let texts: Vec<_> = history["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| text(m, "text"))
        .collect();
    assert_eq!(texts, ["waves", "under another name"]);
    assert_eq!(history["more_before"], true);
    for program in [ann, bob, eve] {
        program.shut_down();
    }
}

#[test]
fn whoever_restarts_is_back_within_seconds() {
    let folder = folder();
    let (chat, mut ann, mut bob, mut eve) = three(folder.path());
    say(&mut ann, &chat, "before");
    bob.hears("before");
    bob.done(
        json!({ "command": "set_topic", "chat": chat, "topic": "Horses" }),
        "topic_changed",
    );
    ann.event("topic_changed", &chat);
    let of_bob = members_until(&mut bob, &chat, |list| list.len() == 3);

    bob.shut_down();
    assert_eq!(
        ann.expect("bob's leave", |event| event["event"] == "member_left")["why"],
        "quit"
    );
    say(&mut ann, &chat, "while bob was away");

    let started_at = Instant::now();
    let mut bob = Program::start("bob again", &folder.path().join("bob"));
    let opened = bob.event("chat_opened", &chat);
    assert_eq!(
        (
            &opened["name"],
            &opened["nick"],
            &opened["topic"],
            &opened["joined"]
        ),
        (&json!("Friends"), &json!("bob"), &json!("Horses"), &json!(true))
    );
    let own = of_bob["members"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|m| m["own"] == true)
        .expect("bob");
    assert_eq!(opened["member"], own["member"], "the same member");
    bob.event("peer_linked", &chat);
    let took = started_at.elapsed();
    assert!(
        took < Duration::from_secs(10),
        "linked again within seconds, not {took:?}"
    );
    let history = bob.done(
        json!({ "command": "history", "chat": chat, "limit": 10 }),
        "history",
    );
    assert_eq!(history["messages"][0]["text"], "before");
    members_until(&mut bob, &chat, |list| online(list) == ["ann", "bob", "eve"]);
    say(&mut bob, &chat, "back again");
    assert_eq!(ann.hears("back again")["nick"], "bob");
    eve.hears("back again");

    // Now the others, one after another: whom bob met is found again from what bob remembers, and the other way.
    ann.shut_down();
    let mut ann = Program::start("ann again", &folder.path().join("ann"));
    let sessions = [
        text(&opened, "client_id"),
        text(&ann.event("chat_opened", &chat), "client_id"),
    ];
    assert_ne!(sessions[0], sessions[1]);
    ann.event("peer_linked", &chat);
    bob.shut_down();
    let mut bob = Program::start("bob a third time", &folder.path().join("bob"));
    let session = text(&bob.event("chat_opened", &chat), "client_id");
    assert!(!sessions.contains(&session), "a new client_id at every start");
    bob.event("peer_linked", &chat);
    for program in [&mut ann, &mut bob, &mut eve] {
        members_until(program, &chat, |list| online(list) == ["ann", "bob", "eve"]);
    }
    say(&mut ann, &chat, "all here");
    for program in [&mut bob, &mut eve] {
        program.hears("all here");
    }

    // All at once.
    for program in [ann, bob, eve] {
        program.shut_down();
    }
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let mut bob = Program::start("bob", &folder.path().join("bob"));
    ann.event("peer_linked", &chat);
    say(&mut bob, &chat, "two of three");
    ann.hears("two of three");
}

#[test]
fn who_is_killed_is_missed() {
    let folder = folder();
    let (chat, mut ann, mut bob, eve) = three(folder.path());
    eve.kill();
    for program in [&mut ann, &mut bob] {
        let left = program.event("member_left", &chat);
        assert_eq!((&left["nick"], &left["why"]), (&json!("eve"), &json!("lost")));
        members_until(program, &chat, |list| online(list) == ["ann", "bob"]);
    }
    // What was said and kept before a kill is there after it.
    let mut eve = Program::start("eve", &folder.path().join("eve"));
    eve.event("peer_linked", &chat);
    say(&mut eve, &chat, "back");
    ann.hears("back");
}

#[test]
fn an_invite_lets_in_as_many_as_it_says_and_nobody_else() {
    let folder = folder();
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let mut bob = Program::start("bob", &folder.path().join("bob"));
    let mut eve = Program::start("eve", &folder.path().join("eve"));
    let chat = create(&mut ann, "Two of us", "ann");
    let import = |text: &str| json!({ "command": "import_invite", "text": text, "nick": "x" });

    let once = text(&invite(&mut ann, &chat, &json!({})), "text");
    import_text(&mut bob, &once, "bob");
    bob.event("joined", &chat);
    let (code, sentence) = bob.fails(import(&once));
    assert_eq!(code, "already");
    assert!(sentence.contains("Two of us"));

    import_text(&mut eve, &once, "eve");
    let failed = eve.event("join_failed", &chat);
    assert_eq!(failed["code"], "spent", "{failed}");
    eve.done(json!({ "command": "leave_chat", "chat": chat }), "chat_closed");

    let over = text(&invite(&mut ann, &chat, &json!({ "expires_in": 0 })), "text");
    assert_eq!(eve.fails(import(&over)).0, "expired");

    // What was altered on its way.
    let whole = text(&invite(&mut ann, &chat, &json!({ "uses": 0 })), "text");
    for cut in [whole.len() / 2, whole.len() - 30] {
        assert_eq!(eve.fails(import(&whole[..cut])).0, "damaged");
    }
    let (head, tail) = whole.split_at(whole.len() / 2);
    let other = if tail.starts_with('A') { "B" } else { "A" };
    assert_eq!(
        eve.fails(import(&format!("{head}{other}{}", &tail[1..]))).0,
        "damaged"
    );
    for nothing in ["", "hello", "throng:"] {
        assert_eq!(eve.fails(import(nothing)).0, "damaged", "{nothing:?}");
    }
    let nowhere = folder.path().join("none.throng");
    let import_path = |path: &Path| json!({ "command": "import_invite", "path": path, "nick": "x" });
    assert_eq!(eve.fails(import_path(&nowhere)).0, "not_found");
    assert_eq!(eve.fails(import_path(folder.path())).0, "file");
    let huge = folder.path().join("huge.throng");
    fs::File::create(&huge)
        .and_then(|file| file.set_len(1 << 30))
        .expect("a sparse gigabyte");
    assert_eq!(eve.fails(import_path(&huge)).0, "damaged");
    assert_eq!(
        eve.fails(json!({ "command": "import_invite", "nick": "x" })).0,
        "bad_command"
    );

    // A chat that eve made herself is another chat: nobody of ann's chat is in it, and the other way round.
    let own = create(&mut eve, "Two of us", "eve");
    assert_ne!(own, chat);
    members_until(&mut ann, &chat, |list| list.len() == 2);
    members_until(&mut eve, &own, |list| list.len() == 1);

    // Members invite nobody.
    let command = json!({ "command": "export_invite", "chat": chat });
    assert_eq!(bob.fails(command).0, "not_allowed");

    // Reading is all that an observer may do.
    let reading = text(&invite(&mut ann, &chat, &json!({ "rights": "observer" })), "link");
    import_text(&mut eve, &reading, "eve");
    eve.event("joined", &chat);
    say(&mut ann, &chat, "for all to read");
    eve.hears("for all to read");
    assert_eq!(
        eve.fails(json!({ "command": "say", "chat": chat, "text": "no" }))
            .0,
        "not_allowed"
    );
    assert_eq!(
        eve.fails(json!({ "command": "set_topic", "chat": chat, "topic": "no" }))
            .0,
        "not_allowed"
    );
}

#[test]
fn when_very_many_messages_wait_the_next_is_refused_and_not_lost() {
    let folder = folder();
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let chat = create(&mut ann, "Alone", "ann");
    for number in 0..256 {
        say(&mut ann, &chat, &format!("message {number}"));
    }
    let (code, sentence) = ann.fails(json!({ "command": "say", "chat": chat, "text": "one more" }));
    assert_eq!(code, "busy", "{sentence}");
}

/// An invite signed by somebody who is not the chat's founder: made of what a member or an ex-member has.
#[test]
fn a_forged_invite_leads_nowhere() {
    let folder = folder();
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let mut eve = Program::start("eve", &folder.path().join("eve"));
    let chat = create(&mut ann, "Not for all", "ann");
    let real = InviteKey::parse(&text(&invite(&mut ann, &chat, &json!({})), "text")).expect("an invite");

    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let forger = SigningKey::generate(&mut rng);
    let charter = real.charter.clone().expect("a file has the charter");
    let mut forged = InviteKey::issue(
        &forger,
        &charter,
        real.rendezvous,
        1,
        Rights::Member,
        0,
        0,
        real.addresses.clone(),
        &mut rng,
    );
    assert_eq!(forged.chat, ChatId(forger.public()));
    forged.chat = real.chat;
    for form in [forged.to_armour(), forged.to_link()] {
        let (code, _) = eve.fails(json!({ "command": "import_invite", "text": form, "nick": "eve" }));
        assert_eq!(code, "wrong_chat");
    }
    // As the forger's own chat it is whole, but nobody is there: the same gate, another chat.
    forged.chat = ChatId(forger.public());
    forged.charter = None;
    let opened = import_text(&mut eve, &forged.to_link(), "eve");
    let failed = eve.event("join_failed", &text(&opened, "chat"));
    assert_eq!(failed["code"], "unreachable");
    members_until(&mut ann, &chat, |list| list.len() == 1);
}

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

#[test]
fn who_leaves_is_gone_and_forgotten() {
    let folder = folder();
    let (chat, mut ann, mut bob, mut eve) = three(folder.path());
    say(&mut ann, &chat, "forget me");
    bob.hears("forget me");
    let closed = bob.done(json!({ "command": "leave_chat", "chat": chat }), "chat_closed");
    assert_eq!(closed["unsent"], json!(0), "{closed}");
    for program in [&mut ann, &mut eve] {
        let left = program.event("member_left", &chat);
        assert_eq!((&left["nick"], &left["why"]), (&json!("bob"), &json!("quit")));
    }
    assert_eq!(
        bob.fails(json!({ "command": "history", "chat": chat, "limit": 1 }))
            .0,
        "not_found"
    );
    bob.shut_down();
    let database = fs::read(folder.path().join("bob/throng.db")).expect("a file");
    let word = b"forget me";
    assert!(
        !database.windows(word.len()).any(|window| window == word),
        "nothing of it is left"
    );
    let bob = Program::start("bob again", &folder.path().join("bob"));
    bob.shut_down();
}

#[test]
fn who_leaves_hears_how_much_was_never_sent() {
    let folder = folder();
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    for kind in ["private", "classic"] {
        let command = json!({ "command": "create_chat", "name": "Alone", "kind": kind, "nick": "ann" });
        let chat = text(&ann.done(command, "chat_opened"), "chat");
        say(&mut ann, &chat, "one");
        say(
            &mut ann,
            &chat,
            &"a long one ".repeat(200)[..if kind == "private" { 2_000 } else { 100 }],
        );
        let closed = ann.done(json!({ "command": "leave_chat", "chat": chat }), "chat_closed");
        assert_eq!(closed["unsent"], json!(2), "{closed}");
    }
}

#[test]
fn one_program_per_profile_and_an_end_in_order_by_all_ways() {
    let folder = folder();
    let profile = folder.path().join("ann");
    let mut ann = Program::start("ann", &profile);
    let chat = create(&mut ann, "Mine", "ann");
    let mut second = Program::spawn("second", &profile, "127.0.0.1:0");
    let error = second.next("an error");
    assert_eq!(
        (&error["event"], &error["code"]),
        (&json!("error"), &json!("locked")),
        "{error}"
    );
    assert_eq!(second.next("bye")["event"], "bye");
    assert_eq!(second.ended().code(), Some(1));

    ann.close_stdin();
    assert_eq!(ann.next("bye")["event"], "bye");
    assert!(ann.ended().success());

    #[cfg(unix)]
    {
        let mut ann = Program::start("ann again", &profile);
        ann.event("chat_opened", &chat);
        let killed = std::process::Command::new("kill")
            .arg(ann.pid().to_string())
            .status()
            .expect("kill");
        assert!(killed.success());
        assert_eq!(ann.next("bye")["event"], "bye");
        assert!(ann.ended().success());
    }
}

#[test]
fn what_was_said_alone_is_delivered_with_the_first_link() {
    let folder = folder();
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let mut bob = Program::start("bob", &folder.path().join("bob"));
    let chat = create(&mut ann, "Early", "ann");
    let invite = text(&invite(&mut ann, &chat, &json!({})), "text");
    let said = say(&mut ann, &chat, "anybody here?");
    let waiting = ann.event("delivery", &chat);
    assert_eq!(
        (&waiting["id"], &waiting["state"]),
        (&said["id"], &json!("waiting"))
    );
    import_text(&mut bob, &invite, "bob");
    bob.event("joined", &chat);
    assert_eq!(bob.hears("anybody here?")["id"], said["id"]);
    let sent = ann.event("delivery", &chat);
    assert_eq!((&sent["id"], &sent["state"]), (&said["id"], &json!("sent")));
}

#[test]
fn what_was_said_alone_outlives_the_program_and_is_said_once() {
    let folder = folder();
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let mut bob = Program::start("bob", &folder.path().join("bob"));
    let chat = create(&mut ann, "Early", "ann");
    let invite = text(&invite(&mut ann, &chat, &json!({})), "text");
    say(&mut ann, &chat, "first");
    ann.done(
        json!({ "command": "act", "chat": chat, "text": "waits" }),
        "message",
    );
    ann.shut_down();

    // Nobody is there: bob is told so, and comes in when somebody is.
    import_text(&mut bob, &invite, "bob");
    let failed = bob.event("join_failed", &chat);
    assert_eq!(failed["code"], "unreachable");
    let mut ann = Program::start("ann again", &folder.path().join("ann"));
    bob.tell(&json!({ "command": "retry", "chat": chat }));
    bob.event("joined", &chat);
    assert_eq!(bob.hears("first")["body"], "message");
    assert_eq!(bob.hears("waits")["body"], "action");
    ann.expect("the last delivery", |event| {
        event["event"] == "delivery" && event["state"] == "sent" && event["reached"] == 1
    });

    for _ in 0..2 {
        let history = ann.done(
            json!({ "command": "history", "chat": chat, "limit": 10 }),
            "history",
        );
        let messages = history["messages"].as_array().expect("a list");
        let texts: Vec<_> = messages.iter().map(|message| text(message, "text")).collect();
        assert_eq!(texts, ["first", "waits"]);
        ann.shut_down();
        ann = Program::start("ann once more", &folder.path().join("ann"));
        ann.event("peer_linked", &chat);
    }
    say(&mut ann, &chat, "last");
    bob.hears("last");
    let heard_again = bob.unclaimed().iter().any(|event| event["event"] == "message");
    assert!(!heard_again, "what was delivered is not said again");
}

#[test]
fn where_the_network_can_not_be_used_the_chat_stays_listed() {
    let folder = folder();
    let profile = folder.path().join("ann");
    // An address of documentation: not this computer's.
    let mut ann = Program::start_at("ann", &profile, "192.0.2.1:4000");
    let command = json!({ "command": "create_chat", "name": "Here", "kind": "private", "nick": "ann" });
    let opened = ann.done(command, "chat_opened");
    assert_eq!(opened["listen"], "0.0.0.0:0");
    let error = ann.event("error", &text(&opened, "chat"));
    assert_eq!(error["code"], "network");
    assert!(text(&error, "message").contains("192.0.2.1:4000"), "{error}");
    say(&mut ann, &text(&opened, "chat"), "kept");
    ann.shut_down();

    // Several chats take ports in a row.
    let mut ann = Program::start("ann again", &profile);
    let first: SocketAddr = text(&ann.next("the chat"), "listen").parse().expect("an address");
    ann.shut_down();
    let mut ann = Program::start_at("ann in a row", &profile, &first.to_string());
    assert_eq!(text(&ann.next("the chat"), "listen"), first.to_string());
    let second = create(&mut ann, "Second", "ann");
    let command = json!({ "command": "export_invite", "chat": second });
    let invite = InviteKey::parse(&text(&ann.done(command, "invite_exported"), "text")).expect("an invite");
    let second: Vec<_> = invite.addresses.iter().map(|seen| seen.address).collect();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].ip(), first.ip());
    assert!(second[0].port() > first.port());
}

#[test]
fn garbage_at_full_speed_holds_nobody_up() {
    let folder = folder_alone();
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let mut bob = Program::start("bob", &folder.path().join("bob"));
    let command = json!({ "command": "create_chat", "name": "Loud", "kind": "private", "nick": "ann" });
    let opened = ann.done(command, "chat_opened");
    let (chat, target) = (text(&opened, "chat"), text(&opened, "listen"));
    let invite = text(&invite(&mut ann, &chat, &json!({})), "text");
    let key: [u8; 32] = HEXLOWER
        .decode(text(&opened, "client_id").as_bytes())
        .expect("hex")
        .try_into()
        .expect("32 bytes");

    let over = Arc::new(AtomicBool::new(false));
    let flood = {
        let over = over.clone();
        thread::spawn(move || {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
            let mut rng = ChaCha20Rng::seed_from_u64(11);
            let mut packet = [0; 400];
            packet[0] = 48;
            packet[1..33].copy_from_slice(&key);
            while !over.load(Ordering::Relaxed) {
                rng.fill_bytes(&mut packet[33..]);
                // A full buffer is the flooder's own trouble.
                let _ = socket.send_to(&packet, &target);
            }
        })
    };
    let began_at = Instant::now();
    // All goes on under the flood: joining, talking, asking.
    import_text(&mut bob, &invite, "bob");
    bob.event("joined", &chat);
    for n in 0..20 {
        let words = format!("message {n}");
        say(&mut ann, &chat, &words);
        bob.hears(&words);
    }
    // Until it was a flood indeed.
    let mut came = 0;
    while came < 20_000 {
        let asked_at = Instant::now();
        let stats = ann.done(json!({ "command": "stats", "chat": chat }), "stats");
        let waited = asked_at.elapsed();
        assert!(
            waited < Duration::from_secs(2),
            "an answer took {waited:?} after {came} datagrams"
        );
        came = stats["packets_in"].as_u64().expect("a number");
        assert!(
            asked_at.duration_since(began_at) < DEADLINE,
            "only {came} datagrams came"
        );
    }
    say(&mut bob, &chat, "still here");
    ann.hears("still here");
    over.store(true, Ordering::Relaxed);
    flood.join().expect("ended");
}
