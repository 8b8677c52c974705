//! Who is there: sessions heard of, over, or reported as gone; the names and statuses that members give themselves.

use std::time::Duration;

use super::roster::ROSTER_ANSWER;
use super::{Member, Members};
use crate::id::{ClientId, MemberId};
use crate::node::NodeEvent;
use crate::node::core::Core;
use crate::node::overlay::Overlay;
use crate::wire::Say;

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

/// What a report that a session is gone asks of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::node) enum Report {
    /// Nothing more.
    Noted,
    /// It is about us: to be denied, if [`Members::take_denial`] says so.
    AboutUs,
}

impl Members {
    /// Who speaks is there, and is told of before the words are.
    pub(in crate::node) fn speaks(&mut self, core: &mut Core, client_id: &ClientId) {
        self.session_heard(core, client_id);
        if let Some(member) = self.member_of(client_id) {
            self.tell_presence(core, &member, true);
        }
    }

    /// A session was heard of by its own words, or directly: it stands. Older sessions of its member are over.
    pub(in crate::node) fn session_heard(&mut self, core: &mut Core, client_id: &ClientId) {
        if *client_id == core.client_id() {
            return;
        }
        let now = core.now();
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        if session.has_quit {
            return;
        }
        session.reporters.clear();
        session.heard_at = now;
        let (member, start_ms) = (session.member, session.start_ms);
        if session.online {
            return;
        }
        let is_superseded = self
            .sessions
            .values()
            .any(|other| other.member == member && other.online && other.start_ms > start_ms);
        if is_superseded {
            return;
        }
        for (other, session) in &mut self.sessions {
            if session.member == member {
                session.online = other == client_id;
                session.stands_since = now;
            }
        }
        let mut was = 0;
        if let Some(known) = self.members.get_mut(&member) {
            if known.presence == Presence::Gone {
                known.presence = Presence::Unnamed(now + NAME_WITHIN);
                self.unnamed.insert(member);
            }
            // A session begins online: what an earlier one said, or says late, is over.
            if known.status_at.0 < start_ms {
                known.status_at = (start_ms, 0);
                was = std::mem::take(&mut known.status);
            }
        }
        if was != 0 && self.is_told(&member) {
            core.emit(NodeEvent::StatusChanged { member, status: 0 });
        }
        self.tell_presence(core, &member, false);
        core.wake_soon();
    }

    /// Tells that a member is there: once their name is known, or if it is `urgent`, without.
    fn tell_presence(&mut self, core: &mut Core, member: &MemberId, urgent: bool) {
        let Some(known) = self.members.get_mut(member) else {
            return;
        };
        let is_waiting = matches!(known.presence, Presence::Unnamed(_));
        if is_waiting && (urgent || !known.nick.is_empty()) {
            known.presence = Presence::Told;
            core.emit(NodeEvent::MemberJoined {
                member: *member,
                nick: known.nick.clone(),
                status: known.status,
            });
        }
    }

    /// Tells of members whose names have not come in time.
    pub(in crate::node) fn tell_unnamed(&mut self, core: &mut Core) {
        let now = core.now();
        let is_late = |member: &Member| matches!(member.presence, Presence::Unnamed(at) if at <= now);
        let late = self.unnamed.iter().copied();
        let late: Vec<MemberId> = late
            .filter(|id| self.members.get(id).is_some_and(is_late))
            .collect();
        for member in late {
            self.tell_presence(core, &member, true);
        }
        let Self { unnamed, members, .. } = self;
        let is_unnamed = |member: &Member| matches!(member.presence, Presence::Unnamed(_));
        unnamed.retain(|id| members.get(id).is_some_and(is_unnamed));
    }

    /// A link tells who is there, with words that came before: if we alone lost a session to silence, and its denial got
    /// lost as well, this brings it back. (What counts as seen was verified.)
    pub(in crate::node) fn is_told_to_stand(&mut self, core: &mut Core, say: &Say) {
        let client_id = say.signed.client_id;
        let reporters = self.reporters_of(&client_id);
        // Some take longer than others to notice that somebody is gone.
        if say.hops == ROSTER_ANSWER && !self.is_session_online(&client_id) && reporters < ENOUGH_REPORTERS {
            self.session_heard(core, &client_id);
        }
    }

