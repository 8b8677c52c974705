//! Rule 1: whose facts count, and how far.

use throng::facts::{
    Action, Body, FactSet, Inserted, MAX_FOUNDER_BYTES, MAX_MODERATOR_BYTES, MAX_MODERATOR_FACTS,
    MAX_WAITING, MAX_WAITING_OF_ONE, Place, Refused, Role,
};
use throng::id::MemberId;

use super::people::{Cast, Half, Person, ban_of, meet};

/// The founder has made Bea a moderator; Max and Nina are members.
fn friends() -> (Half, Person, Person, Person) {
    let cast = Cast::private();
    let (bea, max, nina) = (cast.member(10), cast.member(20), cast.member(21));
    let mut half = cast.half();
    half.grant(&bea, Role::Moderator);
    (half, bea, max, nina)
}

#[test]
fn the_founders_seq_is_the_epoch() {
    let (mut half, bea, max, _) = friends();
    assert_eq!(half.set.epoch(), 1);
    let place = half.set.next(&half.cast.founder.id).unwrap();
    assert_eq!((place.seq, place.epoch), (2, 2));
    assert_eq!(half.set.next(&bea.id).unwrap().epoch, 1);
    assert_eq!(half.set.next(&max.id), None, "an ordinary member has no chain");

    for epoch in [0, 1, 3] {
        let place = Place { epoch, ..place };
        let fact = half.cast.sign(&half.cast.founder, place, Body::Ban(ban_of(&max)));
        assert_eq!(half.take(&fact), Err(Refused::NotItsEpoch));
    }
    let founder = half.cast.founder.clone();
    half.ban(&founder, &max);
    assert_eq!(half.state().epoch(), 2);
}

#[test]
fn a_chain_counts_up_to_its_first_gap() {
    let (mut half, bea, max, nina) = friends();
    let mut beas = half.clone();
    let facts: Vec<_> = [&max, &nina].map(|whom| beas.ban(&bea, whom)).to_vec();

    assert_eq!(half.take(&facts[1]), Ok(Inserted::Waits));
    assert!(!half.is_banned(&nina), "what it follows is not there");
    let root = half.set.root();
    assert_eq!(half.set.waiting(), 1);
    assert!(matches!(half.take(&facts[0]), Ok(Inserted::Changed { added, .. }) if added.len() == 2));
    assert!(half.is_banned(&max) && half.is_banned(&nina));
    assert_ne!(half.set.root(), root);
    assert_eq!(half.set.waiting(), 0);
}

#[test]
fn the_founders_facts_wait_for_those_before_as_well() {
    let (half, _, max, nina) = friends();
    let founder = half.cast.founder.clone();
    let (mut here, mut there) = (half.clone(), half);
    let facts = [&max, &nina].map(|whom| there.ban(&founder, whom));
    assert_eq!(here.take(&facts[1]), Ok(Inserted::Waits));
    assert!(!here.is_banned(&nina));
    here.take(&facts[0]).unwrap();
    assert_eq!(here.state(), there.state());
}

#[test]
fn a_fact_that_names_another_before_it_does_not_count() {
    let (mut half, bea, max, nina) = friends();
    let first = half.set.next(&bea.id).unwrap();
    half.ban(&bea, &max);
    let second = half.set.next(&bea.id).unwrap();
    for (place, prev) in [(first, [7; 16]), (second, [0; 16]), (second, [7; 16])] {
        let fact = half
            .cast
            .sign(&bea, Place { prev, ..place }, Body::Ban(ban_of(&nina)));
        assert_eq!(half.take(&fact), Ok(Inserted::Waits));
    }
    assert_eq!(half.set.next(&bea.id), Some(second), "nor is it a fork");
}

