//! Invites and doors: who comes in, how, and who says so.

use std::time::Instant;

use serde_json::{Value, json};

use super::{Person, agree, export, founder};
use crate::process::{Program, text};
use crate::scene::{folder, import_text, invite};

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
