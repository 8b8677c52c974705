//! Equivocation: two different things said under one number. It is what a program does that wants to show different people different
//! things. Both are shown, the proof of it goes to everyone, and the session is over.

use hashlink::LruCache;

use super::Gossip;
use crate::crypto::Signature;
use crate::facts::{Fact, Fork};
use crate::id::{ClientId, MemberId};
use crate::node::NodeEvent;
use crate::node::core::Core;
use crate::node::members::Members;
use crate::wire::Say;

/// Says remembered to compare others with, up to 1 KB each. A guess: what the last minutes of a busy chat brought.
const REMEMBERED: usize = 1_024;

/// What was said lately, by session and number: what was signed, and the signature.
pub(super) type Said = LruCache<(ClientId, u32), (Vec<u8>, Signature)>;

/// Nothing was said.
pub(super) fn nothing_said() -> Said {
    LruCache::new(REMEMBERED)
}

impl Gossip {
    /// Remembers a say whose signature held. If another stands under its number the session is over with that number; the proof
    /// of it for everyone.
    pub(in crate::node) fn look_for_fork(
        &mut self,
        core: &mut Core,
        members: &mut Members,
        member: MemberId,
        say: &Say,
    ) -> Option<Fact> {
        let (client_id, number) = (say.signed.client_id, say.signed.number);
        members.note_number(&client_id, number);
        let bytes = say.signed.encode();
        let Some((other, signature)) = self.said.get(&(client_id, number)) else {
            self.said.insert((client_id, number), (bytes, say.signature));
            return None;
        };
        if *other == bytes {
            return None;
        }
        let proof = Fork::new((other, *signature), (&bytes, say.signature));
        let is_news = members.note_fork(&client_id, number)?;
        // Too long to be proved to others, who find out by themselves.
        if proof.is_none() && is_news {
            core.emit(NodeEvent::Forked { member });
        }
        proof.map(|fork| Fact::fork(member, fork))
    }
}
