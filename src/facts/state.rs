use std::collections::{BTreeMap, BTreeSet};

use super::office::Offices;
use super::rights::Circumstances;
use super::{Action, Ban, Body, Denied, Door, DoorMode, FactSet, HistoryRule, Role, rules};
use crate::crypto;
use crate::id::{ChatId, ClientId, FactId, InviteId, MemberId};
use crate::invite::{Admission, Credential, Rights};

/// What holds in a chat: a function of its facts and charter alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub(super) chat: ChatId,
    pub(super) is_public: bool,
    pub(super) founder: MemberId,
    pub(super) epoch: u32,
    pub(super) offices: Offices,
    /// Member or observer, of those whom a grant names.
    pub(super) granted: BTreeMap<MemberId, (u32, Role)>,
    pub(super) bans: BTreeMap<FactId, StandingBan>,
    pub(super) bans_of: BTreeMap<MemberId, BTreeSet<FactId>>,
    pub(super) bans_by_invite: BTreeMap<InviteId, BTreeSet<FactId>>,
    pub(super) topic: Option<SetTopic>,
    pub(super) is_topic_locked: bool,
    pub(super) closed: BTreeSet<InviteId>,
    pub(super) slots: BTreeMap<(InviteId, u16), MemberId>,
    pub(super) door: (u32, Door),
    pub(super) history_rule: (u32, HistoryRule),
    pub(super) forks: BTreeMap<MemberId, Session>,
    pub(super) log: Vec<LogEntry>,
}

/// What a credential says of a member: what they are as long as no fact says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// Who.
    pub member: MemberId,
    /// What the invite gives.
    pub rights: Rights,
    /// The invite they came by, and their slot if it has any. None for the founder.
    pub by: Option<(InviteId, Option<u16>)>,
    /// The moderator who issued that invite, and the grant that they showed for it; none if the founder did.
    pub invited_by: Option<(MemberId, u32)>,
}

/// A ban that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingBan {
    /// The fact.
    pub id: FactId,
    /// Who banned.
    pub by: MemberId,
    /// What they were.
    pub role: Role,
    /// The epoch that they named.
    pub epoch: u32,
    /// When, ms since 1970 by their clock.
    pub at_ms: u64,
    /// Whom, why, and what is hidden.
    pub ban: Ban,
}

/// A topic, and who set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetTopic {
    /// The fact.
    pub id: FactId,
    /// Who.
    pub by: MemberId,
    /// When, ms since 1970 by their clock.
    pub at_ms: u64,
    /// 0 to 512 bytes; empty: none.
    pub text: String,
    /// The counter of the fact: whoever sets the next topic names one more.
    pub counter: u32,
}

/// A session, up to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session {
    /// Whose two words were under one number.
    pub client_id: ClientId,
    /// That number: the session stops there.
    pub number: u32,
}

/// A deed of the founder or a moderator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The fact.
    pub id: FactId,
    /// Who.
    pub by: MemberId,
    /// What they were.
    pub role: Role,
    /// The epoch that they named.
    pub epoch: u32,
    /// When, ms since 1970 by their clock.
    pub at_ms: u64,
    /// What.
    pub body: Body,
    /// Why it has no effect, if they had not the right.
    pub denied: Option<Denied>,
}

impl Admitted {
    /// What a credential says. Whether it holds is to be checked before.
    pub fn of(credential: &Credential) -> Self {
        match credential {
            Credential::Founder(charter) => Self {
                member: charter.founder,
                rights: Rights::Member,
                by: None,
                invited_by: None,
            },
            Credential::Invited { invite, admission } => Self {
                member: admission.member,
                rights: invite.rights,
                by: Some((invite.invite, (invite.slots != 0).then_some(admission.slot))),
                invited_by: invite
                    .office
                    .as_ref()
                    .map(|office| (office.moderator, office.seq)),
            },
        }
    }

    /// Whether they came by an invite without slots: through the door of a public chat.
    fn is_through_door(&self) -> bool {
        matches!(self.by, Some((_, None)))
    }
}

impl State {
    /// What holds by these facts.
    pub fn of(set: &FactSet) -> Self {
        rules::state_of(set)
    }

    /// Whether somebody may do something, and if not, why: the one place where that is decided, by
    /// [`super::RIGHTS`].
    ///
    /// # Errors
    /// The reason, a sentence.
    pub fn may(&self, who: &Admitted, action: Action) -> Result<(), Denied> {
        if self.ban_of(who).is_some() {
            return Err(Denied::Banned);
        }
        if self.is_turned_away(who) {
            return Err(Denied::InviteClosed);
        }
        let other = match action {
            Action::SetRole(member)
            | Action::Promote(member)
            | Action::Demote(member)
            | Action::Ban(member) => self.offices.rank(&member),
            Action::Lift(ban) => self.bans.get(&ban).ok_or(Denied::NoSuchBan)?.role,
            _ => Role::Observer,
        };
        let circumstances = Circumstances {
            is_topic_locked: self.is_topic_locked,
            other,
        };
        action.deed().check(self.role(who), circumstances)?;
        match action {
            Action::Promote(member) if self.bans_naming(&member).any(|ban| ban.role == Role::Founder) => {
                Err(Denied::LiftFirst)
            }
            _ => Ok(()),
        }
    }

