//! A crowd with a fifth of it hostile, in virtual time.

mod common;
#[path = "common/hostile.rs"]
mod hostile;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Chat, secs};
use hostile::{Hostile, Vice};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng::facts::Role;
use throng::invite::InviteKey;
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, Moderation, NodeEvent, NodeStats};

const HONEST: usize = 160;
const OTHERS: u8 = 40;
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

/// Who the other 40 are. What the honest send without the hostile is what they send in the chat of as many members all of whom
/// are honest and talk as much as each other: the 40 are linked to the same of them in the same way, since a link more costs a
/// copy of all that is said, whoever is at its end. With the chat of the 160 alone the sums are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    /// They are not there: the chat has 160 members.
    Absent,
    /// They do as the protocol says, and talk as the others do.
    Honest,
    Hostile,
}

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

/// The other 40, each let in by six of the honest: by the same, whoever they are.
fn other_crowd(
    sim: &mut Sim,
    chat: &mut Chat,
    invite: &InviteKey,
    rng: &mut ChaCha20Rng,
    others: Others,
) -> Vec<Hostile> {
    let mut crowd = Vec::new();
    for index in 0..OTHERS {
        let vice = match others {
            Others::Hostile => VICES[usize::from(index) % VICES.len()],
            Others::Honest | Others::Absent => Vice::HasNone,
        };
        let knocked_at: Vec<usize> = (0..6).map(|_| below(rng, HONEST)).collect();
        if others != Others::Absent {
            let mut one = Hostile::new(chat, invite, 200 + u16::from(index), vice, index, sim);
            for index in knocked_at {
                one.knock(sim, index);
            }
            crowd.push(one);
        }
        answer_for(sim, &mut crowd, 1);
    }
    answer_for(sim, &mut crowd, 20);
    // All know who they are before anything is counted: their certificates go along with the first thing they say.
    if others == Others::Honest {
        for one in &mut crowd {
            one.talk(sim);
        }
    }
    answer_for(sim, &mut crowd, 200);
    for one in &crowd {
        assert!(one.links() > 0, "let in");
    }
    crowd
}

fn below(rng: &mut ChaCha20Rng, bound: usize) -> usize {
    (rng.next_u64() % bound as u64) as usize
}

/// Lets so many tenths of a second pass, in which the others answer what keeps them linked.
fn answer_for(sim: &mut Sim, crowd: &mut [Hostile], tenths: u32) {
    for _ in 0..tenths {
        sim.run_for(Duration::from_millis(100));
        for one in &mut *crowd {
            one.answer(sim);
        }
    }
}

/// What one of the honest sent while they talked.
struct Sent {
    datagrams: u64,
    bytes: u64,
    /// Its links, on average over the time in which something was said.
    links: f64,
}

/// The honest talk, the founder moderates, and the others do what they do. What each of the honest has sent.
fn talk(sim: &mut Sim, crowd: &mut [Hostile], rng: &mut ChaCha20Rng, others: Others) -> Vec<Sent> {
    let stats = |sim: &Sim| -> Vec<NodeStats> { (0..HONEST).map(|index| sim.node(index).stats()).collect() };
    let before = stats(sim);
    let mut links = vec![0; HONEST];
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
        // Of five members one is of the others.
        if others == Others::Honest && message % 4 == 0 {
            crowd[message / 4 % usize::from(OTHERS)].talk(sim);
        }
        for one in &mut *crowd {
            one.answer(sim);
            one.act(sim, PAUSE_MS);
        }
        sim.run_for(Duration::from_millis(PAUSE_MS.into()));
        for (index, links) in links.iter_mut().enumerate() {
            *links += sim.node(index).links().len();
        }
    }
    answer_for(sim, crowd, 200);
    let of_each = stats(sim).into_iter().zip(before).zip(links);
    of_each
        .map(|((after, before), links)| Sent {
            datagrams: after.packets_out - before.packets_out,
            bytes: after.bytes_out - before.bytes_out,
            links: links as f64 / MESSAGES as f64,
        })
        .collect()
}

