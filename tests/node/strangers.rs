//! Strangers and spam: what those may cost who are not in the chat, and those who are. Each test is named after what it
//! shows; the rows are those of `docs/security.md`. Reflected and replayed packets of the base protocol, and what is
//! told to unproved addresses, are in `tests/node/packets.rs`.

use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::crypto;
use throng::id::{ClientId, MemberId};
use throng::invite::{Chain, SessionCertificate};
use throng::node::Input;
use throng::node::sim::{Conditions, Sim};
use throng::wire::{Body, Broadcast, Header, NodeAddress, Packet, WelcomeStatus, join_datagram};

use crate::common::hand::{Bench, DAY_MS, Member, NOW_MS, Peer, address};
use crate::common::{Chat, classic, connect, secs};

const MS: Duration = Duration::from_millis(1);

// Row 2.

#[test]
fn a_recorded_hello_is_dropped_unopened_and_changes_nothing() {
    let mut chat = Chat::new(1);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::new(&mut chat, 1);
    let to_gate = member.knock(&chat);
    let hello = Packet::Hello(member.hello());
    let to_session = member.peer.seal(bench.node.client_id(), &hello);
    for recorded in [&to_gate, &to_session] {
        bench.receive(member.peer.address, recorded);
    }
    assert_eq!(bench.sent_to(member.peer.address).len(), 2, "welcomes");
    bench.pass(secs(11));
    let members = bench.node.members();
    bench.events.clear();
    bench.sent.clear();
    for from in [member.peer.address, address(77)] {
        for recorded in [&to_gate, &to_session] {
            bench.receive(from, recorded);
        }
    }
    assert_eq!(bench.dropped("replayed"), 4);
    assert!(bench.sent.is_empty() && bench.events.is_empty());
    assert_eq!(bench.node.members(), members);
}

#[test]
fn a_copy_of_a_hello_with_another_box_does_not_take_its_place() {
    let mut chat = Chat::new(1);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::new(&mut chat, 1);
    let knock = member.knock(&chat);
    let mut copy = knock.clone();
    *copy.last_mut().expect("not empty") ^= 1;
    bench.receive(address(77), &copy);
    bench.receive(member.peer.address, &knock);
    assert_eq!(bench.sent_to(member.peer.address).len(), 1);
}

// Row 3.

#[test]
fn one_network_gets_few_answers_a_second() {
    let mut chat = Chat::new(2);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut answers = 0;
    for n in 0..60 {
        // Strangers, who are told that they are, from one address of the network after the other.
        let mut member = Member::new(&mut chat, n);
        member.chain[200] ^= 1;
        let knock = member.knock(&chat);
        let from = SocketAddr::from(([198, 51, 100, n + 1], 1));
        // Even of addresses that we try ourselves, and have so told.
        bench.tell(Input::Connect {
            client_id: None,
            address: from,
        });
        bench.sent.clear();
        bench.receive(from, &knock);
        answers += bench.sent_to(from).len();
    }
    assert!((1..=20).contains(&answers), "{answers} at once");
}

// Row 4.

#[test]
fn a_welcome_from_elsewhere_makes_no_link() {
    let mut chat = Chat::new(3);
    let mut founder = Bench::new(chat.founder_config("founder"));
    let invite = chat.invite(0, 0, Vec::new());
    let (config, _) = chat.newcomer("newcomer", &invite, 0);
    let mut newcomer = Bench::with_seed(config, 43);
    newcomer.tell(Input::Connect {
        client_id: None,
        address: address(1),
    });
    let knock = newcomer.sent_to(address(1)).pop().expect("a hello");
    founder.receive(address(2), &knock);
    let welcome = founder.sent_to(address(2)).pop().expect("a welcome");
    newcomer.receive(address(9), &welcome);
    assert_eq!((newcomer.node.links().len(), newcomer.dropped("unasked")), (0, 1));
    newcomer.receive(address(1), &welcome);
    assert_eq!(newcomer.node.links().len(), 1);
}

// Row 5.

#[test]
fn only_addresses_that_have_answered_are_told_to_others() {
    let mut bench = Bench::new(classic("a"));
    let (mut teller, mut other) = (Peer::new(1), Peer::new(2));
    bench.link(&mut teller);
    bench.link(&mut other);
    bench.pass(secs(16));
    let asked = bench.sent_to(teller.address);
    let asked = asked.iter().rev().find_map(|bytes| match teller.open(bytes) {
        Packet::GetNodes { ping_id } => Some(ping_id),
        _ => None,
    });
    let victim = NodeAddress {
        client_id: Peer::new(3).client_id,
        address: address(200),
    };
    let from = teller.address;
    bench.answer(&mut teller, from, asked.expect("it asks"), vec![victim]);
    let ask = other.seal(bench.node.client_id(), &Packet::GetNodes { ping_id: [8; 8] });
    bench.receive(other.address, &ask);
    let answers = bench.sent_to(other.address);
    let nodes = answers.iter().find_map(|bytes| match other.open(bytes) {
        Packet::SendNodes(answer) if answer.ping_id == [8; 8] => Some(answer.nodes),
        _ => None,
    });
    let nodes = nodes.expect("an answer");
    assert!(nodes.iter().any(|node| node.client_id == teller.client_id));
    assert!(!nodes.contains(&victim));
}

