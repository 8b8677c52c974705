//! Coming in and coming back, by JSON lines over real sockets: newcomers who leave at once, invites whose addresses went
//! stale or which are spent, and another invite to the same chat.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::json;
use throng::crypto::SigningKey;
use throng::id::ChatId;
use throng::invite::{InviteKey, Rights};

use crate::process::{Program, text};
use crate::scene::{create, folder, import_text, invite, members_until, say, stored};

/// So long at most until somebody is linked who can be reached.
const LINKED_WITHIN: Duration = Duration::from_secs(20);

/// So long at most from a link until words that waited are there.
const HEARD_WITHIN: Duration = Duration::from_secs(60);

/// An invite for one, as a link.
fn link_of(program: &mut Program, chat: &str) -> String {
    text(&invite(program, chat, &json!({})), "link")
}

fn start_in(folder: &Path, nick: &str) -> Program {
    Program::start(nick, &folder.join(nick))
}

/// Starts a member where nobody looks for them: at a port that is free, and none of theirs before.
fn start_elsewhere(folder: &Path, nick: &str) -> Program {
    let free = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let listen = free.local_addr().expect("its address").to_string();
    drop(free);
    Program::start_at(nick, &folder.join(nick), &listen)
}

fn within(span: Duration, since: Instant, what: &str) {
    let took = since.elapsed();
    assert!(took <= span, "{what} after {took:?}, not within {span:?}");
}

/// Runs the same for each stay at a time: what they wait for is the clock.
fn at_once(stays: &[u64], test: impl Fn(Duration) + Sync) {
    thread::scope(|scope| {
        for stay in stays {
            let test = &test;
            scope.spawn(move || test(Duration::from_secs(*stay)));
        }
    });
}

#[test]
fn words_of_a_newcomer_who_left_before_comparing_reach_the_others() {
    at_once(&[0, 1, 2, 4, 8], |stay| {
        let folder = folder();
        let mut ann = start_in(folder.path(), "ann");
        let chat = create(&mut ann, "Friends", "ann");
        let link = link_of(&mut ann, &chat);
        let mut bob = start_in(folder.path(), "bob");
        import_text(&mut bob, &link, "bob");
        bob.event("joined", &chat);
        thread::sleep(stay);
        bob.shut_down();
        ann.shut_down();

        let mut bob = start_in(folder.path(), "bob");
        bob.event("chat_opened", &chat);
        let said = say(&mut bob, &chat, "said alone");
        bob.shut_down();

        let mut ann = start_in(folder.path(), "ann");
        ann.event("chat_opened", &chat);
        let mut bob = start_in(folder.path(), "bob");
        ann.event("peer_linked", &chat);
        let linked = Instant::now();
        assert_eq!(ann.hears("said alone")["id"], said["id"]);
        within(
            HEARD_WITHIN,
            linked,
            &format!("heard ({stay:?} after joining was stopped)"),
        );
        let delivered = bob.event("delivery", &chat);
        assert_eq!(
            (&delivered["id"], &delivered["state"]),
            (&said["id"], &json!("sent"))
        );
    });
}

#[test]
fn a_newcomer_who_leaves_early_finds_those_whom_the_first_member_told_of() {
    at_once(&[0, 1, 3], |stay| {
        let folder = folder();
        let mut ann = start_in(folder.path(), "ann");
        let chat = create(&mut ann, "Friends", "ann");
        // Made before bob is there: it names ann alone.
        let (for_bob, for_eve) = (link_of(&mut ann, &chat), link_of(&mut ann, &chat));
        let mut bob = start_in(folder.path(), "bob");
        import_text(&mut bob, &for_bob, "bob");
        bob.event("joined", &chat);

        let mut eve = start_in(folder.path(), "eve");
        import_text(&mut eve, &for_eve, "eve");
        eve.event("joined", &chat);
        thread::sleep(stay);
        eve.shut_down();
        ann.shut_down();

        let mut eve = start_in(folder.path(), "eve");
        eve.event("chat_opened", &chat);
        let started = Instant::now();
        eve.event("peer_linked", &chat);
        within(LINKED_WITHIN, started, &format!("linked (a stay of {stay:?})"));
        say(&mut eve, &chat, "here again");
        bob.hears("here again");
    });
}

#[test]
fn another_invite_leads_in_where_the_first_one_s_address_is_stale() {
    let folder = folder();
    let mut ann = start_in(folder.path(), "ann");
    let chat = create(&mut ann, "Friends", "ann");
    let stale = link_of(&mut ann, &chat);
    ann.shut_down();
    let mut ann = start_elsewhere(folder.path(), "ann");
    ann.event("chat_opened", &chat);

    let mut bob = start_in(folder.path(), "bob");
    import_text(&mut bob, &stale, "bob");
    let said = say(&mut bob, &chat, "anybody there?");
    let failed = bob.event("join_failed", &chat);
    assert_eq!(failed["code"], json!("unreachable"));

    let fresh = link_of(&mut ann, &chat);
    let opened = import_text(&mut bob, &fresh, "bobby");
    let imported = Instant::now();
    assert_eq!(opened["chat"], json!(chat));
    let joined = bob.event("joined", &chat);
    assert!(
        joined["tag"].is_object(),
        "it answers the second import: {joined}"
    );
    within(LINKED_WITHIN, imported, "joined");
    let heard = ann.hears("anybody there?");
    assert_eq!(heard["id"], said["id"]);
    say(&mut bob, &chat, "now I am");
    assert_eq!(ann.hears("now I am")["nick"], json!("bobby"));
    // Nobody needs it any more.
    let (code, _) = bob.fails(json!({ "command": "import_invite", "text": fresh, "nick": "bob" }));
    assert_eq!(code, "already");
}

