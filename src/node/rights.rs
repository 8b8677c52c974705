//! Who may do what in a signed chat, as far as the facts and the clock tell.

use super::signed::Signed;
use crate::facts::{Action, Admitted, Denied, Door, DoorMode, MAX_BAN_SESSIONS, Role, State};
use crate::id::{ClientId, InviteId, MemberId};
use crate::invite::{Chain, Credential};
use crate::wire::WelcomeStatus;

const MINUTE_MS: u64 = 60_000;

impl Signed {
    pub(super) fn state(&self) -> Option<&State> {
        self.agreed.as_ref().map(|agreed| &agreed.state)
    }

    /// How strangers come in.
    pub(super) fn door(&self) -> Door {
        self.state().map_or(Door::OPEN, State::door)
    }

    /// What the credential of a member says.
    pub(super) fn admitted(&self, member: &MemberId) -> Option<Admitted> {
        Some(self.members.get(member)?.admitted)
    }

    /// Whether a member may do something now.
    pub(super) fn may(&self, member: &MemberId, action: Action, unix_ms: u64) -> Result<(), Denied> {
        let Some(admitted) = self.admitted(member) else {
            return Err(Denied::ReadsOnly);
        };
        let Some(state) = self.state() else {
            // Nothing is known of the chat but what admits its members.
            return match role_by(&admitted) {
                Role::Observer if action != Action::Read => Err(Denied::ReadsOnly),
                _ => Ok(()),
            };
        };
        state.may(&admitted, action)?;
        if action == Action::Read {
            return Ok(());
        }
        let is_speaking = matches!(action, Action::Speak | Action::SetTopic);
        if is_speaking && (self.has_lost_slot(&admitted) || self.minutes_to_read(member, unix_ms) > 0) {
            return Err(Denied::ReadsOnly);
        }
        Ok(())
    }

    /// Whether a member may be here at all.
    pub(super) fn may_read(&self, member: &MemberId) -> Result<(), Denied> {
        self.may(member, Action::Read, 0)
    }

    /// Whether somebody who shows this may come in, as far as the facts tell.
    pub(super) fn turned_away(&self, credential: &Credential) -> Option<WelcomeStatus> {
        let state = self.state()?;
        let admitted = Admitted::of(credential);
        match state.may(&admitted, Action::Read) {
            Err(Denied::Banned) => return Some(WelcomeStatus::Banned),
            Err(_) => return Some(WelcomeStatus::Closed),
            Ok(()) => {}
        }
        let (_, slot) = admitted.by?;
        let is_known = self.is_admitted(&admitted.member);
        if !is_known && state.is_over_for(&admitted) && !state.is_named(&admitted.member) {
            return Some(WelcomeStatus::Closed);
        }
        if slot.is_none() && !is_known && state.door().mode == DoorMode::Closed {
            return Some(WelcomeStatus::Closed);
        }
        None
    }

    /// What a member is now.
    pub(super) fn role_of(&self, member: &MemberId) -> Option<Role> {
        Some(self.role(&self.admitted(member)?))
    }

    /// What we are.
    pub(super) fn own_role(&self) -> Role {
        self.role(&Admitted::of(&self.chain.credential))
    }

    /// What somebody is. Who has lost their slot to another only reads.
    pub(super) fn role(&self, admitted: &Admitted) -> Role {
        let role = self
            .state()
            .map_or_else(|| role_by(admitted), |state| state.role(admitted));
        match role {
            Role::Member if self.has_lost_slot(admitted) => Role::Observer,
            role => role,
        }
    }

    /// For how many minutes more a member only reads. Of those met at an earlier start it is taken to be over.
    pub(super) fn minutes_to_read(&self, member: &MemberId, unix_ms: u64) -> u64 {
        let (Some(known), Some(state)) = (self.members.get(member), self.state()) else {
            return 0;
        };
        let minutes = u64::from(state.minutes_to_read(&known.admitted));
        let met_ms = match *member == self.member() {
            true => known.since_ms,
            false => known.met_ms,
        };
        let over = met_ms.saturating_add(minutes * MINUTE_MS);
        over.saturating_sub(unix_ms).div_ceil(MINUTE_MS).min(minutes)
    }

    /// Whether what was said in a session under a number is to be shown.
    pub(super) fn shows(&self, client_id: &ClientId, number: u32) -> bool {
        let Some(session) = self.sessions.get(client_id) else {
            return false;
        };
        let after_fork = session.forked_at.is_some_and(|at| number > at);
        let hidden = match (self.state(), self.admitted(&session.member)) {
            (Some(state), Some(admitted)) => !state.shows(&admitted, client_id, number),
            _ => false,
        };
        !after_fork && !hidden
    }

    /// Who came by a slot and was not confirmed in it, by invite and slot. Of several the one whose it is.
    pub(super) fn unconfirmed(&self) -> Vec<(InviteId, u16, MemberId)> {
        let Some(state) = self.state() else {
            return Vec::new();
        };
        self.slots()
            .filter(|((invite, slot), member)| {
                state.confirmed(invite, *slot).is_none()
                    && self
                        .admitted(member)
                        .is_some_and(|admitted| !state.is_over_for(&admitted))
                    && self.may_read(member).is_ok()
            })
            .map(|((invite, slot), member)| (*invite, *slot, member))
            .collect()
    }

    /// The ban that keeps out whoever shows this chain, to be shown to them.
    pub(super) fn ban_to_show(&self, chain: &[u8]) -> Vec<u8> {
        let shown = || {
            let agreed = self.agreed.as_ref()?;
            let credential = Chain::decode(chain).ok()?.credential;
            let ban = agreed.state.ban_of(&Admitted::of(&credential))?;
            let held = agreed.set.iter().find(|held| held.id == ban.id)?;
            Some(held.fact.encode())
        };
        shown().unwrap_or_default()
    }

    /// How far the words of a member have come: of their newest sessions the first 8 bytes and the last number.
    pub(super) fn last_words(&self, member: &MemberId) -> Vec<([u8; 8], u32)> {
        let mut sessions: Vec<_> = self
            .sessions()
            .filter(|(_, session)| session.member == *member && session.last_number > 0)
            .collect();
        sessions.sort_by_key(|(_, session)| std::cmp::Reverse(session.start_ms));
        sessions
            .into_iter()
            .take(MAX_BAN_SESSIONS)
            .map(|(client_id, session)| {
                let mut tag = [0; 8];
                tag.copy_from_slice(&client_id.0[..8]);
                (tag, session.last_number)
            })
            .collect()
    }
}

/// What a credential alone makes of somebody.
fn role_by(admitted: &Admitted) -> Role {
    match (admitted.by, admitted.rights) {
        (None, _) => Role::Founder,
        (Some(_), crate::invite::Rights::Member) => Role::Member,
        (Some(_), crate::invite::Rights::Observer) => Role::Observer,
    }
}