// Row 6.

#[test]
fn another_spelling_of_a_session_is_not_let_in_even_if_certified() {
    let mut chat = Chat::new(4);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::new(&mut chat, 1);
    // X25519 ignores the top bit, so this opens with the same key.
    member.peer.client_id.0[31] |= 0x80;
    let chain = Chain::decode(&member.chain).expect("its own");
    let session = SessionCertificate::sign(&member.key, &chat.id, &member.peer.client_id, NOW_MS, 0);
    member.chain = Chain { session, ..chain }.encode();
    let welcome = member.ask_in(&chat, &mut bench).expect("an answer");
    assert_eq!(welcome.status, WelcomeStatus::Stranger);
    assert_eq!(bench.dropped("bad_chain"), 1);
}

// Row 7.

#[test]
fn what_is_not_signed_is_dropped_in_a_signed_chat() {
    let mut chat = Chat::new(5);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    bench.events.clear();
    for body in [Body::Message("unsigned".into()), Body::Topic("mine".into())] {
        let broadcast = Broadcast {
            origin: member.peer.client_id,
            number: 1,
            body,
        };
        member.send(&mut bench, &Packet::Broadcast(broadcast));
    }
    let Packet::Say(mut forged) = member.say(1, Body::Message("forged".into()), true) else {
        panic!("a say")
    };
    forged.signature = [1; 64];
    member.send(&mut bench, &Packet::Say(forged));
    assert_eq!(
        (
            bench.dropped("kind_of_classic_chats"),
            bench.dropped("bad_signature")
        ),
        (2, 1)
    );
    assert!(bench.events.is_empty());
}

#[test]
fn a_link_that_brings_forged_words_ends_and_may_not_come_back_at_once() {
    let mut chat = Chat::new(5);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    for number in 1..=21 {
        let Packet::Say(mut forged) = member.say(number, Body::Message("forged".into()), true) else {
            panic!("a say")
        };
        forged.signature = [1; 64];
        member.send(&mut bench, &Packet::Say(forged));
    }
    assert!(bench.node.links().is_empty());
    bench.sent.clear();
    let welcome = member.ask_in(&chat, &mut bench).expect("an answer");
    assert_eq!(welcome.status, WelcomeStatus::Slow);
    bench.pass(secs(61));
    bench.sent.clear();
    let welcome = member.ask_in(&chat, &mut bench).expect("an answer");
    assert_eq!(welcome.status, WelcomeStatus::Linked);
}

// Row 13.

#[test]
fn old_names_statuses_and_goodbyes_said_again_change_nothing() {
    let mut chat = Chat::new(6);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut relay = Member::link(&mut chat, &mut bench, 1);
    let invite = chat.invite(0, 0, Vec::new());
    let (_, key) = chat.newcomer("", &invite, 0);
    let credential = invite.admit(MemberId(key.public()), 0, NOW_MS);
    let session = |n, start_ms| {
        let mut member = Member::with(&chat, key.clone(), credential.clone(), n);
        let client_id = member.peer.client_id;
        let session = SessionCertificate::sign(&key, &chat.id, &client_id, start_ms, 0);
        let credential = credential.clone();
        member.chain = Chain { credential, session }.encode();
        member
    };
    let (old, new) = (session(2, NOW_MS - 60_000), session(3, NOW_MS));
    let recorded = [
        old.say(1, Body::Name("Old".into()), true),
        old.say(2, Body::Status(2), false),
        old.say(9, Body::Quit, false),
    ];
    let own = |bench: &Bench| {
        let members = bench.node.members();
        let member = members
            .into_iter()
            .find(|member| member.member == MemberId(key.public()));
        let member = member.expect("met");
        (member.nick, member.status, member.online)
    };
    relay.send(&mut bench, &new.say(2, Body::Name("New".into()), true));
    relay.send(&mut bench, &new.say(3, Body::Status(1), false));
    for say in &recorded {
        relay.send(&mut bench, say);
    }
    // Of the same session, with lower numbers.
    relay.send(&mut bench, &new.say(1, Body::Name("Before".into()), false));
    assert_eq!(own(&bench), ("New".into(), 1, true));
    // And once more, when it all has been seen.
    for say in &recorded {
        relay.send(&mut bench, say);
    }
    assert_eq!(own(&bench), ("New".into(), 1, true));
}

