//! Messages that don't fit into one datagram.

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::node::sim::Conditions;
use throng::node::{Input, NodeEvent, NodeMessage, NodePart};
use throng::wire::{Body, Part};

use crate::common::hand::{Bench, Member};
use crate::common::{Chat, private_chat, secs, seed};

fn part(index: u8, count: u8, text: &str) -> Body {
    Body::Part(Part {
        action: false,
        index,
        count,
        text: text.to_owned(),
    })
}

fn messages(events: &[NodeEvent]) -> Vec<&NodeMessage> {
    events
        .iter()
        .filter_map(|event| match event {
            NodeEvent::Message(message) => Some(message),
            _ => None,
        })
        .collect()
}

fn parts(events: &[NodeEvent]) -> Vec<NodePart> {
    events
        .iter()
        .filter_map(|event| match event {
            NodeEvent::Part(part) => Some(part.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn the_longest_text_comes_whole_to_everyone_and_once() {
    let (mut sim, _) = private_chat(seed(1), 12, Duration::from_millis(300), Conditions::default());
    sim.run_for(secs(20));
    sim.take_events();
    let text = "Zwölf 🐎 ".repeat(4096 / 12);
    for action in [false, true] {
        let text = text.clone();
        sim.tell(3, Input::Say { text, action });
    }
    sim.run_for(secs(5));
    let mut came = vec![Vec::new(); 12];
    let mut sent = 0;
    for (_, index, event) in sim.take_events() {
        match event {
            NodeEvent::Message(message) => came[index].push(message),
            NodeEvent::Delivery { links, .. } => sent += u32::from(links > 0),
            _ => {}
        }
    }
    assert_eq!(sent, 2, "each message is told to have gone out once");
    let own = came[3].clone();
    assert_eq!(
        own.iter().map(|said| said.action).collect::<Vec<_>>(),
        [false, true]
    );
    for (index, mut came) in came.into_iter().enumerate() {
        came.sort_by_key(|said| said.number);
        assert_eq!(came.len(), 2, "at {index}");
        for (said, own) in came.iter().zip(&own) {
            assert_eq!(said.text, text, "at {index}");
            let names = |said: &NodeMessage| (said.id, said.number, said.action, said.signed.clone());
            assert_eq!(names(said), names(own));
            assert_eq!(said.own, index == 3);
        }
    }
}

#[test]
fn parts_come_in_any_order_and_the_message_with_the_last() {
    let seed = seed(2);
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    for _ in 0..20 {
        let mut chat = Chat::new(seed);
        let mut bench = Bench::new(chat.founder_config("founder"));
        let mut member = Member::link(&mut chat, &mut bench, 1);
        let texts = ["one ", "two ", "three ", "four"];
        let mut order: Vec<u8> = (0..4).collect();
        for left in (1..4).rev() {
            order.swap(left, rng.next_u32() as usize % (left + 1));
        }
        for (at, index) in order.iter().enumerate() {
            assert!(messages(&bench.events).is_empty(), "after {:?}", &order[..at]);
            let body = part(*index, 4, texts[usize::from(*index)]);
            let say = member.say(5 + u32::from(*index), body, false);
            member.send(&mut bench, &say);
        }
        let came = messages(&bench.events);
        assert_eq!(came.len(), 1, "{order:?}");
        assert_eq!((came[0].text.as_str(), came[0].number), ("one two three four", 5));
        let kept = parts(&bench.events);
        assert_eq!(kept.len(), 4);
        assert!(kept.iter().all(|part| part.first == 5));
        let first = kept.iter().find(|part| part.number == 5).expect("it came");
        assert_eq!((first.id, &first.signed), (came[0].id, &came[0].signed));
    }
}

#[test]
fn what_was_not_complete_is_completed_after_a_restart() {
    let mut chat = Chat::new(seed(3));
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let first = member.say(2, part(0, 2, "one "), false);
    member.send(&mut bench, &first);
    let kept = parts(&bench.events);
    assert_eq!(kept.len(), 1);

    let mut bench = Bench::with_seed(chat.founder_config("founder"), 9);
    bench.node.has_parts(kept);
    member.come_in(&chat, &mut bench);
    let second = member.say(3, part(1, 2, "two"), false);
    member.send(&mut bench, &second);
    let came = messages(&bench.events);
    assert_eq!(came.len(), 1);
    assert_eq!((came[0].text.as_str(), came[0].number), ("one two", 2));
}

#[test]
fn parts_that_contradict_each_other_make_no_message() {
    let mut chat = Chat::new(seed(4));
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let say = |member: &Member, number, body| member.say(number, body, false);
    for (number, body) in [
        (2, part(0, 3, "a")),
        (3, part(1, 2, "b")),
        (1, part(1, 2, "before the first")),
    ] {
        let say = say(&member, number, body);
        member.send(&mut bench, &say);
    }
    assert!(messages(&bench.events).is_empty());
    assert_eq!(bench.dropped("part_contradicts"), 1);
    assert_eq!(bench.dropped("part_without_first"), 1);
}

/// Row 19: fragments take bounded room, in all and of one.
#[test]
fn begun_messages_take_bounded_room() {
    let mut chat = Chat::new(seed(5));
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let mut other = Member::link(&mut chat, &mut bench, 2);
    let theirs = other.say(2, part(0, 2, "theirs, "), false);
    other.send(&mut bench, &theirs);
    // Slow enough for the meter: every second number begins another message.
    for begun in 0..40 {
        let say = member.say(2 + 2 * begun, part(0, 2, "begun, "), false);
        member.send(&mut bench, &say);
        bench.pass(Duration::from_millis(300));
        member.keep_alive(&mut bench);
        other.keep_alive(&mut bench);
    }
    let last = |begun: u32| 3 + 2 * begun;
    for (number, completes) in [(last(0), false), (last(39), true)] {
        let before = messages(&bench.events).len();
        let say = member.say(number, part(1, 2, "and ended"), false);
        member.send(&mut bench, &say);
        assert_eq!(
            messages(&bench.events).len() - before,
            usize::from(completes),
            "{number}"
        );
    }
    let say = other.say(3, part(1, 2, "and whole"), false);
    other.send(&mut bench, &say);
    let came = messages(&bench.events);
    let text = &came.last().expect("it came").text;
    assert_eq!(text, "theirs, and whole", "others' are not driven out by one");
}
