//! Repair while talking: what gets lost comes within seconds, and nobody can turn that into a weapon.

#![allow(clippy::print_stdout, reason = "what was measured is printed")]

use std::collections::BTreeMap;
use std::time::Duration;

use throng::crypto;
use throng::id::MessageId;
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, NodeEvent};
use throng::wire::{Body, Digest, Items, Keepalive, NotHeld, NumberRange, Packet, Want, WelcomeStatus};

use crate::common::hand::{Bench, Member};
use crate::common::{Chat, private_chat, say, secs, seed};

/// "At 20 % loss between any two everyone has everything within 5 s."
const WITHIN: Duration = Duration::from_secs(5);

/// A settled chat in which one datagram of five gets lost from now on.
fn lossy(seed: u64, count: usize) -> Sim {
    let (mut sim, _) = private_chat(seed, count, Duration::from_millis(300), Conditions::default());
    sim.run_for(secs(30));
    sim.take_events();
    sim.conditions.lost_per_mille = 200;
    sim
}

/// Asserts that all have all of it in time; the longest that one took.
fn slowest(events: &[(Duration, usize, NodeEvent)], messages: usize, count: usize) -> Duration {
    let mut said: BTreeMap<MessageId, Duration> = BTreeMap::new();
    for (at, _, event) in events {
        if let NodeEvent::Message(message) = event
            && message.own
        {
            said.insert(message.id, *at);
        }
    }
    crate::common::assert_reached_all(events, messages, count);
    let took = events.iter().filter_map(|(at, _, event)| match event {
        NodeEvent::Message(message) => Some(*at - said[&message.id]),
        _ => None,
    });
    took.max().expect("messages")
}

fn repaired(sim: &Sim) -> u64 {
    (0..sim.len()).map(|index| sim.node(index).stats().repaired).sum()
}

#[test]
fn at_a_fifth_lost_two_have_everything_within_five_seconds() {
    let first = seed(1);
    let (mut most, mut asked_for) = (Duration::ZERO, 0);
    for seed in first..first + 20 {
        let mut sim = lossy(seed, 2);
        for n in 0..20 {
            let by = sim.below(2);
            say(&mut sim, by, &format!("one by one {n}"));
            sim.run_for(secs(2));
        }
        // And a burst, of which nothing follows the last.
        for n in 0..20 {
            say(&mut sim, 0, &format!("at once {n}"));
        }
        sim.run_for(WITHIN);
        let took = slowest(&sim.take_events(), 40, 2);
        assert!(took < WITHIN, "seed {seed}: {took:?}");
        most = most.max(took);
        asked_for += repaired(&sim);
    }
    println!("the slowest took {most:?}; {asked_for} were asked for");
    assert!(asked_for > 100, "a fifth of 800");
}

#[test]
fn at_a_fifth_lost_ten_have_everything_within_five_seconds() {
    let first = seed(1);
    for seed in first..first + 5 {
        let mut sim = lossy(seed, 10);
        for n in 0..30 {
            let by = sim.below(10);
            say(&mut sim, by, &format!("{n}"));
            sim.run_for(Duration::from_millis(500));
        }
        sim.run_for(WITHIN);
        let took = slowest(&sim.take_events(), 30, 10);
        assert!(took < WITHIN, "seed {seed}: {took:?}");
        println!(
            "seed {seed}: the slowest took {took:?}; {} were asked for",
            repaired(&sim)
        );
    }
}

#[test]
fn at_a_fifth_lost_sixty_have_everything_within_five_seconds() {
    let first = seed(1);
    for seed in first..first + 3 {
        let mut sim = lossy(seed, 60);
        for n in 0..30 {
            let by = sim.below(60);
            say(&mut sim, by, &format!("{n}"));
            sim.run_for(Duration::from_millis(500));
        }
        sim.run_for(WITHIN);
        let took = slowest(&sim.take_events(), 30, 60);
        assert!(took < WITHIN, "seed {seed}: {took:?}");
        println!(
            "seed {seed}: the slowest took {took:?}; {} were asked for",
            repaired(&sim)
        );
    }
}

