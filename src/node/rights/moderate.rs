//! Changing what holds: what the founder and moderators do, and what members may.
//!
//! What they may not do nobody would believe: nothing happens.

use std::time::Duration;

use super::Rights;
use crate::facts::{
    Action, Admitted, Ban, Body, Denied, Fact, MAX_CONFIRM_SLOTS, MAX_LIFTS, Place, Role, ShortFactId, State,
};
use crate::id::{FactId, InviteId, MemberId};
use crate::invite::Credential;
use crate::node::Moderation;
use crate::node::core::Core;
use crate::node::members::Members;
use crate::node::overlay::Overlay;
use crate::wire::MAX_TOPIC_LEN;

/// The founder's program confirms newcomers after so long, several in one fact. A guess.
const CONFIRM_AFTER: Duration = Duration::from_secs(2);

/// A moderator's waits longer, for the founder's to be there first; at random, for other moderators' sake. A guess.
const MODERATOR_WAITS: Duration = Duration::from_secs(10);

/// Somebody of the chat at work: all that a fact of theirs needs.
struct Issuing<'a> {
    core: &'a mut Core,
    overlay: &'a mut Overlay,
    members: &'a mut Members,
    rights: &'a mut Rights,
}

impl Rights {
    /// Does something as the founder or a moderator.
    pub(in crate::node) fn moderate(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &mut Members,
        deed: Moderation,
    ) {
        self.issuing(core, overlay, members).moderate(deed);
    }

    /// Sets the topic: the founder and moderators by a fact of their chain, members by one of their own kind.
    pub(in crate::node) fn set_topic(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &mut Members,
        text: String,
        locked: Option<bool>,
    ) {
        self.issuing(core, overlay, members).set_topic(text, locked);
    }

    /// Confirms those who came by slots of invites, so that nothing takes their place from them. The programs of the
    /// founder and of moderators do so by themselves.
    pub(in crate::node) fn confirm_newcomers(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &mut Members,
    ) {
        self.issuing(core, overlay, members).confirm_newcomers();
    }

    fn issuing<'a>(
        &'a mut self,
        core: &'a mut Core,
        overlay: &'a mut Overlay,
        members: &'a mut Members,
    ) -> Issuing<'a> {
        Issuing {
            core,
            overlay,
            members,
            rights: self,
        }
    }
}

