//! Over which links a say goes at once. What is our own goes over all. What a link brought is passed on over all others as long as
//! little is said, which is fastest; when much is, over a few of them, and the rest are told of it in digests (`repair`), as in
//! Plumtree (Leitão, Pereira and Rodrigues, 2007): those links are called eager, and the rest lazy. So who has more links,
//! be they strangers' who pass nothing on, hardly sends more.

use std::collections::BTreeSet;

use super::cache::Kept;
use super::{Gossip, Overlay};
use crate::id::{ClientId, MessageId};
use crate::node::bucket::{Bucket, Rate, try_take};
use crate::node::core::Core;
use crate::node::members::Members;
use crate::node::overlay::{MAX_LINKS, WANTED};
use crate::wire::{Packet, Say};

/// As over all others of the links wanted. A guess.
const EAGER: usize = WANTED - 1;

/// Of those that have others, at least so many. A guess: the ring neighbours, and one that keeps the chat small across.
const ORDINARY: usize = 3;

/// What is passed on over all links all the same, since then little is said. A guess: a copy to each costs no more than telling
/// each of one say.
const FLOODED: Rate = Rate::per_second(0.5, 10.0);

/// What may yet be passed on over all links.
#[derive(Debug, Default)]
pub(super) struct Flooding(Option<Bucket>);

impl Gossip {
    /// Sends a say on, our own or what that link brought, and has repair look after those links that don't show to have it. Over
    /// how many it went.
    pub(in crate::node) fn push(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &Members,
        id: MessageId,
        say: &Say,
        brought_by: Option<ClientId>,
    ) -> u32 {
        let kept = Kept {
            id,
            client_id: say.signed.client_id,
            number: say.signed.number,
            at: core.now(),
            plain: Packet::Say(say.clone()).encode(),
        };
        self.push_packet(core, overlay, members, kept, brought_by)
    }

    pub(super) fn push_packet(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &Members,
        say: Kept,
        brought_by: Option<ClientId>,
    ) -> u32 {
        let links = match brought_by {
            Some(brought_by) if !self.try_take_flooding(core, members) => {
                let eager = eager_links(overlay, &brought_by);
                Self::send_to(core, overlay, &say.plain, |client_id| eager.contains(client_id))
            }
            _ => Self::send_to(core, overlay, &say.plain, |client_id| {
                Some(*client_id) != brought_by
            }),
        };
        self.owe_to_links(core, say, brought_by);
        links
    }

    /// In a chat that is not larger than links can be everybody is linked to everybody, and nothing that is said has far to go.
    fn try_take_flooding(&mut self, core: &Core, members: &Members) -> bool {
        !members.has_more_online_than(MAX_LINKS) || try_take(&mut self.flooding.0, FLOODED, core.now())
    }
}

/// Those who say that they have no other link, and of the others the ring neighbours, by which the chat hangs together, and
/// more by rank as far as there is room. Some room there always is, whatever is said.
fn eager_links(overlay: &Overlay, brought_by: &ClientId) -> BTreeSet<ClientId> {
    let others = overlay.links().filter(|(client_id, _)| *client_id != brought_by);
    let (only, ordinary): (Vec<_>, Vec<_>) = others.partition(|(_, link)| link.is_only());
    let mut ranked: Vec<(bool, u64, ClientId)> = ordinary
        .into_iter()
        .map(|(client_id, link)| (link.is_neighbour(), link.rank(), *client_id))
        .collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    ranked.truncate(EAGER.saturating_sub(only.len()).max(ORDINARY));
    let only = only.into_iter().map(|(client_id, _)| *client_id);
    only.chain(ranked.into_iter().map(|(.., client_id)| client_id))
        .collect()
}
