//! Facts by any mixture of honest and hostile authors.

use proptest::prelude::*;
use proptest::sample::Index;
use throng::facts::{Ban, Body, Door, DoorMode, Fact, HistoryRule, Place, Role, ShortFactId};
use throng::id::{InviteId, MemberId};
use throng::invite::{Credential, Rights};

use super::people::{Cast, NOON, Person};

/// A fact as it came, with what admits its issuer, if that was with it.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) fact: Fact,
    pub(crate) credential: Option<Credential>,
}

/// One step of somebody's: honest where nothing else is chosen.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    author: Index,
    kind: u8,
    /// After which of one's facts: the newest if none, else any, which forks.
    after: Option<Index>,
    /// Numbers left out.
    gap: u32,
    wrong_prev: bool,
    /// The epoch claimed in place of the newest.
    epoch: Option<u32>,
    target: Index,
    other: Index,
    counter: u32,
    flag: bool,
    at_ms: u64,
    without_credential: bool,
    /// The founder makes that one of [`people`]'s moderators one.
    is_first_grant: Option<usize>,
}

/// What people do, in the order in which they do it. Often it begins with the founder's making some moderators, else
/// little would count.
pub(crate) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let grants = prop::collection::vec(step(), 0..4).prop_map(|mut steps| {
        for (at, step) in steps.iter_mut().enumerate() {
            step.is_first_grant = Some(at);
        }
        steps
    });
    (grants, prop::collection::vec(step(), 1..most)).prop_map(|(grants, steps)| [grants, steps].concat())
}

fn step() -> impl Strategy<Value = Step> {
    let author = any::<Index>();
    // Mostly grants, bans and lifts: those hang together.
    let kind = prop_oneof![
        3 => Just(1u8), 1 => Just(2), 4 => Just(3), 2 => Just(4), 2 => Just(5), 2 => Just(6), 1 => Just(7),
        1 => Just(8), 1 => Just(9), 1 => Just(10), 2 => Just(14), 1 => Just(15),
    ];
    let after = prop::option::weighted(0.15, any::<Index>());
    let gap = prop_oneof![60 => Just(0u32), 1 => 1u32..3];
    let epoch = prop::option::weighted(0.12, prop_oneof![12 => 0u32..12, 1 => any::<u32>()]);
    let counter = prop_oneof![6 => 0u32..4, 1 => Just(u32::MAX)];
    let place = (after, gap, prop::bool::weighted(0.02), epoch);
    let what = (
        any::<Index>(),
        any::<Index>(),
        counter,
        any::<bool>(),
        any::<u64>(),
    );
    (author, kind, place, what, prop::bool::weighted(0.1)).prop_map(
        |(author, kind, place, what, without_credential)| {
            let (after, gap, wrong_prev, epoch) = place;
            let (target, other, counter, flag, at_ms) = what;
            Step {
                author,
                kind,
                after,
                gap,
                wrong_prev,
                epoch,
                target,
                other,
                counter,
                flag,
                at_ms,
                without_credential,
                is_first_grant: None,
            }
        },
    )
}

/// The founder and four who tend to be moderators, all more than once, so that most is theirs; members, an observer, two
/// who claim one slot; and strangers, whom no invite of the chat's admits.
pub(crate) fn people(cast: &Cast) -> Vec<Person> {
    let moderators: Vec<Person> = (10..14).map(|seed| cast.member(seed)).collect();
    let mut people = Vec::new();
    for _ in 0..4 {
        people.extend(moderators.clone());
        people.push(cast.founder.clone());
    }
    people.push(cast.person(20, 90, 0, 0, Rights::Member));
    people.push(cast.person(21, 90, 0, 3, Rights::Member));
    people.push(cast.person(22, 91, 2, 1, Rights::Member));
    people.push(cast.person(23, 91, 2, 1, Rights::Member));
    people.push(cast.person(24, 92, 2, 0, Rights::Observer));
    let mut elsewhere = cast.clone();
    elsewhere.chat_key = throng::crypto::SigningKey::from_seed([99; 32]);
    people.extend((30..32).map(|seed| elsewhere.member(seed)));
    people
}

/// Carries the steps out.
pub(crate) fn facts(cast: &Cast, people: &[Person], steps: &[Step]) -> Vec<Sent> {
    let mut made: Vec<Fact> = Vec::new();
    let sent = steps.iter().filter_map(|step| {
        let fact = match step.is_first_grant {
            Some(at) => first_grant(cast, &made, &people[at]),
            None => fact(cast, people, &made, step)?,
        };
        let author = people.iter().find(|person| person.id == fact.issuer)?;
        made.push(fact.clone());
        let credential = (!step.without_credential).then(|| author.credential.clone());
        Some(Sent { fact, credential })
    });
    sent.collect()
}

fn fact(cast: &Cast, people: &[Person], made: &[Fact], step: &Step) -> Option<Fact> {
    let author = step.author.get(people);
    match body(cast, people, made, step, author) {
        Body::Fork(fork) => Some(Fact::fork(author.id, fork)),
        body => {
            let place = place(cast, made, step, author, &body);
            Fact::sign(&author.key, &cast.chat, place, step.at_ms, body).ok()
        }
    }
}