/// Packets and bytes sent so far, and says that had come before.
fn sent(sim: &Sim) -> [u64; 3] {
    let mut sum = [0; 3];
    for index in 0..sim.len() {
        let stats = sim.node(index).stats();
        let of_one = [stats.packets_out, stats.bytes_out, stats.duplicates];
        sum.iter_mut().zip(of_one).for_each(|(sum, n)| *sum += n);
    }
    sum
}

/// Beside the copies that flooding makes, a message costs one to two reports and their confirmations for each member, of some 130
/// bytes each; a minute in which nothing is said costs keepalives alone.
#[test]
fn where_nothing_is_lost_repair_costs_little_and_in_a_quiet_chat_nothing() {
    for count in [2, 10, 60] {
        let (mut sim, _) = private_chat(seed(3), count, Duration::from_millis(300), Conditions::default());
        sim.run_for(secs(120));
        let start = sent(&sim);
        sim.run_for(secs(60));
        let quiet = sent(&sim);
        for _ in 0..20 {
            let by = sim.below(count);
            say(&mut sim, by, &"x".repeat(100));
            sim.run_for(secs(3));
        }
        let talking = sent(&sim);
        let a_message =
            |f: fn(&[u64; 3]) -> u64| (f(&talking) + f(&start)).saturating_sub(2 * f(&quiet)) as f64 / 20.0;
        let (packets, bytes, doubles) = (a_message(|s| s[0]), a_message(|s| s[1]), a_message(|s| s[2]));
        let others = count as f64 - 1.0;
        let repair = packets - others - doubles;
        println!(
            "{count} members: {packets} packets and {bytes} bytes a message, {repair} of the packets for repair; {} packets in a \
             quiet minute",
            quiet[0] - start[0]
        );
        assert!(repair <= 4.5 * others, "{repair} packets of repair a message");
    }
}

/// "Reached n of m."
#[test]
fn an_author_hears_how_many_have_the_message() {
    for (count, lost) in [(2, 0), (10, 0), (10, 200), (30, 0), (30, 50)] {
        let (mut sim, _) = private_chat(seed(4), count, Duration::from_millis(300), Conditions::default());
        sim.run_for(secs(60));
        sim.conditions.lost_per_mille = lost;
        sim.take_events();
        for _ in 0..5 {
            let by = sim.below(count);
            say(&mut sim, by, "how many?");
            sim.run_for(secs(6));
            let events = sim.take_events();
            let last = events.iter().rev().find_map(|(_, _, event)| match event {
                NodeEvent::Reached { members, of, .. } => Some((*members as usize, *of as usize)),
                _ => None,
            });
            assert_eq!(last, Some((count - 1, count - 1)), "{count} members, {lost} lost");
        }
    }
}

/// A long message goes out in parts, the later ones when it is their turn. Until the last has gone nobody hears that it
/// reached anybody: whoever believes that takes it for sent.
#[test]
fn a_message_reaches_nobody_before_all_of_it_has_gone_out() {
    let (mut sim, _) = private_chat(seed(5), 2, Duration::from_millis(300), Conditions::default());
    sim.run_for(secs(60));
    sim.take_events();
    for _ in 0..40 {
        say(&mut sim, 0, &"long ".repeat(600));
    }
    sim.run_for(secs(300));
    let (mut out, mut reached) = (BTreeMap::new(), BTreeMap::new());
    for (_, _, event) in sim.take_events() {
        match event {
            NodeEvent::Delivery { id, links } => {
                out.insert(id, links > 0);
            }
            NodeEvent::Reached { id, members: 1, .. } => {
                reached.entry(id).or_insert(out.get(&id) == Some(&true));
            }
            _ => {}
        }
    }
    let told_early = out.keys().filter(|id| reached.get(*id) == Some(&false)).count();
    let told = out.keys().filter(|id| reached.contains_key(*id)).count();
    assert_eq!((out.len(), told, told_early), (40, 40, 0));
}

