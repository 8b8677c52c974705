//! Crowds in virtual time. Each test prints its seed; `THRONG_SEED=n` runs it with another.

use std::time::Duration;

use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, NodeEvent};

use crate::common::{Chat, assert_reached_all, classic, private_chat, say, secs, seed, settled_classic};

/// The historic choice of links, the six nearest keys, reaches 16 of 2,000.
#[test]
fn in_a_classic_chat_of_2000_with_six_links_each_every_message_reaches_all() {
    let seed = seed(1);
    let count = 2_000;
    let mut sim = settled_classic(seed, count, Conditions::default());
    let most = (0..count).map(|index| sim.node(index).links().len()).max();
    assert_eq!(most, Some(6), "links");
    for message in 0..10 {
        let by = sim.below(count);
        say(&mut sim, by, &format!("message {message}"));
        sim.run_for(secs(3));
    }
    assert_reached_all(&sim.take_events(), 10, count);
}

#[test]
fn classic_members_join_in_waves_and_leave() {
    let seed = seed(2);
    let mut sim = Sim::new(
        seed,
        Conditions {
            lost_per_mille: 50,
            ..Conditions::default()
        },
    );
    sim.add(classic("first"));
    for wave in 0..4 {
        for _ in 0..20 {
            let by = sim.below(sim.len());
            let index = sim.add(classic(&format!("wave {wave}")));
            let (newcomer, member) = (sim.node(index).client_id(), sim.node(by).client_id());
            let address = sim.address(by);
            sim.tell(by, Input::Admit(newcomer));
            sim.tell(
                index,
                Input::Connect {
                    client_id: Some(member),
                    address,
                },
            );
        }
        sim.run_for(secs(90));
    }
    let count = sim.len();
    sim.take_events();
    for message in 0..10 {
        let by = sim.below(count);
        say(&mut sim, by, &format!("message {message}"));
        sim.run_for(secs(3));
    }
    assert_reached_all(&sim.take_events(), 10, count);

    // A quarter leaves, half of it without a word; those left still reach each other and know who is gone.
    for index in (0..count).step_by(4) {
        if index % 8 == 0 {
            sim.kill(index);
        } else {
            sim.tell(index, Input::Quit);
        }
    }
    sim.run_for(secs(200));
    sim.take_events();
    say(&mut sim, 1, "still here");
    sim.run_for(secs(3));
    let left = count - count.div_ceil(4);
    assert_reached_all(&sim.take_events(), 1, left);
    let online = sim
        .node(1)
        .members()
        .iter()
        .filter(|member| member.online)
        .count();
    assert_eq!(online, left);
}

#[test]
fn private_members_come_one_by_one_and_all_hear_each_other() {
    let seed = seed(4);
    let (mut sim, _) = private_chat(seed, 60, secs(2), Conditions::default());
    sim.run_for(secs(30));
    let events = sim.take_events();
    let joined = events
        .iter()
        .filter(|(_, _, event)| *event == NodeEvent::Joined)
        .count();
    assert_eq!(joined, 59, "everyone but the founder, who is in from the start");
    for index in 0..60 {
        let members = sim.node(index).members();
        let online = members.iter().filter(|member| member.online).count();
        assert_eq!(online, 60, "member {index} sees everyone");
        assert!(
            members.iter().all(|member| !member.nick.is_empty()),
            "with their nicks"
        );
    }
    for index in 0..60 {
        say(&mut sim, index, "hello");
        sim.run_for(Duration::from_millis(500));
    }
    sim.run_for(secs(3));
    assert_reached_all(&sim.take_events(), 60, 60);
}

#[test]
fn a_wave_joins_a_private_chat_through_one_member_while_a_twentieth_gets_lost() {
    let seed = seed(5);
    let conditions = Conditions {
        lost_per_mille: 50,
        ..Conditions::default()
    };
    let (mut sim, _) = private_chat(seed, 100, Duration::from_millis(50), conditions);
    sim.run_for(secs(120));
    let events = sim.take_events();
    let joined = events
        .iter()
        .filter(|(_, _, event)| *event == NodeEvent::Joined)
        .count();
    assert_eq!(joined, 99);
    for index in 0..100 {
        let online = sim
            .node(index)
            .members()
            .iter()
            .filter(|member| member.online)
            .count();
        assert_eq!(online, 100, "member {index} sees everyone");
    }
}

/// Twelve links are the most, but not for those who have no other: all hang on the one who can be reached.
#[test]
fn a_chat_of_which_one_member_can_be_reached_holds_together() {
    let seed = seed(6);
    let count = 30;
    let mut sim = Sim::new(seed, Conditions::default());
    let mut chat = Chat::new(seed);
    sim.add(chat.founder_config("founder"));
    let invite = chat.invite(0, 0, Vec::new());
    for index in 1..count {
        let (config, _) = chat.newcomer(&format!("member {index}"), &invite, 0);
        let index = sim.add(config);
        sim.put_behind_nat(index);
        let address = sim.address(0);
        sim.tell(
            index,
            Input::Connect {
                client_id: None,
                address,
            },
        );
        sim.run_for(secs(1));
    }
    sim.run_for(secs(60));
    for index in 0..count {
        let online = sim
            .node(index)
            .members()
            .iter()
            .filter(|member| member.online)
            .count();
        assert_eq!(online, count, "member {index} sees everyone");
    }
    sim.take_events();
    for index in 0..count {
        say(&mut sim, index, "hello");
        sim.run_for(secs(1));
    }
    assert_reached_all(&sim.take_events(), count, count);
}

/// Two by one invite of two slots, whose first choices may be the same. At 20 % loss each way.
#[test]
fn newcomers_are_in_within_seconds_though_a_fifth_is_lost_each_way() {
    let first = seed(8);
    let conditions = Conditions {
        lost_per_mille: 200,
        ..Conditions::default()
    };
    let mut took = Vec::new();
    for seed in first..first + 150 {
        let (mut sim, mut chat) = (Sim::new(seed, conditions), Chat::new(seed));
        sim.add(chat.founder_config("founder"));
        let invite = chat.invite(2, 0, Vec::new());
        for nick in ["bob", "eve"] {
            let slot = sim.below(2) as u16;
            let (config, _) = chat.newcomer(nick, &invite, slot);
            let (index, began) = (sim.add(config), sim.now().elapsed);
            let (client_id, address) = (None, sim.address(0));
            sim.tell(index, Input::Connect { client_id, address });
            let is_in = |sim: &mut Sim| {
                sim.run_for(Duration::from_millis(50));
                let events = sim.take_events();
                let joined = |(_, of, event): &(_, usize, NodeEvent)| {
                    *of == index && matches!(event, NodeEvent::Joined)
                };
                events.iter().any(joined)
            };
            while sim.now().elapsed - began < secs(60) && !is_in(&mut sim) {}
            took.push(sim.now().elapsed - began);
        }
    }
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    let figures = format!(
        "half within {:?}, 99 % within {:?}, all within {:?}",
        at(50),
        at(99),
        at(100)
    );
    assert!(at(99) < secs(10) && at(100) < secs(20), "{figures}");
}