    /// What somebody is.
    pub fn role(&self, who: &Admitted) -> Role {
        let rank = self.offices.rank(&who.member);
        if rank >= Role::Moderator {
            return rank;
        }
        if let Some((_, granted)) = self.granted.get(&who.member) {
            return *granted;
        }
        let waits_for_approval = who.is_through_door() && self.door.1.mode == DoorMode::Approval;
        if who.rights == Rights::Observer || waits_for_approval || self.has_lost_slot(who) {
            Role::Observer
        } else {
            Role::Member
        }
    }

    /// The ban that keeps somebody out: of several the one by the highest role, then of the lowest epoch.
    pub fn ban_of(&self, who: &Admitted) -> Option<&StandingBan> {
        self.bans_against(who)
            .min_by_key(|ban| (std::cmp::Reverse(ban.role), ban.epoch, ban.id))
    }

    /// Whether what a member said in a session under a number is to be shown, as far as bans and forks go.
    pub fn shows(&self, who: &Admitted, client_id: &ClientId, number: u32) -> bool {
        let after_fork = self
            .forks
            .get(&who.member)
            .is_some_and(|fork| fork.client_id == *client_id && number > fork.number);
        !after_fork && self.bans_against(who).all(|ban| ban.ban.keeps(client_id, number))
    }

    fn bans_against(&self, who: &Admitted) -> impl Iterator<Item = &StandingBan> {
        let named = self.bans_of.get(&who.member).into_iter().flatten();
        let taken_along = who.by.and_then(|(invite, _)| self.bans_by_invite.get(&invite));
        named
            .chain(taken_along.into_iter().flatten())
            .filter_map(|id| self.bans.get(id))
            .filter(|ban| self.applies(ban, who))
    }

    /// All bans that hold, by id.
    pub fn bans(&self) -> impl Iterator<Item = &StandingBan> {
        self.bans.values()
    }

    /// Bans that name a member and hold: what a lift has to name.
    pub fn bans_naming(&self, member: &MemberId) -> impl Iterator<Item = &StandingBan> {
        let ids = self.bans_of.get(member).into_iter().flatten();
        ids.filter_map(|id| self.bans.get(id))
    }

    /// The topic, if anybody has set one.
    pub fn topic(&self) -> Option<&SetTopic> {
        self.topic.as_ref()
    }

    /// Whether only moderators and the founder may set the topic. A public chat's is, until one of them unlocks it.
    pub fn is_topic_locked(&self) -> bool {
        self.is_topic_locked
    }

    /// Who founded the chat.
    pub fn founder(&self) -> MemberId {
        self.founder
    }

    /// How many of the founder's facts there are.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Who are moderators now.
    pub fn moderators(&self) -> BTreeSet<MemberId> {
        self.offices.moderators()
    }

    /// Those whom a grant makes member or observer, if they have no office.
    pub fn granted(&self) -> impl Iterator<Item = (&MemberId, Role)> {
        self.granted.iter().map(|(member, (_, role))| (member, *role))
    }

    /// Whether somebody has an office or a role by name, whatever they came by.
    pub fn is_named(&self, member: &MemberId) -> bool {
        self.granted.contains_key(member) || self.offices.rank(member) > Role::Member
    }

    /// What the next grant to a member names as its counter.
    pub fn next_grant_counter(&self, member: &MemberId) -> u32 {
        let counter = self.granted.get(member).map_or(0, |(counter, _)| *counter);
        counter.saturating_add(1)
    }

    /// What the next topic names as its counter.
    pub fn next_topic_counter(&self) -> u32 {
        let counter = self.topic.as_ref().map_or(0, |topic| topic.counter);
        counter.saturating_add(1)
    }

    /// What the next door names as its counter.
    pub fn next_door_counter(&self) -> u32 {
        self.door.0.saturating_add(1)
    }

    /// What the next history rule names as its counter.
    pub fn next_history_rule_counter(&self) -> u32 {
        self.history_rule.0.saturating_add(1)
    }

    /// Whether nobody new comes in by an invite.
    pub fn is_closed(&self, invite: &InviteId) -> bool {
        self.closed.contains(invite) || self.bans_by_invite.contains_key(invite)
    }

