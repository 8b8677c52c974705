//! Who is there: sessions heard of, over, or reported as gone; the names and statuses that members give themselves.

use std::time::Duration;

use super::roster::ROSTER_ANSWER;
use super::signed::{Member, Signed};
use super::{Kind, Node, NodeEvent};
use crate::id::{ClientId, MemberId};
use crate::wire::{Body, Say};

/// Reporters remembered for a session: two are enough.
const MAX_REPORTERS: usize = 4;

/// Members whose word ends a session for those who have no link to it. (The document.)
const ENOUGH_REPORTERS: usize = 2;

/// In a chat so small, everyone is linked to everyone: one report is enough.
const FEW: usize = 3;

/// Somebody whose name has not come is shown without one after so long. A guess: the roster is asked for at once.
const NAME_WITHIN: Duration = Duration::from_secs(2);

/// We deny being gone at most so often. A guess.
const DENY_EVERY: Duration = Duration::from_secs(5);

/// Whether others have been told that a member is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Gone,
    /// There, to be told when the name has come, or at that time.
    Unnamed(Duration),
    Told,
}

impl Node {
    /// Who speaks is there, and is told of before the words are.
    pub(super) fn speaks(&mut self, client_id: &ClientId) {
        self.session_heard(client_id);
        let Kind::Signed(signed) = &self.kind else { return };
        if let Some(member) = signed.member_of(client_id) {
            self.tell_presence(&member, true);
        }
    }

    /// A session was heard of by its own words, or directly: it stands. Older sessions of its member are over.
    pub(super) fn session_heard(&mut self, client_id: &ClientId) {
        if *client_id == self.client_id {
            return;
        }
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let Some(session) = signed.sessions.get_mut(client_id) else {
            return;
        };
        if session.has_quit {
            return;
        }
        session.reporters.clear();
        session.heard_at = self.now.elapsed;
        let (member, start_ms) = (session.member, session.start_ms);
        if session.online {
            return;
        }
        let is_superseded = signed
            .sessions
            .values()
            .any(|other| other.member == member && other.online && other.start_ms > start_ms);
        if is_superseded {
            return;
        }
        for (other, session) in &mut signed.sessions {
            if session.member == member {
                session.online = other == client_id;
                session.stands_since = self.now.elapsed;
            }
        }
        let mut was = 0;
        if let Some(known) = signed.members.get_mut(&member) {
            if known.presence == Presence::Gone {
                known.presence = Presence::Unnamed(self.now.elapsed + NAME_WITHIN);
                signed.unnamed.insert(member);
            }
            // A session begins online: what an earlier one said, or says late, is over.
            if known.status_at.0 < start_ms {
                known.status_at = (start_ms, 0);
                was = std::mem::take(&mut known.status);
            }
        }
        if was != 0 && self.is_told(&member) {
            self.emit(NodeEvent::StatusChanged { member, status: 0 });
        }
        self.tell_presence(&member, false);
        self.choose_links_soon();
    }

    /// Tells that a member is there: once their name is known, or if it is `urgent`, without.
    fn tell_presence(&mut self, member: &MemberId, urgent: bool) {
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let Some(known) = signed.members.get_mut(member) else {
            return;
        };
        let is_waiting = matches!(known.presence, Presence::Unnamed(_));
        if is_waiting && (urgent || !known.nick.is_empty()) {
            known.presence = Presence::Told;
            let event = NodeEvent::MemberJoined {
                member: *member,
                nick: known.nick.clone(),
                status: known.status,
            };
            self.emit(event);
        }
    }

    /// Tells of members whose names have not come in time.
    pub(super) fn tell_unnamed(&mut self) {
        let now = self.now.elapsed;
        let Kind::Signed(signed) = &self.kind else { return };
        let is_late = |member: &Member| matches!(member.presence, Presence::Unnamed(at) if at <= now);
        let late = signed.unnamed.iter().copied();
        let late: Vec<MemberId> = late
            .filter(|id| signed.members.get(id).is_some_and(is_late))
            .collect();
        for member in late {
            self.tell_presence(&member, true);
        }
        if let Kind::Signed(signed) = &mut self.kind {
            let Signed { unnamed, members, .. } = &mut **signed;
            let is_unnamed = |member: &Member| matches!(member.presence, Presence::Unnamed(_));
            unnamed.retain(|id| members.get(id).is_some_and(is_unnamed));
        }
    }

    /// A link tells who is there, with words that came before: if we alone lost a session to silence, and its denial got
    /// lost as well, this brings it back. (What counts as seen was verified.)
    pub(super) fn is_told_to_stand(&mut self, say: &Say) {
        let client_id = say.signed.client_id;
        let Kind::Signed(signed) = &self.kind else { return };
        let reporters = signed.reporters_of(&client_id);
        // Some take longer than others to notice that somebody is gone.
        if say.hops == ROSTER_ANSWER && !signed.is_session_online(&client_id) && reporters < ENOUGH_REPORTERS
        {
            self.session_heard(&client_id);
        }
    }

