//! From facts to what holds by them. Nothing here asks when a fact came, or what time it is: what decides is in the facts.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::body::short;
use super::office::Offices;
use super::rights::Circumstances;
use super::set::topic_rank;
use super::{
    Action, Admitted, Body, Deed, Denied, Door, FactSet, HeldFact, HistoryRule, LogEntry, Role, Session,
    SetTopic, ShortFactId, StandingBan, State,
};
use crate::id::{FactId, InviteId, MemberId};
use crate::invite::Rights;

/// A fact of a chain that counts, with what its issuer was.
struct Act<'a> {
    held: &'a HeldFact,
    role: Role,
}

/// What decides between facts of which one can hold: the greatest (epoch, counter, rank, hash).
type Precedence = (u32, u32, Role, FactId);

/// A claim to a slot, the best the smallest: by rank, epoch, seq and hash; and whose it is.
type Claim = (Reverse<Role>, u32, u32, FactId, MemberId);

pub(super) fn state_of(set: &FactSet) -> State {
    let offices = Offices::of(set);
    let acts = acts(set);
    let log = acts
        .iter()
        .map(|act| act.entry(check(act, &offices).err()))
        .collect();
    let allowed: Vec<&Act<'_>> = acts.iter().filter(|act| check(act, &offices).is_ok()).collect();
    let mut state = State {
        chat: set.chat,
        is_public: set.is_public,
        founder: set.founder,
        epoch: set.epoch(),
        granted: granted(&allowed),
        bans: bans(&allowed),
        bans_of: BTreeMap::new(),
        bans_by_invite: BTreeMap::new(),
        topic: None,
        is_topic_locked: set.is_public,
        closed: allowed.iter().filter_map(|act| act.closes()).collect(),
        slots: slots(&allowed),
        door: greatest(&allowed, Act::door).unwrap_or((0, Door::OPEN)),
        history_rule: greatest(&allowed, Act::history_rule).unwrap_or_default(),
        forks: forks(set),
        log,
        offices,
    };
    keep_bans_that_hold(&mut state);
    set_topic(&mut state, &allowed, set);
    state
}

/// The facts of the chains that count, in the order of the log.
fn acts(set: &FactSet) -> Vec<Act<'_>> {
    // Of a fork nothing counts but the founder's, who answers to nobody.
    let before_forks = set.moderators.values().flat_map(|chain| {
        let end = chain.forked_at().unwrap_or(u32::MAX);
        chain.facts().filter(move |held| held.fact.place.seq < end)
    });
    let mut acts: Vec<Act<'_>> = set
        .founders
        .facts()
        .chain(before_forks)
        .map(|held| {
            let is_founder = held.fact.issuer == set.founder;
            let role = if is_founder {
                Role::Founder
            } else {
                Role::Moderator
            };
            Act { held, role }
        })
        .collect();
    acts.sort_by_key(|act| {
        let fact = &act.held.fact;
        (
            fact.place.epoch,
            Reverse(act.role),
            fact.at_ms,
            fact.issuer,
            fact.place.seq,
            act.held.id,
        )
    });
    acts
}

/// Whether the issuer had the right, by the one table.
fn check(act: &Act<'_>, offices: &Offices) -> Result<(), Denied> {
    let rank_of = |member| offices.rank_at(&member, act.held.fact.place.epoch);
    let (action, other) = match &act.held.fact.body {
        Body::Grant {
            member,
            role: Role::Moderator,
            ..
        } => {
            if offices.is_banned_by_founder(&act.held.id) {
                return Err(Denied::LiftFirst);
            }
            (Deed::Promote, rank_of(*member))
        }
        Body::Grant { member, .. } => (Deed::SetRole, rank_of(*member)),
        Body::Demote { member, .. } => (Deed::Demote, rank_of(*member)),
        Body::Ban(ban) => (Deed::Ban, rank_of(ban.member)),
        // Of each ban that it names it depends on who banned; of the lift as a whole on its issuer alone.
        Body::Lift(_) => (Deed::Lift, Role::Observer),
        Body::Topic { .. } => (Deed::LockTopic, Role::Observer),
        Body::Confirm { .. } => (Deed::Confirm, Role::Observer),
        Body::Close { .. } => (Deed::CloseInvite, Role::Observer),
        Body::Door { .. } => (Deed::SetDoor, Role::Observer),
        Body::HistoryRule { .. } => (Deed::SetHistoryRule, Role::Observer),
        Body::Checkpoint { .. } => (Deed::Checkpoint, Role::Observer),
        Body::Fork(_) | Body::MemberTopic { .. } => (Deed::SetTopic, Role::Observer),
    };
    let circumstances = Circumstances {
        is_topic_locked: false,
        other,
    };
    action.check(act.role, circumstances)
}

