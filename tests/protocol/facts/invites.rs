//! Rules 4 and 5: slots, confirming, closing; and the door.

use throng::facts::{Action, Body, Denied, Door, DoorMode, Place, Role};
use throng::invite::{Admission, Credential, Rights};

use super::people::{Cast, Half, Person, meet};

const INVITE: u8 = 80;

/// The founder has made Bea a moderator; Max and Nina claim the same slot of an invite of two.
fn friends() -> (Half, Person, Person, Person) {
    let cast = Cast::private();
    let bea = cast.member(10);
    let (max, nina) = (claims(&cast, 20, 1), claims(&cast, 21, 1));
    let mut half = cast.half();
    half.grant(&bea, Role::Moderator);
    (half, bea, max, nina)
}

fn claims(cast: &Cast, seed: u8, slot: u16) -> Person {
    cast.person(seed, INVITE, 2, slot, Rights::Member)
}

fn confirm(slot: u16, who: &Person) -> Body {
    Body::Confirm {
        invite: Cast::invite_id(INVITE),
        slots: vec![(slot, who.id)],
    }
}

fn close() -> Body {
    Body::Close {
        invite: Cast::invite_id(INVITE),
    }
}

fn admission(of: &Person) -> Admission {
    match &of.credential {
        Credential::Invited { admission, .. } => admission.clone(),
        Credential::Founder(_) => panic!("the founder claims no slot"),
    }
}

fn holder(half: &Half, claims: &[&Person]) -> Option<throng::id::MemberId> {
    let admissions: Vec<Admission> = claims.iter().map(|person| admission(person)).collect();
    half.state().slot_holder(&Cast::invite_id(INVITE), 1, &admissions)
}

#[test]
fn a_slot_is_the_confirmed_ones_else_the_smaller_hashes() {
    let (mut half, bea, max, nina) = friends();
    let other_slot = claims(&half.cast, 22, 0);
    let first = holder(&half, &[&max, &nina, &other_slot]).unwrap();
    assert_eq!(
        holder(&half, &[&nina, &max]),
        Some(first),
        "in whatever order they claim it"
    );
    assert!(first == max.id || first == nina.id);
    let (loser, winner) = if first == max.id {
        (&nina, &max)
    } else {
        (&max, &nina)
    };
    half.act(&bea, confirm(1, loser));
    assert_eq!(holder(&half, &[&max, &nina]), Some(loser.id));
    // Who has lost their slot may only read.
    assert_eq!(half.may(winner, Action::Speak), Err(Denied::ReadsOnly));
    assert_eq!(half.may(winner, Action::Read), Ok(()));
    assert_eq!(half.may(loser, Action::Speak), Ok(()));
    assert_eq!(
        half.state()
            .slots_of(&Cast::invite_id(INVITE))
            .collect::<Vec<_>>(),
        [(1, loser.id)]
    );
}

#[test]
fn confirmed_cannot_be_displaced() {
    let (mut half, bea, max, nina) = friends();
    let cleo = half.cast.member(11);
    half.grant(&cleo, Role::Moderator);
    half.act(&bea, confirm(1, &max));
    half.act(&bea, confirm(1, &nina));
    assert_eq!(
        half.state().confirmed(&Cast::invite_id(INVITE), 1),
        Some(max.id),
        "her own earlier word"
    );
    half.grant(&cleo, Role::Moderator);
    half.act(&cleo, confirm(1, &nina));
    assert_eq!(
        half.state().confirmed(&Cast::invite_id(INVITE), 1),
        Some(max.id),
        "an epoch before"
    );
}

#[test]
fn merged_there_are_never_more_members_than_slots() {
    let (half, bea, max, nina) = friends();
    let (mut here, mut there) = (half.clone(), half);
    let founder = here.cast.founder.clone();
    here.act(&bea, confirm(1, &max));
    there.act(&founder, confirm(1, &nina));
    assert_eq!(here.may(&max, Action::Speak), Ok(()));
    assert_eq!(there.may(&nina, Action::Speak), Ok(()));
    meet(&mut here, &mut there);
    assert_eq!(
        here.may(&nina, Action::Speak),
        Ok(()),
        "of two words the founder's"
    );
    assert_eq!(here.may(&max, Action::Speak), Err(Denied::ReadsOnly));
}

#[test]
fn what_was_confirmed_by_the_close_stays_and_no_more() {
    let (mut half, bea, max, nina) = friends();
    let other = claims(&half.cast, 22, 0);
    half.act(&bea, confirm(1, &max));
    half.act(&bea, close());
    assert!(half.state().is_closed(&Cast::invite_id(INVITE)));
    assert_eq!(half.may(&max, Action::Speak), Ok(()));
    for turned_away in [&nina, &other] {
        assert_eq!(half.may(turned_away, Action::Read), Err(Denied::InviteClosed));
    }
    // Who closed it confirms no more, whatever they say.
    half.act(&bea, confirm(0, &other));
    assert_eq!(half.may(&other, Action::Read), Err(Denied::InviteClosed));
    // A grant names them: that is another way in.
    half.grant_by(&bea, &other, Role::Member);
    assert_eq!(half.may(&other, Action::Speak), Ok(()));
}

