//! Rule 3, and what else is held by the greatest (epoch, counter, rank, hash): topic, roles of members, door.

use throng::facts::{
    Action, Body, Denied, Door, DoorMode, HistoryRule, Inserted, MAX_MEMBER_TOPICS, Place, Refused, Role,
};
use throng::invite::Rights;

use super::people::{Cast, Half, Person, meet};

fn friends() -> (Half, Person, Person, Person) {
    let cast = Cast::private();
    let (bea, max, nina) = (cast.member(10), cast.member(20), cast.member(21));
    let mut half = cast.half();
    half.grant(&bea, Role::Moderator);
    (half, bea, max, nina)
}

#[test]
fn the_topic_is_the_last_ones_who_had_seen_the_others() {
    let (mut half, bea, max, nina) = friends();
    let founder = half.cast.founder.clone();
    assert_eq!(half.topic(), None);
    half.set_members_topic(&max, "Max's");
    half.set_topic(&bea, "Bea's", false);
    assert_eq!(half.topic().as_deref(), Some("Bea's"));
    half.set_members_topic(&nina, "Nina's");
    assert_eq!(
        half.topic().as_deref(),
        Some("Nina's"),
        "one more is one more, whoever it is"
    );
    half.set_topic(&founder, "", false);
    let state = half.state();
    assert_eq!(
        state.topic().map(|topic| (topic.by, topic.text.as_str())),
        Some((founder.id, ""))
    );
}

#[test]
fn of_topics_of_one_epoch_and_counter_the_higher_rank_s_holds_then_the_greater_hash() {
    let (half, bea, max, nina) = friends();
    let (mut here, mut there) = (half.clone(), half);
    here.set_members_topic(&max, "Max's");
    there.set_topic(&bea, "Bea's", false);
    meet(&mut here, &mut there);
    assert_eq!(here.topic().as_deref(), Some("Bea's"));

    let (half, ..) = friends();
    let (mut here, mut there) = (half.clone(), half);
    let one = here.set_members_topic(&max, "Max's");
    let other = there.set_members_topic(&nina, "Nina's");
    meet(&mut here, &mut there);
    let greater = if here.id(&one) > here.id(&other) {
        "Max's"
    } else {
        "Nina's"
    };
    assert_eq!(here.topic().as_deref(), Some(greater));
}

#[test]
fn a_higher_epoch_comes_before_any_counter() {
    let (mut half, bea, max, nina) = friends();
    let greedy = half.members_topic(&max, 1, u32::MAX, "for ever");
    half.take_of(&greedy, &max).unwrap();
    half.set_members_topic(&nina, "Nina's");
    assert_eq!(half.state().next_topic_counter(), u32::MAX);
    half.grant(&nina, Role::Member);
    half.set_topic(&bea, "Bea's", false);
    assert_eq!(
        half.topic().as_deref(),
        Some("Bea's"),
        "the founder did anything: that is enough"
    );
}

#[test]
fn a_locked_topic_is_the_moderators() {
    let (half, bea, max, _) = friends();
    let (mut here, mut there) = (half.clone(), half);
    here.set_topic(&bea, "Rules", true);
    assert_eq!(here.may(&max, Action::SetTopic), Err(Denied::TopicLocked));
    assert_eq!(here.may(&bea, Action::SetTopic), Ok(()));
    // In a half that does not know, and with however great a counter.
    let greedy = there.members_topic(&max, 1, 99, "Max's");
    there.take_of(&greedy, &max).unwrap();
    assert_eq!(there.topic().as_deref(), Some("Max's"));
    meet(&mut here, &mut there);
    assert_eq!(here.topic().as_deref(), Some("Rules"));
    here.set_topic(&bea, "Rules", false);
    assert_eq!(here.may(&max, Action::SetTopic), Ok(()));
    here.set_members_topic(&max, "Fun");
    assert_eq!(here.topic().as_deref(), Some("Fun"));
}

