//! The property on which all else rests: the same facts give the same set and the same state, in whatever order and
//! grouping they come.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};
use throng::facts::{FactSet, State};

use super::hostile::{Sent, facts, people, steps};
use super::people::{Cast, tell};

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 192,
        // A failure's seed is printed and kept here.
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/protocol/facts.regressions",
        ))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_facts_in_any_order_and_grouping_give_one_state(
        steps in steps(70), is_public in any::<bool>(), seed in any::<u64>(), parts in 2usize..5,
    ) {
        let cast = if is_public { Cast::public() } else { Cast::private() };
        let sent = facts(&cast, &people(&cast), &steps);
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let reference = set_of(&cast, &sent);

        for _ in 0..2 {
            let mut shuffled = sent.clone();
            // Some come twice.
            shuffled.extend(sent.iter().filter(|_| rng.next_u32() % 3 == 0).cloned());
            shuffle(&mut shuffled, &mut rng);
            agrees(&set_of(&cast, &shuffled), &reference)?;
        }

        let mut sets = vec![Vec::new(); parts];
        for sent in &sent {
            let at = rng.next_u32() as usize % parts;
            sets[at].push(sent.clone());
            // Some are in more than one part.
            if rng.next_u32() % 4 == 0 {
                sets[rng.next_u32() as usize % parts].push(sent.clone());
            }
        }
        let mut sets: Vec<FactSet> = sets
            .into_iter()
            .map(|mut part| {
                shuffle(&mut part, &mut rng);
                set_of(&cast, &part)
            })
            .collect();
        let talks = talk_until_quiet(&mut sets, &mut rng);
        prop_assert!(talks.is_some(), "they never come to an end");
        for set in &sets {
            agrees(set, &reference)?;
        }
    }

    #[test]
    fn what_is_missing_comes_in_an_order_that_can_be_taken(steps in steps(60)) {
        let cast = Cast::private();
        let full = set_of(&cast, &facts(&cast, &people(&cast), &steps));
        let mut empty = FactSet::new(cast.chat, &cast.charter);
        let told = tell(&full, &mut empty, 1);
        prop_assert_eq!(told, full.len());
        prop_assert_eq!(empty.waiting(), 0);
        agrees(&empty, &full)?;
        prop_assert_eq!(tell(&full, &mut empty, 2), 0);

        let mut restored = FactSet::new(cast.chat, &cast.charter);
        for held in full.iter() {
            let credential = held.credential.as_ref().map(|bytes| throng::invite::Credential::decode(bytes).unwrap().0);
            prop_assert!(restored.insert(held.fact.clone(), credential.as_ref()).is_ok());
        }
        agrees(&restored, &full)?;
    }
}

fn set_of(cast: &Cast, sent: &[Sent]) -> FactSet {
    let mut set = FactSet::new(cast.chat, &cast.charter);
    for Sent { fact, credential } in sent {
        // Many are refused: that is the point.
        let _ = set.insert(fact.clone(), credential.as_ref());
    }
    set
}

fn agrees(one: &FactSet, other: &FactSet) -> Result<(), TestCaseError> {
    let ids = |set: &FactSet| -> std::collections::BTreeSet<String> {
        set.iter()
            .map(|held| format!("{} {:?} {:?}", held.id, held.fact.place, held.fact.body))
            .collect()
    };
    prop_assert_eq!(ids(one), ids(other));
    prop_assert_eq!(one.root(), other.root());
    let (one, other) = (State::of(one), State::of(other));
    prop_assert_eq!(one.to_bytes(), other.to_bytes());
    prop_assert_eq!(one, other);
    Ok(())
}

/// Any two tell each other, in any order, until no root differs. None if that takes too long.
fn talk_until_quiet(sets: &mut [FactSet], rng: &mut ChaCha12Rng) -> Option<usize> {
    for talks in 0..400 {
        if sets.windows(2).all(|pair| pair[0].root() == pair[1].root()) {
            return Some(talks);
        }
        let from = rng.next_u32() as usize % sets.len();
        let to = (from + 1 + rng.next_u32() as usize % (sets.len() - 1)) % sets.len();
        let teller = sets[from].clone();
        tell(&teller, &mut sets[to], rng.next_u64());
    }
    None
}

fn shuffle<T>(list: &mut [T], rng: &mut ChaCha12Rng) {
    for at in (1..list.len()).rev() {
        list.swap(at, rng.next_u64() as usize % (at + 1));
    }
}

/// The property would hold of empty sets as well: what is generated has to have something of everything.
#[test]
fn the_mixture_has_something_of_everything() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let cast = Cast::private();
    let people = people(&cast);
    let mut seen = std::collections::BTreeMap::<&str, usize>::new();
    for _ in 0..200 {
        let steps = steps(70).new_tree(&mut runner).unwrap().current();
        let set = set_of(&cast, &facts(&cast, &people, &steps));
        let state = State::of(&set);
        let mut note = |what, count: usize| *seen.entry(what).or_default() += usize::from(count > 0);
        note("moderators", state.moderators().len());
        note(
            "deeds of moderators",
            state
                .log()
                .iter()
                .filter(|entry| entry.by != cast.founder.id)
                .count(),
        );
        note(
            "refused deeds",
            state.log().iter().filter(|entry| entry.denied.is_some()).count(),
        );
        note("bans", state.bans().count());
        note(
            "bans by moderators",
            state.bans().filter(|ban| ban.by != cast.founder.id).count(),
        );
        note("forked chains", state.forked_moderators().count());
        note("forked sessions", state.forks().count());
        note(
            "topics of members",
            usize::from(
                state
                    .topic()
                    .is_some_and(|topic| topic.text.starts_with("by a member")),
            ),
        );
        note("facts that wait", set.waiting());
        note(
            "facts that don't count",
            set.len().saturating_sub(state.log().len()),
        );
        note(
            "closed invites",
            usize::from(state.is_closed(&Cast::invite_id(90))),
        );
        note("confirmed slots", state.slots_of(&Cast::invite_id(91)).count());
    }
    for (what, cases) in seen {
        assert!(cases >= 10, "{what}: in {cases} of 200 cases");
    }
}
