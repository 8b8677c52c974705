//! The rules that a node keeps, packet by packet, against a peer made by hand.

use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::facts::{self, Fact};
use throng::id::ClientId;
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, NodeEvent};
use throng::wire::{self, Body, Broadcast, NodeAddress, Packet};

use crate::common::hand::{Bench, Member, Peer, address, reflected};
use crate::common::{Chat, classic, secs};

#[test]
fn a_reflected_get_nodes_makes_nobody_a_link() {
    let mut bench = Bench::new(classic("a"));
    let peer = Peer::new(1);
    bench.tell(Input::Connect {
        client_id: Some(peer.client_id),
        address: peer.address,
    });
    let asked = bench.sent_to(peer.address).pop().expect("the node asks");
    bench.receive(peer.address, &reflected(&asked));
    bench.receive(address(9), &reflected(&asked));
    assert_eq!(bench.dropped("reflected"), 2);
    assert!(
        bench.sent_to(peer.address).is_empty() && bench.sent_to(address(9)).is_empty(),
        "nothing is answered"
    );
    assert!(bench.node.links().is_empty());
}

#[test]
fn an_answer_counts_once_in_time_and_from_the_address_asked() {
    let mut bench = Bench::new(classic("a"));
    let mut peer = Peer::new(1);
    let home = peer.address;
    bench.tell(Input::Connect {
        client_id: Some(peer.client_id),
        address: home,
    });
    let asked = bench.sent_to(home).pop().expect("the node asks");
    let Packet::GetNodes { ping_id } = peer.open(&asked) else {
        panic!("get_nodes")
    };

    bench.answer(&mut peer, address(9), ping_id, Vec::new());
    assert!(bench.node.links().is_empty(), "from elsewhere");
    bench.answer(&mut peer, home, [0; 8], Vec::new());
    assert!(bench.node.links().is_empty(), "another ping_id");
    bench.pass(Duration::from_millis(5_001));
    bench.answer(&mut peer, home, ping_id, Vec::new());
    assert!(bench.node.links().is_empty(), "too late");
    assert_eq!(bench.dropped("unasked"), 3);

    let asked = bench.sent_to(peer.address).pop().expect("it asks again");
    let Packet::GetNodes { ping_id } = peer.open(&asked) else {
        panic!("get_nodes")
    };
    bench.answer(&mut peer, home, ping_id, Vec::new());
    assert_eq!(bench.node.links().len(), 1);
}

#[test]
fn a_stranger_of_a_classic_chat_is_dropped_and_an_admitted_one_is_answered() {
    let mut bench = Bench::new(classic("a"));
    let mut peer = Peer::new(1);
    let own = bench.node.client_id();
    let ask = peer.seal(own, &Packet::GetNodes { ping_id: [1; 8] });
    bench.receive(peer.address, &ask);
    assert_eq!(bench.dropped("not_in_chat"), 1);
    assert!(bench.sent_to(peer.address).is_empty());

    bench.tell(Input::Admit(peer.client_id));
    bench.receive(peer.address, &ask);
    let sent = bench.sent_to(peer.address);
    assert_eq!(sent.len(), 2, "an answer, and a get_nodes of its own");
    assert!(matches!(peer.open(&sent[0]), Packet::SendNodes(answer) if answer.ping_id == [1; 8]));
}

#[test]
fn an_unproved_address_gets_four_nodes_and_under_three_times_its_bytes() {
    let mut bench = Bench::new(classic("a"));
    let mut others: Vec<Peer> = (10..20).map(Peer::new).collect();
    for other in &mut others {
        bench.link(other);
    }
    let mut peer = Peer::new(1);
    bench.tell(Input::Admit(peer.client_id));
    bench.sent.clear();
    let ask = peer.seal(bench.node.client_id(), &Packet::GetNodes { ping_id: [1; 8] });
    bench.receive(peer.address, &ask);
    let answer = bench.sent_to(peer.address).remove(0);
    assert!(answer.len() < 3 * ask.len(), "{} for {}", answer.len(), ask.len());
    let Packet::SendNodes(answer) = peer.open(&answer) else {
        panic!("send_nodes")
    };
    assert_eq!(answer.nodes.len(), 4);

    bench.pass(secs(1));
    bench.sent.clear();
    bench.link(&mut peer);
    let ask = peer.seal(bench.node.client_id(), &Packet::GetNodes { ping_id: [2; 8] });
    bench.receive(peer.address, &ask);
    let answer = bench.sent_to(peer.address).pop().expect("an answer");
    let Packet::SendNodes(answer) = peer.open(&answer) else {
        panic!("send_nodes")
    };
    assert_eq!(answer.nodes.len(), 6, "its address is proved now");
}

