//! Prints a table of what a crowd costs, in virtual time. No clock is read, so the figures are the same on every machine.
//! `cargo bench --bench crowd [-- MEMBERS …]`

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{private_chat, secs, settled_classic};
use throng::id::MessageId;
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, NodeEvent};

const SEED: u64 = 1;
const SECONDS: u32 = 20;
const SIZE: usize = 100;

fn main() {
    let wanted: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let counts = if wanted.is_empty() {
        vec![100, 500, 2_000]
    } else {
        wanted
    };
    print(
        "| kind | members | messages a second | lost | links, mean | reached | last, ms, mean | copies a delivery | \
         bytes a delivery | idle, B/s a member |",
    );
    print("|---|---|---|---|---|---|---|---|---|---|");
    for count in counts {
        for lost_per_mille in [0, 10] {
            let conditions = Conditions {
                lost_per_mille,
                ..Conditions::default()
            };
            row("classic", 1, settled_classic(SEED, count, conditions));
            // Rosters of 2,000 sessions are more than signed chats are built for yet.
            if count <= 500 {
                for per_second in [1, 10] {
                    let (mut sim, _) = private_chat(SEED, count, Duration::from_millis(500), conditions);
                    sim.run_for(secs(120));
                    row("private", per_second, sim);
                }
            }
        }
    }
}

fn row(kind: &str, per_second: u32, mut sim: Sim) {
    let messages = (SECONDS * per_second) as usize;
    let count = sim.len();
    let idle_from = sent(&sim);
    sim.run_for(secs(60));
    let idle = (sent(&sim).1 - idle_from.1) as f64 / 60.0 / count as f64;
    sim.take_events();

    let before = sent(&sim);
    for _ in 0..messages {
        let by = sim.below(count);
        sim.tell(
            by,
            Input::Say {
                text: "x".repeat(SIZE),
                action: false,
            },
        );
        sim.run_for(secs(1) / per_second);
    }
    sim.run_for(secs(2));
    let spent = sent(&sim);
    let seconds = f64::from(SECONDS + 2);
    let mut own: Vec<(MessageId, Duration)> = Vec::new();
    let mut last: BTreeMap<MessageId, Duration> = BTreeMap::new();
    let mut deliveries = 0_usize;
    for (at, _, event) in sim.take_events() {
        if let NodeEvent::Message(message) = event {
            if message.own {
                own.push((message.id, at));
            } else {
                deliveries += 1;
                last.insert(message.id, at);
            }
        }
    }
    let mean_last = own
        .iter()
        .filter_map(|(id, at)| Some((*last.get(id)? - *at).as_secs_f64()))
        .sum::<f64>()
        / messages as f64
        * 1_000.0;
    let links: usize = (0..count).map(|index| sim.node(index).links().len()).sum();
    let idle_bytes = idle * seconds * count as f64;
    let bytes = (spent.1 - before.1) as f64 - idle_bytes;
    let packets = (spent.0 - before.0) as f64 - idle_bytes / 200.0;
    let reached = deliveries as f64 / (messages * (count - 1)) as f64 * 100.0;
    print(&format!(
        "| {kind} | {count} | {per_second} | {:.1} % | {:.1} | {reached:.3} % | {mean_last:.0} | {:.2} | {:.0} | {idle:.0} |",
        f64::from(sim.conditions.lost_per_mille) / 10.0,
        links as f64 / count as f64,
        packets / deliveries as f64,
        bytes / deliveries as f64,
    ));
}

/// Datagrams and bytes that all members have sent, without IP and UDP headers.
fn sent(sim: &Sim) -> (u64, u64) {
    let stats = (0..sim.len()).map(|index| sim.node(index).stats());
    stats.fold((0, 0), |(packets, bytes), stats| {
        (packets + stats.packets_out, bytes + stats.bytes_out)
    })
}

#[allow(clippy::print_stdout, reason = "figures are what this program is for")]
fn print(line: &str) {
    println!("{line}");
}
