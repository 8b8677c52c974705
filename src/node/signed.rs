//! The state of a signed chat: sessions, members and slots. A chain leads from the chat's key to every session; what it says of a
//! member holds for good, what it says of a session as long as the session is heard of.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::config::SignedState;
use super::facts::Agreed;
use super::fork::{Said, nothing_said};
use super::gate::Gates;
use super::handshake::HalfOpen;
use super::history::History;
use super::parts::Parts;
use super::presence::Presence;
use super::{NodeMember, Now};
use crate::crypto::{self, SigningKey};
use crate::facts::Admitted;
use crate::id::{ChatId, ClientId, InviteId, MemberId, MessageId};
use crate::invite::{Chain, Charter, Credential, InviteKey, SessionCertificate};
use crate::wire::Say;

/// Sessions known at a time, some 900 bytes each. A guess.
const MAX_SESSIONS: usize = 2_048;

/// Sessions known of one member. A guess: each start makes one.
const MAX_SESSIONS_OF_ONE: usize = 4;

/// Members known at a time, some 500 bytes each. A guess.
const MAX_MEMBERS: usize = 8_192;

/// So many are forgotten at a time when there is no room for one more: to find one takes as long. A guess.
const FORGOTTEN_AT_ONCE: usize = MAX_MEMBERS / 8;

/// Says held until their session is met, and of those that one link brought. Guesses.
const MAX_HELD: usize = 64;
const MAX_HELD_OF_ONE: usize = 16;

/// The state of a signed chat.
pub(super) struct Signed {
    pub(super) chat: ChatId,
    pub(super) charter: Option<Charter>,
    pub(super) member_key: SigningKey,
    /// Leads from the chat to this session.
    pub(super) chain: Chain,
    pub(super) invite_key: Option<InviteKey>,
    pub(super) slots_tried: u32,
    pub(super) gates: Gates,
    pub(super) half_open: BTreeMap<ClientId, HalfOpen>,
    /// The hybrid clock: milliseconds and a counter.
    pub(super) hlc: u64,
    /// The first 8 bytes of the id of the newest message.
    pub(super) last_message: [u8; 8],
    /// None until the charter is known.
    pub(super) agreed: Option<Agreed>,
    /// When links last confirmed the facts that we go by; whether that is long ago and has been told.
    pub(super) vouched_at: Duration,
    pub(super) is_stale: bool,
    /// Somebody who would not let us in showed a ban on us that is not among our facts.
    pub(super) told_of_ban: bool,
    /// When newcomers will be confirmed, if we may.
    pub(super) confirm_at: Option<Duration>,
    pub(super) sessions: BTreeMap<ClientId, Session>,
    pub(super) members: BTreeMap<MemberId, Member>,
    /// How often a member has been met, or a new session of one.
    meetings: u64,
    /// Those of them who are there, but not told of yet: their names may come.
    pub(super) unnamed: BTreeSet<MemberId>,
    /// Of those who claim a slot, as far as we know, the one of the smallest hash of the admission, with that.
    slots: BTreeMap<(InviteId, u16), ([u8; 32], MemberId)>,
    pub(super) held: VecDeque<Held>,
    pub(super) said: Said,
    pub(super) history: History,
    pub(super) parts: Parts,
    /// When we last denied being gone, and when that is to be done again.
    pub(super) denied_at: Option<Duration>,
    pub(super) deny_at: Option<Duration>,
    /// When a link was last asked who is there because of somebody whom we have not met.
    pub(super) asked_for_strangers_at: Option<Duration>,
    /// Whether some link has told us its whole roster: from then on, what is news to us is news to others.
    pub(super) roster_at: Option<Duration>,
}

/// A session of a member.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) member: MemberId,
    pub(super) start_ms: u64,
    pub(super) chain: Vec<u8>,
    /// Its last name and status, to be told to others.
    pub(super) name: Option<Say>,
    pub(super) status: Option<Say>,
    pub(super) online: bool,
    /// Its chain has been passed on with something that it said.
    pub(super) introduced: bool,
    /// It said goodbye: nothing that comes late brings it back.
    pub(super) has_quit: bool,
    /// Who reported it as gone since it was last heard of.
    pub(super) reporters: BTreeSet<MemberId>,
    /// When it was last heard of.
    pub(super) heard_at: Duration,
    /// Since when it stands, if it does.
    pub(super) stands_since: Duration,
    /// The greatest number of what it said.
    pub(super) last_number: u32,
    /// Which of its numbers have come lately.
    pub(super) numbers: super::gaps::Numbers,
    /// Under which number it said two things.
    pub(super) forked_at: Option<u32>,
}