impl Issuing<'_> {
    fn may(&self, action: Action) -> Result<(), Denied> {
        let (own, now_ms) = (self.core.member(), self.core.now_ms());
        self.rights.may(self.members, &own, action, now_ms)
    }

    fn state(&self) -> Option<&State> {
        self.rights.state()
    }

    fn admitted(&self, member: &MemberId) -> Option<Admitted> {
        Some(*self.members.member(member)?.admitted())
    }

    fn own_role(&self) -> Role {
        self.rights.own_role(self.members)
    }

    fn take_own_fact(&mut self, fact: Fact) {
        self.rights
            .take_own_fact(self.core, self.overlay, self.members, fact);
    }

    fn moderate(&mut self, deed: Moderation) {
        match deed {
            Moderation::SetRole(member, role) => self.set_role(member, role),
            Moderation::Ban {
                member,
                reason,
                with_invite,
                hide_all,
            } => self.ban(member, reason, with_invite, hide_all),
            Moderation::UndoFrom(deed) => self.undo_from(&deed),
            Moderation::Unban(member) => self.unban(member),
            Moderation::CloseInvite(invite) => self.issue(Action::CloseInvite, Body::Close { invite }),
            Moderation::SetDoor(door) => {
                let counter = self.state().map_or(1, State::next_door_counter);
                self.issue(Action::SetDoor, Body::Door { counter, door });
            }
            Moderation::SetHistoryRule(rule) => {
                let counter = self.state().map_or(1, State::next_history_rule_counter);
                self.issue(Action::SetHistoryRule, Body::HistoryRule { counter, rule });
            }
        }
    }

    /// Signs a fact of the founder's or a moderator's, if they may do that.
    fn issue(&mut self, action: Action, body: Body) {
        if self.may(action).is_err() {
            return;
        }
        let agreed = self.rights.agreed.as_ref();
        let Some(place) = agreed.and_then(|agreed| agreed.set.next(&self.core.member())) else {
            return;
        };
        self.sign(place, body);
    }

    fn set_role(&mut self, member: MemberId, role: Role) {
        let Some(state) = self.state() else { return };
        let counter = state.next_grant_counter(&member);
        match role {
            Role::Founder => {}
            Role::Moderator => self.issue(
                Action::Promote(member),
                Body::Grant {
                    member,
                    role,
                    counter,
                },
            ),
            Role::Member | Role::Observer => {
                self.demote(member);
                // A grant also lets somebody speak who, having just come in, only reads.
                if self.rights.role_of(self.members, &member) != Some(role) || self.only_reads_yet(&member) {
                    let body = Body::Grant {
                        member,
                        role,
                        counter,
                    };
                    self.issue(Action::SetRole(member), body);
                }
            }
        }
    }

    fn only_reads_yet(&self, member: &MemberId) -> bool {
        let now_ms = self.core.now_ms();
        self.rights.minutes_to_read(self.members, member, now_ms) > 0
    }

    /// Ends a moderator's office: what they did so far stands, and nothing that they claim to have done before.
    fn demote(&mut self, member: MemberId) {
        let Some(agreed) = &self.rights.agreed else { return };
        if !agreed.state.moderators().contains(&member) {
            return;
        }
        let last = agreed.set.next(&member).unwrap_or(Place::in_no_chain(0));
        let body = Body::Demote {
            member,
            seq: last.seq.saturating_sub(1),
            last_good: last.prev,
        };
        self.issue(Action::Demote(member), body);
    }

    /// Ends a moderator's office with a cut before one of their deeds: it and what came after it counts nowhere any more,
    /// and nothing that they say they did before.
    fn undo_from(&mut self, deed: &FactId) {
        let Some(agreed) = &self.rights.agreed else { return };
        let Some(held) = agreed.set.iter().find(|held| held.id == *deed) else {
            return;
        };
        let (member, place) = (held.fact.issuer, held.fact.place);
        let Some(seq) = place.seq.checked_sub(1) else {
            return;
        };
        let body = Body::Demote {
            member,
            seq,
            last_good: place.prev,
        };
        self.issue(Action::Demote(member), body);
    }

    fn ban(&mut self, member: MemberId, reason: String, with_invite: bool, hide_all: bool) {
        if self.may(Action::Ban(member)).is_err() {
            return;
        }
        self.demote(member);
        let invite = self
            .admitted(&member)
            .and_then(|admitted| admitted.by)
            .map(|(invite, _)| invite);
        let ban = Ban {
            member,
            hide_all,
            with_invite: invite.filter(|_| with_invite),
            kept: Rights::last_words(self.members, &member),
            reason,
        };
        self.issue(Action::Ban(member), Body::Ban(ban));
    }

    /// Lifts what keeps a member out, as far as we may. Who was taken along by the ban of another is let back in by name
    /// if the founder does it; else the ban goes.
    fn unban(&mut self, member: MemberId) {
        let Some(state) = self.state() else { return };
        let naming: Vec<FactId> = state.bans_naming(&member).map(|ban| ban.id).collect();
        let lifts: Vec<ShortFactId> = naming
            .iter()
            .filter(|id| self.may(Action::Lift(**id)).is_ok())
            .take(MAX_LIFTS)
            .map(short)
            .collect();
        if let Some(id) = naming.first()
            && !lifts.is_empty()
        {
            self.issue(Action::Lift(*id), Body::Lift(lifts));
        }
        let admitted = self.admitted(&member);
        let taken_along = admitted.and_then(|admitted| Some(self.state()?.ban_of(&admitted)?.id));
        let Some(id) = taken_along else { return };
        if self.own_role() == Role::Founder {
            let counter = self.state().map_or(1, |state| state.next_grant_counter(&member));
            let body = Body::Grant {
                member,
                role: Role::Member,
                counter,
            };
            self.issue(Action::SetRole(member), body);
        } else {
            self.issue(Action::Lift(id), Body::Lift(vec![short(&id)]));
        }
    }

    fn set_topic(&mut self, text: String, locked: Option<bool>) {
        if text.len() > MAX_TOPIC_LEN {
            return;
        }
        let Some(agreed) = &self.rights.agreed else { return };
        let counter = agreed.state.next_topic_counter();
        if self.own_role() >= Role::Moderator {
            let locked = locked.unwrap_or(agreed.state.is_topic_locked());
            let body = Body::Topic {
                counter,
                locked,
                text,
            };
            return self.issue(Action::LockTopic, body);
        }
        let Credential::Invited { invite, admission } = &self.members.chain().credential else {
            return;
        };
        if self.may(Action::SetTopic).is_err() || locked.is_some() {
            return;
        }
        let body = Body::MemberTopic {
            invite: invite.invite,
            slot: (invite.slots != 0).then_some(admission.slot),
            counter,
            text,
        };
        let place = Place::in_no_chain(agreed.set.epoch());
        self.sign(place, body);
    }

    fn sign(&mut self, place: Place, body: Body) {
        let key = self.members.member_key();
        if let Ok(fact) = Fact::sign(key, self.members.chat(), place, self.core.now_ms(), body) {
            self.take_own_fact(fact);
        }
    }

    fn confirm_newcomers(&mut self) {
        let now = self.core.now();
        if self.may(Action::Confirm).is_err() {
            return;
        }
        let unconfirmed = self.rights.unconfirmed(self.members);
        if unconfirmed.is_empty() {
            self.rights.confirm_at = None;
            return;
        }
        match self.rights.confirm_at {
            None => {
                let waits = if self.own_role() == Role::Founder {
                    CONFIRM_AFTER
                } else {
                    MODERATOR_WAITS + MODERATOR_WAITS.mul_f64(self.core.random_below(1000) as f64 / 1000.0)
                };
                self.rights.confirm_at = Some(now + waits);
            }
            Some(at) if at <= now => {
                self.rights.confirm_at = None;
                self.confirm(&unconfirmed);
            }
            Some(_) => {}
        }
    }

    fn confirm(&mut self, unconfirmed: &[(InviteId, u16, MemberId)]) {
        for of_one in unconfirmed.chunk_by(|one, other| one.0 == other.0) {
            for part in of_one.chunks(MAX_CONFIRM_SLOTS) {
                let slots = part.iter().map(|(_, slot, member)| (*slot, *member)).collect();
                let invite = part[0].0;
                self.issue(Action::Confirm, Body::Confirm { invite, slots });
            }
        }
    }
}

pub(super) fn short(id: &FactId) -> ShortFactId {
    let mut short = [0; 16];
    short.copy_from_slice(&id.0[..16]);
    short
}
