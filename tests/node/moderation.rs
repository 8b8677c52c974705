//! Moderation as the members of a simulated chat meet it: bans, roles, invites and splits.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use throng::crypto::SigningKey;
use throng::facts::{Action, Admitted, Body, Denied, Door, DoorMode, Role};
use throng::id::{InviteId, MemberId};
use throng::invite::{Credential, InviteKey, Rights};
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, Moderation, NodeConfig, NodeEvent, NodeKind, Refusal, StoredFact};

use crate::common::{Chat, secs};

/// A private chat of a founder (0) and members who came by one invite each.
struct Stage {
    sim: Sim,
    chat: Chat,
    /// Of all but the founder: what admits them, by index.
    people: Vec<Person>,
}

#[derive(Clone)]
struct Person {
    key: SigningKey,
    credential: Credential,
}

impl Stage {
    fn new(seed: u64, members: usize) -> Self {
        let seed = crate::common::seed(seed);
        let mut sim = Sim::new(seed, Conditions::default());
        let chat = Chat::new(seed);
        sim.add(chat.founder_config("founder"));
        let founder = Person {
            key: chat.founder.clone(),
            credential: Credential::Founder(chat.charter.clone()),
        };
        let mut stage = Self {
            sim,
            chat,
            people: vec![founder],
        };
        for _ in 0..members {
            let invite = stage.chat.invite(1, 0, Vec::new());
            stage.join(&invite, 0, 0);
        }
        stage.sim.run_for(secs(20));
        stage
    }

    /// Somebody comes by that slot of an invite, through member `by`.
    fn join(&mut self, invite: &InviteKey, slot: u16, by: usize) -> usize {
        let nick = format!("member {}", self.sim.len());
        let (mut config, key) = self.chat.newcomer(&nick, invite, slot);
        let credential = invite.admit(MemberId(key.public()), slot, self.sim.now().unix_ms);
        match &mut config.kind {
            NodeKind::Signed(state) => state.credential = credential.clone(),
            NodeKind::Classic(_) => unreachable!("a signed chat"),
        }
        let index = self.sim.add(config);
        self.people.push(Person { key, credential });
        self.connect(index, by);
        self.sim.run_for(secs(3));
        index
    }

    fn connect(&mut self, index: usize, to: usize) {
        let address = self.sim.address(to);
        let client_id = None;
        self.sim.tell(index, Input::Connect { client_id, address });
    }

    /// Somebody's program is started again, with what it has stored.
    fn restart(&mut self, index: usize, facts: Vec<StoredFact>, to: usize) {
        let config = self.config(index, facts);
        self.sim.start(index, config);
        self.connect(index, to);
    }

    fn config(&self, index: usize, facts: Vec<StoredFact>) -> NodeConfig {
        let Person { key, credential } = self.people[index].clone();
        let mut config = self
            .chat
            .config(&format!("member {index}"), key, credential, None, true);
        if let NodeKind::Signed(state) = &mut config.kind {
            state.charter = Some(self.chat.charter.clone());
            state.facts = facts;
        }
        config
    }

    fn member(&self, index: usize) -> MemberId {
        self.people[index].credential.member()
    }

    fn invite_of(&self, index: usize) -> InviteId {
        match Admitted::of(&self.people[index].credential).by {
            Some((invite, _)) => invite,
            None => unreachable!("not the founder"),
        }
    }

    fn moderate(&mut self, by: usize, deed: Moderation) {
        self.sim.tell(by, Input::Moderate(deed));
        self.sim.run_for(secs(2));
    }

    fn ban(&mut self, by: usize, index: usize, with_invite: bool) {
        let deed = Moderation::Ban {
            member: self.member(index),
            reason: "noise".into(),
            with_invite,
            hide_all: false,
        };
        self.moderate(by, deed);
    }

    fn promote(&mut self, index: usize) {
        let deed = Moderation::SetRole(self.member(index), Role::Moderator);
        self.moderate(0, deed);
    }