#[test]
fn a_moderators_chain_ends_where_it_forks() {
    let (half, bea, max, nina) = friends();
    let otto = half.cast.member(22);
    let (mut here, mut there) = (half.clone(), half);
    let before = here.ban(&bea, &max);
    there.take(&before).unwrap();
    // Two under one number, told to different people, and more on one side.
    here.ban(&bea, &nina);
    there.ban(&bea, &otto);
    let beyond = there.set_topic(&bea, "Bea's", false);
    assert!(here.is_banned(&nina) && there.is_banned(&otto));

    meet(&mut here, &mut there);
    let state = here.state();
    assert!(here.is_banned(&max), "what came before the fork counts");
    assert!(
        !here.is_banned(&nina) && !here.is_banned(&otto),
        "of the fork nothing does"
    );
    assert_eq!(here.topic(), None);
    assert_eq!(state.forked_moderators().collect::<Vec<_>>(), [(&bea.id, 2)]);
    assert_eq!(here.role(&bea), Role::Member, "who forks is a moderator no more");
    assert_eq!(here.set.next(&bea.id), None);
    assert!(!here.set.contains(&here.id(&beyond)));
    let founder = here.cast.founder.clone();
    assert_eq!(here.set.len(), 4);
    assert!(here.set.next(&founder.id).is_some());
}

#[test]
fn of_a_fork_of_many_branches_two_are_kept_the_same_everywhere() {
    let (half, bea, ..) = friends();
    let branches: Vec<_> = (30..40)
        .map(|seed| half.clone().ban(&bea, &half.cast.member(seed)))
        .collect();
    let mut roots = Vec::new();
    for first in 0..branches.len() {
        let mut half = half.clone();
        for at in 0..branches.len() {
            let _ = half.take(&branches[(first + at) % branches.len()]);
        }
        assert_eq!(half.set.len(), 3);
        roots.push(half.set.root());
    }
    roots.dedup();
    assert_eq!(roots.len(), 1);
}

#[test]
fn a_founder_who_forks_by_accident_loses_nothing() {
    // A profile restored from a backup signs a number that was used before.
    let (half, _, max, nina) = friends();
    let founder = half.cast.founder.clone();
    let (mut here, mut there) = (half.clone(), half);
    here.ban(&founder, &max);
    here.set_topic(&founder, "Tea", false);
    there.ban(&founder, &nina);
    meet(&mut here, &mut there);
    assert!(here.is_banned(&max) && here.is_banned(&nina));
    assert_eq!(here.topic().as_deref(), Some("Tea"));
    here.set_topic(&founder, "Cake", false);
    assert_eq!(here.topic().as_deref(), Some("Cake"));
}

#[test]
fn a_founder_who_says_many_things_under_one_number_is_taken_at_each_word() {
    let (half, bea, max, nina) = friends();
    let founder = half.cast.founder.clone();
    let beas = half.clone().ban(&bea, &max);
    let mut facts: Vec<_> = (0..4)
        .map(|at| match at {
            0 => half.clone().demote(&bea, None),
            at => half.clone().ban(&founder, &half.cast.member(30 + at)),
        })
        .collect();
    facts.push(beas);
    facts.push(half.clone().ban(&founder, &nina));
    let roots = (0..facts.len()).map(|first| {
        let mut half = half.clone();
        for at in 0..facts.len() {
            let _ = half.take(&facts[(first + at) % facts.len()]);
        }
        assert!(half.is_banned(&nina) && !half.is_banned(&max));
        assert_eq!(half.role(&bea), Role::Member);
        half.set.root()
    });
    let roots: std::collections::BTreeSet<_> = roots.collect();
    assert_eq!(roots.len(), 1);
}

