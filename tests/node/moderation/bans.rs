//! Bans: who is out, for how long, with whom, and who may lift it.

use throng::facts::{Action, Denied, Role};
use throng::node::{Moderation, NodeEvent, Refusal};

use super::Stage;
use crate::common::secs;

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
fn a_ban_takes_along_all_who_came_by_a_moderators_invite_but_not_the_moderator() {
    let mut stage = Stage::new(74, 2);
    stage.promote(1);
    let invite = stage.invite_by(1, 3);
    let (one, two) = (stage.join(&invite, 0, 2), stage.join(&invite, 1, 2));
    let other = stage.join(&stage.invite_by(1, 4), 0, 2);
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
