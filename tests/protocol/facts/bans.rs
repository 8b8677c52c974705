//! Rule 2: who may ban whom, how long a ban holds, and what it hides.

use throng::facts::{Action, Ban, Body, Denied, Place, Role};
use throng::id::ClientId;
use throng::invite::Rights;

use super::people::{Cast, Half, Person, ban_of, meet};

/// The founder has made Bea and Cleo moderators; Max is a member.
fn friends() -> (Half, Person, Person, Person) {
    let cast = Cast::private();
    let (bea, cleo, max) = (cast.member(10), cast.member(11), cast.member(20));
    let mut half = cast.half();
    half.grant(&bea, Role::Moderator);
    half.grant(&cleo, Role::Moderator);
    (half, bea, cleo, max)
}

#[test]
fn a_ban_holds_until_a_lift_names_it() {
    let (mut half, bea, cleo, max) = friends();
    let nina = half.cast.member(21);
    let ban = half.ban(&bea, &max);
    let other = half.ban(&bea, &nina);
    assert_eq!(half.may(&max, Action::Speak), Err(Denied::Banned));
    half.lift(&cleo, &other);
    assert!(half.is_banned(&max) && !half.is_banned(&nina));
    assert_eq!(half.may(&cleo, Action::Lift(half.id(&ban))), Ok(()));
    half.lift(&cleo, &ban);
    assert_eq!(half.may(&max, Action::Speak), Ok(()));
    assert_eq!(
        half.may(&cleo, Action::Lift(half.id(&ban))),
        Err(Denied::NoSuchBan)
    );
    let again = half.ban(&bea, &max);
    assert!(half.is_banned(&max));
    assert_eq!(
        half.state()
            .bans_naming(&max.id)
            .map(|ban| ban.id)
            .collect::<Vec<_>>(),
        [half.id(&again)]
    );
}

#[test]
fn a_lift_does_not_touch_a_ban_that_it_has_not_seen() {
    let (half, bea, cleo, max) = friends();
    let (mut here, mut there) = (half.clone(), half);
    let seen = here.ban(&bea, &max);
    here.lift(&bea, &seen);
    there.ban(&cleo, &max);
    assert!(!here.is_banned(&max));
    meet(&mut here, &mut there);
    assert!(here.is_banned(&max) && there.is_banned(&max));
}

#[test]
fn a_founders_ban_is_the_founders_to_lift() {
    let (mut half, bea, _, max) = friends();
    let founder = half.cast.founder.clone();
    let ban = half.ban(&founder, &max);
    assert_eq!(
        half.may(&bea, Action::Lift(half.id(&ban))),
        Err(Denied::DoneByHigher)
    );
    half.lift(&bea, &ban);
    assert!(half.is_banned(&max));
    half.lift(&founder, &ban);
    assert!(!half.is_banned(&max));
}

#[test]
fn nobody_bans_an_equal_or_higher() {
    let (mut half, bea, cleo, max) = friends();
    let founder = half.cast.founder.clone();
    for whom in [&cleo, &founder, &bea] {
        assert_eq!(half.may(&bea, Action::Ban(whom.id)), Err(Denied::NotBelow));
        half.ban(&bea, whom);
        assert!(!half.is_banned(whom));
        assert_eq!(half.state().log().last().unwrap().denied, Some(Denied::NotBelow));
    }
    half.ban(&founder, &founder);
    assert!(!half.is_banned(&founder));
    assert_eq!(half.may(&max, Action::Ban(bea.id)), Err(Denied::ModeratorsOnly));
}

#[test]
fn moderators_who_ban_each_other_in_two_halves_both_stay() {
    let (half, bea, cleo, _) = friends();
    let (mut here, mut there) = (half.clone(), half);
    here.ban(&bea, &cleo);
    there.ban(&cleo, &bea);
    meet(&mut here, &mut there);
    for one in [&bea, &cleo] {
        assert_eq!(here.role(one), Role::Moderator);
        assert!(!here.is_banned(one));
    }
}

#[test]
fn a_ban_of_a_moderator_does_not_come_alive_when_they_are_demoted() {
    let (mut half, bea, cleo, _) = friends();
    half.ban(&bea, &cleo);
    half.demote(&cleo, None);
    assert_eq!(half.role(&cleo), Role::Member);
    assert!(!half.is_banned(&cleo));
    half.ban(&bea, &cleo);
    assert!(half.is_banned(&cleo), "now she may");
}

#[test]
fn who_is_banned_by_the_founder_has_no_office_left() {
    let (mut half, bea, _, max) = friends();
    let founder = half.cast.founder.clone();
    let place = half.set.next(&bea.id).unwrap();
    let ban = half.ban(&founder, &bea);
    assert!(half.is_banned(&bea));
    half.act_at(&bea, Place { epoch: 3, ..place }, Body::Ban(ban_of(&max)));
    assert!(!half.is_banned(&max));
    // Nor is she given one before the ban is lifted.
    assert_eq!(
        half.may(&founder, Action::Promote(bea.id)),
        Err(Denied::LiftFirst)
    );
    half.grant(&bea, Role::Moderator);
    assert_eq!(half.role(&bea), Role::Member);
    half.lift(&founder, &ban);
    assert_eq!(half.role(&bea), Role::Member);
    half.grant(&bea, Role::Moderator);
    assert_eq!(half.role(&bea), Role::Moderator);
}