fn first_grant(cast: &Cast, made: &[Fact], to: &Person) -> Fact {
    let seq = made.len() as u32 + 1;
    let place = Place {
        seq,
        prev: made.last().map_or([0; 16], |fact| fact.short_id(&cast.chat)),
        epoch: seq,
    };
    let body = Body::Grant {
        member: to.id,
        role: Role::Moderator,
        counter: 1,
    };
    cast.sign(&cast.founder, place, body)
}

fn place(cast: &Cast, made: &[Fact], step: &Step, author: &Person, body: &Body) -> Place {
    let newest = made
        .iter()
        .filter(|fact| fact.issuer == cast.founder.id)
        .map(|fact| fact.place.seq)
        .max()
        .unwrap_or(0);
    let epoch = step.epoch.unwrap_or(newest);
    if matches!(body, Body::MemberTopic { .. }) {
        return Place::in_no_chain(epoch);
    }
    let own: Vec<&Fact> = made
        .iter()
        .filter(|fact| fact.issuer == author.id && fact.place.seq > 0)
        .collect();
    let before = match step.after {
        Some(after) if !own.is_empty() => Some(*after.get(&own)),
        _ => own.last().copied(),
    };
    let seq = before.map_or(0, |fact| fact.place.seq) + 1 + step.gap;
    let is_founder = author.id == cast.founder.id;
    Place {
        seq,
        prev: match before {
            _ if step.wrong_prev => [9; 16],
            Some(fact) => fact.short_id(&cast.chat),
            None => [0; 16],
        },
        epoch: if is_founder && step.epoch.is_none_or(|epoch| epoch < 12) {
            seq
        } else {
            epoch
        },
    }
}

fn body(cast: &Cast, people: &[Person], made: &[Fact], step: &Step, author: &Person) -> Body {
    let member = step.target.get(people).id;
    let invites: Vec<InviteId> = [110, 90, 91, 91].map(Cast::invite_id).to_vec();
    let invite = *step.other.get(&invites);
    let counter = step.counter;
    match step.kind {
        1 => Body::Grant {
            member,
            role: [Role::Moderator, Role::Moderator, Role::Member, Role::Observer][step.other.index(4)],
            counter,
        },
        2 => demote(cast, made, step, member),
        3 => Body::Ban(Ban {
            member,
            hide_all: step.flag,
            with_invite: (step.counter == 1).then_some(invite),
            kept: vec![([counter as u8; 8], counter)],
            reason: "no".to_owned(),
        }),
        4 => Body::Lift(lifted(cast, made, step)),
        5 => Body::Topic {
            counter,
            locked: step.flag,
            text: format!("topic {}", step.at_ms % 5),
        },
        6 => Body::Confirm {
            invite,
            slots: vec![(counter as u16 % 3, member), (7, author.id)],
        },
        7 => Body::Close { invite },
        8 => Body::Door {
            counter,
            door: Door {
                mode: [DoorMode::Approval, DoorMode::ReadFirst, DoorMode::Closed][step.other.index(3)],
                ..Door::OPEN
            },
        },
        15 => Body::HistoryRule {
            counter,
            rule: [
                HistoryRule::All,
                HistoryRule::FromJoining,
                HistoryRule::Days { days: 7 },
            ][step.other.index(3)],
        },
        9 => Body::Checkpoint {
            epoch: counter,
            root: [7; 32],
            count: 1,
        },
        10 => {
            cast.fork(author, (counter % 4) as u8, 1 + step.gap, ["yes", "no"])
                .body
        }
        _ => members_topic(step, author, invite),
    }
}

fn demote(cast: &Cast, made: &[Fact], step: &Step, member: MemberId) -> Body {
    let theirs: Vec<&Fact> = made
        .iter()
        .filter(|fact| fact.issuer == member && fact.place.seq > 0)
        .collect();
    let good = (!theirs.is_empty() && step.flag).then(|| *step.other.get(&theirs));
    Body::Demote {
        member,
        seq: good.map_or(0, |fact| fact.place.seq),
        last_good: good.map_or([0; 16], |fact| fact.short_id(&cast.chat)),
    }
}

/// Bans made before, and one that nobody made.
fn lifted(cast: &Cast, made: &[Fact], step: &Step) -> Vec<ShortFactId> {
    let bans: Vec<&Fact> = made
        .iter()
        .filter(|fact| matches!(fact.body, Body::Ban(_)))
        .collect();
    let mut lifted = vec![[5; 16]];
    if !bans.is_empty() {
        lifted.push(step.target.get(&bans).short_id(&cast.chat));
        lifted.push(step.other.get(&bans).short_id(&cast.chat));
    }
    lifted
}

fn members_topic(step: &Step, author: &Person, invite: InviteId) -> Body {
    let came = author.admitted().by.unwrap_or((invite, None));
    let (invite, slot) = if step.flag || step.counter < 3 {
        came
    } else {
        (invite, Some(1))
    };
    Body::MemberTopic {
        invite,
        slot,
        counter: step.counter,
        text: format!("by a member, {}", (NOON + step.at_ms) % 3),
    }
}
