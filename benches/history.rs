//! Prints what catching up costs on the wire, in virtual time. No clock is read, so the figures are the same on every machine.
//! `cargo bench --bench history`

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Duration;

use common::{Chat, secs};
use throng::crypto::{self, BoxKeyPair, SigningKey};
use throng::id::{MemberId, MessageId};
use throng::invite::Credential;
use throng::node::sim::{Archive, Conditions, Sim};
use throng::node::{HistoryState, Input, NodeConfig, NodeEvent, NodeKind};
use throng::wire::{Body, SignedSay};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const SEED: u64 = 1;
const TOTAL: usize = 100_000;
const MISSED: usize = 1_000;
const SIZE: usize = 100;
const AUTHORS: usize = 20;
const SIGNATURE: usize = 64;
const DAY: Duration = Duration::from_secs(86_400);

fn main() {
    print("1,000 missed of 100,000 messages of 100 bytes by 20 authors, over 60 days:");
    for lost_per_mille in [0, 200] {
        catch_up(lost_per_mille);
    }
    nothing_missed();
}

fn catch_up(lost_per_mille: u32) {
    let (mut sim, before) = pair(MISSED);
    sim.conditions.lost_per_mille = lost_per_mille;
    sim.run_for(secs(120));
    let fetched = sim
        .take_events()
        .iter()
        .filter(|(_, of, event)| *of == 1 && matches!(event, NodeEvent::Message(message) if message.history))
        .count();
    assert_eq!(fetched, MISSED, "all came");
    let (packets, bytes) = history_sent(&sim);
    let (packets, bytes) = (packets - before.0, bytes - before.1);
    let text = (MISSED * SIZE) as f64;
    print(&format!(
        "| lost each way {} % | {packets} datagrams | {bytes} bytes | {:.2} times the text | {:.2} times text and signatures |",
        lost_per_mille / 10,
        bytes as f64 / text,
        bytes as f64 / (text + (MISSED * SIGNATURE) as f64),
    ));
}

fn nothing_missed() {
    let (mut sim, before) = pair(0);
    sim.run_for(secs(120));
    let after = history_sent(&sim);
    print(&format!(
        "nothing missed, both sides compared: {} datagrams, {} bytes",
        after.0 - before.0,
        after.1 - before.1
    ));
    print("then, of both, linked all the time but for their new sessions:");
    let mut before = after;
    for day in 1..=4 {
        sim.run_for(DAY);
        let now = history_sent(&sim);
        print(&format!(
            "day {day}: {} datagrams, {} bytes",
            now.0 - before.0,
            now.1 - before.1
        ));
        before = now;
    }
}

fn history_sent(sim: &Sim) -> (u64, u64) {
    let stats = (0..2).map(|index| sim.node(index).stats());
    stats.fold((0, 0), |sum, stats| {
        (sum.0 + stats.history_packets_out, sum.1 + stats.history_bytes_out)
    })
}

/// A founder who holds everything, and a member who lacks the newest messages.
fn pair(missed: usize) -> (Sim, (u64, u64)) {
    let mut chat = Chat::new(SEED);
    let invite = chat.invite(0, 0, Vec::new());
    let mut sim = Sim::new(SEED, Conditions::default());
    let now_ms = sim.now().unix_ms;
    let key = chat.newcomer("", &invite, 0).1;
    let credential = invite.admit(MemberId(key.public()), 0, now_ms - 90 * 86_400_000);
    let founder = (chat.founder.clone(), Credential::Founder(chat.charter.clone()));
    sim.add(config(&chat, founder));
    sim.kill(0);
    let member = (key, credential);
    sim.add(config(&chat, member.clone()));
    sim.kill(1);
    let state = HistoryState {
        since: Some(0),
        is_whole: true,
        ..HistoryState::default()
    };
    sim.archive_mut(0).state = state.clone();
    sim.archive_mut(1).state = state;
    fill(&mut sim, &mut chat, &invite, now_ms, missed);
    let founder = (chat.founder.clone(), Credential::Founder(chat.charter.clone()));
    let founder = config(&chat, founder);
    sim.start(0, founder);
    sim.start(1, config(&chat, member));
    let address = sim.address(0);
    sim.tell(
        1,
        Input::Connect {
            client_id: None,
            address,
        },
    );
    sim.take_events();
    (sim, (0, 0))
}

fn config(chat: &Chat, (key, credential): (SigningKey, Credential)) -> NodeConfig {
    let mut config = chat.config("somebody", key, credential, None, true);
    if let NodeKind::Signed(state) = &mut config.kind {
        state.charter = Some(chat.charter.clone());
    }
    config
}

fn fill(sim: &mut Sim, chat: &mut Chat, invite: &throng::invite::InviteKey, now_ms: u64, missed: usize) {
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let authors: Vec<(SigningKey, BoxKeyPair)> = (0..AUTHORS)
        .map(|_| {
            let key = chat.newcomer("", invite, 0).1;
            (key, BoxKeyPair::generate(&mut rng))
        })
        .collect();
    for (key, _) in &authors {
        let member = MemberId(key.public());
        let credential = invite.admit(member, 0, now_ms - 90 * 86_400_000);
        let event = NodeEvent::Admitted {
            member,
            chain: credential.encode(),
        };
        sim.archive_mut(0).keep(&event);
        sim.archive_mut(1).keep(&event);
    }
    let apart_ms = 60 * 86_400_000 / TOTAL as u64;
    let mut after = [0; 8];
    for n in 0..TOTAL {
        let (key, session) = &authors[n * 7 % AUTHORS];
        let signed = SignedSay {
            client_id: session.client_id(),
            number: (n / AUTHORS + 1) as u32,
            hlc: (now_ms - (TOTAL - n) as u64 * apart_ms) << 16,
            after,
            body: Body::Message(format!("{n:0SIZE$}")),
        };
        let bytes = signed.encode();
        let id = MessageId(crypto::hash_signed("throng/1 say", &chat.id, &bytes));
        after.copy_from_slice(&id.0[..8]);
        let signature = key.sign("throng/1 say", &chat.id, &bytes);
        let mut kept = bytes;
        kept.extend(signature);
        let member = MemberId(key.public());
        let put = |archive: &mut Archive| archive.put(id, member, kept.clone());
        put(sim.archive_mut(0));
        if n < TOTAL - missed {
            put(sim.archive_mut(1));
        }
    }
}

#[allow(clippy::print_stdout, reason = "figures are what this program is for")]
fn print(line: &str) {
    println!("{line}");
}