    fn say(&mut self, index: usize, text: &str) {
        let (text, action) = (text.to_owned(), false);
        self.sim.tell(index, Input::Say { text, action });
        self.sim.run_for(secs(2));
    }

    /// Who hears these words now.
    fn heard(&mut self, text: &str) -> Vec<usize> {
        let mut by: Vec<usize> = self
            .sim
            .take_events()
            .into_iter()
            .filter(
                |(_, _, event)| matches!(event, NodeEvent::Message(said) if said.text == text && !said.own),
            )
            .map(|(_, index, _)| index)
            .collect();
        by.sort_unstable();
        by
    }

    fn state_of(&self, index: usize) -> Vec<u8> {
        self.sim.node(index).state().expect("a state").to_bytes()
    }

    fn assert_agreed(&self, who: impl IntoIterator<Item = usize>) {
        let first = self.state_of(0);
        for index in who {
            assert_eq!(
                self.sim.node(index).facts_root(),
                self.sim.node(0).facts_root(),
                "root of {index}"
            );
            assert_eq!(self.state_of(index), first, "state of {index}");
        }
    }

    /// The facts that somebody's program was told to keep, out of all events so far.
    fn kept(events: &[(std::time::Duration, usize, NodeEvent)], who: usize) -> Vec<StoredFact> {
        let mut kept: Vec<StoredFact> = Vec::new();
        for (_, index, event) in events {
            if let NodeEvent::FactsChanged { added, removed } = event
                && *index == who
            {
                kept.retain(|fact| !removed.contains(&fact.id));
                kept.extend(added.iter().cloned());
            }
        }
        kept
    }

    fn role(&self, seen_by: usize, index: usize) -> Role {
        let member = self.member(index);
        let members = self.sim.node(seen_by).members();
        let known = members.iter().find(|known| known.member == member);
        known.expect("a known member").role
    }
}

#[test]
fn who_is_banned_is_told_why_and_gone_for_all_and_for_good() {
    let mut stage = Stage::new(1, 3);
    stage.sim.take_events();
    stage.ban(0, 2, false);
    let events = stage.sim.take_events();
    let banned = NodeEvent::Banned {
        member: stage.member(2),
        by: stage.member(0),
        reason: "noise".into(),
        hide_all: false,
    };
    for index in 0..4 {
        assert!(
            events
                .iter()
                .any(|(_, who, event)| *who == index && *event == banned),
            "{index} is told who was banned, by whom and why"
        );
    }
    assert!(stage.sim.node(2).links().is_empty());
    assert_eq!(stage.sim.node(2).may(Action::Speak), Err(Denied::Banned));
    stage.say(2, "still here?");
    assert!(stage.heard("still here?").is_empty());

    // Under a new session, with or without the memory of it, through anyone.
    let facts = Stage::kept(&events, 2);
    for (facts, to) in [(facts, 1), (Vec::new(), 3)] {
        stage.restart(2, facts, to);
        stage.sim.run_for(secs(10));
        let events = stage.sim.take_events();
        let refused = NodeEvent::Refused(Refusal::Banned);
        assert!(
            events
                .iter()
                .any(|(_, who, event)| *who == 2 && *event == refused)
        );
        assert!(stage.sim.node(2).links().is_empty());
    }

    // For a latecomer who never met them, with only that latecomer to ask.
    let invite = stage.chat.invite(1, 0, Vec::new());
    let late = stage.join(&invite, 0, 1);
    stage.sim.run_for(secs(10));
    stage.assert_agreed([1, 3, late]);
    for index in [0, 1, 3] {
        stage.sim.kill(index);
    }
    stage.sim.take_events();
    stage.restart(2, Vec::new(), late);
    stage.sim.run_for(secs(10));
    assert!(
        stage
            .sim
            .node(late)
            .links()
            .iter()
            .all(|link| link.member != stage.member(2))
    );
    assert!(stage.sim.node(2).links().is_empty());
}