// Row 19.

#[test]
fn callers_who_never_come_are_few_and_one_network_cannot_take_all_places() {
    let mut chat = Chat::public(7);
    let invite = chat.invite(0, 0, Vec::new());
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut welcomed = 0;
    for n in 0..60 {
        let mut member = Member::by(&mut chat, &invite, n);
        member.peer.address = SocketAddr::from(([203, 0, 113, n + 1], 1));
        let mut hello = member.hello();
        hello.capabilities = 1;
        let knock = member.peer.seal_to_gate(&chat, &Packet::Hello(hello));
        bench.receive(member.peer.address, &knock);
        welcomed += bench.sent_to(member.peer.address).len();
        bench.pass(150 * MS);
    }
    assert!(bench.dropped("half_open_budget") > 0, "over the network's places");
    assert!(welcomed < 20, "{welcomed} of one network");
    let mut other = Member::by(&mut chat, &invite, 99);
    other.come_in(&chat, &mut bench);
}

#[test]
fn who_comes_from_many_networks_and_stays_away_makes_room_for_who_comes() {
    let mut chat = Chat::new(8);
    let mut bench = Bench::new(chat.founder_config("founder"));
    for n in 0..100 {
        let mut member = Member::new(&mut chat, n);
        let mut hello = member.hello();
        hello.capabilities = 1;
        let knock = member.peer.seal_to_gate(&chat, &Packet::Hello(hello));
        bench.receive(member.peer.address, &knock);
        if n == 40 {
            assert!(bench.dropped("half_open_budget") > 0, "at most 32 at once");
        }
    }
    bench.pass(secs(2));
    let mut other = Member::new(&mut chat, 200);
    let mut hello = other.hello();
    hello.capabilities = 1;
    let knock = other.peer.seal_to_gate(&chat, &Packet::Hello(hello));
    bench.receive(other.peer.address, &knock);
    assert_eq!(
        bench.sent_to(other.peer.address).len(),
        1,
        "long before the others' 10 s are over"
    );
}

#[test]
fn one_member_has_two_links_and_four_sessions_at_most() {
    let mut chat = Chat::new(9);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let invite = chat.invite(0, 0, Vec::new());
    let (_, key) = chat.newcomer("", &invite, 0);
    let credential = invite.admit(MemberId(key.public()), 0, NOW_MS);
    for n in 1..=20 {
        let mut member = Member::with(&chat, key.clone(), credential.clone(), n);
        member.come_in(&chat, &mut bench);
        assert!(bench.node.links().len() <= 2);
        bench.pass(secs(1));
    }
}

#[test]
fn what_waits_for_unknown_sessions_is_bounded_by_link() {
    let mut chat = Chat::new(10);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut flooder = Member::link(&mut chat, &mut bench, 1);
    let mut relay = Member::link(&mut chat, &mut bench, 2);
    let far = Member::new(&mut chat, 3);
    relay.send(&mut bench, &far.say(2, Body::Message("kept".into()), false));
    for n in 0..100 {
        let nobody = Member::new(&mut chat, 100 + n);
        flooder.send(&mut bench, &nobody.say(1, Body::Message("nobody".into()), false));
    }
    relay.send(&mut bench, &far.say(1, Body::Name("Far".into()), true));
    assert_eq!(bench.texts(), ["kept"]);
}

// Row 20.

#[test]
fn a_packet_to_the_gate_without_its_mark_costs_no_key_agreement() {
    for chat in [Chat::new(11), Chat::public(11)] {
        let mut chat = chat;
        let mut bench = Bench::new(chat.founder_config("founder"));
        let mut member = Member::new(&mut chat, 1);
        let gate = crypto::gate(&chat.rendezvous, NOW_MS / DAY_MS).client_id();
        let hello = Packet::Hello(member.hello());
        let unmarked = member.peer.seal(gate, &hello);
        for _ in 0..1_000 {
            bench.receive(member.peer.address, &unmarked);
        }
        assert_eq!(bench.dropped("no_mark"), 1_000, "and not out of any budget");
        assert!(bench.sent.is_empty());
        member.come_in(&chat, &mut bench);
    }
}

