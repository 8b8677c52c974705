//! The one table of who may do what.

use throng::facts::{Action, Deed, Denied, RIGHTS, Role, Rule};
use throng::invite::Rights;

use super::people::Cast;

#[test]
fn every_deed_stands_in_the_table_once_and_nobody_loses_a_right_by_rising() {
    let allowed = |rule: &Rule| *rule != Rule::No;
    for (at, (deed, rules)) in RIGHTS.iter().enumerate() {
        assert!(RIGHTS[..at].iter().all(|(other, _)| other != deed), "{deed:?}");
        assert!(rules.is_sorted_by_key(allowed), "{deed:?}");
        assert!(allowed(&rules[Role::Founder as usize]), "{deed:?}");
    }
}

#[test]
fn the_table_stands_in_the_protocol() {
    let mut table = String::from("| | observer | member | moderator | founder |\n|---|---|---|---|---|\n");
    for (deed, rules) in RIGHTS {
        let rules = rules.map(|rule| match rule {
            Rule::Yes => "yes",
            Rule::No => "–",
            Rule::Unlocked => "unlocked",
            Rule::Below => "below",
            Rule::UpToOwn => "up to own",
        });
        table.push_str(&format!("| {} | {} |\n", words(deed), rules.join(" | ")));
    }
    crate::page::assert_part("protocol.md", "rights", &table);
}

fn words(deed: Deed) -> &'static str {
    match deed {
        Deed::Read => "follow the chat",
        Deed::Speak => "speak",
        Deed::SetTopic => "set the topic",
        Deed::LockTopic => "lock the topic, unlock it (type 5)",
        Deed::Invite => "make invites",
        Deed::CloseInvite => "close an invite (7)",
        Deed::Confirm => "confirm (6)",
        Deed::SetDoor => "set the door (8)",
        Deed::SetHistoryRule => "say what of the past newcomers get (15)",
        Deed::SetRole => "make somebody member or observer (1)",
        Deed::Promote => "make somebody a moderator (1)",
        Deed::Demote => "demote (2)",
        Deed::Ban => "ban (3)",
        Deed::Lift => "lift a ban (4)",
        Deed::Checkpoint => "set a checkpoint (9)",
    }
}

#[test]
fn what_the_table_says_is_what_one_may() {
    let cast = Cast::private();
    let mut half = cast.half();
    let (bea, max) = (cast.member(10), cast.member(20));
    let observer = cast.person(21, 121, 1, 0, Rights::Observer);
    let (cleo, other) = (cast.member(11), cast.member(22));
    half.grant(&bea, Role::Moderator);
    half.grant(&cleo, Role::Moderator);
    let ban = half.ban(&bea, &other);
    let ban = half.id(&ban);
    let actions = [
        Action::Read,
        Action::Speak,
        Action::SetTopic,
        Action::LockTopic,
        Action::Invite,
        Action::CloseInvite,
        Action::Confirm,
        Action::SetDoor,
        Action::SetHistoryRule,
        Action::SetRole(cleo.id),
        Action::Promote(max.id),
        Action::Demote(cleo.id),
        Action::Ban(cleo.id),
        Action::Lift(ban),
        Action::Checkpoint,
    ];
    let people = [&observer, &max, &bea, &cast.founder];
    for (action, (deed, rules)) in actions.iter().zip(RIGHTS) {
        assert_eq!(action.deed(), deed);
        for (person, rule) in people.iter().zip(rules) {
            let role = half.role(person);
            let expected = match rule {
                Rule::Yes | Rule::Unlocked | Rule::UpToOwn => true,
                Rule::No => false,
                // It is done to a moderator, but promotion.
                Rule::Below => role == Role::Founder,
            };
            let may = half.may(person, *action);
            assert_eq!(may.is_ok(), expected, "{deed:?} by {role:?}: {may:?}");
        }
    }
}

#[test]
fn the_founders_role_is_nobodys_to_take() {
    let cast = Cast::private();
    let mut half = cast.half();
    let founder = cast.founder.clone();
    half.demote(&founder, None);
    half.grant(&founder, Role::Observer);
    half.ban(&founder, &founder);
    assert_eq!(half.role(&founder), Role::Founder);
    assert_eq!(half.may(&founder, Action::Ban(founder.id)), Err(Denied::NotBelow));
    let denied = half
        .state()
        .log()
        .iter()
        .filter(|entry| entry.denied.is_some())
        .count();
    assert_eq!(denied, 3);
}

#[test]
fn the_log_says_who_did_what_in_the_order_of_epochs() {
    let cast = Cast::private();
    let mut half = cast.half();
    let (bea, max) = (cast.member(10), cast.member(20));
    half.grant(&bea, Role::Moderator);
    let ban = half.ban(&bea, &max);
    half.lift(&bea, &ban);
    half.set_topic(&cast.founder, "Tea", true);
    half.ban(&bea, &max);
    let log: Vec<(u32, Role, u8)> = half
        .state()
        .log()
        .iter()
        .map(|entry| (entry.epoch, entry.role, entry.body.kind()))
        .collect();
    let (founder, moderator) = (Role::Founder, Role::Moderator);
    assert_eq!(
        log,
        [
            (1, founder, 1),
            (1, moderator, 3),
            (1, moderator, 4),
            (2, founder, 5),
            (2, moderator, 3)
        ]
    );
}

#[test]
fn a_checkpoint_changes_nothing() {
    let cast = Cast::private();
    let mut half = cast.half();
    let (bea, max) = (cast.member(10), cast.member(20));
    half.grant(&bea, Role::Moderator);
    half.ban(&bea, &max);
    let before = half.state();
    let body = throng::facts::Body::Checkpoint {
        epoch: 1,
        root: half.set.root(),
        count: 2,
    };
    half.by_founder(body);
    let after = half.state();
    assert_eq!(after.epoch(), 2);
    assert!(half.is_banned(&max));
    assert_eq!(
        before.bans().collect::<Vec<_>>(),
        after.bans().collect::<Vec<_>>()
    );
}

#[test]
fn each_refusal_is_a_sentence() {
    for denied in [
        Denied::Banned,
        Denied::InviteClosed,
        Denied::ReadsOnly,
        Denied::TopicLocked,
        Denied::ModeratorsOnly,
        Denied::FounderOnly,
        Denied::NotBelow,
        Denied::DoneByHigher,
        Denied::NoSuchBan,
        Denied::LiftFirst,
    ] {
        assert!(denied.to_string().ends_with('.'));
        assert!(!denied.code().contains(' '));
    }
}