#[test]
fn a_public_chats_topic_is_locked_until_somebody_unlocks_it() {
    let cast = Cast::public();
    let mut half = cast.half();
    let max = cast.person(20, 80, 0, 0, Rights::Member);
    half.set_members_topic(&max, "Max's");
    assert!(half.state().is_topic_locked());
    assert_eq!(half.topic(), None);
    half.set_topic(&cast.founder, "Anything goes", false);
    assert!(!half.state().is_topic_locked());
}

#[test]
fn when_who_set_the_topic_is_banned_or_made_an_observer_the_one_before_holds() {
    let (half, bea, max, nina) = friends();
    for silence in [true, false] {
        let mut half = half.clone();
        half.set_members_topic(&nina, "Nina's");
        half.set_members_topic(&max, "Max's");
        assert_eq!(half.topic().as_deref(), Some("Max's"));
        if silence {
            half.grant_by(&bea, &max, Role::Observer);
        } else {
            half.ban(&bea, &max);
        }
        assert_eq!(half.topic().as_deref(), Some("Nina's"));
    }
}

#[test]
fn of_a_member_the_greatest_topic_is_kept_and_of_members_so_many() {
    let (mut half, _, max, _) = friends();
    let low = half.members_topic(&max, 1, 1, "one");
    let high = half.members_topic(&max, 1, 2, "two");
    half.take_of(&high, &max).unwrap();
    assert_eq!(half.take_of(&low, &max), Err(Refused::Outdone));

    let members: Vec<Person> = (30..30 + MAX_MEMBER_TOPICS as u8 + 4)
        .map(|seed| half.cast.member(seed))
        .collect();
    for (at, member) in members.iter().enumerate() {
        let topic = half.members_topic(member, 1, 3 + at as u32, "mine");
        half.take_of(&topic, member).unwrap();
    }
    assert_eq!(half.set.len(), 1 + MAX_MEMBER_TOPICS);
    assert_eq!(half.take_of(&high, &max), Err(Refused::Outdone));
}

#[test]
fn a_members_topic_needs_what_admits_them_to_speak_by_that_slot() {
    let (mut half, bea, max, nina) = friends();
    let fact = half.members_topic(&max, 1, 1, "Max's");
    assert_eq!(half.take(&fact), Err(Refused::NotAdmitted));
    assert_eq!(half.take_of(&fact, &nina), Err(Refused::NotAdmitted));
    // By another slot or invite than the one that admits them.
    let forged = half.cast.person(20, 120, 3, 2, Rights::Member);
    assert_eq!(half.take_of(&fact, &forged), Err(Refused::NotAdmitted));
    let forged = half.cast.person(20, 120, 0, 0, Rights::Member);
    assert_eq!(half.take_of(&fact, &forged), Err(Refused::NotAdmitted));
    let mut forged = half.cast.person(20, 81, 3, 2, Rights::Member);
    assert_eq!(half.take_of(&fact, &forged), Err(Refused::NotAdmitted));
    forged.credential = max.credential.clone();
    assert!(half.take_of(&fact, &forged).is_ok());
    let observer = half.cast.person(40, 140, 1, 0, Rights::Observer);
    let fact = half.members_topic(&observer, 1, 1, "an observer's");
    assert_eq!(half.take_of(&fact, &observer), Err(Refused::NotAdmitted));
    // An invite that the chat never issued.
    let mut elsewhere = half.cast.clone();
    elsewhere.chat_key = Cast::invite(99);
    let stranger = elsewhere.member(41);
    let fact = half.members_topic(&stranger, 1, 1, "a stranger's");
    assert_eq!(half.take_of(&fact, &stranger), Err(Refused::NotAdmitted));
    // The founder has a chain for it.
    let (invite, slot) = bea.admitted().by.unwrap();
    let body = Body::MemberTopic {
        invite,
        slot,
        counter: 1,
        text: String::new(),
    };
    let fact = half.cast.sign(&half.cast.founder, Place::in_no_chain(1), body);
    assert_eq!(half.take(&fact), Err(Refused::NotForFounder));
}