#[test]
fn another_invite_leads_in_where_the_first_one_is_spent() {
    let folder = folder();
    let mut ann = start_in(folder.path(), "ann");
    let chat = create(&mut ann, "Friends", "ann");
    let spent = link_of(&mut ann, &chat);
    let mut eve = start_in(folder.path(), "eve");
    import_text(&mut eve, &spent, "eve");
    eve.event("joined", &chat);
    let mut bob = start_in(folder.path(), "bob");
    import_text(&mut bob, &spent, "bob");
    assert_eq!(bob.event("join_failed", &chat)["code"], json!("spent"));

    let fresh = link_of(&mut ann, &chat);
    import_text(&mut bob, &fresh, "bob");
    bob.event("joined", &chat);
    say(&mut bob, &chat, "in at last");
    ann.hears("in at last");

    // The place that was signed is kept: after a restart the same member is let in.
    bob.shut_down();
    let mut bob = start_in(folder.path(), "bob");
    bob.event("peer_linked", &chat);
    say(&mut bob, &chat, "and again");
    ann.hears("and again");
}

#[test]
fn a_member_whose_addresses_are_stale_is_linked_by_another_invite() {
    let folder = folder();
    let mut ann = start_in(folder.path(), "ann");
    let chat = create(&mut ann, "Friends", "ann");
    let link = link_of(&mut ann, &chat);
    let mut bob = start_in(folder.path(), "bob");
    import_text(&mut bob, &link, "bob");
    bob.event("joined", &chat);
    bob.shut_down();
    ann.shut_down();

    let mut ann = start_elsewhere(folder.path(), "ann");
    ann.event("chat_opened", &chat);
    let fresh = link_of(&mut ann, &chat);
    // Where bob was before he is not either: so ann does not find him first.
    let mut bob = start_elsewhere(folder.path(), "bob");
    bob.event("chat_opened", &chat);
    let quiet = Instant::now() + Duration::from_secs(3);
    while let Some(event) = bob.next_until(quiet) {
        assert_ne!(event["event"], json!("peer_linked"), "nobody is where they were");
    }

    let opened = import_text(&mut bob, &fresh, "somebody else");
    let imported = Instant::now();
    assert_eq!(
        (&opened["nick"], &opened["joined"]),
        (&json!("bob"), &json!(true))
    );
    bob.event("peer_linked", &chat);
    within(LINKED_WITHIN, imported, "linked");
    say(&mut bob, &chat, "found you");
    assert_eq!(ann.hears("found you")["nick"], json!("bob"));
    let (code, _) = bob.fails(json!({ "command": "import_invite", "text": fresh, "nick": "bob" }));
    assert_eq!(code, "already");
}

#[test]
fn a_newcomer_whose_invite_is_closed_hears_why_and_comes_in_by_another() {
    let folder = folder();
    let mut ann = start_in(folder.path(), "ann");
    let chat = create(&mut ann, "Friends", "ann");
    let exported = invite(&mut ann, &chat, &json!({ "uses": 3 }));
    let mut bob = start_in(folder.path(), "bob");
    import_text(&mut bob, &text(&exported, "link"), "bob");
    bob.event("joined", &chat);
    let before = say(&mut bob, &chat, "already here");
    // Before ann's program has confirmed bob, which it does some seconds after he came.
    ann.done(
        json!({ "command": "close_invite", "chat": chat, "invite": exported["invite"] }),
        "invite_closed",
    );
    let failed = bob.event("join_failed", &chat);
    assert_eq!(failed["code"], json!("closed"), "{failed}");

    // So he hears after a restart, too.
    bob.event("peer_lost", &chat);
    bob.shut_down();
    let mut bob = start_in(folder.path(), "bob");
    assert_eq!(bob.event("join_failed", &chat)["code"], json!("closed"));

    let fresh = link_of(&mut ann, &chat);
    let opened = import_text(&mut bob, &fresh, "bob");
    assert_ne!(opened["member"], before["member"], "as another member");
    bob.event("joined", &chat);
    say(&mut bob, &chat, "in again");
    ann.hears("in again");
    assert!(stored(&mut bob, &chat).contains_key(&text(&before, "id")));
    bob.shut_down();
    let mut bob = start_in(folder.path(), "bob");
    bob.event("peer_linked", &chat);
    say(&mut bob, &chat, "and again");
    ann.hears("and again");
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
