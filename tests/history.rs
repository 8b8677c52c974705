//! Catching up with what was said while one was away, in virtual time. Each test prints its seed; `THRONG_SEED=n` runs it with another.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{Chat, secs, seed};
use throng::crypto::SigningKey;
use throng::id::{MemberId, MessageId};
use throng::invite::{Credential, InviteKey};
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, NodeConfig, NodeEvent};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A chat whose members can be stopped and started again. Member 0 is the founder; all others came by one of two invites
/// in turn.
struct Crowd {
    sim: Sim,
    chat: Chat,
    invites: [InviteKey; 2],
    members: Vec<(SigningKey, Credential)>,
}

impl Crowd {
    fn new(seed: u64, conditions: Conditions) -> Self {
        let mut chat = Chat::new(seed);
        let invites = [chat.invite(0, 0, Vec::new()), chat.invite(0, 0, Vec::new())];
        let founder = (chat.founder.clone(), Credential::Founder(chat.charter.clone()));
        let mut sim = Sim::new(seed, conditions);
        sim.add(chat.founder_config("founder"));
        Self {
            sim,
            chat,
            invites,
            members: vec![founder],
        }
    }

    /// Everyone in, with links.
    fn of(seed: u64, count: usize, conditions: Conditions) -> Self {
        let mut crowd = Self::new(seed, conditions);
        for _ in 1..count {
            crowd.come();
            crowd.sim.run_for(secs(2));
        }
        crowd.sim.run_for(secs(60));
        crowd.sim.take_events();
        crowd
    }

    fn config(&self, index: usize, joined: bool) -> NodeConfig {
        let (key, credential) = self.members[index].clone();
        let mut config = self
            .chat
            .config(&format!("member {index}"), key, credential, None, joined);
        if let throng::node::NodeKind::Signed(state) = &mut config.kind {
            state.charter = Some(self.chat.charter.clone());
        }
        config
    }

    /// A newcomer, by somebody who is there.
    fn come(&mut self) -> usize {
        let index = self.members.len();
        let key = self.chat.newcomer("", &self.invites[index % 2], 0).1;
        let member = MemberId(key.public());
        let credential = self.invites[index % 2].admit(member, 0, self.sim.now().unix_ms);
        self.members.push((key, credential));
        let config = self.config(index, false);
        assert_eq!(self.sim.add(config), index);
        self.connect(index);
        index
    }

    fn stop(&mut self, index: usize) {
        self.sim.tell(index, Input::Quit);
        self.sim.run_for(Duration::from_millis(200));
        self.sim.kill(index);
    }

    fn start(&mut self, index: usize) {
        let config = self.config(index, true);
        self.sim.start(index, config);
        self.connect(index);
    }

    /// Tries everybody's address; with few that is what a program with a list of addresses does.
    fn connect(&mut self, index: usize) {
        for other in (0..self.sim.len()).filter(|other| *other != index).take(20) {
            if self.sim.is_running(other) {
                let address = self.sim.address(other);
                self.sim.tell(
                    index,
                    Input::Connect {
                        client_id: None,
                        address,
                    },
                );
            }
        }
    }

    fn say(&mut self, index: usize, text: &str) {
        self.sim.tell(
            index,
            Input::Say {
                text: text.into(),
                action: false,
            },
        );
    }

    /// Says so many, so long apart, by members in turn.
    fn talk(&mut self, by: &[usize], count: usize, apart: Duration) {
        for n in 0..count {
            self.say(by[n % by.len()], &format!("message {n}"));
            self.sim.run_for(apart);
        }
    }

    fn held(&self, index: usize) -> BTreeSet<MessageId> {
        self.sim.archive(index).ids().into_iter().collect()
    }

    fn assert_same(&self, one: usize, other: usize) {
        let (one_holds, other_holds) = (self.held(one), self.held(other));
        assert_eq!(
            (one_holds.len(), one_holds.intersection(&other_holds).count()),
            (other_holds.len(), other_holds.len()),
            "members {one} and {other} hold the same"
        );
    }