#[test]
fn a_ban_holds_over_a_restart_of_the_others_and_ends_when_it_is_lifted() {
    let mut stage = Stage::new(2, 2);
    stage.ban(0, 2, false);
    let events = stage.sim.take_events();
    let facts = Stage::kept(&events, 1);
    stage.sim.kill(0);
    stage.restart(1, facts, 2);
    stage.restart(2, Vec::new(), 1);
    stage.sim.run_for(secs(10));
    assert!(stage.sim.node(1).links().is_empty(), "it knows by what it kept");

    let facts = Stage::kept(&events, 0);
    stage.restart(0, facts, 1);
    stage.sim.run_for(secs(10));
    let lift = Moderation::Unban(stage.member(2));
    stage.moderate(0, lift);
    stage.connect(2, 0);
    stage.sim.run_for(secs(40));
    stage.sim.take_events();
    stage.say(2, "back again");
    assert_eq!(stage.heard("back again"), [0, 1]);
    stage.assert_agreed([1, 2]);
}

#[test]
fn who_was_away_when_they_were_banned_hears_by_whom_and_why_when_they_come_back() {
    let mut stage = Stage::new(13, 2);
    let facts = Stage::kept(&stage.sim.take_events(), 2);
    stage.sim.kill(2);
    stage.sim.run_for(secs(5));
    stage.ban(0, 2, false);
    stage.sim.take_events();
    stage.restart(2, facts, 1);
    stage.sim.run_for(secs(5));
    let told = |stage: &mut Stage| -> Vec<NodeEvent> {
        let is = |event: &NodeEvent| matches!(event, NodeEvent::Banned { .. } | NodeEvent::Unbanned { .. });
        let events = stage.sim.take_events();
        let own = events
            .into_iter()
            .filter(|(_, who, event)| *who == 2 && is(event));
        own.map(|(.., event)| event).collect()
    };
    let (member, by) = (stage.member(2), stage.member(0));
    let banned = NodeEvent::Banned {
        member,
        by,
        reason: "noise".into(),
        hide_all: false,
    };
    assert_eq!(told(&mut stage), [banned]);
    stage.moderate(0, Moderation::Unban(member));
    stage.sim.take_events();
    stage.connect(2, 1);
    stage.sim.run_for(secs(20));
    assert_eq!(told(&mut stage), [NodeEvent::Unbanned { member, by }]);
    stage.say(2, "back");
    assert_eq!(stage.heard("back"), [0, 1]);
}

#[test]
fn a_ban_takes_along_all_who_came_by_the_invite_if_so_wished() {
    let mut stage = Stage::new(3, 1);
    let invite = stage.chat.invite(3, 0, Vec::new());
    let (one, two) = (stage.join(&invite, 0, 0), stage.join(&invite, 1, 0));
    stage.sim.run_for(secs(5));
    stage.ban(0, one, true);
    stage.sim.run_for(secs(5));
    for index in [one, two] {
        assert_eq!(
            stage.sim.node(index).may(Action::Read),
            Err(Denied::Banned),
            "{index}"
        );
        assert!(stage.sim.node(index).links().is_empty(), "{index}");
    }
    assert_eq!(stage.sim.node(1).may(Action::Speak), Ok(()));
    stage.sim.take_events();
    let third = stage.join(&invite, 2, 0);
    stage.sim.run_for(secs(5));
    let events = stage.sim.take_events();
    let is_refused =
        |event: &NodeEvent| matches!(event, NodeEvent::Refused(Refusal::Banned | Refusal::Closed));
    assert!(
        events
            .iter()
            .any(|(_, who, event)| *who == third && is_refused(event)),
        "the invite is closed"
    );
    assert!(stage.sim.node(third).links().is_empty());
}