#[test]
fn after_a_demotion_nothing_counts_behind_the_last_good_fact_however_backdated() {
    let (mut half, bea, max, nina) = friends();
    let good = half.ban(&bea, &max);
    let unseen = half.clone().ban(&bea, &nina);
    half.demote(&bea, Some(&good));
    // What the founder had not seen when demoting her:
    assert_eq!(half.take(&unseen), Err(Refused::CutOff));
    assert!(half.is_banned(&max) && !half.is_banned(&nina));
    // And what she says now, naming an epoch in which she was a moderator:
    let place = Place {
        seq: 2,
        prev: good.short_id(&half.cast.chat),
        epoch: 1,
    };
    let backdated = half
        .cast
        .sign(&bea, place, Body::Ban(ban_of(&half.cast.member(22))));
    assert_eq!(half.take(&backdated), Err(Refused::CutOff));
    assert_eq!(half.set.next(&bea.id), None);
    assert_eq!(half.role(&bea), Role::Member);
    assert_eq!(
        half.may(&bea, Action::Ban(nina.id)),
        Err(throng::facts::Denied::ModeratorsOnly)
    );
}

#[test]
fn the_cut_is_at_the_fact_that_it_names_and_no_other() {
    let (half, bea, max, nina) = friends();
    let (mut here, mut there) = (half.clone(), half);
    here.ban(&bea, &max);
    let other = there.ban(&bea, &nina);
    // The founder has seen only the other branch.
    here.demote(&bea, Some(&other));
    assert!(!here.is_banned(&max));
}

#[test]
fn a_moderator_who_bans_everybody_is_undone_by_one_demotion() {
    let (mut half, bea, max, nina) = friends();
    let otto = half.cast.member(22);
    let good = half.ban(&bea, &max);
    for whom in [&nina, &otto] {
        half.ban(&bea, whom);
    }
    half.set_topic(&bea, "Mine!", true);
    half.demote(&bea, Some(&good));
    assert!(half.is_banned(&max) && !half.is_banned(&nina) && !half.is_banned(&otto));
    assert_eq!(half.topic(), None);
}

#[test]
fn who_is_made_a_moderator_again_goes_on_behind_the_last_good_fact() {
    let (mut half, bea, max, nina) = friends();
    let good = half.set_topic(&bea, "Tea", false);
    let mut there = half.clone();
    let void = there.ban(&bea, &max);
    half.demote(&bea, Some(&good));
    half.grant(&bea, Role::Moderator);
    let place = half.set.next(&bea.id).unwrap();
    assert_eq!((place.seq, place.epoch), (2, 3));
    half.ban(&bea, &nina);
    meet(&mut half, &mut there);
    assert!(half.is_banned(&nina) && !half.is_banned(&max));
    assert!(
        !there.set.contains(&there.id(&void)),
        "what was void stays void, and leaves"
    );
    // Not so what names an epoch before that.
    for epoch in [0, 1, 2] {
        let place = half.set.next(&bea.id).unwrap();
        let fact = half
            .cast
            .sign(&bea, Place { epoch, ..place }, Body::Ban(ban_of(&max)));
        let _ = half.take(&fact);
        assert!(!half.set.contains(&half.id(&fact)));
    }
}

#[test]
fn a_founder_heals_a_fork_by_a_demotion_before_it_and_a_grant() {
    let (half, bea, max, nina) = friends();
    let (mut here, mut there) = (half.clone(), half);
    let good = here.set_topic(&bea, "Tea", false);
    there.take(&good).unwrap();
    // A profile restored from a backup.
    here.ban(&bea, &max);
    there.ban(&bea, &nina);
    meet(&mut here, &mut there);
    assert_eq!(here.set.next(&bea.id), None);
    here.demote(&bea, Some(&good));
    here.grant(&bea, Role::Moderator);
    here.ban(&bea, &max);
    meet(&mut here, &mut there);
    assert!(there.is_banned(&max) && !there.is_banned(&nina));
    assert_eq!(there.role(&bea), Role::Moderator);
    assert_eq!(there.state().forked_moderators().count(), 0);
}

