//! Strangers and spam: what those may cost who are not in the chat, and those who are. Each test is named after what it
//! shows; the rows are those of `docs/security.md`. Reflected and replayed packets of the base protocol, and what is
//! told to unproved addresses, are in `tests/node.rs`.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::hand::{Bench, Member, NOW_MS, Peer, address};
use common::{Chat, assert_reached_all, classic, secs};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::crypto::{self, SigningKey};
use throng::facts::{Door, DoorMode};
use throng::id::{ClientId, MemberId, MessageId};
use throng::invite::{Chain, Credential, InviteKey, SessionCertificate, work};
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, Moderation, NodeEvent, Refusal};
use throng::wire::{Body, Broadcast, Header, NodeAddress, Packet, Slow, WelcomeStatus, join_datagram};

const MS: Duration = Duration::from_millis(1);

fn connect(sim: &mut Sim, index: usize, to: usize) {
    let address = sim.address(to);
    sim.tell(
        index,
        Input::Connect {
            client_id: None,
            address,
        },
    );
}

fn say(bench: &mut Bench, text: &str) {
    bench.tell(Input::Say {
        text: text.into(),
        action: false,
    });
}

/// The texts of the messages among packets, with their numbers.
fn words(packets: &[Packet]) -> Vec<(u32, String)> {
    let word = |packet: &Packet| match packet {
        Packet::Say(say) => match &say.signed.body {
            Body::Message(text) => Some((say.signed.number, text.clone())),
            _ => None,
        },
        _ => None,
    };
    packets.iter().filter_map(word).collect()
}

fn slows(packets: &[Packet]) -> Vec<&Slow> {
    let slow = |packet: &'_ Packet| matches!(packet, Packet::Slow(_));
    let slows = packets.iter().filter(|packet| slow(packet));
    slows
        .map(|packet| match packet {
            Packet::Slow(slow) => slow,
            _ => unreachable!("filtered"),
        })
        .collect()
}

// Row 2.

#[test]
fn a_recorded_hello_is_dropped_unopened_and_changes_nothing() {
    let mut chat = Chat::new(1);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::new(&mut chat, 1);
    let to_gate = member.knock(&chat);
    let hello = member.hello();
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
        let hello = member.hello();
        let Packet::Hello(mut hello) = hello else {
            panic!("a hello")
        };
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
        let Packet::Hello(mut hello) = member.hello() else {
            panic!("a hello")
        };
        hello.capabilities = 1;
        let knock = member.peer.seal_to_gate(&chat, &Packet::Hello(hello));
        bench.receive(member.peer.address, &knock);
        if n == 40 {
            assert!(bench.dropped("half_open_budget") > 0, "at most 32 at once");
        }
    }
    bench.pass(secs(2));
    let mut other = Member::new(&mut chat, 200);
    let Packet::Hello(mut hello) = other.hello() else {
        panic!("a hello")
    };
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
        let gate = crypto::gate(&chat.rendezvous, NOW_MS / 86_400_000).client_id();
        let hello = member.hello();
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
        NOW_MS / 86_400_000,
        &member.peer.client_id,
        &nonce[..16],
    );
    nonce[16..].copy_from_slice(&mark);
    let hello = member.hello();
    let gate = crypto::gate(&chat.rendezvous, NOW_MS / 86_400_000).client_id();
    let knock = member.peer.seal_with(gate, nonce, &hello);
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
    let day = NOW_MS / 86_400_000;
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

// Metering.

/// A member that says `count` messages at once, by hand; how many of them the node takes.
fn taken_of(
    bench: &mut Bench,
    member: &mut Member,
    by: Option<&mut Member>,
    first: u32,
    count: u32,
) -> usize {
    let before = bench.texts().len();
    let says: Vec<Packet> = (first..first + count)
        .map(|number| member.say(number, Body::Message(format!("{number}")), true))
        .collect();
    let sender = by.unwrap_or(member);
    for packet in &says {
        sender.send(bench, packet);
    }
    bench.texts().len() - before
}

