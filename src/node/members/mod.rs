//! Who is in the chat: members, their sessions and their slots, and we among them. A chain leads from the chat's key to every
//! session; what it says of a member holds for good, what it says of a session as long as the session is heard of.
//!
//! `presence` is who of them is there, `roster` tells a link who is there.

mod presence;
mod roster;
mod session;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) use self::presence::Report;
pub(super) use self::roster::ROSTER_ANSWER;
pub(super) use self::session::Session;

use self::presence::Presence;
use self::roster::Asking;
use super::NodeEvent;
use super::core::Core;
use super::effect::Effect;
use super::overlay::{Overlay, Ring};
use crate::crypto::{self, Signature, SigningKey};
use crate::facts::Admitted;
use crate::id::{ChatId, ClientId, InviteId, MemberId};
use crate::invite::{Chain, Credential, SessionCertificate};
use crate::wire::{Body, Say};

/// "A session certificate over 48 h old proves no presence"; nor does one as far in the future.
pub const SESSION_VALID_MS: u64 = 48 * 3_600_000;

/// A session is made anew after a day, long before its certificate proves nothing any more.
const SESSION_LASTS_MS: u64 = 24 * 3_600_000;

/// Sessions known at a time, some 900 bytes each. A guess.
const MAX_SESSIONS: usize = 2_048;

/// Sessions known of one member. A guess: each start makes one.
const MAX_SESSIONS_OF_ONE: usize = 4;

/// Members known at a time, some 500 bytes each. A guess.
const MAX_MEMBERS: usize = 8_192;

/// So many are forgotten at a time when there is no room for one more: to find one takes as long. A guess.
const FORGOTTEN_AT_ONCE: usize = MAX_MEMBERS / 8;

/// So long after a roster what belongs to it may still come. A guess: the slowest links' jitter.
const OVERTAKEN_WITHIN: Duration = Duration::from_secs(2);

/// See the [module](self).
pub(super) struct Members {
    chat: ChatId,
    member_key: SigningKey,
    /// Leads from the chat to our session.
    chain: Chain,
    /// Whether we were ever let in.
    is_in: bool,
    sessions: BTreeMap<ClientId, Session>,
    members: BTreeMap<MemberId, Member>,
    /// How often a member has been met, or a new session of one.
    meetings: u64,
    /// Those of them who are there, but not told of yet: their names may come.
    unnamed: BTreeSet<MemberId>,
    /// Of those who claim a slot, as far as we know, the one of the smallest hash of the admission, with that.
    slots: BTreeMap<(InviteId, u16), ([u8; 32], MemberId)>,
    /// When we last denied being gone, and when that is to be done again.
    denied_at: Option<Duration>,
    deny_at: Option<Duration>,
    /// How far asking has got, by link.
    asking: BTreeMap<ClientId, Asking>,
    /// When a link was last asked who is there because of somebody whom we have not met.
    asked_for_strangers_at: Option<Duration>,
    /// Since when some link has told us its whole roster: from then on, what is news to us is news to others.
    roster_at: Option<Duration>,
}

/// Somebody who was admitted.
#[derive(Debug, Clone)]
pub(super) struct Member {
    admitted: Admitted,
    credential: Vec<u8>,
    since_ms: u64,
    met_ms: u64,
    /// The last of our meetings that was with them.
    last_meeting: u64,
    nick: String,
    /// Start of the session and number of the say that named them: the last writer wins.
    nick_at: (u64, u32),
    status: u8,
    status_at: (u64, u32),
    presence: Presence,
    /// The day of its last ring place, and that.
    place: Cell<Option<(u64, [u8; 32])>>,
}

impl Member {
    /// What their credential says of them.
    pub(super) fn admitted(&self) -> &Admitted {
        &self.admitted
    }

    /// When they were admitted, ms since 1970 by their own clock then.
    pub(super) fn since_ms(&self) -> u64 {
        self.since_ms
    }

    /// When we met them, ms since 1970; 0: at an earlier start.
    pub(super) fn met_ms(&self) -> u64 {
        self.met_ms
    }

    pub(super) fn nick(&self) -> &str {
        &self.nick
    }

    pub(super) fn status(&self) -> u8 {
        self.status
    }
}

