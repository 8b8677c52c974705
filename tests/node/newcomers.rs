//! Coming in by an invite and coming back, packet by packet and between two.

use throng::facts::{Action, Role};
use throng::invite::{Chain, SeenAddress, SessionCertificate};
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, NodeEvent, Refusal};
use throng::wire::{self, Hello, Packet, WelcomeStatus};

use crate::common::hand::{Bench, NOW_MS, Peer, address, reflected};
use crate::common::{Chat, secs};

/// A private chat of two in the simulator: founder 0, newcomer 1.
fn two() -> (Sim, Chat) {
    crate::common::private_chat(11, 2, secs(3), Conditions::default())
}

fn events_of(sim: &mut Sim, index: usize) -> Vec<NodeEvent> {
    sim.take_events()
        .into_iter()
        .filter(|(_, to, _)| *to == index)
        .map(|(_, _, event)| event)
        .collect()
}

#[test]
fn one_round_trip_and_a_newcomer_is_in_with_name_and_charter() {
    let (mut sim, _) = two();
    let events = events_of(&mut sim, 1);
    assert!(events.contains(&NodeEvent::Joined));
    assert!(
        events
            .iter()
            .any(|event| matches!(event, NodeEvent::CharterLearned(_)))
    );
    let founder = &sim.node(1).members()[1];
    assert_eq!(
        (founder.nick.as_str(), founder.role, founder.online),
        ("founder", Role::Founder, true)
    );
    assert_eq!(sim.node(0).members()[1].nick, "member 1");
}

fn refusal(chat: &mut Chat, sim: &mut Sim, config: throng::node::NodeConfig) -> Vec<NodeEvent> {
    let index = sim.add(config);
    let address = sim.address(0);
    sim.tell(
        index,
        Input::Connect {
            client_id: None,
            address,
        },
    );
    sim.run_for(secs(10));
    let _ = chat;
    events_of(sim, index)
}

#[test]
fn who_may_not_come_in_is_told_why() {
    let (mut sim, mut chat) = two();
    let until = sim.now().unix_ms - 1;
    let expired = chat.invite(1, until, Vec::new());
    let (config, _) = chat.newcomer("late", &expired, 0);
    assert!(refusal(&mut chat, &mut sim, config).contains(&NodeEvent::Refused(Refusal::Expired)));

    let single = chat.invite(1, 0, Vec::new());
    let (config, _) = chat.newcomer("first", &single, 0);
    assert!(refusal(&mut chat, &mut sim, config).contains(&NodeEvent::Joined));
    let (config, _) = chat.newcomer("second", &single, 0);
    assert!(refusal(&mut chat, &mut sim, config).contains(&NodeEvent::Refused(Refusal::Spent)));

    // An invite of another chat under this chat's gate: its chain leads elsewhere.
    let mut other = Chat::new(99);
    let foreign = other.invite(1, 0, Vec::new());
    let (mut config, _) = other.newcomer("stranger", &foreign, 0);
    if let throng::node::NodeKind::Signed(state) = &mut config.kind {
        state.chat = chat.id;
    }
    let events = refusal(&mut chat, &mut sim, config);
    assert!(
        events.contains(&NodeEvent::Refused(Refusal::Stranger)),
        "{events:?}"
    );
    assert_eq!(sim.node(0).members().len(), 3);
}

#[test]
fn a_taken_slot_is_exchanged_for_a_free_one() {
    let (mut sim, mut chat) = two();
    let invite = chat.invite(3, 0, Vec::new());
    for nick in ["one", "two", "three"] {
        let (config, _) = chat.newcomer(nick, &invite, 1);
        let events = refusal(&mut chat, &mut sim, config);
        assert!(events.contains(&NodeEvent::Joined), "{nick} {events:?}");
    }
    // What each claimed at first is nobody's any more, by their own count neither.
    sim.run_for(secs(30));
    for node in 0..sim.len() {
        let roles: Vec<Role> = sim.node(node).members().iter().map(|known| known.role).collect();
        let observers = roles.iter().filter(|role| **role == Role::Observer).count();
        assert_eq!((roles.len(), observers), (5, 0), "seen by {node}: {roles:?}");
        assert_eq!(sim.node(node).may(Action::Speak), Ok(()), "{node} may speak");
    }
    let (config, _) = chat.newcomer("four", &invite, 2);
    assert!(refusal(&mut chat, &mut sim, config).contains(&NodeEvent::Refused(Refusal::Spent)));
}

#[test]
fn a_member_comes_back_under_a_new_key_and_the_old_session_is_over() {
    let mut sim = Sim::new(5, Conditions::default());
    let mut chat = Chat::new(5);
    sim.add(chat.founder_config("founder"));
    let invite = chat.invite(1, 0, Vec::new());
    let (config, key) = chat.newcomer("guest", &invite, 0);
    let guest = sim.add(config);
    let founder_at = sim.address(0);
    sim.tell(
        guest,
        Input::Connect {
            client_id: None,
            address: founder_at,
        },
    );
    sim.run_for(secs(3));
    let before = sim.node(guest).client_id();
    let member = sim.node(guest).member();

    sim.kill(guest);
    sim.run_for(secs(40));
    assert!(
        events_of(&mut sim, 0).contains(&NodeEvent::MemberLeft { member, quit: false }),
        "silence is noticed"
    );

    let credential = invite.admit(member, 0, 1_795_000_000_000);
    sim.start(guest, chat.config("guest", key, credential, None, true));
    sim.tell(
        guest,
        Input::Connect {
            client_id: None,
            address: founder_at,
        },
    );
    sim.run_for(secs(3));
    assert_ne!(sim.node(guest).client_id(), before);
    let links = sim.node(0).links();
    assert_eq!(links.len(), 1);
    assert_eq!(
        (links[0].member, links[0].client_id),
        (member, sim.node(guest).client_id())
    );
    assert_eq!(sim.node(0).members().len(), 2, "no ghost of the old session");
}

