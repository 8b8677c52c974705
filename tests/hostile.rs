//! A crowd with a fifth of it hostile, in virtual time.

mod common;
#[path = "common/hostile.rs"]
mod hostile;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Chat, secs};
use hostile::{Hostile, Vice};
use throng::facts::Role;
use throng::invite::InviteKey;
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, Moderation, NodeEvent};

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

/// Messages of the honest in each half of the test, and how long after one the next is said.
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

/// Hostile members, each let in by six of the honest.
fn hostile_crowd(sim: &mut Sim, chat: &mut Chat, invite: &InviteKey) -> Vec<Hostile> {
    let mut crowd = Vec::new();
    for index in 0..HOSTILE {
        let vice = VICES[usize::from(index) % VICES.len()];
        let mut one = Hostile::new(chat, invite, 200 + u16::from(index), vice, index, sim);
        for _ in 0..6 {
            let index = sim.below(HONEST);
            one.knock(sim, index);
        }
        sim.run_for(Duration::from_millis(100));
        one.answer(sim);
        crowd.push(one);
    }
    sim.run_for(secs(20));
    for one in &mut crowd {
        one.answer(sim);
        assert!(one.links() > 0, "let in");
    }
    crowd
}

/// The honest talk, the founder moderates, and the hostile do what they do. What each of the honest has sent, in datagrams
/// and in bytes.
fn talk(sim: &mut Sim, crowd: &mut [Hostile], what: &str) -> Vec<(u64, u64)> {
    let sent = |sim: &Sim| -> Vec<(u64, u64)> {
        let stats = (0..HONEST).map(|index| sim.node(index).stats());
        stats.map(|stats| (stats.packets_out, stats.bytes_out)).collect()
    };
    let before = sent(sim);
    for message in 0..MESSAGES {
        let by = sim.below(HONEST);
        let (text, action) = (format!("{what} {message}"), false);
        sim.tell(by, Input::Say { text, action });
        if message == MESSAGES / 2 {
            let (topic, locked) = (what.to_owned(), Some(true));
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
    for _ in 0..40 {
        for one in &mut *crowd {
            one.answer(sim);
        }
        sim.run_for(Duration::from_millis(500));
    }
    let after = sent(sim).into_iter().zip(before);
    after
        .map(|(after, before)| (after.0 - before.0, after.1 - before.1))
        .collect()
}

fn assert_all_shown(sim: &mut Sim, what: &str) {
    let mut shown = vec![BTreeMap::<String, u32>::new(); HONEST];
    for (_, index, event) in sim.take_events() {
        if let NodeEvent::Message(said) = event {
            *shown[index].entry(said.text).or_default() += 1;
        }
    }
    for (index, shown) in shown.iter().enumerate() {
        for message in 0..MESSAGES {
            let text = format!("{what} {message}");
            assert_eq!(shown.get(&text), Some(&1), "{text:?} at {index}");
        }
        assert!(!shown.contains_key(hostile::FORGED), "believed by {index}");
    }
}

fn assert_one_state(sim: &Sim) {
    let state = |index: usize| sim.node(index).state().expect("a state").to_bytes();
    for index in 1..HONEST {
        assert_eq!(state(index), state(0), "state of {index}");
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "the figures")]
fn a_fifth_of_200_is_hostile_and_the_honest_agree_and_miss_nothing() {
    let (mut sim, mut chat, invite) = honest_crowd(common::seed(1));
    sim.take_events();
    let quiet = talk(&mut sim, &mut [], "without them");
    assert_all_shown(&mut sim, "without them");
    assert_one_state(&sim);

    let mut crowd = hostile_crowd(&mut sim, &mut chat, &invite);
    sim.take_events();
    let loud = talk(&mut sim, &mut crowd, "with them");
    assert_all_shown(&mut sim, "with them");
    assert_one_state(&sim);

    let ratios = |part: fn(&(u64, u64)) -> u64| {
        let of_each = quiet.iter().zip(&loud);
        let greatest = of_each.map(|(quiet, loud)| part(loud) as f64 / part(quiet) as f64);
        let sum = |sent: &[(u64, u64)]| sent.iter().map(part).sum::<u64>() as f64;
        (sum(&loud) / sum(&quiet), greatest.fold(0.0, f64::max))
    };
    let (datagrams, of_one) = ratios(|sent| sent.0);
    let (bytes, bytes_of_one) = ratios(|sent| sent.1);
    println!(
        "sent by the honest, with them against without: {datagrams:.2} times the datagrams and {bytes:.2} times the bytes; \
         by who had most of them for links {of_one:.2} and {bytes_of_one:.2} times"
    );
    assert!(datagrams <= 2.0 && bytes <= 2.0);
}
