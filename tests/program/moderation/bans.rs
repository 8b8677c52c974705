//! Who is banned or ignored, and that all agree on it.

use serde_json::json;

use super::{Person, agree, export, founder};
use crate::process::{Program, text};
use crate::scene::{folder, import_text, members_until, online};

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