#[test]
fn roles_decide_who_speaks_and_who_keeps_order() {
    let mut stage = Stage::new(4, 4);
    stage.promote(1);
    stage.assert_agreed(1..5);
    for seen_by in 0..5 {
        assert_eq!(stage.role(seen_by, 1), Role::Moderator, "seen by {seen_by}");
    }
    // A moderator silences a member, who may speak again when they say so.
    let observer = Moderation::SetRole(stage.member(2), Role::Observer);
    stage.moderate(1, observer);
    assert_eq!(stage.sim.node(2).may(Action::Speak), Err(Denied::ReadsOnly));
    stage.sim.take_events();
    stage.say(2, "unheard");
    assert!(stage.heard("unheard").is_empty());
    stage.say(3, "heard");
    assert_eq!(stage.heard("heard"), [0, 1, 2, 4]);
    let member = Moderation::SetRole(stage.member(2), Role::Member);
    stage.moderate(1, member);
    stage.say(2, "heard again");
    assert_eq!(stage.heard("heard again"), [0, 1, 3, 4]);

    // What one may not do has no effect anywhere.
    let before = stage.state_of(0);
    stage.ban(2, 3, false);
    stage.ban(1, 0, false);
    let promotion = Moderation::SetRole(stage.member(4), Role::Moderator);
    stage.moderate(1, promotion);
    assert_eq!(stage.state_of(0), before);
    assert_eq!(
        stage.sim.node(1).may(Action::Ban(stage.member(0))),
        Err(Denied::NotBelow)
    );
    assert_eq!(
        stage.sim.node(2).may(Action::Ban(stage.member(3))),
        Err(Denied::ModeratorsOnly)
    );

    // Back to member, and to observer.
    let member = Moderation::SetRole(stage.member(1), Role::Member);
    stage.moderate(0, member);
    assert_eq!(stage.role(3, 1), Role::Member);
    stage.ban(1, 3, false);
    assert_eq!(stage.sim.node(3).may(Action::Speak), Ok(()));
    stage.promote(1);
    let observer = Moderation::SetRole(stage.member(1), Role::Observer);
    stage.moderate(0, observer);
    assert_eq!(stage.role(3, 1), Role::Observer);
    stage.assert_agreed(1..5);
}

#[test]
fn a_moderator_is_banned_by_the_founder_and_what_they_did_before_stands() {
    let mut stage = Stage::new(5, 3);
    stage.promote(1);
    stage.ban(1, 2, false);
    stage.ban(0, 1, false);
    stage.sim.run_for(secs(20));
    assert_eq!(stage.sim.node(1).may(Action::Read), Err(Denied::Banned));
    assert_eq!(stage.sim.node(2).may(Action::Read), Err(Denied::Banned));
    stage.assert_agreed([3]);
}

#[test]
fn the_founder_takes_back_what_a_moderator_did_from_one_deed_on() {
    let mut stage = Stage::new(13, 4);
    stage.promote(1);
    for index in [2, 3, 4] {
        stage.ban(1, index, false);
    }
    let deed = |stage: &Stage, whom: MemberId| {
        let log = stage.sim.node(0).state().expect("a state").log();
        let is_it = |body: &Body| matches!(body, Body::Ban(ban) if ban.member == whom);
        let entry = log.iter().find(|entry| is_it(&entry.body));
        entry.expect("in the log").id
    };
    let second = deed(&stage, stage.member(3));
    stage.moderate(1, Moderation::UndoFrom(second));
    assert_eq!(stage.role(0, 1), Role::Moderator, "only the founder may");
    stage.moderate(0, Moderation::UndoFrom(second));
    assert_eq!(stage.role(0, 1), Role::Member);
    let may = |stage: &Stage, index: usize| {
        let who = Admitted::of(&stage.people[index].credential);
        stage
            .sim
            .node(0)
            .state()
            .expect("a state")
            .may(&who, Action::Speak)
    };
    let expected = [Err(Denied::Banned), Ok(()), Ok(())];
    assert_eq!([2, 3, 4].map(|index| may(&stage, index)), expected);
    stage.assert_agreed([1]);
}