/// Members by their places on the ring, on the day of that time.
pub(super) struct OnRing<'a> {
    members: &'a Members,
    unix_ms: u64,
}

impl Ring for OnRing<'_> {
    /// Its member's.
    fn place(&self, client_id: &ClientId) -> Option<[u8; 32]> {
        Some(
            self.members
                .place_of(&self.members.member_of(client_id)?, self.unix_ms),
        )
    }

    fn own_place(&self) -> [u8; 32] {
        self.members.place_of(&self.members.own(), self.unix_ms)
    }

    fn has_more_than(&self, count: usize) -> bool {
        self.members.has_more_online_than(count)
    }

    fn is_met(&self, client_id: &ClientId) -> bool {
        self.members.is_session_online(client_id)
    }
}

impl Members {
    /// `credential`: what admits us. `is_in`: we were let in at an earlier start.
    pub(super) fn new(
        core: &Core,
        chat: ChatId,
        member_key: SigningKey,
        credential: Credential,
        is_in: bool,
    ) -> Self {
        let session = SessionCertificate::sign(&member_key, &chat, &core.client_id(), core.own_ms(), 0);
        Self {
            chat,
            member_key,
            chain: Chain { credential, session },
            is_in,
            sessions: BTreeMap::new(),
            members: BTreeMap::new(),
            meetings: 0,
            unnamed: BTreeSet::new(),
            slots: BTreeMap::new(),
            denied_at: None,
            deny_at: None,
            asking: BTreeMap::new(),
            asked_for_strangers_at: None,
            roster_at: None,
        }
    }