    /// Messages that came as history, of these events.
    fn fetched(events: &[(Duration, usize, NodeEvent)], index: usize) -> usize {
        let of_member = events.iter().filter(|(_, of, _)| *of == index);
        of_member
            .filter(|(_, _, event)| matches!(event, NodeEvent::Message(message) if message.history))
            .count()
    }
}

#[test]
fn who_was_away_gets_what_was_said_though_its_authors_are_gone() {
    for (away, messages) in [(5 * MINUTE, 20), (DAY, 300), (9 * DAY, 400)] {
        let mut crowd = Crowd::of(seed(1), 4, Conditions::default());
        crowd.talk(&[1, 2, 3], 9, secs(1));
        crowd.stop(3);
        crowd.talk(&[1, 2], messages, away / messages as u32);
        crowd.stop(1);
        crowd.stop(2);
        crowd.sim.take_events();
        crowd.start(3);
        crowd.sim.run_for(secs(30));
        crowd.assert_same(0, 3);
        let events = crowd.sim.take_events();
        assert_eq!(Crowd::fetched(&events, 3), messages, "all marked as history");
        assert_eq!(crowd.held(3).len(), 9 + messages);
    }
}

#[test]
fn who_comes_late_gets_the_newest_100_at_once_and_the_rest_on_demand() {
    let mut crowd = Crowd::of(seed(2), 3, Conditions::default());
    crowd.talk(&[0, 1, 2], 350, secs(20));
    crowd.stop(1);
    crowd.sim.take_events();
    let late = crowd.come();
    crowd.sim.run_for(secs(15));
    assert_eq!(crowd.held(late).len(), 100);
    let newest: BTreeSet<MessageId> = crowd.sim.archive(0).ids().into_iter().rev().take(100).collect();
    assert_eq!(crowd.held(late), newest);
    let state = crowd.sim.archive(late).state.clone();
    assert!(state.since.is_some() && !state.is_whole);

    let older = |crowd: &mut Crowd, limit| {
        crowd.sim.take_events();
        crowd.sim.tell(late, Input::FetchOlder { limit });
        crowd.sim.run_for(secs(5));
        let events = crowd.sim.take_events();
        let progress = events.into_iter().filter_map(|(_, of, event)| match event {
            NodeEvent::HistoryProgress { fetched, done, more } if of == late => Some((fetched, done, more)),
            _ => None,
        });
        progress.collect::<Vec<_>>().pop().expect("progress")
    };
    assert_eq!(older(&mut crowd, 120), (120, true, true));
    assert_eq!(crowd.held(late).len(), 220);
    let (fetched, done, more) = older(&mut crowd, 1_000);
    assert_eq!((fetched, done, more), (130, true, false), "all there is");
    crowd.assert_same(0, late);
    assert!(crowd.sim.archive(late).state.is_whole);
    assert_eq!(older(&mut crowd, 10), (0, true, false));
}

/// History datagrams that a member sent, by the bytes: everything else of a settled chat is subtracted by a twin without rounds.
#[test]
fn with_nothing_missed_one_question_and_one_answer_are_enough() {
    let mut crowd = Crowd::of(seed(3), 2, Conditions::default());
    crowd.talk(&[0, 1], 200, 3 * MINUTE);
    crowd.stop(1);
    crowd.sim.run_for(HOUR);
    let before = crowd.sim.node(0).stats().history_packets_out;
    crowd.start(1);
    crowd.sim.run_for(secs(60));
    assert_eq!(crowd.sim.node(1).links().len(), 1);
    let asked = crowd.sim.node(1).stats().history_packets_out;
    let answered = crowd.sim.node(0).stats().history_packets_out - before;
    // Each side compares once: one question and one answer each.
    assert_eq!((asked, answered), (2, 2));
}
