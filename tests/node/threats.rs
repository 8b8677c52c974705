//! What people will try on a chat, packet by packet, as far as no other test file has it: `docs/security.md` lists all
//! of it with the tests that show what is done about it. The rows in comments are its rows.

use std::net::SocketAddr;

use throng::facts::Role;
use throng::id::{ClientId, MemberId};
use throng::invite::{Chain, SessionCertificate};
use throng::node::{Input, Moderation, NodeEvent};
use throng::wire::{self, Body, Keepalive, Packet, Say};

use crate::common::hand::{Bench, Member, NOW_MS, Peer, address, reflected};
use crate::common::{Chat, classic, secs};

fn says_of(packets: &[Packet]) -> Vec<&Say> {
    let says = packets.iter().map(|packet| match packet {
        Packet::Say(say) => Some(say),
        _ => None,
    });
    says.flatten().collect()
}

// Row 1.

#[test]
fn whatever_a_node_sends_over_a_link_does_nothing_when_it_comes_back() {
    let mut chat = Chat::new(1);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let (text, action) = ("hello".to_owned(), false);
    bench.tell(Input::Say { text, action });
    bench.tell(Input::Moderate(Moderation::SetRole(member.id(), Role::Moderator)));
    bench.pass(secs(16));
    let sent = bench.sent_to(member.peer.address);
    let kinds: Vec<&str> = sent
        .iter()
        .map(|bytes| match member.peer.open(bytes) {
            Packet::Say(_) => "say",
            Packet::Keepalive(_) => "keepalive",
            Packet::Facts(_) => "facts",
            Packet::RosterAsk(_) => "roster_ask",
            _ => "other",
        })
        .collect();
    for kind in ["say", "keepalive", "facts", "roster_ask"] {
        assert!(kinds.contains(&kind), "{kind} is among {kinds:?}");
    }
    let links = bench.node.links();
    bench.events.clear();
    bench.sent.clear();
    for from in [member.peer.address, address(9)] {
        for bytes in &sent {
            bench.receive(from, &reflected(bytes));
        }
    }
    assert!(bench.events.is_empty() && bench.sent.is_empty());
    assert_eq!(bench.node.links(), links);
    // And the link is not taken to live by its own echoes.
    let mut echoing = 0;
    while !bench.node.links().is_empty() && echoing < 60 {
        echoing += 1;
        bench.pass(secs(1));
        let (text, action) = (format!("hello {echoing}"), false);
        bench.tell(Input::Say { text, action });
        for bytes in bench.sent_to(member.peer.address) {
            bench.receive(member.peer.address, &reflected(&bytes));
        }
    }
    assert!(echoing < 60, "the link ends for silence");
}

// Row 2.

#[test]
fn nothing_recorded_changes_anything_when_it_comes_again() {
    let mut chat = Chat::new(2);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut other = Member::link(&mut chat, &mut bench, 2);
    let mut member = Member::new(&mut chat, 1);
    let knock = member.knock(&chat);
    let mut recorded = vec![knock.clone()];
    bench.receive(member.peer.address, &knock);
    let welcome = bench.sent_to(member.peer.address).pop().expect("a welcome");
    let Packet::Welcome(welcome) = member.peer.open(&welcome) else {
        panic!("a welcome")
    };
    member.token = welcome.token;
    let open = wire::Link {
        t: member.t(),
        op: wire::LinkOp::Open,
        tree: 0,
        reason: 0,
    };
    let ask = wire::RosterAsk {
        t: member.t(),
        after: ClientId([0; 32]),
        to: ClientId([0xFF; 32]),
        known: Vec::new(),
    };
    let keepalive = Keepalive {
        echo: 5,
        facts_root: [3; 32],
        roster: [3; 16],
        ..member.keepalive()
    };
    let packets = [
        Packet::Link(open),
        Packet::RosterAsk(ask),
        Packet::Keepalive(keepalive),
        member.say(1, Body::Name("Ann".into()), true),
        member.say(2, Body::Status(1), false),
        member.say(3, Body::Message("once".into()), false),
    ];
    for packet in &packets {
        let bytes = member.peer.seal(bench.node.client_id(), packet);
        bench.receive(member.peer.address, &bytes);
        recorded.push(bytes);
    }
    assert_eq!(bench.texts(), ["once"]);
    bench.pass(secs(3));
    let (links, members) = (bench.node.links(), bench.node.members());
    other.heard(&mut bench);
    bench.events.clear();
    bench.sent.clear();
    for from in [member.peer.address, address(9)] {
        for bytes in &recorded {
            bench.receive(from, bytes);
        }
    }
    assert!(bench.events.is_empty(), "{:?}", bench.events);
    assert!(bench.sent.is_empty(), "nothing is answered or passed on");
    assert_eq!((bench.node.links(), bench.node.members()), (links, members));
}

