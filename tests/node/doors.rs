//! How newcomers come in by a door: with work, by approval, to read first, or not at all; and what a swarm of them can do.

use std::collections::BTreeSet;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::crypto::{BoxKeyPair, SigningKey};
use throng::facts::{Door, DoorMode, Role};
use throng::id::MemberId;
use throng::invite::{Credential, InviteKey, work};
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, Moderation, NodeEvent, NodeKind, Refusal};
use throng::wire::{Body, Packet, WelcomeStatus};

use crate::common::hand::{Bench, Member, NOW_MS, Peer};
use crate::common::{Chat, connect, secs};

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
    assert!(bench.node.admitted(&lazy.id()).is_none());

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

/// Members whom the simulated node knows at a time, as `src/node/signed.rs` has it.
const MEMBERS: usize = 8_192;

/// Sessions that it knows at a time.
const SESSIONS: usize = 2_048;

/// Credentials of so many who came by an invite and were never heard of since.
fn swarm(invite: &InviteKey, rng: &mut ChaCha20Rng, count: usize) -> Vec<Vec<u8>> {
    let anybody = |_| {
        let mut id = [0; 32];
        rng.fill_bytes(&mut id);
        invite.admit(MemberId(id), 0, NOW_MS).encode()
    };
    (0..count).map(anybody).collect()
}

#[test]
fn however_many_came_by_a_door_who_comes_next_is_let_in() {
    let seed = crate::common::seed(31);
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut chat = Chat::public(31);
    let door = chat.invite(0, 0, Vec::new());
    let personal = chat.invite(1, 0, Vec::new());
    let [friend, helper] = [[1; 32], [2; 32]].map(MemberId);
    let mut config = chat.founder_config("founder");
    let NodeKind::Signed(state) = &mut config.kind else {
        unreachable!("a signed chat")
    };
    state.admitted = vec![
        personal.admit(friend, 0, NOW_MS).encode(),
        door.admit(helper, 0, NOW_MS).encode(),
    ];
    // With the founder they are as many as there may be.
    state.admitted.extend(swarm(&door, &mut rng, MEMBERS - 3));
    let mut bench = Bench::new(config);
    bench.tell(Input::Moderate(Moderation::SetRole(helper, Role::Moderator)));
    assert_eq!(bench.node.all_admitted().len(), MEMBERS);
    for n in 1..=3 {
        Member::by(&mut chat, &door, n).come_in(&chat, &mut bench);
    }
    assert!(bench.node.all_admitted().len() < MEMBERS);
    assert!(
        bench.node.admitted(&friend).is_some(),
        "whose place nobody else may have"
    );
    assert!(
        bench.node.admitted(&helper).is_some(),
        "whose facts others may need to know"
    );
}

#[test]
fn where_everybody_has_a_place_of_an_invite_nobody_is_forgotten_for_a_newcomer() {
    let mut chat = Chat::public(32);
    let personal = chat.invite(MEMBERS as u16, 0, Vec::new());
    let door = chat.invite(0, 0, Vec::new());
    let mut config = chat.founder_config("founder");
    let NodeKind::Signed(state) = &mut config.kind else {
        unreachable!("a signed chat")
    };
    let mut ids = (0..MEMBERS as u16).map(|n| {
        let mut id = [7; 32];
        id[..2].copy_from_slice(&n.to_be_bytes());
        (MemberId(id), n)
    });
    state.admitted = ids
        .by_ref()
        .map(|(id, slot)| personal.admit(id, slot, NOW_MS).encode())
        .collect();
    let mut bench = Bench::new(config);
    let before = bench.node.all_admitted();
    assert_eq!(before.len(), MEMBERS);
    Member::by(&mut chat, &door, 1).ask_in(&chat, &mut bench);
    assert_eq!(bench.node.all_admitted(), before);
}

/// Somebody's first word, in a session of their own, by a door.
fn stranger_named(chat: &Chat, invite: &InviteKey, rng: &mut ChaCha20Rng, n: usize) -> Packet {
    let key = SigningKey::generate(rng);
    let credential = invite.admit(MemberId(key.public()), 0, NOW_MS);
    let client_id = BoxKeyPair::generate(rng).client_id();
    let peer = Peer {
        client_id,
        ..Peer::new(100)
    };
    let member = Member::as_peer(chat, key, credential, peer, NOW_MS);
    member.say(1, Body::Name(format!("n{n}")), true)
}

#[test]
fn whoever_is_linked_stays_known_however_many_sessions_are_told_of() {
    let seed = crate::common::seed(33);
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut chat = Chat::public(33);
    let door = chat.invite(0, 0, Vec::new());
    let mut bench = Bench::new(chat.founder_config("founder"));
    let (_, key) = chat.newcomer("", &door, 0);
    let credential = door.admit(MemberId(key.public()), 0, NOW_MS);
    let began_ms = NOW_MS - 1_000;
    let mut friend = Member::as_peer(&chat, key, credential, Peer::new(1), began_ms);
    friend.come_in(&chat, &mut bench);
    friend.send(&mut bench, &friend.say(1, Body::Name("Friend".into()), true));
    let mut hostile = Member::by(&mut chat, &door, 2);
    hostile.come_in(&chat, &mut bench);
    for n in 0..=SESSIONS {
        hostile.send(&mut bench, &stranger_named(&chat, &door, &mut rng, n));
    }
    friend.send(
        &mut bench,
        &friend.say(2, Body::Message("still here".into()), false),
    );
    assert_eq!(bench.texts(), ["still here"]);
    // Those without a name are told of as well.
    bench.pass(secs(5));
    let mut there = BTreeSet::new();
    for event in &bench.events {
        match event {
            NodeEvent::MemberJoined { member, .. } => assert!(there.insert(*member), "joined twice"),
            NodeEvent::MemberLeft { member, .. } => assert!(there.remove(member), "left twice"),
            _ => {}
        }
    }
    let members = bench.node.members();
    let online: BTreeSet<MemberId> = members
        .iter()
        .filter(|member| member.online && !member.own)
        .map(|member| member.member)
        .collect();
    let both = there.intersection(&online).count();
    assert_eq!(
        (there.len(), online.len()),
        (both, both),
        "who was told to be there is there"
    );
}