#[test]
fn in_a_public_chat_a_mark_needs_its_zero_bits() {
    let mut chat = Chat::public(12);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::new(&mut chat, 1);
    let mut nonce = [5; 24];
    let mark = crypto::gate_mark(
        &chat.rendezvous,
        NOW_MS / DAY_MS,
        &member.peer.client_id,
        &nonce[..16],
    );
    nonce[16..].copy_from_slice(&mark);
    let hello = Packet::Hello(member.hello());
    let gate = crypto::gate(&chat.rendezvous, NOW_MS / DAY_MS).client_id();
    let knock = member.peer.seal_with(gate, nonce, &hello.encode());
    bench.receive(member.peer.address, &knock);
    assert_eq!(bench.dropped("no_mark"), 1);
    // What a node sends by itself has them.
    let (config, _) = {
        let invite = chat.invite(0, 0, Vec::new());
        chat.newcomer("newcomer", &invite, 0)
    };
    let mut newcomer = Bench::with_seed(config, 43);
    newcomer.tell(Input::Connect {
        client_id: None,
        address: address(50),
    });
    let knock = newcomer.sent_to(address(50)).pop().expect("a hello");
    bench.receive(address(51), &knock);
    assert_eq!(bench.sent_to(address(51)).len(), 1);
}

/// A strange datagram for the gate of a chat: marked if whoever made it knows the rendezvous.
fn strange(chat: &Chat, rng: &mut ChaCha20Rng, is_marked: bool) -> Vec<u8> {
    let day = NOW_MS / DAY_MS;
    let mut sender = ClientId([0; 32]);
    rng.fill_bytes(&mut sender.0);
    let mut nonce = [0; 24];
    rng.fill_bytes(&mut nonce);
    if is_marked {
        let mark = crypto::gate_mark(&chat.rendezvous, day, &sender, &nonce[..16]);
        nonce[16..].copy_from_slice(&mark);
    }
    let mut sealed = [0; 400];
    rng.fill_bytes(&mut sealed);
    let receiver = crypto::gate(&chat.rendezvous, day).client_id();
    join_datagram(
        &Header {
            receiver,
            sender,
            nonce,
        },
        &sealed,
    )
}

/// An invited newcomer comes while a flood of 10,000 datagrams a second from so many networks is on for a second.
fn comes_in_while_strangers_flood(is_marked: bool, networks: u16) {
    let mut chat = Chat::new(13);
    let mut sim = Sim::new(13, Conditions::default());
    let founder = sim.add(chat.founder_config("founder"));
    let mut rng = ChaCha20Rng::seed_from_u64(13);
    let flood: Vec<Vec<u8>> = (0..997).map(|_| strange(&chat, &mut rng, is_marked)).collect();
    let mut sent = 0_usize;
    let mut newcomer = None;
    let mut in_after = None;
    for ms in 0..3_000 {
        for _ in 0..10 {
            let [a, b] = ((sent % usize::from(networks)) as u16).to_be_bytes();
            let from = SocketAddr::from(([203, a, b, 7], 1_000 + (sent / 7 % 1_000) as u16));
            sim.inject(founder, from, &flood[sent % flood.len()]);
            sent += 1;
        }
        if ms == 1_000 {
            let invite = chat.invite(1, 0, Vec::new());
            let (config, _) = chat.newcomer("newcomer", &invite, 0);
            let index = sim.add(config);
            connect(&mut sim, index, founder);
            newcomer = Some(index);
        }
        sim.run_for(MS);
        let is_in = newcomer.is_some_and(|index| !sim.node(index).links().is_empty());
        if is_in && in_after.is_none() {
            in_after = Some(ms - 1_000);
        }
    }
    let stats = sim.node(founder).stats();
    let in_after = in_after.unwrap_or_else(|| panic!("not let in: {:?}", stats.dropped));
    assert!(in_after < 2_000, "after {in_after} ms: {:?}", stats.dropped);
    let opened = stats.dropped.get("does_not_open").copied().unwrap_or(0);
    let most = if is_marked { 200 + 3 * 200 } else { 0 };
    assert!(opened <= most, "{opened} key agreements: {:?}", stats.dropped);
}

#[test]
fn an_invited_newcomer_comes_in_while_a_stranger_floods_the_gate() {
    comes_in_while_strangers_flood(false, 1);
    comes_in_while_strangers_flood(false, 2_000);
}

#[test]
fn an_invited_newcomer_comes_in_while_one_who_knows_the_gate_floods_it() {
    comes_in_while_strangers_flood(true, 1);
    comes_in_while_strangers_flood(true, 30);
    comes_in_while_strangers_flood(true, 1_000);
}

#[test]
fn a_member_comes_back_although_its_whole_network_floods() {
    let mut chat = Chat::new(14);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::new(&mut chat, 1);
    // We remember it, and try it.
    bench.tell(Input::Connect {
        client_id: None,
        address: member.peer.address,
    });
    bench.sent.clear();
    let mut rng = ChaCha20Rng::seed_from_u64(14);
    for n in 0..1_000_u32 {
        let [.., a, b] = n.to_be_bytes();
        let from = SocketAddr::from(([198, 51, 1, b], 1_000 + u16::from(a)));
        let bytes = strange(&chat, &mut rng, true);
        bench.receive(from, &bytes);
    }
    assert!(bench.dropped("network_budget") > 0);
    member.come_in(&chat, &mut bench);
}