// Row 3.

#[test]
fn addresses_of_one_network_get_few_answers_in_a_classic_chat() {
    let mut bench = Bench::new(classic("a"));
    let mut peer = Peer::new(1);
    bench.tell(Input::Admit(peer.client_id));
    let mut answers = 0;
    for host in 1..=200 {
        let ping_id = [host; 8];
        let ask = peer.seal(bench.node.client_id(), &Packet::GetNodes { ping_id });
        let from = SocketAddr::from(([203, 0, 113, host], 1));
        bench.receive(from, &ask);
        let sent = bench.sent_to(from);
        let mut is_answer = |bytes: &Vec<u8>| matches!(peer.open(bytes), Packet::SendNodes(_));
        answers += sent.iter().filter(|bytes| is_answer(bytes)).count();
    }
    assert_eq!((answers, bench.dropped("answer_budget")), (20, 180));
}

// Row 10.

#[test]
fn a_corrupted_copy_that_comes_first_does_not_keep_the_true_one_out() {
    let mut chat = Chat::new(12);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut author = Member::link(&mut chat, &mut bench, 1);
    let mut relay = Member::link(&mut chat, &mut bench, 2);
    let mut other = Member::link(&mut chat, &mut bench, 3);
    author.send(&mut bench, &author.say(1, Body::Name("Ann".into()), true).clone());
    other.heard(&mut bench);
    let truth = author.say(2, Body::Message("the truth".into()), false);
    let Packet::Say(mut corrupted) = truth.clone() else {
        panic!("a say")
    };
    corrupted.signature[5] ^= 1;
    for _ in 0..10 {
        relay.send(&mut bench, &Packet::Say(corrupted.clone()));
    }
    let Packet::Say(mut altered) = truth.clone() else {
        panic!("a say")
    };
    altered.signed.body = Body::Message("a lie".into());
    relay.send(&mut bench, &Packet::Say(altered));
    assert_eq!(bench.dropped("bad_signature"), 11);
    author.send(&mut bench, &truth);
    assert_eq!(bench.texts(), ["the truth"]);
    let heard = other.heard(&mut bench);
    let passed_on = says_of(&heard);
    assert_eq!(passed_on.len(), 1, "and only that is passed on");
    assert_eq!(passed_on[0].signed.body, Body::Message("the truth".into()));
}

// Row 13.

#[test]
fn nobody_takes_a_session_by_saying_that_it_is_theirs() {
    let mut chat = Chat::new(15);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut thief = Member::link(&mut chat, &mut bench, 1);
    let mut victim = Member::link(&mut chat, &mut bench, 2);
    let mut relay = Member::link(&mut chat, &mut bench, 4);
    victim.send(&mut bench, &victim.say(1, Body::Name("Ann".into()), true).clone());
    // A certificate of the thief's over the victim's session, in a say and in a hello to the gate: who knows the gate can
    // seal that in anybody's name.
    let claim = |of: &Member| {
        let chain = Chain::decode(&thief.chain).expect("its own");
        let session = SessionCertificate::sign(&thief.key, &chat.id, &of.peer.client_id, NOW_MS, 0);
        Chain { session, ..chain }.encode()
    };
    let mut false_victim = Member::with(&chat, thief.key.clone(), thief.credential(), 2);
    false_victim.chain = claim(&victim);
    let stolen = false_victim.say(1, Body::Message("it is mine".into()), true);
    thief.send(&mut bench, &stolen);
    // Its nonces are the victim's own, made of the same seed: the first was used.
    false_victim.knock(&chat);
    let knock = false_victim.knock(&chat);
    bench.receive(address(77), &knock);
    assert_eq!(bench.dropped("claimed"), 2);
    for number in 2..=9 {
        relay.send(
            &mut bench,
            &victim
                .say(number, Body::Message("still Ann".into()), false)
                .clone(),
        );
    }
    assert_eq!(bench.texts(), ["still Ann"; 8]);
    let said_by_victim = |event: &NodeEvent| match event {
        NodeEvent::Message(said) => said.member == victim.id(),
        _ => true,
    };
    assert!(bench.events.iter().all(said_by_victim));
}

