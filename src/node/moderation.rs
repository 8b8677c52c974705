//! Who may do what in a signed chat, changing it, and what follows when it has changed.

use std::time::Duration;

use super::{Kind, Moderation, Node, NodeEvent, Refusal};
use crate::facts::{
    Action, Admitted, Ban, Body, Denied, Fact, MAX_CONFIRM_SLOTS, MAX_LIFTS, Place, Role, ShortFactId, State,
};
use crate::id::{ClientId, FactId, InviteId, MemberId};
use crate::invite::{Credential, Office};
use crate::wire::MAX_TOPIC_LEN;

/// The founder's program confirms newcomers after so long, several in one fact. A guess.
const CONFIRM_AFTER: Duration = Duration::from_secs(2);

/// A moderator's waits longer, for the founder's to be there first; at random, for other moderators' sake. A guess.
const MODERATOR_WAITS: Duration = Duration::from_secs(10);

/// The link to somebody who may not be here any more ends after so long: they are to hear why. A guess: the slowest
/// datagram.
const END_AFTER: Duration = Duration::from_secs(1);

impl Node {
    /// What holds in the chat; none in a classic one, and before the charter has come.
    pub fn state(&self) -> Option<&State> {
        match &self.kind {
            Kind::Signed(signed) => signed.state(),
            Kind::Classic(_) => None,
        }
    }

    /// The root of the facts that hold; zeros if there are none.
    pub fn facts_root(&self) -> [u8; 32] {
        match &self.kind {
            Kind::Classic(_) => [0; 32],
            Kind::Signed(signed) => signed.facts_root(),
        }
    }

    /// What the credential of a member says of them; none of those never met.
    pub fn admitted(&self, member: &MemberId) -> Option<Admitted> {
        match &self.kind {
            Kind::Signed(signed) => signed.admitted(member),
            Kind::Classic(_) => None,
        }
    }

    /// What empowers us to issue invites as a moderator, if we are one.
    pub fn own_office(&self) -> Option<Office> {
        let Kind::Signed(signed) = &self.kind else {
            return None;
        };
        let (agreed, charter) = (signed.agreed.as_ref()?, signed.charter.as_ref()?);
        agreed.set.office_of(&agreed.state, charter, &self.member)
    }

    /// All whom we know to be admitted, oneself among them, by id.
    pub fn all_admitted(&self) -> Vec<Admitted> {
        match &self.kind {
            Kind::Signed(signed) => signed.members.values().map(|member| member.admitted).collect(),
            Kind::Classic(_) => Vec::new(),
        }
    }

    /// Whether we may do something. In a classic chat everyone may speak and set the topic, and nothing else.
    ///
    /// # Errors
    /// Why not: a sentence for whoever wanted it.
    pub fn may(&self, action: Action) -> Result<(), Denied> {
        match &self.kind {
            Kind::Signed(signed) => signed.may(&self.member, action, self.now_ms()),
            Kind::Classic(_) => match action {
                Action::Read | Action::Speak | Action::SetTopic => Ok(()),
                _ => Err(Denied::FounderOnly),
            },
        }
    }

    /// For how many minutes more we only read, having just come in.
    pub fn minutes_to_read(&self) -> u64 {
        match &self.kind {
            Kind::Signed(signed) => signed.minutes_to_read(&self.member, self.now_ms()),
            Kind::Classic(_) => 0,
        }
    }