// By hand.

fn bench() -> (Chat, Bench, Member) {
    let mut chat = Chat::new(9);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    bench.pass(secs(3));
    member.heard(&mut bench);
    (chat, bench, member)
}

/// Who tells of something has it, and need not be told of it.
#[test]
fn what_a_digest_names_its_sender_is_not_told_of() {
    let (mut chat, mut bench, mut member) = bench();
    let mut other = Member::link(&mut chat, &mut bench, 2);
    bench.pass(secs(3));
    other.heard(&mut bench);
    for number in [1, 2] {
        let say = member.say(number, text(number), true);
        member.send(&mut bench, &say);
    }
    let first = member.say(1, text(1), true);
    let held = vec![short(&other, &first)];
    announce(&mut other, &mut bench, 1, held);
    bench.pass(Duration::from_millis(700));
    let digests = other
        .heard(&mut bench)
        .into_iter()
        .filter_map(|packet| match packet {
            Packet::Digest(digest) => Some(digest.held.len()),
            _ => None,
        });
    assert_eq!(digests.collect::<Vec<_>>(), [1], "of the second alone");
}

/// A link that is the fastest for all and then keeps one author's words back gains nothing: any other link tells of them.
#[test]
fn what_one_link_keeps_back_of_an_author_comes_by_the_digest_of_another() {
    let (mut chat, mut bench, mut hostile) = bench();
    let mut other = Member::link(&mut chat, &mut bench, 2);
    let author = Member::new(&mut chat, 3);
    let first = author.say(1, text(1), true);
    hostile.send(&mut bench, &first);
    bench.pass(secs(1));
    other.heard(&mut bench);
    let kept_back = author.say(2, text(2), false);
    let held = vec![short(&other, &kept_back)];
    announce(&mut other, &mut bench, 1, held);
    bench.pass(Duration::from_millis(400));
    assert!(!wants(&other.heard(&mut bench)).is_empty());
    other.send(&mut bench, &kept_back);
    assert_eq!(bench.texts(), ["1", "2"]);
}

fn wants(packets: &[Packet]) -> Vec<&Want> {
    let wants = packets.iter().map(|packet| match packet {
        Packet::Want(want) => Some(want),
        _ => None,
    });
    wants.flatten().collect()
}

fn announce(member: &mut Member, bench: &mut Bench, seq: u32, held: Vec<[u8; 6]>) {
    let (t, reached) = (member.t(), Vec::new());
    let digest = Digest {
        t,
        seq,
        held,
        reached,
    };
    member.send(bench, &Packet::Digest(digest));
}

/// What a say is called in what the member sends.
fn short(member: &Member, packet: &Packet) -> [u8; 6] {
    let Packet::Say(say) = packet else { panic!("a say") };
    let id = crypto::hash_signed("throng/1 say", &member.chat, &say.signed.encode());
    let hash = crypto::hash(&[b"throng/1 short\0", &member.token, &id]);
    hash[..6].try_into().expect("six bytes")
}

fn text(n: u32) -> Body {
    Body::Message(n.to_string())
}

// Row 16.

#[test]
fn a_gap_of_two_billion_is_asked_for_by_the_last_64_a_few_times() {
    let (_, mut bench, mut member) = bench();
    for number in [1, 2_000_000_000] {
        let say = member.say(number, text(number), true);
        member.send(&mut bench, &say);
    }
    bench.pass(secs(12));
    let heard = member.heard(&mut bench);
    let asked: Vec<NumberRange> = wants(&heard)
        .iter()
        .flat_map(|want| want.items.ranges.clone())
        .collect();
    assert_eq!(asked.len(), 6, "one range at a time");
    for range in asked {
        assert_eq!((range.first, range.last), (1_999_999_937, 1_999_999_999));
    }
    let say = member.say(1_999_999_990, text(0), false);
    member.send(&mut bench, &say);
    assert_eq!(bench.texts().len(), 3, "what comes by itself is taken");
    bench.pass(secs(12));
    assert!(wants(&member.heard(&mut bench)).is_empty(), "given up for good");
}