#[test]
fn a_locked_topic_is_the_moderators_to_set() {
    let mut stage = Stage::new(6, 2);
    let topic = |topic: &str, locked| Input::SetTopic {
        topic: topic.into(),
        locked,
    };
    stage.sim.tell(2, topic("ours", None));
    stage.sim.run_for(secs(2));
    assert_eq!(stage.sim.node(1).topic(), "ours");
    stage.sim.tell(0, topic("locked", Some(true)));
    stage.sim.run_for(secs(2));
    assert_eq!(stage.sim.node(2).may(Action::SetTopic), Err(Denied::TopicLocked));
    stage.sim.tell(2, topic("mine", None));
    stage.sim.run_for(secs(2));
    assert_eq!(stage.sim.node(1).topic(), "locked");
    stage.sim.tell(0, topic("free", Some(false)));
    stage.sim.run_for(secs(2));
    stage.sim.tell(2, topic("mine", None));
    stage.sim.run_for(secs(2));
    assert_eq!(stage.sim.node(1).topic(), "mine");
}

#[test]
fn halves_that_lost_each_other_agree_when_they_meet_again() {
    let mut stage = Stage::new(7, 7);
    stage.promote(4);
    let (left, right) = ([0, 1, 2, 3], [4, 5, 6, 7]);
    for index in right {
        stage.sim.put_into_part(index, 1);
    }
    stage.sim.run_for(secs(60));
    stage.ban(0, 3, false);
    stage.sim.tell(
        1,
        Input::SetTopic {
            topic: "left".into(),
            locked: None,
        },
    );
    // The moderator of the other half silences somebody of each half, and bans one.
    stage.ban(4, 7, false);
    for index in [2, 5] {
        let deed = Moderation::SetRole(stage.member(index), Role::Observer);
        stage.moderate(4, deed);
    }
    assert_ne!(stage.state_of(0), stage.state_of(4));
    stage.assert_agreed([1, 2]);

    for index in right {
        stage.sim.put_into_part(index, 0);
    }
    stage.connect(1, 5);
    stage.sim.run_for(secs(90));
    stage.assert_agreed([1, 2, 4, 5, 6]);
    let node = stage.sim.node(6);
    assert_eq!(node.topic(), "left");
    for (index, may) in [
        (2, Err(Denied::ReadsOnly)),
        (3, Err(Denied::Banned)),
        (5, Err(Denied::ReadsOnly)),
    ] {
        assert_eq!(stage.sim.node(index).may(Action::Speak), may, "{index}");
    }
    for index in left.into_iter().chain(right) {
        let is_banned = [3, 7].contains(&index);
        let links = stage.sim.node(index).links();
        assert_eq!(links.is_empty(), is_banned, "{index}: {links:?}");
    }
}

#[test]
fn merged_there_are_never_more_than_an_invite_lets_in() {
    let mut stage = Stage::new(8, 3);
    let invite = stage.chat.invite(2, 0, Vec::new());
    // 2 and 3 lose the others, and the invite's two places are taken on both sides.
    for index in [2, 3] {
        stage.sim.put_into_part(index, 1);
    }
    stage.sim.run_for(secs(60));
    let mut came = Vec::new();
    for (by, part) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
        for slot in [0, 1] {
            let (config, key) = stage.chat.newcomer(&format!("{by} {slot}"), &invite, slot);
            let credential = match &config.kind {
                NodeKind::Signed(state) => state.credential.clone(),
                NodeKind::Classic(_) => unreachable!("a signed chat"),
            };
            let index = stage.sim.add(config);
            stage.people.push(Person { key, credential });
            stage.sim.put_into_part(index, part);
            stage.connect(index, by);
            stage.sim.run_for(secs(5));
            came.push(index);
        }
    }
    let speaking = |stage: &Stage| -> Vec<usize> {
        let speaks = |index: &usize| {
            let node = stage.sim.node(*index);
            !node.links().is_empty() && node.may(Action::Speak).is_ok()
        };
        came.iter().copied().filter(speaks).collect()
    };
    assert_eq!(speaking(&stage).len(), 4, "two a part while it is split");
    for index in 0..stage.sim.len() {
        stage.sim.put_into_part(index, 0);
    }
    stage.connect(0, 2);
    stage.connect(1, 3);
    stage.sim.run_for(secs(120));
    let spoke = speaking(&stage);
    assert_eq!(spoke.len(), 2, "as many as the invite has uses");
    for index in spoke {
        let admitted = Admitted::of(&stage.people[index].credential);
        let (invite, slot) = admitted.by.expect("an invite");
        let state = stage.sim.node(1).state().expect("a state");
        let confirmed = state.confirmed(&invite, slot.expect("a slot"));
        assert_eq!(confirmed, Some(admitted.member), "who stays is confirmed");
    }
}

