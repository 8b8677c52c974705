//! What follows when the facts have changed: it is told, and who may not be here any more is sent away.

use std::time::Duration;

use super::Rights;
use super::moderate::short;
use crate::facts::{Admitted, Body, Fact, State};
use crate::id::{ClientId, MemberId};
use crate::node::NodeEvent;
use crate::node::core::Core;
use crate::node::members::Members;
use crate::node::overlay::Overlay;

/// The link to somebody who may not be here any more ends after so long: they are to hear why. A guess: the slowest
/// datagram.
const END_AFTER: Duration = Duration::from_secs(1);

impl Rights {
    /// Facts have come, before which that held.
    pub(super) fn state_changed(
        &self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &mut Members,
        before: &State,
    ) {
        let Some(state) = self.state() else { return };
        let mut events = chat_events(before, state);
        for (_, member) in members.iter() {
            events.extend(member_events(before, state, member.admitted()));
        }
        let gone = members
            .sessions()
            .filter(|(_, session)| session.is_online() && self.may_read(members, &session.member()).is_err());
        let gone: Vec<ClientId> = gone.map(|(client_id, _)| *client_id).collect();
        for event in events {
            core.emit(event);
        }
        for client_id in gone {
            members.session_ended(core, overlay, &client_id, false);
            overlay.forget_peer(&client_id);
        }
        if let Some(why) = self.own_refusal(core, members) {
            self.refused(core, members, why);
        }
        core.wake_soon();
    }

    /// Which links end now, because their members may not be here any more: a little after that is found.
    pub(in crate::node) fn banned_links(
        &mut self,
        core: &Core,
        overlay: &Overlay,
        members: &Members,
    ) -> Vec<ClientId> {
        let now = core.now();
        let mut ending = Vec::new();
        for (client_id, link) in overlay.links() {
            let may_stay = self.may_read(members, &link.member()).is_ok();
            let Some(agreeing) = self.agreeing.get_mut(client_id) else {
                continue;
            };
            agreeing.ends_at = (!may_stay).then(|| agreeing.ends_at.unwrap_or(now + END_AFTER));
            if agreeing.ends_at.is_some_and(|at| at <= now) {
                ending.push(*client_id);
            }
        }
        ending
    }

    /// A member who would not let us in showed the ban. It is believed if its issuer is known to keep order here; in
    /// the chat's facts it comes only when we are let in again.
    pub(in crate::node) fn told_of_ban(&mut self, core: &mut Core, members: &Members, bytes: &[u8]) {
        let own = core.member();
        let (Ok(fact), Some(state)) = (Fact::decode(bytes), self.state()) else {
            return;
        };
        let Body::Ban(ban) = &fact.body else { return };
        let own_invite = members
            .member(&own)
            .and_then(|own| own.admitted().by)
            .map(|(invite, _)| invite);
        let is_about_us = ban.member == own || own_invite.is_some() && ban.with_invite == own_invite;
        let keeps_order = fact.issuer == state.founder() || state.moderators().contains(&fact.issuer);
        let is_known = self.may_read(members, &own).is_err() || self.told_of_ban;
        if is_known || !is_about_us || !keeps_order || !fact.verify(&self.chat) {
            return;
        }
        self.told_of_ban = true;
        core.emit(NodeEvent::Banned {
            member: own,
            by: fact.issuer,
            reason: ban.reason.clone(),
            hide_all: false,
        });
    }

    /// We are let in: a ban that we were only told of holds no more.
    pub(in crate::node) fn let_in_again(&mut self, core: &mut Core, members: &Members) {
        let member = core.member();
        if std::mem::take(&mut self.told_of_ban) && self.may_read(members, &member).is_ok() {
            let by = self.state().map_or(member, State::founder);
            core.emit(NodeEvent::Unbanned { member, by });
        }
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
