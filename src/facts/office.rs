use std::collections::{BTreeMap, BTreeSet};

use super::body::short;
use super::{Body, Fact, FactSet, HeldFact, Place, Role, ShortFactId};
use crate::id::{FactId, MemberId};

/// Who was a moderator in which epochs: by the founder's facts alone, so that it can be told of any epoch without regard to
/// what moderators did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offices {
    founder: MemberId,
    /// How many of the founder's facts are known.
    epoch: u32,
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

/// What becomes of a moderator's fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was made in office.
    Counts,
    /// It was not, as far as is known: the epoch that it names has not come, or its issuer was no moderator then.
    NotInOffice,
    /// It comes after the last good one of a demotion, and says that it was before. It never counts.
    CutOff,
}

impl Offices {
    pub(super) fn new(founder: MemberId) -> Self {
        Self {
            founder,
            epoch: 0,
            terms: BTreeMap::new(),
            grants: BTreeMap::new(),
            bans: BTreeMap::new(),
            void: BTreeSet::new(),
            forked: BTreeMap::new(),
        }
    }

    /// All that there is to know, also whose chains have forked.
    pub(super) fn of(set: &FactSet) -> Self {
        let mut offices = set.offices.clone();
        for (member, chain) in &set.moderators {
            if let Some(seq) = chain.forked_at() {
                offices.forked.insert(*member, seq);
            }
        }
        offices
    }

    /// Takes the next of the founder's facts. Gives whose office it touches.
    pub(super) fn take(&mut self, held: &HeldFact) -> Option<MemberId> {
        let epoch = held.fact.place.epoch;
        self.epoch = epoch.max(self.epoch);
        let (member, turn) = match &held.fact.body {
            Body::Grant { member, role, .. } => {
                self.grants.entry(*member).or_default().push(epoch);
                if *role != Role::Moderator {
                    return None;
                }
                if self.bans.values().any(|banned| banned == member) {
                    self.void.insert(held.id);
                    return None;
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
                return None;
            }
            _ => return None,
        };
        if member == self.founder {
            return None;
        }
        self.terms.entry(member).or_default().push(turn);
        Some(member)
    }

    /// Whether this fact grants an office to somebody whom the founder had banned.
    pub(super) fn is_banned_by_founder(&self, grant: &FactId) -> bool {
        self.void.contains(grant)
    }

    /// Whether a moderator's fact counts, as far as the founder's facts decide it.
    pub(super) fn judge(&self, fact: &Fact, id: &FactId) -> Standing {
        let Place { seq, epoch, .. } = fact.place;
        let is_cut_off = |turn: &Turn| match turn {
            Turn::Ends(ended, Some(cut)) if *ended > epoch => {
                seq > cut.seq || (seq == cut.seq && short(id) != cut.fact)
            }
            _ => false,
        };
        let terms = self.terms.get(&fact.issuer);
        if terms.is_some_and(|terms| terms.iter().any(is_cut_off)) {
            Standing::CutOff
        } else if epoch <= self.epoch && self.is_in_office(&fact.issuer, epoch) {
            Standing::Counts
        } else {
            Standing::NotInOffice
        }
    }

    /// What somebody was in an epoch, as far as offices go: founder, moderator, or a member like others. Who said two
    /// things under one number has never been a moderator, for others to respect.
    pub(super) fn rank_at(&self, member: &MemberId, epoch: u32) -> Role {
        if *member == self.founder {
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

    /// Whether the office that a grant began, one of the founder's facts by its seq, is over. What is not known yet is not.
    pub(super) fn has_ended(&self, member: &MemberId, grant: u32) -> bool {
        let ends_later = |turn: &Turn| matches!(turn, Turn::Ends(at, _) if *at > grant);
        let terms = self.terms.get(member);
        self.forked.contains_key(member)
            || terms.is_some_and(|terms| terms.iter().any(ends_later))
            || grant <= self.epoch && !self.is_in_office(member, grant)
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