#[test]
fn an_epoch_to_come_does_not_count_before_it_has_come() {
    let (mut half, bea, max, nina) = friends();
    let place = half.set.next(&bea.id).unwrap();
    half.act_at(&bea, Place { epoch: 2, ..place }, Body::Ban(ban_of(&max)));
    let topic = half.members_topic(&nina, 2, 1, "soon");
    assert_eq!(half.take_of(&topic, &nina), Ok(Inserted::Waits));
    assert!(!half.is_banned(&max));
    assert_eq!(half.topic(), None);
    half.grant(&nina, Role::Member);
    assert!(half.is_banned(&max));
    assert_eq!(half.topic().as_deref(), Some("soon"));
}

#[test]
fn strangers_and_members_have_no_say() {
    let (mut half, _, max, nina) = friends();
    let root = half.set.root();
    let first = Place {
        seq: 1,
        prev: [0; 16],
        epoch: 1,
    };
    let herself = Body::Grant {
        member: max.id,
        role: Role::Moderator,
        counter: 1,
    };
    for body in [
        herself,
        Body::Ban(ban_of(&nina)),
        Body::Close {
            invite: Cast::invite_id(120),
        },
    ] {
        let fact = half.cast.sign(&max, first, body);
        assert_eq!(half.take(&fact), Ok(Inserted::Waits));
    }
    assert_eq!(half.set.root(), root);
    assert_eq!(half.role(&max), Role::Member);
    assert!(!half.is_banned(&nina));
}

#[test]
fn a_moderator_makes_no_moderators() {
    let (mut half, bea, max, nina) = friends();
    half.grant_by(&bea, &max, Role::Moderator);
    assert_eq!(half.role(&max), Role::Member);
    let entry = half.state().log().last().cloned().unwrap();
    assert_eq!(entry.denied, Some(throng::facts::Denied::FounderOnly));
    // Nor does who was made one by her come into the set.
    let place = Place {
        seq: 1,
        prev: [0; 16],
        epoch: 1,
    };
    let fact = half.cast.sign(&max, place, Body::Ban(ban_of(&nina)));
    assert_eq!(half.take(&fact), Ok(Inserted::Waits));
}

#[test]
fn a_signature_that_does_not_hold_is_refused_and_leaves_no_trace() {
    let (mut half, bea, max, _) = friends();
    let good = half.clone().ban(&bea, &max);
    let mut forged = good.clone();
    forged.signature[0] ^= 1;
    assert_eq!(half.take(&forged), Err(Refused::BadSignature));
    let mut elsewhere = good.clone();
    elsewhere.at_ms += 1;
    assert_eq!(half.take(&elsewhere), Err(Refused::BadSignature));
    assert!(
        matches!(half.take(&good), Ok(Inserted::Changed { .. })),
        "the true one is not taken as seen"
    );
    assert_eq!(
        half.take(&forged),
        Ok(Inserted::Known),
        "its id is that of the true one, which is kept"
    );
    assert!(
        half.set
            .iter()
            .all(|held| held.fact.signature != forged.signature)
    );
}

#[test]
fn what_waits_is_bounded() {
    let (mut half, ..) = friends();
    let stranger = half.cast.member(60);
    let waits = |half: &mut Half, by: &Person, seq| {
        let place = Place {
            seq,
            prev: [0; 16],
            epoch: 0,
        };
        let body = Body::Close {
            invite: Cast::invite_id(1),
        };
        half.take(&half.cast.sign(by, place, body))
    };
    for seq in 1..=MAX_WAITING_OF_ONE as u32 {
        assert_eq!(waits(&mut half, &stranger, seq), Ok(Inserted::Waits));
    }
    assert_eq!(waits(&mut half, &stranger, 1_000), Err(Refused::TooManyWaiting));
    for seed in 61.. {
        let stranger = half.cast.member(seed);
        let outcomes: Vec<_> = (1..=MAX_WAITING_OF_ONE as u32)
            .map(|seq| waits(&mut half, &stranger, seq))
            .collect();
        if outcomes.contains(&Err(Refused::TooManyWaiting)) {
            break;
        }
    }
    assert_eq!(half.set.waiting(), MAX_WAITING);
}