#[test]
fn a_closed_invite_lets_nobody_in_and_those_who_were_confirmed_stay() {
    let mut stage = Stage::new(9, 2);
    stage.promote(1);
    let invite = stage.chat.invite(2, 0, Vec::new());
    let first = stage.join(&invite, 0, 2);
    stage.sim.run_for(secs(10));
    assert_eq!(stage.invite_of(first), invite.id());
    stage.sim.take_events();
    stage.moderate(1, Moderation::CloseInvite(invite.id()));
    let told = NodeEvent::InviteClosed {
        invite: invite.id(),
        by: Some(stage.member(1)),
    };
    let events = stage.sim.take_events();
    assert!(events.iter().any(|(_, who, event)| *who == 0 && *event == told));
    let second = stage.join(&invite, 1, 2);
    stage.sim.run_for(secs(5));
    let events = stage.sim.take_events();
    let refused = NodeEvent::Refused(Refusal::Closed);
    assert!(
        events
            .iter()
            .any(|(_, who, event)| *who == second && *event == refused)
    );
    assert_eq!(stage.sim.node(first).may(Action::Speak), Ok(()));
    stage.say(first, "still here");
    assert_eq!(stage.heard("still here"), [0, 1, 2]);
}

#[test]
fn who_comes_by_a_reading_invite_reads_until_a_moderator_says_more() {
    let mut stage = Stage::new(10, 1);
    let invite = InviteKey::issue(
        &stage.chat.key,
        &stage.chat.charter,
        stage.chat.rendezvous,
        99,
        Rights::Observer,
        1,
        0,
        Vec::new(),
        &mut ChaCha20Rng::seed_from_u64(10),
    );
    let reader = stage.join(&invite, 0, 0);
    assert_eq!(stage.sim.node(reader).may(Action::Speak), Err(Denied::ReadsOnly));
    let member = Moderation::SetRole(stage.member(reader), Role::Member);
    stage.moderate(0, member);
    stage.sim.take_events();
    stage.say(reader, "thanks");
    assert_eq!(stage.heard("thanks"), [0, 1]);
}

#[test]
fn newcomers_by_a_door_read_until_they_are_approved() {
    let mut stage = Stage::new(11, 1);
    let door = stage.chat.invite(0, 0, Vec::new());
    let approval = Door {
        mode: DoorMode::Approval,
        ..Door::OPEN
    };
    stage.moderate(0, Moderation::SetDoor(approval));
    let newcomer = stage.join(&door, 0, 1);
    stage.sim.run_for(secs(5));
    assert_eq!(
        stage.sim.node(newcomer).may(Action::Speak),
        Err(Denied::ReadsOnly)
    );
    let member = Moderation::SetRole(stage.member(newcomer), Role::Member);
    stage.moderate(0, member);
    assert_eq!(stage.sim.node(newcomer).may(Action::Speak), Ok(()));
    let closed = Door {
        mode: DoorMode::Closed,
        ..Door::OPEN
    };
    stage.moderate(0, Moderation::SetDoor(closed));
    stage.sim.take_events();
    let outside = stage.join(&door, 0, 1);
    let events = stage.sim.take_events();
    let refused = NodeEvent::Refused(Refusal::Closed);
    assert!(
        events
            .iter()
            .any(|(_, who, event)| *who == outside && *event == refused)
    );
    assert_eq!(
        stage.sim.node(newcomer).may(Action::Speak),
        Ok(()),
        "who is in stays"
    );

    let read_first = Door {
        mode: DoorMode::ReadFirst,
        minutes: 2,
        ..Door::OPEN
    };
    stage.moderate(0, Moderation::SetDoor(read_first));
    let third = stage.join(&door, 0, 1);
    stage.sim.run_for(secs(60));
    stage.sim.take_events();
    stage.say(third, "too early");
    assert!(stage.heard("too early").is_empty());
    stage.sim.run_for(secs(120));
    stage.say(third, "good evening");
    let heard = stage.heard("good evening");
    assert_eq!(heard.iter().filter(|index| **index <= 1).count(), 2, "{heard:?}");
}