    pub(super) fn on_ring(&self, unix_ms: u64) -> OnRing<'_> {
        OnRing {
            members: self,
            unix_ms,
        }
    }

    /// Our own session stands among the others, so that a roster names it too.
    pub(super) fn set_own_session(&mut self, client_id: ClientId, is_named: impl Fn(&MemberId) -> bool) {
        let credential = self.chain.credential.clone();
        self.admit(&credential, 0, is_named);
        let chain = self.chain.encode();
        let session = Session {
            online: true,
            ..Session::new(self.own(), self.chain.session.start_ms, chain)
        };
        self.sessions.insert(client_id, session);
    }

    /// A new session takes the place of ours.
    pub(super) fn renew(&mut self, core: &Core, old: &ClientId) {
        // Later than the last one, whatever the clock says now.
        let start_ms = core.now_ms().max(self.chain.session.start_ms + 1);
        let new = core.client_id();
        self.chain.session = SessionCertificate::sign(&self.member_key, &self.chat, &new, start_ms, 0);
        self.sessions.remove(old);
        self.set_own_session(new, |_| false);
    }

    /// Whether our session has lasted so long that it is to be made anew.
    pub(super) fn is_session_old(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.chain.session.start_ms) >= SESSION_LASTS_MS
    }

    pub(super) fn chat(&self) -> &ChatId {
        &self.chat
    }

    pub(super) fn member_key(&self) -> &SigningKey {
        &self.member_key
    }

    /// Leads from the chat to our session.
    pub(super) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// When our session began, ms since 1970.
    pub(super) fn own_start_ms(&self) -> u64 {
        self.chain.session.start_ms
    }

    /// Ourselves.
    pub(super) fn own(&self) -> MemberId {
        self.chain.credential.member()
    }

    /// Signs as the member that we are.
    pub(super) fn sign(&self, label: &str, bytes: &[u8]) -> Signature {
        self.member_key.sign(label, &self.chat, bytes)
    }

    /// Whether we were ever let in.
    pub(super) fn is_in(&self) -> bool {
        self.is_in
    }

    /// A packet came over a link, so the link stands on the other side as well: what is said from now on reaches us.
    pub(super) fn let_in(&mut self, core: &mut Core) {
        if !std::mem::replace(&mut self.is_in, true) {
            core.emit(NodeEvent::Joined);
        }
    }

    pub(super) fn member(&self, member: &MemberId) -> Option<&Member> {
        self.members.get(member)
    }

    /// By id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&MemberId, &Member)> {
        self.members.iter()
    }

    pub(super) fn count(&self) -> usize {
        self.members.len()
    }

    pub(super) fn session(&self, client_id: &ClientId) -> Option<&Session> {
        self.sessions.get(client_id)
    }

    /// By key.
    pub(super) fn sessions(&self) -> impl Iterator<Item = (&ClientId, &Session)> {
        self.sessions.iter()
    }

    /// Other members that are there.
    pub(super) fn others_online(&self) -> usize {
        let online = self.sessions.values().filter(|session| session.online);
        let mut members: Vec<MemberId> = online.map(|session| session.member).collect();
        members.sort_unstable();
        members.dedup();
        members.len().saturating_sub(1)
    }

    pub(super) fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// The first sessions above a key, by key.
    pub(super) fn sessions_after(&self, after: &ClientId) -> impl Iterator<Item = (&ClientId, &Session)> {
        self.all_sessions_after(after)
            .filter(|(_, session)| session.online)
    }

    /// The same, with those that don't stand any more: [`MAX_SESSIONS`] at most.
    pub(super) fn all_sessions_after(&self, after: &ClientId) -> impl Iterator<Item = (&ClientId, &Session)> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.sessions.range((Excluded(*after), Unbounded))
    }

    /// Sessions of others that stand.
    pub(super) fn sessions_online(&self) -> usize {
        self.sessions.values().filter(|session| session.online).count() - 1
    }

    /// Whether more than so many of others stand. Often asked, and in a crowd most need not be counted.
    pub(super) fn has_more_online_than(&self, count: usize) -> bool {
        let mut online = self.sessions.values().filter(|session| session.online);
        // Our own is one of them.
        online.nth(count + 1).is_some()
    }

    pub(super) fn is_session_online(&self, client_id: &ClientId) -> bool {
        self.sessions.get(client_id).is_some_and(|session| session.online)
    }

    pub(super) fn member_of(&self, client_id: &ClientId) -> Option<MemberId> {
        Some(self.sessions.get(client_id)?.member)
    }

    /// Whether others have been told by us whose session that is.
    pub(super) fn is_introduced(&self, client_id: &ClientId) -> bool {
        self.sessions
            .get(client_id)
            .is_some_and(|session| session.introduced)
    }

    /// How many have said, since a session was last heard of, that it is gone.
    pub(super) fn reporters_of(&self, client_id: &ClientId) -> usize {
        self.sessions
            .get(client_id)
            .map_or(0, |session| session.reporters.len())
    }

    pub(super) fn credential_of(&self, member: &MemberId) -> Option<&[u8]> {
        Some(&self.members.get(member)?.credential)
    }

    /// Ring place of a member: "a hash of chat, member and day, not the client_id (whose place can be ground out in
    /// seconds)".
    fn place_of(&self, member: &MemberId, unix_ms: u64) -> [u8; 32] {
        let day = unix_ms / 86_400_000;
        // Everybody's is looked at whenever links are chosen.
        let kept = self.members.get(member).map(|member| &member.place);
        if let Some((of, place)) = kept.and_then(Cell::get)
            && of == day
        {
            return place;
        }
        let place = crypto::hash(&[b"throng/1 place\0", &self.chat.0, &member.0, &day.to_be_bytes()]);
        if let Some(kept) = kept {
            kept.set(Some((day, place)));
        }
        place
    }

    /// Who claims a slot by the smallest hash, as far as we know.
    pub(super) fn claimant(&self, invite: &InviteId, slot: u16) -> Option<MemberId> {
        Some(self.slots.get(&(*invite, slot))?.1)
    }

    /// Slots that somebody claims, and whose they are if nobody is confirmed in them.
    pub(super) fn slots(&self) -> impl Iterator<Item = (&(InviteId, u16), MemberId)> {
        self.slots.iter().map(|(slot, (_, member))| (slot, *member))
    }

    /// Whether a chain leads from the chat to a session. What admitted its member before need not be verified again.
    pub(super) fn leads_to(&self, chain: &Chain, client_id: &ClientId) -> bool {
        let (member, credential) = (chain.credential.member(), chain.credential.encode());
        let is_known = self.credential_of(&member) == Some(&credential);
        chain.session.verify(&self.chat, &member, client_id)
            && (is_known || chain.credential.verify(&self.chat))
    }

    /// Whether a member was admitted before.
    pub(super) fn is_admitted(&self, member: &MemberId) -> bool {
        self.members.contains_key(member)
    }

    /// Notes what admits a member; true if it is news and there is room.
    pub(super) fn admit(
        &mut self,
        credential: &Credential,
        met_ms: u64,
        is_named: impl Fn(&MemberId) -> bool,
    ) -> bool {
        let member = credential.member();
        if self.members.contains_key(&member) {
            return false;
        }
        if self.members.len() >= MAX_MEMBERS {
            self.forget_some_members(is_named);
        }
        if self.members.len() >= MAX_MEMBERS {
            return false;
        }
        self.meetings += 1;
        let since_ms = match credential {
            Credential::Founder(charter) => charter.created_ms,
            Credential::Invited { admission, .. } => admission.at_ms,
        };
        self.claim_slot(credential);
        self.members.insert(
            member,
            Member {
                admitted: Admitted::of(credential),
                credential: credential.encode(),
                since_ms,
                met_ms,
                last_meeting: self.meetings,
                nick: String::new(),
                nick_at: (0, 0),
                status: 0,
                status_at: (0, 0),
                presence: Presence::Gone,
                place: Cell::new(None),
            },
        );
        true
    }

    /// Forgets members who hold nobody's place and whom no fact names, who came by a door, that is, and of whom no session is
    /// known: first who never had a name, then who was met longest ago. Their next hello or word brings them back.
    fn forget_some_members(&mut self, is_named: impl Fn(&MemberId) -> bool) {
        let own = self.own();
        let here: BTreeSet<MemberId> = self.sessions.values().map(|session| session.member).collect();
        let may_leave = |id: &MemberId, member: &Member| {
            let came_by_door = matches!(member.admitted.by, Some((_, None)));
            came_by_door && *id != own && !here.contains(id) && !is_named(id)
        };
        let may_leave = self.members.iter().filter(|(id, member)| may_leave(id, member));
        let mut leaving: Vec<(bool, u64, MemberId)> = may_leave
            .map(|(id, member)| (!member.nick.is_empty(), member.last_meeting, *id))
            .collect();
        leaving.sort_unstable();
        for (.., id) in leaving.into_iter().take(FORGOTTEN_AT_ONCE) {
            self.members.remove(&id);
        }
    }

    /// Another credential takes the place of ours: what the old one claimed is not ours any more.
    fn admit_anew(&mut self) {
        let own = self.own();
        self.members.remove(&own);
        self.slots.clear();
        let others: Vec<Credential> = self
            .members
            .values()
            .filter_map(|member| Some(Credential::decode(&member.credential).ok()?.0))
            .collect();
        for credential in &others {
            self.claim_slot(credential);
        }
        let credential = self.chain.credential.clone();
        self.admit(&credential, 0, |_| false);
    }

    /// Notes whose slot it is, of those who claim it.
    fn claim_slot(&mut self, credential: &Credential) {
        if let Credential::Invited { invite, admission } = credential
            && invite.slots != 0
        {
            let claim = (crypto::hash(&[&admission.encode()]), admission.member);
            let holder = self.slots.entry((invite.invite, admission.slot)).or_insert(claim);
            *holder = claim.min(*holder);
        }
    }

    pub(super) fn is_online(&self, member: &MemberId) -> bool {
        self.sessions
            .values()
            .any(|session| session.online && session.member == *member)
    }

    /// Which session leaves so that there is room for one of that member: one of theirs if they have many, else any; first
    /// what is offline, then the oldest, and none of those that stay.
    fn leaves_for_session_of(
        &self,
        member: &MemberId,
        stays: impl Fn(&ClientId) -> bool,
    ) -> Option<ClientId> {
        let of_member = self.sessions.values().filter(|session| session.member == *member);
        let has_many = of_member.count() >= MAX_SESSIONS_OF_ONE;
        if !has_many && self.sessions.len() < MAX_SESSIONS {
            return None;
        }
        self.sessions
            .iter()
            .filter(|(client_id, session)| !stays(client_id) && (!has_many || session.member == *member))
            .min_by_key(|(_, session)| (session.online, session.start_ms))
            .map(|(client_id, _)| *client_id)
    }

    /// Another credential admits us from now on.
    pub(super) fn replace_credential(&mut self, core: &mut Core, credential: Credential) {
        self.chain.credential = credential;
        self.admit_anew();
        let encoded = self.chain.credential.encode();
        if let Some(session) = self.sessions.get_mut(&core.client_id()) {
            session.chain = self.chain.encode();
        }
        core.emit(NodeEvent::CredentialChanged(encoded));
    }

    /// Whose session that is, if this chain is the one that it is known by.
    pub(super) fn known_by(&self, client_id: &ClientId, chain: &[u8]) -> Option<MemberId> {
        let session = self.sessions.get(client_id)?;
        (session.chain == chain).then_some(session.member)
    }

    /// The chain of somebody else's session, if it verifies now. The error is the cause of a drop.
    pub(super) fn verify(
        &self,
        core: &Core,
        client_id: &ClientId,
        chain: &[u8],
    ) -> Result<Chain, &'static str> {
        let chain = Chain::decode(chain).map_err(|_| "malformed_chain")?;
        if core.now_ms().abs_diff(chain.session.start_ms) > SESSION_VALID_MS {
            return Err("stale_session");
        }
        if !self.leads_to(&chain, client_id) {
            return Err("bad_chain");
        }
        if chain.credential.member() == self.own() && *client_id != core.client_id() {
            // Our own member key in another session: an older run of ours, or the same profile on two computers.
            return Err("own_member");
        }
        Ok(chain)
    }

    /// Notes a session by a chain that was verified, whose member was admitted. The error is the cause of a drop.
    pub(super) fn meet(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        client_id: ClientId,
        chain: &Chain,
    ) -> Result<(), &'static str> {
        let member = chain.credential.member();
        match self.sessions.get_mut(&client_id) {
            // A certificate does not show that its member has the session's key. So nobody takes a session from whom it
            // is known to be by merely saying that it is theirs.
            Some(known) if known.member != member => return Err("claimed"),
            // The same session by another credential: what it did before is not forgotten.
            Some(known) => known.chain = chain.encode(),
            None => {
                let session = Session::new(member, chain.session.start_ms, chain.encode());
                self.begin_session(core, overlay, client_id, session);
            }
        }
        Ok(())
    }

    /// Notes a session, for which another one leaves where there are many: none to which we are linked, nor our own.
    fn begin_session(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        client_id: ClientId,
        session: Session,
    ) {
        let stays = |other: &ClientId| *other == core.client_id() || overlay.is_linked(other);
        let leaving = self.leaves_for_session_of(&session.member, stays);
        if let Some(leaving) = leaving {
            self.session_ended(core, overlay, &leaving, false);
            self.forget_session(core, &leaving);
        }
        self.meetings += 1;
        if let Some(member) = self.members.get_mut(&session.member) {
            member.last_meeting = self.meetings;
        }
        self.sessions.insert(client_id, session);
    }

    fn forget_session(&mut self, core: &mut Core, client_id: &ClientId) {
        if self.sessions.remove(client_id).is_some() {
            core.cause(Effect::SessionForgotten(*client_id));
        }
    }

    /// A packet that only the holder of a session's key can have sealed to us brought its chain: if somebody else claimed
    /// that session before, they lied.
    pub(super) fn settle_claim(&mut self, core: &mut Core, client_id: &ClientId, chain: &[u8]) {
        if let (Some(known), Ok(chain)) = (self.sessions.get(client_id), Chain::decode(chain))
            && known.member != chain.credential.member()
            && self.leads_to(&chain, client_id)
        {
            self.forget_session(core, client_id);
        }
    }

    /// Whether who is new to us is new to the chat: once we know who is there. Before that nobody is: we are. And a name may
    /// be overtaken by the end of its roster.
    pub(super) fn knows_all(&self, core: &Core, overlay: &Overlay) -> bool {
        let is_first = self.is_in && !overlay.has_links();
        let is_told = |at: Duration| core.now().saturating_sub(at) >= OVERTAKEN_WITHIN;
        self.roster_at.is_some_and(is_told) || is_first
    }

    /// Whether some link has told us its whole roster.
    pub(super) fn has_roster(&self) -> bool {
        self.roster_at.is_some()
    }

    /// What a session said is passed on with its chain.
    pub(super) fn note_introduced(&mut self, client_id: &ClientId) {
        if let Some(session) = self.sessions.get_mut(client_id) {
            session.introduced = true;
        }
    }

    /// A session said something under that number.
    pub(super) fn note_number(&mut self, client_id: &ClientId, number: u32) {
        if let Some(session) = self.sessions.get_mut(client_id) {
            session.last_number = session.last_number.max(number);
        }
    }

    /// A session said two things under that number: it is over with the least such. Whether that is news; none if the session is
    /// not known.
    pub(super) fn note_fork(&mut self, client_id: &ClientId, number: u32) -> Option<bool> {
        let session = self.sessions.get_mut(client_id)?;
        let is_news = session.forked_at.is_none();
        session.forked_at = Some(session.forked_at.map_or(number, |at| at.min(number)));
        Some(is_news)
    }

    /// Keeps a session's last name or status for those who ask who is there.
    pub(super) fn keep_for_roster(&mut self, say: &Say) {
        let Some(session) = self.sessions.get_mut(&say.signed.client_id) else {
            return;
        };
        let kept = match say.signed.body {
            Body::Name(_) => &mut session.name,
            Body::Status(_) => &mut session.status,
            _ => return,
        };
        if kept
            .as_ref()
            .is_some_and(|kept| kept.signed.number >= say.signed.number)
        {
            return;
        }
        *kept = Some(Say {
            chain: None,
            ..say.clone()
        });
    }

    /// The nick that a hello brought, until a signed name comes.
    pub(super) fn take_hello_nick(&mut self, member: &MemberId, nick: String) {
        if let Some(known) = self.members.get_mut(member)
            && known.nick.is_empty()
        {
            known.nick = nick;
        }
    }

    /// A link stands: asking over it begins anew.
    pub(super) fn link_up(&mut self, client_id: ClientId) {
        self.asking.insert(client_id, Asking::default());
    }

    pub(super) fn link_down(&mut self, client_id: &ClientId) {
        self.asking.remove(client_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::testing::{Chat, events};

    #[test]
    fn who_is_heard_is_there_and_two_members_reports_end_that() {
        let mut chat = Chat::new();
        let mut own = chat.founder();
        let others: Vec<_> = (2..8).map(|n| chat.member(n)).collect();
        for other in &others {
            own.meet(other).expect("a good chain");
            own.members.session_heard(&mut own.core, &other.core.client_id());
        }
        let subject = others[0].core.client_id();
        assert!(own.members.is_session_online(&subject));
        events(&mut own.core);
        for (reporter, is_over) in [(1, false), (1, false), (2, true)] {
            let reporter = others[reporter].core.client_id();
            let report = own
                .members
                .take_report(&mut own.core, &mut own.overlay, &reporter, subject);
            assert_eq!(report, Report::Noted);
            assert_eq!(!own.members.is_session_online(&subject), is_over);
        }
    }

    #[test]
    fn a_report_about_ourselves_is_denied_once_and_not_again_at_once() {
        let mut chat = Chat::new();
        let mut own = chat.founder();
        let other = chat.member(2);
        own.meet(&other).expect("a good chain");
        let (client_id, reporter) = (own.core.client_id(), other.core.client_id());
        for may_deny in [true, false] {
            let report = own
                .members
                .take_report(&mut own.core, &mut own.overlay, &reporter, client_id);
            assert_eq!(report, Report::AboutUs);
            assert_eq!(own.members.take_denial(own.core.now()), may_deny);
        }
        own.pass(Duration::from_secs(10));
        assert!(own.members.take_denial(own.core.now()), "later it is");
    }

    #[test]
    fn nobody_takes_a_session_by_saying_that_it_is_theirs() {
        let mut chat = Chat::new();
        let mut own = chat.founder();
        let (victim, thief) = (chat.member(2), chat.member(3));
        own.meet(&victim).expect("a good chain");
        let session = SessionCertificate::sign(
            thief.members.member_key(),
            &chat.id,
            &victim.core.client_id(),
            own.core.own_ms(),
            0,
        );
        let credential = thief.members.chain().credential.clone();
        let claim = Chain { credential, session }.encode();
        let met = own.rights.meet(
            &mut own.core,
            &mut own.overlay,
            &mut own.members,
            victim.core.client_id(),
            &claim,
        );
        assert_eq!(met, Err("claimed"));
        assert_eq!(
            own.members.member_of(&victim.core.client_id()),
            Some(victim.core.member())
        );
    }
}