/// The member's and observer's roles that grants give.
fn granted(allowed: &[&Act<'_>]) -> BTreeMap<MemberId, (u32, Role)> {
    let mut greatest: BTreeMap<MemberId, (Precedence, Role)> = BTreeMap::new();
    for act in allowed {
        let Body::Grant {
            member,
            role,
            counter,
        } = act.held.fact.body
        else {
            continue;
        };
        if role == Role::Moderator {
            continue;
        }
        let precedence = act.precedence(counter);
        let held = greatest.entry(member).or_insert((precedence, role));
        if precedence > held.0 {
            *held = (precedence, role);
        }
    }
    greatest
        .into_iter()
        .map(|(member, ((_, counter, ..), role))| (member, (counter, role)))
        .collect()
}

/// The bans that no lift by the same or a higher role names.
fn bans(allowed: &[&Act<'_>]) -> BTreeMap<FactId, StandingBan> {
    let mut lifted: BTreeMap<ShortFactId, Role> = BTreeMap::new();
    for act in allowed {
        let Body::Lift(ids) = &act.held.fact.body else {
            continue;
        };
        for id in ids {
            let highest = lifted.entry(*id).or_insert(act.role);
            *highest = act.role.max(*highest);
        }
    }
    allowed
        .iter()
        .filter_map(|act| act.ban())
        .filter(|ban| lifted.get(&short(&ban.id)).is_none_or(|role| *role < ban.role))
        .map(|ban| (ban.id, ban))
        .collect()
}

/// Leaves out the bans that a grant has voided, and notes whom the others name and which invites they take along.
fn keep_bans_that_hold(state: &mut State) {
    let bans = std::mem::take(&mut state.bans);
    for (id, ban) in bans {
        let member = ban.ban.member;
        let names = state.holds_against(&ban, &member);
        if names {
            state.bans_of.entry(member).or_default().insert(id);
        }
        if let Some(invite) = ban.ban.with_invite {
            state.bans_by_invite.entry(invite).or_default().insert(id);
        }
        if names || ban.ban.with_invite.is_some() {
            state.bans.insert(id, ban);
        }
    }
}

/// Who is confirmed in which slot: "confirmed can't be displaced", so of several the first as far as can be told: of the
/// highest role, then of the lowest epoch, seq and hash. Who confirms what they had seen closed confirms nothing.
fn slots(allowed: &[&Act<'_>]) -> BTreeMap<(InviteId, u16), MemberId> {
    let closes = closes(allowed);
    let mut first: BTreeMap<(InviteId, u16), Claim> = BTreeMap::new();
    for act in allowed {
        let Body::Confirm { invite, slots } = &act.held.fact.body else {
            continue;
        };
        if closes.get(invite).is_some_and(|close| close.was_seen_by(act)) {
            continue;
        }
        let place = act.held.fact.place;
        for (slot, member) in slots {
            let claim = (Reverse(act.role), place.epoch, place.seq, act.held.id, *member);
            let held = first.entry((*invite, *slot)).or_insert(claim);
            *held = claim.min(*held);
        }
    }
    first
        .into_iter()
        .map(|(slot, (.., member))| (slot, member))
        .collect()
}

/// When an invite was closed: by the founder in an epoch, by each issuer under a seq.
#[derive(Default)]
struct Closing {
    epoch: Option<u32>,
    seqs: BTreeMap<MemberId, u32>,
}

impl Closing {
    /// Whether it is sure that who did this had seen the invite closed.
    fn was_seen_by(&self, act: &Act<'_>) -> bool {
        let place = act.held.fact.place;
        let closed_it = self.seqs.get(&act.held.fact.issuer);
        closed_it.is_some_and(|seq| *seq < place.seq)
            || (act.role < Role::Founder && self.epoch.is_some_and(|epoch| epoch <= place.epoch))
    }
}

fn closes(allowed: &[&Act<'_>]) -> BTreeMap<InviteId, Closing> {
    let mut closes: BTreeMap<InviteId, Closing> = BTreeMap::new();
    for act in allowed {
        let Some(invite) = act.closes() else { continue };
        let place = act.held.fact.place;
        let closing = closes.entry(invite).or_default();
        if act.role == Role::Founder {
            closing.epoch = Some(closing.epoch.map_or(place.epoch, |epoch| epoch.min(place.epoch)));
        }
        let seq = closing.seqs.entry(act.held.fact.issuer).or_insert(place.seq);
        *seq = place.seq.min(*seq);
    }
    closes
}

/// The greatest topic of a moderator or the founder; if that leaves it open to members, the greatest of all.
fn set_topic(state: &mut State, allowed: &[&Act<'_>], set: &FactSet) {
    let by_moderators = greatest(allowed, Act::topic);
    if let Some((_, locked)) = &by_moderators {
        state.is_topic_locked = *locked;
    }
    let by_members = set
        .topics
        .values()
        .filter(|held| !state.is_topic_locked && may_set_topic(state, held))
        .max_by_key(|held| topic_rank(held));
    let by_members = by_members.and_then(|held| {
        let topic = topic_of(held)?;
        Some((
            (held.fact.place.epoch, topic.counter, Role::Member, held.id),
            topic,
        ))
    });
    let by_moderators = by_moderators.map(|(topic, _)| topic);
    let greatest = by_moderators
        .into_iter()
        .chain(by_members)
        .max_by_key(|(rank, _)| *rank);
    state.topic = greatest.map(|(_, topic)| topic);
}

/// Whether a member who set a topic may: by what the fact says of how they came.
fn may_set_topic(state: &State, held: &HeldFact) -> bool {
    let Body::MemberTopic { invite, slot, .. } = held.fact.body else {
        return false;
    };
    let who = Admitted {
        member: held.fact.issuer,
        rights: Rights::Member,
        by: Some((invite, slot)),
        // Which certificate stands beside the fact is no part of the set, so it decides nothing.
        invited_by: None,
    };
    state.may(&who, Action::SetTopic).is_ok()
}

fn topic_of(held: &HeldFact) -> Option<SetTopic> {
    let (Body::Topic { counter, text, .. } | Body::MemberTopic { counter, text, .. }) = &held.fact.body
    else {
        return None;
    };
    Some(SetTopic {
        id: held.id,
        by: held.fact.issuer,
        at_ms: held.fact.at_ms,
        text: text.clone(),
        counter: *counter,
    })
}

fn forks(set: &FactSet) -> BTreeMap<MemberId, Session> {
    set.forks
        .iter()
        .filter_map(|(member, held)| match &held.fact.body {
            Body::Fork(fork) => Some((
                *member,
                Session {
                    client_id: fork.client_id,
                    number: fork.number,
                },
            )),
            _ => None,
        })
        .collect()
}

/// Of the acts that `pick` takes the one that holds, as `pick` gives it.
fn greatest<'a, T>(allowed: &[&Act<'a>], pick: impl Fn(&Act<'a>) -> Option<(u32, T)>) -> Option<T> {
    allowed
        .iter()
        .filter_map(|act| {
            let (counter, picked) = pick(act)?;
            Some((act.precedence(counter), picked))
        })
        .max_by_key(|(precedence, _)| *precedence)
        .map(|(_, picked)| picked)
}

impl Act<'_> {
    fn precedence(&self, counter: u32) -> Precedence {
        (self.held.fact.place.epoch, counter, self.role, self.held.id)
    }

    fn door(&self) -> Option<(u32, (u32, Door))> {
        match self.held.fact.body {
            Body::Door { counter, door } => Some((counter, (counter, door))),
            _ => None,
        }
    }

    fn history_rule(&self) -> Option<(u32, (u32, HistoryRule))> {
        match self.held.fact.body {
            Body::HistoryRule { counter, rule } => Some((counter, (counter, rule))),
            _ => None,
        }
    }

    /// The topic with its precedence, and whether it is locked.
    #[expect(clippy::type_complexity, reason = "a pair within a pair, used once")]
    fn topic(&self) -> Option<(u32, ((Precedence, SetTopic), bool))> {
        let Body::Topic { counter, locked, .. } = self.held.fact.body else {
            return None;
        };
        Some((
            counter,
            ((self.precedence(counter), topic_of(self.held)?), locked),
        ))
    }

    fn closes(&self) -> Option<InviteId> {
        match self.held.fact.body {
            Body::Close { invite } => Some(invite),
            _ => None,
        }
    }

    fn ban(&self) -> Option<StandingBan> {
        let fact = &self.held.fact;
        let Body::Ban(ban) = &fact.body else { return None };
        Some(StandingBan {
            id: self.held.id,
            by: fact.issuer,
            role: self.role,
            epoch: fact.place.epoch,
            at_ms: fact.at_ms,
            ban: ban.clone(),
        })
    }

    fn entry(&self, denied: Option<Denied>) -> LogEntry {
        let fact = &self.held.fact;
        LogEntry {
            id: self.held.id,
            by: fact.issuer,
            role: self.role,
            epoch: fact.place.epoch,
            at_ms: fact.at_ms,
            body: fact.body.clone(),
            denied,
        }
    }
}
