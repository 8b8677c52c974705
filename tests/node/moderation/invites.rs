//! Invites and doors: who comes in by them, who is out again, and who makes them.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use throng::facts::{Action, Admitted, Denied, Door, DoorMode, Role};
use throng::invite::{InviteKey, Rights};
use throng::node::{Moderation, NodeEvent, NodeKind, Refusal};

use super::{Person, Stage};
use crate::common::secs;

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
fn a_moderators_invite_lets_in_until_their_office_ends_and_the_confirmed_stay() {
    let mut stage = Stage::new(71, 3);
    assert_eq!(stage.sim.node(1).own_office(), None);
    stage.promote(1);
    let invite = stage.invite_by(1, 3);
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
    let again = stage.join(&stage.invite_by(1, 4), 0, 2);
    stage.say(again, "by a new one");
    assert_eq!(stage.heard("by a new one"), [0, 1, 2, 3, guest]);
    stage.assert_agreed([0, 1, 2, 3, guest, again]);
}

#[test]
fn who_comes_by_a_moderators_invite_while_elsewhere_the_office_ends_is_out_for_all() {
    let mut stage = Stage::new(72, 4);
    stage.promote(1);
    let invite = stage.invite_by(1, 2);
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
    let invite = stage.invite_by(1, 2);
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
    let other = stage.join(&stage.invite_by(1, 3), 0, 2);
    stage.say(other, "by another");
    assert_eq!(stage.heard("by another"), [0, 1, 2, guest]);
    stage.assert_agreed([1, 2, guest, other]);
}
