//! A crowd with a fifth of it hostile, in virtual time.

#![allow(clippy::print_stdout, reason = "what was measured is printed")]

use std::collections::BTreeMap;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::facts::Role;
use throng::invite::InviteKey;
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, Moderation, NodeEvent};

use crate::common::hostile::{Hostile, Vice};
use crate::common::{Chat, secs};

const HONEST: usize = 160;
const HOSTILE: u8 = 40;
const VICES: [Vice; 10] = [
    Vice::Forges,
    Vice::Replays,
    Vice::IsTwoFaced,
    // 100 times the rate of a private chat.
    Vice::Floods(500),
    Vice::Bans,
    Vice::Forges,
    Vice::Replays,
    Vice::IsTwoFaced,
    Vice::Forges,
    Vice::Bans,
];

/// Messages of the honest, and how long after one the next is said.
const MESSAGES: usize = 300;
const PAUSE_MS: u32 = 100;

/// Honest members, come one by one.
fn honest_crowd(seed: u64) -> (Sim, Chat, InviteKey) {
    let mut sim = Sim::new(seed, Conditions::default());
    let mut chat = Chat::new(seed);
    sim.add(chat.founder_config("founder"));
    let invite = chat.invite(400, 0, Vec::new());
    for index in 1..HONEST {
        let (config, _) = chat.newcomer(&format!("member {index}"), &invite, index as u16);
        let by = sim.below(index);
        let address = sim.address(by);
        sim.add(config);
        let client_id = None;
        sim.tell(index, Input::Connect { client_id, address });
        sim.run_for(Duration::from_millis(200));
    }
    sim.run_for(secs(30));
    (sim, chat, invite)
}

/// The hostile, each let in by six of the honest.
fn hostile_crowd(sim: &mut Sim, chat: &mut Chat, invite: &InviteKey, rng: &mut ChaCha20Rng) -> Vec<Hostile> {
    let mut crowd = Vec::new();
    for index in 0..HOSTILE {
        let vice = VICES[usize::from(index) % VICES.len()];
        let mut one = Hostile::new(chat, invite, 200 + u16::from(index), vice, index, sim);
        for _ in 0..6 {
            one.knock(sim, below(rng, HONEST));
        }
        crowd.push(one);
        answer_for(sim, &mut crowd, 1);
    }
    for one in &crowd {
        assert!(one.links() > 0, "let in");
    }
    crowd
}

fn below(rng: &mut ChaCha20Rng, bound: usize) -> usize {
    (rng.next_u64() % bound as u64) as usize
}

/// Lets so many tenths of a second pass, in which the hostile answer what keeps them linked.
fn answer_for(sim: &mut Sim, crowd: &mut [Hostile], tenths: u32) {
    for _ in 0..tenths {
        sim.run_for(Duration::from_millis(100));
        for one in &mut *crowd {
            one.answer(sim);
        }
    }
}

/// The honest talk, the founder moderates, and the hostile do what they do. How many datagrams, and how many bytes, each of
/// the honest has sent.
fn talk(sim: &mut Sim, crowd: &mut [Hostile], rng: &mut ChaCha20Rng) -> Vec<[u64; 2]> {
    let sent = |sim: &Sim| -> Vec<[u64; 2]> {
        let stats = (0..HONEST).map(|index| sim.node(index).stats());
        stats.map(|stats| [stats.packets_out, stats.bytes_out]).collect()
    };
    let before = sent(sim);
    for message in 0..MESSAGES {
        let by = below(rng, HONEST);
        let (text, action) = (format!("message {message}"), false);
        sim.tell(by, Input::Say { text, action });
        if message == MESSAGES / 2 {
            let (topic, locked) = ("of the honest".to_owned(), Some(true));
            sim.tell(0, Input::SetTopic { topic, locked });
            let somebody = sim.node(message).member();
            sim.tell(0, Input::Moderate(Moderation::SetRole(somebody, Role::Moderator)));
        }
        for one in &mut *crowd {
            one.answer(sim);
            one.act(sim, PAUSE_MS);
        }
        sim.run_for(Duration::from_millis(PAUSE_MS.into()));
    }
    answer_for(sim, crowd, 200);
    let of_each = sent(sim).into_iter().zip(before);
    of_each
        .map(|(after, before)| [after[0] - before[0], after[1] - before[1]])
        .collect()
}

/// The chat with or without the hostile, who come last. The honest are asserted to agree and to miss nothing. What each
/// of them sent while they talked.
fn run(with_hostile: bool, seed: u64) -> Vec<[u64; 2]> {
    let (mut sim, mut chat, invite) = honest_crowd(seed);
    let mut crowd = Vec::new();
    if with_hostile {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        crowd = hostile_crowd(&mut sim, &mut chat, &invite, &mut rng);
    }
    answer_for(&mut sim, &mut crowd, 200);
    sim.take_events();
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let sent = talk(&mut sim, &mut crowd, &mut rng);
    assert_all_shown(&mut sim, with_hostile);
    assert_one_state(&sim, with_hostile);
    sent
}

fn assert_all_shown(sim: &mut Sim, with_hostile: bool) {
    let mut shown = vec![BTreeMap::<String, u32>::new(); HONEST];
    for (_, index, event) in sim.take_events() {
        if let NodeEvent::Message(said) = event {
            *shown[index].entry(said.text).or_default() += 1;
        }
    }
    for (index, shown) in shown.iter().enumerate() {
        for message in 0..MESSAGES {
            let text = format!("message {message}");
            assert_eq!(
                shown.get(&text),
                Some(&1),
                "{text:?} at {index}, with hostile: {with_hostile}"
            );
        }
        assert!(
            !shown.contains_key(crate::common::hostile::FORGED),
            "believed by {index}"
        );
    }
}

fn assert_one_state(sim: &Sim, with_hostile: bool) {
    let state = |index: usize| sim.node(index).state().expect("a state").to_bytes();
    for index in 1..HONEST {
        assert_eq!(
            state(index),
            state(0),
            "state of {index}, with hostile: {with_hostile}"
        );
    }
}

/// "No honest node sends more than twice what it sends without them."
#[test]
fn a_fifth_of_200_is_hostile_and_the_honest_agree_and_miss_nothing() {
    let seed = crate::common::seed(1);
    let [without, with] = std::thread::scope(|scope| {
        let running = [false, true].map(|with_hostile| scope.spawn(move || run(with_hostile, seed)));
        running.map(|thread| thread.join().expect("its own assertions hold"))
    });
    for (part, what) in ["datagrams", "bytes"].into_iter().enumerate() {
        let times = |with: u64, without: u64| with as f64 / without as f64;
        let sum = |sent: &[[u64; 2]]| sent.iter().map(|sent| sent[part]).sum();
        let all = times(sum(&with), sum(&without));
        let each = with
            .iter()
            .zip(&without)
            .map(|(with, without)| times(with[part], without[part]));
        let most = each.fold(0.0, f64::max);
        println!("with 40 hostile, {what}: together {all:.2} times, each at most {most:.2} times");
        assert!(most <= 2.0, "{most} times the {what}");
    }
}
