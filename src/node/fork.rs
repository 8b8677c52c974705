//! Two different things said under one number: what a program does that wants to show different people different
//! things. Both are shown, the proof of it goes to everyone, and the session is over.

use hashlink::LruCache;

use super::{Kind, Node, NodeEvent};
use crate::crypto::Signature;
use crate::facts::{Fact, Fork};
use crate::id::{ClientId, MemberId};
use crate::wire::Say;

/// Says remembered to compare others with, up to 1 KB each. A guess: what the last minutes of a busy chat brought.
const REMEMBERED: usize = 1_024;

/// What was said lately, by session and number: what was signed, and the signature.
pub(super) type Said = LruCache<(ClientId, u32), (Vec<u8>, Signature)>;

/// Nothing was said.
pub(super) fn nothing_said() -> Said {
    LruCache::new(REMEMBERED)
}

impl Node {
    /// Remembers a say whose signature held. If another stands under its number the session is over with that number.
    pub(super) fn look_for_fork(&mut self, member: MemberId, say: &Say) {
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let (client_id, number) = (say.signed.client_id, say.signed.number);
        if let Some(session) = signed.sessions.get_mut(&client_id) {
            session.last_number = session.last_number.max(number);
        }
        let bytes = say.signed.encode();
        let Some((other, signature)) = signed.said.get(&(client_id, number)) else {
            signed.said.insert((client_id, number), (bytes, say.signature));
            return;
        };
        if *other == bytes {
            return;
        }
        let proof = Fork::new((other, *signature), (&bytes, say.signature));
        let Some(session) = signed.sessions.get_mut(&client_id) else {
            return;
        };
        let is_news = session.forked_at.is_none();
        session.forked_at = Some(session.forked_at.map_or(number, |at| at.min(number)));
        match proof {
            Some(fork) => self.take_own_fact(Fact::fork(member, fork)),
            // Too long to be proved to others, who find out by themselves.
            None if is_news => self.emit(NodeEvent::Forked { member }),
            None => {}
        }
    }
}