    /// A session is over. True if that is news.
    pub(super) fn session_ended(&mut self, client_id: &ClientId, quit: bool) -> bool {
        let Kind::Signed(signed) = &mut self.kind else {
            return false;
        };
        let Some(session) = signed.sessions.get_mut(client_id) else {
            return false;
        };
        if session.has_quit || *client_id == self.client_id {
            return false;
        }
        session.has_quit = quit;
        if !std::mem::replace(&mut session.online, false) {
            return quit;
        }
        let member = session.member;
        let is_over = !signed.is_online(&member);
        if is_over && let Some(known) = signed.members.get_mut(&member) {
            let was = std::mem::replace(&mut known.presence, Presence::Gone);
            if was == Presence::Told {
                self.emit(NodeEvent::MemberLeft { member, quit });
            }
        }
        if quit {
            self.peers.remove(client_id);
            self.end_link(client_id, false);
        }
        true
    }

    /// A link of ours fell silent: it is gone for us, and the others are told, unless enough of its links have told them
    /// already.
    pub(super) fn report_gone(&mut self, client_id: ClientId) {
        let Kind::Signed(signed) = &self.kind else { return };
        let reporters = signed.reporters_of(&client_id);
        if self.session_ended(&client_id, false) && reporters < ENOUGH_REPORTERS {
            self.tell_signed(Body::Gone(client_id), false);
        }
    }

    /// Somebody reports a session as gone. Two different members must, in all but the smallest chats; the subject
    /// denies it by any word of its own.
    pub(super) fn take_report(&mut self, reporter: &ClientId, gone: ClientId) {
        let now = self.now.elapsed;
        if gone == self.client_id {
            let Kind::Signed(signed) = &mut self.kind else {
                return;
            };
            // What was denied lately is denied again a little later: not all may have heard the two in that order.
            let at = signed.denied_at.map_or(now, |at| (at + DENY_EVERY).max(now));
            signed.deny_at.get_or_insert(at);
            return self.deny_being_gone();
        }
        let Kind::Signed(signed) = &self.kind else { return };
        if let Some(reporter) = signed.member_of(reporter) {
            self.take_report_of(reporter, gone);
        }
    }

    /// The part of [`Self::take_report`] that is about somebody else.
    pub(super) fn take_report_of(&mut self, reporter: MemberId, gone: ClientId) {
        let is_linked = self.links.contains_key(&gone);
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let few = !signed.has_more_online_than(FEW);
        let Some(session) = signed.sessions.get_mut(&gone) else {
            return;
        };
        if session.reporters.len() < MAX_REPORTERS {
            session.reporters.insert(reporter);
        }
        // Of a link we shall know for ourselves.
        if !is_linked && (few || session.reporters.len() >= ENOUGH_REPORTERS) {
            self.session_ended(&gone, false);
        }
    }

    /// Says a word, if that is due, by which all know that we are there.
    pub(super) fn deny_being_gone(&mut self) {
        let now = self.now.elapsed;
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        if signed.deny_at.is_some_and(|at| at <= now) {
            signed.deny_at = None;
            signed.denied_at = Some(now);
            self.tell_signed(Body::Ping, false);
        }
    }

    /// A nick, by the last writer.
    pub(super) fn take_nick(&mut self, say: &Say, nick: String) {
        self.keep_for_roster(say);
        let Some((member, at, known)) = self.author(say) else {
            return;
        };
        if at <= known.nick_at {
            return;
        }
        known.nick_at = at;
        let changed = std::mem::replace(&mut known.nick, nick.clone()) != nick;
        if changed && self.is_told(&member) {
            self.emit(NodeEvent::NickChanged { member, nick });
        }
        self.tell_presence(&member, false);
    }

    /// A status, by the last writer.
    pub(super) fn take_status(&mut self, say: &Say, status: u8) {
        self.keep_for_roster(say);
        let Some((member, at, known)) = self.author(say) else {
            return;
        };
        if at <= known.status_at {
            return;
        }
        known.status_at = at;
        let changed = std::mem::replace(&mut known.status, status) != status;
        if changed && self.is_told(&member) {
            self.emit(NodeEvent::StatusChanged { member, status });
        }
    }

    /// Who said something, what is known of them, and what decides which writer is the last: the start of the session
    /// and the number.
    fn author(&mut self, say: &Say) -> Option<(MemberId, (u64, u32), &mut Member)> {
        let Kind::Signed(signed) = &mut self.kind else {
            return None;
        };
        let session = signed.sessions.get(&say.signed.client_id)?;
        let (member, at) = (session.member, (session.start_ms, say.signed.number));
        Some((member, at, signed.members.get_mut(&member)?))
    }

    fn is_told(&self, member: &MemberId) -> bool {
        let Kind::Signed(signed) = &self.kind else {
            return false;
        };
        signed
            .members
            .get(member)
            .is_some_and(|known| known.presence == Presence::Told)
    }
}