impl Session {
    pub(super) fn new(member: MemberId, start_ms: u64, chain: Vec<u8>) -> Self {
        Self {
            member,
            start_ms,
            chain,
            name: None,
            status: None,
            online: false,
            introduced: false,
            has_quit: false,
            reporters: BTreeSet::new(),
            heard_at: Duration::ZERO,
            stands_since: Duration::ZERO,
            last_number: 0,
            numbers: super::gaps::Numbers::default(),
            forked_at: None,
        }
    }
}

/// Somebody who was admitted.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) admitted: Admitted,
    credential: Vec<u8>,
    /// When they were admitted, ms since 1970 by their own clock then.
    pub(super) since_ms: u64,
    /// When we met them, ms since 1970; 0: at an earlier start.
    pub(super) met_ms: u64,
    /// The last of our meetings that was with them.
    last_meeting: u64,
    pub(super) nick: String,
    /// Start of the session and number of the say that named them: the last writer wins.
    pub(super) nick_at: (u64, u32),
    pub(super) status: u8,
    pub(super) status_at: (u64, u32),
    pub(super) presence: Presence,
    /// The day of its last ring place, and that.
    place: Cell<Option<(u64, [u8; 32])>>,
}

/// A say whose session is not known yet.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) id: MessageId,
    pub(super) sender: ClientId,
    pub(super) say: Say,
    /// Since when.
    pub(super) at: Duration,
}

impl Signed {
    pub(super) fn new(state: SignedState, client_id: ClientId, now: &Now) -> Self {
        let SignedState {
            chat,
            charter,
            member_key,
            credential,
            invite_key,
            rendezvous,
            joined,
            admitted,
            facts,
            history,
        } = state;
        let session = SessionCertificate::sign(&member_key, &chat, &client_id, now.unix_ms, 0);
        let chain = Chain { credential, session };
        let charter = charter.or_else(|| chain.credential.charter().cloned());
        let mut signed = Self {
            chat,
            charter,
            member_key,
            invite_key: invite_key.filter(|_| !joined),
            slots_tried: 0,
            gates: Gates::new(rendezvous),
            half_open: BTreeMap::new(),
            hlc: chain.session.start_ms << 16,
            last_message: [0; 8],
            agreed: None,
            vouched_at: now.elapsed,
            is_stale: false,
            told_of_ban: false,
            confirm_at: None,
            sessions: BTreeMap::new(),
            members: BTreeMap::new(),
            meetings: 0,
            unnamed: BTreeSet::new(),
            slots: BTreeMap::new(),
            held: VecDeque::new(),
            said: nothing_said(),
            history: History::new(history, &chain.credential),
            parts: Parts::default(),
            denied_at: None,
            deny_at: None,
            asked_for_strangers_at: None,
            roster_at: None,
            chain,
        };
        if let Some(charter) = &signed.charter {
            signed.agreed = Some(Agreed::new(chat, charter, &facts));
        }
        for bytes in &admitted {
            if let Ok((credential, [])) = Credential::decode(bytes) {
                signed.admit(&credential, 0);
            }
        }
        signed.set_own_session(client_id);
        signed
    }

    /// Our own session stands among the others, so that a roster names it too.
    fn set_own_session(&mut self, client_id: ClientId) {
        let credential = self.chain.credential.clone();
        self.admit(&credential, 0);
        let chain = self.chain.encode();
        let session = Session {
            online: true,
            ..Session::new(self.member(), self.chain.session.start_ms, chain)
        };
        self.sessions.insert(client_id, session);
    }

    /// A new session takes the place of ours.
    pub(super) fn renew(&mut self, old: &ClientId, new: ClientId, now_ms: u64) {
        // Later than the last one, whatever the clock says now.
        let start_ms = now_ms.max(self.chain.session.start_ms + 1);
        self.chain.session = SessionCertificate::sign(&self.member_key, &self.chat, &new, start_ms, 0);
        self.sessions.remove(old);
        self.half_open.clear();
        self.set_own_session(new);
        self.hlc = self.hlc.max(self.chain.session.start_ms << 16);
    }

    pub(super) fn member(&self) -> MemberId {
        self.chain.credential.member()
    }

