//! Repair while talking: what gets lost comes within seconds, and nobody can turn that into a weapon.

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{private_chat, secs, seed};
use throng::id::MessageId;
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, NodeEvent};

/// "At 20 % loss between any two everyone has everything within 5 s."
const WITHIN: Duration = Duration::from_secs(5);

fn say(sim: &mut Sim, index: usize, text: &str) {
    let (text, action) = (text.to_owned(), false);
    sim.tell(index, Input::Say { text, action });
}

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
    common::assert_reached_all(events, messages, count);
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
        println!("seed {seed}: the slowest took {took:?}; {} were asked for", repaired(&sim));
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
        println!("seed {seed}: the slowest took {took:?}; {} were asked for", repaired(&sim));
    }
}

fn sent(sim: &Sim) -> (u64, u64) {
    let stats = (0..sim.len()).map(|index| sim.node(index).stats());
    stats.fold((0, 0), |(packets, bytes), stats| {
        (packets + stats.packets_out, bytes + stats.bytes_out)
    })
}

/// What a message costs where nothing is lost, and what a minute costs in which nothing is said.
#[test]
fn where_nothing_is_lost_repair_costs_little_and_in_a_quiet_chat_nothing() {
    for count in [2, 10, 60] {
        let (mut sim, _) = private_chat(seed(3), count, Duration::from_millis(300), Conditions::default());
        sim.run_for(secs(120));
        let kinds = |sim: &Sim| sent(sim);
        let before = kinds(&sim);
        sim.run_for(secs(60));
        let quiet = kinds(&sim);
        for _ in 0..20 {
            let by = sim.below(count);
            say(&mut sim, by, &"x".repeat(100));
            sim.run_for(secs(3));
        }
        let talking = kinds(&sim);
        let idle = (quiet.0 - before.0, quiet.1 - before.1);
        let packets = (talking.0 - quiet.0).saturating_sub(idle.0) as f64 / 20.0;
        let bytes = (talking.1 - quiet.1).saturating_sub(idle.1) as f64 / 20.0;
        println!("{count} members: idle {idle:?} a minute; a message {packets} packets, {bytes} bytes");
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