#[test]
fn what_is_known_of_roles_and_bans_is_stale_when_nobody_confirms_it() {
    let mut stage = Stage::new(12, 2);
    stage.sim.run_for(secs(60));
    let stale = |events: &[(std::time::Duration, usize, NodeEvent)]| -> Vec<(usize, bool)> {
        let is = |event: &NodeEvent| match event {
            NodeEvent::ModerationStale(stale) => Some(*stale),
            _ => None,
        };
        events
            .iter()
            .filter_map(|(_, who, event)| Some((*who, is(event)?)))
            .collect()
    };
    assert_eq!(stale(&stage.sim.take_events()), []);
    stage.sim.put_into_part(1, 1);
    stage.sim.run_for(secs(180));
    assert_eq!(stale(&stage.sim.take_events()), [(1, true)]);
    stage.sim.put_into_part(1, 0);
    stage.connect(1, 0);
    stage.sim.run_for(secs(60));
    assert_eq!(stale(&stage.sim.take_events()), [(1, false)]);
}

/// An invite by member `by`, a moderator.
fn invite_by(stage: &Stage, by: usize, slots: u16) -> InviteKey {
    InviteKey::issue_in_office(
        &stage.people[by].key,
        stage.sim.node(by).own_office().expect("an office"),
        stage.chat.id,
        stage.chat.rendezvous,
        1,
        Rights::Member,
        slots,
        0,
        Vec::new(),
        &mut ChaCha20Rng::seed_from_u64(u64::from(slots)),
    )
}

#[test]
fn a_moderators_invite_lets_in_until_their_office_ends_and_the_confirmed_stay() {
    let mut stage = Stage::new(71, 3);
    assert_eq!(stage.sim.node(1).own_office(), None);
    stage.promote(1);
    let invite = invite_by(&stage, 1, 3);
    // By somebody who has nothing to do with it.
    let guest = stage.join(&invite, 0, 2);
    stage.sim.run_for(secs(25));
    for index in 0..4 {
        assert_eq!(stage.role(index, guest), Role::Member, "seen by {index}");
    }
    stage.say(guest, "thank you");
    assert_eq!(stage.heard("thank you"), [0, 1, 2, 3]);

    stage.moderate(0, Moderation::SetRole(stage.member(1), Role::Member));
    stage.sim.take_events();
    let late = stage.join(&invite, 1, 2);
    let refused = |(_, index, event): &(_, usize, NodeEvent)| {
        *index == late && *event == NodeEvent::Refused(Refusal::Closed)
    };
    assert!(stage.sim.take_events().iter().any(refused));
    stage.say(guest, "still here");
    assert_eq!(stage.heard("still here"), [0, 1, 2, 3]);
    // A new grant does not bring the old invite back.
    stage.promote(1);
    let late = stage.join(&invite, 2, 2);
    stage.say(guest, "without them");
    assert!(!stage.heard("without them").contains(&late));
    let again = stage.join(&invite_by(&stage, 1, 4), 0, 2);
    stage.say(again, "by a new one");
    assert_eq!(stage.heard("by a new one"), [0, 1, 2, 3, guest]);
    stage.assert_agreed([0, 1, 2, 3, guest, again]);
}