#[test]
fn who_has_a_sessions_key_gets_it_back_from_who_claimed_it_first() {
    let mut chat = Chat::new(16);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut thief = Member::link(&mut chat, &mut bench, 1);
    let mut victim = Member::new(&mut chat, 2);
    let chain = Chain::decode(&thief.chain).expect("its own");
    let session = SessionCertificate::sign(&thief.key, &chat.id, &victim.peer.client_id, NOW_MS, 0);
    let mut false_victim = Member::with(&chat, thief.key.clone(), thief.credential(), 2);
    false_victim.chain = Chain { session, ..chain }.encode();
    thief.send(
        &mut bench,
        &false_victim
            .say(1, Body::Message("it is mine".into()), true)
            .clone(),
    );

    // A hello that is sealed to our session, not to the gate: only who has the key can do that.
    let hello = Packet::Hello(victim.hello());
    let bytes = victim.peer.seal(bench.node.client_id(), &hello);
    bench.receive(victim.peer.address, &bytes);
    let welcome = bench.sent_to(victim.peer.address).pop().expect("a welcome");
    let Packet::Welcome(welcome) = victim.peer.open(&welcome) else {
        panic!("a welcome")
    };
    victim.token = welcome.token;
    let open = wire::Link {
        t: victim.t(),
        op: wire::LinkOp::Open,
        tree: 0,
        reason: 0,
    };
    victim.send(&mut bench, &Packet::Link(open));
    bench.events.clear();
    victim.says(&mut bench, 2, "it is mine again");
    assert_eq!(bench.texts(), ["it is mine again"]);
    assert_eq!(bench.node.links().len(), 2);
}

#[test]
fn a_relay_that_was_lied_to_about_a_session_stays_a_link() {
    let mut chat = Chat::new(17);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut relay = Member::link(&mut chat, &mut bench, 1);
    let victim = Member::link(&mut chat, &mut bench, 2);
    let thief = Member::new(&mut chat, 3);
    let false_victim = Member::with(&chat, thief.key.clone(), thief.credential(), 2);
    for number in 1..=200 {
        let stolen = false_victim.say(number, Body::Message("it is mine".into()), false);
        relay.send(&mut bench, &stolen);
    }
    assert_eq!(bench.dropped("bad_signature"), 20, "few are looked into");
    assert_eq!(bench.dropped("forged_budget"), 180);
    assert_eq!(bench.node.links().len(), 2);
    bench.pass(secs(2));
    relay.send(
        &mut bench,
        &victim.say(1, Body::Message("me".into()), false).clone(),
    );
    assert_eq!(bench.texts(), ["me"]);
}

#[test]
fn what_was_said_before_a_restart_is_not_said_anew() {
    let mut chat = Chat::new(18);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    member.says(&mut bench, 1, "once");
    let ids = bench.events.iter().filter_map(|event| match event {
        NodeEvent::Message(said) => Some(said.id),
        _ => None,
    });
    let ids: Vec<_> = ids.collect();
    let mut again = Bench::with_seed(chat.founder_config("founder"), 45);
    again.node.has_seen(ids);
    member.come_in(&chat, &mut again);
    member.says(&mut again, 1, "once");
    assert!(again.texts().is_empty());
    member.says(&mut again, 2, "and more");
    assert_eq!(again.texts(), ["and more"]);
}

#[test]
fn an_earlier_session_that_is_heard_late_does_not_take_the_place_of_the_later_one() {
    let mut chat = Chat::new(26);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut relay = Member::link(&mut chat, &mut bench, 1);
    let new = Member::new(&mut chat, 2);
    let mut old = Member::with(&chat, new.key.clone(), new.credential(), 3);
    let (credential, client_id) = (new.credential(), old.peer.client_id);
    let session = SessionCertificate::sign(&old.key, &chat.id, &client_id, NOW_MS - 60_000, 0);
    old.chain = Chain { credential, session }.encode();
    relay.send(&mut bench, &new.say(1, Body::Name("Ann".into()), true));
    for body in [Body::Name("Old".into()), Body::Status(2), Body::Quit] {
        relay.send(&mut bench, &old.say(1 + u32::from(body.id()), body, true));
        let members = bench.node.members();
        let ann = members.iter().find(|known| known.member == new.id());
        let ann = ann.expect("met");
        assert_eq!((ann.nick.as_str(), ann.status, ann.online), ("Ann", 0, true));
    }
}