#[test]
fn hearsay_leads_to_few_probes_of_one_address_and_none_of_bad_ones() {
    let mut bench = Bench::new(classic("a"));
    let mut peer = Peer::new(1);
    bench.link(&mut peer);
    let home = peer.address;
    let victim = |port: u16| SocketAddr::from(([203, 0, 113, 5], port));
    for round in 0..20_u8 {
        let node = |n: u8| NodeAddress {
            client_id: ClientId([round * 6 + n + 1; 32]),
            address: victim(n.into()),
        };
        let nodes: Vec<NodeAddress> = (0..6).map(node).collect();
        bench.pass(secs(16));
        let asked = bench.sent_to(peer.address);
        for asked in asked {
            if let Packet::GetNodes { ping_id } = peer.open(&asked) {
                bench.answer(&mut peer, home, ping_id, nodes.clone());
            }
        }
    }
    let minutes = bench.now.as_secs_f64() / 60.0;
    let probes = bench
        .sent
        .iter()
        .filter(|(to, _)| to.ip() == victim(1).ip())
        .count();
    assert!(probes > 0, "some are asked");
    assert!(
        (probes as f64) <= 6.0 * minutes.ceil(),
        "{probes} probes in {minutes:.1} minutes"
    );
}

#[test]
fn a_broadcast_is_shown_once_and_passed_on_to_the_others() {
    let mut bench = Bench::new(classic("a"));
    let (mut one, mut two) = (Peer::new(1), Peer::new(2));
    bench.link(&mut one);
    bench.link(&mut two);
    bench.sent.clear();
    let bytes = bench.broadcast(&mut one, 7, Body::Message("hello".into()));
    let passed_on = bench.sent_to(two.address);
    assert_eq!(passed_on.len(), 1);
    let Packet::Broadcast(broadcast) = two.open(&passed_on[0]) else {
        panic!("broadcast")
    };
    assert_eq!((broadcast.origin, broadcast.number), (one.client_id, 7));
    assert!(
        bench.sent_to(one.address).is_empty(),
        "not back to where it came from"
    );

    bench.receive(one.address, &bytes);
    bench.receive(address(99), &bytes);
    bench.broadcast(&mut one, 7, Body::Message("hello".into()));
    assert_eq!(bench.texts(), ["hello"], "replayed from anywhere");
    assert!(bench.sent_to(two.address).is_empty());
    assert_eq!(bench.node.stats().duplicates, 3);
}

#[test]
fn numbers_jump_and_wrap_and_nothing_is_dropped_for_it() {
    let mut bench = Bench::new(classic("a"));
    let mut peer = Peer::new(1);
    bench.link(&mut peer);
    for number in [1, 66, 3_000_000_000, u32::MAX, 1_000_000, 2, 65] {
        bench.broadcast(&mut peer, number, Body::Message(number.to_string()));
    }
    assert_eq!(
        bench.texts(),
        ["1", "66", "3000000000", "4294967295", "1000000", "2", "65"]
    );
}

#[test]
fn a_number_takes_no_steps_while_there_are_no_links() {
    let mut bench = Bench::new(classic("a"));
    bench.pass(secs(3_600));
    let mut peer = Peer::new(1);
    bench.link(&mut peer);
    bench.tell(Input::Say {
        text: "first".into(),
        action: false,
    });
    let numbers: Vec<u32> = bench
        .sent_to(peer.address)
        .iter()
        .filter_map(|bytes| match peer.open(bytes) {
            Packet::Broadcast(broadcast) => Some(broadcast.number),
            _ => None,
        })
        .collect();
    assert_eq!(
        numbers,
        [1],
        "an hour alone, and the first broadcast is the first"
    );
}

