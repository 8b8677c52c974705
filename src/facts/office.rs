use std::collections::{BTreeMap, BTreeSet};

use super::body::short;
use super::{Body, FactSet, HeldFact, Role, ShortFactId};
use crate::id::{FactId, MemberId};

/// Who was a moderator in which epochs: by the founder's facts alone, so that it can be told of any epoch without regard to
/// what moderators did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Offices {
    founder: Option<MemberId>,
    terms: BTreeMap<MemberId, Vec<Turn>>,
    /// Epochs in which the founder granted them a role, whichever.
    grants: BTreeMap<MemberId, Vec<u32>>,
    /// The founder's bans that no later fact of the founder has lifted.
    bans: BTreeMap<ShortFactId, MemberId>,
    /// Grants of an office to somebody under such a ban.
    void: BTreeSet<FactId>,
    /// Those whose chain has forked, and where.
    forked: BTreeMap<MemberId, u32>,
}

/// A beginning or an end of somebody's time as moderator, and the epoch from which on it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Begins(u32),
    Ends(u32, Option<Cut>),
}

/// The last good fact of who is moderator no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    seq: u32,
    fact: ShortFactId,
}

impl Offices {
    pub(super) fn of(set: &FactSet) -> Self {
        let mut offices = Self {
            founder: Some(set.founder),
            ..Self::default()
        };
        for held in set.founders.facts() {
            offices.take(held);
        }
        for (member, chain) in &set.moderators {
            if let Some(seq) = chain.forked_at() {
                offices.forked.insert(*member, seq);
            }
        }
        offices
    }

    fn take(&mut self, held: &HeldFact) {
        let epoch = held.fact.place.epoch;
        let (member, turn) = match &held.fact.body {
            Body::Grant { member, role, .. } => {
                self.grants.entry(*member).or_default().push(epoch);
                if *role != Role::Moderator {
                    return;
                }
                if self.bans.values().any(|banned| banned == member) {
                    self.void.insert(held.id);
                    return;
                }
                (*member, Turn::Begins(epoch))
            }
            Body::Demote {
                member,
                seq,
                last_good,
            } => {
                let cut = Cut {
                    seq: *seq,
                    fact: *last_good,
                };
                (*member, Turn::Ends(epoch, Some(cut)))
            }
            // Who bans a moderator and forgets to demote them has not left them their office.
            Body::Ban(ban) => {
                self.bans.insert(short(&held.id), ban.member);
                (ban.member, Turn::Ends(epoch, None))
            }
            Body::Lift(bans) => {
                self.bans.retain(|ban, _| !bans.contains(ban));
                return;
            }
            _ => return,
        };
        if Some(member) != self.founder {
            self.terms.entry(member).or_default().push(turn);
        }
    }

    /// Whether this fact grants an office to somebody whom the founder had banned.
    pub(super) fn is_banned_by_founder(&self, grant: &FactId) -> bool {
        self.void.contains(grant)
    }

    /// The role of the issuer of a fact of a chain, if the fact counts.
    pub(super) fn role_of_issuer(&self, held: &HeldFact) -> Option<Role> {
        let fact = &held.fact;
        if Some(fact.issuer) == self.founder {
            return Some(Role::Founder);
        }
        let is_cut_off = |turn: &Turn| match turn {
            Turn::Ends(epoch, Some(cut)) if *epoch > fact.place.epoch => {
                fact.place.seq > cut.seq || (fact.place.seq == cut.seq && short(&held.id) != cut.fact)
            }
            _ => false,
        };
        let terms = self.terms.get(&fact.issuer)?;
        let counts = self.is_in_office(&fact.issuer, fact.place.epoch) && !terms.iter().any(is_cut_off);
        counts.then_some(Role::Moderator)
    }

    /// What somebody was in an epoch, as far as offices go: founder, moderator, or a member like others. Who said two
    /// things under one number has never been a moderator, for others to respect.
    pub(super) fn rank_at(&self, member: &MemberId, epoch: u32) -> Role {
        if Some(*member) == self.founder {
            Role::Founder
        } else if self.is_in_office(member, epoch) && !self.forked.contains_key(member) {
            Role::Moderator
        } else {
            Role::Member
        }
    }

    /// What somebody is now.
    pub(super) fn rank(&self, member: &MemberId) -> Role {
        self.rank_at(member, u32::MAX)
    }

    /// Whether the founder granted them a role after that epoch.
    pub(super) fn is_granted_after(&self, member: &MemberId, epoch: u32) -> bool {
        self.grants
            .get(member)
            .is_some_and(|grants| grants.iter().any(|grant| *grant > epoch))
    }

    pub(super) fn moderators(&self) -> BTreeSet<MemberId> {
        self.terms
            .keys()
            .filter(|member| self.rank(member) == Role::Moderator)
            .copied()
            .collect()
    }

    pub(super) fn forked(&self) -> &BTreeMap<MemberId, u32> {
        &self.forked
    }

    fn is_in_office(&self, member: &MemberId, epoch: u32) -> bool {
        let last_turn = |terms: &Vec<Turn>| {
            terms
                .iter()
                .rev()
                .find(|turn| matches!(turn, Turn::Begins(at) | Turn::Ends(at, _) if *at <= epoch))
                .copied()
        };
        matches!(self.terms.get(member).and_then(last_turn), Some(Turn::Begins(_)))
    }
}