#[test]
fn who_call_each_other_at_once_are_linked_once_and_for_good() {
    for seed in 0..20 {
        let (mut sim, _) = crate::common::private_chat(seed, 2, secs(3), Conditions::default());
        // The network was away for both; both try each other's address when it is back.
        sim.put_into_part(1, 1);
        sim.run_for(secs(40));
        sim.put_into_part(1, 0);
        sim.take_events();
        for (index, other) in [(0, 1), (1, 0)] {
            let address = sim.address(other);
            sim.tell(
                index,
                Input::Connect {
                    client_id: None,
                    address,
                },
            );
        }
        sim.run_for(secs(120));
        let events = sim.take_events();
        let lost = events
            .iter()
            .any(|(_, _, event)| matches!(event, NodeEvent::PeerLost { .. }));
        assert!(!lost && sim.node(0).links().len() == 1, "seed {seed}: {events:?}");
    }
}

/// A session certificate over 48 h old proves nothing: on a node that never stops, the session is made anew.
#[test]
fn after_days_of_running_newcomers_still_come_in_and_nobody_was_seen_to_leave() {
    let (mut sim, mut chat) = two();
    let before = sim.node(0).client_id();
    sim.take_events();
    sim.run_for(secs(3 * 86_400));
    assert_ne!(sim.node(0).client_id(), before);
    let left = |event: &NodeEvent| matches!(event, NodeEvent::MemberLeft { .. });
    assert!(!sim.take_events().iter().any(|(_, _, event)| left(event)));
    assert_eq!(sim.node(0).links().len(), 1);

    let invite = chat.invite(1, 0, Vec::new());
    let (config, _) = chat.newcomer("late", &invite, 0);
    assert!(refusal(&mut chat, &mut sim, config).contains(&NodeEvent::Joined));
    sim.run_for(secs(10));
    for index in 0..3 {
        assert_eq!(
            sim.node(index)
                .members()
                .iter()
                .filter(|member| member.online)
                .count(),
            3
        );
    }
}

#[test]
fn a_hello_reflected_from_the_gate_or_replayed_makes_no_link() {
    let chat = Chat::new(7);
    let mut bench = Bench::new(chat.founder_config("founder"));
    bench.tell(Input::Connect {
        client_id: None,
        address: address(1),
    });
    let hello = bench.sent_to(address(1)).pop().expect("a hello");
    bench.receive(address(2), &reflected(&hello));
    assert_eq!(bench.dropped("reflected"), 1);
    assert!(bench.sent_to(address(2)).is_empty());
}

#[test]
fn a_welcome_is_under_three_times_its_hello_and_replays_open_nothing() {
    let mut chat = Chat::new(8);
    let invite = chat.invite(
        0,
        0,
        vec![SeenAddress {
            address: address(1),
            seen_ms: 0,
        }],
    );
    let (newcomer, key) = chat.newcomer("", &invite, 0);
    drop(newcomer);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut peer = Peer::new(3);
    let credential = invite.admit(throng::id::MemberId(key.public()), 0, NOW_MS);
    let session = SessionCertificate::sign(&key, &chat.id, &peer.client_id, NOW_MS, 0);
    let hello = Hello {
        capabilities: 0,
        nonce: [5; 16],
        token: [6; 8],
        time_ms: NOW_MS,
        facts_root: [0; 32],
        members: 1,
        nick: String::new(),
        chain: Chain { credential, session }.encode(),
    };
    let knock = peer.seal_to_gate(&chat, &Packet::Hello(hello));
    bench.receive(peer.address, &knock);
    let answer = bench.sent_to(peer.address).pop().expect("a welcome");
    assert!(
        answer.len() < 3 * knock.len(),
        "{} for {}",
        answer.len(),
        knock.len()
    );
    let Packet::Welcome(welcome) = peer.open(&answer) else {
        panic!("welcome")
    };
    assert_eq!((welcome.status, welcome.nonce), (WelcomeStatus::Linked, [5; 16]));
    assert!(
        bench.node.links().is_empty(),
        "an address is proved by the token, not by a hello"
    );

    let open = wire::Link {
        t: wire::TokenCounter {
            token: welcome.token,
            counter: 1,
        },
        op: wire::LinkOp::Open,
        tree: 0,
        reason: 0,
    };
    let opens = peer.seal(bench.node.client_id(), &Packet::Link(open));
    bench.receive(address(77), &opens);
    assert!(bench.node.links().is_empty(), "the token comes from elsewhere");
    bench.receive(peer.address, &opens);
    assert_eq!(bench.node.links().len(), 1);
    bench.receive(peer.address, &opens);
    assert_eq!(bench.dropped("bad_token"), 2, "replayed");
}