#[test]
fn at_its_own_link_a_flooder_is_told_to_slow_down_and_elsewhere_twice_as_much_passes() {
    for (mut chat, at_once, a_second) in [(Chat::new(15), 30, 5), (Chat::public(15), 10, 1)] {
        let mut bench = Bench::new(chat.founder_config("founder"));
        let mut flooder = Member::link(&mut chat, &mut bench, 1);
        let slack = 2 * a_second;
        let count = (at_once + slack) as u32 + 25;
        let taken = taken_of(&mut bench, &mut flooder, None, 1, count);
        assert_eq!(taken, at_once + slack);
        let heard = flooder.heard(&mut bench);
        let slows = slows(&heard);
        assert_eq!(slows.len(), 25);
        let refused = flooder.id_of(count);
        assert_eq!(slows.last().expect("refused").refused[..], refused.0[..16]);
        let wait = slows.last().expect("refused").wait_ms;
        assert!((1..=1_000 / a_second as u32).contains(&wait), "{wait} ms");
        assert_eq!(bench.dropped("slow"), 25);

        // After what it was told, it may say it.
        bench.pass(Duration::from_millis(wait.into()));
        assert_eq!(taken_of(&mut bench, &mut flooder, None, count, 1), 1);

        let mut far = Member::new(&mut chat, 3);
        let mut relay = Member::link(&mut chat, &mut bench, 2);
        relay.heard(&mut bench);
        let taken = taken_of(&mut bench, &mut far, Some(&mut relay), 1, 100);
        assert_eq!(taken, 2 * at_once);
        assert_eq!(bench.dropped("metered"), (100 - taken) as u64);
        let heard = relay.heard(&mut bench);
        assert!(
            heard.iter().all(|packet| !matches!(packet, Packet::Slow(_))),
            "in silence"
        );
    }
}

#[test]
fn all_sessions_of_a_member_share_one_meter() {
    let mut chat = Chat::new(16);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let invite = chat.invite(0, 0, Vec::new());
    let (_, key) = chat.newcomer("", &invite, 0);
    let credential = invite.admit(MemberId(key.public()), 0, NOW_MS);
    let mut taken = 0;
    for n in 1..=2 {
        let mut session = Member::with(&chat, key.clone(), credential.clone(), n);
        session.come_in(&chat, &mut bench);
        taken += taken_of(&mut bench, &mut session, None, 1, 50);
    }
    assert_eq!(taken, 40);
}

#[test]
fn a_flooder_who_does_not_listen_is_sent_away_for_a_minute() {
    let mut chat = Chat::new(16);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut flooder = Member::link(&mut chat, &mut bench, 1);
    taken_of(&mut bench, &mut flooder, None, 1, 71);
    assert!(bench.node.links().is_empty());
    bench.sent.clear();
    let welcome = flooder.ask_in(&chat, &mut bench).expect("an answer");
    assert_eq!(welcome.status, WelcomeStatus::Slow);
    bench.pass(secs(61));
    bench.sent.clear();
    flooder.counter = 0;
    flooder.come_in(&chat, &mut bench);
    assert_eq!(bench.node.links().len(), 1);
}

#[test]
fn what_is_said_in_anothers_name_is_not_at_their_cost() {
    let mut chat = Chat::new(17);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let mut forger = Member::link(&mut chat, &mut bench, 2);
    for number in 1..=19 {
        let Packet::Say(mut forged) = member.say(number, Body::Message("forged".into()), false) else {
            panic!("a say")
        };
        forged.signature = [1; 64];
        forger.send(&mut bench, &Packet::Say(forged));
    }
    assert_eq!(bench.dropped("bad_signature"), 19);
    assert_eq!(taken_of(&mut bench, &mut member, None, 1, 40), 40);
}

#[test]
fn names_and_statuses_have_a_meter_of_their_own_and_a_goodbye_none() {
    let mut chat = Chat::new(18);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    for number in 1..=40 {
        member.send(
            &mut bench,
            &member.say(number, Body::Status((number % 3) as u8), true).clone(),
        );
    }
    assert_eq!(bench.dropped("slow"), 18);
    assert_eq!(taken_of(&mut bench, &mut member, None, 101, 5), 5);
    member.send(&mut bench, &member.say(200, Body::Quit, true).clone());
    assert!(bench.node.links().is_empty(), "goodbye");
}

#[test]
fn the_door_says_how_many_messages_a_minute() {
    let mut chat = Chat::public(19);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    bench.tell(Input::Moderate(Moderation::SetDoor(Door {
        rate: 6,
        ..Door::OPEN
    })));
    assert_eq!(taken_of(&mut bench, &mut member, None, 1, 10), 1);
    bench.pass(secs(10));
    assert_eq!(taken_of(&mut bench, &mut member, None, 20, 10), 1);
}

