//! Catching up with what was said while one was away, in virtual time. Each test prints its seed; `THRONG_SEED=n` runs it with another.

use std::collections::BTreeSet;
use std::time::Duration;

use throng::crypto::SigningKey;
use throng::facts::HistoryRule;
use throng::id::{MemberId, MessageId};
use throng::invite::{Credential, InviteKey};
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, Moderation, NodeConfig, NodeEvent, NodeStats};

use crate::common::{Chat, secs, seed};

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

    /// Tries everybody's address, or in a crowd some eight; that is what a program with a list of addresses does.
    fn connect(&mut self, index: usize) {
        let count = self.sim.len();
        let others: Vec<usize> = match count {
            0..=20 => (0..count).collect(),
            _ => (0..8).map(|_| self.sim.below(count)).collect(),
        };
        for other in others.into_iter().filter(|other| *other != index) {
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
    // What one asks the other need not.
    assert_eq!(asked + answered, 2);
}

/// In a chat of 200 messages, linked for days but for their new sessions: each asks one other a day at most, and answers one.
#[test]
#[allow(clippy::print_stdout, reason = "figures for whoever measures")]
fn a_day_on_which_nothing_is_missed_costs_a_question_and_an_answer() {
    const DAYS: u32 = 3;
    for count in [2, 6] {
        let mut crowd = Crowd::of(seed(12), count, Conditions::default());
        crowd.talk(&[0, 1], 200, secs(60));
        crowd.sim.run_for(2 * DAY);
        let sent = |crowd: &Crowd| {
            let stats = (0..count).map(|index| crowd.sim.node(index).stats());
            stats.fold((0, 0), |(packets, bytes), stats| {
                (
                    packets + stats.history_packets_out,
                    bytes + stats.history_bytes_out,
                )
            })
        };
        let before = sent(&crowd);
        crowd.sim.run_for(DAYS * DAY);
        let after = sent(&crowd);
        let each_day = |sum: u64| sum as f64 / count as f64 / f64::from(DAYS);
        let (packets, bytes) = (each_day(after.0 - before.0), each_day(after.1 - before.1));
        println!(
            "{count} members, nothing missed: {packets:.2} datagrams and {bytes:.0} bytes a day out of each"
        );
        assert!(packets <= 2.0, "{packets} datagrams a day out of each of {count}");
        assert!(packets >= 1.0, "with nobody asking nobody is asked");
    }
}

/// Of what they were linked to, one after the other goes away while it is fetched from.
#[test]
fn a_fetch_goes_on_with_another_when_its_source_leaves() {
    let mut crowd = Crowd::of(seed(4), 5, Conditions::default());
    crowd.stop(4);
    crowd.talk(&[0, 1, 2, 3], 3_000, Duration::from_millis(400));
    crowd.sim.take_events();
    crowd.start(4);
    let mut left = vec![1, 2, 3];
    for _ in 0..400 {
        crowd.sim.run_for(Duration::from_millis(100));
        let source = crowd.sim.node(4).history_source();
        let got = crowd.held(4).len();
        if let Some(at) = left.iter().position(|index| {
            Some(crowd.sim.node(*index).client_id()) == source && got > 3_000 / 5 * (4 - left.len())
        }) {
            let index = left.remove(at);
            crowd.sim.kill(index);
        }
    }
    crowd.sim.run_for(secs(120));
    assert!(left.len() < 3, "somebody left while it was asked");
    crowd.assert_same(0, 4);
}

#[test]
fn a_fifth_lost_each_way_keeps_nothing_back() {
    let conditions = Conditions {
        lost_per_mille: 200,
        ..Conditions::default()
    };
    let mut crowd = Crowd::of(seed(5), 3, Conditions::default());
    crowd.talk(&[1, 2], 3, secs(1));
    crowd.stop(2);
    crowd.talk(&[0, 1], 1_000, secs(10));
    crowd.stop(1);
    crowd.sim.conditions = conditions;
    crowd.start(2);
    crowd.sim.run_for(secs(180));
    assert_eq!(crowd.held(2).len(), 1_003);
    crowd.assert_same(0, 2);
}

/// 0 and 1 talk, then 1 and 2, then 2 and 0, and so on: never all three at a time.
#[test]
fn of_three_of_whom_any_two_are_there_each_gets_everything() {
    let mut crowd = Crowd::of(seed(6), 3, Conditions::default());
    crowd.stop(2);
    let mut said = 0;
    for turn in 0..9 {
        let (one, other, away) = (turn % 3, (turn + 1) % 3, (turn + 2) % 3);
        assert!(!crowd.sim.is_running(away));
        crowd.talk(&[one, other], 10, secs(7));
        said += 10;
        // Said while nobody hears it: it goes out when somebody is there again.
        crowd.stop(one);
        crowd.say(other, "alone");
        said += 1;
        crowd.start(away);
        crowd.sim.run_for(secs(40));
        crowd.assert_same(other, away);
        assert_eq!(crowd.held(other).len(), said, "turn {turn}");
    }
}

/// What was said alone and never went out before the program ended is fetched, under the id that it has, and told as gone out once.
#[test]
fn own_words_that_never_went_out_are_fetched_after_a_restart() {
    let mut crowd = Crowd::of(seed(7), 2, Conditions::default());
    crowd.stop(0);
    crowd.sim.run_for(secs(60));
    crowd.say(1, "nobody is there");
    let id = *crowd.sim.archive(1).ids().last().expect("kept");
    assert!(crowd.sim.archive(1).state.unsent.contains_key(&id));
    crowd.sim.kill(1);
    crowd.start(0);
    crowd.start(1);
    crowd.sim.take_events();
    crowd.sim.run_for(secs(30));
    crowd.assert_same(0, 1);
    let told = crowd.sim.take_events().into_iter().filter(|(_, of, event)| {
        *of == 1 && matches!(event, NodeEvent::Delivery { id: of, links: 1.. } if *of == id)
    });
    assert_eq!(told.count(), 1);
    assert!(crowd.sim.archive(1).state.unsent.is_empty());
}

#[test]
fn own_words_that_a_computer_lost_come_back_as_own() {
    let mut crowd = Crowd::of(seed(8), 2, Conditions::default());
    crowd.talk(&[0, 1], 40, secs(1));
    crowd.sim.kill(1);
    crowd.sim.archive_mut(1).clear();
    crowd.sim.take_events();
    crowd.start(1);
    crowd.sim.run_for(secs(20));
    crowd.assert_same(0, 1);
    let own = crowd.sim.take_events().into_iter().filter(|(_, of, event)| {
        *of == 1 && matches!(event, NodeEvent::Message(message) if message.own && message.history)
    });
    assert_eq!(own.count(), 20);
}

/// One is said an hour; the last 24 of them a day and some ms before the newcomer comes.
#[test]
fn newcomers_get_as_much_of_the_past_as_the_founder_lets_them() {
    for (rule, expected) in [
        (HistoryRule::All, 60),
        (HistoryRule::Days { days: 1 }, 23),
        (HistoryRule::FromJoining, 0),
    ] {
        let mut crowd = Crowd::of(seed(9), 2, Conditions::default());
        crowd
            .sim
            .tell(0, Input::Moderate(Moderation::SetHistoryRule(rule)));
        crowd.talk(&[0, 1], 60, HOUR);
        let late = crowd.come();
        crowd.sim.run_for(secs(60));
        crowd.sim.tell(late, Input::FetchOlder { limit: 1_000 });
        crowd.sim.run_for(secs(60));
        assert_eq!(crowd.held(late).len(), expected, "{rule:?}");
        let state = &crowd.sim.archive(late).state;
        assert!(state.is_whole, "{rule:?}: that is all there is for them");
        // What is said from now on both have.
        crowd.talk(&[0, 1], 4, secs(2));
        assert_eq!(crowd.held(late).len(), expected + 4, "{rule:?}");
    }
}

/// Two halves that could not hear each other for a while.
#[test]
fn a_split_chat_is_whole_again_once_its_halves_meet() {
    let mut crowd = Crowd::of(seed(10), 8, Conditions::default());
    for index in 0..4 {
        crowd.sim.put_into_part(index, 1);
    }
    crowd.sim.run_for(secs(60));
    crowd.talk(&[0, 4, 1, 5, 2, 6, 3, 7], 80, secs(10));
    for index in 0..4 {
        crowd.sim.put_into_part(index, 0);
        crowd.connect(index);
    }
    crowd.sim.run_for(secs(240));
    for index in 1..8 {
        crowd.assert_same(0, index);
    }
}

/// Somebody says something every 15 s. `THRONG_CROWD=500` makes it a crowd of 500.
#[test]
fn of_a_crowd_half_coming_and_going_every_few_minutes_all_who_stayed_an_hour_have_everything() {
    let crowd = std::env::var("THRONG_CROWD").ok();
    let (count, seed) = (crowd.and_then(|count| count.parse().ok()).unwrap_or(48), seed(11));
    let mut crowd = Crowd::new(seed, Conditions::default());
    for _ in 1..count {
        crowd.come();
        crowd.sim.run_for(Duration::from_millis(500));
    }
    crowd.sim.run_for(secs(60));
    crowd.sim.take_events();
    let stay = count / 2;
    let began = crowd.sim.now().elapsed;
    let mut said = 0;
    let mut up_since = vec![began; count];
    while crowd.sim.now().elapsed - began < HOUR + 5 * MINUTE {
        // Each of the others goes away or comes back every four minutes or so.
        for (index, since) in up_since.iter_mut().enumerate().skip(stay) {
            if crowd.sim.below(16) == 0 {
                if crowd.sim.is_running(index) {
                    crowd.sim.kill(index);
                } else {
                    crowd.start(index);
                    *since = crowd.sim.now().elapsed;
                }
            }
        }
        let by = crowd.sim.below(count);
        if crowd.sim.is_running(by) {
            crowd.say(by, &format!("message {said}"));
            said += 1;
        }
        crowd.sim.run_for(secs(15));
        crowd.sim.take_events();
    }
    crowd.sim.run_for(secs(60));
    let shown = print_sent(&crowd, stay, crowd.sim.now().elapsed, said);
    let there = (0..count).filter(|index| crowd.sim.is_running(*index)).count() as f64;
    assert!(
        (shown - there).abs() <= there / 50.0,
        "{there} are there, {shown:.1} are shown"
    );
    let now = crowd.sim.now().elapsed;
    let all: BTreeSet<MessageId> = (0..stay).flat_map(|index| crowd.held(index)).collect();
    let lonely = said - all.len();
    assert!(
        lonely <= said / 20,
        "{lonely} of {said} reached nobody before their author left"
    );
    for index in (0..count).filter(|index| crowd.sim.is_running(*index)) {
        if now - up_since[index] >= HOUR {
            let missing = all.difference(&crowd.held(index)).count();
            assert_eq!(missing, 0, "member {index} lacks some of {}", all.len());
        }
    }
}

/// What each of those who stayed has sent on the average; and how many it shows as there, which is returned.
#[allow(clippy::print_stdout, reason = "figures for whoever measures")]
fn print_sent(crowd: &Crowd, stay: usize, during: Duration, said: usize) -> f64 {
    let each = |of: &dyn Fn(&NodeStats) -> u64| {
        let sum: u64 = (0..stay).map(|index| of(&crowd.sim.node(index).stats())).sum();
        sum as f64 / stay as f64 / during.as_secs_f64()
    };
    let (packets, bytes) = (each(&|stats| stats.packets_out), each(&|stats| stats.bytes_out));
    println!(
        "{} members, {said} messages, {} s: {packets:.1} packets and {bytes:.0} bytes a second out of each, {:.2} packets of history",
        crowd.sim.len(),
        during.as_secs(),
        each(&|stats| stats.history_packets_out),
    );
    let running = (0..crowd.sim.len())
        .filter(|index| crowd.sim.is_running(*index))
        .count();
    let online = |index: usize| {
        crowd
            .sim
            .node(index)
            .members()
            .iter()
            .filter(|member| member.online)
            .count()
    };
    let shown = (0..stay).map(online).sum::<usize>() as f64 / stay as f64;
    println!("  {running} are there, and {shown:.1} as each of those who stayed sees it");
    for kind in crowd.sim.node(0).stats().sent.keys() {
        let of = |stats: &NodeStats| stats.sent.get(kind).copied().unwrap_or_default();
        println!(
            "  kind {kind}: {:.2} packets, {:.0} bytes",
            each(&|stats| of(stats).0),
            each(&|stats| of(stats).1)
        );
    }
    shown
}