// Row 14.

#[test]
fn nothing_is_said_before_its_session_began_nor_shown_in_the_future() {
    let mut chat = Chat::new(19);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    bench.pass(secs(600));
    bench.events.clear();
    // The link has ended for silence meanwhile.
    member.come_in(&chat, &mut bench);
    let now_ms = NOW_MS + 600_000;
    let hour = 3_600_000;
    for (number, at_ms, text) in [
        (1, NOW_MS - 1, "backdated"),
        (2, NOW_MS, "as its session began"),
        (3, now_ms + hour, "postdated"),
        (4, now_ms + 13 * hour, "far in the future"),
    ] {
        let say = member.say_at(at_ms << 16, number, Body::Message(text.into()), true);
        member.send(&mut bench, &say);
    }
    let shown = bench.events.iter().filter_map(|event| match event {
        NodeEvent::Message(said) => Some((said.text.as_str(), said.at_ms)),
        _ => None,
    });
    let shown: Vec<_> = shown.collect();
    assert_eq!(
        shown,
        [("as its session began", NOW_MS), ("postdated", now_ms)],
        "a time that is to come is shown as now"
    );
    let dropped = (
        bench.dropped("before_its_session"),
        bench.dropped("from_the_future"),
    );
    assert_eq!(dropped, (1, 1));
}

#[test]
fn a_session_that_began_long_ago_by_its_certificate_is_not_met() {
    let mut chat = Chat::new(20);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let day = 86_400_000;
    for (n, start_ms) in [(2, NOW_MS - 3 * day), (3, NOW_MS + 3 * day)] {
        let mut other = Member::with(&chat, member.key.clone(), member.credential(), n);
        let session = SessionCertificate::sign(&other.key, &chat.id, &other.peer.client_id, start_ms, 0);
        let credential = other.credential();
        other.chain = Chain { credential, session }.encode();
        let say = other.say_at(start_ms << 16, 1, Body::Message("of another day".into()), true);
        member.send(&mut bench, &say);
    }
    assert_eq!(bench.dropped("stale_session"), 2);
    assert!(bench.texts().is_empty());
}

#[test]
fn our_own_words_are_never_before_our_session_though_our_clock_is_set_back() {
    let mut chat = Chat::new(21);
    let mut bench = Bench::new(chat.founder_config("founder"));
    bench.clock_set_back_by = secs(7_200);
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let (text, action) = ("what time is it?".to_owned(), false);
    bench.tell(Input::Say { text, action });
    let heard = member.heard(&mut bench);
    let said = says_of(&heard);
    assert!(!said.is_empty());
    assert!(said.iter().all(|say| say.signed.hlc >> 16 >= NOW_MS));
}

// Row 19.

#[test]
fn keys_announced_in_a_classic_chat_are_bounded_and_those_who_speak_stay() {
    let mut bench = Bench::new(classic("a"));
    let mut peer = Peer::new(1);
    bench.link(&mut peer);
    for number in 1..=6_000_u32 {
        let mut key = [7; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        bench.broadcast(&mut peer, number, Body::NewPeer(ClientId(key)));
    }
    let members = bench.node.members();
    assert_eq!(members.len(), 1 + 4_096);
    let is_peer = |known: &throng::node::NodeMember| known.member == MemberId::from(peer.client_id);
    assert!(members.iter().any(|known| is_peer(known) && known.online));
}

// Row 25.

#[test]
fn one_report_ends_nobody_and_a_word_brings_back_who_was_reported_by_two() {
    let mut chat = Chat::new(27);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut links: Vec<Member> = (1..=4).map(|n| Member::link(&mut chat, &mut bench, n)).collect();
    let victim = Member::new(&mut chat, 9);
    links[0].send(&mut bench, &victim.say(1, Body::Name("Zed".into()), true));
    let is_there = |bench: &Bench| {
        let members = bench.node.members();
        members.iter().any(|known| known.nick == "Zed" && known.online)
    };
    let gone = Body::Gone(victim.peer.client_id);
    for number in 1..=3 {
        let report = links[1].say(number, gone.clone(), true);
        links[1].send(&mut bench, &report);
        assert!(is_there(&bench), "by one member, however often");
    }
    let report = links[2].say(1, gone, true);
    links[2].send(&mut bench, &report);
    assert!(!is_there(&bench), "by two");
    links[0].send(&mut bench, &victim.say(2, Body::Ping, false));
    assert!(is_there(&bench));
}