    pub(super) fn members(&self) -> Vec<NodeMember> {
        let own = self.member();
        let online: BTreeSet<MemberId> = self
            .sessions
            .values()
            .filter(|session| session.online)
            .map(|session| session.member)
            .collect();
        self.members
            .iter()
            .filter(|(member, _)| **member != own)
            .map(|(id, member)| NodeMember {
                member: *id,
                nick: member.nick.clone(),
                role: self.role(&member.admitted),
                status: member.status,
                online: online.contains(id),
                own: false,
                since_ms: member.since_ms,
                banned: self.is_banned(&member.admitted),
            })
            .collect()
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = (&ClientId, &Session)> {
        self.sessions.iter()
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

    /// When a session began, ms since 1970: nothing was said in it before.
    pub(super) fn start_of(&self, client_id: &ClientId) -> u64 {
        self.sessions.get(client_id).map_or(0, |session| session.start_ms)
    }

    pub(super) fn credential_of(&self, member: &MemberId) -> Option<&[u8]> {
        Some(&self.members.get(member)?.credential)
    }

    /// Ring place of a session: its member's.
    pub(super) fn place(&self, client_id: &ClientId, unix_ms: u64) -> Option<[u8; 32]> {
        Some(self.place_of(&self.member_of(client_id)?, unix_ms))
    }

    /// Ring place of a member: "a hash of chat, member and day, not the client_id (whose place can be ground out in
    /// seconds)".
    pub(super) fn place_of(&self, member: &MemberId, unix_ms: u64) -> [u8; 32] {
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

    /// Keeps a say until its session is met; the oldest leaves, of the same link if that has brought many.
    pub(super) fn hold(&mut self, held: Held) {
        let of_link = |other: &Held| other.sender == held.sender;
        if self.held.iter().filter(|other| of_link(other)).count() >= MAX_HELD_OF_ONE {
            let oldest = self.held.iter().position(of_link);
            oldest.map(|at| self.held.remove(at));
        }
        if self.held.len() >= MAX_HELD {
            self.held.pop_front();
        }
        self.held.push_back(held);
    }

    /// The ids of the says that are kept so.
    pub(super) fn held_ids(&self) -> impl Iterator<Item = &MessageId> {
        self.held.iter().map(|held| &held.id)
    }

    /// Who brought the oldest of what has been held since then or before.
    pub(super) fn held_since(&self, then: Duration) -> Option<ClientId> {
        self.held
            .front()
            .filter(|held| held.at <= then)
            .map(|held| held.sender)
    }

    /// Whether the member may come in by that slot as far as we know: nobody else was confirmed in it, or holds it here.
    pub(super) fn slot_is_free_for(&self, invite: &InviteId, slot: u16, member: &MemberId) -> bool {
        self.slot_holder(invite, slot)
            .is_none_or(|holder| holder == *member)
    }

    /// Whose slot it is: the confirmed one's, else of those who claim it the one's of the smallest hash.
    fn slot_holder(&self, invite: &InviteId, slot: u16) -> Option<MemberId> {
        let confirmed = self.state().and_then(|state| state.confirmed(invite, slot));
        confirmed.or_else(|| Some(self.slots.get(&(*invite, slot))?.1))
    }

    /// Slots that somebody claims, and whose they are if nobody is confirmed in them.
    pub(super) fn slots(&self) -> impl Iterator<Item = (&(InviteId, u16), MemberId)> {
        self.slots.iter().map(|(slot, (_, member))| (slot, *member))
    }

    /// "Who loses a slot … may only read."
    pub(super) fn has_lost_slot(&self, admitted: &Admitted) -> bool {
        let Some((invite, Some(slot))) = admitted.by else {
            return false;
        };
        let is_named = self.state().is_some_and(|state| state.is_named(&admitted.member));
        !is_named
            && self
                .slot_holder(&invite, slot)
                .is_some_and(|holder| holder != admitted.member)
    }

    fn is_banned(&self, admitted: &Admitted) -> bool {
        self.state().is_some_and(|state| state.ban_of(admitted).is_some())
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
    pub(super) fn admit(&mut self, credential: &Credential, met_ms: u64) -> bool {
        let member = credential.member();
        if self.members.contains_key(&member) {
            return false;
        }
        if self.members.len() >= MAX_MEMBERS {
            self.forget_some_members();
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
    fn forget_some_members(&mut self) {
        let own = self.member();
        let here: BTreeSet<MemberId> = self.sessions.values().map(|session| session.member).collect();
        let may_leave = |id: &MemberId, member: &Member| {
            let came_by_door = matches!(member.admitted.by, Some((_, None)));
            let is_named = || self.state().is_some_and(|state| state.is_named(id));
            came_by_door && *id != own && !here.contains(id) && !is_named()
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
    pub(super) fn admit_anew(&mut self) {
        let own = self.member();
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
        self.admit(&credential, 0);
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
    pub(super) fn leaves_for_session_of(
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

    /// Notes a session of a member.
    pub(super) fn begin_session(&mut self, client_id: ClientId, session: Session) {
        self.meetings += 1;
        if let Some(member) = self.members.get_mut(&session.member) {
            member.last_meeting = self.meetings;
        }
        self.sessions.insert(client_id, session);
    }
}
