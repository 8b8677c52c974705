//! Facts, forks and summaries in bytes: one form each, bounds, and nothing that panics.

use proptest::collection::vec;
use proptest::prelude::*;
use throng::facts::{
    Ban, Body, Door, DoorMode, Fact, FactSet, Fork, HistoryRule, MAX_FACT_LEN, MAX_FORKS, MAX_WORK_BITS,
    Malformed, Place, Refused, Role, Summary,
};
use throng::id::{InviteId, MemberId};

use super::hostile::{facts, people, steps};
use super::people::{Cast, ban_of};

/// One of each type, as large as it can be.
fn largest(cast: &Cast) -> Vec<Fact> {
    let member = MemberId([7; 32]);
    let invite = InviteId([8; 32]);
    let text = "x".repeat(512);
    let bodies = vec![
        Body::Grant {
            member,
            role: Role::Observer,
            counter: u32::MAX,
        },
        Body::Demote {
            member,
            seq: 7,
            last_good: [3; 16],
        },
        Body::Ban(Ban {
            member,
            hide_all: true,
            with_invite: Some(invite),
            kept: (0..8).map(|session| ([session; 8], 9)).collect(),
            reason: "x".repeat(100),
        }),
        Body::Lift((0..16).map(|id| [id; 16]).collect()),
        Body::Topic {
            counter: 2,
            locked: true,
            text: text.clone(),
        },
        Body::Confirm {
            invite,
            slots: (0..20).map(|slot| (slot, member)).collect(),
        },
        Body::Close { invite },
        Body::Door {
            counter: 1,
            door: Door {
                mode: DoorMode::Closed,
                work_bits: MAX_WORK_BITS,
                minutes: 65_535,
                rate: 65_535,
            },
        },
        Body::HistoryRule {
            counter: 1,
            rule: HistoryRule::All,
        },
        Body::Checkpoint {
            epoch: 4,
            root: [5; 32],
            count: 6,
        },
    ];
    let place = Place {
        seq: 3,
        prev: [2; 16],
        epoch: 3,
    };
    let mut facts: Vec<Fact> = bodies
        .into_iter()
        .map(|body| cast.sign(&cast.founder, place, body))
        .collect();
    let topic = Body::MemberTopic {
        invite,
        slot: Some(65_534),
        counter: 9,
        text,
    };
    facts.push(cast.sign(&cast.member(20), Place::in_no_chain(4), topic));
    facts.push(cast.fork(&cast.member(20), 4, 5, [&"a".repeat(320), &"b".repeat(320)]));
    facts
}

#[test]
fn every_type_has_one_form_and_fits_into_a_packet() {
    let cast = Cast::private();
    let lens: Vec<(u8, usize)> = largest(&cast)
        .iter()
        .map(|fact| {
            let bytes = fact.encode();
            assert_eq!(Fact::decode(&bytes).as_ref(), Ok(fact));
            assert!(fact.verify(&cast.chat));
            assert!(bytes.len() <= MAX_FACT_LEN);
            (fact.body.kind(), bytes.len())
        })
        .collect();
    assert_eq!(
        lens,
        [
            (1, 166),
            (2, 181),
            (3, 391),
            (4, 385),
            (5, 646),
            (6, 842),
            (7, 161),
            (8, 139),
            (15, 135),
            (9, 169),
            (14, 659),
            (10, 875)
        ]
    );
}

#[test]
fn no_byte_of_a_fact_can_be_changed_and_none_left_out_or_added() {
    let cast = Cast::private();
    let mut facts = largest(&cast);
    facts.push(cast.fork(&cast.member(20), 4, 5, ["a", "b"]));
    for fact in facts.iter().filter(|fact| fact.encode().len() < 420) {
        let bytes = fact.encode();
        let holds = |bytes: &[u8]| {
            Fact::decode(bytes).is_ok_and(|fact| {
                assert_eq!(fact.encode(), bytes);
                fact.verify(&cast.chat)
            })
        };
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(!holds(&changed), "type {}, byte {at}", bytes[0]);
            assert!(!holds(&bytes[..at]), "type {} cut at {at}", bytes[0]);
        }
        assert!(!holds(&[&bytes[..], &[0]].concat()));
    }
}