#[test]
fn what_was_said_without_a_link_goes_out_with_the_first() {
    let mut bench = Bench::new(classic("a"));
    bench.tell(Input::Say {
        text: "early".into(),
        action: false,
    });
    assert!(matches!(
        bench.events.last(),
        Some(NodeEvent::Delivery { links: 0, .. })
    ));
    let mut peer = Peer::new(1);
    bench.link(&mut peer);
    let sent = bench.sent_to(peer.address);
    let said = sent.iter().any(|bytes| {
        matches!(peer.open(bytes), Packet::Broadcast(Broadcast { body: Body::Message(text), .. }) if text == "early")
    });
    assert!(said);
    assert!(matches!(
        bench.events.last(),
        Some(NodeEvent::Delivery { links: 1, .. })
    ));
}

#[test]
fn a_banned_key_is_not_heard_any_more() {
    let mut bench = Bench::new(classic("a"));
    let (mut one, mut two) = (Peer::new(1), Peer::new(2));
    bench.link(&mut one);
    bench.link(&mut two);
    bench.broadcast(&mut one, 1, Body::BanPeer(two.client_id));
    bench.broadcast(&mut two, 1, Body::Message("still here".into()));
    assert!(bench.texts().is_empty());
    assert_eq!(bench.node.links().len(), 1);
    let passed_on = Broadcast {
        origin: two.client_id,
        number: 2,
        body: Body::Message("by another".into()),
    };
    let bytes = one.seal(bench.node.client_id(), &Packet::Broadcast(passed_on));
    bench.receive(one.address, &bytes);
    assert!(bench.texts().is_empty());
}

#[test]
fn kinds_of_signed_chats_are_dropped_in_a_classic_one() {
    let mut bench = Bench::new(classic("a"));
    let mut peer = Peer::new(1);
    bench.link(&mut peer);
    let roster = wire::Roster {
        t: wire::TokenCounter {
            token: [0; 8],
            counter: 1,
        },
        last: ClientId([0; 32]),
        more: false,
        gone: Vec::new(),
    };
    let bytes = peer.seal(bench.node.client_id(), &Packet::Roster(roster));
    bench.receive(peer.address, &bytes);
    assert_eq!(bench.dropped("kind_of_signed_chats"), 1);
}

#[test]
fn a_silent_link_ends_and_a_peer_that_moves_is_linked_where_it_answers() {
    let mut bench = Bench::new(classic("a"));
    let mut peer = Peer::new(1);
    bench.link(&mut peer);
    bench.sent.clear();
    bench.pass(secs(16));
    assert!(
        !bench.sent_to(peer.address).is_empty(),
        "it is asked whether it is there"
    );
    // From another address it asks us: that does not move the link, it starts a probe there.
    let elsewhere = address(50);
    let ask = peer.seal(bench.node.client_id(), &Packet::GetNodes { ping_id: [3; 8] });
    bench.receive(elsewhere, &ask);
    assert_eq!(bench.node.links()[0].address, peer.address);
    let probe = bench.sent_to(elsewhere).pop().expect("a probe");
    let Packet::GetNodes { ping_id } = peer.open(&probe) else {
        panic!("get_nodes")
    };
    bench.answer(&mut peer, elsewhere, ping_id, Vec::new());
    assert_eq!(
        bench.node.links()[0].address,
        elsewhere,
        "silent where it was, it answered here"
    );
    bench.pass(secs(25));
    assert!(bench.node.links().is_empty());
    assert!(
        bench
            .events
            .iter()
            .any(|event| matches!(event, NodeEvent::PeerLost { .. }))
    );
}

#[test]
fn two_things_under_one_number_are_both_shown_proved_to_all_and_end_the_session() {
    let mut chat = Chat::new(31);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut liar = Member::link(&mut chat, &mut bench, 1);
    let mut other = Member::link(&mut chat, &mut bench, 2);
    liar.says(&mut bench, 4, "before");
    liar.says(&mut bench, 5, "to you");
    liar.says(&mut bench, 5, "to the others");
    liar.says(&mut bench, 6, "after");
    let texts = |bench: &Bench| -> Vec<String> {
        let text = |event: &NodeEvent| match event {
            NodeEvent::Message(said) => Some(said.text.clone()),
            _ => None,
        };
        bench.events.iter().filter_map(text).collect()
    };
    assert_eq!(texts(&bench), ["before", "to you", "to the others"]);
    let member = liar.id();
    assert!(bench.events.contains(&NodeEvent::Forked { member }));
    assert_eq!(bench.dropped("session_over"), 1);
    let sent = bench.sent_to(other.peer.address);
    let proofs = sent
        .iter()
        .filter_map(|bytes| match other.peer.open(bytes) {
            Packet::Facts(facts) => Some(facts.facts),
            _ => None,
        })
        .flatten()
        .filter_map(|item| Fact::decode(&item).ok())
        .filter(|fact| matches!(fact.body, facts::Body::Fork(_)) && fact.verify(&chat.id));
    assert_eq!(proofs.count(), 1, "the proof is passed on");

    // Who learns of it by the proof alone goes by it as well.
    let state = bench.node.state().expect("a state");
    let who = bench.node.admitted(&member).expect("admitted");
    assert!(state.shows(&who, &liar.peer.client_id, 5));
    assert!(!state.shows(&who, &liar.peer.client_id, 6));
}

