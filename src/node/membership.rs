//! Meeting members and their sessions, and our own session.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use super::signed::{Held, Session};
use super::{Kind, Node, NodeEvent};
use crate::crypto::{BoxKeyPair, SharedKeys};
use crate::id::{ClientId, MemberId};
use crate::invite::{Chain, Credential};
use crate::wire::{Body, Say};

/// "A session certificate over 48 h old proves no presence"; nor does one as far in the future.
pub const SESSION_VALID_MS: u64 = 48 * 3_600_000;

/// A session is made anew after a day, long before its certificate proves nothing any more.
const SESSION_LASTS_MS: u64 = 24 * 3_600_000;

/// So long after a roster what belongs to it may still come. A guess: the slowest links' jitter.
const OVERTAKEN_WITHIN: Duration = Duration::from_secs(2);

impl Node {
    /// Learns a session from its chain, if that verifies. The error is the cause of a drop.
    pub(super) fn meet(&mut self, client_id: ClientId, chain: &[u8]) -> Result<MemberId, &'static str> {
        let (own, now_ms) = (self.client_id, self.now_ms());
        let Kind::Signed(signed) = &mut self.kind else {
            return Err("kind_of_signed_chats");
        };
        if let Some(session) = signed.sessions.get(&client_id)
            && session.chain == chain
        {
            let member = session.member;
            return signed.may_read(&member).map(|()| member).map_err(|_| "banned");
        }
        let chain = Chain::decode(chain).map_err(|_| "malformed_chain")?;
        if now_ms.abs_diff(chain.session.start_ms) > SESSION_VALID_MS {
            return Err("stale_session");
        }
        if !signed.leads_to(&chain, &client_id) {
            return Err("bad_chain");
        }
        let member = chain.credential.member();
        if member == signed.member() && client_id != own {
            // Our own member key in another session: an older run of ours, or the same profile on two computers.
            return Err("own_member");
        }
        self.admit_member(&chain.credential);
        let Kind::Signed(signed) = &mut self.kind else {
            return Err("kind_of_signed_chats");
        };
        if !signed.is_admitted(&member) {
            return Err("too_many_members");
        }
        if signed.may_read(&member).is_err() {
            return Err("banned");
        }
        match signed.sessions.get_mut(&client_id) {
            // A certificate does not show that its member has the session's key. So nobody takes a session from whom it
            // is known to be by merely saying that it is theirs.
            Some(known) if known.member != member => return Err("claimed"),
            // The same session by another credential: what it did before is not forgotten.
            Some(known) => known.chain = chain.encode(),
            None => {
                let session = Session::new(member, chain.session.start_ms, chain.encode());
                self.begin_session(client_id, session);
            }
        }
        Ok(member)
    }

    /// Notes a session, for which another one leaves where there are many: none to which we are linked, nor our own.
    fn begin_session(&mut self, client_id: ClientId, session: Session) {
        let Kind::Signed(signed) = &self.kind else { return };
        let stays = |other: &ClientId| *other == self.client_id || self.links.contains_key(other);
        let leaving = signed.leaves_for_session_of(&session.member, stays);
        if let Some(leaving) = leaving {
            self.session_ended(&leaving, false);
        }
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        leaving.map(|leaving| signed.sessions.remove(&leaving));
        signed.begin_session(client_id, session);
    }

    /// What a session said is passed on with its chain.
    pub(super) fn introduced(&mut self, client_id: &ClientId) {
        if let Kind::Signed(signed) = &mut self.kind
            && let Some(session) = signed.sessions.get_mut(client_id)
        {
            session.introduced = true;
        }
    }

    /// A packet that only the holder of a session's key can have sealed to us brought its chain: if somebody else claimed
    /// that session before, they lied.
    pub(super) fn settle_claim(&mut self, client_id: &ClientId, chain: &[u8]) {
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        if let (Some(known), Ok(chain)) = (signed.sessions.get(client_id), Chain::decode(chain))
            && known.member != chain.credential.member()
            && signed.leads_to(&chain, client_id)
        {
            signed.sessions.remove(client_id);
        }
    }

    /// Notes a member by a credential that has been verified.
    pub(super) fn admit_member(&mut self, credential: &Credential) {
        let (now, now_ms) = (self.now.elapsed, self.now_ms());
        let is_first = self.joined && self.links.is_empty();
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        // Once we know who is there, who is new to us is new. Before that nobody is: we are. And a name may be overtaken by the
        // end of its roster.
        let knows_all = signed
            .roster_at
            .is_some_and(|at| now.saturating_sub(at) >= OVERTAKEN_WITHIN)
            || is_first;
        let met_ms = match credential {
            Credential::Invited { admission, .. } if !knows_all => admission.at_ms.min(now_ms),
            Credential::Invited { .. } | Credential::Founder(_) => now_ms,
        };
        if signed.admit(credential, met_ms) {
            if knows_all && matches!(credential, Credential::Invited { invite, .. } if invite.slots == 0) {
                self.came_by_door();
            }
            self.emit(NodeEvent::Admitted {
                member: credential.member(),
                chain: credential.encode(),
            });
        }
    }

    /// Notes the author of something that was said before, by a credential that has been verified. They came by then: at no
    /// door, and not now.
    pub(super) fn admit_author(&mut self, credential: &Credential) {
        let now_ms = self.now_ms();
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let met_ms = match credential {
            Credential::Invited { admission, .. } => admission.at_ms.min(now_ms),
            Credential::Founder(_) => now_ms,
        };
        if signed.admit(credential, met_ms) {
            self.emit(NodeEvent::Admitted {
                member: credential.member(),
                chain: credential.encode(),
            });
        }
    }

    /// Says that waited for a session to be met are taken now: after what introduced it has been passed on, so that
    /// nobody gets them before that.
    pub(super) fn take_held(&mut self, client_id: ClientId) {
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let (now, later): (VecDeque<Held>, VecDeque<Held>) = std::mem::take(&mut signed.held)
            .into_iter()
            .partition(|held| held.say.signed.client_id == client_id);
        signed.held = later;
        for held in now {
            self.take_say(held.sender, held.say);
        }
    }

    /// Keeps a session's last name or status for those who ask who is there.
    pub(super) fn keep_for_roster(&mut self, say: &Say) {
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let Some(session) = signed.sessions.get_mut(&say.signed.client_id) else {
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
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        if let Some(known) = signed.members.get_mut(member)
            && known.nick.is_empty()
        {
            known.nick = nick;
        }
    }

    /// Another slot was offered: our chain changes with it.
    pub(super) fn sign_another_slot(&mut self, slot: u16) -> bool {
        let now_ms = self.now_ms();
        let Kind::Signed(signed) = &self.kind else {
            return false;
        };
        let Some(invite_key) = &signed.invite_key else {
            return false;
        };
        let credential = invite_key.admit(signed.chain.credential.member(), slot, now_ms);
        self.replace_credential(credential);
        true
    }

    /// Our chain leads by another credential from now on.
    pub(super) fn replace_credential(&mut self, credential: Credential) {
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        signed.chain.credential = credential;
        signed.admit_anew();
        let encoded = signed.chain.credential.encode();
        if let Some(session) = signed.sessions.get_mut(&self.client_id) {
            session.chain = signed.chain.encode();
        }
        self.emit(NodeEvent::CredentialChanged(encoded));
    }

    /// What is kept up in a signed chat by itself.
    pub(super) fn look_after_signed(&mut self) {
        let (now, now_ms) = (self.now.elapsed, self.now_ms());
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        signed.half_open.retain(|_, half| half.until > now);
        let is_old = now_ms.saturating_sub(signed.chain.session.start_ms) >= SESSION_LASTS_MS;
        self.ask_rosters_again();
        self.ask_who_they_are();
        self.look_after_history();
        self.look_after_facts();
        self.confirm_newcomers();
        self.tell_unnamed();
        self.deny_being_gone();
        if is_old {
            self.renew_session();
        }
    }

    /// "A session is made anew at every start (daily on a node that never stops)": new keys, numbers from 1, and the
    /// links made again where they were. Nobody sees us leave, since the new session supersedes the old.
    fn renew_session(&mut self) {
        let links: Vec<(ClientId, SocketAddr)> = self
            .links
            .iter()
            .map(|(client_id, link)| (*client_id, link.address))
            .collect();
        for (client_id, _) in &links {
            self.end_link(client_id, true);
        }
        let session = BoxKeyPair::generate(&mut self.rng);
        let old = std::mem::replace(&mut self.client_id, session.client_id());
        self.keys = SharedKeys::new(session, super::SHARED_KEYS);
        self.history_renewed();
        self.number = 0;
        self.peers.forget_probes();
        let (new, now_ms) = (self.client_id, self.now_ms());
        if let Kind::Signed(signed) = &mut self.kind {
            signed.renew(&old, new, now_ms);
        }
        // By the gate: they may have new sessions as well by now.
        for (_, address) in links {
            self.connect(None, address);
        }
    }
}