#[test]
fn who_comes_by_a_moderators_invite_while_elsewhere_the_office_ends_is_out_for_all() {
    let mut stage = Stage::new(72, 4);
    stage.promote(1);
    let invite = invite_by(&stage, 1, 2);
    for index in [1, 2] {
        stage.sim.put_into_part(index, 1);
    }
    stage.moderate(0, Moderation::SetRole(stage.member(1), Role::Member));
    let guest = stage.sim.len();
    // Whoever is added begins in part 0: they knock once they are in the other.
    let (config, key) = stage.chat.newcomer("guest", &invite, 0);
    let credential = match &config.kind {
        NodeKind::Signed(state) => state.credential.clone(),
        NodeKind::Classic(_) => unreachable!("a signed chat"),
    };
    stage.sim.add(config);
    stage.people.push(Person { key, credential });
    stage.sim.put_into_part(guest, 1);
    stage.connect(guest, 2);
    stage.sim.run_for(secs(30));
    assert_eq!(stage.role(2, guest), Role::Member, "where nothing is known of it");
    for index in [1, 2, guest] {
        stage.sim.put_into_part(index, 0);
    }
    stage.connect(1, 0);
    stage.connect(2, 3);
    stage.sim.run_for(secs(90));
    stage.assert_agreed([0, 1, 2, 3, 4]);
    stage.say(guest, "nobody hears this");
    let heard = stage.heard("nobody hears this");
    assert!(heard.is_empty(), "{heard:?}");
}

#[test]
fn a_moderators_invite_is_closed_by_who_made_it_and_the_confirmed_stay() {
    let mut stage = Stage::new(73, 2);
    stage.promote(1);
    let invite = invite_by(&stage, 1, 2);
    let guest = stage.join(&invite, 0, 2);
    stage.sim.run_for(secs(25));
    stage.sim.take_events();
    stage.moderate(1, Moderation::CloseInvite(invite.id()));
    let told = NodeEvent::InviteClosed {
        invite: invite.id(),
        by: Some(stage.member(1)),
    };
    let events = stage.sim.take_events();
    for index in [0, 2, guest] {
        let is_told = |(_, who, event): &(_, usize, NodeEvent)| *who == index && *event == told;
        assert!(events.iter().any(is_told), "{index} is told");
    }
    let late = stage.join(&invite, 1, 2);
    let refused = |(_, who, event): &(_, usize, NodeEvent)| {
        *who == late && *event == NodeEvent::Refused(Refusal::Closed)
    };
    assert!(stage.sim.take_events().iter().any(refused));
    stage.say(guest, "still here");
    assert_eq!(stage.heard("still here"), [0, 1, 2]);
    // Another of the same office is as good as before.
    let other = stage.join(&invite_by(&stage, 1, 3), 0, 2);
    stage.say(other, "by another");
    assert_eq!(stage.heard("by another"), [0, 1, 2, guest]);
    stage.assert_agreed([1, 2, guest, other]);
}

#[test]
fn a_ban_takes_along_all_who_came_by_a_moderators_invite_but_not_the_moderator() {
    let mut stage = Stage::new(74, 2);
    stage.promote(1);
    let invite = invite_by(&stage, 1, 3);
    let (one, two) = (stage.join(&invite, 0, 2), stage.join(&invite, 1, 2));
    let other = stage.join(&invite_by(&stage, 1, 4), 0, 2);
    stage.sim.run_for(secs(25));
    // Both are confirmed: that does not spare them.
    stage.ban(0, one, true);
    stage.sim.run_for(secs(5));
    for index in [one, two] {
        let node = stage.sim.node(index);
        assert_eq!(node.may(Action::Read), Err(Denied::Banned), "{index}");
        assert!(node.links().is_empty(), "{index}");
    }
    assert_eq!(stage.role(0, 1), Role::Moderator);
    stage.sim.take_events();
    let third = stage.join(&invite, 2, 2);
    stage.sim.run_for(secs(5));
    let refused = |(_, who, event): &(_, usize, NodeEvent)| {
        *who == third && matches!(event, NodeEvent::Refused(Refusal::Banned | Refusal::Closed))
    };
    assert!(
        stage.sim.take_events().iter().any(refused),
        "the invite is closed"
    );
    assert!(stage.sim.node(third).links().is_empty());
    stage.say(other, "by another invite of theirs");
    assert_eq!(stage.heard("by another invite of theirs"), [0, 1, 2]);
    stage.assert_agreed([1, 2, other]);
}