#[test]
fn moderators_make_observers_of_members_and_members_of_observers() {
    let (mut half, bea, max, _) = friends();
    let observer = half.cast.person(40, 140, 1, 0, Rights::Observer);
    assert_eq!(half.role(&observer), Role::Observer);
    assert_eq!(half.may(&observer, Action::Speak), Err(Denied::ReadsOnly));
    half.grant_by(&bea, &observer, Role::Member);
    half.grant_by(&bea, &max, Role::Observer);
    assert_eq!(half.may(&observer, Action::Speak), Ok(()));
    assert_eq!(half.may(&max, Action::Speak), Err(Denied::ReadsOnly));
    assert_eq!(half.may(&max, Action::Read), Ok(()));
    half.grant_by(&bea, &max, Role::Member);
    assert_eq!(half.role(&max), Role::Member);
}

#[test]
fn a_moderators_grant_does_not_touch_an_equal_or_higher() {
    let (mut half, bea, max, _) = friends();
    half.grant(&max, Role::Moderator);
    half.grant_by(&bea, &max, Role::Observer);
    let founder = half.cast.founder.clone();
    half.grant_by(&bea, &founder, Role::Observer);
    assert_eq!(
        (half.role(&max), half.role(&founder)),
        (Role::Moderator, Role::Founder)
    );
    half.demote(&max, None);
    assert_eq!(
        half.role(&max),
        Role::Member,
        "nor does it come alive after a demotion"
    );
    assert_eq!(half.may(&bea, Action::SetRole(founder.id)), Err(Denied::NotBelow));
}

#[test]
fn of_two_doors_the_greater_epoch_counter_rank_and_hash_holds() {
    let (half, bea, ..) = friends();
    assert_eq!(half.state().door(), Door::OPEN);
    let door = |half: &Half, mode| Body::Door {
        counter: half.state().next_door_counter(),
        door: Door { mode, ..Door::OPEN },
    };
    let (mut here, mut there) = (half.clone(), half);
    here.act(&bea, door(&here, DoorMode::Closed));
    let founder = there.cast.founder.clone();
    there.act(&founder, door(&there, DoorMode::Work));
    meet(&mut here, &mut there);
    assert_eq!(here.state().door().mode, DoorMode::Work, "of the higher epoch");
    here.act(&bea, door(&here, DoorMode::Approval));
    assert_eq!(here.state().door().mode, DoorMode::Approval);
}

#[test]
fn a_waiting_topic_comes_in_with_the_epoch_that_it_names() {
    let (half, bea, max, nina) = friends();
    let (mut here, mut there) = (half.clone(), half);
    there.grant(&nina, Role::Member);
    let topic = there.set_members_topic(&max, "Max's");
    assert_eq!(here.take_of(&topic, &max), Ok(Inserted::Waits));
    meet(&mut here, &mut there);
    assert_eq!(here.topic().as_deref(), Some("Max's"));
    assert_eq!(here.set.waiting(), 0);
    assert!(here.set.next(&bea.id).is_some());
}

#[test]
fn what_newcomers_get_of_the_past_is_the_founders_to_say() {
    let (mut half, bea, ..) = friends();
    let founder = half.cast.founder.clone();
    assert_eq!(half.state().history_rule(), HistoryRule::All);
    let rule = |half: &Half, rule| Body::HistoryRule {
        counter: half.state().next_history_rule_counter(),
        rule,
    };
    half.act(&founder, rule(&half, HistoryRule::Days { days: 7 }));
    half.act(&bea, rule(&half, HistoryRule::All));
    assert_eq!(half.state().history_rule(), HistoryRule::Days { days: 7 });
    half.act(&founder, rule(&half, HistoryRule::FromJoining));
    assert_eq!(half.state().history_rule(), HistoryRule::FromJoining);
}