/// The chat with these others from its start on, on a seed of its own: whoever they are, the honest come, are linked, and
/// talk in the same way. They are asserted to agree and to miss nothing. What each of them sent.
fn run_with(others: Others, seed: u64) -> Vec<Sent> {
    let (mut sim, mut chat, invite) = honest_crowd(seed);
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut crowd = other_crowd(&mut sim, &mut chat, &invite, &mut rng, others);
    sim.take_events();
    let sent = talk(&mut sim, &mut crowd, &mut rng, others);
    assert_all_shown(&mut sim, others);
    assert_one_state(&sim, others);
    sent
}

fn assert_all_shown(sim: &mut Sim, others: Others) {
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
                "{text:?} at {index}, others {others:?}"
            );
        }
        assert!(!shown.contains_key(hostile::FORGED), "believed by {index}");
    }
}

fn assert_one_state(sim: &Sim, others: Others) {
    let state = |index: usize| sim.node(index).state().expect("a state").to_bytes();
    for index in 1..HONEST {
        assert_eq!(state(index), state(0), "state of {index}, others {others:?}");
    }
}

#[test]
fn a_fifth_of_200_is_hostile_and_the_honest_agree_and_miss_nothing() {
    let seed = common::seed(1);
    let all = [Others::Absent, Others::Honest, Others::Hostile];
    let [absent, honest, hostile] = std::thread::scope(|scope| {
        let running = all.map(|others| scope.spawn(move || run_with(others, seed)));
        running.map(|thread| thread.join().expect("its own assertions hold"))
    });
    let against_absent = Times::of(&hostile, &absent);
    let against_honest = Times::of(&hostile, &honest);
    against_absent.print("with 40 hostile, of what they send as 160");
    against_honest.print("with 40 hostile, of what they send with 40 honest in their places");
    Times::of(&honest, &absent).print("with 40 honest, of what they send as 160");
    assert!(against_absent.all.iter().all(|times| *times <= 2.0));
    assert!(against_honest.most.iter().all(|times| *times <= 2.0));
}

/// How many times what they send otherwise the honest send; the datagrams first, then the bytes.
struct Times {
    /// All of them together.
    all: [f64; 2],
    /// That one of them of whom it is the most.
    most: [f64; 2],
    /// The same over each of its links on average: what is passed on goes once over each.
    most_of_link: [f64; 2],
}

impl Times {
    fn of(sent: &[Sent], otherwise: &[Sent]) -> Self {
        let sum = |of: &[Sent]| {
            let of = of.iter();
            of.fold([0; 2], |sum, sent| [sum[0] + sent.datagrams, sum[1] + sent.bytes])
        };
        let each = || sent.iter().zip(otherwise);
        let most = |times: &dyn Fn(&Sent, &Sent) -> [f64; 2]| {
            let times = each().map(|(sent, otherwise)| times(sent, otherwise));
            times.fold([0.0_f64; 2], |most, times| {
                [most[0].max(times[0]), most[1].max(times[1])]
            })
        };
        let of_one = |sent: &Sent, otherwise: &Sent| {
            times(
                [sent.datagrams, sent.bytes],
                [otherwise.datagrams, otherwise.bytes],
            )
        };
        Self {
            all: times(sum(sent), sum(otherwise)),
            most: most(&of_one),
            most_of_link: most(&|sent, otherwise| {
                of_one(sent, otherwise).map(|times| times * otherwise.links / sent.links)
            }),
        }
    }

    #[allow(clippy::print_stdout, reason = "the figures")]
    fn print(&self, what: &str) {
        let Self {
            all,
            most,
            most_of_link,
        } = self;
        println!(
            "{what}, datagrams and bytes: together {:.2} and {:.2} times,",
            all[0], all[1]
        );
        println!("    each at most {:.2} and {:.2}, ", most[0], most[1]);
        println!(
            "    over each of its links at most {:.2} and {:.2}",
            most_of_link[0], most_of_link[1]
        );
    }
}

fn times(sent: [u64; 2], otherwise: [u64; 2]) -> [f64; 2] {
    [0, 1].map(|part| sent[part] as f64 / otherwise[part] as f64)
}