    /// Whether nobody new comes in by the invite by which somebody came: it was closed, or the moderator who issued it is
    /// not one any more.
    pub fn is_over_for(&self, who: &Admitted) -> bool {
        let is_closed = who.by.is_some_and(|(invite, _)| self.is_closed(&invite));
        is_closed || self.has_office_ended(who.invited_by)
    }

    /// Whether an office by that grant has ended, as far as the facts tell. One that is not known yet has not.
    pub fn has_office_ended(&self, office: Option<(MemberId, u32)>) -> bool {
        office.is_some_and(|(moderator, grant)| self.offices.has_ended(&moderator, grant))
    }

    /// Who was confirmed in a slot.
    pub fn confirmed(&self, invite: &InviteId, slot: u16) -> Option<MemberId> {
        self.slots.get(&(*invite, slot)).copied()
    }

    /// All confirmed slots of an invite.
    pub fn slots_of(&self, invite: &InviteId) -> impl Iterator<Item = (u16, MemberId)> {
        self.slots
            .range((*invite, 0)..=(*invite, u16::MAX))
            .map(|((_, slot), member)| (*slot, *member))
    }

    /// Whose slot it is of those who claim it: the confirmed one's, else the one's of the smallest certificate hash.
    pub fn slot_holder<'a>(
        &self,
        invite: &InviteId,
        slot: u16,
        claims: impl IntoIterator<Item = &'a Admission>,
    ) -> Option<MemberId> {
        let smallest = || {
            claims
                .into_iter()
                .filter(|claim| claim.slot == slot)
                .min_by_key(|claim| crypto::hash(&[&claim.encode()]))
                .map(|claim| claim.member)
        };
        self.confirmed(invite, slot).or_else(smallest)
    }

    /// How strangers come in.
    pub fn door(&self) -> Door {
        self.door.1
    }

    /// What of the past newcomers get.
    pub fn history_rule(&self) -> HistoryRule {
        self.history_rule.1
    }

    /// For how many minutes somebody who has just come in only reads. From when on, the program that lets them
    /// in knows by its own clock.
    pub fn minutes_to_read(&self, who: &Admitted) -> u16 {
        let door = self.door.1;
        if door.mode == DoorMode::ReadFirst && who.is_through_door() && !self.is_named(&who.member) {
            door.minutes
        } else {
            0
        }
    }

    /// Members who said two things under one number, and where their session stops.
    pub fn forks(&self) -> impl Iterator<Item = (&MemberId, &Session)> {
        self.forks.iter()
    }

    /// Moderators who issued two facts under one number, and under which. They are moderators no more.
    pub fn forked_moderators(&self) -> impl Iterator<Item = (&MemberId, u32)> {
        self.offices.forked().iter().map(|(member, seq)| (member, *seq))
    }

    /// Who did what, in an order that is the same for all: by epoch, then by what clocks said. Facts that don't count
    /// (behind a fork, or after the last good one) are not in it; those that were not allowed are, with the reason.
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }

    /// Whether a ban keeps somebody out whom it names, or who came by the invite that it takes along.
    fn applies(&self, ban: &StandingBan, who: &Admitted) -> bool {
        if ban.ban.member == who.member {
            self.holds_against(ban, &who.member)
        } else {
            // Not named: so an office then, or any grant since, is reason enough to be spared.
            self.offices.rank_at(&who.member, ban.epoch) < Role::Moderator
                && !self.offices.is_granted_after(&who.member, ban.epoch)
        }
    }

    /// Whether a ban holds against the member that it names: a grant by the founder since voids a moderator's.
    pub(super) fn holds_against(&self, ban: &StandingBan, member: &MemberId) -> bool {
        ban.role == Role::Founder || !self.offices.is_granted_after(member, ban.epoch)
    }

    /// "This invite is spent": their slot is another's.
    fn has_lost_slot(&self, who: &Admitted) -> bool {
        let Some((invite, Some(slot))) = who.by else {
            return false;
        };
        self.confirmed(&invite, slot)
            .is_some_and(|holder| holder != who.member)
    }

    /// Whether the invite that they came by was closed before anyone confirmed them.
    fn is_turned_away(&self, who: &Admitted) -> bool {
        let Some((invite, Some(slot))) = who.by else {
            return false;
        };
        self.is_over_for(who)
            && self.confirmed(&invite, slot) != Some(who.member)
            && !self.is_named(&who.member)
    }
}

impl Ban {
    /// Whether something that the banned said is still shown.
    pub fn keeps(&self, client_id: &ClientId, number: u32) -> bool {
        let tag = &client_id.0[..8];
        !self.hide_all
            && self
                .kept
                .iter()
                .any(|(session, last)| session == tag && number <= *last)
    }
}
