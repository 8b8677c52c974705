//! How much a member may say, and what becomes of more: at its own links, elsewhere, and of what we say ourselves.

use std::time::Duration;

use throng::crypto;
use throng::facts::Door;
use throng::id::{MemberId, MessageId};
use throng::node::sim::Conditions;
use throng::node::{Input, Moderation, NodeEvent};
use throng::wire::{Body, Packet, Slow, WelcomeStatus};

use crate::common::hand::{Bench, Member, NOW_MS};
use crate::common::{Chat, assert_reached_all, secs};

const MS: Duration = Duration::from_millis(1);

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
        bench.say(&format!("{n}"));
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
    bench.say("refused");
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
    bench.say("once");
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
    bench.say("twice");
    bench.pass(Duration::from_millis(500));
    assert_eq!(
        words(&other.heard(&mut bench)).len(),
        1,
        "and nobody else waits for it"
    );
}

#[test]
fn who_keeps_to_the_rate_reaches_all_and_who_does_not_is_stopped_at_the_first_hop() {
    let seed = crate::common::seed(22);
    let (mut sim, _) = crate::common::private_chat(seed, 12, 500 * MS, Conditions::default());
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