#[test]
fn not_held_ends_a_gap() {
    let (_, mut bench, mut member) = bench();
    for number in [1, 5] {
        let say = member.say(number, text(number), true);
        member.send(&mut bench, &say);
    }
    bench.pass(Duration::from_millis(400));
    let heard = member.heard(&mut bench);
    let ranges = wants(&heard)[0].items.ranges.clone();
    assert_eq!((ranges[0].first, ranges[0].last), (2, 4));
    // One of them is said again, the others are not held.
    let say = member.say(3, text(3), false);
    member.send(&mut bench, &say);
    let range = |first, last| NumberRange {
        client_id: member.peer.client_id,
        first,
        last,
    };
    let (ids, ranges) = (Vec::new(), vec![range(2, 2), range(4, 4)]);
    let t = member.t();
    let items = Items { ids, ranges };
    member.send(&mut bench, &Packet::NotHeld(NotHeld { t, items }));
    bench.pass(secs(12));
    assert!(wants(&member.heard(&mut bench)).is_empty());
    assert_eq!(bench.texts(), ["1", "5", "3"]);
    assert_eq!(bench.node.stats().repaired, 1);
}

// Row 17.

#[test]
fn who_announces_what_does_not_exist_is_sent_away() {
    let (chat, mut bench, mut member) = bench();
    let mut asked = 0;
    for n in 0..3 {
        let made_up = (0..60).map(|i| [n, i, 1, 2, 3, 4]).collect();
        announce(&mut member, &mut bench, u32::from(n) + 1, made_up);
        for _ in 0..10 {
            bench.pass(Duration::from_millis(500));
            member.keep_alive(&mut bench);
            asked += wants(&member.heard(&mut bench)).len();
        }
    }
    assert!(asked <= 3 * 6 + 3, "{asked} wants");
    assert_eq!(bench.dropped("link_of_broken_promises"), 1);
    assert!(bench.node.links().is_empty());
    bench.sent.clear();
    let welcome = member.ask_in(&chat, &mut bench).expect("an answer");
    assert_eq!(welcome.status, WelcomeStatus::Slow);
}

#[test]
fn wants_are_answered_from_a_bucket_and_to_links_alone() {
    let (_, mut bench, mut member) = bench();
    for n in 0..200 {
        let (text, action) = (n.to_string(), false);
        bench.tell(Input::Say { text, action });
        bench.pass(Duration::from_millis(250));
        if n % 20 == 0 {
            member.keep_alive(&mut bench);
        }
    }
    bench.pass(secs(9));
    member.keep_alive(&mut bench);
    member.heard(&mut bench);
    let client_id = bench.node.client_id();
    let ranges = (0..3).map(|n| NumberRange {
        client_id,
        first: 1 + n * 64,
        last: 64 + n * 64,
    });
    let ranges: Vec<NumberRange> = ranges.collect();
    let (t, ids) = (member.t(), Vec::new());
    let items = Items { ids, ranges };
    let want = Packet::Want(Want { t, seq: 0, items });
    // From another address the very same is worth nothing.
    let bytes = member.peer.seal(client_id, &want);
    bench.receive(crate::common::hand::address(7), &bytes);
    assert!(bench.sent.is_empty());
    member.send(&mut bench, &want);
    let says = |packets: Vec<Packet>| {
        packets
            .iter()
            .filter(|packet| matches!(packet, Packet::Say(_)))
            .count()
    };
    assert_eq!(says(member.heard(&mut bench)), 128);
    assert_eq!(bench.dropped("repair_budget"), 1);
    assert_eq!(bench.node.links().len(), 1);
}

/// Digests among these packets: the seq of the last, and how many there are.
fn digests(packets: &[Packet]) -> (u32, usize) {
    let seqs = packets.iter().filter_map(|packet| match packet {
        Packet::Digest(digest) => Some(digest.seq),
        _ => None,
    });
    (seqs.clone().next_back().unwrap_or(0), seqs.count())
}