    /// Does something as the founder or a moderator. What they may not do, nobody would believe: nothing happens.
    pub(super) fn moderate(&mut self, deed: Moderation) {
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
        let now_ms = self.now_ms();
        let Kind::Signed(signed) = &self.kind else { return };
        let Some(place) = signed
            .agreed
            .as_ref()
            .and_then(|agreed| agreed.set.next(&self.member))
        else {
            return;
        };
        if let Ok(fact) = Fact::sign(&signed.member_key, &signed.chat, place, now_ms, body) {
            self.take_own_fact(fact);
        }
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
                if self.role_of(&member) != Some(role) || self.only_reads_yet(&member) {
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
        match &self.kind {
            Kind::Signed(signed) => signed.minutes_to_read(member, self.now_ms()) > 0,
            Kind::Classic(_) => false,
        }
    }

    /// Ends a moderator's office: what they did so far stands, and nothing that they claim to have done before.
    fn demote(&mut self, member: MemberId) {
        let Kind::Signed(signed) = &self.kind else { return };
        let Some(agreed) = &signed.agreed else { return };
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
        let Kind::Signed(signed) = &self.kind else { return };
        let Some(agreed) = &signed.agreed else { return };
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
        let Kind::Signed(signed) = &self.kind else { return };
        let invite = signed
            .admitted(&member)
            .and_then(|admitted| admitted.by)
            .map(|(invite, _)| invite);
        let ban = Ban {
            member,
            hide_all,
            with_invite: invite.filter(|_| with_invite),
            kept: signed.last_words(&member),
            reason,
        };
        self.issue(Action::Ban(member), Body::Ban(ban));
    }

    /// Lifts what keeps a member out, as far as we may. Who was taken along by the ban of another is let back in by name
    /// if the founder does it; else the ban goes.
    fn unban(&mut self, member: MemberId) {
        let Kind::Signed(signed) = &self.kind else { return };
        let Some(state) = signed.state() else { return };
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
        let Some(taken_along) = self.ban_of(&member) else {
            return;
        };
        let (id, own_role) = (taken_along.id, self.own_role());
        if own_role == Role::Founder {
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

    /// Sets the topic: the founder and moderators by a fact of their chain, members by one of their own kind.
    pub(super) fn set_signed_topic(&mut self, text: String, locked: Option<bool>) {
        if text.len() > MAX_TOPIC_LEN {
            return;
        }
        let now_ms = self.now_ms();
        let Kind::Signed(signed) = &self.kind else { return };
        let Some(agreed) = &signed.agreed else { return };
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
        let Credential::Invited { invite, admission } = &signed.chain.credential else {
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
        if let Ok(fact) = Fact::sign(&signed.member_key, &signed.chat, place, now_ms, body) {
            self.take_own_fact(fact);
        }
    }

    /// Confirms those who came by slots of invites, so that nothing takes their place from them. The programs of the
    /// founder and of moderators do so by themselves.
    pub(super) fn confirm_newcomers(&mut self) {
        let now = self.now.elapsed;
        if self.may(Action::Confirm).is_err() {
            return;
        }
        let Kind::Signed(signed) = &self.kind else { return };
        let unconfirmed = signed.unconfirmed();
        if unconfirmed.is_empty() {
            return self.confirm_at(None);
        }
        match signed.confirm_at {
            None => {
                let waits = if self.own_role() == Role::Founder {
                    CONFIRM_AFTER
                } else {
                    MODERATOR_WAITS + MODERATOR_WAITS.mul_f64(self.random_below(1000) as f64 / 1000.0)
                };
                self.confirm_at(Some(now + waits));
            }
            Some(at) if at <= now => {
                self.confirm_at(None);
                self.confirm(&unconfirmed);
            }
            Some(_) => {}
        }
    }

    fn confirm_at(&mut self, at: Option<Duration>) {
        if let Kind::Signed(signed) = &mut self.kind {
            signed.confirm_at = at;
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

    /// What follows from facts that have come: it is told, and who may not be here any more is sent away.
    pub(super) fn state_changed(&mut self, before: &State) {
        let Kind::Signed(signed) = &self.kind else { return };
        let Some(state) = signed.state() else { return };
        let mut events = chat_events(before, state);
        for member in signed.members.values() {
            events.extend(member_events(before, state, &member.admitted));
        }
        let gone: Vec<ClientId> = signed
            .sessions()
            .filter(|(_, session)| session.online && signed.may_read(&session.member).is_err())
            .map(|(client_id, _)| *client_id)
            .collect();
        for event in events {
            self.emit(event);
        }
        for client_id in gone {
            self.session_ended(&client_id, false);
            self.peers.remove(&client_id);
        }
        if let Some(why) = self.own_refusal() {
            self.refused(why);
        }
        self.wake_soon();
    }

    /// Why we may not be here any more, as far as the facts tell.
    pub(super) fn own_refusal(&self) -> Option<Refusal> {
        match self.may(Action::Read) {
            Err(Denied::Banned) => Some(Refusal::Banned),
            Err(Denied::InviteClosed) => Some(Refusal::Closed),
            _ => None,
        }
    }

    /// Ends links to those who may not be here any more, a little later.
    pub(super) fn end_links_of_the_banned(&mut self) {
        let now = self.now.elapsed;
        let Kind::Signed(signed) = &self.kind else { return };
        for link in self.links.values_mut() {
            let may_stay = signed.may_read(&link.member).is_ok();
            link.ends_at = (!may_stay).then(|| link.ends_at.unwrap_or(now + END_AFTER));
        }
        let ending: Vec<ClientId> = self
            .links
            .iter()
            .filter(|(_, link)| link.ends_at.is_some_and(|at| at <= now))
            .map(|(client_id, _)| *client_id)
            .collect();
        for client_id in ending {
            self.end_link(&client_id, true);
        }
    }

    /// A member who would not let us in showed the ban. It is believed if its issuer is known to keep order here; in
    /// the chat's facts it comes only when we are let in again.
    pub(super) fn told_of_ban(&mut self, bytes: &[u8]) {
        let own = self.member;
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let (Ok(fact), Some(state)) = (Fact::decode(bytes), signed.state()) else {
            return;
        };
        let Body::Ban(ban) = &fact.body else { return };
        let own_invite = signed
            .admitted(&own)
            .and_then(|own| own.by)
            .map(|(invite, _)| invite);
        let is_about_us = ban.member == own || own_invite.is_some() && ban.with_invite == own_invite;
        let keeps_order = fact.issuer == state.founder() || state.moderators().contains(&fact.issuer);
        let is_known = signed.may_read(&own).is_err() || signed.told_of_ban;
        if is_known || !is_about_us || !keeps_order || !fact.verify(&signed.chat) {
            return;
        }
        signed.told_of_ban = true;
        let event = NodeEvent::Banned {
            member: own,
            by: fact.issuer,
            reason: ban.reason.clone(),
            hide_all: false,
        };
        self.emit(event);
    }

    /// We are let in: a ban that we were only told of holds no more.
    pub(super) fn let_in_again(&mut self) {
        let member = self.member;
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        if std::mem::take(&mut signed.told_of_ban) && signed.may_read(&member).is_ok() {
            let by = signed.state().map_or(member, State::founder);
            self.emit(NodeEvent::Unbanned { member, by });
        }
    }

    fn own_role(&self) -> Role {
        match &self.kind {
            Kind::Signed(signed) => signed.own_role(),
            Kind::Classic(_) => Role::Member,
        }
    }

    /// What a member is now; none of those never met, and in a classic chat.
    pub fn role_of(&self, member: &MemberId) -> Option<Role> {
        match &self.kind {
            Kind::Signed(signed) => signed.role_of(member),
            Kind::Classic(_) => None,
        }
    }

    fn ban_of(&self, member: &MemberId) -> Option<&crate::facts::StandingBan> {
        let admitted = self.admitted(member)?;
        self.state()?.ban_of(&admitted)
    }
}

/// What is another about the chat itself.
fn chat_events(before: &State, state: &State) -> Vec<NodeEvent> {
    let mut events = Vec::new();
    let topic = |state: &State| state.topic().map(|topic| (topic.text.clone(), topic.by));
    if topic(before) != topic(state) || before.is_topic_locked() != state.is_topic_locked() {
        let (topic, by) = topic(state).unwrap_or((String::new(), state.founder()));
        events.push(NodeEvent::TopicChanged {
            topic,
            locked: state.is_topic_locked(),
            by,
        });
    }
    if before.door() != state.door() {
        let by = last_deed(state, |body| matches!(body, Body::Door { .. }));
        events.push(NodeEvent::DoorChanged {
            door: state.door(),
            by,
        });
    }
    if before.history_rule() != state.history_rule() {
        let by = last_deed(state, |body| matches!(body, Body::HistoryRule { .. }));
        let rule = state.history_rule();
        events.push(NodeEvent::HistoryRuleChanged { rule, by });
    }
    for entry in state.log() {
        if let Body::Close { invite } = entry.body
            && state.is_closed(&invite)
            && !before.is_closed(&invite)
        {
            events.push(NodeEvent::InviteClosed {
                invite,
                by: Some(entry.by),
            });
        }
    }
    for (member, _) in state.forks() {
        if !before.forks().any(|(known, _)| known == member) {
            events.push(NodeEvent::Forked { member: *member });
        }
    }
    events
}

/// What is another about a member.
fn member_events(before: &State, state: &State, admitted: &Admitted) -> Vec<NodeEvent> {
    let mut events = Vec::new();
    let member = admitted.member;
    let (old, new) = (before.role(admitted), state.role(admitted));
    if old != new {
        let by = last_deed(state, |body| match body {
            Body::Grant { member: named, .. } | Body::Demote { member: named, .. } => *named == member,
            _ => false,
        });
        events.push(NodeEvent::RoleChanged {
            member,
            role: new,
            by,
        });
    }
    match (before.ban_of(admitted), state.ban_of(admitted)) {
        (None, Some(ban)) => events.push(NodeEvent::Banned {
            member,
            by: ban.by,
            reason: ban.ban.reason.clone(),
            hide_all: ban.ban.hide_all,
        }),
        (Some(lifted), None) => {
            let lifted = short(&lifted.id);
            let by = last_deed(state, |body| match body {
                Body::Lift(ids) => ids.contains(&lifted),
                Body::Grant { member: named, .. } => *named == member,
                _ => false,
            });
            events.push(NodeEvent::Unbanned {
                member,
                by: by.unwrap_or(state.founder()),
            });
        }
        _ => {}
    }
    events
}

/// Who did the last of such deeds that had an effect.
fn last_deed(state: &State, is_such: impl Fn(&Body) -> bool) -> Option<MemberId> {
    let mut deeds = state.log().iter().rev();
    deeds
        .find(|entry| entry.denied.is_none() && is_such(&entry.body))
        .map(|entry| entry.by)
}

fn short(id: &FactId) -> ShortFactId {
    let mut short = [0; 16];
    short.copy_from_slice(&id.0[..16]);
    short
}
