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
use serde_json::json;
use throng::invite::InviteKey;

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
        ann.terminate();
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