#[test]
fn what_is_outside_its_bounds_is_not_signed_and_not_taken() {
    let cast = Cast::private();
    let place = Place {
        seq: 1,
        prev: [0; 16],
        epoch: 1,
    };
    let member = cast.member(20);
    let topic = |len: usize| Body::Topic {
        counter: 1,
        locked: false,
        text: "x".repeat(len),
    };
    let slots = |count: u16| Body::Confirm {
        invite: InviteId([8; 32]),
        slots: (0..count).map(|slot| (slot, member.id)).collect(),
    };
    let ban = |sessions: u8, reason: usize| {
        Body::Ban(Ban {
            kept: (0..sessions).map(|session| ([session; 8], 1)).collect(),
            reason: "x".repeat(reason),
            ..ban_of(&member)
        })
    };
    let door = |work_bits| Body::Door {
        counter: 1,
        door: Door {
            work_bits,
            ..Door::OPEN
        },
    };
    let lifts = |count: u8| Body::Lift((0..count).map(|id| [id; 16]).collect());
    let founders = Body::Grant {
        member: member.id,
        role: Role::Founder,
        counter: 1,
    };
    let nothing_good = Body::Demote {
        member: member.id,
        seq: 0,
        last_good: [1; 16],
    };
    let pairs = [
        (topic(512), topic(513)),
        (slots(20), slots(21)),
        (slots(1), slots(0)),
        (ban(8, 100), ban(9, 100)),
        (ban(8, 100), ban(8, 101)),
        (door(32), door(33)),
        (lifts(16), lifts(17)),
        (lifts(1), lifts(0)),
        (lifts(1), founders),
        (lifts(1), nothing_good),
    ];
    for (good, bad) in pairs {
        assert!(Fact::sign(&cast.founder.key, &cast.chat, place, 0, good).is_ok());
        assert_eq!(
            Fact::sign(&cast.founder.key, &cast.chat, place, 0, bad.clone()),
            Err(Malformed),
            "{bad:?}"
        );
    }
    // A place that such a fact can't have.
    let unchained = Fact::sign(&cast.founder.key, &cast.chat, Place::in_no_chain(1), 0, lifts(1));
    assert_eq!(unchained, Err(Malformed));
    let topic = Body::MemberTopic {
        invite: InviteId([8; 32]),
        slot: None,
        counter: 1,
        text: String::new(),
    };
    assert_eq!(
        Fact::sign(&member.key, &cast.chat, place, 0, topic),
        Err(Malformed)
    );
}

#[test]
fn lists_are_taken_in_one_order_and_signed_in_it() {
    let cast = Cast::private();
    let place = Place {
        seq: 1,
        prev: [0; 16],
        epoch: 1,
    };
    let fact = cast.sign(&cast.founder, place, Body::Lift(vec![[2; 16], [1; 16], [2; 16]]));
    assert_eq!(fact.body, Body::Lift(vec![[1; 16], [2; 16]]));
    let mut bytes = fact.encode();
    for at in 0..16 {
        bytes.swap(65 + at, 65 + 16 + at);
    }
    assert_eq!(Fact::decode(&bytes), Err(Malformed));
}

#[test]
fn a_fork_proves_itself_and_nothing_else() {
    let cast = Cast::private();
    let (max, nina) = (cast.member(20), cast.member(21));
    let mut half = cast.half();
    let fork = cast.fork(&max, 4, 7, ["yes", "no"]);
    assert_eq!(
        fork,
        cast.fork(&max, 4, 7, ["no", "yes"]),
        "whoever finds it, it is one"
    );
    assert_eq!(
        half.take(&fork),
        Err(Refused::NotAdmitted),
        "strangers' quarrels are nobody's concern"
    );
    let mut blamed = fork.clone();
    blamed.issuer = nina.id;
    assert_eq!(half.take_of(&blamed, &nina), Err(Refused::BadSignature));
    half.take_of(&fork, &max).unwrap();
    let state = half.state();
    let (who, session) = state.forks().next().unwrap();
    assert_eq!((*who, session.number), (max.id, 7));
    let shows = |number| state.shows(&max.admitted(), &session.client_id, number);
    assert!(shows(7) && !shows(8));
    assert!(state.shows(&nina.admitted(), &session.client_id, 8));
}

