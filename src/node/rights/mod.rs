//! Who may do what in a signed chat, as far as the facts and the clock tell. The facts are a signed operation log; what holds
//! is a pure function of the set of them (`crate::facts`).
//!
//! `exchange` brings the sets of all members to be the same, `moderate` changes what holds, `consequences` is what follows
//! when it has changed.

mod consequences;
mod exchange;
mod moderate;

use std::collections::BTreeMap;
use std::time::Duration;

use self::exchange::{Agreed, Agreeing};
use super::core::Core;
use super::effect::Effect;
use super::members::Members;
use super::overlay::Overlay;
use super::{NodeEvent, NodeMember, Refusal, StoredFact};
use crate::facts::{Action, Admitted, Denied, Door, DoorMode, HistoryRule, MAX_BAN_SESSIONS, Role, State};
use crate::id::{ChatId, ClientId, InviteId, MemberId};
use crate::invite::{Chain, Charter, Credential, InviteKey, Office};
use crate::wire::WelcomeStatus;

const MINUTE_MS: u64 = 60_000;

/// A public chat, as the kind of a charter or invite.
const PUBLIC: u8 = 1;

/// See the [module](self).
pub(super) struct Rights {
    chat: ChatId,
    charter: Option<Charter>,
    /// The kind of chat that our invite says, until the charter has come.
    kind_by_invite: Option<u8>,
    /// None until the charter is known.
    agreed: Option<Agreed>,
    /// How far each link and we agree.
    agreeing: BTreeMap<ClientId, Agreeing>,
    /// When links last confirmed the facts that we go by; whether that is long ago and has been told.
    vouched_at: Duration,
    is_stale: bool,
    /// Somebody who would not let us in showed a ban on us that is not among our facts.
    told_of_ban: bool,
    /// When newcomers will be confirmed, if we may.
    confirm_at: Option<Duration>,
}

impl Rights {
    pub(super) fn new(
        core: &Core,
        chat: ChatId,
        charter: Option<Charter>,
        kind_by_invite: Option<u8>,
        facts: &[StoredFact],
    ) -> Self {
        let agreed = charter.as_ref().map(|charter| Agreed::new(chat, charter, facts));
        Self {
            chat,
            charter,
            kind_by_invite,
            agreed,
            agreeing: BTreeMap::new(),
            vouched_at: core.now(),
            is_stale: false,
            told_of_ban: false,
            confirm_at: None,
        }
    }

    /// None until a welcome has brought it.
    pub(super) fn charter(&self) -> Option<&Charter> {
        self.charter.as_ref()
    }

    /// We come in by this invite from now on.
    pub(super) fn take_invite(&mut self, core: &mut Core, invite: &InviteKey) {
        self.kind_by_invite = Some(invite.kind);
        if let Some(charter) = &invite.charter {
            self.learn_charter(core, &charter.encode());
        }
    }

    /// Takes the charter from who lets us in, if we have none yet.
    pub(super) fn learn_charter(&mut self, core: &mut Core, bytes: &[u8]) {
        if self.charter.is_some() {
            return;
        }
        if let Ok(charter) = Charter::decode(bytes)
            && charter.verify(&self.chat)
        {
            self.agreed = Some(Agreed::new(self.chat, &charter, &[]));
            self.charter = Some(charter);
            core.emit(NodeEvent::CharterLearned(bytes.to_vec()));
        }
    }

    /// Whether the chat is a public one, by its charter, or by our invite until that has come.
    pub(super) fn is_public(&self) -> bool {
        let kind = self.charter.as_ref().map(|charter| charter.kind);
        kind.or(self.kind_by_invite) == Some(PUBLIC)
    }

    /// The root of the facts that we hold; zeros if there are none.
    pub(super) fn root(&self) -> [u8; 32] {
        self.agreed.as_ref().map_or([0; 32], |agreed| agreed.set.root())
    }

    /// What of the past newcomers get.
    pub(super) fn history_rule(&self) -> HistoryRule {
        self.state().map_or(HistoryRule::All, State::history_rule)
    }

    /// Whether a fact names a member.
    pub(super) fn is_named(&self, member: &MemberId) -> bool {
        self.state().is_some_and(|state| state.is_named(member))
    }