#[test]
fn a_grant_by_the_founder_voids_moderators_bans_of_lower_epochs_alone() {
    let (half, bea, _, max) = friends();
    let founder = half.cast.founder.clone();
    for role in [Role::Member, Role::Observer, Role::Moderator] {
        let (mut here, mut there) = (half.clone(), half.clone());
        // In a half that has not seen the grant:
        here.ban(&bea, &max);
        there.grant(&max, role);
        meet(&mut here, &mut there);
        assert!(!here.is_banned(&max));
        assert_eq!(here.role(&max), role);
    }
    // Who has seen the grant and bans nevertheless means it.
    let mut later = half.clone();
    later.grant(&max, Role::Member);
    later.ban(&bea, &max);
    assert!(later.is_banned(&max));
    // The founder's own bans are lifted by name.
    let mut founders = half.clone();
    founders.ban(&founder, &max);
    founders.grant(&max, Role::Member);
    assert!(founders.is_banned(&max));
    // And a moderator's grant voids nothing.
    let mut moderators = half;
    moderators.ban(&bea, &max);
    moderators.grant_by(&bea, &max, Role::Member);
    assert!(moderators.is_banned(&max));
}

#[test]
fn a_ban_names_the_epoch_of_its_author_and_a_lie_does_not_help() {
    let (mut half, bea, _, max) = friends();
    half.grant(&max, Role::Moderator);
    // Bea claims that she had not seen it.
    let place = half.set.next(&bea.id).unwrap();
    half.act_at(&bea, Place { epoch: 2, ..place }, Body::Ban(ban_of(&max)));
    assert!(!half.is_banned(&max));
}

#[test]
fn words_are_kept_as_far_as_the_ban_says() {
    let (mut half, bea, _, max) = friends();
    let (one, other, unnamed) = (ClientId([1; 32]), ClientId([2; 32]), ClientId([3; 32]));
    let shows = |half: &Half, session, number| half.state().shows(&max.admitted(), session, number);
    assert!(shows(&half, &unnamed, 900));
    let kept = Ban {
        kept: vec![([1; 8], 5), ([2; 8], 0)],
        ..ban_of(&max)
    };
    half.act(&bea, Body::Ban(kept.clone()));
    assert!(shows(&half, &one, 5) && !shows(&half, &one, 6));
    assert!(!shows(&half, &other, 1) && !shows(&half, &unnamed, 1));
    assert!(
        half.state().shows(&bea.admitted(), &one, 6),
        "others' words are not touched"
    );
    // A second ban hides the rest.
    half.act(
        &bea,
        Body::Ban(Ban {
            hide_all: true,
            ..kept
        }),
    );
    assert!(!shows(&half, &one, 5));
}

#[test]
fn a_ban_says_who_why_and_when_and_the_highest_speaks() {
    let (mut half, bea, _, max) = friends();
    half.ban(&bea, &max);
    let founder = half.cast.founder.clone();
    half.act(
        &founder,
        Body::Ban(Ban {
            reason: "once more".to_owned(),
            ..ban_of(&max)
        }),
    );
    let state = half.state();
    let ban = state.ban_of(&max.admitted()).unwrap();
    assert_eq!(
        (ban.by, ban.role, ban.ban.reason.as_str()),
        (founder.id, Role::Founder, "once more")
    );
    assert_eq!(ban.at_ms, super::people::NOON);
    assert_eq!(state.bans_naming(&max.id).count(), 2);
}

#[test]
fn a_ban_can_take_along_all_who_came_by_an_invite() {
    let (mut half, bea, _, _) = friends();
    let cast = half.cast.clone();
    let came = |seed, slot| cast.person(seed, 80, 4, slot, Rights::Member);
    let (max, nina, otto) = (came(20, 0), came(21, 1), came(22, 2));
    let elsewhere = cast.member(23);
    half.grant(&otto, Role::Moderator);
    let ban = half.act(
        &bea,
        Body::Ban(Ban {
            with_invite: Some(Cast::invite_id(80)),
            ..ban_of(&max)
        }),
    );
    assert!(half.is_banned(&max) && half.is_banned(&nina) && !half.is_banned(&elsewhere));
    assert!(!half.is_banned(&otto), "who holds an office has to be named");
    assert!(half.state().is_closed(&Cast::invite_id(80)));
    // The founder spares one of them by a grant.
    half.grant(&nina, Role::Member);
    assert!(half.is_banned(&max) && !half.is_banned(&nina));
    half.lift(&bea, &ban);
    assert!(!half.is_banned(&max) && !half.state().is_closed(&Cast::invite_id(80)));
}

#[test]
fn no_clock_decides() {
    // The same deeds at absurd times: the beginning of time, its end, and in the wrong order.
    let deeds = |times: [u64; 4]| {
        let (mut half, bea, cleo, max) = friends();
        let nina = half.cast.member(21);
        let mut at = times.into_iter();
        let mut act = |by: &Person, body: Body| {
            let place = half.set.next(&by.id).unwrap();
            let at_ms = at.next().unwrap();
            let fact = throng::facts::Fact::sign(&by.key, &half.cast.chat, place, at_ms, body).unwrap();
            half.take(&fact).unwrap();
            fact
        };
        let topic = |counter, text: &str| Body::Topic {
            counter,
            locked: false,
            text: text.to_owned(),
        };
        act(&bea, topic(1, "first"));
        act(&cleo, topic(2, "second"));
        let ban = act(&bea, Body::Ban(ban_of(&max)));
        let chat = Cast::private().chat;
        act(&cleo, Body::Lift(vec![ban.short_id(&chat)]));
        (
            half.topic(),
            half.is_banned(&max),
            half.is_banned(&nina),
            half.role(&bea),
        )
    };
    let first = deeds([1, 2, 3, 4]);
    assert_eq!(first.0.as_deref(), Some("second"));
    for times in [[4, 3, 2, 1], [0; 4], [u64::MAX; 4], [u64::MAX, 0, u64::MAX, 0]] {
        assert_eq!(deeds(times), first);
    }
}