    /// A session is over. True if that is news.
    pub(in crate::node) fn session_ended(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        client_id: &ClientId,
        quit: bool,
    ) -> bool {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return false;
        };
        if session.has_quit || *client_id == core.client_id() {
            return false;
        }
        session.has_quit = quit;
        if !std::mem::replace(&mut session.online, false) {
            return quit;
        }
        let member = session.member;
        let is_over = !self.is_online(&member);
        if is_over && let Some(known) = self.members.get_mut(&member) {
            let was = std::mem::replace(&mut known.presence, Presence::Gone);
            if was == Presence::Told {
                core.emit(NodeEvent::MemberLeft { member, quit });
            }
        }
        if quit {
            overlay.forget_peer(client_id);
            overlay.end_link(core, client_id, false);
        }
        true
    }

    /// A link of ours fell silent: it is gone for us. Whether the others are to be told: not if enough of its links have told
    /// them already.
    pub(in crate::node) fn link_lost(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        client_id: &ClientId,
    ) -> bool {
        let reporters = self.reporters_of(client_id);
        self.session_ended(core, overlay, client_id, false) && reporters < ENOUGH_REPORTERS
    }

    /// A session reports another as gone. Two different members must, in all but the smallest chats; the subject
    /// denies it by any word of its own.
    pub(in crate::node) fn take_report(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        reporter: &ClientId,
        gone: ClientId,
    ) -> Report {
        if gone == core.client_id() {
            let now = core.now();
            // What was denied lately is denied again a little later: not all may have heard the two in that order.
            let at = self.denied_at.map_or(now, |at| (at + DENY_EVERY).max(now));
            self.deny_at.get_or_insert(at);
            return Report::AboutUs;
        }
        if let Some(reporter) = self.member_of(reporter) {
            self.take_report_of(core, overlay, reporter, gone);
        }
        Report::Noted
    }

    /// The part of [`Self::take_report`] that is about somebody else.
    pub(super) fn take_report_of(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        reporter: MemberId,
        gone: ClientId,
    ) {
        let is_linked = overlay.is_linked(&gone);
        let few = !self.has_more_online_than(FEW);
        let Some(session) = self.sessions.get_mut(&gone) else {
            return;
        };
        if session.reporters.len() < MAX_REPORTERS {
            session.reporters.insert(reporter);
        }
        // Of a link we shall know for ourselves.
        if !is_linked && (few || session.reporters.len() >= ENOUGH_REPORTERS) {
            self.session_ended(core, overlay, &gone, false);
        }
    }

    /// Whether to say a word now by which all know that we are there. It is taken as said.
    pub(in crate::node) fn take_denial(&mut self, now: Duration) -> bool {
        let is_due = self.deny_at.is_some_and(|at| at <= now);
        if is_due {
            self.deny_at = None;
            self.denied_at = Some(now);
        }
        is_due
    }

    /// A nick, by the last writer.
    pub(in crate::node) fn take_nick(&mut self, core: &mut Core, say: &Say, nick: String) {
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
            core.emit(NodeEvent::NickChanged { member, nick });
        }
        self.tell_presence(core, &member, false);
    }

    /// A status, by the last writer.
    pub(in crate::node) fn take_status(&mut self, core: &mut Core, say: &Say, status: u8) {
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
            core.emit(NodeEvent::StatusChanged { member, status });
        }
    }

    /// Who said something, what is known of them, and what decides which writer is the last: the start of the session
    /// and the number.
    fn author(&mut self, say: &Say) -> Option<(MemberId, (u64, u32), &mut Member)> {
        let session = self.sessions.get(&say.signed.client_id)?;
        let (member, at) = (session.member, (session.start_ms, say.signed.number));
        Some((member, at, self.members.get_mut(&member)?))
    }

    fn is_told(&self, member: &MemberId) -> bool {
        let known = self.members.get(member);
        known.is_some_and(|known| known.presence == Presence::Told)
    }
}