#[test]
fn a_moderator_makes_4_096_facts_and_no_more() {
    let (mut half, bea, ..) = friends();
    let body = Body::Close {
        invite: Cast::invite_id(1),
    };
    let place = Place {
        seq: MAX_MODERATOR_FACTS,
        prev: [1; 16],
        epoch: 1,
    };
    let last = half.cast.sign(&bea, place, body.clone());
    assert_eq!(half.take(&last), Ok(Inserted::Waits));
    let place = Place {
        seq: MAX_MODERATOR_FACTS + 1,
        ..place
    };
    let over = half.cast.sign(&bea, place, body);
    assert_eq!(half.take(&over), Err(Refused::NumberTooHigh));
}

#[test]
fn moderators_share_the_room_alike_in_whatever_order_they_come() {
    let cast = Cast::private();
    let moderators: Vec<Person> = (10..13).map(|seed| cast.member(seed)).collect();
    let mut half = cast.half();
    for moderator in &moderators {
        half.grant(moderator, Role::Moderator);
    }
    // The greatest facts there are: the first makes more than all, the last only a few.
    let chains: Vec<Vec<_>> = moderators
        .iter()
        .zip([900, 500, 20])
        .map(|(by, count)| {
            let mut prev = [0; 16];
            (1..=count)
                .map(|seq| {
                    let topic = Body::Topic {
                        counter: 1,
                        locked: false,
                        text: "x".repeat(512),
                    };
                    let fact = cast.sign(by, Place { seq, prev, epoch: 3 }, topic);
                    prev = fact.short_id(&cast.chat);
                    fact
                })
                .collect()
        })
        .collect();
    let mut roots = Vec::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut half = half.clone();
        for chain in order {
            for fact in &chains[chain] {
                let _ = half.take(fact);
            }
        }
        let bytes = |by: MemberId| -> usize {
            half.set
                .iter()
                .filter(|held| held.fact.issuer == by)
                .map(|held| held.fact.encode().len())
                .sum()
        };
        let all: Vec<usize> = moderators.iter().map(|moderator| bytes(moderator.id)).collect();
        assert_eq!(
            all[2],
            chains[2].iter().map(|fact| fact.encode().len()).sum::<usize>()
        );
        assert!(all[0].abs_diff(all[1]) < 1_000, "{all:?}");
        assert!(all.iter().sum::<usize>() < MAX_MODERATOR_BYTES + 1_000, "{all:?}");
        roots.push(half.set.root());
    }
    roots.dedup();
    assert_eq!(roots.len(), 1);
}

#[test]
fn a_founders_facts_are_bounded_and_the_first_stay() {
    let cast = Cast::private();
    let mut half = cast.half();
    let count = MAX_FOUNDER_BYTES / 646 + 3;
    let mut refused = 0;
    for seq in 1..=count as u32 {
        let topic = Body::Topic {
            counter: 1,
            locked: false,
            text: "x".repeat(512),
        };
        let fact = cast.sign(
            &cast.founder,
            Place {
                seq,
                prev: [0; 16],
                epoch: seq,
            },
            topic,
        );
        refused += u32::from(!matches!(half.take(&fact), Ok(Inserted::Changed { .. })));
    }
    assert_eq!(half.set.epoch() + refused, count as u32);
    assert!(refused == 2, "{refused}");
    let bytes: usize = half.set.iter().map(|held| held.fact.encode().len()).sum();
    assert!((MAX_FOUNDER_BYTES..MAX_FOUNDER_BYTES + 880).contains(&bytes));
}

#[test]
fn a_set_of_the_same_facts_has_one_root_and_the_empty_one_zeros() {
    let cast = Cast::private();
    let mut half = cast.half();
    assert_eq!(half.set.root(), [0; 32]);
    assert!(half.set.is_empty());
    let other = FactSet::new(cast.chat, &cast.charter);
    half.grant(&cast.member(10), Role::Moderator);
    assert_ne!(half.set.root(), other.root());
    assert_eq!(half.set.root(), half.clone().set.root());
}