#[test]
fn who_answers_no_digest_is_told_seldom_until_it_does() {
    let (_, mut bench, mut member) = bench();
    let mut told = 0;
    let mut seq = 0;
    let talk = |bench: &mut Bench, n: u32| {
        let (text, action) = (n.to_string(), false);
        bench.tell(Input::Say { text, action });
        bench.pass(Duration::from_millis(250));
    };
    // Half a minute, in which something new is to be told all the time.
    for n in 0..120 {
        talk(&mut bench, n);
        if n % 20 == 0 {
            member.keep_alive(&mut bench);
        }
        let (last, count) = digests(&member.heard(&mut bench));
        (seq, told) = (last.max(seq), told + count);
    }
    // Six in some three seconds, then one every two.
    assert!((14..=22).contains(&told), "{told} digests");
    let (t, items) = (member.t(), Items::default());
    member.send(&mut bench, &Packet::Want(Want { t, seq, items }));
    let mut told = 0;
    for n in 0..8 {
        talk(&mut bench, n);
        let (seq, count) = digests(&member.heard(&mut bench));
        told += count;
        if count > 0 {
            let (t, items) = (member.t(), Items::default());
            member.send(&mut bench, &Packet::Want(Want { t, seq, items }));
        }
    }
    assert!(
        (3..=5).contains(&told),
        "{told} digests in two seconds, as to anybody who answers"
    );
}

#[test]
fn keepalives_are_answered_from_a_bucket() {
    let (_, mut bench, mut member) = bench();
    let answers = |member: &mut Member, bench: &mut Bench| {
        for _ in 0..100 {
            let asked = Keepalive {
                echo: 1,
                ..member.keepalive()
            };
            member.send(bench, &Packet::Keepalive(asked));
        }
        let heard = member.heard(bench);
        let answers = heard
            .iter()
            .filter(|packet| matches!(packet, Packet::Keepalive(answer) if answer.echoed == 1));
        answers.count()
    };
    bench.pass(secs(10));
    assert_eq!(answers(&mut member, &mut bench), 10);
    bench.pass(secs(3));
    assert_eq!(answers(&mut member, &mut bench), 3);
    assert_eq!(bench.dropped("keepalive_budget"), 187);
}

// Row 11.

#[test]
fn what_is_refused_is_not_asked_for_again() {
    let (mut chat, mut bench, mut relay) = bench();
    let far = Member::new(&mut chat, 3);
    let says: Vec<Packet> = (1..=70).map(|n| far.say(n, text(n), true)).collect();
    for say in &says {
        relay.send(&mut bench, say);
    }
    assert_eq!((bench.texts().len(), bench.dropped("metered")), (60, 10));
    relay.heard(&mut bench);
    let metered = says[60..].iter().map(|say| short(&relay, say)).collect();
    announce(&mut relay, &mut bench, 1, metered);
    let heard = relay.heard(&mut bench);
    assert_eq!(
        wants(&heard),
        [&Want {
            t: wants(&heard)[0].t,
            seq: 1,
            items: Items::default()
        }]
    );
}

#[test]
fn what_was_asked_for_has_a_meter_of_its_own() {
    let (mut chat, mut bench, mut relay) = bench();
    let far = Member::new(&mut chat, 3);
    let says: Vec<Packet> = (1..=160).map(|n| far.say(n, text(n), true)).collect();
    for say in &says[..60] {
        relay.send(&mut bench, say);
    }
    for (n, chunk) in says[60..].chunks(50).enumerate() {
        let held = chunk.iter().map(|say| short(&relay, say)).collect();
        announce(&mut relay, &mut bench, n as u32 + 1, held);
    }
    for say in &says[60..] {
        relay.send(&mut bench, say);
    }
    assert_eq!(
        bench.texts().len(),
        60 + 64,
        "as many as can be asked for by number"
    );
    assert_eq!(bench.node.stats().repaired, 64);
}