    /// What empowers a member to issue invites as a moderator, if they are one.
    pub(super) fn office_of(&self, member: &MemberId) -> Option<Office> {
        let (agreed, charter) = (self.agreed.as_ref()?, self.charter.as_ref()?);
        agreed.set.office_of(&agreed.state, charter, member)
    }

    /// Learns a session from its chain, if that verifies and its member may be here. The error is the cause of a drop.
    pub(super) fn meet(
        &self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &mut Members,
        client_id: ClientId,
        chain: &[u8],
    ) -> Result<MemberId, &'static str> {
        if let Some(member) = members.known_by(&client_id, chain) {
            return self
                .may_read(members, &member)
                .map(|()| member)
                .map_err(|_| "banned");
        }
        let chain = members.verify(core, &client_id, chain)?;
        let member = chain.credential.member();
        self.admit(core, overlay, members, &chain.credential);
        if !members.is_admitted(&member) {
            return Err("too_many_members");
        }
        if self.may_read(members, &member).is_err() {
            return Err("banned");
        }
        members.meet(core, overlay, client_id, &chain)?;
        Ok(member)
    }

    /// Notes a member by a credential that has been verified.
    pub(super) fn admit(
        &self,
        core: &mut Core,
        overlay: &Overlay,
        members: &mut Members,
        credential: &Credential,
    ) {
        let knows_all = members.knows_all(core, overlay);
        let met_ms = if knows_all {
            core.now_ms()
        } else {
            met_long_ago(core, credential)
        };
        let is_new = self.admit_at(core, members, credential, met_ms);
        let is_by_door = matches!(credential, Credential::Invited { invite, .. } if invite.slots == 0);
        if is_new && knows_all && is_by_door {
            core.cause(Effect::CameByDoor);
        }
    }

    /// Notes the author of something that was said before, by a credential that has been verified. They came by then: at no
    /// door, and not now.
    pub(super) fn admit_author(&self, core: &mut Core, members: &mut Members, credential: &Credential) {
        let met_ms = met_long_ago(core, credential);
        self.admit_at(core, members, credential, met_ms);
    }

    /// True if it is news and there is room.
    fn admit_at(&self, core: &mut Core, members: &mut Members, credential: &Credential, met_ms: u64) -> bool {
        let is_new = members.admit(credential, met_ms, |member| self.is_named(member));
        if is_new {
            core.emit(NodeEvent::Admitted {
                member: credential.member(),
                chain: credential.encode(),
            });
        }
        is_new
    }

    /// We are not let in. Who was in before goes on asking others: this one may know less than they.
    pub(super) fn refused(&self, core: &mut Core, members: &Members, why: Refusal) {
        let is_known = self.own_refusal(core, members) == Some(why);
        if !members.is_in() || why == Refusal::Banned || is_known {
            core.emit(NodeEvent::Refused(why));
        }
    }

    /// Why we may not be here any more, as far as the facts tell.
    pub(super) fn own_refusal(&self, core: &Core, members: &Members) -> Option<Refusal> {
        match self.may_read(members, &core.member()) {
            Err(Denied::Banned) => Some(Refusal::Banned),
            Err(Denied::InviteClosed) => Some(Refusal::Closed),
            _ => None,
        }
    }

    /// Everyone known but ourselves, by id.
    pub(super) fn others(&self, members: &Members) -> Vec<NodeMember> {
        let own = members.own();
        let sessions = members.sessions().filter(|(_, session)| session.is_online());
        let online: std::collections::BTreeSet<MemberId> =
            sessions.map(|(_, session)| session.member()).collect();
        members
            .iter()
            .filter(|(member, _)| **member != own)
            .map(|(id, member)| NodeMember {
                member: *id,
                nick: member.nick().to_owned(),
                role: self.role(members, member.admitted()),
                status: member.status(),
                online: online.contains(id),
                own: false,
                since_ms: member.since_ms(),
                banned: self
                    .state()
                    .is_some_and(|state| state.ban_of(member.admitted()).is_some()),
            })
            .collect()
    }

    /// Whether the member may come in by that slot as far as we know: nobody else was confirmed in it, or holds it here.
    pub(super) fn slot_is_free_for(
        &self,
        members: &Members,
        invite: &InviteId,
        slot: u16,
        member: &MemberId,
    ) -> bool {
        self.slot_holder(members, invite, slot)
            .is_none_or(|holder| holder == *member)
    }

    /// Whose slot it is: the confirmed one's, else of those who claim it the one's of the smallest hash.
    fn slot_holder(&self, members: &Members, invite: &InviteId, slot: u16) -> Option<MemberId> {
        let confirmed = self.state().and_then(|state| state.confirmed(invite, slot));
        confirmed.or_else(|| members.claimant(invite, slot))
    }

    /// "Who loses a slot … may only read."
    pub(super) fn has_lost_slot(&self, members: &Members, admitted: &Admitted) -> bool {
        let Some((invite, Some(slot))) = admitted.by else {
            return false;
        };
        !self.is_named(&admitted.member)
            && self
                .slot_holder(members, &invite, slot)
                .is_some_and(|holder| holder != admitted.member)
    }

    pub(super) fn state(&self) -> Option<&State> {
        self.agreed.as_ref().map(|agreed| &agreed.state)
    }

    /// How strangers come in.
    pub(super) fn door(&self) -> Door {
        self.state().map_or(Door::OPEN, State::door)
    }

    /// Whether a member may do something now.
    pub(super) fn may(
        &self,
        members: &Members,
        member: &MemberId,
        action: Action,
        unix_ms: u64,
    ) -> Result<(), Denied> {
        let Some(admitted) = members.member(member).map(|known| *known.admitted()) else {
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
        if is_speaking
            && (self.has_lost_slot(members, &admitted) || self.minutes_to_read(members, member, unix_ms) > 0)
        {
            return Err(Denied::ReadsOnly);
        }
        Ok(())
    }

    /// Whether a member may be here at all.
    pub(super) fn may_read(&self, members: &Members, member: &MemberId) -> Result<(), Denied> {
        self.may(members, member, Action::Read, 0)
    }

    /// Whether somebody who shows this may come in, as far as the facts tell.
    pub(super) fn turned_away(&self, members: &Members, credential: &Credential) -> Option<WelcomeStatus> {
        let state = self.state()?;
        let admitted = Admitted::of(credential);
        match state.may(&admitted, Action::Read) {
            Err(Denied::Banned) => return Some(WelcomeStatus::Banned),
            Err(_) => return Some(WelcomeStatus::Closed),
            Ok(()) => {}
        }
        let (_, slot) = admitted.by?;
        let is_known = members.is_admitted(&admitted.member);
        if !is_known && state.is_over_for(&admitted) && !state.is_named(&admitted.member) {
            return Some(WelcomeStatus::Closed);
        }
        if slot.is_none() && !is_known && state.door().mode == DoorMode::Closed {
            return Some(WelcomeStatus::Closed);
        }
        None
    }

    /// What a member is now.
    pub(super) fn role_of(&self, members: &Members, member: &MemberId) -> Option<Role> {
        Some(self.role(members, members.member(member)?.admitted()))
    }

    /// What we are.
    pub(super) fn own_role(&self, members: &Members) -> Role {
        self.role(members, &Admitted::of(&members.chain().credential))
    }

    /// What somebody is. Who has lost their slot to another only reads.
    pub(super) fn role(&self, members: &Members, admitted: &Admitted) -> Role {
        let role = self
            .state()
            .map_or_else(|| role_by(admitted), |state| state.role(admitted));
        match role {
            Role::Member if self.has_lost_slot(members, admitted) => Role::Observer,
            role => role,
        }
    }

    /// For how many minutes more a member only reads. Of those met at an earlier start it is taken to be over.
    pub(super) fn minutes_to_read(&self, members: &Members, member: &MemberId, unix_ms: u64) -> u64 {
        let (Some(known), Some(state)) = (members.member(member), self.state()) else {
            return 0;
        };
        let minutes = u64::from(state.minutes_to_read(known.admitted()));
        let met_ms = match *member == members.own() {
            true => known.since_ms(),
            false => known.met_ms(),
        };
        let over = met_ms.saturating_add(minutes * MINUTE_MS);
        over.saturating_sub(unix_ms).div_ceil(MINUTE_MS).min(minutes)
    }

    /// Whether what was said in a session under a number is to be shown.
    pub(super) fn shows(&self, members: &Members, client_id: &ClientId, number: u32) -> bool {
        let Some(session) = members.session(client_id) else {
            return false;
        };
        let after_fork = session.forked_at().is_some_and(|at| number > at);
        let hidden = match (self.state(), members.member(&session.member())) {
            (Some(state), Some(known)) => !state.shows(known.admitted(), client_id, number),
            _ => false,
        };
        !after_fork && !hidden
    }

    /// Who came by a slot and was not confirmed in it, by invite and slot. Of several the one whose it is.
    fn unconfirmed(&self, members: &Members) -> Vec<(InviteId, u16, MemberId)> {
        let Some(state) = self.state() else {
            return Vec::new();
        };
        members
            .slots()
            .filter(|((invite, slot), member)| {
                state.confirmed(invite, *slot).is_none()
                    && members
                        .member(member)
                        .is_some_and(|known| !state.is_over_for(known.admitted()))
                    && self.may_read(members, member).is_ok()
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
    fn last_words(members: &Members, member: &MemberId) -> Vec<([u8; 8], u32)> {
        let mut sessions: Vec<_> = members
            .sessions()
            .filter(|(_, session)| session.member() == *member && session.last_number() > 0)
            .collect();
        sessions.sort_by_key(|(_, session)| std::cmp::Reverse(session.start_ms()));
        sessions
            .into_iter()
            .take(MAX_BAN_SESSIONS)
            .map(|(client_id, session)| {
                let mut tag = [0; 8];
                tag.copy_from_slice(&client_id.0[..8]);
                (tag, session.last_number())
            })
            .collect()
    }

    /// A link stands: how far it and we agree is not known.
    pub(super) fn link_up(&mut self, client_id: ClientId) {
        self.agreeing.insert(client_id, Agreeing::default());
    }

    pub(super) fn link_down(&mut self, client_id: &ClientId) {
        self.agreeing.remove(client_id);
    }
}

/// When somebody who was here before us may be taken as met.
fn met_long_ago(core: &Core, credential: &Credential) -> u64 {
    match credential {
        Credential::Invited { admission, .. } => admission.at_ms.min(core.now_ms()),
        Credential::Founder(_) => core.now_ms(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Moderation;
    use crate::node::testing::{Chat, Machines, events};

    fn moderate(own: &mut Machines, deed: Moderation) {
        own.rights
            .moderate(&mut own.core, &mut own.overlay, &mut own.members, deed);
    }

    fn ban(member: MemberId) -> Moderation {
        Moderation::Ban {
            member,
            reason: String::new(),
            with_invite: false,
            hide_all: false,
        }
    }

    #[test]
    fn whom_the_founder_bans_may_not_be_here_and_whom_a_member_bans_may() {
        let mut chat = Chat::new();
        let (mut founder, mut member, victim) = (chat.founder(), chat.member(2), chat.member(3));
        for own in [&mut founder, &mut member] {
            own.meet(&victim).expect("a good chain");
            moderate(own, ban(victim.core.member()));
        }
        let banned = victim.core.member();
        assert_eq!(
            founder.rights.may_read(&founder.members, &banned),
            Err(Denied::Banned)
        );
        assert_eq!(member.rights.may_read(&member.members, &banned), Ok(()));
        assert_ne!(founder.rights.root(), member.rights.root());
        assert_eq!(founder.meet(&victim), Err("banned"), "nor come in again");
        moderate(&mut founder, Moderation::Unban(banned));
        assert_eq!(founder.meet(&victim), Ok(banned));
    }

    #[test]
    fn a_link_to_somebody_banned_ends_a_little_later() {
        let mut chat = Chat::new();
        let (mut founder, victim) = (chat.founder(), chat.member(2));
        founder.meet(&victim).expect("a good chain");
        founder.link(&victim);
        moderate(&mut founder, ban(victim.core.member()));
        let Machines {
            core,
            overlay,
            members,
            rights,
        } = &mut founder;
        assert!(
            rights.banned_links(core, overlay, members).is_empty(),
            "they are to hear why"
        );
        crate::node::testing::pass(core, Duration::from_secs(2));
        assert_eq!(
            rights.banned_links(core, overlay, members),
            [victim.core.client_id()]
        );
        assert!(
            events(core)
                .iter()
                .any(|event| matches!(event, NodeEvent::Banned { .. }))
        );
    }
}