#[test]
fn two_says_are_a_fork_only_under_one_number_and_if_they_differ() {
    let cast = Cast::private();
    let max = cast.member(20);
    let Body::Fork(fork) = cast.fork(&max, 4, 7, ["yes", "no"]).body else {
        panic!("a fork")
    };
    let signed = |number: u32, rest: &[u8]| [&fork.client_id.0[..], &number.to_be_bytes(), rest].concat();
    let (one, other) = (signed(7, &fork.says[0].rest), signed(7, &fork.says[1].rest));
    let by = [0; 64];
    assert!(Fork::new((&one, by), (&other, by)).is_some());
    assert!(Fork::new((&one, by), (&one, by)).is_none());
    assert!(Fork::new((&one, by), (&signed(8, &fork.says[1].rest), by)).is_none());
    assert!(
        Fork::new(
            (&signed(0, &fork.says[0].rest), by),
            (&signed(0, &fork.says[1].rest), by)
        )
        .is_none()
    );
    let long = signed(7, &[7; 700]);
    assert!(
        Fork::new((&long, by), (&other, by)).is_none(),
        "too long for a packet"
    );
    assert!(Fork::new((&one[..20], by), (&other, by)).is_none());
}

#[test]
fn so_many_forks_are_kept_and_one_of_each_member() {
    let cast = Cast::private();
    let mut half = cast.half();
    let members: Vec<_> = (30..30 + MAX_FORKS as u8 + 5)
        .map(|seed| cast.member(seed))
        .collect();
    for member in &members {
        for session in 0..2 {
            let _ = half.take_of(&cast.fork(member, session, 1, ["a", "b"]), member);
        }
    }
    assert_eq!(half.set.len(), MAX_FORKS);
    assert_eq!(half.state().forks().count(), MAX_FORKS);
}

#[test]
fn summaries_of_many_chains_come_in_parts_that_fit_and_hide_none() {
    let cast = Cast::private();
    let mut half = cast.half();
    let moderators: Vec<_> = (10..50).map(|seed| cast.member(seed)).collect();
    for moderator in &moderators {
        half.grant(moderator, Role::Moderator);
    }
    let nothing = half.clone();
    for moderator in &moderators {
        half.set_topic(moderator, "x", false);
    }
    let summaries = half.set.summary([5; 8]);
    assert!(summaries.len() > 1);
    for summary in &summaries {
        assert_eq!(Summary::decode(&summary.encode()).as_ref(), Ok(summary));
        assert!(half.set.missing_for(summary).is_empty());
        assert!(nothing.set.missing_for(summary).is_empty());
    }
    let missing: usize = nothing
        .set
        .summary([6; 8])
        .iter()
        .map(|summary| half.set.missing_for(summary).len())
        .sum();
    assert_eq!(missing, moderators.len());
    // One fact more goes over alone.
    let mut more = half.clone();
    let fact = more.set_topic(&moderators[20], "y", false);
    let missing: Vec<_> = half
        .set
        .summary([7; 8])
        .iter()
        .flat_map(|summary| more.set.missing_for(summary))
        .map(|held| held.id)
        .collect();
    assert_eq!(missing, [more.id(&fact)]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_fact_of_that_form_alone_or_none(kind in 0u8..16, bytes in vec(any::<u8>(), 60..500)) {
        let bytes = [&[kind][..], &bytes].concat();
        if let Ok(fact) = Fact::decode(&bytes) {
            prop_assert_eq!(fact.encode(), bytes);
        }
    }

    #[test]
    fn a_changed_fact_is_refused_or_another_of_one_form(
        which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0..3,
    ) {
        let cast = Cast::private();
        let mut bytes = which.get(&largest(&cast)).encode();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.truncate(at),
            _ => bytes.insert(at, byte),
        }
        if let Ok(fact) = Fact::decode(&bytes) {
            prop_assert_eq!(fact.encode(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_a_summary_of_that_form_alone_or_none(
        steps in steps(20), at in any::<prop::sample::Index>(), byte in any::<u8>(), noise in vec(any::<u8>(), 0..200),
    ) {
        let cast = Cast::private();
        let mut set = FactSet::new(cast.chat, &cast.charter);
        for sent in facts(&cast, &people(&cast), &steps) {
            let _ = set.insert(sent.fact, sent.credential.as_ref());
        }
        let mut bytes = set.summary([3; 8])[0].encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        for bytes in [bytes, noise] {
            if let Ok(summary) = Summary::decode(&bytes) {
                prop_assert_eq!(summary.encode(), bytes);
                // Whatever somebody claims to have, the answer is what they lack by it.
                prop_assert!(set.missing_for(&summary).len() <= set.len());
            }
        }
    }
}