#[test]
fn what_we_say_too_fast_waits_and_goes_out_in_order() {
    let mut chat = Chat::new(20);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    member.heard(&mut bench);
    for n in 1..=50 {
        say(&mut bench, &format!("{n}"));
    }
    let first = words(&member.heard(&mut bench));
    assert_eq!(first.len(), 30);
    let waits: Vec<Duration> = bench
        .events
        .iter()
        .filter_map(|event| match event {
            NodeEvent::Slow { wait } => Some(*wait),
            _ => None,
        })
        .collect();
    assert_eq!(waits.len(), 20, "each that waits is told");
    assert!(
        waits.is_sorted() && waits[19] >= 3_900 * MS && waits[19] <= 4_100 * MS,
        "{waits:?}"
    );
    bench.pass(secs(2));
    let then = words(&member.heard(&mut bench));
    assert!((9..=11).contains(&then.len()), "5 a second: {}", then.len());
    bench.pass(secs(3));
    let rest = words(&member.heard(&mut bench));
    let all: Vec<String> = [first, then, rest]
        .concat()
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(all, (1..=50).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn what_every_link_refuses_for_good_has_failed_and_is_said_again_when_asked() {
    let mut chat = Chat::new(22);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    member.heard(&mut bench);
    say(&mut bench, "refused");
    let mut said = 0;
    let mut id = None;
    for _ in 0..5 {
        let heard = member.heard(&mut bench);
        for packet in &heard {
            if let Packet::Say(packet) = packet {
                id = Some(crypto::hash_signed(
                    "throng/1 say",
                    &chat.id,
                    &packet.signed.encode(),
                ));
            }
        }
        said += words(&heard).len();
        let mut refused = [0; 16];
        refused.copy_from_slice(&id.expect("it is said")[..16]);
        let t = member.t();
        member.send(
            &mut bench,
            &Packet::Slow(Slow {
                t,
                refused,
                wait_ms: 200,
            }),
        );
        bench.pass(secs(1));
    }
    let id = MessageId(id.expect("it was said"));
    assert_eq!(said, 4, "once, and three times again");
    let failed = NodeEvent::DeliveryFailed { id };
    assert_eq!(bench.events.iter().filter(|event| **event == failed).count(), 1);

    bench.events.clear();
    let other = MessageId([9; 32]);
    bench.tell(Input::Resend(other));
    assert!(bench.events.is_empty(), "it is not one that failed");
    bench.tell(Input::Resend(id));
    let out = NodeEvent::Delivery { id, links: 1 };
    assert!(bench.events.contains(&out), "{:?}", bench.events);
    assert_eq!(words(&member.heard(&mut bench)).len(), 1);
    bench.events.clear();
    bench.tell(Input::Resend(id));
    assert!(bench.events.is_empty(), "it is out");
}

#[test]
fn what_a_link_refuses_is_said_again_to_it_and_a_hostile_one_does_not_stop_us() {
    let mut chat = Chat::new(21);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut hostile = Member::link(&mut chat, &mut bench, 1);
    let mut other = Member::link(&mut chat, &mut bench, 2);
    hostile.heard(&mut bench);
    other.heard(&mut bench);
    say(&mut bench, "once");
    let heard = hostile.heard(&mut bench);
    let Some(Packet::Say(said)) = heard
        .iter()
        .find(|packet| !words(&[(*packet).clone()]).is_empty())
    else {
        panic!("it is said")
    };
    let id = crypto::hash_signed("throng/1 say", &chat.id, &said.signed.encode());
    let refuse = |hostile: &mut Member, bench: &mut Bench, wait_ms| {
        let mut refused = [0; 16];
        refused.copy_from_slice(&id[..16]);
        let t = hostile.t();
        hostile.send(bench, &Packet::Slow(Slow { t, refused, wait_ms }));
    };
    refuse(&mut hostile, &mut bench, 1_500);
    assert!(bench.events.contains(&NodeEvent::Slow { wait: 1_500 * MS }));
    bench.pass(Duration::from_millis(1_400));
    assert!(words(&hostile.heard(&mut bench)).is_empty());
    bench.pass(Duration::from_millis(200));
    assert_eq!(words(&hostile.heard(&mut bench)).len(), 1, "the same again");
    assert_eq!(words(&other.heard(&mut bench)).len(), 1, "others have it already");

    for _ in 0..20 {
        refuse(&mut hostile, &mut bench, u32::MAX);
        for _ in 0..7 {
            bench.pass(secs(10));
            hostile.keep_alive(&mut bench);
            other.keep_alive(&mut bench);
        }
    }
    assert!(
        words(&hostile.heard(&mut bench)).len() <= 2,
        "it is given up at last"
    );
    refuse(&mut hostile, &mut bench, u32::MAX);
    say(&mut bench, "twice");
    bench.pass(Duration::from_millis(500));
    assert_eq!(
        words(&other.heard(&mut bench)).len(),
        1,
        "and nobody else waits for it"
    );
}

#[test]
fn who_keeps_to_the_rate_reaches_all_and_who_does_not_is_stopped_at_the_first_hop() {
    let seed = common::seed(22);
    let (mut sim, _) = common::private_chat(seed, 12, 500 * MS, Conditions::default());
    sim.run_for(secs(20));
    sim.take_events();
    for n in 0..100 {
        let text = n.to_string();
        sim.tell(3, Input::Say { text, action: false });
    }
    sim.run_for(secs(30));
    let events = sim.take_events();
    assert_reached_all(&events, 100, 12);
    for index in 0..12 {
        let dropped = sim.node(index).stats().dropped;
        assert!(!dropped.contains_key("metered"), "{index}: {dropped:?}");
    }
}

// Row 21.

fn door(bench: &mut Bench, mode: DoorMode, work_bits: u8) {
    bench.tell(Input::Moderate(Moderation::SetDoor(Door {
        mode,
        work_bits,
        ..Door::OPEN
    })));
}

/// A credential by that invite with so many bits of work.
fn worked(chat: &Chat, invite: &InviteKey, key: &SigningKey, bits: u8) -> Credential {
    let member = MemberId(key.public());
    let found = work::Search::new(&chat.id, &invite.id(), &member, NOW_MS, bits).run(1 << 24);
    invite.admit_with_work(member, 0, NOW_MS, found.expect("there is such a number"))
}

#[test]
fn a_door_asks_for_work_and_opens_when_it_is_done() {
    let mut chat = Chat::public(23);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let invite = chat.invite(0, 0, Vec::new());
    let mut before = Member::by(&mut chat, &invite, 1);
    before.come_in(&chat, &mut bench);
    door(&mut bench, DoorMode::Work, 10);
    let mut lazy = Member::by(&mut chat, &invite, 2);
    let welcome = lazy.ask_in(&chat, &mut bench).expect("an answer");
    assert_eq!((welcome.status, welcome.work_bits), (WelcomeStatus::Busy, 10));
    assert!(bench.node.admitted(&MemberId(lazy.key.public())).is_none());

    let credential = worked(&chat, &invite, &lazy.key, 10);
    let mut diligent = Member::with(&chat, lazy.key.clone(), credential, 4);
    diligent.come_in(&chat, &mut bench);

    // Who was in before, and who comes by an invite with slots, is not asked.
    bench.sent.clear();
    let welcome = before.ask_in(&chat, &mut bench).expect("an answer");
    assert_eq!(welcome.status, WelcomeStatus::Linked);
    let personal = chat.invite(1, 0, Vec::new());
    Member::by(&mut chat, &personal, 3).come_in(&chat, &mut bench);
}

#[test]
fn a_closed_door_lets_nobody_new_in() {
    let mut chat = Chat::public(24);
    let mut sim = Sim::new(24, Conditions::default());
    let founder = sim.add(chat.founder_config("founder"));
    let closed = Door {
        mode: DoorMode::Closed,
        ..Door::OPEN
    };
    sim.tell(founder, Input::Moderate(Moderation::SetDoor(closed)));
    let invite = chat.invite(0, 0, Vec::new());
    let (config, _) = chat.newcomer("late", &invite, 0);
    let late = sim.add(config);
    connect(&mut sim, late, founder);
    sim.run_for(secs(3));
    let events = sim.take_events();
    let is_refused = |(_, index, event): &(_, usize, NodeEvent)| {
        *index == late && *event == NodeEvent::Refused(Refusal::Closed)
    };
    assert!(events.iter().any(is_refused));
    assert!(sim.node(late).links().is_empty());
}

#[test]
fn a_joiner_is_told_of_the_work_once_and_comes_in_with_it() {
    let mut chat = Chat::public(25);
    let mut sim = Sim::new(25, Conditions::default());
    let founder = sim.add(chat.founder_config("founder"));
    let asks = Door {
        mode: DoorMode::Work,
        work_bits: 12,
        ..Door::OPEN
    };
    sim.tell(founder, Input::Moderate(Moderation::SetDoor(asks)));
    let invite = chat.invite(0, 0, Vec::new());
    let (config, key) = chat.newcomer("newcomer", &invite, 0);
    let newcomer = sim.add(config);
    connect(&mut sim, newcomer, founder);
    sim.run_for(secs(20));
    let asked = sim.take_events();
    let asked: Vec<&NodeEvent> = asked
        .iter()
        .filter(|(_, index, event)| *index == newcomer && matches!(event, NodeEvent::WorkAsked { .. }))
        .map(|(.., event)| event)
        .collect();
    assert_eq!(asked, [&NodeEvent::WorkAsked { bits: 12 }]);
    assert!(sim.node(newcomer).links().is_empty());

    let credential = worked(&chat, &invite, &key, 12).encode();
    sim.tell(newcomer, Input::WorkDone(credential.clone()));
    sim.run_for(secs(1));
    let events = sim.take_events();
    let has = |event: NodeEvent| {
        events
            .iter()
            .any(|(_, index, told)| *index == newcomer && *told == event)
    };
    assert!(has(NodeEvent::CredentialChanged(credential)) && has(NodeEvent::Joined));
}

#[test]
fn work_of_another_or_for_another_chat_is_not_taken_up() {
    let mut chat = Chat::public(26);
    let invite = chat.invite(0, 0, Vec::new());
    let (config, _) = chat.newcomer("newcomer", &invite, 0);
    let mut bench = Bench::new(config);
    let other = SigningKey::from_seed([9; 32]);
    let credential = worked(&chat, &invite, &other, 1);
    bench.tell(Input::WorkDone(credential.encode()));
    bench.tell(Input::WorkDone(vec![1, 2, 3]));
    assert!(bench.events.is_empty());
}

#[test]
fn a_crowd_at_the_door_makes_it_dearer_for_a_while() {
    let mut chat = Chat::public(27);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let invite = chat.invite(0, 0, Vec::new());
    door(&mut bench, DoorMode::Work, 4);
    for n in 1..=40 {
        let (_, key) = chat.newcomer("", &invite, 0);
        let credential = worked(&chat, &invite, &key, 8);
        let mut member = Member::with(&chat, key, credential, n);
        member.come_in(&chat, &mut bench);
        member.send(&mut bench, &member.say(1, Body::Quit, true).clone());
        bench.sent.clear();
    }
    let asked = |chat: &mut Chat, bench: &mut Bench, n| {
        bench.sent.clear();
        let welcome = Member::by(chat, &invite, n)
            .ask_in(chat, bench)
            .expect("an answer");
        assert_eq!(welcome.status, WelcomeStatus::Busy);
        welcome.work_bits
    };
    assert_eq!(asked(&mut chat, &mut bench, 100), 6);
    bench.pass(secs(3_600));
    assert_eq!(asked(&mut chat, &mut bench, 101), 4);
}

#[test]
fn a_latecomer_hears_those_who_read_first_and_were_there_before() {
    let mut chat = Chat::public(28);
    let mut sim = Sim::new(28, Conditions::default());
    let founder = sim.add(chat.founder_config("founder"));
    let invite = chat.invite(0, 0, Vec::new());
    let (config, _) = chat.newcomer("old", &invite, 0);
    let old = sim.add(config);
    connect(&mut sim, old, founder);
    sim.run_for(secs(2));
    let read_first = Door {
        mode: DoorMode::ReadFirst,
        minutes: 10,
        ..Door::OPEN
    };
    sim.tell(founder, Input::Moderate(Moderation::SetDoor(read_first)));
    sim.run_for(secs(700));
    let (config, _) = chat.newcomer("late", &invite, 0);
    let late = sim.add(config);
    connect(&mut sim, late, founder);
    sim.run_for(secs(5));
    sim.take_events();
    for (index, text) in [(old, "welcome"), (late, "hello")] {
        let text = text.into();
        sim.tell(index, Input::Say { text, action: false });
    }
    sim.run_for(secs(2));
    let sim_events = sim.take_events();
    let mut by_late: Vec<&str> = Vec::new();
    let mut by_founder: Vec<&str> = Vec::new();
    for (_, index, event) in &sim_events {
        if let NodeEvent::Message(message) = event
            && !message.own
        {
            match *index {
                index if index == late => by_late.push(&message.text),
                index if index == founder => by_founder.push(&message.text),
                _ => {}
            }
        }
    }
    assert_eq!(by_late, ["welcome"]);
    assert_eq!(by_founder, ["welcome"], "the newcomer only reads");
}

// Row 26.

/// A node whose links' clocks are ahead of its own by so many seconds each.
fn among_clocks(ahead_secs: &[i64]) -> (Chat, Bench) {
    let mut chat = Chat::new(29);
    let mut bench = Bench::new(chat.founder_config("founder"));
    for (n, ahead) in ahead_secs.iter().enumerate() {
        let mut member = Member::new(&mut chat, n as u8 + 1);
        member.time_ms = NOW_MS.saturating_add_signed(ahead * 1_000);
        member.come_in(&chat, &mut bench);
    }
    bench.pass(secs(6));
    (chat, bench)
}

/// What the node signs as the time of a message, in seconds past its own clock.
fn signed_ahead(bench: &mut Bench) -> i64 {
    say(bench, "what time is it?");
    let at_ms = bench.events.iter().rev().find_map(|event| match event {
        NodeEvent::Message(message) => Some(message.at_ms),
        _ => None,
    });
    let own = NOW_MS + bench.now.as_millis() as u64;
    (at_ms.expect("said") as i64 - own as i64) / 1_000
}

fn clock_events(bench: &Bench) -> Vec<i64> {
    bench
        .events
        .iter()
        .filter_map(|event| match event {
            NodeEvent::ClockOff { by_ms } => Some(*by_ms),
            _ => None,
        })
        .collect()
}

#[test]
fn a_wrong_clock_is_set_right_by_the_median_of_three_and_told_once() {
    let hour = 3_600;
    let (_, mut bench) = among_clocks(&[hour, hour + 1, -hour]);
    assert_eq!(signed_ahead(&mut bench), hour);
    bench.pass(secs(5));
    assert_eq!(clock_events(&bench), [hour * 1_000]);

    let (_, mut two) = among_clocks(&[hour, hour]);
    assert_eq!(
        (signed_ahead(&mut two), clock_events(&two).len()),
        (0, 0),
        "two are too few"
    );

    let (_, mut minute) = among_clocks(&[60, 61, 62]);
    assert_eq!((signed_ahead(&mut minute), clock_events(&minute).len()), (61, 0));
}

#[test]
fn no_clocks_move_us_by_more_than_twelve_hours() {
    let day = 86_400;
    for (ahead, most) in [(2 * day, day / 2), (-2 * day, -day / 2)] {
        let (_, mut bench) = among_clocks(&[ahead; 5]);
        assert_eq!(signed_ahead(&mut bench), most);
    }
}

#[test]
fn an_invites_expiry_is_judged_by_the_clock_of_the_chat() {
    let (mut chat, mut bench) = among_clocks(&[3_600, 3_600, 3_600]);
    bench.sent.clear();
    let over = chat.invite(1, NOW_MS + 1_800_000, Vec::new());
    let welcome = Member::by(&mut chat, &over, 50).ask_in(&chat, &mut bench);
    assert_eq!(welcome.expect("an answer").status, WelcomeStatus::Expired);
}

#[test]
fn what_other_clocks_showed_is_forgotten_when_our_own_is_set() {
    let (_, mut bench) = among_clocks(&[3_600, 3_600, 3_600]);
    assert_eq!(signed_ahead(&mut bench), 3_600);
    // The user, or the system, sets it right. What is signed never goes back, so it is looked at in another way: an
    // hour more would be an hour too much.
    bench.clock_set_by = secs(3_600);
    bench.pass(secs(6));
    assert_eq!(signed_ahead(&mut bench), 3_600);
}
