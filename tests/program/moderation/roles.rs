//! Who may do what, and what becomes of it.

use serde_json::{Value, json};

use super::{Person, export, founder};
use crate::process::text;
use crate::scene::{folder, members_until, online};

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