#[test]
fn after_the_founders_close_nobody_confirms_who_had_seen_it() {
    let (mut half, bea, max, _) = friends();
    let mut there = half.clone();
    let founder = half.cast.founder.clone();
    half.act(&founder, close());
    half.act(&bea, confirm(1, &max));
    assert_eq!(half.may(&max, Action::Read), Err(Denied::InviteClosed));
    // In a half that had not seen it she did right.
    there.act(&bea, confirm(1, &max));
    let fact = half.cast.sign(
        &founder,
        half.set
            .next(&founder.id)
            .map(|place| Place {
                seq: 2,
                epoch: 2,
                ..place
            })
            .unwrap(),
        close(),
    );
    there.take(&fact).unwrap();
    assert_eq!(there.may(&max, Action::Speak), Ok(()));
}

#[test]
fn an_invite_without_slots_is_closed_to_newcomers_alone() {
    let (mut half, bea, ..) = friends();
    let through_door = half.cast.person(30, INVITE, 0, 0, Rights::Member);
    half.act(&bea, close());
    assert_eq!(
        half.may(&through_door, Action::Speak),
        Ok(()),
        "that is judged at the door"
    );
    assert!(half.state().is_closed(&Cast::invite_id(INVITE)));
}

#[test]
fn members_neither_confirm_nor_close_nor_invite() {
    let (half, _, max, _) = friends();
    for action in [Action::Confirm, Action::CloseInvite, Action::SetDoor] {
        assert_eq!(half.may(&max, action), Err(Denied::ModeratorsOnly));
    }
    assert_eq!(half.may(&max, Action::Invite), Err(Denied::ModeratorsOnly));
}

#[test]
fn through_a_door_with_approval_one_reads_until_a_grant_names_one() {
    let (mut half, bea, max, _) = friends();
    let newcomer = half.cast.person(30, INVITE, 0, 0, Rights::Member);
    let door = Door {
        mode: DoorMode::Approval,
        ..Door::OPEN
    };
    half.act(&bea, Body::Door { counter: 1, door });
    assert_eq!(half.may(&newcomer, Action::Speak), Err(Denied::ReadsOnly));
    assert_eq!(
        half.may(&max, Action::Speak),
        Ok(()),
        "not who was invited by name"
    );
    half.grant_by(&bea, &newcomer, Role::Member);
    assert_eq!(half.may(&newcomer, Action::Speak), Ok(()));
}

#[test]
fn newcomers_read_for_as_long_as_the_door_says() {
    let (mut half, bea, max, _) = friends();
    let newcomer = half.cast.person(30, INVITE, 0, 0, Rights::Member);
    let door = Door {
        mode: DoorMode::ReadFirst,
        minutes: 15,
        ..Door::OPEN
    };
    half.act(&bea, Body::Door { counter: 1, door });
    let minutes = |half: &Half, who: &Person| half.state().minutes_to_read(&who.admitted());
    assert_eq!((minutes(&half, &newcomer), minutes(&half, &max)), (15, 0));
    half.grant_by(&bea, &newcomer, Role::Member);
    assert_eq!(minutes(&half, &newcomer), 0);
}

#[test]
fn an_office_is_shown_by_its_grant_until_it_ends_and_a_later_one_is_another() {
    let (mut half, bea, _, _) = friends();
    let office = |half: &Half| half.set.office_of(&half.state(), &half.cast.charter, &bea.id);
    let first = office(&half).expect("she is a moderator");
    assert!(first.verify(&half.cast.chat));
    assert!(!first.verify(&throng::id::ChatId([9; 32])));
    let grant = |office: &throng::invite::Office| Some((bea.id, office.seq));
    assert!(!half.state().has_office_ended(grant(&first)));
    assert!(
        !half.state().has_office_ended(Some((bea.id, 99))),
        "not known yet"
    );
    let founder = half.cast.founder.clone();
    let demote = Body::Demote {
        member: bea.id,
        seq: 0,
        last_good: [0; 16],
    };
    half.act(&founder, demote);
    assert_eq!(office(&half), None);
    assert!(half.state().has_office_ended(grant(&first)));
    half.grant(&bea, Role::Moderator);
    let second = office(&half).expect("again");
    assert!(half.state().has_office_ended(grant(&first)), "for good");
    assert!(!half.state().has_office_ended(grant(&second)));
}
