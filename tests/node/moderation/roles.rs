//! Roles: who speaks, who keeps order, and what becomes of it when the chat was split.

use throng::facts::{Action, Admitted, Body, Denied, Role};
use throng::id::MemberId;
use throng::node::{Input, Moderation, NodeEvent};

use super::Stage;
use crate::common::secs;

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