#[test]
fn a_word_that_comes_after_the_goodbye_brings_nobody_back() {
    let mut chat = Chat::new(21);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut relay = Member::link(&mut chat, &mut bench, 1);
    let gone = Member::link(&mut chat, &mut bench, 2);
    for (number, body) in [
        (1, Body::Name("Zed".into())),
        (3, Body::Quit),
        (2, Body::Message("wait".into())),
    ] {
        let bytes = relay
            .peer
            .seal(bench.node.client_id(), &gone.say(number, body, number == 1));
        bench.receive(relay.peer.address, &bytes);
    }
    assert_eq!(bench.texts(), ["wait"], "it is still shown");
    let zed = bench
        .node
        .members()
        .into_iter()
        .find(|member| member.nick == "Zed")
        .expect("a member");
    assert!(!zed.online);
}

#[test]
fn what_waited_for_its_session_is_passed_on_after_what_introduces_it() {
    let mut chat = Chat::new(22);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut relay = Member::link(&mut chat, &mut bench, 1);
    let mut other = Member::link(&mut chat, &mut bench, 2);
    // Somebody whom only the relay knows; the words come before the name.
    let far = {
        let mut elsewhere = Bench::new(chat.founder_config("founder"));
        Member::link(&mut chat, &mut elsewhere, 3)
    };
    bench.sent.clear();
    for (number, body) in [(2, Body::Message("hello".into())), (1, Body::Name("Far".into()))] {
        let bytes = relay
            .peer
            .seal(bench.node.client_id(), &far.say(number, body, number == 1));
        bench.receive(relay.peer.address, &bytes);
    }
    let numbers: Vec<u32> = bench
        .sent_to(other.peer.address)
        .iter()
        .filter_map(|bytes| match other.peer.open(bytes) {
            Packet::Say(say) => Some(say.signed.number),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn a_latecomer_learns_the_topic_although_its_author_is_gone() {
    let mut sim = Sim::new(6, Conditions::default());
    let mut chat = Chat::new(6);
    sim.add(chat.founder_config("founder"));
    let invite = chat.invite(0, 0, Vec::new());
    for index in 1..=2 {
        let (config, _) = chat.newcomer("guest", &invite, 0);
        sim.add(config);
        let address = sim.address(index - 1);
        sim.tell(
            index,
            Input::Connect {
                client_id: None,
                address,
            },
        );
        sim.run_for(secs(3));
        if index == 1 {
            sim.tell(
                0,
                Input::SetTopic {
                    topic: "one".into(),
                    locked: None,
                },
            );
            sim.run_for(secs(1));
            sim.tell(
                1,
                Input::SetTopic {
                    topic: "two".into(),
                    locked: None,
                },
            );
            sim.run_for(secs(1));
            sim.tell(0, Input::Quit);
            sim.run_for(secs(1));
            assert_eq!(sim.node(1).topic(), "two");
        }
    }
    assert_eq!(sim.node(2).topic(), "two");
}

#[test]
fn garbage_of_any_length_is_counted_and_changes_nothing() {
    let seed = crate::common::seed(9);
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut bench = Bench::new(classic("a"));
    for _ in 0..2_000 {
        let mut bytes = vec![0; (rng.next_u32() % 1_200) as usize];
        rng.fill_bytes(&mut bytes);
        if rng.next_u32() % 2 == 0 && bytes.len() > 33 {
            bytes[0] = 48;
            bytes[1..33].copy_from_slice(&bench.node.client_id().0);
        }
        bench.receive(address(4), &bytes);
    }
    assert_eq!(bench.node.stats().dropped.values().sum::<u64>(), 2_000);
    assert!(bench.sent.is_empty() && bench.events.is_empty());
}
