//! What tests of single machines build them from: members of one chat, each with the machines up to `rights`.

use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::core::Core;
use super::members::Members;
use super::overlay::{Link, Overlay, Ring, Tokens};
use super::rights::Rights;
use super::{NodeEvent, Now, Output};
use crate::crypto::SigningKey;
use crate::id::{ChatId, ClientId, MemberId};
use crate::invite::{Charter, Credential, InviteKey, Rights as InviteRights};

/// 2026-11-22, about noon.
pub(super) const NOON_MS: u64 = 1_795_350_000_000;

/// A private chat: its keys, and an invite of any number of uses.
pub(super) struct Chat {
    pub(super) id: ChatId,
    pub(super) charter: Charter,
    founder: SigningKey,
    pub(super) invite: InviteKey,
    rng: ChaCha20Rng,
}

impl Chat {
    pub(super) fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let key = SigningKey::generate(&mut rng);
        let founder = SigningKey::generate(&mut rng);
        let charter = Charter::sign(&key, 0, NOON_MS, MemberId(founder.public()), "friends");
        let rights = InviteRights::Member;
        let invite = InviteKey::issue(&key, &charter, [7; 16], 1, rights, 0, 0, Vec::new(), &mut rng);
        Self {
            id: ChatId(key.public()),
            charter,
            founder,
            invite,
            rng,
        }
    }

    pub(super) fn founder(&self) -> Machines {
        let credential = Credential::Founder(self.charter.clone());
        self.machines(1, self.founder.clone(), credential)
    }

    /// Somebody who came by the invite.
    pub(super) fn member(&mut self, n: u8) -> Machines {
        let key = SigningKey::generate(&mut self.rng);
        let credential = self.invite.admit(MemberId(key.public()), 0, NOON_MS);
        self.machines(n, key, credential)
    }

    fn machines(&self, n: u8, key: SigningKey, credential: Credential) -> Machines {
        let mut core = core(n);
        let mut members = Members::new(&core, self.id, key, credential, true);
        core.set_member(members.own());
        members.set_own_session(core.client_id(), |_| false);
        let rights = Rights::new(&core, self.id, Some(self.charter.clone()), None, &[]);
        let overlay = Overlay::new(core.now());
        Machines {
            core,
            overlay,
            members,
            rights,
        }
    }
}

/// The lower machines of one member.
pub(super) struct Machines {
    pub(super) core: Core,
    pub(super) overlay: Overlay,
    pub(super) members: Members,
    pub(super) rights: Rights,
}

impl Machines {
    /// Meets another member's session.
    pub(super) fn meet(&mut self, other: &Self) -> Result<MemberId, &'static str> {
        let chain = other.members.chain().encode();
        let (core, overlay) = (&mut self.core, &mut self.overlay);
        self.rights
            .meet(core, overlay, &mut self.members, other.core.client_id(), &chain)
    }

    /// A link to another member stands.
    pub(super) fn link(&mut self, other: &Self) {
        let (client_id, member) = (other.core.client_id(), other.core.member());
        let address = at(client_id.0[0]);
        let tokens = Tokens::new([1; 8], [2; 8]);
        let link = Link::with_tokens(member, address, tokens, 0, true, self.core.now());
        self.overlay.add_link(&mut self.core, client_id, link);
        self.members.link_up(client_id);
        self.rights.link_up(client_id);
    }

    pub(super) fn pass(&mut self, span: Duration) {
        pass(&mut self.core, span);
    }
}

/// The core of somebody at noon.
pub(super) fn core(n: u8) -> Core {
    Core::new([n; 32], now_at(Duration::ZERO), format!("member {n}"), 0)
}

pub(super) fn pass(core: &mut Core, span: Duration) {
    core.advance(now_at(core.now() + span));
}

fn now_at(elapsed: Duration) -> Now {
    Now {
        elapsed,
        unix_ms: NOON_MS + elapsed.as_millis() as u64,
    }
}

pub(super) fn at(n: u8) -> SocketAddr {
    SocketAddr::from(([60, 1, n, 1], 33_445))
}

/// What a core has told since the last call.
pub(super) fn events(core: &mut Core) -> Vec<NodeEvent> {
    let outputs = std::iter::from_fn(|| core.poll_output());
    let event = |output| match output {
        Output::Event(event) => Some(event),
        _ => None,
    };
    outputs.filter_map(event).collect()
}

/// What a core has sent since the last call.
pub(super) fn sent(core: &mut Core) -> Vec<(SocketAddr, Vec<u8>)> {
    let outputs = std::iter::from_fn(|| core.poll_output());
    let sent = |output| match output {
        Output::Transmit { to, bytes } => Some((to, bytes)),
        _ => None,
    };
    outputs.filter_map(sent).collect()
}

/// A chat of so many, on whose ring everybody is where their key says.
pub(super) struct KeyRing {
    pub(super) own: ClientId,
    pub(super) others: usize,
}

impl Ring for KeyRing {
    fn place(&self, client_id: &ClientId) -> Option<[u8; 32]> {
        Some(client_id.0)
    }

    fn own_place(&self) -> [u8; 32] {
        self.own.0
    }

    fn has_more_than(&self, count: usize) -> bool {
        self.others > count
    }

    fn is_met(&self, _: &ClientId) -> bool {
        true
    }
}
